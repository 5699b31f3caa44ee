/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which wait ended which transfer of one channel. Two readings of a start before the end
 * of the one before it: the channel has a queue (a wait ends the oldest), or the old
 * transfer was aborted, or is covered by the next wait (a wait ends the last). The calls
 * alone look alike at first, so what comes after such a start is held back until the
 * evidence decides:
 *  - two waits in a row that both end something: a queue;
 *  - three starts in a row, then waits and starts in turn with as many left over: a
 * queue;
 *  - interrupts between a wait and the next start: a queue;
 *  - several starts, one wait, again and again: the wait is for all; so it is if more
 *    are left over by every wait;
 *  - what is left over grows, stays, and grows again: starts that aborted;
 *  - how long the transfers of either reading took, against those that were plain, or
 *    whether that goes with their sizes, or how regular it is.
 * What is held for too long becomes unknown. After a loss the order is in doubt until the
 * channel is provably empty: how many of the waits to come are for transfers from before
 * is not known, and how long they take does not prove it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/join/join_priv.h"

enum {
	HOLD = 2048,
	PLAIN = 20,
	FEWEST_PLAIN = 10,
	BEGINS = 4,
	ALTERNATED = 8,
	IN_TURN = 2,
	EMPTIED = 32,
	EMPTIED_PAUSE = 16,
	STEADY = 64,
	PARKED = 512,
	FEWER = 64,
	LONG = 64,
	GAPS = 6
};
#define CERTAIN	   6.0f
#define ALMOST	   5.5f /* anything more of the kind decides */
#define TELLS_SIZE 0.5	/* correlation of times with sizes */
#define FREEDOM	   3.0
#define LEAST_VAR  0.01 /* of the logarithm of a time: 10 % */

#define RESTARTED "its channel was started again before it ended"
#define HELD	  "a start before the end of the one before: a restart or a queue"
#define PROCESSES                                                                        \
	"another process used the channel at the same time, and no card is known: it "   \
	"may be another card's"

struct jtransfer *channel_oldest(struct channel *c)
{
	while (c->open < c->tail && channel_at(c, c->open) &&
	       channel_at(c, c->open)->ended)
		c->open++;
	if (c->open < c->base)
		c->open = c->base;
	while (c->open < c->tail && channel_at(c, c->open)->ended)
		c->open++;
	return channel_at(c, c->open);
}

struct jtransfer *channel_waitable(struct channel *c)
{
	struct jtransfer *x = channel_oldest(c);

	while (x && (x->ended || x->blocking))
		x = channel_at(c, x->index + 1);
	return x;
}

static struct jtransfer *newest(struct channel *c, uint64_t before)
{
	for (uint64_t i = before < c->tail ? before : c->tail; i > c->base; i--)
		if (!channel_at(c, i - 1)->ended && !channel_at(c, i - 1)->blocking)
			return channel_at(c, i - 1);
	return NULL;
}

static int over(struct join *j, struct jtransfer *x, struct err *e)
{
	x->ended = true;
	x->c->nopen--;
	return x->c->g ? group_end(j, x, e) : group_flush(j, x->c, e);
}

int channel_close(struct join *j, struct jtransfer *x, enum transfer_state s,
		  const char *why, int64_t at, struct err *e)
{
	if (x->ended)
		return 0;
	x->fixed = true;
	x->t.state = s;
	x->t.reason = why;
	x->end_ns = at;
	return over(j, x, e);
}

static void with_size(struct corr *c, const struct jtransfer *x, int64_t ns)
{
	if (x->t.size_bytes > 0 && ns > 0)
		corr_add(c, log((double)x->t.size_bytes), log((double)ns));
}

static void learn_total(struct channel *c, const struct jtransfer *x)
{
	if (c->holding || c->doubt || x->doubt || c->mode == MODE_LAST)
		return;
	if (c->mode == MODE_QUEUE || x->index + 1 == c->tail) {
		int64_t ns = x->t.woken_ns - x->t.submit_ns;
		density_add(&c->total, ns, 1);
		with_size(&c->total_size, x, ns);
	}
}

int channel_end(struct join *j, struct jtransfer *x, const struct ending *w,
		struct err *e)
{
	if (x->ended)
		return 0;
	x->t.wait_ns = w->wait_ns;
	x->t.woken_ns = w->woken_ns;
	x->t.woken_seq = w->seq;
	if (w->failed) {
		x->absence = w->absence;
		return channel_close(
			j, x, STATE_FAILED, w->reason,
			w->woken_ns != DMA_UNKNOWN ? w->woken_ns : j->released, e);
	}
	x->end_ns = w->woken_ns;
	learn_total(x->c, x);
	return over(j, x, e);
}

/* ---- the two readings ---- */

/* What becomes of one that was started before the last: the wait was for it too, or it
 * was aborted. A wait that failed returned for the last alone. */
static int end_earlier(struct join *j, struct channel *c, struct jtransfer *x,
		       const struct ending *w, struct err *e)
{
	struct ending all = *w;

	if (!c->drains)
		return channel_close(j, x, STATE_ABORTED, RESTARTED,
				     channel_at(c, x->index + 1)->t.submit_ns, e);
	x->covered = true;
	if (w->failed)
		all.woken_ns = all.seq = DMA_UNKNOWN;
	return channel_end(j, x, &all, e);
}

/* A wait ends the last start. */
static int end_last(struct join *j, struct channel *c, const struct ending *w,
		    struct err *e)
{
	struct jtransfer *x = newest(c, w->before), *old;
	int r = 0;

	while (x && r >= 0 && (old = channel_waitable(c)) && old != x)
		r = end_earlier(j, c, old, w, e);
	return x && r >= 0 ? channel_end(j, x, w, e) : r;
}

static int end_one(struct join *j, struct channel *c, const struct ending *w,
		   struct err *e)
{
	if (c->mode == MODE_LAST)
		return end_last(j, c, w, e);
	struct jtransfer *x = channel_waitable(c);
	if (x && c->parked && x->t.submit_ns >= c->doubt_ns)
		return 0;
	return x ? channel_end(j, x, w, e) : 0;
}

static int release(struct join *j, struct channel *c, struct err *e)
{
	size_t n = c->nheld;
	int r = 0;

	bool gated = c->holding && c->g;

	c->nheld = 0;
	c->holding = false;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = end_one(j, c, &c->held[i], e);
	if (gated)
		c->g->gate--;
	return r < 0 || !gated ? r : group_pump(j, c->g, false, e);
}

static int give_up(struct join *j, struct channel *c, const char *why, struct err *e)
{
	for (uint64_t i = c->base; i < c->tail; i++)
		if (!channel_at(c, i)->ended && !channel_at(c, i)->doubt)
			channel_at(c, i)->doubt = why;
	return release(j, c, e);
}

/* More transfers are left over by each wait, each with its interrupt: no queue takes them
 * all. */
static bool outgrows(const struct channel *c)
{
	bool ended = !c->g || c->irqs * 4 >= c->nopen * 3;

	return ended && c->nopen > c->nheld + c->first_left + c->cycles * 3 / 2;
}

static int settle(struct join *j, struct channel *c, struct err *e)
{
	if (fabsf(c->odds) < CERTAIN) {
		if (c->nheld < HOLD && c->nopen < 2 * HOLD)
			return 0;
		c->doubt = HELD;
		return give_up(j, c, HELD, e);
	}
	c->mode = c->odds > 0 ? MODE_QUEUE : MODE_LAST;
	c->drains = c->mode == MODE_LAST && (c->waves >= 5 || outgrows(c));
	return release(j, c, e);
}

/* Per octave, so that it does not matter where nothing was ever seen. */
static float likeness(const struct density *d, int64_t ns)
{
	return density_at(d, ns, 0) * (float)(ns > 16 ? ns : 16);
}

/* In a queue the card turns to a transfer when it has ended the one before. */
static int64_t queue_time(const struct channel *c, const struct jtransfer *oldest,
			  const struct ending *w)
{
	int64_t from = oldest->t.submit_ns;

	return w->woken_ns - (c->prev_woken > from ? c->prev_woken : from);
}

/* The larger a transfer, the longer it took, and that is no chance. */
static bool tells_size(const struct corr *c)
{
	return c->n >= FEWEST_PLAIN && corr_of(c) > fmax(TELLS_SIZE, 3 / sqrt(c->n));
}

/* Plain transfers show how long one takes. */
static bool taught(const struct channel *c)
{
	return c->total.n >= PLAIN || tells_size(&c->total_size);
}

/* Logarithm of how well a time suits the size: Student's t, as many degrees of freedom as
 * leave room for what is no line, of its distance to the line of the others. */
static float of_size(const struct corr *c, const struct jtransfer *x, int64_t ns)
{
	double mx = c->x / c->n, my = c->y / c->n, r = corr_of(c);
	double xx = c->xx / c->n - mx * mx, yy = c->yy / c->n - my * my;
	double dx = log((double)x->t.size_bytes) - mx;
	double off = log((double)(ns > 16 ? ns : 16)) - my - r * sqrt(yy / xx) * dx;
	double var = (1 - r * r) * yy * (1 + (1 + dx * dx / xx) / c->n) + LEAST_VAR;

	return (float)(-(FREEDOM + 1) / 2 * log1p(off * off / var / FREEDOM) -
		       log(var) / 2);
}

/* What it waited for, if that is the last start, had ended before. One whose return was not
 * seen lasted; one whose call was not seen shows nothing of the card. */
static bool returned_at_once(const struct ending *w, const struct jtransfer *last)
{
	if (w->woken_ns == DMA_UNKNOWN || w->wait_ns == DMA_UNKNOWN)
		return w->woken_ns != DMA_UNKNOWN;
	return w->woken_ns - w->wait_ns < (w->woken_ns - last->t.submit_ns) / 2;
}

/* The times of both readings of this wait, against those of plain transfers. */
static float time_evidence(struct channel *c, const struct ending *w)
{
	struct jtransfer *a = channel_at(c, c->open + c->nheld),
			 *b = newest(c, w->before);

	if (!taught(c) || !a || !b || a == b || w->woken_ns == DMA_UNKNOWN)
		return 0;
	int64_t queue_ns = queue_time(c, a, w);
	int64_t restart_ns = w->woken_ns - b->t.submit_ns;
	float r = logf(likeness(&c->total, queue_ns) / likeness(&c->total, restart_ns));
	if (tells_size(&c->total_size) && a->t.size_bytes > 0 && b->t.size_bytes > 0)
		r = of_size(&c->total_size, a, queue_ns) -
		    of_size(&c->total_size, b, restart_ns);
	return r > 1.5f ? 1.5f : r < -1.5f ? -1.5f : r;
}

int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Half the distance between the quartiles. */
static double spread(const int64_t *ns)
{
	int64_t v[REGULAR];

	memcpy(v, ns, sizeof(v));
	qsort(v, REGULAR, sizeof(*v), by_time);
	return (double)(v[REGULAR * 3 / 4] - v[REGULAR / 4]) / 2 + 100;
}

/* Where no plain transfers were seen: in the right reading the larger ones take longer.
 * If sizes do not tell, the wrong one adds what the program did between to what the card
 * took, so the more regular one is right, where the difference is clear. A wait that
 * returned at once says nothing of the card. */
static float regularity(struct channel *c, const struct ending *w)
{
	struct jtransfer *a = channel_at(c, c->open + c->nheld),
			 *b = newest(c, w->before);

	if (taught(c) || !a || !b || a == b || w->woken_ns == DMA_UNKNOWN ||
	    returned_at_once(w, b))
		return 0;
	int64_t queue_ns = queue_time(c, a, w);
	int64_t restart_ns = w->woken_ns - b->t.submit_ns;
	c->queue_ns[c->nregular % REGULAR] = queue_ns;
	c->restart_ns[c->nregular % REGULAR] = restart_ns;
	with_size(&c->queue_size, a, queue_ns);
	with_size(&c->restart_size, b, restart_ns);
	if (++c->nregular % REGULAR)
		return 0;
	double n = c->queue_size.n;
	double more = corr_of(&c->queue_size) - corr_of(&c->restart_size);
	if (n >= REGULAR / 2 && fabs(more) > CHANCE / sqrt(n))
		return more > 0 ? 8 : -8;
	double r = log(spread(c->restart_ns) / spread(c->queue_ns));
	return fabs(r) < 0.3 ? 0 : (float)r * REGULAR / 4;
}

/* Far fewer interrupts than waits, yet some: one ends several, which takes a queue. */
static bool coalesced(const struct channel *c)
{
	return c->irqs * 2 < FEWER && c->irqs * 16 > FEWER;
}

/* ---- waits ---- */

/* Several starts, and a wait for each: a program does not give up all but the last, to wait
 * as often for nothing. */
static bool one_for_each(const struct channel *c)
{
	return c->wave_starts > 2 && c->waits_behind <= c->wave_starts;
}

/* Was it empty at a start behind its first one, before it overlapped? */
static bool used_in_turn(const struct channel *c)
{
	return c->plain_cycles >= IN_TURN;
}

/* A program that had used the channel in turn, and overlapped once, has a queue of two from
 * there on, or was restarted once. Times alone do not tell: in a queue that the card has
 * emptied they are those of the program, and lean to either side for hundreds of waits. */
static void add_times(struct channel *c, float odds)
{
	if (used_in_turn(c) && odds > 0)
		odds = fmaxf(0, fminf(odds, ALMOST - c->odds));
	c->odds += odds;
}

/* Of two waits in a row both end something: of a channel that had been used in turn the
 * second may be a wait for nothing, if it returned at once. */
static bool ends_another(struct channel *c, const struct ending *w)
{
	const struct jtransfer *last = newest(c, w->before);

	if (!c->nheld || c->nopen <= c->nheld)
		return false;
	return !used_in_turn(c) || !last || !returned_at_once(w, last);
}

static int hold_wait(struct join *j, struct channel *c, const struct ending *w,
		     bool in_a_row, struct err *e)
{
	if (c->nheld == c->aheld) {
		size_t a = c->aheld ? 2 * c->aheld : 64;
		struct ending *p = reallocarray(c->held, a, sizeof(*p));
		if (!p)
			return join_nomem(e);
		c->held = p;
		c->aheld = a;
	}
	if (!w->failed) {
		if (in_a_row && ends_another(c, w))
			c->odds += 8;
		else if (in_a_row && one_for_each(c))
			c->odds += 2;
		add_times(c, time_evidence(c, w) + regularity(c, w));
		if (c->nheld == FEWER && coalesced(c))
			c->odds += 8;
	}
	c->held[c->nheld++] = *w;
	return settle(j, c, e);
}

static void seen(struct channel *c, int64_t at)
{
	if (at > c->last_ns)
		c->last_ns = at;
}

int channel_ending(struct join *j, struct channel *c, const struct ending *w,
		   struct err *e)
{
	bool in_a_row = !c->streak && c->waits;

	c->waits++;
	c->waits_behind++;
	if (c->streak)
		c->waves = c->streak > 1 ? c->waves + 1 : 0;
	else if (one_for_each(c))
		c->waves = 0;
	c->streak = 0;
	const struct jtransfer *last = newest(c, w->before);
	c->lasted = last && !returned_at_once(w, last);
	c->waited |= w->wait_ns != DMA_UNKNOWN && w->wait_ns >= c->doubt_ns;
	seen(c, w->woken_ns != DMA_UNKNOWN ? w->woken_ns : w->wait_ns);
	int r = c->holding ? hold_wait(j, c, w, in_a_row, e) : end_one(j, c, w, e);
	c->prev_woken = w->woken_ns;
	return r;
}

/* ---- starts ---- */

static int ring_room(struct channel *c, struct err *e)
{
	if (c->tail - c->base <= c->mask)
		return 0;
	size_t a = 2 * (c->mask + 1);
	struct jtransfer **p = malloc(a * sizeof(*p));
	if (!p)
		return join_nomem(e);
	for (uint64_t i = c->base; i < c->tail; i++)
		p[i & (a - 1)] = c->ring[i & c->mask];
	free(c->ring);
	c->ring = p;
	c->mask = a - 1;
	return 0;
}

static int abandon(struct join *j, struct channel *c, enum transfer_state s,
		   const char *why, int64_t at, struct err *e)
{
	struct jtransfer *x;
	int r = 0;

	while (r >= 0 && (x = channel_oldest(c)))
		r = channel_close(j, x, s, why, at, e);
	return r;
}

static bool paused(const struct channel *c, int64_t at)
{
	int64_t typical = c->g ? c->g->m.total.median_ns : c->total.median_ns;

	if (c->total.median_ns > typical)
		typical = c->total.median_ns;
	return c->last_ns != DMA_UNKNOWN && typical && at - c->last_ns > 8 * typical;
}

/* How many are in flight when a start comes behind a wait, and when one comes behind a
 * pause: as many as ever once it had begun, or it differs. */
static void count_left(struct left *l, size_t n)
{
	if (l->n != n) {
		l->differs |= l->times >= BEGINS;
		l->times = 0;
	}
	l->n = n;
	l->times++;
}

static bool always(const struct left *l, unsigned times)
{
	return !l->differs && l->times >= times;
}

static void count_start(struct channel *c, int64_t at)
{
	if (c->holding || c->doubt)
		return;
	if (!c->streak && c->waits)
		count_left(&c->by_wait, c->nopen);
	if (paused(c, at))
		count_left(&c->by_pause, c->nopen);
}

/* Is the channel empty at this start, whatever was lost before it? A pause does not show
 * it by itself: a pipelined program pauses with transfers that it has not waited for. */
static bool provably_empty(const struct channel *c, int64_t at)
{
	if (c->crowded)
		return false;
	if (c->sequential ||
	    (c->waited && !c->streak && !c->by_wait.n && always(&c->by_wait, EMPTIED)))
		return true;
	return paused(c, at) && !c->by_pause.n && always(&c->by_pause, EMPTIED_PAUSE);
}

/* A program that had the same number in flight at every start behind a wait, and went on
 * so, one start and one wait in turn: in flight are the last so many that were started. */
static bool as_many_as_ever(struct channel *c)
{
	c->parked &= !c->started || c->waits_behind == 1;
	return c->parked && c->started >= c->by_wait.n + BEGINS;
}

static int leave_parked(struct join *j, struct channel *c, int64_t at, struct err *e)
{
	uint64_t known = c->tail - c->by_wait.n;
	struct jtransfer *x;
	int r = 0;

	while (r >= 0 && (x = channel_oldest(c)) && x->index < known)
		r = channel_close(j, x, STATE_UNKNOWN, c->doubt, at, e);
	for (uint64_t i = known; i < c->tail; i++)
		channel_at(c, i)->doubt = NULL;
	c->doubt = NULL;
	c->parked = false;
	return r;
}

static int leave_doubt(struct join *j, struct channel *c, int64_t at, struct err *e)
{
	if (as_many_as_ever(c))
		return leave_parked(j, c, at, e);
	if (c->until_ns != DMA_UNKNOWN ? at < c->until_ns : !provably_empty(c, at))
		return 0;
	c->until_ns = DMA_UNKNOWN;
	int r = abandon(j, c, STATE_UNKNOWN, c->doubt, at, e);
	c->doubt = NULL;
	c->parked = false;
	return r;
}

/* A start while another is in flight: does it tell the readings apart? A queue may fill
 * by and by, but does not grow by one, stay, and grow again without ever growing
 * shorter. */
static void start_evidence(struct channel *c)
{
	size_t left = c->nopen - c->nheld; /* a queue's reading */

	if (c->streak >= 2 && !c->waits) {
		c->wave = true;
		c->odds += c->streak < 5 ? 1 : 0;
	}
	if (c->streak)
		return;
	if (!c->cycles++)
		c->first_left = left;
	/* Where two signs are against each other, time tells. */
	bool queue_too = c->gap_irqs >= GAPS && outgrows(c);
	if (queue_too ? c->cycles >= LONG : c->waves >= 5)
		c->odds -= 2;
	if (left > c->residue && c->residue && c->plateau >= 5)
		c->odds -= 3;
	if (left == c->residue && c->wave && !outgrows(c))
		c->odds += 0.75f;
	c->plateau = left == c->residue ? c->plateau + 1 : 0;
	c->residue = left;
}

/* Between a wait and the next start nothing is in flight, but in a queue; unless the
 * program wakes before its interrupt, which then comes there from the beginning, or right
 * behind the wait that lasted until all of several starts had ended. */
void channel_irq(struct channel *c)
{
	bool of_wave = ++c->wave_irqs <= c->wave_starts && c->wave_starts > 1;
	bool gap = !c->streak && c->waits && !(of_wave && c->lasted);

	c->irqs += c->holding;
	c->plain_gaps += gap && !c->nopen;
	if (!c->holding || !gap || c->plain_gaps * 8 > c->plain_cycles)
		return;
	if (++c->gap_irqs < GAPS || c->gaps_told || c->gap_irqs * 3 <= c->cycles ||
	    outgrows(c))
		return;
	c->gaps_told = true;
	c->odds += c->plain_cycles ? ALMOST : 8;
}

/* The wait between the two starts may be what was lost: then this start says nothing of
 * the channel, whose doubt comes only when the window has passed on every CPU. */
static bool may_be_lost(struct join *j, struct channel *c, int64_t at)
{
	return c->mode == MODE_OPEN && !c->overlapped && j->loss.n &&
	       join_lossy(j, channel_oldest(c)->t.submit_ns, at);
}

static int overlap(struct join *j, struct channel *c, int64_t at, struct err *e)
{
	int r;

	if (c->mode == MODE_QUEUE || c->doubt || !c->nopen)
		return 0;
	if (may_be_lost(j, c, at)) {
		const char *why = join_loss_word(j, channel_oldest(c)->t.submit_ns, at,
						 LOST_WITHIN, LATE_WITHIN);
		r = channel_doubt(j, c, why, true, e);
		return r < 0 ? r : leave_doubt(j, c, at, e);
	}
	if (c->mode == MODE_LAST)
		return c->residue > 2 ? 0
				      : abandon(j, c, STATE_ABORTED, RESTARTED, at, e);
	if (!c->holding) {
		c->holding = c->overlapped = true;
		c->nregular = 0;
		c->queue_size = c->restart_size = (struct corr){0};
		c->cycles = c->irqs = c->gap_irqs = c->waves = c->plateau = 0;
		c->residue = 0;
		c->wave = c->gaps_told = false;
		if (c->g)
			c->g->gate++;
	}
	start_evidence(c);
	return settle(j, c, e);
}

/* Is one in flight of another process, that may have another card? */
static bool may_be_another(struct channel *c, const struct jtransfer *x)
{
	const struct jtransfer *old = c->nopen ? channel_oldest(c) : NULL;

	return old && c->card == DMA_UNKNOWN && old->t.pid != x->t.pid;
}

int channel_submit(struct join *j, struct channel *c, struct jtransfer *x, struct err *e)
{
	int64_t at = x->t.submit_ns;
	int r = ring_room(c, e);

	if (r < 0) {
		transfer_free(j, x);
		return r;
	}
	x->c = c;
	x->index = c->tail;
	c->ring[c->tail & c->mask] = x;
	/* It is not in the channel yet: what follows speaks of those before it. */
	count_start(c, at);
	if (may_be_another(c, x))
		r = channel_doubt(j, c, PROCESSES, channel_oldest(c)->t.submit_ns, e);
	else if (c->doubt)
		r = leave_doubt(j, c, at, e);
	if (r >= 0 && !x->blocking)
		r = overlap(j, c, at, e);
	if (c->circular_to == INT64_MAX)
		c->circular_to = at;
	c->plain_cycles += !c->streak && !c->nopen;
	x->doubt = c->doubt;
	x->alone = !c->nopen;
	if (c->nopen)
		channel_oldest(c)->alone = false;
	c->parked &= ++c->started < PARKED;
	c->tail++;
	c->nopen++;
	if (!c->streak++)
		c->wave_starts = c->wave_irqs = 0;
	c->wave_starts++;
	c->waits_behind = 0;
	seen(c, at);
	if (r >= 0 && c->nopen > j->o.max_in_flight)
		r = channel_close(j, channel_oldest(c), STATE_UNKNOWN,
				  "too many in flight: given up", at, e);
	return r;
}

int channel_stop(struct join *j, struct channel *c, int64_t at, bool *any, struct err *e)
{
	int r = 0;

	if (c->circular_to == INT64_MAX) {
		c->circular_to = at;
		*any = true;
	}
	if (c->holding) {
		r = give_up(j, c, HELD, e);
		c->odds = 0; /* starts in a row tell once, when they are the first ones */
	}
	if (r < 0)
		return r;
	*any |= channel_oldest(c) != NULL;
	r = abandon(j, c, STATE_ABORTED, "the channel was stopped", at, e);
	if (!c->crowded)
		c->doubt = NULL;
	c->parked = false;
	c->until_ns = DMA_UNKNOWN;
	c->streak = 0;
	return r;
}

int channel_doubt(struct join *j, struct channel *c, const char *why, int64_t from_ns,
		  struct err *e)
{
	if (!c->doubt)
		c->sequential = c->waits >= ALTERNATED &&
				(c->mode == MODE_LAST ||
				 (c->mode == MODE_OPEN && !c->overlapped));
	if (c->until_ns != DMA_UNKNOWN) /* its excess of waits may be what was lost */
		c->until_ns = INT64_MAX;
	seen(c, j->released); /* a pause that was lost proves nothing */
	c->doubt = why;
	c->doubt_ns = j->released;
	c->waited = false;
	c->started = 0;
	/* Whose interrupts come then would be as uncertain as before. */
	c->parked = !c->g && c->mode == MODE_QUEUE && !c->holding && c->by_wait.n &&
		    c->until_ns == DMA_UNKNOWN && always(&c->by_wait, STEADY);
	for (uint64_t i = c->tail; i > c->base && channel_at(c, i - 1); i--) {
		struct jtransfer *x = channel_at(c, i - 1);
		if (x->ended && !x->decided && !x->doubt && x->end_ns >= from_ns)
			x->doubt = why;
	}
	return give_up(j, c, why, e);
}

int channel_finish(struct join *j, struct channel *c, struct err *e)
{
	return c->holding ? give_up(j, c, HELD, e) : 0;
}
