// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Fuzz target: a tenant's program, to the checker and the rewriter
 *
 * The input is a byte that chooses the form, the window, the level and the
 * verifier, three that are unused, and instructions as they are in memory. A
 * mutator of its own changes them one by one, so that most of what it makes are
 * programs of a sort.
 *
 * The property: the rewriter refuses in words, or what comes out has the form
 * that the kernel wants: known opcodes, jumps to instructions of the same
 * function, maps and helpers that are the tenant's or the rewriter's own.
 */
#include <errno.h>
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../../host-loader/rewriter/insn.h"
#include "../../host-loader/rewriter/rewriter.h"
#include "fuzz.h"

#define HEAD		4	/* bytes in front of the instructions */
#define MAX_INSNS	512
#define TAP		77
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* The maps of the tenant */
static const struct rw_map maps[] = {
	{ .handle = 1, .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
	  .max_entries = 4 },
	{ .handle = 2, .map_type = BPF_MAP_TYPE_HASH, .key_size = 16, .value_size = 64,
	  .max_entries = 100 },
};

/**
 * is_start() - does an instruction begin here?
 * @out: the program
 * @at: the place, not checked
 *
 * Return: true if so
 */
static bool is_start(const struct rw_out *out, int64_t at)
{
	if (at < 0 || at >= out->cnt)
		return false;
	/* Only the second half of a wide load has no opcode. */
	return out->insns[at].code != 0;
}

/**
 * must_map() - the map that a load names is known
 * @insn: the load
 */
static void must_map(const struct bpf_insn *insn)
{
	uint32_t handle = (uint32_t)insn->imm;

	if (!insn->src_reg)
		return;
	FUZZ_MUST(insn->src_reg == BPF_PSEUDO_MAP_FD && !insn[1].imm);
	FUZZ_MUST(handle == 1 || handle == 2 || handle == RW_HANDLE_COUNTERS ||
		  handle == RW_HANDLE_SCRATCH);
}

/**
 * must_helper() - the helper that is called is one that the rewriter may use
 * @id: the helper
 */
static void must_helper(uint32_t id)
{
	static const uint32_t own[] = {
		BPF_FUNC_map_lookup_elem, BPF_FUNC_redirect, BPF_FUNC_skb_load_bytes,
		BPF_FUNC_skb_store_bytes, BPF_FUNC_skb_change_tail,
	};
	const struct wl_helper *h = wl_find(id);

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (own[i] == id)
			return;
	/* What is the tenant's stays only if it is the same helper for an skb. */
	FUZZ_MUST(h && !h->reason && !h->profile && h->skb == WL_SKB_CALL && h->skb_id == id);
}

/**
 * must_jump() - a jump or a call has a place to go to
 * @out: the program
 * @at: index of the instruction
 */
static void must_jump(const struct rw_out *out, uint32_t at)
{
	const struct bpf_insn *insn = &out->insns[at];

	if (insn->code == RW_EXIT)
		return;
	if (insn->code == RW_CALL && !insn->src_reg) {
		must_helper((uint32_t)insn->imm);
		return;
	}
	FUZZ_MUST(insn->code != RW_CALL || insn->src_reg == BPF_PSEUDO_CALL);
	FUZZ_MUST(is_start(out, rw_target(insn, at)));
	/* What does not jump goes on somewhere. */
	if (!rw_is_ja(insn))
		FUZZ_MUST(is_start(out, (int64_t)at + 1));
}

/**
 * writes_fp() - would an instruction change the frame pointer?
 * @insn: the instruction
 *
 * Return: true if so
 */
static bool writes_fp(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LD:
	case BPF_LDX:
		return insn->dst_reg == BPF_REG_10;
	default:
		return rw_is_atomic(insn) && (insn->imm & BPF_FETCH) &&
		       insn->imm != BPF_CMPXCHG && insn->src_reg == BPF_REG_10;
	}
}

/**
 * must_be_valid() - the property of what comes out
 * @out: a translated program
 * @cnt: number of the tenant's instructions
 */
static void must_be_valid(const struct rw_out *out, uint32_t cnt)
{
	const struct bpf_insn *last;

	FUZZ_MUST(out->cnt);
	last = &out->insns[out->cnt - 1];
	FUZZ_MUST(last->code == RW_EXIT || rw_is_ja(last));
	for (uint32_t at = 0; at < out->cnt; at += rw_len(&out->insns[at])) {
		const struct bpf_insn *insn = &out->insns[at];

		FUZZ_MUST(insn->code && insn->dst_reg < RW_REGS);
		FUZZ_MUST(insn->code == RW_WIDE || insn->src_reg < RW_REGS);
		FUZZ_MUST(out->origin[at] == UINT32_MAX || out->origin[at] < cnt);
		FUZZ_MUST(!writes_fp(insn));
		if (insn->code == RW_WIDE) {
			FUZZ_MUST(at + 1 < out->cnt && !out->insns[at + 1].code);
			must_map(insn);
		} else if (rw_is_jmp(insn)) {
			must_jump(out, at);
		} else {
			FUZZ_MUST(BPF_CLASS(insn->code) != BPF_LD);
		}
	}
}

/**
 * LLVMFuzzerTestOneInput() - check a program, and translate it
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t windows[] = { RW_WINDOW_DEFAULT, RW_WINDOW_MIN, RW_WINDOW_MAX, 9022 };
	struct rw_prog prog = { .maps = maps, .map_cnt = ARRAY_SIZE(maps), .ifindex = 5 };
	struct rw_opts opts = { .target = RW_TARGET_SKB, .tap_ifindex = TAP };
	struct rw_out out = { 0 };
	struct text why = { 0 };
	struct bpf_insn *insns;
	int checked, err;

	if (size < HEAD + sizeof(*insns))
		return 0;
	opts.form = data[0] & 1 ? RW_FORM_SFI : RW_FORM_LITE;
	opts.window = windows[data[0] >> 1 & 3];
	opts.level = data[0] & 8 ? RW_LEVEL_RELAXED : RW_LEVEL_STRICT;
	opts.walks_on = data[0] >> 4 & 1;
	prog.cnt = (uint32_t)((size - HEAD) / sizeof(*insns));
	insns = malloc(prog.cnt * sizeof(*insns));
	FUZZ_MUST(insns);
	memcpy(insns, data + HEAD, prog.cnt * sizeof(*insns));
	prog.insns = insns;
	checked = rw_check(&prog, MAX_INSNS, &why);
	FUZZ_MUST(!checked == !why.len);
	text_free(&why);
	err = rw_rewrite(&prog, &opts, &out, &why);
	FUZZ_MUST(!err == !why.len);
	FUZZ_MUST(err || !checked || prog.cnt > MAX_INSNS);
	FUZZ_MUST(err || opts.level == RW_LEVEL_STRICT || opts.form == RW_FORM_LITE);
	if (!err)
		must_be_valid(&out, prog.cnt);
	rw_out_free(&out);
	text_free(&why);
	free(insns);
	return 0;
}

/* Opcodes that the mutator chooses from: all that clang emits */
#define ALU_OPS(class, src)                                                    \
	class | BPF_ADD | src, class | BPF_SUB | src, class | BPF_MUL | src,   \
	class | BPF_DIV | src, class | BPF_OR | src, class | BPF_AND | src,    \
	class | BPF_LSH | src, class | BPF_RSH | src, class | BPF_MOD | src,   \
	class | BPF_XOR | src, class | BPF_MOV | src, class | BPF_ARSH | src
#define JMP_OPS(class, src)                                                    \
	class | BPF_JEQ | src, class | BPF_JNE | src, class | BPF_JGT | src,   \
	class | BPF_JGE | src, class | BPF_JLT | src, class | BPF_JLE | src,   \
	class | BPF_JSGT | src, class | BPF_JSLT | src, class | BPF_JSET | src
#define MEM_OPS(class, mode)                                                   \
	class | mode | BPF_B, class | mode | BPF_H, class | mode | BPF_W,      \
	class | mode | BPF_DW

static const uint8_t opcodes[] = {
	ALU_OPS(BPF_ALU64, BPF_K), ALU_OPS(BPF_ALU64, BPF_X), ALU_OPS(BPF_ALU, BPF_K),
	ALU_OPS(BPF_ALU, BPF_X), JMP_OPS(BPF_JMP, BPF_K), JMP_OPS(BPF_JMP, BPF_X),
	JMP_OPS(BPF_JMP32, BPF_K), JMP_OPS(BPF_JMP32, BPF_X), MEM_OPS(BPF_LDX, BPF_MEM),
	MEM_OPS(BPF_ST, BPF_MEM), MEM_OPS(BPF_STX, BPF_MEM), MEM_OPS(BPF_LDX, BPF_MEMSX),
	BPF_STX | BPF_ATOMIC | BPF_W, BPF_STX | BPF_ATOMIC | BPF_DW, RW_CALL, RW_EXIT, RW_JA,
	RW_GOTOL, BPF_ALU | BPF_NEG, BPF_ALU64 | BPF_NEG, BPF_ALU | BPF_END | BPF_TO_BE,
};

/* Helpers that it chooses from */
static const int32_t helpers[] = {
	BPF_FUNC_map_lookup_elem, BPF_FUNC_map_update_elem, BPF_FUNC_map_delete_elem,
	BPF_FUNC_xdp_adjust_head, BPF_FUNC_xdp_adjust_tail, BPF_FUNC_xdp_adjust_meta,
	BPF_FUNC_csum_diff, BPF_FUNC_xdp_get_buff_len, BPF_FUNC_xdp_load_bytes,
	BPF_FUNC_xdp_store_bytes, BPF_FUNC_redirect, BPF_FUNC_ktime_get_ns,
};

/**
 * change_insn() - change one thing about an instruction
 * @insn: the instruction
 * @dice: a random number
 */
static void change_insn(struct bpf_insn *insn, uint32_t dice)
{
	static const int32_t numbers[] = {
		0, 1, -1, 2, 4, 8, 14, 16, 20, 34, 64, 255, 256, 512, -8, -16, -512, 1500, 0xffff,
		INT32_MAX, INT32_MIN,
	};
	uint32_t value = dice >> 8;

	switch (dice & 7) {
	case 0:
		insn->code = opcodes[value % ARRAY_SIZE(opcodes)];
		break;
	case 1:
		insn->dst_reg = value % RW_REGS & 0xf;
		break;
	case 2:
		insn->src_reg = value % RW_REGS & 0xf;
		break;
	case 3:
		insn->off = (int16_t)numbers[value % ARRAY_SIZE(numbers)];
		break;
	case 4:
		insn->off = (int16_t)(value % 16) - 4;
		break;
	case 5:
		insn->imm = numbers[value % ARRAY_SIZE(numbers)];
		break;
	case 6:
		*insn = (struct bpf_insn){
			.code = RW_CALL, .imm = helpers[value % ARRAY_SIZE(helpers)],
		};
		break;
	default:
		insn->imm = (int32_t)(insn->imm + (int64_t)(value % 9) - 4);
		break;
	}
}

/**
 * LLVMFuzzerCustomMutator() - change an input
 * @data: the input; changed in place
 * @size: bytes of it
 * @max_size: bytes that there is room for
 * @seed: of what is random about it
 *
 * Return: bytes that it now has
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t cnt, at, slot = sizeof(struct bpf_insn);
	uint8_t *place;
	uint32_t dice;

	/* Arithmetic of a known generator: only spread matters here. */
	dice = seed * 1664525u + 1013904223u;
	if (size < HEAD + 2 * slot || !(seed % 16))
		return LLVMFuzzerMutate(data, size, max_size);
	cnt = (size - HEAD) / slot;
	size = HEAD + cnt * slot;
	at = (dice >> 4) % cnt;
	place = data + HEAD + at * slot;
	switch (seed % 8) {
	case 0:		/* the form */
		data[0] = (uint8_t)dice;
		return size;
	case 1:		/* one more, a copy */
		if (size + slot > max_size)
			return size;
		memmove(place + slot, place, size - (size_t)(place - data));
		return size + slot;
	case 2:		/* one less */
		memmove(place, place + slot, size - (size_t)(place - data) - slot);
		return size - slot;
	case 3: {	/* one from elsewhere */
		const uint8_t *from = data + HEAD + (dice >> 16) % cnt * slot;

		memmove(place, from, slot);
		return size;
	}
	default: {
		struct bpf_insn insn;

		memcpy(&insn, place, slot);
		change_insn(&insn, seed ^ dice);
		memcpy(place, &insn, slot);
		return size;
	}
	}
}
