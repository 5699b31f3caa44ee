/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot of what the flight recorder holds, while it goes on: a file like the recording's
 * own, of a run of its own. It has all between two moments: from when the last round that was
 * forgotten had been read, until the reading of the rings began that was the last one.
 */
#include "record/recording_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/descriptors.h"
#include "record/live/keep.h"

struct snap {
	struct recording *r;
	struct perfdata_writer *file;
	int64_t from_ns,
		to_ns; /* what is earlier than from, or not earlier than to, is left out */
	uint64_t *count; /* of each event: samples in it */
	char uuid[128];
};

static int put(void *arg, const void *buf, size_t len, struct err *e)
{
	struct snap *s = arg;
	const char *p = buf, *end = p + len;
	struct perf_event_header h;
	int64_t time_ns;
	int rc = 0;

	for (; !rc && (size_t)(end - p) >= sizeof(h); p += h.size) {
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h) || h.size > end - p)
			break;
		time_ns = intake_time(&s->r->in, p, h.size);
		if (time_ns && (time_ns < s->from_ns || time_ns >= s->to_ns))
			continue;
		intake_count(&s->r->in, p, h.size, s->count);
		rc = perfdata_append(s->file, p, h.size, e);
	}
	return rc;
}

static int end_round(void *arg, struct err *e)
{
	return perfdata_round(((struct snap *)arg)->file, e);
}

/* What is true of the snapshot, in place of what is true of the recording; restore() takes it
 * back. The arrays are the recording's, but for the interrupts. */
static int describe(struct snap *s, struct meta *m, struct err *e)
{
	m->irq = calloc(m->nirq + 1, sizeof(*m->irq));
	if (!m->irq)
		return err_nomem(e, "a snapshot");
	memcpy(m->irq, s->r->meta.irq, m->nirq * sizeof(*m->irq));
	for (size_t i = 0; i < m->nirq; i++)
		m->irq[i].count_before = DMA_UNKNOWN;
	snprintf(s->uuid, sizeof(s->uuid), "%s.snap-%zu", m->uuid, s->r->nsnap);
	m->uuid = s->uuid;
	m->ncounter = 0;
	m->begin_wall_ns += s->from_ns - m->begin_ns;
	m->begin_ns = s->from_ns;
	return 0;
}

static int create(struct snap *s, const char *path, struct err *e)
{
	struct recording *r = s->r;
	struct perfdata_owner owner = {r->o->invoking->uid, r->o->invoking->gid};
	struct perfdata_section head[HEAD_SECTIONS];
	size_t n = r->parts.nhead;
	struct meta m = r->meta;
	int rc = describe(s, &m, e);

	if (rc)
		return rc;
	memcpy(head, r->parts.head, n * sizeof(*head));
	rc = recording_meta_section(&m, true, &head[n - 1], e);
	free(m.irq);
	if (!rc)
		rc = perfdata_create(&s->file, path, &owner, r->attr, r->nattr, head, n,
				     e);
	free((void *)head[n - 1].buf);
	return rc;
}

static const char about[] =
	"a snapshot of what was kept (--keep) while the recording went on: what was in flight "
	"when it begins was not seen to start, and the kernel's counts are not known";

/* The end's half, with the descriptors that are known by now. */
static int finish(struct snap *s, struct err *e)
{
	struct meta *m = &s->r->meta;
	struct perfdata_section section[4] = {0};
	int64_t begin_ns = m->begin_ns, wall_ns = m->begin_wall_ns;
	size_t nwarning = m->nwarning, nfd = m->nfd, n = 1;
	int rc;

	m->begin_wall_ns += s->from_ns - m->begin_ns;
	m->begin_ns = s->from_ns;
	m->end_ns = s->to_ns;
	for (size_t i = 0; i < m->nevent; i++)
		m->event[i].delivered = (int64_t)s->count[i];
	rc = descriptors_finish(s->r->in.descriptors, m, e);
	if (!rc && meta_add_warning(m, about))
		rc = err_nomem(e, "a snapshot");
	if (!rc)
		rc = recording_meta_section(m, false, &section[0], e);
	if (!rc)
		rc = recording_late_sections(s->r, s->file, section, &n, e);
	while (m->nfd > nfd)
		free(m->fd[--m->nfd].path);
	while (m->nwarning > nwarning)
		free(m->warning[--m->nwarning]);
	m->begin_ns = begin_ns;
	m->begin_wall_ns = wall_ns;
	m->end_ns = DMA_UNKNOWN;
	if (!rc) {
		rc = perfdata_finish(s->file, section, n, e);
		s->file = NULL;
	}
	recording_free_sections(section, n);
	return rc;
}

static int write_snap(struct recording *r, const char *path, struct err *e)
{
	struct snap s = {
		.r = r, .from_ns = keep_from_ns(r->keep), .to_ns = r->in.drained_ns};
	int rc = 0;

	if (s.from_ns == DMA_UNKNOWN)
		s.from_ns = r->meta.begin_ns;
	s.count = calloc(r->meta.nevent + 1, sizeof(*s.count));
	if (!s.count)
		return err_nomem(e, "a snapshot");
	rc = create(&s, path, e);
	if (!rc)
		rc = keep_each(r->keep, put, end_round, &s, e);
	if (!rc)
		rc = finish(&s, e);
	perfdata_abandon(s.file);
	free(s.count);
	return rc;
}

/* *path: of what was written, malloc'ed; NULL = nothing was, which is told. */
static void make_snap(struct recording *r, char **path)
{
	struct err e = {0};

	r->nsnap++;
	if (asprintf(path, "%s.snap-%zu", r->o->output, r->nsnap) < 0)
		*path = NULL;
	if (!*path || !write_snap(r, *path, &e))
		return;
	cli_warn(TOOL, "no snapshot: %s", e.text);
	free(*path);
	*path = NULL;
}

/* ---- the worst ---- */

struct snap_worst {
	int64_t worth;
	char *path;
};

static void forget_least(struct recording *r)
{
	struct snap_worst *least = r->worst;

	for (size_t i = 1; i < r->nworst; i++)
		if (r->worst[i].worth < least->worth)
			least = &r->worst[i];
	if (unlink(least->path))
		cli_warn(TOOL, "%s: cannot be removed", least->path);
	free(least->path);
	*least = r->worst[--r->nworst];
}

static bool is_among(const struct recording *r, int64_t worth)
{
	for (size_t i = 0; i < r->nworst; i++)
		if (r->worst[i].worth < worth)
			return true;
	return r->nworst < (size_t)r->o->live.snapshots;
}

/* The path of what was kept; NULL = it is not among the worst, or was not written. */
static const char *keep_worst(struct recording *r, int64_t worth)
{
	struct snap_worst *added = NULL;
	char *path = NULL, took[32];

	if (is_among(r, worth))
		make_snap(r, &path);
	if (path)
		added = array_add(&r->worst, &r->nworst);
	if (!added) {
		free(path);
		return NULL;
	}
	*added = (struct snap_worst){worth, path};
	if (r->o->verbosity >= 0)
		cli_note(TOOL, "snapshot of '%s' (%s): dmaanalyze -i %s trace.db",
			 live_rule(r->live),
			 num_print_ns(took, worth < 0 ? -worth : worth), path);
	if (r->nworst > (size_t)r->o->live.snapshots)
		forget_least(r);
	return path;
}

void recording_snap_look(struct recording *r)
{
	char *path = NULL;
	int64_t worth;

	if (r->in.torn || r->in.nheld)
		return;
	if (r->snap_wanted) {
		make_snap(r, &path);
		if (path && r->o->verbosity >= 0)
			cli_note(TOOL, "snapshot: dmaanalyze -i %s trace.db", path);
		free(path);
	}
	r->snap_wanted = false;
	if (r->snap_fired && live_worth(r->live, &worth)) {
		const char *kept = keep_worst(r, worth);

		r->fired_ns = 0;
		r->snap_fired = false;
		live_again(r->live, kept);
	}
}

void recording_snap_release(struct recording *r)
{
	for (size_t i = 0; i < r->nworst; i++)
		free(r->worst[i].path);
	free(r->worst);
}
