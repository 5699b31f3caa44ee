/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the joiner has learned of a group of channels: densities of the times between
 * events, and how often an interrupt is missing, late, stray or shared. Every density
 * keeps a part that is uniform over the logarithm of time, and every rate a floor, so
 * that no single measure alone can make an assignment certain, and so that the first
 * transfers are judged at all.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/join/join_priv.h"

#define OCTAVES	     36.0
#define LEAST_LEFT   1e-6f
#define PRIOR	     20.0f /* transfers that the first guess of a rate is worth */
#define PRIOR_KNOWN  4.0   /* the same where other densities gave it */
#define PRIOR_ROW    12.0  /* ... and the time of one transfer with them */
#define PRIOR_TURN   4.0
#define MOST	     0.6   /* of a rate */
#define MOST_LATE    0.25f /* ... where programs sleep until the interrupt */
#define KEPT_PASSES  50	   /* the share is known to a percent of itself long before */
#define HALF_ONE     0.5   /* of a thing and its contrary, before any was seen */
#define FLOOR	     0.00002
#define FLOOR_STRAY  0.000001 /* most drivers never see one */
/* Where one interrupt ends several, a stray may pass for one of two that end fewer: that
 * none was seen says less. */
#define HIDDEN_STRAY 0.001

static size_t bin(int64_t ns)
{
	if (ns < 16)
		return 0;
	unsigned l = 63 - (unsigned)__builtin_clzll((uint64_t)ns);
	size_t b = (size_t)(l - 4) * 16 + (((uint64_t)ns >> (l - 4)) & 15);
	return b < BINS ? b : BINS - 1;
}

static double low_edge(size_t b)
{
	return (double)((16 + (uint64_t)b % 16) << (b / 16));
}

static double width(size_t b)
{
	return b ? (double)(UINT64_C(1) << (b / 16)) : 17;
}

/* Counts of the bins around b, by a triangle. */
static double triangle(const struct density *d, size_t b, int r)
{
	double sum = 0;

	for (int i = 1 - r; i < r; i++) {
		int k = (int)b + i;
		if (k >= 0 && k < BINS)
			sum += d->count[k] * (r - abs(i));
	}
	return sum / (r * r);
}

/* The fewer counts there are. */
static int radius(const struct density *d)
{
	return d->n < 60 ? 6 : d->n < 400 ? 4 : d->n < 3000 ? 3 : 2;
}

/* A machine may change its pace from one transfer to the next: a part is spread over an
 * octave to either side. */
static double smooth(const struct density *d, size_t b)
{
	double narrow = triangle(d, b, radius(d));

	return d->wide > 0 ? narrow + d->wide * (triangle(d, b, 16) - narrow) : narrow;
}

/* Any octave of the eight from 1/32 of the scale to 8 times of it, 1/ns. */
static double near_scale(int64_t scale_ns, size_t b)
{
	double t = low_edge(b) + width(b) / 2, s = (double)scale_ns;

	return t >= s / 32 && t < s * 8 ? 1 / (t * 8 * M_LN2) : 0;
}

/* What the time of one makes of that of several in a row, 1/ns. */
static double in_row(const struct density *d, size_t b)
{
	double one_ns = (low_edge(b) + width(b) / 2) / d->n_in_row;

	return d->one->value[bin((int64_t)one_ns)] / (double)d->n_in_row;
}

static void density_make(struct density *d)
{
	double few = d->one ? PRIOR_ROW : d->prior ? PRIOR_KNOWN : PRIOR;
	double mix = fmax(d->vague > 0 ? d->vague : 0.02, few / (d->n + few)), seen = 0;

	d->mix = (float)mix;
	d->self = d->n > 0 ? (float)((1 - mix) * (1 - d->wide) / d->n / radius(d)) : 0;
	d->median_ns = d->n > 0 ? 0 : 20000;
	d->low_ns = d->high_ns = 0;
	for (size_t b = 0; b < BINS; b++) {
		double c = d->n > 0 ? smooth(d, b) : 0;
		double flat = 1 / ((low_edge(b) + width(b) / 2) * OCTAVES * M_LN2);
		if (d->one)
			flat = (d->prior->value[b] + in_row(d, b)) / 2;
		else if (d->prior)
			flat = d->prior->value[b];
		else if (d->scale_ns)
			flat = 0.1 * flat + 0.9 * near_scale(d->scale_ns, b);
		d->value[b] = (float)(mix * flat +
				      (d->n > 0 ? (1 - mix) * c / d->n / width(b) : 0));
		if (seen < d->n / 2 && seen + d->count[b] >= d->n / 2)
			d->median_ns = (int64_t)(low_edge(b) + width(b) / 2);
		if (d->n >= 100 && seen <= d->n / 500)
			d->low_ns = (int64_t)(low_edge(b) * 0.8);
		if (d->n >= 20 && seen <= d->n * 0.99)
			d->high_ns = (int64_t)low_edge(b);
		seen += d->count[b];
	}
	d->fresh = 0;
}

void density_init(struct density *d)
{
	memset(d, 0, sizeof(*d));
	density_make(d);
}

void density_add(struct density *d, int64_t ns, float weight)
{
	d->count[bin(ns)] += weight;
	d->n += weight;
	d->fresh += weight;
	if (!d->still && d->fresh > 4 && d->fresh > d->n / 8)
		density_make(d);
	if (d->n > 65536)
		density_fade(d, 0.5f);
}

void density_fade(struct density *d, float keep)
{
	d->n = 0;
	for (size_t b = 0; b < BINS; b++)
		d->n += d->count[b] *= keep;
}

double density_beyond(const struct density *d, int64_t ns)
{
	double n = 0;

	for (size_t b = bin(ns) + 1; b < BINS; b++)
		n += d->count[b];
	return n;
}

float density_at(const struct density *d, int64_t ns, float own)
{
	size_t b = bin(ns);
	float v = d->value[b];

	if (own <= 0)
		return v;
	float self = d->self / (float)width(b);
	float prior = d->prior ? d->mix * d->prior->self / (float)width(b) : 0;
	if (d->one) {
		size_t k = bin(ns / d->n_in_row);
		float one = d->mix * d->one->self / (float)(width(k) * d->n_in_row);
		prior = (prior + one) / 2;
	}
	self += prior;
	return fmaxf(v - own * self, v * LEAST_LEFT);
}

/* The card ended n transfers, ns after it had turned to the first of them. */
float model_device(const struct model *m, size_t n, int64_t ns, float own)
{
	if (m->blind)
		return (float)(1 / fmax((double)m->total.median_ns, 1000));
	return density_at(&m->device[n < RUNS ? n : RUNS], ns, own);
}

/* At first the two are one: a queue that is read with every interrupt given to the next
 * transfer would else teach itself that programs wait long for what has ended. */
float model_notice(const struct model *m, bool asked, int64_t ns, float own)
{
	return density_at(m->frozen ? &m->notice
			  : asked   ? &m->asked
				    : &m->woken,
			  ns, own);
}

void model_init(struct model *m, enum pairing p)
{
	memset(m, 0, sizeof(*m));
	m->pairing = p;
	density_init(&m->age);
	density_init(&m->service);
	density_init(&m->notice);
	density_init(&m->total);
	density_init(&m->turn);
	density_init(&m->late);
	m->late.vague = 0.05f;
	m->late.wide = 0.1f;
	m->notice.wide = m->woken.wide = m->asked.wide = 0.01f;
	for (size_t k = 0; k <= RUNS; k++)
		m->device[k].wide = 0.01f;
	density_make(&m->device[0]);
	m->woken.prior = m->asked.prior = &m->notice;
	density_make(&m->woken);
	density_make(&m->asked);
	for (size_t k = 1; k <= RUNS; k++) {
		m->device[k].prior = &m->device[0];
		if (k < RUNS) {
			m->device[k].one = &m->service;
			m->device[k].n_in_row = (unsigned)k;
		}
		density_make(&m->device[k]);
	}
	model_derive(m);
}

static float rate(double seen, double of, double guess, double least)
{
	double r = (seen + guess * PRIOR) / (of + PRIOR);
	return (float)fmin(fmax(r, least), MOST);
}

static void derive_sizes(struct model *m)
{
	double sum = 0, rest = 0.1;

	for (size_t k = 1; k <= COALESCE; k++)
		sum += m->size[k];
	for (size_t k = 1; k <= COALESCE; k++) {
		double guess = k == 1 ? 0.9 : (rest /= 1.5) / 2;
		m->p_size[k] = (float)fmax((m->size[k] + guess * PRIOR) / (sum + PRIOR),
					   guess * 0.001);
		if (m->pairing == PAIRING_ONE && k > 1)
			m->p_size[k] = 0;
	}
	double members = 0;
	for (size_t k = 1; k <= COALESCE; k++)
		members += m->size[k] * (double)k;
	/* that the next one belongs to the same interrupt */
	m->p_more = members > 0 && m->pairing != PAIRING_ONE
			    ? (float)(1 - (sum + 1) / (members + 1))
			    : 0;
}

static float likelier_of(size_t bucket)
{
	return ldexpf(1, (int)bucket - KEPT / 2);
}

/* The share of those that seem to have none which makes what came behind them likeliest:
 * expectation and maximization, for these alone. */
static void derive_kept(struct model *m)
{
	double n = 0;

	for (size_t k = 0; k < KEPT; k++)
		n += m->seems[k];
	m->p_kept = 0.5f;
	m->kept = 0;
	for (int pass = 0; pass < KEPT_PASSES && n > 0; pass++) {
		double kept = 0;
		for (size_t k = 0; k < KEPT; k++)
			kept += m->seems[k] * model_kept(m, likelier_of(k));
		m->p_kept = (float)((kept + HALF_ONE) / (n + 2 * HALF_ONE));
	}
	for (size_t k = 0; k < KEPT; k++)
		m->kept += m->seems[k] * log1p(m->p_kept * (likelier_of(k) - 1));
}

/* Probabilities from counts. A run with several interrupts for each transfer (first,
 * last) has as many that end nothing, and they cost nothing. */
void model_derive(struct model *m)
{
	bool several = picks_one(m->pairing);

	m->p_missing = m->frozen ? 0.02f : rate(m->missing, m->transfers, 0.001, FLOOR);
	m->p_none =
		m->frozen ? m->p_missing
			  : fmaxf(m->p_missing, (float)(m->missing / (m->transfers + 1)));
	m->p_late = m->frozen ? 0.02f : rate(m->lates, m->transfers, 0.001, FLOOR);
	if (m->often_late) /* where most are that can be, it is no accident */
		m->p_late = (float)fmax(m->p_late, m->lates / (m->waited + PRIOR));
	else if (m->p_late > MOST_LATE)
		m->p_late = MOST_LATE;
	m->p_cross = rate(m->cross, m->uses, 0.002, FLOOR);
	if (m->pairing == PAIRING_ONE)
		m->p_cross = 0;
	/* Where hardly any wakes unseen, half and half: so few teach nothing of it. */
	m->p_turn = m->frozen || !m->often_late
			    ? 0.5f
			    : fmaxf((float)((m->turns + PRIOR_TURN / 2) /
					    (m->unseen + PRIOR_TURN)),
				    0.5f);
	derive_sizes(m);
	/* Not considered until a late one was seen by itself. */
	m->p_held = m->often_late ? m->p_more
		    : m->frozen	  ? 0
				  : fminf((float)(m->lates / (m->transfers + PRIOR)),
					  m->p_late);
	derive_kept(m);
	double per_transfer =
		several	    ? 1
		: m->frozen ? 0.02
			    : rate(m->strays, m->transfers,
				   ends_several(m) ? HIDDEN_STRAY : 0.00005, FLOOR_STRAY);
	double typical = (double)m->total.median_ns;
	m->late.scale_ns = m->total.median_ns;
	m->p_stray = (float)per_transfer;
	m->stray_share = several || m->frozen ? 0 : (float)(1 / (m->transfers + PRIOR));
	m->scale_ns = (float)fmax(typical, 1000);
	m->horizon_ns = (int64_t)fmin(4 * (double)m->device[0].median_ns + 2 * typical +
					      20000 + 2 * (double)m->late.high_ns,
				      1e9);
	m->fresh = 0;
}

enum { DENSITIES = RUNS + 1 + 8 };

/* Those that others fall back on first. */
static void densities(struct model *m, struct density **all)
{
	struct density *rest[] = {&m->age,  &m->service, &m->total, &m->turn,
				  &m->late, &m->notice,	 &m->woken, &m->asked};

	memcpy(all, rest, sizeof(rest));
	all += sizeof(rest) / sizeof(*rest);
	for (size_t k = 0; k <= RUNS; k++)
		*all++ = &m->device[k];
}

void model_forget(struct model *m, float keep)
{
	struct density *all[DENSITIES];

	densities(m, all);
	for (size_t i = 0; i < DENSITIES; i++)
		density_fade(all[i], keep);
	m->transfers *= keep;
	m->missing *= keep;
	m->lates *= keep;
	m->strays *= keep;
	m->uses *= keep;
	m->cross *= keep;
	m->waited *= keep;
	m->runs *= keep;
	m->unseen *= keep;
	m->turns *= keep;
	for (size_t k = 0; k < KEPT; k++)
		m->seems[k] *= keep;
	for (size_t k = 0; k <= COALESCE; k++)
		m->size[k] *= keep;
	for (size_t v = 0; v < SLOTS; v++)
		for (size_t s = 0; s < SLOTS; s++)
			m->affinity[v][s] *= keep;
}

/* How much likelier than by chance it is that this vector ends transfers of this
 * channel. */
float model_affinity(const struct model *m, const bool serves[SLOTS][SLOTS],
		     size_t nvector, size_t vector, size_t slot)
{
	double sum = 0, n = 0;

	for (size_t v = 0; v < nvector && v < SLOTS; v++)
		if (serves[v][slot]) {
			sum += m->affinity[v][slot];
			n++;
		}
	if (n < 2)
		return 1;
	return (float)((m->affinity[vector][slot] + 0.5) / (sum + 0.5 * n) * n);
}

/* Before the first pass: rates per time, by how long transfers take here. */
void model_scale(struct model *m, const int64_t *total_ns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		density_add(&m->total, total_ns[i], 1);
	density_make(&m->total);
	model_derive(m);
	density_make(&m->late);
}

/* While a pass is made over the same transfers nothing changes; behind it, everything as
 * counted. */
void model_begin(struct model *m, bool mean)
{
	struct density *all[DENSITIES];

	densities(m, all);
	if (!mean)
		model_forget(m, 0);
	for (size_t i = 0; i < DENSITIES; i++)
		all[i]->still = true;
}

void model_end(struct model *m, bool mean)
{
	struct density *all[DENSITIES];

	densities(m, all);
	if (mean)
		model_forget(m, 0.5f);
	for (size_t i = 0; i < DENSITIES; i++) {
		all[i]->still = false;
		density_make(all[i]);
	}
	model_derive(m);
}

/* A late interrupt may always be a stray with one missing, so from pass to pass their
 * rate only fades slowly to what it is. It is taken twice as far: where it stays it
 * stays. */
void model_hasten(struct model *m, float stray_before)
{
	float further = fminf(m->p_stray / stray_before, 1);

	m->strays *= further;
	model_derive(m);
	m->stray_share *= further;
}

void model_seems(struct model *m, float likelier, float weight)
{
	int k = 0;

	if (likelier > 0) {
		frexpf(likelier, &k); /* 1 has the exponent 1 there */
		k += KEPT / 2 - 1;
	}
	m->seems[k < 0 ? 0 : k >= KEPT ? KEPT - 1 : k] += weight;
}

float model_kept(const struct model *m, float likelier)
{
	float kept = m->p_kept * likelier;

	return kept / (kept + 1 - m->p_kept);
}

double model_shared(const struct model *m)
{
	double shared = 0;

	for (size_t k = 2; k <= COALESCE; k++)
		shared += m->size[k] * (double)(k - 1);
	return shared;
}

/* Not to be had from the one that is judged alone. */
float model_stray(const struct model *m, float own)
{
	return fmaxf(m->p_stray - own * m->stray_share, (float)FLOOR_STRAY);
}
