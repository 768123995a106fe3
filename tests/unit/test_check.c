// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The structural check, refusal by refusal
 *
 * Each row is a program and the sentence that it is refused with, or none. The
 * program's one map has handle 7.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../../host-loader/rewriter/rewriter.h"
#include "../ktap.h"
#include "insns.h"

#define MAX_INSNS	8

/**
 * struct row - one program
 * @says: the sentence, or NULL if it passes
 * @err: what rw_check() returns
 * @cnt: number of @insns
 * @insns: the program
 */
struct row {
	const char *says;
	int err;
	uint32_t cnt;
	struct bpf_insn insns[MAX_INSNS];
};

static const struct rw_map maps[] = { { 7, BPF_MAP_TYPE_ARRAY, 4, 8, 1 } };

/* A row: the sentence, the error and the instructions */
#define ROW(sentence, errno_, ...)                                            \
	{                                                                     \
		.says = (sentence), .err = (errno_),                          \
		.cnt = ARRAY_SIZE(((struct bpf_insn[]){ __VA_ARGS__ })),      \
		.insns = { __VA_ARGS__ }                                      \
	}
#define BAD(sentence, ...) ROW(sentence "\n", -EINVAL, __VA_ARGS__)
#define FORBIDDEN(sentence, ...) ROW(sentence "\n", -EPERM, __VA_ARGS__)
#define GOOD(...) ROW(NULL, 0, __VA_ARGS__)
#define RETURN MOV64_K(R0, 2), EXIT

/**
 * rows_hold() - check all rows of a table
 * @rows: the table
 * @cnt: number of rows
 *
 * Return: true if each program was taken or refused as its row says
 */
static bool rows_hold(const struct row *rows, size_t cnt)
{
	bool ok = true;

	for (size_t i = 0; i < cnt; i++) {
		struct rw_prog prog = {
			.insns = rows[i].insns, .cnt = rows[i].cnt, .maps = maps,
			.map_cnt = ARRAY_SIZE(maps), .ifindex = 1,
		};
		struct text why = { 0 };
		int err = rw_check(&prog, MAX_INSNS, &why);
		const char *said = why.buf ? why.buf : "";
		const char *wanted = rows[i].says ? rows[i].says : "";

		if (err != rows[i].err || strcmp(said, wanted)) {
			printf("# row %zu: %d, wanted %d; said: %s# wanted: %s", i, err,
			       rows[i].err, said, wanted);
			ok = false;
		}
		text_free(&why);
	}
	return ok;
}

/**
 * opcodes() - what is not an instruction
 *
 * Return: true if each row holds
 */
static bool opcodes(void)
{
	static const struct row rows[] = {
		GOOD(RETURN),
		GOOD(ALU64_K(BPF_ARSH, R1, 63), ALU32_K(BPF_MOD, R1, 3), RETURN),
		GOOD(INSN(BPF_ALU64 | BPF_END, R1, 0, 0, 64), RETURN),
		GOOD(INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 16), RETURN),
		GOOD(INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 32, 0), RETURN),
		GOOD(INSN(BPF_ALU64 | BPF_DIV | BPF_X, R1, R2, 1, 0), RETURN),
		GOOD(INSN(BPF_LDX | 0x80 | BPF_W, R1, R2, 4, 0), RETURN),
		GOOD(ATOMIC(BPF_W, R1, 0, R2, BPF_CMPXCHG), RETURN),
		GOOD(ATOMIC(BPF_DW, R1, 0, R2, BPF_ADD | BPF_FETCH), RETURN),
		GOOD(GOTOL(0), RETURN),
		GOOD(JMP32_K(BPF_JSLE, R1, -1, 0), RETURN),
		BAD("instruction 0: opcode 0xf4 (offset 0, immediate 0) is not known",
		    INSN(0xf4, R1, 0, 0, 0), RETURN),
		BAD("instruction 0: opcode 0xe5 uses a reserved field",
		    INSN(0xe5, 0, 0, 0, 1), RETURN),
		BAD("instruction 0: opcode 0x96 (offset 0, immediate 0) is not known",
		    INSN(BPF_JMP32 | BPF_EXIT, 0, 0, 0, 0), RETURN),
		BAD("instruction 0: opcode 0x86 (offset 0, immediate 1) is not known",
		    INSN(BPF_JMP32 | BPF_CALL, 0, 0, 0, 1), RETURN),
		BAD("instruction 0: opcode 0x99 (offset 0, immediate 0) is not known",
		    INSN(BPF_LDX | 0x80 | BPF_DW, R1, R2, 0, 0), RETURN),
		BAD("instruction 0: opcode 0xd3 (offset 0, immediate 0) is not known",
		    ATOMIC(BPF_B, R1, 0, R2, BPF_ADD), RETURN),
		BAD("instruction 0: opcode 0xdb (offset 0, immediate 32) is not known",
		    ATOMIC(BPF_DW, R1, 0, R2, BPF_MUL), RETURN),
		BAD("instruction 0: opcode 0xdf (offset 0, immediate 64) is not known",
		    INSN(BPF_ALU64 | BPF_END | BPF_TO_BE, R1, 0, 0, 64), RETURN),
		BAD("instruction 0: a byte swap of 8 bits is not known",
		    INSN(BPF_ALU | BPF_END, R1, 0, 0, 8), RETURN),
		BAD("instruction 0: classic BPF packet loads are not for XDP",
		    INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 12), RETURN),
		BAD("instruction 0: classic BPF packet loads are not for XDP",
		    INSN(BPF_LD | BPF_IND | BPF_B, 0, R1, 0, 12), RETURN),
		BAD("instruction 0: division by zero", ALU64_K(BPF_DIV, R1, 0), RETURN),
		BAD("instruction 0: a shift by 32", ALU32_K(BPF_LSH, R1, 32), RETURN),
		BAD("instruction 0: a shift by -1", ALU64_K(BPF_RSH, R1, -1), RETURN),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * fields() - registers that do not exist, fields that should be zero
 *
 * Return: true if each row holds
 */
static bool fields(void)
{
	static const struct row rows[] = {
		BAD("instruction 0: r10 is read-only", MOV64_K(R10, 0), RETURN),
		BAD("instruction 0: r10 is read-only", LDX(BPF_W, R10, R1, 0), RETURN),
		BAD("instruction 0: r10 is read-only",
		    ATOMIC(BPF_DW, R1, 0, R10, BPF_XCHG), RETURN),
		BAD("instruction 0: there is no register r11", MOV64_K(11, 0), RETURN),
		BAD("instruction 0: there is no register r15", MOV64_X(R1, 15), RETURN),
		BAD("instruction 1: there is no register r12", MOV64_K(R0, 0),
		    JMP_K(BPF_JEQ, 12, 0, 0), RETURN),
		BAD("instruction 0: there is no register r14", ST(BPF_W, 14, 0, 0), RETURN),
		BAD("instruction 0: opcode 0xb7 uses a reserved field",
		    INSN(BPF_ALU64 | BPF_MOV, R1, R2, 0, 0), RETURN),
		BAD("instruction 0: opcode 0xb7 uses a reserved field",
		    INSN(BPF_ALU64 | BPF_MOV, R1, 0, 8, 0), RETURN),
		BAD("instruction 0: opcode 0xbc uses a reserved field",
		    INSN(BPF_ALU | BPF_MOV | BPF_X, R1, R2, 32, 0), RETURN),
		BAD("instruction 0: opcode 0x0f uses a reserved field",
		    INSN(BPF_ALU64 | BPF_ADD | BPF_X, R1, R2, 0, 5), RETURN),
		BAD("instruction 0: opcode 0x87 uses a reserved field",
		    INSN(BPF_ALU64 | BPF_NEG, R1, 0, 0, 1), RETURN),
		BAD("instruction 0: opcode 0x61 uses a reserved field",
		    INSN(BPF_LDX | BPF_MEM | BPF_W, R1, R2, 0, 9), RETURN),
		BAD("instruction 0: opcode 0x05 uses a reserved field",
		    INSN(BPF_JMP | BPF_JA, 0, 0, 0, 1), RETURN),
		BAD("instruction 0: opcode 0x06 uses a reserved field",
		    INSN(BPF_JMP32 | BPF_JA, 0, 0, 1, 0), RETURN),
		BAD("instruction 1: opcode 0x95 uses a reserved field", MOV64_K(R0, 0),
		    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1)),
		BAD("instruction 0: opcode 0x85 uses a reserved field",
		    INSN(BPF_JMP | BPF_CALL, 1, 0, 0, 5), RETURN),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * jumps() - where control must not go
 *
 * Return: true if each row holds
 */
static bool jumps(void)
{
	static const struct row rows[] = {
		GOOD(JMP_K(BPF_JEQ, R1, 0, 2), LD_IMM64(R1, 1, 2), RETURN),
		BAD("instruction 0: goes to 4, outside of the program", JA(3), JA(0), RETURN),
		BAD("instruction 0: goes to -1, outside of the program", JA(-2), RETURN),
		BAD("instruction 0: goes to 2147483648, outside of the program",
		    GOTOL(2147483647), RETURN),
		BAD("instruction 0: goes into the middle of the 64-bit load at 1",
		    JMP_K(BPF_JEQ, R1, 0, 1), LD_IMM64(R1, 1, 2), RETURN),
		BAD("instruction 0: is the last one of a function, but neither an exit nor a jump",
		    MOV64_K(R0, 0)),
		BAD("instruction 1: is the last one of a function, but neither an exit nor a jump",
		    EXIT, JMP_K(BPF_JEQ, R0, 0, -2)),
		BAD("instruction 0: the second half of a 64-bit load is missing",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, 0, 0, 0)),
		BAD("instruction 0: opcode 0x18 uses a reserved field",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, 0, 0, 0), RETURN),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * functions() - calls of own functions, and their borders
 *
 * Return: true if each row holds
 */
static bool functions(void)
{
	static const struct row rows[] = {
		GOOD(SUBCALL(1), EXIT, RETURN),
		BAD("instruction 0: goes to 9, outside of the program", SUBCALL(8), EXIT, RETURN),
		BAD("instruction 0: goes into the middle of the 64-bit load at 2",
		    SUBCALL(2), EXIT, LD_IMM64(R0, 0, 0), EXIT),
		BAD("instruction 1: jumps to 3, into another function", SUBCALL(2),
		    JMP_K(BPF_JEQ, R0, 0, 1), EXIT, RETURN),
		BAD("instruction 3: jumps to 1, into another function", SUBCALL(1), EXIT,
		    MOV64_K(R0, 0), JA(-3)),
		BAD("instruction 0: is the last one of a function, but neither an exit nor a jump",
		    SUBCALL(0), RETURN),
		BAD("instruction 0: calls the program's entry", SUBCALL(-1), EXIT),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * references() - maps that are not the tenant's, and other things to refer to
 *
 * Return: true if each row holds
 */
static bool references(void)
{
	static const struct row rows[] = {
		GOOD(LD_MAP(R1, 7), RETURN),
		BAD("instruction 1: there is no map with handle 8", MOV64_K(R0, 0), LD_MAP(R1, 8),
		    EXIT),
		BAD("instruction 0: there is no map with handle 0", LD_MAP(R1, 0), RETURN),
		BAD("instruction 0: there is no map with handle 4294967295",
		    LD_MAP(R1, RW_HANDLE_COUNTERS), RETURN),
		BAD("instruction 0: opcode 0x18 uses a reserved field",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_FD, 0, 7),
		    INSN(0, 0, 0, 0, 1), RETURN),
		BAD("instruction 0: global data is not offered: use an array map",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_VALUE, 0, 7),
		    INSN(0, 0, 0, 0, 0), RETURN),
		BAD("instruction 0: a variable of the kernel is not offered",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_BTF_ID, 0, 7),
		    INSN(0, 0, 0, 0, 0), RETURN),
		BAD("instruction 0: the address of a function is not offered",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_FUNC, 0, 1),
		    INSN(0, 0, 0, 0, 0), RETURN),
		BAD("instruction 0: a 64-bit load of kind 5 is not known",
		    INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_IDX, 0, 0),
		    INSN(0, 0, 0, 0, 0), RETURN),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * helpers() - what must not be called
 *
 * Return: true if each row holds
 */
static bool helpers(void)
{
	static const struct row rows[] = {
		GOOD(CALL(BPF_FUNC_ktime_get_ns), RETURN),
		FORBIDDEN("instruction 1: helper fib_lookup (69) is not allowed: "
			  "it reads the host's routing table",
			  MOV64_K(R0, 0), CALL(BPF_FUNC_fib_lookup), EXIT),
		FORBIDDEN("instruction 0: helper trace_printk (6) is not allowed: "
			  "it writes to the host's trace log",
			  CALL(BPF_FUNC_trace_printk), EXIT),
		FORBIDDEN("instruction 0: helper redirect (23) is not allowed: XDP_REDIRECT is not "
			  "offered, because a tenant must not choose the host's devices",
			  CALL(BPF_FUNC_redirect), EXIT),
		FORBIDDEN("instruction 0: helper 9999 is not allowed: "
			  "it is not on the list of helpers", CALL(9999), EXIT),
		FORBIDDEN("instruction 0: helper 4294967295 is not allowed: "
			  "it is not on the list of helpers", CALL(-1), EXIT),
		FORBIDDEN("instruction 0: kernel functions (kfuncs) are not allowed",
			  INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 1), EXIT),
		BAD("instruction 0: a call of kind 3 is not known",
		    INSN(BPF_JMP | BPF_CALL, 0, 3, 0, 1), EXIT),
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * limits() - programs of no length or too much of it
 *
 * Return: true if each row holds
 */
static bool limits(void)
{
	static const struct row rows[] = {
		{ .says = "the program has no instructions\n", .err = -EINVAL },
		{ .says = "the program has 4000000000 instructions, the limit is 8\n",
		  .err = -E2BIG, .cnt = 4000000000u },
	};

	return rows_hold(rows, ARRAY_SIZE(rows));
}

/**
 * profiles() - what only a port's profile takes, or the one for measurements
 *
 * Return: true if other programs do not get it
 */
static bool profiles(void)
{
	static const struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_VALUE, 0, 7),
		INSN(0, 0, 0, 0, 4), CALL(BPF_FUNC_get_smp_processor_id), MOV64_K(R0, 2), EXIT,
	};
	static const struct bpf_insn loop = CALL(BPF_FUNC_loop);
	struct rw_prog prog = {
		.insns = insns, .cnt = ARRAY_SIZE(insns), .maps = maps,
		.map_cnt = ARRAY_SIZE(maps), .profile = RW_PROFILE_ALL,
	};

	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), 0);
	prog.profile = RW_PROFILE_TENANT;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EINVAL);
	prog.profile = WL_PROFILE_TIME | WL_PROFILE_CPU;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EINVAL);
	prog.insns += 2;
	prog.cnt -= 2;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), 0);
	prog.profile = WL_PROFILE_TIME;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EPERM);
	prog.profile = RW_PROFILE_TENANT;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EPERM);
	prog.profile = RW_PROFILE_ALL;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), 0);
	prog.insns = &loop;
	prog.cnt = 1;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EPERM);
	return true;
}

/**
 * may_goto() - a loop that the kernel ends after some time
 *
 * Return: true if it is refused in words, but for measurements
 */
static bool may_goto(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_K(R0, 2), INSN(BPF_JMP | 0xe0, 0, 0, 1, 0), JA(-2), EXIT,
	};
	static const struct bpf_insn odd[] = { INSN(BPF_JMP | 0xe0, 0, 0, 0, 1), RETURN };
	struct rw_prog prog = {
		.insns = insns, .cnt = ARRAY_SIZE(insns), .profile = WL_PROFILES,
	};
	struct text why = { 0 };

	CHECK_EQ(rw_check(&prog, MAX_INSNS, &why), -EPERM);
	CHECK(!strncmp(why.buf, "instruction 1: may_goto is not allowed: ", 40));
	text_free(&why);
	prog.profile = RW_PROFILE_ALL;
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), 0);
	prog.insns = odd;
	prog.cnt = ARRAY_SIZE(odd);
	CHECK_EQ(rw_check(&prog, MAX_INSNS, NULL), -EINVAL);
	return true;
}

/**
 * many_functions() - more functions than a program can have
 *
 * Return: true if they are refused in words
 */
static bool many_functions(void)
{
	enum { CALLS = 300, CNT = CALLS + 2 + 2 * CALLS };
	const struct bpf_insn set = MOV64_K(R0, 2), out = EXIT;
	struct bpf_insn *insns = calloc(CNT, sizeof(*insns));
	struct rw_prog prog = { .insns = insns, .cnt = CNT, .ifindex = 1 };
	struct text why = { 0 };
	int err;

	CHECK(insns);
	for (int i = 0; i < CALLS; i++)
		insns[i] = (struct bpf_insn)SUBCALL(CALLS + 2 + 2 * i - i - 1);
	for (int i = CALLS; i < CNT; i += 2) {
		insns[i] = set;
		insns[i + 1] = out;
	}
	err = rw_check(&prog, CNT, &why);
	free(insns);
	CHECK_EQ(err, -E2BIG);
	CHECK(!strcmp(why.buf, "instruction 255: the program has more than 256 functions\n"));
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
		{ "opcodes", opcodes },
		{ "registers and reserved fields", fields },
		{ "jumps", jumps },
		{ "functions", functions },
		{ "maps and other references", references },
		{ "helpers", helpers },
		{ "limits", limits },
		{ "too many functions", many_functions },
		{ "what only some profiles may do", profiles },
		{ "loops that a may_goto ends", may_goto },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
