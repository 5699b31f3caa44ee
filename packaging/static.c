/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tools of make dist-static alone (-Wl,--wrap=dlopen). libdw opens libdebuginfod at
 * run time; a static program that loads a host's library, made for another libc, crashes
 * in it. Without it, debug information is looked for on this machine only.
 */
#include <stddef.h>

void *__wrap_dlopen(const char *file, int mode);

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}
