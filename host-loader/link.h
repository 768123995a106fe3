/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LINK_H
#define LINK_H
#include "kern.h"
#include "port.h"

int link_make(struct port *port, int prog_fd, uint32_t ifindex, enum kern_hook hook, int *fd,
	      const char *name);
void link_drop(struct port *port, int *fd, const char *name);
int link_get(struct port *port, const char *name);
bool link_on(int fd, uint32_t ifindex);

#endif /* LINK_H */
