/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAP_H
#define TAP_H
#include <stdint.h>

#include "text.h"

int tap_ifindex(const char *name, uint32_t *ifindex, struct text *why);
uint32_t tap_mtu(const char *name);

#endif /* TAP_H */
