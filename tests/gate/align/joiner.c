/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The joiner's interface: samples in, facts out, conservation checked. Channels and
 * vectors that belong together form a group; its interrupts wait until the ends of all
 * transfers that they may have ended are known.
 */
#include "tests/gate/align/joiner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "tests/gate/align/align.h"
#include "lib/use/begun.h"

enum {
	FIRST_SAMPLES = 16384, /* looked at for signs of a beginning in the middle */
	MOST_PENDING = 4096,
	EACH = 32,   /* interrupts, before those pending are looked at */
	TICK = 4096, /* transfers of a channel without interrupts, at most */
};

static int nomem(struct err *e)
{
	return err_nomem(e, "the joiner");
}

/* ---- groups ---- */

static bool overlap(int64_t a, int64_t b)
{
	return a == DMA_UNKNOWN || b == DMA_UNKNOWN || a == b;
}

static bool serves(const struct join_vector *v, const struct use_channel *c)
{
	return overlap(v->card, c->card) && overlap(v->channel, c->channel);
}

static bool together(const struct join_vector *a, const struct join_vector *b)
{
	return a->irq == b->irq ||
	       (overlap(a->card, b->card) && overlap(a->channel, b->channel));
}

static struct group *group_new(struct joiner *j)
{
	struct group **a = reallocarray(j->group, j->ngroup + 1, sizeof(*a));
	struct group *g = calloc(1, sizeof(*g));

	if (a)
		j->group = a;
	if (!a || !g) {
		free(g);
		return NULL;
	}
	g->j = j;
	g->stride = sizeof(struct state);
	g->prune = PRUNE;
	g->last_ns = DMA_UNKNOWN;
	return j->group[j->ngroup++] = g;
}

static int group_vector(struct group *g, int32_t irq)
{
	int32_t *v;

	for (size_t i = 0; i < g->nvector; i++)
		if (g->vector[i] == irq)
			return 0;
	v = reallocarray(g->vector, g->nvector + 1, sizeof(*v));
	if (!v)
		return -1;
	g->vector = v;
	v[g->nvector++] = irq;
	return 0;
}

/* Vectors that may end transfers of one channel are in one group. */
static int make_groups(struct joiner *j, struct err *e)
{
	size_t n = j->o.nvector;
	size_t *of = calloc(n + 1, sizeof(*of));
	bool again = true;

	if (!of)
		return nomem(e);
	for (size_t i = 0; i < n; i++)
		of[i] = i;
	while (again) {
		again = false;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (of[i] != of[k] &&
				    together(&j->vector[i], &j->vector[k])) {
					of[i] = of[k] = of[i] < of[k] ? of[i] : of[k];
					again = true;
				}
	}
	for (size_t i = 0; i < n; i++) {
		struct group *g = NULL;
		if (of[i] != i)
			continue;
		if (!(g = group_new(j))) {
			free(of);
			return nomem(e);
		}
		for (size_t k = 0; k < n; k++)
			if (of[k] == i && group_vector(g, j->vector[k].irq) < 0) {
				free(of);
				return nomem(e);
			}
	}
	j->nvgroup = j->ngroup;
	free(of);
	return 0;
}

static bool has_vector(const struct group *g, int32_t irq)
{
	for (size_t i = 0; i < g->nvector; i++)
		if (g->vector[i] == irq)
			return true;
	return false;
}

static struct group *group_for(struct joiner *j, const struct use_channel *c)
{
	for (size_t i = 0; i < j->o.nvector; i++)
		if (serves(&j->vector[i], c))
			for (size_t k = 0; k < j->nvgroup; k++)
				if (has_vector(j->group[k], j->vector[i].irq) &&
				    j->group[k]->nslot < MAX_SLOTS)
					return j->group[k];
	return group_new(j);
}

static int slot_affinity(struct joiner *j, struct group *g, struct slot *s)
{
	if (g->nvector < 2)
		return 0;
	s->affinity = calloc(g->nvector, sizeof(*s->affinity));
	s->ended = calloc(g->nvector, sizeof(*s->ended));
	if (!s->affinity || !s->ended)
		return -1;
	for (size_t v = 0; v < g->nvector; v++) {
		s->affinity[v] = -1e9;
		for (size_t i = 0; i < j->o.nvector; i++)
			if (j->vector[i].irq == g->vector[v] &&
			    serves(&j->vector[i], s->c))
				s->affinity[v] = 0;
	}
	return 0;
}

/* States get room for one more channel. */
static int widen(struct group *g, const struct use_channel *c, struct err *e)
{
	size_t old = g->stride;
	char *p;

	g->stride += sizeof(struct pos);
	if (!g->nlayer)
		return 0;
	p = calloc(g->nstates + 1, g->stride);
	if (!p)
		return nomem(e);
	for (size_t i = 0; i < g->nstates; i++) {
		struct state *s = (struct state *)(void *)(p + i * g->stride);
		memcpy(s, g->states + i * old, old);
		s->pos[g->nslot].open = c->tail;
		s->pos[g->nslot].last_ns = INT64_MIN;
		s->pos[g->nslot].hyp = ANY;
	}
	free(g->states);
	g->states = p;
	g->astates = g->nstates + 1;
	return 0;
}

static int on_channel(void *arg, struct use_channel *c, struct err *e)
{
	struct joiner *j = arg;
	struct group *g = group_for(j, c);
	struct slot *s = g ? calloc(1, sizeof(*s)) : NULL;

	if (!s || !(s->model = malloc(sizeof(*s->model)))) {
		free(s);
		return nomem(e);
	}
	law_init(s->model);
	s->whole = s->model;
	s->c = c;
	c->group = g;
	c->slot = g->nslot;
	if (slot_affinity(j, g, s) < 0 || widen(g, c, e) < 0)
		return nomem(e);
	g->slot[g->nslot++] = s;
	return 0;
}

static int enter_epoch(struct use_channel *c, struct err *e)
{
	struct pending p = {.c = c, .index = c->epoch_index, .nphantom = c->nphantom};

	return align_epoch(c->group, &p, e);
}

int group_start(struct group *g, struct err *e)
{
	int r = align_reset(g, e);

	for (size_t i = 0; i < g->nslot && r >= 0; i++)
		if (g->slot[i]->c->nphantom)
			r = enter_epoch(g->slot[i]->c, e);
	return r;
}

/* ---- interrupts that wait ---- */

static struct pending *pend_at(const struct group *g, size_t i)
{
	return &g->pend[(g->first + i) & (g->apend - 1)];
}

static int pend_add(struct group *g, struct use_irq *q, struct err *e)
{
	if (g->npend == g->apend) {
		size_t a = g->apend ? 2 * g->apend : 256;
		struct pending *p = malloc(a * sizeof(*p));
		if (!p)
			return nomem(e);
		for (size_t i = 0; i < g->npend; i++)
			p[i] = *pend_at(g, i);
		free(g->pend);
		g->pend = p;
		g->first = 0;
		g->apend = a;
	}
	g->npend++;
	pend_at(g, g->npend - 1)->irq = q;
	return 0;
}

/* All that had begun by then is closed. */
static bool is_ripe(const struct group *g, const struct use_irq *q)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		while (s->closed < s->c->tail && use_closed(use_at(s->c, s->closed)))
			s->closed++;
		if (s->closed < s->c->tail &&
		    use_at(s->c, s->closed)->t.submit_ns <= q->time_ns)
			return false;
	}
	return true;
}

/* How many from the first on are ripe. */
static size_t ripe(const struct group *g)
{
	size_t lo = 0, hi = g->npend;

	while (lo < hi) {
		size_t mid = (lo + hi + 1) / 2;
		if (is_ripe(g, pend_at(g, mid - 1)->irq))
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

/* Transfers that ended so long before that no interrupt of theirs can be to come. */
static int pass_old(struct group *g, int64_t now, struct err *e)
{
	uint64_t limit[MAX_SLOTS];
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		struct use_channel *c = s->c;
		limit[i] = s->out;
		for (; limit[i] < s->begun && use_closed(use_at(c, limit[i]));
		     limit[i]++) {
			const struct use_transfer *t = use_at(c, limit[i]);
			const struct ending *x = use_end(t, 0);
			int64_t at = x && x->woken_ns != DMA_UNKNOWN ? x->woken_ns
								     : t->t.submit_ns;
			if (c->nalive > 1 || (g->nvector && now - at < LATE_NS))
				break;
		}
		any |= limit[i] > s->out;
	}
	if (any)
		r = align_pass(g, limit, false, e);
	return r;
}

static int take_irq(struct group *g, struct err *e)
{
	struct use_irq *q = pend_at(g, 0)->irq;
	int r = 0;

	if (g->last_ns != DMA_UNKNOWN && q->time_ns - g->last_ns > LATE_NS)
		r = pass_old(g, q->time_ns, e);
	g->irqs++;
	if (g->last_ns != DMA_UNKNOWN && g->count > g->learned_until)
		g->span_ns += (double)(q->time_ns - g->last_ns);
	g->last_ns = q->time_ns;
	if (g->count < g->learned_until)
		learn_choose(g, g->count);
	else if (g->count == g->learned_until)
		learn_over(g);
	g->first = (g->first + 1) & (g->apend - 1);
	g->npend--;
	r = r < 0 ? r : align_irq(g, q, e);
	g->count++;
	return r < 0 ? r : decide_layers(g, false, e);
}

int group_run(struct group *g, bool all, struct err *e)
{
	size_t n = all ? g->npend : ripe(g);
	int r = 0;

	if (g->npend > MOST_PENDING && n < g->npend / 2)
		n = g->npend / 2;
	if (!g->learned && !all && n < LEARN)
		return 0;
	if (!g->learned)
		r = learn_group(g, n, e);
	if (r >= 0 && !g->nlayer)
		r = group_start(g, e);
	while (n-- && r >= 0)
		r = take_irq(g, e);
	return r;
}

static int on_irq(void *arg, const struct sample *s, struct err *e)
{
	struct joiner *j = arg;
	struct group *g = NULL;
	struct use_irq *q;

	for (size_t i = 0; i < j->nvgroup && !g; i++)
		if (has_vector(j->group[i], s->irq))
			g = j->group[i];
	if (!g) {
		j->n.interrupts_ignored++;
		return 0;
	}
	j->n.interrupts++;
	if (!(q = calloc(1, sizeof(*q))))
		return nomem(e);
	*q = (struct use_irq){
		.time_ns = s->time_ns, .seq = s->seq, .irq = s->irq, .cpu = s->cpu};
	for (size_t i = 0; i < g->nslot; i++)
		q->circular |= g->slot[i]->c->circular_from <= s->time_ns &&
			       g->slot[i]->c->circular_to >= s->time_ns &&
			       g->slot[i]->c->circular_to != DMA_UNKNOWN;
	if (pend_add(g, q, e) < 0)
		return ERR_NOMEM;
	return g->npend % EACH ? 0 : group_run(g, false, e);
}

/* ---- epochs ---- */

/* Everything before is read to its end. */
static int group_flush(struct group *g, struct err *e)
{
	int r = group_run(g, true, e);

	return r < 0 ? r : 0;
}

static int on_epoch_over(void *arg, struct use_channel *c, struct err *e)
{
	(void)arg;
	return group_flush(c->group, e);
}

static int on_epoch_begun(void *arg, struct use_channel *c, struct err *e)
{
	struct group *g = c->group;

	(void)arg;
	if (!c->epoch || !g->nlayer)
		return g->nlayer && c->nphantom ? enter_epoch(c, e) : 0;
	return enter_epoch(c, e);
}

static int on_stray(void *arg, enum stray_kind k, const struct sample *s, const char *why,
		    struct err *e)
{
	struct joiner *j = arg;
	struct stray x = {k,	  s->time_ns, s->seq, s->card, s->channel,
			  s->irq, s->cpu,     s->tid, why};

	return j->sink.stray ? j->sink.stray(j->sink.arg, &x, e) : 0;
}

/* ---- the interface ---- */

static int make_use(struct joiner *j, struct err *e)
{
	struct use_options o = {.slack_ns = j->o.slack_ns, .ended = j->o.ended};
	struct use_sink s = {.arg = j,
			     .channel = on_channel,
			     .irq = on_irq,
			     .stray = on_stray,
			     .epoch_over = on_epoch_over,
			     .epoch_begun = on_epoch_begun};

	return use_new(&j->use, &o, &s, &j->n, e);
}

int joiner_new(struct joiner **out, const struct join_options *o,
	       const struct join_sink *sink, struct err *e)
{
	struct joiner *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (!j || !(j->vector = calloc(o->nvector + 1, sizeof(*j->vector))) ||
	    !(j->first = malloc(FIRST_SAMPLES * sizeof(*j->first)))) {
		joiner_free(j);
		return nomem(e);
	}
	j->o = *o;
	if (o->nvector)
		memcpy(j->vector, o->vector, o->nvector * sizeof(*o->vector));
	j->sink = *sink;
	j->pairing = o->pairing;
	j->n.pairing = o->pairing == PAIRING_INFER ? PAIRING_ONE : o->pairing;
	if (make_groups(j, e) < 0 || make_use(j, e) < 0) {
		joiner_free(j);
		return ERR_NOMEM;
	}
	*out = j;
	return 0;
}

void joiner_tell(struct joiner *j, const struct use_told *told, size_t n)
{
	use_tell(j->use, told, n);
}

static void group_free(struct group *g)
{
	for (size_t i = 0; i < g->nslot; i++) {
		struct slot *s = g->slot[i];
		for (int k = 0; k < 2; k++)
			if (s->half[k]) {
				law_release(s->half[k]);
				free(s->half[k]);
			}
		law_release(s->whole);
		free(s->whole);
		free(s->affinity);
		free(s->credit);
		free(s->ended);
		free(s);
	}
	for (size_t i = 0; i < g->npend; i++)
		free(pend_at(g, i)->irq);
	free(g->vector);
	free(g->pend);
	free(g->states);
	free(g->edge);
	free(g->match);
	free(g->layer);
	free(g->hash);
	free(g);
}

void joiner_free(struct joiner *j)
{
	if (!j)
		return;
	use_free(j->use);
	for (size_t i = 0; i < j->ngroup; i++)
		group_free(j->group[i]);
	free(j->group);
	free(j->vector);
	free(j->first);
	free(j);
}

/* The samples so far, now that it is known what they begin with. */
static int replay(struct joiner *j, struct err *e)
{
	enum { MOST = 64 };
	struct begun_channel c[MOST];
	struct begun *b = begun_new();
	size_t n;
	int r = 0;

	j->replayed = true;
	if (!b)
		return nomem(e);
	for (size_t i = 0; i < j->nfirst; i++)
		begun_push(b, &j->first[i]);
	n = begun_result(b, j->finishing && j->o.ended, c, MOST);
	begun_free(b);
	for (size_t i = 0; i < n; i++)
		use_begun(j->use, c[i].card, c[i].channel);
	for (size_t i = 0; i < j->o.nbegun; i++)
		use_begun(j->use, j->o.begun[i].card, j->o.begun[i].channel);
	for (size_t i = 0; i < j->nfirst && r >= 0; i++)
		r = use_push(j->use, &j->first[i], e);
	free(j->first);
	j->first = NULL;
	return r;
}

/* Channels without interrupts, and those whose interrupts stopped. */
static int tick(struct joiner *j, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < j->ngroup && r >= 0; i++) {
		struct group *g = j->group[i];
		bool full = false;
		for (size_t k = 0; k < g->nslot; k++)
			full |= g->slot[k]->c->tail - g->slot[k]->out > TICK;
		if (!full)
			continue;
		r = group_run(g, g->nvector == 0, e);
		if (r >= 0 && !g->npend && g->nlayer) {
			for (size_t k = 0; k < g->nslot; k++)
				g->slot[k]->begun = g->slot[k]->closed;
			r = pass_old(g, use_now(j->use), e);
			r = r < 0 ? r : decide_layers(g, true, e);
		}
	}
	return r;
}

int joiner_push(struct joiner *j, const struct sample *s, struct err *e)
{
	int r;

	if (!j->replayed) {
		j->first[j->nfirst++] = *s;
		return j->nfirst < FIRST_SAMPLES ? 0 : replay(j, e);
	}
	r = use_push(j->use, s, e);
	return r >= 0 && !(++j->pushed % 1024) ? tick(j, e) : r;
}

int joiner_loss(struct joiner *j, int32_t cpu, int64_t from_ns, int64_t to_ns,
		struct err *e)
{
	(void)cpu; /* a thread or an interrupt may have been on it just then */
	return use_loss(j->use, from_ns, to_ns, e);
}

static int group_finish(struct group *g, struct err *e)
{
	int r = group_run(g, true, e);

	r = r < 0 ? r : align_pass(g, NULL, true, e);
	r = r < 0 ? r : decide_layers(g, true, e);
	return r;
}

static int unequal(const char *what, uint64_t all, uint64_t used, uint64_t stray,
		   struct err *e)
{
	return err_set(
		e, ERR_FORMAT,
		"joiner: conservation violated: %llu %s, %llu used and %llu stray; "
		"this is a defect of the program",
		(unsigned long long)all, what, (unsigned long long)used,
		(unsigned long long)stray);
}

static int conserve(const struct join_totals *n, struct err *e)
{
	if (n->submits != n->transfers)
		return unequal("submits", n->submits, n->transfers, 0, e);
	if (n->interrupts != n->interrupts_used + n->interrupts_stray)
		return unequal("interrupts", n->interrupts, n->interrupts_used,
			       n->interrupts_stray, e);
	if (n->waits != n->waits_used + n->waits_stray)
		return unequal("waits", n->waits, n->waits_used, n->waits_stray, e);
	if (n->doorbells != n->doorbells_used + n->doorbells_stray)
		return unequal("doorbells", n->doorbells, n->doorbells_used,
			       n->doorbells_stray, e);
	return 0;
}

int joiner_finish(struct joiner *j, struct join_totals *totals, struct err *e)
{
	int r = 0;

	j->finishing = true;
	if (!j->replayed)
		r = replay(j, e);
	r = r < 0 ? r : use_drain(j->use, e);
	r = r < 0 ? r : use_finish(j->use, e);
	for (size_t i = 0; i < j->ngroup && r >= 0; i++)
		r = group_finish(j->group[i], e);
	if (totals)
		*totals = j->n;
	return r < 0 ? r : conserve(&j->n, e);
}
