/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/cards.h"

#include <stdlib.h>

#include "lib/array.h"
#include "lib/err.h"
#include "record/live/names.h"

void process_cards_release(struct process_cards *c)
{
	free(c->v);
	*c = (struct process_cards){0};
}

static bool is_it(const struct process_cards *c, size_t i, int32_t pid, int64_t card)
{
	return i < c->n && c->v[i].pid == pid && c->v[i].card == card;
}

/* The newest are asked for most; SIZE_MAX = not there. */
static size_t find(struct process_cards *c, int32_t pid, int64_t card)
{
	if (is_it(c, c->recent, pid, card))
		return c->recent;
	for (size_t i = c->n; i-- > 0;)
		if (is_it(c, i, pid, card))
			return c->recent = i;
	return SIZE_MAX;
}

int process_cards_take(struct process_cards *c, const struct names *names,
		       struct sample *s, struct err *e)
{
	struct process_card *added;
	size_t i;

	if (s->pid <= 0 || s->role > ROLE_STOP || s->role == ROLE_INTERRUPT)
		return 0;
	i = find(c, s->pid, s->card);
	if (i == SIZE_MAX && s->role != ROLE_SUBMIT && s->card == DMA_UNKNOWN)
		return 0;
	if (i == SIZE_MAX) {
		added = array_add(&c->v, &c->n);
		if (!added)
			return err_nomem(e, "the live view");
		*added = (struct process_card){s->pid, s->card,
					       names_began(names, s->pid)};
		i = c->n - 1;
	}
	s->card = (int64_t)i;
	return 0;
}

const struct process_card *process_cards_of(const struct process_cards *c, int64_t number)
{
	return number >= 0 && (size_t)number < c->n ? &c->v[number] : NULL;
}
