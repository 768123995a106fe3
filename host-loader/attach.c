// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A tenant's program at the TAP
 *
 * Two tcx links at the TAP's egress: the normaliser's, made first, and the
 * tenant's behind it. To replace the tenant's program is to update its link:
 * there is no moment without a program, and it takes microseconds where making
 * a link takes milliseconds. Both links are pinned, so they stay when this
 * process goes.
 *
 * A TAP that is deleted takes its links out of the path, though the pins stay.
 * Such links are dropped when that is noticed (watch.c), or at the latest when
 * the next program is attached, and made anew on the TAP that has the name then.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "kern.h"
#include "log.h"
#include "norm.h"
#include "store.h"
#include "tap.h"

/**
 * attach_drop_link() - take one link out of the path
 * @port: the port
 * @fd: of the link, or -1; set to -1
 * @name: of its pin
 *
 * Detached first, so that a second holder of the link cannot keep it working.
 */
static void attach_drop_link(struct port *port, int *fd, const char *name)
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
 * attach_drop() - detach whatever is attached
 * @port: the port
 */
void attach_drop(struct port *port)
{
	attach_drop_link(port, &port->link, STORE_LINK);
	attach_drop_link(port, &port->norm, STORE_NORM);
	port->attached = NULL;
}

/**
 * attach_make_link() - make a link and pin it
 * @port: the port
 * @prog_fd: the program
 * @ifindex: of the TAP
 * @fd: set to the link's
 * @name: of its pin
 *
 * Return: 0, or a negative errno
 */
static int attach_make_link(struct port *port, int prog_fd, uint32_t ifindex, int *fd,
			    const char *name)
{
	int err;

	*fd = kern_link_create(prog_fd, ifindex);
	if (*fd < 0) {
		err = *fd;
		*fd = -1;
		return err;
	}
	err = store_pin(port, name, *fd);
	if (err)
		attach_drop_link(port, fd, name);
	return err;
}

/**
 * attach_norm() - put the normaliser at the TAP
 * @port: the port
 * @ifindex: of the TAP
 *
 * Return: 0, or a negative errno
 */
static int attach_norm(struct port *port, uint32_t ifindex)
{
	bool counting = port->norm_counters >= 0;
	int prog_fd, err = 0;

	prog_fd = norm_load(&port->norm_counters);
	if (prog_fd < 0)
		return prog_fd;
	if (!counting)
		err = store_pin(port, STORE_COUNTERS, port->norm_counters);
	if (err)
		port_close_fd(&port->norm_counters);
	else
		err = attach_make_link(port, prog_fd, ifindex, &port->norm, STORE_NORM);
	close(prog_fd);
	return err;
}

/**
 * attach_link_on() - is a link at this netdev?
 * @fd: of the link, or -1
 * @ifindex: of the netdev
 *
 * Return: whether it is
 */
static bool attach_link_on(int fd, uint32_t ifindex)
{
	struct kern_link info;

	return fd >= 0 && !kern_link_info(fd, &info) && info.ifindex == ifindex;
}

/**
 * attach_running() - does the attached program see the TAP's packets?
 * @port: the port
 *
 * Return: false if nothing is attached or if the TAP was deleted since
 */
bool attach_running(const struct port *port)
{
	struct kern_link info;

	return port->attached && !kern_link_info(port->link, &info) && info.ifindex;
}

/**
 * attach_in_place() - is the attached program at the port's TAP?
 * @port: the port; a program is attached
 *
 * Return: whether it is: false if the TAP was deleted, renamed or moved
 */
bool attach_in_place(const struct port *port)
{
	struct text why = { 0 };
	uint32_t ifindex;
	int err = tap_ifindex(port->conf->tap, &ifindex, &why);

	text_free(&why);
	/* If it cannot be found out now, nothing is known against it. */
	return err == -EIO || (!err && attach_link_on(port->link, ifindex));
}

/**
 * attach_set() - attach a program, or replace the one that is attached
 * @port: the port
 * @handle: of the program
 * @why: a sentence if that fails; what was attached then still is, unless the
 *       TAP had gone from under it
 *
 * Return: 0; -ESTALE if the program is for a TAP that was there before and has
 * to be translated again (load_start_again()); or a negative errno with @why
 */
int attach_set(struct port *port, uint32_t handle, struct text *why)
{
	struct prog *prog = port_prog(port, handle);
	uint32_t ifindex;
	int err;

	if (!prog) {
		text_add(why, "no program has the handle %u\n", handle);
		return -EBADF;
	}
	err = tap_ifindex(port->conf->tap, &ifindex, why);
	if (err)
		return err;
	if (!attach_link_on(port->link, ifindex) || !attach_link_on(port->norm, ifindex))
		attach_drop(port);
	if (prog->tap_ifindex != ifindex)
		return -ESTALE;
	if (port->link >= 0) {
		err = bpf_link_update(port->link, prog->fd, NULL);
	} else {
		err = attach_norm(port, ifindex);
		if (!err)
			err = attach_make_link(port, prog->fd, ifindex, &port->link, STORE_LINK);
		if (err)
			attach_drop(port);
	}
	if (err) {
		log_msg(LOG_ERR, port->conf->name, "cannot attach program %u to %s: %s", handle,
			port->conf->tap, strerror(-err));
		text_add(why, "the host cannot attach the program: %s\n",
			 strerror(-err));
		return -EIO;
	}
	port->attached = prog;
	return 0;
}

/**
 * attach_clear() - detach a program
 * @port: the port
 * @handle: of the program, or 0 for whichever is attached
 * @why: a sentence if there is no such program
 *
 * Return: 0, also if the program is not attached, or -EBADF with @why
 */
int attach_clear(struct port *port, uint32_t handle, struct text *why)
{
	struct prog *prog = handle ? port_prog(port, handle) : port->attached;

	if (handle && !prog) {
		text_add(why, "no program has the handle %u\n", handle);
		return -EBADF;
	}
	if (prog && prog == port->attached)
		attach_drop(port);
	return 0;
}

/**
 * attach_renew_norm() - replace a normaliser that an older daemon attached
 * @port: the port
 *
 * On failure the old one goes on working.
 */
static void attach_renew_norm(struct port *port)
{
	int prog_fd = norm_load(&port->norm_counters);
	int err = prog_fd < 0 ? prog_fd : bpf_link_update(port->norm, prog_fd, NULL);

	if (err)
		log_msg(LOG_WARNING, port->conf->name,
			"the normaliser that is attached is not renewed: %s", strerror(-err));
	port_close_fd(&prog_fd);
}

/**
 * attach_get() - open what a daemon before this one pinned
 * @port: the port
 * @name: of the pin; one that cannot be opened is removed, lest it be in the way
 *
 * Return: the fd, or a negative errno
 */
static int attach_get(struct port *port, const char *name)
{
	int fd = store_get(port, name);

	if (fd < 0 && fd != -ENOENT) {
		log_msg(LOG_ERR, port->conf->name, "%s/%s is unusable and removed: %s", port->dir,
			name, strerror(-fd));
		store_unpin(port, name);
	}
	return fd;
}

/**
 * attach_recover() - take back the links that a daemon before this one left
 * @port: the port; its programs are back already
 *
 * Links that do not fit together are dropped, and the guest is told as soon as
 * its proxy is there. Those whose TAP is away are left to watch.c.
 */
void attach_recover(struct port *port)
{
	struct kern_link info = { 0 };
	struct prog *prog = NULL;
	struct text why = { 0 };
	uint32_t ifindex;

	port->norm = attach_get(port, STORE_NORM);
	port->link = attach_get(port, STORE_LINK);
	port->norm_counters = attach_get(port, STORE_COUNTERS);
	if (port->link < 0 && port->norm < 0)
		return;
	if (port->link >= 0 && !kern_link_info(port->link, &info))
		TAILQ_FOREACH(prog, &port->progs, node)
			if (prog->id == info.prog_id)
				break;
	if (tap_ifindex(port->conf->tap, &ifindex, &why))
		ifindex = 0;
	text_free(&why);
	if (!prog || port->norm < 0 || port->norm_counters < 0 ||
	    !attach_link_on(port->norm, info.ifindex) ||
	    (info.ifindex && info.ifindex != ifindex)) {
		log_msg(LOG_WARNING, port->conf->name,
			"the links in %s do not fit together or not the TAP: detached",
			port->dir);
		attach_drop(port);
		port->untold = prog ? prog->handle : 0;
		return;
	}
	port->attached = prog;
	attach_renew_norm(port);
}
