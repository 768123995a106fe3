// SPDX-License-Identifier: GPL-2.0-only
/* Asks for the length: what no wire with an MTU of 1500 carries is dropped. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LONGEST 1518	/* with a VLAN tag */

/**
 * wire_length() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP for packets that are too long, else XDP_PASS
 */
SEC("xdp")
int wire_length(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;

	return end - data > LONGEST ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
