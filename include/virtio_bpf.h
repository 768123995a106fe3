/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VIRTIO_BPF_H
#define VIRTIO_BPF_H
/**
 * DOC: The virtio BPF device, as it looks on the wire
 *
 * One header for both sides of the virtqueue: the guest's driver
 * (guest/virtio_bpf) and the device (qemu-proxy). docs/virtio-bpf.md is the
 * prose that goes with it, in the section order of the virtio specification;
 * where the two disagree, that is a bug in one of them.
 *
 * A request is one descriptor chain on the requestq:
 *
 *   device-readable   struct virtio_bpf_req_hdr, a body by type, a payload
 *   device-writable   struct virtio_bpf_resp_hdr, a body by type, then text
 *                     (or, for MAP_LOOKUP and MAP_GET_NEXT, a value or a key)
 *
 * How either part is cut into descriptors carries no meaning. All integers are
 * little-endian. Reserved fields are written as zero and a device refuses a
 * request in which they are not. Objects are named by handles: 32-bit, never
 * zero, chosen by the device, valid on that device alone.
 */
#include <linux/types.h>

/*
 * Device ids. The virtio specification assigns none to BPF. 63 is the highest
 * that a PCI device can carry. Stock QEMU only creates devices that it has a
 * name for; 21 (signal distribution) is reserved, was never specified and has
 * no driver. A driver takes both and binds only where the magic matches.
 */
#define VIRTIO_ID_BPF		63
#define VIRTIO_ID_BPF_STOCK	21

/* Feature bits */
#define VIRTIO_BPF_F_MAPS	0	/* MAP_* requests */
#define VIRTIO_BPF_F_EVENTS	1	/* the eventq carries events */
#define VIRTIO_BPF_F_BATCH	2	/* reserved: several elements a request */

/* Virtqueues */
#define VIRTIO_BPF_VQ_REQUEST	0
#define VIRTIO_BPF_VQ_EVENT	1
#define VIRTIO_BPF_VQ_CNT	2

#define VIRTIO_BPF_MAGIC	0x66706276u	/* "vbpf" */
#define VIRTIO_BPF_VERSION	1

/* What no device goes beyond, whatever its configuration space says. */
#define VIRTIO_BPF_MAX_INSNS		16384
#define VIRTIO_BPF_MAX_KEY_SIZE		512
#define VIRTIO_BPF_MAX_VALUE_SIZE	65536
#define VIRTIO_BPF_MAX_TEXT		32768
#define VIRTIO_BPF_NAME_LEN		16
#define VIRTIO_BPF_TAG_LEN		8
#define VIRTIO_BPF_MAC_LEN		6

/**
 * struct virtio_bpf_config - device configuration layout, read-only
 * @magic: VIRTIO_BPF_MAGIC; a driver leaves any other device alone
 * @version: VIRTIO_BPF_VERSION; a driver leaves a device with another one alone
 * @classes: bit n set: programs of class n load (VIRTIO_BPF_CLASS_*)
 * @mac: address of the virtio-net device in the same guest that is served
 * @reserved0: zero
 * @max_insns: instructions in one program
 * @max_progs: programs at a time
 * @max_maps: maps at a time
 * @max_entries: entries in one map
 * @max_key_size: bytes in a key
 * @max_value_size: bytes in a value
 * @max_text: bytes of text that follow a response
 * @map_types: bit n set: maps of type n (enum bpf_map_type) can be created
 * @reserved1: zero
 *
 * A limit of 0 means that the device does not state it here. The device
 * enforces its limits in any case; these let a driver refuse early, in words.
 */
struct virtio_bpf_config {
	__le32 magic;
	__le16 version;
	__le16 classes;
	__u8 mac[VIRTIO_BPF_MAC_LEN];
	__le16 reserved0;
	__le32 max_insns;
	__le32 max_progs;
	__le32 max_maps;
	__le32 max_entries;
	__le32 max_key_size;
	__le32 max_value_size;
	__le32 max_text;
	__le32 map_types;
	__le32 reserved1[4];
};

/* Requests */
#define VIRTIO_BPF_GET_INFO	1
#define VIRTIO_BPF_PROG_LOAD	2
#define VIRTIO_BPF_PROG_FREE	3
#define VIRTIO_BPF_XDP_ATTACH	4
#define VIRTIO_BPF_XDP_DETACH	5
#define VIRTIO_BPF_MAP_CREATE	6
#define VIRTIO_BPF_MAP_FREE	7
#define VIRTIO_BPF_MAP_LOOKUP	8
#define VIRTIO_BPF_MAP_UPDATE	9
#define VIRTIO_BPF_MAP_DELETE	10
#define VIRTIO_BPF_MAP_GET_NEXT	11
#define VIRTIO_BPF_RELEASE	12	/* no body: free all objects, detach first */

/* Status of a response, and the errno that a Linux driver makes of it */
#define VIRTIO_BPF_S_OK		0
#define VIRTIO_BPF_S_INVAL	1	/* EINVAL: malformed or out of range */
#define VIRTIO_BPF_S_UNSUPP	2	/* EOPNOTSUPP: known, but not done here */
#define VIRTIO_BPF_S_ACCES	3	/* EACCES: the program failed verification */
#define VIRTIO_BPF_S_PERM	4	/* EPERM: the operator's policy says no */
#define VIRTIO_BPF_S_NOENT	5	/* ENOENT: no such key, or no next one */
#define VIRTIO_BPF_S_EXIST	6	/* EEXIST: the key is there already */
#define VIRTIO_BPF_S_TOOBIG	7	/* E2BIG: past the map's entries or size */
#define VIRTIO_BPF_S_NOSPC	8	/* ENOSPC, EDQUOT for a program: a limit is reached */
#define VIRTIO_BPF_S_NOMEM	9	/* ENOMEM */
#define VIRTIO_BPF_S_BUSY	10	/* EBUSY: in use */
#define VIRTIO_BPF_S_AGAIN	11	/* EAGAIN: too many requests, try later */
#define VIRTIO_BPF_S_BADF	12	/* EBADF: no object has that handle */
#define VIRTIO_BPF_S_NODEV	13	/* ENODEV: nobody on the host serves it now */
#define VIRTIO_BPF_S_IO		14	/* EIO: anything else went wrong */

/**
 * struct virtio_bpf_req_hdr - what every request starts with
 * @type: VIRTIO_BPF_GET_INFO and so on
 * @len: bytes of body and payload that follow, exactly
 */
struct virtio_bpf_req_hdr {
	__le32 type;
	__le32 len;
};

/**
 * struct virtio_bpf_resp_hdr - what every response starts with
 * @status: VIRTIO_BPF_S_*
 * @text_len: bytes of text after the body; UTF-8 lines, no terminating NUL
 *
 * A response body is present, zeroed, also where the status is not OK, except
 * for MAP_LOOKUP and MAP_GET_NEXT, whose value or key comes with OK alone.
 * Text is cut, at its front for a log, to what the driver left room for.
 */
struct virtio_bpf_resp_hdr {
	__le32 status;
	__le32 text_len;
};

/* Program classes: which hook of the guest's netdev a program is meant for */
#define VIRTIO_BPF_CLASS_XDP	1	/* XDP, for packets that arrive */

/* Directions, seen from the guest */
#define VIRTIO_BPF_DIR_RX	0	/* packets that the guest NIC receives */

/* Forms and levels: how the host made the program its own, for display */
#define VIRTIO_BPF_FORM_LITE	1
#define VIRTIO_BPF_FORM_SFI	2
#define VIRTIO_BPF_LEVEL_STRICT		1
#define VIRTIO_BPF_LEVEL_RELAXED	2

/**
 * struct virtio_bpf_insn - one BPF instruction (RFC 9669)
 * @code: opcode
 * @regs: destination register in the low nibble, source in the high one
 * @off: offset, signed
 * @imm: immediate, signed
 *
 * A 64-bit immediate load that refers to a map has source register 1
 * (BPF_PSEUDO_MAP_FD), the map's handle as @imm, and 0 as @imm of its second
 * half. No other pseudo source but 0 is accepted.
 */
struct virtio_bpf_insn {
	__u8 code;
	__u8 regs;
	__le16 off;
	__le32 imm;
};

/**
 * struct virtio_bpf_prog_load - body of PROG_LOAD
 * @prog_class: VIRTIO_BPF_CLASS_*
 * @direction: VIRTIO_BPF_DIR_*
 * @insn_cnt: number of struct virtio_bpf_insn in the payload
 * @ifindex: the netdev's index in the guest, for ctx->ingress_ifindex
 * @flags: zero
 * @name: of the program, zero-padded; [A-Za-z0-9_.] only
 * @tag: the guest kernel's tag of the program, for display
 */
struct virtio_bpf_prog_load {
	__le16 prog_class;
	__le16 direction;
	__le32 insn_cnt;
	__le32 ifindex;
	__le32 flags;
	__u8 name[VIRTIO_BPF_NAME_LEN];
	__u8 tag[VIRTIO_BPF_TAG_LEN];
};

/**
 * struct virtio_bpf_prog_loaded - response body of PROG_LOAD
 * @handle: of the new program
 * @insn_cnt: instructions after translation
 * @form: VIRTIO_BPF_FORM_*
 * @level: VIRTIO_BPF_LEVEL_*
 * @reserved: zero
 *
 * The text is the log: why the program was refused, or how it was accepted.
 */
struct virtio_bpf_prog_loaded {
	__le32 handle;
	__le32 insn_cnt;
	__u8 form;
	__u8 level;
	__le16 reserved[3];
};

/**
 * struct virtio_bpf_handle - body of PROG_FREE, XDP_ATTACH, XDP_DETACH, MAP_FREE
 * @handle: of the object; for XDP_DETACH 0 stands for whichever is attached
 * @flags: zero
 *
 * XDP_ATTACH replaces what is attached, in one step. XDP_DETACH of a program
 * that is not attached is S_OK, so that it can be repeated. A program that is
 * attached cannot be freed (S_BUSY). A map that programs use can: its handle
 * goes at once, the map itself with the last such program.
 */
struct virtio_bpf_handle {
	__le32 handle;
	__le32 flags;
};

/**
 * struct virtio_bpf_map_create - body of MAP_CREATE
 * @map_type: enum bpf_map_type; BPF_MAP_TYPE_HASH or BPF_MAP_TYPE_ARRAY
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: number of elements
 * @map_flags: BPF_F_NO_PREALLOC, for a hash, or zero
 * @reserved: zero
 * @name: zero-padded; [A-Za-z0-9_.] only; may be empty
 *
 * The response body is a struct virtio_bpf_handle.
 */
struct virtio_bpf_map_create {
	__le32 map_type;
	__le32 key_size;
	__le32 value_size;
	__le32 max_entries;
	__le32 map_flags;
	__le32 reserved;
	__u8 name[VIRTIO_BPF_NAME_LEN];
};

/**
 * struct virtio_bpf_map_elem - body of MAP_LOOKUP, _UPDATE, _DELETE, _GET_NEXT
 * @handle: of the map
 * @key_size: bytes of key in the payload; for GET_NEXT 0 asks for the first
 * @value_size: bytes of value behind the key, for UPDATE; else zero
 * @reserved: zero
 * @flags: BPF_ANY, BPF_NOEXIST or BPF_EXIST, for UPDATE; else zero
 *
 * Sizes must be those of the map. The response carries no body and no text;
 * with S_OK a value follows it (LOOKUP) or a key (GET_NEXT).
 */
struct virtio_bpf_map_elem {
	__le32 handle;
	__le32 key_size;
	__le32 value_size;
	__le32 reserved;
	__le64 flags;
};

/* Counters of the attached program, by what became of a packet */
#define VIRTIO_BPF_CNT_ABORTED	0	/* returned XDP_ABORTED: dropped */
#define VIRTIO_BPF_CNT_DROP	1	/* returned XDP_DROP */
#define VIRTIO_BPF_CNT_PASS	2	/* returned XDP_PASS: went to the guest */
#define VIRTIO_BPF_CNT_TX	3	/* returned XDP_TX: sent back */
#define VIRTIO_BPF_CNT_INVALID	4	/* returned something else: dropped */
#define VIRTIO_BPF_CNT_FAULT	5	/* stopped by a check: dropped */
#define VIRTIO_BPF_CNT_MAX	8

/**
 * struct virtio_bpf_info - response body of GET_INFO, which itself has no body
 * @progs: programs held
 * @maps: maps held
 * @attached: handle of the attached program, or 0
 * @reserved: zero
 * @packets: of the attached program, by VIRTIO_BPF_CNT_*, since it was loaded
 */
struct virtio_bpf_info {
	__le32 progs;
	__le32 maps;
	__le32 attached;
	__le32 reserved;
	__le64 packets[VIRTIO_BPF_CNT_MAX];
};

/* Events */
#define VIRTIO_BPF_EVENT_DETACHED	1	/* the host's operator detached @handle */
#define VIRTIO_BPF_EVENT_LOST		2	/* the host forgot all objects */
#define VIRTIO_BPF_EVENT_TEXT		112

/**
 * struct virtio_bpf_event - what a buffer of the eventq is filled with
 * @type: VIRTIO_BPF_EVENT_*; a driver ignores those that it does not know
 * @handle: of the object concerned, or 0
 * @text_len: bytes of @text in use
 * @reserved: zero
 * @text: a sentence for the guest's log, no terminating NUL
 */
struct virtio_bpf_event {
	__le32 type;
	__le32 handle;
	__le32 text_len;
	__le32 reserved;
	__u8 text[VIRTIO_BPF_EVENT_TEXT];
};

#define VIRTIO_BPF_AT(type, member, at) \
	_Static_assert(__builtin_offsetof(struct type, member) == (at), \
		       #type "." #member " moved")
#define VIRTIO_BPF_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " has another size")

VIRTIO_BPF_SIZE(virtio_bpf_config, 64);
VIRTIO_BPF_AT(virtio_bpf_config, mac, 8);
VIRTIO_BPF_AT(virtio_bpf_config, max_insns, 16);
VIRTIO_BPF_AT(virtio_bpf_config, map_types, 44);
VIRTIO_BPF_SIZE(virtio_bpf_req_hdr, 8);
VIRTIO_BPF_AT(virtio_bpf_req_hdr, len, 4);
VIRTIO_BPF_SIZE(virtio_bpf_resp_hdr, 8);
VIRTIO_BPF_AT(virtio_bpf_resp_hdr, text_len, 4);
VIRTIO_BPF_SIZE(virtio_bpf_insn, 8);
VIRTIO_BPF_AT(virtio_bpf_insn, off, 2);
VIRTIO_BPF_AT(virtio_bpf_insn, imm, 4);
VIRTIO_BPF_SIZE(virtio_bpf_prog_load, 40);
VIRTIO_BPF_AT(virtio_bpf_prog_load, insn_cnt, 4);
VIRTIO_BPF_AT(virtio_bpf_prog_load, name, 16);
VIRTIO_BPF_AT(virtio_bpf_prog_load, tag, 32);
VIRTIO_BPF_SIZE(virtio_bpf_prog_loaded, 16);
VIRTIO_BPF_AT(virtio_bpf_prog_loaded, form, 8);
VIRTIO_BPF_SIZE(virtio_bpf_handle, 8);
VIRTIO_BPF_AT(virtio_bpf_handle, flags, 4);
VIRTIO_BPF_SIZE(virtio_bpf_map_create, 40);
VIRTIO_BPF_AT(virtio_bpf_map_create, map_flags, 16);
VIRTIO_BPF_AT(virtio_bpf_map_create, name, 24);
VIRTIO_BPF_SIZE(virtio_bpf_map_elem, 24);
VIRTIO_BPF_AT(virtio_bpf_map_elem, flags, 16);
VIRTIO_BPF_SIZE(virtio_bpf_info, 80);
VIRTIO_BPF_AT(virtio_bpf_info, packets, 16);
VIRTIO_BPF_SIZE(virtio_bpf_event, 128);
VIRTIO_BPF_AT(virtio_bpf_event, text, 16);

#endif /* VIRTIO_BPF_H */
