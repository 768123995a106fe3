// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: The normaliser
 *
 * The host's own program at the TAP's tcx egress, in front of the tenant's. An
 * XDP program sees a packet as one piece of memory from data to data_end; an
 * skb may keep its tail elsewhere, and its VLAN tag in fields of its own. The
 * normaliser makes it one piece, tag included, as the guest will get it: else
 * a tagged packet would pass by a filter for tags, or be taken for another.
 *
 * It asks for that whatever the packet looks like: the comparison that would
 * tell (data_end - data against len) is pointer arithmetic, which the verifier
 * grants to CAP_PERFMON alone, and for a packet that is in one piece already
 * the helper returns at once.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath.h"

#define NORM_MACS	12	/* bytes in front of a tag */
#define NORM_TAG	4	/* bytes of a tag */

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
 * norm_push() - put a VLAN tag into the packet's bytes
 * @skb: the packet
 * @proto: of the tag, in network order
 * @tci: of the tag, in host order
 *
 * Return: 0, or else if it does not fit
 */
static __always_inline long norm_push(struct __sk_buff *skb, __u32 proto, __u32 tci)
{
	struct {
		__u8 macs[NORM_MACS];
		__be16 proto;
		__be16 tci;
	} head;

	if (bpf_skb_change_head(skb, NORM_TAG, 0) ||
	    bpf_skb_load_bytes(skb, NORM_TAG, head.macs, sizeof(head.macs)))
		return -1;
	head.proto = (__be16)proto;
	head.tci = bpf_htons((__u16)tci);
	return bpf_skb_store_bytes(skb, 0, &head, sizeof(head), 0);
}

/**
 * norm_tags() - bring the VLAN tag that is kept beside a packet into it
 * @skb: the packet
 *
 * To take the tag away makes the kernel put the next one, if there is one, in
 * its place. Two are as many as 802.1ad has.
 *
 * Return: 0, or else if there are more, or if they do not fit
 */
static __always_inline long norm_tags(struct __sk_buff *skb)
{
	__u32 outer_proto = skb->vlan_proto, outer_tci = skb->vlan_tci, proto, tci;

	if (!skb->vlan_present)
		return 0;
	if (bpf_skb_vlan_pop(skb))
		return -1;
	if (skb->vlan_present) {
		proto = skb->vlan_proto;
		tci = skb->vlan_tci;
		if (bpf_skb_vlan_pop(skb) || skb->vlan_present || norm_push(skb, proto, tci))
			return -1;
	}
	return norm_push(skb, outer_proto, outer_tci);
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
	if (norm_tags(skb) || bpf_skb_pull_data(skb, skb->len)) {
		norm_count(NORM_CNT_FAILED);
		return NORM_DROP;
	}
	return NORM_NEXT;
}

char LICENSE[] SEC("license") = "GPL";
