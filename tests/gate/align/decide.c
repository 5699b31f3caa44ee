/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Posterior of the layers that lie behind, and what becomes of transfers and interrupts.
 * Certain is a fact when all other readings of it, over all hypotheses, are together no
 * more likely than TAU: the end that the program saw, the interrupt, and how many it
 * ended, each for itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/gate/align/align.h"

enum { LAYERS = 32, MOST_LAYERS = 1024 };

/* ---- interrupts ---- */

static int irq_put(struct joiner *j, struct use_irq *q, struct err *e)
{
	struct stray x = {.kind = STRAY_INTERRUPT,
			  .time_ns = q->time_ns,
			  .seq = q->seq,
			  .card = DMA_UNKNOWN,
			  .channel = DMA_UNKNOWN,
			  .irq = q->irq,
			  .cpu = q->cpu,
			  .tid = -1};
	int r = 0;

	if (--q->refs)
		return 0;
	if (q->used) {
		j->n.interrupts_used++;
	} else {
		j->n.interrupts_stray++;
		x.reason = q->circular	    ? "a circular transfer runs"
			   : q->stray > .5f ? "no transfer that it can have ended"
					    : "it may have ended one of several";
		r = j->sink.stray ? j->sink.stray(j->sink.arg, &x, e) : 0;
	}
	free(q);
	return r;
}

/* ---- what is known of a transfer ---- */

static void add_candidate(struct use_transfer *t, struct use_irq *q, uint64_t first,
			  uint32_t k, float p)
{
	t->p_passed += p;
	for (unsigned i = 0; i < t->ncand; i++) {
		struct use_candidate *c = &t->cand[i];
		if (c->irq == q && (!q || (c->first == first && c->k == k))) {
			c->p += p;
			return;
		}
	}
	if (t->ncand == USE_CANDIDATES) {
		/* The least likely makes room, if it is less likely. */
		unsigned low = 0;
		for (unsigned i = 1; i < t->ncand; i++)
			if (t->cand[i].p < t->cand[low].p)
				low = i;
		if (t->cand[low].p >= p || t->cand[low].irq) {
			t->p_other += p;
			return;
		}
		t->p_other += t->cand[low].p;
		t->cand[low] = (struct use_candidate){q, first, k, p};
		if (q)
			q->refs++;
		return;
	}
	t->cand[t->ncand++] = (struct use_candidate){q, first, k, p};
	if (q)
		q->refs++;
}

static void add_end(struct use_transfer *t, struct ending *x, float p)
{
	for (unsigned i = 0; i < t->nsaw; i++)
		if (t->saw[i].end == x) {
			t->saw[i].p += p;
			return;
		}
	if (!x || t->nsaw == USE_CANDIDATES)
		return;
	t->saw[t->nsaw].end = x;
	t->saw[t->nsaw++].p = p;
	x->refs++;
}

static void account(struct group *g, const struct layer *l, const struct edge *e, float p)
{
	const struct state *from = state_at(g, e->from), *to = state_at(g, e->to);

	for (size_t s = 0; s < g->nslot; s++) {
		const struct match *k = NULL;
		if (from->pos[s].open >= to->pos[s].open)
			continue;
		for (unsigned i = 0; i < e->nmatch; i++)
			if (g->match[e->match + i].slot == s)
				k = &g->match[e->match + i];
		for (uint64_t i = from->pos[s].open; i < to->pos[s].open; i++) {
			struct use_transfer *t = use_at(g->slot[s]->c, i);
			unsigned hyp = to->pos[s].hyp == ANY ? 0 : to->pos[s].hyp;
			bool in = k && i >= k->first && i < k->first + k->n;
			add_candidate(t, in ? l->irq : NULL, in ? k->first : 0,
				      in ? k->n : 0, p);
			add_end(t, use_end(t, hyp), p);
			t->doubt += l->cut * p;
		}
	}
	if (l->irq && !e->nmatch)
		l->irq->stray += p;
}

/* ---- the decision ---- */

static void settle_end(struct use_transfer *t, struct ending **end, double *p)
{
	double sum = 0;

	*end = NULL;
	*p = 0;
	for (unsigned i = 0; i < t->nsaw; i++) {
		sum += (double)t->saw[i].p;
		if ((double)t->saw[i].p > *p) {
			*p = (double)t->saw[i].p;
			*end = t->saw[i].end;
		}
	}
	if (!t->nsaw && use_end(t, 0)) {
		*end = use_end(t, 0);
		*p = 1;
		return;
	}
	if (t->p_passed > sum)
		sum = t->p_passed;
	*p = sum > 0 ? *p / sum : 0;
}

static void settle_irq(const struct use_transfer *t, struct use_irq **irq, double *p,
		       const struct use_candidate **run, double *prun)
{
	double all = (double)t->p_passed + 1e-30;

	*irq = NULL;
	*p = *prun = 0;
	*run = NULL;
	for (unsigned i = 0; i < t->ncand; i++) {
		double sum = 0;
		for (unsigned k = 0; k < t->ncand; k++)
			if (t->cand[k].irq == t->cand[i].irq)
				sum += (double)t->cand[k].p;
		if (sum > *p) {
			*p = sum;
			*irq = t->cand[i].irq;
		}
	}
	for (unsigned i = 0; i < t->ncand; i++)
		if (t->cand[i].irq == *irq && (!*run || t->cand[i].p > (*run)->p))
			*run = &t->cand[i];
	*prun = *run ? (double)(*run)->p / all : 0;
	*p /= all;
}

static bool near_loss(const struct joiner *j, const struct use_transfer *t,
		      const struct ending *x, int64_t after_ns)
{
	int64_t to = x && x->woken_ns != DMA_UNKNOWN ? x->woken_ns : use_now(j->use);

	return use_lossy(j->use, t->t.submit_ns,
			 to > INT64_MAX - after_ns ? INT64_MAX : to + after_ns);
}

static void set_end(struct transfer *t, const struct ending *x)
{
	if (x->wait_ns != DMA_UNKNOWN)
		t->wait_ns = x->wait_ns;
	t->woken_ns = x->woken_ns;
	t->woken_seq = x->seq;
}

static void set_irq(struct transfer *t, struct use_irq *q)
{
	t->irq_ns = q->time_ns;
	t->irq_seq = q->seq;
	t->irq = q->irq;
	t->irq_cpu = q->cpu;
	t->irq_count = 1;
	q->used++;
}

static const char *why_unknown(const struct use_transfer *t, bool end_known)
{
	float none = 0, some = 0;

	if (!end_known)
		return "which wait saw its end is not certain";
	for (unsigned i = 0; i < t->ncand; i++)
		if (t->cand[i].irq)
			some += t->cand[i].p;
		else
			none += t->cand[i].p;
	return none > (float)TAU * t->p_passed && some > none
		       ? "its interrupt may have been another's: then it had none"
	       : none > (float)TAU * t->p_passed
		       ? "it may have had no interrupt, or one that came late"
		       : "two interrupts or more may be the one that ended it";
}

static void decide(struct group *g, struct use_transfer *x)
{
	struct joiner *j = g->j;
	struct transfer *t = &x->t;
	struct ending *end;
	struct use_irq *q;
	const struct use_candidate *run;
	double pe, pi, pr, doubt = (double)x->doubt;

	settle_end(x, &end, &pe);
	settle_irq(x, &q, &pi, &run, &pr);
	t->end_certain = end && 1 - pe <= TAU;
	t->irq_certain =
		g->nvector && 1 - pi + doubt <= TAU && (!end || end->kind != END_LOST);
	t->end_p = (float)pe;
	t->irq_p = (float)pi;
	if (!t->end_certain || end->kind == END_LOST) {
		t->state = STATE_UNKNOWN;
		t->end_certain = false;
		t->irq_certain = false;
		t->reason = end && end->kind == END_LOST ? end->reason
							 : why_unknown(x, false);
		return;
	}
	if (end->absence && near_loss(j, x, end, 0)) {
		t->state = STATE_UNKNOWN;
		t->end_certain = t->irq_certain = false;
		t->reason = "samples were lost near it";
		return;
	}
	set_end(t, end);
	t->reason = end->reason;
	t->state = end->state;
	if (end->kind != END_WOKEN)
		return;
	if (!g->nvector) {
		t->state = j->o.undecided ? STATE_POLLED : STATE_POLLED;
		return;
	}
	if (t->irq_certain && !q && near_loss(j, x, end, LATE_NS / 100)) {
		t->irq_certain = false;
		t->reason = "no interrupt was seen, but samples were lost near it";
		t->state = STATE_UNKNOWN;
		return;
	}
	if (!t->irq_certain) {
		t->state = STATE_UNKNOWN;
		t->reason = why_unknown(x, true);
		return;
	}
	if (!q) {
		t->state = STATE_NO_INTERRUPT;
		return;
	}
	set_irq(t, q);
	t->state = q->time_ns > t->woken_ns ? STATE_LATE : STATE_COMPLETE;
	t->coalesced = 1 - pr + doubt <= TAU ? (int32_t)run->k : 0;
}

static int hand_out(struct group *g, struct use_transfer *x, struct err *e)
{
	struct joiner *j = g->j;
	int r = 0;

	if (!x->phantom) {
		decide(g, x);
		j->n.transfers++;
		j->n.by_state[x->t.state]++;
		for (int p = 0; p < PHASE_N; p++) {
			int64_t v = transfer_phase_ns(&x->t, (enum phase)p);
			if (v != DMA_UNKNOWN && v < 0) {
				j->n.negative++;
				break;
			}
		}
		r = j->sink.transfer ? j->sink.transfer(j->sink.arg, &x->t, e) : 0;
	}
	for (unsigned i = 0; i < x->ncand && r >= 0; i++)
		if (x->cand[i].irq)
			r = irq_put(j, x->cand[i].irq, e);
	x->ncand = 0;
	return r;
}

/* ---- layers ---- */

static double total(const struct group *g)
{
	const struct layer *l = &g->layer[g->nlayer - 1];
	double z = -INFINITY;

	for (uint32_t i = 0; i < l->nstate; i++) {
		const struct state *s = state_at(g, l->state + i);
		if (!s->dead)
			z = z == -INFINITY ? s->alpha : log_add(z, s->alpha);
	}
	return z;
}

/* The newest layer that only one state has come through; 0 = none. */
static size_t narrow(const struct group *g, double z, uint32_t *the)
{
	for (size_t n = g->nlayer - 1; n > 0; n--) {
		const struct layer *l = &g->layer[n];
		for (uint32_t i = 0; i < l->nstate; i++) {
			const struct state *s = state_at(g, l->state + i);
			if (!s->dead && s->alpha + s->beta - z > -1e-7) {
				*the = l->state + i;
				return n;
			}
		}
	}
	return 0;
}

static int account_layers(struct group *g, size_t until, double z, struct err *e)
{
	for (size_t n = 1; n <= until; n++) {
		struct layer *l = &g->layer[n];
		for (uint64_t k = l->edge; k < l->edge + l->nedge; k++) {
			struct edge *x = &g->edge[k];
			const struct state *to = state_at(g, x->to);
			double p;
			if (to->dead || to->beta == -INFINITY ||
			    state_at(g, x->from)->dead)
				continue;
			p = exp(state_at(g, x->from)->alpha + (double)x->w + to->beta -
				z);
			if (p < 1e-9)
				continue;
			account(g, l, x, (float)p);
			if (p > 1e-3 && g->count > g->learned_until &&
			    learn_edge(g, l, x, (float)p, -1) < 0)
				return err_nomem(e, "the joiner");
		}
		if (l->irq && irq_put(g->j, l->irq, e) < 0)
			return e ? e->code : ERR_NOMEM;
		l->irq = NULL;
	}
	return 0;
}

static void refresh(struct group *g)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct model *m = g->slot[i]->model;
		double n = m->matched + m->missed;
		if (n > MEMORY)
			law_fade(m);
		if (n > m->made * 1.1 + 64 || n < m->made) {
			law_make(m);
			m->made = m->matched + m->missed;
		}
	}
	if (g->irqs > 2 * MEMORY) {
		g->irqs /= 2;
		g->strays /= 2;
		g->span_ns /= 2;
		g->cross /= 2;
	}
	learn_rates(g);
}

/* Hypotheses that no state is left of. */
static void drop_dead(struct group *g)
{
	const struct layer *l = &g->layer[0];

	for (size_t i = 0; i < g->nslot; i++) {
		struct use_channel *c = g->slot[i]->c;
		bool left[USE_HYPS] = {false};
		bool any = false;
		if (c->nalive < 2)
			continue;
		for (uint32_t k = 0; k < l->nstate; k++) {
			const struct state *s = state_at(g, l->state + k);
			if (s->dead)
				continue;
			any |= s->pos[i].hyp == ANY;
			if (s->pos[i].hyp != ANY)
				left[s->pos[i].hyp] = true;
		}
		for (unsigned h = 0; h < c->nhyp && !any; h++)
			if (!left[h] && c->hyp[h].alive)
				use_drop(c, h);
	}
}

static int hand_out_passed(struct group *g, struct err *e)
{
	const struct layer *l = &g->layer[0];
	int r = 0;

	for (size_t i = 0; i < g->nslot && r >= 0; i++) {
		struct slot *s = g->slot[i];
		uint64_t low = UINT64_MAX;
		for (uint32_t k = 0; k < l->nstate; k++) {
			const struct state *x = state_at(g, l->state + k);
			if (!x->dead && x->pos[i].open < low)
				low = x->pos[i].open;
		}
		for (; s->out < low && s->out < s->c->tail && r >= 0 &&
		       use_closed(use_at(s->c, s->out));
		     s->out++)
			r = hand_out(g, use_at(s->c, s->out), e);
		if (s->out > 1)
			use_release(g->j->use, s->c, s->out - 1);
	}
	return r;
}

int decide_layers(struct group *g, bool all, struct err *e)
{
	uint32_t the = UINT32_MAX;
	size_t n;
	double z;

	if (!g->nlayer || (g->nlayer < g->next_look && !all))
		return 0;
	align_back(g, 0);
	z = total(g);
	n = narrow(g, z, &the);
	if (!n && !all && g->nlayer < MOST_LAYERS) {
		g->next_look = g->nlayer + g->nlayer / 2 + LAYERS;
		return 0;
	}
	if (all)
		n = g->nlayer - 1;
	else if (!n)
		n = g->nlayer / 2;
	if (account_layers(g, n, z, e) < 0)
		return e ? e->code : ERR_NOMEM;
	if (!all && the != UINT32_MAX)
		align_keep(g, n, the);
	align_forget(g, n);
	g->next_look = g->nlayer + LAYERS;
	drop_dead(g);
	if (hand_out_passed(g, e) < 0)
		return e ? e->code : ERR_NOMEM;
	if (g->count > g->learned_until)
		refresh(g);
	return 0;
}
