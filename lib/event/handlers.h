/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One interrupt line, several handlers (legacy INTx, IRQF_SHARED). For each interrupt the
 * kernel calls them all, with an entry and an exit for each: the entry's name tells whose it
 * is, and what the exit returns whether the interrupt was its own (0 = it was not).
 *
 * The first handler met of a line goes by the line's number; each further one by a number of
 * its own, HANDLER_STRIDE higher than the one before, so that all who count interrupts by
 * number tell them apart.
 *
 * Handlers of one name on one line (two cards of one driver) are told apart by the order in
 * which the kernel calls them, which is that of /proc/interrupts: where the recording has that
 * list and exits are recorded, an entry waits until all of its interrupt have come. Where one
 * of them is missing nobody knows whose the others of that name are: a loss. Without the list,
 * or where the driver came while recording, handlers of one name are one.
 */
#ifndef DMA_EVENT_HANDLERS_H
#define DMA_EVENT_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dma.h"
#include "lib/event/event.h"

struct err;
struct handlers;

struct handlers *handlers_new(void); /* NULL = no memory */
void handlers_free(struct handlers *h);
/* The number of the handler that is entered; -1 = no memory. name need not end in NUL; len 0
 * = not told. */
int32_t handlers_entry(struct handlers *h, int32_t cpu, int32_t line, const char *name,
		       size_t len);
/* Of the one that is left: the last one entered there. */
int32_t handlers_exit(const struct handlers *h, int32_t cpu, int32_t line);
/* The number of the handler of that name that is called after `ordinal` others of its name, and
 * the first one's is `number`; -1 = no memory. */
int32_t handlers_again(struct handlers *h, int32_t number, int32_t ordinal);
/* Is this number the handler's (or the first one's) of that name? */
bool handlers_is(const struct handlers *h, int32_t number, const char *name, size_t len);
size_t handlers_list(const struct handlers *h, const struct event_handler **list);

/* Samples in, the same samples out in the same order, but each entry of a handler with what
 * its exit said, SAMPLE_UNHANDLED, and each of a line with several of one name with the number
 * of its own. h and m stay the caller's. */
struct handled;
struct meta;
int handled_new(struct handled **out, struct handlers *h, const struct meta *m,
		struct err *e);
void handled_free(struct handled *h);
int handled_push(struct handled *h, const struct sample *s, struct err *e);
/* HANDLED_DOUBT: of the interrupt of *s, which comes next, it is not known whose it was. end:
 * nothing more will come. */
enum { HANDLED_NONE, HANDLED_SAMPLE, HANDLED_DOUBT };
int handled_pop(struct handled *h, bool end, struct sample *s);

#endif
