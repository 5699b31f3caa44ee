/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/audit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"

struct thread {
	int32_t tid;
	int64_t wait_ns; /* entry of the wait that it is in; DMA_UNKNOWN = none */
	bool starting;	 /* between a start's entry and its store */
	int64_t card;
};

struct audit {
	struct thread *thread;
	size_t n, last;
	struct audit_totals t;
};

struct audit *audit_new(void)
{
	return calloc(1, sizeof(struct audit));
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	free(a->thread);
	free(a);
}

/* The last one asked for is likely the next. */
static struct thread *thread_of(struct audit *a, int32_t tid)
{
	struct thread *x;

	if (a->last < a->n && a->thread[a->last].tid == tid)
		return &a->thread[a->last];
	for (size_t i = 0; i < a->n; i++)
		if (a->thread[i].tid == tid) {
			a->last = i;
			return &a->thread[i];
		}
	x = array_add(&a->thread, &a->n);
	if (x)
		*x = (struct thread){.tid = tid, .wait_ns = DMA_UNKNOWN};
	return x;
}

static void begin_start(struct audit *a, struct thread *x, const struct sample *s)
{
	bool within = false;

	for (size_t i = 0; i < a->n; i++)
		within |= &a->thread[i] != x && a->thread[i].starting &&
			  a->thread[i].card == s->card;
	a->t.starts++;
	a->t.overlapping += within;
	x->starting = true;
	x->card = s->card;
}

static void end_wait(struct audit *a, struct thread *x, const struct sample *s)
{
	int64_t ns = x->wait_ns == DMA_UNKNOWN ? -1 : s->time_ns - x->wait_ns;

	x->wait_ns = DMA_UNKNOWN;
	if (ns < 0)
		return;
	a->t.waits++;
	a->t.in_wait_ns += ns;
	if (!(s->bits & SAMPLE_PENDING))
		return;
	a->t.pending++;
	a->t.pending_ns += ns;
}

int audit_push(struct audit *a, const struct sample *s)
{
	struct thread *x;

	if (s->tid < 0 || s->role < ROLE_SUBMIT || s->role > ROLE_STOP ||
	    s->role == ROLE_INTERRUPT || s->role == ROLE_HANDLED)
		return 0;
	x = thread_of(a, s->tid);
	if (!x)
		return ERR_NOMEM;
	switch (s->role) {
	case ROLE_SUBMIT:
		begin_start(a, x, s);
		break;
	case ROLE_WAIT:
		x->starting = false;
		x->wait_ns = s->time_ns;
		break;
	case ROLE_WOKEN:
		end_wait(a, x, s);
		x->starting = false;
		break;
	default:
		x->starting = false;
	}
	return 0;
}

struct audit_totals audit_result(const struct audit *a)
{
	return a->t;
}
