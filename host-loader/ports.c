// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The ports, as the configuration has them
 *
 * At the start each port takes back what an earlier daemon left in its folder.
 * When the configuration is read again:
 *
 *   - a file with anything wrong in it changes nothing;
 *   - a port that is gone, or has become another's (name, TAP, MAC or user have
 *     changed), has its guest told, its proxy cut off and its objects released;
 *   - a port that is new starts as at the daemon's start;
 *   - a port can become relaxed only while there is a fork server (forkserver.c),
 *     which goes with the last such port;
 *   - the others keep what they have, under the new limits. What does not comply
 *     with these is reported and goes on working: to take it from a guest is the
 *     operator's decision ("vbpf detach").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "log.h"
#include "map.h"
#include "ports.h"
#include "server.h"
#include "store.h"
#include "turn.h"

/**
 * ports_same() - are two sections about one port of one tenant?
 * @a: a section
 * @b: another
 *
 * Return: whether they are; limits do not matter
 */
static bool ports_same(const struct conf_port *a, const struct conf_port *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->tap, b->tap) && a->uid == b->uid &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac));
}

/**
 * ports_report() - tell the operator of what does not comply with a port's limits
 * @port: the port
 */
static void ports_report(const struct port *port)
{
	struct text over = { 0 };
	char *rest, *line;

	port_over_limits(port, &over);
	rest = over.buf;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_msg(LOG_WARNING, port->conf->name, "%s; it stays until its guest or"
				" \"vbpf detach\" lets go of it", line);
	text_free(&over);
}

/**
 * ports_open() - make a port, with what an earlier daemon left in it
 * @loader: the daemon
 * @port: the port, all zero
 * @conf: its section; must outlive it
 *
 * Return: 0, or a negative errno: what is there cannot be read now, and nothing
 * of it was removed
 */
static int ports_open(struct loader *loader, struct port *port, const struct conf_port *conf)
{
	int err;

	port_init(port, conf, loader->conf.bpffs);
	port->event = loader->event;
	port->norm = &loader->norm;
	port->forkserver = &loader->forkserver;
	port->walks_on = loader->walks_on;
	err = store_recover(port);
	if (!err)
		err = attach_recover(port);
	if (err) {
		port_close(port);
		return err;
	}
	map_sweep(port);
	if (port->record >= 0)
		log_msg(LOG_NOTICE, conf->name, "recovered %u programs, %u maps, attached: %u",
			port->prog_cnt, port->map_cnt,
			port->attached ? port->attached->handle : 0);
	ports_report(port);
	return 0;
}

/**
 * ports_array() - room for the ports of a configuration
 * @cnt: number of ports
 * @why: a sentence if there is none
 *
 * Return: an array with a new port in each place, or NULL with @why
 */
static struct port **ports_array(size_t cnt, struct text *why)
{
	struct port **ports = calloc(cnt + 1, sizeof(*ports));
	size_t i = 0;

	while (ports && i < cnt && (ports[i] = calloc(1, sizeof(**ports))))
		i++;
	if (ports && i == cnt)
		return ports;
	for (size_t j = 0; ports && j < i; j++)
		free(ports[j]);
	free(ports);
	text_add(why, "out of memory\n");
	return NULL;
}

/**
 * ports_make() - make the ports, with what an earlier daemon left in them
 * @loader: the daemon
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
int ports_make(struct loader *loader, struct text *why)
{
	struct conf *conf = &loader->conf;
	int err = 0;

	loader->ports = ports_array(conf->port_cnt, why);
	if (!loader->ports)
		return -ENOMEM;
	for (size_t i = 0; i < conf->port_cnt; i++)
		port_init(loader->ports[i], &conf->ports[i], conf->bpffs);
	for (size_t i = 0; i < conf->port_cnt && !err; i++)
		err = ports_open(loader, loader->ports[i], &conf->ports[i]);
	if (err) {
		text_add(why, "what the ports have cannot be read now, and stays as it is: %s;"
			 " programs that are attached go on\n", strerror(-err));
		return err;
	}
	store_report(conf->bpffs, conf);
	turn_sweep(loader);
	return 0;
}

/**
 * ports_free() - let go of all ports; what they have stays in bpffs
 * @loader: the daemon
 */
void ports_free(struct loader *loader)
{
	for (size_t i = 0; loader->ports && i < loader->conf.port_cnt; i++) {
		port_close(loader->ports[i]);
		free(loader->ports[i]);
	}
	free(loader->ports);
	loader->ports = NULL;
}

/**
 * ports_keep() - is there a port for a section already?
 * @loader: the daemon
 * @conf: the section
 *
 * Return: its place among the ports, or their number
 */
static size_t ports_keep(const struct loader *loader, const struct conf_port *conf)
{
	size_t i;

	for (i = 0; i < loader->conf.port_cnt; i++)
		if (loader->ports[i] && ports_same(loader->ports[i]->conf, conf))
			break;
	return i;
}

/**
 * ports_give_up() - end the daemon: it cannot read what a new port has
 * @loader: the daemon
 * @err: a negative errno
 *
 * The next one may, and finds everything as it is.
 */
static void ports_give_up(struct loader *loader, int err)
{
	log_msg(LOG_CRIT, NULL, "what a port has cannot be read now, and stays as it is: %s;"
		" this daemon ends, to be started again", strerror(-err));
	sd_event_exit(loader->event, err);
}

/**
 * ports_switch() - go over to another configuration
 * @loader: the daemon; its configuration becomes that one
 * @conf: the configuration; empty afterwards
 * @ports: a new port for each of its sections; owned by @loader afterwards
 */
static void ports_switch(struct loader *loader, struct conf *conf, struct port **ports)
{
	struct conf old = loader->conf;
	struct port **old_ports = loader->ports;
	int err = 0, one;

	for (size_t i = 0; i < conf->port_cnt; i++) {
		size_t at = ports_keep(loader, &conf->ports[i]);

		if (at == old.port_cnt)
			continue;
		free(ports[i]);
		ports[i] = old_ports[at];
		ports[i]->conf = &conf->ports[i];
		old_ports[at] = NULL;
	}
	for (size_t i = 0; i < old.port_cnt; i++) {
		if (!old_ports[i])
			continue;
		log_msg(LOG_NOTICE, old_ports[i]->conf->name, "the port is not configured any more,"
			" or became another's: %u programs and %u maps are released",
			old_ports[i]->prog_cnt, old_ports[i]->map_cnt);
		server_drop(old_ports[i], "the host's operator took the port out of service");
		port_close(old_ports[i]);
		free(old_ports[i]);
	}
	loader->conf = *conf;
	loader->ports = ports;
	for (size_t i = 0; i < conf->port_cnt; i++) {
		if (ports[i]->conf) {
			server_recheck(ports[i]);
			ports_report(ports[i]);
			continue;
		}
		one = ports_open(loader, ports[i], &conf->ports[i]);
		if (one)
			err = one;
		else
			server_add(loader, ports[i]);
	}
	if (err)
		ports_give_up(loader, err);
	else
		turn_sweep(loader);
	if (loader->forkserver.pid && !conf_relaxed(&loader->conf)) {
		log_msg(LOG_NOTICE, NULL, "no port is relaxed any more: CAP_PERFMON is given up");
		forkserver_stop(&loader->forkserver);
	}
	memset(conf, 0, sizeof(*conf));
	free(old_ports);
	conf_free(&old);
}

/**
 * ports_check_level() - can this daemon do what a new configuration says of levels?
 * @loader: the daemon; none of its ports is relaxed if it has no fork server
 * @conf: the new configuration
 * @why: a sentence if not
 *
 * Return: 0, or -EINVAL with @why
 */
static int ports_check_level(const struct loader *loader, const struct conf *conf,
			     struct text *why)
{
	const struct conf_port *port = conf_relaxed(conf);

	if (!port || loader->forkserver.pid || conf_relaxed(&loader->conf))
		return 0;
	text_add(why, "%s:%u: port %s is relaxed, for which this daemon has given up"
		 " CAP_PERFMON: that takes a restart, which detaches nothing\n", loader->path,
		 port->line, port->name);
	return -EINVAL;
}

/**
 * ports_reload() - read the configuration again
 * @loader: the daemon
 * @why: what is wrong with it
 *
 * Return: 0, or a negative errno with @why: then nothing has changed
 */
int ports_reload(struct loader *loader, struct text *why)
{
	const struct conf *now = &loader->conf;
	struct port **ports;
	struct conf conf;
	int err = conf_read(loader->path, &conf, why);

	if (!err && (strcmp(conf.socket, now->socket) || strcmp(conf.control, now->control) ||
		     strcmp(conf.bpffs, now->bpffs))) {
		text_add(why, "%s: socket, control and bpffs are only taken over by a restart,"
			 " which detaches nothing\n", loader->path);
		err = -EINVAL;
	}
	if (!err && conf.port_cnt > loader->norm.room) {
		text_add(why, "%s: this daemon has room for %zu ports, and more after a restart,"
			 " which detaches nothing\n", loader->path, loader->norm.room);
		err = -EINVAL;
	}
	if (!err)
		err = ports_check_level(loader, &conf, why);
	ports = err ? NULL : ports_array(conf.port_cnt, why);
	if (ports)
		ports_switch(loader, &conf, ports);
	else
		err = err ?: -ENOMEM;
	conf_free(&conf);
	return err;
}
