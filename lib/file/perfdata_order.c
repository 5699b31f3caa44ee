/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The merge by time. What is kept is not records but runs: a run is a stretch of the file
 * that is in order of time, as one pass over one ring gives it. A heap holds one cursor
 * for each run that is not used up, so memory follows the number of runs in two rounds
 * (rings in use, plus one for each place where a nested interrupt made a ring step back),
 * whatever their length. A file with no PERF_RECORD_FINISHED_ROUND is one round: it is
 * scanned first, for its runs, and then merged; a file that is in order as a whole is one
 * run.
 *
 * perf's promise: when round n ends, nothing earlier than the latest time of round n-1
 * can come.
 *
 * The file is mapped; every TRIM bytes the mapping's pages are given back to the page
 * cache, so that resident memory does not grow with the file.
 */
#include "lib/file/perfdata_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/dma.h"
#include "lib/err.h"

enum { TRIM = 4 << 20, LOST_SAMPLES_BPF = 1 << 15 };
enum { USER_FINISHED_ROUND = 68, USER_ID_INDEX = 69 };

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void touch(struct perfdata *p, uint64_t bytes)
{
	p->touched += bytes;
	if (p->touched < TRIM || !p->mapped)
		return;
	p->touched = 0;
	madvise((void *)(uintptr_t)p->map, p->size, MADV_DONTNEED);
}

/* ---- heap of runs, least (time, offset) first ---- */

static bool before(const struct run *a, const struct run *b)
{
	return a->key_ns != b->key_ns ? a->key_ns < b->key_ns : a->pos < b->pos;
}

static void heap_down(struct run *heap, size_t n, size_t i)
{
	struct run moving = heap[i];

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &moving))
			break;
		heap[i] = heap[child];
	}
	heap[i] = moving;
}

static int heap_push(struct perfdata *p, const struct run *run, struct err *e)
{
	size_t i = p->nheap;

	if (p->nheap == p->heap_room) {
		size_t room = p->heap_room ? 2 * p->heap_room : 64;
		struct run *grown = realloc(p->heap, room * sizeof(*grown));

		if (!grown)
			return err_nomem(e, "%zu streams of %s", room, p->name);
		p->heap = grown;
		p->heap_room = room;
	}
	p->nheap++;
	for (; i && before(run, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
		p->heap[i] = p->heap[(i - 1) / 2];
	p->heap[i] = *run;
	return 0;
}

/* ---- losses: their windows are seen in file order, which is ring order ---- */

/* Which ring a record lay in. Events of one CPU share its ring, and so do those of one
 * thread that were opened for any CPU (perf record --per-thread); which it is says perf's
 * ID_INDEX, or an id that is met on two CPUs. A record without a time was written by
 * perf, with 0 for its CPU. */
static struct ring *ring_of(struct perfdata *p, const struct rec_key *k)
{
	int64_t slot = k->id ? record_id_slot(p, k->id) : -1;
	bool stamped = k->time_ns != DMA_UNKNOWN && k->cpu >= 0 && k->cpu < RING_CPUS;
	int32_t *known = slot >= 0 ? &p->ring_of_slot[slot] : NULL;

	if (known && *known < 0 && stamped)
		*known = k->cpu;
	else if (known && stamped && *known < RING_CPUS && *known != k->cpu)
		*known = RING_CPUS + (int32_t)slot;
	if (known && *known >= 0)
		return &p->ring[*known];
	return stamped ? &p->ring[k->cpu] : NULL;
}

/* u64 n, then n times u64 id, place, cpu, thread. */
static void scan_id_index(struct perfdata *p, uint64_t offset, uint32_t size)
{
	const uint8_t *rec = p->map + offset;
	uint64_t n = size < 16 ? 0 : get_u64(rec + 8);
	uint32_t first_tid = 0, first_slot = 0;
	bool any = false;

	for (uint64_t i = 0; i < n && 16 + 32 * (i + 1) <= size; i++) {
		const uint8_t *entry = rec + 16 + 32 * i;
		int64_t slot = record_id_slot(p, get_u64(entry));
		int32_t cpu = (int32_t)get_u64(entry + 16);
		uint32_t tid = (uint32_t)get_u64(entry + 24);

		if (slot < 0)
			continue;
		if (cpu >= 0 && cpu < RING_CPUS) {
			p->ring_of_slot[slot] = cpu;
			continue;
		}
		if (!any || tid != first_tid)
			first_slot = (uint32_t)slot;
		any = true;
		first_tid = tid;
		p->ring_of_slot[slot] = RING_CPUS + (int32_t)first_slot;
	}
}

static int loss_add(struct perfdata *p, const struct lost_record *l, struct err *e)
{
	size_t taken = 0;

	while (p->nloss == p->loss_room && taken < p->nloss && p->loss[taken].taken)
		taken++;
	if (taken > p->nloss / 2) {
		memmove(p->loss, p->loss + taken, (p->nloss - taken) * sizeof(*p->loss));
		p->nloss -= taken;
		p->loss_base += taken;
	}
	if (p->nloss == p->loss_room) {
		size_t room = p->loss_room ? 2 * p->loss_room : 64;
		struct lost_record *grown = realloc(p->loss, room * sizeof(*grown));

		if (!grown)
			return err_nomem(e, "%zu losses of %s", room, p->name);
		p->loss = grown;
		p->loss_room = room;
	}
	p->loss[p->nloss++] = *l;
	return 0;
}

/* How much of `lost` LOST records have told before. */
static uint64_t take_told(struct perfdata *p, struct ring *ring, uint64_t lost)
{
	uint64_t known = p->told < lost ? p->told : lost;

	if (ring && ring->told < known)
		known = ring->told;
	if (ring)
		ring->told -= known;
	p->told -= known;
	return known;
}

/* LOST tells what its ring could not take since the record before it; LOST_SAMPLES,
 * which perf writes at the end, each event's total, in which the former is contained
 * (linux commit 119a784c8127). What is left of it was lost after the last record of the
 * ring. Where it is not known which ring that is, all LOST records count against it. */
static int scan_loss(struct perfdata *p, uint64_t offset, const struct rec_key *k,
		     struct err *e)
{
	struct ring *ring = ring_of(p, k);
	struct perfdata_rec r;
	struct lost_record l = {.offset = offset};
	int rc = record_parse(p, offset, k, &r, e);

	if (rc < 0)
		return rc;
	l.lost = r.lost;
	l.from_ns = ring ? ring->last_ns : DMA_UNKNOWN;
	l.to_ns = k->time_ns;
	l.cpu = ring && ring < p->ring + RING_CPUS ? (int32_t)(ring - p->ring) : -1;
	if (k->type == PERF_RECORD_LOST_SAMPLES && r.misc & LOST_SAMPLES_BPF) {
		l.lost = 0;
	} else if (k->type == PERF_RECORD_LOST_SAMPLES) {
		l.lost -= take_told(p, ring, l.lost);
	} else if (ring) {
		ring->told += l.lost;
		p->told += l.lost;
		ring->open_loss1 = p->loss_base + p->nloss + 1;
	}
	if (loss_add(p, &l, e))
		return ERR_NOMEM;
	/* loss_add may have moved the base; the ordinal stays what it was. */
	return 1;
}

static void scan_ring(struct perfdata *p, const struct rec_key *k)
{
	struct ring *ring = ring_of(p, k);
	struct lost_record *l;

	if (!ring || k->time_ns == DMA_UNKNOWN)
		return;
	if (ring->open_loss1 > p->loss_base) {
		l = &p->loss[ring->open_loss1 - 1 - p->loss_base];
		l->to_ns = max_ns(l->to_ns, k->time_ns);
	}
	ring->open_loss1 = 0;
	ring->last_ns = max_ns(ring->last_ns, k->time_ns);
}

static void take_loss(struct perfdata *p, struct perfdata_rec *r)
{
	size_t lo = 0, hi = p->nloss;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->loss[mid].offset < r->offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == p->nloss || p->loss[lo].offset != r->offset)
		return;
	p->loss[lo].taken = true;
	r->lost = p->loss[lo].lost;
	r->lost_from_ns = p->loss[lo].from_ns;
	r->lost_to_ns = p->loss[lo].to_ns;
	r->cpu = p->loss[lo].cpu;
}

/* ---- scanning a round ---- */

struct scan {
	struct run run;
	bool open;
};

static int scan_close(struct perfdata *p, struct scan *s, struct err *e)
{
	if (!s->open)
		return 0;
	s->open = false;
	return heap_push(p, &s->run, e);
}

/* A loss is handed out where its window begins: its own time may even be later than that
 * of the record behind it, since the kernel stamps it while it writes that one. */
static int scan_lost(struct perfdata *p, struct scan *s, const struct rec_key *k,
		     struct err *e)
{
	const struct ring *ring = ring_of(p, k);
	struct run run = {.key_ns = ring ? ring->last_ns : k->time_ns,
			  .pos = p->scan_pos,
			  .end = p->scan_pos + k->size + k->skip};
	int rc = scan_close(p, s, e);

	if (!rc)
		rc = heap_push(p, &run, e);
	return rc ? rc : scan_loss(p, p->scan_pos, k, e);
}

/* Behind the last record of a part comes the first of the next. */
static int cross_seam(struct perfdata *p, struct scan *s, struct err *e)
{
	int rc = 0;

	while (!rc && p->at_part + 1 < p->npart &&
	       p->scan_pos >= p->part[p->at_part].end) {
		if (p->scan_pos > p->part[p->at_part].end)
			return err_set(e, ERR_FORMAT,
				       "%s: its last record reaches beyond its data",
				       p->part[p->at_part].path);
		p->scan_pos = p->part[++p->at_part].begin;
		rc = scan_close(p, s, e);
	}
	return rc;
}

static bool is_lost(uint32_t type)
{
	return type == PERF_RECORD_LOST || type == PERF_RECORD_LOST_SAMPLES;
}

static int scan_record(struct perfdata *p, struct scan *s, int64_t *last_ns,
		       const struct rec_key *k, struct err *e)
{
	int rc = 0;

	if (is_lost(k->type))
		return scan_lost(p, s, k, e);
	p->round_max_ns = max_ns(p->round_max_ns, k->time_ns);
	if (s->open && k->time_ns != DMA_UNKNOWN && k->time_ns < *last_ns)
		rc = scan_close(p, s, e);
	if (rc)
		return rc;
	if (k->time_ns != DMA_UNKNOWN)
		*last_ns = k->time_ns;
	if (!s->open)
		s->run = (struct run){.key_ns = k->time_ns, .pos = p->scan_pos};
	s->open = true;
	s->run.end = p->scan_pos + k->size + k->skip;
	scan_ring(p, k);
	return 0;
}

/* 1 = a round was scanned, 0 = nothing is left. */
static int scan_round(struct perfdata *p, struct err *e)
{
	int64_t latest = p->round_max_ns, last_ns = DMA_UNKNOWN;
	struct scan s = {.open = false};
	struct rec_key k;
	bool any = false;
	int rc;

	p->limit_ns = latest; /* of the rounds before this one */
	while (!(rc = cross_seam(p, &s, e)) &&
	       (rc = record_key(p, p->scan_pos, &k, e)) > 0) {
		any = true;
		if (!record_is_user(k.type)) {
			rc = scan_record(p, &s, &last_ns, &k, e);
			if (rc < 0)
				return rc;
		}
		p->scan_pos += k.size + k.skip;
		if (k.type == USER_ID_INDEX)
			scan_id_index(p, p->scan_pos - k.size, k.size);
		touch(p, k.size);
		if (k.type == USER_FINISHED_ROUND) {
			p->whole_ns = latest;
			break;
		}
	}
	if (rc < 0)
		return rc;
	if (!rc) { /* the data ends here */
		p->limit_ns = INT64_MAX;
		p->scan_pos = p->data_end;
	}
	rc = scan_close(p, &s, e);
	return rc ? rc : any;
}

/* ---- handing out ---- */

/* Move the first run's cursor from its record k to its next kernel record. */
static int advance(struct perfdata *p, struct rec_key k, struct err *e)
{
	struct run *top = &p->heap[0];
	int rc = 1;

	while (rc > 0) {
		top->pos += k.size + k.skip;
		p->done += k.size + k.skip;
		touch(p, k.size);
		if (top->pos >= top->end)
			break;
		rc = record_key(p, top->pos, &k, e);
		if (rc > 0 && !record_is_user(k.type)) {
			if (k.time_ns != DMA_UNKNOWN)
				top->key_ns = k.time_ns;
			heap_down(p->heap, p->nheap, 0);
			return 0;
		}
	}
	if (rc < 0)
		return rc;
	p->heap[0] = p->heap[--p->nheap];
	if (p->nheap)
		heap_down(p->heap, p->nheap, 0);
	return 0;
}

/* The same event on the same CPU, at the same nanosecond, with the same content. */
static bool is_repeated(struct perfdata *p, uint64_t offset, const struct rec_key *k)
{
	struct recent *r = &p->recent[(uint64_t)k->time_ns & (RECENT - 1)];

	if (k->type != PERF_RECORD_SAMPLE || k->time_ns == DMA_UNKNOWN)
		return false;
	if (r->time_ns == k->time_ns && r->offset != offset &&
	    get_u16(p->map + r->offset + 6) == k->size &&
	    !memcmp(p->map + r->offset, p->map + offset, k->size))
		return true;
	*r = (struct recent){k->time_ns, offset};
	return false;
}

/* 2 = a loss that was told before, or a sample that comes again: not handed out. */
static int hand_out(struct perfdata *p, struct perfdata_rec *rec, struct err *e)
{
	uint64_t offset = p->heap[0].pos;
	struct rec_key k;
	int rc = record_key(p, offset, &k, e);
	bool lost = rc > 0 && is_lost(k.type);

	if (rc > 0)
		rc = record_parse(p, offset, &k, rec, e);
	if (rc <= 0)
		return rc;
	if (lost)
		take_loss(p, rec);
	rc = advance(p, k, e);
	if (rc < 0)
		return rc;
	if (lost)
		return rec->lost ? 1 : 2;
	if (is_repeated(p, offset, &k)) {
		p->repeated++;
		return 2;
	}
	if (rec->time_ns != DMA_UNKNOWN && rec->time_ns < p->last_ns)
		p->disordered++;
	p->last_ns = max_ns(p->last_ns, rec->time_ns);
	return 1;
}

static int next(struct perfdata *p, struct perfdata_rec *rec, struct err *e)
{
	int rc;

	for (;;) {
		if (p->nheap && p->heap[0].key_ns <= p->limit_ns) {
			rc = hand_out(p, rec, e);
			if (rc != 2)
				return rc;
			continue;
		}
		if (p->feeding && p->scan_pos >= p->round_end)
			return 0;
		if (p->limit_ns == INT64_MAX) {
			p->done = p->data_end - p->data_begin;
			return 0;
		}
		rc = scan_round(p, e);
		if (rc < 0)
			return rc;
	}
}

int perfdata_next(struct perfdata *p, struct perfdata_rec *rec, struct err *e)
{
	int rc = next(p, rec, e);

	return rc > 0 && !mapguard_touched(&p->guard) ? rc : perfdata_or_cut(p, rc, e);
}

void order_reset(struct perfdata *p)
{
	p->scan_pos = p->data_begin;
	p->at_part = 0;
	p->round_max_ns = p->limit_ns = p->last_ns = p->whole_ns = DMA_UNKNOWN;
	p->nheap = p->nloss = 0;
	p->loss_base = p->done = p->touched = p->disordered = p->repeated = p->told = 0;
	for (size_t i = 0; i < RECENT; i++)
		p->recent[i] = (struct recent){.time_ns = DMA_UNKNOWN};
	for (size_t i = 0; i < p->nslot; i++)
		p->ring_of_slot[i] = -1;
	for (size_t i = 0; i < RING_CPUS + p->nslot; i++)
		p->ring[i] = (struct ring){.last_ns = DMA_UNKNOWN};
}

int64_t perfdata_whole_ns(const struct perfdata *p)
{
	return p->whole_ns;
}

int perfdata_rewind(struct perfdata *p, struct err *e)
{
	(void)e;
	order_reset(p);
	return 0;
}

void order_release(struct perfdata *p)
{
	free(p->heap);
	free(p->loss);
	free(p->ring);
	free(p->ring_of_slot);
}

uint64_t perfdata_disordered(const struct perfdata *p)
{
	return p->disordered;
}

uint64_t perfdata_repeated(const struct perfdata *p)
{
	return p->repeated;
}

uint64_t perfdata_data_done(const struct perfdata *p)
{
	return p->done;
}
