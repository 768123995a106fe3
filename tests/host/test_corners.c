// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What few programs do, translated, against the programs themselves
 *
 * Each case is a program that is loaded twice (see twin.h), and that its
 * translation has to get right where it is easily wrong: at the end of what is
 * copied of a packet, with stack that is written on one path only, with
 * pointers that are numbers.
 */
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "../ktap.h"
#include "../unit/insns.h"
#include "agree.h"
#include "virtio_bpf.h"

/**
 * window() - packets that are longer than what is copied of them
 *
 * A program that writes to the front of a packet of any length, up to the end of
 * the smallest window.
 *
 * Return: true if the twins agree, with the smallest window and with others
 */
static bool window(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 7),
		LDX(BPF_B, R5, R2, 13), STX(BPF_B, R2, 4, R5), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 64), JMP_X(BPF_JGT, R4, R3, 2),
		ALU64_X(BPF_SUB, R3, R2), STX(BPF_B, R2, 63, R3), EXIT,
	};
	static const uint32_t windows[] = { 64, 65, 99, 100, 101, 1450, 1513, 1514, 1515 };
	struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };

	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		struct twin t;
		bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, windows[i]) && twin_agree(&t);

		twin_free(&t);
		CHECK(ok);
	}
	return true;
}

/**
 * loose_join() - stack at a place that varies on one path and is constant on another
 *
 * Behind the place where they meet nothing may be known of it but that it is a
 * number.
 *
 * Return: true if the twins agree
 */
static bool loose_join(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 13),
		LDX(BPF_B, R6, R2, 13), JMP_K(BPF_JEQ, R6, 0, 6), MOV64_X(R7, R6),
		ALU64_K(BPF_AND, R7, 1), ALU64_K(BPF_LSH, R7, 3), ALU64_X(BPF_ADD, R7, R10),
		ST(BPF_DW, R7, -16, 7), JA(1), ST(BPF_DW, R10, -8, 5),
		JMP_K(BPF_JSET, R6, 1, 1), EXIT,
		LDX(BPF_DW, R1, R10, -8), JMP_K(BPF_JNE, R1, 5, 1), MOV64_K(R0, XDP_DROP), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * moved_null() - a packet pointer that can be NULL is moved, there and back
 *
 * Return: true if the twins agree
 */
static bool moved_null(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 9),
		LDX(BPF_B, R6, R2, 13), MOV64_X(R7, R2), JMP_K(BPF_JNE, R6, 0, 1),
		MOV64_K(R7, 0), ALU64_K(BPF_ADD, R7, 4), JMP_K(BPF_JEQ, R7, 0, 3),
		ALU64_K(BPF_ADD, R7, -4), JMP_K(BPF_JNE, R7, 0, 1), MOV64_K(R0, XDP_DROP), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * null_copy() - of two copies of a pointer one becomes NULL on one path
 *
 * Return: true if the twins agree
 */
static bool null_copy(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 15), JMP_X(BPF_JGT, R4, R3, 16), LDX(BPF_B, R9, R2, 14),
		ST(BPF_W, R10, -4, 3), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4), LD_MAP(R1, 1),
		CALL(BPF_FUNC_map_lookup_elem), MOV64_X(R7, R0), MOV64_X(R8, R0),
		JMP_K(BPF_JSET, R9, 1, 1), MOV64_K(R8, 0),
		MOV64_K(R0, XDP_PASS), JMP_K(BPF_JNE, R8, 0, 3), MOV64_K(R0, XDP_DROP),
		JMP_K(BPF_JEQ, R7, 0, 1), MOV64_K(R0, XDP_TX), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_LITE) &&
	       twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * full_cmpxchg() - compare and exchange in a frame, with all registers in use
 *
 * Return: true if the twins agree
 */
static bool full_cmpxchg(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), ALU64_X(BPF_SUB, R3, R2),
		ALU64_K(BPF_AND, R3, 8), ALU64_X(BPF_ADD, R3, R10), ST(BPF_DW, R10, -24, 3),
		ST(BPF_DW, R10, -32, 3), ST(BPF_DW, R3, -32, 4),
		MOV64_K(R0, 3), MOV64_K(R1, 1), MOV64_K(R2, 20), MOV64_K(R3, 300),
		MOV64_K(R4, 4000), MOV64_K(R5, 5), MOV64_K(R6, 6), MOV64_K(R7, 7),
		MOV64_K(R8, 8), MOV64_K(R9, 9),
		ATOMIC(BPF_DW, R10, -24, R1, BPF_CMPXCHG),
		ALU64_X(BPF_ADD, R0, R1), ALU64_X(BPF_ADD, R0, R2), ALU64_X(BPF_ADD, R0, R3),
		ALU64_X(BPF_ADD, R0, R4), ALU64_X(BPF_ADD, R0, R5), ALU64_X(BPF_ADD, R0, R6),
		ALU64_X(BPF_ADD, R0, R7), ALU64_X(BPF_ADD, R0, R8), ALU64_X(BPF_ADD, R0, R9),
		KEEP(0), LDX(BPF_DW, R0, R10, -24), KEEP(1), MOV64_K(R0, XDP_PASS), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * fetches() - operations that fetch from the stack, in both sizes
 *
 * Return: true if the twins agree
 */
static bool fetches(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_X(R6, R10), ALU64_K(BPF_ADD, R6, -8), ST(BPF_DW, R10, -24, -3),
		MOV64_K(R7, 5), ATOMIC(BPF_DW, R10, -24, R7, BPF_ADD | BPF_FETCH),
		MOV64_K(R2, 0x70f), ATOMIC(BPF_W, R6, -16, R2, BPF_AND | BPF_FETCH),
		ALU64_X(BPF_ADD, R7, R2), MOV64_K(R3, -6),
		ATOMIC(BPF_W, R6, -12, R3, BPF_XCHG), ALU64_X(BPF_ADD, R7, R3),
		MOV64_K(R4, 64), ATOMIC(BPF_DW, R6, -16, R4, BPF_XOR | BPF_FETCH),
		ALU64_X(BPF_ADD, R7, R4), MOV64_K(R0, -1), MOV64_K(R5, 9),
		ATOMIC(BPF_W, R10, -20, R5, BPF_CMPXCHG), ALU64_X(BPF_ADD, R7, R0),
		MOV64_K(R0, -6), ATOMIC(BPF_W, R10, -20, R5, BPF_CMPXCHG),
		ALU64_X(BPF_ADD, R0, R7), KEEP(1), LDX(BPF_DW, R0, R10, -24), KEEP(2),
		MOV64_K(R0, XDP_PASS), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * across_window() - bytes are stored across the end of what is copied of a packet
 *
 * Behind it is the frame of a program whose stack is used at places that vary.
 *
 * Return: true if the twins agree
 */
static bool across_window(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), ALU64_X(BPF_SUB, R3, R2),
		ALU64_K(BPF_AND, R3, 8), ALU64_X(BPF_ADD, R3, R10), ST(BPF_DW, R10, -24, 3),
		ST(BPF_DW, R10, -32, 3), ST(BPF_DW, R3, -32, 4), ST(BPF_DW, R10, -40, 0x55aa),
		MOV64_K(R2, 60), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -40), MOV64_K(R4, 8),
		CALL(BPF_FUNC_xdp_store_bytes), KEEP(0), LDX(BPF_DW, R0, R10, -24), KEEP(1),
		LDX(BPF_DW, R0, R10, -32), KEEP(2), MOV64_K(R0, XDP_PASS), EXIT,
	};
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, 1, 1, RW_PROFILE_TENANT };
	struct twin t;
	bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, 64) && twin_agree(&t);

	twin_free(&t);
	return ok;
}

/**
 * long_argument() - packet memory for a helper that ends behind what is copied
 *
 * Return: true if that is a fault, and nothing else is
 */
static bool long_argument(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R3, R1), LD_END(R2, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R3),
		ALU64_K(BPF_ADD, R4, 99), JMP_X(BPF_JGT, R4, R2, 16),
		LDX(BPF_B, R4, R3, 14), ALU64_K(BPF_AND, R4, 0x44), MOV64_K(R1, 0),
		MOV64_K(R2, 0), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), KEEP(0),
		MOV64_K(R0, XDP_PASS), EXIT,
	};
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, 1, 1, RW_PROFILE_TENANT };
	uint8_t packet[100] = { 0 };
	struct twin t;
	bool made = twin_make_window(&t, &prog, RW_FORM_SFI, 64);

	for (uint8_t size = 0; made && size <= 0x44; size += 4) {
		packet[14] = size;
		if (twin_run(&t, packet, sizeof(packet)) != (size < 0x44))
			printf("# %u: %s\n", size, t.text);
	}
	made = made && twin_count(&t, VIRTIO_BPF_CNT_FAULT) == 1;
	twin_free(&t);
	return made;
}

/**
 * old_pointers() - the difference of pointers from before the packet was moved
 *
 * They are numbers now, but good ones.
 *
 * Return: true if the twins agree
 */
static bool old_pointers(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_X(R8, R1), LD_DATA(R6, R1), LD_END(R7, R1), MOV64_K(R2, 4),
		STX(BPF_DW, R10, -24, R6), STX(BPF_DW, R10, -32, R7),
		CALL(BPF_FUNC_xdp_adjust_head), MOV64_X(R1, R8), MOV64_K(R2, -1),
		CALL(BPF_FUNC_xdp_adjust_tail), MOV64_X(R0, R7), ALU64_X(BPF_SUB, R0, R6), KEEP(0),
		MOV32_X(R0, R7), ALU32_X(BPF_SUB, R0, R6), KEEP(1),
		LDX(BPF_DW, R0, R10, -32), LDX(BPF_DW, R1, R10, -24),
		ALU64_X(BPF_SUB, R0, R1), KEEP(2), MOV64_K(R0, XDP_PASS), EXIT,
	};

	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * near_end() - a packet pointer near the end of what is copied, used before it is
 *		known how far the packet reaches behind it
 *
 * Return: true if the twins agree
 */
static bool near_end(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 15), JMP_X(BPF_JGT, R4, R3, 12),
		LDX(BPF_B, R6, R2, 14), ALU64_K(BPF_AND, R6, 63), ALU64_X(BPF_ADD, R2, R6),
		MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 1), JMP_X(BPF_JGT, R4, R3, 6),
		LDX(BPF_B, R0, R2, 0), MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 60),
		JMP_X(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R2, 59), ALU64_K(BPF_AND, R0, 3), EXIT,
	};
	struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };
	uint8_t packet[64] = { 0 };
	struct twin t;
	bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, sizeof(packet)) && !t.err;

	for (uint8_t at = 0; ok && at < sizeof(packet); at++) {
		memset(packet + 12, at, sizeof(packet) - 12);
		ok = twin_run(&t, packet, sizeof(packet));
	}
	if (!ok)
		printf("# %s\n", t.text);
	twin_free(&t);
	return ok;
}

/**
 * run_loops() - run a loop that calls a function with a loop
 * @outer: turns of the one
 * @inner: turns of the other
 * @faults: result: faults that are counted
 *
 * Translated as for a verifier that does not see to the loops' ends.
 *
 * Return: the verdict, or -1
 */
static int run_loops(int32_t outer, int32_t inner, uint64_t *faults)
{
	const struct bpf_insn insns[] = {
		MOV64_X(R6, R1), MOV64_K(R7, 0), SUBCALL(5), ALU64_K(BPF_ADD, R7, 1),
		JMP_K(BPF_JNE, R7, outer, -3), LD_DATA(R1, R6), MOV64_K(R0, XDP_PASS), EXIT,
		MOV64_K(R0, 0), ALU64_K(BPF_ADD, R0, 1), JMP_K(BPF_JNE, R0, inner, -2), EXIT,
	};
	const struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };
	const struct rw_opts opts = {
		.form = RW_FORM_SFI, .target = RW_TARGET_SKB, .tap_ifindex = 1,
		.window = TWIN_WINDOW, .walks_on = true,
	};
	uint8_t packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);
	struct twin t;
	bool ok;

	twin_init(&t, &prog);
	ok = twin_make_own(&t);
	if (ok)
		twin_translate_as(&t, &opts);
	ok = ok && !t.err && !bpf_prog_test_run_opts(t.strict, &run);
	if (!ok)
		printf("# %s\n", t.text);
	*faults = twin_count(&t, VIRTIO_BPF_CNT_FAULT);
	twin_free(&t);
	return ok ? (int)run.retval : -1;
}

/**
 * counted_loops() - loops that an older verifier believes to end
 *
 * Return: true if all of a packet's turns together are limited
 */
static bool counted_loops(void)
{
	uint64_t faults;

	CHECK_EQ(run_loops(100, 100, &faults), TC_ACT_UNSPEC);
	CHECK_EQ(faults, 0);
	CHECK_EQ(run_loops(1, 300000, &faults), TC_ACT_UNSPEC);
	CHECK_EQ(faults, 0);
	CHECK_EQ(run_loops(1000, 10000, &faults), TC_ACT_SHOT);
	CHECK_EQ(faults, 1);
	CHECK_EQ(run_loops(1, 1000000, &faults), TC_ACT_SHOT);
	CHECK_EQ(faults, 1);
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
		{ "packets longer than what is copied", window },
		{ "stack at places that vary on one path only", loose_join },
		{ "a packet pointer that was NULL and moved", moved_null },
		{ "a copy of a pointer that is NULL on one path", null_copy },
		{ "compare and exchange with all registers in use", full_cmpxchg },
		{ "operations that fetch from the stack", fetches },
		{ "bytes stored across the end of what is copied", across_window },
		{ "packet memory for helpers behind what is copied", long_argument },
		{ "pointers from before the packet was moved", old_pointers },
		{ "loops for an older verifier are counted", counted_loops },
		{ "a pointer near the end of what is copied", near_end },
	};

	if (!twin_usable()) {
		printf("TAP version 13\n1..0 # SKIP loading programs needs root\n");
		return 0;
	}
	return ktap_main(cases, ARRAY_SIZE(cases));
}
