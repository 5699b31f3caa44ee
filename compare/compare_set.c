/* SPDX-License-Identifier: GPL-2.0-only */
/* The recordings of a side: which, and what is known of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare_load.h"
#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/num.h"

static int nomem(struct err *e)
{
	return err_nomem(e, "a comparison");
}

static void run_release(struct compare_run *r)
{
	for (size_t i = 0; i < r->nfact; i++) {
		free(r->fact[i].key);
		free(r->fact[i].value);
	}
	free(r->fact);
	free(r->label);
	free(r->uuid);
	free(r->clock);
	free(r->doorbell);
	free(r->started);
}

void compare_set_release(struct compare_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		run_release(&s->run[i]);
	free(s->run);
	*s = (struct compare_set){0};
}

/* ---- which ---- */

static int add_id(struct compare_set *s, struct db *db, int64_t id, struct err *e)
{
	struct compare_run *added;

	for (size_t i = 0; i < s->n; i++)
		if (s->run[i].db == db && s->run[i].id == id)
			return 0;
	if (s->n == COMPARE_MAX_RUNS)
		return err_set(e, ERR_LIMIT, "more than %d runs on one side",
			       COMPARE_MAX_RUNS);
	added = array_add(&s->run, &s->n);
	if (!added)
		return nomem(e);
	*added = (struct compare_run){.db = db, .id = id};
	return 0;
}

/* Every id that a statement gives. */
static int add_rows(struct compare_set *s, struct db *db, struct db_stmt *st,
		    struct err *e)
{
	int rc = 0, got;

	while (!rc && (got = db_step(st, e)))
		rc = got < 0 ? got : add_id(s, db, db_i64(st, "id"), e);
	return rc;
}

static int add_all(struct compare_set *s, struct db *db, struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(db, &st, "runs", e);

	if (!rc)
		rc = add_rows(s, db, st, e);
	rc = db_finalize(st, rc, e);
	if (!rc && !s->n)
		rc = err_set(e, ERR_NOTFOUND,
			     "%s: holds no run yet; load one "
			     "with `dmaanalyze -i dma.data %s`",
			     db_path(db), db_path(db));
	return rc;
}

/* Is there a run of this number? */
static int has_run(struct db *db, int64_t id, bool *found, struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(db, &st, "compare_run", e);

	*found = false;
	if (rc)
		return rc;
	db_bind_i64(st, ":run", id);
	rc = db_step(st, e);
	*found = rc > 0;
	return db_finalize(st, rc < 0 ? rc : 0, e);
}

static int add_labelled(struct compare_set *s, struct db *db, const char *label,
			struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(db, &st, "compare_labelled", e);

	if (rc)
		return rc;
	db_bind_text(st, ":label", label);
	rc = add_rows(s, db, st, e);
	return db_finalize(st, rc, e);
}

static int add_word(struct compare_set *s, struct db *db, const char *word, struct err *e)
{
	struct compare_set by_label = {0};
	bool number = false;
	int64_t id;
	int rc = add_labelled(&by_label, db, word, e);

	if (!rc && !num_i64(word, 1, INT64_MAX, &id, NULL))
		rc = has_run(db, id, &number, e);
	if (!rc && number && by_label.n && (by_label.n > 1 || by_label.run[0].id != id))
		rc = err_set(
			e, ERR_USAGE,
			"%s: '%s' is the number of one run and the label of another; "
			"name the runs by number",
			db_path(db), word);
	if (!rc && !number && !by_label.n)
		rc = err_set(e, ERR_USAGE,
			     "%s: no run has the number or the label '%s'; `dmaanalyze "
			     "--list %s` shows which there are",
			     db_path(db), word, db_path(db));
	if (!rc && number)
		rc = add_id(s, db, id, e);
	for (size_t i = 0; !rc && i < by_label.n; i++)
		rc = add_id(s, db, by_label.run[i].id, e);
	compare_set_release(&by_label);
	return rc;
}

int compare_set_add(struct compare_set *s, struct db *db, const char *list, struct err *e)
{
	int rc = 0;

	if (!list)
		return add_all(s, db, e);
	for (const char *p = list; !rc; p++) {
		size_t len = strcspn(p, ",");
		char *word = strndup(p, len);

		if (!word)
			return nomem(e);
		rc = len ? add_word(s, db, word, e)
			 : err_set(e, ERR_USAGE, "an empty name in the list of runs '%s'",
				   list);
		free(word);
		p += len;
		if (!*p)
			break;
	}
	return rc;
}

/* ---- what is known of each ---- */

static int take_text(char **to, struct db_stmt *st, const char *column, struct err *e)
{
	const char *text = db_text(st, column);

	*to = text ? strdup(text) : NULL;
	return text && !*to ? nomem(e) : 0;
}

static int64_t or_zero(int64_t v)
{
	return v == DMA_UNKNOWN ? 0 : v;
}

static void take_loss(struct compare_run *r, struct db_stmt *st)
{
	int64_t counted = db_i64(st, "counted"), delivered = db_i64(st, "delivered");
	int64_t by_count = or_zero(db_i64(st, "lost_by_count")),
		by_window = or_zero(db_i64(st, "lost_by_window"));

	r->lost = by_count > by_window ? by_count : by_window;
	r->events = or_zero(delivered);
	r->whole_unknown = counted == DMA_UNKNOWN || delivered == DMA_UNKNOWN;
}

static int take_run(struct compare_run *r, struct db_stmt *st, struct err *e)
{
	const char *latency = db_text(st, "latency_phase");
	int phase = latency ? phase_parse(latency) : -1, rc;

	if (!latency)
		return err_set(e, ERR_NOTFOUND,
			       "%s: run %lld has not been analysed; "
			       "type `dmaanalyze %s` first",
			       db_path(r->db), (long long)r->id, db_path(r->db));
	if (phase < 0)
		return err_set(e, ERR_FORMAT,
			       "%s: run %lld: its latency is '%s', which is no phase",
			       db_path(r->db), (long long)r->id, latency);
	r->latency = (enum phase)phase;
	r->finished = or_zero(db_i64(st, "finished")) != 0;
	r->roles_guessed = or_zero(db_i64(st, "roles_guessed")) != 0;
	r->probe_cost_ns = db_i64(st, "probe_cost_ns");
	r->transfers = or_zero(db_i64(st, "transfers"));
	take_loss(r, st);
	r->cards = or_zero(db_i64(st, "cards"));
	r->duration_ns = db_i64(st, "duration_ns");
	rc = take_text(&r->label, st, "label", e);
	rc = rc ? rc : take_text(&r->uuid, st, "uuid", e);
	rc = rc ? rc : take_text(&r->clock, st, "clock", e);
	rc = rc ? rc : take_text(&r->doorbell, st, "doorbell_from", e);
	return rc ? rc : take_text(&r->started, st, "started_utc", e);
}

static int load_run(struct compare_run *r, struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(r->db, &st, "compare_run", e);

	if (rc)
		return rc;
	db_bind_i64(st, ":run", r->id);
	rc = db_step(st, e);
	if (rc > 0)
		rc = take_run(r, st, e);
	else if (!rc)
		rc = err_set(e, ERR_NOTFOUND, "%s: run %lld is gone", db_path(r->db),
			     (long long)r->id);
	return db_finalize(st, rc, e);
}

static int load_facts(struct compare_run *r, struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(r->db, &st, "compare_facts", e), got = 0;

	if (rc)
		return rc;
	db_bind_i64(st, ":run", r->id);
	while (!rc && (got = db_step(st, e)) > 0) {
		struct compare_fact *added = array_add(&r->fact, &r->nfact);

		if (!added) {
			rc = nomem(e);
			break;
		}
		rc = take_text(&added->key, st, "key", e);
		rc = rc ? rc : take_text(&added->value, st, "value", e);
	}
	return db_finalize(st, rc ? rc : got, e);
}

static int load_costs(struct compare_run *r, struct err *e)
{
	struct db_stmt *st;
	int rc = db_prepare_named(r->db, &st, "compare_errors", e), got;

	for (int p = 0; p < PHASE_ALL; p++)
		r->error_ns[p] = DMA_UNKNOWN;
	if (rc)
		return rc;
	db_bind_i64(st, ":run", r->id);
	while ((got = db_step(st, e)) > 0) {
		const char *word = db_text(st, "phase");
		int p = word ? phase_parse(word) : -1;

		if (p >= 0)
			r->error_ns[p] = db_i64(st, "error_ns");
	}
	return db_finalize(st, got, e);
}

int compare_set_load(struct compare_set *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n; i++) {
		rc = load_run(&s->run[i], e);
		rc = rc ? rc : load_facts(&s->run[i], e);
		rc = rc ? rc : load_costs(&s->run[i], e);
	}
	return rc;
}

/* ---- sizes ---- */

struct sizes {
	int64_t size[COMPARE_FEW_SIZES + 1];
	size_t n;
	bool unknown;
};

static void add_size(struct sizes *s, int64_t size)
{
	s->unknown |= size == DMA_UNKNOWN;
	for (size_t i = 0; i < s->n; i++)
		if (s->size[i] == size)
			return;
	if (s->n <= COMPARE_FEW_SIZES)
		s->size[s->n++] = size;
}

static int set_sizes(const struct compare_set *s, struct sizes *sizes, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct db_stmt *st;
		int rc = db_prepare_named(s->run[i].db, &st, "compare_sizes", e);

		if (rc)
			return rc;
		db_bind_i64(st, ":run", s->run[i].id);
		while ((rc = db_step(st, e)) > 0)
			add_size(sizes, db_i64(st, "size_bytes"));
		rc = db_finalize(st, rc, e);
		if (rc)
			return rc;
	}
	return 0;
}

int compare_few_sizes(const struct compare_set *base, const struct compare_set *fresh,
		      bool *same, struct err *e)
{
	struct sizes b = {0}, f = {0};
	int rc = set_sizes(base, &b, e);

	*same = false;
	if (!rc)
		rc = set_sizes(fresh, &f, e);
	if (rc || b.unknown || f.unknown || b.n != f.n || b.n < 2 ||
	    b.n > COMPARE_FEW_SIZES)
		return rc;
	for (size_t i = 0; i < f.n; i++)
		add_size(&b, f.size[i]);
	*same = b.n == f.n;
	return 0;
}
