/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LAUNCH_H
#define LAUNCH_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct launch - a proxy under test, and how it is started
 * @program: below the build's folder
 * @uid: whom it runs as
 * @probe: what a build with the hook tries (probe.c), or NULL
 * @sock: connected to a VMM, given to it as --fd; the caller's; or -1 to have it
 *        listen in the run folder
 * @loader: the loader's socket
 * @port: its port
 * @option: one more argument, or NULL
 * @root: folder that becomes its root, or NULL
 * @no_landlock: this kernel shall look as if it had no Landlock
 * @no_seccomp: and no system call filters
 * @pid: the process, which is the porter; or 0
 * @out: what it writes
 */
struct launch {
	const char *program;
	uid_t uid;
	const char *probe;
	int sock;
	const char *loader;
	const char *port;
	const char *option;
	const char *root;
	bool no_landlock;
	bool no_seccomp;
	pid_t pid;
	int out;
};

bool launch_start(struct launch *l);
pid_t launch_worker(const struct launch *l);
int launch_wait(struct launch *l, int ms, char *out, size_t size);
int launch_stop(struct launch *l);

#endif /* LAUNCH_H */
