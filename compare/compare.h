/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacompare's judgement: two sides, each one or more recordings, group by group. Pure:
 * the values come from compare_load.c, the words go out through compare_print.c.
 *
 * A verdict stands on one statistic (the median unless told otherwise) of one phase,
 * and on the 95 % interval of its ratio (compare/twosample.h), widened for the number of
 * groups looked at at once (Bonferroni: each group at 1 - 0.05 / groups), as a difference
 * relative to the base's value:
 *
 *   slower, faster   the interval leaves out zero, and the difference is at least the
 *                    threshold
 *   same             the whole interval lies within +- threshold
 * Where a side has one recording, its interval holds what changes from run to run as a
 * known share of the value (compare_options.run_scatter), since one run cannot show it.
 *
 *   cannot tell      everything else; and fewer than COMPARE_MIN_EFFECTIVE independent
 *                    values a side; and when the transfers left out, or the events lost,
 *                    could turn the verdict round
 *
 * An interval of a quantile wants at least COMPARE_MIN_BEYOND independent values beyond
 * the quantile on both sides: the bootstrap of an extreme says nothing.
 */
#ifndef DMA_COMPARE_H
#define DMA_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/twosample.h"
#include "lib/dma.h"

struct err;

/* With fewer values than this (after discounting autocorrelation) an interval from blocks
 * is not to be trusted, whatever it says. */
enum { COMPARE_MIN_EFFECTIVE = 30, COMPARE_MIN_BEYOND = 5 };

enum compare_verdict {
	COMPARE_SAME,
	COMPARE_FASTER,
	COMPARE_SLOWER,
	COMPARE_CANNOT_TELL
};
const char *compare_verdict_name(enum compare_verdict v); /* "same", "faster", ... */

enum { BY_CARD = 1, BY_CHANNEL = 2, BY_DIRECTION = 4, BY_SIZE = 8, BY_PHASE = 16 };

/* What a group's transfers have in common; DMA_UNKNOWN = not asked for, or not known. */
struct group_key {
	int64_t card, channel, size_bytes;
	enum direction direction;
	enum phase phase; /* that the values are of */
	unsigned by;	  /* BY_*: which of the fields count for the name */
};

/* One group's values in one recording, in order of submit. Owned. */
struct group_run {
	int64_t *value_ns;
	size_t n, room;
	uint64_t met;	   /* values met; more than n when some were left out to save
			    * memory (compare_load.h) */
	size_t stride;	   /* of the stretches of values, one in so many is kept; 0 = 1 */
	uint64_t excluded; /* transfers whose value is not known */
	int64_t bytes, from_ns, to_ns; /* of ended transfers with a known size */
	uint64_t sized;		       /* those; 0 = from and to mean nothing */
	double bytes_squared;	       /* sum of the squares of their sizes */
};

struct group_side {
	struct group_run *run;
	size_t nrun;
	double lost_share; /* of the side's events; 0 when none, or not known */
};

/* One statistic on both sides. q = 0: the mean. */
struct compare_line {
	double q;
	struct estimate base, fresh;
	struct difference diff; /* at 95 %, not widened */
};

enum { COMPARE_LINES = 5 };

struct compare_group {
	struct group_key key;
	struct group_side base, fresh;
	/* filled by comparison_judge */
	struct compare_line line[COMPARE_LINES]; /* median, p90, p99, p99.9, mean */
	size_t nline;
	struct compare_line judged; /* the statistic of the verdict; diff widened for the
				     * groups */
	struct rank_test rank; /* p corrected for autocorrelation; Hodges-Lehmann shift */
	enum compare_verdict verdict;
	double needed; /* transfers (across: recordings) a side for a verdict; NAN = not
			* known */
	bool few_runs; /* one run a side is in the way of one: record several */
	char why[200]; /* one sentence */
};

struct compare_options {
	double threshold; /* 0.05; 0 or more */
	double q;	  /* statistic of the verdict: 0.5; 0 = mean */
	uint64_t seed;
	bool across; /* each side has several recordings: use their scatter */
	/* Else: the relative standard deviation of a run's median from run to run;
	 * 0 = none. */
	double run_scatter;
	void (*step)(void *arg, size_t done); /* groups judged so far; may be NULL */
	void *arg;
};

struct comparison {
	struct compare_group *group;
	size_t n;
	double level; /* of the widened intervals */
};

void group_release(struct compare_group *g);
void comparison_release(struct comparison *c);

/* Fill every group's lines and verdict. 0, or ERR_NOMEM. */
int comparison_judge(struct comparison *c, const struct compare_options *o,
		     struct err *e);

/* Does so much more on the new side (ns), which is not the card's or the program's, explain
 * the group's verdict? Then it becomes COMPARE_CANNOT_TELL, `what` says why ("the probes
 * add"), and true. */
bool comparison_explain(struct compare_group *g, double more_ns, const char *what,
			const struct compare_options *o);

/* COMPARE_SLOWER when any group is; else CANNOT_TELL when no group could be told; else
 * FASTER when any is, else SAME. */
enum compare_verdict comparison_verdict(const struct comparison *c);

/* The exit status that says it. 2 is wrong usage, and what cannot be compared at all. */
enum { EXIT_NO_SLOWER = 0, EXIT_SLOWER = 1, EXIT_CANNOT_TELL = 3 };
int comparison_status(const struct comparison *c);

/* "channel 2, to_host, 4 KiB, device", or "all transfers". Returns buf. */
const char *group_name(const struct group_key *k, char *buf, size_t len);

/* "median", "mean", "p99.9". Returns buf. */
const char *statistic_name(double q, char *buf, size_t len);

/* Over a side's recordings: values met, kept, transfers left out. */
uint64_t side_met(const struct group_side *s);
size_t side_kept(const struct group_side *s);
uint64_t side_excluded(const struct group_side *s);
/* Bytes of ended transfers over the time from the first submit to the last end, summed
 * over the recordings; NAN when it cannot be told. */
double side_bytes_per_s(const struct group_side *s);

/* The group's recordings as compare/twosample takes them; the values stay the group's, the
 * list is malloc'ed into *list. 0, or ERR_NOMEM. */
int side_view(const struct group_side *g, struct series **list, struct side *s,
	      struct err *e);

/* Is there enough beyond the quantile for an interval of it (see above)? */
bool interval_holds(double q, const struct estimate *base, const struct estimate *fresh,
		    bool across);

#endif
