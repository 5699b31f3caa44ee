/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupts of a recording: the events of their tracepoints by either feed, and the
 * counts that say what a feed did not bring. */
#include "record/session_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"
#include "lib/err.h"

/* ---- opening ---- */

/* An interrupt's address is the kernel's own, and a help to whoever attacks it. */
static struct perf_event_attr interrupt_attr(const struct session *s,
					     const struct session_options *o, uint32_t id)
{
	struct perf_event_attr a = session_tracepoint(id, o->clockid);

	if (!o->kernel_addresses)
		a.sample_type &= ~(uint64_t)PERF_SAMPLE_IP;
	a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
	return a;
}

static int apply_filter(struct perf_evsel *event, const char *filter, struct err *e)
{
	if (*filter && perf_evsel__apply_filter(event, filter))
		return err_errno(e, "the kernel refused the interrupt filter '%.80s'",
				 filter);
	return 0;
}

/* The events that count and take no samples. */
static int open_counters(struct session *s, struct err *e)
{
	int rc = 0;

	s->counters = perf_evlist__new();
	if (!s->counters)
		return err_nomem(e, "perf events");
	for (int side = 0; !rc && side < IRQ_SIDES; side++) {
		struct perf_event_attr a = {
			.type = PERF_TYPE_TRACEPOINT,
			.size = sizeof(a),
			.config = s->irq[side].wanted.event,
			.read_format = PERF_FORMAT_ID,
			.disabled = 1,
		};

		if (a.config)
			rc = session_add(s, s->counters, &a, &s->irq[side].counter, e);
	}
	if (!rc)
		rc = session_open_list(s->counters, s->cpus, s->everything, e);
	for (int side = 0; !rc && side < IRQ_SIDES; side++)
		if (s->irq[side].counter)
			rc = apply_filter(s->irq[side].counter, s->irq[side].filter, e);
	return rc;
}

static int connect_feed(struct session *s, struct err *e)
{
	int rc = 0;

	for (size_t k = s->first_irq; k < s->nevent; k++)
		for (int i = 0; !rc && i < perf_cpu_map__nr(s->cpus); i++) {
			int *fd = xyarray__entry(s->event[k]->fd, i, 0);
			int cpu = CPU_NUMBER(perf_cpu_map__cpu(s->cpus, i));

			rc = irqfeed_connect(s->feed, (int)(k - s->first_irq), cpu, *fd,
					     e);
		}
	return rc ? rc : irqfeed_attach(s->feed, e);
}

static int load_feed(struct session *s, struct err *e)
{
	const struct irq_wanted wanted[IRQ_SIDES] = {s->irq[IRQ_ENTRY].wanted,
						     s->irq[IRQ_EXIT].wanted};

	return irqfeed_open(&s->feed, wanted, e);
}

/* One ring a CPU takes both sides', in the order in which they came. */
static int open_events(struct session *s, const struct session_options *o, bool bpf,
		       struct err *e)
{
	struct perf_evsel *event;
	int rc = 0;

	for (int side = 0; !rc && side < IRQ_SIDES; side++) {
		struct perf_event_attr a =
			interrupt_attr(s, o, s->irq[side].wanted.event);

		if (!a.config)
			continue;
		if (bpf) {
			a.type = PERF_TYPE_SOFTWARE;
			a.config = PERF_COUNT_SW_BPF_OUTPUT;
		}
		rc = session_add(s, s->interrupts, &a, &event, e);
	}
	if (!rc)
		rc = session_open_list(s->interrupts, s->cpus, s->everything, e);
	for (size_t k = s->first_irq; !rc && !bpf && k < s->nevent; k++)
		rc = apply_filter(s->event[k], s->irq[k - s->first_irq].filter, e);
	return rc ? rc : session_map_list(s, s->interrupts, !o->ring_bytes, e);
}

static int open_feed(struct session *s, const struct session_options *o,
		     enum irq_feed feed, struct err *e)
{
	bool bpf = feed == FEED_BPF;
	int rc;

	s->interrupts = perf_evlist__new();
	if (!s->interrupts)
		return err_nomem(e, "perf events");
	rc = bpf ? load_feed(s, e) : 0;
	if (!rc)
		rc = open_events(s, o, bpf, e);
	if (!rc && bpf)
		rc = connect_feed(s, e);
	if (!rc) {
		s->feed_used = feed;
		return 0;
	}
	irqfeed_close(s->feed);
	s->feed = NULL;
	session_close_list(&s->interrupts);
	s->nevent = s->first_irq;
	return rc;
}

int session_open_interrupts(struct session *s, const struct session_options *o,
			    struct err *e)
{
	struct err why = {0};
	int rc;

	s->first_irq = s->nevent;
	if (!o->irq[IRQ_ENTRY].event)
		return 0;
	for (int side = 0; side < IRQ_SIDES; side++) {
		struct irq_events *i = &s->irq[side];

		i->wanted = o->irq[side];
		i->filter = irq_filter(o->irq[side].never, o->irq[side].n, &i->wanted.n);
		if (!i->filter)
			return err_nomem(e, "the interrupt filter");
	}
	rc = open_counters(s, e);
	if (!rc && o->feed != FEED_AUTO)
		return open_feed(s, o, o->feed, e);
	if (!rc && open_feed(s, o, FEED_BPF, &why)) {
		snprintf(s->feed_note, sizeof(s->feed_note), "%.250s", why.text);
		rc = open_feed(s, o, FEED_PERF, e);
	}
	return rc;
}

void session_close_interrupts(struct session *s)
{
	irqfeed_close(s->feed);
	session_close_list(&s->interrupts);
	session_close_list(&s->counters);
	for (int side = 0; side < IRQ_SIDES; side++)
		free(s->irq[side].filter);
}

size_t session_first_irq(const struct session *s)
{
	return s->first_irq;
}

int session_leave_exits(struct session *s, int32_t irq, struct err *e)
{
	if (!s->feed || !s->irq[IRQ_EXIT].counter)
		return 0;
	s->leaves_exits = true;
	return irqfeed_leave(s->feed, IRQ_EXIT, irq, e);
}

/* ---- counts ---- */

int64_t session_irq_cost_ns(const struct session *s)
{
	return s->feed ? irqfeed_cost_ns(s->feed) : DMA_UNKNOWN;
}

/* perf's count of the tracepoint less the feed's. An interrupt on its way is in the
 * feed's count first, so of several readings the largest is right; one counts only when
 * nothing came between the two readings of perf's. */
static int count_ahead(struct session *s, enum irq_side side, int64_t *ahead,
		       struct err *e)
{
	struct perf_evsel *counter = s->irq[side].counter;
	uint64_t before, after, seen, refused;
	int rc = 0, good = 0;

	*ahead = INT64_MIN;
	for (int i = 0; i < 200 && good < 8 && !rc; i++) {
		rc = session_read_count(s, counter, &before, e);
		if (!rc)
			rc = irqfeed_counts(s->feed, side, &seen, &refused, e);
		if (!rc)
			rc = session_read_count(s, counter, &after, e);
		if (rc || (before != after && i < 190))
			continue;
		good++;
		if ((int64_t)(before - seen) > *ahead)
			*ahead = (int64_t)(before - seen);
	}
	return rc;
}

int session_gate(struct session *s, bool open, struct err *e)
{
	int64_t ahead;
	int rc = open ? irqfeed_gate(s->feed, true, e) : 0;

	for (int side = 0; !rc && side < IRQ_SIDES; side++) {
		struct irq_events *i = &s->irq[side];

		if (!i->counter)
			continue;
		rc = count_ahead(s, side, &ahead, e);
		if (open)
			i->ahead = ahead;
		else
			i->missed = ahead > i->ahead ? ahead - i->ahead : 0;
	}
	if (s->leaves_exits)
		s->irq[IRQ_EXIT].missed = 0; /* the two counted different interrupts */
	return rc || open ? rc : irqfeed_gate(s->feed, false, e);
}

int session_read_count(const struct session *s, struct perf_evsel *event, uint64_t *sum,
		       struct err *e)
{
	int ncpu = perf_cpu_map__nr(s->cpus), nthread = (int)xyarray__max_y(event->fd);

	*sum = 0;
	for (int cpu = 0; cpu < ncpu; cpu++) {
		for (int thread = 0; thread < nthread; thread++) {
			struct perf_counts_values v;
			int rc = perf_evsel__read(event, cpu, thread, &v);

			if (rc)
				return err_set(e, ERR_IO, "reading an event's count: %s",
					       strerror(-rc));
			*sum += v.val;
		}
	}
	return 0;
}

int session_count_irq(struct session *s, enum irq_side side, uint64_t *counted,
		      struct err *e)
{
	uint64_t refused, sampled = 0;
	int rc;

	/* perf's own tracepoint: the event that samples may count only what it sampled; the
	 * counter was on for a moment less */
	if (!s->feed) {
		rc = session_read_count(s, s->irq[side].counter, counted, e);
		if (!rc)
			rc = session_read_count(s, s->event[s->first_irq + side],
						&sampled, e);
		*counted = sampled > *counted ? sampled : *counted;
		return rc;
	}
	rc = irqfeed_counts(s->feed, side, counted, &refused, e);
	*counted += (uint64_t)s->irq[side].missed;
	return rc;
}
