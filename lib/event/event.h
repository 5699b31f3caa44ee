/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From records to samples. Knows the format of each
 * tracepoint and uprobe event in the file's tracing data, the role of each (from dmarec's
 * own section, or guessed from the names in a file that perf record wrote), and turns a
 * record's raw bytes into a struct sample. Field offsets are looked up once for each
 * event, not once for each sample.
 */
#ifndef DMA_EVENT_H
#define DMA_EVENT_H

#include "lib/dma.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"

struct err;
struct event_decoder;

/* What the caller adds for files that do not say it themselves (perf record), all
 * optional. */
struct event_role {
	const char *event, *role; /* "probe_lib:foo", "submit" */
};
/* "submit" or "submit:to_host"; -1 = neither. *direction is left alone where none is
 * said. */
int event_role_parse(const char *text, enum role *role, enum direction *direction);

struct event_rules {
	const struct event_role *role;
	size_t nrole;
};

/* Reads the tracing data and FEAT_DMAREC of p. m must be initialised; it is filled from
 * the file's own section where there is one, else by guessing: irq:irq_handler_entry ->
 * interrupt, irq:irq_handler_exit -> handled; of events in a group named probe_*,
 * dmarec_* or uprobes (the default of uprobe_events): name begins with dma_to_host /
 * dma_from_host -> submit with that direction; dma_wait -> wait; the same with suffix
 * __return, _ret or _exit (perf probe's and the usual hand-made names, with a number
 * behind them) -> started / woken; doorbell* -> doorbell. Arguments go by the
 * words of lib/field.h, and arg1 of a return probe is what was returned. *guessed tells
 * which it was. */
int event_decoder_new(struct event_decoder **d, struct perfdata *p,
		      const struct event_rules *rules, struct meta *m, bool *guessed,
		      struct err *e);
void event_decoder_free(struct event_decoder *d);
/* What the one remembers of samples (open calls, cards, handlers, numbers) becomes the other's,
 * which goes on where it was; `from` is only to be freed afterwards. For a recording that has
 * more events by now. */
void event_decoder_inherit(struct event_decoder *d, struct event_decoder *from);

/* Where an event does not carry a value, it is DMA_UNKNOWN; but an exit, and a doorbell,
 * take card, channel, size, address, flags and direction from the entry of their function
 * (meta_event.func) on their thread, where that is certain. A sample is ROLE_OTHER when
 * its `when` does not hold (nor that of its entry), or when its source has path patterns
 * and the path of its descriptor fits none. A card key below 65536 is a number, the same
 * card in every process; others are pointers. A negative size, or one beyond 2^63 bytes,
 * is DMA_UNKNOWN. Conditions see the value as the event carries it, before size_unit. */
/* An entry that carries `stack` (the stack pointer) counts once for each call: while a
 * call of its function is open on its thread at the same place of the stack, another hit
 * is ROLE_OTHER, a turn of a loop that begins at the function's first instruction. */
/* Wants every record that perfdata_next() gives, in that order: a loss and the end of a
 * thread close calls, whose exits then know less. 1 = *s filled (role may be ROLE_OTHER),
 * 0 = no sample of a known event, negative = damaged. */
int event_decode(struct event_decoder *d, const struct perfdata_rec *rec,
		 struct sample *s, struct err *e);

/* Raw keys of the cards met so far: card number i (struct sample.card) stands for this
 * pointer, fd or number of the program; name is the path or NULL. Returns how many there
 * are. */
struct event_card {
	int32_t pid; /* -1 when the key does not depend on the process */
	uint64_t key;
	const char *name;
};
size_t event_cards(const struct event_decoder *d, const struct event_card **cards);

/* The handlers of interrupts, by their names: see lib/event/handlers.h. */
enum { HANDLER_STRIDE = 1000000, HANDLERS_OF_A_LINE = 100 };
struct event_handler {
	int32_t line;	 /* the interrupt's number */
	int32_t number;	 /* struct sample.irq */
	int32_t ordinal; /* of this name, in the order of the kernel's calls; from 0 */
	char *name;
};
struct handlers;
struct handlers *event_decoder_handlers(const struct event_decoder *d);
size_t event_handlers(const struct event_decoder *d, const struct event_handler **list);

/* Samples of sources with path patterns whose file descriptor no meta_fd names: they
 * became ROLE_OTHER though they may have been transfers. */
uint64_t event_unresolved(const struct event_decoder *d);

#endif
