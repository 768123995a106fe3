// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Statements of a random program: arithmetic, and numbers on the stack.
 */
#include "build.h"

/**
 * bound() - how large a number can be after arithmetic with an immediate
 * @op: BPF_ADD and so on
 * @imm: the immediate
 * @max: how large it can be before
 *
 * Only what the verifier works out as well.
 *
 * Return: it
 */
static uint64_t bound(uint8_t op, int32_t imm, uint64_t max)
{
	switch (op) {
	case BPF_MOV:
		return imm < 0 ? UINT64_MAX : (uint64_t)imm;
	case BPF_AND:
		return imm < 0 ? max : (uint64_t)imm;
	case BPF_RSH:
		return max >> imm;
	case BPF_LSH:
		return max < 1 << 16 && imm < 16 ? max << imm : UINT64_MAX;
	case BPF_ADD:
		return max < 1 << 16 && imm >= 0 && imm < 1 << 16 ? max + (uint64_t)imm
								  : UINT64_MAX;
	default:
		return UINT64_MAX;
	}
}

/**
 * guess_shift() - guess the result of a shift
 * @op: BPF_LSH and so on
 * @is64: on 64 bits
 * @a: the number
 * @by: how far
 *
 * Return: the result
 */
static uint64_t guess_shift(uint8_t op, bool is64, uint64_t a, uint64_t by)
{
	by &= is64 ? 63 : 31;
	if (op == BPF_LSH)
		return a << by;
	if (op == BPF_RSH)
		return (is64 ? a : (uint32_t)a) >> by;
	return is64 ? (uint64_t)((int64_t)a >> by) : (uint64_t)((int32_t)a >> by);
}

/**
 * guess() - guess the result of arithmetic
 * @op: BPF_ADD and so on
 * @is64: on 64 bits
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: the result; of a division the dividend, which will do
 */
static uint64_t guess(uint8_t op, bool is64, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_MOV:
		a = b;
		break;
	case BPF_ADD:
		a += b;
		break;
	case BPF_SUB:
		a -= b;
		break;
	case BPF_MUL:
		a *= b;
		break;
	case BPF_OR:
		a |= b;
		break;
	case BPF_AND:
		a &= b;
		break;
	case BPF_XOR:
		a ^= b;
		break;
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		a = guess_shift(op, is64, a, b);
		break;
	}
	return is64 ? a : (uint32_t)a;
}

/**
 * swap() - a byte swap or a negation
 * @g: the program
 * @reg: register that holds a number
 */
static void swap(struct gen *g, uint8_t reg)
{
	static const uint8_t codes[] = {
		BPF_ALU | BPF_END, BPF_ALU | BPF_END | BPF_TO_BE, BPF_ALU64 | BPF_END,
	};
	uint8_t class = b_percent(g, 50) ? BPF_ALU : BPF_ALU64;
	uint8_t code = codes[b_below(g, ARRAY_SIZE(codes))];

	if (b_percent(g, 25))
		EMIT(g, INSN((uint8_t)(class | BPF_NEG), reg, 0, 0, 0));
	else
		EMIT(g, INSN(code, reg, 0, 0, 16 << b_below(g, 3)));
	b_set_num(g, reg, UINT64_MAX);
}

/**
 * extend() - a move with sign extension
 * @g: the program
 * @src: register that holds a number
 */
static void extend(struct gen *g, uint8_t src)
{
	bool is64 = b_percent(g, 50);
	uint8_t dst = b_take(g, NUM);
	int16_t bits = (int16_t)(8 << b_below(g, is64 ? 3 : 2));
	uint8_t class = is64 ? BPF_ALU64 : BPF_ALU;

	EMIT(g, INSN((uint8_t)(class | BPF_MOV | BPF_X), dst, src, bits, 0));
	b_set_num(g, dst, UINT64_MAX);
	g->st.reg[dst].guess = g->st.reg[src].guess;
}

/**
 * with_reg() - arithmetic on two registers
 * @g: the program
 * @op: BPF_ADD and so on
 * @is64: on 64 bits
 * @dst: the destination
 */
static void with_reg(struct gen *g, uint8_t op, bool is64, uint8_t dst)
{
	uint8_t src = b_num(g), class = is64 ? BPF_ALU64 : BPF_ALU;
	bool is_signed = (op == BPF_DIV || op == BPF_MOD) && b_percent(g, 30);
	uint64_t max = op == BPF_MOV ? g->st.reg[src].max : UINT64_MAX;
	uint64_t may = guess(op, is64, g->st.reg[dst].guess, g->st.reg[src].guess);

	EMIT(g, INSN((uint8_t)(class | op | BPF_X), dst, src, is_signed, 0));
	b_set_num(g, dst, is64 || max < UINT32_MAX ? max : UINT32_MAX);
	g->st.reg[dst].guess = may;
}

/**
 * with_imm() - arithmetic on a register and an immediate
 * @g: the program
 * @op: BPF_ADD and so on
 * @is64: on 64 bits
 * @dst: the destination
 */
static void with_imm(struct gen *g, uint8_t op, bool is64, uint8_t dst)
{
	uint8_t class = is64 ? BPF_ALU64 : BPF_ALU;
	bool is_signed = (op == BPF_DIV || op == BPF_MOD) && b_percent(g, 30);
	bool shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	int32_t imm = shift ? (int32_t)b_below(g, is64 ? 64 : 32) : b_number(g);
	uint64_t max = bound(op, imm, g->st.reg[dst].max);
	uint64_t may = guess(op, is64, g->st.reg[dst].guess, (uint64_t)imm);

	if ((op == BPF_DIV || op == BPF_MOD) && !imm)
		imm = 7;
	EMIT(g, INSN((uint8_t)(class | op | BPF_K), dst, 0, is_signed, imm));
	b_set_num(g, dst, is64 || max < UINT32_MAX ? max : UINT32_MAX);
	g->st.reg[dst].guess = may;
}

/**
 * g_alu() - arithmetic
 * @g: the program
 */
void g_alu(struct gen *g)
{
	static const uint8_t ops[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_MOD,
		BPF_XOR, BPF_MOV, BPF_ARSH, BPF_ADD, BPF_AND, BPF_MOV,
	};
	uint8_t op = ops[b_below(g, ARRAY_SIZE(ops))], dst = b_num(g);
	bool is64 = b_percent(g, 65);

	if (g->hold & 1u << dst)
		return;
	if (b_percent(g, 10)) {
		swap(g, dst);
		return;
	}
	if (b_percent(g, 5)) {
		extend(g, dst);
		return;
	}
	if (op == BPF_MOV)
		dst = b_take(g, NUM);
	if (b_percent(g, 50))
		with_reg(g, op, is64, dst);
	else
		with_imm(g, op, is64, dst);
}

/**
 * g_store() - numbers to the stack
 * @g: the program
 */
void g_store(struct gen *g)
{
	uint8_t size = b_size(g, 8);
	int16_t off = b_buffer(g, 8);

	if (!off)
		return;
	off = (int16_t)(off + (int)(b_bytes(size) * b_below(g, 8 / b_bytes(size))));
	if (b_percent(g, 70)) {
		uint8_t num = b_num(g);

		EMIT(g, STX(size, R10, off, num));
		b_guess_store(g, off, b_bytes(size), g->st.reg[num].guess);
	} else {
		int32_t imm = b_number(g);

		EMIT(g, ST(size, R10, off, imm));
		b_guess_store(g, off, b_bytes(size), (uint64_t)imm);
	}
	b_wrote(g, off, b_bytes(size));
}

/**
 * g_load() - a number from the stack, also one that was written piece by piece
 * @g: the program
 */
void g_load(struct gen *g)
{
	uint8_t size = b_size(g, 8), dst;
	int16_t off = b_data(g, 8);
	uint8_t mode = size != BPF_DW && b_percent(g, 15) ? MEMSX : BPF_MEM;
	uint64_t max = UINT64_MAX;

	if (!off)
		return;
	off = (int16_t)(off + (int)(b_bytes(size) * b_below(g, 8 / b_bytes(size))));
	dst = b_take(g, NUM);
	EMIT(g, INSN((uint8_t)(BPF_LDX | mode | size), dst, R10, off, 0));
	if (mode == BPF_MEM && size != BPF_DW)
		max = (1ull << 8 * b_bytes(size)) - 1;
	b_set_num(g, dst, max);
	g->st.reg[dst].guess = b_guess_load(g, off, b_bytes(size), mode != BPF_MEM);
}

/**
 * g_spill() - a register as a whole to the stack
 * @g: the program
 */
void g_spill(struct gen *g)
{
	uint8_t reg = (uint8_t)b_below(g, 10);
	enum kind kind = g->st.reg[reg].kind;
	int16_t off = b_buffer(g, 8);
	uint32_t at = (uint32_t)(off + STACK);

	if (!off || kind == NONE || (kind > NUM && g->loops))
		return;
	EMIT(g, STX(BPF_DW, R10, off, reg));
	b_wrote(g, off, 8);
	b_guess_store(g, off, 8, g->st.reg[reg].guess);
	g->st.slot[at / 8] = g->st.reg[reg];
	if (kind > NUM)
		for (int i = 0; i < 8; i++)
			g->st.init[at + (uint32_t)i] = false;
}

/**
 * g_fill() - a spilled register back from the stack
 * @g: the program
 */
void g_fill(struct gen *g)
{
	uint32_t first = b_below(g, STACK / 8);

	for (uint32_t i = 0; i < STACK / 8; i++) {
		const struct val *slot = &g->st.slot[(first + i) % (STACK / 8)];
		int16_t off = (int16_t)(8 * (int)((first + i) % (STACK / 8)) - STACK);
		uint8_t reg;

		if (slot->kind == NONE)
			continue;
		reg = b_take(g, slot->kind);
		EMIT(g, LDX(BPF_DW, reg, R10, off));
		g->st.reg[reg] = *slot;
		return;
	}
	g_spill(g);
}

/**
 * stack_stray() - a load from the stack by a pointer that has been out of it
 * @g: the program
 * @off: offset from r10 of sixteen bytes of data
 */
static void stack_stray(struct gen *g, int16_t off)
{
	uint8_t size = b_size(g, 8), reg = b_take(g, NUM);
	int32_t away = b_percent(g, 50) ? 8 + (int32_t)b_below(g, 100) : -520;

	b_stack_ptr(g, reg, (int16_t)away);
	EMIT(g, LDX(size, reg, reg, (int16_t)(off - away)));
	b_set_num(g, reg, UINT64_MAX);
}

/**
 * stack_sum() - a helper that reads eight bytes of stack at a variable offset
 * @g: the program
 * @off: offset from r10 of sixteen bytes of data
 * @num: register that holds a number
 */
static void stack_sum(struct gen *g, int16_t off, uint8_t num)
{
	EMIT(g, MOV64_X(R1, num), ALU64_K(BPF_AND, R1, 8), ALU64_X(BPF_ADD, R1, R10),
	     ALU64_K(BPF_ADD, R1, off), MOV64_K(R2, 8), MOV64_K(R3, 0), MOV64_K(R4, 0),
	     MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff));
	b_clobber(g);
}

/**
 * g_stack_var() - use of the stack at a variable offset, or by a strange pointer
 * @g: the program
 */
void g_stack_var(struct gen *g)
{
	int16_t off = b_data(g, 16);
	uint8_t num = b_num(g), size = b_size(g, 8), reg;
	int32_t mask = 16 - (int32_t)b_bytes(size);

	if (!off)
		return;
	if (b_percent(g, 15)) {
		stack_stray(g, off);
		return;
	}
	if (b_percent(g, 15)) {
		stack_sum(g, off, num);
		return;
	}
	g->busy |= (uint16_t)(1u << num);
	reg = b_take(g, NUM);
	EMIT(g, MOV64_X(reg, num), ALU64_K(BPF_AND, reg, mask & -(int32_t)b_bytes(size)),
	     ALU64_X(BPF_ADD, reg, R10));
	if (b_percent(g, 40))
		EMIT(g, STX(size, reg, off, num), MOV64_K(reg, 0));
	else
		EMIT(g, LDX(size, reg, reg, off));
	b_set_num(g, reg, UINT64_MAX);
	g->busy &= (uint16_t)~(1u << num);
}

/**
 * g_stack_arms() - stack that is written at a variable offset on one path, and at
 *		    constant ones on another
 * @g: the program
 */
void g_stack_arms(struct gen *g)
{
	uint8_t num = b_num(g);
	uint16_t busy = g->busy;
	int16_t off = b_buffer(g, 16);
	int32_t number = b_number(g);
	struct bpf_insn jump;
	uint32_t to;
	uint8_t at, reg;

	if (!off || g->st.slot[(off + STACK) / 8].kind > NUM ||
	    g->st.slot[(off + STACK) / 8 + 1].kind > NUM)
		return;
	g->busy |= (uint16_t)(1u << num);
	at = b_take(g, NUM);
	g->busy |= (uint16_t)(1u << at);
	EMIT(g, MOV64_X(at, num), ALU64_K(BPF_AND, at, 8));
	b_set_num(g, at, 8);
	jump = g_condition(g);
	g->busy |= (uint16_t)(1u << jump.dst_reg | 1u << jump.src_reg);
	reg = b_take(g, NUM);
	to = b_jump(g, jump);
	EMIT(g, MOV64_X(reg, at), ALU64_X(BPF_ADD, reg, R10), ST(BPF_DW, reg, off, b_number(g)),
	     JA(2));
	b_land(g, to);
	EMIT(g, ST(BPF_DW, R10, off, number), ST(BPF_DW, R10, (int16_t)(off + 8), number));
	EMIT(g, JMP_K(BPF_JEQ, at, 0, 2), LDX(BPF_DW, reg, R10, (int16_t)(off + 8)), JA(1),
	     LDX(BPF_DW, reg, R10, off), JMP_K(BPF_JNE, reg, number, 1),
	     ALU64_K(BPF_XOR, reg, 1 + (int32_t)b_below(g, 1000)));
	b_set_num(g, reg, UINT64_MAX);
	/* The other one of the two has perhaps never been written. */
	b_fill(g, off, 16);
	g->busy = busy;
}

/**
 * g_odd_number() - time and random numbers, used as nothing but zero
 * @g: the program
 */
void g_odd_number(struct gen *g)
{
	EMIT(g, CALL(b_percent(g, 50) ? BPF_FUNC_ktime_get_ns : BPF_FUNC_get_prandom_u32));
	b_clobber(g);
	EMIT(g, ALU64_K(BPF_AND, R0, 0));
	b_set_num(g, 0, 0);
}

/**
 * change() - do something to a constant that is easily overlooked
 * @g: the program
 * @reg: register that holds the constant; it is a number afterwards
 * @off: offset from r10 of eight bytes for it, or 0
 */
static void change(struct gen *g, uint8_t reg, int16_t off)
{
	uint8_t size = b_percent(g, 50) ? BPF_W : BPF_DW;
	uint8_t value = b_find_saved(g, VALUE);

	switch (b_below(g, off ? 7 : 3)) {
	case 0:
		swap(g, reg);
		return;
	case 1:
		EMIT(g, INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, reg, (int16_t)(8 << b_below(g, 3)),
			     0));
		return;
	case 2:
		if (value != NO_REG)
			EMIT(g, ATOMIC(BPF_W, value, 0, reg, BPF_ADD | BPF_FETCH));
		return;
	}
	if (size == BPF_W)
		EMIT(g, ST(BPF_W, R10, (int16_t)(off + 4), b_number(g)));
	EMIT(g, STX(size, R10, off, reg));
	b_wrote(g, off, 8);
	if (b_percent(g, 40)) {
		EMIT(g, ST(BPF_B, R10, (int16_t)(off + (int)b_below(g, 8)), b_number(g)));
	} else if (g->has_ctx && reg > 5 && b_percent(g, 70)) {
		b_stack_ptr(g, R3, (int16_t)(off + (int)b_below(g, 8)));
		EMIT(g, MOV64_K(R2, (int32_t)b_below(g, 20)), MOV64_K(R4, 1));
		b_ctx(g, R1);
		EMIT(g, CALL(BPF_FUNC_xdp_load_bytes));
		b_clobber(g);
	}
	if (size == BPF_W && b_percent(g, 50))
		EMIT(g, INSN(BPF_LDX | MEMSX | BPF_W, reg, R10, off, 0));
	else
		EMIT(g, LDX(size, reg, R10, off));
}

/**
 * g_stale() - a constant that is one no more is compared with what it was
 * @g: the program
 */
void g_stale(struct gen *g)
{
	uint8_t reg = b_percent(g, 50) ? b_take_saved(g, NUM) : b_take(g, NUM);
	int32_t number = b_number(g);
	uint32_t jump;

	if (reg == NO_REG)
		return;
	if (b_percent(g, 70))
		EMIT(g, MOV64_K(reg, number));
	else
		EMIT(g, MOV32_K(reg, number));
	b_set_num(g, reg, UINT64_MAX);
	change(g, reg, b_buffer(g, 8));
	b_set_num(g, reg, UINT64_MAX);
	g->busy |= (uint16_t)(1u << reg);
	for (int i = 0; i < 2; i++) {
		uint8_t class = b_percent(g, 50) ? BPF_JMP : BPF_JMP32;
		struct state before = g->st;

		jump = b_jump(g, (struct bpf_insn)INSN((uint8_t)(class | BPF_JNE), reg, 0, 0,
						       number));
		if (g->loops)
			EMIT(g, ALU64_K(BPF_XOR, reg, b_number(g)));
		else
			g_trace(g);
		b_land(g, jump);
		b_meet(g, &g->st, &before);
		number = b_percent(g, 50) ? (int8_t)number : (int16_t)number;
	}
	g->busy &= (uint16_t)~(1u << reg);
}

/**
 * g_condition() - a comparison of numbers
 * @g: the program
 *
 * Return: the jump, for b_jump()
 */
struct bpf_insn g_condition(struct gen *g)
{
	static const uint8_t ops[] = {
		BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT, BPF_JSGE, BPF_JLT,
		BPF_JLE, BPF_JSLT, BPF_JSLE, BPF_JEQ, BPF_JNE,
	};
	uint8_t op = ops[b_below(g, ARRAY_SIZE(ops))], a = b_num(g), b = b_num(g);
	uint8_t class = b_percent(g, 65) ? BPF_JMP : BPF_JMP32;
	uint64_t max = g->st.reg[a].max;
	int32_t near = (int32_t)g->st.reg[a].guess;

	if (b_percent(g, 40)) {
		if (b_percent(g, 20))
			near = (int32_t)((uint32_t)near + (b_percent(g, 50) ? 1u : -1u));
		return (struct bpf_insn)INSN((uint8_t)(class | op | BPF_K), a, 0, 0, near);
	}
	if (b_percent(g, 35))
		return (struct bpf_insn)INSN((uint8_t)(class | op | BPF_X), a, b, 0, 0);
	/* A comparison in the middle of what the number can be is worth most. */
	if (max && max <= 65535 && b_percent(g, 50))
		return (struct bpf_insn)INSN((uint8_t)(class | op | BPF_K), a, 0, 0,
					     (int32_t)b_below(g, (uint32_t)max + 1));
	return (struct bpf_insn)INSN((uint8_t)(class | op | BPF_K), a, 0, 0, b_number(g));
}
