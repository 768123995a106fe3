/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H
#include <syslog.h>

void log_msg(int priority, const char *port, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* LOG_H */
