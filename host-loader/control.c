// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The operator's socket
 *
 * Root and this daemon's own user may use it; the file's permissions say so,
 * and the peer's credentials are checked as well. The answers are described in
 * vbpf(8) and change by addition only.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../helpers-whitelist/whitelist.h"
#include "attach.h"
#include "control.h"
#include "datapath.h"
#include "kern.h"
#include "log.h"
#include "server.h"
#include "sock.h"
#include "tap.h"
#include "turn.h"

#define CONTROL_CONNS 16	/* connections at a time */

/**
 * struct control_conn - a connection of an operator
 * @node: in the list
 * @loader: the daemon
 * @fd: its socket
 * @io: its event source
 */
struct control_conn {
	TAILQ_ENTRY(control_conn) node;
	struct loader *loader;
	int fd;
	sd_event_source *io;
};

TAILQ_HEAD(control_list, control_conn);

/**
 * struct control - the operator's side of the daemon
 * @fd: socket that listens
 * @io: its event source
 * @conns: connections
 * @conn_cnt: number of @conns
 */
struct control {
	int fd;
	sd_event_source *io;
	struct control_list conns;
	unsigned int conn_cnt;
};

/* Names of VIRTIO_BPF_CNT_* in answers */
static const char *const control_counters[] = {
	[VIRTIO_BPF_CNT_ABORTED] = "aborted",
	[VIRTIO_BPF_CNT_DROP] = "drop",
	[VIRTIO_BPF_CNT_PASS] = "pass",
	[VIRTIO_BPF_CNT_TX] = "tx",
	[VIRTIO_BPF_CNT_INVALID] = "invalid",
	[VIRTIO_BPF_CNT_FAULT] = "fault",
};

/**
 * control_add_str() - add a string to an object
 * @obj: the object
 * @key: its key
 * @value: the string
 */
static void control_add_str(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

/**
 * control_add_num() - add a number to an object
 * @obj: the object
 * @key: its key
 * @value: the number
 */
static void control_add_num(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

/**
 * control_add_bool() - add a truth value to an object
 * @obj: the object
 * @key: its key
 * @value: the truth value
 */
static void control_add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

/**
 * control_level() - a level's name
 * @level: VIRTIO_BPF_LEVEL_*
 *
 * Return: the name
 */
static const char *control_level(uint32_t level)
{
	return level == VIRTIO_BPF_LEVEL_STRICT ? "strict" : "relaxed";
}

/**
 * control_prog() - describe a program
 * @port: the port
 * @prog: the program
 *
 * Return: an object
 */
static struct json_object *control_prog(const struct port *port, const struct prog *prog)
{
	struct json_object *obj = json_object_new_object();
	char tag[2 * VIRTIO_BPF_TAG_LEN + 1];

	for (int i = 0; i < VIRTIO_BPF_TAG_LEN; i++)
		snprintf(tag + 2 * i, 3, "%02x", prog->src.tag[i]);
	control_add_num(obj, "handle", prog->handle);
	control_add_str(obj, "name", prog->src.name);
	control_add_num(obj, "id", prog->id);
	control_add_str(obj, "tag", tag);
	control_add_str(obj, "form", prog->form == VIRTIO_BPF_FORM_LITE ? "lite" : "sfi");
	control_add_str(obj, "level", control_level(prog->level));
	if (prog->reach != NORM_REACH_ALL)
		control_add_num(obj, "reach", prog->reach);
	control_add_num(obj, "guest_insns", prog->src.insn_cnt);
	control_add_num(obj, "host_insns", prog->host_insn_cnt);
	control_add_num(obj, "verified_insns", prog->verified);
	control_add_bool(obj, "attached", prog == port->attached);
	return obj;
}

/**
 * control_map() - describe a map
 * @map: the map
 *
 * Return: an object
 */
static struct json_object *control_map(const struct map *map)
{
	struct json_object *obj = json_object_new_object();
	uint32_t id = 0;

	kern_map_info(map->fd, NULL, &id);
	control_add_num(obj, "handle", map->handle);
	control_add_str(obj, "name", map->def.name);
	control_add_num(obj, "id", id);
	control_add_str(obj, "type", map->def.type == BPF_MAP_TYPE_HASH ? "hash" : "array");
	control_add_num(obj, "key_size", map->def.key_size);
	control_add_num(obj, "value_size", map->def.value_size);
	control_add_num(obj, "max_entries", map->def.max_entries);
	control_add_num(obj, "bytes", map->bytes);
	control_add_bool(obj, "freed", map->gone);
	return obj;
}

/**
 * control_port() - describe a port in short
 * @port: the port
 *
 * Return: an object
 */
static struct json_object *control_port(const struct port *port)
{
	struct json_object *obj = json_object_new_object();
	const uint8_t *mac = port->conf->mac;
	struct text why = { 0 };
	uint32_t ifindex = 0;
	char text[3 * VIRTIO_BPF_MAC_LEN];

	if (tap_ifindex(port->conf->tap, &ifindex, &why))
		ifindex = 0;
	text_free(&why);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	control_add_str(obj, "port", port->conf->name);
	control_add_str(obj, "tap", port->conf->tap);
	control_add_num(obj, "tap_ifindex", ifindex);
	control_add_str(obj, "mac", text);
	control_add_num(obj, "uid", port->conf->uid);
	control_add_num(obj, "proxy_pid", (uint64_t)server_proxy_pid(port));
	control_add_num(obj, "attached", port->attached ? port->attached->handle : 0);
	control_add_str(obj, "attached_name", port->attached ? port->attached->src.name : "");
	control_add_bool(obj, "running", attach_running(port));
	control_add_str(obj, "mode", !port->attached ? "" :
			port->reach == NORM_REACH_ALL ? "full" : "header");
	control_add_num(obj, "pair_out", turn_ready(port) ? port->pair.out : 0);
	control_add_num(obj, "pair_in", turn_ready(port) ? port->pair.in : 0);
	control_add_num(obj, "prog_cnt", port->prog_cnt);
	control_add_num(obj, "map_cnt", port->map_cnt);
	control_add_num(obj, "map_bytes", port->map_bytes);
	return obj;
}

/**
 * control_limits() - a port's limits
 * @limits: the limits
 *
 * Return: an object
 */
static struct json_object *control_limits(const struct conf_limits *limits)
{
	struct json_object *obj = json_object_new_object();

	control_add_num(obj, "max_insns", limits->max_insns);
	control_add_num(obj, "max_verified", limits->max_verified);
	control_add_num(obj, "max_progs", limits->max_progs);
	control_add_num(obj, "max_maps", limits->max_maps);
	control_add_num(obj, "max_entries", limits->max_entries);
	control_add_num(obj, "max_key_size", limits->max_key_size);
	control_add_num(obj, "max_value_size", limits->max_value_size);
	control_add_num(obj, "max_map_bytes", limits->max_map_bytes);
	control_add_num(obj, "request_rate", limits->request_rate);
	control_add_num(obj, "request_burst", limits->request_burst);
	control_add_num(obj, "load_rate", limits->load_rate);
	control_add_num(obj, "load_burst", limits->load_burst);
	control_add_num(obj, "max_load_time", limits->max_load_time);
	return obj;
}

/**
 * control_over() - what of a port does not comply with its limits
 * @port: the port
 *
 * Return: an array of sentences
 */
static struct json_object *control_over(const struct port *port)
{
	struct json_object *list = json_object_new_array();
	struct text over = { 0 };
	char *rest, *line;

	port_over_limits(port, &over);
	rest = over.buf;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			json_object_array_add(list, json_object_new_string(line));
	text_free(&over);
	return list;
}

/**
 * control_add_helpers() - add the profiles that a port has to an object
 * @obj: the object
 * @profiles: enum wl_profile
 */
static void control_add_helpers(struct json_object *obj, uint32_t profiles)
{
	const struct wl_profile_name *name;
	struct text words = { 0 };

	for (name = wl_profiles; name->name; name++)
		if (!(name->profile & ~profiles))
			text_add(&words, "%s%s", words.len ? " " : "", name->name);
	control_add_str(obj, "helpers", words.buf ?: "");
	text_free(&words);
}

/**
 * control_show() - describe a port with its objects and limits
 * @port: the port
 *
 * Return: an object
 */
static struct json_object *control_show(const struct port *port)
{
	struct json_object *obj = control_port(port);
	struct json_object *list = json_object_new_array();
	const struct prog *prog;
	const struct map *map;

	TAILQ_FOREACH(prog, &port->progs, node)
		json_object_array_add(list, control_prog(port, prog));
	json_object_object_add(obj, "progs", list);
	list = json_object_new_array();
	TAILQ_FOREACH(map, &port->maps, node)
		json_object_array_add(list, control_map(map));
	json_object_object_add(obj, "maps", list);
	control_add_str(obj, "level", control_level(port->conf->level));
	control_add_helpers(obj, port->conf->helpers);
	json_object_object_add(obj, "limits", control_limits(&port->conf->limits));
	json_object_object_add(obj, "over_limits", control_over(port));
	return obj;
}

/**
 * control_stats() - a port's counters
 * @port: the port
 *
 * Return: an object; counters that cannot be read are left away
 */
static struct json_object *control_stats(const struct port *port)
{
	const size_t names = sizeof(control_counters) / sizeof(*control_counters);
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();
	uint64_t norm[NORM_CNT_MAX] = { 0 }, sums[VIRTIO_BPF_CNT_MAX];
	const struct prog *prog;

	control_add_str(obj, "port", port->conf->name);
	TAILQ_FOREACH(prog, &port->progs, node) {
		struct json_object *row = json_object_new_object();

		control_add_num(row, "handle", prog->handle);
		control_add_str(row, "name", prog->src.name);
		control_add_bool(row, "attached", prog == port->attached);
		if (!kern_counters_read(prog->counters, sums, VIRTIO_BPF_CNT_MAX))
			for (size_t i = 0; i < names; i++)
				control_add_num(row, control_counters[i], sums[i]);
		json_object_array_add(list, row);
	}
	json_object_object_add(obj, "progs", list);
	list = json_object_new_object();
	if (port->norm_state < 0 ||
	    !kern_counters_read(port->norm_state, norm, NORM_CNT_MAX)) {
		control_add_num(list, "packets", norm[NORM_PACKETS]);
		control_add_num(list, "failed", norm[NORM_FAILED]);
		control_add_num(list, "turned", norm[NORM_TURNED]);
		control_add_num(list, "returned", norm[NORM_RETURNED]);
		control_add_num(list, "whole", norm[NORM_WHOLE]);
	}
	json_object_object_add(obj, "normaliser", list);
	return obj;
}

/**
 * control_detach() - detach a port's program, and tell its guest
 * @port: the port
 *
 * Return: an object
 */
static struct json_object *control_detach(struct port *port)
{
	struct json_object *obj = json_object_new_object();
	uint32_t handle = port->attached ? port->attached->handle : 0;

	if (port->attached) {
		log_msg(LOG_NOTICE, port->conf->name, "program %u is detached by the operator",
			handle);
		attach_drop(port);
		server_event(port, VIRTIO_BPF_EVENT_DETACHED, handle,
			     "the host's operator detached the program");
	}
	control_add_str(obj, "port", port->conf->name);
	control_add_num(obj, "detached", handle);
	return obj;
}

/**
 * control_each() - answer a question about one port or about all
 * @loader: the daemon
 * @port: the port's name, or NULL for all
 * @describe: makes a port's object
 *
 * Return: an object, or NULL if no port has that name
 */
static struct json_object *control_each(struct loader *loader, const char *port,
					struct json_object *(*describe)(const struct port *))
{
	struct json_object *list = json_object_new_array(), *obj;

	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		if (!port || !strcmp(port, loader->conf.ports[i].name))
			json_object_array_add(list, describe(loader->ports[i]));
	if (port && !json_object_array_length(list)) {
		json_object_put(list);
		return NULL;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "ports", list);
	return obj;
}

/**
 * control_error() - an answer that says what is wrong
 * @fmt: a sentence, as for printf()
 *
 * Return: an object
 */
static struct json_object *__attribute__((format(printf, 1, 2)))
control_error(const char *fmt, ...)
{
	struct json_object *obj = json_object_new_object();
	struct text text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	text_vadd(&text, fmt, ap);
	va_end(ap);
	control_add_str(obj, "error", text.buf ?: "out of memory");
	text_free(&text);
	return obj;
}

/**
 * control_get() - a string in a request
 * @request: the request
 * @key: of the string
 *
 * Return: the string, which the request owns, or NULL
 */
static const char *control_get(struct json_object *request, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(request, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/**
 * control_answer() - answer a request
 * @loader: the daemon
 * @request: the request, or NULL if it was no JSON
 *
 * Return: an object
 */
static struct json_object *control_answer(struct loader *loader, struct json_object *request)
{
	const char *command, *port;
	struct json_object *obj = NULL;

	if (!json_object_is_type(request, json_type_object))
		return control_error("a request is a JSON object");
	command = control_get(request, "command");
	port = control_get(request, "port");
	if (!command)
		return control_error("the request has no command");
	if (!strcmp(command, "list"))
		return control_each(loader, NULL, control_port);
	if (!strcmp(command, "show")) {
		obj = control_each(loader, port, control_show);
	} else if (!strcmp(command, "stats")) {
		obj = control_each(loader, port, control_stats);
	} else if (!strcmp(command, "detach")) {
		for (size_t i = 0; port && i < loader->conf.port_cnt && !obj; i++)
			if (!strcmp(port, loader->conf.ports[i].name))
				obj = control_detach(loader->ports[i]);
		if (!port)
			return control_error("detach needs a port");
	} else {
		return control_error("there is no command \"%s\"", command);
	}
	return obj ? obj : control_error("there is no port \"%s\"", port);
}

/**
 * control_close() - end a connection
 * @conn: the connection; freed
 */
static void control_close(struct control_conn *conn)
{
	struct control *control = conn->loader->control;

	TAILQ_REMOVE(&control->conns, conn, node);
	control->conn_cnt--;
	sd_event_source_disable_unref(conn->io);
	close(conn->fd);
	free(conn);
}

/**
 * control_read() - an operator has sent a request, or is gone
 * @source: the event source
 * @fd: the socket
 * @revents: what happened
 * @user: the connection; freed
 *
 * Return: 0
 */
static int control_read(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct control_conn *conn = user;
	char buf[CONTROL_REQUEST_MAX + 1];
	struct json_object *request, *answer;
	const char *text;
	size_t len;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	(void)source;
	(void)revents;
	if (n <= 0 || n > CONTROL_REQUEST_MAX) {
		control_close(conn);
		return 0;
	}
	buf[n] = 0;
	request = json_tokener_parse(buf);
	answer = control_answer(conn->loader, request);
	json_object_put(request);
	text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &len);
	if (len > CONTROL_ANSWER_MAX) {
		json_object_put(answer);
		answer = control_error("the answer is too long; ask for one port");
		text = json_object_to_json_string_length(answer, JSON_C_TO_STRING_PLAIN, &len);
	}
	if (send(fd, text, len, MSG_NOSIGNAL) < 0)
		log_msg(LOG_WARNING, NULL, "cannot answer an operator: %s", strerror(errno));
	json_object_put(answer);
	control_close(conn);
	return 0;
}

/**
 * control_accept() - an operator connects
 * @source: the event source
 * @fd: the socket that listens
 * @revents: what happened
 * @user: the daemon
 *
 * Return: 0
 */
static int control_accept(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct loader *loader = user;
	struct control *control = loader->control;
	struct control_conn *conn = NULL;
	struct ucred peer;
	int sock;

	(void)source;
	(void)revents;
	sock = sock_accept(fd, &peer);
	if (sock < 0)
		return 0;
	if (peer.uid && peer.uid != geteuid())
		log_msg(LOG_WARNING, NULL, "user %u is no operator", (unsigned int)peer.uid);
	else if (control->conn_cnt < CONTROL_CONNS)
		conn = calloc(1, sizeof(*conn));
	if (!conn) {
		close(sock);
		return 0;
	}
	conn->loader = loader;
	conn->fd = sock;
	TAILQ_INSERT_TAIL(&control->conns, conn, node);
	control->conn_cnt++;
	if (sd_event_add_io(loader->event, &conn->io, sock, EPOLLIN, control_read, conn))
		control_close(conn);
	return 0;
}

/**
 * control_start() - listen for the operator
 * @loader: the daemon
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
int control_start(struct loader *loader, struct text *why)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control) {
		text_add(why, "out of memory\n");
		return -ENOMEM;
	}
	TAILQ_INIT(&control->conns);
	control->fd = sock_listen(loader->conf.control, 0600, why);
	if (control->fd < 0) {
		err = control->fd;
		free(control);
		return err;
	}
	loader->control = control;
	err = sd_event_add_io(loader->event, &control->io, control->fd, EPOLLIN, control_accept,
			      loader);
	if (!err)
		err = sd_event_source_set_ratelimit(control->io, 1000000, 256);
	if (err)
		text_add(why, "cannot watch %s: %s\n", loader->conf.control, strerror(-err));
	return err;
}

/**
 * control_stop() - end all connections
 * @loader: the daemon
 */
void control_stop(struct loader *loader)
{
	struct control *control = loader->control;
	struct control_conn *conn, *next;

	if (!control)
		return;
	for (conn = TAILQ_FIRST(&control->conns); conn; conn = next) {
		next = TAILQ_NEXT(conn, node);
		control_close(conn);
	}
	sd_event_source_disable_unref(control->io);
	close(control->fd);
	unlink(loader->conf.control);
	free(control);
	loader->control = NULL;
}
