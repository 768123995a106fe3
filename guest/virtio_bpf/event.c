// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Events
 *
 * What the host does on its own comes through the eventq. The kernel has no
 * way to tell user space that an offloaded program was detached behind its
 * back, so the guest's log says it.
 */
#include <linux/device.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "virtio_bpf_drv.h"

#define VBPF_EVENT_BUFS 16

/**
 * vbpf_event_add() - give a buffer to the device
 * @eq: the eventq
 * @event: one of its buffers
 *
 * Return: 0 or a negative errno
 */
static int vbpf_event_add(struct vbpf_eventq *eq, struct virtio_bpf_event *event)
{
	struct scatterlist sg;

	memset(event, 0, sizeof(*event));
	sg_init_one(&sg, event, sizeof(*event));
	return virtqueue_add_inbuf(eq->vq, &sg, 1, event, GFP_KERNEL);
}

/**
 * vbpf_event_show() - write an event to the log
 * @vbpf: the device
 * @event: the event
 * @used: bytes of it that the device says it wrote
 *
 * Context: takes rtnl
 */
static void vbpf_event_show(struct vbpf_dev *vbpf,
			    const struct virtio_bpf_event *event, u32 used)
{
	char text[VIRTIO_BPF_EVENT_TEXT];
	const char *what;
	u32 len;

	if (used < offsetof(struct virtio_bpf_event, text))
		return;
	switch (le32_to_cpu(event->type)) {
	case VIRTIO_BPF_EVENT_DETACHED:
		what = "the host detached the XDP program";
		break;
	case VIRTIO_BPF_EVENT_LOST:
		what = "the host lost all programs and maps, load them again";
		break;
	default:
		return;
	}
	len = min_t(u32, le32_to_cpu(event->text_len), sizeof(text));
	len = min_t(u32, len, used - offsetof(struct virtio_bpf_event, text));
	memcpy(text, event->text, len);
	vbpf_clean_text(text, len);

	rtnl_lock();
	if (vbpf->hook)
		vbpf_warn(vbpf, vbpf->hook->netdev, "%s%s%.*s\n", what,
			  len ? ": " : "", len, text);
	else
		dev_warn_ratelimited(&vbpf->vdev->dev, "%s%s%.*s\n", what,
				     len ? ": " : "", len, text);
	rtnl_unlock();
}

/**
 * vbpf_eventq_fill() - give all buffers to the device
 * @eq: the eventq
 */
static void vbpf_eventq_fill(struct vbpf_eventq *eq)
{
	unsigned int i;

	/* A queue may be smaller than we have buffers */
	for (i = 0; i < VBPF_EVENT_BUFS; i++)
		if (vbpf_event_add(eq, &eq->events[i]))
			break;
	virtqueue_kick(eq->vq);
	eq->filled = true;
}

/**
 * vbpf_event_work() - give the buffers, then read what events there are
 * @work: of the eventq
 *
 * It alone touches the virtqueue while the device runs. Interrupts stay on, so
 * an event that comes while it runs makes it run once more.
 */
static void vbpf_event_work(struct work_struct *work)
{
	struct vbpf_dev *vbpf = container_of(work, struct vbpf_dev, eventq.work);
	struct vbpf_eventq *eq = &vbpf->eventq;
	struct virtio_bpf_event *event;
	u32 used;

	if (!eq->filled)
		vbpf_eventq_fill(eq);
	while ((event = virtqueue_get_buf(eq->vq, &used))) {
		vbpf_event_show(vbpf, event, min_t(u32, used, sizeof(*event)));
		/* There is room: the buffer just came from there */
		if (vbpf_event_add(eq, event))
			break;
		virtqueue_kick(eq->vq);
		cond_resched();
	}
}

/**
 * vbpf_eventq_notify() - the device filled in events
 * @vq: the eventq; before it was started the device has no business here
 *
 * Context: interrupt
 */
void vbpf_eventq_notify(struct virtqueue *vq)
{
	struct vbpf_dev *vbpf = vq->vdev->priv;

	if (READ_ONCE(vbpf->eventq.vq))
		schedule_work(&vbpf->eventq.work);
}

/**
 * vbpf_eventq_init() - prepare an eventq, once for a device's life
 * @eq: the eventq
 */
void vbpf_eventq_init(struct vbpf_eventq *eq)
{
	INIT_WORK(&eq->work, vbpf_event_work);
}

/**
 * vbpf_eventq_alloc() - allocate an eventq's buffers
 * @eq: the eventq, stopped
 *
 * Return: 0 or -ENOMEM
 */
int vbpf_eventq_alloc(struct vbpf_eventq *eq)
{
	eq->events = kcalloc(VBPF_EVENT_BUFS, sizeof(*eq->events), GFP_KERNEL);
	return eq->events ? 0 : -ENOMEM;
}

/**
 * vbpf_eventq_start() - begin to take events
 * @eq: the eventq, with buffers
 * @vq: the virtqueue of a device that is ready, or NULL where events were not
 *      negotiated
 */
void vbpf_eventq_start(struct vbpf_eventq *eq, struct virtqueue *vq)
{
	if (!vq)
		return;
	WRITE_ONCE(eq->vq, vq);
	schedule_work(&eq->work);
}

/**
 * vbpf_eventq_stop() - free an eventq's buffers
 * @eq: the eventq of a device that was reset, or one that was not started
 */
void vbpf_eventq_stop(struct vbpf_eventq *eq)
{
	cancel_work_sync(&eq->work);
	kfree(eq->events);
	eq->events = NULL;
	eq->filled = false;
	WRITE_ONCE(eq->vq, NULL);
}
