// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays in a map's value, indexed by numbers from the packet: the index comes
 * by several paths with other limits on each, once before a loop and once in it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define TURNS 5

/* struct tables - the map's value */
struct tables {
	__u32 wide[16];
	__u32 narrow[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tables);
} tables SEC(".maps");

/**
 * value() - the program
 * @ctx: the packet
 *
 * Return: XDP_TX with a count in the packet, or XDP_PASS for short packets
 */
SEC("xdp")
int value(struct xdp_md *ctx)
{
	__u8 *end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;
	struct tables *t;
	__u32 key = 0;
	__u64 i;

	if (data + ETH_HLEN > end)
		return XDP_PASS;
	t = bpf_map_lookup_elem(&tables, &key);
	if (!t)
		return XDP_ABORTED;
	i = data[3];
	if (data[4] & 1)
		i &= 7;
	else
		i &= 15;
	/* The compiler must not find one limit for both. */
	asm volatile("" : "+r"(i));
	t->wide[i]++;
	for (int turn = 0; turn < TURNS; turn++) {
		__u64 n = data[turn + 8];

		asm volatile("" : "+r"(n));
		if (n < 4)
			t->narrow[n]++;
		if (!(n & 1))
			continue;
		i = (i * 3) & 3;
		asm volatile("" : "+r"(i));
		t->narrow[i]++;
	}
	data[7] = t->wide[3] + t->narrow[1];
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
