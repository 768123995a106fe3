/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEXT_H
#define TEXT_H
#include <stdarg.h>
#include <stddef.h>

/**
 * struct text - sentences for a tenant or an operator, bounded
 * @buf: NUL-terminated once anything was added; owned, free with text_free()
 * @len: bytes in @buf without the NUL
 *
 * Starts out all zero. What does not fit below TEXT_MAX is left away from the
 * end; running out of memory leaves the text as it is. Neither is an error: the
 * text explains a result that has been decided already.
 */
struct text {
	char *buf;
	size_t len;
};

#define TEXT_MAX 32768u

void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

#endif /* TEXT_H */
