/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary's part that sets the card's registers beside its interrupts. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analyze/summary.h"
#include "lib/num.h"
#include "lib/text.h"

enum {
	WIDTH = 80,
	TRANSACTION = 24, /* bytes of one reading on the link, each way (record/watch) */
	/* An interrupt is called prompt when its p99 is at most so many times its median, or
	 * below what the card itself takes; chosen: a tail beyond both is what a user who
	 * waits for it would call late. */
	TAIL = 10
};

static void say(FILE *out, int indent, const char *text)
{
	fprintf(out, "%*s", indent, "");
	text_wrap(out, text, indent, indent + 2, WIDTH);
}

static void say_register(const struct summary_register *r, FILE *out)
{
	char text[700], median[32], p99[32], gap[32], share[64] = "", rate[48] = "";
	double per_s = r->watched_ns > 0 && r->readings > 0
			       ? (double)r->readings * 1e9 / (double)r->watched_ns
			       : 0;

	if (per_s > 0)
		snprintf(rate, sizeof(rate), ", %.3g times a second", per_s);
	if (per_s > 0 && r->link_bytes_per_s > 0)
		snprintf(share, sizeof(share), " (%.2g %% of the link)",
			 100 * per_s * TRANSACTION / (double)r->link_bytes_per_s);
	snprintf(text, sizeof(text),
		 "%s (%s + 0x%" PRIx64 "; busy: %s), read %s on CPU %" PRId64 "%s%s%s",
		 r->name ? r->name : "?",
		 r->bdf	   ? r->bdf
		 : r->file ? r->file
			   : "?",
		 r->offset, r->busy ? r->busy : "?", r->mode ? r->mode : "?", r->cpu,
		 r->shared_cpu == 1 ? ", the workload's too" : "", rate, share);
	say(out, 2, text);
	if (r->readings <= 0)
		return;
	snprintf(
		text, sizeof(text),
		"one reading takes %s in the median, %s at p99; a change lies between two "
		"readings that are %s apart at worst; %" PRId64 " starts and %" PRId64
		" ends seen",
		num_print_ns(median, r->read_median_ns),
		num_print_ns(p99, r->read_p99_ns),
		r->gap_ns == DMA_UNKNOWN ? "?" : num_print_ns(gap, r->gap_ns), r->starts,
		r->clears);
	say(out, 4, text);
	if (r->ended) {
		snprintf(text, sizeof(text), "the watch ended before the recording: %s",
			 r->ended);
		say(out, 4, text);
	}
}

/* Whose end the register told. */
static int64_t told(const struct summary_witness *w)
{
	return w->after + w->before + w->alone + w->unpaired;
}

static void say_ends(const struct summary *s, FILE *out)
{
	const struct summary_witness *w = &s->witness;
	int64_t certain = told(w);
	char text[700], error[32] = "?", unpaired[80] = "";

	if (w->worst_error_ns != DMA_UNKNOWN)
		num_print_ns(error, w->worst_error_ns);
	snprintf(text, sizeof(text),
		 "of %" PRId64 " transfers the register told the end of %" PRId64
		 ", each to within ±%s; of %" PRId64
		 " it saw none (shorter than the readings are apart, or running into the "
		 "next), of %" PRId64 " more than one transfer may be meant",
		 certain + w->unseen + w->unclear, certain, error, w->unseen, w->unclear);
	say(out, 2, text);
	if (!certain)
		return;
	if (w->unpaired)
		snprintf(unpaired, sizeof(unpaired),
			 "; of %" PRId64 " it is not known which", w->unpaired);
	snprintf(text, sizeof(text),
		 "the interrupt came after the clear for %" PRId64
		 ", before it for %" PRId64 ", and for %" PRId64 " there was none%s%s",
		 w->after, w->before, w->alone, unpaired,
		 w->overtaken ? "; some programs saw the end before the interrupt" : "");
	say(out, 2, text);
}

static int64_t quantile(const struct summary_phase *x, double q)
{
	for (int i = 0; i < x->nq; i++)
		if (fabs(x->q[i].q - q) < 1e-9)
			return x->q[i].value_ns;
	return DMA_UNKNOWN;
}

/* Of an interrupt that overtakes the clear there is no delay to tell. */
static const char *within(int64_t ns, char buf[48])
{
	char time[32];

	if (ns < 0)
		return "before it";
	snprintf(buf, 48, "within %s of it", num_print_ns(time, ns));
	return buf;
}

static void say_prompt(const struct summary *s, char *buf, size_t len)
{
	const struct summary_phase *d = &s->group[0].phase[PHASE_DELIVERY];
	const struct summary_phase *c = &s->group[0].phase[PHASE_CARD];
	int64_t median = quantile(d, 0.5), p99 = quantile(d, 0.99);
	int64_t card = quantile(c, 0.5);
	char a[48], b[48], m[48];
	bool prompt;

	if (!d->n || median == DMA_UNKNOWN || p99 == DMA_UNKNOWN) {
		snprintf(buf, len, "whether it is prompt is not known");
		return;
	}
	prompt = p99 <= TAIL * (median > 0 ? median : 0) || p99 <= 0 ||
		 (card != DMA_UNKNOWN && p99 <= card);
	snprintf(buf, len, "%s: beside the clear, half come %s, 99 %% %s, all %s",
		 prompt ? "it is prompt" : "it is not always prompt", within(median, a),
		 within(p99, b), within(d->max_ns, m));
}

const char *summary_verdict(const struct summary *s, char *buf, size_t len)
{
	const struct summary_witness *w = &s->witness;
	int64_t certain = w->after + w->before + w->alone;
	char prompt[240];

	*buf = 0;
	if (!told(w) || !s->ngroup)
		return buf;
	/* interrupts came, and none was found to end transfers: that proves nothing */
	if (!certain || (s->irq_ignored + s->interrupts > 0 && s->vectors_from &&
			 !strcmp(s->vectors_from, "none"))) {
		snprintf(buf, len,
			 "Which interrupt ends transfers is not known here, so that the "
			 "register says nothing of it: name it (--irq N).");
		return buf;
	}
	if (w->after + w->before == 0) {
		snprintf(buf, len,
			 "The interrupt is not essential to the DMA: %s%" PRId64
			 " ended on the card without one.",
			 w->unpaired ? "" : "all ", certain);
		return buf;
	}
	say_prompt(s, prompt, sizeof(prompt));
	if (!w->alone && w->unpaired) {
		snprintf(
			buf, len,
			"Whether the DMA needs the interrupt is not told: %" PRId64
			" transfers that ended on the card had their own, and of %" PRId64
			" it is not known whether one was theirs. Of those that had, %s.",
			certain, w->unpaired, prompt);
		return buf;
	}
	if (w->alone)
		snprintf(buf, len,
			 "The interrupt is not essential to the DMA (%" PRId64
			 " of %" PRId64
			 " transfers ended on the card without one), and %s.",
			 w->alone, certain, prompt);
	else
		snprintf(
			buf, len,
			"Every transfer that the register saw end had its interrupt, so that "
			"only a run with it masked can tell whether the DMA needs it; %s.",
			prompt);
	return buf;
}

static void say_waits(const struct summary *s, FILE *out)
{
	const struct summary_heard *h = &s->heard;
	char text[500], all[32], pending[32], each[32], readings[120] = "";
	int64_t median = s->nreg == 1 ? s->reg[0].read_median_ns : DMA_UNKNOWN;

	if (median != DMA_UNKNOWN && median > 0 && h->in_wait_ns > 0)
		snprintf(readings, sizeof(readings),
			 " (enough for %.3g readings of the register at %s each)",
			 (double)h->in_wait_ns / (double)median,
			 num_print_ns(each, median));

	snprintf(text, sizeof(text),
		 "the program spent %s within %" PRId64
		 " calls of its wait, as CPU time where "
		 "it polls%s; %" PRId64 " of them (%s) for nothing: \"not yet\"",
		 num_print_ns(all, h->in_wait_ns), s->waits, readings, h->pending,
		 num_print_ns(pending, h->pending_ns));
	say(out, 2, text);
}

static void say_heard(const struct summary_heard *h, FILE *out)
{
	char text[400], a[32] = "", b[32] = "";

	if (h->behind)
		num_print_ns(a, h->behind_ns);
	if (h->before)
		num_print_ns(b, h->before_ns);
	snprintf(text, sizeof(text),
		 "of %" PRId64 " ends it heard behind their interrupt%s%s%s, of %" PRId64
		 " before it%s%s%s",
		 h->behind, h->behind ? ", half of them " : "", a,
		 h->behind ? " or more" : "", h->before,
		 h->before ? ", half of them " : "", b, h->before ? " or more" : "");
	say(out, 2, text);
}

static void say_undone(const struct summary_heard *h, FILE *out)
{
	char text[500], apart[32], shortest[32];

	if (h->undone > 0) {
		snprintf(
			text, sizeof(text),
			"%" PRId64
			" starts were undone so (aborted): a store behind them, by "
			"at most %s, had not their bit, and the shortest transfer took %s: the "
			"card did not run them, whatever their waits said. A lock around the "
			"library's starts prevents that",
			h->undone, num_print_ns(apart, h->undone_apart_ns),
			num_print_ns(shortest, h->shortest_ns));
		say(out, 2, text);
	}
	if (h->undone_maybe <= 0)
		return;
	snprintf(text, sizeof(text),
		 "of %" PRId64
		 " more it is not certain (unknown): the two stores' order or "
		 "the card's end before the second is not known",
		 h->undone_maybe);
	say(out, 2, text);
}

void summary_audit_text(const struct summary *s, const struct summary_style *style,
			FILE *out)
{
	const struct summary_heard *h = &s->heard;
	char text[400];

	if (!s->waits && h->overlapping <= 0)
		return;
	fprintf(out, "\n%sWhat waiting and starting cost%s\n",
		style->color ? "\033[1m" : "", style->color ? "\033[0m" : "");
	if (s->waits)
		say_waits(s, out);
	if (h->behind || h->before)
		say_heard(h, out);
	if (h->overlapping <= 0)
		return;
	snprintf(
		text, sizeof(text),
		"%" PRId64
		" starts began while another thread was within one of the same card "
		"and had not reached its store: without a lock, one may undo the other's bit in "
		"a register that both change",
		h->overlapping);
	say(out, 2, text);
	say_undone(h, out);
}

void summary_driver_text(const struct summary *s, const struct summary_style *style,
			 FILE *out)
{
	const struct summary_driver *d = &s->driver;
	int64_t told = d->agrees + d->differs + d->alone;
	char text[600];

	if (!(told + d->unclear + d->unseen))
		return;
	fprintf(out, "\n%sWhat the driver tells%s\n", style->color ? "\033[1m" : "",
		style->color ? "\033[0m" : "");
	snprintf(text, sizeof(text),
		 "of %" PRId64
		 " transfers that its events have the key of, they told the end "
		 "of %" PRId64 ": their device time is to that end, and nothing of it is "
		 "inferred; of %" PRId64
		 " the key or the size is another one's too, of %" PRId64
		 " no end was seen",
		 told + d->unclear + d->unseen, told, d->unclear, d->unseen);
	say(out, 2, text);
	if (!told)
		return;
	snprintf(
		text, sizeof(text),
		"the interrupt that was found without them is the last before that end for "
		"%" PRId64 ", another one for %" PRId64
		" (and was taken away); for %" PRId64 " it was not known which",
		d->agrees, d->differs, d->alone);
	say(out, 2, text);
}

void summary_witness_text(const struct summary *s, const struct summary_style *style,
			  FILE *out)
{
	char verdict[500];

	if (!s->nreg)
		return;
	fprintf(out, "\n%sWhat the card's registers tell%s\n",
		style->color ? "\033[1m" : "", style->color ? "\033[0m" : "");
	for (size_t i = 0; i < s->nreg; i++)
		say_register(&s->reg[i], out);
	say_ends(s, out);
	if (*summary_verdict(s, verdict, sizeof(verdict)))
		say(out, 2, verdict);
}

static bool is_bytes(const char *unit, double *bytes)
{
	static const struct {
		const char *unit;
		double bytes;
	} known[] = {
		{"Bytes", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"MB", 1e6}};

	for (size_t i = 0; unit && i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(unit, known[i].unit)) {
			*bytes = known[i].bytes;
			return true;
		}
	return false;
}

void summary_counts_text(const struct summary *s, const struct summary_style *style,
			 FILE *out)
{
	char text[300], given[32];
	double bytes;

	if (!s->ncounted)
		return;
	fprintf(out, "\n%sWhat the machine counted%s (the whole system)\n",
		style->color ? "\033[1m" : "", style->color ? "\033[0m" : "");
	for (size_t i = 0; i < s->ncounted; i++) {
		const struct summary_counted *c = &s->counted[i];
		int at = snprintf(text, sizeof(text),
				  "%s: %.6g%s%s in %.3g s, %.3g a second",
				  c->event ? c->event : "?", c->scaled,
				  c->unit ? " " : "", c->unit ? c->unit : "", c->seconds,
				  c->seconds > 0 ? c->scaled / c->seconds : 0);

		if (s->ngroup && s->group[0].bytes > 0 && is_bytes(c->unit, &bytes) &&
		    at > 0 && (size_t)at < sizeof(text))
			snprintf(
				text + at, sizeof(text) - (size_t)at,
				"; the library was given %s, so that it counted %.3g times "
				"that",
				num_print_bytes(given, s->group[0].bytes),
				c->scaled * bytes / (double)s->group[0].bytes);
		say(out, 2, text);
	}
}
