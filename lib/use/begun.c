/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/use/begun.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define THREADS	 1024 /* remembered; a collision forgets the older, and shows nothing */
#define CHANNELS 4096
#define ENOUGH	 8   /* cycles that show what one takes */
#define LONG	 0.7 /* of what one takes */
#define SHORT	 0.3
#define TIMES	 256 /* cycles whose pauses are compared */
#define FEWEST	 64
#define MOST	 0.9 /* of the pauses: the longest say what an idle card does */
#define SURE	 4   /* standard errors */
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
	size_t ntime; /* the first of them */
	struct cycle {
		double pause, took;
	} time[TIMES];
	/* cycles of a wait and a start; the time from end to start, from start to end */
	double n, paused, took;
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

/* An end, a pause, a start and an end. Of a queue whose card is never idle one that ended
 * has taken the pause too. */
static void cycle(struct channel *c, double pause, double took)
{
	if (c->n >= ENOUGH && pause >= (c->paused + c->took) / c->n) {
		c->full += took >= LONG * c->took / c->n;
		c->at_once += took <= SHORT * c->took / c->n;
	}
	if (c->ntime < TIMES)
		c->time[c->ntime++] = (struct cycle){pause, took};
	c->n++;
	c->paused += pause;
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

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of n values the one that a share of them does not exceed. */
static double quantile(const struct cycle *t, size_t n, bool pause, double share)
{
	double v[TIMES] = {0};

	for (size_t i = 0; i < n; i++)
		v[i] = pause ? t[i].pause : t[i].took;
	qsort(v, n, sizeof(*v), by_value);
	return v[(size_t)(share * (double)(n - 1))];
}

/* Is a transfer shorter by as much as the pause before it is longer? Of a queue it is: the
 * card worked meanwhile. That of what changes from one cycle to the next, so that no drift
 * tells, by least squares: slope -1 of a queue, 0 of one at a time. */
static bool as_long_as_ever(const struct channel *c)
{
	double most = quantile(c->time, c->ntime, true, MOST);
	double usual = quantile(c->time, c->ntime, false, 0.5);
	double longest = quantile(c->time, c->ntime, false, MOST);
	double pp = 0, pt = 0, tt = 0, n = 0, none = 0;

	for (size_t i = 1; i < c->ntime; i++) {
		const struct cycle *a = &c->time[i - 1], *b = &c->time[i];
		if (a->pause > most || b->pause > most)
			continue;
		double p = b->pause - a->pause;
		double t = fmin(b->took, longest) - fmin(a->took, longest);
		none += b->took < SHORT * usual;
		pp += p * p;
		pt += p * t;
		tt += t * t;
		n++;
	}
	if (n < FEWEST || pp <= 0 || none * FULLER > n)
		return false;
	double slope = pt / pp, rest = fmax(tt - slope * pt, 0);
	return slope - SURE * sqrt(rest / pp / n) > -0.5;
}

/* Do ends follow the start, however long the program paused before it? */
static bool one_at_a_time(const struct channel *c)
{
	if (c->full + c->at_once >= PAUSES)
		return c->full > FULLER * c->at_once;
	return c->ntime >= FEWEST && as_long_as_ever(c);
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
