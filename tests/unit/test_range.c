// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What the analysis says of numbers, against what the numbers do
 *
 * An instruction works on registers of which only limits are known, by the
 * rewriter's analysis, and on numbers within those limits, by an evaluator that
 * is written down here after the instruction set's specification. No number may
 * leave the limits. Operands come from small ranges at the places where
 * arithmetic turns over, all of them, and from random ranges. Some results are
 * also demanded to be as narrow as parsers need them.
 */
#include <stdlib.h>
#include <string.h>

#include "../../host-loader/rewriter/transfer.h"
#include "../diff/rng.h"
#include "../ktap.h"
#include "insns.h"

#define NEAR	6		/* numbers that are tried at each place */
#define ROUNDS	400000		/* random ranges per case */
#define MEMBERS	6		/* numbers tried of each */

/* Where arithmetic turns over: NEAR numbers from each of these on */
static const uint64_t places[] = {
	0, 125, 0x7ffffffd, 0xfffffffd, 0x7ffffffffffffffd, 0xfffffffffffffffa,
};

static const uint8_t alu_ops[] = {
	BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_OR, BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH,
	BPF_ARSH, BPF_MOV, BPF_NEG,
};

static const uint8_t jmp_ops[] = {
	BPF_JEQ, BPF_JNE, BPF_JSET, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JLE, BPF_JSGT, BPF_JSGE,
	BPF_JSLT, BPF_JSLE,
};

/**
 * swap() - swap bytes, one at a time
 * @x: the number
 * @bytes: how many
 *
 * Return: the result
 */
static uint64_t swap(uint64_t x, int bytes)
{
	uint64_t r = 0;

	for (int i = 0; i < bytes; i++)
		r = r << 8 | (x >> 8 * i & 0xff);
	return r;
}

/**
 * extend() - extend a sign
 * @x: the number
 * @bits: of it
 *
 * Return: the result
 */
static int64_t extend(uint64_t x, int bits)
{
	switch (bits) {
	case 8:
		return (int8_t)x;
	case 16:
		return (int16_t)x;
	case 32:
		return (int32_t)x;
	default:
		return (int64_t)x;
	}
}

/**
 * eval64() - arithmetic on 64 bits
 * @insn: the instruction
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: the result
 */
static uint64_t eval64(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		if (!insn->off)
			return b ? a / b : 0;
		if ((int64_t)b == -1)
			return -a;
		return b ? (uint64_t)((int64_t)a / (int64_t)b) : 0;
	case BPF_MOD:
		if (!insn->off)
			return b ? a % b : a;
		if ((int64_t)b == -1)
			return 0;
		return b ? (uint64_t)((int64_t)a % (int64_t)b) : a;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 63);
	case BPF_RSH:
		return a >> (b & 63);
	case BPF_ARSH:
		return (uint64_t)((int64_t)a >> (b & 63));
	case BPF_NEG:
		return -a;
	case BPF_END:
		return swap(a, insn->imm / 8);
	default: /* BPF_MOV */
		return insn->off ? (uint64_t)extend(b, insn->off) : b;
	}
}

/**
 * eval32() - arithmetic on 32 bits
 * @insn: the instruction
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: the result
 */
static uint64_t eval32(const struct bpf_insn *insn, uint32_t a, uint32_t b)
{
	switch (BPF_OP(insn->code)) {
	case BPF_DIV:
	case BPF_MOD:
		if (insn->off)
			return (uint32_t)eval64(insn, (uint64_t)(int64_t)(int32_t)a,
						(uint64_t)(int64_t)(int32_t)b);
		return (uint32_t)eval64(insn, a, b);
	case BPF_LSH:
		return (uint32_t)(a << (b & 31));
	case BPF_RSH:
		return a >> (b & 31);
	case BPF_ARSH:
		return (uint32_t)((int32_t)a >> (b & 31));
	default:
		return (uint32_t)eval64(insn, a, b);
	}
}

/**
 * eval() - arithmetic
 * @insn: the instruction
 * @a: the destination's old value
 * @b: the source register
 *
 * Return: the destination's new value
 */
static uint64_t eval(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
	if (BPF_OP(insn->code) == BPF_END) {
		if (BPF_CLASS(insn->code) == BPF_ALU64 || BPF_SRC(insn->code) == BPF_TO_BE)
			return swap(a, insn->imm / 8);
		return swap(swap(a, insn->imm / 8), insn->imm / 8);
	}
	if (BPF_SRC(insn->code) == BPF_K)
		b = (uint64_t)(int64_t)insn->imm;
	if (BPF_CLASS(insn->code) == BPF_ALU64)
		return eval64(insn, a, b);
	return eval32(insn, (uint32_t)a, (uint32_t)b);
}

/**
 * jumps() - is a conditional jump taken?
 * @insn: the jump
 * @a: the destination register
 * @b: the source register
 *
 * Return: true if so
 */
static bool jumps(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
	int bits = BPF_CLASS(insn->code) == BPF_JMP ? 64 : 32;
	int64_t sa, sb;

	if (BPF_SRC(insn->code) == BPF_K)
		b = (uint64_t)(int64_t)insn->imm;
	sa = extend(a, bits);
	sb = extend(b, bits);
	if (bits == 32) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return a & b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

/**
 * abstract() - let the analysis do one instruction
 * @insn: the instruction, on r1 and r2
 * @a: limits of r1; result: those of r1
 * @b: limits of r2; result: those of r2
 * @taken: of a jump: it is taken
 *
 * Return: of a jump: as rw_branch_decide()
 */
static int abstract(const struct bpf_insn *insn, struct rw_range *a, struct rw_range *b, bool taken)
{
	static _Alignas(struct rw_state) char room[sizeof(struct rw_state) +
						   sizeof(struct rw_frame)];
	struct rw_state *st = (struct rw_state *)room;
	const struct rw_code code = { .insns = insn, .cnt = 1 };
	const struct rw_env env = { .code = &code };
	struct rw_val *reg = st->frame[0].reg;
	int way = -1;

	st->cur = 0;
	reg[R1] = rw_val_number(*a);
	reg[R2] = rw_val_number(*b);
	if (rw_is_jmp(insn)) {
		way = rw_branch_decide(st, insn);
		rw_branch_refine(st, insn, taken);
	} else {
		rw_step(&env, st, 0);
	}
	*a = rw_val_limits(&reg[R1]);
	*b = rw_val_limits(&reg[R2]);
	return way;
}

/**
 * within() - does a number lie where it should?
 * @number: the number
 * @r: where it should lie
 *
 * Return: true if so
 */
static bool within(uint64_t number, struct rw_range r)
{
	return number >= r.min && number <= r.max;
}

/**
 * complain() - print what went wrong
 * @insn: the instruction
 * @a: limits of r1
 * @b: limits of r2
 * @x: r1
 * @y: r2
 *
 * Return: false
 */
static bool complain(const struct bpf_insn *insn, struct rw_range a, struct rw_range b, uint64_t x,
		     uint64_t y)
{
	printf("# code 0x%02x off %d imm %d: r1 0x%llx of 0x%llx-0x%llx, r2 0x%llx of "
	       "0x%llx-0x%llx\n", insn->code, insn->off, insn->imm, (unsigned long long)x,
	       (unsigned long long)a.min, (unsigned long long)a.max, (unsigned long long)y,
	       (unsigned long long)b.min, (unsigned long long)b.max);
	return false;
}

/**
 * holds() - is what the analysis says of two numbers so?
 * @insn: the instruction, on r1 and r2
 * @a: limits of r1
 * @b: limits of r2
 * @x: numbers within @a
 * @y: numbers within @b
 * @cnt: number of @x and of @y: each is tried with each
 *
 * Return: true if so
 */
static bool holds(const struct bpf_insn *insn, struct rw_range a, struct rw_range b,
		  const uint64_t *x, const uint64_t *y, int cnt)
{
	struct rw_range a_to[2] = { a, a }, b_to[2] = { b, b };
	int way[2];

	for (int taken = 0; taken < 2; taken++)
		way[taken] = abstract(insn, &a_to[taken], &b_to[taken], taken);
	for (int i = 0; i < cnt * cnt; i++) {
		uint64_t p = x[i / cnt], q = y[i % cnt];

		if (rw_is_jmp(insn)) {
			bool taken = jumps(insn, p, q);

			if (way[0] != -1 && way[0] != taken)
				return complain(insn, a, b, p, q);
			if (!within(p, a_to[taken]) || !within(q, b_to[taken]))
				return complain(insn, a, b, p, q);
		} else if (!within(eval(insn, p, q), a_to[0])) {
			return complain(insn, a, b, p, q);
		}
	}
	return true;
}

/**
 * holds_near() - the same for all small ranges at two places, and all numbers there
 * @insn: the instruction, on r1 and r2
 * @p: the place of r1
 * @q: the place of r2
 *
 * Return: true if so
 */
static bool holds_near(const struct bpf_insn *insn, uint64_t p, uint64_t q)
{
	for (int a = 0; a < NEAR * NEAR; a++) {
		for (int b = 0; b < NEAR * NEAR; b++) {
			struct rw_range ra = { p + a / NEAR, p + a % NEAR };
			struct rw_range rb = { q + b / NEAR, q + b % NEAR };
			uint64_t x[NEAR], y[NEAR];

			if (ra.min > ra.max || rb.min > rb.max)
				continue;
			for (uint64_t i = 0; i < NEAR; i++) {
				x[i] = i < ra.max - ra.min ? ra.min + i : ra.max;
				y[i] = i < rb.max - rb.min ? rb.min + i : rb.max;
			}
			if (!holds(insn, ra, rb, x, y, NEAR))
				return false;
		}
	}
	return true;
}

/**
 * number() - a random number, often one where something turns over
 * @rng: state of the random numbers
 *
 * Return: it
 */
static uint64_t number(uint64_t *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		return places[rng_below(rng, ARRAY_SIZE(places))] + rng_below(rng, NEAR);
	case 1:
		return 1ull << rng_below(rng, 64);
	default:
		return rng_next(rng) >> rng_below(rng, 64);
	}
}

/**
 * range() - a random range and numbers in it
 * @rng: state of the random numbers
 * @members: result
 *
 * Return: the range
 */
static struct rw_range range(uint64_t *rng, uint64_t *members)
{
	struct rw_range r = { number(rng), number(rng) };

	if (rng_percent(rng, 40))
		r.max = r.min + rng_below(rng, 100);
	if (r.max < r.min)
		r = (struct rw_range){ r.max, r.min };
	members[0] = r.min;
	members[1] = r.max;
	for (int i = 2; i < MEMBERS; i++) {
		uint64_t n = rng_percent(rng, 50) ? number(rng) : rng_next(rng);

		members[i] = within(n, r) ? n : r.min + (r.max - r.min ? n % (r.max - r.min) : 0);
	}
	return r;
}

/**
 * by_constant() - make an instruction's other operand a constant, at random
 * @rng: state of the random numbers
 * @insn: the instruction
 */
static void by_constant(uint64_t *rng, struct bpf_insn *insn)
{
	uint8_t op = BPF_OP(insn->code);

	insn->code &= (uint8_t)~BPF_X;
	insn->src_reg = 0;
	insn->imm = (int32_t)number(rng);
	if (rw_is_jmp(insn))
		return;
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		insn->imm &= BPF_CLASS(insn->code) == BPF_ALU64 ? 63 : 31;
	if ((op == BPF_DIV || op == BPF_MOD) && !insn->imm)
		insn->imm = 1;
	if (op == BPF_NEG)
		insn->imm = 0;
}

/**
 * all_hold() - try operations, of both widths, on registers and constants
 * @ops: the operations
 * @cnt: number of @ops
 * @wide: class of the instructions on 64 bits
 * @narrow: class of those on 32 bits
 *
 * Return: true if the analysis is right about all
 */
static bool all_hold(const uint8_t *ops, size_t cnt, uint8_t wide, uint8_t narrow)
{
	uint64_t rng = wide;

	for (size_t i = 0; i < 2 * cnt; i++) {
		uint8_t op = ops[i / 2], class = i % 2 ? wide : narrow;
		struct bpf_insn insn = INSN((uint8_t)(class | op | BPF_X), R1, R2, 0, 0);

		if (op == BPF_NEG && class != BPF_JMP && class != BPF_JMP32)
			insn = (struct bpf_insn)INSN((uint8_t)(class | op), R1, 0, 0, 0);
		for (size_t p = 0; p < ARRAY_SIZE(places) * ARRAY_SIZE(places); p++)
			if (!holds_near(&insn, places[p / ARRAY_SIZE(places)],
					places[p % ARRAY_SIZE(places)]))
				return false;
	}
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t op = ops[rng_below(&rng, (uint32_t)cnt)];
		uint8_t class = rng_percent(&rng, 50) ? wide : narrow;
		struct bpf_insn insn = INSN((uint8_t)(class | op | BPF_X), R1, R2, 0, 0);
		uint64_t x[MEMBERS], y[MEMBERS];
		struct rw_range a = range(&rng, x), b = range(&rng, y);

		if (rng_percent(&rng, 50) ||
		    (class == wide && wide == BPF_ALU64 && op == BPF_NEG) ||
		    (class == narrow && narrow == BPF_ALU && op == BPF_NEG))
			by_constant(&rng, &insn);
		if (!holds(&insn, a, b, x, y, MEMBERS))
			return false;
	}
	return true;
}

/**
 * arithmetic() - operations on two numbers
 *
 * Return: true if the analysis is right about them
 */
static bool arithmetic(void)
{
	return all_hold(alu_ops, ARRAY_SIZE(alu_ops), BPF_ALU64, BPF_ALU);
}

/**
 * conditional_jumps() - which way they go, and what is known then
 *
 * Return: true if the analysis is right about them
 */
static bool conditional_jumps(void)
{
	return all_hold(jmp_ops, ARRAY_SIZE(jmp_ops), BPF_JMP, BPF_JMP32);
}

/**
 * odd_forms() - byte swaps, moves that extend a sign, division with signs
 *
 * Return: true if the analysis is right about them
 */
static bool odd_forms(void)
{
	static const struct bpf_insn insns[] = {
		INSN(BPF_ALU | BPF_END | BPF_TO_LE, R1, 0, 0, 16),
		INSN(BPF_ALU | BPF_END | BPF_TO_LE, R1, 0, 0, 32),
		INSN(BPF_ALU | BPF_END | BPF_TO_LE, R1, 0, 0, 64),
		INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 16),
		INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 32),
		INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 64),
		INSN(BPF_ALU64 | BPF_END, R1, 0, 0, 16),
		INSN(BPF_ALU64 | BPF_END, R1, 0, 0, 32),
		INSN(BPF_ALU64 | BPF_END, R1, 0, 0, 64),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 8, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 16, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 32, 0),
		INSN(BPF_ALU | BPF_MOV | BPF_X, R1, R2, 8, 0),
		INSN(BPF_ALU | BPF_MOV | BPF_X, R1, R2, 16, 0),
		INSN(BPF_ALU64 | BPF_DIV | BPF_X, R1, R2, 1, 0),
		INSN(BPF_ALU64 | BPF_MOD | BPF_X, R1, R2, 1, 0),
		INSN(BPF_ALU | BPF_DIV | BPF_X, R1, R2, 1, 0),
		INSN(BPF_ALU | BPF_MOD | BPF_X, R1, R2, 1, 0),
	};
	uint64_t rng = 3;

	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		for (size_t p = 0; p < ARRAY_SIZE(places); p++)
			CHECK(holds_near(&insns[i], places[p], places[p]));
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t x[MEMBERS], y[MEMBERS];
		struct rw_range a = range(&rng, x), b = range(&rng, y);

		CHECK(holds(&insns[rng_below(&rng, ARRAY_SIZE(insns))], a, b, x, y, MEMBERS));
	}
	return true;
}

/**
 * becomes() - is the result as narrow as it should be?
 * @insn: the instruction, on r1 and r2
 * @a: limits of r1
 * @b: limits of r2
 * @taken: of a jump: it is taken
 * @want: what r1's limits should be
 *
 * Return: true if so
 */
static bool becomes(struct bpf_insn insn, struct rw_range a, struct rw_range b, bool taken,
		    struct rw_range want)
{
	abstract(&insn, &a, &b, taken);
	if (a.min != want.min || a.max != want.max)
		printf("# code 0x%02x: 0x%llx-0x%llx\n", insn.code, (unsigned long long)a.min,
		       (unsigned long long)a.max);
	return a.min == want.min && a.max == want.max;
}

#define R(min, max)	((struct rw_range){ (uint64_t)(min), (uint64_t)(max) })
#define NARROW(insn, a, b, taken, want) \
	CHECK(becomes((struct bpf_insn)insn, a, b, taken, want))

/**
 * narrow() - what parsers do keeps limits that are worth something
 *
 * Return: true if so
 */
static bool narrow(void)
{
	const struct rw_range any = RW_RANGE_ALL, byte = R(0, 255);

	NARROW(ALU64_K(BPF_AND, R1, 15), byte, any, false, R(0, 15));
	NARROW(ALU64_K(BPF_LSH, R1, 2), R(0, 15), any, false, R(0, 60));
	NARROW(ALU64_K(BPF_RSH, R1, 32), any, any, false, R(0, UINT32_MAX));
	NARROW(ALU64_K(BPF_ARSH, R1, 32), R(0, 255ull << 32), any, false, byte);
	NARROW(ALU64_K(BPF_ADD, R1, -4), R(5, 60), any, false, R(1, 56));
	NARROW(ALU64_K(BPF_ADD, R1, 8), R(0, 2040), any, false, R(8, 2048));
	NARROW(ALU64_X(BPF_SUB, R1, R2), R(20, 60), R(0, 20), false, R(0, 60));
	NARROW(ALU64_K(BPF_OR, R1, 1), byte, any, false, R(1, 255));
	NARROW(ALU64_K(BPF_MUL, R1, 8), byte, any, false, R(0, 2040));
	NARROW(ALU32_K(BPF_MUL, R1, 8), R(1, 2), any, false, R(8, 16));
	NARROW(ALU64_K(BPF_DIV, R1, 8), byte, any, false, R(0, 31));
	NARROW(ALU64_K(BPF_MOD, R1, 8), any, any, false, R(0, 7));
	NARROW(MOV32_X(R1, R2), any, byte, false, byte);
	NARROW(INSN(BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 16), byte, any, false, R(0, 65535));
	NARROW(INSN(BPF_ALU64 | BPF_NEG, R1, 0, 0, 0), R(1, 4), any, false, R(-4, -1));
	NARROW(INSN(BPF_ALU64 | BPF_MOV | BPF_X, R1, R2, 8, 0), any, R(1, 9), false, R(1, 9));
	NARROW(JMP_K(BPF_JGT, R1, 1500, 0), any, any, false, R(0, 1500));
	NARROW(JMP_K(BPF_JGT, R1, 1500, 0), any, any, true, R(1501, UINT64_MAX));
	NARROW(JMP_K(BPF_JSGT, R1, 20, 0), any, any, true, R(21, INT64_MAX));
	NARROW(JMP_K(BPF_JSLT, R1, 0, 0), any, any, false, R(0, INT64_MAX));
	NARROW(JMP_K(BPF_JSLT, R1, 0, 0), any, any, true, R(INT64_MIN, UINT64_MAX));
	NARROW(JMP32_K(BPF_JGT, R1, 100, 0), R(0, UINT32_MAX), any, false, R(0, 100));
	NARROW(JMP32_K(BPF_JGT, R1, 100, 0), any, any, false, any);
	NARROW(JMP_K(BPF_JEQ, R1, 5, 0), byte, any, true, R(5, 5));
	NARROW(JMP_K(BPF_JNE, R1, 0, 0), byte, any, true, R(1, 255));
	NARROW(JMP_K(BPF_JSET, R1, -16, 0), any, any, false, R(0, 15));
	NARROW(JMP_X(BPF_JLT, R1, R2, 0), byte, R(3, 9), true, R(0, 8));
	NARROW(JMP_X(BPF_JLT, R2, R1, 0), byte, R(3, 9), true, R(4, 255));
	return true;
}

/**
 * joins() - two states that meet cover both, and ones that grow soon stop
 *
 * Return: true if so
 */
static bool joins(void)
{
	struct rw_val a = rw_val_const(3), b = rw_val_const(9), v = rw_val_join(&a, &b);
	struct rw_val pkt = rw_val_start(RW_PKT), by = rw_val_number(R(8, 2048));
	int64_t min, max;

	CHECK(v.kinds == RW_SCALAR && !v.known && v.limits.min == 3 && v.limits.max == 9);
	v = rw_val_move(&pkt, &by, false);
	CHECK(rw_val_places(&v, &min, &max) && min == 8 && max == 2048);
	v = rw_val_move(&v, &by, true);
	CHECK(rw_val_places(&v, &min, &max) && min == -2040 && max == 2040);
	v = rw_val_join(&v, &pkt);
	CHECK(rw_val_places(&v, &min, &max) && min == -2040 && max == 2040);
	by = rw_val_number(R(0, RW_OFF_MAX));
	v = rw_val_move(&v, &by, false);
	CHECK(!rw_val_places(&v, &min, &max));
	v = rw_val_join(&pkt, &v);
	CHECK(!rw_val_places(&v, &min, &max));
	by = rw_val_const(-14);
	v = rw_val_move(&pkt, &by, true);
	CHECK(rw_val_places(&v, &min, &max) && min == 14 && max == 14 && v.off == 14);
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
		{ "arithmetic stays within its limits", arithmetic },
		{ "conditional jumps", conditional_jumps },
		{ "byte swaps, extended signs, division with signs", odd_forms },
		{ "limits that parsers need", narrow },
		{ "joining and moving", joins },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
