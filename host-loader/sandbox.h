/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SANDBOX_H
#define SANDBOX_H
#include <stdbool.h>
#include <stdint.h>

#include "text.h"

int sandbox_daemon(struct text *why);
int sandbox_forkserver(void);
int sandbox_worker(bool relaxed);
int sandbox_privileges(bool perfmon, struct text *why);
int sandbox_memory(uint64_t more);

#endif /* SANDBOX_H */
