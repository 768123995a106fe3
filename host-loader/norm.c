// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-loader/datapath.skel.h"
#include "kern.h"
#include "norm.h"

/**
 * norm_load() - load the normaliser and what belongs to it (datapath.bpf.c)
 * @norm: filled; to be freed with norm_free() in any case
 * @ports: number of ports
 * @why: a sentence if that fails
 *
 * Needs CAP_PERFMON, as nothing else here does. libbpf says in its own words
 * what the kernel has against a program.
 *
 * Return: 0, or a negative errno with @why
 */
int norm_load(struct norm *norm, size_t ports, struct text *why)
{
	struct datapath *skel = datapath__open();
	int err = skel ? 0 : -errno;

	if (!err)
		err = bpf_map__set_max_entries(skel->maps.norm_ports,
					       (uint32_t)ports * NORM_NETDEVS + 1);
	if (!err)
		err = datapath__load(skel);
	if (err) {
		datapath__destroy(skel);
		text_add(why, "the kernel does not load the normaliser (%s); Linux 6.6 or newer"
			 " with BTF (/sys/kernel/btf/vmlinux) is needed; see the lines above\n",
			 strerror(-err));
		return err;
	}
	*norm = (struct norm){
		.skel = skel,
		.normalise = bpf_program__fd(skel->progs.vbpf_normalise),
		.out = bpf_program__fd(skel->progs.vbpf_out),
		.in = bpf_program__fd(skel->progs.vbpf_in),
		.ports = bpf_map__fd(skel->maps.norm_ports),
	};
	return 0;
}

/**
 * norm_free() - let go of the host's own programs; those attached stay
 * @norm: the programs
 */
void norm_free(struct norm *norm)
{
	datapath__destroy(norm->skel);
	memset(norm, 0, sizeof(*norm));
}

/**
 * norm_port_new() - make the map of a port
 *
 * Return: its fd, or a negative errno
 */
int norm_port_new(void)
{
	int fd = kern_counters_create(NORM_SLOTS), err;

	if (fd < 0)
		return fd;
	err = norm_set(fd, NORM_REACH, NORM_REACH_ALL);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * norm_port_check() - is this the map of a port, as this daemon makes them?
 * @port: fd of a map that a daemon before this one made
 *
 * Return: 0, or a negative errno
 */
int norm_port_check(int port)
{
	struct wire_map def;
	int err = kern_map_info(port, &def, NULL);

	if (err)
		return err;
	return def.type == BPF_MAP_TYPE_PERCPU_ARRAY && def.max_entries == NORM_SLOTS &&
	       def.value_size == sizeof(uint64_t) ? 0 : -EINVAL;
}

/**
 * norm_set() - tell the programs something about a port
 * @port: fd of the port's map
 * @slot: what
 * @value: the value
 *
 * Return: 0, or a negative errno
 */
int norm_set(int port, enum norm_slot slot, uint32_t value)
{
	int cpus = libbpf_num_possible_cpus(), err;
	uint32_t key = slot;
	uint64_t *values;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (int cpu = 0; cpu < cpus; cpu++)
		values[cpu] = value;
	err = bpf_map_update_elem(port, &key, values, BPF_ANY);
	free(values);
	return err;
}

/**
 * norm_bind() - let the programs find a port, and wait for those that run
 * @norm: the programs
 * @port: fd of the port's map
 * @ifindexes: netdevs of the port's
 * @cnt: number of @ifindexes, at most NORM_NETDEVS
 *
 * The kernel returns from a change in a map of maps when every program that
 * began before it has ended: this is what orders one change after another for
 * packets on other CPUs, also if nothing is changed here. It takes a while, so
 * all netdevs are done at a time.
 *
 * Return: 0, or a negative errno
 */
int norm_bind(const struct norm *norm, int port, const uint32_t *ifindexes, uint32_t cnt)
{
	int ports[NORM_NETDEVS];

	for (uint32_t i = 0; i < cnt; i++)
		ports[i] = port;
	return bpf_map_update_batch(norm->ports, ifindexes, ports, &cnt, NULL);
}

/**
 * norm_unbind() - forget netdevs that norm_bind() was told of
 * @norm: the programs
 * @ifindexes: the netdevs
 * @cnt: number of @ifindexes
 */
void norm_unbind(const struct norm *norm, const uint32_t *ifindexes, uint32_t cnt)
{
	bpf_map_delete_batch(norm->ports, ifindexes, &cnt, NULL);
}
