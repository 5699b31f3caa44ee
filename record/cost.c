/* SPDX-License-Identifier: GPL-2.0-only */
/* A uprobe on a function of our own, called with and without. */
#include "record/cost.h"

#include <link.h>
#include <time.h>
#include <unistd.h>

#include "lib/dma.h"
#include "record/probes.h"
#include "record/session.h"

/* Short rounds, many of them: one that nothing interrupts takes CALLS hits, 0.3 ms of a
 * scheduler's slice where a hit costs 15 us. */
#define ROUNDS 64
#define CALLS  20

__attribute__((noinline)) static void target(int n)
{
	__asm__ volatile("" : : "r"(n) : "memory");
}

static void (*volatile call)(int) = target;

struct place {
	uintptr_t addr;
	uint64_t offset; /* in the file; 0 = not found */
};

/* The first object that is listed is the executable itself. */
static int find(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct place *p = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + h->p_vaddr;

		if (h->p_type == PT_LOAD && p->addr >= from &&
		    p->addr < from + h->p_filesz)
			p->offset = p->addr - from + h->p_offset;
	}
	return 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t cost_of_hit(const int64_t *with_ns, const int64_t *without_ns, size_t rounds,
		    int64_t hits)
{
	int64_t with = INT64_MAX, without = INT64_MAX;

	for (size_t i = 0; i < rounds; i++) {
		with = with_ns[i] < with ? with_ns[i] : with;
		without = without_ns[i] < without ? without_ns[i] : without;
	}
	return !rounds || with < without ? DMA_UNKNOWN : (with - without) / hits;
}

static void measure(int64_t took_ns[ROUNDS])
{
	for (int r = 0; r < ROUNDS; r++) {
		int64_t begin = now_ns();

		for (int i = 0; i < CALLS; i++)
			call(i);
		took_ns[r] = now_ns() - begin;
	}
}

int64_t cost_uprobe_ns(struct probes *p)
{
	struct place place = {.addr = (uintptr_t)target};
	struct session *s = NULL;
	uint32_t id;
	uint64_t counted = 0;
	pid_t self = getpid();
	struct session_options o = {.pid = &self,
				    .npid = 1,
				    .clockid = CLOCK_MONOTONIC,
				    .ring_bytes = 256 << 10,
				    .uprobe = &id,
				    .nuprobe = 1};
	int64_t with[ROUNDS], without[ROUNDS];

	dl_iterate_phdr(find, &place);
	if (!place.offset ||
	    probes_add(p, false, "cost", "/proc/self/exe", place.offset, "", &id, NULL))
		return DMA_UNKNOWN;
	measure(without);
	if (session_open(&s, &o, NULL))
		return DMA_UNKNOWN;
	if (!session_enable(s, NULL)) {
		measure(with);
		if (session_disable(s, NULL) || session_count(s, 0, &counted, NULL))
			counted = 0;
	}
	session_close(s);
	if (counted != ROUNDS * CALLS)
		return DMA_UNKNOWN; /* not every call was hit: the figure would be too
				       small */
	return cost_of_hit(with, without, ROUNDS, CALLS);
}
