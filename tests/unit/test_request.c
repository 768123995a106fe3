// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a guest may put into a virtqueue, good and bad
 *
 * Requests come from plain buffers and responses go into such: no VM is needed.
 */
#include <endian.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "ktap.h"
#include "rate.h"
#include "request.h"

#define ALL_FEATURES	(1ull << VIRTIO_BPF_F_MAPS | 1ull << VIRTIO_BPF_F_EVENTS)

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
	case VIRTIO_BPF_RELEASE:
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
	static char room[256];

	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_RELEASE; type++) {
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
	static char room[256];

	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_RELEASE; type++) {
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
	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_RELEASE; type++) {
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
	static const uint32_t types[] = { 0, VIRTIO_BPF_RELEASE + 1, 0x100, 0xffffffff };
	char why[REQUEST_WHY_LEN];

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		CHECK_EQ(decode_as(types[i], 0, "", 0, ALL_FEATURES, why), VIRTIO_BPF_S_UNSUPP);
		CHECK(*why);
	}
	for (uint32_t type = VIRTIO_BPF_GET_INFO; type <= VIRTIO_BPF_RELEASE; type++) {
		struct sample s = sample_make(type);

		CHECK_EQ(decode_as(type, (uint32_t)s.len, s.body, s.len, 0, why),
			 type < VIRTIO_BPF_MAP_CREATE || type == VIRTIO_BPF_RELEASE ?
			 VIRTIO_BPF_S_OK : VIRTIO_BPF_S_UNSUPP);
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
 * t_rate() - a bucket gives what it holds, and then what comes in
 *
 * Return: true if so
 */
static bool t_rate(void)
{
	struct rate r = { 0 };
	uint64_t now = 1ull << 40;
	unsigned int cnt = 0;

	for (; !rate_wait(&r, now); cnt++)
		rate_take(&r, RATE_LOADER);
	CHECK_EQ(cnt, RATE_BURST / RATE_LOADER + 1);
	/* However time goes by, it comes to the same in ten seconds. */
	for (cnt = 0; now < (1ull << 40) + 10000000; now += 7 + cnt % 13) {
		if (rate_wait(&r, now))
			continue;
		rate_take(&r, RATE_LOADER);
		cnt++;
	}
	CHECK(cnt >= 10 * RATE_PER_SECOND / RATE_LOADER - 1);
	CHECK(cnt <= 10 * RATE_PER_SECOND / RATE_LOADER + 1);
	/* It tells how long the wait is, to the token. */
	now += rate_wait(&r, now);
	CHECK_EQ(rate_wait(&r, now), 0);
	/* A clock that jumps does no harm. */
	rate_take(&r, RATE_BURST);
	CHECK(rate_wait(&r, 0) > 0);
	CHECK_EQ(rate_wait(&r, UINT64_MAX), 0);
	CHECK_EQ(r.spent, 0);
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
		{ "how often a guest may ask", t_rate },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
