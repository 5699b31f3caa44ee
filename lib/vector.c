/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vector completes: hits inside the intervals start -> woken of each channel,
 * against the hits that the vector's rate alone would bring there.
 */
#include "vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "stat.h"

#define KEEP	4096
#define VECTORS 256
#define THIN	20

struct pair {
	uint64_t one, none, many, inside, late_hits;
	int64_t first, hits;
	struct linear_fit fit;
	double *pos, *end;
	size_t n;
};
struct chan {
	int64_t card, channel, begin, size, busy;
	uint64_t transfers;
	struct pair p[VECTORS];
};
struct vector_finder {
	int32_t irq[VECTORS];
	uint64_t count[VECTORS];
	size_t nirq, nch;
	struct {
		int32_t tid;
		int64_t card, channel;
	} call[1024]; /* the last start or wait of a thread: exits do not name a channel
		       */
	struct chan **ch;
	int64_t from, to;
	struct vector_evidence *ev;
	struct vector_result result;
};

static const char *const names[VERDICT_N] = {"unclear", "completion", "data available",
					     "shared",	"unrelated",  "silent"};

const char *verdict_name(enum verdict v)
{
	return (unsigned)v < VERDICT_N ? names[v] : "?";
}

int vector_finder_new(struct vector_finder **f, struct err *e)
{
	*f = calloc(1, sizeof(**f));
	if (!*f)
		return err_set(e, ERR_NOMEM, "vector finder: no memory");
	(*f)->from = (*f)->to = DMA_UNKNOWN;
	return 0;
}

void vector_finder_free(struct vector_finder *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nch; i++) {
		for (size_t v = 0; v < VECTORS; v++) {
			free(f->ch[i]->p[v].pos);
			free(f->ch[i]->p[v].end);
		}
		free(f->ch[i]);
	}
	free(f->ch);
	free(f->ev);
	free(f);
}

static int vector_at(struct vector_finder *f, int32_t irq)
{
	for (size_t v = 0; v < f->nirq; v++)
		if (f->irq[v] == irq)
			return (int)v;
	if (f->nirq == VECTORS)
		return -1;
	f->irq[f->nirq] = irq;
	return (int)f->nirq++;
}

int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta,
			struct err *e)
{
	(void)count_delta;
	return vector_at(f, irq) < 0
		       ? err_set(e, ERR_LIMIT, "more than %d vectors", VECTORS)
		       : 0;
}

static struct chan *chan_at(struct vector_finder *f, int64_t card, int64_t channel)
{
	for (size_t i = 0; i < f->nch; i++)
		if (f->ch[i]->card == card && f->ch[i]->channel == channel)
			return f->ch[i];
	struct chan **a = realloc(f->ch, (f->nch + 1) * sizeof(*a));
	if (!a)
		return NULL;
	f->ch = a;
	struct chan *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->card = card;
	c->channel = channel;
	c->begin = DMA_UNKNOWN;
	return f->ch[f->nch++] = c;
}

static void tally(struct vector_finder *f, struct chan *c, int64_t end)
{
	c->transfers++;
	c->busy += end - c->begin;
	for (size_t v = 0; v < f->nirq; v++) {
		struct pair *p = &c->p[v];
		p->inside += (uint64_t)p->hits;
		p->none += p->hits == 0;
		p->one += p->hits == 1;
		p->many += p->hits > 1;
		if (p->hits == 1 && end > c->begin) {
			if (!p->pos) {
				p->pos = malloc(KEEP * sizeof(double));
				p->end = malloc(KEEP * sizeof(double));
			}
			if (p->pos && p->end && p->n < KEEP) {
				p->pos[p->n] = (double)(p->first - c->begin) /
					       (double)(end - c->begin);
				p->end[p->n++] = (double)(end - p->first);
			}
			if (c->size != DMA_UNKNOWN)
				linear_fit_add(&p->fit, (double)c->size,
					       (double)(p->first - c->begin));
		}
		p->hits = 0;
	}
	c->begin = DMA_UNKNOWN;
}

int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e)
{
	if (f->from == DMA_UNKNOWN)
		f->from = s->time_ns;
	f->to = s->time_ns;
	if (s->role == ROLE_INTERRUPT) {
		int v = vector_at(f, s->irq);
		if (v < 0)
			return 0;
		f->count[v]++;
		for (size_t i = 0; i < f->nch; i++)
			if (f->ch[i]->begin != DMA_UNKNOWN && !f->ch[i]->p[v].hits++)
				f->ch[i]->p[v].first = s->time_ns;
		return 0;
	}
	if (s->role != ROLE_SUBMIT && s->role != ROLE_WOKEN && s->role != ROLE_WAIT)
		return 0;
	size_t h = (uint32_t)s->tid % 1024;
	if (s->role != ROLE_WOKEN &&
	    (s->role == ROLE_SUBMIT || s->channel != DMA_UNKNOWN)) {
		f->call[h].tid = s->tid;
		f->call[h].card = s->card;
		f->call[h].channel = s->channel;
	}
	if (s->role == ROLE_WAIT || f->call[h].tid != s->tid)
		return 0;
	struct chan *c = chan_at(f, f->call[h].card, f->call[h].channel);
	if (!c)
		return err_set(e, ERR_NOMEM, "vector finder: no memory");
	if (s->role == ROLE_SUBMIT && c->begin == DMA_UNKNOWN) {
		c->begin = s->time_ns;
		c->size = s->size_bytes;
		for (size_t v = 0; v < f->nirq; v++)
			c->p[v].hits = 0;
	} else if (s->role == ROLE_WOKEN && c->begin != DMA_UNKNOWN &&
		   !(s->bits & SAMPLE_PENDING)) {
		tally(f, c, s->time_ns);
	}
	return 0;
}

int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns,
		       int64_t to_ns)
{
	(void)cpu, (void)from_ns, (void)to_ns;
	for (size_t i = 0; i < f->nch; i++)
		f->ch[i]->begin = DMA_UNKNOWN; /* intervals with a hole are no evidence */
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *a, size_t n)
{
	if (!n)
		return NAN;
	qsort(a, n, sizeof(*a), compare);
	return a[(n - 1) / 2];
}

static void judge(struct vector_evidence *v, double chance)
{
	double hit = v->transfers ? (double)(v->one + v->many) / (double)v->transfers : 0;
	double out = v->interrupts ? (double)v->outside / (double)v->interrupts : 0;

	v->score = hit > chance ? (hit - chance) / (1 - chance + 1e-9) : 0;
	if (!(v->position > 0.5))
		v->score *= 0.3;
	if (!v->interrupts)
		v->verdict = VERDICT_SILENT;
	else if (v->transfers < THIN)
		v->verdict = VERDICT_UNCLEAR;
	else if (hit < 0.5 || hit < 1.5 * chance)
		v->verdict = chance > 0.9 ? VERDICT_UNCLEAR : VERDICT_UNRELATED;
	else if (hit < 0.9)
		v->verdict = VERDICT_UNCLEAR;
	else if (!(v->position > 0.5))
		v->verdict = VERDICT_DATA_AVAILABLE;
	else
		v->verdict = out > 0.1 ? VERDICT_SHARED : VERDICT_COMPLETION;
	snprintf(v->why, sizeof(v->why),
		 "%.1f %% of %llu transfers hold it, chance alone %.1f %%; %.1f %% of "
		 "its %llu interrupts outside; at %.2f of the interval",
		 100 * hit, (unsigned long long)v->transfers, 100 * chance, 100 * out,
		 (unsigned long long)v->interrupts, v->position);
}

static void evidence(struct vector_finder *f, size_t v, struct chan *c,
		     struct vector_evidence *o)
{
	struct pair *p = &c->p[v];
	struct linear_result lr;
	double span = (double)(f->to - f->from), each;

	linear_fit_solve(&p->fit, &lr);
	*o = (struct vector_evidence){.irq = f->irq[v],
				      .card = c->card,
				      .channel = c->channel,
				      .transfers = c->transfers,
				      .one = p->one,
				      .many = p->many,
				      .none = c->transfers - p->one - p->many,
				      .interrupts = f->count[v],
				      .outside = f->count[v] - p->inside,
				      .position = median(p->pos, p->n),
				      .to_end_ns = median(p->end, p->n),
				      .slope_ns_per_byte = lr.b,
				      .intercept_ns = lr.a};
	each = c->transfers ? (double)c->busy / (double)c->transfers : 0;
	judge(o, span > 0 ? 1 - exp(-(double)o->outside /
				    fmax(span - (double)c->busy, 1) * each)
			  : 0);
}

static int by_score(const void *a, const void *b)
{
	const struct vector_evidence *x = a, *y = b;
	return (x->score < y->score) - (x->score > y->score);
}

int vector_finder_finish(struct vector_finder *f, const struct vector_result **r,
			 struct err *e)
{
	size_t n = f->nirq * (f->nch + 1), k = f->nirq;

	free(f->ev);
	if (!(f->ev = calloc(n + 1, sizeof(*f->ev))))
		return err_set(e, ERR_NOMEM, "vector finder: no memory");
	for (size_t v = 0; v < f->nirq; v++) {
		f->ev[v] = (struct vector_evidence){
			.irq = f->irq[v],
			.card = DMA_UNKNOWN,
			.channel = DMA_UNKNOWN,
			.interrupts = f->count[v],
			.outside = f->count[v],
			.position = NAN,
			.to_end_ns = NAN,
			.slope_ns_per_byte = NAN,
			.intercept_ns = NAN,
			.verdict = f->count[v] ? VERDICT_UNRELATED : VERDICT_SILENT};
		for (size_t i = 0; i < f->nch; i++, k++) {
			evidence(f, v, f->ch[i], &f->ev[k]);
			if (!i || f->ev[k].score > f->ev[v].score) {
				f->ev[v] = f->ev[k];
				f->ev[v].card = f->ev[v].channel = DMA_UNKNOWN;
			}
		}
	}
	qsort(f->ev, f->nirq, sizeof(*f->ev), by_score);
	f->result = (struct vector_result){f->ev,	f->nirq, f->ev + f->nirq,
					   k - f->nirq, true,	 ""};
	for (size_t v = 0; v < f->nirq; v++)
		if (f->ev[v].verdict == VERDICT_COMPLETION ||
		    f->ev[v].verdict == VERDICT_SHARED)
			f->result.thin = false;
	if (f->result.thin)
		snprintf(f->result.advice, sizeof(f->result.advice),
			 "no vector is clearly the completion: name it with --irq");
	*r = &f->result;
	return 0;
}
