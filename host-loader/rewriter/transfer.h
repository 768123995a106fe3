/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_TRANSFER_H
#define REWRITER_TRANSFER_H
#include "analysis.h"

/**
 * struct rw_env - what one step of the analysis refers to
 * @prog: the program
 * @code: the same, decoded
 * @an: where facts go
 * @taint: bytes of pointers in stacks are followed
 * @why: for a sentence if it is refused
 */
struct rw_env {
	const struct rw_prog *prog;
	const struct rw_code *code;
	struct rw_analysis *an;
	bool taint;
	struct text *why;
};

/* transfer.c: instructions that only change registers and memory */
int rw_step(const struct rw_env *env, struct rw_state *st, uint32_t at);
int rw_touch_stack(const struct rw_env *env, struct rw_state *st, uint32_t at,
		   const struct rw_val *ptr, int64_t off, uint32_t size);
void rw_stack_range(const struct rw_val *ptr, int64_t off, uint32_t size, int64_t *from,
		    int64_t *to);
void rw_smear_stack(struct rw_state *st, const struct rw_val *ptr, int64_t off, uint32_t size,
		    const struct rw_val *val);
void rw_cover_stack(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		    const struct rw_val *ptr, int64_t off, uint32_t size);
void rw_touch_value(const struct rw_env *env, const struct rw_val *ptr, int64_t off, uint32_t size);
void rw_read_stack(const struct rw_env *env, const struct rw_state *st, const struct rw_val *ptr,
		   int64_t off, uint32_t size);
void rw_cut_stack(const struct rw_env *env, const struct rw_state *st, const struct rw_val *ptr,
		  int64_t off, uint32_t size);

/* taint_stack.c: where bytes of pointers are; nothing but at level relaxed */
void rw_taint_store(const struct rw_env *env, struct rw_state *st, uint32_t at,
		    const struct rw_val *ptr, int64_t off, uint32_t size, const struct rw_val *val);
void rw_taint_load(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		   const struct rw_val *ptr, int64_t off, uint32_t size);
void rw_taint_buffer(const struct rw_env *env, const struct rw_state *st, uint32_t at,
		     const struct rw_val *ptr, int64_t off, uint32_t size, bool reads);
void rw_taint_forget(const struct rw_env *env, struct rw_state *st, const struct bpf_insn *call);

/* helpers.c: calls of helpers */
int rw_step_helper(const struct rw_env *env, struct rw_state *st, uint32_t at);

/* branch.c: what a conditional jump tells */
int rw_branch_decide(const struct rw_state *st, const struct bpf_insn *insn);
void rw_branch_refine(struct rw_state *st, const struct bpf_insn *insn, bool taken);

#endif /* REWRITER_TRANSFER_H */
