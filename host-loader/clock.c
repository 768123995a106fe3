// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How long the daemon was at something
 *
 * A request is charged for the time that the daemon was held up by it, be it at
 * work or waiting in the kernel. That others had the CPU meanwhile is nothing that
 * a tenant can help: on a busy host it would pay for its neighbours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "bucket.h"
#include "clock.h"

/**
 * clock_open() - open what tells how long this process has waited for a CPU
 *
 * Not all kernels tell that (CONFIG_SCHED_INFO).
 *
 * Return: an fd for clock_now(), or a negative errno, which will do as well
 */
int clock_open(void)
{
	int fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/**
 * clock_now() - a clock that stands still while this process waits for a CPU
 * @fd: from clock_open(); without one it never stands still
 *
 * Return: microseconds
 */
uint64_t clock_now(int fd)
{
	unsigned long long ran, waited;
	uint64_t now = bucket_now();
	char line[64];
	ssize_t len = fd < 0 ? 0 : pread(fd, line, sizeof(line) - 1, 0);

	if (len <= 0)
		return now;
	line[len] = 0;
	return sscanf(line, "%llu %llu", &ran, &waited) == 2 ? now - waited / 1000 : now;
}
