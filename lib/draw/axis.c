/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/draw/axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct step {
	double div;
	const char *name;
};
static const struct step step_ns[] = {{1, "ns"},  {1e3, "µs"},	 {1e6, "ms"},
				      {1e9, "s"}, {60e9, "min"}, {0, NULL}};
static const struct step step_bytes[] = {{1, "B"},
					 {1024, "KiB"},
					 {1048576, "MiB"},
					 {1073741824, "GiB"},
					 {1099511627776.0, "TiB"},
					 {0, NULL}};
static const struct step step_count[] = {
	{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {0, NULL}};
static const struct step step_rate[] = {{1, "B/s"},    {1e3, "kB/s"},  {1e6, "MB/s"},
					{1e9, "GB/s"}, {1e12, "TB/s"}, {0, NULL}};
static const struct step step_share[] = {{0.01, "%"}, {0, NULL}};

static const struct step *steps_of(enum axis_unit unit)
{
	switch (unit) {
	case AXIS_NS:
		return step_ns;
	case AXIS_BYTES:
		return step_bytes;
	case AXIS_BYTES_PER_S:
		return step_rate;
	case AXIS_SHARE:
		return step_share;
	default:
		return step_count;
	}
}

static const struct step *step_for(enum axis_unit unit, double value)
{
	const struct step *s = steps_of(unit);

	while (s[1].name && fabs(value) >= s[1].div * 0.9999999)
		s++;
	return s;
}

const char *axis_print(enum axis_unit unit, double value, char *buf, size_t len)
{
	const struct step *s = step_for(unit, value);
	double v = value / s->div;
	int digits = fabs(v) >= 100 || v == rint(v) ? 0 : fabs(v) >= 10 ? 1 : 2;

	if (unit == AXIS_COUNT && fabs(value) < 1e6)
		snprintf(buf, len, "%.*f",
			 value == rint(value) ? 0
			 : fabs(value) >= 10  ? 1
					      : 2,
			 value);
	else if (unit == AXIS_SHARE)
		snprintf(buf, len, "%.3g %%", v);
	else
		snprintf(buf, len, "%.*f%s%s", digits, v, *s->name ? " " : "", s->name);
	return buf;
}

static double warp(const struct axis *a, double v)
{
	switch (a->scale) {
	case AXIS_LOG:
		return v > 0 ? log10(v) : -30;
	case AXIS_SYMLOG:
		return copysign(log1p(fabs(v) / a->knee), v);
	default:
		return v;
	}
}

double axis_pos(const struct axis *a, double value)
{
	double lo = warp(a, a->lo), hi = warp(a, a->hi);

	if (a->strip > 0 && value < a->lo)
		return a->strip / 2;
	return a->strip + (1 - a->strip) * (warp(a, value) - lo) / (hi - lo);
}

size_t axis_bin(const struct axis *a, double value, size_t n)
{
	size_t first = a->strip > 0 ? 1 : 0;
	double i;

	if (first && value < a->lo)
		return 0;
	i = floor((axis_pos(a, value) - a->strip) / (1 - a->strip) *
		  (double)(n - first)) +
	    (double)first;
	return i < (double)first ? first : i >= (double)n ? n - 1 : (size_t)i;
}

double axis_edge(const struct axis *a, size_t i, size_t n)
{
	if (!(a->strip > 0))
		return (double)i / (double)n;
	return i ? a->strip + (1 - a->strip) * (double)(i - 1) / (double)(n - 1) : 0;
}

double axis_value(const struct axis *a, double pos)
{
	double lo = warp(a, a->lo), hi = warp(a, a->hi),
	       w = lo + (pos - a->strip) / (1 - a->strip) * (hi - lo);

	switch (a->scale) {
	case AXIS_LOG:
		return pow(10, w);
	case AXIS_SYMLOG:
		return copysign(expm1(fabs(w)) * a->knee, w);
	default:
		return w;
	}
}

static void add_tick(struct axis *a, double value, const char *label)
{
	double pos = axis_pos(a, value);

	if (a->nticks == AXIS_MAX_TICKS || pos < -1e-9 || pos > 1 + 1e-9)
		return;
	a->tick[a->nticks].pos = pos < 0 ? 0 : pos > 1 ? 1 : pos;
	snprintf(a->tick[a->nticks].label, sizeof(a->tick[0].label), "%s", label);
	a->nticks++;
}

static double nice_step(double span, int want, bool binary, bool whole)
{
	static const double decimal_steps[] = {1, 2, 5, 10};
	double raw = span / want, base, step = 0;

	if (binary) {
		base = pow(2, ceil(log2(raw)));
		return base;
	}
	base = pow(10, floor(log10(raw)));
	for (size_t i = 0; i < 4; i++) {
		step = decimal_steps[i] * base;
		if (step >= raw * 0.999)
			break;
	}
	return whole && step < 1 ? 1 : step;
}

static void linear_ticks(struct axis *a, int want)
{
	const struct step *s = step_for(a->unit, fmax(fabs(a->lo), fabs(a->hi)));
	double span, step, first;
	char label[24];
	int digits;

	a->div = s->div;
	a->div_name = s->name;
	if (a->unit == AXIS_COUNT && fmax(fabs(a->lo), fabs(a->hi)) < 100000) {
		a->div = 1;
		a->div_name = "";
	}
	span = (a->hi - a->lo) / a->div;
	step = nice_step(span, want, a->unit == AXIS_BYTES,
			 a->unit == AXIS_COUNT && a->div == 1);
	digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
	first = ceil(a->lo / a->div / step - 1e-9);
	for (int i = 0; i <= 2 * want + 2; i++) {
		double v = (first + i) * step;

		if (v * a->div > a->hi + 1e-9 * span * a->div)
			break;
		snprintf(label, sizeof(label), "%.*f", digits > 9 ? 9 : digits,
			 fabs(v) < step * 1e-6 ? 0 : v);
		add_tick(a, v * a->div, label);
	}
}

/* Ticks of one sign, in decades of 10 (or powers of 2 for bytes). */
static void log_ticks(struct axis *a, double from, double to, int sign, int want)
{
	bool binary = a->unit == AXIS_BYTES;
	double base = binary ? 2 : 10;
	double first = floor(log(from) / log(base) + 1e-9),
	       last = ceil(log(to) / log(base) - 1e-9);
	int every = (int)ceil((last - first + 1) / want), minor;
	char label[24];

	minor = binary ? 0 : every == 1 ? (log10(to / from) <= 2.7 ? 2 : 1) : 0;
	for (double d = first; d <= last; d++) {
		double v = pow(base, d);
		bool named = fmod(d - first, every) == 0;

		if (binary)
			named = fmod(d, every) == 0;
		for (int m = 1; m < (minor ? 10 : 2); m++) {
			bool show = m == 1 ? named : minor == 2 && (m == 2 || m == 5);

			if (v * m < from * 0.999999 || v * m > to * 1.000001)
				continue;
			if (show)
				axis_print(a->unit, sign * v * m, label, sizeof(label));
			add_tick(a, sign * v * m, show ? label : "");
		}
	}
}

static void widen_equal(struct axis *a)
{
	double pad = a->unit == AXIS_COUNT ? 1 : fmax(fabs(a->lo) * 0.1, 1);

	if (a->scale == AXIS_LOG) {
		a->hi = a->lo * 1.5;
		a->lo /= 1.5;
	} else {
		a->lo -= pad;
		a->hi += pad;
	}
}

void axis_init_scale(struct axis *a, enum axis_unit unit, enum axis_scale scale,
		     double min, double max, int want)
{
	*a = (struct axis){.unit = unit,
			   .scale = scale,
			   .lo = min,
			   .hi = max,
			   .div = 1,
			   .div_name = "",
			   .knee = 100};
	if (scale == AXIS_LOG && min <= 0) {
		a->lo = min = 1;
		if (max < min)
			a->hi = 10;
	}
	if (!(a->hi - a->lo > 1e-9 * fmax(fabs(a->lo), fabs(a->hi))))
		widen_equal(a);
	if (scale == AXIS_LINEAR) {
		linear_ticks(a, want);
	} else if (scale == AXIS_LOG) {
		log_ticks(a, a->lo, a->hi, 1, want);
	} else {
		a->knee = unit == AXIS_NS ? 100 : 1;
		if (a->lo < -a->knee)
			log_ticks(a, a->knee, -a->lo, -1, want / 2 + 1);
		add_tick(a, 0, "0");
		if (a->hi > a->knee)
			log_ticks(a, a->knee * 10, a->hi, 1, want / 2 + 1);
	}
}

void axis_init_strip(struct axis *a, enum axis_unit unit, double lo, double max,
		     const char *label, int want)
{
	*a = (struct axis){.unit = unit,
			   .scale = AXIS_LOG,
			   .lo = lo,
			   .hi = max > lo ? max : 2 * lo,
			   .div = 1,
			   .div_name = "",
			   .strip = 1.0 / AXIS_STRIP_BINS};
	a->tick[0].pos = a->strip / 2;
	snprintf(a->tick[0].label, sizeof(a->tick[0].label), "%s", label);
	a->nticks = 1;
	log_ticks(a, a->lo, a->hi, 1, want);
}

void axis_init(struct axis *a, enum axis_unit unit, double min, double max, int want)
{
	enum axis_scale scale = AXIS_LINEAR;

	if (unit == AXIS_NS || unit == AXIS_BYTES) {
		if (min > 0 && max > 20 * min)
			scale = AXIS_LOG;
		else if (min <= 0 && max - min > 1e5 && unit == AXIS_NS)
			scale = AXIS_SYMLOG;
	}
	axis_init_scale(a, unit, scale, min, max, want);
}

const char *axis_title(const struct axis *a, const char *what, char *buf, size_t len)
{
	if (*a->div_name)
		snprintf(buf, len, "%s, %s", what, a->div_name);
	else
		snprintf(buf, len, "%s", what);
	return buf;
}
