// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: calls of helpers
 *
 * An argument that points into the packet becomes a pointer into the scratch,
 * checked like an access. The helpers that are XDP's own work on the scratch,
 * by functions that sfi_own.c adds to the program; the target does the rest.
 */
#include <errno.h>

#include "sfi.h"

/**
 * is_memory() - is an argument of a kind that can point into the packet?
 * @arg: the kind
 *
 * Return: true if so
 */
static bool is_memory(enum wl_arg arg)
{
	return arg == WL_KEY || arg == WL_VALUE || arg == WL_MEM || arg == WL_MEM_NULL ||
	       arg == WL_OUT;
}

/**
 * sfi_helper_copies() - does an instruction call xdp_load_bytes or xdp_store_bytes?
 * @insn: the instruction
 *
 * Return: true if so
 */
bool sfi_helper_copies(const struct bpf_insn *insn)
{
	return insn->code == RW_CALL && !insn->src_reg &&
	       (insn->imm == BPF_FUNC_xdp_load_bytes || insn->imm == BPF_FUNC_xdp_store_bytes);
}

/**
 * sfi_is_memory() - is an argument of a helper memory?
 * @g: the translation
 * @at: index of the call
 * @i: number of the argument, from 0
 *
 * Return: true if so
 */
bool sfi_is_memory(const struct rw_gen *g, uint32_t at, int i)
{
	return is_memory(wl_find((uint32_t)g->code->insns[at].imm)->args[i]);
}

/**
 * points_into() - does an argument of a helper point into the packet?
 * @g: the translation
 * @at: index of the call
 * @i: number of the argument, from 0
 *
 * Return: true if it can
 */
static bool points_into(const struct rw_gen *g, uint32_t at, int i)
{
	const struct wl_helper *h = wl_find((uint32_t)g->code->insns[at].imm);

	return is_memory(h->args[i]) &&
	       (g->an->at[at].reg[BPF_REG_1 + i].kinds & (RW_PKT | RW_META));
}

/**
 * sfi_helper_uses() - does the call of a helper need the scratch?
 * @g: the translation
 * @at: index of the call
 *
 * Return: true if so
 */
bool sfi_helper_uses(const struct rw_gen *g, uint32_t at)
{
	switch (g->code->insns[at].imm) {
	case BPF_FUNC_xdp_adjust_head:
	case BPF_FUNC_xdp_adjust_tail:
	case BPF_FUNC_xdp_adjust_meta:
	case BPF_FUNC_xdp_get_buff_len:
	case BPF_FUNC_xdp_load_bytes:
	case BPF_FUNC_xdp_store_bytes:
		return true;
	}
	for (int i = 0; i < WL_ARGS; i++)
		if (points_into(g, at, i))
			return true;
	return false;
}

/**
 * known_size() - how long the memory is that an argument points to
 * @s: the translation
 * @at: index of the call
 * @i: number of the argument, from 0
 * @size: result
 *
 * Return: true if it is a constant; else it is in the next argument's register
 */
static bool known_size(const struct sfi *s, uint32_t at, int i, uint32_t *size)
{
	const struct rw_gen *g = s->g;
	const struct rw_val *reg = g->an->at[at].reg;
	const struct wl_helper *h = wl_find((uint32_t)g->code->insns[at].imm);
	const struct rw_val *len = &reg[BPF_REG_1 + i + 1];

	*size = 0;
	if (h->args[i] != WL_KEY && h->args[i] != WL_VALUE) {
		if (len->kinds != RW_SCALAR || !len->known || len->off < 0 ||
		    len->off > s->limit)
			return false;
		*size = (uint32_t)len->off;
		return true;
	}
	for (int m = 0; m < i; m++)
		if (h->args[m] == WL_MAP && reg[BPF_REG_1 + m].map != RW_NONE)
			*size = h->args[i] == WL_KEY
				? g->prog->maps[reg[BPF_REG_1 + m].map].key_size
				: g->prog->maps[reg[BPF_REG_1 + m].map].value_size;
	return true;
}

/**
 * sfi_memory_size() - how long the memory is at most that an argument points to
 * @s: the translation
 * @at: index of the call
 * @i: number of the argument, from 0
 *
 * Return: bytes, or RW_NONE if that is not known
 */
uint32_t sfi_memory_size(const struct sfi *s, uint32_t at, int i)
{
	uint32_t size;

	return known_size(s, at, i, &size) ? size : RW_NONE;
}

/**
 * sfi_survey_helper() - note what the packet pointers among a helper's arguments take
 * @s: the translation
 * @at: index of the call
 */
void sfi_survey_helper(struct sfi *s, uint32_t at)
{
	for (int i = 0; i < WL_ARGS; i++) {
		const struct rw_val *v = &s->g->an->at[at].reg[BPF_REG_1 + i];
		uint32_t size;

		if (!points_into(s->g, at, i))
			continue;
		if (!known_size(s, at, i, &size) || !sfi_inside(v, 0, size))
			s->varies = s->checks = true;
		s->varies |= !sfi_fixed(s, v, 0, size);
	}
}

/**
 * emit_argument() - turn a packet pointer into one into the scratch
 * @s: the translation
 * @at: index of the call
 * @i: number of the argument, from 0
 *
 * r0 is free: the helper's result goes there.
 *
 * Return: 0, -EINVAL or -EOPNOTSUPP
 */
static int emit_argument(struct sfi *s, uint32_t at, int i)
{
	struct rw_edit *e = &s->g->edit;
	uint8_t reg = (uint8_t)(BPF_REG_1 + i);
	const struct rw_val *v = &s->g->an->at[at].reg[reg];
	uint32_t size;
	bool known = known_size(s, at, i, &size);

	if (!sfi_is_packet(v))
		return CANNOT(s->g, at, "argument %d of a helper is a packet pointer on some paths "
			      "and something else on others, or points to metadata", reg);
	if (sfi_helper_copies(&s->g->code->insns[at]))
		return rw_refuse(s->g->why, -EINVAL, at, "argument %d of helper %s is a packet "
				 "pointer, which XDP does not allow", reg,
				 wl_find((uint32_t)s->g->code->insns[at].imm)->name);
	if (known && size > (uint32_t)s->limit)
		return CANNOT(s->g, at, "argument %d of a helper is longer than any packet", reg);
	if (known && sfi_fixed(s, v, 0, size) && sfi_inside(v, 0, size)) {
		sfi_scratch(s, reg);
		rw_emit(e, ADD_K, reg, 0, 0,
			RW_SCRATCH_PACKET + RW_HEADROOM + (int32_t)v->off);
		return 0;
	}
	rw_emit(e, MOV32_X, reg, reg, 0, 0);
	rw_emit(e, ADD_K, reg, 0, 0, -SFI_BASE);
	sfi_fault(s, JMP_K(BPF_JGT), reg, 0, s->limit - (int32_t)size);
	if (!known || !sfi_inside(v, 0, size)) {
		sfi_header(s, BPF_REG_0, SFI_H_END);
		rw_emit(e, SUB_X, BPF_REG_0, reg, 0, 0);
		rw_emit(e, ADD_K, BPF_REG_0, 0, 0, -SFI_BASE);
		/* A negative number is no length: the packet ends before it begins. */
		sfi_fault(s, JMP_K(BPF_JSLT), BPF_REG_0, 0, known ? (int32_t)size : 0);
		if (!known) {
			sfi_fault(s, JMP_X(BPF_JLT), BPF_REG_0, (uint8_t)(reg + 1), 0);
			/* The packet can end behind the window. */
			rw_emit(e, MOV_K, BPF_REG_0, 0, 0, s->limit);
			rw_emit(e, SUB_X, BPF_REG_0, reg, 0, 0);
			sfi_fault(s, JMP_X(BPF_JLT), BPF_REG_0, (uint8_t)(reg + 1), 0);
		}
	}
	sfi_scratch(s, BPF_REG_0);
	rw_emit(e, ADD_X, BPF_REG_0, reg, 0, 0);
	rw_emit(e, MOV_X, reg, BPF_REG_0, 0, 0);
	rw_emit(e, ADD_K, reg, 0, 0, RW_SCRATCH_PACKET);
	return 0;
}

/**
 * call_own() - call an own function in the place of a helper
 * @s: the translation
 * @own: the function
 * @reg: register in which it wants the scratch
 */
static void call_own(struct sfi *s, enum sfi_own own, uint8_t reg)
{
	const struct bpf_insn call = { .code = RW_CALL, .src_reg = BPF_PSEUDO_CALL };

	sfi_scratch(s, reg);
	rw_emit_jump(&s->g->edit, &call, sfi_own(s, own));
}

/**
 * emit_call() - emit what takes the place of a call
 * @s: the translation
 * @at: index of the call
 * @h: the helper
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int emit_call(struct sfi *s, uint32_t at, const struct wl_helper *h)
{
	struct rw_edit *e = &s->g->edit;

	switch (s->g->code->insns[at].imm) {
	case BPF_FUNC_xdp_adjust_head:
		call_own(s, SFI_OWN_HEAD, BPF_REG_3);
		return 0;
	case BPF_FUNC_xdp_adjust_tail:
		call_own(s, SFI_OWN_TAIL, BPF_REG_3);
		return 0;
	case BPF_FUNC_xdp_adjust_meta:
		call_own(s, SFI_OWN_META, BPF_REG_3);
		return 0;
	case BPF_FUNC_xdp_get_buff_len:
		if (!s->moves) {
			s->g->target->len(s->g, BPF_REG_0, BPF_REG_1);
			return 0;
		}
		sfi_scratch(s, BPF_REG_1);
		rw_emit(e, LDDW, BPF_REG_0, BPF_REG_1, SFI_H_END, 0);
		rw_emit(e, LDDW, BPF_REG_1, BPF_REG_1, SFI_H_DATA, 0);
		rw_emit(e, SUB_X, BPF_REG_0, BPF_REG_1, 0, 0);
		return 0;
	case BPF_FUNC_xdp_load_bytes:
	case BPF_FUNC_xdp_store_bytes:
		call_own(s, s->g->code->insns[at].imm == BPF_FUNC_xdp_load_bytes ? SFI_OWN_LOAD
										 : SFI_OWN_STORE,
			 BPF_REG_5);
		if (!s->writes)
			return 0;
		/* To write the packet back can fail, which ends the program. */
		sfi_header(s, BPF_REG_1, SFI_H_FAULT);
		sfi_fault(s, JMP_K(BPF_JNE), BPF_REG_1, 0, 0);
		return 0;
	default:
		return s->g->target->helper(s->g, at, h);
	}
}

/**
 * clear_buffer() - emit how pointers are zeroed that a helper is about to overwrite
 * @s: the translation
 * @at: index of the call
 * @i: number of the argument that is the helper's buffer, from 0
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int clear_buffer(struct sfi *s, uint32_t at, int i)
{
	const struct rw_val *reg = s->g->an->at[at].reg, *v = &reg[BPF_REG_1 + i];

	if (v->kinds & RW_STACK && v->map == rw_func_at(s->g->code, at) && v->known)
		return sfi_clear(s, at, BPF_REG_10, &reg[BPF_REG_10]);
	return sfi_clear(s, at, (uint8_t)(BPF_REG_1 + i), v);
}

/**
 * sfi_helper() - the call of a helper
 * @s: the translation
 * @at: index of the call
 *
 * Return: 0, -EINVAL or -EOPNOTSUPP
 */
int sfi_helper(struct sfi *s, uint32_t at)
{
	const struct wl_helper *h = wl_find((uint32_t)s->g->code->insns[at].imm);
	const struct rw_val *reg = &s->g->an->at[at].reg[BPF_REG_1];
	int err;

	for (int i = 0; i < WL_ARGS; i++) {
		err = 0;
		if (h->args[i] == WL_OUT)
			err = clear_buffer(s, at, i);
		if (!err && s->frames && is_memory(h->args[i]) && (reg[i].kinds & RW_STACK))
			err = sfi_stack_argument(s, at, i);
		else if (!err && points_into(s->g, at, i))
			err = emit_argument(s, at, i);
		if (err)
			return err;
	}
	return emit_call(s, at, h);
}
