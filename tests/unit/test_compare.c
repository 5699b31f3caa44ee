/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacompare's judgement: each verdict from data made for it, what speaks against one,
 * and by simulation how often equal autocorrelated data raises a false alarm and a real
 * shift is seen.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compare/compare.h"
#include "lib/err.h"
#include "tests/unit/sim.h"

static uint64_t random_state;

static double uniform(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((double)((random_state * UINT64_C(2685821657736338717)) >> 11) + 0.5) /
	       0x1p53;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Lognormal latencies around 50 us whose logarithm is an AR(1) with coefficient phi. */
static void fill(struct group_run *r, size_t n, double phi, double scale)
{
	double z = normal();

	*r = (struct group_run){.value_ns = calloc(n ? n : 1, sizeof(int64_t)), .n = n};
	assert_non_null(r->value_ns);
	for (size_t i = 0; i < n; i++) {
		r->value_ns[i] = (int64_t)(scale * 50e3 * exp(0.2 * z));
		z = phi * z + sqrt(1 - phi * phi) * normal();
	}
}

static void side_make(struct group_side *s, size_t nrun, size_t n, double phi,
		      double scale)
{
	s->run = calloc(nrun, sizeof(*s->run));
	assert_non_null(s->run);
	s->nrun = nrun;
	for (size_t i = 0; i < nrun; i++)
		fill(&s->run[i], n, phi, scale);
}

static void comparison_make(struct comparison *c, size_t groups)
{
	*c = (struct comparison){.group = calloc(groups, sizeof(*c->group)), .n = groups};
	assert_non_null(c->group);
	for (size_t i = 0; i < groups; i++)
		c->group[i].key = (struct group_key){.channel = (int64_t)i,
						     .card = DMA_UNKNOWN,
						     .size_bytes = DMA_UNKNOWN,
						     .by = BY_CHANNEL};
}

static const struct compare_options five = {.threshold = 0.05, .q = 0.5, .seed = 1};

/* One group, n values a side, the new side's times `scale`. */
static void one(struct comparison *c, size_t n, double phi, double scale, uint64_t seed)
{
	random_state = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
	comparison_make(c, 1);
	side_make(&c->group[0].base, 1, n, phi, 1);
	side_make(&c->group[0].fresh, 1, n, phi, scale);
}

static enum compare_verdict verdict(size_t n, double scale, int status)
{
	struct comparison c;
	enum compare_verdict v;

	one(&c, n, 0.5, scale, 7);
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	v = c.group[0].verdict;
	assert_int_equal(comparison_verdict(&c), v);
	assert_int_equal(comparison_status(&c), status);
	assert_true(*c.group[0].why != 0);
	comparison_release(&c);
	return v;
}

static void test_verdicts(void **state)
{
	(void)state;
	assert_int_equal(verdict(5000, 1, 0), COMPARE_SAME);
	assert_int_equal(verdict(5000, 1.02, 0), COMPARE_SAME);
	assert_int_equal(verdict(5000, 1.1, 1), COMPARE_SLOWER);
	assert_int_equal(verdict(5000, 0.9, 0), COMPARE_FASTER);
	assert_int_equal(verdict(60, 1.03, 3), COMPARE_CANNOT_TELL);
	assert_int_equal(verdict(20, 1.5, 3), COMPARE_CANNOT_TELL);
}

/* What a thin comparison says is needed settles most of them. */
static void test_needed_is_enough(void **state)
{
	int asked = 0, told = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct comparison c;
		double needed;

		one(&c, 100, 0.5, 1, seed);
		assert_int_equal(comparison_judge(&c, &five, NULL), 0);
		needed = c.group[0].needed;
		assert_int_equal(isnan(needed),
				 c.group[0].verdict != COMPARE_CANNOT_TELL);
		comparison_release(&c);
		if (isnan(needed) || needed > 20000)
			continue;
		assert_true(needed > 100);
		asked++;
		one(&c, (size_t)needed, 0.5, 1, seed + 100);
		assert_int_equal(comparison_judge(&c, &five, NULL), 0);
		told += c.group[0].verdict != COMPARE_CANNOT_TELL;
		comparison_release(&c);
	}
	print_message("# of %d thin comparisons %d are told with what was needed\n",
		      asked, told);
	assert_true(asked >= 10);
	assert_true(2 * told >= asked);
}

static void test_nothing_on_a_side(void **state)
{
	struct comparison c;

	(void)state;
	one(&c, 500, 0, 1, 1);
	c.group[0].fresh.run[0].n = 0;
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	assert_non_null(strstr(c.group[0].why, "the new side has no such transfers"));
	assert_int_equal(comparison_status(&c), 3);
	comparison_release(&c);
}

static void test_one_value(void **state)
{
	struct comparison c;

	(void)state;
	one(&c, 1, 0, 1, 1);
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	assert_true(isnan(c.group[0].line[0].diff.low));
	comparison_release(&c);
}

static void test_no_group(void **state)
{
	struct comparison c = {0};

	(void)state;
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(comparison_status(&c), 3);
}

/* A group that cannot be told does not hide that the others are the same. */
static void test_status_of_several(void **state)
{
	struct comparison c;

	(void)state;
	random_state = 11;
	comparison_make(&c, 2);
	side_make(&c.group[0].base, 1, 3000, 0.3, 1);
	side_make(&c.group[0].fresh, 1, 3000, 0.3, 1);
	side_make(&c.group[1].base, 1, 10, 0.3, 1);
	side_make(&c.group[1].fresh, 1, 10, 0.3, 1);
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_SAME);
	assert_int_equal(c.group[1].verdict, COMPARE_CANNOT_TELL);
	assert_int_equal(comparison_status(&c), 0);
	assert_true(c.level > 0.97499 && c.level < 0.97501);
	c.group[1].verdict = COMPARE_SLOWER;
	assert_int_equal(comparison_status(&c), 1);
	comparison_release(&c);
}

static void test_left_out_transfers_matter(void **state)
{
	struct comparison c;

	(void)state;
	one(&c, 3000, 0.3, 1.2, 1);
	c.group[0].fresh.run[0].excluded = 2000;
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	assert_true(isnan(c.group[0].needed));
	comparison_release(&c);
}

static void test_loss_matters(void **state)
{
	static const struct {
		double scale, lost;
		enum compare_verdict want;
	} scene[] = {{1.2, 0.25, COMPARE_CANNOT_TELL},
		     {1.2, 0.01, COMPARE_SLOWER},
		     {1, 0.06, COMPARE_CANNOT_TELL},
		     {1, 0.01, COMPARE_SAME}};

	(void)state;
	for (size_t i = 0; i < sizeof(scene) / sizeof(*scene); i++) {
		struct comparison c;

		one(&c, 4000, 0.3, scene[i].scale, 1);
		c.group[0].base.lost_share = scene[i].lost;
		assert_int_equal(comparison_judge(&c, &five, NULL), 0);
		assert_int_equal(c.group[0].verdict, scene[i].want);
		comparison_release(&c);
	}
}

static void test_extremes_have_no_interval(void **state)
{
	struct comparison c;

	(void)state;
	one(&c, 1000, 0, 1, 1);
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_false(isnan(c.group[0].line[2].diff.low)); /* p99: ten beyond */
	assert_true(isnan(c.group[0].line[3].diff.low));  /* p99.9: one */
	assert_false(isnan(c.group[0].line[3].diff.value));
	comparison_release(&c);
}

static void test_equal_values(void **state)
{
	struct comparison c;

	(void)state;
	one(&c, 500, 0, 1, 1);
	for (size_t i = 0; i < 500; i++)
		c.group[0].base.run[0].value_ns[i] = c.group[0].fresh.run[0].value_ns[i] =
			98000000;
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_SAME);
	comparison_release(&c);
	one(&c, 500, 0, 1, 1);
	memset(c.group[0].base.run[0].value_ns, 0, 500 * sizeof(int64_t));
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	comparison_release(&c);
}

static void test_several_recordings(void **state)
{
	struct compare_options o = five;
	struct comparison c;

	(void)state;
	o.across = true;
	random_state = 21;
	comparison_make(&c, 1);
	side_make(&c.group[0].base, 5, 3000, 0.3, 1);
	side_make(&c.group[0].fresh, 5, 3000, 0.3, 1.1);
	assert_int_equal(comparison_judge(&c, &o, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_SLOWER);
	assert_int_equal(c.group[0].judged.base.nblock, 5);
	/* runs that differ by 20 % among themselves tell nothing of 5 % */
	for (size_t i = 0; i < 3000; i++) {
		c.group[0].base.run[0].value_ns[i] *= 2;
		c.group[0].fresh.run[3].value_ns[i] *= 2;
	}
	assert_int_equal(comparison_judge(&c, &o, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	assert_true(c.group[0].needed > 5);
	comparison_release(&c);
}

/* One run a side: what changes from run to run is in the interval, and more transfers do not
 * help. */
static void test_one_run_a_side(void **state)
{
	struct compare_options o = five;
	struct comparison c;

	(void)state;
	o.run_scatter = 0.1;
	one(&c, 5000, 0.3, 1.25, 3);
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_SLOWER);
	assert_int_equal(comparison_judge(&c, &o, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_CANNOT_TELL);
	assert_true(c.group[0].few_runs && isnan(c.group[0].needed));
	assert_int_equal(comparison_status(&c), EXIT_CANNOT_TELL);
	comparison_release(&c);
	one(&c, 5000, 0.3, 2.5, 3);
	assert_int_equal(comparison_judge(&c, &o, NULL), 0);
	assert_int_equal(c.group[0].verdict, COMPARE_SLOWER);
	comparison_release(&c);
}

/* Equal programs whose runs scatter by so much, one a side: how often is one called slower
 * or faster? The guess may be off by a factor of two. */
static void test_alarms_of_one_run(void **state)
{
	enum { SEEDS = 300 };
	static const double scatter[] = {0.05, 0.1, 0.2};
	struct compare_options o = five;

	(void)state;
	o.run_scatter = 0.1;
	for (size_t k = 0; k < 3; k++) {
		const unsigned seeds = sim_judged() ? SEEDS : sim_seeds(SEEDS);
		const double most = scatter[k] > 0.1 ? 0.25 : 0.05;
		unsigned found = 0;

		for (unsigned s = 1; s <= seeds; s++) {
			struct comparison c;

			random_state = UINT64_C(0x9e3779b97f4a7c15) * s;
			comparison_make(&c, 1);
			side_make(&c.group[0].base, 1, 1000, 0.3,
				  exp(scatter[k] * normal()));
			side_make(&c.group[0].fresh, 1, 1000, 0.3,
				  exp(scatter[k] * normal()));
			assert_int_equal(comparison_judge(&c, &o, NULL), 0);
			found += c.group[0].verdict != COMPARE_CANNOT_TELL;
			comparison_release(&c);
		}
		print_message("# runs that scatter by %.0f %%: %u of %u false alarms\n",
			      100 * scatter[k], found, seeds);
		assert_true(sim_judged() ? found <= most * SEEDS
					 : sim_rate(found, SEEDS, 0, most));
	}
}

static void test_what_explains_a_verdict(void **state)
{
	struct comparison c;
	struct compare_group *g;

	(void)state;
	one(&c, 5000, 0.3, 1.2, 3); /* 10 us of 50 */
	g = &c.group[0];
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_false(comparison_explain(g, 1000, "the probes themselves add", &five));
	assert_int_equal(g->verdict, COMPARE_SLOWER);
	assert_false(comparison_explain(g, -9000, "the probes themselves add", &five));
	assert_true(comparison_explain(g, 9000, "the probes themselves add", &five));
	assert_int_equal(g->verdict, COMPARE_CANNOT_TELL);
	assert_non_null(
		strstr(g->why, "the probes themselves add 9.00 µs more on the new"));
	comparison_release(&c);
	one(&c, 5000, 0.3, 1, 3); /* nor do equal times of unequal probes mean the same */
	g = &c.group[0];
	assert_int_equal(comparison_judge(&c, &five, NULL), 0);
	assert_int_equal(g->verdict, COMPARE_SAME);
	assert_true(comparison_explain(g, 9000, "the probes themselves add", &five));
	comparison_release(&c);
}

static void test_names(void **state)
{
	struct group_key k = {.card = 1,
			      .channel = DMA_UNKNOWN,
			      .size_bytes = 4096,
			      .direction = DIR_TO_HOST,
			      .by = BY_CARD | BY_CHANNEL | BY_DIRECTION | BY_SIZE};
	char buf[128];

	(void)state;
	assert_string_equal(group_name(&k, buf, sizeof(buf)),
			    "card 1, channel unknown, to_host, 4 KiB");
	k.by = 0;
	assert_string_equal(group_name(&k, buf, sizeof(buf)), "all transfers");
	assert_string_equal(statistic_name(0.999, buf, sizeof(buf)), "p99.9");
	assert_string_equal(statistic_name(0, buf, sizeof(buf)), "mean");
}

/* ---- simulations: threshold 0, so that a verdict is all that the interval says ---- */

/* Of sim_seeds(seeds), those in which any of `groups` groups is called slower or faster. */
static unsigned alarms(size_t groups, size_t n, double phi, double scale, unsigned seeds,
		       double threshold)
{
	const struct compare_options o = {.threshold = threshold, .q = 0.5, .seed = 1};
	unsigned found = 0;

	for (unsigned s = 1; s <= sim_seeds(seeds); s++) {
		struct comparison c;
		bool any = false;

		random_state = UINT64_C(0x9e3779b97f4a7c15) * s;
		comparison_make(&c, groups);
		for (size_t i = 0; i < groups; i++) {
			side_make(&c.group[i].base, 1, n, phi, 1);
			side_make(&c.group[i].fresh, 1, n, phi, scale);
		}
		assert_int_equal(comparison_judge(&c, &o, NULL), 0);
		for (size_t i = 0; i < groups; i++)
			any |= c.group[i].verdict == COMPARE_SLOWER ||
			       c.group[i].verdict == COMPARE_FASTER;
		found += any;
		comparison_release(&c);
	}
	return found;
}

static void test_false_alarms(void **state)
{
	enum { SEEDS = 200 };
	static const struct {
		size_t groups, n;
		double phi;
	} scene[] = {{1, 2000, 0.6}, {1, 4000, 0.8}, {4, 1500, 0.6}};

	(void)state;
	for (size_t i = 0; i < sizeof(scene) / sizeof(*scene); i++) {
		unsigned found =
			alarms(scene[i].groups, scene[i].n, scene[i].phi, 1, SEEDS, 0);

		print_message("# false alarms: %zu groups, n %zu, AR(1) %.1f: %u of %u\n",
			      scene[i].groups, scene[i].n, scene[i].phi, found,
			      sim_seeds(SEEDS));
		assert_true(sim_rate(found, SEEDS, 0.02, 0.08));
	}
}

/* With the threshold that is the default an equal pair raises none at all. */
static void test_threshold_silences(void **state)
{
	enum { SEEDS = 100 };
	unsigned found = alarms(1, 2000, 0.6, 1, SEEDS, 0.05);

	(void)state;
	assert_true(sim_rate(found, SEEDS, 0, 0.01));
}

static void test_power(void **state)
{
	enum { SEEDS = 40 };
	unsigned five_pct = alarms(1, 20000, 0.6, 1.05, SEEDS, 0);
	unsigned ten_pct = alarms(1, 5000, 0.6, 1.1, SEEDS, 0.05);

	(void)state;
	print_message(
		"# power: shift 5 %%, n 20000, threshold 0: %u of %u; shift 10 %%, n "
		"5000, threshold 5 %%: %u\n",
		five_pct, sim_seeds(SEEDS), ten_pct);
	assert_true(sim_rate(five_pct, SEEDS, 0.95, 1));
	assert_true(sim_rate(ten_pct, SEEDS, 0.95, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_needed_is_enough),
		cmocka_unit_test(test_nothing_on_a_side),
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_no_group),
		cmocka_unit_test(test_status_of_several),
		cmocka_unit_test(test_left_out_transfers_matter),
		cmocka_unit_test(test_loss_matters),
		cmocka_unit_test(test_extremes_have_no_interval),
		cmocka_unit_test(test_equal_values),
		cmocka_unit_test(test_several_recordings),
		cmocka_unit_test(test_one_run_a_side),
		cmocka_unit_test(test_alarms_of_one_run),
		cmocka_unit_test(test_what_explains_a_verdict),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_false_alarms),
		cmocka_unit_test(test_threshold_silences),
		cmocka_unit_test(test_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
