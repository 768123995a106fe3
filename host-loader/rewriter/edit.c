// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "refuse.h"

#define MAX_ITEMS	(1u << 20)	/* no program becomes longer than that */
#define SPARE_LABELS	64	/* room for labels of a form's own, to begin with */

/**
 * rw_edit_init() - start a new program
 * @e: the program in the making; free with rw_edit_free() in any case
 * @code: the tenant's program
 *
 * Return: 0 or -ENOMEM
 */
int rw_edit_init(struct rw_edit *e, const struct rw_code *code)
{
	uint32_t labels = code->cnt + code->func_cnt + SPARE_LABELS;

	memset(e, 0, sizeof(*e));
	e->insn_cnt = code->cnt;
	e->label_cnt = code->cnt + code->func_cnt;
	e->label_room = labels;
	e->origin = RW_NONE;
	e->place = malloc(labels * sizeof(*e->place));
	if (!e->place)
		return -ENOMEM;
	for (uint32_t i = 0; i < labels; i++)
		e->place[i] = RW_NONE;
	return 0;
}

/**
 * rw_edit_free() - give a program in the making back
 * @e: the program
 */
void rw_edit_free(struct rw_edit *e)
{
	free(e->items);
	free(e->place);
	e->items = NULL;
	e->place = NULL;
}

/**
 * rw_edit_func() - the label of a function
 * @e: the program
 * @func: index of the function
 *
 * Return: the label
 */
uint32_t rw_edit_func(const struct rw_edit *e, uint32_t func)
{
	return e->insn_cnt + func;
}

/**
 * rw_edit_label() - a new label of the form's own
 * @e: the program
 *
 * Return: the label
 */
uint32_t rw_edit_label(struct rw_edit *e)
{
	if (e->label_cnt == e->label_room) {
		uint32_t room = e->label_room * 2;
		uint32_t *place = realloc(e->place, room * sizeof(*place));

		if (!place) {
			e->err = -ENOMEM;
			return 0;
		}
		for (uint32_t i = e->label_room; i < room; i++)
			place[i] = RW_NONE;
		e->place = place;
		e->label_room = room;
	}
	return e->label_cnt++;
}

/**
 * rw_edit_place() - put a label here
 * @e: the program
 * @label: the label
 */
void rw_edit_place(struct rw_edit *e, uint32_t label)
{
	e->place[label] = e->cnt;
}

/**
 * rw_edit_at() - the translation of one of the tenant's instructions begins here
 * @e: the program
 * @insn: index of the instruction
 */
void rw_edit_at(struct rw_edit *e, uint32_t insn)
{
	e->origin = insn;
	rw_edit_place(e, insn);
}

/**
 * rw_edit_own() - what follows stems from none of the tenant's instructions
 * @e: the program
 */
void rw_edit_own(struct rw_edit *e)
{
	e->origin = RW_NONE;
}

/**
 * add() - emit one item
 * @e: the program
 * @insn: the instruction
 * @label: where it jumps, or RW_NONE
 */
static void add(struct rw_edit *e, const struct bpf_insn *insn, uint32_t label)
{
	if (e->err)
		return;
	if (e->cnt == e->room) {
		uint32_t room = e->room ? e->room * 2 : 256;
		struct rw_item *items;

		if (room > MAX_ITEMS) {
			e->err = -E2BIG;
			return;
		}
		items = realloc(e->items, room * sizeof(*items));
		if (!items) {
			e->err = -ENOMEM;
			return;
		}
		e->items = items;
		e->room = room;
	}
	e->items[e->cnt++] = (struct rw_item){
		.insn = *insn, .origin = e->origin, .label = label, .len = 1,
	};
}

/**
 * rw_emit() - emit an instruction made from its fields
 * @e: the program
 * @code: opcode
 * @dst: destination register
 * @src: source register
 * @off: offset
 * @imm: immediate
 */
void rw_emit(struct rw_edit *e, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	struct bpf_insn insn = {
		.code = code, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .off = off, .imm = imm,
	};

	add(e, &insn, RW_NONE);
}

/**
 * rw_emit_insn() - emit a copy of one of the tenant's instructions
 * @e: the program
 * @insn: the instruction, both halves of a 64-bit load; no jump, no call of an
 *        own function
 */
void rw_emit_insn(struct rw_edit *e, const struct bpf_insn *insn)
{
	for (uint32_t i = 0; i < rw_len(insn); i++)
		add(e, &insn[i], RW_NONE);
}

/**
 * rw_emit_jump() - emit a jump, or a call of an own function
 * @e: the program
 * @insn: the instruction; its offset does not matter
 * @label: where it goes
 */
void rw_emit_jump(struct rw_edit *e, const struct bpf_insn *insn, uint32_t label)
{
	if (rw_is_ja(insn))
		rw_emit_goto(e, label);
	else
		add(e, insn, label);
}

/**
 * rw_emit_goto() - emit an unconditional jump
 * @e: the program
 * @label: where it goes
 */
void rw_emit_goto(struct rw_edit *e, uint32_t label)
{
	struct bpf_insn insn = { .code = RW_JA };

	add(e, &insn, label);
}

/**
 * rw_emit_map() - emit the load of a map's address
 * @e: the program
 * @dst: destination register
 * @handle: of the map
 */
void rw_emit_map(struct rw_edit *e, uint8_t dst, uint32_t handle)
{
	rw_emit(e, RW_WIDE, dst, BPF_PSEUDO_MAP_FD, 0, (int32_t)handle);
	rw_emit(e, 0, 0, 0, 0, 0);
}

/**
 * lay_out() - give each item its place in the output
 * @e: the program
 *
 * Return: number of slots in all
 */
static uint32_t lay_out(struct rw_edit *e)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < e->cnt; i++) {
		e->items[i].at = at;
		at += e->items[i].len;
	}
	return at;
}

/**
 * distance() - how far a jump goes, counted from the slot behind its first one
 * @e: the program, laid out
 * @item: the jump; its label has been placed in front of an item
 *
 * Return: slots, negative for backwards
 */
static int64_t distance(const struct rw_edit *e, const struct rw_item *item)
{
	return (int64_t)e->items[e->place[item->label]].at - item->at - 1;
}

/**
 * drop() - drop jumps to what comes next anyway
 * @e: the program, all labels placed
 *
 * What jumps to one of them comes to where it would have jumped.
 */
static void drop(struct rw_edit *e)
{
	for (uint32_t i = e->cnt; i--;) {
		struct rw_item *item = &e->items[i];
		uint32_t next = i + 1;

		if (item->label == RW_NONE || !rw_is_ja(&item->insn))
			continue;
		while (next < e->place[item->label] && !e->items[next].len)
			next++;
		if (next == e->place[item->label])
			item->len = 0;
	}
}

/**
 * lengthen() - make room where a jump goes too far for its 16 bits
 * @e: the program, laid out
 *
 * An unconditional one becomes a gotol in the same slot. A conditional one
 * becomes three: over the next one to a gotol, over which the next one jumps.
 *
 * Return: true if a jump became longer, so that all has to be laid out anew
 */
static bool lengthen(struct rw_edit *e)
{
	bool longer = false;

	for (uint32_t i = 0; i < e->cnt; i++) {
		struct rw_item *item = &e->items[i];
		int64_t to;

		if (item->label == RW_NONE || item->len > 1 || !rw_is_cond(&item->insn))
			continue;
		to = distance(e, item);
		if (to >= INT16_MIN && to <= INT16_MAX)
			continue;
		item->len = 3;
		longer = true;
	}
	return longer;
}

/**
 * write_item() - write an item to its place in the output
 * @e: the program, laid out for good
 * @item: the item
 * @to: its place
 */
static void write_item(const struct rw_edit *e, const struct rw_item *item, struct bpf_insn *to)
{
	int64_t far;

	if (!item->len)
		return;
	to[0] = item->insn;
	if (item->label == RW_NONE)
		return;
	far = distance(e, item);
	if (item->len == 3) {
		to[0].off = 1;
		to[1] = (struct bpf_insn){ .code = RW_JA, .off = 1 };
		to[2] = (struct bpf_insn){ .code = RW_GOTOL, .imm = (int32_t)(far - 2) };
	} else if (item->insn.code == RW_CALL) {
		to[0].imm = (int32_t)far;
	} else if (far >= INT16_MIN && far <= INT16_MAX) {
		to[0].off = (int16_t)far;
	} else {
		to[0] = (struct bpf_insn){ .code = RW_GOTOL, .imm = (int32_t)far };
	}
}

/**
 * check_labels() - has every label that is used been placed?
 * @e: the program
 * @why: for the sentence if not
 *
 * Return: 0 or -EINVAL
 */
static int check_labels(const struct rw_edit *e, struct text *why)
{
	for (uint32_t i = 0; i < e->cnt; i++) {
		const struct rw_item *item = &e->items[i];

		if (item->label != RW_NONE && e->place[item->label] >= e->cnt)
			return rw_refuse(why, -EINVAL, item->origin,
					 "goes to where the program cannot come");
	}
	return 0;
}

/**
 * rw_edit_finish() - resolve all labels and write the program
 * @e: the program; still to be freed
 * @out: result; free with rw_out_free() after success
 * @why: for one sentence if it cannot be done; may be NULL
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM
 */
int rw_edit_finish(struct rw_edit *e, struct rw_out *out, struct text *why)
{
	uint32_t cnt;
	int err = e->err;

	memset(out, 0, sizeof(*out));
	if (err == -E2BIG)
		rw_refuse(why, err, RW_NONE, "the program becomes too long by its translation");
	if (!err)
		err = check_labels(e, why);
	if (err)
		return err;
	drop(e);
	do
		cnt = lay_out(e);
	while (lengthen(e));
	out->insns = calloc(cnt, sizeof(*out->insns));
	out->origin = calloc(cnt, sizeof(*out->origin));
	if (!cnt || !out->insns || !out->origin) {
		rw_out_free(out);
		return -ENOMEM;
	}
	out->cnt = cnt;
	for (uint32_t i = 0; i < e->cnt; i++) {
		const struct rw_item *item = &e->items[i];

		write_item(e, item, &out->insns[item->at]);
		for (uint32_t n = 0; n < item->len; n++)
			out->origin[item->at + n] = item->origin;
	}
	return 0;
}
