/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOADER_H
#define LOADER_H
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "request.h"
#include "vbpf_msg.h"

#define LOADER_SOCKET	"/run/virtio-bpf/loader.sock"

/* Messages that may wait for an answer at a time */
#define LOADER_CALLS	16

/*
 * How many of them may be the guest's. The loader does one after the other, so
 * more would gain nothing; and their answers, logs included, must fit into its
 * socket's buffer, since it hangs up on a proxy that it cannot write to.
 */
#define LOADER_WAITING	4

/* Time for the loader to answer, or to say that it is busy: it does every 3 s */
#define LOADER_ANSWER_MS	10000

/* The longest message that the loader may send */
#define LOADER_RECV_MAX	(sizeof(struct vbpf_msg_hdr) + sizeof(struct virtio_bpf_event) + \
			 VIRTIO_BPF_MAX_TEXT)

/**
 * struct loader_ops - whom a connection to the loader serves
 * @welcome: the loader said hello; an error (-errno), after a sentence on stderr
 *           unless @said_refused, ends the connection
 * @map: a map that exists, with its fd, which passes to the callee in any case;
 *       an error (-errno) ends the connection
 * @up: requests can be made from now on; not @kept: a reset was due, so that
 *      the maps that just came are gone again
 * @answer: an answer, whose @fd passes to the callee; @rq is NULL if nobody in
 *          the guest waits; an error (-errno) ends the connection, and then @rq
 *          is not answered yet
 * @failed: there will be no answer to @rq; @why is a sentence
 * @event: struct virtio_bpf_event, its length is right
 */
struct loader_ops {
	int (*welcome)(void *data, const struct vbpf_welcome *w);
	int (*map)(void *data, const struct vbpf_map *what, int fd);
	void (*up)(void *data, bool kept);
	int (*answer)(void *data, struct request *rq, const struct vbpf_msg *m);
	void (*failed)(void *data, struct request *rq, uint32_t status, const char *why);
	void (*event)(void *data, const struct virtio_bpf_event *ev);
};

enum loader_state {
	LOADER_DOWN,	/* no connection; a timer runs */
	LOADER_HELLO,	/* connected, hello said */
	LOADER_MAPS,	/* the maps that exist are coming */
	LOADER_UP,
};

/**
 * struct call - one message that waits for its answer
 * @busy: the slot is in use
 * @type: of the message
 * @gen: times the slot was used; part of the id
 * @rq: who waits, or NULL
 * @stale: the device was reset since: the answer is of no interest
 * @until: when the answer, or a sign of life, is due, in us of the monotonic clock
 */
struct call {
	bool busy;
	uint16_t type;
	uint16_t gen;
	struct request *rq;
	bool stale;
	uint64_t until;
};

/**
 * struct loader - the connection to the host's loader
 * @event: the loop; the caller's
 * @path: of the loader's socket, for messages; the caller's
 * @door: socket to the porter, who connects; the caller's
 * @knock: watches @door
 * @port: name of the port; the caller's
 * @ops: whom it serves
 * @data: for @ops
 * @state: how far the connection is
 * @sock: or -1
 * @io: watches @sock
 * @timer: for the next attempt
 * @watchdog: for the next answer that is due
 * @answer_ms: time for an answer
 * @delay_ms: before the next attempt
 * @said_away: the operator knows that the loader is away
 * @said_refused: the operator knows why we and the loader do not get along
 * @maps_left: VBPF_MSG_MAP messages that are due
 * @calls: what waits for an answer
 * @waiting: number of calls with a request of the guest
 * @unsent: the call that the socket had no room for, or NULL; no other is made
 *          while there is one
 * @reset_due: VBPF_MSG_RESET is to be sent as soon as that can be
 * @buf: for a message that comes
 */
struct loader {
	sd_event *event;
	const char *path;
	int door;
	sd_event_source *knock;
	const char *port;
	const struct loader_ops *ops;
	void *data;
	enum loader_state state;
	int sock;
	sd_event_source *io;
	sd_event_source *timer;
	sd_event_source *watchdog;
	unsigned int answer_ms;
	unsigned int delay_ms;
	bool said_away;
	bool said_refused;
	uint32_t maps_left;
	struct call calls[LOADER_CALLS];
	unsigned int waiting;
	struct call *unsent;
	bool reset_due;
	unsigned char buf[LOADER_RECV_MAX];
};

int loader_init(struct loader *l, sd_event *event, const char *path, const char *port,
		const struct loader_ops *ops, void *data);
int loader_start(struct loader *l, int door);
int loader_attach(struct loader *l, int sock);
void loader_close(struct loader *l);
bool loader_has_room(const struct loader *l);
void loader_request(struct loader *l, struct request *rq);
int loader_tell(struct loader *l, uint16_t type, const void *body, size_t len);
void loader_reset(struct loader *l);
void loader_drain(struct loader *l, unsigned int ms);
bool loader_wait_reset(struct loader *l, unsigned int ms);

#endif /* LOADER_H */
