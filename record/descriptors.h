/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which file a descriptor is, for events whose profile tells devices by their path:
 * looked up in /proc when a sample first names the descriptor, and again with every batch
 * of samples, since a number is used again. What changed between two looks is not known,
 * and said to be so.
 */
#ifndef DMA_DESCRIPTORS_H
#define DMA_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "meta.h"

struct err;
struct descriptors;

/* Does the event need its descriptors looked up? */
bool descriptors_wanted(const struct meta_event *ev);

/* For the events of m; root is tracefs, whose formats tell where `fd` stands. *d is NULL
 * when no event wants them; the functions below then do nothing. */
int descriptors_new(struct descriptors **d, const struct meta *m, const char *root,
		    int clockid, struct err *e);
void descriptors_free(struct descriptors *d);

/* A whole PERF_RECORD_SAMPLE of event i of m, as session.c asks for it. */
int descriptors_see(struct descriptors *d, size_t event, const void *sample, size_t size,
		    struct err *e);

/* Look at all that was seen since the last call; what is new goes to m->fd. */
int descriptors_look(struct descriptors *d, struct meta *m, struct err *e);

#endif
