// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of a program, for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rewriter/taint.h"
#include "disasm.h"
#include "job.h"

#define LEFT	46	/* columns of the listing's left side */
#define LINE	(DISASM_MAX + 32)	/* bytes of a line, its number included */
#define HELPERS	512	/* ids of helpers are below this */

/**
 * line() - one instruction with its number
 * @job: the job
 * @insns: a program
 * @cnt: number of its instructions
 * @at: index of the instruction
 * @buf: room for the text
 * @size: bytes of it
 */
static void line(const struct job *job, const struct bpf_insn *insns, uint32_t cnt, uint32_t at,
		 char *buf, size_t size)
{
	char text[DISASM_MAX];

	disasm(&insns[at], cnt - at, job_map, job, text, sizeof(text));
	snprintf(buf, size, "%5u: (%02x) %s", at, insns[at].code, text);
}

/**
 * sentence_insn() - the instruction that a sentence of the rewriter is about
 * @text: the sentence
 *
 * Return: its index, or RW_NONE
 */
static uint32_t sentence_insn(const struct text *text)
{
	uint32_t at;

	return text->buf && sscanf(text->buf, "instruction %u:", &at) == 1 ? at : RW_NONE;
}

/**
 * show_sentence() - print why something was not done
 * @job: the job
 * @head: words in front
 * @text: the sentence
 */
static void show_sentence(const struct job *job, const char *head, const struct text *text)
{
	uint32_t at = sentence_insn(text);
	struct text regs = { 0 };
	char buf[LINE];

	printf("  %-9s %s", head, text->buf ? text->buf : "it is not known why\n");
	if (at >= job->prog->cnt)
		return;
	line(job, job->prog->insns, job->prog->cnt, at, buf, sizeof(buf));
	explain_regs(job, at, &regs);
	printf("            %s%s%s\n", buf, regs.len ? "    where " : "", regs.len ? regs.buf : "");
	text_free(&regs);
}

/**
 * show_maps() - print a program's maps
 * @job: the job
 */
static void show_maps(const struct job *job)
{
	const char *sep = "";

	printf("  %-9s ", "maps");
	for (uint32_t i = 0; i < job->prog->map_cnt; i++) {
		const struct object_map *map = &job->prog->maps[i];

		if (!job_uses_map(job, i))
			continue;
		printf("%s%s", sep, map->name);
		sep = ", ";
	}
	printf("%s\n", *sep ? "" : "none");
}

/**
 * show_helpers() - print the helpers that a program calls
 * @job: the job
 */
static void show_helpers(const struct job *job)
{
	const char *sep = "";

	printf("  %-9s ", "helpers");
	for (uint32_t id = 0; id < HELPERS; id++) {
		const char *name = disasm_helper(id);

		if (!job_uses_helper(job, id))
			continue;
		printf("%s%s", sep, name ? name : "unknown");
		sep = ", ";
	}
	printf("%s\n", *sep ? "" : "none");
}

/**
 * is_relaxed() - is the program translated at level relaxed?
 * @job: the job
 *
 * Return: true if so
 */
static bool is_relaxed(const struct job *job)
{
	return job->opts.level == RW_LEVEL_RELAXED;
}

/**
 * show_job() - print the summary of a program
 * @job: the job
 */
void show_job(const struct job *job)
{
	const struct object_prog *prog = job->prog;

	if (job->err) {
		printf("%s: refused\n", prog->name);
		show_sentence(job, "why", &job->why);
		return;
	}
	printf("%s: form %s%s, %u instructions become %u (x%.2f)\n", prog->name, job_form(job),
	       is_relaxed(job) ? ", level relaxed" : "", prog->cnt, job->out.cnt,
	       (double)job->out.cnt / prog->cnt);
	if (!job->no_lite && !is_relaxed(job) && job->opts.form == RW_FORM_LITE)
		printf("            whether the host's kernel accepts form lite is only known when "
		       "it is loaded;\n            if it does not, form sfi is tried\n");
	if (job->out.reach == RW_REACH_ALL)
		printf("  %-9s the whole packet\n", "reach");
	else
		printf("  %-9s the packet's first %u bytes\n", "reach", job->out.reach);
	printf("  %-9s %u bytes\n", "stack", job_stack(job));
	show_maps(job);
	show_helpers(job);
	if (job->no_lite)
		show_sentence(job, "not lite", &job->lite);
}

/**
 * show_pair() - print one line of the listing
 * @job: the job
 * @left: index of an instruction of the tenant's, or RW_NONE
 * @right: index of one of the translation, or RW_NONE
 */
static void show_pair(const struct job *job, uint32_t left, uint32_t right)
{
	char a[LINE] = "", b[LINE] = "";

	if (left != RW_NONE)
		line(job, job->prog->insns, job->prog->cnt, left, a, sizeof(a));
	if (right != RW_NONE)
		line(job, job->out.insns, job->out.cnt, right, b, sizeof(b));
	if (right != RW_NONE)
		printf("%-*s |%s\n", LEFT, a, b);
	else
		printf("%-*s |      -\n", LEFT, a);
}

/**
 * show_listing() - print a program and its translation, side by side
 * @job: the job, translated
 *
 * Each of the tenant's instructions stands at the left of the first one that it
 * became; one that became none has a dash at its right. What has nothing at its
 * left belongs to the one above or, behind a line that says so, to the host.
 */
void show_listing(const struct job *job)
{
	const struct rw_out *out = &job->out;
	uint32_t next = 0, last = RW_NONE;
	bool own = false;

	for (uint32_t i = 0; i < out->cnt; i += rw_len(&out->insns[i])) {
		uint32_t origin = out->origin[i];

		if (origin == RW_NONE) {
			if (!own)
				printf("%-*s |      added by the host:\n", LEFT, "");
			own = true;
			show_pair(job, RW_NONE, i);
			continue;
		}
		own = false;
		while (next < origin) {
			show_pair(job, next, RW_NONE);
			next += rw_len(&job->prog->insns[next]);
		}
		show_pair(job, origin == last ? RW_NONE : origin, i);
		last = origin;
		if (next == origin)
			next += rw_len(&job->prog->insns[next]);
	}
	while (next < job->prog->cnt) {
		show_pair(job, next, RW_NONE);
		next += rw_len(&job->prog->insns[next]);
	}
}

/**
 * show_explain() - print why instructions are not copied as they are
 * @job: the job, translated
 */
void show_explain(const struct job *job)
{
	uint32_t copied = 0, total = 0;

	for (uint32_t i = 0; i < job->prog->cnt; i += rw_len(&job->prog->insns[i])) {
		struct text words = { 0 }, regs = { 0 };
		char buf[LINE];
		uint32_t first, cnt;

		total++;
		if (explain_copied(job, i)) {
			copied++;
			continue;
		}
		cnt = job_group(job, i, &first);
		line(job, job->prog->insns, job->prog->cnt, i, buf, sizeof(buf));
		explain_insn(job, i, &words);
		explain_regs(job, i, &regs);
		printf("%-*s becomes %u\n            %s%s%s%s\n", LEFT, buf, cnt,
		       words.len ? words.buf : "", regs.len ? " (" : "", regs.len ? regs.buf : "",
		       regs.len ? ")" : "");
		text_free(&words);
		text_free(&regs);
	}
	printf("%u of %u instructions are copied as they are\n", copied, total);
}

/**
 * show_taint() - print all that level relaxed has against a program
 * @job: the job, refused; nothing of one that was refused before that was looked at
 */
void show_taint(const struct job *job)
{
	if (!is_relaxed(job) || !job->analysed)
		return;
	for (uint32_t i = 0; i < job->prog->cnt; i += rw_len(&job->prog->insns[i])) {
		struct text why = { 0 };

		if (rw_taint_insn(&job->code, &job->an, i, &why))
			show_sentence(job, "leaks", &why);
		text_free(&why);
	}
}
