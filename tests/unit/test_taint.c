// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What the rewriter makes of programs at level relaxed
 *
 * What is refused there is tests/host/test_leaks.c's to show.
 */
#include <errno.h>
#include <string.h>

#include "becomes.h"

#define SKB_DATA	76
#define SKB_END		80

/**
 * rewrite_form() - translate a program at level relaxed
 * @insns: the program
 * @cnt: number of @insns
 * @form: of the translation
 * @out: result
 * @why: result: the sentence
 *
 * Return: what rw_rewrite() returned
 */
static int rewrite_form(const struct bpf_insn *insns, uint32_t cnt, enum rw_form form,
			struct rw_out *out, struct text *why)
{
	const struct rw_prog prog = { .insns = insns, .cnt = cnt, .ifindex = 3 };
	const struct rw_opts opts = {
		.form = form, .target = RW_TARGET_SKB, .tap_ifindex = 1,
		.window = RW_WINDOW_DEFAULT, .level = RW_LEVEL_RELAXED,
	};

	return rw_rewrite(&prog, &opts, out, why);
}

/**
 * rewrite() - translate a program at level relaxed, into form lite
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
	return rewrite_form(insns, cnt, RW_FORM_LITE, out, why);
}

#define PASS	MOV64_K(R0, XDP_PASS), EXIT

/**
 * kept() - what level strict cannot keep as it is
 *
 * Return: true if it is kept
 */
static bool kept(void)
{
	/* A packet pointer moves by any number, and lengths are differences. */
	BECOMES(LIST(LD_DATA(R2, R1), LD_END(R3, R1), LDX(BPF_W, R4, R1, 16),
		     MOV64_X(R5, R2), ALU64_K(BPF_ADD, R5, 14), JMP_X(BPF_JGT, R5, R3, 4),
		     LDX(BPF_B, R4, R2, 13), ALU64_X(BPF_ADD, R2, R4), ALU64_X(BPF_SUB, R3, R2),
		     ALU64_X(BPF_SUB, R5, R2), PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R3, R1, SKB_END), MOV32_K(R4, 0),
		MOV64_X(R5, R2), ALU64_K(BPF_ADD, R5, 14), JMP_X(BPF_JGT, R5, R3, 4),
		LDX(BPF_B, R4, R2, 13), ALU64_X(BPF_ADD, R2, R4), ALU64_X(BPF_SUB, R3, R2),
		ALU64_X(BPF_SUB, R5, R2), MOV64_K(R0, XDP_PASS), MOV32_X(R6, R0));
	/* No store at a loop's head. */
	BECOMES(LIST(MOV64_K(R2, 0), ALU64_K(BPF_ADD, R2, 1), JMP_K(BPF_JLT, R2, 100, -2), PASS),
		MOV64_K(R2, 0), ALU64_K(BPF_ADD, R2, 1), JMP_K(BPF_JLT, R2, 100, -2),
		MOV64_K(R0, XDP_PASS));
	/* The kernel is not to take half a packet pointer for a number. */
	BECOMES(LIST(LD_DATA(R2, R1), LD_END(R3, R1), MOV32_X(R4, R2), ALU32_X(BPF_SUB, R3, R4),
		     PASS),
		LDX(BPF_W, R2, R1, SKB_DATA), LDX(BPF_W, R3, R1, SKB_END), MOV64_X(R4, R2),
		ALU32_X(BPF_SUB, R3, R4), MOV64_K(R0, XDP_PASS));
	return true;
}

/**
 * zeroed() - the stack is zeroed first, as much of it as is used
 *
 * Return: true if so
 */
static bool zeroed(void)
{
	static const struct bpf_insn calls[] = {
		SUBCALL(3), ALU64_K(BPF_AND, R0, 1), MOV64_K(R0, XDP_PASS), EXIT,
		ST(BPF_DW, R10, -16, 1), ST(BPF_B, R10, -24, 1), LDX(BPF_DW, R0, R10, -16), EXIT,
	};
	static const struct bpf_insn zeroes[] = {
		ST(BPF_DW, R10, -24, 0), ST(BPF_DW, R10, -16, 0), ST(BPF_DW, R10, -8, 0),
		ST(BPF_DW, R10, -16, 1),
	};
	struct rw_out out;
	uint32_t at;
	bool same;

	BECOMES(LIST(ST(BPF_B, R10, -17, 1), PASS),
		ST(BPF_DW, R10, -24, 0), ST(BPF_DW, R10, -16, 0), ST(BPF_DW, R10, -8, 0),
		ST(BPF_B, R10, -17, 1), MOV64_K(R0, XDP_PASS));
	CHECK(!rewrite(calls, ARRAY_SIZE(calls), &out, NULL));
	at = (uint32_t)out.insns[0].imm + 1;
	same = out.cnt > at + ARRAY_SIZE(zeroes) &&
	       !memcmp(&out.insns[at], zeroes, sizeof(zeroes));
	rw_out_free(&out);
	CHECK(same);
	return true;
}

/**
 * one_form() - there is no other form than lite
 *
 * Return: true if so
 */
static bool one_form(void)
{
	static const struct bpf_insn pass[] = { PASS };
	struct text why = { 0 };
	struct rw_out out;

	CHECK_EQ(rewrite_form(pass, ARRAY_SIZE(pass), RW_FORM_SFI, &out, &why), -EOPNOTSUPP);
	CHECK(!strcmp(why.buf, "at level relaxed there is form lite alone\n"));
	text_free(&why);
	return true;
}

/**
 * log_is() - is a verifier's log as it should be for a tenant?
 * @log: the log
 * @want: what should be left of it
 *
 * Return: true if so
 */
static bool log_is(const char *log, const char *want)
{
	char buf[256];

	snprintf(buf, sizeof(buf), "%s", log);
	rw_taint_log(buf);
	if (!strcmp(buf, want))
		return true;
	printf("# %s", buf);
	return false;
}

/**
 * logs() - the verifier's log without addresses
 *
 * Return: true if so
 */
static bool logs(void)
{
	CHECK(log_is("0: R1=ctx() R10=fp0\n"
		     "0: (18) r1 = 0xffff88812fdea000       ; R1=map_ptr(map=m,ks=4,vs=8)\n"
		     "2: (b7) r0 = 1\n12: (18) r10 = 0xffff888100000001\n",
		     "0: R1=ctx() R10=fp0\n"
		     "0: (18) r1 = 0x0000000000000000       ; R1=map_ptr(map=m,ks=4,vs=8)\n"
		     "2: (b7) r0 = 1\n12: (18) r10 = 0x0000000000000000\n"));
	CHECK(log_is("8812fdea000 ; R1=map_ptr()\n3: (15) if r0 == 0xfffffffffffffffe goto pc+1",
		     "00000000000 ; R1=map_ptr()\n3: (15) if r0 == 0xfffffffffffffffe goto pc+1"));
	CHECK(log_is("1: (18) r", "1: (18) r") && log_is("1: (18) r1 = 0x", "1: (18) r1 = 0x"));
	CHECK(log_is("", ""));
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
		{ "what is kept as it is", kept },
		{ "the stack is zeroed", zeroed },
		{ "form lite alone", one_form },
		{ "the verifier's log", logs },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
