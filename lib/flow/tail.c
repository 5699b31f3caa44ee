/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/tail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/flow/follow.h"

enum { ROOM = 1024 };

struct kept {
	struct sample s;
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

static void use_seq(struct tail *t, int64_t seq)
{
	size_t lo = t->head, hi = t->n;

	if (seq == DMA_UNKNOWN)
		return;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->v[mid].s.seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < t->n && t->v[lo].s.seq == seq)
		t->v[lo].used = true;
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
	if (x->coalesced <= 1)
		use_seq(t, x->irq_seq);
	use_moment(t, x->doorbell_ns, x->tid);
	use_moment(t, x->wait_ns, x->tid);
	trim(t);
}

void tail_stray(struct tail *t, const struct stray *x)
{
	use_seq(t, x->seq);
}

/* ---- the preview ---- */

int tail_preview(struct tail *t, const struct follow *f, const struct join_sink *sink,
		 struct err *e)
{
	struct join_totals totals;
	struct join_options o = {0};
	struct join *j = NULL;
	int rc;

	trim(t);
	if (!follow_decided(f) || t->head == t->n)
		return 0;
	follow_join_options(f, &o);
	rc = join_new(&j, &o, sink, e);
	for (size_t i = t->head; i < t->n && !rc; i++)
		if (!t->v[i].used)
			rc = join_push(j, &t->v[i].s, e);
	if (!rc)
		rc = join_finish(j, &totals, e);
	join_free(j);
	return rc;
}
