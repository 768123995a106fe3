// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "launch.h"

/**
 * deny() - make some system calls fail from now on
 * @l: says which
 *
 * Return: 0, or a negative errno
 */
static int deny(const struct launch *l)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? 0 : -ENOMEM;

	if (!err && l->no_landlock)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(landlock_create_ruleset), 0);
	if (!err && l->no_seccomp)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
	if (!err && l->no_seccomp)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0));
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/**
 * become() - become the proxy
 * @l: how
 * @out: what stdout and stderr shall be
 *
 * The program is opened first: its user may not be able to come by its folder.
 * Does not return if all goes well.
 */
static void become(const struct launch *l, int out)
{
	char program[4200], port[64], loader[4300], where[4300];
	char *argv[] = { program, port, loader, where, (char *)"--mac=52:54:00:12:34:56",
			 (char *)l->option, NULL };
	int file;

	snprintf(program, sizeof(program), "%s/../%s", bed.bin, l->program);
	snprintf(port, sizeof(port), "--port=%s", l->port);
	snprintf(loader, sizeof(loader), "--loader=%s", l->loader);
	snprintf(where, sizeof(where), "--socket-path=%s", bed_path("proxy/vhost"));
	if (l->sock >= 0)
		snprintf(where, sizeof(where), "--fd=%d", l->sock);
	if (l->probe)
		setenv("VBPF_PROBE", l->probe, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	file = open(program, O_RDONLY | O_CLOEXEC);
	if (file < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    (l->sock >= 0 && fcntl(l->sock, F_SETFD, 0)) ||
	    (l->root && (chroot(l->root) || chdir("/"))) ||
	    ((l->no_landlock || l->no_seccomp) && deny(l)) ||
	    setresgid(l->uid, l->uid, l->uid) || setresuid(l->uid, l->uid, l->uid))
		return;
	fexecve(file, argv, environ);
}

/**
 * launch_start() - start a proxy
 * @l: how; filled
 *
 * Return: whether it was started; not, whether it serves
 */
bool launch_start(struct launch *l)
{
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC))
		return false;
	l->pid = fork();
	if (!l->pid) {
		become(l, pipe[1]);
		perror("launch");
		_exit(127);
	}
	close(pipe[1]);
	l->out = pipe[0];
	return l->pid > 0;
}

/**
 * launch_worker() - find a proxy's worker
 * @l: the proxy
 *
 * Return: the worker's process id, or 0 if there is none within five seconds
 */
pid_t launch_worker(const struct launch *l)
{
	char out[32];

	for (int i = 0; i < 250; i++) {
		if (!bed_run(out, sizeof(out), "cat /proc/%d/task/%d/children", (int)l->pid,
			     (int)l->pid) && atoi(out) > 0)
			return atoi(out);
		usleep(20000);
	}
	return 0;
}

/**
 * launch_wait() - wait for a proxy to end
 * @l: the proxy
 * @ms: for how long, after which it is killed
 * @out: gets the beginning of what it wrote, or NULL
 * @size: bytes of @out
 *
 * Return: its exit status; -1 if it had to be killed, or was
 */
int launch_wait(struct launch *l, int ms, char *out, size_t size)
{
	struct pollfd pfd = { .fd = l->out, .events = POLLIN };
	char rest[4096];
	size_t len = 0;
	int status;
	ssize_t n = 1;

	/* The end of the pipe is the end of both processes. */
	while (n > 0 && poll(&pfd, 1, ms) > 0) {
		bool keep = out && len < size - 1;

		n = keep ? read(l->out, out + len, size - 1 - len) :
			   read(l->out, rest, sizeof(rest));
		len += keep && n > 0 ? (size_t)n : 0;
	}
	if (out)
		out[len] = 0;
	if (n)
		kill(l->pid, SIGKILL);
	waitpid(l->pid, &status, 0);
	close(l->out);
	l->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/**
 * launch_stop() - ask a proxy to end
 * @l: the proxy
 *
 * Return: as launch_wait()
 */
int launch_stop(struct launch *l)
{
	kill(l->pid, SIGTERM);
	return launch_wait(l, 10000, NULL, 0);
}
