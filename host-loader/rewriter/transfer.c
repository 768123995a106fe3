// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one instruction does to the state: arithmetic, loads and stores.
 */
#include <errno.h>
#include <stddef.h>

#include "check.h"
#include "refuse.h"
#include "transfer.h"

/**
 * low_half() - the low 32 bits of a number, as a 32-bit move or store keeps it
 * @v: the number
 *
 * Return: the value; of a pointer only that it is a number
 */
static struct rw_val low_half(const struct rw_val *v)
{
	struct rw_val half = rw_val_number(rw_range_low(rw_val_limits(v), 32));

	if (v->kinds == RW_SCALAR)
		half.redirect = v->redirect;
	return half;
}

/**
 * step_mov() - a move, with or without sign extension
 * @insn: the instruction
 * @src: what is moved
 *
 * A 32-bit move of a packet pointer makes a number of it that is good for one
 * thing only, a 32-bit difference; the pointer itself is as good for that.
 *
 * Return: the destination's new value
 */
static struct rw_val step_mov(const struct bpf_insn *insn, const struct rw_val *src)
{
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	if (insn->off && (src->kinds & RW_POINTERS))
		return rw_val_kind(RW_ANY);
	if (insn->off)
		return rw_val_number(rw_range_extend(rw_val_limits(src), (unsigned int)insn->off,
						     is64));
	if (is64 || src->kinds == RW_PKT || src->kinds == RW_END)
		return *src;
	return low_half(src);
}

/**
 * packet_distance() - the difference of two packet pointers
 * @a: the one from which is subtracted
 * @b: the other
 *
 * Return: the number
 */
static struct rw_val packet_distance(const struct rw_val *a, const struct rw_val *b)
{
	int64_t a_min, a_max, b_min, b_max;

	if (a->known && b->known && a->base == b->base)
		return rw_val_const(a->off - b->off);
	if (rw_val_places(a, &a_min, &a_max) && rw_val_places(b, &b_min, &b_max) &&
	    a_min >= b_max)
		return rw_val_number((struct rw_range){ (uint64_t)(a_min - b_max),
							(uint64_t)(a_max - b_min) });
	return rw_val_kind(RW_SCALAR);
}

/**
 * step_pointers() - add and subtract where a pointer may be involved
 * @minus: subtract
 * @a: the destination's old value
 * @b: the other operand
 *
 * Return: the destination's new value
 */
static struct rw_val step_pointers(bool minus, const struct rw_val *a, const struct rw_val *b)
{
	bool pa = (a->kinds & RW_POINTERS) != 0, pb = (b->kinds & RW_POINTERS) != 0;

	if (pa && !pb)
		return rw_val_move(a, b, minus);
	if (pb && !pa && !minus)
		return rw_val_move(b, a, false);
	if (!minus)
		return rw_val_kind(RW_ANY);
	if (rw_val_is(a, RW_PKT) && rw_val_is(b, RW_PKT))
		return packet_distance(a, b);
	return rw_val_kind((a->kinds | b->kinds) & RW_SCALAR ? RW_ANY : RW_SCALAR);
}

/**
 * forget_base() - a base is about to stand for another value
 * @v: a value
 * @arg: the base
 */
static void forget_base(struct rw_val *v, const void *arg)
{
	const uint32_t *base = arg;

	if ((v->kinds != RW_PKT && v->kinds != RW_VALUE) || !v->known || v->base != *base)
		return;
	v->known = false;
	v->off = 0;
	v->base = 0;
	v->range = 0;
}

/**
 * name_base() - have an instruction's number stand for a pointer
 * @st: the state
 * @at: index of the instruction
 * @v: the pointer, of which it is not known where it points
 *
 * From here on pointers that are made from it can be compared with it.
 */
static void name_base(struct rw_state *st, uint32_t at, struct rw_val *v)
{
	uint32_t base = at + 1;

	rw_state_each(st, forget_base, &base);
	v->known = true;
	v->off = 0;
	v->base = base;
	v->range = 0;
}

/**
 * step_unary() - arithmetic on one number: a byte swap or a change of sign
 * @insn: the instruction
 * @v: the number
 *
 * A byte swap also cuts a number off, or does just that.
 *
 * Return: the destination's new value
 */
static struct rw_val step_unary(const struct bpf_insn *insn, const struct rw_val *v)
{
	if (BPF_OP(insn->code) == BPF_NEG)
		return rw_val_number(rw_range_alu(BPF_SUB, BPF_CLASS(insn->code) == BPF_ALU64,
						  rw_range_const(0), rw_val_limits(v)));
	return rw_val_number(rw_range_low(RW_RANGE_ALL, (unsigned int)insn->imm));
}

/**
 * step_numbers() - arithmetic on two numbers
 * @insn: the instruction
 * @a: the destination's old value; a pointer is any number
 * @b: the other operand, the same
 *
 * Return: the destination's new value
 */
static struct rw_val step_numbers(const struct bpf_insn *insn, const struct rw_val *a,
				  const struct rw_val *b)
{
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;
	uint8_t op = BPF_OP(insn->code);

	if (op == BPF_XOR && BPF_SRC(insn->code) == BPF_X && insn->src_reg == insn->dst_reg)
		return rw_val_const(0);
	/* Division with signs */
	if (insn->off)
		return rw_val_number(is64 ? RW_RANGE_ALL : RW_RANGE_32);
	return rw_val_number(rw_range_alu(op, is64, rw_val_limits(a), rw_val_limits(b)));
}

/**
 * step_alu() - arithmetic
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction
 * @insn: the instruction
 */
static void step_alu(const struct rw_env *env, struct rw_state *st, uint32_t at,
		     const struct bpf_insn *insn)
{
	struct rw_val *reg = st->frame[st->cur].reg;
	struct rw_val *dst = &reg[insn->dst_reg];
	bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;
	uint8_t op = BPF_OP(insn->code);
	struct rw_val src = rw_val_const(is64 ? insn->imm : (int64_t)(uint32_t)insn->imm);

	if (op == BPF_END || op == BPF_NEG) {
		*dst = step_unary(insn, dst);
		return;
	}
	if (BPF_SRC(insn->code) == BPF_X) {
		if (op == BPF_MOV && is64 && rw_val_is(&reg[insn->src_reg], RW_PKT) &&
		    !reg[insn->src_reg].known)
			name_base(st, at, &reg[insn->src_reg]);
		src = reg[insn->src_reg];
	}
	if (op == BPF_MOV) {
		*dst = step_mov(insn, &src);
	} else if (is64 && (op == BPF_ADD || op == BPF_SUB) &&
		   ((dst->kinds | src.kinds) & RW_POINTERS)) {
		*dst = step_pointers(op == BPF_SUB, dst, &src);
		if ((rw_val_is(dst, RW_PKT) || rw_val_is(dst, RW_VALUE)) && !dst->known)
			name_base(st, at, dst);
		if ((dst->kinds & RW_STACK) &&
		    (!dst->known || dst->off < -RW_STACK_MAX || dst->off >= 0))
			env->an->stray_stack = true;
	} else {
		*dst = step_numbers(insn, dst, &src);
	}
}

/**
 * rw_stack_range() - where a pointer into a stack at no known place may be used
 * @ptr: the pointer
 * @off: added to it
 * @size: bytes used there, or RW_NONE if that is not known
 * @from: result: lowest offset from r10
 * @to: result: the end
 */
void rw_stack_range(const struct rw_val *ptr, int64_t off, uint32_t size, int64_t *from,
		    int64_t *to)
{
	int64_t min, max;

	*from = -RW_STACK_MAX;
	*to = 0;
	if (!rw_val_places(ptr, &min, &max))
		return;
	if (min + off > *from)
		*from = min + off;
	if (size != RW_NONE && max + off + size < *to)
		*to = max + off + size;
	if (*from >= *to) {
		*from = -RW_STACK_MAX;
		*to = 0;
	}
}

/**
 * rw_smear_stack() - something is stored where a pointer at no known place says
 * @st: the state
 * @ptr: the pointer
 * @off: added to it
 * @size: bytes stored there, or RW_NONE if that is not known
 * @val: what is stored
 */
void rw_smear_stack(struct rw_state *st, const struct rw_val *ptr, int64_t off, uint32_t size,
		    const struct rw_val *val)
{
	int64_t from, to;

	rw_stack_range(ptr, off, size, &from, &to);
	for (uint32_t f = 0; f <= st->cur; f++)
		if (ptr->frame == f || ptr->frame > st->cur)
			rw_stack_smear(&st->frame[f], from, to, val);
}

/**
 * loose_load() - what a load from the stack at no known place can give
 * @st: the state
 * @ptr: the pointer
 * @insn: the load
 *
 * Return: the value
 */
static struct rw_val loose_load(const struct rw_state *st, const struct rw_val *ptr,
				const struct bpf_insn *insn)
{
	bool pointers = false;
	int64_t from, to;

	rw_stack_range(ptr, insn->off, rw_size(insn), &from, &to);
	for (uint32_t f = 0; f <= st->cur; f++)
		if (ptr->frame == f || ptr->frame > st->cur)
			pointers |= rw_stack_pointers(&st->frame[f], from,
						       (unsigned int)(to - from));
	return rw_val_kind(pointers && BPF_SIZE(insn->code) == BPF_DW ? RW_ANY : RW_SCALAR);
}

/**
 * rw_cover_stack() - note which whole pointers a store to the stack destroys
 * @env: the analysis
 * @st: the state before it
 * @at: index of the instruction
 * @ptr: where, a known place of a known function's stack
 * @off: added to it
 * @size: bytes stored there
 */
void rw_cover_stack(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		    const struct rw_val *ptr, int64_t off, uint32_t size)
{
	const struct rw_slot *slot = st->frame[ptr->frame].slot;
	struct rw_fact *fact = &env->an->at[at];
	int64_t low = ptr->off + off;

	for (int64_t i = (-(low + size)) / 8; size && i < RW_SLOTS && -8 * i > low; i++) {
		unsigned int holds = rw_slot_holds(&slot[i]);

		fact->pointers |= holds & RW_HOLDS_POINTER ? 1ull << i : 0;
		fact->data |= holds & RW_HOLDS_DATA ? 1ull << i : 0;
	}
}

/**
 * rw_touch_stack() - check and note a use of the stack
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction
 * @ptr: the pointer that is used; other kinds than RW_STACK are none of ours
 * @off: added to it
 * @size: bytes used there
 *
 * Return: 1 if it is a known place of a known function's stack, 0 if not,
 *         -EINVAL if it is out of bounds
 */
int rw_touch_stack(const struct rw_env *env, struct rw_state *st, uint32_t at,
		   const struct rw_val *ptr, int64_t off, uint32_t size)
{
	uint16_t *used;

	if (!(ptr->kinds & RW_STACK))
		return 0;
	if (ptr->kinds != RW_STACK || !ptr->known || ptr->frame > st->cur) {
		if (env->an->loose_stack > at)
			env->an->loose_stack = at;
		return 0;
	}
	off += ptr->off;
	if (off < -RW_STACK_MAX || off >= 0 || off + (int64_t)size > 0)
		return rw_refuse(env->why, -EINVAL, at,
				 "uses %u bytes of stack at offset %lld, which is out of bounds",
				 size, (long long)off);
	used = &env->an->stack[st->frame[ptr->frame].func];
	if (*used < -off)
		*used = (uint16_t)-off;
	return 1;
}

/**
 * rw_read_stack() - note a read of the stack, if it has not been written there
 * @env: the analysis
 * @st: the state
 * @ptr: where, a known place of a known function's stack
 * @off: added to it
 * @size: bytes read there
 */
void rw_read_stack(const struct rw_env *env, const struct rw_state *st, const struct rw_val *ptr,
		   int64_t off, uint32_t size)
{
	const struct rw_frame *frame = &st->frame[ptr->frame];

	if (!rw_stack_written(frame, ptr->off + off, size))
		env->an->unwritten[frame->func] = true;
}

/**
 * rw_cut_stack() - note a store that leaves a part of a packet's end in the stack
 * @env: the analysis
 * @st: the state before it
 * @ptr: where, a known place of a known function's stack
 * @off: added to it
 * @size: bytes stored there
 */
void rw_cut_stack(const struct rw_env *env, const struct rw_state *st, const struct rw_val *ptr,
		  int64_t off, uint32_t size)
{
	const struct rw_slot *slot = st->frame[ptr->frame].slot;
	int64_t low = ptr->off + off, high = low + size;

	for (int64_t i = -high / 8; i < RW_SLOTS && -8 * i > low; i++) {
		if (low <= -8 * (i + 1) && high >= -8 * i)
			continue;
		if ((slot[i].size == RW_LOST && slot[i].ptr) ||
		    (slot[i].size == 8 && (slot[i].val.kinds & RW_END)))
			env->an->leaks = true;
	}
}

/**
 * rw_touch_value() - note how far behind a variable place a map value is used
 * @env: the analysis
 * @ptr: the pointer that is used; other kinds than RW_VALUE are none of ours
 * @off: added to it
 * @size: bytes used there, or RW_NONE if that is not known
 */
void rw_touch_value(const struct rw_env *env, const struct rw_val *ptr, int64_t off, uint32_t size)
{
	uint32_t *reach;

	if (!(ptr->kinds & RW_VALUE))
		return;
	if (ptr->kinds != RW_VALUE || !ptr->known) {
		env->an->loose_value = true;
		return;
	}
	if (ptr->base == RW_BASE_VALUE)
		return;
	reach = &env->an->at[ptr->base - 1].reach;
	off += ptr->off;
	if (off < 0 || size == RW_NONE)
		*reach = RW_NONE;
	else if (*reach != RW_NONE && *reach < off + size)
		*reach = (uint32_t)off + size;
}

/**
 * load_ctx() - a load from the context
 * @st: the state
 * @ctx: the pointer
 * @insn: the load
 *
 * Return: what the field holds
 */
static struct rw_val load_ctx(const struct rw_state *st, const struct rw_val *ctx,
			      const struct bpf_insn *insn)
{
	struct rw_val v;

	if (!ctx->known || insn->code != (BPF_LDX | BPF_MEM | BPF_W))
		return rw_val_kind(RW_SCALAR);
	switch (ctx->off + insn->off) {
	case offsetof(struct xdp_md, data):
		v = rw_val_start(RW_PKT);
		if (st->moved) {
			v.base = RW_BASE_MOVED;
			v.limits = RW_RANGE_ALL;
		}
		return v;
	case offsetof(struct xdp_md, data_end):
		return rw_val_start(RW_END);
	case offsetof(struct xdp_md, data_meta):
		return rw_val_start(RW_META);
	default:
		return rw_val_kind(RW_SCALAR);
	}
}

/**
 * loaded() - what a load makes of the number that it finds
 * @insn: the load
 * @v: the number
 *
 * Return: the destination's new value
 */
static struct rw_val loaded(const struct bpf_insn *insn, const struct rw_val *v)
{
	unsigned int bits = 8 * rw_size(insn);
	struct rw_val number;

	if (BPF_MODE(insn->code) == BPF_MEMSX)
		return rw_val_number(rw_range_extend(v->limits, bits, true));
	number = rw_val_number(rw_range_low(v->limits, bits));
	number.redirect = v->redirect;
	return number;
}

/**
 * step_load() - a load
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction
 *
 * Return: 0 or -EINVAL
 */
static int step_load(const struct rw_env *env, struct rw_state *st, uint32_t at)
{
	const struct bpf_insn *insn = &env->code->insns[at];
	struct rw_val *reg = st->frame[st->cur].reg;
	struct rw_val ptr = reg[insn->src_reg];
	struct rw_val v = rw_val_kind(RW_SCALAR);
	int known;

	rw_touch_value(env, &ptr, insn->off, rw_size(insn));
	known = rw_touch_stack(env, st, at, &ptr, insn->off, rw_size(insn));
	if (known < 0)
		return known;
	rw_taint_load(env, st, at, &ptr, insn->off, rw_size(insn));
	if (known) {
		rw_read_stack(env, st, &ptr, insn->off, rw_size(insn));
		v = rw_stack_load(&st->frame[ptr.frame], ptr.off + insn->off, rw_size(insn));
	} else if (ptr.kinds == RW_CTX) {
		v = load_ctx(st, &ptr, insn);
	} else if (ptr.kinds & RW_CTX) {
		v = rw_val_kind(RW_ANY);
	} else if (ptr.kinds & RW_STACK) {
		v = loose_load(st, &ptr, insn);
	}
	if (v.kinds == RW_SCALAR)
		v = loaded(insn, &v);
	if ((ptr.kinds & RW_STACK) && rw_size(insn) == 8 && !rw_val_is_const(&v, 0))
		env->an->at[at].loads |= v.kinds;
	reg[insn->dst_reg] = v;
	return 0;
}

/**
 * store() - put a value where a pointer says
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction
 * @val: the value
 *
 * Return: 0 or -EINVAL
 */
static int store(const struct rw_env *env, struct rw_state *st, uint32_t at,
		 const struct rw_val *val)
{
	const struct bpf_insn *insn = &env->code->insns[at];
	struct rw_val ptr = st->frame[st->cur].reg[insn->dst_reg];
	struct rw_val v = *val;
	int known;

	if (rw_size(insn) == 4 && v.kinds == RW_SCALAR)
		v = low_half(&v);
	rw_touch_value(env, &ptr, insn->off, rw_size(insn));
	known = rw_touch_stack(env, st, at, &ptr, insn->off, rw_size(insn));
	if (known < 0)
		return known;
	if (rw_is_atomic(insn))
		rw_taint_buffer(env, st, at, &ptr, insn->off, rw_size(insn), true);
	rw_taint_store(env, st, at, &ptr, insn->off, rw_size(insn), val);
	if (known && rw_size(insn) < 8)
		rw_cover_stack(env, st, at, &ptr, insn->off, rw_size(insn));
	if (known)
		rw_cut_stack(env, st, &ptr, insn->off, rw_size(insn));
	if (known)
		rw_stack_store(&st->frame[ptr.frame], ptr.off + insn->off, rw_size(insn), &v);
	else if (ptr.kinds & RW_STACK)
		rw_smear_stack(st, &ptr, insn->off, rw_size(insn), &v);
	return 0;
}

/**
 * step_atomic() - an atomic operation
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction
 *
 * Return: 0 or -EINVAL
 */
static int step_atomic(const struct rw_env *env, struct rw_state *st, uint32_t at)
{
	const struct bpf_insn *insn = &env->code->insns[at];
	struct rw_val *reg = st->frame[st->cur].reg;
	struct rw_val number = rw_val_kind(RW_SCALAR);
	int err;

	err = store(env, st, at, &number);
	if (insn->imm == BPF_CMPXCHG)
		reg[BPF_REG_0] = number;
	else if (insn->imm & BPF_FETCH)
		reg[insn->src_reg] = number;
	return err;
}

/**
 * load_wide() - a 64-bit immediate, a map, or a place in a map's value
 * @env: the analysis
 * @at: index of the instruction
 *
 * Return: the value
 */
static struct rw_val load_wide(const struct rw_env *env, uint32_t at)
{
	const struct bpf_insn *insn = &env->code->insns[at];
	struct rw_val v;

	if (!insn->src_reg)
		return rw_val_const((int64_t)((uint64_t)(uint32_t)insn[1].imm << 32 |
					      (uint32_t)insn->imm));
	if (insn->src_reg == BPF_PSEUDO_MAP_FD) {
		v = rw_val_kind(RW_MAP);
	} else {
		struct rw_val start = rw_val_start(RW_VALUE), off = rw_val_const(insn[1].imm);

		v = rw_val_move(&start, &off, false);
	}
	v.map = rw_find_map(env->prog, (uint32_t)insn->imm);
	return v;
}

/**
 * rw_step() - let one instruction work on the state
 * @env: the analysis
 * @st: the state
 * @at: index of the instruction: no jump, call or exit
 *
 * Return: 0 or -EINVAL
 */
int rw_step(const struct rw_env *env, struct rw_state *st, uint32_t at)
{
	const struct bpf_insn *insn = &env->code->insns[at];
	struct rw_val *reg = st->frame[st->cur].reg;
	struct rw_val imm = rw_val_const(insn->imm);

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		reg[insn->dst_reg] = load_wide(env, at);
		return 0;
	case BPF_LDX:
		return step_load(env, st, at);
	case BPF_ST:
		return store(env, st, at, &imm);
	case BPF_STX:
		if (rw_is_atomic(insn))
			return step_atomic(env, st, at);
		return store(env, st, at, &reg[insn->src_reg]);
	default:
		step_alu(env, st, at, insn);
		return 0;
	}
}
