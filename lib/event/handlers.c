/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/event/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"

/* Which handler a CPU is in. */
struct inside {
	int32_t cpu, line, number;
};

struct handlers {
	struct event_handler *item;
	size_t n, recent;
	struct inside *cpu;
	size_t ncpu;
};

struct handlers *handlers_new(void)
{
	return calloc(1, sizeof(struct handlers));
}

void handlers_free(struct handlers *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->item[i].name);
	free(h->item);
	free(h->cpu);
	free(h);
}

static bool fits(const struct event_handler *x, int32_t line, const char *name,
		 size_t len)
{
	return x->line == line &&
	       (!len || (strlen(x->name) == len && !memcmp(x->name, name, len)));
}

static struct event_handler *handler(struct handlers *h, int32_t line, const char *name,
				     size_t len)
{
	struct event_handler *x;
	int32_t before = 0;

	if (len && h->recent < h->n && fits(&h->item[h->recent], line, name, len))
		return &h->item[h->recent];
	for (size_t i = 0; i < h->n; i++) {
		if (fits(&h->item[i], line, name, len)) {
			h->recent = i;
			return &h->item[i];
		}
		before += h->item[i].line == line;
	}
	if (before && (line >= HANDLER_STRIDE || before >= HANDLERS_OF_A_LINE))
		return handler(h, line, "", 0); /* the first: not told apart any more */
	x = array_add(&h->item, &h->n);
	if (!x)
		return NULL;
	*x = (struct event_handler){line, line + before * HANDLER_STRIDE,
				    strndup(name, len)};
	if (!x->name) {
		h->n--;
		return NULL;
	}
	return x;
}

static struct inside *inside(const struct handlers *h, int32_t cpu)
{
	for (size_t i = 0; i < h->ncpu; i++)
		if (h->cpu[i].cpu == cpu)
			return &h->cpu[i];
	return NULL;
}

int32_t handlers_entry(struct handlers *h, int32_t cpu, int32_t line, const char *name,
		       size_t len)
{
	const struct event_handler *x = handler(h, line, name, len);
	struct inside *in = inside(h, cpu);

	if (x && !in)
		in = array_add(&h->cpu, &h->ncpu);
	if (!x || !in)
		return -1;
	*in = (struct inside){cpu, line, x->number};
	return x->number;
}

int32_t handlers_exit(const struct handlers *h, int32_t cpu, int32_t line)
{
	const struct inside *in = inside(h, cpu);

	return in && in->line == line ? in->number : line;
}

size_t handlers_list(const struct handlers *h, const struct event_handler **list)
{
	*list = h->item;
	return h->n;
}

/* ---- what the exits said ---- */

enum {
	MAX_WAITING = 1 << 16, /* samples */
	LOOK_BACK = 4096,      /* samples between an entry and its exit */
};
#define MAX_HANDLER_NS INT64_C(100000000) /* no handler of hardware takes so long */

struct waiting {
	struct sample s;
	bool open; /* an entry whose exit has not come */
};

struct handled {
	struct waiting *ring;
	size_t room /* a power of two, or 0 */, head, tail;
	int64_t newest_ns;
};

struct handled *handled_new(void)
{
	return calloc(1, sizeof(struct handled));
}

void handled_free(struct handled *h)
{
	if (h)
		free(h->ring);
	free(h);
}

static struct waiting *at(const struct handled *h, size_t i)
{
	return &h->ring[i & (h->room - 1)];
}

static int make_room(struct handled *h, struct err *e)
{
	size_t room = h->room ? 2 * h->room : 64;
	struct waiting *ring;

	if (h->tail - h->head < h->room)
		return 0;
	ring = calloc(room, sizeof(*ring));
	if (!ring)
		return err_nomem(e, "the samples");
	for (size_t i = h->head; i != h->tail; i++)
		ring[i & (room - 1)] = *at(h, i);
	free(h->ring);
	h->ring = ring;
	h->room = room;
	return 0;
}

static void close_entry(struct handled *h, const struct sample *exit)
{
	for (size_t i = h->tail, n = 0; i-- != h->head && n < LOOK_BACK; n++) {
		struct waiting *w = at(h, i);

		if (w->s.role != ROLE_INTERRUPT || w->s.cpu != exit->cpu)
			continue;
		if (w->open && w->s.irq == exit->irq && exit->ret == 0)
			w->s.bits |= SAMPLE_UNHANDLED;
		w->open &= w->s.irq != exit->irq;
		return;
	}
}

int handled_push(struct handled *h, const struct sample *s, struct err *e)
{
	int rc = make_room(h, e);

	if (rc)
		return rc;
	if (s->role == ROLE_HANDLED)
		close_entry(h, s);
	*at(h, h->tail++) = (struct waiting){*s, s->role == ROLE_INTERRUPT};
	if (s->time_ns > h->newest_ns)
		h->newest_ns = s->time_ns;
	return 0;
}

bool handled_pop(struct handled *h, bool end, struct sample *s)
{
	const struct waiting *w;

	if (h->head == h->tail)
		return false;
	w = at(h, h->head);
	if (w->open && !end && h->tail - h->head < MAX_WAITING &&
	    h->newest_ns - w->s.time_ns < MAX_HANDLER_NS)
		return false;
	*s = w->s;
	h->head++;
	return true;
}
