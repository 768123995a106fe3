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
	rw_emit(&s->g->edit, LDDW, dst, BPF_REG_10, s->scratch_slot, 0);
}

/**
 * sfi_header() - emit the load of a number in the scratch's header
 * @s: the translation
 * @dst: register that gets it
 * @field: SFI_H_*
 */
void sfi_header(struct sfi *s, uint8_t dst, int16_t field)
{
	sfi_scratch(s, dst);
	rw_emit(&s->g->edit, LDDW, dst, dst, field, 0);
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

	if (rw_is_subcall(insn))
		return uses(s, rw_func_at(g->code, (uint32_t)rw_target(insn, at)));
	if (insn->code == RW_CALL)
		return sfi_helper_uses(g, at);
	if (BPF_CLASS(insn->code) == BPF_LDX && (g->an->at[at].reg[insn->src_reg].kinds & RW_CTX))
		return true;
	return sfi_touches(g, at) || sfi_moves_value(g, at, &limit);
}

/**
 * find_uses() - find the functions that need the scratch, and what they do there
 * @s: the translation
 */
static void find_uses(struct sfi *s)
{
	const struct rw_gen *g = s->g;
	bool grew = true;

	s->uses[0] = 1;
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
	for (uint32_t i = 0; i < g->code->cnt; i++) {
		const struct bpf_insn *insn = &g->code->insns[i];

		if (!g->an->at[i].seen)
			continue;
		s->moves |= rw_moves_packet(insn);
		s->writes |= rw_moves_packet(insn) || sfi_stores(g, i);
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
 * emit_copy() - emit how the packet is copied, as far as the program looks at it
 * @s: the translation
 *
 * r0 is the scratch, r4 the packet's length, r6 the context. r0 to r5 are lost.
 */
static void emit_copy(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	sfi_fault(s, JMP_K(BPF_JLT), BPF_REG_4, 0, 1);
	rw_emit(e, JMP_K(BPF_JLE), BPF_REG_4, 0, 1, s->limit - RW_HEADROOM);
	rw_emit(e, MOV_K, BPF_REG_4, 0, 0, s->limit - RW_HEADROOM);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_2, 0, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_3, BPF_REG_0, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET + RW_HEADROOM);
	rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	sfi_fault(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0);
}

/**
 * begin_entry() - emit the entry function's prologue: the packet is copied
 * @s: the translation
 * @lost: label for when there is no scratch to be had
 */
static void begin_entry(struct sfi *s, uint32_t lost)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, MOV_X, BPF_REG_6, BPF_REG_1, 0, 0);
	if (s->ctx_slot)
		rw_emit(e, STDW, BPF_REG_10, BPF_REG_1, s->ctx_slot, 0);
	emit_zero(s);
	emit_lookup(s);
	sfi_jump(s, JMP_K(BPF_JEQ), BPF_REG_0, 0, 0, lost);
	rw_emit(e, LDDW, BPF_REG_1, BPF_REG_0, SFI_H_BUSY, 0);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_1, 0, 0, lost);
	rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_BUSY, 1);
	rw_emit(e, STDW, BPF_REG_10, BPF_REG_0, s->scratch_slot, 0);
	s->g->target->len(s->g, BPF_REG_4, BPF_REG_6);
	rw_emit(e, MOV_K, BPF_REG_1, 0, 0, SFI_DATA);
	rw_emit(e, STDW, BPF_REG_0, BPF_REG_1, SFI_H_DATA, 0);
	rw_emit(e, STDW, BPF_REG_0, BPF_REG_1, SFI_H_META, 0);
	if (s->moves)
		rw_emit(e, STDW, BPF_REG_0, BPF_REG_1, SFI_H_LOW, 0);
	if (s->writes)
		rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_DIRTY, 0);
	rw_emit(e, ADD_X, BPF_REG_1, BPF_REG_4, 0, 0);
	rw_emit(e, STDW, BPF_REG_0, BPF_REG_1, SFI_H_END, 0);
	if (s->writes || s->g->code->func_cnt > 1)
		rw_emit(e, STDW_K, BPF_REG_0, 0, SFI_H_FAULT, 0);
	if (s->limit > RW_HEADROOM)
		emit_copy(s);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
}

/**
 * begin_inner() - emit the prologue of another function: it looks the scratch up
 * @s: the translation
 * @start: its first instruction
 *
 * Arguments wait in the registers that a function keeps for its caller, the
 * fifth, if there is one, in a slot.
 */
static void begin_inner(struct sfi *s, uint32_t start)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t args = (uint8_t)(s->g->live[start] & 0x3e), keep = BPF_REG_6;

	emit_zero(s);
	if (!uses(s, s->func))
		return;
	for (int r = BPF_REG_1; r <= BPF_REG_5; r++)
		if (s->g->an->at[start].reg[r].kinds & RW_UNINIT)
			args &= (uint8_t)~(1u << r);
	for (int r = BPF_REG_1; r <= BPF_REG_5; r++) {
		if (!(args & 1u << r))
			continue;
		if (keep < BPF_REG_10)
			rw_emit(e, MOV_X, keep++, r, 0, 0);
		else
			rw_emit(e, STDW, BPF_REG_10, r, s->spill_slot[1], 0);
	}
	emit_lookup(s);
	rw_emit(e, JMP_K(BPF_JNE), BPF_REG_0, 0, 1, 0);
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
	rw_emit(e, STDW, BPF_REG_10, BPF_REG_0, s->scratch_slot, 0);
	keep = BPF_REG_6;
	for (int r = BPF_REG_1; r <= BPF_REG_5; r++) {
		if (!(args & 1u << r))
			continue;
		if (keep < BPF_REG_10)
			rw_emit(e, MOV_X, r, keep++, 0, 0);
		else
			rw_emit(e, LDDW, r, BPF_REG_10, s->spill_slot[1], 0);
	}
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

	s->scratch_slot = 0;
	s->ctx_slot = 0;
	s->loop_slot = 0;
	if (uses(s, s->func)) {
		s->scratch_slot = (int16_t)(below -= 8);
		s->spill_slot[0] = (int16_t)(below -= 8);
		s->spill_slot[1] = (int16_t)(below -= 8);
	}
	if (!s->func) {
		/* The epilogue counts the verdict when it has no other use for it. */
		g->target_slot = s->spill_slot[1];
		if (s->writes)
			s->ctx_slot = (int16_t)(below -= 8);
	}
	if (rw_gen_has_loop(g, func))
		s->loop_slot = (int16_t)(below -= 8);
	if (below < -RW_STACK_MAX)
		return CANNOT(g, func->start, "the function uses %u bytes of stack, and its "
			      "translation needs %d, which is over the limit of %d",
			      g->an->stack[s->func], -below, RW_STACK_MAX);
	return 0;
}

/**
 * end_entry() - emit the entry function's epilogue and fault path
 * @s: the translation
 * @lost: label for when there is no scratch to be had
 */
static void end_entry(struct sfi *s, uint32_t lost)
{
	struct rw_gen *g = s->g;
	struct rw_edit *e = &g->edit;
	uint32_t stays = rw_edit_label(e);

	g->fault = rw_edit_label(e);
	rw_edit_own(e);
	rw_edit_place(e, g->epilogue);
	if (s->writes) {
		rw_emit(e, STDW, BPF_REG_10, BPF_REG_0, s->spill_slot[0], 0);
		rw_emit(e, MOV32_X, BPF_REG_1, BPF_REG_0, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_1, 0, 0, -XDP_PASS);
		sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_1, 0, XDP_TX - XDP_PASS, stays);
		rw_emit(e, LDDW, BPF_REG_6, BPF_REG_10, s->ctx_slot, 0);
		sfi_scratch(s, BPF_REG_7);
		s->faults = true;
		sfi_write_back(s, s->fault);
		rw_edit_place(e, stays);
		rw_emit(e, LDDW, BPF_REG_0, BPF_REG_10, s->spill_slot[0], 0);
	}
	sfi_scratch(s, BPF_REG_1);
	rw_emit(e, STDW_K, BPF_REG_1, 0, SFI_H_BUSY, 0);
	g->target->epilogue(g);
	if (s->faults) {
		rw_edit_place(e, s->fault);
		sfi_scratch(s, BPF_REG_1);
		rw_emit(e, STDW_K, BPF_REG_1, 0, SFI_H_BUSY, 0);
	}
	rw_edit_place(e, lost);
	rw_emit_goto(e, g->fault);
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
	sfi_scratch(s, BPF_REG_1);
	rw_emit(e, STDW_K, BPF_REG_1, 0, SFI_H_FAULT, 1);
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
		sfi_header(s, insn->dst_reg, SFI_H_DATA);
		return 0;
	case offsetof(struct xdp_md, data_end):
		sfi_header(s, insn->dst_reg, SFI_H_END);
		return 0;
	case offsetof(struct xdp_md, data_meta):
		sfi_header(s, insn->dst_reg, SFI_H_META);
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

	if (sfi_touches(g, at))
		return load ? sfi_load(s, at) : sfi_store(s, at);
	if (load && (reg[insn->src_reg].kinds & RW_CTX))
		return load_ctx(s, at);
	if (!load && (reg[insn->dst_reg].kinds & RW_CTX))
		return rw_refuse(g->why, -EINVAL, at, "stores to the context, which is read-only");
	rw_emit_insn(&g->edit, insn);
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
	int err;

	if (insn->code == RW_CALL && !rw_is_subcall(insn))
		return sfi_helper(s, at);
	err = rw_gen_jump(g, at);
	if (err || !rw_is_subcall(insn) || !insn_uses(s, at))
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
	int32_t limit;

	rw_edit_at(&g->edit, at);
	if (g->code->flags[at] & RW_I_HEAD)
		rw_emit(&g->edit, STDW, BPF_REG_10, BPF_REG_10, s->loop_slot, 0);
	switch (BPF_CLASS(g->code->insns[at].code)) {
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return sfi_memory(s, at);
	case BPF_JMP:
	case BPF_JMP32:
		return sfi_jmp(s, at);
	default:
		if (sfi_moves_value(g, at, &limit))
			sfi_move_value(s, at, limit);
		else
			rw_emit_insn(&g->edit, &g->code->insns[at]);
		return 0;
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
	rw_edit_own(&g->edit);
	rw_edit_place(&g->edit, rw_edit_func(&g->edit, s->func));
	if (s->func)
		begin_inner(s, func->start);
	else
		begin_entry(s, lost);
	for (uint32_t i = func->start; !err && i < func->end; i++)
		if (g->an->at[i].seen)
			err = sfi_insn(s, i);
	if (err)
		return err;
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

	if (g->an->loose_stack != RW_NONE)
		return CANNOT(g, g->an->loose_stack,
			      "uses the stack at an offset that is not constant");
	memset(s.own, 0xff, sizeof(s.own));
	find_uses(&s);
	for (s.func = 0; s.func < g->code->func_cnt; s.func++) {
		int err = 0;

		if (g->an->at[g->code->funcs[s.func].start].seen)
			err = sfi_func(&s);
		if (err)
			return err;
	}
	sfi_emit_own(&s);
	return 0;
}
