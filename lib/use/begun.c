/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/use/begun.h"

#include <stdlib.h>
#include <string.h>

#define THREADS	 1024 /* remembered; a collision forgets the older, and shows nothing */
#define CHANNELS 4096
#define ENOUGH	 8   /* cycles that show what one takes */
#define LONG	 0.7 /* of what one takes */
#define SHORT	 0.3
#define TIMES	 64
#define NARROWER 0.8 /* of two spreads, to be the one that is followed */
#define PAUSES	 2   /* that tell */
#define FULLER	 8   /* times as many as tell otherwise */

struct channel {
	int64_t card, channel;
	uint64_t starts;
	int64_t books, excess; /* starts - waits so far; the most waits in excess */
	int64_t excess_before; /* ... before the last start */
	int64_t excess_ns;     /* when that was reached */
	int64_t start_ns, woken_ns;
	bool before;  /* a wait returned before the first start */
	size_t ntime; /* the first of them: from the start, and from the end before */
	int64_t since_start[TIMES], since_end[TIMES];
	double n, took; /* cycles of a wait and a start; the time from start to end */
	double full, at_once; /* after long pauses: took as long as ever, hardly any */
};

struct thread {
	int32_t tid;
	bool used, waiting, inside;
	struct channel *channel; /* of the wait, else of the last start */
};

struct begun {
	struct channel **ch;
	size_t nch;
	struct thread thread[THREADS];
	bool inside; /* a call was seen to end that was not seen to begin */
	bool full;   /* threads were forgotten: a new one may be an old one */
};

struct begun *begun_new(void)
{
	return calloc(1, sizeof(struct begun));
}

void begun_free(struct begun *b)
{
	for (size_t i = 0; b && i < b->nch; i++)
		free(b->ch[i]);
	free(b ? b->ch : NULL);
	free(b);
}

static struct channel *channel_at(struct begun *b, int64_t card, int64_t channel)
{
	for (size_t i = 0; i < b->nch; i++)
		if (b->ch[i]->card == card && b->ch[i]->channel == channel)
			return b->ch[i];
	struct channel **grown =
		reallocarray(b->ch, b->nch + 1, sizeof(struct channel *));
	struct channel *c = calloc(1, sizeof(*c));
	if (grown)
		b->ch = grown;
	if (!grown || !c) {
		free(c);
		return NULL;
	}
	c->card = card;
	c->channel = channel;
	c->excess_ns = c->start_ns = c->woken_ns = DMA_UNKNOWN;
	return b->ch[b->nch++] = c;
}

/* An end, a pause, a start and an end. */
static void cycle(struct channel *c, double pause, double took)
{
	if (c->n >= ENOUGH && pause >= LONG * c->took / c->n) {
		c->full += took >= LONG * c->took / c->n;
		c->at_once += took <= SHORT * c->took / c->n;
	}
	if (c->ntime < TIMES) {
		c->since_start[c->ntime] = (int64_t)took;
		c->since_end[c->ntime++] = (int64_t)(pause + took);
	}
	c->n++;
	c->took += took;
}

static void woken(struct channel *c, int64_t now)
{
	c->before |= !c->starts;
	c->books--;
	if (-c->books > c->excess) {
		c->excess = -c->books;
		c->excess_ns = now;
	}
	if (c->start_ns != DMA_UNKNOWN && c->woken_ns != DMA_UNKNOWN &&
	    c->start_ns > c->woken_ns)
		cycle(c, (double)(c->start_ns - c->woken_ns),
		      (double)(now - c->start_ns));
	c->woken_ns = now;
}

static bool may_be(const struct channel *c, const struct sample *w)
{
	return (w->card == DMA_UNKNOWN || w->card == c->card || c->card == DMA_UNKNOWN) &&
	       (w->channel == DMA_UNKNOWN || w->channel == c->channel);
}

/* The only channel that the wait may be for; of several that of the thread's last call. */
static struct channel *channel_of_wait(const struct begun *b, const struct thread *t,
				       const struct sample *w)
{
	struct channel *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < b->nch; i++)
		if (may_be(b->ch[i], w)) {
			only = b->ch[i];
			n++;
		}
	if (n > 1)
		only = t->channel && may_be(t->channel, w) ? t->channel : NULL;
	return only;
}

int begun_push(struct begun *b, const struct sample *s)
{
	struct thread *t = &b->thread[(uint32_t)s->tid % THREADS];
	struct channel *c = NULL;
	bool first = !t->used || t->tid != s->tid;

	if (s->role == ROLE_INTERRUPT || s->role == ROLE_STOP || s->role == ROLE_OTHER ||
	    s->role == ROLE_HANDLED ||
	    s->bits & (SAMPLE_OTHER | SAMPLE_CIRCULAR | SAMPLE_BLOCKING))
		return 0;
	if (first) {
		b->full |= t->used;
		*t = (struct thread){.tid = s->tid, .used = true};
	}
	if (s->role != ROLE_SUBMIT && s->role != ROLE_WAIT) {
		b->inside |= first && !b->full;
		if (s->role == ROLE_WOKEN && t->waiting && t->channel &&
		    !(s->bits & SAMPLE_PENDING))
			woken(t->channel, s->time_ns);
		t->waiting = false;
		t->inside &= s->role == ROLE_DOORBELL;
		return 0;
	}
	if (s->role == ROLE_WAIT && (s->card == DMA_UNKNOWN || s->channel == DMA_UNKNOWN))
		c = channel_of_wait(b, t, s);
	else if (b->nch < CHANNELS && !(c = channel_at(b, s->card, s->channel)))
		return -1;
	t->channel = c;
	t->waiting = s->role == ROLE_WAIT;
	t->inside = !(s->bits & SAMPLE_NO_EXIT);
	if (c && s->role == ROLE_SUBMIT) {
		c->starts++;
		c->books++;
		c->start_ns = s->time_ns;
		c->excess_before = c->excess;
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double spread(const int64_t *ns, size_t n)
{
	int64_t v[TIMES];

	memcpy(v, ns, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_time);
	return (double)(v[3 * n / 4] - v[n / 4]);
}

/* Do ends follow the start, however long the program paused before it? */
static bool one_at_a_time(const struct channel *c)
{
	if (c->full + c->at_once >= PAUSES)
		return c->full > FULLER * c->at_once;
	return c->ntime >= TIMES / 2 && spread(c->since_start, c->ntime) <
						NARROWER * spread(c->since_end, c->ntime);
}

/* A program that waits for nothing does so now and then, not several times in the end. */
static bool ends_with_excess(const struct channel *c)
{
	return c->excess - c->excess_before >= 2;
}

/* Is the end whole, so that a queue would have shown its excess? */
static bool ends_whole(const struct begun *b)
{
	for (size_t i = 0; i < THREADS; i++)
		if (b->thread[i].inside)
			return false;
	return true;
}

size_t begun_result(const struct begun *b, bool ended, struct begun_channel *out,
		    size_t n)
{
	bool whole = ended && ends_whole(b);
	size_t k = 0;

	for (size_t i = 0; i < b->nch && k < n; i++) {
		const struct channel *c = b->ch[i];
		bool turns = c->excess <= 1 && !whole && !one_at_a_time(c);
		bool shown = b->inside || c->before || ends_with_excess(c);

		if (!c->starts || c->woken_ns == DMA_UNKNOWN || !shown ||
		    (!turns && !c->excess))
			continue;
		out[k++] = (struct begun_channel){c->card, c->channel,
						  turns ? INT64_MAX : c->excess_ns};
	}
	return k;
}
