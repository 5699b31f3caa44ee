/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/newcomers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/choice.h"

enum verdict {
	NOT_MET,
	WANTED,
	WANTED_SHARED,
	UNWANTED,
	UNWANTED_YET, /* a line of others, which an awaited device may come to share */
};

/* Chosen: three small files of /sys for each awaited address, so that it costs a thousandth. */
#define LOOK_AGAIN_NS INT64_C(10000000)

struct newcomers {
	const struct irq_choice *choice;
	int64_t looked_ns; /* for the lines of awaited addresses; CLOCK_MONOTONIC */
	const char *root;
	uint8_t *verdict; /* enum verdict by number */
	size_t room;
	struct irq_info *info; /* those that came and are wanted */
	size_t n, nplain;      /* of those, seen by newcomers_next_plain() */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool contains(const int32_t *list, size_t n, int32_t irq)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == irq)
			return true;
	return false;
}

static enum verdict wanted(const struct irq_info *i)
{
	return irq_may_be_shared(i) ? WANTED_SHARED : WANTED;
}

/* Of one with a handler that is not of the chosen. */
static enum verdict unwanted(const struct irq_choice *choice, const struct irq_info *i)
{
	return choice->absent && irq_may_be_shared(i) ? UNWANTED_YET : UNWANTED;
}

static int make_room(struct newcomers *n, int32_t irq, struct err *e)
{
	size_t room = n->room ? n->room : 1024;
	uint8_t *grown;

	while (room <= (size_t)irq)
		room *= 2;
	if (room == n->room)
		return 0;
	grown = realloc(n->verdict, room);
	if (!grown)
		return err_nomem(e, "the interrupts");
	memset(grown + n->room, NOT_MET, room - n->room);
	n->verdict = grown;
	n->room = room;
	return 0;
}

int newcomers_new(struct newcomers **out, const char *root, const struct irqmap *map,
		  const int32_t *irq, size_t nirq, const struct irq_choice *choice,
		  struct err *e)
{
	struct newcomers *n = calloc(1, sizeof(*n));
	int rc = n ? 0 : err_nomem(e, "the interrupts");

	for (size_t i = 0; !rc && i < map->n; i++) {
		const struct irq_info *q = &map->irq[i];

		rc = make_room(n, q->irq, e);
		if (!rc && contains(irq, nirq, q->irq))
			n->verdict[q->irq] = wanted(q);
		else if (!rc && q->name) /* without a handler it is yet to come */
			n->verdict[q->irq] = unwanted(choice, q);
	}
	if (rc) {
		newcomers_free(n);
		n = NULL;
	} else {
		n->choice = choice;
		n->root = root;
	}
	*out = n;
	return rc;
}

static void info_release(struct irq_info *i)
{
	free(i->name);
	free(i->chip);
	free(i->bdf);
	free(i->affinity);
}

void newcomers_free(struct newcomers *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		info_release(&n->info[i]);
	free(n->info);
	free(n->verdict);
	free(n);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int keep(struct newcomers *n, const struct irq_info *i, struct err *e)
{
	struct irq_info *added = array_add(&n->info, &n->n);

	if (!added)
		return err_nomem(e, "the interrupts");
	*added = (struct irq_info){.irq = i->irq,
				   .name = copy(i->name),
				   .chip = copy(i->chip),
				   .bdf = copy(i->bdf),
				   .affinity = copy(i->affinity),
				   .vector = i->vector,
				   .masked = i->masked,
				   .count = i->count,
				   .hwirq = i->hwirq,
				   .wired = i->wired};
	return 0;
}

static bool is_wanted(const struct newcomers *n, int32_t irq)
{
	return n->verdict[irq] == WANTED || n->verdict[irq] == WANTED_SHARED;
}

/* A handler of the chosen device's name on a line that was only others' so far. */
static bool has_come(const struct newcomers *n, int32_t irq, const char *action)
{
	const struct irq_info i = {.irq = irq, .name = (char *)action};

	return n->verdict[irq] == UNWANTED_YET && irq_chosen(n->choice, &i);
}

/* A device that is awaited by its address has a driver now: what is said of its line is said
 * anew. */
static void look_at_lines(struct newcomers *n)
{
	int64_t now = now_ns();
	char bdf[16];

	if (now - n->looked_ns < LOOK_AGAIN_NS)
		return;
	n->looked_ns = now;
	for (size_t i = 0; i < n->choice->npci; i++) {
		int32_t irq = bdf_normalise(n->choice->pci[i], bdf)
				      ? irq_line_of(n->root, bdf)
				      : -1;

		if (irq >= 0 && (size_t)irq < n->room && n->verdict[irq] == UNWANTED_YET)
			n->verdict[irq] = NOT_MET;
	}
}

static int judge(struct newcomers *n, int32_t irq, const char *action, struct err *e)
{
	struct irqmap now;
	struct irq_info gone = {.irq = irq,
				.name = (char *)action,
				.vector = -1,
				.masked = -1,
				.hwirq = -1};
	const struct irq_info *i;
	int rc = irqmap_read(&now, n->root, e);

	if (rc)
		return rc;
	i = irqmap_find(&now, irq);
	if (!i || !i->name)
		i = &gone;
	n->verdict[irq] = irq_chosen(n->choice, i) ? wanted(i) : unwanted(n->choice, i);
	if (is_wanted(n, irq))
		rc = keep(n, i, e);
	irqmap_release(&now);
	return rc;
}

int newcomers_want(struct newcomers *n, int32_t irq, const char *action, struct err *e)
{
	int rc = 0;

	if (irq < 0 || irq >= IRQ_LIMIT)
		return 0;
	if ((size_t)irq >= n->room)
		rc = make_room(n, irq, e);
	if (!rc && n->verdict[irq] == UNWANTED_YET)
		look_at_lines(n);
	if (!rc && (n->verdict[irq] == NOT_MET || has_come(n, irq, action)))
		rc = judge(n, irq, action, e);
	return rc ? rc : is_wanted(n, irq);
}

bool newcomers_want_exit(const struct newcomers *n, int32_t irq)
{
	return irq >= 0 && (size_t)irq < n->room && n->verdict[irq] == WANTED_SHARED;
}

bool newcomers_next_plain(struct newcomers *n, int32_t *irq)
{
	while (n->nplain < n->n) {
		const struct irq_info *i = &n->info[n->nplain++];

		*irq = i->irq;
		if (wanted(i) == WANTED)
			return true;
	}
	return false;
}

size_t newcomers_list(const struct newcomers *n, const struct irq_info **info)
{
	*info = n ? n->info : NULL;
	return n ? n->n : 0;
}

int newcomers_excluded(const struct irqmap *map, const int32_t *irq, size_t nirq,
		       const struct irq_choice *choice, enum irq_side side,
		       int32_t **list, size_t *n, struct err *e)
{
	*list = NULL;
	*n = 0;
	for (size_t i = 0; i < map->n; i++) {
		const struct irq_info *q = &map->irq[i];
		int32_t *added;

		if (!q->name || unwanted(choice, q) == UNWANTED_YET)
			continue;
		if (contains(irq, nirq, q->irq) &&
		    (side == IRQ_ENTRY || irq_may_be_shared(q)))
			continue;
		added = array_add(list, n);
		if (!added)
			return err_nomem(e, "the interrupts");
		*added = q->irq;
	}
	return 0;
}
