/* SPDX-License-Identifier: GPL-2.0-only */
/* What dmacompare says: for people, and as JSON (dmacompare(1) documents its shape). */
#ifndef DMA_COMPARE_PRINT_H
#define DMA_COMPARE_PRINT_H

#include <stdio.h>

#include "compare/compare_env.h"

struct compare_result {
	const struct comparison *c;
	const struct compare_options *o;
	const struct compare_env *env;
	const struct compare_set *base, *fresh;
	unsigned phases;  /* 1 << PHASE_* */
	unsigned by;	  /* BY_* that were asked for */
	const char *page; /* of --report; NULL = none */
};

struct compare_style {
	bool color, quiet;
};

void compare_print(const struct compare_result *r, const struct compare_style *s,
		   FILE *out);
void compare_print_json(const struct compare_result *r, FILE *out);

/* What --json says when there is nothing to judge. */
void compare_print_json_refusal(const char *why, FILE *out);

/* "device (doorbell to interrupt)" */
const char *compare_phase_words(enum phase p);

/* Those of several, with "and" between them. */
const char *compare_phases_text(unsigned phases, char *buf, size_t len);

/* "slower", "same within 5 %". Returns buf. */
const char *compare_verdict_words(const struct compare_group *g, double threshold,
				  char *buf, size_t len);

/* "about 1200 transfers a side would be needed", or "" when it is not known. */
const char *compare_needed_words(const struct compare_group *g, bool across, char *buf,
				 size_t len);

/* What to record for an answer; NULL = one was given, or more of the same gives it. */
const char *compare_next(const struct comparison *c);

/* "+1.20 µs"; "–" for NAN, "no limit" for INFINITY. */
const char *compare_ns(char buf[40], double ns, bool sign);

#endif
