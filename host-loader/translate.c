// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a worker does with a program
 *
 *   structure, helpers          rw_check()
 *   translation                 rw_rewrite()
 *   handles become fds          translate_resolve()
 *   the kernel's verifier       translate_kernel()
 *
 * All that it needs is in a struct translate, since not every worker has the
 * daemon's memory (relaxed.c).
 *
 * There is an order of ways, each a form at a level. A way is tried only if the
 * one before it failed, in the kernel or because rw_rewrite() knows of none in
 * that form. Whatever refuses writes its reasons for the tenant; the sentence
 * that sums up comes last, since a log is cut at its front.
 */
#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kern.h"
#include "port.h"
#include "translate.h"

#define TRANSLATE_LOG_SIZE	(64u << 10)	/* of which the kernel keeps the tail */

/**
 * struct translate_way - a form at a level, in the order in which they are tried
 * @form: for the rewriter
 * @level: for the rewriter; what the kernel does depends on the worker's rights
 * @name: for people
 */
struct translate_way {
	enum rw_form form;
	enum rw_level level;
	const char *name;
};

/* For a worker without CAP_PERFMON */
static const struct translate_way translate_strict_ways[] = {
	{ RW_FORM_LITE, RW_LEVEL_STRICT, "form lite, level strict" },
	{ RW_FORM_SFI, RW_LEVEL_STRICT, "form sfi, level strict" },
};

/* For one with it */
static const struct translate_way translate_relaxed_ways[] = {
	{ RW_FORM_LITE, RW_LEVEL_RELAXED, "form lite, level relaxed" },
};

#define COUNT(array)		(sizeof(array) / sizeof(*(array)))
#define TRANSLATE_WAYS		(COUNT(translate_strict_ways) + COUNT(translate_relaxed_ways))
/* What the tenant gets of a log: room is left for each way and for sentences */
#define TRANSLATE_LOG_TAIL	(TEXT_MAX / (TRANSLATE_WAYS + 1))

/**
 * translate_alloc() - make room for what a program's maps are
 * @what: the program; to be given to translate_free() in any case
 * @map_cnt: their number
 *
 * Return: 0 or -ENOMEM
 */
int translate_alloc(struct translate *what, uint32_t map_cnt)
{
	what->maps = calloc(map_cnt + 1, sizeof(*what->maps));
	what->fds = calloc(map_cnt + 1, sizeof(*what->fds));
	what->in.maps = what->maps;
	what->in.map_cnt = 0;
	return what->maps && what->fds ? 0 : -ENOMEM;
}

/**
 * translate_free() - give the memory back that translate_alloc() got
 * @what: the program
 */
void translate_free(struct translate *what)
{
	free(what->maps);
	free(what->fds);
	what->maps = NULL;
	what->fds = NULL;
}

/**
 * translate_last_insn() - the instruction at which the verifier stopped
 * @log: its log; each instruction that it looks at begins a line with "N: "
 *
 * Return: the instruction's index, or -1
 */
long translate_last_insn(const char *log)
{
	long last = -1;

	while (log) {
		char *end;

		if (isdigit((unsigned char)*log)) {
			long n = strtol(log, &end, 10);

			if (*end == ':')
				last = n;
		}
		log = strchr(log, '\n');
		if (log)
			log++;
	}
	return last;
}

/**
 * translate_explain() - tell the tenant what the kernel's verifier said
 * @out: the program that was refused
 * @log: the verifier's log; its tail is passed on
 * @err: what the kernel returned
 * @text: added to
 */
static void translate_explain(const struct rw_out *out, const char *log, int err,
			      struct text *text)
{
	size_t len = strlen(log);
	long at = translate_last_insn(log);

	if (len > TRANSLATE_LOG_TAIL) {
		const char *line = strchr(log + len - TRANSLATE_LOG_TAIL, '\n');

		log = line ? line + 1 : log + len;
	}
	text_add(text, "%s", log);
	text_add(text, "the host's verifier refused the translated program (%s), whose"
		 " instruction numbers stand above\n", strerror(-err));
	if (at < 0 || (unsigned long)at >= out->cnt)
		return;
	if (out->origin[at] == UINT32_MAX)
		text_add(text, "it stopped at %ld, which the host added\n", at);
	else
		text_add(text, "it stopped at %ld, which stems from your instruction"
			 " %u\n", at, out->origin[at]);
}

/**
 * translate_kernel() - hand a translated program to the kernel
 * @name: the program's name
 * @out: the program, with fds
 * @level: at which this process can load it
 * @text: the kernel's reasons if it refuses
 *
 * The log is asked for only after a refusal: it costs more than the check. With
 * CAP_PERFMON there are addresses in it.
 *
 * Return: the fd, or a negative errno with @text
 */
static int translate_kernel(const char *name, const struct rw_out *out, enum rw_level level,
			    struct text *text)
{
	char *log;
	int fd, err;

	err = kern_prog_load(name, out->insns, out->cnt, NULL, 0);
	if (err >= 0)
		return err;
	log = calloc(1, TRANSLATE_LOG_SIZE);
	if (!log)
		return -ENOMEM;
	fd = kern_prog_load(name, out->insns, out->cnt, log, TRANSLATE_LOG_SIZE);
	if (level == RW_LEVEL_RELAXED)
		rw_taint_log(log);
	if (fd < 0)
		translate_explain(out, log, err, text);
	free(log);
	if (fd >= 0)
		return fd;
	return err == -ENOMEM ? err : -EACCES;
}

/**
 * translate_fd() - the fd that a handle in translated code stands for
 * @what: the program
 * @scratch: fd of its translation's scratch, or -1
 * @handle: a tenant's, or one of the rewriter's own
 *
 * Return: the fd, or a negative number
 */
static int translate_fd(const struct translate *what, int scratch, uint32_t handle)
{
	if (handle == RW_HANDLE_COUNTERS)
		return what->counters;
	if (handle == RW_HANDLE_SCRATCH)
		return scratch;
	for (uint32_t i = 0; i < what->in.map_cnt; i++)
		if (what->maps[i].handle == handle)
			return what->fds[i];
	return -EBADF;
}

/**
 * translate_resolve() - put fds in the place of handles
 * @what: the program
 * @scratch: fd of its translation's scratch, or -1
 * @out: its translation
 *
 * Return: 0, or -EIO if the rewriter named a map that the program does not have
 */
static int translate_resolve(const struct translate *what, int scratch, struct rw_out *out)
{
	for (uint32_t i = 0; i < out->cnt; i++) {
		int fd;

		if (!port_is_map_load(&out->insns[i]))
			continue;
		fd = translate_fd(what, scratch, (uint32_t)out->insns[i].imm);
		if (fd < 0)
			return -EIO;
		out->insns[i++].imm = fd;
	}
	return 0;
}

/**
 * translate_way() - translate a program in one way and load it
 * @what: the program
 * @way: the way
 * @walks_on: what kern_walks_on() says
 * @made: filled, but for its error
 * @fd: set to the program's
 * @text: reasons if that fails, or how the program was accepted
 *
 * Return: 0, or a negative errno with @text
 */
static int translate_way(const struct translate *what, const struct translate_way *way,
			 bool walks_on, struct worker_made *made, int *fd, struct text *text)
{
	const struct rw_opts opts = {
		.form = way->form,
		.target = RW_TARGET_SKB,
		.tap_ifindex = what->tap_ifindex,
		.window = what->window,
		.level = way->level,
		.walks_on = walks_on,
	};
	struct rw_out out = { 0 };
	int err, scratch = -1;

	err = rw_rewrite(&what->in, &opts, &out, text);
	if (err)
		return err;
	if (way->form == RW_FORM_SFI) {
		scratch = kern_scratch_create(RW_SCRATCH_SIZE(what->window));
		if (scratch < 0) {
			err = scratch;
			text_add(text, "virtio-bpf: the host cannot make the program's scratch\n");
			goto out;
		}
	}
	err = translate_resolve(what, scratch, &out);
	if (err) {
		text_add(text, "the translation names an unknown map\n");
		goto out;
	}
	*fd = translate_kernel(what->name, &out, way->level, text);
	err = *fd < 0 ? *fd : 0;
	if (err)
		goto out;
	made->insn_cnt = out.cnt;
	made->reach = out.reach;
	made->form = (uint8_t)way->form;
	text_add(text, "accepted: %s, %u instructions became %u", way->name, what->in.cnt,
		 out.cnt);
	if (out.reach != RW_REACH_ALL)
		text_add(text, ", which look at the first %u bytes of a packet", out.reach);
	text_add(text, "\n");
out:
	if (scratch >= 0)
		close(scratch);
	rw_out_free(&out);
	return err;
}

/**
 * translate_try() - check a program, translate it and load the translation
 * @what: the program
 * @way: the first way that is tried
 * @cnt: number of ways
 * @made: filled
 * @fd: set to the program's, or to a negative number
 * @text: empty; then the reasons, or how the program was accepted
 */
static void translate_try(const struct translate *what, const struct translate_way *way,
			  size_t cnt, struct worker_made *made, int *fd, struct text *text)
{
	int err = rw_check(&what->in, what->max_insns, text);
	bool walks_on;

	*fd = -1;
	made->err = err;
	if (err)
		return;
	walks_on = kern_walks_on();
	err = -EOPNOTSUPP;
	for (size_t i = 0; i < cnt && (err == -EOPNOTSUPP || err == -EACCES); i++) {
		struct text words = { 0 };

		err = translate_way(what, &way[i], walks_on, made, fd, &words);
		if (!err)
			text_free(text);
		if (words.len)
			text_add(text, "%s", words.buf);
		text_free(&words);
	}
	made->err = err;
}

/**
 * translate_strict() - check, translate and load a program, without CAP_PERFMON
 * @what: the program
 * @made: filled
 * @fd: set to the program's, or to a negative number
 * @text: empty; then the reasons, or how the program was accepted
 */
void translate_strict(const struct translate *what, struct worker_made *made, int *fd,
		      struct text *text)
{
	translate_try(what, translate_strict_ways, COUNT(translate_strict_ways), made, fd, text);
}

/**
 * translate_relaxed() - the same with CAP_PERFMON, after translate_strict() failed
 * @what: the program
 * @made: filled
 * @fd: set to the program's, or to a negative number
 * @text: empty; then the reasons, or how the program was accepted
 */
void translate_relaxed(const struct translate *what, struct worker_made *made, int *fd,
		       struct text *text)
{
	translate_try(what, translate_relaxed_ways, COUNT(translate_relaxed_ways), made, fd, text);
}
