/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WHITELIST_H
#define WHITELIST_H
/**
 * DOC: The kernel helpers that a tenant's program may call
 *
 * helpers.tsv is the list: a table for people to read and change. helpers.awk
 * makes C of it at build time, and this is how C looks at it. What is not in
 * the list does not load.
 */
#include <stdbool.h>
#include <stdint.h>

#define WL_ARGS		5	/* arguments that a helper can have: r1 to r5 */

/* What an argument is; the names are those of helpers.tsv */
enum wl_arg {
	WL_NONE,	/* the helper has fewer arguments */
	WL_CTX,		/* the program's context */
	WL_MAP,		/* a map */
	WL_KEY,		/* memory read: a key of that map */
	WL_VALUE,	/* memory read: a value of that map */
	WL_MEM,		/* memory read: as long as the next argument says */
	WL_MEM_NULL,	/* the same, or NULL */
	WL_OUT,		/* memory written: as long as the next argument says */
	WL_SIZE,	/* length of the argument before it */
	WL_SCALAR,	/* a number */
	WL_OUT4,	/* memory read and written: 4 bytes */
	WL_ANY,		/* not looked at, but nothing that points into the packet */
};

/* What a helper returns */
enum wl_ret {
	WL_RET_SCALAR,	/* a number */
	WL_RET_VALUE,	/* a value of the map that is its argument, or NULL */
	WL_RET_OTHER,	/* a pointer to something else, or NULL */
};

/* How a helper is done in a program that works on a socket buffer */
enum wl_skb {
	WL_SKB_NONE,	/* not at all */
	WL_SKB_CALL,	/* by a call of @skb_id */
	WL_SKB_LEN,	/* it is the packet's length */
	WL_SKB_SFI,	/* only where the packet is a copy: form sfi */
	WL_SKB_ZERO,	/* not done: it returns zero */
};

/*
 * What a port is configured with, so that its programs may call a helper: bits,
 * of which none is needed for what every port has
 */
enum wl_profile {
	WL_PROFILE_PACKET = 0,
	WL_PROFILE_TIME = 1 << 0,
	WL_PROFILE_CPU = 1 << 1,
};

/* All that a tenant's port can have */
#define WL_PROFILES	(WL_PROFILE_TIME | WL_PROFILE_CPU)

/**
 * struct wl_profile_name - what a profile is called
 * @name: in configurations, or NULL behind the last
 * @profile: enum wl_profile
 */
struct wl_profile_name {
	const char *name;
	uint32_t profile;
};

/**
 * struct wl_helper - one helper
 * @name: without the "bpf_"
 * @reason: why it is refused, as the end of a sentence; NULL if it is allowed.
 *          What follows may be there all the same: see helpers.tsv
 * @profile: that a port needs for it, enum wl_profile
 * @args: enum wl_arg, of r1 to r5
 * @ret: enum wl_ret
 * @skb: enum wl_skb
 * @skb_zero: register that @skb_id wants to be zero and this helper does not
 *            have, or 0
 * @skb_id: helper that takes its place, for WL_SKB_CALL
 */
struct wl_helper {
	const char *name;
	const char *reason;
	uint32_t profile;
	uint8_t args[WL_ARGS];
	uint8_t ret;
	uint8_t skb;
	uint8_t skb_zero;
	uint32_t skb_id;
};

extern const struct wl_profile_name wl_profiles[];

const struct wl_helper *wl_find(uint32_t id);
const char *wl_profile(uint32_t profile);

#endif /* WHITELIST_H */
