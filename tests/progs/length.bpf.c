// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet's length in the ways that programs ask for it: the difference of
 * end and start, what is left behind a header, and the helper. Short packets
 * are dropped, and where the three disagree the packet is aborted.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define SHORT 100

/**
 * length() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for short packets, else XDP_PASS
 */
SEC("xdp")
int length(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	__u64 len, rest;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	len = end - data;
	rest = end - (void *)(eth + 1);
	if (len != bpf_xdp_get_buff_len(ctx) || rest + sizeof(*eth) != len)
		return XDP_ABORTED;
	if (ctx->data_end - ctx->data != len)
		return XDP_ABORTED;
	return len < SHORT ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
