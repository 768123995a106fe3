/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAIR_H
#define PAIR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names of a pair's ends, by the ifindex of the TAP that it is for */
#define PAIR_OUT	"vbpf%uo"
#define PAIR_IN		"vbpf%ui"

/**
 * struct pair - a veth pair
 * @out: ifindex of the end that packets go into
 * @in: ifindex of the end at which they come out
 */
struct pair {
	uint32_t out;
	uint32_t in;
};

typedef bool pair_keep_t(const char *label, uint32_t ifindex, const void *user);

int pair_make(uint32_t tap, const char *alias, struct pair *pair);
int pair_up(const struct pair *pair);
int pair_delete(uint32_t ifindex);
int pair_sweep(const char *prefix, pair_keep_t *keep, const void *user);

#endif /* PAIR_H */
