// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The way of a program through the rewriter
 *
 * check (each instruction) → decode (functions, jumps, loops) → twice (lookups that
 * find the same) → analysis (what the instructions work on) → reach (how much of a
 * packet matters) → at level relaxed: taint (what would get out) → form (how packet
 * access is done) → target (what kind of program comes out) → edit (the new program,
 * labels resolved).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "gen.h"
#include "live.h"
#include "reach.h"
#include "refuse.h"
#include "taint.h"
#include "twice.h"
#include "virtio_bpf.h"

/**
 * generate() - translate an analysed program
 * @g: the translation, its output not begun
 * @out: result; free with rw_out_free() after success
 *
 * Return: 0 or a negative errno
 */
static int generate(struct rw_gen *g, struct rw_out *out)
{
	int err;

	err = rw_edit_init(&g->edit, g->code);
	g->live = calloc(g->code->cnt, sizeof(*g->live));
	if (!err && !g->live)
		err = -ENOMEM;
	if (!err) {
		rw_liveness(g->code, g->live);
		g->epilogue = rw_edit_label(&g->edit);
		err = g->opts->form == RW_FORM_LITE ? rw_form_lite(g) : rw_form_sfi(g);
	}
	if (!err)
		err = rw_edit_finish(&g->edit, out, g->why);
	free(g->live);
	rw_edit_free(&g->edit);
	return err;
}

/**
 * rw_rewrite() - translate a tenant's XDP program for the host
 * @prog: the program; one that would not pass rw_check() is refused
 * @opts: what to make of it
 * @out: result; free with rw_out_free() after success
 * @why: for one sentence if it is refused; may be NULL
 *
 * Return: 0; -EINVAL for a program that is wrong; -EPERM for one that does what
 *         is not allowed; -EOPNOTSUPP for one that this form cannot do, but
 *         another may; -E2BIG for one that is too long or too complex; -ENOMEM
 */
int rw_rewrite(const struct rw_prog *prog, const struct rw_opts *opts, struct rw_out *out,
	       struct text *why)
{
	struct rw_analysis an;
	struct bpf_insn *insns;
	struct rw_code code;
	struct rw_gen g = {
		.prog = prog, .opts = opts, .code = &code, .an = &an, .fault = RW_NONE,
		.why = why,
	};
	int err;

	memset(out, 0, sizeof(*out));
	if (opts->form != RW_FORM_LITE && opts->form != RW_FORM_SFI)
		return rw_refuse(why, -EOPNOTSUPP, RW_NONE, "there is no form %d", opts->form);
	if (opts->target != RW_TARGET_SKB)
		return rw_refuse(why, -EOPNOTSUPP, RW_NONE, "there is no target %d", opts->target);
	if (opts->form == RW_FORM_SFI &&
	    (opts->window < RW_WINDOW_MIN || opts->window > RW_WINDOW_MAX))
		return rw_refuse(why, -EOPNOTSUPP, RW_NONE, "form sfi takes packets of %d to %d "
				 "bytes, not %u", RW_WINDOW_MIN, RW_WINDOW_MAX, opts->window);
	if (opts->level != RW_LEVEL_STRICT && opts->level != RW_LEVEL_RELAXED)
		return rw_refuse(why, -EOPNOTSUPP, RW_NONE, "there is no level %d", opts->level);
	if (opts->level == RW_LEVEL_RELAXED && opts->form != RW_FORM_LITE)
		return rw_refuse(why, -EOPNOTSUPP, RW_NONE, "at level relaxed there is form lite "
				 "alone");
	g.target = &rw_target_skb;
	err = rw_check_insns(prog, VIRTIO_BPF_MAX_INSNS, why);
	if (err)
		return err;
	err = rw_decode(prog, &code, why);
	if (err)
		return err;
	err = rw_twice(&code, &insns);
	if (!err)
		err = rw_analyse(prog, &code, opts->level, &an, why);
	if (!err) {
		g.reach = rw_reach(prog, &code, &an);
		if (opts->level == RW_LEVEL_RELAXED)
			err = rw_taint(&code, &an, why);
		if (!err)
			err = generate(&g, out);
		out->reach = g.reach;
		rw_analysis_free(&an);
	}
	rw_code_free(&code);
	free(insns);
	return err;
}

/**
 * rw_out_free() - give a rewritten program's memory back
 * @out: the program; may be empty
 */
void rw_out_free(struct rw_out *out)
{
	free(out->insns);
	free(out->origin);
	memset(out, 0, sizeof(*out));
}
