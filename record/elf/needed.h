/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that the loader will map for a program, found as ld.so(8) says (glibc 2.33
 * and newer; musl's rules for a program of musl's loader), without running anything:
 * neither the program nor its interpreter. The interpreter's file is only read, for the
 * default directories and the cache's path that are built into it.
 *
 * Not looked at: LD_AUDIT; hardware directories of the days before glibc 2.33 ("tls",
 * "haswell"); GLIBC_TUNABLES.
 */
#ifndef DMA_NEEDED_H
#define DMA_NEEDED_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct needed_options {
	const char *library_path,
		*preload; /* LD_LIBRARY_PATH, LD_PRELOAD; NULL = unset */
	bool secure;	  /* set-uid and the like: these two count little or nothing */
	/* Also libraries that are named among the constants of the program and of
	 * libraries outside the system's directories: they may be given to dlopen. */
	bool opened;
};

struct needed {
	char **path; /* real paths: the program, then libraries in order; without loader
		      */
	size_t n;
	char *missing; /* "liba.so, libb.so": not found; NULL = none. Control characters
			* are shown as "?". */
};

/* Bounded: 4096 files, 2^16 names, 2^17 paths tried; what lies beyond is said in
 * missing. */
int needed_find(struct needed *out, const char *program, const struct needed_options *o,
		struct err *e);
void needed_release(struct needed *l);

/* Does the path lie in a directory of the system's own programs and libraries? */
bool is_system_file(const char *path);

#endif
