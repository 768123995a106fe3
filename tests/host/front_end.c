// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A vhost-user front end without a VMM
 *
 * It says to a back end what QEMU would, from memory that it plays guest in,
 * and can say anything else. The device is at the other end of a socketpair.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "front_end.h"

#define VERSION		1u
#define NEED_REPLY	8u
#define FEATURES	(1ull << 32 | 1ull << 30 | 1ull << 28 | 3)	/* no EVENT_IDX */
#define ANSWER_MS	5000

/**
 * struct head - what every message starts with
 * @request: FE_*
 * @flags: version and more
 * @size: bytes that follow
 */
struct head {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

/**
 * fe_open() - make guest and VMM
 * @fe: filled; end with fe_close()
 *
 * Return: whether it worked
 */
bool fe_open(struct front_end *fe)
{
	int pair[2];

	*fe = (struct front_end){ .sock = -1, .peer = -1, .memfd = -1, .mem = MAP_FAILED };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	fe->sock = pair[0];
	fe->peer = pair[1];
	fe->memfd = memfd_create("guest", MFD_CLOEXEC);
	if (fe->memfd < 0 || ftruncate(fe->memfd, FE_MEM))
		return false;
	fe->mem = mmap(NULL, FE_MEM, PROT_READ | PROT_WRITE, MAP_SHARED, fe->memfd, 0);
	for (int i = 0; i < VIRTIO_BPF_VQ_CNT; i++) {
		fe->ring[i].kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		fe->ring[i].call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	return fe->mem != MAP_FAILED;
}

/**
 * fe_close() - end guest and VMM
 * @fe: the front end
 */
void fe_close(struct front_end *fe)
{
	for (int i = 0; i < VIRTIO_BPF_VQ_CNT; i++) {
		close(fe->ring[i].kick);
		close(fe->ring[i].call);
	}
	if (fe->mem != MAP_FAILED)
		munmap(fe->mem, FE_MEM);
	close(fe->memfd);
	close(fe->sock);
}

/**
 * fe_send() - send a message
 * @fe: the front end
 * @request: FE_* or any number
 * @payload: what follows the header
 * @len: bytes of it
 * @fds: what goes along
 * @cnt: number of @fds, at most 9
 *
 * Return: whether it went
 */
bool fe_send(struct front_end *fe, uint32_t request, const void *payload, size_t len,
	     const int *fds, int cnt)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(9 * sizeof(int))];
	} control = { 0 };
	struct head head = { request, VERSION, (uint32_t)len };
	struct iovec iov[] = { { &head, sizeof(head) }, { (void *)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (cnt) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE((size_t)cnt * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)cnt * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)cnt * sizeof(int));
	}
	return sendmsg(fe->sock, &msg, MSG_NOSIGNAL) == (ssize_t)(sizeof(head) + len);
}

/**
 * take() - take what the device sends
 * @fe: the front end
 * @buf: room for it
 * @len: bytes that must come
 *
 * Return: whether they came in time
 */
static bool take(struct front_end *fe, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = fe->sock, .events = POLLIN };
	size_t got = 0;

	while (got < len) {
		ssize_t n = poll(&pfd, 1, ANSWER_MS) > 0 ?
			    recv(fe->sock, (char *)buf + got, len - got, 0) : -1;

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

/**
 * fe_ask() - send a message and wait for the answer
 * @fe: the front end
 * @request: FE_*
 * @payload: what follows the header; overwritten by the answer
 * @len: bytes of it
 * @want: bytes that must be in the answer
 *
 * Return: whether it came
 */
bool fe_ask(struct front_end *fe, uint32_t request, void *payload, size_t len, size_t want)
{
	struct head head;

	return fe_send(fe, request, payload, len, NULL, 0) && take(fe, &head, sizeof(head)) &&
	       head.request == request && head.size == want && take(fe, payload, want);
}

/**
 * fe_alive() - does the device still talk to the VMM?
 * @fe: the front end
 *
 * What was sent before has been dealt with then.
 *
 * Return: whether it does
 */
bool fe_alive(struct front_end *fe)
{
	uint64_t features = 0;

	return fe_ask(fe, FE_GET_FEATURES, &features, 0, sizeof(features)) && features;
}

/**
 * fe_table() - say where the guest's memory is
 * @fe: the front end
 * @table: the regions
 * @fds: as many
 *
 * Return: whether it was sent
 */
bool fe_table(struct front_end *fe, const struct fe_table *table, const int *fds)
{
	return fe_send(fe, FE_SET_MEM_TABLE, table, 8 + table->cnt * sizeof(*table->region), fds,
		       (int)table->cnt);
}

/**
 * fe_rings() - start both rings at their beginning
 * @fe: the front end
 *
 * Return: whether all was sent
 */
bool fe_rings(struct front_end *fe)
{
	bool ok = true;

	for (uint32_t i = 0; i < VIRTIO_BPF_VQ_CNT; i++) {
		struct fe_ring *r = &fe->ring[i];
		uint64_t at = i * 0x10000, index = i;
		struct { uint32_t index, num; } num = { i, FE_NUM }, base = { i, 0 }, on = { i, 1 };
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr = { i, 0, FE_QVA + at, FE_QVA + at + 0x8000, FE_QVA + at + 0x4000, 0 };

		memset(fe->mem + at, 0, 0x10000);
		r->desc = (void *)(fe->mem + at);
		r->avail = (void *)(fe->mem + at + 0x4000);
		r->used = (void *)(fe->mem + at + 0x8000);
		r->seen = 0;
		ok &= fe_send(fe, FE_SET_VRING_NUM, &num, sizeof(num), NULL, 0) &&
		      fe_send(fe, FE_SET_VRING_BASE, &base, sizeof(base), NULL, 0) &&
		      fe_send(fe, FE_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0) &&
		      fe_send(fe, FE_SET_VRING_KICK, &index, sizeof(index), &r->kick, 1) &&
		      fe_send(fe, FE_SET_VRING_CALL, &index, sizeof(index), &r->call, 1) &&
		      fe_send(fe, FE_SET_VRING_ENABLE, &on, sizeof(on), NULL, 0);
	}
	return ok;
}

/**
 * fe_start() - begin as a VMM and a driver do
 * @fe: the front end
 *
 * Return: whether the device is ready
 */
bool fe_start(struct front_end *fe)
{
	const struct fe_table table = { 1, 0, { { FE_GPA, FE_MEM, FE_QVA, 0 } } };
	uint64_t features = 0, protocol = 0, chosen = FEATURES;

	return fe_ask(fe, FE_GET_FEATURES, &features, 0, sizeof(features)) &&
	       (features & chosen) == chosen &&
	       fe_ask(fe, FE_GET_PROTOCOL_FEATURES, &protocol, 0, sizeof(protocol)) &&
	       fe_send(fe, FE_SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol), NULL, 0) &&
	       fe_send(fe, FE_SET_OWNER, NULL, 0, NULL, 0) &&
	       fe_send(fe, FE_SET_FEATURES, &chosen, sizeof(chosen), NULL, 0) &&
	       fe_table(fe, &table, &fe->memfd) && fe_rings(fe) && fe_alive(fe);
}

/**
 * fe_reset() - have the guest reset its device, and start again
 * @fe: the front end
 *
 * Return: whether the device is ready
 */
bool fe_reset(struct front_end *fe)
{
	const struct fe_table table = { 1, 0, { { FE_GPA, FE_MEM, FE_QVA, 0 } } };
	struct {
		uint32_t offset, size, flags;
		uint8_t data[64];
	} config = { .size = 64 };

	for (uint32_t i = 0; i < VIRTIO_BPF_VQ_CNT; i++) {
		struct { uint32_t index, num; } base = { i, 0 };

		if (!fe_ask(fe, FE_GET_VRING_BASE, &base, sizeof(base), sizeof(base)))
			return false;
	}
	return fe_ask(fe, FE_GET_CONFIG, &config, sizeof(config), sizeof(config)) &&
	       fe_table(fe, &table, &fe->memfd) && fe_rings(fe) && fe_alive(fe);
}

/**
 * fe_desc() - write a descriptor of the requestq
 * @fe: the front end
 * @i: which
 * @addr: in the guest
 * @len: bytes
 * @flags: VRING_DESC_F_*
 * @next: the next one
 */
void fe_desc(struct front_end *fe, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
	     uint16_t next)
{
	fe->ring[0].desc[i] = (struct vring_desc){ htole64(addr), htole32(len), htole16(flags),
						   htole16(next) };
}

/**
 * fe_put() - make a chain of the requestq available
 * @fe: the front end
 * @head: its first descriptor
 */
void fe_put(struct front_end *fe, uint16_t head)
{
	struct vring_avail *a = fe->ring[0].avail;
	uint16_t idx = le16toh(a->idx);

	a->ring[idx % FE_NUM] = htole16(head);
	__atomic_store_n(&a->idx, htole16((uint16_t)(idx + 1)), __ATOMIC_RELEASE);
}

/**
 * fe_kick() - tell the device that there is something in the requestq
 * @fe: the front end
 */
void fe_kick(struct front_end *fe)
{
	eventfd_write(fe->ring[0].kick, 1);
}

/**
 * fe_wait() - wait until the device has given chains back
 * @fe: the front end
 * @used: the requestq's index that is waited for
 * @ms: for how long
 *
 * Return: whether it came
 */
bool fe_wait(struct front_end *fe, uint16_t used, int ms)
{
	struct fe_ring *r = &fe->ring[0];

	for (;;) {
		struct pollfd pfd[] = { { .fd = r->call, .events = POLLIN },
					{ .fd = fe->sock, .events = POLLRDHUP } };
		eventfd_t n;

		if (le16toh(__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE)) == used)
			return true;
		if (poll(pfd, 2, ms) <= 0 || pfd[1].revents)
			return le16toh(r->used->idx) == used;
		eventfd_read(r->call, &n);
	}
}

/**
 * fe_make() - put a request into descriptors 0 and 1
 * @fe: the front end
 * @type: VIRTIO_BPF_*
 * @body: body and payload
 * @len: bytes of @body
 */
void fe_make(struct front_end *fe, uint32_t type, const void *body, size_t len)
{
	struct virtio_bpf_req_hdr hdr = { htole32(type), htole32((uint32_t)len) };

	memcpy(fe->mem + FE_REQ, &hdr, sizeof(hdr));
	if (len)
		memcpy(fe->mem + FE_REQ + sizeof(hdr), body, len);
	fe_desc(fe, 0, FE_GPA + FE_REQ, (uint32_t)(sizeof(hdr) + len), VRING_DESC_F_NEXT, 1);
	fe_desc(fe, 1, FE_GPA + FE_RESP, 4096, VRING_DESC_F_WRITE, 0);
}

/**
 * fe_request() - make a good request
 * @fe: the front end; no other request is under way
 * @type: VIRTIO_BPF_*
 * @body: body and payload
 * @len: bytes of @body
 * @ms: time for the answer
 *
 * Return: the status, or -1 if there is no answer; the response is at FE_RESP
 */
int fe_request(struct front_end *fe, uint32_t type, const void *body, size_t len, int ms)
{
	uint16_t used = (uint16_t)(le16toh(fe->ring[0].used->idx) + 1);
	struct virtio_bpf_resp_hdr resp;

	memset(fe->mem + FE_RESP, 0xff, 4096);
	fe_make(fe, type, body, len);
	fe_put(fe, 0);
	fe_kick(fe);
	if (!fe_wait(fe, used, ms))
		return -1;
	memcpy(&resp, fe->mem + FE_RESP, sizeof(resp));
	return (int)le32toh(resp.status);
}
