// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that the compiler does not inline: one parses and hands back a
 * packet pointer through its caller's stack, one needs the packet's length, one
 * calls another.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} protocols SEC(".maps");

/**
 * struct cursor - where parsing has come to
 * @pos: next header
 */
struct cursor {
	void *pos;
};

/**
 * parse_eth() - step over the Ethernet header
 * @ctx: the packet
 * @cursor: result
 *
 * Return: the protocol that follows, or -1
 */
static __attribute__((noinline)) int parse_eth(struct xdp_md *ctx, struct cursor *cursor)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end)
		return -1;
	cursor->pos = eth + 1;
	return bpf_ntohs(eth->h_proto);
}

/**
 * room() - what is left behind the Ethernet header
 * @ctx: the packet
 *
 * Return: bytes
 */
static __attribute__((noinline)) long room(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;

	return end - data - (long)sizeof(struct ethhdr);
}

/**
 * count() - count one packet, unless nothing follows its Ethernet header
 * @ctx: the packet
 * @protocol: under which number
 *
 * Return: 0, or -1 if it was not counted
 */
static __attribute__((noinline)) int count(struct xdp_md *ctx, __u32 protocol)
{
	__u64 *n;

	if (room(ctx) <= 0)
		return -1;
	n = bpf_map_lookup_elem(&protocols, &protocol);
	if (!n)
		return -1;
	*n += 1;
	return 0;
}

/**
 * calls() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for UDP, XDP_TX for what is not IPv4, else XDP_PASS
 */
SEC("xdp")
int calls(struct xdp_md *ctx)
{
	struct cursor cursor = { 0 };
	struct iphdr *ip;
	void *end;

	if (parse_eth(ctx, &cursor) != ETH_P_IP)
		return count(ctx, 0) ? XDP_ABORTED : XDP_TX;
	end = (void *)(long)ctx->data_end;
	ip = cursor.pos;
	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;
	if (count(ctx, ip->protocol))
		return XDP_ABORTED;
	return ip->protocol == IPPROTO_UDP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
