/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread writes changes into a ring of its own, which has one writer and one reader
 * (head is the thread's, tail the recorder's), and its statistics, which are read when it
 * has ended.
 *
 * A reading lies between two readings of the clock. A change that one reading saw and the
 * one before did not came after that one began and before this one had ended: what a
 * reading itself takes is in the bound, whenever within it the card answered.
 */
#include "record/watch/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/made.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"
#include "lib/hist.h"
#include "lib/num.h"
#include "record/host/rights.h"
#include "record/host/rootfs.h"
#include "record/watch/watch_cpu.h"
#include "record/watch/watch_map.h"

enum {
	/* Changes between two drains of 150 ms: two for each 1.2 us. */
	RING = 1 << 18,
	FIFO_PRIORITY = 1, /* the least: above all that is no real-time task */
	MAX_REGISTERS = 64,
	BATCH = 1 << 16,
	TRANSACTION =
		24 /* bytes of a read's request, and of its answer without data: 8 of
				framing and 16 of header (PCI Express Base Specification) */
};

/* A start function reads registers before its doorbell (field.md 1.2), some us; chosen so
 * that a preemption between its entry and its doorbell is covered, too. */
#define FLIGHT_NS INT64_C(5000000)
/* Below it waiting for the next reading spins: a sleep takes as long. */
#define SPIN_NS	  INT64_C(60000)

struct change {
	int64_t time_ns, since_ns;
	uint64_t value;
	int32_t channel; /* -1 = not told */
	uint16_t reg;
	bool busy;
};

/* What a change's sample carries, as the format says. */
struct change_fields {
	int32_t channel;
	uint32_t busy;
	uint64_t value;
	int64_t since;
};

static const struct made_field fields[] = {
	{"s32", "channel"}, {"u32", "busy"}, {"u64", "value"}, {"s64", "since"}};

struct watched {
	const struct register_spec *spec;
	struct watch_map map;
	uint64_t id;
	uint32_t type;
	char *format;
	/* the thread's */
	uint64_t value;	  /* last reading */
	uint64_t busy;	  /* channels that ran by it */
	int64_t begin_ns; /* of that reading */
	struct hist *took;
	int64_t gap_ns;
	uint64_t counted; /* changes; those that found no room, too */
};

struct watch {
	struct watch_options o;
	struct watched *reg;
	size_t n;
	char *driver; /* of the first card with one; NULL = none, or no card */
	const char *bdf;
	struct watch_place place;
	char warning[256];
	int64_t watched_ns;
	struct change *ring;
	uint64_t head, tail;
	bool made; /* the thread */
	pthread_t thread;
	int tid;
	pthread_mutex_t lock;
	pthread_cond_t gate;
	bool open;
	bool stop, ended; /* atomic */
	bool told;
	const char *why; /* it ended; static, or in text */
	char text[200];
};

static int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Nothing behind it is read before the clock was: the TSC is not ordered with what follows
 * (Intel SDM, RDTSC). */
static inline void order(void)
{
#if defined(__x86_64__)
	__builtin_ia32_lfence();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

/* ---- the thread ---- */

static void put_change(struct watch *w, size_t i, int channel, int64_t time_ns)
{
	struct watched *r = &w->reg[i];
	uint64_t tail = __atomic_load_n(&w->tail, __ATOMIC_ACQUIRE);
	bool busy = r->busy >> (r->spec->by_bit ? channel : 0) & 1;
	int64_t told = r->spec->by_bit ? channel : r->spec->channel;

	r->counted++;
	if (w->head - tail >= RING)
		return;
	w->ring[w->head % RING] =
		(struct change){.time_ns = time_ns,
				.since_ns = r->begin_ns,
				.value = r->value,
				.channel = told == DMA_UNKNOWN ? -1 : (int32_t)told,
				.reg = (uint16_t)i,
				.busy = busy};
	__atomic_store_n(&w->head, w->head + 1, __ATOMIC_RELEASE);
}

static uint64_t busy_channels(const struct register_spec *s, uint64_t value)
{
	uint64_t busy = 0;

	if (!s->by_bit)
		return register_busy(s, value, 0);
	for (int c = 0; c < s->channels; c++)
		busy |= (uint64_t)register_busy(s, value, c) << c;
	return busy;
}

static void see_value(struct watch *w, size_t i, uint64_t value, int64_t time_ns)
{
	struct watched *r = &w->reg[i];
	uint64_t busy = busy_channels(r->spec, value), changed = busy ^ r->busy;

	r->value = value;
	r->busy = busy;
	for (int c = 0; changed; c++, changed >>= 1)
		if (changed & 1)
			put_change(w, i, c, time_ns);
}

static void end_thread(struct watch *w, const char *why)
{
	w->why = why;
	__atomic_store_n(&w->ended, true, __ATOMIC_RELEASE);
}

static void note_gap(struct watched *r, int64_t gap_ns)
{
	if (gap_ns > r->gap_ns)
		r->gap_ns = gap_ns;
}

/* *t: the time before, and then the time behind. false = the card is gone. looked_ns: when
 * it was last known that nothing runs, without a reading; DMA_UNKNOWN = by the reading
 * before. */
static bool read_one(struct watch *w, size_t i, int64_t *t, int64_t looked_ns)
{
	struct watched *r = &w->reg[i];
	int64_t begin = *t, end;
	uint64_t value;

	order();
	value = watch_map_read(&r->map, r->spec->width);
	end = now_ns(w->o.clockid);
	*t = end;
	if (mapguard_touched(&r->map.guard)) {
		end_thread(w,
			   "what was mapped is not there any more: the card was removed, "
			   "or the file cut");
		return false;
	}
	if (watch_all_ones(value, r->spec->width)) {
		end_thread(w, "it answers all ones: the card is gone, or its memory was "
			      "switched off");
		return false;
	}
	if (hist_add(r->took, end - begin, 1)) {
		end_thread(w, "no memory");
		return false;
	}
	if (r->begin_ns == DMA_UNKNOWN) {
		r->value = value;
		r->busy = busy_channels(r->spec, value);
	} else {
		note_gap(r, end - (looked_ns == DMA_UNKNOWN ? r->begin_ns : looked_ns));
		if (value != r->value)
			see_value(w, i, value, end);
	}
	r->begin_ns = begin;
	return true;
}

static bool stopped(const struct watch *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
}

static bool any_busy(const struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->reg[i].busy)
			return true;
	return false;
}

/* What was begun, and when that was last seen to grow. */
struct flight {
	uint64_t started;
	int64_t last_ns;
};

/* Waits while nothing runs. When it was last seen that nothing had been started;
 * DMA_UNKNOWN = it did not wait. */
static int64_t wait_for_start(struct watch *w, struct flight *f, int64_t *t)
{
	uint64_t started = w->o.started ? w->o.started(w->o.arg) : 0;
	int64_t looked_ns = DMA_UNKNOWN;

	if (started != f->started)
		*f = (struct flight){started, *t};
	if (any_busy(w) || *t - f->last_ns < FLIGHT_NS)
		return DMA_UNKNOWN;
	while (!stopped(w) && (!w->o.started || w->o.started(w->o.arg) == f->started)) {
		looked_ns = *t;
		relax();
		*t = now_ns(w->o.clockid);
	}
	f->last_ns = *t;
	return looked_ns;
}

/* The pause is a part of the gap. */
static void wait_for_turn(struct watch *w, int64_t begin, int64_t *t)
{
	int64_t next = begin + w->o.every_ns;

	while (!stopped(w) && *t < next) {
		struct timespec pause = {0, next - *t - SPIN_NS / 2};

		if (next - *t > SPIN_NS)
			nanosleep(&pause, NULL);
		else
			relax();
		*t = now_ns(w->o.clockid);
	}
}

static void watch_all(struct watch *w)
{
	struct flight flight = {.last_ns = now_ns(w->o.clockid)};
	int64_t t = flight.last_ns, looked_ns = DMA_UNKNOWN;

	while (!stopped(w)) {
		int64_t begin = t;

		for (size_t i = 0; i < w->n; i++)
			if (!read_one(w, i, &t, looked_ns))
				return;
		w->watched_ns += t - begin;
		looked_ns = DMA_UNKNOWN;
		if (w->o.mode == WATCH_IN_FLIGHT)
			looked_ns = wait_for_start(w, &flight, &t);
		else if (w->o.mode == WATCH_EVERY)
			wait_for_turn(w, begin, &t);
	}
}

static void set_up_thread(struct watch *w)
{
	struct sched_param param = {.sched_priority = FIFO_PRIORITY};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)w->place.cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (w->o.fifo)
		sched_setscheduler(0, SCHED_FIFO, &param);
	prctl(PR_SET_NAME, "dmarec-watch");
	prctl(PR_SET_TIMERSLACK, 1);
}

static void *run(void *arg)
{
	struct watch *w = arg;

	set_up_thread(w);
	pthread_mutex_lock(&w->lock);
	w->tid = (int)syscall(SYS_gettid);
	pthread_cond_broadcast(&w->gate);
	while (!w->open)
		pthread_cond_wait(&w->gate, &w->lock);
	pthread_mutex_unlock(&w->lock);
	rights_drop_thread();
	watch_all(w);
	return NULL;
}

static int make_thread(struct watch *w, struct err *e)
{
	errno = pthread_create(&w->thread, NULL, run, w);
	if (errno)
		return err_errno(e, "no thread that watches registers");
	w->made = true;
	pthread_mutex_lock(&w->lock);
	while (!w->tid)
		pthread_cond_wait(&w->gate, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* ---- opening ---- */

static int choose_place(struct watch *w, struct err *e)
{
	int rc = watch_choose_cpu(&w->place, w->o.root, w->bdf, w->o.cpu, w->o.workload,
				  e);

	if (rc || !w->place.shared)
		return rc;
	if (w->place.alone && w->o.mode == WATCH_ALWAYS && w->o.cpu < 0)
		return err_set(
			e, ERR_UNSUPPORTED,
			"reading registers all the time would take the only CPU (%d) "
			"from the workload: watch in flight, or every 20us "
			"(--watch-mode), or let the workload run elsewhere",
			w->place.cpu);
	snprintf(
		w->warning, sizeof(w->warning),
		"the registers are read on CPU %d, where the workload may run, too: each may "
		"hold up the other; keep the workload away from it (taskset), or choose "
		"another one (--watch-cpu)",
		w->place.cpu);
	return 0;
}

static int open_register(struct watch *w, size_t i, size_t first, struct err *e)
{
	struct watched *r = &w->reg[i];

	*r = (struct watched){.spec = &w->o.reg[i],
			      .id = MADE_ID(first + i),
			      .type = MADE_TYPE(first + i),
			      .begin_ns = DMA_UNKNOWN};
	r->took = hist_new();
	r->format = made_format(r->spec->name, r->type, fields,
				sizeof(fields) / sizeof(*fields));
	if (!r->took || !r->format)
		return err_nomem(e, "the watch");
	w->bdf = w->bdf ? w->bdf : r->spec->bdf;
	return watch_map_open(&r->map, r->spec, w->o.root, w->o.user, e);
}

static char *driver_of(const struct watch *w)
{
	return w->bdf ? rootfs_link(w->o.root, "/sys/bus/pci/devices/%s/driver", w->bdf)
		      : NULL;
}

static int unlike_names(const struct watch_options *o, struct err *e)
{
	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(o->reg[i].name, o->reg[k].name))
				return err_set(e, ERR_USAGE, "register %s is named twice",
					       o->reg[i].name);
	return o->n > MAX_REGISTERS
		       ? err_set(e, ERR_LIMIT, "more than %d registers", MAX_REGISTERS)
		       : 0;
}

int watch_open(struct watch **out, const struct watch_options *o, size_t first,
	       struct err *e)
{
	struct watch *w = calloc(1, sizeof(*w));
	int rc = w ? unlike_names(o, e) : err_nomem(e, "the watch");

	*out = NULL;
	if (!w)
		return rc;
	w->o = *o;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->gate, NULL);
	w->reg = calloc(o->n, sizeof(*w->reg));
	w->ring = calloc(RING, sizeof(*w->ring));
	if (!rc && (!w->reg || !w->ring))
		rc = err_nomem(e, "the watch");
	for (size_t i = 0; !rc && i < o->n; i++) {
		w->n++;
		rc = open_register(w, i, first, e);
	}
	if (!rc)
		rc = choose_place(w, e);
	if (!rc)
		rc = make_thread(w, e);
	if (rc) {
		watch_close(w);
		return rc;
	}
	w->driver = driver_of(w);
	*out = w;
	return 0;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	watch_stop(w);
	for (size_t i = 0; i < w->n; i++) {
		watch_map_close(&w->reg[i].map);
		hist_free(w->reg[i].took);
		free(w->reg[i].format);
	}
	pthread_cond_destroy(&w->gate);
	pthread_mutex_destroy(&w->lock);
	free(w->driver);
	free(w->reg);
	free(w->ring);
	free(w);
}

const char *watch_warning(const struct watch *w)
{
	return *w->warning ? w->warning : NULL;
}

/* ---- for the file ---- */

size_t watch_events(const struct watch *w)
{
	return w->n;
}

void watch_attr(const struct watch *w, size_t i, struct perfdata_attr *attr)
{
	*attr = (struct perfdata_attr){.attr = made_attr(w->reg[i].type, w->o.clockid),
				       .ids = &w->reg[i].id,
				       .nids = 1};
}

const char *watch_format(const struct watch *w, size_t i)
{
	return w->reg[i].format;
}

/* Bytes a second of the card's link, each way, without what is coding; DMA_UNKNOWN. */
static int64_t link_rate(const struct watch *w, const char *bdf)
{
	char *text = bdf ? rootfs_line(w->o.root,
				       "/sys/bus/pci/devices/%s/current_link_speed", bdf)
			 : NULL;
	int64_t lanes;
	double gt = text ? strtod(text, NULL) : 0;
	/* 8b/10b up to 5 GT/s, then 128b/130b */
	double lane = gt * 1e9 / 8 * (gt > 5.5 ? 128.0 / 130 : 0.8);

	free(text);
	if (gt <= 0 || !rootfs_number(w->o.root, &lanes,
				      "/sys/bus/pci/devices/%s/current_link_width", bdf))
		return DMA_UNKNOWN;
	return lanes > 0 ? (int64_t)(lane * (double)lanes) : DMA_UNKNOWN;
}

static int tell_register(const struct watch *w, size_t i, struct meta *m, struct err *e)
{
	const struct watched *r = &w->reg[i];
	struct meta_event *ev = meta_add_event(m);
	struct meta_register *q = ev ? meta_add_register(m) : NULL;
	char mode[64];

	if (!q)
		return err_nomem(e, "a recording");
	ev->id = ev->attr = (int32_t)m->nevent - 1;
	ev->role = ROLE_REGISTER;
	ev->constant.card = r->spec->card;
	if (asprintf(&ev->name, MADE_GROUP ":%s", r->spec->name) < 0)
		ev->name = NULL;
	q->event = ev->id;
	q->bdf = r->spec->bdf ? strdup(r->spec->bdf) : NULL;
	q->file = strdup(r->map.path);
	q->offset = r->spec->offset;
	q->width = r->spec->width;
	q->busy = strdup(r->spec->busy_text);
	q->channel = r->spec->channel;
	q->channels = r->spec->by_bit ? r->spec->channels : DMA_UNKNOWN;
	q->mode = strdup(watch_mode_print(w->o.mode, w->o.every_ns, mode));
	q->cpu = w->place.cpu;
	q->shared_cpu = w->place.shared;
	q->link_bytes_per_s = link_rate(w, r->spec->bdf);
	return ev->name && q->file && q->busy && q->mode ? 0
							 : err_nomem(e, "a recording");
}

int watch_tell(const struct watch *w, struct meta *m, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->n; i++)
		rc = tell_register(w, i, m, e);
	return rc;
}

/* ---- while recording ---- */

static void open_gate(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->open = true;
	pthread_cond_broadcast(&w->gate);
	pthread_mutex_unlock(&w->lock);
}

void watch_start(struct watch *w)
{
	open_gate(w);
}

static void look_for_driver(struct watch *w)
{
	char *driver = w->driver ? driver_of(w) : NULL;

	if (w->driver && (!driver || strcmp(driver, w->driver) != 0)) {
		snprintf(w->text, sizeof(w->text),
			 "device %s was unbound from its driver %s", w->bdf, w->driver);
		watch_stop(w);
		w->why = w->text;
		w->ended = true;
	}
	free(driver);
}

void watch_look(struct watch *w, const char **why)
{
	*why = NULL;
	if (w->told)
		return;
	if (!__atomic_load_n(&w->ended, __ATOMIC_ACQUIRE))
		look_for_driver(w);
	if (!__atomic_load_n(&w->ended, __ATOMIC_ACQUIRE))
		return;
	w->told = true;
	*why = w->why;
}

int watch_drain(struct watch *w,
		int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		void *arg, struct err *e)
{
	uint64_t head = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
	char batch[BATCH];
	size_t n = 0;
	int rc = 0;

	while (!rc && w->tail != head) {
		const struct change *c = &w->ring[w->tail % RING];
		const struct watched *r = &w->reg[c->reg];
		struct change_fields f = {c->channel, c->busy, c->value, c->since_ns};

		n += made_sample(batch + n, r->id, r->type, c->time_ns, (int32_t)getpid(),
				 w->tid, w->place.cpu, &f, sizeof(f));
		__atomic_store_n(&w->tail, w->tail + 1, __ATOMIC_RELEASE);
		if (n > sizeof(batch) - MADE_SIZE(sizeof(f)) || w->tail == head) {
			rc = put(arg, batch, n, e);
			n = 0;
		}
	}
	return rc;
}

void watch_stop(struct watch *w)
{
	if (!w->made)
		return;
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	open_gate(w);
	pthread_join(w->thread, NULL);
	w->made = false;
}

/* ---- at the end ---- */

uint64_t watch_counted(const struct watch *w, size_t i)
{
	return w->reg[i].counted;
}

static int64_t quantile(const struct hist *h, unsigned hundredths)
{
	uint64_t n = hist_n(h), rank = (n * hundredths + 99) / 100;

	return n ? hist_at_rank(h, rank) : DMA_UNKNOWN;
}

static void finish_register(const struct watch *w, const struct watched *r,
			    struct meta_register *q)
{
	enum { MEDIAN = 50, P99 = 99 };

	q->readings = (int64_t)hist_n(r->took);
	q->read_min_ns = hist_min(r->took);
	q->read_median_ns = quantile(r->took, MEDIAN);
	q->read_p99_ns = quantile(r->took, P99);
	q->read_max_ns = hist_max(r->took);
	q->gap_ns = q->readings > 1 ? r->gap_ns : DMA_UNKNOWN;
	q->watched_ns = w->watched_ns;
	free(q->ended);
	q->ended = w->ended ? strdup(w->why) : NULL;
}

void watch_finish(const struct watch *w, struct meta *m)
{
	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < m->nreg; k++)
			if (m->event[m->reg[k].event].role == ROLE_REGISTER &&
			    !strcmp(m->event[m->reg[k].event].name + sizeof(MADE_GROUP),
				    w->reg[i].spec->name))
				finish_register(w, &w->reg[i], &m->reg[k]);
}

char *watch_cost(const struct watch *w, size_t i)
{
	const struct watched *r = &w->reg[i];
	char median[32], p99[32], gap[32], share[64] = "", *text;
	int64_t link = link_rate(w, r->spec->bdf), n = (int64_t)hist_n(r->took);
	double rate = w->watched_ns > 0 ? (double)n * 1e9 / (double)w->watched_ns : 0;

	if (!n)
		return NULL;
	if (link != DMA_UNKNOWN)
		snprintf(share, sizeof(share), ", %.2g %% of the link",
			 100 * rate * TRANSACTION / (double)link);
	if (asprintf(&text,
		     "register %s: read %" PRId64
		     " times on CPU %d, %.3g times a second%s; "
		     "one reading takes %s, at p99 %s; a change is known to %s at worst",
		     r->spec->name, n, w->place.cpu, rate, share,
		     num_print_ns(median, quantile(r->took, 50)),
		     num_print_ns(p99, quantile(r->took, 99)),
		     num_print_ns(gap, r->gap_ns)) < 0)
		return NULL;
	return text;
}
