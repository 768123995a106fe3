/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOAD_H
#define LOAD_H
#include "port.h"

int load_start(struct port *port, struct wire_prog *src, struct text *log);
int load_start_again(struct port *port, uint32_t handle, struct text *log);
int load_finish(struct port *port, struct prog **out, struct text *log);
void load_cancel(struct port *port);
bool load_fits(const struct port *port, const struct prog *prog, uint32_t tap_ifindex);
int load_free(struct port *port, uint32_t handle, struct text *why);

#endif /* LOAD_H */
