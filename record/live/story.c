/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/story.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file/meta.h"
#include "lib/num.h"
#include "lib/text.h"
#include "record/live/tally.h"
#include "record/live/trigger.h"

enum { MOST_VECTORS = 64, INDENT = 2 };

struct seen_irq {
	int64_t time_ns;
	int32_t irq, cpu;
};

struct story {
	struct transfer transfer[STORY_TRANSFERS]; /* rings: n % size is the next place */
	struct seen_irq irq[STORY_INTERRUPTS];
	uint64_t ntransfer, nirq;
};

struct story *story_new(void)
{
	return calloc(1, sizeof(struct story));
}

void story_free(struct story *s)
{
	free(s);
}

void story_transfer(struct story *s, const struct transfer *t)
{
	s->transfer[s->ntransfer++ % STORY_TRANSFERS] = *t;
}

void story_sample(struct story *s, const struct sample *x)
{
	if (x->role == ROLE_INTERRUPT)
		s->irq[s->nirq++ % STORY_INTERRUPTS] =
			(struct seen_irq){x->time_ns, x->irq, x->cpu};
}

/* ---- sentences ---- */

struct telling {
	const struct story *s;
	const struct tally *y;
	const struct meta *m;
	const struct transfer *t; /* whom it is about */
	int64_t from_ns, to_ns;	  /* from its start to its end, or to the recording's */
	const char *until;	  /* what there was to see: "the recording ended" */
	int width;
	FILE *out;
};

static void __attribute__((format(printf, 2, 3)))
say(const struct telling *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fputs("  ", w->out);
	text_wrap(w->out, text_clean(text), INDENT, 2 * INDENT, w->width);
}

static const struct row *row_of(const struct telling *w)
{
	for (size_t i = 0; i < w->y->n; i++) {
		const struct row *r = w->y->row[i];

		if (r->card == w->t->card && r->channel == w->t->channel &&
		    r->direction == w->t->direction &&
		    (r->pid < 0 || r->pid == w->t->pid))
			return r;
	}
	return NULL;
}

static void say_who(const struct telling *w)
{
	const struct transfer *t = w->t;
	char card[40] = "", channel[40] = "", size[32] = "a size that is not known";

	if (t->card != DMA_UNKNOWN)
		snprintf(card, sizeof(card), "card %" PRId64 ", ", t->card);
	if (t->channel != DMA_UNKNOWN)
		snprintf(channel, sizeof(channel), "channel %" PRId64 ", ", t->channel);
	if (t->size_bytes != DMA_UNKNOWN)
		num_print_bytes(size, t->size_bytes);
	say(w,
	    "It is about a transfer of %s, %s%s%s, which thread %d of process %d "
	    "started.",
	    size, card, channel, direction_name(t->direction), t->tid, t->pid);
	if (t->woken_ns == DMA_UNKNOWN)
		say(w, "Its end was not seen: %s%s.",
		    t->state == STATE_IN_FLIGHT ? "it was in flight when "
		    : t->reason			? t->reason
						: state_name(t->state),
		    t->state == STATE_IN_FLIGHT ? w->until : "");
	else if (t->state != STATE_COMPLETE)
		say(w, "It is %s%s%s.", state_name(t->state), t->reason ? ": " : "",
		    t->reason ? t->reason : "");
}

static void say_phase(const struct telling *w, const struct row *r, enum phase p)
{
	char took[32], usual[32], most[32];
	int64_t ns = transfer_phase_ns(w->t, p);

	if (!r || !span_n(&r->all, p))
		return;
	num_print_ns(usual, span_median_ns(&r->all, p));
	num_print_ns(most, span_p99_ns(&r->all, p));
	if (ns != DMA_UNKNOWN)
		say(w, "%s: %s, %.3g times the usual %s (median of %" PRIu64 "; p99 %s).",
		    phase_name(p), num_print_ns(took, ns),
		    (double)ns / (double)span_median_ns(&r->all, p), usual,
		    span_n(&r->all, p), most);
	else
		say(w, "%s: not known; usually %s (median of %" PRIu64 "; p99 %s).",
		    phase_name(p), usual, span_n(&r->all, p), most);
}

/* ---- meanwhile ---- */

static bool overlaps(const struct telling *w, const struct transfer *x)
{
	return x->submit_ns < w->to_ns &&
	       (x->woken_ns == DMA_UNKNOWN || x->woken_ns > w->from_ns) &&
	       x->submit_seq != w->t->submit_seq;
}

static void say_transfers(const struct telling *w)
{
	uint64_t n = w->s->ntransfer, same = 0, other = 0;
	uint64_t have = n < STORY_TRANSFERS ? n : STORY_TRANSFERS;

	for (uint64_t i = 0; i < have; i++) {
		const struct transfer *x = &w->s->transfer[i];

		if (!overlaps(w, x))
			continue;
		if (x->card == w->t->card && x->channel == w->t->channel)
			same++;
		else
			other++;
	}
	say(w,
	    "Meanwhile %" PRIu64
	    " other transfers were in flight on its channel, %" PRIu64 " on others%s.",
	    same, other,
	    n > STORY_TRANSFERS &&
			    w->s->transfer[n % STORY_TRANSFERS].submit_ns > w->from_ns
		    ? " (of those that are still remembered)"
		    : "");
}

static const char *irq_name(const struct telling *w, int32_t irq)
{
	for (size_t i = 0; i < w->m->nirq; i++)
		if (w->m->irq[i].irq == irq && w->m->irq[i].name)
			return w->m->irq[i].name;
	return "";
}

static void say_vector(const struct telling *w, int32_t irq, uint64_t n, uint64_t there)
{
	char where[80] = "";

	if (w->t->irq_cpu >= 0)
		snprintf(where, sizeof(where),
			 ", %" PRIu64 " of them on CPU %d, where its "
			 "own came",
			 there, w->t->irq_cpu);
	say(w, "interrupt %d %s: %" PRIu64 " time%s%s", irq, irq_name(w, irq), n,
	    n == 1 ? "" : "s", where);
}

static void say_interrupts(const struct telling *w)
{
	struct {
		int32_t irq;
		uint64_t n, there;
	} v[MOST_VECTORS];
	size_t nv = 0;
	uint64_t have = w->s->nirq < STORY_INTERRUPTS ? w->s->nirq : STORY_INTERRUPTS;

	for (uint64_t i = 0; i < have; i++) {
		const struct seen_irq *x = &w->s->irq[i];
		size_t k = 0;

		if (x->time_ns < w->from_ns || x->time_ns > w->to_ns)
			continue;
		while (k < nv && v[k].irq != x->irq)
			k++;
		if (k == MOST_VECTORS)
			continue;
		if (k == nv) {
			v[nv].irq = x->irq;
			v[nv].n = v[nv].there = 0;
			nv++;
		}
		v[k].n++;
		v[k].there += x->cpu == w->t->irq_cpu;
	}
	if (!nv)
		say(w, "No recorded interrupt came in that time.");
	for (size_t k = 0; k < nv; k++)
		say_vector(w, v[k].irq, v[k].n, v[k].there);
	say(w, "What ran on the CPUs is not known: no sched tracepoints are recorded.");
}

static void tell_transfer(struct telling *w, const struct trigger *t, int64_t to_ns)
{
	const struct row *r;

	w->t = &t->transfer;
	w->from_ns = w->t->submit_ns;
	w->to_ns = w->t->woken_ns != DMA_UNKNOWN ? w->t->woken_ns : to_ns;
	r = row_of(w);
	say_who(w);
	for (int p = 0; p < PHASE_N; p++)
		say_phase(w, r, (enum phase)p);
	if (w->t->woken_ns == DMA_UNKNOWN) {
		char open[32];

		say(w, "It had been open for %s when %s.",
		    num_print_ns(open, w->to_ns - w->from_ns), w->until);
	}
	if (w->t->irq >= 0)
		say(w, "Its interrupt, %d %s, came on CPU %d.", w->t->irq,
		    irq_name(w, w->t->irq), w->t->irq_cpu);
	say_transfers(w);
	say_interrupts(w);
}

static void tell_gap(const struct telling *w, int64_t to_ns)
{
	char since[32];

	if (w->y->last_start_ns == DMA_UNKNOWN)
		return;
	say(w, "The last start that was seen was %s before the recording ended.",
	    num_print_ns(since, to_ns - w->y->last_start_ns));
}

void story_write(const struct story *s, const struct trigger *t, const struct tally *y,
		 const struct meta *m, int64_t to_ns, const char *snapshot, int width,
		 FILE *out)
{
	struct telling w = {.s = s,
			    .y = y,
			    .m = m,
			    .until = snapshot ? "the snapshot was made"
					      : "the recording ended",
			    .width = width,
			    .out = out};

	if (!t->fired)
		return;
	if (snapshot)
		fprintf(out, "dmarec: snapshot %s by '%s'\n", snapshot, t->rule->text);
	else
		fprintf(out, "dmarec: the recording has ended by '%s'\n", t->rule->text);
	if (t->has_transfer)
		tell_transfer(&w, t, to_ns);
	else if (t->rule->what == RULE_GAP)
		tell_gap(&w, to_ns);
	else if (t->rule->what == RULE_LOST)
		say(&w, "%" PRIu64 " %s lost: a larger ring (-m) loses less.", y->lost,
		    text_number(y->lost, "sample was", "samples were"));
}
