/* SPDX-License-Identifier: GPL-2.0-only */
#include "descriptors.h"

#include <inttypes.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "rootfs.h"

/* Where a sample of session.c keeps what (IDENTIFIER, IP, TID, TIME, CPU, RAW). */
enum { AT_PID = 24, AT_TIME = 32, AT_RAW_LEN = 48, AT_RAW = 52 };
enum { MAX_KNOWN = 1 << 16 };

/* One descriptor of one process. */
struct known {
	int32_t pid, fd;
	bool seen;	 /* since the last look */
	int64_t seen_ns; /* first of these samples */
	char *path;	 /* at the last look that found one; NULL = none yet */
};

struct field {
	uint16_t offset, size; /* 0 = the event has none */
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
	bool full, told;
};

bool descriptors_wanted(const struct meta_event *ev)
{
	return ev->npath > 0;
}

/* "\tfield:s32 fd;\toffset:16;\tsize:4;\tsigned:1;" */
static void find_field(const char *format, struct field *f)
{
	const char *at = strstr(format, " fd;\toffset:");
	unsigned offset, size;

	if (at && sscanf(at, " fd;\toffset:%u;\tsize:%u;", &offset, &size) == 2 &&
	    offset < 4096 && (size == 4 || size == 8))
		*f = (struct field){(uint16_t)offset, (uint16_t)size};
}

static int read_format(struct descriptors *d, size_t i, const char *root,
		       const char *name, struct err *e)
{
	const char *colon = strchr(name, ':');
	char path[256], *text;
	int rc;

	if (!colon)
		return 0;
	snprintf(path, sizeof(path), "/events/%.*s/%s/format", (int)(colon - name), name,
		 colon + 1);
	rc = rootfs_read(root, path, 1 << 20, &text, NULL, e);
	if (rc)
		return rc;
	find_field(text, &d->field[i]);
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
		return err_set(e, ERR_NOMEM, "no memory to look at descriptors");
	}
	d->clockid = clockid;
	d->nevent = m->nevent;
	for (size_t i = 0; !rc && i < m->nevent; i++)
		if (descriptors_wanted(&m->event[i]))
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
	for (size_t i = 0; i < d->nknown; i++)
		free(d->known[i].path);
	free(d->known);
	free(d->slot);
	free(d->seen);
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

/* NULL with *e empty: more than MAX_KNOWN. */
static struct known *find(struct descriptors *d, int32_t pid, int32_t fd, struct err *e)
{
	uint32_t *slot = d->room ? slot_of(d, pid, fd) : NULL;

	if (slot && *slot)
		return &d->known[*slot - 1];
	if (d->nknown == MAX_KNOWN) {
		d->full = true;
		return NULL;
	}
	if (d->nknown == d->room && grow(d)) {
		err_set(e, ERR_NOMEM, "no memory for %zu descriptors", d->nknown + 1);
		return NULL;
	}
	d->known[d->nknown] = (struct known){.pid = pid, .fd = fd};
	*slot_of(d, pid, fd) = (uint32_t)d->nknown + 1;
	return &d->known[d->nknown++];
}

int descriptors_see(struct descriptors *d, size_t event, const void *sample, size_t size,
		    struct err *e)
{
	const char *at = sample;
	const struct field *f = d && event < d->nevent ? &d->field[event] : NULL;
	struct err why = {0};
	uint32_t raw_len;
	struct known *k;
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
	k = find(d, pid, fd, &why);
	if (!k)
		return why.code ? err_set(e, ERR_NOMEM, "%s", why.text) : 0;
	if (k->seen) {
		k->seen_ns = time_ns < k->seen_ns ? time_ns : k->seen_ns;
		return 0;
	}
	k->seen = true;
	k->seen_ns = time_ns;
	d->seen[d->nseen++] = (uint32_t)(k - d->known);
	return 0;
}

/* ---- looking ---- */

static int tell(struct meta *m, const struct known *k, int64_t from_ns, const char *path,
		struct err *e)
{
	struct meta_fd *fd = meta_add_fd(m);

	if (!fd || !(fd->path = strdup(path))) {
		m->nfd -= fd != NULL;
		return err_set(e, ERR_NOMEM, "no memory for a descriptor's path");
	}
	fd->pid = k->pid;
	fd->fd = k->fd;
	fd->from_ns = from_ns;
	return 0;
}

/* A descriptor that is closed by now was what it was at the last look. */
static int look(struct descriptors *d, struct known *k, struct meta *m, struct err *e)
{
	char link[64], path[PATH_MAX], *copy;
	struct timespec t;
	ssize_t n;
	int rc = 0;

	snprintf(link, sizeof(link), "/proc/%" PRId32 "/fd/%" PRId32, k->pid, k->fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = 0;
	if (k->path && !strcmp(k->path, path))
		return 0;
	copy = strdup(path);
	if (!copy)
		return err_set(e, ERR_NOMEM, "no memory for a descriptor's path");
	if (k->path) { /* the samples since the last look may be of either */
		clock_gettime(d->clockid, &t);
		rc = tell(m, k, k->seen_ns, "", e);
		k->seen_ns = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
	}
	free(k->path);
	k->path = copy;
	return rc ? rc : tell(m, k, k->seen_ns, path, e);
}

int descriptors_look(struct descriptors *d, struct meta *m, struct err *e)
{
	static const char full[] = "more than 65536 descriptors were used: those that "
				   "came later are unknown";
	int rc = 0;

	for (size_t i = 0; d && i < d->nseen; i++) {
		struct known *k = &d->known[d->seen[i]];

		if (!rc)
			rc = look(d, k, m, e);
		k->seen = false;
	}
	if (d)
		d->nseen = 0;
	if (d && d->full && !d->told)
		meta_add_warning(m, full);
	if (d)
		d->told = d->full;
	return rc;
}
