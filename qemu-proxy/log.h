/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H
#include <stdint.h>

/**
 * struct log_limit - how often what a guest provokes may be said
 * @window: start of the present window, in seconds of the monotonic clock
 * @said: messages in it
 *
 * Starts out all zero.
 */
struct log_limit {
	int64_t window;
	unsigned int said;
};

void log_msg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_guest(struct log_limit *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* LOG_H */
