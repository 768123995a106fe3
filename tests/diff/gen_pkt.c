// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Statements of a random program: the packet, by its pointers.
 */
#include <stddef.h>

#include "build.h"

/**
 * pin() - keep a register during this statement
 * @g: the program
 * @reg: the register
 */
static void pin(struct gen *g, uint8_t reg)
{
	g->busy |= (uint16_t)(1u << reg);
}

/**
 * unpin() - the statement is over
 * @g: the program
 * @reg: the register
 */
static void unpin(struct gen *g, uint8_t reg)
{
	g->busy &= (uint16_t)~(1u << reg);
}

/**
 * load_ptr() - load a packet pointer from the context
 * @g: the program
 * @kind: PKT or END
 *
 * Return: register that holds it
 */
static uint8_t load_ptr(struct gen *g, enum kind kind)
{
	size_t field = kind == PKT ? offsetof(struct xdp_md, data)
				   : offsetof(struct xdp_md, data_end);
	uint8_t dst = b_take(g, kind), ctx = g->ctx_reg;

	if (ctx == NO_REG) {
		b_ctx(g, dst);
		ctx = dst;
	}
	EMIT(g, LDX(BPF_W, dst, ctx, (int16_t)field));
	b_set(g, dst, kind);
	if (kind == PKT)
		g->st.reg[dst].id = g->next_id++;
	return dst;
}

/**
 * g_pkt() - a pointer into the packet
 * @g: the program
 *
 * Return: register that holds it, or NO_REG if there is no context
 */
uint8_t g_pkt(struct gen *g)
{
	uint8_t reg = b_find(g, PKT);

	if (reg != NO_REG && b_percent(g, 70))
		return reg;
	return g->has_ctx ? load_ptr(g, PKT) : reg;
}

/**
 * g_end() - the packet's end
 * @g: the program
 *
 * Return: register that holds it, or NO_REG if there is no context
 */
uint8_t g_end(struct gen *g)
{
	uint8_t reg = b_find(g, END);

	if (reg != NO_REG && b_percent(g, 80))
		return reg;
	return g->has_ctx ? load_ptr(g, END) : reg;
}

/**
 * beyond() - jump if a pointer is behind the packet's end
 * @g: the program
 * @ptr: the pointer
 * @end: the packet's end
 *
 * Return: index of the jump, for b_land() or g_guard()
 */
static uint32_t beyond(struct gen *g, uint8_t ptr, uint8_t end)
{
	switch (b_below(g, 4)) {
	case 0:
		return b_jump(g, (struct bpf_insn)JMP_X(BPF_JLT, end, ptr, 0));
	case 1:
		return b_jump(g, (struct bpf_insn)JMP_X(BPF_JGE, ptr, end, 0));
	case 2:
		return b_jump(g, (struct bpf_insn)JMP_X(BPF_JLE, end, ptr, 0));
	default:
		return b_jump(g, (struct bpf_insn)JMP_X(BPF_JGT, ptr, end, 0));
	}
}

/**
 * check() - is so much of the packet behind a pointer?
 * @g: the program
 * @ptr: register that holds the pointer
 * @size: bytes
 *
 * Return: index of a jump that is taken if not; 0 if there is no end at hand
 */
static uint32_t check(struct gen *g, uint8_t ptr, uint32_t size)
{
	struct val v = g->st.reg[ptr];
	uint8_t end, tmp;
	uint32_t jump;

	pin(g, ptr);
	end = g_end(g);
	if (end == NO_REG) {
		unpin(g, ptr);
		return 0;
	}
	pin(g, end);
	tmp = b_take(g, PKT);
	EMIT(g, MOV64_X(tmp, ptr), ALU64_K(BPF_ADD, tmp, (int32_t)size));
	b_set(g, tmp, NONE);
	jump = beyond(g, tmp, end);
	if (v.off + (int)size > g->st.range[v.id])
		g->st.range[v.id] = (uint16_t)(v.off + (int)size);
	unpin(g, ptr);
	unpin(g, end);
	return jump;
}

/**
 * g_pkt_check() - a check of the packet's length, and what depends on it
 * @g: the program
 */
void g_pkt_check(struct gen *g)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8, 14, 14, 18, 20, 34, 34, 42, 54, 64, 100 };
	uint32_t size = sizes[b_below(g, ARRAY_SIZE(sizes))], jump;
	uint8_t ptr = g_pkt(g);
	struct state before = g->st;

	if (ptr == NO_REG)
		return;
	jump = check(g, ptr, size);
	if (!jump)
		return;
	if (b_percent(g, 50) || g->depth > 2) {
		g_guard(g, jump);
		return;
	}
	/* What the check itself wrote to is written on both ways. */
	for (int i = 0; i < 10; i++)
		before.reg[i] = g->st.reg[i];
	g_block(g, 2 + b_below(g, 6));
	b_land(g, jump);
	b_meet(g, &g->st, &before);
}

/**
 * g_checked() - a packet pointer with checked bytes behind it
 * @g: the program
 * @size: how many there must be
 * @saved: in a register that is no argument
 * @off: result: offset from the register at which they are
 *
 * Return: the register, or NO_REG
 */
uint8_t g_checked(struct gen *g, uint32_t size, bool saved, int16_t *off)
{
	uint8_t first = (uint8_t)b_below(g, 10);

	for (uint8_t i = 0; i < 10; i++) {
		uint8_t reg = (uint8_t)((first + i) % 10);
		const struct val *v = &g->st.reg[reg];

		if (v->kind != PKT || g->st.range[v->id] < size || (g->busy & 1u << reg) ||
		    (saved && reg && reg < 6))
			continue;
		*off = (int16_t)((int)b_below(g, g->st.range[v->id] - size + 1) - v->off);
		return reg;
	}
	return NO_REG;
}

/**
 * g_pkt_load() - a load from the packet
 * @g: the program
 */
void g_pkt_load(struct gen *g)
{
	uint8_t size = b_size(g, 8), ptr, dst;
	uint8_t mode = size != BPF_DW && b_percent(g, 15) ? MEMSX : BPF_MEM;
	uint64_t max = UINT64_MAX;
	int16_t off;

	ptr = g_checked(g, b_bytes(size), false, &off);
	if (ptr == NO_REG) {
		g_pkt_check(g);
		return;
	}
	dst = b_take(g, NUM);
	EMIT(g, INSN((uint8_t)(BPF_LDX | mode | size), dst, ptr, off, 0));
	if (mode == BPF_MEM && size != BPF_DW)
		max = (1ull << 8 * b_bytes(size)) - 1;
	b_set_num(g, dst, max);
	/* The fields of a header are looked at in the host's byte order. */
	if (size == BPF_H && b_percent(g, 50)) {
		EMIT(g, INSN(BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, 16));
		b_set_num(g, dst, UINT64_MAX);
	}
}

/**
 * g_pkt_store() - a store to the packet
 * @g: the program
 */
void g_pkt_store(struct gen *g)
{
	uint8_t size = b_size(g, 8), ptr;
	int16_t off;

	ptr = g_checked(g, b_bytes(size), false, &off);
	if (ptr == NO_REG) {
		g_pkt_check(g);
		return;
	}
	pin(g, ptr);
	if (b_percent(g, 60))
		EMIT(g, STX(size, ptr, off, b_num(g)));
	else
		EMIT(g, ST(size, ptr, off, b_number(g)));
	unpin(g, ptr);
}

/**
 * g_pkt_step() - another packet pointer, a constant further or back
 * @g: the program
 */
void g_pkt_step(struct gen *g)
{
	uint8_t ptr = g_pkt(g), dst, num;
	int32_t by = (int32_t)b_below(g, 65);
	struct val v;

	if (ptr == NO_REG || g->st.reg[ptr].off > 1000)
		return;
	v = g->st.reg[ptr];
	pin(g, ptr);
	dst = b_take(g, PKT);
	pin(g, dst);
	if (by <= v.off && b_percent(g, 40))
		by = -by;
	v.off = (int16_t)(v.off + by);
	if (b_percent(g, 70)) {
		EMIT(g, MOV64_X(dst, ptr), ALU64_K(BPF_ADD, dst, by));
	} else if (b_percent(g, 50)) {
		EMIT(g, MOV64_X(dst, ptr), ALU64_K(BPF_SUB, dst, -by));
	} else {
		num = b_take(g, NUM);
		EMIT(g, MOV64_K(num, by), MOV64_X(dst, ptr), ALU64_X(BPF_ADD, dst, num));
		b_set_num(g, num, by < 0 ? UINT64_MAX : (uint64_t)by);
	}
	g->st.reg[dst] = v;
	unpin(g, ptr);
	unpin(g, dst);
}

/**
 * small() - a number that is small enough to be added to a packet pointer
 * @g: the program
 * @reg: register that gets it
 */
static void small(struct gen *g, uint8_t reg)
{
	static const uint16_t masks[] = {
		1, 3, 7, 15, 31, 63, 0x3c, 0xf0, 127, 255, 0x7fc, 1023, 2047, 2047,
	};
	uint16_t mask = masks[b_below(g, ARRAY_SIZE(masks))];
	uint8_t num = b_num(g);
	int16_t off;
	uint8_t ptr = g_checked(g, 1, false, &off);

	if (ptr != NO_REG && b_percent(g, 50)) {
		/* As the length in an IPv4 header is read */
		EMIT(g, LDX(BPF_B, reg, ptr, off), ALU64_K(BPF_AND, reg, 15),
		     ALU64_K(BPF_LSH, reg, 2));
		b_set_num(g, reg, 60);
	} else if (g->st.reg[num].max < 1024 && b_percent(g, 70)) {
		EMIT(g, MOV64_X(reg, num));
		b_set_num(g, reg, g->st.reg[num].max);
	} else {
		EMIT(g, MOV64_X(reg, num), ALU64_K(BPF_AND, reg, mask));
		b_set_num(g, reg, mask);
	}
}

/**
 * g_pkt_var() - a packet pointer at a variable offset
 * @g: the program
 */
void g_pkt_var(struct gen *g)
{
	uint8_t ptr = g_pkt(g), dst, num;

	if (ptr == NO_REG)
		return;
	pin(g, ptr);
	num = b_take(g, NUM);
	pin(g, num);
	small(g, num);
	if (b_percent(g, 30) && !(g->num_only & 1u << num)) {
		EMIT(g, ALU64_X(BPF_ADD, num, ptr));
		dst = num;
	} else {
		dst = b_take(g, PKT);
		EMIT(g, MOV64_X(dst, ptr), ALU64_X(BPF_ADD, dst, num));
	}
	b_set(g, dst, PKT);
	g->st.reg[dst].id = g->next_id++;
	unpin(g, ptr);
	unpin(g, num);
	if (b_percent(g, 80)) {
		uint32_t jump = check(g, dst, 1 + b_below(g, 20));

		if (jump)
			g_guard(g, jump);
	}
}

/**
 * g_pkt_walk() - a loop that walks along the packet
 * @g: the program
 */
void g_pkt_walk(struct gen *g)
{
	uint8_t ptr, cnt, step, sum, tmp, end;
	bool var = (g->want & F_VAR) && b_percent(g, 50);
	uint32_t head, by = 1 + b_below(g, 24), jump;
	int32_t turns = 1 + (int32_t)b_below(g, var ? 4 : 16);

	ptr = b_take_saved(g, PKT);
	if (ptr == NO_REG || !g->has_ctx)
		return;
	b_ctx(g, R1);
	for (uint8_t i = 0; i < 6; i++)
		b_set(g, i, NONE);
	cnt = R0; step = R2; sum = R3; tmp = R4; end = R5;
	EMIT(g, LD_DATA(ptr, R1), LD_END(end, R1), MOV64_K(cnt, 0), MOV64_K(sum, 0),
	     ALU64_K(BPF_ADD, ptr, (int32_t)b_below(g, 40)));
	head = g->p->cnt;
	EMIT(g, MOV64_X(tmp, ptr), ALU64_K(BPF_ADD, tmp, (int32_t)by));
	jump = beyond(g, tmp, end);
	EMIT(g, LDX(BPF_B, step, ptr, (int16_t)b_below(g, by)), ALU64_K(BPF_MUL, sum, 31),
	     ALU64_X(BPF_ADD, sum, step));
	if (g->want & F_WRITE && b_percent(g, 30))
		EMIT(g, STX(BPF_B, ptr, (int16_t)b_below(g, by), sum));
	if (var)
		EMIT(g, ALU64_K(BPF_AND, step, 31), ALU64_K(BPF_ADD, step, 1),
		     ALU64_X(BPF_ADD, ptr, step));
	else
		EMIT(g, ALU64_K(BPF_ADD, ptr, (int32_t)by));
	EMIT(g, ALU64_K(BPF_ADD, cnt, 1));
	EMIT(g, JMP_K(BPF_JLT, cnt, turns, (int16_t)((int)head - (int)g->p->cnt - 1)));
	b_land(g, jump);
	b_set_num(g, cnt, (uint64_t)turns);
	b_set_num(g, sum, UINT64_MAX);
	b_set(g, end, END);
	b_set(g, ptr, PKT);
	g->st.reg[ptr].id = g->next_id++;
}

/**
 * difference() - a number from two packet pointers
 * @g: the program
 * @dst: register that gets it
 * @a: the pointer from which is subtracted
 * @b: the other pointer
 */
static void difference(struct gen *g, uint8_t dst, uint8_t a, uint8_t b)
{
	switch (b_below(g, 4)) {
	case 0:
		EMIT(g, MOV32_X(dst, a), ALU32_X(BPF_SUB, dst, b));
		b_set_num(g, dst, UINT32_MAX);
		break;
	case 1:
		EMIT(g, MOV64_X(dst, a), ALU32_X(BPF_SUB, dst, b));
		b_set_num(g, dst, UINT32_MAX);
		break;
	default:
		EMIT(g, MOV64_X(dst, a), ALU64_X(BPF_SUB, dst, b));
		b_set_num(g, dst, UINT64_MAX);
	}
}

/**
 * g_len() - how much of the packet lies between two pointers
 * @g: the program
 */
void g_len(struct gen *g)
{
	uint8_t a = g_pkt(g), b, dst;

	if (a == NO_REG)
		return;
	pin(g, a);
	b = b_percent(g, 80) ? g_end(g) : g_pkt(g);
	if (b != NO_REG) {
		pin(g, b);
		dst = b_take(g, NUM);
		if (b_percent(g, 85))
			difference(g, dst, b, a);
		else
			difference(g, dst, a, b);
		unpin(g, b);
	}
	unpin(g, a);
}

/**
 * g_ctx_field() - a field of the context that is no pointer, or the length
 * @g: the program
 */
void g_ctx_field(struct gen *g)
{
	uint8_t ctx = g->ctx_reg, dst;

	if (!g->has_ctx)
		return;
	if (!(g->want & F_NEAR) && b_percent(g, 40)) {
		b_ctx(g, R1);
		EMIT(g, CALL(BPF_FUNC_xdp_get_buff_len));
		b_clobber(g);
		return;
	}
	dst = b_take(g, NUM);
	if (ctx == NO_REG) {
		b_ctx(g, dst);
		ctx = dst;
	}
	EMIT(g, LDX(BPF_W, dst, ctx, b_percent(g, 50)
		    ? (int16_t)offsetof(struct xdp_md, ingress_ifindex)
		    : (int16_t)offsetof(struct xdp_md, rx_queue_index)));
	b_set_num(g, dst, UINT32_MAX);
}
