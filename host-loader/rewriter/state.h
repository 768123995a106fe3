/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_STATE_H
#define REWRITER_STATE_H
/**
 * DOC: What is known of registers and stack at one point of a program
 *
 * A value is a set of kinds: one kind where the analysis is sure, several where
 * paths met that disagree. What goes with a kind (an offset, a map) is known
 * only while all paths agree on it; of numbers, and of how far a pointer is from
 * the start of what it points into, limits are known as well. Values only ever
 * lose knowledge when states are joined, limits in a few great steps (widening),
 * which is what makes the analysis end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "insn.h"
#include "range.h"

#define RW_FRAMES	8	/* functions that are active at a time */
#define RW_SLOTS	(RW_STACK_MAX / 8)

/* Kinds of values */
#define RW_UNINIT	(1u << 0)	/* never written */
#define RW_SCALAR	(1u << 1)	/* a number */
#define RW_CTX		(1u << 2)	/* the program's context */
#define RW_PKT		(1u << 3)	/* into the packet, relative to its start */
#define RW_META		(1u << 4)	/* into the room in front of it */
#define RW_END		(1u << 5)	/* the packet's end */
#define RW_MAP		(1u << 6)	/* a map */
#define RW_VALUE	(1u << 7)	/* into a map's value */
#define RW_STACK	(1u << 8)	/* into a function's stack */
#define RW_POINTERS	(RW_CTX | RW_PKT | RW_META | RW_END | RW_MAP | RW_VALUE | RW_STACK)
#define RW_ANY		(RW_SCALAR | RW_POINTERS)

#define RW_OFF_MAX	(1 << 29)	/* offsets beyond it are not followed */
#define RW_NO_FRAME	UINT8_MAX

/* What the offset of a pointer counts from; else an instruction + 1 */
#define RW_BASE_DATA	0		/* where the packet started when it came */
#define RW_BASE_VALUE	0		/* start of the map value */
#define RW_BASE_MOVED	UINT32_MAX	/* its start now, which may be elsewhere */
#define RW_LOST		UINT8_MAX

/**
 * struct rw_val - what is known of one value
 * @kinds: the kinds that it can have
 * @known: @off is exact
 * @nullable: a pointer that can also be NULL
 * @redirect: a number that some path set to 4, which is XDP_REDIRECT
 * @frame: RW_STACK: number of the frame, or RW_NO_FRAME
 * @map: RW_MAP, RW_VALUE: index of the map, or RW_NONE; RW_STACK: index of the
 *       function whose stack it is, or RW_NONE
 * @id: RW_VALUE: a number shared by copies of one lookup's result, or 0
 * @base: RW_PKT, RW_VALUE: what @off counts from, if @known. The number of an instruction
 *        + 1 stands for the value that a pointer had when it last came by there
 * @range: RW_PKT: so many bytes from @base on are known to be in the packet
 * @off: the number itself, or a pointer's offset
 * @limits: RW_SCALAR: where the number lies; @known if that is one number.
 *          RW_PKT, RW_VALUE, RW_STACK: where its distance from the start of the
 *          packet that came, of the value, or from r10 lies, as numbers with signs. RW_RANGE_ALL if
 *          nothing is known, and of other kinds
 */
struct rw_val {
	uint16_t kinds;
	bool known;
	bool nullable;
	bool redirect;
	uint8_t frame;
	uint32_t map;
	uint32_t id;
	uint32_t base;
	int32_t range;
	int64_t off;
	struct rw_range limits;
};

/**
 * struct rw_slot - eight bytes of stack
 * @val: what a store put there as a whole
 * @at: byte at which it begins
 * @size: how many bytes it has; 0 if nothing was ever stored, RW_LOST if what
 *        is there is no longer known as a whole
 * @ptr: bit n set: byte n may be part of a pointer
 * @init: bit n set: byte n has been written on every path
 * @secret: bit n set: byte n may be part of a pointer, whatever has been stored to
 *          the bytes beside it; followed at level relaxed only, else 0
 */
struct rw_slot {
	struct rw_val val;
	uint8_t at;
	uint8_t size;
	uint8_t ptr;
	uint8_t init;
	uint8_t secret;
};

/**
 * struct rw_frame - one active function
 * @func: index of the function
 * @reg: its registers
 * @slot: its stack; slot n begins 8 * (n + 1) bytes below r10
 */
struct rw_frame {
	uint32_t func;
	struct rw_val reg[RW_REGS];
	struct rw_slot slot[RW_SLOTS];
};

/**
 * struct rw_state - all active functions
 * @cur: number of the one that runs; 0 is the program's entry
 * @moved: the packet's start may not be where it was when it came
 * @turn: which turn of a loop it is, a number of the analysis' own; 0 outside
 * @slots: slots of the last frame that are there: all of a state that is worked
 *         on; of one that is kept, the rest holds nothing
 * @frame: they, up to @cur
 */
struct rw_state {
	uint32_t cur;
	bool moved;
	uint32_t turn;
	uint32_t slots;
	struct rw_frame frame[];
};

/* What rw_slot_holds() says */
#define RW_HOLDS_POINTER	(1u << 0)
#define RW_HOLDS_DATA		(1u << 1)

/**
 * rw_val_eq() - is the same known of two values?
 * @a: one
 * @b: the other
 *
 * Return: true if so
 */
static inline bool rw_val_eq(const struct rw_val *a, const struct rw_val *b)
{
	return a->kinds == b->kinds && a->known == b->known && a->nullable == b->nullable &&
	       a->redirect == b->redirect && a->frame == b->frame && a->map == b->map &&
	       a->id == b->id && a->base == b->base && a->range == b->range && a->off == b->off &&
	       a->limits.min == b->limits.min && a->limits.max == b->limits.max;
}

/**
 * rw_val_covers() - are these numbers of which the first can be each that the second can?
 * @a: one
 * @b: the other
 *
 * A shortcut: rw_val_join() would come to the same.
 *
 * Return: true if their join is @a; false says nothing
 */
static inline bool rw_val_covers(const struct rw_val *a, const struct rw_val *b)
{
	return a->kinds == RW_SCALAR && b->kinds == RW_SCALAR && !a->known &&
	       a->limits.min <= b->limits.min && a->limits.max >= b->limits.max &&
	       (a->redirect || (!b->redirect && !b->known));
}

/* How rw_state_join() is to go about it */
#define RW_JOIN_FORCE	(1u << 0)	/* also where they disagree on a register's kind */
#define RW_JOIN_TURNS	(1u << 1)	/* not where live registers are different constants */
#define RW_JOIN_WIDEN	(1u << 2)	/* what does not stay within limits loses them */

/* How rw_state_join() went */
enum rw_join {
	RW_JOIN_SAME,	/* nothing new */
	RW_JOIN_GREW,	/* the first state now covers the second as well */
	RW_JOIN_APART,	/* left alone: they disagree on a live register */
};

struct rw_val rw_val_kind(uint16_t kinds);
struct rw_val rw_val_const(int64_t number);
struct rw_val rw_val_number(struct rw_range limits);
struct rw_val rw_val_start(uint16_t kind);
struct rw_range rw_val_limits(const struct rw_val *v);
void rw_val_limit(struct rw_val *v, struct rw_range limits);
bool rw_val_places(const struct rw_val *v, int64_t *min, int64_t *max);
bool rw_val_is(const struct rw_val *v, uint16_t kind);
bool rw_val_is_const(const struct rw_val *v, int64_t number);
bool rw_val_redirects(const struct rw_val *v);
struct rw_val rw_val_join(const struct rw_val *a, const struct rw_val *b);
struct rw_val rw_val_move(const struct rw_val *v, const struct rw_val *by, bool minus);

uint32_t rw_state_slots(const struct rw_state *st);
size_t rw_state_size(uint32_t cur, uint32_t slots);
void rw_state_init(struct rw_state *st);
void rw_state_copy(struct rw_state *to, const struct rw_state *from);
void rw_state_keep(struct rw_state *to, const struct rw_state *from, uint32_t slots);
void rw_state_room(struct rw_state *st, uint32_t slots);
enum rw_join rw_state_join(struct rw_state *st, const struct rw_state *other, uint16_t live,
			   unsigned int how);

void rw_state_each(struct rw_state *st, void (*change)(struct rw_val *v, const void *arg),
		   const void *arg);

void rw_frame_init(struct rw_frame *frame, uint32_t func, uint8_t number);
void rw_stack_store(struct rw_frame *frame, int64_t off, unsigned int size,
		    const struct rw_val *val);
struct rw_val rw_stack_load(const struct rw_frame *frame, int64_t off, unsigned int size);
bool rw_stack_pointers(const struct rw_frame *frame, int64_t off, unsigned int size);
bool rw_stack_written(const struct rw_frame *frame, int64_t off, unsigned int size);
void rw_stack_smear(struct rw_frame *frame, int64_t from, int64_t to, const struct rw_val *val);
unsigned int rw_slot_holds(const struct rw_slot *slot);

#endif /* REWRITER_STATE_H */
