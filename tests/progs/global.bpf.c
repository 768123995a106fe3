// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two programs in one object: one that has a global variable, which cannot be
 * offloaded, and one that has none.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int count;

/**
 * counts() - a program with a global variable
 * @ctx: the packet
 *
 * Return: XDP_PASS
 */
SEC("xdp")
int counts(struct xdp_md *ctx)
{
	(void)ctx;
	__sync_fetch_and_add(&count, 1);
	return XDP_PASS;
}

/**
 * drops() - a program without
 * @ctx: the packet
 *
 * Return: XDP_DROP
 */
SEC("xdp")
int drops(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
