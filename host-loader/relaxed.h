/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RELAXED_H
#define RELAXED_H
#include "translate.h"

int relaxed_send(int sock, const struct translate *what);
int relaxed_recv(int sock, struct translate *what);
void relaxed_free(struct translate *what);
void relaxed_be(int sock, uint32_t seconds) __attribute__((noreturn));

#endif /* RELAXED_H */
