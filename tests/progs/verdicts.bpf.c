// SPDX-License-Identifier: GPL-2.0-only
/*
 * One verdict for each UDP port, so that a test can ask for any of them: 1000
 * drops, 1001 aborts, 1002 sends back with the MAC addresses swapped and the
 * first payload byte changed, 1003 rewrites that byte and passes, 1010 returns
 * a number that is no verdict. Everything else passes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define NO_VERDICT 77

/**
 * swap_macs() - send a frame back to whom it came from
 * @eth: its Ethernet header
 */
static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
}

/**
 * verdicts() - the program
 * @ctx: the packet
 *
 * Return: the verdict that the packet's UDP port asks for
 */
SEC("xdp")
int verdicts(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u8 *payload = (void *)(udp + 1);

	if ((void *)(payload + 1) > end ||
	    eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;

	switch (udp->dest) {
	case bpf_htons(1000):
		return XDP_DROP;
	case bpf_htons(1001):
		return XDP_ABORTED;
	case bpf_htons(1002):
		swap_macs(eth);
		*payload = 'T';
		return XDP_TX;
	case bpf_htons(1003):
		/* no checksum is a valid checksum for UDP over IPv4 */
		udp->check = 0;
		*payload = 'W';
		return XDP_PASS;
	case bpf_htons(1010):
		return NO_VERDICT;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
