// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes a field of TCP's header that nobody looks at while a flag is not set
 * (the urgent pointer), and the checksum with it: right if and only if the
 * checksum was. The TTL of all IPv4 packets is changed in the same way.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define URGENT	0x1234
#define TTL	33

/**
 * adjust() - change a checksum as a word under it changes
 * @check: the checksum
 * @from: the word as it was
 * @to: the word as it is
 */
static __always_inline void adjust(__be16 *check, __be16 from, __be16 to)
{
	__u32 sum = (__u16)~*check + (__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*check = (__be16)~sum;
}

/**
 * wire_write() - the program
 * @ctx: the packet
 *
 * Return: XDP_PASS
 */
SEC("xdp")
int wire_write(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__be16 *ttl = (__be16 *)&ip->ttl, old;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	old = *ttl;
	ip->ttl = TTL;
	adjust(&ip->check, old, *ttl);
	if (ip->protocol != IPPROTO_TCP || (void *)(tcp + 1) > end)
		return XDP_PASS;
	adjust(&tcp->check, tcp->urg_ptr, bpf_htons(URGENT));
	tcp->urg_ptr = bpf_htons(URGENT);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
