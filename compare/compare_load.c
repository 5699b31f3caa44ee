/* SPDX-License-Identifier: GPL-2.0-only */
/* The transfers of both sides, into groups. */
#include "compare/compare_load.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"

enum { SLOTS = 16384 }; /* a power of two, more than twice the groups */

struct loading {
	struct comparison *c;
	const struct compare_values *v;
	const struct compare_set *base, *fresh;
	size_t room;
	uint16_t slot[SLOTS]; /* group's index + 1; 0 = free */
	uint64_t done;
	unsigned known; /* BY_*: keys that some transfer has */
};

static bool same_key(const struct group_key *a, const struct group_key *b)
{
	return a->phase == b->phase && a->card == b->card && a->channel == b->channel &&
	       a->direction == b->direction && a->size_bytes == b->size_bytes;
}

static size_t hash_key(const struct group_key *k)
{
	uint64_t h = (uint64_t)k->card * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ (uint64_t)k->channel) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (uint64_t)k->size_bytes ^ (h >> 31)) * UINT64_C(0x94d049bb133111eb);
	h = (h ^ ((uint64_t)k->direction << 8) ^ (uint64_t)k->phase ^ (h >> 29)) *
	    UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(h >> 40) % SLOTS;
}

static int group_init(struct loading *l, struct compare_group *g,
		      const struct group_key *k, struct err *e)
{
	*g = (struct compare_group){.key = *k};
	g->base.run = calloc(l->base->n, sizeof(*g->base.run));
	g->fresh.run = calloc(l->fresh->n, sizeof(*g->fresh.run));
	g->base.nrun = l->base->n;
	g->fresh.nrun = l->fresh->n;
	if (g->base.run && g->fresh.run)
		return 0;
	free(g->base.run);
	free(g->fresh.run);
	return err_nomem(e, "another group");
}

static int group_add(struct loading *l, const struct group_key *k, uint16_t *slot,
		     struct err *e)
{
	struct comparison *c = l->c;

	if (c->n == COMPARE_MAX_GROUPS)
		return err_set(e, ERR_LIMIT,
			       "more than %d groups; choose fewer keys with --by",
			       COMPARE_MAX_GROUPS);
	if (c->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct compare_group *grown =
			reallocarray(c->group, room, sizeof(*grown));

		if (!grown)
			return err_nomem(e, "%zu groups", room);
		c->group = grown;
		l->room = room;
	}
	if (group_init(l, &c->group[c->n], k, e))
		return ERR_NOMEM;
	*slot = (uint16_t)++c->n;
	return 0;
}

static struct compare_group *group_of(struct loading *l, const struct group_key *k,
				      struct err *e)
{
	size_t at = hash_key(k);

	while (l->slot[at] && !same_key(&l->c->group[l->slot[at] - 1].key, k))
		at = (at + 1) % SLOTS;
	if (!l->slot[at] && group_add(l, k, &l->slot[at], e))
		return NULL;
	return &l->c->group[l->slot[at] - 1];
}

/* ---- values ---- */

/* Of the kept stretches every second goes. Full, so a whole number of stretches. */
static void thin(struct group_run *r)
{
	size_t kept = 0;

	for (size_t at = 0; at < r->n; at += (size_t)2 * COMPARE_STRETCH) {
		memmove(r->value_ns + kept, r->value_ns + at,
			COMPARE_STRETCH * sizeof(*r->value_ns));
		kept += COMPARE_STRETCH;
	}
	r->n = kept;
	r->stride *= 2;
}

static int value_add(struct group_run *r, int64_t value_ns, struct err *e)
{
	uint64_t stretch = r->met++ / COMPARE_STRETCH;

	r->stride = r->stride ? r->stride : 1;
	if (r->n == COMPARE_KEEP && stretch % r->stride == 0)
		thin(r);
	if (stretch % r->stride)
		return 0;
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		int64_t *grown = reallocarray(r->value_ns, room, sizeof(*grown));

		if (!grown)
			return err_nomem(e, "%zu values", room);
		r->value_ns = grown;
		r->room = room;
	}
	r->value_ns[r->n++] = value_ns;
	return 0;
}

/* of compare_transfers */
struct columns {
	struct db_column card, channel, direction, size_bytes, state, submit_ns, woken_ns,
		irq_ns, phase[PHASE_ALL];
};

static struct columns columns_of(struct db_stmt *st)
{
	return (struct columns){
		.card = db_column(st, "card"),
		.channel = db_column(st, "channel"),
		.direction = db_column(st, "direction"),
		.size_bytes = db_column(st, "size_bytes"),
		.state = db_column(st, "state"),
		.submit_ns = db_column(st, "submit_ns"),
		.woken_ns = db_column(st, "woken_ns"),
		.irq_ns = db_column(st, "irq_ns"),
		.phase = {[PHASE_API] = db_column(st, "api_ns"),
			  [PHASE_DEVICE] = db_column(st, "device_ns"),
			  [PHASE_NOTICE] = db_column(st, "notice_ns"),
			  [PHASE_TOTAL] = db_column(st, "total_ns"),
			  [PHASE_CARD] = db_column(st, "card_ns"),
			  [PHASE_DELIVERY] = db_column(st, "delivery_ns")}};
}

/* Has a transfer that ended like this no such duration at all? One whose interrupt never
 * came does have a device time: it is not known. */
static bool has_none(int state, enum phase p)
{
	if (state == STATE_ABORTED || state == STATE_CIRCULAR)
		return p != PHASE_API;
	return state == STATE_POLLED &&
	       (p == PHASE_DEVICE || p == PHASE_NOTICE || p == PHASE_DELIVERY);
}

static void add_throughput(struct group_run *r, const struct columns *c, int state,
			   int64_t size)
{
	int64_t from = db_get_i64(c->submit_ns), to = db_get_i64(c->woken_ns);

	to = to == DMA_UNKNOWN ? db_get_i64(c->irq_ns) : to;
	if (!state_moves_bytes((enum transfer_state)state) || size == DMA_UNKNOWN ||
	    from == DMA_UNKNOWN || to == DMA_UNKNOWN)
		return;
	if (!r->sized || from < r->from_ns)
		r->from_ns = from;
	if (!r->sized || to > r->to_ns)
		r->to_ns = to;
	r->sized++;
	r->bytes += size;
	r->bytes_squared += (double)size * (double)size;
}

static void take_key(struct loading *l, const struct columns *c, struct group_key *k)
{
	const char *word = db_get_text(c->direction);
	int direction = word ? direction_parse(word) : -1;
	unsigned by = l->v->by;

	*k = (struct group_key){
		.card = by & BY_CARD ? db_get_i64(c->card) : DMA_UNKNOWN,
		.channel = by & BY_CHANNEL ? db_get_i64(c->channel) : DMA_UNKNOWN,
		.size_bytes = by & BY_SIZE ? db_get_i64(c->size_bytes) : DMA_UNKNOWN,
		.direction = by & BY_DIRECTION && direction > 0
				     ? (enum direction)direction
				     : DIR_UNKNOWN,
		.by = by,
	};
	l->known |= (k->card != DMA_UNKNOWN ? (unsigned)BY_CARD : 0) |
		    (k->channel != DMA_UNKNOWN ? (unsigned)BY_CHANNEL : 0) |
		    (k->direction != DIR_UNKNOWN ? (unsigned)BY_DIRECTION : 0) |
		    (k->size_bytes != DMA_UNKNOWN ? (unsigned)BY_SIZE : 0);
}

static int take_value(struct group_run *r, const struct columns *c, int state,
		      enum phase p, struct err *e)
{
	int64_t value = db_get_i64(c->phase[p]);

	add_throughput(r, c, state, db_get_i64(c->size_bytes));
	if (value != DMA_UNKNOWN)
		return value_add(r, value, e);
	r->excluded += !has_none(state, p);
	return 0;
}

static int take_transfer(struct loading *l, const struct columns *c, bool fresh,
			 size_t run, struct err *e)
{
	const char *word = db_get_text(c->state);
	int state = word ? state_parse(word) : -1;
	struct compare_group *g;
	struct group_key k;
	int rc = 0;

	take_key(l, c, &k);
	for (int p = 0; !rc && p < PHASE_ALL; p++) {
		if (!(l->v->phases & 1u << p))
			continue;
		k.phase = (enum phase)p;
		g = group_of(l, &k, e);
		if (!g)
			return e && e->code ? e->code : ERR_NOMEM;
		rc = take_value(fresh ? &g->fresh.run[run] : &g->base.run[run], c, state,
				k.phase, e);
	}
	return rc;
}

static int load_run(struct loading *l, bool fresh, size_t run, struct err *e)
{
	const struct compare_run *r = fresh ? &l->fresh->run[run] : &l->base->run[run];
	struct db_stmt *st;
	struct columns columns;
	int rc = db_prepare_named(r->db, &st, "compare_transfers", e), got = 0;

	if (rc)
		return rc;
	db_bind_i64(st, ":run", r->id);
	columns = columns_of(st);
	while (!rc && (got = db_step(st, e)) > 0) {
		rc = take_transfer(l, &columns, fresh, run, e);
		if (++l->done % 4096 == 0 && l->v->step)
			l->v->step(l->v->arg, l->done);
	}
	return db_finalize(st, rc ? rc : got, e);
}

/* ---- all ---- */

static double lost_share(const struct compare_set *s)
{
	double lost = 0, events = 0;

	for (size_t i = 0; i < s->n; i++) {
		lost += (double)s->run[i].lost;
		events += (double)s->run[i].events;
	}
	return lost > 0 ? lost / (lost + events) : 0;
}

static int order(int64_t a, int64_t b)
{
	if (a == b)
		return 0;
	if (a == DMA_UNKNOWN || b == DMA_UNKNOWN) /* unknown comes last */
		return a == DMA_UNKNOWN ? 1 : -1;
	return a < b ? -1 : 1;
}

static int by_key(const void *a, const void *b)
{
	const struct group_key *x = &((const struct compare_group *)a)->key;
	const struct group_key *y = &((const struct compare_group *)b)->key;
	int card = order(x->card, y->card), channel = order(x->channel, y->channel);

	if (card || channel)
		return card ? card : channel;
	if (x->direction != y->direction)
		return x->direction == DIR_UNKNOWN ? 1
		       : y->direction == DIR_UNKNOWN
			       ? -1
			       : (int)x->direction - (int)y->direction;
	if (x->size_bytes != y->size_bytes)
		return order(x->size_bytes, y->size_bytes);
	return (int)x->phase - (int)y->phase;
}

int compare_load(struct comparison *c, const struct compare_set *base,
		 const struct compare_set *fresh, const struct compare_values *v,
		 struct err *e)
{
	struct loading l = {.c = c, .v = v, .base = base, .fresh = fresh};
	int rc = 0;

	for (size_t i = 0; !rc && i < base->n; i++)
		rc = load_run(&l, false, i, e);
	for (size_t i = 0; !rc && i < fresh->n; i++)
		rc = load_run(&l, true, i, e);
	if (rc)
		return rc;
	if (v->phases & (v->phases - 1))
		l.known |= BY_PHASE;
	for (size_t i = 0; i < c->n; i++) {
		c->group[i].key.by = (v->by | BY_PHASE) & l.known;
		c->group[i].base.lost_share = lost_share(base);
		c->group[i].fresh.lost_share = lost_share(fresh);
	}
	if (c->n)
		qsort(c->group, c->n, sizeof(*c->group), by_key);
	return 0;
}

void compare_drop_phase(struct comparison *c, enum phase p)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->group[i].key.phase != p) {
			c->group[i].key.by &= ~(unsigned)BY_PHASE;
			c->group[kept++] = c->group[i];
		} else {
			group_release(&c->group[i]);
		}
	}
	c->n = kept;
}
