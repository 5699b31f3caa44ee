/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While libelf and libdw read a file of a stranger's. Whatever they map may be cut meanwhile:
 * the pages that are gone are zeros then, no SIGBUS. And what they allocate is bounded by the
 * size of what they read: a compressed section and .gnu_debugdata grow to what they like, a
 * thousandfold. (RLIMIT_DATA, so it is the process's; not while other threads allocate much.)
 */
#ifndef DMA_CARE_H
#define DMA_CARE_H

#include <stdbool.h>
#include <sys/resource.h>

#include "lib/file/mapguard.h"

struct elf_care {
	struct mapguard anywhere;
	struct rlimit was;
	bool limited;
};

/* fd: of the file that is read. */
void elf_care_begin(struct elf_care *c, int fd);
/* That one is read, too: its debug file. */
void elf_care_more(struct elf_care *c, int fd);
/* Was a page of what they mapped gone? */
bool elf_care_end(struct elf_care *c);

#endif
