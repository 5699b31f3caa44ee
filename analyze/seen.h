/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What looks at all samples of a run before they are joined: they are pushed once, while
 * they are loaded, or when a run's rows are read again.
 */
#ifndef ANALYZE_SEEN_H
#define ANALYZE_SEEN_H

struct audit;
struct err;
struct sample;
struct undone;
struct vector_finder;

struct seen {
	struct vector_finder *finder;
	struct audit *audit;
	struct undone *undone;
};

/* On failure *s holds what seen_release() releases. */
int seen_init(struct seen *s, struct err *e);
void seen_release(struct seen *s);
/* In order of time. */
int seen_push(struct seen *s, const struct sample *x, struct err *e);

#endif
