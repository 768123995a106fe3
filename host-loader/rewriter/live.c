// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which registers may still be read: at each instruction the set of those whose
 * value there matters to what follows.
 */
#include <stdbool.h>
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "live.h"

#define BIT(reg)	((uint16_t)(1u << (reg)))
#define ALL_REGS	((uint16_t)((1u << RW_REGS) - 1))
#define CALL_REGS	((uint16_t)0x3f)	/* r0 to r5: a call loses them */

/* Past so many rounds every register counts as live, which is safe. */
#define MAX_ROUNDS	64

/**
 * call_reads() - registers that the call of a helper reads
 * @insn: the call
 *
 * Return: bit n set: register n
 */
static uint16_t call_reads(const struct bpf_insn *insn)
{
	const struct wl_helper *h = wl_find((uint32_t)insn->imm);
	uint16_t reads = 0;

	if (!h)
		return CALL_REGS & ~BIT(BPF_REG_0);
	for (int i = 0; i < WL_ARGS; i++)
		if (h->args[i] != WL_NONE)
			reads |= BIT(BPF_REG_1 + i);
	return reads;
}

/**
 * reads() - registers that an instruction reads
 * @insn: the instruction; no call of an own function
 *
 * Return: bit n set: register n
 */
static uint16_t reads(const struct bpf_insn *insn)
{
	uint16_t by_src = BPF_SRC(insn->code) == BPF_X ? BIT(insn->src_reg) : 0;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return 0;
	case BPF_LDX:
		return BIT(insn->src_reg);
	case BPF_ST:
		return BIT(insn->dst_reg);
	case BPF_STX:
		if (rw_is_atomic(insn) && insn->imm == BPF_CMPXCHG)
			return BIT(insn->dst_reg) | BIT(insn->src_reg) | BIT(BPF_REG_0);
		return BIT(insn->dst_reg) | BIT(insn->src_reg);
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_OP(insn->code) == BPF_MOV)
			return by_src;
		/* The source bit of a byte swap is a direction. */
		if (BPF_OP(insn->code) == BPF_END)
			return BIT(insn->dst_reg);
		return BIT(insn->dst_reg) | by_src;
	}
	if (insn->code == RW_CALL)
		return call_reads(insn);
	if (insn->code == RW_EXIT)
		return BIT(BPF_REG_0);
	return rw_is_ja(insn) || insn->code == RW_MAY_GOTO ? 0 : BIT(insn->dst_reg) | by_src;
}

/**
 * writes() - registers whose old value an instruction ends
 * @insn: the instruction
 *
 * Return: bit n set: register n
 */
static uint16_t writes(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
	case BPF_ALU:
	case BPF_ALU64:
		return BIT(insn->dst_reg);
	case BPF_STX:
		if (!rw_is_atomic(insn) || !(insn->imm & BPF_FETCH))
			return 0;
		return insn->imm == BPF_CMPXCHG ? BIT(BPF_REG_0) : BIT(insn->src_reg);
	}
	return insn->code == RW_CALL ? CALL_REGS : 0;
}

/**
 * rw_liveness() - find the live registers at each instruction
 * @code: the program, decoded
 * @live: result, as many as instructions: bit n set: register n is live there
 */
void rw_liveness(const struct rw_code *code, uint16_t *live)
{
	bool grew = true;

	memset(live, 0, code->cnt * sizeof(*live));
	for (int round = 0; grew; round++) {
		grew = false;
		for (uint32_t i = code->cnt; i--;) {
			uint32_t next[2];
			uint16_t out = 0;

			if (code->flags[i] & RW_I_HALF)
				continue;
			for (unsigned int n = rw_succ(code, i, next); n--;)
				out |= live[next[n]];
			out &= ~writes(&code->insns[i]);
			if (rw_is_subcall(&code->insns[i]))
				out |= live[rw_target(&code->insns[i], i)] & CALL_REGS &
				       ~BIT(BPF_REG_0);
			else
				out |= reads(&code->insns[i]);
			if (round == MAX_ROUNDS)
				out = ALL_REGS;
			grew |= out != live[i];
			live[i] = out;
		}
		if (round == MAX_ROUNDS)
			break;
	}
}
