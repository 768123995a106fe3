// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Fuzz target: the configuration file
 *
 * Whatever is in it, it is taken, or refused in words.
 */
#include <stdio.h>

#include "../../host-loader/conf.h"
#include "fuzz.h"

/**
 * LLVMFuzzerTestOneInput() - read the input as a configuration file
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf = { 0 };
	struct text why = { 0 };
	FILE *file;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	FUZZ_MUST(file);
	if (conf_read_file(file, "fuzz.conf", &conf, &why))
		FUZZ_MUST(why.len);
	else
		FUZZ_MUST(!why.len);
	fclose(file);
	conf_free(&conf);
	text_free(&why);
	return 0;
}
