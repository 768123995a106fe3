/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WATCH_H
#define WATCH_H
#include "loader.h"

int watch_start(struct loader *loader, struct text *why);
void watch_stop(struct loader *loader);

#endif /* WATCH_H */
