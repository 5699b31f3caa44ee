/* SPDX-License-Identifier: GPL-2.0-only */
/* dmarec: options, the choice of profile, files and interrupts, and the exit status. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/count/count_event.h"
#include "record/elf/symbols.h"
#include "record/host/forbid.h"
#include "record/host/rights.h"
#include "record/host/trust.h"
#include "record/list.h"
#include "record/recording.h"
#include "record/series.h"
#include "record/watch/watch_ask.h"

#define TOOL "dmarec"

struct words {
	const char **v;
	size_t n;
};

struct options {
	struct recording_options rec;
	struct words library, start, wait, stop, device, pci;
	struct words counter_file;
	const char *profile, *user;
	int64_t *irq;
	size_t nirq;
	enum exit_probes exits;
	bool dry_run, list, json, interleave, as_root;
	const char *label[2];
	int nlabel;
	int64_t runs; /* of each command */
	struct user invoking, run_as;
	struct watch_ask watch;
	struct words count;
};

enum {
	KEY_START = 256,
	KEY_WAIT,
	KEY_STOP,
	KEY_PROFILE,
	KEY_IRQ,
	KEY_DEVICE,
	KEY_PCI,
	KEY_DURATION,
	KEY_CLOCK,
	KEY_FEED,
	KEY_EXITS,
	KEY_PROBES,
	KEY_LABEL,
	KEY_RUNS,
	KEY_INTERLEAVE,
	KEY_DRY,
	KEY_LIST,
	KEY_JSON,
	KEY_USER,
	KEY_AS_ROOT,
	KEY_COUNTER_FILE,
	KEY_ADDRESSES,
	KEY_WATCH,
	KEY_WATCH_MODE,
	KEY_WATCH_CPU,
	KEY_COUNT
};

static const struct argp_option table[] = {
	{0, 0, 0, 0, "What is recorded:", 1},
	{"start", KEY_START, "FUNC", 0, "A function that starts a transfer", 1},
	{"wait", KEY_WAIT, "FUNC", 0, "A function that waits for one", 1},
	{"stop", KEY_STOP, "FUNC", 0, "A function that stops a channel", 1},
	{"library", 'x', "LIB", 0, "Look for the functions in this library too", 1},
	{"profile", KEY_PROFILE, "NAME|FILE", 0,
	 "Take functions and interrupts from a profile", 1},
	{"pid", 'p', "PID", 0, "Attach to a running process", 1},
	{"duration", KEY_DURATION, "TIME", 0, "Stop recording after so long (10s, 500ms)",
	 1},
	{0, 0, 0, 0, "Which interrupts:", 2},
	{"irq", KEY_IRQ, "N[,N...]", 0, "Record these interrupts only", 2},
	{"device", KEY_DEVICE, "NAME", 0, "Record the interrupts of this name", 2},
	{"pci", KEY_PCI, "BDF", 0, "Record the interrupts of this PCI device", 2},
	{"list", KEY_LIST, 0, 0, "Print the machine's interrupts", 2},
	{"json", KEY_JSON, 0, 0, "With --list: as JSON", 2},
	{0, 0, 0, 0, "What else is read:", 3},
	{"watch", KEY_WATCH, "REGISTER", OPTION_ARG_OPTIONAL,
	 "Read the profile's registers, or BDF:BAR+OFFSET:WIDTH, while recording", 3},
	{"watch-mode", KEY_WATCH_MODE, "always|in-flight|TIME", 0,
	 "When they are read (default always)", 3},
	{"watch-cpu", KEY_WATCH_CPU, "N[,fifo]", 0, "On which CPU", 3},
	{"count", KEY_COUNT, "EVENT", 0,
	 "Count this event of the machine's units too (PMU/EVENT/)", 3},
	{0, 0, 0, 0, "Several runs:", 4},
	{"runs", KEY_RUNS, "N", 0, "Record the command N times, into dma-1.data, ...", 4},
	{"interleave", KEY_INTERLEAVE, 0, 0,
	 "Two commands, COMMAND --vs COMMAND, recorded in turns", 4},
	{"label", KEY_LABEL, "TEXT", 0,
	 "A name for this run (a second one: of --interleave's second command)", 4},
	{0, 0, 0, 0, "How:", 5},
	{"output", 'o', "FILE", 0, "The recording (default dma.data)", 5},
	{"dry-run", KEY_DRY, 0, 0, "Print what would be armed; arm nothing", 5},
	{"ring", 'm', "SIZE", 0,
	 "Size of each CPU's ring (16M, or what fits into 256M for all)", 5},
	{"clock", KEY_CLOCK, "mono|mono_raw|boot|tai", 0, "Clock of the time stamps", 5},
	{"irq-feed", KEY_FEED, "auto|bpf|perf", 0, "How interrupts are sampled", 5},
	{"probes", KEY_PROBES, "auto|process|kernel", 0,
	 "Where probes are armed: in the process without a trap, or in the kernel", 5},
	{"exit-probes", KEY_EXITS, "ret|uretprobe|none", 0, "How exits are seen", 5},
	{"quiet", 'q', 0, 0, "Say less", 5},
	{"verbose", 'v', 0, 0, "Say more", 5},
	{0, 0, 0, 0, "Rights:", 6},
	{"user", KEY_USER, "NAME", 0, "Run the command as this user", 6},
	{"as-root", KEY_AS_ROOT, 0, 0,
	 "Run the command as root under sudo, not as who called it", 6},
	{"counter-file", KEY_COUNTER_FILE, "FILE", 0,
	 "A counter of the profile may read this file outside /proc and /sys", 6},
	{"kernel-addresses", KEY_ADDRESSES, 0, 0,
	 "Keep the kernel's addresses in the samples of interrupts", 6},
	{0, 'h', 0, 0, "Give this help list", -1},
	{0}};

const char *argp_program_version = TOOL " " DMA_VERSION;
/* Set before parsing: argp's own choice would be 64. */
static const char doc[] =
	"Record when DMA transfers start, when the card's interrupt comes, and "
	"when the program notices.\v"
	"The exit status is the workload's own.";

static void push(struct words *w, const char *text)
{
	const char **added = array_add(&w->v, &w->n);

	if (!added)
		exit(EXIT_FAILED);
	*added = text;
}

/* The index of a word in "a|b|c"; ends the program when it is none of them. */
static int word_of(struct argp_state *state, const char *option, const char *arg,
		   const char *words)
{
	size_t len = strlen(arg);
	int i = 0;

	for (const char *p = words; *p; p += strcspn(p, "|"), p += *p == '|', i++)
		if (len && strcspn(p, "|") == len && !strncmp(p, arg, len))
			return i;
	argp_error(state, "%s '%s': expected %s", option, arg, words);
	return 0;
}

static void check(struct argp_state *state, const char *option, int rc,
		  const struct err *e)
{
	if (rc)
		argp_error(state, "%s: %s", option, e->text);
}

static const char *nonempty(struct argp_state *state, const char *option, const char *arg)
{
	if (!*arg)
		argp_error(state, "%s: the value is empty", option);
	return arg;
}

static void set_clock(struct argp_state *state, struct options *o, const char *arg)
{
	static const int id[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
				 CLOCK_TAI};
	static const char *const name[] = {"monotonic", "monotonic_raw", "boottime",
					   "tai"};
	int i = word_of(state, "--clock", arg, "mono|mono_raw|boot|tai");

	o->rec.clockid = id[i];
	o->rec.clock_name = name[i];
}

static error_t parse_number(int key, char *arg, struct argp_state *state,
			    struct options *o)
{
	struct err e = {0};
	int64_t v = 0;

	if (key == 'p') {
		check(state, "-p", num_i64(arg, 1, INT32_MAX, &v, &e), &e);
		o->rec.pid = (pid_t)v;
	} else if (key == 'm') {
		check(state, "-m", num_bytes(arg, 4096, 1 << 30, &v, &e), &e);
		o->rec.ring_bytes = (size_t)v;
	} else if (key == KEY_RUNS) {
		check(state, "--runs", num_i64(arg, 1, SERIES_MOST, &o->runs, &e), &e);
	} else if (key == KEY_DURATION) {
		check(state, "--duration", num_duration_ns(arg, 1, INT64_MAX / 4, &v, &e),
		      &e);
		o->rec.duration_ns = v;
	} else {
		free(o->irq);
		o->irq = NULL;
		check(state, "--irq",
		      num_list(arg, 0, 65535, 4096, &o->irq, &o->nirq, &e), &e);
	}
	return 0;
}

/* --watch takes its value behind a blank, too, where that is a register: a command never
 * looks like one. */
static error_t parse_watch(int key, char *arg, struct argp_state *state,
			   struct options *o)
{
	const char *next = state->next < state->argc ? state->argv[state->next] : "";
	struct err e = {0};

	if (key == KEY_WATCH_MODE) {
		check(state, "--watch-mode", watch_ask_mode(&o->watch, arg, &e), &e);
	} else if (key == KEY_WATCH_CPU) {
		check(state, "--watch-cpu", watch_ask_cpu(&o->watch, arg, &e), &e);
	} else {
		o->watch.wanted = true;
		if (!arg && register_looks(next)) {
			arg = state->argv[state->next++];
		}
		if (arg)
			check(state, "--watch", watch_ask_register(&o->watch, arg, &e),
			      &e);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case 'o':
		o->rec.output = nonempty(state, "-o", arg);
		break;
	case 'x':
		push(&o->library, nonempty(state, "-x", arg));
		break;
	case KEY_START:
		push(&o->start, nonempty(state, "--start", arg));
		break;
	case KEY_WAIT:
		push(&o->wait, nonempty(state, "--wait", arg));
		break;
	case KEY_STOP:
		push(&o->stop, nonempty(state, "--stop", arg));
		break;
	case KEY_PROFILE:
		o->profile = nonempty(state, "--profile", arg);
		break;
	case KEY_DEVICE:
		push(&o->device, nonempty(state, "--device", arg));
		break;
	case KEY_PCI:
		push(&o->pci, nonempty(state, "--pci", arg));
		break;
	case KEY_LABEL:
		if (o->nlabel == 2)
			argp_error(state, "--label: '%s' is a third", arg);
		o->label[o->nlabel++] = arg;
		break;
	case KEY_INTERLEAVE:
		o->interleave = true;
		break;
	case KEY_CLOCK:
		set_clock(state, o, arg);
		break;
	case KEY_FEED:
		o->rec.feed =
			(enum irq_feed)word_of(state, "--irq-feed", arg, "auto|bpf|perf");
		break;
	case KEY_EXITS:
		o->exits = (enum exit_probes)word_of(state, "--exit-probes", arg,
						     "ret|uretprobe|none");
		break;
	case KEY_PROBES:
		o->rec.probes = (enum probes_how)word_of(state, "--probes", arg,
							 "auto|process|kernel");
		break;
	case KEY_USER:
		o->user = nonempty(state, "--user", arg);
		break;
	case KEY_AS_ROOT:
		o->as_root = true;
		break;
	case KEY_COUNTER_FILE:
		push(&o->counter_file, nonempty(state, "--counter-file", arg));
		break;
	case KEY_COUNT:
		push(&o->count, nonempty(state, "--count", arg));
		break;
	case KEY_WATCH:
	case KEY_WATCH_MODE:
	case KEY_WATCH_CPU:
		return parse_watch(key, arg, state, o);
	case KEY_ADDRESSES:
		o->rec.kernel_addresses = true;
		break;
	case KEY_DRY:
		o->dry_run = true;
		break;
	case KEY_LIST:
		o->list = true;
		break;
	case KEY_JSON:
		o->json = true;
		break;
	case 'q':
		o->rec.verbosity = -1;
		break;
	case 'v':
		o->rec.verbosity = 1;
		break;
	case 'p':
	case 'm':
	case KEY_DURATION:
	case KEY_RUNS:
	case KEY_IRQ:
		return parse_number(key, arg, state, o);
	case ARGP_KEY_ARGS:
		o->rec.argv = state->argv + state->next;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* ---- which profile ---- */

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
	} else if (o->start.n) {
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
		rc = add_functions(p, &o->wait, FUNC_WAIT, "--wait", e);
	return rc ? rc : add_functions(p, &o->stop, FUNC_STOP, "--stop", e);
}

/* ---- which files ---- */

/* "libfoo.so" names "/opt/lib/libfoo.so.1.2" */
static bool is_named(const char *file, const char *name)
{
	const char *base = strrchr(file, '/');
	size_t len = strlen(name);

	base = base ? base + 1 : file;
	return !strncmp(base, name, len) && (!base[len] || base[len] == '.');
}

static int add_file(char ***files, size_t *n, const char *path, struct err *e)
{
	char **grown = realloc(*files, (*n + 1) * sizeof(*grown));

	if (!grown)
		return err_nomem(e, "a recording");
	*files = grown;
	grown[*n] = realpath(path, NULL);
	for (size_t i = 0; i < *n; i++) /* the soname of one that is loaded anyway */
		if (!grown[*n] && !strchr(path, '/') && is_named(grown[i], path))
			return 0;
	if (!grown[*n])
		return err_errno(e, "library %s", path);
	++*n;
	return 0;
}

static uid_t owner_of_process(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) ? 0 : st.st_uid;
}

/* A file that only the process itself can reach (/proc/PID/map_files, /proc/PID/root): its
 * directories are not ours to judge, its owner is. */
static bool is_own_file(const struct options *o, const char *path, uid_t process)
{
	char prefix[64];
	struct stat st;
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "/proc/%d/", o->rec.pid);

	return o->rec.pid && !strncmp(path, prefix, len) && !stat(path, &st) &&
	       (!st.st_uid || st.st_uid == o->invoking.uid || st.st_uid == process) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Of what was found rather than named, only files that nobody else can write: a file says
 * which profile fits and where probes go. The command itself (the first) was named. */
static void keep_trusted(const struct options *o, char **files, size_t *n)
{
	uid_t process = o->rec.argv ? o->run_as.uid : owner_of_process(o->rec.pid);
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		struct err why = {0};

		if ((i == 0 && o->rec.argv) ||
		    trust_path(files[i], o->invoking.uid, &why) ||
		    trust_path(files[i], process, NULL) ||
		    is_own_file(o, files[i], process)) {
			files[kept++] = files[i];
			continue;
		}
		if (o->rec.verbosity >= 0)
			cli_warn(TOOL,
				 "not looked into: %s, since %s (-x takes it anyway)",
				 files[i], why.text);
		free(files[i]);
	}
	*n = kept;
}

static int find_files(const struct options *o, char ***files, size_t *n, struct err *e)
{
	char *missing = NULL, *told = NULL, *save = NULL;
	int rc = o->rec.argv ? loader_files(o->rec.argv, files, n, &missing, e)
			     : loader_files_of_pid(o->rec.pid, files, n, &told, e);

	if (!rc)
		keep_trusted(o, *files, n);

	for (char *text = told ? strtok_r(told, "\n", &save) : NULL; text;
	     text = strtok_r(NULL, "\n", &save))
		cli_warn(TOOL, "%s", text);
	free(told);
	if (missing && o->rec.verbosity >= 0)
		cli_warn(TOOL, "libraries not found: %s", missing);
	free(missing);
	for (size_t i = 0; !rc && i < o->library.n; i++)
		rc = add_file(files, n, o->library.v[i], e);
	return rc;
}

/* ---- which interrupts ---- */

static int by_number(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static int add_irq(const struct irqmap *map, int64_t irq, int32_t **list, size_t *n,
		   struct err *e)
{
	int32_t *added;

	if (!irqmap_find(map, (int32_t)irq))
		return err_set(
			e, ERR_NOTFOUND,
			"there is no interrupt %d; dmarec --list shows those there are",
			(int)irq);
	added = array_add(list, n);
	if (!added)
		return err_nomem(e, "a recording");
	*added = (int32_t)irq;
	return 0;
}

/* What the profile names need not be there: the card's driver may be off. */
static int profile_irqs(const struct profile *p, const struct irqmap *map, int32_t **list,
			size_t *n, struct err *e)
{
	struct err why = {0};
	int rc = 0;

	for (size_t i = 0; i < p->ndevice; i++)
		rc = irqmap_select_name(map, p->device[i], list, n, &why);
	for (size_t i = 0; !*n && i < p->npci; i++)
		rc = irqmap_select_pci_id(map, p->pci[i].vendor, p->pci[i].device, list,
					  n, &why);
	if (rc == ERR_NOMEM)
		return err_nomem(e, "a recording");
	return 0;
}

static int choose_irqs(const struct options *o, const struct profile *p,
		       const struct irqmap *map, int32_t **list, size_t *n, bool *named,
		       struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < o->nirq; i++)
		rc = add_irq(map, o->irq[i], list, n, e);
	for (size_t i = 0; !rc && i < o->device.n; i++)
		rc = irqmap_select_name(map, o->device.v[i], list, n, e);
	for (size_t i = 0; !rc && i < o->pci.n; i++)
		rc = irqmap_select_pci(map, o->pci.v[i], list, n, e);
	*named = o->nirq > 0;
	if (!rc && !*n)
		rc = profile_irqs(p, map, list, n, e);
	if (!rc && !*n && (p->ndevice || p->npci))
		cli_warn(TOOL,
			 "no interrupt of profile %s's device is here: every device "
			 "interrupt is recorded",
			 p->name);
	if (!rc && !*n)
		rc = irqmap_select_device_irqs(map, list, n, e);
	if (!rc)
		qsort(*list, *n, sizeof(**list), by_number);
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

static int run_planned(struct options *o, struct profile *p, struct plan *plan,
		       struct irqmap *map, struct err *e)
{
	int32_t *irq = NULL;
	size_t n = 0;
	int rc = choose_irqs(o, p, map, &irq, &n, &o->rec.irq_named, e), status;

	if (!rc)
		rc = add_counts(o, p, e);
	if (!rc)
		rc = watch_ask_options(&o->watch, p, o->pci.n == 1 ? o->pci.v[0] : NULL,
				       &o->rec.watch, e);

	for (size_t i = 0; i < plan->nnote && o->rec.verbosity >= 0; i++)
		cli_note(TOOL, "%s", plan->note[i]);
	o->rec.irq = irq;
	o->rec.nirq = n;
	o->rec.plan = plan;
	o->rec.profile = p;
	o->rec.map = map;
	if (rc) {
		status = cli_status(e);
	} else if (o->dry_run) {
		plan_print(plan, irq, n, stdout);
		watch_ask_print(&o->rec.watch, stdout);
		status = fflush(stdout) ? EXIT_FAILED : EXIT_OK;
	} else {
		status = recording_run(&o->rec, e);
	}
	free(irq);
	return status;
}

static int choose_probes(const struct options *o, struct plan *plan,
			 const struct plan_files *files, struct err *e)
{
	if (o->rec.probes == PROBES_KERNEL)
		return 0;
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
	if (!rc && (rc = find_files(o, &files, &n, e)) && !n && o->rec.argv) {
		paths_free(files, n);
		return rc == ERR_NOTFOUND ? 127 : 126; /* as a shell says it */
	}
	if (!rc)
		rc = plan_files_open(&opened, files, n, e);
	if (!rc)
		rc = choose_profile(o, &p, &opened, e);
	if (!rc)
		rc = plan_make(&plan, &p, &opened, o->exits, e);
	if (!rc)
		rc = choose_probes(o, &plan, &opened, e);
	plan_files_close(&opened);
	if (!rc)
		rc = irqmap_read(&map, "", e);
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
	static const struct argp argp = {
		table, parse, "-- COMMAND [ARGS...]\n-p PID\n--list", doc, NULL,
		NULL,  NULL};
	struct options o = {.rec = {.output = "dma.data",
				    .clock_name = "monotonic",
				    .clockid = CLOCK_MONOTONIC,
				    .cmdline = argv}};
	struct err e = {0};
	int status;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o))
		return EXIT_USAGE;
	if (o.list) {
		status = run_list(&o, &e);
	} else if (!o.rec.argv == !o.rec.pid) {
		err_set(&e, ERR_USAGE,
			"what to record? Either 'dmarec -- COMMAND' or 'dmarec -p PID'");
		status = EXIT_USAGE;
	} else if (!o.interleave && o.nlabel == 2) {
		err_set(&e, ERR_USAGE,
			"a second --label is of --interleave's second command");
		status = EXIT_USAGE;
	} else if (o.user && o.as_root) {
		err_set(&e, ERR_USAGE, "--user and --as-root: name one of them");
		status = EXIT_USAGE;
	} else if (o.runs || o.interleave) {
		o.runs = o.runs ? o.runs : 1;
		status = run_series(&o, &e);
	} else {
		o.rec.label = o.label[0];
		status = run(&o, &e);
	}
	user_release(&o.invoking);
	user_release(&o.run_as);
	free(o.counter_file.v);
	watch_ask_release(&o.watch);
	free(o.count.v);
	if (e.code)
		cli_error(TOOL, &e);
	if (e.code == ERR_PERM)
		tell_forbidden();
	free(o.irq);
	free(o.library.v);
	free(o.start.v);
	free(o.wait.v);
	free(o.stop.v);
	free(o.device.v);
	free(o.pci.v);
	return status;
}
