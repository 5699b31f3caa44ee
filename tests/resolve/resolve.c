/* SPDX-License-Identifier: GPL-2.0-only */
/* resolve PROGRAM...: "PROGRAM: FILE" for every library that the loader will map, and
 * "PROGRAM: not found NAMES". */
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "record/elf/needed.h"

int main(int argc, char **argv)
{
	const struct needed_options o = {.library_path = getenv("LD_LIBRARY_PATH"),
					 .preload = getenv("LD_PRELOAD")};

	for (int i = 1; i < argc; i++) {
		struct needed l;
		struct err e = {0};

		if (needed_find(&l, argv[i], &o, &e)) {
			printf("%s: %s\n", argv[i], e.text);
			continue;
		}
		for (size_t k = 1; k < l.n; k++)
			printf("%s: %s\n", argv[i], l.path[k]);
		if (l.missing)
			printf("%s: not found %s\n", argv[i], l.missing);
		needed_release(&l);
	}
	return 0;
}
