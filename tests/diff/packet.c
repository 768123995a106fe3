// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Random packets
 *
 * A seed makes one packet: an Ethernet header, up to two VLAN tags, IPv4 with or
 * without options, IPv6 with up to three extension headers, or something else;
 * in it TCP, UDP, ICMP, GRE or IP again; and a payload. Some are cut off at any
 * byte. BPF_PROG_TEST_RUN refuses an IP header that is cut off right behind the
 * Ethernet header when it runs a program on a socket buffer: such packets get
 * another Ethernet type.
 */
#include <string.h>

#include "../unit/insns.h"
#include "packet.h"
#include "rng.h"

#define IPV4_MIN	20
#define IPV6_MIN	40

/**
 * struct pen - where a packet is being written
 * @p: the packet
 * @at: next byte
 * @rng: state of the random numbers
 */
struct pen {
	struct packet *p;
	uint32_t at;
	uint64_t rng;
};

/**
 * put16() - write a number in network byte order
 * @p: the packet
 * @at: where
 * @val: the number
 */
static void put16(struct packet *p, uint32_t at, uint32_t val)
{
	p->data[at] = (uint8_t)(val >> 8);
	p->data[at + 1] = (uint8_t)val;
}

/**
 * transport() - what follows an IP header
 * @pen: the packet
 * @proto: its protocol
 */
static void transport(struct pen *pen, uint8_t proto)
{
	static const uint16_t ports[] = { 7, 9, 22, 53, 80, 443, 4789, 8080, 65535 };
	uint8_t *h = pen->p->data + pen->at;

	if (proto == 6 || proto == 17) {
		put16(pen->p, pen->at, ports[rng_below(&pen->rng, ARRAY_SIZE(ports))]);
		put16(pen->p, pen->at + 2, ports[rng_below(&pen->rng, ARRAY_SIZE(ports))]);
	}
	if (proto == 6) {
		h[12] = (uint8_t)(0x50 + 0x10 * rng_below(&pen->rng, 11));
		h[13] = (uint8_t)(1u << rng_below(&pen->rng, 6));
		pen->at += h[12] >> 4 << 2;
	} else if (proto == 17) {
		put16(pen->p, pen->at + 4, 8 + rng_below(&pen->rng, 64));
		pen->at += 8;
	} else if (proto == 1 || proto == 58) {
		h[0] = rng_percent(&pen->rng, 50) ? 8 : 128;
		h[1] = 0;
		pen->at += 8;
	} else if (proto == 47) {
		memset(h, 0, 4);
		h[0] = rng_percent(&pen->rng, 50) ? 0x20 : 0;
		put16(pen->p, pen->at + 2, rng_percent(&pen->rng, 50) ? 0x0800 : 0x6558);
		pen->at += h[0] ? 8 : 4;
	}
}

/**
 * ipv4() - an IPv4 header and what is in it
 * @pen: the packet
 * @depth: IP headers around it
 */
static void ipv4(struct pen *pen, int depth)
{
	static const uint8_t protos[] = { 1, 4, 6, 6, 17, 17, 47, 132 };
	uint8_t proto = protos[rng_below(&pen->rng, ARRAY_SIZE(protos))];
	uint8_t *h = pen->p->data + pen->at;
	uint32_t words = rng_percent(&pen->rng, 60) ? 5 : 5 + rng_below(&pen->rng, 11);

	h[0] = (uint8_t)(0x40 | words);
	put16(pen->p, pen->at + 2, 100);
	if (rng_percent(&pen->rng, 70))
		put16(pen->p, pen->at + 6, rng_percent(&pen->rng, 50) ? 0x4000 : 0);
	h[8] = 64;
	h[9] = proto;
	pen->at += 4 * words;
	if (proto != 4)
		transport(pen, proto);
	else if (depth < 2)
		ipv4(pen, depth + 1);
}

/**
 * ipv6() - an IPv6 header, extension headers and what is in it
 * @pen: the packet
 */
static void ipv6(struct pen *pen)
{
	static const uint8_t exts[] = { 0, 43, 44, 60, 51 };
	static const uint8_t protos[] = { 6, 17, 58, 47, 59 };
	uint8_t proto = protos[rng_below(&pen->rng, ARRAY_SIZE(protos))];
	uint8_t *next = pen->p->data + pen->at + 6;
	uint32_t cnt = rng_percent(&pen->rng, 60) ? 0 : 1 + rng_below(&pen->rng, 3);

	pen->p->data[pen->at] = 0x60;
	put16(pen->p, pen->at + 4, 100);
	next[1] = 64;
	pen->at += IPV6_MIN;
	while (cnt--) {
		uint32_t len = rng_below(&pen->rng, 3);

		*next = exts[rng_below(&pen->rng, ARRAY_SIZE(exts))];
		next = pen->p->data + pen->at;
		next[1] = (uint8_t)len;
		pen->at += 8 + 8 * len;
	}
	*next = proto;
	transport(pen, proto);
}

/**
 * length() - a length for a packet
 * @rng: state of the random numbers
 * @headers: bytes of headers that it has
 *
 * Return: the length
 */
static uint32_t length(uint64_t *rng, uint32_t headers)
{
	static const uint16_t lengths[] = {
		14, 15, 18, 33, 34, 35, 41, 42, 53, 54, 55, 60, 62, 63, 64, 65, 74, 78, 98, 99, 100,
		127, 128, 129, 255, 256, 257, 512, 576, 1023, 1024, 1025, 1280, 1500, 1513, 1514,
	};

	switch (rng_below(rng, 4)) {
	case 0:
		return lengths[rng_below(rng, ARRAY_SIZE(lengths))];
	case 1:	/* cut off within the headers */
		return PACKET_MIN + rng_below(rng, headers - PACKET_MIN + 1);
	case 2:
		return headers + rng_below(rng, 200);
	default:
		return PACKET_MIN + rng_below(rng, PACKET_MAX - PACKET_MIN + 1);
	}
}

/**
 * packet_make() - make a packet
 * @p: result
 * @seed: the same seed makes the same packet
 */
void packet_make(struct packet *p, uint64_t seed)
{
	struct pen pen = { .p = p, .at = 12, .rng = seed };
	uint32_t kind = rng_below(&pen.rng, 10), need = PACKET_MIN;
	uint32_t tags = rng_percent(&pen.rng, 70) ? 0 : 1 + rng_below(&pen.rng, 2);

	for (uint32_t i = 0; i < PACKET_MAX; i++)
		p->data[i] = (uint8_t)(i % 8 ? p->data[i - 1] * 5 + i : rng_next(&pen.rng));
	p->data[0] &= 0xfe;
	p->data[6] &= 0xfe;
	for (uint32_t i = 0; i < tags; i++) {
		put16(p, pen.at, tags == 2 && !i ? 0x88a8 : 0x8100);
		put16(p, pen.at + 2, 1 + rng_below(&pen.rng, 4094));
		pen.at += 4;
	}
	put16(p, pen.at, kind < 5 ? 0x0800 : kind < 8 ? 0x86dd : kind == 8 ? 0x0806 : 0x88b5);
	pen.at += 2;
	if (kind < 5)
		ipv4(&pen, 0);
	else if (kind < 8)
		ipv6(&pen);
	p->len = length(&pen.rng, pen.at);
	if (p->len > PACKET_MAX)
		p->len = PACKET_MAX;
	if (!tags && kind < 8)
		need += kind < 5 ? IPV4_MIN : IPV6_MIN;
	if (p->len < need)
		put16(p, 12, 0x88b5);
}

/**
 * packet_change() - make another packet that is the same in front
 * @p: the packet; changed
 * @seed: the same seed makes the same change
 * @from: what is behind this offset is replaced, and the length becomes any
 *        other one that is not less
 *
 * Return: false if the packet ends in front of that
 */
bool packet_change(struct packet *p, uint64_t seed, uint32_t from)
{
	uint32_t least = from > PACKET_MIN ? from : PACKET_MIN, type;
	uint64_t rng = ~seed;

	if (p->len < from || from > PACKET_MAX)
		return false;
	for (uint32_t i = from; i < PACKET_MAX; i++)
		p->data[i] = (uint8_t)rng_next(&rng);
	switch (rng_below(&rng, 4)) {
	case 0:
		p->len = least;
		break;
	case 1:
		p->len = least + rng_below(&rng, 8);
		break;
	default:
		p->len = least + rng_below(&rng, PACKET_MAX - least + 1);
	}
	if (p->len > PACKET_MAX)
		p->len = PACKET_MAX;
	type = (uint32_t)p->data[12] << 8 | p->data[13];
	if ((type == 0x0800 || type == 0x86dd) && p->len < PACKET_MIN + IPV6_MIN)
		p->len = PACKET_MIN + IPV6_MIN;
	return true;
}
