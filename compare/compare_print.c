/* SPDX-License-Identifier: GPL-2.0-only */
/* The comparison for people: the verdicts first, then the figures, then what else
 * differs. */
#include "compare/compare_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/draw/axis.h"
#include "lib/num.h"
#include "lib/text.h"

struct printer {
	const struct compare_result *r;
	const struct compare_style *style;
	FILE *out;
};

/* ---- words ---- */

const char *compare_phase_words(enum phase p)
{
	static const char *const words[PHASE_ALL] = {
		[PHASE_API] = "api (submit to doorbell)",
		[PHASE_DEVICE] = "device (doorbell to interrupt)",
		[PHASE_NOTICE] = "notice (interrupt to woken)",
		[PHASE_TOTAL] = "total (submit to woken)",
		[PHASE_CARD] = "card (doorbell to the register's clear)",
		[PHASE_DELIVERY] = "delivery (the register's clear to interrupt)",
	};

	return words[p];
}

const char *compare_phases_text(unsigned phases, char *buf, size_t len)
{
	size_t at = 0;

	*buf = 0;
	for (int p = 0; p < PHASE_ALL && at < len; p++)
		if (phases & 1u << p)
			at += (size_t)snprintf(buf + at, len - at, "%s%s",
					       at ? " and " : "",
					       compare_phase_words((enum phase)p));
	return buf;
}

const char *compare_verdict_words(const struct compare_group *g, double threshold,
				  char *buf, size_t len)
{
	if (g->verdict == COMPARE_SAME)
		snprintf(buf, len, "same within %.3g %%", 100 * threshold);
	else
		snprintf(buf, len, "%s", compare_verdict_name(g->verdict));
	return buf;
}

const char *compare_needed_words(const struct compare_group *g, bool across, char *buf,
				 size_t len)
{
	char n[32];
	double digits;

	*buf = 0;
	if (g->verdict != COMPARE_CANNOT_TELL || !(g->needed > 0) ||
	    g->needed > (across ? 1e3 : 1e9))
		return buf; /* nobody will: the difference is as large as the threshold */
	/* two digits are what such an estimate is good for */
	digits = pow(10, floor(log10(g->needed)) - 1);
	if (!(digits >= 1))
		digits = 1;
	snprintf(buf, len, "about %s %s a side would be needed",
		 text_count((uint64_t)(ceil(g->needed / digits) * digits), n),
		 across ? "recordings" : "transfers");
	return buf;
}

const char *compare_ns(char buf[40], double ns, bool sign)
{
	char text[32];

	if (isnan(ns))
		snprintf(buf, 40, "–");
	else if (isinf(ns))
		snprintf(buf, 40, "no limit");
	else
		snprintf(buf, 40, "%s%s", !sign || ns < 0 ? "" : "+",
			 num_print_ns(text, llrint(ns)));
	return buf;
}

enum { WIDTH = 80 };

static size_t columns(const char *text)
{
	return (size_t)text_columns(text);
}

/* A paragraph of texts from elsewhere, broken at words behind `at` columns. */
static void __attribute__((format(printf, 4, 5)))
say(FILE *out, int at, int indent, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	text_wrap(out, text_clean(text), at, indent, WIDTH);
	free(text);
}

static void right(FILE *out, const char *text, size_t width)
{
	size_t n = columns(text);

	fprintf(out, "%*s%s", (int)(width > n ? width - n : 1), "", text);
}

static void left(FILE *out, const char *text, size_t width)
{
	size_t n = columns(text);

	compare_print_text(out, text);
	fprintf(out, "%*s", (int)(width > n ? width - n : 1), "");
}

static const char *shade(const struct printer *p, enum compare_verdict v)
{
	static const char *const code[] = {
		[COMPARE_SAME] = "\033[32m",
		[COMPARE_FASTER] = "\033[1;32m",
		[COMPARE_SLOWER] = "\033[1;31m",
		[COMPARE_CANNOT_TELL] = "\033[33m",
	};

	return p->style->color ? code[v] : "";
}

static const char *bold(const struct printer *p)
{
	return p->style->color ? "\033[1m" : "";
}

static const char *plain(const struct printer *p)
{
	return p->style->color ? "\033[0m" : "";
}

/* ---- verdicts ---- */

static size_t name_width(const struct comparison *c)
{
	size_t width = 0;
	char name[128];

	for (size_t i = 0; i < c->n; i++) {
		size_t n = columns(group_name(&c->group[i].key, name, sizeof(name)));

		width = n > width ? n : width;
	}
	return width;
}

static void print_verdict(const struct printer *p, const struct compare_group *g,
			  size_t width)
{
	char name[128], verdict[64], needed[96];
	int at = (int)width + 2;

	left(p->out, group_name(&g->key, name, sizeof(name)), width + 2);
	compare_verdict_words(g, p->r->o->threshold, verdict, sizeof(verdict));
	fprintf(p->out, "%s%s%s: ", shade(p, g->verdict), verdict, plain(p));
	compare_needed_words(g, p->r->o->across, needed, sizeof(needed));
	say(p->out, at + text_columns(verdict) + 2, 4, "%s%s%s", g->why,
	    *needed ? "; " : "", needed);
}

static void print_sides(const struct printer *p)
{
	fprintf(p->out, "base  ");
	compare_set_print(p->r->base, p->out);
	fprintf(p->out, "\nnew   ");
	compare_set_print(p->r->fresh, p->out);
	fputs("\n\n", p->out);
}

/* On what the verdicts stand; behind them, since they are the answer. */
static void print_method(const struct printer *p)
{
	const struct compare_options *o = p->r->o;
	char stat[32], phases[160], each[40] = "", scatter[112] = "";

	fputc('\n', p->out);
	compare_phases_text(p->r->phases, phases, sizeof(phases));
	say(p->out, 0, 2, "%s of %s; a difference of %.3g %% matters",
	    statistic_name(o->q, stat, sizeof(stat)), phases, 100 * o->threshold);
	if (p->r->c->level > 0.9501)
		snprintf(each, sizeof(each), " (each at %.4g %%)", 100 * p->r->c->level);
	if (!o->across && o->run_scatter > 0)
		snprintf(scatter, sizeof(scatter),
			 ", and a scatter of %.3g %% from run to run, taken for granted "
			 "(--run-scatter)",
			 100 * o->run_scatter);
	if (o->across)
		say(p->out, 0, 2,
		    "intervals from the scatter between recordings; those of the "
		    "verdicts hold together at 95 %%%s",
		    each);
	else
		say(p->out, 0, 2,
		    "intervals from a block bootstrap, seed %" PRIu64
		    "%s; those of the verdicts hold together at 95 %%%s",
		    o->seed, scatter, each);
}

const char *compare_next(const struct comparison *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->group[i].few_runs)
			return "one run a side does not show by how much runs of the "
			       "same program differ; record several, in turns: dmarec "
			       "--runs 5 --interleave -- ./old --vs ./new";
	return NULL;
}

/* ---- figures ---- */

enum { LABEL = 8, COUNT = 10, VALUE = 10 }; /* 78 columns */

static void print_side(const struct printer *p, const struct compare_group *g, bool fresh)
{
	const struct group_side *s = fresh ? &g->fresh : &g->base;
	char buf[40];
	double rate = side_bytes_per_s(s);

	left(p->out, fresh ? "  new" : "  base", LABEL);
	right(p->out, text_count(side_met(s), buf), COUNT);
	for (size_t i = 0; i < g->nline; i++)
		right(p->out,
		      compare_ns(buf,
				 fresh ? g->line[i].fresh.value : g->line[i].base.value,
				 false),
		      VALUE);
	right(p->out,
	      isnan(rate) ? "–" : axis_print(AXIS_BYTES_PER_S, rate, buf, sizeof(buf)),
	      VALUE);
	putc('\n', p->out);
}

enum which { DIFFERENCE, LOW, HIGH };

static void print_difference(const struct printer *p, const struct compare_group *g,
			     enum which which)
{
	static const char *const label[] = {"  differ", "  from", "  to"};
	double b = side_bytes_per_s(&g->base), f = side_bytes_per_s(&g->fresh);
	char buf[40];

	left(p->out, label[which], LABEL);
	right(p->out, "", COUNT);
	for (size_t i = 0; i < g->nline; i++) {
		const struct difference *d = &g->line[i].diff;

		right(p->out,
		      compare_ns(buf,
				 which == DIFFERENCE ? d->value
				 : which == LOW	     ? d->low
						     : d->high,
				 true),
		      VALUE);
	}
	if (which == DIFFERENCE && b > 0 && !isnan(f)) {
		snprintf(buf, sizeof(buf), "%+.1f %%", 100 * (f / b - 1));
		right(p->out, buf, VALUE);
	}
	putc('\n', p->out);
}

static void print_tests(const struct printer *p, const struct compare_group *g)
{
	const struct estimate *b = &g->judged.base, *f = &g->judged.fresh;
	uint64_t out_b = side_excluded(&g->base), out_f = side_excluded(&g->fresh);
	char shift[40], one[32], two[32];

	if (!isnan(g->rank.p)) {
		snprintf(one, sizeof(one), g->rank.p < 1e-300 ? "below 1e-300" : "= %.2g",
			 g->rank.p);
		fputs("  ", p->out);
		say(p->out, 2, 4,
		    "Mann-Whitney p %s, Hodges-Lehmann shift %s; new is slower in %.1f "
		    "%% of pairs",
		    one, compare_ns(shift, g->rank.shift, true), 100 * g->rank.above);
	}
	if (!p->r->o->across && b->nblock && f->nblock) {
		fputs("  ", p->out);
		say(p->out, 2, 4,
		    "blocks of %zu and %zu transfers; worth %.0f and %.0f independent "
		    "ones",
		    b->block, f->block, b->effective, f->effective);
	}
	if (out_b || out_f) {
		fputs("  ", p->out);
		say(p->out, 2, 4,
		    "left out: %s of base, %s of new, whose %s time is not known",
		    text_count(out_b, one), text_count(out_f, two),
		    phase_name(g->key.phase));
	}
}

static void print_figures(const struct printer *p, const struct compare_group *g)
{
	char name[128], stat[32];

	fprintf(p->out, "\n%s%s%s\n", bold(p), group_name(&g->key, name, sizeof(name)),
		plain(p));
	right(p->out, "", LABEL);
	right(p->out, "n", COUNT);
	for (size_t i = 0; i < g->nline; i++)
		right(p->out, statistic_name(g->line[i].q, stat, sizeof(stat)), VALUE);
	right(p->out, "throughput", VALUE);
	putc('\n', p->out);
	print_side(p, g, false);
	print_side(p, g, true);
	if (g->judged.base.n && g->judged.fresh.n)
		for (int which = DIFFERENCE; which <= HIGH; which++)
			print_difference(p, g, (enum which)which);
	print_tests(p, g);
}

/* ---- what else differs ---- */

enum { KEY_WIDTH = 30, SIDE_WIDTH = 24 }; /* with 2 before, 80 columns */

static void print_property(const struct printer *p, const struct compare_property *x)
{
	const char *base = x->base ? x->base : "not known";
	const char *fresh = x->fresh ? x->fresh : "not known";

	fputs("  ", p->out);
	if (columns(x->key) < KEY_WIDTH && columns(base) < SIDE_WIDTH &&
	    columns(fresh) < SIDE_WIDTH) {
		left(p->out, x->key, KEY_WIDTH);
		left(p->out, base, SIDE_WIDTH);
		compare_print_text(p->out, fresh);
	} else {
		compare_print_text(p->out, x->key);
		fputs("\n    base  ", p->out);
		say(p->out, 10, 10, "%s", base);
		fputs("    new   ", p->out);
		say(p->out, 10, 10, "%s", fresh);
		return;
	}
	putc('\n', p->out);
}

/* What is known and the same; of the vectors' affinities only how many. */
static void same_list(FILE *f, const struct compare_env *env)
{
	static const char affinity[] = "affinity of ";
	size_t n = 0, vectors = 0;

	for (size_t i = 0; i < env->n; i++) {
		const struct compare_property *x = &env->property[i];

		if (x->differs || !x->base)
			continue;
		if (!strncmp(x->key, affinity, sizeof(affinity) - 1))
			vectors++;
		else
			fprintf(f, "%s%s", n++ ? ", " : "", x->key);
	}
	if (vectors)
		fprintf(f, "%s%s%zu vector%s", n ? ", " : "", affinity, vectors,
			vectors == 1 ? "" : "s");
}

static void print_environment(const struct printer *p)
{
	const struct compare_env *env = p->r->env;
	size_t differ = 0, same = 0, len;
	char *list = NULL;
	FILE *f;

	for (size_t i = 0; i < env->n; i++) {
		differ += env->property[i].differs;
		same += !env->property[i].differs && env->property[i].base;
	}
	fprintf(p->out, "\n%sWhat else differs%s%s\n", bold(p), plain(p),
		differ ? "" : ": nothing that was recorded");
	for (size_t i = 0; i < env->n; i++)
		if (env->property[i].differs)
			print_property(p, &env->property[i]);
	if (!same)
		return;
	f = open_memstream(&list, &len);
	if (!f)
		return;
	same_list(f, env);
	if (!fclose(f)) {
		fputs("  ", p->out);
		say(p->out, 2, 4, "the same on both sides: %s", list);
	}
	free(list);
}

void compare_print(const struct compare_result *r, const struct compare_style *s,
		   FILE *out)
{
	const struct printer p = {r, s, out};
	size_t width = name_width(r->c);

	if (!s->quiet)
		print_sides(&p);
	for (size_t i = 0; i < r->c->n; i++)
		print_verdict(&p, &r->c->group[i], width);
	if (compare_next(p.r->c))
		say(p.out, 0, 2, "next: %s", compare_next(p.r->c));
	if (s->quiet)
		return;
	print_method(&p);
	if (r->env->nnote)
		putc('\n', out);
	for (size_t i = 0; i < r->env->nnote; i++) {
		fprintf(out, "%snote:%s ", shade(&p, COMPARE_CANNOT_TELL), plain(&p));
		say(out, 6, 6, "%s", r->env->note[i]);
	}
	for (size_t i = 0; i < r->c->n; i++)
		print_figures(&p, &r->c->group[i]);
	print_environment(&p);
	if (r->page)
		fprintf(out, "\n%s\n", r->page);
}
