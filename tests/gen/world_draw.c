/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options from a seed. First everything is drawn as hosts, cards and programs may be,
 * with no fault and one vector a channel; then the stratum fixes what its name says.
 * Rates and times are log-uniform between the ends of what is met: a card takes 2 us (a
 * descriptor) to 2 ms (megabytes), a CPU wakes from idle in 3 to 80 us, a sleeper in 1 to
 * 10 us, a register read takes 0.3 to 1.5 us.
 */
#include "tests/gen/world.h"

#include <math.h>
#include <stdio.h>

#include "tests/gen/gen.h"

static double uniform(uint64_t *rng)
{
	return (double)(gen_random(rng) >> 11) / 9007199254740992.0;
}

static bool chance(uint64_t *rng, double p)
{
	return uniform(rng) < p;
}

static double between(uint64_t *rng, double low, double high)
{
	return low * pow(high / low, uniform(rng));
}

static int64_t ns(uint64_t *rng, double low, double high)
{
	return (int64_t)between(rng, low, high);
}

static unsigned one_of(uint64_t *rng, unsigned n)
{
	return (unsigned)(uniform(rng) * n);
}

/* ---- what is always drawn ---- */

static void draw_card(struct world_options *o, uint64_t *rng)
{
	o->channels = o->vectors = 1;
	o->shared_link = chance(rng, 0.5);
	o->latency = (enum world_latency)one_of(rng, WORLD_LATENCY_N);
	o->service_ns = ns(rng, 2e3, 2e6);
	o->slow = 0.05;
	o->slower = between(rng, 2, 10);
	switch (o->latency) {
	case WORLD_LOGNORMAL:
		o->spread = between(rng, 0.05, 1);
		break;
	case WORLD_GAMMA:
		o->spread = between(rng, 0.2, 1);
		break;
	case WORLD_PARETO:
		o->spread = 0.2 + 0.4 * uniform(rng);
		break;
	case WORLD_BIMODAL:
	case WORLD_BURSTS:
		o->slow = between(rng, 0.01, 0.4);
		break;
	case WORLD_DRIFT: /* once in so many transfers */
		o->slow = 1 / between(rng, 200, 5000);
		o->slower = between(rng, 1.2, 4);
		break;
	default:
		break;
	}
	o->fixed = o->latency == WORLD_LINEAR ? 0.05 : between(rng, 0.05, 1);
	o->pipeline = chance(rng, 0.5) ? 0 : 0.8 * uniform(rng);
	o->sizes = one_of(rng, 3) == 0 ? 1 : one_of(rng, 2) ? 2 : 3 + one_of(rng, 6);
	o->register_ns = ns(rng, 20, 400);
	o->msi_ns = o->register_ns + ns(rng, 20, 600);
}

static void draw_host(struct world_options *o, uint64_t *rng)
{
	o->cpus = 2 + one_of(rng, 7);
	o->enter_ns = ns(rng, 400, 2000);
	o->enter_spread = between(rng, 0.05, 0.5);
	o->idle_after_ns = ns(rng, 2e3, 2e5);
	o->idle_wake_ns = chance(rng, 0.3) ? 0 : ns(rng, 3e3, 8e4);
	o->handler_ns = ns(rng, 500, 4000);
	o->wake_ns = ns(rng, 1e3, 1e4);
	o->wake_spread = between(rng, 0.1, 0.6);
	/* A quiet host still has its moments. */
	o->standstill = chance(rng, 0.5) ? 0 : between(rng, 1e-5, 1e-3);
	o->standstill_ns = ns(rng, 5e3, 2e5);
	o->preempted = chance(rng, 0.5) ? 0 : between(rng, 1e-5, 1e-3);
	o->other = chance(rng, 0.5) ? 0 : between(rng, 0.01, 2);
	o->timer_ns = chance(rng, 0.5) ? 0 : ns(rng, 1e5, 1e7);
	o->skew_ns = chance(rng, 0.5) ? 0 : ns(rng, 10, 200);
}

static void draw_program(struct world_options *o, uint64_t *rng)
{
	o->depth = 1;
	o->use = WORLD_SLIDE;
	o->wait = WORLD_SLEEP;
	o->api_ns = ns(rng, 300, 8e3);
	o->exit_ns = ns(rng, 50, 2e3);
	o->stamp_ns = ns(rng, 20, 2e3);
	o->doorbell = chance(rng, 0.5);
	o->think_ns = (int64_t)((double)o->service_ns * between(rng, 0.02, 3));
	o->think_spread = between(rng, 0.05, 1);
	o->poll_ns = ns(rng, 300, 1500);
	o->spin_ns = (int64_t)((double)o->service_ns * between(rng, 0.1, 2));
	o->pause = chance(rng, 0.3) ? 0 : between(rng, 1e-3, 0.05);
	o->pause_ns =
		(int64_t)((double)(o->service_ns + o->think_ns) * between(rng, 5, 500));
	o->pause_drained = chance(rng, 0.5);
	o->timeout_ns = (int64_t)((double)o->service_ns * between(rng, 30, 300)) + 200000;
	o->throws = chance(rng, 0.5) ? 1 : 0;
	o->late_ns = (int64_t)((double)o->service_ns * between(rng, 0.3, 5));
	o->data_vector = chance(rng, 0.3);
	o->per_n = chance(rng, 0.3) ? 2 + one_of(rng, 100) : 0;
	o->window_ns =
		(int64_t)((double)(o->service_ns + o->think_ns) * between(rng, 2, 50));
	o->window_cpu = chance(rng, 0.5);
}

/* ---- how it is waited for ---- */

static void asleep(struct world_options *o, uint64_t *rng)
{
	static const enum world_wait kinds[] = {WORLD_SLEEP, WORLD_SLEEP,
						WORLD_LOOK_SLEEP, WORLD_BLOCK};

	o->wait = kinds[one_of(rng, 4)];
}

static void polling(struct world_options *o, uint64_t *rng)
{
	o->wait = WORLD_POLL;
	if (chance(rng, 0.3)) /* the register is behind the message */
		o->register_ns = o->msi_ns + ns(rng, 20, 500);
}

/* So that the queue is in use: the program is faster than the card. */
static void queue(struct world_options *o, uint64_t *rng, unsigned depth)
{
	o->depth = depth;
	o->use = (enum world_use)one_of(rng, WORLD_USE_N);
	o->think_ns = (int64_t)((double)o->service_ns * between(rng, 0.02, 1));
	o->other_thread =
		o->wait != WORLD_BLOCK && o->use != WORLD_DRAIN && chance(rng, 0.15);
}

static void channels(struct world_options *o, uint64_t *rng, unsigned n, unsigned vectors)
{
	o->channels = n;
	o->vectors = vectors;
	o->one_thread = o->wait != WORLD_BLOCK && chance(rng, 0.3);
}

static void moderate(struct world_options *o, uint64_t *rng)
{
	queue(o, rng, 16);
	o->moderate_count = 2 + one_of(rng, 7);
	o->moderate_ns = (int64_t)((double)o->service_ns * between(rng, 0.5, 8));
}

/* ---- the strata ---- */

static void plain_asleep(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
}

static void one_size_asleep(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
	o->sizes = 1;
}

static void plain_polling(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
}

static void some_faults_polling(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	o->missing = o->late = o->restart = 0.01;
	o->standstill = 0.005;
}

static void asleep_2(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
	queue(o, rng, 2);
}

static void asleep_4(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
	queue(o, rng, 4);
}

static void asleep_16(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
	queue(o, rng, 16);
}

static void polling_4(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	queue(o, rng, 4);
}

static void polling_16(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	queue(o, rng, 16);
}

static void four_on_one(struct world_options *o, uint64_t *rng)
{
	if (chance(rng, 0.5))
		asleep(o, rng);
	else
		polling(o, rng);
	channels(o, rng, 4, 1);
}

static void late_polling_4(struct world_options *o, uint64_t *rng)
{
	polling_4(o, rng);
	o->late = 0.01;
}

static void missing_polling_4(struct world_options *o, uint64_t *rng)
{
	polling_4(o, rng);
	o->missing = 0.01;
}

static void moderation_asleep(struct world_options *o, uint64_t *rng)
{
	asleep(o, rng);
	moderate(o, rng);
}

static void moderation_polling(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	moderate(o, rng);
}

static void begun(struct world_options *o, uint64_t *rng)
{
	if (chance(rng, 0.5))
		asleep(o, rng);
	else
		polling(o, rng);
	o->begin_after = 50 + one_of(rng, 200);
	o->cut = true;
}

static void begun_8(struct world_options *o, uint64_t *rng)
{
	begun(o, rng);
	queue(o, rng, 8);
}

static void foreign_polling(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	o->foreign = 0.2;
}

static void set_fault(struct world_options *o, unsigned i, double p)
{
	double *const fault[] = {&o->missing,	  &o->late,	  &o->spurious,
				 &o->foreign,	  &o->stop,	  &o->hang,
				 &o->start_fails, &o->standstill, &o->restart,
				 &o->empty_wait};

	if (i < sizeof(fault) / sizeof(*fault))
		*fault[i] = p;
}

enum { QUEUE_FAULTS = 8, FAULTS = 10 }; /* of set_fault(); the rest needs depth 1 */

static void all_faults_polling(struct world_options *o, uint64_t *rng)
{
	polling(o, rng);
	for (unsigned i = 0; i < FAULTS; i++)
		set_fault(o, i, 0.01);
}

static void all_faults_polling_4(struct world_options *o, uint64_t *rng)
{
	polling_4(o, rng);
	for (unsigned i = 0; i < QUEUE_FAULTS; i++)
		set_fault(o, i, 0.01);
	o->other_thread = false;
}

/* In turn, so that twenty recordings hold every one of them. */
static void each_fault_polling_4(struct world_options *o, uint64_t *rng)
{
	polling_4(o, rng);
	set_fault(o, (unsigned)(o->seed % QUEUE_FAULTS), 0.01);
	o->other_thread = false;
}

static void one_lost(struct world_options *o, uint64_t *rng, unsigned depth)
{
	if (chance(rng, 0.5))
		asleep(o, rng);
	else
		polling(o, rng);
	if (depth > 1)
		queue(o, rng, depth);
	o->pause = between(rng, 3e-3, 0.1);
	o->lose = 3e-4; /* about three in 2,000 transfers */
}

static void one_lost_1(struct world_options *o, uint64_t *rng)
{
	one_lost(o, rng, 1);
}

static void one_lost_2(struct world_options *o, uint64_t *rng)
{
	one_lost(o, rng, 2);
}

static void one_lost_8(struct world_options *o, uint64_t *rng)
{
	one_lost(o, rng, 8);
}

static void anything(struct world_options *o, uint64_t *rng)
{
	o->wait = (enum world_wait)one_of(rng, WORLD_WAIT_N);
	if (o->wait == WORLD_POLL)
		polling(o, rng);
	if (chance(rng, 0.6))
		queue(o, rng, (unsigned)between(rng, 2, WORLD_DEPTH + 1));
	if (chance(rng, 0.4)) {
		unsigned n = 2 + one_of(rng, WORLD_CHANNELS - 1);
		channels(o, rng, n, 1 + one_of(rng, n));
	}
	if (chance(rng, 0.1))
		o->vectors = 0;
	if (chance(rng, 0.2)) {
		o->moderate_count = 2 + one_of(rng, 15);
		o->moderate_ns = (int64_t)((double)o->service_ns * between(rng, 0.5, 8));
	}
	for (unsigned i = 0; i < FAULTS; i++)
		if (chance(rng, 0.15))
			set_fault(o, i, between(rng, 1e-3, 0.05));
	if (chance(rng, 0.1))
		o->foreign = between(rng, 0.01, 1);
	if (chance(rng, 0.1))
		o->lose = between(rng, 1e-5, 1e-3);
	if (chance(rng, 0.1))
		o->windows = between(rng, 1e-4, 1e-2);
	if (chance(rng, 0.1))
		o->begin_after = 1 + one_of(rng, 300);
	o->cut = chance(rng, 0.1);
	o->timeout_fails = chance(rng, 0.2);
	o->silent_wait = o->channels == 1 && chance(rng, 0.1);
	if (chance(rng, 0.05))
		o->disorder_ns = ns(rng, 1e3, 1e5);
}

const struct world_stratum world_strata[] = {
	{"plain asleep", 0.005, false, 0, plain_asleep},
	{"plain asleep, one size", 0.005, false, 0, one_size_asleep},
	{"plain polling", 0.005, false, 0, plain_polling},
	{"some faults 1 %, polling", -1, false, 0, some_faults_polling},
	{"asleep, 2 in flight", 0.005, false, 0, asleep_2},
	{"asleep, 4 in flight", 0.005, false, 0, asleep_4},
	{"asleep, 16 in flight", 0.005, false, 0, asleep_16},
	{"polling, 4 in flight", 0.005, false, 0, polling_4},
	{"polling, 16 in flight", 0.005, false, 0, polling_16},
	{"4 channels on 1 vector", 0.05, false, 0, four_on_one},
	{"late 1 %, polling, 4 in flight", -1, false, 0, late_polling_4},
	{"missing 1 %, polling, 4 in flight", -1, false, 0, missing_polling_4},
	{"moderation, asleep", 0.05, false, 0, moderation_asleep},
	{"moderation, polling", 0.25, false, 0, moderation_polling},
	{"begun in the middle", 0.05, false, 100, begun},
	{"begun in the middle, 8 in flight", 0.05, false, 100, begun_8},
	{"foreign 20 %, polling", 0.25, false, 0, foreign_polling},
	{"all faults 1 %, polling", -1, false, 0, all_faults_polling},
	{"all faults 1 %, polling, 4 in flight", -1, false, 0, all_faults_polling_4},
	{"each fault 1 %, polling, 4 in flight", 0.05, true, 0, each_fault_polling_4},
	{"one sample lost, 1 in flight", -1, false, 0, one_lost_1},
	{"one sample lost, 2 in flight", -1, false, 0, one_lost_2},
	{"one sample lost, 8 in flight", -1, false, 0, one_lost_8},
	{"anything", -1, false, 0, anything},
};
const size_t world_nstrata = sizeof(world_strata) / sizeof(*world_strata);

static unsigned threads(const struct world_options *o)
{
	unsigned each = o->other_thread ? 2 : 1;

	return o->one_thread && each == 1 ? 1 : o->channels * each;
}

static uint64_t hash(const char *s)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

void world_draw(struct world_options *o, uint64_t seed, const struct world_stratum *s)
{
	uint64_t rng = seed * 0x9e3779b97f4a7c15u ^ hash(s->name), count = o->count;

	*o = (struct world_options){.seed = seed, .count = count};
	gen_random(&rng);
	draw_card(o, &rng);
	draw_host(o, &rng);
	draw_program(o, &rng);
	s->shape(o, &rng);
	if (o->wait != WORLD_BLOCK && o->cpus < threads(o) + 1)
		o->cpus = threads(o) + 1; /* none has to share one */
	if (o->wait != WORLD_POLL && o->msi_ns < o->register_ns)
		o->msi_ns = o->register_ns;
}

const char *world_describe(const struct world_options *o, char *buf, size_t len)
{
	static const char *const latency[] = {"constant", "linear", "lognormal",
					      "gamma",	  "pareto", "bimodal",
					      "drift",	  "bursts"};
	static const char *const wait[] = {"poll",	 "sleep", "look-sleep",
					   "spin-sleep", "next",  "block"};
	static const char *const use[] = {"slide", "batch", "drain", "mixed"};

	snprintf(buf, len,
		 "%s service %.1f us think %.1f us spread %.2f slower %.1f/%.4f fixed "
		 "%.2f "
		 "pipeline %.2f sizes %u; %s %s depth %u channels %u vectors %u%s%s%s; "
		 "moderation %u/%.1f us; enter %.1f us idle %.1f us wake %.1f us still "
		 "%.5f*%.1f us; pause %.4f*%.1f us%s; doorbell %d exit %.1f us; foreign "
		 "%g "
		 "missing %g late %g*%.1f us spurious %g restart %g stop %g hang %g fail "
		 "%g; "
		 "data %d timer %.0f us other %.2f per %u; lose %g windows %g begin %llu "
		 "cut "
		 "%d",
		 latency[o->latency], (double)o->service_ns / 1e3,
		 (double)o->think_ns / 1e3, o->spread, o->slower, o->slow, o->fixed,
		 o->pipeline, o->sizes, wait[o->wait], use[o->use], o->depth, o->channels,
		 o->vectors, o->shared_link ? " shared link" : "",
		 o->one_thread ? " one thread" : "",
		 o->other_thread ? " waits elsewhere" : "", o->moderate_count,
		 (double)o->moderate_ns / 1e3, (double)o->enter_ns / 1e3,
		 (double)o->idle_wake_ns / 1e3, (double)o->wake_ns / 1e3, o->standstill,
		 (double)o->standstill_ns / 1e3, o->pause, (double)o->pause_ns / 1e3,
		 o->pause_drained ? " drained" : "", o->doorbell,
		 (double)o->exit_ns / 1e3, o->foreign, o->missing, o->late,
		 (double)o->late_ns / 1e3, o->spurious, o->restart, o->stop, o->hang,
		 o->start_fails, o->data_vector, (double)o->timer_ns / 1e3, o->other,
		 o->per_n, o->lose, o->windows, (unsigned long long)o->begin_after,
		 o->cut);
	return buf;
}
