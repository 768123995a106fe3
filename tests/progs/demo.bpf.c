// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: The demo's tenant program
 *
 * What a guest's administrator might write: drop UDP to the discard port,
 * answer pings without waking anybody, count every IPv4 packet by protocol.
 * Ordinary XDP; nothing in it knows where it will run.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define DISCARD_PORT	9
#define ICMP_ECHOREPLY	0
#define ICMP_ECHO	8

/* <linux/icmp.h> needs the C library's headers, which know no BPF target. */
struct icmphdr {
	__u8 type;
	__u8 code;
	__sum16 checksum;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

/**
 * count() - add one to a protocol's packets
 * @protocol: IPv4's protocol number
 */
static __always_inline void count(__u32 protocol)
{
	__u64 *n = bpf_map_lookup_elem(&packets, &protocol);
	__u64 one = 1;

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&packets, &protocol, &one, BPF_NOEXIST);
}

/**
 * answer_echo() - make an echo request its own reply
 * @eth: Ethernet header
 * @ip: IPv4 header; swapping its addresses leaves its checksum right
 * @icmp: ICMP header
 */
static __always_inline void answer_echo(struct ethhdr *eth, struct iphdr *ip,
					struct icmphdr *icmp)
{
	__be32 saddr = ip->saddr;
	__u8 mac[ETH_ALEN];
	__u32 sum;

	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	ip->saddr = ip->daddr;
	ip->daddr = saddr;
	icmp->type = ICMP_ECHOREPLY;
	/* RFC 1624: the type's word shrank, so the checksum grows by as much */
	sum = icmp->checksum + bpf_htons(ICMP_ECHO << 8);
	icmp->checksum = sum + (sum >> 16);
}

/**
 * demo() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP, XDP_TX or XDP_PASS
 */
SEC("xdp")
int demo(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct icmphdr *icmp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->ihl != 5)
		return XDP_PASS;
	count(ip->protocol);

	switch (ip->protocol) {
	case IPPROTO_UDP:
		if ((void *)(udp + 1) <= end &&
		    udp->dest == bpf_htons(DISCARD_PORT))
			return XDP_DROP;
		break;
	case IPPROTO_ICMP:
		if ((void *)(icmp + 1) <= end && icmp->type == ICMP_ECHO) {
			answer_echo(eth, ip, icmp);
			return XDP_TX;
		}
		break;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
