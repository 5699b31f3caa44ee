/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/count/count.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/made.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"
#include "lib/num.h"
#include "record/count/count_event.h"
#include "record/host/rootfs.h"

enum { RING = 1 << 14, MAX_NAME = 48, MAX_CPUS = 8192 };

struct reading {
	int64_t time_ns;
	uint64_t value, enabled, running; /* sums over its CPUs */
	size_t event;
};

/* What a reading's sample carries, as the format says. */
struct reading_fields {
	uint64_t value, enabled, running;
};

static const struct made_field fields[] = {
	{"u64", "value"}, {"u64", "enabled"}, {"u64", "running"}};

struct counted {
	struct count_event ev;
	char name[MAX_NAME]; /* in the file: letters, digits, '_' */
	int *fd;
	size_t nfd;
	uint64_t id, readings;
	uint32_t type;
	char *format;
};

struct count {
	struct counted *event;
	size_t n;
	int clockid;
	struct reading *ring; /* one writer, one reader */
	uint64_t head, tail;
	pthread_t thread;
	bool made, stop;
};

static int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- opening ---- */

static int open_error(const struct counted *x, struct err *e)
{
	if (errno == EACCES || errno == EPERM)
		return err_set(
			e, ERR_PERM,
			"--count '%s' was refused: counting the whole system needs "
			"CAP_PERFMON, or kernel.perf_event_paranoid at most 0",
			x->ev.text);
	if (errno == EINVAL || errno == ENOENT || errno == EOPNOTSUPP)
		return err_set(
			e, ERR_UNSUPPORTED,
			"--count '%s': the kernel does not take these values for unit "
			"%s",
			x->ev.text, x->ev.pmu);
	return err_errno(e, "--count '%s'", x->ev.text);
}

static int open_on(struct counted *x, int cpu, struct err *e)
{
	struct perf_event_attr a = {
		.type = x->ev.type,
		.size = sizeof(a),
		.config = x->ev.config[0],
		.config1 = x->ev.config[1],
		.config2 = x->ev.config[2],
		.read_format =
			PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return open_error(x, e);
	x->fd[x->nfd++] = fd;
	return 0;
}

static int online(int64_t **cpu, size_t *n, struct err *e)
{
	char *text = rootfs_line("", "/sys/devices/system/cpu/online");
	int rc = text ? num_list(text, 0, MAX_CPUS, MAX_CPUS, cpu, n, e)
		      : err_set(e, ERR_IO, "which CPUs are online is not told");

	free(text);
	return rc;
}

static void name_event(struct counted *x, size_t i)
{
	snprintf(x->name, sizeof(x->name), "count%zu_%s", i, x->ev.text);
	for (char *p = x->name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
			    *p))
			*p = '_';
}

static int open_event(struct count *c, const char *text, size_t first, struct err *e)
{
	struct counted *x = &c->event[c->n];
	size_t i = c->n++, n = 0;
	int64_t *all = NULL;
	int rc = count_event_parse(&x->ev, "", text, e);

	if (!rc && x->ev.config[3])
		rc = err_set(e, ERR_UNSUPPORTED,
			     "--count '%s': config3 is not known here", text);
	name_event(x, i);
	x->id = MADE_ID(first + i);
	x->type = MADE_TYPE(first + i);
	x->format =
		made_format(x->name, x->type, fields, sizeof(fields) / sizeof(*fields));
	if (!rc && !x->ev.ncpu)
		rc = online(&all, &n, e);
	x->fd = calloc(n + x->ev.ncpu + 1, sizeof(*x->fd));
	if (!rc && (!x->fd || !x->format))
		rc = err_nomem(e, "the counts");
	for (size_t k = 0; !rc && k < n + x->ev.ncpu; k++)
		rc = open_on(x, (int)(n ? all[k] : x->ev.cpu[k]), e);
	free(all);
	return rc;
}

int count_open(struct count **out, const struct count_options *o, size_t first,
	       struct err *e)
{
	struct count *c = calloc(1, sizeof(*c));
	int rc = 0;

	*out = NULL;
	if (!c)
		return err_nomem(e, "the counts");
	c->clockid = o->clockid;
	c->event = calloc(o->n + 1, sizeof(*c->event));
	c->ring = calloc(RING, sizeof(*c->ring));
	if (!c->event || !c->ring)
		rc = err_nomem(e, "the counts");
	for (size_t i = 0; !rc && i < o->n; i++)
		rc = open_event(c, o->event[i], first, e);
	if (rc) {
		count_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void count_close(struct count *c)
{
	if (!c)
		return;
	count_stop(c);
	for (size_t i = 0; c->event && i < c->n; i++) {
		struct counted *x = &c->event[i];

		for (size_t k = 0; k < x->nfd; k++)
			close(x->fd[k]);
		free(x->fd);
		free(x->format);
		count_event_release(&x->ev);
	}
	free(c->event);
	free(c->ring);
	free(c);
}

/* ---- for the file ---- */

size_t count_events(const struct count *c)
{
	return c->n;
}

void count_attr(const struct count *c, size_t i, struct perfdata_attr *attr)
{
	*attr = (struct perfdata_attr){.attr = made_attr(c->event[i].type, c->clockid),
				       .ids = &c->event[i].id,
				       .nids = 1};
}

const char *count_format(const struct count *c, size_t i)
{
	return c->event[i].format;
}

int count_tell(const struct count *c, struct meta *m, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct counted *x = &c->event[i];
		struct meta_event *ev = meta_add_event(m);
		struct meta_count *q = ev ? meta_add_count(m) : NULL;

		if (!q)
			return err_nomem(e, "a recording");
		ev->id = ev->attr = (int32_t)m->nevent - 1;
		ev->role = ROLE_COUNT;
		q->event = ev->id;
		q->text = strdup(x->ev.text);
		q->unit = x->ev.unit ? strdup(x->ev.unit) : NULL;
		q->cpus = (int32_t)x->nfd;
		if (asprintf(&q->scale, "%.17g", x->ev.scale) < 0)
			q->scale = NULL;
		if (asprintf(&ev->name, MADE_GROUP ":%s", x->name) < 0)
			ev->name = NULL;
		if (!ev->name || !q->text || !q->scale)
			return err_nomem(e, "a recording");
	}
	return 0;
}

/* ---- while recording ---- */

static void read_event(struct count *c, size_t i)
{
	struct counted *x = &c->event[i];
	struct reading r = {.event = i};

	for (size_t k = 0; k < x->nfd; k++) {
		uint64_t v[3]; /* value, time enabled, time running */

		if (read(x->fd[k], v, sizeof(v)) != sizeof(v))
			continue;
		r.value += v[0];
		r.enabled += v[1];
		r.running += v[2];
	}
	r.time_ns = now_ns(c->clockid);
	x->readings++;
	if (c->head - __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) >= RING)
		return;
	c->ring[c->head % RING] = r;
	__atomic_store_n(&c->head, c->head + 1, __ATOMIC_RELEASE);
}

static void read_all(struct count *c)
{
	for (size_t i = 0; i < c->n; i++)
		read_event(c, i);
}

static void *run(void *arg)
{
	struct count *c = arg;
	int64_t next = now_ns(CLOCK_MONOTONIC);

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		struct timespec t;

		read_all(c);
		next += COUNT_INTERVAL_NS;
		if (next <
		    now_ns(CLOCK_MONOTONIC)) /* held up: no reading is made up for */
			next = now_ns(CLOCK_MONOTONIC);
		t = (struct timespec){next / 1000000000, next % 1000000000};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
	return NULL;
}

static void control(struct count *c, unsigned long request)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->event[i].nfd; k++)
			ioctl(c->event[i].fd[k], request, 0);
}

int count_start(struct count *c, struct err *e)
{
	control(c, PERF_EVENT_IOC_ENABLE);
	errno = pthread_create(&c->thread, NULL, run, c);
	if (errno)
		return err_errno(e, "no thread that reads counts");
	c->made = true;
	return 0;
}

int count_drain(struct count *c,
		int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		void *arg, struct err *e)
{
	uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE);
	int rc = 0;

	while (!rc && c->tail != head) {
		const struct reading *r = &c->ring[c->tail % RING];
		const struct counted *x = &c->event[r->event];
		struct reading_fields f = {r->value, r->enabled, r->running};
		char sample[MADE_SIZE(sizeof(f))];
		size_t n =
			made_sample(sample, x->id, x->type, r->time_ns, (int32_t)getpid(),
				    (int32_t)getpid(), 0, &f, sizeof(f));

		rc = put(arg, sample, n, e);
		__atomic_store_n(&c->tail, c->tail + 1, __ATOMIC_RELEASE);
	}
	return rc;
}

void count_stop(struct count *c)
{
	if (!c->made)
		return;
	__atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
	pthread_join(c->thread, NULL);
	c->made = false;
	control(c, PERF_EVENT_IOC_DISABLE);
	read_all(c);
}

uint64_t count_readings(const struct count *c, size_t i)
{
	return c->event[i].readings;
}
