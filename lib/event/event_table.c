/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a decoder remembers between samples: open calls, cards, paths of descriptors. All
 * are looked up once for each sample, so none is searched from its beginning.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/event/event_impl.h"

enum { MAX_CALLS = 1 << 20, MAX_CARDS = 1 << 16 };

static size_t hash(uint64_t v, size_t mask)
{
	v *= 0x9e3779b97f4a7c15u;
	return (size_t)(v ^ v >> 32) & mask;
}

/* ---- open calls ---- */

static size_t home(const struct calls *t, int32_t tid, int32_t func)
{
	return hash((uint64_t)(uint32_t)tid << 32 | (uint32_t)func, t->room - 1);
}

/* Where the call is, or would go. */
static size_t seek(const struct calls *t, int32_t tid, int32_t func)
{
	size_t i = home(t, tid, func);

	while (t->slot[i].func >= 0 && (t->slot[i].tid != tid || t->slot[i].func != func))
		i = (i + 1) & (t->room - 1);
	return i;
}

struct call *calls_find(const struct calls *t, int32_t tid, int32_t func)
{
	struct call *c = t->room ? &t->slot[seek(t, tid, func)] : NULL;

	return c && c->func >= 0 ? c : NULL;
}

static int calls_grow(struct calls *t)
{
	struct calls bigger = {.room = t->room ? 2 * t->room : 64, .n = t->n};

	bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
	if (!bigger.slot)
		return ERR_NOMEM;
	for (size_t i = 0; i < bigger.room; i++)
		bigger.slot[i].func = -1;
	for (size_t i = 0; i < t->room; i++)
		if (t->slot[i].func >= 0)
			bigger.slot[seek(&bigger, t->slot[i].tid, t->slot[i].func)] =
				t->slot[i];
	free(t->slot);
	*t = bigger;
	return 0;
}

struct call *calls_add(struct calls *t, int32_t tid, int32_t func, bool *added)
{
	struct call *c = calls_find(t, tid, func);

	*added = !c;
	if (c)
		return c;
	if (t->n >= MAX_CALLS)
		calls_clear(t);
	if (2 * (t->n + 1) > t->room && calls_grow(t))
		return NULL;
	c = &t->slot[seek(t, tid, func)];
	*c = (struct call){.tid = tid, .func = func};
	t->n++;
	return c;
}

/* Those behind it in its chain move up, so that no chain has a gap. */
void calls_drop(struct calls *t, int32_t tid, int32_t func)
{
	struct call *c = calls_find(t, tid, func);
	size_t mask = t->room - 1, gap, i;

	if (!c)
		return;
	gap = (size_t)(c - t->slot);
	for (i = (gap + 1) & mask; t->slot[i].func >= 0; i = (i + 1) & mask) {
		size_t from = home(t, t->slot[i].tid, t->slot[i].func);

		if (((i - from) & mask) < ((i - gap) & mask))
			continue;
		t->slot[gap] = t->slot[i];
		gap = i;
	}
	t->slot[gap].func = -1;
	t->n--;
}

void calls_clear(struct calls *t)
{
	for (size_t i = 0; t->n && i < t->room; i++)
		t->slot[i].func = -1;
	t->n = 0;
}

void calls_release(struct calls *t)
{
	free(t->slot);
	*t = (struct calls){.room = 0};
}

/* ---- cards ---- */

static uint32_t *card_slot(const struct cards *t, int32_t pid, uint64_t key)
{
	size_t mask = t->nslot - 1, i = hash(key ^ (uint64_t)(uint32_t)pid << 40, mask);

	for (; t->slot[i]; i = (i + 1) & mask) {
		const struct event_card *c = &t->card[t->slot[i] - 1];

		if (c->key == key && c->pid == pid)
			break;
	}
	return &t->slot[i];
}

static int cards_grow(struct cards *t)
{
	size_t room = t->room ? 2 * t->room : 8;
	struct event_card *card = reallocarray(t->card, room, sizeof(*card));
	uint32_t *slot;

	if (!card)
		return ERR_NOMEM;
	t->card = card;
	slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return ERR_NOMEM;
	free(t->slot);
	t->slot = slot;
	t->nslot = 2 * room;
	t->room = room;
	for (size_t i = 0; i < t->n; i++)
		*card_slot(t, card[i].pid, card[i].key) = (uint32_t)i + 1;
	return 0;
}

int64_t cards_number(struct cards *t, int32_t pid, uint64_t key, const char *name,
		     struct err *e)
{
	uint32_t *slot = t->nslot ? card_slot(t, pid, key) : NULL;

	if (slot && *slot)
		return (int64_t)*slot - 1;
	if (t->n >= MAX_CARDS)
		return err_set(e, ERR_LIMIT, "more than %d cards: is 'card' really one?",
			       MAX_CARDS);
	if (t->n == t->room && cards_grow(t))
		return err_nomem(e, "%zu cards", t->n + 1);
	t->card[t->n] = (struct event_card){pid, key, name};
	*card_slot(t, pid, key) = (uint32_t)t->n + 1;
	return (int64_t)t->n++;
}

void cards_release(struct cards *t)
{
	free(t->card);
	free(t->slot);
	*t = (struct cards){.n = 0};
}

/* ---- descriptors ---- */

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* By process, descriptor, time; what was told later comes later. */
static int compare_fds(const void *left, const void *right)
{
	const struct meta_fd *a = *(const struct meta_fd *const *)left;
	const struct meta_fd *b = *(const struct meta_fd *const *)right;

	if (a->pid != b->pid)
		return order(a->pid, b->pid);
	if (a->fd != b->fd)
		return order(a->fd, b->fd);
	return a->from_ns != b->from_ns ? order(a->from_ns, b->from_ns)
					: (a > b) - (a < b);
}

int fds_init(struct fds *t, const struct meta *m, struct err *e)
{
	t->n = m->nfd;
	t->fd = calloc(t->n ? t->n : 1, sizeof(*t->fd));
	if (!t->fd)
		return err_nomem(e, "%zu descriptors", t->n);
	for (size_t i = 0; i < t->n; i++)
		t->fd[i] = &m->fd[i];
	qsort(t->fd, t->n, sizeof(*t->fd), compare_fds);
	return 0;
}

void fds_release(struct fds *t)
{
	free(t->fd);
	*t = (struct fds){.n = 0};
}

static bool same_fd(const struct meta_fd *f, int32_t pid, int64_t fd)
{
	return f->pid == pid && f->fd == fd;
}

const char *fds_path(const struct fds *t, int32_t pid, int64_t fd, int64_t time_ns)
{
	size_t lo = 0, hi = t->n;

	/* lo: how many come before or at (pid, fd, time) */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct meta_fd *f = t->fd[mid];
		int c = f->pid != pid ? order(f->pid, pid)
			: f->fd != fd ? order(f->fd, fd)
				      : order(f->from_ns, time_ns);

		if (c <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && same_fd(t->fd[lo - 1], pid, fd))
		return t->fd[lo - 1]->path;
	return lo < t->n && same_fd(t->fd[lo], pid, fd) ? t->fd[lo]->path : NULL;
}

/* ---- channels that run ---- */

void runnings_release(struct runnings *t)
{
	free(t->r);
	*t = (struct runnings){.n = 0};
}

int runnings_start(struct runnings *t, const struct running *now)
{
	struct running *r = NULL;

	for (size_t i = 0; i < t->n && !r; i++)
		if (t->r[i].card == now->card && t->r[i].channel == now->channel)
			r = &t->r[i];
	if (r && r->func == now->func && r->pid == now->pid &&
	    !memcmp(r->value, now->value, sizeof(r->value)))
		return 1;
	if (!r)
		r = array_add(&t->r, &t->n);
	if (!r)
		return ERR_NOMEM;
	*r = *now;
	return 0;
}

static void drop(struct runnings *t, size_t i)
{
	t->r[i] = t->r[--t->n];
}

void runnings_stop(struct runnings *t, int64_t card, int64_t channel)
{
	for (size_t i = t->n; i-- > 0;)
		if ((card == DMA_UNKNOWN || t->r[i].card == card) &&
		    (channel == DMA_UNKNOWN || t->r[i].channel == channel))
			drop(t, i);
}

void runnings_end(struct runnings *t, int32_t pid)
{
	for (size_t i = t->n; i-- > 0;)
		if (pid < 0 || t->r[i].pid == pid)
			drop(t, i);
}
