// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: From descriptors to a checked request, and from a reply to descriptors
 *
 * A guest can change its memory at any moment, also while it is being read. So
 * a request is copied out of the guest's memory once, whole and bounded, and
 * only the copy is looked at. All that can be checked without knowing the
 * host's objects is checked here, by the table of kinds; what the objects allow
 * is for maps.c and for the loader.
 *
 * Nothing here knows of virtqueues: buffers come and go as struct iovec.
 */
#include <endian.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

/* ENOTSUPP of the kernel, which is none of user space's errnos */
#define KERNEL_ENOTSUPP	524

/**
 * refuse() - note why a request is refused
 * @rq: gets the sentence
 * @status: VIRTIO_BPF_S_*
 * @fmt: the sentence, as printf's
 *
 * Return: @status
 */
static uint32_t __attribute__((format(printf, 3, 4)))
refuse(struct request *rq, uint32_t status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rq->why, sizeof(rq->why), fmt, ap);
	va_end(ap);
	return status;
}

/**
 * check_prog_load() - check the lengths of a PROG_LOAD
 * @rq: the request; at least its fixed body is there
 *
 * Return: VIRTIO_BPF_S_*
 */
static uint32_t check_prog_load(struct request *rq)
{
	const struct virtio_bpf_prog_load *b = rq->body;
	size_t cnt = le32toh(b->insn_cnt);

	if (cnt == 0 || cnt > VIRTIO_BPF_MAX_INSNS)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "a program has 1 to %u instructions, this one says %zu",
			      VIRTIO_BPF_MAX_INSNS, cnt);
	if (rq->len != sizeof(*b) + cnt * sizeof(struct virtio_bpf_insn))
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "PROG_LOAD says %zu instructions, but %zu bytes of them came",
			      cnt, rq->len - sizeof(*b));
	if (b->flags)
		return refuse(rq, VIRTIO_BPF_S_INVAL, "unknown flags 0x%x in PROG_LOAD",
			      le32toh(b->flags));
	return VIRTIO_BPF_S_OK;
}

/**
 * check_handle() - check a request whose body is a handle
 * @rq: the request, of the right length
 *
 * Return: VIRTIO_BPF_S_*
 */
static uint32_t check_handle(struct request *rq)
{
	const struct virtio_bpf_handle *b = rq->body;

	if (b->flags)
		return refuse(rq, VIRTIO_BPF_S_INVAL, "unknown flags 0x%x in %s",
			      le32toh(b->flags), request_name(rq->type));
	if (!b->handle && rq->type != VIRTIO_BPF_XDP_DETACH)
		return refuse(rq, VIRTIO_BPF_S_BADF, "0 is no object's handle");
	rq->handle = le32toh(b->handle);
	return VIRTIO_BPF_S_OK;
}

/**
 * check_map_create() - check a MAP_CREATE
 * @rq: the request, of the right length
 *
 * Return: VIRTIO_BPF_S_*
 */
static uint32_t check_map_create(struct request *rq)
{
	const struct virtio_bpf_map_create *b = rq->body;
	uint32_t key = le32toh(b->key_size), value = le32toh(b->value_size);

	if (b->reserved)
		return refuse(rq, VIRTIO_BPF_S_INVAL, "reserved bits set in MAP_CREATE");
	if (key == 0 || key > VIRTIO_BPF_MAX_KEY_SIZE)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "a key of %u bytes: a map's keys have 1 to %u",
			      key, VIRTIO_BPF_MAX_KEY_SIZE);
	if (value == 0 || value > VIRTIO_BPF_MAX_VALUE_SIZE)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "a value of %u bytes: a map's values have 1 to %u",
			      value, VIRTIO_BPF_MAX_VALUE_SIZE);
	return VIRTIO_BPF_S_OK;
}

/**
 * check_elem() - check a request for one element of a map
 * @rq: the request; at least its fixed body is there
 *
 * No sentences: the responses to these requests carry none. Whether the sizes
 * are the map's is seen when the map is looked up.
 *
 * Return: VIRTIO_BPF_S_*
 */
static uint32_t check_elem(struct request *rq)
{
	const struct virtio_bpf_map_elem *b = rq->body;
	size_t key = le32toh(b->key_size), value = le32toh(b->value_size);

	if (b->reserved || key > VIRTIO_BPF_MAX_KEY_SIZE || value > VIRTIO_BPF_MAX_VALUE_SIZE ||
	    rq->len != sizeof(*b) + key + value)
		return VIRTIO_BPF_S_INVAL;
	if (rq->type == VIRTIO_BPF_MAP_UPDATE)
		return le64toh(b->flags) > BPF_EXIST ? VIRTIO_BPF_S_INVAL : VIRTIO_BPF_S_OK;
	return value || b->flags ? VIRTIO_BPF_S_INVAL : VIRTIO_BPF_S_OK;
}

/**
 * struct kind - what the protocol says of one type of request
 * @name: as in the protocol
 * @len: bytes of the fixed body
 * @exact: nothing follows the fixed body
 * @reply_len: bytes of the response's body
 * @maps: is there only with VIRTIO_BPF_F_MAPS
 * @element: concerns one element: the response has neither body nor text
 * @check: the rest, or NULL
 */
struct kind {
	const char *name;
	size_t len;
	bool exact;
	size_t reply_len;
	bool maps;
	bool element;
	uint32_t (*check)(struct request *rq);
};

static const struct kind kinds[] = {
	[VIRTIO_BPF_GET_INFO] = {
		.name = "GET_INFO", .exact = true,
		.reply_len = sizeof(struct virtio_bpf_info),
	},
	[VIRTIO_BPF_PROG_LOAD] = {
		.name = "PROG_LOAD", .len = sizeof(struct virtio_bpf_prog_load),
		.reply_len = sizeof(struct virtio_bpf_prog_loaded), .check = check_prog_load,
	},
	[VIRTIO_BPF_PROG_FREE] = {
		.name = "PROG_FREE", .len = sizeof(struct virtio_bpf_handle), .exact = true,
		.check = check_handle,
	},
	[VIRTIO_BPF_XDP_ATTACH] = {
		.name = "XDP_ATTACH", .len = sizeof(struct virtio_bpf_handle), .exact = true,
		.check = check_handle,
	},
	[VIRTIO_BPF_XDP_DETACH] = {
		.name = "XDP_DETACH", .len = sizeof(struct virtio_bpf_handle), .exact = true,
		.check = check_handle,
	},
	[VIRTIO_BPF_MAP_CREATE] = {
		.name = "MAP_CREATE", .len = sizeof(struct virtio_bpf_map_create), .exact = true,
		.reply_len = sizeof(struct virtio_bpf_handle), .maps = true,
		.check = check_map_create,
	},
	[VIRTIO_BPF_MAP_FREE] = {
		.name = "MAP_FREE", .len = sizeof(struct virtio_bpf_handle), .exact = true,
		.maps = true, .check = check_handle,
	},
	[VIRTIO_BPF_MAP_LOOKUP] = {
		.name = "MAP_LOOKUP", .len = sizeof(struct virtio_bpf_map_elem),
		.maps = true, .element = true, .check = check_elem,
	},
	[VIRTIO_BPF_MAP_UPDATE] = {
		.name = "MAP_UPDATE", .len = sizeof(struct virtio_bpf_map_elem),
		.maps = true, .element = true, .check = check_elem,
	},
	[VIRTIO_BPF_MAP_DELETE] = {
		.name = "MAP_DELETE", .len = sizeof(struct virtio_bpf_map_elem),
		.maps = true, .element = true, .check = check_elem,
	},
	[VIRTIO_BPF_MAP_GET_NEXT] = {
		.name = "MAP_GET_NEXT", .len = sizeof(struct virtio_bpf_map_elem),
		.maps = true, .element = true, .check = check_elem,
	},
	[VIRTIO_BPF_RELEASE] = {
		.name = "RELEASE", .exact = true,
	},
};

/**
 * kind_of() - look up a type of request
 * @type: any number
 *
 * Return: the kind, or NULL
 */
static const struct kind *kind_of(uint32_t type)
{
	if (type >= sizeof(kinds) / sizeof(*kinds) || !kinds[type].name)
		return NULL;
	return &kinds[type];
}

/**
 * request_name() - a request type's name, for sentences
 * @type: any number
 *
 * Return: a static string
 */
const char *request_name(uint32_t type)
{
	const struct kind *k = kind_of(type);

	return k ? k->name : "an unknown request";
}

/**
 * request_is_element() - whether a request concerns one element of a map
 * @type: any number
 *
 * Return: true for MAP_LOOKUP, MAP_UPDATE, MAP_DELETE and MAP_GET_NEXT
 */
bool request_is_element(uint32_t type)
{
	const struct kind *k = kind_of(type);

	return k && k->element;
}

/**
 * request_reply_len() - the length of a response's fixed body
 * @type: any number
 *
 * Return: bytes
 */
size_t request_reply_len(uint32_t type)
{
	const struct kind *k = kind_of(type);

	return k ? k->reply_len : 0;
}

/**
 * iov_len() - add up the bytes of buffers
 * @iov: the buffers
 * @cnt: number of @iov
 *
 * Return: the sum, or SIZE_MAX if it is more than that
 */
static size_t iov_len(const struct iovec *iov, unsigned int cnt)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < cnt; i++)
		if (__builtin_add_overflow(sum, iov[i].iov_len, &sum))
			return SIZE_MAX;
	return sum;
}

/**
 * copy_out() - copy a request out of the guest's memory
 * @rq: gets the copy
 * @out: device-readable buffers
 * @out_cnt: number of @out
 * @hdr: gets the request's header, in the host's byte order
 *
 * Return: VIRTIO_BPF_S_*
 */
static uint32_t copy_out(struct request *rq, const struct iovec *out, unsigned int out_cnt,
			 struct virtio_bpf_req_hdr *hdr)
{
	size_t len = iov_len(out, out_cnt), at = 0;

	if (len < sizeof(*hdr))
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "a request of %zu bytes is shorter than its header", len);
	if (len > REQUEST_MAX)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "a request of %zu bytes is longer than any can be", len);
	rq->copy = malloc(len);
	if (!rq->copy)
		return refuse(rq, VIRTIO_BPF_S_NOMEM, "the host is short of memory");
	for (unsigned int i = 0; i < out_cnt; i++) {
		memcpy(rq->copy + at, out[i].iov_base, out[i].iov_len);
		at += out[i].iov_len;
	}
	memcpy(hdr, rq->copy, sizeof(*hdr));
	hdr->type = le32toh(hdr->type);
	hdr->len = le32toh(hdr->len);
	rq->type = hdr->type;
	rq->body = rq->copy + sizeof(*hdr);
	rq->len = len - sizeof(*hdr);
	return VIRTIO_BPF_S_OK;
}

/**
 * request_decode() - make a request of what the guest put into a virtqueue
 * @rq: filled in any case; free with request_forget()
 * @features: that the driver negotiated
 * @out: device-readable buffers, in guest memory; read once
 * @out_cnt: number of @out
 * @in: device-writable buffers; must stay until the reply is written
 * @in_cnt: number of @in
 *
 * Return: VIRTIO_BPF_S_OK if the request may go on, else the status to answer
 * it with, and @rq->why to go along
 */
uint32_t request_decode(struct request *rq, uint64_t features, const struct iovec *out,
			unsigned int out_cnt, const struct iovec *in, unsigned int in_cnt)
{
	struct virtio_bpf_req_hdr hdr = { 0 };
	const struct kind *k;
	uint32_t status;
	size_t need;

	memset(rq, 0, sizeof(*rq));
	rq->in = in;
	rq->in_cnt = in_cnt;
	rq->room = iov_len(in, in_cnt);
	status = copy_out(rq, out, out_cnt, &hdr);
	if (status)
		return status;
	k = kind_of(rq->type);
	if (!k)
		return refuse(rq, VIRTIO_BPF_S_UNSUPP,
			      "this device knows no request of type %u", rq->type);
	if (k->maps && !(features & (1ULL << VIRTIO_BPF_F_MAPS)))
		return refuse(rq, VIRTIO_BPF_S_UNSUPP,
			      "%s needs the feature MAPS, which the driver did not accept",
			      k->name);
	if (hdr.len != rq->len)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "%s says %u bytes follow its header, but %zu do",
			      k->name, hdr.len, rq->len);
	if (rq->len < k->len || (k->exact && rq->len > k->len))
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "%s has a body of %zu bytes%s, this one has %zu",
			      k->name, k->len, k->exact ? "" : " or more", rq->len);
	need = sizeof(struct virtio_bpf_resp_hdr) + k->reply_len;
	if (rq->room < need)
		return refuse(rq, VIRTIO_BPF_S_INVAL,
			      "the response to %s has %zu bytes, the driver left room for %zu",
			      k->name, need, rq->room);
	return k->check ? k->check(rq) : VIRTIO_BPF_S_OK;
}

/**
 * request_forget() - free a request's copy of what the guest wrote
 * @rq: a request that was decoded; can still be replied to
 */
void request_forget(struct request *rq)
{
	free(rq->copy);
	rq->copy = NULL;
	rq->body = NULL;
	rq->len = 0;
}

/**
 * struct writer - a place in buffers
 * @iov: the buffers
 * @cnt: number of @iov that are left
 * @off: bytes of the first that are used
 */
struct writer {
	const struct iovec *iov;
	unsigned int cnt;
	size_t off;
};

/**
 * put() - write bytes where the writer stands
 * @w: the writer; there is room for @len bytes
 * @data: the bytes, or NULL for zeroes
 * @len: number of bytes
 */
static void put(struct writer *w, const void *data, size_t len)
{
	const unsigned char *from = data;

	while (len && w->cnt) {
		size_t n = w->iov->iov_len - w->off;

		if (n > len)
			n = len;
		if (from) {
			memcpy((char *)w->iov->iov_base + w->off, from, n);
			from += n;
		} else {
			memset((char *)w->iov->iov_base + w->off, 0, n);
		}
		len -= n;
		w->off += n;
		if (w->off == w->iov->iov_len) {
			w->iov++;
			w->cnt--;
			w->off = 0;
		}
	}
}

/**
 * request_fill() - fill a buffer of the guest
 * @in: device-writable buffers
 * @in_cnt: number of @in
 * @data: what to write
 * @len: bytes of @data
 *
 * Return: @len, or 0 and nothing written if it does not fit
 */
size_t request_fill(const struct iovec *in, unsigned int in_cnt, const void *data, size_t len)
{
	struct writer w = { in, in_cnt, 0 };

	if (iov_len(in, in_cnt) < len)
		return 0;
	put(&w, data, len);
	return len;
}

/**
 * is_middle() - whether a byte continues a UTF-8 character
 * @c: the byte
 *
 * Return: true if so
 */
static bool is_middle(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/**
 * cut() - cut a text to what there is room for, between characters
 * @text: the text; moved on if it is cut at its front
 * @len: its length in bytes
 * @room: bytes that fit
 * @front: cut at the front: the end of a log says what went wrong
 *
 * Return: the length that is left
 */
static size_t cut(const char **text, size_t len, size_t room, bool front)
{
	size_t at;

	if (len <= room)
		return len;
	if (!front) {
		while (room && is_middle((*text)[room]))
			room--;
		return room;
	}
	at = len - room;
	while (at < len && is_middle((*text)[at]))
		at++;
	*text += at;
	return len - at;
}

/**
 * request_reply() - write the reply into the guest's memory
 * @rq: the request
 * @r: the reply; its text is cut to what there is room for, and left away where
 *     the protocol has none
 *
 * The status is written whenever there is room for a response header.
 *
 * Return: bytes written; 0 if not even a header fits
 */
size_t request_reply(const struct request *rq, const struct reply *r)
{
	struct writer w = { rq->in, rq->in_cnt, 0 };
	bool element = request_is_element(rq->type);
	size_t body = element ? r->body_len : request_reply_len(rq->type);
	const void *from = r->body_len == body ? r->body : NULL;
	size_t room = rq->room, text_len = 0;
	const char *text = r->text;
	struct virtio_bpf_resp_hdr hdr;

	if (room < sizeof(hdr))
		return 0;
	room -= sizeof(hdr);
	if (body > room)
		body = room;
	room -= body;
	if (room > VIRTIO_BPF_MAX_TEXT)
		room = VIRTIO_BPF_MAX_TEXT;
	if (text && !element)
		text_len = cut(&text, r->text_len, room, rq->type == VIRTIO_BPF_PROG_LOAD);
	hdr.status = htole32(r->status);
	hdr.text_len = htole32((uint32_t)text_len);
	put(&w, &hdr, sizeof(hdr));
	put(&w, from, body);
	put(&w, text, text_len);
	return sizeof(hdr) + body + text_len;
}

/**
 * status_of_errno() - the status that tells a driver of an errno
 * @err: an errno, positive or negative; 0 for none
 *
 * Return: VIRTIO_BPF_S_*
 */
uint32_t status_of_errno(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return VIRTIO_BPF_S_OK;
	case EINVAL:
		return VIRTIO_BPF_S_INVAL;
	case EOPNOTSUPP:
	case KERNEL_ENOTSUPP:
		return VIRTIO_BPF_S_UNSUPP;
	case EACCES:
		return VIRTIO_BPF_S_ACCES;
	case EPERM:
		return VIRTIO_BPF_S_PERM;
	case ENOENT:
		return VIRTIO_BPF_S_NOENT;
	case EEXIST:
		return VIRTIO_BPF_S_EXIST;
	case E2BIG:
		return VIRTIO_BPF_S_TOOBIG;
	case ENOSPC:
		return VIRTIO_BPF_S_NOSPC;
	case ENOMEM:
		return VIRTIO_BPF_S_NOMEM;
	case EBUSY:
		return VIRTIO_BPF_S_BUSY;
	case EAGAIN:
		return VIRTIO_BPF_S_AGAIN;
	case EBADF:
		return VIRTIO_BPF_S_BADF;
	case ENODEV:
		return VIRTIO_BPF_S_NODEV;
	default:
		return VIRTIO_BPF_S_IO;
	}
}
