// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: the stack
 *
 * Without CAP_PERFMON the host's verifier takes stack pointers at constant
 * offsets only, and inside of the stack only. A program that has others gets
 * frames in the scratch: pointers into its stacks become numbers, as packet
 * pointers are, behind the packet area. What an access at no constant offset, or
 * one from another function, can touch is in the frame; all else of a function's
 * stack, pointers that it spills above all, stays where it is.
 *
 * Another thing that the verifier does not take is a store to a part of eight
 * bytes that hold a pointer. XDP's verifier does, and nothing is known of the
 * other bytes then; so they are zeroed first.
 */
#include <errno.h>

#include "sfi.h"
#include "transfer.h"

#define TOP(s)		((int32_t)(RW_HEADROOM + (s)->g->opts->window))

/**
 * sfi_slots() - the slots of a stack that lie in a range
 * @from: lowest offset from r10
 * @to: the end
 *
 * Return: bit n set: slot n, as struct rw_frame numbers them
 */
uint64_t sfi_slots(int64_t from, int64_t to)
{
	uint64_t mask = 0;

	for (int64_t i = 0; i < RW_SLOTS; i++)
		if (-8 * i > from && -8 * (i + 1) < to)
			mask |= 1ull << i;
	return mask;
}

/**
 * pointer() - the register that an instruction accesses memory by
 * @insn: the instruction
 *
 * Return: its number, or RW_REGS if it accesses none
 */
static uint8_t pointer(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		return insn->src_reg;
	case BPF_ST:
	case BPF_STX:
		return insn->dst_reg;
	default:
		return RW_REGS;
	}
}

/**
 * sfi_is_own() - is it a known place in the stack of the function at hand?
 * @g: the translation
 * @at: index of the instruction
 * @v: the pointer
 * @off: result: its offset from r10
 *
 * Which frame it is makes no difference: a function can be called at several
 * depths.
 *
 * Return: true if so
 */
bool sfi_is_own(const struct rw_gen *g, uint32_t at, const struct rw_val *v, int64_t *off)
{
	int64_t max;

	return rw_val_is(v, RW_STACK) && v->map == rw_func_at(g->code, at) &&
	       rw_val_places(v, off, &max) && *off == max;
}

/**
 * in_frame() - is a place in the stack of the function at hand in its frame?
 * @s: the translation
 * @at: index of the instruction
 * @off: the place, from r10
 *
 * Return: true if so
 */
static bool in_frame(const struct sfi *s, uint32_t at, int64_t off)
{
	return (s->framed[rw_func_at(s->g->code, at)] & sfi_slots(off, off + 1)) != 0;
}

/**
 * frame_off() - offset from the scratch of a place in the function's frame
 * @s: the translation
 * @at: index of the instruction
 * @off: the place, from r10
 *
 * Return: it
 */
static int32_t frame_off(const struct sfi *s, uint32_t at, int64_t off)
{
	return RW_SCRATCH_PACKET + s->frame_at[rw_func_at(s->g->code, at)] + (int32_t)off;
}

/**
 * sfi_in_frame() - where a place in the stack of the function at hand is in its frame
 * @s: the translation
 * @at: index of the instruction
 * @off: the place, from r10
 * @place: result: its offset from the scratch
 *
 * Return: false if it is not there, but in the stack
 */
bool sfi_in_frame(const struct sfi *s, uint32_t at, int64_t off, int32_t *place)
{
	if (!in_frame(s, at, off))
		return false;
	*place = frame_off(s, at, off);
	return true;
}

/**
 * grow_frame() - have some slots in a frame
 * @s: the translation
 * @func: index of the function, or RW_NONE for all
 * @mask: the slots
 *
 * Return: true if not all of them were there before
 */
static bool grow_frame(struct sfi *s, uint32_t func, uint64_t mask)
{
	bool grew = false;

	for (uint32_t f = 0; f < s->g->code->func_cnt; f++) {
		if (func != RW_NONE && func != f)
			continue;
		grew |= (mask & ~s->framed[f]) != 0;
		s->framed[f] |= mask;
	}
	return grew;
}

/**
 * plan_use() - have in a frame what a use of the stack needs there
 * @s: the translation
 * @at: index of the instruction
 * @v: the pointer
 * @off: added to it
 * @size: bytes used, or RW_NONE if that is not known
 *
 * Return: true if frames grew
 */
static bool plan_use(struct sfi *s, uint32_t at, const struct rw_val *v, int32_t off,
		     uint32_t size)
{
	int64_t from, to, own;

	if (!(v->kinds & RW_STACK))
		return false;
	rw_stack_range(v, off, size, &from, &to);
	/* What is at a known place only has to be all in one or all in the other. */
	if (sfi_is_own(s->g, at, v, &own) && !(s->framed[v->map] & sfi_slots(from, to)))
		return false;
	return grow_frame(s, v->map, sfi_slots(from, to));
}

/**
 * plan_uses() - have in frames what all uses of stacks need there
 * @s: the translation
 *
 * Return: true if they grew
 */
static bool plan_uses(struct sfi *s)
{
	const struct rw_gen *g = s->g;
	bool grew = false;

	for (uint32_t i = 0; i < g->code->cnt; i++) {
		const struct bpf_insn *insn = &g->code->insns[i];
		uint8_t reg = pointer(insn);

		if (!g->an->at[i].seen)
			continue;
		if (reg < RW_REGS)
			grew |= plan_use(s, i, &g->an->at[i].reg[reg], insn->off, rw_size(insn));
		for (int a = 0; insn->code == RW_CALL && !insn->src_reg && a < WL_ARGS; a++)
			if (sfi_is_memory(g, i, a))
				grew |= plan_use(s, i, &g->an->at[i].reg[BPF_REG_1 + a], 0,
						 sfi_memory_size(s, i, a));
	}
	return grew;
}

/**
 * wants_frames() - does the host's verifier not take the program's stack pointers?
 * @g: the translation
 *
 * Return: true if so
 */
static bool wants_frames(const struct rw_gen *g)
{
	if (g->an->loose_stack != RW_NONE || g->an->stray_stack)
		return true;
	for (uint32_t i = 0; i < g->code->cnt; i++) {
		uint8_t reg = pointer(&g->code->insns[i]);
		uint16_t kinds = reg < RW_REGS ? g->an->at[i].reg[reg].kinds : 0;

		if (g->an->at[i].seen && (kinds & RW_STACK) && (kinds & RW_PKT))
			return true;
	}
	return false;
}

/**
 * sfi_plan_stack() - decide which parts of the program's stacks are in the scratch
 * @s: the translation
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_plan_stack(struct sfi *s)
{
	int32_t at = TOP(s);

	s->frames = wants_frames(s->g);
	s->frame_end = at;
	if (!s->frames)
		return sfi_plan_spills(s);
	while (plan_uses(s))
		;
	for (uint32_t f = 0; f < s->g->code->func_cnt; f++) {
		for (int i = RW_SLOTS; i; i--) {
			if (s->framed[f] >> (i - 1) & 1) {
				at += 8 * i;
				break;
			}
		}
		s->frame_at[f] = at;
	}
	s->frame_end = at;
	if (at > 2 * TOP(s))
		return CANNOT(s->g, RW_NONE, "the program uses %d bytes of stack at offsets that "
			      "are not constant, for which there is no room", at - TOP(s));
	return sfi_plan_spills(s);
}

/**
 * sfi_uses_frame() - does an instruction need the scratch for its use of the stack?
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: true if so
 */
bool sfi_uses_frame(const struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	uint8_t reg = pointer(insn);

	if (!s->frames)
		return false;
	if (reg < RW_REGS)
		return (s->g->an->at[at].reg[reg].kinds & RW_STACK) != 0;
	for (int a = 0; insn->code == RW_CALL && !insn->src_reg && a < WL_ARGS; a++)
		if (sfi_is_memory(s->g, at, a) &&
		    (s->g->an->at[at].reg[BPF_REG_1 + a].kinds & RW_STACK))
			return true;
	return false;
}

/**
 * check_kinds() - is a stack pointer a number on all paths?
 * @s: the translation
 * @at: index of the instruction
 * @reg: the register
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int check_kinds(const struct sfi *s, uint32_t at, uint8_t reg)
{
	uint16_t kinds = s->g->an->at[at].reg[reg].kinds;

	if (!(kinds & ~(RW_STACK | RW_PKT | RW_SCALAR | RW_UNINIT)))
		return 0;
	return CANNOT(s->g, at, "uses r%u, which is a stack pointer on some paths and something "
		      "else on others", reg);
}

/**
 * emit_offset() - emit the check of a place that varies
 * @s: the translation
 * @ptr: register with the pointer
 * @v: what is known of it
 * @off: added to it
 * @size: number of bytes
 * @t: register that gets the offset from the place that is returned; not @ptr
 *
 * Return: lowest place that is meant, as an offset into the packet area
 */
static int32_t emit_offset(struct sfi *s, uint8_t ptr, const struct rw_val *v, int32_t off,
			   uint32_t size, uint8_t t)
{
	int32_t low = v->kinds & RW_PKT ? 0 : TOP(s), end = s->frame_end;

	if (!(v->kinds & RW_PKT) && v->map != RW_NONE) {
		end = s->frame_at[v->map];
		low = v->map ? s->frame_at[v->map - 1] : TOP(s);
	}
	sfi_header(s, t, SFI_H_ZERO);
	rw_emit(&s->g->edit, ADD_X, t, ptr, 0, 0);
	rw_emit(&s->g->edit, ADD_K, t, 0, 0, off - SFI_BASE - low);
	sfi_fault(s, JMP_K(BPF_JGT), t, 0, end - low - (int32_t)size);
	return low;
}

/**
 * varying() - a load or a store at a place that varies
 * @s: the translation
 * @at: index of the instruction
 *
 * The pointer can also be one into the packet: then the place is checked against
 * the packet's end if it lies in front of the frames.
 */
static void varying(struct sfi *s, uint32_t at)
{
	struct rw_edit *e = &s->g->edit;
	const struct bpf_insn *insn = &s->g->code->insns[at];
	uint8_t reg = pointer(insn), size = (uint8_t)rw_size(insn);
	const struct rw_val *v = &s->g->an->at[at].reg[reg];
	bool load = BPF_CLASS(insn->code) == BPF_LDX;
	struct sfi_temp t = sfi_take(s, at, 0, 0);
	struct sfi_temp u = sfi_take(s, at, (uint16_t)(1u << t.reg), 1);
	uint8_t to = u.reg;
	uint32_t stack = rw_edit_label(e);
	int32_t low = emit_offset(s, reg, v, insn->off, size, t.reg);

	if (v->kinds & RW_PKT) {
		/* Not of the offset itself: it is to have the same limits on all paths. */
		sfi_header(s, to, SFI_H_ZERO);
		rw_emit(e, ADD_X, to, reg, 0, 0);
		sfi_jump(s, JMP_K(BPF_JGE), to, 0, SFI_BASE + TOP(s) - insn->off, stack);
		sfi_header(s, to, SFI_H_END);
		rw_emit(e, SUB_X, to, t.reg, 0, 0);
		sfi_fault(s, JMP_K(BPF_JLT), to, 0, SFI_BASE + size);
		if (!load)
			rw_emit(e, STDW_K, sfi_base(s, to), 0, SFI_H_BUSY, SFI_DIRTY);
		rw_edit_place(e, stack);
	}
	sfi_scratch(s, to);
	rw_emit(e, ADD_X, to, t.reg, 0, 0);
	sfi_emit_access(s, at, to, RW_SCRATCH_PACKET + low);
	sfi_give_back(s, u);
	sfi_give_back(s, t);
}

/**
 * sfi_clear() - emit how pointers are zeroed that are about to be overwritten in part
 * @s: the translation
 * @at: index of the instruction
 * @reg: register with a pointer into a stack
 * @v: what is known of it
 *
 * Return: 0, or -EOPNOTSUPP if something else is there on other paths
 */
int sfi_clear(struct sfi *s, uint32_t at, uint8_t reg, const struct rw_val *v)
{
	const struct rw_fact *fact = &s->g->an->at[at];
	uint64_t pointers = fact->pointers;
	int64_t off, max;

	if (v->map != RW_NONE)
		pointers &= ~(s->framed[v->map] | s->split[v->map]);
	if (!pointers)
		return 0;
	if (!rw_val_is(v, RW_STACK) || !rw_val_places(v, &off, &max) || off != max ||
	    (pointers & fact->data))
		return CANNOT(s->g, at, "overwrites a part of the stack that holds a pointer on "
			      "some paths and something else on others");
	for (int i = 0; i < RW_SLOTS; i++)
		if (pointers >> i & 1)
			rw_emit(&s->g->edit, STDW_K, reg, 0, (int16_t)(-8 * (i + 1) - off), 0);
	return 0;
}

/**
 * sfi_fetch() - emit an atomic operation that fetches from a stack, step by step
 * @s: the translation
 * @at: index of the instruction
 * @ptr: register with a pointer into the stack
 * @off: offset from it
 *
 * Verifiers lose track here: the number that is fetched counts as of no matter,
 * though what it is decides, and is then taken for another path's. What they think
 * of a number's size must be so. Nobody else sees a stack, so it need not be atomic.
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_fetch(struct sfi *s, uint32_t at, uint8_t ptr, int16_t off)
{
	struct rw_edit *e = &s->g->edit;
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_val *v = &s->g->an->at[at].reg[insn->dst_reg];
	uint8_t size = BPF_SIZE(insn->code), reg = insn->src_reg;
	uint8_t load = BPF_LDX | BPF_MEM | size, store = BPF_STX | BPF_MEM | size;
	uint8_t unlike = (uint8_t)((size == BPF_W ? BPF_JMP32 : BPF_JMP) | BPF_JNE | BPF_X);
	struct sfi_temp t;

	if (v->kinds != RW_STACK || reg == insn->dst_reg)
		return CANNOT(s->g, at, "fetches by an atomic operation what is on the stack on "
			      "some paths only, or by its own operand");
	t = sfi_take(s, at, (uint16_t)(1u << ptr), 0);
	if (insn->imm == BPF_CMPXCHG) {
		uint32_t stays = rw_edit_label(e);

		rw_emit(e, load, t.reg, ptr, off, 0);
		sfi_jump(s, unlike, BPF_REG_0, t.reg, 0, stays);
		rw_emit(e, store, ptr, reg, off, 0);
		rw_edit_place(e, stays);
		rw_emit(e, MOV_X, BPF_REG_0, t.reg, 0, 0);
	} else {
		rw_emit(e, MOV_X, t.reg, reg, 0, 0);
		rw_emit(e, load, reg, ptr, off, 0);
		if (insn->imm != BPF_XCHG)
			rw_emit(e, (uint8_t)(BPF_ALU64 | BPF_OP(insn->imm) | BPF_X), t.reg, reg, 0,
				0);
		rw_emit(e, store, ptr, t.reg, off, 0);
	}
	sfi_give_back(s, t);
	return 0;
}

/**
 * sfi_stack_access() - a load or a store that can be one of a stack's, with frames
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_stack_access(struct sfi *s, uint32_t at)
{
	const struct rw_gen *g = s->g;
	struct bpf_insn insn = g->code->insns[at];
	uint8_t reg = pointer(&insn);
	const struct rw_val *v = &g->an->at[at].reg[reg];
	int64_t off;
	struct sfi_temp t = { .reg = insn.dst_reg };
	int err = check_kinds(s, at, reg);

	if (err)
		return err;
	if (BPF_CLASS(insn.code) == BPF_STX && insn.src_reg == BPF_REG_10)
		return CANNOT(g, at, "stores r10, whose stack is used at an offset that is not "
			      "constant");
	if (!sfi_is_own(g, at, v, &off)) {
		varying(s, at);
		return 0;
	}
	off += insn.off;
	if (!in_frame(s, at, off)) {
		const struct rw_val top = g->an->at[at].reg[BPF_REG_10];

		err = BPF_CLASS(insn.code) == BPF_LDX ? 0 : sfi_clear(s, at, BPF_REG_10, &top);
		if (!err && rw_gen_fetches(g, at))
			return sfi_fetch(s, at, BPF_REG_10, (int16_t)off);
		if (!err)
			sfi_emit_access(s, at, BPF_REG_10, (int32_t)off);
		return err;
	}
	if (BPF_CLASS(insn.code) == BPF_LDX || s->scratch_reg) {
		sfi_emit_access(s, at, sfi_base(s, t.reg), frame_off(s, at, off));
		return 0;
	}
	t = sfi_take(s, at, 0, 0);
	sfi_emit_access(s, at, sfi_base(s, t.reg), frame_off(s, at, off));
	sfi_give_back(s, t);
	return 0;
}

/**
 * sfi_stack_argument() - an argument of a helper that can point into a stack
 * @s: the translation, with frames
 * @at: index of the call
 * @i: number of the argument, from 0
 *
 * r0 is free.
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_stack_argument(struct sfi *s, uint32_t at, int i)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t reg = (uint8_t)(BPF_REG_1 + i);
	const struct rw_val *v = &s->g->an->at[at].reg[reg];
	uint32_t size = sfi_memory_size(s, at, i);
	int64_t off;
	int32_t low;

	if (sfi_is_own(s->g, at, v, &off)) {
		if (in_frame(s, at, off)) {
			sfi_scratch(s, reg);
			rw_emit(e, ADD_K, reg, 0, 0, frame_off(s, at, off));
		} else {
			rw_emit(e, MOV_X, reg, BPF_REG_10, 0, 0);
			rw_emit(e, ADD_K, reg, 0, 0, (int32_t)off);
		}
		return 0;
	}
	if (check_kinds(s, at, reg) || (v->kinds & RW_PKT))
		return CANNOT(s->g, at, "argument %d of a helper is a stack pointer on some paths "
			      "and something else on others", reg);
	low = emit_offset(s, reg, v, 0, size == RW_NONE ? 1 : size, BPF_REG_0);
	sfi_scratch(s, reg);
	rw_emit(e, ADD_X, reg, BPF_REG_0, 0, 0);
	rw_emit(e, ADD_K, reg, 0, 0, RW_SCRATCH_PACKET + low);
	return 0;
}

/**
 * sfi_stack_alu() - arithmetic with r10, with frames
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_stack_alu(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	int32_t number = SFI_BASE + s->frame_at[rw_func_at(s->g->code, at)];

	switch (insn->off ? 0 : insn->code) {
	case MOV_X:
		rw_emit(&s->g->edit, MOV_K, insn->dst_reg, 0, 0, number);
		return 0;
	case ADD_X:
		rw_emit(&s->g->edit, ADD_K, insn->dst_reg, 0, 0, number);
		return 0;
	case SUB_X:
		rw_emit(&s->g->edit, ADD_K, insn->dst_reg, 0, 0, -number);
		return 0;
	default:
		return CANNOT(s->g, at, "computes with r10, whose stack is used at an offset that "
			      "is not constant");
	}
}
