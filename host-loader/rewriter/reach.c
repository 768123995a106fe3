// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A program's reach
 *
 * How far into a packet a program looks at most: the greatest offset behind
 * which nothing of the packet, its length included, can make a difference to
 * what the program does. It is found from the facts that the analysis leaves
 * behind, one instruction at a time, over all that some path comes to.
 *
 * An access counts up to its end. A comparison with the packet's end counts as
 * far as the pointer goes, and one byte more where "equal" is told from "less":
 * to all packets that are at least so long it has the same answer. The packet's
 * end may be kept in registers and in the stack as a whole and handed to own
 * functions; where anything else is done with it, the reach is everything. So it
 * is where a pointer has no limits, and where the packet is changed or measured.
 */
#include "../../helpers-whitelist/whitelist.h"
#include "reach.h"

#define ENDS	(RW_PKT | RW_META | RW_END)	/* kinds that lead to the packet */
#define FAR	0xffff	/* no pointer that XDP takes goes further, nor any of its helpers */

/**
 * struct reach - the search for a program's reach
 * @prog: the program
 * @code: the same, decoded
 * @an: its analysis
 * @most: the reach so far
 * @spills: the packet's end is kept in some stack
 * @pries: some stack is read at an unknown place, or otherwise than by a load
 */
struct reach {
	const struct rw_prog *prog;
	const struct rw_code *code;
	const struct rw_analysis *an;
	int64_t most;
	bool spills;
	bool pries;
};

/**
 * touch() - count bytes that are looked at
 * @r: the search
 * @v: pointer to them
 * @off: added to it
 * @size: number of bytes
 *
 * Return: false if there is no limit
 */
static bool touch(struct reach *r, const struct rw_val *v, int64_t off, uint64_t size)
{
	int64_t min, max;

	if (v->kinds != RW_PKT || !rw_val_places(v, &min, &max) || size > FAR)
		return false;
	max += off + (int64_t)size;
	if (max > r->most)
		r->most = max;
	return r->most <= FAR;
}

/**
 * memory() - count a load, a store or an atomic operation
 * @r: the search
 * @insn: the instruction
 * @reg: the registers in front of it
 *
 * Return: false if there is no limit
 */
static bool memory(struct reach *r, const struct bpf_insn *insn, const struct rw_val *reg)
{
	const struct rw_val *dst = &reg[insn->dst_reg], *src = &reg[insn->src_reg];

	if (BPF_CLASS(insn->code) == BPF_LDX)
		return !(src->kinds & ENDS) || touch(r, src, insn->off, rw_size(insn));
	if (dst->kinds & ENDS)
		return false;
	if (rw_is_atomic(insn) && (dst->kinds & RW_STACK))
		r->pries = true;
	if (BPF_CLASS(insn->code) == BPF_ST || !(src->kinds & ENDS))
		return true;
	r->spills = true;
	return dst->kinds == RW_STACK && rw_size(insn) == 8 && !rw_is_atomic(insn);
}

/**
 * arithmetic() - is arithmetic nothing to do with the packet's length?
 * @insn: the instruction
 * @reg: the registers in front of it
 *
 * Return: true if so
 */
static bool arithmetic(const struct bpf_insn *insn, const struct rw_val *reg)
{
	uint16_t a = BPF_OP(insn->code) == BPF_MOV ? 0 : reg[insn->dst_reg].kinds;
	uint16_t b = BPF_SRC(insn->code) == BPF_X ? reg[insn->src_reg].kinds : 0;
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	/* The source bit of a byte swap is a direction. */
	if (BPF_OP(insn->code) == BPF_END)
		return !(a & ENDS);
	if (!((a | b) & ENDS))
		return true;
	switch (BPF_OP(insn->code)) {
	case BPF_MOV:
		/* The analysis takes a 32-bit copy of such a pointer for a copy. */
		return !insn->off && (is64 || b == RW_PKT || b == RW_END);
	case BPF_ADD:
		return is64 && !((a | b) & RW_END) && !((a & ENDS) && (b & ENDS));
	case BPF_SUB:
		return !((a | b) & RW_END) && (is64 || (a == RW_PKT && b == RW_PKT));
	default:
		return false;
	}
}

/**
 * with_end() - count a comparison of a packet pointer with the packet's end
 * @r: the search
 * @op: BPF_JGT and so on; which of them stands on the left does not matter
 * @v: the pointer
 * @end: the end
 * @left: the pointer stands on the left
 *
 * Return: false if there is no limit
 */
static bool with_end(struct reach *r, uint8_t op, const struct rw_val *v, const struct rw_val *end,
		     bool left)
{
	if (!rw_val_is(end, RW_END) || !end->known || end->off)
		return false;
	switch (op) {
	case BPF_JGT:
	case BPF_JLE:
		return touch(r, v, 0, left ? 0 : 1);
	case BPF_JGE:
	case BPF_JLT:
		return touch(r, v, 0, left ? 1 : 0);
	case BPF_JEQ:
	case BPF_JNE:
		return touch(r, v, 0, 1);
	default:
		return false;
	}
}

/**
 * comparison() - count a conditional jump
 * @r: the search
 * @insn: the jump
 * @reg: the registers in front of it
 *
 * Return: false if there is no limit
 */
static bool comparison(struct reach *r, const struct bpf_insn *insn, const struct rw_val *reg)
{
	const struct rw_val imm = rw_val_const(insn->imm);
	const struct rw_val *a = &reg[insn->dst_reg];
	const struct rw_val *b = BPF_SRC(insn->code) == BPF_X ? &reg[insn->src_reg] : &imm;
	const uint16_t starts = RW_PKT | RW_META;
	uint8_t op = BPF_OP(insn->code);

	if (!((a->kinds | b->kinds) & ENDS))
		return true;
	if (BPF_CLASS(insn->code) != BPF_JMP)
		return false;
	if ((op == BPF_JEQ || op == BPF_JNE) && !(a->kinds & ~ENDS) && rw_val_is_const(b, 0))
		return true;
	if (b->kinds & RW_END)
		return with_end(r, op, a, b, true);
	if (a->kinds & RW_END)
		return with_end(r, op, b, a, false);
	return op != BPF_JSET && !(a->kinds & ~starts) && !(b->kinds & ~starts);
}

/**
 * is_sized() - does a helper's next argument say how long this one is?
 * @arg: which kind of argument it is
 *
 * Return: true if so
 */
static bool is_sized(enum wl_arg arg)
{
	return arg == WL_MEM || arg == WL_MEM_NULL;
}

/**
 * argument() - count what a helper reads of the packet by an argument
 * @r: the search
 * @h: the helper
 * @i: number of the argument, from 0
 * @args: all arguments
 *
 * Return: false if there is no limit
 */
static bool argument(struct reach *r, const struct wl_helper *h, int i, const struct rw_val *args)
{
	const struct rw_map *map = NULL;

	if (h->args[i] == WL_NONE || !(args[i].kinds & ENDS))
		return true;
	if (is_sized(h->args[i]) && i + 1 < WL_ARGS)
		return touch(r, &args[i], 0, rw_val_limits(&args[i + 1]).max);
	if (h->args[i] != WL_KEY && h->args[i] != WL_VALUE)
		return false;
	for (int m = 0; m < i; m++)
		if (h->args[m] == WL_MAP && args[m].map != RW_NONE)
			map = &r->prog->maps[args[m].map];
	return map && touch(r, &args[i], 0,
			    h->args[i] == WL_KEY ? map->key_size : map->value_size);
}

/**
 * helper() - count the call of a helper
 * @r: the search
 * @insn: the call
 * @args: its arguments
 *
 * Return: false if there is no limit
 */
static bool helper(struct reach *r, const struct bpf_insn *insn, const struct rw_val *args)
{
	const struct wl_helper *h = wl_find((uint32_t)insn->imm);
	const struct rw_val start = rw_val_start(RW_PKT);
	struct rw_range off, len;

	switch (insn->imm) {
	case BPF_FUNC_xdp_adjust_head:
	case BPF_FUNC_xdp_adjust_tail:
	case BPF_FUNC_xdp_adjust_meta:
	case BPF_FUNC_xdp_get_buff_len:
	case BPF_FUNC_xdp_store_bytes:
		return false;
	case BPF_FUNC_xdp_load_bytes:
		off = rw_range_low(rw_val_limits(&args[1]), 32);
		len = rw_range_low(rw_val_limits(&args[3]), 32);
		/* Beyond it does not even look at the packet. */
		if (off.min > FAR || len.min > FAR)
			break;
		if (off.max > FAR || !touch(r, &start, (int64_t)off.max, len.max))
			return false;
		break;
	}
	for (int i = 0; h && i < WL_ARGS; i++) {
		/* A helper with the context can look at all of the packet. */
		if (h->args[i] == WL_CTX && insn->imm != BPF_FUNC_xdp_load_bytes)
			return false;
		if (!argument(r, h, i, args))
			return false;
	}
	return h;
}

/**
 * insn_reaches() - count one instruction
 * @r: the search
 * @at: its index
 *
 * Return: false if there is no limit
 */
static bool insn_reaches(struct reach *r, uint32_t at)
{
	const struct bpf_insn *insn = &r->code->insns[at];
	const struct rw_val *reg = r->an->at[at].reg;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return memory(r, insn, reg);
	case BPF_ALU:
	case BPF_ALU64:
		return arithmetic(insn, reg);
	case BPF_LD:
		return true;
	}
	if (insn->code == RW_EXIT)
		return rw_func_at(r->code, at) || !(reg[BPF_REG_0].kinds & ENDS);
	if (insn->code == RW_CALL)
		return rw_is_subcall(insn) || helper(r, insn, &reg[BPF_REG_1]);
	return !rw_is_cond(insn) || comparison(r, insn, reg);
}

/**
 * rw_reach() - find a program's reach
 * @prog: the program
 * @code: the same, decoded
 * @an: its analysis
 *
 * Return: as in struct rw_out
 */
uint32_t rw_reach(const struct rw_prog *prog, const struct rw_code *code,
		  const struct rw_analysis *an)
{
	struct reach r = {
		.prog = prog, .code = code, .an = an, .pries = an->loose_stack != RW_NONE,
	};

	if (an->leaks)
		return RW_REACH_ALL;
	for (uint32_t i = 0; i < code->cnt; i++)
		if (an->at[i].seen && !insn_reaches(&r, i))
			return RW_REACH_ALL;
	return r.spills && r.pries ? RW_REACH_ALL : (uint32_t)r.most;
}
