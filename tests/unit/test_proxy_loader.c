// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a loader may send to the proxy, good and bad
 *
 * The test is the loader, at the other end of a socketpair. Maps are real ones:
 * making them takes root.
 */
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ktap.h"
#include "loader.h"
#include "log.h"
#include "maps.h"
#include "request.h"

/**
 * log_msg() - in place of the proxy's: what a test provokes is not worth a line
 * @fmt: unused
 */
void log_msg(const char *fmt, ...)
{
	(void)fmt;
}

/**
 * struct bench - a connection under test, with us as the loader
 * @event: a loop
 * @l: the connection
 * @sock: our end, or -1
 * @maps: what ops->map() took
 * @ups: times that ops->up() was called
 * @kept: with which argument last
 * @events: events that came
 * @answers: answers that came
 * @rq: the request of the last answer
 * @status: of the last answer or failure
 * @failures: requests that failed
 */
struct bench {
	sd_event *event;
	struct loader l;
	int sock;
	struct maps maps;
	int ups;
	bool kept;
	int events;
	int answers;
	struct request *rq;
	uint32_t status;
	int failures;
};

/**
 * on_welcome() - see struct loader_ops
 * @data: the bench
 * @w: what the loader says
 *
 * Return: 0, or -EPROTO
 */
static int on_welcome(void *data, const struct vbpf_welcome *w)
{
	(void)data;
	return le32toh(w->config.magic) == VIRTIO_BPF_MAGIC ? 0 : -EPROTO;
}

/**
 * on_map() - see struct loader_ops
 * @data: the bench
 * @what: the map
 * @fd: its fd
 *
 * Return: 0, or a negative errno
 */
static int on_map(void *data, const struct vbpf_map *what, int fd)
{
	struct bench *b = data;
	int err = maps_add(&b->maps, what, fd);

	if (err)
		close(fd);
	return err;
}

/**
 * on_up() - see struct loader_ops
 * @data: the bench
 * @kept: as there
 */
static void on_up(void *data, bool kept)
{
	struct bench *b = data;

	b->ups++;
	b->kept = kept;
}

/**
 * on_answer() - see struct loader_ops
 * @data: the bench
 * @rq: the request
 * @m: the answer
 *
 * Return: 0
 */
static int on_answer(void *data, struct request *rq, const struct vbpf_msg *m)
{
	struct bench *b = data;

	b->answers++;
	b->rq = rq;
	b->status = m->status;
	if (m->fd >= 0)
		close(m->fd);
	return 0;
}

/**
 * on_failed() - see struct loader_ops
 * @data: the bench
 * @rq: the request
 * @status: as there
 * @why: as there
 */
static void on_failed(void *data, struct request *rq, uint32_t status, const char *why)
{
	struct bench *b = data;

	b->failures += *why != 0;
	b->rq = rq;
	b->status = status;
	request_forget(rq);
}

/**
 * on_event() - see struct loader_ops
 * @data: the bench
 * @ev: the event
 */
static void on_event(void *data, const struct virtio_bpf_event *ev)
{
	(void)ev;
	((struct bench *)data)->events++;
}

static const struct loader_ops bench_ops = {
	.welcome = on_welcome, .map = on_map, .up = on_up, .answer = on_answer,
	.failed = on_failed, .event = on_event,
};

/**
 * turn() - let the connection do all that it can do now
 * @b: the bench
 */
static void turn(struct bench *b)
{
	while (sd_event_run(b->event, 0) > 0)
		;
}

/**
 * bench_attach() - give the connection a new socket
 * @b: the bench
 *
 * Return: true if that worked
 */
static bool bench_attach(struct bench *b)
{
	int pair[2];

	if (b->sock >= 0)
		close(b->sock);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	b->sock = pair[0];
	CHECK_EQ(loader_attach(&b->l, pair[1]), 0);
	turn(b);
	return true;
}

/**
 * bench_timed() - make a bench with a connection that said hello
 * @ms: time for an answer
 *
 * Return: the bench, or NULL
 */
static struct bench *bench_timed(unsigned int ms)
{
	struct bench *b = calloc(1, sizeof(*b));

	/* Nobody is there: attempts of the connection's own fail. */
	if (!b || sd_event_new(&b->event) < 0 ||
	    loader_init(&b->l, b->event, "/nonexistent/loader.sock", "vm0", &bench_ops, b))
		return NULL;
	b->sock = -1;
	b->l.answer_ms = ms;
	return bench_attach(b) ? b : NULL;
}

/**
 * bench_new() - make a bench with a patient connection that said hello
 *
 * Return: the bench, or NULL
 */
static struct bench *bench_new(void)
{
	return bench_timed(LOADER_ANSWER_MS);
}

/**
 * bench_free() - end a bench
 * @b: the bench
 */
static void bench_free(struct bench *b)
{
	loader_close(&b->l);
	maps_clear(&b->maps);
	if (b->sock >= 0)
		close(b->sock);
	sd_event_unref(b->event);
	free(b);
}

/**
 * hear() - receive what the connection sent
 * @b: the bench
 * @buf: room for it, VBPF_MSG_MAX bytes
 * @m: filled
 *
 * Return: true if there was a message
 */
static bool hear(struct bench *b, void *buf, struct vbpf_msg *m)
{
	return vbpf_msg_recv(b->sock, buf, VBPF_MSG_MAX, m) == 1;
}

/**
 * say() - send the connection a message, and let it act
 * @b: the bench
 * @m: the message
 *
 * Return: true if the connection still stands afterwards
 */
static bool say(struct bench *b, const struct vbpf_msg *m)
{
	if (vbpf_msg_send(b->sock, m))
		return false;
	turn(b);
	return b->l.sock >= 0;
}

/**
 * greet() - answer hello
 * @b: the bench
 * @maps: that are said to follow
 *
 * Return: true if the connection still stands
 */
static bool greet(struct bench *b, uint32_t maps)
{
	static char buf[VBPF_MSG_MAX];
	struct vbpf_welcome w = {
		.config.magic = htole32(VIRTIO_BPF_MAGIC),
		.config.version = htole16(VIRTIO_BPF_VERSION),
		.map_cnt = htole32(maps),
	};
	struct vbpf_hello hello;
	struct vbpf_msg m = { 0 };

	CHECK(hear(b, buf, &m));
	CHECK_EQ(m.type, VBPF_MSG_HELLO);
	CHECK_EQ(m.body_len, sizeof(hello));
	memcpy(&hello, m.body, sizeof(hello));
	CHECK(!memcmp(hello.port, "vm0\0", 4));
	m.body = &w;
	m.body_len = sizeof(w);
	return say(b, &m);
}

/**
 * make_map() - make a map as a loader would
 * @what: filled
 *
 * Return: the map's fd, or a negative errno
 */
static int make_map(struct vbpf_map *what)
{
	*what = (struct vbpf_map){
		.handle = htole32(5), .map_type = htole32(BPF_MAP_TYPE_HASH),
		.key_size = htole32(4), .value_size = htole32(8), .max_entries = htole32(16),
	};
	return bpf_map_create(BPF_MAP_TYPE_HASH, "test", 4, 8, 16, NULL);
}

/**
 * request_new() - decode a good request, as if a guest had sent it
 * @rq: filled
 * @type: VIRTIO_BPF_GET_INFO, VIRTIO_BPF_PROG_LOAD (of two instructions), or one
 *        for an element of the map that make_map() makes
 *
 * Return: true if that worked
 */
static bool request_new(struct request *rq, uint32_t type)
{
	static char room[256];
	static struct iovec in = { room, sizeof(room) };
	bool update = type == VIRTIO_BPF_MAP_UPDATE, load = type == VIRTIO_BPF_PROG_LOAD;
	struct virtio_bpf_req_hdr hdr = { .type = htole32(type) };
	struct {
		struct virtio_bpf_map_elem head;
		unsigned char key_value[12];
	} elem = {
		.head.handle = htole32(5), .head.key_size = htole32(4),
		.head.value_size = htole32(update ? 8 : 0),
		.head.flags = htole64(update ? BPF_NOEXIST : 0),
	};
	struct {
		struct virtio_bpf_prog_load head;
		struct virtio_bpf_insn insns[2];
	} prog = { .head.insn_cnt = htole32(2) };
	struct iovec out[] = { { &hdr, sizeof(hdr) }, { &elem, 0 } };

	if (load)
		out[1] = (struct iovec){ &prog, sizeof(prog) };
	else if (type != VIRTIO_BPF_GET_INFO)
		out[1].iov_len = sizeof(elem.head) + (update ? 12 : 4);
	hdr.len = htole32((uint32_t)out[1].iov_len);
	return request_decode(rq, 1ull << VIRTIO_BPF_F_MAPS, out, 2, &in, 1) == VIRTIO_BPF_S_OK;
}

/**
 * t_connection() - hello, requests answered out of order, events, the end
 *
 * Return: true if all is as it should be
 */
static bool t_connection(void)
{
	static char buf[2][VBPF_MSG_MAX];
	struct virtio_bpf_event ev = { .type = htole32(VIRTIO_BPF_EVENT_DETACHED) };
	struct vbpf_msg m[2], event = { .type = VBPF_MSG_EVENT, .body = &ev,
					.body_len = sizeof(ev), .fd = -1 };
	struct bench *b = bench_new();
	struct request rq[2];

	CHECK(b && greet(b, 0));
	CHECK(b->ups == 1 && b->kept);
	CHECK(request_new(&rq[0], VIRTIO_BPF_PROG_LOAD));
	CHECK(request_new(&rq[1], VIRTIO_BPF_GET_INFO));
	for (int i = 0; i < 2; i++) {
		CHECK(loader_has_room(&b->l));
		loader_request(&b->l, &rq[i]);
		CHECK(hear(b, buf[i], &m[i]));
		CHECK_EQ(m[i].type, rq[i].type);
		CHECK(m[i].id && !m[i].status && !m[i].text_len);
	}
	CHECK_EQ(m[0].body_len, 56);
	CHECK(m[0].id != m[1].id);
	for (int i = 1; i >= 0; i--) {
		m[i].status = VIRTIO_BPF_S_PERM;
		m[i].text = "no";
		m[i].text_len = 2;
		CHECK(say(b, &m[i]));
		CHECK(b->rq == &rq[i] && b->status == VIRTIO_BPF_S_PERM);
		CHECK(say(b, &event));
	}
	CHECK(b->answers == 2 && b->events == 2 && !b->l.waiting);
	CHECK(request_new(&rq[0], VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq[0]);
	close(b->sock);
	b->sock = -1;
	turn(b);
	CHECK(b->failures == 1 && b->rq == &rq[0] && b->status == VIRTIO_BPF_S_NODEV);
	CHECK(b->l.state == LOADER_DOWN && b->l.timer);
	/* While it is away requests fail at once; what was reset is said later. */
	CHECK(request_new(&rq[1], VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq[1]);
	CHECK(b->failures == 2 && b->status == VIRTIO_BPF_S_NODEV);
	loader_reset(&b->l);
	CHECK(bench_attach(b) && greet(b, 0));
	CHECK(b->ups == 2 && !b->kept);
	CHECK(hear(b, buf[0], &m[0]) && m[0].type == VBPF_MSG_RESET);
	CHECK(!loader_wait_reset(&b->l, 10));
	CHECK(say(b, &m[0]));
	CHECK(loader_wait_reset(&b->l, 0));
	bench_free(b);
	return true;
}

/**
 * t_stopped() - what is under way when the rings stop fails in time, and its
 * late answer finds nobody
 *
 * Return: true if so
 */
static bool t_stopped(void)
{
	static char buf[VBPF_MSG_MAX];
	struct bench *b = bench_new();
	struct request rq;
	struct vbpf_msg m = { 0 };

	CHECK(b && greet(b, 0) && request_new(&rq, VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq);
	loader_drain(&b->l, 20);
	CHECK(b->failures == 1 && b->rq == &rq && b->status == VIRTIO_BPF_S_AGAIN);
	CHECK(hear(b, buf, &m) && say(b, &m));
	CHECK(b->answers == 1 && !b->rq);
	/* After a reset it is not even looked at. */
	CHECK(request_new(&rq, VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq);
	loader_reset(&b->l);
	CHECK(b->failures == 2 && hear(b, buf, &m) && say(b, &m));
	CHECK_EQ(b->answers, 1);
	bench_free(b);
	return true;
}

/**
 * t_full_socket() - a loader that does not read: requests wait, none is lost
 *
 * Return: true if so
 */
static bool t_full_socket(void)
{
	static char buf[VBPF_MSG_MAX];
	int size = 1, sent = 0, heard = 0;
	struct bench *b = bench_new();
	struct request rq[LOADER_WAITING];
	struct vbpf_msg m = { 0 };

	CHECK(b && greet(b, 0));
	CHECK(!setsockopt(b->l.sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	while (loader_has_room(&b->l)) {
		CHECK(sent < LOADER_WAITING && request_new(&rq[sent], VIRTIO_BPF_PROG_LOAD));
		loader_request(&b->l, &rq[sent++]);
	}
	loader_tell(&b->l, VIRTIO_BPF_GET_INFO, NULL, 0);
	while (hear(b, buf, &m)) {
		heard += m.type == VIRTIO_BPF_PROG_LOAD;
		CHECK(say(b, &m));
	}
	CHECK_EQ(heard, sent);
	CHECK(!b->l.waiting && !b->l.unsent && !b->failures);
	bench_free(b);
	return true;
}

/**
 * t_reset_waits() - a reset that no slot is free for goes with the next answer,
 * keeps nobody busy until then, and is not overtaken
 *
 * Return: true if so
 */
static bool t_reset_waits(void)
{
	static char buf[VBPF_MSG_MAX];
	struct bench *b = bench_new();
	struct vbpf_msg m = { 0 };
	struct request rq;

	CHECK(b && greet(b, 0));
	for (int i = 0; i < LOADER_CALLS; i++)
		CHECK_EQ(loader_tell(&b->l, VIRTIO_BPF_GET_INFO, NULL, 0), 0);
	CHECK_EQ(loader_tell(&b->l, VIRTIO_BPF_GET_INFO, NULL, 0), -EAGAIN);
	loader_reset(&b->l);
	CHECK_EQ(sd_event_run(b->event, 0), 0);
	CHECK(b->l.reset_due && request_new(&rq, VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq);
	CHECK(b->failures == 1 && b->status == VIRTIO_BPF_S_AGAIN);
	CHECK(hear(b, buf, &m) && say(b, &m) && !b->l.reset_due);
	for (int i = 1; i < LOADER_CALLS; i++)
		CHECK(hear(b, buf, &m) && m.type == VIRTIO_BPF_GET_INFO);
	CHECK(hear(b, buf, &m) && m.type == VBPF_MSG_RESET);
	CHECK(say(b, &m) && !b->answers);
	bench_free(b);
	return true;
}

/**
 * t_map_fds() - maps come with their fds, and elements are reached through them
 *
 * Return: true if so
 */
static bool t_map_fds(void)
{
	static unsigned char value[VIRTIO_BPF_MAX_VALUE_SIZE];
	static const struct { uint32_t type, status; size_t len; } steps[] = {
		{ VIRTIO_BPF_MAP_LOOKUP, VIRTIO_BPF_S_NOENT, 0 },
		{ VIRTIO_BPF_MAP_UPDATE, VIRTIO_BPF_S_OK, 0 },
		{ VIRTIO_BPF_MAP_UPDATE, VIRTIO_BPF_S_EXIST, 0 },
		{ VIRTIO_BPF_MAP_LOOKUP, VIRTIO_BPF_S_OK, 8 },
		{ VIRTIO_BPF_MAP_GET_NEXT, VIRTIO_BPF_S_NOENT, 0 },
		{ VIRTIO_BPF_MAP_DELETE, VIRTIO_BPF_S_OK, 0 },
		{ VIRTIO_BPF_MAP_DELETE, VIRTIO_BPF_S_NOENT, 0 },
	};
	struct bench *b = bench_new();
	struct vbpf_msg m = { .type = VBPF_MSG_MAP };
	struct vbpf_map what;
	struct request rq;
	struct reply r;

	m.fd = make_map(&what);
	CHECK(m.fd >= 0);
	m.body = &what;
	m.body_len = sizeof(what);
	CHECK(b && greet(b, 1) && !b->ups);
	CHECK(say(b, &m) && b->ups == 1 && maps_has(&b->maps, 5));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		CHECK(request_new(&rq, steps[i].type));
		maps_element(&b->maps, &rq, value, &r);
		CHECK_EQ(r.status, steps[i].status);
		CHECK_EQ(r.body_len, steps[i].len);
		rq.room = sizeof(struct virtio_bpf_resp_hdr) + 3;
		maps_element(&b->maps, &rq, value, &r);
		CHECK(r.status != VIRTIO_BPF_S_OK || !r.body_len);
		request_forget(&rq);
	}
	maps_remove(&b->maps, 5);
	CHECK(!maps_has(&b->maps, 5) && request_new(&rq, VIRTIO_BPF_MAP_LOOKUP));
	maps_element(&b->maps, &rq, value, &r);
	CHECK_EQ(r.status, VIRTIO_BPF_S_BADF);
	request_forget(&rq);
	close(m.fd);
	bench_free(b);
	return true;
}

/**
 * t_bad_maps() - a map that is not what the loader says is not taken
 *
 * Return: true if so
 */
static bool t_bad_maps(void)
{
	static const size_t at[] = { 0, 4, 8, 12, 16, 20 };
	static struct maps maps;
	struct vbpf_map what, bad;
	int fd = make_map(&what), other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && other >= 0);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		bad = what;
		/* Makes 0 of the handle and something else of the rest */
		((unsigned char *)&bad)[at[i]] ^= 5;
		CHECK_EQ(maps_add(&maps, &bad, fd), -EINVAL);
	}
	CHECK(maps_add(&maps, &what, other) < 0);
	CHECK_EQ(maps_add(&maps, &what, fd), 0);
	CHECK_EQ(maps_add(&maps, &what, fd), -EEXIST);
	maps_clear(&maps);
	close(other);
	return true;
}

/**
 * t_misbehaviour() - a loader that breaks the protocol is hung up on, and what
 * waited fails
 *
 * Return: true if so
 */
static bool t_misbehaviour(void)
{
	struct virtio_bpf_event ev = { .type = htole32(1), .text_len = htole32(113) };
	enum {
		SHORT, WRONG_ID, ID_0, TYPE, FD, EVENT_LEN, EVENT_TEXT, EVENT_ID, MAP, LENGTHS, CNT
	};
	static char buf[VBPF_MSG_MAX];

	for (int what = 0; what < CNT; what++) {
		struct bench *b = bench_new();
		struct request rq;
		struct vbpf_msg m = { 0 };

		CHECK(b && greet(b, 0) && request_new(&rq, VIRTIO_BPF_GET_INFO));
		loader_request(&b->l, &rq);
		CHECK(hear(b, buf, &m));
		if (what == WRONG_ID)
			m.id ^= 1u << 20;
		if (what == ID_0 || what == EVENT_LEN || what == EVENT_TEXT || what == MAP)
			m.id = 0;
		if (what == TYPE)
			m.type = VIRTIO_BPF_PROG_FREE;
		if (what == EVENT_LEN || what == EVENT_TEXT || what == EVENT_ID)
			m.type = VBPF_MSG_EVENT;
		if (what == MAP)
			m.type = VBPF_MSG_MAP;
		m.body = &ev;
		m.body_len = what == EVENT_LEN ? sizeof(ev) - 1 : sizeof(ev);
		m.fd = what == FD ? STDIN_FILENO : -1;
		if (what == SHORT || what == LENGTHS) {
			struct vbpf_msg_hdr hdr = { .magic = htole32(VBPF_MSG_MAGIC),
						    .body_len = htole32(0xfffffff0) };

			CHECK(send(b->sock, &hdr, what == SHORT ? 7 : sizeof(hdr), 0) > 0);
			turn(b);
		} else {
			CHECK(!say(b, &m));
		}
		CHECK(b->l.sock < 0 && b->l.state == LOADER_DOWN);
		CHECK(b->failures == 1 && b->status == VIRTIO_BPF_S_NODEV && !b->answers);
		bench_free(b);
	}
	return true;
}

/**
 * t_bad_welcome() - no connection comes of a bad answer to hello
 *
 * Return: true if so
 */
static bool t_bad_welcome(void)
{
	enum { REFUSED, LENGTH, TYPE, ID, RESERVED, MAGIC, NO_FD, CNT };
	static char buf[VBPF_MSG_MAX];

	for (int what = 0; what < CNT; what++) {
		struct bench *b = bench_new();
		struct vbpf_welcome w = {
			.config.magic = htole32(VIRTIO_BPF_MAGIC + (what == MAGIC)),
			.map_cnt = htole32(what == NO_FD),
			.reserved = what == RESERVED,
		};
		struct vbpf_map map = { .handle = htole32(5) };
		struct vbpf_msg m, bad = { .type = VBPF_MSG_MAP, .body = &map,
					   .body_len = sizeof(map), .fd = -1 };

		CHECK(b && hear(b, buf, &m));
		m.status = what == REFUSED ? VIRTIO_BPF_S_PERM : 0;
		m.type += what == TYPE;
		m.id += what == ID;
		m.body = &w;
		m.body_len = sizeof(w) - (what == LENGTH);
		CHECK_EQ(say(b, &m), what == NO_FD);
		if (what == NO_FD)
			CHECK(!say(b, &bad));
		CHECK(!b->ups && b->l.state == LOADER_DOWN);
		bench_free(b);
	}
	return true;
}

/**
 * t_hangs() - a loader that does not answer in time is hung up on, whatever it
 * was asked, and what waited fails with a sentence
 *
 * Return: true if so
 */
static bool t_hangs(void)
{
	enum { HELLO, REQUEST, TOLD, RESET, CNT };
	static char buf[VBPF_MSG_MAX];

	for (int what = 0; what < CNT; what++) {
		struct bench *b = bench_timed(250);
		struct request rq;
		struct vbpf_msg m = { 0 };

		CHECK(b && (what == HELLO || greet(b, 0)));
		if (what == REQUEST) {
			CHECK(request_new(&rq, VIRTIO_BPF_GET_INFO));
			loader_request(&b->l, &rq);
		}
		if (what == TOLD)
			loader_tell(&b->l, VIRTIO_BPF_GET_INFO, NULL, 0);
		if (what == RESET)
			loader_reset(&b->l);
		usleep(100000);
		turn(b);
		CHECK(b->l.sock >= 0 && !b->failures);
		usleep(200000);
		turn(b);
		CHECK(b->l.sock < 0 && b->l.state == LOADER_DOWN);
		CHECK_EQ(b->failures, what == REQUEST);
		CHECK(what != REQUEST || b->status == VIRTIO_BPF_S_NODEV);
		CHECK_EQ(b->l.reset_due, what == RESET);
		/* The next connection has its own time. */
		CHECK(bench_attach(b) && greet(b, 0) && b->ups);
		CHECK(what != RESET || (hear(b, buf, &m) && m.type == VBPF_MSG_RESET));
		bench_free(b);
	}
	return true;
}

/**
 * t_busy() - a loader that does not answer but says that it is busy is waited for
 *
 * Return: true if so, and if one that says more than that is not
 */
static bool t_busy(void)
{
	const struct vbpf_msg busy = { .type = VBPF_MSG_BUSY, .fd = -1 };
	struct vbpf_msg odd = busy;
	struct bench *b = bench_timed(300);
	struct request rq;

	CHECK(b && greet(b, 0));
	CHECK(request_new(&rq, VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq);
	for (int i = 0; i < 5; i++) {
		usleep(150000);
		CHECK(say(b, &busy) && !b->failures);
	}
	usleep(400000);
	turn(b);
	CHECK(b->l.sock < 0 && b->failures == 1);
	CHECK(bench_attach(b) && greet(b, 0));
	odd.id = 1;
	CHECK(!say(b, &odd));
	CHECK(bench_attach(b) && greet(b, 0));
	odd = busy;
	odd.body = "x";
	odd.body_len = 1;
	CHECK(!say(b, &odd));
	bench_free(b);
	return true;
}

/**
 * t_last_event() - the loader says something and hangs up, and a request comes
 * before either was read
 *
 * Return: true if what it said is not lost
 */
static bool t_last_event(void)
{
	struct virtio_bpf_event ev = { .type = htole32(VIRTIO_BPF_EVENT_DETACHED) };
	const struct vbpf_msg m = { .type = VBPF_MSG_EVENT, .body = &ev, .body_len = sizeof(ev),
				    .fd = -1 };
	struct bench *b = bench_new();
	struct request rq;

	CHECK(b && greet(b, 0));
	CHECK(!vbpf_msg_send(b->sock, &m));
	close(b->sock);
	b->sock = -1;
	CHECK(request_new(&rq, VIRTIO_BPF_GET_INFO));
	loader_request(&b->l, &rq);
	CHECK(b->l.sock < 0 && b->failures == 1);
	CHECK_EQ(b->events, 1);
	bench_free(b);
	return true;
}

/**
 * t_in_time() - answers in time keep the watchdog quiet
 *
 * Return: true if so
 */
static bool t_in_time(void)
{
	static char buf[VBPF_MSG_MAX];
	struct bench *b = bench_timed(300);
	struct vbpf_msg m = { 0 };

	CHECK(b && greet(b, 0));
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(loader_tell(&b->l, VIRTIO_BPF_GET_INFO, NULL, 0), 0);
		usleep(150000);
		turn(b);
		CHECK(hear(b, buf, &m) && say(b, &m));
	}
	usleep(400000);
	turn(b);
	CHECK_EQ(b->answers, 5);
	CHECK(b->l.sock >= 0);
	bench_free(b);
	return true;
}

/**
 * t_porter() - the porter connects, or cannot, or is gone
 *
 * Return: true if each leads to what it should
 */
static bool t_porter(void)
{
	static const uint32_t reasons[] = { ENOENT, EAGAIN, 0, 70000 };
	struct bench *b = calloc(1, sizeof(*b));
	struct vbpf_msg m = { .fd = -1 };
	char buf[sizeof(struct vbpf_msg_hdr)];
	int door[2], pair[2], on = 0;

	CHECK(b && sd_event_new(&b->event) >= 0);
	CHECK_EQ(loader_init(&b->l, b->event, "/loader", "vm0", &bench_ops, b), 0);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, door));
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	CHECK_EQ(loader_start(&b->l, door[1]), 0);
	/* Whatever the reason, it is asked again later. */
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		CHECK(vbpf_msg_recv(door[0], buf, sizeof(buf), &m) == 1);
		m.status = reasons[i];
		CHECK_EQ(vbpf_msg_send(door[0], &m), 0);
		turn(b);
		CHECK(b->l.state == LOADER_DOWN && b->l.timer);
		CHECK(sd_event_source_get_enabled(b->l.timer, &on) > 0 && on == SD_EVENT_ONESHOT);
		sd_event_source_set_time(b->l.timer, 0);
		turn(b);
	}
	CHECK(vbpf_msg_recv(door[0], buf, sizeof(buf), &m) == 1);
	m.fd = pair[1];
	CHECK_EQ(vbpf_msg_send(door[0], &m), 0);
	close(pair[1]);
	b->sock = pair[0];
	turn(b);
	CHECK(b->l.state == LOADER_HELLO && greet(b, 0) && b->ups == 1);
	/* Without a porter there is no way back: the proxy ends. */
	close(door[0]);
	turn(b);
	CHECK_EQ(sd_event_get_state(b->event), SD_EVENT_FINISHED);
	close(door[1]);
	bench_free(b);
	return true;
}

/**
 * main() - run all cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a connection to the loader", t_connection },
		{ "requests under way when the rings stop", t_stopped },
		{ "a loader that does not read", t_full_socket },
		{ "a reset that has to wait", t_reset_waits },
		{ "map fds and elements", t_map_fds },
		{ "maps that are not what they should be", t_bad_maps },
		{ "a loader that breaks the protocol", t_misbehaviour },
		{ "bad answers to hello", t_bad_welcome },
		{ "a porter that connects, cannot, or is gone", t_porter },
		{ "a loader that does not answer", t_hangs },
		{ "a loader that is busy", t_busy },
		{ "an event just before the end", t_last_event },
		{ "a loader that answers just in time", t_in_time },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
