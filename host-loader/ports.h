/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTS_H
#define PORTS_H
#include "loader.h"

int ports_make(struct loader *loader, struct text *why);
void ports_free(struct loader *loader);
int ports_reload(struct loader *loader, struct text *why);

#endif /* PORTS_H */
