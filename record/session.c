/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/session_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"

/* ---- what the file must know ---- */

size_t session_nevents(const struct session *s)
{
	return s->nevent;
}

void session_event(const struct session *s, size_t i, struct perf_event_attr *attr,
		   const uint64_t **ids, size_t *nids)
{
	*attr = s->event[i] ? *perf_evsel__attr(s->event[i]) : s->inside[i];
	if (attr->type == PERF_TYPE_SOFTWARE) { /* the feed's */
		attr->type = PERF_TYPE_TRACEPOINT;
		attr->config = s->irq[i - s->first_irq].wanted.event;
	}
	*nids = session_ids_of(s, i, ids);
	if (i == 0 && s->first_ids) {
		*ids = s->first_ids;
		*nids += (size_t)s->follower->ids;
	}
}

enum irq_feed session_feed(const struct session *s)
{
	return s->feed_used;
}

const char *session_feed_note(const struct session *s)
{
	return s->feed_note[0] ? s->feed_note : NULL;
}

/* ---- running ---- */

/* The uprobes are the first events of the file; NULL = in the process. */
static void enable_uprobes(struct session *s, bool starts)
{
	for (size_t i = 0; s->uprobes && i < s->first_irq; i++)
		if (s->event[i] && s->start[i] == starts)
			perf_evsel__enable(s->event[i]);
}

int session_enable(struct session *s, struct err *e)
{
	int rc = 0;

	if (s->follower)
		perf_evsel__enable(s->follower);
	/* Counters later, and disabled earlier, than what they are held against: no count
	 * without a sample comes from the order. */
	if (s->kernel)
		perf_evlist__enable(s->kernel);
	if (s->interrupts)
		perf_evlist__enable(s->interrupts);
	if (s->counters)
		perf_evlist__enable(s->counters);
	if (s->feed)
		rc = session_gate(s, true, e);
	/* Twice: a thread that has events of its parent's may have begot another just then,
	 * which inherited what was not enabled yet. */
	for (int i = 0; i < 2; i++) {
		enable_uprobes(s, false);
		enable_uprobes(s, true);
	}
	return rc;
}

int session_disable(struct session *s, struct err *e)
{
	int rc = s->feed ? session_gate(s, false, e) : 0;

	if (s->uprobes)
		perf_evlist__disable(s->uprobes);
	if (s->kernel)
		perf_evlist__disable(s->kernel);
	if (s->counters)
		perf_evlist__disable(s->counters);
	/* A BPF program that passed the gate just before it shut has written by now:
	 * disabling the output event of each CPU goes through that CPU. */
	if (s->interrupts)
		perf_evlist__disable(s->interrupts);
	return rc;
}

static size_t copy_fds(const struct perf_evlist *list, struct pollfd *to)
{
	if (!list)
		return 0;
	for (int i = 0; i < list->pollfd.nr; i++)
		to[i] = (struct pollfd){.fd = list->pollfd.entries[i].fd,
					.events = POLLIN};
	return (size_t)list->pollfd.nr;
}

int session_wait(struct session *s, struct pollfd *extra, size_t nextra, int timeout_ms,
		 struct err *e)
{
	size_t rings = (s->uprobes ? (size_t)s->uprobes->pollfd.nr : 0) +
		       (s->interrupts ? (size_t)s->interrupts->pollfd.nr : 0) +
		       (s->kernel ? (size_t)s->kernel->pollfd.nr : 0);
	struct pollfd *all = calloc(rings + nextra, sizeof(*all));
	size_t n = 0;
	int rc = 0;

	if (!all)
		return err_nomem(e, "the descriptors to wait for");
	memcpy(all, extra, nextra * sizeof(*extra));
	n = nextra;
	n += copy_fds(s->uprobes, all + n);
	n += copy_fds(s->interrupts, all + n);
	n += copy_fds(s->kernel, all + n);
	if (poll(all, n, timeout_ms) < 0 && errno != EINTR)
		rc = err_errno(e, "waiting for events");
	for (size_t i = 0; i < nextra; i++)
		extra[i].revents = rc ? 0 : all[i].revents;
	/* A ring whose task has gone says POLLHUP for ever: the timed pass empties it. */
	for (size_t i = nextra; i < n; i++)
		if (all[i].revents & (POLLHUP | POLLERR)) {
			free(all);
			usleep(1000);
			return rc;
		}
	free(all);
	return rc;
}

/* What the ring holds from `at` on, size bytes that do not reach behind its end, as far
 * as records are whole there. */
static size_t whole_records(const unsigned char *at, size_t size)
{
	struct perf_event_header h;
	size_t n = 0;

	while (size - n >= sizeof(h)) {
		memcpy(&h, at + n, sizeof(h));
		if (h.size < sizeof(h) || h.size > size - n)
			break;
		n += h.size;
	}
	return n;
}

/* The ring goes on at its beginning. The record that lies on both sides is put together
 * (its header never does: records are multiples of 8 bytes). */
static int drain_wrapped(const unsigned char *data, size_t head, size_t ring, size_t size,
			 int (*put)(void *arg, const void *buf, size_t len,
				    struct err *e),
			 void *arg, struct err *e)
{
	size_t first = ring - head, n = whole_records(data + head, first), rest = 0;
	unsigned char both[UINT16_MAX + 1];
	struct perf_event_header h = {.size = 0};
	int rc = n ? put(arg, data + head, n, e) : 0;

	if (n < first) {
		memcpy(&h, data + head + n, sizeof(h));
		if (h.size <= first - n || h.size - (first - n) > size - first)
			return err_set(e, ERR_FORMAT,
				       "a ring holds a record of %u bytes where %zu are",
				       h.size, size - n);
		rest = h.size - (first - n);
		memcpy(both, data + head + n, first - n);
		memcpy(both + (first - n), data, rest);
		rc = rc ? rc : put(arg, both, h.size, e);
	}
	if (!rc && size - first > rest)
		rc = put(arg, data + rest, size - first - rest, e);
	return rc;
}

static int drain_map(struct perf_mmap *map,
		     int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		     void *arg, uint64_t *bytes, struct err *e)
{
	unsigned char *data = (unsigned char *)map->base + sysconf(_SC_PAGESIZE);
	uint64_t size, head, ring = (uint64_t)map->mask + 1;
	int rc;

	if (perf_mmap__read_init(map))
		return 0;
	size = map->end - map->start;
	head = map->start & (uint64_t)map->mask;
	*bytes += size;
	rc = head + size > ring ? drain_wrapped(data, head, ring, size, put, arg, e)
				: put(arg, data + head, size, e);
	map->prev = map->end;
	perf_mmap__consume(map);
	return rc;
}

static int drain_list(struct perf_evlist *list,
		      int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		      void *arg, uint64_t *bytes, struct err *e)
{
	struct perf_mmap *map;
	int rc = 0;

	if (!list)
		return 0;
	perf_evlist__for_each_mmap(list, map, false) if (!rc) rc =
		drain_map(map, put, arg, bytes, e);
	return rc;
}

int session_drain(struct session *s,
		  int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		  void *arg, uint64_t *bytes, struct err *e)
{
	int rc;

	*bytes = 0;
	rc = drain_list(s->uprobes, put, arg, bytes, e);
	rc = rc ? rc : drain_list(s->interrupts, put, arg, bytes, e);
	return rc ? rc : drain_list(s->kernel, put, arg, bytes, e);
}

uint64_t session_activity(const struct session *s)
{
	struct perf_mmap *map;
	uint64_t sum = 0;

	if (!s->uprobes)
		return 0;
	perf_evlist__for_each_mmap(s->uprobes, map, false) sum += __atomic_load_n(
		&((struct perf_event_mmap_page *)map->base)->data_head, __ATOMIC_ACQUIRE);
	return sum;
}

/* ---- counts ---- */

int session_count(struct session *s, size_t event, uint64_t *counted, struct err *e)
{
	if (event >= s->first_irq && event < s->first_kernel)
		return session_count_irq(s, (int)(event - s->first_irq), counted, e);
	return session_read_count(s, s->event[event], counted, e);
}
