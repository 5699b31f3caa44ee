/* SPDX-License-Identifier: GPL-2.0-only */
/* The comparison for programs: nothing rounded, nanoseconds, null = not known. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "compare/compare_print.h"
#include "lib/cli.h"
#include "lib/db/db.h"
#include "lib/json.h"

enum { FORMAT = 2 }; /* grows when a key changes its meaning or goes away */

static void key(FILE *f, const char *name)
{
	fprintf(f, ",\"%s\":", name);
}

static void text(FILE *f, const char *name, const char *v)
{
	key(f, name);
	json_text(f, v);
}

static void number(FILE *f, const char *name, int64_t v)
{
	key(f, name);
	json_i64(f, v);
}

static void real(FILE *f, const char *name, double v)
{
	key(f, name);
	json_real(f, v);
}

static void boolean(FILE *f, const char *name, bool v)
{
	key(f, name);
	fputs(v ? "true" : "false", f);
}

static void begin(FILE *f)
{
	fprintf(f, "{\"tool\":\"dmacompare %s\",\"format\":%d", DMA_VERSION, FORMAT);
}

/* ---- the sides ---- */

static void print_run(FILE *f, const struct compare_run *r, bool first)
{
	fputs(first ? "{\"database\":" : ",{\"database\":", f);
	json_text(f, db_path(r->db));
	number(f, "run", r->id);
	text(f, "label", r->label);
	text(f, "uuid", r->uuid);
	text(f, "started_utc", r->started);
	number(f, "duration_ns", r->duration_ns);
	text(f, "clock", r->clock);
	boolean(f, "finished", r->finished);
	number(f, "transfers", r->transfers);
	number(f, "events", r->events);
	number(f, "lost", r->whole_unknown && !r->lost ? DMA_UNKNOWN : r->lost);
	number(f, "probe_cost_ns", r->probe_cost_ns);
	key(f, "probes_ns");
	for (int p = 0; p < PHASE_ALL; p++) {
		fprintf(f, "%s\"%s\":", p ? "," : "{", phase_name((enum phase)p));
		json_i64(f, r->error_ns[p]);
	}
	putc('}', f);
	putc('}', f);
}

static void print_set(FILE *f, const char *name, const struct compare_set *s)
{
	key(f, name);
	putc('[', f);
	for (size_t i = 0; i < s->n; i++)
		print_run(f, &s->run[i], i == 0);
	putc(']', f);
}

static void print_environment(FILE *f, const struct compare_env *env)
{
	key(f, "environment");
	putc('[', f);
	for (size_t i = 0; i < env->n; i++) {
		const struct compare_property *p = &env->property[i];

		fputs(i ? ",{\"key\":" : "{\"key\":", f);
		json_text(f, p->key);
		text(f, "base", p->base);
		text(f, "new", p->fresh);
		boolean(f, "differs", p->differs);
		putc('}', f);
	}
	putc(']', f);
	key(f, "notes");
	putc('[', f);
	for (size_t i = 0; i < env->nnote; i++) {
		fputs(i ? "," : "", f);
		json_text(f, env->note[i]);
	}
	putc(']', f);
}

/* ---- groups ---- */

static void print_side(FILE *f, const char *name, const struct group_side *s)
{
	fprintf(f, ",\"%s\":{\"n\":%" PRIu64, name, side_met(s));
	number(f, "kept", (int64_t)side_kept(s));
	number(f, "excluded", (int64_t)side_excluded(s));
	real(f, "bytes_per_s", side_bytes_per_s(s));
	putc('}', f);
}

static void print_estimate(FILE *f, const char *name, const struct estimate *e)
{
	fprintf(f, ",\"%s\":{\"value_ns\":", name);
	json_real(f, e->value);
	real(f, "error_ns", e->se);
	number(f, "block", (int64_t)e->block);
	number(f, "blocks", (int64_t)e->nblock);
	real(f, "effective", e->effective);
	putc('}', f);
}

static void print_line(FILE *f, const struct compare_line *l)
{
	char name[32];

	fputs("{\"statistic\":", f);
	json_text(f, statistic_name(l->q, name, sizeof(name)));
	print_estimate(f, "base", &l->base);
	print_estimate(f, "new", &l->fresh);
	real(f, "difference_ns", l->diff.value);
	real(f, "low_ns", l->diff.low);
	real(f, "high_ns", l->diff.high);
	putc('}', f);
}

static void print_judged(FILE *f, const struct compare_group *g)
{
	const struct compare_line *l = &g->judged;
	double unit = fabs(l->base.value) > 0 ? fabs(l->base.value) : NAN;

	key(f, "verdict");
	json_text(f, compare_verdict_name(g->verdict));
	text(f, "why", g->why);
	real(f, "needed", g->verdict == COMPARE_CANNOT_TELL ? g->needed : NAN);
	real(f, "relative", l->diff.value / unit);
	real(f, "relative_low", l->diff.low / unit);
	real(f, "relative_high", l->diff.high / unit);
}

static void print_group(FILE *f, const struct compare_group *g)
{
	char name[128];

	fputs("{\"group\":", f);
	json_text(f, group_name(&g->key, name, sizeof(name)));
	number(f, "card", g->key.card);
	number(f, "channel", g->key.channel);
	text(f, "direction",
	     g->key.direction == DIR_UNKNOWN ? NULL : direction_name(g->key.direction));
	number(f, "size_bytes", g->key.size_bytes);
	text(f, "metric", phase_name(g->key.phase));
	print_judged(f, g);
	print_side(f, "base", &g->base);
	print_side(f, "new", &g->fresh);
	key(f, "statistics");
	putc('[', f);
	for (size_t i = 0; i < g->nline; i++) {
		fputs(i ? "," : "", f);
		print_line(f, &g->line[i]);
	}
	putc(']', f);
	fputs(",\"rank_test\":{\"u\":", f);
	json_real(f, g->rank.u);
	real(f, "above", g->rank.above);
	real(f, "z", g->rank.z);
	real(f, "p", g->rank.p);
	real(f, "shift_ns", g->rank.shift);
	fputs("}}", f);
}

static void print_by(FILE *f, unsigned by)
{
	static const char *const word[] = {"card", "channel", "direction", "size"};
	bool first = true;

	key(f, "by");
	putc('[', f);
	for (int i = 0; i < 4; i++)
		if (by & (1u << i)) {
			fprintf(f, "%s\"%s\"", first ? "" : ",", word[i]);
			first = false;
		}
	putc(']', f);
}

static void print_metrics(FILE *f, unsigned phases)
{
	bool first = true;

	key(f, "metrics");
	putc('[', f);
	for (int p = 0; p < PHASE_ALL; p++)
		if (phases & 1u << p) {
			fprintf(f, "%s\"%s\"", first ? "" : ",",
				phase_name((enum phase)p));
			first = false;
		}
	putc(']', f);
}

void compare_print_json(const struct compare_result *r, FILE *out)
{
	const struct compare_options *o = r->o;
	char stat[32];

	begin(out);
	text(out, "verdict", compare_verdict_name(comparison_verdict(r->c)));
	real(out, "run_scatter", r->o->across ? (double)NAN : r->o->run_scatter);
	number(out, "exit", comparison_status(r->c));
	print_metrics(out, r->phases);
	text(out, "statistic", statistic_name(o->q, stat, sizeof(stat)));
	real(out, "threshold", o->threshold);
	print_by(out, r->by);
	number(out, "seed", (int64_t)o->seed);
	text(out, "intervals", o->across ? "recordings" : "blocks");
	real(out, "level", r->c->level);
	print_set(out, "base", r->base);
	print_set(out, "new", r->fresh);
	print_environment(out, r->env);
	key(out, "groups");
	putc('[', out);
	for (size_t i = 0; i < r->c->n; i++) {
		fputs(i ? "," : "", out);
		print_group(out, &r->c->group[i]);
	}
	putc(']', out);
	text(out, "report", r->page);
	fputs("}\n", out);
}

void compare_print_json_refusal(const char *why, FILE *out)
{
	begin(out);
	text(out, "verdict", "cannot compare");
	number(out, "exit", 2);
	text(out, "why", why);
	fputs("}\n", out);
}
