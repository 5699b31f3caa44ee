/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by event*.c only. event_format.c reads the tracing data by libtraceevent, event_guess.c fills a
 * meta for files that have none, event_table.c remembers,
 * event_open.c begins, event.c decodes. */
#ifndef DMA_EVENT_IMPL_H
#define DMA_EVENT_IMPL_H

#include <stdbool.h>

#include "lib/event/event.h"
#include "lib/field.h"

/* Of a sample: the fields, then what is no field of a profile. */
enum value {
	VALUE_IRQ = FIELD_N,
	VALUE_NAME, /* of an interrupt's handler: length << 16 | offset, as __data_loc */
	VALUE_COMMON_TYPE,
	VALUE_COMMON_PID,
	VALUE_COMMON_FLAGS, /* in which context the kernel was */
	VALUE_STACK,	    /* the stack pointer at an entry that a jump may reach too */
	VALUE_SHIFT,	    /* of the card's key, see struct meta_event */
	/* of a register's change */
	VALUE_SINCE,
	VALUE_BUSY,
	VALUE_VALUE, /* and of a count */
	VALUE_ENABLED,
	VALUE_RUNNING,
	VALUE_N
};

/* Where a number lies in the raw bytes. */
struct place {
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
	struct place place[VALUE_N];
	size_t bad_line; /* of its format; 0 = the format is sound */
	int8_t when, fail, pending, circular,
		from_host; /* enum field; -1 = no condition */
};

/* Events by their numbers, from the tracing data. Parsed only when asked for. */
struct formats;
int formats_new(struct formats **f, const void *tracing_data, size_t len,
		const char *name, struct err *e);
void formats_free(struct formats *f);

/* The format of an event; NULL = not there, or no memory. It belongs to f. */
struct format;
const struct format *formats_find(struct formats *f, uint64_t id);

/* The first line that no kernel writes; 0 = all is well. A format with a bad line has
 * neither a name nor places. */
size_t format_bad_line(const struct format *one);
const char *format_system(const struct format *one);
const char *format_name(const struct format *one);

/* Where the event keeps each value. A return probe's arg1 is what was returned. */
void format_places(const struct format *one, bool return_probe,
		   struct place place[VALUE_N]);

/* The same where the fields go by other names: "key=dev size=nr_sector mode=rwbs:u8". 0, or
 * the length of the first entry that the event has not, at *bad. */
size_t format_places_named(const struct format *one, const char *names,
			   struct place place[VALUE_N], const char **bad);

/* ---- event_table.c: what a decoder remembers between samples ---- */

/* A call that was entered on a thread and not left yet. */
struct call {
	int32_t tid, func; /* func -1 = free */
	bool other;
	int64_t value[FIELD_RET]; /* what its exit's conditions may ask for */
	int64_t card, channel, size_bytes;
	int64_t stack; /* DMA_UNKNOWN = the entry does not tell */
	uint8_t direction;
};

/* The newest open call of each (thread, function): open addressing, at most half full. */
struct calls {
	struct call *slot;
	size_t room /* a power of two, or 0 */, n;
};

void calls_release(struct calls *t);
struct call *calls_find(const struct calls *t, int32_t tid,
			int32_t func); /* NULL = none */
/* Found or added; an added one has func set and the rest zero. Beyond 2^20 calls all are
 * dropped: exits then know less, never something wrong. NULL = no memory. */
struct call *calls_add(struct calls *t, int32_t tid, int32_t func, bool *added);
void calls_drop(struct calls *t, int32_t tid, int32_t func);
void calls_clear(struct calls *t);

/* Channels that run: a start that may come again was seen, and no stop since. */
struct running {
	int32_t pid, func;
	int64_t card, channel;
	int64_t value[FIELD_RET];
};

struct runnings {
	struct running *r;
	size_t n;
};

void runnings_release(struct runnings *t);
/* Is it what runs already? Else it does from now on. 1, 0, negative = no memory. */
int runnings_start(struct runnings *t, const struct running *now);
/* DMA_UNKNOWN of card or channel: any. */
void runnings_stop(struct runnings *t, int64_t card, int64_t channel);
void runnings_end(struct runnings *t, int32_t pid); /* -1 = of all processes */

/* Cards by (pid, key); their numbers count up from 0. */
struct cards {
	struct event_card *card;
	size_t n, room;
	uint32_t *slot; /* number + 1, 0 = free */
	size_t nslot;
};

void cards_release(struct cards *t);
int64_t cards_number(struct cards *t, int32_t pid, uint64_t key, const char *name,
		     struct err *e);

/* Paths by (pid, fd, time). The path is that of the last sighting before the time, or the
 * first one ever. Borrows m's entries. */
struct fds {
	const struct meta_fd **fd; /* sorted */
	size_t n;
};

int fds_init(struct fds *t, const struct meta *m, struct err *e);
void fds_release(struct fds *t);
const char *fds_path(const struct fds *t, int32_t pid, int64_t fd, int64_t time_ns);

int guess_meta(struct meta *m, struct perfdata *p, struct source *source, struct err *e);
int apply_rules(struct meta *m, const struct event_rules *rules, struct err *e);
/* What follows from all roles together: which events are of one function, whose exits are
 * there. */
void complete_roles(struct meta *m, bool guessed);
bool guess_is_return(const char *event_name);

struct event_decoder {
	struct perfdata *p;
	struct meta *m;
	struct formats *formats;
	struct source *source; /* one for each attribute */
	size_t nsource;
	int32_t nfunc; /* functions are numbered below it */
	struct calls calls;
	struct cards cards;
	struct runnings runnings;
	struct fds fds;
	struct handlers *handlers;
	uint64_t unresolved;
	int64_t seq;
};

#endif
