// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>

#include "dump.h"

#define WIDE	(BPF_LD | BPF_IMM | BPF_DW)

/**
 * dump_alu() - print arithmetic
 * @insn: the instruction
 */
static void dump_alu(const struct bpf_insn *insn)
{
	static const char *const ops[] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=",
		"end", "?", "?",
	};
	char reg = BPF_CLASS(insn->code) == BPF_ALU64 ? 'r' : 'w';
	const char *op = ops[insn->code >> 4];

	if (BPF_OP(insn->code) == BPF_NEG)
		printf("%c%u = -%c%u", reg, insn->dst_reg, reg, insn->dst_reg);
	else if (BPF_OP(insn->code) == BPF_END)
		printf("r%u = %s%d r%u", insn->dst_reg,
		       reg == 'r' ? "bswap" : BPF_SRC(insn->code) ? "be" : "le", insn->imm,
		       insn->dst_reg);
	else if (BPF_SRC(insn->code) == BPF_X)
		printf("%c%u %s %c%u", reg, insn->dst_reg, op, reg, insn->src_reg);
	else
		printf("%c%u %s %d", reg, insn->dst_reg, op, insn->imm);
	if (insn->off)
		printf(" (signed, %d)", insn->off);
}

/**
 * dump_mem() - print a load, a store or an atomic operation
 * @insn: the instruction
 */
static void dump_mem(const struct bpf_insn *insn)
{
	static const char *const sizes[] = { "u32", "u16", "u8", "u64" };
	const char *size = sizes[BPF_SIZE(insn->code) >> 3];

	if (BPF_CLASS(insn->code) == BPF_LDX)
		printf("r%u = *(%s%s *)(r%u %+d)", insn->dst_reg,
		       BPF_MODE(insn->code) == BPF_MEM ? "" : "signed ", size, insn->src_reg,
		       insn->off);
	else if (BPF_CLASS(insn->code) == BPF_ST)
		printf("*(%s *)(r%u %+d) = %d", size, insn->dst_reg, insn->off, insn->imm);
	else if (BPF_MODE(insn->code) == BPF_ATOMIC)
		printf("atomic 0x%02x *(%s *)(r%u %+d), r%u", (unsigned int)insn->imm, size,
		       insn->dst_reg, insn->off, insn->src_reg);
	else
		printf("*(%s *)(r%u %+d) = r%u", size, insn->dst_reg, insn->off, insn->src_reg);
}

/**
 * dump_jmp() - print a jump, a call or an exit
 * @insn: the instruction
 * @at: its index
 */
static void dump_jmp(const struct bpf_insn *insn, uint32_t at)
{
	static const char *const ops[] = {
		"goto", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<",
		"s<=", "?", "?",
	};
	char reg = BPF_CLASS(insn->code) == BPF_JMP ? 'r' : 'w';
	const char *op = ops[insn->code >> 4];

	if (BPF_OP(insn->code) == BPF_EXIT)
		printf("exit");
	else if (BPF_OP(insn->code) == BPF_CALL && insn->src_reg)
		printf("call %d", (int)at + 1 + insn->imm);
	else if (BPF_OP(insn->code) == BPF_CALL)
		printf("call helper %d", insn->imm);
	else if (BPF_OP(insn->code) == BPF_JA)
		printf("goto %d", (int)at + 1 + (reg == 'r' ? insn->off : insn->imm));
	else if (BPF_SRC(insn->code) == BPF_X)
		printf("if %c%u %s %c%u goto %d", reg, insn->dst_reg, op, reg, insn->src_reg,
		       (int)at + 1 + insn->off);
	else
		printf("if %c%u %s %d goto %d", reg, insn->dst_reg, op, insn->imm,
		       (int)at + 1 + insn->off);
}

/**
 * dump_program() - print a program, an instruction on each line
 * @insns: the program; its 64-bit loads are whole
 * @cnt: number of @insns
 */
void dump_program(const struct bpf_insn *insns, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		printf("# %5u: ", i);
		switch (BPF_CLASS(insns[i].code)) {
		case BPF_ALU:
		case BPF_ALU64:
			dump_alu(&insns[i]);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			dump_jmp(&insns[i], i);
			break;
		case BPF_LD:
			printf("r%u = %s0x%x%08x", insns[i].dst_reg,
			       insns[i].src_reg ? "map " : "", (unsigned int)insns[i + 1].imm,
			       (unsigned int)insns[i].imm);
			break;
		default:
			dump_mem(&insns[i]);
		}
		printf("\n");
		if (insns[i].code == WIDE)
			i++;
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
