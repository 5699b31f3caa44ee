/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/undone.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"

enum {
	BITS = 64,   /* of the widest register */
	MARGIN = 10, /* undone.h */
	ENOUGH = 10, /* transfers that the shortest one is known from; chosen */
};

struct start {
	int64_t card, channel, value;
	int64_t entry_ns, store_ns;
	int64_t left_ns;  /* its thread was seen to go on; DMA_UNKNOWN = not yet */
	int64_t woken_ns; /* a wait for its channel returned; likewise */
	int32_t tid;
	bool doubtful;
};

/* The last start of a channel, and the doubts that it is part of. */
struct lane {
	struct start start;
	size_t first; /* doubt; those before are of earlier starts */
};

struct thread {
	int32_t tid;
	int64_t entry_ns; /* of the start that it is in; DMA_UNKNOWN = none */
	size_t lane; /* whose store it made and has not gone on from; SIZE_MAX = none */
};

/* Of two starts the first is undone; or one of the two, and it is not told which. */
struct doubt {
	struct start a, b;
	bool ordered;
	int64_t a_next_ns, b_next_ns; /* its channel's next store; INT64_MAX = none yet */
	bool a_alive, b_alive;
	bool again; /* a third store may have set the bit once more */
};

struct card {
	int64_t card, shortest_ns;
	size_t n; /* transfers that it is known from */
};

struct undone {
	struct lane *lane;
	struct thread *thread;
	struct doubt *doubt;
	struct card *cards;
	struct undone_start *found;
	size_t nlane, nthread, ndoubt, ncard, nfound, last, settled;
};

struct undone *undone_new(void)
{
	return calloc(1, sizeof(struct undone));
}

void undone_free(struct undone *u)
{
	if (!u)
		return;
	free(u->lane);
	free(u->thread);
	free(u->doubt);
	free(u->cards);
	free(u->found);
	free(u);
}

static struct thread *thread_of(struct undone *u, int32_t tid)
{
	struct thread *x;

	if (u->last < u->nthread && u->thread[u->last].tid == tid)
		return &u->thread[u->last];
	for (size_t i = 0; i < u->nthread; i++)
		if (u->thread[i].tid == tid) {
			u->last = i;
			return &u->thread[i];
		}
	x = array_add(&u->thread, &u->nthread);
	if (x)
		*x = (struct thread){tid, DMA_UNKNOWN, SIZE_MAX};
	return x;
}

static struct lane *lane_of(struct undone *u, int64_t card, int64_t channel)
{
	struct lane *x;

	for (size_t i = 0; i < u->nlane; i++)
		if (u->lane[i].start.card == card && u->lane[i].start.channel == channel)
			return &u->lane[i];
	x = array_add(&u->lane, &u->nlane);
	if (x)
		*x = (struct lane){.start = {.card = card,
					     .channel = channel,
					     .store_ns = DMA_UNKNOWN}};
	return x;
}

static struct card *card_of(struct undone *u, int64_t card)
{
	struct card *x;

	for (size_t i = 0; i < u->ncard; i++)
		if (u->cards[i].card == card)
			return &u->cards[i];
	x = array_add(&u->cards, &u->ncard);
	if (x)
		*x = (struct card){card, INT64_MAX, 0};
	return x;
}

static bool same(const struct start *a, const struct start *b)
{
	return a->card == b->card && a->channel == b->channel &&
	       a->store_ns == b->store_ns;
}

static bool has(int64_t value, int64_t channel)
{
	return (uint64_t)value >> channel & 1;
}

/* ---- what becomes of a start ---- */

/* Doubts that a later sample may still settle: those from `settled` on. */
static void copy_to_doubts(struct undone *u, const struct start *s)
{
	for (size_t i = u->settled; i < u->ndoubt; i++) {
		struct doubt *d = &u->doubt[i];

		if (same(&d->a, s))
			d->a = *s;
		if (same(&d->b, s))
			d->b = *s;
	}
}

/* The thread has gone on: its store is behind it. */
static void go_on(struct undone *u, struct thread *x, int64_t time_ns)
{
	struct start *s = x->lane < u->nlane ? &u->lane[x->lane].start : NULL;

	x->lane = SIZE_MAX;
	if (!s || s->tid != x->tid || s->left_ns != DMA_UNKNOWN)
		return;
	s->left_ns = time_ns;
	if (s->doubtful)
		copy_to_doubts(u, s);
}

static int woken(struct undone *u, const struct sample *s)
{
	struct lane *l = lane_of(u, s->card, s->channel);
	struct start *x = l ? &l->start : NULL;
	struct card *c;

	if (!x)
		return ERR_NOMEM;
	if (x->store_ns == DMA_UNKNOWN || x->woken_ns != DMA_UNKNOWN)
		return 0;
	x->woken_ns = s->time_ns;
	if (x->left_ns == DMA_UNKNOWN) /* who waits has seen the start return */
		x->left_ns = s->time_ns;
	if (x->doubtful) {
		copy_to_doubts(u, x);
		return 0;
	}
	c = card_of(u, x->card);
	if (!c)
		return ERR_NOMEM;
	c->n++;
	if (x->woken_ns - x->store_ns < c->shortest_ns)
		c->shortest_ns = x->woken_ns - x->store_ns;
	return 0;
}

/* ---- two starts ---- */

static int doubt(struct undone *u, struct start *a, struct start *b, bool ordered)
{
	struct doubt *d = array_add(&u->doubt, &u->ndoubt);

	if (!d)
		return ERR_NOMEM;
	a->doubtful = true;
	b->doubtful |= !ordered;
	*d = (struct doubt){.a = *a,
			    .b = *b,
			    .ordered = ordered,
			    .a_next_ns = INT64_MAX,
			    .b_next_ns = INT64_MAX};
	return 0;
}

/* b has just stored. */
static int compare(struct undone *u, struct start *a, struct start *b)
{
	bool ordered = a->left_ns != DMA_UNKNOWN && a->left_ns <= b->store_ns;

	if (a->store_ns == DMA_UNKNOWN ||
	    (a->left_ns != DMA_UNKNOWN && a->left_ns <= b->entry_ns) || a->tid == b->tid)
		return 0;
	if (has(b->value, a->channel) || (!ordered && has(a->value, b->channel)))
		return 0; /* one had read behind the other's store */
	return a->doubtful && ordered ? 0 : doubt(u, a, b, ordered);
}

static int64_t behind_both(const struct doubt *d)
{
	if (d->a.left_ns == DMA_UNKNOWN || d->b.left_ns == DMA_UNKNOWN)
		return INT64_MAX;
	return d->a.left_ns > d->b.left_ns ? d->a.left_ns : d->b.left_ns;
}

/* What a third store's value says of a doubt. Where its start was entered behind both, it
 * has the bit of who runs; else it may have read before, and set a bit that was undone. */
static void settle_one(struct doubt *d, const struct start *s)
{
	bool a_again = s->channel == d->a.channel, b_again = s->channel == d->b.channel;
	bool a = d->a_next_ns == INT64_MAX && !a_again && has(s->value, d->a.channel);
	bool b = d->b_next_ns == INT64_MAX && !b_again && has(s->value, d->b.channel);

	if (d->ordered) {
		d->again |= a;
	} else if (s->entry_ns >= behind_both(d)) {
		d->a_alive |= a;
		d->b_alive |= b;
	} else {
		d->again |= a || b;
	}
	if (a_again && d->a_next_ns == INT64_MAX)
		d->a_next_ns = s->store_ns;
	if (b_again && d->b_next_ns == INT64_MAX)
		d->b_next_ns = s->store_ns;
}

static void settle_by_store(struct undone *u, const struct start *s)
{
	for (size_t i = u->settled; i < u->ndoubt; i++)
		if (u->doubt[i].a.card == s->card &&
		    u->doubt[i].b.store_ns != s->store_ns)
			settle_one(&u->doubt[i], s);
	while (u->settled < u->ndoubt && u->doubt[u->settled].a_next_ns != INT64_MAX &&
	       u->doubt[u->settled].b_next_ns != INT64_MAX)
		u->settled++;
}

static int store(struct undone *u, struct thread *x, const struct sample *s)
{
	struct start now = {.card = s->card,
			    .channel = s->channel,
			    .value = s->ret,
			    .entry_ns = x->entry_ns,
			    .store_ns = s->time_ns,
			    .left_ns = DMA_UNKNOWN,
			    .woken_ns = DMA_UNKNOWN,
			    .tid = s->tid};
	struct lane *own = lane_of(u, s->card, s->channel);
	int rc = own ? 0 : ERR_NOMEM;

	if (rc || x->entry_ns == DMA_UNKNOWN || s->ret == DMA_UNKNOWN)
		return rc;
	for (size_t i = 0; !rc && i < u->nlane; i++)
		if (&u->lane[i] != own && u->lane[i].start.card == s->card)
			rc = compare(u, &u->lane[i].start, &now);
	settle_by_store(u, &now);
	own->start = now;
	x->lane = (size_t)(own - u->lane);
	return rc;
}

int undone_push(struct undone *u, const struct sample *s)
{
	bool on_channel = s->channel >= 0 && s->channel < BITS;
	struct thread *x;

	if (s->tid < 0 || s->role < ROLE_SUBMIT || s->role > ROLE_STOP ||
	    s->role == ROLE_INTERRUPT || s->role == ROLE_HANDLED)
		return 0;
	x = thread_of(u, s->tid);
	if (!x)
		return ERR_NOMEM;
	go_on(u, x, s->time_ns);
	if (s->role == ROLE_DOORBELL)
		return on_channel ? store(u, x, s) : 0;
	x->entry_ns = s->role == ROLE_SUBMIT ? s->time_ns : DMA_UNKNOWN;
	return s->role == ROLE_WOKEN && on_channel && !(s->bits & SAMPLE_PENDING)
		       ? woken(u, s)
		       : 0;
}

/* ---- what is certain ---- */

static int64_t limit_of(struct undone *u, int64_t card)
{
	for (size_t i = 0; i < u->ncard; i++)
		if (u->cards[i].card == card && u->cards[i].n >= ENOUGH)
			return u->cards[i].shortest_ns / MARGIN;
	return -1;
}

static int64_t took(const struct start *s)
{
	return s->woken_ns == DMA_UNKNOWN ? -1 : s->woken_ns - s->store_ns;
}

/* Did a register show the channel of a start run behind both stores? */
static bool ran(const struct undone_clear *c, size_t n, const struct start *s,
		int64_t from_ns, int64_t next_ns)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].channel == s->channel && c[i].since_ns >= from_ns &&
		    c[i].since_ns < next_ns &&
		    (c[i].card == DMA_UNKNOWN || c[i].card == s->card))
			return true;
	return false;
}

/* In an ordered pair it is the first that lost its bit, if it did not get it back. */
static void settle_by_clears(struct doubt *d, const struct undone_clear *c, size_t n)
{
	int64_t from = d->ordered ? d->b.left_ns : behind_both(d);

	if (from == DMA_UNKNOWN || from == INT64_MAX)
		return;
	if (d->ordered) {
		d->again |= ran(c, n, &d->a, from, d->a_next_ns);
		return;
	}
	d->a_alive |= ran(c, n, &d->a, from, d->a_next_ns);
	d->b_alive |= ran(c, n, &d->b, from, d->b_next_ns);
}

/* One waited as long as a transfer takes, the other not at all. */
static void settle_by_waits(struct doubt *d, int64_t limit)
{
	int64_t a = took(&d->a), b = took(&d->b);

	if (a < 0 || b < 0 || d->a_alive || d->b_alive)
		return;
	d->a_alive = a >= limit * MARGIN && b <= limit;
	d->b_alive = b >= limit * MARGIN && a <= limit;
}

static int found(struct undone *u, const struct start *s, int64_t at_ns, bool certain)
{
	struct undone_start *x = array_add(&u->found, &u->nfound);

	if (!x)
		return ERR_NOMEM;
	*x = (struct undone_start){s->card, s->channel, s->store_ns, at_ns, certain};
	return 0;
}

static int decide(struct undone *u, struct doubt *d, bool whole, struct undone_totals *t)
{
	int64_t limit = limit_of(u, d->a.card), end = d->b.store_ns, at = end;
	const struct start *loser = d->ordered ? &d->a : NULL;
	bool certain = whole && limit >= 0 && !d->again;
	int rc;

	if (!d->ordered) {
		if (limit >= 0)
			settle_by_waits(d, limit);
		at = end = behind_both(d);
		certain &= end != INT64_MAX && d->a_alive != d->b_alive;
		loser = d->a_alive ? &d->b : &d->a;
		if (end == INT64_MAX)
			at = d->b.store_ns;
	}
	certain = certain && end - d->a.store_ns <= limit;
	if (certain && end - d->a.store_ns > t->longest_ns)
		t->longest_ns = end - d->a.store_ns;
	rc = certain || d->ordered ? found(u, loser, at, certain)
				   : found(u, &d->a, at, false);
	if (!rc && !certain && !d->ordered)
		rc = found(u, &d->b, at, false);
	return rc;
}

/* Certain ones first among those of one start. */
static int by_start(const void *a, const void *b)
{
	const struct undone_start *x = a, *y = b;

	if (x->store_ns != y->store_ns)
		return x->store_ns < y->store_ns ? -1 : 1;
	if (x->card != y->card)
		return x->card < y->card ? -1 : 1;
	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return y->certain - x->certain;
}

static int by_time(const void *a, const void *b)
{
	const struct undone_start *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static void once_each(struct undone *u)
{
	size_t n = 0;

	if (!u->nfound)
		return;
	qsort(u->found, u->nfound, sizeof(*u->found), by_start);
	for (size_t i = 0; i < u->nfound; i++) {
		const struct undone_start *x = &u->found[i];

		if (!n || u->found[n - 1].store_ns != x->store_ns ||
		    u->found[n - 1].card != x->card ||
		    u->found[n - 1].channel != x->channel)
			u->found[n++] = *x;
	}
	u->nfound = n;
	qsort(u->found, u->nfound, sizeof(*u->found), by_time);
}

int undone_finish(struct undone *u, bool whole, const struct undone_clear *clear,
		  size_t nclear, struct undone_totals *t, struct undone_start **list,
		  size_t *n)
{
	int rc = 0;

	*t = (struct undone_totals){.longest_ns = DMA_UNKNOWN,
				    .shortest_ns = DMA_UNKNOWN};
	for (size_t i = 0; !rc && i < u->ndoubt; i++) {
		settle_by_clears(&u->doubt[i], clear, nclear);
		rc = decide(u, &u->doubt[i], whole, t);
	}
	if (rc)
		return rc;
	once_each(u);
	for (size_t i = 0; i < u->nfound; i++)
		u->found[i].certain ? t->lost++ : t->maybe++;
	for (size_t i = 0; i < u->ncard; i++)
		if (t->shortest_ns == DMA_UNKNOWN ||
		    u->cards[i].shortest_ns < t->shortest_ns)
			t->shortest_ns = u->cards[i].shortest_ns;
	*list = u->found;
	*n = u->nfound;
	u->found = NULL;
	return 0;
}
