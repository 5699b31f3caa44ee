/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order matters: fork, probes, events, enable, begin, file, go; then end of the workload,
 * disable, drain, count, close the events, remove the probes, finish the file.
 */
#include "record/recording.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/file/perfdata.h"
#include "lib/file/perfdata_feat.h"
#include "lib/num.h"
#include "record/beside.h"
#include "record/cost.h"
#include "record/descriptors.h"
#include "record/host/filemark.h"
#include "record/host/forbid.h"
#include "record/host/machine.h"
#include "record/host/processes.h"
#include "record/host/rootfs.h"
#include "record/inside.h"
#include "record/intake.h"
#include "record/late.h"
#include "record/live/command.h"
#include "record/live/keep.h"
#include "record/patched.h"
#include "record/newcomers.h"
#include "record/probes.h"
#include "record/snapshot.h"
#include "record/threads.h"
#include "record/tracing.h"
#include "record/workload.h"

#define DRAIN_MS      150
#define AFTER_NS      INT64_C(300000000) /* behind a trigger: what follows it */
#define END_GRACE_MS  5000  /* for handlers of SIGTERM: a card to be stopped */
#define RECORDER_NICE (-15) /* rings are read in time also when all CPUs poll */
#define TOOL	      "dmarec"

enum { MAX_CLOSINGS = 8 };

struct recording {
	const struct recording_options *o;
	struct meta meta;
	struct workload work;
	struct probes *probes;
	struct session *session;
	struct threads threads;
	size_t left_out; /* of those, at the beginning */
	struct intake in;
	struct live *live;		   /* the view; NULL = none */
	struct keep *keep;		   /* the flight recorder; NULL = none */
	struct perfdata_writer *kept;	   /* its file, for the end */
	uint64_t *in_file;		   /* of each event: samples that were kept */
	int64_t fired_ns;		   /* a trigger has come true; 0 = none */
	struct inside *inside;		   /* probes in the process; NULL = none */
	struct beside beside;		   /* registers, counts */
	uint32_t *event_id;		   /* probes, closings, then the interrupt */
	const char *closing[MAX_CLOSINGS]; /* of descriptors_closings, those there are */
	size_t nclosing;
	struct perfdata_attr *attr;
	size_t nattr;
	int signal_fd;
	sigset_t old_mask;
	struct irq_window window;
	int signals; /* how many asked us to end */
	bool told_left_behind;
	bool *starts;	       /* of each event: is it the start of a transfer? */
	struct filemark *mark; /* of each probe's file, before */
	int exec_errno;
};

/* Which probes are uprobes after all, and why. Of several with one reason, the first. */
static void note_places(const struct plan *p)
{
	size_t kernel = 0, placed = plan_nplaced(p);

	for (size_t i = 0; i < p->n; i++) {
		bool told = false;

		if (p->probe[i].place || !p->probe[i].why)
			continue;
		kernel++;
		for (size_t k = 0; k < i; k++)
			told |= p->probe[k].why && !p->probe[k].place &&
				!strcmp(p->probe[i].why, p->probe[k].why);
		if (!told)
			cli_note(TOOL, "%s is probed by the kernel: %s",
				 placed ? p->probe[i].event : "the command",
				 p->probe[i].why);
	}
	if (placed)
		cli_note(TOOL, "%zu of %zu probes are armed in the process", placed,
			 placed + kernel);
}

static int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void warn(struct recording *r, const char *text)
{
	if (!meta_add_warning(&r->meta, text))
		cli_warn(TOOL, "%s", text);
}

/* ---- arming ---- */

/* The agent's trial, and what it says of the plan. */
static int try_inside(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	size_t wanted = plan_nplaced(p);
	int rc = wanted ? inside_open(&r->inside, r->o->plan, r->o->argv, r->o->clockid,
				      r->o->ring_bytes, e)
			: 0;

	r->in.inside = r->inside;
	if (!rc && r->o->probes != PROBES_KERNEL && r->o->verbosity >= 0)
		note_places(p);
	return rc;
}

/* Closing of descriptors is recorded where a device is told by its path. */
static int add_closings(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	bool wanted = false;
	int rc = 0;

	for (size_t i = 0; i < p->n; i++)
		wanted |= p->probe[i].spec->npath > 0;
	for (size_t i = 0; wanted && !rc && descriptors_closings[i]; i++) {
		const char *name = descriptors_closings[i];
		struct err why = {0};

		rc = tracepoint_id(name, &r->event_id[p->n + r->nclosing], &why);
		if (!rc)
			r->closing[r->nclosing++] = name;
		else if (rc == ERR_NOTFOUND && i) /* older kernels have no close_range */
			rc = 0;
		else
			rc = err_set(e, rc,
				     "to tell devices by their path, dmarec records "
				     "when descriptors are closed: %s",
				     why.text);
	}
	return rc;
}

static int add_probes(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	int rc = patched_check(p, e);

	rc = rc ? rc : probes_open(&r->probes, e);
	r->event_id = calloc(p->n + MAX_CLOSINGS + 1, sizeof(*r->event_id));
	r->mark = calloc(p->n + 1, sizeof(*r->mark));
	if (!rc && (!r->event_id || !r->mark))
		rc = err_nomem(e, "a recording");
	for (size_t i = 0; !rc && i < p->n; i++) {
		const struct plan_probe *q = &p->probe[i];

		filemark_take(&r->mark[i], q->file);
		rc = probes_add(r->probes, q->is_return, q->event, q->file, q->offset,
				q->args, &r->event_id[i], e);
	}
	if (!rc)
		rc = add_closings(r, e);
	if (!rc)
		rc = tracepoint_id("irq/irq_handler_entry",
				   &r->event_id[p->n + r->nclosing], e);
	return rc;
}

static struct pids recorded(const struct recording *r)
{
	return r->o->argv ? (struct pids){&r->work.pid, 1}
			  : (struct pids){r->o->pid, r->o->npid};
}

/* Which of the events beside the session's; they come behind them. */
static bool is_beside(const struct recording *r, size_t event, size_t *which)
{
	size_t n = session_nevents(r->session);

	*which = event - n;
	return event >= n;
}

/* How many starts there were; for the watcher's thread. */
static uint64_t count_started(void *arg)
{
	const struct recording *r = arg;
	uint64_t lost, n = session_activity(r->session);

	for (size_t i = 0; r->inside && i < r->o->plan->n; i++)
		if (r->o->plan->probe[i].place &&
		    r->o->plan->probe[i].role == ROLE_SUBMIT)
			n += inside_counted(r->inside, i, &lost);
	return n;
}

static int open_beside(struct recording *r, struct err *e)
{
	struct watch_options watch = r->o->watch;
	struct count_options count = r->o->count;
	int rc;

	watch.clockid = count.clockid = r->o->clockid;
	watch.user = r->o->invoking->uid;
	watch.workload = r->o->argv ? r->work.pid : r->o->pid[0];
	watch.started = count_started;
	watch.arg = r;
	rc = beside_open(&r->beside, &watch, &count, &r->meta, e);
	if (!rc && r->beside.watch && watch_warning(r->beside.watch))
		warn(r, watch_warning(r->beside.watch));
	r->in.feed[r->in.nfeed++] = (struct intake_feed){beside_drain, &r->beside};
	return rc;
}

/* Said as soon as it is seen: what was asked for goes on without its witness. */
static void look_beside(struct recording *r)
{
	char text[400];

	if (beside_look(&r->beside, text))
		warn(r, text);
}

static int open_session(struct recording *r, struct err *e)
{
	bool *wake = calloc(r->meta.nevent + 1, sizeof(*wake));
	bool *inside = calloc(r->meta.nevent + 1, sizeof(*inside));
	bool *start = calloc(r->meta.nevent + 1, sizeof(*start));
	int32_t *excluded = NULL;
	struct session_options so = {.attach = !r->o->argv,
				     .clockid = r->o->clockid,
				     .ring_bytes = r->o->ring_bytes,
				     .feed = r->o->feed,
				     .kernel_addresses = r->o->kernel_addresses,
				     .irqs = true,
				     .uprobe = r->event_id,
				     .nuprobe = r->o->plan->n + r->nclosing,
				     .wake = wake,
				     .inside = r->inside ? inside : NULL,
				     .start = start,
				     .irq_event =
					     r->event_id[r->o->plan->n + r->nclosing]};
	int rc = 0;

	for (size_t i = 0; wake && inside && start && i < r->o->plan->n; i++) {
		wake[i] = descriptors_wanted(&r->meta.event[i]);
		inside[i] = r->o->plan->probe[i].place != NULL;
		start[i] = r->meta.event[i].role == ROLE_SUBMIT;
	}
	if (!wake || !inside || !start)
		rc = err_nomem(e, "a recording");
	if (!rc)
		rc = newcomers_excluded(r->o->map, r->o->irq, r->o->nirq, &excluded,
					&so.nno_irq, e);
	so.no_irq = excluded;
	if (!rc)
		rc = threads_open(&r->threads, &r->session, recorded(r), &so, e);
	free(excluded);
	free(wake);
	free(inside);
	free(start);
	if (!rc)
		rc = open_beside(r, e);
	if (rc)
		return rc;
	r->nattr = r->meta.nevent;
	r->attr = calloc(r->nattr + 1, sizeof(*r->attr));
	r->starts = calloc(r->nattr + 1, sizeof(*r->starts));
	if (!r->attr || !r->starts)
		return err_nomem(e, "a recording");
	for (size_t i = 0, k; i < r->nattr; i++) {
		if (is_beside(r, i, &k))
			beside_attr(&r->beside, k, &r->attr[i]);
		else
			session_event(r->session, i, &r->attr[i].attr, &r->attr[i].ids,
				      &r->attr[i].nids);
		r->attr[i].name = r->meta.event[i].name;
		r->starts[i] = r->meta.event[i].role == ROLE_SUBMIT;
	}
	r->in.starts = r->starts;
	rc = intake_open(&r->in, r->attr, r->nattr, e);
	if (!rc)
		rc = newcomers_new(&r->in.newcomers, "", r->o->map, r->o->irq, r->o->nirq,
				   r->o->choice, e);
	r->in.irq_event = session_nevents(r->session) - 1;
	r->in.threads = r->threads.strict ? &r->threads : NULL;
	r->in.nprobe = r->o->plan->n;
	return rc;
}

/* ---- the file ---- */

static void free_sections(struct perfdata_section *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)s[i].buf);
}

static int trace_section(const struct recording *r, struct perfdata_section *s,
			 struct err *e)
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
	return rc;
}

static int meta_section(const struct meta *m, bool begin, struct perfdata_section *s,
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

static int create_file(struct recording *r, struct err *e)
{
	struct perfdata_section s[14] = {0};
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
		rc = meta_section(&r->meta, true, &s[n++], e);
	if (!rc)
		rc = perfdata_create(&r->in.file, r->o->output, &owner, r->attr, r->nattr,
				     s, n, e);
	if (!rc && live_wanted(&r->o->live))
		rc = open_live(r, s, n, e);
	if (!rc && (r->o->live.keep_ns || r->o->live.keep_bytes))
		rc = open_keep(r, e);
	free_sections(s, n);
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

static int fill_meta(struct recording *r, struct err *e)
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
	return snapshot_before(m, o->profile, o->map, &r->window, o->irq, o->nirq,
			       &o->counter_files, e);
}

/* ---- the time between ---- */

static bool asks_to_end(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
	       signal == SIGQUIT;
}

static void on_signal(struct recording *r)
{
	struct signalfd_siginfo si;

	while (read(r->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			continue;
		r->signals += !r->o->argv || asks_to_end((int)si.ssi_signo);
		/* Ctrl-C of the terminal has reached the workload already. */
		if (r->o->argv && !r->work.ended && si.ssi_code != SI_KERNEL)
			kill(r->work.pid, (int)si.ssi_signo);
	}
}

/* The command has ended; say for whom the recording goes on. */
static void tell_left_behind(struct recording *r)
{
	char who[300];

	if (r->told_left_behind || !workload_living(who, sizeof(who)))
		return;
	r->told_left_behind = true;
	if (r->o->verbosity >= 0)
		cli_note(TOOL,
			 "the command has ended, what it started has not: %s; recording "
			 "goes on until that ends too (Ctrl-C ends it)",
			 who);
}

static bool any_living(const struct recording_options *o)
{
	for (size_t i = 0; i < o->npid; i++)
		if (threads_living(o->pid[i]))
			return true;
	return false;
}

static bool over(struct recording *r, int64_t end_ns)
{
	if (end_ns && now_ns(CLOCK_MONOTONIC) >= end_ns)
		return true;
	if (r->live && !r->fired_ns && live_fired(r->live))
		r->fired_ns = now_ns(CLOCK_MONOTONIC);
	if (r->fired_ns && now_ns(CLOCK_MONOTONIC) - r->fired_ns >= AFTER_NS)
		return true;
	if (!r->o->argv)
		return r->signals || !any_living(r->o);
	if (!workload_poll(&r->work))
		return r->signals > 1;
	if (!r->work.gone && !r->signals)
		tell_left_behind(r);
	return r->work.gone || r->signals;
}

static int wait_for_end(struct recording *r, struct err *e)
{
	int64_t end_ns =
		r->o->duration_ns ? now_ns(CLOCK_MONOTONIC) + r->o->duration_ns : 0;
	int rc = 0;

	while (!rc && !over(r, end_ns)) {
		struct pollfd p[3] = {
			{r->signal_fd, POLLIN, 0},
			{r->inside ? inside_fd(r->inside) : -1, POLLIN, 0},
			{r->live && !r->fired_ns ? live_fd(r->live) : -1, POLLIN, 0}};
		int timeout = DRAIN_MS;

		if (end_ns &&
		    end_ns - now_ns(CLOCK_MONOTONIC) < DRAIN_MS * INT64_C(1000000))
			timeout = 1 + (int)((end_ns - now_ns(CLOCK_MONOTONIC)) / 1000000);
		rc = session_wait(r->session, p, 3, timeout < 0 ? 0 : timeout, e);
		if (!rc && (p[0].revents & POLLIN))
			on_signal(r);
		if (!rc)
			rc = intake_drain(&r->in, r->session, false, e);
		if (!rc)
			look_beside(r);
	}
	return rc;
}

/* ---- the end ---- */

static bool is_inside(const struct recording *r, size_t event)
{
	return r->inside && event < r->o->plan->n && r->o->plan->probe[event].place;
}

static int read_counts(struct recording *r, struct err *e)
{
	uint64_t counted;
	int rc = 0;

	for (size_t i = 0, k; !rc && i < r->nattr; i++) {
		uint64_t lost;

		if (is_inside(r, i))
			counted = inside_counted(r->inside, i, &lost);
		else if (is_beside(r, i, &k))
			counted = beside_counted(&r->beside, k);
		else
			rc = session_count(r->session, i, &counted, e);
		if (rc)
			break;
		counted -= r->in.left_out[i];
		r->meta.event[i].counted = (int64_t)counted;
		r->meta.event[i].delivered = (int64_t)r->in.delivered[i];
	}
	return rc;
}

static void check_holes(struct recording *r)
{
	char text[400], *unarmed = r->inside ? inside_unarmed(r->inside) : NULL;

	if (unarmed)
		warn(r, unarmed);
	free(unarmed);

	for (size_t i = 0, k; i < r->nattr; i++) {
		const struct meta_event *ev = &r->meta.event[i];
		int64_t hole = ev->counted - ev->delivered;

		if (hole <= 0)
			continue;
		snprintf(
			text, sizeof(text),
			"%s: the %s counted %" PRId64 ", %" PRId64
			" were delivered, %" PRId64 " are missing; %s",
			ev->name,
			is_inside(r, i)	      ? "agent"
			: is_beside(r, i, &k) ? "reader"
					      : "kernel",
			ev->counted, ev->delivered, hole,
			ev->role == ROLE_INTERRUPT &&
					session_feed(r->session) == FEED_PERF &&
					!r->in.lost
				? "perf loses samples from idle "
				  "CPUs here: use --irq-feed bpf"
			: ev->role == ROLE_INTERRUPT && !r->in.lost
				? "this kernel did not run the recorder's BPF program "
				  "for them; transfers that seem to lack their interrupt "
				  "will be called unknown"
				: "use a larger ring (-m)");
		warn(r, text);
	}
}

static void check_late(struct recording *r)
{
	char *told = late_told(r->in.late, r->o->invoking->uid), *save = NULL;

	for (char *line = told ? strtok_r(told, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		warn(r, line);
	free(told);
}

/* Threads that began while events were being opened for the others. */
static void check_threads(struct recording *r)
{
	char text[300];

	if (!r->left_out && !r->in.untrusted)
		return;
	snprintf(
		text, sizeof(text),
		"process %d%s begins and ends threads all the time: those that began while "
		"dmarec attached to it are left out, since they may have only part of "
		"their events (%zu when recording began, %" PRIu64 " samples)",
		(int)*recorded(r).pid, r->o->npid > 1 ? " or another" : "", r->left_out,
		r->in.untrusted);
	warn(r, text);
}

/* Whole is said only of what was followed to its end, by the files that were probed. */
static void check_whole(struct recording *r)
{
	char text[600], who[300];
	const struct plan *p = r->o->plan;

	if (r->o->argv && r->work.ended && !r->work.gone &&
	    workload_living(who, sizeof(who))) {
		snprintf(text, sizeof(text),
			 "still running when the recording ended, and not in it from "
			 "then on: %s",
			 who);
		warn(r, text);
	}
	for (size_t i = 0; i < p->n; i++) {
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = !strcmp(p->probe[k].file, p->probe[i].file);
		if (told || filemark_same(&r->mark[i], p->probe[i].file))
			continue;
		snprintf(text, sizeof(text),
			 "%.400s was replaced, changed or removed during the recording: "
			 "calls into another file than the one that was there at its "
			 "beginning are not in it",
			 p->probe[i].file);
		warn(r, text);
	}
}

/* Events of one role of one function, its exits above all, are one line. */
static bool same_line(const struct meta_event *a, const struct meta_event *b)
{
	return a->role == b->role && a->func >= 0 && a->func == b->func;
}

static void print_line(const struct recording *r, size_t i)
{
	const struct meta_event *ev = &r->meta.event[i];
	int64_t counted = 0, delivered = 0;

	for (size_t k = 0; k < r->nattr; k++) {
		const struct meta_event *x = &r->meta.event[k];

		if (k != i && !same_line(x, ev))
			continue;
		if (k < i)
			return; /* told already */
		counted += x->counted;
		delivered += x->delivered;
	}
	if (counted || delivered || r->o->verbosity > 0)
		fprintf(stderr,
			"  %-10s %-34s counted %" PRId64 ", delivered %" PRId64
			", lost %" PRId64 "\n",
			role_name(ev->role), ev->function ? ev->function : ev->name,
			counted, delivered, counted - delivered);
}

/* Where more than one process started transfers: how many each. */
static void print_processes(const struct recording *r)
{
	enum { SHOWN = 16 };
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < r->in.nprocess; i++)
		n += r->in.process[i].starts > 0;
	for (size_t i = 0; n > 1 && i < r->in.nprocess && shown < SHOWN; i++) {
		const struct intake_process *p = &r->in.process[i];

		char *name;

		if (!p->starts)
			continue;
		/* of one that ran before, nobody has told the name */
		name = *p->name ? NULL : rootfs_line("", "/proc/%d/comm", (int)p->pid);
		fprintf(stderr, "  process    %-8d %-25s %" PRIu64 " starts\n",
			(int)p->pid, name ? name : p->name, p->starts);
		free(name);
		shown++;
	}
	if (n > 1 && n > shown)
		fprintf(stderr, "  ... and %zu more processes\n", n - shown);
}

static void print_summary(const struct recording *r)
{
	int64_t starts = 0, irqs = 0, missing = 0;
	uint64_t bytes = r->in.file ? perfdata_written(r->in.file) : 0;
	char size[32];

	for (size_t i = 0; i < r->nattr; i++) {
		const struct meta_event *ev = &r->meta.event[i];

		print_line(r, i);
		missing += ev->counted - ev->delivered;
		starts += ev->role == ROLE_SUBMIT ? ev->counted : 0;
		irqs += ev->role == ROLE_INTERRUPT ? ev->counted : 0;
	}
	print_processes(r);
	beside_print(&r->beside, stderr);
	fprintf(stderr,
		"%s: %" PRId64 " transfers started, %" PRId64 " interrupts, %" PRId64
		" lost, %s in %s\n",
		TOOL, starts, irqs, missing, num_print_bytes(size, (int64_t)bytes),
		r->o->output);
	if (!r->o->in_series)
		fprintf(stderr, "next: dmaanalyze -i %s trace.db\n", r->o->output);
}

static int finish_file(struct recording *r, struct err *e)
{
	struct perfdata_section s[2] = {0};
	size_t n = 1;
	struct meta *m = &r->meta;
	int rc;

	if (r->work.ended && WIFEXITED(r->work.status))
		m->exit_status = WEXITSTATUS(r->work.status);
	if (r->work.ended && WIFSIGNALED(r->work.status))
		m->exit_signal = WTERMSIG(r->work.status);
	rc = meta_section(m, false, &s[0], e);
	if (!rc && r->in.last_ns)
		rc = feat_sample_time(&s[n++], (int64_t)r->in.first_ns,
				      (int64_t)r->in.last_ns, e);
	if (rc)
		perfdata_abandon(r->in.file);
	else
		rc = perfdata_finish(r->in.file, s, n, e);
	r->in.file = NULL;
	free_sections(s, n);
	return rc;
}

static int snapshot_irqs(struct recording *r, struct err *e)
{
	size_t told = r->meta.nwarning;
	int rc;

	r->window.ncome = newcomers_list(r->in.newcomers, &r->window.come);
	rc = snapshot_after(&r->meta, r->o->profile, &r->window, &r->o->counter_files, e);
	for (size_t i = 0; i < r->window.ncome && r->o->verbosity >= 0; i++)
		cli_note(TOOL,
			 "interrupt %d (%s) appeared during the recording and is in it "
			 "from then on",
			 r->window.come[i].irq, r->window.come[i].name);
	for (size_t i = told; i < r->meta.nwarning; i++)
		cli_warn(TOOL, "%s", r->meta.warning[i]);
	return rc;
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

	if (from_ns == DMA_UNKNOWN)
		return;
	r->meta.begin_wall_ns += from_ns - r->meta.begin_ns;
	r->meta.begin_ns = from_ns;
	if (r->in.first_ns < (uint64_t)from_ns)
		r->in.first_ns = (uint64_t)from_ns;
	for (size_t i = 0; i < r->meta.nirq; i++)
		r->meta.irq[i].count_after = DMA_UNKNOWN;
	for (size_t i = 0; i < r->nattr; i++) {
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
static int write_kept(struct recording *r, struct err *e)
{
	int rc;

	if (!r->keep)
		return 0;
	r->in.file = r->kept;
	r->kept = NULL;
	r->in_file = calloc(r->nattr + 1, sizeof(*r->in_file));
	rc = r->in_file ? keep_write(r->keep, r->in.file, see_kept, r, e)
			: err_nomem(e, "what is kept");
	if (!rc)
		begin_in_the_middle(r);
	free(r->in_file);
	return rc;
}

/* Whatever failed before, counts are read, and what there is stays readable. */
static int end(struct recording *r, int rc, struct err *e)
{
	int bad;

	beside_stop(&r->beside); /* before the end: what it told lies in the recording */
	look_beside(r);
	beside_finish(&r->beside, &r->meta);
	bad = irqmap_read_counts(&r->window.after, "", NULL, rc ? NULL : e);
	r->meta.end_ns = r->in.end_ns = now_ns(r->o->clockid);
	if (r->inside)
		inside_disable(r->inside);
	if (!bad)
		bad = session_disable(r->session, rc ? NULL : e);
	else
		session_disable(r->session, NULL);
	rc = rc ? rc : bad;
	if (!rc)
		rc = intake_drain(&r->in, r->session, true, e);
	live_end(r->live);
	bad = read_counts(r, rc ? NULL : e);
	r->meta.irq_cost_ns = session_irq_cost_ns(r->session);
	if (!bad)
		bad = descriptors_finish(r->in.descriptors, &r->meta, rc ? NULL : e);
	if (!bad)
		bad = snapshot_irqs(r, rc ? NULL : e);
	rc = rc ? rc : bad;
	if (!rc)
		rc = write_kept(r, e);
	check_holes(r);
	check_threads(r);
	check_whole(r);
	check_late(r);
	if (r->o->verbosity >= 0 && !rc)
		print_summary(r);
	bad = finish_file(r, rc ? NULL : e);
	return rc ? rc : bad;
}

/* From here on nothing is opened that needs more than what is kept. */
static int drop_rights(struct recording *r, struct err *e)
{
	const struct user *me = r->o->invoking;
	/* Who has rights of its own (root has) is not looked at without them. */
	bool own_task = me->uid && r->o->run_as && r->o->run_as->uid == me->uid;
	struct rights_kept kept = {.read_files = r->o->profile->ncounter > 0,
				   .other_tasks = r->nclosing && !own_task};

	return rights_drop(me, &kept, e);
}

static int arm(struct recording *r, struct err *e)
{
	const char *note;
	int rc = add_probes(r, e);

	if (!rc && plan_nplaced(r->o->plan) < r->o->plan->n)
		r->meta.uprobe_cost_ns = cost_uprobe_ns(r->probes);
	if (!rc && r->inside)
		r->meta.process_cost_ns = inside_cost_ns(r->inside);

	if (!rc)
		rc = snapshot_events(&r->meta, r->o->plan, probes_group(r->probes),
				     r->closing, r->nclosing, true, e);
	if (!rc)
		rc = descriptors_new(&r->in.descriptors, &r->meta, tracefs_find(NULL),
				     r->o->clockid, e);
	if (!rc)
		rc = open_session(r, e);
	if (rc)
		return rc;
	note = session_feed_note(r->session);
	if (note && r->o->verbosity >= 0) {
		char *why = forbidden_by("");

		cli_note(TOOL, "interrupts come by perf's own samples: %s%s%s", note,
			 why ? "; " : "", why ? why : "");
		free(why);
	}
	r->meta.irq_feed = strdup(session_feed(r->session) == FEED_BPF ? "bpf" : "perf");
	return 0;
}

/* Events are enabled one after another; the recording begins when all are, and what was
 * sampled before does not count. The counts of /proc/interrupts are read at that moment. */
static int begin(struct recording *r, struct err *e)
{
	int rc = r->inside ? inside_enable(r->inside, r->event_id, e) : 0;

	if (!rc)
		rc = session_enable(r->session, e);
	if (!rc)
		rc = irqmap_read_counts(&r->window.before, "", NULL, e);
	r->meta.begin_ns = r->in.begin_ns = now_ns(r->o->clockid);
	r->meta.begin_wall_ns = now_ns(CLOCK_REALTIME);
	if (!rc)
		r->left_out = threads_untrusted(&r->threads, recorded(r));
	if (!rc)
		rc = fill_meta(r, e);
	if (!rc)
		rc = create_file(r, e);
	return rc ? rc : drop_rights(r, e);
}

static int run_armed(struct recording *r, struct err *e)
{
	int rc = r->live ? live_start(r->live, e) : 0;

	if (!rc)
		rc = beside_start(&r->beside, e);
	if (!rc && r->o->argv)
		rc = workload_go(&r->work, r->o->argv[0], &r->exec_errno, e);
	if (!rc)
		rc = wait_for_end(r, e);
	return end(r, rc, e);
}

static void block_signals(struct recording *r)
{
	static const int left[] = {/* faults */ SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
				   SIGTRAP, SIGSYS,
				   /* stopping, and what comes and goes unasked */
				   SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGURG, SIGWINCH,
				   /* a write says so: EPIPE, EFBIG */
				   SIGPIPE, SIGXFSZ};
	sigset_t set;

	/* All that would end us, with probes in the kernel, and can be had back. */
	sigfillset(&set);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		sigdelset(&set, left[i]);
	sigprocmask(SIG_BLOCK, &set, &r->old_mask);
	r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Events and probes go at once, also when the command goes on. */
static void disarm(struct recording *r)
{
	struct err why = {0};

	beside_stop(&r->beside); /* a thread of its looks at what the session has */
	session_close(r->session);
	r->session = NULL;
	if (probes_close(r->probes, &why))
		cli_warn(TOOL, "%s", why.text);
	r->probes = NULL;
}

/* The recording failed, the command runs: nobody finds it unannounced. */
static void wait_for_command(struct recording *r, const struct err *e)
{
	disarm(r);
	if (!r->o->argv || r->work.go >= 0 || workload_poll(&r->work))
		return;
	cli_warn(TOOL,
		 "%s: recording has ended; the command (process %d) goes on unrecorded, "
		 "and dmarec waits for its end",
		 e && e->code ? e->text : "an error", (int)r->work.pid);
	r->signals = 0;
	while (!workload_poll(&r->work) && r->signals < 2) {
		struct pollfd p = {r->signal_fd, POLLIN, 0};

		poll(&p, 1, -1);
		on_signal(r);
	}
}

/* With everything closed and written. */
static void after_trigger(struct recording *r)
{
	const struct live_options *o = &r->o->live;
	const char *rule = r->live && o->on_trigger ? live_rule(r->live) : NULL;
	struct err e = {0};

	if (rule && command_run(o->on_trigger, r->o->output, rule, &r->old_mask, &e))
		cli_warn(TOOL, "%s", e.text);
}

/* The time is over, and the command is not: what dmarec started, it ends. */
static void end_command(struct recording *r)
{
	char who[300];
	bool killed;

	if (!r->o->argv || !r->o->duration_ns || r->o->leave_running || r->signals ||
	    r->work.go >= 0 || (workload_poll(&r->work) && r->work.gone) ||
	    !workload_living(who, sizeof(who)))
		return;
	disarm(r);
	killed = workload_end(&r->work, END_GRACE_MS);
	if (r->o->verbosity >= 0)
		cli_note(TOOL,
			 "--duration is over: ended %s by SIGTERM%s (--leave-running "
			 "lets it go on)",
			 who, killed ? ", and what stayed by SIGKILL" : "");
}

static void clean(struct recording *r)
{
	intake_close(&r->in);
	keep_free(r->keep);
	perfdata_abandon(r->kept);
	disarm(r);
	after_trigger(r);
	live_free(r->live);
	if (r->o->argv && r->work.go < 0 && !workload_poll(&r->work))
		cli_note(TOOL, "the command (process %d) goes on, unrecorded",
			 (int)r->work.pid);
	workload_release(&r->work);
	beside_close(&r->beside);
	inside_close(r->inside);
	meta_release(&r->meta);
	threads_release(&r->threads);
	irqmap_release(&r->window.before);
	irqmap_release(&r->window.after);
	free(r->event_id);
	free(r->attr);
	free(r->mark);
	free(r->starts);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
}

int recording_run(const struct recording_options *o, struct err *e)
{
	struct recording r = {.o = o,
			      .in = {.clockid = o->clockid, .end_ns = INT64_MAX},
			      .signal_fd = -1,
			      .work = {.go = -1, .fail = -1}};
	int rc = 0, status = EXIT_FAILED;

	r.window.choice = o->choice;
	meta_init(&r.meta);
	block_signals(&r);
	/* what cannot grow is told by the write that fails; the command gets it back */
	signal(SIGXFSZ, SIG_IGN);
	rc = late_new(&r.in.late, o->profile, o->searched, o->nsearched, e);
	if (!rc)
		rc = try_inside(&r, e);
	if (!rc && o->argv)
		rc = workload_fork(&r.work, o->argv, &r.old_mask, o->run_as,
				   r.inside ? inside_library(r.inside) : NULL, e);
	signal(SIGPIPE, SIG_IGN); /* not before the fork: it would be inherited */
	setpriority(PRIO_PROCESS, 0, RECORDER_NICE); /* likewise; a wish, no need */
	if (!rc)
		rc = arm(&r, e);
	if (!rc)
		rc = begin(&r, e);
	if (!rc && (rc = run_armed(&r, e)))
		wait_for_command(&r, e);
	if (!rc)
		status = o->argv && r.work.ended ? workload_exit_code(&r.work) : EXIT_OK;
	if (!rc)
		end_command(&r);
	if (r.beside.ended && status == EXIT_OK) /* what was asked for is not whole */
		status = EXIT_FAILED;
	if (r.exec_errno)
		status = r.exec_errno == ENOENT ? 127 : 126;
	clean(&r);
	return status;
}
