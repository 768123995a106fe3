// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all statements of a random program are built with: instructions, jumps,
 * registers and the stack.
 */
#include <string.h>

#include "build.h"

#define MARGIN	700	/* instructions kept free for what is still open */

/**
 * b_below() - a random number
 * @g: the program
 * @limit: above the largest
 *
 * Return: it
 */
uint32_t b_below(struct gen *g, uint32_t limit)
{
	return rng_below(&g->rng, limit);
}

/**
 * b_percent() - should something happen?
 * @g: the program
 * @percent: how often
 *
 * Return: true that often
 */
bool b_percent(struct gen *g, uint32_t percent)
{
	return rng_percent(&g->rng, percent);
}

/**
 * b_number() - a number that programs, or their bugs, are fond of
 * @g: the program
 *
 * Return: it
 */
int32_t b_number(struct gen *g)
{
	static const int32_t numbers[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 20, 31, 32, 40, 47, 50, 58, 60, 63,
		64, 69, 127, 128, 255, 256, 0x8, 0x81, 0xa888, 0x86dd, 0x800, 0x8100, 1500,
		0x7ff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, -1, -2, -14, -127, -128,
		-255, -256, -32768, -65536, -0x7fffffff - 1,
	};

	if (b_percent(g, 20))
		return (int32_t)rng_next(&g->rng);
	return numbers[b_below(g, ARRAY_SIZE(numbers))];
}

/**
 * b_bytes() - bytes that a load or a store moves
 * @size: BPF_B and so on
 *
 * Return: 1, 2, 4 or 8
 */
uint32_t b_bytes(uint8_t size)
{
	switch (size) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

/**
 * b_size() - a random size of a load or a store
 * @g: the program
 * @room: bytes that there are; not 0
 *
 * Return: BPF_B and so on
 */
uint8_t b_size(struct gen *g, uint32_t room)
{
	static const uint8_t sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	uint32_t cnt = room >= 8 ? 4 : room >= 4 ? 3 : room >= 2 ? 2 : 1;

	return sizes[b_below(g, cnt)];
}

/**
 * b_emit() - append instructions
 * @g: the program
 * @insns: the instructions
 * @cnt: number of @insns
 */
void b_emit(struct gen *g, const struct bpf_insn *insns, uint32_t cnt)
{
	if (g->p->cnt + cnt > GEN_INSNS)
		return;
	memcpy(g->p->insns + g->p->cnt, insns, cnt * sizeof(*insns));
	g->p->cnt += cnt;
}

/**
 * b_jump() - append a jump whose target is not there yet
 * @g: the program
 * @insn: the jump
 *
 * Return: its index, for b_land()
 */
uint32_t b_jump(struct gen *g, struct bpf_insn insn)
{
	b_emit(g, &insn, 1);
	return g->p->cnt - 1;
}

/**
 * b_land() - the target of a jump is here
 * @g: the program
 * @jump: index of the jump
 */
void b_land(struct gen *g, uint32_t jump)
{
	struct bpf_insn *insn = &g->p->insns[jump];
	uint32_t by = g->p->cnt - jump - 1;

	if (insn->code == (BPF_JMP32 | BPF_JA))
		insn->imm = (int32_t)by;
	else
		insn->off = (int16_t)by;
}

/**
 * b_full() - is it time to come to an end?
 * @g: the program
 *
 * Return: true if so
 */
bool b_full(const struct gen *g)
{
	return g->p->cnt > GEN_INSNS - MARGIN || g->next_id > IDS - 200;
}

/**
 * b_set() - a register has been written
 * @g: the program
 * @reg: the register; the guess that there is of it is kept
 * @kind: what it holds
 */
void b_set(struct gen *g, uint8_t reg, enum kind kind)
{
	uint64_t guess = g->st.reg[reg].guess;

	g->st.reg[reg] = (struct val){ .kind = kind, .max = UINT64_MAX, .guess = guess };
}

/**
 * b_set_num() - a number has been written to a register
 * @g: the program
 * @reg: the register
 * @max: it is not above this
 */
void b_set_num(struct gen *g, uint8_t reg, uint64_t max)
{
	b_set(g, reg, NUM);
	g->st.reg[reg].max = max;
}

/**
 * b_set_const() - a constant has been written to a register
 * @g: the program
 * @reg: the register
 * @number: the constant
 */
void b_set_const(struct gen *g, uint8_t reg, uint64_t number)
{
	b_set_num(g, reg, number);
	g->st.reg[reg].guess = number;
}

/**
 * pick() - one of a set of registers
 * @g: the program
 * @set: the set, as bits
 *
 * Return: the register, or NO_REG if the set is empty
 */
static uint8_t pick(struct gen *g, uint16_t set)
{
	uint32_t nth;

	if (!set)
		return NO_REG;
	nth = b_below(g, (uint32_t)__builtin_popcount(set));
	while (nth--)
		set &= (uint16_t)(set - 1);
	return (uint8_t)__builtin_ctz(set);
}

/**
 * holding() - the registers that hold a kind of value
 * @g: the program
 * @kind: the kind
 *
 * Return: they, as bits
 */
static uint16_t holding(const struct gen *g, enum kind kind)
{
	uint16_t set = 0;

	for (int i = 0; i < 10; i++)
		if (g->st.reg[i].kind == kind)
			set |= (uint16_t)(1u << i);
	return set;
}

/**
 * take() - a register to write to
 * @g: the program
 * @kind: what will be written
 * @from: registers that are good for it, as bits
 *
 * Return: the register, or NO_REG
 */
static uint8_t take(struct gen *g, enum kind kind, uint16_t from)
{
	from &= (uint16_t)~(g->hold | g->busy);
	if (kind != NUM)
		from &= (uint16_t)~g->num_only;
	if (b_percent(g, 60) && (from & holding(g, NONE)))
		from &= holding(g, NONE);
	return pick(g, from);
}

/**
 * b_take() - a register to write to
 * @g: the program
 * @kind: what will be written
 *
 * Return: the register; there always is one
 */
uint8_t b_take(struct gen *g, enum kind kind)
{
	return take(g, kind, 0x3ff);
}

/**
 * b_take_saved() - a register that survives calls, to write to
 * @g: the program
 * @kind: what will be written
 *
 * Return: the register, or NO_REG
 */
uint8_t b_take_saved(struct gen *g, enum kind kind)
{
	return take(g, kind, 0x3c0);
}

/**
 * b_find() - a register that holds a kind of value
 * @g: the program
 * @kind: the kind
 *
 * Return: the register, or NO_REG
 */
uint8_t b_find(struct gen *g, enum kind kind)
{
	return pick(g, holding(g, kind) & (uint16_t)~g->busy);
}

/**
 * b_find_saved() - the same among the registers that are no arguments
 * @g: the program
 * @kind: the kind
 *
 * Return: the register, or NO_REG
 */
uint8_t b_find_saved(struct gen *g, enum kind kind)
{
	return pick(g, holding(g, kind) & (uint16_t)~g->busy & 0x3c1);
}

/**
 * b_num() - a register that holds a number
 * @g: the program
 *
 * Return: the register; there always is one
 */
uint8_t b_num(struct gen *g)
{
	uint8_t reg = b_find(g, NUM);
	int32_t imm = b_number(g);

	if (reg != NO_REG)
		return reg;
	reg = b_take(g, NUM);
	if (b_percent(g, 80)) {
		EMIT(g, MOV64_K(reg, imm));
		b_set_const(g, reg, (uint64_t)imm);
	} else {
		int32_t high = b_number(g);

		EMIT(g, LD_IMM64(reg, imm, high));
		b_set_const(g, reg, (uint64_t)high << 32 | (uint32_t)imm);
	}
	return reg;
}

/**
 * b_ctx() - put the context into a register
 * @g: the program; the function at hand has the context
 * @reg: the register
 */
void b_ctx(struct gen *g, uint8_t reg)
{
	if (g->ctx_reg == NO_REG)
		EMIT(g, LDX(BPF_DW, reg, R10, CTX_SLOT));
	else if (g->ctx_reg != reg)
		EMIT(g, MOV64_X(reg, g->ctx_reg));
}

/**
 * b_clobber() - a call: registers r0 to r5 are lost, r0 is a number afterwards
 * @g: the program
 */
void b_clobber(struct gen *g)
{
	for (uint8_t i = 1; i <= 5; i++)
		b_set(g, i, NONE);
	b_set_num(g, 0, UINT64_MAX);
}

/**
 * b_forget() - values of a kind are no longer good
 * @g: the program
 * @kind: the kind
 */
void b_forget(struct gen *g, enum kind kind)
{
	for (uint8_t i = 0; i < 10; i++)
		if (g->st.reg[i].kind == kind)
			b_set(g, i, NONE);
	for (uint32_t i = 0; i < STACK / 8; i++)
		if (g->st.slot[i].kind == kind)
			g->st.slot[i].kind = NONE;
}

/**
 * meet_val() - what is known of a value where two paths meet
 * @g: the program
 * @a: the value on one path; becomes the result
 * @b: on the other
 */
static void meet_val(struct gen *g, struct val *a, const struct val *b)
{
	bool same = a->kind == b->kind && a->id == b->id && a->map == b->map && a->off == b->off;

	if (same) {
		if (a->max < b->max)
			a->max = b->max;
	} else if (a->kind == PKT && b->kind == PKT && g->next_id < IDS - 100) {
		*a = (struct val){ .kind = PKT, .id = g->next_id++ };
	} else {
		a->kind = NONE;
	}
}

/**
 * b_meet() - two paths meet
 * @g: the program
 * @a: state of the one; becomes the result
 * @b: state of the other
 */
void b_meet(struct gen *g, struct state *a, const struct state *b)
{
	if (b->dead)
		return;
	if (a->dead) {
		*a = *b;
		return;
	}
	for (int i = 0; i < 10; i++)
		meet_val(g, &a->reg[i], &b->reg[i]);
	for (int i = 0; i < STACK / 8; i++)
		meet_val(g, &a->slot[i], &b->slot[i]);
	for (int i = 0; i < STACK; i++)
		a->init[i] &= b->init[i];
	for (int i = 0; i < IDS; i++)
		if (a->range[i] > b->range[i])
			a->range[i] = b->range[i];
}

/**
 * is_pointer() - is there a pointer in some bytes of the stack?
 * @g: the program
 * @off: where, from r10
 * @size: number of bytes
 *
 * Return: true if so
 */
static bool is_pointer(const struct gen *g, int16_t off, uint32_t size)
{
	uint32_t from = (uint32_t)(off + STACK) / 8, to = ((uint32_t)(off + STACK) + size - 1) / 8;

	for (uint32_t i = from; i <= to; i++)
		if (g->st.slot[i].kind > NUM)
			return true;
	return false;
}

/**
 * b_buffer() - bytes of stack to write to
 * @g: the program
 * @size: number of bytes, at most 64
 *
 * Pointers are seldom overwritten, and in a loop not at all: the next turn may
 * want them.
 *
 * Return: offset from r10, aligned to eight bytes
 */
int16_t b_buffer(struct gen *g, uint32_t size)
{
	uint32_t slots = ((uint32_t)(AREA_TOP - g->area) - size) / 8 + 1;
	int16_t off = 0;

	for (int tries = 0; tries < 20; tries++) {
		off = (int16_t)(g->area + 8 * (int)b_below(g, slots));
		if ((!g->loops && b_percent(g, 5)) || !is_pointer(g, off, size))
			return off;
	}
	return 0;
}

/**
 * b_wrote() - data has been written to the stack
 * @g: the program
 * @off: where, from r10
 * @size: number of bytes
 */
void b_wrote(struct gen *g, int16_t off, uint32_t size)
{
	for (uint32_t i = (uint32_t)(off + STACK); i < (uint32_t)(off + STACK) + size; i++) {
		/* A pointer that is overwritten in part leaves no data behind. */
		g->st.slot[i / 8].kind = NONE;
		g->st.init[i] = true;
	}
}

/**
 * b_guess_store() - a number has been stored to the stack
 * @g: the program
 * @off: where, from r10
 * @size: number of bytes
 * @guess: what the number may be
 */
void b_guess_store(struct gen *g, int16_t off, uint32_t size, uint64_t guess)
{
	memcpy(g->st.guess + off + STACK, &guess, size);
}

/**
 * b_guess_load() - what may be in some bytes of the stack
 * @g: the program
 * @off: where, from r10
 * @size: number of bytes
 * @is_signed: extend the sign
 *
 * Return: as a load would have it
 */
uint64_t b_guess_load(const struct gen *g, int16_t off, uint32_t size, bool is_signed)
{
	uint64_t guess = 0;

	memcpy(&guess, g->st.guess + off + STACK, size);
	if (is_signed)
		guess = (uint64_t)((int64_t)(guess << (64 - 8 * size)) >> (64 - 8 * size));
	return guess;
}

/**
 * b_fill() - write data to the stack
 * @g: the program
 * @off: where, from r10; aligned to eight bytes
 * @size: number of bytes
 */
void b_fill(struct gen *g, int16_t off, uint32_t size)
{
	static const uint8_t sizes[] = { BPF_DW, BPF_W, BPF_H, BPF_B };
	uint32_t at = 0;

	while (at < size) {
		uint8_t num = b_find(g, NUM), i = b_percent(g, 20) ? 1 : 0;
		uint64_t imm = (uint64_t)b_number(g);
		int16_t to = (int16_t)(off + (int)at);

		while (b_bytes(sizes[i]) > size - at || at % b_bytes(sizes[i]))
			i++;
		if (num != NO_REG && b_percent(g, 60)) {
			EMIT(g, STX(sizes[i], R10, to, num));
			imm = g->st.reg[num].guess;
		} else {
			EMIT(g, ST(sizes[i], R10, to, (int32_t)imm));
		}
		b_guess_store(g, to, b_bytes(sizes[i]), imm);
		at += b_bytes(sizes[i]);
	}
	b_wrote(g, off, size);
}

/**
 * b_data() - bytes of stack that hold data
 * @g: the program
 * @size: number of bytes, at most 64
 *
 * Return: offset from r10, aligned to eight bytes; 0 if there is no room
 */
int16_t b_data(struct gen *g, uint32_t size)
{
	int16_t off = b_buffer(g, size);
	bool init = true;

	if (!off)
		return 0;
	for (uint32_t i = 0; i < size; i++)
		init &= g->st.init[(uint32_t)(off + STACK) + i];
	if (!init || is_pointer(g, off, size) || b_percent(g, 30))
		b_fill(g, off, size);
	return off;
}

/**
 * b_stack_ptr() - point to the stack
 * @g: the program
 * @reg: register that gets the pointer
 * @off: offset from r10
 */
void b_stack_ptr(struct gen *g, uint8_t reg, int16_t off)
{
	EMIT(g, MOV64_X(reg, R10), ALU64_K(BPF_ADD, reg, off));
}
