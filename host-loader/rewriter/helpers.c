// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the call of a helper does to the state, after the whitelist's words
 * about its arguments.
 */
#include <errno.h>

#include "../../helpers-whitelist/whitelist.h"
#include "refuse.h"
#include "transfer.h"

/* Kinds that a helper can read from or write to */
#define MEMORY	(RW_PKT | RW_META | RW_VALUE | RW_STACK)

/**
 * struct call - one call of a helper
 * @env: the analysis
 * @st: the state
 * @at: index of the call
 * @h: the helper
 * @map: index of the map among its arguments, or RW_NONE
 */
struct call {
	const struct rw_env *env;
	struct rw_state *st;
	uint32_t at;
	const struct wl_helper *h;
	uint32_t map;
};

/**
 * wrong() - refuse an argument
 * @c: the call
 * @reg: the register that holds it
 * @wanted: what it should be
 *
 * Return: -EINVAL
 */
static int wrong(const struct call *c, int reg, const char *wanted)
{
	return rw_refuse(c->env->why, -EINVAL, c->at, "argument %d of helper %s is not %s", reg,
			 c->h->name, wanted);
}

/**
 * map_bytes() - how long a key or value of the call's map is
 * @c: the call; its map is an earlier argument
 * @arg: WL_KEY or WL_VALUE
 *
 * Return: bytes; 1 if it is not known which map it is
 */
static uint32_t map_bytes(const struct call *c, enum wl_arg arg)
{
	const struct rw_map *map;

	if (c->map == RW_NONE)
		return 1;
	map = &c->env->prog->maps[c->map];
	return arg == WL_KEY ? map->key_size : map->value_size;
}

/**
 * write_stack() - a helper fills a buffer in some function's stack
 * @c: the call
 * @ptr: the buffer, at a known place
 * @size: its length, or NULL if that is not known
 */
static void write_stack(const struct call *c, const struct rw_val *ptr, const uint32_t *size)
{
	struct rw_frame *frame = &c->st->frame[ptr->frame];
	struct rw_val number = rw_val_kind(RW_SCALAR);

	rw_cut_stack(c->env, c->st, ptr, 0, size ? *size : (uint32_t)-ptr->off);
	if (size)
		rw_stack_store(frame, ptr->off, *size, &number);
	else
		rw_stack_smear(frame, ptr->off, 0, &number);
}

/**
 * read_stack() - a helper reads a buffer in some function's stack
 * @c: the call
 * @ptr: the buffer, at a known place
 * @size: its length; all there is if that is not known, as then nobody knows
 *        whether it was written
 */
static void read_stack(const struct call *c, const struct rw_val *ptr, uint32_t size)
{
	rw_read_stack(c->env, c->st, ptr, 0, size);
	if (rw_stack_pointers(&c->st->frame[ptr->frame], ptr->off, size))
		c->env->an->leaks = true;
}

/**
 * taint() - note what a helper gets to see of stacks
 * @c: the call
 * @ptr: the buffer, within bounds
 * @arg: which kind of argument it is
 * @len: WL_KEY, WL_VALUE, WL_OUT4: NULL; else what is known of its length
 */
static void taint(const struct call *c, const struct rw_val *ptr, enum wl_arg arg,
		  const struct rw_val *len)
{
	uint32_t size = RW_NONE;

	if (len && len->kinds == RW_SCALAR && len->limits.max <= RW_STACK_MAX)
		size = (uint32_t)len->limits.max;
	else if (!len && (arg == WL_OUT4 || c->map != RW_NONE))
		size = arg == WL_OUT4 ? 4 : map_bytes(c, arg);
	rw_taint_buffer(c->env, c->st, c->at, ptr, 0, size, arg != WL_OUT);
}

/**
 * memory() - check an argument that is memory, and do what the helper does to it
 * @c: the call
 * @reg: the register that holds it; its size is in the next one, where
 *       @arg says so
 * @arg: which kind of argument it is
 *
 * Return: 0 or -EINVAL
 */
static int memory(struct call *c, int reg, enum wl_arg arg)
{
	const struct rw_val *regs = c->st->frame[c->st->cur].reg;
	const struct rw_val *ptr = &regs[reg];
	bool sized = arg != WL_KEY && arg != WL_VALUE && arg != WL_OUT4;
	bool known = true;
	uint32_t size;
	int err;

	if (arg == WL_MEM_NULL && rw_val_is_const(ptr, 0))
		return 0;
	if (!(ptr->kinds & MEMORY))
		return wrong(c, reg, "a pointer to memory");
	if (sized) {
		const struct rw_val *len = &regs[reg + 1];

		known = len->kinds == RW_SCALAR && len->known;
		if (known && (len->off < 0 || len->off > INT32_MAX))
			return wrong(c, reg + 1, "a length");
		size = known ? (uint32_t)len->off : 1;
	} else {
		size = arg == WL_OUT4 ? 4 : map_bytes(c, arg);
	}
	if (!size)
		return 0;
	sized |= arg == WL_OUT4 || c->map != RW_NONE;
	rw_touch_value(c->env, ptr, 0, known && sized ? size : RW_NONE);
	err = rw_touch_stack(c->env, c->st, c->at, ptr, 0, size);
	if (err < 0)
		return err;
	taint(c, ptr, arg, arg == WL_KEY || arg == WL_VALUE || arg == WL_OUT4 ? NULL : &regs[reg + 1]);
	if (arg != WL_OUT && arg != WL_OUT4) {
		if (err)
			read_stack(c, ptr, known ? size : (uint32_t)-ptr->off);
		return 0;
	}
	if (err) {
		rw_cover_stack(c->env, c->st, c->at, ptr, 0, known ? size : (uint32_t)-ptr->off);
		write_stack(c, ptr, known ? &size : NULL);
	} else if (ptr->kinds & RW_STACK) {
		struct rw_val number = rw_val_kind(RW_SCALAR);

		rw_smear_stack(c->st, ptr, 0, known ? size : RW_NONE, &number);
	}
	return 0;
}

/**
 * argument() - check one argument
 * @c: the call
 * @reg: the register that holds it
 * @arg: what it should be
 *
 * Return: 0 or -EINVAL
 */
static int argument(struct call *c, int reg, enum wl_arg arg)
{
	const struct rw_val *v = &c->st->frame[c->st->cur].reg[reg];

	switch (arg) {
	case WL_CTX:
		if (rw_val_is(v, RW_CTX) && v->known && !v->off)
			return 0;
		return wrong(c, reg, "the context");
	case WL_MAP:
		if (!rw_val_is(v, RW_MAP))
			return wrong(c, reg, "a map");
		c->map = v->map;
		return 0;
	case WL_KEY:
	case WL_VALUE:
	case WL_MEM:
	case WL_MEM_NULL:
	case WL_OUT:
		return memory(c, reg, arg);
	case WL_OUT4:
		if (v->kinds & (RW_PKT | RW_META))
			return wrong(c, reg, "memory outside of the packet");
		return memory(c, reg, arg);
	case WL_SIZE:
	case WL_SCALAR:
		return v->kinds & RW_SCALAR ? 0 : wrong(c, reg, "a number");
	case WL_ANY:
		return v->kinds & (RW_PKT | RW_META | RW_END) ?
		       wrong(c, reg, "something outside of the packet") : 0;
	case WL_NONE:
		break;
	}
	return 0;
}

/**
 * forget_id() - what an earlier run of this call returned is no longer linked
 * @st: the state
 * @id: the number that its results share
 */
static void forget_id(struct rw_state *st, uint32_t id)
{
	for (uint32_t f = 0; f <= st->cur; f++) {
		struct rw_frame *frame = &st->frame[f];

		for (int i = 0; i < RW_REGS; i++)
			if (frame->reg[i].id == id)
				frame->reg[i].id = 0;
		for (int i = 0; i < RW_SLOTS; i++)
			if (frame->slot[i].val.id == id)
				frame->slot[i].val.id = 0;
	}
}

/**
 * returned() - what a helper that returns a pointer returned
 * @c: the call
 *
 * Return: the value, which can be NULL
 */
static struct rw_val returned(const struct call *c)
{
	struct rw_val v = rw_val_start(RW_VALUE);
	const struct rw_map *map = c->map == RW_NONE ? NULL : &c->env->prog->maps[c->map];

	v.nullable = true;
	v.map = c->h->ret == WL_RET_VALUE ? c->map : RW_NONE;
	if (map && c->h->ret == WL_RET_VALUE && (map->map_type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
						 map->map_type == BPF_MAP_TYPE_HASH_OF_MAPS)) {
		v = rw_val_kind(RW_MAP);
		v.nullable = true;
		v.map = RW_NONE;
		return v;
	}
	v.id = c->at + 1;
	return v;
}

/**
 * forget_packet() - a pointer into a packet that is no longer there
 * @v: a value
 * @arg: not used
 */
static void forget_packet(struct rw_val *v, const void *arg)
{
	(void)arg;
	if (v->kinds & (RW_PKT | RW_META | RW_END))
		*v = rw_val_kind(RW_UNINIT);
}

/**
 * rw_step_helper() - let the call of a helper work on the state
 * @env: the analysis
 * @st: the state
 * @at: index of the call
 *
 * Return: 0, or -EINVAL if an argument is not what the helper takes
 */
int rw_step_helper(const struct rw_env *env, struct rw_state *st, uint32_t at)
{
	struct rw_val *reg = st->frame[st->cur].reg;
	struct call c = {
		.env = env,
		.st = st,
		.at = at,
		.h = wl_find((uint32_t)env->code->insns[at].imm),
		.map = RW_NONE,
	};

	if (!c.h)
		return -EINVAL;
	for (int i = 0; i < WL_ARGS; i++) {
		int err = argument(&c, BPF_REG_1 + i, c.h->args[i]);

		if (err)
			return err;
	}
	reg[BPF_REG_0] = rw_val_kind(RW_SCALAR);
	if (c.h->ret != WL_RET_SCALAR) {
		forget_id(st, at + 1);
		reg[BPF_REG_0] = returned(&c);
	}
	for (int i = BPF_REG_1; i <= BPF_REG_5; i++)
		reg[i] = rw_val_kind(RW_UNINIT);
	rw_taint_forget(env, st, &env->code->insns[at]);
	if (rw_moves_packet(&env->code->insns[at])) {
		rw_state_each(st, forget_packet, NULL);
		st->moved = true;
	}
	return 0;
}
