/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONF_H
#define CONF_H
#include <net/if.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/un.h>

#include "text.h"
#include "vbpf_loader.h"

#define CONF_PATH_LEN	sizeof(((struct sockaddr_un *)0)->sun_path)
#define CONF_MAX_PROGS	1024	/* the highest max_progs that is accepted */
#define CONF_MAX_MAPS	256	/* the highest max_maps that is accepted */
#define CONF_GID_ANY	((gid_t)-1)
#define CONF_DEFAULT	VBPF_SYSCONFDIR "/virtio-bpf.conf"

/**
 * struct conf_limits - what one port's tenant may use
 * @max_insns: instructions in one program
 * @max_verified: instructions that the kernel's verifier looks at in one program
 * @max_progs: programs at a time
 * @max_maps: maps at a time
 * @max_entries: entries in one map
 * @max_key_size: bytes in a key
 * @max_value_size: bytes in a value
 * @max_map_bytes: bytes of kernel memory for all maps together
 * @request_rate: requests per second
 * @request_burst: requests at once
 * @load_rate: milliseconds of CPU time per second for loading programs
 * @load_burst: milliseconds of CPU time at once for loading programs
 * @max_load_time: seconds of CPU time for loading one program
 */
struct conf_limits {
	uint32_t max_insns;
	uint32_t max_verified;
	uint32_t max_progs;
	uint32_t max_maps;
	uint32_t max_entries;
	uint32_t max_key_size;
	uint32_t max_value_size;
	uint64_t max_map_bytes;
	uint32_t request_rate;
	uint32_t request_burst;
	uint32_t load_rate;
	uint32_t load_burst;
	uint32_t max_load_time;
};

/**
 * struct conf_port - a [port NAME] section
 * @name: of the port
 * @tap: name of the VM's TAP
 * @mac: address of the VM's NIC behind that TAP
 * @uid: of the proxy that may speak for the port
 * @gid: that the proxy must have, or CONF_GID_ANY
 * @level: at which programs are verified, VIRTIO_BPF_LEVEL_*
 * @helpers: that programs may call: enum wl_profile
 * @header_bytes: a program that looks at no more of a packet than this gets GSO
 *                frames whole; 0: none does
 * @limits: of its tenant
 * @given: bit n set: key n of the section was in the file
 * @line: where the section's first key is
 */
struct conf_port {
	char name[VBPF_PORT_NAME_LEN];
	char tap[IF_NAMESIZE];
	uint8_t mac[VIRTIO_BPF_MAC_LEN];
	uid_t uid;
	gid_t gid;
	uint32_t level;
	uint32_t helpers;
	uint32_t header_bytes;
	struct conf_limits limits;
	uint32_t given;
	unsigned int line;
};

/**
 * struct conf - the configuration file; free with conf_free()
 * @socket: path of the proxies' socket
 * @control: path of the operator's socket
 * @bpffs: folder in a bpffs below which each port has its own
 * @linger: seconds for which a port keeps its objects without a proxy
 * @ports: the ports; owned
 * @port_cnt: number of @ports
 */
struct conf {
	char socket[CONF_PATH_LEN];
	char control[CONF_PATH_LEN];
	char bpffs[CONF_PATH_LEN];
	uint32_t linger;
	struct conf_port *ports;
	size_t port_cnt;
};

int conf_read(const char *path, struct conf *conf, struct text *why);
int conf_read_file(FILE *file, const char *path, struct conf *conf, struct text *why);
const struct conf_port *conf_relaxed(const struct conf *conf);
void conf_free(struct conf *conf);

#endif /* CONF_H */
