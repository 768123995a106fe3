// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The connection to the host's loader
 *
 * The porter connects; the proxy says which port it is for, and gets the device's
 * configuration and the maps that exist. From then on requests of the guest go
 * over, several at a time, and their answers come back in whatever order. Each
 * has an id of a slot and a count, so that an answer that nobody asked for is
 * recognised: a loader that breaks a rule is hung up on, like one that went
 * away, and called again, first after 250 ms, then less often, up to 2 s.
 *
 * The guest's requests never wait for a loader that is away: they fail with a
 * sentence. A loader that is there and gives no sign of life while requests wait
 * is taken for one that is away; it says so if it is only busy. What a guest gave
 * up (by a reset) is given up at the loader as soon as there is one.
 *
 * A request whose message does not fit into the socket's buffer is kept, and
 * loader_has_room() says no until it went.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <time.h>

#include "loader.h"
#include "log.h"
#include "porter.h"

#define DELAY_MIN_MS	250
#define DELAY_MAX_MS	2000

/* Messages taken in at one wake-up, so that other sources get their turn */
#define RECV_AT_ONCE	16

/* Linux shows no more than 80 bytes of such a sentence to who calls ip. */
static const char away[] = "the host's loader is not running; try again later";
static const char silent[] = "the host's loader does not answer; try again later";

static void connection_lost(struct loader *l, const char *why);
static void connect_soon(struct loader *l);
static int on_overdue(sd_event_source *s, uint64_t usec, void *data);

/**
 * call_id() - the id of a call's message
 * @l: the connection
 * @c: the call
 *
 * Return: the id, never 0
 */
static uint32_t call_id(const struct loader *l, const struct call *c)
{
	return (uint32_t)c->gen << 16 | (uint32_t)(c - l->calls + 1);
}

/**
 * now_us() - the time
 *
 * Return: microseconds of the monotonic clock
 */
static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/**
 * watch_clock() - set the watchdog to the first answer that is due
 * @l: the connection
 *
 * Without a timer all works but this.
 */
static void watch_clock(struct loader *l)
{
	uint64_t first = UINT64_MAX;

	for (const struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
		if (c->busy && c->until < first)
			first = c->until;
	if (!l->watchdog)
		sd_event_add_time(l->event, &l->watchdog, CLOCK_MONOTONIC, first, 0, on_overdue, l);
	if (!l->watchdog)
		return;
	sd_event_source_set_time(l->watchdog, first);
	sd_event_source_set_enabled(l->watchdog,
				    first == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/**
 * call_new() - take a slot for a call
 * @l: the connection
 * @type: of the message
 * @rq: who waits, or NULL
 *
 * Return: the call, or NULL if all slots are in use
 */
static struct call *call_new(struct loader *l, uint16_t type, struct request *rq)
{
	for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++) {
		if (c->busy)
			continue;
		c->busy = true;
		c->stale = false;
		c->type = type;
		c->gen++;
		c->rq = rq;
		c->until = now_us() + l->answer_ms * 1000ull;
		l->waiting += rq != NULL;
		watch_clock(l);
		return c;
	}
	return NULL;
}

/**
 * call_end() - give a call's slot back
 * @l: the connection
 * @c: the call
 *
 * Return: who waited, or NULL
 */
static struct request *call_end(struct loader *l, struct call *c)
{
	struct request *rq = c->rq;

	l->waiting -= rq != NULL;
	c->busy = false;
	c->rq = NULL;
	watch_clock(l);
	return rq;
}

/**
 * call_find() - find the call that an answer belongs to
 * @l: the connection
 * @id: of the answer
 *
 * Return: the call, or NULL if none has that id
 */
static struct call *call_find(struct loader *l, uint32_t id)
{
	uint32_t slot = (id & 0xffff) - 1;

	if (slot >= LOADER_CALLS || !l->calls[slot].busy || call_id(l, &l->calls[slot]) != id ||
	    &l->calls[slot] == l->unsent)
		return NULL;
	return &l->calls[slot];
}

/**
 * fail_calls() - end every call without an answer
 * @l: the connection
 * @status: for those who wait
 * @why: a sentence for those who wait
 * @forget: free the slots too; else the answers may still come
 */
static void fail_calls(struct loader *l, uint32_t status, const char *why, bool forget)
{
	for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++) {
		struct request *rq = c->rq;

		if (!c->busy)
			continue;
		if (forget || c == l->unsent) {
			if (c == l->unsent)
				l->unsent = NULL;
			call_end(l, c);
		} else if (rq) {
			c->rq = NULL;
			l->waiting--;
		}
		if (rq)
			l->ops->failed(l->data, rq, status, why);
	}
}

/**
 * wants_out() - whether something could be sent if the socket has room
 * @l: the connection
 *
 * A reset that no slot is free for has to wait for an answer, not for room.
 *
 * Return: true if so
 */
static bool wants_out(const struct loader *l)
{
	if (l->unsent)
		return true;
	if (l->state != LOADER_UP || !l->reset_due)
		return false;
	for (const struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
		if (!c->busy)
			return true;
	return false;
}

/**
 * watch() - set what the socket is watched for
 * @l: the connection, which has a socket
 */
static void watch(struct loader *l)
{
	sd_event_source_set_io_events(l->io, EPOLLIN | (wants_out(l) ? EPOLLOUT : 0));
}

/**
 * call_send() - send a call's message
 * @l: the connection, up
 * @c: the call; if the socket is full it becomes the unsent one
 * @body: of the message
 * @len: bytes of @body
 *
 * Return: 0, or the -errno that ends the connection
 */
static int call_send(struct loader *l, struct call *c, const void *body, size_t len)
{
	struct vbpf_msg m = {
		.type = c->type, .id = call_id(l, c), .body = body, .body_len = len, .fd = -1,
	};
	int err = vbpf_msg_send(l->sock, &m);

	l->unsent = err == -EAGAIN ? c : NULL;
	if (!err && c->rq)
		request_forget(c->rq);
	return err == -EAGAIN ? 0 : err;
}

/**
 * send_due() - send what the socket had no room for
 * @l: the connection, up
 *
 * Return: 0, or the -errno that ends the connection
 */
static int send_due(struct loader *l)
{
	struct call *c = l->unsent;
	int err = 0;

	if (c)
		err = call_send(l, c, c->rq->body, c->rq->len);
	if (err || l->unsent || !l->reset_due)
		return err;
	err = loader_tell(l, VBPF_MSG_RESET, NULL, 0);
	l->reset_due = err == -EAGAIN;
	return err == -EAGAIN ? 0 : err;
}

/**
 * first_line() - the length of a text's first line
 * @text: the text
 * @len: bytes of @text
 *
 * Return: bytes up to the newline, or @len
 */
static size_t first_line(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end ? (size_t)(end - text) : len;
}

/**
 * take_welcome() - take the answer to hello
 * @l: the connection
 * @m: the message
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take_welcome(struct loader *l, const struct vbpf_msg *m)
{
	struct call *c = call_find(l, m->id);
	struct vbpf_welcome w;
	int err;

	if (!c || m->type != VBPF_MSG_HELLO || m->fd >= 0)
		return -EPROTO;
	call_end(l, c);
	if (m->status) {
		if (!l->said_refused)
			log_msg("the loader does not serve port '%s': %.*s", l->port,
				(int)first_line(m->text, m->text_len), m->text);
		l->said_refused = true;
		return -EACCES;
	}
	if (m->body_len != sizeof(w))
		return -EPROTO;
	memcpy(&w, m->body, sizeof(w));
	if (w.reserved)
		return -EPROTO;
	l->maps_left = le32toh(w.map_cnt);
	l->state = LOADER_MAPS;
	err = l->ops->welcome(l->data, &w);
	l->said_refused |= err != 0;
	return err;
}

/**
 * take_map() - take one of the maps that exist
 * @l: the connection
 * @m: the message, whose fd passes to the owner of @l
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take_map(struct loader *l, const struct vbpf_msg *m)
{
	struct vbpf_map map;

	if (m->type != VBPF_MSG_MAP || m->id || m->body_len != sizeof(map) || m->fd < 0) {
		if (m->fd >= 0)
			close(m->fd);
		return -EPROTO;
	}
	memcpy(&map, m->body, sizeof(map));
	l->maps_left--;
	return l->ops->map(l->data, &map, m->fd);
}

/**
 * take_event() - take an event
 * @l: the connection
 * @m: the message
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take_event(struct loader *l, const struct vbpf_msg *m)
{
	struct virtio_bpf_event ev;

	if (m->id || m->body_len != sizeof(ev) || m->fd >= 0)
		return -EPROTO;
	memcpy(&ev, m->body, sizeof(ev));
	if (!ev.type || ev.reserved || le32toh(ev.text_len) > VIRTIO_BPF_EVENT_TEXT)
		return -EPROTO;
	l->ops->event(l->data, &ev);
	return 0;
}

/**
 * take_busy() - the loader has not got to what waits, but lives
 * @l: the connection
 * @m: the message
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take_busy(struct loader *l, const struct vbpf_msg *m)
{
	uint64_t until = now_us() + l->answer_ms * 1000ull;

	if (m->id || m->body_len || m->fd >= 0)
		return -EPROTO;
	for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
		c->until = until;
	watch_clock(l);
	return 0;
}

/**
 * take_answer() - take the answer to a call
 * @l: the connection, up
 * @m: the message, whose fd passes to the owner of @l
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take_answer(struct loader *l, const struct vbpf_msg *m)
{
	struct call *c = call_find(l, m->id);
	struct request *rq;
	bool stale;
	int err;

	if (!c || c->type != m->type)
		goto bad;
	if (m->fd >= 0 && (m->type != VIRTIO_BPF_MAP_CREATE || m->status))
		goto bad;
	stale = c->stale;
	rq = call_end(l, c);
	if (stale || m->type == VBPF_MSG_RESET) {
		if (m->fd >= 0)
			close(m->fd);
		return 0;
	}
	err = l->ops->answer(l->data, rq, m);
	if (err && rq)
		l->ops->failed(l->data, rq, VIRTIO_BPF_S_IO,
			       "the host's loader gave an answer that makes no sense");
	return err;
bad:
	if (m->fd >= 0)
		close(m->fd);
	return -EPROTO;
}

/**
 * take() - take one message, by the connection's state
 * @l: the connection
 * @m: the message; its fd is taken or closed
 *
 * Return: 0, or the -errno that ends the connection
 */
static int take(struct loader *l, struct vbpf_msg *m)
{
	bool reset = l->reset_due;
	int err;

	switch (l->state) {
	case LOADER_HELLO:
		err = take_welcome(l, m);
		if (err && m->fd >= 0)
			close(m->fd);
		break;
	case LOADER_MAPS:
		err = take_map(l, m);
		break;
	default:
		if (m->type == VBPF_MSG_EVENT)
			err = take_event(l, m);
		else if (m->type == VBPF_MSG_BUSY)
			err = take_busy(l, m);
		else
			return take_answer(l, m);
		if (err && m->fd >= 0)
			close(m->fd);
		return err;
	}
	if (err || l->maps_left)
		return err;
	l->state = LOADER_UP;
	l->delay_ms = DELAY_MIN_MS;
	if (l->said_away || l->said_refused)
		log_msg("the loader is back");
	l->said_away = false;
	l->said_refused = false;
	err = send_due(l);
	if (!err)
		l->ops->up(l->data, !reset);
	return err;
}

/**
 * serve() - do what the socket is ready for
 * @l: the connection, which has a socket
 * @events: EPOLLIN and so on
 */
static void serve(struct loader *l, uint32_t events)
{
	struct vbpf_msg m = { .fd = -1 };
	int ret = 0;

	if ((events & EPOLLOUT) && l->state == LOADER_UP)
		ret = send_due(l);
	for (int i = 0; !ret && i < RECV_AT_ONCE && l->sock >= 0; i++) {
		ret = vbpf_msg_recv(l->sock, l->buf, sizeof(l->buf), &m);
		if (ret == -EAGAIN) {
			ret = 0;
			break;
		}
		if (ret == 0) {
			connection_lost(l, "it hung up");
			return;
		}
		if (ret > 0)
			ret = take(l, &m);
	}
	if (l->sock < 0)
		return;
	if (ret)
		connection_lost(l, ret == -EPROTO ? "it broke the protocol" : strerror(-ret));
	else
		watch(l);
}

/**
 * on_io() - the socket is ready
 * @s: unused
 * @fd: unused
 * @revents: for what
 * @data: the connection
 *
 * Return: 0
 */
static int on_io(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	(void)s;
	(void)fd;
	serve(data, revents);
	return 0;
}

/**
 * on_timer() - it is time to try again
 * @s: unused
 * @usec: unused
 * @data: the connection
 *
 * Return: 0
 */
static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
	(void)s;
	(void)usec;
	connect_soon(data);
	return 0;
}

/**
 * retry_later() - set the timer for the next attempt
 * @l: the connection, down
 */
static void retry_later(struct loader *l)
{
	uint64_t usec = l->delay_ms * 1000ull;

	l->delay_ms = l->delay_ms * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : l->delay_ms * 2;
	if (!l->timer &&
	    sd_event_add_time(l->event, &l->timer, CLOCK_MONOTONIC, 0, 0, on_timer, l) < 0) {
		log_msg("cannot set a timer: this proxy will not find the loader again");
		return;
	}
	sd_event_source_set_time_relative(l->timer, usec);
	sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

/**
 * hang_up() - end the connection
 * @l: the connection; requests that wait fail
 */
static void hang_up(struct loader *l)
{
	l->io = sd_event_source_disable_unref(l->io);
	if (l->sock >= 0)
		close(l->sock);
	l->sock = -1;
	l->state = LOADER_DOWN;
	l->maps_left = 0;
	fail_calls(l, VIRTIO_BPF_S_NODEV, away, true);
}

/**
 * loader_close() - end the connection, and try no more
 * @l: the connection; requests that wait fail
 */
void loader_close(struct loader *l)
{
	hang_up(l);
	l->timer = sd_event_source_disable_unref(l->timer);
	l->watchdog = sd_event_source_disable_unref(l->watchdog);
	l->knock = sd_event_source_disable_unref(l->knock);
}

/**
 * last_events() - take the events that came before the connection broke
 * @l: the connection
 *
 * The loader takes them for told. Answers are not looked at: what waits fails.
 */
static void last_events(struct loader *l)
{
	bool up = l->state == LOADER_UP;

	l->state = LOADER_DOWN;
	for (int i = 0; up && i < RECV_AT_ONCE; i++) {
		struct vbpf_msg m = { .fd = -1 };

		if (vbpf_msg_recv(l->sock, l->buf, sizeof(l->buf), &m) != 1)
			break;
		if (m.type == VBPF_MSG_EVENT)
			take_event(l, &m);
		if (m.fd >= 0)
			close(m.fd);
	}
}

/**
 * connection_lost() - the connection broke: try again later
 * @l: the connection
 * @why: for the operator
 *
 * A reset that the loader has not confirmed is due again.
 */
static void connection_lost(struct loader *l, const char *why)
{
	for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
		if (c->busy && c->type == VBPF_MSG_RESET)
			l->reset_due = true;
	if (!l->said_away && !l->said_refused)
		log_msg("no connection to the loader at %s: %s; trying again", l->path, why);
	l->said_away = true;
	last_events(l);
	hang_up(l);
	retry_later(l);
}

/**
 * on_overdue() - an answer did not come in time
 * @s: unused
 * @usec: unused
 * @data: the connection
 *
 * Return: 0
 */
static int on_overdue(sd_event_source *s, uint64_t usec, void *data)
{
	struct loader *l = data;

	(void)s;
	(void)usec;
	fail_calls(l, VIRTIO_BPF_S_NODEV, silent, false);
	connection_lost(l, "it does not answer");
	return 0;
}

/**
 * loader_attach() - take a connected socket and say hello
 * @l: the connection, down
 * @sock: SOCK_SEQPACKET, does not block; owned by @l in any case
 *
 * Return: 0, or a negative errno
 */
int loader_attach(struct loader *l, int sock)
{
	struct vbpf_hello hello = { 0 };
	struct vbpf_msg m = {
		.type = VBPF_MSG_HELLO, .body = &hello, .body_len = sizeof(hello), .fd = -1,
	};
	int size = 2 * VBPF_MSG_MAX, err;
	struct call *c;

	memcpy(hello.port, l->port, strlen(l->port));
	/* The kernel bounds this; a program of any length must fit at least. */
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c = call_new(l, VBPF_MSG_HELLO, NULL);
	m.id = call_id(l, c);
	l->sock = sock;
	l->state = LOADER_HELLO;
	err = vbpf_msg_send(sock, &m);
	if (!err)
		err = sd_event_add_io(l->event, &l->io, sock, EPOLLIN, on_io, l);
	if (err < 0)
		connection_lost(l, strerror(-err));
	return err < 0 ? err : 0;
}

/**
 * on_knock() - the porter has connected, or could not
 * @s: unused
 * @fd: socket to the porter
 * @revents: unused
 * @data: the connection
 *
 * Return: 0
 */
static int on_knock(sd_event_source *s, int fd, uint32_t revents, void *data)
{
	struct loader *l = data;
	int sock, err = porter_take(fd, &sock);

	(void)s;
	(void)revents;
	if (err == -EPIPE)
		sd_event_exit(l->event, 1);
	if (err)
		return 0;
	if (sock < 0)
		connection_lost(l, strerror(-sock));
	else if (l->state == LOADER_DOWN)
		loader_attach(l, sock);
	else
		close(sock);
	return 0;
}

/**
 * connect_soon() - have the porter connect; if that fails, again later
 * @l: the connection, down
 */
static void connect_soon(struct loader *l)
{
	int err = porter_ask_call(l->door);

	if (err)
		connection_lost(l, strerror(-err));
}

/**
 * loader_start() - connect, now and whenever the connection is lost
 * @l: the connection, down
 * @door: socket to the porter; must stay until loader_close()
 *
 * Return: 0, or a negative errno
 */
int loader_start(struct loader *l, int door)
{
	int err = sd_event_add_io(l->event, &l->knock, door, EPOLLIN, on_knock, l);

	if (err < 0)
		return err;
	l->door = door;
	connect_soon(l);
	return 0;
}

/**
 * loader_init() - make a connection that is down
 * @l: filled; end with loader_close()
 * @event: the loop
 * @path: of the loader's socket; must stay
 * @port: name of the port; must stay
 * @ops: whom it serves
 * @data: for @ops
 *
 * Return: 0, or -ENAMETOOLONG if @path or @port is too long
 */
int loader_init(struct loader *l, sd_event *event, const char *path, const char *port,
		const struct loader_ops *ops, void *data)
{
	struct sockaddr_un addr;

	memset(l, 0, sizeof(*l));
	l->event = event;
	l->path = path;
	l->port = port;
	l->ops = ops;
	l->data = data;
	l->sock = -1;
	l->door = -1;
	l->answer_ms = LOADER_ANSWER_MS;
	l->delay_ms = DELAY_MIN_MS;
	if (strlen(path) >= sizeof(addr.sun_path) || strlen(port) >= VBPF_PORT_NAME_LEN)
		return -ENAMETOOLONG;
	return 0;
}

/**
 * loader_has_room() - whether another request can go to the loader
 * @l: the connection
 *
 * Return: true if so, and if the loader is away, since then nothing waits
 */
bool loader_has_room(const struct loader *l)
{
	return !l->unsent && l->waiting < LOADER_WAITING;
}

/**
 * loader_request() - hand a request of the guest to the loader
 * @l: the connection; loader_has_room() said yes
 * @rq: the request; must stay until ops->answer() or ops->failed(), which may
 *      come before this returns
 */
void loader_request(struct loader *l, struct request *rq)
{
	struct call *c;
	int err;

	if (l->state != LOADER_UP) {
		l->ops->failed(l->data, rq, VIRTIO_BPF_S_NODEV, away);
		return;
	}
	/* What comes after a reset must not overtake it. */
	if (l->reset_due)
		send_due(l);
	c = l->reset_due ? NULL : call_new(l, (uint16_t)rq->type, rq);
	if (!c) {
		l->ops->failed(l->data, rq, VIRTIO_BPF_S_AGAIN,
			       "too many requests wait for the host's loader; try again");
		return;
	}
	err = call_send(l, c, rq->body, rq->len);
	if (err)
		connection_lost(l, strerror(-err));
	else
		watch(l);
}

/**
 * loader_tell() - send the loader something that no request of the guest is
 * @l: the connection
 * @type: of the message
 * @body: of the message
 * @len: bytes of @body
 *
 * Return: 0; -EAGAIN if that cannot go now; -ENOTCONN; or another -errno that
 * the connection will end with
 */
int loader_tell(struct loader *l, uint16_t type, const void *body, size_t len)
{
	struct vbpf_msg m = { .type = type, .body = body, .body_len = len, .fd = -1 };
	struct call *c;
	int err;

	if (l->state != LOADER_UP)
		return -ENOTCONN;
	c = call_new(l, type, NULL);
	if (!c)
		return -EAGAIN;
	m.id = call_id(l, c);
	err = vbpf_msg_send(l->sock, &m);
	if (err)
		call_end(l, c);
	return err;
}

/**
 * loader_reset() - have the loader release everything, now or when it is back
 * @l: the connection; requests that wait fail
 */
void loader_reset(struct loader *l)
{
	fail_calls(l, VIRTIO_BPF_S_NODEV, "the device was reset", false);
	for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
		c->stale = c->busy;
	l->reset_due = true;
	if (l->state != LOADER_UP)
		return;
	/* An error shows on the socket as well and is dealt with there. */
	send_due(l);
	watch(l);
}

/**
 * serve_until() - serve the socket alone for a while, outside the loop
 * @l: the connection
 * @until: end of the while, by now_us()
 *
 * Return: false if the connection is down or the time is over
 */
static bool serve_until(struct loader *l, uint64_t until)
{
	uint64_t now = now_us();
	struct pollfd p = { .fd = l->sock, .events = POLLIN };

	if (l->sock < 0 || now >= until)
		return false;
	if (wants_out(l))
		p.events |= POLLOUT;
	if (poll(&p, 1, (int)((until - now + 999) / 1000)) > 0)
		serve(l, (uint32_t)p.revents);
	return true;
}

/**
 * loader_drain() - let no request of the guest wait any longer
 * @l: the connection
 * @ms: time for the loader to answer; what it does not answer by then fails
 */
void loader_drain(struct loader *l, unsigned int ms)
{
	uint64_t until = now_us() + ms * 1000ull;

	while (l->waiting && serve_until(l, until))
		;
	if (l->waiting)
		fail_calls(l, VIRTIO_BPF_S_AGAIN,
			   "the host's loader took too long while the device stopped; try again",
			   false);
}

/**
 * loader_wait_reset() - let the loader confirm the resets it was told of
 * @l: the connection
 * @ms: time for that
 *
 * Return: true if it did
 */
bool loader_wait_reset(struct loader *l, unsigned int ms)
{
	uint64_t until = now_us() + ms * 1000ull;

	for (;;) {
		bool open = l->reset_due;

		for (struct call *c = l->calls; c < l->calls + LOADER_CALLS; c++)
			open |= c->busy && c->type == VBPF_MSG_RESET;
		if (!open)
			return true;
		if (!serve_until(l, until))
			return false;
	}
}
