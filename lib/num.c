/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/array.h"
#include "lib/err.h"

static int out_of_range(const char *text, int64_t min, int64_t max, struct err *e)
{
	return err_set(e, ERR_USAGE, "'%s' is out of range: %" PRId64 " to %" PRId64,
		       text, min, max);
}

/* Digits at the start of text; *end behind them. */
static int parse_digits(const char *text, const char **end, int64_t *out)
{
	char *stop;
	int base = !strncasecmp(text + (*text == '-' || *text == '+'), "0x", 2) ? 16 : 10;

	if (!isdigit((unsigned char)text[*text == '-' || *text == '+']))
		return -EINVAL;
	errno = 0;
	*out = strtoll(text, &stop, base);
	*end = stop;
	return errno == ERANGE ? -ERANGE : 0;
}

int num_i64(const char *text, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const char *end = text;
	int64_t v;
	int rc = parse_digits(text, &end, &v);

	if (rc == -EINVAL || *end)
		return err_set(e, ERR_USAGE, "'%s' is not a whole number", text);
	if (rc || v < min || v > max)
		return out_of_range(text, min, max, e);
	*out = v;
	return 0;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit byte_units[] = {
	{"", 1},	  {"B", 1},	   {"K", 1 << 10},   {"KB", 1 << 10},
	{"KiB", 1 << 10}, {"M", 1 << 20},  {"MB", 1 << 20},  {"MiB", 1 << 20},
	{"G", 1 << 30},	  {"GB", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0},
};

static const struct unit time_units[] = {
	{"", 1000000000}, {"s", 1000000000},	{"sec", 1000000000},
	{"ms", 1000000},  {"us", 1000},		{"µs", 1000},
	{"ns", 1},	  {"min", 60000000000}, {"h", 3600000000000},
	{NULL, 0},
};

static int64_t factor_of(const struct unit *u, const char *name, bool any_case)
{
	for (; u->name; u++)
		if (any_case ? !strcasecmp(u->name, name) : !strcmp(u->name, name))
			return u->factor;
	return 0;
}

int num_bytes(const char *text, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const char *end = text;
	int64_t v, factor;
	int rc = parse_digits(text, &end, &v);

	factor = rc == -EINVAL ? 0 : factor_of(byte_units, end, true);
	if (!factor)
		return err_set(e, ERR_USAGE, "'%s' is not a size (such as 4096, 64K, 8M)",
			       text);
	if (rc || __builtin_mul_overflow(v, factor, &v) || v < min || v > max)
		return out_of_range(text, min, max, e);
	*out = v;
	return 0;
}

/* The digits behind a decimal point times factor; -1 when not a whole number of ns. */
static int64_t parse_fraction(const char *digits, size_t n, int64_t factor)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (factor % 10 && digits[i] != '0')
			return -1;
		factor /= 10;
		sum += (digits[i] - '0') * factor;
	}
	return sum;
}

int num_duration_ns(const char *text, int64_t min, int64_t max, int64_t *out,
		    struct err *e)
{
	const char *end = text, *fraction = NULL;
	size_t nfraction = 0;
	int64_t v, factor, part;
	int rc = isdigit((unsigned char)*text) ? parse_digits(text, &end, &v) : -EINVAL;

	if (!rc && *end == '.') {
		fraction = ++end;
		nfraction = strspn(end, "0123456789");
		end += nfraction;
	}
	factor = rc == -EINVAL || (fraction && !nfraction)
			 ? 0
			 : factor_of(time_units, end, false);
	if (!factor)
		return err_set(e, ERR_USAGE,
			       "'%s' is not a duration (such as 10s, 2.5ms, 300us)",
			       text);
	part = fraction ? parse_fraction(fraction, nfraction, factor) : 0;
	if (part < 0)
		return err_set(e, ERR_USAGE, "'%s' is finer than a nanosecond", text);
	if (rc || __builtin_mul_overflow(v, factor, &v) ||
	    __builtin_add_overflow(v, part, &v) || v < min || v > max)
		return err_set(e, ERR_USAGE,
			       "'%s' is out of range: %" PRId64 " to %" PRId64 " ns",
			       text, min, max);
	*out = v;
	return 0;
}

int num_share(const char *text, double min, double max, double *out, struct err *e)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return err_set(e, ERR_USAGE, "'%s' is not a share (such as 5%% or 0.05)",
			       text);
	v = strtod(text, &end);
	if (*end == '%') {
		v /= 100;
		end++;
	} else if (!*end && v >= 1) {
		return err_set(e, ERR_USAGE,
			       "'%s': percent or a share? Write %s%%, or a share below 1",
			       text, text);
	}
	if (*end || !isfinite(v))
		return err_set(e, ERR_USAGE, "'%s' is not a share (such as 5%% or 0.05)",
			       text);
	if (v < min || v > max)
		return err_set(e, ERR_USAGE, "'%s' is out of range: %g%% to %g%%", text,
			       min * 100, max * 100);
	*out = v;
	return 0;
}

struct list {
	int64_t *v;
	size_t n, max;
};

static int list_add(struct list *l, int64_t v, struct err *e)
{
	int64_t *added;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == v)
			return 0;
	if (l->n == l->max)
		return err_set(e, ERR_USAGE, "more than %zu numbers in a list", l->max);
	added = array_add(&l->v, &l->n);
	if (!added)
		return err_nomem(e, "a list of numbers");
	*added = v;
	return 0;
}

/* "5" or "7-9" at *p, which moves behind it. */
static int list_range(struct list *l, const char **p, int64_t min, int64_t max,
		      struct err *e)
{
	int64_t from, to;
	const char *end;
	int rc = isdigit((unsigned char)**p) ? parse_digits(*p, &end, &from) : -EINVAL;

	to = rc ? 0 : from;
	if (!rc && *end == '-')
		rc = isdigit((unsigned char)end[1]) ? parse_digits(end + 1, &end, &to)
						    : -EINVAL;
	if (rc || to < from)
		return err_set(e, ERR_USAGE,
			       "'%s' is not a list of numbers (such as 1,5,7-9)", *p);
	if (from < min || to > max)
		return out_of_range(*p, min, max, e);
	for (; from <= to; from++)
		if (list_add(l, from, e))
			return e ? e->code : ERR_USAGE;
	*p = end;
	return 0;
}

int num_list(const char *text, int64_t min, int64_t max, size_t max_n, int64_t **out,
	     size_t *n, struct err *e)
{
	struct list l = {.max = max_n};
	const char *p = text;
	int rc;

	while (!(rc = list_range(&l, &p, min, max, e)) && *p == ',')
		p++;
	if (!rc && *p)
		rc = err_set(e, ERR_USAGE,
			     "'%s' is not a list of numbers (such as 1,5,7-9)", text);
	if (rc) {
		free(l.v);
		return rc;
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

const char *num_print_ns(char buf[32], int64_t ns)
{
	static const char *const unit[] = {"ns", "µs", "ms", "s"};
	double v = (double)ns;
	int u = 0, decimals;

	if (ns > -1000 && ns < 1000) {
		snprintf(buf, 32, "%" PRId64 " ns", ns);
		return buf;
	}
	while (fabs(v) >= 999.5 && u < 3) {
		v /= 1000;
		u++;
	}
	decimals = fabs(v) >= 99.95 ? 0 : fabs(v) >= 9.995 ? 1 : 2;
	snprintf(buf, 32, "%.*f %s", decimals, v, unit[u]);
	return buf;
}

const char *num_print_bytes(char buf[32], int64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)bytes;
	int u = 0;

	while (fabs(v) >= 1024 && u < 4) {
		v /= 1024;
		u++;
	}
	snprintf(buf, 32, "%.*f %s", u && v != floor(v) ? 1 : 0, v, unit[u]);
	return buf;
}

const char *num_print_rate(char buf[32], double bytes_per_s)
{
	static const char *const unit[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
	int u = 0;

	while (bytes_per_s >= 999.5 && u < 4) {
		bytes_per_s /= 1000;
		u++;
	}
	snprintf(buf, 32, "%.*f %s",
		 bytes_per_s >= 99.95	? 0
		 : bytes_per_s >= 9.995 ? 1
					: 2,
		 bytes_per_s, unit[u]);
	return buf;
}
