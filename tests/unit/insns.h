/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_INSNS_H
#define TEST_INSNS_H
/* BPF instructions written down by hand, for tests */
#include <linux/bpf.h>

#define INSN(code, dst, src, off, imm) { (code), (dst), (src), (off), (imm) }

#define MOV64_K(dst, imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV64_X(dst, src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV32_K(dst, imm)	INSN(BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV32_X(dst, src)	INSN(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ALU64_K(op, dst, imm)	INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALU64_X(op, dst, src)	INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU32_K(op, dst, imm)	INSN(BPF_ALU | (op) | BPF_K, dst, 0, 0, imm)
#define ALU32_X(op, dst, src)	INSN(BPF_ALU | (op) | BPF_X, dst, src, 0, 0)
#define LDX(size, dst, src, off)	INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STX(size, dst, off, src)	INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define ST(size, dst, off, imm)	INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define ATOMIC(size, dst, off, src, op)	INSN(BPF_STX | BPF_ATOMIC | (size), dst, src, off, op)
#define JMP_K(op, dst, imm, off)	INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define JMP_X(op, dst, src, off)	INSN(BPF_JMP | (op) | BPF_X, dst, src, off, 0)
#define JMP32_K(op, dst, imm, off)	INSN(BPF_JMP32 | (op) | BPF_K, dst, 0, off, imm)
#define JA(off)			INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define GOTOL(imm)		INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, imm)
#define CALL(id)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define SUBCALL(imm)		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, imm)
#define EXIT			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* These two are two instructions. */
#define LD_MAP(dst, handle)                                              \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, (int)(handle)), \
	INSN(0, 0, 0, 0, 0)
#define LD_IMM64(dst, lo, hi) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, lo), INSN(0, 0, 0, 0, hi)

/* The fields of the context that most programs start with */
#define LD_DATA(dst, ctx)	LDX(BPF_W, dst, ctx, 0)
#define LD_END(dst, ctx)	LDX(BPF_W, dst, ctx, 4)

#define R0	BPF_REG_0
#define R1	BPF_REG_1
#define R2	BPF_REG_2
#define R3	BPF_REG_3
#define R4	BPF_REG_4
#define R5	BPF_REG_5
#define R6	BPF_REG_6
#define R7	BPF_REG_7
#define R8	BPF_REG_8
#define R9	BPF_REG_9
#define R10	BPF_REG_10

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* TEST_INSNS_H */
