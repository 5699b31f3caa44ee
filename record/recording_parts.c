/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording in several files. Each has all that a file of one's own has: the head, so that it
 * can be read by itself, and an end. Between two passes over the rings the one is ended and
 * the next begun; no event stops for it. What the kernel counted is known only when all
 * has ended: it stands in the last file.
 */
#include "record/recording_impl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file/perfdata_feat.h"
#include "record/descriptors.h"

static bool wanted(const struct recording *r)
{
	return r->o->rotate_ns || r->o->part_bytes;
}

void recording_parts_begin(struct recording *r)
{
	if (!wanted(r))
		return;
	r->parts.number = 1;
	r->parts.since_ns = now_ns(CLOCK_MONOTONIC);
	r->meta.part = 1;
}

int recording_parts_check(const struct recording *r, struct err *e)
{
	const char *slash = strrchr(r->o->output, '/');
	char *dir;
	int rc = 0;

	if (!wanted(r))
		return 0;
	dir = slash ? strndup(r->o->output, (size_t)(slash - r->o->output) + 1)
		    : strdup(".");
	if (!dir)
		return err_nomem(e, "a recording");
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS))
		rc = err_errno(
			e,
			"%s: its directory cannot be written to by %s, as whom the "
			"parts behind the first are made; name a file elsewhere",
			r->o->output,
			r->o->invoking->name ? r->o->invoking->name
					     : "who called dmarec");
	free(dir);
	return rc;
}

/* ---- the end of one ---- */

static uint64_t before(const struct recording *r, size_t event)
{
	return event < r->parts.nbefore ? r->parts.before[event] : 0;
}

static int write_end(struct recording *r, struct err *e)
{
	struct perfdata_section s[4] = {0};
	size_t n = 1;
	int rc = recording_meta_section(&r->meta, false, &s[0], e);

	if (!rc && r->in.last_ns)
		rc = feat_sample_time(&s[n++], (int64_t)r->in.first_ns,
				      (int64_t)r->in.last_ns, e);
	if (!rc)
		rc = recording_late_sections(r, r->in.file, s, &n, e);
	r->parts.bytes += perfdata_written(r->in.file);
	if (rc)
		perfdata_abandon(r->in.file);
	else
		rc = perfdata_finish(r->in.file, s, n, e);
	r->in.file = NULL;
	recording_free_sections(s, n);
	return rc;
}

/* The times of the file that ends. */
static void set_times(struct recording *r, int64_t end_ns)
{
	int64_t begin_ns = r->parts.begin_ns;

	if (begin_ns) {
		r->meta.begin_wall_ns += begin_ns - r->meta.begin_ns;
		r->meta.begin_ns = begin_ns;
	}
	r->meta.end_ns = end_ns;
}

/* What is known by now goes into its end, and is forgotten for the next one's. */
static int end_part(struct recording *r, struct err *e)
{
	struct meta *m = &r->meta;
	int64_t begin_ns = m->begin_ns, wall_ns = m->begin_wall_ns, end_ns = m->end_ns;
	size_t nwarning = m->nwarning, nfd = m->nfd;
	int rc;

	set_times(r, r->in.split_ns);
	m->more = true;
	for (size_t i = 0; i < m->nevent; i++)
		m->event[i].delivered =
			(int64_t)(r->in.delivered[i] - before(r, i) - r->in.in_next[i]);
	rc = descriptors_finish(r->in.descriptors, m, e);
	if (!rc)
		rc = write_end(r, e);
	while (m->nfd > nfd)
		free(m->fd[--m->nfd].path);
	while (m->nwarning > nwarning)
		free(m->warning[--m->nwarning]);
	m->begin_ns = begin_ns;
	m->begin_wall_ns = wall_ns;
	m->end_ns = end_ns;
	m->more = false;
	return rc;
}

/* ---- the beginning of the next ---- */

/* Of the recording's beginning only what is true of this part's. */
static int describe(struct recording *r, int64_t at_ns, struct err *e)
{
	struct perfdata_section *ours = &r->parts.head[r->parts.nhead - 1];
	struct meta m = r->meta;
	int rc;

	m.irq = calloc(m.nirq + 1, sizeof(*m.irq));
	if (!m.irq)
		return err_nomem(e, "a recording");
	memcpy(m.irq, r->meta.irq, m.nirq * sizeof(*m.irq));
	for (size_t i = 0; i < m.nirq; i++)
		m.irq[i].count_before = DMA_UNKNOWN;
	m.ncounter = 0;
	m.part = (int64_t)r->parts.number;
	m.from_start = r->meta.from_start = false;
	m.begin_ns = at_ns;
	m.begin_wall_ns += at_ns - r->meta.begin_ns;
	free((void *)ours->buf);
	rc = recording_meta_section(&m, true, ours, e);
	free(m.irq);
	return rc;
}

/* Up to now all goes into the one, from now on into the other: what lies in the rings still
 * is told apart by its time. */
static int begin_part(struct recording *r, struct err *e)
{
	struct perfdata_owner owner = {r->o->invoking->uid, r->o->invoking->gid};
	int64_t at_ns = now_ns(r->o->clockid);
	struct perfdata_writer *next = NULL;
	char *path = NULL;
	int rc;

	r->parts.number++;
	r->parts.since_ns = now_ns(CLOCK_MONOTONIC);
	rc = describe(r, at_ns, e);
	if (!rc && asprintf(&path, "%s.%04zu", r->o->output, r->parts.number) < 0)
		return err_nomem(e, "a recording");
	if (!rc)
		rc = perfdata_create(&next, path, &owner, r->attr, r->nattr,
				     r->parts.head, r->parts.nhead, e);
	free(path);
	if (!rc)
		intake_split(&r->in, next, at_ns);
	return rc;
}

/* The first of two files is whole. */
static int go_on(struct recording *r, struct err *e)
{
	size_t n = r->meta.nevent;
	uint64_t *grown = realloc(r->parts.before, (n + 1) * sizeof(*grown));
	int rc = grown ? end_part(r, e) : err_nomem(e, "a recording");

	if (grown)
		r->parts.before = grown;
	else
		perfdata_abandon(r->in.file);
	for (size_t i = 0; grown && i < n; i++)
		grown[i] = r->in.delivered[i] - r->in.in_next[i];
	r->parts.nbefore = grown ? n : r->parts.nbefore;
	r->parts.begin_ns = r->in.split_ns;
	r->in.file = r->in.next;
	r->in.next = NULL;
	r->in.first_ns = r->in.last_ns = 0;
	return rc;
}

static bool is_due(const struct recording *r)
{
	const struct recording_options *o = r->o;
	int64_t lasted = now_ns(CLOCK_MONOTONIC) - r->parts.since_ns;

	return (o->rotate_ns && lasted >= o->rotate_ns) ||
	       (o->part_bytes && perfdata_written(r->in.file) >= o->part_bytes);
}

int recording_parts_look(struct recording *r, struct err *e)
{
	if (!r->parts.number)
		return 0;
	if (r->in.next)
		return intake_is_split(&r->in) ? go_on(r, e) : 0;
	return is_due(r) ? begin_part(r, e) : 0;
}

int recording_parts_settle(struct recording *r, struct err *e)
{
	return r->in.next ? go_on(r, e) : 0;
}

/* All that is missing may be missing in the last file: so the sum over the files is right, and
 * the last one alone says no less. */
void recording_parts_end(struct recording *r)
{
	if (!r->parts.number)
		return;
	set_times(r, r->meta.end_ns);
	for (size_t i = 0; i < r->meta.nevent; i++) {
		r->meta.event[i].counted -= (int64_t)before(r, i);
		r->meta.event[i].delivered -= (int64_t)before(r, i);
	}
}

void recording_parts_release(struct recording *r)
{
	recording_free_sections(r->parts.head, r->parts.nhead);
	free(r->parts.before);
	r->parts = (struct recording_parts){0};
}
