/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOAD_H
#define LOAD_H
#include "port.h"

int load_prog(struct port *port, struct wire_prog *src, struct prog **out, struct text *log);
bool load_fits(const struct port *port, const struct prog *prog, uint32_t tap_ifindex);
int load_again(struct port *port, struct prog *prog, uint32_t tap_ifindex, struct text *log);
int load_free(struct port *port, uint32_t handle, struct text *why);
long load_last_insn(const char *log);

#endif /* LOAD_H */
