/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_H
#define WIRE_H
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"
#include "vbpf_loader.h"

/**
 * struct wire_prog - a PROG_LOAD request, checked for form; free @insns
 * @name: NUL-terminated
 * @tag: the guest kernel's tag of the program
 * @ifindex: of the netdev in the guest
 * @insns: owned, host byte order
 * @insn_cnt: number of @insns, at least one
 */
struct wire_prog {
	char name[VIRTIO_BPF_NAME_LEN];
	uint8_t tag[VIRTIO_BPF_TAG_LEN];
	uint32_t ifindex;
	struct bpf_insn *insns;
	uint32_t insn_cnt;
};

/**
 * struct wire_map - a MAP_CREATE request, checked for form
 * @name: NUL-terminated
 * @type: enum bpf_map_type; BPF_MAP_TYPE_HASH or BPF_MAP_TYPE_ARRAY
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: number of elements
 * @flags: BPF_F_NO_PREALLOC or 0
 */
struct wire_map {
	char name[VIRTIO_BPF_NAME_LEN];
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags;
};

int wire_hello(const void *body, size_t len, char name[VBPF_PORT_NAME_LEN], struct text *why);
int wire_empty(size_t len, struct text *why);
int wire_handle(const void *body, size_t len, uint32_t *handle, struct text *why);
int wire_map_create(const void *body, size_t len, struct wire_map *out, struct text *why);
int wire_prog_load(const void *body, size_t len, struct wire_prog *out, struct text *why);
uint32_t wire_status(int err);

#endif /* WIRE_H */
