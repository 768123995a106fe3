// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Abstract interpretation of a tenant's program
 *
 * A state is walked along the program's paths. Where paths can meet (a jump's
 * target, a function's entry, the place behind a call) there is a meeting
 * point, which keeps the states that have come by: one that is covered by them
 * ends there, one that agrees with one of them on the kinds of the live
 * registers is joined to it, any other is kept beside them, so that paths that
 * carry different kinds of pointers are followed apart. So are the first turns of
 * a loop, from its head on, as long as constants tell them from each other: what a
 * loop of few turns does to a pointer has limits then, and else has none.
 *
 * Functions are followed from each place that calls them, with all frames, as
 * pointers into a caller's stack can be handed down: a meeting point belongs to
 * a context, which is a chain of calls. Points are worked off inner functions
 * first, then in program order, so that most paths have met before the walk
 * goes on.
 *
 * All work is counted, and a program that needs too much of it is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "refuse.h"
#include "transfer.h"

#define MAX_STATES	40	/* kept apart at one meeting point */
#define MIN_STATES	8	/* the same, of a program that needs much work */
#define MAX_TURNS	34	/* of them, because they are different turns of a loop */
#define MAX_GROWTH	4	/* times that one grows at a loop's head before it is widened */
#define JOIN_STEPS	8	/* what the comparison of two states counts as */

/**
 * struct point - a meeting point
 * @context: index of the context that it belongs to
 * @insn: where it is
 * @depth: how many calls deep
 * @queued: it waits to be worked off
 * @fresh: bit n set: @state n has not been walked since it changed
 * @cnt: number of @state
 * @grown: how often each @state has grown
 * @state: states that have come by; owned
 */
struct point {
	uint32_t context;
	uint32_t insn;
	uint32_t depth;
	bool queued;
	uint64_t fresh;
	uint8_t cnt;
	uint8_t grown[MAX_STATES];
	struct rw_state *state[MAX_STATES];
};

/**
 * struct context - a function as called from one place
 * @parent: index of the caller's context
 * @call: index of the calling instruction, or RW_NONE for the program's entry
 * @start: index of the function's first instruction
 * @len: number of its instructions
 * @points: its meeting points, by instruction from @start; owned
 */
struct context {
	uint32_t parent;
	uint32_t call;
	uint32_t start;
	uint32_t len;
	struct point **points;
};

/**
 * struct walk - one analysis
 * @env: what its steps refer to
 * @live: live registers by instruction
 * @loops: by instruction: there are heads of loops to come
 * @turns: numbers given to turns so far
 * @contexts: all contexts
 * @context_cnt: number of them
 * @queue: points to be worked off: a binary heap
 * @queue_len: number of points in it
 * @queue_room: what it has room for
 * @st: the state that is walked, with room for RW_FRAMES frames
 * @other: room for another
 * @steps: work done so far
 * @bytes: memory of states and points so far
 */
struct walk {
	struct rw_env env;
	uint16_t *live;
	bool *loops;
	uint32_t turns;
	struct context contexts[RW_MAX_CONTEXTS];
	uint32_t context_cnt;
	struct point **queue;
	uint32_t queue_len;
	uint32_t queue_room;
	struct rw_state *st;
	struct rw_state *other;
	uint32_t steps;
	size_t bytes;
};

/**
 * work() - count some work
 * @w: the analysis
 * @steps: how much
 * @at: instruction at which it comes up
 *
 * Return: 0, or -E2BIG once it is too much
 */
static int work(struct walk *w, uint32_t steps, uint32_t at)
{
	w->steps += steps;
	if (w->steps <= RW_MAX_STEPS)
		return 0;
	return rw_refuse(w->env.why, -E2BIG, at,
			 "the program is too complex: more than %u steps of analysis",
			 RW_MAX_STEPS);
}

/**
 * keep() - allocate memory that is kept to the end, within limits
 * @w: the analysis
 * @size: bytes; zeroed
 * @at: instruction at which it comes up
 * @err: where -ENOMEM goes, or -E2BIG once it is too much
 *
 * Return: the memory, or NULL
 */
static void *keep(struct walk *w, size_t size, uint32_t at, int *err)
{
	void *mem;

	if (size > RW_MAX_BYTES - w->bytes) {
		*err = rw_refuse(w->env.why, -E2BIG, at,
				 "the program is too complex: more than %u MiB of analysis",
				 RW_MAX_BYTES >> 20);
		return NULL;
	}
	mem = calloc(1, size);
	if (mem)
		w->bytes += size;
	else
		*err = -ENOMEM;
	return mem;
}

/**
 * before() - which of two points is worked off first?
 * @a: one
 * @b: the other
 *
 * Return: true if @a is
 */
static bool before(const struct point *a, const struct point *b)
{
	return a->depth != b->depth ? a->depth > b->depth : a->insn < b->insn;
}

/**
 * enqueue() - have a point worked off
 * @w: the analysis
 * @p: the point
 *
 * Return: 0 or -ENOMEM
 */
static int enqueue(struct walk *w, struct point *p)
{
	uint32_t i = w->queue_len;

	if (p->queued)
		return 0;
	if (w->queue_len == w->queue_room) {
		uint32_t room = w->queue_room ? w->queue_room * 2 : 64;
		struct point **queue = realloc(w->queue, room * sizeof(*queue));

		if (!queue)
			return -ENOMEM;
		w->queue = queue;
		w->queue_room = room;
	}
	p->queued = true;
	w->queue_len++;
	for (; i && before(p, w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		w->queue[i] = w->queue[(i - 1) / 2];
	w->queue[i] = p;
	return 0;
}

/**
 * dequeue() - take the point that is to be worked off next
 * @w: the analysis; its queue is not empty
 *
 * Return: the point
 */
static struct point *dequeue(struct walk *w)
{
	struct point *first = w->queue[0];
	struct point *last = w->queue[--w->queue_len];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= w->queue_len)
			break;
		if (child + 1 < w->queue_len && before(w->queue[child + 1], w->queue[child]))
			child++;
		if (before(last, w->queue[child]))
			break;
		w->queue[i] = w->queue[child];
		i = child;
	}
	w->queue[i] = last;
	first->queued = false;
	return first;
}

/**
 * get_context() - the context of a call, new if need be
 * @w: the analysis
 * @parent: index of the caller's context
 * @call: index of the calling instruction, or RW_NONE
 * @func: index of the function that is called
 * @context: result
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int get_context(struct walk *w, uint32_t parent, uint32_t call, uint32_t func,
		       uint32_t *context)
{
	const struct rw_func *f = &w->env.code->funcs[func];
	struct point **points;
	struct context *c;
	int err = 0;

	for (uint32_t i = 0; i < w->context_cnt; i++) {
		if (w->contexts[i].parent == parent && w->contexts[i].call == call) {
			*context = i;
			return 0;
		}
	}
	if (w->context_cnt == RW_MAX_CONTEXTS)
		return rw_refuse(w->env.why, -E2BIG, call,
				 "the program is too complex: more than %d chains of calls",
				 RW_MAX_CONTEXTS);
	points = keep(w, (f->end - f->start) * sizeof(*points), call, &err);
	if (!points)
		return err;
	*context = w->context_cnt++;
	c = &w->contexts[*context];
	c->parent = parent;
	c->call = call;
	c->start = f->start;
	c->len = f->end - f->start;
	c->points = points;
	return 0;
}

/**
 * get_point() - the meeting point at an instruction, new if need be
 * @w: the analysis
 * @context: index of the context
 * @at: index of the instruction
 * @depth: how many calls deep
 * @point: result
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int get_point(struct walk *w, uint32_t context, uint32_t at, uint32_t depth,
		     struct point **point)
{
	struct context *c = &w->contexts[context];
	int err = 0;

	*point = c->points[at - c->start];
	if (*point)
		return 0;
	*point = keep(w, sizeof(**point), at, &err);
	if (!*point)
		return err;
	(*point)->context = context;
	(*point)->insn = at;
	(*point)->depth = depth;
	c->points[at - c->start] = *point;
	return 0;
}

/**
 * is_head() - is an instruction the head of a loop?
 * @w: the analysis
 * @at: index of the instruction
 *
 * Return: true if so
 */
static bool is_head(const struct walk *w, uint32_t at)
{
	return w->env.code->flags[at] & RW_I_HEAD;
}

/**
 * find_loops() - find the instructions from which heads of loops can be reached
 * @w: the analysis
 */
static void find_loops(struct walk *w)
{
	const struct rw_code *code = w->env.code;
	bool grew = true;

	while (grew) {
		grew = false;
		for (uint32_t i = code->cnt; i--;) {
			uint32_t next[2];
			bool loop = is_head(w, i);

			if (w->loops[i] || (code->flags[i] & RW_I_HALF))
				continue;
			for (unsigned int n = rw_succ(code, i, next); n--;)
				loop |= w->loops[next[n]];
			w->loops[i] = loop;
			grew |= loop;
		}
	}
}

/**
 * in_budget() - may states be kept apart generously?
 * @w: the analysis
 *
 * To know more is worth a part of what an analysis may cost, and no program's
 * refusal.
 *
 * Return: true if so
 */
static bool in_budget(const struct walk *w)
{
	return w->steps < RW_MAX_STEPS / 14 && w->bytes < RW_MAX_BYTES / 8;
}

/**
 * may_split() - are turns of a loop still kept apart at a meeting point?
 * @w: the analysis
 * @p: the point
 *
 * Return: true if so
 */
static bool may_split(const struct walk *w, const struct point *p)
{
	return p->cnt < MAX_TURNS && in_budget(w);
}

/**
 * manner() - how a path's state is joined to one that has come by before
 * @w: the analysis
 * @p: the meeting point
 * @i: number of the state there
 *
 * Return: as rw_state_join() wants it
 */
static unsigned int manner(const struct walk *w, const struct point *p, int i)
{
	int last = in_budget(w) ? MAX_STATES : MIN_STATES;
	unsigned int how = i >= last - 1 ? RW_JOIN_FORCE : 0;

	if (!is_head(w, p->insn))
		return how;
	if (may_split(w, p))
		how |= RW_JOIN_TURNS;
	if (p->grown[i] == MAX_GROWTH)
		how |= RW_JOIN_WIDEN;
	return how;
}

/**
 * make_room() - have slots of the stack in a state that is kept
 * @w: the analysis
 * @state: the state; can be moved
 * @slots: how many are needed
 * @at: instruction at which it comes up
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int make_room(struct walk *w, struct rw_state **state, uint32_t slots, uint32_t at)
{
	struct rw_state *old = *state, *new;
	int err = 0;

	if (old->slots >= slots)
		return 0;
	new = keep(w, rw_state_size(old->cur, slots), at, &err);
	if (!new)
		return err;
	w->bytes -= rw_state_size(old->cur, old->slots);
	rw_state_keep(new, old, old->slots);
	rw_state_room(new, slots);
	free(old);
	*state = new;
	return 0;
}

/**
 * arrive() - a path comes to a meeting point
 * @w: the analysis
 * @context: index of the context
 * @at: index of the instruction
 * @st: the path's state; its turn may be changed
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int arrive(struct walk *w, uint32_t context, uint32_t at, struct rw_state *st)
{
	enum rw_join joined = RW_JOIN_APART;
	struct point *p;
	uint32_t slots;
	int i, err;

	err = get_point(w, context, at, st->cur, &p);
	if (err)
		return err;
	if (!st->cur && !w->loops[at])
		st->turn = 0;
	slots = rw_state_slots(st);
	for (i = 0; i < p->cnt; i++) {
		if (st->turn != p->state[i]->turn && may_split(w, p) && !is_head(w, at))
			continue;
		err = work(w, JOIN_STEPS * (st->cur + 1), at);
		if (!err)
			err = make_room(w, &p->state[i], slots, at);
		if (err)
			return err;
		joined = rw_state_join(p->state[i], st, w->live[at], manner(w, p, i));
		if (joined == RW_JOIN_SAME)
			return 0;
		if (joined == RW_JOIN_GREW) {
			p->grown[i] += p->grown[i] < MAX_GROWTH;
			break;
		}
	}
	if (joined == RW_JOIN_APART) {
		p->state[i] = keep(w, rw_state_size(st->cur, slots), at, &err);
		if (!p->state[i])
			return err;
		if (is_head(w, at))
			st->turn = ++w->turns;
		rw_state_keep(p->state[i], st, slots);
		p->cnt++;
	}
	p->fresh |= 1ull << i;
	return enqueue(w, p);
}

/**
 * note() - add what is known at an instruction to its facts
 * @w: the analysis
 * @at: index of the instruction
 */
static void note(struct walk *w, uint32_t at)
{
	const struct rw_val *reg = w->st->frame[w->st->cur].reg;
	struct rw_fact *fact = &w->env.an->at[at];

	if (!fact->seen) {
		memcpy(fact->reg, reg, sizeof(fact->reg));
		fact->seen = true;
		return;
	}
	for (int i = 0; i < RW_REGS; i++)
		if (!rw_val_eq(&fact->reg[i], &reg[i]) && !rw_val_covers(&fact->reg[i], &reg[i]))
			fact->reg[i] = rw_val_join(&fact->reg[i], &reg[i]);
}

/**
 * enter() - a call of one of the program's own functions
 * @w: the analysis
 * @context: index of the caller's context
 * @at: index of the call
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int enter(struct walk *w, uint32_t context, uint32_t at)
{
	const struct rw_code *code = w->env.code;
	uint32_t start = (uint32_t)rw_target(&code->insns[at], at);
	uint32_t func = rw_func_at(code, start);
	struct rw_state *st = w->st;
	struct rw_frame *callee;
	uint32_t inner;
	int err;

	if (st->cur + 1 == RW_FRAMES)
		return rw_refuse(w->env.why, -E2BIG, at, "calls go more than %d functions deep",
				 RW_FRAMES);
	err = get_context(w, context, at, func, &inner);
	if (err)
		return err;
	callee = &st->frame[++st->cur];
	rw_frame_init(callee, func, (uint8_t)st->cur);
	for (int i = BPF_REG_1; i <= BPF_REG_5; i++)
		callee->reg[i] = callee[-1].reg[i];
	return arrive(w, inner, start, st);
}

/**
 * leave() - an exit: back to the caller, if there is one
 * @w: the analysis
 * @context: index of the context that is left
 *
 * Return: 0, -ENOMEM or -E2BIG
 */
static int leave(struct walk *w, uint32_t context)
{
	struct context *c = &w->contexts[context];
	struct rw_state *st = w->st;
	struct rw_val *caller;

	if (c->call == RW_NONE)
		return 0;
	caller = st->frame[--st->cur].reg;
	caller[BPF_REG_0] = st->frame[st->cur + 1].reg[BPF_REG_0];
	for (int i = BPF_REG_1; i <= BPF_REG_5; i++)
		caller[i] = rw_val_kind(RW_UNINIT);
	return arrive(w, c->parent, c->call + 1, st);
}

/**
 * branch() - a conditional jump: one way is walked on, the other one waits
 * @w: the analysis
 * @context: index of the context
 * @at: index of the jump
 *
 * Return: 1 to walk on behind it, 0 if this path ends here, or a negative errno
 */
static int branch(struct walk *w, uint32_t context, uint32_t at)
{
	const struct bpf_insn *insn = &w->env.code->insns[at];
	struct rw_fact *fact = &w->env.an->at[at];
	int taken = rw_branch_decide(w->st, insn);
	int err;

	if (taken != 0) {
		fact->jumps = true;
		rw_state_copy(w->other, w->st);
		rw_branch_refine(w->other, insn, true);
		err = arrive(w, context, (uint32_t)rw_target(insn, at), w->other);
		if (err)
			return err;
	}
	if (taken == 1)
		return 0;
	fact->goes_on = true;
	rw_branch_refine(w->st, insn, false);
	return 1;
}

/**
 * walk_path() - follow one path to the next meeting point
 * @w: the analysis; its state is the one at the path's start
 * @context: index of the context
 * @at: where the path starts
 *
 * Return: 0 or a negative errno
 */
static int walk_path(struct walk *w, uint32_t context, uint32_t at)
{
	const struct rw_code *code = w->env.code;

	for (;;) {
		const struct bpf_insn *insn = &code->insns[at];
		int err = work(w, 1, at);

		if (err)
			return err;
		note(w, at);
		if (insn->code == RW_EXIT)
			return leave(w, context);
		if (rw_is_ja(insn))
			return arrive(w, context, (uint32_t)rw_target(insn, at), w->st);
		if (rw_is_subcall(insn))
			return enter(w, context, at);
		if (rw_is_cond(insn)) {
			err = branch(w, context, at);
			if (err <= 0)
				return err;
		} else {
			err = insn->code == RW_CALL ? rw_step_helper(&w->env, w->st, at)
						    : rw_step(&w->env, w->st, at);
			if (err)
				return err;
		}
		at += rw_len(insn);
		if (code->flags[at] & RW_I_TARGET)
			return arrive(w, context, at, w->st);
	}
}

/**
 * walk_all() - follow all paths until nothing new comes up
 * @w: the analysis
 *
 * Return: 0 or a negative errno
 */
static int walk_all(struct walk *w)
{
	uint32_t context = 0;
	int err;

	err = get_context(w, RW_NONE, RW_NONE, 0, &context);
	if (err)
		return err;
	rw_state_init(w->st);
	err = arrive(w, context, 0, w->st);
	while (!err && w->queue_len) {
		struct point *p = dequeue(w);

		for (uint32_t i = 0; !err && i < p->cnt; i++) {
			if (!(p->fresh & 1ull << i))
				continue;
			p->fresh &= ~(1ull << i);
			rw_state_copy(w->st, p->state[i]);
			err = walk_path(w, p->context, p->insn);
		}
	}
	return err;
}

/**
 * walk_free() - give an analysis' working memory back
 * @w: the analysis; may be NULL
 */
static void walk_free(struct walk *w)
{
	if (!w)
		return;
	for (uint32_t c = 0; c < w->context_cnt; c++) {
		for (uint32_t i = 0; i < w->contexts[c].len; i++) {
			struct point *p = w->contexts[c].points[i];

			for (int s = 0; p && s < p->cnt; s++)
				free(p->state[s]);
			free(p);
		}
		free(w->contexts[c].points);
	}
	free(w->queue);
	free(w->live);
	free(w->loops);
	free(w->st);
	free(w->other);
	free(w);
}

/**
 * rw_analyse() - find out what a program's instructions work on
 * @prog: the program
 * @code: the same, decoded
 * @level: RW_LEVEL_RELAXED: it is also followed where bytes of pointers are
 * @an: result; free with rw_analysis_free() after success
 * @why: for one sentence if it is refused; may be NULL
 *
 * Return: 0; -EINVAL for a program that is wrong on some path; -E2BIG for one
 *         that is too complex; -ENOMEM
 */
int rw_analyse(const struct rw_prog *prog, const struct rw_code *code, enum rw_level level,
	       struct rw_analysis *an, struct text *why)
{
	size_t room = sizeof(struct rw_state) + RW_FRAMES * sizeof(struct rw_frame);
	struct walk *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	memset(an, 0, sizeof(*an));
	an->loose_stack = RW_NONE;
	an->at = calloc(code->cnt, sizeof(*an->at));
	if (!w || !an->at)
		goto out;
	w->env = (struct rw_env){ .prog = prog, .code = code, .an = an,
				 .taint = level == RW_LEVEL_RELAXED, .why = why };
	w->live = calloc(code->cnt, sizeof(*w->live));
	w->loops = calloc(code->cnt, sizeof(*w->loops));
	w->st = calloc(1, room);
	w->other = calloc(1, room);
	if (!w->live || !w->loops || !w->st || !w->other)
		goto out;
	rw_liveness(code, w->live);
	find_loops(w);
	err = walk_all(w);
out:
	walk_free(w);
	if (err)
		rw_analysis_free(an);
	return err;
}

/**
 * rw_analysis_free() - give an analysis' memory back
 * @an: the analysis; may be one that rw_analyse() refused
 */
void rw_analysis_free(struct rw_analysis *an)
{
	free(an->at);
	an->at = NULL;
}
