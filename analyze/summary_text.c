/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary for people: completeness first, then which interrupt ends transfers, then
 * how they ended and what they took. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/summary.h"
#include "lib/num.h"

enum { MOST_GROUPS = 25 }; /* the whole run is one */

struct printer {
	const struct summary *s;
	const struct summary_style *style;
	FILE *out;
};

static const char *bold(const struct printer *p)
{
	return p->style->color ? "\033[1m" : "";
}

static const char *red(const struct printer *p)
{
	return p->style->color ? "\033[31m" : "";
}

static const char *plain(const struct printer *p)
{
	return p->style->color ? "\033[0m" : "";
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* Columns, not bytes: the units have a micro sign. */
static void cell(FILE *out, const char *text, int width)
{
	int columns = 0;

	for (const char *p = text; *p; p++)
		columns += (*p & 0xc0) != 0x80;
	fprintf(out, "%*s%s", width > columns ? width - columns : 1, "", text);
}

static void cell_count(FILE *out, int64_t v, int width)
{
	char buf[32] = "-";

	if (v != DMA_UNKNOWN)
		snprintf(buf, sizeof(buf), "%" PRId64, v);
	cell(out, buf, width);
}

static void cell_ns(FILE *out, int64_t v, const char *mark, int width)
{
	char buf[32] = "-", text[48];

	if (v != DMA_UNKNOWN)
		num_print_ns(buf, v);
	snprintf(text, sizeof(text), "%s%s", v != DMA_UNKNOWN ? mark : "", buf);
	cell(out, text, width);
}

static const char *rate_text(double bytes_per_s, char buf[32])
{
	static const char *const unit[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
	int u = 0;

	while (bytes_per_s >= 1000 && u < 4) {
		bytes_per_s /= 1000;
		u++;
	}
	snprintf(buf, 32, "%.3g %s", bytes_per_s, unit[u]);
	return buf;
}

/* ---- what was recorded ---- */

static void print_run(const struct printer *p)
{
	const struct summary *s = p->s;
	char buf[32];

	fprintf(p->out, "%srun %" PRId64 "%s", bold(p), s->run, plain(p));
	if (s->label)
		fprintf(p->out, " (%s)", s->label);
	fprintf(p->out, "  %s\n", or_dash(s->command));
	fprintf(p->out, "  %s", or_dash(s->started));
	if (s->duration_ns != DMA_UNKNOWN)
		fprintf(p->out, ", %s", num_print_ns(buf, s->duration_ns));
	fprintf(p->out, ", host %s, kernel %s, %s, clock %s", or_dash(s->host),
		or_dash(s->kernel), or_dash(s->tool), or_dash(s->clock));
	if (s->profile)
		fprintf(p->out, ", profile %s", s->profile);
	if (s->exit_signal != DMA_UNKNOWN)
		fprintf(p->out, ", ended by signal %" PRId64, s->exit_signal);
	else if (s->exit_status != DMA_UNKNOWN)
		fprintf(p->out, ", exit status %" PRId64, s->exit_status);
	fputc('\n', p->out);
	if (s->finished == 0)
		fprintf(p->out,
			"  %sThe recorder did not end this file: what follows holds up "
			"to where it was cut; the kernel's counts are not known.%s\n",
			red(p), plain(p));
	if (s->guessed == 1)
		fputs("  The roles of the events were guessed from their names (--role "
		      "EVENT=ROLE changes them).\n",
		      p->out);
}

static void print_completeness(const struct printer *p)
{
	const struct summary *s = p->s;
	int64_t missing = 0;
	bool counted = true, hidden = false;

	fprintf(p->out, "\n%sCompleteness%s\n  %-44s", bold(p), plain(p), "event");
	cell(p->out, "role", 11);
	cell(p->out, "counted", 11);
	cell(p->out, "delivered", 11);
	cell(p->out, "lost", 9);
	fputc('\n', p->out);
	for (size_t i = 0; i < s->nsource; i++) {
		const struct summary_source *x = &s->source[i];

		counted &= x->counted != DMA_UNKNOWN;
		missing += x->lost != DMA_UNKNOWN ? x->lost : 0;
		if (!x->counted && !x->delivered && !p->style->verbose) {
			hidden = true;
			continue;
		}
		fprintf(p->out, "  %-44s", x->name);
		cell(p->out, x->role, 11);
		cell_count(p->out, x->counted, 11);
		cell_count(p->out, x->delivered, 11);
		cell_count(p->out, x->lost, 9);
		fputc('\n', p->out);
	}
	if (hidden)
		fputs("  (events that never happened are left out; -v shows them)\n",
		      p->out);
	if (missing || s->lost)
		fprintf(p->out,
			"  %sNot whole: %" PRId64 " samples are missing (%" PRId64
			" by records of loss); transfers that "
			"this may concern are unknown.%s\n",
			red(p), missing > s->lost ? missing : s->lost, s->lost, plain(p));
	else if (!counted)
		fputs("  The recording does not hold the kernel's "
		      "counts, so that samples that vanished cannot "
		      "be told: 'no interrupt' may be one.\n",
		      p->out);
	else
		fputs("  Whole: everything that was counted was delivered.\n", p->out);
	for (size_t i = 0; i < s->nwarning; i++)
		fprintf(p->out, "  note: %s\n", s->warning[i]);
	if (s->disordered > 0 || s->late_samples > 0)
		fprintf(p->out, "  %" PRId64 " samples came out of order.\n",
			s->disordered > s->late_samples ? s->disordered
							: s->late_samples);
}

/* ---- vectors ---- */

static bool whole(const struct summary_vector *v)
{
	return v->card == DMA_UNKNOWN && v->channel == DMA_UNKNOWN;
}

/* A vector with one channel says of it what it says of all. */
static bool is_only_channel(const struct summary *s, const struct summary_vector *v)
{
	for (size_t i = 0; i < s->nvector; i++)
		if (s->vector[i].irq == v->irq && !whole(&s->vector[i]) &&
		    &s->vector[i] != v)
			return false;
	return !whole(v);
}

static void print_vector(const struct printer *p, const struct summary_vector *v)
{
	fprintf(p->out, "  %s%4d%s %-20s", v->used ? bold(p) : "", v->irq,
		v->used ? plain(p) : "", or_dash(v->name));
	if (!whole(v)) {
		if (v->card != DMA_UNKNOWN)
			fprintf(p->out, " card %" PRId64, v->card);
		if (v->channel != DMA_UNKNOWN)
			fprintf(p->out, " channel %" PRId64, v->channel);
	}
	fprintf(p->out, "  %s%s\n       %s\n", v->verdict,
		v->used ? ", ends transfers here" : "", v->why);
	if (v->used && whole(v) && v->proc != DMA_UNKNOWN && v->proc != v->interrupts)
		fprintf(p->out,
			"       /proc/interrupts counted %" PRId64 " of it, %" PRId64
			" were recorded\n",
			v->proc, v->interrupts);
}

static void print_evidence(const struct printer *p, const struct summary_vector *v)
{
	char buf[32];

	fprintf(p->out,
		"       of %" PRId64 " transfers: exactly one in %" PRId64
		", none in %" PRId64 ", several in %" PRId64 "; %" PRId64
		" interrupts, %" PRId64 " outside of any",
		v->transfers, v->one, v->none, v->many, v->interrupts, v->outside);
	if (v->proc != DMA_UNKNOWN)
		fprintf(p->out, "; /proc/interrupts: %" PRId64, v->proc);
	if (isfinite(v->position))
		fprintf(p->out, "; at %.2f of the transfer", v->position);
	if (isfinite(v->to_end_ns))
		fprintf(p->out, ", %s before its end",
			num_print_ns(buf, (int64_t)v->to_end_ns));
	if (isfinite(v->slope))
		fprintf(p->out, ", growing %.3g ns/byte", v->slope);
	fputc('\n', p->out);
}

static void print_vectors(const struct printer *p)
{
	const struct summary *s = p->s;
	size_t shown = 0, left = 0;

	fprintf(p->out, "\n%sWhich interrupt ends transfers%s (%s)\n", bold(p), plain(p),
		!strcmp(or_dash(s->vectors_from), "found")    ? "found by the evidence"
		: !strcmp(or_dash(s->vectors_from), "option") ? "named with --irq"
		: !strcmp(or_dash(s->vectors_from), "none")   ? "none found"
							      : "named when recording");
	for (size_t i = 0; i < s->nvector; i++) {
		const struct summary_vector *v = &s->vector[i];
		bool show = (p->style->verify && !is_only_channel(s, v)) ||
			    (whole(v) && (v->used || !strcmp(v->verdict, "unclear") ||
					  !strcmp(v->verdict, "data available")));

		left += !show && whole(v);
		if (!show)
			continue;
		print_vector(p, v);
		if (p->style->verify && v->interrupts)
			print_evidence(p, v);
		shown++;
	}
	if (!s->nvector)
		fputs("  no interrupt was recorded\n", p->out);
	else if (left)
		fprintf(p->out, "  %s%zu %s unrelated or silent (--verify shows why)\n",
			shown ? "and " : "", left,
			left == 1 ? "vector is" : "vectors are");
	if (s->advice)
		fprintf(p->out, "  %s%s%s\n", red(p), s->advice, plain(p));
}

/* ---- figures ---- */

static void print_states(const struct printer *p, const struct summary_group *g)
{
	bool first = true;

	for (int i = 0; i < STATE_N; i++) {
		if (!g->state[i])
			continue;
		fprintf(p->out, "%s%" PRId64 " %s", first ? "" : ", ", g->state[i],
			state_name((enum transfer_state)i));
		first = false;
	}
}

static int64_t transfers_of(const struct summary_group *g)
{
	int64_t n = 0;

	for (int i = 0; i < STATE_N; i++)
		n += g->state[i];
	return n;
}

static void print_phase(const struct printer *p, const struct summary_phase *x,
			const char *name, bool latency)
{
	char error[48] = "-", buf[32];

	fprintf(p->out, "    %s%-7s%s", latency ? bold(p) : "", name,
		latency ? plain(p) : "");
	cell_count(p->out, x->n, 9);
	cell_count(p->out, x->excluded, 9);
	cell_ns(p->out, x->min_ns, "", 10);
	cell_ns(p->out, x->nq > 0 ? x->q[0].value_ns : DMA_UNKNOWN, "", 10);
	cell_ns(p->out, isfinite(x->mean_ns) ? (int64_t)llround(x->mean_ns) : DMA_UNKNOWN,
		"", 10);
	for (int i = 1; i < 4; i++) {
		bool thin = i < x->nq && x->q[i].ci_high_ns == DMA_UNKNOWN;

		cell_ns(p->out, i < x->nq ? x->q[i].value_ns : DMA_UNKNOWN,
			thin ? "~" : "", 10);
	}
	cell_ns(p->out, x->max_ns, "", 10);
	if (x->error_ns != DMA_UNKNOWN)
		snprintf(error, sizeof(error), "%s", num_print_ns(buf, x->error_ns));
	cell(p->out, error, 10);
	fputc('\n', p->out);
}

/* What the quantiles could be had the transfers left out been fastest or slowest. */
static void print_bounds(const struct printer *p, const struct summary_group *g, int k)
{
	const struct summary_phase *x = &g->phase[k];
	bool latency = !strcmp(or_dash(p->s->latency), phase_name((enum phase)k));
	char low[32], high[32];

	if (!x->excluded || !x->n || !(latency || p->style->verbose))
		return;
	fprintf(p->out, "    %s, had the %" PRId64 " left out been fastest or slowest:",
		phase_name((enum phase)k), x->excluded);
	for (int i = 0; i < x->nq && i < 4; i++) {
		const struct summary_quantile *q = &x->q[i];

		fprintf(p->out, "%s p%g %s to %s", i ? "," : "", 100 * q->q,
			q->low_ns == DMA_UNKNOWN ? "less" : num_print_ns(low, q->low_ns),
			q->high_ns == DMA_UNKNOWN ? "no limit"
						  : num_print_ns(high, q->high_ns));
	}
	fputc('\n', p->out);
}

static void print_group(const struct printer *p, const struct summary_group *g)
{
	char size[32], rate[32], took[32];

	fprintf(p->out, "\n  %s", bold(p));
	if (!*g->direction) {
		fputs("all", p->out);
	} else {
		if (g->card != DMA_UNKNOWN)
			fprintf(p->out, "card %" PRId64 ", ", g->card);
		if (g->channel != DMA_UNKNOWN)
			fprintf(p->out, "channel %" PRId64 ", ", g->channel);
		fputs(g->direction, p->out);
	}
	fprintf(p->out, "%s: %" PRId64 " transfers: ", plain(p), transfers_of(g));
	print_states(p, g);
	if (g->ended && isfinite(g->bytes_per_s)) {
		fprintf(p->out, "\n    throughput: %s, %s in %s",
			rate_text(g->bytes_per_s, rate), num_print_bytes(size, g->bytes),
			num_print_ns(took, g->took_ns));
		if (g->left_out)
			fprintf(p->out,
				" of %" PRId64 " that ended for the program; %" PRId64
				" left out",
				g->ended, g->left_out);
	}
	fprintf(p->out, "\n    %-7s", "");
	cell(p->out, "n", 9);
	cell(p->out, "left out", 9);
	cell(p->out, "min", 10);
	cell(p->out, "median", 10);
	cell(p->out, "mean", 10);
	cell(p->out, "p90", 10);
	cell(p->out, "p99", 10);
	cell(p->out, "p99.9", 10);
	cell(p->out, "max", 10);
	cell(p->out, "probes ≈", 10);
	fputc('\n', p->out);
	for (int k = 0; k < PHASE_N; k++)
		print_phase(p, &g->phase[k], phase_name((enum phase)k),
			    !strcmp(or_dash(p->s->latency), phase_name((enum phase)k)));
	for (int k = 0; k < PHASE_N; k++)
		print_bounds(p, g, k);
}

static void print_counts(const struct printer *p, const struct summary_count *c, size_t n,
			 const char *title)
{
	size_t most = p->style->verbose ? n : 6;

	if (n)
		fprintf(p->out, "\n  %s\n", title);
	for (size_t i = 0; i < n && i < most; i++)
		fprintf(p->out, "    %9" PRId64 "  %s: %s\n", c[i].n, c[i].what,
			c[i].reason);
	if (n > most)
		fprintf(p->out, "    and %zu more kinds (-v shows them)\n", n - most);
}

/* The rule, and what it came to. */
static void print_pairing(const struct printer *p)
{
	const struct summary *s = p->s;
	bool inferred = !strcmp(or_dash(s->pairing_from), "inferred");

	if (inferred)
		fputs("; pairing: inferred", p->out);
	else
		fprintf(p->out, "; pairing: %s (%s)", or_dash(s->pairing),
			or_dash(s->pairing_from));
	if (inferred && 2 * s->paired < s->transfers &&
	    2 * s->irq_stray >= 3 * s->transfers)
		fprintf(p->out,
			"\n  %sthere are %.1f interrupts for each transfer: if the "
			"first or the last of them is its end, say --pairing first or "
			"--pairing last%s",
			red(p),
			(double)(s->irq_stray + s->irq_used) / (double)s->transfers,
			plain(p));
	else if (s->coalesced > 0)
		fprintf(p->out,
			": of %" PRId64 " with an interrupt %" PRId64
			" share theirs, at most %" PRId64 " the same",
			s->paired, s->coalesced, s->most_coalesced);
	else if (s->paired)
		fprintf(p->out, ": each of %" PRId64 " has an interrupt of its own",
			s->paired);
	if (s->repeated > 0)
		fprintf(p->out, "; %" PRId64 " had several, up to %" PRId64, s->repeated,
			s->most_repeated);
	fputs("\n", p->out);
}

static void print_transfers(const struct printer *p)
{
	const struct summary *s = p->s;
	size_t shown =
		s->ngroup > MOST_GROUPS && !p->style->verbose ? MOST_GROUPS : s->ngroup;
	bool thin = false;

	fprintf(p->out, "\n%sTransfers%s: %" PRId64, bold(p), plain(p), s->transfers);
	if (!s->transfers) {
		fputs("; no start function was called while recording.\n", p->out);
		print_counts(p, s->stray, s->nstray, "belongs to no transfer:");
		return;
	}
	fprintf(p->out, "; latency is %s (%s), the doorbell is %s", or_dash(s->latency),
		!strcmp(or_dash(s->latency), "device") ? "doorbell to interrupt"
						       : "submit to woken",
		!strcmp(or_dash(s->doorbell), "store")
			? "the store to the card's register"
		: !strcmp(or_dash(s->doorbell), "exit") ? "the start function's exit"
							: "not seen");
	print_pairing(p);
	for (size_t i = s->ngroup == 2 ? 1 : 0; i < shown; i++) {
		print_group(p, &s->group[i]);
		for (int k = 0; k < PHASE_N; k++)
			for (int q = 1; q < 4; q++)
				thin |= s->group[i].phase[k].n &&
					q < s->group[i].phase[k].nq &&
					s->group[i].phase[k].q[q].ci_high_ns ==
						DMA_UNKNOWN;
	}
	if (shown < s->ngroup)
		fprintf(p->out,
			"\n  and %zu more channels and directions (-v shows them)\n",
			s->ngroup - shown);
	if (s->uprobe_cost_ns != DMA_UNKNOWN)
		fputs("\n  probes ≈ of each duration about so much is the probes' own: a "
		      "bias to one side\n",
		      p->out);
	if (thin)
		fputs("\n  ~ too few transfers for this "
		      "quantile: no upper confidence limit\n",
		      p->out);
	if (s->negative)
		fprintf(p->out,
			"\n  %" PRId64
			" durations are negative and kept as they were found%s\n",
			s->negative,
			!strcmp(or_dash(s->doorbell), "exit")
				? ": an interrupt that comes before the start "
				  "function has\n  returned makes 'device' "
				  "negative, as the function's exit stands for "
				  "the doorbell (a profile can name the store)"
				: "");
	print_counts(p, s->reason, s->nreason, "why:");
	print_counts(p, s->stray, s->nstray, "belongs to no transfer:");
}

void summary_text(const struct summary *s, const struct summary_style *style, FILE *out)
{
	struct printer p = {s, style, out};

	print_run(&p);
	print_completeness(&p);
	if (!s->analysed) {
		fputs("\nnot analysed yet: dmaanalyze --run does it\n", out);
		return;
	}
	print_vectors(&p);
	print_transfers(&p);
}
