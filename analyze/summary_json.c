/* SPDX-License-Identifier: GPL-2.0-only */
/* The same figures for programs: nothing rounded, nanoseconds. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/summary.h"
#include "lib/json.h"

static void key(FILE *f, const char *name, bool first)
{
	fprintf(f, "%s\"%s\":", first ? "" : ",", name);
}

static void text(FILE *f, const char *name, const char *v)
{
	key(f, name, false);
	json_text(f, v);
}

static void number(FILE *f, const char *name, int64_t v)
{
	key(f, name, false);
	json_i64(f, v);
}

static void real(FILE *f, const char *name, double v)
{
	key(f, name, false);
	json_real(f, v);
}

static void boolean(FILE *f, const char *name, int64_t v)
{
	key(f, name, false);
	fputs(v == DMA_UNKNOWN ? "null" : v ? "true" : "false", f);
}

static void print_sources(const struct summary *s, FILE *f)
{
	key(f, "completeness", false);
	putc('[', f);
	for (size_t i = 0; i < s->nsource; i++) {
		const struct summary_source *x = &s->source[i];

		fputs(i ? ",{" : "{", f);
		key(f, "event", true);
		json_text(f, x->name);
		text(f, "role", x->role);
		text(f, "function", x->function);
		number(f, "counted", x->counted);
		number(f, "delivered", x->delivered);
		number(f, "lost", x->lost);
		putc('}', f);
	}
	putc(']', f);
}

static void print_vectors(const struct summary *s, FILE *f)
{
	key(f, "vectors", false);
	putc('[', f);
	for (size_t i = 0; i < s->nvector; i++) {
		const struct summary_vector *v = &s->vector[i];

		fputs(i ? ",{" : "{", f);
		key(f, "irq", true);
		json_i64(f, v->irq);
		text(f, "name", v->name);
		number(f, "card", v->card);
		number(f, "channel", v->channel);
		text(f, "verdict", v->verdict);
		boolean(f, "used", v->used);
		number(f, "transfers", v->transfers);
		number(f, "one", v->one);
		number(f, "none", v->none);
		number(f, "many", v->many);
		number(f, "interrupts", v->interrupts);
		number(f, "outside", v->outside);
		number(f, "proc_interrupts", v->proc);
		real(f, "position", v->position);
		real(f, "to_end_ns", v->to_end_ns);
		real(f, "slope_ns_per_byte", v->slope);
		real(f, "score", v->score);
		text(f, "why", v->why);
		putc('}', f);
	}
	putc(']', f);
}

static void print_quantiles(const struct summary_phase *x, FILE *f)
{
	key(f, "quantiles", false);
	putc('[', f);
	for (int i = 0; i < x->nq; i++) {
		fputs(i ? ",{" : "{", f);
		key(f, "q", true);
		json_real(f, x->q[i].q);
		number(f, "value_ns", x->q[i].value_ns);
		number(f, "bound_low_ns", x->q[i].low_ns);
		number(f, "bound_high_ns", x->q[i].high_ns);
		number(f, "ci_low_ns", x->q[i].ci_low_ns);
		number(f, "ci_high_ns", x->q[i].ci_high_ns);
		putc('}', f);
	}
	putc(']', f);
}

static void print_phases(const struct summary *s, const struct summary_group *g, FILE *f)
{
	key(f, "phases", false);
	putc('{', f);
	for (int p = 0; p < summary_phases(s); p++) {
		const struct summary_phase *x = &g->phase[p];

		key(f, phase_name((enum phase)p), p == 0);
		putc('{', f);
		key(f, "n", true);
		json_i64(f, x->n);
		number(f, "excluded", x->excluded);
		number(f, "negative", x->negative);
		number(f, "min_ns", x->min_ns);
		number(f, "max_ns", x->max_ns);
		real(f, "mean_ns", x->mean_ns);
		real(f, "stddev_ns", x->stddev_ns);
		number(f, "error_ns", x->error_ns);
		print_quantiles(x, f);
		putc('}', f);
	}
	putc('}', f);
}

static void print_groups(const struct summary *s, FILE *f)
{
	key(f, "groups", false);
	putc('[', f);
	for (size_t i = 0; i < s->ngroup; i++) {
		const struct summary_group *g = &s->group[i];

		fputs(i ? ",{" : "{", f);
		key(f, "card", true);
		json_i64(f, g->card);
		number(f, "channel", g->channel);
		text(f, "direction", *g->direction ? g->direction : NULL);
		key(f, "states", false);
		putc('{', f);
		for (int k = 0; k < STATE_N; k++) {
			key(f, state_name((enum transfer_state)k), k == 0);
			json_i64(f, g->state[k]);
		}
		putc('}', f);
		number(f, "ended", g->ended);
		number(f, "not_in_throughput", g->left_out);
		number(f, "size_bytes", g->bytes);
		real(f, "bytes_per_s", g->bytes_per_s);
		print_phases(s, g, f);
		putc('}', f);
	}
	putc(']', f);
}

/* What was watched, and what it says beside the interrupts. */
static void print_registers(const struct summary *s, FILE *f)
{
	const struct summary_witness *w = &s->witness;
	char verdict[400];

	key(f, "registers", false);
	putc('[', f);
	for (size_t i = 0; i < s->nreg; i++) {
		const struct summary_register *r = &s->reg[i];

		fputs(i ? ",{" : "{", f);
		key(f, "name", true);
		json_text(f, r->name);
		text(f, "bdf", r->bdf);
		text(f, "file", r->file);
		number(f, "offset", r->offset);
		number(f, "width", r->width);
		text(f, "busy", r->busy);
		text(f, "mode", r->mode);
		number(f, "cpu", r->cpu);
		boolean(f, "shared_cpu", r->shared_cpu);
		number(f, "link_bytes_per_s", r->link_bytes_per_s);
		number(f, "readings", r->readings);
		number(f, "read_min_ns", r->read_min_ns);
		number(f, "read_median_ns", r->read_median_ns);
		number(f, "read_p99_ns", r->read_p99_ns);
		number(f, "read_max_ns", r->read_max_ns);
		number(f, "gap_ns", r->gap_ns);
		number(f, "watched_ns", r->watched_ns);
		number(f, "starts", r->starts);
		number(f, "clears", r->clears);
		text(f, "ended", r->ended);
		putc('}', f);
	}
	putc(']', f);
	key(f, "counts", false);
	putc('[', f);
	for (size_t i = 0; i < s->ncounted; i++) {
		const struct summary_counted *c = &s->counted[i];

		fputs(i ? ",{" : "{", f);
		key(f, "event", true);
		json_text(f, c->event);
		text(f, "unit", c->unit);
		number(f, "value", c->value);
		real(f, "scaled", c->scaled);
		real(f, "seconds", c->seconds);
		number(f, "readings", c->readings);
		putc('}', f);
	}
	putc(']', f);
	key(f, "audit", false);
	putc('{', f);
	key(f, "in_wait_ns", true);
	fprintf(f, "%" PRId64, s->heard.in_wait_ns);
	number(f, "pending", s->heard.pending);
	number(f, "pending_ns", s->heard.pending_ns);
	number(f, "behind_irq", s->heard.behind);
	number(f, "behind_irq_median_ns", s->heard.behind_ns);
	number(f, "before_irq", s->heard.before);
	number(f, "before_irq_median_ns", s->heard.before_ns);
	number(f, "overlapping_starts", s->heard.overlapping);
	number(f, "undone_starts", s->heard.undone);
	number(f, "perhaps_undone_starts", s->heard.undone_maybe);
	putc('}', f);
	key(f, "driver", false);
	fprintf(f,
		"{\"agrees\":%" PRId64 ",\"differs\":%" PRId64 ",\"alone\":%" PRId64
		",\"unclear\":%" PRId64 ",\"unseen\":%" PRId64 "}",
		s->driver.agrees, s->driver.differs, s->driver.alone, s->driver.unclear,
		s->driver.unseen);
	if (!s->nreg)
		return;
	key(f, "witness", false);
	fprintf(f,
		"{\"after\":%" PRId64 ",\"before\":%" PRId64 ",\"alone\":%" PRId64
		",\"unpaired\":%" PRId64 ",\"unseen\":%" PRId64 ",\"unclear\":%" PRId64,
		w->after, w->before, w->alone, w->unpaired, w->unseen, w->unclear);
	number(f, "worst_error_ns", w->worst_error_ns);
	text(f, "verdict", summary_verdict(s, verdict, sizeof(verdict)));
	putc('}', f);
}

static void print_counts(const struct summary_count *c, size_t n, const char *name,
			 const char *what, FILE *f)
{
	key(f, name, false);
	putc('[', f);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",{" : "{", f);
		key(f, what, true);
		json_text(f, c[i].what);
		text(f, "reason", c[i].reason);
		number(f, "n", c[i].n);
		putc('}', f);
	}
	putc(']', f);
}

void summary_json(const struct summary *s, FILE *f)
{
	putc('{', f);
	key(f, "run", true);
	json_i64(f, s->run);
	text(f, "label", s->label);
	text(f, "host", s->host);
	text(f, "kernel", s->kernel);
	text(f, "command", s->command);
	text(f, "started_utc", s->started);
	number(f, "duration_ns", s->duration_ns);
	text(f, "clock", s->clock);
	text(f, "profile", s->profile);
	text(f, "tool", s->tool);
	text(f, "irq_feed", s->feed);
	number(f, "exit_status", s->exit_status);
	number(f, "exit_signal", s->exit_signal);
	boolean(f, "finished", s->finished);
	boolean(f, "roles_guessed", s->guessed);
	number(f, "probe_cost_ns", s->probe_cost_ns);
	number(f, "irq_cost_ns", s->irq_cost_ns);
	number(f, "disordered", s->disordered);
	number(f, "lost_by_records", s->lost);
	print_sources(s, f);
	boolean(f, "analysed", s->analysed);
	if (s->analysed) {
		text(f, "vectors_from", s->vectors_from);
		text(f, "pairing", s->pairing);
		text(f, "pairing_from", s->pairing_from);
		number(f, "paired", s->paired);
		number(f, "coalesced", s->coalesced);
		number(f, "most_coalesced", s->most_coalesced);
		number(f, "repeated", s->repeated);
		number(f, "most_repeated", s->most_repeated);
		text(f, "latency_phase", s->latency);
		text(f, "doorbell_from", s->doorbell);
		text(f, "advice", s->advice);
		number(f, "submits", s->submits);
		number(f, "transfers", s->transfers);
		number(f, "interrupts", s->interrupts);
		number(f, "interrupts_used", s->irq_used);
		number(f, "interrupts_stray", s->irq_stray);
		number(f, "interrupts_ignored", s->irq_ignored);
		number(f, "waits", s->waits);
		number(f, "waits_used", s->waits_used);
		number(f, "waits_stray", s->waits_stray);
		number(f, "negative", s->negative);
		print_vectors(s, f);
		print_registers(s, f);
		print_groups(s, f);
		print_counts(s->reason, s->nreason, "reasons", "state", f);
		print_counts(s->stray, s->nstray, "strays", "kind", f);
	}
	key(f, "warnings", false);
	putc('[', f);
	for (size_t i = 0; i < s->nwarning; i++) {
		fputs(i ? "," : "", f);
		json_text(f, s->warning[i]);
	}
	fputs("]}", f);
}

/* ---- CSV (RFC 4180): empty = not known, or all for card, channel and direction ----
 * A quantile but the median is known where so many values bound it from above. */

static void csv_i64(FILE *f, int64_t v)
{
	putc(',', f);
	if (v != DMA_UNKNOWN)
		fprintf(f, "%" PRId64, v);
}

static void csv_real(FILE *f, double v)
{
	putc(',', f);
	if (isfinite(v))
		fprintf(f, "%.12g", v);
}

void summary_csv_head(FILE *f)
{
	fputs("run,card,channel,direction,phase,n,excluded,negative,min_ns,mean_ns,"
	      "stddev_ns,p50_ns,p90_ns,p99_ns,p99.9_ns,p99.99_ns,max_ns,error_ns,"
	      "bytes_per_s\r\n",
	      f);
}

static bool carried(const struct summary_phase *x, int k)
{
	return k < x->nq && (k == 0 || x->q[k].ci_high_ns != DMA_UNKNOWN);
}

void summary_csv(const struct summary *s, FILE *f)
{
	for (size_t i = 0; i < s->ngroup; i++)
		for (int p = 0; p < summary_phases(s); p++) {
			const struct summary_group *g = &s->group[i];
			const struct summary_phase *x = &g->phase[p];

			fprintf(f, "%" PRId64, s->run);
			csv_i64(f, g->card);
			csv_i64(f, g->channel);
			fprintf(f, ",%s,%s", g->direction, phase_name((enum phase)p));
			csv_i64(f, x->n);
			csv_i64(f, x->excluded);
			csv_i64(f, x->negative);
			csv_i64(f, x->min_ns);
			csv_real(f, x->mean_ns);
			csv_real(f, x->stddev_ns);
			for (int k = 0; k < SUMMARY_QUANTILES; k++)
				csv_i64(f,
					carried(x, k) ? x->q[k].value_ns : DMA_UNKNOWN);
			csv_i64(f, x->max_ns);
			csv_i64(f, x->error_ns);
			csv_real(f, g->bytes_per_s);
			fputs("\r\n", f);
		}
}
