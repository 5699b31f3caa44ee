/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/gate/align/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"

double log_add(double a, double b)
{
	double hi = a > b ? a : b, lo = a > b ? b : a;

	return lo < hi - 40 ? hi : hi + log1p(exp(lo - hi));
}

/* Those of less than a byte, an octave each, those not known. */
unsigned law_size(int64_t size_bytes)
{
	unsigned e;

	if (size_bytes < 0)
		return MODEL_SIZES - 1;
	e = size_bytes < 1 ? 0 : 64 - (unsigned)__builtin_clzll((uint64_t)size_bytes);
	return e < MODEL_SIZES - 1 ? e : MODEL_SIZES - 2;
}

static unsigned run_of(unsigned n)
{
	return n <= 3 ? n - 2 : n <= 5 ? 2 : n <= 9 ? 3 : n <= 17 ? 4 : 5;
}

void law_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	polya_reset(&m->device_all, NULL);
	polya_reset(&m->service_all, NULL);
	polya_reset(&m->turn_all, NULL);
	for (unsigned i = 0; i < MODEL_RUNS; i++) {
		polya_reset(&m->run_last[i], &m->device_all);
		polya_reset(&m->run_first[i], NULL);
	}
	polya_reset(&m->woken, NULL);
	polya_reset(&m->asked, NULL);
	polya_reset(&m->late, NULL);
	polya_reset(&m->asked_any, NULL);
	law_make(m);
}

void law_release(struct model *m)
{
	for (unsigned i = 0; i < MODEL_SIZES; i++) {
		free(m->device[i]);
		free(m->service[i]);
		free(m->turn[i]);
		m->device[i] = m->service[i] = m->turn[i] = NULL;
	}
}

static void clear_sizes(struct density **d)
{
	for (unsigned i = 0; i < MODEL_SIZES; i++)
		if (d[i])
			polya_clear(d[i]);
}

void law_clear(struct model *m)
{
	polya_clear(&m->device_all);
	polya_clear(&m->service_all);
	polya_clear(&m->turn_all);
	clear_sizes(m->device);
	clear_sizes(m->service);
	clear_sizes(m->turn);
	for (unsigned i = 0; i < MODEL_RUNS; i++) {
		polya_clear(&m->run_last[i]);
		polya_clear(&m->run_first[i]);
	}
	polya_clear(&m->woken);
	polya_clear(&m->asked);
	polya_clear(&m->late);
	polya_clear(&m->asked_any);
	m->matched = m->missed = m->seen_late = m->seen = m->by_service = m->by_device =
		0;
	m->at_once = m->after = 0;
	memset(m->size, 0, sizeof(m->size));
}

static struct density *of_size(struct density **d, unsigned size,
			       const struct density *all)
{
	if (!d[size] && (d[size] = malloc(sizeof(**d))))
		polya_reset(d[size], all);
	return d[size];
}

static int sum_sizes(struct density **d, struct density *const *a,
		     struct density *const *b, const struct density *all)
{
	for (unsigned i = 0; i < MODEL_SIZES; i++) {
		if (!a[i] && !b[i])
			continue;
		if (!of_size(d, i, all))
			return -1;
		for (unsigned k = 1; k < 2 * DENSITY_LEAVES; k++)
			d[i]->node[k] =
				(a[i] ? a[i]->node[k] : 0) + (b[i] ? b[i]->node[k] : 0);
	}
	return 0;
}

int law_sum(struct model *m, const struct model *a, const struct model *b)
{
	law_clear(m);
	polya_sum(&m->device_all, &a->device_all, &b->device_all);
	polya_sum(&m->service_all, &a->service_all, &b->service_all);
	polya_sum(&m->turn_all, &a->turn_all, &b->turn_all);
	for (unsigned i = 0; i < MODEL_RUNS; i++) {
		polya_sum(&m->run_last[i], &a->run_last[i], &b->run_last[i]);
		polya_sum(&m->run_first[i], &a->run_first[i], &b->run_first[i]);
	}
	polya_sum(&m->woken, &a->woken, &b->woken);
	polya_sum(&m->asked, &a->asked, &b->asked);
	polya_sum(&m->late, &a->late, &b->late);
	polya_sum(&m->asked_any, &a->asked_any, &b->asked_any);
	m->matched = a->matched + b->matched;
	m->missed = a->missed + b->missed;
	m->seen_late = a->seen_late + b->seen_late;
	m->seen = a->seen + b->seen;
	m->by_service = a->by_service + b->by_service;
	m->by_device = a->by_device + b->by_device;
	m->at_once = a->at_once + b->at_once;
	m->after = a->after + b->after;
	for (unsigned i = 0; i <= MODEL_MOST; i++)
		m->size[i] = a->size[i] + b->size[i];
	if (sum_sizes(m->device, a->device, b->device, &m->device_all) < 0 ||
	    sum_sizes(m->service, a->service, b->service, &m->service_all) < 0 ||
	    sum_sizes(m->turn, a->turn, b->turn, &m->turn_all) < 0)
		return -1;
	return 0;
}

static void make_sizes(struct density **d)
{
	for (unsigned i = 0; i < MODEL_SIZES; i++)
		if (d[i] && d[i]->made_at != d[i]->node[1])
			polya_make(d[i]);
}

static void make(struct density *d)
{
	if (d->made_at != d->node[1])
		polya_make(d);
}

static double share(double n, double all, double prior)
{
	return (n + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT);
}

void law_make(struct model *m)
{
	double runs = 0, part = 1 - PRIOR_SEVERAL, p;

	make(&m->device_all);
	make(&m->service_all);
	make(&m->turn_all);
	make_sizes(m->device);
	make_sizes(m->service);
	make_sizes(m->turn);
	for (unsigned i = 0; i < MODEL_RUNS; i++) {
		make(&m->run_last[i]);
		make(&m->run_first[i]);
	}
	make(&m->woken);
	make(&m->asked);
	make(&m->late);
	make(&m->asked_any);
	p = share(m->missed, m->matched + m->missed, PRIOR_RATE);
	m->log_miss = log(p);
	m->log_has = log1p(-p);
	p = share(m->seen_late, m->seen_late + m->seen, 5 * PRIOR_RATE);
	m->log_late = log(p);
	m->log_in_time = log1p(-p);
	p = share(m->by_service, m->by_service + m->by_device, 0.5);
	m->log_service = log(p);
	m->log_device = log1p(-p);
	p = share(m->at_once, m->at_once + m->after, 0.5);
	m->log_at_once = log(p);
	m->log_after = log1p(-p);
	for (unsigned k = 1; k <= MODEL_MOST; k++)
		runs += m->size[k];
	for (unsigned k = 1; k <= MODEL_MOST; k++) {
		m->log_size[k] = log(share(m->size[k], runs, part));
		part = k == 1 ? PRIOR_SEVERAL * (1 - PRIOR_MORE) : part * PRIOR_MORE;
		if (part < 1e-12)
			part = 1e-12;
	}
	polya_tail(&m->late, m->late_tail);
	m->peak = -1e9;
	for (unsigned i = 0; i < DENSITY_LEAVES; i++)
		if (m->device_all.log[i] > m->peak)
			m->peak = m->device_all.log[i];
}

static void fade_sizes(struct density **d)
{
	for (unsigned i = 0; i < MODEL_SIZES; i++)
		if (d[i])
			polya_keep(d[i], 0.5f);
}

void law_fade(struct model *m)
{
	polya_keep(&m->device_all, 0.5f);
	polya_keep(&m->service_all, 0.5f);
	polya_keep(&m->turn_all, 0.5f);
	fade_sizes(m->device);
	fade_sizes(m->service);
	fade_sizes(m->turn);
	for (unsigned i = 0; i < MODEL_RUNS; i++) {
		polya_keep(&m->run_last[i], 0.5f);
		polya_keep(&m->run_first[i], 0.5f);
	}
	polya_keep(&m->woken, 0.5f);
	polya_keep(&m->asked, 0.5f);
	polya_keep(&m->late, 0.5f);
	polya_keep(&m->asked_any, 0.5f);
	m->matched /= 2;
	m->missed /= 2;
	m->seen_late /= 2;
	m->seen /= 2;
	m->by_service /= 2;
	m->by_device /= 2;
	m->at_once /= 2;
	m->after /= 2;
	for (unsigned i = 0; i <= MODEL_MOST; i++)
		m->size[i] /= 2;
}

/* ---- densities ---- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static double at_size(struct density *const *d, const struct density *all, unsigned size,
		      int64_t ns)
{
	return polya_log_at(d[size] && d[size]->made_at >= 0 ? d[size] : all, ns);
}

double law_device(const struct model *m, unsigned n, unsigned size, int64_t irq_ns,
		  int64_t first_ns, int64_t begin_ns, int64_t last_ns, int64_t woken_ns)
{
	double a, b;

	/* The program has seen the end by itself: from there the interrupt is late. */
	if (woken_ns != DMA_UNKNOWN && irq_ns > woken_ns)
		return polya_log_at(&m->late, irq_ns - woken_ns);
	if (n > 1) {
		unsigned r = run_of(n);
		a = polya_log_at(&m->run_last[r], irq_ns - begin_ns);
		b = polya_log_at(&m->run_first[r], irq_ns - later(first_ns, last_ns));
		return log_add(a, b) - M_LN2;
	}
	a = at_size(m->device, &m->device_all, size, irq_ns - begin_ns);
	b = at_size(m->service, &m->service_all, size, irq_ns - later(begin_ns, last_ns));
	if (last_ns <= begin_ns && fabs(a - b) < 0.1)
		return a;
	return log_add(m->log_device + a, m->log_service + b);
}

double law_notice(const struct model *m, int64_t irq_ns, int64_t wait_ns,
		  int64_t woken_ns)
{
	if (wait_ns != DMA_UNKNOWN && wait_ns >= irq_ns)
		return m->log_in_time + polya_log_at(&m->asked, woken_ns - wait_ns);
	return m->log_in_time + polya_log_at(&m->woken, woken_ns - irq_ns);
}

static int64_t turn_from(int64_t begin_ns, int64_t woken_before_ns, int64_t woken_ns)
{
	return woken_before_ns != DMA_UNKNOWN && woken_before_ns > begin_ns &&
			       woken_before_ns <= woken_ns
		       ? woken_before_ns
		       : begin_ns;
}

double law_turn(const struct model *m, unsigned size, int64_t begin_ns, int64_t wait_ns,
		int64_t woken_ns, int64_t woken_before_ns)
{
	int64_t from = turn_from(begin_ns, woken_before_ns, woken_ns);
	double a = at_size(m->turn, &m->turn_all, size, woken_ns - from);

	if (wait_ns == DMA_UNKNOWN)
		return a;
	return log_add(m->log_after + a,
		       m->log_at_once + polya_log_at(&m->asked_any, woken_ns - wait_ns));
}

/* ---- counts ---- */

int law_count_device(struct model *m, unsigned n, unsigned size, int64_t irq_ns,
		     int64_t first_ns, int64_t begin_ns, int64_t last_ns,
		     int64_t woken_ns, float weight)
{
	m->size[n < MODEL_MOST ? n : MODEL_MOST] += weight;
	m->matched += weight * (float)n;
	if (woken_ns != DMA_UNKNOWN && irq_ns > woken_ns) {
		polya_count(&m->late, irq_ns - woken_ns, weight);
		return 0;
	}
	if (n > 1) {
		unsigned r = run_of(n);
		polya_count(&m->run_last[r], irq_ns - begin_ns, weight);
		polya_count(&m->run_first[r], irq_ns - later(first_ns, last_ns), weight);
		return 0;
	}
	if (!of_size(m->device, size, &m->device_all) ||
	    !of_size(m->service, size, &m->service_all))
		return -1;
	if (last_ns > begin_ns) {
		double a = m->log_device +
			   at_size(m->device, &m->device_all, size, irq_ns - begin_ns);
		double b = m->log_service +
			   at_size(m->service, &m->service_all, size, irq_ns - last_ns);
		double p = exp(b - log_add(a, b));
		m->by_service += weight * p;
		m->by_device += weight * (1 - p);
	}
	polya_count(&m->device_all, irq_ns - begin_ns, weight);
	polya_count(m->device[size], irq_ns - begin_ns, weight);
	polya_count(&m->service_all, irq_ns - later(begin_ns, last_ns), weight);
	polya_count(m->service[size], irq_ns - later(begin_ns, last_ns), weight);
	return 0;
}

void law_count_notice(struct model *m, int64_t irq_ns, int64_t wait_ns, int64_t woken_ns,
		      float weight)
{
	if (irq_ns > woken_ns) {
		m->seen_late += weight;
		return;
	}
	m->seen += weight;
	if (wait_ns != DMA_UNKNOWN && wait_ns >= irq_ns)
		polya_count(&m->asked, woken_ns - wait_ns, weight);
	else
		polya_count(&m->woken, woken_ns - irq_ns, weight);
}

int law_count_turn(struct model *m, unsigned size, int64_t begin_ns, int64_t wait_ns,
		   int64_t woken_ns, int64_t woken_before_ns, float weight)
{
	int64_t from = turn_from(begin_ns, woken_before_ns, woken_ns);

	if (!of_size(m->turn, size, &m->turn_all))
		return -1;
	if (wait_ns != DMA_UNKNOWN) {
		double a = m->log_after +
			   at_size(m->turn, &m->turn_all, size, woken_ns - from);
		double b =
			m->log_at_once + polya_log_at(&m->asked_any, woken_ns - wait_ns);
		double p = exp(b - log_add(a, b));
		m->at_once += weight * p;
		m->after += weight * (1 - p);
		polya_count(&m->asked_any, woken_ns - wait_ns, weight * (float)p);
		weight *= 1 - (float)p;
	}
	polya_count(&m->turn_all, woken_ns - from, weight);
	polya_count(m->turn[size], woken_ns - from, weight);
	return 0;
}
