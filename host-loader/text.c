// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/**
 * text_vadd() - add formatted words to a text
 * @t: the text
 * @fmt: as for printf(); a newline ends a sentence that stands alone
 * @ap: its arguments
 */
void text_vadd(struct text *t, const char *fmt, va_list ap)
{
	va_list again;
	char *buf;
	int want;

	va_copy(again, ap);
	want = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (want <= 0 || t->len >= TEXT_MAX)
		return;
	if ((size_t)want > TEXT_MAX - t->len)
		want = (int)(TEXT_MAX - t->len);
	buf = realloc(t->buf, t->len + (size_t)want + 1);
	if (!buf)
		return;
	t->buf = buf;
	vsnprintf(buf + t->len, (size_t)want + 1, fmt, ap);
	t->len += (size_t)want;
}

/**
 * text_add() - add formatted words to a text
 * @t: the text
 * @fmt: as for printf()
 */
void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
}

/**
 * text_free() - give a text's memory back; the text is empty afterwards
 * @t: the text
 */
void text_free(struct text *t)
{
	free(t->buf);
	memset(t, 0, sizeof(*t));
}
