// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Elements that are looked up twice in a row
 *
 * A program that looks the same element up twice, with nothing in between but
 * moves of registers, may compare the two pointers, which the host's verifier does
 * not take without CAP_PERFMON. The second lookup becomes a copy of what the first
 * one found: as if nobody had changed the map between them. Then the analysis, and
 * the verifier, know that they are the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "twice.h"

#define MOV_X	(BPF_ALU64 | BPF_MOV | BPF_X)

/**
 * is_lookup() - is an instruction a lookup in a map?
 * @insn: the instruction
 *
 * Return: true if so
 */
static bool is_lookup(const struct bpf_insn *insn)
{
	return insn->code == RW_CALL && !insn->src_reg && insn->imm == BPF_FUNC_map_lookup_elem;
}

/**
 * moves_on() - is an instruction a move to which only the one behind it follows?
 * @code: the program
 * @at: index of the instruction
 *
 * Return: false also if a jump goes to the one behind it
 */
static bool moves_on(const struct rw_code *code, uint32_t at)
{
	return code->insns[at].code == MOV_X && !code->insns[at].off &&
	       !(code->flags[at + 1] & RW_I_TARGET);
}

/**
 * source() - the register that an argument was moved from
 * @code: the program
 * @call: index of the call
 * @arg: the argument's register
 *
 * Return: one that still has that value and that calls leave alone, or 0
 */
static uint8_t source(const struct rw_code *code, uint32_t call, uint8_t arg)
{
	uint16_t written = 0;

	for (uint32_t i = call; i-- && moves_on(code, i);) {
		const struct bpf_insn *insn = &code->insns[i];

		if (insn->dst_reg == arg)
			return insn->src_reg < BPF_REG_6 || written >> insn->src_reg & 1 ?
			       0 : insn->src_reg;
		written |= (uint16_t)(1u << insn->dst_reg);
	}
	return 0;
}

/**
 * found_before() - the register that holds what a lookup is going to find
 * @code: the program
 * @at: index of the lookup
 *
 * Return: it, or 0 if there is none
 */
static uint8_t found_before(const struct rw_code *code, uint32_t at)
{
	uint8_t map = source(code, at, BPF_REG_1), key = source(code, at, BPF_REG_2);
	uint16_t written = 0;
	uint8_t found = 0;
	uint32_t i = at;

	while (i && moves_on(code, i - 1)) {
		const struct bpf_insn *insn = &code->insns[--i];

		if (!insn->src_reg && insn->dst_reg >= BPF_REG_6 && !(written >> insn->dst_reg & 1))
			found = insn->dst_reg;
		written |= (uint16_t)(1u << insn->dst_reg);
	}
	if (!i-- || !map || !key || !is_lookup(&code->insns[i]) ||
	    ((code->flags[i] | code->flags[i + 1]) & RW_I_TARGET) ||
	    (written & (1u << BPF_REG_0 | 1u << map | 1u << key)) ||
	    source(code, i, BPF_REG_1) != map || source(code, i, BPF_REG_2) != key)
		return 0;
	return found;
}

/**
 * rw_twice() - make second lookups of the same element copies
 * @code: the program, decoded; gets other instructions if there are such
 * @insns: result: they, to be freed after @code, or NULL
 *
 * Return: 0 or -ENOMEM
 */
int rw_twice(struct rw_code *code, struct bpf_insn **insns)
{
	*insns = NULL;
	for (uint32_t i = 0; i < code->cnt; i++) {
		uint8_t found = is_lookup(&code->insns[i]) ? found_before(code, i) : 0;

		if (!found)
			continue;
		if (!*insns) {
			*insns = malloc(code->cnt * sizeof(**insns));
			if (!*insns)
				return -ENOMEM;
			memcpy(*insns, code->insns, code->cnt * sizeof(**insns));
			code->insns = *insns;
		}
		(*insns)[i] = (struct bpf_insn){ .code = MOV_X, .src_reg = found & 0xf };
	}
	return 0;
}
