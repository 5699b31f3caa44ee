/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/source.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/handlers.h"
#include "lib/file/perfdata.h"

struct source {
	const char *path; /* the caller's */
	struct perfdata *file;
	struct meta meta;
	struct event_decoder *decoder;
	struct event_rules rules;
	bool guessed, cut_told;
	struct handled *handled; /* NULL = no exits of handlers are recorded */
	bool feeding, ended;
	uint64_t untimed;
};

/* Where exits of handlers are recorded, an entry waits for what its exit says. */
static int await_exits(struct source *s, struct err *e)
{
	bool any = false;

	handled_free(s->handled);
	s->handled = NULL;
	s->ended = false;
	for (size_t i = 0; i < s->meta.nevent; i++)
		any |= s->meta.event[i].role == ROLE_HANDLED;
	return any ? handled_new(&s->handled, event_decoder_handlers(s->decoder),
				 &s->meta, e)
		   : 0;
}

static int decoder_new(struct source *s, struct err *e)
{
	int rc = event_decoder_new(&s->decoder, s->file, &s->rules, &s->meta, &s->guessed,
				   e);

	return rc ? rc : await_exits(s, e);
}

static int begin(struct source **out, const char *path, const struct event_rules *rules,
		 struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return err_nomem(e, "%s", path);
	meta_init(&s->meta);
	s->path = path;
	if (rules)
		s->rules = *rules;
	return 0;
}

/* What is half open is closed, and the error names the path. */
static int opened(struct source **out, int rc, struct err *e)
{
	struct source *s = *out;

	if (!rc || !s)
		return rc;
	if (s->file)
		rc = perfdata_or_cut(s->file, rc, e);
	if (e && strncmp(e->text, s->path, strlen(s->path)) != 0)
		err_prefix(e, "%s", s->path);
	source_close(s);
	*out = NULL;
	return rc;
}

int source_open(struct source **out, const char *path, const struct event_rules *rules,
		struct err *e)
{
	int rc = begin(out, path, rules, e);

	if (!rc)
		rc = perfdata_open_parts(&(*out)->file, path, e);
	if (!rc)
		rc = decoder_new(*out, e);
	return opened(out, rc, e);
}

int source_open_feed(struct source **out, const void *head, size_t len, const char *name,
		     struct err *e)
{
	int rc = begin(out, name, NULL, e);

	if (!rc)
		rc = perfdata_open_feed(&(*out)->file, head, len, name, e);
	if (!rc)
		rc = decoder_new(*out, e);
	if (!rc)
		(*out)->feeding = true;
	return opened(out, rc, e);
}

void source_close(struct source *s)
{
	if (!s)
		return;
	handled_free(s->handled);
	event_decoder_free(s->decoder);
	perfdata_close(s->file);
	meta_release(&s->meta);
	free(s);
}

int source_feed(struct source *s, const void *buf, size_t len, struct err *e)
{
	return perfdata_feed(s->file, buf, len, e);
}

int source_round(struct source *s, struct err *e)
{
	return perfdata_feed_round(s->file, e);
}

void source_end(struct source *s)
{
	perfdata_feed_end(s->file);
	s->feeding = false;
}

int source_gap(struct source *s, struct err *e)
{
	struct perfdata_rec gap = {.type = PERF_RECORD_LOST,
				   .attr = -1,
				   .time_ns = DMA_UNKNOWN,
				   .cpu = -1,
				   .pid = -1,
				   .tid = -1,
				   .lost = 1,
				   .lost_from_ns = DMA_UNKNOWN,
				   .lost_to_ns = DMA_UNKNOWN};
	struct sample none;
	int rc = event_decode(s->decoder, &gap, &none, e);

	return rc < 0 ? rc : 0;
}

/* The meta stays where it is, since others know its place: the handlers' exits do. */
int source_renew(struct source *s, const void *head, size_t len, struct err *e)
{
	struct event_decoder *before = s->decoder;
	struct meta old = s->meta;
	int rc = perfdata_feed_renew(&s->file, head, len, e);

	if (rc)
		return rc;
	meta_init(&s->meta);
	s->decoder = NULL;
	rc = event_decoder_new(&s->decoder, s->file, &s->rules, &s->meta, &s->guessed, e);
	if (!rc)
		event_decoder_inherit(s->decoder, before);
	if (!rc && !s->handled)
		rc = await_exits(s, e);
	event_decoder_free(before);
	meta_release(&old);
	return rc;
}

/* An event with a role whose sample is no part of a transfer says so. */
static void mark_other(const struct source *s, struct sample *sample)
{
	if (sample->role == ROLE_OTHER && sample->source >= 0 &&
	    (size_t)sample->source < s->meta.nevent &&
	    s->meta.event[sample->source].role != ROLE_OTHER)
		sample->bits |= SAMPLE_OTHER;
}

/* A sample with no time has no place: as if it were lost, at any time. */
static void lose(struct source *s, struct perfdata_rec *rec)
{
	s->untimed++;
	rec->type = PERF_RECORD_LOST;
	rec->lost = 1;
	rec->lost_from_ns = rec->lost_to_ns = DMA_UNKNOWN;
}

/* 1 = handed out as *sample or *loss (*kind says which), 0 = neither. */
static int take(struct source *s, struct perfdata_rec *rec, struct sample *sample,
		struct loss *loss, int *kind, struct err *e)
{
	int got;

	if (rec->type == PERF_RECORD_SAMPLE && rec->time_ns == DMA_UNKNOWN)
		lose(s, rec);
	got = event_decode(s->decoder, rec, sample, e);
	if (rec->lost) { /* a loss ends what the decoder knows of open calls */
		*loss = (struct loss){rec->cpu, rec->lost_from_ns, rec->lost_to_ns,
				      rec->lost, "ring"};
		*kind = SOURCE_LOSS;
		return 1;
	}
	if (got < 0)
		err_prefix(e, "%s", s->path);
	if (got <= 0)
		return got;
	mark_other(s, sample);
	*kind = SOURCE_SAMPLE;
	return 1;
}

static int next(struct source *s, struct sample *sample, struct loss *loss, struct err *e)
{
	struct perfdata_rec rec;
	int got, kind = 0;

	while ((got = perfdata_next(s->file, &rec, e)) > 0) {
		got = take(s, &rec, sample, loss, &kind, e);
		if (got)
			return got < 0 ? got : kind;
	}
	if (!got && perfdata_truncated(s->file) && !s->cut_told) {
		s->cut_told = true;
		*loss = (struct loss){-1, perfdata_whole_ns(s->file), DMA_UNKNOWN, 0,
				      "cut"};
		return SOURCE_LOSS;
	}
	return got;
}

/* What a record or section says that lies in the hole of a file that was cut is not an error of
 * the file's. */
static int next_or_cut(struct source *s, struct sample *sample, struct loss *loss,
		       struct err *e)
{
	int got = next(s, sample, loss, e);

	return got < 0 ? perfdata_or_cut(s->file, got, e) : got;
}

int source_next(struct source *s, struct sample *sample, struct loss *loss, struct err *e)
{
	int got, popped, rc = 0;

	if (!s->handled)
		return next_or_cut(s, sample, loss, e);
	while (!rc && !(popped = handled_pop(s->handled, s->ended, sample))) {
		if (s->ended)
			return 0;
		got = next_or_cut(s, sample, loss, e);
		if (got < 0 || got == SOURCE_LOSS || (!got && s->feeding))
			return got;
		s->ended = !got;
		rc = got ? handled_push(s->handled, sample, e) : 0;
	}
	if (!rc && popped == HANDLED_DOUBT) {
		*loss = (struct loss){sample->cpu, sample->time_ns, sample->time_ns, 0,
				      "handler"};
		return SOURCE_LOSS;
	}
	return rc ? rc : SOURCE_SAMPLE;
}

/* The decoder keeps calls that are open: it begins anew. */
int source_rewind(struct source *s, struct err *e)
{
	int rc = perfdata_rewind(s->file, e);

	event_decoder_free(s->decoder);
	s->decoder = NULL;
	meta_release(&s->meta);
	meta_init(&s->meta);
	s->cut_told = false;
	s->untimed = 0;
	if (!rc)
		rc = decoder_new(s, e);
	return rc ? perfdata_or_cut(s->file, rc, e) : 0;
}

struct perfdata *source_file(struct source *s)
{
	return s->file;
}

const struct meta *source_meta(const struct source *s)
{
	return &s->meta;
}

const struct event_decoder *source_decoder(const struct source *s)
{
	return s->decoder;
}

uint64_t source_untimed(const struct source *s)
{
	return s->untimed;
}

bool source_guessed(const struct source *s)
{
	return s->guessed;
}
