/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decisions. A transfer has an interrupt, or has none, when hardly anything speaks
 * against it (doubt_open()); else it is unknown. It leaves once every transfer that may
 * share its interrupt is decided too, so that `coalesced` is true of what is handed out.
 */
#include "lib/join/join_decide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/join/join_doubt.h"
#include "lib/join/join_fit.h"

#define USUAL	30 /* one transfer in so many has as many interrupts */
#define SURPLUS 0.9998f

struct jtransfer *transfer_new(struct join *j)
{
	struct jtransfer *x = j->free_transfer;

	if (!x)
		return calloc(1, sizeof(*x));
	j->free_transfer = x->next_free;
	memset(x, 0, sizeof(*x));
	return x;
}

void transfer_free(struct join *j, struct jtransfer *x)
{
	x->next_free = j->free_transfer;
	j->free_transfer = x;
}

/* ---- candidates ---- */

void decide_candidate(struct jtransfer *x, struct jirq *q, float p, bool held)
{
	float late = held ? p : 0;

	for (size_t i = 0; i < x->ncand; i++)
		if (x->cand[i].irq == q) {
			x->cand[i].weight += p;
			x->cand[i].held += late;
			return;
		}
	if (x->ncand == CANDIDATES) {
		x->other += p;
		return;
	}
	x->cand[x->ncand++] = (struct candidate){.irq = q, .weight = p, .held = late};
	q->undecided++;
}

void decide_device(struct group *g, const struct jirq *q, struct jtransfer *x,
		   const struct work *w, float p)
{
	if (x->doubt)
		return;
	for (size_t i = 0; i < x->ncand; i++)
		if (x->cand[i].irq == q)
			x->cand[i].device += p;
	density_add(&g->m.device[0], q->time_ns - w->from_ns, p);
	density_add(&g->m.service, (q->time_ns - w->from_ns) / (int64_t)w->n, p);
	density_add(&g->m.device[w->n < RUNS ? w->n : RUNS], q->time_ns - w->from_ns, p);
}

static struct witness *witness_of(struct jtransfer *x, const struct jirq *q)
{
	size_t i = 0;

	while (i < x->nwitness && x->witness[i].seq != q->seq)
		i++;
	if (i == CANDIDATES)
		return NULL;
	if (i == x->nwitness)
		x->witness[x->nwitness++] = (struct witness){.seq = q->seq};
	return &x->witness[i];
}

void decide_undo(struct jtransfer *x, float old)
{
	x->nwitness = old > 0 ? x->nwitness : 0;
	for (size_t i = 0; i < x->nwitness; i++) {
		x->witness[i].device *= old;
		x->witness[i].told *= old;
	}
	x->asked *= old;
	x->counted = old * x->counted + (1 - old) * (float)x->total;
	for (size_t i = 0; i < x->ncand; i++) {
		const struct candidate *c = &x->cand[i];
		struct witness *w = witness_of(x, c->irq);
		if (w) {
			w->device += (1 - old) * c->device;
			w->told += (1 - old) * c->told;
		}
		x->asked += x->t.wait_ns > c->irq->time_ns ? (1 - old) * c->told : 0;
	}
	x->total = false;
	x->ncand = 0;
	x->other = x->cut = 0;
	x->mark = 0;
	x->latched = false;
	x->together = x->run = 0;
	x->t.irq_count = 0;
}

/* ---- transfers ---- */

static bool is_late(const struct jtransfer *x, const struct jirq *q)
{
	return x->t.woken_ns != DMA_UNKNOWN && q->time_ns > x->t.woken_ns;
}

/* Each candidate counts as much as it is likely. One that was held up until it told of
 * another too teaches nothing of late ones: any that is missing can be read so. */
static void learn_candidate(struct model *m, const struct jtransfer *x,
			    struct candidate *c, float weight)
{
	const struct transfer *t = &x->t;
	const struct jirq *q = c->irq;

	weight -= c->held;
	if (weight <= 0.01f)
		return;
	if (is_late(x, q)) {
		m->lates += weight;
		m->waited += weight;
		density_add(&m->late, q->time_ns - t->woken_ns, weight);
		c->told += weight;
		return;
	}
	density_add(&m->age, q->time_ns - x->begin_ns, weight);
	if (t->woken_ns == DMA_UNKNOWN || x->covered)
		return;
	bool asked = t->wait_ns > q->time_ns;
	int64_t ns = t->woken_ns - (asked ? t->wait_ns : q->time_ns);
	density_add(&m->notice, ns, weight);
	density_add(asked ? &m->asked : &m->woken, ns, weight);
	m->waited += asked ? 0 : weight;
	c->told += weight;
}

/* The last of c that was begun before `at`, but for x; NULL = none that is kept. */
static const struct jtransfer *begun_before(const struct channel *c, int64_t at,
					    const struct jtransfer *x)
{
	uint64_t low = channel_begun_from(c, at);
	const struct jtransfer *y = low > c->base ? channel_at(c, low - 1) : NULL;
	return y != x ? y : low > c->base + 1 ? channel_at(c, low - 2) : NULL;
}

/* No other transfer of its group in flight meanwhile. */
static bool was_alone(const struct jtransfer *x)
{
	const struct group *g = x->c->g;

	if (!g || x->t.woken_ns == DMA_UNKNOWN)
		return false;
	for (size_t s = 0; s < g->nslot; s++) {
		const struct jtransfer *y = begun_before(g->slot[s], x->end_ns, x);
		if (y && y->end_ns > x->begin_ns)
			return false;
	}
	return true;
}

/* That its interrupt is missing and a stray came in its place is one doubt, not two
 * facts: a transfer that was alone teaches that interrupts go missing only when it holds
 * none. Otherwise the two rates would feed on one another, and every odd time on both. */
static float learn_alone(struct model *m, struct jtransfer *x, float none)
{
	size_t inside = 0, at = 0;

	for (size_t i = 0; i < x->ncand; i++)
		if (!is_late(x, x->cand[i].irq)) {
			inside++;
			at = i;
		}
	if (!inside || !was_alone(x))
		return none;
	/* Where many are late, it may hold that of the transfer before. */
	float stray = x->cand[at].irq->stray;
	float both = m->often_late ? fminf(none, stray) : none;
	if (stray > LEAST_STRAY)
		m->strays = fmax(m->strays - both, 0);
	if (inside == 1 && x->ncand == 1)
		learn_candidate(m, x, &x->cand[at], both);
	return none - both;
}

static void learn(struct model *m, struct jtransfer *x, float none)
{
	const struct transfer *t = &x->t;

	m->transfers++;
	for (size_t i = 0; i < x->ncand; i++)
		learn_candidate(m, x, &x->cand[i], x->cand[i].weight);
	none = learn_alone(m, x, none);
	if (t->woken_ns != DMA_UNKNOWN) {
		float unseen = none;
		for (size_t i = 0; i < x->ncand; i++)
			unseen += is_late(x, x->cand[i].irq) ? x->cand[i].weight : 0;
		m->unseen += unseen;
		m->turns += unseen * fit_turn_share(m, x);
		m->missing += none;
		density_add(&m->total, t->woken_ns - x->begin_ns, 1);
		density_add(&m->turn, channel_turn_ns(x), 1);
		x->total = true;
	}
	if (++m->fresh >= 256 && !m->total.still)
		model_derive(m);
}

static void take_irq(struct jtransfer *x, struct jirq *q)
{
	struct transfer *t = &x->t;

	x->irq = q;
	q->used++;
	q->refs++;
	t->irq_ns = q->time_ns;
	t->irq_seq = q->seq;
	t->irq = q->irq;
	t->irq_cpu = q->cpu;
	t->irq_count++;
	if (x->fixed && (t->state != STATE_ABORTED || q->time_ns > x->end_ns))
		return;
	if (x->fixed)
		t->reason = "its interrupt came before its "
			    "channel was started or stopped again";
	t->state = is_late(x, q) ? STATE_LATE : STATE_COMPLETE;
}

/* Which interrupt ends it is not known: what the wait did not show may have been. */
static void without_vector(struct jtransfer *x)
{
	struct transfer *t = &x->t;

	if (x->fixed && t->state != STATE_ABORTED)
		return;
	t->state = !x->fixed && t->woken_ns != DMA_UNKNOWN ? STATE_POLLED : STATE_UNKNOWN;
	t->reason = t->state == STATE_POLLED
			    ? "which interrupt ends it was not found"
			    : "it may have ended: which interrupt does was not found";
}

static void without_irq(struct join *j, struct jtransfer *x)
{
	struct transfer *t = &x->t;

	if (j->o.undecided && !x->c->g)
		return without_vector(x);
	if (x->fixed)
		return;
	if (t->woken_ns != DMA_UNKNOWN) {
		t->state = x->c->g ? STATE_NO_INTERRUPT : STATE_POLLED;
	} else if (j->finishing && x->index + x->c->nopen >= x->c->tail) {
		t->state = STATE_IN_FLIGHT;
		t->reason = "not ended when the recording stopped";
	} else {
		t->state = STATE_UNKNOWN;
		t->reason = "neither an interrupt nor a wait shows its end";
	}
}

/* Lost samples, or a lost order: nothing that was concluded stands. */
static const char *doubtful(struct join *j, const struct jtransfer *x)
{
	int64_t end = x->end_ns, begin = x->t.submit_ns, late = 0;

	if (x->t.state == STATE_CIRCULAR || (x->t.state == STATE_FAILED && !x->absence))
		return NULL;
	if (x->doubt)
		return x->doubt;
	if (x->t.woken_ns != DMA_UNKNOWN && x->t.woken_ns < x->t.submit_ns)
		return "its end would lie before its start";
	if (x->c->g && x->c->g->doubt && (x->irq || !x->fixed))
		return x->c->g->doubt;
	if (x->irq && x->irq->time_ns > end)
		end = x->irq->time_ns;
	if (!j->loss.n)
		return NULL;
	if (x->c->g) { /* interrupts of transfers that were lost may come soon behind */
		const struct model *m = &x->c->g->m;
		begin -= 2 * m->total.median_ns;
		if (!x->irq && m->often_late) /* and its own, where programs poll */
			late = m->late.high_ns;
	}
	if (join_lossy(j, begin, end))
		return join_loss_word(j, begin, end, LOST_WITHIN, LATE_WITHIN);
	if (!join_lossy(j, begin, end + late))
		return NULL;
	return join_loss_word(j, begin, end + late,
			      "samples were lost soon behind it, perhaps its interrupt",
			      "samples came too late to be put in order soon behind it");
}

static void forget_irq(struct jtransfer *x)
{
	struct transfer *t = &x->t;

	if (x->irq) {
		x->irq->used--;
		x->irq->refs--;
		x->irq = NULL;
		t->irq_ns = t->irq_seq = DMA_UNKNOWN;
		t->irq = t->irq_cpu = -1;
	}
	t->irq_count = 0;
}

/* May it have ended before it was given up? */
static bool may_have_ended(const struct jtransfer *x)
{
	for (size_t i = 0; i < x->ncand; i++)
		if (x->cand[i].weight > 0.01f && x->cand[i].irq->time_ns <= x->end_ns)
			return true;
	return false;
}

/* Is the wait that saw its end known, whatever is of its interrupt? Of a call that returns
 * at the end, and of the only one in flight on a channel that was never used otherwise:
 * behind an overlap a wait may be for one that was overlooked. And of a queue that was
 * seen from its beginning, with every call. */
static bool end_is_seen(const struct join *j, const struct jtransfer *x)
{
	const struct transfer *t = &x->t;
	bool in_turn = x->alone && x->c->mode == MODE_OPEN && !x->c->overlapped;
	bool queued = x->c->mode == MODE_QUEUE && j->o.from_start && j->o.whole;

	return (in_turn || queued || x->blocking) && !x->fixed && !x->dead && !x->doubt &&
	       t->woken_ns != DMA_UNKNOWN && t->woken_ns >= t->submit_ns &&
	       !join_lossy(j, t->submit_ns, x->end_ns);
}

static void finish(struct join *j, struct jtransfer *x, struct jirq *q, bool none)
{
	struct transfer *t = &x->t;
	const char *why;

	if (q)
		take_irq(x, q);
	else if (none)
		without_irq(j, x);
	else if (!x->fixed || (t->state == STATE_ABORTED && may_have_ended(x))) {
		t->state = STATE_UNKNOWN;
		t->reason = doubt_reason(x);
	}
	if ((why = doubtful(j, x))) {
		forget_irq(x);
		t->state = STATE_UNKNOWN;
		t->reason = why;
	}
	t->end_certain = t->state == STATE_UNKNOWN && end_is_seen(j, x);
	x->decided = true;
}

/* Did one end that is unknown, when no interrupt had come for it yet? */
static bool perhaps_anothers(const struct group *g, const struct jirq *q)
{
	size_t vector = vector_index(g, q->irq);

	for (size_t s = 0; s < g->nslot; s++)
		if (g->serves[vector][s] && g->slot[s]->unclear_ns > q->before_ns &&
		    g->slot[s]->unclear_ns <= q->time_ns)
			return true;
	return false;
}

int decide(struct group *g, struct jtransfer *x, struct err *e)
{
	float sum = doubt_with_one(x);
	struct candidate *best = NULL;
	int r = 0;

	for (size_t i = 0; i < x->ncand; i++)
		if (!best || x->cand[i].weight > best->weight)
			best = &x->cand[i];
	float doubt = doubt_open(g);
	bool sure = best && best->weight - x->cut >= 1 - doubt;
	struct jirq *q = sure && !doubt_others(x, best->irq) ? best->irq : NULL;
	struct jirq *next = q && x->t.woken_ns != DMA_UNKNOWN ? doubt_behind(x, q) : NULL;
	if (next)
		q = NULL;
	bool missed = sum < 0.5f && !x->dead && !x->fixed;
	x->likelier = missed ? doubt_likelier(x) : 0;
	if (missed && x->t.woken_ns != DMA_UNKNOWN)
		model_seems(&g->m, x->likelier, 1.0f / fmaxf((float)x->run, 1));
	g->m.runs += missed && x->together > 1 && x->c->missed == x->index;
	bool none = sum + x->cut <= doubt && doubt_none(x);
	if (!x->dead && !x->fixed && !x->doubt)
		learn(&g->m, x, sum < 1 ? 1 - sum : 0);
	if (missed) {
		x->c->missed = x->index + 1;
		x->c->missed_ns = x->end_ns;
	}
	if (g->learning) {
		g->judged += !x->dead && !x->fixed;
		g->certain += !x->dead && !x->fixed && (q || none);
		x->reading[g->reading] =
			best && best->weight > 0.5f ? best->irq->time_ns : DMA_UNKNOWN;
		return 0;
	}
	if (next)
		next->perhaps_more = true;
	finish(g->j, x, q, none);
	if (x->irq)
		x->irq->perhaps_more |= perhaps_anothers(g, x->irq);
	if (x->t.state == STATE_UNKNOWN && !x->dead)
		x->c->unclear_ns = x->end_ns;
	for (size_t i = 0; i < x->ncand && r >= 0; i++) {
		x->cand[i].irq->undecided--;
		x->cand[i].irq->perhaps_more |= x->t.state == STATE_UNKNOWN;
		if (x->cand[i].irq != x->irq)
			r = decide_irq(g, x->cand[i].irq, e);
	}
	x->ncand = 0;
	return r < 0 || !x->irq ? r : decide_irq(g, x->irq, e);
}

/* ---- interrupts ---- */

static void irq_free(struct join *j, struct jirq *q)
{
	if (!q->counted || q->refs)
		return;
	q->next = j->free_irq;
	j->free_irq = q;
}

/* The transfer that a further interrupt belongs to, where several for one are the
 * rule. */
static bool is_extra(struct group *g, const struct jirq *q)
{
	if (!picks_one(g->m.pairing))
		return false;
	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			struct jtransfer *x = channel_at(g->slot[s], i);
			if (x->t.submit_ns > q->time_ns)
				break;
			if (x->dead || x->end_ns < q->time_ns || x->decided)
				continue;
			x->t.irq_count++;
			return true;
		}
	return false;
}

static const char *stray_reason(const struct group *g, const struct jirq *q)
{
	if (q->running_circular)
		return "a circular transfer runs";
	if (q->idle)
		return "no transfer in flight";
	if (q->leftover)
		return join_loss_word(
			g->j, q->time_ns - LEFTOVER * g->m.total.median_ns, q->time_ns,
			"samples were lost before it, perhaps its transfer",
			"samples before it came too late to be put in order");
	return q->stray > SURPLUS
		       ? "surplus: every transfer in flight has its own"
		       : "several readings: it may have ended a transfer, or none";
}

int decide_irq(struct group *g, struct jirq *q, struct err *e)
{
	struct join *j = g->j;
	int r = 0;

	if (!q->committed || q->counted)
		return 0;
	if (!q->extra && q->stray > 0.9f)
		q->extra = is_extra(g, q);
	if (q->undecided)
		return 0;
	q->counted = true;
	if (q->used || q->extra) {
		j->n.interrupts_used++;
	} else {
		struct sample s = {.time_ns = q->time_ns,
				   .seq = q->seq,
				   .card = g->nslot == 1 ? g->slot[0]->card : DMA_UNKNOWN,
				   .channel = g->nslot == 1 ? g->slot[0]->channel
							    : DMA_UNKNOWN,
				   .irq = q->irq,
				   .cpu = q->cpu,
				   .tid = -1};
		r = join_stray(j, STRAY_INTERRUPT, &s, stray_reason(g, q), e);
	}
	irq_free(j, q);
	return r;
}

/* ---- handing out ---- */

static void count(struct join *j, const struct transfer *t)
{
	j->n.transfers++;
	j->n.by_state[t->state]++;
	for (int p = 0; p < PHASE_N; p++) {
		int64_t v = transfer_phase_ns(t, p);
		if (v != DMA_UNKNOWN && v < 0)
			j->n.negative++;
	}
}

/* Where several interrupts for one transfer are the rule: it has more than most, so that
 * another's may be among them, or as few as hardly any. */
static bool unusual(struct model *m, int32_t n)
{
	size_t k = n < REPEATS ? (size_t)n : REPEATS, most = 0;
	uint64_t all = 0;

	m->repeats[k]++;
	for (size_t i = 1; i <= REPEATS; i++) {
		all += m->repeats[i];
		if (m->repeats[i] > m->repeats[most])
			most = i;
	}
	return k > most || m->repeats[k] * USUAL < all;
}

static int hand_out(struct join *j, struct jtransfer *x, struct err *e)
{
	struct jirq *q = x->irq;

	if (q) {
		x->t.coalesced = q->perhaps_more ? 0 : (int32_t)q->used;
		q->refs--;
		irq_free(j, q);
	}
	/* Its interrupts stay accounted for as its own, whichever of them ended it. */
	if (q && picks_one(j->o.pairing) && unusual(&x->c->g->m, x->t.irq_count)) {
		x->t.state = STATE_UNKNOWN;
		x->t.end_certain = end_is_seen(j, x);
		x->t.reason = "not as many interrupts as usual: "
			      "one may be missing, or another's";
		x->t.irq_ns = x->t.irq_seq = DMA_UNKNOWN;
		x->t.irq = x->t.irq_cpu = -1;
		x->t.coalesced = 0;
	}
	count(j, &x->t);
	int r = j->sink.transfer ? j->sink.transfer(j->sink.arg, &x->t, e) : 0;
	transfer_free(j, x);
	return r;
}

int group_flush(struct join *j, struct channel *c, struct err *e)
{
	int r = 0;

	for (; c->base < c->tail && r >= 0; c->base++) {
		struct jtransfer *x = channel_at(c, c->base);
		if (!c->g && !x->decided && (x->ended || j->finishing))
			finish(j, x, NULL, true);
		if (!x->decided || (x->opener && !j->finishing) ||
		    (x->irq && !x->irq->counted))
			return r;
		r = hand_out(j, x, e);
	}
	return r;
}
