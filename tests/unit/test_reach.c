// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How far programs look into a packet
 *
 * Small programs and the reach that each should have: both sides of each rule
 * of host-loader/rewriter/reach.c. That a reach which is found is also true is
 * shown by tests/diff/test_generated.c.
 */
#include <string.h>

#include "../../host-loader/rewriter/rewriter.h"
#include "../ktap.h"
#include "insns.h"

#define ALL	RW_REACH_ALL
#define PASS	MOV64_K(R0, XDP_PASS), EXIT
#define META	8

/* data in r2, data_end in r3 */
#define ENDS	LD_DATA(R2, R1), LD_END(R3, R1)
/* a comparison of so many bytes with data_end, by a copy in r4 */
#define HAS(n)	MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, n), JMP_X(BPF_JGT, R4, R3, 0)

static const struct rw_map maps[] = {
	{ 7, BPF_MAP_TYPE_ARRAY, 4, 8, 1 },
	{ 8, BPF_MAP_TYPE_HASH, 16, 32, 1 },
};

/**
 * reaches() - is a program's reach what it should be, whatever the form?
 * @insns: the program
 * @cnt: number of @insns
 * @want: the reach
 *
 * Return: true if so
 */
static bool reaches(const struct bpf_insn *insns, uint32_t cnt, uint32_t want)
{
	const struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), 1, RW_PROFILE_TENANT };
	bool same = true, any = false;

	for (int form = RW_FORM_LITE; form <= RW_FORM_SFI; form++) {
		const struct rw_opts opts = { form, RW_TARGET_SKB, 1, RW_WINDOW_DEFAULT,
					      RW_LEVEL_STRICT, false };
		struct text why = { 0 };
		struct rw_out out;

		if (!rw_rewrite(&prog, &opts, &out, &why)) {
			any = true;
			same &= out.reach == want;
			if (out.reach != want)
				printf("# form %d: reach %u, wanted %u\n", form, out.reach, want);
		} else if (form == RW_FORM_SFI && !any) {
			printf("# refused: %s", why.buf);
		}
		text_free(&why);
		rw_out_free(&out);
	}
	return same && any;
}

/* A reach, and a program that has it */
#define REACHES(want, ...)                                                           \
	do {                                                                         \
		static const struct bpf_insn in_[] = { __VA_ARGS__ };                \
		CHECK(reaches(in_, ARRAY_SIZE(in_), want));                          \
	} while (0)

/**
 * accesses() - loads at constant offsets
 *
 * Return: true if they count up to their end
 */
static bool accesses(void)
{
	REACHES(0, PASS);
	REACHES(0, ENDS, PASS);
	REACHES(1, ENDS, LDX(BPF_B, R0, R2, 0), PASS);
	REACHES(14, ENDS, LDX(BPF_H, R0, R2, 12), PASS);
	REACHES(20, ENDS, ALU64_K(BPF_ADD, R2, 20), LDX(BPF_DW, R0, R2, -8), PASS);
	REACHES(34, ENDS, MOV64_K(R5, 30), ALU64_X(BPF_ADD, R5, R2), LDX(BPF_W, R0, R5, 0), PASS);
	/* on one path only, and where no path comes */
	REACHES(40, ENDS, LDX(BPF_B, R5, R2, 0), JMP_K(BPF_JEQ, R5, 0, 1),
		LDX(BPF_B, R5, R2, 39), PASS);
	REACHES(1, ENDS, LDX(BPF_B, R5, R2, 0), JMP_K(BPF_JLE, R5, 255, 1),
		LDX(BPF_B, R5, R2, 39), PASS);
	return true;
}

/**
 * comparisons() - what is asked of the packet's end
 *
 * Return: true if they count as far as they tell packets apart
 */
static bool comparisons(void)
{
	REACHES(14, ENDS, HAS(14), PASS);
	REACHES(14, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JLE, R2, R3, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JGE, R2, R3, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JLT, R2, R3, 0), PASS);
	REACHES(14, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JLT, R3, R2, 0), PASS);
	REACHES(14, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JGE, R3, R2, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JGT, R3, R2, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JLE, R3, R2, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JEQ, R3, R2, 0), PASS);
	REACHES(15, ENDS, ALU64_K(BPF_ADD, R2, 14), JMP_X(BPF_JNE, R2, R3, 0), PASS);
	REACHES(ALL, ENDS, JMP_X(BPF_JSGT, R2, R3, 0), PASS);
	REACHES(ALL, ENDS, JMP_X(BPF_JSET, R2, R3, 0), PASS);
	REACHES(ALL, ENDS, JMP_X(BPF_JEQ, R3, R3, 0), PASS);
	REACHES(0, ENDS, JMP_K(BPF_JEQ, R3, 0, 0), PASS);
	REACHES(ALL, ENDS, JMP_K(BPF_JEQ, R3, 1, 0), PASS);
	REACHES(ALL, ENDS, JMP32_K(BPF_JEQ, R3, 0, 0), PASS);
	REACHES(0, ENDS, MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 99), JMP_X(BPF_JGT, R4, R2, 0),
		PASS);
	REACHES(0, LD_DATA(R2, R1), LDX(BPF_W, R3, R1, META), JMP_X(BPF_JGT, R3, R2, 0), PASS);
	REACHES(ALL, LD_END(R2, R1), LDX(BPF_W, R3, R1, META), JMP_X(BPF_JGT, R3, R2, 0), PASS);
	return true;
}

/**
 * ranges() - pointers at variable offsets
 *
 * Return: true if they count as far as they can be
 */
static bool ranges(void)
{
	/* the length of an IPv4 header */
	REACHES(14 + 60 + 8, ENDS, HAS(34), LDX(BPF_B, R5, R2, 14), ALU64_K(BPF_AND, R5, 15),
		ALU64_K(BPF_LSH, R5, 2), ALU64_X(BPF_ADD, R2, R5), HAS(14 + 8),
		LDX(BPF_H, R5, R2, 14 + 2), PASS);
	/* the same, spilled, and with the sum the other way round */
	REACHES(14 + 60 + 8, ENDS, HAS(34), LDX(BPF_B, R5, R2, 14), ALU64_K(BPF_AND, R5, 15),
		ALU64_K(BPF_LSH, R5, 2), STX(BPF_W, R10, -4, R5), STX(BPF_DW, R10, -16, R2),
		LDX(BPF_W, R5, R10, -4), LDX(BPF_DW, R2, R10, -16), ALU64_X(BPF_ADD, R5, R2),
		MOV64_X(R2, R5), HAS(14 + 8), PASS);
	/* an IPv6 extension header */
	REACHES(54 + 8 + 255 * 8 + 8, ENDS, LDX(BPF_B, R5, R2, 55), ALU64_K(BPF_LSH, R5, 3),
		ALU64_K(BPF_ADD, R5, 8), ALU64_X(BPF_ADD, R2, R5), ALU64_K(BPF_ADD, R2, 54),
		HAS(8), PASS);
	/* a number without limits, and one with limits that a comparison set */
	REACHES(ALL, ENDS, LDX(BPF_DW, R5, R2, 0), ALU64_X(BPF_ADD, R2, R5), HAS(1), PASS);
	REACHES(101, ENDS, LDX(BPF_DW, R5, R2, 0), JMP_K(BPF_JGT, R5, 100, 4),
		ALU64_X(BPF_ADD, R2, R5), HAS(1), PASS);
	REACHES(101, ENDS, LDX(BPF_W, R5, R2, 0), JMP32_K(BPF_JGT, R5, 100, 4),
		ALU64_X(BPF_ADD, R2, R5), HAS(1), PASS);
	REACHES(ALL, ENDS, LDX(BPF_DW, R5, R2, 0), JMP_K(BPF_JSGT, R5, 100, 4),
		ALU64_X(BPF_ADD, R2, R5), HAS(1), PASS);
	/* as far as a packet can be long, and one byte further */
	REACHES(0xffff, ENDS, LDX(BPF_H, R5, R2, 0), ALU64_X(BPF_ADD, R2, R5),
		JMP_X(BPF_JGT, R2, R3, 0), PASS);
	REACHES(ALL, ENDS, LDX(BPF_H, R5, R2, 0), ALU64_X(BPF_ADD, R2, R5),
		JMP_X(BPF_JGE, R2, R3, 0), PASS);
	/* one of two */
	REACHES(30, ENDS, LDX(BPF_B, R5, R2, 0), JMP_K(BPF_JEQ, R5, 0, 1),
		ALU64_K(BPF_ADD, R2, 12), HAS(18), PASS);
	return true;
}

/**
 * loops() - pointers that loops move
 *
 * Return: true if loops of few turns have limits
 */
static bool loops(void)
{
	/* VLAN tags, two at most */
	REACHES(12 + 3 * 4 + 2, ENDS, MOV64_K(R5, 0), HAS(14), LDX(BPF_H, R0, R2, 12),
		JMP_K(BPF_JNE, R0, 0x81, 3), ALU64_K(BPF_ADD, R2, 4), ALU64_K(BPF_ADD, R5, 1),
		JMP_K(BPF_JLT, R5, 4, -8), PASS);
	/* extension headers, six at most */
	REACHES(54 + 6 * 2048, ENDS, MOV64_K(R5, 0), ALU64_K(BPF_ADD, R2, 54), HAS(2),
		LDX(BPF_B, R0, R2, 1), ALU64_K(BPF_LSH, R0, 3), ALU64_K(BPF_ADD, R0, 8),
		ALU64_X(BPF_ADD, R2, R0), ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JNE, R5, 6, -9),
		JMP_X(BPF_JGT, R2, R3, 0), PASS);
	/* thirty bytes, as options are walked, with a branch in each turn */
	REACHES(30, ENDS, MOV64_K(R5, 0), HAS(1), LDX(BPF_B, R0, R2, 0),
		JMP_K(BPF_JEQ, R0, 1, 1), JMP_K(BPF_JEQ, R0, 0, 3), ALU64_K(BPF_ADD, R2, 1),
		ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JLT, R5, 30, -9), PASS);
	/* loops in each other */
	REACHES(3 * 4, ENDS, MOV64_K(R5, 0), MOV64_K(R6, 0), HAS(1), LDX(BPF_B, R0, R2, 0),
		ALU64_K(BPF_ADD, R2, 1), ALU64_K(BPF_ADD, R6, 1), JMP_K(BPF_JLT, R6, 4, -7),
		ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JLT, R5, 3, -10), PASS);
	/* one after the other */
	REACHES(3 + 4, ENDS, MOV64_K(R5, 0), LDX(BPF_B, R0, R2, 0), ALU64_K(BPF_ADD, R2, 1),
		ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JLT, R5, 3, -4), MOV64_K(R5, 0),
		LDX(BPF_B, R0, R2, 0), ALU64_K(BPF_ADD, R2, 1), ALU64_K(BPF_ADD, R5, 1),
		JMP_K(BPF_JLT, R5, 4, -4), PASS);
	/* turns without an end that is known, and too many */
	REACHES(ALL, ENDS, MOV64_K(R5, 0), HAS(1), LDX(BPF_B, R0, R2, 0), ALU64_K(BPF_ADD, R2, 1),
		ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JLT, R5, 1000, -7), PASS);
	REACHES(ALL, ENDS, HAS(14), LDX(BPF_B, R0, R2, 0), ALU64_K(BPF_ADD, R2, 1),
		JMP_X(BPF_JLT, R2, R3, -6), PASS);
	/* many turns, but the offset is compared by itself; up to the next stop */
	REACHES(256, ENDS, MOV64_K(R5, 0), MOV64_X(R4, R2), ALU64_X(BPF_ADD, R4, R5),
		LDX(BPF_B, R0, R4, 0), ALU64_K(BPF_ADD, R5, 1), JMP_K(BPF_JLE, R5, 200, -5), PASS);
	return true;
}

/**
 * ends() - what else is done with the packet's end and with pointers
 *
 * Return: true if only what is harmless has a limit
 */
static bool ends(void)
{
	REACHES(ALL, ENDS, ALU64_X(BPF_SUB, R3, R2), PASS);
	REACHES(ALL, ENDS, ALU64_X(BPF_SUB, R2, R3), PASS);
	REACHES(ALL, ENDS, MOV32_X(R3, R3), MOV32_X(R2, R2), ALU32_X(BPF_SUB, R3, R2), PASS);
	REACHES(ALL, ENDS, ALU64_K(BPF_ADD, R3, 0), PASS);
	REACHES(0, ENDS, MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 9), ALU64_X(BPF_SUB, R4, R2), PASS);
	REACHES(ALL, ENDS, ALU64_K(BPF_AND, R2, 7), PASS);
	REACHES(ALL, ENDS, INSN(BPF_ALU64 | BPF_NEG, R2, 0, 0, 0), PASS);
	REACHES(ALL, ENDS, INSN(BPF_ALU64 | BPF_MOV | BPF_X, R4, R3, 8, 0), PASS);
	/* kept in the stack as a whole, in part, and read by a helper */
	REACHES(14, ENDS, STX(BPF_DW, R10, -8, R3), LDX(BPF_DW, R3, R10, -8), HAS(14), PASS);
	REACHES(ALL, ENDS, STX(BPF_W, R10, -8, R3), PASS);
	REACHES(ALL, ENDS, STX(BPF_DW, R10, -8, R3), LDX(BPF_W, R0, R10, -8),
		ALU64_K(BPF_AND, R0, 3), EXIT);
	REACHES(ALL, ENDS, STX(BPF_DW, R10, -8, R3), ST(BPF_B, R10, -1, 0),
		LDX(BPF_W, R0, R10, -8), ALU64_K(BPF_AND, R0, 3), EXIT);
	REACHES(14, ENDS, STX(BPF_DW, R10, -8, R3), LDX(BPF_DW, R3, R10, -8),
		ST(BPF_DW, R10, -8, 0), ST(BPF_W, R10, -8, 0), HAS(14), PASS);
	REACHES(ALL, ENDS, STX(BPF_DW, R10, -8, R3), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4),
		LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem), PASS);
	REACHES(0, ENDS, STX(BPF_DW, R10, -16, R3), ST(BPF_W, R10, -4, 0), MOV64_X(R2, R10),
		ALU64_K(BPF_ADD, R2, -4), LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem), PASS);
	REACHES(ALL, ENDS, STX(BPF_DW, R10, -8, R3), MOV64_K(R4, 0),
		ATOMIC(BPF_DW, R10, -8, R4, BPF_ADD | BPF_FETCH), PASS);
	/* a map's value, and the verdict */
	REACHES(ALL, LD_END(R6, R1), ST(BPF_W, R10, -4, 0), MOV64_X(R2, R10),
		ALU64_K(BPF_ADD, R2, -4), LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem),
		JMP_K(BPF_JEQ, R0, 0, 1), STX(BPF_DW, R0, 0, R6), PASS);
	REACHES(ALL, LD_END(R0, R1), EXIT);
	/* handed to a function, and back */
	REACHES(14, ENDS, MOV64_X(R1, R2), MOV64_X(R2, R3), SUBCALL(2), PASS,
		ALU64_K(BPF_ADD, R1, 14), MOV64_K(R0, 0), JMP_X(BPF_JGT, R1, R2, 0), EXIT);
	REACHES(8, ENDS, MOV64_X(R6, R3), MOV64_X(R1, R2), SUBCALL(3),
		JMP_X(BPF_JGT, R0, R6, 0), PASS, MOV64_X(R0, R1), ALU64_K(BPF_ADD, R0, 8), EXIT);
	/* a pointer on one path and a number on the other */
	REACHES(ALL, ENDS, LDX(BPF_B, R5, R2, 0), JMP_K(BPF_JEQ, R5, 5, 1), MOV64_K(R2, 7),
		JMP_X(BPF_JGT, R2, R3, 0), PASS);
	return true;
}

/**
 * changes() - programs that change the packet
 *
 * Return: true if they have no limit
 */
static bool changes(void)
{
	REACHES(ALL, ENDS, ST(BPF_B, R2, 0, 1), PASS);
	REACHES(ALL, ENDS, STX(BPF_B, R2, 0, R5), PASS);
	REACHES(ALL, MOV64_K(R2, 4), CALL(BPF_FUNC_xdp_adjust_head), PASS);
	REACHES(ALL, MOV64_K(R2, -4), CALL(BPF_FUNC_xdp_adjust_tail), PASS);
	REACHES(ALL, MOV64_K(R2, -4), CALL(BPF_FUNC_xdp_adjust_meta), PASS);
	REACHES(ALL, CALL(BPF_FUNC_xdp_get_buff_len), PASS);
	REACHES(ALL, ST(BPF_DW, R10, -8, 0), MOV64_K(R2, 0), MOV64_X(R3, R10),
		ALU64_K(BPF_ADD, R3, -8), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_store_bytes), PASS);
	return true;
}

/* xdp_load_bytes to the stack, r2 and r4 being set */
#define LOAD_BYTES	MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -64), CALL(BPF_FUNC_xdp_load_bytes)

/**
 * helpers() - what helpers read of the packet
 *
 * Return: true if that counts
 */
static bool helpers(void)
{
	REACHES(28, MOV64_K(R2, 20), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	REACHES(14 + 60 + 8, LD_DATA(R5, R1), LDX(BPF_B, R2, R5, 14), ALU64_K(BPF_AND, R2, 15),
		ALU64_K(BPF_LSH, R2, 2), ALU64_K(BPF_ADD, R2, 14), MOV64_K(R4, 8), LOAD_BYTES,
		PASS);
	REACHES(84, LD_DATA(R5, R1), LDX(BPF_B, R4, R5, 0), JMP_K(BPF_JGT, R4, 64, 4),
		MOV64_K(R2, 20), LOAD_BYTES, PASS);
	REACHES(ALL, LD_DATA(R5, R1), LDX(BPF_W, R2, R5, 0), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	REACHES(0, MOV64_K(R2, -1), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	REACHES(0, MOV64_K(R2, 0x10000), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	REACHES(ALL, MOV64_K(R2, 0xfff8), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	REACHES(0xffff, MOV64_K(R2, 0xfff7), MOV64_K(R4, 8), LOAD_BYTES, PASS);
	/* keys and values in the packet */
	REACHES(30, ENDS, HAS(30), ALU64_K(BPF_ADD, R2, 14), LD_MAP(R1, 8),
		CALL(BPF_FUNC_map_lookup_elem), PASS);
	REACHES(14 + 32, ENDS, MOV64_X(R3, R2), ALU64_K(BPF_ADD, R3, 14), MOV64_K(R4, 0),
		LD_MAP(R1, 8), CALL(BPF_FUNC_map_update_elem), PASS);
	/* a checksum */
	REACHES(34, ENDS, MOV64_X(R3, R2), ALU64_K(BPF_ADD, R3, 14), MOV64_K(R1, 0),
		MOV64_K(R2, 0), MOV64_K(R4, 20), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), PASS);
	return true;
}

/**
 * copied() - how much of a packet form sfi copies
 * @insns: the program
 * @cnt: number of @insns
 * @window: bytes that it may copy
 *
 * Return: what the length is limited to that the copy is made with; 0 if there
 *         is none
 */
static uint32_t copied(const struct bpf_insn *insns, uint32_t cnt, uint32_t window)
{
	const struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), 1, RW_PROFILE_TENANT };
	const struct rw_opts opts = { RW_FORM_SFI, RW_TARGET_SKB, 1, window,
				      RW_LEVEL_STRICT, false };
	uint32_t limit = 0;
	struct rw_out out;

	if (rw_rewrite(&prog, &opts, &out, NULL))
		return UINT32_MAX;
	for (uint32_t i = 0; i + 1 < out.cnt && !limit; i++) {
		const struct bpf_insn want = JMP_K(BPF_JLE, R4, out.insns[i + 1].imm, 1);

		if (out.origin[i] == UINT32_MAX && !memcmp(&out.insns[i], &want, sizeof(want)))
			limit = (uint32_t)want.imm;
	}
	rw_out_free(&out);
	return limit;
}

/* What of a packet is copied with a window, of a program */
#define COPIES(want, window, ...)                                                    \
	do {                                                                         \
		static const struct bpf_insn in_[] = { __VA_ARGS__ };                \
		CHECK_EQ(copied(in_, ARRAY_SIZE(in_), window), want);                \
	} while (0)

/**
 * copies() - form sfi copies as far as the program looks, or the window
 *
 * Return: true if so
 */
static bool copies(void)
{
	COPIES(0, 2048, PASS);
	COPIES(0, 2048, ENDS, PASS);
	COPIES(14, 2048, ENDS, HAS(14), PASS);
	COPIES(64, 64, ENDS, HAS(64), PASS);
	COPIES(64, 64, ENDS, HAS(65), PASS);
	COPIES(2048, 2048, ENDS, ST(BPF_B, R2, 0, 1), PASS);
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
		{ "accesses", accesses },
		{ "comparisons with the packet's end", comparisons },
		{ "variable offsets", ranges },
		{ "loops", loops },
		{ "other uses of pointers", ends },
		{ "changes of the packet", changes },
		{ "helpers", helpers },
		{ "what form sfi copies", copies },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
