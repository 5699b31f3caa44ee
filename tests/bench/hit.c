// SPDX-License-Identifier: GPL-2.0-only
/* hit [ROUNDS [CALLS]]: what a call of dma_wait() takes, in nanoseconds, and what reading
 * the clock takes: the least of many rounds, as what comes in between only adds. With
 * probes and without, the difference is theirs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int dma_wait(unsigned id);

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	long calls = argc > 2 ? strtol(argv[2], NULL, 10) : 100;
	double call = 1e18, clock = 1e18;

	for (long r = 0; r < rounds; r++) {
		double a = now(), b, c;

		for (long i = 0; i < calls; i++)
			dma_wait((unsigned)i & 3);
		b = now();
		for (long i = 0; i < calls; i++)
			now();
		c = now();
		call = b - a < call ? b - a : call;
		clock = c - b < clock ? c - b : clock;
	}
	printf("%.2f %.2f\n", call / (double)calls, clock / (double)calls);
	return 0;
}
