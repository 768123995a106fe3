// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "state.h"

/* What rw_val_kind() says, for constants too */
#define VAL_KIND(kinds_) {						\
	.kinds = (kinds_), .frame = RW_NO_FRAME, .map = RW_NONE,	\
	.limits = { 0, UINT64_MAX },					\
}

/**
 * rw_val_kind() - a value of which nothing is known but its kind
 * @kinds: the kinds that it can have
 *
 * Return: the value
 */
struct rw_val rw_val_kind(uint16_t kinds)
{
	return (struct rw_val)VAL_KIND(kinds);
}

/**
 * rw_val_limit() - tell where a number lies
 * @v: the number; its kind is RW_SCALAR
 * @limits: where it lies
 */
void rw_val_limit(struct rw_val *v, struct rw_range limits)
{
	v->limits = limits;
	v->known = rw_range_is_const(limits);
	v->off = v->known ? (int64_t)limits.min : 0;
}

/**
 * rw_val_number() - a number
 * @limits: where it lies
 *
 * Return: the value
 */
struct rw_val rw_val_number(struct rw_range limits)
{
	struct rw_val v = rw_val_kind(RW_SCALAR);

	rw_val_limit(&v, limits);
	return v;
}

/**
 * rw_val_const() - a number that is known
 * @number: it
 *
 * Return: the value
 */
struct rw_val rw_val_const(int64_t number)
{
	return rw_val_number(rw_range_const((uint64_t)number));
}

/**
 * rw_val_start() - a pointer to the start of what it points into
 * @kind: its kind
 *
 * Return: the value
 */
struct rw_val rw_val_start(uint16_t kind)
{
	struct rw_val v = rw_val_kind(kind);

	v.known = true;
	if (kind == RW_PKT || kind == RW_VALUE || kind == RW_STACK)
		v.limits = rw_range_const(0);
	return v;
}

/**
 * rw_val_limits() - where a value lies if it is taken for a number
 * @v: the value
 *
 * Return: the limits
 */
struct rw_range rw_val_limits(const struct rw_val *v)
{
	return v->kinds == RW_SCALAR ? v->limits : RW_RANGE_ALL;
}

/**
 * rw_val_places() - how far a pointer is from the start of what it points into
 * @v: a pointer into the packet, a map value or a stack; one that can also be
 *     something else counts as one into a stack if it can be that
 * @min: result: at least so far; it can be less than 0
 * @max: result: at most so far
 *
 * Return: false if that is not known
 */
bool rw_val_places(const struct rw_val *v, int64_t *min, int64_t *max)
{
	*min = (int64_t)v->limits.min;
	*max = (int64_t)v->limits.max;
	return (v->kinds == RW_PKT || v->kinds == RW_VALUE || (v->kinds & RW_STACK)) &&
	       *min <= *max && *min >= -RW_OFF_MAX && *max <= RW_OFF_MAX;
}

/**
 * set_places() - tell how far a pointer is from the start of what it points into
 * @v: a pointer into the packet or a map value
 * @min: at least so far
 * @max: at most so far
 */
static void set_places(struct rw_val *v, int64_t min, int64_t max)
{
	v->limits = RW_RANGE_ALL;
	if (min >= -RW_OFF_MAX && max <= RW_OFF_MAX)
		v->limits = (struct rw_range){ (uint64_t)min, (uint64_t)max };
}

/**
 * rw_val_is() - is a value surely of one kind, and no NULL pointer?
 * @v: the value
 * @kind: RW_SCALAR and so on
 *
 * Return: true if so
 */
bool rw_val_is(const struct rw_val *v, uint16_t kind)
{
	return v->kinds == kind && !v->nullable;
}

/**
 * rw_val_is_const() - is a value surely one number?
 * @v: the value
 * @number: the number
 *
 * Return: true if so
 */
bool rw_val_is_const(const struct rw_val *v, int64_t number)
{
	return v->kinds == RW_SCALAR && v->known && v->off == number;
}

/**
 * rw_val_redirects() - did some path set this number to XDP_REDIRECT?
 * @v: the value
 *
 * Return: true if so
 */
bool rw_val_redirects(const struct rw_val *v)
{
	return v->redirect ||
	       (v->kinds == RW_SCALAR && v->known && (uint32_t)v->off == XDP_REDIRECT);
}

/**
 * may_be_null() - can a kind of pointer also be NULL without being another kind?
 * @kinds: a value's kinds
 *
 * Return: true for those that programs compare with NULL
 */
static bool may_be_null(uint16_t kinds)
{
	return kinds == RW_PKT || kinds == RW_META || kinds == RW_VALUE || kinds == RW_MAP;
}

/**
 * join_limits() - limits of a value that is one or the other
 * @a: one
 * @b: the other, of the same kind
 * @v: the value; changed
 */
static void join_limits(const struct rw_val *a, const struct rw_val *b, struct rw_val *v)
{
	int64_t a_min, a_max, b_min, b_max;

	if (a->kinds == RW_SCALAR)
		v->limits = rw_range_join(a->limits, b->limits);
	else if (rw_val_places(a, &a_min, &a_max) && rw_val_places(b, &b_min, &b_max))
		set_places(v, a_min < b_min ? a_min : b_min, a_max > b_max ? a_max : b_max);
}

/**
 * join_stack() - what is known of a value that is several kinds, as a stack pointer
 * @a: one value
 * @b: the other, of other kinds
 * @v: their join; changed
 */
static void join_stack(const struct rw_val *a, const struct rw_val *b, struct rw_val *v)
{
	if ((a->kinds & RW_STACK) && (b->kinds & RW_STACK)) {
		join_limits(a, b, v);
		v->frame = a->frame == b->frame ? a->frame : RW_NO_FRAME;
		v->map = a->map == b->map ? a->map : RW_NONE;
	} else if ((a->kinds | b->kinds) & RW_STACK) {
		const struct rw_val *stack = (a->kinds & RW_STACK) ? a : b;

		v->limits = stack->limits;
		v->frame = stack->frame;
		v->map = stack->map;
	}
}

/**
 * rw_val_join() - what is known of a value that is one or the other
 * @a: one
 * @b: the other
 *
 * A pointer that is joined with NULL is no copy any more of the pointer that it was:
 * that it is NULL says nothing of the others. And what can be one of several pointers,
 * of which one can be NULL, can be a number.
 *
 * Return: what both have in common
 */
struct rw_val rw_val_join(const struct rw_val *a, const struct rw_val *b)
{
	struct rw_val v;

	if (rw_val_eq(a, b))
		return *a;
	if (rw_val_is_const(b, 0) && may_be_null(a->kinds)) {
		v = *a;
		v.nullable = true;
		v.id = 0;
		return v;
	}
	if (rw_val_is_const(a, 0) && may_be_null(b->kinds)) {
		v = *b;
		v.nullable = true;
		v.id = 0;
		return v;
	}
	v = rw_val_kind(a->kinds | b->kinds);
	v.redirect = rw_val_redirects(a) || rw_val_redirects(b);
	if (a->kinds != b->kinds) {
		join_stack(a, b, &v);
		if (a->nullable || b->nullable)
			v.kinds |= RW_SCALAR;
		return v;
	}
	join_limits(a, b, &v);
	v.nullable = a->nullable || b->nullable;
	if (a->frame == b->frame)
		v.frame = a->frame;
	if (a->map == b->map)
		v.map = a->map;
	if (a->id == b->id)
		v.id = a->id;
	if (a->known && b->known && a->off == b->off && v.frame == a->frame &&
	    a->base == b->base) {
		v.known = true;
		v.off = a->off;
		v.base = a->base;
		v.range = a->range < b->range ? a->range : b->range;
	}
	return v;
}

/**
 * rw_val_move() - a pointer plus or minus a number
 * @v: the pointer
 * @by: the number
 * @minus: subtract it
 *
 * NULL that is moved is a number like others: no comparison with NULL finds it.
 *
 * Return: the pointer's kind, and its offset and limits where they stay known
 */
struct rw_val rw_val_move(const struct rw_val *v, const struct rw_val *by, bool minus)
{
	struct rw_val to = *v;
	int64_t min, max, by_min = (int64_t)by->limits.min, by_max = (int64_t)by->limits.max;

	to.limits = RW_RANGE_ALL;
	if (rw_val_places(v, &min, &max) && by->kinds == RW_SCALAR && by_min <= by_max &&
	    by_min >= -RW_OFF_MAX && by_max <= RW_OFF_MAX)
		set_places(&to, min + (minus ? -by_max : by_min), max + (minus ? -by_min : by_max));
	to.known = v->known && by->known && by->kinds == RW_SCALAR && by->off <= RW_OFF_MAX &&
		   by->off >= -RW_OFF_MAX;
	to.off = to.known ? v->off + (minus ? -by->off : by->off) : 0;
	if (to.off > RW_OFF_MAX || to.off < -RW_OFF_MAX) {
		to.known = false;
		to.off = 0;
	}
	if (v->nullable) {
		to.id = 0;
		if (v->kinds != RW_VALUE) {
			to.kinds |= RW_SCALAR;
			to.nullable = false;
			to.known = false;
			to.off = 0;
		}
	}
	if (!to.known) {
		to.base = 0;
		to.range = 0;
	}
	return to;
}

/**
 * rw_state_each() - change all values of a state
 * @st: the state
 * @change: called for each register and for what each slot holds as a whole
 * @arg: handed to @change
 */
void rw_state_each(struct rw_state *st, void (*change)(struct rw_val *v, const void *arg),
		   const void *arg)
{
	for (uint32_t f = 0; f <= st->cur; f++) {
		for (int i = 0; i < RW_REGS; i++)
			change(&st->frame[f].reg[i], arg);
		for (int i = 0; i < RW_SLOTS; i++)
			change(&st->frame[f].slot[i].val, arg);
	}
}

/**
 * rw_state_slots() - slots of the last frame up to the last that holds something
 * @st: the state
 *
 * Return: number of them
 */
uint32_t rw_state_slots(const struct rw_state *st)
{
	const struct rw_slot *slot = st->frame[st->cur].slot;
	uint32_t n = st->slots;

	while (n && !slot[n - 1].size && !slot[n - 1].ptr && !slot[n - 1].init)
		n--;
	return n;
}

/**
 * rw_state_size() - bytes that a state takes
 * @cur: number of its last frame
 * @slots: slots of that
 *
 * Return: as malloc() wants it
 */
size_t rw_state_size(uint32_t cur, uint32_t slots)
{
	return sizeof(struct rw_state) + cur * sizeof(struct rw_frame) +
	       offsetof(struct rw_frame, slot) + slots * sizeof(struct rw_slot);
}

/**
 * rw_frame_init() - a function that has just been entered: nothing is known
 * @frame: the frame
 * @func: index of the function
 * @number: of the frame in its state
 */
void rw_frame_init(struct rw_frame *frame, uint32_t func, uint8_t number)
{
	memset(frame, 0, sizeof(*frame));
	frame->func = func;
	for (int i = 0; i < RW_REGS; i++)
		frame->reg[i] = rw_val_kind(RW_UNINIT);
	for (int i = 0; i < RW_SLOTS; i++)
		frame->slot[i].val = rw_val_kind(RW_UNINIT);
	frame->reg[BPF_REG_10] = rw_val_start(RW_STACK);
	frame->reg[BPF_REG_10].frame = number;
	frame->reg[BPF_REG_10].map = func;
}

/**
 * rw_state_init() - the state in which a program starts
 * @st: room for one frame at least
 */
void rw_state_init(struct rw_state *st)
{
	st->cur = 0;
	st->moved = false;
	st->turn = 0;
	st->slots = RW_SLOTS;
	rw_frame_init(&st->frame[0], 0, 0);
	st->frame[0].reg[BPF_REG_1] = rw_val_start(RW_CTX);
}

/**
 * rw_state_room() - make room for slots of the last frame
 * @st: a state that has memory for them
 * @slots: number of them, not less than there were
 */
void rw_state_room(struct rw_state *st, uint32_t slots)
{
	static const struct rw_slot empty[RW_SLOTS] = {
		[0 ... RW_SLOTS - 1] = { .val = VAL_KIND(RW_UNINIT) },
	};

	if (st->slots >= slots)
		return;
	memcpy(&st->frame[st->cur].slot[st->slots], empty,
	       (slots - st->slots) * sizeof(empty[0]));
	st->slots = slots;
}

/**
 * rw_state_copy() - copy a state to work on it
 * @to: room for as many whole frames as @from has
 * @from: the state; can be one that was kept
 */
void rw_state_copy(struct rw_state *to, const struct rw_state *from)
{
	memcpy(to, from, rw_state_size(from->cur, from->slots));
	rw_state_room(to, RW_SLOTS);
}

/**
 * rw_state_keep() - copy a state to keep it
 * @to: room for as many frames as @from has, the last one with @slots slots
 * @from: the state; in its last frame it uses no more slots
 * @slots: number of them
 */
void rw_state_keep(struct rw_state *to, const struct rw_state *from, uint32_t slots)
{
	memcpy(to, from, rw_state_size(from->cur, slots));
	to->slots = slots;
}

/**
 * agree() - can a live register's values be joined without harm?
 * @a: on one path
 * @b: on the other
 * @turns: that two numbers are known and differ is harm
 *
 * Return: false if one of two known kinds of pointer, or which map, would be
 *         forgotten
 */
static bool agree(const struct rw_val *a, const struct rw_val *b, bool turns)
{
	struct rw_val v;

	if ((a->kinds | b->kinds) & RW_UNINIT)
		return true;
	if (a->kinds == RW_MAP && b->kinds == RW_MAP)
		return a->map == b->map;
	if (a->kinds == RW_SCALAR && b->kinds == RW_SCALAR)
		return !turns || !a->known || !b->known || a->off == b->off;
	v = rw_val_join(a, b);
	return v.kinds == a->kinds || v.kinds == b->kinds;
}

/**
 * lose() - forget what is in eight bytes of stack as a whole
 * @slot: the slot
 */
static void lose(struct rw_slot *slot)
{
	slot->val = rw_val_kind(RW_UNINIT);
	slot->at = 0;
	slot->size = RW_LOST;
}

/**
 * next_stop() - how far a number grows that has grown often
 * @max: so far at least
 *
 * What a loop counts is compared with something most of the time: a counter that
 * is let go only some way further has a limit again behind that comparison.
 *
 * Return: so far at most
 */
static uint64_t next_stop(uint64_t max)
{
	for (int bits = 6; bits <= 16; bits += 2)
		if (max >> bits == 0)
			return (1u << bits) - 1;
	return max > UINT32_MAX ? UINT64_MAX : UINT32_MAX;
}

/**
 * widened() - join two values, in great steps if so wanted
 * @a: one
 * @b: the other
 * @widen: a number that grows does so up to the next of a few stops, and a
 *         pointer that moves loses its limits
 *
 * Return: what both have in common
 */
static struct rw_val widened(const struct rw_val *a, const struct rw_val *b, bool widen)
{
	struct rw_val v = rw_val_join(a, b);
	struct rw_range r = v.limits;

	if (!widen || v.kinds != a->kinds)
		return v;
	if (v.kinds == RW_SCALAR) {
		if (r.min < a->limits.min)
			r.min = 0;
		if (r.max > a->limits.max)
			r.max = next_stop(r.max);
		rw_val_limit(&v, r);
	} else if (r.min != a->limits.min || r.max != a->limits.max) {
		v.limits = RW_RANGE_ALL;
	}
	return v;
}

/**
 * join_slot() - join eight bytes of stack
 * @s: one path's; becomes the join
 * @o: the other path's
 * @widen: as in widened()
 *
 * A path that never wrote there cannot read there either, so it does not count.
 *
 * Return: true if @s changed
 */
static bool join_slot(struct rw_slot *s, const struct rw_slot *o, bool widen)
{
	struct rw_slot was;

	if (s->ptr == o->ptr && s->init == o->init && s->secret == o->secret &&
	    s->size == o->size && s->at == o->at && rw_val_eq(&s->val, &o->val))
		return false;
	was = *s;
	s->ptr = was.ptr | o->ptr;
	s->init = was.init & o->init;
	s->secret = was.secret | o->secret;
	if (!was.size) {
		s->val = o->val;
		s->at = o->at;
		s->size = o->size;
	} else if (was.size == o->size && was.at == o->at) {
		s->val = widened(&was.val, &o->val, widen);
	} else if (o->size) {
		lose(s);
	}
	return s->ptr != was.ptr || s->init != was.init || s->secret != was.secret ||
	       s->at != was.at || s->size != was.size || !rw_val_eq(&s->val, &was.val);
}

/**
 * rw_state_join() - make one state cover another as well
 * @st: the state, one that is kept
 * @other: the other one, with as many frames, and using no slot that @st has not
 * @live: bit n set: the running function may still read register n
 * @how: RW_JOIN_FORCE and so on
 *
 * Return: how it went
 */
enum rw_join rw_state_join(struct rw_state *st, const struct rw_state *other, uint16_t live,
			   unsigned int how)
{
	bool grew = false, widen = how & RW_JOIN_WIDEN;

	for (int i = 0; !(how & RW_JOIN_FORCE) && i < RW_REGS; i++)
		if ((live & 1u << i) && !agree(&st->frame[st->cur].reg[i],
					       &other->frame[st->cur].reg[i],
					       how & RW_JOIN_TURNS))
			return RW_JOIN_APART;
	if (other->moved && !st->moved) {
		st->moved = true;
		grew = true;
	}
	for (uint32_t f = 0; f <= st->cur; f++) {
		struct rw_frame *a = &st->frame[f];
		const struct rw_frame *b = &other->frame[f];

		for (int i = 0; i < RW_REGS; i++) {
			bool dead = f == st->cur && !(live & 1u << i);
			struct rw_val v;

			if (rw_val_eq(&a->reg[i], &b->reg[i]) ||
			    rw_val_covers(&a->reg[i], &b->reg[i]))
				continue;
			v = widened(&a->reg[i], &b->reg[i], widen || dead);
			grew |= !rw_val_eq(&v, &a->reg[i]);
			a->reg[i] = v;
		}
		for (uint32_t i = 0; i < (f == st->cur ? st->slots : RW_SLOTS); i++)
			grew |= join_slot(&a->slot[i], &b->slot[i], widen);
	}
	return grew ? RW_JOIN_GREW : RW_JOIN_SAME;
}

/**
 * store_part() - store to bytes of one slot
 * @slot: the slot
 * @at: first byte
 * @size: number of bytes
 * @val: what is stored there as a whole, or NULL for a part of something
 * @ptr: it may be part of a pointer
 */
static void store_part(struct rw_slot *slot, unsigned int at, unsigned int size,
		       const struct rw_val *val, bool ptr)
{
	uint8_t mask = (uint8_t)(((1u << size) - 1) << at);
	bool apart = slot->size && slot->size != RW_LOST &&
		     (at >= (unsigned int)slot->at + slot->size || at + size <= slot->at);

	/* What is left of a pointer that is overwritten in part is a number. */
	slot->ptr = (uint8_t)(ptr ? slot->ptr | mask : 0);
	slot->init |= mask;
	if (val) {
		slot->val = *val;
		slot->at = (uint8_t)at;
		slot->size = (uint8_t)size;
	} else if (!apart) {
		lose(slot);
	}
}

/**
 * rw_stack_store() - store to a function's stack
 * @frame: the function
 * @off: where, relative to r10
 * @size: bytes; any number that lies within the stack
 * @val: what is stored
 */
void rw_stack_store(struct rw_frame *frame, int64_t off, unsigned int size,
		    const struct rw_val *val)
{
	bool ptr = (val->kinds & RW_POINTERS) != 0;

	while (size) {
		unsigned int from_top = (unsigned int)-off;
		unsigned int at = (8 - from_top % 8) % 8;
		unsigned int part = 8 - at < size ? 8 - at : size;
		bool whole = part == size && (part == 8 || (part == 4 && !ptr));

		store_part(&frame->slot[(from_top - 1) / 8], at, part, whole ? val : NULL, ptr);
		off += part;
		size -= part;
	}
}

/**
 * rw_stack_load() - load from a function's stack
 * @frame: the function
 * @off: where, relative to r10
 * @size: 1, 2, 4 or 8; lies within the stack
 *
 * Return: what was stored there as a whole; else a number, or anything if a
 *         part of a pointer may be in it
 */
struct rw_val rw_stack_load(const struct rw_frame *frame, int64_t off, unsigned int size)
{
	bool ptr = false;

	for (unsigned int i = 0; i < size; i++) {
		unsigned int from_top = (unsigned int)-(off + i);
		const struct rw_slot *slot = &frame->slot[(from_top - 1) / 8];
		unsigned int at = (8 - from_top % 8) % 8;

		if (!i && slot->size == size && slot->at == at)
			return slot->val;
		ptr |= slot->ptr >> at & 1;
	}
	return rw_val_kind(ptr ? RW_ANY : RW_SCALAR);
}

/**
 * rw_stack_pointers() - may there be a part of a pointer in a part of the stack?
 * @frame: the function
 * @off: where, relative to r10
 * @size: bytes; any number that lies within the stack
 *
 * Return: true if so
 */
bool rw_stack_pointers(const struct rw_frame *frame, int64_t off, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++) {
		unsigned int from_top = (unsigned int)-(off + i);

		if (frame->slot[(from_top - 1) / 8].ptr >> (8 - from_top % 8) % 8 & 1)
			return true;
	}
	return false;
}

/**
 * rw_stack_written() - has a part of a function's stack been written?
 * @frame: the function
 * @off: where, relative to r10
 * @size: bytes; any number that lies within the stack
 *
 * Return: true if all of it has, on every path
 */
bool rw_stack_written(const struct rw_frame *frame, int64_t off, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++) {
		unsigned int from_top = (unsigned int)-(off + i);

		if (!(frame->slot[(from_top - 1) / 8].init >> (8 - from_top % 8) % 8 & 1))
			return false;
	}
	return true;
}

/**
 * rw_stack_smear() - store to an unknown part of a function's stack
 * @frame: the function
 * @from: the lowest offset from r10 that can be meant
 * @to: the end of what can be meant
 * @val: what is stored
 */
void rw_stack_smear(struct rw_frame *frame, int64_t from, int64_t to, const struct rw_val *val)
{
	bool ptr = (val->kinds & RW_POINTERS) != 0;

	for (int64_t i = 0; i < RW_SLOTS; i++) {
		struct rw_slot *slot = &frame->slot[i];

		if (-8 * i <= from || -8 * (i + 1) >= to)
			continue;
		/* One that held nothing may hold something now, which joins must know. */
		lose(slot);
		if (ptr)
			slot->ptr = 0xff;
	}
}

/**
 * rw_slot_holds() - does a slot hold a pointer as a whole?
 * @slot: the slot
 *
 * One into the packet counts as a number: to the host it can be one.
 *
 * Return: RW_HOLDS_POINTER, RW_HOLDS_DATA, both if it is not known, or 0 if
 *         nothing was ever stored there
 */
unsigned int rw_slot_holds(const struct rw_slot *slot)
{
	const uint16_t host = RW_CTX | RW_MAP | RW_VALUE | RW_STACK;

	if (slot->size == 8)
		return ((slot->val.kinds & host) ? RW_HOLDS_POINTER : 0) |
		       ((slot->val.kinds & ~(host | RW_UNINIT)) ? RW_HOLDS_DATA : 0);
	if (slot->size == RW_LOST && slot->ptr)
		return RW_HOLDS_POINTER | RW_HOLDS_DATA;
	return slot->size ? RW_HOLDS_DATA : 0;
}
