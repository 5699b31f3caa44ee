/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts and endings of one channel, under every hypothesis that is still alive. Each
 * hypothesis is an automaton over starts and waits that knows only which transfers are
 * open; endings are shared by those that agree.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/gate/align/use_priv.h"

/* ---- storage ---- */

static struct ending *ending_new(const struct ending *x)
{
	struct ending *n = malloc(sizeof(*n));

	if (n) {
		*n = *x;
		n->refs = 0;
	}
	return n;
}

void ending_put(struct use *u, struct ending *x)
{
	(void)u;
	if (x && !--x->refs)
		free(x);
}

static struct use_transfer *transfer_new(struct use *u)
{
	struct use_transfer *t = u->free_transfer;

	if (!t)
		return calloc(1, sizeof(*t));
	u->free_transfer = t->next_free;
	memset(t, 0, sizeof(*t));
	return t;
}

static void transfer_free(struct use *u, struct use_transfer *t)
{
	for (unsigned h = 0; h < t->nend; h++)
		ending_put(u, t->end[h]);
	for (unsigned i = 0; i < t->nsaw; i++)
		ending_put(u, t->saw[i].end);
	if (t->end != &t->one)
		free(t->end);
	t->next_free = u->free_transfer;
	u->free_transfer = t;
}

static int ring_grow(struct use_channel *c, struct err *e)
{
	uint64_t a = c->ring ? 2 * (c->mask + 1) : 16;
	struct use_transfer **p = malloc(a * sizeof(*p));

	if (!p)
		return use_nomem(e);
	for (uint64_t i = c->base; i < c->tail; i++)
		p[i & (a - 1)] = use_at(c, i);
	free(c->ring);
	c->ring = p;
	c->mask = a - 1;
	return 0;
}

static struct use_transfer *append(struct use *u, struct use_channel *c, struct err *e)
{
	struct use_transfer *t;

	if ((!c->ring || c->tail - c->base > c->mask) && ring_grow(c, e) < 0)
		return NULL;
	if (!(t = transfer_new(u))) {
		use_nomem(e);
		return NULL;
	}
	t->nend = c->nalive > 1 ? (uint16_t)c->nhyp : 1;
	t->end = t->nend > 1 ? calloc(t->nend, sizeof(*t->end)) : &t->one;
	if (!t->end) {
		free(t);
		use_nomem(e);
		return NULL;
	}
	t->nopen = (uint16_t)c->nalive;
	t->c = c;
	t->index = c->tail;
	t->epoch = c->epoch;
	c->ring[c->tail++ & c->mask] = t;
	return t;
}

void use_release(struct use *u, struct use_channel *c, uint64_t before)
{
	while (c->base < before && c->base < c->tail)
		transfer_free(u, use_at(c, c->base++));
	for (unsigned h = 0; h < c->nhyp; h++)
		if (c->hyp[h].head < c->base)
			c->hyp[h].head = c->base;
}

void channel_release(struct use *u, struct use_channel *c)
{
	use_release(u, c, c->tail);
	free(c->ring);
	free(c);
}

/* ---- one hypothesis ---- */

static unsigned slot_of(const struct use_transfer *t, unsigned h)
{
	return h < t->nend ? h : 0;
}

static bool is_open(const struct use_transfer *t, unsigned h)
{
	return !t->blocking && !t->dead && !t->end[slot_of(t, h)];
}

static void close_at(struct use_channel *c, struct use_transfer *t, unsigned h,
		     struct ending *x)
{
	t->end[slot_of(t, h)] = x;
	x->refs++;
	t->nopen--;
	c->hyp[h].nopen--;
}

static void advance_head(struct use_channel *c, unsigned h)
{
	struct use_hyp *y = &c->hyp[h];

	while (y->head < c->tail && !is_open(use_at(c, y->head), h))
		y->head++;
}

/* The oldest open one, of this thread if it has any. */
static struct use_transfer *oldest(struct use_channel *c, unsigned h, int32_t tid)
{
	struct use_hyp *y = &c->hyp[h];

	if (!y->nopen)
		return NULL;
	advance_head(c, h);
	if (c->submitter == -1)
		for (uint64_t i = y->head; i < c->tail; i++)
			if (is_open(use_at(c, i), h) && use_at(c, i)->t.tid == tid)
				return use_at(c, i);
	return y->head < c->tail ? use_at(c, y->head) : NULL;
}

static void close_all(struct use_channel *c, unsigned h, struct ending *x,
		      struct use_transfer *but)
{
	advance_head(c, h);
	for (uint64_t i = c->hyp[h].head; i < c->tail && c->hyp[h].nopen; i++) {
		struct use_transfer *t = use_at(c, i);
		if (t != but && is_open(t, h))
			close_at(c, t, h, x);
	}
}

struct use_transfer *use_oldest(const struct use_channel *c)
{
	for (unsigned h = 0; h < c->nhyp; h++) {
		if (!c->hyp[h].alive || !c->hyp[h].nopen)
			continue;
		for (uint64_t i = c->hyp[h].head; i < c->tail; i++)
			if (is_open(use_at(c, i), h))
				return use_at(c, i);
	}
	return NULL;
}

/* ---- endings that were told ---- */

static const struct use_told *told_of(const struct use *u, const struct use_transfer *t)
{
	static const struct use_told none = {DMA_UNKNOWN, DMA_UNKNOWN, STATE_UNKNOWN};
	size_t low = 0, high = u->ntold;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (u->told[mid].submit_seq < t->t.submit_seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low < u->ntold && u->told[low].submit_seq == t->t.submit_seq
		       ? &u->told[low]
		       : &none;
}

static bool ended_by(const struct use *u, const struct use_transfer *t,
		     const struct ending *x)
{
	const struct use_told *told = told_of(u, t);

	if (x->kind == END_ABORTED)
		return told->woken_seq == DMA_UNKNOWN && told->state == STATE_ABORTED;
	return x->seq != DMA_UNKNOWN
		       ? told->woken_seq == x->seq
		       : told->woken_seq == DMA_UNKNOWN && told->state == STATE_FAILED;
}

/* All that x is said to have ended, but for `but`. */
static int close_told(struct use *u, struct use_channel *c, const struct ending *given,
		      const struct use_transfer *but, bool *any, struct err *e)
{
	struct ending *x = NULL;

	for (uint64_t i = c->hyp[0].head; i < c->tail; i++) {
		struct use_transfer *t = use_at(c, i);
		if (t == but || !is_open(t, 0) || !ended_by(u, t, given))
			continue;
		if (!x && !(x = ending_new(given)))
			return use_nomem(e);
		x->batch = x->refs > 0;
		close_at(c, t, 0, x);
	}
	advance_head(c, 0);
	*any = x != NULL;
	return 0;
}

/* ---- hypotheses come and go ---- */

void use_drop(struct use_channel *c, unsigned h)
{
	struct use_hyp *y = &c->hyp[h];

	if (!y->alive || c->nalive == 1)
		return;
	y->alive = false;
	c->nalive--;
	for (uint64_t i = y->head; i < c->tail; i++) {
		struct use_transfer *t = use_at(c, i);
		/* Those with one slot belong to whichever is left. */
		if (t->nend > 1 && h < t->nend && !t->end[h] && t->nopen)
			t->nopen--;
	}
	if (c->nalive == 1)
		for (unsigned k = 0; k < c->nhyp; k++)
			if (c->hyp[k].alive && c->branched) {
				c->habit_known = true;
				c->habit = c->hyp[k].habit;
			}
}

/* Does this hypothesis have that phantom? */
static bool knows(const struct use_channel *c, const struct use_hyp *y,
		  const struct use_transfer *t)
{
	return !t->phantom || t->index + y->phantoms >= c->epoch_index + c->nphantom;
}

/* Each that is open gets endings for all hypotheses, as `from` has them. */
static int widen(struct use_channel *c, unsigned from, unsigned to_n, struct err *e)
{
	for (uint64_t i = c->base; i < c->tail; i++) {
		struct use_transfer *t = use_at(c, i);
		unsigned old = t->nend;
		struct ending **x, *same = t->end[slot_of(t, from)];

		if (!t->nopen && (same || t->dead))
			continue;
		x = calloc(to_n, sizeof(*x));
		if (!x)
			return use_nomem(e);
		for (unsigned h = 0; h < to_n; h++) {
			x[h] = h < old ? t->end[h] : same;
			if (h >= old && same)
				same->refs++;
		}
		if (t->end != &t->one)
			free(t->end);
		t->end = x;
		t->nend = (uint16_t)to_n;
		t->nopen = 0;
		for (unsigned h = 0; h < to_n; h++)
			t->nopen +=
				!x[h] && (h >= c->nhyp ? !t->phantom
						       : c->hyp[h].alive &&
								 knows(c, &c->hyp[h], t));
	}
	return 0;
}

static int first_alive(const struct use_channel *c)
{
	unsigned h = 0;

	while (h < c->nhyp && !c->hyp[h].alive)
		h++;
	return (int)h;
}

/* A start that finds another one open: from here on the habits differ. */
static int branch(const struct use *u, struct use_channel *c, struct err *e)
{
	unsigned from = (unsigned)first_alive(c), n = c->nhyp;

	c->branched = true;
	if (u->told || c->habit_known || c->hyp[from].phantoms || n + 2 > USE_HYPS)
		return 0;
	if (widen(c, from, n + 2, e) < 0)
		return ERR_NOMEM;
	c->branch_index = c->tail;
	for (unsigned i = 0; i < 2; i++) {
		c->hyp[n + i] = c->hyp[from];
		c->hyp[n + i].habit = i ? HABIT_DRAIN : HABIT_LAST;
	}
	c->nhyp += 2;
	c->nalive += 2;
	return 0;
}

static int add_phantoms(struct use *u, struct use_channel *c, unsigned n, struct err *e)
{
	c->nhyp = c->nalive = n + 1;
	c->nphantom = n;
	for (unsigned o = 0; o <= n; o++)
		c->hyp[o] = (struct use_hyp){.phantoms = o,
					     .alive = true,
					     .head = c->tail + n - o,
					     .nopen = o};
	for (unsigned i = 0; i < n; i++) {
		struct use_transfer *t = append(u, c, e);
		if (!t)
			return ERR_NOMEM;
		t->phantom = true;
		t->begin_ns = u->released;
		t->t.submit_ns = u->released;
		t->t.tid = -1;
		/* Hypotheses with fewer phantoms do not know it. */
		t->nopen = (uint16_t)(i + 1);
	}
	return 0;
}

/* New hypotheses for what comes; everything before is closed. */
static int begin_epoch(struct use *u, struct use_channel *c, unsigned phantoms,
		       struct err *e)
{
	enum habit habit = c->habit_known ? c->habit : HABIT_QUEUE;

	c->epoch_index = c->tail;
	c->branched = c->habit_known;
	c->branch_index = UINT64_MAX;
	if (habit == HABIT_QUEUE) {
		if (add_phantoms(u, c, u->told ? 0 : phantoms, e) < 0)
			return ERR_NOMEM;
	} else {
		c->nhyp = c->nalive = 1;
		c->nphantom = 0;
		c->hyp[0] =
			(struct use_hyp){.habit = habit, .alive = true, .head = c->tail};
	}
	return u->sink.epoch_begun(u->sink.arg, c, e);
}

int channel_epoch(struct use *u, struct use_channel *c, struct err *e)
{
	static const struct ending lost = {.kind = END_LOST,
					   .state = STATE_UNKNOWN,
					   .wait_ns = DMA_UNKNOWN,
					   .woken_ns = DMA_UNKNOWN,
					   .seq = DMA_UNKNOWN,
					   .reason = "samples were lost before its end"};
	bool any = false;

	if (channel_halt(u, c, &lost, &any, e) < 0)
		return ERR_NOMEM;
	for (uint64_t i = c->base; i < c->tail; i++)
		if (!use_at(c, i)->end[0] &&
		    channel_close_one(u, use_at(c, i), &lost, e) < 0)
			return ERR_NOMEM;
	if (u->sink.epoch_over(u->sink.arg, c, e) < 0)
		return ERR_NOMEM;
	c->epoch++;
	return begin_epoch(u, c,
			   c->peak < 2		    ? 0
			   : c->peak > USE_PHANTOMS ? USE_PHANTOMS
						    : c->peak,
			   e);
}

/* ---- what happens ---- */

static struct ending *shared(struct ending **p, const struct ending *x)
{
	if (!*p)
		*p = ending_new(x);
	return *p;
}

struct use_transfer *channel_start(struct use *u, struct use_channel *c,
				   const struct sample *s, struct err *e)
{
	static const struct ending again = {.kind = END_ABORTED,
					    .state = STATE_ABORTED,
					    .wait_ns = DMA_UNKNOWN,
					    .woken_ns = DMA_UNKNOWN,
					    .seq = DMA_UNKNOWN,
					    .reason = "started again before it ended"};
	bool aside = s->bits & (SAMPLE_BLOCKING | SAMPLE_CIRCULAR);
	struct ending *x = NULL;
	struct use_transfer *t;
	bool any;

	if (!c->seen) {
		c->submitter = s->tid;
		c->seen = true;
	} else if (c->submitter != s->tid) {
		c->submitter = -1;
	}
	if (!aside && !c->branched && c->hyp[first_alive(c)].nopen && branch(u, c, e) < 0)
		return NULL;
	if (!(t = append(u, c, e)))
		return NULL;
	t->blocking = s->bits & SAMPLE_BLOCKING;
	t->dead = s->bits & SAMPLE_CIRCULAR;
	if (u->told && !aside && close_told(u, c, &again, t, &any, e) < 0)
		return NULL;
	for (unsigned h = 0; h < c->nhyp && !aside; h++) {
		struct use_hyp *y = &c->hyp[h];
		if (!y->alive)
			continue;
		y->nopen++;
		if (y->habit != HABIT_LAST || y->nopen == 1)
			continue;
		if (!shared(&x, &again)) {
			use_nomem(e);
			return NULL;
		}
		close_all(c, h, x, t);
	}
	if (!aside && c->hyp[first_alive(c)].nopen > c->peak)
		c->peak = c->hyp[first_alive(c)].nopen;
	return t;
}

/* A wait for nothing: one in a hundred, and as long as it was on a scale that is even over
 * nine decades (model.h has the same for all times). */
static double log_empty(const struct ending *x)
{
	double ns = x->kind == END_WOKEN && x->wait_ns != DMA_UNKNOWN
			    ? (double)(x->woken_ns - x->wait_ns)
			    : 1000;

	return log(0.01) - log((ns > 0 ? ns : 0) + 64) - log(M_LN2 * 32);
}

int channel_wait(struct use *u, struct use_channel *c, const struct ending *given,
		 int32_t tid, bool *used, struct err *e)
{
	struct ending *x = NULL, *all = NULL;

	*used = false;
	if (u->told) {
		int r = close_told(u, c, given, NULL, used, e);
		c->hyp[0].penalty += *used ? 0 : log_empty(given);
		return r;
	}
	for (unsigned h = 0; h < c->nhyp; h++) {
		struct use_hyp *y = &c->hyp[h];
		struct use_transfer *t = y->alive ? oldest(c, h, tid) : NULL;
		if (!y->alive)
			continue;
		if (!t) {
			y->penalty += log_empty(given);
			continue;
		}
		*used = true;
		if (y->habit == HABIT_QUEUE || y->nopen == 1) {
			if (!shared(&x, given))
				return use_nomem(e);
			close_at(c, t, h, x);
		} else {
			if (!shared(&all, given))
				return use_nomem(e);
			all->batch = true;
			close_all(c, h, all, NULL);
		}
	}
	return 0;
}

int channel_close_one(struct use *u, struct use_transfer *t, const struct ending *given,
		      struct err *e)
{
	struct use_channel *c = t->c;
	struct ending *x = NULL;
	bool open = !t->blocking && !t->dead;

	(void)u;
	for (unsigned h = 0; h < t->nend; h++) {
		if (t->end[h])
			continue;
		if (!shared(&x, given))
			return use_nomem(e);
		t->end[h] = x;
		x->refs++;
	}
	if (open && x)
		for (unsigned h = 0; h < c->nhyp; h++)
			if (c->hyp[h].alive && c->hyp[h].nopen && use_end(t, h) == x)
				c->hyp[h].nopen--;
	t->nopen = 0;
	return 0;
}

/* All that is open. */
int channel_halt(struct use *u, struct use_channel *c, const struct ending *given,
		 bool *any, struct err *e)
{
	struct ending *x = NULL;

	(void)u;
	for (unsigned h = 0; h < c->nhyp; h++) {
		if (!c->hyp[h].alive || !c->hyp[h].nopen)
			continue;
		if (!shared(&x, given))
			return use_nomem(e);
		close_all(c, h, x, NULL);
		*any = true;
	}
	for (uint64_t i = c->tail; i-- > c->base;) {
		struct use_transfer *t = use_at(c, i);
		if (t->nopen && t->blocking && channel_close_one(u, t, given, e) < 0)
			return ERR_NOMEM;
		*any |= t->blocking && t->nopen;
		if (c->tail - i > 64 && !t->nopen)
			break;
	}
	return 0;
}

struct use_channel *use_channel(struct use *u, int64_t card, int64_t channel,
				struct err *e)
{
	struct use_channel **a, *c;

	if (u->recent && u->recent->card == card && u->recent->channel == channel)
		return u->recent;
	for (size_t i = 0; i < u->nch; i++)
		if (u->ch[i]->card == card && u->ch[i]->channel == channel)
			return u->recent = u->ch[i];
	a = reallocarray(u->ch, u->nch + 1, sizeof(*a));
	c = calloc(1, sizeof(*c));
	if (a)
		u->ch = a;
	if (!a || !c || ring_grow(c, e) < 0) {
		free(c);
		use_nomem(e);
		return NULL;
	}
	c->card = card;
	c->channel = channel;
	c->circular_from = c->circular_to = DMA_UNKNOWN;
	for (size_t i = 0; i < u->nbegun; i++)
		c->begun |= u->begun[i].card == card && u->begun[i].channel == channel;
	u->ch[u->nch++] = c;
	if (u->sink.channel(u->sink.arg, c, e) < 0 ||
	    begin_epoch(u, c, c->begun ? USE_PHANTOMS : 0, e) < 0)
		return NULL;
	return u->recent = c;
}

int use_stray(struct use *u, enum stray_kind k, const struct sample *s, const char *why,
	      struct err *e)
{
	if (k == STRAY_WAIT)
		u->n->waits_stray++;
	else if (k == STRAY_DOORBELL)
		u->n->doorbells_stray++;
	return u->sink.stray(u->sink.arg, k, s, why, e);
}
