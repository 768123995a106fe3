// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Bytes of pointers in stacks
 *
 * What a slot holds as a whole the analysis knows. Level relaxed has to know more:
 * where single bytes of a pointer are left behind, which a later load or helper
 * would take for data. So each byte of stack is followed by itself: one is secret
 * from the store of a pointer on, until a store at a known place covers it. A store
 * whose place is not known, and a helper, which can fail, cover nothing.
 *
 * Whoever reads a secret byte is noted at the instruction (RW_TAINT_PARTS), unless it
 * loads back the whole pointer, which is a pointer again. So is who reads a byte that
 * was not written on every path (RW_TAINT_UNSET).
 */
#include "transfer.h"

/**
 * struct span - a part of one stack
 * @from: its lowest offset from r10
 * @to: its end
 * @sure: it is that part, else it lies somewhere therein
 */
struct span {
	int64_t from;
	int64_t to;
	bool sure;
};

/**
 * find_span() - which part of a stack is meant?
 * @st: the state
 * @ptr: a pointer that may be one into a stack
 * @off: added to it
 * @size: bytes that are meant, or RW_NONE if that is not known
 *
 * Return: the part
 */
static struct span find_span(const struct rw_state *st, const struct rw_val *ptr, int64_t off,
			     uint32_t size)
{
	struct span s = { .sure = rw_val_is(ptr, RW_STACK) && ptr->known && ptr->frame <= st->cur };

	if (s.sure) {
		s.from = ptr->off + off;
		s.to = size == RW_NONE || size > -s.from ? 0 : s.from + size;
	} else {
		rw_stack_range(ptr, off, size, &s.from, &s.to);
	}
	return s;
}

/**
 * is_meant() - may a pointer point into a function's stack?
 * @st: the state
 * @ptr: the pointer; RW_STACK is among its kinds
 * @frame: number of the function's frame
 *
 * Return: true if so
 */
static bool is_meant(const struct rw_state *st, const struct rw_val *ptr, uint32_t frame)
{
	return ptr->frame == frame || ptr->frame > st->cur;
}

/**
 * byte_bit() - where the bit of one byte is
 * @off: of the byte, from r10
 *
 * Return: a mask for the slot (-@off - 1) / 8
 */
static uint8_t byte_bit(int64_t off)
{
	return (uint8_t)(1u << (8 - -off % 8) % 8);
}

/**
 * use() - note that a function needs a part of its stack
 * @env: the analysis
 * @frame: the function
 * @s: the part
 *
 * The translation keeps things of its own below.
 */
static void use(const struct rw_env *env, const struct rw_frame *frame, const struct span *s)
{
	uint16_t *used = &env->an->stack[frame->func];

	if (*used < -s->from)
		*used = (uint16_t)-s->from;
}

/**
 * look() - what there is in a part of a stack
 * @frame: the function
 * @s: the part
 *
 * Return: RW_TAINT_*
 */
static uint8_t look(const struct rw_frame *frame, const struct span *s)
{
	uint8_t found = 0;

	for (int64_t off = s->from; off < s->to; off++) {
		const struct rw_slot *slot = &frame->slot[(-off - 1) / 8];

		if (slot->secret & byte_bit(off))
			found |= RW_TAINT_PARTS;
		if (!(slot->init & byte_bit(off)))
			found |= RW_TAINT_UNSET;
	}
	return found;
}

/**
 * is_whole() - does a load get back what was stored as a whole, and is known?
 * @frame: the function
 * @s: the part that it loads
 *
 * Return: true of a pointer, and of one that turned out to be NULL
 */
static bool is_whole(const struct rw_frame *frame, const struct span *s)
{
	const struct rw_slot *slot = &frame->slot[(-s->from - 1) / 8];

	return s->sure && s->from % 8 == 0 && s->to - s->from == 8 && slot->size == 8 &&
	       ((slot->val.kinds & RW_POINTERS) || rw_val_is_const(&slot->val, 0));
}

/**
 * rw_taint_store() - something is stored
 * @env: the analysis
 * @st: the state before it
 * @at: index of the instruction
 * @ptr: where, within bounds; other kinds than RW_STACK are none of ours
 * @off: added to it
 * @size: bytes stored there
 * @val: what is stored
 */
void rw_taint_store(const struct rw_env *env, struct rw_state *st, uint32_t at,
		    const struct rw_val *ptr, int64_t off, uint32_t size, const struct rw_val *val)
{
	bool secret = val->kinds != RW_SCALAR;
	struct span s;

	if (!env->taint || !(ptr->kinds & RW_STACK))
		return;
	s = find_span(st, ptr, off, size);
	if (!s.sure || s.from % 8 || size != 8)
		env->an->at[at].taint |= RW_TAINT_LOOSE;
	for (uint32_t f = 0; f <= st->cur; f++) {
		if (!is_meant(st, ptr, f))
			continue;
		use(env, &st->frame[f], &s);
		for (off = s.from; off < s.to; off++) {
			struct rw_slot *slot = &st->frame[f].slot[(-off - 1) / 8];

			if (secret)
				slot->secret |= byte_bit(off);
			else if (s.sure)
				slot->secret &= (uint8_t)~byte_bit(off);
		}
	}
}

/**
 * note_read() - note what an instruction gets to see of stacks
 * @env: the analysis
 * @st: the state before it
 * @at: index of the instruction
 * @ptr: from where, within bounds; other kinds than RW_STACK are none of ours
 * @off: added to it
 * @size: bytes at most, or RW_NONE if that is not known
 * @load: into a register, where a pointer may be as a whole
 * @mask: RW_TAINT_* that matter
 */
static void note_read(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		      const struct rw_val *ptr, int64_t off, uint32_t size, bool load,
		      uint8_t mask)
{
	struct span s;

	if (!env->taint || !(ptr->kinds & RW_STACK))
		return;
	s = find_span(st, ptr, off, size);
	for (uint32_t f = 0; f <= st->cur; f++) {
		uint8_t found;

		if (!is_meant(st, ptr, f))
			continue;
		use(env, &st->frame[f], &s);
		found = look(&st->frame[f], &s);
		if (load && is_whole(&st->frame[f], &s))
			found &= (uint8_t)~RW_TAINT_PARTS;
		env->an->at[at].taint |= found & mask;
	}
}

/**
 * rw_taint_load() - something is loaded into a register
 * @env: the analysis
 * @st: the state before it
 * @at: index of the instruction
 * @ptr: from where, within bounds
 * @off: added to it
 * @size: bytes loaded
 */
void rw_taint_load(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		   const struct rw_val *ptr, int64_t off, uint32_t size)
{
	note_read(env, st, at, ptr, off, size, true, RW_TAINT_PARTS | RW_TAINT_UNSET);
}

/**
 * rw_taint_buffer() - a helper or an atomic operation works on memory
 * @env: the analysis
 * @st: the state before it
 * @at: index of the instruction
 * @ptr: the memory, within bounds
 * @off: added to it
 * @size: bytes at most, or RW_NONE if that is not known
 * @reads: it reads them, else it writes them or fails
 */
void rw_taint_buffer(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		     const struct rw_val *ptr, int64_t off, uint32_t size, bool reads)
{
	note_read(env, st, at, ptr, off, size, false,
		  RW_TAINT_PARTS | (reads ? RW_TAINT_UNSET : 0));
}

/**
 * lose_packet() - a packet pointer that may point elsewhere than into the packet
 * @v: a value
 * @arg: not used
 */
static void lose_packet(struct rw_val *v, const void *arg)
{
	(void)arg;
	if (v->kinds & (RW_PKT | RW_META | RW_END))
		*v = rw_val_kind(RW_UNINIT | RW_ANY);
}

/**
 * rw_taint_forget() - a call after which the kernel takes packet pointers for numbers
 * @env: the analysis
 * @st: the state; they are anything, and nothing that may be used, any more
 * @call: the call
 *
 * With CAP_PERFMON it does so where a helper may have moved the packet. Those of XDP
 * that move it rw_moves_packet() tells; the one that writes to a socket buffer may
 * have to copy it first.
 */
void rw_taint_forget(const struct rw_env *env, struct rw_state *st, const struct bpf_insn *call)
{
	if (env->taint && call->imm == BPF_FUNC_xdp_store_bytes)
		rw_state_each(st, lose_packet, NULL);
}
