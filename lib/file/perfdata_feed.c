/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is not there yet: its header, and its records as they come. The reader sees
 * a map of which the front is the header and the rest a window of the data; what nobody
 * refers to any more leaves the window, and every offset in the reader moves with it. So
 * reading, merging and decoding are those of a file. The window's addresses are reserved
 * at once and used as needed: nothing that points into the header ever moves.
 */
#include "lib/file/perfdata_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/dma.h"
#include "lib/err.h"

/* Address space, not memory. All that two rounds can hold: rings are at most 256 MiB
 * unless asked for, and a queue before the window holds less. */
#define FEED_ROOM ((uint64_t)1 << 30)

enum { FINISHED_ROUND = 68, TRIM = 1 << 20, COMPACT = 1 << 16 };

int perfdata_open_feed(struct perfdata **out, const void *head, size_t len,
		       const char *name, struct err *e)
{
	struct perfdata *p;
	void *map;
	int rc;

	*out = NULL;
	map = mmap(NULL, len + FEED_ROOM, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return err_errno(e, "%s: no address space for its records", name);
	memcpy(map, head, len);
	rc = perfdata_open_mem(out, map, len, name, e);
	p = *out;
	if (rc || p->data_begin != len) {
		rc = rc ? rc
			: err_set(e, ERR_FORMAT,
				  "%s: its data begins at offset %" PRIu64
				  ", the head has %zu bytes",
				  name, p->data_begin, len);
		perfdata_close(p);
		*out = NULL;
		munmap(map, len + FEED_ROOM);
		return rc;
	}
	p->fed = map;
	p->fed_room = len + FEED_ROOM;
	p->feeding = true;
	p->truncated = false;
	p->round_end = p->walked = p->data_begin;
	return 0;
}

/* The lowest offset that anything still refers to. */
static uint64_t needed_from(const struct perfdata *p)
{
	uint64_t least = p->scan_pos;

	for (size_t i = 0; i < p->nheap; i++)
		if (p->heap[i].pos < least)
			least = p->heap[i].pos;
	return least;
}

static void forget_losses(struct perfdata *p, uint64_t gone)
{
	size_t taken = 0;

	while (taken < p->nloss && p->loss[taken].taken)
		taken++;
	if (taken)
		memmove(p->loss, p->loss + taken, (p->nloss - taken) * sizeof(*p->loss));
	p->nloss -= taken;
	p->loss_base += taken;
	for (size_t i = 0; i < p->nloss; i++)
		p->loss[i].offset -= gone < p->loss[i].offset ? gone : p->loss[i].offset;
}

static void compact(struct perfdata *p)
{
	uint64_t gone = needed_from(p) - p->data_begin, end = p->data_end - gone;

	if (gone < COMPACT)
		return;
	memmove(p->fed + p->data_begin, p->fed + p->data_begin + gone,
		end - p->data_begin);
	if (gone >= TRIM) {
		uint64_t page = (end + TRIM) & ~(uint64_t)(TRIM - 1);

		if (page < p->data_end)
			madvise(p->fed + page, p->data_end - page, MADV_DONTNEED);
	}
	for (size_t i = 0; i < p->nheap; i++) {
		p->heap[i].pos -= gone;
		p->heap[i].end -= gone;
	}
	forget_losses(p, gone);
	for (size_t i = 0; i < RECENT; i++) {
		if (p->recent[i].offset < p->data_begin + gone)
			p->recent[i] = (struct recent){.time_ns = DMA_UNKNOWN};
		else
			p->recent[i].offset -= gone;
	}
	p->scan_pos -= gone;
	p->round_end -= gone;
	p->walked -= gone;
	p->data_end = p->size = end;
}

/* From where the last call stopped: where do rounds end? */
static int walk(struct perfdata *p, struct err *e)
{
	while (p->data_end - p->walked >= RECORD_HEADER) {
		const uint8_t *rec = p->map + p->walked;
		uint32_t size = get_u16(rec + 6);

		if (size < RECORD_HEADER)
			return err_set(e, ERR_FORMAT,
				       "%s: a record of %u bytes; the data is damaged",
				       p->name, size);
		if (size > p->data_end - p->walked)
			break;
		p->walked += size;
		if (get_u32(rec) == FINISHED_ROUND)
			p->round_end = p->walked;
	}
	return 0;
}

int perfdata_feed(struct perfdata *p, const void *buf, size_t len, struct err *e)
{
	compact(p);
	if (len > p->fed_room - p->data_end)
		return err_set(e, ERR_LIMIT,
			       "%s: a round of more than %" PRIu64
			       " MiB, which is the most that can be put in order",
			       p->name, (uint64_t)FEED_ROOM >> 20);
	memcpy(p->fed + p->data_end, buf, len);
	p->data_end += len;
	p->size = p->data_end;
	return walk(p, e);
}

int perfdata_feed_round(struct perfdata *p, struct err *e)
{
	static const struct perf_event_header round = {FINISHED_ROUND, 0, sizeof(round)};

	return perfdata_feed(p, &round, sizeof(round), e);
}

void perfdata_feed_end(struct perfdata *p)
{
	p->feeding = false;
}

/* ---- a head with more events ---- */

static void *moved(void **from)
{
	void *to = *from;

	*from = NULL;
	return to;
}

/* Where the merge stands, of data that begin `by` bytes further on. Rings of CPUs only: those
 * that go by an event's id are of threads without one, which a recorder of ours has not. */
static void move_order(struct perfdata *to, struct perfdata *from, int64_t by)
{
	to->heap = moved((void **)&from->heap);
	to->loss = moved((void **)&from->loss);
	to->nheap = from->nheap;
	to->heap_room = from->heap_room;
	to->nloss = from->nloss;
	to->loss_room = from->loss_room;
	from->nheap = from->nloss = 0;
	to->round_max_ns = from->round_max_ns;
	to->limit_ns = from->limit_ns;
	to->last_ns = from->last_ns;
	to->whole_ns = from->whole_ns;
	to->loss_base = from->loss_base;
	to->done = from->done;
	to->touched = from->touched;
	to->disordered = from->disordered;
	to->repeated = from->repeated;
	to->told = from->told;
	to->unnamed = from->unnamed;
	to->feeding = from->feeding;
	memcpy(to->ring, from->ring, RING_CPUS * sizeof(*to->ring));
	memcpy(to->recent, from->recent, sizeof(to->recent));
	for (size_t i = 0; i < to->nheap; i++) {
		to->heap[i].pos += (uint64_t)by;
		to->heap[i].end += (uint64_t)by;
	}
	for (size_t i = 0; i < to->nloss; i++)
		to->loss[i].offset += (uint64_t)by;
	for (size_t i = 0; i < RECENT; i++)
		if (to->recent[i].time_ns != DMA_UNKNOWN)
			to->recent[i].offset += (uint64_t)by;
	to->scan_pos = from->scan_pos + (uint64_t)by;
	to->round_end = from->round_end + (uint64_t)by;
	to->walked = from->walked + (uint64_t)by;
}

int perfdata_feed_renew(struct perfdata **p, const void *head, size_t len, struct err *e)
{
	struct perfdata *from = *p, *to;
	uint64_t have;
	int rc;

	compact(from);
	rc = perfdata_open_feed(&to, head, len, from->name, e);
	if (rc)
		return rc;
	have = from->data_end - from->data_begin;
	memcpy(to->fed + to->data_begin, from->fed + from->data_begin, have);
	to->data_end = to->size = to->data_begin + have;
	move_order(to, from, (int64_t)(to->data_begin - from->data_begin));
	perfdata_close(from);
	*p = to;
	return 0;
}
