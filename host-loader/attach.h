/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ATTACH_H
#define ATTACH_H
#include "port.h"

int attach_set(struct port *port, uint32_t handle, struct text *why);
int attach_clear(struct port *port, uint32_t handle, struct text *why);
void attach_drop(struct port *port);
int attach_recover(struct port *port);
bool attach_in_place(const struct port *port);
bool attach_running(const struct port *port);

#endif /* ATTACH_H */
