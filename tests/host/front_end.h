/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FRONT_END_H
#define FRONT_END_H
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio_bpf.h"

#define FE_GPA		0x40000000ull		/* where the guest's memory begins for it */
#define FE_QVA		0x7e0000000000ull	/* and for the VMM, so it says */
#define FE_MEM		(4ul << 20)
#define FE_NUM		64			/* descriptors in a ring */
#define FE_REQ		0x100000		/* offset of a request's bytes */
#define FE_RESP		0x200000		/* and of the response's */

/* vhost-user's requests */
enum {
	FE_GET_FEATURES = 1, FE_SET_FEATURES, FE_SET_OWNER, FE_RESET_OWNER, FE_SET_MEM_TABLE,
	FE_SET_LOG_BASE, FE_SET_LOG_FD, FE_SET_VRING_NUM, FE_SET_VRING_ADDR, FE_SET_VRING_BASE,
	FE_GET_VRING_BASE, FE_SET_VRING_KICK, FE_SET_VRING_CALL, FE_SET_VRING_ERR,
	FE_GET_PROTOCOL_FEATURES, FE_SET_PROTOCOL_FEATURES, FE_GET_QUEUE_NUM,
	FE_SET_VRING_ENABLE, FE_GET_CONFIG = 24, FE_GET_MAX_MEM_SLOTS = 36, FE_ADD_MEM_REG,
	FE_REM_MEM_REG,
};

/**
 * struct fe_region - one region of a memory table, as vhost-user has it
 * @gpa: address in the guest
 * @size: bytes
 * @qva: address in the VMM
 * @off: offset in the fd
 */
struct fe_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t qva;
	uint64_t off;
};

/**
 * struct fe_table - SET_MEM_TABLE
 * @cnt: number of regions
 * @pad: zero
 * @region: the regions
 */
struct fe_table {
	uint32_t cnt;
	uint32_t pad;
	struct fe_region region[9];
};

/**
 * struct fe_ring - one ring, where it lies in the guest's memory
 * @desc: descriptors
 * @avail: what the guest gives
 * @used: what the device gives back
 * @kick: eventfd
 * @call: eventfd
 * @seen: entries of @used that were looked at
 */
struct fe_ring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	int kick;
	int call;
	uint16_t seen;
};

/**
 * struct front_end - a VMM with a guest that has one device
 * @sock: to the device
 * @peer: the device's end; whoever starts the device closes it
 * @memfd: the guest's memory
 * @mem: the same, mapped
 * @ring: requestq and eventq
 */
struct front_end {
	int sock;
	int peer;
	int memfd;
	unsigned char *mem;
	struct fe_ring ring[VIRTIO_BPF_VQ_CNT];
};

bool fe_open(struct front_end *fe);
void fe_close(struct front_end *fe);
bool fe_send(struct front_end *fe, uint32_t request, const void *payload, size_t len,
	     const int *fds, int cnt);
bool fe_ask(struct front_end *fe, uint32_t request, void *payload, size_t len, size_t want);
bool fe_alive(struct front_end *fe);
bool fe_table(struct front_end *fe, const struct fe_table *table, const int *fds);
bool fe_rings(struct front_end *fe);
bool fe_start(struct front_end *fe);
bool fe_reset(struct front_end *fe);
void fe_put(struct front_end *fe, uint16_t head);
void fe_kick(struct front_end *fe);
bool fe_wait(struct front_end *fe, uint16_t used, int ms);
void fe_desc(struct front_end *fe, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
	     uint16_t next);
void fe_make(struct front_end *fe, uint32_t type, const void *body, size_t len);
int fe_request(struct front_end *fe, uint32_t type, const void *body, size_t len, int ms);

#endif /* FRONT_END_H */
