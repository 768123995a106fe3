// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: accesses that share a pointer
 *
 * Programs read the fields of a header one after the other, by one register.
 * Where nothing jumps in between, a pointer into the scratch is made of that
 * register once, in front of the first access, with one check that is good for
 * all of them, and kept in a register that the program has no use for until the
 * last. Accesses at constant places share the scratch's own pointer, if the
 * function does not keep that in a register anyway. Only those are taken that the
 * program has made sure to be in the packet when it comes to the first of them, so
 * that no check fails that would not have failed before.
 */
#include "sfi.h"

#define LOOK_AHEAD	64	/* instructions in which accesses are looked for */

/**
 * shares() - can an access be one of a group?
 * @s: the translation
 * @at: index of the instruction
 * @ptr: the register that the group uses, or RW_REGS for constant places
 *
 * Return: true if so
 */
static bool shares(const struct sfi *s, uint32_t at, uint8_t ptr)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	bool load = BPF_CLASS(insn->code) == BPF_LDX;
	uint8_t reg = load ? insn->src_reg : insn->dst_reg;
	const struct rw_val *v = &s->g->an->at[at].reg[reg];
	bool fixed;

	if (!sfi_touches(s->g, at) || !sfi_is_packet(v) || rw_is_atomic(insn) ||
	    !sfi_inside(v, insn->off, rw_size(insn)))
		return false;
	fixed = sfi_fixed(s, v, insn->off, rw_size(insn));
	return ptr == RW_REGS ? fixed : !fixed && reg == ptr;
}

/**
 * ends() - does a group end in front of an instruction?
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: true if paths meet there, and behind calls and exits
 */
static bool ends(const struct sfi *s, uint32_t at)
{
	const struct rw_code *code = s->g->code;
	uint8_t before = code->insns[at - 1].code;

	return at >= code->funcs[s->func].end || (code->flags[at] & RW_I_TARGET) ||
	       !s->g->an->at[at].seen || before == RW_CALL || before == RW_EXIT;
}

/**
 * writes() - does an instruction change a register?
 * @insn: the instruction; no call
 * @reg: the register
 *
 * Return: true if so
 */
static bool writes(const struct bpf_insn *insn, uint8_t reg)
{
	uint8_t class = BPF_CLASS(insn->code);

	return insn->dst_reg == reg && (class == BPF_LD || class == BPF_LDX || class == BPF_ALU ||
					class == BPF_ALU64);
}

/**
 * find_group() - find the accesses that can share a pointer with one
 * @s: the translation; its group is the result
 * @at: index of the first access
 * @ptr: the register that it uses, or RW_REGS for a constant place
 *
 * Return: true if there are others, and a register for the pointer
 */
static bool find_group(struct sfi *s, uint32_t at, uint8_t ptr)
{
	const struct rw_gen *g = s->g;
	const struct rw_val *first = &g->an->at[at].reg[ptr == RW_REGS ? BPF_REG_10 : ptr];
	uint16_t used = 1u << BPF_REG_10, taken = 0;
	int32_t low = INT16_MAX, high = INT16_MIN;
	uint32_t cnt = 0;

	used |= (uint16_t)(s->scratch_reg ? 1u << s->scratch_reg : 0);
	for (uint32_t i = at; i < at + LOOK_AHEAD && (i == at || !ends(s, i));
	     i += rw_len(&g->code->insns[i])) {
		const struct bpf_insn *insn = &g->code->insns[i];

		if (insn->code == RW_CALL)
			break;
		used |= (uint16_t)(g->live[i] | 1u << insn->dst_reg | 1u << insn->src_reg);
		if (used == (1u << RW_REGS) - 1)
			break;
		/* What is asked of the packet in between can lead elsewhere. */
		if (shares(s, i, ptr) &&
		    (ptr == RW_REGS || sfi_inside(first, insn->off, rw_size(insn)))) {
			int32_t end = insn->off + (int32_t)rw_size(insn);

			low = insn->off < low ? insn->off : low;
			high = end > high ? end : high;
			s->group.last = i;
			taken = used;
			cnt++;
		}
		if (ptr < RW_REGS && writes(insn, ptr))
			break;
	}
	if (cnt < 2) {
		s->group.last = RW_NONE;
		return false;
	}
	s->group.ptr = ptr;
	s->group.low = ptr == RW_REGS ? 0 : low;
	s->group.high = high;
	for (s->group.reg = 0; taken >> s->group.reg & 1;)
		s->group.reg++;
	return true;
}

/**
 * add_scratch() - emit how the offset that a group has becomes a pointer
 * @s: the translation
 * @at: index of the instruction at hand
 */
static void add_scratch(struct sfi *s, uint32_t at)
{
	uint8_t reg = s->group.reg;
	struct sfi_temp t;

	if (s->scratch_reg) {
		rw_emit(&s->g->edit, ADD_X, reg, s->scratch_reg, 0, 0);
		return;
	}
	t = sfi_take(s, at, (uint16_t)(1u << reg), 0);
	sfi_scratch(s, t.reg);
	rw_emit(&s->g->edit, ADD_X, reg, t.reg, 0, 0);
	sfi_give_back(s, t);
}

/**
 * sfi_group() - have an access share a pointer
 * @s: the translation
 * @at: index of the access
 * @off: result: its offset from the pointer, which is in s->group.reg
 *
 * Return: false if it has to make its own
 */
bool sfi_group(struct sfi *s, uint32_t at, int32_t *off)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	uint8_t ptr = BPF_CLASS(insn->code) == BPF_LDX ? insn->src_reg : insn->dst_reg;
	const struct rw_val *v = &s->g->an->at[at].reg[ptr];
	struct rw_edit *e = &s->g->edit;
	struct sfi_group *group = &s->group;
	bool fixed = sfi_fixed(s, v, insn->off, rw_size(insn));
	uint8_t key = fixed ? RW_REGS : ptr;

	if ((fixed && s->scratch_reg) || !shares(s, at, key))
		return false;
	if (group->last == RW_NONE || at > group->last) {
		if (!find_group(s, at, key))
			return false;
		if (fixed) {
			sfi_scratch(s, group->reg);
		} else {
			rw_emit(e, MOV32_X, group->reg, ptr, 0, 0);
			rw_emit(e, ADD_K, group->reg, 0, 0, group->low - SFI_BASE);
			sfi_fault(s, JMP_K(BPF_JGT), group->reg, 0,
				  s->limit - (group->high - group->low));
			add_scratch(s, at);
		}
	}
	if (group->ptr != key || (!fixed && (insn->off < group->low ||
			insn->off + (int32_t)rw_size(insn) > group->high)))
		return false;
	*off = fixed ? RW_SCRATCH_PACKET + RW_HEADROOM + (int32_t)v->off + insn->off
		     : RW_SCRATCH_PACKET + insn->off - group->low;
	return true;
}
