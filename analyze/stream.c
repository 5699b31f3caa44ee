/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/stream.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/file/perfdata.h"

struct stream {
	struct source *raw; /* a raw file; NULL = a run */
	/* a run */
	struct db *db;
	int64_t run;
	struct db_stmt *samples;
	struct sample_columns {
		struct db_column time_ns, cpu, pid, tid, source_id, irq, card, channel,
			direction, size_bytes, addr, flags, ret, key, bits;
	} column;
	struct {
		int64_t id;
		enum role role;
		int32_t index;
	} * source;
	size_t nsource, recent;
	int64_t seq;
};

static int begin(struct stream **out, struct err *e)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : err_nomem(e, "the analysis");
}

static int opened(struct stream **out, int rc)
{
	if (!rc)
		return 0;
	stream_close(*out);
	*out = NULL;
	return rc;
}

int stream_open_raw(struct stream **out, const char *path,
		    const struct event_rules *rules, struct err *e)
{
	int rc = begin(out, e);

	if (!rc)
		rc = source_open(&(*out)->raw, path, rules, e);
	return opened(out, rc);
}

/* ---- a run of the database ---- */

static int read_sources(struct stream *s, struct err *e)
{
	struct db_stmt *q;
	int got, rc = db_prepare_named(s->db, &q, "sources", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", s->run);
	while ((got = db_step(q, e)) > 0) {
		void *grown = reallocarray(s->source, s->nsource + 1, sizeof(*s->source));
		int role = role_parse(db_text(q, "role"));

		if (!grown) {
			got = err_nomem(e, "the analysis");
			break;
		}
		s->source = grown;
		s->source[s->nsource].id = db_i64(q, "id");
		s->source[s->nsource].role = role < 0 ? ROLE_OTHER : (enum role)role;
		s->source[s->nsource].index = (int32_t)s->nsource;
		s->nsource++;
	}
	return db_finalize(q, got, e);
}

static struct sample_columns sample_columns(struct db_stmt *q)
{
	return (struct sample_columns){.time_ns = db_column(q, "time_ns"),
				       .cpu = db_column(q, "cpu"),
				       .pid = db_column(q, "pid"),
				       .tid = db_column(q, "tid"),
				       .source_id = db_column(q, "source_id"),
				       .irq = db_column(q, "irq"),
				       .card = db_column(q, "card"),
				       .channel = db_column(q, "channel"),
				       .direction = db_column(q, "direction"),
				       .size_bytes = db_column(q, "size_bytes"),
				       .addr = db_column(q, "addr"),
				       .flags = db_column(q, "flags"),
				       .ret = db_column(q, "ret"),
				       .key = db_column(q, "key"),
				       .bits = db_column(q, "bits")};
}

static int rewind_run(struct stream *s, struct err *e)
{
	int rc;

	db_drop(s->samples);
	s->samples = NULL;
	rc = db_prepare_named(s->db, &s->samples, "samples", e);
	if (rc)
		return rc;
	db_bind_i64(s->samples, ":run", s->run);
	s->column = sample_columns(s->samples);
	s->seq = 0;
	return 0;
}

int stream_open_run(struct stream **out, struct db *db, int64_t run, struct err *e)
{
	int rc = begin(out, e);

	if (!rc) {
		(*out)->db = db;
		(*out)->run = run;
		rc = read_sources(*out, e);
	}
	if (!rc)
		rc = rewind_run(*out, e);
	return opened(out, rc);
}

static int32_t small(int64_t v)
{
	return v == DMA_UNKNOWN ? -1 : (int32_t)v;
}

static void set_source(struct stream *s, struct sample *x, int64_t id)
{
	for (size_t i = 0; i < s->nsource; i++, s->recent++) {
		if (s->recent >= s->nsource)
			s->recent = 0;
		if (s->source[s->recent].id != id)
			continue;
		x->source = s->source[s->recent].index;
		x->role = (uint8_t)s->source[s->recent].role;
		return;
	}
	x->source = -1;
	x->role = ROLE_OTHER;
}

static int next_run(struct stream *s, struct sample *x, struct err *e)
{
	const struct sample_columns *c = &s->column;
	const char *direction;
	int got = db_step(s->samples, e);

	if (got <= 0)
		return got;
	*x = (struct sample){.time_ns = db_get_i64(c->time_ns),
			     .seq = s->seq++,
			     .cpu = small(db_get_i64(c->cpu)),
			     .pid = small(db_get_i64(c->pid)),
			     .tid = small(db_get_i64(c->tid)),
			     .irq = small(db_get_i64(c->irq)),
			     .card = db_get_i64(c->card),
			     .channel = db_get_i64(c->channel),
			     .size_bytes = db_get_i64(c->size_bytes),
			     .addr = db_get_i64(c->addr),
			     .flags = db_get_i64(c->flags),
			     .ret = db_get_i64(c->ret),
			     .key = db_get_i64(c->key),
			     .bits = (uint16_t)db_get_i64(c->bits)};
	direction = db_get_text(c->direction);
	x->direction = direction ? (uint8_t)direction_parse(direction) : DIR_UNKNOWN;
	set_source(s, x, db_get_i64(c->source_id));
	if (x->bits & SAMPLE_OTHER)
		x->role = ROLE_OTHER;
	return STREAM_SAMPLE;
}

/* ---- both ---- */

int stream_next(struct stream *s, struct sample *sample, struct loss *loss, struct err *e)
{
	return s->raw ? source_next(s->raw, sample, loss, e) : next_run(s, sample, e);
}

int stream_rewind(struct stream *s, struct err *e)
{
	return s->raw ? source_rewind(s->raw, e) : rewind_run(s, e);
}

uint64_t stream_size(const struct stream *s)
{
	return s->raw ? perfdata_data_size(source_file(s->raw)) : 0;
}

uint64_t stream_done(const struct stream *s)
{
	return s->raw ? perfdata_data_done(source_file(s->raw)) : (uint64_t)s->seq;
}

struct perfdata *stream_file(struct stream *s)
{
	return s->raw ? source_file(s->raw) : NULL;
}

const struct meta *stream_meta(const struct stream *s)
{
	return s->raw ? source_meta(s->raw) : NULL;
}

const struct event_decoder *stream_decoder(const struct stream *s)
{
	return s->raw ? source_decoder(s->raw) : NULL;
}

bool stream_guessed(const struct stream *s)
{
	return s->raw && source_guessed(s->raw);
}

uint64_t stream_untimed(const struct stream *s)
{
	return s->raw ? source_untimed(s->raw) : 0;
}

bool stream_threads(const struct stream *s)
{
	return s->raw != NULL;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	source_close(s->raw);
	db_drop(s->samples);
	free(s->source);
	free(s);
}
