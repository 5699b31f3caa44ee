/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/db.h"
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
struct table {
	FILE *f;
	const char *const *head; /* a leading '#' = a number, right-aligned; '~' =
				    nanoseconds; '/' bytes/s, '%' bytes */
	const char *caption;
	size_t rows, limit;
	const char *empty;
};

static void table_begin(struct table *t)
{
	fprintf(t->f,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(t->f, t->caption);
	fputs("\">\n<table><caption>", t->f);
	html_text(t->f, t->caption);
	fputs("</caption>\n<thead><tr>", t->f);
	for (int i = 0; t->head[i]; i++) {
		bool number = strchr("#~/%", t->head[i][0]) != NULL;

		fprintf(t->f, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
		html_text(t->f, t->head[i] + number);
		fputs("</th>", t->f);
	}
	fputs("</tr></thead>\n<tbody>\n", t->f);
}

static void table_cell(struct table *t, struct db_stmt *st, int i)
{
	char buf[64];
	char kind = t->head[i][0];
	const char *text = column_text(st, i, NULL);
	bool number = strchr("#~/%", kind) != NULL;

	fputs(number ? "<td class=\"n\">" : "<td>", t->f);
	if (!text)
		fputs("<span title=\"not known\">–</span>", t->f);
	else if (kind == '~')
		html_text(t->f, axis_print(AXIS_NS, db_real(st, i), buf, sizeof(buf)));
	else if (kind == '/')
		html_text(t->f,
			  axis_print(AXIS_BYTES_PER_S, db_real(st, i), buf, sizeof(buf)));
	else if (kind == '%')
		html_text(t->f, num_print_bytes(buf, db_i64(st, i)));
	else if (kind == '#' && !text[strspn(text, "0123456789")])
		html_text(t->f, text_count((uint64_t)db_i64(st, i), buf));
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
	for (int i = 0; t->head[i]; i++)
		table_cell(t, st, i);
	fputs("</tr>\n", t->f);
	return 0;
}

static int table(FILE *f, const struct report *r, const char *caption,
		 const char *const *head, const char *query, size_t limit,
		 const char *empty, struct err *e)
{
	struct table t = {.f = f, .head = head, .caption = caption, .limit = limit};
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
#define HEAD(...) ((const char *const[]){__VA_ARGS__, NULL})

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
	row(arg, column_text(st, 0, ""), column_text(st, 1, "not known"));
	return 0;
}

static int environment(FILE *f, const struct report *r, struct err *e)
{
	char buf[64];
	int error;

	fprintf(f,
		"<h2 id=\"environment%" PRId64
		"\">Environment</h2>\n<div class=\"scroll\" tabindex=\"0\" "
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
	if (r->uprobe_cost_ns != DMA_UNKNOWN)
		row(f, "Cost of one probe hit",
		    axis_print(AXIS_NS, (double)r->uprobe_cost_ns, buf, sizeof(buf)));
	error = report_query(r, "page_environment", env_row, f, e);
	fputs("</tbody></table></div>\n", f);
	return error;
}

static int warning_row(struct db_stmt *st, void *arg)
{
	fputs("<p class=\"warning\">", arg);
	html_text(arg, column_text(st, 0, ""));
	fputs("</p>\n", arg);
	return 0;
}

static int advice_row(struct db_stmt *st, void *arg)
{
	if (column_text(st, 0, NULL))
		return warning_row(st, arg);
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
		card(f, axis_print(AXIS_NS, (double)s->q[2], buf, sizeof(buf)),
		     "99th percentile");
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

static int completeness(FILE *f, const struct report *r, struct err *e)
{
	char text[600], n[32];
	int whole = completeness_sentence(r, text, sizeof(text)), error;
	bool first = true;

	fprintf(f,
		"<div class=\"verdict%s\" id=\"completeness%" PRId64 "\">\n<p><strong>",
		whole ? "" : " hole", r->run);
	html_text(f, text);
	fprintf(f, "</strong></p>\n<p>%s transfers",
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
	error = table(
		f, r, "Events: counted by the kernel, delivered, lost",
		HEAD("event", "role", "function", "#counted", "#delivered", "#lost"),
		"page_events", 200, "No events.", e);
	if (!error)
		error = table(f, r, "Phases, for each group (– = all)",
			      HEAD("card", "channel", "direction", "phase", "#n",
				   "#left out", "#below 0", "~min", "~median", "~mean",
				   "~p90", "~p99", "~p99.9", "~max", "~probe cost"),
			      "page_phases", 80, NULL, e);
	slowest_table(f, r);
	if (!error)
		error = table(f, r, "Throughput of ended transfers (– = all)",
			      HEAD("card", "channel", "direction", "#transfers", "%bytes",
				   "/throughput"),
			      "page_throughput", 80, NULL, e);
	if (!error)
		error = table(f, r, "Fit: latency = a + size × slope (95 %)",
			      HEAD("card", "channel", "direction", "phase", "#n",
				   "#sizes", "~a", "~a from", "~a to", "/bandwidth",
				   "/from", "/to", "#R²"),
			      "page_fits", 80, NULL, e);
	if (!error)
		error = table(f, r, "Interrupts: which vector ends transfers",
			      HEAD("interrupt", "name", "vector", "verdict", "used",
				   "#interrupts", "#outside", "why"),
			      "page_vectors", 60, NULL, e);
	if (!error)
		error = table(f, r, "Belonging to no transfer",
			      HEAD("kind", "reason", "#n"), "strays", 40, NULL, e);
	return error;
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
	if (!error)
		error = environment(f, r, e);
	for (size_t i = 0; i < run->n; i++)
		html_figure(f, &run->fig[i], level);
	return error ? error : tables(f, r, e);
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
		for (size_t i = 0; i < run[k].n; i++)
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
