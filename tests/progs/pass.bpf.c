// SPDX-License-Identifier: GPL-2.0-only
/* The smallest program, as XDP and as a class that no offload of ours takes. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/**
 * pass() - the XDP program
 * @ctx: the packet
 *
 * Return: XDP_PASS
 */
SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/**
 * pass_tc() - the tc program
 * @skb: the packet
 *
 * Return: TC_ACT_OK
 */
SEC("tc")
int pass_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
