/* SPDX-License-Identifier: GPL-2.0-only */
/* The evidence for each vector and channel, collected; lib/vector_judge.c judges it. */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "vector_priv.h"

enum { MAX_QUEUE = 4096, PERIOD = 64, CALLS = 4096, MAX_CHANNELS = 4096 };

/* An open transfer. */
struct open {
	int64_t begin_ns, size;
	int32_t tid;
};

/* What a thread is in: a start whose exit is to come, a wait likewise. */
struct call {
	int32_t tid;
	bool starting, waiting;
	int64_t card, channel; /* of the last call that told them */
	int64_t since_ns;      /* entry of the wait, or of a start that blocks */
};

struct vector_finder {
	struct vectors v;
	struct call call[CALLS];
	bool exits_seen; /* of starts: then one without is a start that threw */
	bool restarts;	 /* a start gives up what its channel had in flight */
	struct vector_finder
		*other; /* the same, with restarts; NULL in that one itself */
	size_t budget;	/* points that may yet be kept */
	uint64_t seed;
};

/* ---- vectors, channels, pairs ---- */

static struct vector_finder *finder_new(void)
{
	struct vector_finder *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->v.from_ns = f->v.to_ns = DMA_UNKNOWN;
	f->budget = KEEP_ALL / 2;
	f->seed = 88172645463325252u;
	for (size_t i = 0; i < CALLS; i++)
		f->call[i].tid = -1;
	return f;
}

int vector_finder_new(struct vector_finder **out, struct err *e)
{
	struct vector_finder *f = finder_new();

	*out = f;
	if (f && (f->other = finder_new())) {
		f->other->restarts = true;
		return 0;
	}
	vector_finder_free(f);
	*out = NULL;
	return err_set(e, ERR_NOMEM, "vector finder: no memory");
}

void vector_finder_free(struct vector_finder *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->v.nchannel; i++) {
		struct vchannel *c = f->v.channel[i];

		for (size_t k = 0; k < c->npair; k++)
			free(c->pair[k].point);
		free(c->pair);
		free(c->queue);
		free(c);
	}
	vector_finder_free(f->other);
	free(f->v.channel);
	free(f->v.vector);
	free(f->v.evidence);
	free(f);
}

static int vector_at(struct vector_finder *f, int32_t irq, size_t *at, struct err *e)
{
	struct vvector *grown;

	for (*at = 0; *at < f->v.nvector; ++*at)
		if (f->v.vector[*at].irq == irq)
			return 0;
	if (f->v.nvector >= MAX_VECTORS)
		return err_set(e, ERR_LIMIT, "more than %d interrupts were recorded",
			       MAX_VECTORS);
	grown = reallocarray(f->v.vector, f->v.nvector + 1, sizeof(*grown));
	if (!grown)
		return err_set(e, ERR_NOMEM, "vector finder: no memory");
	f->v.vector = grown;
	grown[f->v.nvector++] = (struct vvector){.irq = irq, .delta = DMA_UNKNOWN};
	return 0;
}

int vector_finder_known(struct vector_finder *f, int32_t irq, int64_t count_delta,
			struct err *e)
{
	size_t at;
	int rc = vector_at(f, irq, &at, e);

	if (!rc)
		f->v.vector[at].delta = count_delta;
	return rc || !f->other ? rc : vector_finder_known(f->other, irq, count_delta, e);
}

static struct vchannel *channel_at(struct vector_finder *f, int64_t card, int64_t channel)
{
	struct vchannel **grown, *c;

	for (size_t i = 0; i < f->v.nchannel; i++)
		if (f->v.channel[i]->channel == channel && f->v.channel[i]->card == card)
			return f->v.channel[i];
	if (f->v.nchannel >= MAX_CHANNELS)
		return NULL;
	grown = reallocarray(f->v.channel, f->v.nchannel + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	f->v.channel = grown;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->card = card;
	c->channel = channel;
	return grown[f->v.nchannel++] = c;
}

/* Pairs of a channel lie in the order of the vectors. */
static bool grow_pairs(const struct vector_finder *f, struct vchannel *c)
{
	struct vpair *grown;

	if (c->npair >= f->v.nvector)
		return true;
	grown = reallocarray(c->pair, f->v.nvector, sizeof(*grown));
	if (!grown)
		return false;
	c->pair = grown;
	memset(grown + c->npair, 0, (f->v.nvector - c->npair) * sizeof(*grown));
	c->npair = f->v.nvector;
	return true;
}

static uint64_t random_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* Algorithm R: every point is kept with the same chance. */
static void keep_point(struct vector_finder *f, struct vpair *p, struct vpoint x)
{
	uint64_t at = p->npoint;

	if (p->seen++ >= KEEP) {
		at = random_next(&f->seed) % p->seen;
		if (at < p->npoint)
			p->point[at] = x;
		return;
	}
	if (p->npoint == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		struct vpoint *grown =
			room - p->room > f->budget
				? NULL
				: reallocarray(p->point, room, sizeof(*grown));

		if (!grown)
			return;
		f->budget -= room - p->room;
		p->point = grown;
		p->room = room;
	}
	p->point[p->npoint++] = x;
}

/* ---- busy periods ---- */

/* The period is judged: m transfers, the last is x, ended at `end`. Of an interrupt that
 * came before the program began to wait, the distance to the wait's entry is all that is
 * known. */
static void close_period(struct vector_finder *f, struct vchannel *c,
			 const struct open *x, int64_t waited, int64_t end, bool whole)
{
	c->periods++;
	c->transfers += c->m;
	c->busy_ns += end - c->since_ns;
	for (size_t i = 0; i < c->npair; i++) {
		struct vpair *p = &c->pair[i];

		p->inside += p->n;
		p->one += p->n < c->m ? p->n : c->m;
		p->none += p->n < c->m ? c->m - p->n : 0;
		p->many += p->n > c->m;
		p->covered += p->n > 0;
		p->late = !p->n && whole;
		p->late_begin = x->begin_ns;
		p->late_end = end;
		p->late_size = x->size;
		p->late_m = c->m;
		if (p->n && whole) {
			bool early = p->last_ns < waited;
			int64_t seen = early ? waited : end;

			keep_point(f, p,
				   (struct vpoint){seen - x->begin_ns, seen - p->last_ns,
						   x->size, early});
		}
		p->n = 0;
	}
	c->m = 0;
}

/* Nothing can be said of what is open. */
static void drop_period(struct vchannel *c)
{
	for (size_t i = 0; i < c->npair; i++) {
		c->pair[i].n = 0;
		c->pair[i].late = false;
	}
	c->m = 0;
	c->nqueue = 0;
}

static int queue_push(struct vchannel *c, const struct sample *s)
{
	if (c->nqueue == MAX_QUEUE)
		drop_period(c);
	if (c->nqueue == c->aqueue) {
		size_t a = c->aqueue ? 2 * c->aqueue : 16;
		struct open *grown = reallocarray(c->queue, a, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		c->queue = grown;
		c->aqueue = a;
	}
	if (!c->nqueue && !c->m)
		c->since_ns = s->time_ns;
	c->queue[c->nqueue++] = (struct open){s->time_ns, s->size_bytes, s->tid};
	return 0;
}

static struct open queue_pop(struct vchannel *c)
{
	struct open x = c->queue[0];

	memmove(c->queue, c->queue + 1, --c->nqueue * sizeof(*c->queue));
	return x;
}

/* The oldest transfer has ended (or failed: then the period says nothing). */
static void transfer_ends(struct vector_finder *f, struct vchannel *c, int64_t waited,
			  int64_t now, bool failed)
{
	struct open x;

	if (!c->nqueue)
		return;
	x = queue_pop(c);
	c->m++;
	c->bad |= failed;
	if (c->nqueue && c->m < PERIOD)
		return;
	if (c->bad && !c->nqueue)
		drop_period(c);
	else if (!c->bad)
		close_period(f, c, &x, waited, now, !c->nqueue);
	else
		c->m = 0;
	if (!c->nqueue)
		c->bad = false;
	else
		c->since_ns = now;
}

static void on_interrupt(struct vector_finder *f, size_t v, const struct sample *s)
{
	bool any = false;

	f->v.vector[v].count++;
	for (size_t i = 0; i < f->v.nchannel; i++) {
		struct vchannel *c = f->v.channel[i];
		struct vpair *p;

		if (!grow_pairs(f, c))
			continue;
		p = &c->pair[v];
		if (p->late &&
		    s->time_ns - p->late_end <= (p->late_end - p->late_begin) / 2) {
			p->covered++;
			p->one++;
			p->none--;
			p->inside++;
			p->lates++;
			keep_point(f, p,
				   (struct vpoint){p->late_end - p->late_begin,
						   p->late_end - s->time_ns, p->late_size,
						   false});
			any = true;
		} else if (c->nqueue || c->m) {
			p->n++;
			p->last_ns = s->time_ns;
			any = true;
		}
		p->late = false;
	}
	f->v.vector[v].outside += !any;
}

/* ---- calls ---- */

static struct vchannel *call_channel(struct vector_finder *f, const struct call *c)
{
	return channel_at(f, c->card, c->channel);
}

/* A new call on a thread whose last one has not come back: it left by an exception. */
static void leave_open(struct vector_finder *f, struct call *call, const struct sample *s)
{
	struct vchannel *c =
		call->starting || call->waiting ? call_channel(f, call) : NULL;

	if (c && call->waiting)
		transfer_ends(f, c, call->since_ns, s->time_ns, true);
	else if (c && call->starting && f->exits_seen && c->nqueue) {
		c->nqueue--; /* the start threw: the youngest never began */
		c->bad = c->nqueue || c->m;
	}
	call->starting = call->waiting = false;
}

static struct call *call_of(struct vector_finder *f, const struct sample *s)
{
	struct call *call = &f->call[(uint32_t)s->tid % CALLS];

	if (call->tid != s->tid)
		*call = (struct call){
			.tid = s->tid, .card = DMA_UNKNOWN, .channel = DMA_UNKNOWN};
	return call;
}

static int on_call(struct vector_finder *f, const struct sample *s)
{
	struct call *call = call_of(f, s);
	struct vchannel *c;

	if (s->role == ROLE_SUBMIT || s->role == ROLE_WAIT) {
		leave_open(f, call, s);
		if (s->role == ROLE_SUBMIT || s->channel != DMA_UNKNOWN) {
			call->card = s->card;
			call->channel = s->channel;
		}
		call->since_ns = s->time_ns;
		call->starting = s->role == ROLE_SUBMIT && !(s->bits & SAMPLE_NO_EXIT);
		call->waiting = s->role == ROLE_WAIT && !(s->bits & SAMPLE_NO_EXIT);
	}
	/* the exit of a function that was entered by another way than its own entry */
	if (s->role != ROLE_STOP && !call->starting && !call->waiting &&
	    (s->role == ROLE_STARTED || s->role == ROLE_WOKEN)) {
		f->exits_seen |= s->role == ROLE_STARTED;
		return 0;
	}
	c = s->role == ROLE_STOP ? channel_at(f, s->card, s->channel)
				 : call_channel(f, call);
	if (!c || !grow_pairs(f, c))
		return ERR_NOMEM;
	switch (s->role) {
	case ROLE_SUBMIT:
		if (f->restarts)
			drop_period(c);
		return s->bits & SAMPLE_CIRCULAR ? 0 : queue_push(c, s);
	case ROLE_STARTED:
		f->exits_seen = true;
		if (s->bits & SAMPLE_FAILED && call->starting && c->nqueue) {
			c->nqueue--;
			c->bad = c->nqueue || c->m;
		}
		call->starting = false;
		return 0;
	case ROLE_WOKEN:
		if (!(s->bits & SAMPLE_PENDING) && (call->waiting || call->starting))
			transfer_ends(f, c, call->since_ns, s->time_ns,
				      s->bits & SAMPLE_FAILED);
		call->waiting = call->starting = false;
		return 0;
	case ROLE_STOP:
		drop_period(c);
		return 0;
	default:
		return 0;
	}
}

static int push(struct vector_finder *f, const struct sample *s, struct err *e)
{
	size_t v;
	int rc;

	if (f->v.from_ns == DMA_UNKNOWN)
		f->v.from_ns = s->time_ns;
	if (f->v.to_ns == DMA_UNKNOWN || s->time_ns > f->v.to_ns)
		f->v.to_ns = s->time_ns;
	if (s->role == ROLE_OTHER || s->role == ROLE_HANDLED || s->role == ROLE_DOORBELL)
		return 0;
	if (s->role != ROLE_INTERRUPT)
		return on_call(f, s) ? err_set(e, ERR_LIMIT,
					       "vector finder: too many channels, or no "
					       "memory")
				     : 0;
	rc = vector_at(f, s->irq, &v, e);
	if (!rc)
		on_interrupt(f, v, s);
	return rc;
}

int vector_finder_push(struct vector_finder *f, const struct sample *s, struct err *e)
{
	int rc = push(f, s, e);

	return rc || !f->other ? rc : push(f->other, s, e);
}

int vector_finder_loss(struct vector_finder *f, int32_t cpu, int64_t from_ns,
		       int64_t to_ns)
{
	if (f->other)
		vector_finder_loss(f->other, cpu, from_ns, to_ns);
	for (size_t i = 0; i < f->v.nchannel; i++)
		drop_period(f->v.channel[i]);
	for (size_t i = 0; i < CALLS; i++)
		f->call[i].starting = f->call[i].waiting = false;
	return 0;
}

static int judge(struct vector_finder *f, struct err *e)
{
	for (size_t i = 0; i < f->v.nchannel; i++)
		if (!grow_pairs(f, f->v.channel[i]))
			return err_set(e, ERR_NOMEM, "vector finder: no memory");
	return vectors_judge(&f->v, e);
}

static size_t ends_found(const struct vector_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nchannel; i++)
		n += r->channel[i].verdict == VERDICT_COMPLETION;
	return n;
}

/* First in, first out is tried first. A program that gave transfers up never ends the
 * queue that this makes of them; then the other reading may see more. */
int vector_finder_finish(struct vector_finder *f, const struct vector_result **r,
			 struct err *e)
{
	int rc = judge(f, e);

	if (!rc)
		rc = judge(f->other, e);
	*r = &f->v.result;
	if (!rc && !ends_found(*r) && ends_found(&f->other->v.result))
		*r = &f->other->v.result;
	return rc;
}
