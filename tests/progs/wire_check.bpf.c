// SPDX-License-Identifier: GPL-2.0-only
/*
 * Computes the checksum of UDP datagrams with 100 bytes in them: one that is not
 * right aborts.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LEN	108	/* of the datagram, with its header */

/**
 * struct datagram - the part under the checksum
 * @words: addresses of the IPv4 header, then the datagram
 */
struct datagram {
	__u16 words[(8 + LEN) / 2];
};

/**
 * wire_check() - the program
 * @ctx: the packet
 *
 * Return: XDP_ABORTED for a wrong checksum, else XDP_PASS
 */
SEC("xdp")
int wire_check(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct datagram *d = (void *)&ip->saddr;
	__u32 sum = bpf_htons(IPPROTO_UDP) + bpf_htons(LEN);

	if ((void *)(d + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP || bpf_ntohs(ip->tot_len) != sizeof(*ip) + LEN)
		return XDP_PASS;
#pragma unroll
	for (int i = 0; i < (8 + LEN) / 2; i++)
		sum += d->words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
