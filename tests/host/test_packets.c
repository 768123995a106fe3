// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a tenant's program sees of real packets at a real TAP
 *
 * Of those above all that an skb keeps otherwise than XDP would: in pieces,
 * with its VLAN tag beside it; and of those that a program makes longer. The
 * test is proxy and VM in one, as test_loader.c is.
 */
#include <bpf/bpf.h>
#include <net/if.h>

#include "../ktap.h"
#include "bed.h"
#include "proxy.h"

#define TCX_EGRESS ((enum bpf_attach_type)47)	/* headers before 6.6 lack it */

/**
 * test_start() - the daemon starts, and there is a TAP
 *
 * Return: whether it is so
 */
static bool test_start(void)
{
	CHECK(bed_start());
	CHECK(tap_open());
	return true;
}

/**
 * test_normaliser() - a tenant's program sees all of a packet that has pieces
 *
 * Return: whether it does
 */
static bool test_normaliser(void)
{
	const struct virtio_bpf_insn insns[] = {
		{ .code = 0xb7, .imm = htole32(1) },			/* r0 = XDP_DROP */
		{ .code = 0x61, .regs = 0x12 },				/* r2 = data */
		{ .code = 0x61, .regs = 0x13, .off = htole16(4) },	/* r3 = data_end */
		{ .code = 0x07, .regs = 0x02, .imm = htole32(6000) },	/* r2 += 6000 */
		{ .code = 0x2d, .regs = 0x32, .off = htole16(1) },	/* if r2 > r3 exit */
		{ .code = 0xb7, .imm = htole32(2) },			/* r0 = XDP_PASS */
		{ .code = 0x95 },					/* exit */
	};
	struct reply reply;
	char out[256];
	int64_t prog;
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set " TAP " mtu 9000"), 0);
	prog = proxy_load_insns(sock, insns, 7, &reply);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK(frame_send_pieces(6000));
	CHECK_EQ(frame_count(), 1);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * tagger() - load a program that gives frames VLAN tags, as a bridge would
 * @outer: the tag, which the kernel keeps beside the frame
 * @inner: a tag behind it, in the frame, or 0
 *
 * Return: the program's fd
 */
static int tagger(uint16_t outer, uint16_t inner)
{
	const struct bpf_insn nop = { .code = 0xb7 };
	struct bpf_insn insns[] = {
		{ .code = 0xbf, .dst_reg = 6, .src_reg = 1 },
		{ .code = 0xb7, .dst_reg = 2, .imm = htobe16(0x8100) },
		{ .code = 0xb7, .dst_reg = 3, .imm = inner },
		{ .code = 0x85, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = 0xbf, .dst_reg = 1, .src_reg = 6 },
		{ .code = 0xb7, .dst_reg = 2, .imm = htobe16(0x8100) },
		{ .code = 0xb7, .dst_reg = 3, .imm = outer },
		{ .code = 0x85, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = 0xb7, .imm = -1 },				/* TCX_NEXT */
		{ .code = 0x95 },
	};

	if (!inner)
		insns[1] = insns[2] = insns[3] = nop;
	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", insns, 10, NULL);
}

/**
 * test_vlan() - a tenant's program sees the VLAN tags that the guest will see
 *
 * Return: whether it does, of one tag and of two, and the guest gets them
 */
static bool test_vlan(void)
{
	const struct virtio_bpf_insn insns[] = {
		{ .code = 0xb7, .imm = htole32(1) },			/* r0 = XDP_DROP */
		{ .code = 0x61, .regs = 0x12 },				/* r2 = data */
		{ .code = 0x61, .regs = 0x13, .off = htole16(4) },	/* r3 = data_end */
		{ .code = 0xbf, .regs = 0x24 },				/* r4 = r2 */
		{ .code = 0x07, .regs = 0x04, .imm = htole32(18) },	/* r4 += 18 */
		{ .code = 0x2d, .regs = 0x34, .off = htole16(4) },	/* if r4 > r3 exit */
		{ .code = 0x61, .regs = 0x24, .off = htole16(12) },	/* r4 = tag */
		{ .code = 0xdc, .regs = 0x04, .imm = htole32(32) },	/* r4 = be32(r4) */
		{ .code = 0x56, .regs = 0x04, .off = htole16(1),
		  .imm = htole32(0x81000005) },				/* if r4 != exit */
		{ .code = 0xb7, .imm = htole32(2) },			/* r0 = XDP_PASS */
		{ .code = 0x95 },					/* exit */
	};
	static const unsigned char one[] = { 0x81, 0, 0, 5, 0x88, 0xb5 };
	static const unsigned char two[] = { 0x81, 0, 0, 5, 0x81, 0, 0, 7, 0x88, 0xb5 };
	unsigned char frame[256];
	struct reply reply;
	int64_t prog;
	int link, sock = proxy_open();

	CHECK(sock >= 0);
	link = bpf_link_create(tagger(6, 0), (int)if_nametoindex(TAP), TCX_EGRESS, NULL);
	CHECK(link >= 0);
	prog = proxy_load_insns(sock, insns, 11, &reply);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	frame_count();
	CHECK(frame_send(1));
	CHECK_EQ(read(bed.tap, frame, sizeof(frame)), -1);
	CHECK(!bpf_link_update(link, tagger(5, 0), NULL));
	CHECK(frame_send(1));
	CHECK_EQ(read(bed.tap, frame, sizeof(frame)), 68);
	CHECK(!memcmp(frame + 12, one, sizeof(one)));
	CHECK(!bpf_link_update(link, tagger(5, 7), NULL));
	CHECK(frame_send(1));
	CHECK_EQ(read(bed.tap, frame, sizeof(frame)), 72);
	CHECK(!memcmp(frame + 12, two, sizeof(two)));
	close(link);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * encapsulated() - does the VM get a frame with 20 bytes more in front?
 *
 * Return: whether the next frame that is sent comes so
 */
static bool encapsulated(void)
{
	unsigned char frame[16384];

	frame_count();
	CHECK(frame_send(1));
	CHECK_EQ(frame_read(frame, sizeof(frame)), 64 + 20);
	CHECK_EQ(frame[11], 0);
	CHECK(frame[12] == 0x88 && frame[13] == 0xb5);
	CHECK(frame[20] == 0x52 && frame[32] == 0x88 && frame[33] == 0xb5);
	return true;
}

/**
 * test_sfi() - a program that works on a copy of the packet, and a restart
 *
 * Return: whether it does
 */
static bool test_sfi(void)
{
	const struct virtio_bpf_insn insns[] = {
		{ .code = 0xbf, .regs = 0x16 },				/* r6 = ctx */
		{ .code = 0xb7, .regs = 0x02, .imm = htole32(-20) },	/* r2 = -20 */
		{ .code = 0x85, .imm = htole32(44) },			/* xdp_adjust_head */
		{ .code = 0x61, .regs = 0x61 },				/* r1 = data */
		{ .code = 0x61, .regs = 0x62, .off = htole16(4) },	/* r2 = data_end */
		{ .code = 0xbf, .regs = 0x13 },				/* r3 = r1 */
		{ .code = 0x07, .regs = 0x03, .imm = htole32(14) },	/* r3 += 14 */
		{ .code = 0x2d, .regs = 0x23, .off = htole16(3) },	/* if r3 > r2 goto */
		{ .code = 0x6a, .regs = 0x01, .off = htole16(12), .imm = htole32(0xb588) },
		{ .code = 0xb7, .imm = htole32(2) },			/* r0 = XDP_PASS */
		{ .code = 0x95 },					/* exit */
		{ .code = 0xb7, .imm = htole32(0) },			/* r0 = XDP_ABORTED */
		{ .code = 0x95 },					/* exit */
	};
	int status, sock = proxy_open();
	struct reply reply;
	int64_t prog;

	CHECK(sock >= 0);
	prog = proxy_load_insns(sock, insns, 13, &reply);
	CHECK(prog > 0);
	CHECK(proxy_says(&reply, "accepted: form sfi, level strict, 13 instructions"));
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK(encapsulated());
	CHECK_EQ(bed_stop(), 0);
	CHECK(encapsulated());
	CHECK(bed_start());
	close(sock);
	sock = proxy_hello(PROXY_UID, "vm0", &status, &reply);
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	CHECK(encapsulated());
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_PASS]), 3);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_fault() - a program that reads behind the packet's end without a look at it
 *
 * Return: whether its packets are dropped, and counted as faults
 */
static bool test_fault(void)
{
	struct virtio_bpf_insn insns[] = {
		{ .code = 0x61, .regs = 0x12 },				/* r2 = data */
		{ .code = 0x71, .regs = 0x20, .off = htole16(64) },	/* r0 = r2[64] */
		{ .code = 0xb7, .imm = htole32(2) },			/* r0 = XDP_PASS */
		{ .code = 0x95 },					/* exit */
	};
	int sock = proxy_open();
	struct reply reply;
	int64_t prog;

	CHECK(sock >= 0);
	prog = proxy_load_insns(sock, insns, 4, &reply);
	CHECK(prog > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_FAULT]), 3);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_PASS]), 0);
	/* The last byte is in the packet. */
	insns[1].off = htole16(63);
	prog = proxy_load_insns(sock, insns, 4, &reply);
	CHECK(prog > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_FAULT]), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_stop() - the daemon ends
 *
 * Return: whether it ends well
 */
static bool test_stop(void)
{
	CHECK_EQ(bed_stop(), 0);
	return true;
}

/**
 * main() - run the cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "the daemon starts", test_start },
		{ "a packet in pieces is made one", test_normaliser },
		{ "a VLAN tag is part of the packet", test_vlan },
		{ "a copy of the packet, its start moved", test_sfi },
		{ "an access behind the packet's end", test_fault },
		{ "the daemon ends", test_stop },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
