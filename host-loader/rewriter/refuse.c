// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>

#include "insn.h"
#include "refuse.h"

/**
 * rw_refuse() - say why a program is refused
 * @why: where to say it; may be NULL
 * @err: negative errno
 * @insn: index of the tenant's instruction that is meant, or RW_NONE
 * @fmt: the rest of the sentence, without full stop and newline
 *
 * Return: @err
 */
int rw_refuse(struct text *why, int err, uint32_t insn, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	if (insn != RW_NONE)
		text_add(why, "instruction %u: ", insn);
	va_start(ap, fmt);
	text_vadd(why, fmt, ap);
	va_end(ap);
	text_add(why, "\n");
	return err;
}
