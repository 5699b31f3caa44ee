/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/hazard.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/join/join.h"

static int read_clears(struct undone_clear **c, size_t *n, struct db *db, int64_t run,
		       struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(db, &q, "clears", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	while ((got = db_step(q, e)) > 0) {
		struct undone_clear *x = array_add(c, n);

		if (!x) {
			got = err_nomem(e, "the changes of registers");
			break;
		}
		*x = (struct undone_clear){db_i64(q, "card"), db_i64(q, "channel"),
					   db_i64(q, "since_ns")};
	}
	return db_finalize(q, got, e);
}

static int by_store(const void *a, const void *b, void *start)
{
	const struct undone_start *s = start;
	int64_t x = s[*(const size_t *)a].store_ns, y = s[*(const size_t *)b].store_ns;

	return (x > y) - (x < y);
}

int hazard_init(struct hazard *h, struct db *db, int64_t run, struct undone *u,
		bool whole, struct err *e)
{
	struct undone_clear *clear = NULL;
	size_t n = 0;
	int rc;

	*h = (struct hazard){0};
	rc = read_clears(&clear, &n, db, run, e);
	if (!rc && undone_finish(u, whole, clear, n, &h->totals, &h->start, &h->n))
		rc = err_nomem(e, "the analysis");
	free(clear);
	if (rc || !h->n)
		return rc;
	h->by_store = calloc(h->n, sizeof(*h->by_store));
	if (!h->by_store)
		return err_nomem(e, "the analysis");
	for (size_t i = 0; i < h->n; i++)
		h->by_store[i] = i;
	qsort_r(h->by_store, h->n, sizeof(*h->by_store), by_store, h->start);
	return 0;
}

void hazard_release(struct hazard *h)
{
	free(h->start);
	free(h->by_store);
	*h = (struct hazard){0};
}

int hazard_push(struct hazard *h, int64_t time_ns, struct join *j, struct err *e)
{
	int rc = 0;

	for (; !rc && h->next < h->n && h->start[h->next].at_ns < time_ns; h->next++) {
		const struct undone_start *x = &h->start[h->next];
		struct sample s = sample_blank(ROLE_STOP, x->at_ns);

		s.card = x->card;
		s.channel = x->channel;
		if (x->certain)
			rc = join_push(j, &s, e);
	}
	return rc;
}

static const struct undone_start *start_of(const struct hazard *h,
					   const struct transfer *t)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (h->start[h->by_store[mid]].store_ns < t->doorbell_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < h->n && h->start[h->by_store[lo]].store_ns == t->doorbell_ns; lo++) {
		const struct undone_start *x = &h->start[h->by_store[lo]];

		if (x->card == t->card && x->channel == t->channel)
			return x;
	}
	return NULL;
}

void hazard_tell(const struct hazard *h, struct transfer *t)
{
	const struct undone_start *x = h->n ? start_of(h, t) : NULL;

	if (!x)
		return;
	if (x->certain && t->state == STATE_ABORTED) {
		t->reason =
			"its start was undone: another thread's store, of a value read "
			"before, took its bit away";
		return;
	}
	t->state = STATE_UNKNOWN;
	t->reason = "another thread's store may have taken its bit away";
	t->irq_ns = t->irq_seq = DMA_UNKNOWN;
	t->irq = t->irq_cpu = -1;
	t->irq_certain = false;
	t->coalesced = t->irq_count = 0;
}
