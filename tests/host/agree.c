// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Twins on packets of many kinds and lengths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "../unit/insns.h"
#include "agree.h"

#define LENGTHS	12

/**
 * make_packet() - a packet of one of several kinds
 * @kind: 0 UDP, 1 TCP, 2 with a VLAN tag, 3 with IPv4 options, 4 IPv6, 5 random
 * @packet: room for it
 * @len: its length; what does not fit is cut off
 */
static void make_packet(int kind, uint8_t *packet, uint32_t len)
{
	static const uint8_t eth[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	uint8_t buf[2048];
	uint32_t at = 12;

	for (uint32_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(kind == 5 ? rand() : (int)i);
	memcpy(buf, eth, sizeof(eth));
	if (kind == 2) {
		memcpy(buf + at, "\x81\x00\x00\x05", 4);
		at += 4;
	}
	if (kind < 4) {
		memcpy(buf + at, "\x08\x00", 2);
		buf[at + 2] = kind == 3 ? 0x47 : 0x45;
		buf[at + 11] = kind == 1 ? 6 : 17;
		memcpy(buf + at + 24, "\x00\x09", 2);
	} else if (kind == 4) {
		memcpy(buf + at, "\x86\xdd\x60", 3);
	}
	memcpy(packet, buf, len);
}

/**
 * runs() - does the kernel run an skb program on such a packet?
 * @kind: as for make_packet()
 * @len: its length
 *
 * Return: false for a piece of an IP header, which BPF_PROG_TEST_RUN refuses
 */
static bool runs(int kind, uint32_t len)
{
	switch (kind) {
	case 0:
	case 1:
	case 3:
		return len >= 14 + 20;
	case 4:
		return len >= 14 + 40;
	default:
		return true;
	}
}

/**
 * may_be_refused() - is a translation refused that need not be accepted here?
 * @t: the twins
 *
 * Return: true of form lite at level strict on a kernel that walks mispredicted
 *         branches to their end, if it is the kernel that does not take it, or the
 *         rewriter because of that
 */
static bool may_be_refused(const struct twin *t)
{
	return t->err && t->form == RW_FORM_LITE && t->level == RW_LEVEL_STRICT &&
	       twin_walks_on() && (t->cnt || strstr(t->text, "older than Linux 6.17"));
}

/**
 * twin_agree() - run twins on all kinds and lengths of packets
 * @t: the twins
 *
 * Return: true if they always agreed
 */
bool twin_agree(struct twin *t)
{
	static const uint32_t lengths[LENGTHS] = {
		14, 15, 18, 33, 34, 42, 60, 64, 99, 100, 128, 1514,
	};
	uint8_t packet[TWIN_PACKET];

	if (may_be_refused(t)) {
		printf("# not in form lite on this kernel: %s\n", strerror(-t->err));
		return true;
	}
	if (t->err)
		printf("# %s\n# %s\n", strerror(-t->err), t->text);
	CHECK_EQ(t->err, 0);
	srand(1);
	for (int kind = 0; kind < 6; kind++) {
		for (int i = 0; i < LENGTHS; i++) {
			if (!runs(kind, lengths[i]))
				continue;
			make_packet(kind, packet, lengths[i]);
			if (!twin_run(t, packet, lengths[i])) {
				printf("# %s\n", t->text);
				return false;
			}
		}
	}
	if (!twin_maps_equal(t))
		printf("# %s\n", t->text);
	return !t->text[0];
}

/**
 * twin_insns_agree() - the same for a program written by hand
 * @insns: the program; a map of its own, an array of 16 u64, has handle 1
 * @cnt: number of @insns
 * @form: the form
 *
 * Return: true if so
 */
bool twin_insns_agree(const struct bpf_insn *insns, uint32_t cnt, enum rw_form form)
{
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), 1, RW_PROFILE_ALL };
	struct twin t;
	bool made = twin_make(&t, &prog, form), ok;

	if (!made)
		printf("# %s\n", t.text);
	ok = made && twin_agree(&t);
	twin_free(&t);
	return ok;
}
