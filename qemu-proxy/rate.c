// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How often a guest may ask
 *
 * What is too much waits in the guest's own ring: nothing is refused, nothing
 * held on our side, and the guest is served again as soon as it may be. What a
 * request costs is known only when it was read, so it may always be paid, even
 * with tokens that are yet to come; but the next one is not read before that
 * debt is gone.
 */
#include "rate.h"

#define USEC	1000000ull

/**
 * rate_wait() - how long to wait before the next request
 * @r: the bucket
 * @now: us of the monotonic clock
 *
 * Return: us; 0 if the next may be read now
 */
uint64_t rate_wait(struct rate *r, uint64_t now)
{
	uint64_t passed = now > r->at ? now - r->at : 0, back;

	/* Full again long before this could overflow */
	if (passed > USEC * RATE_BURST)
		passed = USEC * RATE_BURST;
	back = passed * RATE_PER_SECOND / USEC;
	if (back >= r->spent) {
		r->spent = 0;
		r->at = now;
	} else if (back) {
		r->spent -= back;
		/* What is left of a token's time counts for the next. */
		r->at += back * USEC / RATE_PER_SECOND;
	}
	if (r->spent <= RATE_BURST)
		return 0;
	return (r->spent - RATE_BURST) * USEC / RATE_PER_SECOND + 1;
}

/**
 * rate_take() - pay for a request
 * @r: the bucket
 * @tokens: RATE_*
 */
void rate_take(struct rate *r, unsigned int tokens)
{
	r->spent += tokens;
}
