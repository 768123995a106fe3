// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that both sides use: the guest writes a verdict into `verdict`, the
 * program obeys and counts in `seen`.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} verdict SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

/**
 * maps() - the program
 * @ctx: the packet
 *
 * Return: XDP_DROP if the guest asked for it, else XDP_PASS
 */
SEC("xdp")
int maps(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *want = bpf_map_lookup_elem(&verdict, &zero);
	__u64 *n = bpf_map_lookup_elem(&seen, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	return want && *want == XDP_DROP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
