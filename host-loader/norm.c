// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host-loader/datapath.skel.h"
#include "norm.h"

/**
 * norm_load() - load the normaliser (datapath.bpf.c)
 * @counters: fd of the counters that it shall go on counting in, or -1: then
 *            set to the fd of new ones, which the caller owns
 *
 * Return: the program's fd, or a negative errno
 */
int norm_load(int *counters)
{
	struct datapath *skel = datapath__open();
	int fd, err;

	if (!skel)
		return -errno;
	if (*counters >= 0) {
		err = bpf_map__reuse_fd(skel->maps.norm_counters, *counters);
		if (err)
			goto out;
	}
	err = datapath__load(skel);
	if (err)
		goto out;
	fd = fcntl(bpf_program__fd(skel->progs.vbpf_normalise), F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	if (*counters < 0)
		*counters = fcntl(bpf_map__fd(skel->maps.norm_counters), F_DUPFD_CLOEXEC, 0);
	if (*counters < 0) {
		err = -errno;
		close(fd);
		goto out;
	}
	err = fd;
out:
	datapath__destroy(skel);
	return err;
}
