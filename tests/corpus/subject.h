/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORPUS_SUBJECT_H
#define CORPUS_SUBJECT_H
/* One of other people's programs, and how the rewriter does with it */
#include <stdbool.h>
#include <stdint.h>

#define SUBJECT_TEXT	160

/* What became of a form of translation */
enum fate {
	FATE_NONE,	/* not tried */
	FATE_REWRITER,	/* the rewriter refuses it */
	FATE_TAINT,	/* level relaxed: it does so because of what would get out */
	FATE_KERNEL,	/* the kernel refuses it */
	FATE_EQUAL,	/* accepted, and equal to the program as XDP */
	FATE_VARIES,	/* accepted; the program does not do the same twice */
	FATE_DIFFERS,	/* accepted, and different */
};

/**
 * struct form_result - a form of translation
 * @fate: what became of it
 * @cnt: its instructions
 * @ns: that it needs for a packet
 * @passed: FATE_REWRITER: as nothing for this form, not as wrong or too complex
 * @text: why it is not FATE_EQUAL
 */
struct form_result {
	enum fate fate;
	uint32_t cnt;
	uint32_t ns;
	bool passed;
	char text[SUBJECT_TEXT];
};

/**
 * struct subject - a program
 * @object: its object's name
 * @name: its name
 * @loads: the kernel takes it as XDP with all privileges
 * @text: why not
 * @hash: of its instructions, without what differs from load to load
 * @cnt: its instructions
 * @ns: that it needs for a packet
 * @onloaded: why a guest's kernel does not offload it, or NULL
 * @redirects: it redirects or calls other programs: what is refused by design
 * @strict: the kernel takes it as it is, as XDP, without CAP_PERFMON
 * @varies: it uses the time, random numbers or the processor's number
 * @lite: form lite
 * @sfi: form sfi
 * @relaxed: form lite at level relaxed
 */
struct subject {
	char object[64];
	char name[64];
	bool loads;
	char text[SUBJECT_TEXT];
	uint64_t hash;
	uint32_t cnt;
	uint32_t ns;
	const char *onloaded;
	bool redirects;
	bool strict;
	bool varies;
	struct form_result lite;
	struct form_result sfi;
	struct form_result relaxed;
};

int subject_count(const char *path);
bool subject_load(struct subject *s, const char *path, int index);
void subject_translate(struct subject *s, const char *path, int index);
const struct form_result *subject_chosen(const struct subject *s);

#endif /* CORPUS_SUBJECT_H */
