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

/* ---- tables ---- */
struct column {
	const char *name; /* in the query */
	const char *head; /* a leading '#' = a number, right-aligned; '~' = nanoseconds;
			   * '/' bytes/s, '%' bytes */
};

struct table {
	FILE *f;
	const struct column *column; /* up to one without a name */
	const char *caption;
	size_t rows, limit;
	const char *empty;
};

static void table_begin(struct table *t)
{
	fprintf(t->f,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(t->f, t->caption);
	fputs("\">\n<table class=\"stack\"><caption>", t->f);
	html_text(t->f, t->caption);
	fputs("</caption>\n<thead><tr>", t->f);
	for (const struct column *c = t->column; c->name; c++) {
		bool number = strchr("#~/%", c->head[0]) != NULL;

		fprintf(t->f, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
		html_text(t->f, c->head + number);
		fputs("</th>", t->f);
	}
	fputs("</tr></thead>\n<tbody>\n", t->f);
}

/* A quantile that n does not carry comes as "~98000". */
static void ns_text(FILE *f, const char *text)
{
	bool thin = *text == '~';
	char buf[64];

	if (thin)
		fputs("<abbr title=\"too few transfers for this quantile: no upper "
		      "confidence limit\">~</abbr>",
		      f);
	html_text(f, axis_print(AXIS_NS, strtod(text + thin, NULL), buf, sizeof(buf)));
}

static void table_cell(struct table *t, struct db_stmt *st, const struct column *c)
{
	char buf[64];
	char kind = c->head[0];
	const char *text = db_text(st, c->name);
	bool number = strchr("#~/%", kind) != NULL;

	fprintf(t->f, "<td%s data-label=\"", number ? " class=\"n\"" : "");
	html_text(t->f, c->head + number);
	fputs("\">", t->f);
	if (!text)
		fputs("<span title=\"not known\">–</span>", t->f);
	else if (kind == '~')
		ns_text(t->f, text);
	else if (kind == '/')
		html_text(t->f, axis_print(AXIS_BYTES_PER_S, db_real(st, c->name), buf,
					   sizeof(buf)));
	else if (kind == '%')
		html_text(t->f, num_print_bytes(buf, db_i64(st, c->name)));
	else if (kind == '#' && !text[strspn(text, "0123456789")])
		html_text(t->f, text_count((uint64_t)db_i64(st, c->name), buf));
	else
		html_text(t->f, text);
	fputs("</td>", t->f);
}

static int table_row(struct db_stmt *st, void *arg)
{
	struct table *t = arg;

	if (!t->rows++)
		table_begin(t);
	if (t->limit && t->rows > t->limit)
		return 0;
	fputs("<tr>", t->f);
	for (const struct column *c = t->column; c->name; c++)
		table_cell(t, st, c);
	fputs("</tr>\n", t->f);
	return 0;
}

static int table(FILE *f, const struct report *r, const char *caption,
		 const struct column *column, const char *query, size_t limit,
		 const char *empty, struct err *e)
{
	struct table t = {.f = f, .column = column, .caption = caption, .limit = limit};
	int error = report_query(r, query, table_row, &t, e);

	if (t.rows)
		fputs("</tbody></table></div>\n", f);
	else if (empty)
		fprintf(f, "<p>%s</p>\n", empty);
	if (limit && t.rows > limit)
		fprintf(f, "<p class=\"sub\">%zu more rows are in the database.</p>\n",
			t.rows - limit);
	return error;
}
#define COLUMNS(...) ((const struct column[]){__VA_ARGS__, {NULL, NULL}})

static void row(FILE *f, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	fputs("<tr><th scope=\"row\">", f);
	html_text(f, key);
	fputs("</th><td>", f);
	html_text(f, value);
	fputs("</td></tr>\n", f);
}

static int env_row(struct db_stmt *st, void *arg)
{
	row(arg, column_text(st, "key", ""), column_text(st, "value", "not known"));
	return 0;
}

static int environment(FILE *f, const struct report *r, struct err *e)
{
	char buf[64];
	int error;

	fprintf(f,
		"<details id=\"environment%" PRId64
		"\"><summary>Environment</summary>\n<div class=\"scroll\" tabindex=\"0\" "
		"role=\"region\" aria-label=\"Environment\"><table><tbody>\n",
		r->run);
	row(f, "Workload", r->command);
	row(f, "Host", r->host);
	row(f, "Kernel", r->kernel);
	row(f, "Recorded", r->started);
	row(f, "By", r->tool);
	row(f, "Profile", r->profile);
	row(f, "Clock", r->clock);
	if (r->begin_ns != DMA_UNKNOWN && r->end_ns != DMA_UNKNOWN)
		row(f, "Duration",
		    axis_print(AXIS_NS, (double)(r->end_ns - r->begin_ns), buf,
			       sizeof(buf)));
	if (r->probe_cost_ns != DMA_UNKNOWN)
		row(f, "Cost of one probe hit",
		    axis_print(AXIS_NS, (double)r->probe_cost_ns, buf, sizeof(buf)));
	error = report_query(r, "page_environment", env_row, f, e);
	fputs("</tbody></table></div></details>\n", f);
	return error;
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

	if (advice)
		warning(arg, advice);
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

static void cards(FILE *f, const struct report *r)
{
	const struct summary_row *s = &r->summary[r->latency];
	char buf[64], what[96];

	fputs("<div class=\"cards\">\n", f);
	card(f, text_count((uint64_t)r->transfers, buf), "transfers");
	card(f, text_count(r->state[STATE_COMPLETE], buf), "ended by their interrupt");
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
	return error;
}

static int completeness(FILE *f, const struct report *r, struct err *e)
{
	char text[600], n[32];
	int whole = completeness_sentence(r, text, sizeof(text)), error;
	bool first = true;

	fprintf(f, "<div class=\"verdict%s\" id=\"completeness%" PRId64 "\">\n",
		whole ? "" : " hole", r->run);
	error = answer(f, r, e);
	fputs("<p>", f);
	html_text(f, text);
	fprintf(f, "</p>\n<p class=\"sub\">%s transfers",
		text_count((uint64_t)r->transfers, n));
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
	if (!error)
		error = report_query(r, "page_advice", advice_row, f, e);
	fputs("</div>\n", f);
	return error;
}

static void ns_cell(FILE *f, int64_t from, int64_t to)
{
	char buf[64];

	fputs("<td class=\"n\">", f);
	if (from == DMA_UNKNOWN || to == DMA_UNKNOWN)
		fputs("–", f);
	else
		html_text(f, axis_print(AXIS_NS, (double)(to - from), buf, sizeof(buf)));
	fputs("</td>", f);
}

static void slowest_table(FILE *f, const struct report *r)
{
	const struct scan *s = r->scan;
	char buf[64];

	if (!s->nslow)
		return;
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The "
	      "slowest transfers\">\n"
	      "<table><caption>The slowest transfers</caption><thead><tr><th "
	      "scope=\"col\">transfer</th>"
	      "<th scope=\"col\">group</th><th scope=\"col\">state</th><th scope=\"col\" "
	      "class=\"n\">size</th>"
	      "<th scope=\"col\" class=\"n\">at</th><th scope=\"col\" "
	      "class=\"n\">latency</th>"
	      "<th scope=\"col\" class=\"n\">api</th><th scope=\"col\" "
	      "class=\"n\">device</th>"
	      "<th scope=\"col\" class=\"n\">notice</th><th scope=\"col\" "
	      "class=\"n\">interrupt</th>"
	      "<th scope=\"col\" class=\"n\">CPU</th></tr></thead>\n<tbody>\n",
	      f);
	for (size_t i = 0; i < s->nslow; i++) {
		const struct slow *t = &s->slow[i];
		const struct group *g =
			report_group(r, t->card, t->channel, t->direction);

		fprintf(f,
			"<tr><td>%" PRId64
			"</td><td>%s</td><td>%s</td><td class=\"n\">%s</td>",
			t->id, g ? g->name : "–",
			state_words((enum transfer_state)t->state),
			t->size_bytes == DMA_UNKNOWN
				? "–"
				: num_print_bytes(buf, t->size_bytes));
		ns_cell(f, s->zero_ns, t->submit_ns);
		ns_cell(f, 0, t->latency_ns);
		ns_cell(f, t->submit_ns, t->doorbell_ns);
		ns_cell(f, t->doorbell_ns, t->irq_ns);
		ns_cell(f, t->irq_ns, t->woken_ns);
		fprintf(f, "<td class=\"n\">%s</td>",
			t->irq == DMA_UNKNOWN
				? "–"
				: (snprintf(buf, sizeof(buf), "%" PRId64, t->irq), buf));
		fprintf(f, "<td class=\"n\">%s</td></tr>\n",
			t->irq_cpu == DMA_UNKNOWN
				? "–"
				: (snprintf(buf, sizeof(buf), "%" PRId64, t->irq_cpu),
				   buf));
	}
	fputs("</tbody></table></div>\n", f);
}

static int tables(FILE *f, const struct report *r, struct err *e)
{
	int error;

	fprintf(f, "<h2 id=\"tables%" PRId64 "\">Tables</h2>\n", r->run);
	error = table(f, r, "Events: counted by the kernel, delivered, lost",
		      COLUMNS({"event", "event"}, {"role", "role"},
			      {"function", "function"}, {"counted", "#counted"},
			      {"delivered", "#delivered"}, {"lost", "#lost"}),
		      "page_events", 200, "No events.", e);
	if (!error)
		error = table(f, r, "Phases, for each group (– = all)",
			      COLUMNS({"card", "card"}, {"channel", "channel"},
				      {"direction", "direction"}, {"phase", "phase"},
				      {"n", "#n"}, {"excluded", "#left out"},
				      {"negative", "#below 0"}, {"min_ns", "~min"},
				      {"p50_ns", "~median"}, {"mean_ns", "~mean"},
				      {"p90_ns", "~p90"}, {"p99_ns", "~p99"},
				      {"p999_ns", "~p99.9"}, {"max_ns", "~max"},
				      {"error_ns", "~of which probes ≈"}),
			      "page_phases", 80, NULL, e);
	slowest_table(f, r);
	if (!error)
		error = table(
			f, r,
			"Throughput: what ended for the program, from the first submit "
			"to the last end (– = all)",
			COLUMNS({"card", "card"}, {"channel", "channel"},
				{"direction", "direction"},
				{"bytes_per_s", "/throughput"}, {"size_bytes", "%bytes"},
				{"took_ns", "~in"}, {"transfers", "#transfers"},
				{"left_out", "#left out"}),
			"page_throughput", 80, NULL, e);
	if (!error)
		error = table(f, r, "Fit: latency = a + size × slope (95 %)",
			      COLUMNS({"card", "card"}, {"channel", "channel"},
				      {"direction", "direction"}, {"phase", "phase"},
				      {"n", "#n"}, {"sizes", "#sizes"}, {"a_ns", "~a"},
				      {"a_low_ns", "~a from"}, {"a_high_ns", "~a to"},
				      {"bytes_per_s", "/bandwidth"},
				      {"bytes_per_s_low", "/from"},
				      {"bytes_per_s_high", "/to"}),
			      "page_fits", 80, NULL, e);
	if (!error)
		error = table(f, r, "Interrupts: which vector ends transfers",
			      COLUMNS({"irq", "interrupt"}, {"name", "name"},
				      {"vector", "vector"}, {"verdict", "verdict"},
				      {"used", "used"}, {"interrupts", "#interrupts"},
				      {"outside", "#outside"}, {"why", "why"}),
			      "page_vectors", 60, NULL, e);
	if (!error)
		error = table(f, r, "What the machine's units counted",
			      COLUMNS({"event", "event"}, {"scaled", "#count"},
				      {"unit", "unit"}, {"seconds", "#seconds"},
				      {"readings", "#readings"}),
			      "page_counts", 40, NULL, e);
	if (!error)
		error = table(f, r, "Registers of the card that were read",
			      COLUMNS({"name", "register"}, {"place", "of"},
				      {"mode", "read"}, {"readings", "#readings"},
				      {"read_median_ns", "~one takes"},
				      {"gap_ns", "~apart at worst"},
				      {"clears", "#ends seen"}, {"ended", "ended early"}),
			      "page_registers", 20, NULL, e);
	if (!error)
		error = table(f, r, "What the register and the interrupt say together",
			      COLUMNS({"witness", "of the interrupt"},
				      {"n", "#transfers"}, {"error_ns", "~known to ±"}),
			      "page_witness", 20, NULL, e);
	if (!error)
		error = table(
			f, r, "Belonging to no transfer",
			COLUMNS({"kind", "kind"}, {"reason", "reason"}, {"n", "#n"}),
			"strays", 40, NULL, e);
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
		"%s on one logarithmic scale; each its own height.</p>\n<div "
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
	cards(f, r);
	if (nothing_drawn(run))
		fprintf(f, "<p class=\"whynot\">No plots: %s</p>\n", run->fig[0].why_not);
	for (size_t i = 0; i < run->n && !nothing_drawn(run); i++)
		html_figure(f, &run->fig[i], level);
	if (!error)
		error = tables(f, r, e);
	return error ? error : environment(f, r, e);
}

static void contents(FILE *f, const struct run_figures *run, size_t nrun)
{
	fputs("<nav aria-label=\"Contents\"><ul>\n", f);
	for (size_t k = 0; k < nrun; k++) {
		if (nrun > 1) {
			fprintf(f, "<li><a href=\"#run%" PRId64 "\">", run[k].r->run);
			html_text(f, run[k].r->name);
			fputs("</a></li>\n", f);
			continue;
		}
		for (size_t i = 0; i < run[k].n && !nothing_drawn(&run[k]); i++)
			if (i == 0 || run[k].kind[i] != run[k].kind[i - 1])
				fprintf(f, "<li><a href=\"#%s\">%s</a></li>\n",
					run[k].fig[i].name, plots[run[k].kind[i]].title);
		fprintf(f, "<li><a href=\"#tables%" PRId64 "\">Tables</a></li>\n",
			run[k].r->run);
	}
	fputs("</ul></nav>\n", f);
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
	fputs("</h1>\n<p class=\"sub\">", f);
	if (nrun == 1 && run->r->command)
		html_text(f, run->r->command);
	fputs("</p>\n", f);
	contents(f, run, nrun);
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
