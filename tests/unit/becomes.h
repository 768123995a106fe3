/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_BECOMES_H
#define TEST_BECOMES_H
/* What the rewriter makes of programs, instruction by instruction */
#include "../../host-loader/rewriter/rewriter.h"
#include "../ktap.h"
#include "insns.h"

/* Two lists of instructions: the program, and what should become of it */
#define LIST(...) { __VA_ARGS__ }

/*
 * Fail the case unless a program becomes that. What translates it is the including
 * file's: rewrite(insns, cnt, out, why), which returns what rw_rewrite() returned.
 */
#define BECOMES(in, ...)                                                             \
	do {                                                                         \
		static const struct bpf_insn in_[] = in;                             \
		static const struct bpf_insn want_[] = { __VA_ARGS__ };              \
		struct text why_ = { 0 };                                            \
		struct rw_out out_;                                                  \
		int err_ = rewrite(in_, ARRAY_SIZE(in_), &out_, &why_);              \
		                                                                     \
		CHECK(becomes(err_, &out_, &why_, want_, ARRAY_SIZE(want_)));        \
	} while (0)

bool becomes(int err, struct rw_out *out, struct text *why, const struct bpf_insn *want,
	     uint32_t want_cnt);

#endif /* TEST_BECOMES_H */
