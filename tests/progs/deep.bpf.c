// SPDX-License-Identifier: GPL-2.0-only
/*
 * No form does at level strict: the UDP header is behind an offset that is not
 * constant, which takes a copy of the packet, and the stack is used so far that
 * the translation finds no room in it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ROOM 63	/* of eight bytes, of which the stack has 64 */

/**
 * deep() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for UDP port 9, else XDP_PASS
 */
SEC("xdp")
int deep(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	__u64 room[ROOM];
	struct udphdr *udp;

	room[0] = XDP_DROP;
	/* The compiler shall not take it away. */
	asm volatile("" : : "r"(room) : "memory");
	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > end)
		return XDP_PASS;
	return udp->dest == bpf_htons(9) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
