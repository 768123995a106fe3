// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: functions that the output has beside the tenant's
 *
 * XDP's helpers that move the packet's start, end or metadata only move numbers
 * in the scratch's header, within the limits that XDP sets itself and with its
 * error codes. What they are checked against is the packet buffer of the
 * kernel's BPF_PROG_TEST_RUN: RW_HEADROOM in front, of which XDP keeps
 * SFI_FRAME, and as much behind as the window has room for.
 *
 * The packet itself follows when it is written back: its new length first, then
 * all of its bytes. That is at the end of a program that lets the packet go on,
 * and in front of a helper that copies bytes from or to the packet itself.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <stddef.h>

#include "sfi.h"

#define COPY_MAX	0xffff	/* greatest offset and length of xdp_load_bytes */

/**
 * sfi_own() - have an own function in the output
 * @s: the translation
 * @own: which
 *
 * Return: its label
 */
uint32_t sfi_own(struct sfi *s, enum sfi_own own)
{
	if (s->own[own] == RW_NONE)
		s->own[own] = rw_edit_label(&s->g->edit);
	return s->own[own];
}

/**
 * call() - emit the call of a helper
 * @s: the translation
 * @id: the helper
 */
static void call(struct sfi *s, int32_t id)
{
	rw_emit(&s->g->edit, RW_CALL, 0, 0, 0, id);
}

/**
 * ret() - emit the return of a number
 * @s: the translation
 * @number: it
 */
static void ret(struct sfi *s, int32_t number)
{
	rw_emit(&s->g->edit, MOV_K, BPF_REG_0, 0, 0, number);
	rw_emit(&s->g->edit, RW_EXIT, 0, 0, 0, 0);
}

/**
 * begin_move() - emit how functions begin that take an int in r2
 * @s: the translation
 */
static void begin_move(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_2, 0, 0, 32);
	rw_emit(e, BPF_ALU64 | BPF_ARSH | BPF_K, BPF_REG_2, 0, 0, 32);
	if (!s->g->opts->walks_on)
		return;
	rw_emit(e, LDDW, BPF_REG_5, BPF_REG_3, SFI_H_ZERO, 0);
	rw_emit(e, ADD_X, BPF_REG_2, BPF_REG_5, 0, 0);
}

/**
 * zero() - emit how a part of the scratch is zeroed
 * @s: the translation
 *
 * r1 is the context, r3 the scratch, r5 the first byte as packet pointers are,
 * r4 the length, more than 0. A helper that fails zeroes the buffer that it was
 * to fill. r1 to r5 are lost.
 *
 * Return: a label to be placed where the program comes if that is out of bounds
 */
static uint32_t zero(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t wrong = rw_edit_label(e);

	rw_emit(e, MOV32_X, BPF_REG_5, BPF_REG_5, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_5, 0, 0, -SFI_BASE);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_5, 0, s->limit, wrong);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_4, 0, s->limit, wrong);
	rw_emit(e, ADD_X, BPF_REG_3, BPF_REG_5, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET);
	rw_emit(e, MOV_K, BPF_REG_2, 0, 0, SFI_NOWHERE);
	call(s, BPF_FUNC_skb_load_bytes);
	return wrong;
}

/**
 * lower() - emit how bytes in front that come into view are zeroed the first time
 * @s: the translation
 * @done: label for when there are none, or afterwards
 *
 * r1 is the context, r3 the scratch, r5 the lowest byte in view. r1 to r5 are
 * lost.
 *
 * Return: a label to be placed where the program comes if that is out of bounds
 */
static uint32_t lower(struct sfi *s, uint32_t done)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, LDDW, BPF_REG_4, BPF_REG_3, SFI_H_LOW, 0);
	sfi_jump(s, JMP_X(BPF_JGE), BPF_REG_5, BPF_REG_4, 0, done);
	rw_emit(e, STDW, BPF_REG_3, BPF_REG_5, SFI_H_LOW, 0);
	rw_emit(e, SUB_X, BPF_REG_4, BPF_REG_5, 0, 0);
	sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_4, 0, 1, done);
	return zero(s);
}

/**
 * emit_word() - emit how a pointer to a word in the packet area is made
 * @s: the translation
 * @to: register that gets the pointer
 * @at: register with the place as packet pointers are; lost
 * @wrong: label for when it is out of bounds
 *
 * r6 is the scratch.
 */
static void emit_word(struct sfi *s, uint8_t to, uint8_t at, uint32_t wrong)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, MOV32_X, at, at, 0, 0);
	rw_emit(e, ADD_K, at, 0, 0, -SFI_BASE);
	sfi_jump(s, JMP_K(BPF_JGT), at, 0, s->limit, wrong);
	rw_emit(e, MOV_X, to, BPF_REG_6, 0, 0);
	rw_emit(e, ADD_X, to, at, 0, 0);
}

/**
 * emit_carry() - emit how metadata is moved along with the packet's start
 * @s: the translation
 * @done: label for afterwards
 *
 * r6 is the scratch, r7 where the metadata was, r8 how far it moves, r9 its
 * length, a multiple of 4. Like memmove() it begins at the end that is
 * overwritten last.
 */
static void emit_carry(struct sfi *s, uint32_t done)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t loop = rw_edit_label(e), up = rw_edit_label(e);

	rw_emit(e, MOV_K, BPF_REG_1, 0, 0, 0);
	rw_edit_place(e, loop);
	if (s->g->opts->walks_on) {
		rw_emit(e, LDDW, BPF_REG_2, BPF_REG_6, SFI_H_ZERO, 0);
		rw_emit(e, ADD_X, BPF_REG_1, BPF_REG_2, 0, 0);
		sfi_jump(s, RW_MAY_GOTO, 0, 0, 0, done);
	} else {
		rw_emit(e, STDW, BPF_REG_10, BPF_REG_10, -8, 0);
	}
	sfi_jump(s, JMP_X(BPF_JGE), BPF_REG_1, BPF_REG_9, 0, done);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_1, 0, SFI_META_MAX, done);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_7, 0, 0);
	rw_emit(e, ADD_X, BPF_REG_2, BPF_REG_1, 0, 0);
	sfi_jump(s, JMP_K(BPF_JSLT), BPF_REG_8, 0, 0, up);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_7, 0, 0);
	rw_emit(e, ADD_X, BPF_REG_2, BPF_REG_9, 0, 0);
	rw_emit(e, SUB_X, BPF_REG_2, BPF_REG_1, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_2, 0, 0, -4);
	rw_edit_place(e, up);
	rw_emit(e, MOV_X, BPF_REG_5, BPF_REG_2, 0, 0);
	rw_emit(e, ADD_X, BPF_REG_5, BPF_REG_8, 0, 0);
	emit_word(s, BPF_REG_3, BPF_REG_2, done);
	rw_emit(e, LDW, BPF_REG_4, BPF_REG_3, RW_SCRATCH_PACKET, 0);
	emit_word(s, BPF_REG_3, BPF_REG_5, done);
	rw_emit(e, BPF_STX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_4, RW_SCRATCH_PACKET, 0);
	rw_emit(e, ADD_K, BPF_REG_1, 0, 0, 4);
	rw_emit_goto(e, loop);
}

/**
 * own_head() - xdp_adjust_head
 * @s: the translation
 */
static void own_head(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t wrong = rw_edit_label(e), low = rw_edit_label(e), done = rw_edit_label(e);
	uint32_t out;

	begin_move(s);
	if (s->own[SFI_OWN_META] != RW_NONE) {
		rw_emit(e, MOV_X, BPF_REG_6, BPF_REG_3, 0, 0);
		rw_emit(e, MOV_X, BPF_REG_8, BPF_REG_2, 0, 0);
	}
	rw_emit(e, LDDW, BPF_REG_0, BPF_REG_3, SFI_H_END, 0);
	/* A packet that is not copied as a whole cannot be moved. */
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_0, 0, SFI_BASE + s->limit, wrong);
	rw_emit(e, ADD_K, BPF_REG_0, 0, 0, -ETH_HLEN);
	rw_emit(e, LDDW, BPF_REG_5, BPF_REG_3, SFI_H_DATA, 0);
	rw_emit(e, ADD_X, BPF_REG_5, BPF_REG_2, 0, 0);
	sfi_jump(s, JMP_X(BPF_JGT), BPF_REG_5, BPF_REG_0, 0, wrong);
	if (s->metas) {
		rw_emit(e, LDDW, BPF_REG_9, BPF_REG_3, SFI_H_DATA, 0);
		rw_emit(e, LDDW, BPF_REG_7, BPF_REG_3, SFI_H_META, 0);
		rw_emit(e, SUB_X, BPF_REG_9, BPF_REG_7, 0, 0);
		rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_9, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_4, 0, 0, SFI_BASE + SFI_FRAME);
		sfi_jump(s, JMP_X(BPF_JLT), BPF_REG_5, BPF_REG_4, 0, wrong);
	} else {
		sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_5, 0, SFI_BASE + SFI_FRAME, wrong);
	}
	rw_emit(e, STDW, BPF_REG_3, BPF_REG_5, SFI_H_DATA, 0);
	if (s->metas) {
		rw_emit(e, LDDW, BPF_REG_5, BPF_REG_3, SFI_H_META, 0);
		rw_emit(e, ADD_X, BPF_REG_5, BPF_REG_2, 0, 0);
		rw_emit(e, STDW, BPF_REG_3, BPF_REG_5, SFI_H_META, 0);
	}
	rw_emit(e, STDW_K, BPF_REG_3, 0, SFI_H_BUSY, SFI_DIRTY);
	out = lower(s, low);
	rw_edit_place(e, low);
	if (s->own[SFI_OWN_META] != RW_NONE)
		emit_carry(s, done);
	rw_edit_place(e, done);
	ret(s, 0);
	rw_edit_place(e, wrong);
	rw_edit_place(e, out);
	ret(s, -EINVAL);
}

/**
 * own_tail() - xdp_adjust_tail
 * @s: the translation
 */
static void own_tail(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t wrong = rw_edit_label(e), done = rw_edit_label(e), out;

	begin_move(s);
	/* Twice: a sum with its summand would be tied to it. */
	rw_emit(e, LDDW, BPF_REG_5, BPF_REG_3, SFI_H_END, 0);
	rw_emit(e, LDDW, BPF_REG_4, BPF_REG_3, SFI_H_END, 0);
	rw_emit(e, ADD_X, BPF_REG_4, BPF_REG_2, 0, 0);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_4, 0, SFI_BASE + s->limit, wrong);
	rw_emit(e, LDDW, BPF_REG_0, BPF_REG_3, SFI_H_DATA, 0);
	rw_emit(e, ADD_K, BPF_REG_0, 0, 0, ETH_HLEN);
	sfi_jump(s, JMP_X(BPF_JLT), BPF_REG_4, BPF_REG_0, 0, wrong);
	rw_emit(e, STDW, BPF_REG_3, BPF_REG_4, SFI_H_END, 0);
	rw_emit(e, STDW_K, BPF_REG_3, 0, SFI_H_BUSY, SFI_DIRTY);
	sfi_jump(s, JMP_K(BPF_JSLE), BPF_REG_2, 0, 0, done);
	rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_2, 0, 0);
	out = zero(s);
	rw_edit_place(e, done);
	ret(s, 0);
	rw_edit_place(e, wrong);
	rw_edit_place(e, out);
	ret(s, -EINVAL);
}

/**
 * own_meta() - xdp_adjust_meta
 * @s: the translation
 */
static void own_meta(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t wrong = rw_edit_label(e), odd = rw_edit_label(e), done = rw_edit_label(e), out;

	begin_move(s);
	rw_emit(e, LDDW, BPF_REG_5, BPF_REG_3, SFI_H_META, 0);
	rw_emit(e, LDDW, BPF_REG_4, BPF_REG_3, SFI_H_DATA, 0);
	rw_emit(e, ADD_X, BPF_REG_5, BPF_REG_2, 0, 0);
	sfi_jump(s, JMP_X(BPF_JGT), BPF_REG_5, BPF_REG_4, 0, wrong);
	sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_5, 0, SFI_BASE + SFI_FRAME, wrong);
	rw_emit(e, SUB_X, BPF_REG_4, BPF_REG_5, 0, 0);
	sfi_jump(s, JMP_K(BPF_JSET), BPF_REG_4, 0, 3, odd);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_4, 0, SFI_META_MAX, odd);
	rw_emit(e, STDW, BPF_REG_3, BPF_REG_5, SFI_H_META, 0);
	out = lower(s, done);
	rw_edit_place(e, done);
	ret(s, 0);
	rw_edit_place(e, wrong);
	rw_edit_place(e, out);
	ret(s, -EINVAL);
	rw_edit_place(e, odd);
	ret(s, -EACCES);
}

/**
 * emit_move() - emit how the packet gets the length that the scratch says
 * @s: the translation
 * @base: register that holds the scratch
 * @start: register that gets the offset of the packet's start in the packet area
 * @len: register that gets the number of bytes that are to be stored
 * @failed: label for when that fails
 *
 * r6 is the context.
 */
static void emit_move(struct sfi *s, uint8_t base, uint8_t start, uint8_t len, uint32_t failed)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t same = rw_edit_label(e), moved = rw_edit_label(e);

	rw_emit(e, LDDW, start, base, SFI_H_DATA, 0);
	rw_emit(e, LDDW, len, base, SFI_H_END, 0);
	rw_emit(e, SUB_X, len, start, 0, 0);
	s->g->target->len(s->g, BPF_REG_0, BPF_REG_6);
	sfi_jump(s, JMP_X(BPF_JEQ), BPF_REG_0, len, 0, same);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_2, len, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_3, 0, 0, 0);
	call(s, BPF_FUNC_skb_change_tail);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0, failed);
	rw_edit_place(e, same);
	rw_emit(e, MOV32_X, start, start, 0, 0);
	rw_emit(e, ADD_K, start, 0, 0, -SFI_BASE);
	sfi_jump(s, JMP_K(BPF_JGT), start, 0, s->limit, failed);
	/*
	 * Of a packet that was not copied as a whole only the copy goes back. The
	 * start is loaded anew: nothing may become known of the one that is used.
	 */
	rw_emit(e, LDDW, BPF_REG_0, base, SFI_H_DATA, 0);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, SFI_DATA, moved);
	sfi_jump(s, JMP_K(BPF_JLE), len, 0, s->limit - RW_HEADROOM, moved);
	rw_emit(e, MOV_K, len, 0, 0, s->limit - RW_HEADROOM);
	rw_edit_place(e, moved);
	sfi_jump(s, JMP_K(BPF_JGT), len, 0, s->limit, failed);
	sfi_jump(s, JMP_K(BPF_JLT), len, 0, 1, failed);
}

/**
 * sfi_write_back() - emit how packet and scratch become the same again
 * @s: the translation
 * @base: register that holds the scratch, r7 to r9
 * @failed: label for when that fails
 *
 * r6 is the context. All registers but those are lost.
 */
void sfi_write_back(struct sfi *s, uint8_t base, uint32_t failed)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t start = base == BPF_REG_7 ? BPF_REG_8 : BPF_REG_7;
	uint8_t len = base == BPF_REG_9 ? BPF_REG_8 : BPF_REG_9;

	if (s->moves) {
		emit_move(s, base, start, len, failed);
		rw_emit(e, MOV_X, BPF_REG_3, base, 0, 0);
		rw_emit(e, ADD_X, BPF_REG_3, start, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET);
		rw_emit(e, MOV_X, BPF_REG_4, len, 0, 0);
	} else {
		s->g->target->len(s->g, BPF_REG_4, BPF_REG_6);
		rw_emit(e, JMP_K(BPF_JLE), BPF_REG_4, 0, 1, s->limit - RW_HEADROOM);
		rw_emit(e, MOV_K, BPF_REG_4, 0, 0, s->limit - RW_HEADROOM);
		sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_4, 0, 1, failed);
		rw_emit(e, MOV_X, BPF_REG_3, base, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET + RW_HEADROOM);
	}
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_2, 0, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_5, 0, 0, 0);
	call(s, BPF_FUNC_skb_store_bytes);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0, failed);
}

/**
 * own_sync() - write the packet back in the middle of the program
 * @s: the translation
 *
 * Returns 0, or something else after it has noted a fault.
 */
static void own_sync(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t failed = rw_edit_label(e), done = rw_edit_label(e);

	rw_emit(e, MOV_X, BPF_REG_6, BPF_REG_1, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_7, BPF_REG_2, 0, 0);
	rw_emit(e, LDDW, BPF_REG_0, BPF_REG_7, SFI_H_BUSY, 0);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, SFI_DIRTY, done);
	sfi_write_back(s, BPF_REG_7, failed);
	rw_emit(e, STDW_K, BPF_REG_7, 0, SFI_H_BUSY, SFI_CLEAN);
	rw_edit_place(e, done);
	ret(s, 0);
	rw_edit_place(e, failed);
	rw_emit(e, STDW_K, BPF_REG_7, 0, SFI_H_FAULT, 1);
	ret(s, 1);
}

/**
 * begin_copy() - emit what xdp_load_bytes and xdp_store_bytes have in common
 * @s: the translation
 *
 * Then r6 to r9 are the helper's arguments and r10 - 8 is the scratch; the
 * packet and the scratch are the same.
 */
static void begin_copy(struct sfi *s)
{
	const struct bpf_insn sync = { .code = RW_CALL, .src_reg = BPF_PSEUDO_CALL };
	struct rw_edit *e = &s->g->edit;
	uint32_t big = rw_edit_label(e), behind = rw_edit_label(e), good = rw_edit_label(e);

	rw_emit(e, MOV_X, BPF_REG_6, BPF_REG_1, 0, 0);
	rw_emit(e, MOV32_X, BPF_REG_7, BPF_REG_2, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_8, BPF_REG_3, 0, 0);
	rw_emit(e, MOV32_X, BPF_REG_9, BPF_REG_4, 0, 0);
	rw_emit(e, STDW, BPF_REG_10, BPF_REG_5, -8, 0);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_7, 0, COPY_MAX, big);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_9, 0, COPY_MAX, big);
	if (s->moves) {
		rw_emit(e, LDDW, BPF_REG_0, BPF_REG_5, SFI_H_END, 0);
		rw_emit(e, LDDW, BPF_REG_1, BPF_REG_5, SFI_H_DATA, 0);
		rw_emit(e, SUB_X, BPF_REG_0, BPF_REG_1, 0, 0);
	} else {
		s->g->target->len(s->g, BPF_REG_0, BPF_REG_1);
	}
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_7, 0, 0);
	rw_emit(e, ADD_X, BPF_REG_1, BPF_REG_9, 0, 0);
	sfi_jump(s, JMP_X(BPF_JLE), BPF_REG_1, BPF_REG_0, 0, good);
	rw_edit_place(e, behind);
	ret(s, -EINVAL);
	rw_edit_place(e, big);
	ret(s, -EFAULT);
	rw_edit_place(e, good);
	if (!s->writes)
		return;
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_5, 0, 0);
	rw_emit_jump(e, &sync, sfi_own(s, SFI_OWN_SYNC));
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0, behind);
}

/**
 * own_load() - xdp_load_bytes
 * @s: the translation
 */
static void own_load(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	begin_copy(s);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_7, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_3, BPF_REG_8, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_9, 0, 0);
	call(s, BPF_FUNC_skb_load_bytes);
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
}

/**
 * emit_clip() - emit how a copy ends where the window ends
 * @s: the translation
 * @none: label for when nothing is left
 *
 * r1 is where it begins in the packet area, r4 its length; r5 is lost. Behind
 * the window are the frames.
 */
static void emit_clip(struct sfi *s, uint32_t none)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, MOV_K, BPF_REG_5, 0, 0, s->limit);
	rw_emit(e, SUB_X, BPF_REG_5, BPF_REG_1, 0, 0);
	rw_emit(e, JMP_X(BPF_JLE), BPF_REG_4, BPF_REG_5, 1, 0);
	rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_5, 0, 0);
	sfi_jump(s, JMP_K(BPF_JLT), BPF_REG_4, 0, 1, none);
}

/**
 * own_store() - xdp_store_bytes: to the packet, and from there to the scratch
 * @s: the translation
 */
static void own_store(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;
	uint32_t out = rw_edit_label(e);

	begin_copy(s);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_7, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_3, BPF_REG_8, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_9, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_5, 0, 0, 0);
	call(s, BPF_FUNC_skb_store_bytes);
	sfi_jump(s, JMP_K(BPF_JNE), BPF_REG_0, 0, 0, out);
	rw_emit(e, LDDW, BPF_REG_3, BPF_REG_10, -8, 0);
	rw_emit(e, LDDW, BPF_REG_1, BPF_REG_3, s->moves ? SFI_H_DATA : SFI_H_ZERO, 0);
	rw_emit(e, ADD_X, BPF_REG_1, BPF_REG_7, 0, 0);
	if (!s->moves)
		rw_emit(e, ADD_K, BPF_REG_1, 0, 0, SFI_DATA);
	rw_emit(e, MOV32_X, BPF_REG_1, BPF_REG_1, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_1, 0, 0, -SFI_BASE);
	/* What lies behind the window is in the packet alone. */
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_1, 0, s->limit, out);
	sfi_jump(s, JMP_K(BPF_JGT), BPF_REG_9, 0, s->limit, out);
	rw_emit(e, ADD_X, BPF_REG_3, BPF_REG_1, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_3, 0, 0, RW_SCRATCH_PACKET);
	rw_emit(e, MOV_X, BPF_REG_4, BPF_REG_9, 0, 0);
	if (s->frames)
		emit_clip(s, out);
	rw_emit(e, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_7, 0, 0);
	call(s, BPF_FUNC_skb_load_bytes);
	rw_edit_place(e, out);
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
}

/**
 * sfi_emit_own() - emit the own functions that are used
 * @s: the translation
 */
void sfi_emit_own(struct sfi *s)
{
	static void (*const emit[SFI_OWN_MAX])(struct sfi *) = {
		[SFI_OWN_HEAD] = own_head, [SFI_OWN_TAIL] = own_tail,
		[SFI_OWN_META] = own_meta, [SFI_OWN_LOAD] = own_load,
		[SFI_OWN_STORE] = own_store,
		[SFI_OWN_SYNC] = own_sync, /* last: the others use it */
	};

	for (int own = 0; own < SFI_OWN_MAX; own++) {
		if (s->own[own] == RW_NONE)
			continue;
		rw_edit_own(&s->g->edit);
		rw_edit_place(&s->g->edit, s->own[own]);
		emit[own](s);
	}
}
