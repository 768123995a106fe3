/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_EDIT_H
#define REWRITER_EDIT_H
/**
 * DOC: Putting the new program together
 *
 * Instructions are emitted in order; jumps and calls name labels. Each of the
 * tenant's instructions and functions has a label of its own, placed where its
 * translation begins, and a form can have more. rw_edit_finish() turns labels
 * into offsets, and jumps that go too far for 16 bits into longer ones; it drops
 * those to what comes next anyway.
 *
 * The first error is kept and everything behind it is ignored, so that callers
 * emit without looking; rw_edit_finish() returns it.
 */
#include "decode.h"
#include "rewriter.h"

/**
 * struct rw_item - one instruction of the output
 * @insn: it; a jump's or call's offset is filled in at the end
 * @origin: the tenant's instruction that it stems from, or RW_NONE
 * @label: where it jumps or what it calls, or RW_NONE
 * @at: place in the output
 * @len: slots that it takes there: more than 1 for a jump that goes far, none for
 *       one to what comes next
 */
struct rw_item {
	struct bpf_insn insn;
	uint32_t origin;
	uint32_t label;
	uint32_t at;
	uint32_t len;
};

/**
 * struct rw_edit - a program in the making; free with rw_edit_free()
 * @items: what has been emitted
 * @cnt: number of them
 * @room: what @items has room for
 * @place: for each label the item behind it, or RW_NONE
 * @insn_cnt: the tenant's instructions have labels 0 to @insn_cnt - 1
 * @label_cnt: all labels so far
 * @label_room: what @place has room for
 * @origin: for what is emitted next
 * @err: first error
 */
struct rw_edit {
	struct rw_item *items;
	uint32_t cnt;
	uint32_t room;
	uint32_t *place;
	uint32_t insn_cnt;
	uint32_t label_cnt;
	uint32_t label_room;
	uint32_t origin;
	int err;
};

int rw_edit_init(struct rw_edit *e, const struct rw_code *code);
void rw_edit_free(struct rw_edit *e);

uint32_t rw_edit_func(const struct rw_edit *e, uint32_t func);
uint32_t rw_edit_label(struct rw_edit *e);
void rw_edit_place(struct rw_edit *e, uint32_t label);
void rw_edit_at(struct rw_edit *e, uint32_t insn);
void rw_edit_own(struct rw_edit *e);

void rw_emit(struct rw_edit *e, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm);
void rw_emit_insn(struct rw_edit *e, const struct bpf_insn *insn);
void rw_emit_jump(struct rw_edit *e, const struct bpf_insn *insn, uint32_t label);
void rw_emit_goto(struct rw_edit *e, uint32_t label);
void rw_emit_map(struct rw_edit *e, uint8_t dst, uint32_t handle);

int rw_edit_finish(struct rw_edit *e, struct rw_out *out, struct text *why);

#endif /* REWRITER_EDIT_H */
