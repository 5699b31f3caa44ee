/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/gate/tally.h"

const double tally_bin_from[TALLY_BINS] = {0, 0.5, 0.9, 0.99, 0.999, 0.9999};

void tally_add(struct tally *to, const struct tally *from)
{
	to->recordings += from->recordings;
	to->failed += from->failed;
	to->transfers += from->transfers;
	to->certain += from->certain;
	to->wrong += from->wrong;
	to->unknown += from->unknown;
	to->beyond += from->beyond;
	to->counted += from->counted;
	to->limited += from->limited;
	to->limited_beyond += from->limited_beyond;
	to->vector_right += from->vector_right;
	to->vector_unclear += from->vector_unclear;
	to->vector_wrong += from->vector_wrong;
	to->slowest += from->slowest;
	to->slowest_wrong += from->slowest_wrong;
	to->events += from->events;
	to->seconds += from->seconds;
	for (int i = 0; i < STATE_N; i++)
		to->false_state[i] += from->false_state[i];
	for (int i = 0; i < FACT_N; i++) {
		to->fact[i] += from->fact[i];
		to->fact_wrong[i] += from->fact_wrong[i];
		for (int k = 0; k < TALLY_BINS; k++) {
			to->bin[i][k].n += from->bin[i][k].n;
			to->bin[i][k].right += from->bin[i][k].right;
			to->bin[i][k].said += from->bin[i][k].said;
		}
	}
}

static bool is_right(enum judge_fact f, const struct transfer *t,
		     const struct world_truth *x)
{
	switch (f) {
	case FACT_END:
		return t->woken_seq == x->woken_seq;
	case FACT_INTERRUPT:
		return t->irq_seq == x->irq_seq;
	case FACT_COALESCED:
		return t->coalesced == x->coalesced;
	default:
		return t->state == x->state;
	}
}

static void weigh(struct tally *n, int fact, double said, bool right)
{
	int k = TALLY_BINS - 1;

	if (!(said >= 0))
		return;
	while (k && said < tally_bin_from[k])
		k--;
	n->bin[fact][k].n++;
	n->bin[fact][k].right += right;
	n->bin[fact][k].said += said;
}

/* Kept in order; what is slower than the last of them pushes it out. */
static void keep_slow(struct tally_judge *j, int which, int64_t ns, bool wrong)
{
	struct tally_slow *slow = j->slow[which];
	size_t n = j->nslow[which], i;

	if (ns == DMA_UNKNOWN || (n == TALLY_SLOWEST && ns <= slow[n - 1].ns))
		return;
	i = n < TALLY_SLOWEST ? j->nslow[which]++ : n - 1;
	for (; i && slow[i - 1].ns < ns; i--)
		slow[i] = slow[i - 1];
	slow[i] = (struct tally_slow){ns, wrong};
}

void tally_close(struct tally_judge *j)
{
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < j->nslow[k]; i++) {
			j->n->slowest++;
			j->n->slowest_wrong += j->slow[k][i].wrong;
		}
}

void tally_transfer(void *arg, const struct judge_said *s)
{
	struct tally_judge *j = arg;
	struct tally *n = j->n;
	const struct world_truth *x = recording_truth(j->r, s->t->submit_seq);
	bool certain = s->certain[FACT_STATE], wrong = false;

	n->transfers++;
	if (!x) { /* of a start that never was */
		n->certain++;
		n->wrong++;
		return;
	}
	for (int i = 0; i < FACT_N; i++) {
		bool right = is_right((enum judge_fact)i, s->t, x);

		weigh(n, i, s->probability[i], right);
		if (!s->certain[i])
			continue;
		n->fact[i]++;
		n->fact_wrong[i] += !right;
		wrong |= !right;
	}
	n->certain += certain;
	n->wrong += wrong;
	n->unknown += !certain;
	n->beyond += !certain && !x->touched;
	if (wrong)
		n->false_state[s->t->state]++;
	if (j->seen++ >= j->skip) {
		n->counted++;
		n->limited += !certain;
		n->limited_beyond += !certain && !x->touched;
	}
	if (s->certain[FACT_INTERRUPT])
		keep_slow(j, 0, transfer_phase_ns(s->t, PHASE_DEVICE), wrong);
	if (s->certain[FACT_END])
		keep_slow(j, 1, transfer_phase_ns(s->t, PHASE_TOTAL), wrong);
	if (j->tell)
		j->tell(j->tell_arg, s, x, certain, wrong);
	if (j->judged)
		j->judged[x - j->r->truth]++;
}

void tally_vector(void *arg, int64_t channel, int32_t irq)
{
	struct tally_judge *j = arg;

	if (channel < 0 || channel >= j->r->o.channels)
		return;
	if (irq == JUDGE_UNCLEAR)
		j->n->vector_unclear++;
	else if (irq == world_irq(&j->r->o, (unsigned)channel))
		j->n->vector_right++;
	else
		j->n->vector_wrong++;
}
