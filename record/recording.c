/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order matters: fork, probes, events, enable, begin, file, go; then end of the workload,
 * disable, drain, count, close the events, remove the probes, finish the file.
 */
#include "record/host/filemark.h"
#include "record/recording_impl.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "lib/err.h"
#include "record/cost.h"
#include "record/descriptors.h"
#include "record/host/forbid.h"
#include "record/late.h"
#include "record/live/command.h"
#include "record/live/keep.h"
#include "record/newcomers.h"
#include "record/probes.h"

#define DRAIN_MS      150
/* While programs start, and load what they need, what they map is looked at sooner. */
#define LOADING_MS    20
#define LOADING_NS    INT64_C(2000000000) /* behind the last new mapping */
#define AFTER_NS      INT64_C(300000000)  /* behind a trigger: what follows it */
#define END_GRACE_MS  5000  /* for handlers of SIGTERM: a card to be stopped */
#define RECORDER_NICE (-15) /* rings are read in time also when all CPUs poll */

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
		if (si.ssi_signo == SIGUSR2 && r->keep) {
			r->snap_wanted = true;
			continue;
		}
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

	if (r->told_left_behind || !workload_living(&r->work, who, sizeof(who)))
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

/* On CLOCK_MONOTONIC. What follows a trigger is counted from what it is about: of the time
 * that it took to notice, nothing is waited for again. */
static int64_t fired_at(const struct recording *r)
{
	int64_t at_ns = live_at_ns(r->live), now = now_ns(CLOCK_MONOTONIC),
		ago_ns = at_ns == DMA_UNKNOWN ? 0 : now_ns(r->o->clockid) - at_ns;

	return ago_ns > 0 && ago_ns < now ? now - ago_ns : now;
}

static bool over(struct recording *r, int64_t end_ns)
{
	if (end_ns && now_ns(CLOCK_MONOTONIC) >= end_ns)
		return true;
	if (r->live && !r->fired_ns && live_fired(r->live))
		r->fired_ns = fired_at(r);
	if (r->fired_ns && now_ns(CLOCK_MONOTONIC) - r->fired_ns >= AFTER_NS) {
		if (!r->o->live.snapshots)
			return true;
		r->snap_fired = true;
	}
	if (r->o->everyone)
		return r->signals;
	if (!r->o->argv)
		return r->signals || !any_living(r->o);
	if (!workload_poll(&r->work))
		return r->signals > 1;
	if (!r->work.gone && !r->signals)
		tell_left_behind(r);
	return r->work.gone || r->signals;
}

/* How long the rings may lie, and not beyond the recording's end. */
static int pause_ms(const struct recording *r, int64_t end_ns)
{
	int64_t now = now_ns(CLOCK_MONOTONIC), left = end_ns - now;
	int ms = DRAIN_MS;

	if (now_ns(r->o->clockid) - late_latest_ns(r->in.late, r->meta.begin_ns) <
	    LOADING_NS)
		ms = LOADING_MS;
	if (end_ns && left < ms * INT64_C(1000000))
		ms = left < 0 ? 0 : 1 + (int)(left / 1000000);
	return ms;
}

/* Of interrupts that appeared and are no shared line, only entries are wanted. */
static int leave_exits(struct recording *r, struct err *e)
{
	int32_t irq;
	int rc = 0;

	while (!rc && r->exits && newcomers_next_plain(r->in.newcomers, &irq))
		rc = session_leave_exits(r->session, irq, e);
	return rc;
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

		rc = session_wait(r->session, p, 3, pause_ms(r, end_ns), e);
		if (!rc && (p[0].revents & POLLIN))
			on_signal(r);
		if (!rc)
			rc = intake_drain(&r->in, r->session, false, e);
		if (!rc)
			rc = recording_parts_look(r, e);
		if (!rc)
			recording_snap_look(r);
		if (!rc)
			rc = recording_late_look(r, e);
		if (!rc)
			rc = leave_exits(r, e);
		if (!rc)
			recording_look_beside(r);
	}
	return rc;
}

/* Whatever failed before, counts are read, and what there is stays readable. */
static int end(struct recording *r, int rc, struct err *e)
{
	int bad;

	beside_stop(&r->beside); /* before the end: what it told lies in the recording */
	recording_look_beside(r);
	beside_finish(&r->beside, &r->meta);
	bad = irqmap_read_counts(&r->window.after, "", NULL, rc ? NULL : e);
	r->meta.end_ns = r->in.end_ns = now_ns(r->o->clockid);
	if (r->inside)
		inside_disable(r->inside);
	recording_late_disable(r);
	if (!bad)
		bad = session_disable(r->session, rc ? NULL : e);
	else
		session_disable(r->session, NULL);
	rc = rc ? rc : bad;
	if (!rc)
		rc = intake_drain(&r->in, r->session, true, e);
	if (!rc)
		rc = recording_parts_settle(r, e);
	live_end(r->live);
	bad = recording_read_counts(r, rc ? NULL : e);
	r->meta.irq_cost_ns = session_irq_cost_ns(r->session);
	if (!bad)
		bad = descriptors_finish(r->in.descriptors, &r->meta, rc ? NULL : e);
	if (!bad)
		bad = recording_snapshot_irqs(r, rc ? NULL : e);
	rc = rc ? rc : bad;
	if (!rc)
		rc = recording_write_kept(r, e);
	recording_check_holes(r);
	recording_check_threads(r);
	recording_check_whole(r);
	recording_check_late(r);
	if (r->o->verbosity >= 0 && !rc)
		recording_print_summary(r);
	recording_parts_end(r);
	bad = recording_finish_file(r, rc ? NULL : e);
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
	int rc = recording_add_probes(r, e);

	if (!rc && plan_nplaced(r->o->plan) < r->o->plan->n)
		r->meta.uprobe_cost_ns = cost_uprobe_ns(r->probes);
	if (!rc && r->inside)
		r->meta.process_cost_ns = inside_cost_ns(r->inside);

	if (!rc)
		rc = snapshot_events(&r->meta, r->o->plan, probes_group(r->probes),
				     r->closing, r->nclosing, r->exits ? IRQ_SIDES : 1,
				     e);
	if (!rc)
		rc = kernel_events_tell(&r->kernel, &r->meta, e);
	if (!rc && r->kernel.absent)
		warn(r, r->kernel.absent);
	if (!rc)
		rc = descriptors_new(&r->in.descriptors, &r->meta, tracefs_find(NULL),
				     r->o->clockid, e);
	if (!rc)
		rc = recording_open_session(r, e);
	if (!rc)
		rc = recording_late_open(r, e);
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
	if (!rc && r->o->everyone)
		rc = recording_late_catch_up(r, e);
	if (!rc)
		r->left_out = threads_untrusted(&r->threads, recorded(r));
	if (!rc)
		rc = recording_fill_meta(r, e);
	recording_parts_begin(r);
	if (!rc)
		rc = recording_create_file(r, e);
	if (!rc)
		rc = drop_rights(r, e);
	return rc ? rc : recording_parts_check(r, e);
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
	recording_late_disarm(r);
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

	if (rule && command_run(o->on_trigger, r->o->output ? r->o->output : "", rule,
				&r->old_mask, &e))
		cli_warn(TOOL, "%s", e.text);
}

/* The time is over, and the command is not: what dmarec started, it ends. */
static void end_command(struct recording *r)
{
	char who[300];
	bool killed;

	if (!r->o->argv || !r->o->duration_ns || r->o->leave_running || r->signals ||
	    r->work.go >= 0 || (workload_poll(&r->work) && r->work.gone) ||
	    !workload_living(&r->work, who, sizeof(who)))
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
	recording_late_release(r);
	recording_parts_release(r);
	recording_snap_release(r);
	meta_release(&r->meta);
	kernel_events_release(&r->kernel);
	threads_release(&r->threads);
	irqmap_release(&r->window.before);
	irqmap_release(&r->window.after);
	free(r->event_id);
	free(r->attr);
	for (size_t i = 0; i < r->nmark; i++)
		filemark_release(&r->mark[i]);
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
		rc = recording_try_inside(&r, e);
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
