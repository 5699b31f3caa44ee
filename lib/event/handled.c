/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the exits of handlers say of their entries, and which of several handlers of one name
 * an entry is: samples wait in a ring until both are known.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/handlers.h"
#include "lib/file/meta.h"

enum {
	MAX_WAITING = 1 << 16, /* samples */
	LOOK_BACK = 4096,      /* samples between an entry and its exit */
	APART = 4, /* chosen: from one interrupt to the next it is so many times as long as
		    * from one handler to the next, or they are not told apart */
	MAX_CHAIN = 16, /* handlers of a line; more are not told apart by place */
};
#define MAX_HANDLER_NS INT64_C(100000000) /* no handler of hardware takes so long */

struct waiting {
	struct sample s;
	int32_t pushed; /* its interrupt's number before chains were looked at */
	bool open;	/* an entry whose exit has not come */
	bool chained;	/* an entry of an interrupt whose others have not all come */
	bool doubt;	/* ... and never did */
};

/* A line with several handlers of one name: what the kernel calls for each interrupt. */
struct chain {
	int32_t line, cpu;
	size_t n, at; /* handlers; of the interrupt that is looked at, so many came */
	const char *name[MAX_CHAIN];
	size_t len[MAX_CHAIN];
	int32_t ordinal[MAX_CHAIN];		  /* of equal names before it */
	bool alone[MAX_CHAIN];			  /* no other has its name */
	size_t entry[MAX_CHAIN], exit[MAX_CHAIN]; /* in the ring; NONE */
	bool met; /* a whole one: the list is that of this recording */
	/* Where all have one name only time tells where an interrupt's begin. */
	bool anchored;	  /* one has a name of its own */
	int64_t last_ns;  /* of the line's entries and exits; DMA_UNKNOWN */
	int64_t since_ns; /* the time without any before the first entry; 0 = not known */
};

#define NONE SIZE_MAX

struct handled {
	struct waiting *ring;
	size_t room /* a power of two, or 0 */, head, tail;
	int64_t newest_ns;
	struct handlers *handlers;
	struct chain *chain;
	size_t nchain;
};

/* ---- lines with several handlers of one name ---- */

/* "virtio2, edudma, edudma", as in /proc/interrupts. False = too many, or all differ. */
static bool chain_init(struct chain *c, const struct meta_irq *q)
{
	bool twice = false;

	*c = (struct chain){.line = q->irq, .cpu = -1, .last_ns = DMA_UNKNOWN};
	for (const char *at = q->name, *end; at; at = *end ? end + 2 : NULL) {
		if (c->n == MAX_CHAIN)
			return false;
		end = strstr(at, ", ");
		end = end ? end : at + strlen(at);
		c->name[c->n] = at;
		c->len[c->n] = (size_t)(end - at);
		c->alone[c->n] = true;
		for (size_t i = 0; i < c->n; i++) {
			if (c->len[i] != c->len[c->n] ||
			    memcmp(c->name[i], at, c->len[i]) != 0)
				continue;
			c->ordinal[c->n]++;
			c->alone[i] = c->alone[c->n] = false;
			twice = true;
		}
		c->n++;
	}
	for (size_t i = 0; i < c->n; i++)
		c->anchored |= c->alone[i];
	return twice;
}

static int find_chains(struct handled *h, const struct meta *m, struct err *e)
{
	h->chain = calloc(m->nirq + 1, sizeof(*h->chain));
	if (!h->chain)
		return err_nomem(e, "the interrupts");
	for (size_t i = 0; i < m->nirq; i++)
		if (m->irq[i].name && m->irq[i].irq < HANDLER_STRIDE &&
		    chain_init(&h->chain[h->nchain], &m->irq[i]))
			h->nchain++;
	return 0;
}

static struct chain *chain_of(const struct handled *h, int32_t irq)
{
	for (size_t i = 0; i < h->nchain; i++)
		if (h->chain[i].line == irq % HANDLER_STRIDE)
			return &h->chain[i];
	return NULL;
}

static struct waiting *at(const struct handled *h, size_t i)
{
	return &h->ring[i & (h->room - 1)];
}

/* The others of this interrupt do not come: whose those of one name were nobody knows. */
static void chain_break(struct handled *h, struct chain *c)
{
	for (size_t i = 0; i < c->at; i++) {
		struct waiting *w = at(h, c->entry[i]);

		w->chained = false;
		w->doubt = !c->alone[i] && (c->met || !c->anchored);
	}
	c->at = 0;
}

static int chain_whole(struct handled *h, struct chain *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		struct waiting *w = at(h, c->entry[i]);
		int32_t number = handlers_again(h->handlers, w->pushed, c->ordinal[i]);

		if (number < 0)
			return err_nomem(e, "the interrupts");
		w->s.irq = number;
		w->chained = false;
		if (c->exit[i] != NONE)
			at(h, c->exit[i])->s.irq = number;
	}
	c->at = 0;
	c->met = true;
	return 0;
}

static bool is_of_several(const struct handled *h, const struct chain *c, int32_t irq)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->alone[i] && handlers_is(h->handlers, irq, c->name[i], c->len[i]))
			return true;
	return false;
}

static bool is_next(const struct handled *h, const struct chain *c,
		    const struct sample *s)
{
	if (c->at && !c->anchored && (s->time_ns - c->last_ns) > c->since_ns / APART)
		return false;
	return (!c->at || c->cpu == s->cpu) &&
	       handlers_is(h->handlers, s->irq, c->name[c->at], c->len[c->at]);
}

/* The entry that was just put into the ring. */
static int chain_entry(struct handled *h, struct err *e)
{
	struct waiting *w = at(h, h->tail - 1);
	struct chain *c = chain_of(h, w->s.irq);

	if (!c)
		return 0;
	if (!is_next(h, c, &w->s))
		chain_break(h, c);
	if (!is_next(h, c, &w->s)) { /* nor is it the first of another */
		w->doubt = (c->met || !c->anchored) && is_of_several(h, c, w->s.irq);
		c->last_ns = w->s.time_ns;
		return 0;
	}
	w->chained = true;
	c->cpu = w->s.cpu;
	if (!c->at)
		c->since_ns = c->last_ns == DMA_UNKNOWN ? 0 : w->s.time_ns - c->last_ns;
	c->last_ns = w->s.time_ns;
	c->entry[c->at] = h->tail - 1;
	c->exit[c->at++] = NONE;
	return c->at == c->n ? chain_whole(h, c, e) : 0;
}

/* ---- what the exits said ---- */

int handled_new(struct handled **out, struct handlers *handlers, const struct meta *m,
		struct err *e)
{
	struct handled *h = calloc(1, sizeof(*h));

	*out = h;
	if (!h)
		return err_nomem(e, "the samples");
	h->handlers = handlers;
	return find_chains(h, m, e);
}

void handled_free(struct handled *h)
{
	if (!h)
		return;
	free(h->ring);
	free(h->chain);
	free(h);
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

static void close_entry(struct handled *h, size_t exit_at)
{
	struct sample *exit = &at(h, exit_at)->s;
	struct chain *line = chain_of(h, exit->irq);

	if (line)
		line->last_ns = exit->time_ns;
	for (size_t i = exit_at, n = 0; i-- != h->head && n < LOOK_BACK; n++) {
		struct waiting *w = at(h, i);

		if (w->s.role != ROLE_INTERRUPT || w->s.cpu != exit->cpu)
			continue;
		if (!w->open || w->pushed != exit->irq)
			return;
		w->open = false;
		if (exit->ret == 0)
			w->s.bits |= SAMPLE_UNHANDLED;
		exit->irq = w->s.irq; /* the last one's: its interrupt is whole */
		if (line && w->chained && line->at)
			line->exit[line->at - 1] = exit_at;
		return;
	}
}

int handled_push(struct handled *h, const struct sample *s, struct err *e)
{
	int rc = make_room(h, e);

	if (rc)
		return rc;
	*at(h, h->tail++) = (struct waiting){
		.s = *s, .pushed = s->irq, .open = s->role == ROLE_INTERRUPT};
	if (s->role == ROLE_HANDLED)
		close_entry(h, h->tail - 1);
	if (s->time_ns > h->newest_ns)
		h->newest_ns = s->time_ns;
	return s->role == ROLE_INTERRUPT ? chain_entry(h, e) : 0;
}

int handled_pop(struct handled *h, bool end, struct sample *s)
{
	struct waiting *w;

	if (h->head == h->tail)
		return HANDLED_NONE;
	w = at(h, h->head);
	if ((w->open || w->chained) && !end && h->tail - h->head < MAX_WAITING &&
	    h->newest_ns - w->s.time_ns < MAX_HANDLER_NS)
		return HANDLED_NONE;
	if (w->chained)
		chain_break(h, chain_of(h, w->s.irq));
	*s = w->s;
	if (w->doubt) {
		w->doubt = false;
		return HANDLED_DOUBT;
	}
	h->head++;
	return HANDLED_SAMPLE;
}
