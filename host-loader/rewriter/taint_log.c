// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The verifier's log at level relaxed
 *
 * With CAP_PERFMON the verifier prints of each load of a map where in the kernel's
 * memory that map is: "(18) r1 = 0xffff8880…". Without, it prints zero there. What a
 * tenant gets of a log must have zero there as well.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "rewriter.h"

#define LONG_RUN	8	/* digits that are no address yet */

/**
 * zero_digits() - overwrite a hexadecimal number by zeroes
 * @at: where it begins
 *
 * Return: its end
 */
static char *zero_digits(char *at)
{
	while (isxdigit((unsigned char)*at))
		*at++ = '0';
	return at;
}

/**
 * zero_long() - overwrite all long numbers of a line
 * @at: the line
 *
 * Return: its end
 */
static char *zero_long(char *at)
{
	while (*at && *at != '\n') {
		size_t len = strspn(at, "0123456789abcdefABCDEF");

		if (len > LONG_RUN)
			zero_digits(at);
		at += len ? len : 1;
	}
	return at;
}

/**
 * rw_taint_log() - take the host's addresses out of a verifier's log
 * @log: the log of a load with CAP_PERFMON; changed in place, keeps its length
 *
 * Of a long log the kernel gives the end, which can begin in the middle of a line:
 * there no number is spared that is long enough.
 */
void rw_taint_log(char *log)
{
	static const char wide[] = "(18) r", is[] = " = 0x";
	char *at = zero_long(log);

	while ((at = strstr(at, wide))) {
		at += strlen(wide);
		while (isdigit((unsigned char)*at))
			at++;
		if (!strncmp(at, is, strlen(is)))
			at = zero_digits(at + strlen(is));
	}
}
