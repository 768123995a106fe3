// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The proxy's two mouths, fed by hand
 *
 * What a guest may put into a virtqueue (request.c) and what a loader may send
 * (loader.c), good and bad. No VM and no loader is needed: requests come from
 * plain buffers, and the test is the loader at the other end of a socketpair.
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

#include "event.h"
#include "ktap.h"
#include "loader.h"
#include "log.h"
#include "maps.h"
#include "request.h"

#define ALL_FEATURES	(1ull << VIRTIO_BPF_F_MAPS | 1ull << VIRTIO_BPF_F_EVENTS)

/**
 * log_msg() - in place of the proxy's: what a test provokes is not worth a line
 * @fmt: unused
 */
void log_msg(const char *fmt, ...)
{
	(void)fmt;
}

/**
 * struct sample - a good request
 * @type: VIRTIO_BPF_*
 * @body: body and payload
 * @len: bytes of @body
 */
struct sample {
	uint32_t type;
	unsigned char body[256];
	size_t len;
};

/**
 * sample_make() - make a good request of some type
 * @type: VIRTIO_BPF_*
 *
 * Return: the request
 */
static struct sample sample_make(uint32_t type)
{
	struct virtio_bpf_prog_load load = { .prog_class = htole16(1), .insn_cnt = htole32(2) };
	struct virtio_bpf_handle handle = { .handle = htole32(7) };
	struct virtio_bpf_map_create create = {
		.map_type = htole32(BPF_MAP_TYPE_HASH), .key_size = htole32(4),
		.value_size = htole32(8), .max_entries = htole32(16),
	};
	struct virtio_bpf_map_elem elem = { .handle = htole32(7), .key_size = htole32(4) };
	struct sample s = { .type = type };
	const void *body = &handle;
	size_t extra = 0;

	s.len = sizeof(handle);
	switch (type) {
	case VIRTIO_BPF_GET_INFO:
		s.len = 0;
		break;
	case VIRTIO_BPF_PROG_LOAD:
		body = &load;
		s.len = sizeof(load);
		extra = 2 * sizeof(struct virtio_bpf_insn);
		break;
	case VIRTIO_BPF_MAP_CREATE:
		body = &create;
		s.len = sizeof(create);
		break;
	case VIRTIO_BPF_MAP_UPDATE:
		elem.value_size = htole32(8);
		elem.flags = htole64(BPF_NOEXIST);
		/* fall through */
	case VIRTIO_BPF_MAP_LOOKUP:
	case VIRTIO_BPF_MAP_DELETE:
	case VIRTIO_BPF_MAP_GET_NEXT:
		body = &elem;
		s.len = sizeof(elem);
		extra = 4 + le32toh(elem.value_size);
		break;
	default:
		break;
	}
	memcpy(s.body, body, s.len);
	s.len += extra;
	return s;
}

/**
 * decode_as() - decode a request, with a header that says what it likes
 * @type: in the header
 * @said: length in the header
 * @body: body and payload
 * @len: bytes of @body
 * @features: that were negotiated
 * @why: gets the sentence; REQUEST_WHY_LEN bytes, or NULL
 *
 * Return: what request_decode() says
 */
static uint32_t decode_as(uint32_t type, uint32_t said, const void *body, size_t len,
			  uint64_t features, char *why)
{
	static char room[256];
	struct virtio_bpf_req_hdr hdr = { .type = htole32(type), .len = htole32(said) };
	struct iovec out[] = { { &hdr, sizeof(hdr) }, { (void *)body, len } };
	struct iovec in = { room, sizeof(room) };
	struct request rq;
	uint32_t status;

	status = request_decode(&rq, features, out, 2, &in, 1);
	if (why)
		memcpy(why, rq.why, sizeof(rq.why));
	request_forget(&rq);
	return status;
}

/**
 * decode() - decode a sample
 * @s: the sample
 *
 * Return: what request_decode() says
 */
static uint32_t decode(const struct sample *s)
{
	return decode_as(s->type, (uint32_t)s->len, s->body, s->len, ALL_FEATURES, NULL);
}

/**
 * t_good() - a good request of every type is taken, however it is cut
 *
 * Return: true if so
 */
static bool t_good(void)
{
	char room[256];

	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_MAP_GET_NEXT; type++) {
		struct sample s = sample_make(type);
		struct virtio_bpf_req_hdr hdr = { htole32(type), htole32((uint32_t)s.len) };
		unsigned char flat[sizeof(hdr) + sizeof(s.body)];
		struct iovec one[sizeof(flat)], in = { room, sizeof(room) };
		size_t len = sizeof(hdr) + s.len;
		struct request rq;

		CHECK_EQ(decode(&s), VIRTIO_BPF_S_OK);
		memcpy(flat, &hdr, sizeof(hdr));
		memcpy(flat + sizeof(hdr), s.body, s.len);
		for (size_t i = 0; i < len; i++)
			one[i] = (struct iovec){ flat + i, 1 };
		CHECK_EQ(request_decode(&rq, ALL_FEATURES, one, (unsigned int)len, &in, 1),
			 VIRTIO_BPF_S_OK);
		CHECK_EQ(rq.type, type);
		CHECK_EQ(rq.len, s.len);
		CHECK(!memcmp(rq.body, s.body, s.len));
		/* The copy is ours: what the guest writes now is not seen. */
		memset(flat, 0xff, sizeof(flat));
		CHECK(!memcmp(rq.body, s.body, s.len));
		request_forget(&rq);
	}
	return true;
}

/**
 * t_truncated() - a request cut short anywhere is refused in words
 *
 * Return: true if so
 */
static bool t_truncated(void)
{
	char room[256];

	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_MAP_GET_NEXT; type++) {
		struct sample s = sample_make(type);
		char why[REQUEST_WHY_LEN];

		for (size_t len = 0; len < s.len; len++) {
			CHECK_EQ(decode_as(type, (uint32_t)s.len, s.body, len, ALL_FEATURES, why),
				 VIRTIO_BPF_S_INVAL);
			CHECK(*why);
			CHECK_EQ(decode_as(type, (uint32_t)len, s.body, len, ALL_FEATURES, why),
				 VIRTIO_BPF_S_INVAL);
			CHECK(*why || request_is_element(type));
		}
	}
	for (size_t len = 0; len < sizeof(struct virtio_bpf_req_hdr); len++) {
		struct virtio_bpf_req_hdr hdr = { htole32(VIRTIO_BPF_GET_INFO), 0 };
		struct iovec out = { &hdr, len }, in = { room, sizeof(room) };
		struct request rq;

		CHECK_EQ(request_decode(&rq, ALL_FEATURES, &out, 1, &in, 1), VIRTIO_BPF_S_INVAL);
		CHECK(*rq.why);
		request_forget(&rq);
	}
	return true;
}

/**
 * t_oversized() - a request that is longer than it should be is refused
 *
 * Return: true if so
 */
static bool t_oversized(void)
{
	struct virtio_bpf_prog_load load = { .insn_cnt = htole32(VIRTIO_BPF_MAX_INSNS) };
	unsigned char *big = calloc(1, REQUEST_MAX + 1);
	struct virtio_bpf_req_hdr hdr = { htole32(VIRTIO_BPF_PROG_LOAD), 0 };
	struct iovec out[] = { { big, REQUEST_MAX + 1 }, { big, SIZE_MAX } };
	struct iovec in = { &hdr, sizeof(hdr) };
	size_t most = REQUEST_MAX - sizeof(hdr);
	struct request rq;

	CHECK(big);
	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_MAP_GET_NEXT; type++) {
		struct sample s = sample_make(type);

		s.len++;
		CHECK_EQ(decode(&s), VIRTIO_BPF_S_INVAL);
	}
	memcpy(big, &load, sizeof(load));
	CHECK_EQ(decode_as(VIRTIO_BPF_PROG_LOAD, (uint32_t)most, big, most, 0, NULL),
		 VIRTIO_BPF_S_OK);
	CHECK_EQ(request_decode(&rq, 0, out, 1, &in, 1), VIRTIO_BPF_S_INVAL);
	CHECK(!rq.copy && *rq.why);
	CHECK_EQ(request_decode(&rq, 0, out, 2, &in, 1), VIRTIO_BPF_S_INVAL);
	CHECK(!rq.copy && *rq.why);
	free(big);
	return true;
}

/**
 * t_fields() - bad values and reserved bits are refused
 *
 * Return: true if so
 */
static bool t_fields(void)
{
	static const struct {
		uint32_t type;
		size_t at;
		uint32_t value;
		uint32_t status;
	} bad[] = {
		{ VIRTIO_BPF_PROG_LOAD, 4, 0, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_PROG_LOAD, 4, 3, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_PROG_LOAD, 4, 0x20000002, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_PROG_LOAD, 12, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_PROG_FREE, 0, 0, VIRTIO_BPF_S_BADF },
		{ VIRTIO_BPF_PROG_FREE, 4, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_XDP_ATTACH, 0, 0, VIRTIO_BPF_S_BADF },
		{ VIRTIO_BPF_XDP_DETACH, 0, 0, VIRTIO_BPF_S_OK },
		{ VIRTIO_BPF_XDP_DETACH, 4, 1u << 31, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_FREE, 0, 0, VIRTIO_BPF_S_BADF },
		{ VIRTIO_BPF_MAP_CREATE, 4, 0, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_CREATE, 4, VIRTIO_BPF_MAX_KEY_SIZE + 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_CREATE, 8, 0, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_CREATE, 8, 1u << 20, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_CREATE, 20, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_LOOKUP, 4, 5, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_LOOKUP, 4, 0xfffffffc, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_LOOKUP, 8, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_LOOKUP, 12, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_LOOKUP, 16, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_UPDATE, 16, 4, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_UPDATE, 20, 1, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_DELETE, 16, 2, VIRTIO_BPF_S_INVAL },
		{ VIRTIO_BPF_MAP_GET_NEXT, 20, 1, VIRTIO_BPF_S_INVAL },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct sample s = sample_make(bad[i].type);
		uint32_t value = htole32(bad[i].value);

		memcpy(s.body + bad[i].at, &value, sizeof(value));
		CHECK_EQ(decode(&s), bad[i].status);
	}
	return true;
}

/**
 * t_unknown() - types nobody knows, and maps that were not negotiated
 *
 * Return: true if so
 */
static bool t_unknown(void)
{
	static const uint32_t types[] = { 0, VIRTIO_BPF_MAP_GET_NEXT + 1, VBPF_MSG_HELLO,
					  0xffffffff };
	char why[REQUEST_WHY_LEN];

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		CHECK_EQ(decode_as(types[i], 0, "", 0, ALL_FEATURES, why), VIRTIO_BPF_S_UNSUPP);
		CHECK(*why);
	}
	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_MAP_GET_NEXT; type++) {
		struct sample s = sample_make(type);

		CHECK_EQ(decode_as(type, (uint32_t)s.len, s.body, s.len, 0, why),
			 type < VIRTIO_BPF_MAP_CREATE ? VIRTIO_BPF_S_OK : VIRTIO_BPF_S_UNSUPP);
	}
	return true;
}

/**
 * reply_to() - answer a request of some type into buffers of one size
 * @type: of the request
 * @room: bytes of response that fit
 * @step: bytes of each buffer but the last
 * @r: the reply
 * @got: gets what was written; filled up with 0xee
 *
 * Return: what request_reply() says
 */
static size_t reply_to(uint32_t type, size_t room, size_t step, const struct reply *r,
		       unsigned char got[256])
{
	struct request rq = { .type = type, .room = room };
	struct iovec in[256];

	memset(got, 0xee, 256);
	for (size_t at = 0; at < room; at += step)
		in[rq.in_cnt++] = (struct iovec){ got + at, room - at < step ? room - at : step };
	rq.in = in;
	return request_reply(&rq, r);
}

/**
 * t_reply() - a response is the same however the guest's room is cut
 *
 * Return: true if so
 */
static bool t_reply(void)
{
	struct virtio_bpf_prog_loaded body = { .handle = htole32(9), .insn_cnt = htole32(5) };
	struct reply r = { .status = VIRTIO_BPF_S_ACCES, .body = &body, .body_len = sizeof(body),
			   .text = "first\nsecond\n", .text_len = 13 };
	struct virtio_bpf_resp_hdr hdr;
	unsigned char got[256];

	for (size_t step = 1; step < 64; step++) {
		CHECK_EQ(reply_to(VIRTIO_BPF_PROG_LOAD, 200, step, &r, got), 8 + 16 + 13);
		memcpy(&hdr, got, sizeof(hdr));
		CHECK_EQ(le32toh(hdr.status), VIRTIO_BPF_S_ACCES);
		CHECK_EQ(le32toh(hdr.text_len), 13);
		CHECK(!memcmp(got + 8, &body, sizeof(body)));
		CHECK(!memcmp(got + 24, "first\nsecond\n", 13));
		CHECK_EQ(got[37], 0xee);
	}
	/* Without a body there are zeroes; an element's response has no text. */
	r.body = NULL;
	r.body_len = 0;
	CHECK_EQ(reply_to(VIRTIO_BPF_PROG_LOAD, 24, 5, &r, got), 24);
	CHECK(!got[8] && !memcmp(got + 8, got + 9, 15));
	CHECK_EQ(reply_to(VIRTIO_BPF_MAP_LOOKUP, 200, 3, &r, got), 8);
	r.status = VIRTIO_BPF_S_OK;
	r.body = "value";
	r.body_len = 5;
	CHECK_EQ(reply_to(VIRTIO_BPF_MAP_LOOKUP, 200, 3, &r, got), 13);
	CHECK(!memcmp(got + 8, "value", 5));
	return true;
}

/**
 * t_small_room() - too little room: the status is written if at all possible
 *
 * Return: true if so
 */
static bool t_small_room(void)
{
	struct reply r = { .status = VIRTIO_BPF_S_INVAL, .text = "ab\xc3\xa4" "cd", .text_len = 6 };
	unsigned char got[256];
	struct sample s = sample_make(VIRTIO_BPF_GET_INFO);
	struct virtio_bpf_req_hdr hdr = { htole32(s.type), 0 };
	struct iovec out = { &hdr, sizeof(hdr) }, in = { got, 87 };
	struct request rq;

	for (size_t room = 0; room < 256; room++) {
		size_t len = reply_to(VIRTIO_BPF_GET_INFO, room, 7, &r, got);

		CHECK(len <= room);
		CHECK_EQ(len > 0, room >= 8);
		CHECK_EQ(len > 0 && got[0] == VIRTIO_BPF_S_INVAL, room >= 8);
		for (size_t i = len; i < sizeof(got); i++)
			CHECK_EQ(got[i], 0xee);
	}
	/* Cut between characters: at the end, or for a log at the front */
	CHECK_EQ(reply_to(VIRTIO_BPF_PROG_FREE, 8 + 3, 4, &r, got), 8 + 2);
	CHECK(!memcmp(got + 8, "ab", 2) && got[4] == 2);
	CHECK_EQ(reply_to(VIRTIO_BPF_PROG_LOAD, 8 + 16 + 3, 4, &r, got), 8 + 16 + 2);
	CHECK(!memcmp(got + 24, "cd", 2) && got[4] == 2);
	/* No room for the body is found before anything is done. */
	CHECK_EQ(request_decode(&rq, 0, &out, 1, &in, 1), VIRTIO_BPF_S_INVAL);
	CHECK(*rq.why);
	request_forget(&rq);
	in.iov_len = 88;
	CHECK_EQ(request_decode(&rq, 0, &out, 1, &in, 1), VIRTIO_BPF_S_OK);
	request_forget(&rq);
	return true;
}

/**
 * t_status() - errnos become the statuses that the protocol names
 *
 * Return: true if so
 */
static bool t_status(void)
{
	static const int errnos[] = {
		[VIRTIO_BPF_S_INVAL] = EINVAL, [VIRTIO_BPF_S_UNSUPP] = EOPNOTSUPP,
		[VIRTIO_BPF_S_ACCES] = EACCES, [VIRTIO_BPF_S_PERM] = EPERM,
		[VIRTIO_BPF_S_NOENT] = ENOENT, [VIRTIO_BPF_S_EXIST] = EEXIST,
		[VIRTIO_BPF_S_TOOBIG] = E2BIG, [VIRTIO_BPF_S_NOSPC] = ENOSPC,
		[VIRTIO_BPF_S_NOMEM] = ENOMEM, [VIRTIO_BPF_S_BUSY] = EBUSY,
		[VIRTIO_BPF_S_AGAIN] = EAGAIN, [VIRTIO_BPF_S_BADF] = EBADF,
		[VIRTIO_BPF_S_NODEV] = ENODEV, [VIRTIO_BPF_S_IO] = EIO,
	};

	for (uint32_t status = 0; status <= VIRTIO_BPF_S_IO; status++) {
		CHECK_EQ(status_of_errno(errnos[status]), status);
		CHECK_EQ(status_of_errno(-errnos[status]), status);
	}
	CHECK_EQ(status_of_errno(524), VIRTIO_BPF_S_UNSUPP);
	CHECK_EQ(status_of_errno(EXDEV), VIRTIO_BPF_S_IO);
	return true;
}

/**
 * t_events() - events keep their order, are bounded, and LOST clears the rest
 *
 * Return: true if so
 */
static bool t_events(void)
{
	static struct events e;
	struct virtio_bpf_event ev = { .type = htole32(VIRTIO_BPF_EVENT_DETACHED) };

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < EVENTS_MAX + 5; i++) {
			ev.handle = htole32(i + 1);
			CHECK_EQ(events_add(&e, &ev), i < EVENTS_MAX);
		}
		for (uint32_t i = 0; i < 5; i++) {
			CHECK_EQ(le32toh(events_first(&e)->handle), i + 1);
			events_drop_first(&e);
		}
		events_add_lost(&e);
		CHECK_EQ(le32toh(events_first(&e)->type), VIRTIO_BPF_EVENT_LOST);
		CHECK(le32toh(events_first(&e)->text_len) > 0);
		events_drop_first(&e);
		CHECK(!events_first(&e));
	}
	return true;
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
 * bench_new() - make a bench with a connection that said hello
 *
 * Return: the bench, or NULL
 */
static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	/* Nobody is there: attempts of the connection's own fail. */
	if (!b || sd_event_new(&b->event) < 0 ||
	    loader_init(&b->l, b->event, "/nonexistent/loader.sock", "vm0", &bench_ops, b))
		return NULL;
	b->sock = -1;
	return bench_attach(b) ? b : NULL;
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
	struct vbpf_msg m;

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
 * @type: VIRTIO_BPF_*
 *
 * Return: true if that worked
 */
static bool request_new(struct request *rq, uint32_t type)
{
	static char room[256];
	static struct iovec in = { room, sizeof(room) };
	struct sample s = sample_make(type);
	struct virtio_bpf_req_hdr hdr = { htole32(type), htole32((uint32_t)s.len) };
	struct iovec out[] = { { &hdr, sizeof(hdr) }, { s.body, s.len } };

	return request_decode(rq, ALL_FEATURES, out, 2, &in, 1) == VIRTIO_BPF_S_OK;
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
	CHECK(request_new(&rq[0], VIRTIO_BPF_PROG_LOAD) && request_new(&rq[1], VIRTIO_BPF_GET_INFO));
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
	struct vbpf_msg m;

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
	struct vbpf_msg m;

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
	struct reply r;

	m.fd = make_map(&what);
	CHECK(m.fd >= 0);
	m.body = &what;
	m.body_len = sizeof(what);
	CHECK(b && greet(b, 1) && !b->ups);
	CHECK(say(b, &m) && b->ups == 1 && maps_has(&b->maps, 5));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct request rq;

		CHECK(request_new(&rq, steps[i].type));
		maps_element(&b->maps, &rq, value, &r);
		CHECK_EQ(r.status, VIRTIO_BPF_S_BADF);
		memcpy(rq.copy + sizeof(struct virtio_bpf_req_hdr), &what.handle, 4);
		maps_element(&b->maps, &rq, value, &r);
		CHECK_EQ(r.status, steps[i].status);
		CHECK_EQ(r.body_len, steps[i].len);
		rq.room = sizeof(struct virtio_bpf_resp_hdr) + 3;
		maps_element(&b->maps, &rq, value, &r);
		CHECK(r.status != VIRTIO_BPF_S_OK || !r.body_len);
		request_forget(&rq);
	}
	maps_remove(&b->maps, 5);
	CHECK(!maps_has(&b->maps, 5));
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
	enum { SHORT, WRONG_ID, ID_0, TYPE, FD, EVENT_LEN, EVENT_TEXT, EVENT_ID, MAP, LENGTHS, CNT };
	static char buf[VBPF_MSG_MAX];

	for (int what = 0; what < CNT; what++) {
		struct bench *b = bench_new();
		struct request rq;
		struct vbpf_msg m;

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
 * main() - run all cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "every request, however it is cut", t_good },
		{ "requests cut short at every length", t_truncated },
		{ "requests that are too long", t_oversized },
		{ "bad values and reserved bits", t_fields },
		{ "unknown requests, features not negotiated", t_unknown },
		{ "responses into scattered buffers", t_reply },
		{ "responses with too little room", t_small_room },
		{ "errnos and statuses", t_status },
		{ "events", t_events },
		{ "a connection to the loader", t_connection },
		{ "requests under way when the rings stop", t_stopped },
		{ "a loader that does not read", t_full_socket },
		{ "map fds and elements", t_map_fds },
		{ "maps that are not what they should be", t_bad_maps },
		{ "a loader that breaks the protocol", t_misbehaviour },
		{ "bad answers to hello", t_bad_welcome },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
