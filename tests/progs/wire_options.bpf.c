// SPDX-License-Identifier: GPL-2.0-only
/* Looks at headers alone, behind an IPv4 header of any length. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define DISCARD 9

/**
 * wire_options() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for packets to the discard port, else XDP_PASS
 */
SEC("xdp")
int wire_options(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = (void *)ip + ip->ihl * 4;
	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	return tcp->dest == bpf_htons(DISCARD) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
