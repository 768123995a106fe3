// SPDX-License-Identifier: GPL-2.0-only
/* A program of a class that the device does not take. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/**
 * pass_tc() - the program
 * @skb: the packet
 *
 * Return: TC_ACT_OK
 */
SEC("tc")
int pass_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
