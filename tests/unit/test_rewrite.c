// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What the rewriter makes of small programs, instruction by instruction
 *
 * Each case compares what comes out in front of the epilogue with what should;
 * the epilogue is the same for all and has a case of its own. That the output
 * also does what it should is tests/host/test_twins.c's to show.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "becomes.h"
#include "virtio_bpf.h"

#define TAP		77
#define IFINDEX		3
#define EPILOGUE	15	/* instructions of it if no verdict is above XDP_PASS */
#define XDP_DATA_META	8
#define XDP_EGRESS	20
#define WINDOW		2048
#define SKB_LEN		0
#define SKB_DATA	76
#define SKB_END		80

static const struct rw_map maps[] = {
	{ 7, BPF_MAP_TYPE_ARRAY, 4, 8, 1 },
	{ 8, BPF_MAP_TYPE_HASH, 16, 32, 1 },
};

/**
 * rewrite() - rewrite a program for the skb target
 * @insns: the program
 * @cnt: number of @insns
 * @out: result
 * @why: result: the sentence
 *
 * Return: what rw_rewrite() returned
 */
static int rewrite(const struct bpf_insn *insns, uint32_t cnt, struct rw_out *out,
		   struct text *why)
{
	struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), IFINDEX, RW_PROFILE_TENANT };
	struct rw_opts opts = { .form = RW_FORM_LITE, .target = RW_TARGET_SKB, .tap_ifindex = TAP };

	return rw_rewrite(&prog, &opts, out, why);
}

/* A program, and the sentence that it is refused with */
#define REFUSED(err, sentence, ...)                                                  \
	do {                                                                         \
		static const struct bpf_insn in_[] = { __VA_ARGS__ };                \
		CHECK(refused(in_, ARRAY_SIZE(in_), err, sentence "\n"));            \
	} while (0)

/**
 * refused() - is a program refused as it should be?
 * @in: the program
 * @cnt: number of @in
 * @err: the error that is expected
 * @sentence: the sentence that is expected
 *
 * Return: true if so
 */
static bool refused(const struct bpf_insn *in, uint32_t cnt, int err, const char *sentence)
{
	struct text why = { 0 };
	struct rw_out out;
	int got = rewrite(in, cnt, &out, &why);
	bool same = got == err && why.buf && !strcmp(why.buf, sentence);

	if (!same)
		printf("# %d: %s# wanted %d: %s", got, why.buf ? why.buf : "-\n", err, sentence);
	rw_out_free(&out);
	text_free(&why);
	return same;
}

#define PASS	MOV64_K(R0, XDP_PASS), EXIT

/* One more in the counter that r6 says */
#define COUNT                                                                        \
	STX(BPF_W, R10, -8, R6), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),         \
	LD_MAP(R1, RW_HANDLE_COUNTERS), CALL(BPF_FUNC_map_lookup_elem),              \
	JMP_K(BPF_JEQ, R0, 0, 3), LDX(BPF_DW, R1, R0, 0), ALU64_K(BPF_ADD, R1, 1),   \
	STX(BPF_DW, R0, 0, R1)

/**
 * epilogue() - the verdict's way to tcx, complete
 *
 * Return: true if it is as expected
 */
static bool epilogue(void)
{
	BECOMES(LIST(PASS), MOV64_K(R0, XDP_PASS),
		MOV32_X(R6, R0), COUNT, MOV64_K(R0, TC_ACT_UNSPEC), JMP_K(BPF_JEQ, R6, XDP_PASS, 1),
		MOV64_K(R0, TC_ACT_SHOT), EXIT);
	/* One that can send has more to do, and one that can say anything most. */
	BECOMES(LIST(MOV64_K(R0, XDP_TX), EXIT), MOV64_K(R0, XDP_TX),
		MOV32_X(R6, R0), COUNT, MOV64_K(R0, TC_ACT_UNSPEC), JMP_K(BPF_JEQ, R6, XDP_PASS, 5),
		MOV64_K(R0, TC_ACT_SHOT), JMP_K(BPF_JNE, R6, XDP_TX, 3),
		MOV32_K(R1, TAP), MOV64_K(R2, BPF_F_INGRESS), CALL(BPF_FUNC_redirect), EXIT);
	BECOMES(LIST(LDX(BPF_W, R0, R1, 16), LD_DATA(R2, R1), LD_END(R3, R1),
		     MOV64_X(R0, R3), ALU64_X(BPF_SUB, R0, R2), EXIT),
		MOV32_K(R0, 0), LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R3, R1, SKB_END),
		MOV64_X(R0, R3), LDX(BPF_W, R0, R1, SKB_LEN),
		MOV32_X(R6, R0), JMP_K(BPF_JLE, R6, XDP_TX, 1), MOV64_K(R6, VIRTIO_BPF_CNT_INVALID),
		COUNT, MOV64_K(R0, TC_ACT_UNSPEC), JMP_K(BPF_JEQ, R6, XDP_PASS, 5),
		MOV64_K(R0, TC_ACT_SHOT), JMP_K(BPF_JNE, R6, XDP_TX, 3),
		MOV32_K(R1, TAP), MOV64_K(R2, BPF_F_INGRESS), CALL(BPF_FUNC_redirect), EXIT);
	return true;
}

/**
 * context() - context fields
 *
 * Return: true if they are as expected
 */
static bool context(void)
{
	BECOMES(LIST(LD_DATA(R2, R1), LD_END(R3, R1), LDX(BPF_W, R4, R1, 12),
		     LDX(BPF_W, R5, R1, 16), PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R3, R1, SKB_END),
		MOV32_K(R4, IFINDEX), MOV32_K(R5, 0), MOV64_K(R0, XDP_PASS));
	REFUSED(-EOPNOTSUPP, "instruction 0: reads ctx->data_meta: there is room in front of a "
		"copy of the packet only (form sfi)", LDX(BPF_W, R2, R1, XDP_DATA_META), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 0: reads ctx->egress_ifindex, which only devmap "
		"programs have", LDX(BPF_W, R2, R1, XDP_EGRESS), PASS);
	REFUSED(-EINVAL, "instruction 0: reads the context at offset 24, where it has no field",
		LDX(BPF_W, R2, R1, 24), PASS);
	REFUSED(-EINVAL, "instruction 0: reads the context at offset -4, where it has no field",
		LDX(BPF_W, R2, R1, -4), PASS);
	REFUSED(-EINVAL, "instruction 0: a context field is loaded by 4 bytes",
		LDX(BPF_DW, R2, R1, 0), PASS);
	REFUSED(-EINVAL, "instruction 0: stores to the context, which is read-only",
		STX(BPF_W, R1, 0, R1), PASS);
	return true;
}

/**
 * lengths() - differences of packet pointers
 *
 * Return: true if they are as expected
 */
static bool lengths(void)
{
	/* the context at hand, 64 bits */
	BECOMES(LIST(LD_DATA(R2, R1), LD_END(R3, R1), ALU64_K(BPF_ADD, R2, 14),
		     ALU64_X(BPF_SUB, R3, R2), PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R3, R1, SKB_END),
		ALU64_K(BPF_ADD, R2, 14), LDX(BPF_W, R3, R1, SKB_LEN),
		ALU64_K(BPF_ADD, R3, -14), MOV64_K(R0, XDP_PASS));
	/* kept by a prologue, below the tenant's 12 bytes; start minus end */
	BECOMES(LIST(ST(BPF_W, R10, -12, 0), LD_DATA(R2, R1), LD_END(R1, R1),
		     ALU64_X(BPF_SUB, R2, R1), PASS),
		STX(BPF_DW, R10, -24, R1), ST(BPF_W, R10, -12, 0),
		LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R1, R1, SKB_END),
		LDX(BPF_DW, R2, R10, -24), LDX(BPF_W, R2, R2, SKB_LEN), ALU64_K(BPF_NEG, R2, 0),
		MOV64_K(R0, XDP_PASS));
	/* a constant */
	BECOMES(LIST(LD_DATA(R2, R1), MOV64_X(R3, R2), ALU64_K(BPF_ADD, R3, 5),
		     ALU32_X(BPF_SUB, R3, R2), PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), MOV64_X(R3, R2), ALU64_K(BPF_ADD, R3, 5),
		MOV32_K(R3, 5), MOV64_K(R0, XDP_PASS));
	REFUSED(-EOPNOTSUPP, "instruction 7: needs the packet's length in a function that does "
		"not get the context as an argument",
		LD_DATA(R2, R1), LD_END(R1, R1), SUBCALL(2), PASS, MOV64_K(R0, 0), MOV64_X(R0, R1),
		ALU64_X(BPF_SUB, R0, R2), EXIT);
	return true;
}

/**
 * moves() - packet pointers that are moved by a register
 *
 * Return: true if they are as expected
 */
static bool moves(void)
{
	BECOMES(LIST(LD_DATA(R2, R1), MOV64_K(R3, 14), ALU64_X(BPF_ADD, R2, R3),
		     ALU64_X(BPF_ADD, R3, R2), PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), MOV64_K(R3, 14), ALU64_K(BPF_ADD, R2, 14),
		MOV64_X(R3, R2), ALU64_K(BPF_ADD, R3, 14), MOV64_K(R0, XDP_PASS));
	REFUSED(-EOPNOTSUPP, "instruction 2: moves a packet pointer by a number that is not "
		"constant, which the host's verifier does not allow",
		LD_DATA(R2, R1), LDX(BPF_W, R3, R1, 12), ALU64_X(BPF_ADD, R2, R3), PASS);
	return true;
}

/**
 * loops() - loop heads, and the labels around them
 *
 * Return: true if they are as expected
 */
static bool loops(void)
{
	/* The prologue is not part of a loop that begins at instruction 0. */
	BECOMES(LIST(LD_DATA(R2, R1), LD_END(R3, R1), MOV64_X(R4, R3), ALU64_X(BPF_SUB, R4, R2),
		     JMP_K(BPF_JGT, R4, 100, -5), PASS),
		STX(BPF_DW, R10, -8, R10), LDX(BPF_W, R2, R1, SKB_DATA),
		LDX(BPF_W, R3, R1, SKB_END), MOV64_X(R4, R3), LDX(BPF_W, R4, R1, SKB_LEN),
		JMP_K(BPF_JGT, R4, 100, -6), MOV64_K(R0, XDP_PASS));
	return true;
}

/* xdp_load_bytes and xdp_store_bytes: XDP's own checks, in front of the call */
#define BOUNDS(skip)                                                                 \
	MOV32_X(R2, R2), MOV32_X(R4, R4), MOV64_K(R0, -EFAULT),                      \
	JMP_K(BPF_JGT, R2, 0xffff, (skip) + 6), JMP_K(BPF_JGT, R4, 0xffff, (skip) + 5), \
	MOV64_K(R0, -EINVAL), LDX(BPF_W, R5, R1, SKB_LEN),                           \
	JMP_X(BPF_JLT, R5, R2, (skip) + 2), ALU64_X(BPF_SUB, R5, R2),                \
	JMP_X(BPF_JGT, R4, R5, skip)

/**
 * helpers() - helpers and their counterparts
 *
 * Return: true if they are as expected
 */
static bool helpers(void)
{
	BECOMES(LIST(MOV64_X(R6, R1), CALL(BPF_FUNC_xdp_get_buff_len), MOV64_X(R1, R6),
		     MOV64_K(R2, 0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 16),
		     CALL(BPF_FUNC_xdp_load_bytes), MOV64_X(R1, R6), MOV64_K(R2, 0),
		     MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 16),
		     CALL(BPF_FUNC_xdp_store_bytes), PASS),
		MOV64_X(R6, R1), LDX(BPF_W, R0, R1, SKB_LEN), MOV64_X(R1, R6),
		MOV64_K(R2, 0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 16),
		BOUNDS(1), CALL(BPF_FUNC_skb_load_bytes), MOV64_X(R1, R6), MOV64_K(R2, 0),
		MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 16), BOUNDS(2),
		MOV64_K(R5, 0), CALL(BPF_FUNC_skb_store_bytes), MOV64_K(R0, XDP_PASS));
	REFUSED(-EOPNOTSUPP, "instruction 1: helper xdp_adjust_head works on a copy of the packet "
		"only (form sfi)", MOV64_K(R2, 0), CALL(BPF_FUNC_xdp_adjust_head), PASS);
	REFUSED(-EPERM, "instruction 0: helper fib_lookup (69) is not allowed: it reads the "
		"host's routing table", CALL(BPF_FUNC_fib_lookup), PASS);
	REFUSED(-EPERM, "instruction 0: helper get_numa_node_id (42) is for ports with the "
		"helpers \"cpu\", which this one does not have; ask the host's operator",
		CALL(BPF_FUNC_get_numa_node_id), PASS);
	REFUSED(-EINVAL, "instruction 0: argument 1 of helper map_lookup_elem is not a map",
		CALL(BPF_FUNC_map_lookup_elem), PASS);
	REFUSED(-EINVAL, "instruction 3: argument 2 of helper map_lookup_elem is not a pointer to "
		"memory", LD_MAP(R1, 7), MOV64_K(R2, 0), CALL(BPF_FUNC_map_lookup_elem), PASS);
	REFUSED(-EINVAL, "instruction 4: uses 16 bytes of stack at offset -8, which is out of "
		"bounds", LD_MAP(R1, 8), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),
		CALL(BPF_FUNC_map_lookup_elem), PASS);
	REFUSED(-EINVAL, "instruction 1: argument 1 of helper xdp_get_buff_len is not the context",
		MOV64_K(R1, 0), CALL(BPF_FUNC_xdp_get_buff_len), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 5: keeps packet pointers across xdp_store_bytes, behind "
		"which the host's verifier does not know them any more",
		LD_DATA(R6, R1), MOV64_K(R2, 0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -8),
		MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_store_bytes), MOV64_X(R0, R6), EXIT);
	return true;
}

/**
 * branches() - branches that are known to go one way, and the code behind them
 *
 * Return: true if they are as expected
 */
static bool branches(void)
{
	BECOMES(LIST(MOV64_K(R2, 1), JMP_K(BPF_JEQ, R2, 1, 1), MOV64_K(R2, 2),
		     JMP_K(BPF_JEQ, R2, 0, 1), JA(1), MOV64_K(R2, 3), PASS),
		MOV64_K(R2, 1), MOV64_K(R0, XDP_PASS));
	/* A packet pointer is never NULL, and the verifier does not let one ask. */
	BECOMES(LIST(LD_DATA(R2, R1), JMP_K(BPF_JEQ, R2, 0, 2), PASS, MOV64_K(R0, 0), EXIT),
		LDX(BPF_W, R2, R1, SKB_DATA), MOV64_K(R0, XDP_PASS));
	BECOMES(LIST(LDX(BPF_W, R2, R1, 16), GOTOL(2), PASS, JMP_K(BPF_JSGT, R2, 4, -3),
		     MOV64_K(R0, 0), EXIT),
		MOV32_K(R2, 0), JA(2), MOV64_K(R0, XDP_PASS), JA(2), JMP_K(BPF_JSGT, R2, 4, -3),
		MOV64_K(R0, 0));
	return true;
}

/**
 * redirects() - a verdict that is not offered, however it gets into r0
 *
 * Return: true if it is refused in words, and other fours are not
 */
static bool redirects(void)
{
#define NO_REDIRECT ": returns XDP_REDIRECT, which is not offered: a tenant must not choose " \
		    "the host's devices"
	REFUSED(-EPERM, "instruction 1" NO_REDIRECT, MOV64_K(R0, XDP_REDIRECT), EXIT);
	REFUSED(-EPERM, "instruction 5" NO_REDIRECT, LDX(BPF_W, R2, R1, 16),
		MOV64_K(R0, XDP_REDIRECT), JMP_K(BPF_JEQ, R2, 5, 1), MOV64_K(R0, XDP_DROP),
		MOV32_X(R0, R0), EXIT);
	REFUSED(-EPERM, "instruction 7" NO_REDIRECT, LDX(BPF_W, R2, R1, 16),
		MOV32_K(R3, XDP_REDIRECT), JMP_K(BPF_JEQ, R2, 5, 1), MOV64_K(R3, XDP_DROP),
		STX(BPF_W, R10, -4, R3), MOV64_K(R3, 0), LDX(BPF_W, R0, R10, -4), EXIT);
	REFUSED(-EPERM, "instruction 1" NO_REDIRECT, SUBCALL(1), EXIT, MOV64_K(R0, XDP_REDIRECT),
		EXIT);
	BECOMES(LIST(MOV64_K(R0, XDP_REDIRECT), ALU64_K(BPF_SUB, R0, 1), EXIT),
		MOV64_K(R0, XDP_REDIRECT), ALU64_K(BPF_SUB, R0, 1));
	return true;
}

/**
 * mixed() - registers that hold different things on different paths
 *
 * Return: true if they are refused where it matters, and only there
 */
static bool mixed(void)
{
	REFUSED(-EOPNOTSUPP, "instruction 4: loads through r2, which is the context on some paths "
		"and something else on others",
		LDX(BPF_W, R3, R1, 16), MOV64_X(R2, R1), JMP_K(BPF_JEQ, R3, 5, 1), LD_DATA(R2, R1),
		LDX(BPF_W, R4, R2, 0), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 5: subtracts r2 from r4, which are different kinds of "
		"pointers on different paths",
		LDX(BPF_W, R3, R1, 16), LD_END(R4, R1), LD_DATA(R2, R1), JMP_K(BPF_JEQ, R3, 5, 1),
		MOV64_X(R2, R10), ALU64_X(BPF_SUB, R4, R2), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 4: moves a pointer that is a packet pointer on some "
		"paths and something else on others",
		LDX(BPF_W, R3, R1, 16), LD_DATA(R2, R1), JMP_K(BPF_JEQ, R3, 5, 1),
		MOV64_X(R2, R10), ALU64_X(BPF_ADD, R2, R3), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 5: subtracts packet pointers at an offset that is not "
		"constant", LD_DATA(R2, R1), LDX(BPF_W, R3, R1, 16), JMP_K(BPF_JEQ, R3, 5, 1),
		ALU64_K(BPF_ADD, R2, 4), LD_END(R4, R1), ALU64_X(BPF_SUB, R4, R2), PASS);
	/* A load is the same from the packet and from the stack. */
	BECOMES(LIST(LDX(BPF_W, R3, R1, 16), LD_DATA(R2, R1), JMP_K(BPF_JEQ, R3, 5, 1),
		     MOV64_X(R2, R10), LDX(BPF_B, R4, R2, -8), PASS),
		MOV32_K(R3, 0), LDX(BPF_W, R2, R1, SKB_DATA), JMP_K(BPF_JEQ, R3, 5, 1),
		MOV64_X(R2, R10), LDX(BPF_B, R4, R2, -8), MOV64_K(R0, XDP_PASS));
	return true;
}

/**
 * stacks() - stack that is used too much, or not to be seen through
 *
 * Return: true if that is refused in words
 */
static bool stacks(void)
{
	REFUSED(-EINVAL, "instruction 0: uses 8 bytes of stack at offset -520, which is out of "
		"bounds", ST(BPF_DW, R10, -520, 0), PASS);
	REFUSED(-EINVAL, "instruction 0: uses 4 bytes of stack at offset 0, which is out of bounds",
		ST(BPF_W, R10, 0, 0), PASS);
	REFUSED(-EINVAL, "instruction 0: uses 8 bytes of stack at offset -4, which is out of "
		"bounds", ST(BPF_DW, R10, -4, 0), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 0: the function uses 512 bytes of stack, and its "
		"translation needs 520, which is over the limit of 512",
		ST(BPF_DW, R10, -512, 0), PASS);
	REFUSED(-EOPNOTSUPP, "instruction 3: uses the stack at an offset that is not constant",
		LDX(BPF_W, R2, R1, 16), MOV64_X(R3, R10), ALU64_X(BPF_ADD, R3, R2),
		ST(BPF_B, R3, -8, 0), PASS);
	return true;
}

/**
 * functions() - calls, and what a function does for its caller
 *
 * Return: true if they are as expected
 */
static bool functions(void)
{
	/* A packet pointer comes back through the caller's stack. */
	BECOMES(LIST(MOV64_X(R6, R1), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8), SUBCALL(6),
		     LDX(BPF_DW, R2, R10, -8), LD_END(R3, R6), ALU64_X(BPF_SUB, R3, R2),
		     MOV64_K(R6, 0), PASS,
		     LD_DATA(R3, R1), ALU64_K(BPF_ADD, R3, 6), STX(BPF_DW, R2, 0, R3),
		     MOV64_K(R0, 0), EXIT),
		MOV64_X(R6, R1), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),
		SUBCALL(6 + EPILOGUE), LDX(BPF_DW, R2, R10, -8), LDX(BPF_W, R3, R6, SKB_END),
		LDX(BPF_W, R3, R6, SKB_LEN), ALU64_K(BPF_ADD, R3, -6), MOV64_K(R6, 0),
		MOV64_K(R0, XDP_PASS));
	REFUSED(-EINVAL, "instruction 0: calls a function that never returns",
		SUBCALL(2), PASS, JA(-1));
	REFUSED(-E2BIG, "instruction 2: calls go more than 8 functions deep",
		SUBCALL(1), EXIT, SUBCALL(-1), EXIT);
	return true;
}

/**
 * origins() - which of the tenant's instructions each one stems from
 *
 * Return: true if they are as expected
 */
static bool origins(void)
{
	static const struct bpf_insn in[] = {
		LD_DATA(R2, R1), LD_END(R1, R1), ALU64_X(BPF_SUB, R1, R2), LD_IMM64(R3, 1, 2),
		PASS,
	};
	static const uint32_t want[] = { UINT32_MAX, 0, 1, 2, 2, 3, 3, 5, UINT32_MAX };
	struct rw_out out;

	CHECK(!rewrite(in, ARRAY_SIZE(in), &out, NULL));
	CHECK_EQ(out.cnt, 8 + EPILOGUE);
	CHECK(!memcmp(out.origin, want, sizeof(want)));
	rw_out_free(&out);
	return true;
}

/* Two lookups of one element of map 7, and something between them */
#define FIRST	ST(BPF_W, R10, -4, 0), MOV64_X(R9, R10), ALU64_K(BPF_ADD, R9, -4), \
		LD_MAP(R8, 7), MOV64_X(R1, R8), MOV64_X(R2, R9), \
		CALL(BPF_FUNC_map_lookup_elem), MOV64_X(R6, R0)
#define SECOND	MOV64_X(R1, R8), MOV64_X(R2, R9)
#define LOOKUP	CALL(BPF_FUNC_map_lookup_elem)

/**
 * twice() - elements that are looked up twice in a row
 *
 * Return: true if the second lookup is a copy, where it finds the same
 */
static bool twice(void)
{
	BECOMES(LIST(FIRST, SECOND, LOOKUP, MOV64_X(R7, R0), JMP_K(BPF_JEQ, R6, 0, 2),
		     JMP_X(BPF_JNE, R6, R7, 1), LDX(BPF_DW, R0, R7, 0), PASS),
		FIRST, SECOND, MOV64_X(R0, R6), MOV64_X(R7, R0), JMP_K(BPF_JEQ, R6, 0, 1),
		LDX(BPF_DW, R0, R7, 0), MOV64_K(R0, XDP_PASS));
	/* Another key, another register, what was found is lost, a jump in between. */
	BECOMES(LIST(FIRST, SECOND, ST(BPF_W, R10, -4, 1), LOOKUP, PASS),
		FIRST, SECOND, ST(BPF_W, R10, -4, 1), LOOKUP, MOV64_K(R0, XDP_PASS));
	BECOMES(LIST(FIRST, MOV64_X(R9, R9), SECOND, LOOKUP, PASS),
		FIRST, MOV64_X(R9, R9), SECOND, LOOKUP, MOV64_K(R0, XDP_PASS));
	BECOMES(LIST(FIRST, MOV64_X(R6, R8), SECOND, LOOKUP, PASS),
		FIRST, MOV64_X(R6, R8), SECOND, LOOKUP, MOV64_K(R0, XDP_PASS));
	BECOMES(LIST(FIRST, JMP_K(BPF_JEQ, R6, 0, 1), MOV64_X(R7, R6), SECOND, LOOKUP, PASS),
		FIRST, JMP_K(BPF_JEQ, R6, 0, 1), MOV64_X(R7, R6), SECOND, LOOKUP,
		MOV64_K(R0, XDP_PASS));
	return true;
}

/**
 * far_jumps() - jumps over more than 16 bits count
 *
 * Return: true if each still goes where it went
 */
static bool far_jumps(void)
{
	enum { TURNS = 8000, CNT = 6 + 2 * TURNS + 3 };
	struct bpf_insn *in = calloc(CNT, sizeof(*in));
	struct rw_out out;
	uint32_t body = 8;

	CHECK(in);
	in[0] = (struct bpf_insn)LD_DATA(R8, R1);
	in[1] = (struct bpf_insn)LD_END(R9, R1);
	in[2] = (struct bpf_insn)ALU64_K(BPF_ADD, R8, 1);
	in[3] = (struct bpf_insn)LDX(BPF_W, R7, R1, 16);
	in[4] = (struct bpf_insn)MOV64_K(R1, 0);
	in[5] = (struct bpf_insn)JMP_K(BPF_JGT, R7, 60, 2 * TURNS + 1);
	for (int i = 0; i < TURNS; i++) {
		in[6 + 2 * i] = (struct bpf_insn)MOV64_X(R0, R8);
		in[7 + 2 * i] = (struct bpf_insn)ALU64_X(BPF_SUB, R0, R9);
	}
	in[CNT - 3] = (struct bpf_insn)JMP_K(BPF_JGT, R0, 60, -2 * TURNS - 2);
	in[CNT - 2] = (struct bpf_insn)MOV64_K(R0, XDP_PASS);
	in[CNT - 1] = (struct bpf_insn)EXIT;
	CHECK(!rewrite(in, CNT, &out, NULL));
	free(in);
	CHECK_EQ(out.cnt, body + 2 + 5 * TURNS + 3 + 1 + EPILOGUE);
	/* Both became three: over a jump to a gotol. */
	CHECK_EQ(out.insns[7].off, 1);
	CHECK_EQ(out.insns[8].off, 1);
	CHECK_EQ(out.insns[9].code, BPF_JMP32 | BPF_JA);
	CHECK_EQ(out.insns[9].imm, 5 * TURNS + 3);
	CHECK_EQ(out.insns[body + 2 + 5 * TURNS].off, 1);
	CHECK_EQ(out.insns[body + 2 + 5 * TURNS + 2].imm, -5 * TURNS - 7);
	CHECK_EQ(out.origin[9], 5);
	rw_out_free(&out);
	return true;
}

/**
 * complexity() - a program that takes too much analysis
 *
 * Return: true if it is refused in words
 */
static bool complexity(void)
{
	enum { FUNCS = 7, CALLS = 8 };
	struct bpf_insn in[FUNCS * (CALLS + 2) + 2], *p = in;
	struct text why = { 0 };
	struct rw_out out;

	/* Each function calls the next one eight times: 8^7 chains of calls. */
	for (int f = 0; f < FUNCS; f++) {
		for (int i = 0; i < CALLS; i++)
			*p++ = (struct bpf_insn)SUBCALL(CALLS + 2 - i - 1);
		*p++ = (struct bpf_insn)MOV64_K(R0, XDP_PASS);
		*p++ = (struct bpf_insn)EXIT;
	}
	*p++ = (struct bpf_insn)MOV64_K(R0, XDP_PASS);
	*p++ = (struct bpf_insn)EXIT;
	CHECK_EQ(rewrite(in, ARRAY_SIZE(in), &out, &why), -E2BIG);
	CHECK(strstr(why.buf, "the program is too complex: more than "));
	text_free(&why);
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
		{ "epilogue", epilogue },
		{ "context fields", context },
		{ "differences of packet pointers", lengths },
		{ "packet pointers and constants", moves },
		{ "loop heads", loops },
		{ "helpers", helpers },
		{ "branches that are decided", branches },
		{ "XDP_REDIRECT", redirects },
		{ "different kinds on different paths", mixed },
		{ "stack", stacks },
		{ "functions", functions },
		{ "origins", origins },
		{ "an element that is looked up twice", twice },
		{ "far jumps", far_jumps },
		{ "too complex", complexity },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
