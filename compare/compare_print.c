/* SPDX-License-Identifier: GPL-2.0-only */
/* The comparison for people: the verdicts first, then the figures, then what else
 * differs. */
#include "compare/compare_print.h"

#include <inttypes.h>
#include <math.h>
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
	static const char *const words[PHASE_N] = {
		[PHASE_API] = "api (submit to doorbell)",
		[PHASE_DEVICE] = "device (doorbell to interrupt)",
		[PHASE_NOTICE] = "notice (interrupt to woken)",
		[PHASE_TOTAL] = "total (submit to woken)",
	};

	return words[p];
}

void compare_print_phases(unsigned phases, FILE *out)
{
	bool first = true;

	for (int p = 0; p < PHASE_N; p++)
		if (phases & 1u << p) {
			fprintf(out, "%s%s", first ? "" : " and ",
				compare_phase_words((enum phase)p));
			first = false;
		}
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
	if (g->verdict != COMPARE_CANNOT_TELL || !(g->needed > 0) || g->needed > 1e12)
		return buf;
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
	else
		snprintf(buf, 40, "%s%s", !sign || ns < 0 ? "" : "+",
			 num_print_ns(text, llrint(ns)));
	return buf;
}

static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
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

	left(p->out, group_name(&g->key, name, sizeof(name)), width + 2);
	compare_verdict_words(g, p->r->o->threshold, verdict, sizeof(verdict));
	fprintf(p->out, "%s%s%s: %s", shade(p, g->verdict), verdict, plain(p), g->why);
	compare_needed_words(g, p->r->o->across, needed, sizeof(needed));
	fprintf(p->out, "%s%s\n", *needed ? "; " : "", needed);
}

static void print_head(const struct printer *p)
{
	const struct compare_options *o = p->r->o;
	char stat[32];

	fprintf(p->out, "base  ");
	compare_set_print(p->r->base, p->out);
	fprintf(p->out, "\nnew   ");
	compare_set_print(p->r->fresh, p->out);
	fprintf(p->out, "\n%s of ", statistic_name(o->q, stat, sizeof(stat)));
	compare_print_phases(p->r->phases, p->out);
	fprintf(p->out, "; a difference of %.3g %% matters\n", 100 * o->threshold);
	if (o->across)
		fprintf(p->out, "intervals from the scatter between recordings");
	else
		fprintf(p->out, "intervals from a block bootstrap, seed %" PRIu64,
			o->seed);
	fprintf(p->out, "; those of the verdicts hold together at 95 %%");
	if (p->r->c->level > 0.9501)
		fprintf(p->out, " (each at %.4g %%)", 100 * p->r->c->level);
	fprintf(p->out, "\n\n");
}

/* ---- figures ---- */

enum { LABEL = 9, COUNT = 10, VALUE = 11 };

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
		fprintf(p->out, "  Mann-Whitney p ");
		if (g->rank.p < 1e-300)
			fprintf(p->out, "below 1e-300");
		else
			fprintf(p->out, "= %.2g", g->rank.p);
		fprintf(p->out,
			", Hodges-Lehmann shift %s; new is slower in %.1f %% of pairs\n",
			compare_ns(shift, g->rank.shift, true), 100 * g->rank.above);
	}
	if (!p->r->o->across && b->nblock && f->nblock)
		fprintf(p->out,
			"  blocks of %zu and %zu transfers; worth %.0f and %.0f "
			"independent ones\n",
			b->block, f->block, b->effective, f->effective);
	if (out_b || out_f)
		fprintf(p->out,
			"  left out: %s of base, %s of new, whose %s time is not known\n",
			text_count(out_b, one), text_count(out_f, two),
			phase_name(g->key.phase));
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

enum { KEY_WIDTH = 30, SIDE_WIDTH = 24 };

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
		compare_print_text(p->out, base);
		fputs("\n    new   ", p->out);
		compare_print_text(p->out, fresh);
	}
	putc('\n', p->out);
}

static void print_environment(const struct printer *p)
{
	const struct compare_env *env = p->r->env;
	size_t differ = 0, same = 0;

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
	fputs("  the same on both sides: ", p->out);
	for (size_t i = 0, n = 0; i < env->n; i++)
		if (!env->property[i].differs && env->property[i].base) {
			fputs(n++ ? ", " : "", p->out);
			compare_print_text(p->out, env->property[i].key);
		}
	putc('\n', p->out);
}

void compare_print(const struct compare_result *r, const struct compare_style *s,
		   FILE *out)
{
	const struct printer p = {r, s, out};
	size_t width = name_width(r->c);

	if (!s->quiet)
		print_head(&p);
	for (size_t i = 0; i < r->c->n; i++)
		print_verdict(&p, &r->c->group[i], width);
	if (s->quiet)
		return;
	if (r->env->nnote)
		putc('\n', out);
	for (size_t i = 0; i < r->env->nnote; i++) {
		fprintf(out, "%snote:%s ", shade(&p, COMPARE_CANNOT_TELL), plain(&p));
		compare_print_text(out, r->env->note[i]);
		putc('\n', out);
	}
	for (size_t i = 0; i < r->c->n; i++)
		print_figures(&p, &r->c->group[i]);
	print_environment(&p);
	if (r->page)
		fprintf(out, "\n%s\n", r->page);
}
