/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_RNG_H
#define TEST_RNG_H
/* Random numbers that depend on a seed alone: Sebastiano Vigna's SplitMix64 */
#include <stdbool.h>
#include <stdint.h>

/**
 * rng_next() - 64 random bits
 * @state: of the generator; a seed at first
 *
 * Return: they
 */
static inline uint64_t rng_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/**
 * rng_below() - a random number
 * @state: of the generator
 * @limit: above the largest; not 0
 *
 * Return: it
 */
static inline uint32_t rng_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((rng_next(state) >> 32) * limit >> 32);
}

/**
 * rng_percent() - should something happen?
 * @state: of the generator
 * @percent: how often
 *
 * Return: true that often
 */
static inline bool rng_percent(uint64_t *state, uint32_t percent)
{
	return rng_below(state, 100) < percent;
}

#endif /* TEST_RNG_H */
