/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of events: what opens and closes each of them, whatever it is of. */
#include "record/session_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/made.h"
#include "record/host/rights.h"

/* The same fields as in the events of our own, and woken by how full a ring is. */
struct perf_event_attr session_tracepoint(uint32_t id, int32_t clockid)
{
	struct perf_event_attr a = made_attr(id, clockid);

	a.watermark = 1;
	return a;
}

static int open_error(int rc, struct err *e)
{
	switch (rc) {
	case -EACCES:
	case -EPERM:
		return rights_have(CAP_PERFMON)
			       ? err_set(e, ERR_PERM,
					 "perf_event_open was refused in spite of "
					 "CAP_PERFMON: a security module or a container's "
					 "rules forbid it")
			       : err_set(e, ERR_PERM,
					 "perf_event_open was refused: CAP_PERFMON is "
					 "missing; run dmarec with sudo, or give it that "
					 "right (setcap cap_perfmon,cap_bpf=ep)");
	case -EMFILE:
	case -ENFILE:
		return err_set(e, ERR_LIMIT,
			       "too many open files: each event needs one for every CPU "
			       "and thread; raise `ulimit -n`, or probe fewer functions");
	case -ESRCH:
		return err_set(e, ERR_NOTFOUND, "the process to record is gone");
	case -ENOSYS:
		return err_set(e, ERR_UNSUPPORTED, "this kernel has no perf events");
	default:
		return err_set(e, ERR_IO, "perf_event_open: %s", strerror(-rc));
	}
}

int session_add(struct session *s, struct perf_evlist *list, struct perf_event_attr *attr,
		struct perf_evsel **out, struct err *e)
{
	*out = perf_evsel__new(attr);
	if (!*out)
		return err_nomem(e, "a perf event");
	perf_evlist__add(list, *out);
	if (list == s->uprobes || list == s->interrupts || list == s->kernel)
		s->event[s->nevent++] = *out;
	return 0;
}

int session_open_list(struct perf_evlist *list, struct perf_cpu_map *cpus,
		      struct perf_thread_map *threads, struct err *e)
{
	int rc;

	perf_evlist__set_maps(list, cpus, threads);
	rc = perf_evlist__open(list);
	return rc ? open_error(rc, e) : 0;
}

/* Rings as large as asked for, or, when the system refuses and nobody asked, half as
 * large. */
int session_map_list(struct session *s, struct perf_evlist *list, bool may_shrink,
		     struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (;;) {
		int rc = perf_evlist__mmap(list, (int)(s->ring_bytes / page));

		if (!rc)
			return 0;
		perf_evlist__munmap(list);
		if (!may_shrink || s->ring_bytes <= MIN_RING_BYTES)
			return err_set(e, ERR_LIMIT,
				       "the rings (%zu bytes for each of %d CPUs) "
				       "were refused: %s; choose smaller ones with -m",
				       s->ring_bytes, perf_cpu_map__nr(s->cpus),
				       strerror(errno));
		s->ring_bytes /= 2;
	}
}

void session_close_list(struct perf_evlist **list)
{
	struct perf_evsel *evsel;

	if (!*list)
		return;
	perf_evlist__munmap(*list);
	perf_evlist__close(*list);
	perf_evlist__for_each_entry(*list, evsel)
		perf_evsel__free_id(evsel); /* deleting leaves them */
	perf_evlist__delete(*list);
	*list = NULL;
}
