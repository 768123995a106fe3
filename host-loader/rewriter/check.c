// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The structural check of hostile bytecode
 *
 * Each instruction on its own, by class: its opcode is one that a compiler
 * emits at cpu v1 to v4, its unused fields are zero, its registers exist, r10
 * is not written, the map it names is the tenant's, the helper it calls is on
 * the list. How instructions hang together (jumps and functions) is the
 * decoder's to check; rw_check() asks both. What passes can still be a wrong
 * program, but everything behind this can rely on its form.
 */
#include <errno.h>

#include "../../helpers-whitelist/whitelist.h"
#include "check.h"
#include "decode.h"
#include "insn.h"
#include "refuse.h"

/**
 * struct check - one run of the check
 * @prog: the program
 * @why: for the sentence
 * @at: index of the instruction that is looked at
 */
struct check {
	const struct rw_prog *prog;
	struct text *why;
	uint32_t at;
};

/* Refuse the instruction at hand as malformed. */
#define MALFORMED(c, ...) rw_refuse((c)->why, -EINVAL, (c)->at, __VA_ARGS__)

/**
 * reserved() - refuse an instruction with a field that should be zero
 * @c: the check
 *
 * Return: -EINVAL
 */
static int reserved(const struct check *c)
{
	const struct bpf_insn *insn = &c->prog->insns[c->at];

	return MALFORMED(c, "opcode 0x%02x uses a reserved field", insn->code);
}

/**
 * unknown() - refuse an instruction with an opcode that nobody knows
 * @c: the check
 *
 * Return: -EINVAL
 */
static int unknown(const struct check *c)
{
	const struct bpf_insn *insn = &c->prog->insns[c->at];

	return MALFORMED(c, "opcode 0x%02x (offset %d, immediate %d) is not known", insn->code,
			 insn->off, insn->imm);
}

/**
 * check_dst() - is the register that is written one that may be?
 * @c: the check
 * @reg: its number
 *
 * Return: 0 or -EINVAL
 */
static int check_dst(const struct check *c, unsigned int reg)
{
	if (reg == BPF_REG_10)
		return MALFORMED(c, "r10 is read-only");
	if (reg >= RW_REGS)
		return MALFORMED(c, "there is no register r%u", reg);
	return 0;
}

/**
 * check_src() - does a register that is read exist?
 * @c: the check
 * @reg: its number
 *
 * Return: 0 or -EINVAL
 */
static int check_src(const struct check *c, unsigned int reg)
{
	if (reg >= RW_REGS)
		return MALFORMED(c, "there is no register r%u", reg);
	return 0;
}

/**
 * check_end() - byte swaps
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_end(const struct check *c, const struct bpf_insn *insn)
{
	/* ALU64 has the unconditional swap alone, which needs no direction. */
	if (BPF_CLASS(insn->code) == BPF_ALU64 && BPF_SRC(insn->code))
		return unknown(c);
	if (insn->imm != 16 && insn->imm != 32 && insn->imm != 64)
		return MALFORMED(c, "a byte swap of %d bits is not known", insn->imm);
	if (insn->src_reg || insn->off)
		return reserved(c);
	return check_dst(c, insn->dst_reg);
}

/**
 * check_alu_off() - the offset field of arithmetic: which variant is meant
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_alu_off(const struct check *c, const struct bpf_insn *insn)
{
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	if (!insn->off)
		return 0;
	switch (BPF_OP(insn->code)) {
	case BPF_MOV:	/* with sign extension */
		if (BPF_SRC(insn->code) != BPF_X)
			break;
		if (insn->off == 8 || insn->off == 16 || (is64 && insn->off == 32))
			return 0;
		break;
	case BPF_DIV:	/* signed */
	case BPF_MOD:
		if (insn->off == 1)
			return 0;
		break;
	}
	return reserved(c);
}

/**
 * check_alu() - arithmetic
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_alu(const struct check *c, const struct bpf_insn *insn)
{
	int bits = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;
	bool by_reg = BPF_SRC(insn->code) == BPF_X;

	switch (BPF_OP(insn->code)) {
	case BPF_END:
		return check_end(c, insn);
	case BPF_NEG:
		if (by_reg || insn->src_reg || insn->off || insn->imm)
			return reserved(c);
		return check_dst(c, insn->dst_reg);
	case BPF_ADD: case BPF_SUB: case BPF_MUL: case BPF_OR: case BPF_AND: case BPF_XOR:
	case BPF_MOV:
		break;
	case BPF_DIV: case BPF_MOD:
		if (!by_reg && !insn->imm)
			return MALFORMED(c, "division by zero");
		break;
	case BPF_LSH: case BPF_RSH: case BPF_ARSH:
		if (!by_reg && (insn->imm < 0 || insn->imm >= bits))
			return MALFORMED(c, "a shift by %d", insn->imm);
		break;
	default:
		return unknown(c);
	}
	if (check_alu_off(c, insn))
		return -EINVAL;
	if (by_reg ? insn->imm : insn->src_reg)
		return reserved(c);
	if (by_reg && check_src(c, insn->src_reg))
		return -EINVAL;
	return check_dst(c, insn->dst_reg);
}

/**
 * check_wide() - a 64-bit immediate or the reference to a map
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_wide(const struct check *c, const struct bpf_insn *insn)
{
	const struct bpf_insn *half = insn + 1;
	bool all = c->prog->profile == RW_PROFILE_ALL;

	if (c->at + 1 >= c->prog->cnt)
		return MALFORMED(c, "the second half of a 64-bit load is missing");
	if (half->code || half->dst_reg || half->src_reg || half->off || insn->off)
		return reserved(c);
	if (check_dst(c, insn->dst_reg))
		return -EINVAL;
	switch (insn->src_reg) {
	case 0:
		return 0;
	case BPF_PSEUDO_MAP_VALUE:
		if (!all)
			return MALFORMED(c, "global data is not offered: use an array map");
		if (half->imm < 0)
			return reserved(c);
		break;
	case BPF_PSEUDO_MAP_FD:
		if (half->imm)
			return reserved(c);
		break;
	case BPF_PSEUDO_FUNC:
		return MALFORMED(c, "the address of a function is not offered");
	case BPF_PSEUDO_BTF_ID:
		return MALFORMED(c, "a variable of the kernel is not offered");
	case BPF_PSEUDO_MAP_IDX_VALUE:
		return MALFORMED(c, "global data is not offered: use an array map");
	default:
		return MALFORMED(c, "a 64-bit load of kind %u is not known", insn->src_reg);
	}
	if (rw_find_map(c->prog, (uint32_t)insn->imm) == RW_NONE)
		return MALFORMED(c, "there is no map with handle %u", (uint32_t)insn->imm);
	return 0;
}

/**
 * check_ld() - class LD: 64-bit immediates and what is left of classic BPF
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_ld(const struct check *c, const struct bpf_insn *insn)
{
	if (insn->code == RW_WIDE)
		return check_wide(c, insn);
	if (BPF_MODE(insn->code) == BPF_ABS || BPF_MODE(insn->code) == BPF_IND)
		return MALFORMED(c, "classic BPF packet loads are not for XDP");
	return unknown(c);
}

/**
 * check_ldx() - loads
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_ldx(const struct check *c, const struct bpf_insn *insn)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_MEM:
		break;
	case BPF_MEMSX:
		if (BPF_SIZE(insn->code) == BPF_DW)
			return unknown(c);
		break;
	default:
		return unknown(c);
	}
	if (insn->imm)
		return reserved(c);
	if (check_src(c, insn->src_reg))
		return -EINVAL;
	return check_dst(c, insn->dst_reg);
}

/**
 * check_st() - stores of an immediate
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_st(const struct check *c, const struct bpf_insn *insn)
{
	if (BPF_MODE(insn->code) != BPF_MEM)
		return unknown(c);
	if (insn->src_reg)
		return reserved(c);
	return check_src(c, insn->dst_reg);
}

/**
 * check_stx() - stores of a register, and atomic operations
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0 or -EINVAL
 */
static int check_stx(const struct check *c, const struct bpf_insn *insn)
{
	if (check_src(c, insn->dst_reg) || check_src(c, insn->src_reg))
		return -EINVAL;
	if (BPF_MODE(insn->code) == BPF_MEM)
		return insn->imm ? reserved(c) : 0;
	if (!rw_is_atomic(insn))
		return unknown(c);
	if (BPF_SIZE(insn->code) != BPF_W && BPF_SIZE(insn->code) != BPF_DW)
		return unknown(c);
	switch (insn->imm) {
	case BPF_ADD: case BPF_AND: case BPF_OR: case BPF_XOR:
	case BPF_CMPXCHG:
		return 0;
	case BPF_ADD | BPF_FETCH: case BPF_AND | BPF_FETCH:
	case BPF_OR | BPF_FETCH: case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
		return check_dst(c, insn->src_reg);
	}
	return unknown(c);
}

/**
 * check_call() - calls of helpers and of own functions
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0, -EINVAL for a malformed call, -EPERM for a helper that is not
 *         allowed
 */
static int check_call(const struct check *c, const struct bpf_insn *insn)
{
	const struct wl_helper *h;
	uint32_t id = (uint32_t)insn->imm;

	if (insn->dst_reg || insn->off)
		return reserved(c);
	if (insn->src_reg == BPF_PSEUDO_CALL)
		return 0;
	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return rw_refuse(c->why, -EPERM, c->at,
				 "kernel functions (kfuncs) are not allowed");
	if (insn->src_reg)
		return MALFORMED(c, "a call of kind %u is not known", insn->src_reg);
	h = wl_find(id);
	if (!h)
		return rw_refuse(c->why, -EPERM, c->at,
				 "helper %u is not allowed: it is not on the list of helpers", id);
	if (c->prog->profile == RW_PROFILE_ALL && h->skb != WL_SKB_NONE)
		return 0;
	if (h->reason)
		return rw_refuse(c->why, -EPERM, c->at, "helper %s (%u) is not allowed: %s",
				 h->name, id, h->reason);
	if (h->profile & ~c->prog->profile)
		return rw_refuse(c->why, -EPERM, c->at, "helper %s (%u) is for ports with the"
				 " helpers \"%s\", which this one does not have; ask the host's"
				 " operator", h->name, id, wl_profile(h->profile));
	return 0;
}

/**
 * check_may_goto() - a jump that the kernel takes when a loop takes too long
 * @c: the check
 * @insn: the instruction
 *
 * What the kernel grants a loop, up to a quarter of a second, it grants it anew in
 * each call of its function: no limit of the verifier's says how long a packet takes.
 *
 * Return: 0, -EINVAL, or -EPERM for a program that is not one for measurements
 */
static int check_may_goto(const struct check *c, const struct bpf_insn *insn)
{
	if (insn->dst_reg || insn->src_reg || insn->imm)
		return reserved(c);
	if (c->prog->profile == RW_PROFILE_ALL)
		return 0;
	return rw_refuse(c->why, -EPERM, c->at,
			 "may_goto is not allowed: it lets a loop take the host's CPU for as long "
			 "as it likes; give the loop a limit that the verifier can see");
}

/**
 * check_jmp() - jumps, calls and exits
 * @c: the check
 * @insn: the instruction
 *
 * Return: 0, -EINVAL, or -EPERM for a helper that is not allowed
 */
static int check_jmp(const struct check *c, const struct bpf_insn *insn)
{
	if (insn->code == RW_CALL)
		return check_call(c, insn);
	if (insn->code == RW_EXIT)
		return insn->dst_reg || insn->src_reg || insn->off || insn->imm ? reserved(c) : 0;
	if (rw_is_ja(insn)) {
		if (insn->dst_reg || insn->src_reg)
			return reserved(c);
		return (insn->code == RW_JA ? insn->imm : insn->off) ? reserved(c) : 0;
	}
	if (insn->code == RW_MAY_GOTO)
		return check_may_goto(c, insn);
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ: case BPF_JNE: case BPF_JSET: case BPF_JGT: case BPF_JGE: case BPF_JLT:
	case BPF_JLE: case BPF_JSGT: case BPF_JSGE: case BPF_JSLT: case BPF_JSLE:
		break;
	default:
		return unknown(c);
	}
	if (BPF_SRC(insn->code) == BPF_X ? insn->imm : insn->src_reg)
		return reserved(c);
	if (check_src(c, insn->src_reg))
		return -EINVAL;
	return check_src(c, insn->dst_reg);
}

/**
 * rw_find_map() - look a map up by its handle
 * @prog: the program, with the tenant's maps
 * @handle: as the bytecode names it
 *
 * Return: index into @prog's maps, or RW_NONE
 */
uint32_t rw_find_map(const struct rw_prog *prog, uint32_t handle)
{
	for (uint32_t i = 0; i < prog->map_cnt; i++)
		if (prog->maps[i].handle == handle)
			return i;
	return RW_NONE;
}

/**
 * rw_check_insns() - check each instruction on its own
 * @prog: the program, unchecked
 * @max_insns: how many instructions it may have
 * @why: for the sentence if it is refused; may be NULL
 *
 * Return: 0; -E2BIG if it is too long; -EINVAL if it is malformed; -EPERM if it
 *         calls what it must not
 */
int rw_check_insns(const struct rw_prog *prog, uint32_t max_insns, struct text *why)
{
	static int (*const by_class[8])(const struct check *, const struct bpf_insn *) = {
		[BPF_LD] = check_ld,   [BPF_LDX] = check_ldx,	[BPF_ST] = check_st,
		[BPF_STX] = check_stx, [BPF_ALU] = check_alu,	[BPF_JMP] = check_jmp,
		[BPF_JMP32] = check_jmp, [BPF_ALU64] = check_alu,
	};
	struct check c = { .prog = prog, .why = why };

	if (!prog->cnt)
		return rw_refuse(why, -EINVAL, RW_NONE, "the program has no instructions");
	if (prog->cnt > max_insns)
		return rw_refuse(why, -E2BIG, RW_NONE,
				 "the program has %u instructions, the limit is %u", prog->cnt,
				 max_insns);
	while (c.at < prog->cnt) {
		const struct bpf_insn *insn = &prog->insns[c.at];
		int err;

		/* JMP32 has neither calls nor exits. */
		if (BPF_CLASS(insn->code) == BPF_JMP32 &&
		    (BPF_OP(insn->code) == BPF_CALL || BPF_OP(insn->code) == BPF_EXIT))
			return unknown(&c);
		err = by_class[BPF_CLASS(insn->code)](&c, insn);
		if (err)
			return err;
		c.at += rw_len(insn);
	}
	return 0;
}

/**
 * rw_check() - check the form of a tenant's program
 * @prog: the program, unchecked
 * @max_insns: how many instructions it may have
 * @why: for one sentence if it is refused; may be NULL
 *
 * Return: 0; -E2BIG if it is too long; -EINVAL if it is malformed; -EPERM if it
 *         calls what it must not; -ENOMEM
 */
int rw_check(const struct rw_prog *prog, uint32_t max_insns, struct text *why)
{
	struct rw_code code;
	int err;

	err = rw_check_insns(prog, max_insns, why);
	if (err)
		return err;
	err = rw_decode(prog, &code, why);
	if (!err)
		rw_code_free(&code);
	return err;
}
