// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that the guest's kernel accepts and the host does not: it asks for
 * a route, and on the host that would be the host's own routing table.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2

/**
 * forbidden() - look a route up
 * @ctx: the packet
 *
 * Return: XDP_PASS
 */
SEC("xdp")
int forbidden(struct xdp_md *ctx)
{
	struct bpf_fib_lookup route = { .family = AF_INET, .ifindex = 1 };

	bpf_fib_lookup(ctx, &route, sizeof(route), 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
