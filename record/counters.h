/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver's own counters, as text files under /proc or /sys show them, by the profile's
 * patterns. Read before and after a recording; names are the same in both readings as
 * long as the file has the same rows.
 */
#ifndef DMA_COUNTERS_H
#define DMA_COUNTERS_H

#include <stddef.h>

#include "record/profile/profile.h"

struct err;

struct counter_value {
	char *name, *value;
};

struct counter_set {
	struct counter_value *v;
	size_t n;
};

/* Files that the user has named, as a profile writes them; NULL = none. */
struct counter_files {
	const char *const *file;
	size_t n;
};

/*
 * Every line of a file that the pattern fits gives a value, called by the profile's name;
 * with two groups, NAME.FIRST_GROUP. The second line of one name is called NAME#2, and so
 * on (a second card). A value of several numbers ("3 | 0 | 17 |", "3 0 17") gives NAME.0,
 * NAME.1, ... A file that cannot be read, or a pattern that nothing fits, is no failure:
 * *missing (malloc'ed, or NULL) says so in one sentence. Only ERR_NOMEM fails.
 * We may be root, and a profile is somebody's text: files are read in /proc and /sys
 * only (record/host/trust.h), or where the user named them.
 */
int counters_read(const struct profile *p, const struct counter_files *named,
		  struct counter_set *out, char **missing, struct err *e);

/* The same for one pattern over text; pure. Returns how many values were added, or
 * negative. */
int counters_scan(const struct profile_counter *c, const char *text,
		  struct counter_set *out, struct err *e);

const char *counters_find(const struct counter_set *s,
			  const char *name); /* NULL = none */
void counters_release(struct counter_set *s);

#endif
