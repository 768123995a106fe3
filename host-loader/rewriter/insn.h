/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_INSN_H
#define REWRITER_INSN_H
/*
 * Small questions about one BPF instruction, and the opcodes that the oldest
 * supported <linux/bpf.h> does not name.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef BPF_MEMSX
#define BPF_MEMSX	0x80	/* mode of a load that extends the sign */
#endif

#define RW_WIDE		(BPF_LD | BPF_IMM | BPF_DW)	/* takes two slots */
#define RW_JA		(BPF_JMP | BPF_JA)
#define RW_GOTOL	(BPF_JMP32 | BPF_JA)		/* the offset is in imm */
#define RW_CALL		(BPF_JMP | BPF_CALL)
#define RW_EXIT		(BPF_JMP | BPF_EXIT)

#define RW_MAY_GOTO	(BPF_JMP | 0xe0)		/* jumps when a loop takes too long */

#define RW_REGS		11	/* r0 to r10 */
#define RW_STACK_MAX	512	/* bytes of stack in one function */
#define RW_NONE		UINT32_MAX

/**
 * rw_is_jmp() - is it of one of the two jump classes?
 * @insn: the instruction
 *
 * Return: true also for calls and exits
 */
static inline bool rw_is_jmp(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
}

/**
 * rw_is_ja() - is it an unconditional jump?
 * @insn: the instruction
 *
 * Return: true for both lengths of it
 */
static inline bool rw_is_ja(const struct bpf_insn *insn)
{
	return insn->code == RW_JA || insn->code == RW_GOTOL;
}

/**
 * rw_is_cond() - is it a conditional jump?
 * @insn: the instruction
 *
 * Return: true if so
 */
static inline bool rw_is_cond(const struct bpf_insn *insn)
{
	return rw_is_jmp(insn) && !rw_is_ja(insn) && insn->code != RW_CALL &&
	       insn->code != RW_EXIT;
}

/**
 * rw_is_subcall() - is it a call of one of the program's own functions?
 * @insn: the instruction
 *
 * Return: true if so
 */
static inline bool rw_is_subcall(const struct bpf_insn *insn)
{
	return insn->code == RW_CALL && insn->src_reg == BPF_PSEUDO_CALL;
}

/**
 * rw_moves_packet() - is it a call that moves the packet's start, end or metadata?
 * @insn: the instruction
 *
 * Return: true if so; pointers into the packet are void behind it
 */
static inline bool rw_moves_packet(const struct bpf_insn *insn)
{
	return insn->code == RW_CALL && !insn->src_reg &&
	       (insn->imm == BPF_FUNC_xdp_adjust_head || insn->imm == BPF_FUNC_xdp_adjust_tail ||
		insn->imm == BPF_FUNC_xdp_adjust_meta);
}

/**
 * rw_is_atomic() - is it an atomic operation on memory?
 * @insn: the instruction
 *
 * Return: true if so
 */
static inline bool rw_is_atomic(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;
}

/**
 * rw_size() - bytes that a load or a store moves
 * @insn: the instruction
 *
 * Return: 1, 2, 4 or 8
 */
static inline unsigned int rw_size(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

/**
 * rw_target() - where a jump or a call of an own function goes
 * @insn: the jump
 * @at: its index
 *
 * Return: an index, not checked: it can be negative or past the end
 */
static inline int64_t rw_target(const struct bpf_insn *insn, uint32_t at)
{
	bool in_imm = insn->code == RW_GOTOL || insn->code == RW_CALL;

	return (int64_t)at + 1 + (in_imm ? insn->imm : insn->off);
}

/**
 * rw_len() - slots that an instruction takes
 * @insn: the instruction
 *
 * Return: 1 or 2
 */
static inline uint32_t rw_len(const struct bpf_insn *insn)
{
	return insn->code == RW_WIDE ? 2 : 1;
}

#endif /* REWRITER_INSN_H */
