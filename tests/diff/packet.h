/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H
/* Packets for differential tests */
#include <stdbool.h>
#include <stdint.h>

#define PACKET_MAX	1514
#define PACKET_MIN	14	/* BPF_PROG_TEST_RUN wants an Ethernet header */

/**
 * struct packet - a packet
 * @data: its bytes
 * @len: number of them, PACKET_MIN to PACKET_MAX
 */
struct packet {
	uint8_t data[PACKET_MAX];
	uint32_t len;
};

void packet_make(struct packet *p, uint64_t seed);
bool packet_change(struct packet *p, uint64_t seed, uint32_t from);

#endif /* TEST_PACKET_H */
