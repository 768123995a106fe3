// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A kernel that is short of memory, for a daemon that opens its pins
 *
 * Loaded in front of libbpf (LD_PRELOAD): to open a pin whose path contains the
 * words of $VBPF_FAIL_GET fails with ENOMEM.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * bpf_obj_get() - libbpf's, but for some paths
 * @path: of a pin
 *
 * Return: its fd, or a negative errno
 */
int bpf_obj_get(const char *path)
{
	const char *words = getenv("VBPF_FAIL_GET");
	int (*get)(const char *path);

	if (words && strstr(path, words)) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	*(void **)&get = dlsym(RTLD_NEXT, "bpf_obj_get");
	return get(path);
}
