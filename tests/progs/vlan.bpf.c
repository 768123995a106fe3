// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parser that walks: up to two VLAN tags, then IPv4 with options or IPv6 with
 * extension headers, then ports, counted by port.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLANS	2
#define HEADERS	4

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} ports SEC(".maps");

/* struct vlan_hdr - what follows an EtherType of a VLAN tag */
struct vlan_hdr {
	__be16 tci;
	__be16 proto;
};

/* struct ext_hdr - how most IPv6 extension headers begin */
struct ext_hdr {
	__u8 next;
	__u8 len;
	__u8 data[6];
};

/**
 * skip_vlans() - step over VLAN tags
 * @pos: behind the Ethernet header; moved
 * @end: end of the packet
 * @proto: EtherType; becomes the inner one
 *
 * Return: 0, or -1 if the packet ends in between
 */
static __always_inline int skip_vlans(void **pos, void *end, __be16 *proto)
{
	for (int i = 0; i < VLANS; i++) {
		struct vlan_hdr *vlan = *pos;

		if (*proto != bpf_htons(ETH_P_8021Q) && *proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(vlan + 1) > end)
			return -1;
		*proto = vlan->proto;
		*pos = vlan + 1;
	}
	return 0;
}

/**
 * skip_ext() - step over IPv6 extension headers
 * @pos: behind the IPv6 header; moved
 * @end: end of the packet
 * @next: what follows
 *
 * Return: the upper protocol, or -1 if the packet ends in between
 */
static __always_inline int skip_ext(void **pos, void *end, __u8 next)
{
	for (int i = 0; i < HEADERS; i++) {
		struct ext_hdr *ext = *pos;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			break;
		if ((void *)(ext + 1) > end)
			return -1;
		next = ext->next;
		*pos = (void *)ext + (ext->len + 1) * 8;
	}
	return next;
}

/**
 * vlan() - the program
 * @ctx: the packet
 *
 * Return: XDP_ABORTED for a cut header, XDP_DROP for UDP to an even port,
 *         XDP_TX for TCP, else XDP_PASS
 */
SEC("xdp")
int vlan(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *pos = eth + 1;
	struct udphdr *udp;
	__be16 proto;
	__u64 *n;
	__u32 key;
	int upper;

	if (pos > end)
		return XDP_ABORTED;
	proto = eth->h_proto;
	if (skip_vlans(&pos, end, &proto))
		return XDP_ABORTED;
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = pos;

		if ((void *)(ip + 1) > end)
			return XDP_ABORTED;
		upper = ip->protocol;
		pos += ip->ihl * 4;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = pos;

		if ((void *)(ip6 + 1) > end)
			return XDP_ABORTED;
		pos = ip6 + 1;
		upper = skip_ext(&pos, end, ip6->nexthdr);
	} else {
		return XDP_PASS;
	}
	if (upper < 0)
		return XDP_ABORTED;
	udp = pos;
	if ((void *)(udp + 1) > end)
		return XDP_PASS;
	key = bpf_ntohs(udp->dest) & 63;
	n = bpf_map_lookup_elem(&ports, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	if (upper == IPPROTO_TCP)
		return XDP_TX;
	return upper == IPPROTO_UDP && !(key & 1) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
