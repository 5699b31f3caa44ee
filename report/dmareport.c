/* SPDX-License-Identifier: GPL-2.0-only */
/* dmareport: plots and one page of what dmaanalyze found. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db/answer.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/draw/gnuplot.h"
#include "lib/draw/render.h"
#include "lib/err.h"
#include "lib/num.h"
#include "report/page.h"
#include "report/plots.h"
#include "report/term.h"

static const char tool[] = "dmareport";

enum {
	OPT_RUN = 256,
	OPT_FORMAT,
	OPT_PLOT,
	OPT_TERM,
	OPT_ASCII,
	OPT_OPEN,
	MAX_RUNS = 64
};

struct options {
	const char *db;
	char *dir;
	bool dir_given, term, ascii, open, format_given;
	struct formats format;
	bool plot[PLOT_N];
	bool plot_given;
	int64_t run[MAX_RUNS];
	size_t nrun;
	struct err e;
};

static const struct argp_option argp_options[] = {
	{0, 0, 0, 0, "What is drawn:", 1},
	{"run", OPT_RUN, "ID", 0, "This run (default: the newest); repeatable, or a list",
	 1},
	{"plot", OPT_PLOT, "NAME", 0,
	 "Only this: histogram, tail, time, size, throughput, "
	 "phases, slowest, interrupts; repeatable, or a list",
	 1},
	{0, 0, 0, 0, "Where and how:", 2},
	{"output", 'o', "DIR", 0, "Write into DIR (default: TRACE-report)", 2},
	{"format", OPT_FORMAT, "LIST", 0,
	 "html, png, svg, pdf (default: html,png,svg; of several runs html,svg)", 2},
	{"open", OPT_OPEN, NULL, 0, "Open the page in the desktop's browser", 2},
	{"term", OPT_TERM, NULL, 0, "Histogram and summary in the terminal instead", 2},
	{"ascii", OPT_ASCII, NULL, 0, "With --term: plain ASCII", 2},
	{0, 'h', 0, 0, "Give this help list", -1},
	{0},
};

/* The words of a list with commas between them; an empty one is an error. */
static int each_word(const char *list, int (*take)(struct options *, const char *),
		     struct options *o, const char *option)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		char word[32];

		if (!len)
			return err_set(&o->e, ERR_USAGE, "%s: an empty word in the list",
				       option);
		snprintf(word, sizeof(word), "%.*s", (int)(len < 31 ? len : 31), list);
		if (take(o, word))
			return o->e.code;
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

static int take_format(struct options *o, const char *w)
{
	if (!strcmp(w, "html"))
		o->format.html = true;
	else if (!strcmp(w, "png"))
		o->format.png = true;
	else if (!strcmp(w, "svg"))
		o->format.svg = true;
	else if (!strcmp(w, "pdf"))
		o->format.pdf = true;
	else
		return err_set(&o->e, ERR_USAGE,
			       "--format: '%s' is none of html, png, svg, pdf", w);
	o->format_given = true;
	return 0;
}

static int take_plot(struct options *o, const char *w)
{
	int p = plot_parse(w);

	if (p < 0)
		return err_set(&o->e, ERR_USAGE,
			       "--plot: '%s' is none of histogram, tail, time, size, "
			       "throughput, phases, slowest, interrupts",
			       w);
	o->plot[p] = o->plot_given = true;
	return 0;
}

static int take_run(struct options *o, const char *arg)
{
	int64_t id;

	if (num_i64(arg, 1, INT64_MAX, &id, &o->e)) {
		err_prefix(&o->e, "--run");
		o->e.code = ERR_USAGE;
		return ERR_USAGE;
	}
	for (size_t i = 0; i < o->nrun; i++)
		if (o->run[i] == id)
			return 0;
	if (o->nrun == MAX_RUNS)
		return err_set(&o->e, ERR_USAGE, "--run: at most %d runs at once",
			       MAX_RUNS);
	o->run[o->nrun++] = id;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	int error = 0;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case 'o':
		if (!*arg)
			error = err_set(&o->e, ERR_USAGE, "-o: an empty directory name");
		o->dir = arg;
		o->dir_given = true;
		break;
	case OPT_RUN:
		error = each_word(arg, take_run, o, "--run");
		break;
	case OPT_FORMAT:
		error = each_word(arg, take_format, o, "--format");
		break;
	case OPT_PLOT:
		error = each_word(arg, take_plot, o, "--plot");
		break;
	case OPT_TERM:
		o->term = true;
		break;
	case OPT_ASCII:
		o->ascii = true;
		break;
	case OPT_OPEN:
		o->open = true;
		break;
	case ARGP_KEY_ARG:
		if (o->db)
			error = err_set(&o->e, ERR_USAGE,
					"one database at a time, and '%s' is a second",
					arg);
		o->db = arg;
		break;
	case ARGP_KEY_END:
		if (!o->db)
			error = err_set(
				&o->e, ERR_USAGE,
				"which database? dmareport TRACE.db (see --help)");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return error ? EINVAL : 0;
}

const char *argp_program_version = "dmareport " DMA_VERSION;

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "TRACE.db",
	.doc = "Plots, and one page that holds them, of the DMA transfers that "
	       "dmaanalyze found.\v"
	       "The page is index.html in DIR. See dmareport(1).",
};

/* "dir/trace.db" → "trace-report", in the current directory. */
static char *default_dir(const char *db)
{
	const char *base = strrchr(db, '/'), *dot;
	char *dir = NULL;

	base = base ? base + 1 : db;
	dot = strrchr(base, '.');
	if (!dot || dot == base)
		dot = base + strlen(base);
	return asprintf(&dir, "%.*s-report", (int)(dot - base), base) < 0 ? NULL : dir;
}

/* Of one or two transfers no distribution is drawn, unless it is asked for: the picture of the
 * slowest holds all that there is to see. */
enum { FEW_TRANSFERS = 2 };

static void leave_to_slowest(struct run_figures *rf, size_t n)
{
	const struct report *r = rf->r;

	if (r->transfers > FEW_TRANSFERS || !r->scan->nslow)
		return;
	for (size_t i = rf->n - n; i < rf->n; i++)
		if (!*rf->fig[i].why_not)
			snprintf(rf->fig[i].why_not, sizeof(rf->fig[i].why_not),
				 r->transfers == 1 ? "there is only one transfer."
						   : "there are only two transfers.");
}

/* Into room for PLOT_N * PLOT_MAX_FIGURES at rf->fig. */
static int make_figures(struct run_figures *rf, const struct options *o, struct err *e)
{
	rf->kind = calloc(PLOT_N * PLOT_MAX_FIGURES, sizeof(*rf->kind));
	if (!rf->kind)
		return err_nomem(e, "a report");
	for (int p = 0; p < PLOT_N; p++) {
		size_t n = 0;
		int error;

		if (o->plot_given && !o->plot[p])
			continue;
		error = plots[p].make(rf->r, &rf->fig[rf->n], &n, e);
		for (size_t i = 0; i < n; i++)
			rf->kind[rf->n++] = p;
		if (p != PLOT_SLOWEST && !o->plot_given)
			leave_to_slowest(rf, n);
		if (error)
			return error;
	}
	return 0;
}

/* With several runs every file is named by its run. */
static void name_figures(struct run_figures *rf)
{
	for (size_t i = 0; i < rf->n; i++) {
		char name[sizeof(rf->fig[i].name)];

		snprintf(name, sizeof(name), "run%" PRId64 "-%.24s", rf->r->run,
			 rf->fig[i].name);
		memcpy(rf->fig[i].name, name, sizeof(name));
	}
}

static int load_run(struct run_figures *rf, struct db *db, int64_t id, struct err *e)
{
	int error;

	rf->r = calloc(1, sizeof(*rf->r));
	if (!rf->r)
		return err_nomem(e, "a report");
	error = report_load(rf->r, db, id, e);
	return error ? error : report_scan(rf->r, e);
}

struct pages {
	const struct run_figures *run;
	size_t n;
};

static int write_page(FILE *f, void *arg, struct err *e)
{
	const struct pages *p = arg;

	return page_write(f, p->run, p->n, e);
}

/* In the background, without a shell. */
static void open_page(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("xdg-open", "xdg-open", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		cli_warn(tool, "could not open a browser (xdg-open); the page is %s",
			 path);
}

static int check_terminals(struct options *o, struct gnuplot_terminals *can,
			   struct err *e)
{
	int error = gnuplot_probe(can, e);

	if (error)
		return error;
	if ((o->format.html || o->format.svg) && !can->svg) {
		cli_warn(tool, "this gnuplot cannot write SVG: the page will hold no "
			       "plots (install gnuplot-nox)");
		o->format.svg = false;
	}
	if (o->format.png && !can->pngcairo && !can->png) {
		cli_warn(tool, "this gnuplot cannot write PNG: none "
			       "are written (install gnuplot-nox)");
		o->format.png = false;
	}
	if (o->format.pdf && !can->pdfcairo) {
		cli_warn(tool, "this gnuplot cannot write PDF: none "
			       "are written (install gnuplot-nox)");
		o->format.pdf = false;
	}
	return 0;
}

struct drawn { /* zero-initialised */
	struct figure *fig;
	size_t n;
};

enum { SAID_NAMES = 200 }; /* bytes: two lines of a terminal */

/* The figures that share a reason in one line; of several runs, runs share it too. */
static void say_why_not(const struct drawn *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct figure *f = &d->fig[i];
		char names[SAID_NAMES] = "";
		size_t at = 0, n = 0;

		if (!*f->why_not || reason_told(d->fig, i))
			continue;
		for (size_t k = i; k < d->n; k++) {
			if (strcmp(d->fig[k].why_not, f->why_not) != 0)
				continue;
			if (at < sizeof(names))
				at += (size_t)snprintf(names + at, sizeof(names) - at,
						       "%s%s", n ? ", " : "",
						       d->fig[k].name);
			n++;
		}
		cli_note(tool, "%s%s %s not drawn: %s", names,
			 at < sizeof(names) ? "" : "…", n > 1 ? "are" : "is", f->why_not);
	}
}

static void step(void *arg, size_t done)
{
	cli_progress_step(arg, done, done);
}

/* The figures of all runs lie behind one another, so that a few gnuplots draw them all: to
 * start one costs more CPU than to draw the SVGs of a run. */
static int make_all(struct drawn *d, struct run_figures *rf, size_t n,
		    const struct options *o, struct err *e)
{
	int error = 0;

	d->fig = calloc(n * PLOT_N * PLOT_MAX_FIGURES, sizeof(*d->fig));
	if (!d->fig)
		return err_nomem(e, "a report");
	for (size_t k = 0; k < n && !error; k++) {
		rf[k].fig = d->fig + d->n;
		error = make_figures(&rf[k], o, e);
		d->n += rf[k].n;
		if (!error && n > 1)
			name_figures(&rf[k]);
	}
	return error;
}

static int draw_all(struct drawn *d, const struct render_dir *dir,
		    const struct options *o, const struct gnuplot_terminals *can,
		    struct err *e)
{
	struct cli_progress progress;
	struct gnuplot_watch w = {.step = step, .arg = &progress};
	int error;

	cli_progress_begin(&progress, "drawing", "plots", d->n);
	error = render(d->fig, d->n, dir, &o->format, can, &w, e);
	cli_progress_end(&progress);
	if (!error && *w.said)
		cli_note(tool, "gnuplot said, though it drew: %s", w.said);
	return error;
}

static int draw(struct drawn *d, struct run_figures *rf, size_t n, struct options *o,
		struct err *e)
{
	struct gnuplot_terminals can;
	struct render_dir into = {.fd = -1};
	char *dir = o->dir_given ? o->dir : default_dir(o->db), *path = NULL;
	int error = dir ? check_terminals(o, &can, e) : err_nomem(e, "a report");

	if (!error)
		error = render_open(&into, dir, e);
	if (!error)
		error = make_all(d, rf, n, o, e);
	if (!error)
		error = draw_all(d, &into, o, &can, e);
	if (!error)
		say_why_not(d);
	if (!error && o->format.html)
		error = render_page(&into, write_page, &(struct pages){rf, n}, &path, e);
	if (!error)
		printf("%s\n", path ? path : dir);
	if (!error && o->open && path)
		open_page(path);
	render_close(&into);
	free(path);
	if (!o->dir_given)
		free(dir);
	return error;
}

static int choose_runs(struct db *db, struct options *o, struct err *e)
{
	int64_t *ids = NULL;
	size_t n = 0;
	int error;

	if (o->nrun)
		return 0;
	error = report_runs(db, &ids, &n, e);
	if (!error && !n)
		error = err_set(
			e, ERR_NOTFOUND,
			"%s holds no run yet; load one with `dmaanalyze -i dma.data %s`",
			o->db, o->db);
	if (!error) {
		o->run[0] = ids[n - 1];
		o->nrun = 1;
	}
	free(ids);
	return error;
}

/* Of many runs the overview is what is read; all pictures of each would make 30 MB of 64 runs. */
enum { MANY_RUNS = 16 };

static void choose_plots(struct options *o)
{
	if (o->plot_given || o->nrun <= MANY_RUNS)
		return;
	o->plot_given = o->plot[PLOT_TIME] = true;
	if (!o->term)
		cli_note(tool,
			 "of %zu runs, latency over time is drawn for each beside the "
			 "overview; --plot draws others, and fewer --run all",
			 o->nrun);
}

static int report(struct options *o, struct err *e)
{
	struct run_figures rf[MAX_RUNS] = {0};
	struct drawn d = {0};
	struct term_look look;
	struct db *db = NULL;
	int error = db_open(&db, o->db, DB_READ, e);

	if (!error)
		error = choose_runs(db, o, e);
	choose_plots(o);
	for (size_t k = 0; k < o->nrun && !error; k++)
		error = load_run(&rf[k], db, o->run[k], e);
	if (!error && o->term) {
		term_look(&look, stdout, o->ascii);
		for (size_t k = 0; k < o->nrun && !error; k++) {
			struct answer a;

			if (k)
				putchar('\n');
			error = answer_read(&a, db, o->run[k], e);
			if (!error)
				term_print(stdout, rf[k].r, &a, &look);
		}
	}
	if (!error && (!o->term || o->format_given || o->dir_given || o->open))
		error = draw(&d, rf, o->nrun, o, e);
	for (size_t i = 0; i < d.n; i++)
		figure_release(&d.fig[i]);
	free(d.fig);
	for (size_t k = 0; k < o->nrun; k++) {
		free(rf[k].kind);
		if (rf[k].r)
			report_release(rf[k].r);
		free(rf[k].r);
	}
	db_close(db);
	return error;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct err e = {0};

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o)) {
		if (o.e.code)
			cli_error(tool, &o.e);
		return EXIT_USAGE;
	}
	if (!o.format_given)
		o.format = (struct formats){.html = true, .png = o.nrun < 2, .svg = true};
	if (report(&o, &e)) {
		cli_error(tool, &e);
		return cli_status(&e);
	}
	if (fflush(stdout) || ferror(stdout)) {
		cli_warn(tool, "cannot write to standard output");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
