/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_ANALYSIS_H
#define REWRITER_ANALYSIS_H
#include "decode.h"
#include "rewriter.h"
#include "state.h"

/* What the analysis may cost before a program counts as too complex */
#define RW_MAX_STEPS	(1u << 20)	/* instructions walked, or as much work */
#define RW_MAX_BYTES	(64u << 20)	/* of states kept */
#define RW_MAX_CONTEXTS	512		/* ways to come into a function */

/* What level relaxed has to know of the use of a stack: see taint_stack.c */
#define RW_TAINT_PARTS	(1u << 0)	/* reads bytes of a pointer, and not the pointer */
#define RW_TAINT_UNSET	(1u << 1)	/* reads bytes that were never written */
#define RW_TAINT_LOOSE	(1u << 2)	/* stores somewhere that is not surely one slot */

/**
 * struct rw_fact - what is known at one instruction, before it runs
 * @reg: the registers, over all paths that come here
 * @reach: it moves a pointer into a map value by a number that is not known: so
 *         many bytes from the result on are used, or RW_NONE if that is not known
 * @pointers: it writes to parts of stack slots: bit n set: on some path slot n
 *            holds a pointer before; struct rw_frame numbers them
 * @data: the same: on some path it holds something else
 * @loads: kinds of what it loads from a stack by eight bytes, but for NULL
 * @taint: RW_TAINT_*: what it does to a stack on some path; at level relaxed only
 * @seen: some path comes here
 * @goes_on: a conditional jump: some path is not taken by it
 * @jumps: a conditional jump: some path is taken by it
 */
struct rw_fact {
	struct rw_val reg[RW_REGS];
	uint32_t reach;
	uint64_t pointers;
	uint64_t data;
	uint16_t loads;
	uint8_t taint;
	bool seen;
	bool goes_on;
	bool jumps;
};

/**
 * struct rw_analysis - the analysis of a program; free with rw_analysis_free()
 * @at: facts by instruction
 * @stack: bytes of stack that each function uses, by index of the function
 * @unwritten: of each function: some path reads stack that it never wrote
 * @loose_value: some pointer into a map value is used of which it is not known
 *               what it was made from
 * @stray_stack: some pointer into a stack comes to point elsewhere than there, or
 *               it is not known where
 * @leaks: a part of the packet's end may become a number, by way of the stack
 * @loose_stack: first instruction that uses the stack at an offset that is not
 *               known, or RW_NONE
 */
struct rw_analysis {
	struct rw_fact *at;
	uint16_t stack[RW_MAX_FUNCS];
	bool unwritten[RW_MAX_FUNCS];
	bool loose_value;
	bool stray_stack;
	bool leaks;
	uint32_t loose_stack;
};

int rw_analyse(const struct rw_prog *prog, const struct rw_code *code, enum rw_level level,
	       struct rw_analysis *an, struct text *why);
void rw_analysis_free(struct rw_analysis *an);

#endif /* REWRITER_ANALYSIS_H */
