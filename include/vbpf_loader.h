/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VBPF_LOADER_H
#define VBPF_LOADER_H
/**
 * DOC: What qemu-proxy and host-loader say to each other
 *
 * A SOCK_SEQPACKET unix socket; one message is one packet:
 *
 *   struct vbpf_msg_hdr, a body by type, then text
 *
 * The proxy speaks first, with VBPF_MSG_HELLO. From then on it sends requests,
 * each with an id of its choice, and the loader answers each once, with the
 * same type and id; in between the loader may send VBPF_MSG_EVENT, and while
 * requests wait for long (for a program that is verified, or because the port
 * has made too many) it sends VBPF_MSG_BUSY every few seconds. Types below
 * VBPF_MSG_HELLO are the requests of virtio_bpf.h with the bodies and
 * payloads given there, and their answers have the response bodies given there.
 * Element requests (MAP_LOOKUP and so on) never travel here: the loader passes
 * each map's fd along with the answer to MAP_CREATE and the proxy uses it. Nor
 * does RELEASE: the proxy makes VBPF_MSG_RESET of it, as of a device's reset.
 *
 * The loader knows who the proxy is from the socket's peer credentials and the
 * port's allowed uid, and keeps everything that must outlive either process.
 * A message that breaks these rules ends the connection.
 */
#include "virtio_bpf.h"

#define VBPF_MSG_MAGIC		0x6c706276u	/* "vbpl" */
#define VBPF_MSG_VERSION	1
#define VBPF_PORT_NAME_LEN	32

/* Message types beside the VIRTIO_BPF_* requests */
#define VBPF_MSG_HELLO		0x100	/* proxy: which port; loader: its state */
#define VBPF_MSG_MAP		0x101	/* loader: one map that exists, with its fd */
#define VBPF_MSG_RESET		0x102	/* proxy: reset or RELEASE, free all */
#define VBPF_MSG_EVENT		0x103	/* loader: struct virtio_bpf_event, for the guest */
#define VBPF_MSG_BUSY		0x104	/* loader: it lives, and will get to what waits */

/* The longest message: a program of VIRTIO_BPF_MAX_INSNS */
#define VBPF_MSG_MAX	(sizeof(struct vbpf_msg_hdr) + \
			 sizeof(struct virtio_bpf_prog_load) + \
			 VIRTIO_BPF_MAX_INSNS * sizeof(struct virtio_bpf_insn))

/**
 * struct vbpf_msg_hdr - what every message starts with
 * @magic: VBPF_MSG_MAGIC
 * @version: VBPF_MSG_VERSION
 * @type: VIRTIO_BPF_* or VBPF_MSG_*
 * @id: chosen by the proxy; 0 in what the loader sends unasked
 * @status: VIRTIO_BPF_S_* in an answer; else 0
 * @body_len: bytes of body and payload that follow
 * @text_len: bytes of text behind them, in an answer; else 0
 */
struct vbpf_msg_hdr {
	__le32 magic;
	__le16 version;
	__le16 type;
	__le32 id;
	__le32 status;
	__le32 body_len;
	__le32 text_len;
};

/**
 * struct vbpf_hello - body of VBPF_MSG_HELLO from the proxy
 * @port: name of the port, zero-padded
 */
struct vbpf_hello {
	__u8 port[VBPF_PORT_NAME_LEN];
};

/**
 * struct vbpf_welcome - body of the answer to VBPF_MSG_HELLO
 * @config: the device's configuration space, complete
 * @map_cnt: number of VBPF_MSG_MAP messages that follow at once
 * @reserved: zero
 */
struct vbpf_welcome {
	struct virtio_bpf_config config;
	__le32 map_cnt;
	__le32 reserved;
};

/**
 * struct vbpf_map - body of VBPF_MSG_MAP and of the answer to MAP_CREATE
 * @handle: of the map
 * @map_type: enum bpf_map_type
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: number of elements
 * @reserved: zero
 *
 * The map's fd travels beside it (SCM_RIGHTS, exactly one). In an answer to
 * MAP_CREATE with a status other than OK there is none, and the body is zero.
 */
struct vbpf_map {
	__le32 handle;
	__le32 map_type;
	__le32 key_size;
	__le32 value_size;
	__le32 max_entries;
	__le32 reserved;
};

VIRTIO_BPF_SIZE(vbpf_msg_hdr, 24);
VIRTIO_BPF_AT(vbpf_msg_hdr, id, 8);
VIRTIO_BPF_AT(vbpf_msg_hdr, text_len, 20);
VIRTIO_BPF_SIZE(vbpf_hello, 32);
VIRTIO_BPF_SIZE(vbpf_welcome, 72);
VIRTIO_BPF_AT(vbpf_welcome, map_cnt, 64);
VIRTIO_BPF_SIZE(vbpf_map, 24);

#endif /* VBPF_LOADER_H */
