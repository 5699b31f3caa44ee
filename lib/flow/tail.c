/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/tail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

enum { ROOM = 1024 };

struct kept {
	struct sample s;
	uint32_t uses; /* transfers that an interrupt ended */
	bool used;
};

struct tail {
	struct kept *v;
	size_t head, n, room; /* [head, n) are kept, in order of seq and time */
};

struct tail *tail_new(void)
{
	return calloc(1, sizeof(struct tail));
}

void tail_free(struct tail *t)
{
	if (t)
		free(t->v);
	free(t);
}

/* Nothing is in front of the oldest start that is not decided. */
static void trim(struct tail *t)
{
	while (t->head < t->n &&
	       (t->v[t->head].used || t->v[t->head].s.role != ROLE_SUBMIT))
		t->head++;
	if (t->n - t->head > TAIL_MOST)
		t->head = t->n - TAIL_MOST;
}

static int make_room(struct tail *t, struct err *e)
{
	void *grown;
	size_t room = t->room ? 2 * t->room : ROOM;

	trim(t);
	if (t->head > t->n / 2) {
		memmove(t->v, t->v + t->head, (t->n - t->head) * sizeof(*t->v));
		t->n -= t->head;
		t->head = 0;
	}
	if (t->n < t->room)
		return 0;
	grown = reallocarray(t->v, room, sizeof(*t->v));
	if (!grown)
		return err_nomem(e, "the live view");
	t->v = grown;
	t->room = room;
	return 0;
}

int tail_push(struct tail *t, const struct sample *s, struct err *e)
{
	int rc = t->n == t->room ? make_room(t, e) : 0;

	if (rc || s->role == ROLE_OTHER || s->role == ROLE_HANDLED)
		return rc;
	t->v[t->n++] = (struct kept){.s = *s};
	return 0;
}

/* ---- what is used up ---- */

/* NULL = it is not kept. */
static struct kept *find_seq(const struct tail *t, int64_t seq)
{
	size_t lo = t->head, hi = t->n;

	if (seq == DMA_UNKNOWN)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->v[mid].s.seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->n && t->v[lo].s.seq == seq ? &t->v[lo] : NULL;
}

static void use_seq(struct tail *t, int64_t seq)
{
	struct kept *k = find_seq(t, seq);

	if (k)
		k->used = true;
}

/* It may have ended others, which are not decided yet. */
static void use_irq(struct tail *t, const struct transfer *x)
{
	struct kept *k = find_seq(t, x->irq_seq);

	if (k)
		k->used = ++k->uses >= (uint32_t)x->coalesced;
}

/* Those of a thread at a moment: the calls around what the transfer names. */
static void use_moment(struct tail *t, int64_t time_ns, int32_t tid)
{
	size_t lo = t->head, hi = t->n;

	if (time_ns == DMA_UNKNOWN)
		return;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->v[mid].s.time_ns < time_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < t->n && t->v[lo].s.time_ns == time_ns; lo++)
		if (t->v[lo].s.tid == tid && t->v[lo].s.role != ROLE_INTERRUPT)
			t->v[lo].used = true;
}

/* The exit of the start call, which follows on the start's thread. */
static void use_exit(struct tail *t, const struct transfer *x)
{
	bool begun = false;

	for (size_t i = t->head; i < t->n; i++) {
		struct kept *k = &t->v[i];

		begun |= k->s.seq == x->submit_seq;
		if (!begun || k->s.tid != x->tid || k->s.seq == x->submit_seq)
			continue;
		if (k->s.role == ROLE_STARTED || k->s.role == ROLE_DOORBELL)
			k->used = true;
		else
			return;
	}
}

void tail_transfer(struct tail *t, const struct transfer *x)
{
	use_exit(t, x);
	use_seq(t, x->submit_seq);
	use_seq(t, x->woken_seq);
	use_irq(t, x);
	use_moment(t, x->doorbell_ns, x->tid);
	use_moment(t, x->wait_ns, x->tid);
	trim(t);
}

void tail_stray(struct tail *t, const struct stray *x)
{
	use_seq(t, x->seq);
}

/* ---- what is left ---- */

int64_t tail_from_ns(struct tail *t)
{
	trim(t);
	return t->head < t->n ? t->v[t->head].s.time_ns : DMA_UNKNOWN;
}

int tail_each(struct tail *t,
	      int (*take)(void *arg, const struct sample *s, struct err *e), void *arg,
	      struct err *e)
{
	int rc = 0;

	trim(t);
	for (size_t i = t->head; i < t->n && !rc; i++)
		if (!t->v[i].used)
			rc = take(arg, &t->v[i].s, e);
	return rc;
}
