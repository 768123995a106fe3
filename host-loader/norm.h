/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NORM_H
#define NORM_H
#include <stdint.h>

#include "datapath.h"
#include "text.h"

#define NORM_NETDEVS	3	/* of a port: its TAP and the ends of its pair */

struct datapath;

/**
 * struct norm - the host's own programs, loaded; free with norm_free()
 * @skel: holds them; NULL before norm_load()
 * @normalise: fd of the program for a TAP's egress
 * @out: fd of the program for the egress of a pair's end that packets go into
 * @in: fd of the program for the ingress of its other end
 * @ports: fd of the map from netdevs to ports' maps
 */
struct norm {
	struct datapath *skel;
	int normalise;
	int out;
	int in;
	int ports;
};

int norm_load(struct norm *norm, size_t ports, struct text *why);
void norm_free(struct norm *norm);
int norm_port_new(void);
int norm_port_check(int port);
int norm_set(int port, enum norm_slot slot, uint32_t value);
int norm_bind(const struct norm *norm, int port, const uint32_t *ifindexes, uint32_t cnt);
void norm_unbind(const struct norm *norm, const uint32_t *ifindexes, uint32_t cnt);

#endif /* NORM_H */
