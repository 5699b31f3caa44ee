/* SPDX-License-Identifier: GPL-2.0-only */
/* The file: its sections, and what is kept for the end. */
#include "record/recording_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>

#include "lib/err.h"
#include "lib/file/perfdata_feat.h"
#include "lib/num.h"
#include "record/host/machine.h"
#include "record/host/rootfs.h"
#include "record/live/keep.h"
#include "record/tracing.h"

/* ---- the file ---- */

void recording_free_sections(struct perfdata_section *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)s[i].buf);
}

/* To be completed when more is armed; by then root's files cannot be read. */
static int keep_tracing(struct recording *r, const char *buf, size_t len, struct err *e)
{
	free(r->late.tracing);
	r->late.tracing = malloc(len);
	if (!r->late.tracing)
		return err_nomem(e, "a recording");
	memcpy(r->late.tracing, buf, len);
	r->late.ntracing = len;
	return 0;
}

static int trace_section(struct recording *r, struct perfdata_section *s, struct err *e)
{
	char **name = calloc(r->nattr + 1, sizeof(*name)), *buf = NULL;
	const char **format = calloc(r->nattr + 1, sizeof(*format));
	size_t len = 0, k;
	int rc = name && format ? 0 : err_nomem(e, "a recording");

	for (size_t i = 0; !rc && i < r->nattr; i++) {
		name[i] = strdup(r->meta.event[i].name);
		if (!name[i])
			rc = err_nomem(e, "a recording");
		else
			*strchr(name[i], ':') = '/';
		if (is_beside(r, i, &k))
			format[i] = beside_format(&r->beside, k);
	}
	if (!rc)
		rc = tracing_data((const char *const *)name, format, r->nattr, &buf, &len,
				  e);
	free(format);
	for (size_t i = 0; name && i < r->nattr; i++)
		free(name[i]);
	free(name);
	*s = (struct perfdata_section){FEAT_TRACING_DATA, buf, len};
	return rc ? rc : keep_tracing(r, buf, len, e);
}

int recording_meta_section(const struct meta *m, bool begin, struct perfdata_section *s,
			   struct err *e)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);
	int rc = out ? 0 : err_nomem(e, "a recording");

	if (!rc)
		rc = begin ? meta_write_begin(m, out) : meta_write_end(m, out);
	if (out && fclose(out) && !rc)
		rc = err_nomem(e, "a recording");
	*s = (struct perfdata_section){FEAT_DMAREC, buf, len};
	return rc;
}

/* perf's tools expect both to be there (data convert --to-json crashes without); a kernel
 * that does not tell leaves them out. */
static int cpu_sections(struct perfdata_section *s, size_t *n, struct err *e)
{
	char *name = machine_cpu_name(""), *id = machine_cpu_id("");
	int rc = 0;

	if (name)
		rc = feat_string(&s[(*n)++], FEAT_CPUDESC, name, e);
	if (!rc && id)
		rc = feat_string(&s[(*n)++], FEAT_CPUID, id, e);
	free(name);
	free(id);
	return rc;
}

static int tap_put(void *arg, const void *buf, size_t len, struct err *e)
{
	struct recording *r = arg;

	if (r->live)
		live_put(r->live, buf, len);
	return r->keep ? keep_put(r->keep, buf, len, e) : 0;
}

static void tap_round(void *arg)
{
	struct recording *r = arg;

	if (r->live)
		live_round(r->live);
	if (r->keep)
		keep_round(r->keep, now_ns(r->o->clockid));
}

/* The view reads what the file says of itself, and then what goes into the file. */
static int open_live(struct recording *r, const struct perfdata_section *s, size_t n,
		     struct err *e)
{
	struct live_options options = r->o->live;
	void *head = NULL;
	size_t len = 0;
	int rc = perfdata_head(&head, &len, r->attr, r->nattr, s, n, e);

	options.quiet = r->o->verbosity < 0;
	if (!rc)
		rc = live_new(&r->live, &options, head, len, r->o->clockid, e);
	if (!rc)
		r->in.tap = (struct intake_tap){r, tap_put, tap_round};
	free(head);
	return rc;
}

/* What comes is kept in memory; the file has its head already, and gets the rest in the
 * end (write_kept). */
static int open_keep(struct recording *r, struct err *e)
{
	r->keep = keep_new(r->o->live.keep_ns, r->o->live.keep_bytes);
	if (!r->keep)
		return err_nomem(e, "what is kept");
	r->kept = r->in.file;
	r->in.file = NULL;
	r->in.tap = (struct intake_tap){r, tap_put, tap_round};
	return 0;
}

int recording_create_file(struct recording *r, struct err *e)
{
	struct perfdata_section *s = r->parts.head;
	struct perfdata_clock clock = {.clockid = r->o->clockid};
	struct perfdata_owner owner = {r->o->invoking->uid, r->o->invoking->gid};
	struct utsname u;
	struct timespec res;
	size_t n = 0;
	int rc;

	uname(&u);
	clock_getres(r->o->clockid, &res);
	clock.wall_ns = r->meta.begin_wall_ns;
	clock.clock_ns = r->meta.begin_ns;
	rc = trace_section(r, &s[n++], e);
	if (!rc)
		rc = feat_string(&s[n++], FEAT_HOSTNAME, u.nodename, e);
	if (!rc)
		rc = feat_string(&s[n++], FEAT_OSRELEASE, u.release, e);
	if (!rc)
		rc = feat_string(&s[n++], FEAT_VERSION, "dmarec " DMA_VERSION, e);
	if (!rc)
		rc = feat_string(&s[n++], FEAT_ARCH, u.machine, e);
	if (!rc)
		rc = cpu_sections(s, &n, e);
	if (!rc)
		rc = feat_nrcpus(&s[n++], (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
				 (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), e);
	if (!rc)
		rc = feat_cmdline(&s[n++], (const char *const *)r->o->cmdline, e);
	if (!rc)
		rc = feat_event_desc(&s[n++], r->attr, r->nattr, e);
	if (!rc)
		rc = feat_clockid(&s[n++], (uint64_t)res.tv_nsec, e);
	if (!rc)
		rc = feat_clock_data(&s[n++], &clock, e);
	if (!rc)
		rc = recording_meta_section(&r->meta, true, &s[n++], e);
	if (!rc && r->o->output)
		rc = perfdata_create(&r->in.file, r->o->output, &owner, r->attr, r->nattr,
				     s, n, e);
	if (!rc && live_wanted(&r->o->live))
		rc = open_live(r, s, n, e);
	if (!rc && (r->o->live.keep_ns || r->o->live.keep_bytes))
		rc = open_keep(r, e);
	r->parts.nhead = n;
	return rc;
}

static char *join_words(char **argv)
{
	char *text = NULL;
	size_t len;
	FILE *out = argv ? open_memstream(&text, &len) : NULL;

	for (; out && *argv; argv++)
		fprintf(out, "%s%s", *argv, argv[1] ? " " : "");
	return out && !fclose(out) ? text : NULL;
}

int recording_fill_meta(struct recording *r, struct err *e)
{
	const struct recording_options *o = r->o;
	struct meta *m = &r->meta;

	m->uuid = rootfs_line("", "/proc/sys/kernel/random/uuid");
	m->label = o->label ? strdup(o->label) : NULL;
	m->command = join_words(o->argv);
	m->profile = o->profile->name ? strdup(o->profile->name) : NULL;
	m->tool = strdup("dmarec " DMA_VERSION);
	m->clock = strdup(o->clock_name);
	m->pairing = o->profile->pairing;
	m->workload_pid = o->argv ? r->work.pid : -1;
	m->from_start = o->argv && !o->live.keep_ns && !o->live.keep_bytes;
	return snapshot_before(m, o->profile, o->map, &r->window, o->irq, o->nirq,
			       &o->counter_files, e);
}

static void see_kept(void *arg, const void *buf, size_t len)
{
	struct recording *r = arg;

	intake_count(&r->in, buf, len, r->in_file);
}

/* It begins later than the recording did: what the counts of the whole say is wrong of it,
 * but for what is missing, which may all be missing in it. */
static void begin_in_the_middle(struct recording *r)
{
	int64_t from_ns = keep_from_ns(r->keep);
	char text[300], size[32];

	if (from_ns == DMA_UNKNOWN) { /* all was kept */
		r->meta.from_start = r->o->argv != NULL;
		return;
	}
	r->meta.begin_wall_ns += from_ns - r->meta.begin_ns;
	r->meta.begin_ns = from_ns;
	if (r->in.first_ns < (uint64_t)from_ns)
		r->in.first_ns = (uint64_t)from_ns;
	for (size_t i = 0; i < r->meta.nirq; i++)
		r->meta.irq[i].count_after = DMA_UNKNOWN;
	for (size_t i = 0; i < r->meta.nevent; i++) {
		struct meta_event *ev = &r->meta.event[i];

		ev->counted += (int64_t)r->in_file[i] - ev->delivered;
		ev->delivered = (int64_t)r->in_file[i];
	}
	snprintf(
		text, sizeof(text),
		"the recording begins in the middle: of all that came only the last was "
		"kept (--keep)%s%s; what was in flight when it begins was not seen to start",
		keep_is_short(r->keep) ? ", less than asked for since no more fits into "
				       : "",
		keep_is_short(r->keep) ? num_print_bytes(size, (int64_t)KEEP_MOST_BYTES)
				       : "");
	if (keep_is_short(r->keep))
		warn(r, text);
	else if (meta_add_warning(&r->meta, text))
		return; /* no memory: the times still say it */
}

/* What was kept goes into the file, behind its head. */
int recording_write_kept(struct recording *r, struct err *e)
{
	int rc;

	if (!r->keep)
		return 0;
	r->in.file = r->kept;
	r->kept = NULL;
	r->in_file = calloc(r->meta.nevent + 1, sizeof(*r->in_file));
	rc = r->in_file ? keep_write(r->keep, r->in.file, see_kept, r, e)
			: err_nomem(e, "what is kept");
	if (!rc)
		begin_in_the_middle(r);
	free(r->in_file);
	return rc;
}
