// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "../../host-loader/offline/disasm.h"
#include "../../host-loader/rewriter/insn.h"
#include "dump.h"

/**
 * dump_program() - print a program, an instruction on each line
 * @insns: the program; its 64-bit loads are whole
 * @cnt: number of @insns
 */
void dump_program(const struct bpf_insn *insns, uint32_t cnt)
{
	char text[DISASM_MAX];

	for (uint32_t i = 0; i < cnt; i += rw_len(&insns[i])) {
		disasm(&insns[i], cnt - i, NULL, NULL, text, sizeof(text));
		printf("# %5u: %s\n", i, text);
	}
}

/**
 * dump_bytes() - print bytes, sixteen on each line
 * @bytes: the bytes
 * @len: number of them
 */
void dump_bytes(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i % 16 == 0)
			printf("%s#  %04zx:", i ? "\n" : "", i);
		printf(" %02x", bytes[i]);
	}
	printf("\n");
}
