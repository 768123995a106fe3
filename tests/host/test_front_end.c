// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A hostile guest, and a hostile VMM, against the whole host side
 *
 * A real loader, a real proxy for port vm0, and a front end of our own that does
 * to the proxy what a guest's driver or a VMM should not. Each time the proxy
 * must answer, stop the device until the guest resets it, or end with a status
 * and a sentence; which of these is part of the test. Port vm1 has to be served
 * as before, and so has vm0 afterwards, by another proxy if need be.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../ktap.h"
#include "bed.h"
#include "front_end.h"
#include "launch.h"
#include "proxy.h"

#define OTHER_UID	1000		/* user of port vm1 */
#define TABLE		0x300000	/* offset of an indirect table */

#define REQ		(FE_GPA + FE_REQ)
#define RESP		(FE_GPA + FE_RESP)
#define END		(FE_GPA + FE_MEM)
#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT

/* What becomes of the device */
enum outcome { SERVES, STOPPED, ENDED };

static const char *const outcomes[] = { "serves", "stopped until the reset", "ended" };

/**
 * struct scene - who takes part
 * @fe: guest and VMM of vm0
 * @vm: its proxy
 * @other: connection of vm1's proxy, which is us
 */
static struct scene {
	struct front_end fe;
	struct launch vm;
	int other;
} scene = { .other = -1 };

/**
 * vm_start() - start vm0's proxy and its VMM
 *
 * Return: whether a request that goes to the loader is answered
 */
static bool vm_start(void)
{
	static char loader[64];
	int status = -1;

	snprintf(loader, sizeof(loader), "%s", bed_path("socket"));
	CHECK(fe_open(&scene.fe));
	scene.vm = (struct launch){ .program = "qemu-proxy/virtio-bpf-proxy", .uid = PROXY_UID,
				    .sock = scene.fe.peer, .loader = loader, .port = "vm0" };
	CHECK(launch_start(&scene.vm));
	close(scene.fe.peer);
	CHECK(fe_start(&scene.fe));
	for (int i = 0; status && i < 100; i++) {
		status = fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000);
		usleep(status ? 20000 : 0);
	}
	CHECK_EQ(status, 0);
	return true;
}

/**
 * vm_end() - have the VMM close the connection
 *
 * Return: the proxy's exit status
 */
static int vm_end(void)
{
	fe_close(&scene.fe);
	return launch_wait(&scene.vm, 10000, NULL, 0);
}

/**
 * other_served() - is vm1 served as ever?
 *
 * Return: whether it is
 */
static bool other_served(void)
{
	struct reply reply;
	int64_t map, start = now_ms();

	map = proxy_map(scene.other, 8, &reply);
	CHECK(map > 0);
	close(reply.msg.fd);
	CHECK_EQ(proxy_handle(scene.other, VIRTIO_BPF_MAP_FREE, map), VIRTIO_BPF_S_OK);
	CHECK(now_ms() - start < 1000);
	return true;
}

/**
 * other_open() - be the proxy of vm1
 *
 * Return: whether the loader takes us
 */
static bool other_open(void)
{
	static struct reply reply;
	int status;

	if (scene.other >= 0)
		close(scene.other);
	scene.other = proxy_hello(OTHER_UID, "vm1", &status, &reply);
	return scene.other >= 0 && status == VIRTIO_BPF_S_OK;
}

/**
 * settle() - see what became of the device, and get a good one again
 * @what: what was done to it
 * @want: what should have become of it
 *
 * Return: whether that is so, and all are served now
 */
static bool settle(const char *what, enum outcome want)
{
	enum outcome got = SERVES;
	char out[4096];

	if (!fe_alive(&scene.fe)) {
		int status;

		got = ENDED;
		fe_close(&scene.fe);
		status = launch_wait(&scene.vm, 5000, out, sizeof(out));
		if (status != 0 && status != 1) {
			printf("# %s: exit status %d: %s\n", what, status, out);
			return false;
		}
		CHECK(vm_start());
	} else if (fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0,
			      want == STOPPED ? 300 : 5000)) {
		got = STOPPED;
		CHECK(fe_reset(&scene.fe));
	}
	CHECK_EQ(fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000), 0);
	if (got != want)
		printf("# %s: %s, not %s%s%s\n", what, outcomes[got], outcomes[want],
		       got == ENDED ? ": " : "", got == ENDED ? out : "");
	return got == want && other_served();
}

/**
 * struct chain - what a guest should not put into its requestq
 * @what: in words
 * @want: what becomes of the device
 * @ring: descriptors of the ring, from the first on
 * @table: descriptors of an indirect table
 * @head: what is made available
 * @jump: by how much more the index of what is available goes on
 */
struct chain {
	const char *what;
	enum outcome want;
	struct vring_desc ring[3];
	struct vring_desc table[3];
	uint16_t head;
	uint16_t jump;
};

static const struct chain chains[] = {
	{ .what = "out of memory: request", .want = STOPPED,
	  .ring = { { END, 8, NEXT, 1 }, { RESP, 4096, WRITE, 0 } } },
	{ .what = "out of memory: response", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, 1 }, { 0, 4096, WRITE, 0 } } },
	{ .what = "over the end of memory", .want = STOPPED,
	  .ring = { { END - 4, 8, NEXT, 1 }, { RESP, 99, WRITE, 0 } } },
	{ .what = "over the end of everything", .want = STOPPED,
	  .ring = { { UINT64_MAX - 3, 8, NEXT, 1 }, { RESP, 99, WRITE, 0 } } },
	{ .what = "length 0", .want = STOPPED,
	  .ring = { { REQ, 0, NEXT, 1 }, { RESP, 4096, WRITE, 0 } } },
	{ .what = "length 2^32 - 1", .want = STOPPED,
	  .ring = { { REQ, UINT32_MAX, NEXT, 1 }, { RESP, 99, WRITE, 0 } } },
	{ .what = "response of 2^32 - 1", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, 1 }, { RESP, UINT32_MAX, WRITE, 0 } } },
	{ .what = "a descriptor after itself", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, 0 } } },
	{ .what = "a ring of two", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, 1 }, { REQ, 8, NEXT, 0 } } },
	{ .what = "a ring of two, for writing", .want = STOPPED,
	  .ring = { { RESP, 8, NEXT | WRITE, 1 }, { RESP, 8, NEXT | WRITE, 0 } } },
	{ .what = "next beyond the ring", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, FE_NUM } } },
	{ .what = "next far beyond the ring", .want = STOPPED,
	  .ring = { { REQ, 8, NEXT, 65535 } } },
	{ .what = "head beyond the ring", .want = STOPPED,
	  .ring = { { REQ, 8, 0, 0 } }, .head = FE_NUM },
	{ .what = "head far beyond the ring", .want = STOPPED,
	  .ring = { { REQ, 8, 0, 0 } }, .head = 65535 },
	{ .what = "more available than the ring holds", .want = SERVES,
	  .ring = { { REQ, 8, 0, 0 } }, .jump = FE_NUM },
	{ .what = "far more available", .want = SERVES,
	  .ring = { { REQ, 8, 0, 0 } }, .jump = 40000 },
	{ .what = "no response", .want = SERVES,
	  .ring = { { REQ, 8, 0, 0 } } },
	{ .what = "no request", .want = SERVES,
	  .ring = { { RESP, 4096, WRITE, 0 } } },
	{ .what = "response before request", .want = STOPPED,
	  .ring = { { RESP, 4096, NEXT | WRITE, 1 }, { REQ, 8, 0, 0 } } },
	{ .what = "request and response in one place", .want = SERVES,
	  .ring = { { REQ, 8, NEXT, 1 }, { REQ, 4096, WRITE, 0 } } },
	{ .what = "response onto the ring itself", .want = SERVES,
	  .ring = { { REQ, 8, NEXT, 1 }, { FE_GPA, 4096, WRITE, 0 } } },
	{ .what = "indirect: a good one", .want = SERVES,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT, 0 } },
	  .table = { { REQ, 8, NEXT, 1 }, { RESP, 4096, WRITE, 0 } } },
	{ .what = "indirect: no table", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 0, INDIRECT, 0 } } },
	{ .what = "indirect: a crooked table", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 33, INDIRECT, 0 } } },
	{ .what = "indirect: a huge table", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 0xfffffff0, INDIRECT, 0 } } },
	{ .what = "indirect: a table out of memory", .want = STOPPED,
	  .ring = { { END, 32, INDIRECT, 0 } } },
	{ .what = "indirect: over the end of memory", .want = STOPPED,
	  .ring = { { END - 16, 32, INDIRECT, 0 } } },
	{ .what = "indirect: and one more descriptor", .want = SERVES,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT | NEXT, 1 }, { END, 8, 0, 0 } },
	  .table = { { REQ, 8, NEXT, 1 }, { RESP, 4096, WRITE, 0 } } },
	{ .what = "indirect inside indirect", .want = SERVES,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT, 0 } },
	  .table = { { FE_GPA + TABLE, 32, INDIRECT | NEXT, 1 }, { RESP, 4096, WRITE, 0 } } },
	{ .what = "indirect: a ring", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT, 0 } },
	  .table = { { REQ, 8, NEXT, 1 }, { REQ, 8, NEXT, 0 } } },
	{ .what = "indirect: next beyond the table", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT, 0 } },
	  .table = { { REQ, 8, NEXT, 2 }, { RESP, 8, WRITE, 0 } } },
	{ .what = "indirect: length 0", .want = STOPPED,
	  .ring = { { FE_GPA + TABLE, 32, INDIRECT, 0 } },
	  .table = { { REQ, 0, NEXT, 1 }, { RESP, 8, WRITE, 0 } } },
};

/**
 * t_chains() - bad descriptors, one kind after the other
 *
 * Return: true if each had the outcome it should have
 */
static bool t_chains(void)
{
	struct front_end *fe = &scene.fe;
	bool ok = true;

	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		const struct chain *c = &chains[i];
		uint16_t used = (uint16_t)(le16toh(fe->ring[0].used->idx) + 1 + c->jump);

		fe_make(fe, VIRTIO_BPF_GET_INFO, NULL, 0);
		memcpy(fe->ring[0].desc, c->ring, sizeof(c->ring));
		memcpy(fe->mem + TABLE, c->table, sizeof(c->table));
		fe_put(fe, c->head);
		fe->ring[0].avail->idx = htole16((uint16_t)(le16toh(fe->ring[0].avail->idx) +
							    c->jump));
		fe_kick(fe);
		fe_wait(fe, used, c->want == SERVES ? 5000 : 50);
		ok &= settle(c->what, c->want);
	}
	return ok;
}

/**
 * t_long_chains() - as many descriptors as there can be, and more
 *
 * Return: true if the device serves on, or stops
 */
static bool t_long_chains(void)
{
	struct front_end *fe = &scene.fe;
	struct vring_desc *table = (void *)(fe->mem + TABLE);

	for (unsigned int cnt = 1023; cnt <= 1026; cnt++) {
		fe_make(fe, VIRTIO_BPF_GET_INFO, NULL, 0);
		for (unsigned int i = 0; i < cnt; i++)
			table[i] = (struct vring_desc){ REQ, 8, NEXT, (uint16_t)(i + 1) };
		table[cnt - 1] = (struct vring_desc){ RESP, 4096, WRITE, 0 };
		fe_desc(fe, 0, FE_GPA + TABLE, cnt * 16, INDIRECT, 0);
		fe_put(fe, 0);
		fe_kick(fe);
		usleep(50000);
		/* The library takes no more than 1024. */
		CHECK(settle("a long chain", cnt <= 1024 ? SERVES : STOPPED));
		table = (void *)(scene.fe.mem + TABLE);
	}
	return true;
}

/**
 * struct liar - a guest that changes what it said
 * @fe: the guest
 * @seed: of its choices
 * @stop: it is enough
 */
struct liar {
	struct front_end *fe;
	unsigned int seed;
	bool stop;
};

/**
 * lie() - change descriptors and requests while they are read
 * @data: the liar
 *
 * Return: NULL
 */
static void *lie(void *data)
{
	struct liar *l = data;
	unsigned char *mem = l->fe->mem;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		unsigned int r = (unsigned int)rand_r(&l->seed);

		switch (r % 4) {
		case 0:
			mem[r / 4 % 32] ^= (unsigned char)(1 << r / 128 % 8);
			break;
		case 1:
			mem[FE_REQ + r / 4 % 64] ^= (unsigned char)(1 << r / 256 % 8);
			break;
		case 2:
			mem[TABLE + r / 4 % 64] = (unsigned char)(r >> 16);
			break;
		default:
			fe_desc(l->fe, 0, FE_GPA + FE_REQ, r / 4 % 200, NEXT, 1);
			break;
		}
	}
	return NULL;
}

/**
 * t_changing() - a guest that changes what it said while that is read
 *
 * Return: true if the device serves again afterwards
 */
static bool t_changing(void)
{
	struct {
		struct virtio_bpf_prog_load head;
		struct virtio_bpf_insn insns[2];
	} load = { .head.prog_class = htole16(1), .head.insn_cnt = htole32(2),
		   .insns = { { .code = 0xb7, .imm = htole32(2) }, { .code = 0x95 } } };
	int64_t end = now_ms() + 3000;
	unsigned int seed = 1, rounds = 0;

	while (now_ms() < end) {
		struct liar liar = { &scene.fe, seed++, false };
		pthread_t thread;

		fe_make(&scene.fe, VIRTIO_BPF_PROG_LOAD, &load, sizeof(load));
		CHECK(!pthread_create(&thread, NULL, lie, &liar));
		for (int i = 0; i < 50; i++) {
			fe_put(&scene.fe, 0);
			fe_kick(&scene.fe);
			usleep(200);
		}
		liar.stop = true;
		pthread_join(thread, NULL);
		/* A reset every time: it frees what got through, too. */
		CHECK(fe_alive(&scene.fe) && fe_reset(&scene.fe));
		rounds++;
	}
	printf("# %u rounds of 50 requests\n", rounds);
	return settle("requests that change", SERVES);
}

/**
 * random_chain() - fill the first descriptors with what may be anything
 * @seed: of the choices
 */
static void random_chain(unsigned int *seed)
{
	static const uint64_t addrs[] = { REQ, RESP, FE_GPA, FE_GPA + TABLE, END - 8, END, 0 };
	static const uint32_t lens[] = { 8, 88, 4096, 16, 0, 1, FE_MEM, UINT32_MAX };

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int r = (unsigned int)rand_r(seed);

		fe_desc(&scene.fe, i, addrs[r % 7], lens[r / 7 % 8], r / 56 % 16 < 8 ?
			(uint16_t)(r / 56 % 8) : (i < 4 ? NEXT : WRITE), (uint16_t)(i + 1));
		((struct vring_desc *)(scene.fe.mem + TABLE))[i] = scene.fe.ring[0].desc[7 - i];
	}
}

/**
 * t_random() - descriptors and requests at random
 *
 * Return: true if the device serves again after each reset
 */
static bool t_random(void)
{
	unsigned int seed = 7;

	for (int round = 0; round < 300; round++) {
		random_chain(&seed);
		for (unsigned int i = 0; i < 96; i++)
			scene.fe.mem[FE_REQ + i] = (unsigned char)(rand_r(&seed) >> 8);
		scene.fe.mem[FE_REQ] = (unsigned char)(round % 14);
		memset(scene.fe.mem + FE_REQ + 1, 0, 3);
		fe_put(&scene.fe, (uint16_t)(round % 5));
		fe_kick(&scene.fe);
		CHECK(fe_alive(&scene.fe));
		if (round % 10 == 9)
			CHECK(fe_reset(&scene.fe));
	}
	CHECK(fe_reset(&scene.fe));
	return settle("requests at random", SERVES);
}

/**
 * struct memory - what a VMM should not say about memory
 * @what: in words
 * @want: what becomes of the device
 * @table: the regions
 * @not_memory: the fds are of something else
 */
struct memory {
	const char *what;
	enum outcome want;
	struct fe_table table;
	bool not_memory;
};

static const struct memory memories[] = {
	{ .what = "regions that overlap", .want = STOPPED,
	  .table = { 2, 0, { { FE_GPA, FE_MEM, FE_QVA, 0 },
			     { FE_GPA + 4096, FE_MEM, FE_QVA + FE_MEM, 0 } } } },
	{ .what = "regions that overlap for the VMM", .want = SERVES,
	  .table = { 2, 0, { { FE_GPA, FE_MEM, FE_QVA, 0 }, { 0, FE_MEM, FE_QVA, 0 } } } },
	{ .what = "no regions", .want = STOPPED, .table = { .cnt = 0 } },
	{ .what = "a region of nothing", .want = STOPPED,
	  .table = { 1, 0, { { FE_GPA, 0, FE_QVA, 0 } } } },
	{ .what = "a region of everything", .want = STOPPED,
	  .table = { 1, 0, { { 0, UINT64_MAX, 0, 0 } } } },
	{ .what = "a region round the end of everything", .want = STOPPED,
	  .table = { 1, 0, { { UINT64_MAX - 4095, FE_MEM, FE_QVA, 0 } } } },
	{ .what = "a region at a crooked offset", .want = STOPPED,
	  .table = { 1, 0, { { FE_GPA, FE_MEM, FE_QVA, 17 } } } },
	{ .what = "a region beyond its file", .want = ENDED,
	  .table = { 1, 0, { { FE_GPA, FE_MEM, FE_QVA, 2 * FE_MEM } } } },
	{ .what = "regions without the rings", .want = STOPPED,
	  .table = { 1, 0, { { FE_GPA + 0x100000, FE_MEM - 0x100000, FE_QVA + 0x100000,
			       0x100000 } } } },
	{ .what = "regions without the buffers", .want = STOPPED,
	  .table = { 1, 0, { { FE_GPA, 0x100000, FE_QVA, 0 } } } },
	{ .what = "nine regions", .want = ENDED, .table = { .cnt = 9 } },
	{ .what = "regions of what is no memory", .want = STOPPED,
	  .table = { 1, 0, { { FE_GPA, FE_MEM, FE_QVA, 0 } } }, .not_memory = true },
};

/**
 * t_memory() - memory tables that make no sense, while the rings run
 *
 * Return: true if each had the outcome it should have
 */
static bool t_memory(void)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof(memories) / sizeof(*memories); i++) {
		const struct memory *m = &memories[i];
		int fds[9];

		for (int j = 0; j < 9; j++)
			fds[j] = m->not_memory ? scene.fe.sock : scene.fe.memfd;
		CHECK(fe_table(&scene.fe, &m->table, fds));
		fe_make(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0);
		fe_put(&scene.fe, 0);
		fe_kick(&scene.fe);
		usleep(50000);
		ok &= settle(m->what, m->want);
	}
	return ok;
}

/**
 * t_shrinking() - memory whose file is cut short
 *
 * Return: true if the proxy ends with a sentence
 */
static bool t_shrinking(void)
{
	char out[4096];

	CHECK(!ftruncate(scene.fe.memfd, 0));
	fe_kick(&scene.fe);
	CHECK_EQ(launch_wait(&scene.vm, 5000, out, sizeof(out)), 1);
	CHECK(strstr(out, "the worker was killed by signal 7") ||
	      strstr(out, "AddressSanitizer: BUS"));
	fe_close(&scene.fe);
	CHECK(vm_start());
	return other_served();
}

/**
 * struct message - what a VMM should not send
 * @what: in words
 * @want: what becomes of the device
 * @request: FE_*, or any number
 * @payload: what follows the header
 * @len: bytes of it
 * @fds: that go along, all of the memory
 */
struct message {
	const char *what;
	enum outcome want;
	uint32_t request;
	uint32_t payload[4];
	size_t len;
	int fds;
};

static const struct message messages[] = {
	{ "request 0", ENDED, 0, { 0 }, 0, 0 },
	{ "a request that nobody knows", ENDED, 4711, { 0 }, 8, 0 },
	{ "postcopy", ENDED, 28, { 0 }, 0, 0 },
	{ "a log", ENDED, FE_SET_LOG_BASE, { 4096, 0, 0, 0 }, 16, 1 },
	{ "a ring of none", ENDED, FE_SET_VRING_NUM, { 0, 0 }, 8, 0 },
	{ "a ring of 65536", ENDED, FE_SET_VRING_NUM, { 0, 65536 }, 8, 0 },
	{ "a ring that is not there", STOPPED, FE_SET_VRING_NUM, { 2, 64 }, 8, 0 },
	{ "base of one", STOPPED, FE_SET_VRING_BASE, { 0xffffffff, 0 }, 8, 0 },
	{ "address of one", STOPPED, FE_SET_VRING_ADDR, { 77, 0, 0, 0 }, 16, 0 },
	{ "kick of one", STOPPED, FE_SET_VRING_KICK, { 200, 0 }, 8, 1 },
	{ "a kick without its fd", STOPPED, FE_SET_VRING_KICK, { 0, 0 }, 8, 0 },
	{ "a call that is no eventfd", SERVES, FE_SET_VRING_CALL, { 1, 0 }, 8, 1 },
	{ "fds where none belong", ENDED, FE_GET_FEATURES, { 0 }, 0, 8 },
	{ "no features", STOPPED, FE_SET_FEATURES, { 0, 0 }, 8, 0 },
	{ "a short message", STOPPED, FE_SET_VRING_ADDR, { 0 }, 4, 0 },
	{ "memory that is not there, removed", STOPPED, FE_REM_MEM_REG, { 0, 0, 1, 0 }, 16, 0 },
};

/**
 * t_messages() - messages that make no sense
 *
 * Return: true if each had the outcome it should have
 */
static bool t_messages(void)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		const struct message *m = &messages[i];
		int fds[8];

		for (int j = 0; j < 8; j++)
			fds[j] = scene.fe.memfd;
		CHECK(fe_send(&scene.fe, m->request, m->payload, m->len, fds, m->fds));
		ok &= settle(m->what, m->want);
	}
	return ok;
}

/**
 * t_cut() - the connection ends in the middle
 *
 * Return: true if the proxy ends each time
 */
static bool t_cut(void)
{
	for (size_t len = 1; len < 20; len += 6) {
		static const uint32_t text[5] = { FE_SET_FEATURES, 1, 8, 0, 0 };
		int status;

		CHECK_EQ(send(scene.fe.sock, text, len, MSG_NOSIGNAL), (ssize_t)len);
		fe_close(&scene.fe);
		status = launch_wait(&scene.vm, 5000, NULL, 0);
		CHECK(status == 0 || status == 1);
		CHECK(vm_start());
	}
	return other_served();
}

/**
 * flood() - make requests as fast as they are taken, and read no answer
 * @type: VIRTIO_BPF_*
 * @body: body and payload
 * @len: bytes of @body
 * @cnt: how many
 * @slowest: set to how long vm1 had to wait in between, in ms
 *
 * Return: how long it took, in ms; or -1
 */
static int64_t flood(uint32_t type, const void *body, size_t len, unsigned int cnt,
		     int64_t *slowest)
{
	struct front_end *fe = &scene.fe;
	int64_t start = now_ms();
	uint16_t used = le16toh(fe->ring[0].used->idx);

	*slowest = 0;
	fe_make(fe, type, body, len);
	for (unsigned int done = 0; done < cnt; done += FE_NUM) {
		int64_t before;

		for (unsigned int i = 0; i < FE_NUM; i++)
			fe_put(fe, 0);
		used = (uint16_t)(used + FE_NUM);
		fe_kick(fe);
		if (done / FE_NUM % 8 == 0) {
			before = now_ms();
			if (!other_served())
				return -1;
			if (now_ms() - before > *slowest)
				*slowest = now_ms() - before;
		}
		if (!fe_wait(fe, used, 10000))
			return -1;
	}
	return now_ms() - start;
}

/**
 * t_flood() - a guest that asks without end waits, and nobody else does
 *
 * Return: true if so
 */
static bool t_flood(void)
{
	const struct virtio_bpf_map_elem elem = { .handle = htole32(99), .key_size = htole32(4) };
	struct {
		struct virtio_bpf_map_elem elem;
		uint32_t key;
	} body = { elem, 0 };
	int64_t took, slowest;

	took = flood(VIRTIO_BPF_MAP_LOOKUP, &body, sizeof(body), 60032, &slowest);
	printf("# 60,032 lookups: %lld ms; vm1 waited %lld ms at most\n", (long long)took,
	       (long long)slowest);
	CHECK(took >= 900);
	usleep(2100000);
	took = flood(VIRTIO_BPF_GET_INFO, NULL, 0, 448, &slowest);
	printf("# 448 requests to the loader: %lld ms; vm1 waited %lld ms at most\n",
	       (long long)took, (long long)slowest);
	CHECK(took >= 1500);
	CHECK(slowest < 1000);
	return settle("floods", SERVES);
}

/**
 * resp_says() - does the last response contain some words?
 * @words: the words
 *
 * Return: whether it does
 */
static bool resp_says(const char *words)
{
	return memmem(scene.fe.mem + FE_RESP, 4096, words, strlen(words));
}

/**
 * t_loader_hangs() - a loader that stands still
 *
 * Return: true if the guest is told so in time, and served when it goes on
 */
static bool t_loader_hangs(void)
{
	int64_t start = now_ms();
	int status = -1;

	/* Not in the middle of a request of vm1, whose port would pay for the time. */
	usleep(200000);
	CHECK(!kill(bed.daemon, SIGSTOP));
	status = fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 20000);
	printf("# answered after %lld ms\n", (long long)(now_ms() - start));
	CHECK_EQ(status, VIRTIO_BPF_S_NODEV);
	CHECK(resp_says("the host's loader does not answer"));
	/* From now on nobody waits. */
	start = now_ms();
	CHECK_EQ(fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000), VIRTIO_BPF_S_NODEV);
	CHECK(now_ms() - start < 1000);
	CHECK(!kill(bed.daemon, SIGCONT));
	for (int i = 0; status && i < 250; i++) {
		usleep(20000);
		status = fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000);
	}
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	return other_served();
}

/**
 * t_loader_dies() - a loader that is killed, and started again
 *
 * Return: true if the guest is told so at once, and served afterwards
 */
static bool t_loader_dies(void)
{
	int status = -1;

	CHECK(!kill(bed.daemon, SIGKILL));
	bed_stop();
	CHECK_EQ(fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000), VIRTIO_BPF_S_NODEV);
	CHECK(resp_says("the host's loader is not running"));
	CHECK(bed_start() && other_open());
	for (int i = 0; status && i < 250; i++) {
		usleep(20000);
		status = fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 5000);
	}
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	return other_served();
}

/**
 * loader_forgets() - kill the loader, take away what vm0 had, and start it again
 *
 * Return: whether it serves vm1
 */
static bool loader_forgets(void)
{
	char out[256];

	CHECK(!kill(bed.daemon, SIGKILL));
	bed_stop();
	CHECK(!bed_run(out, sizeof(out), "rm -r %s", bed_path("bpf/ports/vm0")));
	return bed_start() && other_open();
}

/**
 * offer() - give the device buffers for events, and one event to be told
 * @desc: the buffers, one descriptor each
 * @cnt: number of @desc
 *
 * The event is that the guest's map is lost.
 *
 * Return: whether the loader lost it
 */
static bool offer(const struct vring_desc *desc, uint16_t cnt)
{
	const struct virtio_bpf_map_create map = {
		.map_type = htole32(BPF_MAP_TYPE_ARRAY), .key_size = htole32(4),
		.value_size = htole32(8), .max_entries = htole32(4),
	};
	struct fe_ring *r = &scene.fe.ring[VIRTIO_BPF_VQ_EVENT];
	uint16_t idx = le16toh(r->avail->idx);

	CHECK_EQ(fe_request(&scene.fe, VIRTIO_BPF_MAP_CREATE, &map, sizeof(map), 5000), 0);
	memcpy(r->desc, desc, cnt * sizeof(*desc));
	for (uint16_t i = 0; i < cnt; i++)
		r->avail->ring[(idx + i) % FE_NUM] = htole16(i);
	__atomic_store_n(&r->avail->idx, htole16((uint16_t)(idx + cnt)), __ATOMIC_RELEASE);
	eventfd_write(r->kick, 1);
	return loader_forgets();
}

/**
 * t_events() - buffers that no event can be put into
 *
 * Return: true if the device takes the next one, or stops
 */
static bool t_events(void)
{
	static const struct vring_desc poor[] = {
		{ RESP, 8, WRITE, 0 }, { REQ, 128, 0, 0 }, { RESP + 8192, 128, WRITE, 0 },
	};
	static const struct vring_desc bad = { END, 128, WRITE, 0 };
	struct fe_ring *r = &scene.fe.ring[VIRTIO_BPF_VQ_EVENT];
	struct virtio_bpf_event ev;
	int status = 0;

	CHECK(offer(poor, 3));
	for (int i = 0; i < 250; i++) {
		if (le16toh(__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE)) == 3)
			break;
		usleep(20000);
	}
	CHECK_EQ(le16toh(r->used->idx), 3);
	CHECK(!r->used->ring[0].len && !r->used->ring[1].len);
	CHECK_EQ(le32toh(r->used->ring[2].len), sizeof(ev));
	memcpy(&ev, scene.fe.mem + FE_RESP + 8192, sizeof(ev));
	CHECK_EQ(le32toh(ev.type), VIRTIO_BPF_EVENT_LOST);
	CHECK(settle("poor buffers for events", SERVES));
	CHECK(offer(&bad, 1));
	for (int i = 0; i < 250 && status >= 0; i++)
		status = fe_request(&scene.fe, VIRTIO_BPF_GET_INFO, NULL, 0, 300);
	return settle("a bad buffer for events", STOPPED);
}

/**
 * t_start() - the loader, two ports, a guest
 *
 * Does not return if one of them is not there: all other cases use it.
 *
 * Return: true if all are served
 */
static bool t_start(void)
{
	if (tap_open() && bed_start() && other_open() && vm_start())
		return other_served();
	printf("Bail out! a loader or a proxy does not start\n");
	bed_end(1);
}

/**
 * t_end() - the VMM closes the connection
 *
 * Return: true if the proxy ends well
 */
static bool t_end(void)
{
	CHECK_EQ(vm_end(), 0);
	return other_served();
}

/**
 * main() - run all cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a loader, two ports, a guest", t_start },
		{ "bad descriptors", t_chains },
		{ "long chains", t_long_chains },
		{ "requests that change while they are read", t_changing },
		{ "requests at random", t_random },
		{ "memory tables that make no sense", t_memory },
		{ "memory that shrinks", t_shrinking },
		{ "messages that make no sense", t_messages },
		{ "a connection that ends in the middle", t_cut },
		{ "floods of requests", t_flood },
		{ "a loader that hangs", t_loader_hangs },
		{ "a loader that dies", t_loader_dies },
		{ "bad buffers for events", t_events },
		{ "the end", t_end },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
