/* SPDX-License-Identifier: GPL-2.0-only */
/* One sentence: is the interrupt essential to the DMA, and is it prompt? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analyze/summary.h"

enum { US = 1000 };

/* median, p99 and most of `delivery`; what the card takes */
static const char *verdict(struct summary_witness w, int64_t median, int64_t p99,
			   int64_t most, int64_t card)
{
	static char text[500];
	struct summary_group g = {0};
	struct summary s = {.group = &g, .ngroup = 1, .witness = w};

	g.phase[PHASE_DELIVERY] = (struct summary_phase){
		.n = 100,
		.max_ns = most,
		.q = {{.q = 0.5, .value_ns = median}, {.q = 0.99, .value_ns = p99}},
		.nq = 2};
	g.phase[PHASE_CARD] = (struct summary_phase){
		.n = 100, .q = {{.q = 0.5, .value_ns = card}}, .nq = 1};
	return summary_verdict(&s, text, sizeof(text));
}

static void says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void says_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in '%s'", part, text);
}

static void test_masked(void **state)
{
	(void)state;
	says(verdict((struct summary_witness){.alone = 7}, 0, 0, 0, 0),
	     "not essential to the DMA: all 7 ended on the card without one.");
	says_not(verdict((struct summary_witness){.alone = 7, .unpaired = 1}, 0, 0, 0, 0),
		 "all");
}

static void test_essential(void **state)
{
	const char *text;

	(void)state;
	says(verdict((struct summary_witness){.after = 90, .alone = 10}, US, 5 * US,
		     9 * US, US),
	     "not essential to the DMA (10 of 100 transfers ended on the card without one)");
	says(verdict((struct summary_witness){.after = 90}, US, 5 * US, 9 * US, US),
	     "Every transfer that the register saw end had its interrupt");
	text = verdict((struct summary_witness){.after = 40, .unpaired = 50}, US, 5 * US,
		       9 * US, US);
	says_not(text, "Every transfer");
	says(text, "of 50 it is not known whether one was theirs");
	assert_string_equal(verdict((struct summary_witness){.unseen = 3}, 0, 0, 0, 0),
			    "");
}

static void test_prompt(void **state)
{
	const struct summary_witness w = {.after = 100};
	const char *text;

	(void)state;
	says(verdict(w, US, 10 * US, 90 * US, US), "it is prompt");
	says(verdict(w, US, 11 * US, 90 * US, US), "it is not always prompt");
	says(verdict(w, US, 11 * US, 90 * US, 20 * US), "it is prompt");
	text = verdict(w, -3 * US, -US, 2 * US, US);
	says(text, "it is prompt");
	says(text,
	     "half come before it, 99 % before it, all within 2.00 \302\265s of it");
	says(verdict(w, -3 * US, 50 * US, 60 * US, US), "it is not always prompt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_essential),
		cmocka_unit_test(test_prompt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
