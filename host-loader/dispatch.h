/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DISPATCH_H
#define DISPATCH_H
#include "port.h"
#include "vbpf_msg.h"

/**
 * struct answer - what a request is answered with; free with answer_free()
 * @status: VIRTIO_BPF_S_*
 * @body: in wire order
 * @body_len: bytes of @body
 * @text: sentences for the tenant
 * @fd: that goes along, or -1; stays the port's
 */
struct answer {
	uint32_t status;
	union {
		struct virtio_bpf_info info;	/* the longest stands first */
		struct virtio_bpf_prog_loaded loaded;
		struct vbpf_map map;
		struct vbpf_welcome welcome;
	} body;
	size_t body_len;
	struct text text;
	int fd;
};

bool dispatch(struct port *port, const struct vbpf_msg *msg, struct answer *answer);
void dispatch_finish(struct port *port, uint16_t type, struct answer *answer);
void dispatch_release(struct port *port);
void dispatch_map_body(const struct map *map, struct vbpf_map *body);
void answer_free(struct answer *answer);

#endif /* DISPATCH_H */
