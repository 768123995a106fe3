// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What form sfi makes of small programs, instruction by instruction
 *
 * Most cases look at what becomes of one instruction. That the output also does
 * what it should is tests/host/test_twins.c's to show.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../host-loader/rewriter/rewriter.h"
#include "../ktap.h"
#include "insns.h"

#define TAP		77
#define IFINDEX		3
#define WINDOW		2048
#define SKB_LEN		0

static const struct rw_map maps[] = {
	{ 7, BPF_MAP_TYPE_ARRAY, 4, 8, 1 },
};

#define PASS	MOV64_K(R0, XDP_PASS), EXIT

/* A list of instructions: the program */
#define LIST(...) { __VA_ARGS__ }

/**
 * rewrite_sfi() - rewrite a program into form sfi
 * @insns: the program
 * @cnt: number of @insns
 * @window: bytes of a packet that are copied
 * @out: result
 * @why: result: the sentence
 *
 * Return: what rw_rewrite() returned
 */
static int rewrite_sfi(const struct bpf_insn *insns, uint32_t cnt, uint32_t window,
		       struct rw_out *out, struct text *why)
{
	struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), IFINDEX, RW_PROFILE_ALL };
	struct rw_opts opts = { RW_FORM_SFI, RW_TARGET_SKB, TAP, window,
				 RW_LEVEL_STRICT, false };

	return rw_rewrite(&prog, &opts, out, why);
}

/**
 * turns_into() - compare what form sfi makes of one instruction
 * @in: the program
 * @in_cnt: number of @in
 * @at: index of the instruction
 * @want: what should come out; where jumps go does not matter
 * @want_cnt: number of @want
 *
 * Return: true if so
 */
static bool turns_into(const struct bpf_insn *in, uint32_t in_cnt, uint32_t at,
		       const struct bpf_insn *want, uint32_t want_cnt)
{
	struct text why = { 0 };
	struct rw_out out;
	uint32_t n = 0;
	bool same = true;

	if (rewrite_sfi(in, in_cnt, WINDOW, &out, &why)) {
		printf("# refused: %s", why.buf);
		text_free(&why);
		return false;
	}
	for (uint32_t i = 0; i < out.cnt; i++) {
		struct bpf_insn x = out.insns[i];

		if (out.origin[i] != at)
			continue;
		if (n < want_cnt && BPF_CLASS(x.code) == BPF_JMP)
			x.off = want[n].off;
		same &= n < want_cnt && !memcmp(&x, &want[n], sizeof(x));
		if (!same)
			printf("# %u: code %02x dst r%u src r%u off %d imm %d\n", n, x.code,
			       x.dst_reg, x.src_reg, x.off, x.imm);
		n++;
	}
	rw_out_free(&out);
	text_free(&why);
	return same && n == want_cnt;
}

/* A program, the index of an instruction, and what form sfi makes of that */
#define TURNS_INTO(in, at, ...)                                                      \
	do {                                                                         \
		static const struct bpf_insn in_[] = in;                             \
		static const struct bpf_insn want_[] = { __VA_ARGS__ };              \
		CHECK(turns_into(in_, ARRAY_SIZE(in_), at, want_, ARRAY_SIZE(want_))); \
	} while (0)

/**
 * refused_sfi() - is a program refused by form sfi as it should be?
 * @in: the program
 * @cnt: number of @in
 * @window: bytes of a packet that are copied
 * @err: the error that is expected
 * @sentence: the sentence that is expected
 *
 * Return: true if so
 */
static bool refused_sfi(const struct bpf_insn *in, uint32_t cnt, uint32_t window, int err,
			const char *sentence)
{
	struct text why = { 0 };
	struct rw_out out;
	int got = rewrite_sfi(in, cnt, window, &out, &why);
	bool same = got == err && why.buf && !strcmp(why.buf, sentence);

	if (!same)
		printf("# %d: %s# wanted %d: %s", got, why.buf ? why.buf : "-\n", err, sentence);
	rw_out_free(&out);
	text_free(&why);
	return same;
}

#define REFUSED_SFI(window, err, sentence, ...)                                      \
	do {                                                                         \
		static const struct bpf_insn in_[] = { __VA_ARGS__ };                \
		CHECK(refused_sfi(in_, ARRAY_SIZE(in_), window, err, sentence "\n")); \
	} while (0)

/*
 * Form sfi: where the scratch's pointer is kept, in a register that the program
 * does not use or else on the stack, and what is in the scratch
 */
#define SREG		R9
#define SCRATCH(dst)	LDX(BPF_DW, dst, R10, -8)
#define H_BUSY		0
#define H_DATA		8
#define H_END		16
#define H_FAULT		40
#define H_ZERO		48
#define DIRTY		2
#define BASE		(1 << 30)
#define AREA		RW_SCRATCH_PACKET
#define FAULT		0	/* where jumps go is not compared */

/* Registers that a program uses up, so that the scratch is kept on the stack */
#define USED	MOV64_K(R7, 0), MOV64_K(R8, 0), MOV64_K(R9, 0)

/* data in r2, data_end in r3, and a comparison of 34 bytes with it */
#define CHECKED LD_DATA(R2, R1), LD_END(R3, R1), MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 34), \
		MOV64_K(R0, XDP_DROP), JMP_X(BPF_JGT, R4, R3, 2)

/* r2 moved by a byte of the packet */
#define VARIABLE CHECKED, LDX(BPF_B, R5, R2, 14), ALU64_X(BPF_ADD, R2, R5)

/* and eight bytes from there on compared with data_end */
#define COMPARED(over)                                                               \
	VARIABLE, MOV64_X(R5, R2), ALU64_K(BPF_ADD, R5, 8), JMP_X(BPF_JGT, R5, R3, over)

/**
 * sfi_loads() - loads from the copy of the packet
 *
 * Return: true if they are as expected
 */
static bool sfi_loads(void)
{
	/* Nothing of the packet is at a place that varies: its start is a constant. */
	TURNS_INTO(LIST(LD_DATA(R2, R1), PASS), 0, MOV64_K(R2, BASE + RW_HEADROOM));
	TURNS_INTO(LIST(LD_END(R2, R1), PASS), 0, LDX(BPF_W, R2, R1, SKB_LEN),
		   ALU64_K(BPF_ADD, R2, BASE + RW_HEADROOM));
	/* compared by the program: nothing is added */
	TURNS_INTO(LIST(CHECKED, LDX(BPF_H, R5, R2, 32), MOV64_K(R0, XDP_PASS), EXIT), 6,
		   LDX(BPF_H, R5, SREG, AREA + RW_HEADROOM + 32));
	TURNS_INTO(LIST(USED, CHECKED, LDX(BPF_H, R5, R2, 32), MOV64_K(R0, XDP_PASS), EXIT), 9,
		   SCRATCH(R5), LDX(BPF_H, R5, R5, AREA + RW_HEADROOM + 32));
	/* one byte further */
	TURNS_INTO(LIST(CHECKED, LDX(BPF_H, R5, R2, 33), MOV64_K(R0, XDP_PASS), EXIT), 6,
		   LDX(BPF_DW, R5, SREG, H_END), JMP_K(BPF_JLT, R5, BASE + RW_HEADROOM + 35, FAULT),
		   LDX(BPF_H, R5, SREG, AREA + RW_HEADROOM + 33));
	/* at a variable offset, not compared; the start is one that nothing is known of */
	TURNS_INTO(LIST(VARIABLE, LDX(BPF_W, R2, R2, 4), PASS), 0,
		   LDX(BPF_DW, R2, SREG, H_ZERO), ALU64_K(BPF_ADD, R2, BASE + RW_HEADROOM));
	TURNS_INTO(LIST(VARIABLE, LDX(BPF_W, R2, R2, 4), PASS), 1, LDX(BPF_DW, R3, SREG, H_END));
	TURNS_INTO(LIST(VARIABLE, LDX(BPF_W, R2, R2, 4), PASS), 8,
		   MOV32_X(R0, R2), ALU64_K(BPF_ADD, R0, 4 - BASE),
		   JMP_K(BPF_JGT, R0, RW_HEADROOM + 255 + 4, FAULT),
		   LDX(BPF_DW, R2, SREG, H_END), ALU64_X(BPF_SUB, R2, R0),
		   JMP_K(BPF_JLT, R2, BASE + 4, FAULT),
		   ALU64_X(BPF_ADD, R0, SREG), LDX(BPF_W, R2, R0, AREA));
	/* and compared */
	TURNS_INTO(LIST(VARIABLE, MOV64_X(R5, R2), ALU64_K(BPF_ADD, R5, 8),
			JMP_X(BPF_JGT, R5, R3, 1), LDX(BPF_W, R2, R2, 4), PASS), 11,
		   MOV32_X(R0, R2), ALU64_K(BPF_ADD, R0, 4 - BASE),
		   JMP_K(BPF_JGT, R0, RW_HEADROOM + 255 + 4, FAULT),
		   ALU64_X(BPF_ADD, R0, SREG), LDX(BPF_W, R2, R0, AREA));
	return true;
}

/**
 * sfi_groups() - accesses that share a pointer into the scratch
 *
 * Return: true if the first one makes it and the others use it
 */
static bool sfi_groups(void)
{
	/* at places that vary: one check is good for both */
	TURNS_INTO(LIST(COMPARED(2), LDX(BPF_B, R4, R2, 4), LDX(BPF_H, R2, R2, 6), PASS), 11,
		   MOV32_X(R0, R2), ALU64_K(BPF_ADD, R0, 4 - BASE),
		   JMP_K(BPF_JGT, R0, RW_HEADROOM + 255 + 4, FAULT),
		   ALU64_X(BPF_ADD, R0, SREG), LDX(BPF_B, R4, R0, AREA));
	TURNS_INTO(LIST(COMPARED(2), LDX(BPF_B, R4, R2, 4), LDX(BPF_H, R2, R2, 6), PASS), 12,
		   LDX(BPF_H, R2, R0, AREA + 2));
	/* The register moves in between, or a path comes: each for itself. */
	TURNS_INTO(LIST(COMPARED(3), LDX(BPF_B, R4, R2, 4), ALU64_K(BPF_ADD, R2, 1),
			LDX(BPF_B, R2, R2, 4), PASS), 13,
		   MOV32_X(R0, R2), ALU64_K(BPF_ADD, R0, 4 - BASE),
		   JMP_K(BPF_JGT, R0, RW_HEADROOM + 255 + 7, FAULT),
		   ALU64_X(BPF_ADD, R0, SREG), LDX(BPF_B, R2, R0, AREA));
	TURNS_INTO(LIST(COMPARED(3), LDX(BPF_B, R4, R2, 4), JMP_K(BPF_JEQ, R4, 5, 0),
			LDX(BPF_H, R2, R2, 6), PASS), 13,
		   MOV32_X(R0, R2), ALU64_K(BPF_ADD, R0, 6 - BASE),
		   JMP_K(BPF_JGT, R0, RW_HEADROOM + 255 + 6, FAULT),
		   ALU64_X(BPF_ADD, R0, SREG), LDX(BPF_H, R2, R0, AREA));
	/* at constant places: the scratch is loaded once, the packet marked once */
	TURNS_INTO(LIST(USED, CHECKED, ST(BPF_B, R2, 3, 7), ST(BPF_B, R2, 4, 7),
			MOV64_K(R0, XDP_PASS), EXIT), 9,
		   SCRATCH(R1), ST(BPF_DW, R1, H_BUSY, DIRTY),
		   ST(BPF_B, R1, AREA + RW_HEADROOM + 3, 7));
	TURNS_INTO(LIST(USED, CHECKED, ST(BPF_B, R2, 3, 7), ST(BPF_B, R2, 4, 7),
			MOV64_K(R0, XDP_PASS), EXIT), 10,
		   ST(BPF_B, R1, AREA + RW_HEADROOM + 4, 7));
	return true;
}

/**
 * sfi_stores() - stores to the copy of the packet
 *
 * Return: true if they are as expected
 */
static bool sfi_stores(void)
{
	TURNS_INTO(LIST(CHECKED, ST(BPF_B, R2, 3, 7), MOV64_K(R0, XDP_PASS), EXIT), 6,
		   ST(BPF_DW, SREG, H_BUSY, DIRTY), ST(BPF_B, SREG, AREA + RW_HEADROOM + 3, 7));
	TURNS_INTO(LIST(LD_DATA(R2, R1), STX(BPF_B, R2, 3, R2), PASS), 1,
		   LDX(BPF_DW, R0, SREG, H_END), JMP_K(BPF_JLT, R0, BASE + RW_HEADROOM + 4, FAULT),
		   ST(BPF_DW, SREG, H_BUSY, DIRTY), STX(BPF_B, SREG, AREA + RW_HEADROOM + 3, R2));
	/* No register is free: one makes room. */
	TURNS_INTO(LIST(LD_DATA(R2, R1), MOV64_K(R0, 0), MOV64_K(R3, 0), MOV64_K(R4, 0),
			MOV64_K(R5, 0), MOV64_K(R6, 0), MOV64_K(R7, 0), MOV64_K(R8, 0),
			MOV64_K(R9, 0), ST(BPF_B, R2, 3, 7), ALU64_X(BPF_ADD, R0, R3),
			ALU64_X(BPF_ADD, R0, R4), ALU64_X(BPF_ADD, R0, R5),
			ALU64_X(BPF_ADD, R0, R6), ALU64_X(BPF_ADD, R0, R7),
			ALU64_X(BPF_ADD, R0, R8), ALU64_X(BPF_ADD, R0, R9),
			LDX(BPF_W, R1, R1, 12), ALU64_X(BPF_ADD, R0, R1), EXIT), 9,
		   STX(BPF_DW, R10, -16, R1), SCRATCH(R1), LDX(BPF_DW, R1, R1, H_END),
		   JMP_K(BPF_JLT, R1, BASE + RW_HEADROOM + 4, FAULT),
		   SCRATCH(R1), ST(BPF_DW, R1, H_BUSY, DIRTY),
		   ST(BPF_B, R1, AREA + RW_HEADROOM + 3, 7), LDX(BPF_DW, R1, R10, -16));
	return true;
}

/* r3 points to one of the first sixteen bytes of the stack */
#define ANYWHERE MOV64_X(R3, R10), LD_DATA(R2, R1), LDX(BPF_W, R4, R1, 4),             \
		 ALU64_K(BPF_AND, R4, 15), ALU64_X(BPF_ADD, R3, R4)

/**
 * leaves_busy() - can a translation end with the scratch marked as in use?
 * @out: the translation
 * @at: where it is followed from
 * @busy: the scratch is marked there
 * @seen: for each instruction: bit 0 it was reached unmarked, bit 1 marked
 *
 * Only the form itself marks and unmarks it: those stores stem from no
 * instruction of the program. The functions that are called do neither.
 *
 * Return: true if so
 */
static bool leaves_busy(const struct rw_out *out, uint32_t at, bool busy, uint8_t *seen)
{
	for (;;) {
		const struct bpf_insn *x = &out->insns[at];
		uint8_t code = x->code, op = BPF_OP(code);

		if (seen[at] >> busy & 1)
			return false;
		seen[at] |= (uint8_t)(1u << busy);
		if (code == (BPF_ST | BPF_MEM | BPF_DW) && x->off == H_BUSY &&
		    out->origin[at] == UINT32_MAX && x->dst_reg != R10)
			busy = x->imm != 0;
		if (code == (BPF_JMP | BPF_EXIT))
			return busy;
		if (code == (BPF_JMP | BPF_JA)) {
			at += (uint32_t)(1 + x->off);
			continue;
		}
		if ((BPF_CLASS(code) == BPF_JMP || BPF_CLASS(code) == BPF_JMP32) &&
		    op != BPF_CALL && leaves_busy(out, at + (uint32_t)(1 + x->off), busy, seen))
			return true;
		at += code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
	}
}

/**
 * unmarks() - does every way out of a program's translation unmark the scratch?
 * @insns: the program
 * @cnt: number of @insns
 *
 * Return: true if so, and if it is marked at all
 */
static bool unmarks(const struct bpf_insn *insns, uint32_t cnt)
{
	struct rw_out out;
	uint8_t *seen;
	bool marks = false, leaves;

	if (rewrite_sfi(insns, cnt, WINDOW, &out, NULL))
		return false;
	seen = calloc(out.cnt, 1);
	leaves = !seen || leaves_busy(&out, 0, false, seen);
	for (uint32_t i = 0; seen && i < out.cnt; i++)
		marks |= (seen[i] & 2) != 0;
	free(seen);
	rw_out_free(&out);
	return marks && !leaves;
}

#define UNMARKS(...)                                                                 \
	do {                                                                         \
		static const struct bpf_insn in_[] = { __VA_ARGS__ };                \
		CHECK(unmarks(in_, ARRAY_SIZE(in_)));                                \
	} while (0)

/**
 * sfi_calls() - calls of the program's own functions
 *
 * Return: true if they get the scratch, and tell if they gave up
 */
static bool sfi_calls(void)
{
	TURNS_INTO(LIST(SUBCALL(1), EXIT, LD_DATA(R2, R1), LDX(BPF_B, R0, R2, 60), EXIT), 0,
		   MOV64_X(R5, SREG), SUBCALL(26), LDX(BPF_DW, R1, SREG, H_FAULT),
		   JMP_K(BPF_JNE, R1, 0, FAULT));
	/* Where it needs none, it gets none. */
	TURNS_INTO(LIST(LD_DATA(R2, R1), SUBCALL(1), EXIT, MOV64_K(R0, 2), EXIT), 1,
		   SUBCALL(16));
	return true;
}

/**
 * sfi_busy() - the mark of the scratch that is in use
 *
 * Return: true if no way out of a program leaves it set
 */
static bool sfi_busy(void)
{
	/* loads and stores that are checked, and the packet written back */
	UNMARKS(VARIABLE, LDX(BPF_W, R2, R2, 4), PASS);
	UNMARKS(LD_DATA(R2, R1), STX(BPF_B, R2, 3, R2), PASS);
	UNMARKS(VARIABLE, ST(BPF_B, R2, 0, 1), MOV64_K(R0, XDP_TX), EXIT);
	/* several exits, and a loop */
	UNMARKS(CHECKED, LDX(BPF_B, R0, R2, 0), JMP_K(BPF_JGT, R0, 9, 1), EXIT,
		ALU64_K(BPF_SUB, R0, 1), JMP_K(BPF_JGT, R0, 3, -2), EXIT);
	/* helpers that move the packet, and those that copy */
	UNMARKS(MOV64_K(R2, 4), CALL(BPF_FUNC_xdp_adjust_head), PASS);
	UNMARKS(MOV64_K(R2, -4), CALL(BPF_FUNC_xdp_adjust_tail), PASS);
	UNMARKS(LD_DATA(R2, R1), ST(BPF_B, R2, 3, 7), MOV64_K(R2, 0), MOV64_X(R3, R10),
		ALU64_K(BPF_ADD, R3, -8), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_load_bytes), PASS);
	/* a function of the program's own that can fault */
	UNMARKS(SUBCALL(1), EXIT, LD_DATA(R2, R1), LDX(BPF_B, R0, R2, 60), EXIT);
	/* a frame, and a helper that gets packet memory */
	UNMARKS(LD_DATA(R2, R1), LD_END(R3, R1), ALU64_X(BPF_SUB, R3, R2),
		ALU64_K(BPF_AND, R3, 7), ALU64_X(BPF_ADD, R3, R10), ST(BPF_B, R3, -16, 1), PASS);
	UNMARKS(LD_DATA(R2, R1), LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem), PASS);
	return true;
}

/* Eight bytes of stack get the context, as it comes, or a number. */
#define EITHER_OF(ctx) LDX(BPF_W, R4, ctx, 16), JMP_K(BPF_JEQ, R4, 5, 2),                \
		       STX(BPF_DW, R10, -8, ctx), JA(1), ST(BPF_DW, R10, -8, 7)
#define EITHER EITHER_OF(R1)

/**
 * sfi_stack() - stack pointers that the host's verifier does not take
 *
 * Return: true if they become numbers, and what they point to is in the scratch
 */
static bool sfi_stack(void)
{
	enum { FRAME = RW_HEADROOM + WINDOW + 16 };	/* place of r10: 16 bytes are used */

	TURNS_INTO(LIST(ANYWHERE, ST(BPF_B, R3, -16, 1), PASS), 0, MOV64_K(R3, BASE + FRAME));
	TURNS_INTO(LIST(ANYWHERE, ST(BPF_B, R3, -16, 1), PASS), 5,
		   LDX(BPF_DW, R1, SREG, H_ZERO), ALU64_X(BPF_ADD, R1, R3),
		   ALU64_K(BPF_ADD, R1, -BASE - FRAME), JMP_K(BPF_JGT, R1, 15, FAULT),
		   MOV64_X(R2, SREG), ALU64_X(BPF_ADD, R2, R1),
		   ST(BPF_B, R2, AREA + FRAME - 16, 1));
	/* The same bytes at a constant offset are there as well, others are not. */
	TURNS_INTO(LIST(ANYWHERE, ST(BPF_B, R3, -16, 1), LDX(BPF_B, R4, R10, -15), PASS), 6,
		   LDX(BPF_B, R4, SREG, AREA + FRAME - 15));
	TURNS_INTO(LIST(ANYWHERE, ST(BPF_B, R3, -16, 1), ST(BPF_W, R10, -20, 2), PASS), 6,
		   ST(BPF_W, R10, -20, 2));
	/* out of the stack and back */
	TURNS_INTO(LIST(MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, 8), ST(BPF_W, R2, -16, 2), PASS), 2,
		   ST(BPF_W, R10, -8, 2));
	/* A part of a pointer is overwritten. */
	TURNS_INTO(LIST(STX(BPF_DW, R10, -8, R1), ST(BPF_W, R10, -4, 2), PASS), 1,
		   ST(BPF_DW, R10, -8, 0), ST(BPF_W, R10, -4, 2));
	TURNS_INTO(LIST(STX(BPF_DW, R10, -8, R1), ST(BPF_DW, R10, -8, 2), PASS), 1,
		   ST(BPF_DW, R10, -8, 2));
	return true;
}

/**
 * sfi_spills() - pointers in parts of the stack that are also used for data
 *
 * Return: true if they are kept apart
 */
static bool sfi_spills(void)
{
	/* A pointer where a frame is: it is spilled below, and the frame written. */
	TURNS_INTO(LIST(STX(BPF_DW, R10, -16, R1), ANYWHERE, ST(BPF_B, R3, -16, 1), PASS), 0,
		   STX(BPF_DW, R10, -40, R1), ST(BPF_DW, SREG, AREA + RW_HEADROOM + WINDOW, 0));
	/* The same eight bytes hold a pointer on one path and a number on the other. */
	TURNS_INTO(LIST(EITHER, ST(BPF_W, R10, -4, 2), PASS), 2,
		   STX(BPF_DW, R10, -32, R1), ST(BPF_DW, R10, -8, 0));
	TURNS_INTO(LIST(EITHER, ST(BPF_W, R10, -4, 2), PASS), 4,
		   ST(BPF_DW, R10, -32, 7), ST(BPF_DW, R10, -8, 7));
	TURNS_INTO(LIST(EITHER, ST(BPF_W, R10, -4, 2), PASS), 5, ST(BPF_W, R10, -4, 2));
	TURNS_INTO(LIST(STX(BPF_DW, R10, -8, R1), LDX(BPF_DW, R2, R10, -8), LD_DATA(R3, R2),
			EITHER_OF(R2), ST(BPF_W, R10, -4, 2), PASS), 1,
		   LDX(BPF_DW, R2, R10, -32));
	REFUSED_SFI(WINDOW, -EOPNOTSUPP, "instruction 5: has a pointer on some paths and something "
		    "else on others in a part of the stack that is also used for data",
		    EITHER, LDX(BPF_DW, R3, R10, -8), ST(BPF_W, R10, -4, 2), PASS);
	return true;
}

/**
 * sfi_forgets() - numbers in a loop that a may_goto ends
 *
 * Return: true if those that the loop changes become unknown to the verifier
 */
static bool sfi_forgets(void)
{
	TURNS_INTO(LIST(LD_DATA(R2, R1), MOV64_K(R0, 0), LDX(BPF_B, R6, R2, 0),
			INSN(BPF_JMP | 0xe0, 0, 0, 3, 0), JMP_K(BPF_JGT, R0, 40, 2),
			ALU64_X(BPF_ADD, R0, R6), JA(-4), EXIT), 3,
		   STX(BPF_DW, R10, -24, R10), LDX(BPF_DW, R1, SREG, H_ZERO),
		   ALU64_X(BPF_ADD, R0, R1), INSN(BPF_JMP | 0xe0, 0, 0, 0, 0));
	return true;
}

/**
 * count_code() - how often is an instruction in the translation of a loop?
 * @code: the instruction's opcode
 * @src: its source register
 * @walks_on: the host's verifier walks on behind barriers
 * @form: of the translation
 *
 * Return: the number, or what rw_rewrite() returned
 */
static int count_code(uint8_t code, uint8_t src, bool walks_on, enum rw_form form)
{
	static const struct bpf_insn loop[] = {
		LD_DATA(R2, R1), MOV64_K(R0, 0), ALU64_K(BPF_ADD, R0, 1),
		JMP_K(BPF_JLT, R0, 4, -2), LDX(BPF_B, R0, R2, 0), PASS,
	};
	struct rw_prog prog = { loop, ARRAY_SIZE(loop), NULL, 0, IFINDEX, RW_PROFILE_TENANT };
	struct rw_opts opts = { form, RW_TARGET_SKB, TAP, WINDOW, RW_LEVEL_STRICT, walks_on };
	struct rw_out out;
	int cnt = 0, err = rw_rewrite(&prog, &opts, &out, NULL);

	if (err)
		return err;
	for (uint32_t i = 0; i < out.cnt; i++)
		cnt += out.insns[i].code == code && out.insns[i].src_reg == src;
	rw_out_free(&out);
	return cnt;
}

/**
 * sfi_limits() - loops for a verifier that walks on behind barriers
 *
 * Return: true if they have a may_goto at their heads, and lite leaves them to sfi
 */
static bool sfi_limits(void)
{
	const uint8_t may_goto = BPF_JMP | 0xe0, store = BPF_STX | BPF_MEM | BPF_DW;

	CHECK_EQ(count_code(may_goto, 0, false, RW_FORM_SFI), 0);
	CHECK_EQ(count_code(store, R10, false, RW_FORM_SFI), 1);
	CHECK_EQ(count_code(may_goto, 0, true, RW_FORM_SFI), 1);
	CHECK_EQ(count_code(store, R10, true, RW_FORM_SFI), 0);
	CHECK_EQ(count_code(may_goto, 0, true, RW_FORM_LITE), -EOPNOTSUPP);
	/* Set, and taken from */
	CHECK_EQ(count_code(BPF_ST | BPF_MEM | BPF_DW, 0, true, RW_FORM_SFI),
		 count_code(BPF_ST | BPF_MEM | BPF_DW, 0, false, RW_FORM_SFI) + 1);
	CHECK_EQ(count_code(BPF_JMP | BPF_JSLT | BPF_K, 0, false, RW_FORM_SFI), 0);
	CHECK_EQ(count_code(BPF_JMP | BPF_JSLT | BPF_K, 0, true, RW_FORM_SFI), 1);
	return true;
}

/* The lookup of an element of map 7, with the context in r6: 8 instructions */
#define LOOKUP(missing)                                                              \
	MOV64_X(R6, R1), ST(BPF_W, R10, -4, 0), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4), \
	LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem), JMP_K(BPF_JEQ, R0, 0, missing)

/**
 * sfi_locks() - checks with a lock held
 *
 * Return: true if they unlock when they fail
 */
static bool sfi_locks(void)
{
	static const struct bpf_insn insns[] = {
		LOOKUP(10), MOV64_X(R7, R0), LD_DATA(R2, R6), LDX(BPF_B, R5, R2, 14),
		MOV64_X(R8, R2), ALU64_X(BPF_ADD, R8, R5), MOV64_X(R1, R7),
		CALL(BPF_FUNC_spin_lock), LDX(BPF_B, R5, R8, 0), MOV64_X(R1, R7),
		CALL(BPF_FUNC_spin_unlock), PASS,
	};
	static const struct bpf_insn unlock[] = {
		LDX(BPF_DW, R1, R10, -32), CALL(BPF_FUNC_spin_unlock),
	};
	struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, ARRAY_SIZE(maps), IFINDEX,
				RW_PROFILE_ALL };
	struct rw_opts opts = { RW_FORM_SFI, RW_TARGET_SKB, TAP, WINDOW,
				 RW_LEVEL_STRICT, false };
	uint32_t held = 0, free_of = 0;
	struct rw_out out;

	CHECK(!rw_rewrite(&prog, &opts, &out, NULL));
	for (uint32_t i = 0; i < out.cnt; i++) {
		const struct bpf_insn *to = &out.insns[i + 1 + out.insns[i].off];

		if ((out.origin[i] != 10 && out.origin[i] != 15) ||
		    BPF_CLASS(out.insns[i].code) != BPF_JMP)
			continue;
		held += out.origin[i] == 15 && !memcmp(to, unlock, sizeof(unlock));
		free_of += out.origin[i] == 10 && memcmp(to, unlock, sizeof(unlock));
	}
	rw_out_free(&out);
	CHECK(held == 2 && free_of == 1);
	return true;
}

/**
 * sfi_refusals() - what form sfi cannot do either
 *
 * Return: true if it is refused in words
 */
static bool sfi_refusals(void)
{
	REFUSED_SFI(WINDOW, -EINVAL, "instruction 1: an atomic operation on the packet, which XDP "
		    "does not have", LD_DATA(R2, R1), ATOMIC(BPF_W, R2, 0, R1, BPF_ADD), PASS);
	REFUSED_SFI(WINDOW, -EOPNOTSUPP, "instruction 9: uses r0, which is a packet pointer on "
		    "some paths and something else on others",
		    MOV64_X(R6, R1), ST(BPF_W, R10, -4, 0), MOV64_X(R2, R10),
		    ALU64_K(BPF_ADD, R2, -4), LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem),
		    JMP_K(BPF_JNE, R0, 0, 1), LD_DATA(R0, R6), LDX(BPF_B, R4, R0, 0), PASS);
	REFUSED_SFI(WINDOW, -EINVAL, "instruction 3: argument 3 of helper xdp_load_bytes is a "
		    "packet pointer, which XDP does not allow",
		    LD_DATA(R3, R1), MOV64_K(R2, 0), MOV64_K(R4, 8),
		    CALL(BPF_FUNC_xdp_load_bytes), PASS);
	REFUSED_SFI(WINDOW, -EPERM, "instruction 1: returns XDP_REDIRECT, which is not offered: a "
		    "tenant must not choose the host's devices",
		    MOV64_K(R0, XDP_REDIRECT), EXIT);
	REFUSED_SFI(WINDOW, -EOPNOTSUPP, "instruction 0: the function uses 504 bytes of stack, and "
		    "its translation needs 520, which is over the limit of 512",
		    LD_DATA(R2, R1), ST(BPF_DW, R10, -504, 0), PASS);
	REFUSED_SFI(63, -EOPNOTSUPP, "form sfi takes packets of 64 to 15360 bytes, not 63", PASS);
	REFUSED_SFI(15361, -EOPNOTSUPP, "form sfi takes packets of 64 to 15360 bytes, not 15361",
		    PASS);
	return true;
}

/**
 * main() - run the cases
 *
 * Return: exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "loads", sfi_loads },
		{ "accesses that share a pointer", sfi_groups },
		{ "stores", sfi_stores },
		{ "own functions", sfi_calls },
		{ "the scratch is free again", sfi_busy },
		{ "the stack", sfi_stack },
		{ "pointers in the stack", sfi_spills },
		{ "numbers in loops", sfi_forgets },
		{ "loops for an older verifier", sfi_limits },
		{ "locks", sfi_locks },
		{ "what is refused", sfi_refusals },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
