// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Fuzz target: what a proxy sends to the loader
 *
 * The input is one packet of the socket between them, behind a byte that tells
 * how many fds go along uninvited. It travels through a real socket. A message
 * whose framing is right is read as each of the bodies that there are.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "../../host-loader/wire.h"
#include "fuzz.h"
#include "vbpf_msg.h"

#define FDS	3	/* the most that go along */

/**
 * send_packet() - send a packet as it is
 * @sock: the socket
 * @data: the packet
 * @len: bytes of @data
 * @fd: what goes along
 * @fd_cnt: that many times
 *
 * Return: whether it was sent: an empty packet is none
 */
static bool send_packet(int sock, const void *data, size_t len, int fd, unsigned int fd_cnt)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_cnt) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(fd_cnt * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_cnt * sizeof(int));
		for (unsigned int i = 0; i < fd_cnt; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	return len && sendmsg(sock, &msg, MSG_DONTWAIT) == (ssize_t)len;
}

/**
 * read_body() - read a body as each of the kinds that there are
 * @body: the body
 * @len: bytes of @body
 *
 * A refusal comes with a sentence.
 */
static void read_body(const void *body, size_t len)
{
	char name[VBPF_PORT_NAME_LEN];
	struct text why = { 0 };
	struct wire_prog prog;
	struct wire_map map;
	uint32_t handle;

	if (wire_hello(body, len, name, &why))
		FUZZ_MUST(why.len);
	else
		FUZZ_MUST(strnlen(name, sizeof(name)) < sizeof(name));
	text_free(&why);
	if (wire_empty(len, &why))
		FUZZ_MUST(why.len);
	text_free(&why);
	if (wire_handle(body, len, &handle, &why))
		FUZZ_MUST(why.len);
	text_free(&why);
	if (wire_map_create(body, len, &map, &why))
		FUZZ_MUST(why.len);
	else
		FUZZ_MUST(strnlen(map.name, sizeof(map.name)) < sizeof(map.name));
	text_free(&why);
	if (wire_prog_load(body, len, &prog, &why)) {
		FUZZ_MUST(why.len && !prog.insns);
	} else {
		FUZZ_MUST(prog.insn_cnt && prog.insn_cnt <= VIRTIO_BPF_MAX_INSNS);
		FUZZ_MUST(strnlen(prog.name, sizeof(prog.name)) < sizeof(prog.name));
		free(prog.insns);
	}
	text_free(&why);
}

/**
 * LLVMFuzzerTestOneInput() - receive a packet as the loader does
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char buf[VBPF_MSG_MAX];
	static int pair[2] = { -1, -1 }, null;
	struct fuzz_input in = { data, size };
	unsigned int fds = fuzz_byte(&in) % (FDS + 1);
	struct vbpf_msg m = { 0 };
	void *body;
	int got;

	if (pair[0] < 0) {
		FUZZ_MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair));
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		FUZZ_MUST(null >= 0);
	}
	if (!send_packet(pair[0], in.data, in.left, null, fds))
		return 0;
	got = vbpf_msg_recv(pair[1], buf, sizeof(buf), &m);
	FUZZ_MUST(got == 1 || got == -EPROTO);
	if (got != 1)
		return 0;
	FUZZ_MUST(fds <= 1 && (m.fd >= 0) == (fds == 1));
	if (m.fd >= 0)
		close(m.fd);
	body = malloc(m.body_len ? m.body_len : 1);
	FUZZ_MUST(body && m.body);
	memcpy(body, m.body, m.body_len);
	read_body(body, m.body_len);
	free(body);
	return 0;
}
