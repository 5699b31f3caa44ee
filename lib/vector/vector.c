/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gathers, in one pass: the recent interrupts of each vector in a ring; the open
 * transfers of each channel; and, whenever one ends, what of each vector lay in it. An
 * interrupt costs O(1); an end O(vectors that fired since its transfer began).
 */
#include "lib/vector/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/use/begun.h"
#include "lib/vector/vector_seen.h"

#define BUCKETS	   4096 /* of the table of vectors */
#define VECTORS	   65536
#define CHANNELS   4096
#define THREADS	   4096 /* remembered calls; a collision forgets the older */
#define OPEN	   65536
#define STRETCH	   16 /* starts, or waits, after which the way of use is looked at */
#define CLEAN	   2  /* starts in a row on an idle channel: used one at a time */
#define RAISES	   4
#define MANY_PAIRS ((size_t)16 << 20) /* bytes */

static const char *const names[VERDICT_N] = {"unclear", "completion", "data available",
					     "shared",	"unrelated",  "silent"};

const char *verdict_name(enum verdict v)
{
	return (unsigned)v < VERDICT_N ? names[v] : "?";
}

int vector_no_memory(struct err *e)
{
	return err_nomem(e, "the vector finder");
}

int vector_finder_new(struct vector_finder **out, struct err *e)
{
	struct vector_finder *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (!f)
		return vector_no_memory(e);
	f->bucket = malloc(BUCKETS * sizeof(*f->bucket));
	f->call = calloc(THREADS, sizeof(*f->call));
	f->begun = begun_new();
	if (!f->bucket || !f->call || !f->begun) {
		vector_finder_free(f);
		return vector_no_memory(e);
	}
	memset(f->bucket, -1, BUCKETS * sizeof(*f->bucket));
	f->from_ns = f->to_ns = f->last_end_ns = DMA_UNKNOWN;
	f->newest = -1;
	f->random = 0x9e3779b97f4a7c15;
	*out = f;
	return 0;
}

static void pair_free(struct vector_pair *p)
{
	if (!p)
		return;
	for (int k = 0; k < KEPT_N; k++)
		free(p->kept[k]);
	free(p->turns);
	free(p);
}

static void channel_clear(struct channel *c)
{
	for (size_t i = 0; i < c->v.npair; i++)
		pair_free(c->v.pair[i]);
	free(c->v.pair);
	c->v.pair = NULL;
	c->v.npair = 0;
	c->v.transfers = c->v.busy_ns = c->v.resident_ns = 0;
	c->v.locked = c->v.turns = 0;
	c->turn = (struct turn){.ordinal = c->turn.ordinal};
	memset(c->v.seen, 0, sizeof(c->v.seen));
	c->last.waiting = false;
}

static void channel_free(struct channel *c)
{
	channel_clear(c);
	for (int k = 0; k < KEPT_N; k++)
		free(c->v.kept[k]);
	free(c->v.before);
	free(c->open);
	free(c);
}

void vector_finder_free(struct vector_finder *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nch; i++)
		channel_free(f->ch[i]);
	for (size_t i = 0; i < f->nring; i++)
		free(f->ring[i].at_ns);
	free(f->ch);
	free(f->idle);
	free(f->ring);
	free(f->bucket);
	free(f->call);
	begun_free(f->begun);
	free(f->loss.at);
	free(f->ev);
	free(f->winner);
	free(f);
}

/* ---- interrupts ---- */

/* Its index; -1 = no memory or too many. */
static int ring_at(struct vector_finder *f, int32_t irq)
{
	int *b = &f->bucket[(uint32_t)irq % BUCKETS];

	for (int i = *b; i >= 0; i = f->ring[i].next)
		if (f->ring[i].irq == irq)
			return i;
	if (f->nring == VECTORS)
		return -1;
	if (f->nring == f->ring_cap) {
		size_t cap = f->ring_cap ? 2 * f->ring_cap : 32;
		struct ring *grown = reallocarray(f->ring, cap, sizeof(*grown));
		if (!grown)
			return -1;
		f->ring = grown;
		f->ring_cap = cap;
	}
	f->ring[f->nring] = (struct ring){.irq = irq,
					  .count_delta = DMA_UNKNOWN,
					  .first_ns = DMA_UNKNOWN,
					  .last_ns = DMA_UNKNOWN,
					  .next = *b,
					  .newer = -1,
					  .older = -1};
	return *b = (int)f->nring++;
}

int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta,
			struct err *e)
{
	int i = ring_at(f, irq);

	if (i < 0)
		return f->nring == VECTORS
			       ? err_set(e, ERR_LIMIT, "more than %d vectors", VECTORS)
			       : vector_no_memory(e);
	f->ring[i].count_delta = count_delta;
	return 0;
}

static void move_to_front(struct vector_finder *f, int i)
{
	struct ring *r = &f->ring[i];

	if (f->newest == i)
		return;
	if (r->newer >= 0)
		f->ring[r->newer].older = r->older;
	if (r->older >= 0)
		f->ring[r->older].newer = r->newer;
	r->newer = -1;
	r->older = f->newest;
	if (f->newest >= 0)
		f->ring[f->newest].newer = i;
	f->newest = i;
}

static int interrupt(struct vector_finder *f, const struct sample *s, struct err *e)
{
	int i = ring_at(f, s->irq);
	struct ring *r;
	uint64_t k, oldest;

	if (i < 0)
		return f->nring == VECTORS ? 0 : vector_no_memory(e);
	r = &f->ring[i];
	if (!r->at_ns && !(r->at_ns = malloc(RING * sizeof(*r->at_ns))))
		return vector_no_memory(e);
	oldest = r->n >= RING ? r->n - RING + 1 : 0;
	for (k = r->n; k > oldest && r->at_ns[(k - 1) % RING] > s->time_ns; k--)
		r->at_ns[k % RING] = r->at_ns[(k - 1) % RING];
	r->at_ns[k % RING] = s->time_ns;
	r->n++;
	if (r->first_ns == DMA_UNKNOWN || s->time_ns < r->first_ns)
		r->first_ns = s->time_ns;
	if (r->last_ns == DMA_UNKNOWN || s->time_ns > r->last_ns)
		r->last_ns = s->time_ns;
	move_to_front(f, i);
	return 0;
}

/* ---- what was lost ---- */

int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns,
		       int64_t to_ns)
{
	(void)cpu;
	return loss_windows_add(&f->loss, from_ns,
				to_ns == DMA_UNKNOWN ? INT64_MAX : to_ns);
}

/* ---- intervals ---- */

static struct vector_pair *pair_at(struct vector_finder *f, struct channel *c, int v)
{
	struct vector_channel *vc = &c->v;

	if ((size_t)v >= vc->npair) {
		size_t n = f->ring_cap;
		struct vector_pair **grown = reallocarray(vc->pair, n, sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + vc->npair, 0, (n - vc->npair) * sizeof(*grown));
		vc->pair = grown;
		vc->npair = n;
	}
	if (!vc->pair[v]) {
		struct vector_pair *p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->slots = f->pair_bytes < MANY_PAIRS ? VECTOR_SLOTS : VECTOR_FEW;
		if (f->pair_bytes < MANY_PAIRS) {
			if (!(p->turns = calloc(1, sizeof(*p->turns)))) {
				free(p);
				return NULL;
			}
			f->pair_bytes += sizeof(*p->turns);
		}
		vc->pair[v] = p;
	}
	return vc->pair[v];
}

static struct vector_hit *hit_at(struct vector_finder *f, struct vector_pair *p,
				 const struct ended *x)
{
	if (x->slot >= p->slots)
		return NULL;
	if (!p->kept[x->kind]) {
		struct vector_hit *h = malloc(p->slots * sizeof(*h));
		if (!h)
			return NULL;
		for (size_t i = 0; i < p->slots; i++)
			h[i].first_ns = h[i].end_ns = NAN;
		p->kept[x->kind] = h;
		f->pair_bytes += p->slots * sizeof(*h);
	}
	return &p->kept[x->kind][x->slot];
}

/* What came after the end of the last interval, now that the next has ended, where it
 * held none: an interrupt before anything else was started, or else one very soon. */
int vector_settle(struct vector_finder *f, struct channel *c)
{
	struct ended *x = &c->last;

	if (!x->waiting)
		return 0;
	x->waiting = false;
	vector_lock_add(f, c, x);
	for (int v = f->newest; v >= 0 && f->ring[v].last_ns > x->end_ns;
	     v = f->ring[v].older) {
		const struct ring *r = &f->ring[v];
		int64_t t = r->at_ns[vector_ring_from(r, x->end_ns + 1) % RING];
		bool idle = t < x->next_ns;
		struct vector_pair *p;
		struct vector_hit *h;

		if (t - x->end_ns > (idle ? x->span_ns : x->span_ns / 4))
			continue;
		if (!(p = pair_at(f, c, v)))
			return -1;
		if (p->hit == x->ordinal)
			continue;
		p->late++;
		p->late_outside += idle;
		p->late_busy += !idle;
		h = hit_at(f, p, x);
		if (!h)
			continue;
		h->end_ns = -(float)(t - x->end_ns);
		h->first_ns = idle ? NAN : LATE_BUSY;
	}
	return 0;
}

/* A place in the sample of intervals (Vitter's algorithm R). */
static size_t keep(struct vector_finder *f, struct channel *c, const struct ended *x,
		   int64_t size_bytes)
{
	uint64_t n = c->v.seen[x->kind]++;
	size_t slot = n < VECTOR_SLOTS ? (size_t)n : (size_t)vector_draw(f, n + 1);

	if (slot >= VECTOR_SLOTS)
		return SIZE_MAX;
	if (!c->v.kept[x->kind])
		c->v.kept[x->kind] = calloc(VECTOR_SLOTS, sizeof(struct vector_kept));
	if (!c->v.kept[x->kind])
		return SIZE_MAX;
	c->v.kept[x->kind][slot] =
		(struct vector_kept){size_bytes == DMA_UNKNOWN ? NAN : (double)size_bytes,
				     (float)x->span_ns, x->pause_ns};
	for (size_t v = 0; v < c->v.npair && n >= VECTOR_SLOTS; v++) {
		struct vector_pair *p = c->v.pair[v];
		if (p && slot < p->slots && p->kept[x->kind])
			p->kept[x->kind][slot] = (struct vector_hit){NAN, NAN};
	}
	return slot;
}

static int look_inside(struct vector_finder *f, struct channel *c, const struct ended *x)
{
	int64_t since = x->end_ns - x->span_ns; /* the end of the one before, or begin */

	for (int v = f->newest; v >= 0 && f->ring[v].last_ns >= x->from_ns;
	     v = f->ring[v].older) {
		const struct ring *r = &f->ring[v];
		uint64_t busy = vector_ring_from(r, x->from_ns),
			 to = vector_ring_from(r, x->end_ns + 1);
		uint64_t from = vector_ring_from(r, x->begin_ns),
			 own = vector_ring_from(r, since);
		struct vector_pair *p;
		struct vector_hit *h;

		if (busy == to)
			continue;
		if (!(p = pair_at(f, c, v)))
			return -1;
		if (to > p->counted)
			p->inside += to - (p->counted > busy ? p->counted : busy);
		p->counted = to;
		if (!x->waiting || from == to)
			continue; /* not looked at, or not hit */
		p->present++;
		p->many += to - own > 1;
		p->hit = x->ordinal;
		h = hit_at(f, p, x);
		if (!h)
			continue;
		h->end_ns = (float)(x->end_ns - r->at_ns[(to - 1) % RING]);
		h->first_ns = own < to ? (float)(r->at_ns[own % RING] - since) : NAN;
	}
	return 0;
}

static int interval_end(struct vector_finder *f, struct channel *c, const struct open *o,
			int64_t from_ns, int64_t end_ns, bool idle, bool failed)
{
	struct ended x = {.from_ns = from_ns,
			  .begin_ns = o->begin_ns,
			  .end_ns = end_ns,
			  .next_ns = idle ? INT64_MAX : end_ns,
			  .slot = SIZE_MAX,
			  .kind = idle ? KEPT_LAST : KEPT_OTHER,
			  .waiting = true};
	int64_t before = c->last_end_ns;
	int64_t since = before > o->begin_ns ? before : o->begin_ns;

	if (vector_settle(f, c))
		return -1;
	x.ordinal = ++c->ordinal;
	c->last_end_ns = end_ns;
	if (end_ns <= since)
		return 0;
	x.span_ns = end_ns - since;
	int64_t idle_ns = before > o->before_ns ? before : o->before_ns;
	x.pause_ns = idle_ns == DMA_UNKNOWN ? NAN : (float)(since - idle_ns);
	x.waiting = !failed && !loss_windows_touch(&f->loss, o->submit_ns, end_ns);
	if (!x.waiting)
		return look_inside(f, c, &x);
	c->v.transfers++;
	c->v.busy_ns += (uint64_t)(end_ns - (before > from_ns ? before : from_ns));
	c->v.resident_ns += (uint64_t)(end_ns - o->begin_ns);
	x.slot = keep(f, c, &x, o->size_bytes);
	c->last = x;
	if (idle && f->nidle < f->nch)
		f->idle[f->nidle++] = c;
	return look_inside(f, c, &x);
}

/* ---- channels and how they are used ---- */

static struct channel *channel_at(struct vector_finder *f, int64_t card, int64_t channel)
{
	struct channel *c, **grown;

	for (size_t i = 0; i < f->nch; i++)
		if (f->ch[i]->v.card == card && f->ch[i]->v.channel == channel)
			return f->ch[i];
	if (f->nch == CHANNELS ||
	    !(grown = reallocarray(f->ch, f->nch + 1, sizeof(struct channel *))))
		return NULL;
	f->ch = grown;
	if (!(grown = reallocarray(f->idle, f->nch + 1, sizeof(struct channel *))))
		return NULL;
	f->idle = grown;
	if (!(c = calloc(1, sizeof(*c))))
		return NULL;
	c->v.card = card;
	c->v.channel = channel;
	c->last_end_ns = DMA_UNKNOWN;
	c->least = c->before = SIZE_MAX;
	c->clean_enough = CLEAN;
	return f->ch[f->nch++] = c;
}

static struct open *open_at(struct channel *c, size_t i)
{
	return &c->open[(c->head + i) % c->cap];
}

static void drop_oldest(struct channel *c, size_t n)
{
	c->head = (c->head + n) % c->cap;
	c->nopen -= n;
}

static int open_push(struct channel *c, const struct open *o)
{
	if (c->nopen == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 4;
		struct open *grown;

		if (c->cap == OPEN) {
			drop_oldest(c, 1);
		} else {
			if (!(grown = malloc(cap * sizeof(*grown))))
				return -1;
			for (size_t i = 0; i < c->nopen; i++)
				grown[i] = *open_at(c, i);
			free(c->open);
			c->open = grown;
			c->cap = cap;
			c->head = 0;
		}
	}
	c->nopen++;
	if (c->nopen > c->v.deepest)
		c->v.deepest = c->nopen;
	*open_at(c, c->nopen - 1) = *o;
	return 0;
}

/* Another use than thought: what was gathered under the wrong one is of no worth, unless
 * it is much. */
static int use_as(struct vector_finder *f, struct channel *c, enum use u)
{
	c->use = u;
	c->starts = c->replaced = c->clean = c->waits = c->raises = 0;
	c->least = c->before = SIZE_MAX;
	if (c->v.transfers >= 64 * STRETCH)
		return 0;
	channel_clear(c);
	free(c->v.before);
	c->v.nbefore = 0;
	if (!(c->v.before = calloc(f->nring + 1, sizeof(*c->v.before))))
		return -1;
	c->v.nbefore = f->nring;
	c->v.since_ns = f->to_ns;
	for (size_t v = 0; v < f->nring; v++)
		c->v.before[v] = f->ring[v].n;
	return 0;
}

/* Many open on a channel used one at a time, or a few time and again: a queue after
 * all. */
static int watch_serial(struct vector_finder *f, struct channel *c)
{
	c->replaced += c->nopen > 0;
	c->aborted += c->nopen > 0;
	c->deep += c->nopen > 1;
	if (c->nopen > 2 || c->deep > 1 || c->replaced > STRETCH / 4)
		return use_as(f, c, USE_QUEUE);
	if (++c->starts >= STRETCH)
		c->starts = c->replaced = c->deep = 0;
	return 0;
}

static int started(struct vector_finder *f, struct channel *c, const struct sample *s)
{
	struct open o = {s->time_ns, s->time_ns, s->size_bytes, f->last_end_ns};

	for (; f->nidle; f->nidle--)
		f->idle[f->nidle - 1]->last.next_ns = s->time_ns;
	if (!c->nopen)
		vector_turn_start(f, c, s->time_ns);
	c->clean = c->nopen ? 0 : c->clean + 1;
	if (c->use == USE_SERIAL && watch_serial(f, c))
		return -1;
	if (c->use == USE_QUEUE && c->clean >= c->clean_enough) {
		c->use = USE_SERIAL;
		c->clean_enough = 2 * STRETCH; /* next time */
		c->starts = c->replaced = c->deep = 0;
		c->aborted = c->empties = 0;
	}
	return open_push(c, &o);
}

/* In a queue the number open after a wait is bounded. Where it rises again and again,
 * some were never waited for, or, if fast, a wait is for all of them. */
static int watch_queue(struct vector_finder *f, struct channel *c)
{
	if (c->nopen < c->least)
		c->least = c->nopen;
	if (++c->waits < STRETCH)
		return 0;
	if (c->before == SIZE_MAX || c->least < c->before) {
		c->raises = 0;
		c->base = c->least;
	} else {
		c->raises += c->least > c->before;
	}
	c->before = c->least;
	c->waits = 0;
	c->least = SIZE_MAX;
	if (c->raises < RAISES)
		return 0;
	if (c->before - c->base >= RAISES * STRETCH / 4)
		return use_as(f, c, USE_BATCH);
	drop_oldest(c, c->before - c->base < c->nopen ? c->before - c->base : c->nopen);
	return use_as(f, c, USE_QUEUE);
}

static int ended(struct vector_finder *f, struct channel *c, const struct sample *s)
{
	bool all = c->use != USE_QUEUE;
	size_t n = all ? c->nopen : 1;
	int64_t from_ns = c->nopen ? open_at(c, 0)->begin_ns : 0;
	int rc = 0;

	if (!c->nopen) {
		/* Starts taken for aborted ones were waited for. */
		if (c->use == USE_SERIAL && ++c->empties >= 2 && c->aborted &&
		    c->aborted <= 2 * c->empties && c->v.transfers < 64 * STRETCH)
			return use_as(f, c, USE_QUEUE);
		return 0;
	}
	vector_turn_ended(f, c, n, from_ns, s->time_ns, n == c->nopen,
			  !(s->bits & SAMPLE_FAILED) &&
				  !(c->use == USE_SERIAL && n > 1) &&
				  !loss_windows_touch(&f->loss, from_ns, s->time_ns));
	for (size_t i = 0; i < n && !rc; i++) {
		struct open o = *open_at(c, 0);
		drop_oldest(c, 1);
		if (all && c->nopen)
			continue;
		rc = interval_end(f, c, &o, from_ns, s->time_ns, !c->nopen,
				  s->bits & SAMPLE_FAILED);
	}
	f->last_end_ns = s->time_ns;
	if (!rc && c->use == USE_QUEUE)
		rc = watch_queue(f, c);
	return rc;
}

/* ---- calls ---- */

static struct call *call_at(struct vector_finder *f, int32_t tid)
{
	struct call *k = &f->call[(uint32_t)tid % THREADS];

	if (!k->used || k->tid != tid)
		*k = (struct call){tid, true, -1, SIZE_MAX};
	return k;
}

static size_t index_of(const struct vector_finder *f, const struct channel *c)
{
	for (size_t i = 0; i < f->nch; i++)
		if (f->ch[i] == c)
			return i;
	return SIZE_MAX;
}

/* A wait that does not say: of the channels in flight the only one, else the thread's
 * own. */
static int channel_meant(struct vector_finder *f, const struct call *k,
			 const struct sample *s)
{
	int found = -1, several = 0;

	for (size_t i = 0; i < f->nch; i++) {
		const struct channel *c = f->ch[i];
		if (!c->nopen || (s->card != DMA_UNKNOWN && s->card != c->v.card) ||
		    (s->channel != DMA_UNKNOWN && s->channel != c->v.channel))
			continue;
		found = (int)i;
		several++;
	}
	if (several > 1)
		return k->start != SIZE_MAX ? (int)k->start : -1;
	return found;
}

static int call_begin(struct vector_finder *f, const struct sample *s, struct err *e)
{
	struct call *k = call_at(f, s->tid);
	struct channel *c;

	k->channel = -1;
	if (s->bits & (SAMPLE_OTHER | SAMPLE_CIRCULAR))
		return 0;
	if (s->role == ROLE_WAIT &&
	    (s->card == DMA_UNKNOWN || s->channel == DMA_UNKNOWN)) {
		k->channel = channel_meant(f, k, s);
		return 0;
	}
	c = channel_at(f, s->card, s->channel);
	if (!c)
		return f->nch == CHANNELS ? 0 : vector_no_memory(e);
	k->channel = (int)index_of(f, c);
	if (s->role == ROLE_WAIT)
		return 0;
	k->start = (size_t)k->channel;
	return started(f, c, s) ? vector_no_memory(e) : 0;
}

static int woken(struct vector_finder *f, const struct sample *s, struct err *e)
{
	struct call *k = call_at(f, s->tid);
	int c = k->channel;

	if (s->bits & (SAMPLE_PENDING | SAMPLE_OTHER))
		return 0;
	if (c < 0)
		c = channel_meant(f, k, s);
	k->channel = -1;
	if (c < 0)
		return 0;
	return ended(f, f->ch[c], s) ? vector_no_memory(e) : 0;
}

static void doorbell(struct vector_finder *f, const struct sample *s)
{
	const struct call *k = call_at(f, s->tid);
	struct channel *c = k->start != SIZE_MAX ? f->ch[k->start] : NULL;

	if (c && c->nopen && s->time_ns >= open_at(c, c->nopen - 1)->submit_ns)
		open_at(c, c->nopen - 1)->begin_ns = s->time_ns;
}

static void stopped(struct vector_finder *f, const struct sample *s)
{
	for (size_t i = 0; i < f->nch; i++)
		if ((s->card == DMA_UNKNOWN || f->ch[i]->v.card == s->card) &&
		    (s->channel == DMA_UNKNOWN || f->ch[i]->v.channel == s->channel))
			f->ch[i]->nopen = f->ch[i]->turn.open = 0;
}

int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e)
{
	if (sample_is_foreign(s))
		return 0;
	if (f->from_ns == DMA_UNKNOWN || s->time_ns < f->from_ns)
		f->from_ns = s->time_ns;
	if (f->to_ns == DMA_UNKNOWN || s->time_ns > f->to_ns)
		f->to_ns = s->time_ns;
	if (begun_push(f->begun, s))
		return vector_no_memory(e);
	switch (s->role) {
	case ROLE_INTERRUPT:
		return interrupt(f, s, e);
	case ROLE_SUBMIT:
	case ROLE_WAIT:
		return call_begin(f, s, e);
	case ROLE_WOKEN:
		return woken(f, s, e);
	case ROLE_DOORBELL:
		doorbell(f, s);
		return 0;
	case ROLE_STOP:
		stopped(f, s);
		return 0;
	default:
		return 0;
	}
}
