// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: One request, one answer
 *
 * A table of the requests: for each, what its answer's body holds, and the
 * function that decodes it, does it and fills that body. An error is answered
 * with the body zeroed and a sentence.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "dispatch.h"
#include "kern.h"
#include "load.h"
#include "map.h"
#include "store.h"

/**
 * dispatch_release() - free everything that a port has
 * @port: the port
 */
void dispatch_release(struct port *port)
{
	attach_drop(port);
	port_empty(port);
	port_close_fd(&port->norm_state);
	port->untold = 0;
	store_clear(port);
}

/**
 * dispatch_map_body() - describe a map to the proxy
 * @map: the map
 * @body: filled
 */
void dispatch_map_body(const struct map *map, struct vbpf_map *body)
{
	*body = (struct vbpf_map){
		.handle = htole32(map->handle),
		.map_type = htole32(map->def.type),
		.key_size = htole32(map->def.key_size),
		.value_size = htole32(map->def.value_size),
		.max_entries = htole32(map->def.max_entries),
	};
}

/**
 * dispatch_get_info() - GET_INFO
 * @port: the port
 * @msg: the request
 * @answer: its body gets the port's figures
 *
 * Return: 0, or a negative errno
 */
static int dispatch_get_info(struct port *port, const struct vbpf_msg *msg,
			     struct answer *answer)
{
	struct virtio_bpf_info *info = &answer->body.info;
	uint64_t packets[VIRTIO_BPF_CNT_MAX];
	const struct map *map;
	uint32_t maps = 0;
	int err = wire_empty(msg->body_len, &answer->text);

	if (err)
		return err;
	TAILQ_FOREACH(map, &port->maps, node)
		maps += !map->gone;
	info->progs = htole32(port->prog_cnt);
	info->maps = htole32(maps);
	if (!port->attached)
		return 0;
	err = kern_counters_read(port->attached->counters, packets, VIRTIO_BPF_CNT_MAX);
	if (err) {
		text_add(&answer->text, "the host cannot read the counters\n");
		return err == -ENOMEM ? err : -EIO;
	}
	info->attached = htole32(port->attached->handle);
	for (int i = 0; i < VIRTIO_BPF_CNT_MAX; i++)
		info->packets[i] = htole64(packets[i]);
	return 0;
}

/**
 * dispatch_prog_load() - PROG_LOAD
 * @port: the port
 * @msg: the request
 * @answer: its body gets what became of the program
 *
 * Return: 0, or a negative errno
 */
static int dispatch_prog_load(struct port *port, const struct vbpf_msg *msg,
			      struct answer *answer)
{
	struct virtio_bpf_prog_loaded *loaded = &answer->body.loaded;
	struct wire_prog src;
	struct prog *prog;
	int err = wire_prog_load(msg->body, msg->body_len, &src, &answer->text);

	if (err)
		return err;
	err = load_prog(port, &src, &prog, &answer->text);
	free(src.insns);
	if (err)
		return err;
	loaded->handle = htole32(prog->handle);
	loaded->insn_cnt = htole32(prog->host_insn_cnt);
	loaded->form = prog->form;
	loaded->level = prog->level;
	return 0;
}

/**
 * dispatch_prog_free() - PROG_FREE
 * @port: the port
 * @msg: the request
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_prog_free(struct port *port, const struct vbpf_msg *msg,
			      struct answer *answer)
{
	uint32_t handle;
	int err = wire_handle(msg->body, msg->body_len, &handle, &answer->text);

	return err ? err : load_free(port, handle, &answer->text);
}

/**
 * dispatch_attach() - XDP_ATTACH
 * @port: the port
 * @msg: the request
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_attach(struct port *port, const struct vbpf_msg *msg,
			   struct answer *answer)
{
	uint32_t handle;
	int err = wire_handle(msg->body, msg->body_len, &handle, &answer->text);

	return err ? err : attach_set(port, handle, &answer->text);
}

/**
 * dispatch_detach() - XDP_DETACH
 * @port: the port
 * @msg: the request
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_detach(struct port *port, const struct vbpf_msg *msg,
			   struct answer *answer)
{
	uint32_t handle;
	int err = wire_handle(msg->body, msg->body_len, &handle, &answer->text);

	return err ? err : attach_clear(port, handle, &answer->text);
}

/**
 * dispatch_map_create() - MAP_CREATE
 * @port: the port
 * @msg: the request
 * @answer: its body gets the map; its fd goes along
 *
 * Return: 0, or a negative errno
 */
static int dispatch_map_create(struct port *port, const struct vbpf_msg *msg,
			       struct answer *answer)
{
	struct wire_map def;
	struct map *map;
	int err = wire_map_create(msg->body, msg->body_len, &def, &answer->text);

	if (!err)
		err = map_create(port, &def, &map, &answer->text);
	if (err)
		return err;
	dispatch_map_body(map, &answer->body.map);
	answer->fd = map->fd;
	return 0;
}

/**
 * dispatch_map_free() - MAP_FREE
 * @port: the port
 * @msg: the request
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_map_free(struct port *port, const struct vbpf_msg *msg,
			     struct answer *answer)
{
	uint32_t handle;
	int err = wire_handle(msg->body, msg->body_len, &handle, &answer->text);

	return err ? err : map_free(port, handle, &answer->text);
}

/**
 * dispatch_reset() - RESET
 * @port: the port
 * @msg: the request
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_reset(struct port *port, const struct vbpf_msg *msg,
			  struct answer *answer)
{
	int err = wire_empty(msg->body_len, &answer->text);

	if (!err)
		dispatch_release(port);
	return err;
}

/**
 * struct dispatch_row - a request
 * @type: VIRTIO_BPF_* or VBPF_MSG_*
 * @body_len: bytes of its answer's body
 * @run: does it
 */
struct dispatch_row {
	uint16_t type;
	size_t body_len;
	int (*run)(struct port *port, const struct vbpf_msg *msg, struct answer *answer);
};

static const struct dispatch_row dispatch_rows[] = {
	{ VIRTIO_BPF_GET_INFO, sizeof(struct virtio_bpf_info), dispatch_get_info },
	{ VIRTIO_BPF_PROG_LOAD, sizeof(struct virtio_bpf_prog_loaded), dispatch_prog_load },
	{ VIRTIO_BPF_PROG_FREE, 0, dispatch_prog_free },
	{ VIRTIO_BPF_XDP_ATTACH, 0, dispatch_attach },
	{ VIRTIO_BPF_XDP_DETACH, 0, dispatch_detach },
	{ VIRTIO_BPF_MAP_CREATE, sizeof(struct vbpf_map), dispatch_map_create },
	{ VIRTIO_BPF_MAP_FREE, 0, dispatch_map_free },
	{ VBPF_MSG_RESET, 0, dispatch_reset },
};

/**
 * dispatch() - do a request
 * @port: the port that it comes from
 * @msg: the request
 * @answer: filled; to be freed in any case
 */
void dispatch(struct port *port, const struct vbpf_msg *msg, struct answer *answer)
{
	int err;

	/* "= { }" clears a union's first member and not always the rest of it. */
	_Static_assert(sizeof(answer->body) == sizeof(answer->body.info),
		       "a body is longer than the first member");
	*answer = (struct answer){ .fd = -1 };
	for (size_t i = 0; i < sizeof(dispatch_rows) / sizeof(*dispatch_rows); i++) {
		const struct dispatch_row *row = &dispatch_rows[i];

		if (row->type != msg->type)
			continue;
		err = row->run(port, msg, answer);
		if (err)
			memset(&answer->body, 0, sizeof(answer->body));
		answer->body_len = row->body_len;
		answer->status = wire_status(err);
		if (err == -ENOMEM)
			text_add(&answer->text, "the host is out of memory\n");
		return;
	}
	answer->status = VIRTIO_BPF_S_UNSUPP;
	text_add(&answer->text, "the host knows no request of type %u\n", msg->type);
}

/**
 * answer_free() - give an answer's memory back
 * @answer: the answer
 */
void answer_free(struct answer *answer)
{
	text_free(&answer->text);
}
