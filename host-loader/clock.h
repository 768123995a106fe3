/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLOCK_H
#define CLOCK_H
#include <stdint.h>

int clock_open(void);
uint64_t clock_now(int fd);

#endif /* CLOCK_H */
