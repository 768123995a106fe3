// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The proxies' socket
 *
 * Everybody may connect; who it is comes from the kernel (SO_PEERCRED), and a
 * port is given to its configured uid alone, root included. Before a proxy has
 * said which port it speaks for, it has a few seconds, and few others of its
 * kind beside it: strangers (users that no port belongs to) share one allowance
 * so that they cannot keep the proxies out.
 *
 * A peer that breaks the rules of vbpf_loader.h is cut off and the reason is
 * logged. So is one that does not read its answers. It costs the tenant
 * nothing: a proxy that connects again within the linger time finds the port
 * as it was; after that time the port is released.
 *
 * There is one thread for all. Each port has a bucket of requests, and a request
 * that holds the thread up costs more than one; a proxy whose port has none left
 * is not read until it has. To connect anew does not shorten that. What takes
 * long is left to a worker: its port's next request is not read before the
 * worker has ended, so that a port's requests are done in their order.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch.h"
#include "load.h"
#include "log.h"
#include "server.h"
#include "sock.h"

#define SERVER_HELLO_SECONDS	5	/* to say HELLO in */
#define SERVER_WAITING		8	/* connections of one user without HELLO */
#define SERVER_TOKEN_USEC	500	/* of the daemon's time that cost one request more */
#define SERVER_SIGN_USEC	3000000	/* between signs of life to a proxy that waits */
#define SERVER_STALL_USEC	500000	/* a timer this late: the loop was held up */
#define SERVER_ACCEPT_USEC	10000	/* in which there are at most */
#define SERVER_ACCEPTS		64	/* connections accepted: what the queue holds */
#define SERVER_LOG_SECONDS	10	/* in which there are at most */
#define SERVER_LOG_LINES	100	/* lines about connections */
#define USEC			1000000ull

/**
 * struct conn - a connection
 * @node: in the server's list
 * @loader: the daemon
 * @fd: its socket
 * @io: its event source
 * @timer: at whose end it must have said HELLO, or NULL
 * @rest: at whose end it is read again, or NULL
 * @sign: at whose end it is told that it waits for a daemon that lives, or NULL
 * @peer: who is at the other end
 * @port: for which it speaks, or NULL before HELLO
 * @busy: a worker is at its request; it is not read
 * @type: of that request
 * @id: of that request
 */
struct conn {
	TAILQ_ENTRY(conn) node;
	struct loader *loader;
	int fd;
	sd_event_source *io;
	sd_event_source *timer;
	sd_event_source *rest;
	sd_event_source *sign;
	struct ucred peer;
	struct port *port;
	bool busy;
	uint16_t type;
	uint32_t id;
};

TAILQ_HEAD(conn_list, conn);

/**
 * struct server - the proxies' side of the daemon
 * @fd: socket that listens
 * @io: its event source
 * @clock: for clock_now()
 * @conns: connections
 * @log_since: when the lines about connections began to be counted
 * @log_cnt: lines since then, those that were not written included
 * @buf: room for one message
 */
struct server {
	int fd;
	sd_event_source *io;
	int clock;
	struct conn_list conns;
	uint64_t log_since;
	unsigned int log_cnt;
	char buf[VBPF_MSG_MAX];
};

/**
 * server_may_log() - may one more line about a connection be written?
 * @server: the proxies' side; counts it
 *
 * Everybody may connect, so everybody could fill the operator's disk.
 *
 * Return: whether it may
 */
static bool server_may_log(struct server *server)
{
	uint64_t now = bucket_now();

	if (now - server->log_since >= SERVER_LOG_SECONDS * USEC) {
		if (server->log_cnt > SERVER_LOG_LINES)
			log_msg(LOG_WARNING, NULL, "%u more lines about connections were left away",
				server->log_cnt - SERVER_LOG_LINES);
		server->log_since = now;
		server->log_cnt = 0;
	}
	return ++server->log_cnt <= SERVER_LOG_LINES;
}

/**
 * server_is_crowded() - does anybody wait for accept()?
 * @server: the proxies' side
 *
 * Return: whether somebody does, or none can be accepted now
 */
static bool server_is_crowded(const struct server *server)
{
	struct pollfd queue = { .fd = server->fd, .events = POLLIN };

	return poll(&queue, 1, 0) != 0;
}

/**
 * server_linger_end() - nobody came back for a port: release it
 * @source: the timer
 * @usec: when it was due
 * @user: the port
 *
 * If the loop was held up, or somebody crowds the socket, proxies may wait
 * unheard: they get another second.
 *
 * Return: 0
 */
static int server_linger_end(sd_event_source *source, uint64_t usec, void *user)
{
	struct port *port = user;

	if ((bucket_now() - usec > SERVER_STALL_USEC || server_is_crowded(port->server)) &&
	    sd_event_source_set_time_relative(source, USEC) >= 0 &&
	    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0)
		return 0;
	port->linger = sd_event_source_disable_unref(port->linger);
	log_msg(LOG_NOTICE, port->conf->name,
		"no proxy came back: %u programs and %u maps are released", port->prog_cnt,
		port->map_cnt);
	dispatch_release(port);
	return 0;
}

/**
 * server_linger() - let a port without a proxy keep its objects for a while
 * @loader: the daemon
 * @port: the port
 */
static void server_linger(struct loader *loader, struct port *port)
{
	int err;

	if (!port->prog_cnt && !port->map_cnt && port->record < 0)
		return;
	err = sd_event_add_time_relative(loader->event, &port->linger, CLOCK_MONOTONIC,
					 loader->conf.linger * USEC, 0, server_linger_end, port);
	if (!err)
		return;
	log_msg(LOG_ERR, port->conf->name, "no timer, so the port is released at once: %s",
		strerror(-err));
	dispatch_release(port);
}

/**
 * server_close() - end a connection
 * @conn: the connection; freed
 */
static void server_close(struct conn *conn)
{
	struct port *port = conn->port;

	TAILQ_REMOVE(&conn->loader->server->conns, conn, node);
	sd_event_source_disable_unref(conn->io);
	sd_event_source_disable_unref(conn->timer);
	sd_event_source_disable_unref(conn->rest);
	sd_event_source_disable_unref(conn->sign);
	close(conn->fd);
	if (port) {
		load_cancel(port);
		port->proxy = NULL;
		server_linger(conn->loader, port);
	}
	free(conn);
}

/**
 * server_cut() - end the connection of a peer that breaks the rules
 * @conn: the connection; freed
 * @reason: for the log
 */
static void server_cut(struct conn *conn, const char *reason)
{
	if (server_may_log(conn->loader->server))
		log_msg(LOG_WARNING, conn->port ? conn->port->conf->name : NULL,
			"the connection of process %d of user %u was cut: %s", (int)conn->peer.pid,
			(unsigned int)conn->peer.uid, reason);
	server_close(conn);
}

/**
 * server_send() - send a message
 * @conn: the connection; stays as it is
 * @type: VIRTIO_BPF_* or VBPF_MSG_*
 * @id: of the request that is answered, or 0
 * @answer: what to send
 *
 * Return: 0, or a negative errno; the caller then ends the connection
 */
static int server_send(struct conn *conn, uint16_t type, uint32_t id,
		       const struct answer *answer)
{
	const struct vbpf_msg msg = {
		.type = type,
		.id = id,
		.status = answer->status,
		.body = &answer->body,
		.body_len = answer->body_len,
		.text = answer->text.buf,
		.text_len = answer->text.len,
		.fd = answer->fd,
	};

	return vbpf_msg_send(conn->fd, &msg);
}

/**
 * server_event() - tell a port's guest of something
 * @port: the port; if no proxy takes it, a detachment is told to the next one
 * @type: VIRTIO_BPF_EVENT_*
 * @handle: of the object concerned, or 0
 * @sentence: for the guest's log; cut to what an event has room for
 *
 * A proxy that does not read loses its connection.
 *
 * Return: whether a proxy took it
 */
bool server_event(struct port *port, uint32_t type, uint32_t handle, const char *sentence)
{
	size_t len = strnlen(sentence, VIRTIO_BPF_EVENT_TEXT);
	struct virtio_bpf_event event = {
		.type = htole32(type),
		.handle = htole32(handle),
		.text_len = htole32((uint32_t)len),
	};
	const struct vbpf_msg msg = {
		.type = VBPF_MSG_EVENT,
		.body = &event,
		.body_len = sizeof(event),
		.fd = -1,
	};

	memcpy(event.text, sentence, len);
	if (port->proxy && !vbpf_msg_send(port->proxy->fd, &msg))
		return true;
	if (port->proxy)
		server_cut(port->proxy, "it is gone, or does not read what it is sent");
	if (type == VIRTIO_BPF_EVENT_DETACHED) {
		port->untold = true;
		port->untold_prog = handle;
	}
	return false;
}

/**
 * server_tell() - tell a port's guest of a detachment that it does not know of
 * @port: the port; has a proxy, which may lose its connection
 */
static void server_tell(struct port *port)
{
	if (!port->untold)
		return;
	port->untold = false;
	server_event(port, VIRTIO_BPF_EVENT_DETACHED, port->untold_prog,
		     "the host's TAP of this device had gone, or the device was out of reach");
}

/**
 * server_proxy_pid() - which process speaks for a port?
 * @port: the port
 *
 * Return: its pid, or 0 if there is none
 */
pid_t server_proxy_pid(const struct port *port)
{
	return port->proxy ? port->proxy->peer.pid : 0;
}

/**
 * server_config() - fill a port's device configuration space
 * @conf: the port
 * @config: filled
 */
static void server_config(const struct conf_port *conf, struct virtio_bpf_config *config)
{
	const struct conf_limits *limits = &conf->limits;

	*config = (struct virtio_bpf_config){
		.magic = htole32(VIRTIO_BPF_MAGIC),
		.version = htole16(VIRTIO_BPF_VERSION),
		.classes = htole16(1 << VIRTIO_BPF_CLASS_XDP),
		.max_insns = htole32(limits->max_insns),
		.max_progs = htole32(limits->max_progs),
		.max_maps = htole32(limits->max_maps),
		.max_entries = htole32(limits->max_entries),
		.max_key_size = htole32(limits->max_key_size),
		.max_value_size = htole32(limits->max_value_size),
		.max_text = htole32(VIRTIO_BPF_MAX_TEXT),
		.map_types = htole32(1u << BPF_MAP_TYPE_HASH | 1u << BPF_MAP_TYPE_ARRAY),
	};
	memcpy(config->mac, conf->mac, sizeof(config->mac));
}

/**
 * server_welcome() - give a proxy its port's state
 * @conn: the connection
 * @id: of its HELLO
 *
 * Return: 0, or a negative errno
 */
static int server_welcome(struct conn *conn, uint32_t id)
{
	struct port *port = conn->port;
	struct answer answer = { .fd = -1, .body_len = sizeof(answer.body.welcome) };
	const struct map *map;
	uint32_t maps = 0;
	int err;

	TAILQ_FOREACH(map, &port->maps, node)
		maps += !map->gone;
	server_config(port->conf, &answer.body.welcome.config);
	answer.body.welcome.map_cnt = htole32(maps);
	err = server_send(conn, VBPF_MSG_HELLO, id, &answer);
	answer.body_len = sizeof(answer.body.map);
	TAILQ_FOREACH(map, &port->maps, node) {
		if (err || map->gone)
			continue;
		dispatch_map_body(map, &answer.body.map);
		answer.fd = map->fd;
		err = server_send(conn, VBPF_MSG_MAP, 0, &answer);
	}
	return err;
}

/**
 * server_find() - the port of a name
 * @loader: the daemon
 * @name: the name
 *
 * Return: the port, or NULL
 */
static struct port *server_find(struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		if (!strcmp(loader->conf.ports[i].name, name))
			return loader->ports[i];
	return NULL;
}

/**
 * server_may_speak() - is a process one that may speak for a port?
 * @conf: the port
 * @peer: the process
 *
 * Return: whether it is
 */
static bool server_may_speak(const struct conf_port *conf, const struct ucred *peer)
{
	return conf->uid == peer->uid && (conf->gid == CONF_GID_ANY || conf->gid == peer->gid);
}

/**
 * server_refuse() - may a peer have the port that it asks for?
 * @conn: the connection
 * @msg: its HELLO
 * @port: set to the port, or NULL
 * @why: a sentence if not
 *
 * Whether a port exists is nobody's business who may not have it.
 *
 * A connection that makes room for this one may hold requests that were not
 * read. Who sent them has told its guest that they failed, or is no more: they
 * are forgotten, as if they had come a moment later.
 *
 * Return: 0, or a negative errno with @why
 */
static int server_refuse(struct conn *conn, const struct vbpf_msg *msg, struct port **port,
			 struct text *why)
{
	char name[VBPF_PORT_NAME_LEN];
	struct pollfd other;
	int err = wire_hello(msg->body, msg->body_len, name, why);

	*port = err ? NULL : server_find(conn->loader, name);
	if (err)
		return err;
	if (!*port || !server_may_speak((*port)->conf, &conn->peer)) {
		text_add(why, "user %u, group %u may not speak for a port of that name; the"
			 " loader's configuration names each port's user\n",
			 (unsigned int)conn->peer.uid, (unsigned int)conn->peer.gid);
		*port = NULL;
		return -EPERM;
	}
	if (!(*port)->proxy)
		return 0;
	/* One that has just died may not have been noticed yet. */
	other = (struct pollfd){ .fd = (*port)->proxy->fd };
	if (poll(&other, 1, 0) > 0 && other.revents & (POLLHUP | POLLERR)) {
		server_close((*port)->proxy);
		return 0;
	}
	text_add(why, "process %d speaks for port %s already\n",
		 (int)(*port)->proxy->peer.pid, name);
	return -EBUSY;
}

/**
 * server_rested() - a proxy's rest is over
 * @source: the timer
 * @usec: when it was due
 * @user: the connection
 *
 * Return: 0
 */
static int server_rested(sd_event_source *source, uint64_t usec, void *user)
{
	struct conn *conn = user;

	(void)source;
	(void)usec;
	conn->rest = sd_event_source_disable_unref(conn->rest);
	sd_event_source_set_enabled(conn->io, SD_EVENT_ON);
	return 0;
}

static int server_sign(sd_event_source *source, uint64_t usec, void *user);

/**
 * server_sign_later() - a proxy's requests wait: tell it soon, unless they are done
 * @conn: the connection
 */
static void server_sign_later(struct conn *conn)
{
	if (!conn->sign)
		sd_event_add_time_relative(conn->loader->event, &conn->sign, CLOCK_MONOTONIC,
					   SERVER_SIGN_USEC, 0, server_sign, conn);
}

/**
 * server_sign() - tell a proxy that this daemon lives, if it waits for it
 * @source: the timer
 * @usec: when it was due
 * @user: the connection; freed if the proxy does not read
 *
 * Return: 0
 */
static int server_sign(sd_event_source *source, uint64_t usec, void *user)
{
	const struct answer sign = { .fd = -1 };
	struct conn *conn = user;

	(void)source;
	(void)usec;
	conn->sign = sd_event_source_disable_unref(conn->sign);
	if (!conn->busy && !conn->rest)
		return 0;
	if (server_send(conn, VBPF_MSG_BUSY, 0, &sign))
		server_cut(conn, "it does not read what it is sent");
	else
		server_sign_later(conn);
	return 0;
}

/**
 * server_charge() - a proxy has had something done: when may it have the next?
 * @conn: the connection, which is read
 * @start: clock_now() at which that began
 */
static void server_charge(struct conn *conn, uint64_t start)
{
	const struct conf_limits *limits = &conn->port->conf->limits;
	struct bucket *bucket = &conn->port->requests;
	uint64_t cost = 1 + (clock_now(conn->loader->server->clock) - start) / SERVER_TOKEN_USEC;

	bucket_fill(bucket, limits->request_rate, limits->request_burst);
	bucket_take(bucket, cost * BUCKET_TOKEN);
	if (bucket->level > 0)
		return;
	if (!conn->rest &&
	    sd_event_add_time_relative(conn->loader->event, &conn->rest, CLOCK_MONOTONIC,
				       bucket_wait(bucket, limits->request_rate), 1000,
				       server_rested, conn) < 0)
		return;
	server_sign_later(conn);
	sd_event_source_set_enabled(conn->io, SD_EVENT_OFF);
}

/**
 * server_hello() - a peer says which port it speaks for
 * @conn: the connection; freed if it may not
 * @msg: its HELLO
 */
static void server_hello(struct conn *conn, const struct vbpf_msg *msg)
{
	uint64_t start = clock_now(conn->loader->server->clock);
	struct answer answer = { .fd = -1, .body_len = sizeof(answer.body.welcome) };
	struct port *port;
	int err;

	err = server_refuse(conn, msg, &port, &answer.text);
	if (err) {
		answer.status = wire_status(err);
		server_send(conn, VBPF_MSG_HELLO, msg->id, &answer);
		if (server_may_log(conn->loader->server))
			log_msg(LOG_WARNING, port ? port->conf->name : NULL,
				"HELLO of process %d of user %u was refused: %.*s",
				(int)conn->peer.pid, (unsigned int)conn->peer.uid,
				(int)strcspn(answer.text.buf ?: "", "\n"), answer.text.buf ?: "");
		answer_free(&answer);
		server_close(conn);
		return;
	}
	conn->timer = sd_event_source_disable_unref(conn->timer);
	port->linger = sd_event_source_disable_unref(port->linger);
	conn->port = port;
	port->proxy = conn;
	if (server_may_log(conn->loader->server))
		log_msg(LOG_INFO, port->conf->name, "process %d of user %u is the port's proxy",
			(int)conn->peer.pid, (unsigned int)conn->peer.uid);
	if (server_welcome(conn, msg->id)) {
		server_cut(conn, "it does not read what it is sent");
		return;
	}
	server_charge(conn, start);
	server_tell(port);
}

/**
 * server_answer() - answer a request
 * @conn: the connection; freed if the proxy does not read its answers
 * @type: of the request
 * @id: of the request
 * @answer: the answer; freed
 * @start: clock_now() at which work on it began
 */
static void server_answer(struct conn *conn, uint16_t type, uint32_t id, struct answer *answer,
			  uint64_t start)
{
	int err = server_send(conn, type, id, answer);

	answer_free(answer);
	if (err) {
		server_cut(conn, "it does not read what it is sent");
		return;
	}
	server_charge(conn, start);
	server_tell(conn->port);
}

/**
 * server_request() - a proxy sends a request
 * @conn: the connection; freed if the proxy does not read its answers
 * @msg: the request
 *
 * While a worker is at it, the connection is watched for its end alone.
 */
static void server_request(struct conn *conn, const struct vbpf_msg *msg)
{
	uint64_t start = clock_now(conn->loader->server->clock);
	struct answer answer;

	if (dispatch(conn->port, msg, &answer)) {
		server_answer(conn, msg->type, msg->id, &answer, start);
		return;
	}
	answer_free(&answer);
	conn->busy = true;
	conn->type = msg->type;
	conn->id = msg->id;
	server_sign_later(conn);
	server_charge(conn, start);
	sd_event_source_set_enabled(conn->io, SD_EVENT_ON);
	sd_event_source_set_io_events(conn->io, 0);
}

/**
 * server_go_on() - read a connection again that a worker was busy for
 * @conn: the connection; if it is to rest, after that
 */
static void server_go_on(struct conn *conn)
{
	conn->busy = false;
	sd_event_source_set_io_events(conn->io, EPOLLIN);
	if (conn->rest)
		sd_event_source_set_enabled(conn->io, SD_EVENT_OFF);
}

/**
 * server_loaded() - a worker has ended
 * @port: for which it was; its proxy is the one that asked
 */
static void server_loaded(struct port *port)
{
	struct conn *conn = port->proxy;
	uint64_t start = clock_now(conn->loader->server->clock);
	struct answer answer;

	dispatch_finish(port, conn->type, &answer);
	server_go_on(conn);
	server_answer(conn, conn->type, conn->id, &answer, start);
}

/**
 * server_gone() - a proxy has gone while a worker was busy for it
 * @conn: the connection; what the proxy sent before it went is still read
 */
static void server_gone(struct conn *conn)
{
	load_cancel(conn->port);
	server_go_on(conn);
}

/**
 * server_read() - a peer has sent something, or is gone
 * @source: the event source
 * @fd: the socket
 * @revents: what happened
 * @user: the connection
 *
 * Return: 0
 */
static int server_read(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct conn *conn = user;
	struct server *server = conn->loader->server;
	struct vbpf_msg msg = { .fd = -1 };
	int ret;

	(void)source;
	(void)revents;
	if (conn->busy) {
		server_gone(conn);
		return 0;
	}
	ret = vbpf_msg_recv(fd, server->buf, sizeof(server->buf), &msg);
	if (msg.fd >= 0) {
		close(msg.fd);
		server_cut(conn, "it sent an fd");
	} else if (ret == -EAGAIN) {
		return 0;
	} else if (ret == -EPROTO) {
		server_cut(conn, "it sent what is no message");
	} else if (ret <= 0) {
		server_close(conn);
	} else if (msg.status || msg.text_len) {
		server_cut(conn, "its request has a status or text");
	} else if (!conn->port != (msg.type == VBPF_MSG_HELLO)) {
		server_cut(conn, conn->port ? "it said HELLO twice" : "it did not say HELLO");
	} else if (!conn->port) {
		server_hello(conn, &msg);
	} else {
		server_request(conn, &msg);
	}
	return 0;
}

/**
 * server_late() - a peer did not say HELLO in time
 * @source: the timer
 * @usec: when it was due
 * @user: the connection
 *
 * Return: 0
 */
static int server_late(sd_event_source *source, uint64_t usec, void *user)
{
	(void)source;
	(void)usec;
	server_cut(user, "it did not say HELLO in time");
	return 0;
}

/**
 * server_is_stranger() - does no port belong to a user?
 * @loader: the daemon
 * @uid: the user
 *
 * Return: whether none does
 */
static bool server_is_stranger(const struct loader *loader, uid_t uid)
{
	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		if (loader->conf.ports[i].uid == uid)
			return false;
	return true;
}

/**
 * server_has_room() - may one more connection of a user wait for its HELLO?
 * @loader: the daemon
 * @uid: the user
 *
 * Return: whether it may
 */
static bool server_has_room(const struct loader *loader, uid_t uid)
{
	bool stranger = server_is_stranger(loader, uid);
	const struct conn *conn;
	unsigned int waiting = 0;

	TAILQ_FOREACH(conn, &loader->server->conns, node)
		waiting += !conn->port &&
			   (stranger ? server_is_stranger(loader, conn->peer.uid) :
				       conn->peer.uid == uid);
	return waiting < SERVER_WAITING;
}

/**
 * server_accept() - a peer connects
 * @source: the event source
 * @fd: the socket that listens
 * @revents: what happened
 * @user: the daemon
 *
 * Return: 0
 */
static int server_accept(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct loader *loader = user;
	struct ucred peer;
	struct conn *conn;
	int sock;

	(void)source;
	(void)revents;
	sock = sock_accept(fd, &peer);
	if (sock < 0) {
		if (sock != -EAGAIN && sock != -ECONNABORTED && server_may_log(loader->server))
			log_msg(LOG_ERR, NULL, "cannot accept a connection: %s",
				strerror(-sock));
		return 0;
	}
	conn = server_has_room(loader, peer.uid) ? calloc(1, sizeof(*conn)) : NULL;
	if (!conn) {
		if (server_may_log(loader->server))
			log_msg(LOG_WARNING, NULL, "user %u has too many connections without HELLO",
				(unsigned int)peer.uid);
		close(sock);
		return 0;
	}
	conn->loader = loader;
	conn->fd = sock;
	conn->peer = peer;
	TAILQ_INSERT_TAIL(&loader->server->conns, conn, node);
	if (sd_event_add_io(loader->event, &conn->io, sock, EPOLLIN, server_read, conn) ||
	    sd_event_add_time_relative(loader->event, &conn->timer, CLOCK_MONOTONIC,
				       SERVER_HELLO_SECONDS * USEC, 0, server_late, conn))
		server_cut(conn, "the daemon is out of memory");
	return 0;
}

/**
 * server_add() - let a port have a proxy
 * @loader: the daemon
 * @port: the port; starts to linger if it has something
 */
void server_add(struct loader *loader, struct port *port)
{
	port->server = loader->server;
	port->loaded = server_loaded;
	server_linger(loader, port);
}

/**
 * server_drop() - end a port's connection and release the port
 * @port: the port
 * @reason: for the guest and the log
 */
void server_drop(struct port *port, const char *reason)
{
	if (server_event(port, VIRTIO_BPF_EVENT_LOST, 0, reason))
		server_cut(port->proxy, reason);
	port->linger = sd_event_source_disable_unref(port->linger);
	dispatch_release(port);
}

/**
 * server_recheck() - does a port's proxy still fit its configuration?
 * @port: the port, whose configuration has changed
 */
void server_recheck(struct port *port)
{
	if (port->proxy && !server_may_speak(port->conf, &port->proxy->peer))
		server_cut(port->proxy, "the configuration does not allow its group any more");
}

/**
 * server_start() - listen for proxies
 * @loader: the daemon; its ports are recovered
 * @why: a sentence if that fails
 *
 * Ports that have something start to linger.
 *
 * Return: 0, or a negative errno with @why
 */
int server_start(struct loader *loader, struct text *why)
{
	struct server *server = calloc(1, sizeof(*server));
	int err;

	if (!server) {
		text_add(why, "out of memory\n");
		return -ENOMEM;
	}
	TAILQ_INIT(&server->conns);
	server->clock = clock_open();
	server->fd = sock_listen(loader->conf.socket, 0666, why);
	if (server->fd < 0) {
		err = server->fd;
		if (server->clock >= 0)
			close(server->clock);
		free(server);
		return err;
	}
	err = sd_event_add_io(loader->event, &server->io, server->fd, EPOLLIN, server_accept,
			      loader);
	/* If accept() fails without end (no fds left), do not spin. */
	if (!err)
		err = sd_event_source_set_ratelimit(server->io, SERVER_ACCEPT_USEC,
						    SERVER_ACCEPTS);
	loader->server = server;
	if (err) {
		text_add(why, "cannot watch %s: %s\n", loader->conf.socket, strerror(-err));
		return err;
	}
	for (size_t i = 0; i < loader->conf.port_cnt; i++)
		server_add(loader, loader->ports[i]);
	return 0;
}

/**
 * server_stop() - end all connections; what ports have stays in bpffs
 * @loader: the daemon
 */
void server_stop(struct loader *loader)
{
	struct server *server = loader->server;
	struct conn *conn, *next;

	if (!server)
		return;
	for (size_t i = 0; i < loader->conf.port_cnt; i++) {
		struct port *port = loader->ports[i];

		load_cancel(port);
		if (port->proxy)
			port->proxy->port = NULL;
		port->proxy = NULL;
		port->linger = sd_event_source_disable_unref(port->linger);
	}
	for (conn = TAILQ_FIRST(&server->conns); conn; conn = next) {
		next = TAILQ_NEXT(conn, node);
		server_close(conn);
	}
	sd_event_source_disable_unref(server->io);
	if (server->clock >= 0)
		close(server->clock);
	close(server->fd);
	unlink(loader->conf.socket);
	free(server);
	loader->server = NULL;
}
