// SPDX-License-Identifier: GPL-2.0-only
/* Looks at headers alone: IPv4 packets go back as they are. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/**
 * wire_back() - the program
 * @ctx: the packet
 *
 * Return: XDP_TX for IPv4 packets, else XDP_DROP
 */
SEC("xdp")
int wire_back(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end)
		return XDP_DROP;
	return eth->h_proto == bpf_htons(ETH_P_IP) ? XDP_TX : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
