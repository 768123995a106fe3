/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCK_H
#define SOCK_H
#include <sys/socket.h>
#include <sys/types.h>

#include "text.h"

int sock_listen(const char *path, mode_t mode, struct text *why);
int sock_connect(const char *path);
int sock_accept(int sock, struct ucred *peer);

#endif /* SOCK_H */
