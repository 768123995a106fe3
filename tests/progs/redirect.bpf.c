// SPDX-License-Identifier: GPL-2.0-only
/* A verdict that the host does not offer. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/**
 * redirect() - the program
 * @ctx: the packet
 *
 * Return: XDP_REDIRECT, to interface 1
 */
SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect(1, 0);
}

char _license[] SEC("license") = "GPL";
