/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_TWICE_H
#define REWRITER_TWICE_H
#include "decode.h"

int rw_twice(struct rw_code *code, struct bpf_insn **insns);

#endif /* REWRITER_TWICE_H */
