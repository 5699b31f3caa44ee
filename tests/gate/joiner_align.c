/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The alignment (tests/gate/align, doc/model.md) on the ends that the joiner in use finds:
 * the vector finder, the joiner, and the alignment behind them, with one hypothesis. An end
 * is taken as it was told, also where the joiner was in doubt of it.
 */
#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"
#include "tests/gate/align/joiner.h"
#include "tests/gate/align/use.h"
#include "tests/gate/judge.h"

struct aligner {
	struct judge_task task;
	struct judge_sink sink; /* of the joiner in use */
	void *now;
	struct joiner *join; /* NULL = not yet */
	struct join_vector vector[WORLD_CHANNELS];
	size_t nvector;
	struct use_told *told; /* in order of submit_seq, once the joiner is done */
	size_t ntold;
};

static void align_free(void *arg)
{
	struct aligner *a = arg;

	if (!a)
		return;
	judge_joiner_now.free(a->now);
	joiner_free(a->join);
	free(a->told);
	free(a);
}

/* ---- what the joiner in use says ---- */

static void on_said(void *arg, const struct judge_said *s)
{
	struct aligner *a = arg;
	struct use_told *told = array_add(&a->told, &a->ntold);

	if (told)
		*told = (struct use_told){s->t->submit_seq, s->t->woken_seq, s->t->state};
}

static void on_vector(void *arg, int64_t channel, int32_t irq)
{
	struct aligner *a = arg;

	if (irq >= 0 && a->nvector < WORLD_CHANNELS)
		a->vector[a->nvector++] = (struct join_vector){irq, 0, channel};
	a->task.sink->vector(a->task.sink->arg, channel, irq);
}

static int align_new(void **out, const struct judge_task *t, struct err *e)
{
	struct aligner *a = calloc(1, sizeof(*a));
	struct judge_task now = *t;

	*out = a;
	if (!a)
		return err_nomem(e, "the judge");
	a->task = *t;
	a->sink = (struct judge_sink){a, on_said, on_vector};
	now.sink = &a->sink;
	for (size_t i = 0; i < t->nnamed && !t->find; i++)
		a->vector[a->nvector++] = t->named[i];
	return judge_joiner_now.new(&a->now, &now, e);
}

static int align_push(void *arg, const struct sample *s, struct err *e)
{
	struct aligner *a = arg;

	return a->join ? joiner_push(a->join, s, e) : judge_joiner_now.push(a->now, s, e);
}

static int align_loss(void *arg, int32_t cpu, int64_t from_ns, int64_t to_ns,
		      struct err *e)
{
	struct aligner *a = arg;

	return a->join ? joiner_loss(a->join, cpu, from_ns, to_ns, e)
		       : judge_joiner_now.loss(a->now, cpu, from_ns, to_ns, e);
}

/* ---- what the alignment says ---- */

static int by_seq(const void *a, const void *b)
{
	const struct use_told *x = a, *y = b;

	return x->submit_seq < y->submit_seq ? -1 : x->submit_seq > y->submit_seq;
}

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct aligner *a = arg;
	struct judge_said s = {.t = t};
	bool known = t->state != STATE_UNKNOWN;

	(void)e;
	s.certain[FACT_STATE] = known;
	s.certain[FACT_END] = known && t->woken_seq != DMA_UNKNOWN;
	s.certain[FACT_INTERRUPT] =
		known && (t->state == STATE_COMPLETE || t->state == STATE_LATE ||
			  t->state == STATE_NO_INTERRUPT || t->state == STATE_POLLED);
	s.certain[FACT_COALESCED] = known && t->coalesced > 0;
	for (int i = 0; i < FACT_N; i++)
		s.probability[i] = -1;
	if (known)
		s.probability[FACT_INTERRUPT] = t->irq_p;
	a->task.sink->transfer(a->task.sink->arg, &s);
	return 0;
}

static int align_finish(void *arg, struct err *e)
{
	struct aligner *a = arg;
	struct join_options o = {.vector = a->vector,
				 .nvector = a->nvector,
				 .ended = a->task.ended,
				 .undecided = a->task.find};
	struct join_sink sink = {a, on_transfer, NULL};
	struct join_totals totals;
	int rc;

	if (a->join)
		return joiner_finish(a->join, &totals, e);
	rc = judge_joiner_now.finish(a->now, e);
	if (rc)
		return rc;
	if (a->told)
		qsort(a->told, a->ntold, sizeof(*a->told), by_seq);
	rc = joiner_new(&a->join, &o, &sink, e);
	if (rc)
		return rc;
	joiner_tell(a->join, a->told, a->ntold);
	return 1;
}

const struct judge_joiner judge_joiner_align = {"align",    align_new,	  align_push,
						align_loss, align_finish, align_free};
