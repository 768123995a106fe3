/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NORM_H
#define NORM_H

int norm_load(int *counters);

#endif /* NORM_H */
