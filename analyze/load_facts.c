/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources, interrupts, registers, counters: what the recorder said of itself. */
#include "analyze/load_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vector/vector.h"

int load_insert_sources(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "source_insert", e);

	l->nsource = m->nevent;
	l->source_id = calloc(m->nevent + 1, sizeof(*l->source_id));
	l->delivered = calloc(m->nevent + 1, sizeof(*l->delivered));
	if (!rc && (!l->source_id || !l->delivered))
		rc = err_nomem(e, "the analysis");
	for (size_t i = 0; i < m->nevent && !rc; i++) {
		const struct meta_event *ev = &m->event[i];

		db_bind_i64(s, ":run", l->run);
		db_bind_text(s, ":armed", ev->armed);
		db_bind_text(s, ":name", ev->name ? ev->name : "?");
		db_bind_text(s, ":role", role_name(ev->role));
		db_bind_text(s, ":direction", direction_name(ev->direction));
		db_bind_text(s, ":function", ev->function);
		db_bind_text(s, ":file", ev->file);
		db_bind_i64(s, ":offset", ev->file ? (int64_t)ev->offset : DMA_UNKNOWN);
		db_bind_i64(s, ":counted", ev->counted);
		rc = db_run(s, e);
		l->source_id[i] = db_last_id(l->db);
	}
	return db_finalize(s, rc, e);
}

static int other_role(int64_t run, struct db_stmt *q, const struct meta_event *ev,
		      struct err *e)
{
	bool directed = ev->direction != DIR_UNKNOWN;

	if (strcmp(db_text(q, "name"), ev->name ? ev->name : "?") != 0 ||
	    (!strcmp(db_text(q, "role"), role_name(ev->role)) &&
	     !strcmp(db_text(q, "direction"), direction_name(ev->direction))))
		return 0;
	return err_set(e, ERR_USAGE,
		       "it is run %" PRId64
		       " already, of which the event %s was given the "
		       "role %s, direction %s, and not %s%s%s: roles are given when a "
		       "recording is loaded; load it into another database",
		       run, db_text(q, "name"), db_text(q, "role"),
		       db_text(q, "direction"), role_name(ev->role), directed ? ":" : "",
		       directed ? direction_name(ev->direction) : "");
}

int load_same_roles(struct db *db, int64_t run, const struct stream *stream,
		    struct err *e)
{
	const struct meta *m = stream_meta(stream);
	struct db_stmt *q;
	int got, rc = db_prepare_named(db, &q, "sources", e);

	if (rc)
		return rc;
	db_bind_i64(q, ":run", run);
	for (size_t i = 0; !rc && i < m->nevent && (got = db_step(q, e)); i++)
		rc = got < 0 ? got : other_role(run, q, &m->event[i], e);
	return db_finalize(q, rc, e);
}

/* The line's count is that of all its handlers, called for every interrupt. */
static bool is_shared(const struct meta_irq *q)
{
	return q->name && strchr(q->name, ',');
}

int load_insert_irqs(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "irq_insert", e);

	for (size_t i = 0; i < m->nirq && !rc; i++) {
		const struct meta_irq *q = &m->irq[i];

		db_bind_i64(s, ":run", l->run);
		db_bind_i64(s, ":irq", q->irq);
		db_bind_text(s, ":name", q->name);
		db_bind_text(s, ":chip", q->chip);
		db_bind_i64(s, ":vector", told(q->vector));
		db_bind_text(s, ":bdf", q->bdf);
		db_bind_text(s, ":affinity", q->affinity_before);
		db_bind_text(s, ":affinity_after", q->affinity_after);
		db_bind_i64(s, ":masked", told(q->masked));
		db_bind_i64(s, ":before", q->count_before);
		db_bind_i64(s, ":after", q->count_after);
		db_bind_i64(s, ":recorded", q->recorded);
		db_bind_i64(s, ":named", q->completes);
		db_bind_i64(s, ":named_channel", q->completes_channel);
		rc = db_run(s, e);
		if (!rc && l->seen->finder && q->recorded)
			rc = vector_finder_known(
				l->seen->finder, q->irq,
				q->count_after == DMA_UNKNOWN ||
						q->count_before == DMA_UNKNOWN ||
						is_shared(q)
					? DMA_UNKNOWN
					: q->count_after - q->count_before,
				e);
	}
	return db_finalize(s, rc, e);
}

int load_insert_registers(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "register_insert", e);

	for (size_t i = 0; i < m->nreg && !rc; i++) {
		const struct meta_register *r = &m->reg[i];
		const char *name = m->event[r->event].name, *colon;

		colon = name ? strchr(name, ':') : NULL;
		db_bind_i64(s, ":run", l->run);
		db_bind_i64(s, ":source", l->source_id[r->event]);
		db_bind_text(s, ":name", colon ? colon + 1 : "?");
		db_bind_text(s, ":bdf", r->bdf);
		db_bind_text(s, ":file", r->file);
		db_bind_i64(s, ":offset", r->offset);
		db_bind_i64(s, ":width", told(r->width));
		db_bind_text(s, ":busy", r->busy);
		db_bind_i64(s, ":channel", r->channel);
		db_bind_i64(s, ":channels", r->channels);
		db_bind_text(s, ":mode", r->mode);
		db_bind_i64(s, ":cpu", told(r->cpu));
		db_bind_i64(s, ":shared", r->shared_cpu);
		db_bind_i64(s, ":link", r->link_bytes_per_s);
		db_bind_i64(s, ":readings", r->readings);
		db_bind_i64(s, ":min", r->read_min_ns);
		db_bind_i64(s, ":median", r->read_median_ns);
		db_bind_i64(s, ":p99", r->read_p99_ns);
		db_bind_i64(s, ":max", r->read_max_ns);
		db_bind_i64(s, ":gap", r->gap_ns);
		db_bind_i64(s, ":watched", r->watched_ns);
		db_bind_text(s, ":ended", r->ended);
		rc = db_run(s, e);
	}
	return db_finalize(s, rc, e);
}

int load_insert_counted(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "counted_insert", e);

	for (size_t i = 0; i < m->ncount && !rc; i++) {
		const struct meta_count *c = &m->count[i];

		db_bind_i64(s, ":run", l->run);
		db_bind_i64(s, ":source", l->source_id[c->event]);
		db_bind_text(s, ":text", c->text ? c->text : "?");
		db_bind_text(s, ":unit", c->unit);
		db_bind_real(s, ":scale", c->scale ? strtod(c->scale, NULL) : 1);
		db_bind_i64(s, ":cpus", told(c->cpus));
		rc = db_run(s, e);
	}
	return db_finalize(s, rc, e);
}

int load_insert_pairs(struct loading *l, struct err *e)
{
	const struct meta *m = stream_meta(l->stream);
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, "counter_insert", e);

	for (size_t i = 0; i < m->ncounter && !rc; i++) {
		db_bind_i64(s, ":run", l->run);
		db_bind_text(s, ":name", m->counter[i].name);
		db_bind_text(s, ":before", m->counter[i].before);
		db_bind_text(s, ":after", m->counter[i].after);
		rc = db_run(s, e);
	}
	rc = db_finalize(s, rc, e);
	if (rc)
		return rc;
	rc = db_prepare_named(l->db, &s, "environment_insert", e);
	for (size_t i = 0; i < m->nenv && !rc; i++) {
		db_bind_i64(s, ":run", l->run);
		db_bind_text(s, ":key", m->env[i].name);
		db_bind_text(s, ":value", m->env[i].before);
		rc = db_run(s, e);
	}
	return db_finalize(s, rc, e);
}

int load_run_text(struct loading *l, const char *query, const char *text, struct err *e)
{
	struct db_stmt *s;
	int rc = db_prepare_named(l->db, &s, query, e);

	if (rc)
		return rc;
	db_bind_i64(s, ":run", l->run);
	db_bind_text(s, ":text", text);
	rc = db_run(s, e);
	return db_finalize(s, rc, e);
}
