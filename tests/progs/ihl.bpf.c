// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parser as most are written: the UDP header is looked for behind as many
 * bytes as the IPv4 header says it has.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/**
 * ihl() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for UDP port 9, else XDP_PASS
 */
SEC("xdp")
int ihl(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > end || udp->dest != bpf_htons(9))
		return XDP_PASS;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
