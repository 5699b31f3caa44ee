/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/key/key_table.h"

#include <stdlib.h>

#include "lib/err.h"

enum { FIRST_ROOM = 64 };

static size_t home(const struct key_table *t, int64_t key)
{
	uint64_t v = (uint64_t)key * 0x9e3779b97f4a7c15u;

	return (size_t)(v ^ v >> 32) & (t->room - 1);
}

static size_t seek(const struct key_table *t, int64_t key)
{
	size_t i = home(t, key);

	while (t->slot[i].value && t->slot[i].key != key)
		i = (i + 1) & (t->room - 1);
	return i;
}

void *key_table_get(const struct key_table *t, int64_t key)
{
	return t->room ? t->slot[seek(t, key)].value : NULL;
}

static int grow(struct key_table *t)
{
	struct key_table bigger = {.room = t->room ? 2 * t->room : FIRST_ROOM, .n = t->n};

	bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
	if (!bigger.slot)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->room; i++)
		if (t->slot[i].value)
			bigger.slot[seek(&bigger, t->slot[i].key)] = t->slot[i];
	free(t->slot);
	*t = bigger;
	return 0;
}

int key_table_put(struct key_table *t, int64_t key, void *value)
{
	size_t i;

	if (2 * (t->n + 1) > t->room && grow(t))
		return ERR_NOMEM;
	i = seek(t, key);
	t->n += !t->slot[i].value;
	t->slot[i].key = key;
	t->slot[i].value = value;
	return 0;
}

/* Those behind it in its chain move up, so that no chain has a gap. */
void key_table_drop(struct key_table *t, int64_t key)
{
	size_t gap = t->room ? seek(t, key) : 0, mask = t->room - 1;

	if (!t->room || !t->slot[gap].value)
		return;
	for (size_t i = (gap + 1) & mask; t->slot[i].value; i = (i + 1) & mask) {
		size_t from = home(t, t->slot[i].key);

		if (((i - from) & mask) < ((i - gap) & mask))
			continue;
		t->slot[gap] = t->slot[i];
		gap = i;
	}
	t->slot[gap].value = NULL;
	t->n--;
}

void *key_table_all(const struct key_table *t, size_t *n)
{
	void **all = calloc(t->n + 1, sizeof(*all));

	*n = 0;
	for (size_t i = 0; all && i < t->room; i++)
		if (t->slot[i].value)
			all[(*n)++] = t->slot[i].value;
	return all;
}

void key_table_release(struct key_table *t, void (*drop)(void *value))
{
	for (size_t i = 0; drop && i < t->room; i++)
		if (t->slot[i].value)
			drop(t->slot[i].value);
	free(t->slot);
	*t = (struct key_table){.n = 0};
}
