// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ranges of numbers: arithmetic, and what comparisons tell.
 */
#include "insn.h"
#include "range.h"

/**
 * all() - any number of a width
 * @is64: 64 bits, else 32
 *
 * Return: the range
 */
static struct rw_range all(bool is64)
{
	return is64 ? RW_RANGE_ALL : RW_RANGE_32;
}

/**
 * rw_range_low() - the low bits of a number
 * @r: where it lies
 * @bits: how many are kept, 8 to 64
 *
 * Return: where they lie as a number of their own
 */
struct rw_range rw_range_low(struct rw_range r, unsigned int bits)
{
	uint64_t mask = UINT64_MAX >> (64 - bits);

	/* Where the high bits differ, the low ones have been through all values. */
	if ((r.min & ~mask) != (r.max & ~mask))
		return (struct rw_range){ 0, mask };
	return (struct rw_range){ r.min & mask, r.max & mask };
}

/**
 * rw_range_extend() - extend the sign of a number's low bits
 * @r: where it lies
 * @bits: which of them, 8 to 32
 * @is64: to 64 bits, else to 32 with zeroes in front
 *
 * Return: where the result lies
 */
struct rw_range rw_range_extend(struct rw_range r, unsigned int bits, bool is64)
{
	uint64_t sign = 1ull << (bits - 1), high = ~(sign * 2 - 1);

	r = rw_range_low(r, bits);
	if (r.max < sign)
		return r;
	if (r.min < sign)
		return all(is64);
	r = (struct rw_range){ r.min | high, r.max | high };
	return is64 ? r : rw_range_low(r, 32);
}

/**
 * to_signed() - read a number with its sign
 * @number: the number
 * @is64: its width
 *
 * Return: it
 */
static int64_t to_signed(uint64_t number, bool is64)
{
	return is64 ? (int64_t)number : (int32_t)number;
}

/**
 * fold() - compute on two numbers that are known
 * @op: BPF_ADD and so on
 * @is64: their width
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: the result, of which the low 32 bits count if it is not @is64
 */
static uint64_t fold(uint8_t op, bool is64, uint64_t a, uint64_t b)
{
	unsigned int shift = b & (is64 ? 63 : 31);

	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : a;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << shift;
	case BPF_RSH:
		return a >> shift;
	default: /* BPF_ARSH */
		return (uint64_t)(to_signed(a, is64) >> shift);
	}
}

/**
 * span() - numbers from one on, around the end of the width if need be
 * @low: the first one
 * @width: how many follow
 * @over: more than can be counted
 * @is64: the width
 *
 * Return: the range that has them all
 */
static struct rw_range span(uint64_t low, uint64_t width, bool over, bool is64)
{
	if (!is64) {
		low = (uint32_t)low;
		over |= low + width < low || low + width > UINT32_MAX;
	}
	if (over || low + width < low)
		return all(is64);
	return (struct rw_range){ low, low + width };
}

/**
 * ones() - the lowest number of the form 2^n - 1 that is not below another one
 * @number: that
 *
 * Return: it
 */
static uint64_t ones(uint64_t number)
{
	for (int shift = 1; shift < 64; shift *= 2)
		number |= number >> shift;
	return number;
}

/**
 * shift() - a shift
 * @op: BPF_LSH, BPF_RSH or BPF_ARSH
 * @is64: the width
 * @a: what is shifted
 * @b: by so many bits
 *
 * Return: where the result lies
 */
static struct rw_range shift(uint8_t op, bool is64, struct rw_range a, struct rw_range b)
{
	bool below = to_signed(a.min, is64) < 0;

	if (b.max > (is64 ? 63 : 31))
		return all(is64);
	if (op == BPF_LSH) {
		if (a.max > all(is64).max >> b.max)
			return all(is64);
		return (struct rw_range){ a.min << b.min, a.max << b.max };
	}
	if (op == BPF_RSH || to_signed(a.max, is64) >= 0)
		return (struct rw_range){ a.min >> b.max, a.max >> b.min };
	if (!below)
		return all(is64);
	return (struct rw_range){ fold(op, is64, a.min, b.min), fold(op, is64, a.max, b.max) };
}

/**
 * divide() - a division without signs, or its remainder
 * @op: BPF_DIV or BPF_MOD
 * @a: what is divided
 * @b: by this; dividing by zero gives zero, or what was divided as remainder
 *
 * Return: where the result lies
 */
static struct rw_range divide(uint8_t op, struct rw_range a, struct rw_range b)
{
	if (!b.min)
		return (struct rw_range){ 0, a.max };
	if (op == BPF_DIV)
		return (struct rw_range){ a.min / b.max, a.max / b.min };
	if (a.max < b.min)
		return a;
	return (struct rw_range){ 0, a.max < b.max - 1 ? a.max : b.max - 1 };
}

/**
 * rw_range_alu() - arithmetic on two numbers
 * @op: BPF_ADD, SUB, MUL, DIV, MOD, AND, OR, XOR, LSH, RSH or ARSH; DIV and MOD
 *      without signs
 * @is64: on 64 bits, else on the low 32 with zeroes in front of the result
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: where the result lies
 */
struct rw_range rw_range_alu(uint8_t op, bool is64, struct rw_range a, struct rw_range b)
{
	struct rw_range r = all(is64);
	uint64_t width, most;
	bool over;

	if (!is64) {
		a = rw_range_low(a, 32);
		b = rw_range_low(b, 32);
	}
	if (rw_range_is_const(a) && rw_range_is_const(b))
		return rw_range_low(rw_range_const(fold(op, is64, a.min, b.min)), is64 ? 64 : 32);
	over = __builtin_add_overflow(a.max - a.min, b.max - b.min, &width);
	switch (op) {
	case BPF_ADD:
		return span(a.min + b.min, width, over, is64);
	case BPF_SUB:
		return span(a.min - b.max, width, over, is64);
	case BPF_MUL:
		if (!__builtin_mul_overflow(a.max, b.max, &most) && most <= r.max)
			r = (struct rw_range){ a.min * b.min, most };
		return r;
	case BPF_AND:
		return (struct rw_range){ 0, a.max < b.max ? a.max : b.max };
	case BPF_OR:
		return (struct rw_range){ a.min > b.min ? a.min : b.min, ones(a.max | b.max) };
	case BPF_XOR:
		return (struct rw_range){ 0, ones(a.max | b.max) };
	case BPF_DIV:
	case BPF_MOD:
		return divide(op, a, b);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		r = shift(op, is64, a, b);
		return is64 ? r : rw_range_low(r, 32);
	default:
		return r;
	}
}

/**
 * compare() - carry out a comparison
 * @op: BPF_JEQ and so on
 * @is64: its width
 * @a: the destination register
 * @b: the other operand
 *
 * Return: true if the jump is taken
 */
static bool compare(uint8_t op, bool is64, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return to_signed(a, is64) > to_signed(b, is64);
	case BPF_JSGE:
		return to_signed(a, is64) >= to_signed(b, is64);
	case BPF_JSLT:
		return to_signed(a, is64) < to_signed(b, is64);
	default: /* BPF_JSLE */
		return to_signed(a, is64) <= to_signed(b, is64);
	}
}

/**
 * ordered() - put a range into the order of numbers with signs
 * @r: the range, of the comparison's width
 * @is64: that width
 *
 * Return: its lowest and highest number, with signs
 */
static struct rw_range ordered(struct rw_range r, bool is64)
{
	int64_t min = to_signed(r.min, is64), max = to_signed(r.max, is64);

	if (min > max) {
		min = is64 ? INT64_MIN : INT32_MIN;
		max = is64 ? INT64_MAX : INT32_MAX;
	}
	return (struct rw_range){ (uint64_t)min, (uint64_t)max };
}

/**
 * rw_range_decide() - is it known which way a comparison goes?
 * @op: BPF_JEQ and so on
 * @is64: its width
 * @a: the destination register
 * @b: the other operand
 *
 * Return: 1 if the jump is taken, 0 if not, -1 if either can be
 */
int rw_range_decide(uint8_t op, bool is64, struct rw_range a, struct rw_range b)
{
	bool first, second;

	if (!is64) {
		a = rw_range_low(a, 32);
		b = rw_range_low(b, 32);
	}
	if (rw_range_is_const(a) && rw_range_is_const(b))
		return compare(op, is64, a.min, b.min);
	if (op == BPF_JSET)
		return a.max && b.max ? -1 : 0;
	if (op == BPF_JEQ || op == BPF_JNE)
		return a.min > b.max || a.max < b.min ? op == BPF_JNE : -1;
	if (op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE) {
		a = ordered(a, is64);
		b = ordered(b, is64);
	}
	/* It is an order: what holds for both ends holds for all in between. */
	first = compare(op, is64, a.min, b.max);
	second = compare(op, is64, a.max, b.min);
	return first == second ? first : -1;
}

/**
 * clip() - keep the part of a range that lies between two numbers with signs
 * @r: the range, of the comparison's width
 * @is64: that width
 * @low: the lower one
 * @high: the higher one
 *
 * Return: it; a range that ends before it begins if there is none
 */
static struct rw_range clip(struct rw_range r, bool is64, int64_t low, int64_t high)
{
	const uint64_t sign = is64 ? 1ull << 63 : 1ull << 31, most = all(is64).max;
	struct rw_range plus = { r.min, r.max < sign ? r.max : sign - 1 };
	struct rw_range minus = { r.min > sign ? r.min : sign, r.max };
	uint64_t first = (uint64_t)low & most, last = (uint64_t)high & most;

	if (low >= 0 && plus.min < first)
		plus.min = first;
	if (high >= 0 && plus.max > last)
		plus.max = last;
	if (low < 0 && minus.min < first)
		minus.min = first;
	if (high < 0 && minus.max > last)
		minus.max = last;
	if (high < 0 || plus.min > plus.max)
		return low >= 0 ? (struct rw_range){ 1, 0 } : minus;
	if (low >= 0 || minus.min > minus.max)
		return plus;
	return rw_range_join(plus, minus);
}

/**
 * above() - a number is greater than another, or as great
 * @r: where it lies
 * @than: where the other one lies
 * @equal: it can also be as great
 *
 * Return: where it lies then; a range that ends before it begins if nowhere
 */
static struct rw_range above(struct rw_range r, struct rw_range than, bool equal)
{
	if (!equal && than.min == UINT64_MAX)
		return (struct rw_range){ 1, 0 };
	than.min += !equal;
	return (struct rw_range){ r.min > than.min ? r.min : than.min, r.max };
}

/**
 * below() - a number is less than another, or as small
 * @r: where it lies
 * @than: where the other one lies
 * @equal: it can also be as small
 *
 * Return: where it lies then; a range that ends before it begins if nowhere
 */
static struct rw_range below(struct rw_range r, struct rw_range than, bool equal)
{
	if (!equal && !than.max)
		return (struct rw_range){ 1, 0 };
	than.max -= !equal;
	return (struct rw_range){ r.min, r.max < than.max ? r.max : than.max };
}

/**
 * apart() - a number is not another one
 * @r: where it lies
 * @from: where the other one lies
 *
 * Return: where it lies then
 */
static struct rw_range apart(struct rw_range r, struct rw_range from)
{
	if (!rw_range_is_const(from) || rw_range_is_const(r))
		return r;
	r.min += r.min == from.min;
	r.max -= r.max == from.min;
	return r;
}

/**
 * satisfied() - a comparison is true
 * @op: BPF_JEQ and so on
 * @is64: its width
 * @a: where the number on its left lies
 * @b: where the one on its right lies
 *
 * Return: where the one on the left lies then; a range that ends before it
 *         begins if nowhere
 */
static struct rw_range satisfied(uint8_t op, bool is64, struct rw_range a, struct rw_range b)
{
	const int64_t least = is64 ? INT64_MIN : INT32_MIN, most = is64 ? INT64_MAX : INT32_MAX;
	struct rw_range with_sign = ordered(b, is64);
	int64_t low = (int64_t)with_sign.min, high = (int64_t)with_sign.max;

	switch (op) {
	case BPF_JEQ:
		return below(above(a, b, true), b, true);
	case BPF_JNE:
		return apart(a, b);
	case BPF_JSET:
		return apart(a, rw_range_const(0));
	case BPF_JGT:
	case BPF_JGE:
		return above(a, b, op == BPF_JGE);
	case BPF_JLT:
	case BPF_JLE:
		return below(a, b, op == BPF_JLE);
	case BPF_JSGT:
		return low == most ? (struct rw_range){ 1, 0 } : clip(a, is64, low + 1, most);
	case BPF_JSGE:
		return clip(a, is64, low, most);
	case BPF_JSLT:
		return high == least ? (struct rw_range){ 1, 0 } : clip(a, is64, least, high - 1);
	default: /* BPF_JSLE */
		return clip(a, is64, least, high);
	}
}

/**
 * rw_range_refine() - learn from the way that a comparison goes
 * @op: BPF_JEQ and so on
 * @is64: its width
 * @taken: the jump is taken
 * @a: the destination register; changed
 * @b: the other operand; changed
 *
 * A comparison of 32 bits tells nothing of a number that has more.
 */
void rw_range_refine(uint8_t op, bool is64, bool taken, struct rw_range *a, struct rw_range *b)
{
	static const uint8_t opposite[16] = {
		[BPF_JEQ >> 4] = BPF_JNE,   [BPF_JNE >> 4] = BPF_JEQ,
		[BPF_JGT >> 4] = BPF_JLE,   [BPF_JLE >> 4] = BPF_JGT,
		[BPF_JGE >> 4] = BPF_JLT,   [BPF_JLT >> 4] = BPF_JGE,
		[BPF_JSGT >> 4] = BPF_JSLE, [BPF_JSLE >> 4] = BPF_JSGT,
		[BPF_JSGE >> 4] = BPF_JSLT, [BPF_JSLT >> 4] = BPF_JSGE,
	};
	static const uint8_t mirrored[16] = {
		[BPF_JEQ >> 4] = BPF_JEQ,   [BPF_JNE >> 4] = BPF_JNE,
		[BPF_JGT >> 4] = BPF_JLT,   [BPF_JLT >> 4] = BPF_JGT,
		[BPF_JGE >> 4] = BPF_JLE,   [BPF_JLE >> 4] = BPF_JGE,
		[BPF_JSGT >> 4] = BPF_JSLT, [BPF_JSLT >> 4] = BPF_JSGT,
		[BPF_JSGE >> 4] = BPF_JSLE, [BPF_JSLE >> 4] = BPF_JSGE,
		[BPF_JSET >> 4] = BPF_JSET,
	};
	struct rw_range x = *a, y = *b, left, right;

	if (!is64) {
		x = rw_range_low(x, 32);
		y = rw_range_low(y, 32);
	}
	if (op == BPF_JSET && !taken) {
		/* Of bits that are set on one side the other side has none. */
		left = below(x, rw_range_const(rw_range_is_const(y) ? ~y.min : UINT64_MAX), true);
		right = below(y, rw_range_const(rw_range_is_const(x) ? ~x.min : UINT64_MAX), true);
	} else {
		op = taken ? op : opposite[op >> 4];
		left = satisfied(op, is64, x, y);
		right = satisfied(mirrored[op >> 4], is64, y, x);
	}
	if (left.min <= left.max && (is64 || a->max <= UINT32_MAX))
		*a = left;
	if (right.min <= right.max && (is64 || b->max <= UINT32_MAX))
		*b = right;
}
