/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RATE_H
#define RATE_H
#include <stdint.h>

/*
 * What requests cost, and how much a guest may spend. One that we do ourselves
 * costs this VM's process time alone; the loader's time is everybody's, which
 * therefore limits as well.
 */
#define RATE_PER_SECOND	20000u
#define RATE_BURST	40000u
#define RATE_ANY	1u	/* 20,000 a second */
#define RATE_LOADER	200u	/* 100 a second, 200 at once */

/**
 * struct rate - a token bucket
 * @spent: tokens that are not there; as many come back as time goes by
 * @at: when @spent was right, in us of the monotonic clock
 *
 * Starts out all zero, which is full.
 */
struct rate {
	uint64_t spent;
	uint64_t at;
};

uint64_t rate_wait(struct rate *r, uint64_t now);
void rate_take(struct rate *r, unsigned int tokens);

#endif /* RATE_H */
