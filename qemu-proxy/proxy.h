/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROXY_H
#define PROXY_H
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "event.h"
#include "loader.h"
#include "log.h"
#include "maps.h"
#include "rate.h"
#include "request.h"
#include "virtio_bpf.h"

/* The last one: it declares a variable named c. */
#include <libvhost-user.h>

/**
 * struct vhost_watch - a ring's kick fd in the loop
 * @fd: the fd; the library's
 * @source: NULL if the slot is unused
 * @dev: of the library
 * @cb: of the library
 * @data: for @cb
 */
struct vhost_watch {
	int fd;
	sd_event_source *source;
	VuDev *dev;
	vu_watch_cb cb;
	void *data;
};

/**
 * struct vhost - the connection to the VMM
 * @dev: of libvhost-user
 * @open: @dev is in use
 * @ended: the VMM closed the connection, or broke the protocol
 * @error: it broke the protocol
 * @listener: a socket that the VMM will connect to, or -1
 * @connected: a socket that it is connected to, but not served yet, or -1
 * @accept: watches @listener
 * @io: watches the connection
 * @hup: watches the back-end channel for its end
 * @new_channel: there is a new one to be watched
 * @work: runs the queues when there may be something to do
 * @rest: runs them when a guest that asks too often may ask again
 * @watch: the rings' kick fds
 * @started: the ring runs
 * @base: where the ring stood when it was last stopped
 * @stopped: @base holds a position
 */
struct vhost {
	VuDev dev;
	bool open;
	bool ended;
	bool error;
	int listener;
	int connected;
	sd_event_source *accept;
	sd_event_source *io;
	sd_event_source *hup;
	bool new_channel;
	sd_event_source *work;
	sd_event_source *rest;
	struct vhost_watch watch[VIRTIO_BPF_VQ_CNT];
	bool started[VIRTIO_BPF_VQ_CNT];
	uint16_t base[VIRTIO_BPF_VQ_CNT];
	bool stopped[VIRTIO_BPF_VQ_CNT];
};

/**
 * struct proxy - the back end of one VM
 * @event: the loop
 * @door: socket to the porter
 * @vhost: the VMM's side
 * @loader: the loader's side
 * @config: the device's configuration space
 * @configured: @config can be served
 * @mac_known: the MAC in @config is settled
 * @features: that the driver negotiated
 * @maps: the guest's maps
 * @maps_coming: maps that a loader lists after its welcome
 * @progs: programs that the guest holds
 * @progs_known: @progs was compared with what the loader says
 * @dirty: the loader may hold something for the guest
 * @events: for the guest
 * @rate: limits how often the guest may ask
 * @guest_log: limits what the guest makes us say
 * @value: room for one value or key
 */
struct proxy {
	sd_event *event;
	int door;
	struct vhost vhost;
	struct loader loader;
	struct virtio_bpf_config config;
	bool configured;
	bool mac_known;
	uint64_t features;
	struct maps maps;
	struct maps maps_coming;
	uint32_t progs;
	bool progs_known;
	bool dirty;
	struct events events;
	struct rate rate;
	struct log_limit guest_log;
	unsigned char value[VIRTIO_BPF_MAX_VALUE_SIZE];
};

/* device.c */
extern const struct loader_ops device_loader_ops;
void device_init(struct proxy *p, const uint8_t *mac);
void device_request(struct proxy *p, struct request *rq, const struct iovec *out,
		    unsigned int out_cnt, const struct iovec *in, unsigned int in_cnt);
void device_reset(struct proxy *p);
void device_release(struct proxy *p);

/* vhost.c */
void vhost_init(struct proxy *p, int sock, bool listens);
int vhost_listen(struct proxy *p);
void vhost_close(struct proxy *p);
void vhost_complete(struct proxy *p, struct request *rq, size_t len);
void vhost_work(struct proxy *p);
void vhost_config_changed(struct proxy *p);

#ifdef VBPF_TEST_HOOK
void probe(const char *stage);
#else
/**
 * probe() - do nothing; a build for tests has its own (tests/host/probe.c)
 * @stage: of the sandbox, the last one that is complete
 */
static inline void probe(const char *stage)
{
	(void)stage;
}
#endif

#endif /* PROXY_H */
