/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vector finder's result: every pair of vector and channel is judged
 * (vector_judge.c), every vector is summed up over its channels, the winners are named,
 * and where the evidence is thin it is said what would help.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/vector/vector_seen.h"

static bool ends(enum verdict v)
{
	return v == VERDICT_COMPLETION || v == VERDICT_SHARED;
}

static int rank(enum verdict v)
{
	static const int order[VERDICT_N] = {3, 5, 4, 5, 1, 0};

	return order[v];
}

/* Of a vector: its best channel, or the sum of those that it ends. */
static struct vector_evidence whole(const struct vector_evidence *e, size_t nch,
				    const struct ring *r)
{
	struct vector_evidence o = {.irq = r->irq,
				    .interrupts = r->n,
				    .outside = r->n,
				    .position = NAN,
				    .to_end_ns = NAN,
				    .slope_ns_per_byte = NAN,
				    .intercept_ns = NAN,
				    .verdict = r->n ? VERDICT_UNCLEAR : VERDICT_SILENT};
	uint64_t inside = 0;
	size_t n = 0;

	snprintf(o.why, sizeof(o.why),
		 r->n ? "no transfer was seen to its end, so there is nothing to hold "
			"its %llu interrupts against"
		      : "not one interrupt was recorded",
		 (unsigned long long)r->n);
	for (size_t i = 0; i < nch; i++)
		if (!i || rank(e[i].verdict) > rank(o.verdict) ||
		    (rank(e[i].verdict) == rank(o.verdict) && e[i].score > o.score))
			o = e[i];
	o.card = o.channel = DMA_UNKNOWN;
	if (!ends(o.verdict))
		return o;
	o.transfers = o.one = o.none = o.many = o.late = 0;
	for (size_t i = 0; i < nch; i++) {
		if (!ends(e[i].verdict))
			continue;
		n++;
		o.transfers += e[i].transfers;
		o.one += e[i].one;
		o.none += e[i].none;
		o.many += e[i].many;
		o.late += e[i].late;
		inside += e[i].interrupts - e[i].outside;
	}
	o.outside = inside < r->n ? r->n - inside : 0;
	if (n > 1)
		snprintf(o.why, sizeof(o.why),
			 "ends the transfers of %zu channels: %.1f %% of %llu hold it or "
			 "have it shortly after",
			 n,
			 100.0 * (double)(o.one + o.many + o.late) / (double)o.transfers,
			 (unsigned long long)o.transfers);
	return o;
}

static int by_score(const void *a, const void *b)
{
	const struct vector_evidence *x = a, *y = b;

	if (x->score != y->score)
		return (x->score < y->score) - (x->score > y->score);
	return (x->irq > y->irq) - (x->irq < y->irq);
}

static void advise(const struct vector_finder *f, struct vector_result *r)
{
	uint64_t transfers = 0;
	size_t with = 0;
	const struct vector_evidence *best = NULL;

	for (size_t i = 0; i < f->nch; i++) {
		transfers += f->ch[i]->v.transfers;
		with += f->ch[i]->v.transfers > 0;
	}
	for (size_t i = 0; i < r->noverall && !best; i++)
		if (r->overall[i].verdict == VERDICT_UNCLEAR && r->overall[i].score > 0)
			best = &r->overall[i];
	r->thin = !r->nwinner;
	if (r->nwinner && r->nwinner >= with)
		return;
	if (r->nwinner)
		snprintf(r->advice, sizeof(r->advice),
			 "%zu of %zu channels %s no vector that clearly ends %s "
			 "transfers: name it with --irq N if there is one",
			 with - r->nwinner, with, with - r->nwinner == 1 ? "has" : "have",
			 with - r->nwinner == 1 ? "its" : "their");
	else if (!transfers)
		snprintf(
			r->advice, sizeof(r->advice),
			"no transfer was seen to its end, so no vector can be told to be "
			"the completion: name it with --irq N");
	else if (best)
		snprintf(r->advice, sizeof(r->advice),
			 "%llu transfer%s not show clearly which vector ends %s; "
			 "interrupt %d fits best: if it is the one, say --irq %d, else "
			 "--irq N; transfers of more sizes show more",
			 (unsigned long long)transfers, transfers == 1 ? " does" : "s do",
			 transfers == 1 ? "it" : "them", best->irq, best->irq);
	else if (r->noverall < 2)
		snprintf(r->advice, sizeof(r->advice),
			 "%s: they were polled, or their vector was not recorded; if "
			 "there is one, name it with --irq N",
			 r->noverall ? "the only vector recorded ends no transfers"
				     : "no vector was recorded");
	else
		snprintf(
			r->advice, sizeof(r->advice),
			"none of the %zu vectors recorded ends transfers: they were "
			"polled, or their vector was not recorded; if there is one, name "
			"it with --irq N",
			r->noverall);
}

static int judge_all(struct vector_finder *f, struct vector_evidence *ev)
{
	size_t n = f->nring * f->nch;
	struct vector_case *c = calloc(n + 1, sizeof(*c));
	int rc = c ? 0 : -1;

	for (size_t k = 0; k < n && !rc; k++) {
		const struct ring *r = &f->ring[k / f->nch];
		const struct vector_channel *vc = &f->ch[k % f->nch]->v;
		size_t v = k / f->nch;

		ev[k] = (struct vector_evidence){
			.irq = r->irq, .card = vc->card, .channel = vc->channel};
		c[k] = (struct vector_case){
			.channel = vc,
			.pair = v < vc->npair ? vc->pair[v] : NULL,
			.interrupts = r->n,
			.before = v < vc->nbefore ? vc->before[v] : 0,
			.first_irq_ns = r->first_ns,
			.last_irq_ns = r->last_ns,
			.count_delta = r->count_delta,
			.recorded_ns =
				f->to_ns - (vc->nbefore ? vc->since_ns : f->from_ns),
			.e = &ev[k]};
		rc = vector_case_judge(&c[k]);
	}
	if (!rc)
		rc = vector_cases_settle(c, f->nring, f->nch);
	free(c);
	return rc;
}

int vector_finder_finish(struct vector_finder *f, const struct vector_result **out,
			 struct err *e)
{
	size_t n = f->nring * (f->nch + 1);
	struct vector_result *r = &f->result;

	for (size_t i = 0; i < f->nch; i++) {
		if (vector_settle(f, f->ch[i]))
			return vector_no_memory(e);
		vector_turn_close(f, f->ch[i], INT64_MAX);
	}
	free(f->ev);
	free(f->winner);
	f->ev = calloc(n + 1, sizeof(*f->ev));
	f->winner = calloc(f->nch + 1, sizeof(*f->winner));
	if (!f->ev || !f->winner || judge_all(f, f->ev + f->nring))
		return vector_no_memory(e);
	*r = (struct vector_result){.overall = f->ev,
				    .noverall = f->nring,
				    .channel = f->ev + f->nring,
				    .nchannel = n - f->nring,
				    .begun = f->begun,
				    .winner = f->winner};
	for (size_t i = 0; i < f->nring; i++)
		r->overall[i] = whole(&r->channel[i * f->nch], f->nch, &f->ring[i]);
	for (size_t i = 0; i < r->nchannel; i++)
		if (ends(r->channel[i].verdict))
			r->winner[r->nwinner++] = (struct vector_winner){
				r->channel[i].irq, r->channel[i].card,
				r->channel[i].channel};
	qsort(r->overall, r->noverall, sizeof(*r->overall), by_score);
	advise(f, r);
	*out = r;
	return 0;
}
