/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVER_H
#define SERVER_H
#include "loader.h"

int server_start(struct loader *loader, struct text *why);
void server_stop(struct loader *loader);
void server_add(struct loader *loader, struct port *port);
void server_drop(struct port *port, const char *reason);
void server_recheck(struct port *port);
bool server_event(struct port *port, uint32_t type, uint32_t handle, const char *sentence);
pid_t server_proxy_pid(const struct port *port);

#endif /* SERVER_H */
