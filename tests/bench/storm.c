// SPDX-License-Identifier: GPL-2.0-only
/* storm THREADS RATE SECONDS: so many probes a second all in all (0 = as many as go), four
 * to a start and a wait; what a thread missed for longer than BEHIND_S, while
 * another program had its processor, is not made up for. Prints the rate reached. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int dma_to_host(unsigned id, void *dst, size_t size);
int dma_wait(unsigned id);

enum { BATCH = 16 };  /* calls between two looks at the clock */
#define BEHIND_S 0.02 /* what is made up for: a tenth of what a ring of 8 MiB holds */

struct job {
	double rate, seconds; /* calls a second of this thread */
	long calls;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *arg)
{
	struct job *j = arg;
	double begin = now(), at = begin, next = begin;
	char buf[16];

	for (; at - begin < j->seconds; at = now()) {
		if (at < next)
			continue;
		if (j->rate > 0)
			next = (at - next > BEHIND_S ? at : next) + BATCH / j->rate;
		for (int i = 0; i < BATCH; i++) {
			dma_to_host(0, buf, 4096);
			dma_wait(0);
		}
		j->calls += BATCH;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	double rate = argc > 2 ? strtod(argv[2], NULL) : 0,
	       seconds = argc > 3 ? strtod(argv[3], NULL) : 1;
	pthread_t t[64];
	struct job j[64];
	long calls = 0;

	n = n < 1 ? 1 : n > 64 ? 64 : n;
	for (int i = 0; i < n; i++) {
		j[i] = (struct job){rate / 4 / n, seconds, 0};
		if (pthread_create(&t[i], NULL, work, &j[i]))
			return 1;
	}
	for (int i = 0; i < n; i++) {
		pthread_join(t[i], NULL);
		calls += j[i].calls;
	}
	printf("%.0f\n", (double)calls * 4 / seconds);
	return 0;
}
