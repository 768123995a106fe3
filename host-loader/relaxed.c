// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The worker for level relaxed
 *
 * It is the fork server's (forkserver.c), and has CAP_PERFMON. What it is to work
 * on it finds in its socket, where the daemon put it before the worker was there:
 *
 *   struct relaxed_head, a handle for each map, the instructions
 *
 * with fds: first that of the program's counters, then one for each map. A message
 * takes as many fds as the kernel allows; the others come in further messages,
 * each with one byte of no meaning.
 *
 * The daemon is trusted less here than elsewhere: what the worker can find out
 * itself (what kind of a map an fd is) it does not take from the daemon, every
 * length is checked, and the tenant's program is checked and translated here
 * again. The counters are looked at as well: a map whose keys were longer than the
 * translation thinks would show what is beside its own key in the stack. So
 * whoever has the daemon cannot have a program loaded with CAP_PERFMON that the
 * rewriter would refuse.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../helpers-whitelist/whitelist.h"
#include "conf.h"
#include "kern.h"
#include "relaxed.h"

#define RELAXED_FDS	253	/* in one message: the kernel's SCM_MAX_FD */
#define RELAXED_FDS_MAX	(1 + CONF_MAX_MAPS)

/**
 * struct relaxed_head - begin of a program's description
 * @insn_cnt: as in struct rw_prog
 * @map_cnt: as in struct rw_prog
 * @ifindex: as in struct rw_prog
 * @profile: as in struct rw_prog
 * @max_insns: as in struct translate
 * @tap_ifindex: as in struct translate
 * @name: as in struct translate, with its NUL
 */
struct relaxed_head {
	uint32_t insn_cnt;
	uint32_t map_cnt;
	uint32_t ifindex;
	uint32_t profile;
	uint32_t max_insns;
	uint32_t tap_ifindex;
	char name[VIRTIO_BPF_NAME_LEN];
};

/**
 * struct relaxed_body - a program's description as it is received
 * @head: its begin
 * @rest: handles and instructions, as @head says
 */
struct relaxed_body {
	struct relaxed_head head;
	char rest[CONF_MAX_MAPS * sizeof(uint32_t) +
		  VIRTIO_BPF_MAX_INSNS * sizeof(struct bpf_insn)];
};

/* Room for the fds of one message */
union relaxed_control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(RELAXED_FDS * sizeof(int))];
};

/**
 * relaxed_send_one() - send a message with fds
 * @sock: the daemon's end of the worker's socket
 * @iov: what to send
 * @iov_cnt: number of @iov
 * @fds: the fds
 * @fd_cnt: number of @fds, 1 to RELAXED_FDS
 *
 * Return: 0, or a negative errno
 */
static int relaxed_send_one(int sock, struct iovec *iov, size_t iov_cnt, const int *fds,
			    size_t fd_cnt)
{
	union relaxed_control control = { 0 };
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = iov_cnt,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(fd_cnt * sizeof(*fds)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(fd_cnt * sizeof(*fds));
	memcpy(CMSG_DATA(c), fds, fd_cnt * sizeof(*fds));
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/**
 * relaxed_send() - put a program where its worker will find it
 * @sock: the daemon's end of the worker's socket; nobody reads it yet
 * @what: the program
 *
 * Return: 0, or a negative errno; -E2BIG for more maps than a port may have
 */
int relaxed_send(int sock, const struct translate *what)
{
	const struct rw_prog *in = &what->in;
	int fds[RELAXED_FDS_MAX], size = 2 * sizeof(struct relaxed_body), err = 0;
	size_t cnt = 1 + (size_t)in->map_cnt, now;
	uint32_t handles[CONF_MAX_MAPS];
	struct relaxed_head head = {
		.insn_cnt = in->cnt,
		.map_cnt = in->map_cnt,
		.ifindex = in->ifindex,
		.profile = in->profile,
		.max_insns = what->max_insns,
		.tap_ifindex = what->tap_ifindex,
	};
	struct iovec iov[] = {
		{ &head, sizeof(head) },
		{ handles, in->map_cnt * sizeof(*handles) },
		{ (void *)in->insns, in->cnt * sizeof(*in->insns) },
	};

	if (in->map_cnt > CONF_MAX_MAPS)
		return -E2BIG;
	strncpy(head.name, what->name, sizeof(head.name) - 1);
	fds[0] = what->counters;
	for (uint32_t i = 0; i < in->map_cnt; i++) {
		handles[i] = in->maps[i].handle;
		fds[1 + i] = what->fds[i];
	}
	/* By CAP_NET_ADMIN, whatever the host's default is */
	setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	for (size_t at = 0; at < cnt && !err; at += now) {
		now = cnt - at < RELAXED_FDS ? cnt - at : RELAXED_FDS;
		err = at ? relaxed_send_one(sock, &(struct iovec){ "", 1 }, 1, fds + at, now) :
			   relaxed_send_one(sock, iov, 3, fds, now);
	}
	return err;
}

/**
 * relaxed_recv_one() - receive a message with fds
 * @sock: the worker's socket
 * @buf: room for what comes
 * @size: bytes of @buf
 * @fds: gets the fds
 * @fd_cnt: of @fds those that there are, raised by those that come
 *
 * Fds that are not taken go with the process, which ends then.
 *
 * Return: number of bytes, or a negative errno
 */
static ssize_t relaxed_recv_one(int sock, void *buf, size_t size, int fds[RELAXED_FDS_MAX],
				size_t *fd_cnt)
{
	union relaxed_control control;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	ssize_t n;
	size_t cnt;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || !c || CMSG_NXTHDR(&msg, c) ||
	    c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len <= CMSG_LEN(0))
		return -EPROTO;
	cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(*fds);
	if (cnt > RELAXED_FDS_MAX - *fd_cnt)
		return -EPROTO;
	memcpy(fds + *fd_cnt, CMSG_DATA(c), cnt * sizeof(*fds));
	*fd_cnt += cnt;
	return n;
}

/**
 * relaxed_fds() - receive a program's description with all its fds
 * @sock: the worker's socket
 * @body: filled; its lengths are checked
 * @fds: set to the fd of the counters and those of the maps
 *
 * Return: 0, or a negative errno
 */
static int relaxed_fds(int sock, struct relaxed_body *body, int fds[RELAXED_FDS_MAX])
{
	const struct relaxed_head *head = &body->head;
	size_t fd_cnt = 0;
	ssize_t n = relaxed_recv_one(sock, body, sizeof(*body), fds, &fd_cnt);
	char none;

	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof(*head) || !head->insn_cnt ||
	    head->insn_cnt > VIRTIO_BPF_MAX_INSNS || head->map_cnt > CONF_MAX_MAPS ||
	    (size_t)n != sizeof(*head) + head->map_cnt * sizeof(uint32_t) +
			 head->insn_cnt * sizeof(struct bpf_insn) ||
	    head->name[sizeof(head->name) - 1])
		return -EPROTO;
	while (fd_cnt < 1 + head->map_cnt) {
		n = relaxed_recv_one(sock, &none, sizeof(none), fds, &fd_cnt);
		if (n < 0)
			return (int)n;
	}
	return fd_cnt == 1 + head->map_cnt ? 0 : -EPROTO;
}

/**
 * relaxed_map() - find out what a map is
 * @fd: of the map
 * @handle: of the map
 * @map: filled
 *
 * Return: 0, or a negative errno; -EPROTO if no tenant can have such a map, or such
 *         a handle, which may be the rewriter's own
 */
static int relaxed_map(int fd, uint32_t handle, struct rw_map *map)
{
	struct wire_map def;
	int err;

	if (handle == RW_HANDLE_COUNTERS || handle == RW_HANDLE_SCRATCH)
		return -EPROTO;
	err = kern_map_info(fd, &def, NULL);
	if (err)
		return err;
	*map = (struct rw_map){
		.handle = handle,
		.map_type = def.type,
		.key_size = def.key_size,
		.value_size = def.value_size,
		.max_entries = def.max_entries,
	};
	return def.type == BPF_MAP_TYPE_HASH || def.type == BPF_MAP_TYPE_ARRAY ? 0 : -EPROTO;
}

/**
 * relaxed_counters() - are a program's counters what the translation takes them for?
 * @fd: of the map
 *
 * Return: 0, or a negative errno; -EPROTO if not
 */
static int relaxed_counters(int fd)
{
	struct wire_map def;
	int err = kern_map_info(fd, &def, NULL);

	if (err)
		return err;
	return def.type == BPF_MAP_TYPE_PERCPU_ARRAY && def.key_size == sizeof(uint32_t) &&
	       def.value_size == sizeof(uint64_t) ? 0 : -EPROTO;
}

/**
 * relaxed_recv() - receive a program
 * @sock: the worker's socket
 * @what: filled; relaxed_free() in any case
 *
 * Context: a worker, of which nothing is left if this fails: fds stay open.
 *
 * Return: 0, or a negative errno
 */
int relaxed_recv(int sock, struct translate *what)
{
	struct relaxed_body *body = calloc(1, sizeof(*body));
	int fds[RELAXED_FDS_MAX], err;
	uint32_t handle;

	*what = (struct translate){ .counters = -1 };
	if (!body)
		return -ENOMEM;
	what->name = body->head.name;
	err = relaxed_fds(sock, body, fds);
	if (!err)
		err = translate_alloc(what, body->head.map_cnt);
	if (err)
		return err;
	what->counters = fds[0];
	for (uint32_t i = 0; i < body->head.map_cnt && !err; i++) {
		memcpy(&handle, body->rest + i * sizeof(handle), sizeof(handle));
		what->fds[i] = fds[1 + i];
		err = relaxed_map(fds[1 + i], handle, &what->maps[i]);
	}
	what->in.map_cnt = body->head.map_cnt;
	what->in.insns = (void *)(body->rest + body->head.map_cnt * sizeof(handle));
	what->in.cnt = body->head.insn_cnt;
	what->in.ifindex = body->head.ifindex;
	what->in.profile = body->head.profile & WL_PROFILES;
	what->max_insns = body->head.max_insns;
	what->tap_ifindex = body->head.tap_ifindex;
	return err;
}

/**
 * relaxed_free() - give the memory back that relaxed_recv() got
 * @what: the program; its fds stay open
 */
void relaxed_free(struct translate *what)
{
	translate_free(what);
	if (what->name)
		free((char *)what->name - offsetof(struct relaxed_body, head.name));
}

/**
 * relaxed_run() - receive, check, translate and load a program
 * @user: the worker's socket (int)
 * @made: filled
 * @fd: set to the program's
 * @text: the reasons, or how the program was accepted
 */
static void relaxed_run(void *user, struct worker_made *made, int *fd, struct text *text)
{
	struct translate what;

	made->err = relaxed_recv(*(int *)user, &what);
	if (!made->err)
		made->err = relaxed_counters(what.counters);
	if (made->err)
		text_add(text, "the host's worker cannot read the program: %s\n",
			 strerror(-made->err));
	else
		translate_relaxed(&what, made, fd, text);
}

/**
 * relaxed_be() - be a worker for level relaxed
 * @sock: the worker's socket
 * @seconds: of CPU time that it may take
 *
 * Context: a process that the fork server has just made. Does not return.
 */
void relaxed_be(int sock, uint32_t seconds)
{
	int fds[1];
	const struct worker_job job = {
		.run = relaxed_run, .user = &sock, .fds = fds, .seconds = seconds, .relaxed = true,
	};

	worker_be(&job, sock);
}
