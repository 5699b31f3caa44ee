/* SPDX-License-Identifier: GPL-2.0-only */
/* Under throughput: how fast the machine's units counted, each against its own highest
 * rate. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "report/plots.h"

struct counts {
	struct counts_event {
		char text[48];
		double rate[SCAN_TIME]; /* counts a second */
		double most;
		int64_t source, time_ns, value; /* of the reading before */
	} event[COUNTS_DRAWN];
	size_t n;
	const struct scan *s;
};

static struct counts_event *event_of(struct counts *c, int64_t source, const char *text)
{
	struct counts_event *x;

	for (size_t i = 0; i < c->n; i++)
		if (c->event[i].source == source)
			return &c->event[i];
	if (c->n == COUNTS_DRAWN)
		return NULL;
	x = &c->event[c->n++];
	x->source = source;
	x->time_ns = DMA_UNKNOWN;
	snprintf(x->text, sizeof(x->text), "%s", text);
	return x;
}

/* What came between two readings is spread evenly over the slices they cover. */
static void spread(struct counts *c, struct counts_event *x, int64_t time_ns,
		   int64_t more)
{
	const struct scan *s = c->s;
	double width = (s->time.hi - s->time.lo) / (double)s->nslices;
	double from = (double)(x->time_ns - s->zero_ns) - s->time.lo;
	double to = (double)(time_ns - s->zero_ns) - s->time.lo;

	if (to <= from)
		return;
	for (size_t i = 0; i < s->nslices; i++) {
		double low = fmax(from, (double)i * width);
		double high = fmin(to, (double)(i + 1) * width);

		if (high > low)
			x->rate[i] +=
				(double)more * (high - low) / (to - from) / width * 1e9;
	}
}

static int count_row(struct db_stmt *st, void *arg)
{
	struct counts *c = arg;
	int64_t time_ns = db_i64(st, "time_ns"), value = db_i64(st, "value");
	struct counts_event *x =
		event_of(c, db_i64(st, "source_id"), column_text(st, "text", "?"));

	if (!x)
		return 0;
	if (x->time_ns != DMA_UNKNOWN && value >= x->value)
		spread(c, x, time_ns, value - x->value);
	x->time_ns = time_ns;
	x->value = value;
	return 0;
}

int counts_load(struct report *r, struct err *e)
{
	struct counts *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_nomem(e, "the counts of a run");
	c->s = r->scan;
	rc = report_query(r, "report_counts", count_row, c, e);
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->s->nslices; k++)
			c->event[i].most = fmax(c->event[i].most, c->event[i].rate[k]);
	free(r->counts);
	r->counts = c;
	return rc;
}

bool counts_any(const struct report *r)
{
	return r->counts && r->counts->n;
}

void draw_counts(struct drawing *d, const struct report *r, const struct axis *x)
{
	const struct counts *c = r->counts;
	struct axis y;

	axis_init_scale(&y, AXIS_NUMBER, AXIS_LINEAR, 0, 1.05, 2);
	panel_axes(d, x, "since the recording began", &y, "counted, of the highest rate");
	for (size_t i = 0; i < c->n; i++) {
		const struct counts_event *v = &c->event[i];
		double n = (double)c->s->nslices;

		for (size_t k = 0; v->most > 0 && k < c->s->nslices; k++) {
			draw_row(d, (double)k / n, v->rate[k] / v->most / y.hi, 0, 0);
			draw_row(d, ((double)k + 1) / n, v->rate[k] / v->most / y.hi, 0,
				 0);
		}
		draw_line(d, (enum color)(COLOR_S0 + (int)i), 1.6, 1);
	}
}

void counts_caption(const struct report *r, char *buf, size_t len)
{
	size_t at = strlen(buf);

	for (size_t i = 0; counts_any(r) && i < r->counts->n && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s (at most %.3g a second)",
				       i ? ", " : " Below, what the machine counted: ",
				       r->counts->event[i].text,
				       r->counts->event[i].most);
}
