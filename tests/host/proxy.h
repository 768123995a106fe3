/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROXY_H
#define PROXY_H
#include <stdbool.h>
#include <sys/types.h>

#include "vbpf_msg.h"

/**
 * struct reply - an answer from the daemon
 * @msg: the answer; points into @buf
 * @buf: room for it
 */
struct reply {
	struct vbpf_msg msg;
	char buf[VBPF_MSG_MAX];
};

#define PROXY_INSNS	1024	/* instructions of a program, at most */

int proxy_connect(uid_t uid);
int proxy_hello(uid_t uid, const char *port, int *status, struct reply *reply);
int proxy_open(void);
int proxy_recv(int sock, struct reply *reply);
int proxy_call(int sock, uint16_t type, const void *body, size_t len, struct reply *reply);
int64_t proxy_load_insns(int sock, const struct virtio_bpf_insn *insns, uint32_t cnt,
			 struct reply *reply);
int64_t proxy_load_file(int sock, const char *name, struct reply *reply);
int64_t proxy_load(int sock, uint32_t verdict, uint32_t map, struct reply *reply);
int proxy_handle(int sock, uint16_t type, int64_t handle);
int64_t proxy_map(int sock, uint32_t entries, struct reply *reply);
struct virtio_bpf_info proxy_info(int sock);
bool proxy_says(const struct reply *reply, const char *words);

#endif /* PROXY_H */
