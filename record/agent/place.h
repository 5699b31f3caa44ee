/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places that can be probed without a trap: what is overwritten, what the trampoline
 * does. Whoever asks gets a place that is safe, or a sentence that says why it is not:
 *
 * - only whole instructions are overwritten, none but the first may be reached by a jump,
 *   a table of jumps, a landing pad or any direct jump or call of the file;
 * - endbr64, bti and paciasp stay where they are, first;
 * - calls are not moved, but led to the trampoline: their return address stays;
 * - what depends on its own address (jumps, rip-relative operands, adr) is encoded anew,
 *   and decoded again to see that it says the same.
 */
#ifndef DMA_AGENT_PLACE_H
#define DMA_AGENT_PLACE_H

#include <stdbool.h>

#include "record/agent/layout.h"

struct elf_file;
struct err;

enum place_where {
	PLACE_ENTRY,  /* the function's first instruction */
	PLACE_EXIT,   /* its ret: what comes straight before may be overwritten too */
	PLACE_LEAVE,  /* a jump out of it, or a call */
	PLACE_INSIDE, /* any other instruction, before it is executed */
};

/* The place at an address; function: of the body that has it. args: as for uprobes, ""
 * = none. ERR_UNSUPPORTED with the reason: it must stay a uprobe. Not filled in: file,
 * event, kind. */
int place_make(struct agent_place *p, struct elf_file *f, uint64_t function,
	       uint64_t addr, enum place_where where, const char *args, struct err *e);

/* Do the bytes of a hold any of b's? */
bool place_overlaps(const struct agent_place *a, const struct agent_place *b);
bool place_covers(const struct agent_place *a, uint64_t addr);

/* "channel=%di:u32 size=$stack1": pure. */
int place_args(struct agent_place *p, const char *machine, const char *args,
	       struct err *e);

/* The two machines' own parts of place_make(). */
struct code_map;
int place_x86(struct agent_place *p, struct elf_file *f, const struct code_map *m,
	      enum place_where where, struct err *e);
int place_arm(struct agent_place *p, struct elf_file *f, const struct code_map *m,
	      enum place_where where, struct err *e);

#endif
