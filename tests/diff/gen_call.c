// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Statements of a random program: helpers, maps and what is in them.
 */
#include <stddef.h>

#include "build.h"

#define MAX_GROWN	128	/* bytes; XDP promises no more than 192 of headroom */

/**
 * may_move() - may the function at hand move the packet's ends here?
 * @g: the program
 *
 * Return: true if so
 */
static bool may_move(const struct gen *g)
{
	return g->has_ctx && !g->loops && g->funcs[g->func].moves;
}

/**
 * lose_packet() - packet pointers are no longer good
 * @g: the program
 */
static void lose_packet(struct gen *g)
{
	b_forget(g, PKT);
	b_forget(g, END);
}

/**
 * write_front() - write to all of the first bytes of packet or metadata
 * @g: the program; r1 to r5 are lost
 * @start: offset of the field in the context that says where they start
 * @end: offset of the one that says where they must end at the latest
 * @size: how many
 */
static void write_front(struct gen *g, size_t start, size_t end, uint32_t size)
{
	static const uint8_t sizes[] = { BPF_DW, BPF_W, BPF_H, BPF_B };
	uint32_t at = 0, i = 0;

	b_ctx(g, R1);
	EMIT(g, LDX(BPF_W, R2, R1, (int16_t)start), LDX(BPF_W, R3, R1, (int16_t)end),
	     MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, (int32_t)size));
	g_guard(g, b_jump(g, (struct bpf_insn)JMP_X(BPF_JGT, R4, R3, 0)));
	while (at < size) {
		uint8_t num = b_find_saved(g, NUM);

		while (b_bytes(sizes[i]) > size - at)
			i++;
		if (num != NO_REG)
			EMIT(g, STX(sizes[i], R2, (int16_t)at, num));
		else
			EMIT(g, ST(sizes[i], R2, (int16_t)at, b_number(g)));
		at += b_bytes(sizes[i]);
	}
}

/**
 * g_head() - adjust_head
 * @g: the program
 *
 * Bytes that come in at the front are undefined, so they are written.
 */
void g_head(struct gen *g)
{
	static const int16_t by[] = { 1, 2, 4, 14, 20, 64, 0, 2000, 5000, -5000, -20000 };
	static const uint8_t grow[] = { 1, 4, 8, 14, 18, 20, 28, 40, 50, 64 };
	uint8_t size = grow[b_below(g, sizeof(grow))], num;

	if (!may_move(g))
		return;
	num = b_find_saved(g, NUM);
	if (b_percent(g, 40) && g->grown + size <= MAX_GROWN) {
		g->grown += size;
		EMIT(g, MOV64_K(R2, -size));
	} else if (num != NO_REG && b_percent(g, 30)) {
		EMIT(g, MOV64_X(R2, num), ALU64_K(BPF_AND, R2, 63));
		size = 0;
	} else {
		EMIT(g, MOV64_K(R2, by[b_below(g, ARRAY_SIZE(by))]));
		size = 0;
	}
	b_ctx(g, R1);
	EMIT(g, CALL(BPF_FUNC_xdp_adjust_head));
	b_clobber(g);
	lose_packet(g);
	if (!size)
		return;
	g_guard(g, b_jump(g, (struct bpf_insn)JMP_K(BPF_JNE, R0, 0, 0)));
	write_front(g, offsetof(struct xdp_md, data), offsetof(struct xdp_md, data_end), size);
}

/**
 * g_tail() - adjust_tail
 * @g: the program
 */
void g_tail(struct gen *g)
{
	static const int32_t by[] = { -1, -2, -4, -14, -40, -64, 0, -1400, -20000, 1 << 20 };
	static const uint8_t grow[] = { 1, 2, 4, 8, 20, 64 };
	uint8_t size = grow[b_below(g, sizeof(grow))], num;

	if (!may_move(g))
		return;
	num = b_find_saved(g, NUM);
	if (b_percent(g, 40) && g->grown + size <= MAX_GROWN) {
		g->grown += size;
		EMIT(g, MOV64_K(R2, size));
	} else if (num != NO_REG && b_percent(g, 30)) {
		EMIT(g, MOV64_X(R2, num), ALU64_K(BPF_AND, R2, 63), ALU64_K(BPF_SUB, R2, 63));
	} else {
		EMIT(g, MOV64_K(R2, by[b_below(g, ARRAY_SIZE(by))]));
	}
	b_ctx(g, R1);
	EMIT(g, CALL(BPF_FUNC_xdp_adjust_tail));
	b_clobber(g);
	lose_packet(g);
}

/**
 * g_meta() - adjust_meta, and use of what it gives
 * @g: the program
 */
void g_meta(struct gen *g)
{
	static const int16_t bad[] = { -3, 4, -1000, 1 };
	static const uint8_t good[] = { 4, 8, 12, 32 };
	uint8_t size = good[b_below(g, sizeof(good))];
	bool works = b_percent(g, 80);

	if (!may_move(g) || g->grown + size > MAX_GROWN)
		return;
	g->grown += size;
	EMIT(g, MOV64_K(R2, works ? -size : bad[b_below(g, ARRAY_SIZE(bad))]));
	b_ctx(g, R1);
	EMIT(g, CALL(BPF_FUNC_xdp_adjust_meta));
	b_clobber(g);
	lose_packet(g);
	if (!works)
		return;
	g_guard(g, b_jump(g, (struct bpf_insn)JMP_K(BPF_JNE, R0, 0, 0)));
	write_front(g, offsetof(struct xdp_md, data_meta), offsetof(struct xdp_md, data), size);
	EMIT(g, LDX(BPF_W, R3, R2, (int16_t)b_below(g, size - 3u)));
	b_set_num(g, R3, UINT32_MAX);
}

/**
 * offset_arg() - an offset into the packet as argument 2
 * @g: the program
 */
static void offset_arg(struct gen *g)
{
	static const int32_t at[] = {
		0, 1, 6, 12, 14, 23, 34, 54, 100, 1000, 1500, 65535, 65536, -1,
	};
	uint8_t num = b_find_saved(g, NUM);

	if (num != NO_REG && b_percent(g, 30))
		EMIT(g, MOV64_X(R2, num), ALU64_K(BPF_AND, R2, 127));
	else
		EMIT(g, MOV64_K(R2, at[b_below(g, ARRAY_SIZE(at))]));
}

/**
 * g_bytes() - xdp_load_bytes and xdp_store_bytes
 * @g: the program
 *
 * A load that fails leaves the buffer alone: if that holds no data yet, the
 * program ends there.
 */
void g_bytes(struct gen *g)
{
	uint32_t size = 1 + b_below(g, b_percent(g, 70) ? 16 : 48);
	bool write = (g->want & F_WRITE) && b_percent(g, 50);
	bool data = write || b_percent(g, 50);
	int16_t off = data ? b_data(g, size) : b_buffer(g, size);

	if (!g->has_ctx || !off)
		return;
	offset_arg(g);
	b_stack_ptr(g, R3, off);
	EMIT(g, MOV64_K(R4, (int32_t)size));
	b_ctx(g, R1);
	EMIT(g, CALL(write ? BPF_FUNC_xdp_store_bytes : BPF_FUNC_xdp_load_bytes));
	b_clobber(g);
	if (!data)
		g_guard(g, b_jump(g, (struct bpf_insn)JMP_K(BPF_JNE, R0, 0, 0)));
	if (!write)
		b_wrote(g, off, size);
	if (write && b_percent(g, 80))
		lose_packet(g);
}

/**
 * memory_arg() - a pointer to memory to be read as an argument
 * @g: the program
 * @reg: the argument's register, r1 to r5
 * @stack: data on the stack to point to
 * @size: bytes
 */
static void memory_arg(struct gen *g, uint8_t reg, int16_t stack, uint32_t size)
{
	uint8_t value = b_find_saved(g, VALUE), ptr;
	int16_t off;

	ptr = g_checked(g, size, true, &off);
	if (ptr != NO_REG && b_percent(g, 60))
		EMIT(g, MOV64_X(reg, ptr), ALU64_K(BPF_ADD, reg, off));
	else if (value != NO_REG && b_percent(g, 50) &&
		 g->p->maps[g->st.reg[value].map].value_size >= size)
		EMIT(g, MOV64_X(reg, value));
	else
		b_stack_ptr(g, reg, stack);
}

/**
 * g_csum() - csum_diff
 * @g: the program
 */
void g_csum(struct gen *g)
{
	uint32_t from = 4 * b_below(g, 6), to = 4 * b_below(g, 6);
	int16_t a = b_data(g, 24), b = b_data(g, 24);
	uint8_t seed = b_find_saved(g, NUM);

	if (!a || !b)
		return;
	if (from)
		memory_arg(g, R1, a, from);
	else
		EMIT(g, MOV64_K(R1, 0));
	EMIT(g, MOV64_K(R2, (int32_t)from));
	if (to)
		memory_arg(g, R3, b, to);
	else
		EMIT(g, MOV64_K(R3, 0));
	EMIT(g, MOV64_K(R4, (int32_t)to));
	if (seed != NO_REG)
		EMIT(g, MOV32_X(R5, seed));
	else
		EMIT(g, MOV64_K(R5, b_number(g)));
	EMIT(g, CALL(BPF_FUNC_csum_diff));
	b_clobber(g);
}

/**
 * key_arg() - a key as argument 2
 * @g: the program
 * @map: the map
 *
 * Keys on the stack are few, so that what is stored is also found.
 *
 * Return: false if there is no room for one
 */
static bool key_arg(struct gen *g, const struct rw_map *map)
{
	int16_t off = b_buffer(g, 16);
	uint8_t num = b_num(g), ptr;
	uint8_t tmp;

	if (!off)
		return false;
	if (b_percent(g, 25)) {
		int16_t at;

		ptr = g_checked(g, map->key_size, true, &at);
		if (ptr != NO_REG) {
			EMIT(g, MOV64_X(R2, ptr), ALU64_K(BPF_ADD, R2, at));
			return true;
		}
	}
	g->busy |= (uint16_t)(1u << num);
	tmp = b_take(g, NUM);
	g->busy &= (uint16_t)~(1u << num);
	EMIT(g, MOV64_X(tmp, num), ALU64_K(BPF_AND, tmp, b_percent(g, 80) ? 3 : 31));
	b_set_num(g, tmp, 31);
	if (map->key_size > 4) {
		EMIT(g, ST(BPF_DW, R10, off, 0), ST(BPF_DW, R10, (int16_t)(off + 8), 0));
		b_wrote(g, off, 16);
	}
	EMIT(g, STX(BPF_W, R10, off, tmp));
	b_wrote(g, off, 4);
	b_stack_ptr(g, R2, off);
	return true;
}

/**
 * g_lookup() - look a map up and use what is found
 * @g: the program
 */
void g_lookup(struct gen *g)
{
	uint8_t m = (uint8_t)b_below(g, GEN_MAPS), reg = NO_REG;
	struct state before;
	uint32_t jump;

	if (!key_arg(g, &g->p->maps[m]))
		return;
	EMIT(g, LD_MAP(R1, g->p->maps[m].handle), CALL(BPF_FUNC_map_lookup_elem));
	b_clobber(g);
	b_set(g, R0, NONE);
	if (b_percent(g, 60))
		reg = b_take_saved(g, VALUE);
	if (reg != NO_REG) {
		EMIT(g, MOV64_X(reg, R0));
		b_set(g, reg, NONE);
	}
	before = g->st;
	jump = b_jump(g, (struct bpf_insn)JMP_K(BPF_JEQ, reg != NO_REG && b_percent(g, 30) ? reg
						: R0, 0, 0));
	b_set(g, R0, VALUE);
	g->st.reg[R0].map = m;
	if (reg != NO_REG)
		g->st.reg[reg] = g->st.reg[R0];
	if (b_percent(g, 30)) {
		g_guard(g, jump);
		return;
	}
	g_value(g);
	g_block(g, 1 + b_below(g, 5));
	b_land(g, jump);
	b_meet(g, &g->st, &before);
}

/**
 * g_update() - change a map's element or delete it
 * @g: the program
 */
void g_update(struct gen *g)
{
	const struct rw_map *map = &g->p->maps[b_below(g, GEN_MAPS)];
	bool del = b_percent(g, 25);
	int16_t value = del ? 0 : b_data(g, map->value_size);

	if (!del && !value)
		return;
	if (!key_arg(g, map))
		return;
	if (!del) {
		memory_arg(g, R3, value, map->value_size);
		EMIT(g, MOV64_K(R4, b_percent(g, 70) ? BPF_ANY : (int)b_below(g, 4)));
	}
	EMIT(g, LD_MAP(R1, map->handle),
	     CALL(del ? BPF_FUNC_map_delete_elem : BPF_FUNC_map_update_elem));
	b_clobber(g);
	/* They may point to an element that is another one now. */
	b_forget(g, VALUE);
}

/**
 * value_var() - access to a map's value at a variable offset
 * @g: the program
 * @value: register that points to it
 * @size: of the value
 */
static void value_var(struct gen *g, uint8_t value, uint32_t size)
{
	uint8_t how = b_size(g, size / 2), num, tmp;
	int32_t mask = (int32_t)(size / 2) - 1;

	g->busy |= (uint16_t)(1u << value);
	num = b_num(g);
	g->busy |= (uint16_t)(1u << num);
	tmp = b_take(g, NUM);
	EMIT(g, MOV64_X(tmp, num), ALU64_K(BPF_AND, tmp, mask), ALU64_X(BPF_ADD, tmp, value));
	if (b_percent(g, 50))
		EMIT(g, STX(how, tmp, 0, num), MOV64_K(tmp, 0));
	else
		EMIT(g, LDX(how, tmp, tmp, 0));
	b_set_num(g, tmp, UINT64_MAX);
	g->busy &= (uint16_t)~(1u << value | 1u << num);
}

/**
 * g_value() - a load from a map's value or a store to it
 * @g: the program
 */
void g_value(struct gen *g)
{
	uint8_t value = b_find(g, VALUE), size, reg;
	uint32_t bytes;
	int16_t off;

	if (value == NO_REG) {
		g_lookup(g);
		return;
	}
	bytes = g->p->maps[g->st.reg[value].map].value_size;
	if (bytes >= 16 && b_percent(g, 20)) {
		value_var(g, value, bytes);
		return;
	}
	size = b_size(g, bytes);
	off = (int16_t)b_below(g, bytes - b_bytes(size) + 1);
	g->busy |= (uint16_t)(1u << value);
	if (b_percent(g, 50)) {
		reg = b_take(g, NUM);
		EMIT(g, LDX(size, reg, value, off));
		b_set_num(g, reg, size == BPF_DW ? UINT64_MAX : (1ull << 8 * b_bytes(size)) - 1);
	} else if (b_percent(g, 70)) {
		EMIT(g, STX(size, value, off, b_num(g)));
	} else {
		EMIT(g, ST(size, value, off, b_number(g)));
	}
	g->busy &= (uint16_t)~(1u << value);
}

/**
 * g_atomic() - an atomic operation on a map's value, or on the stack
 * @g: the program
 */
void g_atomic(struct gen *g)
{
	static const int32_t ops[] = {
		BPF_ADD, BPF_AND, BPF_OR, BPF_XOR, BPF_ADD | BPF_FETCH, BPF_AND | BPF_FETCH,
		BPF_OR | BPF_FETCH, BPF_XOR | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG, BPF_ADD,
	};
	int32_t op = ops[b_below(g, ARRAY_SIZE(ops))];
	int16_t off = b_percent(g, 30) ? b_data(g, 8) : 0;
	uint8_t value = off ? R10 : b_find(g, VALUE), num, size;
	uint32_t bytes = 8;

	if (value == NO_REG) {
		g_lookup(g);
		return;
	}
	g->busy |= (uint16_t)(1u << value);
	num = b_num(g);
	g->busy &= (uint16_t)~(1u << value);
	if (((op & BPF_FETCH) && (g->hold & 1u << num)) ||
	    (op == BPF_CMPXCHG && (!value || !num)))
		return;
	if (!off)
		bytes = g->p->maps[g->st.reg[value].map].value_size;
	size = bytes >= 8 && b_percent(g, 70) ? BPF_DW : BPF_W;
	if (op == BPF_CMPXCHG) {
		int32_t number = b_number(g);

		EMIT(g, MOV64_K(R0, number));
		b_set_const(g, R0, (uint64_t)number);
		b_set_num(g, R0, UINT64_MAX);
	} else if (op & BPF_FETCH) {
		b_set_num(g, num, UINT64_MAX);
	}
	/* Verifiers lose track of what is fetched from a stack: let it be one number. */
	if (off && (op & BPF_FETCH))
		EMIT(g, ST(BPF_DW, R10, off, 77 * num));
	EMIT(g, ATOMIC(size, value,
		       (int16_t)(off + (int)(b_bytes(size) * b_below(g, bytes / b_bytes(size)))),
		       num, op));
	if (off)
		b_wrote(g, off, 8);
}

/**
 * g_mix() - a register that points to the packet or to the stack, as it comes
 * @g: the program
 */
void g_mix(struct gen *g)
{
	int16_t data = b_data(g, 8), off;
	uint32_t to_stack, out;
	struct bpf_insn jump;
	uint8_t ptr, reg;

	ptr = g_checked(g, 8, false, &off);
	if (!data || ptr == NO_REG)
		return;
	g->busy |= (uint16_t)(1u << ptr);
	jump = g_condition(g);
	reg = b_take(g, PKT);
	to_stack = b_jump(g, jump);
	EMIT(g, MOV64_X(reg, ptr), ALU64_K(BPF_ADD, reg, off));
	out = b_jump(g, (struct bpf_insn)JA(0));
	b_land(g, to_stack);
	b_stack_ptr(g, reg, data);
	b_land(g, out);
	g->busy |= (uint16_t)(1u << reg);
	if ((g->want & F_WRITE) && b_percent(g, 40))
		EMIT(g, STX(b_size(g, 8), reg, 0, b_num(g)), MOV64_K(reg, 0));
	else
		EMIT(g, LDX(b_size(g, 8), reg, reg, 0));
	b_set_num(g, reg, UINT64_MAX);
	g->busy &= (uint16_t)~(1u << ptr | 1u << reg);
}
