/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRANSLATE_H
#define TRANSLATE_H
#include <stdbool.h>
#include <stdint.h>

#include "rewriter/rewriter.h"
#include "worker.h"

/**
 * struct translate - a program that is to be checked, translated and loaded
 * @in: the program; its maps are @maps
 * @maps: the tenant's maps; owned
 * @fds: of @maps, in the same order; owned, the fds themselves are not
 * @counters: fd of the program's counters
 * @name: of the program
 * @max_insns: instructions that the program may have
 * @tap_ifindex: the TAP
 * @window: how much of a packet form sfi copies
 * @walks_on: as in struct rw_opts; false with CAP_PERFMON
 */
struct translate {
	struct rw_prog in;
	struct rw_map *maps;
	int *fds;
	int counters;
	const char *name;
	uint32_t max_insns;
	uint32_t tap_ifindex;
	uint32_t window;
	bool walks_on;
};

int translate_alloc(struct translate *what, uint32_t map_cnt);
void translate_free(struct translate *what);
void translate_strict(const struct translate *what, struct worker_made *made, int *fd,
		      struct text *text);
void translate_relaxed(const struct translate *what, struct worker_made *made, int *fd,
		       struct text *text);
long translate_last_insn(const char *log);

#endif /* TRANSLATE_H */
