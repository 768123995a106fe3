// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A random program as a whole: blocks of statements, branches, loops, functions
 * and exits.
 */
#include <string.h>

#include "build.h"

/**
 * g_trace() - note that the program came here
 * @g: the program
 */
void g_trace(struct gen *g)
{
	uint8_t reg = b_take(g, NUM);

	EMIT(g, LDX(BPF_DW, reg, R10, TRACE), ALU64_K(BPF_MUL, reg, 31),
	     ALU64_K(BPF_ADD, reg, 1 + (int32_t)b_below(g, 1000)), STX(BPF_DW, R10, TRACE, reg));
	b_set_num(g, reg, UINT64_MAX);
}

/**
 * g_sink() - put all numbers into the first map, where they are seen
 * @g: the program; r0 to r5 are lost
 */
void g_sink(struct gen *g)
{
	uint8_t sum = b_take(g, NUM);

	EMIT(g, LDX(BPF_DW, sum, R10, TRACE));
	for (uint8_t i = 0; i < 10; i++)
		if (g->st.reg[i].kind == NUM && i != sum)
			EMIT(g, ALU64_K(BPF_MUL, sum, 31), ALU64_X(BPF_XOR, sum, i));
	b_set_num(g, sum, UINT64_MAX);
	EMIT(g, STX(BPF_DW, R10, SINK_VALUE, sum),
	     ST(BPF_W, R10, SINK_KEY, (int32_t)b_below(g, 16)));
	b_stack_ptr(g, R2, SINK_KEY);
	b_stack_ptr(g, R3, SINK_VALUE);
	EMIT(g, MOV64_K(R4, 0), LD_MAP(R1, g->p->maps[0].handle),
	     CALL(BPF_FUNC_map_update_elem));
	b_clobber(g);
	b_forget(g, VALUE);
}

/**
 * verdict() - put a verdict into r0
 * @g: the program
 */
static void verdict(struct gen *g)
{
	static const int32_t verdicts[] = {
		XDP_PASS, XDP_PASS, XDP_PASS, XDP_PASS, XDP_PASS, XDP_TX, XDP_TX, XDP_DROP,
		XDP_ABORTED, 5, -1,
	};
	uint8_t num = b_find(g, NUM);

	if (num != NO_REG && b_percent(g, 30)) {
		EMIT(g, MOV64_X(R0, num), ALU64_K(BPF_AND, R0, 3));
		/* Most packets should get through, to be compared. */
		if (b_percent(g, 50))
			EMIT(g, ALU64_K(BPF_OR, R0, XDP_PASS));
		return;
	}
	if (b_percent(g, 20))
		EMIT(g, MOV32_K(R0, verdicts[b_below(g, ARRAY_SIZE(verdicts))]));
	else if (b_percent(g, 10))
		EMIT(g, LD_IMM64(R0, XDP_PASS, b_number(g)));
	else
		EMIT(g, MOV64_K(R0, verdicts[b_below(g, ARRAY_SIZE(verdicts))]));
}

/**
 * g_leave() - end the function here
 * @g: the program
 */
void g_leave(struct gen *g)
{
	if (b_percent(g, g->func || g->depth > 1 ? 20 : 90))
		g_sink(g);
	if (!g->func) {
		verdict(g);
	} else if (b_percent(g, 30)) {
		EMIT(g, MOV64_K(R0, b_number(g)));
	} else {
		uint8_t num = b_num(g);

		if (num)
			EMIT(g, MOV64_X(R0, num));
		if (b_percent(g, 50))
			EMIT(g, LDX(BPF_DW, R1, R10, TRACE), ALU64_X(BPF_XOR, R0, R1));
	}
	EMIT(g, EXIT);
	g->st.dead = true;
}

/**
 * g_guard() - end the function where a jump is taken
 * @g: the program
 * @jump: index of the jump
 */
void g_guard(struct gen *g, uint32_t jump)
{
	struct state st = g->st;
	uint32_t over = b_jump(g, (struct bpf_insn)JA(0));

	b_land(g, jump);
	/* A jump that is the result of a check tells nothing on this way. */
	memset(g->st.range, 0, sizeof(g->st.range));
	b_forget(g, VALUE);
	if (g->func || b_percent(g, 30)) {
		g_leave(g);
	} else {
		EMIT(g, MOV64_K(R0, (int32_t)b_below(g, 4)), EXIT);
	}
	b_land(g, over);
	g->st = st;
}

/**
 * branch() - a comparison of numbers, and what depends on it
 * @g: the program
 */
static void branch(struct gen *g)
{
	uint32_t jump, out;
	struct state other;

	if (g->depth > 3)
		return;
	jump = b_jump(g, g_condition(g));
	if (b_percent(g, 15)) {
		g_guard(g, jump);
		return;
	}
	other = g->st;
	/* In a loop it would make every turn another one to the verifier. */
	if (!g->loops && b_percent(g, 50))
		g_trace(g);
	g_block(g, 1 + b_below(g, 5));
	if (b_percent(g, 50)) {
		struct state first = g->st;

		out = first.dead ? 0
				 : b_jump(g, b_percent(g, 10)
					  ? (struct bpf_insn)GOTOL(0) : (struct bpf_insn)JA(0));
		b_land(g, jump);
		g->st = other;
		g_block(g, 1 + b_below(g, 5));
		if (out)
			b_land(g, out);
		other = first;
	} else {
		b_land(g, jump);
	}
	b_meet(g, &g->st, &other);
}

/**
 * enter_loop() - make what is known hold for every turn of a loop
 * @g: the program
 * @cnt: register that counts the turns
 */
static void enter_loop(struct gen *g, uint8_t cnt)
{
	for (uint8_t i = 0; i < 6; i++)
		b_set(g, i, NONE);
	for (uint8_t i = 6; i < 10; i++) {
		if (g->st.reg[i].kind == NUM) {
			g->num_only |= (uint16_t)(1u << i);
			g->st.reg[i].max = UINT64_MAX;
		} else if (g->st.reg[i].kind != NONE) {
			g->hold |= (uint16_t)(1u << i);
		}
	}
	for (int i = 0; i < STACK / 8; i++)
		g->st.slot[i].max = UINT64_MAX;
	g->hold |= (uint16_t)(1u << cnt);
	g->loops++;
}

/**
 * loop() - a loop of a constant number of turns
 * @g: the program
 */
static void loop(struct gen *g)
{
	uint16_t hold = g->hold, num_only = g->num_only;
	uint8_t cnt = b_take_saved(g, NUM);
	uint32_t head;

	if (cnt == NO_REG || g->loops > 1 || g->depth > 2)
		return;
	EMIT(g, MOV64_K(cnt, 0));
	b_set_num(g, cnt, UINT64_MAX);
	enter_loop(g, cnt);
	head = g->p->cnt;
	g_block(g, 1 + b_below(g, 5));
	if (!g->st.dead) {
		EMIT(g, ALU64_K(BPF_ADD, cnt, 1));
		EMIT(g, JMP_K(BPF_JLT, cnt, 1 + (int32_t)b_below(g, g->loops > 1 ? 3 : 7),
			      (int16_t)((int)head - (int)g->p->cnt - 1)));
	}
	g->loops--;
	g->hold = hold;
	g->num_only = num_only;
}

/**
 * callable() - can a function be called here?
 * @g: the program
 * @f: index of the function
 * @pkt: packet pointer to be passed, or NO_REG
 * @end: packet's end to be passed, or NO_REG
 *
 * Return: true if there is what it takes
 */
static bool callable(const struct gen *g, uint8_t f, uint8_t pkt, uint8_t end)
{
	const struct func *func = &g->funcs[f];

	if (func->moves && (g->loops || !g->funcs[g->func].moves))
		return false;
	if (func->sig == SIG_PKT)
		return g->has_ctx || (pkt != NO_REG && end != NO_REG);
	return g->has_ctx || func->sig != SIG_CTX;
}

/**
 * callee() - a function to call
 * @g: the program
 * @pkt: packet pointer to be passed, or NO_REG
 * @end: packet's end to be passed, or NO_REG
 *
 * Return: its index, or 0 if there is none
 */
static uint8_t callee(struct gen *g, uint8_t pkt, uint8_t end)
{
	uint8_t f = g->func_cnt;

	if (g->call_cnt == CALLS)
		return 0;
	if (g->func + 1 < f && b_percent(g, 40)) {
		f = (uint8_t)(g->func + 1 + b_below(g, f - g->func - 1u));
		return callable(g, f, pkt, end) ? f : 0;
	}
	if (f == FUNCS)
		return 0;
	g->funcs[f].sig = (enum sig)b_below(g, SIGS);
	g->funcs[f].moves = g->funcs[f].sig == SIG_CTX && (g->want & F_MOVE) &&
			    b_percent(g, 50);
	if (!callable(g, f, pkt, end))
		return 0;
	return g->func_cnt++;
}

/**
 * call() - call one of the program's own functions
 * @g: the program
 */
static void call(struct gen *g)
{
	uint8_t f, num = b_find_saved(g, NUM), ptr = b_find_saved(g, PKT),
		end = b_find_saved(g, END);
	int16_t data = b_data(g, 16);

	f = data ? callee(g, ptr, end) : 0;
	if (!f)
		return;
	if (num != NO_REG)
		EMIT(g, MOV64_X(R3, num));
	else
		EMIT(g, MOV64_K(R3, b_number(g)));
	switch (g->funcs[f].sig) {
	case SIG_CTX:
		b_ctx(g, R1);
		break;
	case SIG_STACK:
		b_stack_ptr(g, R1, data);
		b_wrote(g, data, 16);
		break;
	case SIG_PKT:
		if ((ptr != NO_REG && end != NO_REG && b_percent(g, 70)) || !g->has_ctx) {
			EMIT(g, MOV64_X(R1, ptr), MOV64_X(R2, end));
		} else {
			b_ctx(g, R1);
			EMIT(g, LD_END(R2, R1), LD_DATA(R1, R1));
		}
		break;
	default:
		EMIT(g, MOV64_K(R1, b_number(g)));
	}
	g->callee[g->call_cnt] = f;
	g->calls[g->call_cnt++] = g->p->cnt;
	EMIT(g, SUBCALL(0));
	b_clobber(g);
	if (g->funcs[f].moves) {
		b_forget(g, PKT);
		b_forget(g, END);
	}
	b_forget(g, VALUE);
}

/* A kind of statement: what a program must want for it, how often it is made */
static const struct {
	uint32_t want;
	uint32_t weight;
	void (*emit)(struct gen *g);
} statements[] = {
	{ 0, 28, g_alu },	{ 0, 4, g_store },	  { 0, 6, g_load },
	{ 0, 5, g_spill },	{ 0, 5, g_fill },	  { 0, 10, branch },
	{ 0, 8, g_pkt_check },	{ 0, 16, g_pkt_load },	  { 0, 4, g_pkt_step },
	{ 0, 2, g_ctx_field },	{ F_WRITE, 8, g_pkt_store }, { F_LEN, 5, g_len },
	{ F_VAR, 6, g_pkt_var }, { F_MOVE, 3, g_head },	  { F_MOVE, 3, g_tail },
	{ F_META, 3, g_meta },	{ F_LOOP, 4, loop },	  { F_LOOP, 2, g_pkt_walk },
	{ F_CALL, 5, call },	{ F_MAP, 5, g_lookup },	  { F_MAP, 4, g_update },
	{ F_MAP, 6, g_value },	{ F_MAP, 3, g_atomic },	  { F_MAP, 2, g_sink },
	{ F_BYTES, 4, g_bytes }, { F_CSUM, 3, g_csum },	  { F_MIX, 3, g_mix },
	{ 0, 4, g_stale },	{ F_ODD, 4, g_stack_var }, { F_ODD, 2, g_odd_number },
	{ F_ODD, 4, g_stack_arms },
};

/**
 * statement() - one random statement
 * @g: the program
 */
static void statement(struct gen *g)
{
	uint32_t total = 0, nth;

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (!statements[i].want || (statements[i].want & g->want))
			total += statements[i].weight;
	nth = b_below(g, total);
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (statements[i].want && !(statements[i].want & g->want))
			continue;
		if (nth < statements[i].weight) {
			statements[i].emit(g);
			return;
		}
		nth -= statements[i].weight;
	}
}

/**
 * g_block() - some statements
 * @g: the program
 * @cnt: how many
 */
void g_block(struct gen *g, uint32_t cnt)
{
	g->depth++;
	while (cnt-- && !g->st.dead && !b_full(g))
		statement(g);
	if (g->depth > 1 && !g->st.dead && !g->loops && b_percent(g, 5))
		g_leave(g);
	g->depth--;
}

/**
 * begin_func() - a function's arguments, and where it keeps the context
 * @g: the program
 * @f: index of the function
 */
static void begin_func(struct gen *g, uint8_t f)
{
	enum sig sig = g->funcs[f].sig;

	memset(&g->st, 0, sizeof(g->st));
	g->func = f;
	g->hold = 0;
	g->num_only = 0;
	g->has_ctx = sig == SIG_CTX;
	g->ctx_reg = NO_REG;
	g->area = (int16_t)(AREA_TOP - (f ? 64 : 64 + 8 * (int)b_below(g, 9)));
	g->funcs[f].start = g->p->cnt;
	if (f)
		b_set_num(g, R3, UINT64_MAX);
	if (sig == SIG_NUMS)
		b_set_num(g, R1, UINT64_MAX);
	if (sig == SIG_PKT) {
		b_set(g, R1, PKT);
		g->st.reg[R1].id = g->next_id++;
		b_set(g, R2, END);
	}
	if (sig == SIG_STACK) {
		EMIT(g, LDX(BPF_DW, R2, R1, 0), STX(BPF_DW, R1, 8, R3), ALU64_X(BPF_ADD, R2, R3),
		     STX(BPF_B, R1, (int16_t)b_below(g, 8), R2));
		b_set_num(g, R2, UINT64_MAX);
	}
	if (f)
		EMIT(g, STX(BPF_DW, R10, TRACE, R3));
	if (!g->has_ctx)
		return;
	if (b_percent(g, 15)) {
		EMIT(g, STX(BPF_DW, R10, CTX_SLOT, R1));
	} else {
		g->ctx_reg = (uint8_t)(6 + b_below(g, 4));
		EMIT(g, MOV64_X(g->ctx_reg, R1));
		g->hold = (uint16_t)(1u << g->ctx_reg);
	}
	if (f)
		return;
	/* A number that the verifier does not know: else no two paths are alike. */
	if (g->want & F_NEAR) {
		EMIT(g, ST(BPF_DW, R10, TRACE, 0), MOV64_K(R2, (int32_t)b_below(g, 7)),
		     MOV64_K(R4, 8));
		b_stack_ptr(g, R3, TRACE);
		EMIT(g, CALL(BPF_FUNC_xdp_load_bytes));
	} else {
		EMIT(g, CALL(BPF_FUNC_xdp_get_buff_len), STX(BPF_DW, R10, TRACE, R0));
	}
	b_clobber(g);
}

/**
 * make_maps() - the program's maps: an array for results, a hash, one of either
 * @g: the program
 */
static void make_maps(struct gen *g)
{
	static const uint32_t keys[] = { 4, 6, 8, 16 }, values[] = { 4, 8, 16, 32, 64 };
	static const uint32_t entries[] = { 1, 2, 4, 64 };

	for (uint32_t m = 0; m < GEN_MAPS; m++) {
		bool hash = m == 1 || (m == 2 && b_percent(g, 50));

		g->p->maps[m] = (struct rw_map){
			.handle = m + 1,
			.map_type = hash ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY,
			.key_size = hash ? keys[b_below(g, ARRAY_SIZE(keys))] : 4,
			.value_size = m ? values[b_below(g, ARRAY_SIZE(values))] : 8,
			.max_entries = m ? entries[b_below(g, ARRAY_SIZE(entries))] : 16,
		};
	}
}

/**
 * wishes() - what a program may do
 * @g: the program
 *
 * Return: F_*
 */
static uint32_t wishes(struct gen *g)
{
	static const struct {
		uint32_t flag;
		uint32_t percent;
	} odds[] = {
		{ F_VAR, 40 }, { F_MOVE, 25 }, { F_META, 10 }, { F_LOOP, 40 }, { F_CALL, 30 },
		{ F_MAP, 60 }, { F_BYTES, 25 }, { F_WRITE, 60 }, { F_LEN, 50 }, { F_MIX, 15 },
		{ F_ODD, 20 }, { F_CSUM, 20 },
	};
	uint32_t want = 0;

	for (size_t i = 0; i < ARRAY_SIZE(odds); i++)
		if (b_percent(g, odds[i].percent))
			want |= odds[i].flag;
	if (b_percent(g, 50))
		want = (want & ~(uint32_t)(F_MOVE | F_META | F_WRITE | F_LEN)) | F_NEAR;
	return want;
}

/**
 * gen_program() - make a random program
 * @p: result
 * @seed: the same seed makes the same program
 */
void gen_program(struct gen_prog *p, uint64_t seed)
{
	struct gen g = { .p = p, .rng = seed, .next_id = 1, .func_cnt = 1 };

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	g.want = wishes(&g);
	g.funcs[0] = (struct func){ .sig = SIG_CTX, .moves = true };
	make_maps(&g);
	/* More functions come up while others are made. */
	for (uint8_t f = 0; f < g.func_cnt; f++) {
		begin_func(&g, f);
		g_block(&g, f ? 2 + b_below(&g, 8) : 5 + b_below(&g, b_below(&g, 3) ? 25 : 50));
		if (!g.st.dead)
			g_leave(&g);
	}
	for (uint8_t i = 0; i < g.call_cnt; i++)
		p->insns[g.calls[i]].imm =
			(int32_t)(g.funcs[g.callee[i]].start - g.calls[i] - 1);
}
