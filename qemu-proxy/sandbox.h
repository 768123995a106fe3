/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_H
#define SANDBOX_H
#include <sys/types.h>

int sandbox_drop_privileges(void);
int sandbox_isolate(void);
int sandbox_limit(void);

/* filter.c */
int filter_worker(void);
int filter_porter(pid_t worker);

#endif /* SANDBOX_H */
