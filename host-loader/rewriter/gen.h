/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_GEN_H
#define REWRITER_GEN_H
/**
 * DOC: Forms and targets
 *
 * A form decides how packet access is done and walks the tenant's program; it
 * asks a target for what depends on the kind of program that comes out. Both
 * emit through struct rw_gen, which holds one translation.
 */
#include "../../helpers-whitelist/whitelist.h"
#include "analysis.h"
#include "edit.h"
#include "refuse.h"

struct rw_gen;

/**
 * struct rw_target_ops - one kind of program that can come out
 * @slots: slots of eight bytes of the entry function's stack that it needs
 * @fault: index of the counter of packets that are dropped by a check
 * @ctx_load: emit the load of a context field other than the packet's pointers,
 *            instruction @at of the tenant's, or refuse it
 * @pkt_load: emit the load of a packet pointer, RW_PKT or RW_END
 * @len: emit @dst = length of the packet, with the context in register @ctx
 * @helper: emit the counterpart of a helper, or refuse it
 * @verdict: emit what turns a verdict in r0 into the index of its counter in r6;
 *           at the label @fault of struct rw_gen, if it has one, that is @fault
 * @finish: emit the end: count what r6 says and return the target's counterpart;
 *          r7 to r9 are of no use to it
 */
struct rw_target_ops {
	uint32_t slots;
	int32_t fault;
	int (*ctx_load)(struct rw_gen *g, uint32_t at);
	void (*pkt_load)(struct rw_gen *g, uint32_t at, uint16_t kind);
	void (*len)(struct rw_gen *g, uint8_t dst, uint8_t ctx);
	int (*helper)(struct rw_gen *g, uint32_t at, const struct wl_helper *h);
	void (*verdict)(struct rw_gen *g);
	void (*finish)(struct rw_gen *g);
};

/**
 * struct rw_gen - one translation
 * @prog: the tenant's program
 * @opts: what is made of it
 * @code: the program, decoded
 * @an: its analysis
 * @target: what comes out
 * @reach: as in struct rw_out
 * @edit: the output
 * @live: registers whose value matters, by instruction: bit n for register n
 * @epilogue: label of the epilogue
 * @fault: label in the epilogue for a packet that is dropped by a check of the
 *         form's own, or RW_NONE if the form has none
 * @target_slot: offset from r10 of the target's lowest slot, in the entry function
 * @why: for the sentence if it is refused
 */
struct rw_gen {
	const struct rw_prog *prog;
	const struct rw_opts *opts;
	const struct rw_code *code;
	const struct rw_analysis *an;
	const struct rw_target_ops *target;
	uint32_t reach;
	uint16_t *live;
	struct rw_edit edit;
	uint32_t epilogue;
	uint32_t fault;
	int16_t target_slot;
	struct text *why;
};

extern const struct rw_target_ops rw_target_skb;

/* Refuse a tenant's instruction that another form may be able to do. */
#define CANNOT(g, at, ...) rw_refuse((g)->why, -EOPNOTSUPP, at, __VA_ARGS__)

/* gen.c: what all forms do alike */
bool rw_gen_is_ctx(const struct rw_val *v);
bool rw_gen_has_loop(const struct rw_gen *g, const struct rw_func *func);
bool rw_gen_wants_limit(const struct rw_gen *g, uint32_t at);
bool rw_gen_fetches(const struct rw_gen *g, uint32_t at);
int rw_gen_check_ctx(const struct rw_gen *g, uint32_t at);
int rw_gen_jump(struct rw_gen *g, uint32_t at);
uint32_t rw_gen_max_verdict(const struct rw_gen *g);

/* The forms: the output is complete afterwards */
int rw_form_lite(struct rw_gen *g);
int rw_form_sfi(struct rw_gen *g);

#endif /* REWRITER_GEN_H */
