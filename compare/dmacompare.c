/* SPDX-License-Identifier: GPL-2.0-only */
/* dmacompare: options, the two sides, and what is printed. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare_print.h"
#include "compare/compare_report.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/num.h"

#define TOOL "dmacompare"

enum { MAX_LISTS = 64 };

/* Chosen: medians of equal recordings of a virtual machine's disk scatter by some percent
 * when it is quiet and by tens when it is not; a card on a quiet host by less. */
#define RUN_SCATTER 0.1

struct run_lists {
	const char *list[MAX_LISTS];
	size_t n;
};

struct options {
	const char *file[2];
	int nfile;
	struct run_lists base, fresh, despite;
	unsigned metric; /* 1 << PHASE_*; 0 = not given */
	unsigned by;
	bool by_given, json, quiet;
	const char *report;
	struct compare_options judge;
};

enum {
	KEY_BASE = 256,
	KEY_NEW,
	KEY_METRIC,
	KEY_STAT,
	KEY_THRESHOLD,
	KEY_BY,
	KEY_SEED,
	KEY_SCATTER,
	KEY_DESPITE,
	KEY_REPORT,
	KEY_JSON
};

static const struct argp_option table[] = {
	{0, 0, 0, 0, "The two sides:", 1},
	{"base", KEY_BASE, "RUN", 0,
	 "Runs of the base side, by number or label; repeatable, or a list", 1},
	{"new", KEY_NEW, "RUN", 0, "Runs of the new side, likewise", 1},
	{0, 0, 0, 0, "What is judged:", 2},
	{"metric", KEY_METRIC, "PHASE", 0,
	 "api, device, notice, total, card, delivery, or a list (default: "
	 "total, and device where both sides have it)",
	 2},
	{"stat", KEY_STAT, "STATISTIC", 0,
	 "What the verdict stands on: median (default), mean, or a quantile such as p99",
	 2},
	{"by", KEY_BY, "KEYS", 0,
	 "Groups: card, channel, direction, size; or none (default: channel,direction, "
	 "and what tells sizes and cards apart)",
	 2},
	{0, 0, 0, 0, "When it is a difference:", 3},
	{"threshold", KEY_THRESHOLD, "SHARE", 0,
	 "A smaller difference does not matter, 0% to 100% (default 5%)", 3},
	{"run-scatter", KEY_SCATTER, "SHARE", 0,
	 "With one run a side: how much a run's figure changes from run to run (default "
	 "10%; 0% to look within the runs alone)",
	 3},
	{"despite", KEY_DESPITE, "KEY", 0,
	 "A difference of the machine that is what you try (governor, link_speed, "
	 "link_width, CPUs, affinity): judge all the same; repeatable",
	 3},
	{"seed", KEY_SEED, "N", 0, "Of the bootstrap (default 1)", 3},
	{0, 0, 0, 0, "What is printed:", 4},
	{"report", KEY_REPORT, "DIR", 0, "Draw both sides over one another into DIR", 4},
	{"json", KEY_JSON, 0, 0, "The same figures as JSON", 4},
	{"quiet", 'q', 0, 0, "Only the verdicts", 4},
	{0, 'h', 0, 0, "Give this help list", -1},
	{0}};

const char *argp_program_version = TOOL " " DMA_VERSION;
static const char doc[] =
	"Is this run slower than that one, or is it noise?\v"
	"Exit status: 0 no regression, 1 a group is slower, 2 wrong usage "
	"or the runs cannot be compared, 3 cannot tell. See dmacompare(1).";

/* ---- options ---- */

static void add_list(struct argp_state *state, struct run_lists *l, const char *name,
		     char *arg)
{
	if (!*arg)
		argp_error(state, "%s: the name of a run is empty", name);
	if (l->n == MAX_LISTS)
		argp_error(state, "%s: at most %d times; separate runs by commas", name,
			   MAX_LISTS);
	l->list[l->n++] = arg;
}

/* "median", "mean", "p99", "p99.9", and "p999" for it. 0 = the mean, -1 = none of
 * them. */
static double parse_stat(const char *arg)
{
	char digits[24], *end;
	size_t len;
	double q;

	if (!strcmp(arg, "median"))
		return 0.5;
	if (!strcmp(arg, "mean"))
		return 0;
	len = strspn(arg + (*arg == 'p'), "0123456789.");
	if (*arg != 'p' || !len || arg[1 + len] || len > 12)
		return -1;
	if (!strchr(arg, '.') && len > 2 && arg[1] == '9')
		snprintf(digits, sizeof(digits), "%.2s.%s", arg + 1, arg + 3);
	else
		snprintf(digits, sizeof(digits), "%s", arg + 1);
	q = strtod(digits, &end) / 100;
	return *end || !(q > 0 && q < 1) ? -1 : q;
}

static void parse_by(struct argp_state *state, struct options *o, const char *arg)
{
	static const char *const word[] = {"card", "channel", "direction", "size"};

	o->by_given = true;
	o->by = 0;
	if (!strcmp(arg, "none"))
		return;
	for (const char *p = arg;; p++) {
		size_t len = strcspn(p, ",");
		unsigned bit = 0;

		for (unsigned i = 0; i < 4; i++)
			if (strlen(word[i]) == len && !strncmp(p, word[i], len))
				bit = 1u << i;
		if (!bit)
			argp_error(state,
				   "--by '%s': expected card, channel, direction, size, "
				   "separated by commas, or none",
				   arg);
		o->by |= bit;
		p += len;
		if (!*p)
			return;
	}
}

static void parse_number(struct argp_state *state, int key, char *arg, struct options *o)
{
	struct err e = {0};
	int64_t seed;

	if (key == KEY_SEED) {
		if (num_i64(arg, 0, INT64_MAX, &seed, &e))
			argp_error(state, "--seed: %s", e.text);
		o->judge.seed = (uint64_t)seed;
	} else if (key == KEY_SCATTER) {
		if (num_share(arg, 0, 1, &o->judge.run_scatter, &e))
			argp_error(state, "--run-scatter: %s", e.text);
	} else if (num_share(arg, 0, 1, &o->judge.threshold, &e)) {
		argp_error(state, "--threshold: %s", e.text);
	}
}

static void parse_metric(struct argp_state *state, const char *arg, struct options *o)
{
	o->metric = 0;
	for (const char *p = arg;; p++) {
		size_t len = strcspn(p, ",");
		unsigned bit = 0;

		for (unsigned i = 0; i < PHASE_ALL; i++) {
			const char *name = phase_name((enum phase)i);

			if (strlen(name) == len && !strncmp(p, name, len))
				bit = 1u << i;
		}
		if (!bit)
			argp_error(
				state,
				"--metric '%s': expected api, device, notice, "
				"total, card or delivery, or several separated by commas",
				arg);
		o->metric |= bit;
		p += len;
		if (!*p)
			return;
	}
}

static void parse_word(struct argp_state *state, int key, char *arg, struct options *o)
{
	if (key == KEY_METRIC) {
		parse_metric(state, arg, o);
	} else {
		o->judge.q = parse_stat(arg);
		if (o->judge.q < 0)
			argp_error(state,
				   "--stat '%s': expected median, mean, or a quantile "
				   "such as p99 or p99.9",
				   arg);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case KEY_BASE:
		add_list(state, &o->base, "--base", arg);
		return 0;
	case KEY_NEW:
		add_list(state, &o->fresh, "--new", arg);
		return 0;
	case KEY_DESPITE:
		add_list(state, &o->despite, "--despite", arg);
		return 0;
	case KEY_METRIC:
	case KEY_STAT:
		parse_word(state, key, arg, o);
		return 0;
	case KEY_THRESHOLD:
	case KEY_SEED:
	case KEY_SCATTER:
		parse_number(state, key, arg, o);
		return 0;
	case KEY_BY:
		parse_by(state, o, arg);
		return 0;
	case KEY_REPORT:
		if (!*arg)
			argp_error(state, "--report: the name of the directory is empty");
		o->report = arg;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->nfile == 2)
			argp_error(state, "one database or two, and '%s' is a third",
				   arg);
		o->file[o->nfile++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->nfile)
			argp_error(state, "which database? dmacompare OLD.db NEW.db");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = table, .parser = parse, .args_doc = "OLD.db [NEW.db]", .doc = doc};

/* ---- the sides ---- */

static int add_lists(struct compare_set *s, struct db *db, const struct run_lists *l,
		     struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < l->n; i++)
		rc = compare_set_add(s, db, l->list[i], e);
	return rc;
}

static bool in_set(const struct compare_set *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].id == id)
			return true;
	return false;
}

/* With one database: the one run that the other side left. `of` is empty where no side
 * was named, and `last` says which of the two is meant then. */
static int add_other(struct compare_set *s, const struct compare_set *of, struct db *db,
		     bool last, struct err *e)
{
	struct compare_set all = {0};
	char number[32];
	size_t left = 0;
	int rc = compare_set_add(&all, db, NULL, e);

	for (size_t i = 0; !rc && i < all.n; i++)
		if (!in_set(of, all.run[i].id)) {
			if (!left++ || last)
				snprintf(number, sizeof(number), "%" PRId64,
					 all.run[i].id);
		}
	if (!rc && left != (of->n ? 1u : 2u))
		rc = err_set(e, ERR_USAGE,
			     "%s holds %zu run%s; say with --base and --new which are to "
			     "be compared (`dmaanalyze --list %s` shows them), or name a "
			     "second database",
			     db_path(db), all.n, all.n == 1 ? "" : "s", db_path(db));
	if (!rc)
		rc = compare_set_add(s, db, number, e);
	compare_set_release(&all);
	return rc;
}

static int choose_in_one(const struct options *o, struct db *db, struct compare_set *base,
			 struct compare_set *fresh, struct err *e)
{
	static const struct compare_set none = {0};
	int rc = add_lists(base, db, &o->base, e);

	rc = rc ? rc : add_lists(fresh, db, &o->fresh, e);
	if (!rc && !o->base.n)
		rc = add_other(base, o->fresh.n ? fresh : &none, db, false, e);
	if (!rc && !o->fresh.n)
		rc = add_other(fresh, o->base.n ? base : &none, db, true, e);
	return rc;
}

static int choose_in_two(const struct options *o, struct db *const db[2],
			 struct compare_set *base, struct compare_set *fresh,
			 struct err *e)
{
	int rc = o->base.n ? add_lists(base, db[0], &o->base, e)
			   : compare_set_add(base, db[0], NULL, e);

	if (!rc)
		rc = o->fresh.n ? add_lists(fresh, db[1], &o->fresh, e)
				: compare_set_add(fresh, db[1], NULL, e);
	return rc;
}

/* ---- the work ---- */

struct work {
	struct options o;
	struct db *db[2];
	struct compare_set base, fresh;
	struct compare_env env;
	struct comparison c;
	struct cli_progress progress;
	unsigned phases; /* 1 << PHASE_* */
	char *page;
};

static void work_release(struct work *w)
{
	comparison_release(&w->c);
	compare_env_release(&w->env);
	compare_set_release(&w->base);
	compare_set_release(&w->fresh);
	db_close(w->db[0]);
	db_close(w->db[1]);
	free(w->page);
}

static void step_load(void *arg, uint64_t done)
{
	cli_progress_step(arg, done, done);
}

static void step_judge(void *arg, size_t done)
{
	cli_progress_step(arg, done, done);
}

static int open_sides(struct work *w, struct err *e)
{
	int rc = db_open(&w->db[0], w->o.file[0], DB_READ, e);

	if (!rc && w->o.nfile == 2)
		rc = db_open(&w->db[1], w->o.file[1], DB_READ, e);
	if (rc)
		return rc;
	rc = w->o.nfile == 2 ? choose_in_two(&w->o, w->db, &w->base, &w->fresh, e)
			     : choose_in_one(&w->o, w->db[0], &w->base, &w->fresh, e);
	rc = rc ? rc : compare_set_load(&w->base, e);
	rc = rc ? rc : compare_set_load(&w->fresh, e);
	rc = rc ? rc : compare_env_init(&w->env, &w->base, &w->fresh, e);
	return rc ? rc
		  : compare_phases(w->o.metric, &w->base, &w->fresh, &w->env, &w->phases,
				   e);
}

static bool several_cards(const struct compare_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].cards > 1)
			return true;
	return false;
}

static int choose_keys(struct work *w, struct err *e)
{
	bool sizes = false;
	int rc = 0;

	if (w->o.by_given)
		return 0;
	rc = compare_few_sizes(&w->base, &w->fresh, &sizes, e);
	w->o.by = BY_CHANNEL | BY_DIRECTION | (sizes ? BY_SIZE : 0);
	if (several_cards(&w->base) || several_cards(&w->fresh))
		w->o.by |= BY_CARD;
	return rc;
}

static int load_values(struct work *w, struct err *e)
{
	struct compare_values v = {.phases = w->phases,
				   .by = w->o.by,
				   .step = step_load,
				   .arg = &w->progress};
	uint64_t total = 0;
	int rc;

	for (size_t i = 0; i < w->base.n; i++)
		total += (uint64_t)w->base.run[i].transfers;
	for (size_t i = 0; i < w->fresh.n; i++)
		total += (uint64_t)w->fresh.run[i].transfers;
	cli_progress_begin(&w->progress, "reading", "transfers", total);
	rc = compare_load(&w->c, &w->base, &w->fresh, &v, e);
	cli_progress_end(&w->progress);
	return rc;
}

static void count_phase(const struct work *w, enum phase p, uint64_t *base,
			uint64_t *fresh)
{
	*base = *fresh = 0;
	for (size_t i = 0; i < w->c.n; i++)
		if (w->c.group[i].key.phase == p) {
			*base += side_met(&w->c.group[i].base);
			*fresh += side_met(&w->c.group[i].fresh);
		}
}

/* A phase that no transfer of a side has: nothing to compare is a refusal, not a verdict;
 * but when it was only one of the phases that we chose, the others are compared. */
static int check_values(struct work *w, struct err *e)
{
	for (int p = 0; p < PHASE_ALL; p++) {
		uint64_t base, fresh;

		if (!(w->phases & 1u << p))
			continue;
		count_phase(w, (enum phase)p, &base, &fresh);
		if (base && fresh)
			continue;
		if (w->o.metric || w->phases == 1u << p)
			return err_set(e, ERR_UNSUPPORTED,
				       "%s: the %s time is known of no transfer%s",
				       !base ? "base" : "new", phase_name((enum phase)p),
				       !base && !fresh ? ", nor on the new side" : "");
		compare_drop_phase(&w->c, (enum phase)p);
		w->phases &= ~(1u << p);
		if (compare_note(&w->env, e,
				 "the %s time is not compared: it "
				 "is known of no transfer of %s",
				 phase_name((enum phase)p),
				 !base ? "the base" : "the new side"))
			return ERR_NOMEM;
	}
	return 0;
}

static int judge(struct work *w, struct err *e)
{
	int rc;

	w->o.judge.across = w->base.n > 1 && w->fresh.n > 1;
	w->o.judge.step = step_judge;
	w->o.judge.arg = &w->progress;
	cli_progress_begin(&w->progress, "comparing", "groups", w->c.n);
	rc = comparison_judge(&w->c, &w->o.judge, e);
	cli_progress_end(&w->progress);
	return rc ? rc
		  : compare_doubts(&w->env, &w->c,
				   &(struct compare_doubt){&w->base, &w->fresh,
							   &w->o.judge, w->o.despite.list,
							   w->o.despite.n},
				   e);
}

static int compare(struct work *w, struct err *e)
{
	int rc = open_sides(w, e);

	rc = rc ? rc : choose_keys(w, e);
	rc = rc ? rc : load_values(w, e);
	rc = rc ? rc : check_values(w, e);
	return rc ? rc : judge(w, e);
}

static int say(struct work *w, struct err *e)
{
	struct compare_result r = {.c = &w->c,
				   .o = &w->o.judge,
				   .env = &w->env,
				   .base = &w->base,
				   .fresh = &w->fresh,
				   .phases = w->phases,
				   .by = w->o.by};
	struct compare_style style = {.color = cli_color(stdout), .quiet = w->o.quiet};

	if (w->o.report && compare_report(&r, w->o.report, &w->page, e))
		return e->code;
	r.page = w->page;
	if (w->o.json)
		compare_print_json(&r, stdout);
	else
		compare_print(&r, &style, stdout);
	for (size_t i = 0; (w->o.json || w->o.quiet) && i < w->env.nnote; i++)
		cli_note(TOOL, "note: %s", w->env.note[i]);
	if (fflush(stdout) || ferror(stdout))
		return err_errno(e, "cannot write to standard output");
	return 0;
}

int main(int argc, char **argv)
{
	struct work w = {.o = {.judge = {.threshold = 0.05,
					 .q = 0.5,
					 .seed = 1,
					 .run_scatter = RUN_SCATTER}}};
	struct err e = {0};
	int status = EXIT_USAGE;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &w.o);
	if (!compare(&w, &e) && !say(&w, &e)) {
		status = comparison_status(&w.c);
	} else {
		if (w.o.json)
			compare_print_json_refusal(e.text, stdout);
		cli_error(TOOL, &e);
	}
	work_release(&w);
	return status;
}
