// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../host-loader/sock.h"
#include "bed.h"
#include "proxy.h"

/**
 * proxy_recv() - receive a message
 * @sock: connection
 * @reply: filled
 *
 * That the daemon is busy is passed over.
 *
 * Return: as vbpf_msg_recv(), or -ETIME after twenty seconds
 */
int proxy_recv(int sock, struct reply *reply)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int64_t until = now_ms() + 20000, left;
	int ret;

	do {
		left = until - now_ms();
		reply->msg.fd = -1;
		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return -ETIME;
		ret = vbpf_msg_recv(sock, reply->buf, sizeof(reply->buf), &reply->msg);
	} while (ret == 1 && reply->msg.type == VBPF_MSG_BUSY);
	return ret;
}

/**
 * proxy_call() - send a request and wait for its answer
 * @sock: connection
 * @type: of the request
 * @body: of the request
 * @len: bytes of @body
 * @reply: filled
 *
 * Return: the status, or -1 if there is no answer to just this
 */
int proxy_call(int sock, uint16_t type, const void *body, size_t len,
		      struct reply *reply)
{
	const struct vbpf_msg msg = { .type = type, .id = 0x1000u + type, .body = body,
				      .body_len = len, .fd = -1 };

	if (vbpf_msg_send(sock, &msg) || proxy_recv(sock, reply) != 1 ||
	    reply->msg.type != type || reply->msg.id != msg.id)
		return -1;
	return (int)reply->msg.status;
}

/**
 * proxy_connect() - connect as some user
 * @uid: the user
 *
 * Return: the socket, or a negative errno
 */
int proxy_connect(uid_t uid)
{
	int sock;

	if (seteuid(uid))
		return -errno;
	sock = sock_connect(bed_path("socket"));
	if (seteuid(0))
		abort();
	return sock;
}

/**
 * proxy_hello() - connect as some user and say HELLO
 * @uid: the user
 * @port: which port
 * @status: set to the answer's status, or -1
 * @reply: filled
 *
 * Return: the socket, or a negative errno
 */
int proxy_hello(uid_t uid, const char *port, int *status, struct reply *reply)
{
	struct vbpf_hello hello = { 0 };
	int sock = proxy_connect(uid);

	memcpy(hello.port, port, strlen(port));
	*status = sock < 0 ? -1 : proxy_call(sock, VBPF_MSG_HELLO, &hello, sizeof(hello), reply);
	return sock;
}

/**
 * proxy_open_port() - be the proxy of a port
 * @uid: its user
 * @port: its name
 *
 * Return: the socket, or -1
 */
int proxy_open_port(uid_t uid, const char *port)
{
	struct reply reply;
	int status, sock = proxy_hello(uid, port, &status, &reply);

	if (status == VIRTIO_BPF_S_OK)
		return sock;
	close(sock);
	return -1;
}

/**
 * proxy_open() - be the proxy of vm0
 *
 * Return: the socket, or -1
 */
int proxy_open(void)
{
	return proxy_open_port(PROXY_UID, "vm0");
}

/**
 * proxy_open1() - be the proxy of vm1
 *
 * Return: the socket, or -1
 */
int proxy_open1(void)
{
	return proxy_open_port(PROXY1_UID, "vm1");
}

/**
 * proxy_load_send() - send a request to load a program
 * @sock: connection
 * @id: of the request
 * @name: of the program
 * @insns: the program
 * @cnt: number of @insns
 *
 * Return: 0, or a negative errno
 */
int proxy_load_send(int sock, uint32_t id, const char *name, const struct virtio_bpf_insn *insns,
		    uint32_t cnt)
{
	struct virtio_bpf_prog_load head = {
		.prog_class = htole16(VIRTIO_BPF_CLASS_XDP), .insn_cnt = htole32(cnt),
	};
	struct vbpf_msg msg = { .type = VIRTIO_BPF_PROG_LOAD, .id = id, .fd = -1,
				.body_len = sizeof(head) + cnt * sizeof(*insns) };
	char *body = malloc(msg.body_len);
	int err;

	if (!body)
		return -ENOMEM;
	strncpy((char *)head.name, name, sizeof(head.name) - 1);
	memcpy(body, &head, sizeof(head));
	memcpy(body + sizeof(head), insns, cnt * sizeof(*insns));
	msg.body = body;
	err = vbpf_msg_send(sock, &msg);
	free(body);
	return err;
}

/**
 * proxy_load_reply() - wait for the answer to a request to load a program
 * @sock: connection
 * @id: of the request
 * @reply: filled
 *
 * Return: the program's handle, or minus the status
 */
int64_t proxy_load_reply(int sock, uint32_t id, struct reply *reply)
{
	struct virtio_bpf_prog_loaded loaded;

	if (proxy_recv(sock, reply) != 1 || reply->msg.type != VIRTIO_BPF_PROG_LOAD ||
	    reply->msg.id != id || reply->msg.body_len != sizeof(loaded))
		return -VIRTIO_BPF_S_IO;
	memcpy(&loaded, reply->msg.body, sizeof(loaded));
	return reply->msg.status ? -(int64_t)reply->msg.status : (int64_t)le32toh(loaded.handle);
}

/**
 * proxy_load_named() - load a program
 * @sock: connection
 * @name: of the program
 * @insns: the program
 * @cnt: number of @insns
 * @reply: filled
 *
 * Return: the program's handle, or minus the status
 */
static int64_t proxy_load_named(int sock, const char *name, const struct virtio_bpf_insn *insns,
				uint32_t cnt, struct reply *reply)
{
	if (proxy_load_send(sock, 1, name, insns, cnt))
		return -VIRTIO_BPF_S_IO;
	return proxy_load_reply(sock, 1, reply);
}

/**
 * proxy_load_insns() - load a program named "test"
 * @sock: connection
 * @insns: the program
 * @cnt: number of @insns
 * @reply: filled
 *
 * Return: the program's handle, or minus the status
 */
int64_t proxy_load_insns(int sock, const struct virtio_bpf_insn *insns, uint32_t cnt,
			 struct reply *reply)
{
	return proxy_load_named(sock, "test", insns, cnt, reply);
}

/**
 * proxy_insns() - instructions as they are sent
 * @to: room for as many
 * @from: the instructions
 * @cnt: number of @from
 */
void proxy_insns(struct virtio_bpf_insn *to, const struct bpf_insn *from, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		to[i] = (struct virtio_bpf_insn){
			.code = from[i].code,
			.regs = (uint8_t)(from[i].dst_reg | from[i].src_reg << 4),
			.off = htole16((uint16_t)from[i].off),
			.imm = htole32((uint32_t)from[i].imm),
		};
}

/**
 * proxy_load_file() - load the program that a file of tests/progs holds
 * @sock: connection
 * @name: of the file, without its ending
 * @reply: filled
 *
 * The program has no maps.
 *
 * Return: the program's handle, or minus the status
 */
int64_t proxy_load_file(int sock, const char *name, struct reply *reply)
{
	struct virtio_bpf_insn insns[PROXY_INSNS];
	struct bpf_object *obj;
	struct bpf_program *prog;
	char path[4200];
	int64_t ret = -VIRTIO_BPF_S_IO;

	snprintf(path, sizeof(path), "%s/../tests/progs/%s.o", bed.bin, name);
	obj = bpf_object__open_file(path, NULL);
	prog = obj ? bpf_object__next_program(obj, NULL) : NULL;
	if (prog && bpf_program__insn_cnt(prog) <= PROXY_INSNS) {
		uint32_t cnt = (uint32_t)bpf_program__insn_cnt(prog);

		proxy_insns(insns, bpf_program__insns(prog), cnt);
		ret = proxy_load_named(sock, name, insns, cnt, reply);
	}
	bpf_object__close(obj);
	return ret;
}

/**
 * proxy_load() - load "return VERDICT", with a map if one is given
 * @sock: connection
 * @verdict: what the program returns
 * @map: handle of a map that it names, or 0
 * @reply: filled
 *
 * Return: the program's handle, or minus the status
 */
int64_t proxy_load(int sock, uint32_t verdict, uint32_t map, struct reply *reply)
{
	const struct virtio_bpf_insn insns[] = {
		{ .code = 0x18, .regs = 0x11, .imm = htole32(map) },	/* r1 = map */
		{ 0 },
		{ .code = 0xb7, .imm = htole32(verdict) },		/* r0 = verdict */
		{ .code = 0x95 },					/* exit */
	};

	return map ? proxy_load_insns(sock, insns, 4, reply) :
		     proxy_load_insns(sock, insns + 2, 2, reply);
}

/**
 * proxy_load_in_time() - load "return XDP_PASS" as soon as the port has CPU time for it
 * @sock: connection
 *
 * Return: whether it is loaded within ten seconds
 */
bool proxy_load_in_time(int sock)
{
	struct reply reply;
	int64_t ret = -1;

	for (int i = 0; i < 100; i++) {
		ret = proxy_load(sock, XDP_PASS, 0, &reply);
		if (ret != -VIRTIO_BPF_S_AGAIN)
			break;
		usleep(100000);
	}
	return ret > 0;
}

/**
 * proxy_handle() - a request about one object
 * @sock: connection
 * @type: of the request
 * @handle: of the object
 *
 * Return: the status, or -1
 */
int proxy_handle(int sock, uint16_t type, int64_t handle)
{
	struct virtio_bpf_handle req = { .handle = htole32((uint32_t)handle) };
	struct reply reply;

	return proxy_call(sock, type, &req, sizeof(req), &reply);
}

/**
 * proxy_drop() - load "return XDP_DROP", and attach it
 * @sock: connection, or a negative number
 *
 * Return: the program's handle, or a negative number
 */
int64_t proxy_drop(int sock)
{
	struct reply reply;
	int64_t drop = sock < 0 ? -1 : proxy_load(sock, 1, 0, &reply);

	if (drop > 0 && proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop) != VIRTIO_BPF_S_OK)
		return -1;
	return drop;
}

/**
 * proxy_map_new() - create a map
 * @sock: connection
 * @req: the map
 * @reply: filled; the caller closes its fd
 *
 * Return: the map's handle, or minus the status
 */
int64_t proxy_map_new(int sock, const struct virtio_bpf_map_create *req, struct reply *reply)
{
	struct vbpf_map map;
	int status = proxy_call(sock, VIRTIO_BPF_MAP_CREATE, req, sizeof(*req), reply);

	if (reply->msg.body_len != sizeof(map) || (reply->msg.fd >= 0) != !status)
		return -VIRTIO_BPF_S_IO;
	memcpy(&map, reply->msg.body, sizeof(map));
	return status ? -status : (int64_t)le32toh(map.handle);
}

/**
 * proxy_map() - create a hash with keys of 4 and values of 8 bytes
 * @sock: connection
 * @entries: number of entries
 * @reply: filled; the caller closes its fd
 *
 * Return: the map's handle, or minus the status
 */
int64_t proxy_map(int sock, uint32_t entries, struct reply *reply)
{
	const struct virtio_bpf_map_create req = {
		.map_type = htole32(BPF_MAP_TYPE_HASH), .key_size = htole32(4),
		.value_size = htole32(8), .max_entries = htole32(entries), .name = "m",
	};

	return proxy_map_new(sock, &req, reply);
}

/**
 * proxy_info() - GET_INFO
 * @sock: connection
 *
 * Return: the port's figures; all ones if there is no answer
 */
struct virtio_bpf_info proxy_info(int sock)
{
	struct virtio_bpf_info info;
	struct reply reply;

	memset(&info, 0xff, sizeof(info));
	if (proxy_call(sock, VIRTIO_BPF_GET_INFO, NULL, 0, &reply) == VIRTIO_BPF_S_OK &&
	    reply.msg.body_len == sizeof(info))
		memcpy(&info, reply.msg.body, sizeof(info));
	return info;
}

/**
 * proxy_says() - does an answer's text contain some words?
 * @reply: the answer
 * @words: the words
 *
 * Return: whether it does
 */
bool proxy_says(const struct reply *reply, const char *words)
{
	bool ok = memmem(reply->msg.text, reply->msg.text_len, words, strlen(words));

	if (!ok)
		printf("# expected \"%s\", got \"%.*s\"\n", words, (int)reply->msg.text_len,
		       reply->msg.text);
	return ok;
}

/**
 * proxy_event() - wait for an event
 * @sock: connection
 * @type: that it must have, VIRTIO_BPF_EVENT_*
 *
 * Return: the handle that it is about, or -1 if something else came
 */
int64_t proxy_event(int sock, uint32_t type)
{
	struct virtio_bpf_event event;
	struct reply reply;

	if (proxy_recv(sock, &reply) != 1 || reply.msg.type != VBPF_MSG_EVENT || reply.msg.id ||
	    reply.msg.body_len != sizeof(event))
		return -1;
	memcpy(&event, reply.msg.body, sizeof(event));
	return le32toh(event.type) == type ? (int64_t)le32toh(event.handle) : -1;
}

/**
 * proxy_loop() - a program that the verifier has to follow for long
 * @insns: room for PROXY_LOOP instructions; set
 * @turns: of the loop, at 2 instructions each; up to 8000 are accepted
 */
void proxy_loop(struct virtio_bpf_insn *insns, uint32_t turns)
{
	const struct virtio_bpf_insn loop[PROXY_LOOP] = {
		{ .code = 0xb7 },					/* r0 = 0 */
		{ .code = 0x07, .imm = htole32(1) },			/* r0 += 1 */
		{ .code = 0xa5, .off = htole16(0xfffe), .imm = htole32(turns) }, /* if < */
		{ .code = 0xb7, .imm = htole32(2) },			/* r0 = XDP_PASS */
		{ .code = 0x95 },					/* exit */
	};

	memcpy(insns, loop, sizeof(loop));
}

/**
 * proxy_bomb() - a program that the verifier follows until it gives up
 * @insns: room for PROXY_BOMB instructions; set
 *
 * Each of its branches depends on another random bit, and the end on the way
 * that was taken: no two ways are alike, and there are 2^24 of them.
 */
void proxy_bomb(struct virtio_bpf_insn *insns)
{
	uint32_t n = 0;

	insns[n++] = (struct virtio_bpf_insn){ .code = 0x85, .imm = htole32(7) };
	insns[n++] = (struct virtio_bpf_insn){ .code = 0xbf, .regs = 0x06 };	/* r6 = r0 */
	insns[n++] = (struct virtio_bpf_insn){ .code = 0xb7, .regs = 0x07 };	/* r7 = 0 */
	for (uint32_t bit = 0; bit < 24; bit++) {
		/* if r6 & bit: r7 += bit */
		insns[n++] = (struct virtio_bpf_insn){ .code = 0x45, .regs = 0x06,
			.off = htole16(1), .imm = htole32(1u << bit) };
		insns[n++] = (struct virtio_bpf_insn){ .code = 0x07, .regs = 0x07,
			.imm = htole32(1u << bit) };
	}
	/* if r7 <= 5: r7 = 7 */
	insns[n++] = (struct virtio_bpf_insn){ .code = 0x25, .regs = 0x07, .off = htole16(1),
					       .imm = htole32(5) };
	insns[n++] = (struct virtio_bpf_insn){ .code = 0xb7, .regs = 0x07, .imm = htole32(7) };
	insns[n++] = (struct virtio_bpf_insn){ .code = 0xb7, .imm = htole32(2) };
	insns[n++] = (struct virtio_bpf_insn){ .code = 0x95 };
}

/**
 * now_ms() - the monotonic clock
 *
 * Return: milliseconds
 */
int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
