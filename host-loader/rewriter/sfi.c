// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: the tenant works on a copy of the packet
 *
 * What the host's verifier does not take of a packet pointer without
 * CAP_PERFMON (a register added to it, a difference, helpers that move the
 * packet's start) it takes of numbers. So the packet is copied into a scratch,
 * a per-CPU map value, when the program is entered; pointers into it become
 * numbers, and only an access makes a pointer of such a number, after a check
 * (sfi_access.c). If the packet was changed and goes on, it is written back in
 * the epilogue (sfi_own.c).
 *
 * A program's own functions look the scratch up for themselves. One that gives
 * up notes that in the scratch and returns, and its callers look there after
 * each call. Where the tenant reads stack that it never wrote, the stack is
 * zeroed first.
 *
 * The scratch is guarded by a flag in its header: a program that comes to run
 * inside itself on one CPU drops its packet and touches nothing.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sfi.h"

/**
 * sfi_jump() - emit a conditional jump to a label
 * @s: the translation
 * @code: opcode
 * @dst: register that is compared
 * @src: with this register, or
 * @imm: with this number
 * @label: where it goes
 */
void sfi_jump(struct sfi *s, uint8_t code, uint8_t dst, uint8_t src, int32_t imm, uint32_t label)
{
	const struct bpf_insn insn = {
		.code = code, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .imm = imm,
	};

	rw_emit_jump(&s->g->edit, &insn, label);
}

/**
 * sfi_fault() - emit a conditional jump to the function's fault path
 * @s: the translation
 * @code: opcode
 * @dst: register that is compared
 * @src: with this register, or
 * @imm: with this number
 */
void sfi_fault(struct sfi *s, uint8_t code, uint8_t dst, uint8_t src, int32_t imm)
{
	if (s->held) {
		if (s->unlock == RW_NONE)
			s->unlock = rw_edit_label(&s->g->edit);
		sfi_jump(s, code, dst, src, imm, s->unlock);
		return;
	}
	s->faults = true;
	sfi_jump(s, code, dst, src, imm, s->fault);
}

/**
 * sfi_scratch() - emit the load of the pointer to the scratch
 * @s: the translation
 * @dst: register that gets it
 */
void sfi_scratch(struct sfi *s, uint8_t dst)
{
	if (s->scratch_reg)
		rw_emit(&s->g->edit, MOV_X, dst, s->scratch_reg, 0, 0);
	else
		rw_emit(&s->g->edit, LDDW, dst, BPF_REG_10, s->scratch_slot, 0);
}

/**
 * sfi_base() - have the pointer to the scratch in a register, to be read only
 * @s: the translation
 * @spare: register that gets it if it is in none
 *
 * Return: the register
 */
uint8_t sfi_base(struct sfi *s, uint8_t spare)
{
	if (s->scratch_reg)
		return s->scratch_reg;
	sfi_scratch(s, spare);
	return spare;
}

/**
 * sfi_header() - emit the load of a number in the scratch's header
 * @s: the translation
 * @dst: register that gets it
 * @field: SFI_H_*
 */
void sfi_header(struct sfi *s, uint8_t dst, int16_t field)
{
	rw_emit(&s->g->edit, LDDW, dst, sfi_base(s, dst), field, 0);
}

/**
 * sfi_start() - emit the load of the packet's start
 * @s: the translation
 * @dst: register that gets it
 */
void sfi_start(struct sfi *s, uint8_t dst)
{
	if (s->moves) {
		sfi_header(s, dst, SFI_H_DATA);
	} else if (s->varies) {
		sfi_header(s, dst, SFI_H_ZERO);
		rw_emit(&s->g->edit, ADD_K, dst, 0, 0, SFI_DATA);
	} else {
		rw_emit(&s->g->edit, MOV_K, dst, 0, 0, SFI_DATA);
	}
}

/**
 * uses() - does a function of the program need the scratch?
 * @s: the translation
 * @func: index of the function
 *
 * Return: true if so
 */
static bool uses(const struct sfi *s, uint32_t func)
{
	return s->uses[func / 8] >> func % 8 & 1;
}

/**
 * insn_uses() - does an instruction need the scratch?
 * @s: the translation; functions that are known to need it are marked
 * @at: index of the instruction
 *
 * Return: true if so
 */
static bool insn_uses(const struct sfi *s, uint32_t at)
{
	const struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	int32_t limit;

	if (rw_gen_wants_limit(g, at))
		return true;
	if (rw_is_subcall(insn))
		return uses(s, rw_func_at(g->code, (uint32_t)rw_target(insn, at)));
	if (insn->code == RW_CALL)
		return sfi_helper_uses(g, at) || sfi_uses_frame(s, at);
	if (BPF_CLASS(insn->code) == BPF_LDX && (g->an->at[at].reg[insn->src_reg].kinds & RW_CTX))
		return true;
	return sfi_touches(g, at) || sfi_moves_value(g, at, &limit) || sfi_uses_frame(s, at) ||
	       rw_gen_fetches(g, at);
}

/**
 * survey() - note what an instruction does with the packet
 * @s: the translation
 * @at: index of the instruction
 */
static void survey(struct sfi *s, uint32_t at)
{
	const struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	bool helper = insn->code == RW_CALL && !insn->src_reg;

	s->limits |= rw_gen_wants_limit(g, at);
	s->moves |= rw_moves_packet(insn);
	s->writes |= rw_moves_packet(insn) || sfi_stores(g, at);
	s->copies |= sfi_helper_copies(insn);
	s->metas |= helper && insn->imm == BPF_FUNC_xdp_adjust_meta;
	if (helper)
		sfi_survey_helper(s, at);
	if (sfi_touches(g, at))
		sfi_survey_access(s, at);
	if (BPF_CLASS(insn->code) == BPF_LDX && (g->an->at[at].reg[insn->src_reg].kinds & RW_CTX))
		s->metas |= insn->off == offsetof(struct xdp_md, data_meta);
}

/**
 * find_uses() - find the functions that need the scratch, and what they do there
 * @s: the translation
 */
static void find_uses(struct sfi *s)
{
	const struct rw_gen *g = s->g;
	bool grew = true;

	for (uint32_t i = 0; i < g->code->cnt; i++)
		if (g->an->at[i].seen)
			survey(s, i);
	while (grew) {
		grew = false;
		for (uint32_t i = 0; i < g->code->cnt; i++) {
			uint32_t func = rw_func_at(g->code, i);

			if (!g->an->at[i].seen || uses(s, func) || !insn_uses(s, i))
				continue;
			s->uses[func / 8] |= (uint8_t)(1u << func % 8);
			grew = true;
		}
	}
}

/**
 * wants_zero() - must a function's stack be zeroed?
 * @s: the translation
 * @func: index of the function
 *
 * Beside stack that is read before it is written there are the buffers of
 * xdp_load_bytes: if it fails it leaves them alone, which the verifier of the
 * helper in its place does not expect.
 *
 * Return: true if so
 */
static bool wants_zero(const struct sfi *s, uint32_t func)
{
	const struct rw_gen *g = s->g;

	if (g->an->unwritten[func])
		return true;
	for (uint32_t i = 0; g->an->stack[func] && i < g->code->cnt; i++)
		if (g->an->at[i].seen && sfi_helper_copies(&g->code->insns[i]))
			return true;
	return false;
}

/**
 * emit_zero() - emit how a function's stack is zeroed
 * @s: the translation
 */
static void emit_zero(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	int16_t low = (int16_t)-((s->g->an->stack[s->func] + 7) & ~7);

	if (!wants_zero(s, s->func))
		return;
	for (int16_t at = low; at < 0; at = (int16_t)(at + 8))
		rw_emit(e, STDW_K, BPF_REG_10, 0, at, 0);
}

/**
 * emit_lookup() - emit how the scratch is looked up; r0 is the result
 * @s: the translation
 *
 * r1 to r5 are lost.
 */
static void emit_lookup(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, STW_K, BPF_REG_10, 0, s->spill_slot[0], 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_10, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_2, 0, 0, s->spill_slot[0]);
	rw_emit_map(e, BPF_REG_1, RW_HANDLE_SCRATCH);
	rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
}

/**
 * keep_scratch() - emit how the scratch is kept where the function has it
 * @s: the translation
 * @src: register that holds it
 */
static void keep_scratch(struct sfi *s, uint8_t src)
{
	if (s->scratch_reg)
		rw_emit(&s->g->edit, MOV_X, s->scratch_reg, src, 0, 0);
	else
		rw_emit(&s->g->edit, STDW, BPF_REG_10, src, s->scratch_slot, 0);
}

/**
 * emit_header() - emit what the scratch's header starts with
 * @s: the translation
 *
 * r0 is the scratch and r4 the packet's length; r2 is lost.
 */
static void emit_header(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_BUSY, SFI_CLEAN);
	if (s->limits)
		rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_LEFT, SFI_WORK);
	if (s->moves) {
		rw_emit(e, MOV_K, BPF_REG_2, 0, 0, SFI_DATA);
		rw_emit(e, STDW, BPF_REG_0, BPF_REG_2, SFI_H_DATA, 0);
		rw_emit(e, STDW, BPF_REG_0, BPF_REG_2, SFI_H_LOW, 0);
		if (s->metas)
			rw_emit(e, STDW, BPF_REG_0, BPF_REG_2, SFI_H_META, 0);
	}
	if (s->moves || s->varies || s->checks) {
		rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_4, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_2, 0, 0, SFI_DATA);
		rw_emit(e, STDW, BPF_REG_0, BPF_REG_2, SFI_H_END, 0);
	}
	if ((s->writes && s->copies) || s->g->code->func_cnt > 1)
		rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_FAULT, 0);
}

/**
 * emit_copy() - emit how the packet is copied, as far as the program looks at it
 * @s: the translation
 *
 * r0 is the scratch, r1 the context, r4 the packet's length. r0 to r5 are lost.
 */
static void emit_copy(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	sfi_fault(s, JMP_K(BPF_JLT), BPF_REG_4, 0, 1);
	rw_emit(e, JMP_K(BPF_JLE), BPF_REG_4, 0, 1, s->limit - RW_HEADROOM);
	rw_emit(e, MOV_K, BPF_REG_4, 0, 0, s->limit - RW_HEADROOM);
	rw_emit(e, MOV_K, BPF_REG_2, 0, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_3, BPF_REG_0, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET + RW_HEADROOM);
	rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	sfi_fault(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0);
}

/**
 * begin_entry() - emit the entry function's prologue: the packet is copied
 * @s: the translation
 * @lost: label for when there is no scratch to be had: it is a fault, which r6 says
 */
static void begin_entry(struct sfi *s, uint32_t lost)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t ctx = s->scratch_reg == BPF_REG_7 ? BPF_REG_8 : BPF_REG_7;

	emit_zero(s);
	if (!uses(s, 0))
		return;
	rw_emit(e, MOV_X, ctx, BPF_REG_1, 0, 0);
	if (s->ctx_slot)
		rw_emit(e, STDW, BPF_REG_10, BPF_REG_1, s->ctx_slot, 0);
	emit_lookup(s);
	rw_emit(e, MOV_K, BPF_REG_6, 0, 0, s->g->target->fault);
	sfi_jump(s, JMP_K(BPF_JEQ), BPF_REG_0, 0, 0, lost);
	rw_emit(e, LDDW, BPF_REG_1, BPF_REG_0, SFI_H_BUSY, 0);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_1, 0, 0, lost);
	keep_scratch(s, BPF_REG_0);
	rw_emit(e, MOV_X, BPF_REG_1, ctx, 0, 0);
	if (s->limit > RW_HEADROOM || s->moves || s->varies || s->checks)
		s->g->target->len(s->g, BPF_REG_4, BPF_REG_1);
	emit_header(s);
	if (s->limit == RW_HEADROOM)
		return;
	emit_copy(s);
	rw_emit(e, MOV_X, BPF_REG_1, ctx, 0, 0);
}

/**
 * spare_arg() - the register in which a function is handed the scratch
 * @s: the translation
 * @func: index of the function
 *
 * Return: one that is no argument of it, or 0 if it looks the scratch up itself
 */
static uint8_t spare_arg(const struct sfi *s, uint32_t func)
{
	uint16_t live = s->g->live[s->g->code->funcs[func].start];
	uint8_t reg = BPF_REG_5;

	while (reg && live >> reg & 1)
		reg--;
	return reg;
}

/**
 * begin_inner() - emit the prologue of another function
 * @s: the translation
 *
 * It is handed the scratch in a register that is no argument. If there is none,
 * it looks it up: four of its arguments wait in the registers that a function
 * keeps for its caller, the fifth in a slot.
 */
static void begin_inner(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t arg = spare_arg(s, s->func);

	emit_zero(s);
	if (!uses(s, s->func))
		return;
	if (arg) {
		keep_scratch(s, arg);
		return;
	}
	for (int r = BPF_REG_1; r <= BPF_REG_4; r++)
		rw_emit(e, MOV_X, r + 5, r, 0, 0);
	rw_emit(e, STDW, BPF_REG_10, BPF_REG_5, s->spill_slot[1], 0);
	emit_lookup(s);
	rw_emit(e, JMP_K(BPF_JNE), BPF_REG_0, 0, 1, 0);
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
	for (int r = BPF_REG_1; r <= BPF_REG_4; r++)
		rw_emit(e, MOV_X, r, r + 5, 0, 0);
	rw_emit(e, LDDW, BPF_REG_5, BPF_REG_10, s->spill_slot[1], 0);
	keep_scratch(s, BPF_REG_0);
}

/**
 * free_reg() - a register that a function does not use, but keeps for its caller
 * @g: the translation
 * @func: the function
 *
 * Return: it, or 0 if there is none
 */
static uint8_t free_reg(const struct rw_gen *g, const struct rw_func *func)
{
	uint16_t used = 0;

	for (uint32_t i = func->start; i < func->end; i++)
		used |= (uint16_t)(1u << g->code->insns[i].dst_reg |
				   1u << g->code->insns[i].src_reg);
	/* r6 is needed at the end. */
	for (uint8_t r = BPF_REG_9; r > BPF_REG_6; r--)
		if (!(used & 1u << r))
			return r;
	return 0;
}

/**
 * lay_out() - lay out a function's own slots
 * @s: the translation
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int lay_out(struct sfi *s)
{
	struct rw_gen *g = s->g;
	const struct rw_func *func = &g->code->funcs[s->func];
	int below = -((g->an->stack[s->func] + 7) & ~7);

	s->scratch_reg = uses(s, s->func) ? free_reg(g, func) : 0;
	s->scratch_slot = 0;
	s->ctx_slot = 0;
	s->loop_slot = 0;
	s->lock_slot = 0;
	if (uses(s, s->func)) {
		if (!s->scratch_reg)
			s->scratch_slot = (int16_t)(below -= 8);
		s->spill_slot[0] = (int16_t)(below -= 8);
		s->spill_slot[1] = (int16_t)(below -= 8);
	}
	if (!s->func) {
		/* The epilogue counts the verdict when it has no other use for it. */
		g->target_slot = uses(s, 0) ? s->spill_slot[1] : (int16_t)(below -= 8);
		if (s->writes)
			s->ctx_slot = (int16_t)(below -= 8);
	}
	for (int i = 0; i < RW_SLOTS; i++)
		if (s->split[s->func] >> i & 1)
			s->apart[i] = (int16_t)(below -= 8);
	if (rw_gen_has_loop(g, func))
		s->loop_slot = (int16_t)(below -= 8);
	if (sfi_locks(s, func))
		s->lock_slot = (int16_t)(below -= 8);
	if (below < -RW_STACK_MAX)
		return CANNOT(g, func->start, "the function uses %u bytes of stack, and its "
			      "translation needs %d, which is over the limit of %d",
			      g->an->stack[s->func], -below, RW_STACK_MAX);
	return 0;
}

/**
 * emit_leave() - emit how the packet is written back where it goes on
 * @s: the translation; r6 is the verdict's counter
 *
 * If that fails it is a fault, which r6 says then. No jump goes back to where
 * other faults come out: kernels before 6.17 walk mispredicted branches without
 * end there.
 */
static void emit_leave(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t stays = rw_edit_label(e), failed = rw_edit_label(e);
	uint8_t base;

	sfi_header(s, BPF_REG_0, SFI_H_BUSY);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, SFI_DIRTY, stays);
	sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_6, 0, XDP_PASS, stays);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_6, 0, XDP_TX, stays);
	rw_emit(e, STDW, BPF_REG_10, BPF_REG_6, s->spill_slot[0], 0);
	base = sfi_base(s, BPF_REG_7);
	rw_emit(e, LDDW, BPF_REG_6, BPF_REG_10, s->ctx_slot, 0);
	sfi_write_back(s, base, failed);
	rw_emit(e, LDDW, BPF_REG_6, BPF_REG_10, s->spill_slot[0], 0);
	rw_emit_goto(e, stays);
	rw_edit_place(e, failed);
	rw_emit(e, MOV_K, BPF_REG_6, 0, 0, s->g->target->fault);
	rw_edit_place(e, stays);
}

/**
 * end_entry() - emit the entry function's epilogue: the one way out
 * @s: the translation
 * @lost: label for when there is no scratch to be had
 *
 * A fault comes out of the target's half of it as one more verdict.
 */
static void end_entry(struct sfi *s, uint32_t lost)
{
	struct rw_gen *g = s->g;
	struct rw_edit *e = &g->edit;

	g->fault = s->faults ? s->fault : RW_NONE;
	rw_edit_own(e);
	rw_edit_place(e, g->epilogue);
	g->target->verdict(g);
	if (s->writes)
		emit_leave(s);
	if (uses(s, 0)) {
		rw_emit(e, STDW_K, sfi_base(s, BPF_REG_1), 0, SFI_H_BUSY, 0);
		rw_edit_place(e, lost);
	}
	g->target->finish(g);
}

/**
 * end_inner() - emit another function's fault path
 * @s: the translation
 */
static void end_inner(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	if (!s->faults)
		return;
	rw_edit_own(e);
	rw_edit_place(e, s->fault);
	rw_emit(e, STDW_K, sfi_base(s, BPF_REG_1), 0, SFI_H_FAULT, 1);
	rw_emit(e, MOV_K, BPF_REG_0, 0, 0, 0);
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
}

/**
 * load_ctx() - a load from the context
 * @s: the translation
 * @at: index of the load
 *
 * Return: 0 or a negative errno
 */
static int load_ctx(struct sfi *s, uint32_t at)
{
	struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	int err = rw_gen_check_ctx(g, at);

	if (err)
		return err;
	switch (insn->off) {
	case offsetof(struct xdp_md, data):
		sfi_start(s, insn->dst_reg);
		return 0;
	case offsetof(struct xdp_md, data_end):
		if (s->moves || s->varies) {
			sfi_header(s, insn->dst_reg, SFI_H_END);
			return 0;
		}
		g->target->len(g, insn->dst_reg, insn->src_reg);
		rw_emit(&g->edit, ADD_K, insn->dst_reg, 0, 0, SFI_DATA);
		return 0;
	case offsetof(struct xdp_md, data_meta):
		if (s->moves)
			sfi_header(s, insn->dst_reg, SFI_H_META);
		else
			sfi_start(s, insn->dst_reg);
		return 0;
	default:
		return g->target->ctx_load(g, at);
	}
}

/**
 * sfi_memory() - loads, stores and atomic operations
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or a negative errno
 */
static int sfi_memory(struct sfi *s, uint32_t at)
{
	struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *reg = g->an->at[at].reg;
	bool load = BPF_CLASS(insn->code) == BPF_LDX;
	int err = 0;

	if ((reg[load ? insn->src_reg : insn->dst_reg].kinds & RW_STACK) && sfi_spill(s, at))
		return 0;
	if (s->frames && (reg[load ? insn->src_reg : insn->dst_reg].kinds & RW_STACK))
		return sfi_stack_access(s, at);
	if (sfi_touches(g, at))
		return load ? sfi_load(s, at) : sfi_store(s, at);
	if (load && (reg[insn->src_reg].kinds & RW_CTX))
		return load_ctx(s, at);
	if (!load && (reg[insn->dst_reg].kinds & RW_CTX))
		return rw_refuse(g->why, -EINVAL, at, "stores to the context, which is read-only");
	if (!load && (reg[insn->dst_reg].kinds & RW_STACK))
		err = sfi_clear(s, at, insn->dst_reg, &reg[insn->dst_reg]);
	if (!err && rw_gen_fetches(g, at))
		return sfi_fetch(s, at, insn->dst_reg, insn->off);
	if (!err)
		rw_emit_insn(&g->edit, insn);
	return err;
}

/**
 * moves_by_constant() - a map value's pointer plus a register that holds a constant
 * @s: the translation
 * @at: index of the instruction
 *
 * The host's verifier need not know that it is one, or not on all paths.
 *
 * Return: true if it is that, and has been emitted
 */
static bool moves_by_constant(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_val *dst = &s->g->an->at[at].reg[insn->dst_reg];
	const struct rw_val *src = &s->g->an->at[at].reg[insn->src_reg];
	bool swapped = dst->kinds == RW_SCALAR;
	const struct rw_val *ptr = swapped ? src : dst, *by = swapped ? dst : src;

	if (insn->code != ADD_X || !rw_val_is(ptr, RW_VALUE) || by->kinds != RW_SCALAR ||
	    !by->known || by->off < -RW_OFF_MAX || by->off > RW_OFF_MAX)
		return false;
	if (swapped)
		rw_emit(&s->g->edit, MOV_X, insn->dst_reg, insn->src_reg, 0, 0);
	rw_emit(&s->g->edit, ADD_K, insn->dst_reg, 0, 0, (int32_t)by->off);
	return true;
}

/**
 * sfi_alu() - arithmetic and loads of constants
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int sfi_alu(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	int32_t limit;

	if (s->frames && BPF_CLASS(insn->code) != BPF_LD && BPF_SRC(insn->code) == BPF_X &&
	    insn->src_reg == BPF_REG_10)
		return sfi_stack_alu(s, at);
	if (sfi_moves_value(s->g, at, &limit))
		sfi_move_value(s, at, limit);
	else if (!moves_by_constant(s, at))
		rw_emit_insn(&s->g->edit, insn);
	return 0;
}

/**
 * sfi_jmp() - jumps, calls and exits
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or a negative errno
 */
static int sfi_jmp(struct sfi *s, uint32_t at)
{
	struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	uint8_t arg;
	int err;

	if (insn->code == RW_CALL && !rw_is_subcall(insn))
		return sfi_helper(s, at);
	if (s->frames && rw_is_cond(insn) &&
	    (insn->dst_reg == BPF_REG_10 ||
	     (BPF_SRC(insn->code) == BPF_X && insn->src_reg == BPF_REG_10)))
		return CANNOT(g, at, "compares r10, whose stack is used at an offset that is not "
			      "constant");
	if (insn->code == RW_MAY_GOTO && uses(s, s->func))
		sfi_forget(s, at);
	if (!rw_is_subcall(insn) || !insn_uses(s, at))
		return rw_gen_jump(g, at);
	arg = spare_arg(s, rw_func_at(g->code, (uint32_t)rw_target(insn, at)));
	if (arg)
		sfi_scratch(s, arg);
	err = rw_gen_jump(g, at);
	if (err)
		return err;
	sfi_header(s, BPF_REG_1, SFI_H_FAULT);
	sfi_fault(s, JMP_K(BPF_JNE), BPF_REG_1, 0, 0);
	return 0;
}

/**
 * sfi_insn() - one instruction
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or a negative errno
 */
static int sfi_insn(struct sfi *s, uint32_t at)
{
	struct rw_gen *g = s->g;

	rw_edit_at(&g->edit, at);
	if ((g->code->flags[at] & RW_I_TARGET) || (at && g->code->insns[at - 1].code == RW_CALL))
		s->marked = false;
	if (g->code->flags[at] & RW_I_HEAD)
		sfi_head(s, at);
	sfi_lock(s, at);
	switch (BPF_CLASS(g->code->insns[at].code)) {
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return sfi_memory(s, at);
	case BPF_JMP:
	case BPF_JMP32:
		return sfi_jmp(s, at);
	default:
		return sfi_alu(s, at);
	}
}

/**
 * sfi_func() - one function
 * @s: the translation; its func is the function's index
 *
 * Return: 0 or a negative errno
 */
static int sfi_func(struct sfi *s)
{
	struct rw_gen *g = s->g;
	const struct rw_func *func = &g->code->funcs[s->func];
	uint32_t lost = s->func ? RW_NONE : rw_edit_label(&g->edit);
	int err = lay_out(s);

	s->fault = rw_edit_label(&g->edit);
	s->faults = false;
	s->unlock = RW_NONE;
	s->marked = false;
	rw_edit_own(&g->edit);
	rw_edit_place(&g->edit, rw_edit_func(&g->edit, s->func));
	if (s->func)
		begin_inner(s);
	else
		begin_entry(s, lost);
	for (uint32_t i = func->start; !err && i < func->end; i++)
		if (g->an->at[i].seen)
			err = sfi_insn(s, i);
	if (err)
		return err;
	sfi_end_locks(s);
	if (s->func)
		end_inner(s);
	else
		end_entry(s, lost);
	return 0;
}

/**
 * rw_form_sfi() - translate a program into form sfi
 * @g: the translation; its output is complete afterwards
 *
 * Return: 0 or a negative errno
 */
int rw_form_sfi(struct rw_gen *g)
{
	uint32_t copied = g->reach < g->opts->window ? g->reach : g->opts->window;
	struct sfi s = { .g = g, .limit = (int32_t)(RW_HEADROOM + copied) };
	int err;

	memset(s.own, 0xff, sizeof(s.own));
	s.group.last = RW_NONE;
	err = sfi_plan_stack(&s);
	if (!err)
		err = sfi_plan_locks(&s);
	if (!err)
		find_uses(&s);
	for (s.func = 0; !err && s.func < g->code->func_cnt; s.func++)
		if (g->an->at[g->code->funcs[s.func].start].seen)
			err = sfi_func(&s);
	free(s.locks);
	if (!err)
		sfi_emit_own(&s);
	return err;
}
