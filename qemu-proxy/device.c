// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The virtio BPF device
 *
 * What joins the two sides: a request that came through a virtqueue is checked
 * (request.c), then done here if it concerns one element of a map (maps.c) or
 * handed to the loader (loader.c), whose answer becomes the response.
 *
 * Nothing is kept here that the loader could not give back: it is the authority
 * on the guest's objects, lists the maps when a proxy connects and knows how
 * many programs there are. If a loader that comes back knows less than before,
 * the guest cannot be served truthfully any more: everything is released and
 * the guest is told with the event LOST.
 */
#include <endian.h>
#include <string.h>

#include "proxy.h"

/**
 * finish() - answer a request
 * @p: the proxy
 * @rq: the request; gone afterwards
 * @r: the reply
 */
static void finish(struct proxy *p, struct request *rq, const struct reply *r)
{
	size_t len = request_reply(rq, r);

	request_forget(rq);
	vhost_complete(p, rq, len);
}

/**
 * fail() - answer a request that nothing was done for
 * @p: the proxy
 * @rq: the request; gone afterwards
 * @status: VIRTIO_BPF_S_*
 * @why: a sentence for the guest
 */
static void fail(struct proxy *p, struct request *rq, uint32_t status, const char *why)
{
	struct reply r = { .status = status, .text = why, .text_len = strlen(why) };

	finish(p, rq, &r);
}

/**
 * release() - do a RELEASE
 * @p: the proxy
 * @rq: the request; gone afterwards
 */
static void release(struct proxy *p, struct request *rq)
{
	struct reply r = { .status = VIRTIO_BPF_S_OK };

	device_reset(p);
	if (p->loader.reset_due)
		fail(p, rq, VIRTIO_BPF_S_NODEV,
		     "the host's loader does not listen now; it will release all as soon as it "
		     "does");
	else
		finish(p, rq, &r);
}

/**
 * device_request() - do what a guest requests
 * @p: the proxy
 * @rq: to be filled; answered with vhost_complete(), now or later
 * @out: device-readable buffers
 * @out_cnt: number of @out
 * @in: device-writable buffers; must stay until @rq is answered
 * @in_cnt: number of @in
 */
void device_request(struct proxy *p, struct request *rq, const struct iovec *out,
		    unsigned int out_cnt, const struct iovec *in, unsigned int in_cnt)
{
	uint32_t status = request_decode(rq, p->features, out, out_cnt, in, in_cnt);
	struct reply r;

	if (rq->room < sizeof(struct virtio_bpf_resp_hdr)) {
		log_guest(&p->guest_log, "a request came without room for a response");
		request_forget(rq);
		vhost_complete(p, rq, 0);
		return;
	}
	if (status) {
		fail(p, rq, status, rq->why);
		return;
	}
	if (request_is_element(rq->type)) {
		maps_element(&p->maps, rq, p->value, &r);
		finish(p, rq, &r);
		return;
	}
	if (rq->type == VIRTIO_BPF_RELEASE) {
		release(p, rq);
		return;
	}
	if (rq->type == VIRTIO_BPF_PROG_LOAD || rq->type == VIRTIO_BPF_MAP_CREATE)
		p->dirty = true;
	rate_take(&p->rate, RATE_LOADER);
	loader_request(&p->loader, rq);
}

/**
 * device_reset() - the guest gave up all it had
 * @p: the proxy; requests that wait fail
 *
 * The loader is told only if it may hold something, since a guest can reset its
 * device as often as it likes.
 */
void device_reset(struct proxy *p)
{
	maps_clear(&p->maps);
	events_clear(&p->events);
	p->progs = 0;
	if (p->dirty) {
		rate_take(&p->rate, RATE_LOADER);
		loader_reset(&p->loader);
	}
	p->dirty = false;
}

/**
 * device_release() - free what the device holds
 * @p: the proxy; its connections are closed
 */
void device_release(struct proxy *p)
{
	maps_clear(&p->maps);
	maps_clear(&p->maps_coming);
}

/**
 * device_init() - make the device
 * @p: the proxy, all zero
 * @mac: of the NIC that is served, or NULL if the loader is to say it first
 *
 * With a @mac there is a configuration space at once, which states no limit
 * until the loader does.
 */
void device_init(struct proxy *p, const uint8_t *mac)
{
	/* A proxy before this one may have left something at the loader. */
	p->dirty = true;
	if (!mac)
		return;
	p->config.magic = htole32(VIRTIO_BPF_MAGIC);
	p->config.version = htole16(VIRTIO_BPF_VERSION);
	p->config.classes = htole16(1 << VIRTIO_BPF_CLASS_XDP);
	memcpy(p->config.mac, mac, sizeof(p->config.mac));
	p->configured = true;
	p->mac_known = true;
}

/**
 * on_welcome() - a loader serves us
 * @data: the proxy
 * @w: what it says
 *
 * Return: 0, or a negative errno if that is not the port we are for
 */
static int on_welcome(void *data, const struct vbpf_welcome *w)
{
	struct proxy *p = data;
	const uint8_t *mac = w->config.mac;
	bool changed = memcmp(&p->config, &w->config, sizeof(p->config)) != 0;

	maps_clear(&p->maps_coming);
	if (le32toh(w->config.magic) != VIRTIO_BPF_MAGIC ||
	    le16toh(w->config.version) != VIRTIO_BPF_VERSION) {
		if (!p->loader.said_refused)
			log_msg("the loader describes a device that this proxy does not know");
		return -EPROTO;
	}
	if (p->mac_known && memcmp(p->config.mac, mac, sizeof(p->config.mac)) != 0) {
		if (!p->loader.said_refused)
			log_msg("the loader says that port '%s' serves the NIC "
				"%02x:%02x:%02x:%02x:%02x:%02x, which is not the one this proxy "
				"was started for", p->loader.port,
				mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		if (!p->vhost.open)
			sd_event_exit(p->event, 1);
		return -EXDEV;
	}
	p->config = w->config;
	p->mac_known = true;
	if (p->configured && changed)
		vhost_config_changed(p);
	return 0;
}

/**
 * on_map() - the loader lists a map that exists
 * @data: the proxy
 * @what: the map
 * @fd: its fd, ours
 *
 * Return: 0, or a negative errno
 */
static int on_map(void *data, const struct vbpf_map *what, int fd)
{
	struct proxy *p = data;
	int err = maps_add(&p->maps_coming, what, fd);

	if (err)
		close(fd);
	else
		p->dirty = true;
	return err;
}

/**
 * lose() - the loader forgot something: start over, and tell the guest
 * @p: the proxy
 */
static void lose(struct proxy *p)
{
	log_msg("the loader no longer knows all of the guest's objects; the guest is told");
	p->dirty = true;
	device_reset(p);
	events_add_lost(&p->events);
	vhost_work(p);
}

/**
 * on_up() - the loader takes requests
 * @data: the proxy
 * @kept: what it holds for the guest is still wanted
 */
static void on_up(void *data, bool kept)
{
	struct proxy *p = data;
	bool lost = false;

	if (!kept)
		maps_clear(&p->maps_coming);
	for (unsigned int i = 0; i < p->maps.cnt; i++)
		lost |= !maps_has(&p->maps_coming, p->maps.slot[i].handle);
	maps_clear(&p->maps);
	p->maps = p->maps_coming;
	p->maps_coming.cnt = 0;
	if (lost)
		lose(p);
	else
		loader_tell(&p->loader, VIRTIO_BPF_GET_INFO, NULL, 0);
	if (!p->configured) {
		p->configured = true;
		if (vhost_listen(p))
			sd_event_exit(p->event, 1);
	}
	vhost_work(p);
}

/**
 * check_info() - compare what the loader holds with what the guest holds
 * @p: the proxy
 * @m: answer to GET_INFO, of the right length
 */
static void check_info(struct proxy *p, const struct vbpf_msg *m)
{
	struct virtio_bpf_info info;
	uint32_t progs;

	memcpy(&info, m->body, sizeof(info));
	progs = le32toh(info.progs);
	if (p->progs_known && progs < p->progs) {
		lose(p);
		return;
	}
	p->progs = progs;
	p->progs_known = true;
	p->dirty |= progs != 0;
}

/**
 * undo() - free what was made for a request that nobody waits for any more
 * @p: the proxy
 * @m: answer to PROG_LOAD or MAP_CREATE; status OK, the length is right
 */
static void undo(struct proxy *p, const struct vbpf_msg *m)
{
	struct virtio_bpf_handle free_it = { 0 };
	uint16_t type = m->type == VIRTIO_BPF_PROG_LOAD ? VIRTIO_BPF_PROG_FREE :
							  VIRTIO_BPF_MAP_FREE;

	/* Both bodies start with the handle. */
	memcpy(&free_it.handle, m->body, sizeof(free_it.handle));
	if (m->fd >= 0)
		close(m->fd);
	loader_tell(&p->loader, type, &free_it, sizeof(free_it));
}

/**
 * take_new_map() - take the map that the loader made
 * @p: the proxy
 * @m: answer to MAP_CREATE; status OK, the length is right
 * @handle: gets the response's body
 *
 * Return: 0, or a negative errno if the loader makes no sense
 */
static int take_new_map(struct proxy *p, const struct vbpf_msg *m,
			struct virtio_bpf_handle *handle)
{
	struct vbpf_map what;
	int err;

	if (m->fd < 0)
		return -EPROTO;
	memcpy(&what, m->body, sizeof(what));
	handle->handle = what.handle;
	handle->flags = 0;
	err = maps_add(&p->maps, &what, m->fd);
	if (err)
		close(m->fd);
	return err;
}

/**
 * on_answer() - the loader answered
 * @data: the proxy
 * @rq: the request, or NULL if nobody in the guest waits
 * @m: the answer; its fd is ours
 *
 * Return: 0, or a negative errno if the answer makes no sense
 */
static int on_answer(void *data, struct request *rq, const struct vbpf_msg *m)
{
	struct proxy *p = data;
	bool create = m->type == VIRTIO_BPF_MAP_CREATE, ok = m->status == VIRTIO_BPF_S_OK;
	size_t len = create ? sizeof(struct vbpf_map) : request_reply_len(m->type);
	struct virtio_bpf_handle handle;
	struct reply r = {
		.status = m->status <= VIRTIO_BPF_S_IO ? m->status : VIRTIO_BPF_S_IO,
		.body = m->body, .body_len = m->body_len,
		.text = m->text, .text_len = m->text_len,
	};

	if (m->body_len != len && (ok || m->body_len)) {
		if (m->fd >= 0)
			close(m->fd);
		return -EPROTO;
	}
	if (!rq) {
		if (ok && m->type == VIRTIO_BPF_GET_INFO)
			check_info(p, m);
		else if (ok && (create || m->type == VIRTIO_BPF_PROG_LOAD))
			undo(p, m);
		return 0;
	}
	if (ok && create) {
		int err = take_new_map(p, m, &handle);

		if (err)
			return err;
		r.body = &handle;
		r.body_len = sizeof(handle);
	}
	if (m->type == VIRTIO_BPF_MAP_FREE && (ok || m->status == VIRTIO_BPF_S_BADF))
		maps_remove(&p->maps, rq->handle);
	if (ok && m->type == VIRTIO_BPF_PROG_LOAD)
		p->progs++;
	if (ok && m->type == VIRTIO_BPF_PROG_FREE && p->progs)
		p->progs--;
	finish(p, rq, &r);
	return 0;
}

/**
 * on_failed() - the loader will not answer a request
 * @data: the proxy
 * @rq: the request; gone afterwards
 * @status: VIRTIO_BPF_S_*
 * @why: a sentence for the guest
 *
 * The loader may have done what it did not answer. A request to free is taken
 * as done, so that an object that is gone does not look lost later.
 */
static void on_failed(void *data, struct request *rq, uint32_t status, const char *why)
{
	struct proxy *p = data;

	if (rq->type == VIRTIO_BPF_MAP_FREE)
		maps_remove(&p->maps, rq->handle);
	if (rq->type == VIRTIO_BPF_PROG_FREE && p->progs)
		p->progs--;
	fail(p, rq, status, why);
}

/**
 * on_event() - the loader has something to tell the guest
 * @data: the proxy
 * @ev: the event
 */
static void on_event(void *data, const struct virtio_bpf_event *ev)
{
	struct proxy *p = data;

	if (!events_add(&p->events, ev))
		log_guest(&p->guest_log, "the guest takes no events: one was dropped");
	vhost_work(p);
}

const struct loader_ops device_loader_ops = {
	.welcome = on_welcome,
	.map = on_map,
	.up = on_up,
	.answer = on_answer,
	.failed = on_failed,
	.event = on_event,
};
