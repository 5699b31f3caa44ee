/* SPDX-License-Identifier: GPL-2.0-only */
/* /etc/ld.so.cache from anywhere: no crash, a search ends, and what it finds is text. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/elf/ldcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hwcap[] = {NULL, "x86-64-v2"};
	struct err e = {0};
	struct ldcache *c;

	if (ldcache_parse(&c, data, size, &e)) {
		if (!e.text[0] || c)
			abort();
		return 0;
	}
	for (size_t h = 0; h < 2; h++) {
		size_t at = 0, n = 0;
		const char *path;

		for (; (path = ldcache_next(c, "libc.so.6", hwcap[h], &at)); n++)
			if (strlen(path) >= PATH_MAX || n > size)
				abort();
	}
	ldcache_free(c);
	return 0;
}
