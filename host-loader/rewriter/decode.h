/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_DECODE_H
#define REWRITER_DECODE_H
#include "insn.h"
#include "rewriter.h"

/* What is known of the place of one instruction */
#define RW_I_HALF	(1u << 0)	/* second half of a 64-bit load */
#define RW_I_TARGET	(1u << 1)	/* a jump goes here */
#define RW_I_HEAD	(1u << 2)	/* a jump back goes here: a loop's head */
#define RW_I_OPEN	(1u << 3)	/* the search for loops is inside */
#define RW_I_DONE	(1u << 4)	/* the search for loops has been here */

#define RW_MAX_FUNCS	256

/**
 * struct rw_func - one function of the program; the first is its entry
 * @start: index of its first instruction
 * @end: index behind its last one
 */
struct rw_func {
	uint32_t start;
	uint32_t end;
};

/**
 * struct rw_code - a program's structure; free with rw_code_free()
 * @insns: the program's, not owned
 * @cnt: number of them
 * @flags: RW_I_* of each
 * @funcs: functions in the order of the program
 * @func_cnt: number of them
 */
struct rw_code {
	const struct bpf_insn *insns;
	uint32_t cnt;
	uint8_t *flags;
	struct rw_func funcs[RW_MAX_FUNCS];
	uint32_t func_cnt;
};

int rw_decode(const struct rw_prog *prog, struct rw_code *code, struct text *why);
void rw_code_free(struct rw_code *code);
uint32_t rw_func_at(const struct rw_code *code, uint32_t insn);
unsigned int rw_succ(const struct rw_code *code, uint32_t insn, uint32_t next[2]);

#endif /* REWRITER_DECODE_H */
