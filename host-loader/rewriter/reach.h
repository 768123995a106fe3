/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_REACH_H
#define REWRITER_REACH_H
#include "analysis.h"

uint32_t rw_reach(const struct rw_prog *prog, const struct rw_code *code,
		  const struct rw_analysis *an);

#endif /* REWRITER_REACH_H */
