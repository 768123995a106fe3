// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Why an instruction is not copied as it is
 *
 * What the rewriter did is seen in its output; why is told from what the
 * analysis knows of the instruction, which is what the rewriter went by.
 */
#include <linux/bpf.h>
#include <stdio.h>

#include "../../helpers-whitelist/whitelist.h"
#include "disasm.h"
#include "job.h"

/**
 * is_sfi() - did the program become form sfi?
 * @job: the job
 *
 * Return: true if so
 */
static bool is_sfi(const struct job *job)
{
	return job->opts.form == RW_FORM_SFI;
}

/**
 * fact() - what is known of a register in front of an instruction
 * @job: the job, analysed
 * @at: index of the instruction
 * @reg: number of the register
 *
 * Return: it
 */
static const struct rw_val *fact(const struct job *job, uint32_t at, uint8_t reg)
{
	return &job->an.at[at].reg[reg];
}

/**
 * ends_as() - do the instructions that one became end in that one?
 * @job: the job, translated
 * @at: index of the tenant's instruction
 * @added: number of the others, in front of it
 *
 * Return: true if so; where a jump goes and which function a call means have
 *         other numbers there
 */
static bool ends_as(const struct job *job, uint32_t at, uint32_t *added)
{
	const struct bpf_insn *a = &job->prog->insns[at], *b;
	uint32_t first = 0, cnt = job_group(job, at, &first);

	if (cnt < rw_len(a))
		return false;
	*added = cnt - rw_len(a);
	b = &job->out.insns[first + *added];
	if (a->code != b->code || a->dst_reg != b->dst_reg || a->src_reg != b->src_reg)
		return false;
	if (rw_is_subcall(a) || a->code == RW_GOTOL)
		return true;
	return a->imm == b->imm && (rw_is_jmp(a) || a->off == b->off);
}

/**
 * explain_copied() - is an instruction the same in the translation?
 * @job: the job, translated
 * @at: index of the tenant's instruction
 *
 * Return: true if so, but for the numbers in jumps and calls of functions
 */
bool explain_copied(const struct job *job, uint32_t at)
{
	uint32_t added;

	return ends_as(job, at, &added) && !added;
}

/**
 * head_words() - the head of a loop
 * @job: the job
 * @insn: what stands there
 *
 * Return: words
 */
static const char *head_words(const struct job *job, const struct bpf_insn *insn)
{
	if (job->opts.walks_on && insn->code != RW_MAY_GOTO)
		return "head of a loop: its instructions are counted, a million of them for a "
		       "packet, and a may_goto has the verifier believe that it ends";
	return "head of a loop: a store, at which the verifier ends its walk of a mispredicted "
	       "turn";
}

/**
 * ctx_words() - a load from the context
 * @job: the job
 * @off: offset of the field
 *
 * Return: words
 */
static const char *ctx_words(const struct job *job, int64_t off)
{
	switch (off) {
	case offsetof(struct xdp_md, data):
		return is_sfi(job) ? "ctx->data: where the packet starts in its copy" :
				     "ctx->data: has another offset in a socket buffer's context";
	case offsetof(struct xdp_md, data_end):
		return is_sfi(job) ? "ctx->data_end: where the packet ends in its copy" :
				     "ctx->data_end: has another offset in a socket buffer's "
				     "context";
	case offsetof(struct xdp_md, data_meta):
		return "ctx->data_meta: where the metadata starts in the copy";
	case offsetof(struct xdp_md, ingress_ifindex):
		return "ctx->ingress_ifindex: the card's index in the guest, a constant";
	case offsetof(struct xdp_md, rx_queue_index):
		return "ctx->rx_queue_index: there is one queue, number 0";
	}
	return "a field of the context";
}

/**
 * access_words() - a load or a store
 * @job: the job
 * @at: index of the instruction
 * @ptr: what is known of its pointer
 * @text: added to
 */
static void access_words(const struct job *job, uint32_t at, const struct rw_val *ptr,
			 struct text *text)
{
	const struct bpf_insn *insn = &job->prog->insns[at];
	bool load = BPF_CLASS(insn->code) == BPF_LDX;
	const char *verb = load ? "reads" : "writes";

	if (load && ptr->kinds == RW_CTX && ptr->known) {
		text_add(text, "%s", ctx_words(job, ptr->off + insn->off));
	} else if (ptr->kinds & RW_META) {
		text_add(text, "%s metadata: a check, then the copy", verb);
	} else if ((ptr->kinds & RW_PKT) && ptr->known && ptr->base == RW_BASE_DATA) {
		text_add(text, "%s the packet at offset %lld: done in the copy%s", verb,
			 (long long)ptr->off + insn->off,
			 load ? "" : ", which is then to be written back");
	} else if (ptr->kinds & RW_PKT) {
		text_add(text, "%s the packet at an offset that is not constant: a check that it "
			 "is inside, then the copy%s", verb,
			 load ? "" : ", which is then to be written back");
	} else {
		text_add(text, "%s memory by a pointer that the translation has elsewhere", verb);
	}
}

/**
 * alu_words() - arithmetic
 * @job: the job
 * @at: index of the instruction
 * @text: added to
 */
static void alu_words(const struct job *job, uint32_t at, struct text *text)
{
	const struct bpf_insn *insn = &job->prog->insns[at];
	const uint16_t ends = RW_PKT | RW_END | RW_META;
	const struct rw_val *a = fact(job, at, insn->dst_reg);
	const struct rw_val *b = BPF_SRC(insn->code) == BPF_X ? fact(job, at, insn->src_reg) : NULL;

	if (b && BPF_OP(insn->code) == BPF_SUB && (a->kinds & ends) && (b->kinds & ends))
		text_add(text, a->kinds == b->kinds ?
			 "packet pointer minus packet pointer: their distance, a constant" :
			 "packet's end minus packet pointer: the packet's length is loaded "
			 "instead");
	else if (b && ((a->kinds | b->kinds) & RW_VALUE))
		text_add(text, "moves a map value's pointer by a number that is not constant: a "
			 "check gives it one limit on all paths");
	else if (b && ((a->kinds | b->kinds) & ends))
		text_add(text, "moves a packet pointer by a register that holds a constant: the "
			 "constant itself");
	else
		text_add(text, "the same, in another way");
}

/**
 * call_words() - the call of a helper
 * @job: the job
 * @insn: the call
 * @text: added to
 */
static void call_words(const struct job *job, const struct bpf_insn *insn, struct text *text)
{
	const struct wl_helper *h = wl_find((uint32_t)insn->imm);
	const char *other;

	if (!h) {
		text_add(text, "a helper that is not known");
	} else if (h->skb == WL_SKB_LEN) {
		text_add(text, "the packet's length is loaded instead");
	} else if (is_sfi(job) && (h->skb == WL_SKB_SFI || insn->imm == BPF_FUNC_xdp_load_bytes ||
				   insn->imm == BPF_FUNC_xdp_store_bytes)) {
		text_add(text, "%s works on the copy, by a function that the host adds", h->name);
	} else if (h->skb_id != (uint32_t)insn->imm) {
		other = disasm_helper(h->skb_id);
		text_add(text, "%s has a counterpart for socket buffers: %s", h->name,
			 other ? other : "another helper");
	} else {
		text_add(text, "an argument points into the packet: a check, then a pointer into "
			 "the copy");
	}
}

/**
 * jump_words() - a jump
 * @job: the job
 * @at: index of the jump
 * @text: added to
 */
static void jump_words(const struct job *job, uint32_t at, struct text *text)
{
	const struct rw_fact *f = &job->an.at[at];
	const struct bpf_insn *insn = &job->prog->insns[at];

	if (insn->code == RW_EXIT)
		text_add(text, is_sfi(job) ?
			 "the end: the packet is written back if it was changed, the verdict is "
			 "counted and becomes the hook's" :
			 "the end: the verdict is counted and becomes the hook's");
	else if (rw_is_cond(insn) && !f->jumps)
		text_add(text, "never jumps, on any path: left away");
	else if (rw_is_cond(insn) && !f->goes_on)
		text_add(text, "jumps on all paths: it always goes there");
	else
		text_add(text, "goes where it went, over a greater distance or not at all");
}

/**
 * explain_insn() - why an instruction is not copied as it is
 * @job: the job, translated
 * @at: index of the instruction, of which explain_copied() says no
 * @text: added to: words without full stop and newline
 */
void explain_insn(const struct job *job, uint32_t at, struct text *text)
{
	const struct bpf_insn *insn = &job->prog->insns[at];
	uint32_t added;

	if (!job->analysed)
		return;
	if (!job->an.at[at].seen) {
		text_add(text, "no path comes here: left away");
		return;
	}
	if ((job->code.flags[at] & RW_I_HEAD) && job->opts.level == RW_LEVEL_STRICT) {
		text_add(text, "%s", head_words(job, insn));
		if (ends_as(job, at, &added))
			return;
		text_add(text, "; ");
	}
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		access_words(job, at, fact(job, at, insn->src_reg), text);
		break;
	case BPF_ST:
	case BPF_STX:
		access_words(job, at, fact(job, at, insn->dst_reg), text);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		alu_words(job, at, text);
		break;
	case BPF_LD:
		text_add(text, "the same, in another way");
		break;
	default:
		if (insn->code == RW_CALL && !insn->src_reg)
			call_words(job, insn, text);
		else
			jump_words(job, at, text);
	}
}

/**
 * value_words() - what is known of one register
 * @job: the job
 * @v: it
 * @text: added to
 */
static void value_words(const struct job *job, const struct rw_val *v, struct text *text)
{
	static const struct {
		uint16_t kind;
		const char *name;
	} kinds[] = {
		{ RW_SCALAR, "a number" }, { RW_CTX, "the context" }, { RW_PKT, "packet" },
		{ RW_META, "metadata" }, { RW_END, "the packet's end" }, { RW_MAP, "a map" },
		{ RW_VALUE, "a map's value" }, { RW_STACK, "stack" }, { RW_UNINIT, "nothing" },
	};
	const char *sep = "", *map = NULL;

	if (v->kinds == RW_SCALAR && v->known) {
		text_add(text, "the number %lld", (long long)v->off);
		return;
	}
	if (v->kinds == RW_SCALAR && (v->limits.min || v->limits.max <= UINT32_MAX)) {
		text_add(text, "a number from %llu to %llu", (unsigned long long)v->limits.min,
			 (unsigned long long)v->limits.max);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!(v->kinds & kinds[i].kind))
			continue;
		text_add(text, "%s%s", sep, kinds[i].name);
		sep = " or ";
	}
	if (v->kinds & (v->kinds - 1))
		return;
	if ((v->kinds & (RW_MAP | RW_VALUE)) && v->map < job->prog->map_cnt)
		map = job->prog->maps[v->map].name;
	if (map)
		text_add(text, " (%s)", map);
	if (!(v->kinds & (RW_PKT | RW_META | RW_VALUE | RW_STACK)))
		return;
	if (!v->known)
		text_add(text, " at an offset that is not constant");
	else if ((v->kinds & (RW_PKT | RW_VALUE)) && v->base == RW_BASE_MOVED)
		text_add(text, " %+lld from its start, which was moved", (long long)v->off);
	else if ((v->kinds & (RW_PKT | RW_VALUE)) && v->base)
		text_add(text, " %+lld from where instruction %u found it", (long long)v->off,
			 v->base - 1);
	else
		text_add(text, " %+lld", (long long)v->off);
}

/**
 * explain_regs() - what the registers hold that an instruction works on
 * @job: the job
 * @at: index of the instruction
 * @text: added to: "r3 is packet +14, r4 is a number", or nothing
 */
void explain_regs(const struct job *job, uint32_t at, struct text *text)
{
	const struct bpf_insn *insn = &job->prog->insns[at];
	uint8_t class = BPF_CLASS(insn->code);
	bool dst, src;

	if (!job->analysed || !job->an.at[at].seen || class == BPF_LD)
		return;
	dst = class != BPF_LDX && !(rw_is_jmp(insn) && !rw_is_cond(insn)) &&
	      !((class == BPF_ALU || class == BPF_ALU64) && BPF_OP(insn->code) == BPF_MOV);
	src = class == BPF_LDX || class == BPF_STX ||
	      (BPF_SRC(insn->code) == BPF_X && class != BPF_ST && BPF_OP(insn->code) != BPF_END &&
	       !(rw_is_jmp(insn) && !rw_is_cond(insn)));
	if (src && insn->src_reg < RW_REGS) {
		text_add(text, "r%u is ", insn->src_reg);
		value_words(job, fact(job, at, insn->src_reg), text);
	}
	if (dst && insn->dst_reg < RW_REGS && (!src || insn->dst_reg != insn->src_reg)) {
		text_add(text, "%sr%u is ", src ? ", " : "", insn->dst_reg);
		value_words(job, fact(job, at, insn->dst_reg), text);
	}
}
