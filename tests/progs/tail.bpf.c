// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_adjust_tail and xdp_adjust_meta, by what the packet's 14th byte says:
 * shorter, longer, too short, too long, and metadata that is written, moved
 * along by xdp_adjust_head and read again. Every return value goes into a map.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

/**
 * note() - keep what a helper returned
 * @key: under which number
 * @ret: what it returned
 *
 * Return: @ret
 */
static __always_inline int note(__u32 key, int ret)
{
	__s64 *slot = bpf_map_lookup_elem(&results, &key);

	if (slot)
		*slot = ret;
	return ret;
}

/**
 * grow() - make the packet longer and mark its new end
 * @ctx: the packet
 * @by: bytes
 *
 * Return: a verdict
 */
static __always_inline int grow(struct xdp_md *ctx, int by)
{
	__u8 *data, *end;
	__u32 len;

	if (note(0, bpf_xdp_adjust_tail(ctx, by)))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	len = end - data;
	if (len < 20 || len > 3000)
		return XDP_PASS;
	data += len - 20;
	if (data + 2 > end)
		return XDP_PASS;
	data[1] = 0x77;
	return XDP_TX;
}

/**
 * meta() - metadata, there and back
 * @ctx: the packet
 *
 * Return: a verdict
 */
static __always_inline int meta(struct xdp_md *ctx)
{
	__u32 *m;
	void *data;

	if (note(1, bpf_xdp_adjust_meta(ctx, -6)) == 0 ||
	    note(2, bpf_xdp_adjust_meta(ctx, -256)) == 0 ||
	    note(3, bpf_xdp_adjust_meta(ctx, 4)) == 0)
		return XDP_ABORTED;
	if (note(4, bpf_xdp_adjust_meta(ctx, -8)))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 2) > data)
		return XDP_ABORTED;
	m[0] = 0x1234;
	m[1] = 0x5678;
	/* Metadata takes room in front of the packet, and moves with it. */
	if (note(5, bpf_xdp_adjust_head(ctx, -209)) == 0)
		return XDP_ABORTED;
	if (note(6, bpf_xdp_adjust_head(ctx, -208)))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 2) > data)
		return XDP_ABORTED;
	if (note(7, m[0]) != 0x1234 || note(8, m[1]) != 0x5678)
		return XDP_DROP;
	return XDP_PASS;
}

/**
 * tail() - the program
 * @ctx: the packet
 *
 * Return: a verdict
 */
SEC("xdp")
int tail(struct xdp_md *ctx)
{
	__u8 *end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;

	if (data + ETH_HLEN > end)
		return XDP_ABORTED;
	switch (data[13] & 7) {
	case 0:
		return note(9, bpf_xdp_adjust_tail(ctx, -10)) ? XDP_DROP : XDP_PASS;
	case 1:
		return grow(ctx, 300);
	case 2:
		return grow(ctx, 4000);
	case 3:
		return note(10, bpf_xdp_adjust_tail(ctx, -70000)) ? XDP_DROP : XDP_PASS;
	case 4:
		/* What was cut off does not come back. */
		if (note(11, bpf_xdp_adjust_tail(ctx, -5)))
			return XDP_DROP;
		return note(12, bpf_xdp_adjust_tail(ctx, 5)) ? XDP_ABORTED : XDP_TX;
	case 5:
		return meta(ctx);
	default:
		return grow(ctx, 1);
	}
}

char _license[] SEC("license") = "GPL";
