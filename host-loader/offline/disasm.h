/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DISASM_H
#define DISASM_H
/* BPF instructions as text, in the style of the kernel's verifier log */
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#define DISASM_MAX	96	/* bytes that any instruction fits into, NUL included */

/* Names a map for people, by the handle in the bytecode; NULL if it has no name */
typedef const char *(*disasm_map_fn)(const void *arg, uint32_t handle);

void disasm(const struct bpf_insn *insn, uint32_t left, disasm_map_fn map, const void *arg,
	    char *buf, size_t size);
const char *disasm_helper(uint32_t id);

#endif /* DISASM_H */
