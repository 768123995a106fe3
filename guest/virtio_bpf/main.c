// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio BPF driver
 *
 * A virtio BPF device lets a guest's XDP program run on the host, where the
 * packets for one of the guest's virtio-net devices come from. This driver
 * makes the kernel's BPF offload work for that netdev: programs and maps are
 * loaded, attached and looked at by the usual commands, and what the kernel's
 * offload core asks of a NIC's firmware, the driver asks of the device.
 *
 * The device is described in docs/virtio-bpf.md.
 */
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "virtio_bpf_drv.h"

/* Refusals in 5 seconds that the log tells; libbpf provokes each twice */
#define VBPF_WARN_BURST 20

module_param_cb(timeout_ms, &vbpf_timeout_ops, &vbpf_timeout_ms, 0644);
__MODULE_PARM_TYPE(timeout_ms, "uint");
MODULE_PARM_DESC(timeout_ms,
		 "milliseconds that a request waits for the host, 10 to 60000 (default 2000); "
		 "the guest's network configuration may wait as long");
module_param_cb(load_timeout_ms, &vbpf_timeout_ops, &vbpf_load_timeout_ms, 0644);
__MODULE_PARM_TYPE(load_timeout_ms, "uint");
MODULE_PARM_DESC(load_timeout_ms,
		 "milliseconds that the load of a program waits for the host, 10 to 60000 "
		 "(default 10000), and at least timeout_ms");

/**
 * vbpf_validate() - look whether it is a device for this driver
 * @vdev: the device, before features are negotiated
 *
 * VIRTIO_ID_BPF_STOCK is not ours alone. The magic is read first, for the
 * configuration space of another device may be shorter.
 *
 * Return: 0, or -ENODEV to leave it alone
 */
static int vbpf_validate(struct virtio_device *vdev)
{
	u16 version;
	u32 magic;

	if (!vdev->config->get || !virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_info(&vdev->dev, "not a virtio BPF device, left alone\n");
		return -ENODEV;
	}
	virtio_cread_le(vdev, struct virtio_bpf_config, magic, &magic);
	if (magic != VIRTIO_BPF_MAGIC) {
		dev_info(&vdev->dev,
			 "not a virtio BPF device (magic %#x), left alone\n",
			 magic);
		return -ENODEV;
	}
	virtio_cread_le(vdev, struct virtio_bpf_config, version, &version);
	if (version != VIRTIO_BPF_VERSION) {
		dev_err(&vdev->dev,
			"the virtio BPF device has version %u, this driver knows version %u only\n",
			version, VIRTIO_BPF_VERSION);
		return -ENODEV;
	}
	return 0;
}

/**
 * vbpf_limit() - what holds where a device may or may not state a limit
 * @stated: what it states; 0 for nothing
 * @most: what the protocol allows
 *
 * Return: the lower one
 */
static u32 vbpf_limit(u32 stated, u32 most)
{
	return stated && stated < most ? stated : most;
}

/* One limit from the configuration space, by the name that it has here, too */
#define vbpf_read_limit(vbpf, field, most)				\
do {									\
	u32 stated;							\
									\
	virtio_cread_le((vbpf)->vdev, struct virtio_bpf_config, field,	\
			&stated);					\
	WRITE_ONCE((vbpf)->limits.field, vbpf_limit(stated, most));	\
} while (0)

/**
 * vbpf_read_config() - read what the configuration space says of limits
 * @vbpf: the device
 *
 * Programs and maps may be on their way meanwhile: each sees the old limit or
 * the new one, and the host has the last word.
 */
static void vbpf_read_config(struct vbpf_dev *vbpf)
{
	u16 classes;

	virtio_cread_le(vbpf->vdev, struct virtio_bpf_config, classes, &classes);
	WRITE_ONCE(vbpf->limits.classes, classes);
	vbpf_read_limit(vbpf, map_types, U32_MAX);
	vbpf_read_limit(vbpf, max_insns, VIRTIO_BPF_MAX_INSNS);
	vbpf_read_limit(vbpf, max_entries, U32_MAX);
	vbpf_read_limit(vbpf, max_key_size, VIRTIO_BPF_MAX_KEY_SIZE);
	vbpf_read_limit(vbpf, max_value_size, VIRTIO_BPF_MAX_VALUE_SIZE);
	vbpf_read_limit(vbpf, max_text, VIRTIO_BPF_MAX_TEXT);
}

/**
 * vbpf_config_work() - read a configuration space that changed
 * @work: of the device
 */
static void vbpf_config_work(struct work_struct *work)
{
	vbpf_read_config(container_of(work, struct vbpf_dev, config_work));
}

/**
 * vbpf_config_changed() - the device says that its configuration space changed
 * @vdev: the device
 *
 * A device that did not know its limits at the start tells them later.
 *
 * Context: interrupt
 */
static void vbpf_config_changed(struct virtio_device *vdev)
{
	struct vbpf_dev *vbpf = vdev->priv;

	schedule_work(&vbpf->config_work);
}

/**
 * vbpf_start() - bring a device up and pair it
 * @vbpf: the device, negotiated and not running
 *
 * Return: 0 or a negative errno
 */
static int vbpf_start(struct vbpf_dev *vbpf)
{
	bool events = virtio_has_feature(vbpf->vdev, VIRTIO_BPF_F_EVENTS);
	struct virtqueue_info info[VIRTIO_BPF_VQ_CNT] = {
		[VIRTIO_BPF_VQ_REQUEST] = { "request", vbpf_requestq_done },
		[VIRTIO_BPF_VQ_EVENT] = { "event", vbpf_eventq_notify },
	};
	struct virtqueue *vqs[VIRTIO_BPF_VQ_CNT] = {};
	int err;

	virtio_cread_bytes(vbpf->vdev, offsetof(struct virtio_bpf_config, mac),
			   vbpf->mac, sizeof(vbpf->mac));
	vbpf_read_config(vbpf);
	err = vbpf_eventq_alloc(&vbpf->eventq);
	if (err)
		return err;
	err = virtio_find_vqs(vbpf->vdev, events ? 2 : 1, vqs, info, NULL);
	if (err) {
		vbpf_eventq_stop(&vbpf->eventq);
		return err;
	}
	vbpf_requestq_start(&vbpf->requestq, vqs[VIRTIO_BPF_VQ_REQUEST]);
	virtio_device_ready(vbpf->vdev);
	vbpf_eventq_start(&vbpf->eventq, vqs[VIRTIO_BPF_VQ_EVENT]);
	vbpf_netdev_start(vbpf);
	return 0;
}

/**
 * vbpf_stop() - take a device down; its programs and maps are gone then
 * @vbpf: the device; may be down already, if it did not come back from sleep
 *
 * First nobody waits for it any more: whoever waits may hold the locks that the
 * rest needs. Then the device is asked to free everything, since not every
 * transport tells it of a reset.
 */
static void vbpf_stop(struct vbpf_dev *vbpf)
{
	vbpf_requestq_kill(&vbpf->requestq);
	vbpf_release(vbpf);
	virtio_break_device(vbpf->vdev);
	vbpf_netdev_stop(vbpf);
	virtio_reset_device(vbpf->vdev);
	cancel_work_sync(&vbpf->config_work);
	vbpf_eventq_stop(&vbpf->eventq);
	vbpf_requestq_drain(&vbpf->requestq);
	vbpf->vdev->config->del_vqs(vbpf->vdev);
}

/**
 * vbpf_probe() - a device came
 * @vdev: the device
 *
 * Return: 0 or a negative errno
 */
static int vbpf_probe(struct virtio_device *vdev)
{
	struct vbpf_dev *vbpf;
	int err;

	vbpf = kzalloc(sizeof(*vbpf), GFP_KERNEL);
	if (!vbpf)
		return -ENOMEM;
	vbpf->vdev = vdev;
	vdev->priv = vbpf;
	INIT_LIST_HEAD(&vbpf->node);
	ratelimit_state_init(&vbpf->warn_limit, 5 * HZ, VBPF_WARN_BURST);
	ratelimit_set_flags(&vbpf->warn_limit, RATELIMIT_MSG_ON_RELEASE);
	mutex_init(&vbpf->maps_lock);
	INIT_LIST_HEAD(&vbpf->maps);
	INIT_WORK(&vbpf->config_work, vbpf_config_work);
	vbpf_requestq_init(&vbpf->requestq);
	vbpf_eventq_init(&vbpf->eventq);

	vbpf->offdev = bpf_offload_dev_create(&vbpf_prog_ops, vbpf);
	if (IS_ERR(vbpf->offdev)) {
		err = PTR_ERR(vbpf->offdev);
		goto err_free;
	}
	err = vbpf_start(vbpf);
	if (err)
		goto err_offdev;
	return 0;

err_offdev:
	bpf_offload_dev_destroy(vbpf->offdev);
err_free:
	kfree(vbpf);
	return err;
}

/**
 * vbpf_remove() - a device goes, or is unbound
 * @vdev: the device
 */
static void vbpf_remove(struct virtio_device *vdev)
{
	struct vbpf_dev *vbpf = vdev->priv;

	vbpf_stop(vbpf);
	bpf_offload_dev_destroy(vbpf->offdev);
	kfree(vbpf);
}

#ifdef CONFIG_PM
/**
 * vbpf_freeze() - the guest goes to sleep
 * @vdev: the device
 *
 * The device forgets its programs and maps, so the guest must, too.
 *
 * Return: 0
 */
static int vbpf_freeze(struct virtio_device *vdev)
{
	vbpf_stop(vdev->priv);
	return 0;
}

/**
 * vbpf_restore() - the guest woke
 * @vdev: the device, maybe another one than before
 *
 * Return: 0 or a negative errno
 */
static int vbpf_restore(struct virtio_device *vdev)
{
	int err = vbpf_validate(vdev);

	return err ? err : vbpf_start(vdev->priv);
}
#endif

static const struct virtio_device_id vbpf_id_table[] = {
	{ VIRTIO_ID_BPF, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_BPF_STOCK, VIRTIO_DEV_ANY_ID },
	{ }
};
MODULE_DEVICE_TABLE(virtio, vbpf_id_table);

static const unsigned int vbpf_features[] = {
	VIRTIO_BPF_F_MAPS,
	VIRTIO_BPF_F_EVENTS,
};

static struct virtio_driver vbpf_driver = {
	.driver.name = KBUILD_MODNAME,
	.id_table = vbpf_id_table,
	.feature_table = vbpf_features,
	.feature_table_size = ARRAY_SIZE(vbpf_features),
	.validate = vbpf_validate,
	.probe = vbpf_probe,
	.remove = vbpf_remove,
	.config_changed = vbpf_config_changed,
#ifdef CONFIG_PM
	.freeze = vbpf_freeze,
	.restore = vbpf_restore,
#endif
};

/**
 * vbpf_reboot() - the guest goes down, or boots another kernel
 * @nb: vbpf_reboot_notifier
 * @action: how
 * @data: unused
 *
 * Packets for whoever boots next are not for our programs to decide.
 *
 * Return: NOTIFY_DONE
 */
static int vbpf_reboot(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	vbpf_netdev_release_all();
	return NOTIFY_DONE;
}

static struct notifier_block vbpf_reboot_notifier = {
	.notifier_call = vbpf_reboot,
};

/**
 * vbpf_init() - the module is loaded
 *
 * Return: 0 or a negative errno
 */
static int __init vbpf_init(void)
{
	int err;

	err = register_netdevice_notifier(&vbpf_netdev_notifier);
	if (err)
		return err;
	err = register_reboot_notifier(&vbpf_reboot_notifier);
	if (err)
		goto err_netdev;
	err = register_virtio_driver(&vbpf_driver);
	if (err)
		goto err_reboot;
	return 0;

err_reboot:
	unregister_reboot_notifier(&vbpf_reboot_notifier);
err_netdev:
	unregister_netdevice_notifier(&vbpf_netdev_notifier);
	return err;
}

/**
 * vbpf_exit() - the module is unloaded
 *
 * No program and no map is left: each holds a reference to the module.
 */
static void __exit vbpf_exit(void)
{
	unregister_virtio_driver(&vbpf_driver);
	unregister_reboot_notifier(&vbpf_reboot_notifier);
	vbpf_netdev_cleanup();
	unregister_netdevice_notifier(&vbpf_netdev_notifier);
}

module_init(vbpf_init);
module_exit(vbpf_exit);

MODULE_DESCRIPTION("Virtio BPF driver: XDP programs of the guest run on the host");
MODULE_LICENSE("GPL");
