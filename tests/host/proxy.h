/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROXY_H
#define PROXY_H
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/types.h>

#include "vbpf_msg.h"

/* Instructions of proxy_loop() and proxy_bomb() */
#define PROXY_LOOP	5
#define PROXY_BOMB	(3 + 2 * 24 + 4)

/**
 * struct reply - an answer from the daemon
 * @msg: the answer; points into @buf
 * @buf: room for it
 */
struct reply {
	struct vbpf_msg msg;
	char buf[VBPF_MSG_MAX];
};

#define PROXY_INSNS	1024	/* instructions of a file's program, at most */

int proxy_connect(uid_t uid);
int proxy_hello(uid_t uid, const char *port, int *status, struct reply *reply);
int proxy_open_port(uid_t uid, const char *port);
int proxy_open(void);
int proxy_open1(void);
int proxy_recv(int sock, struct reply *reply);
int proxy_call(int sock, uint16_t type, const void *body, size_t len, struct reply *reply);
int proxy_load_send(int sock, uint32_t id, const char *name, const struct virtio_bpf_insn *insns,
		    uint32_t cnt);
int64_t proxy_load_reply(int sock, uint32_t id, struct reply *reply);
int64_t proxy_load_insns(int sock, const struct virtio_bpf_insn *insns, uint32_t cnt,
			 struct reply *reply);
void proxy_insns(struct virtio_bpf_insn *to, const struct bpf_insn *from, uint32_t cnt);
int64_t proxy_load_file(int sock, const char *name, struct reply *reply);
int64_t proxy_load(int sock, uint32_t verdict, uint32_t map, struct reply *reply);
bool proxy_load_in_time(int sock);
int proxy_handle(int sock, uint16_t type, int64_t handle);
int64_t proxy_drop(int sock);
int64_t proxy_map_new(int sock, const struct virtio_bpf_map_create *req, struct reply *reply);
int64_t proxy_map(int sock, uint32_t entries, struct reply *reply);
struct virtio_bpf_info proxy_info(int sock);
int64_t proxy_event(int sock, uint32_t type);
void proxy_loop(struct virtio_bpf_insn *insns, uint32_t turns);
void proxy_bomb(struct virtio_bpf_insn *insns);
int64_t now_ms(void);
bool proxy_says(const struct reply *reply, const char *words);

#endif /* PROXY_H */
