// SPDX-License-Identifier: GPL-2.0-only
/* Looks at headers alone: what has no VLAN tag is dropped. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TAG 5

/**
 * struct tag - a VLAN tag behind the addresses
 * @macs: the addresses
 * @proto: says that it is a tag
 * @tci: the tag
 */
struct tag {
	__u8 macs[2 * ETH_ALEN];
	__be16 proto;
	__be16 tci;
};

/**
 * wire_tagged() - the program
 * @ctx: the packet
 *
 * Return: XDP_PASS for packets of VLAN 5, else XDP_DROP
 */
SEC("xdp")
int wire_tagged(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct tag *tag = (void *)(long)ctx->data;

	if ((void *)(tag + 1) > end)
		return XDP_DROP;
	return tag->proto == bpf_htons(ETH_P_8021Q) && tag->tci == bpf_htons(TAG) ?
	       XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
