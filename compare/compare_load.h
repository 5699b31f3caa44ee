/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmacompare's input: which recordings stand on which side, what is known of each, and
 * their values by group. Reads trace databases, writes nothing, prints nothing.
 *
 * Memory: at most COMPARE_KEEP values of a group and recording are kept (2 MiB). Beyond
 * it whole stretches of COMPARE_STRETCH consecutive values are left out, every second,
 * then every fourth and so on, so that what follows what is still seen; n, bytes and
 * times are of all of them, and the printers say so.
 */
#ifndef DMA_COMPARE_LOAD_H
#define DMA_COMPARE_LOAD_H

#include "compare/compare.h"

struct db;

enum {
	COMPARE_KEEP = 1 << 18,
	COMPARE_STRETCH = 1024,
	COMPARE_MAX_GROUPS = 4000,
	COMPARE_MAX_RUNS = 1000,
	COMPARE_FEW_SIZES = 4,
};

struct compare_fact {
	char *key, *value; /* value NULL = not known */
};

/* One recording of a side. */
struct compare_run {
	struct db *db; /* borrowed */
	int64_t id;
	char *label, *uuid, *clock, *doorbell, *started; /* NULL = not known */
	bool finished, roles_guessed, whole_unknown /* no counts of its events */;
	enum phase latency; /* the phase that stands for its latency */
	int64_t transfers, cards, duration_ns, probe_cost_ns;
	int64_t error_ns[PHASE_ALL]; /* cost of the probes within each phase */
	int64_t events, lost;	     /* lost of events + lost */
	struct compare_fact *fact;
	size_t nfact;
};

struct compare_set {
	struct compare_run *run;
	size_t n;
};

void compare_set_release(struct compare_set *s);

/* Add the runs that `list` names, separated by commas: numbers, or labels (all runs of
 * that label). NULL = every run of the database. A run that is in the set already is not
 * added again. ERR_USAGE when there is none of that name, or several meanings. */
int compare_set_add(struct compare_set *s, struct db *db, const char *list,
		    struct err *e);

/* Fill what is known of each. ERR_NOTFOUND for a run that was not analysed. */
int compare_set_load(struct compare_set *s, struct err *e);

/* Do both sides hold the same 2 .. COMPARE_FEW_SIZES sizes? */
int compare_few_sizes(const struct compare_set *base, const struct compare_set *fresh,
		      bool *same, struct err *e);

/* Every transfer of both sides into groups, in order of key. Keys that are known of no
 * transfer are taken off. */
struct compare_values {
	unsigned phases; /* 1 << PHASE_*: each is a group of its own */
	unsigned by;	 /* BY_* */
	void (*step)(void *arg, uint64_t done); /* transfers read; may be NULL */
	void *arg;
};
int compare_load(struct comparison *c, const struct compare_set *base,
		 const struct compare_set *fresh, const struct compare_values *v,
		 struct err *e);

/* Take off the groups of one phase. */
void compare_drop_phase(struct comparison *c, enum phase p);

#endif
