/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of events: what opens and closes each of them, whatever it is of. */
#include "record/session_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rights.h"

struct perf_event_attr session_tracepoint(uint32_t id, int32_t clockid)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(a),
		.config = id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			       PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW,
		.read_format = PERF_FORMAT_ID,
		.disabled = 1,
		.sample_id_all = 1,
		.watermark = 1,
		.use_clockid = 1,
		.clockid = clockid,
	};

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
	if (list == s->uprobes || list == s->interrupts)
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
