/* SPDX-License-Identifier: GPL-2.0-only */
/* The alignment against brute force: every order-preserving assignment of up to 6
 * interrupts to up to 6 transfers, summed one by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "tests/gate/align/align.h"
#include "tests/gate/align/joiner.h"

enum { IRQ = 66 };

static uint64_t rng;

static int64_t some(int64_t most)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((rng >> 33) % (uint64_t)most);
}

static int ignore(void *arg, const struct transfer *t, struct err *e)
{
	(void)arg;
	(void)t;
	(void)e;
	return 0;
}

static void push(struct joiner *j, enum role r, int64_t at)
{
	struct sample s = sample_blank(r, at);

	s.seq = at;
	s.card = s.channel = 0;
	s.tid = s.pid = 7;
	if (r == ROLE_INTERRUPT) {
		s.irq = IRQ;
		s.tid = -1;
	} else {
		s.size_bytes = 4096;
	}
	assert_int_equal(use_push(j->use, &s, NULL), 0);
}

/* Blocking one by one on the thread: each transfer ends by itself, interrupts anywhere. */
static struct joiner *scene(unsigned transfers, unsigned interrupts)
{
	static const struct join_vector v = {IRQ, DMA_UNKNOWN, DMA_UNKNOWN};
	struct join_options o = {.vector = &v, .nvector = 1};
	struct join_sink sink = {.transfer = ignore};
	struct joiner *j;
	int64_t now = 1000000, irq[8];

	assert_int_equal(joiner_new(&j, &o, &sink, NULL), 0);
	for (unsigned i = 0; i < interrupts; i++)
		irq[i] = now + some(20000 * transfers);
	for (unsigned i = 0; i < transfers; i++) {
		push(j, ROLE_SUBMIT, now += 1 + some(5000));
		push(j, ROLE_STARTED, now += 1 + some(500));
		push(j, ROLE_WAIT, now += 1 + some(500));
		push(j, ROLE_WOKEN, now += 1 + some(14000));
	}
	for (unsigned i = 0; i < interrupts; i++)
		push(j, ROLE_INTERRUPT, irq[i]);
	assert_int_equal(use_drain(j->use, NULL), 0);
	assert_int_equal(use_finish(j->use, NULL), 0);
	return j;
}

static double weigh(const struct group *g, uint64_t first, unsigned n, int64_t at,
		    int64_t last_ns)
{
	const struct slot *s = g->slot[0];
	const struct model *m = s->model;
	const struct use_transfer *a = use_at(s->c, first),
				  *b = use_at(s->c, first + n - 1);
	double w = m->log_size[n];

	for (uint64_t i = first; i < first + n; i++) {
		const struct use_transfer *t = use_at(s->c, i);
		const struct ending *x = use_end(t, 0);
		int64_t before =
			i ? use_end(use_at(s->c, i - 1), 0)->woken_ns : DMA_UNKNOWN;
		w += m->log_has - m->log_miss;
		if (at > x->woken_ns)
			w += m->log_late;
		else
			w += law_notice(m, at, x->wait_ns, x->woken_ns) -
			     law_turn(m, law_size(4096), t->begin_ns, x->wait_ns,
				      x->woken_ns, before);
	}
	return w + law_device(m, n, law_size(4096), at, a->begin_ns, b->begin_ns, last_ns,
			      use_end(b, 0)->woken_ns);
}

/* Of interrupts from i on, with transfers from `open` on: the logarithm of the sum. */
static double brute(const struct group *g, size_t i, uint64_t open, int64_t last_ns)
{
	const struct use_channel *c = g->slot[0]->c;
	double sum;
	int64_t at;

	if (i == g->npend)
		return 0;
	at = g->pend[i].irq->time_ns;
	sum = g->log_stray + brute(g, i + 1, open, last_ns);
	for (uint64_t first = open; first < c->tail; first++)
		for (unsigned n = 1; first + n <= c->tail; n++) {
			if (use_at(c, first + n - 1)->t.submit_ns > at)
				break;
			sum = log_add(sum, weigh(g, first, n, at, last_ns) +
						   brute(g, i + 1, first + n, at));
		}
	return sum;
}

static double aligned(struct group *g)
{
	const struct layer *l;
	double z = -INFINITY, paid = 0;

	g->prune = 1e6;
	g->span_ns = 100000;
	g->irqs = (double)g->npend;
	learn_rates(g);
	assert_int_equal(group_start(g, NULL), 0);
	for (size_t i = 0; i < g->npend; i++)
		assert_int_equal(align_irq(g, g->pend[i].irq, NULL), 0);
	l = &g->layer[g->nlayer - 1];
	for (uint32_t i = 0; i < l->nstate; i++)
		if (!state_at(g, l->state + i)->dead)
			z = log_add(z, state_at(g, l->state + i)->alpha);
	/* Every transfer that has begun was paid for as if it had no interrupt. */
	paid = (double)g->slot[0]->begun * g->slot[0]->model->log_miss;
	return z - paid;
}

static void as_brute_force(void **state)
{
	(void)state;
	rng = 1;
	for (unsigned seed = 0; seed < 60; seed++) {
		unsigned n = 1 + (unsigned)some(6), m = 1 + (unsigned)some(6);
		struct joiner *j = scene(n, m);
		struct group *g = j->group[0];
		double a, b;

		assert_int_equal(g->npend, m);
		a = aligned(g);
		b = brute(g, 0, 0, INT64_MIN);
		if (fabs(a - b) > 1e-4 * fabs(b) + 1e-3)
			fail_msg("scene %u, %u transfers, %u interrupts: %f, not %f",
				 seed, n, m, a, b);
		joiner_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_brute_force)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
