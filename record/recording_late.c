/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files with code that appear while the recording runs: planned, and armed for everything that is
 * recorded; their samples go into the rings that there are. Each has a session of its own, whose waits are enabled
 * before its starts, as with a process that is attached to.
 */
#include "record/recording_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/file/perfdata_feat.h"
#include "lib/num.h"
#include "record/armer.h"
#include "record/elf/symbols.h"
#include "record/host/rootfs.h"
#include "record/late.h"
#include "record/live/live.h"
#include "record/patched.h"
#include "record/probes.h"
#include "record/tracing.h"

enum {
	MOST_FILES = 16, /* chosen: each has events of its own for every thread and CPU */
	NAMES_BYTES = 300,
};

struct late_batch {
	struct plan plan;
	struct session *session;
	struct threads threads;
	size_t first; /* its first event's number */
	char **format;
	uint32_t *id;
	bool *start;
	bool again; /* it failed, and may not the next time */
};

int recording_late_open(struct recording *r, struct err *e)
{
	int rc = armer_new(&r->late.armer, r->probes, e);

	r->late.func = r->o->plan->nfunc;
	r->work.other = rc ? 0 : armer_pid(r->late.armer);
	return rc;
}

static void batch_release(struct late_batch *b)
{
	session_close(b->session);
	threads_release(&b->threads);
	for (size_t i = 0; b->format && i < b->plan.n; i++)
		free(b->format[i]);
	free(b->format);
	free(b->id);
	free(b->start);
	plan_release(&b->plan);
}

/* ---- arming ---- */

/* A process in a container has other files under these names. */
static bool is_elsewhere(const struct late_file *f)
{
	struct stat here, there;
	char *path = NULL;
	bool other = asprintf(&path, "/proc/%d/root%s", (int)f->pid, f->path) >= 0 &&
		     !stat(path, &there) && !stat(f->path, &here) &&
		     (here.st_ino != there.st_ino || here.st_dev != there.st_dev);

	free(path);
	return other;
}

static int check(const struct late_batch *b, const struct late_file *f, struct err *e)
{
	for (size_t i = 0; i < b->plan.n; i++)
		if (b->plan.probe[i].spec->npath)
			return err_set(e, ERR_UNSUPPORTED,
				       "devices that are told by their path can only be "
				       "recorded from the beginning");
	if (is_elsewhere(f))
		return err_set(e, ERR_UNSUPPORTED,
			       "the process has another file of that name");
	return patched_check(&b->plan, e);
}

/* The function's events in one file are of one system of tracefs. */
static int define(struct recording *r, struct late_batch *b, struct err *e)
{
	int rc = 0;

	b->format = calloc(b->plan.n + 1, sizeof(*b->format));
	b->id = calloc(b->plan.n + 1, sizeof(*b->id));
	b->start = calloc(b->plan.n + 1, sizeof(*b->start));
	if (!b->format || !b->id || !b->start)
		return err_nomem(e, "a recording");
	for (size_t i = 0; !rc && i < b->plan.n; i++) {
		b->start[i] = b->plan.probe[i].role == ROLE_SUBMIT;
		rc = armer_add(r->late.armer, &b->plan.probe[i], &b->id[i], &b->format[i],
			       e);
	}
	return rc;
}

static bool contains(const pid_t *list, size_t n, pid_t one)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == one)
			return true;
	return false;
}

/* The processes that are recorded; malloc'ed. */
static pid_t *processes(const struct recording *r, size_t *n)
{
	pid_t *list;

	if (r->o->argv)
		return workload_processes(&r->work, n);
	*n = r->o->npid;
	list = calloc(*n + 1, sizeof(*list));
	if (list)
		memcpy(list, r->o->pid, *n * sizeof(*list));
	return list;
}

/* Whoever was begotten between the listing and the opening may have some of the events only. */
static int open_session(struct recording *r, struct late_batch *b, struct err *e)
{
	struct session_options so = {.attach = true,
				     .everyone = r->o->everyone,
				     .clockid = r->o->clockid,
				     .uprobe = b->id,
				     .nuprobe = b->plan.n,
				     .start = b->start,
				     .into = r->session};
	size_t n, nnow = 0;
	pid_t *pid = processes(r, &n), *now = NULL;
	bool missed = false;
	int rc = pid ? threads_open(&b->threads, &b->session, (struct pids){pid, n}, &so,
				    e)
		     : err_set(e, ERR_NOTFOUND, "the processes have ended");

	if (!rc && !r->o->everyone)
		now = processes(r, &nnow);
	for (size_t i = 0; now && i < nnow; i++)
		missed |= !contains(pid, n, now[i]);
	b->again = !rc && (missed || b->threads.strict);
	if (b->again)
		rc = err_set(e, ERR_UNSUPPORTED,
			     "processes and threads begin there all the time, and some "
			     "would have had a part of the probes only");
	free(pid);
	free(now);
	return rc;
}

/* Its events are behind all that there are. */
static int add_events(struct recording *r, struct late_batch *b, struct err *e)
{
	struct perfdata_attr *attr = calloc(b->plan.n + 1, sizeof(*attr));
	bool *starts;
	int rc = attr ? 0 : err_nomem(e, "a recording");

	b->first = r->meta.nevent;
	starts = realloc(r->starts, b->first + b->plan.n + 1);
	if (starts)
		r->in.starts = r->starts = starts;
	else
		rc = err_nomem(e, "a recording");
	for (size_t i = 0; !rc && i < b->plan.n; i++) {
		starts[b->first + i] = b->start[i];
		session_event(b->session, i, &attr[i].attr, &attr[i].ids, &attr[i].nids);
	}
	if (!rc)
		rc = snapshot_late(&r->meta, &b->plan, probes_group(r->probes), e);
	if (!rc)
		rc = intake_add(&r->in, attr, b->plan.n, starts, e);
	free(attr);
	return rc;
}

static int arm(struct recording *r, struct late_batch *b, const struct late_file *f,
	       struct err *e)
{
	int rc = r->late.nbatch < MOST_FILES
			 ? check(b, f, e)
			 : err_set(e, ERR_LIMIT,
				   "%d other files were armed during the recording, and "
				   "no more are",
				   MOST_FILES);

	if (!rc)
		rc = define(r, b, e);
	return rc ? rc : open_session(r, b, e);
}

/* ---- what the file must know of it ---- */

static int tracing_section(struct recording *r, struct perfdata_section *s, struct err *e)
{
	size_t n = r->meta.nevent - r->nattr, k = 0, len = 0;
	char **format = calloc(n + 1, sizeof(*format)), *buf = NULL;
	int rc = format ? 0 : err_nomem(e, "a recording");

	for (size_t i = 0; !rc && i < r->late.nbatch; i++)
		for (size_t j = 0; j < r->late.batch[i].plan.n; j++)
			format[k++] = r->late.batch[i].format[j];
	if (!rc)
		rc = tracing_data_more(r->late.tracing, r->late.ntracing,
				       probes_group(r->probes), format, n, &buf, &len, e);
	free(format);
	*s = (struct perfdata_section){FEAT_TRACING_DATA, buf, len};
	return rc;
}

/* Of all events, the late ones behind the others; malloc'ed, NULL = no memory. */
static struct perfdata_attr *all_attributes(const struct recording *r)
{
	struct perfdata_attr *all = calloc(r->meta.nevent + 1, sizeof(*all));

	if (!all)
		return NULL;
	memcpy(all, r->attr, r->nattr * sizeof(*all));
	for (size_t i = 0; i < r->late.nbatch; i++) {
		const struct late_batch *b = &r->late.batch[i];

		for (size_t k = 0; k < b->plan.n; k++)
			session_event(b->session, k, &all[b->first + k].attr,
				      &all[b->first + k].ids, &all[b->first + k].nids);
	}
	for (size_t i = 0; i < r->meta.nevent; i++)
		all[i].name = r->meta.event[i].name;
	return all;
}

/* As a file would begin that had all events from its beginning on. */
static int meta_of_all(const struct recording *r, struct perfdata_section *s,
		       struct err *e)
{
	struct meta m = r->meta;
	int rc;

	m.event = calloc(m.nevent + 1, sizeof(*m.event));
	if (!m.event)
		return err_nomem(e, "a recording");
	memcpy(m.event, r->meta.event, m.nevent * sizeof(*m.event));
	for (size_t i = 0; i < m.nevent; i++)
		m.event[i].late = false;
	rc = recording_meta_section(&m, true, s, e);
	free(m.event);
	return rc;
}

/* The view learns of the events before it gets their first record. */
static int renew_live(struct recording *r, struct err *e)
{
	struct perfdata_section s[HEAD_SECTIONS], own[3] = {{0}};
	struct perfdata_attr *all = all_attributes(r);
	void *head = NULL;
	size_t len = 0;
	int rc = all ? tracing_section(r, &own[0], e) : err_nomem(e, "a recording");

	if (!rc)
		rc = feat_event_desc(&own[1], all, r->meta.nevent, e);
	if (!rc)
		rc = meta_of_all(r, &own[2], e);
	for (size_t i = 0; !rc && i < r->parts.nhead; i++) {
		s[i] = r->parts.head[i];
		for (size_t k = 0; k < sizeof(own) / sizeof(*own); k++)
			if (own[k].feat == s[i].feat)
				s[i] = own[k];
	}
	if (!rc)
		rc = perfdata_head(&head, &len, all, r->meta.nevent, s, r->parts.nhead,
				   e);
	if (!rc)
		live_renew(r->live, head, len);
	recording_free_sections(own, sizeof(own) / sizeof(*own));
	free(head);
	free(all);
	return rc;
}

/* Functions by name, without doubles. */
static void name_functions(const struct plan *p, char text[NAMES_BYTES])
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < p->n && len < NAMES_BYTES - 1; i++) {
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told |= !strcmp(p->probe[k].function, p->probe[i].function);
		if (!told)
			len += (size_t)snprintf(text + len, NAMES_BYTES - len, "%s%s",
						len ? ", " : "", p->probe[i].function);
	}
}

static void tell(struct recording *r, const struct late_batch *b,
		 const struct late_file *f)
{
	char names[NAMES_BYTES], at[32], after[32], *text;

	name_functions(&b->plan, names);
	num_print_ns(at, f->time_ns - r->meta.begin_ns);
	num_print_ns(after, now_ns(r->o->clockid) - f->time_ns);
	if (asprintf(
		    &text,
		    "%s, which process %d mapped during the recording (%s after its "
		    "beginning), has %s: recorded from %s later on, and calls before that "
		    "are not; -x %s records them from the beginning",
		    f->path, (int)f->pid, at, names, after, f->path) < 0)
		return;
	if (!meta_add_warning(&r->meta, text) && r->o->verbosity >= 0)
		cli_note(TOOL, "%s", text);
	free(text);
}

static int plan(struct recording *r, struct late_batch *b, const struct late_file *f,
		struct err *e)
{
	char *path = (char *)f->path;
	struct plan_files file = {0};
	int rc = plan_files_open(&file, &path, 1, e);

	if (!rc)
		rc = plan_make_late(&b->plan, r->o->profile, &file, r->o->exits,
				    r->late.func, ++r->late.planned, e);
	plan_files_close(&file);
	return rc;
}

static int record(struct recording *r, struct late_batch *b, const struct late_file *f,
		  struct err *e)
{
	int rc = add_events(r, b, e);

	if (!rc && r->live)
		rc = renew_live(r, e);
	if (!rc)
		rc = session_enable(b->session, e);
	if (!rc)
		tell(r, b, f);
	r->late.func = b->plan.nfunc;
	return rc;
}

/* 0 = armed, or it cannot be, which is told at the end. */
static int take(struct recording *r, const struct late_file *f, struct err *e)
{
	struct late_batch *b = array_add(&r->late.batch, &r->late.nbatch);
	struct err why = {0};
	int rc;

	if (!b)
		return err_nomem(e, "a recording");
	rc = plan(r, b, f, &why);
	if (!rc && b->plan.n)
		rc = arm(r, b, f, &why);
	if (rc)
		late_refused(r->in.late, f->index, why.text, b->again);
	else
		late_armed(r->in.late, f->index);
	if (!rc && b->plan.n)
		return record(r, b, f, e);
	batch_release(b);
	r->late.nbatch--;
	return rc == ERR_NOMEM ? err_nomem(e, "a recording") : 0;
}

int recording_late_catch_up(struct recording *r, struct err *e)
{
	char **name;
	size_t n;
	int rc = rootfs_names("", "/proc", &name, &n, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		pid_t pid = (pid_t)strtol(name[i], NULL, 10);
		char **path = NULL, *told = NULL;
		size_t npath = 0;

		if (pid <= 0 || contains(r->o->before, r->o->nbefore, pid) ||
		    loader_files_of_pid(pid, &path, &npath, &told, NULL))
			continue;
		for (size_t k = 0; k < npath; k++)
			late_mapped(r->in.late, pid, path[k], r->meta.begin_ns);
		paths_free(path, npath);
		free(told);
	}
	rootfs_names_free(name, n);
	return 0;
}

int recording_late_look(struct recording *r, struct err *e)
{
	struct late_file f = {.index = SIZE_MAX};
	int rc = 0;

	while (!rc && r->late.armer &&
	       late_next(r->in.late, r->o->invoking->uid, f.index + 1, &f))
		rc = take(r, &f, e);
	return rc;
}

/* ---- the end ---- */

void recording_late_disable(struct recording *r)
{
	for (size_t i = 0; i < r->late.nbatch; i++)
		session_disable(r->late.batch[i].session, NULL);
}

int recording_late_count(struct recording *r, size_t event, uint64_t *counted,
			 struct err *e)
{
	for (size_t i = 0; i < r->late.nbatch; i++) {
		struct late_batch *b = &r->late.batch[i];

		if (event >= b->first && event < b->first + b->plan.n)
			return session_count(b->session, event - b->first, counted, e);
	}
	*counted = 0;
	return 0;
}

int recording_late_sections(struct recording *r, struct perfdata_writer *file,
			    struct perfdata_section *s, size_t *n, struct err *e)
{
	struct perfdata_attr *all;
	int rc;

	if (!r->late.nbatch)
		return 0;
	free(r->late.all); /* of the part before */
	all = r->late.all = all_attributes(r);
	if (!all)
		return err_nomem(e, "a recording");
	rc = tracing_section(r, &s[*n], e);
	*n += !rc;
	if (!rc)
		rc = feat_event_desc(&s[*n], all, r->meta.nevent, e);
	*n += !rc;
	if (!rc)
		perfdata_replace_attrs(file, all, r->meta.nevent);
	return rc;
}

void recording_late_disarm(struct recording *r)
{
	for (size_t i = 0; i < r->late.nbatch; i++) {
		session_close(r->late.batch[i].session);
		r->late.batch[i].session = NULL;
	}
	armer_free(r->late.armer);
	r->late.armer = NULL;
}

void recording_late_release(struct recording *r)
{
	for (size_t i = 0; i < r->late.nbatch; i++)
		batch_release(&r->late.batch[i]);
	free(r->late.batch);
	free(r->late.tracing);
	free(r->late.all);
	r->late = (struct recording_late){0};
}
