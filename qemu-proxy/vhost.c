// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The connection to the VMM
 *
 * libvhost-user maps the guest's memory and handles the rings; this puts it on
 * the event loop, offers exactly the features that we mean, and refuses what no
 * front end needs of us. There is one connection: when the VMM closes it, the
 * guest is gone, everything is released and the proxy ends.
 *
 * When the guest gave up its device. A reset (by the driver, by its removal, by
 * a crash and reboot) must release everything; a pause of the VM must release
 * nothing. A front end that sends RESET_DEVICE says it plainly. QEMU's generic
 * vhost-user device (up to 11.1) does not, though it accepts the feature: a
 * reset and a pause both stop the rings with the same messages, and only what
 * comes later tells them apart:
 *
 * - GET_CONFIG while the rings are stopped: a driver looks at the device anew.
 *   A paused VM has no running processor that could read.
 * - a ring that starts at 0 again, though it was stopped further on: QEMU lets
 *   a ring that was paused go on where it stood.
 * - the back-end channel is closed: the device was unplugged. (The connection
 *   itself stays until its character device is removed.)
 *
 * So a driver that leaves should free its objects itself; what it left lasts
 * until the next driver looks at the device, the device is unplugged, or the VM
 * ends.
 *
 * When the rings stop, requests that are at the loader get a short time to be
 * answered and then fail, because buffers must not be held over a stop: the
 * guest's memory may be mapped elsewhere afterwards.
 *
 * A guest that fills its rings with nonsense (descriptors that point nowhere,
 * loops) has its device stopped, as if it needed a reset, until it resets it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "porter.h"
#include "proxy.h"

/* virtio and vhost-user numbers that libvhost-user's header has not */
#define RING_F_INDIRECT_DESC		28
#define RING_F_EVENT_IDX		29
#define F_VERSION_1			32
#define PROTOCOL_F_RESET_DEVICE		13
#define MSG_RESET_DEVICE		34

/* Time for the loader to answer what is under way when the rings stop */
#define DRAIN_MS	1000

/* Requests done at one wake-up, so that other sources get their turn */
#define WORK_AT_ONCE	64

static const uint64_t features =
	1ull << F_VERSION_1 | 1ull << RING_F_INDIRECT_DESC | 1ull << RING_F_EVENT_IDX |
	1ull << VHOST_USER_F_PROTOCOL_FEATURES |
	1ull << VIRTIO_BPF_F_MAPS | 1ull << VIRTIO_BPF_F_EVENTS;

static const uint64_t protocol_features =
	1ull << VHOST_USER_PROTOCOL_F_MQ | 1ull << VHOST_USER_PROTOCOL_F_REPLY_ACK |
	1ull << VHOST_USER_PROTOCOL_F_BACKEND_REQ | 1ull << VHOST_USER_PROTOCOL_F_CONFIG |
	1ull << PROTOCOL_F_RESET_DEVICE | 1ull << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS;

/**
 * struct element - a request together with where it came from
 * @vq: the library's, first as vu_queue_pop() wants it
 * @rq: the request
 */
struct element {
	VuVirtqElement vq;
	struct request rq;
};

/**
 * proxy_of() - the proxy that a device of the library belongs to
 * @dev: the device
 *
 * Return: the proxy
 */
static struct proxy *proxy_of(VuDev *dev)
{
	return (struct proxy *)((char *)dev - offsetof(struct proxy, vhost.dev));
}

/**
 * on_panic() - the library gave the device up
 * @dev: the device; the library serves it no more
 * @why: or NULL
 */
static void on_panic(VuDev *dev, const char *why)
{
	/* Some of the library's sentences end in a newline. */
	log_guest(&proxy_of(dev)->guest_log,
		  "the device is stopped until the guest resets it: %.*s",
		  why ? (int)strcspn(why, "\n") : 0, why ? why : "");
}

/**
 * on_kick() - a ring's kick fd is ready
 * @s: unused
 * @fd: unused
 * @revents: for what
 * @data: the watch
 *
 * Return: 0
 */
static int on_kick(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	struct vhost_watch *w = data;

	(void)s;
	(void)fd;
	w->cb(w->dev, (int)revents, w->data);
	return 0;
}

/**
 * remove_watch() - the library wants an fd watched no more
 * @dev: the device
 * @fd: perhaps not watched at all
 */
static void remove_watch(VuDev *dev, int fd)
{
	struct vhost *v = &proxy_of(dev)->vhost;

	for (int i = 0; i < VIRTIO_BPF_VQ_CNT; i++)
		if (v->watch[i].source && v->watch[i].fd == fd)
			v->watch[i].source = sd_event_source_disable_unref(v->watch[i].source);
}

/**
 * set_watch() - the library wants an fd watched
 * @dev: the device
 * @fd: a ring's kick fd; perhaps watched already
 * @condition: as poll's
 * @cb: to be called
 * @data: for @cb
 */
static void set_watch(VuDev *dev, int fd, int condition, vu_watch_cb cb, void *data)
{
	struct proxy *p = proxy_of(dev);

	remove_watch(dev, fd);
	for (int i = 0; i < VIRTIO_BPF_VQ_CNT; i++) {
		struct vhost_watch *w = &p->vhost.watch[i];

		if (w->source)
			continue;
		*w = (struct vhost_watch){ .fd = fd, .dev = dev, .cb = cb, .data = data };
		if (sd_event_add_io(p->event, &w->source, fd, (uint32_t)condition, on_kick, w) < 0)
			log_msg("cannot watch a ring: the guest will not be served");
		return;
	}
}

/**
 * on_queue() - the guest kicked a ring
 * @dev: the device
 * @qidx: unused
 */
static void on_queue(VuDev *dev, int qidx)
{
	(void)qidx;
	vhost_work(proxy_of(dev));
}

/**
 * queue_set_started() - a ring starts or stops
 * @dev: the device
 * @qidx: the ring
 * @started: it starts
 */
static void queue_set_started(VuDev *dev, int qidx, bool started)
{
	struct proxy *p = proxy_of(dev);

	p->vhost.started[qidx] = started;
	vu_set_queue_handler(dev, vu_get_queue(dev, qidx), started ? on_queue : NULL);
	vhost_work(p);
}

/**
 * set_features() - the driver chose its features
 * @dev: the device
 * @bits: the features
 */
static void set_features(VuDev *dev, uint64_t bits)
{
	proxy_of(dev)->features = bits;
}

/**
 * start_over() - the guest gave up its device
 * @p: the proxy
 */
static void start_over(struct proxy *p)
{
	loader_drain(&p->loader, DRAIN_MS);
	device_reset(p);
	p->vhost.dev.broken = false;
	memset(p->vhost.stopped, 0, sizeof(p->vhost.stopped));
}

/**
 * get_config() - answer GET_CONFIG
 * @p: the proxy
 * @m: the message, made the answer
 *
 * Beyond the configuration's end there are zeroes.
 */
static void get_config(struct proxy *p, VhostUserMsg *m)
{
	/* The message is packed: its parts are not to be pointed at. */
	VhostUserConfig cfg = m->payload.config;
	size_t at = cfg.offset, len = cfg.size;

	if (!p->vhost.started[VIRTIO_BPF_VQ_REQUEST] && !p->vhost.started[VIRTIO_BPF_VQ_EVENT])
		start_over(p);
	if (len > sizeof(cfg.region) || m->size < VHOST_USER_CONFIG_HDR_SIZE + len) {
		m->size = 0;
		return;
	}
	memset(cfg.region, 0, len);
	if (at < sizeof(p->config))
		memcpy(cfg.region, (char *)&p->config + at,
		       len < sizeof(p->config) - at ? len : sizeof(p->config) - at);
	m->payload.config = cfg;
}

/**
 * ring_stops() - a ring is about to be stopped
 * @p: the proxy
 * @qidx: the ring
 */
static void ring_stops(struct proxy *p, unsigned int qidx)
{
	struct vhost *v = &p->vhost;
	VuVirtq *vq;

	loader_drain(&p->loader, DRAIN_MS);
	if (qidx >= VIRTIO_BPF_VQ_CNT)
		return;
	vq = vu_get_queue(&v->dev, (int)qidx);
	/* Left over only if the device was given up: answers went nowhere. */
	vu_queue_rewind(&v->dev, vq, vq->inuse);
	v->base[qidx] = vq->last_avail_idx;
	v->stopped[qidx] = true;
}

/**
 * ring_starts() - a ring is told where it starts
 * @p: the proxy
 * @qidx: the ring
 * @base: where
 */
static void ring_starts(struct proxy *p, unsigned int qidx, unsigned int base)
{
	struct vhost *v = &p->vhost;

	if (qidx < VIRTIO_BPF_VQ_CNT && v->stopped[qidx] && v->base[qidx] && !base)
		start_over(p);
}

/**
 * message_ok() - whether a message is one that we serve
 * @m: the message
 *
 * Return: false if no front end should have sent it
 */
static bool message_ok(const VhostUserMsg *m)
{
	switch (m->request) {
	case VHOST_USER_NONE:
	case VHOST_USER_GET_FEATURES:
	case VHOST_USER_SET_FEATURES:
	case VHOST_USER_SET_OWNER:
	case VHOST_USER_RESET_OWNER:
	case VHOST_USER_SET_VRING_ADDR:
	case VHOST_USER_SET_VRING_BASE:
	case VHOST_USER_GET_VRING_BASE:
	case VHOST_USER_GET_PROTOCOL_FEATURES:
	case VHOST_USER_SET_PROTOCOL_FEATURES:
	case VHOST_USER_GET_QUEUE_NUM:
	case VHOST_USER_SET_VRING_ENABLE:
	case VHOST_USER_GET_CONFIG:
	case VHOST_USER_SET_CONFIG:
	case VHOST_USER_GET_MAX_MEM_SLOTS:
	case MSG_RESET_DEVICE:
		return m->fd_num == 0;
	case VHOST_USER_SET_VRING_NUM:
		return m->fd_num == 0 && m->payload.state.num > 0 &&
		       m->payload.state.num <= VIRTQUEUE_MAX_SIZE;
	case VHOST_USER_SET_VRING_KICK:
	case VHOST_USER_SET_VRING_CALL:
	case VHOST_USER_SET_VRING_ERR:
		return m->fd_num <= 1;
	case VHOST_USER_SET_BACKEND_REQ_FD:
	case VHOST_USER_ADD_MEM_REG:
		return m->fd_num == 1;
	case VHOST_USER_REM_MEM_REG:
		return m->fd_num <= 1;
	case VHOST_USER_SET_MEM_TABLE:
		return m->payload.memory.nregions <= VHOST_MEMORY_BASELINE_NREGIONS &&
		       m->payload.memory.nregions == (uint32_t)m->fd_num;
	default:
		return false;
	}
}

/**
 * process_msg() - look at a message before the library does
 * @dev: the device
 * @m: the message; made the answer, if it is answered here
 * @reply: set if the answer is to be sent
 *
 * Return: 0 to have the library process it, 1 if that is done
 */
static int process_msg(VuDev *dev, VhostUserMsg *m, int *reply)
{
	struct proxy *p = proxy_of(dev);

	if (!message_ok(m)) {
		log_msg("the VMM sent a vhost-user message that makes no sense (%d): ending",
			m->request);
		for (int i = 0; i < m->fd_num; i++)
			close(m->fds[i]);
		p->vhost.ended = true;
		p->vhost.error = true;
		return 1;
	}
	switch (m->request) {
	case VHOST_USER_NONE:
		/* So the library sees the end of the connection. */
		p->vhost.ended = true;
		return 1;
	case VHOST_USER_GET_FEATURES:
		m->payload.u64 = features;
		m->size = sizeof(m->payload.u64);
		*reply = 1;
		return 1;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		m->payload.u64 = protocol_features;
		m->size = sizeof(m->payload.u64);
		*reply = 1;
		return 1;
	case VHOST_USER_GET_CONFIG:
		get_config(p, m);
		*reply = 1;
		return 1;
	case VHOST_USER_SET_CONFIG:
		/*
		 * Nothing of it can be written. An error would have QEMU write
		 * a line per attempt, for a guest to fill the host's log with.
		 */
		return 1;
	case MSG_RESET_DEVICE:
		start_over(p);
		return 1;
	case VHOST_USER_GET_VRING_BASE:
		ring_stops(p, m->payload.state.index);
		return 0;
	case VHOST_USER_SET_VRING_BASE:
		ring_starts(p, m->payload.state.index, m->payload.state.num);
		return 0;
	case VHOST_USER_SET_MEM_TABLE:
	case VHOST_USER_REM_MEM_REG:
		loader_drain(&p->loader, DRAIN_MS);
		return 0;
	case VHOST_USER_SET_BACKEND_REQ_FD:
		/* The library closes the one it had. */
		p->vhost.hup = sd_event_source_disable_unref(p->vhost.hup);
		p->vhost.new_channel = true;
		return 0;
	default:
		return 0;
	}
}

static const VuDevIface iface = {
	.set_features = set_features,
	.process_msg = process_msg,
	.queue_set_started = queue_set_started,
};

static int on_hup(sd_event_source *s, int fd, uint32_t revents, void *data);

/**
 * watch_channel() - watch a new back-end channel
 * @p: the proxy
 *
 * Its end is looked at before messages that came after it.
 */
static void watch_channel(struct proxy *p)
{
	struct vhost *v = &p->vhost;

	v->new_channel = false;
	if (v->dev.backend_fd < 0)
		return;
	if (sd_event_add_io(p->event, &v->hup, v->dev.backend_fd, 0, on_hup, p) < 0 ||
	    sd_event_source_set_priority(v->hup, SD_EVENT_PRIORITY_IMPORTANT) < 0)
		log_msg("cannot watch the back-end channel: an unplug will not be noticed");
}

/**
 * on_message() - the VMM sent a message
 * @s: unused
 * @fd: unused
 * @revents: unused
 * @data: the proxy
 *
 * Return: 0
 */
static int on_message(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	struct proxy *p = data;
	struct vhost *v = &p->vhost;

	(void)s;
	(void)fd;
	(void)revents;
	if (!vu_dispatch(&v->dev) && !v->ended) {
		log_msg("the connection to the VMM broke: ending");
		v->ended = true;
		v->error = true;
	}
	if (v->ended) {
		sd_event_exit(p->event, v->error);
		return 0;
	}
	if (v->new_channel)
		watch_channel(p);
	vhost_work(p);
	return 0;
}

/**
 * ready() - whether buffers may be taken out of a ring
 * @v: the connection
 * @qidx: the ring
 *
 * While a ring is being set up it may run already, and yet have no fd that
 * interrupts the guest.
 *
 * Return: true if so
 */
static bool ready(struct vhost *v, int qidx)
{
	VuVirtq *vq = vu_get_queue(&v->dev, qidx);

	return v->open && v->started[qidx] && vu_queue_enabled(&v->dev, vq) && vq->call_fd >= 0;
}

/**
 * push() - give a buffer back to the guest
 * @v: the connection
 * @qidx: the ring
 * @elem: the buffer, freed
 * @len: bytes written into it
 */
static void push(struct vhost *v, int qidx, VuVirtqElement *elem, size_t len)
{
	VuVirtq *vq = vu_get_queue(&v->dev, qidx);

	vu_queue_push(&v->dev, vq, elem, (unsigned int)len);
	if (vq->call_fd >= 0)
		vu_queue_notify(&v->dev, vq);
	free(elem);
}

/**
 * vhost_complete() - give an answered request back to the guest
 * @p: the proxy
 * @rq: came with device_request(); gone afterwards
 * @len: bytes of response written
 */
void vhost_complete(struct proxy *p, struct request *rq, size_t len)
{
	struct element *e = (struct element *)((char *)rq - offsetof(struct element, rq));

	push(&p->vhost, VIRTIO_BPF_VQ_REQUEST, &e->vq, len);
	vhost_work(p);
}

/**
 * on_rest() - a guest that asked too often may ask again
 * @s: unused
 * @usec: unused
 * @data: the proxy
 *
 * Return: 0
 */
static int on_rest(sd_event_source *s, uint64_t usec, void *data)
{
	(void)s;
	(void)usec;
	vhost_work(data);
	return 0;
}

/**
 * must_rest() - whether the guest asks too often
 * @p: the proxy; if so, its work goes on later
 *
 * Return: true if so
 */
static bool must_rest(struct proxy *p)
{
	struct vhost *v = &p->vhost;
	uint64_t now, wait;
	int err = 0;

	if (sd_event_now(p->event, CLOCK_MONOTONIC, &now) < 0)
		return false;
	wait = rate_wait(&p->rate, now);
	if (!wait)
		return false;
	if (!v->rest)
		err = sd_event_add_time(p->event, &v->rest, CLOCK_MONOTONIC, 0, 0, on_rest, p);
	if (err >= 0)
		err = sd_event_source_set_time(v->rest, now + wait);
	if (err >= 0)
		err = sd_event_source_set_enabled(v->rest, SD_EVENT_ONESHOT);
	return err >= 0;
}

/**
 * serve_requests() - take requests out of the requestq
 * @p: the proxy
 *
 * Return: true if there may be more
 */
static bool serve_requests(struct proxy *p)
{
	struct vhost *v = &p->vhost;

	for (int i = 0; i < WORK_AT_ONCE; i++) {
		struct element *e;

		/* An answer of the loader will wake us up. */
		if (!ready(v, VIRTIO_BPF_VQ_REQUEST) || !loader_has_room(&p->loader) ||
		    must_rest(p))
			return false;
		e = vu_queue_pop(&v->dev, vu_get_queue(&v->dev, VIRTIO_BPF_VQ_REQUEST), sizeof(*e));
		if (!e)
			return false;
		rate_take(&p->rate, RATE_ANY);
		device_request(p, &e->rq, e->vq.out_sg, e->vq.out_num, e->vq.in_sg, e->vq.in_num);
	}
	return true;
}

/**
 * serve_events() - put events into the guest's buffers
 * @p: the proxy
 *
 * A buffer that is too small goes back empty.
 *
 * Return: true if there may be more
 */
static bool serve_events(struct proxy *p)
{
	struct vhost *v = &p->vhost;

	for (int i = 0; i < WORK_AT_ONCE; i++) {
		const struct virtio_bpf_event *ev = events_first(&p->events);
		VuVirtqElement *elem;
		size_t len;

		if (!ev || !ready(v, VIRTIO_BPF_VQ_EVENT) ||
		    !(p->features & (1ull << VIRTIO_BPF_F_EVENTS)))
			return false;
		elem = vu_queue_pop(&v->dev, vu_get_queue(&v->dev, VIRTIO_BPF_VQ_EVENT),
				    sizeof(*elem));
		if (!elem)
			return false;
		len = request_fill(elem->in_sg, elem->in_num, ev, sizeof(*ev));
		if (len)
			events_drop_first(&p->events);
		push(v, VIRTIO_BPF_VQ_EVENT, elem, len);
	}
	return true;
}

/**
 * on_work() - there may be something to do in the queues
 * @s: the source; on again if there may be more
 * @data: the proxy
 *
 * Return: 0
 */
static int on_work(sd_event_source *s, void *data)
{
	struct proxy *p = data;
	bool more = serve_requests(p);

	more |= serve_events(p);
	/* Answers that came at once have asked for more work already. */
	sd_event_source_set_enabled(s, more ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	return 0;
}

/**
 * vhost_work() - have the queues looked at, soon
 * @p: the proxy
 */
void vhost_work(struct proxy *p)
{
	if (p->vhost.work)
		sd_event_source_set_enabled(p->vhost.work, SD_EVENT_ONESHOT);
}

/**
 * vhost_config_changed() - tell the guest that the configuration changed
 * @p: the proxy
 */
void vhost_config_changed(struct proxy *p)
{
	struct vhost *v = &p->vhost;

	if (v->open && v->hup && v->dev.backend_fd >= 0)
		vu_config_change_msg(&v->dev);
}

/**
 * serve_vmm() - serve a VMM
 * @p: the proxy
 * @sock: connected stream socket; owned by @p in any case
 *
 * Return: 0, or a negative errno
 */
static int serve_vmm(struct proxy *p, int sock)
{
	struct vhost *v = &p->vhost;
	int err;

	memset(v->started, 0, sizeof(v->started));
	memset(v->stopped, 0, sizeof(v->stopped));
	if (!vu_init(&v->dev, VIRTIO_BPF_VQ_CNT, sock, on_panic, NULL, set_watch, remove_watch,
		     &iface)) {
		close(sock);
		return -ENOMEM;
	}
	v->open = true;
	err = sd_event_add_defer(p->event, &v->work, on_work, p);
	if (err >= 0)
		err = sd_event_add_io(p->event, &v->io, sock, EPOLLIN, on_message, p);
	return err < 0 ? err : 0;
}

/**
 * leave_vmm() - end what serve_vmm() began
 * @v: the connection; no request waits
 */
static void leave_vmm(struct vhost *v)
{
	v->hup = sd_event_source_disable_unref(v->hup);
	v->io = sd_event_source_disable_unref(v->io);
	v->work = sd_event_source_disable_unref(v->work);
	v->rest = sd_event_source_disable_unref(v->rest);
	if (v->open)
		vu_deinit(&v->dev);
	v->open = false;
}

/**
 * on_hup() - the back-end channel ended: the device was unplugged
 * @s: unused
 * @fd: unused
 * @revents: unused
 * @data: the proxy
 *
 * The VMM keeps the connection for a device that may be plugged in later, and
 * will then begin from the start. The library has no other way to forget what
 * it was told, the guest's memory above all, than to begin anew as well.
 *
 * Return: 0
 */
static int on_hup(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	struct proxy *p = data;
	struct vhost *v = &p->vhost;
	int sock, err;

	(void)s;
	(void)fd;
	(void)revents;
	log_msg("the device was unplugged");
	start_over(p);
	sock = dup(v->dev.sock);
	leave_vmm(v);
	err = sock < 0 ? -errno : serve_vmm(p, sock);
	if (err) {
		log_msg("cannot serve the VMM any longer: %s", strerror(-err));
		sd_event_exit(p->event, 1);
	}
	return 0;
}

/**
 * stop_listening() - no other VMM can connect from now on
 * @v: the connection
 *
 * The porter removes the socket.
 */
static void stop_listening(struct vhost *v)
{
	v->accept = sd_event_source_disable_unref(v->accept);
	if (v->listener >= 0)
		close(v->listener);
	v->listener = -1;
}

/**
 * on_accept() - a VMM connects
 * @s: unused
 * @fd: the listening socket
 * @revents: unused
 * @data: the proxy
 *
 * Return: 0
 */
static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	struct proxy *p = data;
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC), err;

	(void)s;
	(void)revents;
	if (sock < 0)
		return 0;
	err = serve_vmm(p, sock);
	stop_listening(&p->vhost);
	porter_ask_remove(p->door);
	if (err) {
		log_msg("cannot serve the VMM: %s", strerror(-err));
		sd_event_exit(p->event, 1);
	}
	return 0;
}

/**
 * vhost_listen() - take the VMM's connection from now on
 * @p: the proxy, whose configuration can be served
 *
 * Return: 0, or a negative errno
 */
int vhost_listen(struct proxy *p)
{
	struct vhost *v = &p->vhost;
	int err;

	if (v->listener >= 0) {
		err = sd_event_add_io(p->event, &v->accept, v->listener, EPOLLIN, on_accept, p);
	} else {
		err = serve_vmm(p, v->connected);
		v->connected = -1;
	}
	if (err < 0)
		log_msg("cannot serve the VMM: %s", strerror(-err));
	return err < 0 ? err : 0;
}

/**
 * vhost_init() - say where the VMM will be found
 * @p: the proxy
 * @sock: a listening socket, or one that a VMM is connected to; owned by @p
 * @listens: which of the two
 */
void vhost_init(struct proxy *p, int sock, bool listens)
{
	p->vhost.listener = listens ? sock : -1;
	p->vhost.connected = listens ? -1 : sock;
}

/**
 * vhost_close() - end the connection
 * @p: the proxy; no request waits
 */
void vhost_close(struct proxy *p)
{
	struct vhost *v = &p->vhost;

	stop_listening(v);
	if (v->connected >= 0)
		close(v->connected);
	v->connected = -1;
	leave_vmm(v);
}
