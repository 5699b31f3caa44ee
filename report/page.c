/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/answer.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/draw/html.h"
#include "lib/err.h"
#include "lib/num.h"
#include "lib/text.h"
#include "report/page_tables.h"

int completeness_sentence(const struct report *r, char *buf, size_t len)
{
	char n[32], all[32];
	uint64_t lost = 0;
	const char *cut = r->finished == 0 ? " The recorder did not end the file itself: "
					     "its end may be missing."
					   : "";

	for (size_t i = 0; i < r->nloss; i++)
		lost += r->loss[i].lost > 0 ? (uint64_t)r->loss[i].lost : 0;
	if (r->lost != DMA_UNKNOWN && r->lost > 0) {
		if (r->counted != DMA_UNKNOWN)
			snprintf(buf, len,
				 "This recording has holes: %s of %s events were lost. "
				 "What they would "
				 "have said is not in these figures.%s",
				 text_count((uint64_t)r->lost, n),
				 text_count((uint64_t)r->counted, all), cut);
		else
			snprintf(buf, len,
				 "This recording has holes: %s events were lost. What "
				 "they would have said "
				 "is not in these figures.%s",
				 text_count((uint64_t)r->lost, n), cut);
		return 0;
	}
	if (r->nloss) {
		snprintf(buf, len,
			 "This recording has holes: %s samples are missing. What they "
			 "would have said is "
			 "not in these figures.%s",
			 lost ? text_count(lost, n) : "an unknown number of", cut);
		return 0;
	}
	if (r->counted == DMA_UNKNOWN || r->delivered == DMA_UNKNOWN) {
		snprintf(buf, len,
			 "Whether this recording is whole cannot be told: it holds no "
			 "counts of its events. No "
			 "loss was reported.%s",
			 cut);
		return 0;
	}
	snprintf(buf, len,
		 "This recording is whole: %s events counted by the kernel, %s "
		 "delivered, none lost.%s",
		 text_count((uint64_t)r->counted, all),
		 text_count((uint64_t)r->delivered, n), cut);
	return !*cut;
}

static void warning(FILE *f, const char *text)
{
	fputs("<p class=\"warning\">", f);
	html_text(f, text);
	fputs("</p>\n", f);
}

static int warning_row(struct db_stmt *st, void *arg)
{
	warning(arg, column_text(st, "text", ""));
	return 0;
}

static int advice_row(struct db_stmt *st, void *arg)
{
	const char *advice = db_text(st, "advice");

	if (advice) {
		fputs("<p class=\"warning\">Next: ", arg);
		html_text(arg, advice);
		fputs("</p>\n", arg);
	}
	return 0;
}

static void card(FILE *f, const char *value, const char *what)
{
	fputs("<div><b>", f);
	html_text(f, value);
	fputs("</b><span>", f);
	html_text(f, what);
	fputs("</span></div>\n", f);
}

static const char *quantile_text(const struct summary_row *s, int q, char *buf,
				 size_t len)
{
	size_t at = s->thin[q] ? 1 : 0;

	buf[0] = '~';
	axis_print(AXIS_NS, (double)s->q[q], buf + at, len - at);
	return buf;
}

struct ending {
	char name[64];
	int64_t irq;
	int n;
};

static int ending_row(struct db_stmt *st, void *arg)
{
	struct ending *v = arg;

	if (!v->n++) {
		v->irq = db_i64(st, "irq");
		snprintf(v->name, sizeof(v->name), "%s", column_text(st, "name", ""));
	}
	return 0;
}

/* The interrupt that ends them. */
static int interrupt_card(FILE *f, const struct report *r, struct err *e)
{
	struct ending v = {.n = 0};
	int error = report_query(r, "answer_vectors", ending_row, &v, e);
	char value[64] = "none", what[128] = "interrupt is known to end them";

	if (error || !r->transfers)
		return error;
	if (v.n > 1) {
		snprintf(value, sizeof(value), "%" PRId64 ", %d more", v.irq, v.n - 1);
		snprintf(what, sizeof(what), "interrupts that end them (%s, …)", v.name);
	} else if (v.n) {
		snprintf(value, sizeof(value), "%" PRId64, v.irq);
		snprintf(what, sizeof(what), "interrupt that ends them%s%s%s",
			 *v.name ? " (" : "", v.name, *v.name ? ")" : "");
	}
	card(f, value, what);
	return 0;
}

static int cards(FILE *f, const struct report *r, struct err *e)
{
	const struct summary_row *s = &r->summary[r->latency];
	char buf[64], what[96];
	int error;

	if (!r->transfers) /* the first sentence says it */
		return 0;
	fputs("<div class=\"cards\">\n", f);
	error = interrupt_card(f, r, e);
	card(f, text_count((uint64_t)r->transfers, buf),
	     text_number((uint64_t)r->transfers, "transfer", "transfers"));
	card(f, text_count(r->state[STATE_COMPLETE], buf),
	     text_number(r->state[STATE_COMPLETE], "ended by its interrupt",
			 "ended by their interrupt"));
	if (s->known && s->q[0] != DMA_UNKNOWN) {
		snprintf(what, sizeof(what), "median latency (%s)",
			 phase_name(r->latency));
		card(f, axis_print(AXIS_NS, (double)s->q[0], buf, sizeof(buf)), what);
	}
	if (s->known && s->q[2] != DMA_UNKNOWN)
		card(f, quantile_text(s, 2, buf, sizeof(buf)),
		     s->thin[2] ? "99th percentile (too few transfers for it)"
				: "99th percentile");
	if (s->known && s->n > 0 && s->max_ns != DMA_UNKNOWN)
		card(f, axis_print(AXIS_NS, (double)s->max_ns, buf, sizeof(buf)),
		     "slowest");
	fputs("</div>\n", f);
	return error;
}

/* What is drawn is counted from the transfers; it must be what the summary says. */
static void disagreement(FILE *f, const struct report *r)
{
	char drawn[32], told[32];

	for (int p = 0; p < PHASE_N; p++) {
		uint64_t n = r->summary[p].known && r->summary[p].n > 0
				     ? (uint64_t)r->summary[p].n
				     : 0;

		if (n == r->scan->phase[p].n)
			continue;
		fprintf(f,
			"<p class=\"warning\">The stored summary of %s stands on "
			"%s values, but the transfers hold %s: do not trust these "
			"figures; `dmaanalyze --rebuild` makes them anew.</p>\n",
			phase_name((enum phase)p), text_count(n, told),
			text_count(r->scan->phase[p].n, drawn));
	}
}

/* What the run says: which interrupt, how long, what moved. What is missing stands below. */
static int answer(FILE *f, const struct report *r, struct err *e)
{
	struct answer a;
	int error = answer_read(&a, r->db, r->run, e);

	for (int i = 0; i < 3 && !error; i++) {
		if (!*answer_sentence(&a, i))
			continue;
		fputs(i ? "<p>" : "<p><strong>", f);
		html_text(f, answer_sentence(&a, i));
		fputs(i ? "</p>\n" : "</strong></p>\n", f);
	}
	if (!error && !r->transfers)
		warning(f, a.next);
	return error;
}

static int completeness(FILE *f, const struct report *r, struct err *e)
{
	char text[600], n[32];
	int whole = completeness_sentence(r, text, sizeof(text)), error;
	bool first = true;

	fprintf(f, "<div class=\"verdict%s\" id=\"completeness%" PRId64 "\">\n",
		whole && r->transfers ? "" : " hole", r->run);
	error = answer(f, r, e);
	fputs("<p>", f);
	html_text(f, text);
	fprintf(f, "</p>\n<p class=\"sub\">%s transfer%s",
		text_count((uint64_t)r->transfers, n), text_s((uint64_t)r->transfers));
	for (int s = 0; s < STATE_N; s++)
		if (r->state[s]) {
			fprintf(f, "%s%s %s", first ? ": " : ", ",
				text_count(r->state[s], n),
				state_words((enum transfer_state)s));
			first = false;
		}
	fputs(".</p>\n", f);
	disagreement(f, r);
	if (!error)
		error = report_query(r, "warnings", warning_row, f, e);
	if (!error && r->transfers)
		error = report_query(r, "page_advice", advice_row, f, e);
	fputs("</div>\n", f);
	return error;
}

static bool nothing_drawn(const struct run_figures *run)
{
	for (size_t i = 0; i < run->n; i++)
		if (!*run->fig[i].why_not)
			return false;
	return run->n > 0;
}

/* ---- several runs: small multiples on one scale ---- */

enum { SMALL_BINS = 48, SMALL_HEIGHT = 60 };

/* The latency of all of them; the total time where it is not the same phase. */
static enum phase common_phase(const struct run_figures *run, size_t nrun)
{
	for (size_t k = 1; k < nrun; k++)
		if (run[k].r->latency != run->r->latency)
			return PHASE_TOTAL;
	return run->r->latency;
}

static void common_axis(struct axis *x, enum phase p, const struct run_figures *run,
			size_t nrun)
{
	double low = INFINITY, high = 0;

	for (size_t k = 0; k < nrun; k++) {
		const struct report *r = run[k].r;
		const struct phase_bins *b = &r->scan->phase[p];

		if (!b->n || !(b->least > 0))
			continue;
		low = fmin(low, b->least);
		high = fmax(high, (double)r->summary[p].max_ns);
	}
	axis_init_scale(x, AXIS_NS, AXIS_LOG, low < high ? low : 1,
			low < high ? high : 10, 4);
}

static void small_histogram(FILE *f, const struct report *r, enum phase p,
			    const struct axis *x)
{
	const struct phase_bins *b = &r->scan->phase[p];
	double n[SMALL_BINS] = {0}, most = 1, width = 240.0 / SMALL_BINS;

	for (size_t i = 0; i < b->nbins; i++) {
		double at = axis_value(&b->axis, (axis_edge(&b->axis, i, b->nbins) +
						  axis_edge(&b->axis, i + 1, b->nbins)) /
							 2);
		size_t to = axis_bin(x, b->axis.strip > 0 && !i ? x->lo : at, SMALL_BINS);

		for (int s = 0; s < r->nseries; s++)
			n[to] += (double)b->bin[s][i];
		most = fmax(most, n[to]);
	}
	fprintf(f, "<svg viewBox=\"0 0 240 %d\" aria-hidden=\"true\">", SMALL_HEIGHT + 2);
	for (size_t i = 0; i < SMALL_BINS; i++)
		if (n[i] > 0)
			fprintf(f,
				"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
				"height=\"%.1f\" fill=\"var(--s0)\"/>",
				(double)i * width, SMALL_HEIGHT * (1 - n[i] / most),
				width * 0.9, SMALL_HEIGHT * n[i] / most + 1);
	fputs("</svg>", f);
}

static void overview(FILE *f, const struct run_figures *run, size_t nrun)
{
	enum phase p = common_phase(run, nrun);
	char low[32], high[32], q[40], n[32];
	struct axis x;

	common_axis(&x, p, run, nrun);
	fprintf(f,
		"<h2>The runs beside one another</h2>\n<p class=\"sub\">%s, from %s to "
		"%s on one logarithmic scale; each its own height. `dmareport --run ID` "
		"draws one with all its pictures.</p>\n<div "
		"class=\"runs\">\n",
		phase_words(p), axis_print(AXIS_NS, x.lo, low, sizeof(low)),
		axis_print(AXIS_NS, x.hi, high, sizeof(high)));
	for (size_t k = 0; k < nrun; k++) {
		const struct report *r = run[k].r;
		const struct summary_row *s = &r->summary[p];

		fprintf(f, "<a href=\"#run%" PRId64 "\"><b>", r->run);
		html_text(f, r->name);
		fputs("</b>", f);
		small_histogram(f, r, p, &x);
		fprintf(f, "%s %s of %s", s->q[0] == DMA_UNKNOWN ? "" : "median",
			s->q[0] == DMA_UNKNOWN ? "no latency"
					       : quantile_text(s, 0, q, sizeof(q)),
			text_count((uint64_t)r->transfers, n));
		if (s->q[2] != DMA_UNKNOWN)
			fprintf(f, ", p99 %s", quantile_text(s, 2, q, sizeof(q)));
		fputs("</a>\n", f);
	}
	fputs("</div>\n", f);
}

/* One sentence for each reason, not a heading for each picture. */
static void not_drawn(FILE *f, const struct run_figures *run)
{
	if (nothing_drawn(run)) {
		fprintf(f, "<p class=\"whynot\">No plots: %s</p>\n", run->fig[0].why_not);
		return;
	}
	for (size_t i = 0; i < run->n; i++) {
		const struct figure *fig = &run->fig[i];

		if (!*fig->why_not || reason_told(run->fig, i))
			continue;
		fputs("<p class=\"whynot\">Not drawn: ", f);
		for (size_t k = i; k < run->n; k++) {
			if (strcmp(run->fig[k].why_not, fig->why_not) != 0)
				continue;
			fputs(k > i ? "; " : "", f);
			html_text(f, run->fig[k].title);
		}
		fputs(" – ", f);
		html_text(f, fig->why_not);
		fputs("</p>\n", f);
	}
}

static int one_run(FILE *f, const struct run_figures *run, bool many, struct err *e)
{
	const struct report *r = run->r;
	int error, level = many ? 3 : 2;

	if (many) {
		fprintf(f, "<h2 id=\"run%" PRId64 "\">", r->run);
		html_text(f, r->name);
		fputs("</h2>\n", f);
	}
	error = completeness(f, r, e);
	if (!error)
		error = cards(f, r, e);
	for (size_t i = 0; i < run->n; i++)
		if (!*run->fig[i].why_not)
			html_figure(f, &run->fig[i], level);
	not_drawn(f, run);
	if (!error)
		error = page_tables(f, r, e);
	return error ? error : page_environment(f, r, e);
}

static void contents(FILE *f, const struct run_figures *run)
{
	int listed = -1;

	fputs("<nav aria-label=\"Contents\"><ul>\n", f);
	for (size_t i = 0; i < run->n && !nothing_drawn(run); i++)
		if (!*run->fig[i].why_not && run->kind[i] != listed) {
			listed = run->kind[i];
			fprintf(f, "<li><a href=\"#%s\">%s</a></li>\n", run->fig[i].name,
				plots[run->kind[i]].title);
		}
	fprintf(f, "<li><a href=\"#tables%" PRId64 "\">Tables</a></li>\n</ul></nav>\n",
		run->r->run);
}

/* Three lines of a telephone; of a longer one the rest is folded. */
enum { COMMAND_SHOWN = 120 };

static void command_line(FILE *f, const char *command)
{
	char shown[COMMAND_SHOWN + 4];
	size_t n = COMMAND_SHOWN;

	if (strlen(command) <= COMMAND_SHOWN) {
		fputs("<p class=\"sub\">", f);
		html_text(f, command);
		fputs("</p>\n", f);
		return;
	}
	while (n && ((unsigned char)command[n] & 0xc0) == 0x80) /* within a character */
		n--;
	snprintf(shown, sizeof(shown), "%.*s…", (int)n, command);
	fputs("<details class=\"sub\"><summary>", f);
	html_text(f, shown);
	fputs("</summary>", f);
	html_text(f, command);
	fputs("</details>\n", f);
}

int page_write(FILE *f, const struct run_figures *run, size_t nrun, struct err *e)
{
	char title[256];
	int error = 0;

	snprintf(title, sizeof(title), "DMA transfers: %s",
		 nrun == 1 ? run->r->name : "several runs");
	html_begin(f, title);
	fputs("<header><h1>", f);
	html_text(f, title);
	fputs("</h1>\n", f);
	if (nrun == 1 && run->r->command)
		command_line(f, run->r->command);
	if (nrun == 1)
		contents(f, run);
	fputs("</header>\n", f);
	if (nrun > 1)
		overview(f, run, nrun);
	for (size_t k = 0; k < nrun && !error; k++)
		error = one_run(f, &run[k], nrun > 1, e);
	fprintf(f, "<footer><p>dmareport %s, from ", DMA_VERSION);
	html_text(f, run->r->path);
	fputs(". Quantiles are nearest rank from the analysis; a dash means not "
	      "known.</p></footer>\n",
	      f);
	html_end(f);
	if (ferror(f) && !error)
		error = err_errno(e, "cannot write the page");
	return error;
}
