// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A guest's maps: handles, fds, elements
 *
 * The loader makes the maps and hands their fds over; since then the proxy
 * looks elements up, changes and deletes them by itself, which takes an fd and
 * no privilege (Linux 5.19 and later). So a `bpftool map dump` in a guest keeps
 * nobody else on the host busy, and works while the loader is being restarted.
 */
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "maps.h"

/**
 * find() - look up a map
 * @m: the maps
 * @handle: any number
 *
 * Return: the map, or NULL
 */
static const struct map *find(const struct maps *m, uint32_t handle)
{
	for (unsigned int i = 0; i < m->cnt; i++)
		if (m->slot[i].handle == handle)
			return &m->slot[i];
	return NULL;
}

/**
 * maps_has() - whether there is a map with a handle
 * @m: the maps
 * @handle: any number
 *
 * Return: true if so
 */
bool maps_has(const struct maps *m, uint32_t handle)
{
	return find(m, handle);
}

/**
 * maps_add() - add a map that the loader handed over
 * @m: the maps
 * @what: what the loader says of it
 * @fd: the map's; owned by @m if all goes well, else still the caller's
 *
 * The kernel is asked whether the sizes are right: they decide how much the
 * kernel writes into our memory.
 *
 * Return: 0; -EINVAL if the map is not what @what says, or beyond the
 * protocol's limits; -EEXIST for a handle in use; -ENOSPC beyond MAPS_MAX maps;
 * or the kernel's -errno
 */
int maps_add(struct maps *m, const struct vbpf_map *what, int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	struct map map = {
		.handle = le32toh(what->handle),
		.fd = fd,
		.key_size = le32toh(what->key_size),
		.value_size = le32toh(what->value_size),
	};

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (!map.handle || what->reserved ||
	    (info.type != BPF_MAP_TYPE_HASH && info.type != BPF_MAP_TYPE_ARRAY) ||
	    info.type != le32toh(what->map_type) ||
	    info.key_size != map.key_size || info.value_size != map.value_size ||
	    info.max_entries != le32toh(what->max_entries) ||
	    map.key_size > VIRTIO_BPF_MAX_KEY_SIZE ||
	    map.value_size > VIRTIO_BPF_MAX_VALUE_SIZE)
		return -EINVAL;
	if (find(m, map.handle))
		return -EEXIST;
	if (m->cnt == MAPS_MAX)
		return -ENOSPC;
	m->slot[m->cnt++] = map;
	return 0;
}

/**
 * maps_remove() - forget a map
 * @m: the maps
 * @handle: of the map; one that is not there is no error
 */
void maps_remove(struct maps *m, uint32_t handle)
{
	const struct map *map = find(m, handle);

	if (!map)
		return;
	close(map->fd);
	m->slot[map - m->slot] = m->slot[--m->cnt];
}

/**
 * maps_clear() - forget all maps
 * @m: the maps
 */
void maps_clear(struct maps *m)
{
	while (m->cnt)
		close(m->slot[--m->cnt].fd);
}

/**
 * sizes_ok() - whether a request fits its map
 * @map: the map
 * @rq: the request
 * @key: bytes of key in it
 * @value: bytes of value in it
 *
 * Return: true if the sizes are the map's, and the answer has room
 */
static bool sizes_ok(const struct map *map, const struct request *rq, size_t key, size_t value)
{
	size_t room = rq->room - sizeof(struct virtio_bpf_resp_hdr);

	switch (rq->type) {
	case VIRTIO_BPF_MAP_LOOKUP:
		return key == map->key_size && room >= map->value_size;
	case VIRTIO_BPF_MAP_UPDATE:
		return key == map->key_size && value == map->value_size;
	case VIRTIO_BPF_MAP_GET_NEXT:
		return (key == 0 || key == map->key_size) && room >= map->key_size;
	default:
		return key == map->key_size;
	}
}

/**
 * maps_element() - do a request for one element
 * @m: the maps
 * @rq: a request that request_decode() found good and request_is_element()
 * @buf: VIRTIO_BPF_MAX_VALUE_SIZE bytes, for a value or a key
 * @r: the reply, filled; its body points into @buf
 */
void maps_element(const struct maps *m, const struct request *rq, void *buf, struct reply *r)
{
	const struct virtio_bpf_map_elem *b = rq->body;
	const struct map *map = find(m, le32toh(b->handle));
	size_t key_size = le32toh(b->key_size), len = 0;
	const unsigned char *key = (const void *)(b + 1);
	int err;

	memset(r, 0, sizeof(*r));
	if (!map) {
		r->status = VIRTIO_BPF_S_BADF;
		return;
	}
	if (!sizes_ok(map, rq, key_size, le32toh(b->value_size))) {
		r->status = VIRTIO_BPF_S_INVAL;
		return;
	}
	switch (rq->type) {
	case VIRTIO_BPF_MAP_LOOKUP:
		err = bpf_map_lookup_elem(map->fd, key, buf);
		len = map->value_size;
		break;
	case VIRTIO_BPF_MAP_UPDATE:
		err = bpf_map_update_elem(map->fd, key, key + key_size, le64toh(b->flags));
		break;
	case VIRTIO_BPF_MAP_DELETE:
		err = bpf_map_delete_elem(map->fd, key);
		break;
	default:
		err = bpf_map_get_next_key(map->fd, key_size ? key : NULL, buf);
		len = map->key_size;
		break;
	}
	if (err) {
		r->status = status_of_errno(errno);
		return;
	}
	if (len) {
		r->body = buf;
		r->body_len = len;
	}
}
