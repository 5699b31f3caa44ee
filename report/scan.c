/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One pass over the transfers of a run, which are counted into the bins of every plot, so
 * that a picture never depends on how many there are. Rules of binning: histograms have
 * equal bins on their axis (linear or logarithmic); slices of time are equal and a
 * transfer belongs to the slice of its submit, its bytes to that of its end for the program
 * (the wait's exit, or its interrupt where there is none), as in the table throughput.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/db.h"
#include "lib/err.h"
#include "report/data.h"

struct pass {
	struct columns { /* of report_transfers */
		struct db_column id, card, channel, direction, size_bytes, submit_ns,
			doorbell_ns, irq_ns, woken_ns, irq, irq_cpu, state,
			phase[PHASE_N];
	} column;
	struct report *r;
	struct scan *s;
	const struct group *last;
	const struct fit *fit; /* of that group; NULL = none */
	double slice_ns;
	double flight[SCAN_TIME +
		      1]; /* differences of the number of slices wholly in flight */
};

static struct columns columns_of(struct db_stmt *st)
{
	return (struct columns){.id = db_column(st, "id"),
				.card = db_column(st, "card"),
				.channel = db_column(st, "channel"),
				.direction = db_column(st, "direction"),
				.size_bytes = db_column(st, "size_bytes"),
				.submit_ns = db_column(st, "submit_ns"),
				.doorbell_ns = db_column(st, "doorbell_ns"),
				.irq_ns = db_column(st, "irq_ns"),
				.woken_ns = db_column(st, "woken_ns"),
				.irq = db_column(st, "irq"),
				.irq_cpu = db_column(st, "irq_cpu"),
				.state = db_column(st, "state"),
				.phase = {[PHASE_API] = db_column(st, "api_ns"),
					  [PHASE_DEVICE] = db_column(st, "device_ns"),
					  [PHASE_NOTICE] = db_column(st, "notice_ns"),
					  [PHASE_TOTAL] = db_column(st, "total_ns")}};
}

static int extent_row(struct db_stmt *st, void *arg)
{
	struct report *r = arg;
	struct scan *s = r->scan;
	int64_t first = db_i64(st, "first_submit_ns"),
		last = db_i64(st, "last_submit_ns"), end = db_i64(st, "last_woken_ns");
	int64_t small = db_i64(st, "smallest"), large = db_i64(st, "largest");
	int64_t irq = db_i64(st, "last_irq_ns");

	if (first == DMA_UNKNOWN)
		return 0;
	if (end == DMA_UNKNOWN || (irq != DMA_UNKNOWN && irq > end))
		end = irq;
	s->from_ns = first;
	s->to_ns = end != DMA_UNKNOWN && end > last ? end : last;
	s->zero_ns =
		r->begin_ns != DMA_UNKNOWN && r->begin_ns <= first ? r->begin_ns : first;
	if (s->to_ns <= s->from_ns)
		s->to_ns = s->from_ns + 1000;
	if (small != DMA_UNKNOWN)
		axis_init(&s->size, AXIS_BYTES, (double)small / 1.2, (double)large * 1.2,
			  7);
	return 0;
}

/* Of the positive values the least, and of the median a hundredth: below the larger of the
 * two, decades of an axis would hold next to nothing. */
static int least_row(struct db_stmt *st, void *arg)
{
	static const char *const column[PHASE_N] = {"api_ns", "device_ns", "notice_ns",
						    "total_ns"};
	static const char *const zeros[PHASE_N] = {"api_0", "device_0", "notice_0",
						   "total_0"};
	struct report *r = arg;

	for (int p = 0; p < PHASE_N; p++) {
		double least = db_real(st, column[p]),
		       median = (double)r->summary[p].q[0];

		r->scan->phase[p].least = fmax(least, median / 100);
		r->scan->phase[p].below = least < median / 100	     ? BELOW_LEAST
					  : db_i64(st, zeros[p]) > 0 ? UP_TO_0
								     : BELOW_0;
	}
	return 0;
}

static void init_axis(struct phase_bins *b, double min, double max)
{
	char value[20], label[24];

	if (!(min < 0 && b->least > 0 && max > b->least)) {
		axis_init(&b->axis, AXIS_NS, min, max, 8);
		return;
	}
	if (b->below == BELOW_LEAST)
		snprintf(label, sizeof(label), "< %s",
			 axis_print(AXIS_NS, b->least, value, sizeof(value)));
	else
		snprintf(label, sizeof(label), "%s 0", b->below == BELOW_0 ? "<" : "≤");
	axis_init_strip(&b->axis, AXIS_NS, b->least, max, label, 8);
}

static void init_phase(struct report *r, enum phase p)
{
	const struct summary_row *row = &r->summary[p];
	struct phase_bins *b = &r->scan->phase[p];
	double width;

	if (!row->known || row->n <= 0 || row->min_ns == DMA_UNKNOWN)
		return;
	init_axis(b, (double)row->min_ns, (double)row->max_ns);
	width = 4 * sqrt((double)row->n);
	b->nbins = width < 16	       ? 16
		   : width > SCAN_BINS ? SCAN_BINS
				       : (size_t)width & ~UINT64_C(1);
	if (row->min_ns == row->max_ns)
		b->nbins = 15; /* odd: the only value in the middle of its bin */
	/* no bins narrower than the clock's nanosecond */
	if (b->axis.scale == AXIS_LINEAR && b->axis.hi - b->axis.lo < (double)b->nbins)
		b->nbins = (size_t)fmax(2, floor(b->axis.hi - b->axis.lo));
	b->nbins += b->axis.strip > 0; /* the strip is one more */
}

static int scan_init(struct report *r, struct err *e)
{
	struct scan *s = r->scan;
	uint64_t n = r->transfers > 0 ? (uint64_t)r->transfers : 0, per_slice = n / 200;
	/* A slice of fewer transfers says when a single one ended, not how fast they go. */
	uint64_t least = n >= 5 * 20 ? 20 : n >= 5 ? n / 5 : 1;
	int error = report_query(r, "report_extent", extent_row, r, e);

	if (!error)
		error = report_query(r, "report_least", least_row, r, e);
	if (error)
		return error;
	for (int p = 0; p < PHASE_N; p++)
		init_phase(r, (enum phase)p);
	s->latency = s->phase[r->latency].axis;
	s->nslices = per_slice < least	     ? least
		     : per_slice > SCAN_TIME ? SCAN_TIME
					     : per_slice;
	axis_init_scale(&s->time, AXIS_NS, AXIS_LINEAR, (double)(s->from_ns - s->zero_ns),
			(double)(s->to_ns - s->zero_ns), 8);
	s->point = calloc(SCAN_POINTS, sizeof(*s->point));
	return s->point ? 0 : err_nomem(e, "a report");
}

static void keep_slow(struct scan *s, const struct slow *t)
{
	size_t i;

	if (s->nslow == SCAN_SLOW && t->latency_ns <= s->slow[SCAN_SLOW - 1].latency_ns)
		return;
	i = s->nslow < SCAN_SLOW ? s->nslow++ : SCAN_SLOW - 1;
	for (; i > 0 && s->slow[i - 1].latency_ns < t->latency_ns; i--)
		s->slow[i] = s->slow[i - 1];
	s->slow[i] = *t;
}

static const struct fit *fit_of(const struct report *r, const struct slow *t)
{
	for (size_t i = 0; i < r->nfit; i++)
		if (r->fit[i].channel == t->channel &&
		    r->fit[i].direction == t->direction && r->fit[i].card == t->card)
			return &r->fit[i];
	return NULL;
}

static void keep_outlier(struct scan *s, const struct fit *f, const struct slow *t)
{
	double size = (double)t->size_bytes, latency = (double)t->latency_ns;
	struct outlier o = {size, latency, latency - f->a - f->slope * size};
	size_t i;

	if (o.residual_ns <= 0 ||
	    (s->noutliers == SCAN_SLOW &&
	     o.residual_ns <= s->outlier[SCAN_SLOW - 1].residual_ns))
		return;
	i = s->noutliers < SCAN_SLOW ? s->noutliers++ : SCAN_SLOW - 1;
	for (; i > 0 && s->outlier[i - 1].residual_ns < o.residual_ns; i--)
		s->outlier[i] = s->outlier[i - 1];
	s->outlier[i] = o;
}

static int count_irq(struct scan *s, const struct slow *t)
{
	struct irq_cpu *grown;

	if (t->irq_ns == DMA_UNKNOWN)
		return 0;
	for (size_t i = 0; i < s->nirq_cpu; i++)
		if (s->irq_cpu[i].irq == t->irq && s->irq_cpu[i].cpu == t->irq_cpu) {
			s->irq_cpu[i].n++;
			return 0;
		}
	if (s->nirq_cpu % 32 == 0) {
		grown = realloc(s->irq_cpu, (s->nirq_cpu + 32) * sizeof(*grown));
		if (!grown)
			return ERR_NOMEM;
		s->irq_cpu = grown;
	}
	s->irq_cpu[s->nirq_cpu++] = (struct irq_cpu){t->irq, t->irq_cpu, 1};
	return 0;
}

/* The time in flight [from, to) into the slices it covers. */
static void add_flight(struct pass *p, int64_t from, int64_t to)
{
	struct scan *s = p->s;
	double a = (double)(from - s->from_ns) / p->slice_ns,
	       b = (double)(to - s->from_ns) / p->slice_ns;
	int first, last;

	a = fmax(a, 0);
	b = fmin(b, (double)s->nslices);
	if (!(b > a))
		return;
	first = (int)a;
	last = (int)ceil(b) - 1;
	if (first == last) {
		s->busy_ns[first] += (b - a) * p->slice_ns;
		return;
	}
	s->busy_ns[first] += (first + 1 - a) * p->slice_ns;
	s->busy_ns[last] += (b - last) * p->slice_ns;
	p->flight[first + 1] += 1;
	p->flight[last] -= 1;
}

static void add_end(struct pass *p, const struct slow *t)
{
	struct scan *s = p->s;
	int64_t end = t->woken_ns != DMA_UNKNOWN ? t->woken_ns : t->irq_ns;
	int slice;

	if (end == DMA_UNKNOWN || t->submit_ns == DMA_UNKNOWN ||
	    !state_moves_bytes((enum transfer_state)t->state)) {
		s->endless++;
		return;
	}
	s->ended++;
	add_flight(p, t->submit_ns, end);
	slice = (int)((double)(end - s->from_ns) / p->slice_ns);
	slice = slice < 0 ? 0 : slice >= (int)s->nslices ? (int)s->nslices - 1 : slice;
	if (t->irq_ns != DMA_UNKNOWN)
		s->used[slice]++;
	if (t->size_bytes != DMA_UNKNOWN) {
		s->bytes[slice] += (double)t->size_bytes;
		s->ended_sized++;
	}
}

static void add_latency(struct pass *p, const struct slow *t, int series)
{
	struct scan *s = p->s;
	int slice = -1;
	size_t level = axis_bin(&s->latency, (double)t->latency_ns, SCAN_LEVELS);

	keep_slow(s, t);
	if (t->submit_ns != DMA_UNKNOWN)
		slice = (int)axis_bin(&s->time, (double)(t->submit_ns - s->zero_ns),
				      s->nslices);
	if (slice >= 0) {
		s->cell[slice][level]++;
		s->slice_n[slice]++;
		s->fine[slice][axis_bin(&s->latency, (double)t->latency_ns, SCAN_FINE)]++;
	}
	if (t->size_bytes != DMA_UNKNOWN) {
		s->size_cell[axis_bin(&s->size, (double)t->size_bytes, SCAN_SIZES)]
			    [level]++;
		s->sized++;
		if (p->fit)
			keep_outlier(s, p->fit, t);
	}
	if (s->npoints < SCAN_POINTS && t->submit_ns != DMA_UNKNOWN)
		s->point[s->npoints] = (struct point){
			(double)(t->submit_ns - s->zero_ns), (double)t->latency_ns,
			t->size_bytes == DMA_UNKNOWN ? -1 : (double)t->size_bytes,
			series};
	s->npoints++;
}

static void add_near(struct near *n, double quantile, const int64_t phase[PHASE_N])
{
	static const double within = 0.05; /* of the quantile, to either side */
	double total = (double)phase[PHASE_TOTAL];
	bool parted =
		phase[PHASE_DEVICE] != DMA_UNKNOWN && phase[PHASE_NOTICE] != DMA_UNKNOWN;

	if (phase[PHASE_TOTAL] == DMA_UNKNOWN || phase[PHASE_API] == DMA_UNKNOWN ||
	    !(fabs(total - quantile) <= within * quantile))
		return;
	n->n++;
	for (int p = 0; p < PHASE_N; p++)
		n->ns[p] += phase[p] == DMA_UNKNOWN ? 0 : (double)phase[p];
	if (!parted)
		n->rest_ns += total - (double)phase[PHASE_API];
}

static void add_phases(struct pass *p, const int64_t phase[PHASE_N], int series)
{
	const struct summary_row *all = &p->r->summary[PHASE_TOTAL];

	for (int which = 0; which < 2; which++) {
		if (all->known && all->q[2 * which] != DMA_UNKNOWN)
			add_near(&p->s->near_all[which], (double)all->q[2 * which],
				 phase);
		if (p->last)
			add_near(&p->s->near[series][which], p->last->total_q[which],
				 phase);
	}
}

static int transfer_row(struct db_stmt *st, void *arg)
{
	struct pass *p = arg;
	const struct columns *c = &p->column;
	struct scan *s = p->s;
	struct report *r = p->r;
	const char *word;
	struct slow t = {.id = db_get_i64(c->id),
			 .card = db_get_i64(c->card),
			 .channel = db_get_i64(c->channel),
			 .size_bytes = db_get_i64(c->size_bytes),
			 .submit_ns = db_get_i64(c->submit_ns),
			 .doorbell_ns = db_get_i64(c->doorbell_ns),
			 .irq_ns = db_get_i64(c->irq_ns),
			 .woken_ns = db_get_i64(c->woken_ns),
			 .irq = db_get_i64(c->irq),
			 .irq_cpu = db_get_i64(c->irq_cpu)};
	int64_t phase[PHASE_N];
	int series;

	(void)st;
	word = db_get_text(c->direction);
	t.direction = word ? direction_parse(word) : DIR_UNKNOWN;
	t.direction = t.direction < 0 ? 0 : t.direction;
	word = db_get_text(c->state);
	t.state = word ? state_parse(word) : STATE_UNKNOWN;
	t.state = t.state < 0 ? STATE_UNKNOWN : t.state;
	s->rows++;
	if (!p->last || p->last->card != t.card || p->last->channel != t.channel ||
	    p->last->direction != t.direction) {
		p->last = report_group(r, t.card, t.channel, t.direction);
		p->fit = fit_of(r, &t);
	}
	series = p->last ? p->last->series : 0;
	for (int i = 0; i < PHASE_N; i++) {
		struct phase_bins *b = &s->phase[i];

		phase[i] = db_get_i64(c->phase[i]);
		if (phase[i] == DMA_UNKNOWN || !b->nbins)
			continue;
		b->n++;
		b->bin[series][axis_bin(&b->axis, (double)phase[i], b->nbins)]++;
	}
	add_phases(p, phase, series);
	add_end(p, &t);
	if ((t.state == STATE_NO_INTERRUPT || t.state == STATE_LATE ||
	     t.state == STATE_UNKNOWN) &&
	    t.submit_ns != DMA_UNKNOWN) {
		s->missing[axis_bin(&s->time, (double)(t.submit_ns - s->zero_ns),
				    s->nslices)]++;
		s->missing_total++;
	}
	t.latency_ns = phase[r->latency];
	if (t.latency_ns != DMA_UNKNOWN && s->phase[r->latency].nbins)
		add_latency(p, &t, series);
	return count_irq(s, &t);
}

static int stray_row(struct db_stmt *st, void *arg)
{
	struct scan *s = arg;
	int64_t at = db_i64(st, "time_ns");

	if (at != DMA_UNKNOWN && s->to_ns > s->from_ns)
		s->stray[axis_bin(&s->time, (double)(at - s->zero_ns), s->nslices)]++;
	s->stray_total++;
	return 0;
}

int report_scan(struct report *r, struct err *e)
{
	struct pass p = {.r = r};
	struct db_stmt *st;
	double whole = 0;
	int error;

	if (r->scan)
		return 0;
	r->scan = calloc(1, sizeof(*r->scan));
	if (!r->scan)
		return err_nomem(e, "a report");
	p.s = r->scan;
	error = scan_init(r, e);
	if (error)
		return error;
	p.slice_ns = (r->scan->time.hi - r->scan->time.lo) / (double)r->scan->nslices;
	error = report_prepare(r, "report_transfers", &st, e);
	if (error)
		return error;
	p.column = columns_of(st);
	error = report_rows(st, transfer_row, &p, e);
	for (size_t i = 0; i < r->scan->nslices; i++) {
		whole += p.flight[i];
		r->scan->busy_ns[i] += whole * p.slice_ns;
	}
	if (!error)
		error = report_query(r, "report_strays", stray_row, r->scan, e);
	return error;
}

double scan_quantile(const struct scan *s, size_t i, double q, uint64_t least)
{
	uint64_t rank = (uint64_t)ceil(q * (double)s->slice_n[i]), sum = 0;

	if (!s->slice_n[i] || s->slice_n[i] < least)
		return -1;
	for (size_t level = 0; level < SCAN_FINE; level++) {
		sum += s->fine[i][level];
		if (sum >= rank)
			return (axis_edge(&s->latency, level, SCAN_FINE) +
				axis_edge(&s->latency, level + 1, SCAN_FINE)) /
			       2;
	}
	return -1;
}
