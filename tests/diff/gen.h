/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_GEN_H
#define TEST_GEN_H
/**
 * DOC: Random XDP programs
 *
 * A 64-bit seed makes one program, always the same. It is made to be accepted
 * by the kernel's verifier with all privileges, and to have one meaning only:
 * it reads no byte that it has not written and that the packet does not hold,
 * shows no pointer, and does not use the time or what helpers leave undefined.
 * What it computes ends up in its verdict, in the packet or in a map.
 */
#include <stdint.h>

#include "../../host-loader/rewriter/rewriter.h"

#define GEN_INSNS	4096
#define GEN_MAPS	3

/**
 * struct gen_prog - a program
 * @seed: that it was made from
 * @insns: the instructions; map handles are those of @maps
 * @cnt: number of @insns
 * @maps: its maps
 */
struct gen_prog {
	uint64_t seed;
	struct bpf_insn insns[GEN_INSNS];
	uint32_t cnt;
	struct rw_map maps[GEN_MAPS];
};

void gen_program(struct gen_prog *p, uint64_t seed);

#endif /* TEST_GEN_H */
