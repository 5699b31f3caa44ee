/* SPDX-License-Identifier: GPL-2.0-only */
/* FEAT_TRACING_DATA: the formats of the events recorded, as perf writes them (version
 * 0.6). */
#ifndef DMA_TRACING_H
#define DMA_TRACING_H

#include <stddef.h>

struct err;

/* events: "GROUP/NAME" in any order. format: of each that is not tracefs's; its entries,
 * or all, may be NULL. *buf is malloc'ed. */
int tracing_data(const char *const *events, const char *const *format, size_t n,
		 char **buf, size_t *len, struct err *e);

/* The same with one system more, of n events with these formats. */
int tracing_data_more(const char *old, size_t nold, const char *system,
		      char *const *format, size_t n, char **buf, size_t *len,
		      struct err *e);

#endif
