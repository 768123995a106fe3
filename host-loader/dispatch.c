// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: One request, one answer
 *
 * A table of the requests: for each, what its answer's body holds, and the
 * function that decodes it, does it and fills that body. An error is answered
 * with the body zeroed and a sentence.
 *
 * What a worker has to do first is answered later: such a request has a second
 * function, which goes on when the worker has ended.
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
	load_cancel(port);
	attach_drop(port);
	port_empty(port);
	port_close_fd(&port->norm_state);
	port->untold = false;
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
 * @answer: a sentence if something is wrong
 *
 * Return: -EINPROGRESS if a worker is at it, or another negative errno
 */
static int dispatch_prog_load(struct port *port, const struct vbpf_msg *msg,
			      struct answer *answer)
{
	struct wire_prog src;
	int err = wire_prog_load(msg->body, msg->body_len, &src, &answer->text);

	if (err)
		return err;
	err = load_start(port, &src, &answer->text);
	free(src.insns);
	return err ? err : -EINPROGRESS;
}

/**
 * dispatch_prog_loaded() - PROG_LOAD, once the worker has ended
 * @port: the port
 * @answer: its body gets what became of the program
 *
 * Return: 0, or a negative errno
 */
static int dispatch_prog_loaded(struct port *port, struct answer *answer)
{
	struct virtio_bpf_prog_loaded *loaded = &answer->body.loaded;
	struct prog *prog;
	int err = load_finish(port, &prog, &answer->text);

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
 * Return: 0, -EINPROGRESS if a worker has to translate the program again, or
 * another negative errno
 */
static int dispatch_attach(struct port *port, const struct vbpf_msg *msg,
			   struct answer *answer)
{
	uint32_t handle;
	int err = wire_handle(msg->body, msg->body_len, &handle, &answer->text);

	if (!err)
		err = attach_set(port, handle, &answer->text);
	if (err != -ESTALE)
		return err;
	err = load_start_again(port, handle, &answer->text);
	return err ? err : -EINPROGRESS;
}

/**
 * dispatch_attach_again() - XDP_ATTACH, once the worker has ended
 * @port: the port
 * @answer: a sentence if something is wrong
 *
 * Return: 0, or a negative errno
 */
static int dispatch_attach_again(struct port *port, struct answer *answer)
{
	struct text log = { 0 };
	struct prog *prog;
	int err = load_finish(port, &prog, &log);

	if (err) {
		text_add(&answer->text, "%s", log.buf ?: "");
	} else {
		err = attach_set(port, prog->handle, &answer->text);
		if (err == -ESTALE) {
			text_add(&answer->text, "the TAP of this port was made anew meanwhile;"
				 " try again\n");
			err = -EAGAIN;
		}
	}
	text_free(&log);
	return err;
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
 * @finish: goes on where a worker had to do something first
 */
struct dispatch_row {
	uint16_t type;
	size_t body_len;
	int (*run)(struct port *port, const struct vbpf_msg *msg, struct answer *answer);
	int (*finish)(struct port *port, struct answer *answer);
};

static const struct dispatch_row dispatch_rows[] = {
	{ VIRTIO_BPF_GET_INFO, sizeof(struct virtio_bpf_info), dispatch_get_info, NULL },
	{ VIRTIO_BPF_PROG_LOAD, sizeof(struct virtio_bpf_prog_loaded), dispatch_prog_load,
	  dispatch_prog_loaded },
	{ VIRTIO_BPF_PROG_FREE, 0, dispatch_prog_free, NULL },
	{ VIRTIO_BPF_XDP_ATTACH, 0, dispatch_attach, dispatch_attach_again },
	{ VIRTIO_BPF_XDP_DETACH, 0, dispatch_detach, NULL },
	{ VIRTIO_BPF_MAP_CREATE, sizeof(struct vbpf_map), dispatch_map_create, NULL },
	{ VIRTIO_BPF_MAP_FREE, 0, dispatch_map_free, NULL },
	{ VBPF_MSG_RESET, 0, dispatch_reset, NULL },
};

/**
 * dispatch_row() - find a request
 * @type: VIRTIO_BPF_* or VBPF_MSG_*
 *
 * Return: the request, or NULL if there is none of that type
 */
static const struct dispatch_row *dispatch_row(uint16_t type)
{
	for (size_t i = 0; i < sizeof(dispatch_rows) / sizeof(*dispatch_rows); i++)
		if (dispatch_rows[i].type == type)
			return &dispatch_rows[i];
	return NULL;
}

/**
 * dispatch_end() - complete an answer
 * @row: the request
 * @err: what became of it, 0 or a negative errno
 * @answer: the answer
 */
static void dispatch_end(const struct dispatch_row *row, int err, struct answer *answer)
{
	if (err)
		memset(&answer->body, 0, sizeof(answer->body));
	answer->body_len = row->body_len;
	answer->status = wire_status(err);
	if (err == -ENOMEM)
		text_add(&answer->text, "the host is out of memory\n");
}

/**
 * dispatch() - do a request
 * @port: the port that it comes from; no worker is at anything for it
 * @msg: the request
 * @answer: filled; to be freed in any case
 *
 * Return: whether it is done; false: dispatch_finish() when @port->loaded is
 * called
 */
bool dispatch(struct port *port, const struct vbpf_msg *msg, struct answer *answer)
{
	const struct dispatch_row *row = dispatch_row(msg->type);
	int err;

	/* "= { }" clears a union's first member and not always the rest of it. */
	_Static_assert(sizeof(answer->body) == sizeof(answer->body.info),
		       "a body is longer than the first member");
	*answer = (struct answer){ .fd = -1 };
	if (!row) {
		answer->status = VIRTIO_BPF_S_UNSUPP;
		text_add(&answer->text, "the host knows no request of type %u\n", msg->type);
		return true;
	}
	err = row->run(port, msg, answer);
	if (err == -EINPROGRESS)
		return false;
	dispatch_end(row, err, answer);
	return true;
}

/**
 * dispatch_finish() - finish a request that a worker had to do something for
 * @port: the port; its worker has just ended
 * @type: of the request
 * @answer: filled; to be freed in any case
 */
void dispatch_finish(struct port *port, uint16_t type, struct answer *answer)
{
	const struct dispatch_row *row = dispatch_row(type);

	*answer = (struct answer){ .fd = -1 };
	dispatch_end(row, row->finish(port, answer), answer);
}

/**
 * answer_free() - give an answer's memory back
 * @answer: the answer
 */
void answer_free(struct answer *answer)
{
	text_free(&answer->text);
}
