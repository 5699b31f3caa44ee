/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of device files against "/dev/xdma{card}_c2h_{channel}". */
#include <string.h>

#include "lib/file/meta.h"

/* Digits at *path, which moves behind them. */
static bool take_digits(const char **path, int base, int64_t *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *begin = *path, *d;
	int64_t v = 0;

	for (; **path && (d = memchr(digits, **path, (size_t)base)); (*path)++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d - digits, &v))
			return false;
	*out = v;
	return *path > begin;
}

/* "{card}" or "{card:x}" at *pattern, which moves behind it. */
static bool take_place(const char **pattern, const char *word, int *base)
{
	size_t len = strlen(word);
	const char *p = *pattern;

	if (*p != '{' || strncmp(p + 1, word, len))
		return false;
	p += 1 + len;
	*base = strncmp(p, ":x", 2) ? 10 : 16;
	if (*base == 16)
		p += 2;
	if (*p != '}')
		return false;
	*pattern = p + 1;
	return true;
}

bool meta_path_match(const struct meta_path *p, const char *path, int64_t *card,
		     int64_t *channel)
{
	int64_t met_card = DMA_UNKNOWN, met_channel = DMA_UNKNOWN;
	const char *pattern = p->pattern;
	int base;

	while (*pattern) {
		if (take_place(&pattern, "card", &base)) {
			if (!take_digits(&path, base, &met_card))
				return false;
		} else if (take_place(&pattern, "channel", &base)) {
			if (!take_digits(&path, base, &met_channel))
				return false;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	if (*path)
		return false;
	*card = met_card;
	*channel = met_channel;
	return true;
}
