/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/tally.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/hist.h"
#include "lib/stat.h"

enum { MOST_ROWS = 4096 };

static void span_release(struct span *s)
{
	for (int p = 0; p < PHASE_N; p++)
		hist_free(s->phase[p]);
	*s = (struct span){0};
}

static void row_free(struct row *r)
{
	if (!r)
		return;
	span_release(&r->now);
	span_release(&r->all);
	free(r->open);
	free(r->until);
	free(r);
}

void tally_release(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++)
		row_free(t->row[i]);
	free(t->row);
	*t = (struct tally){.by_process = t->by_process};
}

static bool is_row(const struct row *r, int64_t card, int64_t channel, int direction,
		   int32_t pid)
{
	return r->channel == channel && r->card == card &&
	       r->direction == (enum direction)direction && r->pid == pid;
}

static int by_key(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->card != y->card)
		return x->card < y->card ? -1 : 1;
	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return (x->direction > y->direction) - (x->direction < y->direction);
}

static int row_of(struct tally *t, int64_t card, int64_t channel, int direction,
		  int32_t pid, struct row **out, struct err *e)
{
	struct row **added, *r;

	pid = t->by_process ? pid : -1;
	if (t->recent < t->n &&
	    is_row(t->row[t->recent], card, channel, direction, pid)) {
		*out = t->row[t->recent];
		return 0;
	}
	for (size_t i = 0; i < t->n; i++)
		if (is_row(t->row[i], card, channel, direction, pid)) {
			t->recent = i;
			*out = t->row[i];
			return 0;
		}
	if (t->n >= MOST_ROWS && t->by_process && pid != TALLY_ENDED)
		return row_of(t, DMA_UNKNOWN, DMA_UNKNOWN, direction, TALLY_ENDED, out,
			      e);
	if (t->n >= MOST_ROWS && !t->by_process)
		return err_set(e, ERR_LIMIT, "more than %d channels in the live view",
			       MOST_ROWS);
	r = calloc(1, sizeof(*r));
	added = r ? array_add(&t->row, &t->n) : NULL;
	if (!added) {
		free(r);
		return err_nomem(e, "the live view");
	}
	r->card = card;
	r->channel = channel;
	r->direction = (enum direction)direction;
	r->pid = pid;
	*added = r;
	qsort(t->row, t->n, sizeof(*t->row), by_key);
	*out = r;
	return 0;
}

/* ---- starts ---- */

/* Behind `head` ones that are closed. */
static int open_add(struct row *r, const struct sample *s, struct err *e)
{
	if (r->nopen - r->head == TALLY_OPEN)
		return 0;
	if (r->head > r->nopen / 2) {
		memmove(r->open, r->open + r->head,
			(r->nopen - r->head) * sizeof(*r->open));
		r->nopen -= r->head;
		r->head = 0;
	}
	if (r->nopen == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		void *grown = reallocarray(r->open, room, sizeof(*r->open));

		if (!grown)
			return err_nomem(e, "the live view");
		r->open = grown;
		r->room = room;
	}
	r->open[r->nopen++] = (struct open_start){s->seq, s->time_ns, s->tid};
	return 0;
}

static void close_start(struct row *r, int64_t seq)
{
	for (size_t i = r->head; i < r->nopen; i++) {
		if (r->open[i].seq != seq)
			continue;
		memmove(r->open + r->head + 1, r->open + r->head,
			(i - r->head) * sizeof(*r->open));
		r->head++;
		return;
	}
}

const struct open_start *row_oldest(const struct row *r)
{
	return r->head < r->nopen ? &r->open[r->head] : NULL;
}

int tally_start(struct tally *t, const struct sample *s, struct err *e)
{
	struct row *r = NULL;
	int rc = row_of(t, s->card, s->channel, s->direction, s->pid, &r, e);

	if (rc)
		return rc;
	r->started++;
	t->starts_now++;
	t->last_start_ns = s->time_ns;
	return open_add(r, s, e);
}

uint64_t row_open(const struct row *r)
{
	return r->started > r->all.n ? r->started - r->all.n : 0;
}

/* ---- transfers ---- */

static int span_add(struct span *s, const struct transfer *x, struct err *e)
{
	s->n++;
	s->state[x->state]++;
	if (state_moves_bytes(x->state) && x->size_bytes > 0)
		s->bytes += (uint64_t)x->size_bytes;
	for (int p = 0; p < PHASE_N; p++) {
		int64_t ns = transfer_phase_ns(x, (enum phase)p);

		if (ns == DMA_UNKNOWN)
			continue;
		if (!s->phase[p] && !(s->phase[p] = hist_new()))
			return err_nomem(e, "the live view");
		if (hist_add(s->phase[p], ns, 1))
			return err_nomem(e, "the live view");
	}
	return 0;
}

static void until_pop(struct row *r)
{
	size_t i = 0;

	r->until[0] = r->until[--r->nuntil];
	for (size_t child; (child = 2 * i + 1) < r->nuntil; i = child) {
		int64_t moving = r->until[i];

		if (child + 1 < r->nuntil && r->until[child + 1] < r->until[child])
			child++;
		if (moving <= r->until[child])
			break;
		r->until[i] = r->until[child];
		r->until[child] = moving;
	}
}

static int until_push(struct row *r, int64_t ns, struct err *e)
{
	int64_t *added;

	if (r->nuntil == TALLY_OPEN)
		return 0;
	/* Popping takes from the end, which array_add allows, but its room is known only
	 * from the count: all of it is kept from the first on. */
	if (!r->until && !(r->until = calloc(TALLY_OPEN, sizeof(*r->until))))
		return err_nomem(e, "the live view");
	added = &r->until[r->nuntil++];
	*added = ns;
	for (size_t i = r->nuntil - 1; i && r->until[(i - 1) / 2] > ns; i = (i - 1) / 2) {
		r->until[i] = r->until[(i - 1) / 2];
		r->until[(i - 1) / 2] = ns;
	}
	return 0;
}

/* How many of its channel were in flight when it had been started, itself included. Those
 * whose end is not known count only for themselves. */
static int note_in_flight(struct row *r, const struct transfer *x, struct err *e)
{
	uint64_t n;
	int rc = 0;

	while (r->nuntil && r->until[0] <= x->submit_ns)
		until_pop(r);
	if (x->woken_ns != DMA_UNKNOWN)
		rc = until_push(r, x->woken_ns, e);
	n = r->nuntil + (x->woken_ns == DMA_UNKNOWN);
	if (n > r->in_flight)
		r->in_flight = n;
	if (n > r->most_in_flight)
		r->most_in_flight = n;
	return rc;
}

int tally_transfer(struct tally *t, const struct transfer *x, struct row **row,
		   struct err *e)
{
	int rc = row_of(t, x->card, x->channel, (int)x->direction, x->pid, row, e);

	if (rc)
		return rc;
	close_start(*row, x->submit_seq);
	rc = span_add(&(*row)->now, x, e);
	rc = rc ? rc : span_add(&(*row)->all, x, e);
	return rc ? rc : note_in_flight(*row, x, e);
}

void tally_loss(struct tally *t, uint64_t lost)
{
	t->lost += lost;
	t->lost_now += lost;
}

/* ---- processes that have ended ---- */

static int span_merge(struct span *to, const struct span *from, struct err *e)
{
	to->n += from->n;
	to->bytes += from->bytes;
	for (int i = 0; i < STATE_N; i++)
		to->state[i] += from->state[i];
	for (int p = 0; p < PHASE_N; p++) {
		if (!from->phase[p])
			continue;
		if (!to->phase[p] && !(to->phase[p] = hist_new()))
			return err_nomem(e, "the live view");
		if (hist_merge(to->phase[p], from->phase[p]))
			return err_nomem(e, "the live view");
	}
	return 0;
}

static bool is_over(const struct row *r, bool (*ended)(int32_t pid))
{
	return r->pid > 0 && !row_open(r) && !r->now.n && ended(r->pid);
}

static int fold(struct tally *t, const struct row *r, struct err *e)
{
	struct row *to = NULL;
	int rc = row_of(t, DMA_UNKNOWN, DMA_UNKNOWN, (int)r->direction, TALLY_ENDED, &to,
			e);

	rc = rc ? rc : span_merge(&to->all, &r->all, e);
	if (rc)
		return rc;
	to->started += r->started;
	if (r->most_in_flight > to->most_in_flight)
		to->most_in_flight = r->most_in_flight;
	return 0;
}

/* The others move up, and a row of TALLY_ENDED may have come in front of them. */
int tally_fold(struct tally *t, bool (*ended)(int32_t pid), struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc;) {
		struct row *r = t->row[i];
		size_t before = t->n;

		if (!is_over(r, ended)) {
			i++;
			continue;
		}
		rc = fold(t, r, e);
		i += t->n - before; /* where it is now */
		t->n--;
		memmove(t->row + i, t->row + i + 1, (t->n - i) * sizeof(*t->row));
		row_free(r);
	}
	t->recent = 0;
	return rc;
}

void tally_next(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++) {
		span_release(&t->row[i]->now);
		t->row[i]->in_flight = 0;
	}
	t->lost_now = t->starts_now = 0;
}

/* ---- figures ---- */

uint64_t span_n(const struct span *s, enum phase p)
{
	return s->phase[p] ? hist_n(s->phase[p]) : 0;
}

static int64_t quantile(const struct span *s, enum phase p, double q)
{
	struct quantile out;

	if (!s->phase[p])
		return DMA_UNKNOWN;
	stat_quantile(s->phase[p], 0, q, 0.95, &out);
	return out.value_ns;
}

int64_t span_median_ns(const struct span *s, enum phase p)
{
	return quantile(s, p, 0.5);
}

int64_t span_p99_ns(const struct span *s, enum phase p)
{
	return quantile(s, p, 0.99);
}

int64_t span_max_ns(const struct span *s, enum phase p)
{
	return s->phase[p] ? hist_max(s->phase[p]) : DMA_UNKNOWN;
}
