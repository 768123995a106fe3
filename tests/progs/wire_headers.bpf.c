// SPDX-License-Identifier: GPL-2.0-only
/* Looks at headers alone: TCP to the discard port is dropped. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define DISCARD 9

/**
 * wire_headers() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for packets to the discard port, else XDP_PASS
 */
SEC("xdp")
int wire_headers(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_TCP &&
	    tcp->dest == bpf_htons(DISCARD))
		return XDP_DROP;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
