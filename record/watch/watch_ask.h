/* SPDX-License-Identifier: GPL-2.0-only */
/* What a person and a profile ask of the watch, put together. */
#ifndef DMA_WATCH_ASK_H
#define DMA_WATCH_ASK_H

#include <stdio.h>

#include "record/watch/watch.h"

struct watch_ask {
	bool wanted; /* by an option */
	struct register_spec *reg;
	size_t n;
	enum watch_mode mode; /* WATCH_NO = not said */
	int64_t every_ns;
	int cpu; /* with `placed` */
	bool placed, fifo;
};

/* Values of options; ERR_USAGE. */
int watch_ask_register(struct watch_ask *a, const char *text, struct err *e);
int watch_ask_mode(struct watch_ask *a, const char *text, struct err *e);
int watch_ask_cpu(struct watch_ask *a, const char *text,
		  struct err *e); /* "3", "3,fifo" */
void watch_ask_release(struct watch_ask *a);

/* The registers of the options, else those of the profile where it or an option wants them
 * watched; each with its card (named: --pci's; NULL = none). o->n 0 = nothing is watched.
 * o points into a. */
int watch_ask_options(struct watch_ask *a, const struct profile *p, const char *named,
		      struct watch_options *o, struct err *e);

/* What would be watched, for --dry-run. */
void watch_ask_print(const struct watch_options *o, FILE *out);

#endif
