/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TURN_H
#define TURN_H
#include "loader.h"

uint32_t turn_reach(const struct port *port, const struct prog *prog);
int turn_prepare(struct port *port, uint32_t tap, uint32_t reach);
int turn_widen(struct port *port, uint32_t tap, uint32_t reach);
int turn_narrow(struct port *port, uint32_t tap, uint32_t reach);
void turn_drop(struct port *port);
void turn_recover(struct port *port, uint32_t tap);
bool turn_ready(const struct port *port);
void turn_sweep(const struct loader *loader);

#endif /* TURN_H */
