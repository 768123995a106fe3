// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a worker for level relaxed is told, and what it and the fork server can do
 *
 * Both ends of the worker's socket are here. Maps of tenants are left to
 * tests/host/test_relaxed.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../../host-loader/relaxed.h"
#include "../../host-loader/sandbox.h"
#include "ktap.h"
#include "vbpf_msg.h"
#include "virtio_bpf.h"

#define MAPS_MAX	256	/* CONF_MAX_MAPS */
#define FDS_MAX		253	/* in a message */

/* A description, as relaxed.c writes it */
struct message {
	uint32_t insn_cnt;
	uint32_t map_cnt;
	uint32_t ifindex;
	uint32_t profile;
	uint32_t max_insns;
	uint32_t tap_ifindex;
	char name[VIRTIO_BPF_NAME_LEN];
	char rest[MAPS_MAX * sizeof(uint32_t) + (VIRTIO_BPF_MAX_INSNS + 1) * 8];
};

#define HEAD offsetof(struct message, rest)

static struct message message;

/**
 * pair() - make a worker's socket
 * @socks: set to the daemon's end and the worker's, which do not block
 *
 * Return: whether it was made
 */
static bool pair(int socks[2])
{
	return !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, socks);
}

/**
 * put() - send bytes and fds
 * @sock: where to
 * @data: the bytes
 * @len: number of them
 * @fd_cnt: number of fds, of a file that is no map
 *
 * Return: whether they were sent
 */
static bool put(int sock, const void *data, size_t len, size_t fd_cnt)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FDS_MAX], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	for (size_t i = 0; i < fd_cnt; i++)
		fds[i] = null;
	if (fd_cnt) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(fd_cnt * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_cnt * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_cnt * sizeof(int));
	}
	n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	close(null);
	return n == (ssize_t)len;
}

/**
 * receive() - what does the worker make of the message?
 * @len: bytes of it that are sent
 * @fd_cnt: fds that go along
 * @more: fds in a second message, or 0
 *
 * Return: what relaxed_recv() returns
 */
static int receive(size_t len, size_t fd_cnt, size_t more)
{
	struct translate what;
	int socks[2], size = 1 << 20, err;

	if (!pair(socks))
		return -EIO;
	setsockopt(socks[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (!put(socks[0], &message, len, fd_cnt) || (more && !put(socks[0], "", 1, more))) {
		err = -EIO;
	} else {
		err = relaxed_recv(socks[1], &what);
		relaxed_free(&what);
	}
	close(socks[0]);
	close(socks[1]);
	/* Its fds go with a worker. */
	close_range(3, ~0u, 0);
	return err;
}

/**
 * test_round() - a program is sent and received
 *
 * Return: whether it is the same
 */
static bool test_round(void)
{
	struct bpf_insn insns[VIRTIO_BPF_MAX_INSNS];
	struct translate what = {
		.in = { .insns = insns, .cnt = VIRTIO_BPF_MAX_INSNS, .ifindex = 7,
			.profile = RW_PROFILE_ALL },
		.name = "fifteen.letters", .max_insns = 9, .tap_ifindex = 11,
		.counters = open("/dev/null", O_RDONLY | O_CLOEXEC),
	};
	struct translate got;
	int socks[2];

	for (int i = 0; i < VIRTIO_BPF_MAX_INSNS; i++)
		insns[i] = (struct bpf_insn){ .code = (uint8_t)i, .imm = i };
	CHECK(pair(socks));
	CHECK_EQ(relaxed_send(socks[0], &what), 0);
	CHECK_EQ(relaxed_recv(socks[1], &got), 0);
	CHECK_EQ(got.in.cnt, VIRTIO_BPF_MAX_INSNS);
	CHECK(!memcmp(got.in.insns, insns, sizeof(insns)));
	CHECK_EQ(got.in.map_cnt, 0);
	CHECK_EQ(got.in.ifindex, 7);
	/* What a daemon says that was taken over: never more than a tenant can have */
	CHECK_EQ(got.in.profile, WL_PROFILES);
	CHECK_EQ(got.max_insns, 9);
	CHECK_EQ(got.tap_ifindex, 11);
	CHECK(!strcmp(got.name, "fifteen.letters"));
	CHECK(got.counters >= 0 && got.counters != what.counters);
	relaxed_free(&got);
	what.in.map_cnt = MAPS_MAX + 1;
	CHECK_EQ(relaxed_send(socks[0], &what), -E2BIG);
	CHECK_EQ(relaxed_recv(socks[1], &got), -EAGAIN);
	relaxed_free(&got);
	close_range(3, ~0u, 0);
	return true;
}

/**
 * test_lengths() - messages whose lengths do not fit, or not together
 *
 * Return: whether none is taken
 */
static bool test_lengths(void)
{
	memset(&message, 0, sizeof(message));
	message.insn_cnt = 2;
	CHECK_EQ(receive(HEAD + 16, 1, 0), 0);
	CHECK_EQ(receive(HEAD + 15, 1, 0), -EPROTO);
	CHECK_EQ(receive(HEAD + 17, 1, 0), -EPROTO);
	CHECK_EQ(receive(HEAD, 1, 0), -EPROTO);
	CHECK_EQ(receive(HEAD - 1, 1, 0), -EPROTO);
	CHECK_EQ(receive(1, 1, 0), -EPROTO);
	message.insn_cnt = 0;
	CHECK_EQ(receive(HEAD, 1, 0), -EPROTO);
	message.insn_cnt = UINT32_MAX;
	CHECK_EQ(receive(HEAD + 16, 1, 0), -EPROTO);
	message.insn_cnt = 1u << 29;	/* times 8: 0 in 32 bits */
	CHECK_EQ(receive(HEAD, 1, 0), -EPROTO);
	message.insn_cnt = VIRTIO_BPF_MAX_INSNS + 1;
	CHECK_EQ(receive(HEAD + message.insn_cnt * 8, 1, 0), -EPROTO);
	CHECK_EQ(receive(sizeof(message), 1, 0), -EPROTO);
	message.insn_cnt = 2;
	message.map_cnt = 1u << 30;
	CHECK_EQ(receive(HEAD + 16, 1, 0), -EPROTO);
	message.map_cnt = MAPS_MAX + 1;
	CHECK_EQ(receive(HEAD + 16 + message.map_cnt * 4, 1, 0), -EPROTO);
	message.map_cnt = 0;
	memset(message.name, 'x', sizeof(message.name));
	CHECK_EQ(receive(HEAD + 16, 1, 0), -EPROTO);
	return true;
}

/**
 * test_fds() - too few fds, too many, and such as are no maps
 *
 * Return: whether none is taken
 */
static bool test_fds(void)
{
	memset(&message, 0, sizeof(message));
	message.insn_cnt = 2;
	CHECK_EQ(receive(HEAD + 16, 0, 0), -EPROTO);
	CHECK_EQ(receive(HEAD + 16, 2, 0), -EPROTO);
	CHECK_EQ(receive(HEAD + 16, FDS_MAX, 0), -EPROTO);
	message.map_cnt = 1;
	CHECK_EQ(receive(HEAD + 4 + 16, 1, 0), -EAGAIN);
	CHECK_EQ(receive(HEAD + 4 + 16, 1, 2), -EPROTO);
	CHECK_EQ(receive(HEAD + 4 + 16, 1, FDS_MAX), -EPROTO);
	CHECK(receive(HEAD + 4 + 16, 2, 0) < 0);
	/* Handles that stand for the host's maps in a translation */
	memset(message.rest, 0xff, sizeof(uint32_t));
	CHECK_EQ(receive(HEAD + 4 + 16, 2, 0), -EPROTO);
	message.rest[0] = (char)0xfe;
	CHECK_EQ(receive(HEAD + 4 + 16, 2, 0), -EPROTO);
	message.map_cnt = MAPS_MAX;
	CHECK_EQ(receive(HEAD + 4 * MAPS_MAX + 16, FDS_MAX, 0), -EAGAIN);
	CHECK_EQ(receive(HEAD + 4 * MAPS_MAX + 16, FDS_MAX, 5), -EPROTO);
	return true;
}

/**
 * work() - have a worker load a program that does nothing
 * @type: of the map that it gets for counters
 * @key_size: of that
 * @value_size: of that
 *
 * Return: the worker's answer, or a negative errno if there is none
 */
static int work(enum bpf_map_type type, uint32_t key_size, uint32_t value_size)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct translate what = {
		.in = { .insns = insns, .cnt = 2, .ifindex = 1 },
		.name = "counted", .max_insns = 2, .tap_ifindex = 1,
		.counters = bpf_map_create(type, "counters", key_size, value_size, 8, NULL),
	};
	char buf[sizeof(struct vbpf_msg_hdr) + sizeof(struct worker_made) + TEXT_MAX];
	struct worker_made made = { .err = -ENOTCONN };
	struct vbpf_msg msg = { .fd = -1 };
	int socks[2];
	pid_t pid;

	if (what.counters < 0 || !pair(socks) || relaxed_send(socks[0], &what))
		return -EIO;
	pid = fork();
	if (!pid)
		relaxed_be(socks[1], 5);
	waitpid(pid, NULL, 0);
	if (vbpf_msg_recv(socks[0], buf, sizeof(buf), &msg) == 1 && msg.body_len == sizeof(made))
		memcpy(&made, msg.body, sizeof(made));
	close_range(3, ~0u, 0);
	return made.err;
}

/**
 * test_counters() - maps that are no counters, from a daemon that was taken over
 *
 * Return: whether the worker takes none but such as the translation expects
 */
static bool test_counters(void)
{
	if (geteuid())	/* To load programs takes a privilege. */
		return true;
	CHECK_EQ(work(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8), 0);
	CHECK_EQ(work(BPF_MAP_TYPE_ARRAY, 4, 8), -EPROTO);
	CHECK_EQ(work(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16), -EPROTO);
	CHECK_EQ(work(BPF_MAP_TYPE_HASH, 16, 8), -EPROTO);
	CHECK_EQ(work(BPF_MAP_TYPE_PERCPU_HASH, 16, 8), -EPROTO);
	return true;
}

/**
 * struct call - a system call that does nothing, but for clone()
 * @nr: of the call
 * @args: its arguments
 */
struct call {
	long nr;
	long args[5];
};

/* Those that some of them have, then such as none has */
enum {
	CALL_CLONE_PARENT, CALL_PRCTL, CALL_CLOSE_RANGE, CALL_PROG_LOAD, CALL_MAP_INFO,
	CALL_RECVMSG, CALL_MAP_CREATE
};

static const struct call calls[] = {
	[CALL_CLONE_PARENT] = { SYS_clone, { CLONE_PARENT | SIGCHLD } },
	[CALL_PRCTL] = { SYS_prctl, { -1 } },
	[CALL_CLOSE_RANGE] = { SYS_close_range, { 2, 1 } },
	[CALL_PROG_LOAD] = { SYS_bpf, { BPF_PROG_LOAD, 0, -1 } },
	[CALL_MAP_INFO] = { SYS_bpf, { BPF_OBJ_GET_INFO_BY_FD, 0, -1 } },
	[CALL_RECVMSG] = { SYS_recvmsg, { -1 } },
	[CALL_MAP_CREATE] = { SYS_bpf, { BPF_MAP_CREATE, 0, -1 } },
	{ SYS_bpf, { BPF_PROG_TEST_RUN, 0, -1 } },
	{ SYS_bpf, { BPF_LINK_CREATE, 0, -1 } },
	{ SYS_bpf, { BPF_PROG_GET_FD_BY_ID, 0, -1 } },
	{ SYS_bpf, { BPF_OBJ_GET, 0, -1 } },
	{ SYS_bpf, { BPF_RAW_TRACEPOINT_OPEN, 0, -1 } },
	{ SYS_clone, { SIGCHLD } },
	{ SYS_openat, { -1 } },
	{ SYS_read, { -1 } },
	{ SYS_write, { -1 } },
	{ SYS_socket, { -1 } },
	{ SYS_connect, { -1 } },
	{ SYS_execve, { 0 } },
	{ SYS_ptrace, { -1 } },
	{ SYS_perf_event_open, { 0, 0, -1, -1, -1 } },
	{ SYS_kill, { 0, -1 } },
	{ SYS_unshare, { -1 } },
	{ SYS_capset, { 0 } },
};

/**
 * passes() - does a system call get through the filter?
 * @call: the call
 *
 * Return: whether it does
 */
static bool passes(const struct call *call)
{
	const long *a = call->args;
	long ret = syscall(call->nr, a[0], a[1], a[2], a[3], a[4]);

	if (!ret && call->nr == SYS_clone)
		_exit(0);
	return ret >= 0 || errno != EPERM;
}

/**
 * behind() - try all calls behind a filter
 * @enter: makes the filter, in a process of its own
 *
 * Return: bit n set: call n gets through; 0 if there was no filter
 */
static uint32_t behind(int (*enter)(void))
{
	uint32_t *through = mmap(NULL, sizeof(*through), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t ret;
	pid_t pid;

	if (through == MAP_FAILED)
		return 0;
	*through = 0;
	pid = fork();
	if (!pid) {
		if (enter())
			_exit(1);
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			if (passes(&calls[i]))
				*through |= 1u << i;
		_exit(0);
	}
	/* What it made by CLONE_PARENT is a child of this process as well. */
	while (wait(NULL) > 0)
		;
	ret = *through;
	munmap(through, sizeof(*through));
	return ret;
}

/**
 * relaxed() - become a worker for level relaxed as far as the filters go
 *
 * Return: 0, or a negative errno
 */
static int relaxed(void)
{
	int err = sandbox_forkserver();

	return err ? err : sandbox_worker(true);
}

/**
 * strict() - the same for an ordinary worker
 *
 * Return: 0, or a negative errno
 */
static int strict(void)
{
	return sandbox_worker(false);
}

/**
 * test_filters() - system calls of the fork server and of workers
 *
 * Return: whether no more are let through than are needed
 */
static bool test_filters(void)
{
	const uint32_t server = 1u << CALL_CLONE_PARENT | 1u << CALL_PRCTL | 1u << CALL_CLOSE_RANGE;
	const uint32_t load = 1u << CALL_PROG_LOAD | 1u << CALL_MAP_INFO;

#ifdef __SANITIZE_ADDRESS__
	return true;
#endif
	if (geteuid())	/* bpf(2) may be refused for lack of rights. */
		return true;
	CHECK_EQ(behind(sandbox_forkserver), server | load | 1u << CALL_RECVMSG);
	CHECK_EQ(behind(relaxed), load | 1u << CALL_RECVMSG);
	CHECK_EQ(behind(strict), load | 1u << CALL_MAP_CREATE);
	return true;
}

/**
 * main() - run the cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a program is sent and received", test_round },
		{ "lengths that do not fit", test_lengths },
		{ "fds that do not fit", test_fds },
		{ "counters that are none", test_counters },
		{ "system calls of the fork server and of workers", test_filters },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
