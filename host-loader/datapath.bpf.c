// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: The normaliser
 *
 * The host's own program at the TAP's tcx egress, in front of the tenant's. An
 * XDP program sees a packet as it was on the wire, in one piece of memory from
 * data to data_end. An skb may keep its tail elsewhere and its VLAN tag in
 * fields of its own, be many packets in one (GSO), and lack the checksum that
 * some device was meant to fill in. The normaliser makes of the one the other:
 *
 *   tag       put into the packet's bytes
 *   pieces    made one
 *   GSO, checksum to be filled in
 *             the packet takes a turn through a veth pair whose offloads are
 *             off, for which the kernel cuts it and fills the checksum in. What
 *             comes back is looked at like all others; if it needed the turn
 *             again it would be dropped
 *
 *   TAP: vbpf_normalise ---- as it should be ----> the tenant's program
 *           |       ^
 *        redirect   redirect
 *           v       |
 *   out: vbpf_out --veth--> in: vbpf_in
 *
 * A program that looks at headers alone (its reach is that many bytes) gets by
 * without the turn: it sees the headers of a GSO frame in one piece, and the
 * frame goes on whole.
 *
 * All ports share the programs. What is a port's own is in a map of the port,
 * found by the netdev at which a program runs. The daemon replaces programs one
 * by one while packets flow; old and new ones share that map, so a packet may
 * meet some of each.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath.h"

#define NORM_MACS	12	/* bytes in front of a tag */
#define NORM_TAG	4	/* bytes of a tag */
#define NORM_PARTIAL	3	/* CHECKSUM_PARTIAL */
#define NORM_ENODEV	19

/* Verdicts at a tcx hook; headers before 6.6 do not have them. */
#define NORM_NEXT	(-1)	/* on to the next program */
#define NORM_DROP	2

/**
 * struct norm_port - one port's map, by enum norm_slot
 */
struct norm_port {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NORM_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 1);		/* the daemon knows better */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__array(values, struct norm_port);
} norm_ports SEC(".maps");

/* Of the kernel's structures what is not in struct __sk_buff */
struct net_device {
	unsigned long state;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct net_device *dev;
	__u8 ip_summed:2;
} __attribute__((preserve_access_index));

enum netdev_state_t {
	__LINK_STATE_START,
	__LINK_STATE_NOCARRIER = 2,
};

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

/**
 * norm_port() - find a port
 * @skb: a packet at one of its netdevs
 *
 * Return: the port's map, or NULL
 */
static __always_inline void *norm_port(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;

	return bpf_map_lookup_elem(&norm_ports, &ifindex);
}

/**
 * norm_get() - what the daemon has written
 * @port: the port's map
 * @slot: enum norm_slot
 *
 * Return: it
 */
static __always_inline __u32 norm_get(void *port, __u32 slot)
{
	__u64 *value = bpf_map_lookup_elem(port, &slot);

	return value ? (__u32)*value : 0;
}

/**
 * norm_count() - count a packet
 * @port: the port's map
 * @slot: enum norm_slot
 */
static __always_inline void norm_count(void *port, __u32 slot)
{
	__u64 *value = bpf_map_lookup_elem(port, &slot);

	if (value)
		(*value)++;
}

/**
 * norm_fail() - a packet that no tenant's program could judge
 * @port: the port's map
 *
 * To let it pass would let a tenant's filter be passed by.
 *
 * Return: NORM_DROP
 */
static __always_inline int norm_fail(void *port)
{
	norm_count(port, NORM_FAILED);
	return NORM_DROP;
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
 * @skb: the packet, with such a tag
 *
 * To take the tag away makes the kernel put the next one, if there is one, in
 * its place. Two are as many as 802.1ad has.
 *
 * Return: 0, or else if there are more, or if they do not fit
 */
static __always_inline long norm_tags(struct __sk_buff *skb)
{
	__u32 outer_proto = skb->vlan_proto, outer_tci = skb->vlan_tci, proto, tci;

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
 * norm_partial() - is a packet's checksum still to be filled in?
 * @skb: the packet
 *
 * struct __sk_buff does not tell. To look into the kernel's own is granted to
 * programs that are loaded with CAP_PERFMON.
 *
 * Return: whether it is
 */
static __always_inline int norm_partial(struct __sk_buff *skb)
{
	struct sk_buff *kern = bpf_cast_to_kern_ctx(skb);

	return BPF_CORE_READ_BITFIELD(kern, ip_summed) == NORM_PARTIAL;
}

/**
 * norm_linear() - how much of a packet is in one piece?
 * @skb: the packet
 *
 * Return: bytes from its start
 */
static __always_inline __u32 norm_linear(const struct __sk_buff *skb)
{
	return (__u32)(skb->data_end - skb->data);
}

/**
 * norm_turn() - send a packet through the pair
 * @skb: the packet, with its tag beside it as it is
 * @port: the port's map
 *
 * A redirect tells nobody if there is no such netdev, hence the look before it.
 *
 * Return: a verdict
 */
static __always_inline int norm_turn(struct __sk_buff *skb, void *port)
{
	__u32 out = norm_get(port, NORM_OUT), slot = NORM_GUARD, mtu = 0;
	__u64 *guard = bpf_map_lookup_elem(port, &slot);

	if (!out || !guard || bpf_check_mtu(skb, out, &mtu, 0, 0) == -NORM_ENODEV)
		return norm_fail(port);
	*guard = 1;
	norm_count(port, NORM_TURNED);
	return (int)bpf_redirect(out, 0);
}

/**
 * vbpf_normalise() - make a packet what an XDP program expects
 * @skb: the packet
 *
 * Most packets are that already, and need no look at the port: a call costs
 * more than all the rest.
 *
 * Return: NORM_NEXT, NORM_DROP, or what bpf_redirect() returns
 */
SEC("tc")
int vbpf_normalise(struct __sk_buff *skb)
{
	int raw = skb->gso_size || norm_partial(skb);
	__u32 reach;
	void *port;

	if (!raw && !skb->vlan_present && norm_linear(skb) == skb->len)
		return NORM_NEXT;
	port = norm_port(skb);
	if (!port)
		return NORM_DROP;
	norm_count(port, NORM_PACKETS);
	reach = norm_get(port, NORM_REACH);
	if (raw) {
		if (skb->ingress_ifindex && skb->ingress_ifindex == norm_get(port, NORM_IN))
			return norm_fail(port);
		if (reach == NORM_REACH_ALL)
			return norm_turn(skb, port);
		if (skb->gso_size)
			norm_count(port, NORM_WHOLE);
	}
	if (skb->vlan_present && norm_tags(skb))
		return norm_fail(port);
	if (reach > skb->len)
		reach = skb->len;
	if (norm_linear(skb) < reach && bpf_skb_pull_data(skb, reach))
		return norm_fail(port);
	return NORM_NEXT;
}

/**
 * norm_up() - is the netdev up at which a packet is, and its other end, too?
 * @skb: the packet
 *
 * Return: whether they are
 */
static __always_inline int norm_up(struct __sk_buff *skb)
{
	struct sk_buff *kern = bpf_cast_to_kern_ctx(skb);
	unsigned long state = kern->dev->state;

	return state & 1ul << bpf_core_enum_value(enum netdev_state_t, __LINK_STATE_START) &&
	       !(state & 1ul << bpf_core_enum_value(enum netdev_state_t,
						    __LINK_STATE_NOCARRIER));
}

/**
 * vbpf_out() - let nothing into the pair but what the normaliser sends
 * @skb: a packet that is sent into the pair
 *
 * Daemons that send on every netdev they find (DHCP, LLDP) would be heard by
 * the guest else. The normaliser's packet is sent as soon as it returns, on the
 * same CPU, with bottom halves off: no other can come between.
 *
 * Return: NORM_NEXT or NORM_DROP
 */
SEC("tc")
int vbpf_out(struct __sk_buff *skb)
{
	void *port = norm_port(skb);
	__u32 slot = NORM_GUARD;
	__u64 *guard;

	if (!port)
		return NORM_DROP;
	guard = bpf_map_lookup_elem(port, &slot);
	if (!guard || !*guard)
		return NORM_DROP;
	*guard = 0;
	return norm_up(skb) ? NORM_NEXT : norm_fail(port);
}

/**
 * vbpf_in() - send what comes out of the pair to the TAP again
 * @skb: the packet
 *
 * Return: NORM_DROP, or what bpf_redirect() returns
 */
SEC("tc")
int vbpf_in(struct __sk_buff *skb)
{
	void *port = norm_port(skb);
	__u32 tap = port ? norm_get(port, NORM_TAP) : 0;

	if (!tap)
		return NORM_DROP;
	norm_count(port, NORM_RETURNED);
	return (int)bpf_redirect(tap, 0);
}

char LICENSE[] SEC("license") = "GPL";
