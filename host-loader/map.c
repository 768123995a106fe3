// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kern.h"
#include "log.h"
#include "map.h"
#include "store.h"

/**
 * map_weigh() - how much kernel memory a map took, and may it?
 * @port: the port; does not have the map yet
 * @map: the map; what it counts for is set
 * @why: a sentence if it may not
 *
 * Return: 0, or a negative errno with @why
 */
static int map_weigh(const struct port *port, struct map *map, struct text *why)
{
	int err = kern_map_bytes(map->fd, &map->bytes);

	if (!err)
		return port_admit_bytes(port, map->bytes, why);
	log_msg(LOG_ERR, port->conf->name, "cannot read the size of a map in /proc: %s",
		strerror(-err));
	text_add(why, "the host cannot tell the map's size\n");
	return -EIO;
}

/**
 * map_create() - create a map for a tenant
 * @port: the port
 * @def: what the tenant asks for, checked for form
 * @out: set to the map, which the port owns
 * @why: a sentence if there is none
 *
 * What the kernel takes for a map is known when it is there: one that turns out
 * too large is closed again. It was then too large by what the kernel has per
 * CPU, one element and 40 bytes, and by 2 KiB at most: the rest was known.
 *
 * Return: 0, or a negative errno with @why
 */
int map_create(struct port *port, const struct wire_map *def, struct map **out,
	       struct text *why)
{
	struct map *map;
	uint64_t bytes;
	int err = port_admit_map(port, def, &bytes, why);

	if (err)
		return err;
	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	map->def = *def;
	map->bytes = bytes;
	map->fd = kern_map_create(def);
	if (map->fd < 0) {
		err = map->fd;
		text_add(why, "the host's kernel refused the map: %s\n",
			 strerror(-err));
		free(map);
		return err == -EPERM ? -EIO : err;
	}
	err = map_weigh(port, map, why);
	if (err) {
		close(map->fd);
		free(map);
		return err;
	}
	err = store_handle(port, &map->handle);
	if (!err)
		err = store_map(port, map);
	if (err) {
		log_msg(LOG_ERR, port->conf->name, "cannot keep a map in %s: %s", port->dir,
			strerror(-err));
		text_add(why, "the host cannot keep the map\n");
		close(map->fd);
		free(map);
		return -EIO;
	}
	port_add_map(port, map);
	*out = map;
	return 0;
}

/**
 * map_free() - free a tenant's map
 * @port: the port
 * @handle: of the map; not valid any more afterwards
 * @why: a sentence if it could not be freed
 *
 * Return: 0, or a negative errno with @why
 */
int map_free(struct port *port, uint32_t handle, struct text *why)
{
	struct map *map = port_map(port, handle);
	int err;

	if (!map) {
		text_add(why, "no map has the handle %u\n", handle);
		return -EBADF;
	}
	if (map->users) {
		err = store_map_gone(port, map);
		if (err) {
			log_msg(LOG_ERR, port->conf->name, "cannot rename map %u in %s: %s",
				handle, port->dir, strerror(-err));
			text_add(why, "the host cannot let go of the map\n");
			return -EIO;
		}
		map->gone = true;
		return 0;
	}
	store_drop_map(port, map);
	port_del_map(port, map);
	return 0;
}

/**
 * map_sweep() - drop the maps that are gone and that no program uses any more
 * @port: the port
 */
void map_sweep(struct port *port)
{
	struct map *map, *next;

	for (map = TAILQ_FIRST(&port->maps); map; map = next) {
		next = TAILQ_NEXT(map, node);
		if (!map->gone || map->users)
			continue;
		store_drop_map(port, map);
		port_del_map(port, map);
	}
}
