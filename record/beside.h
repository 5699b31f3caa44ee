/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a recording holds beside the kernel's events and the probes: registers of the card
 * that are read, and what counting units count. Each makes events of its own, which come
 * behind the session's in the file, in this order.
 */
#ifndef DMA_BESIDE_H
#define DMA_BESIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/count/count.h"
#include "record/watch/watch.h"

struct beside {
	struct watch *watch; /* NULL = none */
	struct count *count;
	bool ended; /* the watch did, before the recording */
};

/* Opens what is asked for and appends the events to m. On failure nothing stays open. */
int beside_open(struct beside *b, const struct watch_options *watch,
		const struct count_options *count, struct meta *m, struct err *e);
void beside_close(struct beside *b);

size_t beside_events(const struct beside *b);
void beside_attr(const struct beside *b, size_t i, struct perfdata_attr *attr);
const char *beside_format(const struct beside *b, size_t i);
uint64_t beside_counted(const struct beside *b, size_t i);

int beside_start(struct beside *b, struct err *e);
/* Why the watch is over, as a sentence, once; NULL = nothing new. buf: 400. */
const char *beside_look(struct beside *b, char buf[400]);
int beside_drain(void *b,
		 int (*put)(void *to, const void *buf, size_t len, struct err *e),
		 void *to, struct err *e);
/* Nothing is read from now on, and nobody's things are looked at. */
void beside_stop(struct beside *b);
void beside_finish(const struct beside *b, struct meta *m);
/* What it cost, a line each. */
void beside_print(const struct beside *b, FILE *out);

#endif
