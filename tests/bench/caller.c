// SPDX-License-Identifier: GPL-2.0-only
/* caller COUNT: so many starts and waits; prints the seconds that they took. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int dma_to_host(unsigned id, void *dst, size_t size);
int dma_wait(unsigned id);

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	struct timespec a, b;
	char buf[64];

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < n; i++) {
		dma_to_host(i & 3, buf, 4096);
		dma_wait(i & 3);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.6f\n",
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	return 0;
}
