// SPDX-License-Identifier: GPL-2.0-only
/* Sends IPv4 packets back behind an Ethernet header of its own. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/**
 * wire_encap() - the program
 * @ctx: the packet
 *
 * Return: XDP_TX for IPv4 packets, else XDP_DROP
 */
SEC("xdp")
int wire_encap(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    bpf_xdp_adjust_head(ctx, -(int)sizeof(*eth)))
		return XDP_DROP;
	end = (void *)(long)ctx->data_end;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 2) > end)
		return XDP_ABORTED;
	__builtin_memcpy(eth->h_dest, "\x52\x54\0\0\0\xee", ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth[1].h_dest, ETH_ALEN);
	eth->h_proto = bpf_htons(0x88b5);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
