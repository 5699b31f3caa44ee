/* SPDX-License-Identifier: GPL-2.0-only */
/* The word that a person may have meant: the least edit distance (Levenshtein), if it is
 * small. */
#include <stdbool.h>
#include <string.h>

#include "record/profile/profile_priv.h"

enum { MAX_WORD = 32 };

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[MAX_WORD + 1], diagonal, above;

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1,
				      diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *nearest_word(const char *word, const char *const *list)
{
	size_t best = 4, len = strlen(word), d;
	const char *nearest = NULL;

	if (len > MAX_WORD)
		return NULL;
	for (; *list; list++) {
		if (strlen(*list) > MAX_WORD)
			continue;
		d = distance(word, *list);
		if (d < best && d * 2 <= len + 1) {
			best = d;
			nearest = *list;
		}
	}
	return nearest;
}
