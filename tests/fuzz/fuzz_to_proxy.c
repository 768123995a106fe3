// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Fuzz target: what a loader sends to a proxy
 *
 * The input is a list of steps. Each is a byte that says what happens, and what
 * that takes: a message of the loader's (with a header that agrees with itself,
 * or with bytes that need not), its fds, a request of the guest, a reset, the
 * connection's end and a new one. The proxy's connection is the real one, at
 * one end of a socketpair.
 */
#include <fcntl.h>
#include <string.h>

#include "fuzz.h"
#include "loader.h"
#include "log.h"
#include "maps.h"

#define REQUESTS	32	/* of the guest, in one input */

/* What a step is */
enum step {
	STEP_MESSAGE,	/* type, status, whether with an fd, lengths, body, text */
	STEP_ANSWER,	/* the same, to the last message that the proxy sent */
	STEP_RAW,	/* length, bytes */
	STEP_REQUEST,	/* a request of the guest */
	STEP_RESET,	/* the guest resets the device */
	STEP_RECONNECT,	/* the connection ends, and there is a new one */
	STEP_CNT,
};

/**
 * struct bench - a connection under test
 * @event: a loop
 * @l: the connection
 * @sock: the loader's end
 * @maps: what the proxy took
 * @rqs: requests of the guest
 * @open: bit n set: request n is not answered yet
 * @rq_cnt: number of @rqs
 * @last: the last message that the proxy sent
 */
struct bench {
	sd_event *event;
	struct loader l;
	int sock;
	struct maps maps;
	struct request rqs[REQUESTS];
	uint32_t open;
	unsigned int rq_cnt;
	struct vbpf_msg last;
};

/**
 * log_msg() - in place of the proxy's: what a fuzzer provokes is not worth a line
 * @fmt: unused
 */
void log_msg(const char *fmt, ...)
{
	(void)fmt;
}

/**
 * settle() - note that a request of the guest has come to its end
 * @b: the bench
 * @rq: the request; each is settled once
 */
static void settle(struct bench *b, const struct request *rq)
{
	size_t at = (size_t)(rq - b->rqs);

	FUZZ_MUST(at < b->rq_cnt && (b->open >> at & 1));
	b->open &= ~(1u << at);
}

/**
 * on_welcome() - see struct loader_ops
 * @data: unused
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
	int err;

	FUZZ_MUST(fd >= 0);
	err = maps_add(&b->maps, what, fd);
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

	if (!kept)
		maps_clear(&b->maps);
}

/**
 * on_answer() - see struct loader_ops
 * @data: the bench
 * @rq: the request, or NULL
 * @m: the answer
 *
 * Return: 0
 */
static int on_answer(void *data, struct request *rq, const struct vbpf_msg *m)
{
	if (rq)
		settle(data, rq);
	if (m->fd >= 0)
		close(m->fd);
	return 0;
}

/**
 * on_failed() - see struct loader_ops
 * @data: the bench
 * @rq: the request
 * @status: unused
 * @why: a sentence
 */
static void on_failed(void *data, struct request *rq, uint32_t status, const char *why)
{
	(void)status;
	FUZZ_MUST(*why);
	settle(data, rq);
}

/**
 * on_event() - see struct loader_ops
 * @data: unused
 * @ev: the event; all of it is there
 */
static void on_event(void *data, const struct virtio_bpf_event *ev)
{
	struct virtio_bpf_event copy = *ev;

	(void)data;
	(void)copy;
}

static const struct loader_ops bench_ops = {
	.welcome = on_welcome, .map = on_map, .up = on_up, .answer = on_answer,
	.failed = on_failed, .event = on_event,
};

/**
 * turn() - let the connection act, and hear what it says
 * @b: the bench
 */
static void turn(struct bench *b)
{
	static unsigned char buf[VBPF_MSG_MAX];
	struct vbpf_msg m = { .fd = -1 };

	while (sd_event_run(b->event, 0) > 0)
		;
	while (b->sock >= 0 && vbpf_msg_recv(b->sock, buf, sizeof(buf), &m) == 1) {
		FUZZ_MUST(m.fd < 0);
		b->last = m;
	}
}

/**
 * connect_bench() - give the connection a new socket
 * @b: the bench
 */
static void connect_bench(struct bench *b)
{
	int pair[2];

	if (b->sock >= 0)
		close(b->sock);
	b->sock = -1;
	turn(b);
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	b->sock = pair[0];
	FUZZ_MUST(!loader_attach(&b->l, pair[1]));
	turn(b);
}

/**
 * say() - the loader says something
 * @b: the bench
 * @in: the input
 * @answer: to the proxy's last message
 */
static void say(struct bench *b, struct fuzz_input *in, bool answer)
{
	struct vbpf_msg m = { .fd = -1 };
	uint8_t how = fuzz_byte(in);

	m.type = answer ? b->last.type : fuzz_half(in);
	m.id = answer ? b->last.id : fuzz_byte(in);
	m.status = how & 0xf;
	if (how & 0x10)
		m.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	m.body = fuzz_bytes(in, fuzz_byte(in), &m.body_len);
	m.text = (const char *)fuzz_bytes(in, fuzz_byte(in), &m.text_len);
	if (b->sock >= 0)
		vbpf_msg_send(b->sock, &m);
	if (m.fd >= 0)
		close(m.fd);
}

/**
 * say_raw() - the loader sends bytes that need not be a message
 * @b: the bench
 * @in: the input
 */
static void say_raw(const struct bench *b, struct fuzz_input *in)
{
	size_t len;
	const uint8_t *bytes = fuzz_bytes(in, fuzz_half(in), &len);

	if (b->sock >= 0 && len)
		send(b->sock, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/**
 * ask() - the guest asks for something that the loader must do
 * @b: the bench
 * @in: the input
 */
static void ask(struct bench *b, struct fuzz_input *in)
{
	static const unsigned char body[sizeof(struct virtio_bpf_map_create)];
	struct request *rq = &b->rqs[b->rq_cnt];
	static const uint32_t types[] = {
		VIRTIO_BPF_GET_INFO, VIRTIO_BPF_PROG_FREE, VIRTIO_BPF_XDP_ATTACH,
		VIRTIO_BPF_XDP_DETACH, VIRTIO_BPF_MAP_CREATE, VIRTIO_BPF_MAP_FREE,
	};

	if (b->rq_cnt == REQUESTS || !loader_has_room(&b->l))
		return;
	rq->type = types[fuzz_byte(in) % (sizeof(types) / sizeof(*types))];
	rq->body = body;
	rq->len = rq->type == VIRTIO_BPF_GET_INFO	? 0 :
		  rq->type == VIRTIO_BPF_MAP_CREATE	? sizeof(body) :
							  sizeof(struct virtio_bpf_handle);
	b->open |= 1u << b->rq_cnt++;
	loader_request(&b->l, rq);
}

/**
 * LLVMFuzzerTestOneInput() - lead one connection through the input's steps
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct bench *b = calloc(1, sizeof(*b));

	FUZZ_MUST(b && sd_event_new(&b->event) >= 0);
	b->sock = -1;
	/* Nobody is there: attempts of the connection's own fail. */
	FUZZ_MUST(!loader_init(&b->l, b->event, "/nonexistent/loader.sock", "vm0", &bench_ops, b));
	connect_bench(b);
	while (in.left) {
		switch (fuzz_byte(&in) % STEP_CNT) {
		case STEP_MESSAGE:
			say(b, &in, false);
			break;
		case STEP_ANSWER:
			say(b, &in, true);
			break;
		case STEP_RAW:
			say_raw(b, &in);
			break;
		case STEP_REQUEST:
			ask(b, &in);
			break;
		case STEP_RESET:
			loader_reset(&b->l);
			break;
		default:
			connect_bench(b);
			break;
		}
		turn(b);
	}
	loader_close(&b->l);
	maps_clear(&b->maps);
	close(b->sock);
	sd_event_unref(b->event);
	free(b);
	return 0;
}
