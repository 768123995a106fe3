// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Send one UDP frame and show what comes back
 *
 *   exchange IFACE SMAC DMAC SADDR DADDR PORT TEXT MILLISECONDS
 *
 * The frame is built here to the last byte, so that a test can say exactly
 * what must come back. It is printed first, as "sent HEX"; each frame that
 * then arrives at the interface within the time is printed as "got HEX".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FRAME 2048
#define SOURCE_PORT 40000

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	char text[MAX_FRAME];
} __attribute__((packed));

/**
 * checksum() - the Internet checksum of a header
 * @data: the header
 * @len: its bytes, an even number
 *
 * Return: the checksum as it goes into the header
 */
static uint16_t checksum(const void *data, size_t len)
{
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i + 1 < len; i += 2) {
		memcpy(&word, (const char *)data + i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/**
 * build() - make the frame that the command line asks for
 * @f: filled
 * @argv: SMAC DMAC SADDR DADDR PORT TEXT
 *
 * Return: its length, or 0 if an argument is no address
 */
static size_t build(struct frame *f, char **argv)
{
	struct ether_addr smac, dmac;
	size_t text = strnlen(argv[5], sizeof(f->text));

	if (!ether_aton_r(argv[0], &smac) || !ether_aton_r(argv[1], &dmac))
		return 0;
	memcpy(f->eth.ether_shost, &smac, sizeof(smac));
	memcpy(f->eth.ether_dhost, &dmac, sizeof(dmac));
	f->eth.ether_type = htons(ETHERTYPE_IP);
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_UDP;
	f->ip.tot_len = htons((uint16_t)(sizeof(f->ip) + sizeof(f->udp) + text));
	if (inet_pton(AF_INET, argv[2], &f->ip.saddr) != 1 ||
	    inet_pton(AF_INET, argv[3], &f->ip.daddr) != 1)
		return 0;
	f->ip.check = checksum(&f->ip, sizeof(f->ip));
	f->udp.source = htons(SOURCE_PORT);
	f->udp.dest = htons((uint16_t)atoi(argv[4]));
	f->udp.len = htons((uint16_t)(sizeof(f->udp) + text));
	memcpy(f->text, argv[5], text);
	return sizeof(*f) - sizeof(f->text) + text;
}

/**
 * show() - print a frame
 * @what: "sent" or "got"
 * @frame: its bytes
 * @len: how many
 */
static void show(const char *what, const void *frame, size_t len)
{
	const unsigned char *p = frame;

	printf("%s ", what);
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
	printf("\n");
}

/**
 * open_packet() - a packet socket on one interface
 * @name: of the interface
 *
 * Return: the socket, or -1
 */
static int open_packet(const char *name)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int sock;

	if (!addr.sll_ifindex)
		return -1;
	sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (sock >= 0 && bind(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		close(sock);
		return -1;
	}
	return sock;
}

/**
 * now_ms() - the monotonic clock
 *
 * Return: milliseconds
 */
static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/**
 * show_answers() - print what arrives until the time is up
 * @sock: packet socket
 * @ms: how long
 */
static void show_answers(int sock, long ms)
{
	long until = now_ms() + ms;
	unsigned char buf[MAX_FRAME];

	for (long left = ms; left > 0; left = until - now_ms()) {
		struct pollfd p = { .fd = sock, .events = POLLIN };
		struct sockaddr_ll from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = recvfrom(sock, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING)
			show("got", buf, (size_t)n);
	}
}

/**
 * main() - see the DOC
 * @argc: 9
 * @argv: as in the DOC
 *
 * Return: 0, or 1 if the frame could not be built or sent
 */
int main(int argc, char **argv)
{
	struct frame f = { 0 };
	size_t len;
	int sock;

	if (argc != 9) {
		fprintf(stderr, "usage: %s IFACE SMAC DMAC SADDR DADDR PORT TEXT MILLISECONDS\n",
			argv[0]);
		return 1;
	}
	len = build(&f, argv + 2);
	if (!len) {
		fprintf(stderr, "%s: an address is not one\n", argv[0]);
		return 1;
	}
	sock = open_packet(argv[1]);
	if (sock < 0 || send(sock, &f, len, 0) != (ssize_t)len) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], strerror(errno));
		return 1;
	}
	show("sent", &f, len);
	show_answers(sock, atol(argv[8]));
	close(sock);
	return 0;
}
