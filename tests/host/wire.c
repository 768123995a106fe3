// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A guest made of a network namespace
 *
 *   sender: eth0 --veth-- s0 | host: bridge br0 | vbpf-tap --relay-- eth0 :guest
 *
 * The guest's card is a TAP of its own, and a process carries frames between
 * that and the TAP under test, as a VMM does: with the virtio-net header in
 * front, which says that a frame is many in one, or lacks its checksum. Both
 * TAPs take such frames. So what one kernel's TCP sends as one frame of 64 KB
 * can reach the other's as it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../ktap.h"
#include "bed.h"
#include "wire.h"

/* From Linux 6.2; older headers do not have them. */
#define WIRE_USO	(0x20 | 0x40)
#define WIRE_CHUNK	65536
#define WIRE_SECONDS	30	/* for a stream */
#define WIRE_PORT	5001
#define WIRE_HDR	sizeof(struct virtio_net_hdr)
#define WIRE_DATA	100	/* bytes of a datagram's data */

struct wire wire = { .host = -1, .guest = -1, .sender = -1 };

/**
 * wire_enter() - go to a network namespace
 * @ns: the namespace
 *
 * Return: whether this process is there
 */
bool wire_enter(int ns)
{
	return !setns(ns, CLONE_NEWNET);
}

/**
 * wire_run() - run a command of the shell in a network namespace
 * @ns: the namespace
 * @fmt: the command, as for printf()
 *
 * Return: its exit status
 */
int wire_run(int ns, const char *fmt, ...)
{
	char command[1024], out[1024];
	int status = -1;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (wire_enter(ns))
		status = bed_run(out, sizeof(out), "{ %s; } 2>&1", command);
	if (!wire_enter(wire.host))
		abort();
	if (status)
		printf("# %s: %s\n", command, out);
	return status;
}

/**
 * wire_tap() - make a TAP in the namespace where this process is
 * @name: of the TAP
 * @offloads: it takes GSO frames and such without their checksum, and there is
 *            a virtio-net header before each frame
 *
 * Return: its other end, or -1
 */
int wire_tap(const char *name, bool offloads)
{
	const unsigned int features = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (offloads)
		ifr.ifr_flags |= IFF_VNET_HDR;
	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	if (!ioctl(fd, TUNSETIFF, &ifr) &&
	    (!offloads || !ioctl(fd, TUNSETOFFLOAD, features | WIRE_USO) ||
	     !ioctl(fd, TUNSETOFFLOAD, features)))
		return fd;
	close(fd);
	return -1;
}

/**
 * wire_look() - take note of a frame on its way to the guest
 * @buf: the frame, with its virtio-net header
 * @len: bytes of both
 */
static void wire_look(const char *buf, size_t len)
{
	struct virtio_net_hdr hdr;
	struct wire_seen *seen = wire.seen;

	memcpy(&hdr, buf, sizeof(hdr));
	len -= sizeof(hdr);
	seen->frames++;
	if (seen->longest < len)
		seen->longest = len;
	seen->gso += hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	seen->partial += (hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
	seen->tagged += len >= 14 && (unsigned char)buf[sizeof(hdr) + 12] == 0x81 &&
			!buf[sizeof(hdr) + 13];
}

/**
 * wire_relay() - carry frames between two TAPs, for ever
 * @tap: the one under test
 * @card: the guest's
 */
static void __attribute__((noreturn)) wire_relay(int tap, int card)
{
	struct pollfd pfds[] = { { .fd = tap, .events = POLLIN },
				 { .fd = card, .events = POLLIN } };
	static char buf[WIRE_HDR + 2 * WIRE_CHUNK];

	while (poll(pfds, 2, -1) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t n = read(pfds[i].fd, buf, sizeof(buf));

			if (n < (ssize_t)WIRE_HDR)
				continue;
			if (!i)
				wire_look(buf, (size_t)n);
			/* What the other kernel does not take is lost, as on a wire. */
			if (write(pfds[!i].fd, buf, (size_t)n) != n)
				continue;
		}
	}
	_exit(1);
}

/**
 * wire_forget() - forget what has reached the guest
 */
void wire_forget(void)
{
	memset(wire.seen, 0, sizeof(*wire.seen));
}

/**
 * wire_ns() - make a network namespace
 *
 * Return: an fd of it, or -1; this process is where it was
 */
static int wire_ns(void)
{
	int ns = unshare(CLONE_NEWNET) ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return wire_enter(wire.host) ? ns : -1;
}

/**
 * wire_make() - make guest, sender and what is between them
 *
 * Return: whether all is there
 */
bool wire_make(void)
{
	int card;

	wire.seen = mmap(NULL, sizeof(*wire.seen), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wire.host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	wire.guest = wire_ns();
	wire.sender = wire_ns();
	CHECK(wire.seen != MAP_FAILED && wire.guest >= 0 && wire.sender >= 0);
	CHECK(wire_enter(wire.guest));
	card = wire_tap("eth0", true);
	CHECK(wire_enter(wire.host));
	bed.tap = wire_tap(TAP, true);
	CHECK(card >= 0 && bed.tap >= 0);
	CHECK(!wire_run(wire.host, "ip link add br0 type bridge mcast_snooping 0 &&"
			" ip link add s0 type veth peer name eth0 netns /proc/%d/fd/%d &&"
			" ip link set s0 up master br0 && ip link set " TAP " up master br0 &&"
			" ip link set br0 up", (int)getpid(), wire.sender));
	CHECK(!wire_run(wire.sender, "ip link set lo up && ip link set eth0 address"
			" 52:54:00:00:00:01 up && ip addr add " WIRE_SENDER "/24 brd + dev eth0 &&"
			" ip addr add " WIRE_SENDER6 "/64 nodad dev eth0"));
	CHECK(!wire_run(wire.guest, "ip link set lo up && ip link set eth0 address"
			" 52:54:00:12:34:56 up && ip addr add " WIRE_GUEST "/24 dev eth0 &&"
			" ip addr add " WIRE_GUEST6 "/64 nodad dev eth0"));
	wire.relay = fork();
	if (!wire.relay) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wire_relay(bed.tap, card);
	}
	close(card);
	return wire.relay > 0;
}

/**
 * wire_remove() - end what wire_make() started; the namespaces go by themselves
 */
void wire_remove(void)
{
	if (wire.relay <= 0)
		return;
	kill(wire.relay, SIGKILL);
	waitpid(wire.relay, NULL, 0);
	wire.relay = 0;
}

/**
 * wire_bytes() - the next bytes of a stream
 * @state: where in the stream; any number but 0 at first
 * @buf: set to WIRE_CHUNK bytes
 *
 * A generator of Marsaglia's kind (xorshift): any byte that is lost, doubled or
 * changed makes a difference.
 */
static void wire_bytes(uint64_t *state, char *buf)
{
	for (size_t i = 0; i < WIRE_CHUNK; i += sizeof(*state)) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		memcpy(buf + i, state, sizeof(*state));
	}
}

/**
 * wire_addr() - where streams go
 * @addr: an IPv4 or IPv6 address
 * @ss: set to it, with the port
 */
static void wire_addr(const char *addr, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(addr, ':')) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(WIRE_PORT);
		inet_pton(AF_INET6, addr, &sin6->sin6_addr);
	} else {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(WIRE_PORT);
		inet_pton(AF_INET, addr, &sin->sin_addr);
	}
}

/**
 * wire_receive() - take one connection, and compare what comes
 * @sock: socket that listens
 * @bytes: how many must come
 *
 * Return: whether they come, and nothing else
 */
static bool wire_receive(int sock, uint64_t bytes)
{
	static char want[WIRE_CHUNK], have[WIRE_CHUNK];
	int conn = accept(sock, NULL, NULL);
	uint64_t state = bytes, left = bytes;
	bool ok = conn >= 0;

	while (ok && left) {
		ok = recv(conn, have, WIRE_CHUNK, MSG_WAITALL) == WIRE_CHUNK;
		wire_bytes(&state, want);
		ok = ok && !memcmp(want, have, WIRE_CHUNK);
		left -= WIRE_CHUNK;
	}
	return ok && recv(conn, have, 1, 0) == 0;
}

/**
 * wire_send() - connect and send
 * @to: where
 * @bytes: how many
 * @rate: in a second, at most, or 0 for as many as can be
 *
 * Return: whether all was sent, and the other side is done with it
 */
static bool wire_send(const struct sockaddr_storage *to, uint64_t bytes, uint32_t rate)
{
	static char buf[WIRE_CHUNK];
	int sock = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t state = bytes;
	bool ok = sock >= 0 && !connect(sock, (const struct sockaddr *)to, sizeof(*to));

	if (rate)
		ok = ok && !setsockopt(sock, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
	for (uint64_t left = bytes; ok && left; left -= WIRE_CHUNK) {
		wire_bytes(&state, buf);
		ok = send(sock, buf, sizeof(buf), MSG_NOSIGNAL) == (ssize_t)sizeof(buf);
	}
	return ok && !shutdown(sock, SHUT_WR) && recv(sock, buf, 1, 0) == 0;
}

/**
 * wire_stream() - begin to send a stream of bytes over TCP
 * @from: namespace of the one who sends
 * @to: namespace of the one who receives
 * @addr: address of the one who receives
 * @bytes: how many, a multiple of 64 KB
 * @rate: in a second, at most, or 0 for as many as can be
 *
 * Return: a process for wire_wait(), or -1
 */
pid_t wire_stream(int from, int to, const char *addr, uint64_t bytes, uint32_t rate)
{
	struct sockaddr_storage ss = { 0 };
	int on = 1, sock, status = -1;
	pid_t pid = fork(), receiver;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(WIRE_SECONDS);
	wire_addr(addr, &ss);
	if (!wire_enter(to))
		_exit(2);
	sock = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(sock, (struct sockaddr *)&ss, sizeof(ss)) || listen(sock, 1))
		_exit(3);
	receiver = fork();
	if (!receiver) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(WIRE_SECONDS);
		_exit(!wire_receive(sock, bytes));
	}
	if (!wire_enter(from) || !wire_send(&ss, bytes, rate))
		_exit(4);
	waitpid(receiver, &status, 0);
	_exit(status ? 5 : 0);
}

/**
 * wire_wait() - wait for a stream to end
 * @stream: from wire_stream()
 *
 * Return: whether every byte came
 */
bool wire_wait(pid_t stream)
{
	int status = -1;

	if (stream <= 0 || waitpid(stream, &status, 0) != stream || status)
		printf("# a stream ended with the status 0x%x\n", status);
	return !status;
}

/**
 * wire_both_ways() - send a stream to the guest, and one back
 * @guest: address of the guest
 * @sender: of the other one
 * @bytes: how many each
 *
 * Return: whether every byte came
 */
bool wire_both_ways(const char *guest, const char *sender, uint64_t bytes)
{
	return wire_wait(wire_stream(wire.sender, wire.guest, guest, bytes, 0)) &&
	       wire_wait(wire_stream(wire.guest, wire.sender, sender, bytes, 0));
}

/**
 * wire_datagrams() - send datagrams to the guest, and see what comes
 * @addr: address of the guest, or of all
 * @cnt: how many
 * @wait: milliseconds for each to come, or 0: nobody looks at what comes
 *
 * Return: how many came as they were sent, or were sent if nobody looks; or -1
 */
int wire_datagrams(const char *addr, int cnt, int wait)
{
	const struct timeval timeout = { .tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000 };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(WIRE_PORT) };
	char data[WIRE_DATA], got[WIRE_DATA + 1];
	int on = 1, in, out, came = 0;

	inet_pton(AF_INET, addr, &sin.sin_addr);
	if (!wire_enter(wire.guest))
		return -1;
	in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (wait && bind(in, (struct sockaddr *)&sin, sizeof(sin)))
		return -1;
	setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (!wire_enter(wire.sender))
		abort();
	out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(out, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	for (int i = 0; i < cnt; i++) {
		memset(data, i, sizeof(data));
		if (sendto(out, data, sizeof(data), 0, (struct sockaddr *)&sin,
			   sizeof(sin)) != (ssize_t)sizeof(data))
			break;
		came += !wait || (recv(in, got, sizeof(got), 0) == (ssize_t)sizeof(data) &&
				      !memcmp(data, got, sizeof(data)));
	}
	close(in);
	close(out);
	if (!wire_enter(wire.host))
		abort();
	return came;
}
