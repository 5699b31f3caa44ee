/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order-preserving alignment, walked interrupt by interrupt (a pair HMM: Durbin, Eddy,
 * Krogh, Mitchison 1998, chapter 4), with a beam. All states of a layer have read the same
 * interrupts, so their weights compare.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gate/align/align.h"
#include "lib/err.h"

enum { HASH = 4096, MOST_STATES = 2048, TOGETHER = 3 };

/* The most that one match gains beyond what was hoped of it, natural logarithm: bounds a
 * search, decides nothing. */
#define EARN 25.0

/* One interrupt read from one state. */
struct attempt {
	struct group *g;
	uint32_t from;
	struct use_irq *irq;
	size_t vector;
	unsigned nmatch;
	struct match match[TOGETHER];
	int64_t now;
};

static int nomem(struct err *e)
{
	return err_nomem(e, "the joiner");
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t pos_key(size_t slot, const struct pos *p)
{
	return mix(mix(p->open * 64 + slot) + (uint64_t)p->last_ns * 4 + p->hyp);
}

/* ---- arenas ---- */

static int grow(void **p, size_t *a, size_t need, size_t each)
{
	size_t n = *a ? *a : 64;
	void *x;

	if (need <= *a)
		return 0;
	while (n < need)
		n *= 2;
	x = reallocarray(*p, n, each);
	if (!x)
		return -1;
	*p = x;
	*a = n;
	return 0;
}

static struct state *state_add(struct group *g)
{
	if (grow((void **)&g->states, &g->astates, g->nstates + 1, g->stride) < 0)
		return NULL;
	return state_at(g, g->nstates++);
}

static struct layer *layer_add(struct group *g, struct use_irq *q)
{
	struct layer *l;

	if (grow((void **)&g->layer, &g->alayer, g->nlayer + 1, sizeof(*l)) < 0)
		return NULL;
	l = &g->layer[g->nlayer++];
	*l = (struct layer){
		.state = (uint32_t)g->nstates, .edge = g->nedge, .irq = q, .nstate = 0};
	if (q && !g->learning)
		q->refs++;
	g->best = -INFINITY;
	return l;
}

static struct layer *last_layer(const struct group *g)
{
	return &g->layer[g->nlayer - 1];
}

int align_reset(struct group *g, struct err *e)
{
	struct layer *l;
	struct state *s;

	g->nstates = g->nedge = g->nmatch = g->nlayer = 0;
	if (!g->hash && !(g->hash = calloc(HASH, sizeof(*g->hash))))
		return nomem(e);
	memset(g->hash, 0xff, HASH * sizeof(*g->hash));
	if (!(l = layer_add(g, NULL)) || !(s = state_add(g)))
		return nomem(e);
	memset(s, 0, g->stride);
	l->nstate = 1;
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *t = g->slot[i];
		s->pos[i].open = t->out;
		s->pos[i].last_ns = INT64_MIN;
		s->pos[i].hyp = ANY;
		s->key += pos_key(i, &s->pos[i]);
		t->begun = t->out;
	}
	return 0;
}

void align_forget(struct group *g, size_t layer)
{
	struct layer *l = &g->layer[layer];
	uint32_t s0 = l->state;
	uint64_t e0 = l->edge + l->nedge;
	uint32_t m0 = (uint32_t)g->nmatch;

	for (uint64_t i = e0; i < g->nedge; i++)
		if (g->edge[i].nmatch) {
			m0 = g->edge[i].match;
			break;
		}
	memmove(g->states, g->states + s0 * g->stride, (g->nstates - s0) * g->stride);
	g->nstates -= s0;
	memmove(g->edge, g->edge + e0, (g->nedge - e0) * sizeof(*g->edge));
	g->nedge -= e0;
	memmove(g->match, g->match + m0, (g->nmatch - m0) * sizeof(*g->match));
	g->nmatch -= m0;
	for (uint64_t i = 0; i < g->nedge; i++) {
		g->edge[i].from -= s0;
		g->edge[i].to -= s0;
		g->edge[i].match -= g->edge[i].nmatch ? m0 : g->edge[i].match;
	}
	memmove(g->layer, g->layer + layer, (g->nlayer - layer) * sizeof(*l));
	g->nlayer -= layer;
	for (size_t i = 0; i < g->nlayer; i++) {
		g->layer[i].state -= s0;
		g->layer[i].edge = i ? g->layer[i].edge - e0 : 0;
	}
	g->layer[0].nedge = 0;
	memset(g->hash, 0xff, HASH * sizeof(*g->hash));
}

/* ---- edges ---- */

/* The state of the last layer that is at these places; made where there is none. */
static struct state *state_find(struct group *g, const struct state *like, uint32_t *at)
{
	struct layer *l = last_layer(g);
	unsigned i = (unsigned)(like->key % HASH);
	struct state *s;

	for (; g->hash[i] != UINT32_MAX && g->hash[i] >= l->state &&
	       g->hash[i] < l->state + l->nstate;
	     i = (i + 1) % HASH) {
		s = state_at(g, g->hash[i]);
		if (s->key == like->key &&
		    !memcmp(s->pos, like->pos, g->nslot * sizeof(*s->pos))) {
			*at = g->hash[i];
			return s;
		}
	}
	if (l->nstate >= MOST_STATES)
		return NULL;
	s = state_add(g);
	if (!s)
		return NULL;
	memcpy(s, like, g->stride);
	s->alpha = -INFINITY;
	s->dead = false;
	*at = g->hash[i] = (uint32_t)(g->nstates - 1);
	l->nstate++;
	return s;
}

static double credit_of(const struct group *g, const struct state *s)
{
	double sum = 0;

	for (size_t i = 0; i < g->nslot; i++) {
		const struct slot *t = g->slot[i];
		if (s->pos[i].open < t->begun)
			sum += t->credit[s->pos[i].open - t->low];
		if (s->pos[i].hyp != ANY)
			sum += t->ahead[s->pos[i].hyp];
	}
	return sum;
}

static int edge_add(struct group *g, uint32_t from, const struct state *like, double w,
		    const struct match *m, unsigned nmatch)
{
	double a = state_at(g, from)->alpha + w, more = credit_of(g, like);
	uint32_t to = 0;
	struct state *s;

	if (!(a + more > g->best - g->prune))
		return 0;
	s = state_find(g, like, &to);
	if (!s ||
	    grow((void **)&g->edge, &g->aedge, g->nedge + 1, sizeof(*g->edge)) < 0 ||
	    grow((void **)&g->match, &g->amatch, g->nmatch + nmatch, sizeof(*m)) < 0)
		return s ? -1 : 0;
	s->alpha = s->alpha == -INFINITY ? a : log_add(s->alpha, a);
	s->rank = s->alpha + more;
	if (s->rank > g->best)
		g->best = s->rank;
	g->edge[g->nedge++] =
		(struct edge){from, to, (uint32_t)g->nmatch, (uint16_t)nmatch, (float)w};
	last_layer(g)->nedge++;
	for (unsigned i = 0; i < nmatch; i++)
		g->match[g->nmatch++] = m[i];
	return 0;
}

static int by_alpha(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* Lets go of states that are too unlikely, or too many. */
static void prune(struct group *g)
{
	struct layer *l = last_layer(g);
	size_t cap = (g->nslot > 1 ? 2 : 1) * (g->learning ? BEAM / 4 : BEAM), alive = 0;
	double limit = g->best - g->prune, a[MOST_STATES];

	for (uint32_t i = 0; i < l->nstate; i++) {
		struct state *s = state_at(g, l->state + i);
		s->dead = s->rank < limit;
		if (!s->dead)
			a[alive++] = s->rank;
	}
	if (alive <= cap)
		return;
	qsort(a, alive, sizeof(*a), by_alpha);
	limit = a[cap];
	for (size_t i = cap; i < alive; i++)
		l->cut += (float)exp(a[i] - g->best);
	for (uint32_t i = 0; i < l->nstate; i++) {
		struct state *s = state_at(g, l->state + i);
		s->dead |= s->rank <= limit;
	}
}

/* ---- what a transfer says under a hypothesis ---- */

static unsigned hyp_of(const struct pos *p)
{
	return p->hyp == ANY ? 0 : p->hyp;
}

int64_t align_woken_before(const struct slot *s, const struct use_transfer *t,
			   unsigned hyp)
{
	const struct ending *own = use_end(t, hyp), *x = own;
	uint64_t i = t->index;

	/* Those that the same wait ended are one with it. */
	while (x == own && own && i > s->c->base)
		x = use_end(use_at(s->c, --i), hyp);
	return x && x != own && x->kind == END_WOKEN ? x->woken_ns : DMA_UNKNOWN;
}

/* Of several that one wait ended, only the newest says when it returned. */
static bool speaks(const struct slot *s, const struct use_transfer *t, unsigned hyp,
		   const struct ending *x)
{
	if (!x || x->kind != END_WOKEN)
		return false;
	return !x->batch || t->index + 1 >= s->c->tail ||
	       use_end(use_at(s->c, t->index + 1), hyp) != x;
}

static double log_turn(const struct slot *s, const struct use_transfer *t, unsigned hyp,
		       const struct ending *x)
{
	return law_turn(s->model, law_size(t->t.size_bytes), t->begin_ns, x->wait_ns,
			x->woken_ns, align_woken_before(s, t, hyp));
}

static double log_skip(const struct slot *s, const struct use_transfer *t, unsigned hyp)
{
	const struct ending *x = use_end(t, hyp);

	if (t->dead)
		return 0;
	if (x && x->kind == END_WOKEN)
		return s->model->log_miss;
	return x && (x->kind == END_ABORTED || x->kind == END_FAILED)
		       ? log1p(-GIVEN_UP_HAS)
		       : -M_LN2;
}

static double log_member(const struct slot *s, const struct use_transfer *t, unsigned hyp,
			 int64_t irq_ns)
{
	const struct ending *x = use_end(t, hyp);
	const struct model *m = s->model;
	double has;

	if (!x || x->kind != END_WOKEN)
		return x && (x->kind == END_ABORTED || x->kind == END_FAILED)
			       ? log(GIVEN_UP_HAS) - log1p(-GIVEN_UP_HAS)
			       : 0;
	has = m->log_has - m->log_miss;
	if (irq_ns > x->woken_ns)
		return has + m->log_late;
	if (!speaks(s, t, hyp, x))
		return has;
	return has + law_notice(m, irq_ns, x->wait_ns, x->woken_ns) -
	       log_turn(s, t, hyp, x);
}

static double log_device(const struct slot *s, const struct use_transfer *first,
			 const struct use_transfer *last, unsigned n, int64_t irq_ns,
			 int64_t last_ns, unsigned hyp)
{
	const struct ending *x = use_end(last, hyp);

	if (last->phantom)
		return log(1e-5);
	return law_device(s->model, n, law_size(last->t.size_bytes), irq_ns,
			  first->begin_ns, last->begin_ns, last_ns,
			  x && x->kind == END_WOKEN ? x->woken_ns : DMA_UNKNOWN);
}

/* ---- an interrupt ---- */

static int attempt_slots(struct attempt *a, size_t slot, const struct state *s, double w);

static int attempt_match(struct attempt *a, size_t slot, const struct state *s, double w,
			 uint64_t first, unsigned n)
{
	struct group *g = a->g;
	struct state *next = alloca(g->stride);
	int r;

	memcpy(next, s, g->stride);
	next->key -= pos_key(slot, &s->pos[slot]);
	next->pos[slot].open = first + n;
	next->pos[slot].last_ns = a->irq->time_ns;
	next->key += pos_key(slot, &next->pos[slot]);
	a->match[a->nmatch++] =
		(struct match){.slot = (uint16_t)slot, .n = n, .first = first};
	r = edge_add(g, a->from, next, w, a->match, a->nmatch);
	if (r >= 0 && a->nmatch < TOGETHER && slot + 1 < g->nslot)
		r = attempt_slots(a, slot + 1, next, w);
	a->nmatch--;
	return r;
}

#define CREDIT_AT(i) ((i) < t->begun ? credit[i] : 0)

/* Every run of transfers of this channel that the interrupt may have ended. */
static int attempt_slot(struct attempt *a, size_t slot, const struct state *s, double w0)
{
	struct group *g = a->g;
	struct slot *t = g->slot[slot];
	const struct pos *p = &s->pos[slot];
	double alpha = state_at(g, a->from)->alpha + credit_of(g, s);
	const double *credit = t->credit - t->low;
	unsigned hyp = hyp_of(p);
	int64_t now = a->irq->time_ns;
	int r = 0;

	w0 += a->nmatch ? g->log_cross - t->model->peak : 0;
	w0 += t->affinity ? t->affinity[a->vector] : 0;
	for (uint64_t first = p->open; first < t->begun && r >= 0; first++) {
		struct use_transfer *x = use_at(t->c, first), *y;
		double sum = 0;

		if (alpha + w0 - credit[p->open] + credit[first] + EARN <
		    g->best - g->prune)
			break;
		for (unsigned n = 1; first + n <= t->begun && n <= MODEL_MOST && r >= 0;
		     n++) {
			double w;
			y = use_at(t->c, first + n - 1);
			if (y->dead)
				break;
			sum += log_member(t, y, hyp, now);
			w = w0 + sum + t->model->log_size[n];
			if (alpha + w + t->model->peak - credit[p->open] +
					    CREDIT_AT(first + n) <
				    g->best - g->prune &&
			    n > 2)
				break;
			w += log_device(t, x, y, n, now, p->last_ns, hyp);
			if (g->j->pairing == PAIRING_DRAIN)
				w -= 3.0 * (double)(t->begun - first - n);
			if (alpha + w - credit[p->open] + CREDIT_AT(first + n) >
			    g->best - g->prune)
				r = attempt_match(a, slot, s, w, first, n);
		}
	}
	return r;
}

static int attempt_slots(struct attempt *a, size_t slot, const struct state *s, double w)
{
	int r = 0;

	for (; slot < a->g->nslot && r >= 0; slot++)
		if (s->pos[slot].open < a->g->slot[slot]->begun)
			r = attempt_slot(a, slot, s, w);
	return r;
}

static bool any_open(const struct group *g, const struct state *s)
{
	for (size_t i = 0; i < g->nslot; i++)
		if (s->pos[i].open < g->slot[i]->begun)
			return true;
	return false;
}

/* What an interrupt that ends nothing weighs in this state. */
static double log_nothing(const struct group *g, const struct state *s)
{
	bool open;

	if (g->j->pairing != PAIRING_FIRST && g->j->pairing != PAIRING_LAST)
		return g->log_stray;
	/* Those of a transfer beside the one that counts come behind it, or before. */
	open = any_open(g, s);
	return (g->j->pairing == PAIRING_FIRST) == open ? g->log_stray - 7 : g->log_stray;
}

static size_t vector_of(const struct group *g, int32_t irq)
{
	size_t v = 0;

	while (v < g->nvector && g->vector[v] != irq)
		v++;
	return v;
}

/* What the endings of those that begin now say of the hypotheses. */
static void begin_until(struct group *g, struct slot *s, int64_t now)
{
	struct use_channel *c = s->c;

	memset(s->delta, 0, c->nhyp * sizeof(*s->delta));
	for (unsigned h = 0; h < c->nhyp && !g->learning; h++) {
		s->delta[h] = c->hyp[h].penalty;
		c->hyp[h].penalty = 0;
	}
	for (; s->begun < c->tail; s->begun++) {
		struct use_transfer *t = use_at(c, s->begun);
		if (t->t.submit_ns > now)
			break;
		for (unsigned h = 0; h < c->nhyp; h++) {
			struct ending *x = c->hyp[h].alive ? use_end(t, h) : NULL;
			if (!x)
				continue;
			if (g->nvector)
				s->delta[h] += log_skip(s, t, h);
			if (c->nhyp < 2)
				continue;
			if (x->kind == END_ABORTED)
				s->delta[h] += COST_ABORT;
			else if (x->kind == END_IN_FLIGHT)
				s->delta[h] += COST_LEFT;
			else if (speaks(s, t, h, x))
				s->delta[h] += log_turn(s, t, h, x);
		}
	}
}

static void begin_all(struct group *g, int64_t now)
{
	for (size_t i = 0; i < g->nslot; i++)
		begin_until(g, g->slot[i], now);
}

/* What a transfer whose interrupt is to come may still earn: where the program has seen its
 * end, about what it would earn now. */
static double credit(const struct slot *s, const struct use_transfer *t, int64_t now)
{
	const struct ending *x = use_end(t, 0);
	const struct model *m = s->model;
	unsigned h = 0;

	for (; !x && h + 1 < t->nend; h++)
		x = t->end[h + 1];
	if (t->dead || (x && x->kind != END_WOKEN))
		return 0;
	if (x && x->woken_ns < now)
		return log_add(
			0, m->log_has - m->log_miss + m->log_late +
				   (double)m->late_tail[polya_leaf(now - x->woken_ns)]);
	return log_add(0, m->log_has - m->log_miss);
}

/* Hypotheses that pair a wait with an earlier start have paid for it earlier. */
static void make_ahead(struct slot *s, int64_t now)
{
	struct use_channel *c = s->c;

	memset(s->ahead, 0, c->nhyp * sizeof(*s->ahead));
	if (c->nhyp < 2)
		return;
	for (uint64_t k = s->low; k < s->begun; k++)
		for (unsigned h = 0; h < c->nhyp; h++) {
			const struct use_transfer *t = use_at(c, k);
			struct ending *x = c->hyp[h].alive ? use_end(t, h) : NULL;
			if (x && x->woken_ns > now && speaks(s, t, h, x))
				s->ahead[h] -= log_turn(s, t, h, x);
		}
}

static int make_credits(struct group *g, const struct layer *from, int64_t now)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		double sum = 0;
		s->low = s->begun;
		for (uint32_t k = from->state; k < from->state + from->nstate; k++)
			if (!state_at(g, k)->dead && state_at(g, k)->pos[i].open < s->low)
				s->low = state_at(g, k)->pos[i].open;
		if (grow((void **)&s->credit, &s->acredit, s->begun - s->low + 1,
			 sizeof(*s->credit)) < 0)
			return -1;
		for (uint64_t k = s->begun; k-- > s->low;)
			s->credit[k - s->low] = sum += credit(s, use_at(s->c, k), now);
		make_ahead(s, now);
	}
	return 0;
}

static double deltas(const struct group *g, const struct state *s)
{
	double w = 0;

	for (size_t i = 0; i < g->nslot; i++)
		w += g->slot[i]->delta[hyp_of(&s->pos[i])];
	return w;
}

/* Is this hypothesis read now? */
static bool is_read(const struct group *g, const struct use_hyp *y)
{
	return y->alive && (!g->learning || g->only < 0 || (int)y->habit == g->only);
}

/* A channel's habits differ from here on: each state in as many readings. */
static int split(struct group *g, size_t slot, struct err *e)
{
	struct use_channel *c = g->slot[slot]->c;
	struct layer prev = *last_layer(g);
	struct state *like = alloca(g->stride);

	if (!layer_add(g, NULL))
		return nomem(e);
	for (uint32_t i = prev.state; i < prev.state + prev.nstate; i++) {
		const struct state *s = state_at(g, i);
		if (s->dead)
			continue;
		memcpy(like, s, g->stride);
		for (unsigned h = 0; h < c->nhyp; h++) {
			if (!is_read(g, &c->hyp[h]))
				continue;
			like->key -= pos_key(slot, &like->pos[slot]);
			if (s->pos[slot].hyp == ANY)
				like->pos[slot].hyp = (uint8_t)h;
			like->key += pos_key(slot, &like->pos[slot]);
			if (edge_add(g, i, like,
				     g->learning ? 0 : g->habit_log[c->hyp[h].habit],
				     NULL, 0) < 0)
				return nomem(e);
			s = state_at(g, i);
			if (s->pos[slot].hyp != ANY)
				break;
		}
	}
	prune(g);
	return 0;
}

static bool is_whole(const struct group *g, size_t slot)
{
	const struct layer *l = last_layer(g);

	return l->nstate && state_at(g, l->state)->pos[slot].hyp == ANY;
}

static int split_all(struct group *g, struct err *e)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct use_channel *c = g->slot[i]->c;
		if (c->branched && c->nalive > 1 && g->slot[i]->begun > c->branch_index &&
		    is_whole(g, i) && split(g, i, e) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

int align_irq(struct group *g, struct use_irq *q, struct err *e)
{
	struct layer prev;
	struct attempt a = {.g = g, .irq = q, .vector = vector_of(g, q->irq)};
	struct state *from = alloca(g->stride);

	begin_all(g, q->time_ns);
	if (make_credits(g, last_layer(g), q->time_ns) < 0 || split_all(g, e) < 0)
		return nomem(e);
	prev = *last_layer(g);
	if (!layer_add(g, q))
		return nomem(e);
	for (uint32_t i = prev.state; i < prev.state + prev.nstate; i++) {
		double w;
		if (state_at(g, i)->dead)
			continue;
		memcpy(from, state_at(g, i), g->stride);
		a.from = i;
		w = deltas(g, from);
		if (edge_add(g, i, from, w + log_nothing(g, from), NULL, 0) < 0 ||
		    (!q->circular && attempt_slots(&a, 0, from, w) < 0))
			return nomem(e);
	}
	prune(g);
	return 0;
}

int align_pass(struct group *g, const uint64_t *limit, bool final, struct err *e)
{
	struct layer prev;
	struct state *like = alloca(g->stride);

	if (final)
		begin_all(g, INT64_MAX);
	if (make_credits(g, last_layer(g), final ? INT64_MAX : 0) < 0)
		return nomem(e);
	if (final) {
		if (split_all(g, e) < 0)
			return ERR_NOMEM;
	} else {
		for (size_t i = 0; i < g->nslot; i++)
			memset(g->slot[i]->delta, 0, sizeof(g->slot[i]->delta));
	}
	prev = *last_layer(g);
	if (!layer_add(g, NULL))
		return nomem(e);
	for (uint32_t i = prev.state; i < prev.state + prev.nstate; i++) {
		const struct state *s = state_at(g, i);
		double w = deltas(g, s);
		if (s->dead)
			continue;
		memcpy(like, s, g->stride);
		for (size_t k = 0; k < g->nslot; k++) {
			struct pos *p = &like->pos[k];
			uint64_t to = limit ? limit[k] : g->slot[k]->begun;
			if (p->open >= to)
				continue;
			like->key -= pos_key(k, p);
			p->open = to;
			like->key += pos_key(k, p);
		}
		if (edge_add(g, i, like, w, NULL, 0) < 0)
			return nomem(e);
	}
	prune(g);
	return 0;
}

int align_epoch(struct group *g, const struct pending *pd, struct err *e)
{
	struct layer prev = *last_layer(g);
	struct state *like = alloca(g->stride);
	size_t slot = pd->c->slot;
	unsigned n = pd->nphantom;

	for (size_t i = 0; i < g->nslot; i++)
		g->slot[i]->begun = i == slot ? 0 : g->slot[i]->begun;
	if (make_credits(g, &prev, 0) < 0 || !layer_add(g, NULL))
		return nomem(e);
	for (uint32_t i = prev.state; i < prev.state + prev.nstate; i++) {
		if (state_at(g, i)->dead)
			continue;
		memcpy(like, state_at(g, i), g->stride);
		for (unsigned o = 0; o <= n; o++) {
			struct pos *p = &like->pos[slot];
			like->key -= pos_key(slot, p);
			p->open = pd->index + n - o;
			p->hyp = n ? (uint8_t)o : ANY;
			like->key += pos_key(slot, p);
			if (edge_add(g, i, like, -log(n + 1.0), NULL, 0) < 0)
				return nomem(e);
		}
	}
	g->slot[slot]->begun = pd->index + n;
	prune(g);
	return 0;
}

void align_back(struct group *g, size_t until)
{
	struct layer *l = last_layer(g);

	for (uint32_t i = 0; i < l->nstate; i++) {
		struct state *s = state_at(g, l->state + i);
		s->beta = s->dead ? -INFINITY : 0;
	}
	for (size_t n = g->nlayer; n-- > until + 1;) {
		struct layer *to = &g->layer[n], *from = &g->layer[n - 1];
		for (uint32_t i = 0; i < from->nstate; i++)
			state_at(g, from->state + i)->beta = -INFINITY;
		for (uint64_t k = to->edge; k < to->edge + to->nedge; k++) {
			struct edge *x = &g->edge[k];
			struct state *a = state_at(g, x->from), *b = state_at(g, x->to);
			double v = (double)x->w + b->beta;
			if (a->dead || b->dead || b->beta == -INFINITY)
				continue;
			a->beta = a->beta == -INFINITY ? v : log_add(a->beta, v);
		}
	}
}

void align_keep(struct group *g, size_t layer, uint32_t the)
{
	for (uint32_t i = 0; i < g->layer[layer].nstate; i++)
		state_at(g, g->layer[layer].state + i)->dead |=
			g->layer[layer].state + i != the;
	for (size_t n = layer + 1; n < g->nlayer; n++) {
		struct layer *l = &g->layer[n];
		for (uint32_t i = 0; i < l->nstate; i++)
			state_at(g, l->state + i)->beta = -INFINITY;
		for (uint64_t k = l->edge; k < l->edge + l->nedge; k++) {
			const struct state *a = state_at(g, g->edge[k].from);
			struct state *b = state_at(g, g->edge[k].to);
			double v = a->alpha + (double)g->edge[k].w;
			if (!a->dead)
				b->beta = b->beta == -INFINITY ? v : log_add(b->beta, v);
		}
		for (uint32_t i = 0; i < l->nstate; i++) {
			struct state *b = state_at(g, l->state + i);
			b->dead |= b->beta == -INFINITY;
			b->alpha = b->dead ? b->alpha : b->beta;
		}
	}
}
