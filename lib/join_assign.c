/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The assignment of a window: transfers against interrupts, both in order, by dynamic
 * programming forwards and backwards, so that for each transfer the cost of its best
 * choice is known beside that of the second. Cell (i, j): i transfers and j interrupts
 * are accounted for.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "join_priv.h"

#define MISSING	     10.0
#define STRAY	     10.0
#define LATE	     6.0
#define SHARED_DRAIN 0.5
#define SHARED_INFER 7.0
#define MARGIN	     2.0

/* Misfit of irq k as the end of transfer i; INFINITY = impossible. */
static double misfit(const struct jwindow *w, size_t n, size_t i, size_t k)
{
	const struct transfer *t = &w->tr[i]->t;
	int64_t at = w->irq[k].time_ns;

	if (w->tr[i]->decided)
		return INFINITY;
	int64_t begin = t->doorbell_ns != DMA_UNKNOWN && !t->doorbell_is_exit
				? t->doorbell_ns
				: t->submit_ns;
	if (at < begin)
		return INFINITY;
	if (t->woken_ns != DMA_UNKNOWN)
		return at <= t->woken_ns ? 0 : LATE + (double)(at - t->woken_ns) / 1e6;
	if (i + 1 < n && at > w->tr[i + 1]->t.submit_ns)
		return 1;
	return 0;
}

static double share_cost(enum pairing p)
{
	return p == PAIRING_DRAIN ? SHARED_DRAIN
	       : p == PAIRING_ONE ? INFINITY
				  : SHARED_INFER;
}

static double missing_cost(const struct jtransfer *x)
{
	return x->decided ? 0 : x->ended ? MISSING : MISSING / 2;
}

static void lower(double *a, double b)
{
	if (b < *a)
		*a = b;
}

#define AT(a, i, j) ((a)[(i) * (m + 1) + (j)])

static void forwards(const struct jwindow *w, size_t n, size_t m, double share, double *f)
{
	AT(f, 0, 0) = 0;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			double c = AT(f, i, j);
			if (i < n)
				lower(&AT(f, i + 1, j), c + missing_cost(w->tr[i]));
			if (j < m)
				lower(&AT(f, i, j + 1), c + STRAY);
			double run = 0;
			for (size_t k = 1; j < m && i + k <= n && k <= 16; k++) {
				run += misfit(w, n, i + k - 1, j) + (k > 1 ? share : 0);
				if (isinf(run))
					break;
				lower(&AT(f, i + k, j + 1), c + run);
			}
		}
}

static void backwards(const struct jwindow *w, size_t n, size_t m, double share,
		      double *b)
{
	AT(b, n, m) = 0;
	for (size_t i = n + 1; i-- > 0;)
		for (size_t j = m + 1; j-- > 0;) {
			double *c = &AT(b, i, j);
			if (i < n)
				lower(c, AT(b, i + 1, j) + missing_cost(w->tr[i]));
			if (j < m)
				lower(c, AT(b, i, j + 1) + STRAY);
			double run = 0;
			for (size_t k = 1; j < m && i + k <= n && k <= 16; k++) {
				run += misfit(w, n, i + k - 1, j) + (k > 1 ? share : 0);
				if (isinf(run))
					break;
				lower(c, AT(b, i + k, j + 1) + run);
			}
		}
}

/* Cost of the best whole assignment in which transfer i has choice c (m = none): into
 * cost[i][c]. */
static void marginals(const struct jwindow *w, size_t n, size_t m, double share,
		      const double *f, const double *b, double *cost)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= m; j++) {
			lower(&AT(cost, i, m),
			      AT(f, i, j) + missing_cost(w->tr[i]) + AT(b, i + 1, j));
			double run = 0;
			for (size_t k = 1; j < m && i + k <= n && k <= 16; k++) {
				run += misfit(w, n, i + k - 1, j) + (k > 1 ? share : 0);
				if (isinf(run))
					break;
				for (size_t x = i; x < i + k; x++)
					lower(&AT(cost, x, j),
					      AT(f, i, j) + run + AT(b, i + k, j + 1));
			}
		}
}

static void settle(const struct jwindow *w, size_t i, size_t m, const double *cost,
		   bool last, uint32_t *used)
{
	struct jtransfer *x = w->tr[i];
	struct transfer *t = &x->t;
	size_t best = m;
	double second = INFINITY;

	if (x->decided)
		return;
	for (size_t j = 0; j < m; j++)
		if (AT(cost, i, j) < AT(cost, i, best))
			best = j;
	for (size_t j = 0; j <= m; j++)
		if (j != best)
			lower(&second, AT(cost, i, j));
	if (second < AT(cost, i, best) + MARGIN) {
		t->state = STATE_UNKNOWN;
		t->reason = "two assignments of interrupts fit equally well";
		return;
	}
	if (best == m) {
		t->state = x->ended ? STATE_NO_INTERRUPT
			   : last   ? STATE_IN_FLIGHT
				    : STATE_UNKNOWN;
		t->reason = x->ended ? NULL
			    : last   ? "not ended when the recording stopped"
				     : "neither an interrupt nor a wait shows its end";
		return;
	}
	const struct jirq *q = &w->irq[best];
	t->irq_ns = q->time_ns;
	t->irq_seq = q->seq;
	t->irq = q->irq;
	t->irq_cpu = q->cpu;
	t->irq_count = 1;
	used[best]++;
	t->state = t->woken_ns != DMA_UNKNOWN && q->time_ns > t->woken_ns
			   ? STATE_LATE
			   : STATE_COMPLETE;
}

int join_assign(const struct jwindow *w, size_t n, size_t m, enum pairing p, bool last,
		uint32_t *used)
{
	size_t cells = (n + 1) * (m + 1);
	double *f = malloc(3 * cells * sizeof(*f));

	if (!f)
		return ERR_NOMEM;
	for (size_t i = 0; i < 3 * cells; i++)
		f[i] = INFINITY;
	memset(used, 0, m * sizeof(*used));
	forwards(w, n, m, share_cost(p), f);
	backwards(w, n, m, share_cost(p), f + cells);
	marginals(w, n, m, share_cost(p), f, f + cells, f + 2 * cells);
	for (size_t i = 0; i < n; i++)
		settle(w, i, m, f + 2 * cells, last, used);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			if (w->tr[i]->t.irq_seq == w->irq[j].seq && w->tr[i]->t.irq_count)
				w->tr[i]->t.coalesced = (int32_t)used[j];
	free(f);
	return 0;
}
