// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: From bytes to requests
 *
 * Each function takes a body as it came from the proxy and makes a structure
 * in host byte order of it, or says what is malformed. Nothing here knows a
 * port or makes a system call: what a request may ask for is decided later.
 */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* Map types that are offered, as in struct virtio_bpf_config.map_types */
_Static_assert(BPF_MAP_TYPE_HASH == 1 && BPF_MAP_TYPE_ARRAY == 2, "map types moved");

/**
 * wire_length() - compare a body's length with what it must be
 * @len: bytes that came
 * @want: bytes that were expected
 * @why: a sentence if they differ
 *
 * Return: 0, or -EINVAL with @why
 */
static int wire_length(size_t len, size_t want, struct text *why)
{
	if (len == want)
		return 0;
	text_add(why, "the request has %zu bytes where %zu belong\n", len, want);
	return -EINVAL;
}

/**
 * wire_name() - take the name of a program or map
 * @field: zero-padded
 * @out: set to the name, NUL-terminated
 * @why: a sentence if it is none
 *
 * The kernel takes the same characters, and one less than the field has room
 * for.
 *
 * Return: 0, or -EINVAL with @why
 */
static int wire_name(const __u8 *field, char *out, struct text *why)
{
	bool ended = false;

	for (int i = 0; i < VIRTIO_BPF_NAME_LEN; i++) {
		bool zero = !field[i];

		if ((ended && !zero) || (i == VIRTIO_BPF_NAME_LEN - 1 && !zero) ||
		    (!zero && !isalnum(field[i]) && field[i] != '_' && field[i] != '.')) {
			text_add(why, "a name has at most %d of the characters"
				 " A-Z a-z 0-9 _ . and zeros behind them\n",
				 VIRTIO_BPF_NAME_LEN - 1);
			return -EINVAL;
		}
		ended |= zero;
	}
	memcpy(out, field, VIRTIO_BPF_NAME_LEN);
	return 0;
}

/**
 * wire_hello() - take the body of HELLO
 * @body: the body
 * @len: bytes of @body
 * @name: set to the port's name, NUL-terminated
 * @why: a sentence if it is malformed
 *
 * Return: 0, or -EINVAL with @why
 */
int wire_hello(const void *body, size_t len, char name[VBPF_PORT_NAME_LEN], struct text *why)
{
	int err = wire_length(len, sizeof(struct vbpf_hello), why);

	if (err)
		return err;
	memcpy(name, body, VBPF_PORT_NAME_LEN);
	if (*name && !name[VBPF_PORT_NAME_LEN - 1])
		return 0;
	text_add(why, "a port's name has 1 to %d characters\n",
		 VBPF_PORT_NAME_LEN - 1);
	return -EINVAL;
}

/**
 * wire_empty() - check a request that has no body
 * @len: bytes of its body
 * @why: a sentence if there are any
 *
 * Return: 0, or -EINVAL with @why
 */
int wire_empty(size_t len, struct text *why)
{
	return wire_length(len, 0, why);
}

/**
 * wire_handle() - take the body of a request about one object
 * @body: struct virtio_bpf_handle
 * @len: bytes of @body
 * @handle: set to the handle, not looked up
 * @why: a sentence if it is malformed
 *
 * Return: 0, or -EINVAL with @why
 */
int wire_handle(const void *body, size_t len, uint32_t *handle, struct text *why)
{
	struct virtio_bpf_handle req;
	int err = wire_length(len, sizeof(req), why);

	if (err)
		return err;
	memcpy(&req, body, sizeof(req));
	if (req.flags) {
		text_add(why, "the request's flags must be zero\n");
		return -EINVAL;
	}
	*handle = le32toh(req.handle);
	return 0;
}

/**
 * wire_map_create() - take the body of MAP_CREATE
 * @body: struct virtio_bpf_map_create
 * @len: bytes of @body
 * @out: filled
 * @why: a sentence if it is malformed or asks for what nobody gets
 *
 * Return: 0, or -EINVAL or -EOPNOTSUPP with @why
 */
int wire_map_create(const void *body, size_t len, struct wire_map *out, struct text *why)
{
	struct virtio_bpf_map_create req;
	uint32_t allowed;
	int err = wire_length(len, sizeof(req), why);

	if (err)
		return err;
	memcpy(&req, body, sizeof(req));
	err = wire_name(req.name, out->name, why);
	if (err)
		return err;
	if (req.reserved) {
		text_add(why, "the request's reserved field must be zero\n");
		return -EINVAL;
	}
	out->type = le32toh(req.map_type);
	out->key_size = le32toh(req.key_size);
	out->value_size = le32toh(req.value_size);
	out->max_entries = le32toh(req.max_entries);
	out->flags = le32toh(req.map_flags);
	if (out->type != BPF_MAP_TYPE_HASH && out->type != BPF_MAP_TYPE_ARRAY) {
		text_add(why, "map type %u is not offered; hash (%u) and array (%u)"
			 " are\n", out->type, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY);
		return -EOPNOTSUPP;
	}
	allowed = out->type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0;
	if (out->flags & ~allowed) {
		text_add(why, "map flags 0x%x are not offered; BPF_F_NO_PREALLOC"
			 " for a hash is\n", out->flags & ~allowed);
		return -EINVAL;
	}
	if (!out->key_size || !out->value_size || !out->max_entries) {
		text_add(why, "a map needs a key size, a value size and a number of"
			 " entries above zero\n");
		return -EINVAL;
	}
	if (out->type == BPF_MAP_TYPE_ARRAY && out->key_size != sizeof(uint32_t)) {
		text_add(why, "the key of an array has 4 bytes, not %u\n",
			 out->key_size);
		return -EINVAL;
	}
	return 0;
}

/**
 * wire_insn() - one instruction in host byte order
 * @in: as it travelled
 *
 * Return: the instruction
 */
static struct bpf_insn wire_insn(const struct virtio_bpf_insn *in)
{
	return (struct bpf_insn){
		.code = in->code,
		.dst_reg = in->regs & 0xf,
		.src_reg = in->regs >> 4,
		.off = (int16_t)le16toh(in->off),
		.imm = (int32_t)le32toh(in->imm),
	};
}

/**
 * wire_prog_head() - check the fixed part of PROG_LOAD
 * @req: the fixed part
 * @payload: bytes behind it
 * @out: filled, except for its instructions
 * @why: a sentence if something is wrong
 *
 * Return: 0, or a negative errno with @why
 */
static int wire_prog_head(const struct virtio_bpf_prog_load *req, size_t payload,
			  struct wire_prog *out, struct text *why)
{
	uint16_t class = le16toh(req->prog_class), direction = le16toh(req->direction);
	int err = wire_name(req->name, out->name, why);

	if (err)
		return err;
	if (req->flags) {
		text_add(why, "the request's flags must be zero\n");
		return -EINVAL;
	}
	if (class != VIRTIO_BPF_CLASS_XDP) {
		text_add(why, "program class %u is not offered; XDP (%u) is\n", class,
			 VIRTIO_BPF_CLASS_XDP);
		return -EOPNOTSUPP;
	}
	if (direction != VIRTIO_BPF_DIR_RX) {
		text_add(why, "direction %u is not offered; received packets (%u) are"
			 "\n", direction, VIRTIO_BPF_DIR_RX);
		return -EOPNOTSUPP;
	}
	out->insn_cnt = le32toh(req->insn_cnt);
	out->ifindex = le32toh(req->ifindex);
	memcpy(out->tag, req->tag, sizeof(out->tag));
	if (!out->insn_cnt) {
		text_add(why, "a program has at least one instruction\n");
		return -EINVAL;
	}
	if (out->insn_cnt > VIRTIO_BPF_MAX_INSNS) {
		text_add(why, "the program has %u instructions, %u are allowed\n",
			 out->insn_cnt, VIRTIO_BPF_MAX_INSNS);
		return -E2BIG;
	}
	return wire_length(payload, out->insn_cnt * sizeof(struct virtio_bpf_insn), why);
}

/**
 * wire_prog_load() - take the body and payload of PROG_LOAD
 * @body: struct virtio_bpf_prog_load and the instructions
 * @len: bytes of @body
 * @out: filled; with 0 the caller owns @out->insns, else it is NULL
 * @why: a sentence if something is wrong
 *
 * Return: 0, or a negative errno, with @why unless it is -ENOMEM
 */
int wire_prog_load(const void *body, size_t len, struct wire_prog *out, struct text *why)
{
	struct virtio_bpf_prog_load req;
	const char *payload = (const char *)body + sizeof(req);
	int err;

	out->insns = NULL;
	if (len < sizeof(req))
		return wire_length(len, sizeof(req), why);
	memcpy(&req, body, sizeof(req));
	err = wire_prog_head(&req, len - sizeof(req), out, why);
	if (err)
		return err;
	out->insns = calloc(out->insn_cnt, sizeof(*out->insns));
	if (!out->insns)
		return -ENOMEM;
	for (uint32_t i = 0; i < out->insn_cnt; i++) {
		struct virtio_bpf_insn insn;

		memcpy(&insn, payload + i * sizeof(insn), sizeof(insn));
		out->insns[i] = wire_insn(&insn);
	}
	return 0;
}

/**
 * wire_status() - the status that tells the guest of an error
 * @err: 0, or a negative errno
 *
 * Return: VIRTIO_BPF_S_*
 */
uint32_t wire_status(int err)
{
	switch (err) {
	case 0:
		return VIRTIO_BPF_S_OK;
	case -EINVAL:
		return VIRTIO_BPF_S_INVAL;
	case -EOPNOTSUPP:
		return VIRTIO_BPF_S_UNSUPP;
	case -EACCES:
		return VIRTIO_BPF_S_ACCES;
	case -EPERM:
		return VIRTIO_BPF_S_PERM;
	case -E2BIG:
		return VIRTIO_BPF_S_TOOBIG;
	case -ENOSPC:
		return VIRTIO_BPF_S_NOSPC;
	case -ENOMEM:
		return VIRTIO_BPF_S_NOMEM;
	case -EBUSY:
		return VIRTIO_BPF_S_BUSY;
	case -EAGAIN:
		return VIRTIO_BPF_S_AGAIN;
	case -EBADF:
		return VIRTIO_BPF_S_BADF;
	case -ENODEV:
		return VIRTIO_BPF_S_NODEV;
	default:
		return VIRTIO_BPF_S_IO;
	}
}
