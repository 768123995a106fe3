// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The porter: the process that stays outside
 *
 * A proxy is two processes. The one that was started becomes the porter. Its
 * child, the worker, is the device; it shuts itself in (sandbox.c) where there
 * are no files and no sockets to be made. Two things need some, and the porter
 * does them when asked:
 *
 * - call the loader, when there is no connection to it, and hand that over;
 * - remove the socket that the VMM connected to.
 *
 * Both paths come from the command line. A worker that was taken over can ask
 * for just these and say nothing else, so it gains what it had before: its own
 * connection to the loader, which believes a connection that it is for one port.
 *
 * The porter passes SIGTERM and SIGINT on and ends as the worker does. It sees
 * neither the guest's memory nor any message, is under a filter of its own, and
 * the worker does not outlive it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "porter.h"
#include "vbpf_msg.h"

/* Time for the worker to end when it is told to */
#define STOP_MS	5000

/* Between two calls; a worker that was taken over shall not keep the loader busy */
#define CALL_MS	100

/* Messages between the two, beside those of vbpf_loader.h */
enum {
	MSG_CALL = 1,	/* call the loader; the answer's status is an errno */
	MSG_REMOVE,	/* remove the VMM's socket; no answer */
};

/**
 * call_loader() - connect to the loader
 * @p: the porter
 *
 * Return: the socket, or a negative errno
 */
static int call_loader(const struct porter *p)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock, err;

	memcpy(addr.sun_path, p->loader, strnlen(p->loader, sizeof(addr.sun_path) - 1));
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (!connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return sock;
	err = -errno;
	close(sock);
	return err;
}

/**
 * remove_socket() - remove the socket that the VMM connects to, once
 * @p: the porter
 */
static void remove_socket(struct porter *p)
{
	if (p->listens)
		unlink(p->listens);
	p->listens = NULL;
}

/**
 * hear_worker() - do what the worker asks for
 * @p: the porter
 *
 * Return: false if it will ask for nothing any more
 */
static bool hear_worker(struct porter *p)
{
	struct vbpf_msg m = { .fd = -1 };
	char buf[sizeof(struct vbpf_msg_hdr)];
	int ret = vbpf_msg_recv(p->sock, buf, sizeof(buf), &m);

	if (m.fd >= 0)
		close(m.fd);
	if (ret <= 0)
		return ret == -EAGAIN;
	if (m.type == MSG_REMOVE)
		remove_socket(p);
	if (m.type == MSG_CALL) {
		struct vbpf_msg answer = { .type = MSG_CALL, .fd = call_loader(p) };

		if (answer.fd < 0)
			answer.status = (uint32_t)-answer.fd;
		vbpf_msg_send(p->sock, &answer);
		if (answer.fd >= 0)
			close(answer.fd);
		poll(NULL, 0, CALL_MS);
	}
	return true;
}

/**
 * reap() - look if the worker ended
 * @p: the porter
 *
 * Return: the exit status that becomes ours, or -1 while it runs
 */
static int reap(const struct porter *p)
{
	int status;

	if (waitpid(p->worker, &status, WNOHANG) != p->worker)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGSYS)
		log_msg("the worker was killed for a system call that its sandbox does not "
			"allow; the kernel's log may say which");
	else
		log_msg("the worker was killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return 1;
}

/**
 * porter_serve() - be the porter until the worker ends
 * @p: the porter
 *
 * Return: the exit status
 */
int porter_serve(struct porter *p)
{
	struct pollfd fds[] = {
		{ .fd = p->signals, .events = POLLIN },
		{ .fd = p->sock, .events = POLLIN },
	};
	int status = -1, timeout = -1;

	while (status < 0) {
		struct signalfd_siginfo si;
		int n = poll(fds, 2, timeout);

		if (!n) {
			log_msg("the worker did not end in %d s: killing it", STOP_MS / 1000);
			kill(p->worker, SIGKILL);
			timeout = -1;
		}
		if (n > 0 && fds[1].revents && !hear_worker(p))
			fds[1].fd = -1;
		if (n > 0 && fds[0].revents && read(p->signals, &si, sizeof(si)) == sizeof(si) &&
		    si.ssi_signo != SIGCHLD) {
			kill(p->worker, SIGTERM);
			timeout = STOP_MS;
		}
		status = reap(p);
	}
	remove_socket(p);
	return status;
}

/**
 * porter_fork() - make two processes of one
 * @p: with the two paths; filled, and what it holds goes with the process
 *
 * SIGTERM and SIGINT are blocked in both.
 *
 * Return: 0 in the worker, its process id in the porter, or a negative errno
 */
pid_t porter_fork(struct porter *p)
{
	pid_t self = getpid();
	sigset_t mask;
	int pair[2], err;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	p->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)) {
		err = -errno;
		goto close_signals;
	}
	p->worker = fork();
	if (p->worker < 0) {
		err = -errno;
		goto close_pair;
	}
	p->sock = pair[p->worker == 0];
	close(pair[p->worker != 0]);
	if (p->worker)
		return p->worker;
	close(p->signals);
	p->signals = -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != self)
		_exit(1);
	return 0;
close_pair:
	close(pair[0]);
	close(pair[1]);
close_signals:
	close(p->signals);
	return err;
}

/**
 * porter_ask_call() - ask for a connection to the loader
 * @sock: to the porter; porter_take() will have it when @sock can be read
 *
 * Return: 0, or a negative errno
 */
int porter_ask_call(int sock)
{
	const struct vbpf_msg m = { .type = MSG_CALL, .fd = -1 };

	return vbpf_msg_send(sock, &m);
}

/**
 * porter_ask_remove() - have the socket removed that the VMM connected to
 * @sock: to the porter
 *
 * Return: 0, or a negative errno
 */
int porter_ask_remove(int sock)
{
	const struct vbpf_msg m = { .type = MSG_REMOVE, .fd = -1 };

	return vbpf_msg_send(sock, &m);
}

/**
 * porter_take() - take the connection that was asked for
 * @sock: to the porter, can be read
 * @conn: set to the socket, the caller's, or to the -errno that kept the porter
 *        from connecting
 *
 * Return: 0; -EAGAIN if there is nothing to take; -EPIPE if the porter is gone
 */
int porter_take(int sock, int *conn)
{
	struct vbpf_msg m = { .fd = -1 };
	char buf[sizeof(struct vbpf_msg_hdr)];
	int ret = vbpf_msg_recv(sock, buf, sizeof(buf), &m);

	*conn = -EPROTO;
	if (ret == 0 || ret == -ECONNRESET)
		return -EPIPE;
	if (ret == -EAGAIN)
		return ret;
	if (ret < 0)
		return 0;
	if (m.fd >= 0)
		*conn = m.fd;
	else if (m.status && m.status < 4096)
		*conn = -(int)m.status;
	return 0;
}
