// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A process for each program
 *
 * To check, translate and verify a program is the one thing that a tenant can
 * make take long, and the code that looks closest at what a tenant wrote. So it
 * is done in a child of the daemon, one per program, forked for it:
 *
 *   - it has a copy of what the daemon knows, and changes nothing in it;
 *   - beside the standard ones it has no fds but those of the port's maps, the
 *     program's counters and a socket to the daemon;
 *   - it can make no system call but a few (sandbox.c), and with the daemon's
 *     two capabilities it can load programs, nothing else;
 *   - its memory is limited, its CPU time too, and a clock on the wall ends one
 *     that does not get any. Inside a system call many kernels do not look at a
 *     process's own limit of CPU time, so the daemon looks at its clock. The
 *     verifier looks for signals between two instructions, so it ends as well;
 *   - the kernel's memory for it is charged to the service, and if that has no
 *     more it is a worker that is killed, not the daemon.
 *
 * The worker sends one message, as vbpf_msg.h frames it, and exits. It is read
 * when the worker is gone; one that went without is a program that is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bucket.h"
#include "log.h"
#include "sandbox.h"
#include "vbpf_msg.h"
#include "worker.h"

#define WORKER_WALL	4		/* times the CPU time that a worker may be there */
#define WORKER_MSG_MAX	(sizeof(struct vbpf_msg_hdr) + sizeof(struct worker_made) + TEXT_MAX)
#define WORKER_NSEC	1000000000ull	/* in a second */
#define WORKER_FD_FIRST	3		/* below it: standard input, output and error */

/**
 * struct worker - a worker, seen from the daemon
 * @pid: of it
 * @pidfd: readable when it has ended
 * @sock: over which it sends its message
 * @io: event source of @pidfd; the event loop's once nobody wants to know
 * @timer: at whose end it may be killed
 * @end: when it has been there for too long, as bucket_now()
 * @late: it was killed for that
 * @spent: it was killed for the CPU time that it took
 * @seconds: of CPU time that it may take
 * @done: is told how it ended; NULL once nobody wants to know
 * @user: for @done
 */
struct worker {
	pid_t pid;
	int pidfd;
	int sock;
	sd_event_source *io;
	sd_event_source *timer;
	uint64_t end;
	bool late;
	bool spent;
	uint32_t seconds;
	void (*done)(void *user, struct worker_end *end);
	void *user;
};

/**
 * worker_compare() - order two fds, for qsort()
 * @a: an fd
 * @b: another
 *
 * Return: less than, equal to or greater than 0
 */
static int worker_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/**
 * worker_keep() - close all fds but some
 * @fds: those; sorted afterwards
 * @cnt: number of @fds
 *
 * Return: 0, or a negative errno
 */
int worker_keep(int *fds, size_t cnt)
{
	unsigned int next = WORKER_FD_FIRST;

	qsort(fds, cnt, sizeof(*fds), worker_compare);
	for (size_t i = 0; i < cnt; i++) {
		unsigned int fd = (unsigned int)fds[i];

		if (fd > next && close_range(next, fd - 1, 0))
			return -errno;
		if (fd >= next)
			next = fd + 1;
	}
	return close_range(next, ~0u, 0) ? -errno : 0;
}

/**
 * worker_limit() - limit what this process may take
 * @job: says what
 *
 * Return: 0, or a negative errno
 */
static int worker_limit(const struct worker_job *job)
{
	const struct {
		__rlimit_resource_t what;
		struct rlimit limit;
	} limits[] = {
		{ RLIMIT_CPU, { job->seconds, job->seconds + 1 } },
		{ RLIMIT_CORE, { 0, 0 } },
		{ RLIMIT_FSIZE, { 0, 0 } },
		{ RLIMIT_NPROC, { 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (setrlimit(limits[i].what, &limits[i].limit))
			return -errno;
	return job->relaxed ? 0 : sandbox_memory(WORKER_MEMORY);
}

/**
 * worker_offer() - be killed before the daemon if memory is out
 * @score: how much before: 1000 for the first
 *
 * A worker's end is one program's loss, and its tenant is told. Where this cannot
 * be had the kernel chooses.
 */
void worker_offer(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		log_msg(LOG_WARNING, NULL, "cannot offer a worker to the kernel: %s",
			strerror(errno));
	close(fd);
}

/**
 * worker_be() - be the worker
 * @job: what to do; its @done and @spawn do not matter
 * @sock: to the daemon
 *
 * Context: a new process. Does not return. The daemon finds out by the lack of a
 * message if something was in the way.
 */
void worker_be(const struct worker_job *job, int sock)
{
	struct worker_made made = { .err = -EIO };
	struct text text = { 0 };
	sigset_t none;
	struct vbpf_msg msg = {
		.type = VIRTIO_BPF_PROG_LOAD, .body = &made, .body_len = sizeof(made), .fd = -1,
	};

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	job->fds[job->fd_cnt] = sock;
	if (!job->relaxed)
		worker_offer("1000");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || sigprocmask(SIG_SETMASK, &none, NULL) ||
	    worker_limit(job) || worker_keep(job->fds, job->fd_cnt + 1) ||
	    sandbox_worker(job->relaxed))
		_exit(1);
	job->run(job->user, &made, &msg.fd, &text);
	msg.text = text.buf;
	msg.text_len = text.len;
	_exit(vbpf_msg_send(sock, &msg) ? 1 : 0);
}

/**
 * worker_free() - forget a worker; also called when the event loop goes
 * @user: the worker
 */
static void worker_free(void *user)
{
	struct worker *worker = user;

	sd_event_source_disable_unref(worker->timer);
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	if (worker->sock >= 0)
		close(worker->sock);
	free(worker);
}

/**
 * worker_words() - say why a worker sent nothing
 * @worker: the worker
 * @status: as wait4() set it
 * @end: gets the error and a sentence
 */
static void worker_words(const struct worker *worker, int status, struct worker_end *end)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	/* Beyond the hard limit at the end of a system call, it dies of SIGKILL. */
	if (worker->late || worker->spent || sig == SIGXCPU ||
	    (sig == SIGKILL && end->cpu_nsec >= worker->seconds * WORKER_NSEC)) {
		end->made.err = -E2BIG;
		text_add(&end->text, "the host gave up on the program: to check it took more than"
			 " %u seconds of %s\n", worker->late ? WORKER_WALL * worker->seconds :
			 worker->seconds, worker->late ? "time" : "CPU time");
		return;
	}
	end->made.err = -EIO;
	text_add(&end->text, "the host's worker died while it checked the program\n");
	log_msg(LOG_ERR, NULL, "worker %d died over a program: %s %d", (int)worker->pid,
		sig ? "signal" : "exit status", sig ? sig : WEXITSTATUS(status));
}

/**
 * worker_message() - read what a worker sent before it ended
 * @worker: the worker
 * @end: filled
 *
 * Return: whether there was a message
 */
static bool worker_message(const struct worker *worker, struct worker_end *end)
{
	char buf[WORKER_MSG_MAX];
	struct vbpf_msg msg = { .fd = -1 };

	if (vbpf_msg_recv(worker->sock, buf, sizeof(buf), &msg) != 1)
		return false;
	end->fd = msg.fd;
	if (msg.body_len != sizeof(end->made))
		return false;
	memcpy(&end->made, msg.body, sizeof(end->made));
	text_add(&end->text, "%.*s", (int)msg.text_len, msg.text);
	return end->made.err < 0 || (!end->made.err && end->fd >= 0);
}

/**
 * worker_ended() - a worker has ended
 * @source: the event source
 * @fd: its pidfd
 * @revents: what happened
 * @user: the worker; freed
 *
 * Return: 0
 */
static int worker_ended(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct worker *worker = user;
	struct worker_end end = { .fd = -1 };
	struct rusage used = { 0 };
	int status = 0;

	(void)fd;
	(void)revents;
	if (wait4(worker->pid, &status, WNOHANG, &used) == 0)
		return 0;
	end.cpu_nsec = ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) *
		       WORKER_NSEC +
		       ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000;
	if (worker->done) {
		if (!worker_message(worker, &end))
			worker_words(worker, status, &end);
		worker->done(worker->user, &end);
	}
	if (end.fd >= 0)
		close(end.fd);
	text_free(&end.text);
	sd_event_source_disable_unref(source);
	return 0;
}

/**
 * worker_cpu() - how much CPU time has a worker taken?
 * @worker: the worker, not waited for yet
 *
 * Return: nanoseconds
 */
static uint64_t worker_cpu(const struct worker *worker)
{
	struct timespec used = { 0 };
	clockid_t clock;

	if (!clock_getcpuclockid(worker->pid, &clock))
		clock_gettime(clock, &used);
	return (uint64_t)used.tv_sec * WORKER_NSEC + (uint64_t)used.tv_nsec;
}

/**
 * worker_late() - a worker may have taken too much time
 * @source: the timer
 * @usec: when it was due
 * @user: the worker
 *
 * Return: 0
 */
static int worker_late(sd_event_source *source, uint64_t usec, void *user)
{
	struct worker *worker = user;
	uint64_t used = worker_cpu(worker), limit = worker->seconds * WORKER_NSEC, next;

	worker->spent = used >= limit;
	worker->late = !worker->spent && usec >= worker->end;
	if (!worker->spent && !worker->late) {
		/* When it can have taken the rest at the earliest */
		next = usec + (limit - used) / 1000 + 1000;
		sd_event_source_set_time(source, next < worker->end ? next : worker->end);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
	return 0;
}

/**
 * worker_watch() - have the daemon told when a worker ends
 * @event: the event loop
 * @worker: the worker; from now on it goes with its event source
 *
 * Return: 0, or a negative errno
 */
static int worker_watch(sd_event *event, struct worker *worker)
{
	int err = sd_event_add_io(event, &worker->io, worker->pidfd, EPOLLIN, worker_ended, worker);

	if (err < 0)
		return err;
	worker->end = bucket_now() + worker->seconds * WORKER_WALL * 1000000ull;
	return sd_event_add_time_relative(event, &worker->timer, CLOCK_MONOTONIC,
					  worker->seconds * 1000000ull, 1000, worker_late, worker);
}

/**
 * worker_start() - have a worker do something
 * @event: the event loop
 * @job: what; not needed afterwards
 * @out: set to the worker, which is there until @job->done was called
 *
 * Return: 0, or a negative errno
 */
int worker_start(sd_event *event, const struct worker_job *job, struct worker **out)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int socks[2] = { -1, -1 }, err = 0;

	if (!worker)
		return -ENOMEM;
	worker->pidfd = -1;
	worker->sock = -1;
	worker->seconds = job->seconds;
	worker->done = job->done;
	worker->user = job->user;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, socks))
		goto fail;
	worker->sock = socks[0];
	worker->pid = job->spawn ? job->spawn(job->user, socks[0], socks[1]) : fork();
	if (!worker->pid)
		worker_be(job, socks[1]);
	if (worker->pid < 0) {
		err = job->spawn ? worker->pid : -errno;
		goto fail;
	}
	worker->pidfd = pidfd_open(worker->pid, 0);
	if (worker->pidfd < 0)
		goto fail;
	err = worker_watch(event, worker);
	if (err < 0)
		goto fail;
	close(socks[1]);
	sd_event_source_set_destroy_callback(worker->io, worker_free);
	*out = worker;
	return 0;
fail:
	err = err ?: -errno;
	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
	}
	if (socks[1] >= 0)
		close(socks[1]);
	sd_event_source_disable_unref(worker->io);
	worker_free(worker);
	return err;
}

/**
 * worker_cancel() - end a worker; nobody is told
 * @worker: the worker; not the caller's any more
 *
 * It may take its time to go: it is waited for by the event loop.
 *
 * Return: nanoseconds of CPU time that it has taken
 */
uint64_t worker_cancel(struct worker *worker)
{
	uint64_t used;

	pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
	used = worker_cpu(worker);
	worker->done = NULL;
	worker->timer = sd_event_source_disable_unref(worker->timer);
	sd_event_source_set_floating(worker->io, true);
	sd_event_source_unref(worker->io);
	return used;
}
