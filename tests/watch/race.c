/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two threads that start channels of one card at once, through a library that changes its
 * enable register without a lock: one may take the other's bit away. The card is a thread,
 * too: it runs a channel for BUSY_NS from when it sees its bit, and what has lost its bit by
 * then, or was started anew, never ends.
 *
 *   race LOG STARTS BUSY_NS
 *
 * Each line of the log: a start's channel, its place among that channel's, and how often the
 * card ran it to its end.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ENABLE = 0x400, CHANNELS = 2, READING_NS = 20000 };

static uint8_t bar[2 * ENABLE] __attribute__((aligned(64)));
static long descriptor[CHANNELS]; /* the start that a channel's is of */
static int *ran[CHANNELS];
static long starts, busy_ns;
static int there, done;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static uint32_t *enable_register(void)
{
	return (uint32_t *)(uintptr_t)(bar + ENABLE);
}

void dma_to_host(volatile uint8_t *card, unsigned channel, size_t size);
void dma_wait(volatile uint8_t *card, unsigned channel);

/* A reading takes its time, as it does on a link. */
__attribute__((noinline)) void dma_to_host(volatile uint8_t *card, unsigned channel,
					   size_t size)
{
	uint32_t value = *(volatile uint32_t *)(card + ENABLE);

	(void)size;
	for (int64_t begin = now_ns(); now_ns() - begin < READING_NS;)
		sched_yield();
	*(volatile uint32_t *)(card + ENABLE) = value | UINT32_C(1) << channel;
}

__attribute__((noinline)) void dma_wait(volatile uint8_t *card, unsigned channel)
{
	while (*(volatile uint32_t *)(card + ENABLE) >> channel & 1)
		sched_yield();
}

static bool is_set(int channel)
{
	return __atomic_load_n(enable_register(), __ATOMIC_SEQ_CST) >> channel & 1;
}

static void play_channel(int channel, int64_t *begin_ns, long *number)
{
	long now = __atomic_load_n(&descriptor[channel], __ATOMIC_SEQ_CST);

	if (!is_set(channel)) {
		*begin_ns = 0;
		return;
	}
	if (!*begin_ns || *number != now) {
		*begin_ns = now_ns();
		*number = now;
		return;
	}
	if (now_ns() - *begin_ns < busy_ns)
		return;
	__atomic_fetch_add(&ran[channel][now], 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(enable_register(), ~(UINT32_C(1) << channel),
			   __ATOMIC_SEQ_CST);
	*begin_ns = 0;
}

static void *play(void *arg)
{
	int64_t begin_ns[CHANNELS] = {0};
	long number[CHANNELS] = {0};

	(void)arg;
	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < CHANNELS) {
		for (int i = 0; i < CHANNELS; i++)
			play_channel(i, &begin_ns[i], &number[i]);
		sched_yield();
	}
	return NULL;
}

static void *start(void *arg)
{
	unsigned channel = *(unsigned *)arg;

	for (long i = 0; i < starts; i++) {
		__atomic_fetch_add(&there, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&there, __ATOMIC_SEQ_CST) < (i + 1) * CHANNELS)
			sched_yield();
		__atomic_store_n(&descriptor[channel], i, __ATOMIC_SEQ_CST);
		dma_to_host(bar, channel, 4096);
		dma_wait(bar, channel);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t card, thread[CHANNELS];
	unsigned channel[CHANNELS];
	FILE *out;

	if (argc != 4)
		return 2;
	starts = strtol(argv[2], NULL, 10);
	busy_ns = strtol(argv[3], NULL, 10);
	for (unsigned i = 0; i < CHANNELS; i++) {
		channel[i] = i;
		ran[i] = calloc((size_t)starts, sizeof(*ran[i]));
		if (!ran[i])
			return 1;
	}
	if (pthread_create(&card, NULL, play, NULL))
		return 1;
	for (unsigned i = 0; i < CHANNELS; i++)
		if (pthread_create(&thread[i], NULL, start, &channel[i]))
			return 1;
	for (unsigned i = 0; i < CHANNELS; i++)
		pthread_join(thread[i], NULL);
	pthread_join(card, NULL);
	out = fopen(argv[1], "w");
	for (int i = 0; out && i < CHANNELS; i++)
		for (long k = 0; k < starts; k++)
			fprintf(out, "%d,%ld,%d\n", i, k + 1, ran[i][k]);
	return out && !fclose(out) ? 0 : 1;
}
