// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: loops
 *
 * A barrier at a loop's head ends the verifier's walk of a turn that only a
 * misprediction takes; without one it would follow the loop for ever. Linux before
 * 6.17 does so in spite of it. For those a loop gets a may_goto at its head: more
 * than the eight million turns that it allows, for each call of the function, are a
 * fault.
 *
 * The host's verifier walks a loop that a may_goto ends until a turn begins with what
 * it has seen before. With all capabilities it lets numbers differ meanwhile, as long as nothing
 * depends on them. Without CAP_PERFMON it stops to do so at the first pointer that
 * is moved by an unknown number, as accesses to the scratch are: from then on each
 * number that a comparison tells it something of makes one more turn, and the walk
 * of what the loop calls anew. So the numbers that a loop changes are made unknown
 * to it, once in each turn, by a zero of which it does not know what it is. The loop
 * ends without them; what they are good for besides, the form checks itself.
 */
#include "sfi.h"

/**
 * writes() - does an instruction change a register?
 * @insn: the instruction
 * @reg: the register
 *
 * Return: true if so; calls do not count, whose registers are dead behind them
 */
static bool writes(const struct bpf_insn *insn, uint8_t reg)
{
	uint8_t class = BPF_CLASS(insn->code);

	return insn->dst_reg == reg && (class == BPF_LD || class == BPF_LDX || class == BPF_ALU ||
					class == BPF_ALU64);
}

/**
 * changed() - the registers that the loops around an instruction change
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: bit n set: register n
 */
static uint16_t changed(const struct sfi *s, uint32_t at)
{
	const struct rw_code *code = s->g->code;
	uint32_t start = at, end = at;
	uint16_t regs = 0;

	for (uint32_t i = at; i < code->funcs[s->func].end; i++) {
		const struct bpf_insn *insn = &code->insns[i];
		int64_t to = rw_target(insn, i);

		if ((code->flags[i] & RW_I_HALF) || (!rw_is_ja(insn) && !rw_is_cond(insn)) ||
		    to > at)
			continue;
		start = to < start ? (uint32_t)to : start;
		end = i;
	}
	for (uint32_t i = start; i <= end; i++)
		for (int r = BPF_REG_0; r < BPF_REG_10; r++)
			if (!(code->flags[i] & RW_I_HALF) && writes(&code->insns[i], r))
				regs |= (uint16_t)(1u << r);
	return regs;
}

/**
 * sfi_forget() - emit how the host's verifier forgets what it knows of a loop's numbers
 * @s: the translation, of a function that needs the scratch
 * @at: index of a may_goto
 */
void sfi_forget(struct sfi *s, uint32_t at)
{
	const struct rw_val *reg = s->g->an->at[at].reg;
	uint16_t regs = s->g->live[at] & changed(s, at);
	struct sfi_temp t;

	for (int r = BPF_REG_0; r < BPF_REG_10; r++)
		if (reg[r].kinds != RW_SCALAR || reg[r].known)
			regs &= (uint16_t)~(1u << r);
	if (!regs)
		return;
	t = sfi_take(s, at, 0, 0);
	sfi_header(s, t.reg, SFI_H_ZERO);
	for (int r = BPF_REG_0; r < BPF_REG_10; r++)
		if (regs >> r & 1)
			rw_emit(&s->g->edit, ADD_X, r, t.reg, 0, 0);
	sfi_give_back(s, t);
}

/**
 * sfi_head() - emit what a loop's head begins with
 * @s: the translation
 * @at: index of the head
 */
void sfi_head(struct sfi *s, uint32_t at)
{
	if (rw_gen_wants_limit(s->g, at)) {
		sfi_forget(s, at);
		sfi_fault(s, RW_MAY_GOTO, 0, 0, 0);
	} else {
		rw_emit(&s->g->edit, STDW, BPF_REG_10, BPF_REG_10, s->loop_slot, 0);
	}
}
