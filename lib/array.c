/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *array, size_t *n, size_t size)
{
	char *old, *grown, *added;

	memcpy(&old, array, sizeof(old)); /* a T **, whatever T is */
	grown = old;
	if (!(*n & (*n - 1))) {
		if (*n > SIZE_MAX / 2)
			return NULL;
		grown = reallocarray(old, *n ? 2 * *n : 1, size);
		if (!grown)
			return NULL;
		memcpy(array, &grown, sizeof(grown));
	}
	added = grown + (*n)++ * size;
	return memset(added, 0, size);
}
