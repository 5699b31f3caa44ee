/* SPDX-License-Identifier: GPL-2.0-only */
/* dmarec: the choice of profile, files and interrupts, and the exit status. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "record/agent/layout.h"
#include "record/choice.h"
#include "record/count/count_event.h"
#include "record/elf/symbols.h"
#include "record/files.h"
#include "record/host/forbid.h"
#include "record/host/processes.h"
#include "record/host/rights.h"
#include "record/host/rootfs.h"
#include "record/kernel_events.h"
#include "record/list.h"
#include "record/options.h"
#include "record/series.h"
#include "record/show.h"
#include "record/top.h"
#include "record/watch/watch_ask.h"

/* ---- which profile ---- */

/* Not by itself is a profile taken that would be an error. */
static bool is_whole(const struct profile *p, const struct plan_files *files,
		     bool library)
{
	const struct func_spec *lacking = plan_lacks(p, files);
	char *who = lacking && library ? func_describe(lacking) : NULL;

	if (who)
		cli_warn(TOOL,
			 "profile %s is not taken, although its library is here: no "
			 "function fits %s",
			 p->name, who);
	free(who);
	return !lacking;
}

/* The shipped profile whose start functions the files define, a library's name before
 * all. 1 = taken, 0 = none fits. */
static int find_shipped(struct profile *best, const struct plan_files *files,
			struct err *e)
{
	struct profile_paths all;
	char also[256] = "";
	size_t len = 0, top = 0;
	int rc = profile_list(&all, e);

	if (!rc && all.refused)
		cli_warn(TOOL, "profile not taken: %s", all.refused);
	for (size_t i = 0; !rc && i < all.n; i++) {
		struct profile p;
		bool library;
		size_t fits;

		profile_init(&p);
		if (profile_read(&p, all.path[i], NULL))
			continue; /* a broken one is an error only when it is asked for */
		fits = p.automatic == AUTO_NO ? 0 : plan_fits(&p, files, &library);
		if (fits && p.automatic == AUTO_LIBRARY && !library)
			fits = 0;
		if (fits && !is_whole(&p, files, library))
			fits = 0;
		if (fits > 0 && library)
			fits += 1000;
		if (fits > 0 && fits == top && len < sizeof(also))
			len += (size_t)snprintf(also + len, sizeof(also) - len, ", %s",
						p.name);
		if (fits > top) {
			profile_release(best);
			*best = p;
			top = fits;
			also[len = 0] = '\0';
		} else {
			profile_release(&p);
		}
	}
	if (!rc)
		profile_paths_release(&all);
	if (!rc && *also)
		rc = err_set(
			e, ERR_AMBIGUOUS,
			"several profiles fit equally: %s%s; choose one with --profile",
			best->name, also);
	return rc ? rc : top > 0;
}

static int add_functions(struct profile *p, const struct words *w, enum func_role role,
			 const char *origin, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->n; i++)
		rc = profile_add_func(p, role, w->v[i], origin, e);
	return rc;
}

static int named_profile(const struct options *o, struct profile *p, struct err *e)
{
	char *path;
	int rc = profile_find(o->profile, &path, e);

	if (rc)
		return rc;
	rc = profile_read(p, path, e);
	free(path);
	return rc;
}

static int choose_profile(const struct options *o, struct profile *p,
			  const struct plan_files *files, struct err *e)
{
	int rc;

	profile_init(p);
	if (o->profile) {
		rc = named_profile(o, p, e);
	} else if (o->start.n || o->transfer.n) {
		rc = 0;
	} else {
		rc = find_shipped(p, files, e);
		if (rc > 0 && o->rec.verbosity >= 0)
			cli_note(TOOL, "profile %s fits (--profile NAME chooses another)",
				 p->name);
		rc = rc ? (rc > 0 ? 0 : rc) : profile_default(p, e);
	}
	if (!rc)
		rc = add_functions(p, &o->start, FUNC_START, "--start", e);
	if (!rc)
		rc = add_functions(p, &o->transfer, FUNC_TRANSFER, "--transfer", e);
	if (!rc)
		rc = add_functions(p, &o->wait, FUNC_WAIT, "--wait", e);
	return rc ? rc : add_functions(p, &o->stop, FUNC_STOP, "--stop", e);
}

/* ---- which processes ---- */

static int find_processes(struct options *o, struct err *e)
{
	char *text;
	int rc = 0;

	for (size_t i = 0; !rc && i < o->process.n; i++)
		rc = processes_find(o->process.v[i], &o->rec.pid, &o->rec.npid, e);
	text = !rc && o->rec.npid > 1 ? processes_text(o->rec.pid, o->rec.npid) : NULL;
	if (text && o->rec.verbosity >= 0)
		cli_note(TOOL,
			 "recorded are %s, and what they start; no process that is "
			 "started elsewhere",
			 text);
	free(text);
	return rc;
}

/* ---- modes ---- */

static int run_list(const struct options *o, struct err *e)
{
	struct list_options l = {.device = o->device.v,
				 .ndevice = o->device.n,
				 .pci = o->pci.v,
				 .npci = o->pci.n,
				 .json = o->json};
	struct profile p;
	int32_t *irq = calloc(o->nirq + 1, sizeof(*irq));
	int rc = irq ? 0 : err_nomem(e, "a recording");

	profile_init(&p);
	for (size_t i = 0; !rc && i < o->nirq; i++)
		irq[i] = (int32_t)o->irq[i];
	l.irq = irq;
	l.nirq = o->nirq;
	if (!rc && o->profile && !(rc = named_profile(o, &p, e)))
		l.profile = &p;
	if (!rc)
		rc = list_run(&l, stdout, e);
	if (!rc && !o->json && !o->nirq && !o->device.n && !o->pci.n && !o->profile)
		rc = count_list("", stdout, e);
	profile_release(&p);
	free(irq);
	return rc ? cli_status(e) : EXIT_OK;
}

/* Those of the options and of the profile. */
static int add_counts(struct options *o, const struct profile *p, struct err *e)
{
	for (size_t i = 0; i < p->ncount; i++) {
		const char **added = array_add(&o->count.v, &o->count.n);

		if (!added)
			return err_nomem(e, "a recording");
		*added = p->count[i];
	}
	o->rec.count = (struct count_options){.event = o->count.v, .n = o->count.n};
	return 0;
}

static void tell_plan(const struct plan *plan, const struct profile *p)
{
	char *told = plan_told(plan, p), *save = NULL;

	for (char *line = told ? strtok_r(told, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		cli_note(TOOL, "%s", line);
	free(told);
}

/* Of a line that has handlers of several devices now. */
static void tell_shared(const struct irqmap *map, const int32_t *irq, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = irqmap_find(map, irq[i])->name;

		if (name && strstr(name, ", "))
			cli_note(
				TOOL,
				"interrupt %d is a line that devices share (%s): each "
				"handler is an interrupt of its own, and one that says it "
				"was not its device's is not counted for it",
				irq[i], name);
	}
}

static int run_planned(struct options *o, struct profile *p, struct plan *plan,
		       struct irqmap *map, struct err *e)
{
	struct irq_choice choice = {.irq = o->irq,
				    .nirq = o->nirq,
				    .device = o->device.v,
				    .ndevice = o->device.n,
				    .pci = o->pci.v,
				    .npci = o->pci.n,
				    .profile = p};
	int32_t *irq = NULL, *shared = NULL;
	size_t n = 0, nshared = 0;
	int rc = irq_choose(&choice, map, &irq, &n, e), status;

	if (choice.absent)
		cli_warn(TOOL, "%s", choice.absent);

	if (!rc)
		rc = irq_choose_shared(map, irq, n, &shared, &nshared, e);
	if (!rc)
		rc = add_counts(o, p, e);
	if (!rc)
		rc = watch_ask_options(&o->watch, p, o->pci.n == 1 ? o->pci.v[0] : NULL,
				       &o->rec.watch, e);

	for (size_t i = 0; i < plan->nnote && o->rec.verbosity >= 0; i++)
		cli_note(TOOL, "%s", plan->note[i]);
	if (o->rec.verbosity >= 0 && plan->n)
		tell_plan(plan, p);
	if (!rc && o->rec.verbosity >= 0)
		tell_shared(map, shared, nshared);
	o->rec.irq = irq;
	o->rec.nirq = n;
	o->rec.nshared = nshared;
	o->rec.plan = plan;
	o->rec.profile = p;
	o->rec.exits = o->exits;
	o->rec.map = map;
	o->rec.choice = &choice;
	if (rc) {
		status = cli_status(e);
	} else if (o->dry_run) {
		plan_print(plan, &(struct plan_irqs){irq, shared, n, nshared}, stdout);
		kernel_events_print(p, stdout);
		watch_ask_print(&o->rec.watch, stdout);
		status = fflush(stdout) ? EXIT_FAILED : EXIT_OK;
	} else {
		status = recording_run(&o->rec, e);
	}
	irq_choice_release(&choice);
	free(irq);
	free(shared);
	return status;
}

enum { MAPS_BYTES = 16 << 20 };

/* An agent of another recording, running or ended: the kernel puts no uprobe into the pages
 * that it armed (record/agent/agent_arm.so.c), and says nothing. */
static int refuse_agent(pid_t pid, struct err *e)
{
	char path[64], *maps = NULL;
	size_t len;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)files_task_of(pid));
	rc = rootfs_read("", path, MAPS_BYTES, &maps, &len, NULL);
	if (!rc && strstr(maps, AGENT_LIBRARY))
		err_set(e, ERR_UNSUPPORTED,
			"process %d has probes of another recording in it, and would "
			"hide its calls from the kernel's: record both at once, or "
			"start it anew, with --probes kernel if it is to be recorded "
			"twice",
			(int)pid);
	free(maps);
	return rc || !e->code ? 0 : e->code;
}

static int choose_probes(struct options *o, struct plan *plan,
			 const struct plan_files *files, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < o->rec.npid; i++)
		rc = refuse_agent(o->rec.pid[i], e);
	if (o->rec.everyone) /* each would need to be started by us */
		o->rec.probes = PROBES_KERNEL;
	if (rc || o->rec.probes == PROBES_KERNEL)
		return rc;
	if (!o->rec.argv)
		return plan_unplace(plan, NULL, "the process is running already", e);
	return plan_places(plan, files, e);
}

/* Root's rights are for recording; the command has those of who asked for it. */
static int choose_users(struct options *o, struct err *e)
{
	const struct user *as;
	int rc = user_invoking(&o->invoking, e);

	if (!rc && o->user)
		rc = user_named(&o->run_as, o->user, e);
	else if (!rc && !o->as_root)
		rc = user_invoking(&o->run_as, e);
	as = &o->run_as;
	if (rc || !o->rec.argv || o->as_root)
		return rc;
	if (as->uid != geteuid() && geteuid())
		return err_set(e, ERR_PERM,
			       "--user %s: only root can run a command as "
			       "another user",
			       o->user);
	o->rec.run_as = as;
	if (as->behind_root && o->rec.verbosity >= 0)
		cli_note(TOOL, "the command runs as %s (--as-root: as root)",
			 as->name ? as->name : "who called sudo");
	return 0;
}

/* Of all processes some may come to have the functions that none has yet. */
static int make_plan(struct plan *plan, const struct profile *p,
		     const struct plan_files *files, const struct options *o,
		     struct err *e)
{
	struct err why = {0};
	int rc = plan_make(plan, p, files, o->exits, &why);

	if (rc != ERR_NOTFOUND || !o->rec.everyone)
		return rc ? err_set(e, rc, "%s", why.text) : 0;
	cli_note(TOOL,
		 "no process has the functions of %s yet: they are waited for (--profile "
		 "NAME waits for another library's, -x LIB arms that one now)",
		 p->name ? p->name : "the command line");
	return 0;
}

static int run(struct options *o, struct err *e)
{
	struct profile p;
	struct plan plan = {0};
	struct irqmap map = {0};
	struct plan_files opened = {0};
	char **files = NULL;
	size_t n = 0;
	int rc, status;

	profile_init(&p);
	o->rec.invoking = &o->invoking;
	o->rec.counter_files =
		(struct counter_files){o->counter_file.v, o->counter_file.n};
	rc = choose_users(o, e);
	if (!rc)
		rc = find_processes(o, e);
	if (!rc && (rc = files_find(o, &files, &n, e)) && !n && o->rec.argv) {
		paths_free(files, n);
		return rc == ERR_NOTFOUND ? 127 : 126; /* as a shell says it */
	}
	if (!rc && o->rec.everyone)
		rc = top_files(o, &files, &n, e);
	if (!rc)
		rc = plan_files_open(&opened, files, n, e);
	if (!rc)
		rc = choose_profile(o, &p, &opened, e);
	if (!rc)
		rc = make_plan(&plan, &p, &opened, o, e);
	if (!rc)
		rc = choose_probes(o, &plan, &opened, e);
	plan_files_close(&opened);
	if (!rc)
		rc = irqmap_read(&map, "", e);
	o->rec.searched = files;
	o->rec.nsearched = n;
	status = rc ? cli_status(e) : run_planned(o, &p, &plan, &map, e);
	plan_release(&plan);
	irqmap_release(&map);
	profile_release(&p);
	paths_free(files, n);
	return status;
}

/* ---- several recordings ---- */

static int record_one(void *arg, char **command, const char *label, const char *output)
{
	struct options *o = arg;
	struct err e = {0};
	int status;

	o->rec.argv = command;
	o->rec.label = label;
	o->rec.output = output;
	o->rec.in_series = true;
	status = run(o, &e);
	if (e.code)
		cli_error(TOOL, &e);
	return status;
}

static void print_next(const struct series *s, int made)
{
	int run[2] = {0};

	fprintf(stderr, "next: dmaanalyze -q");
	for (int step = 0; step < made; step++) {
		int side = series_side(s, step);
		char *output = series_output(s, side, ++run[side]);

		fprintf(stderr, " -i %s", output ? output : "?");
		free(output);
	}
	fprintf(stderr, " trace.db\n");
	if (run[1])
		fprintf(stderr, "      dmacompare --base '%s' --new '%s' trace.db\n",
			s->label[0], s->label[1]);
}

static int run_series(struct options *o, struct err *e)
{
	struct series s = {.runs = (int)o->runs,
			   .command = {o->rec.argv},
			   .label = {o->label[0], o->label[1]},
			   .output = o->rec.output};
	int made, status;

	if (o->interleave) {
		s.command[1] = series_cut(o->rec.argv);
		s.label[0] = s.label[0] ? s.label[0] : "base";
		s.label[1] = s.label[1] ? s.label[1] : "new";
	}
	if (o->dry_run ||
	    (o->interleave && (!s.command[1] || !s.command[0][0] || !s.command[1][0]))) {
		err_set(e, ERR_USAGE,
			o->dry_run ? "--dry-run shows one recording: without --runs and "
				     "--interleave"
				   : "--interleave records two commands: dmarec "
				     "--interleave -- COMMAND --vs COMMAND");
		return EXIT_USAGE;
	}
	status = series_run(&s, record_one, o, &made, e);
	if (made && o->rec.verbosity >= 0)
		print_next(&s, made);
	return status;
}

/* The exit status stays the workload's, but for a report that failed. */
static int run_reported(struct options *o, struct err *e)
{
	char *recording, *database;
	int status, rc = user_invoking(&o->invoking, e);

	if (!rc)
		rc = show_begin(o->report, &o->invoking, &recording, &database, e);
	if (rc)
		return cli_status(e);
	user_release(&o->invoking);
	o->rec.output = recording;
	o->rec.in_series = true; /* what comes next is done */
	status = run(o, e);
	if (!e->code && !access(recording, R_OK) &&
	    show_run(o->report, recording, database, o->rec.verbosity < 0, e) && !status)
		status = EXIT_FAILED;
	free(recording);
	free(database);
	return status;
}

/* Of a refusal: who else than the user's rights may be its cause. */
static void tell_forbidden(void)
{
	char *why = forbidden_by("");

	if (why)
		cli_note(TOOL, "%s", why);
	free(why);
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = {0};
	int status;

	options_parse(&o, argc, argv);
	if (options_check(&o, &e)) {
		status = EXIT_USAGE;
	} else if (o.list) {
		status = run_list(&o, &e);
	} else if (o.runs || o.interleave) {
		o.runs = o.runs ? o.runs : 1;
		status = run_series(&o, &e);
	} else {
		o.rec.label = o.label[0];
		status = o.report ? run_reported(&o, &e) : run(&o, &e);
	}
	if (e.code)
		cli_error(TOOL, &e);
	if (e.code == ERR_PERM)
		tell_forbidden();
	options_release(&o);
	return status;
}
