// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a port holds, and how much of it
 *
 * The model alone: lists, handles and limits. Nothing here loads, pins or
 * attaches; map.c, load.c and attach.c do, and keep this in step.
 *
 * A map that its tenant freed while programs use it stays in the list, marked
 * gone, until the last of them goes: it still costs the host memory, so it
 * still counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../helpers-whitelist/whitelist.h"
#include "kern.h"
#include "port.h"

/* Kernel memory around an element of a hash (struct htab_elem) and per bucket */
#define PORT_HASH_ELEM		48
#define PORT_HASH_BUCKET	16
#define PORT_HASH_NODE		8	/* by which an element made when needed is freed */
/* What the kernel's allocator keeps ready of those, on each CPU that ever made one */
#define PORT_SPARE		96	/* elements, as many as come to ... */
#define PORT_SPARE_BYTES	(PORT_SPARE * 256)
#define PORT_SPARE_LEAST	3	/* ... but not less */

/**
 * port_init() - make an empty port
 * @port: the port
 * @conf: its section of the configuration; must outlive @port
 * @bpffs: folder of all ports
 *
 * bpffs takes no dots in names, so the folder's name has '~' in their place: a
 * character that no port's name has.
 */
void port_init(struct port *port, const struct conf_port *conf, const char *bpffs)
{
	memset(port, 0, sizeof(*port));
	port->conf = conf;
	snprintf(port->dir, sizeof(port->dir), "%s/%s", bpffs, conf->name);
	for (char *p = port->dir + strlen(bpffs) + 1; *p; p++)
		if (*p == '.')
			*p = '~';
	port->next_handle = 1;
	TAILQ_INIT(&port->progs);
	TAILQ_INIT(&port->maps);
	port->record = -1;
	port->norm_link = -1;
	port->link = -1;
	port->norm_state = -1;
	port->pair_out = -1;
	port->pair_in = -1;
	bucket_init(&port->requests, conf->limits.request_burst);
	bucket_init(&port->loads, conf->limits.load_burst);
}

/**
 * port_close_fd() - close an fd that may not be open
 * @fd: the fd, or -1; set to -1
 */
void port_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * port_empty() - free a port's programs and maps
 * @port: the port
 */
void port_empty(struct port *port)
{
	struct prog *prog, *next_prog;
	struct map *map, *next_map;

	port->attached = NULL;
	for (prog = TAILQ_FIRST(&port->progs); prog; prog = next_prog) {
		next_prog = TAILQ_NEXT(prog, node);
		port_del_prog(port, prog);
	}
	for (map = TAILQ_FIRST(&port->maps); map; map = next_map) {
		next_map = TAILQ_NEXT(map, node);
		port_del_map(port, map);
	}
}

/**
 * port_close() - let go of a port's objects
 * @port: the port
 *
 * What is pinned stays as it is: this ends the loader's part in it.
 */
void port_close(struct port *port)
{
	port_empty(port);
	port_close_fd(&port->link);
	port_close_fd(&port->norm_link);
	port_close_fd(&port->norm_state);
	port_close_fd(&port->pair_out);
	port_close_fd(&port->pair_in);
	port_close_fd(&port->record);
}

/**
 * port_prog() - look a program's handle up
 * @port: the port
 * @handle: as the tenant gave it
 *
 * Return: the program, or NULL
 */
struct prog *port_prog(const struct port *port, uint32_t handle)
{
	struct prog *prog;

	TAILQ_FOREACH(prog, &port->progs, node)
		if (prog->handle == handle)
			return prog;
	return NULL;
}

/**
 * port_map() - look a map's handle up
 * @port: the port
 * @handle: as the tenant gave it
 *
 * Return: the map, or NULL, also for one that the tenant freed
 */
struct map *port_map(const struct port *port, uint32_t handle)
{
	struct map *map;

	TAILQ_FOREACH(map, &port->maps, node)
		if (map->handle == handle && !map->gone)
			return map;
	return NULL;
}

/**
 * port_handle_used() - is a handle taken?
 * @port: the port
 * @handle: the handle
 *
 * Return: whether a program or a map has it, one that is gone included
 */
static bool port_handle_used(const struct port *port, uint32_t handle)
{
	const struct prog *prog;
	const struct map *map;

	TAILQ_FOREACH(prog, &port->progs, node)
		if (prog->handle == handle)
			return true;
	TAILQ_FOREACH(map, &port->maps, node)
		if (map->handle == handle)
			return true;
	return false;
}

/**
 * port_new_handle() - choose a handle
 * @port: the port
 *
 * Programs and maps share one sequence. It comes back to a handle only after
 * 2^32 others; 0 and the rewriter's own (UINT32_MAX and just below) are never
 * chosen.
 *
 * Return: the handle
 */
uint32_t port_new_handle(struct port *port)
{
	uint32_t handle;

	do {
		if (!port->next_handle || port->next_handle >= UINT32_MAX - 0xff)
			port->next_handle = 1;
		handle = port->next_handle++;
	} while (port_handle_used(port, handle));
	return handle;
}

/**
 * port_power() - the next power of two
 * @n: a number up to 2^63
 *
 * Return: the lowest that is not below @n
 */
static uint64_t port_power(uint64_t n)
{
	uint64_t power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

/**
 * port_spare() - elements of a hash without preallocation that are kept ready
 * @size: of one
 *
 * Return: how many on each CPU, at most
 */
static uint64_t port_spare(uint64_t size)
{
	uint64_t cnt = PORT_SPARE_BYTES / size;

	if (cnt > PORT_SPARE)
		return PORT_SPARE;
	return cnt > PORT_SPARE_LEAST ? cnt : PORT_SPARE_LEAST;
}

/**
 * port_map_bytes() - how much kernel memory a map comes to, as far as its
 * definition tells
 * @def: the map
 * @cpus: that the host may have
 * @bytes: set to it
 *
 * What the kernel says of a map that is there (kern_map_bytes()) is more by what
 * it has per CPU and at the head; and less in two cases, which is why the larger
 * of both counts. An array made without CAP_PERFMON has a power of two of
 * elements, so that an index can be masked. A hash without preallocation grows,
 * up to all its elements and those that the allocator keeps ready on each CPU, by
 * pieces that it rounds up.
 *
 * Return: 0, or -E2BIG if no figure can hold it
 */
int port_map_bytes(const struct wire_map *def, uint32_t cpus, uint64_t *bytes)
{
	uint64_t elem = ((uint64_t)def->value_size + 7) & ~7ull;
	uint64_t entries = def->max_entries, power = port_power(entries), table = 0;

	if (def->type == BPF_MAP_TYPE_HASH) {
		elem += PORT_HASH_ELEM + (((uint64_t)def->key_size + 7) & ~7ull);
		if (def->flags & BPF_F_NO_PREALLOC) {
			elem += PORT_HASH_NODE;
			entries += cpus * port_spare(elem);
			elem = port_power(elem);
		}
		table = power * PORT_HASH_BUCKET;
	} else {
		entries = power;
	}
	if (__builtin_mul_overflow(elem, entries, bytes) ||
	    __builtin_add_overflow(*bytes, table, bytes))
		return -E2BIG;
	return 0;
}

/**
 * port_over() - refuse a figure above its limit
 * @what: the figure's name
 * @asked: the figure
 * @limit: the highest that is allowed
 * @why: a sentence if it is higher
 *
 * Return: 0, or -E2BIG with @why
 */
static int port_over(const char *what, uint32_t asked, uint32_t limit, struct text *why)
{
	if (asked <= limit)
		return 0;
	text_add(why, "%s %u is over this port's limit of %u\n", what, asked, limit);
	return -E2BIG;
}

/**
 * port_admit_bytes() - may the tenant have a map of this size?
 * @port: the port
 * @bytes: that it counts for
 * @why: a sentence if not
 *
 * Return: 0, or -ENOSPC with @why
 */
int port_admit_bytes(const struct port *port, uint64_t bytes, struct text *why)
{
	uint64_t limit = port->conf->limits.max_map_bytes;
	uint64_t left = port->map_bytes < limit ? limit - port->map_bytes : 0;

	if (bytes <= left)
		return 0;
	text_add(why, "this port's maps may take %llu bytes together, and %llu of them are left\n",
		 (unsigned long long)limit, (unsigned long long)left);
	return -ENOSPC;
}

/**
 * port_admit_map() - may the tenant have this map, as far as its definition tells?
 * @port: the port
 * @def: the map
 * @bytes: set to what it counts for at least
 * @why: a sentence if not
 *
 * Return: 0, or a negative errno with @why
 */
int port_admit_map(const struct port *port, const struct wire_map *def, uint64_t *bytes,
		   struct text *why)
{
	const struct conf_limits *limits = &port->conf->limits;
	int err;

	if (port->map_cnt >= limits->max_maps) {
		text_add(why, "this port's limit of %u maps is reached; a freed map"
			 " counts until the programs that use it are gone\n", limits->max_maps);
		return -ENOSPC;
	}
	err = port_over("the map's key size", def->key_size, limits->max_key_size, why);
	if (!err)
		err = port_over("the map's value size", def->value_size, limits->max_value_size,
				why);
	if (!err)
		err = port_over("the map's number of entries", def->max_entries,
				limits->max_entries, why);
	if (err)
		return err;
	if (port_map_bytes(def, kern_cpus(), bytes))
		*bytes = UINT64_MAX;
	return port_admit_bytes(port, *bytes, why);
}

/**
 * port_admit_prog() - may the tenant have this program, as far as numbers tell?
 * @port: the port
 * @src: the program
 * @why: a sentence if not
 *
 * Return: 0, or a negative errno with @why
 */
int port_admit_prog(const struct port *port, const struct wire_prog *src, struct text *why)
{
	const struct conf_limits *limits = &port->conf->limits;

	if (port->prog_cnt >= limits->max_progs) {
		text_add(why, "this port's limit of %u programs is reached\n",
			 limits->max_progs);
		return -ENOSPC;
	}
	return port_over("the program's number of instructions", src->insn_cnt,
			 limits->max_insns, why);
}

/**
 * port_admit_work() - may the tenant have a program checked now?
 * @port: the port
 * @why: a sentence if not
 *
 * Return: 0, or -EAGAIN with @why
 */
int port_admit_work(struct port *port, struct text *why)
{
	const struct conf_limits *limits = &port->conf->limits;
	uint64_t wait;

	bucket_fill(&port->loads, limits->load_rate, limits->load_burst);
	wait = bucket_wait(&port->loads, limits->load_rate);
	if (!wait)
		return 0;
	text_add(why, "this port's programs have used up their CPU time on the host, of which"
		 " they get %u ms a second; try again in %llu seconds\n", limits->load_rate,
		 (unsigned long long)((wait + 999999) / 1000000));
	return -EAGAIN;
}

/**
 * port_admit_verified() - was a program simple enough for the kernel's verifier?
 * @port: the port
 * @prog: the program, loaded
 * @why: a sentence if not
 *
 * Return: 0, or -E2BIG with @why
 */
int port_admit_verified(const struct port *port, const struct prog *prog, struct text *why)
{
	return port_over("the number of instructions that the host's verifier looked at,",
			 prog->verified, port->conf->limits.max_verified, why);
}

/**
 * port_name_prog() - begin a sentence about a program
 * @prog: the program, which may have no handle yet
 * @text: added to
 */
static void port_name_prog(const struct prog *prog, struct text *text)
{
	if (prog->handle)
		text_add(text, "program %u", prog->handle);
	else
		text_add(text, "the program");
}

/**
 * port_admit_helpers() - does the port offer what a program calls?
 * @port: the port; its profiles may have changed since
 * @prog: the program, checked
 * @why: a sentence if not, about the first such call
 *
 * Return: 0, or -EPERM with @why
 */
int port_admit_helpers(const struct port *port, const struct prog *prog, struct text *why)
{
	for (uint32_t i = 0; i < prog->src.insn_cnt; i++) {
		const struct bpf_insn *insn = &prog->src.insns[i];
		const struct wl_helper *helper;

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg)
			continue;
		helper = wl_find((uint32_t)insn->imm);
		if (!helper || !(helper->profile & ~port->conf->helpers))
			continue;
		port_name_prog(prog, why);
		text_add(why, " calls helper %s, for which this port would need the helpers"
			 " \"%s\"\n", helper->name, wl_profile(helper->profile));
		return -EPERM;
	}
	return 0;
}

/**
 * port_admit_level() - does the operator's policy allow a program's level?
 * @port: the port
 * @prog: the program, loaded, perhaps when the policy was another
 * @why: a sentence if not
 *
 * Return: 0, or -EPERM with @why
 */
int port_admit_level(const struct port *port, const struct prog *prog, struct text *why)
{
	if (prog->level == VIRTIO_BPF_LEVEL_STRICT ||
	    port->conf->level == VIRTIO_BPF_LEVEL_RELAXED)
		return 0;
	port_name_prog(prog, why);
	text_add(why, " was verified at level relaxed, and this port's level is strict\n");
	return -EPERM;
}

/**
 * port_over_limits() - what of a port does not comply with its limits?
 * @port: the port; its limits, and its helpers, may have changed since
 * @over: a sentence for each such thing
 */
void port_over_limits(const struct port *port, struct text *over)
{
	const struct conf_limits *limits = &port->conf->limits;
	const struct prog *prog;
	const struct map *map;

	port_over("the number of programs,", port->prog_cnt, limits->max_progs, over);
	port_over("the number of maps,", port->map_cnt, limits->max_maps, over);
	if (port->map_bytes > limits->max_map_bytes)
		text_add(over, "the maps' %llu bytes are over this port's limit of %llu\n",
			 (unsigned long long)port->map_bytes,
			 (unsigned long long)limits->max_map_bytes);
	TAILQ_FOREACH(prog, &port->progs, node) {
		port_admit_level(port, prog, over);
		if (prog->src.insn_cnt > limits->max_insns)
			text_add(over, "program %u has %u instructions, over this port's limit of"
				 " %u\n", prog->handle, prog->src.insn_cnt, limits->max_insns);
		if (prog->verified > limits->max_verified)
			text_add(over, "program %u took the verifier %u instructions, over this"
				 " port's limit of %u\n", prog->handle, prog->verified,
				 limits->max_verified);
		port_admit_helpers(port, prog, over);
	}
	TAILQ_FOREACH(map, &port->maps, node)
		if (map->def.key_size > limits->max_key_size ||
		    map->def.value_size > limits->max_value_size ||
		    map->def.max_entries > limits->max_entries)
			text_add(over, "map %u (key %u, value %u, entries %u) is over one of this"
				 " port's limits (%u, %u, %u)\n", map->handle, map->def.key_size,
				 map->def.value_size, map->def.max_entries, limits->max_key_size,
				 limits->max_value_size, limits->max_entries);
}

/**
 * port_add_map() - put a map into the port's list, which is sorted by handle
 * @port: the port; owns @map from now on
 * @map: the map
 */
void port_add_map(struct port *port, struct map *map)
{
	struct map *next;

	TAILQ_FOREACH(next, &port->maps, node)
		if (next->handle > map->handle)
			break;
	if (next)
		TAILQ_INSERT_BEFORE(next, map, node);
	else
		TAILQ_INSERT_TAIL(&port->maps, map, node);
	port->map_cnt++;
	port->map_bytes += map->bytes;
}

/**
 * port_del_map() - take a map out of the port's list and free it
 * @port: the port
 * @map: the map; no program uses it
 */
void port_del_map(struct port *port, struct map *map)
{
	TAILQ_REMOVE(&port->maps, map, node);
	port->map_cnt--;
	port->map_bytes -= map->bytes;
	close(map->fd);
	free(map);
}

/**
 * port_use_maps() - find the maps that a program names, and hold them
 * @port: the port
 * @prog: the program; its @maps are set. Handles are looked up among maps that
 *        are gone too: they may have gone after the program was loaded
 *
 * Return: 0, -EBADF for a handle that no map has, or -ENOMEM
 */
int port_use_maps(struct port *port, struct prog *prog)
{
	prog->maps = calloc(port->map_cnt + 1, sizeof(*prog->maps));
	if (!prog->maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < prog->src.insn_cnt; i++) {
		const struct bpf_insn *insn = &prog->src.insns[i];
		struct map *map;
		uint32_t n;

		if (!port_is_map_load(insn))
			continue;
		i++;
		TAILQ_FOREACH(map, &port->maps, node)
			if (map->handle == (uint32_t)insn->imm)
				break;
		if (!map)
			return -EBADF;
		for (n = 0; n < prog->map_cnt && prog->maps[n] != map; n++)
			;
		if (n < prog->map_cnt)
			continue;
		prog->maps[prog->map_cnt++] = map;
		map->users++;
	}
	return 0;
}

/**
 * port_add_prog() - put a program into the port's list, which is sorted by handle
 * @port: the port; owns @prog from now on
 * @prog: the program
 */
void port_add_prog(struct port *port, struct prog *prog)
{
	struct prog *next;

	TAILQ_FOREACH(next, &port->progs, node)
		if (next->handle > prog->handle)
			break;
	if (next)
		TAILQ_INSERT_BEFORE(next, prog, node);
	else
		TAILQ_INSERT_TAIL(&port->progs, prog, node);
	port->prog_cnt++;
}

/**
 * port_del_prog() - take a program out of the port's list and free it
 * @port: the port
 * @prog: the program; not attached. Maps that it used stay in the list
 */
void port_del_prog(struct port *port, struct prog *prog)
{
	TAILQ_REMOVE(&port->progs, prog, node);
	port->prog_cnt--;
	port_prog_free(prog);
}

/**
 * port_prog_new() - make a program that holds nothing yet
 *
 * Return: the program, for port_prog_free(), or NULL
 */
struct prog *port_prog_new(void)
{
	struct prog *prog = calloc(1, sizeof(*prog));

	if (prog) {
		prog->fd = -1;
		prog->counters = -1;
	}
	return prog;
}

/**
 * port_prog_free() - free a program that is in no list
 * @prog: the program
 */
void port_prog_free(struct prog *prog)
{
	for (uint32_t i = 0; i < prog->map_cnt; i++)
		prog->maps[i]->users--;
	port_close_fd(&prog->fd);
	port_close_fd(&prog->counters);
	free(prog->src.insns);
	free(prog->maps);
	free(prog);
}
