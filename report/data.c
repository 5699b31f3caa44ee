/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/db/db.h"
#include "lib/err.h"
#include "lib/num.h"
#include "lib/text.h"

const double summary_q[5] = {0.5, 0.9, 0.99, 0.999, 0.9999};

const char *phase_words(enum phase p)
{
	static const char *const words[PHASE_N] = {
		[PHASE_API] = "api (submit → doorbell)",
		[PHASE_DEVICE] = "device (doorbell → interrupt)",
		[PHASE_NOTICE] = "notice (interrupt → woken)",
		[PHASE_TOTAL] = "total (submit → woken)",
	};

	return p < PHASE_N ? words[p] : "?";
}

const char *state_words(enum transfer_state s)
{
	static const char *const words[STATE_N] = {
		[STATE_UNKNOWN] = "end uncertain",
		[STATE_COMPLETE] = "ended by their interrupt",
		[STATE_POLLED] = "polled",
		[STATE_NO_INTERRUPT] = "without their interrupt",
		[STATE_LATE] = "interrupt came late",
		[STATE_ABORTED] = "aborted",
		[STATE_FAILED] = "failed",
		[STATE_IN_FLIGHT] = "in flight at the end",
		[STATE_CIRCULAR] = "circular",
	};

	return s < STATE_N ? words[s] : "?";
}

const char *column_text(struct db_stmt *st, const char *column, const char *null)
{
	const char *text = db_text(st, column);

	return text ? text : null;
}

int report_prepare(const struct report *r, const char *name, struct db_stmt **st,
		   struct err *e)
{
	int error = db_prepare_named(r->db, st, name, e);

	if (!error)
		db_bind_i64(*st, ":run", r->run);
	return error;
}

int report_rows(struct db_stmt *st, row_fn row, void *arg, struct err *e)
{
	int error = 0, got = 0;

	while (!error && (got = db_step(st, e)) > 0)
		error = row(st, arg);
	if (error == ERR_NOMEM)
		err_nomem(e, "a report");
	return db_finalize(st, error < 0 ? error : got < 0 ? got : 0, e);
}

int report_query(const struct report *r, const char *name, row_fn row, void *arg,
		 struct err *e)
{
	struct db_stmt *st;
	int error = report_prepare(r, name, &st, e);

	return error ? error : report_rows(st, row, arg, e);
}

struct ids {
	int64_t *id;
	size_t n;
};

static int add_id(struct db_stmt *st, void *arg)
{
	struct ids *ids = arg;
	int64_t *added = array_add(&ids->id, &ids->n);

	if (!added)
		return ERR_NOMEM;
	*added = db_i64(st, "id");
	return 0;
}

int report_runs(struct db *db, int64_t **out, size_t *n, struct err *e)
{
	struct db_stmt *st;
	struct ids ids = {0};
	int error = db_prepare_named(db, &st, "runs", e);

	if (!error)
		error = report_rows(st, add_id, &ids, e);
	*out = ids.id;
	*n = ids.n;
	return error;
}

/* ---- the run ---- */
static char *dup_column(struct db_stmt *st, const char *column)
{
	const char *text = column_text(st, column, NULL);

	return text ? strdup(text) : NULL;
}

static int run_row(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	size_t len;

	r->label = dup_column(st, "label");
	r->host = dup_column(st, "host");
	r->kernel = dup_column(st, "kernel");
	r->command = dup_column(st, "command");
	r->started = dup_column(st, "started_utc");
	r->begin_ns = db_i64(st, "begin_ns");
	r->end_ns = db_i64(st, "end_ns");
	r->clock = dup_column(st, "clock");
	r->profile = dup_column(st, "profile");
	r->tool = dup_column(st, "tool");
	r->finished = db_i64(st, "finished");
	r->probe_cost_ns = db_i64(st, "probe_cost_ns");
	len = 32 + (r->label ? strlen(r->label) : 0);
	r->name = malloc(len);
	if (!r->name)
		return ERR_NOMEM;
	snprintf(r->name, len, r->label ? "run %" PRId64 " (%s)" : "run %" PRId64, r->run,
		 r->label);
	return 0;
}

static int analysis_row(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int phase = phase_parse(column_text(st, "latency_phase", "total"));

	r->analysed = true;
	r->latency = phase < 0 ? PHASE_TOTAL : (enum phase)phase;
	r->transfers = db_i64(st, "transfers");
	r->submits = db_i64(st, "submits");
	return 0;
}

static int state_row(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int s = state_parse(column_text(st, "state", "unknown"));

	r->state[s < 0 ? STATE_UNKNOWN : s] += (uint64_t)db_i64(st, "n");
	return 0;
}

static int group_row(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	struct group *g = array_add(&r->group, &r->ngroup);
	int dir = direction_parse(column_text(st, "direction", "unknown"));

	if (!g)
		return ERR_NOMEM;
	*g = (struct group){.card = db_i64(st, "card"),
			    .channel = db_i64(st, "channel"),
			    .direction = dir < 0 ? DIR_UNKNOWN : dir,
			    .total_q = {NAN, NAN},
			    .n = (uint64_t)db_i64(st, "n")};
	return 0;
}

static void name_group(struct group *g, bool cards, bool channels, bool directions)
{
	static const char *const dir[] = {"direction ?", "to host", "from host"};
	size_t at = 0, len = sizeof(g->name);

	g->name[0] = 0;
	if (cards)
		at += (size_t)snprintf(
			g->name + at, len - at,
			g->card == DMA_UNKNOWN ? "card ?" : "card %" PRId64, g->card);
	if (channels && at < len)
		at += (size_t)snprintf(g->name + at, len - at,
				       g->channel == DMA_UNKNOWN ? "%schannel ?"
								 : "%schannel %" PRId64,
				       at ? " " : "", g->channel);
	if (directions && at < len)
		at += (size_t)snprintf(g->name + at, len - at, "%s%s", at ? " " : "",
				       dir[g->direction]);
	if (!at)
		snprintf(g->name, len, "all transfers");
}

static int by_n(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

static int by_key(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->card != y->card)
		return x->card < y->card ? -1 : 1;
	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	return x->direction - y->direction;
}

/* Colours: the largest groups their own, in order of card, channel, direction; all others
 * one. */
static void assign_series(struct report *r)
{
	bool cards = false, channels = false, dirs = false;
	size_t own = r->ngroup <= FIGURE_SERIES ? r->ngroup : FIGURE_SERIES - 1;
	int next = 0;

	if (!r->ngroup)
		return;
	for (size_t i = 0; i < r->ngroup; i++) {
		cards |= r->group[i].card != r->group[0].card;
		channels |= r->group[i].channel != DMA_UNKNOWN;
		dirs |= r->group[i].direction != DIR_UNKNOWN;
	}
	qsort(r->group, r->ngroup, sizeof(*r->group), by_n);
	for (size_t i = 0; i < r->ngroup; i++)
		r->group[i].series = i < own ? 0 : -1;
	qsort(r->group, r->ngroup, sizeof(*r->group), by_key);
	for (size_t i = 0; i < r->ngroup; i++) {
		struct group *g = &r->group[i];

		name_group(g, cards, channels, dirs);
		if (g->series < 0)
			continue;
		g->series = next++;
		r->series[g->series].color = (enum color)(COLOR_S0 + g->series);
		r->series[g->series].n = g->n;
		memcpy(r->series[g->series].name, g->name, sizeof(g->name));
	}
	for (size_t i = 0; i < r->ngroup; i++)
		if (r->group[i].series < 0) {
			r->group[i].series = next;
			r->series[next].n += r->group[i].n;
			r->series[next].color = COLOR_OTHER;
		}
	if (own < r->ngroup)
		snprintf(r->series[next++].name, sizeof(r->series[0].name), "%zu others",
			 r->ngroup - own);
	r->nseries = next;
}

const struct group *report_group(const struct report *r, int64_t card, int64_t channel,
				 int direction)
{
	for (size_t i = 0; i < r->ngroup; i++) {
		const struct group *g = &r->group[i];

		if (g->channel == channel && g->direction == direction && g->card == card)
			return g;
	}
	return NULL;
}

static int summary_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int p = phase_parse(column_text(st, "phase", ""));
	struct summary_row *s;

	if (p < 0)
		return 0;
	s = &r->summary[p];
	*s = (struct summary_row){.known = true,
				  .n = db_i64(st, "n"),
				  .excluded = db_i64(st, "excluded"),
				  .negative = db_i64(st, "negative"),
				  .min_ns = db_i64(st, "min_ns"),
				  .max_ns = db_i64(st, "max_ns"),
				  .mean_ns = db_real(st, "mean_ns"),
				  .error_ns = db_i64(st, "error_ns")};
	for (int i = 0; i < 5; i++)
		s->q[i] = DMA_UNKNOWN;
	return 0;
}

static int quantile_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int p = phase_parse(column_text(st, "phase", ""));
	double q = db_real(st, "q");

	for (int i = 0; p >= 0 && i < 5; i++)
		if (fabs(q - summary_q[i]) < 1e-9) {
			r->summary[p].q[i] = db_i64(st, "value_ns");
			r->summary[p].thin[i] = db_i64(st, "ci_high_ns") == DMA_UNKNOWN;
		}
	return 0;
}

static int throughput_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;

	r->bytes_per_s = db_real(st, "bytes_per_s");
	r->bytes = db_i64(st, "size_bytes");
	r->ended = db_i64(st, "transfers");
	r->left_out = db_i64(st, "left_out");
	return 0;
}

static int source_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;

	r->counted = db_i64(st, "counted");
	r->delivered = db_i64(st, "delivered");
	r->lost = db_i64(st, "lost");
	return 0;
}

static int loss_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	struct loss *added = array_add(&r->loss, &r->nloss);

	if (!added)
		return ERR_NOMEM;
	*added = (struct loss){db_i64(st, "from_ns"), db_i64(st, "to_ns"),
			       db_i64(st, "lost")};
	return 0;
}

static int total_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int dir = direction_parse(column_text(st, "direction", "unknown"));

	if (!db_text(st, "direction") ||
	    strcmp(column_text(st, "phase", ""), phase_name(PHASE_TOTAL)) != 0)
		return 0;
	for (size_t i = 0; i < r->ngroup; i++)
		if (r->group[i].card == db_i64(st, "card") &&
		    r->group[i].channel == db_i64(st, "channel") &&
		    r->group[i].direction == (dir < 0 ? DIR_UNKNOWN : dir))
			r->group[i].total_q[db_real(st, "q") > 0.9] =
				db_real(st, "value_ns");
	return 0;
}

static int fit_load(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	int dir = direction_parse(column_text(st, "direction", "unknown"));
	struct fit *added;

	if (strcmp(column_text(st, "phase", ""), phase_name(r->latency)) != 0)
		return 0;
	if (db_i64(st, "sizes") > r->most_sizes)
		r->most_sizes = db_i64(st, "sizes");
	if (!db_text(st, "a_ns"))
		return 0;
	added = array_add(&r->fit, &r->nfit);
	if (!added)
		return ERR_NOMEM;
	*added = (struct fit){.card = db_i64(st, "card"),
			      .channel = db_i64(st, "channel"),
			      .direction = dir < 0 ? DIR_UNKNOWN : dir,
			      .a = db_real(st, "a_ns"),
			      .a_low = db_real(st, "a_low_ns"),
			      .a_high = db_real(st, "a_high_ns"),
			      .slope = db_real(st, "ns_per_byte"),
			      .slope_low = db_real(st, "ns_per_byte_low"),
			      .slope_high = db_real(st, "ns_per_byte_high")};
	return 0;
}

static int load_derived(struct report *r, struct err *e)
{
	static const struct {
		const char *name;
		row_fn row;
	} query[] = {
		{"report_states", state_row},
		{"report_groups", group_row},
		{"report_summary", summary_load},
		{"report_quantiles", quantile_load},
		{"report_phases", total_load},
		{"report_fits", fit_load},
		{"report_throughput", throughput_load},
	};

	for (size_t i = 0; i < sizeof(query) / sizeof(*query); i++) {
		int error = report_query(r, query[i].name, query[i].row, r, e);

		if (error)
			return error;
	}
	assign_series(r);
	return 0;
}

int report_load(struct report *r, struct db *db, int64_t run, struct err *e)
{
	int error;

	*r = (struct report){.db = db,
			     .path = db_path(db),
			     .run = run,
			     .latency = PHASE_TOTAL,
			     .bytes_per_s = NAN};
	error = report_query(r, "report_run", run_row, r, e);
	if (error)
		return error;
	if (!r->name)
		return err_set(e, ERR_NOTFOUND,
			       "%s: no run %" PRId64
			       "; `dmaanalyze --list %s` shows which there are",
			       r->path, run, r->path);
	error = report_query(r, "report_events", source_load, r, e);
	if (!error)
		error = report_query(r, "report_losses", loss_load, r, e);
	if (!error)
		error = report_query(r, "report_analysis", analysis_row, r, e);
	if (error)
		return error;
	if (!r->analysed)
		return err_set(e, ERR_NOTFOUND,
			       "%s: %s has not been analysed; type `dmaanalyze %s` first",
			       r->path, r->name, r->path);
	return load_derived(r, e);
}

void caption_counts(const struct report *r, enum phase p, char *buf, size_t len)
{
	const struct summary_row *s = &r->summary[p];
	char n[32], all[32], cost[32];
	int at;

	at = snprintf(buf, len, "n = %s of %s transfers",
		      text_count((uint64_t)(s->n > 0 ? s->n : 0), n),
		      text_count((uint64_t)r->transfers, all));
	if (s->known && s->excluded > 0)
		at += snprintf(buf + at, len - (size_t)at,
			       "; %s left out, whose %s time is not known",
			       text_count((uint64_t)s->excluded, n), phase_name(p));
	if (s->known && s->negative > 0)
		at += snprintf(buf + at, len - (size_t)at,
			       "; %s of the values are below 0",
			       text_count((uint64_t)s->negative, n));
	if (s->known && s->error_ns != DMA_UNKNOWN && s->error_ns >= 0)
		at += snprintf(buf + at, len - (size_t)at,
			       ". Of each about %s is the probes' own",
			       num_print_ns(cost, s->error_ns));
	else if (r->probe_cost_ns == DMA_UNKNOWN)
		at += snprintf(buf + at, len - (size_t)at,
			       ". The cost of the probes was not measured");
	snprintf(buf + at, len - (size_t)at, ".");
}

static void scan_free(struct scan *s)
{
	if (!s)
		return;
	free(s->point);
	free(s->irq_cpu);
	free(s);
}

void report_release(struct report *r)
{
	free(r->name);
	free(r->label);
	free(r->host);
	free(r->kernel);
	free(r->command);
	free(r->started);
	free(r->tool);
	free(r->clock);
	free(r->profile);
	free(r->group);
	free(r->loss);
	free(r->fit);
	scan_free(r->scan);
	free(r->counts);
	memset(r, 0, sizeof(*r));
}
