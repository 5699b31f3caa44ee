/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/options.h"

#include <argp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/array.h"
#include "lib/cli.h"
#include "lib/err.h"
#include "lib/num.h"
#include "record/series.h"

enum {
	KEY_START = 256,
	KEY_TRANSFER,
	KEY_WAIT,
	KEY_STOP,
	KEY_PROFILE,
	KEY_IRQ,
	KEY_DEVICE,
	KEY_PCI,
	KEY_DURATION,
	KEY_LEAVE,
	KEY_CLOCK,
	KEY_FEED,
	KEY_EXITS,
	KEY_PROBES,
	KEY_LABEL,
	KEY_RUNS,
	KEY_INTERLEAVE,
	KEY_DRY,
	KEY_REPORT,
	KEY_LIST,
	KEY_JSON,
	KEY_USER,
	KEY_AS_ROOT,
	KEY_COUNTER_FILE,
	KEY_ADDRESSES,
	KEY_WATCH,
	KEY_WATCH_MODE,
	KEY_WATCH_CPU,
	KEY_COUNT,
	KEY_ROTATE,
	KEY_MAX_SIZE,
	KEY_TOP
};

static const struct argp_option table[] = {
	{0, 0, 0, 0, "What is recorded:", 1},
	{"start", KEY_START, "FUNC", 0, "A function that starts a transfer", 1},
	{"transfer", KEY_TRANSFER, "FUNC", 0,
	 "A function that starts a transfer and returns when it has ended", 1},
	{"wait", KEY_WAIT, "FUNC", 0, "A function that waits for one", 1},
	{"stop", KEY_STOP, "FUNC", 0, "A function that stops a channel", 1},
	{"library", 'x', "LIB", 0, "Look for the functions in this library too", 1},
	{"profile", KEY_PROFILE, "NAME|FILE", 0,
	 "Take functions and interrupts from a profile", 1},
	{"pid", 'p', "PID|NAME[,...]", 0, "Attach to running processes", 1},
	{"top", KEY_TOP, 0, 0,
	 "Show all processes that use the library, without a file, until Ctrl-C", 1},
	{"duration", KEY_DURATION, "TIME", 0,
	 "Record so long (10s, 500ms), then end the command", 1},
	{"leave-running", KEY_LEAVE, 0, 0, "With --duration: the command goes on", 1},
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
	{"rotate", KEY_ROTATE, "TIME", 0,
	 "Begin a new part, FILE.0002 and so on, every TIME (10m)", 5},
	{"max-size", KEY_MAX_SIZE, "SIZE", 0, "Begin a new part when one has SIZE (1G)",
	 5},
	{"report", KEY_REPORT, "DIR", 0,
	 "Then analyse it and draw the report: recording, database and page in DIR", 5},
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
	{0, 0, 0, 0, "Rights:", 7},
	{"user", KEY_USER, "NAME", 0, "Run the command as this user", 7},
	{"as-root", KEY_AS_ROOT, 0, 0,
	 "Run the command as root under sudo, not as who called it", 7},
	{"counter-file", KEY_COUNTER_FILE, "FILE", 0,
	 "A counter of the profile may read this file outside /proc and /sys", 7},
	{"kernel-addresses", KEY_ADDRESSES, 0, 0,
	 "Keep the kernel's addresses in the samples of interrupts", 7},
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

/* A part has a head of its own (some 100 KiB), and its number four digits. */
enum { LEAST_PART_BYTES = 1 << 20 };
#define LEAST_PART_NS INT64_C(1000000000)

static error_t parse_number(int key, char *arg, struct argp_state *state,
			    struct options *o)
{
	struct err e = {0};
	int64_t v = 0;

	if (key == 'm') {
		check(state, "-m", num_bytes(arg, 4096, 1 << 30, &v, &e), &e);
		o->rec.ring_bytes = (size_t)v;
	} else if (key == KEY_MAX_SIZE) {
		check(state, "--max-size",
		      num_bytes(arg, LEAST_PART_BYTES, INT64_MAX, &v, &e), &e);
		o->rec.part_bytes = (uint64_t)v;
	} else if (key == KEY_ROTATE) {
		check(state, "--rotate",
		      num_duration_ns(arg, LEAST_PART_NS, INT64_MAX / 4, &v, &e), &e);
		o->rec.rotate_ns = v;
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
		if (!arg && register_looks(next))
			arg = state->argv[state->next++];
		if (arg)
			check(state, "--watch", watch_ask_register(&o->watch, arg, &e),
			      &e);
	}
	return 0;
}

/* Options that only set something: where in struct options. */
static const struct place {
	int key;
	const char *name;
	size_t at;
} words[] = {{'x', "-x", offsetof(struct options, library)},
	     {'p', "-p", offsetof(struct options, process)},
	     {KEY_START, "--start", offsetof(struct options, start)},
	     {KEY_TRANSFER, "--transfer", offsetof(struct options, transfer)},
	     {KEY_WAIT, "--wait", offsetof(struct options, wait)},
	     {KEY_STOP, "--stop", offsetof(struct options, stop)},
	     {KEY_DEVICE, "--device", offsetof(struct options, device)},
	     {KEY_PCI, "--pci", offsetof(struct options, pci)},
	     {KEY_COUNTER_FILE, "--counter-file", offsetof(struct options, counter_file)},
	     {KEY_COUNT, "--count", offsetof(struct options, count)},
	     {0}},
  texts[] = {{'o', "-o", offsetof(struct options, rec.output)},
	     {KEY_PROFILE, "--profile", offsetof(struct options, profile)},
	     {KEY_USER, "--user", offsetof(struct options, user)},
	     {KEY_REPORT, "--report", offsetof(struct options, report)},
	     {0}},
  flags[] = {{KEY_LEAVE, NULL, offsetof(struct options, rec.leave_running)},
	     {KEY_INTERLEAVE, NULL, offsetof(struct options, interleave)},
	     {KEY_AS_ROOT, NULL, offsetof(struct options, as_root)},
	     {KEY_ADDRESSES, NULL, offsetof(struct options, rec.kernel_addresses)},
	     {KEY_DRY, NULL, offsetof(struct options, dry_run)},
	     {KEY_LIST, NULL, offsetof(struct options, list)},
	     {KEY_JSON, NULL, offsetof(struct options, json)},
	     {0}};

/* NULL = the key is none of these. */
static const struct place *place_of(const struct place *p, int key)
{
	while (p->key && p->key != key)
		p++;
	return p->key ? p : NULL;
}

static bool parse_place(int key, const char *arg, struct argp_state *state,
			struct options *o)
{
	const struct place *word = place_of(words, key), *text = place_of(texts, key);
	const struct place *flag = place_of(flags, key);

	if (word)
		push((struct words *)((char *)o + word->at),
		     nonempty(state, word->name, arg));
	if (text)
		*(const char **)((char *)o + text->at) = nonempty(state, text->name, arg);
	if (flag)
		*(bool *)((char *)o + flag->at) = true;
	return word || text || flag;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (parse_place(key, arg, state, o))
		return 0;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->rec.live;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case KEY_LABEL:
		if (o->nlabel == 2)
			argp_error(state, "--label: '%s' is a third", arg);
		o->label[o->nlabel++] = arg;
		break;
	case KEY_CLOCK:
		set_clock(state, o, arg);
		break;
	case KEY_TOP:
		o->top = o->rec.everyone = true;
		o->rec.live.shown = o->rec.live.everyone = true;
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
	case KEY_WATCH:
	case KEY_WATCH_MODE:
	case KEY_WATCH_CPU:
		return parse_watch(key, arg, state, o);
	case 'q':
		o->rec.verbosity = -1;
		break;
	case 'v':
		o->rec.verbosity = 1;
		break;
	case 'm':
	case KEY_DURATION:
	case KEY_RUNS:
	case KEY_ROTATE:
	case KEY_MAX_SIZE:
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

void options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp_child children[] = {{&live_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		table, parse,	 "-- COMMAND [ARGS...]\n-p PID\n--top\n--list",
		doc,   children, NULL,
		NULL};

	*o = (struct options){.rec = {.clock_name = "monotonic",
				      .clockid = CLOCK_MONOTONIC,
				      .cmdline = argv}};
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, o))
		exit(EXIT_USAGE);
	if (!o->top && !o->rec.output)
		o->rec.output = "dma.data";
}

/* What --top goes with. */
static int check_top(const struct options *o, struct err *e)
{
	const struct recording_options *r = &o->rec;

	if (r->argv || o->process.n)
		return err_set(e, ERR_USAGE,
			       "--top is of all processes: without a command and -p");
	if (o->runs || o->interleave || o->list)
		return err_set(e, ERR_USAGE,
			       "--top shows what runs: without --runs, --interleave and "
			       "--list");
	if (r->probes == PROBES_PROCESS)
		return err_set(
			e, ERR_USAGE,
			"--top has the kernel's probes alone: those in a process need "
			"one that dmarec starts");
	if (!r->output && !o->report &&
	    (r->live.keep_ns || r->live.keep_bytes || r->rotate_ns || r->part_bytes))
		return err_set(e, ERR_USAGE,
			       "--top writes no file unless -o names one, which --keep, "
			       "--rotate and --max-size are about");
	return 0;
}

int options_check(const struct options *o, struct err *e)
{
	if (o->top && check_top(o, e))
		return ERR_USAGE;
	if (!o->list && !o->top && !o->rec.argv == !o->process.n)
		return err_set(
			e, ERR_USAGE,
			"what to record? Either 'dmarec -- COMMAND', 'dmarec -p PID' "
			"or, of all processes, 'dmarec --top'");
	if (!o->interleave && o->nlabel == 2)
		return err_set(e, ERR_USAGE,
			       "a second --label is of --interleave's second command");
	if (o->user && o->as_root)
		return err_set(e, ERR_USAGE, "--user and --as-root: name one of them");
	if (o->report && (o->runs || o->interleave || o->dry_run))
		return err_set(e, ERR_USAGE,
			       "--report shows one recording: without --runs, "
			       "--interleave and --dry-run");
	if ((o->rec.rotate_ns || o->rec.part_bytes) &&
	    (o->rec.live.keep_ns || o->rec.live.keep_bytes))
		return err_set(e, ERR_USAGE,
			       "--keep writes what came last into one file: without "
			       "--rotate and --max-size");
	if (o->rec.leave_running && (!o->rec.duration_ns || !o->rec.argv))
		return err_set(e, ERR_USAGE,
			       "--leave-running is for a command with --duration");
	return 0;
}

void options_release(struct options *o)
{
	user_release(&o->invoking);
	user_release(&o->run_as);
	free(o->counter_file.v);
	live_options_release(&o->rec.live);
	watch_ask_release(&o->watch);
	free(o->count.v);
	free(o->irq);
	free(o->rec.pid);
	free(o->rec.before);
	free(o->process.v);
	free(o->library.v);
	free(o->start.v);
	free(o->transfer.v);
	free(o->wait.v);
	free(o->stop.v);
	free(o->device.v);
	free(o->pci.v);
}
