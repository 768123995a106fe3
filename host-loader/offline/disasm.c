// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The disassembler
 *
 * All instructions of cpu v1 to v4. Nothing is checked: an opcode that is not
 * known, or one with a field that it does not have, is shown as its raw fields.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "../rewriter/insn.h"
#include "disasm.h"

#ifndef BPF_JCOND
#define BPF_JCOND	0xe0	/* may_goto, younger than some headers */
#endif

/**
 * struct line - the text of one instruction
 * @buf: room for it
 * @size: bytes of it
 * @insn: the instruction
 * @left: slots of the program from it on
 */
struct line {
	char *buf;
	size_t size;
	const struct bpf_insn *insn;
	uint32_t left;
};

/* Write the line; for a function that says whether it knew the instruction. */
#define LINE(l, ...) (snprintf((l)->buf, (l)->size, __VA_ARGS__), true)

/**
 * disasm_helper() - a helper's name
 * @id: as in the imm of a call
 *
 * Return: the name with "bpf_" in front, or NULL if these headers know none
 */
const char *disasm_helper(uint32_t id)
{
#define NAME(x) [BPF_FUNC_##x] = "bpf_" #x
	static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };
#undef NAME

	return id < sizeof(names) / sizeof(*names) ? names[id] : NULL;
}

/**
 * size_name() - what a load or a store moves
 * @insn: the instruction
 *
 * Return: "u8" and so on, without the letter that tells the sign
 */
static const char *size_name(const struct bpf_insn *insn)
{
	static const char *const names[] = { "32", "16", "8", "64" };

	return names[BPF_SIZE(insn->code) >> 3];
}

/**
 * line_end() - byte swaps
 * @l: the line
 *
 * Return: true
 */
static bool line_end(const struct line *l)
{
	const struct bpf_insn *insn = l->insn;
	const char *name = BPF_SRC(insn->code) == BPF_X ? "be" : "le";

	if (BPF_CLASS(insn->code) == BPF_ALU64)
		name = "bswap";
	return LINE(l, "r%u = %s%d r%u", insn->dst_reg, name, insn->imm, insn->dst_reg);
}

/**
 * line_alu() - arithmetic
 * @l: the line
 *
 * Return: false if it is not known
 */
static bool line_alu(const struct line *l)
{
	static const char *const ops[] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", NULL, "%=", "^=", "=", "s>>=",
	};
	const struct bpf_insn *insn = l->insn;
	char reg = BPF_CLASS(insn->code) == BPF_ALU64 ? 'r' : 'w';
	uint8_t op = BPF_OP(insn->code);
	const char *sign = insn->off && (op == BPF_DIV || op == BPF_MOD) ? "s" : "";

	if (op == BPF_END)
		return line_end(l);
	if (op == BPF_NEG)
		return LINE(l, "%c%u = -%c%u", reg, insn->dst_reg, reg, insn->dst_reg);
	if (op > BPF_ARSH)
		return false;
	if (BPF_SRC(insn->code) == BPF_K)
		return LINE(l, "%c%u %s%s %d", reg, insn->dst_reg, sign, ops[op >> 4], insn->imm);
	if (op == BPF_MOV && insn->off)
		return LINE(l, "%c%u = (s%d)%c%u", reg, insn->dst_reg, insn->off, reg,
			    insn->src_reg);
	return LINE(l, "%c%u %s%s %c%u", reg, insn->dst_reg, sign, ops[op >> 4], reg,
		    insn->src_reg);
}

/**
 * line_atomic() - atomic operations
 * @l: the line
 *
 * Return: false if it is not known
 */
static bool line_atomic(const struct line *l)
{
	static const char *const names[16] = {
		[BPF_ADD >> 4] = "add", [BPF_OR >> 4] = "or", [BPF_AND >> 4] = "and",
		[BPF_XOR >> 4] = "xor",
	};
	static const char *const ops[16] = {
		[BPF_ADD >> 4] = "+=", [BPF_OR >> 4] = "|=", [BPF_AND >> 4] = "&=",
		[BPF_XOR >> 4] = "^=",
	};
	const struct bpf_insn *insn = l->insn;
	const char *size = size_name(insn), *word = BPF_SIZE(insn->code) == BPF_DW ? "64" : "";
	unsigned int op = (insn->imm & 0xff) >> 4;

	if (insn->imm == BPF_CMPXCHG)
		return LINE(l, "r0 = atomic%s_cmpxchg((u%s *)(r%u %+d), r0, r%u)", word, size,
			    insn->dst_reg, insn->off, insn->src_reg);
	if (insn->imm == BPF_XCHG)
		return LINE(l, "r%u = atomic%s_xchg((u%s *)(r%u %+d), r%u)", insn->src_reg, word,
			    size, insn->dst_reg, insn->off, insn->src_reg);
	if ((insn->imm & ~(0xf0 | BPF_FETCH)) || !names[op])
		return false;
	if (insn->imm & BPF_FETCH)
		return LINE(l, "r%u = atomic%s_fetch_%s((u%s *)(r%u %+d), r%u)", insn->src_reg,
			    word, names[op], size, insn->dst_reg, insn->off, insn->src_reg);
	return LINE(l, "lock *(u%s *)(r%u %+d) %s r%u", size, insn->dst_reg, insn->off, ops[op],
		    insn->src_reg);
}

/**
 * line_memory() - loads and stores
 * @l: the line
 *
 * Return: false if it is not known
 */
static bool line_memory(const struct line *l)
{
	const struct bpf_insn *insn = l->insn;
	uint8_t class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);
	const char *size = size_name(insn);

	if (class == BPF_STX && mode == BPF_ATOMIC)
		return line_atomic(l);
	if (class == BPF_LDX && (mode == BPF_MEM || mode == BPF_MEMSX))
		return LINE(l, "r%u = *(%c%s *)(r%u %+d)", insn->dst_reg,
			    mode == BPF_MEM ? 'u' : 's', size, insn->src_reg, insn->off);
	if (mode != BPF_MEM)
		return false;
	if (class == BPF_ST)
		return LINE(l, "*(u%s *)(r%u %+d) = %d", size, insn->dst_reg, insn->off,
			    insn->imm);
	return LINE(l, "*(u%s *)(r%u %+d) = r%u", size, insn->dst_reg, insn->off, insn->src_reg);
}

/**
 * line_call() - calls
 * @l: the line
 *
 * Return: false if it is not known
 */
static bool line_call(const struct line *l)
{
	const char *name = disasm_helper((uint32_t)l->insn->imm);

	switch (l->insn->src_reg) {
	case 0:
		return LINE(l, "call %s#%d", name ? name : "unknown", l->insn->imm);
	case BPF_PSEUDO_CALL:
		return LINE(l, "call pc%+d", l->insn->imm);
	case BPF_PSEUDO_KFUNC_CALL:
		return LINE(l, "call kernel-function#%d", l->insn->imm);
	}
	return false;
}

/**
 * line_jmp() - jumps, calls and exits
 * @l: the line
 *
 * Return: false if it is not known
 */
static bool line_jmp(const struct line *l)
{
	static const char *const ops[] = {
		NULL, "==", ">", ">=", "&", "!=", "s>", "s>=", NULL, NULL, "<", "<=", "s<", "s<=",
	};
	const struct bpf_insn *insn = l->insn;
	bool narrow = BPF_CLASS(insn->code) == BPF_JMP32;
	char reg = narrow ? 'w' : 'r';
	uint8_t op = BPF_OP(insn->code);

	if (insn->code == RW_CALL)
		return line_call(l);
	if (insn->code == RW_EXIT)
		return LINE(l, "exit");
	if (insn->code == RW_JA)
		return LINE(l, "goto pc%+d", insn->off);
	if (insn->code == RW_GOTOL)
		return LINE(l, "gotol pc%+d", insn->imm);
	if (insn->code == (BPF_JMP | BPF_JCOND) && !insn->src_reg)
		return LINE(l, "may_goto pc%+d", insn->off);
	if (op > BPF_JSLE || !ops[op >> 4])
		return false;
	if (BPF_SRC(insn->code) == BPF_X)
		return LINE(l, "if %c%u %s %c%u goto pc%+d", reg, insn->dst_reg, ops[op >> 4], reg,
			    insn->src_reg, insn->off);
	return LINE(l, "if %c%u %s 0x%x goto pc%+d", reg, insn->dst_reg, ops[op >> 4],
		    (unsigned int)insn->imm, insn->off);
}

/**
 * line_wide() - a 64-bit immediate, a map, or a place in a map's value
 * @l: the line
 * @map: names maps; may be NULL
 * @arg: for @map
 *
 * Return: false if it is not known
 */
static bool line_wide(const struct line *l, disasm_map_fn map, const void *arg)
{
	const struct bpf_insn *insn = l->insn;
	const char *name;

	if (insn->code != RW_WIDE || l->left < 2)
		return false;
	if (!insn->src_reg)
		return LINE(l, "r%u = 0x%" PRIx64, insn->dst_reg,
			    (uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm);
	if (insn->src_reg == BPF_PSEUDO_FUNC)
		return LINE(l, "r%u = func pc%+d", insn->dst_reg, insn->imm);
	if (insn->src_reg != BPF_PSEUDO_MAP_FD && insn->src_reg != BPF_PSEUDO_MAP_VALUE)
		return false;
	name = map ? map(arg, (uint32_t)insn->imm) : NULL;
	if (insn->src_reg == BPF_PSEUDO_MAP_VALUE)
		return LINE(l, "r%u = map[%.40s:%u]%+d", insn->dst_reg, name ? name : "handle",
			    (uint32_t)insn->imm, insn[1].imm);
	if (name)
		return LINE(l, "r%u = map[%.40s]", insn->dst_reg, name);
	return LINE(l, "r%u = map[handle:%u]", insn->dst_reg, (uint32_t)insn->imm);
}

/**
 * disasm() - one instruction as text
 * @insn: it
 * @left: slots of the program from it on, itself included
 * @map: names maps; may be NULL
 * @arg: for @map
 * @buf: room for the text
 * @size: bytes of @buf, DISASM_MAX to have it whole
 */
void disasm(const struct bpf_insn *insn, uint32_t left, disasm_map_fn map, const void *arg,
	    char *buf, size_t size)
{
	const struct line l = { .buf = buf, .size = size, .insn = insn, .left = left };
	bool known;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		known = line_alu(&l);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		known = line_jmp(&l);
		break;
	case BPF_LD:
		known = line_wide(&l, map, arg);
		break;
	default:
		known = line_memory(&l);
	}
	if (!known)
		snprintf(buf, size, "unknown: code 0x%02x dst %u src %u off %d imm %d", insn->code,
			 insn->dst_reg, insn->src_reg, insn->off, insn->imm);
}
