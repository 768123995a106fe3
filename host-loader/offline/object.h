/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBJECT_H
#define OBJECT_H
/**
 * DOC: Programs out of files
 *
 * An ELF object as clang makes it, linked by libbpf as a loader would link it,
 * or a file of bare instructions. Nothing is loaded into the kernel, and no
 * privilege is needed.
 */
#include <stdbool.h>
#include <stdio.h>

#include "../rewriter/rewriter.h"

#define OBJECT_NAME	64

/**
 * struct object_map - a map of a program
 * @name: in the object, or "map N" of one that was told on the command line
 * @def: what the rewriter wants to know; its handle is what the program's
 *       instructions have
 * @data: it holds global variables or constants
 */
struct object_map {
	char name[OBJECT_NAME];
	struct rw_map def;
	bool data;
};

/**
 * struct object_prog - a program
 * @name: of its function, or the file's
 * @section: in the object, or an empty text
 * @error: why it could not be linked; empty if it was
 * @insns: linked instructions; maps as BPF_PSEUDO_MAP_FD and _MAP_VALUE
 * @cnt: number of @insns
 * @maps: all maps of the object
 * @map_cnt: number of @maps
 */
struct object_prog {
	char name[OBJECT_NAME];
	char section[OBJECT_NAME];
	char error[256];
	struct bpf_insn *insns;
	uint32_t cnt;
	struct object_map *maps;
	uint32_t map_cnt;
};

/**
 * struct object - the programs that were asked for; free with object_free()
 * @progs: they
 * @cnt: number of @progs
 */
struct object {
	struct object_prog *progs;
	uint32_t cnt;
};

/**
 * struct object_query - which programs of which file
 * @path: of the file
 * @section: only programs of this section, or NULL
 * @prog: only the program of this name, or NULL
 * @maps: of a file of bare instructions: its maps
 * @map_cnt: number of @maps
 *
 * Without @section and @prog: all programs that are XDP by their section.
 */
struct object_query {
	const char *path;
	const char *section;
	const char *prog;
	const struct object_map *maps;
	uint32_t map_cnt;
};

int object_read(const struct object_query *query, struct object *obj, struct text *why);
void object_free(struct object *obj);

/* elf.c: what the process that works with libbpf does */
void object_link_all(const struct object_query *query, FILE *to);

#endif /* OBJECT_H */
