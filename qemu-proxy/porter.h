/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTER_H
#define PORTER_H
#include <sys/types.h>

/**
 * struct porter - the two processes of a proxy
 * @loader: path of the loader's socket; the caller's
 * @listens: path of the socket that the VMM connects to, to be removed; the
 *           caller's; or NULL
 * @worker: the worker's process id, in the porter
 * @sock: to the other process
 * @signals: signalfd, in the porter
 */
struct porter {
	const char *loader;
	const char *listens;
	pid_t worker;
	int sock;
	int signals;
};

pid_t porter_fork(struct porter *p);
int porter_serve(struct porter *p);

/* The worker's side */
int porter_ask_call(int sock);
int porter_ask_remove(int sock);
int porter_take(int sock, int *conn);

#endif /* PORTER_H */
