/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of a simulation this process does.
 *   SIM_SIZE=full    every seed (also when it is not set); tenth: the first tenth of them.
 *                    Under a sanitizer a tenth of that again: it looks for bad memory, and
 *                    the figures are judged elsewhere.
 *   SIM_SHARE=K/N    the K-th of N processes that share the tests of a program; 1/1 when
 *                    it is not set. The Makefile makes such programs for prove
 *                    (SHARES_test_...).
 * Another value ends the process with a message: a check that did less than it was asked
 * for would pass unseen.
 */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include <stdbool.h>
#include <stddef.h>

struct CMUnitTest;

/* Of `full` seeds so many are simulated here; at least one, when there is one. */
unsigned sim_seeds(unsigned full);

/*
 * Whether `found` of sim_seeds(full) is a rate from low to high. With fewer than `full`
 * seeds chance has its say: three standard errors at the bound. With all, none.
 */
bool sim_rate(unsigned found, unsigned full, double low, double high);

/* Whether figures are judged here: not under a sanitizer, whose hundredth of the seeds is
 * for bad memory; the same tests judge them without it. */
bool sim_judged(void);

/* Keeps of n tests those of this process's share, in their order. How many. */
size_t sim_share(struct CMUnitTest *tests, size_t n);

#endif
