/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a loader looks: default directories, cache, hardware directories; and the words
 * of a search path. */
#ifndef DMA_LIBPATH_H
#define DMA_LIBPATH_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct ldcache;

struct loader {
	char *path; /* PT_INTERP */
	bool musl;
	char **dir; /* default directories, without a slash at the end */
	size_t ndir;
	char *lib;	      /* $LIB: "lib64", "lib/x86_64-linux-gnu" */
	const char *platform; /* $PLATFORM */
	const char *hwcap[3]; /* of glibc-hwcaps, the best first */
	size_t nhwcap;
	struct ldcache *cache; /* NULL = none, or it cannot be read */
};

int loader_read(struct loader *l, const char *interp, unsigned machine, struct err *e);
void loader_release(struct loader *l);
bool loader_is_default(const struct loader *l, const char *dir);

/* Names of directories under glibc-hwcaps that this processor can use, best first, by
 * /proc/cpuinfo's text; up to 3. */
size_t hwcap_levels(const char *cpuinfo, const char *name[3]);

/* $ORIGIN, $LIB and $PLATFORM (also in braces) of one path or name. malloc'ed; NULL: no
 * memory. *origin: $ORIGIN was among them. */
char *expand_tokens(const struct loader *l, const char *text, size_t len,
		    const char *origin_dir, bool *origin);

#endif
