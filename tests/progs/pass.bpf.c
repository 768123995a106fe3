// SPDX-License-Identifier: GPL-2.0-only
/* The smallest program. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/**
 * pass() - the program
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

char _license[] SEC("license") = "GPL";
