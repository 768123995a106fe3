/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H
/* What the fuzz targets share: libFuzzer's entry points, and a property's check */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* End the run with a sentence, which libFuzzer reports as a crash, unless @cond holds. */
#define FUZZ_MUST(cond)                                                          \
	do {                                                                     \
		if (!(cond)) {                                                   \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                 \
		}                                                                \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/**
 * struct fuzz_input - what is left of an input
 * @data: its next byte
 * @left: bytes from there on
 */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/**
 * fuzz_bytes() - take bytes from the input
 * @in: the input
 * @want: how many
 * @got: set to how many there were
 *
 * Return: the bytes
 */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t want, size_t *got)
{
	const uint8_t *p = in->data;

	*got = want < in->left ? want : in->left;
	in->data += *got;
	in->left -= *got;
	return p;
}

/**
 * fuzz_byte() - take one byte from the input
 * @in: the input
 *
 * Return: the byte; 0 at the end
 */
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
	size_t got;
	const uint8_t *p = fuzz_bytes(in, 1, &got);

	return got ? *p : 0;
}

/**
 * fuzz_half() - take a 16-bit number from the input
 * @in: the input
 *
 * Return: the number
 */
static inline uint16_t fuzz_half(struct fuzz_input *in)
{
	uint16_t high = fuzz_byte(in);

	return (uint16_t)(high << 8 | fuzz_byte(in));
}

#endif /* FUZZ_H */
