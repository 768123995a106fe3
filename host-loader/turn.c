// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Which packets take a turn, and the pair in which they do
 *
 * A port's reach is how many bytes of a packet the normaliser makes sure of:
 * those that the attached program looks at if these are headers alone, else
 * all. In the second case GSO frames and those without their checksum take a
 * turn through the port's veth pair, which is made with the first program that
 * needs it and goes when nothing is attached any more.
 *
 * The reach must never be less than that of a program which gets packets. So
 * it is widened before a program is replaced and narrowed afterwards, and
 * between the one and the other every packet that is on its way past the
 * normaliser has to be through (norm_bind()).
 *
 * As long as the pair is not whole, packets that need it are dropped and
 * counted.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kern.h"
#include "link.h"
#include "log.h"
#include "norm.h"
#include "pair.h"
#include "store.h"
#include "turn.h"

#define TURN_LABEL	"virtio-bpf: "	/* before the port's folder */

/**
 * turn_reach() - how many bytes the normaliser has to make sure of
 * @port: the port
 * @prog: the program that will see them
 *
 * Return: a number of bytes, or NORM_REACH_ALL
 */
uint32_t turn_reach(const struct port *port, const struct prog *prog)
{
	uint32_t most = port->conf->header_bytes;

	return most && prog->reach <= most ? prog->reach : NORM_REACH_ALL;
}

/**
 * turn_ready() - can packets take their turn?
 * @port: the port
 *
 * Return: whether the pair is there, with a program at either end
 */
bool turn_ready(const struct port *port)
{
	return port->pair.out && link_on(port->pair_out, port->pair.out) &&
	       link_on(port->pair_in, port->pair.in);
}

/**
 * turn_drop() - remove the pair
 * @port: the port
 */
void turn_drop(struct port *port)
{
	const uint32_t ends[] = { port->pair.out, port->pair.in };
	int err;

	if (port->norm_state >= 0) {
		norm_set(port->norm_state, NORM_OUT, 0);
		norm_set(port->norm_state, NORM_IN, 0);
	}
	link_drop(port, &port->pair_out, STORE_PAIR_OUT);
	link_drop(port, &port->pair_in, STORE_PAIR_IN);
	if (!port->pair.out && !port->pair.in)
		return;
	norm_unbind(port->norm, ends, 2);
	err = pair_delete(port->pair.out ?: port->pair.in);
	if (err)
		log_msg(LOG_ERR, port->conf->name, "cannot delete the veth pair: %s",
			strerror(-err));
	port->pair = (struct pair){ 0 };
}

/**
 * turn_tell() - tell the normaliser about the pair
 * @port: the port; its pair is there
 * @tap: ifindex of the TAP
 *
 * Return: 0, or a negative errno
 */
static int turn_tell(struct port *port, uint32_t tap)
{
	const uint32_t ends[] = { port->pair.out, port->pair.in };
	int err = norm_set(port->norm_state, NORM_TAP, tap);

	if (!err)
		err = norm_set(port->norm_state, NORM_IN, port->pair.in);
	return err ? err : norm_bind(port->norm, port->norm_state, ends, 2);
}

/**
 * turn_make() - make the pair
 * @port: the port; it has none, or parts of one
 * @tap: ifindex of the TAP
 *
 * The last step is what lets packets in.
 *
 * Return: 0, or a negative errno
 */
static int turn_make(struct port *port, uint32_t tap)
{
	const struct norm *norm = port->norm;
	char label[sizeof(TURN_LABEL) + sizeof(port->dir)];
	int err;

	turn_drop(port);
	snprintf(label, sizeof(label), TURN_LABEL "%s", port->dir);
	err = pair_make(tap, label, &port->pair);
	if (err) {
		port->pair = (struct pair){ 0 };
		return err;
	}
	err = turn_tell(port, tap);
	if (!err)
		err = link_make(port, norm->in, port->pair.in, KERN_TCX_INGRESS, &port->pair_in,
				STORE_PAIR_IN);
	if (!err)
		err = link_make(port, norm->out, port->pair.out, KERN_TCX_EGRESS, &port->pair_out,
				STORE_PAIR_OUT);
	if (!err)
		err = pair_up(&port->pair);
	if (!err)
		err = norm_set(port->norm_state, NORM_OUT, port->pair.out);
	if (err)
		turn_drop(port);
	return err;
}

/**
 * turn_prepare() - be ready for a program, whatever is attached now
 * @port: the port; its map for the normaliser is there
 * @tap: ifindex of the TAP
 * @reach: what the program needs
 *
 * Return: 0, or a negative errno
 */
int turn_prepare(struct port *port, uint32_t tap, uint32_t reach)
{
	if (reach != NORM_REACH_ALL)
		return 0;
	/* Somebody may have set it down. */
	if (turn_ready(port) && !pair_up(&port->pair))
		return 0;
	return turn_make(port, tap);
}

/**
 * turn_widen() - before another program gets packets
 * @port: the port
 * @tap: ifindex of the TAP
 * @reach: what that program needs
 *
 * Return: 0, or a negative errno: the program must not get packets then
 */
int turn_widen(struct port *port, uint32_t tap, uint32_t reach)
{
	int err = turn_prepare(port, tap, reach);

	if (err || reach <= port->reach)
		return err;
	err = norm_set(port->norm_state, NORM_REACH, reach);
	if (!err)
		err = norm_bind(port->norm, port->norm_state, &tap, 1);
	if (!err)
		port->reach = reach;
	return err;
}

/**
 * turn_narrow() - when another program gets packets
 * @port: the port
 * @tap: ifindex of the TAP
 * @reach: what that program needs
 *
 * Return: 0, or a negative errno: packets are done more for than they need then
 */
int turn_narrow(struct port *port, uint32_t tap, uint32_t reach)
{
	int err;

	if (reach >= port->reach)
		return 0;
	err = norm_bind(port->norm, port->norm_state, &tap, 1);
	if (!err)
		err = norm_set(port->norm_state, NORM_REACH, reach);
	if (!err)
		port->reach = reach;
	return err;
}

/**
 * turn_recover() - take back the pair that a daemon before this one left
 * @port: the port; its map for the normaliser and its program are back
 * @tap: ifindex of the TAP, or 0 if no packets come from there: the pair goes
 *
 * Old programs and new ones share the port's map, so packets may be in the pair
 * meanwhile.
 */
void turn_recover(struct port *port, uint32_t tap)
{
	struct kern_link out = { 0 }, in = { 0 };
	int err = 0;

	port->pair_out = link_get(port, STORE_PAIR_OUT);
	port->pair_in = link_get(port, STORE_PAIR_IN);
	if (port->pair_out >= 0 && !kern_link_info(port->pair_out, &out))
		port->pair.out = out.ifindex;
	if (port->pair_in >= 0 && !kern_link_info(port->pair_in, &in))
		port->pair.in = in.ifindex;
	if (!tap || !out.ifindex || !in.ifindex) {
		turn_drop(port);
		return;
	}
	err = turn_tell(port, tap);
	if (!err)
		err = bpf_link_update(port->pair_in, port->norm->in, NULL);
	if (!err)
		err = bpf_link_update(port->pair_out, port->norm->out, NULL);
	if (!err)
		err = pair_up(&port->pair);
	if (!err)
		err = norm_set(port->norm_state, NORM_OUT, port->pair.out);
	if (!err)
		return;
	log_msg(LOG_WARNING, port->conf->name, "the veth pair is made anew: %s", strerror(-err));
	turn_drop(port);
}

/**
 * turn_keep() - is a pair needed?
 * @dir: folder of its port
 * @ifindex: of one of its ends
 * @user: the daemon
 *
 * Another daemon's are none of our business. Those of ports that are not
 * configured any more go on working.
 *
 * Return: whether it is
 */
static bool turn_keep(const char *dir, uint32_t ifindex, const void *user)
{
	const struct loader *loader = user;
	size_t len = strlen(loader->conf.bpffs);

	if (strncmp(dir, loader->conf.bpffs, len) || dir[len] != '/')
		return true;
	for (size_t i = 0; i < loader->conf.port_cnt; i++) {
		const struct port *port = loader->ports[i];

		if (!strcmp(port->dir, dir))
			return ifindex == port->pair.out || ifindex == port->pair.in;
	}
	return !access(dir, F_OK);
}

/**
 * turn_sweep() - remove the pairs of daemons that died, and of ports that went
 * @loader: the daemon; its ports have what is theirs
 */
void turn_sweep(const struct loader *loader)
{
	int cnt = pair_sweep(TURN_LABEL, turn_keep, loader);

	if (cnt)
		log_msg(cnt < 0 ? LOG_ERR : LOG_NOTICE, NULL, "stale veth pairs removed: %d", cnt);
}
