// SPDX-License-Identifier: GPL-2.0-only
/* A program of more instructions than the test's port may load. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define X4(x)	x x x x
#define X256(x) X4(X4(X4(X4(x))))

/**
 * too_long() - the program
 * @ctx: the packet
 *
 * Return: XDP_PASS
 */
SEC("xdp")
int too_long(struct xdp_md *ctx)
{
	__u64 r = ctx->rx_queue_index;

	X256(asm volatile("%0 += 1" : "+r"(r));)
	return r == 0 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
