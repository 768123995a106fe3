// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet through helpers alone: the MAC addresses change places and a
 * checksum of what was there goes behind them.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

/**
 * bytes() - the program
 * @ctx: the packet
 *
 * Return: XDP_TX, or XDP_DROP for packets that are too short
 */
SEC("xdp")
int bytes(struct xdp_md *ctx)
{
	struct {
		__u8 mac[2][ETH_ALEN];
		__u32 rest;
	} old, new;

	if (bpf_xdp_get_buff_len(ctx) < sizeof(old) ||
	    bpf_xdp_load_bytes(ctx, 0, &old, sizeof(old)))
		return XDP_DROP;
	__builtin_memcpy(new.mac[0], old.mac[1], ETH_ALEN);
	__builtin_memcpy(new.mac[1], old.mac[0], ETH_ALEN);
	new.rest = (__u32)bpf_csum_diff(NULL, 0, (void *)&old, sizeof(old), 0);
	if (bpf_xdp_store_bytes(ctx, 0, &new, sizeof(new)))
		return XDP_ABORTED;
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
