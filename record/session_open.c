/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening the events of a recording, and closing them. */
#include "record/session_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/err.h"

#define DEFAULT_RING_BYTES (16u << 20)
#define ALL_RINGS_BYTES	   (256u << 20) /* unless -m says more */

/* libperf itself has this since 5.18. */
static struct perf_thread_map *map_tasks(const pid_t *pid, int n)
{
	struct perf_thread_map *one = perf_thread_map__new_dummy(), *map = NULL;

	if (one)
		map = perf_thread_map__realloc(one, n);
	if (!map) {
		perf_thread_map__put(one);
		return NULL;
	}
	map->nr = n;
	for (int i = 0; i < n; i++)
		perf_thread_map__set_pid(map, i, pid[i]);
	return map;
}

/* ---- opening ---- */

static void raise_limits(void)
{
	struct rlimit files, memory = {RLIM_INFINITY, RLIM_INFINITY};

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	setrlimit(RLIMIT_MEMLOCK, &memory);
}

size_t session_default_ring(size_t ncpu, size_t lists)
{
	size_t bytes = DEFAULT_RING_BYTES;

	while (bytes > MIN_RING_BYTES && bytes * ncpu * lists > ALL_RINGS_BYTES)
		bytes /= 2;
	return bytes;
}

/* The events of tasks are inherited, and the kernel swaps them between a task and its
 * children as it switches (perf_event_context_sched_out); a child that ends then takes
 * the event away that another one's address space is probed for, and that one's probes
 * with it, uncounted. An event for all tasks on each probe, never enabled, keeps them
 * where they are. One CPU's is enough. */
static int hold_probes(struct session *s, const struct session_options *o, struct err *e)
{
	struct perf_cpu_map *one = perf_cpu_map__new("0");
	int rc = one ? 0 : err_nomem(e, "perf events");

	s->holders = perf_evlist__new();
	if (!rc && !s->holders)
		rc = err_nomem(e, "perf events");
	for (size_t i = 0; !rc && i < o->nuprobe; i++) {
		struct perf_event_attr a = {.type = PERF_TYPE_TRACEPOINT,
					    .size = sizeof(a),
					    .config = o->uprobe[i],
					    .disabled = 1};
		struct perf_evsel *event;

		if (!s->event[i]) /* in the process */
			continue;
		rc = session_add(s, s->holders, &a, &event, e);
	}
	if (!rc && s->holders->nr_entries)
		rc = session_open_list(s->holders, one, s->everything, e);
	perf_cpu_map__put(one);
	return rc;
}

/* Threads that are attached to beget others while their events are enabled. In contexts that
 * are swapped (see above) a child may then inherit what is not enabled yet, and nobody finds
 * it afterwards: from then on all that its parent begets lacks that event. An event that is
 * not inherited makes the contexts different, and they stay with their threads
 * (perf_event_init_context). */
static int anchor(struct session *s, struct err *e)
{
	struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE,
				    .size = sizeof(a),
				    .config = PERF_COUNT_SW_DUMMY,
				    .disabled = 1};
	struct perf_cpu_map *any = ANY_CPU_NEW();
	struct perf_evsel *event;
	int rc = any ? 0 : err_nomem(e, "perf events");

	s->anchors = perf_evlist__new();
	if (!rc && !s->anchors)
		rc = err_nomem(e, "perf events");
	if (!rc)
		rc = session_add(s, s->anchors, &a, &event, e);
	if (!rc)
		rc = session_open_list(s->anchors, any, s->tasks, e);
	perf_cpu_map__put(any);
	return rc;
}

/* Where something is armed in the process, event 0 may be none of perf's; and which files
 * a process maps tells whether the agent has come to life there. Where nothing is armed yet, it
 * tells what there is to arm. */
static int open_follower(struct session *s, const struct session_options *o,
			 struct err *e)
{
	struct perf_event_attr a = session_tracepoint(PERF_COUNT_SW_DUMMY, o->clockid);
	int rc;

	a.type = PERF_TYPE_SOFTWARE;
	a.inherit = !s->everyone;
	a.comm = a.comm_exec = a.task = a.mmap = a.mmap2 = 1;
	a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
	rc = session_add(s, s->uprobes, &a, &s->follower, e);
	if (!rc)
		s->nevent--; /* no event of the file's */
	return rc;
}

static void add_inside(struct session *s, const struct session_options *o, size_t i)
{
	s->inside[i] = session_tracepoint(o->uprobe[i], o->clockid);
	s->inside[i].inherit = 1;
	s->inside_id[i] = SESSION_INSIDE_ID(i);
	s->event[s->nevent++] = NULL;
}

/* What libperf does for a list with rings of its own. */
static int join_ring(const struct session *s, struct perf_evsel *event,
		     struct perf_evsel *owner, int cpu, int thread, struct err *e)
{
	int fd = *(int *)xyarray__entry(event->fd, cpu, thread);
	int to = *(int *)xyarray__entry(owner->fd, cpu, 0);
	uint64_t id;

	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, to) || ioctl(fd, PERF_EVENT_IOC_ID, &id))
		return err_errno(e, "the ring of CPU %d takes no more events",
				 CPU_NUMBER(perf_cpu_map__cpu(s->cpus, cpu)));
	event->id[event->ids++] = id;
	return 0;
}

static int join_rings(struct session *s, const struct session *into, struct err *e)
{
	struct perf_evsel *owner = perf_evlist__first(into->uprobes), *event;
	int ncpu = perf_cpu_map__nr(s->cpus), rc = 0;

	if (ncpu != perf_cpu_map__nr(into->cpus))
		return err_set(e, ERR_UNSUPPORTED,
			       "CPUs came or went since the recording began");
	perf_evlist__for_each_evsel (s->uprobes, event) {
		int nthread = (int)xyarray__max_y(event->fd);

		if (!rc && perf_evsel__alloc_id(event, ncpu, nthread))
			rc = err_nomem(e, "a perf event");
		for (int i = 0; !rc && i < ncpu * nthread; i++)
			rc = join_ring(s, event, owner, i / nthread, i % nthread, e);
	}
	return rc;
}

static int open_uprobes(struct session *s, const struct session_options *o, struct err *e)
{
	bool any = s->everyone && !o->nuprobe;
	int rc = 0;

	for (size_t i = 0; o->inside && i < o->nuprobe; i++)
		any |= o->inside[i];
	if (!o->nuprobe && !any)
		return 0;
	s->uprobes = perf_evlist__new();
	if (!s->uprobes)
		return err_nomem(e, "perf events");
	for (size_t i = 0; !rc && i < o->nuprobe; i++) {
		struct perf_event_attr a = session_tracepoint(o->uprobe[i], o->clockid);
		struct perf_evsel *event;

		if (any && o->inside && o->inside[i]) {
			add_inside(s, o, i);
			continue;
		}
		a.inherit = !s->everyone;
		a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
		if (o->wake && o->wake[i]) {
			a.watermark = 0;
			a.wakeup_events = 1;
		}
		if (i == 0 && !any &&
		    !o->into) /* names of tasks, who begot whom, what is mapped */
			a.comm = a.comm_exec = a.task = a.mmap = a.mmap2 = 1;
		rc = session_add(s, s->uprobes, &a, &event, e);
	}
	if (!rc && any)
		rc = open_follower(s, o, e);
	if (!rc)
		rc = session_open_list(s->uprobes, s->cpus, s->tasks, e);
	if (!rc)
		rc = o->into ? join_rings(s, o->into, e)
			     : session_map_list(s, s->uprobes, !o->ring_bytes, e);
	return rc || s->everyone ? rc : hold_probes(s, o, e);
}

static int open_kernel(struct session *s, const struct session_options *o, struct err *e)
{
	int rc = 0;

	s->first_kernel = s->nevent;
	if (!o->nkernel)
		return 0;
	s->kernel = perf_evlist__new();
	if (!s->kernel)
		return err_nomem(e, "perf events");
	for (size_t i = 0; !rc && i < o->nkernel; i++) {
		struct perf_event_attr a = session_tracepoint(o->kernel[i], o->clockid);
		struct perf_evsel *event;

		if (!o->kernel_addresses)
			a.sample_type &= ~(uint64_t)PERF_SAMPLE_IP;
		a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
		rc = session_add(s, s->kernel, &a, &event, e);
	}
	if (!rc)
		rc = session_open_list(s->kernel, s->cpus, s->everything, e);
	return rc ? rc : session_map_list(s, s->kernel, !o->ring_bytes, e);
}

static size_t round_ring(size_t bytes)
{
	size_t ring = (size_t)sysconf(_SC_PAGESIZE);

	while (ring < bytes && ring < (SIZE_MAX >> 2))
		ring *= 2;
	return ring;
}

static int be_quiet(enum libperf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

size_t session_ids_of(const struct session *s, size_t i, const uint64_t **ids)
{
	*ids = s->event[i] ? (const uint64_t *)s->event[i]->id : &s->inside_id[i];
	return s->event[i] ? (size_t)s->event[i]->ids : 1;
}

/* In the file the follower's records are event 0's, as they are without it. */
static int name_follower(struct session *s, struct err *e)
{
	const uint64_t *ids;
	size_t n, more = s->follower ? (size_t)s->follower->ids : 0;

	if (!more)
		return 0;
	n = session_ids_of(s, 0, &ids);
	s->first_ids = calloc(n + more, sizeof(*s->first_ids));
	if (!s->first_ids)
		return err_nomem(e, "a recording");
	memcpy(s->first_ids, ids, n * sizeof(*ids));
	memcpy(s->first_ids + n, s->follower->id, more * sizeof(*ids));
	return 0;
}

int session_open(struct session **out, const struct session_options *o, struct err *e)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc = 0;

	*out = NULL;
	if (!s)
		return err_nomem(e, "a recording");
	libperf_init(be_quiet);
	raise_limits();
	s->event = calloc(o->nuprobe + IRQ_SIDES + o->nkernel, sizeof(*s->event));
	s->inside = calloc(o->nuprobe + 1, sizeof(*s->inside));
	s->inside_id = calloc(o->nuprobe + 1, sizeof(*s->inside_id));
	s->start = calloc(o->nuprobe + 1, sizeof(*s->start));
	s->cpus = perf_cpu_map__new(NULL);
	s->everyone = o->everyone;
	s->tasks = o->everyone ? perf_thread_map__new_dummy()
			       : map_tasks(o->pid, (int)o->npid);
	s->everything = perf_thread_map__new_dummy();
	if (!s->event || !s->inside || !s->inside_id || !s->start || !s->cpus ||
	    !s->tasks || !s->everything)
		rc = err_nomem(e, "a recording");
	if (s->start && o->start)
		memcpy(s->start, o->start, o->nuprobe * sizeof(*s->start));
	if (!rc) {
		s->ring_bytes = round_ring(
			o->ring_bytes
				? o->ring_bytes
				: session_default_ring((size_t)perf_cpu_map__nr(s->cpus),
						       o->nkernel ? LISTS : LISTS - 1));
		perf_thread_map__set_pid(s->everything, 0, -1);
		if (o->everyone)
			perf_thread_map__set_pid(s->tasks, 0, -1);
	}
	if (!rc && o->attach && !o->everyone)
		rc = anchor(s, e);
	if (!rc)
		rc = open_uprobes(s, o, e);
	if (!rc)
		rc = session_open_interrupts(s, o, e);
	if (!rc)
		rc = open_kernel(s, o, e);
	if (!rc)
		rc = name_follower(s, e);
	if (rc) {
		session_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	session_close_interrupts(s);
	session_close_list(&s->uprobes);
	session_close_list(&s->kernel);
	session_close_list(&s->holders);
	session_close_list(&s->anchors);
	perf_cpu_map__put(s->cpus);
	perf_thread_map__put(s->tasks);
	perf_thread_map__put(s->everything);
	free(s->event);
	free(s->start);
	free(s->inside);
	free(s->inside_id);
	free(s->first_ids);
	free(s);
}
