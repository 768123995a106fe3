// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disassembler: each kind of instruction, at the extremes of its fields.
 */
#include <string.h>

#include "../../host-loader/offline/disasm.h"
#include "insns.h"
#include "ktap.h"

/* Fail the case unless @want is the text of the instructions that follow. */
#define TEXT_IS(want, ...)                                                             \
	do {                                                                           \
		const struct bpf_insn insns_[] = { __VA_ARGS__ };                      \
		char buf_[DISASM_MAX];                                                 \
										       \
		disasm(insns_, ARRAY_SIZE(insns_), map_name, "m", buf_, sizeof(buf_)); \
		if (strcmp(buf_, want)) {                                              \
			printf("# %s:%d: \"%s\"\n", __FILE__, __LINE__, buf_);         \
			return false;                                                  \
		}                                                                      \
	} while (0)

/**
 * map_name() - the name of map 7
 * @arg: it
 * @handle: of a map
 *
 * Return: @arg for handle 7, else NULL
 */
static const char *map_name(const void *arg, uint32_t handle)
{
	return handle == 7 ? arg : NULL;
}

/**
 * arithmetic() - ALU and ALU64, with what v4 added
 *
 * Return: true if all is well
 */
static bool arithmetic(void)
{
	TEXT_IS("r0 = -2147483648", MOV64_K(R0, INT32_MIN));
	TEXT_IS("w9 += w10", ALU32_X(BPF_ADD, R9, R10));
	TEXT_IS("r1 s>>= 63", ALU64_K(BPF_ARSH, R1, 63));
	TEXT_IS("r1 = -r1", INSN(BPF_ALU64 | BPF_NEG, R1, 0, 0, 0));
	TEXT_IS("r1 s/= r2", INSN(BPF_ALU64 | BPF_DIV | BPF_X, R1, R2, 1, 0));
	TEXT_IS("w1 s%= 3", INSN(BPF_ALU | BPF_MOD | BPF_K, R1, 0, 1, 3));
	TEXT_IS("r1 = (s32)r2", INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 32, 0));
	TEXT_IS("r1 = be16 r1", INSN(BPF_ALU | BPF_END | BPF_X, R1, 0, 0, 16));
	TEXT_IS("r1 = le64 r1", INSN(BPF_ALU | BPF_END | BPF_K, R1, 0, 0, 64));
	TEXT_IS("r1 = bswap32 r1", INSN(BPF_ALU64 | BPF_END | BPF_K, R1, 0, 0, 32));
	return true;
}

/**
 * memory() - loads, stores and atomic operations
 *
 * Return: true if all is well
 */
static bool memory(void)
{
	TEXT_IS("r0 = *(u8 *)(r1 +32767)", LDX(BPF_B, R0, R1, 32767));
	TEXT_IS("r0 = *(s16 *)(r1 -32768)", INSN(BPF_LDX | 0x80 | BPF_H, R0, R1, -32768, 0));
	TEXT_IS("*(u32 *)(r10 -4) = -1", ST(BPF_W, R10, -4, -1));
	TEXT_IS("*(u64 *)(r10 +0) = r3", STX(BPF_DW, R10, 0, R3));
	TEXT_IS("lock *(u32 *)(r1 +0) += r2", ATOMIC(BPF_W, R1, 0, R2, BPF_ADD));
	TEXT_IS("r2 = atomic64_fetch_or((u64 *)(r1 +8), r2)",
		ATOMIC(BPF_DW, R1, 8, R2, BPF_OR | BPF_FETCH));
	TEXT_IS("r2 = atomic_xchg((u32 *)(r1 +8), r2)", ATOMIC(BPF_W, R1, 8, R2, BPF_XCHG));
	TEXT_IS("r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)",
		ATOMIC(BPF_DW, R1, 8, R2, BPF_CMPXCHG));
	return true;
}

/**
 * jumps() - jumps, calls and exits
 *
 * Return: true if all is well
 */
static bool jumps(void)
{
	TEXT_IS("exit", EXIT);
	TEXT_IS("goto pc-32768", JA(-32768));
	TEXT_IS("gotol pc+2147483647", GOTOL(INT32_MAX));
	TEXT_IS("may_goto pc+1", INSN(BPF_JMP | 0xe0, 0, 0, 1, 0));
	TEXT_IS("if r1 s<= 0xffffffff goto pc+0", JMP_K(BPF_JSLE, R1, -1, 0));
	TEXT_IS("if w1 & 0x1 goto pc+5", JMP32_K(BPF_JSET, R1, 1, 5));
	TEXT_IS("if r1 != r2 goto pc+5", JMP_X(BPF_JNE, R1, R2, 5));
	TEXT_IS("call bpf_map_lookup_elem#1", CALL(1));
	TEXT_IS("call unknown#2147483647", CALL(INT32_MAX));
	TEXT_IS("call pc-3", SUBCALL(-3));
	TEXT_IS("call kernel-function#9", INSN(BPF_JMP | BPF_CALL, 0, 2, 0, 9));
	return true;
}

/**
 * wide() - 64-bit immediates and maps
 *
 * Return: true if all is well
 */
static bool wide(void)
{
	TEXT_IS("r1 = 0x1ffffffff", LD_IMM64(R1, -1, 1));
	TEXT_IS("r1 = map[m]", LD_MAP(R1, 7));
	TEXT_IS("r1 = map[handle:8]", LD_MAP(R1, 8));
	TEXT_IS("r1 = map[m:7]+16", INSN(0x18, R1, BPF_PSEUDO_MAP_VALUE, 0, 7),
		INSN(0, 0, 0, 0, 16));
	TEXT_IS("r1 = func pc+4", INSN(0x18, R1, BPF_PSEUDO_FUNC, 0, 4), INSN(0, 0, 0, 0, 0));
	return true;
}

/**
 * unknown() - opcodes that nobody knows, and halves
 *
 * Return: true if all is well
 */
static bool unknown(void)
{
	TEXT_IS("unknown: code 0x18 dst 1 src 0 off 0 imm 5", INSN(0x18, R1, 0, 0, 5));
	TEXT_IS("unknown: code 0xff dst 15 src 15 off -1 imm -1", INSN(0xff, 15, 15, -1, -1));
	TEXT_IS("unknown: code 0x20 dst 0 src 0 off 0 imm 0", INSN(0x20, 0, 0, 0, 0));
	TEXT_IS("unknown: code 0xdb dst 1 src 2 off 0 imm 4096",
		ATOMIC(BPF_DW, R1, 0, R2, 4096));
	for (int code = 0; code < 256; code++) {
		const struct bpf_insn insn = INSN((uint8_t)code, 15, 15, -32768, INT32_MIN);
		char buf[DISASM_MAX];

		disasm(&insn, 1, NULL, NULL, buf, sizeof(buf));
		CHECK(strlen(buf) < DISASM_MAX - 1);
	}
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
		{ "arithmetic", arithmetic },
		{ "memory", memory },
		{ "jumps", jumps },
		{ "64-bit immediates and maps", wide },
		{ "what is not known", unknown },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
