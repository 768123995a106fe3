/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOADER_H
#define LOADER_H
#include "forkserver.h"
#include "norm.h"
#include "port.h"

struct server;
struct control;
struct watch;

/**
 * struct loader - the daemon
 * @path: of the configuration file
 * @conf: the configuration
 * @norm: the host's own programs, which all ports share
 * @forkserver: makes workers for level relaxed; none if no port is relaxed
 * @walks_on: as in struct rw_opts, of this kernel
 * @ports: one for each of @conf.ports, in the same order; owned, each for itself,
 *         so that it stays where it is when others come and go
 * @event: the event loop
 * @server: the proxies' side
 * @control: the operator's side
 * @watch: what tells of changes to the host's interfaces
 */
struct loader {
	const char *path;
	struct conf conf;
	struct norm norm;
	struct forkserver forkserver;
	bool walks_on;
	struct port **ports;
	sd_event *event;
	struct server *server;
	struct control *control;
	struct watch *watch;
};

#endif /* LOADER_H */
