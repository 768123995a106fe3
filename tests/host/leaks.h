/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_LEAKS_H
#define TEST_LEAKS_H
/**
 * DOC: Tiny programs that get an address of the host out, and some that do not
 *
 * Each of struct leak does one thing that the kernel's verifier allows with
 * CAP_PERFMON and that tells something of an address. Each of struct harmless looks
 * much like one of them and tells nothing.
 *
 * All programs have two maps: handle 1 is an array of 4 elements of 64 bytes, handle
 * 2 a hash table with keys and values of 16 bytes. What gets out is in their
 * elements, in the packet or in the verdict.
 */
#include <stdbool.h>
#include <stdint.h>

#include "../unit/insns.h"

#define LEAK_ARRAY	1
#define LEAK_HASH	2

/* What the kernel thinks of a program with CAP_PERFMON */
enum leak_raw {
	LEAKS,		/* it loads it: the channel is real */
	KERNEL_NO,	/* it refuses it there as well */
};

/**
 * struct leak - a program that lets something out
 * @name: what it does
 * @raw: what the kernel thinks of it
 * @insns: the program
 * @cnt: number of @insns
 * @says: a part of the sentence that refuses it at level relaxed
 */
struct leak {
	const char *name;
	enum leak_raw raw;
	const struct bpf_insn *insns;
	uint32_t cnt;
	const char *says;
};

/**
 * struct leaks - programs of one sort
 * @name: of the sort
 * @leak: they
 * @cnt: number of @leak
 */
struct leaks {
	const char *name;
	const struct leak *leak;
	uint32_t cnt;
};

/**
 * struct harmless - a program that lets nothing out
 * @name: what it does
 * @insns: the program
 * @cnt: number of @insns
 */
struct harmless {
	const char *name;
	const struct bpf_insn *insns;
	uint32_t cnt;
};

/* What a program begins with: the context goes to r6. */
#define BEGIN		MOV64_X(R6, R1)
/* r7 becomes the packet's start, with 32 bytes that are there, and r8 its end. */
#define PACKET                                                                \
	LD_DATA(R7, R6), LD_END(R8, R6), MOV64_X(R9, R7),                     \
	ALU64_K(BPF_ADD, R9, 32), JMP_X(BPF_JLE, R9, R8, 2), MOV64_K(R0, 2), EXIT
/* r0 becomes the array's element @key, @at a place where r1 to r5 are free. */
#define ELEMENT(key)                                                          \
	ST(BPF_W, R10, -4, key), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4),  \
	LD_MAP(R1, LEAK_ARRAY), CALL(BPF_FUNC_map_lookup_elem),               \
	JMP_K(BPF_JNE, R0, 0, 1), EXIT
#define PASS		MOV64_K(R0, 2), EXIT
/* r@reg, one of r6 to r9, goes to the first element of the array. */
#define TELL(reg)	ELEMENT(0), STX(BPF_DW, R0, 0, reg), PASS
/* A number from 0 to @mask, which the program does not know, goes to r@reg. */
#define ANY_NUMBER(reg, mask)                                                 \
	CALL(BPF_FUNC_get_prandom_u32), ALU64_K(BPF_AND, R0, mask), MOV64_X(reg, R0)

extern const struct leaks leaks[];
extern const uint32_t leaks_cnt;
extern const struct harmless harmless[];
extern const uint32_t harmless_cnt;

#endif /* TEST_LEAKS_H */
