/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times decide, not the order of arrival: the rings of the CPUs are read one after the
 * other, so a closing may be seen before the sample that it follows.
 */
#include "record/descriptors.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/host/rootfs.h"

/* Where a sample of session.c keeps what (IDENTIFIER, IP, TID, TIME, CPU, RAW). */
enum { AT_PID = 24, AT_TIME = 32, AT_RAW_LEN = 48, AT_RAW = 52 };
enum { MAX_KNOWN = 1 << 16, MAX_CLOSINGS = 1 << 20 };

const char *const descriptors_closings[] = {
	"syscalls/sys_enter_close", "syscalls/sys_enter_dup2", "syscalls/sys_enter_dup3",
	"syscalls/sys_enter_close_range", NULL};

/* A sample, and the look that it caused: behind `before`, ahead of `after`. */
struct look {
	int64_t seen_ns, before_ns, after_ns;
};

/* Looks that found the same, one behind the other: the first and the last. */
struct stretch {
	struct look first, last;
	char *path;
};

/* One descriptor of one process. */
struct known {
	int32_t pid, fd;
	bool seen;	   /* since the last look */
	int64_t last_ns;   /* of these samples */
	int64_t first_ns;  /* of all */
	struct stretch *s; /* n */
	size_t n, room;
};

/* fd and all above it, or just it. pid -1 = of all processes. */
struct closing {
	int32_t pid, fd;
	bool above;
	int64_t time_ns;
};

struct field {
	uint16_t offset, size; /* 0 = the event has none */
	bool closes, above;
};

struct descriptors {
	int clockid;
	struct field *field; /* one for each event */
	size_t nevent;
	struct known *known;
	size_t nknown, room;
	uint32_t *slot; /* number + 1, 0 = free; twice as many as room */
	uint32_t *seen; /* numbers */
	size_t nseen;
	struct closing *closing;
	size_t nclosing, closing_room;
	bool full; /* what came later is not known */
};

bool descriptors_wanted(const struct meta_event *ev)
{
	return ev->npath > 0;
}

/* ---- where the numbers stand ---- */

/* "\tfield:s32 fd;\toffset:16;\tsize:4;\tsigned:1;" */
static void find_field(const char *format, const char *name, struct field *f)
{
	unsigned offset, size;
	char text[48];
	const char *at;

	snprintf(text, sizeof(text), " %s;\toffset:", name);
	at = strstr(format, text);
	if (!at || sscanf(at + strlen(text), "%u;\tsize:%u;", &offset, &size) != 2)
		return;
	if (offset < 4096 && (size == 4 || size == 8)) {
		f->offset = (uint16_t)offset;
		f->size = (uint16_t)size;
	}
}

static int read_format(struct descriptors *d, size_t i, const char *root,
		       const char *name, struct err *e)
{
	const char *colon = strchr(name, ':');
	struct field *f = &d->field[i];
	char path[256], *text;
	int rc;

	if (!colon)
		return 0;
	snprintf(path, sizeof(path), "/events/%.*s/%s/format", (int)(colon - name), name,
		 colon + 1);
	rc = rootfs_read(root, path, 1 << 20, &text, NULL, e);
	if (rc)
		return rc;
	find_field(text, strstr(name, "sys_enter_dup") ? "newfd" : "fd", f);
	f->closes = !strncmp(name, "syscalls:", 9);
	f->above = strstr(name, "close_range") != NULL;
	free(text);
	return 0;
}

int descriptors_new(struct descriptors **out, const struct meta *m, const char *root,
		    int clockid, struct err *e)
{
	struct descriptors *d;
	bool any = false;
	int rc = 0;

	*out = NULL;
	for (size_t i = 0; i < m->nevent; i++)
		any |= descriptors_wanted(&m->event[i]);
	if (!any)
		return 0;
	d = calloc(1, sizeof(*d));
	if (d)
		d->field = calloc(m->nevent, sizeof(*d->field));
	if (!d || !d->field) {
		descriptors_free(d);
		return err_nomem(e, "the descriptors");
	}
	d->clockid = clockid;
	d->nevent = m->nevent;
	for (size_t i = 0; !rc && i < m->nevent; i++)
		if (descriptors_wanted(&m->event[i]) ||
		    !strncmp(m->event[i].name, "syscalls:", 9))
			rc = read_format(d, i, root, m->event[i].name, e);
	if (rc)
		descriptors_free(d);
	else
		*out = d;
	return rc;
}

void descriptors_free(struct descriptors *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nknown; i++) {
		for (size_t k = 0; k < d->known[i].n; k++)
			free(d->known[i].s[k].path);
		free(d->known[i].s);
	}
	free(d->known);
	free(d->slot);
	free(d->seen);
	free(d->closing);
	free(d->field);
	free(d);
}

/* ---- what is known, by (process, descriptor) ---- */

static uint32_t *slot_of(const struct descriptors *d, int32_t pid, int32_t fd)
{
	uint64_t h = ((uint64_t)(uint32_t)pid << 32 | (uint32_t)fd) * 0x9e3779b97f4a7c15u;
	size_t mask = 2 * d->room - 1, i = (size_t)(h >> 32) & mask;

	for (; d->slot[i]; i = (i + 1) & mask) {
		const struct known *k = &d->known[d->slot[i] - 1];

		if (k->pid == pid && k->fd == fd)
			break;
	}
	return &d->slot[i];
}

static int grow(struct descriptors *d)
{
	size_t room = d->room ? 2 * d->room : 64;
	struct known *known = reallocarray(d->known, room, sizeof(*known));
	uint32_t *seen, *slot;

	if (!known)
		return ERR_NOMEM;
	d->known = known;
	seen = reallocarray(d->seen, room, sizeof(*seen));
	if (!seen)
		return ERR_NOMEM;
	d->seen = seen;
	slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return ERR_NOMEM;
	free(d->slot);
	d->slot = slot;
	d->room = room;
	for (size_t i = 0; i < d->nknown; i++)
		*slot_of(d, known[i].pid, known[i].fd) = (uint32_t)i + 1;
	return 0;
}

static int see_use(struct descriptors *d, int32_t pid, int32_t fd, int64_t time_ns,
		   struct err *e)
{
	uint32_t *slot = d->room ? slot_of(d, pid, fd) : NULL;
	struct known *k;

	if (!slot || !*slot) {
		if (d->full || d->nknown == MAX_KNOWN) {
			d->full = true;
			return 0;
		}
		if (d->nknown == d->room && grow(d))
			return err_nomem(e, "%zu descriptors", d->nknown + 1);
		slot = slot_of(d, pid, fd);
		d->known[d->nknown] =
			(struct known){.pid = pid, .fd = fd, .first_ns = time_ns};
		*slot = (uint32_t)++d->nknown;
	}
	k = &d->known[*slot - 1];
	if (!k->seen)
		d->seen[d->nseen++] = *slot - 1;
	if (!k->seen || time_ns > k->last_ns)
		k->last_ns = time_ns;
	if (time_ns < k->first_ns)
		k->first_ns = time_ns;
	k->seen = true;
	return 0;
}

static void see_closing(struct descriptors *d, struct closing c)
{
	struct closing *grown;
	size_t room = d->closing_room ? 2 * d->closing_room : 256;

	if (d->nclosing == d->closing_room) {
		grown = d->nclosing < MAX_CLOSINGS
				? reallocarray(d->closing, room, sizeof(*grown))
				: NULL;
		if (!grown) {
			d->full = true;
			return;
		}
		d->closing = grown;
		d->closing_room = room;
	}
	d->closing[d->nclosing++] = c;
}

void descriptors_doubt(struct descriptors *d, int32_t pid, int64_t time_ns)
{
	if (d)
		see_closing(d, (struct closing){pid, 0, true, time_ns});
}

int descriptors_see(struct descriptors *d, size_t event, const void *sample, size_t size,
		    struct err *e)
{
	const char *at = sample;
	const struct field *f = d && event < d->nevent ? &d->field[event] : NULL;
	uint32_t raw_len;
	int32_t pid, fd;
	int64_t time_ns;

	if (!f || !f->size || size < AT_RAW)
		return 0;
	memcpy(&raw_len, at + AT_RAW_LEN, sizeof(raw_len));
	if (raw_len > size - AT_RAW || (uint32_t)f->offset + f->size > raw_len)
		return 0;
	memcpy(&pid, at + AT_PID, sizeof(pid));
	memcpy(&time_ns, at + AT_TIME, sizeof(time_ns));
	memcpy(&fd, at + AT_RAW + f->offset, sizeof(fd)); /* an int, however wide */
	if (pid <= 0 || fd < 0)
		return 0;
	if (!f->closes)
		return see_use(d, pid, fd, time_ns, e);
	see_closing(d, (struct closing){pid, fd, f->above, time_ns});
	return 0;
}

/* ---- looking ---- */

static int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int add_look(struct known *k, const struct look *look, const char *path,
		    struct err *e)
{
	size_t room = k->room ? 2 * k->room : 4;
	struct stretch *grown;
	char *copy;

	if (k->n && !strcmp(k->s[k->n - 1].path, path)) {
		k->s[k->n - 1].last = *look;
		return 0;
	}
	copy = strdup(path);
	grown = k->n == k->room ? reallocarray(k->s, room, sizeof(*grown)) : k->s;
	if (!copy || !grown) {
		free(copy);
		return err_nomem(e, "a descriptor's path");
	}
	if (k->n == k->room)
		k->room = room;
	k->s = grown;
	k->s[k->n++] = (struct stretch){*look, *look, copy};
	return 0;
}

static int look_at(struct descriptors *d, struct known *k, struct err *e)
{
	struct look look = {k->last_ns, now_ns(d->clockid), 0};
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%" PRId32 "/fd/%" PRId32, k->pid, k->fd);
	n = readlink(link, path, sizeof(path) - 1);
	look.after_ns = now_ns(d->clockid);
	if (n < 0)
		return 0;
	path[n] = 0;
	return add_look(k, &look, path, e);
}

int descriptors_look(struct descriptors *d, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; d && i < d->nseen; i++) {
		struct known *k = &d->known[d->seen[i]];

		if (!rc && !d->full)
			rc = look_at(d, k, e);
		k->seen = false;
	}
	if (d)
		d->nseen = 0;
	return rc;
}

/* ---- the result ---- */

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_pid(const void *a, const void *b)
{
	const struct closing *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void closings_of_pid(const struct descriptors *d, int32_t pid, int32_t fd,
			    int64_t *to, size_t *n)
{
	size_t lo = 0, hi = d->nclosing;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->closing[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < d->nclosing && d->closing[lo].pid == pid; lo++) {
		const struct closing *c = &d->closing[lo];

		if (c->fd == fd || (c->above && c->fd < fd))
			to[(*n)++] = c->time_ns;
	}
}

/* Their times, sorted; d->closing is sorted by process. */
static size_t closings_of(const struct descriptors *d, const struct known *k, int64_t *to)
{
	size_t n = 0;

	closings_of_pid(d, -1, k->fd, to, &n);
	closings_of_pid(d, k->pid, k->fd, to, &n);
	qsort(to, n, sizeof(*to), by_time);
	return n;
}

static bool inside(const struct look *l, int64_t from_ns, int64_t to_ns)
{
	return l->seen_ns >= from_ns && l->before_ns >= from_ns && l->after_ns < to_ns;
}

/* What the looks between two closings say; "" = nothing, or not the same. */
static const char *path_between(const struct known *k, int64_t from_ns, int64_t to_ns)
{
	const char *path = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct stretch *s = &k->s[i];

		if (!inside(&s->first, from_ns, to_ns) &&
		    !inside(&s->last, from_ns, to_ns))
			continue;
		if (path && strcmp(path, s->path))
			return "";
		path = s->path;
	}
	return path ? path : "";
}

static int tell(struct meta *m, const struct known *k, int64_t from_ns, const char *path,
		struct err *e)
{
	struct meta_fd *fd = meta_add_fd(m);

	if (!fd || !(fd->path = strdup(path))) {
		m->nfd -= fd != NULL;
		return err_nomem(e, "a descriptor's path");
	}
	fd->pid = k->pid;
	fd->fd = k->fd;
	fd->from_ns = from_ns;
	return 0;
}

static int finish_one(const struct descriptors *d, const struct known *k, int64_t *closed,
		      struct meta *m, struct err *e)
{
	size_t n = closings_of(d, k, closed);
	const char *told = NULL;
	int rc = 0;

	for (size_t i = 0; i <= n && !rc; i++) {
		int64_t from_ns = i ? closed[i - 1] : 0;
		const char *path =
			path_between(k, from_ns, i < n ? closed[i] : INT64_MAX);

		if (i < n && closed[i] <= k->first_ns)
			continue;
		if (told && !strcmp(told, path))
			continue;
		told = path;
		rc = tell(m, k, from_ns > k->first_ns ? from_ns : k->first_ns, path, e);
	}
	return rc;
}

int descriptors_finish(struct descriptors *d, struct meta *m, struct err *e)
{
	int64_t *closed;
	int rc = 0;

	if (!d)
		return 0;
	closed = calloc(d->nclosing + 1, sizeof(*closed));
	if (!closed)
		return err_nomem(e, "%zu closings", d->nclosing);
	if (d->full && meta_add_warning(m, "too many descriptors or closings: those "
					   "that came last are unknown"))
		rc = err_nomem(e, "a warning");
	if (d->nclosing)
		qsort(d->closing, d->nclosing, sizeof(*d->closing), by_pid);
	for (size_t i = 0; i < d->nknown && !rc; i++)
		rc = finish_one(d, &d->known[i], closed, m, e);
	free(closed);
	return rc;
}
