/* SPDX-License-Identifier: GPL-2.0-only */
/* One recording of the simulated world, whole in memory, with its truth. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "tests/gate/judge.h"

static void on_truth(void *arg, const struct world_truth *t)
{
	struct recording *r = arg;
	struct world_truth *x = array_add(&r->truth, &r->ntruth);

	if (x)
		*x = *t;
	else
		r->nomem = true;
}

static void on_loss(void *arg, int32_t cpu, int64_t from_ns, int64_t to_ns)
{
	struct recording *r = arg;
	struct loss_window *x = array_add(&r->loss, &r->nloss);

	if (x)
		*x = (struct loss_window){cpu, from_ns, to_ns};
	else
		r->nomem = true;
}

static int index_truth(struct recording *r)
{
	for (size_t i = 0; i < r->ntruth; i++)
		if ((size_t)r->truth[i].submit_seq >= r->nseq)
			r->nseq = (size_t)r->truth[i].submit_seq + 1;
	r->of_seq = calloc(r->nseq + 1, sizeof(*r->of_seq));
	if (!r->of_seq)
		return -1;
	for (size_t i = 0; i < r->ntruth; i++)
		r->of_seq[r->truth[i].submit_seq] = (uint32_t)i + 1;
	return 0;
}

static int count_irqs(struct recording *r, const struct world *w)
{
	r->nirq = world_vectors(&r->o);
	r->irq = calloc(r->nirq, sizeof(*r->irq));
	r->irq_count = calloc(r->nirq, sizeof(*r->irq_count));
	for (size_t i = 0; i < r->nirq && r->irq && r->irq_count; i++) {
		r->irq[i] = (int32_t)(WORLD_IRQ + i);
		r->irq_count[i] = (int64_t)world_irq_count(w, r->irq[i]);
	}
	return r->irq && r->irq_count ? 0 : -1;
}

int recording_make(struct recording *r, const struct world_options *o, struct err *e)
{
	struct world_sink sink = {r, on_truth, on_loss};
	struct sample s, *x;
	struct world *w;
	int got;

	*r = (struct recording){.o = *o};
	if (world_new(&w, o, &sink))
		return err_set(e, ERR_NOMEM, "no memory");
	while ((got = world_next(w, &s)) > 0 && !r->nomem) {
		x = array_add(&r->sample, &r->nsample);
		if (x)
			*x = s;
		else
			r->nomem = true;
	}
	if (count_irqs(r, w) || index_truth(r) || r->nomem || got < 0)
		got = err_set(e, ERR_NOMEM, "no memory");
	world_free(w);
	return got;
}

void recording_release(struct recording *r)
{
	free(r->sample);
	free(r->loss);
	free(r->truth);
	free(r->of_seq);
	free(r->irq);
	free(r->irq_count);
	*r = (struct recording){0};
}

const struct world_truth *recording_truth(const struct recording *r, int64_t submit_seq)
{
	uint32_t i = submit_seq >= 0 && (size_t)submit_seq < r->nseq
			     ? r->of_seq[submit_seq]
			     : 0;

	return i ? &r->truth[i - 1] : NULL;
}

static int push_all(const struct recording *r, const struct judge_joiner *j, void *joiner,
		    struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < r->nloss && !rc; i++)
		rc = j->loss(joiner, r->loss[i].cpu, r->loss[i].from_ns, r->loss[i].to_ns,
			     e);
	for (size_t i = 0; i < r->nsample && !rc; i++)
		rc = j->push(joiner, &r->sample[i], e);
	return rc;
}

int recording_judge(const struct recording *r, const struct judge_joiner *j, bool find,
		    const struct judge_sink *sink, struct err *e)
{
	struct join_vector named[WORLD_CHANNELS];
	struct judge_task task = {.named = find ? NULL : named,
				  .find = find,
				  .irq = r->irq,
				  .irq_count = r->irq_count,
				  .nirq = r->nirq,
				  .ended = !r->o.cut,
				  .from_start = !r->o.begin_after,
				  .world = &r->o,
				  .sink = sink};
	void *joiner = NULL;
	int rc;

	for (unsigned c = 0; c < r->o.channels && !find; c++)
		if (world_irq(&r->o, c) >= 0)
			named[task.nnamed++] =
				(struct join_vector){world_irq(&r->o, c), 0, c};
	rc = j->new (&joiner, &task, e);
	if (!rc)
		do {
			rc = push_all(r, j, joiner, e);
			rc = rc ? rc : j->finish(joiner, e);
		} while (rc > 0);
	j->free(joiner);
	return rc;
}

static void print_truth(const struct world_truth *t)
{
	printf("   true: %s irq %" PRId64 " woken %" PRId64 " coalesced %d",
	       state_name(t->state), t->irq_seq == DMA_UNKNOWN ? -9 : t->irq_seq,
	       t->woken_seq == DMA_UNKNOWN ? -9 : t->woken_seq, t->coalesced);
	if (t->touched)
		printf(" touched %x", t->touched);
}

void recording_print(const struct recording *r, int64_t from_seq, int64_t to_seq)
{
	int64_t before = DMA_UNKNOWN;

	for (size_t i = 0; i < r->nsample; i++) {
		const struct sample *s = &r->sample[i];
		const struct world_truth *t = NULL;

		if (s->seq < from_seq || s->seq > to_seq)
			continue;
		printf("%8" PRId64 " %+10.2f us cpu %d ", s->seq,
		       before == DMA_UNKNOWN ? 0 : (double)(s->time_ns - before) / 1e3,
		       s->cpu);
		if (s->role == ROLE_INTERRUPT)
			printf("%17s irq %d", "", s->irq);
		else
			printf("tid %d %*sch %" PRId64 " %s%s", s->tid,
			       s->channel >= 0 ? (int)s->channel : 0, "", s->channel,
			       role_name(s->role),
			       s->bits & SAMPLE_FAILED ? " FAILED" : "");
		if (s->role == ROLE_SUBMIT)
			t = recording_truth(r, s->seq);
		if (t)
			print_truth(t);
		putchar('\n');
		before = s->time_ns;
	}
}
