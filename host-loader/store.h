/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_H
#define STORE_H
#include "port.h"

/* Names of a port's links in its folder */
#define STORE_NORM	"norm"		/* the normaliser's link */
#define STORE_LINK	"link"		/* the tenant's link */
#define STORE_STATE	"norm-state"	/* the port's map for the host's own programs */
#define STORE_PAIR_OUT	"pair-out"	/* link at the veth pair's end that packets go into */
#define STORE_PAIR_IN	"pair-in"	/* link at its other end */

int store_handle(struct port *port, uint32_t *handle);
int store_map(struct port *port, const struct map *map);
int store_map_gone(struct port *port, const struct map *map);
void store_drop_map(struct port *port, const struct map *map);
int store_prog(struct port *port, const struct prog *prog);
void store_drop_prog(struct port *port, const struct prog *prog);
int store_pin(struct port *port, const char *name, int fd);
int store_get(struct port *port, const char *name);
void store_unpin(struct port *port, const char *name);
void store_clear(struct port *port);
bool store_is_short(int err);
int store_recover(struct port *port);

int store_open(const char *bpffs, struct text *why);
void store_report(const char *bpffs, const struct conf *conf);

#endif /* STORE_H */
