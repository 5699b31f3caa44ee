/* SPDX-License-Identifier: GPL-2.0-only */
/* What the counts say, the summary, and the file's last words. */
#include "record/recording_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/err.h"
#include "lib/file/perfdata_feat.h"
#include "lib/num.h"
#include "lib/text.h"
#include "record/host/filemark.h"
#include "record/late.h"
#include "record/newcomers.h"

/* ---- the end ---- */

int recording_read_counts(struct recording *r, struct err *e)
{
	uint64_t counted;
	int rc = 0;

	for (size_t i = 0, k; !rc && i < r->meta.nevent; i++) {
		uint64_t lost;

		if (is_inside(r, i))
			counted = inside_counted(r->inside, i, &lost);
		else if (is_beside(r, i, &k))
			counted = beside_counted(&r->beside, k);
		else if (i >= r->nattr)
			rc = recording_late_count(r, i, &counted, e);
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

/* What the missing samples of an event mean, or what helps. */
static const char *why_missing(const struct recording *r, size_t event)
{
	enum role role = r->meta.event[event].role;
	bool ring_was_full = r->in.lost > 0;

	if (is_inside(r, event) && inside_ringless(r->inside))
		return inside_ringless(r->inside);

	if (role == ROLE_HANDLED && !ring_was_full)
		return "interrupts of a shared line whose handler's answer is missing count "
		       "as their device's";
	if (role >= ROLE_ASKED && !ring_was_full)
		return "perf loses samples from idle CPUs here; transfers whose events they "
		       "are stay as they were joined without keys";
	if (role != ROLE_INTERRUPT || ring_was_full)
		return "use a larger ring (-m)";
	if (session_feed(r->session) == FEED_BPF)
		return "this kernel did not run the recorder's BPF program for them; transfers "
		       "that seem to lack their interrupt will be called unknown";
	if (session_feed_note(r->session))
		return "perf loses samples from idle CPUs here, and BPF, which loses none of "
		       "these, cannot be used; transfers that seem to lack their interrupt will "
		       "be called unknown";
	return "perf loses samples from idle CPUs here: use --irq-feed bpf";
}

void recording_check_holes(struct recording *r)
{
	char text[480], *unarmed = r->inside ? inside_unarmed(r->inside) : NULL;

	if (unarmed)
		warn(r, unarmed);
	free(unarmed);

	for (size_t i = 0, k; i < r->meta.nevent; i++) {
		const struct meta_event *ev = &r->meta.event[i];
		int64_t hole = ev->counted - ev->delivered;

		if (hole <= 0)
			continue;
		snprintf(text, sizeof(text),
			 "%s: the %s counted %" PRId64 ", %" PRId64
			 " were delivered, %" PRId64 " are missing; %s",
			 ev->name,
			 is_inside(r, i)       ? "agent"
			 : is_beside(r, i, &k) ? "reader"
					       : "kernel",
			 ev->counted, ev->delivered, hole, why_missing(r, i));
		warn(r, text);
	}
}

void recording_check_late(struct recording *r)
{
	char *told = late_told(r->in.late, r->o->invoking->uid), *save = NULL;

	for (char *line = told ? strtok_r(told, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		warn(r, line);
	free(told);
}

/* Threads that began while events were being opened for the others. */
void recording_check_threads(struct recording *r)
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
void recording_check_whole(struct recording *r)
{
	char text[600], who[300];
	const struct plan *p = r->o->plan;

	if (r->o->argv && r->work.ended && !r->work.gone &&
	    workload_living(&r->work, who, sizeof(who))) {
		snprintf(text, sizeof(text),
			 "still running when the recording ended, and not in it from "
			 "then on: %s",
			 who);
		warn(r, text);
	}
	for (size_t i = 0, k = 0; i < p->n && k < r->nmark; i++) {
		bool told = false;

		if (i && !strcmp(p->probe[i - 1].file, p->probe[i].file))
			continue;
		for (size_t j = 0; j < i && !told; j++)
			told = !strcmp(p->probe[j].file, p->probe[i].file);
		if (filemark_same(&r->mark[k++], p->probe[i].file) || told)
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

static const char *event_name(const struct meta_event *ev)
{
	return ev->function ? ev->function : ev->name;
}

static void print_line(const struct recording *r, size_t i)
{
	const struct meta_event *ev = &r->meta.event[i];
	int64_t counted = 0, delivered = 0;

	for (size_t k = 0; k < r->meta.nevent; k++) {
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
			role_name(ev->role), event_name(ev), counted, delivered,
			counted - delivered);
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

		if (!p->starts)
			continue;
		fprintf(stderr, "  process    %-8d %-25s %" PRIu64 " starts\n",
			(int)p->pid, p->name, p->starts);
		shown++;
	}
	if (n > 1 && n > shown)
		fprintf(stderr, "  ... and %zu more processes\n", n - shown);
}

/* Were all probes of this function for nothing? False also for a line that was told already. */
static bool never_called(const struct recording *r, size_t i)
{
	const struct meta_event *ev = &r->meta.event[i];

	for (size_t k = 0; k < r->meta.nevent; k++) {
		const struct meta_event *x = &r->meta.event[k];
		bool same = k == i || (x->func >= 0 && x->func == ev->func);

		if (same && (x->counted || k < i))
			return false;
	}
	return true;
}

/* "dma_wait in /usr/lib/libcard.so, dma_stop": the functions of a role that were never called. */
static size_t list_uncalled(const struct recording *r, enum role role, bool files,
			    char *buf, size_t len)
{
	const char *file = "";
	size_t n = 0, at = 0;

	*buf = 0;
	for (size_t i = 0; i < r->meta.nevent; i++) {
		const struct meta_event *ev = &r->meta.event[i];
		bool named = files && ev->file && strcmp(ev->file, file) != 0;

		if (ev->role != role || !never_called(r, i))
			continue;
		n++;
		if (at < len)
			at += (size_t)snprintf(buf + at, len - at, "%s%s%s%s",
					       at ? ", " : "", event_name(ev),
					       named ? " in " : "",
					       named ? ev->file : "");
		file = ev->file ? ev->file : file;
	}
	return n;
}

/* What was probed and never called: an answer to "why is there no transfer". */
static void print_uncalled(const struct recording *r, int64_t starts)
{
	char names[400];

	if (!starts && list_uncalled(r, ROLE_SUBMIT, true, names, sizeof(names)))
		cli_warn(
			TOOL,
			"no start function was called while recording (%s). Likely: its "
			"callers lie in the same file and the compiler inlined it (probe "
			"one that is called from outside that file: --start FUNC); the "
			"program uses another copy of that file (-x FILE, and "
			"/proc/PID/maps lists what it uses); the work is done by a process "
			"that ran before (-p PID)",
			names);
	else if (starts && list_uncalled(r, ROLE_SUBMIT, false, names, sizeof(names)))
		cli_note(TOOL, "never called while recording: %s", names);
	if (starts && list_uncalled(r, ROLE_WAIT, false, names, sizeof(names)))
		cli_note(TOOL,
			 "never called while recording: %s; a transfer that only such a "
			 "wait sees end has no end for the program",
			 names);
}

void recording_print_summary(const struct recording *r)
{
	int64_t starts = 0, irqs = 0, missing = 0;
	uint64_t bytes = r->in.file ? perfdata_written(r->in.file) : 0;
	char size[32], parts[64] = "";

	for (size_t i = 0; i < r->meta.nevent; i++) {
		const struct meta_event *ev = &r->meta.event[i];

		print_line(r, i);
		missing += ev->counted - ev->delivered;
		starts += ev->role == ROLE_SUBMIT ? ev->counted : 0;
		irqs += ev->role == ROLE_INTERRUPT ? ev->counted : 0;
	}
	if (r->parts.number > 1)
		snprintf(parts, sizeof(parts), " and its %zu more parts",
			 r->parts.number - 1);
	bytes += r->parts.bytes;
	print_processes(r);
	beside_print(&r->beside, stderr);
	fprintf(stderr,
		"%s: %" PRId64 " transfer%s started, %" PRId64 " interrupt%s, %" PRId64
		" lost",
		TOOL, starts, text_s((uint64_t)starts), irqs, text_s((uint64_t)irqs),
		missing);
	if (!r->o->output) {
		fprintf(stderr, " in %s; no file was asked for (-o)\n",
			num_print_ns(size, r->meta.end_ns - r->meta.begin_ns));
		return;
	}
	fprintf(stderr, ", %s in %s%s\n", num_print_bytes(size, (int64_t)bytes),
		r->o->output, parts);
	print_uncalled(r, starts);
	if (!r->o->in_series)
		fprintf(stderr, "next: dmaanalyze -i %s trace.db\n", r->o->output);
}

int recording_finish_file(struct recording *r, struct err *e)
{
	struct perfdata_section s[4] = {0};
	size_t n = 1;
	struct meta *m = &r->meta;
	int rc;

	if (!r->in.file) /* it could not be begun, which has been told */
		return 0;
	if (r->work.ended && WIFEXITED(r->work.status))
		m->exit_status = WEXITSTATUS(r->work.status);
	if (r->work.ended && WIFSIGNALED(r->work.status))
		m->exit_signal = WTERMSIG(r->work.status);
	rc = recording_meta_section(m, false, &s[0], e);
	if (!rc && r->in.last_ns)
		rc = feat_sample_time(&s[n++], (int64_t)r->in.first_ns,
				      (int64_t)r->in.last_ns, e);
	if (!rc)
		rc = recording_late_sections(r, r->in.file, s, &n, e);
	if (rc)
		perfdata_abandon(r->in.file);
	else
		rc = perfdata_finish(r->in.file, s, n, e);
	r->in.file = NULL;
	recording_free_sections(s, n);
	return rc;
}

static int note_newcomer(struct recording *r, const struct irq_info *i, struct err *e)
{
	char text[300];

	if (r->o->verbosity >= 0)
		cli_note(TOOL,
			 "interrupt %d (%s) appeared during the recording and is in it "
			 "from then on",
			 i->irq, i->name);
	if (r->exits || !irq_may_be_shared(i))
		return 0;
	snprintf(
		text, sizeof(text),
		"interrupt %d (%.80s), which appeared during the recording, is a line that "
		"devices may share: whose each interrupt was is not recorded; begin when "
		"the driver is there, or name the device (--device 'NAME*')",
		i->irq, i->name);
	return meta_add_warning(&r->meta, text) ? err_nomem(e, "a recording") : 0;
}

int recording_snapshot_irqs(struct recording *r, struct err *e)
{
	size_t told = r->meta.nwarning;
	int rc;

	r->window.ncome = newcomers_list(r->in.newcomers, &r->window.come);
	rc = snapshot_after(&r->meta, r->o->profile, &r->window, &r->o->counter_files, e);
	for (size_t i = 0; i < r->window.ncome; i++) {
		if (!rc)
			rc = note_newcomer(r, &r->window.come[i], e);
	}
	for (size_t i = told; i < r->meta.nwarning; i++)
		cli_warn(TOOL, "%s", r->meta.warning[i]);
	return rc;
}
