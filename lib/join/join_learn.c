/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is learned before anything is decided. The first events are gone through several
 * times, each pass judged by what the one before counted. Such passes only refine the
 * reading that they begin with: begun without any, they give an interrupt to the transfer
 * that it lies in. Where that leaves transfers without one and interrupts over, other
 * readings are tried from their own beginning: that programs wake before the interrupt is
 * handled, and that the k-th interrupt is the k-th transfer's, or each that of the oldest
 * without one. The one that makes all times likeliest is kept (each time weighed by the
 * densities of the others); where that does not decide, the one that leaves clearly
 * least, else the first, and where something speaks against that one too, all its
 * transfers are unknown.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/join/join_learn.h"
#include "lib/join/join_decide.h"
#include "lib/join/join_trellis.h"

#define SETTLED		 0.001f /* change of a rate from one pass to the next */
#define SETTLED_STRAY	 0.1f	/* the same of theirs, as a part of it */
#define NO_STRAYS	 1e-6f
#define CLEARLY		 1.5  /* so many fewer that do not fit ... */
#define HALF		 0.5  /* ... and at most this part */
#define DIFFERENT	 0.1  /* of all transfers, in two readings */
#define MANY_LATE	 0.1  /* of all transfers */
#define LEAST_CERTAIN	 0.15 /* of all transfers ... */
#define LEAST_OF_SEVERAL 0.4  /* ... where one interrupt ends several */
#define LITTLE		 0.5  /* a logarithm, for each transfer */
#define WAKES_BEFORE                                                                     \
	"interrupts can be read as those of other transfers as well: the program may "   \
	"wake before its interrupt"
#define DECISIVE                                                                         \
	25.0 /* a logarithm of likelihoods; some of it is how well the                   \
		reading with more freedom bends to chance */

enum { FROZEN = 2, SWINGING = 8, PASSES = 20 };

/* What is gone through: from which transfers on, and up to when all is known. */
struct window {
	uint64_t at[SLOTS];
	int64_t until;
};

/* Back to the beginning; old as in decide_undo(). */
static void unlearned(struct group *g, const struct window *w, float old)
{
	for (size_t s = 0; s < g->nslot; s++) {
		struct channel *c = g->slot[s];
		c->next_decide = c->frontier = w->at[s];
		c->missed = c->told = 0;
		for (uint64_t i = c->base; i < c->tail; i++)
			decide_undo(channel_at(c, i), old);
	}
	for (size_t i = 0; i < g->nev; i++) {
		struct jevent *ev = &g->ev[g->first + i];
		if (ev->end)
			ev->end->queued = true;
		if (ev->irq) {
			ev->irq->undecided = ev->irq->used = 0;
			ev->irq->own = old * ev->irq->own + (1 - old) * ev->irq->stray;
			ev->irq->stray = 0;
			ev->irq->idle = false;
			ev->irq->committed = ev->irq->extra = false;
		}
	}
	for (size_t v = 0; v < SLOTS; v++)
		g->prev_ns[v] = INT64_MIN;
	g->lost_ns = INT64_MIN;
	trellis_root(g->t, (const struct channel *const *)g->slot, g->nslot);
}

/* Without it the first pass would take the interrupts of slow transfers for strays. */
static void learn_scale(struct group *g)
{
	int64_t total_ns[FIRST_LOOK];
	size_t n = 0;

	for (size_t i = 0; i < g->nev && n < FIRST_LOOK; i++) {
		const struct jtransfer *x = g->ev[g->first + i].end;
		if (x && !x->fixed && x->t.woken_ns != DMA_UNKNOWN)
			total_ns[n++] = x->t.woken_ns - x->begin_ns;
	}
	if (n)
		model_scale(&g->m, total_ns, n);
}

/* Have the rates stopped to change? A small one of strays matters as much as a large
 * one. */
static bool settles(const struct model *m, float missing, float stray)
{
	return fabsf(m->p_missing + m->p_late - missing) < SETTLED &&
	       fabsf(m->p_stray - stray) < fmaxf(SETTLED_STRAY * stray, NO_STRAYS);
}

/* ---- passes ---- */

static int passes(struct group *g, const struct window *w, int first, struct err *e)
{
	bool settled = false;
	int r = 0;

	for (int pass = first; pass < PASSES && r >= 0 && !settled; pass++) {
		float missing = g->m.p_missing + g->m.p_late, stray = g->m.p_stray;
		g->m.frozen = pass < FROZEN;
		g->m.blind = !pass;
		bool mean = pass >= SWINGING;
		model_begin(&g->m, mean);
		if (!pass)
			model_derive(&g->m);
		r = group_pass(g, w->until, e);
		model_end(&g->m, mean);
		if (pass > FROZEN)
			model_hasten(&g->m, stray);
		settled = pass > FROZEN && settles(&g->m, missing, stray);
		unlearned(g, w, mean ? 0.5f : 0);
	}
	return r;
}

/* From that beginning (NULL = none); false in *can: it is none. */
static int learn_from(struct group *g, const struct window *w,
		      bool (*begin)(struct group *), bool *can, struct err *e)
{
	model_init(&g->m, g->j->o.pairing);
	unlearned(g, w, 0); /* twice: not even what the pass before counted */
	unlearned(g, w, 0);
	learn_scale(g);
	g->m.often_late = begin != NULL;
	if (!(*can = !begin || begin(g)))
		return 0;
	if (begin)
		model_end(&g->m, false);
	int r = passes(g, w, begin ? FROZEN : 0, e);
	if (begin || r < 0 || g->m.lates < fmax(MANY_LATE * g->m.transfers, FEWEST))
		return r;
	g->m.often_late = true;
	return passes(g, w, FROZEN, e);
}

/* ---- what was learned, kept while others are tried ---- */

/* What passes leave of a transfer. */
struct lesson {
	float counted, asked;
	uint8_t nwitness;
	struct witness witness[CANDIDATES];
};

struct learned {
	struct model m;
	double evidence;
	struct lesson *x; /* of the transfers of all slots, in their order */
	float *own;	  /* of all events, 0 where none is an interrupt */
};

static void learned_free(struct learned *l)
{
	if (!l)
		return;
	free(l->x);
	free(l->own);
	free(l);
}

static struct lesson lesson_of(const struct jtransfer *x)
{
	struct lesson l = {x->counted, x->asked, x->nwitness, {{0}}};

	memcpy(l.witness, x->witness, sizeof(l.witness));
	return l;
}

/* NULL: no memory. */
static struct learned *learned_keep(const struct group *g)
{
	struct learned *l = calloc(1, sizeof(*l));
	size_t n = 0;

	for (size_t s = 0; s < g->nslot; s++)
		n += g->slot[s]->tail - g->slot[s]->base;
	if (!l || !(l->x = calloc(n + 1, sizeof(*l->x))) ||
	    !(l->own = calloc(g->nev + 1, sizeof(*l->own)))) {
		learned_free(l);
		return NULL;
	}
	n = 0;
	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++)
			l->x[n++] = lesson_of(channel_at(g->slot[s], i));
	for (size_t i = 0; i < g->nev; i++)
		l->own[i] = g->ev[g->first + i].irq ? g->ev[g->first + i].irq->own : 0;
	l->m = g->m;
	l->evidence = g->evidence;
	return l;
}

/* As it was then; `unlearned` was called since. */
static void learned_back(struct group *g, const struct learned *l)
{
	const struct lesson *k = l->x;

	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++, k++) {
			struct jtransfer *x = channel_at(g->slot[s], i);
			x->counted = k->counted;
			x->asked = k->asked;
			x->nwitness = k->nwitness;
			memcpy(x->witness, k->witness, sizeof(x->witness));
		}
	for (size_t i = 0; i < g->nev; i++)
		if (g->ev[g->first + i].irq)
			g->ev[g->first + i].irq->own = l->own[i];
	g->m = l->m;
	g->evidence = l->evidence;
}

/* ---- which one? ---- */

static bool clearly_fewer(double a, double b)
{
	return a + CLEARLY <= b && a <= HALF * b;
}

/* How many transfers have no interrupt and interrupts no transfer; and, where there is
 * one for each, or hardly any ends several, how many are shared. */
static double odd_ones(const struct group *g, bool even)
{
	double shared = even || !ends_several(&g->m) ? model_shared(&g->m) : 0;

	return g->m.missing + g->m.strays + shared;
}

/* One way to read the first events, and how well it fits. */
struct reading {
	bool can;
	double odd, evidence;
};

static struct reading judge(const struct group *g, bool can, bool even)
{
	if (!can)
		return (struct reading){false, HUGE_VAL, -HUGE_VAL};
	return (struct reading){true, odd_ones(g, even), g->evidence};
}

/* Do many transfers have another interrupt in the one than in the other? */
static bool differ(const struct group *g, size_t a, size_t b)
{
	size_t n = 0, all = 0;

	for (size_t s = 0; s < g->nslot; s++)
		for (uint64_t i = g->slot[s]->base; i < g->slot[s]->tail; i++) {
			const struct jtransfer *x = channel_at(g->slot[s], i);
			n += x->reading[a] != x->reading[b];
			all++;
		}
	return (double)n > DIFFERENT * (double)all;
}

/* Of the readings that explain the times about as well as the best, the first but for one
 * that leaves clearly less. */
static size_t best_of(const struct reading r[READINGS])
{
	double most = r[0].evidence;
	size_t best = READINGS;

	for (size_t i = 1; i < READINGS; i++)
		most = fmax(most, r[i].evidence);
	for (size_t i = 0; i < READINGS; i++)
		if (r[i].can && r[i].evidence > most - DECISIVE &&
		    (best == READINGS || clearly_fewer(r[i].odd, r[best].odd)))
			best = i;
	return best;
}

/* The other one that may be as right, and is different; best: there is none. */
static size_t rival_of(const struct group *g, const struct reading r[READINGS],
		       size_t best)
{
	for (size_t i = 0; i < READINGS; i++)
		if (i != best && r[i].can &&
		    r[i].evidence > r[best].evidence - DECISIVE &&
		    !clearly_fewer(r[best].odd, r[i].odd) && differ(g, i, best))
			return i;
	return best;
}

static bool any_queue(const struct group *g)
{
	for (size_t s = 0; s < g->nslot; s++)
		if (g->slot[s]->mode == MODE_QUEUE)
			return true;
	return false;
}

/* It explains the times better than the first, but leaves as much that does not fit: what
 * neither knows of moves the one or the other by so little a transfer. */
static bool likelier_only(const struct reading r[READINGS], size_t best, double n)
{
	return r[best].evidence - r[0].evidence < LITTLE * n &&
	       !clearly_fewer(r[best].odd, r[0].odd);
}

/* The readings but the first, which is learned, and the best of all, which stays learned;
 * the first's rival, or the best: it has none. */
static int try_others(struct group *g, const struct window *w, bool even, int moved,
		      size_t *rival, struct err *e)
{
	bool (*const begin[READINGS])(struct group *) = {NULL, begin_behind_the_end,
							 begin_in_turn};
	struct reading fit[READINGS] = {judge(g, true, even)};
	struct learned *kept[READINGS] = {learned_keep(g)};
	size_t best = 0;
	bool can;
	int r = kept[0] ? 0 : join_nomem(e);

	for (size_t i = 1; i < READINGS && r >= 0; i++) {
		g->reading = i;
		r = learn_from(g, w, begin[i], &can, e);
		/* Programs that are hardly ever late are not read that way. */
		if (i == 1 && g->m.lates < MANY_LATE * g->m.transfers)
			can = false;
		fit[i] = judge(g, can, even);
		if (r >= 0 && !(kept[i] = learned_keep(g)))
			r = join_nomem(e);
	}
	if (r >= 0) {
		best = best_of(fit);
		*rival = rival_of(g, fit, best);
		if (!best && *rival == 1 && moved < 0)
			best = 1;
		g->reading = best;
		learned_back(g, kept[best]);
		if (best && likelier_only(fit, best, g->m.transfers) &&
		    differ(g, 0, best))
			g->doubt = WAKES_BEFORE;
	}
	for (size_t i = 0; i < READINGS; i++)
		learned_free(kept[i]);
	return r;
}

/* g->reading is 0 and learned; moved: check_follows(). */
static int choose(struct group *g, const struct window *w, bool even, int moved,
		  struct err *e)
{
	size_t rival = 0;
	int r = try_others(g, w, even, moved, &rival, e);

	if (r < 0 || g->reading)
		return r;
	if (rival && (moved <= 0 || any_queue(g)))
		g->doubt = WAKES_BEFORE;
	else if (check_shifted(g, even))
		g->doubt = "as many interrupts as transfers, but they seem not to match: "
			   "all may be shifted";
	return r;
}

/* What was learned, tried on what it was learned from: are too few transfers certain?
 * Then the model fits nothing here, and those few are no more certain than the others. */
static int too_few(struct group *g, const struct window *w, bool *few, struct err *e)
{
	struct model *learned = malloc(sizeof(*learned));

	if (!learned)
		return join_nomem(e);
	*learned = g->m;
	g->judged = g->certain = 0;
	int r = group_pass(g, w->until, e);
	double least = ends_several(learned) ? LEAST_OF_SEVERAL : LEAST_CERTAIN;
	*few = g->judged >= FEWEST && (double)g->certain < least * (double)g->judged;
	g->m = *learned;
	free(learned);
	unlearned(g, w, 1);
	return r;
}

int group_learn(struct group *g, bool all, struct err *e)
{
	struct window w = {.until = INT64_MAX};
	bool can;

	for (size_t s = 0; s < g->nslot; s++)
		w.at[s] = g->slot[s]->base > g->slot[s]->frontier ? g->slot[s]->base
								  : g->slot[s]->frontier;
	for (size_t i = 0; i < g->nev && !all; i++)
		if (g->ev[g->first + i].irq)
			w.until = g->ev[g->first + i].time_ns;
	g->learning = true;
	int r = learn_from(g, &w, NULL, &can, e);
	bool even = begin_fits_in_turn(g);
	int moved = check_follows(g);
	/* Where nothing at all is, it is not another: in that the first transfer would
	 * have none, the last two. */
	if (r >= 0 && odd_ones(g, even) >= ODD && g->m.transfers >= FEWEST &&
	    (g->m.pairing == PAIRING_INFER || g->m.pairing == PAIRING_ONE))
		r = choose(g, &w, even, moved, e);
	if (!g->doubt && g->m.lates < HALF * g->m.transfers && moved < 0)
		g->doubt = "the program does not wake later when the interrupt comes "
			   "later: it may be another's";
	if (!g->doubt && check_grows_elsewhere(g))
		g->doubt = "times go with sizes as if interrupts were those of other "
			   "transfers: all may be shifted";
	bool few = false;
	if (r >= 0 && !g->doubt)
		r = too_few(g, &w, &few, e);
	if (few)
		g->doubt = "too few transfers here can be told from their neighbours";
	g->learning = false;
	g->learned = true;
	return r;
}
