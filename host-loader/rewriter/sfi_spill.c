// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: pointers that are kept apart from data
 *
 * Eight bytes of stack may hold a pointer at one time and data at another. The
 * host's verifier minds where the data is written in parts, or lies in a frame in
 * the scratch (sfi_stack.c), and on some paths the pointer is still there. Such
 * pointers get a slot of their own: a load is one of either, and the analysis
 * knows of which.
 */
#include <errno.h>

#include "sfi.h"
#include "transfer.h"

/**
 * pointers() - the kinds of values that cannot be data
 * @s: the translation
 *
 * Return: RW_*
 */
static uint16_t pointers(const struct sfi *s)
{
	return RW_CTX | RW_MAP | RW_VALUE | (s->frames ? 0 : RW_STACK);
}

/**
 * slot_at() - the slot that eight bytes of the function's own stack are
 * @s: the translation
 * @at: index of a load or a store
 *
 * Return: its number as struct rw_frame has it, or RW_SLOTS if they are none
 */
static uint32_t slot_at(const struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	uint8_t reg = BPF_CLASS(insn->code) == BPF_LDX ? insn->src_reg : insn->dst_reg;
	int64_t off;

	if (rw_size(insn) != 8 || rw_is_atomic(insn) ||
	    !sfi_is_own(s->g, at, &s->g->an->at[at].reg[reg], &off))
		return RW_SLOTS;
	off += insn->off;
	return off % 8 || off >= 0 || off < -RW_STACK_MAX ? RW_SLOTS : (uint32_t)(-off / 8 - 1);
}

/**
 * moved() - the kinds of pointers that a load or a store moves from or to a stack
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: RW_*, with those of what is no pointer if there is a pointer as well
 */
static uint16_t moved(const struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_fact *fact = &s->g->an->at[at];
	uint16_t kinds = 0;

	if (BPF_CLASS(insn->code) == BPF_LDX)
		kinds = fact->reg[insn->src_reg].kinds & RW_STACK ? fact->loads : 0;
	else if (BPF_CLASS(insn->code) == BPF_STX && !rw_is_atomic(insn))
		kinds = fact->reg[insn->dst_reg].kinds & RW_STACK ? fact->reg[insn->src_reg].kinds
								  : 0;
	return kinds & pointers(s) ? kinds : 0;
}

/**
 * find_slots() - find the slots whose pointers have to be kept apart
 * @s: the translation, its frames planned
 */
static void find_slots(struct sfi *s)
{
	const struct rw_gen *g = s->g;

	for (uint32_t i = 0; i < g->code->cnt; i++) {
		const struct rw_fact *fact = &g->an->at[i];
		const struct bpf_insn *insn = &g->code->insns[i];
		uint8_t reg = insn->code == RW_CALL ? BPF_REG_3 : insn->dst_reg;
		uint32_t func = rw_func_at(g->code, i);
		uint32_t slot;

		if (!fact->seen)
			continue;
		/* Of helpers only xdp_load_bytes writes, by its third argument. */
		if ((fact->pointers & fact->data) && fact->reg[reg].map != RW_NONE)
			s->split[fact->reg[reg].map] |= fact->pointers & fact->data;
		slot = moved(s, i) ? slot_at(s, i) : RW_SLOTS;
		if (slot < RW_SLOTS)
			s->split[func] |= s->framed[func] & 1ull << slot;
	}
}

/**
 * sfi_plan_spills() - decide which pointers are kept apart from data
 * @s: the translation, its frames planned
 *
 * Return: 0, or -EOPNOTSUPP if it is not known of all whether they are pointers
 */
int sfi_plan_spills(struct sfi *s)
{
	const struct rw_gen *g = s->g;

	find_slots(s);
	for (uint32_t i = 0; i < g->code->cnt; i++) {
		const struct bpf_insn *insn = &g->code->insns[i];
		bool load = BPF_CLASS(insn->code) == BPF_LDX;
		const struct rw_val *v = &g->an->at[i].reg[load ? insn->src_reg : insn->dst_reg];
		uint16_t kinds = g->an->at[i].seen ? moved(s, i) : 0;
		uint64_t apart = 0, mask;
		int64_t from, to;

		if (!kinds)
			continue;
		for (uint32_t f = 0; f < g->code->func_cnt; f++)
			if (v->map == f || v->map == RW_NONE)
				apart |= s->split[f] | s->framed[f];
		rw_stack_range(v, insn->off, rw_size(insn), &from, &to);
		mask = sfi_slots(from, to);
		if (!(apart & mask) ||
		    (slot_at(s, i) < RW_SLOTS && !(kinds & ~(pointers(s) | RW_UNINIT))))
			continue;
		return CANNOT(g, i, "has a pointer on some paths and something else on others in a "
			      "part of the stack that is also used for data");
	}
	return 0;
}

/**
 * zero_data() - emit how the data is zeroed that is where a pointer would be
 * @s: the translation
 * @at: index of the store of that pointer
 *
 * The verifier wants to see it written before it is read.
 */
static void zero_data(struct sfi *s, uint32_t at)
{
	int32_t off = -8 * (int32_t)(slot_at(s, at) + 1), place;
	struct rw_edit *e = &s->g->edit;
	struct sfi_temp t;

	if (!sfi_in_frame(s, at, off, &place)) {
		rw_emit(e, STDW_K, BPF_REG_10, 0, (int16_t)off, 0);
	} else if (s->scratch_reg) {
		rw_emit(e, STDW_K, s->scratch_reg, 0, (int16_t)place, 0);
	} else {
		t = sfi_take(s, at, 0, 0);
		rw_emit(e, STDW_K, sfi_base(s, t.reg), 0, (int16_t)place, 0);
		sfi_give_back(s, t);
	}
}

/**
 * sfi_spill() - a load from a slot whose pointers are kept apart, or a store to it
 * @s: the translation
 * @at: index of the instruction
 *
 * A number goes to both places: it may be NULL, where else a pointer would be.
 *
 * Return: true if all is done, false if there is still the data to be moved
 */
bool sfi_spill(struct sfi *s, uint32_t at)
{
	struct bpf_insn insn = s->g->code->insns[at];
	uint32_t slot = slot_at(s, at);
	bool load = BPF_CLASS(insn.code) == BPF_LDX, pointer = moved(s, at);

	if (slot == RW_SLOTS || !(s->split[s->func] >> slot & 1) || (load && !pointer))
		return false;
	insn.off = s->apart[slot];
	if (load)
		insn.src_reg = BPF_REG_10;
	else
		insn.dst_reg = BPF_REG_10;
	rw_emit_insn(&s->g->edit, &insn);
	if (!load && pointer)
		zero_data(s, at);
	return pointer;
}
