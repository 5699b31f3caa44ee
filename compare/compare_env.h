/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else differs between two sides, and which sentences a reader must see beside the
 * figures. Pure: works on what compare_set_load() read.
 */
#ifndef DMA_COMPARE_ENV_H
#define DMA_COMPARE_ENV_H

#include <stdio.h>

#include "compare/compare_load.h"

/* One property: every value that a side's recordings have, "a; b" when several. */
struct compare_property {
	const char *key;    /* borrowed from the set */
	char *base, *fresh; /* NULL = not known on that side */
	bool differs;	    /* known on a side, and not the same */
};

struct compare_env {
	struct compare_property *property; /* in the order of the facts */
	size_t n;
	char **note; /* sentences: what makes the comparison doubtful */
	size_t nnote;
};

/* Sets must outlive the result. ERR_UNSUPPORTED when the sides must not be compared:
 * other clocks. */
int compare_env_init(struct compare_env *env, const struct compare_set *base,
		     const struct compare_set *fresh, struct err *e);
void compare_env_release(struct compare_env *env);

/* printf into a new sentence. 0, or ERR_NOMEM. */
int compare_note(struct compare_env *env, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The phases to compare, as bits 1 << PHASE_*. wanted 0: total, and device where it is
 * every recording's latency and begins at the same point. ERR_UNSUPPORTED when a wanted
 * one means something else on the two sides. */
int compare_phases(unsigned wanted, const struct compare_set *base,
		   const struct compare_set *fresh, struct compare_env *env,
		   unsigned *out, struct err *e);

/* After the judgement: what the figures themselves raise (values left out to save memory,
 * sizes that differ), and verdicts that something else explains, which become `cannot
 * tell`: what the probes add, and properties of the machine that rarely are what is
 * tried. `despite`: beginnings of keys of those that are. */
struct compare_doubt {
	const struct compare_set *base, *fresh;
	const struct compare_options *o;
	const char *const *despite;
	size_t ndespite;
};
int compare_doubts(struct compare_env *env, struct comparison *c,
		   const struct compare_doubt *doubt, struct err *e);

/* Texts of a recording come from elsewhere: nothing in them may steer the terminal, so
 * control characters become '?'. */
void compare_print_text(FILE *out, const char *text);

/* "old.db, run 1 (label)" or "old.db, runs 1, 2, 3". */
void compare_set_print(const struct compare_set *s, FILE *out);

#endif
