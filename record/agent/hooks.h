/* SPDX-License-Identifier: GPL-2.0-only */
/* The places that the agent itself needs in the loader and the C library: where files are
 * mapped, programs executed, tasks made. */
#ifndef DMA_AGENT_HOOKS_H
#define DMA_AGENT_HOOKS_H

#include <stdbool.h>

#include "record/agent/layout.h"

struct elf_file;
struct err;

enum { HOOKS_MAX = 16 };
struct hooks {
	struct agent_place place[HOOKS_MAX];
	unsigned n;
};

/* Those of one file: the loader (glibc's ld.so) or the C library. ERR_UNSUPPORTED names
 * the function that cannot be hooked. */
int hooks_of(struct hooks *h, struct elf_file *f, bool loader, struct err *e);

/* What a program says of the loader that it wants: malloc'ed; NULL = none. */
char *hooks_interpreter(struct elf_file *f);
/* A program without a loader: nothing is preloaded into it. */
bool hooks_static(struct elf_file *f);

#endif
