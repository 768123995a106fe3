// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form lite: the tenant's packet access is kept
 *
 * The host's verifier, without CAP_PERFMON, takes direct packet access at
 * offsets that are constants. What it does not take and lite replaces:
 *
 * - the difference of packet pointers: end - (data + k) is the length minus k;
 * - a packet pointer plus a register that holds a constant: the constant itself;
 * - loops: at a loop's head r10 is stored to the stack. That store gets a
 *   barrier, which ends the verifier's walk of a mispredicted turn; without one
 *   it would follow the loop for ever.
 *
 * At level relaxed all of these are the kernel's to allow and stay as they are, once
 * rw_taint() has found nothing against the program. Instead each function zeroes the
 * stack that it uses before anything else, so that neither a buffer that a helper
 * failed to fill nor a mistake of the analysis tells anything of what was there.
 *
 * What is fetched from the stack by an atomic operation is left to form sfi, which
 * does it step by step; and at level relaxed the stack is used at constant offsets
 * alone. Verifiers were seen to take what is read there for another number than it is.
 *
 * What lite cannot do is refused in words, with -EOPNOTSUPP, so that another
 * form can be tried. Code that no path reaches is left away, and so is the side
 * of a branch that is never taken.
 */
#include <errno.h>
#include <stddef.h>

#include "gen.h"
#include "refuse.h"

/**
 * struct lite - one translation into form lite
 * @g: the translation
 * @func: index of the function at hand
 * @ctx_slot: offset from r10 where that function keeps the context, or 0
 * @loop_slot: offset from r10 for the store at loop heads, or 0
 */
struct lite {
	struct rw_gen *g;
	uint32_t func;
	int16_t ctx_slot;
	int16_t loop_slot;
};

/**
 * is_relaxed() - is the translation one for level relaxed?
 * @g: the translation
 *
 * Return: true if so
 */
static bool is_relaxed(const struct rw_gen *g)
{
	return g->opts->level == RW_LEVEL_RELAXED;
}

/**
 * ctx_reg() - a register that holds the context at an instruction
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: the register, or RW_REGS if there is none
 */
static uint8_t ctx_reg(const struct rw_gen *g, uint32_t at)
{
	uint8_t reg = 0;

	while (reg < RW_REGS && !rw_gen_is_ctx(&g->an->at[at].reg[reg]))
		reg++;
	return reg;
}

/**
 * operand() - what is known of the second operand of arithmetic
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: the value
 */
static struct rw_val operand(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	if (BPF_SRC(insn->code) == BPF_X)
		return g->an->at[at].reg[insn->src_reg];
	return rw_val_const(insn->imm);
}

/**
 * is_difference() - is it a subtraction of pointers into the packet?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if both operands can be such
 */
static bool is_difference(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	const uint16_t ends = RW_PKT | RW_END;

	if (BPF_CLASS(insn->code) != BPF_ALU && BPF_CLASS(insn->code) != BPF_ALU64)
		return false;
	return BPF_OP(insn->code) == BPF_SUB && BPF_SRC(insn->code) == BPF_X &&
	       (g->an->at[at].reg[insn->dst_reg].kinds & ends) &&
	       (g->an->at[at].reg[insn->src_reg].kinds & ends);
}

/**
 * wants_len() - does an instruction's result depend on the packet's length?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if so
 */
static bool wants_len(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	return is_difference(g, at) && g->an->at[at].reg[insn->dst_reg].kinds !=
					       g->an->at[at].reg[insn->src_reg].kinds;
}

/**
 * needs_len() - does a function need the packet's length without a context at hand?
 * @g: the translation
 * @func: the function
 *
 * Return: index of an instruction that does, or RW_NONE
 */
static uint32_t needs_len(const struct rw_gen *g, const struct rw_func *func)
{
	for (uint32_t i = func->start; i < func->end; i++)
		if (g->an->at[i].seen && wants_len(g, i) && ctx_reg(g, i) == RW_REGS)
			return i;
	return RW_NONE;
}

/**
 * zero_stack() - zero the stack that a function uses
 * @l: the translation, at the function's beginning
 */
static void zero_stack(struct lite *l)
{
	struct rw_gen *g = l->g;

	for (int off = -((g->an->stack[l->func] + 7) & ~7); off < 0; off += 8)
		rw_emit(&g->edit, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, (int16_t)off, 0);
}

/**
 * begin_func() - lay out a function's own slots and emit its prologue
 * @l: the translation
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int begin_func(struct lite *l)
{
	struct rw_gen *g = l->g;
	const struct rw_func *func = &g->code->funcs[l->func];
	int below = -((g->an->stack[l->func] + 7) & ~7);
	uint32_t len = is_relaxed(g) ? RW_NONE : needs_len(g, func);
	uint8_t ctx = ctx_reg(g, func->start);

	l->ctx_slot = 0;
	l->loop_slot = 0;
	if (len != RW_NONE && ctx == RW_REGS)
		return CANNOT(g, len, "needs the packet's length in a function that does not "
			      "get the context as an argument");
	if (len != RW_NONE)
		l->ctx_slot = (int16_t)(below -= 8);
	if (!is_relaxed(g) && rw_gen_has_loop(g, func))
		l->loop_slot = (int16_t)(below -= 8);
	if (!l->func)
		g->target_slot = (int16_t)(below -= 8 * (int)g->target->slots);
	if (below < -RW_STACK_MAX)
		return CANNOT(g, func->start, "the function uses %u bytes of stack, and its "
			      "translation needs %d, which is over the limit of %d",
			      g->an->stack[l->func], -below, RW_STACK_MAX);
	rw_edit_own(&g->edit);
	rw_edit_place(&g->edit, rw_edit_func(&g->edit, l->func));
	if (is_relaxed(g))
		zero_stack(l);
	if (l->ctx_slot)
		rw_emit(&g->edit, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, ctx, l->ctx_slot, 0);
	return 0;
}

/**
 * emit_len() - put the packet's length into a register
 * @l: the translation
 * @at: index of the instruction that wants it
 * @dst: the register
 */
static void emit_len(struct lite *l, uint32_t at, uint8_t dst)
{
	struct rw_gen *g = l->g;
	uint8_t ctx = ctx_reg(g, at);

	if (ctx == RW_REGS) {
		rw_emit(&g->edit, BPF_LDX | BPF_MEM | BPF_DW, dst, BPF_REG_10, l->ctx_slot, 0);
		ctx = dst;
	}
	g->target->len(g, dst, ctx);
}

/**
 * difference() - the difference of two pointers into the packet
 * @l: the translation
 * @at: index of the subtraction
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int difference(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *a = &g->an->at[at].reg[insn->dst_reg];
	const struct rw_val *b = &g->an->at[at].reg[insn->src_reg];
	uint8_t class = BPF_CLASS(insn->code), dst = insn->dst_reg;
	int64_t k;

	if ((!rw_val_is(a, RW_PKT) && !rw_val_is(a, RW_END)) ||
	    (!rw_val_is(b, RW_PKT) && !rw_val_is(b, RW_END)))
		return CANNOT(g, at, "subtracts r%u from r%u, which are different kinds of "
			      "pointers on different paths", insn->src_reg, dst);
	if (!a->known || !b->known || a->base != b->base)
		return CANNOT(g, at, "subtracts packet pointers at an offset that is not constant");
	k = a->off - b->off;
	if (a->kinds == b->kinds) {
		rw_emit(&g->edit, class | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)k);
		return 0;
	}
	emit_len(l, at, dst);
	if (a->kinds == RW_PKT)
		rw_emit(&g->edit, class | BPF_NEG, dst, 0, 0, 0);
	if (k)
		rw_emit(&g->edit, class | BPF_ADD | BPF_K, dst, 0, 0, (int32_t)k);
	return 0;
}

/**
 * moved() - a packet pointer plus or minus a register
 * @g: the translation
 * @at: index of the instruction
 * @ptr: what is known of the pointer
 * @by: what is known of the number
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int moved(struct rw_gen *g, uint32_t at, const struct rw_val *ptr, const struct rw_val *by)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	if (!rw_val_is(ptr, RW_PKT) || by->kinds != RW_SCALAR)
		return CANNOT(g, at, "moves a pointer that is a packet pointer on some paths "
			      "and something else on others");
	if (!by->known || by->off > RW_OFF_MAX || by->off < -RW_OFF_MAX)
		return CANNOT(g, at, "moves a packet pointer by a number that is not constant, "
			      "which the host's verifier does not allow");
	if (ptr != &g->an->at[at].reg[insn->dst_reg])
		rw_emit(&g->edit, BPF_ALU64 | BPF_MOV | BPF_X, insn->dst_reg, insn->src_reg, 0, 0);
	rw_emit(&g->edit, BPF_ALU64 | BPF_OP(insn->code) | BPF_K, insn->dst_reg, 0, 0,
		(int32_t)by->off);
	return 0;
}

/**
 * lite_alu() - arithmetic
 * @l: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int lite_alu(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *a = &g->an->at[at].reg[insn->dst_reg];
	const struct rw_val b = operand(g, at);
	uint8_t op = BPF_OP(insn->code);
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64, strict = !is_relaxed(g);

	if (strict && is_difference(g, at))
		return difference(l, at);
	if (strict && BPF_SRC(insn->code) == BPF_X && is64 && (op == BPF_ADD || op == BPF_SUB)) {
		const struct rw_val *src = &g->an->at[at].reg[insn->src_reg];

		if (a->kinds & RW_PKT)
			return moved(g, at, a, src);
		if ((src->kinds & RW_PKT) && op == BPF_ADD)
			return moved(g, at, src, a);
	}
	if (!strict && BPF_SRC(insn->code) == BPF_X && (op == BPF_ADD || op == BPF_SUB) &&
	    ((a->kinds | b.kinds) & RW_STACK))
		return CANNOT(g, at, "moves a pointer into the stack by a register; at level "
			      "relaxed the stack is used at constant offsets alone");
	/* The analysis takes a 32-bit copy of such a pointer for a copy. */
	if (op == BPF_MOV && !is64 && !insn->off && (b.kinds == RW_PKT || b.kinds == RW_END)) {
		rw_emit(&g->edit, BPF_ALU64 | BPF_MOV | BPF_X, insn->dst_reg, insn->src_reg, 0, 0);
		return 0;
	}
	rw_emit_insn(&g->edit, insn);
	return 0;
}

/**
 * lite_load() - loads
 * @l: the translation
 * @at: index of the instruction
 *
 * Return: 0, -EINVAL or -EOPNOTSUPP
 */
static int lite_load(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *ptr = &g->an->at[at].reg[insn->src_reg];
	int err;

	if (!(ptr->kinds & RW_CTX)) {
		rw_emit_insn(&g->edit, insn);
		return 0;
	}
	err = rw_gen_check_ctx(g, at);
	if (err)
		return err;
	switch (insn->off) {
	case offsetof(struct xdp_md, data):
		g->target->pkt_load(g, at, RW_PKT);
		return 0;
	case offsetof(struct xdp_md, data_end):
		g->target->pkt_load(g, at, RW_END);
		return 0;
	case offsetof(struct xdp_md, data_meta):
		return CANNOT(g, at, "reads ctx->data_meta: there is room in front of a copy of "
			      "the packet only (form sfi)");
	default:
		return g->target->ctx_load(g, at);
	}
}

/**
 * lite_store() - stores and atomic operations
 * @l: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EINVAL
 */
static int lite_store(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;
	const struct bpf_insn *insn = &g->code->insns[at];

	if (g->an->at[at].reg[insn->dst_reg].kinds & RW_CTX)
		return rw_refuse(g->why, -EINVAL, at, "stores to the context, which is read-only");
	if (rw_gen_fetches(g, at))
		return CANNOT(g, at, "fetches from the stack by an atomic operation, where the "
			      "host's verifier can lose track of what is there");
	rw_emit_insn(&g->edit, insn);
	return 0;
}

/**
 * keeps_pointers() - does a program use packet pointers from before a call behind it?
 * @g: the translation
 * @at: index of the call
 *
 * Return: true if a register that is read later holds one
 */
static bool keeps_pointers(const struct rw_gen *g, uint32_t at)
{
	for (int reg = BPF_REG_6; reg < BPF_REG_10; reg++)
		if ((g->live[at + 1] >> reg & 1) &&
		    (g->an->at[at].reg[reg].kinds & (RW_PKT | RW_END)))
			return true;
	return false;
}

/**
 * lite_jmp() - jumps, calls and exits
 * @l: the translation
 * @at: index of the instruction
 *
 * Return: 0 or a negative errno
 */
static int lite_jmp(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;
	const struct bpf_insn *insn = &g->code->insns[at];

	if (insn->code == RW_CALL && !insn->src_reg && insn->imm == BPF_FUNC_xdp_store_bytes &&
	    keeps_pointers(g, at))
		return CANNOT(g, at, "keeps packet pointers across xdp_store_bytes, behind which "
			      "the host's verifier does not know them any more");
	if (insn->code == RW_CALL && !rw_is_subcall(insn))
		return g->target->helper(g, at, wl_find((uint32_t)insn->imm));
	return rw_gen_jump(g, at);
}

/**
 * lite_insn() - one instruction
 * @l: the translation
 * @at: index of the instruction
 *
 * Return: 0 or a negative errno
 */
static int lite_insn(struct lite *l, uint32_t at)
{
	struct rw_gen *g = l->g;

	rw_edit_at(&g->edit, at);
	if (rw_gen_wants_limit(g, at))
		return CANNOT(g, at, "is where a loop begins, which the host's verifier, older "
			      "than Linux 6.17, would follow for ever");
	if (!is_relaxed(g) && (g->code->flags[at] & RW_I_HEAD))
		rw_emit(&g->edit, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_10,
			l->loop_slot, 0);
	switch (BPF_CLASS(g->code->insns[at].code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return lite_alu(l, at);
	case BPF_LDX:
		return lite_load(l, at);
	case BPF_ST:
	case BPF_STX:
		return lite_store(l, at);
	case BPF_LD:
		rw_emit_insn(&g->edit, &g->code->insns[at]);
		return 0;
	default:
		return lite_jmp(l, at);
	}
}

/**
 * rw_form_lite() - translate a program into form lite
 * @g: the translation; its output is complete afterwards
 *
 * Return: 0; -EOPNOTSUPP for what another form may be able to do; another
 *         negative errno for what none can
 */
int rw_form_lite(struct rw_gen *g)
{
	struct lite l = { .g = g };

	if (!is_relaxed(g) && g->an->loose_stack != RW_NONE)
		return CANNOT(g, g->an->loose_stack,
			      "uses the stack at an offset that is not constant");
	for (l.func = 0; l.func < g->code->func_cnt; l.func++) {
		const struct rw_func *func = &g->code->funcs[l.func];
		int err = 0;

		if (!g->an->at[func->start].seen)
			continue;
		err = begin_func(&l);
		for (uint32_t i = func->start; !err && i < func->end; i++)
			if (g->an->at[i].seen)
				err = lite_insn(&l, i);
		if (err)
			return err;
		if (!l.func) {
			rw_edit_own(&g->edit);
			rw_edit_place(&g->edit, g->epilogue);
			g->target->verdict(g);
			g->target->finish(g);
		}
	}
	return 0;
}
