/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening the events of a recording, and closing them. */
#include "record/session_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/err.h"
#include "record/host/rights.h"
#include "record/irqfilter.h"

#define DEFAULT_RING_BYTES (16u << 20)
#define ALL_RINGS_BYTES	   (256u << 20) /* unless -m says more */
#define MIN_RING_BYTES	   (64u << 10)

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

/* ---- attributes ---- */

static struct perf_event_attr tracepoint_attr(uint32_t id, int32_t clockid)
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

/* An interrupt's address is the kernel's own, and a help to whoever attacks it. */
static struct perf_event_attr interrupt_attr(const struct session_options *o, uint32_t id)
{
	struct perf_event_attr a = tracepoint_attr(id, o->clockid);

	if (!o->kernel_addresses)
		a.sample_type &= ~(uint64_t)PERF_SAMPLE_IP;
	return a;
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

static int add_event(struct session *s, struct perf_evlist *list,
		     struct perf_event_attr *attr, struct perf_evsel **out, struct err *e)
{
	*out = perf_evsel__new(attr);
	if (!*out)
		return err_nomem(e, "a perf event");
	perf_evlist__add(list, *out);
	if (list == s->uprobes || list == s->interrupts)
		s->event[s->nevent++] = *out;
	return 0;
}

static int open_list(struct session *s, struct perf_evlist *list,
		     struct perf_thread_map *threads, struct err *e)
{
	int rc;

	perf_evlist__set_maps(list, s->cpus, threads);
	rc = perf_evlist__open(list);
	return rc ? open_error(rc, e) : 0;
}

static size_t default_ring(const struct session *s)
{
	size_t bytes = DEFAULT_RING_BYTES, ncpu = (size_t)perf_cpu_map__nr(s->cpus);

	while (bytes > MIN_RING_BYTES && bytes * ncpu * LISTS > ALL_RINGS_BYTES)
		bytes /= 2;
	return bytes;
}

/* Rings as large as asked for, or, when the system refuses and nobody asked, half as
 * large. */
static int map_list(struct session *s, struct perf_evlist *list, bool may_shrink,
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
		rc = add_event(s, s->holders, &a, &event, e);
	}
	if (!rc && s->holders->nr_entries) {
		perf_evlist__set_maps(s->holders, one, s->everything);
		rc = perf_evlist__open(s->holders);
		rc = rc ? open_error(rc, e) : 0;
	}
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
		rc = add_event(s, s->anchors, &a, &event, e);
	if (!rc) {
		perf_evlist__set_maps(s->anchors, any, s->tasks);
		rc = perf_evlist__open(s->anchors);
		rc = rc ? open_error(rc, e) : 0;
	}
	perf_cpu_map__put(any);
	return rc;
}

/* Where something is armed in the process, event 0 may be none of perf's; and which files
 * a process maps tells whether the agent has come to life there. */
static int open_follower(struct session *s, const struct session_options *o,
			 struct err *e)
{
	struct perf_event_attr a = tracepoint_attr(PERF_COUNT_SW_DUMMY, o->clockid);
	int rc;

	a.type = PERF_TYPE_SOFTWARE;
	a.inherit = 1;
	a.comm = a.comm_exec = a.task = a.mmap = a.mmap2 = 1;
	a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
	rc = add_event(s, s->uprobes, &a, &s->follower, e);
	if (!rc)
		s->nevent--; /* no event of the file's */
	return rc;
}

static void add_inside(struct session *s, const struct session_options *o, size_t i)
{
	s->inside[i] = tracepoint_attr(o->uprobe[i], o->clockid);
	s->inside[i].inherit = 1;
	s->inside_id[i] = SESSION_INSIDE_ID(i);
	s->event[s->nevent++] = NULL;
}

static int open_uprobes(struct session *s, const struct session_options *o, struct err *e)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; o->inside && i < o->nuprobe; i++)
		any |= o->inside[i];
	if (!o->nuprobe)
		return 0;
	s->uprobes = perf_evlist__new();
	if (!s->uprobes)
		return err_nomem(e, "perf events");
	for (size_t i = 0; !rc && i < o->nuprobe; i++) {
		struct perf_event_attr a = tracepoint_attr(o->uprobe[i], o->clockid);
		struct perf_evsel *event;

		if (any && o->inside[i]) {
			add_inside(s, o, i);
			continue;
		}
		a.inherit = 1;
		a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
		if (o->wake && o->wake[i]) {
			a.watermark = 0;
			a.wakeup_events = 1;
		}
		if (i == 0 && !any) /* names of tasks, who begot whom, what is mapped */
			a.comm = a.comm_exec = a.task = a.mmap = a.mmap2 = 1;
		rc = add_event(s, s->uprobes, &a, &event, e);
	}
	if (!rc && any)
		rc = open_follower(s, o, e);
	if (!rc)
		rc = open_list(s, s->uprobes, s->tasks, e);
	if (!rc)
		rc = map_list(s, s->uprobes, !o->ring_bytes, e);
	return rc ? rc : hold_probes(s, o, e);
}

/* The event that counts and takes no samples. */
static int open_counter(struct session *s, const struct session_options *o,
			const char *filter, struct err *e)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(a),
		.config = o->irq_event,
		.read_format = PERF_FORMAT_ID,
		.disabled = 1,
	};
	int rc;

	s->counters = perf_evlist__new();
	if (!s->counters)
		return err_nomem(e, "perf events");
	rc = add_event(s, s->counters, &a, &s->counter, e);
	if (!rc)
		rc = open_list(s, s->counters, s->everything, e);
	if (!rc && *filter && perf_evsel__apply_filter(s->counter, filter))
		rc = err_errno(e, "the kernel refused the interrupt filter '%.80s'",
			       filter);
	return rc;
}

static int connect_feed(struct session *s, struct perf_evsel *output, struct err *e)
{
	int rc = 0;

	for (int i = 0; !rc && i < perf_cpu_map__nr(s->cpus); i++) {
		int *fd = xyarray__entry(output->fd, i, 0);

		rc = irqfeed_connect(s->feed, CPU_NUMBER(perf_cpu_map__cpu(s->cpus, i)),
				     *fd, e);
	}
	return rc ? rc : irqfeed_attach(s->feed, e);
}

static int open_bpf(struct session *s, const struct session_options *o, struct err *e)
{
	struct perf_event_attr a = interrupt_attr(o, 0);
	struct perf_evsel *output;
	int rc = irqfeed_open(&s->feed, o->no_irq, s->nexcluded, o->irq_event, e);

	if (rc)
		return rc;
	a.type = PERF_TYPE_SOFTWARE;
	a.config = PERF_COUNT_SW_BPF_OUTPUT;
	a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
	rc = add_event(s, s->interrupts, &a, &output, e);
	if (!rc)
		rc = open_list(s, s->interrupts, s->everything, e);
	if (!rc)
		rc = map_list(s, s->interrupts, !o->ring_bytes, e);
	return rc ? rc : connect_feed(s, output, e);
}

static int open_perf(struct session *s, const struct session_options *o,
		     const char *filter, struct err *e)
{
	struct perf_event_attr a = interrupt_attr(o, o->irq_event);
	struct perf_evsel *event;
	int rc;

	a.wakeup_watermark = (uint32_t)(s->ring_bytes / 4);
	rc = add_event(s, s->interrupts, &a, &event, e);
	if (!rc)
		rc = open_list(s, s->interrupts, s->everything, e);
	if (!rc && *filter && perf_evsel__apply_filter(event, filter))
		rc = err_errno(e, "the kernel refused the interrupt filter '%.80s'",
			       filter);
	return rc ? rc : map_list(s, s->interrupts, !o->ring_bytes, e);
}

static void close_list(struct perf_evlist **list)
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

static int open_feed(struct session *s, const struct session_options *o,
		     enum irq_feed feed, const char *filter, struct err *e)
{
	size_t before = s->nevent;
	int rc;

	s->interrupts = perf_evlist__new();
	if (!s->interrupts)
		return err_nomem(e, "perf events");
	rc = feed == FEED_BPF ? open_bpf(s, o, e) : open_perf(s, o, filter, e);
	if (!rc) {
		s->feed_used = feed;
		return 0;
	}
	irqfeed_close(s->feed);
	s->feed = NULL;
	close_list(&s->interrupts);
	s->nevent = before;
	return rc;
}

static int open_interrupts(struct session *s, const struct session_options *o,
			   struct err *e)
{
	struct err why = {0};
	char *filter;
	int rc;

	if (!o->irqs)
		return 0;
	s->has_irq = true;
	filter = irq_filter(o->no_irq, o->nno_irq, &s->nexcluded);
	if (!filter)
		return err_nomem(e, "the interrupt filter");
	rc = open_counter(s, o, filter, e);
	if (!rc && o->feed != FEED_AUTO)
		rc = open_feed(s, o, o->feed, filter, e);
	else if (!rc && open_feed(s, o, FEED_BPF, filter, &why)) {
		snprintf(s->feed_note, sizeof(s->feed_note), "%.250s", why.text);
		rc = open_feed(s, o, FEED_PERF, filter, e);
	}
	free(filter);
	return rc;
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
	s->irq_event = o->irq_event;
	s->event = calloc(o->nuprobe + 2, sizeof(*s->event));
	s->inside = calloc(o->nuprobe + 1, sizeof(*s->inside));
	s->inside_id = calloc(o->nuprobe + 1, sizeof(*s->inside_id));
	s->start = calloc(o->nuprobe + 1, sizeof(*s->start));
	s->cpus = perf_cpu_map__new(NULL);
	s->tasks = map_tasks(o->pid, (int)o->npid);
	s->everything = perf_thread_map__new_dummy();
	if (!s->event || !s->inside || !s->inside_id || !s->start || !s->cpus ||
	    !s->tasks || !s->everything)
		rc = err_nomem(e, "a recording");
	if (s->start && o->start)
		memcpy(s->start, o->start, o->nuprobe * sizeof(*s->start));
	if (!rc) {
		s->ring_bytes =
			round_ring(o->ring_bytes ? o->ring_bytes : default_ring(s));
		perf_thread_map__set_pid(s->everything, 0, -1);
	}
	if (!rc && o->attach)
		rc = anchor(s, e);
	if (!rc)
		rc = open_uprobes(s, o, e);
	if (!rc)
		rc = open_interrupts(s, o, e);
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
	irqfeed_close(s->feed);
	close_list(&s->uprobes);
	close_list(&s->interrupts);
	close_list(&s->counters);
	close_list(&s->holders);
	close_list(&s->anchors);
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
