/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/page_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/draw/html.h"
#include "lib/err.h"
#include "lib/num.h"
#include "lib/text.h"
#include "report/plots.h"

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
};

static bool is_number(const struct column *c)
{
	return strchr("#~/%", c->head[0]) != NULL;
}

static void table_begin(struct table *t)
{
	fprintf(t->f,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(t->f, t->caption);
	fputs("\">\n<table class=\"stack\"><caption>", t->f);
	html_text(t->f, t->caption);
	fputs("</caption>\n<thead><tr>", t->f);
	for (const struct column *c = t->column; c->name; c++) {
		bool number = is_number(c);

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
	bool number = is_number(c);

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

static int rest_row(struct db_stmt *st, void *arg)
{
	const char *text = db_text(st, "text");

	if (text) {
		fputs("<p class=\"whynot\">", arg);
		html_text(arg, text);
		fputs("</p>\n", arg);
	}
	return 0;
}

/* rest: NULL, or the query of a sentence on what the table leaves out. */
static int table(FILE *f, const struct report *r, const char *caption,
		 const struct column *column, const char *query, size_t limit,
		 const char *rest, struct err *e)
{
	struct table t = {.f = f, .column = column, .caption = caption, .limit = limit};
	int error = report_query(r, query, table_row, &t, e);

	if (t.rows)
		fputs("</tbody></table></div>\n", f);
	if (limit && t.rows > limit)
		fprintf(f, "<p class=\"sub\">%zu more rows are in the database.</p>\n",
			t.rows - limit);
	if (!error && rest)
		error = report_query(r, rest, rest_row, f, e);
	return error;
}
#define COLUMNS(...) ((const struct column[]){__VA_ARGS__, {NULL, NULL}})

/* A cell of a table that no query makes. */
static void text_cell(FILE *f, const struct column *c, const char *text)
{
	bool number = is_number(c);

	fprintf(f, "<td%s data-label=\"%s\">", number ? " class=\"n\"" : "",
		c->head + number);
	html_text(f, text);
	fputs("</td>", f);
}

static const char *span_text(char buf[64], int64_t from, int64_t to)
{
	if (from == DMA_UNKNOWN || to == DMA_UNKNOWN)
		return "–";
	return axis_print(AXIS_NS, (double)(to - from), buf, 64);
}

static const char *number_text(char buf[64], int64_t n)
{
	if (n == DMA_UNKNOWN)
		return "–";
	snprintf(buf, 64, "%" PRId64, n);
	return buf;
}

static void slowest_row(FILE *f, const struct report *r, const struct slow *t,
			const struct column *c)
{
	const struct group *g = report_group(r, t->card, t->channel, t->direction);
	char buf[64];

	fputs("<tr>", f);
	text_cell(f, c++, number_text(buf, t->id));
	text_cell(f, c++, g ? g->name : "–");
	text_cell(f, c++, state_words((enum transfer_state)t->state));
	text_cell(f, c++,
		  t->size_bytes == DMA_UNKNOWN ? "–"
					       : num_print_bytes(buf, t->size_bytes));
	text_cell(f, c++, span_text(buf, r->scan->zero_ns, t->submit_ns));
	text_cell(f, c++, span_text(buf, 0, t->latency_ns));
	text_cell(f, c++, span_text(buf, t->submit_ns, t->doorbell_ns));
	text_cell(f, c++, span_text(buf, t->doorbell_ns, t->irq_ns));
	text_cell(f, c++, span_text(buf, t->irq_ns, t->woken_ns));
	text_cell(f, c++, number_text(buf, t->irq));
	text_cell(f, c, number_text(buf, t->irq_cpu));
	fputs("</tr>\n", f);
}

static void slowest_table(FILE *f, const struct report *r)
{
	static const struct column column[] = {
		{"", "transfer"}, {"", "group"},      {"", "state"}, {"", "#size"},
		{"", "#at"},	  {"", "#latency"},   {"", "#api"},  {"", "#device"},
		{"", "#notice"},  {"", "#interrupt"}, {"", "#CPU"},  {NULL, NULL}};
	const struct scan *s = r->scan;
	struct table t = {.f = f, .column = column, .caption = "The slowest transfers"};

	if (!s->nslow)
		return;
	table_begin(&t);
	for (size_t i = 0; i < s->nslow; i++)
		slowest_row(f, r, &s->slow[i], column);
	fputs("</tbody></table></div>\n", f);
}

int page_tables(FILE *f, const struct report *r, struct err *e)
{
	int error;

	fprintf(f, "<h2 id=\"tables%" PRId64 "\">Tables</h2>\n", r->run);
	error = table(f, r, "Events: counted by the kernel, delivered, lost",
		      COLUMNS({"event", "event"}, {"role", "role"},
			      {"function", "function"}, {"counted", "#counted"},
			      {"delivered", "#delivered"}, {"lost", "#lost"}),
		      "page_events", 200, "page_events_rest", e);
	if (!error)
		error = table(f, r,
			      "Phases (– = all; probes ≈: what the probes add to each)",
			      COLUMNS({"card", "card"}, {"channel", "channel"},
				      {"direction", "direction"}, {"phase", "phase"},
				      {"n", "#n"}, {"excluded", "#left out"},
				      {"negative", "#below 0"}, {"min_ns", "~min"},
				      {"p50_ns", "~median"}, {"mean_ns", "~mean"},
				      {"p90_ns", "~p90"}, {"p99_ns", "~p99"},
				      {"p999_ns", "~p99.9"}, {"max_ns", "~max"},
				      {"error_ns", "~probes ≈"}),
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
			      "page_vectors", 60, "page_vectors_rest", e);
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

/* ---- what it ran on ---- */

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

int page_environment(FILE *f, const struct report *r, struct err *e)
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
