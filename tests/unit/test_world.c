/* SPDX-License-Identifier: GPL-2.0-only */
/* The simulated world keeps its own rules: of every stratum some recordings are looked at
 * sample by sample, beside their truth. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "tests/gen/world.h"

enum { TRANSFERS = 400, SEEDS = 6 };

struct window {
	int32_t cpu;
	int64_t from, to;
};

struct seen {
	struct world_options o;
	struct sample *sample;
	struct world_truth *truth;
	struct window *loss;
	size_t nsample, ntruth, nloss, nseq;
	struct sample **by_seq;
	struct world_truth **by_submit;
	uint64_t irq_count;
};

static void on_truth(void *arg, const struct world_truth *t)
{
	struct seen *s = arg;
	struct world_truth *x = array_add(&s->truth, &s->ntruth);

	assert_non_null(x);
	*x = *t;
}

static void on_loss(void *arg, int32_t cpu, int64_t from_ns, int64_t to_ns)
{
	struct seen *s = arg;
	struct window *x = array_add(&s->loss, &s->nloss);

	assert_non_null(x);
	*x = (struct window){cpu, from_ns, to_ns};
}

static void look(struct seen *s, const struct world_options *o)
{
	struct world_sink sink = {s, on_truth, on_loss};
	struct sample x;
	struct world *w;
	int got;

	*s = (struct seen){.o = *o};
	assert_int_equal(world_new(&w, o, &sink), 0);
	while ((got = world_next(w, &x)) > 0) {
		struct sample *copy = array_add(&s->sample, &s->nsample);
		assert_non_null(copy);
		*copy = x;
		if ((size_t)x.seq >= s->nseq)
			s->nseq = (size_t)x.seq + 1;
	}
	assert_int_equal(got, 0);
	s->irq_count = world_irq_count(w, WORLD_IRQ);
	world_free(w);
	s->by_seq = calloc(s->nseq + 1, sizeof(*s->by_seq));
	s->by_submit = calloc(s->nseq + 1, sizeof(*s->by_submit));
	assert_true(s->by_seq && s->by_submit);
	for (size_t i = 0; i < s->nsample; i++)
		s->by_seq[s->sample[i].seq] = &s->sample[i];
	for (size_t i = 0; i < s->ntruth; i++)
		if (s->truth[i].recorded)
			s->by_submit[s->truth[i].submit_seq] = &s->truth[i];
}

static void forget(struct seen *s)
{
	free(s->sample);
	free(s->truth);
	free(s->loss);
	free(s->by_seq);
	free(s->by_submit);
}

static const struct sample *sample_of(const struct seen *s, int64_t seq)
{
	return seq > 0 && (size_t)seq < s->nseq ? s->by_seq[seq] : NULL;
}

/* ---- what holds of every recording ---- */

static void every_submit_has_one_truth(const struct seen *s)
{
	uint64_t submits = 0, truths = 0;

	for (size_t i = 0; i < s->nsample; i++)
		if (s->sample[i].role == ROLE_SUBMIT) {
			submits++;
			assert_non_null(s->by_submit[s->sample[i].seq]);
		}
	for (size_t i = 0; i < s->ntruth; i++)
		truths += s->truth[i].recorded;
	assert_int_equal(submits, truths);
}

static void truths_name_their_samples(const struct seen *s)
{
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];
		const struct sample *irq = sample_of(s, t->irq_seq);
		const struct sample *woken = sample_of(s, t->woken_seq);

		if (irq) {
			assert_int_equal(irq->role, ROLE_INTERRUPT);
			assert_int_equal(irq->irq, t->irq);
			assert_int_equal(irq->time_ns, t->irq_ns);
		}
		if (woken) {
			assert_int_equal(woken->role, ROLE_WOKEN);
			assert_int_equal(woken->channel == DMA_UNKNOWN ? t->channel
								       : woken->channel,
					 t->channel);
		}
		if (t->recorded && !(t->touched & (WORLD_LOST | WORLD_CUT))) {
			assert_true(irq || t->irq_seq == DMA_UNKNOWN);
			assert_true(woken || t->woken_seq == DMA_UNKNOWN);
		}
	}
}

static int by_submit(const void *a, const void *b)
{
	const struct world_truth *x = a, *y = b;

	return (x->submit_seq > y->submit_seq) - (x->submit_seq < y->submit_seq);
}

/* Of one channel: ends, interrupts and wake-ups in the order of the doorbells. */
static void channels_keep_their_order(struct seen *s)
{
	int64_t end[WORLD_CHANNELS] = {0}, irq[WORLD_CHANNELS] = {0};

	if (s->o.wait == WORLD_BLOCK) /* two threads' doorbells may overtake each other */
		return;
	qsort(s->truth, s->ntruth, sizeof(*s->truth), by_submit);
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];

		if (t->end_ns != DMA_UNKNOWN) {
			assert_true(t->end_ns > end[t->channel]);
			end[t->channel] = t->end_ns;
		}
		if (t->irq_seq > 0) {
			assert_true(t->irq_seq >= irq[t->channel]);
			irq[t->channel] = t->irq_seq;
		}
	}
}

static void coalesced_counts_the_members(const struct seen *s)
{
	int *members = calloc(s->nseq + 1, sizeof(*members));

	assert_non_null(members);
	for (size_t i = 0; i < s->ntruth; i++)
		if (s->truth[i].irq_seq > 0 && (size_t)s->truth[i].irq_seq < s->nseq)
			members[s->truth[i].irq_seq]++;
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];
		if (t->irq_seq > 0 && (size_t)t->irq_seq < s->nseq)
			assert_int_equal(members[t->irq_seq], t->coalesced);
		else
			assert_int_equal(t->coalesced, 0);
	}
	free(members);
}

static void causes_precede_effects(const struct seen *s)
{
	int64_t skew = 2 * s->o.skew_ns + 1;

	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];

		if (t->end_ns == DMA_UNKNOWN) {
			assert_true(t->irq_seq == DMA_UNKNOWN);
			continue;
		}
		assert_true(t->end_ns > t->submit_ns - skew);
		if (t->irq_seq > 0)
			assert_true(t->irq_ns > t->end_ns - skew);
		if (t->woken_seq != DMA_UNKNOWN && t->state != STATE_FAILED)
			assert_true(t->woken_ns > t->end_ns - skew);
		if (t->touched & WORLD_MISSING && t->state != STATE_FAILED &&
		    t->state != STATE_ABORTED && t->state != STATE_IN_FLIGHT)
			assert_int_equal(t->state, STATE_NO_INTERRUPT);
	}
}

/* Asleep: not before its handler, unless it had none and the wait ran out. */
static void sleepers_wait_for_the_handler(const struct seen *s)
{
	if (s->o.wait != WORLD_SLEEP && s->o.wait != WORLD_BLOCK)
		return;
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];
		bool ran_out = t->woken_ns != DMA_UNKNOWN &&
			       t->woken_ns - t->submit_ns >= s->o.timeout_ns / 2;

		assert_true(t->state != STATE_LATE || ran_out || t->touched & WORLD_CUT);
	}
}

/* Polling: within two reads of the register and what its CPU had to do. */
static void pollers_see_the_register(const struct seen *s)
{
	int64_t most = 2 * s->o.poll_ns + s->o.register_ns + 4 * s->o.handler_ns + 2000 +
		       2 * s->o.skew_ns;
	uint64_t later = 0, n = 0;

	if (s->o.wait != WORLD_POLL || s->o.use == WORLD_DRAIN)
		return;
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];
		int64_t from = t->end_ns > t->wait_ns ? t->end_ns : t->wait_ns;

		if (t->woken_seq == DMA_UNKNOWN || t->end_ns == DMA_UNKNOWN ||
		    t->state == STATE_FAILED || t->touched & WORLD_PREEMPTED)
			continue;
		n++;
		later += t->woken_ns - from > most;
	}
	/* Those whose own CPU stood still, or ran several handlers. */
	assert_true((double)later <= 5 + (0.02 + 2 * s->o.standstill) * (double)n);
}

static void time_goes_on(const struct seen *s)
{
	int64_t cpu[WORLD_CPUS];

	for (int i = 0; i < WORLD_CPUS; i++)
		cpu[i] = INT64_MIN;
	for (size_t i = 0; i < s->nsample; i++) {
		const struct sample *x = &s->sample[i];

		assert_true(x->time_ns >= cpu[x->cpu]);
		cpu[x->cpu] = x->time_ns;
		if (i && !s->o.disorder_ns)
			assert_true(x->time_ns >= x[-1].time_ns);
	}
}

static bool told(const struct seen *s, int64_t at)
{
	for (size_t i = 0; i < s->nloss; i++)
		if ((s->loss[i].from == DMA_UNKNOWN || at >= s->loss[i].from) &&
		    (s->loss[i].to == DMA_UNKNOWN || at <= s->loss[i].to))
			return true;
	return false;
}

static void losses_are_told(const struct seen *s)
{
	for (size_t i = 0; i < s->ntruth; i++) {
		const struct world_truth *t = &s->truth[i];
		if (t->touched & WORLD_LOST && !t->recorded)
			assert_true(told(s, t->submit_ns));
	}
	if (!(s->o.lose > 0) && !(s->o.windows > 0))
		assert_int_equal(s->nloss, 0);
}

static void stratum_keeps_the_rules(void **state)
{
	const struct world_stratum *st = *state;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world_options o = {.count = TRANSFERS};
		struct seen s;

		world_draw(&o, seed, st);
		look(&s, &o);
		assert_true(s.nsample > TRANSFERS);
		every_submit_has_one_truth(&s);
		truths_name_their_samples(&s);
		coalesced_counts_the_members(&s);
		causes_precede_effects(&s);
		sleepers_wait_for_the_handler(&s);
		pollers_see_the_register(&s);
		time_goes_on(&s);
		losses_are_told(&s);
		free(s.by_submit);
		s.by_submit = NULL;
		channels_keep_their_order(&s);
		forget(&s);
	}
}

/* ---- rates ---- */

static const struct world_stratum *stratum(const char *name)
{
	for (size_t i = 0; i < world_nstrata; i++)
		if (!strcmp(world_strata[i].name, name))
			return &world_strata[i];
	fail_msg("there is no stratum %s", name);
	return NULL;
}

enum { MANY = 20000 };

static void is_share(uint64_t k, uint64_t n, double p)
{
	double sigma = sqrt((double)n * p * (1 - p));

	assert_true(fabs((double)k - (double)n * p) < 5 * sigma + 1);
}

static uint64_t touched(const struct seen *s, unsigned by)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->ntruth; i++)
		n += (s->truth[i].touched & by) != 0;
	return n;
}

static void faults_are_as_frequent_as_asked(void **state)
{
	struct world_options o = {.count = MANY};
	struct seen s;

	(void)state;
	world_draw(&o, 1, stratum("plain polling"));
	o.missing = 0.05;
	o.late = 0.03;
	o.spurious = 0.02;
	o.start_fails = 0.01;
	look(&s, &o);
	is_share(touched(&s, WORLD_MISSING), MANY, 0.05);
	is_share(touched(&s, WORLD_LATE), MANY, 0.95 * 0.03);
	is_share(touched(&s, WORLD_SPURIOUS), MANY, 0.99 * 0.02);
	is_share(touched(&s, WORLD_FAILED), MANY, 0.01);
	forget(&s);
}

static void lost_samples_are_as_frequent_as_asked(void **state)
{
	struct world_options o = {.count = MANY};
	struct seen s;

	(void)state;
	world_draw(&o, 2, stratum("plain asleep"));
	o.lose = 0.01;
	look(&s, &o);
	is_share(s.nseq - 1 - s.nsample, s.nseq - 1, 0.01);
	forget(&s);
}

/* Foreign interrupts merge with pending ones, and their rate follows an estimate. */
static void foreign_interrupts_are_as_frequent_as_asked(void **state)
{
	struct world_options o = {.count = MANY};
	struct seen s;
	uint64_t own = 0;

	(void)state;
	world_draw(&o, 3, stratum("foreign 20 %, polling"));
	look(&s, &o);
	for (size_t i = 0; i < s.ntruth; i++)
		own += s.truth[i].coalesced == 1;
	assert_true(own > MANY * 9 / 10);
	assert_in_range(s.irq_count - own, MANY * 16 / 100, MANY * 24 / 100);
	forget(&s);
}

static void moderation_holds_back(void **state)
{
	struct world_options o = {.count = 2000};
	struct seen s;
	int most = 0;

	(void)state;
	world_draw(&o, 4, stratum("moderation, polling"));
	o.moderate_count = 5;
	o.moderate_ns = 100 * o.service_ns;
	o.use = WORLD_SLIDE;
	o.pause = o.think_ns = 0;
	o.standstill = 0;
	look(&s, &o);
	for (size_t i = 0; i < s.ntruth; i++)
		if (s.truth[i].coalesced > most)
			most = s.truth[i].coalesced;
	assert_true(most >= 5);
	assert_in_range(s.irq_count, 2000 / 7, 2000 / 4);
	forget(&s);
}

static void the_same_options_give_the_same_stream(void **state)
{
	struct world_options o = {.count = 2000};
	struct seen a, b;

	(void)state;
	world_draw(&o, 5, stratum("anything"));
	look(&a, &o);
	look(&b, &o);
	assert_int_equal(a.nsample, b.nsample);
	for (size_t i = 0; i < a.nsample; i++) {
		assert_int_equal(a.sample[i].time_ns, b.sample[i].time_ns);
		assert_int_equal(a.sample[i].seq, b.sample[i].seq);
	}
	forget(&a);
	forget(&b);
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(faults_are_as_frequent_as_asked),
		cmocka_unit_test(lost_samples_are_as_frequent_as_asked),
		cmocka_unit_test(foreign_interrupts_are_as_frequent_as_asked),
		cmocka_unit_test(moderation_holds_back),
		cmocka_unit_test(the_same_options_give_the_same_stream),
	};
	size_t n = 0, more = sizeof(others) / sizeof(*others);
	struct CMUnitTest *tests = calloc(world_nstrata + more, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (; n < world_nstrata; n++)
		tests[n] =
			(struct CMUnitTest){world_strata[n].name, stratum_keeps_the_rules,
					    NULL, NULL, (void *)&world_strata[n]};
	memcpy(tests + n, others, sizeof(others));
	failed = _cmocka_run_group_tests("world", tests, n + more, NULL, NULL);
	free(tests);
	return failed;
}
