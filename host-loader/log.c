// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

/**
 * log_msg() - one line for the operator, on stderr
 * @priority: LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO
 * @port: name of the port concerned, or NULL
 * @fmt: as for printf(), without a newline
 *
 * The journal takes the priority from the line's prefix (sd-daemon(3)); a
 * person at a terminal is spared it. What does not fit in a line is cut: none
 * of it comes from a tenant unchecked.
 */
void log_msg(int priority, const char *port, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!isatty(STDERR_FILENO))
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "%s%s%s\n", port ? port : "", port ? ": " : "", line);
}
