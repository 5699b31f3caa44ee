/* SPDX-License-Identifier: GPL-2.0-only */
/* dmarec: options, the choice of profile, files and interrupts, and the exit status. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/elf/symbols.h"
#include "record/host/forbid.h"
#include "record/list.h"
#include "record/recording.h"

#define TOOL "dmarec"

struct words {
	const char **v;
	size_t n;
};

struct options {
	struct recording_options rec;
	struct words library, start, wait, stop, device, pci;
	const char *profile;
	int64_t *irq;
	size_t nirq;
	enum exit_probes exits;
	bool dry_run, list, json;
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
	KEY_LABEL,
	KEY_DRY,
	KEY_LIST,
	KEY_JSON
};

static const struct argp_option table[] = {
	{"output", 'o', "FILE", 0, "The recording (default dma.data)", 0},
	{"library", 'x', "LIB", 0, "Look for the functions in this library too", 0},
	{"start", KEY_START, "FUNC", 0, "A function that starts a transfer", 0},
	{"wait", KEY_WAIT, "FUNC", 0, "A function that waits for one", 0},
	{"stop", KEY_STOP, "FUNC", 0, "A function that stops a channel", 0},
	{"profile", KEY_PROFILE, "NAME|FILE", 0,
	 "Take functions and interrupts from a profile", 0},
	{"irq", KEY_IRQ, "N[,N...]", 0, "Record these interrupts only", 0},
	{"device", KEY_DEVICE, "NAME", 0, "Record the interrupts of this name", 0},
	{"pci", KEY_PCI, "BDF", 0, "Record the interrupts of this PCI device", 0},
	{"pid", 'p', "PID", 0, "Attach to a running process", 0},
	{"duration", KEY_DURATION, "TIME", 0, "Stop recording after so long (10s, 500ms)",
	 0},
	{"ring", 'm', "SIZE", 0,
	 "Size of each CPU's ring (16M, or what fits into 256M for all)", 0},
	{"clock", KEY_CLOCK, "mono|mono_raw|boot|tai", 0, "Clock of the time stamps", 0},
	{"irq-feed", KEY_FEED, "auto|bpf|perf", 0, "How interrupts are sampled", 0},
	{"exit-probes", KEY_EXITS, "ret|uretprobe|none", 0, "How exits are seen", 0},
	{"label", KEY_LABEL, "TEXT", 0, "A name for this run", 0},
	{"dry-run", KEY_DRY, 0, 0, "Print what would be armed; arm nothing", 0},
	{"list", KEY_LIST, 0, 0, "Print the machine's interrupts", 0},
	{"json", KEY_JSON, 0, 0, "With --list: as JSON", 0},
	{"quiet", 'q', 0, 0, "Say less", 0},
	{"verbose", 'v', 0, 0, "Say more", 0},
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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
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
		o->rec.label = arg;
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
	char **path = NULL, also[256] = "";
	size_t npath = 0, len = 0, top = 0;
	int rc = profile_list(&path, &npath, e);

	for (size_t i = 0; !rc && i < npath; i++) {
		struct profile p;
		bool library;
		size_t fits;

		profile_init(&p);
		if (profile_read(&p, path[i], NULL))
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
	for (size_t i = 0; i < npath; i++)
		free(path[i]);
	free(path);
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

static int find_files(const struct options *o, char ***files, size_t *n, struct err *e)
{
	char *missing = NULL;
	int rc = o->rec.argv ? loader_files(o->rec.argv, files, n, &missing, e)
			     : loader_files_of_pid(o->rec.pid, files, n, e);

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
	profile_release(&p);
	free(irq);
	return rc ? cli_status(e) : EXIT_OK;
}

static int run_planned(struct options *o, struct profile *p, struct plan *plan,
		       struct irqmap *map, struct err *e)
{
	int32_t *irq = NULL;
	size_t n = 0;
	int rc = choose_irqs(o, p, map, &irq, &n, &o->rec.irq_named, e), status;

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
		status = fflush(stdout) ? EXIT_FAILED : EXIT_OK;
	} else {
		status = recording_run(&o->rec, e);
	}
	free(irq);
	return status;
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
	rc = find_files(o, &files, &n, e);
	if (rc == ERR_NOTFOUND && o->rec.argv && !n) {
		paths_free(files, n);
		return 127;
	}
	if (!rc)
		rc = plan_files_open(&opened, files, n, e);
	if (!rc)
		rc = choose_profile(o, &p, &opened, e);
	if (!rc)
		rc = plan_make(&plan, &p, &opened, o->exits, e);
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
	} else {
		status = run(&o, &e);
	}
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
