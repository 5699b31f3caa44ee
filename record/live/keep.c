/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/keep.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"
#include "lib/err.h"
#include "lib/file/perfdata.h"

enum { FIRST_ROOM = 1 << 16 };
/* Between what a trigger is about and the end of the file: until the view has seen it, and
 * a little after. */
#define KEEP_MORE_NS INT64_C(2000000000)

struct round {
	struct round *next;
	int64_t end_ns; /* when it had been read: none of its records is later */
	size_t len, room;
	unsigned char *buf;
};

struct keep {
	int64_t keep_ns;
	uint64_t most, bytes;
	struct round *first, **last;
	struct round *open; /* the one that is being read; NULL = none yet */
	int64_t from_ns;
	bool is_short;
};

struct keep *keep_new(int64_t keep_ns, uint64_t bytes)
{
	struct keep *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->keep_ns = keep_ns;
	k->most = keep_ns ? KEEP_MOST_BYTES : bytes;
	k->last = &k->first;
	k->from_ns = DMA_UNKNOWN;
	/* What is freed goes back, so that memory does not grow with the hours. */
	mallopt(M_MMAP_THRESHOLD, FIRST_ROOM);
	return k;
}

static void round_free(struct round *r)
{
	if (r)
		free(r->buf);
	free(r);
}

void keep_free(struct keep *k)
{
	if (!k)
		return;
	for (struct round *r = k->first, *next; r; r = next) {
		next = r->next;
		round_free(r);
	}
	round_free(k->open);
	free(k);
}

int keep_put(struct keep *k, const void *buf, size_t len, struct err *e)
{
	struct round *r = k->open;

	if (!r && !(r = k->open = calloc(1, sizeof(*r))))
		return err_nomem(e, "what is kept");
	if (len > r->room - r->len) {
		size_t room = r->room ? r->room : FIRST_ROOM;
		void *grown;

		while (room - r->len < len)
			room *= 2;
		grown = realloc(r->buf, room);
		if (!grown)
			return err_nomem(e, "what is kept");
		r->buf = grown;
		r->room = room;
	}
	memcpy(r->buf + r->len, buf, len);
	r->len += len;
	return 0;
}

static void forget_first(struct keep *k)
{
	struct round *r = k->first;

	k->first = r->next;
	if (!k->first)
		k->last = &k->first;
	k->bytes -= r->len;
	k->from_ns = r->end_ns;
	round_free(r);
}

void keep_round(struct keep *k, int64_t now_ns)
{
	struct round *r = k->open;

	if (r) {
		void *fitted = realloc(r->buf, r->len ? r->len : 1);

		if (fitted)
			r->buf = fitted;
		r->end_ns = now_ns;
		*k->last = r;
		k->last = &r->next;
		k->bytes += r->len;
		k->open = NULL;
	}
	while (k->keep_ns && k->first &&
	       k->first->end_ns < now_ns - k->keep_ns - KEEP_MORE_NS)
		forget_first(k);
	while (k->first && k->bytes - k->first->len >= k->most) {
		k->is_short |= k->keep_ns != 0;
		forget_first(k);
	}
}

int keep_each(const struct keep *k,
	      int (*put)(void *arg, const void *buf, size_t len, struct err *e),
	      int (*round)(void *arg, struct err *e), void *arg, struct err *e)
{
	int rc = 0;

	for (const struct round *r = k->first; r && !rc; r = r->next) {
		rc = put(arg, r->buf, r->len, e);
		rc = rc ? rc : round(arg, e);
	}
	return rc || !k->open ? rc : put(arg, k->open->buf, k->open->len, e);
}

int keep_write(const struct keep *k, struct perfdata_writer *file,
	       void (*see)(void *arg, const void *buf, size_t len), void *arg,
	       struct err *e)
{
	int rc = 0;

	for (const struct round *r = k->first; r && !rc; r = r->next) {
		rc = perfdata_append(file, r->buf, r->len, e);
		see(arg, r->buf, r->len);
		if (!rc)
			rc = perfdata_round(file, e);
	}
	if (!rc && k->open) {
		rc = perfdata_append(file, k->open->buf, k->open->len, e);
		see(arg, k->open->buf, k->open->len);
	}
	return rc;
}

int64_t keep_from_ns(const struct keep *k)
{
	return k->from_ns;
}

bool keep_is_short(const struct keep *k)
{
	return k->is_short;
}
