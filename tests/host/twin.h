/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_TWIN_H
#define TEST_TWIN_H
/**
 * DOC: A program and its translation, side by side in the kernel
 *
 * The tenant's program is loaded as it is, as XDP and with all privileges: what
 * it does is right by definition. Its translation is loaded as a tenant's would
 * be, with CAP_BPF and CAP_NET_ADMIN alone, at level relaxed with CAP_PERFMON. Each
 * has its own maps. Both run on the same packets by BPF_PROG_TEST_RUN.
 */
#include <stdbool.h>

#include "../../host-loader/rewriter/rewriter.h"

#define TWIN_MAPS	32
#define TWIN_PACKET	4096
#define TWIN_WINDOW	3520	/* as BPF_PROG_TEST_RUN's: a page, less head and tail */

/**
 * struct twin - the two programs
 * @native: fd of the program as XDP
 * @strict: fd of the translation, whatever its level
 * @counters: fd of the translation's counters
 * @scratch: fd of the translation's scratch
 * @prog: the program
 * @maps: fds of the maps, of the native program and of the translation
 * @form: of the translation
 * @level: of the translation
 * @reach: of the program, as the rewriter says
 * @cnt: number of the translation's instructions, or 0 if there is none
 * @err: what the rewriter returned, or -errno of the translation's load
 * @verdict: of the program on the last packet
 * @text: the rewriter's sentence, the end of the kernel's log or what differs
 */
struct twin {
	int native;
	int strict;
	int counters;
	int scratch;
	struct rw_prog prog;
	int maps[TWIN_MAPS][2];
	enum rw_form form;
	enum rw_level level;
	uint32_t reach;
	uint32_t cnt;
	int err;
	uint32_t verdict;
	char text[4096];
};

bool twin_usable(void);
int twin_strictly(int (*what)(void *arg), void *arg);
bool twin_walks_on(void);
int twin_relaxed(int (*what)(void *arg), void *arg);
void twin_init(struct twin *t, const struct rw_prog *prog);
bool twin_make_own(struct twin *t);
bool twin_make_maps(struct twin *t);
bool twin_load_native(struct twin *t);
bool twin_make(struct twin *t, const struct rw_prog *prog, enum rw_form form);
void twin_translate_as(struct twin *t, const struct rw_opts *opts);
void twin_translate(struct twin *t, enum rw_form form, uint32_t window);
bool twin_make_window(struct twin *t, const struct rw_prog *prog, enum rw_form form,
		      uint32_t window);
void twin_translate_relaxed(struct twin *t);
bool twin_make_relaxed(struct twin *t, const struct rw_prog *prog);
bool twin_from_object(struct twin *t, const char *name, enum rw_form form);
bool twin_run(struct twin *t, const void *packet, uint32_t len);
bool twin_maps_equal(struct twin *t);
uint64_t twin_count(const struct twin *t, uint32_t counter);
void twin_free(struct twin *t);

#endif /* TEST_TWIN_H */
