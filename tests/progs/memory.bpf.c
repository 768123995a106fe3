// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers that get pointers into the packet: a map's key and value, a checksum;
 * xdp_load_bytes and xdp_store_bytes between direct accesses; and stack that is read as a
 * whole although only a part of it was written.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(key_size, ETH_ALEN);
	__uint(value_size, 8);
} stations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

/* struct partly - what is only partly written */
struct partly {
	__u8 proto;
	__u8 pad[3];
	__u32 len;
};

/**
 * note() - keep a number
 * @key: under which number
 * @value: it
 */
static __always_inline void note(__u32 key, __s64 value)
{
	__s64 *slot = bpf_map_lookup_elem(&results, &key);

	if (slot)
		*slot = value;
}

/**
 * bytes() - copy within the packet, by helpers
 * @ctx: the packet
 *
 * Return: a verdict
 */
static __always_inline int bytes(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;
	__u8 buf[6] = { 1, 2, 3, 4, 5, 6 };

	if ((void *)data + 40 > end)
		return XDP_PASS;
	data[0] = 0x42;
	note(1, bpf_xdp_load_bytes(ctx, 0, buf, 2));
	data[21] += buf[0];
	note(2, bpf_xdp_store_bytes(ctx, 20, buf, 6));
	data[36] ^= data[20] + data[21];
	note(3, bpf_xdp_load_bytes(ctx, 1 << 16, buf, sizeof(buf)));
	note(4, bpf_xdp_load_bytes(ctx, 60000, buf, sizeof(buf)));
	note(5, bpf_xdp_store_bytes(ctx, 60000, buf, sizeof(buf)));
	note(6, buf[1]);
	return XDP_TX;
}

/**
 * memory() - the program
 * @ctx: the packet
 *
 * Return: a verdict
 */
SEC("xdp")
int memory(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct partly partly;
	__u64 *seen;
	__s64 sum;

	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	seen = bpf_map_lookup_elem(&stations, eth->h_source);
	if (!seen)
		bpf_map_update_elem(&stations, eth->h_source, &ip->saddr, BPF_ANY);
	if (ip->protocol == IPPROTO_TCP)
		bpf_map_delete_elem(&stations, eth->h_source);
	sum = bpf_csum_diff(0, 0, (void *)ip, sizeof(*ip), 7);
	note(0, sum);
	if (ip->ihl > 5) {
		/* A variable place and a variable length */
		void *opt = (void *)ip + ip->ihl * 4;

		if (opt + 8 <= end)
			note(7, bpf_csum_diff(opt, 8, opt, 4, 0));
	}
	partly.proto = ip->protocol;
	partly.len = bpf_ntohs(ip->tot_len);
	asm volatile("" : "+m"(partly));
	if (partly.proto == IPPROTO_UDP && partly.len == 1)
		return XDP_ABORTED;
	return bytes(ctx);
}

char _license[] SEC("license") = "GPL";
