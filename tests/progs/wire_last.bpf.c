// SPDX-License-Identifier: GPL-2.0-only
/* Turns the last byte of a packet round. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LONGEST 10000

/**
 * wire_last() - the program
 * @ctx: the packet
 *
 * Return: XDP_PASS, or XDP_ABORTED for packets that are too long
 */
SEC("xdp")
int wire_last(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	__u64 len = end - data;
	__u8 *last;

	if (!len || len > LONGEST)
		return XDP_ABORTED;
	last = data + (len - 1);
	if ((void *)(last + 1) > end)
		return XDP_ABORTED;
	*last = ~*last;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
