/* SPDX-License-Identifier: GPL-2.0-only */
/* dmaanalyze: options, which recordings and runs, and what is printed. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyze/edit.h"
#include "analyze/analysis.h"
#include "analyze/load.h"
#include "analyze/seen.h"
#include "analyze/stream.h"
#include "analyze/summary.h"
#include "lib/array.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/num.h"
#include "lib/text.h"

#define TOOL	    "dmaanalyze"
#define DEFAULT_RAW "dma.data"

struct options {
	const char **raw;
	size_t nraw;
	const char *label, *db;
	int64_t run;		  /* DMA_UNKNOWN = not given */
	int64_t removed, renamed; /* likewise */
	const char *new_label;
	int64_t *irq;
	size_t nirq;
	int pairing;
	struct event_role *role;
	size_t nrole;
	bool list, verify, rebuild, no_keys, json, csv, quiet, verbose;
};

/* of the last handler of the last line, see lib/event/handlers.h */
#define MAX_IRQ (HANDLERS_OF_A_LINE * HANDLER_STRIDE - 1)

enum {
	KEY_LABEL = 256,
	KEY_RUN,
	KEY_LIST,
	KEY_REMOVE,
	KEY_RENAME,
	KEY_VERIFY,
	KEY_IRQ,
	KEY_PAIRING,
	KEY_ROLE,
	KEY_REBUILD,
	KEY_JSON,
	KEY_CSV,
	KEY_NO_KEYS
};

static const struct argp_option table[] = {
	{0, 0, 0, 0, "What is loaded, or looked at:", 1},
	{"input", 'i', "RAW", 0,
	 "A recording to load (default dma.data, into a database without a run)", 1},
	{"label", KEY_LABEL, "TEXT", 0, "A name for the run that is loaded", 1},
	{"run", KEY_RUN, "ID", 0, "Analyse this run of the database", 1},
	{"list", KEY_LIST, 0, 0, "Show the runs in the database", 1},
	{"remove-run", KEY_REMOVE, "ID", 0, "Take this run out of the database", 1},
	{"rename-run", KEY_RENAME, "ID=LABEL", 0, "Give this run another label", 1},
	{0, 0, 0, 0, "Which interrupts end transfers, and how:", 2},
	{"verify", KEY_VERIFY, 0, 0, "Print the evidence for and against every vector",
	 2},
	{"irq", KEY_IRQ, "N[,N...]", 0, "These interrupts end transfers", 2},
	{"pairing", KEY_PAIRING, "one|drain|first|last|infer", 0,
	 "How interrupts end transfers", 2},
	{"role", KEY_ROLE, "EVENT=ROLE", 0, "The role of an event of perf's", 2},
	{"no-keys", KEY_NO_KEYS, 0, 0, "Join as if the driver's events were not recorded",
	 2},
	{"rebuild", KEY_REBUILD, 0, 0, "Build everything derived again", 2},
	{0, 0, 0, 0, "What is printed:", 3},
	{"json", KEY_JSON, 0, 0, "The figures as JSON", 3},
	{"csv", KEY_CSV, 0, 0, "The figures as CSV", 3},
	{"quiet", 'q', 0, 0, "Print no summary", 3},
	{"verbose", 'v', 0, 0, "Say more", 3},
	{0, 'h', 0, 0, "Give this help list", -1},
	{0}};

const char *argp_program_version = TOOL " " DMA_VERSION;
static const char doc[] =
	"Load recordings into SQLite, join starts to completions, say what they took.";

/* ---- options ---- */

static void add_raw(struct options *o, const char *path)
{
	const char **added = array_add(&o->raw, &o->nraw);

	if (!added)
		exit(EXIT_FAILED);
	*added = path;
}

static void add_role(struct argp_state *state, struct options *o, char *arg)
{
	char *equal = strrchr(arg, '=');
	struct event_role *added;
	enum direction direction;
	enum role role;

	if (!equal || equal == arg || event_role_parse(equal + 1, &role, &direction))
		argp_error(state,
			   "--role '%s': expected EVENT=ROLE, ROLE "
			   "being submit, doorbell, started, interrupt, "
			   "handled, wait, woken, stop or other, and behind "
			   "submit may stand :to_host or :from_host",
			   arg);
	*equal = '\0';
	added = array_add(&o->role, &o->nrole);
	if (!added)
		exit(EXIT_FAILED);
	added->event = arg;
	added->role = equal + 1;
}

static error_t parse_value(int key, char *arg, struct argp_state *state,
			   struct options *o)
{
	struct err e = {0};

	if (!*arg)
		argp_error(state, "the value of an option is empty");
	if (key == KEY_RUN && num_i64(arg, 1, INT64_MAX, &o->run, &e))
		argp_error(state, "--run: %s", e.text);
	if (key == KEY_REMOVE && num_i64(arg, 1, INT64_MAX, &o->removed, &e))
		argp_error(state, "--remove-run: %s", e.text);
	if (key == KEY_IRQ) {
		free(o->irq);
		o->irq = NULL;
		if (num_list(arg, 0, MAX_IRQ, 4096, &o->irq, &o->nirq, &e))
			argp_error(state, "--irq: %s", e.text);
	}
	if (key == KEY_PAIRING && (o->pairing = pairing_parse(arg)) < 0)
		argp_error(state,
			   "--pairing '%s': expected one, drain, first, last or infer",
			   arg);
	return 0;
}

static void set_rename(struct argp_state *state, struct options *o, char *arg)
{
	char *equal = strchr(arg, '=');

	if (equal)
		*equal = '\0';
	if (!equal || num_i64(arg, 1, INT64_MAX, &o->renamed, NULL))
		argp_error(state, "--rename-run '%s': expected ID=LABEL, such as 2=old",
			   arg);
	o->new_label = equal + 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case 'i':
		if (!*arg)
			argp_error(state, "-i: the value is empty");
		add_raw(o, arg);
		return 0;
	case KEY_LABEL:
		o->label = arg;
		return 0;
	case KEY_RENAME:
		set_rename(state, o, arg);
		return 0;
	case KEY_REMOVE:
	case KEY_RUN:
	case KEY_IRQ:
	case KEY_PAIRING:
		return parse_value(key, arg, state, o);
	case KEY_ROLE:
		add_role(state, o, arg);
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case KEY_VERIFY:
		o->verify = true;
		return 0;
	case KEY_NO_KEYS:
		o->no_keys = true;
		return 0;
	case KEY_REBUILD:
		o->rebuild = true;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_CSV:
		o->csv = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->db)
			argp_error(state, "one database, not also '%s'", arg);
		o->db = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->db)
			argp_error(state,
				   "name the database: " TOOL " [-i RAW] TRACE.db");
		if ((o->removed != DMA_UNKNOWN || o->new_label) &&
		    (o->nraw || o->list || o->run != DMA_UNKNOWN))
			argp_error(state,
				   "--remove-run and --rename-run change a database, and "
				   "nothing else is done with it");
		if (o->json && o->csv)
			argp_error(state, "--json or --csv, not both");
		if (o->nraw && (o->list || o->run != DMA_UNKNOWN))
			argp_error(state,
				   "-i loads a recording, --run and --list look at "
				   "what is loaded: not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- runs ---- */

struct run_list {
	struct known_run {
		int64_t id;
		bool analysed;
	} * run;
	size_t n;
};

static int read_runs(struct db *db, struct run_list *l, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(db, &q, "runs", e);

	*l = (struct run_list){0};
	if (rc)
		return rc;
	while ((got = db_step(q, e)) > 0) {
		struct known_run *added = array_add(&l->run, &l->n);

		if (!added) {
			got = err_nomem(e, "the runs of the database");
			break;
		}
		added->id = db_i64(q, "id");
		added->analysed = db_i64(q, "transfers") != DMA_UNKNOWN;
	}
	return db_finalize(q, got, e);
}

static void run_list_release(struct run_list *l)
{
	free(l->run);
}

/* For the list: buf is as good as the terminal is wide. */
static const char *dash(const char *text, char buf[256])
{
	snprintf(buf, 256, "%s", text ? text : "-");
	return text_clean(buf);
}

static int print_list(struct db *db, bool json, struct err *e)
{
	struct db_stmt *q;
	char took[32], label[256], started[256], command[256];
	int got, rc = db_prepare_named(db, &q, "runs", e), n = 0;

	if (rc)
		return rc;
	if (json)
		fputs("{\"runs\":[", stdout);
	while ((got = db_step(q, e)) > 0) {
		if (json) {
			printf("%s{\"run\":%" PRId64 ",\"label\":", n ? "," : "",
			       db_i64(q, "id"));
			json_text(stdout, db_text(q, "label"));
			fputs(",\"started_utc\":", stdout);
			json_text(stdout, db_text(q, "started_utc"));
			fputs(",\"duration_ns\":", stdout);
			json_i64(stdout, db_i64(q, "duration_ns"));
			fputs(",\"command\":", stdout);
			json_text(stdout, db_text(q, "command"));
			fputs(",\"transfers\":", stdout);
			json_i64(stdout, db_i64(q, "transfers"));
			putchar('}');
		} else {
			if (!n)
				printf("%4s  %-16s %-28s %10s %10s  %s\n", "run", "label",
				       "started (UTC)", "took", "transfers", "command");
			printf("%4" PRId64 "  %-16s %-28s %10s ", db_i64(q, "id"),
			       dash(db_text(q, "label"), label),
			       dash(db_text(q, "started_utc"), started),
			       db_i64(q, "duration_ns") == DMA_UNKNOWN
				       ? "-"
				       : num_print_ns(took, db_i64(q, "duration_ns")));
			if (db_i64(q, "transfers") == DMA_UNKNOWN)
				printf("%10s", "-");
			else
				printf("%10" PRId64, db_i64(q, "transfers"));
			printf("  %s\n", dash(db_text(q, "command"), command));
		}
		n++;
	}
	got = db_finalize(q, got, e);
	fputs(json ? "]}\n" : n || got < 0 ? "" : "no runs\n", stdout);
	return got;
}

/* ---- loading and analysing ---- */

static bool changes(const struct options *o)
{
	return o->rebuild || o->no_keys || o->nirq || o->pairing >= 0;
}

static int analyse(struct db *db, const struct options *o, int64_t run, struct stream *s,
		   struct seen *seen, struct err *e)
{
	struct analysis_options a = {.no_keys = o->no_keys,
				     .irq = o->irq,
				     .nirq = o->nirq,
				     .pairing = o->pairing,
				     .quiet = o->quiet};
	struct stream *own = NULL;
	int rc = s ? 0 : stream_open_run(&own, db, run, e);

	if (!rc)
		rc = analysis_run(db, run, s ? s : own, seen, &a, e);
	stream_close(own);
	return rc;
}

/* In one transaction: all of it, or nothing. */
static int load(struct db *db, const struct options *o, const char *raw, int64_t *run,
		struct err *e)
{
	struct event_rules rules = {.role = o->role, .nrole = o->nrole};
	struct seen seen = {0};
	struct load_result r = {0};
	struct stream *s = NULL;
	int rc = stream_open_raw(&s, raw, &rules, e);

	if (!rc)
		rc = seen_init(&seen, e);
	if (!rc)
		rc = db_begin(db, e);
	if (!rc)
		rc = load_recording(db, s, raw, o->label, &seen, o->quiet, &r, e);
	if (!rc && r.known && o->nrole && (rc = load_same_roles(db, r.run, s, e)))
		err_prefix(e, "%s", raw);
	if (!rc && !r.known)
		rc = analyse(db, o, r.run, s, &seen, e);
	else if (!rc && changes(o))
		rc = analyse(db, o, r.run, NULL, NULL, e);
	if (!rc && r.known && !changes(o))
		db_rollback(db);
	else if (!rc)
		rc = db_commit(db, e);
	else
		db_rollback(db);
	if (!rc && r.known && r.differs)
		cli_warn(TOOL,
			 "%s is run %" PRId64 " of %s already, but the file has changed "
			 "since (loaded before its recorder had ended, or damaged): to "
			 "have it as it is now, load it into another database",
			 raw, r.run, o->db);
	else if (!rc && r.known && !o->quiet)
		cli_note(TOOL, "%s is run %" PRId64 " of %s already; nothing is loaded",
			 raw, r.run, o->db);
	*run = r.run;
	seen_release(&seen);
	stream_close(s);
	return rc;
}

static int reanalyse(struct db *db, const struct options *o, int64_t run, struct err *e)
{
	int rc = db_begin(db, e);

	if (!rc)
		rc = analyse(db, o, run, NULL, NULL, e);
	if (rc) {
		db_rollback(db);
		return rc;
	}
	return db_commit(db, e);
}

/* ---- printing ---- */

static int print_runs(struct db *db, const struct options *o, const int64_t *run,
		      size_t n, struct err *e)
{
	struct summary_style style = {o->verify, o->verbose, cli_color(stdout)};
	int rc = 0;

	if (o->json)
		printf("{\"format\":%d,\"runs\":[", SUMMARY_JSON_FORMAT);
	if (o->csv)
		summary_csv_head(stdout);
	for (size_t i = 0; i < n && !rc; i++) {
		struct summary s;

		rc = summary_read(&s, db, run[i], e);
		if (rc)
			break;
		if (o->json) {
			fputs(i ? ",\n" : "\n", stdout);
			summary_json(&s, stdout);
		} else if (o->csv) {
			summary_csv(&s, stdout);
		} else if (!o->quiet) {
			fputs(i ? "\n" : "", stdout);
			summary_clean(&s);
			summary_text(&s, &style, stdout);
		}
		summary_release(&s);
	}
	if (o->json)
		fputs("\n]}\n", stdout);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = err_errno(e, "standard output");
	return rc;
}

static int run_raw(struct db *db, const struct options *o, struct err *e)
{
	int64_t *run = calloc(o->nraw, sizeof(*run));
	int rc = run ? 0 : err_nomem(e, "the analysis");

	for (size_t i = 0; i < o->nraw && !rc; i++)
		rc = load(db, o, o->raw[i], &run[i], e);
	if (!rc)
		rc = print_runs(db, o, run, o->nraw, e);
	free(run);
	return rc;
}

static int nothing_there(const struct options *o, struct err *e)
{
	if (!access(DEFAULT_RAW, F_OK))
		return err_set(e, ERR_NOTFOUND, "%s holds no run: load one with -i %s",
			       o->db, DEFAULT_RAW);
	return err_set(e, ERR_NOTFOUND,
		       "%s holds no run, and there is no %s here: record one with "
		       "'dmarec -- ./workload', or name a recording with -i",
		       o->db, DEFAULT_RAW);
}

/* The run that was asked for, or the last; all of them to be rebuilt. */
static int run_existing(struct db *db, const struct options *o, struct err *e)
{
	struct run_list l;
	int64_t run = o->run;
	int rc = read_runs(db, &l, e);
	bool there = false;

	if (!rc && !l.n)
		rc = nothing_there(o, e);
	if (!rc && run == DMA_UNKNOWN)
		run = l.run[l.n - 1].id;
	for (size_t i = 0; i < l.n && !rc; i++) {
		bool mine = l.run[i].id == run;

		there |= mine;
		if (mine ? changes(o) || !l.run[i].analysed
			 : o->run == DMA_UNKNOWN && o->rebuild)
			rc = reanalyse(db, o, l.run[i].id, e);
	}
	if (!rc && !there)
		rc = err_set(e, ERR_NOTFOUND,
			     "%s: there is no run %" PRId64 "; --list shows them", o->db,
			     run);
	if (!rc && o->run == DMA_UNKNOWN && l.n > 1 && !o->quiet)
		cli_note(TOOL, "run %" PRId64 " of %zu (--run ID picks another)", run,
			 l.n);
	if (!rc)
		rc = print_runs(db, o, &run, 1, e);
	run_list_release(&l);
	return rc;
}

/* Is there a run to be shown that was never analysed? */
static int lacks_analysis(struct db *db, const struct options *o, bool *lacks,
			  struct err *e)
{
	struct run_list l;
	int rc = read_runs(db, &l, e);

	*lacks = false;
	for (size_t i = 0; i < l.n && !rc; i++)
		if (o->run == DMA_UNKNOWN ? i == l.n - 1 : l.run[i].id == o->run)
			*lacks = !l.run[i].analysed;
	run_list_release(&l);
	return rc;
}

/* Written to only when there is something to write. */
static int open_db(struct db **db, const struct options *o, struct err *e)
{
	bool lacks = false;
	int rc;

	if (o->nraw || changes(o))
		return db_open(db, o->db, o->nraw ? DB_CREATE : DB_WRITE, e);
	rc = db_open(db, o->db, DB_READ, e);
	if (!rc && !o->list)
		rc = lacks_analysis(*db, o, &lacks, e);
	if (!rc && !lacks)
		return 0;
	db_close(*db);
	*db = NULL;
	return rc ? rc : db_open(db, o->db, DB_WRITE, e);
}

/* ---- Ctrl-C: what was begun is taken back, as after an error ---- */

static struct db *working;

/* A second one ends it at once; the journal takes back what was begun. timeout(1) and
 * the like tell the process and its group: what comes at the same time is one. */
static void interrupt(int sig)
{
	static const double same = 0.3;
	static struct timespec first;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!first.tv_sec)
		first = now;
	if ((double)(now.tv_sec - first.tv_sec) +
		    1e-9 * (double)(now.tv_nsec - first.tv_nsec) >
	    same) {
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	db_interrupt(working);
}

static void catch_signals(struct db *db)
{
	struct sigaction act = {.sa_handler = db ? interrupt : SIG_DFL};

	working = db;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

/* While the database is opened or closed they wait: its file is made before anything can
 * take it back. */
static void hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* ---- the default recording ---- */

/* What cannot be read is not for us to fill: the error comes when it is opened. */
static bool holds_runs(const char *path)
{
	struct run_list l = {0};
	struct db *db = NULL;
	struct stat st;
	bool holds = true;

	if (stat(path, &st) || !st.st_size)
		return false;
	if (!db_open(&db, path, DB_READ, NULL) && !read_runs(db, &l, NULL))
		holds = l.n > 0;
	run_list_release(&l);
	db_close(db);
	return holds;
}

/* Only `dmaanalyze DB`, where there is nothing to look at yet, means the recording that
 * lies here: who asks something of a database asks it of what is in it. */
static void take_default(struct options *o)
{
	static const char *raw = DEFAULT_RAW;
	struct stat recorded, loaded;
	bool bare = !o->nraw && !o->list && o->run == DMA_UNKNOWN && !changes(o) &&
		    !o->json && !o->csv && !o->verify;

	if (!bare || stat(raw, &recorded))
		return;
	if (!holds_runs(o->db)) {
		add_raw(o, raw);
		if (!o->quiet)
			cli_note(TOOL, "loading ./%s into %s (-i FILE loads another)",
				 raw, o->db);
	} else if (!o->quiet && !stat(o->db, &loaded) &&
		   recorded.st_mtim.tv_sec > loaded.st_mtim.tv_sec) {
		cli_note(TOOL, "./%s is newer than %s and is not loaded: -i %s adds it",
			 raw, o->db, raw);
	}
}

static int edit(const struct options *o, struct err *e)
{
	struct db *db;
	int rc = db_open(&db, o->db, DB_WRITE, e);

	if (!rc && o->new_label)
		rc = edit_rename(db, o->renamed, o->new_label, e);
	if (!rc && o->removed != DMA_UNKNOWN)
		rc = edit_remove(db, o->removed, e);
	if (!rc && !o->quiet)
		rc = print_list(db, o->json, e);
	db_close(db);
	return rc;
}

static int run(struct options *o, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (o->removed != DMA_UNKNOWN || o->new_label)
		return edit(o, e);
	take_default(o);
	if (!o->nraw && access(o->db, F_OK) && errno == ENOENT)
		return nothing_there(o, e);
	if (!o->nraw && (o->label || o->nrole))
		return err_set(e, ERR_USAGE,
			       "--%s of a recording that is loaded: name it with -i",
			       o->label ? "label is the name" : "role is for an event");
	hold_signals(true);
	rc = open_db(&db, o, e);
	if (!rc)
		catch_signals(db);
	hold_signals(false);
	if (!rc)
		rc = o->list   ? print_list(db, o->json, e)
		     : o->nraw ? run_raw(db, o, e)
			       : run_existing(db, o, e);
	hold_signals(true);
	catch_signals(NULL);
	db_close(db);
	hold_signals(false);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {table, parse, "TRACE.db", doc, NULL, NULL, NULL};
	struct options o = {.run = DMA_UNKNOWN, .removed = DMA_UNKNOWN, .pairing = -1};
	struct err e = {0};
	int rc;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	rc = run(&o, &e);
	if (rc)
		cli_error(TOOL, &e);
	free(o.raw);
	free(o.irq);
	free(o.role);
	return rc ? cli_status(&e) : EXIT_OK;
}
