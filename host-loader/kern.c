// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: bpf(2), as far as this daemon needs it
 *
 * By libbpf's low-level calls, which return an fd or 0, or a negative errno.
 * Those that need no word of explanation (pin, get, update) are called where
 * they are used. All of it works with CAP_BPF and CAP_NET_ADMIN alone.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kern.h"

/* From Linux 6.6; older headers do not have it. */
static const enum bpf_attach_type kern_hooks[] = {
	[KERN_TCX_INGRESS] = (enum bpf_attach_type)46,
	[KERN_TCX_EGRESS] = (enum bpf_attach_type)47,
};

/**
 * kern_prog_load() - load a translated program
 * @name: what the kernel shall call it
 * @insns: with map fds in their places
 * @cnt: number of @insns
 * @log: room for the verifier's log, of which the tail is kept, or NULL
 * @log_size: bytes of @log
 *
 * The program says that it is GPL-compatible: helpers that demand this are on
 * the whitelist or not by their own merits, and the tenant's own kernel has
 * held the program's licence against them.
 *
 * Return: the fd, or a negative errno; -ENOSPC with @log too short
 */
int kern_prog_load(const char *name, const struct bpf_insn *insns, uint32_t cnt, char *log,
		   uint32_t log_size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = log_size,
		    .log_level = log ? 1 : 0);

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", insns, cnt, &opts);
}

/**
 * kern_walks_on() - does the kernel's verifier walk mispredicted branches to their end?
 *
 * Since Linux 6.17 a barrier ends such a walk. This is a loop with one at its head:
 * the way behind its last turn goes on for ever, or not. With CAP_PERFMON, and
 * on a kernel without mitigations, there are no such walks.
 *
 * Return: whether it does; also true if that cannot be found out, since what is
 * made for such a kernel is right for the others
 */
bool kern_walks_on(void)
{
	static const struct bpf_insn loop[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = BPF_REG_0, .off = -3, .imm = 4 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = kern_prog_load("vbpf_loop", loop, sizeof(loop) / sizeof(*loop), NULL, 0);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

/**
 * kern_prog_info() - what the kernel says of a program
 * @fd: of the program
 * @id: set to its id
 * @verified: set to the number of instructions that the verifier looked at
 *
 * Return: 0, or a negative errno; -EINVAL for a program of another type than
 * this daemon loads
 */
int kern_prog_info(int fd, uint32_t *id, uint32_t *verified)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (err)
		return err;
	if (info.type != BPF_PROG_TYPE_SCHED_CLS)
		return -EINVAL;
	*id = info.id;
	*verified = info.verified_insns;
	return 0;
}

/**
 * kern_map_create() - create a tenant's map
 * @def: the map
 *
 * Return: the fd, or a negative errno
 */
int kern_map_create(const struct wire_map *def)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = def->flags);

	return bpf_map_create(def->type, def->name, def->key_size, def->value_size,
			      def->max_entries, &opts);
}

/**
 * kern_map_info() - what a map is
 * @fd: of the map
 * @def: filled, or NULL
 * @id: set to the kernel's id of it, or NULL
 *
 * Return: 0, or a negative errno
 */
int kern_map_info(int fd, struct wire_map *def, uint32_t *id)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (err)
		return err;
	if (def) {
		memcpy(def->name, info.name, sizeof(def->name));
		def->name[sizeof(def->name) - 1] = 0;
		def->type = info.type;
		def->key_size = info.key_size;
		def->value_size = info.value_size;
		def->max_entries = info.max_entries;
		def->flags = info.map_flags;
	}
	if (id)
		*id = info.id;
	return 0;
}

/**
 * kern_map_bytes() - the kernel memory of a map
 * @fd: of the map
 * @bytes: raised to what the kernel says, if that is more
 *
 * It is in fdinfo alone, as "memlock", and by each kind of map's own account from
 * Linux 6.4 on.
 *
 * Return: 0, or a negative errno
 */
int kern_map_bytes(int fd, uint64_t *bytes)
{
	static const char key[] = "\nmemlock:";
	char path[64], buf[1024];
	const char *line;
	uint64_t said;
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	len = read(info, buf, sizeof(buf) - 1);
	close(info);
	buf[len > 0 ? len : 0] = 0;
	line = strstr(buf, key);
	if (!line)
		return -ENODATA;
	said = strtoull(line + sizeof(key) - 1, NULL, 10);
	if (*bytes < said)
		*bytes = said;
	return 0;
}

/**
 * kern_cpus() - how many CPUs may the host have?
 *
 * Return: their number; not less than are there if the kernel does not say
 */
uint32_t kern_cpus(void)
{
	long cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		cpus = sysconf(_SC_NPROCESSORS_CONF);
	return cpus > 0 ? (uint32_t)cpus : 1;
}

/**
 * kern_counters_create() - create the counters of a program
 * @cnt: number of counters, per CPU
 *
 * Return: the fd, or a negative errno
 */
int kern_counters_create(uint32_t cnt)
{
	return bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "vbpf_counters", sizeof(uint32_t),
			      sizeof(uint64_t), cnt, NULL);
}

/**
 * kern_scratch_create() - create the scratch of a program in form sfi
 * @size: bytes of it, per CPU
 *
 * Nobody but the program uses it, and the program holds on to it.
 *
 * Return: the fd, or a negative errno
 */
int kern_scratch_create(uint32_t size)
{
	return bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "vbpf_scratch", sizeof(uint32_t), size, 1,
			      NULL);
}

/**
 * kern_counters_read() - read counters, summed over the CPUs
 * @fd: of a PERCPU_ARRAY of u64
 * @sums: set
 * @cnt: number of @sums
 *
 * Return: 0, or a negative errno
 */
int kern_counters_read(int fd, uint64_t *sums, uint32_t cnt)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values;
	int err = 0;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt && !err; i++) {
		err = bpf_map_lookup_elem(fd, &i, values);
		sums[i] = 0;
		for (int cpu = 0; cpu < cpus && !err; cpu++)
			sums[i] += values[cpu];
	}
	free(values);
	return err;
}

/**
 * kern_link_create() - attach a program at a netdev's tcx hook, as the last
 * @prog_fd: the program
 * @ifindex: the netdev
 * @hook: which of its hooks
 *
 * Return: the link's fd, or a negative errno
 */
int kern_link_create(int prog_fd, uint32_t ifindex, enum kern_hook hook)
{
	return bpf_link_create(prog_fd, (int)ifindex, kern_hooks[hook], NULL);
}

/**
 * kern_link_info() - where a link is, and what is behind it
 * @fd: of a tcx link
 * @info: filled
 *
 * Headers before 6.6 have no tcx in struct bpf_link_info; its ifindex lies
 * where that of an XDP link does.
 *
 * Return: 0, or a negative errno
 */
int kern_link_info(int fd, struct kern_link *info)
{
	struct bpf_link_info raw = { 0 };
	uint32_t len = sizeof(raw);
	int err = bpf_obj_get_info_by_fd(fd, &raw, &len);

	if (err)
		return err;
	info->ifindex = raw.xdp.ifindex;
	info->prog_id = raw.prog_id;
	return 0;
}
