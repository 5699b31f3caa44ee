/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by event*.c only. event_format.c reads the tracing data, event_guess.c fills a
 * meta for files that have none, event.c decodes. */
#ifndef DMA_EVENT_IMPL_H
#define DMA_EVENT_IMPL_H

#include <stdbool.h>

#include "event.h"

struct tep_handle;
struct tep_event;

enum value {
	V_CARD,
	V_CHANNEL,
	V_SIZE,
	V_ADDR,
	V_FLAGS,
	V_FD,
	V_MODE,
	V_DIRECTION,
	V_RET,
	V_IRQ,
	V_COMMON_TYPE,
	V_COMMON_PID,
	V_N
};

/* Where a number lies in the raw bytes. */
struct field {
	uint16_t offset;
	uint8_t size; /* 1, 2, 4, 8; 0 = the event has none */
	bool is_signed;
};

struct source {
	const struct meta_event *meta; /* NULL = an event that meta does not know */
	const char *name;
	char *owned;   /* name, when it was made up here */
	uint64_t type; /* config of the attribute: the tracepoint's number */
	uint64_t attr_type;
	struct field field[V_N];
	int8_t when, fail, pending, circular,
		from_host; /* enum value; -1 = no condition */
};

/* Events by their numbers, from the tracing data. Parsed only when asked for. */
struct formats;
int formats_new(struct formats **f, const void *tracing_data, size_t len,
		const char *name, struct err *e);
void formats_free(struct formats *f);
struct tep_event *formats_find(struct formats *f, uint64_t id); /* NULL = not there */

int value_parse(const char *name,
		bool return_probe); /* enum value of a field's name; -1 */
void formats_fields(const struct tep_event *ev, bool return_probe,
		    struct field field[V_N]);

int guess_meta(struct meta *m, struct perfdata *p, struct source *source, struct err *e);
int apply_rules(struct meta *m, const struct event_rules *rules, struct err *e);
bool guess_is_return(const char *event_name);

#endif
