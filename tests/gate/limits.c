/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gate/limits.h"
#include "lib/stat.h"

static double pct(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double upper(uint64_t k, uint64_t n, double level)
{
	return n ? proportion_upper(k, n, level) : 1;
}

static double lower(uint64_t k, uint64_t n, double level)
{
	return n ? 1 - proportion_upper(n - k, n, level) : 0;
}

/* ---- the table ---- */

void print_columns(bool tap)
{
	printf("%s%-37s %-5s %8s %7s %7s %7s %6s %7s %7s | %-27s | %-11s | %-14s | %s\n",
	       tap ? "# " : "", "stratum", "irq", "transf.", "certain", "unknown",
	       "beyond", "wrong", "/10000", "<=", "end/irq/coalesced/state", "of slowest",
	       "vector +/?/-", "events/s");
}

void print_row(const char *name, bool find, const struct tally *n, bool tap)
{
	double certain = (double)n->certain;

	printf("%s%-37s %-5s %8" PRIu64 " %6.2f%% %6.2f%% %6.2f%% %6" PRIu64
	       " %7.1f %7.1f | %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
	       " | %4" PRIu64 "/%-6" PRIu64 " | %4" PRIu64 " %4" PRIu64 " %4" PRIu64
	       " | %.0f\n",
	       tap ? "# " : "", name, find ? "found" : "named", n->transfers,
	       pct(n->certain, n->transfers), pct(n->unknown, n->transfers),
	       pct(n->beyond, n->transfers), n->wrong,
	       n->certain ? 1e4 * (double)n->wrong / certain : 0,
	       n->certain ? 1e4 * upper(n->wrong, n->certain, 0.95) : 0,
	       n->fact_wrong[FACT_END], n->fact_wrong[FACT_INTERRUPT],
	       n->fact_wrong[FACT_COALESCED], n->fact_wrong[FACT_STATE], n->slowest_wrong,
	       n->slowest, n->vector_right, n->vector_unclear, n->vector_wrong,
	       n->seconds > 0 ? (double)n->events / n->seconds : 0);
	if (n->failed)
		printf("%s  %" PRIu64 " of %" PRIu64 " recordings failed\n",
		       tap ? "# " : "", n->failed, n->recordings);
	fflush(stdout);
}

void print_reliability(const struct tally *n, bool tap)
{
	static const char *const fact[] = {"end", "interrupt", "coalesced", "state"};

	for (int f = 0; f < FACT_N; f++)
		for (int k = 0; k < TALLY_BINS; k++) {
			uint64_t m = n->bin[f][k].n, right = n->bin[f][k].right;

			if (m)
				printf("%s  %-10s said %.6f  right %.6f  [%.6f, %.6f]  of "
				       "%" PRIu64 "\n",
				       tap ? "# " : "", fact[f],
				       n->bin[f][k].said / (double)m,
				       (double)right / (double)m, lower(right, m, 0.975),
				       upper(right, m, 0.975), m);
		}
}

/* ---- the limits ---- */

static bool is_todo(const struct limits *l, const char *name)
{
	FILE *f = l->todo ? fopen(l->todo, "r") : NULL;
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		found = !strcmp(line, name);
	}
	if (f)
		fclose(f);
	return found;
}

struct limit {
	const char *what;
	double is, may; /* shares */
	bool holds;
};

static void judge(struct limits *l, const char *stratum, bool find,
		  const struct limit *limit)
{
	char name[160];
	bool todo;

	snprintf(name, sizeof(name), "%s, %s: %s", stratum, find ? "found" : "named",
		 limit->what);
	todo = !limit->holds && is_todo(l, name);
	l->broken += !limit->holds && !todo;
	printf("%sok %u - %s", limit->holds ? "" : "not ", ++l->n, name);
	if (todo)
		printf(" # TODO");
	if (!limit->holds)
		printf(" is %.4f %%, limit %.4f %%", 100 * limit->is, 100 * limit->may);
	putchar('\n');
}

static void judge_wrong(struct limits *l, const char *name, bool find,
			const struct tally *n)
{
	bool many = n->certain >= LIMIT_CERTAIN;
	double bound = many ? upper(n->wrong, n->certain, 0.95)
			    : lower(n->wrong, n->certain, 0.95);

	judge(l, name, find,
	      &(struct limit){"wrong among certain",
			      n->certain ? (double)n->wrong / (double)n->certain : 0,
			      LIMIT_WRONG, bound <= LIMIT_WRONG});
}

static void judge_unknown(struct limits *l, const struct world_stratum *s, bool find,
			  const struct tally *n)
{
	uint64_t k = s->beyond ? n->limited_beyond : n->limited;
	double is = n->counted ? (double)k / (double)n->counted : 1;

	if (s->unknown_limit >= 0)
		judge(l, s->name, find,
		      &(struct limit){"unknown", is, s->unknown_limit,
				      is <= s->unknown_limit});
}

static void judge_vector(struct limits *l, const char *name, const struct tally *n)
{
	uint64_t all = n->vector_right + n->vector_unclear + n->vector_wrong;
	double is = all ? (double)n->vector_right / (double)all : 1;

	judge(l, name, true,
	      &(struct limit){"vector not found", 1 - is, 1 - LIMIT_VECTOR,
			      is >= LIMIT_VECTOR});
	judge(l, name, true,
	      &(struct limit){"wrong vector",
			      all ? (double)n->vector_wrong / (double)all : 0, 0,
			      !n->vector_wrong});
}

void limits_judge(struct limits *l, const struct world_stratum *s, bool find,
		  const struct tally *n, bool tap)
{
	const char *name = s ? s->name : "all";

	if (!tap) {
		l->broken += n->failed > 0;
		return;
	}
	judge(l, name, find,
	      &(struct limit){"recordings failed",
			      n->recordings ? (double)n->failed / (double)n->recordings
					    : 0,
			      0, !n->failed});
	judge_wrong(l, name, find, n);
	if (s)
		judge_unknown(l, s, find, n);
	if (find)
		judge_vector(l, name, n);
}
