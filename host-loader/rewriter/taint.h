/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_TAINT_H
#define REWRITER_TAINT_H
#include "analysis.h"

int rw_taint_insn(const struct rw_code *code, const struct rw_analysis *an, uint32_t at,
		  struct text *why);
int rw_taint(const struct rw_code *code, const struct rw_analysis *an, struct text *why);

#endif /* REWRITER_TAINT_H */
