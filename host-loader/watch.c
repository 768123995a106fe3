// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: TAPs that go while a program is attached
 *
 * A TAP that is deleted takes its links out of the path; one that is renamed, or
 * moved to another network namespace, is not the port's TAP any more, though its
 * links stay. Either way the program is detached and the guest is told, so that
 * it does not believe in a filter that is not there.
 *
 * The kernel's news of interfaces (rtnetlink) is used as a bell and not read:
 * whenever it rings, each attached program's link is looked up. So there is
 * nothing to parse, and news that was lost for lack of room does no harm.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach.h"
#include "log.h"
#include "server.h"
#include "watch.h"

#define WATCH_USEC	500000	/* in which there are at most */
#define WATCH_TIMES	5	/* looks at the ports */
#define WATCH_ROUND	64	/* messages that are thrown away in between */

/**
 * struct watch - the bell
 * @fd: netlink socket
 * @io: its event source
 */
struct watch {
	int fd;
	sd_event_source *io;
};

/**
 * watch_look() - has a port's TAP gone from under its program?
 * @port: the port
 */
static void watch_look(struct port *port)
{
	uint32_t handle = port->attached ? port->attached->handle : 0;

	if (!handle || attach_in_place(port))
		return;
	log_msg(LOG_WARNING, port->conf->name,
		"the TAP %s was deleted, renamed or moved: program %u is detached",
		port->conf->tap, handle);
	attach_drop(port);
	server_event(port, VIRTIO_BPF_EVENT_DETACHED, handle,
		     "the host's TAP of this device has gone: the program is detached");
}

/**
 * watch_ring() - some interface has changed
 * @source: the event source
 * @fd: the netlink socket
 * @revents: what happened
 * @user: the daemon
 *
 * Return: 0
 */
static int watch_ring(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct loader *loader = user;
	char byte;

	(void)source;
	(void)revents;
	for (int i = 0; i < WATCH_ROUND; i++)
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			break;
	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		watch_look(loader->ports[i]);
	return 0;
}

/**
 * watch_start() - watch the TAPs
 * @loader: the daemon; its ports are there
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
int watch_start(struct loader *loader, struct text *why)
{
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct watch *watch = calloc(1, sizeof(*watch));
	int err = -ENOMEM;

	if (!watch)
		goto fail;
	loader->watch = watch;
	watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (watch->fd < 0 || bind(watch->fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		goto fail;
	}
	err = sd_event_add_io(loader->event, &watch->io, watch->fd, EPOLLIN, watch_ring, loader);
	if (err >= 0)
		err = sd_event_source_set_ratelimit(watch->io, WATCH_USEC, WATCH_TIMES);
	if (err < 0)
		goto fail;
	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		watch_look(loader->ports[i]);
	return 0;
fail:
	text_add(why, "cannot watch the host's interfaces: %s\n", strerror(-err));
	return err;
}

/**
 * watch_stop() - stop watching
 * @loader: the daemon
 */
void watch_stop(struct loader *loader)
{
	struct watch *watch = loader->watch;

	if (!watch)
		return;
	sd_event_source_disable_unref(watch->io);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
	loader->watch = NULL;
}
