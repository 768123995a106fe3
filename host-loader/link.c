// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "link.h"
#include "log.h"
#include "store.h"

/**
 * link_drop() - take one link out of the path
 * @port: the port
 * @fd: of the link, or -1; set to -1
 * @name: of its pin
 *
 * Detached first, so that a second holder of the link cannot keep it working.
 */
void link_drop(struct port *port, int *fd, const char *name)
{
	int err;

	if (*fd < 0)
		return;
	err = bpf_link_detach(*fd);
	if (err && err != -ENOLINK)
		log_msg(LOG_ERR, port->conf->name, "cannot detach the link \"%s\": %s", name,
			strerror(-err));
	store_unpin(port, name);
	port_close_fd(fd);
}

/**
 * link_make() - make a link and pin it
 * @port: the port
 * @prog_fd: the program
 * @ifindex: of the netdev
 * @hook: of the netdev
 * @fd: set to the link's
 * @name: of its pin
 *
 * Return: 0, or a negative errno
 */
int link_make(struct port *port, int prog_fd, uint32_t ifindex, enum kern_hook hook, int *fd,
	      const char *name)
{
	int err;

	*fd = kern_link_create(prog_fd, ifindex, hook);
	if (*fd < 0) {
		err = *fd;
		*fd = -1;
		return err;
	}
	err = store_pin(port, name, *fd);
	if (err)
		link_drop(port, fd, name);
	return err;
}

/**
 * link_get() - open what a daemon before this one pinned
 * @port: the port
 * @name: of the pin; one that cannot be opened is removed, lest it be in the
 *        way, unless it could be at another time
 *
 * Return: the fd, or a negative errno
 */
int link_get(struct port *port, const char *name)
{
	int fd = store_get(port, name);

	if (fd < 0 && fd != -ENOENT && !store_is_short(fd)) {
		log_msg(LOG_ERR, port->conf->name, "%s/%s is unusable and removed: %s", port->dir,
			name, strerror(-fd));
		store_unpin(port, name);
	}
	return fd;
}

/**
 * link_on() - is a link at this netdev?
 * @fd: of the link, or -1
 * @ifindex: of the netdev
 *
 * Return: whether it is
 */
bool link_on(int fd, uint32_t ifindex)
{
	struct kern_link info;

	return fd >= 0 && !kern_link_info(fd, &info) && info.ifindex == ifindex;
}
