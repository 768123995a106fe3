/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_GEN_PTR_H
#define TEST_GEN_PTR_H
#include <linux/bpf.h>
#include <stdint.h>

#define PTR_INSNS	4096

/**
 * struct ptr_prog - a random program full of pointers
 * @insns: the instructions; it has the maps of ../host/leaks.h
 * @cnt: number of @insns
 */
struct ptr_prog {
	struct bpf_insn insns[PTR_INSNS];
	uint32_t cnt;
};

void ptr_program(struct ptr_prog *p, uint64_t seed);

#endif /* TEST_GEN_PTR_H */
