// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sock.h"

/* Room for answers that a peer has not read yet, asked of the kernel */
#define SOCK_SNDBUF (1 << 20)

/**
 * sock_connect() - connect to a SOCK_SEQPACKET socket
 * @path: of the socket
 *
 * Return: the fd, or a negative errno
 */
int sock_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int sock, err;

	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len + 1);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(sock);
		return err;
	}
	return sock;
}

/**
 * sock_listen() - listen at a SOCK_SEQPACKET socket
 * @path: of the socket; one that nobody listens at any more is replaced
 * @mode: permissions of @path
 * @why: a sentence if that fails
 *
 * Return: the fd, which does not block, or a negative errno with @why
 */
int sock_listen(const char *path, mode_t mode, struct text *why)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int sock, err;

	sock = sock_connect(path);
	if (sock >= 0) {
		close(sock);
		text_add(why, "%s: another daemon listens there\n", path);
		return -EADDRINUSE;
	}
	if (sock == -ECONNREFUSED)
		unlink(path);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		goto fail;
	memcpy(addr.sun_path, path, strnlen(path, sizeof(addr.sun_path) - 1));
	/* The file never has more permissions than it is to have. */
	mask = umask(~mode & 0777);
	err = bind(sock, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (!err)
		err = listen(sock, 64);
	if (!err)
		return sock;
fail:
	err = -errno;
	text_add(why, "%s: cannot listen there: %s\n", path, strerror(-err));
	if (sock >= 0)
		close(sock);
	return err;
}

/**
 * sock_accept() - accept a connection
 * @sock: that listens
 * @peer: set to who is at the other end
 *
 * Return: the fd, which does not block, or a negative errno
 */
int sock_accept(int sock, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);
	int size = SOCK_SNDBUF, conn, err;

	conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn < 0)
		return -errno;
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, peer, &len)) {
		err = -errno;
		close(conn);
		return err;
	}
	/* By CAP_NET_ADMIN; without it the default has to do. */
	setsockopt(conn, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return conn;
}
