/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/descriptors.h"
#include "record/host/rootfs.h"
#include "record/inside.h"
#include "record/late.h"
#include "record/newcomers.h"
#include "record/session.h"
#include "record/threads.h"

/* Which event an id belongs to: open addressing, a power of two of slots; id 0 = free. */
struct intake_slot {
	uint64_t id;
	size_t event;
	size_t time_at; /* of a sample's time */
};

/* NULL = none of ours. */
static const struct intake_slot *slot_of(const struct intake *in, uint64_t id)
{
	for (size_t h = id & (in->nslot - 1); in->slot[h].id;
	     h = (h + 1) & (in->nslot - 1))
		if (in->slot[h].id == id)
			return &in->slot[h];
	return NULL;
}

/* Where session.c's samples and records keep the first number we need: the id, or what
 * LOST says. Behind the id may be an address, then pid and tid, then the time. */
enum { AT_ID = 8, AT_LOST = 16, AT_IP = 16, IP_BYTES = 8, PID_BYTES = 8 };
/* MMAP2 of linux/perf_event.h: pid, tid, addr, len, pgoff, maj, min, ino, generation,
 * prot, flags, then the name. */
enum { MMAP_PROT = 64, MMAP_NAME = 72 };
enum { MAX_TORN = 32 /* drains: some seconds */ };
/* Behind other records: pid and tid, time, CPU, id. */
enum { TRAILER = 32, AT_TRAILER_TIME = 8, AT_COMM = 16 };

static void note_time(struct intake *in, const char *sample, size_t size, size_t at)
{
	uint64_t t;

	if (size < at + sizeof(t))
		return;
	memcpy(&t, sample + at, sizeof(t));
	if (!in->last_ns || t < in->first_ns)
		in->first_ns = t;
	if (t > in->last_ns)
		in->last_ns = t;
}

/* The process, new with no start where it was not seen; NULL = too many, or no memory. The
 * last one asked for is likely the next. */
static struct intake_process *process_of(struct intake *in, int32_t pid)
{
	struct intake_process *p;

	if (in->last_process < in->nprocess && in->process[in->last_process].pid == pid)
		return &in->process[in->last_process];
	for (size_t i = 0; i < in->nprocess; i++)
		if (in->process[i].pid == pid) {
			in->last_process = i;
			return &in->process[i];
		}
	p = in->nprocess < MAX_PROCESSES ? array_add(&in->process, &in->nprocess) : NULL;
	if (p)
		p->pid = pid;
	return p;
}

/* Of one that ran before, no record tells the name; and it may end before the recording does. */
static void read_name(struct intake_process *p)
{
	char *name = rootfs_line("", "/proc/%d/comm", (int)p->pid);

	snprintf(p->name, sizeof(p->name), "%s", name ? name : "");
	free(name);
}

static void count_start(struct intake *in, const char *sample, size_t pid_at)
{
	struct intake_process *p;
	int32_t pid;

	memcpy(&pid, sample + pid_at, sizeof(pid));
	p = process_of(in, pid);
	if (p && !p->starts++ && !*p->name)
		read_name(p);
}

/* PERF_RECORD_COMM of a process's first thread. */
static void note_name(struct intake *in, const char *rec, size_t size)
{
	struct intake_process *p;
	int32_t id[2];

	memcpy(id, rec + AT_ID, sizeof(id));
	if (id[0] != id[1] || size < AT_COMM + TRAILER + 1)
		return;
	p = process_of(in, id[0]);
	if (p)
		snprintf(p->name, sizeof(p->name), "%.*s",
			 (int)(size - AT_COMM - TRAILER), rec + AT_COMM);
}

/* The raw data of an interrupt's sample behind the time: CPU and padding, the size; in the data
 * common fields, the number, where the name is. */
enum { RAW_BEHIND_TIME = 20, RAW_IRQ = 8, RAW_NAME = 12, RAW_BYTES = 16 };

static int want_irq(struct intake *in, bool exit, const char *sample, size_t size,
		    size_t raw_at, struct err *e)
{
	const char *raw = sample + raw_at;
	char action[64] = "";
	uint32_t name, at, len;
	int32_t irq;

	if (size < raw_at + RAW_BYTES)
		return 1;
	memcpy(&irq, raw + RAW_IRQ, sizeof(irq));
	if (exit) /* its entry, before it, decided */
		return newcomers_want_exit(in->newcomers, irq);
	memcpy(&name, raw + RAW_NAME, sizeof(name));
	at = name & 0xffff;
	len = name >> 16;
	if (len && len <= sizeof(action) && at + len <= size - raw_at) {
		memcpy(action, raw + at, len);
		action[len - 1] = '\0';
	}
	return newcomers_want(in->newcomers, irq, action, e);
}

/* ---- threads that may have half of their events ---- */

/* A sample of a thread that is not trusted yet, or the record of one that begot another. The
 * record of its own beginning was written before, but perhaps into a ring that had been read
 * already: it comes by the end of the next pass, or never. */
struct intake_held {
	int32_t tid, parent; /* parent 0 = a sample */
	int64_t time_ns;
	uint64_t pass, id;
	char *sample; /* NULL = none any more */
	size_t size;
};

static int hold(struct intake *in, const struct intake_held *from, struct err *e)
{
	struct intake_held *h = array_add(&in->held, &in->nheld);

	if (!h)
		return err_nomem(e, "a recording");
	*h = *from;
	h->pass = in->pass;
	if (!h->parent && !(h->sample = malloc(h->size)))
		return err_nomem(e, "a recording");
	if (h->sample)
		memcpy(h->sample, from->sample, h->size);
	return 0;
}

static bool is_trusted(const struct intake *in, const struct intake_slot *slot,
		       int32_t tid)
{
	return !in->threads || slot->event >= in->nprobe ||
	       threads_trusts(in->threads, tid);
}

static int hold_sample(struct intake *in, uint64_t id, int32_t tid, int64_t time_ns,
		       const char *sample, size_t size, struct err *e)
{
	const struct intake_held h = {.tid = tid,
				      .time_ns = time_ns,
				      .id = id,
				      .sample = (char *)sample,
				      .size = size};
	return hold(in, &h, e);
}

enum { LEFT_OUT, GOES_IN, HELD };

/* Where the sample goes; what is left out is told apart from loss. */
static int wanted(struct intake *in, uint64_t id, const char *sample, size_t size,
		  struct err *e)
{
	const struct intake_slot *slot = slot_of(in, id);
	int64_t time_ns;
	int32_t tid;
	int rc = GOES_IN;

	if (!slot || size < slot->time_at + sizeof(time_ns))
		return GOES_IN;
	memcpy(&time_ns, sample + slot->time_at, sizeof(time_ns));
	memcpy(&tid, sample + slot->time_at - sizeof(tid), sizeof(tid));
	if (time_ns < in->begin_ns || time_ns > in->end_ns)
		rc = LEFT_OUT;
	else if (!is_trusted(in, slot, tid))
		return hold_sample(in, id, tid, time_ns, sample, size, e) ? ERR_NOMEM
									  : HELD;
	else if (in->newcomers && slot->event - in->irq_event < in->nirq_event)
		rc = want_irq(in, slot->event != in->irq_event, sample, size,
			      slot->time_at + RAW_BEHIND_TIME, e);
	in->left_out[slot->event] += rc == LEFT_OUT;
	return rc;
}

static int see_sample(struct intake *in, uint64_t id, const char *sample, size_t size,
		      struct err *e)
{
	const struct intake_slot *slot = slot_of(in, id);

	if (!slot)
		return 0;
	note_time(in, sample, size, slot->time_at);
	in->delivered[slot->event]++;
	if (in->starts && in->starts[slot->event] && size >= slot->time_at)
		count_start(in, sample, slot->time_at - PID_BYTES);
	return descriptors_see(in->descriptors, slot->event, sample, size, e);
}

static void see_mapping(struct intake *in, int32_t pid, int64_t time_ns, const char *rec,
			size_t size)
{
	uint32_t prot;

	memcpy(&prot, rec + MMAP_PROT, sizeof(prot));
	if (!(prot & PROT_EXEC) || !memchr(rec + MMAP_NAME, 0, size - MMAP_NAME))
		return;
	if (in->inside)
		inside_mapped(in->inside, pid, rec + MMAP_NAME);
	late_mapped(in->late, pid, rec + MMAP_NAME, time_ns);
}

/* exec closes descriptors; and what was lost may have been a closing. */
static void see_other(struct intake *in, uint32_t type, uint16_t misc, uint64_t v,
		      const char *rec, size_t size)
{
	int64_t time_ns;
	int32_t pid;

	if (size < AT_LOST + TRAILER)
		return;
	memcpy(&time_ns, rec + size - TRAILER + AT_TRAILER_TIME, sizeof(time_ns));
	memcpy(&pid, rec + AT_ID, sizeof(pid));
	if (type == PERF_RECORD_LOST)
		in->lost += v;
	if (type == PERF_RECORD_LOST) { /* since the ring had been read */
		descriptors_doubt(in->descriptors, -1, in->drained_ns);
		descriptors_doubt(in->descriptors, -1, time_ns);
	}
	if (type == PERF_RECORD_MMAP2 && size > MMAP_NAME + TRAILER)
		see_mapping(in, pid, time_ns, rec, size - TRAILER);
	if (type == PERF_RECORD_COMM)
		note_name(in, rec, size);
	if (type == PERF_RECORD_COMM && misc & PERF_RECORD_MISC_COMM_EXEC)
		descriptors_doubt(in->descriptors, pid, time_ns);
}

/* What is no sample of an event that is known has it in its trailer. */
int64_t intake_time(const struct intake *in, const void *record, size_t size)
{
	const char *rec = record;
	struct perf_event_header h;
	const struct intake_slot *slot = NULL;
	size_t at = size < TRAILER ? 0 : size - TRAILER + AT_TRAILER_TIME;
	int64_t time_ns = 0;
	uint64_t id;

	memcpy(&h, rec, sizeof(h));
	memcpy(&id, rec + AT_ID, sizeof(id));
	if (h.type == PERF_RECORD_SAMPLE)
		slot = slot_of(in, id);
	if (slot)
		at = slot->time_at;
	if (at && at + sizeof(time_ns) <= size)
		memcpy(&time_ns, rec + at, sizeof(time_ns));
	return time_ns;
}

/* Between two files: each record goes where its time belongs. */
static int append_split(struct intake *in, const char *from, const char *to,
			struct err *e)
{
	struct perf_event_header h;
	int rc = 0;

	for (; !rc && (size_t)(to - from) >= sizeof(h) + sizeof(uint64_t);
	     from += h.size) {
		memcpy(&h, from, sizeof(h));
		if (h.size < sizeof(h) + sizeof(uint64_t) || h.size > to - from)
			break;
		if (intake_time(in, from, h.size) < in->split_ns) {
			rc = perfdata_append(in->file, from, h.size, e);
			continue;
		}
		intake_count(in, from, h.size, in->in_next);
		rc = perfdata_append(in->next, from, h.size, e);
	}
	return rc || from == to ? rc
				: perfdata_append(in->file, from, (size_t)(to - from), e);
}

static int append(struct intake *in, const char *from, const char *to, struct err *e)
{
	int rc = in->tap.put && to > from
			 ? in->tap.put(in->tap.arg, from, (size_t)(to - from), e)
			 : 0;

	if (rc)
		return rc;
	if (in->next)
		return append_split(in, from, to, e);
	return in->file && to > from
		       ? perfdata_append(in->file, from, (size_t)(to - from), e)
		       : 0;
}

/* The thread is trusted since then: so is what was held of it, and whom it begot. */
static int let_go(struct intake *in, int32_t tid, int64_t since_ns, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < in->nheld; i++) {
		struct intake_held *h = &in->held[i];

		if (h->time_ns < since_ns)
			continue;
		if (h->tid == tid && h->sample) {
			rc = append(in, h->sample, h->sample + h->size, e);
			if (!rc)
				rc = see_sample(in, h->id, h->sample, h->size, e);
			free(h->sample);
			h->sample = NULL;
		} else if (h->parent && h->parent == tid) {
			h->parent = 0;
			rc = threads_begun(in->threads, h->tid, tid) < 0
				     ? err_nomem(e, "a recording")
				     : let_go(in, h->tid, h->time_ns, e);
		}
	}
	return rc;
}

/* PERF_RECORD_FORK of linux/perf_event.h: pid, parent's pid, tid, parent's tid, time. */
enum { AT_FORK_TID = 16, AT_FORK_PARENT = 20, AT_FORK_TIME = 24, FORK_BYTES = 32 };

static int see_fork(struct intake *in, const char *rec, size_t size, struct err *e)
{
	struct intake_held h = {.sample = NULL};
	int trusted;

	if (!in->threads || size < FORK_BYTES)
		return 0;
	memcpy(&h.tid, rec + AT_FORK_TID, sizeof(h.tid));
	memcpy(&h.parent, rec + AT_FORK_PARENT, sizeof(h.parent));
	memcpy(&h.time_ns, rec + AT_FORK_TIME, sizeof(h.time_ns));
	trusted = threads_begun(in->threads, h.tid, h.parent);
	if (trusted < 0)
		return err_nomem(e, "a recording");
	return trusted ? let_go(in, h.tid, h.time_ns, e) : hold(in, &h, e);
}

/* What waited for more than a pass waits for nothing. */
static void drop_held(struct intake *in, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->nheld; i++) {
		struct intake_held *h = &in->held[i];
		const struct intake_slot *slot = h->sample ? slot_of(in, h->id) : NULL;

		if (!all && h->pass == in->pass && (h->sample || h->parent)) {
			in->held[kept++] = *h;
			continue;
		}
		if (slot)
			in->left_out[slot->event]++;
		in->untrusted += slot != NULL;
		free(h->sample);
	}
	in->nheld = kept;
	in->pass++;
}

static int put(void *arg, const void *buf, size_t len, struct err *e)
{
	struct intake *in = arg;
	const char *p = buf, *from = p, *end = p + len;
	struct perf_event_header h;
	uint64_t v;
	int rc = 0;

	for (; rc >= 0 && (size_t)(end - p) >= sizeof(h) + 16; p += h.size) {
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h) || h.size > (size_t)(end - p))
			break;
		memcpy(&v, p + (h.type == PERF_RECORD_LOST ? AT_LOST : AT_ID), sizeof(v));
		if (h.type != PERF_RECORD_SAMPLE) {
			see_other(in, h.type, h.misc, v, p, h.size);
			rc = h.type == PERF_RECORD_FORK ? see_fork(in, p, h.size, e) : 0;
			continue;
		}
		rc = wanted(in, v, p, h.size, e);
		if (rc == GOES_IN) {
			rc = see_sample(in, v, p, h.size, e);
		} else if (rc >= 0) {
			rc = append(in, from, p, e);
			from = p + h.size;
		}
	}
	return rc < 0 ? rc : append(in, from, end, e);
}

/* The agents' rings. *torn: a hit is under way whose time may be earlier than others that
 * are in the file now, so that the round does not end; but not for ever, when its thread
 * has left it by a jump out of a signal's handler. */
static int drain_inside(struct intake *in, bool last, bool *torn, struct err *e)
{
	bool whole = true;
	int rc = in->inside ? inside_drain(in->inside, last, put, in, &whole, e) : 0;

	in->torn = whole ? 0 : in->torn + 1;
	*torn = in->torn && in->torn < MAX_TORN && !last;
	return rc;
}

int intake_drain(struct intake *in, struct session *s, bool last, struct err *e)
{
	int64_t begin_ns;
	uint64_t bytes = 0;
	struct timespec t;
	bool torn = false;
	int rc;

	clock_gettime(in->clockid, &t);
	begin_ns = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
	rc = session_drain(s, put, in, &bytes, e);
	if (!rc)
		rc = drain_inside(in, last, &torn, e);
	for (size_t i = 0; !rc && i < in->nfeed; i++)
		rc = in->feed[i].drain(in->feed[i].arg, put, in, e);
	drop_held(in, last);
	if (!rc)
		rc = descriptors_look(in->descriptors, e);
	in->drained_ns = begin_ns;
	if (!rc && !torn && in->tap.round)
		in->tap.round(in->tap.arg);
	if (!rc && !torn && in->file) /* without anything new it writes nothing */
		rc = perfdata_round(in->file, e);
	if (!rc && !torn && in->next)
		rc = perfdata_round(in->next, e);
	if (!rc && in->next)
		rc = perfdata_flush(in->next, e);
	return rc || !in->file ? rc : perfdata_flush(in->file, e);
}

void intake_split(struct intake *in, struct perfdata_writer *next, int64_t at_ns)
{
	in->next = next;
	in->split_ns = at_ns;
	memset(in->in_next, 0, in->nevent * sizeof(*in->in_next));
}

bool intake_is_split(const struct intake *in)
{
	return in->next && in->drained_ns >= in->split_ns && !in->torn && !in->nheld;
}

static size_t time_place(const struct perf_event_attr *a)
{
	return AT_IP + (a->sample_type & PERF_SAMPLE_IP ? IP_BYTES : 0) + PID_BYTES;
}

void intake_count(const struct intake *in, const void *buf, size_t len, uint64_t *count)
{
	const char *p = buf, *end = p + len;
	const struct intake_slot *slot;
	struct perf_event_header h;
	uint64_t id;

	for (; (size_t)(end - p) >= sizeof(h) + sizeof(id); p += h.size) {
		memcpy(&h, p, sizeof(h));
		memcpy(&id, p + AT_ID, sizeof(id));
		if (h.size < sizeof(h) || h.size > (size_t)(end - p))
			return;
		slot = h.type == PERF_RECORD_SAMPLE ? slot_of(in, id) : NULL;
		if (slot)
			count[slot->event]++;
	}
}

static void enter(struct intake *in, uint64_t id, size_t event, size_t time_at)
{
	size_t h = id & (in->nslot - 1);

	while (in->slot[h].id)
		h = (h + 1) & (in->nslot - 1);
	in->slot[h] = (struct intake_slot){id, event, time_at};
	in->nid++;
}

/* Room for so many ids more, at most a third of the slots taken. */
static int make_room(struct intake *in, size_t more, struct err *e)
{
	struct intake_slot *old = in->slot;
	size_t nold = in->nslot, n = nold ? nold : 64;

	while (n < 3 * (in->nid + more))
		n *= 2;
	if (n == nold)
		return 0;
	in->slot = calloc(n, sizeof(*in->slot));
	if (!in->slot) {
		in->slot = old;
		return err_nomem(e, "a recording");
	}
	in->nslot = n;
	in->nid = 0;
	for (size_t i = 0; i < nold; i++)
		if (old[i].id)
			enter(in, old[i].id, old[i].event, old[i].time_at);
	free(old);
	return 0;
}

static int grow_counts(uint64_t **count, size_t n, size_t more, struct err *e)
{
	uint64_t *grown = realloc(*count, (n + more + 1) * sizeof(*grown));

	if (!grown)
		return err_nomem(e, "a recording");
	*count = grown;
	memset(grown + n, 0, (more + 1) * sizeof(*grown));
	return 0;
}

int intake_add(struct intake *in, const struct perfdata_attr *attr, size_t n,
	       const bool *starts, struct err *e)
{
	size_t nids = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		nids += attr[i].nids;
	rc = make_room(in, nids, e);
	if (!rc)
		rc = grow_counts(&in->delivered, in->nevent, n, e);
	if (!rc)
		rc = grow_counts(&in->left_out, in->nevent, n, e);
	if (!rc)
		rc = grow_counts(&in->in_next, in->nevent, n, e);
	for (size_t i = 0; !rc && i < n; i++)
		for (size_t k = 0; k < attr[i].nids; k++)
			enter(in, attr[i].ids[k], in->nevent + i,
			      time_place(&attr[i].attr));
	if (rc)
		return rc;
	in->nevent += n;
	in->starts = starts;
	return 0;
}

int intake_open(struct intake *in, const struct perfdata_attr *attr, size_t n,
		struct err *e)
{
	return intake_add(in, attr, n, in->starts, e);
}

void intake_close(struct intake *in)
{
	perfdata_abandon(in->file);
	perfdata_abandon(in->next);
	descriptors_free(in->descriptors);
	free(in->slot);
	free(in->delivered);
	free(in->process);
	late_free(in->late);
	free(in->left_out);
	free(in->in_next);
	newcomers_free(in->newcomers);
	for (size_t i = 0; i < in->nheld; i++)
		free(in->held[i].sample);
	free(in->held);
	*in = (struct intake){.file = NULL};
}
