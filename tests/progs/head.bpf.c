// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_adjust_head, by what the packet's 14th byte says: a VLAN tag is pushed or
 * popped, an IPv4 header is put in front, or the start is moved too far. Every
 * return value goes into a map.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TAG 4

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
 * push() - put a VLAN tag behind the addresses
 * @ctx: the packet
 *
 * Return: a verdict
 */
static __always_inline int push(struct xdp_md *ctx)
{
	__u8 *data, *end;

	if (note(0, bpf_xdp_adjust_head(ctx, -TAG)))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN + TAG > end)
		return XDP_ABORTED;
	__builtin_memmove(data, data + TAG, 2 * ETH_ALEN);
	data[12] = 0x81;
	data[13] = 0;
	data[14] = 0;
	data[15] = 7;
	return XDP_TX;
}

/**
 * encapsulate() - put an IPv4 header between Ethernet's and the rest
 * @ctx: the packet
 *
 * Return: a verdict
 */
static __always_inline int encapsulate(struct xdp_md *ctx)
{
	int grow = sizeof(struct iphdr);
	struct ethhdr *eth, *old;
	struct iphdr *ip;
	void *end;

	if (note(1, bpf_xdp_adjust_head(ctx, -grow)))
		return XDP_ABORTED;
	end = (void *)(long)ctx->data_end;
	eth = (void *)(long)ctx->data;
	ip = (void *)(eth + 1);
	old = (void *)eth + sizeof(*ip);
	if ((void *)(old + 1) > end)
		return XDP_ABORTED;
	__builtin_memcpy(eth, old, sizeof(*eth));
	eth->h_proto = bpf_htons(ETH_P_IP);
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_IPIP;
	ip->tot_len = bpf_htons(end - (void *)ip);
	return XDP_PASS;
}

/**
 * head() - the program
 * @ctx: the packet
 *
 * Return: a verdict
 */
SEC("xdp")
int head(struct xdp_md *ctx)
{
	__u8 *end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;
	__u8 how;

	if (data + ETH_HLEN > end)
		return XDP_ABORTED;
	how = data[13] & 7;
	switch (how) {
	case 0:
		return push(ctx);
	case 1:
	case 5:
		return encapsulate(ctx);
	case 2:
		/* Room for nothing but an Ethernet header, and too little. */
		if (note(2, bpf_xdp_adjust_head(ctx, 1 << 20)) == 0)
			return XDP_ABORTED;
		return note(3, bpf_xdp_adjust_head(ctx, 20)) ? XDP_DROP : XDP_PASS;
	case 3:
		if (!note(4, bpf_xdp_adjust_head(ctx, -217)))
			return XDP_ABORTED;
		return note(5, bpf_xdp_adjust_head(ctx, -216)) ? XDP_ABORTED : XDP_PASS;
	case 4:
		/* To and fro: what was in front is there again. */
		if (note(6, bpf_xdp_adjust_head(ctx, 1)))
			return XDP_DROP;
		return note(7, bpf_xdp_adjust_head(ctx, -1)) ? XDP_ABORTED : XDP_TX;
	default:
		return note(8, bpf_xdp_adjust_head(ctx, how)) ? XDP_DROP : XDP_TX;
	}
}

char _license[] SEC("license") = "GPL";
