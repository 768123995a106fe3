// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How long the rewriter takes
 *
 * Parsers of some thousand instructions are made up and rewritten, many times
 * each; what counts is CPU time. A parser is a row of headers: each is compared
 * with the packet's end, fields of it are compared with constants, numbers are
 * kept on the stack and looked up in a map. Some have headers whose length is in
 * the packet, which form lite does not do, and some are a loop of a few turns
 * around all of it. A reach of -1 is all of the packet.
 *
 *	bench_rewriter [INSTRUCTIONS]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../host-loader/rewriter/rewriter.h"
#include "../unit/insns.h"

#define INSNS_MAX	16384
#define ROUNDS		21
#define OUT		INT16_MAX	/* offset of a jump that leaves the parser */

static const struct rw_map maps[] = { { 7, BPF_MAP_TYPE_HASH, 8, 8, 1024 } };

/**
 * struct parser - a parser that is being made up
 * @insns: its instructions
 * @cnt: number of them
 */
struct parser {
	struct bpf_insn insns[INSNS_MAX];
	uint32_t cnt;
};

/* Append instructions. */
#define EMIT(p, ...)                                                              \
	do {                                                                      \
		const struct bpf_insn new_[] = { __VA_ARGS__ };                   \
		memcpy((p)->insns + (p)->cnt, new_, sizeof(new_));                \
		(p)->cnt += sizeof(new_) / sizeof(new_[0]);                       \
	} while (0)

/**
 * header() - one header
 * @p: the parser
 * @i: number of the header
 * @variable: its length is in the packet
 *
 * r6 is the header, r7 the packet's end, r8 what has been found so far.
 */
static void header(struct parser *p, uint32_t i, bool variable)
{
	const int16_t slot = (int16_t)(-16 - 8 * (int)(i % 16));

	EMIT(p, MOV64_X(R1, R6), ALU64_K(BPF_ADD, R1, 20), JMP_X(BPF_JGT, R1, R7, OUT),
	     LDX(BPF_H, R2, R6, 2), LDX(BPF_B, R3, R6, 9), STX(BPF_DW, R10, slot, R8),
	     JMP_K(BPF_JEQ, R3, 6, 4), JMP_K(BPF_JEQ, R3, 17, 3), MOV64_X(R8, R2),
	     JMP_K(BPF_JGT, R2, 1500, 3), JA(3),
	     ALU64_K(BPF_ADD, R8, 1), JA(1), ALU64_K(BPF_XOR, R8, 7),
	     LDX(BPF_DW, R4, R10, slot), ALU64_X(BPF_ADD, R8, R4));
	if (i % 8 == 7)
		EMIT(p, STX(BPF_DW, R10, -8, R8), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),
		     LD_MAP(R1, 7), CALL(BPF_FUNC_map_lookup_elem), JMP_K(BPF_JEQ, R0, 0, 2),
		     LDX(BPF_DW, R1, R0, 0), ALU64_X(BPF_ADD, R8, R1));
	if (variable)
		EMIT(p, LDX(BPF_B, R2, R6, 0), ALU64_K(BPF_AND, R2, 15), ALU64_K(BPF_LSH, R2, 2),
		     JMP_K(BPF_JLT, R2, 20, OUT), ALU64_X(BPF_ADD, R6, R2));
	else
		EMIT(p, ALU64_K(BPF_ADD, R6, 1));
}

/**
 * make() - make a parser up
 * @p: result
 * @cnt: how many instructions it should have
 * @variable: there are headers whose length is in the packet
 * @turns: turns that all of it is gone through at most
 */
static void make(struct parser *p, uint32_t cnt, bool variable, int32_t turns)
{
	const uint32_t head = 4;

	p->cnt = 0;
	EMIT(p, LD_DATA(R6, R1), LD_END(R7, R1), MOV64_K(R8, 0), MOV64_K(R9, 0));
	for (uint32_t i = 0; p->cnt < cnt; i++)
		header(p, i, variable && i % 4 == 1);
	if (turns > 1)
		EMIT(p, ALU64_K(BPF_ADD, R9, 1), JMP_K(BPF_JGE, R9, turns, 1),
		     GOTOL((int32_t)head - (int32_t)p->cnt - 3));
	for (uint32_t i = 0; i < p->cnt; i++)
		if (p->insns[i].off == OUT)
			p->insns[i].off = (int16_t)(p->cnt - i - 1);
	EMIT(p, MOV64_X(R0, R8), ALU64_K(BPF_AND, R0, 1), ALU64_K(BPF_ADD, R0, 1), EXIT);
}

/**
 * now() - the CPU time that the process has used
 *
 * Return: in microseconds
 */
static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/**
 * by_number() - compare for qsort()
 * @a: a number
 * @b: another
 *
 * Return: as qsort() wants it
 */
static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/**
 * measure() - rewrite a program many times and print how long it took
 * @p: the program
 * @what: its name
 * @form: of the translation
 */
static void measure(const struct parser *p, const char *what, enum rw_form form)
{
	const struct rw_prog prog = { p->insns, p->cnt, maps, ARRAY_SIZE(maps), 1,
				      RW_PROFILE_TENANT };
	const struct rw_opts opts = { form, RW_TARGET_SKB, 1, RW_WINDOW_DEFAULT,
					      RW_LEVEL_STRICT, false };
	uint64_t took[ROUNDS], median;
	struct text why = { 0 };
	struct rw_out out;
	uint32_t cnt = 0, reach = 0;

	printf("%-28s %-5s", what, form == RW_FORM_LITE ? "lite" : "sfi");
	for (int i = 0; i < ROUNDS; i++) {
		took[i] = now();
		if (rw_check(&prog, INSNS_MAX, &why) || rw_rewrite(&prog, &opts, &out, &why)) {
			printf(" %s", why.buf ? why.buf : "\n");
			text_free(&why);
			return;
		}
		took[i] = now() - took[i];
		cnt = out.cnt;
		reach = out.reach;
		rw_out_free(&out);
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_number);
	median = took[ROUNDS / 2];
	printf("%8u %8u %6d %8.2f %8.2f\n", p->cnt, cnt, (int)reach, (double)took[0] / 1000,
	       (double)median / 1000);
	text_free(&why);
}

/**
 * main() - measure
 * @argc: number of arguments
 * @argv: see above
 *
 * Return: exit status
 */
int main(int argc, char **argv)
{
	static struct parser p;
	uint32_t cnt = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 4000;

	if (argc > 2 || !cnt || cnt > 16000) {
		fprintf(stderr, "usage: bench_rewriter [INSTRUCTIONS, 16000 at most]\n");
		return 2;
	}
	printf("%-28s %-5s%8s %8s %6s %8s %8s\n", "parser", "form", "insns", "becomes", "reach",
	       "best ms", "median");
	make(&p, cnt, false, 1);
	measure(&p, "constant offsets", RW_FORM_LITE);
	measure(&p, "constant offsets", RW_FORM_SFI);
	make(&p, cnt, true, 1);
	measure(&p, "variable offsets", RW_FORM_SFI);
	make(&p, cnt, false, 6);
	measure(&p, "constant offsets, six turns", RW_FORM_SFI);
	make(&p, cnt, true, 6);
	measure(&p, "variable offsets, six turns", RW_FORM_SFI);
	make(&p, cnt, true, 100);
	measure(&p, "the same, a hundred turns", RW_FORM_SFI);
	return 0;
}
