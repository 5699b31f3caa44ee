/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/event/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/err.h"

/* Which handler a CPU is in. */
struct inside {
	int32_t cpu, line, number;
};

struct handlers {
	struct event_handler *item;
	size_t n, recent;
	struct inside *cpu;
	size_t ncpu;
};

struct handlers *handlers_new(void)
{
	return calloc(1, sizeof(struct handlers));
}

void handlers_free(struct handlers *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->item[i].name);
	free(h->item);
	free(h->cpu);
	free(h);
}

static bool fits(const struct event_handler *x, int32_t line, const char *name,
		 size_t len)
{
	return x->line == line && !x->ordinal &&
	       (!len || (strlen(x->name) == len && !memcmp(x->name, name, len)));
}

static struct event_handler *add(struct handlers *h, int32_t line, int32_t before,
				 int32_t ordinal, const char *name, size_t len)
{
	struct event_handler *x = array_add(&h->item, &h->n);

	if (!x)
		return NULL;
	*x = (struct event_handler){line, line + before * HANDLER_STRIDE, ordinal,
				    strndup(name, len)};
	if (!x->name) {
		h->n--;
		return NULL;
	}
	return x;
}

static struct event_handler *handler(struct handlers *h, int32_t line, const char *name,
				     size_t len)
{
	int32_t before = 0;

	if (len && h->recent < h->n && fits(&h->item[h->recent], line, name, len))
		return &h->item[h->recent];
	for (size_t i = 0; i < h->n; i++) {
		if (fits(&h->item[i], line, name, len)) {
			h->recent = i;
			return &h->item[i];
		}
		before += h->item[i].line == line;
	}
	if (before && (line >= HANDLER_STRIDE || before >= HANDLERS_OF_A_LINE))
		return handler(h, line, "", 0); /* the first: not told apart any more */
	return add(h, line, before, 0, name, len);
}

static const struct event_handler *numbered(const struct handlers *h, int32_t number)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->item[i].number == number)
			return &h->item[i];
	return NULL;
}

bool handlers_is(const struct handlers *h, int32_t number, const char *name, size_t len)
{
	const struct event_handler *x = numbered(h, number);

	return x && fits(x, x->line, name, len);
}

int32_t handlers_again(struct handlers *h, int32_t number, int32_t ordinal)
{
	const struct event_handler *first = numbered(h, number), *x;
	int32_t before = 0;

	for (size_t i = 0; first && ordinal && i < h->n; i++) {
		x = &h->item[i];
		if (x->line == first->line && x->ordinal == ordinal &&
		    !strcmp(x->name, first->name))
			return x->number;
		before += x->line == first->line;
	}
	if (!first || !ordinal || before >= HANDLERS_OF_A_LINE)
		return number;
	x = add(h, first->line, before, ordinal, first->name, strlen(first->name));
	return x ? x->number : -1;
}

static struct inside *inside(const struct handlers *h, int32_t cpu)
{
	for (size_t i = 0; i < h->ncpu; i++)
		if (h->cpu[i].cpu == cpu)
			return &h->cpu[i];
	return NULL;
}

int32_t handlers_entry(struct handlers *h, int32_t cpu, int32_t line, const char *name,
		       size_t len)
{
	const struct event_handler *x = handler(h, line, name, len);
	struct inside *in = inside(h, cpu);

	if (x && !in)
		in = array_add(&h->cpu, &h->ncpu);
	if (!x || !in)
		return -1;
	*in = (struct inside){cpu, line, x->number};
	return x->number;
}

int32_t handlers_exit(const struct handlers *h, int32_t cpu, int32_t line)
{
	const struct inside *in = inside(h, cpu);

	return in && in->line == line ? in->number : line;
}

size_t handlers_list(const struct handlers *h, const struct event_handler **list)
{
	*list = h->item;
	return h->n;
}
