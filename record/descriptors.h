/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which file a descriptor is, for events whose profile tells devices by their path.
 *
 * When a sample names a descriptor, /proc says what it is at that moment, a little later.
 * That holds for the sample only if the number was not closed in between; therefore
 * closing (close, dup2, dup3, close_range, exec) is recorded as well, and at the end each
 * stretch between two closings has a path only if a look fell into it behind one of its
 * samples. Stretches without one, or with two different ones, are unknown, not guessed.
 */
#ifndef DMA_DESCRIPTORS_H
#define DMA_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/file/meta.h"

struct err;
struct descriptors;

/* Does the event need its descriptors looked up? */
bool descriptors_wanted(const struct meta_event *ev);

/* The tracepoints that end a descriptor, "system/event"; ends with NULL. */
extern const char *const descriptors_closings[];

/* For the events of m, closings among them (as "system:event"); root is tracefs, whose
 * formats tell where the numbers stand. *d is NULL when no event wants it; the functions
 * below then do nothing. */
int descriptors_new(struct descriptors **d, const struct meta *m, const char *root,
		    int clockid, struct err *e);
void descriptors_free(struct descriptors *d);

/* A whole PERF_RECORD_SAMPLE of event i of m, as session.c asks for it. */
int descriptors_see(struct descriptors *d, size_t event, const void *sample, size_t size,
		    struct err *e);
/* All descriptors of a process (-1: of all) may have changed: exec, or samples lost. */
void descriptors_doubt(struct descriptors *d, int32_t pid, int64_t time_ns);

/* All rings were read once: look at what was seen since the last call. */
int descriptors_look(struct descriptors *d, struct err *e);

/* The result, to m->fd. */
int descriptors_finish(struct descriptors *d, struct meta *m, struct err *e);

#endif
