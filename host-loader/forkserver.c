// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The process that makes workers with CAP_PERFMON
 *
 * The daemon has no CAP_PERFMON when it reads the first byte of a tenant's, and
 * cannot get it back. So if a port is relaxed a process is forked before that,
 * which keeps it: the fork server. It has nothing but the standard fds and a
 * socket to the daemon, a filter of system calls that knows no files and no
 * networks, and no way to more rights. Where no port is relaxed there is none.
 *
 * It does one thing. A request is a number of seconds and one fd, the worker's
 * end of a socket; the fork server makes a process by clone() that is the worker
 * at once, and answers with its process id. It never looks at what is in that
 * socket, where the tenant's program waits for the worker to read it (relaxed.c):
 * no byte of a tenant's comes near the process that could make more such workers.
 *
 * The worker is made with CLONE_PARENT, a child of the daemon: there it is
 * watched, waited for, accounted and killed like any other (worker.c).
 *
 * The daemon waits for the answer, which is there in a millisecond or so. If it
 * is not there in time, or the fork server ends, there is no other: programs are
 * loaded at level strict alone until virtio-bpfd is restarted.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forkserver.h"
#include "log.h"
#include "relaxed.h"
#include "sandbox.h"
#include "vbpf_msg.h"
#include "worker.h"

#define FORKSERVER_NAME		"virtio-bpf-fork"	/* in ps, 15 characters at most */
#define FORKSERVER_WAIT		5	/* seconds for an answer */
/* A message either way: a number and perhaps a sentence */
#define FORKSERVER_MSG_MAX	(sizeof(struct vbpf_msg_hdr) + sizeof(uint32_t) + 512)

/**
 * forkserver_send() - send a message
 * @sock: to the other end
 * @value: seconds, or a process id or a negative errno
 * @fd: the worker's socket, or -1
 * @why: a sentence, or NULL
 *
 * Return: 0, or a negative errno
 */
static int forkserver_send(int sock, int32_t value, int fd, const struct text *why)
{
	const struct vbpf_msg msg = {
		.type = VIRTIO_BPF_PROG_LOAD, .body = &value, .body_len = sizeof(value), .fd = fd,
		.text = why ? why->buf : NULL, .text_len = why ? why->len : 0,
	};

	return vbpf_msg_send(sock, &msg);
}

/**
 * forkserver_recv() - wait for a message
 * @sock: to the other end
 * @value: set
 * @fd: set to the fd that came along, or to -1
 * @why: gets the sentence that came along; NULL if none is expected
 *
 * Return: 0, or a negative errno: -ENOTCONN at the end of the connection
 */
static int forkserver_recv(int sock, int32_t *value, int *fd, struct text *why)
{
	char buf[FORKSERVER_MSG_MAX];
	struct vbpf_msg msg = { .fd = -1 };
	int ret = vbpf_msg_recv(sock, buf, sizeof(buf), &msg);

	*fd = msg.fd;
	if (ret != 1)
		return ret ? ret : -ENOTCONN;
	if (msg.body_len != sizeof(*value))
		return -EPROTO;
	memcpy(value, msg.body, sizeof(*value));
	if (why)
		text_add(why, "%.*s", (int)msg.text_len, msg.text);
	return 0;
}

/**
 * forkserver_enter() - give up what the fork server does not need
 * @sock: to the daemon
 * @why: a sentence if that fails
 *
 * Signals are for the daemon, whose end ends this process too. Workers, which
 * open no file, have their memory limited here, and go before the daemon if there
 * is none.
 *
 * Return: 0, or a negative errno with @why
 */
static int forkserver_enter(int sock, struct text *why)
{
	sigset_t all;
	int err;

	sigfillset(&all);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) ||
	    prctl(PR_SET_NAME, FORKSERVER_NAME, 0, 0, 0) || sigprocmask(SIG_SETMASK, &all, NULL)) {
		err = -errno;
		text_add(why, "cannot prepare the process for level relaxed: %s\n",
			 strerror(-err));
		return err;
	}
	err = sandbox_privileges(true, why);
	if (err)
		return err;
	worker_offer("500");
	err = worker_keep(&sock, 1);
	if (!err)
		err = sandbox_memory(WORKER_MEMORY);
	if (!err)
		err = sandbox_forkserver();
	if (err)
		text_add(why, "cannot shut the process for level relaxed in, which does not run"
			 " without that: %s\n", strerror(-err));
	return err;
}

/**
 * forkserver_be() - be the fork server
 * @sock: to the daemon
 *
 * Does not return. A request that is none, or the daemon's end, ends it.
 */
static void __attribute__((noreturn)) forkserver_be(int sock)
{
	struct text why = { 0 };
	int err = forkserver_enter(sock, &why);

	if (forkserver_send(sock, err, -1, &why) || err)
		_exit(1);
	for (;;) {
		int32_t seconds = 0;
		int fd;
		long pid;

		if (forkserver_recv(sock, &seconds, &fd, NULL) || fd < 0 || seconds <= 0)
			_exit(1);
		pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
		if (!pid)
			relaxed_be(fd, (uint32_t)seconds);
		err = pid < 0 ? -errno : (int)pid;
		close(fd);
		if (forkserver_send(sock, err, -1, NULL))
			_exit(1);
	}
}

/**
 * forkserver_lose() - have nothing more to do with the fork server
 * @fs: the fork server; ends, if it has not
 */
static void forkserver_lose(struct forkserver *fs)
{
	if (fs->sock >= 0)
		close(fs->sock);
	fs->sock = -1;
	kill(fs->pid, SIGKILL);
}

/**
 * forkserver_start() - make the fork server
 * @fs: FORKSERVER_NONE; filled
 * @why: a sentence if that fails
 *
 * Context: before privileges are dropped, and before anything of a tenant's is
 * read.
 *
 * Return: 0, or a negative errno with @why
 */
int forkserver_start(struct forkserver *fs, struct text *why)
{
	const struct timeval wait = { .tv_sec = FORKSERVER_WAIT };
	int socks[2], fd, err;
	int32_t value = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		goto fail;
	fs->sock = socks[0];
	fs->pid = fork();
	if (!fs->pid)
		forkserver_be(socks[1]);
	close(socks[1]);
	if (fs->pid < 0)
		goto fail;
	fs->pidfd = pidfd_open(fs->pid, 0);
	if (fs->pidfd < 0 || setsockopt(fs->sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fs->sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		goto fail;
	err = forkserver_recv(fs->sock, &value, &fd, why);
	if (!err)
		err = value;
	if (!err)
		return 0;
	if (!why->len)
		text_add(why, "the process for level relaxed does not start: %s\n",
			 strerror(-err));
	forkserver_stop(fs);
	return err;
fail:
	err = -errno;
	text_add(why, "cannot make the process for level relaxed: %s\n", strerror(-err));
	forkserver_stop(fs);
	return err;
}

/**
 * forkserver_ended() - the fork server has ended, though it should not
 * @source: the event source
 * @fd: its pidfd
 * @revents: what happened
 * @user: the fork server
 *
 * Return: 0
 */
static int forkserver_ended(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct forkserver *fs = user;
	int status = 0;

	(void)source;
	(void)fd;
	(void)revents;
	if (waitpid(fs->pid, &status, WNOHANG) == 0)
		return 0;
	log_msg(LOG_ERR, NULL, "the process for level relaxed (%d) ended: %s %d; until virtio-bpfd"
		" is restarted, which detaches nothing, programs are loaded at level strict alone",
		(int)fs->pid, WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	fs->pid = 0;
	forkserver_stop(fs);
	return 0;
}

/**
 * forkserver_watch() - have the daemon told when the fork server ends
 * @fs: the fork server, or none
 * @event: the event loop
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
int forkserver_watch(struct forkserver *fs, sd_event *event, struct text *why)
{
	int err;

	if (fs->pidfd < 0)
		return 0;
	err = sd_event_add_io(event, &fs->io, fs->pidfd, EPOLLIN, forkserver_ended, fs);
	if (err >= 0)
		return 0;
	text_add(why, "cannot watch the process for level relaxed: %s\n", strerror(-err));
	return err;
}

/**
 * forkserver_clone() - have the fork server make a worker
 * @fs: the fork server, or none
 * @sock: the worker's socket; stays the caller's
 * @seconds: of CPU time that the worker may take
 *
 * Return: the process id of a child of this process, or a negative errno:
 * -ENOTCONN if there is no fork server
 */
pid_t forkserver_clone(struct forkserver *fs, int sock, uint32_t seconds)
{
	int32_t value = 0;
	int fd = -1, err;

	if (fs->sock < 0)
		return -ENOTCONN;
	err = forkserver_send(fs->sock, (int32_t)seconds, sock, NULL);
	if (!err)
		err = forkserver_recv(fs->sock, &value, &fd, NULL);
	if (fd >= 0)
		close(fd);
	if (!err && value)
		return value;
	log_msg(LOG_ERR, NULL, "the process for level relaxed does not answer: %s",
		strerror(-err));
	forkserver_lose(fs);
	return -ENOTCONN;
}

/**
 * forkserver_stop() - end the fork server; workers that it made stay
 * @fs: the fork server, or none; FORKSERVER_NONE afterwards
 */
void forkserver_stop(struct forkserver *fs)
{
	if (fs->pid > 0) {
		forkserver_lose(fs);
		waitpid(fs->pid, NULL, 0);
	}
	sd_event_source_disable_unref(fs->io);
	if (fs->sock >= 0)
		close(fs->sock);
	if (fs->pidfd >= 0)
		close(fs->pidfd);
	*fs = (struct forkserver)FORKSERVER_NONE;
}
