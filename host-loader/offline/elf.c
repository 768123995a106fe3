// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: ELF objects, by libbpf
 *
 * libbpf can make a loader program instead of loading: it then does all that a
 * loader does (functions, relocations against the kernel's types, maps) and
 * makes no system call that wants a privilege. Maps appear in instructions by
 * their number in the object.
 *
 * Each program is linked on its own, so that one that cannot be linked does not
 * keep the others from it.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

/* What libbpf said last: its interface has no room for a pointer of ours. */
static char said[256];

/**
 * listen() - keep what libbpf says of errors
 * @level: how bad it is
 * @fmt: as printf()'s
 * @ap: as vprintf()'s
 *
 * Return: 0
 */
static int __attribute__((format(printf, 2, 0)))
listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	/* The first words are nearest to the cause. */
	if (level == LIBBPF_WARN && !said[0]) {
		vsnprintf(said, sizeof(said), fmt, ap);
		said[strcspn(said, "\n")] = 0;
	}
	return 0;
}

/**
 * wanted() - is a program one of those that were asked for?
 * @query: what was asked
 * @prog: the program
 *
 * Return: true if so
 */
static bool wanted(const struct object_query *query, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	enum bpf_attach_type attach = bpf_program__expected_attach_type(prog);

	if (query->prog && strcmp(query->prog, bpf_program__name(prog)))
		return false;
	if (query->section && strcmp(query->section, section))
		return false;
	if (query->prog || query->section)
		return true;
	if (bpf_program__type(prog) == BPF_PROG_TYPE_XDP)
		return attach != BPF_XDP_DEVMAP && attach != BPF_XDP_CPUMAP;
	/* Sections that only other loaders know as XDP: "xdp_filter" and so on. */
	return bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC && !strncmp(section, "xdp", 3);
}

/**
 * put_maps() - hand the maps of an object over
 * @obj: the object
 * @head: of the program; gets their number
 * @maps: NULL, or room for them
 */
static void put_maps(struct bpf_object *obj, struct object_prog *head, struct object_map *maps)
{
	struct bpf_map *map;

	head->map_cnt = 0;
	bpf_object__for_each_map(map, obj) {
		struct object_map *to = maps ? &maps[head->map_cnt] : NULL;

		if (to) {
			snprintf(to->name, sizeof(to->name), "%s", bpf_map__name(map));
			to->data = bpf_map__is_internal(map);
			to->def = (struct rw_map){
				.handle = head->map_cnt,
				.map_type = bpf_map__type(map),
				.key_size = bpf_map__key_size(map),
				.value_size = bpf_map__value_size(map),
				.max_entries = bpf_map__max_entries(map),
			};
		}
		head->map_cnt++;
	}
}

/**
 * link_one() - link one program of a file
 * @path: the file
 * @index: number of the program in it
 *
 * Return: the object, or NULL; what libbpf said is in said[]
 */
static struct bpf_object *link_one(const char *path, int index)
{
	LIBBPF_OPTS(gen_loader_opts, gen);
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	int err = 0, n = 0;

	if (!obj)
		return NULL;
	bpf_object__for_each_program(prog, obj) {
		bpf_program__set_autoload(prog, n == index);
		if (n++ == index)
			err = bpf_program__set_type(prog, BPF_PROG_TYPE_XDP);
	}
	if (!err)
		err = bpf_object__gen_loader(obj, &gen);
	if (!err)
		err = bpf_object__load(obj);
	if (!err)
		return obj;
	bpf_object__close(obj);
	errno = -err;
	return NULL;
}

/**
 * put_prog() - link one program and hand it over
 * @path: the file
 * @index: number of the program in it
 * @head: name and section
 * @to: where it is written
 */
static void put_prog(const char *path, int index, struct object_prog *head, FILE *to)
{
	struct bpf_program *prog = NULL;
	struct object_map *maps = NULL;
	struct bpf_object *obj;

	said[0] = 0;
	obj = link_one(path, index);
	if (obj) {
		for (int n = 0; n <= index; n++)
			prog = bpf_object__next_program(obj, prog);
		put_maps(obj, head, NULL);
		maps = calloc(head->map_cnt + 1, sizeof(*maps));
	}
	if (maps) {
		put_maps(obj, head, maps);
		head->cnt = (uint32_t)bpf_program__insn_cnt(prog);
		fwrite(head, sizeof(*head), 1, to);
		fwrite(bpf_program__insns(prog), sizeof(struct bpf_insn), head->cnt, to);
		fwrite(maps, sizeof(*maps), head->map_cnt, to);
	} else {
		snprintf(head->error, sizeof(head->error), "%s", said[0] ? said : strerror(errno));
		head->map_cnt = 0;
		fwrite(head, sizeof(*head), 1, to);
	}
	free(maps);
	bpf_object__close(obj);
}

/**
 * object_link_all() - link the programs that are asked for, and hand them over
 * @query: which
 * @to: gets for each a struct object_prog, its instructions and its maps; one
 *      with an error alone if the file is no object
 */
void object_link_all(const struct object_query *query, FILE *to)
{
	struct object_prog head = { 0 };
	struct bpf_program *prog;
	struct bpf_object *obj;
	int n = 0;

	libbpf_set_print(listen);
	obj = bpf_object__open_file(query->path, NULL);
	if (!obj) {
		snprintf(head.error, sizeof(head.error), "%s", said[0] ? said : strerror(errno));
		fwrite(&head, sizeof(head), 1, to);
		return;
	}
	bpf_object__for_each_program(prog, obj) {
		if (wanted(query, prog)) {
			memset(&head, 0, sizeof(head));
			snprintf(head.name, sizeof(head.name), "%s", bpf_program__name(prog));
			snprintf(head.section, sizeof(head.section), "%s",
				 bpf_program__section_name(prog));
			put_prog(query->path, n, &head, to);
		}
		n++;
	}
	bpf_object__close(obj);
}
