// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Target skb: a program of type SCHED_CLS at a TAP's tcx egress
 *
 * The packet is in a socket buffer that the trusted program in front has made
 * linear, so data and data_end are the buffer's own and the packet's length is
 * the buffer's. XDP's verdicts become tcx's in an epilogue of the entry
 * function, which also counts them, by VIRTIO_BPF_CNT_*: PASS hands the packet
 * to the next program, TX sends it in at the TAP as if the guest had sent it,
 * all else drops it.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include "gen.h"
#include "refuse.h"
#include "virtio_bpf.h"

#define ADD_K	(BPF_ALU64 | BPF_ADD | BPF_K)
#define MOV_K	(BPF_ALU64 | BPF_MOV | BPF_K)
#define MOV_X	(BPF_ALU64 | BPF_MOV | BPF_X)
#define MOV32_K	(BPF_ALU | BPF_MOV | BPF_K)
#define MOV32_X	(BPF_ALU | BPF_MOV | BPF_X)
#define LDW	(BPF_LDX | BPF_MEM | BPF_W)
#define LDDW	(BPF_LDX | BPF_MEM | BPF_DW)
#define STW	(BPF_STX | BPF_MEM | BPF_W)
#define STDW	(BPF_STX | BPF_MEM | BPF_DW)

#define COPY_MAX	0xffff	/* greatest offset and length of xdp_load_bytes */

/**
 * skb_ctx_load() - a context field that is no packet pointer
 * @g: the translation
 * @at: index of the load
 *
 * Return: 0, -EOPNOTSUPP for a field that there is none of here, or -EINVAL for
 *         one that XDP has not either
 */
static int skb_ctx_load(struct rw_gen *g, uint32_t at)
{
	const struct bpf_insn *insn = &g->code->insns[at];

	switch (insn->off) {
	case offsetof(struct xdp_md, ingress_ifindex):
		rw_emit(&g->edit, MOV32_K, insn->dst_reg, 0, 0, (int32_t)g->prog->ifindex);
		return 0;
	case offsetof(struct xdp_md, rx_queue_index):
		rw_emit(&g->edit, MOV32_K, insn->dst_reg, 0, 0, 0);
		return 0;
	case offsetof(struct xdp_md, egress_ifindex):
		return rw_refuse(g->why, -EOPNOTSUPP, at,
				 "reads ctx->egress_ifindex, which only devmap programs have");
	default:
		return rw_refuse(g->why, -EINVAL, at, "reads the context at offset %d, "
				 "where it has no field", insn->off);
	}
}

/**
 * skb_pkt_load() - the packet's start or end
 * @g: the translation
 * @at: index of the load
 * @kind: RW_PKT or RW_END
 */
static void skb_pkt_load(struct rw_gen *g, uint32_t at, uint16_t kind)
{
	const struct bpf_insn *insn = &g->code->insns[at];
	size_t off = kind == RW_PKT ? offsetof(struct __sk_buff, data)
				    : offsetof(struct __sk_buff, data_end);

	rw_emit(&g->edit, LDW, insn->dst_reg, insn->src_reg, (int16_t)off, 0);
}

/**
 * skb_len() - the packet's length
 * @g: the translation
 * @dst: register that gets it
 * @ctx: register that holds the context; may be @dst
 */
static void skb_len(struct rw_gen *g, uint8_t dst, uint8_t ctx)
{
	rw_emit(&g->edit, LDW, dst, ctx, (int16_t)offsetof(struct __sk_buff, len), 0);
}

/**
 * emit_bounds() - emit the checks of xdp_load_bytes and xdp_store_bytes
 * @g: the translation
 * @skip: instructions of the call behind this
 *
 * Their counterparts for socket buffers fail with another error, and the one
 * that loads zeroes the buffer then. r1 is the context, r2 the offset, r4 the
 * length; r5 is free. On failure the call is jumped over.
 */
static void emit_bounds(struct rw_gen *g, int16_t skip)
{
	struct rw_edit *e = &g->edit;

	rw_emit(e, MOV32_X, BPF_REG_2, BPF_REG_2, 0, 0);
	rw_emit(e, MOV32_X, BPF_REG_4, BPF_REG_4, 0, 0);
	rw_emit(e, MOV_K, BPF_REG_0, 0, 0, -EFAULT);
	rw_emit(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_2, 0, (int16_t)(skip + 6), COPY_MAX);
	rw_emit(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_4, 0, (int16_t)(skip + 5), COPY_MAX);
	rw_emit(e, MOV_K, BPF_REG_0, 0, 0, -EINVAL);
	skb_len(g, BPF_REG_5, BPF_REG_1);
	rw_emit(e, BPF_JMP | BPF_JLT | BPF_X, BPF_REG_5, BPF_REG_2, (int16_t)(skip + 2), 0);
	rw_emit(e, BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_5, BPF_REG_2, 0, 0);
	rw_emit(e, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_4, BPF_REG_5, skip, 0);
}

/**
 * skb_helper() - the counterpart of a helper
 * @g: the translation
 * @at: index of the call
 * @h: the helper
 *
 * Return: 0, or -EOPNOTSUPP if there is none without a copy of the packet
 */
static int skb_helper(struct rw_gen *g, uint32_t at, const struct wl_helper *h)
{
	switch ((enum wl_skb)h->skb) {
	case WL_SKB_CALL:
		if (h->skb_id == BPF_FUNC_skb_load_bytes || h->skb_id == BPF_FUNC_skb_store_bytes)
			emit_bounds(g, h->skb_zero ? 2 : 1);
		if (h->skb_zero)
			rw_emit(&g->edit, MOV_K, h->skb_zero, 0, 0, 0);
		rw_emit(&g->edit, RW_CALL, 0, 0, 0, (int32_t)h->skb_id);
		return 0;
	case WL_SKB_LEN:
		skb_len(g, BPF_REG_0, BPF_REG_1);
		return 0;
	case WL_SKB_ZERO:
		rw_emit(&g->edit, MOV_K, BPF_REG_0, 0, 0, 0);
		return 0;
	case WL_SKB_SFI:
	case WL_SKB_NONE:
		break;
	}
	return rw_refuse(g->why, -EOPNOTSUPP, at,
			 "helper %s works on a copy of the packet only (form sfi)", h->name);
}

/**
 * emit_count() - count the verdict in r6; r0 to r5 are lost
 * @g: the translation
 */
static void emit_count(struct rw_gen *g)
{
	struct rw_edit *e = &g->edit;

	rw_emit(e, STW, BPF_REG_10, BPF_REG_6, g->target_slot, 0);
	rw_emit(e, MOV_X, BPF_REG_2, BPF_REG_10, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_2, 0, 0, g->target_slot);
	rw_emit_map(e, BPF_REG_1, RW_HANDLE_COUNTERS);
	rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	rw_emit(e, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 3, 0);
	/* Bottom halves are off here: nobody else counts on this CPU. */
	rw_emit(e, LDDW, BPF_REG_1, BPF_REG_0, 0, 0);
	rw_emit(e, ADD_K, BPF_REG_1, 0, 0, 1);
	rw_emit(e, STDW, BPF_REG_0, BPF_REG_1, 0, 0);
}

/**
 * skb_verdict() - put the index of the verdict's counter into r6
 * @g: the translation; the verdict is in r0
 */
static void skb_verdict(struct rw_gen *g)
{
	struct rw_edit *e = &g->edit;
	bool valid = rw_gen_max_verdict(g) <= XDP_TX, fault = g->fault != RW_NONE;

	rw_emit(e, MOV32_X, BPF_REG_6, BPF_REG_0, 0, 0);
	if (!valid) {
		rw_emit(e, BPF_JMP | BPF_JLE | BPF_K, BPF_REG_6, 0, fault ? 3 : 1, XDP_TX);
		rw_emit(e, MOV_K, BPF_REG_6, 0, 0, VIRTIO_BPF_CNT_INVALID);
	}
	if (!fault)
		return;
	rw_emit(e, RW_JA, 0, 0, 1, 0);
	rw_edit_place(e, g->fault);
	rw_emit(e, MOV_K, BPF_REG_6, 0, 0, VIRTIO_BPF_CNT_FAULT);
}

/**
 * skb_finish() - count the verdict in r6 and return tcx's counterpart
 * @g: the translation
 */
static void skb_finish(struct rw_gen *g)
{
	struct rw_edit *e = &g->edit;
	bool sends = rw_gen_max_verdict(g) >= XDP_TX;

	emit_count(g);
	rw_emit(e, MOV_K, BPF_REG_0, 0, 0, TC_ACT_UNSPEC);
	rw_emit(e, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_6, 0, sends ? 5 : 1, XDP_PASS);
	rw_emit(e, MOV_K, BPF_REG_0, 0, 0, TC_ACT_SHOT);
	if (sends) {
		rw_emit(e, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_6, 0, 3, XDP_TX);
		rw_emit(e, MOV32_K, BPF_REG_1, 0, 0, (int32_t)g->opts->tap_ifindex);
		rw_emit(e, MOV_K, BPF_REG_2, 0, 0, BPF_F_INGRESS);
		rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_redirect);
	}
	rw_emit(e, RW_EXIT, 0, 0, 0, 0);
}

const struct rw_target_ops rw_target_skb = {
	.slots = 1,	/* the key of a counter */
	.fault = VIRTIO_BPF_CNT_FAULT,
	.ctx_load = skb_ctx_load,
	.pkt_load = skb_pkt_load,
	.len = skb_len,
	.helper = skb_helper,
	.verdict = skb_verdict,
	.finish = skb_finish,
};

_Static_assert(XDP_ABORTED == VIRTIO_BPF_CNT_ABORTED && XDP_DROP == VIRTIO_BPF_CNT_DROP &&
	       XDP_PASS == VIRTIO_BPF_CNT_PASS && XDP_TX == VIRTIO_BPF_CNT_TX,
	       "a verdict is the index of its counter");
