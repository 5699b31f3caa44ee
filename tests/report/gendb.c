/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gendb KIND OUT.db [--n N] [--runs N] [--seed N]: a database of the schema without any
 * recording. Its derived figures are computed here in the plainest way, by sorting, so
 * that the tests of dmareport rest on nothing but the schema. Kinds: usual, empty, one,
 * none-complete, one-size, equal, negative, channels, polled, loss, unanalysed, no-runs,
 * ar1 (autocorrelated latencies, one size). --slow-channel C --slow SHARE makes the
 * device times of one channel longer by that share; --label TEXT names the runs; --sql
 * TEXT is run at the end, to damage or change what was made.
 */
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/dma.h"

extern const char sql_raw[], sql_derived[], sql_views[];

struct want {
	const char *kind;
	int64_t n;
	int channels;
	bool two_ways, sizes, equal, negative, none, polled, loss, ar1;
	int64_t slow_channel, seed;
	double slow; /* share by which that channel is slower */
	const char *label;
};

struct row {
	int64_t submit, bell, irq, woken, size;
	int channel, dir, state, cpu;
};

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static void die(sqlite3 *db, const char *what)
{
	fprintf(stderr, "gendb: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		die(db, sql);
	return st;
}

static void bind(sqlite3_stmt *st, int i, int64_t v)
{
	if (v == DMA_UNKNOWN)
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_int64(st, i, v);
}

static void put(sqlite3 *db, sqlite3_stmt *st)
{
	if (sqlite3_step(st) != SQLITE_DONE)
		die(db, "insert");
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

/* ---- the transfers ---- */
/* Lognormal around its base, its logarithm an AR(1) with coefficient 0.6. */
static double ar1_time(double base)
{
	static double z;

	z = 0.6 * z + 0.8 * normal();
	return base * exp(0.1 * z);
}

static int64_t device_time(const struct want *w, const struct row *r, int64_t i)
{
	double slow = r->channel == w->slow_channel ? 1 + w->slow : 1;
	double base = 9000 + 3000 * r->channel +
		      (double)r->size * (r->dir == DIR_TO_HOST ? 0.25 : 0.4);
	double t;

	if (w->equal)
		return 98000000;
	if (w->ar1)
		return (int64_t)(slow * ar1_time(base));
	t = base * exp(0.08 * normal()) *
	    (1 + 0.15 * sin((double)i * 12.0 / (double)w->n));
	if (uniform() < 0.01)
		t *= 1 + 2 / pow(uniform(), 0.7); /* heavy tail */
	return (int64_t)(slow * t);
}

static void make_row(const struct want *w, struct row *r, int64_t i, int64_t *clock)
{
	static const int64_t sizes[] = {4096, 16384, 65536, 262144};
	double u = uniform();

	r->channel = (int)(uniform() * w->channels);
	r->dir = w->two_ways && uniform() < 0.3 ? DIR_FROM_HOST : DIR_TO_HOST;
	r->size = w->sizes ? sizes[(int)(uniform() * 4)] : 4096;
	r->cpu = (int)(uniform() * 4);
	*clock += (int64_t)(-30000 * log(uniform()));
	r->submit = *clock;
	r->bell = r->submit + (w->equal ? 2000 : 1800 + (int64_t)(800 * uniform()));
	r->irq = r->bell + device_time(w, r, i);
	r->woken = r->irq + (w->equal ? 3000 : (int64_t)(4000 * exp(0.5 * normal())));
	if (w->negative && uniform() < 0.4)
		r->woken = r->irq - (int64_t)(20000 * uniform());
	r->state = w->negative && r->woken < r->irq ? STATE_LATE : STATE_COMPLETE;
	if (w->polled || (!w->equal && !w->negative && u < 0.003)) {
		r->state = w->polled ? STATE_POLLED : STATE_NO_INTERRUPT;
		r->irq = DMA_UNKNOWN;
	} else if (w->none || u > 0.9995) {
		r->state = w->none && u < 0.5 ? STATE_FAILED : STATE_IN_FLIGHT;
		r->irq = r->woken = DMA_UNKNOWN;
	}
}

static int64_t minus(int64_t a, int64_t b)
{
	return a == DMA_UNKNOWN || b == DMA_UNKNOWN ? DMA_UNKNOWN : a - b;
}

static int64_t phase_of(const struct row *r, enum phase p)
{
	switch (p) {
	case PHASE_API:
		return minus(r->bell, r->submit);
	case PHASE_DEVICE:
		return minus(r->irq, r->bell);
	case PHASE_NOTICE:
		return r->irq == DMA_UNKNOWN ? DMA_UNKNOWN : minus(r->woken, r->irq);
	default:
		return minus(r->woken, r->submit);
	}
}

static void put_transfers(sqlite3 *db, int64_t run, const struct row *row, int64_t n)
{
	sqlite3_stmt *st = prepare(
		db,
		"INSERT INTO transfer (run_id, id, card, channel, direction, size_bytes, "
		"pid, tid, submit_ns, doorbell_ns, irq_ns, wait_ns, woken_ns, irq, "
		"irq_cpu, coalesced, irq_count, state, api_ns, device_ns, notice_ns, "
		"total_ns) VALUES (?,?,0,?,?,?,100,100,?,?,?,NULL,?,?,?,?,?,?,?,?,?,?)");

	for (int64_t i = 0; i < n; i++) {
		const struct row *r = &row[i];
		int64_t known = r->irq != DMA_UNKNOWN;

		bind(st, 1, run);
		bind(st, 2, i + 1);
		bind(st, 3, r->channel);
		sqlite3_bind_text(st, 4, direction_name((enum direction)r->dir), -1,
				  SQLITE_STATIC);
		bind(st, 5, r->size);
		bind(st, 6, r->submit);
		bind(st, 7, r->bell);
		bind(st, 8, r->irq);
		bind(st, 9, r->woken);
		bind(st, 10, known ? 68 + r->channel % 2 : DMA_UNKNOWN);
		bind(st, 11, known ? r->cpu : DMA_UNKNOWN);
		bind(st, 12, known ? 1 : DMA_UNKNOWN);
		bind(st, 13, known);
		sqlite3_bind_text(st, 14, state_name((enum transfer_state)r->state), -1,
				  SQLITE_STATIC);
		for (int p = 0; p < PHASE_N; p++)
			bind(st, 15 + p, phase_of(r, (enum phase)p));
		put(db, st);
	}
	sqlite3_finalize(st);
}

/* ---- the figures ---- */
static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void put_quantiles(sqlite3 *db, int64_t run, int ch, int dir, int p,
			  const int64_t *v, int64_t n)
{
	static const double q[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
	sqlite3_stmt *st =
		prepare(db, "INSERT INTO quantile VALUES (?,?,?,?,?,?,?,NULL,NULL,?,?)");

	for (int i = 0; i < 5; i++) {
		int64_t rank = (int64_t)ceil(q[i] * (double)n);
		double half = 1.96 * sqrt((double)n * q[i] * (1 - q[i])) + 1;
		int64_t lo = rank - (int64_t)half, hi = rank + (int64_t)half;

		bind(st, 1, run);
		bind(st, 2, ch < 0 ? DMA_UNKNOWN : 0);
		bind(st, 3, ch < 0 ? DMA_UNKNOWN : ch);
		if (dir >= 0)
			sqlite3_bind_text(st, 4, direction_name((enum direction)dir), -1,
					  SQLITE_STATIC);
		sqlite3_bind_text(st, 5, phase_name((enum phase)p), -1, SQLITE_STATIC);
		sqlite3_bind_double(st, 6, q[i]);
		bind(st, 7, n ? v[rank - 1] : DMA_UNKNOWN);
		bind(st, 8, n && lo >= 1 ? v[lo - 1] : DMA_UNKNOWN);
		bind(st, 9, n && hi <= n ? v[hi - 1] : DMA_UNKNOWN);
		put(db, st);
	}
	sqlite3_finalize(st);
}

static void put_summary(sqlite3 *db, int64_t run, int ch, int dir, int p,
			const int64_t *v, int64_t n, int64_t excluded)
{
	sqlite3_stmt *st =
		prepare(db, "INSERT INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
	double sum = 0, sq = 0;
	int64_t negative = 0;

	for (int64_t i = 0; i < n; i++) {
		sum += (double)v[i];
		negative += v[i] < 0;
	}
	for (int64_t i = 0; i < n; i++)
		sq += ((double)v[i] - sum / (double)n) * ((double)v[i] - sum / (double)n);
	bind(st, 1, run);
	bind(st, 2, ch < 0 ? DMA_UNKNOWN : 0);
	bind(st, 3, ch < 0 ? DMA_UNKNOWN : ch);
	if (dir >= 0)
		sqlite3_bind_text(st, 4, direction_name((enum direction)dir), -1,
				  SQLITE_STATIC);
	sqlite3_bind_text(st, 5, phase_name((enum phase)p), -1, SQLITE_STATIC);
	bind(st, 6, n);
	bind(st, 7, excluded);
	bind(st, 8, negative);
	bind(st, 9, n ? v[0] : DMA_UNKNOWN);
	bind(st, 10, n ? v[n - 1] : DMA_UNKNOWN);
	if (n)
		sqlite3_bind_double(st, 11, sum / (double)n);
	if (n > 1)
		sqlite3_bind_double(st, 12, sqrt(sq / (double)(n - 1)));
	bind(st, 13, p == PHASE_API ? 2400 : 1200);
	put(db, st);
	sqlite3_finalize(st);
}

/* Buckets of lib/hist.h's width: exact below 128, then 128 for each power of two. */
static void put_histogram(sqlite3 *db, int64_t run, int ch, int dir, int p,
			  const int64_t *v, int64_t n)
{
	sqlite3_stmt *st = prepare(db, "INSERT INTO histogram VALUES (?,0,?,?,?,?,?,?)");

	for (int64_t i = 0, k; i < n; i = k) {
		int64_t a = v[i] < 0 ? -v[i] : v[i], width = 1, low;

		while (a >= 256 * width)
			width *= 2;
		low = v[i] >= 0 ? v[i] / width * width : -(a / width * width) - width + 1;
		for (k = i; k < n && v[k] < low + width; k++)
			;
		bind(st, 1, run);
		bind(st, 2, ch);
		sqlite3_bind_text(st, 3, direction_name((enum direction)dir), -1,
				  SQLITE_STATIC);
		sqlite3_bind_text(st, 4, phase_name((enum phase)p), -1, SQLITE_STATIC);
		bind(st, 5, low);
		bind(st, 6, low + width);
		bind(st, 7, k - i);
		put(db, st);
	}
	sqlite3_finalize(st);
}

static void put_fit(sqlite3 *db, int64_t run, int ch, int dir, const struct row *row,
		    int64_t n)
{
	sqlite3_stmt *st;
	double m = 0, mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0, b, a, se;

	for (int64_t i = 0; i < n; i++)
		if (row[i].channel == ch && row[i].dir == dir &&
		    row[i].irq != DMA_UNKNOWN) {
			m++;
			mx += (double)row[i].size;
			my += (double)phase_of(&row[i], PHASE_DEVICE);
		}
	mx /= m;
	my /= m;
	for (int64_t i = 0; i < n; i++)
		if (row[i].channel == ch && row[i].dir == dir &&
		    row[i].irq != DMA_UNKNOWN) {
			double x = (double)row[i].size - mx,
			       y = (double)phase_of(&row[i], PHASE_DEVICE) - my;

			sxx += x * x;
			sxy += x * y;
			syy += y * y;
		}
	if (m < 3 || sxx <= 0)
		return;
	b = sxy / sxx;
	a = my - b * mx;
	se = sqrt(fmax(syy - b * sxy, 0) / (m - 2) / sxx);
	st = prepare(db, "INSERT INTO fit VALUES (?,0,?,?,'device',?,4,?,?,?,?,?,?,?)");
	bind(st, 1, run);
	bind(st, 2, ch);
	sqlite3_bind_text(st, 3, direction_name((enum direction)dir), -1, SQLITE_STATIC);
	bind(st, 4, (int64_t)m);
	sqlite3_bind_double(st, 5, a);
	sqlite3_bind_double(st, 6, a - 2 * se * mx);
	sqlite3_bind_double(st, 7, a + 2 * se * mx);
	sqlite3_bind_double(st, 8, b);
	sqlite3_bind_double(st, 9, b - 2 * se);
	sqlite3_bind_double(st, 10, b + 2 * se);
	sqlite3_bind_double(st, 11, syy > 0 ? sxy * sxy / sxx / syy : 1);
	put(db, st);
	sqlite3_finalize(st);
}

static void put_group(sqlite3 *db, int64_t run, int ch, int dir, const struct row *row,
		      int64_t n, int64_t *v)
{
	for (int p = 0; p < PHASE_N; p++) {
		int64_t k = 0, members = 0;

		for (int64_t i = 0; i < n; i++) {
			int64_t x = phase_of(&row[i], (enum phase)p);

			if (ch >= 0 && (row[i].channel != ch || row[i].dir != dir))
				continue;
			members++;
			if (x != DMA_UNKNOWN)
				v[k++] = x;
		}
		if (ch >= 0 && !members)
			return;
		qsort(v, (size_t)k, sizeof(*v), by_value);
		put_summary(db, run, ch, dir, p, v, k, members - k);
		put_quantiles(db, run, ch, dir, p, v, k);
		if (ch >= 0)
			put_histogram(db, run, ch, dir, p, v, k);
	}
	if (ch >= 0)
		put_fit(db, run, ch, dir, row, n);
}

static void put_derived(sqlite3 *db, int64_t run, const struct want *w,
			const struct row *row)
{
	int64_t *v = malloc((size_t)(w->n + 1) * sizeof(*v));
	char sql[2048];

	if (!v)
		die(NULL, "no memory");
	snprintf(sql, sizeof(sql),
		 "INSERT INTO analysis VALUES (%" PRId64
		 ", 'gendb', 'one', 'inferred', 'found', '%s', 'exit', "
		 "%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", 0, 0, %" PRId64
		 ", %" PRId64 ", 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, NULL)",
		 run, w->polled ? "total" : "device", w->n, w->n, w->n, w->n, w->n, w->n);
	run_sql(db, sql);
	put_group(db, run, -1, -1, row, w->n, v);
	for (int ch = 0; ch < w->channels; ch++)
		for (int dir = DIR_TO_HOST; dir <= DIR_FROM_HOST; dir++)
			put_group(db, run, ch, dir, row, w->n, v);
	free(v);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO state_count SELECT run_id, card, channel, direction, "
		 "state, count(*), sum(size_bytes) "
		 "FROM transfer WHERE run_id = %" PRId64 " GROUP BY 1, 2, 3, 4, 5;"
		 "INSERT INTO throughput SELECT run_id, card, channel, direction, "
		 "count(*), sum(size_bytes), "
		 "min(submit_ns), max(woken_ns), 1e9 * sum(size_bytes) / (max(woken_ns) "
		 "- min(submit_ns)) FROM transfer "
		 "WHERE run_id = %" PRId64
		 " AND woken_ns IS NOT NULL GROUP BY 1, 2, 3, 4;"
		 "INSERT INTO vector SELECT %" PRId64
		 ", irq, NULL, NULL, 0.99, 'completion', 1, count(*), "
		 "count(*), 0, 0, count(*), 0, 0.8, 4000, 0.25, 9000, 'exactly "
		 "one between doorbell and woken' FROM transfer WHERE "
		 "run_id = %" PRId64 " AND irq IS NOT NULL GROUP BY irq;",
		 run, run, run, run);
	run_sql(db, sql);
}

static void put_strays(sqlite3 *db, int64_t run, const struct row *row, int64_t n)
{
	sqlite3_stmt *st = prepare(db, "INSERT INTO stray VALUES "
				       "(?,'interrupt',?,NULL,NULL,68,?,NULL,'no "
				       "transfer was in flight')");

	for (int64_t i = 0; i < n; i += 97) {
		bind(st, 1, run);
		bind(st, 2, row[i].submit + 500);
		bind(st, 3, row[i].cpu);
		put(db, st);
	}
	sqlite3_finalize(st);
}

static void put_run(sqlite3 *db, int64_t run, const struct want *w)
{
	struct row *row = calloc((size_t)w->n + 1, sizeof(*row));
	int64_t clock = 1000000000000, begin = clock;
	char sql[4096];

	if (!row)
		die(NULL, "no memory");
	for (int64_t i = 0; i < w->n; i++)
		make_row(w, &row[i], i, &clock);
	clock += 1000000;
	snprintf(sql, sizeof(sql),
		 "INSERT INTO run (id, uuid, label, host, kernel, arch, cpus, command, "
		 "started_utc, begin_ns, end_ns, duration_ns, clock, profile, "
		 "pairing, tool, irq_feed, exit_status, finished, roles_guessed, "
		 "uprobe_cost_ns, irq_cost_ns, disordered, raw_path, raw_sha256) "
		 "VALUES (%" PRId64 ", 'u%" PRId64 "-%" PRId64 "-%s-%g', '%s', "
		 "'testhost', '6.1.0-x', 'x86_64', 4, './workload --size \"4K\" <&>', "
		 "'2026-01-02T03:04:05Z', %" PRId64 ", %" PRId64 ", %" PRId64
		 ", 'monotonic', 'flx', 'infer', 'gendb', 'bpf', 0, 1, 0, 1200, 300, 0, "
		 "'dma.data', 'sha%" PRId64 "-%" PRId64 "-%s-%g');"
		 "INSERT INTO source (run_id, name, role, direction, "
		 "function, counted, delivered, lost) VALUES "
		 "(%" PRId64 ", 'dma:dma_to_host', 'submit', 'to_host', "
		 "'FlxCard::dma_to_host', %" PRId64 ", %" PRId64 ", 0), (%" PRId64
		 ", 'irq:irq_handler_entry', 'interrupt', 'unknown', NULL, %" PRId64
		 ", %" PRId64 ", %d);"
		 "INSERT INTO irq (run_id, irq, name, chip, vector, bdf, recorded, "
		 "named) VALUES (%" PRId64 ", 68, 'flx', "
		 "'PCI-MSIX', 2, '0000:03:00.0', 1, 0), (%" PRId64
		 ", 69, 'flx', 'PCI-MSIX', 3, '0000:03:00.0', 1, 0);"
		 "INSERT INTO environment VALUES (%" PRId64
		 ", 'link_speed.0000:03:00.0', '8.0 GT/s PCIe'), (%" PRId64
		 ", 'link_width.0000:03:00.0', '8'), (%" PRId64
		 ", 'governor', 'performance');",
		 run, run, w->seed, w->kind, w->slow, w->label ? w->label : w->kind,
		 begin, clock, clock - begin, run, w->seed, w->kind, w->slow, run, w->n,
		 w->n, run, w->n, w->n - (w->loss ? 40 : 0), w->loss ? 40 : 0, run, run,
		 run, run, run);
	run_sql(db, sql);
	if (w->loss) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO loss VALUES (%" PRId64 ", 1, %" PRId64 ", %" PRId64
			 ", 40, NULL, 'ring')",
			 run, begin + (clock - begin) / 3,
			 begin + (clock - begin) * 2 / 5);
		run_sql(db, sql);
	}
	put_transfers(db, run, row, w->n);
	if (strcmp(w->kind, "unanalysed") != 0)
		put_derived(db, run, w, row);
	put_strays(db, run, row, w->n);
	free(row);
}

static void want_init(struct want *w, const char *kind)
{
	*w = (struct want){.kind = kind,
			   .n = 20000,
			   .channels = 2,
			   .two_ways = true,
			   .sizes = true,
			   .slow_channel = -1};
	if (!strcmp(kind, "empty"))
		w->n = 0;
	else if (!strcmp(kind, "one"))
		*w = (struct want){.kind = kind,
				   .n = 1,
				   .channels = 1,
				   .equal = true,
				   .slow_channel = -1};
	else if (!strcmp(kind, "none-complete"))
		w->none = true;
	else if (!strcmp(kind, "one-size"))
		w->sizes = false;
	else if (!strcmp(kind, "equal"))
		*w = (struct want){.kind = kind,
				   .n = 500,
				   .channels = 1,
				   .equal = true,
				   .slow_channel = -1};
	else if (!strcmp(kind, "negative"))
		w->negative = true;
	else if (!strcmp(kind, "channels"))
		w->channels = 64;
	else if (!strcmp(kind, "polled"))
		w->polled = true;
	else if (!strcmp(kind, "loss"))
		w->loss = true;
	else if (!strcmp(kind, "ar1"))
		w->ar1 = true, w->sizes = w->two_ways = false;
	else if (strcmp(kind, "usual") && strcmp(kind, "unanalysed") &&
		 strcmp(kind, "no-runs")) {
		fprintf(stderr, "gendb: no such kind: %s\n", kind);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	char version[100];
	int64_t n = -1, runs = 1;
	const char *sql = NULL;
	struct want w;
	sqlite3 *db;

	if (argc < 3) {
		fprintf(stderr, "gendb KIND OUT.db [--n N] [--runs N] [--seed N]\n");
		return 2;
	}
	want_init(&w, argv[1]);
	for (int i = 3; i + 1 < argc; i += 2) {
		int64_t v = strtoll(argv[i + 1], NULL, 10);

		if (!strcmp(argv[i], "--slow-channel"))
			w.slow_channel = v;
		else if (!strcmp(argv[i], "--slow"))
			w.slow = strtod(argv[i + 1], NULL);
		else if (!strcmp(argv[i], "--label"))
			w.label = argv[i + 1];
		else if (!strcmp(argv[i], "--sql"))
			sql = argv[i + 1];

		if (!strcmp(argv[i], "--n"))
			n = v;
		else if (!strcmp(argv[i], "--runs"))
			runs = v;
		else if (!strcmp(argv[i], "--seed"))
			state ^= (uint64_t)(w.seed = v) * 0x9e3779b97f4a7c15u;
	}
	if (n >= 0)
		w.n = n;
	remove(argv[2]);
	if (sqlite3_open(argv[2], &db) != SQLITE_OK)
		die(db, argv[2]);
	run_sql(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; BEGIN");
	run_sql(db, sql_raw);
	run_sql(db, sql_derived);
	run_sql(db, sql_views);
	for (int64_t r = 1; r <= runs && strcmp(w.kind, "no-runs"); r++)
		put_run(db, r, &w);
	if (sql)
		run_sql(db, sql);
	snprintf(version, sizeof(version),
		 "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 DB_APPLICATION_ID, DB_VERSION);
	run_sql(db, version);
	run_sql(db, "COMMIT");
	sqlite3_close(db);
	return 0;
}
