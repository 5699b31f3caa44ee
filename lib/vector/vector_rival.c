/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vectors that vector_judge.c looked at, against each other: which one ends the
 * transfers of a channel, and what the others are then.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vector/vector_priv.h"

#define FEW_OFF	   3	/* interrupts too many or too few of a whole recording, */
#define SHARE_OFF  0.03 /* or as a share */
#define ENDS_MOST  0.5	/* of a channel's transfers */
/* Interrupts while nothing is in flight, of as many as chance would put there. */
#define OFTEN_IDLE 0.3

/* Is this the channel that c's vector fits best? */
static bool at_home(const struct vector_case *row, size_t nch,
		    const struct vector_case *c)
{
	for (size_t i = 0; i < nch; i++)
		if (row[i].fit == FIT_END && row[i].window_ns < c->window_ns)
			return false;
	return true;
}

static bool beats(const struct vector_case *all, size_t nch, size_t i, size_t k)
{
	const struct vector_case *a = &all[i], *b = &all[k];
	double near = fabs(a->end_ns), other = fabs(b->end_ns);

	if (a->by_turns) /* its place in single transfers says nothing */
		return false;
	if (near <= other && a->window_ns <= b->window_ns &&
	    (near <= 0.6 * other || a->window_ns <= 0.67 * b->window_ns))
		return true;
	/* The handler's delay is wider than an early interrupt's; the end comes last. */
	if (near <= 0.5 * other && a->window_ns <= 2 * b->window_ns)
		return true;
	return at_home(all + i / nch * nch, nch, a) &&
	       !at_home(all + k / nch * nch, nch, b);
}

/* One that is not clear by itself, but no worse than the one that seems to be. */
static bool casts_doubt(const struct vector_case *rival, const struct vector_case *best)
{
	return (rival->fit == FIT_MAYBE || rival->by_turns) && rival->share >= 0.9 &&
	       fabs(rival->end_ns) <= fabs(best->end_ns) &&
	       rival->window_ns <= 1.5 * best->window_ns;
}

/* Of the channel: the case that beats all others and is beaten by none; NULL. */
static const struct vector_case *winner(const struct vector_case *all, size_t nv,
					size_t nch, size_t channel)
{
	for (size_t i = channel; i < nv * nch; i += nch) {
		bool best = all[i].fit == FIT_END;
		for (size_t k = channel; k < nv * nch && best; k += nch)
			if (k == i)
				continue;
			else if (all[k].fit == FIT_END &&
				 (all[i].by_turns || !all[k].by_turns))
				best = beats(all, nch, i, k) && !beats(all, nch, k, i);
			else
				best = !casts_doubt(&all[k], &all[i]);
		if (best)
			return &all[i];
	}
	return NULL;
}

/* Nothing was seen that ties it to transfers, but that may be for want of sight: are
 * there as many of its interrupts as would end them (one ends no more than are in flight,
 * and one that came late)? It is none where it comes about as often while nothing is in
 * flight, more often than transfers can have had theirs late. */
static bool could_end(const struct vector_case *c)
{
	double most = (double)(c->channel->deepest + 1) * (double)c->interrupts;
	double busy = (double)c->channel->busy_ns / fmax((double)c->recorded_ns, 1);
	double idle = (double)c->interrupts * (1 - busy);
	double ended = (double)c->channel->ended;

	return most >= ENDS_MOST * ended &&
	       (double)c->e->outside - ended < fmax(OFTEN_IDLE * idle, VECTOR_ENOUGH);
}

static enum verdict of_loser(const struct vector_case *c, const struct vector_case *won,
			     bool ends_another)
{
	if (c->fit == FIT_EARLY)
		return VERDICT_DATA_AVAILABLE;
	if ((won && ends_another) ||
	    (c->fit == FIT_NONE &&
	     (won || ends_another || (c->lock < VECTOR_KEEPS && !could_end(c)))))
		return VERDICT_UNRELATED;
	if (won && c->share >= VECTOR_HELD && c->end_ns > 1.5 * fabs(won->end_ns) &&
	    (c->fit == FIT_END ? !c->grows : c->begins))
		return VERDICT_DATA_AVAILABLE;
	return VERDICT_UNCLEAR;
}

static enum verdict verdict_of(const struct vector_case *c, const struct vector_case *won,
			       size_t channels)
{
	if (!c->interrupts)
		return c->count_delta != DMA_UNKNOWN && c->count_delta > 0
			       ? VERDICT_UNCLEAR
			       : VERDICT_SILENT;
	if (c->e->transfers < VECTOR_ENOUGH)
		return VERDICT_UNCLEAR;
	if (won != c)
		return of_loser(c, won, channels > 0);
	/* Late ones are outside, however many. */
	if (c->by_turns && channels == 1 &&
	    (double)c->interrupts <= (1 + VECTOR_OUTSIDE) * (double)c->channel->ended)
		return VERDICT_COMPLETION;
	return channels > 1 || (double)c->e->outside >
				       VECTOR_OUTSIDE * (double)c->e->interrupts
		       ? VERDICT_SHARED
		       : VERDICT_COMPLETION;
}

static void add_why(struct vector_evidence *e, const char *text)
{
	size_t n = strlen(e->why);

	snprintf(e->why + n, sizeof(e->why) - n, "%s", text);
}

/* Channels that run in step with the one that a vector ends look ended by it too: it ends
 * no more of them than it has interrupts for. */
static void too_many(struct vector_case *row, size_t nch)
{
	double ends = 0, narrowest = INFINITY;

	for (size_t i = 0; i < nch; i++) {
		if (row[i].fit != FIT_END)
			continue;
		ends += (double)row[i].e->transfers;
		if (!row[i].by_turns)
			narrowest = fmin(narrowest, row[i].window_ns);
	}
	for (size_t i = 0; i < nch; i++)
		if (row[i].fit == FIT_END && ends > (double)row[i].e->transfers &&
		    (double)row->interrupts < VECTOR_HELD * ends &&
		    (row[i].by_turns || row[i].window_ns > narrowest))
			row[i].fit = FIT_MAYBE;
}

/* The whole recording as one busy period of all the channels whose ends a vector keeps
 * to: as many interrupts as transfers, the first not before anything can have ended, the
 * last when the last one ended. */
static void whole_run(struct vector_case *row, size_t nch)
{
	int64_t begin = INT64_MAX, end = INT64_MIN;
	double ends = 0, period = INFINITY, off, from_begin, to_end;

	for (size_t i = 0; i < nch; i++) {
		const struct vector_channel *ch = row[i].channel;
		if (row[i].fit != FIT_END &&
		    (row[i].fit == FIT_EARLY || row[i].lock == 0))
			continue;
		ends += (double)ch->ended;
		begin = ch->first_ns < begin ? ch->first_ns : begin;
		end = ch->last_ns > end ? ch->last_ns : end;
		period = fmin(period, row[i].period_ns);
	}
	off = fabs((double)row->interrupts - ends);
	from_begin = (double)(row->first_irq_ns - begin);
	to_end = (double)(end - row->last_irq_ns);
	if (ends < VECTOR_ENOUGH || off > fmax(FEW_OFF, SHARE_OFF * ends) ||
	    from_begin < VECTOR_PERIOD * period ||
	    to_end > VECTOR_NEAR_TURN * (from_begin + to_end))
		return;
	for (size_t i = 0; i < nch; i++)
		if (row[i].fit != FIT_END && row[i].fit != FIT_EARLY && row[i].lock > 0) {
			row[i].fit = FIT_END;
			row[i].by_turns = true;
			row[i].from_begin_ns = from_begin;
			row[i].to_end_ns = to_end;
		}
}

/* The evidence of one that ends transfers by the turns of busy periods. */
static void say_turns(const struct vector_case *c)
{
	const struct vector_evidence *e = c->e;

	snprintf(c->e->why, sizeof(c->e->why),
		 "%llu interrupts keep to the ends of %llu transfers: "
		 "the first of a busy period comes %.1f µs after its "
		 "start, the last %.1f µs %s the program saw its end",
		 (unsigned long long)e->interrupts, (unsigned long long)e->transfers,
		 c->from_begin_ns / 1e3, fabs(c->to_end_ns) / 1e3,
		 c->to_end_ns < 0 ? "after" : "before");
}

int vector_cases_settle(struct vector_case *c, size_t nv, size_t nch)
{
	const struct vector_case **won = calloc(nch + 1, sizeof(struct vector_case *));

	if (!won)
		return -1;
	for (size_t v = 0; v < nv && nch; v++) {
		whole_run(c + v * nch, nch);
		too_many(c + v * nch, nch);
	}
	for (size_t i = 0; i < nch; i++)
		won[i] = winner(c, nv, nch, i);
	for (size_t v = 0; v < nv; v++) {
		struct vector_case *row = c + v * nch;
		size_t channels = 0;

		for (size_t i = 0; i < nch; i++)
			channels += won[i] == &row[i];
		for (size_t i = 0; i < nch; i++) {
			if (row[i].by_turns && row[i].fit == FIT_END)
				say_turns(&row[i]);
			row[i].e->verdict = verdict_of(&row[i], won[i], channels);
			if (row[i].fit == FIT_END && !won[i])
				add_why(row[i].e, "; another vector fits as well");
		}
	}
	free(won);
	return 0;
}
