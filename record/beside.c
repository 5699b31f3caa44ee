/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/beside.h"

#include <stdlib.h>

#include "lib/err.h"
#include "lib/file/meta.h"
#include "lib/file/perfdata.h"

static size_t watched(const struct beside *b)
{
	return b->watch ? watch_events(b->watch) : 0;
}

int beside_open(struct beside *b, const struct watch_options *watch,
		const struct count_options *count, struct meta *m, struct err *e)
{
	int rc = watch->n ? watch_open(&b->watch, watch, 0, e) : 0;

	if (!rc && b->watch)
		rc = watch_tell(b->watch, m, e);
	if (!rc && count->n)
		rc = count_open(&b->count, count, watched(b), e);
	if (!rc && b->count)
		rc = count_tell(b->count, m, e);
	if (rc)
		beside_close(b);
	return rc;
}

void beside_close(struct beside *b)
{
	watch_close(b->watch);
	count_close(b->count);
	b->watch = NULL;
	b->count = NULL;
}

size_t beside_events(const struct beside *b)
{
	return watched(b) + (b->count ? count_events(b->count) : 0);
}

void beside_attr(const struct beside *b, size_t i, struct perfdata_attr *attr)
{
	if (i < watched(b))
		watch_attr(b->watch, i, attr);
	else
		count_attr(b->count, i - watched(b), attr);
}

const char *beside_format(const struct beside *b, size_t i)
{
	return i < watched(b) ? watch_format(b->watch, i)
			      : count_format(b->count, i - watched(b));
}

uint64_t beside_counted(const struct beside *b, size_t i)
{
	return i < watched(b) ? watch_counted(b->watch, i)
			      : count_readings(b->count, i - watched(b));
}

int beside_start(struct beside *b, struct err *e)
{
	if (b->watch)
		watch_start(b->watch);
	return b->count ? count_start(b->count, e) : 0;
}

const char *beside_look(struct beside *b, char buf[400])
{
	const char *why = NULL;

	if (b->watch)
		watch_look(b->watch, &why);
	if (!why)
		return NULL;
	b->ended = true;
	snprintf(
		buf, 400,
		"the watch of registers ended before the recording: %s; no end that came "
		"later is told by a register",
		why);
	return buf;
}

int beside_drain(void *arg,
		 int (*put)(void *to, const void *buf, size_t len, struct err *e),
		 void *to, struct err *e)
{
	struct beside *b = arg;
	int rc = b->watch ? watch_drain(b->watch, put, to, e) : 0;

	return rc || !b->count ? rc : count_drain(b->count, put, to, e);
}

void beside_stop(struct beside *b)
{
	if (b->watch)
		watch_stop(b->watch);
	if (b->count)
		count_stop(b->count);
}

void beside_finish(const struct beside *b, struct meta *m)
{
	if (b->watch)
		watch_finish(b->watch, m);
}

void beside_print(const struct beside *b, FILE *out)
{
	for (size_t i = 0; i < watched(b); i++) {
		char *text = watch_cost(b->watch, i);

		if (text)
			fprintf(out, "  %s\n", text);
		free(text);
	}
}
