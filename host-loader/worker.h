/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WORKER_H
#define WORKER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "text.h"

struct worker;

#define WORKER_MEMORY	(256ull << 20)	/* bytes of address space beside the daemon's */

/**
 * struct worker_made - what a worker made of a program
 * @err: 0, or a negative errno
 * @insn_cnt: instructions after translation
 * @reach: bytes of a packet that it looks at, see struct rw_out
 * @form: VIRTIO_BPF_FORM_*
 * @pad: zero
 */
struct worker_made {
	int32_t err;
	uint32_t insn_cnt;
	uint32_t reach;
	uint8_t form;
	uint8_t pad[3];
};

/**
 * struct worker_end - how a worker ended; the callback's, for its time
 * @made: what it made
 * @fd: the program, which the callback may take by setting this to -1, or -1
 * @text: reasons, or how the program was accepted
 * @cpu_nsec: nanoseconds of CPU time that it took
 */
struct worker_end {
	struct worker_made made;
	int fd;
	struct text text;
	uint64_t cpu_nsec;
};

/**
 * struct worker_job - what a worker is to do
 * @run: does it, in the worker; sets the program's fd to one or leaves it -1
 * @spawn: makes the process, a child of the daemon with @theirs as its socket, if
 *         fork() is not to; returns its id or a negative errno
 * @done: is told how it ended, in the daemon
 * @user: for all of them
 * @fds: that @run needs, with room for one more
 * @fd_cnt: number of @fds
 * @seconds: of CPU time that it may take
 * @relaxed: it has CAP_PERFMON; its memory is limited already
 */
struct worker_job {
	void (*run)(void *user, struct worker_made *made, int *fd, struct text *text);
	pid_t (*spawn)(void *user, int ours, int theirs);
	void (*done)(void *user, struct worker_end *end);
	void *user;
	int *fds;
	size_t fd_cnt;
	uint32_t seconds;
	bool relaxed;
};

int worker_keep(int *fds, size_t cnt);
void worker_offer(const char *score);
void worker_be(const struct worker_job *job, int sock) __attribute__((noreturn));
int worker_start(sd_event *event, const struct worker_job *job, struct worker **out);
uint64_t worker_cancel(struct worker *worker);

#endif /* WORKER_H */
