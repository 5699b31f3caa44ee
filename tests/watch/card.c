/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A card whose registers lie in a file, played by a thread: it clears a channel's bit some
 * microseconds after the program has set it, and keeps a log of when it did.
 *
 *   card FILE LOG TRANSFERS BUSY_NS [CHANNELS [PAUSE_NS]]
 *
 * Each line of the log: channel, when the card had seen the bit, the time just before it was
 * cleared and just behind, by CLOCK_MONOTONIC. Transfers go round the channels, one at a time.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ENABLE = 0x400, PAGE = 4096 };

struct cleared {
	int channel;
	int64_t seen_ns, before_ns, behind_ns;
};

static volatile uint8_t *bar;
static struct cleared *log_of;
static long transfers, busy_ns, pause_ns;
static int channels = 1;

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

void dma_to_host(volatile uint8_t *card, int channel, size_t size);
void dma_wait(volatile uint8_t *card, int channel);

/* The library: a store to the enable register starts the channel. */
__attribute__((noinline)) void dma_to_host(volatile uint8_t *card, int channel,
					   size_t size)
{
	(void)size;
	*(volatile uint32_t *)(card + ENABLE) = UINT32_C(1) << channel;
}

__attribute__((noinline)) void dma_wait(volatile uint8_t *card, int channel)
{
	while (*(volatile uint32_t *)(card + ENABLE) >> channel & 1)
		sched_yield();
}

static void *play(void *arg)
{
	(void)arg;
	for (long i = 0; i < transfers; i++) {
		uint32_t set;
		int64_t begin;

		while (!(set = __atomic_load_n(enable_register(), __ATOMIC_ACQUIRE)))
			sched_yield();
		for (begin = now_ns(); now_ns() - begin < busy_ns;)
			;
		log_of[i].channel = __builtin_ctz(set);
		log_of[i].seen_ns = begin;
		log_of[i].before_ns = now_ns();
		__atomic_store_n(enable_register(), 0, __ATOMIC_SEQ_CST);
		log_of[i].behind_ns = now_ns();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t card;
	FILE *out;
	int fd;

	if (argc < 5)
		return 2;
	transfers = strtol(argv[3], NULL, 10);
	busy_ns = strtol(argv[4], NULL, 10);
	channels = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 1;
	pause_ns = argc > 6 ? strtol(argv[6], NULL, 10) : 0;
	fd = open(argv[1], O_RDWR);
	log_of = calloc((size_t)transfers, sizeof(*log_of));
	if (fd < 0 || !log_of)
		return 1;
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED || pthread_create(&card, NULL, play, NULL))
		return 1;
	for (long i = 0; i < transfers; i++) {
		int channel = (int)(i % channels);
		int64_t begin = now_ns();

		while (now_ns() - begin < pause_ns)
			sched_yield();
		dma_to_host(bar, channel, 4096);
		dma_wait(bar, channel);
	}
	pthread_join(card, NULL);
	out = fopen(argv[2], "w");
	for (long i = 0; out && i < transfers; i++)
		fprintf(out, "%d,%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
			log_of[i].channel, log_of[i].seen_ns, log_of[i].before_ns,
			log_of[i].behind_ns);
	return out && !fclose(out) ? 0 : 1;
}
