/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MAPS_H
#define MAPS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"
#include "vbpf_loader.h"

/* Maps of one VM, whatever the loader says: the table of fds has an end. */
#define MAPS_MAX	512

/**
 * struct map - one map of the guest
 * @handle: as the guest knows it; 0 in an unused slot
 * @fd: of the map; owned
 * @key_size: bytes
 * @value_size: bytes
 */
struct map {
	uint32_t handle;
	int fd;
	uint32_t key_size;
	uint32_t value_size;
};

/**
 * struct maps - the maps of one guest
 * @slot: the maps, in no order
 * @cnt: number of slots in use, which are the first ones
 *
 * Starts out all zero; maps_clear() frees what it holds.
 */
struct maps {
	struct map slot[MAPS_MAX];
	unsigned int cnt;
};

int maps_add(struct maps *m, const struct vbpf_map *what, int fd);
bool maps_has(const struct maps *m, uint32_t handle);
void maps_remove(struct maps *m, uint32_t handle);
void maps_clear(struct maps *m);
void maps_element(const struct maps *m, const struct request *rq, void *buf, struct reply *r);

#endif /* MAPS_H */
