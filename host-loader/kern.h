/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERN_H
#define KERN_H
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* Where at a netdev a program can be */
enum kern_hook {
	KERN_TCX_INGRESS,	/* packets that it received */
	KERN_TCX_EGRESS,	/* packets that it is to send */
};

/**
 * struct kern_link - what the kernel says of a tcx link
 * @ifindex: of the netdev, or 0 once that netdev is gone
 * @prog_id: of the program behind the link
 */
struct kern_link {
	uint32_t ifindex;
	uint32_t prog_id;
};

int kern_prog_load(const char *name, const struct bpf_insn *insns, uint32_t cnt, char *log,
		   uint32_t log_size);
bool kern_walks_on(void);
int kern_prog_info(int fd, uint32_t *id, uint32_t *verified);
int kern_map_create(const struct wire_map *def);
int kern_map_info(int fd, struct wire_map *def, uint32_t *id);
int kern_map_bytes(int fd, uint64_t *bytes);
uint32_t kern_cpus(void);
int kern_counters_create(uint32_t cnt);
int kern_scratch_create(uint32_t size);
int kern_counters_read(int fd, uint64_t *sums, uint32_t cnt);
int kern_link_create(int prog_fd, uint32_t ifindex, enum kern_hook hook);
int kern_link_info(int fd, struct kern_link *info);

#endif /* KERN_H */
