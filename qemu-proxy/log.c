// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Sentences for the operator, on stderr
 *
 * Whoever starts the proxy decides where stderr goes. A guest can provoke some
 * of the messages as often as it likes: those are counted, so that no guest
 * fills the host's log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "log.h"

#define LOG_WINDOW	60	/* seconds */
#define LOG_IN_WINDOW	10	/* messages */

/**
 * log_vmsg() - write one line
 * @fmt: as printf's, without a newline
 * @ap: its arguments
 */
static void __attribute__((format(printf, 1, 0)))
log_vmsg(const char *fmt, va_list ap)
{
	flockfile(stderr);
	fputs("virtio-bpf-proxy: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/**
 * log_msg() - say something to the operator
 * @fmt: as printf's, without a newline
 */
void log_msg(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(fmt, ap);
	va_end(ap);
}

/**
 * log_guest() - say something that a guest can provoke
 * @l: counts; beyond LOG_IN_WINDOW messages in LOG_WINDOW seconds nothing is
 *     written
 * @fmt: as printf's, without a newline
 */
void log_guest(struct log_limit *l, const char *fmt, ...)
{
	struct timespec now;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!l->said || now.tv_sec - l->window >= LOG_WINDOW) {
		l->window = now.tv_sec;
		l->said = 0;
	}
	if (l->said > LOG_IN_WINDOW)
		return;
	if (l->said++ == LOG_IN_WINDOW) {
		log_msg("more of what this guest does wrong is not said for %d s", LOG_WINDOW);
		return;
	}
	va_start(ap, fmt);
	log_vmsg(fmt, ap);
	va_end(ap);
}
