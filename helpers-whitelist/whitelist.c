// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "whitelist.h"

/* Indexed by helper id, made from helpers.tsv; what it lacks is all zero. */
static const struct wl_helper helpers[] = {
#include "helpers-whitelist/helpers.h"
};

const struct wl_profile_name wl_profiles[] = {
	{ "packet", WL_PROFILE_PACKET },
	{ "time", WL_PROFILE_TIME },
	{ "cpu", WL_PROFILE_CPU },
	{ NULL, 0 },
};

/**
 * wl_find() - look a helper up
 * @id: as in the imm of a call instruction
 *
 * Return: its entry, allowed or refused, or NULL if it is not listed
 */
const struct wl_helper *wl_find(uint32_t id)
{
	if (id >= sizeof(helpers) / sizeof(helpers[0]) || !helpers[id].name)
		return NULL;
	return &helpers[id];
}

/**
 * wl_profile() - what a profile is called
 * @profile: enum wl_profile
 *
 * Return: its name, or NULL if there is none
 */
const char *wl_profile(uint32_t profile)
{
	const struct wl_profile_name *name = wl_profiles;

	while (name->name && name->profile != profile)
		name++;
	return name->name;
}
