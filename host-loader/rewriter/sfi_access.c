// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: loads from the packet and stores to it
 *
 * Two things are checked of an access. It must stay in the scratch: that is
 * what the host's verifier asks for, and an offset that is constant needs no
 * check in the program. And it must stay in the packet: an XDP verifier asks
 * for a comparison with data_end in front of each access; where the analysis
 * finds that comparison, none is added, and where it does not, one is. Either
 * check failing is a fault, which drops the packet.
 *
 * A register that moves a map value's pointer must have the same limits on all
 * paths. The 32-bit move in front of each check is for that: unlike one of 64
 * bits it does not tie the copy to the original, so that what the check tells
 * of the copy does not become known of the original. Where the tenant's own
 * program moves a pointer into a map value by a register, a zero that the
 * verifier does not know is added first, and a check gives it one limit.
 */
#include <errno.h>

#include "sfi.h"

/**
 * sfi_take() - borrow a register
 * @s: the translation
 * @at: index of the instruction at hand, no jump
 * @used: bit n set: not register n
 * @nth: how many have been borrowed already
 *
 * Return: the register; to be given back
 */
struct sfi_temp sfi_take(struct sfi *s, uint32_t at, uint16_t used, int nth)
{
	const struct rw_gen *g = s->g;
	const struct bpf_insn *insn = &g->code->insns[at];
	uint16_t live = g->live[at];
	struct sfi_temp t = { 0 };

	used |= (uint16_t)(1u << insn->dst_reg | 1u << insn->src_reg);
	used |= (uint16_t)(s->scratch_reg ? 1u << s->scratch_reg : 0);
	if (rw_is_atomic(insn) && insn->imm == BPF_CMPXCHG)
		used |= 1u << BPF_REG_0;
	if (s->group.last != RW_NONE && at <= s->group.last)
		used |= (uint16_t)(1u << s->group.reg);
	for (t.reg = 0; t.reg < BPF_REG_10; t.reg++)
		if (!((live | used) & 1u << t.reg))
			return t;
	for (t.reg = 0; used & 1u << t.reg;)
		t.reg++;
	t.slot = s->spill_slot[nth];
	rw_emit(&s->g->edit, STDW, BPF_REG_10, t.reg, t.slot, 0);
	return t;
}

/**
 * sfi_give_back() - end the use of a borrowed register
 * @s: the translation
 * @t: the register
 */
void sfi_give_back(struct sfi *s, struct sfi_temp t)
{
	if (t.slot)
		rw_emit(&s->g->edit, LDDW, t.reg, BPF_REG_10, t.slot, 0);
}

/**
 * pointer() - the register that an instruction accesses memory by
 * @insn: a load or a store
 *
 * Return: its number
 */
static uint8_t pointer(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LDX ? insn->src_reg : insn->dst_reg;
}

/**
 * sfi_touches() - can a load or a store be one of the packet's?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if so
 */
bool sfi_touches(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	uint8_t class = BPF_CLASS(insn->code);

	return (class == BPF_LDX || class == BPF_ST || class == BPF_STX) &&
	       (g->an->at[at].reg[pointer(insn)].kinds & (RW_PKT | RW_META));
}

/**
 * sfi_stores() - does an instruction store to the packet?
 * @g: the translation
 * @at: index of the instruction
 *
 * Return: true if so; metadata does not count, as it is not sent
 */
bool sfi_stores(const struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	return sfi_touches(g, at) && BPF_CLASS(insn->code) != BPF_LDX &&
	       (g->an->at[at].reg[insn->dst_reg].kinds & RW_PKT);
}

/**
 * sfi_is_packet() - can a value be used as a packet pointer?
 * @v: the value
 *
 * It may be a number on some path, above all NULL: as a packet pointer that
 * lies outside of any packet.
 *
 * Return: true if it is one on some path, and no other pointer on any
 */
bool sfi_is_packet(const struct rw_val *v)
{
	return (v->kinds & RW_PKT) && !(v->kinds & ~(RW_PKT | RW_SCALAR | RW_UNINIT));
}

/**
 * sfi_inside() - has the program itself made sure that bytes are in the packet?
 * @v: a packet pointer
 * @off: added to it
 * @size: number of bytes
 *
 * Return: true if so
 */
bool sfi_inside(const struct rw_val *v, int32_t off, uint32_t size)
{
	return v->kinds == RW_PKT && v->known && v->off + off >= 0 &&
	       v->off + off + size <= v->range;
}

/**
 * sfi_fixed() - are bytes at a constant place in the scratch?
 * @s: the translation
 * @v: a packet pointer
 * @off: added to it
 * @size: number of bytes
 *
 * Return: true if so; then @v->off + @off counts from RW_HEADROOM
 */
bool sfi_fixed(const struct sfi *s, const struct rw_val *v, int32_t off, uint32_t size)
{
	return rw_val_is(v, RW_PKT) && v->known && v->base == RW_BASE_DATA && v->off + off >= 0 &&
	       RW_HEADROOM + v->off + off + size <= s->limit;
}

/**
 * sfi_survey_access() - note what a load or a store of the packet's takes
 * @s: the translation
 * @at: index of the instruction, of which sfi_touches() says so
 */
void sfi_survey_access(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_val *v = &s->g->an->at[at].reg[pointer(insn)];

	s->varies |= !sfi_fixed(s, v, insn->off, rw_size(insn));
	s->checks |= !sfi_inside(v, insn->off, rw_size(insn));
}

/**
 * emit_place() - put the place of an access in the scratch into a register
 * @s: the translation
 * @ptr: register with the packet pointer
 * @v: what is known of it
 * @off: added to it
 * @size: number of bytes
 * @t: register that gets the offset; not @ptr, unless @ptr is not needed any more
 * @to: another one; the same
 *
 * A check that fails goes to the fault path.
 *
 * Return: the one of the two that is the pointer to the scratch plus the offset
 */
static uint8_t emit_place(struct sfi *s, uint8_t ptr, const struct rw_val *v, int32_t off,
			  uint32_t size, uint8_t t, uint8_t to)
{
	struct rw_edit *e = &s->g->edit;

	rw_emit(e, MOV32_X, t, ptr, 0, 0);
	rw_emit(e, ADD_K, t, 0, 0, off - SFI_BASE);
	/* It may be a constant on this path, that of a pointer that is still NULL. */
	if (s->g->opts->walks_on) {
		sfi_header(s, to, SFI_H_ZERO);
		rw_emit(e, ADD_X, t, to, 0, 0);
	}
	sfi_fault(s, JMP_K(BPF_JGT), t, 0, s->limit - (int32_t)size);
	if (!sfi_inside(v, off, size)) {
		/* Metadata ends where the packet starts. */
		if (v->kinds == RW_META)
			sfi_start(s, to);
		else
			sfi_header(s, to, SFI_H_END);
		rw_emit(e, SUB_X, to, t, 0, 0);
		sfi_fault(s, JMP_K(BPF_JLT), to, 0, SFI_BASE + (int32_t)size);
	}
	if (s->scratch_reg) {
		rw_emit(e, ADD_X, t, s->scratch_reg, 0, 0);
		return t;
	}
	sfi_scratch(s, to);
	rw_emit(e, ADD_X, to, t, 0, 0);
	return to;
}

/**
 * sfi_emit_access() - emit a tenant's load or store with another pointer
 * @s: the translation
 * @at: index of the instruction
 * @ptr: register with the pointer
 * @off: offset from it
 */
void sfi_emit_access(struct sfi *s, uint32_t at, uint8_t ptr, int32_t off)
{
	struct bpf_insn insn = s->g->code->insns[at];

	if (BPF_CLASS(insn.code) == BPF_LDX)
		insn.src_reg = ptr & 0xf;
	else
		insn.dst_reg = ptr & 0xf;
	insn.off = (int16_t)off;
	rw_emit_insn(&s->g->edit, &insn);
}

/**
 * emit_end_check() - check a place that is constant against the packet's end
 * @s: the translation
 * @v: the packet pointer
 * @off: added to it
 * @size: number of bytes
 * @t: a register for it
 */
static void emit_end_check(struct sfi *s, const struct rw_val *v, int32_t off, uint32_t size,
			   uint8_t t)
{
	if (sfi_inside(v, off, size))
		return;
	sfi_header(s, t, SFI_H_END);
	sfi_fault(s, JMP_K(BPF_JLT), t, 0, (int32_t)(SFI_DATA + v->off + off + size));
}

/**
 * check_kind() - is it known that an access is one to the packet?
 * @s: the translation
 * @at: index of the instruction
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int check_kind(const struct sfi *s, uint32_t at)
{
	uint8_t reg = pointer(&s->g->code->insns[at]);
	const struct rw_val *v = &s->g->an->at[at].reg[reg];

	if (sfi_is_packet(v) || rw_val_is(v, RW_META))
		return 0;
	return CANNOT(s->g, at, "uses r%u, which is a packet pointer on some paths and something "
		      "else on others", reg);
}

/**
 * sfi_load() - a load from the packet
 * @s: the translation
 * @at: index of the load
 *
 * Return: 0 or -EOPNOTSUPP
 */
int sfi_load(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_val *v = &s->g->an->at[at].reg[insn->src_reg];
	uint8_t dst = insn->dst_reg;
	uint32_t size = rw_size(insn);
	struct sfi_temp t;
	int32_t off;
	int err;

	err = check_kind(s, at);
	if (err)
		return err;
	if (sfi_group(s, at, &off)) {
		sfi_emit_access(s, at, s->group.reg, off);
		return 0;
	}
	if (sfi_fixed(s, v, insn->off, size)) {
		emit_end_check(s, v, insn->off, size, dst);
		sfi_emit_access(s, at, sfi_base(s, dst),
			    RW_SCRATCH_PACKET + RW_HEADROOM + (int32_t)v->off + insn->off);
		return 0;
	}
	t = sfi_take(s, at, 0, 0);
	dst = emit_place(s, insn->src_reg, v, insn->off, size, t.reg, dst);
	sfi_emit_access(s, at, dst, RW_SCRATCH_PACKET);
	sfi_give_back(s, t);
	return 0;
}

/**
 * mark() - emit the mark that the packet is changed
 * @s: the translation
 * @base: register that holds the scratch
 *
 * Once is enough as long as no path meets this one and nothing is called.
 */
static void mark(struct sfi *s, uint8_t base)
{
	rw_emit(&s->g->edit, STDW_K, base, 0, SFI_H_BUSY, SFI_DIRTY);
	s->marked = true;
}

/**
 * fixed_store() - a store to a constant place in the scratch
 * @s: the translation
 * @at: index of the store
 * @v: the packet pointer
 * @size: number of bytes
 */
static void fixed_store(struct sfi *s, uint32_t at, const struct rw_val *v, uint32_t size)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	int32_t place = RW_SCRATCH_PACKET + RW_HEADROOM + (int32_t)v->off + insn->off;
	bool borrow = !s->scratch_reg || !sfi_inside(v, insn->off, size);
	struct sfi_temp t = { 0 };
	uint8_t base;

	if (borrow)
		t = sfi_take(s, at, 0, 0);
	emit_end_check(s, v, insn->off, size, t.reg);
	base = sfi_base(s, t.reg);
	if (!s->marked)
		mark(s, base);
	sfi_emit_access(s, at, base, place);
	if (borrow)
		sfi_give_back(s, t);
}

/**
 * group_store() - a store by a pointer that others share
 * @s: the translation
 * @at: index of the store
 * @off: offset from that pointer
 */
static void group_store(struct sfi *s, uint32_t at, int32_t off)
{
	struct sfi_temp t;

	if (!s->marked && s->group.ptr == RW_REGS) {
		mark(s, s->group.reg);
	} else if (!s->marked && s->scratch_reg) {
		mark(s, s->scratch_reg);
	} else if (!s->marked) {
		t = sfi_take(s, at, 0, 0);
		mark(s, sfi_base(s, t.reg));
		sfi_give_back(s, t);
	}
	sfi_emit_access(s, at, s->group.reg, off);
}

/**
 * sfi_store() - a store to the packet
 * @s: the translation
 * @at: index of the store
 *
 * Return: 0, -EINVAL or -EOPNOTSUPP
 */
int sfi_store(struct sfi *s, uint32_t at)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	const struct rw_val *v = &s->g->an->at[at].reg[insn->dst_reg];
	uint32_t size = rw_size(insn);
	struct sfi_temp t, u;
	uint8_t to;
	int32_t off;
	int err;

	err = check_kind(s, at);
	if (err)
		return err;
	if (rw_is_atomic(insn))
		return rw_refuse(s->g->why, -EINVAL, at,
				 "an atomic operation on the packet, which XDP does not have");
	if (sfi_group(s, at, &off)) {
		group_store(s, at, off);
		return 0;
	}
	if (sfi_fixed(s, v, insn->off, size)) {
		fixed_store(s, at, v, size);
		return 0;
	}
	t = sfi_take(s, at, 0, 0);
	u = sfi_take(s, at, (uint16_t)(1u << t.reg), 1);
	to = emit_place(s, insn->dst_reg, v, insn->off, size, t.reg, u.reg);
	/* The scratch once more: what has been added to it stays added. */
	if (v->kinds != RW_META && !s->marked)
		mark(s, sfi_base(s, t.reg));
	sfi_emit_access(s, at, to, RW_SCRATCH_PACKET);
	sfi_give_back(s, u);
	sfi_give_back(s, t);
	return 0;
}

/**
 * sfi_moves_value() - does an instruction move a map value's pointer by a register?
 * @g: the translation
 * @at: index of the instruction
 * @limit: result: the greatest number by which it can do so
 *
 * Return: true if so, and if it is known what is done with the pointer then
 */
bool sfi_moves_value(const struct rw_gen *g, uint32_t at, int32_t *limit)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	const struct rw_val *ptr = &g->an->at[at].reg[insn->dst_reg];
	const struct rw_val *by = &g->an->at[at].reg[insn->src_reg];
	uint32_t reach = g->an->at[at].reach;
	int64_t most;

	if (insn->code != ADD_X)
		return false;
	if (ptr->kinds == RW_SCALAR) {
		const struct rw_val *swap = ptr;

		ptr = by;
		by = swap;
	}
	if (!rw_val_is(ptr, RW_VALUE) || !ptr->known || ptr->base != RW_BASE_VALUE ||
	    ptr->map == RW_NONE || by->kinds != RW_SCALAR || by->known)
		return false;
	most = (int64_t)g->prog->maps[ptr->map].value_size - ptr->off;
	if (!g->an->loose_value && reach && reach != RW_NONE)
		most -= reach;
	else if (by->limits.max < (uint64_t)(most < 0 ? 0 : most))
		most = (int64_t)by->limits.max;
	else
		return false;
	if (most < 0 || most > RW_OFF_MAX)
		return false;
	*limit = (int32_t)most;
	return true;
}

/**
 * sfi_move_value() - a map value's pointer plus a register
 * @s: the translation
 * @at: index of the instruction, of which sfi_moves_value() says so
 * @limit: the greatest number
 */
void sfi_move_value(struct sfi *s, uint32_t at, int32_t limit)
{
	const struct bpf_insn *insn = &s->g->code->insns[at];
	bool swapped = s->g->an->at[at].reg[insn->dst_reg].kinds == RW_SCALAR;
	struct sfi_temp t = sfi_take(s, at, 0, 0);
	struct rw_edit *e = &s->g->edit;

	sfi_header(s, t.reg, SFI_H_ZERO);
	rw_emit(e, ADD_X, t.reg, swapped ? insn->dst_reg : insn->src_reg, 0, 0);
	sfi_fault(s, JMP_K(BPF_JGT), t.reg, 0, limit);
	if (swapped)
		rw_emit(e, MOV_X, insn->dst_reg, insn->src_reg, 0, 0);
	rw_emit(e, ADD_X, insn->dst_reg, t.reg, 0, 0);
	sfi_give_back(s, t);
}
