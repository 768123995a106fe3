// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Maps
 *
 * An offloaded map is on the host alone, and each operation on an element is
 * one request. A refusal to create one reaches the user as a number, since the
 * kernel has neither log nor extack there: the guest's log says why.
 *
 * libbpf first tries a map with its BTF. The kernel refuses that for all
 * offloaded maps, but only after the map was created here, so such a map is
 * created, freed and created again.
 */
#include <linux/bpf.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "virtio_bpf_drv.h"

/* Flags that bind the file descriptors alone: the kernel sees to them */
#define VBPF_MAP_FD_FLAGS (BPF_F_RDONLY | BPF_F_WRONLY)

/**
 * struct vbpf_map - an offloaded map
 * @node: in &vbpf_dev.maps; maps_lock
 * @vbpf: its device
 * @map: the kernel's side of it
 * @handle: on the device
 */
struct vbpf_map {
	struct list_head node;
	struct vbpf_dev *vbpf;
	const struct bpf_map *map;
	u32 handle;
};

/**
 * vbpf_map_handle() - the handle of a map
 * @vbpf: the device
 * @map: a map, whether of this device or not
 *
 * Return: the handle, or 0 where the map is not offloaded to the device
 */
u32 vbpf_map_handle(struct vbpf_dev *vbpf, const struct bpf_map *map)
{
	struct vbpf_map *priv;
	u32 handle = 0;

	mutex_lock(&vbpf->maps_lock);
	list_for_each_entry(priv, &vbpf->maps, node) {
		if (priv->map == map) {
			handle = priv->handle;
			break;
		}
	}
	mutex_unlock(&vbpf->maps_lock);
	return handle;
}

/**
 * vbpf_map_elem() - run a request about one element
 * @offmap: the map
 * @type: VIRTIO_BPF_MAP_LOOKUP, _UPDATE, _DELETE or _GET_NEXT
 * @key: the key, or NULL
 * @value: the value, for _UPDATE; or NULL
 * @flags: for _UPDATE
 * @answer: where the response's body goes, or NULL
 * @answer_len: its bytes
 *
 * Return: 0 or a negative errno
 */
static int vbpf_map_elem(struct bpf_offloaded_map *offmap, u32 type,
			 const void *key, const void *value, u64 flags,
			 void *answer, size_t answer_len)
{
	u32 key_size = key ? offmap->map.key_size : 0;
	u32 value_size = value ? offmap->map.value_size : 0;
	struct vbpf_map *priv = offmap->dev_priv;
	struct virtio_bpf_map_elem *body;
	struct vbpf_req *req;
	int err;

	req = vbpf_req_alloc(type, sizeof(*body), (size_t)key_size + value_size,
			     answer_len, 0);
	if (!req)
		return -ENOMEM;
	body = vbpf_req_body(req);
	body->handle = cpu_to_le32(priv->handle);
	body->key_size = cpu_to_le32(key_size);
	body->value_size = cpu_to_le32(value_size);
	body->flags = cpu_to_le64(flags);
	if (key)
		memcpy(body + 1, key, key_size);
	if (value)
		memcpy((void *)(body + 1) + key_size, value, value_size);

	err = vbpf_req_run(priv->vbpf, req);
	if (!err && answer)
		memcpy(answer, vbpf_resp_body(req), answer_len);
	vbpf_req_put(req);
	return err;
}

/**
 * vbpf_map_lookup() - look an element up
 * @offmap: the map
 * @key: its key
 * @value: where the value goes
 *
 * Return: 0, -ENOENT or another negative errno
 */
static int vbpf_map_lookup(struct bpf_offloaded_map *offmap, void *key,
			   void *value)
{
	return vbpf_map_elem(offmap, VIRTIO_BPF_MAP_LOOKUP, key, NULL, 0, value,
			     offmap->map.value_size);
}

/**
 * vbpf_map_update() - add or replace an element
 * @offmap: the map
 * @key: its key
 * @value: its value
 * @flags: BPF_ANY, BPF_NOEXIST or BPF_EXIST
 *
 * Return: 0 or a negative errno
 */
static int vbpf_map_update(struct bpf_offloaded_map *offmap, void *key,
			   void *value, u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	return vbpf_map_elem(offmap, VIRTIO_BPF_MAP_UPDATE, key, value, flags,
			     NULL, 0);
}

/**
 * vbpf_map_delete() - delete an element
 * @offmap: the map
 * @key: its key
 *
 * Return: 0, -ENOENT, -EINVAL for an array, or another negative errno
 */
static int vbpf_map_delete(struct bpf_offloaded_map *offmap, void *key)
{
	if (offmap->map.map_type == BPF_MAP_TYPE_ARRAY)
		return -EINVAL;
	return vbpf_map_elem(offmap, VIRTIO_BPF_MAP_DELETE, key, NULL, 0, NULL, 0);
}

/**
 * vbpf_map_get_next() - walk the keys of a map
 * @offmap: the map
 * @key: a key, or NULL for the first one; so is a key that is not there
 * @next: where the key after it goes
 *
 * The keys of an array are its indices: the host is not asked.
 *
 * Return: 0, -ENOENT after the last key, or another negative errno
 */
static int vbpf_map_get_next(struct bpf_offloaded_map *offmap, void *key,
			     void *next)
{
	const struct bpf_map *map = &offmap->map;
	u32 index;

	if (map->map_type != BPF_MAP_TYPE_ARRAY)
		return vbpf_map_elem(offmap, VIRTIO_BPF_MAP_GET_NEXT, key, NULL,
				     0, next, map->key_size);

	index = key ? *(u32 *)key : U32_MAX;
	if (index >= map->max_entries) {
		*(u32 *)next = 0;
		return 0;
	}
	if (index == map->max_entries - 1)
		return -ENOENT;
	*(u32 *)next = index + 1;
	return 0;
}

static const struct bpf_map_dev_ops vbpf_map_ops = {
	.map_get_next_key	= vbpf_map_get_next,
	.map_lookup_elem	= vbpf_map_lookup,
	.map_update_elem	= vbpf_map_update,
	.map_delete_elem	= vbpf_map_delete,
};

/**
 * vbpf_map_check() - look whether a map can be asked for at all
 * @vbpf: the device
 * @map: the map
 * @why: where the sentence goes, of static lifetime
 *
 * The kernel lets more pass than it seems: flags and sizes that its own maps
 * would refuse come here unseen.
 *
 * Return: 0 or a negative errno with a sentence
 */
static int vbpf_map_check(const struct vbpf_dev *vbpf,
			  const struct bpf_map *map, const char **why)
{
	const struct vbpf_limits *limits = &vbpf->limits;
	u32 flags = map->map_flags & ~VBPF_MAP_FD_FLAGS;

	if (!virtio_has_feature(vbpf->vdev, VIRTIO_BPF_F_MAPS)) {
		*why = "the BPF device has no maps";
		return -EOPNOTSUPP;
	}
	if ((map->map_type != BPF_MAP_TYPE_ARRAY &&
	     map->map_type != BPF_MAP_TYPE_HASH) ||
	    !(limits->map_types & BIT(map->map_type))) {
		*why = "maps of this type cannot be offloaded";
		return -EOPNOTSUPP;
	}
	if (map->map_type == BPF_MAP_TYPE_HASH)
		flags &= ~BPF_F_NO_PREALLOC;
	if (flags) {
		*why = "a flag of the map cannot be offloaded";
		return -EINVAL;
	}
	if (map->map_type == BPF_MAP_TYPE_ARRAY && map->key_size != sizeof(u32)) {
		*why = "an array has keys of 4 bytes";
		return -EINVAL;
	}
	if (!map->key_size || map->key_size > limits->max_key_size) {
		*why = "the host does not take keys of this size";
		return map->key_size ? -E2BIG : -EINVAL;
	}
	if (!map->value_size || map->value_size > limits->max_value_size) {
		*why = "the host does not take values of this size";
		return map->value_size ? -E2BIG : -EINVAL;
	}
	if (!map->max_entries || map->max_entries > limits->max_entries) {
		*why = "the host does not take so many entries";
		return map->max_entries ? -E2BIG : -EINVAL;
	}
	return 0;
}

/**
 * vbpf_map_create() - create a map on the host
 * @vbpf: the device
 * @offmap: the map, checked
 * @handle: where its handle goes
 *
 * Return: 0 or a negative errno, then with a sentence in the guest's log
 */
static int vbpf_map_create(struct vbpf_dev *vbpf,
			   struct bpf_offloaded_map *offmap, u32 *handle)
{
	const struct bpf_map *map = &offmap->map;
	struct virtio_bpf_map_create *body;
	struct virtio_bpf_handle *created;
	struct vbpf_req *req;
	int err;

	req = vbpf_req_alloc(VIRTIO_BPF_MAP_CREATE, sizeof(*body), 0,
			     sizeof(*created), VBPF_SENTENCE);
	if (!req)
		return -ENOMEM;
	body = vbpf_req_body(req);
	body->map_type = cpu_to_le32(map->map_type);
	body->key_size = cpu_to_le32(map->key_size);
	body->value_size = cpu_to_le32(map->value_size);
	body->max_entries = cpu_to_le32(map->max_entries);
	body->map_flags = cpu_to_le32(map->map_flags & ~VBPF_MAP_FD_FLAGS);
	vbpf_copy_name(body->name, map->name);

	err = vbpf_req_run(vbpf, req);
	if (!err) {
		created = vbpf_resp_body(req);
		*handle = le32_to_cpu(READ_ONCE(created->handle));
		if (!*handle)
			err = -EIO;
	}
	if (err)
		vbpf_warn(vbpf, offmap->netdev, "map not created: %s\n",
			  vbpf_req_sentence(req, err));
	vbpf_req_put(req);
	return err;
}

/**
 * vbpf_map_alloc() - BPF_OFFLOAD_MAP_ALLOC
 * @vbpf: the device
 * @offmap: the map
 *
 * Return: 0 or a negative errno, then with a sentence in the guest's log
 */
int vbpf_map_alloc(struct vbpf_dev *vbpf, struct bpf_offloaded_map *offmap)
{
	const struct bpf_map *map = &offmap->map;
	struct vbpf_map *priv;
	const char *why;
	int err;

	err = vbpf_map_check(vbpf, map, &why);
	if (err) {
		vbpf_warn(vbpf, offmap->netdev,
			  "map (type %u key %u value %u entries %u flags %#x) not created: %s\n",
			  map->map_type, map->key_size, map->value_size,
			  map->max_entries, map->map_flags, why);
		return err;
	}
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	if (!priv) {
		err = -ENOMEM;
		goto err_put;
	}
	err = vbpf_map_create(vbpf, offmap, &priv->handle);
	if (err)
		goto err_free;
	priv->vbpf = vbpf;
	priv->map = map;
	mutex_lock(&vbpf->maps_lock);
	list_add_tail(&priv->node, &vbpf->maps);
	mutex_unlock(&vbpf->maps_lock);
	offmap->dev_priv = priv;
	offmap->dev_ops = &vbpf_map_ops;
	return 0;

err_free:
	kfree(priv);
err_put:
	module_put(THIS_MODULE);
	return err;
}

/**
 * vbpf_map_free() - BPF_OFFLOAD_MAP_FREE
 * @offmap: the map
 *
 * Programs that use it may still be there: the host keeps the map for them.
 */
void vbpf_map_free(struct bpf_offloaded_map *offmap)
{
	struct vbpf_map *priv = offmap->dev_priv;
	struct vbpf_dev *vbpf = priv->vbpf;

	mutex_lock(&vbpf->maps_lock);
	list_del(&priv->node);
	mutex_unlock(&vbpf->maps_lock);
	vbpf_post_handle(vbpf, VIRTIO_BPF_MAP_FREE, priv->handle);
	kfree(priv);
	module_put(THIS_MODULE);
}
