/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORT_H
#define PORT_H
#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "bucket.h"
#include "conf.h"
#include "pair.h"
#include "wire.h"

struct conn;
struct forkserver;
struct load;
struct norm;
struct server;

/**
 * struct map - one of a tenant's maps
 * @node: in the port's list
 * @handle: of the map
 * @def: what the tenant asked for
 * @bytes: of kernel memory, counted against the port's limit
 * @fd: of the map
 * @users: programs that use it
 * @gone: the tenant freed it; it lives on for its @users
 */
struct map {
	TAILQ_ENTRY(map) node;
	uint32_t handle;
	struct wire_map def;
	uint64_t bytes;
	int fd;
	unsigned int users;
	bool gone;
};

/**
 * struct prog - one of a tenant's programs
 * @node: in the port's list
 * @handle: of the program
 * @src: what the tenant sent; its instructions are owned
 * @host_insn_cnt: instructions after translation
 * @tap_ifindex: TAP for which it was translated
 * @window: how much of a packet form sfi copies
 * @reach: bytes of a packet that it looks at, see struct rw_out
 * @form: VIRTIO_BPF_FORM_*
 * @level: VIRTIO_BPF_LEVEL_*
 * @id: the kernel's id of it
 * @verified: instructions that the kernel's verifier looked at
 * @fd: of the program, or -1
 * @counters: fd of its counters, or -1
 * @maps: maps that it uses; an owned array
 * @map_cnt: number of @maps
 */
struct prog {
	TAILQ_ENTRY(prog) node;
	uint32_t handle;
	struct wire_prog src;
	uint32_t host_insn_cnt;
	uint32_t tap_ifindex;
	uint32_t window;
	uint32_t reach;
	uint8_t form;
	uint8_t level;
	uint32_t id;
	uint32_t verified;
	int fd;
	int counters;
	struct map **maps;
	uint32_t map_cnt;
};

TAILQ_HEAD(map_list, map);
TAILQ_HEAD(prog_list, prog);

/**
 * struct port - one VM's NIC and what its tenant has on the host
 * @conf: its section of the configuration
 * @dir: its folder in bpffs
 * @record: fd of the map in @dir that holds the port's record, or -1
 * @next_handle: the handle that is tried first for the next object
 * @progs: programs
 * @prog_cnt: number of @progs
 * @maps: maps, those that are gone included
 * @map_cnt: number of @maps
 * @map_bytes: kernel memory of @maps
 * @attached: the attached program, or NULL
 * @norm: the host's own programs
 * @forkserver: makes workers for level relaxed
 * @walks_on: as in struct rw_opts, of this kernel
 * @norm_link: fd of the normaliser's link, or -1
 * @link: fd of @attached's link, or -1
 * @norm_state: fd of the port's map for the host's own programs, or -1
 * @tap: ifindex of the TAP that those know, or 0
 * @reach: bytes of a packet that the normaliser makes sure of (turn.c)
 * @pair: the veth pair, or zeroes
 * @pair_out: fd of the link at @pair's end that packets go into, or -1
 * @pair_in: fd of the link at its other end, or -1
 * @untold: a program was detached of which the guest has not been told
 * @untold_prog: its handle, or 0 if that is not known
 * @requests: bucket of requests
 * @loads: bucket of milliseconds of CPU time for loading programs
 * @load: what a worker is at for it, or NULL
 * @loaded: called when that is to be finished, as by load_finish()
 * @event: the event loop
 * @server: the proxies' side of the daemon
 * @proxy: connection of the port's proxy, or NULL
 * @linger: timer at whose end the port is released, or NULL
 */
struct port {
	const struct conf_port *conf;
	char dir[CONF_PATH_LEN + 1 + VBPF_PORT_NAME_LEN];
	int record;
	uint32_t next_handle;
	struct prog_list progs;
	uint32_t prog_cnt;
	struct map_list maps;
	uint32_t map_cnt;
	uint64_t map_bytes;
	struct prog *attached;
	const struct norm *norm;
	struct forkserver *forkserver;
	bool walks_on;
	int norm_link;
	int link;
	int norm_state;
	uint32_t tap;
	uint32_t reach;
	struct pair pair;
	int pair_out;
	int pair_in;
	bool untold;
	uint32_t untold_prog;
	struct bucket requests;
	struct bucket loads;
	struct load *load;
	void (*loaded)(struct port *port);
	sd_event *event;
	const struct server *server;
	struct conn *proxy;
	sd_event_source *linger;
};

void port_init(struct port *port, const struct conf_port *conf, const char *bpffs);
void port_close_fd(int *fd);
void port_empty(struct port *port);
void port_close(struct port *port);
struct prog *port_prog(const struct port *port, uint32_t handle);
struct map *port_map(const struct port *port, uint32_t handle);
uint32_t port_new_handle(struct port *port);
int port_map_bytes(const struct wire_map *def, uint32_t cpus, uint64_t *bytes);
int port_admit_bytes(const struct port *port, uint64_t bytes, struct text *why);
int port_admit_map(const struct port *port, const struct wire_map *def, uint64_t *bytes,
		   struct text *why);
int port_admit_prog(const struct port *port, const struct wire_prog *src, struct text *why);
int port_admit_work(struct port *port, struct text *why);
int port_admit_helpers(const struct port *port, const struct prog *prog, struct text *why);
int port_admit_level(const struct port *port, const struct prog *prog, struct text *why);
int port_admit_verified(const struct port *port, const struct prog *prog, struct text *why);
void port_over_limits(const struct port *port, struct text *over);
void port_add_map(struct port *port, struct map *map);
void port_del_map(struct port *port, struct map *map);
int port_use_maps(struct port *port, struct prog *prog);
void port_add_prog(struct port *port, struct prog *prog);
void port_del_prog(struct port *port, struct prog *prog);
struct prog *port_prog_new(void);
void port_prog_free(struct prog *prog);

/**
 * port_is_map_load() - does an instruction name a map?
 * @insn: the instruction
 *
 * Return: whether it is the first half of a load of a map
 */
static inline bool port_is_map_load(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_MAP_FD;
}

#endif /* PORT_H */
