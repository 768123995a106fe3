// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: The netdev that is served
 *
 * A device serves the virtio-net netdev whose address its configuration space
 * names. virtio_net knows nothing of offload, so the netdev's net_device_ops
 * are shadowed by a copy whose ndo_bpf is ours: it takes the commands of
 * offload and hands all others on.
 *
 * Device and netdev come and go in any order. A hook, as the shadow is called
 * here, goes with the netdev; or with the device, unless a program is attached:
 * then it stays, so that the program can be detached, until a device comes
 * back, the netdev goes or the module is unloaded.
 *
 * Everything here runs under rtnl.
 */
#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <net/net_namespace.h>

#include "virtio_bpf_drv.h"

/* Both under rtnl */
static LIST_HEAD(vbpf_devs);
static LIST_HEAD(vbpf_hooks);

/**
 * vbpf_hook_find() - the hook of a netdev
 * @netdev: the netdev
 *
 * Return: the hook or NULL
 */
static struct vbpf_hook *vbpf_hook_find(const struct net_device *netdev)
{
	struct vbpf_hook *hook;

	list_for_each_entry(hook, &vbpf_hooks, node)
		if (hook->netdev == netdev)
			return hook;
	return NULL;
}

/**
 * vbpf_set_extack() - tell the user why the host said no
 * @hook: the netdev
 * @req: the request, as run
 * @err: what came of it
 * @extack: where the sentence goes, may be NULL
 */
static void vbpf_set_extack(struct vbpf_hook *hook, struct vbpf_req *req,
			    int err, struct netlink_ext_ack *extack)
{
	const char *text = vbpf_req_sentence(req, err);

	vbpf_extack_text(extack, text, vbpf_error_text(err));
	vbpf_warn(hook->vbpf, hook->netdev, "XDP %s: %s\n",
		  req->type == VIRTIO_BPF_XDP_ATTACH ? "attach" : "detach",
		  text);
}

/**
 * vbpf_attach() - attach a program on the host, in place of any other
 * @hook: the netdev
 * @bpf: the kernel's command
 *
 * Return: 0 or a negative errno, then with a sentence in the extack
 */
static int vbpf_attach(struct vbpf_hook *hook, struct netdev_bpf *bpf)
{
	struct vbpf_dev *vbpf = hook->vbpf;
	struct vbpf_req *req;
	u32 handle;
	int err;

	if (!vbpf) {
		NL_SET_ERR_MSG_MOD(bpf->extack, "the BPF device is gone");
		return -ENODEV;
	}
	if (!bpf_prog_is_offloaded(bpf->prog->aux)) {
		NL_SET_ERR_MSG_MOD(bpf->extack,
				   "the program is not loaded for offload");
		return -EINVAL;
	}
	if (!bpf_offload_dev_match(bpf->prog, hook->netdev)) {
		NL_SET_ERR_MSG_MOD(bpf->extack,
				   "the program is loaded for another device");
		return -EINVAL;
	}

	handle = vbpf_prog_handle(bpf->prog);
	req = vbpf_req_alloc_handle(VIRTIO_BPF_XDP_ATTACH, handle);
	if (!req)
		return -ENOMEM;
	err = vbpf_req_run(vbpf, req);
	if (err)
		vbpf_set_extack(hook, req, err, bpf->extack);
	else
		vbpf->attached = handle;
	vbpf_req_put(req);
	return err;
}

/**
 * vbpf_detach() - detach whatever is attached on the host
 * @hook: the netdev
 * @bpf: the kernel's command
 *
 * A user who asks for it can be told that it failed. Where there is no extack
 * the kernel does not ask: the netdev or the link goes.
 *
 * Return: 0 or a negative errno, then with a sentence in the extack
 */
static int vbpf_detach(struct vbpf_hook *hook, struct netdev_bpf *bpf)
{
	struct vbpf_dev *vbpf = hook->vbpf;
	struct vbpf_req *req;
	int err = -ENOMEM;

	if (!hook->xdp.prog || !vbpf)
		return 0;
	/* Not by handle: it may be lost on the host, or another one attached */
	req = vbpf_req_alloc_handle(VIRTIO_BPF_XDP_DETACH, 0);
	if (req)
		err = vbpf_req_run(vbpf, req);
	if (err && req)
		vbpf_set_extack(hook, req, err, bpf->extack);
	vbpf_req_put(req);

	if (err && bpf->extack && !READ_ONCE(vbpf->requestq.dead))
		return err;
	if (err)
		netdev_warn(hook->netdev,
			    "detached here, though the host may still run the program\n");
	vbpf->attached = 0;
	return 0;
}

/**
 * vbpf_setup_prog() - XDP_SETUP_PROG_HW
 * @hook: the netdev
 * @bpf: the kernel's command; no program means to detach
 *
 * While a program is attached, the netdev needs our ndo_bpf, also when the
 * device is gone: hence a reference to the module.
 *
 * Return: 0 or a negative errno, then with a sentence in the extack
 */
static int vbpf_setup_prog(struct vbpf_hook *hook, struct netdev_bpf *bpf)
{
	bool had = hook->xdp.prog;
	int err;

	if (!had && bpf->prog && !try_module_get(THIS_MODULE))
		return -ENODEV;
	err = bpf->prog ? vbpf_attach(hook, bpf) : vbpf_detach(hook, bpf);
	if (err) {
		if (!had && bpf->prog)
			module_put(THIS_MODULE);
		return err;
	}
	xdp_attachment_setup(&hook->xdp, bpf);
	if (had && !bpf->prog)
		module_put(THIS_MODULE);
	return 0;
}

/**
 * vbpf_ndo_bpf() - ndo_bpf of a netdev that is hooked
 * @netdev: the netdev
 * @bpf: the kernel's command
 *
 * Context: rtnl
 * Return: 0 or a negative errno
 */
static int vbpf_ndo_bpf(struct net_device *netdev, struct netdev_bpf *bpf)
{
	struct vbpf_hook *hook = vbpf_hook_find(netdev);

	ASSERT_RTNL();
	if (WARN_ON_ONCE(!hook))
		return -EOPNOTSUPP;
	switch (bpf->command) {
	case XDP_SETUP_PROG_HW:
		return vbpf_setup_prog(hook, bpf);
	case BPF_OFFLOAD_MAP_ALLOC:
		return hook->vbpf ? vbpf_map_alloc(hook->vbpf, bpf->offmap) :
				    -ENODEV;
	case BPF_OFFLOAD_MAP_FREE:
		vbpf_map_free(bpf->offmap);
		return 0;
	default:
		return hook->orig->ndo_bpf ? hook->orig->ndo_bpf(netdev, bpf) :
					     -EOPNOTSUPP;
	}
}

/**
 * vbpf_hook_add() - shadow a netdev's ops
 * @netdev: the netdev
 *
 * Return: the hook, or NULL where memory is short
 */
static struct vbpf_hook *vbpf_hook_add(struct net_device *netdev)
{
	struct vbpf_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL);

	if (!hook)
		return NULL;
	hook->netdev = netdev;
	hook->orig = netdev->netdev_ops;
	hook->ops = *hook->orig;
	hook->ops.ndo_bpf = vbpf_ndo_bpf;
	list_add(&hook->node, &vbpf_hooks);
	/* The packets' path reads it without a lock: the copy must be there */
	smp_store_release(&netdev->netdev_ops, &hook->ops);
	return hook;
}

/**
 * vbpf_hook_del() - give a netdev its own ops back
 * @hook: its hook, without device and program; freed
 */
static void vbpf_hook_del(struct vbpf_hook *hook)
{
	struct net_device *netdev = hook->netdev;

	/* Whoever shadowed the netdev after us may have copied our ndo_bpf,
	 * which is about to go: back to the start, then, for them, too.
	 */
	WARN_ON_ONCE(netdev->netdev_ops != &hook->ops);
	WRITE_ONCE(netdev->netdev_ops, hook->orig);
	list_del(&hook->node);
	/* Readers without rtnl: transmission, statistics, watchdog */
	synchronize_net();
	kfree(hook);
}

/**
 * vbpf_serves() - does a device serve a netdev?
 * @vbpf: the device
 * @netdev: the netdev
 *
 * The permanent address counts where there is one: a bond gives all its ports
 * the same address. net_failover's master has the parent of its standby.
 *
 * Return: true if it does
 */
static bool vbpf_serves(struct vbpf_dev *vbpf, struct net_device *netdev)
{
	struct device *parent = netdev->dev.parent;
	const u8 *addr = netdev->perm_addr;

	if (!parent || parent->bus != vbpf->vdev->dev.bus ||
	    netif_is_failover(netdev))
		return false;
	if (dev_to_virtio(parent)->id.device != VIRTIO_ID_NET)
		return false;
	if (is_zero_ether_addr(addr))
		addr = netdev->dev_addr;
	return ether_addr_equal_unaligned(addr, vbpf->mac);
}

/**
 * vbpf_pair() - begin to serve a netdev
 * @vbpf: a device that serves none
 * @netdev: the netdev
 */
static void vbpf_pair(struct vbpf_dev *vbpf, struct net_device *netdev)
{
	struct vbpf_hook *hook = vbpf_hook_find(netdev);
	int err;

	if (hook && hook->vbpf) {
		netdev_warn(netdev, "served by %s already, %s has the same address too: unused\n",
			    dev_name(&hook->vbpf->vdev->dev),
			    dev_name(&vbpf->vdev->dev));
		return;
	}
	err = bpf_offload_dev_netdev_register(vbpf->offdev, netdev);
	if (err)
		goto fail;
	if (!hook)
		hook = vbpf_hook_add(netdev);
	if (!hook) {
		bpf_offload_dev_netdev_unregister(vbpf->offdev, netdev);
		err = -ENOMEM;
		goto fail;
	}
	hook->vbpf = vbpf;
	vbpf->hook = hook;
	vbpf_announce_hw_offload(netdev, true);
	netdev_info(netdev, "XDP offload to the host by %s\n",
		    dev_name(&vbpf->vdev->dev));
	if (hook->xdp.prog)
		netdev_warn(netdev,
			    "its program is gone from the host, attach another or detach it\n");
	return;

fail:
	netdev_err(netdev, "no XDP offload, it could not be registered (%d)\n",
		   err);
}

/**
 * vbpf_unpair() - serve a netdev no more
 * @vbpf: the device
 *
 * The offload core lets go of all its programs and maps: they end here, and
 * nothing of @vbpf is used by it afterwards.
 */
static void vbpf_unpair(struct vbpf_dev *vbpf)
{
	struct vbpf_hook *hook = vbpf->hook;

	if (!hook)
		return;
	bpf_offload_dev_netdev_unregister(vbpf->offdev, hook->netdev);
	vbpf_announce_hw_offload(hook->netdev, false);
	hook->vbpf = NULL;
	vbpf->hook = NULL;
	vbpf->attached = 0;
	if (!hook->xdp.prog) {
		vbpf_hook_del(hook);
		return;
	}
	netdev_warn(hook->netdev, "the BPF device is gone and the attached XDP program with it\n");
}

/**
 * vbpf_find_netdev() - look in all network namespaces for the netdev to serve
 * @vbpf: the device
 *
 * Return: the netdev or NULL; rtnl keeps it
 */
static struct net_device *vbpf_find_netdev(struct vbpf_dev *vbpf)
{
	struct net_device *netdev;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		for_each_netdev(net, netdev) {
			if (vbpf_serves(vbpf, netdev)) {
				up_read(&net_rwsem);
				return netdev;
			}
		}
	}
	up_read(&net_rwsem);
	return NULL;
}

/**
 * vbpf_netdev_start() - pair a device, now or when its netdev appears
 * @vbpf: the device, ready for requests
 *
 * Context: takes rtnl
 */
void vbpf_netdev_start(struct vbpf_dev *vbpf)
{
	struct net_device *netdev;

	rtnl_lock();
	list_add_tail(&vbpf->node, &vbpf_devs);
	netdev = vbpf_find_netdev(vbpf);
	if (netdev)
		vbpf_pair(vbpf, netdev);
	else
		dev_info(&vbpf->vdev->dev,
			 "waiting for a virtio-net device with address %pM\n",
			 vbpf->mac);
	rtnl_unlock();
}

/**
 * vbpf_netdev_stop() - pair a device no more
 * @vbpf: the device, whose requests fail by now
 *
 * Context: takes rtnl
 */
void vbpf_netdev_stop(struct vbpf_dev *vbpf)
{
	rtnl_lock();
	list_del_init(&vbpf->node);
	vbpf_unpair(vbpf);
	rtnl_unlock();
}

/**
 * vbpf_netdev_resync() - make the host attach what the kernel holds attached
 * @vbpf: the device
 *
 * For when an attach or a detach was carried out after its time: the user was
 * told that it failed, and the program attached before, if any, still counts.
 *
 * Context: takes rtnl
 */
void vbpf_netdev_resync(struct vbpf_dev *vbpf)
{
	rtnl_lock();
	vbpf_post_handle(vbpf, vbpf->attached ? VIRTIO_BPF_XDP_ATTACH :
						VIRTIO_BPF_XDP_DETACH,
			 vbpf->attached);
	rtnl_unlock();
}

/**
 * vbpf_netdev_release_all() - make all devices free what they hold
 *
 * Context: takes rtnl
 */
void vbpf_netdev_release_all(void)
{
	struct vbpf_dev *vbpf;

	rtnl_lock();
	list_for_each_entry(vbpf, &vbpf_devs, node)
		vbpf_release(vbpf);
	rtnl_unlock();
}

/**
 * vbpf_netdev_cleanup() - give back all ops, as the module goes
 *
 * Context: takes rtnl; no device is left
 */
void vbpf_netdev_cleanup(void)
{
	struct vbpf_hook *hook, *next;

	rtnl_lock();
	list_for_each_entry_safe(hook, next, &vbpf_hooks, node)
		vbpf_hook_del(hook);
	rtnl_unlock();
}

/**
 * vbpf_netdev_appeared() - pair the device, if any, that serves a new netdev
 * @netdev: the netdev
 */
static void vbpf_netdev_appeared(struct net_device *netdev)
{
	struct vbpf_dev *vbpf;

	list_for_each_entry(vbpf, &vbpf_devs, node) {
		if (!vbpf->hook && vbpf_serves(vbpf, netdev)) {
			vbpf_pair(vbpf, netdev);
			return;
		}
	}
}

/**
 * vbpf_netdev_vanishes() - unpair a netdev for good
 * @netdev: the netdev; the kernel has detached its program
 */
static void vbpf_netdev_vanishes(struct net_device *netdev)
{
	struct vbpf_hook *hook = vbpf_hook_find(netdev);

	if (!hook)
		return;
	if (hook->vbpf)
		vbpf_unpair(hook->vbpf);
	else
		vbpf_hook_del(hook);
}

/**
 * vbpf_netdev_event() - a netdev came or goes
 * @nb: vbpf_netdev_notifier
 * @event: NETDEV_*
 * @info: what tells the netdev
 *
 * A netdev that moves to another namespace, and any netdev when a notifier goes,
 * is said to unregister, too, but is not unregistering.
 *
 * Context: rtnl
 * Return: NOTIFY_DONE
 */
static int vbpf_netdev_event(struct notifier_block *nb, unsigned long event,
			     void *info)
{
	struct net_device *netdev = netdev_notifier_info_to_dev(info);

	if (event == NETDEV_REGISTER && !vbpf_hook_find(netdev))
		vbpf_netdev_appeared(netdev);
	else if (event == NETDEV_UNREGISTER &&
		 netdev->reg_state == NETREG_UNREGISTERING)
		vbpf_netdev_vanishes(netdev);
	return NOTIFY_DONE;
}

struct notifier_block vbpf_netdev_notifier = {
	.notifier_call = vbpf_netdev_event,
};
