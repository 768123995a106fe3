/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_AGREE_H
#define TEST_AGREE_H
#include "twin.h"

/* Store r0 in the map's element @key, @at a place where r1 to r5 are free. */
#define KEEP(key)                                                             \
	STX(BPF_DW, R10, -16, R0), ST(BPF_W, R10, -4, key), MOV64_X(R2, R10), \
	ALU64_K(BPF_ADD, R2, -4), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), \
	LD_MAP(R1, 1), MOV64_K(R4, 0), CALL(BPF_FUNC_map_update_elem)

bool twin_agree(struct twin *t);
bool twin_insns_agree(const struct bpf_insn *insns, uint32_t cnt, enum rw_form form);

#endif /* TEST_AGREE_H */
