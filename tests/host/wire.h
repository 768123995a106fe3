/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_H
#define WIRE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_SENDER	"10.9.0.1"	/* on the bridge */
#define WIRE_GUEST	"10.9.0.2"	/* behind the TAP of port vm0 */
#define WIRE_ROUTED	"10.9.1.2"	/* the guest's, when its TAP is routed */
#define WIRE_SENDER6	"fd00::1"
#define WIRE_GUEST6	"fd00::2"
#define WIRE_FRAME	1514		/* the longest that an MTU of 1500 allows */

/**
 * struct wire_seen - what has reached the guest
 * @frames: frames
 * @longest: bytes of the longest of them
 * @gso: frames that are many in one
 * @partial: frames without their checksum
 * @tagged: frames with a VLAN tag in them
 */
struct wire_seen {
	uint64_t frames;
	uint64_t longest;
	uint64_t gso;
	uint64_t partial;
	uint64_t tagged;
};

/**
 * struct wire - a guest with a kernel, and somebody who talks to it
 * @host: network namespace with the TAP and the bridge
 * @guest: the guest's
 * @sender: that of whoever talks to it
 * @relay: process that carries frames between TAP and guest
 * @seen: what it has carried towards the guest; shared with it
 */
struct wire {
	int host;
	int guest;
	int sender;
	pid_t relay;
	struct wire_seen *seen;
};

extern struct wire wire;

bool wire_make(void);
void wire_remove(void);
int wire_tap(const char *name, bool offloads);
int wire_run(int ns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool wire_enter(int ns);
void wire_forget(void);
pid_t wire_stream(int from, int to, const char *addr, uint64_t bytes, uint32_t rate);
bool wire_wait(pid_t stream);
bool wire_both_ways(const char *guest, const char *sender, uint64_t bytes);
int wire_datagrams(const char *addr, int cnt, int wait);

#endif /* WIRE_H */
