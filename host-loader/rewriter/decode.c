// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How a program's instructions hang together
 *
 * Instructions keep the tenant's numbering throughout the rewriter; the second
 * half of a 64-bit load has a number and is skipped. Functions begin at
 * instruction 0 and wherever a call goes. A function is left by calls, an exit
 * or not at all: no jump crosses its borders and nothing falls off its end.
 * Loop heads are the targets of those jumps that a depth-first search finds to
 * go back to where it still is; every loop has at least one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "refuse.h"

/**
 * by_start() - order functions by their first instruction, for qsort()
 * @a: one struct rw_func
 * @b: another
 *
 * Return: as qsort() wants it
 */
static int by_start(const void *a, const void *b)
{
	const struct rw_func *fa = a, *fb = b;

	return (fa->start > fb->start) - (fa->start < fb->start);
}

/**
 * rw_func_at() - which function an instruction belongs to
 * @code: the program
 * @insn: index of the instruction
 *
 * Return: index of the function
 */
uint32_t rw_func_at(const struct rw_code *code, uint32_t insn)
{
	uint32_t lo = 0, hi = code->func_cnt;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (code->funcs[mid].start <= insn)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/**
 * rw_succ() - where control goes from an instruction, inside its function
 * @code: the program, decoded
 * @insn: index of the instruction; not a second half
 * @next: room for the answer: for a conditional jump the instruction behind it
 *        first, then its target
 *
 * Return: number of successors, 0 to 2; a call has the one behind it
 */
unsigned int rw_succ(const struct rw_code *code, uint32_t insn, uint32_t next[2])
{
	const struct bpf_insn *x = &code->insns[insn];

	if (x->code == RW_EXIT)
		return 0;
	next[0] = rw_is_ja(x) ? (uint32_t)rw_target(x, insn) : insn + rw_len(x);
	if (!rw_is_cond(x))
		return 1;
	next[1] = (uint32_t)rw_target(x, insn);
	return 2;
}

/**
 * add_func() - note that a function begins at an instruction
 * @code: the program; functions are in no order yet
 * @start: where it begins
 *
 * Return: 0, or -E2BIG if there are too many
 */
static int add_func(struct rw_code *code, uint32_t start)
{
	for (uint32_t i = 0; i < code->func_cnt; i++)
		if (code->funcs[i].start == start)
			return 0;
	if (code->func_cnt == RW_MAX_FUNCS)
		return -E2BIG;
	code->funcs[code->func_cnt++].start = start;
	return 0;
}

/**
 * check_target() - is there a whole instruction where a jump or call goes?
 * @code: the program, its second halves marked
 * @at: index of the jump
 * @why: for the sentence if not
 *
 * Return: 0 or -EINVAL
 */
static int check_target(const struct rw_code *code, uint32_t at, struct text *why)
{
	int64_t to = rw_target(&code->insns[at], at);

	if (to < 0 || to >= code->cnt)
		return rw_refuse(why, -EINVAL, at, "goes to %lld, outside of the program",
				 (long long)to);
	if (code->flags[to] & RW_I_HALF)
		return rw_refuse(why, -EINVAL, at,
				 "goes into the middle of the 64-bit load at %lld",
				 (long long)to - 1);
	return 0;
}

/**
 * find_funcs() - mark second halves, and find where functions begin and end
 * @code: the program
 * @why: for the sentence if it is refused
 *
 * Return: 0, -EINVAL or -E2BIG
 */
static int find_funcs(struct rw_code *code, struct text *why)
{
	uint32_t i;

	for (i = 0; i < code->cnt; i += rw_len(&code->insns[i]))
		if (code->insns[i].code == RW_WIDE)
			code->flags[i + 1] |= RW_I_HALF;
	add_func(code, 0);
	for (i = 0; i < code->cnt; i += rw_len(&code->insns[i])) {
		if (!rw_is_subcall(&code->insns[i]))
			continue;
		if (check_target(code, i, why))
			return -EINVAL;
		if (!rw_target(&code->insns[i], i))
			return rw_refuse(why, -EINVAL, i, "calls the program's entry");
		if (add_func(code, (uint32_t)rw_target(&code->insns[i], i)))
			return rw_refuse(why, -E2BIG, i, "the program has more than %d functions",
					 RW_MAX_FUNCS);
	}
	qsort(code->funcs, code->func_cnt, sizeof(code->funcs[0]), by_start);
	for (i = 0; i < code->func_cnt; i++)
		code->funcs[i].end = i + 1 < code->func_cnt ? code->funcs[i + 1].start
							    : code->cnt;
	return 0;
}

/**
 * check_func() - check that control stays in one function, mark jump targets
 * @code: the program, its functions found
 * @func: the function
 * @why: for the sentence if it is refused
 *
 * Return: 0 or -EINVAL
 */
static int check_func(struct rw_code *code, const struct rw_func *func, struct text *why)
{
	uint32_t last = func->start;

	for (uint32_t i = func->start; i < func->end; i += rw_len(&code->insns[i])) {
		const struct bpf_insn *insn = &code->insns[i];
		int64_t to = rw_target(insn, i);

		last = i;
		if (!rw_is_ja(insn) && !rw_is_cond(insn))
			continue;
		if (check_target(code, i, why))
			return -EINVAL;
		if (to < func->start || to >= func->end)
			return rw_refuse(why, -EINVAL, i, "jumps to %lld, into another function",
					 (long long)to);
		code->flags[to] |= RW_I_TARGET;
	}
	if (code->insns[last].code != RW_EXIT && !rw_is_ja(&code->insns[last]))
		return rw_refuse(why, -EINVAL, last,
				 "is the last one of a function, but neither an exit nor a jump");
	return 0;
}

/**
 * find_loops() - mark the loop heads of one function
 * @code: the program
 * @start: the function's first instruction
 * @path: room for the index of each instruction of the program
 * @turn: room for as many numbers: which successor of it comes next
 */
static void find_loops(struct rw_code *code, uint32_t start, uint32_t *path, uint8_t *turn)
{
	uint32_t depth = 1;

	path[0] = start;
	turn[0] = 0;
	code->flags[start] |= RW_I_OPEN;
	while (depth) {
		uint32_t next[2], at = path[depth - 1];
		uint8_t t = turn[depth - 1]++;

		if (t >= rw_succ(code, at, next)) {
			code->flags[at] = (uint8_t)((code->flags[at] & ~RW_I_OPEN) | RW_I_DONE);
			depth--;
			continue;
		}
		if (code->flags[next[t]] & RW_I_OPEN) {
			code->flags[next[t]] |= RW_I_HEAD;
		} else if (!(code->flags[next[t]] & RW_I_DONE)) {
			code->flags[next[t]] |= RW_I_OPEN;
			path[depth] = next[t];
			turn[depth++] = 0;
		}
	}
}

/**
 * rw_decode() - find a program's functions, jumps and loops, and check them
 * @prog: the program; each of its instructions has been checked on its own
 * @code: result; it refers to @prog's instructions. Free with rw_code_free()
 *        after success
 * @why: for one sentence if it is refused; may be NULL
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM
 */
int rw_decode(const struct rw_prog *prog, struct rw_code *code, struct text *why)
{
	uint32_t *path = NULL;
	uint8_t *turn = NULL;
	int err = -ENOMEM;

	memset(code, 0, sizeof(*code));
	code->insns = prog->insns;
	code->cnt = prog->cnt;
	code->flags = calloc(prog->cnt, 1);
	path = calloc(prog->cnt, sizeof(*path));
	turn = calloc(prog->cnt, 1);
	if (!code->flags || !path || !turn)
		goto out;
	err = find_funcs(code, why);
	for (uint32_t i = 0; !err && i < code->func_cnt; i++)
		err = check_func(code, &code->funcs[i], why);
	for (uint32_t i = 0; !err && i < code->func_cnt; i++)
		find_loops(code, code->funcs[i].start, path, turn);
out:
	free(path);
	free(turn);
	if (err)
		rw_code_free(code);
	return err;
}

/**
 * rw_code_free() - give a decoded program's memory back
 * @code: the program; may be one that rw_decode() refused
 */
void rw_code_free(struct rw_code *code)
{
	free(code->flags);
	code->flags = NULL;
}
