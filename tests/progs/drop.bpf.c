// SPDX-License-Identifier: GPL-2.0-only
/* Drops IPv4, so that a test sees at once whether it runs; ARP passes. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/**
 * drop() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for IPv4, else XDP_PASS
 */
SEC("xdp")
int drop(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
