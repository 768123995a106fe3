/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOADER_H
#define LOADER_H
#include "norm.h"
#include "port.h"

struct server;
struct control;

/**
 * struct loader - the daemon
 * @conf: the configuration
 * @norm: the host's own programs, which all ports share
 * @ports: one for each of @conf.ports, in the same order; an owned array
 * @event: the event loop
 * @server: the proxies' side
 * @control: the operator's side
 */
struct loader {
	struct conf conf;
	struct norm norm;
	struct port *ports;
	sd_event *event;
	struct server *server;
	struct control *control;
};

#endif /* LOADER_H */
