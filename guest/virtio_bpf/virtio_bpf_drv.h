/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_BPF_DRV_H
#define VIRTIO_BPF_DRV_H
/**
 * DOC: The driver's parts and their locks
 *
 * main.c	the virtio driver: a device comes, goes, sleeps and wakes
 * request.c	the requestq: one request, its time-out, its late answer
 * event.c	the eventq: what the host tells unasked
 * netdev.c	the netdev that is served: pairing, ndo_bpf, attach, detach
 * prog.c	the offload ops of programs
 * map.c	the ops of offloaded maps
 *
 * Locks, in the order in which they are taken:
 *
 *   rtnl		pairing; &vbpf_dev.hook, &vbpf_dev.attached
 *   bpf_devs_lock	the kernel's own, held around all callbacks but
 *			XDP_SETUP_PROG_HW: for reading around map elements and
 *			programs' verification, else for writing
 *   maps_lock		&vbpf_dev.maps
 *   requestq.lock	everything about the requestq; interrupt-safe
 *
 * rtnl is never taken in a callback of the offload core. Callbacks end with
 * bpf_offload_dev_netdev_unregister(), which waits for them, so that what they
 * use may be freed thereafter; to keep that wait short, a device that goes
 * first fails all requests (vbpf_requestq_kill()).
 */
#include <linux/bpf.h>
#include <linux/completion.h>
#include <linux/if_ether.h>
#include <linux/netdevice.h>
#include <linux/ratelimit.h>
#include <linux/refcount.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "virtio_bpf.h"

struct bpf_verifier_env;
struct vbpf_dev;

/* A refusal that the tenant can provoke at will: said, but not too often */
#define vbpf_warn(vbpf, netdev, ...)				\
do {								\
	if (__ratelimit(&(vbpf)->warn_limit))			\
		netdev_warn(netdev, __VA_ARGS__);		\
} while (0)

/* Room for the sentence that may come with XDP_ATTACH and its like */
#define VBPF_SENTENCE 512

/**
 * struct vbpf_req - a request and its response
 * @node: in &vbpf_requestq.inflight, .late or .retry; requestq.lock
 * @users: the submitter and, while it has the buffers, the device
 * @done: the device answered, or is gone
 * @type: VIRTIO_BPF_PROG_LOAD and so on
 * @answered: the device answered and the submitter may look; requestq.lock
 * @orphan: nobody waits for the answer; requestq.lock
 * @late: the submitter gave up waiting for it; requestq.lock
 * @out_len: bytes at @out
 * @resp_len: bytes of the response's body
 * @in_len: bytes at @in that the device may write
 * @used: bytes at @in that it says it wrote, at most @in_len
 * @out: what the device reads: the header, then body and payload
 * @in: what the device writes: the header, then body and text
 */
struct vbpf_req {
	struct list_head node;
	refcount_t users;
	struct completion done;
	u32 type;
	bool answered;
	bool orphan;
	bool late;
	size_t out_len;
	size_t resp_len;
	size_t in_len;
	size_t used;
	struct virtio_bpf_req_hdr *out;
	struct virtio_bpf_resp_hdr *in;
};

/**
 * struct vbpf_requestq - the requestq
 * @vq: the virtqueue
 * @lock: for @vq and all that follows but the works
 * @inflight: requests that the device has
 * @late: requests that came back with nobody waiting
 * @retry: posted requests that rest before they are sent again
 * @space: those who wait for the queue to have room
 * @returned: counts requests that came back
 * @stalled: one was not answered in time, and nothing came back since
 * @dead: the device goes away; no request is sent but RELEASE, and none waited
 *        for that was sent before
 * @reaper: looks through @late
 * @retrier: sends what is in @retry
 */
struct vbpf_requestq {
	struct virtqueue *vq;
	spinlock_t lock;
	struct list_head inflight;
	struct list_head late;
	struct list_head retry;
	wait_queue_head_t space;
	unsigned long returned;
	bool stalled;
	bool dead;
	struct work_struct reaper;
	struct delayed_work retrier;
};

/**
 * struct vbpf_eventq - the eventq
 * @vq: the virtqueue, or NULL where events were not negotiated
 * @events: its buffers
 * @filled: the device was given them
 * @work: gives and reads them
 */
struct vbpf_eventq {
	struct virtqueue *vq;
	struct virtio_bpf_event *events;
	bool filled;
	struct work_struct work;
};

/**
 * struct vbpf_limits - the configuration space, as far as it binds the driver
 * @classes: bit n set: programs of class n load
 * @map_types: bit n set: maps of type n can be created
 * @max_insns: instructions in a program
 * @max_entries: entries in a map
 * @max_key_size: bytes in a key
 * @max_value_size: bytes in a value
 * @max_text: bytes of log that a program's load may bring
 *
 * What the device left out is here the protocol's own limit.
 */
struct vbpf_limits {
	u32 classes;
	u32 map_types;
	u32 max_insns;
	u32 max_entries;
	u32 max_key_size;
	u32 max_value_size;
	u32 max_text;
};

/**
 * struct vbpf_hook - a netdev whose net_device_ops are shadowed
 * @node: in the list of all hooks; rtnl
 * @netdev: the netdev
 * @orig: its own ops
 * @ops: a copy of them with our ndo_bpf
 * @vbpf: the device that serves it, or NULL when that is gone; rtnl
 * @xdp: the program that the kernel holds attached; rtnl
 *
 * It stays as long as the netdev and either the device or a program that was
 * attached are there: without our ndo_bpf that program could not be detached.
 */
struct vbpf_hook {
	struct list_head node;
	struct net_device *netdev;
	const struct net_device_ops *orig;
	struct net_device_ops ops;
	struct vbpf_dev *vbpf;
	struct xdp_attachment_info xdp;
};

/**
 * struct vbpf_dev - a virtio BPF device
 * @vdev: it, on its bus
 * @mac: address of the netdev that it serves
 * @limits: what its configuration space says
 * @config_work: reads it again when it changed
 * @offdev: it, in the kernel's offload core
 * @node: in the list of all devices that run; rtnl
 * @hook: the netdev served, or NULL; rtnl
 * @attached: handle of the attached program, or 0; rtnl
 * @warn_limit: how often vbpf_warn() speaks
 * @maps_lock: for @maps
 * @maps: all struct vbpf_map
 * @requestq: the requestq
 * @eventq: the eventq
 */
struct vbpf_dev {
	struct virtio_device *vdev;
	u8 mac[ETH_ALEN];
	struct vbpf_limits limits;
	struct work_struct config_work;
	struct bpf_offload_dev *offdev;
	struct list_head node;
	struct vbpf_hook *hook;
	u32 attached;
	struct ratelimit_state warn_limit;
	struct mutex maps_lock;
	struct list_head maps;
	struct vbpf_requestq requestq;
	struct vbpf_eventq eventq;
};

/* request.c */
extern const struct kernel_param_ops vbpf_timeout_ops;
extern unsigned int vbpf_timeout_ms;
extern unsigned int vbpf_load_timeout_ms;

void vbpf_requestq_init(struct vbpf_requestq *rq);
void vbpf_requestq_start(struct vbpf_requestq *rq, struct virtqueue *vq);
void vbpf_requestq_done(struct virtqueue *vq);
void vbpf_requestq_kill(struct vbpf_requestq *rq);
void vbpf_requestq_drain(struct vbpf_requestq *rq);

struct vbpf_req *vbpf_req_alloc(u32 type, size_t body_len, size_t payload_len,
				size_t resp_len, size_t text_len);
struct vbpf_req *vbpf_req_alloc_handle(u32 type, u32 handle);
void vbpf_req_put(struct vbpf_req *req);
int vbpf_req_run(struct vbpf_dev *vbpf, struct vbpf_req *req);
void vbpf_post_handle(struct vbpf_dev *vbpf, u32 type, u32 handle);
void vbpf_release(struct vbpf_dev *vbpf);
char *vbpf_req_text(struct vbpf_req *req);
const char *vbpf_req_sentence(struct vbpf_req *req, int err);
const char *vbpf_error_text(int err);
void vbpf_clean_text(char *text, size_t len);

/**
 * vbpf_req_body() - a request's body, to be filled in
 * @req: the request
 *
 * Return: the zeroed body; a payload follows it directly
 */
static inline void *vbpf_req_body(struct vbpf_req *req)
{
	return req->out + 1;
}

/**
 * vbpf_resp_body() - a response's body, &vbpf_req.resp_len bytes
 * @req: a request that vbpf_req_run() returned 0 for
 *
 * Return: the body. The device may still change it: read each field once.
 */
static inline void *vbpf_resp_body(struct vbpf_req *req)
{
	return req->in + 1;
}

/* event.c */
void vbpf_eventq_init(struct vbpf_eventq *eq);
int vbpf_eventq_alloc(struct vbpf_eventq *eq);
void vbpf_eventq_start(struct vbpf_eventq *eq, struct virtqueue *vq);
void vbpf_eventq_notify(struct virtqueue *vq);
void vbpf_eventq_stop(struct vbpf_eventq *eq);

/* netdev.c */
extern struct notifier_block vbpf_netdev_notifier;

void vbpf_netdev_start(struct vbpf_dev *vbpf);
void vbpf_netdev_stop(struct vbpf_dev *vbpf);
void vbpf_netdev_resync(struct vbpf_dev *vbpf);
void vbpf_netdev_release_all(void);
void vbpf_netdev_cleanup(void);

/* prog.c */
extern const struct bpf_prog_offload_ops vbpf_prog_ops;

u32 vbpf_prog_handle(const struct bpf_prog *prog);
void vbpf_copy_name(u8 to[VIRTIO_BPF_NAME_LEN], const char *from);

/* map.c */
int vbpf_map_alloc(struct vbpf_dev *vbpf, struct bpf_offloaded_map *offmap);
void vbpf_map_free(struct bpf_offloaded_map *offmap);
u32 vbpf_map_handle(struct vbpf_dev *vbpf, const struct bpf_map *map);

#endif /* VIRTIO_BPF_DRV_H */
