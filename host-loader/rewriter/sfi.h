/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_SFI_H
#define REWRITER_SFI_H
/**
 * DOC: Form sfi, inside
 *
 * A packet pointer is a number: SFI_BASE plus an offset into the packet area of
 * the scratch, where the packet starts at RW_HEADROOM. The base is so high that
 * no arithmetic that an XDP verifier allows makes a pointer wrap around, that
 * none is ever NULL and that 32 bits hold it.
 *
 * Start, end and start of the metadata are in the scratch's header if they can
 * move. If not, the start is a constant, plus a zero from the header if places in
 * the packet vary, and the end is in the header if it is needed for that or for
 * checks; else it is the start plus the packet's length. The verifier is to know
 * nothing of a pointer that is not at a constant place, whichever path it comes
 * by. That is what it wants: limits that differ from path to path are an error
 * to it, and make all paths differ.
 */
#include "gen.h"

#define SFI_BASE	(1 << 30)
#define SFI_DATA	(SFI_BASE + RW_HEADROOM)	/* start of a packet that came in */
#define SFI_FRAME	40		/* of the headroom is XDP's own: struct xdp_frame */
#define SFI_META_MAX	255		/* bytes of metadata */
#define SFI_NOWHERE	0x7fffffff	/* offset at which no packet has bytes */

/* The scratch's header: offsets of numbers of eight bytes each */
#define SFI_H_BUSY	0	/* a packet is being worked on: SFI_CLEAN or SFI_DIRTY */
#define SFI_H_DATA	8	/* the packet's start */
#define SFI_H_END	16	/* its end */
#define SFI_H_META	24	/* start of its metadata; equals its start if there is none */
#define SFI_H_LOW	32	/* lowest start so far: what is below is to be zeroed first */
#define SFI_H_FAULT	40	/* a function of the program gave up */
#define SFI_H_ZERO	48	/* zero, which the verifier does not know */
#define SFI_H_LEFT	56	/* instructions that may run again, where loops are counted */

/* The first number there: as many as the verifier looks at in other programs */
#define SFI_WORK	1000000

#define SFI_CLEAN	1	/* packet and scratch are the same */
#define SFI_DIRTY	2	/* they differ */

/* Short names for what is emitted most */
#define ADD_K	(BPF_ALU64 | BPF_ADD | BPF_K)
#define ADD_X	(BPF_ALU64 | BPF_ADD | BPF_X)
#define SUB_X	(BPF_ALU64 | BPF_SUB | BPF_X)
#define MOV_K	(BPF_ALU64 | BPF_MOV | BPF_K)
#define MOV_X	(BPF_ALU64 | BPF_MOV | BPF_X)
#define MOV32_X	(BPF_ALU | BPF_MOV | BPF_X)
#define LDW	(BPF_LDX | BPF_MEM | BPF_W)
#define LDDW	(BPF_LDX | BPF_MEM | BPF_DW)
#define STDW	(BPF_STX | BPF_MEM | BPF_DW)
#define STW_K	(BPF_ST | BPF_MEM | BPF_W)
#define STDW_K	(BPF_ST | BPF_MEM | BPF_DW)
#define JMP_K(op)	(BPF_JMP | (op) | BPF_K)
#define JMP_X(op)	(BPF_JMP | (op) | BPF_X)

/* Functions that the output has beside the tenant's, where they are needed */
enum sfi_own {
	SFI_OWN_HEAD,	/* xdp_adjust_head: r1 context, r2 offset, r3 scratch */
	SFI_OWN_TAIL,	/* xdp_adjust_tail: the same */
	SFI_OWN_META,	/* xdp_adjust_meta: the same */
	SFI_OWN_LOAD,	/* xdp_load_bytes: its arguments, r5 scratch */
	SFI_OWN_STORE,	/* xdp_store_bytes: the same */
	SFI_OWN_SYNC,	/* write the packet back: r1 context, r2 scratch */
	SFI_OWN_MAX,
};

/**
 * struct sfi_group - accesses that share a pointer into the scratch
 * @reg: register that holds it
 * @ptr: the program's register that they all use, or RW_REGS if they are all at
 *       constant places
 * @low: the lowest offset from @ptr: where @reg points to; 0 without @ptr
 * @high: the highest one at which one of them ends
 * @last: the last of them, or RW_NONE if there is no group
 */
struct sfi_group {
	uint8_t reg;
	uint8_t ptr;
	int32_t low;
	int32_t high;
	uint32_t last;
};

/**
 * struct sfi - one translation into form sfi
 * @g: the translation
 * @limit: end of what is copied of a packet, as an offset into the packet area
 * @writes: some instruction changes the packet
 * @moves: some instruction moves its start, its end or its metadata
 * @metas: some instruction moves its metadata or asks where it starts
 * @copies: some instruction calls xdp_load_bytes or xdp_store_bytes
 * @varies: some access is not at a constant place
 * @limits: some loop has to be counted
 * @checks: some access has to be checked against the packet's end
 * @frames: pointers into the program's stacks are numbers
 * @framed: of each function the slots of its stack that are in its frame
 * @split: of each function the slots of its stack whose pointers are kept apart
 * @frame_at: of each function the place of its r10, as an offset into the packet area
 * @frame_end: end of all frames, the same
 * @uses: bit n set: function n of the program needs the scratch
 * @weight: of each function how many instructions run in it at most without a jump
 *          back, with those of what it calls; or 0 if nobody has asked
 * @own: labels of own functions, or RW_NONE
 * @func: index of the function at hand
 * @fault: label of its fault path
 * @faults: that label is used
 * @ctx_slot: offset from r10 where the entry function keeps the context
 * @scratch_reg: register that the function keeps the scratch in, or 0
 * @scratch_slot: offset from r10 where it keeps it instead, or 0
 * @marked: that the packet is changed has been noted on every path that comes here
 * @group: the accesses at hand that share a pointer
 * @spill_slot: offsets from r10 of two slots for what has to make room
 * @apart: of each slot of the function whose pointers are kept apart: where
 * @loop_slot: offset from r10 for the store at loop heads, or 0
 * @locks: of each instruction whether a lock is held there, or NULL if none ever is
 * @held: one is at the instruction at hand
 * @lock_slot: offset from r10 where a function that locks keeps the lock's address, or 0
 * @unlock: label of the fault path that unlocks first, or RW_NONE
 */
struct sfi {
	struct rw_gen *g;
	int32_t limit;
	bool writes;
	bool moves;
	bool metas;
	bool copies;
	bool varies;
	bool limits;
	bool checks;
	bool frames;
	uint64_t framed[RW_MAX_FUNCS];
	uint64_t split[RW_MAX_FUNCS];
	int32_t frame_at[RW_MAX_FUNCS];
	int32_t frame_end;
	uint8_t uses[RW_MAX_FUNCS / 8];
	uint32_t weight[RW_MAX_FUNCS];
	uint32_t own[SFI_OWN_MAX];
	uint32_t func;
	uint32_t fault;
	bool faults;
	int16_t ctx_slot;
	uint8_t scratch_reg;
	int16_t scratch_slot;
	bool marked;
	struct sfi_group group;
	int16_t spill_slot[2];
	int16_t apart[RW_SLOTS];
	int16_t loop_slot;
	uint8_t *locks;
	bool held;
	int16_t lock_slot;
	uint32_t unlock;
};

/**
 * struct sfi_temp - a register that is borrowed
 * @reg: it
 * @slot: where its value was put meanwhile, or 0 if it held none
 */
struct sfi_temp {
	uint8_t reg;
	int16_t slot;
};

/* sfi.c: what the other files emit with */
void sfi_jump(struct sfi *s, uint8_t code, uint8_t dst, uint8_t src, int32_t imm, uint32_t label);
void sfi_fault(struct sfi *s, uint8_t code, uint8_t dst, uint8_t src, int32_t imm);
void sfi_scratch(struct sfi *s, uint8_t dst);
uint8_t sfi_base(struct sfi *s, uint8_t spare);
void sfi_header(struct sfi *s, uint8_t dst, int16_t field);
void sfi_start(struct sfi *s, uint8_t dst);

/* sfi_group.c: accesses that share a pointer */
bool sfi_group(struct sfi *s, uint32_t at, int32_t *off);

/* sfi_access.c: loads from and stores to the packet, variable places in map values */
bool sfi_touches(const struct rw_gen *g, uint32_t at);
bool sfi_stores(const struct rw_gen *g, uint32_t at);
void sfi_survey_access(struct sfi *s, uint32_t at);
int sfi_load(struct sfi *s, uint32_t at);
int sfi_store(struct sfi *s, uint32_t at);
bool sfi_moves_value(const struct rw_gen *g, uint32_t at, int32_t *limit);
void sfi_move_value(struct sfi *s, uint32_t at, int32_t limit);
bool sfi_is_packet(const struct rw_val *v);
bool sfi_inside(const struct rw_val *v, int32_t off, uint32_t size);
bool sfi_fixed(const struct sfi *s, const struct rw_val *v, int32_t off, uint32_t size);

struct sfi_temp sfi_take(struct sfi *s, uint32_t at, uint16_t used, int nth);
void sfi_give_back(struct sfi *s, struct sfi_temp t);
void sfi_emit_access(struct sfi *s, uint32_t at, uint8_t ptr, int32_t off);

/* sfi_stack.c: what the program keeps in its stacks */
int sfi_plan_stack(struct sfi *s);
bool sfi_uses_frame(const struct sfi *s, uint32_t at);
int sfi_clear(struct sfi *s, uint32_t at, uint8_t reg, const struct rw_val *v);
int sfi_fetch(struct sfi *s, uint32_t at, uint8_t ptr, int16_t off);
int sfi_stack_access(struct sfi *s, uint32_t at);
int sfi_stack_argument(struct sfi *s, uint32_t at, int i);
int sfi_stack_alu(struct sfi *s, uint32_t at);
uint64_t sfi_slots(int64_t from, int64_t to);
bool sfi_is_own(const struct rw_gen *g, uint32_t at, const struct rw_val *v, int64_t *off);
bool sfi_in_frame(const struct sfi *s, uint32_t at, int64_t off, int32_t *place);

/* sfi_spill.c: pointers that are kept apart from data */
int sfi_plan_spills(struct sfi *s);
bool sfi_spill(struct sfi *s, uint32_t at);

/* sfi_loop.c: loops */
void sfi_forget(struct sfi *s, uint32_t at);
void sfi_head(struct sfi *s, uint32_t at);

/* sfi_lock.c: locks */
int sfi_plan_locks(struct sfi *s);
bool sfi_locks(const struct sfi *s, const struct rw_func *func);
void sfi_lock(struct sfi *s, uint32_t at);
void sfi_end_locks(struct sfi *s);

/* sfi_helper.c: calls of helpers */
bool sfi_is_memory(const struct rw_gen *g, uint32_t at, int i);
uint32_t sfi_memory_size(const struct sfi *s, uint32_t at, int i);
bool sfi_helper_uses(const struct rw_gen *g, uint32_t at);
void sfi_survey_helper(struct sfi *s, uint32_t at);
bool sfi_helper_copies(const struct bpf_insn *insn);
int sfi_helper(struct sfi *s, uint32_t at);

/* sfi_own.c: own functions */
uint32_t sfi_own(struct sfi *s, enum sfi_own own);
void sfi_write_back(struct sfi *s, uint8_t base, uint32_t failed);
void sfi_emit_own(struct sfi *s);

#endif /* REWRITER_SFI_H */
