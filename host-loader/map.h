/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MAP_H
#define MAP_H
#include "port.h"

int map_create(struct port *port, const struct wire_map *def, struct map **out,
	       struct text *why);
int map_free(struct port *port, uint32_t handle, struct text *why);
void map_sweep(struct port *port);

#endif /* MAP_H */
