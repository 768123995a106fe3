/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BUCKET_H
#define BUCKET_H
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TOKEN	1000000ll	/* parts of a token */

/**
 * struct bucket - a token bucket: so much per second, so much at once
 * @level: parts of a token that are in it; below zero, what was taken ahead
 * @at: microseconds of the monotonic clock at which @level was right
 */
struct bucket {
	int64_t level;
	uint64_t at;
};

uint64_t bucket_now(void);
void bucket_init(struct bucket *bucket, uint32_t burst);
void bucket_fill(struct bucket *bucket, uint32_t rate, uint32_t burst);
void bucket_take(struct bucket *bucket, uint64_t parts);
uint64_t bucket_wait(const struct bucket *bucket, uint32_t rate);

#endif /* BUCKET_H */
