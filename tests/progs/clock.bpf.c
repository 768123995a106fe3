// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the clocks that a port has by the profile "time", and drops IPv4 if each
 * of them goes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/**
 * clock() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for IPv4, else XDP_PASS
 */
SEC("xdp")
int clock(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (!bpf_ktime_get_boot_ns() || !bpf_ktime_get_coarse_ns() || !bpf_jiffies64() ||
	    bpf_ktime_get_coarse_ns() > bpf_ktime_get_ns())
		return XDP_PASS;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
