// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Level relaxed: nothing that tells an address gets out
 *
 * At level relaxed the translation is loaded with CAP_PERFMON. The kernel's verifier
 * still sees to it that a program stays in its memory and ends, but no longer that it
 * keeps the host's addresses, and what is left in the host's stack, to itself. That is
 * done here, over what the analysis knows: at each instruction that some path comes to,
 * a register counts as a pointer if it is one on any path, and as nothing if it may
 * have never been written. What is not known to be harmless is refused. The channels,
 * and where they end:
 *
 * - a pointer stored to the packet or to a map's value, whole or in part: a pointer
 *   may only be stored by eight bytes to a known slot of the stack (check_store());
 * - a pointer returned as the verdict (check_exit());
 * - a comparison of a pointer with a number or with another pointer, in 64 or 32 bits,
 *   each a bit of an address. Allowed are NULL checks, and comparisons of pointers
 *   into the packet with each other and with its end (check_compare());
 * - arithmetic that makes a number of a pointer: 32-bit moves, moves with sign
 *   extension, byte swaps, changes of sign, logic, 32-bit sums and differences, pointer
 *   minus pointer. Allowed is the difference of two pointers into the packet, which
 *   is a length (check_alu());
 * - a pointer moved so far that it wraps, as a comparison behind that tells where it
 *   was: packet pointers move by at most MOVE_MAX in one step, and NULL checks are for
 *   pointers that are near what they point into;
 * - a pointer as a helper's number, length or flags (check_helper());
 * - bytes of a pointer in a helper's buffer (keys, values, csum_diff, store_bytes), in
 *   a load that is not the one that gets the whole pointer back, be it narrow, at a
 *   variable offset or behind a store that left a part of it, and under an atomic
 *   operation: RW_TAINT_PARTS, which taint_stack.c tells;
 * - stack that was never written, in a load, a helper's buffer or under an atomic
 *   operation: RW_TAINT_UNSET. Besides, form lite zeroes the stack that a function uses
 *   when it is entered. It has to: what xdp_load_bytes is to fill counts as written,
 *   and stays what it was if that fails;
 * - a pointer as an atomic operation's operand, or in r0 for a compare-and-exchange;
 * - the fields of struct bpf_map, by a load through a map (check_memory());
 * - packet pointers from before a helper that may move the packet: the kernel takes
 *   them for numbers, the analysis for nothing (rw_taint_forget());
 * - a register that is a pointer in one function's call and a number in another's:
 *   facts are of all calls together;
 * - trace_printk, and all other helpers that are not on the list: the translation has
 *   no call of them, at any level.
 *
 * What relaxed gives up for good, because nothing in here could prevent it, is what
 * the verifier does against speculation: it adds no masks to the arithmetic on
 * pointers, no barriers against stores that are passed by (Spectre v4), and it does
 * not follow mispredicted branches (Spectre v1). A tenant at level relaxed may be
 * able to read host memory by side channels on processors that have these faults.
 * That, and that this file must be right, is the difference between the levels.
 */
#include <errno.h>

#include "../../helpers-whitelist/whitelist.h"
#include "refuse.h"
#include "taint.h"

#define ENDS		(RW_PKT | RW_META | RW_END)
#define MEMORY		(RW_PKT | RW_META | RW_VALUE | RW_STACK)

/*
 * How far a packet pointer may be moved at once. No packet is longer, and a loop with
 * all the turns that the kernel allows (2^23) takes it by 2^43 at most: from no
 * address of the kernel's memory for packets across the end of the address space.
 */
#define MOVE_MAX	(1 << 20)

/**
 * struct taint - one check
 * @code: the program
 * @fact: what is known at the instruction at hand
 * @insn: that instruction
 * @at: its index
 * @why: for the sentence
 */
struct taint {
	const struct rw_code *code;
	const struct rw_fact *fact;
	const struct bpf_insn *insn;
	uint32_t at;
	struct text *why;
};

/* Refuse the instruction at hand. */
#define REFUSE(t, ...) rw_refuse((t)->why, -EPERM, (t)->at, __VA_ARGS__)

/**
 * is_pointer() - is a value a pointer on some path?
 * @v: the value
 *
 * Return: true if so
 */
static bool is_pointer(const struct rw_val *v)
{
	return v->kinds & RW_POINTERS;
}

/**
 * is_number() - is a value a number on all paths?
 * @v: the value
 *
 * Return: true if so
 */
static bool is_number(const struct rw_val *v)
{
	return v->kinds == RW_SCALAR;
}

/**
 * in_packet() - is a value a pointer to or into the packet on all paths?
 * @v: the value
 *
 * Return: true if so; it can be NULL as well
 */
static bool in_packet(const struct rw_val *v)
{
	return v->kinds && !(v->kinds & ~ENDS);
}

/**
 * what() - what a register holds, for a sentence
 * @v: what is known of it
 *
 * Return: words behind "r1, "
 */
static const char *what(const struct rw_val *v)
{
	switch (v->kinds) {
	case RW_CTX:
		return "the context";
	case RW_PKT:
	case RW_META:
		return "a packet pointer";
	case RW_END:
		return "the packet's end";
	case RW_MAP:
		return "a map";
	case RW_VALUE:
		return "a pointer into a map's value";
	case RW_STACK:
		return "a pointer into the stack";
	default:
		return "a pointer on some path";
	}
}

/**
 * unset() - refuse the use of a register that may have never been written
 * @t: the check
 * @reg: the register
 *
 * Return: -EPERM
 */
static int unset(const struct taint *t, unsigned int reg)
{
	return REFUSE(t, "uses r%u, which holds nothing on some path, or a packet pointer from "
		      "before the packet moved", reg);
}

/**
 * check_set() - refuse the use of a register that may have never been written
 * @t: the check
 * @reg: the register
 *
 * Return: 0 or -EPERM
 */
static int check_set(const struct taint *t, unsigned int reg)
{
	const struct rw_val *v = &t->fact->reg[reg];

	return !v->kinds || (v->kinds & RW_UNINIT) ? unset(t, reg) : 0;
}

/**
 * operand() - the second operand of arithmetic or a comparison
 * @t: the check
 *
 * Return: what is known of it
 */
static struct rw_val operand(const struct taint *t)
{
	if (BPF_SRC(t->insn->code) == BPF_X)
		return t->fact->reg[t->insn->src_reg];
	return rw_val_const(t->insn->imm);
}

/**
 * check_mov() - moves
 * @t: the check
 *
 * The translation makes the 32-bit move of a packet pointer a move of the pointer.
 *
 * Return: 0 or -EPERM
 */
static int check_mov(const struct taint *t)
{
	const struct bpf_insn *insn = t->insn;
	const struct rw_val *src = &t->fact->reg[insn->src_reg];

	if (BPF_SRC(insn->code) == BPF_K)
		return 0;
	if (check_set(t, insn->src_reg))
		return -EPERM;
	if (!is_pointer(src) || (BPF_CLASS(insn->code) == BPF_ALU64 && !insn->off))
		return 0;
	if (!insn->off && (src->kinds == RW_PKT || src->kinds == RW_END))
		return 0;
	return REFUSE(t, "moves a part of r%u, %s, whose address it would tell", insn->src_reg,
		      what(src));
}

/**
 * moves_far() - may a number move a pointer so far that it wraps?
 * @by: the number
 *
 * Return: true if so
 */
static bool moves_far(const struct rw_val *by)
{
	int64_t min = (int64_t)by->limits.min, max = (int64_t)by->limits.max;

	return min > max || min < -MOVE_MAX || max > MOVE_MAX;
}

/**
 * check_sum() - add and subtract, with a pointer
 * @t: the check
 * @a: the destination
 * @b: the other operand
 *
 * Return: 0 or -EPERM
 */
static int check_sum(const struct taint *t, const struct rw_val *a, const struct rw_val *b)
{
	bool minus = BPF_OP(t->insn->code) == BPF_SUB;
	bool is64 = BPF_CLASS(t->insn->code) == BPF_ALU64;
	const struct rw_val *ptr = is_pointer(a) ? a : b, *by = is_pointer(a) ? b : a;

	if (is_pointer(a) && is_pointer(b)) {
		if (minus && in_packet(a) && in_packet(b) && !a->nullable && !b->nullable)
			return 0;
		return REFUSE(t, minus ? "subtracts r%u, %s, from r%u, %s, which would tell how "
			      "far the host has them apart" : "adds r%u, %s, to r%u, %s, which "
			      "would tell their addresses", t->insn->src_reg, what(b),
			      t->insn->dst_reg, what(a));
	}
	if (!is64 || (minus && ptr == b))
		return REFUSE(t, "makes a number of r%u, %s, whose address it would tell",
			      ptr == a ? t->insn->dst_reg : t->insn->src_reg, what(ptr));
	if ((ptr->kinds & ENDS) && moves_far(by))
		return REFUSE(t, "moves r%u, %s, by a number that may be greater than %d: where "
			      "the sum wraps would tell its address",
			      ptr == a ? t->insn->dst_reg : t->insn->src_reg, what(ptr), MOVE_MAX);
	return 0;
}

/**
 * check_alu() - arithmetic
 * @t: the check
 *
 * Return: 0 or -EPERM
 */
static int check_alu(const struct taint *t)
{
	const struct bpf_insn *insn = t->insn;
	const struct rw_val *a = &t->fact->reg[insn->dst_reg];
	uint8_t op = BPF_OP(insn->code);
	struct rw_val b;

	if (op == BPF_MOV)
		return check_mov(t);
	if (check_set(t, insn->dst_reg))
		return -EPERM;
	/* The source bit of a byte swap is a direction. */
	if (op == BPF_END || op == BPF_NEG)
		return !is_pointer(a) ? 0 :
		       REFUSE(t, "makes a number of r%u, %s, whose address it would tell",
			      insn->dst_reg, what(a));
	if (BPF_SRC(insn->code) == BPF_X && check_set(t, insn->src_reg))
		return -EPERM;
	b = operand(t);
	if (!is_pointer(a) && !is_pointer(&b))
		return 0;
	if (op == BPF_ADD || op == BPF_SUB)
		return check_sum(t, a, &b);
	return REFUSE(t, "makes a number of r%u, %s, whose address it would tell",
		      is_pointer(a) ? insn->dst_reg : insn->src_reg, what(is_pointer(a) ? a : &b));
}

/**
 * check_memory() - is it known what a pointer points into?
 * @t: the check
 * @reg: the register that holds it
 *
 * Of the context form lite takes loads alone, and surely of it.
 *
 * Return: 0 or -EPERM
 */
static int check_memory(const struct taint *t, unsigned int reg)
{
	const struct rw_val *ptr = &t->fact->reg[reg];

	if (check_set(t, reg))
		return -EPERM;
	if (ptr->kinds & RW_MAP)
		return REFUSE(t, "looks through r%u, %s, into the host's kernel, which has "
			      "addresses there", reg, what(ptr));
	if (!(ptr->kinds & (MEMORY | RW_CTX)))
		return REFUSE(t, "uses memory through r%u, of which it is not known what it "
			      "points into", reg);
	return 0;
}

/**
 * check_stack() - what an instruction reads of a stack
 * @t: the check
 *
 * Return: 0 or -EPERM
 */
static int check_stack(const struct taint *t)
{
	if (t->fact->taint & RW_TAINT_PARTS)
		return REFUSE(t, "reads bytes of a pointer from the stack as if they were data, "
			      "which would tell its address");
	if (t->fact->taint & RW_TAINT_UNSET)
		return REFUSE(t, "reads stack that is not written on every path, where the "
			      "host's kernel may have left something");
	return 0;
}

/**
 * check_store() - stores and atomic operations
 * @t: the check
 *
 * Return: 0 or -EPERM
 */
static int check_store(const struct taint *t)
{
	const struct bpf_insn *insn = t->insn;
	const struct rw_val *ptr = &t->fact->reg[insn->dst_reg];
	const struct rw_val *val = &t->fact->reg[insn->src_reg];

	if (check_memory(t, insn->dst_reg) || check_stack(t))
		return -EPERM;
	if (BPF_CLASS(insn->code) == BPF_ST)
		return 0;
	if (check_set(t, insn->src_reg))
		return -EPERM;
	if (rw_is_atomic(insn)) {
		if (is_pointer(val))
			return REFUSE(t, "works on memory with r%u, %s, whose address it would "
				      "tell", insn->src_reg, what(val));
		if (insn->imm != BPF_CMPXCHG)
			return 0;
		val = &t->fact->reg[BPF_REG_0];
		return check_set(t, BPF_REG_0) ? -EPERM : !is_pointer(val) ? 0 :
		       REFUSE(t, "compares memory with r0, %s, whose address it would tell",
			      what(val));
	}
	if (!is_pointer(val))
		return 0;
	if (ptr->kinds != RW_STACK)
		return REFUSE(t, "stores r%u, %s, to %s, where its address can be read",
			      insn->src_reg, what(val),
			      ptr->kinds == RW_PKT ? "the packet" :
			      ptr->kinds == RW_VALUE ? "a map's value" :
			      "memory that is not the stack on some path");
	if (t->fact->taint & RW_TAINT_LOOSE)
		return REFUSE(t, "stores r%u, %s, to the stack, but not as a whole to a slot that "
			      "is known", insn->src_reg, what(val));
	return 0;
}

/**
 * is_near() - is a pointer surely near what it points into?
 * @v: the pointer
 *
 * Return: true if so, and of NULL
 */
static bool is_near(const struct rw_val *v)
{
	int64_t min, max;

	/* Packet pointers never get far. */
	return in_packet(v) || (v->known && v->base == RW_BASE_VALUE) ||
	       rw_val_places(v, &min, &max) || v->kinds == RW_MAP;
}

/**
 * check_compare() - conditional jumps
 * @t: the check
 *
 * Where all paths go the same way the translation does not compare.
 *
 * Return: 0 or -EPERM
 */
static int check_compare(const struct taint *t)
{
	const struct bpf_insn *insn = t->insn;
	const struct rw_val *a = &t->fact->reg[insn->dst_reg], b = operand(t);
	bool is64 = BPF_CLASS(insn->code) == BPF_JMP, by_reg = BPF_SRC(insn->code) == BPF_X;
	uint8_t op = BPF_OP(insn->code);

	if (insn->code == RW_MAY_GOTO || !t->fact->jumps || !t->fact->goes_on)
		return 0;
	if (check_set(t, insn->dst_reg) || (by_reg && check_set(t, insn->src_reg)))
		return -EPERM;
	if (!is_pointer(a) && !is_pointer(&b))
		return 0;
	if (is64 && (op == BPF_JEQ || op == BPF_JNE) &&
	    ((rw_val_is_const(&b, 0) && is_near(a)) || (rw_val_is_const(a, 0) && is_near(&b))))
		return 0;
	if (is64 && op != BPF_JSET && in_packet(a) && in_packet(&b))
		return 0;
	if (is_pointer(a) && is_pointer(&b))
		return REFUSE(t, "compares r%u, %s, with r%u, %s, which tells of their addresses",
			      insn->dst_reg, what(a), insn->src_reg, what(&b));
	return REFUSE(t, "compares r%u, %s, with a number, which tells of its address",
		      is_pointer(a) ? insn->dst_reg : insn->src_reg, what(is_pointer(a) ? a : &b));
}

/**
 * check_exit() - what the program returns
 * @t: the check
 *
 * A function's result is a register of its caller, where it is looked at.
 *
 * Return: 0 or -EPERM
 */
static int check_exit(const struct taint *t)
{
	const struct rw_val *v = &t->fact->reg[BPF_REG_0];

	if (rw_func_at(t->code, t->at))
		return 0;
	if (check_set(t, BPF_REG_0))
		return -EPERM;
	if (is_number(v))
		return 0;
	return REFUSE(t, "returns r0, %s, whose address the verdict would tell of", what(v));
}

/**
 * check_buffer() - memory that a helper works on
 * @t: the check
 * @h: the helper
 * @reg: the register that holds the pointer
 * @null: it may be NULL
 *
 * Return: 0 or -EPERM
 */
static int check_buffer(const struct taint *t, const struct wl_helper *h, unsigned int reg,
			bool null)
{
	const struct rw_val *v = &t->fact->reg[reg];

	if (check_set(t, reg))
		return -EPERM;
	if (v->kinds & ~(uint16_t)(MEMORY | (null ? RW_SCALAR : 0)))
		return REFUSE(t, "hands r%u, which is not surely memory of its own, to helper %s "
			      "as a buffer", reg, h->name);
	if (t->fact->taint & RW_TAINT_PARTS)
		return REFUSE(t, "hands helper %s a buffer in the stack that has bytes of a "
			      "pointer in it, which would tell its address", h->name);
	if (t->fact->taint & RW_TAINT_UNSET)
		return REFUSE(t, "hands helper %s a buffer in the stack that is not written on "
			      "every path, where the host's kernel may have left something",
			      h->name);
	return 0;
}

/**
 * check_helper() - the call of a helper
 * @t: the check
 *
 * Return: 0 or -EPERM
 */
static int check_helper(const struct taint *t)
{
	const struct wl_helper *h = wl_find((uint32_t)t->insn->imm);

	/* What is not called cannot tell anything. */
	if (h && h->skb == WL_SKB_ZERO)
		return 0;
	for (unsigned int i = 0; h && i < WL_ARGS; i++) {
		unsigned int reg = BPF_REG_1 + i;
		const struct rw_val *v = &t->fact->reg[reg];
		int err = 0;

		switch ((enum wl_arg)h->args[i]) {
		case WL_NONE:
			break;
		case WL_CTX:
		case WL_MAP:
			if (v->kinds != (h->args[i] == WL_CTX ? RW_CTX : RW_MAP))
				err = REFUSE(t, "hands r%u to helper %s, which is not surely %s",
					     reg, h->name, h->args[i] == WL_CTX ? "the context" :
					     "a map");
			break;
		case WL_KEY: case WL_VALUE: case WL_MEM: case WL_OUT: case WL_OUT4:
		case WL_MEM_NULL:
			err = check_buffer(t, h, reg, h->args[i] == WL_MEM_NULL);
			break;
		case WL_SIZE:
		case WL_SCALAR:
			if (!is_number(v))
				err = REFUSE(t, "hands r%u, %s, to helper %s as a number, which "
					     "would tell its address", reg, what(v), h->name);
			break;
		case WL_ANY:
			err = check_set(t, reg);
			break;
		}
		if (err)
			return err;
	}
	return h ? 0 : REFUSE(t, "calls a helper that is not known");
}

/**
 * check_insn() - one instruction
 * @t: the check
 *
 * Return: 0 or -EPERM
 */
static int check_insn(const struct taint *t)
{
	const struct bpf_insn *insn = t->insn;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return check_alu(t);
	case BPF_LDX:
		return check_memory(t, insn->src_reg) ? -EPERM : check_stack(t);
	case BPF_ST:
	case BPF_STX:
		return check_store(t);
	case BPF_LD:
		return 0;
	}
	if (insn->code == RW_EXIT)
		return check_exit(t);
	if (insn->code == RW_CALL)
		return rw_is_subcall(insn) ? 0 : check_helper(t);
	return rw_is_ja(insn) ? 0 : check_compare(t);
}

/**
 * rw_taint_insn() - what one instruction would tell
 * @code: the program
 * @an: its analysis, made for level relaxed
 * @at: index of the instruction, no second half of one
 * @why: for one sentence if it would tell something; may be NULL
 *
 * Return: 0 or -EPERM
 */
int rw_taint_insn(const struct rw_code *code, const struct rw_analysis *an, uint32_t at,
		  struct text *why)
{
	const struct taint t = { .code = code, .fact = &an->at[at], .insn = &code->insns[at],
				 .at = at, .why = why };

	return t.fact->seen ? check_insn(&t) : 0;
}

/**
 * rw_taint() - refuse a program that would tell the host's addresses
 * @code: the program
 * @an: its analysis, made for level relaxed
 * @why: for one sentence if it is refused; may be NULL
 *
 * Return: 0 or -EPERM
 */
int rw_taint(const struct rw_code *code, const struct rw_analysis *an, struct text *why)
{
	int err = 0;

	for (uint32_t at = 0; !err && at < code->cnt; at += rw_len(&code->insns[at]))
		err = rw_taint_insn(code, an, at, why);
	return err;
}
