/* SPDX-License-Identifier: GPL-2.0-only */
/* The joiner behind the vector finder, as analyze/analysis.c drives them. */
#include <stdlib.h>

#include "lib/err.h"
#include "lib/use/begun.h"
#include "lib/vector/vector.h"
#include "tests/gate/judge.h"

enum { CHANNELS_BEGUN = 1024 };

struct now {
	struct judge_task task;
	struct vector_finder *finder;
	struct join *join;
	struct join_vector vector[WORLD_CHANNELS];
	size_t nvector;
	int64_t unclear[WORLD_CHANNELS];
	struct begun_channel begun[CHANNELS_BEGUN];
};

static void now_free(void *arg)
{
	struct now *n = arg;

	if (!n)
		return;
	join_free(n->join);
	vector_finder_free(n->finder);
	free(n);
}

static int now_new(void **out, const struct judge_task *t, struct err *e)
{
	struct now *n = calloc(1, sizeof(*n));
	int rc = n ? vector_finder_new(&n->finder, e) : ERR_NOMEM;

	*out = n;
	if (rc)
		return rc;
	n->task = *t;
	for (size_t i = 0; i < t->nirq && !rc; i++)
		rc = vector_finder_known(n->finder, t->irq[i], t->irq_count[i], e);
	return rc;
}

static int now_push(void *arg, const struct sample *s, struct err *e)
{
	struct now *n = arg;

	return n->join ? join_push(n->join, s, e) : vector_finder_push(n->finder, s, e);
}

static int now_loss(void *arg, int32_t cpu, int64_t from_ns, int64_t to_ns, struct err *e)
{
	struct now *n = arg;

	return n->join ? join_loss(n->join, cpu, from_ns, to_ns, e)
		       : vector_finder_loss(n->finder, cpu, from_ns, to_ns);
}

/* ---- the result ---- */

/* No vector was found for a channel: what polled transfers of it are is not known. */
static bool undecided(const struct now *n, const struct transfer *t)
{
	for (size_t i = 0; i < n->nvector; i++)
		if (n->vector[i].channel == t->channel)
			return false;
	return n->task.find && n->unclear[t->channel % WORLD_CHANNELS];
}

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct now *n = arg;
	struct judge_said s = {.t = t};
	bool known = t->state != STATE_UNKNOWN &&
		     !(t->state == STATE_POLLED && undecided(n, t));

	(void)e;
	s.certain[FACT_STATE] = known;
	s.certain[FACT_END] = (known || t->end_certain) && t->woken_seq != DMA_UNKNOWN;
	s.certain[FACT_INTERRUPT] =
		known && (t->state == STATE_COMPLETE || t->state == STATE_LATE ||
			  t->state == STATE_NO_INTERRUPT || t->state == STATE_POLLED);
	s.certain[FACT_COALESCED] = known && t->coalesced > 0;
	for (int i = 0; i < FACT_N; i++)
		s.probability[i] = -1;
	n->task.sink->transfer(n->task.sink->arg, &s);
	return 0;
}

static int on_stray(void *arg, const struct stray *s, struct err *e)
{
	(void)arg;
	(void)s;
	(void)e;
	return 0;
}

static bool ends_transfers(const struct vector_evidence *v)
{
	return v->verdict == VERDICT_COMPLETION || v->verdict == VERDICT_SHARED;
}

/* For each channel the vector that fits it best. */
static void choose(struct now *n, const struct vector_result *r)
{
	for (size_t i = 0; i < r->nchannel; i++) {
		const struct vector_evidence *v = &r->channel[i];
		bool best = ends_transfers(v);

		if (v->verdict == VERDICT_UNCLEAR && v->score > 0)
			n->unclear[v->channel % WORLD_CHANNELS] = 1;
		for (size_t k = 0; k < r->nchannel && best; k++) {
			const struct vector_evidence *w = &r->channel[k];

			if (w->card == v->card && w->channel == v->channel &&
			    ends_transfers(w) &&
			    (w->score > v->score || (w->score == v->score && k < i)))
				best = false;
		}
		if (best && n->nvector < WORLD_CHANNELS)
			n->vector[n->nvector++] =
				(struct join_vector){v->irq, v->card, v->channel};
	}
}

static void tell_vectors(const struct now *n)
{
	int32_t irq[WORLD_CHANNELS];

	for (size_t i = 0; i < WORLD_CHANNELS; i++)
		irq[i] = n->unclear[i] ? JUDGE_UNCLEAR : JUDGE_NONE;
	for (size_t i = 0; i < n->nvector; i++)
		irq[n->vector[i].channel % WORLD_CHANNELS] = n->vector[i].irq;
	for (int64_t i = 0; i < WORLD_CHANNELS; i++)
		n->task.sink->vector(n->task.sink->arg, i, irq[i]);
}

static int found(struct now *n, struct err *e)
{
	const struct vector_result *r;
	struct join_sink sink = {n, on_transfer, on_stray};
	struct join_options o = {.vector = n->vector,
				 .begun = n->begun,
				 .ended = n->task.ended ? WORLD_PID : 0,
				 .from_start = n->task.from_start,
				 .whole = true, /* the world tells every loss */
				 .undecided = n->task.find};
	int rc = vector_finder_finish(n->finder, &r, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < n->task.nnamed && !n->task.find; i++)
		n->vector[n->nvector++] = n->task.named[i];
	if (n->task.find) {
		choose(n, r);
		tell_vectors(n);
	}
	o.nvector = n->nvector;
	if (!n->task.from_start)
		o.nbegun =
			begun_result(r->begun, n->task.ended, n->begun, CHANNELS_BEGUN);
	rc = join_new(&n->join, &o, &sink, e);
	return rc ? rc : 1;
}

static int now_finish(void *arg, struct err *e)
{
	struct now *n = arg;
	struct join_totals totals;

	return n->join ? join_finish(n->join, &totals, e) : found(n, e);
}

const struct judge_joiner judge_joiner_now = {"now",	now_new,    now_push,
					      now_loss, now_finish, now_free};
