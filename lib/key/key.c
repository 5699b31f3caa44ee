/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/key/key.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/key/key_table.h"

enum { MAX_CPUS = 8192 };

static const char *const words[KEY_N] = {
	[KEY_NO] = "no",       [KEY_AGREES] = "agrees",	  [KEY_DIFFERS] = "differs",
	[KEY_ALONE] = "alone", [KEY_UNCLEAR] = "unclear", [KEY_UNSEEN] = "unseen",
};

const char *key_word_name(enum key_word w)
{
	return (unsigned)w < KEY_N ? words[w] : "?";
}

struct seen_irq {
	int64_t seq, time_ns;
	int32_t irq;
};

struct cpu {
	struct seen_irq any, ends; /* the last one; of those that end transfers */
};

struct keys {
	struct key_options o;
	struct join_sink sink;
	struct key_totals n;
	struct key_table open;	/* parts in flight, by their key */
	struct key_table calls; /* starts that have not returned, by their thread */
	struct key_table
		known; /* starts whose transfer was not handed out, by their seq */
	struct cpu *cpu;
	size_t ncpu;
};

int keys_new(struct keys **out, const struct key_options *o, const struct join_sink *sink,
	     struct err *e)
{
	struct keys *k = calloc(1, sizeof(*k));

	*out = k;
	if (!k)
		return err_nomem(e, "the keys");
	k->o = *o;
	k->sink = *sink;
	return 0;
}

void keys_doubt(struct keys *k)
{
	k->o.holes = true;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	key_table_release(&k->open, free);
	key_table_release(&k->calls, NULL);
	key_table_release(&k->known, free);
	free(k->cpu);
	free(k);
}

/* ---- the end of a transfer ---- */

static bool all_ended(const struct key_start *x)
{
	return !x->in_call && x->nparts && x->nended == x->nparts;
}

/* Has it an end of its own, which the driver's word can tell? */
static bool may_end(enum transfer_state s)
{
	return s != STATE_FAILED && s != STATE_ABORTED && s != STATE_CIRCULAR;
}

static bool means_it(const struct keys *k, const struct key_start *x,
		     const struct transfer *t)
{
	if (x->unclear || x->ended_ns < t->submit_ns)
		return false;
	if (x->sized && t->size_bytes != DMA_UNKNOWN && x->size_bytes != t->size_bytes)
		return false;
	if (!x->sized && x->nparts > 1)
		return false;
	return !k->o.holes || (t->woken_ns != DMA_UNKNOWN && x->ended_ns <= t->woken_ns);
}

static void take_irq(struct transfer *t, const struct seen_irq *q, int32_t cpu)
{
	t->irq = q->irq;
	t->irq_cpu = cpu;
	t->irq_ns = q->time_ns;
	t->irq_seq = q->seq;
	t->irq_certain = true;
	t->irq_p = 1;
}

static void drop_irq(struct transfer *t)
{
	t->irq = t->irq_cpu = -1;
	t->irq_ns = t->irq_seq = DMA_UNKNOWN;
	t->irq_certain = false;
	t->coalesced = t->irq_count = 0;
}

/* The interrupt that was joined without the key. */
static void judge_irq(struct keys *k, const struct key_start *x, struct transfer *t)
{
	bool known = t->irq_ns != DMA_UNKNOWN && t->state != STATE_UNKNOWN;
	const struct key_irq *own = x->in_handler ? &x->handler : &x->before;
	struct seen_irq q = {own->seq, own->time_ns, own->irq};

	t->key = !known ? KEY_ALONE : own->seq == t->irq_seq ? KEY_AGREES : KEY_DIFFERS;
	if (t->key != KEY_AGREES)
		drop_irq(t);
	if (x->in_handler && own->seq != DMA_UNKNOWN && t->key != KEY_AGREES)
		take_irq(t, &q, x->cpu);
	k->n.by_handler += x->in_handler && own->seq != DMA_UNKNOWN;
}

static void settle(struct keys *k, const struct key_start *x, struct transfer *t)
{
	judge_irq(k, x, t);
	t->ended_ns = x->ended_ns;
	if (k->o.issues) {
		t->doorbell_ns = x->issued_ns;
		t->doorbell_is_exit = false;
	}
	/* what is known of the interrupt stays: that none came, or that none was expected */
	if ((t->state == STATE_NO_INTERRUPT || t->state == STATE_POLLED) && t->irq < 0)
		return;
	t->state = t->woken_ns != DMA_UNKNOWN && t->woken_ns < t->ended_ns
			   ? STATE_LATE
			   : STATE_COMPLETE;
	t->reason = NULL;
}

/* The table has a start until its transfer has left and nothing else points to it. */
static void forget(struct keys *k, struct key_start *x)
{
	if (!x->gone || x->in_call || x->nopen)
		return;
	key_table_drop(&k->known, x->seq);
	free(x);
}

/* What the others' times are from and to is not known of it: it has none beside them. */
static void no_word(const struct keys *k, struct transfer *t)
{
	if (transfer_is_keyed(t) || !k->o.issues)
		return;
	t->doorbell_ns = DMA_UNKNOWN;
	t->doorbell_is_exit = false;
}

static int hand_out(struct keys *k, struct key_start *x, struct err *e)
{
	struct transfer t = x->t;
	bool ended = all_ended(x);

	if (x->unclear)
		t.key = KEY_UNCLEAR;
	else if (!ended)
		t.key = KEY_UNSEEN;
	else if (!means_it(k, x, &t))
		t.key = KEY_UNCLEAR;
	else if (may_end(t.state))
		settle(k, x, &t);
	else
		t.key = KEY_UNSEEN;
	no_word(k, &t);
	k->n.word[t.key]++;
	x->gone = true;
	forget(k, x);
	return k->sink.transfer ? k->sink.transfer(k->sink.arg, &t, e) : 0;
}

/* Nothing more is to come that could change what is said of it. */
static bool is_known(const struct key_start *x)
{
	return !x->in_call && (x->unclear || x->nended == x->nparts);
}

static int look(struct keys *k, struct key_start *x, struct err *e)
{
	if (x->has_transfer && !x->gone && is_known(x))
		return hand_out(k, x, e);
	forget(k, x);
	return 0;
}

/* ---- starts ---- */

static int part(struct keys *k, struct key_start *x, const struct sample *s,
		struct err *e)
{
	struct key_part *p = calloc(1, sizeof(*p));

	if (!p || key_table_put(&k->open, s->key, p)) {
		free(p);
		return err_nomem(e, "the keys");
	}
	p->start = x;
	p->size_bytes = DMA_UNKNOWN;
	p->issued_ns = DMA_UNKNOWN;
	if (x) {
		x->nopen++;
		x->nparts++;
	}
	return 0;
}

static void doubt(struct key_part *p)
{
	p->shared = true;
	if (p->start)
		p->start->unclear = true;
}

static void measure(struct key_part *p, const struct sample *s)
{
	if (s->size_bytes == DMA_UNKNOWN)
		return;
	if (p->size_bytes != DMA_UNKNOWN && p->size_bytes != s->size_bytes && p->start)
		p->start->unclear = true; /* split or merged since */
	p->size_bytes = s->size_bytes;
}

/* The driver was asked, or gave it to the card. */
static int begin_part(struct keys *k, const struct sample *s, struct err *e)
{
	bool begins = s->role == ROLE_ASKED || !k->o.asks;
	struct key_start *x = begins ? key_table_get(&k->calls, s->tid) : NULL;
	struct key_part *p = key_table_get(&k->open, s->key);
	bool again = p && p->issued_ns != DMA_UNKNOWN;
	int rc = 0;

	/* begun while it is in flight; where asking is what begins, it was issued once more,
	 * as a card that had no room for it is */
	if (p && begins && (again || p->start != x || s->role == ROLE_ASKED)) {
		doubt(p);
		if (x)
			x->unclear = true;
	}
	if (!p) {
		rc = part(k, x, s, e);
		p = rc ? NULL : key_table_get(&k->open, s->key);
	}
	if (!p)
		return rc;
	measure(p, s);
	if (s->role == ROLE_ISSUED)
		p->issued_ns = s->time_ns;
	return 0;
}

static int begin_call(struct keys *k, const struct sample *s, struct err *e)
{
	struct key_start *x = calloc(1, sizeof(*x));

	if (!x || key_table_put(&k->known, s->seq, x)) {
		free(x);
		return err_nomem(e, "the keys");
	}
	x->seq = s->seq;
	x->issued_ns = DMA_UNKNOWN;
	x->ended_ns = DMA_UNKNOWN;
	x->sized = true;
	if (s->tid >= 0) {
		x->in_call = true;
		if (key_table_put(&k->calls, s->tid, x))
			return err_nomem(e, "the keys");
	}
	if (!(s->bits & SAMPLE_KEYED))
		return 0;
	if (key_table_get(&k->open, s->key)) {
		doubt(key_table_get(&k->open, s->key));
		x->unclear = true;
		return 0;
	}
	return part(k, x, s, e);
}

static int end_call(struct keys *k, int32_t tid, struct err *e)
{
	struct key_start *x = key_table_get(&k->calls, tid);

	if (!x)
		return 0;
	key_table_drop(&k->calls, tid);
	x->in_call = false;
	return look(k, x, e);
}

/* ---- ends ---- */

static void end_of(struct keys *k, struct key_start *x, const struct key_part *p,
		   const struct sample *s)
{
	const struct cpu *c =
		s->cpu >= 0 && (size_t)s->cpu < k->ncpu ? &k->cpu[s->cpu] : NULL;

	x->nended++;
	if (p->size_bytes == DMA_UNKNOWN)
		x->sized = false;
	else
		x->size_bytes += p->size_bytes;
	if (p->issued_ns != DMA_UNKNOWN &&
	    (x->issued_ns == DMA_UNKNOWN || p->issued_ns < x->issued_ns))
		x->issued_ns = p->issued_ns;
	x->ended_ns = s->time_ns;
	x->cpu = s->cpu;
	x->in_handler = s->bits & SAMPLE_IN_HANDLER;
	x->before = x->handler = (struct key_irq){DMA_UNKNOWN, DMA_UNKNOWN, -1};
	if (c) {
		x->before = (struct key_irq){c->ends.seq, c->ends.time_ns, c->ends.irq};
		x->handler = (struct key_irq){c->any.seq, c->any.time_ns, c->any.irq};
	}
}

static int end_part(struct keys *k, const struct sample *s, struct err *e)
{
	struct key_part *p = key_table_get(&k->open, s->key);
	struct key_start *x = p ? p->start : NULL;
	int rc = 0;

	k->n.foreign += !x;
	if (!p)
		return 0;
	measure(p, s);
	if (x)
		end_of(k, x, p, s);
	key_table_drop(&k->open, s->key);
	free(p);
	if (x) {
		x->nopen--;
		rc = look(k, x, e);
	}
	return rc;
}

/* ---- interrupts ---- */

static bool ends_transfers(const struct keys *k, int32_t irq)
{
	for (size_t i = 0; i < k->o.nvector; i++)
		if (k->o.vector[i].irq == irq)
			return true;
	return false;
}

static int see_irq(struct keys *k, const struct sample *s, struct err *e)
{
	const struct seen_irq q = {s->seq, s->time_ns, s->irq};

	if (s->cpu < 0 || s->cpu >= MAX_CPUS || sample_is_foreign(s))
		return 0;
	while (k->ncpu <= (size_t)s->cpu) {
		struct cpu *c = array_add(&k->cpu, &k->ncpu);

		if (!c)
			return err_nomem(e, "the keys");
		c->any.seq = c->ends.seq = DMA_UNKNOWN;
	}
	k->cpu[s->cpu].any = q;
	if (ends_transfers(k, s->irq))
		k->cpu[s->cpu].ends = q;
	return 0;
}

/* ---- the interface ---- */

int keys_push(struct keys *k, const struct sample *s, struct err *e)
{
	bool keyed = s->bits & SAMPLE_KEYED;
	int rc = 0;

	switch (s->role) {
	case ROLE_INTERRUPT:
		return see_irq(k, s, e);
	case ROLE_ASKED:
	case ROLE_ISSUED:
		return keyed ? begin_part(k, s, e) : 0;
	case ROLE_ENDED:
		return keyed ? end_part(k, s, e) : 0;
	case ROLE_SUBMIT:
	case ROLE_STARTED:
	case ROLE_WAIT:
	case ROLE_WOKEN:
	case ROLE_STOP:
		rc = s->tid >= 0 ? end_call(k, s->tid, e) : 0;
		return rc || s->role != ROLE_SUBMIT ? rc : begin_call(k, s, e);
	default:
		return 0;
	}
}

int keys_transfer(struct keys *k, const struct transfer *t, struct err *e)
{
	struct key_start *x = key_table_get(&k->known, t->submit_seq);
	struct transfer unseen = *t;

	if (!x) {
		unseen.key = KEY_UNSEEN;
		no_word(k, &unseen);
		return k->sink.transfer ? k->sink.transfer(k->sink.arg, &unseen, e) : 0;
	}
	x->t = *t;
	x->has_transfer = true;
	return look(k, x, e);
}

int keys_finish(struct keys *k, struct key_totals *n, struct err *e)
{
	size_t nstart = 0;
	struct key_start **start = key_table_all(&k->known, &nstart);
	int rc = start ? 0 : err_nomem(e, "the keys");

	for (size_t i = 0; !rc && i < nstart; i++) {
		start[i]->in_call = false;
		if (start[i]->has_transfer && !start[i]->gone)
			rc = hand_out(k, start[i], e);
	}
	free(start);
	*n = k->n;
	return rc;
}
