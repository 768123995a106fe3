/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VBPF_MSG_H
#define VBPF_MSG_H
/**
 * DOC: Sending and receiving messages between qemu-proxy and host-loader
 *
 * The framing of vbpf_loader.h, once, for both ends. Whoever receives gets a
 * struct vbpf_msg only if every length in it agrees with the packet's own; what
 * the body holds is for the receiver to check.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vbpf_loader.h"

/**
 * struct vbpf_msg - one message, in host byte order
 * @type: VIRTIO_BPF_* or VBPF_MSG_*
 * @id: that pairs a request with its answer
 * @status: VIRTIO_BPF_S_*
 * @body: body and payload; points into the caller's buffer
 * @body_len: bytes of @body
 * @text: not NUL-terminated; points into the caller's buffer
 * @text_len: bytes of @text
 * @fd: the fd that came or goes along, or -1
 */
struct vbpf_msg {
	uint16_t type;
	uint32_t id;
	uint32_t status;
	const void *body;
	size_t body_len;
	const char *text;
	size_t text_len;
	int fd;
};

/**
 * vbpf_msg_send() - send one message
 * @sock: a SOCK_SEQPACKET socket; a full one that does not block gives -EAGAIN
 * @m: what to send; @m->fd stays the caller's
 *
 * Return: 0, or a negative errno
 */
static inline int vbpf_msg_send(int sock, const struct vbpf_msg *m)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct vbpf_msg_hdr hdr = {
		.magic = htole32(VBPF_MSG_MAGIC),
		.version = htole16(VBPF_MSG_VERSION),
		.type = htole16(m->type),
		.id = htole32(m->id),
		.status = htole32(m->status),
		.body_len = htole32((uint32_t)m->body_len),
		.text_len = htole32((uint32_t)m->text_len),
	};
	struct iovec iov[] = {
		{ &hdr, sizeof(hdr) },
		{ (void *)m->body, m->body_len },
		{ (void *)m->text, m->text_len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	ssize_t n;

	if (m->fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &m->fd, sizeof(int));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/**
 * vbpf_msg_take_fds() - take the fds out of a received control buffer
 * @msg: as recvmsg() filled it
 * @fd: set to the only fd, or -1
 *
 * Every fd that came is either handed over or closed, so that a peer cannot
 * fill our table.
 *
 * Return: 0, or -EPROTO if there were more than one
 */
static inline int vbpf_msg_take_fds(struct msghdr *msg, int *fd)
{
	struct cmsghdr *c;
	int err = 0;

	*fd = -1;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		const unsigned char *p = CMSG_DATA(c);
		const unsigned char *end = (unsigned char *)c + c->cmsg_len;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (; p + sizeof(int) <= end; p += sizeof(int)) {
			int one;

			memcpy(&one, p, sizeof(one));
			if (*fd < 0 && !err) {
				*fd = one;
				continue;
			}
			close(one);
			err = -EPROTO;
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		err = -EPROTO;
	if (err && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return err;
}

/**
 * vbpf_msg_recv() - receive one message
 * @sock: a SOCK_SEQPACKET socket
 * @buf: room for the longest message to be accepted
 * @size: bytes of @buf
 * @m: filled; its pointers point into @buf; the caller owns @m->fd
 *
 * Return: 1 for a message, 0 at the end of the connection, or a negative errno:
 * -EAGAIN with nothing there, -EPROTO for a packet that is no message
 */
static inline int vbpf_msg_recv(int sock, void *buf, size_t size,
				struct vbpf_msg *m)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct vbpf_msg_hdr hdr;
	size_t body_len, text_len;
	ssize_t n;
	int err;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	err = vbpf_msg_take_fds(&msg, &m->fd);
	if (err)
		return err;
	if (n == 0)
		return 0;
	if ((msg.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(hdr))
		goto bad;
	memcpy(&hdr, buf, sizeof(hdr));
	body_len = le32toh(hdr.body_len);
	text_len = le32toh(hdr.text_len);
	if (le32toh(hdr.magic) != VBPF_MSG_MAGIC ||
	    le16toh(hdr.version) != VBPF_MSG_VERSION ||
	    body_len > (size_t)n || text_len > (size_t)n ||
	    sizeof(hdr) + body_len + text_len != (size_t)n)
		goto bad;
	m->type = le16toh(hdr.type);
	m->id = le32toh(hdr.id);
	m->status = le32toh(hdr.status);
	m->body = (char *)buf + sizeof(hdr);
	m->body_len = body_len;
	m->text = (char *)buf + sizeof(hdr) + body_len;
	m->text_len = text_len;
	return 1;
bad:
	if (m->fd >= 0) {
		close(m->fd);
		m->fd = -1;
	}
	return -EPROTO;
}

#endif /* VBPF_MSG_H */
