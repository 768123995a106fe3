// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all forms do alike: control flow, and loads from the context.
 */
#include <errno.h>
#include <stddef.h>

#include "gen.h"
#include "refuse.h"

/**
 * rw_gen_is_ctx() - does a register surely hold the context?
 * @v: what is known of it
 *
 * Return: true if so
 */
bool rw_gen_is_ctx(const struct rw_val *v)
{
	return rw_val_is(v, RW_CTX) && v->known && !v->off;
}

/**
 * rw_gen_has_loop() - has a function a loop?
 * @g: the translation
 * @func: the function
 *
 * Return: true if so
 */
bool rw_gen_has_loop(const struct rw_gen *g, const struct rw_func *func)
{
	for (uint32_t i = func->start; i < func->end; i++)
		if (g->an->at[i].seen && (g->code->flags[i] & RW_I_HEAD))
			return true;
	return false;
}

/**
 * rw_gen_wants_limit() - does an instruction need a may_goto in front?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if it is a loop's head, and no barrier there will do for the host's
 *         verifier
 */
bool rw_gen_wants_limit(const struct rw_gen *g, uint32_t at)
{
	return g->opts->walks_on && g->opts->level == RW_LEVEL_STRICT &&
	       (g->code->flags[at] & RW_I_HEAD) && g->code->insns[at].code != RW_MAY_GOTO;
}

/**
 * rw_gen_fetches() - does an instruction fetch from a stack by an atomic operation?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if so, on some path
 */
bool rw_gen_fetches(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	return rw_is_atomic(insn) && (insn->imm & BPF_FETCH) &&
	       (g->an->at[at].reg[insn->dst_reg].kinds & RW_STACK);
}

/**
 * rw_gen_check_ctx() - check a load that may be one from the context
 * @g: the translation
 * @at: index of the load
 *
 * Return: 0; -EOPNOTSUPP if it is one on some paths only, -EINVAL if it is no
 *         load of a field
 */
int rw_gen_check_ctx(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *ptr = &g->an->at[at].reg[insn->src_reg];

	if (!rw_gen_is_ctx(ptr))
		return CANNOT(g, at, "loads through r%u, which is the context on some paths and "
			      "something else on others", insn->src_reg);
	if (insn->code != (BPF_LDX | BPF_MEM | BPF_W))
		return rw_refuse(g->why, -EINVAL, at, "a context field is loaded by 4 bytes");
	return 0;
}

/**
 * rw_gen_max_verdict() - the greatest verdict that a program can return
 * @g: the translation
 *
 * Return: it, as 32 bits
 */
uint32_t rw_gen_max_verdict(const struct rw_gen *g)
{
	uint32_t max = 0;

	for (uint32_t i = 0; i < g->code->funcs[0].end; i++) {
		const struct rw_val *v = &g->an->at[i].reg[BPF_REG_0];

		if (!g->an->at[i].seen || g->code->insns[i].code != RW_EXIT)
			continue;
		if (v->kinds != RW_SCALAR ||
		    (v->limits.max > UINT32_MAX && !v->known))
			return UINT32_MAX;
		if ((uint32_t)v->limits.max > max)
			max = (uint32_t)v->limits.max;
	}
	return max;
}

/**
 * gen_exit() - exits: those of the entry function return a verdict
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EPERM
 */
static int gen_exit(struct rw_gen *g, uint32_t at)
{
	if (rw_func_at(g->code, at)) {
		rw_emit_insn(&g->edit, &g->code->insns[at]);
		return 0;
	}
	if (rw_val_redirects(&g->an->at[at].reg[BPF_REG_0]))
		return rw_refuse(g->why, -EPERM, at, "returns XDP_REDIRECT, which is not offered: "
				 "a tenant must not choose the host's devices");
	rw_emit_goto(&g->edit, g->epilogue);
	return 0;
}

/**
 * rw_gen_jump() - jumps, exits and calls of the program's own functions
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: 0, -EPERM or -EINVAL
 */
int rw_gen_jump(struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_fact *fact = &g->an->at[at];
	uint32_t to = (uint32_t)rw_target(insn, at);

	if (insn->code == RW_EXIT)
		return gen_exit(g, at);
	if (rw_is_subcall(insn)) {
		if (!g->an->at[at + 1].seen)
			return rw_refuse(g->why, -EINVAL, at,
					 "calls a function that never returns");
		rw_emit_jump(&g->edit, insn, rw_edit_func(&g->edit, rw_func_at(g->code, to)));
	} else if (rw_is_ja(insn) || (fact->jumps && !fact->goes_on)) {
		rw_emit_goto(&g->edit, to);
	} else if (fact->jumps) {
		rw_emit_jump(&g->edit, insn, to);
	}
	return 0;
}
