// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a conditional jump tells about the values that it compares.
 */
#include "transfer.h"

/**
 * never_null() - is a value surely a pointer that is not NULL?
 * @v: the value
 *
 * Of map values the host's verifier knows it itself.
 *
 * Return: true if so
 */
static bool never_null(const struct rw_val *v)
{
	return rw_val_is(v, RW_PKT) || rw_val_is(v, RW_META) || rw_val_is(v, RW_END) ||
	       rw_val_is(v, RW_CTX) || rw_val_is(v, RW_STACK);
}

/**
 * same_value() - are two pointers the same place in what one lookup found?
 * @a: one
 * @b: the other
 *
 * Return: true if so, also if both are NULL
 */
static bool same_value(const struct rw_val *a, const struct rw_val *b)
{
	return a->kinds == RW_VALUE && b->kinds == RW_VALUE && a->id && a->id == b->id &&
	       a->known && b->known && a->base == RW_BASE_VALUE && b->base == RW_BASE_VALUE &&
	       a->off == b->off;
}

/**
 * rw_branch_decide() - is it known which way a conditional jump goes?
 * @st: the state before it
 * @insn: the jump
 *
 * Return: 1 if it is taken, 0 if it is not, -1 if either can be
 */
int rw_branch_decide(const struct rw_state *st, const struct bpf_insn *insn)
{
	const struct rw_val *reg = st->frame[st->cur].reg;
	const struct rw_val *a = &reg[insn->dst_reg];
	struct rw_val b = rw_val_const(insn->imm);
	uint8_t op = BPF_OP(insn->code);

	if (insn->code == RW_MAY_GOTO)
		return -1;
	if (BPF_SRC(insn->code) == BPF_X)
		b = reg[insn->src_reg];
	if (BPF_CLASS(insn->code) == BPF_JMP && (op == BPF_JEQ || op == BPF_JNE) &&
	    never_null(a) && rw_val_is_const(&b, 0))
		return op == BPF_JNE;
	if (BPF_CLASS(insn->code) == BPF_JMP && (op == BPF_JEQ || op == BPF_JNE) &&
	    same_value(a, &b))
		return op == BPF_JEQ;
	if (a->kinds != RW_SCALAR || b.kinds != RW_SCALAR)
		return -1;
	return rw_range_decide(op, BPF_CLASS(insn->code) == BPF_JMP, a->limits, b.limits);
}

/**
 * null_known() - one copy of a pointer was compared with NULL
 * @v: a value
 * @id: which lookup's result the pointer is
 * @null: it is NULL
 */
static void null_known(struct rw_val *v, uint32_t id, bool null)
{
	if (v->kinds != RW_VALUE || v->id != id)
		return;
	if (null)
		*v = rw_val_const(0);
	else
		v->nullable = false;
}

/**
 * refine_pointer() - a pointer that can be NULL was compared with NULL
 * @st: the state
 * @v: the register
 * @null: it is NULL on this path
 */
static void refine_pointer(struct rw_state *st, struct rw_val *v, bool null)
{
	uint32_t id = v->id;

	if (v->kinds != RW_VALUE || !id) {
		if (null)
			*v = rw_val_const(0);
		else
			v->nullable = false;
		return;
	}
	for (uint32_t f = 0; f <= st->cur; f++) {
		for (int i = 0; i < RW_REGS; i++)
			null_known(&st->frame[f].reg[i], id, null);
		for (int i = 0; i < RW_SLOTS; i++)
			null_known(&st->frame[f].slot[i].val, id, null);
	}
}

/**
 * struct inside - what was learned of how far the packet reaches
 * @base: as in struct rw_val
 * @range: as in struct rw_val
 */
struct inside {
	uint32_t base;
	int64_t range;
};

/**
 * widen() - tell a packet pointer how far the packet reaches
 * @v: a value
 * @arg: struct inside
 */
static void widen(struct rw_val *v, const void *arg)
{
	const struct inside *in = arg;

	if (v->kinds == RW_PKT && v->known && v->base == in->base && v->range < in->range)
		v->range = (int32_t)in->range;
}

/**
 * refine_packet() - a packet pointer was compared with the packet's end
 * @st: the state
 * @op: BPF_JGT and so on, as if the pointer stood on the left
 * @v: the pointer
 * @taken: the jump is taken
 *
 * The verifier of an XDP program draws the same conclusions.
 */
static void refine_packet(struct rw_state *st, uint8_t op, const struct rw_val *v, bool taken)
{
	struct inside in = { v->base, v->off };

	if (!rw_val_is(v, RW_PKT) || !v->known)
		return;
	if ((op == BPF_JLT && taken) || (op == BPF_JGE && !taken))
		in.range++;
	else if (!(op == BPF_JLE && taken) && !(op == BPF_JGT && !taken))
		return;
	rw_state_each(st, widen, &in);
}

/**
 * refine_ends() - learn from a comparison of two registers
 * @st: the state on that way
 * @insn: the jump
 * @taken: it is taken
 */
static void refine_ends(struct rw_state *st, const struct bpf_insn *insn, bool taken)
{
	static const uint8_t mirrored[16] = {
		[BPF_JGT >> 4] = BPF_JLT, [BPF_JGE >> 4] = BPF_JLE,
		[BPF_JLT >> 4] = BPF_JGT, [BPF_JLE >> 4] = BPF_JGE,
	};
	const struct rw_val *a = &st->frame[st->cur].reg[insn->dst_reg];
	const struct rw_val *b = &st->frame[st->cur].reg[insn->src_reg];
	uint8_t op = BPF_OP(insn->code);

	if (BPF_CLASS(insn->code) != BPF_JMP)
		return;
	if (rw_val_is(b, RW_END) && b->known && !b->off)
		refine_packet(st, op, a, taken);
	else if (rw_val_is(a, RW_END) && a->known && !a->off)
		refine_packet(st, mirrored[op >> 4], b, taken);
}

/**
 * refine_numbers() - learn where two numbers lie from their comparison
 * @insn: the jump
 * @a: its destination register
 * @b: the other operand
 * @taken: it is taken
 */
static void refine_numbers(const struct bpf_insn *insn, struct rw_val *a, struct rw_val *b,
			   bool taken)
{
	struct rw_range x = rw_val_limits(a), y = rw_val_limits(b);

	rw_range_refine(BPF_OP(insn->code), BPF_CLASS(insn->code) == BPF_JMP, taken, &x, &y);
	if (a->kinds == RW_SCALAR)
		rw_val_limit(a, x);
	if (b->kinds == RW_SCALAR)
		rw_val_limit(b, y);
	if (a->known && a->kinds == RW_SCALAR)
		a->redirect = false;
	if (b->known && b->kinds == RW_SCALAR)
		b->redirect = false;
}

/**
 * rw_branch_refine() - learn from the way that a conditional jump goes
 * @st: the state on that way
 * @insn: the jump
 * @taken: it is taken
 */
void rw_branch_refine(struct rw_state *st, const struct bpf_insn *insn, bool taken)
{
	struct rw_val *reg = st->frame[st->cur].reg;
	struct rw_val *v = &reg[insn->dst_reg];
	struct rw_val imm = rw_val_const(insn->imm);
	bool is64 = BPF_CLASS(insn->code) == BPF_JMP;
	uint8_t op = BPF_OP(insn->code);
	bool equal = (op == BPF_JEQ) == taken;

	if (insn->code == RW_MAY_GOTO)
		return;
	if (BPF_SRC(insn->code) == BPF_X) {
		refine_ends(st, insn, taken);
		if (insn->src_reg != insn->dst_reg)
			refine_numbers(insn, v, &reg[insn->src_reg], taken);
		return;
	}
	if ((op == BPF_JEQ || op == BPF_JNE) && v->nullable && is64 && !insn->imm) {
		refine_pointer(st, v, equal);
		return;
	}
	refine_numbers(insn, v, &imm, taken);
	if ((op == BPF_JEQ || op == BPF_JNE) && !equal && insn->imm == XDP_REDIRECT)
		v->redirect = false;
}
