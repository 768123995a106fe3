/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_RANGE_H
#define REWRITER_RANGE_H
/**
 * DOC: Ranges of numbers
 *
 * A number of 64 bits of which it is known that it lies between two others,
 * without sign. All that BPF does with numbers has a counterpart here that
 * never leaves a possible result out, and says more than is so where it must.
 */
#include <stdbool.h>
#include <stdint.h>

/**
 * struct rw_range - where a number lies
 * @min: it is not less
 * @max: it is not more
 */
struct rw_range {
	uint64_t min;
	uint64_t max;
};

#define RW_RANGE_ALL	((struct rw_range){ 0, UINT64_MAX })
#define RW_RANGE_32	((struct rw_range){ 0, UINT32_MAX })

/**
 * rw_range_const() - one number
 * @number: it
 *
 * Return: the range
 */
static inline struct rw_range rw_range_const(uint64_t number)
{
	return (struct rw_range){ number, number };
}

/**
 * rw_range_is_const() - is it one number?
 * @r: the range
 *
 * Return: true if so
 */
static inline bool rw_range_is_const(struct rw_range r)
{
	return r.min == r.max;
}

/**
 * rw_range_join() - one range or the other
 * @a: one
 * @b: the other
 *
 * Return: all that is between
 */
static inline struct rw_range rw_range_join(struct rw_range a, struct rw_range b)
{
	return (struct rw_range){ a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max };
}

struct rw_range rw_range_low(struct rw_range r, unsigned int bits);
struct rw_range rw_range_extend(struct rw_range r, unsigned int bits, bool is64);
struct rw_range rw_range_alu(uint8_t op, bool is64, struct rw_range a, struct rw_range b);
int rw_range_decide(uint8_t op, bool is64, struct rw_range a, struct rw_range b);
void rw_range_refine(uint8_t op, bool is64, bool taken, struct rw_range *a, struct rw_range *b);

#endif /* REWRITER_RANGE_H */
