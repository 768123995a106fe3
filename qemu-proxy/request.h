/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REQUEST_H
#define REQUEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "virtio_bpf.h"

/* The longest request: a program of VIRTIO_BPF_MAX_INSNS */
#define REQUEST_MAX	(sizeof(struct virtio_bpf_req_hdr) + \
			 sizeof(struct virtio_bpf_prog_load) + \
			 VIRTIO_BPF_MAX_INSNS * sizeof(struct virtio_bpf_insn))
#define REQUEST_WHY_LEN	192

/**
 * struct request - one request of the guest
 * @type: VIRTIO_BPF_*
 * @body: body and payload, a copy that the guest cannot change; aligned for any
 *        of the wire's structures
 * @len: bytes of @body
 * @handle: of the object, in requests whose body is a handle
 * @in: where the guest wants the response; the caller's
 * @in_cnt: number of @in
 * @room: bytes of @in together
 * @why: if the request was refused here: a sentence for the guest, else ""
 * @copy: owned; what @body points into
 */
struct request {
	uint32_t type;
	const void *body;
	size_t len;
	uint32_t handle;
	const struct iovec *in;
	unsigned int in_cnt;
	size_t room;
	char why[REQUEST_WHY_LEN];
	unsigned char *copy;
};

/**
 * struct reply - what becomes of a request, before it is written
 * @status: VIRTIO_BPF_S_*
 * @body: of the response, or the value or key; NULL for zeroes
 * @body_len: bytes of @body
 * @text: not NUL-terminated
 * @text_len: bytes of @text
 */
struct reply {
	uint32_t status;
	const void *body;
	size_t body_len;
	const char *text;
	size_t text_len;
};

uint32_t request_decode(struct request *rq, uint64_t features, const struct iovec *out,
			unsigned int out_cnt, const struct iovec *in, unsigned int in_cnt);
void request_forget(struct request *rq);
size_t request_fill(const struct iovec *in, unsigned int in_cnt, const void *data, size_t len);
size_t request_reply(const struct request *rq, const struct reply *r);
const char *request_name(uint32_t type);
bool request_is_element(uint32_t type);
size_t request_reply_len(uint32_t type);
uint32_t status_of_errno(int err);

#endif /* REQUEST_H */
