/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_CHECK_H
#define REWRITER_CHECK_H
#include "rewriter.h"

int rw_check_insns(const struct rw_prog *prog, uint32_t max_insns, struct text *why);
uint32_t rw_find_map(const struct rw_prog *prog, uint32_t handle);

#endif /* REWRITER_CHECK_H */
