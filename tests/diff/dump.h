/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_DUMP_H
#define TEST_DUMP_H
/* Programs and packets as KTAP diagnostics */
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

void dump_program(const struct bpf_insn *insns, uint32_t cnt);
void dump_bytes(const uint8_t *bytes, size_t len);

#endif /* TEST_DUMP_H */
