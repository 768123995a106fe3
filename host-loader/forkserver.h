/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORKSERVER_H
#define FORKSERVER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "text.h"

/**
 * struct forkserver - the fork server, seen from the daemon
 * @pid: of it, or 0 if there is none
 * @pidfd: readable when it has ended, or -1
 * @sock: to it, or -1 if there is none or it was lost
 * @io: event source of @pidfd
 */
struct forkserver {
	pid_t pid;
	int pidfd;
	int sock;
	sd_event_source *io;
};

#define FORKSERVER_NONE { .pidfd = -1, .sock = -1 }

int forkserver_start(struct forkserver *fs, struct text *why);
int forkserver_watch(struct forkserver *fs, sd_event *event, struct text *why);
pid_t forkserver_clone(struct forkserver *fs, int sock, uint32_t seconds);
void forkserver_stop(struct forkserver *fs);

#endif /* FORKSERVER_H */
