// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A tenant's program at the TAP
 *
 * Two tcx links at the TAP's egress: the normaliser's, made first, and the
 * tenant's behind it. Two more at the veth pair, for programs that need it
 * (turn.c). To replace the tenant's program is to update its link: there is no
 * moment without a program, and it takes microseconds where making a link takes
 * milliseconds. All links are pinned, so they stay when this process goes.
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
#include "link.h"
#include "load.h"
#include "log.h"
#include "norm.h"
#include "store.h"
#include "tap.h"
#include "turn.h"

/**
 * attach_drop() - detach whatever is attached
 * @port: the port
 */
void attach_drop(struct port *port)
{
	link_drop(port, &port->link, STORE_LINK);
	link_drop(port, &port->norm_link, STORE_NORM);
	turn_drop(port);
	if (port->tap)
		norm_unbind(port->norm, &port->tap, 1);
	port->tap = 0;
	port->attached = NULL;
}

/**
 * attach_lose() - drop links that are not, or not all, at the port's TAP
 * @port: the port; if a program was attached, the guest is to be told
 *
 * A link with no program of the port's behind it was a program's whose new
 * translation was kept, or whose record was lost, when a daemon died.
 */
static void attach_lose(struct port *port)
{
	if (port->link >= 0) {
		port->untold = true;
		port->untold_prog = port->attached ? port->attached->handle : 0;
	}
	attach_drop(port);
}

/**
 * attach_norm() - put the normaliser at the TAP, ready for a program
 * @port: the port, with nothing attached
 * @ifindex: of the TAP
 * @reach: what the program needs
 *
 * Return: 0, or a negative errno
 */
static int attach_norm(struct port *port, uint32_t ifindex, uint32_t reach)
{
	int err = 0;

	if (port->norm_state < 0) {
		port->norm_state = norm_port_new();
		if (port->norm_state < 0)
			return port->norm_state;
		err = store_pin(port, STORE_STATE, port->norm_state);
		if (err) {
			port_close_fd(&port->norm_state);
			return err;
		}
	}
	err = norm_bind(port->norm, port->norm_state, &ifindex, 1);
	if (err)
		return err;
	port->tap = ifindex;
	err = norm_set(port->norm_state, NORM_REACH, reach);
	if (err)
		return err;
	port->reach = reach;
	err = turn_prepare(port, ifindex, reach);
	if (err)
		return err;
	return link_make(port, port->norm->normalise, ifindex, KERN_TCX_EGRESS, &port->norm_link,
			 STORE_NORM);
}

/**
 * attach_swap() - replace the attached program
 * @port: the port
 * @prog: the new one
 *
 * Return: 0, or a negative errno, with the old one attached
 */
static int attach_swap(struct port *port, const struct prog *prog)
{
	uint32_t reach = turn_reach(port, prog);
	int err = turn_widen(port, port->tap, reach);

	if (!err)
		err = bpf_link_update(port->link, prog->fd, NULL);
	if (err)
		return err;
	err = turn_narrow(port, port->tap, reach);
	if (err)
		log_msg(LOG_WARNING, port->conf->name, "GSO frames take a turn needlessly: %s",
			strerror(-err));
	return 0;
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
	return err == -EIO || (!err && link_on(port->link, ifindex));
}

/**
 * attach_set() - attach a program, or replace the one that is attached
 * @port: the port
 * @handle: of the program
 * @why: a sentence if that fails; what was attached then still is, unless the
 *       TAP had gone from under it: @port->untold then
 *
 * Return: 0; -ESTALE if the program does not fit the TAP as it is now and has to
 * be translated again (load_start_again()); or a negative errno with @why
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
	err = port_admit_level(port, prog, why);
	if (!err)
		err = port_admit_helpers(port, prog, why);
	if (!err)
		err = tap_ifindex(port->conf->tap, &ifindex, why);
	if (err)
		return err;
	if (!link_on(port->link, ifindex) || !link_on(port->norm_link, ifindex))
		attach_lose(port);
	if (!load_fits(port, prog, ifindex))
		return -ESTALE;
	if (port->link >= 0) {
		err = attach_swap(port, prog);
	} else {
		err = attach_norm(port, ifindex, turn_reach(port, prog));
		if (!err)
			err = link_make(port, prog->fd, ifindex, KERN_TCX_EGRESS, &port->link,
					STORE_LINK);
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
	port->untold = false;
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
 * attach_renew() - put this daemon's own programs in the place of an older one's
 * @port: the port; its program is back
 * @ifindex: of the TAP, or 0 if that is away
 *
 * On failure the old ones go on working, on what they know, and the port's reach
 * counts as 0, lest it be thought wider than it is. On success it is what this
 * configuration says: the attached program can do with either.
 */
static void attach_renew(struct port *port, uint32_t ifindex)
{
	uint32_t reach = turn_reach(port, port->attached);
	int err = 0;

	turn_recover(port, ifindex);
	if (!ifindex)
		return;
	port->tap = ifindex;
	err = norm_bind(port->norm, port->norm_state, &ifindex, 1);
	if (!err)
		err = turn_prepare(port, ifindex, reach);
	if (!err)
		err = norm_set(port->norm_state, NORM_REACH, reach);
	if (!err) {
		port->reach = reach;
		err = bpf_link_update(port->norm_link, port->norm->normalise, NULL);
	}
	if (err)
		log_msg(LOG_WARNING, port->conf->name,
			"the normaliser that is attached is not renewed: %s", strerror(-err));
}

/**
 * attach_recover() - take back the links that a daemon before this one left
 * @port: the port; its programs are back already
 *
 * Links that do not fit together are dropped, and the guest is told as soon as
 * its proxy is there. Those whose TAP is away are left to watch.c.
 *
 * Return: 0, or a negative errno as store_recover()
 */
int attach_recover(struct port *port)
{
	struct kern_link info = { 0 };
	struct prog *prog = NULL;
	struct text why = { 0 };
	uint32_t ifindex;

	port->norm_link = link_get(port, STORE_NORM);
	port->link = link_get(port, STORE_LINK);
	port->norm_state = link_get(port, STORE_STATE);
	if (store_is_short(port->norm_link) || store_is_short(port->link) ||
	    store_is_short(port->norm_state)) {
		log_msg(LOG_ERR, port->conf->name, "the links in %s cannot be read now", port->dir);
		return -ENOMEM;
	}
	if (port->norm_state >= 0 && norm_port_check(port->norm_state)) {
		store_unpin(port, STORE_STATE);
		port_close_fd(&port->norm_state);
	}
	if (port->link < 0 && port->norm_link < 0) {
		turn_recover(port, 0);
		return 0;
	}
	if (port->link >= 0 && !kern_link_info(port->link, &info))
		TAILQ_FOREACH(prog, &port->progs, node)
			if (prog->id == info.prog_id)
				break;
	if (tap_ifindex(port->conf->tap, &ifindex, &why))
		ifindex = 0;
	text_free(&why);
	if (!prog || port->norm_link < 0 || port->norm_state < 0 ||
	    !link_on(port->norm_link, info.ifindex) ||
	    (info.ifindex && info.ifindex != ifindex)) {
		log_msg(LOG_WARNING, port->conf->name,
			"the links in %s do not fit together or not the TAP: detached",
			port->dir);
		turn_recover(port, 0);
		port->attached = prog;
		attach_lose(port);
		return 0;
	}
	port->attached = prog;
	attach_renew(port, info.ifindex);
	return 0;
}
