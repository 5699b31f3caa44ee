/* SPDX-License-Identifier: GPL-2.0-only */
#include "compare/compare_page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/cli.h"
#include "lib/draw/axis.h"
#include "lib/draw/html.h"
#include "lib/err.h"
#include "lib/text.h"

static void table_begin(FILE *f, const char *caption)
{
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", f);
	html_text(f, caption);
	fputs("\">\n<table class=\"stack\"><caption>", f);
	html_text(f, caption);
	fputs("</caption>\n", f);
}

static void table_end(FILE *f)
{
	fputs("</tbody></table></div>\n", f);
}

/* Where a phone has no room for columns, the label stands beside the cell. */
static void cell_begin(FILE *f, const char *label, const char *css_class)
{
	fputs("<td", f);
	if (*css_class)
		fprintf(f, " class=\"%s\"", css_class);
	fputs(" data-label=\"", f);
	html_text(f, label);
	fputs("\">", f);
}

static void cell(FILE *f, const char *label, const char *text, bool number)
{
	cell_begin(f, label, number ? "n" : "");
	html_text(f, text);
	fputs("</td>", f);
}

static void head(FILE *f, const char *text, bool number)
{
	fprintf(f, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
	html_text(f, text);
	fputs("</th>", f);
}

static void cell_ns(FILE *f, const char *label, double ns, bool sign)
{
	char buf[40];

	cell(f, label, compare_ns(buf, ns, sign), true);
}

/* ---- verdicts ---- */

static const enum compare_verdict verdict_order[] = {COMPARE_SLOWER, COMPARE_FASTER,
						     COMPARE_CANNOT_TELL, COMPARE_SAME};

/* "2 slower, 1 the same within 5 %" */
static void verdict_counts(FILE *f, const size_t n[4], double threshold)
{
	static const char *const words[4] = {
		"slower", "faster", "of which it cannot be told", "the same within"};
	const char *comma = "";

	for (int i = 0; i < 4; i++) {
		enum compare_verdict v = verdict_order[i];

		if (!n[v])
			continue;
		fprintf(f, "%s%zu %s", comma, n[v], words[i]);
		if (v == COMPARE_SAME)
			fprintf(f, " %.3g %%", 100 * threshold);
		comma = ", ";
	}
}

static void sentence(FILE *f, const struct compare_result *r)
{
	size_t n[4] = {0}, all = r->c->n;

	for (size_t i = 0; i < all; i++)
		n[r->c->group[i].verdict]++;
	fprintf(f, "<p><strong>%s</strong>",
		n[COMPARE_SLOWER] == all	? "The new side is slower."
		: n[COMPARE_SLOWER]		? "The new side is slower in some groups."
		: n[COMPARE_CANNOT_TELL] == all ? "It cannot be told whether the new "
						  "side is slower."
		: n[COMPARE_FASTER] == all	? "The new side is faster."
		: n[COMPARE_SAME] == all	? "The new side is as fast as the base."
						: "No group is slower.");
	fprintf(f, " Of %zu group%s: ", all, all == 1 ? "" : "s");
	verdict_counts(f, n, r->o->threshold);
	fputs(".</p>\n", f);
}

/* ---- forest plot ---- */

/* A verdict in colour and in shape. */
static const struct sign {
	const char *shape, *name, *path; /* path: the shape around 0,0 */
} sign[] = {
	[COMPARE_SAME] = {"■", "same", "M-4 -4h8v8h-8z"},
	[COMPARE_FASTER] = {"▼", "faster", "M-5 -4h10l-5 8z"},
	[COMPARE_SLOWER] = {"▲", "slower", "M-5 4h10l-5 -8z"},
	[COMPARE_CANNOT_TELL] = {"○", "cannot", "M-4 0a4 4 0 1 1 8 0a4 4 0 1 1 -8 0z"},
};

static double relative(const struct compare_group *g, double ns)
{
	double unit = fabs(g->judged.base.value);

	return unit > 0 ? ns / unit : (double)NAN;
}

/* To either side: the largest difference, or the threshold, with room beside it; intervals
 * that are wider leave the picture. */
static double reach(const struct compare_result *r)
{
	double most = 2 * r->o->threshold;

	for (size_t i = 0; i < r->c->n; i++) {
		const struct compare_group *g = &r->c->group[i];
		double d = fabs(relative(g, g->judged.diff.value));

		most = fmax(most, isnan(d) ? 0 : 1.4 * d);
	}
	return most > 0 ? most : 0.1;
}

enum { ROW = 26, PLOT_LEFT = 6, PLOT_WIDTH = 308, SCALE = 22 };

static double along(double v, double most)
{
	double at = PLOT_LEFT + PLOT_WIDTH * (v + most) / (2 * most);

	return fmin(fmax(at, PLOT_LEFT), PLOT_LEFT + PLOT_WIDTH);
}

static void interval(FILE *f, const struct compare_group *g, double most)
{
	const struct difference *d = &g->judged.diff;
	double low = relative(g, d->low), high = relative(g, d->high),
	       value = relative(g, d->value), y = ROW / 2.0;

	fprintf(f,
		"<svg class=\"forest %s\" viewBox=\"0 0 320 %d\" aria-hidden=\"true\">"
		"<path class=\"zero\" d=\"M%.1f 0V%d\"/>",
		sign[g->verdict].name, ROW, along(0, most), ROW);
	if (!isnan(low) && !isnan(high)) {
		fprintf(f, "<path class=\"range\" d=\"M%.1f %.1fH%.1f\"/>",
			along(low, most), y, along(high, most));
		if (low < -most)
			fprintf(f, "<path class=\"range\" d=\"M%d %.1fl6 -4v8z\"/>",
				PLOT_LEFT - 4, y);
		if (high > most)
			fprintf(f, "<path class=\"range\" d=\"M%d %.1fl-6 -4v8z\"/>",
				PLOT_LEFT + PLOT_WIDTH + 4, y);
	}
	if (!isnan(value))
		fprintf(f,
			"<path class=\"range\" transform=\"translate(%.1f %.1f)\" "
			"d=\"%s\"/>",
			along(value, most), y, sign[g->verdict].path);
	fputs("</svg>", f);
}

/* The bar is the threshold to either side. */
static void scale(FILE *f, const struct compare_result *r, double most)
{
	double threshold = r->o->threshold;

	fprintf(f,
		"<svg class=\"forest\" viewBox=\"0 0 320 %d\" role=\"img\" "
		"aria-label=\"difference, %+.3g %% to %+.3g %%\">"
		"<text class=\"tick first\" x=\"%d\" y=\"15\">%+.3g %%</text>"
		"<text class=\"tick\" x=\"%.1f\" y=\"15\">0</text>"
		"<text class=\"tick last\" x=\"%d\" y=\"15\">%+.3g %%</text>",
		SCALE, -100 * most, 100 * most, PLOT_LEFT, -100 * most, along(0, most),
		PLOT_LEFT + PLOT_WIDTH, 100 * most);
	if (threshold > 0)
		fprintf(f, "<path class=\"range\" d=\"M%.1f 20H%.1f\"/>",
			along(-threshold, most), along(threshold, most));
	fputs("</svg>", f);
}

static void verdicts(FILE *f, const struct compare_result *r)
{
	char name[128], words[64], needed[96], told[24], bounds[32];
	double most = reach(r);

	snprintf(bounds, sizeof(bounds), "-%.3g … %+.3g %%", 100 * most, 100 * most);

	table_begin(f, "Verdicts, with the difference and its interval");
	fputs("<thead><tr>", f);
	head(f, "group", false);
	head(f, "verdict", false);
	fputs("<th scope=\"col\">", f);
	scale(f, r, most);
	fputs("</th>", f);
	head(f, "why", false);
	fputs("</tr></thead>\n<tbody>\n", f);
	for (size_t i = 0; i < r->c->n; i++) {
		const struct compare_group *g = &r->c->group[i];

		fputs("<tr>", f);
		cell(f, "group", group_name(&g->key, name, sizeof(name)), false);
		snprintf(told, sizeof(told), "told %s", sign[g->verdict].name);
		cell_begin(f, "verdict", told);
		fprintf(f, "%s ", sign[g->verdict].shape);
		html_text(f, compare_verdict_words(g, r->o->threshold, words,
						   sizeof(words)));
		fputs("</td>", f);
		cell_begin(f, bounds, "");
		interval(f, g, most);
		fputs("</td>", f);
		cell_begin(f, "why", "");
		html_text(f, g->why);
		compare_needed_words(g, r->o->across, needed, sizeof(needed));
		fprintf(f, "%s%s</td></tr>\n", *needed ? "; " : "", needed);
	}
	table_end(f);
}

static int print_set(FILE *f, const char *name, const struct compare_set *s,
		     struct err *e)
{
	char *text = NULL;
	size_t len;
	FILE *m = open_memstream(&text, &len);

	if (!m)
		return err_nomem(e, "a comparison");
	compare_set_print(s, m);
	fclose(m);
	fprintf(f, "%s ", name);
	html_text(f, text);
	free(text);
	return 0;
}

static int header(FILE *f, const struct compare_result *r, struct err *e)
{
	char stat[32], phases[160];
	int rc;

	html_begin(f, "DMA transfers: new against base");
	fputs("<header><h1>DMA transfers: new against base</h1>\n<p class=\"sub\">", f);
	rc = print_set(f, "Base:", r->base, e);
	fputs("; ", f);
	rc = rc ? rc : print_set(f, "new:", r->fresh, e);
	fprintf(f, "</p></header>\n<div class=\"verdict%s\">\n",
		comparison_status(r->c) ? " hole" : "");
	sentence(f, r);
	fprintf(f, "<p>What is judged: %s of ",
		statistic_name(r->o->q, stat, sizeof(stat)));
	html_text(f, compare_phases_text(r->phases, phases, sizeof(phases)));
	fputs(". Intervals ", f);
	if (r->o->across)
		fputs("from the scatter between recordings", f);
	else
		fprintf(f, "from a block bootstrap with seed %" PRIu64, r->o->seed);
	if (!r->o->across && r->o->run_scatter > 0)
		fprintf(f,
			", and a scatter of %.3g&nbsp;%% from run to run, taken for "
			"granted",
			100 * r->o->run_scatter);
	fprintf(f,
		". The verdicts' intervals hold together at 95&nbsp;%%, each at %.4g&nbsp;%%.</p>\n",
		100 * r->c->level);
	if (compare_next(r->c)) {
		fputs("<p>Next: ", f);
		html_text(f, compare_next(r->c));
		fputs("</p>\n", f);
	}
	for (size_t i = 0; i < r->env->nnote; i++) {
		fputs("<p class=\"warning\">", f);
		html_text(f, r->env->note[i]);
		fputs("</p>\n", f);
	}
	fputs("</div>\n", f);
	return rc;
}

/* ---- tables ---- */

static void long_cell(FILE *f, const char *label, const char *text)
{
	cell_begin(f, label, "long");
	html_text(f, text ? text : "not known");
	fputs("</td>", f);
}

/* Those that differ, or the others. */
static void properties(FILE *f, const struct compare_env *env, const char *caption,
		       bool differ)
{
	table_begin(f, caption);
	fputs("<thead><tr>", f);
	head(f, "", false);
	head(f, "base", false);
	head(f, "new", false);
	fputs("</tr></thead>\n<tbody>\n", f);
	for (size_t i = 0; i < env->n; i++) {
		const struct compare_property *p = &env->property[i];

		if (p->differs != differ || (!p->base && !p->fresh))
			continue;
		fprintf(f, "<tr><th scope=\"row\">%s", differ ? "≠ " : "");
		html_text(f, p->key);
		fputs("</th>", f);
		long_cell(f, "base", p->base);
		long_cell(f, "new", p->fresh);
		fputs("</tr>\n", f);
	}
	table_end(f);
}

static void environment(FILE *f, const struct compare_env *env)
{
	size_t differ = 0;

	fputs("<h2 id=\"environment\">What else differs</h2>\n", f);
	for (size_t i = 0; i < env->n; i++)
		differ += env->property[i].differs;
	if (differ)
		properties(f, env, "The two sides' machines, workloads and recordings",
			   true);
	else
		fputs("<p>Nothing that was recorded.</p>\n", f);
	if (differ == env->n)
		return;
	fputs("<details><summary>The same on both sides</summary>\n", f);
	properties(f, env, "What is the same on both sides", false);
	fputs("</details>\n", f);
}

static void figures_row(FILE *f, const struct compare_group *g, int which)
{
	static const char *const word[] = {"base", "new", "difference", "from", "to"};
	const struct group_side *s = which == 0 ? &g->base : &g->fresh;
	char buf[40], stat[32];
	double rate = which < 2 ? side_bytes_per_s(s) : NAN;

	fprintf(f, "<tr><th scope=\"row\">%s</th>", word[which]);
	if (which < 2)
		cell(f, "n", text_count(side_met(s), buf), true);
	else
		fputs("<td></td>", f);
	for (size_t i = 0; i < g->nline; i++) {
		const struct compare_line *l = &g->line[i];
		const double v[] = {l->base.value, l->fresh.value, l->diff.value,
				    l->diff.low, l->diff.high};

		cell_ns(f, statistic_name(l->q, stat, sizeof(stat)), v[which], which > 1);
	}
	if (which < 2)
		cell(f, "throughput",
		     isnan(rate) ? "–"
				 : axis_print(AXIS_BYTES_PER_S, rate, buf, sizeof(buf)),
		     true);
	else
		fputs("<td></td>", f);
	fputs("</tr>\n", f);
}

static void figures(FILE *f, const struct compare_result *r)
{
	char name[128], stat[32];

	fputs("<h2 id=\"tables\">Figures</h2>\n", f);
	for (size_t i = 0; i < r->c->n && i < 200; i++) {
		const struct compare_group *g = &r->c->group[i];

		table_begin(f, group_name(&g->key, name, sizeof(name)));
		fputs("<thead><tr>", f);
		head(f, "", false);
		head(f, "n", true);
		for (size_t k = 0; k < g->nline; k++)
			head(f, statistic_name(g->line[k].q, stat, sizeof(stat)), true);
		head(f, "throughput", true);
		fputs("</tr></thead>\n<tbody>\n", f);
		for (int which = 0; which < 5; which++)
			figures_row(f, g, which);
		table_end(f);
	}
	fputs("<p class=\"sub\">Intervals of this table: 95 %, each for itself. A dash "
	      "means not known, or too few values for it.</p>\n",
	      f);
}

int compare_page_write(FILE *f, const struct compare_result *r, const struct figure *fig,
		       size_t nfig, struct err *e)
{
	int rc = header(f, r, e);

	verdicts(f, r);
	for (size_t i = 0; i < nfig; i++)
		html_figure(f, &fig[i], 2);
	if (r->c->n > nfig / COMPARE_FIGURES)
		fprintf(f,
			"<p class=\"sub\">%zu more groups are not drawn; their figures "
			"are below.</p>\n",
			r->c->n - nfig / COMPARE_FIGURES);
	environment(f, r->env);
	figures(f, r);
	fprintf(f, "<footer><p>dmacompare %s</p></footer>\n", DMA_VERSION);
	html_end(f);
	if (ferror(f) && !rc)
		rc = err_errno(e, "cannot write the page");
	return rc;
}
