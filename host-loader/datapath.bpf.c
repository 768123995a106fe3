// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: The normaliser
 *
 * The host's own program at the TAP's tcx egress, in front of the tenant's. An
 * XDP program sees a packet as one piece of memory from data to data_end; an
 * skb may keep its tail elsewhere. The normaliser makes it one piece.
 *
 * It asks for that whatever the packet looks like: the comparison that would
 * tell (data_end - data against len) is pointer arithmetic, which the verifier
 * grants to CAP_PERFMON alone, and for a packet that is in one piece already
 * the helper returns at once.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "datapath.h"

/* Verdicts at a tcx hook; headers before 6.6 do not have them. */
#define NORM_NEXT	(-1)	/* on to the next program */
#define NORM_DROP	2

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NORM_CNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} norm_counters SEC(".maps");

/**
 * norm_count() - count a packet
 * @which: enum norm_counter
 */
static __always_inline void norm_count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&norm_counters, &which);

	if (n)
		(*n)++;
}

/**
 * vbpf_normalise() - make a packet what an XDP program expects
 * @skb: the packet
 *
 * Return: NORM_NEXT, or NORM_DROP for a packet that no tenant's program could
 * judge: letting it pass would let a tenant's filter be passed by
 */
SEC("tc")
int vbpf_normalise(struct __sk_buff *skb)
{
	norm_count(NORM_CNT_PACKETS);
	if (bpf_skb_pull_data(skb, skb->len)) {
		norm_count(NORM_CNT_FAILED);
		return NORM_DROP;
	}
	return NORM_NEXT;
}

char LICENSE[] SEC("license") = "GPL";
