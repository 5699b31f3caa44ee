/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary for people, 80 columns wide: the answer first, then completeness, which
 * interrupt ends transfers, how they ended and what they took. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "analyze/summary.h"
#include "lib/num.h"
#include "lib/text.h"

enum { MOST_GROUPS = 25, WIDTH = 80 }; /* the whole run is one group */

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

/* A paragraph, broken at words: `at` columns of its first line are printed already. */
static void __attribute__((format(printf, 4, 5)))
say(const struct printer *p, int at, int indent, const char *fmt, ...)
{
	char text[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_wrap(p->out, text, at, indent, WIDTH);
}

static void say_in_red(const struct printer *p, const char *text)
{
	fprintf(p->out, "  %s", red(p));
	text_wrap(p->out, text, 2, 2, WIDTH);
	fputs(plain(p), p->out);
}

/* ---- what was recorded ---- */

/* Behind the run's name, `at` columns; below it where its first word has no room there. */
static void print_command(const struct printer *p, int at)
{
	const char *command = or_dash(p->s->command);
	bool below = at + (int)strcspn(command, " ") > WIDTH;

	fputs(below ? "\n    " : "  ", p->out);
	say(p, below ? 4 : at, 4, "%s", command);
}

static void print_run(const struct printer *p)
{
	const struct summary *s = p->s;
	char took[32] = "?", name[320], ended[64] = "";

	snprintf(name, sizeof(name), "run %" PRId64 "%s%s%s", s->run,
		 s->label ? " (" : "", s->label ? s->label : "", s->label ? ")" : "");
	fprintf(p->out, "%s%s%s", bold(p), name, plain(p));
	print_command(p, text_columns(name) + 2);
	if (s->duration_ns != DMA_UNKNOWN)
		num_print_ns(took, s->duration_ns);
	if (s->exit_signal != DMA_UNKNOWN)
		snprintf(ended, sizeof(ended), ", ended by signal %" PRId64,
			 s->exit_signal);
	else if (s->exit_status != DMA_UNKNOWN)
		snprintf(ended, sizeof(ended), ", exit status %" PRId64, s->exit_status);
	fputs("  ", p->out);
	say(p, 2, 2, "%s, %s, host %s, kernel %s, %s, clock %s%s%s%s",
	    or_dash(s->started), took, or_dash(s->host), or_dash(s->kernel),
	    or_dash(s->tool), or_dash(s->clock), s->profile ? ", profile " : "",
	    s->profile ? s->profile : "", ended);
	if (s->finished == 0)
		say_in_red(p,
			   "The recorder did not end this file: what follows holds up to "
			   "where it was cut; the kernel's counts are not known.");
	if (s->guessed == 1)
		fputs("  The roles of the events are as --role gave them, or guessed from "
		      "their names\n  (--role EVENT=ROLE, when the recording is loaded, "
		      "changes them).\n",
		      p->out);
}

static void print_answer(const struct printer *p)
{
	fputc('\n', p->out);
	for (int i = 0; i < ANSWER_SENTENCES; i++)
		if (*answer_sentence(&p->s->answer, i)) {
			fputs("  ", p->out);
			say(p, 2, 4, "%s", answer_sentence(&p->s->answer, i));
		}
}

static void print_completeness(const struct printer *p)
{
	const struct summary *s = p->s;
	int64_t missing = 0, disorder = s->disordered > s->late_samples ? s->disordered
									: s->late_samples;
	bool counted = true, hidden = false;

	fprintf(p->out, "\n%sCompleteness%s\n  %-38s", bold(p), plain(p), "event");
	cell(p->out, "role", 10);
	cell(p->out, "counted", 10);
	cell(p->out, "delivered", 10);
	cell(p->out, "lost", 8);
	fputc('\n', p->out);
	for (size_t i = 0; i < s->nsource; i++) {
		const struct summary_source *x = &s->source[i];

		counted &= x->counted != DMA_UNKNOWN;
		missing += x->lost != DMA_UNKNOWN ? x->lost : 0;
		if (!x->counted && !x->delivered && !p->style->verbose) {
			hidden = true;
			continue;
		}
		fprintf(p->out, "  %-38.38s", x->name);
		cell(p->out, x->role, 10);
		cell_count(p->out, x->counted, 10);
		cell_count(p->out, x->delivered, 10);
		cell_count(p->out, x->lost, 8);
		fputc('\n', p->out);
	}
	if (hidden)
		fputs("  (events that never happened are left out; -v shows them)\n",
		      p->out);
	if (missing || s->lost) {
		int64_t most = missing > s->lost ? missing : s->lost;
		char text[256];

		snprintf(text, sizeof(text),
			 "Not whole: %" PRId64 " sample%s missing (%" PRId64
			 " by records of loss); transfers that this may concern are "
			 "unknown.",
			 most, most == 1 ? " is" : "s are", s->lost);
		say_in_red(p, text);
	} else if (!counted) {
		fputs("  The recording does not hold the kernel's counts, so that samples "
		      "that\n  vanished cannot be told: 'no interrupt' may be one.\n",
		      p->out);
	} else {
		fputs(s->nwarning
			      ? "  Everything that was counted was delivered, but:\n"
			      : "  Whole: everything that was counted was delivered.\n",
		      p->out);
	}
	for (size_t i = 0; i < s->nwarning; i++) {
		fputs("  ", p->out);
		say(p, 2, 4, "note: %s", s->warning[i]);
	}
	if (disorder > 0)
		fprintf(p->out, "  %" PRId64 " sample%s came out of order.\n", disorder,
			text_s((uint64_t)disorder));
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
	fprintf(p->out, "  %s%s\n       ", v->verdict,
		v->used ? ", ends transfers here" : "");
	say(p, 7, 7, "%s", v->why);
	if (v->used && whole(v) && v->proc != DMA_UNKNOWN && v->proc != v->interrupts)
		fprintf(p->out,
			"       /proc/interrupts counted %" PRId64 " of it, %" PRId64
			" were recorded\n",
			v->proc, v->interrupts);
}

static void print_evidence(const struct printer *p, const struct summary_vector *v)
{
	char text[512], more[64] = "", end[64] = "", slope[48] = "", proc[64] = "",
			buf[32];

	if (v->proc != DMA_UNKNOWN)
		snprintf(proc, sizeof(proc), "; /proc/interrupts: %" PRId64, v->proc);
	if (isfinite(v->position))
		snprintf(more, sizeof(more), "; at %.2f of the transfer", v->position);
	if (isfinite(v->to_end_ns))
		snprintf(end, sizeof(end), ", %s before its end",
			 num_print_ns(buf, (int64_t)v->to_end_ns));
	if (isfinite(v->slope))
		snprintf(slope, sizeof(slope), ", growing %.3g ns/byte", v->slope);
	snprintf(text, sizeof(text),
		 "of %" PRId64 " transfers: exactly one in %" PRId64 ", none in %" PRId64
		 ", several in %" PRId64 "; %" PRId64 " interrupts, %" PRId64
		 " outside of any%s%s%s%s",
		 v->transfers, v->one, v->none, v->many, v->interrupts, v->outside, proc,
		 more, end, slope);
	fputs("       ", p->out);
	say(p, 7, 7, "%s", text);
}

/* Those that never came, by their numbers in one line. Returns how many. */
static size_t print_silent(const struct printer *p)
{
	char text[1200] = "silent: ";
	size_t n = 0, at = strlen(text);

	for (size_t i = 0; i < p->s->nvector; i++) {
		const struct summary_vector *v = &p->s->vector[i];

		if (!whole(v) || strcmp(v->verdict, "silent") != 0)
			continue;
		at += (size_t)snprintf(text + at,
				       at < sizeof(text) ? sizeof(text) - at : 0, "%s%d",
				       n ? ", " : "", v->irq);
		at = at < sizeof(text) ? at : sizeof(text) - 1;
		n++;
	}
	if (n) {
		fputs("  ", p->out);
		say(p, 2, 4, "%s", text);
	}
	return n;
}

static bool any_used(const struct summary *s)
{
	for (size_t i = 0; i < s->nvector; i++)
		if (s->vector[i].used)
			return true;
	return false;
}

/* Where others end transfers: one with too few interrupts to do so is no riddle. */
static bool is_idle(const struct summary *s, const struct summary_vector *v)
{
	enum { FEW = 10 }; /* of so many transfers at most one: as lib/vector has it */
	int64_t came = v->interrupts;

	if (v->used || strcmp(v->verdict, "unclear") != 0)
		return false;
	if (v->proc != DMA_UNKNOWN && v->proc > came)
		came = v->proc;
	return any_used(s) && came < v->transfers / FEW;
}

/* Is it to be shown? --verify shows every vector that came. */
static bool shown(const struct printer *p, const struct summary_vector *v)
{
	bool silent = !strcmp(v->verdict, "silent");

	if (p->style->verify)
		return !silent && !is_only_channel(p->s, v);
	return whole(v) &&
	       (v->used || (!strcmp(v->verdict, "unclear") && !is_idle(p->s, v)) ||
		!strcmp(v->verdict, "data available"));
}

static void print_vectors(const struct printer *p)
{
	const struct summary *s = p->s;
	size_t n = 0, left = 0;

	fprintf(p->out, "\n%sWhich interrupt ends transfers%s (%s)\n", bold(p), plain(p),
		!strcmp(or_dash(s->vectors_from), "found")    ? "found by the evidence"
		: !strcmp(or_dash(s->vectors_from), "option") ? "named with --irq"
		: !strcmp(or_dash(s->vectors_from), "none")   ? "none found"
							      : "named when recording");
	for (int used = 1; used >= 0; used--) /* what ends transfers stands first */
		for (size_t i = 0; i < s->nvector; i++) {
			const struct summary_vector *v = &s->vector[i];

			if (v->used != (bool)used)
				continue;
			left += !shown(p, v) && whole(v);
			if (!shown(p, v))
				continue;
			print_vector(p, v);
			if (p->style->verify && v->interrupts)
				print_evidence(p, v);
			n++;
		}
	if (p->style->verify)
		left -= print_silent(p);
	if (!s->nvector)
		fputs("  no interrupt was recorded\n", p->out);
	else if (left && !p->style->verify)
		fprintf(p->out,
			"  %s%zu %s unrelated, idle or silent (--verify shows why)\n",
			n ? "and " : "", left, left == 1 ? "vector is" : "vectors are");
	if (s->advice && s->transfers > 0) /* without one, "Next:" says where to look */
		say_in_red(p, s->advice);
}

/* ---- figures ---- */

static void print_states(const struct summary_group *g, char *buf, size_t len)
{
	size_t at = 0;

	*buf = 0;
	for (int i = 0; i < STATE_N && at < len; i++)
		if (g->state[i])
			at += (size_t)snprintf(buf + at, len - at, "%s%" PRId64 " %s",
					       at ? ", " : "", g->state[i],
					       state_name((enum transfer_state)i));
}

static int64_t transfers_of(const struct summary_group *g)
{
	int64_t n = 0;

	for (int i = 0; i < STATE_N; i++)
		n += g->state[i];
	return n;
}

enum { PHASE_WIDTH = 8, COUNT = 7, VALUE = 9 }; /* with 2 before, 79 columns */

static void print_phase(const struct printer *p, const struct summary_phase *x,
			const char *name, bool latency)
{
	fprintf(p->out, "  %s%-*s%s", latency ? bold(p) : "", PHASE_WIDTH, name,
		latency ? plain(p) : "");
	cell_count(p->out, x->n, COUNT);
	cell_ns(p->out, x->min_ns, "", VALUE);
	cell_ns(p->out, x->nq > 0 ? x->q[0].value_ns : DMA_UNKNOWN, "", VALUE);
	cell_ns(p->out, isfinite(x->mean_ns) ? (int64_t)llround(x->mean_ns) : DMA_UNKNOWN,
		"", VALUE);
	for (int i = 1; i < 4; i++) {
		bool thin = i < x->nq && x->q[i].ci_high_ns == DMA_UNKNOWN;

		cell_ns(p->out, i < x->nq ? x->q[i].value_ns : DMA_UNKNOWN,
			thin ? "~" : "", VALUE);
	}
	cell_ns(p->out, x->max_ns, "", VALUE);
	fputc('\n', p->out);
}

/* "api 18.0 µs, total 53.9 µs": of the phases for which it is known. */
static void print_each(const struct printer *p, const struct summary_group *g,
		       const char *what, const char *then,
		       bool (*text)(const struct summary_phase *x, char buf[32]))
{
	char list[256] = "", value[32];
	size_t at = 0;

	for (int k = 0; k < summary_phases(p->s); k++)
		if (text(&g->phase[k], value))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s %s",
					       at ? ", " : "", phase_name((enum phase)k),
					       value);
	if (!at)
		return;
	fputs("  ", p->out);
	say(p, 2, 4, "%s%s%s", what, list, then);
}

static bool probes_text(const struct summary_phase *x, char buf[32])
{
	if (x->error_ns == DMA_UNKNOWN || !x->n)
		return false;
	num_print_ns(buf, x->error_ns);
	return true;
}

static bool excluded_text(const struct summary_phase *x, char buf[32])
{
	if (x->excluded <= 0)
		return false;
	snprintf(buf, 32, "%" PRId64, x->excluded);
	return true;
}

/* What the quantiles could be had the transfers left out been fastest or slowest. */
static void print_bounds(const struct printer *p, const struct summary_group *g, int k)
{
	const struct summary_phase *x = &g->phase[k];
	bool latency = !strcmp(or_dash(p->s->latency), phase_name((enum phase)k));
	char low[32], high[32], text[400];
	size_t at;

	if (!x->excluded || !x->n || !(latency || p->style->verbose))
		return;
	at = (size_t)snprintf(text, sizeof(text),
			      "%s, had the %" PRId64 " left out been fastest or slowest:",
			      phase_name((enum phase)k), x->excluded);
	for (int i = 0; i < x->nq && i < 4; i++) {
		const struct summary_quantile *q = &x->q[i];

		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s p%g %s to %s", i ? "," : "",
			100 * q->q,
			q->low_ns == DMA_UNKNOWN ? "less" : num_print_ns(low, q->low_ns),
			q->high_ns == DMA_UNKNOWN ? "no limit"
						  : num_print_ns(high, q->high_ns));
	}
	fputs("  ", p->out);
	say(p, 2, 4, "%s", text);
}

static void name_group(const struct summary_group *g, char *buf, size_t len)
{
	char card[32] = "", channel[32] = "";

	if (g->card != DMA_UNKNOWN)
		snprintf(card, sizeof(card), "card %" PRId64 ", ", g->card);
	if (g->channel != DMA_UNKNOWN)
		snprintf(channel, sizeof(channel), "channel %" PRId64 ", ", g->channel);
	snprintf(buf, len, "%s%s%s", card, channel, *g->direction ? g->direction : "all");
}

static void print_throughput(const struct printer *p, const struct summary_group *g)
{
	char size[32], rate[32], took[32], left[64] = "";

	if (!g->ended || !isfinite(g->bytes_per_s))
		return;
	if (g->left_out)
		snprintf(left, sizeof(left), "; %" PRId64 " left out", g->left_out);
	fputs("  ", p->out);
	say(p, 2, 4,
	    "throughput: %s, %s in %s, of %" PRId64
	    " transfer%s that ended for the program%s",
	    num_print_rate(rate, g->bytes_per_s), num_print_bytes(size, g->bytes),
	    num_print_ns(took, g->took_ns), g->ended, g->ended == 1 ? "" : "s", left);
}

static bool any_time(const struct printer *p, const struct summary_group *g)
{
	for (int k = 0; k < summary_phases(p->s); k++)
		if (g->phase[k].n > 0)
			return true;
	return false;
}

static void print_group(const struct printer *p, const struct summary_group *g)
{
	static const char *const head[] = {"min", "median", "mean", "p90",
					   "p99", "p99.9",  "max"};
	char name[96], states[400];
	int64_t n = transfers_of(g);

	name_group(g, name, sizeof(name));
	print_states(g, states, sizeof(states));
	fprintf(p->out, "\n  %s%s%s: ", bold(p), name, plain(p));
	say(p, text_columns(name) + 4, 4, "%" PRId64 " transfer%s: %s", n,
	    n == 1 ? "" : "s", states);
	print_throughput(p, g);
	if (!any_time(p, g)) {
		fputs("  No phase's time is known of any of them.\n", p->out);
		return;
	}
	fprintf(p->out, "  %-*s", PHASE_WIDTH, "");
	cell(p->out, "n", COUNT);
	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
		cell(p->out, head[i], VALUE);
	fputc('\n', p->out);
	for (int k = 0; k < summary_phases(p->s); k++)
		print_phase(p, &g->phase[k], phase_name((enum phase)k),
			    !strcmp(or_dash(p->s->latency), phase_name((enum phase)k)));
	print_each(p, g, "of which probes ≈ ", "", probes_text);
	print_each(p, g, "left out, whose time is not known: ", "", excluded_text);
	for (int k = 0; k < PHASE_N; k++)
		print_bounds(p, g, k);
}

static void print_counts(const struct printer *p, const struct summary_count *c, size_t n,
			 const char *title)
{
	size_t most = p->style->verbose ? n : 6;

	if (n)
		fprintf(p->out, "\n  %s\n", title);
	for (size_t i = 0; i < n && i < most; i++) {
		fprintf(p->out, "    %9" PRId64 "  ", c[i].n);
		say(p, 15, 17, "%s: %s", c[i].what, c[i].reason);
	}
	if (n > most)
		fprintf(p->out, "    and %zu more kinds (-v shows them)\n", n - most);
}

/* The rule, and what it came to. */
static void pairing_text(const struct summary *s, char *buf, size_t len)
{
	bool inferred = !strcmp(or_dash(s->pairing_from), "inferred");
	char rule[64], several[80] = "";

	if (inferred)
		snprintf(rule, sizeof(rule), "pairing: inferred");
	else
		snprintf(rule, sizeof(rule), "pairing: %s (%s)", or_dash(s->pairing),
			 or_dash(s->pairing_from));
	if (s->repeated > 0)
		snprintf(several, sizeof(several),
			 "; %" PRId64 " had several, up to %" PRId64, s->repeated,
			 s->most_repeated);
	if (s->coalesced > 0)
		snprintf(buf, len,
			 "%s: of %" PRId64 " with an interrupt %" PRId64
			 " share theirs, at most %" PRId64 " the same%s",
			 rule, s->paired, s->coalesced, s->most_coalesced, several);
	else if (s->paired)
		snprintf(buf, len,
			 "%s: each of %" PRId64 " has an interrupt of its own%s", rule,
			 s->paired, several);
	else
		snprintf(buf, len, "%s%s", rule, several);
}

/* Several interrupts for each transfer, and which of them is its end is not told. */
static void print_surplus(const struct printer *p)
{
	const struct summary *s = p->s;
	char text[200];

	if (strcmp(or_dash(s->pairing_from), "inferred") != 0 ||
	    2 * s->paired >= s->transfers || 2 * s->irq_stray < 3 * s->transfers)
		return;
	snprintf(text, sizeof(text),
		 "there are %.1f interrupts for each transfer: if the first or the last "
		 "of them is its end, say --pairing first or --pairing last",
		 (double)(s->irq_stray + s->irq_used) / (double)s->transfers);
	say_in_red(p, text);
}

/* The words where they are used. */
static void print_glossary(const struct printer *p, bool thin)
{
	fputs("\n  submit: the start function is called. doorbell: the store that starts\n"
	      "  the card. wait, woken: the wait function is entered, and returns.\n"
	      "  api: submit to doorbell. device: doorbell to interrupt. notice:\n"
	      "  interrupt to woken. total: submit to woken. of which probes ≈: what\n"
	      "  recording itself adds to each, a bias to one side.\n",
	      p->out);
	if (p->s->nreg)
		fputs("  card: doorbell to the register's clear. delivery: the clear to the\n"
		      "  interrupt. notice, where there is no interrupt: the clear to woken.\n",
		      p->out);
	if (thin)
		fputs("  ~ too few transfers for this quantile: no upper confidence limit\n",
		      p->out);
}

static const char *doorbell_text(const char *from)
{
	return !strncmp(from, "store", 5)  ? "the instruction that starts the card"
	       : !strncmp(from, "exit", 4) ? "the start function's exit"
	       : !strcmp(from, "driver")   ? "the driver's, when it gave it to the card"
					   : "not seen";
}

static int64_t counted_starts(const struct summary *s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->nsource; i++)
		if (s->source[i].counted > 0 && s->source[i].role &&
		    !strcmp(s->source[i].role, "submit"))
			n += s->source[i].counted;
	return n;
}

static void print_transfers(const struct printer *p)
{
	const struct summary *s = p->s;
	size_t shown =
		s->ngroup > MOST_GROUPS && !p->style->verbose ? MOST_GROUPS : s->ngroup;
	bool thin = false;
	char pairing[320];
	int at;

	fprintf(p->out, "\n%sTransfers%s: %" PRId64, bold(p), plain(p), s->transfers);
	if (!s->transfers) {
		fputs(counted_starts(s) > 0
			      ? "; starts were counted, and none was delivered.\n"
			      : "; no start function was called while recording.\n",
		      p->out);
		print_counts(p, s->stray, s->nstray, "belongs to no transfer:");
		return;
	}
	pairing_text(s, pairing, sizeof(pairing));
	at = text_columns("Transfers: ") + snprintf(NULL, 0, "%" PRId64, s->transfers);
	say(p, at, 2, "; latency is %s (%s), the doorbell is %s; %s", or_dash(s->latency),
	    strcmp(or_dash(s->latency), "device") != 0 ? "submit to woken"
	    : strstr(or_dash(s->doorbell), "driver")   ? "doorbell to the driver's end"
						       : "doorbell to interrupt",
	    doorbell_text(or_dash(s->doorbell)), pairing);
	print_surplus(p);
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
	print_glossary(p, thin);
	if (s->negative) {
		fputs("\n  ", p->out);
		say(p, 2, 2, "%" PRId64 " duration%s negative and kept as found%s",
		    s->negative, s->negative == 1 ? " is" : "s are",
		    !strncmp(or_dash(s->doorbell), "exit", 4)
			    ? ": an interrupt that comes before the start function has "
			      "returned makes 'device' negative, as the function's exit "
			      "stands for the doorbell (a profile can name the store)"
			    : "");
	}
	print_counts(p, s->reason, s->nreason, "why:");
	print_counts(p, s->stray, s->nstray, "belongs to no transfer:");
}

void summary_text(const struct summary *s, const struct summary_style *style, FILE *out)
{
	struct printer p = {s, style, out};

	print_run(&p);
	if (s->analysed)
		print_answer(&p);
	print_completeness(&p);
	if (!s->analysed) {
		fputs("\nnot analysed yet: dmaanalyze --run does it\n", out);
		return;
	}
	print_vectors(&p);
	summary_audit_text(s, style, out);
	summary_driver_text(s, style, out);
	summary_witness_text(s, style, out);
	summary_counts_text(s, style, out);
	print_transfers(&p);
}
