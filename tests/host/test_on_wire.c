// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: On the wire: TCP and UDP between a sender and a guest, by way of the TAP
 *
 * What both kernels keep as one long frame without a checksum reaches a tenant's
 * program as it would be on a wire, or as it is if the program looks at headers
 * alone. In either case what was sent must arrive, byte by byte, and the
 * counters must tell which way it went.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../ktap.h"
#include "bed.h"
#include "proxy.h"
#include "wire.h"

#define MEGABYTE	(1ull << 20)
#define STREAM		(4 * MEGABYTE)
#define RATE		(64 * MEGABYTE)	/* of long streams, in a second */
#define COMES		2000	/* milliseconds for a packet that must come */
#define LOST		200	/* and for one that must not */
#define PAIRS		"ip -o link | grep -c 'vbpf[0-9]*[oi][@:]'"

/* Headers before 6.6 lack them. */
#define TCX_INGRESS	((enum bpf_attach_type)46)

static int proxies[4] = { -1, -1, -1, -1 };	/* connections of the ports' proxies */

/**
 * counter() - one of the normaliser's counters of a port
 * @port: the port
 * @name: of the counter
 *
 * Return: it, or -1
 */
static int64_t counter(const char *port, const char *name)
{
	char out[4096], key[32];
	const char *at;

	if (bed_run(out, sizeof(out), "%s/vbpf -c %s --json stats %s", bed.bin,
		    bed_path("control"), port))
		return -1;
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(out, "\"normaliser\"");
	at = at ? strstr(at, key) : NULL;
	return at ? atoll(at + strlen(key)) : -1;
}

/**
 * is_mode() - is this what is done about GSO frames?
 * @port: the port
 * @mode: "full" or "header"
 *
 * Return: whether it is
 */
static bool is_mode(const char *port, const char *mode)
{
	char out[8192], want[32];

	snprintf(want, sizeof(want), "\"mode\":\"%s\"", mode);
	return !bed_run(out, sizeof(out), "%s/vbpf -c %s --json show %s | tr -d ' '", bed.bin,
			bed_path("control"), port) && strstr(out, want);
}

/**
 * attach() - load and attach a program
 * @port: the port
 * @name: of the program's file in tests/progs
 * @form: that its translation must have
 *
 * Return: the connection of the port's proxy, or -1
 */
static int attach(const char *port, const char *name, const char *form)
{
	struct reply reply;
	char words[64];
	int *proxy = &proxies[port[2] - '0'];
	int64_t prog;
	int status, sock;

	/* One that a case left which failed */
	if (*proxy >= 0)
		close(*proxy);
	sock = proxy_hello(PROXY_UID, port, &status, &reply);
	*proxy = sock;
	if (status != VIRTIO_BPF_S_OK)
		return -1;
	prog = proxy_load_file(sock, name, &reply);
	snprintf(words, sizeof(words), "form %s", form);
	if (prog > 0 && proxy_says(&reply, words) &&
	    proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog) == VIRTIO_BPF_S_OK)
		return sock;
	printf("# %s: %.*s\n", name, (int)reply.msg.text_len, reply.msg.text);
	return -1;
}

/**
 * hang_up() - end the connection of a port's proxy
 * @sock: the connection
 */
static void hang_up(int sock)
{
	for (int i = 0; i < 4; i++)
		if (proxies[i] == sock)
			proxies[i] = -1;
	close(sock);
}

/**
 * release() - release all that a port has
 * @sock: connection of its proxy; closed
 *
 * Return: whether nothing of it is left
 */
static bool release(int sock)
{
	struct reply reply;
	char tap[IF_NAMESIZE] = TAP;

	for (int i = 1; i < 4; i++)
		if (proxies[i] == sock)
			snprintf(tap, sizeof(tap), TAP "%d", i);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	hang_up(sock);
	CHECK_EQ(wire_run(wire.host, "! ip -o link | grep 'vbpf%u[oi][@:]'", if_nametoindex(tap)),
		 0);
	return true;
}

/**
 * test_start() - the daemon, with four ports; guest and sender
 *
 * Return: whether all is there
 */
static bool test_start(void)
{
	FILE *conf = fopen(bed_path("conf"), "we");

	CHECK(conf);
	fprintf(conf, "[loader]\nsocket = %s/socket\ncontrol = %s/control\n"
		"bpffs = %s/bpf/ports\nlinger = 1\n[defaults]\nuid = %d\n"
		"[port vm0]\ntap = " TAP "\nmac = 52:54:00:12:34:56\n", bed.run, bed.run, bed.run,
		PROXY_UID);
	for (int i = 1; i < 4; i++)
		fprintf(conf, "[port vm%d]\ntap = " TAP "%d\nmac = 52:54:00:12:34:5%d\n", i, i,
			i + 6);
	CHECK(!fclose(conf));
	CHECK(bed_start());
	CHECK(wire_make());
	return true;
}

/**
 * test_none() - no program: what the guest gets from this host at all
 *
 * The other cases mean little if GSO frames do not get as far as the guest.
 *
 * Return: whether it gets long frames without checksums, and all bytes
 */
static bool test_none(void)
{
	wire_forget();
	CHECK(wire_both_ways(WIRE_GUEST, WIRE_SENDER, STREAM));
	CHECK(wire.seen->longest > 4 * WIRE_FRAME);
	CHECK(wire.seen->gso && wire.seen->partial);
	return true;
}

/**
 * whole() - TCP through a program that looks at headers alone
 * @name: of the program
 * @form: of its translation
 *
 * Return: whether frames stay as they are, and all bytes come
 */
static bool whole(const char *name, const char *form)
{
	int sock = attach("vm0", name, form);

	CHECK(sock >= 0);
	CHECK(is_mode("vm0", "header"));
	wire_forget();
	CHECK(wire_both_ways(WIRE_GUEST, WIRE_SENDER, STREAM));
	CHECK(wire.seen->longest > 4 * WIRE_FRAME);
	CHECK(wire.seen->gso && wire.seen->partial);
	CHECK(counter("vm0", "whole") >= (int64_t)wire.seen->gso);
	CHECK_EQ(counter("vm0", "turned"), 0);
	CHECK_EQ(counter("vm0", "failed"), 0);
	return release(sock);
}

/**
 * cut_up() - TCP through a program that needs more than headers
 * @name: of the program
 * @form: of its translation
 *
 * Return: whether frames are as on a wire, and all bytes come
 */
static bool cut_up(const char *name, const char *form)
{
	int sock = attach("vm0", name, form);

	CHECK(sock >= 0);
	CHECK(is_mode("vm0", "full"));
	CHECK(!wire_run(wire.host, "[ \"$(" PAIRS ")\" = 2 ]"));
	wire_forget();
	CHECK(wire_both_ways(WIRE_GUEST, WIRE_SENDER, STREAM));
	CHECK(wire.seen->longest <= WIRE_FRAME);
	CHECK_EQ(wire.seen->gso, 0);
	CHECK_EQ(wire.seen->partial, 0);
	CHECK(counter("vm0", "turned") > 0);
	CHECK(counter("vm0", "returned") > 2 * counter("vm0", "turned"));
	CHECK_EQ(counter("vm0", "whole"), 0);
	CHECK_EQ(counter("vm0", "failed"), 0);
	/* The program decided over every one of them, and dropped none. */
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]), 0);
	CHECK(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_PASS]) >= wire.seen->frames);
	return release(sock);
}

/**
 * test_headers() - headers at constant places
 *
 * Return: whether GSO frames stay whole
 */
static bool test_headers(void)
{
	return whole("wire_headers", "lite");
}

/**
 * test_options() - headers behind one that may be longer
 *
 * Return: whether GSO frames stay whole
 */
static bool test_options(void)
{
	return whole("wire_options", "sfi");
}

/**
 * test_length() - a program that asks for the length
 *
 * Return: whether it sees no more than an MTU allows
 */
static bool test_length(void)
{
	return cut_up("wire_length", "lite");
}

/**
 * test_ipv6() - the same over IPv6
 *
 * Return: whether it makes no difference
 */
static bool test_ipv6(void)
{
	int sock = attach("vm0", "wire_length", "lite");

	CHECK(sock >= 0);
	wire_forget();
	CHECK(wire_both_ways(WIRE_GUEST6, WIRE_SENDER6, STREAM));
	CHECK(wire.seen->frames > STREAM / WIRE_FRAME);
	CHECK(wire.seen->longest <= WIRE_FRAME);
	CHECK_EQ(wire.seen->gso, 0);
	CHECK_EQ(wire.seen->partial, 0);
	CHECK(counter("vm0", "turned") > 0);
	return release(sock);
}

/**
 * test_write() - a program that changes what checksums are over
 *
 * Return: whether it finds them right, and leaves them so
 */
static bool test_write(void)
{
	return cut_up("wire_write", "lite");
}

/**
 * test_check() - datagrams, of which the sender left the checksum to others
 *
 * Return: whether the program finds it right in each
 */
static bool test_check(void)
{
	int sock = attach("vm0", "wire_check", "lite");
	struct virtio_bpf_info info;

	CHECK(sock >= 0);
	wire_forget();
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 200, COMES), 200);
	info = proxy_info(sock);
	CHECK_EQ(le64toh(info.packets[VIRTIO_BPF_CNT_ABORTED]), 0);
	CHECK(le64toh(info.packets[VIRTIO_BPF_CNT_PASS]) >= 200);
	CHECK(counter("vm0", "turned") >= 200);
	CHECK_EQ(wire.seen->partial, 0);
	return release(sock);
}

/**
 * tagging() - load a program that gives frames a VLAN tag, or takes it away
 * @push: which of both
 *
 * There need not be any VLAN devices on this machine: the tag is put on where
 * the host receives frames from the sender, as a switch would, and is taken off
 * where the guest's kernel receives them.
 *
 * Return: the program's fd
 */
static int tagging(bool push)
{
	const struct bpf_insn insns[] = {
		{ .code = 0xb7, .dst_reg = 2, .imm = htobe16(0x8100) },
		{ .code = 0xb7, .dst_reg = 3, .imm = 5 },
		{ .code = 0x85, .imm = push ? BPF_FUNC_skb_vlan_push : BPF_FUNC_skb_vlan_pop },
		{ .code = 0xb7, .imm = -1 },				/* TCX_NEXT */
		{ .code = 0x95 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagging", "GPL", insns, 5, NULL);
}

/**
 * tagged() - TCP in a VLAN
 * @name: of the program
 * @mode: in which it runs
 *
 * Return: whether each frame has its tag in it, and all bytes come
 */
static bool tagged(const char *name, const char *mode)
{
	int sock = attach("vm0", name, "lite"), push, pop;

	CHECK(sock >= 0);
	CHECK(is_mode("vm0", mode));
	push = bpf_link_create(tagging(true), (int)if_nametoindex("s0"), TCX_INGRESS, NULL);
	CHECK(wire_enter(wire.guest));
	pop = bpf_link_create(tagging(false), (int)if_nametoindex("eth0"), TCX_INGRESS, NULL);
	CHECK(wire_enter(wire.host));
	CHECK(push >= 0 && pop >= 0);
	wire_forget();
	CHECK(wire_both_ways(WIRE_GUEST, WIRE_SENDER, STREAM));
	CHECK(wire.seen->tagged > 10);
	if (!strcmp(mode, "full"))
		CHECK(!wire.seen->gso && wire.seen->longest <= WIRE_FRAME + 4);
	else
		CHECK(wire.seen->gso && wire.seen->longest > 4 * WIRE_FRAME);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]), 0);
	CHECK_EQ(counter("vm0", "failed"), 0);
	close(push);
	close(pop);
	return release(sock);
}

/**
 * test_vlan() - a tag beside frames that are cut
 *
 * Return: whether each piece has it
 */
static bool test_vlan(void)
{
	return tagged("wire_length", "full");
}

/**
 * test_vlan_headers() - a tag beside frames that stay whole
 *
 * Return: whether they have it in them, and the guest takes them so
 */
static bool test_vlan_headers(void)
{
	return tagged("wire_tagged", "header");
}

/**
 * test_routed() - a TAP that is on no bridge
 *
 * Return: whether it makes no difference
 */
static bool test_routed(void)
{
	int sock = attach("vm0", "wire_write", "lite");

	CHECK(sock >= 0);
	CHECK(!wire_run(wire.host, "sysctl -q net.ipv4.ip_forward=1 &&"
			" ip link set " TAP " nomaster && ip addr add 10.9.1.254/24 dev " TAP
			" && ip addr add 10.9.0.254/24 dev br0"));
	CHECK(!wire_run(wire.guest, "ip addr add " WIRE_ROUTED "/24 dev eth0 &&"
			" ip addr del " WIRE_GUEST "/24 dev eth0 &&"
			" ip route add default via 10.9.1.254"));
	CHECK(!wire_run(wire.sender, "ip route add default via 10.9.0.254"));
	wire_forget();
	CHECK(wire_both_ways(WIRE_ROUTED, WIRE_SENDER, STREAM));
	CHECK(!wire.seen->gso && wire.seen->longest <= WIRE_FRAME);
	CHECK(counter("vm0", "turned") > 0);
	CHECK(!wire_run(wire.sender, "ip route del default"));
	CHECK(!wire_run(wire.guest, "ip route del default && ip addr flush dev eth0 &&"
			" ip addr add " WIRE_GUEST "/24 dev eth0"));
	CHECK(!wire_run(wire.host, "sysctl -q net.ipv4.ip_forward=0 && ip addr flush dev br0 &&"
			" ip addr flush dev " TAP " && ip link set " TAP " master br0"));
	return release(sock);
}

/**
 * test_swap() - programs of both kinds in turn, while a stream flows
 *
 * Return: whether no byte is lost, and no frame is longer than the program that
 *         asks for lengths allows
 */
static bool test_swap(void)
{
	int sock = attach("vm0", "wire_headers", "lite");
	struct reply reply;
	int64_t length, headers;
	uint64_t dropped;
	pid_t stream;

	CHECK(sock >= 0);
	headers = le32toh(proxy_info(sock).attached);
	length = proxy_load_file(sock, "wire_length", &reply);
	CHECK(length > 0);
	stream = wire_stream(wire.sender, wire.guest, WIRE_GUEST, 3 * RATE, RATE);
	dropped = 0;
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, length), VIRTIO_BPF_S_OK);
		CHECK(is_mode("vm0", "full"));
		dropped += le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, headers), VIRTIO_BPF_S_OK);
		CHECK(is_mode("vm0", "header"));
	}
	CHECK(wire_wait(stream));
	CHECK_EQ(dropped, 0);
	CHECK(counter("vm0", "turned") > 0 && counter("vm0", "whole") > 0);
	CHECK_EQ(counter("vm0", "failed"), 0);
	return release(sock);
}

/**
 * test_restart() - the daemon ends and starts, while a stream flows
 *
 * Return: whether the stream does not end, with a program that needs the turn
 */
static bool test_restart(void)
{
	int status, sock = attach("vm0", "wire_write", "lite");
	struct reply reply;
	int64_t before;
	pid_t stream;

	CHECK(sock >= 0);
	stream = wire_stream(wire.sender, wire.guest, WIRE_GUEST, 3 * RATE, RATE);
	wire_forget();
	usleep(200000);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(bed_stop(), 0);
		hang_up(sock);
		usleep(100000);
		CHECK(bed_start());
		sock = proxy_hello(PROXY_UID, "vm0", &status, &reply);
		CHECK_EQ(status, VIRTIO_BPF_S_OK);
		CHECK(is_mode("vm0", "full"));
	}
	before = counter("vm0", "returned");
	CHECK(wire_wait(stream));
	CHECK(counter("vm0", "returned") > before);
	CHECK_EQ(counter("vm0", "failed"), 0);
	CHECK(!wire.seen->gso && !wire.seen->partial && wire.seen->longest <= WIRE_FRAME);
	return release(sock);
}

/**
 * test_configured() - the operator wants no frame to stay whole
 *
 * Return: whether none does after a restart, and some do after another
 */
static bool test_configured(void)
{
	int status, sock = attach("vm0", "wire_headers", "lite");
	const char *const modes[] = { "full", "header" };
	struct reply reply;

	CHECK(sock >= 0);
	CHECK(is_mode("vm0", "header"));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(bed_stop(), 0);
		hang_up(sock);
		CHECK(!wire_run(wire.host, "sed -i '/^header_bytes/d; s/^uid.*/&%s/' %s",
				i ? "" : "\\nheader_bytes = 0", bed_path("conf")));
		CHECK(bed_start());
		sock = proxy_hello(PROXY_UID, "vm0", &status, &reply);
		CHECK_EQ(status, VIRTIO_BPF_S_OK);
		CHECK(is_mode("vm0", modes[i]));
		wire_forget();
		CHECK(wire_both_ways(WIRE_GUEST, WIRE_SENDER, STREAM));
		CHECK_EQ(!wire.seen->gso, !i);
	}
	CHECK_EQ(counter("vm0", "failed"), 0);
	return release(sock);
}

/**
 * test_cut_off() - somebody sets the pair down, then deletes it
 *
 * Return: whether packets that need it are dropped and counted, the others are
 *         not, and to attach again mends it
 */
static bool test_cut_off(void)
{
	int sock = attach("vm0", "wire_check", "lite");
	int64_t prog, failed;
	struct reply reply;

	CHECK(sock >= 0);
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, COMES), 3);
	for (const char *end = "oi"; *end; end++) {
		failed = counter("vm0", "failed");
		CHECK(!wire_run(wire.host, "ip link set vbpf%u%c down", if_nametoindex(TAP),
				*end));
		CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, LOST), 0);
		CHECK(counter("vm0", "failed") >= failed + 3);
		CHECK(!wire_run(wire.host, "ip link set vbpf%u%c up", if_nametoindex(TAP), *end));
		CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, COMES), 3);
	}
	CHECK(!wire_run(wire.host, "ip link set vbpf%ui down", if_nametoindex(TAP)));
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, LOST), 0);
	prog = le32toh(proxy_info(sock).attached);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	usleep(100000);	/* that its carrier is back takes the kernel a moment */
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, COMES), 3);
	failed = counter("vm0", "failed");
	CHECK(!wire_run(wire.host, "ip link del vbpf%ui", if_nametoindex(TAP)));
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, LOST), 0);
	CHECK(counter("vm0", "failed") >= failed + 3);
	failed = counter("vm0", "failed");
	CHECK(!wire_run(wire.host, "%s/vbpf -c %s show vm0 | grep 'veth pair.*gone'", bed.bin,
			bed_path("control")));
	wire_forget();
	CHECK_EQ(frame_send(3), true);
	usleep(100000);
	CHECK(wire.seen->frames >= 3 && !wire.seen->partial);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(wire_datagrams(WIRE_GUEST, 3, COMES), 3);
	CHECK_EQ(counter("vm0", "failed"), failed);
	/* The daemon dies, and its folder is removed: the pair is nobody's. */
	CHECK(!kill(bed.daemon, SIGKILL) && waitpid(bed.daemon, NULL, 0) == bed.daemon);
	hang_up(sock);
	CHECK(!wire_run(wire.host, "rm -r %s", bed_path("bpf/ports/vm0")));
	CHECK(!wire_run(wire.host, PAIRS));
	CHECK(bed_start());
	CHECK(!wire_run(wire.host, "! " PAIRS));
	sock = proxy_open();
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

static int taps[4] = { -1, -1, -1, -1 };	/* other ends of those of vm1 to vm3 */

/**
 * next_frame() - what reaches a VM
 * @tap: other end of its TAP
 * @type: of the frames that count
 * @frame: room for a frame
 * @size: bytes of it
 *
 * Return: length of the next frame, or -1 if none comes in time
 */
static ssize_t next_frame(int tap, uint16_t type, unsigned char *frame, size_t size)
{
	struct pollfd pfd = { .fd = tap, .events = POLLIN };

	while (poll(&pfd, 1, LOST) > 0) {
		ssize_t n = read(tap, frame, size);

		if (n >= 14 && frame[12] == type >> 8 && frame[13] == (type & 0xff))
			return n;
	}
	return -1;
}

/**
 * inject() - send a frame at one of this host's netdevs
 * @name: of the netdev
 * @hdr: what is special about the frame
 * @frame: the frame
 * @len: bytes of it
 *
 * Return: whether it was sent; a program may have dropped it
 */
static bool inject(const char *name, const struct virtio_net_hdr *hdr, const void *frame,
		   size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = (int)if_nametoindex(name) };
	struct iovec iov[] = { { (void *)hdr, sizeof(*hdr) }, { (void *)frame, len } };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov,
			      .msg_iovlen = 2 };
	int on = 1, sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool ok = sock >= 0 && !setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));

	ok = ok && (sendmsg(sock, &msg, 0) > 0 || errno == ENOBUFS);
	close(sock);
	return ok;
}

/**
 * sum() - add up 16-bit words
 * @data: the words
 * @len: bytes, an even number
 * @start: what to begin with
 *
 * Return: the sum, folded to 16 bits
 */
static uint16_t sum(const unsigned char *data, size_t len, uint32_t start)
{
	for (size_t i = 0; i < len; i += 2)
		start += (uint32_t)(data[i] << 8 | data[i + 1]);
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return (uint16_t)start;
}

/**
 * sums_right() - are the checksums of an IPv4 packet right?
 * @frame: frame with the packet, its IPv4 header without options
 * @len: bytes of the frame, an even number
 *
 * Return: whether they are
 */
static bool sums_right(const unsigned char *frame, size_t len)
{
	return sum(frame + 14, 20, 0) == 0xffff &&
	       sum(frame + 26, len - 26, frame[23] + (uint32_t)(len - 34)) == 0xffff;
}

/**
 * make_packet() - make an IPv4 packet without its own checksum
 * @frame: set to a frame with it
 * @len: bytes of the frame, an even number
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @check: place of that protocol's checksum in its header
 */
static void make_packet(unsigned char *frame, size_t len, uint8_t proto, size_t check)
{
	static const unsigned char head[] = {
		0x52, 0x54, 0, 0, 0, 0xaa, 0x52, 0x54, 0, 0, 0, 0xbb, 8, 0,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0, 10, 9, 0, 1, 10, 9, 0, 9,
		0x30, 0x39, 0x13, 0x89,
	};
	size_t ip_len = len - 14;
	uint16_t value;

	for (size_t i = 0; i < len; i++)
		frame[i] = (unsigned char)(i * 7 + (i >> 8));
	memcpy(frame, head, sizeof(head));
	frame[16] = (unsigned char)(ip_len >> 8);
	frame[17] = (unsigned char)ip_len;
	frame[23] = proto;
	value = (uint16_t)~sum(frame + 14, 20, 0);
	frame[24] = (unsigned char)(value >> 8);
	frame[25] = (unsigned char)value;
	if (proto == IPPROTO_TCP) {
		frame[46] = 5 << 4;	/* length of its header, in words */
		frame[47] = 0x10;	/* ACK */
	} else {
		frame[38] = (unsigned char)((len - 34) >> 8);
		frame[39] = (unsigned char)(len - 34);
	}
	value = sum(frame + 26, 8, proto + (uint32_t)(len - 34));
	frame[34 + check] = (unsigned char)(value >> 8);
	frame[35 + check] = (unsigned char)value;
}

/**
 * test_taps() - three more VMs on the bridge, which take no GSO frames
 *
 * Return: whether they are there
 */
static bool test_taps(void)
{
	for (int i = 1; i < 4; i++) {
		char name[IF_NAMESIZE];

		snprintf(name, sizeof(name), TAP "%d", i);
		taps[i] = wire_tap(name, false);
		CHECK(taps[i] >= 0);
		CHECK(!wire_run(wire.host, "ip link set %s up master br0", name));
	}
	return true;
}

/**
 * test_broadcast() - one packet for all, and each port has its own program
 *
 * Return: whether each VM gets what its program made of it
 */
static bool test_broadcast(void)
{
	unsigned char a[256], b[256], c[256];
	int socks[] = { attach("vm1", "wire_check", "lite"), attach("vm2", "wire_headers", "lite"),
			attach("vm3", "wire_write", "lite") };

	CHECK(socks[0] >= 0 && socks[1] >= 0 && socks[2] >= 0);
	CHECK_EQ(wire_datagrams("10.9.0.255", 5, 0), 5);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(next_frame(taps[1], ETH_P_IP, a, sizeof(a)), 142);
		CHECK_EQ(next_frame(taps[2], ETH_P_IP, b, sizeof(b)), 142);
		CHECK_EQ(next_frame(taps[3], ETH_P_IP, c, sizeof(c)), 142);
		CHECK(sums_right(a, 142) && sums_right(b, 142) && sums_right(c, 142));
		CHECK_EQ(a[141], i);
		CHECK(!memcmp(a, b, 142));
		CHECK(a[22] == 64 && c[22] == 33);
		memcpy(c + 22, a + 22, 4);	/* TTL and checksum */
		CHECK(!memcmp(a, c, 142));
	}
	CHECK_EQ(le64toh(proxy_info(socks[0]).packets[VIRTIO_BPF_CNT_ABORTED]), 0);
	CHECK(counter("vm1", "turned") >= 5 && counter("vm3", "turned") >= 5);
	CHECK_EQ(counter("vm2", "turned"), 0);
	hang_up(socks[1]);
	hang_up(socks[2]);
	usleep(1500000);	/* released, since nobody comes back for them */
	return release(socks[0]);
}

/**
 * test_encap() - a packet without its checksum goes back, longer, to other ports
 *
 * Return: whether it arrives there with its checksum, byte by byte
 */
static bool test_encap(void)
{
	const struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .csum_start = 34, .csum_offset = 6, .hdr_len = 42 };
	int sock = attach("vm1", "wire_encap", "sfi");
	unsigned char sent[1200], got[2048];

	CHECK(sock >= 0);
	make_packet(sent, sizeof(sent), IPPROTO_UDP, 6);
	CHECK(inject(TAP "1", &hdr, sent, sizeof(sent)));
	CHECK_EQ(next_frame(taps[2], 0x88b5, got, sizeof(got)), sizeof(sent) + 14);
	CHECK(!memcmp(got, "\x52\x54\0\0\0\xee", 6) && !memcmp(got + 6, sent, 6));
	CHECK(sums_right(got + 14, sizeof(sent)));
	memcpy(got + 14 + 40, sent + 40, 2);	/* the checksum */
	CHECK(!memcmp(got + 14, sent, sizeof(sent)));
	CHECK_EQ(counter("vm1", "turned"), 1);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_TX]), 1);
	CHECK_EQ(next_frame(taps[1], 0x88b5, got, sizeof(got)), -1);
	return release(sock);
}

/**
 * test_back() - a GSO frame goes back whole
 *
 * Return: whether another port gets it in pieces, each right
 */
static bool test_back(void)
{
	const struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54, .gso_size = 1000, .csum_start = 34, .csum_offset = 16,
	};
	int sock = attach("vm1", "wire_back", "lite");
	unsigned char sent[54 + 4000], got[2048];

	CHECK(sock >= 0);
	CHECK(is_mode("vm1", "header"));
	make_packet(sent, sizeof(sent), IPPROTO_TCP, 16);
	sent[5] = 0xcc;		/* nobody that the bridge knows */
	CHECK(inject(TAP "1", &hdr, sent, sizeof(sent)));
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(next_frame(taps[2], ETH_P_IP, got, sizeof(got)), 54 + 1000);
		CHECK(sums_right(got, 54 + 1000));
		CHECK(!memcmp(got + 54, sent + 54 + 1000 * i, 1000));
	}
	CHECK_EQ(counter("vm1", "whole"), 1);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_TX]), 1);
	return release(sock);
}

/**
 * test_alien() - somebody sends into the pair
 *
 * Return: whether nothing of it gets to the guest
 */
static bool test_alien(void)
{
	int sock = attach("vm1", "wire_length", "lite");
	const struct virtio_net_hdr none = { 0 };
	unsigned char frame[2048] = { 0 };
	char name[IF_NAMESIZE];

	CHECK(sock >= 0);
	make_packet(frame, 100, IPPROTO_UDP, 6);
	for (const char *end = "oi"; *end; end++) {
		snprintf(name, sizeof(name), "vbpf%u%c", if_nametoindex(TAP "1"), *end);
		CHECK(if_nametoindex(name) > 0);
		CHECK(inject(name, &none, frame, 100));
		CHECK_EQ(next_frame(taps[1], ETH_P_IP, frame + 1024, 1024), -1);
	}
	CHECK_EQ(counter("vm1", "returned"), 0);
	/* The pair has nothing to say by itself. */
	CHECK(!wire_run(wire.host, "[ -z \"$(ip -o addr show dev %s)\" ] &&"
			" ip link show dev %s | grep -q NOARP", name, name));
	CHECK(inject(TAP "1", &none, frame, 100));
	CHECK_EQ(next_frame(taps[1], ETH_P_IP, frame + 1024, 1024), 100);
	return release(sock);
}

/**
 * test_jumbo() - an MTU of 9000, also one that grew after the program was loaded
 *
 * Return: whether a program that works on a copy reaches the last byte
 */
static bool test_jumbo(void)
{
	const struct virtio_net_hdr hdr = { .hdr_len = 14 };
	int sock = attach("vm1", "wire_last", "sfi");
	unsigned char sent[9014], got[16384];
	int64_t prog;

	CHECK(sock >= 0);
	prog = le32toh(proxy_info(sock).attached);
	make_packet(sent, sizeof(sent), IPPROTO_UDP, 6);
	for (int i = 0; i < 2; i++) {
		CHECK(!wire_run(wire.host, "ip link set " TAP "1 mtu 9000"));
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
		CHECK(inject(TAP "1", &hdr, sent, sizeof(sent)));
		CHECK_EQ(next_frame(taps[1], ETH_P_IP, got, sizeof(got)), sizeof(sent));
		got[sizeof(sent) - 1] = (unsigned char)~got[sizeof(sent) - 1];
		CHECK(!memcmp(got, sent, sizeof(sent)));
		CHECK(release(sock));
		sock = attach("vm1", "wire_last", "sfi");
		CHECK(sock >= 0);
		prog = le32toh(proxy_info(sock).attached);
	}
	CHECK(!wire_run(wire.host, "ip link set " TAP "1 mtu 1500"));
	return release(sock);
}

/**
 * test_stop() - the daemon ends
 *
 * Return: whether it ends well
 */
static bool test_stop(void)
{
	wire_remove();
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
		{ "the daemon starts; a guest and a sender", test_start },
		{ "no program: GSO frames reach the guest", test_none },
		{ "headers: GSO frames stay whole", test_headers },
		{ "headers, on a copy: GSO frames stay whole", test_options },
		{ "length: frames are cut", test_length },
		{ "length, IPv6: frames are cut", test_ipv6 },
		{ "writing: frames are cut, checksums right", test_write },
		{ "a checksum that was left to others is there", test_check },
		{ "VLAN tag, frames are cut", test_vlan },
		{ "VLAN tag, GSO frames stay whole", test_vlan_headers },
		{ "a routed TAP", test_routed },
		{ "programs of both kinds in turn", test_swap },
		{ "the daemon ends and starts while frames take their turn", test_restart },
		{ "the operator wants every frame cut", test_configured },
		{ "the veth pair is set down, then deleted", test_cut_off },
		{ "three more VMs", test_taps },
		{ "a broadcast to three ports with programs of their own", test_broadcast },
		{ "XDP_TX of a packet that took the turn, grown", test_encap },
		{ "XDP_TX of a whole GSO frame", test_back },
		{ "nothing else gets through the pair", test_alien },
		{ "jumbo frames, and an MTU that grew", test_jumbo },
		{ "the daemon ends", test_stop },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
