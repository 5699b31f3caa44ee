/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing certain that was not in the original:
 *   certain DIR FIRST N RECORDING...
 * Records of a recording are taken out, change places, come twice, or its end or header is
 * damaged; a value inside a record never changes, since that would be another fact. Each
 * mutant is loaded by dmaanalyze's own main() in a child. A transfer of which the mutant
 * gives an end as certain (any state but unknown and in_flight) and that the original does
 * not have with the same state, interrupt, end, size and direction is wrong. TAP, a test for
 * each kind of damage; a wrong mutant is named by its number, and DIR keeps the last.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/hostile/mutate.h"

int dmaanalyze_main(int argc, char **argv);

enum { MAX_RECORDS = 20000, MAX_FILES = 16, PATH = 400 };
/* of perf.data's header */
enum {
	HEADER = 104,
	DATA_AT = 40,
	FEATURES_AT = 72,
	FEATURES = 256,
	EARLY_ENTRIES = 256
};

enum damage {
	GONE,
	SOME_GONE,
	SWAPPED,
	NEAR_SWAPPED,
	TWICE,
	CUT,
	HEADER_BIT,
	TORN,
	DAMAGES
};
static const char *const damage_name[] = {
	[TWICE] = "a record comes twice",
	[SWAPPED] = "two records change places",
	[NEAR_SWAPPED] = "two neighbours change places",
	[CUT] = "the end is cut off",
	[HEADER_BIT] = "a bit of the header is turned",
	[TORN] = "bytes of the data are gone",
	[GONE] = "a record is gone",
	[SOME_GONE] = "some records are gone",
};

struct file {
	struct bytes b;
	uint64_t data, end; /* of the data */
	uint32_t at[MAX_RECORDS], n;
};

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

static uint16_t size_of(const struct file *f, uint32_t at)
{
	uint16_t size;

	memcpy(&size, f->b.at + at + 6, 2);
	return size;
}

static void open_file(struct file *f, const char *path)
{
	f->b.at = malloc(2 * MAX_SEED);
	if (!f->b.at)
		abort();
	bytes_read(&f->b, path);
	f->data = get64(f->b.at + DATA_AT);
	f->end = f->data + get64(f->b.at + DATA_AT + 8);
	f->n = 0;
	for (uint64_t at = f->data; at < f->end && f->n < MAX_RECORDS;) {
		uint16_t size = size_of(f, (uint32_t)at);

		if (size < 8)
			abort();
		f->at[f->n++] = (uint32_t)at;
		at += size;
	}
}

/* ---- damage ---- */

/* What lies behind the data has moved by `by`: sections, their table and dmarec's early
 * directory say so. */
static void moved(struct bytes *b, uint64_t old_end, int64_t by)
{
	uint64_t data = get64(b->at + DATA_AT), table = old_end + (uint64_t)by;

	put64(b->at + DATA_AT + 8, table - data);
	for (int i = 0; i < FEATURES; i++) {
		if (!(b->at[FEATURES_AT + i / 8] >> i % 8 & 1))
			continue;
		if (get64(b->at + table) >= old_end)
			put64(b->at + table, get64(b->at + table) + (uint64_t)by);
		table += 16;
	}
	for (uint64_t at = HEADER; at + 16 < data; at += 8) {
		if (memcmp(b->at + at, "DMAREC\0\1", 8))
			continue;
		for (uint64_t i = 0; i < EARLY_ENTRIES && at + 40 + 24 * i < data; i++) {
			uint8_t *offset = b->at + at + 24 + 24 * i;

			if (i < b->at[at + 8] && get64(offset) >= old_end)
				put64(offset, get64(offset) + (uint64_t)by);
		}
		break;
	}
}

static void take_out(struct bytes *b, uint64_t at, uint64_t len)
{
	memmove(b->at + at, b->at + at + len, b->n - at - len);
	b->n -= len;
}

static void put_in(struct bytes *b, uint64_t at, const uint8_t *what, uint64_t len)
{
	memmove(b->at + at + len, b->at + at, b->n - at);
	memcpy(b->at + at, what, len);
	b->n += len;
}

/* x < y */
static void swap(struct bytes *b, const struct file *f, uint32_t x, uint32_t y)
{
	uint8_t first[1 << 16], second[1 << 16];
	uint16_t nx = size_of(f, f->at[x]), ny = size_of(f, f->at[y]);

	memcpy(first, f->b.at + f->at[x], nx);
	memcpy(second, f->b.at + f->at[y], ny);
	take_out(b, f->at[y], ny);
	put_in(b, f->at[y], first, nx);
	take_out(b, f->at[x], nx);
	put_in(b, f->at[x], second, ny);
}

static void damage(struct bytes *b, const struct file *f, enum damage how, struct luck *l)
{
	uint32_t x = (uint32_t)luck_draw(l, f->n), y = (uint32_t)luck_draw(l, f->n), n,
		 by;
	uint8_t copy[1 << 16];

	memcpy(b->at, f->b.at, f->b.n);
	b->n = f->b.n;
	switch (how) {
	case GONE:
	case SOME_GONE:
		n = how == GONE ? 1 : 2 + (uint32_t)luck_draw(l, 7);
		n = n < f->n - x ? n : f->n - x;
		by = (uint32_t)((x + n < f->n ? f->at[x + n] : f->end) - f->at[x]);
		take_out(b, f->at[x], by);
		moved(b, f->end, -(int64_t)by);
		break;
	case NEAR_SWAPPED:
		y = x + 1 + (uint32_t)luck_draw(l, 4);
		/* fall through */
	case SWAPPED:
		y = y < f->n ? y : f->n - 1;
		if (x != y)
			swap(b, f, x < y ? x : y, x < y ? y : x);
		break;
	case TWICE:
		by = size_of(f, f->at[x]);
		memcpy(copy, f->b.at + f->at[x], by);
		put_in(b, f->at[y], copy, by);
		moved(b, f->end, by);
		break;
	case CUT:
		b->n = f->data + luck_draw(l, f->end - f->data);
		break;
	case HEADER_BIT:
		n = (uint32_t)luck_draw(l, HEADER);
		b->at[n] ^= (uint8_t)(1 << luck_draw(l, 8));
		break;
	default: /* what lies behind does not know of it */
		n = (uint32_t)(f->data + luck_draw(l, f->end - f->data));
		by = 1 + (uint32_t)luck_draw(l, 400);
		take_out(b, n, by < f->end - n ? by : f->end - n);
	}
}

/* ---- what is certain ---- */

static bool load(const char *recording, const char *db)
{
	char *word[] = {"dmaanalyze", "-q", "-i", (char *)recording, (char *)db, NULL};
	int status;
	pid_t pid;

	unlink(db);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int out = open("/dev/null", O_RDWR);

		dup2(out, 1);
		dup2(out, 2);
		exit(dmaanalyze_main(5, word));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || WIFSIGNALED(status)) {
		printf("Bail out! dmaanalyze did not end by itself\n");
		exit(2);
	}
	return !WEXITSTATUS(status);
}

#define CERTAIN                                                                          \
	"SELECT card, channel, pid, tid, submit_ns, state, irq_ns, woken_ns, "           \
	"size_bytes, direction FROM "
static const char differs[] = "ATTACH ?1 AS original";
static const char wrong[] =
	"SELECT count(*), min(submit_ns), min(state) FROM (" CERTAIN
	"main.transfer WHERE state NOT IN ('unknown', 'in_flight') EXCEPT " CERTAIN
	"original.transfer)";

/* Transfers that are certain in db and were not so in the original. */
static int64_t count_wrong(const char *db, const char *original, char *shown, size_t size)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *h = NULL;
	int64_t n = -1;

	if (sqlite3_open_v2(db, &h, SQLITE_OPEN_READWRITE, NULL) ||
	    sqlite3_prepare_v2(h, differs, -1, &s, NULL) ||
	    sqlite3_bind_text(s, 1, original, -1, SQLITE_STATIC) ||
	    sqlite3_step(s) != SQLITE_DONE)
		goto out;
	sqlite3_finalize(s);
	s = NULL;
	if (sqlite3_prepare_v2(h, wrong, -1, &s, NULL) || sqlite3_step(s) != SQLITE_ROW)
		goto out;
	n = sqlite3_column_int64(s, 0);
	if (n)
		snprintf(shown, size, "%" PRId64 " wrong, one %s started at %" PRId64, n,
			 (const char *)sqlite3_column_text(s, 2),
			 (int64_t)sqlite3_column_int64(s, 1));
out:
	if (n < 0)
		printf("Bail out! %s: %s\n", db, sqlite3_errmsg(h));
	sqlite3_finalize(s);
	sqlite3_close(h);
	if (n < 0)
		exit(2);
	return n;
}

struct tally {
	uint64_t mutants, loaded, bad, transfers;
};

static void one(const struct file *f, const char *dir, size_t k, enum damage how,
		uint64_t i, struct bytes *b, struct tally *t)
{
	struct luck l = luck_of(damage_name[how], i);
	char mutant[PATH], db[PATH], original[PATH], shown[200];
	int64_t n;

	snprintf(mutant, sizeof(mutant), "%s/mutant.data", dir);
	snprintf(db, sizeof(db), "%s/mutant.db", dir);
	snprintf(original, sizeof(original), "%s/original%zu.db", dir, k);
	damage(b, f, how, &l);
	bytes_write(b, mutant);
	t->mutants++;
	if (!load(mutant, db))
		return;
	t->loaded++;
	n = count_wrong(db, original, shown, sizeof(shown));
	t->bad += n > 0;
	t->transfers += (uint64_t)n;
	if (n)
		printf("# %s, recording %zu, number %" PRIu64 ": %s\n", damage_name[how],
		       k + 1, i, shown);
}

int main(int argc, char **argv)
{
	static struct file file[MAX_FILES];
	struct bytes b = {.at = malloc(2 * MAX_SEED)};
	size_t nfile = argc > 4 ? (size_t)argc - 4 : 0;
	uint64_t first, n, bad = 0;
	char original[PATH];

	if (!b.at || !nfile || nfile > MAX_FILES) {
		fputs("certain DIR FIRST N RECORDING...\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	first = strtoull(argv[2], NULL, 10);
	n = strtoull(argv[3], NULL, 10);
	for (size_t k = 0; k < nfile; k++) {
		snprintf(original, sizeof(original), "%s/original%zu.db", argv[1], k);
		open_file(&file[k], argv[4 + k]);
		if (!load(argv[4 + k], original)) {
			printf("Bail out! %s does not load\n", argv[4 + k]);
			return 2;
		}
	}
	for (int how = 0; how < DAMAGES; how++) {
		struct tally t = {0};

		for (uint64_t i = first; i < first + n; i++)
			one(&file[i % nfile], argv[1], i % nfile, (enum damage)how, i, &b,
			    &t);
		printf("%sok %d - %s: of %" PRIu64 " mutants %" PRIu64 " load, %" PRIu64
		       " say what was not so, of %" PRIu64 " transfers\n",
		       t.bad ? "not " : "", how + 1, damage_name[how], t.mutants,
		       t.loaded, t.bad, t.transfers);
		bad += t.bad;
	}
	printf("1..%d\n", DAMAGES);
	for (size_t k = 0; k < nfile; k++)
		free(file[k].b.at);
	free(b.at);
	return bad ? 1 : 0;
}
