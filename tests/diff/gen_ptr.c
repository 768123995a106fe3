// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Random programs full of pointers
 *
 * Unlike those of gen.c these care for nothing: they move, spill, load, cut, compare
 * and add whatever is in a register, hand any part of the stack to helpers, and at the
 * end store something to a map. Most of them no verifier takes; many of the others let
 * an address out. They do the same each time but for addresses: no clocks, no random
 * numbers.
 *
 * r6 holds the context, r7 the packet, r8 its end and r9 a map's value, unless a
 * statement has written over them; the stack is used at r10 - 64 and up, by functions
 * that are called as well.
 */
#include <string.h>

#include "../host/leaks.h"
#include "gen_ptr.h"
#include "rng.h"

#define CALLS		8
#define AREA		64	/* bytes of stack for random use */
#define COUNTER		(-72)	/* of a loop's turns */

/**
 * struct gen - a program in the making
 * @p: the program
 * @rng: the random numbers' state
 * @calls: instructions that call the program's function
 * @call_cnt: number of @calls
 * @in_func: it is that function that is made
 * @in_loop: it is a loop's body
 */
struct gen {
	struct ptr_prog *p;
	uint64_t rng;
	uint32_t calls[CALLS];
	uint32_t call_cnt;
	bool in_func;
	bool in_loop;
};

#define EMIT(g, ...)                                              \
	emit(g, (const struct bpf_insn[]){ __VA_ARGS__ },         \
	     sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) /   \
		     sizeof(struct bpf_insn))

/**
 * emit() - add instructions
 * @g: the program
 * @insns: they
 * @cnt: number of @insns
 */
static void emit(struct gen *g, const struct bpf_insn *insns, uint32_t cnt)
{
	if (g->p->cnt + cnt > PTR_INSNS)
		return;
	memcpy(g->p->insns + g->p->cnt, insns, cnt * sizeof(*insns));
	g->p->cnt += cnt;
}

/**
 * below() - a random number
 * @g: the program
 * @limit: it is below that
 *
 * Return: the number
 */
static uint8_t below(struct gen *g, uint32_t limit)
{
	return (uint8_t)rng_below(&g->rng, limit);
}

/**
 * slot() - eight bytes of the stack
 * @g: the program
 *
 * Return: their offset from r10
 */
static int16_t slot(struct gen *g)
{
	return (int16_t)(-8 * (1 + below(g, AREA / 8 - 2)));
}

/**
 * place() - a place in the stack, in the middle of eight bytes now and then
 * @g: the program
 *
 * Return: its offset from r10
 */
static int16_t place(struct gen *g)
{
	return (int16_t)(slot(g) + (below(g, 3) ? 0 : 4));
}

/**
 * size() - how much a load or a store moves
 * @g: the program
 *
 * Return: BPF_DW mostly
 */
static uint8_t size(struct gen *g)
{
	static const uint8_t sizes[] = { BPF_DW, BPF_DW, BPF_DW, BPF_W, BPF_H, BPF_B };

	return sizes[below(g, ARRAY_SIZE(sizes))];
}

/**
 * helper() - call a helper, with any part of the stack
 * @g: the program
 */
static void helper(struct gen *g)
{
	int16_t off = (int16_t)(8 * below(g, 5) - AREA);

	switch (below(g, 6)) {
	case 0:
		EMIT(g, MOV64_X(R1, R6), MOV64_K(R2, below(g, 2) ? 4 : 0xff00), MOV64_X(R3, R10),
		     ALU64_K(BPF_ADD, R3, off), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_load_bytes));
		break;
	case 1:
		EMIT(g, MOV64_X(R1, R6), MOV64_K(R2, 16), MOV64_X(R3, R10),
		     ALU64_K(BPF_ADD, R3, off), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_store_bytes));
		break;
	case 2:
		EMIT(g, MOV64_K(R1, 0), MOV64_K(R2, 0), MOV64_X(R3, R10),
		     ALU64_K(BPF_ADD, R3, off), MOV64_K(R4, 8), MOV64_K(R5, 0),
		     CALL(BPF_FUNC_csum_diff));
		break;
	case 3:
		EMIT(g, ST(BPF_W, R10, -4, 1), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4),
		     LD_MAP(R1, LEAK_ARRAY), CALL(BPF_FUNC_map_lookup_elem));
		if (below(g, 2))
			EMIT(g, JMP_K(BPF_JNE, R0, 0, 1), EXIT);
		break;
	case 4:
		EMIT(g, MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, off), MOV64_X(R3, R10),
		     ALU64_K(BPF_ADD, R3, -AREA), LD_MAP(R1, LEAK_HASH), MOV64_K(R4, 0),
		     CALL(BPF_FUNC_map_update_elem));
		break;
	default:
		EMIT(g, LD_DATA(R7, R6), LD_END(R8, R6), MOV64_X(R1, R7),
		     ALU64_K(BPF_ADD, R1, 32), JMP_X(BPF_JLE, R1, R8, 2), MOV64_K(R0, 1), EXIT);
	}
}

static void statement(struct gen *g, int depth);

/**
 * branch() - statements that a comparison decides upon
 * @g: the program
 * @depth: blocks around it
 */
static void branch(struct gen *g, int depth)
{
	static const uint8_t jumps[] = { BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JSET, BPF_JLT, BPF_JSGE };
	uint8_t jump = jumps[below(g, ARRAY_SIZE(jumps))], dst = below(g, 10), src = below(g, 11);
	uint32_t at;

	switch (below(g, 5)) {
	case 0:
		EMIT(g, JMP_K(jump, dst, below(g, 2) ? 0 : 5, 0));
		break;
	case 1:
		EMIT(g, JMP_X(jump, dst, src, 0));
		break;
	default:
		EMIT(g, LDX(BPF_B, R5, R7, below(g, 20)), ALU64_K(BPF_AND, R5, 3),
		     JMP_K(jump, R5, below(g, 3), 0));
	}
	at = g->p->cnt - 1;
	for (int n = 1 + below(g, 3); n; n--)
		statement(g, depth + 1);
	g->p->insns[at].off = (int16_t)(g->p->cnt - at - 1);
}

/**
 * loop() - statements that are done three times
 * @g: the program
 * @depth: blocks around it
 */
static void loop(struct gen *g, int depth)
{
	uint32_t top;

	g->in_loop = true;
	EMIT(g, ST(BPF_DW, R10, COUNTER, 0));
	top = g->p->cnt;
	for (int n = 1 + below(g, 4); n; n--)
		statement(g, depth + 1);
	EMIT(g, LDX(BPF_DW, R5, R10, COUNTER), ALU64_K(BPF_ADD, R5, 1),
	     STX(BPF_DW, R10, COUNTER, R5));
	EMIT(g, JMP_K(BPF_JLT, R5, 3, (int16_t)(top - g->p->cnt - 1)));
	g->in_loop = false;
}

/**
 * subcall() - call the program's function
 * @g: the program
 */
static void subcall(struct gen *g)
{
	static const uint8_t third[] = { R10, R10, R9, R8 };

	EMIT(g, MOV64_X(R1, R6), MOV64_X(R2, R7), MOV64_X(R3, third[below(g, 4)]));
	g->calls[g->call_cnt++] = g->p->cnt;
	EMIT(g, SUBCALL(0), MOV64_K(R1, 1), MOV64_K(R2, 2), MOV64_K(R3, 3), MOV64_K(R4, 4),
	     MOV64_K(R5, 5));
}

/**
 * memory() - a load, a store or an atomic operation
 * @g: the program
 * @dst: a register to write
 * @src: one to read
 */
static void memory(struct gen *g, uint8_t dst, uint8_t src)
{
	static const int32_t ops[] = { BPF_ADD, BPF_ADD | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG };

	switch (below(g, 6)) {
	case 0:
		EMIT(g, STX(size(g), R10, place(g), src));
		break;
	case 1:
		EMIT(g, LDX(size(g), dst, R10, place(g)));
		break;
	case 2:
		EMIT(g, ST(size(g), R10, (int16_t)(slot(g) + below(g, 8)), below(g, 3)));
		break;
	case 3:
		EMIT(g, LDX(BPF_B, dst, R7, below(g, 30)));
		break;
	case 4:
		EMIT(g, LDX(BPF_B, R0, R7, below(g, 20)),
		     ALU64_K(BPF_AND, R0, below(g, 2) ? 8 : 7), ALU64_X(BPF_ADD, R0, R10));
		if (below(g, 2))
			EMIT(g, LDX(size(g), dst, R0, -32));
		else
			EMIT(g, STX(size(g), R0, -32, src));
		break;
	default:
		EMIT(g, ATOMIC(below(g, 3) ? BPF_DW : BPF_W, R10, slot(g), dst,
			       ops[below(g, ARRAY_SIZE(ops))]));
	}
}

/**
 * statement() - something at random
 * @g: the program
 * @depth: blocks around it
 */
static void statement(struct gen *g, int depth)
{
	uint8_t dst = below(g, 10), src = below(g, 11);

	switch (below(g, 17)) {
	case 0:
		EMIT(g, MOV64_X(dst, src));
		break;
	case 1:
		EMIT(g, MOV32_X(dst, src));
		break;
	case 2:
		EMIT(g, ALU64_X(below(g, 2) ? BPF_ADD : BPF_SUB, dst, src));
		break;
	case 3:
		EMIT(g, ALU64_K(BPF_ADD, dst, below(g, 9) - 4));
		break;
	case 4:
		EMIT(g, ALU32_X(below(g, 2) ? BPF_SUB : BPF_XOR, dst, src));
		break;
	case 5:
		EMIT(g, MOV64_K(dst, below(g, 3)));
		break;
	case 6:
		EMIT(g, MOV64_X(dst, below(g, 2) ? R7 : R9));
		break;
	case 7:
		helper(g);
		break;
	case 8:
		if (!g->in_func && g->call_cnt < CALLS)
			subcall(g);
		break;
	case 9:
		if (depth < 2 && !g->in_loop)
			loop(g, depth);
		break;
	case 10: case 11:
		if (depth < 3)
			branch(g, depth);
		break;
	default:
		memory(g, dst, src);
	}
}

/**
 * fill() - give the stack something to hold
 * @g: the program
 */
static void fill(struct gen *g)
{
	static const uint8_t pointers[] = { R7, R7, R9, R6 };

	for (int16_t off = -AREA; off < 0 && below(g, 8); off = (int16_t)(off + 8))
		EMIT(g, ST(BPF_DW, R10, off, 0));
	if (below(g, 2))
		EMIT(g, STX(BPF_DW, R10, slot(g), pointers[below(g, 4)]));
}

/**
 * function() - the function that the program calls, with context, packet and a pointer
 * @g: the program, complete but for that
 */
static void function(struct gen *g)
{
	for (uint32_t i = 0; i < g->call_cnt; i++)
		g->p->insns[g->calls[i]].imm = (int32_t)(g->p->cnt - g->calls[i] - 1);
	g->in_func = true;
	EMIT(g, MOV64_X(R6, R1), MOV64_X(R7, R2), MOV64_X(R9, R3), MOV64_K(R0, 0), MOV64_K(R4, 4),
	     MOV64_K(R5, 5), MOV64_K(R8, 5), MOV64_X(R2, R7), ALU64_K(BPF_ADD, R2, 32),
	     LD_END(R3, R6), JMP_X(BPF_JLE, R2, R3, 1), EXIT);
	fill(g);
	if (below(g, 2))
		EMIT(g, STX(BPF_DW, R9, slot(g), below(g, 3) ? R7 : R8));
	if (below(g, 2))
		EMIT(g, LDX(BPF_DW, R8, R9, slot(g)));
	for (int n = 1 + below(g, 8); n; n--)
		statement(g, 0);
	if (below(g, 2))
		EMIT(g, MOV64_X(R0, below(g, 2) ? R7 : R8));
	EMIT(g, EXIT);
}

/**
 * ptr_program() - make a program
 * @p: result
 * @seed: of all that is random about it
 */
void ptr_program(struct ptr_prog *p, uint64_t seed)
{
	struct gen g = { .p = p, .rng = seed };

	p->cnt = 0;
	EMIT(&g, BEGIN, PACKET);
	EMIT(&g, ELEMENT(1), MOV64_X(R9, R0));
	fill(&g);
	EMIT(&g, MOV64_K(R0, 0), MOV64_K(R1, 1), MOV64_K(R2, 2), MOV64_K(R3, 3), MOV64_K(R4, 4),
	     MOV64_K(R5, 5));
	for (int n = 3 + below(&g, 12); n; n--)
		statement(&g, 0);
	switch (below(&g, 4)) {
	case 0:
		EMIT(&g, LDX(BPF_DW, R7, R10, slot(&g)));
		break;
	case 1:
		EMIT(&g, MOV64_X(R7, below(&g, 2) ? R0 : R8));
		break;
	}
	EMIT(&g, TELL(R7));
	if (g.call_cnt)
		function(&g);
}
