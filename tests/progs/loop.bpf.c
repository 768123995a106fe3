// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loops that the compiler keeps: the packet's bytes are summed up through a
 * buffer on the stack and counted by value, and the sum is put into the packet.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define BYTES 48

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

/**
 * count() - count one value
 * @value: the value
 */
static __always_inline void count(__u32 value)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&seen, &value);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&seen, &value, &one, BPF_ANY);
}

/**
 * loop() - the program
 * @ctx: the packet
 *
 * Return: XDP_TX with the sum in the first byte, or XDP_PASS for packets that
 *         are too short
 */
SEC("xdp")
int loop(struct xdp_md *ctx)
{
	__u8 *end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;
	__u8 sum = 0;

	if (data + BYTES > end)
		return XDP_PASS;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BYTES; i++) {
		__u8 byte;

		if (bpf_xdp_load_bytes(ctx, i, &byte, sizeof(byte)))
			return XDP_ABORTED;
		sum += byte;
		count(byte);
	}
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + 1 > end)
		return XDP_ABORTED;
	data[0] = sum;
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
