/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_BPF_COMPAT_H
#define VIRTIO_BPF_COMPAT_H
/**
 * DOC: Older kernels, 6.1 onwards
 *
 * The driver is written for the newest kernel. What an older one calls
 * otherwise is given its new name here, and nowhere else.
 */
#include <linux/bpf.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <net/xdp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* Until metadata kfuncs came, a program bound to a device was an offloaded one. */
#define bpf_prog_is_offloaded(aux) bpf_prog_is_dev_bound(aux)
#endif

/**
 * vbpf_announce_hw_offload() - tell user space whether a netdev offloads XDP
 * @dev: the netdev
 * @on: whether it does
 *
 * Context: rtnl. Kernels before 6.3 do not announce what a netdev can do.
 */
static inline void vbpf_announce_hw_offload(struct net_device *dev, bool on)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	xdp_features_t val = dev->xdp_features & ~NETDEV_XDP_ACT_HW_OFFLOAD;

	xdp_set_features_flag(dev, on ? val | NETDEV_XDP_ACT_HW_OFFLOAD : val);
#endif
}

/**
 * vbpf_extack_text() - answer a netlink request with a text made at run time
 * @extack: where the answer goes, may be NULL
 * @text: the text; need not outlive the call
 * @plain: the same in general words, of static lifetime
 *
 * Kernels without a buffer in the extack (before 6.2) can only point at text
 * that stays: there @plain is the answer. Where the buffer is too small, the
 * kernel logs the whole.
 */
static inline void vbpf_extack_text(struct netlink_ext_ack *extack,
				    const char *text, const char *plain)
{
#ifdef NL_SET_ERR_MSG_FMT
	NL_SET_ERR_MSG_FMT(extack, KBUILD_MODNAME ": %s", text);
#else
	if (extack)
		extack->_msg = plain;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define VBPF_COMPAT_MAX_VQS 2

struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
};

/**
 * vbpf_compat_find_vqs() - virtio_find_vqs() as it is called since 6.11
 * @vdev: the device
 * @nvqs: number of queues, at most VBPF_COMPAT_MAX_VQS
 * @vqs: where the queues go
 * @info: their names and callbacks
 * @desc: interrupt affinity, or NULL
 *
 * Return: 0 or a negative errno
 */
static inline int vbpf_compat_find_vqs(struct virtio_device *vdev,
				       unsigned int nvqs,
				       struct virtqueue *vqs[],
				       struct virtqueue_info info[],
				       struct irq_affinity *desc)
{
	vq_callback_t *callbacks[VBPF_COMPAT_MAX_VQS];
	const char *names[VBPF_COMPAT_MAX_VQS];
	unsigned int i;

	if (nvqs > VBPF_COMPAT_MAX_VQS)
		return -EINVAL;
	for (i = 0; i < nvqs; i++) {
		callbacks[i] = info[i].callback;
		names[i] = info[i].name;
	}
	return virtio_find_vqs(vdev, nvqs, vqs, callbacks, names, desc);
}

#define virtio_find_vqs vbpf_compat_find_vqs
#endif

#ifndef register_virtio_driver
/* The owner was set by each driver before registering became a macro. */
#define register_virtio_driver(drv) ({				\
	struct virtio_driver *__drv = (drv);			\
								\
	__drv->driver.owner = THIS_MODULE;			\
	(register_virtio_driver)(__drv);			\
})
#endif

#endif /* VIRTIO_BPF_COMPAT_H */
