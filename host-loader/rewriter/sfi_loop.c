// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: loops
 *
 * A barrier at a loop's head ends the verifier's walk of a turn that only a
 * misprediction takes; without one it would follow the loop for ever. Linux before
 * 6.17 does so in spite of it. For those a loop gets a may_goto at its head, of
 * which the verifier believes that it ends the loop. What it allows, eight million
 * turns for each call of the function, is too much for a packet. So the loops count
 * themselves: a turn takes the instructions that it can run off a number in the
 * scratch, which starts with as many as the verifier would look at, and when that is
 * used up it is a fault. An instruction that runs again does so behind a jump back
 * over it, to a head that has counted it.
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
 * weigh() - how many instructions run at most without a jump back?
 * @s: the translation
 * @from: index of the first
 * @to: index behind the last
 *
 * Calls nest no deeper than there are functions.
 *
 * Return: their number, with those of functions that they call; SFI_WORK if more
 */
static uint32_t weigh(struct sfi *s, uint32_t from, uint32_t to)
{
	const struct rw_code *code = s->g->code;
	uint32_t sum = 0;

	for (uint32_t i = from; i < to && sum < SFI_WORK; i++) {
		uint32_t func;

		if (!s->g->an->at[i].seen)
			continue;
		sum++;
		if (!rw_is_subcall(&code->insns[i]))
			continue;
		func = rw_func_at(code, (uint32_t)rw_target(&code->insns[i], i));
		if (!s->weight[func]) {
			/* What it is to a function that calls itself */
			s->weight[func] = SFI_WORK;
			s->weight[func] = weigh(s, code->funcs[func].start, code->funcs[func].end);
		}
		sum += s->weight[func];
	}
	return sum < SFI_WORK ? sum : SFI_WORK;
}

/**
 * count() - emit how a turn of a loop is counted
 * @s: the translation, of a function that needs the scratch
 * @at: index of the loop's head
 */
static void count(struct sfi *s, uint32_t at)
{
	const struct rw_code *code = s->g->code;
	struct sfi_temp base = { 0 }, left = sfi_take(s, at, 0, 0);
	uint32_t end = at;
	uint8_t reg;

	for (uint32_t i = at; i < code->funcs[s->func].end; i++)
		if (!(code->flags[i] & RW_I_HALF) &&
		    (rw_is_ja(&code->insns[i]) || rw_is_cond(&code->insns[i])) &&
		    rw_target(&code->insns[i], i) == at)
			end = i;
	if (!s->scratch_reg)
		base = sfi_take(s, at, (uint16_t)(1u << left.reg), 1);
	reg = sfi_base(s, base.reg);
	rw_emit(&s->g->edit, LDDW, left.reg, reg, SFI_H_LEFT, 0);
	rw_emit(&s->g->edit, ADD_K, left.reg, 0, 0, -(int32_t)weigh(s, at, end + 1));
	rw_emit(&s->g->edit, STDW, reg, left.reg, SFI_H_LEFT, 0);
	sfi_fault(s, JMP_K(BPF_JSLT), left.reg, 0, 0);
	sfi_give_back(s, base);
	sfi_give_back(s, left);
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
		count(s, at);
		sfi_fault(s, RW_MAY_GOTO, 0, 0, 0);
	} else {
		rw_emit(&s->g->edit, STDW, BPF_REG_10, BPF_REG_10, s->loop_slot, 0);
	}
}
