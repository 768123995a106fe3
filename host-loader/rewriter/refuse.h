/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_REFUSE_H
#define REWRITER_REFUSE_H
#include <stdint.h>

#include "../text.h"

int rw_refuse(struct text *why, int err, uint32_t insn, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* REWRITER_REFUSE_H */
