// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Token buckets
 *
 * What something costs is known only when it is done. So it may begin while
 * there is anything in the bucket, and what it took beyond that is a debt that
 * time has to fill first: over any long time no more goes out than comes in.
 *
 * A token has a million parts. Of a millisecond, that is a nanosecond; and at
 * R tokens per second R parts come in per microsecond.
 */
#include <time.h>

#include "bucket.h"

#define BUCKET_LONG	3600000000ull	/* microseconds: fills any bucket */

/**
 * bucket_now() - the monotonic clock
 *
 * Return: microseconds
 */
uint64_t bucket_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/**
 * bucket_init() - make a full bucket
 * @bucket: the bucket
 * @burst: tokens that it holds
 */
void bucket_init(struct bucket *bucket, uint32_t burst)
{
	bucket->level = burst * BUCKET_TOKEN;
	bucket->at = bucket_now();
}

/**
 * bucket_fill() - put in what has come since the last time
 * @bucket: the bucket
 * @rate: tokens per second, at most a million
 * @burst: tokens that it holds, at most a million
 */
void bucket_fill(struct bucket *bucket, uint32_t rate, uint32_t burst)
{
	uint64_t now = bucket_now(), since = now - bucket->at;

	if (since > BUCKET_LONG)
		since = BUCKET_LONG;
	bucket->level += (int64_t)(since * rate);
	if (bucket->level > burst * BUCKET_TOKEN)
		bucket->level = burst * BUCKET_TOKEN;
	bucket->at = now;
}

/**
 * bucket_take() - take out what something cost
 * @bucket: the bucket; may go below zero
 * @parts: of a token, at most a day's worth at the highest rate
 */
void bucket_take(struct bucket *bucket, uint64_t parts)
{
	bucket->level -= (int64_t)parts;
}

/**
 * bucket_wait() - when is there something in it again?
 * @bucket: the bucket, filled just now
 * @rate: tokens per second
 *
 * Return: microseconds from now, 0 if there is
 */
uint64_t bucket_wait(const struct bucket *bucket, uint32_t rate)
{
	return bucket->level > 0 ? 0 : (uint64_t)-bucket->level / rate + 1;
}
