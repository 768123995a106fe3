// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Requests
 *
 * A request is allocated, filled in, run and let go by its submitter, who
 * waits for the answer. Several are under way at a time.
 *
 * Submitters may hold rtnl, so nobody waits for longer than timeout_ms, the
 * wait for room in the queue included. A program's load is the exception: it
 * holds no rtnl, and the host's verifier may take its time over it, so there it
 * is load_timeout_ms. (Who makes or frees an offloaded object meanwhile waits for
 * the offload core's lock, and may hold rtnl then.) The device may answer later all the
 * same: until then it owns the buffers, and what it did must be undone, or the
 * host would keep objects that no one knows the handles of. So a request that
 * came back with nobody waiting goes to the reaper, a work item.
 *
 * Where the answer does not matter, when an object is freed, nobody waits in
 * the first place: the request is posted, and the reaper sees the answer. If the
 * host has no time for it, or is not there, it is sent again later.
 *
 * The device is not trusted to keep to the protocol's lengths.
 */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "virtio_bpf_drv.h"

#define VBPF_TIMEOUT_MIN_MS	10
#define VBPF_TIMEOUT_MAX_MS	60000

/* How long a posted request rests before it is sent again */
#define VBPF_RETRY_DELAY	HZ

unsigned int vbpf_timeout_ms = 2000;
/* A host gives a program 8 seconds by the clock if it is not told otherwise */
unsigned int vbpf_load_timeout_ms = 10000;

/**
 * vbpf_timeout_set() - set a module parameter that is a time to wait
 * @val: milliseconds, as text
 * @kp: the parameter
 *
 * Return: 0, or -EINVAL where @val is no number or out of range
 */
static int vbpf_timeout_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, VBPF_TIMEOUT_MIN_MS,
				     VBPF_TIMEOUT_MAX_MS);
}

const struct kernel_param_ops vbpf_timeout_ops = {
	.set = vbpf_timeout_set,
	.get = param_get_uint,
};

/**
 * struct vbpf_status - what a status or a failed request means to the user
 * @err: negative errno
 * @text: in general words, for where the host gave none
 */
struct vbpf_status {
	int err;
	const char *text;
};

/* By VIRTIO_BPF_S_*; what follows the last of them happens in the guest */
static const struct vbpf_status vbpf_status[] = {
	[VIRTIO_BPF_S_OK]     = { 0, "success" },
	[VIRTIO_BPF_S_INVAL]  = { -EINVAL, "the host calls the request invalid" },
	[VIRTIO_BPF_S_UNSUPP] = { -EOPNOTSUPP, "the host does not support this" },
	[VIRTIO_BPF_S_ACCES]  = { -EACCES, "the host's verifier refused the program" },
	[VIRTIO_BPF_S_PERM]   = { -EPERM, "the host's policy does not allow this" },
	[VIRTIO_BPF_S_NOENT]  = { -ENOENT, "no such key" },
	[VIRTIO_BPF_S_EXIST]  = { -EEXIST, "the key exists" },
	[VIRTIO_BPF_S_TOOBIG] = { -E2BIG, "larger than the host allows" },
	[VIRTIO_BPF_S_NOSPC]  = { -ENOSPC, "the host's limit on objects is reached" },
	[VIRTIO_BPF_S_NOMEM]  = { -ENOMEM, "the host is out of memory" },
	[VIRTIO_BPF_S_BUSY]   = { -EBUSY, "in use on the host" },
	[VIRTIO_BPF_S_AGAIN]  = { -EAGAIN, "too many requests, try again later" },
	[VIRTIO_BPF_S_BADF]   = { -EBADF, "the host does not know the object" },
	[VIRTIO_BPF_S_NODEV]  = { -ENODEV, "the device is gone, or nobody on the host serves it" },
	[VIRTIO_BPF_S_IO]     = { -EIO, "the request failed on the host" },
	{ -ETIMEDOUT, "the host did not answer in time" },
};

/**
 * vbpf_error_text() - general words for why a request failed
 * @err: what vbpf_req_run() returned
 *
 * Return: a text of static lifetime
 */
const char *vbpf_error_text(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vbpf_status); i++)
		if (vbpf_status[i].err == err)
			return vbpf_status[i].text;
	return "the request failed";
}

/**
 * vbpf_clean_text() - make a text from the host fit for logs and terminals
 * @text: the text
 * @len: bytes of it
 *
 * Everything but printable ASCII, tabs and newlines becomes a question mark.
 */
void vbpf_clean_text(char *text, size_t len)
{
	for (; len; len--, text++)
		if (*text != '\n' && *text != '\t' &&
		    !(isascii(*text) && isprint(*text)))
			*text = '?';
}

/**
 * vbpf_req_alloc() - allocate a request
 * @type: VIRTIO_BPF_PROG_LOAD and so on
 * @body_len: bytes of its body
 * @payload_len: bytes that follow the body
 * @resp_len: bytes that a successful response has behind its header
 * @text_len: bytes of text that there is room for behind those
 *
 * Program, value and log may be large, hence kvzalloc(). Zeroed, so that no
 * memory of the guest's leaks and none is taken for an answer.
 *
 * Return: the request, to be let go by vbpf_req_put(), or NULL
 */
struct vbpf_req *vbpf_req_alloc(u32 type, size_t body_len, size_t payload_len,
				size_t resp_len, size_t text_len)
{
	struct vbpf_req *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (!req)
		return NULL;
	refcount_set(&req->users, 1);
	INIT_LIST_HEAD(&req->node);
	init_completion(&req->done);
	req->type = type;
	req->resp_len = resp_len;
	req->out_len = sizeof(*req->out) + body_len + payload_len;
	req->in_len = sizeof(*req->in) + resp_len + text_len;
	req->out = kvzalloc(req->out_len, GFP_KERNEL);
	/* One more, for the NUL that vbpf_req_text() adds */
	req->in = kvzalloc(req->in_len + 1, GFP_KERNEL);
	if (!req->out || !req->in) {
		vbpf_req_put(req);
		return NULL;
	}
	req->out->type = cpu_to_le32(type);
	req->out->len = cpu_to_le32(body_len + payload_len);
	return req;
}

/**
 * vbpf_req_alloc_handle() - allocate a request whose body is a handle
 * @type: VIRTIO_BPF_PROG_FREE, _XDP_ATTACH, _XDP_DETACH or _MAP_FREE
 * @handle: the handle
 *
 * Return: the request, ready to run, or NULL
 */
struct vbpf_req *vbpf_req_alloc_handle(u32 type, u32 handle)
{
	struct virtio_bpf_handle *body;
	struct vbpf_req *req;

	req = vbpf_req_alloc(type, sizeof(*body), 0, 0, VBPF_SENTENCE);
	if (req) {
		body = vbpf_req_body(req);
		body->handle = cpu_to_le32(handle);
	}
	return req;
}

/**
 * vbpf_req_put() - let go of a request
 * @req: the request, or NULL
 *
 * Context: may sleep
 */
void vbpf_req_put(struct vbpf_req *req)
{
	if (!req || !refcount_dec_and_test(&req->users))
		return;
	kvfree(req->out);
	kvfree(req->in);
	kfree(req);
}

/**
 * vbpf_sg_count() - number of physically contiguous pieces of a buffer
 * @buf: from kvzalloc()
 * @len: its bytes
 *
 * Return: the number; memory from vmalloc() counts page by page
 */
static unsigned int vbpf_sg_count(const void *buf, size_t len)
{
	return is_vmalloc_addr(buf) ? DIV_ROUND_UP(len, PAGE_SIZE) : 1;
}

/**
 * vbpf_sg_fill() - describe a buffer to the device
 * @sg: vbpf_sg_count() entries
 * @buf: from kvzalloc(), thus at the start of a page if from vmalloc()
 * @len: its bytes
 */
static void vbpf_sg_fill(struct scatterlist *sg, void *buf, size_t len)
{
	size_t part;

	sg_init_table(sg, vbpf_sg_count(buf, len));
	if (!is_vmalloc_addr(buf)) {
		sg_set_buf(sg, buf, len);
		return;
	}
	for (; len; len -= part, buf += part, sg++) {
		part = min_t(size_t, len, PAGE_SIZE);
		sg_set_page(sg, vmalloc_to_page(buf), part, 0);
	}
}

/**
 * vbpf_closed() - is a request not to be sent any more?
 * @rq: the requestq
 * @req: the request
 *
 * Return: true if the device goes, unless the request tells it so
 */
static bool vbpf_closed(const struct vbpf_requestq *rq,
			const struct vbpf_req *req)
{
	return READ_ONCE(rq->dead) && req->type != VIRTIO_BPF_RELEASE;
}

/**
 * vbpf_add() - give a request to the device, if there is room
 * @rq: the requestq
 * @req: the request
 * @sgs: its device-readable and its device-writable part
 * @seen: &vbpf_requestq.returned at that moment
 *
 * Return: 0, -ENOSPC where there is no room now, or another negative errno
 */
static int vbpf_add(struct vbpf_requestq *rq, struct vbpf_req *req,
		    struct scatterlist *sgs[2], unsigned long *seen)
{
	unsigned long flags;
	bool notify = false;
	int err = -ENODEV;

	spin_lock_irqsave(&rq->lock, flags);
	*seen = rq->returned;
	if (!vbpf_closed(rq, req))
		err = virtqueue_add_sgs(rq->vq, sgs, 1, 1, req, GFP_ATOMIC);
	if (!err) {
		refcount_inc(&req->users);
		list_add_tail(&req->node, &rq->inflight);
		notify = virtqueue_kick_prepare(rq->vq);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	if (notify)
		virtqueue_notify(rq->vq);
	return err;
}

/**
 * vbpf_submit() - give a request to the device, waiting for room
 * @rq: the requestq
 * @req: the request
 * @left: jiffies to wait at most; lowered by those spent
 *
 * Return: 0, -EAGAIN where the queue stayed full, or another negative errno
 */
static int vbpf_submit(struct vbpf_requestq *rq, struct vbpf_req *req,
		       long *left)
{
	unsigned int out = vbpf_sg_count(req->out, req->out_len);
	unsigned int in = vbpf_sg_count(req->in, req->in_len);
	struct scatterlist *sg, *sgs[2];
	unsigned long seen;
	int err;

	if (out + in > virtqueue_get_vring_size(rq->vq))
		return -E2BIG;
	sg = kcalloc(out + in, sizeof(*sg), GFP_KERNEL);
	if (!sg)
		return -ENOMEM;
	sgs[0] = sg;
	sgs[1] = sg + out;
	vbpf_sg_fill(sgs[0], req->out, req->out_len);
	vbpf_sg_fill(sgs[1], req->in, req->in_len);

	while ((err = vbpf_add(rq, req, sgs, &seen)) == -ENOSPC && *left)
		*left = wait_event_timeout(rq->space,
					   READ_ONCE(rq->returned) != seen ||
					   vbpf_closed(rq, req), *left);
	kfree(sg);
	return err == -ENOSPC ? -EAGAIN : err;
}

/**
 * vbpf_req_result() - what a response says
 * @req: a request that the device returned
 *
 * Return: 0 where it succeeded and the body is complete, or a negative errno
 */
static int vbpf_req_result(struct vbpf_req *req)
{
	u32 status;

	if (req->used < sizeof(*req->in))
		return -EIO;
	status = le32_to_cpu(READ_ONCE(req->in->status));
	if (status > VIRTIO_BPF_S_IO)
		return -EIO;
	if (status == VIRTIO_BPF_S_OK &&
	    req->used < sizeof(*req->in) + req->resp_len)
		return -EIO;
	return vbpf_status[status].err;
}

/**
 * vbpf_req_timeout() - how long is a request's answer waited for?
 * @rq: the requestq; no program gets more of a host that is known not to answer
 * @req: the request
 *
 * Return: milliseconds
 */
static unsigned int vbpf_req_timeout(const struct vbpf_requestq *rq,
				     const struct vbpf_req *req)
{
	unsigned int timeout_ms = READ_ONCE(vbpf_timeout_ms);

	if (req->type != VIRTIO_BPF_PROG_LOAD || READ_ONCE(rq->stalled))
		return timeout_ms;
	return max(timeout_ms, READ_ONCE(vbpf_load_timeout_ms));
}

/**
 * vbpf_req_run() - send a request and wait for its answer
 * @vbpf: the device
 * @req: the request; stays the caller's
 *
 * Context: may sleep, for vbpf_req_timeout() at most
 * Return: 0; the negative errno that the status stands for; -ETIMEDOUT, -EAGAIN
 * (the queue stayed full), -ENODEV (the device goes), -EIO (its answer makes no
 * sense), -ENOMEM, -E2BIG. The response may be looked at after 0, and its text
 * by vbpf_req_text() in any case.
 */
int vbpf_req_run(struct vbpf_dev *vbpf, struct vbpf_req *req)
{
	struct vbpf_requestq *rq = &vbpf->requestq;
	unsigned int timeout_ms = vbpf_req_timeout(rq, req);
	long left = msecs_to_jiffies(timeout_ms);
	bool dead;
	int err;

	err = vbpf_submit(rq, req, &left);
	if (err)
		return err;
	wait_for_completion_timeout(&req->done, max(left, 1L));

	spin_lock_irq(&rq->lock);
	dead = rq->dead;
	if (!req->answered) {
		req->orphan = true;
		req->late = true;
		if (!dead)
			rq->stalled = true;
	}
	spin_unlock_irq(&rq->lock);

	if (req->answered)
		return vbpf_req_result(req);
	if (dead)
		return -ENODEV;
	dev_warn_ratelimited(&vbpf->vdev->dev,
			     "the host did not answer request %u within %u ms\n",
			     req->type, timeout_ms);
	return -ETIMEDOUT;
}

/**
 * vbpf_may_retry() - may a request succeed later that failed now?
 * @err: what vbpf_submit() or the device said
 *
 * Return: true where the host was busy, short of memory or not there
 */
static bool vbpf_may_retry(int err)
{
	return err == -EAGAIN || err == -ENOMEM || err == -ENODEV;
}

/**
 * vbpf_retry_later() - send a posted request again after a while
 * @rq: the requestq
 * @req: the request, which the device does not have; the caller's no longer
 */
static void vbpf_retry_later(struct vbpf_requestq *rq, struct vbpf_req *req)
{
	spin_lock_irq(&rq->lock);
	list_add_tail(&req->node, &rq->retry);
	if (!rq->dead)
		schedule_delayed_work(&rq->retrier, VBPF_RETRY_DELAY);
	spin_unlock_irq(&rq->lock);
}

/**
 * vbpf_post() - send a request whose answer nobody waits for
 * @vbpf: the device
 * @req: the request; the caller's no longer
 *
 * Waits for room in the queue, as long as the device returns requests: one that
 * does not would else hold up rtnl for every object that is freed.
 *
 * Context: may sleep
 */
static void vbpf_post(struct vbpf_dev *vbpf, struct vbpf_req *req)
{
	struct vbpf_requestq *rq = &vbpf->requestq;
	long left = 0;
	int err;

	if (!READ_ONCE(rq->stalled))
		left = msecs_to_jiffies(READ_ONCE(vbpf_timeout_ms));
	req->orphan = true;
	err = vbpf_submit(rq, req, &left);
	if (err && vbpf_may_retry(err)) {
		vbpf_retry_later(rq, req);
		return;
	}
	if (err)
		dev_warn_ratelimited(&vbpf->vdev->dev,
				     "request %u was not sent: error %d\n",
				     req->type, err);
	vbpf_req_put(req);
}

/**
 * vbpf_post_handle() - send a request about a handle, and wait for no answer
 * @vbpf: the device
 * @type: VIRTIO_BPF_PROG_FREE, _XDP_ATTACH, _XDP_DETACH or _MAP_FREE
 * @handle: the handle
 *
 * Context: may sleep
 */
void vbpf_post_handle(struct vbpf_dev *vbpf, u32 type, u32 handle)
{
	struct vbpf_req *req = vbpf_req_alloc_handle(type, handle);

	if (req)
		vbpf_post(vbpf, req);
	else
		dev_warn_ratelimited(&vbpf->vdev->dev,
				     "no memory for request %u about object %u\n",
				     type, handle);
}

/**
 * vbpf_release() - make the device free all that it holds for this guest
 * @vbpf: the device; its requestq may be dead, or not have been started
 *
 * A device that was torn out holds nothing. One that did not answer in time,
 * and has not answered anything since, is told but not waited for.
 *
 * Context: may sleep, up to the time-out
 */
void vbpf_release(struct vbpf_dev *vbpf)
{
	struct vbpf_requestq *rq = &vbpf->requestq;
	struct vbpf_req *req;
	int err = -ENOMEM;

	if (!rq->vq || virtqueue_is_broken(rq->vq))
		return;
	req = vbpf_req_alloc(VIRTIO_BPF_RELEASE, 0, 0, 0, 0);
	if (req && READ_ONCE(rq->stalled)) {
		vbpf_post(vbpf, req);
		req = NULL;
		err = -ETIMEDOUT;
	} else if (req) {
		err = vbpf_req_run(vbpf, req);
	}
	if (err)
		dev_warn(&vbpf->vdev->dev,
			 "the host may still hold programs and maps (%d)\n",
			 err);
	vbpf_req_put(req);
}

/**
 * vbpf_req_text() - the text of a response
 * @req: a request that was run
 *
 * Return: the text, cleaned and ended by a NUL, valid as long as @req, or NULL
 * if there is none
 */
char *vbpf_req_text(struct vbpf_req *req)
{
	size_t room, len;
	char *text;

	if (!req->answered || req->used <= sizeof(*req->in) + req->resp_len)
		return NULL;
	room = req->used - sizeof(*req->in) - req->resp_len;
	len = min_t(size_t, le32_to_cpu(READ_ONCE(req->in->text_len)), room);
	if (!len)
		return NULL;
	text = (char *)vbpf_resp_body(req) + req->resp_len;
	text[len] = '\0';
	vbpf_clean_text(text, len);
	return text;
}

/**
 * vbpf_req_sentence() - one line that says why a request failed
 * @req: a request that was run
 * @err: what came of it
 *
 * Return: the host's first line, valid as long as @req, or general words
 */
const char *vbpf_req_sentence(struct vbpf_req *req, int err)
{
	char *text = vbpf_req_text(req);

	if (!text)
		return vbpf_error_text(err);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/**
 * vbpf_reap_free() - look at the answer to a PROG_FREE or MAP_FREE
 * @vbpf: the device
 * @req: the request
 * @err: what came of it
 *
 * A program is busy that is attached on the host alone: when a detach failed
 * there and the kernel insisted, or when an attach was carried out after its
 * time. After an EVENT_LOST the host knows no handle.
 */
static void vbpf_reap_free(struct vbpf_dev *vbpf, struct vbpf_req *req, int err)
{
	if (err == -EBUSY)
		vbpf_netdev_resync(vbpf);
	if (err == -EBUSY || vbpf_may_retry(err)) {
		vbpf_retry_later(&vbpf->requestq, req);
		return;
	}
	if (err && err != -EBADF)
		dev_warn_ratelimited(&vbpf->vdev->dev,
				     "the host keeps an object that is not used any more: %s\n",
				     vbpf_error_text(err));
	vbpf_req_put(req);
}

/**
 * vbpf_reap_one() - undo what came too late, repeat what must be done
 * @vbpf: the device
 * @req: a request that the device returned with nobody waiting; let go of here
 *
 * Context: may take rtnl
 */
static void vbpf_reap_one(struct vbpf_dev *vbpf, struct vbpf_req *req)
{
	int err = vbpf_req_result(req);
	struct virtio_bpf_prog_loaded *loaded;
	struct virtio_bpf_handle *created;

	switch (req->type) {
	case VIRTIO_BPF_PROG_LOAD:
		loaded = vbpf_resp_body(req);
		if (!err)
			vbpf_post_handle(vbpf, VIRTIO_BPF_PROG_FREE,
					 le32_to_cpu(READ_ONCE(loaded->handle)));
		break;
	case VIRTIO_BPF_MAP_CREATE:
		created = vbpf_resp_body(req);
		if (!err)
			vbpf_post_handle(vbpf, VIRTIO_BPF_MAP_FREE,
					 le32_to_cpu(READ_ONCE(created->handle)));
		break;
	case VIRTIO_BPF_XDP_ATTACH:
	case VIRTIO_BPF_XDP_DETACH:
		if (!req->late && vbpf_may_retry(err)) {
			vbpf_retry_later(&vbpf->requestq, req);
			return;
		}
		/* One that was posted says what the guest's state is already */
		if (req->late && !err)
			vbpf_netdev_resync(vbpf);
		break;
	case VIRTIO_BPF_PROG_FREE:
	case VIRTIO_BPF_MAP_FREE:
		vbpf_reap_free(vbpf, req, err);
		return;
	}
	vbpf_req_put(req);
}

/**
 * vbpf_reap() - look at the requests that came back with nobody waiting
 * @work: of the requestq
 */
static void vbpf_reap(struct work_struct *work)
{
	struct vbpf_dev *vbpf = container_of(work, struct vbpf_dev, requestq.reaper);
	struct vbpf_requestq *rq = &vbpf->requestq;
	struct vbpf_req *req;

	for (;;) {
		spin_lock_irq(&rq->lock);
		req = list_first_entry_or_null(&rq->late, struct vbpf_req, node);
		if (req)
			list_del_init(&req->node);
		spin_unlock_irq(&rq->lock);
		if (!req)
			break;
		vbpf_reap_one(vbpf, req);
	}
}

/**
 * vbpf_retry() - send again what rested
 * @work: of the requestq
 *
 * What is attached may have changed since: that is not repeated but said anew.
 */
static void vbpf_retry(struct work_struct *work)
{
	struct vbpf_dev *vbpf = container_of(to_delayed_work(work),
					     struct vbpf_dev, requestq.retrier);
	struct vbpf_requestq *rq = &vbpf->requestq;
	struct vbpf_req *req, *next;
	bool resync = false;
	LIST_HEAD(rested);

	spin_lock_irq(&rq->lock);
	list_splice_init(&rq->retry, &rested);
	spin_unlock_irq(&rq->lock);
	list_for_each_entry_safe(req, next, &rested, node) {
		list_del_init(&req->node);
		if (req->type == VIRTIO_BPF_XDP_ATTACH ||
		    req->type == VIRTIO_BPF_XDP_DETACH) {
			resync = true;
			vbpf_req_put(req);
		} else {
			vbpf_post(vbpf, req);
		}
	}
	if (resync)
		vbpf_netdev_resync(vbpf);
}

/**
 * vbpf_requestq_done() - the device returned requests
 * @vq: the requestq
 *
 * The device's use of a request ends here, unless the reaper has to see it. The
 * submitter still holds one, so letting go does not free it.
 *
 * Context: interrupt
 */
void vbpf_requestq_done(struct virtqueue *vq)
{
	struct vbpf_dev *vbpf = vq->vdev->priv;
	struct vbpf_requestq *rq = &vbpf->requestq;
	struct vbpf_req *req;
	unsigned long flags;
	unsigned int used;

	spin_lock_irqsave(&rq->lock, flags);
	while ((req = virtqueue_get_buf(vq, &used))) {
		req->used = min_t(size_t, used, req->in_len);
		rq->returned++;
		rq->stalled = false;
		if (req->orphan) {
			list_move_tail(&req->node, &rq->late);
			schedule_work(&rq->reaper);
			continue;
		}
		list_del_init(&req->node);
		req->answered = true;
		complete(&req->done);
		refcount_dec(&req->users);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	wake_up_all(&rq->space);
}

/**
 * vbpf_requestq_init() - prepare a requestq, once for a device's life
 * @rq: the requestq
 */
void vbpf_requestq_init(struct vbpf_requestq *rq)
{
	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->inflight);
	INIT_LIST_HEAD(&rq->late);
	init_waitqueue_head(&rq->space);
	INIT_LIST_HEAD(&rq->retry);
	INIT_WORK(&rq->reaper, vbpf_reap);
	INIT_DELAYED_WORK(&rq->retrier, vbpf_retry);
	rq->dead = true;
}

/**
 * vbpf_requestq_start() - begin to take requests
 * @rq: the requestq
 * @vq: its virtqueue
 */
void vbpf_requestq_start(struct vbpf_requestq *rq, struct virtqueue *vq)
{
	spin_lock_irq(&rq->lock);
	rq->vq = vq;
	rq->stalled = false;
	rq->dead = false;
	spin_unlock_irq(&rq->lock);
}

/**
 * vbpf_requestq_kill() - fail all requests, those under way and those to come
 * @rq: the requestq
 *
 * The buffers stay with the device until it is reset. RELEASE alone can still
 * be sent: nothing can follow it then that the device would keep.
 */
void vbpf_requestq_kill(struct vbpf_requestq *rq)
{
	struct vbpf_req *req;

	spin_lock_irq(&rq->lock);
	WRITE_ONCE(rq->dead, true);
	list_for_each_entry(req, &rq->inflight, node)
		complete(&req->done);
	spin_unlock_irq(&rq->lock);
	wake_up_all(&rq->space);
}

/**
 * vbpf_free_list() - let go of all requests of a list
 * @list: the list
 */
static void vbpf_free_list(struct list_head *list)
{
	struct vbpf_req *req, *next;

	list_for_each_entry_safe(req, next, list, node) {
		list_del_init(&req->node);
		vbpf_req_put(req);
	}
}

/**
 * vbpf_requestq_drain() - free what the device did not return
 * @rq: a requestq that was killed, of a device that was reset since; or one
 *      that was not started
 *
 * The works hand requests to each other, but a queue that is dead schedules
 * none: after one round both rest.
 *
 * Context: no submitter is left
 */
void vbpf_requestq_drain(struct vbpf_requestq *rq)
{
	struct vbpf_req *req;

	if (!rq->vq)
		return;
	cancel_work_sync(&rq->reaper);
	cancel_delayed_work_sync(&rq->retrier);
	while ((req = virtqueue_detach_unused_buf(rq->vq))) {
		list_del_init(&req->node);
		vbpf_req_put(req);
	}
	vbpf_free_list(&rq->late);
	vbpf_free_list(&rq->retry);
	rq->vq = NULL;
}
