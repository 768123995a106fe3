// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Form sfi: locks
 *
 * A check can fail between bpf_spin_lock and bpf_spin_unlock, and the fault path
 * must not hold a lock: the kernel allows no call but the unlock then. So a function
 * that locks keeps the lock's address in a slot of its own, and such checks have a
 * fault path that unlocks first.
 */
#include <errno.h>
#include <stdlib.h>

#include "sfi.h"

#define FREE	1	/* no lock is held on some path */
#define HELD	2	/* one is */

/**
 * is_call() - is an instruction the call of a helper?
 * @insn: the instruction
 * @helper: number of the helper
 *
 * Return: true if so
 */
static bool is_call(const struct bpf_insn *insn, int32_t helper)
{
	return insn->code == RW_CALL && !insn->src_reg && insn->imm == helper;
}

/**
 * sfi_plan_locks() - find out where locks are held
 * @s: the translation; its locks are to be freed
 *
 * Return: 0, -ENOMEM or -EOPNOTSUPP
 */
int sfi_plan_locks(struct sfi *s)
{
	const struct rw_code *code = s->g->code;
	bool locks = false, grew = true;

	for (uint32_t i = 0; i < code->cnt; i++)
		locks |= is_call(&code->insns[i], BPF_FUNC_spin_lock);
	if (!locks)
		return 0;
	s->locks = calloc(code->cnt, 1);
	if (!s->locks)
		return -ENOMEM;
	for (uint32_t f = 0; f < code->func_cnt; f++)
		s->locks[code->funcs[f].start] = FREE;
	while (grew) {
		grew = false;
		for (uint32_t i = 0; i < code->cnt; i++) {
			uint8_t after = s->locks[i];
			uint32_t next[2];

			if (!after || (code->flags[i] & RW_I_HALF))
				continue;
			if (is_call(&code->insns[i], BPF_FUNC_spin_lock))
				after = HELD;
			else if (is_call(&code->insns[i], BPF_FUNC_spin_unlock))
				after = FREE;
			for (unsigned int n = rw_succ(code, i, next); n--;) {
				grew |= (after & ~s->locks[next[n]]) != 0;
				s->locks[next[n]] |= after;
			}
		}
	}
	for (uint32_t i = 0; i < code->cnt; i++)
		if (s->g->an->at[i].seen && s->locks[i] == (FREE | HELD))
			return CANNOT(s->g, i, "runs with a lock held on some paths and without "
				      "on others");
	return 0;
}

/**
 * sfi_locks() - does a function lock?
 * @s: the translation
 * @func: the function
 *
 * Return: true if so: then it has s->lock_slot
 */
bool sfi_locks(const struct sfi *s, const struct rw_func *func)
{
	for (uint32_t i = func->start; s->locks && i < func->end; i++)
		if (is_call(&s->g->code->insns[i], BPF_FUNC_spin_lock))
			return true;
	return false;
}

/**
 * sfi_lock() - note whether a lock is held, and keep its address if one is taken
 * @s: the translation
 * @at: index of the instruction at hand
 */
void sfi_lock(struct sfi *s, uint32_t at)
{
	s->held = s->locks && s->locks[at] == HELD;
	if (s->lock_slot && is_call(&s->g->code->insns[at], BPF_FUNC_spin_lock))
		rw_emit(&s->g->edit, STDW, BPF_REG_10, BPF_REG_1, s->lock_slot, 0);
}

/**
 * sfi_end_locks() - emit the fault path of checks with a lock held
 * @s: the translation, at the end of a function
 */
void sfi_end_locks(struct sfi *s)
{
	struct rw_edit *e = &s->g->edit;

	s->held = false;
	if (s->unlock == RW_NONE)
		return;
	rw_edit_own(e);
	rw_edit_place(e, s->unlock);
	rw_emit(e, LDDW, BPF_REG_1, BPF_REG_10, s->lock_slot, 0);
	rw_emit(e, RW_CALL, 0, 0, 0, BPF_FUNC_spin_unlock);
	rw_emit_goto(e, s->fault);
	s->faults = true;
}
