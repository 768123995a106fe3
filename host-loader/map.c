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
 * map_create() - create a map for a tenant
 * @port: the port
 * @def: what the tenant asks for, checked for form
 * @out: set to the map, which the port owns
 * @why: a sentence if there is none
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
