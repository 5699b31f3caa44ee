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
#include "record/inside.h"
#include "record/session.h"

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

static void count_start(struct intake *in, const char *sample, size_t pid_at)
{
	struct intake_process *p;
	int32_t pid;

	memcpy(&pid, sample + pid_at, sizeof(pid));
	p = process_of(in, pid);
	if (p)
		p->starts++;
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

static void see_mapping(struct intake *in, int32_t pid, const char *rec, size_t size)
{
	uint32_t prot;

	memcpy(&prot, rec + MMAP_PROT, sizeof(prot));
	if (prot & PROT_EXEC && memchr(rec + MMAP_NAME, 0, size - MMAP_NAME))
		inside_mapped(in->inside, pid, rec + MMAP_NAME);
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
	if (type == PERF_RECORD_MMAP2 && in->inside && size > MMAP_NAME + TRAILER)
		see_mapping(in, pid, rec, size - TRAILER);
	if (type == PERF_RECORD_COMM)
		note_name(in, rec, size);
	if (type == PERF_RECORD_COMM && misc & PERF_RECORD_MISC_COMM_EXEC)
		descriptors_doubt(in->descriptors, pid, time_ns);
}

static int put(void *arg, const void *buf, size_t len, struct err *e)
{
	struct intake *in = arg;
	const char *p = buf, *end = p + len;
	struct perf_event_header h;
	uint64_t v;
	int rc = in->file ? perfdata_append(in->file, buf, len, e) : 0;

	for (; !rc && (size_t)(end - p) >= sizeof(h) + 16; p += h.size) {
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h) || h.size > (size_t)(end - p))
			break;
		memcpy(&v, p + (h.type == PERF_RECORD_LOST ? AT_LOST : AT_ID), sizeof(v));
		if (h.type == PERF_RECORD_SAMPLE)
			rc = see_sample(in, v, p, h.size, e);
		else
			see_other(in, h.type, h.misc, v, p, h.size);
	}
	return rc;
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
	if (!rc)
		rc = descriptors_look(in->descriptors, e);
	in->drained_ns = begin_ns;
	if (!rc && !torn && in->file) /* without anything new it writes nothing */
		rc = perfdata_round(in->file, e);
	return rc || !in->file ? rc : perfdata_flush(in->file, e);
}

static size_t time_place(const struct perf_event_attr *a)
{
	return AT_IP + (a->sample_type & PERF_SAMPLE_IP ? IP_BYTES : 0) + PID_BYTES;
}

int intake_open(struct intake *in, const struct perfdata_attr *attr, size_t n,
		struct err *e)
{
	size_t nids = 0, h;

	in->nevent = n;
	for (size_t i = 0; i < in->nevent; i++)
		nids += attr[i].nids;
	for (in->nslot = 64; in->nslot < 3 * nids; in->nslot *= 2)
		;
	in->slot = calloc(in->nslot, sizeof(*in->slot));
	in->delivered = calloc(in->nevent + 1, sizeof(*in->delivered));
	if (!in->slot || !in->delivered)
		return err_nomem(e, "a recording");
	for (size_t i = 0; i < in->nevent; i++)
		for (size_t k = 0; k < attr[i].nids; k++) {
			h = attr[i].ids[k] & (in->nslot - 1);
			while (in->slot[h].id)
				h = (h + 1) & (in->nslot - 1);
			in->slot[h] = (struct intake_slot){attr[i].ids[k], i,
							   time_place(&attr[i].attr)};
		}
	return 0;
}

void intake_close(struct intake *in)
{
	perfdata_abandon(in->file);
	descriptors_free(in->descriptors);
	free(in->slot);
	free(in->delivered);
	free(in->process);
	*in = (struct intake){.file = NULL};
}
