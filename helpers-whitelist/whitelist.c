// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "whitelist.h"

/* Indexed by helper id, made from helpers.tsv; what it lacks is all zero. */
static const struct wl_helper helpers[] = {
#include "helpers-whitelist/helpers.h"
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
