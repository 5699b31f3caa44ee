/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/witness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/derive.h"
#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/dma.h"
#include "lib/err.h"

/* A channel's bit was seen to clear. */
struct clear {
	int64_t card, channel; /* DMA_UNKNOWN = not told */
	int64_t since_ns, time_ns;
};

struct item { /* a transfer of the channel at hand */
	struct transfer t;
	int64_t start_ns;
	bool watched; /* a register tells of its channel */
	size_t fits;  /* clears that may be its own */
	const struct clear *clear;
	bool shared; /* one of them may be another's */
};

struct witness {
	struct db *db;
	int64_t run;
	struct derive *d;
	bool by_store; /* doorbells are the stores, not the exits of functions */
	int64_t cards, channels; /* how many the transfers are of */
	struct clear *clear;
	size_t nclear;
	struct item *item;
	size_t nitem;
	struct db_stmt *update;
};

/* ---- reading ---- */

static int read_clears(struct witness *w, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(w->db, &q, "clears", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", w->run);
	while ((got = db_step(q, e)) > 0) {
		struct clear *c = array_add(&w->clear, &w->nclear);

		if (!c) {
			got = err_nomem(e, "the changes of registers");
			break;
		}
		*c = (struct clear){db_i64(q, "card"), db_i64(q, "channel"),
				    db_i64(q, "since_ns"), db_i64(q, "time_ns")};
	}
	return db_finalize(q, got, e);
}

/* 1 = registers were watched. */
static int read_scope(struct witness *w, struct err *e)
{
	struct db_stmt *q;
	int64_t registers = 0;
	int got, rc = db_prepare_named(w->db, &q, "watched", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", w->run);
	got = db_step(q, e);
	if (got > 0) {
		registers = db_i64(q, "registers");
		w->cards = db_i64(q, "cards");
		w->channels = db_i64(q, "channels");
	}
	got = db_finalize(q, got < 0 ? got : 0, e);
	return got ? got : registers > 0;
}

/* ---- whose clear ---- */

/* Where a register does not say of which card or channel it is, only the only one is meant. */
static bool is_of(const struct witness *w, const struct clear *c,
		  const struct transfer *t)
{
	bool card = c->card == DMA_UNKNOWN ? w->cards <= 1 : c->card == t->card;

	return card &&
	       (c->channel == DMA_UNKNOWN ? w->channels <= 1 : c->channel == t->channel);
}

/* How many of the items start at or before the time. */
static size_t started_by(const struct witness *w, int64_t time_ns)
{
	size_t lo = 0, hi = w->nitem;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->item[mid].start_ns <= time_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void place_clear(struct witness *w, const struct clear *c)
{
	size_t first = started_by(w, c->since_ns), last = started_by(w, c->time_ns);

	/* a start within the bound: the clear was before it, or is that transfer's */
	for (size_t i = first ? first - 1 : 0; i < last; i++) {
		struct item *x = &w->item[i];

		x->fits++;
		x->clear = c;
		x->shared |= last > first;
	}
}

/* A transfer that began while nothing was watched yet, or that has no end of its own. */
static bool has_end(const struct transfer *t)
{
	return t->state != STATE_CIRCULAR && t->state != STATE_FAILED &&
	       t->state != STATE_ABORTED;
}

static int64_t minus(int64_t a, int64_t b)
{
	return a == DMA_UNKNOWN || b == DMA_UNKNOWN ? DMA_UNKNOWN : a - b;
}

/* Is it known that it had no interrupt? */
static bool has_none(enum transfer_state s)
{
	return s == STATE_POLLED || s == STATE_NO_INTERRUPT;
}

struct told {
	const char *witness;
	int64_t cleared_ns, error_ns, card_ns, delivery_ns, notice_ns;
};

static struct told tell(const struct item *x)
{
	struct told r = {"unseen",    DMA_UNKNOWN, DMA_UNKNOWN,
			 DMA_UNKNOWN, DMA_UNKNOWN, minus(x->t.woken_ns, x->t.irq_ns)};
	int64_t since;

	if (x->fits != 1 || x->shared) {
		r.witness = x->fits ? "unclear" : "unseen";
		return r;
	}
	since = x->clear->since_ns > x->start_ns ? x->clear->since_ns : x->start_ns;
	r.cleared_ns = since + (x->clear->time_ns - since) / 2;
	r.error_ns = (x->clear->time_ns - since + 1) / 2;
	r.card_ns = minus(r.cleared_ns, x->t.doorbell_ns);
	r.delivery_ns = minus(x->t.irq_ns, r.cleared_ns);
	if (x->t.irq_ns == DMA_UNKNOWN)
		r.notice_ns = minus(x->t.woken_ns, r.cleared_ns);
	if (x->t.irq_ns != DMA_UNKNOWN)
		r.witness = x->t.irq_ns < since ? "before" : "after";
	else
		r.witness = has_none(x->t.state) ? "alone" : "unpaired";
	return r;
}

static int write_item(struct witness *w, const struct item *x, struct err *e)
{
	bool has_irq = !has_none(x->t.state);
	struct told r;
	int rc;

	if (!x->watched || !has_end(&x->t))
		return 0;
	r = tell(x);
	db_bind_i64(w->update, ":run", w->run);
	db_bind_i64(w->update, ":id", x->t.id);
	db_bind_i64(w->update, ":cleared", r.cleared_ns);
	db_bind_i64(w->update, ":error", r.error_ns);
	db_bind_i64(w->update, ":card_time", r.card_ns);
	db_bind_i64(w->update, ":delivery", r.delivery_ns);
	db_bind_text(w->update, ":witness", r.witness);
	db_bind_i64(w->update, ":notice", has_irq ? DMA_UNKNOWN : r.notice_ns);
	rc = db_run(w->update, e);
	if (!rc)
		rc = derive_add_phase(w->d, &x->t, PHASE_CARD, r.card_ns, e);
	if (!rc && has_irq)
		rc = derive_add_phase(w->d, &x->t, PHASE_DELIVERY, r.delivery_ns, e);
	if (!rc && !has_irq && r.notice_ns != DMA_UNKNOWN)
		rc = derive_add_phase(w->d, &x->t, PHASE_NOTICE, r.notice_ns, e);
	return rc;
}

static int by_start(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->start_ns != y->start_ns ? (x->start_ns > y->start_ns ? 1 : -1)
					  : (x->t.id > y->t.id) - (x->t.id < y->t.id);
}

/* All transfers of a channel are there. */
static int end_channel(struct witness *w, struct err *e)
{
	int rc = 0;

	if (!w->nitem)
		return 0;
	qsort(w->item, w->nitem, sizeof(*w->item), by_start);
	for (size_t i = 0; i < w->nclear; i++)
		if (is_of(w, &w->clear[i], &w->item[0].t))
			place_clear(w, &w->clear[i]);
	for (size_t i = 0; !rc && i < w->nitem; i++)
		rc = write_item(w, &w->item[i], e);
	return rc;
}

static int add_item(struct witness *w, struct db_stmt *q, struct err *e)
{
	struct item *x = array_add(&w->item, &w->nitem);
	const char *word = db_text(q, "state"), *direction = db_text(q, "direction");

	if (!x)
		return err_nomem(e, "the transfers of a channel");
	x->t.id = db_i64(q, "id");
	x->t.card = db_i64(q, "card");
	x->t.channel = db_i64(q, "channel");
	x->t.size_bytes = db_i64(q, "size_bytes");
	x->t.direction =
		direction ? (enum direction)direction_parse(direction) : DIR_UNKNOWN;
	x->t.state = word ? (enum transfer_state)state_parse(word) : STATE_UNKNOWN;
	x->t.doorbell_ns = db_i64(q, "doorbell_ns");
	x->t.irq_ns = db_i64(q, "irq_ns");
	x->t.woken_ns = db_i64(q, "woken_ns");
	x->start_ns = w->by_store ? x->t.doorbell_ns : DMA_UNKNOWN;
	if (x->start_ns == DMA_UNKNOWN)
		x->start_ns = db_i64(q, "submit_ns");
	x->watched = db_i64(q, "watched") == 1;
	return 0;
}

/* By channels. The rows are changed while they are read: they are in the order of a sort,
 * which has read them all before it gives the first. */
static int walk(struct witness *w, struct err *e)
{
	struct db_stmt *q;
	int64_t card = DMA_UNKNOWN, channel = DMA_UNKNOWN;
	int got = 0, rc = db_prepare_named(w->db, &q, "witness_transfers", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", w->run);
	while (!rc && (got = db_step(q, e)) > 0) {
		if (w->nitem &&
		    (db_i64(q, "card") != card || db_i64(q, "channel") != channel)) {
			rc = end_channel(w, e);
			free(w->item);
			w->item = NULL;
			w->nitem = 0;
		}
		card = db_i64(q, "card");
		channel = db_i64(q, "channel");
		rc = rc ? rc : add_item(w, q, e);
	}
	rc = rc ? rc : got;
	if (!rc)
		rc = end_channel(w, e);
	return db_finalize(q, rc, e);
}

int witness_run(struct db *db, int64_t run, struct derive *d, struct err *e)
{
	struct witness w = {.db = db,
			    .run = run,
			    .d = d,
			    .by_store = !strcmp(derive_doorbell(d), "store")};
	int rc = read_scope(&w, e);

	if (rc <= 0)
		return rc;
	rc = read_clears(&w, e);
	if (!rc)
		rc = db_prepare_named(db, &w.update, "witness_update", e);
	if (!rc)
		rc = walk(&w, e);
	rc = db_finalize(w.update, rc, e);
	free(w.clear);
	free(w.item);
	return rc;
}
