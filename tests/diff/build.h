/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_BUILD_H
#define TEST_BUILD_H
/**
 * DOC: How a random program is built
 *
 * Statements are emitted one after the other, and with each one it is followed
 * what registers and stack hold, much as the verifier does, but one structured
 * block at a time: where branches meet, what they do not agree on is no longer
 * used. Statements choose their operands among what there is.
 *
 * Besides, a guess is kept of every number: what it would be if nothing had
 * changed it but moves and arithmetic on constants. Numbers are compared with
 * their guesses, so that a translation that takes a number for a constant, or
 * for the wrong one, goes the wrong way.
 *
 * Stack of each function: a key at r10 - 4, a value at r10 - 16, the context,
 * where it is kept there, at r10 - 24 and a trace of the branches taken at
 * r10 - 32; below is the area of random use.
 */
#include <stdbool.h>

#include "../unit/insns.h"
#include "gen.h"
#include "rng.h"

#define NO_REG		0xff
#define MEMSX		0x80	/* BPF_MEMSX, which is younger than some headers */
#define STACK		256	/* bytes of stack that are followed */
#define SINK_KEY	(-4)
#define SINK_VALUE	(-16)
#define CTX_SLOT	(-24)
#define TRACE		(-32)
#define AREA_TOP	TRACE	/* end of the area of random use */
#define IDS		1000	/* origins of packet pointers in one program */
#define FUNCS		4	/* with the program's entry */
#define CALLS		64

/* What a register or eight bytes of stack can hold */
enum kind { NONE, NUM, CTX, PKT, END, VALUE };

/**
 * struct val - what a register or a slot holds
 * @kind: which kind of value
 * @id: PKT: its origin, counted from 1
 * @map: VALUE: index of the map
 * @off: PKT: constant offset from the origin; VALUE: from the value's start
 * @max: NUM: the verifier knows that it is not above this
 * @guess: NUM: what it may be
 */
struct val {
	enum kind kind;
	uint16_t id;
	uint8_t map;
	int16_t off;
	uint64_t max;
	uint64_t guess;
};

/**
 * struct state - what is known at one place of the program
 * @reg: registers without r10
 * @slot: spilled values, by number of eight bytes from the lowest
 * @init: bytes of the stack that hold data
 * @guess: what they may be
 * @range: bytes behind each origin that are checked to be in the packet
 * @dead: no path comes here
 */
struct state {
	struct val reg[10];
	struct val slot[STACK / 8];
	bool init[STACK];
	uint8_t guess[STACK];
	uint16_t range[IDS];
	bool dead;
};

/* What a function takes in r1 and so on */
enum sig { SIG_NUMS, SIG_CTX, SIG_STACK, SIG_PKT, SIGS };

/**
 * struct func - one of the program's functions
 * @sig: what it takes
 * @moves: it can move the packet's ends
 * @start: index of its first instruction
 */
struct func {
	enum sig sig;
	bool moves;
	uint32_t start;
};

/* What a program may do besides arithmetic and direct packet access */
enum {
	F_VAR = 1 << 0,		/* variable offsets into the packet */
	F_MOVE = 1 << 1,	/* adjust_head and adjust_tail */
	F_META = 1 << 2,	/* adjust_meta */
	F_LOOP = 1 << 3,	/* loops */
	F_CALL = 1 << 4,	/* own functions */
	F_MAP = 1 << 5,		/* maps */
	F_BYTES = 1 << 6,	/* load_bytes and store_bytes */
	F_WRITE = 1 << 7,	/* stores to the packet */
	F_LEN = 1 << 8,		/* differences of packet pointers */
	F_MIX = 1 << 9,		/* a register with different pointers on different paths */
	F_ODD = 1 << 10,	/* what few programs do */
	F_CSUM = 1 << 11,	/* csum_diff */
	F_NEAR = 1 << 12,	/* nothing that makes all of the packet matter */
};

/**
 * struct gen - one program being built
 * @p: the program
 * @rng: the random numbers' state
 * @want: F_*
 * @st: what is known at the end of the program so far
 * @hold: registers that must not be written now
 * @num_only: registers that numbers alone may be written to now
 * @busy: registers that the statement at hand needs
 * @func: the function at hand
 * @has_ctx: it has the context
 * @ctx_reg: where, or NO_REG if it is in its slot
 * @area: lowest offset of its area of random use
 * @depth: blocks around the place
 * @loops: loops around the place
 * @next_id: next origin of a packet pointer
 * @grown: bytes by which the packet's head has been moved forward at most
 * @funcs: the functions
 * @func_cnt: number of them
 * @calls: instructions that call them
 * @callee: which function each of them calls
 * @call_cnt: number of @calls
 */
struct gen {
	struct gen_prog *p;
	uint64_t rng;
	uint32_t want;
	struct state st;
	uint16_t hold;
	uint16_t num_only;
	uint16_t busy;
	uint8_t func;
	bool has_ctx;
	uint8_t ctx_reg;
	int16_t area;
	uint8_t depth;
	uint8_t loops;
	uint16_t next_id;
	uint16_t grown;
	struct func funcs[FUNCS];
	uint8_t func_cnt;
	uint32_t calls[CALLS];
	uint8_t callee[CALLS];
	uint8_t call_cnt;
};

#define EMIT(g, ...)                                              \
	b_emit(g, (const struct bpf_insn[]){ __VA_ARGS__ },       \
	       sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / \
		       sizeof(struct bpf_insn))

/* build.c */
uint32_t b_below(struct gen *g, uint32_t limit);
bool b_percent(struct gen *g, uint32_t percent);
int32_t b_number(struct gen *g);
uint8_t b_size(struct gen *g, uint32_t room);
uint32_t b_bytes(uint8_t size);
void b_emit(struct gen *g, const struct bpf_insn *insns, uint32_t cnt);
uint32_t b_jump(struct gen *g, struct bpf_insn insn);
void b_land(struct gen *g, uint32_t jump);
bool b_full(const struct gen *g);
void b_set(struct gen *g, uint8_t reg, enum kind kind);
void b_set_num(struct gen *g, uint8_t reg, uint64_t max);
void b_set_const(struct gen *g, uint8_t reg, uint64_t number);
uint8_t b_take(struct gen *g, enum kind kind);
uint8_t b_take_saved(struct gen *g, enum kind kind);
uint8_t b_find(struct gen *g, enum kind kind);
uint8_t b_find_saved(struct gen *g, enum kind kind);
uint8_t b_num(struct gen *g);
void b_ctx(struct gen *g, uint8_t reg);
void b_clobber(struct gen *g);
void b_forget(struct gen *g, enum kind kind);
void b_meet(struct gen *g, struct state *a, const struct state *b);
int16_t b_buffer(struct gen *g, uint32_t size);
void b_wrote(struct gen *g, int16_t off, uint32_t size);
void b_guess_store(struct gen *g, int16_t off, uint32_t size, uint64_t guess);
uint64_t b_guess_load(const struct gen *g, int16_t off, uint32_t size, bool is_signed);
void b_fill(struct gen *g, int16_t off, uint32_t size);
int16_t b_data(struct gen *g, uint32_t size);
void b_stack_ptr(struct gen *g, uint8_t reg, int16_t off);

/* gen.c */
void g_block(struct gen *g, uint32_t statements);
void g_leave(struct gen *g);
void g_guard(struct gen *g, uint32_t jump);
void g_sink(struct gen *g);
void g_trace(struct gen *g);

/* gen_num.c */
void g_alu(struct gen *g);
void g_store(struct gen *g);
void g_load(struct gen *g);
void g_spill(struct gen *g);
void g_fill(struct gen *g);
void g_stack_var(struct gen *g);
void g_stack_arms(struct gen *g);
void g_odd_number(struct gen *g);
void g_stale(struct gen *g);
struct bpf_insn g_condition(struct gen *g);

/* gen_pkt.c */
void g_pkt_check(struct gen *g);
void g_pkt_load(struct gen *g);
void g_pkt_store(struct gen *g);
void g_pkt_step(struct gen *g);
void g_pkt_var(struct gen *g);
void g_pkt_walk(struct gen *g);
void g_len(struct gen *g);
void g_ctx_field(struct gen *g);
uint8_t g_pkt(struct gen *g);
uint8_t g_end(struct gen *g);
uint8_t g_checked(struct gen *g, uint32_t size, bool saved, int16_t *off);

/* gen_call.c */
void g_head(struct gen *g);
void g_tail(struct gen *g);
void g_meta(struct gen *g);
void g_bytes(struct gen *g);
void g_csum(struct gen *g);
void g_lookup(struct gen *g);
void g_update(struct gen *g);
void g_value(struct gen *g);
void g_atomic(struct gen *g);
void g_mix(struct gen *g);

#endif /* TEST_BUILD_H */
