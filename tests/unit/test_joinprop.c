/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Properties of the joiner over thousands of seeds against known truth (tests/gen). A
 * pair is a transfer with its interrupt (or the certainty that there was none), its wait
 * and its state; it is right only when all three are. Issue 4 sets the limits: without
 * disorder all are right; with one disorder at 1 % none is wrong and at most 1 % more are
 * unknown than the disorder touched; with all at 5 % at least 99.9 % of the certain ones
 * are right.
 * What stands in the table where the limits are not reached yet is what is reached, so
 * that it cannot get worse unseen.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/join/join.h"
#include "tests/gen/gen.h"
#include "tests/unit/sim.h"

enum { PAIRS = 400, SEQS = 40 * PAIRS };

struct scenario {
	const char *name;
	struct gen_options gen; /* seed: the first; 0 = 1 */
	enum pairing pairing;
	unsigned seeds;
	double wrong;	    /* of the certain ones, at most */
	double unknown;	    /* of all, beyond those touched; negative = no limit */
	int64_t shuffle_ns; /* samples are pushed so much out of order */
};

struct judge {
	struct gen_truth *truth[SEQS];
	struct gen_truth all[PAIRS];
	size_t n;
	struct join *j;
	uint64_t right, wrong, unknown, touched, surprising;
	uint64_t seed, strays;
	const char *name;
	bool tell;
};

static void on_truth(void *arg, const struct gen_truth *t)
{
	struct judge *o = arg;

	assert_true(o->n < PAIRS && t->submit_seq < SEQS);
	o->all[o->n] = *t;
	o->truth[t->submit_seq] = &o->all[o->n++];
	o->touched += t->touched;
}

static void on_loss(void *arg, int64_t from_ns, int64_t to_ns)
{
	struct judge *o = arg;

	assert_int_equal(join_loss(o->j, -1, from_ns, to_ns, NULL), 0);
}

static void tell(const struct judge *o, const struct transfer *t,
		 const struct gen_truth *x)
{
	print_message("# %s, seed %" PRIu64 ": submit %" PRId64 " at %" PRId64
		      ": found %s irq %" PRId64 " woken %" PRId64
		      " (%s), true %s irq %" PRId64 " woken %" PRId64 "\n",
		      o->name, o->seed, t->submit_seq, t->submit_ns, state_name(t->state),
		      t->irq_seq == DMA_UNKNOWN ? -1 : t->irq_seq,
		      t->woken_seq == DMA_UNKNOWN ? -1 : t->woken_seq,
		      t->reason ? t->reason : "", x ? state_name(x->state) : "?",
		      !x || x->irq_seq == DMA_UNKNOWN ? -1 : x->irq_seq,
		      !x || x->woken_seq == DMA_UNKNOWN ? -1 : x->woken_seq);
}

static int on_transfer(void *arg, const struct transfer *t, struct err *e)
{
	struct judge *o = arg;
	const struct gen_truth *x = o->truth[t->submit_seq];

	(void)e;
	if (t->state == STATE_UNKNOWN) {
		o->unknown++;
		o->surprising += x && !x->touched;
		if (getenv("JOINPROP_UNKNOWN") && o->tell)
			tell(o, t, x);
		return 0;
	}
	if (x && t->state == x->state && t->irq_seq == x->irq_seq &&
	    t->woken_seq == x->woken_seq &&
	    (!t->coalesced || t->coalesced == x->coalesced)) {
		o->right++;
		return 0;
	}
	if ((o->wrong++ < 5 && o->tell) || getenv("JOINPROP_ALL"))
		tell(o, t, x);
	return 0;
}

static int on_stray(void *arg, const struct stray *s, struct err *e)
{
	struct judge *o = arg;

	(void)s;
	(void)e;
	o->strays++;
	return 0;
}

/* Out of order, but by no more than shuffle_ns: those of four CPUs are held back in
 * turn. */
struct shuffle {
	struct sample held[64];
	size_t n;
	uint64_t rng;
};

static void push(struct judge *o, const struct sample *s, struct shuffle *h, int64_t by)
{
	struct err e = {0};

	if (getenv("JOINPROP_DUMP"))
		print_message("# %" PRId64 " %" PRId64 " %s card %" PRId64
			      " channel %" PRId64 " tid %d irq %d\n",
			      s->seq, s->time_ns, role_name(s->role), s->card, s->channel,
			      s->tid, s->irq);

	if (by && h->n < 64 && gen_random(&h->rng) % 3 == 0) {
		h->held[h->n++] = *s;
	} else {
		assert_int_equal(join_push(o->j, s, &e), 0);
	}
	for (size_t i = 0; i < h->n; i++)
		if (s->time_ns - h->held[i].time_ns > by / 2) {
			assert_int_equal(join_push(o->j, &h->held[i], &e), 0);
			h->held[i--] = h->held[--h->n];
		}
}

static uint64_t pairs_of(const struct scenario *sc)
{
	return sc->gen.count ? sc->gen.count : PAIRS;
}

static void run(const struct scenario *sc, uint64_t seed, struct judge *o)
{
	struct join_vector v[64];
	struct gen_options go = sc->gen;
	struct join_sink sink = {o, on_transfer, on_stray};
	struct join_options jo = {.vector = v, .pairing = sc->pairing, .whole = true};
	struct join_totals n;
	struct shuffle h = {.rng = seed};
	struct gen *g;
	struct sample s;
	struct err e = {0};

	go.seed = o->seed = seed;
	go.count = pairs_of(sc);
	for (unsigned c = 0; c < (go.channels ? go.channels : 1) && !go.polled; c++)
		v[jo.nvector++] = (struct join_vector){
			GEN_IRQ + (int)(c % (go.vectors ? go.vectors : 1)),
			(int)c % (go.cards ? (int)go.cards : 1),
			(int)c / (go.cards ? (int)go.cards : 1)};
	memset(o->truth, 0, sizeof(o->truth));
	o->n = 0;
	assert_int_equal(join_new(&o->j, &jo, &sink, &e), 0);
	assert_int_equal(gen_new(&g, &go, &(struct gen_sink){o, on_truth, on_loss, NULL}),
			 0);
	while (gen_next(g, &s) > 0)
		push(o, &s, &h, sc->shuffle_ns);
	while (h.n)
		assert_int_equal(join_push(o->j, &h.held[--h.n], &e), 0);
	if (join_finish(o->j, &n, &e) < 0)
		fail_msg("%s, seed %" PRIu64 ": %s", sc->name, seed, e.text);
	assert_true(!sc->shuffle_ns || !n.disordered);
	join_free(o->j);
	gen_free(g);
}

#define MIX(p) .missing = p, .late = p, .stray = p
static const struct scenario scenarios[] = {
	{"plain", {0}, 0, 150, 0, 0, 0},
	{"plain, polled", {.polled = true}, 0, 50, 0, 0, 0},
	{"plain, 4 channels on 4 vectors", {.channels = 4, .vectors = 4}, 0, 50, 0, 0, 0},
	{"plain, 4 channels on 2 vectors",
	 {.channels = 4, .vectors = 2},
	 0,
	 100,
	 0,
	 0.1,
	 0},
	{"plain, depth 2", {.depth = 2}, 0, 50, 0, 0, 0},
	{"plain, depth 16", {.depth = 16}, 0, 50, 0, 0, 0},
	{"plain, depth 16, polled", {.depth = 16, .polled = true}, 0, 25, 0, 0, 0},
	{"plain, heavy tail", {.latency = GEN_TAIL}, 0, 50, 0, 0, 0},
	{"plain, linear", {.latency = GEN_LINEAR}, 0, 50, 0, 0, 0},
	{"plain, out of order", {.channels = 2, .vectors = 2}, 0, 25, 0, 0, 500000},
	{"plain, waits elsewhere", {.other_thread = true}, 0, 25, 0, 0, 0},
	{"plain, 2 cards", {.cards = 2, .channels = 4, .vectors = 4}, 0, 25, 0, 0, 0},
	{"preempted 1 %", {.preempted = 0.01, .typical_ns = 60000}, 0, 50, 0, 0.001, 0},
	{"preempted 1 %, tail",
	 {.preempted = 0.01, .typical_ns = 60000, .latency = GEN_TAIL},
	 0,
	 50,
	 0,
	 0.001,
	 0},
	{"missing 1 %", {.missing = 0.01}, 0, 150, 0, 0.01, 0},
	{"missing 10 %, 30 transfers", {.missing = 0.1, .count = 30}, 0, 400, 0, 0.1, 0},
	{"missing 2 %, depth 4", {.missing = 0.02, .depth = 4}, 0, 100, 0, 0.01, 0},
	{"late 1 %", {.late = 0.01}, 0, 150, 0, 0.01, 0},
	{"late 1 %, after many starts",
	 {.late = 0.01, .late_ns = 200000},
	 0,
	 50,
	 0,
	 0.02,
	 0},
	{"late 1 %, depth 4", {.late = 0.01, .depth = 4}, 0, 100, 0, 0.01, 0},
	{"stray 1 %", {.stray = 0.01}, 0, 150, 0, 0.01, 0},
	{"stray 1 %, depth 4", {.stray = 0.01, .depth = 4}, 0, 100, 0, 0.01, 0},
	{"restart 1 %", {.restart = 0.01}, 0, 100, 0, 0.01, 0},
	{"restart 1 %, polled", {.restart = 0.01, .polled = true}, 0, 50, 0, 0.01, 0},
	{"restart 2 %, linear, 70 transfers",
	 {.restart = 0.02, .latency = GEN_LINEAR, .count = 70},
	 0,
	 400,
	 0,
	 0.1,
	 0},
	{"stop 1 %", {.stop = 0.01}, 0, 100, 0, 0.01, 0},
	{"failed 1 %", {.fail = 0.01}, 0, 100, 0, 0.01, 0},
	{"empty waits 1 %", {.empty_wait = 0.01}, 0, 50, 0, 0.01, 0},
	{"waits that poll", {.polls = true}, 0, 50, 0, 0.01, 0},
	{"waits that poll, starts at once",
	 {.polls = true, .think_ns = 100},
	 0,
	 50,
	 0,
	 0.01,
	 0},
	{"waits that poll, depth 4", {.polls = true, .depth = 4}, 0, 50, 0, 0.01, 0},
	{"waits that poll, missing 2 %",
	 {.polls = true, .missing = 0.02},
	 0,
	 50,
	 0,
	 0.2,
	 0},
	{"waits that poll, missing 2 %, starts at once",
	 {.polls = true, .missing = 0.02, .think_ns = 100},
	 0,
	 50,
	 0,
	 0.12,
	 0},
	{"waits that poll, stray 1 %", {.polls = true, .stray = 0.01}, 0, 50, 0, 0.1, 0},
	{"waits that poll, restart 1 %",
	 {.polls = true, .restart = 0.01},
	 0,
	 50,
	 0,
	 0.12,
	 0},
	{"waits that poll, restart 2 %, linear, 70 transfers",
	 {.polls = true, .restart = 0.02, .latency = GEN_LINEAR, .count = 70},
	 0,
	 400,
	 0,
	 0.2,
	 0},
	{"waits that poll, loss windows, 60 transfers",
	 {.polls = true, .loss = 2, .count = 60, .latency = GEN_LINEAR},
	 0,
	 400,
	 0,
	 0.5,
	 0},
	{"waits that poll, missing 2 %, depth 4",
	 {.polls = true, .missing = 0.02, .depth = 4},
	 0,
	 50,
	 0,
	 0.18,
	 0},
	{"waits that poll, 4 channels on 2 vectors",
	 {.polls = true, .channels = 4, .vectors = 2},
	 0,
	 50,
	 0,
	 0.62,
	 0},
	/* An interrupt of the one channel was taken for the missing one of the other. */
	{"kept: waits that poll, missing 10 %, 2 on 1",
	 {.polls = true,
	  .missing = 0.1,
	  .channels = 2,
	  .latency = GEN_LINEAR,
	  .think_ns = 100000},
	 0,
	 25,
	 0.001,
	 0.25,
	 0},
	{"waits that poll, all 2 %",
	 {MIX(0.02), .restart = 0.02, .polls = true},
	 0,
	 50,
	 0.001,
	 -1,
	 0},
	{"skew 300 ns", {.skew_ns = 300}, 0, 50, 0, 0.01, 0},
	{"coalescing 1-8, depth 16",
	 {.coalesce_max = 8, .think_ns = 1000, .depth = 16},
	 0,
	 100,
	 0,
	 0.03,
	 0},
	{"coalescing 1-8, depth 16, missing 1 %",
	 {.coalesce_max = 8, .think_ns = 1000, .depth = 16, .missing = 0.01},
	 0,
	 100,
	 0.001,
	 0.25,
	 0},
	{"coalescing 1-8, depth 8", {.coalesce_max = 8, .depth = 8}, 0, 100, 0, 0.15, 0},
	{"coalescing 1-8, depth 8, 100 transfers",
	 {.coalesce_max = 8, .depth = 8, .count = 100},
	 0,
	 200,
	 0.001,
	 0.5,
	 0},
	{"all 2 %, coalescing 1-8, depth 8",
	 {MIX(0.02), .coalesce_max = 8, .depth = 8},
	 0,
	 50,
	 0.001,
	 -1,
	 0},
	/* What once went wrong, as short as it still did. */
	{"kept: a queue shifted behind a loss",
	 {.seed = 205, .loss = 2, .depth = 8},
	 0,
	 1,
	 0,
	 0.6,
	 0},
	{"kept: two interrupts read as one",
	 {.seed = 5, .coalesce_max = 8, .depth = 8, .count = 30},
	 0,
	 1,
	 0,
	 -1,
	 0},
	{"coalescing 30, depth 64, drain",
	 {.coalesce_min = 30, .coalesce_max = 30, .depth = 64, .typical_ns = 100},
	 PAIRING_DRAIN,
	 25,
	 0,
	 0.05,
	 0},
	{"3 interrupts each, first", {.several = 3}, PAIRING_FIRST, 50, 0, 0.01, 0},
	{"2 interrupts each, first, all 2 %",
	 {MIX(0.02), .several = 2},
	 PAIRING_FIRST,
	 50,
	 0.001,
	 -1,
	 0},
	{"3 interrupts each, last, all 2 %",
	 {MIX(0.02), .several = 3, .several_last = true},
	 PAIRING_LAST,
	 50,
	 0.001,
	 -1,
	 0},
	{"3 interrupts each, last",
	 {.several = 3, .several_last = true},
	 PAIRING_LAST,
	 50,
	 0,
	 0.01,
	 0},
	{"one wait for all, depth 4",
	 {.depth = 4, .drain_wait = true},
	 0,
	 50,
	 0,
	 0.01,
	 0},
	{"begun in the middle", {.cut_begin = 3}, 0, 50, 0, 0.01, 0},
	{"loss windows", {.loss = 2}, 0, 100, 0, -1, 0},
	{"loss windows, depth 8", {.loss = 2, .depth = 8}, 0, 100, 0, -1, 0},
	{"all 1 %", {MIX(0.01), .restart = 0.01, .fail = 0.01}, 0, 150, 0.001, 0.06, 0},
	{"all 5 %", {MIX(0.05), .restart = 0.05, .fail = 0.05}, 0, 150, 0.001, -1, 0},
	{"all 5 %, depth 4", {MIX(0.05), .depth = 4}, 0, 150, 0.001, -1, 0},
	{"all 5 %, 4 channels on 2 vectors, depth 4",
	 {MIX(0.05), .depth = 4, .channels = 4, .vectors = 2},
	 0,
	 100,
	 0.001,
	 -1,
	 0},
	{"all 5 %, coalescing 1-8, depth 16",
	 {MIX(0.05), .depth = 16, .coalesce_max = 8, .think_ns = 1000},
	 0,
	 100,
	 0.001,
	 -1,
	 0},
	{"all 2 %, heavy tail, loss",
	 {MIX(0.02), .latency = GEN_TAIL, .loss = 1, .restart = 0.02},
	 0,
	 100,
	 0.001,
	 -1,
	 0},
};

static void judge_all(const struct scenario *sc)
{
	struct judge *o = calloc(1, sizeof(*o));
	const char *only = getenv("JOINPROP_SEED");
	unsigned seeds = sim_seeds(sc->seeds);
	uint64_t pairs = seeds * pairs_of(sc);
	uint64_t first = sc->gen.seed ? sc->gen.seed : 1;

	assert_non_null(o);
	o->name = sc->name;
	for (uint64_t i = first; i < first + seeds; i++) {
		o->tell = o->wrong < 5;
		if (!only || strtoul(only, NULL, 10) == i)
			run(sc, i, o);
	}
	print_message("# %-40s seeds %4u pairs %7" PRIu64 " right %7" PRIu64
		      " wrong %5" PRIu64 " unknown %6" PRIu64 " touched %6" PRIu64
		      " untouched unknown %" PRIu64 "\n",
		      sc->name, seeds, pairs, o->right, o->wrong, o->unknown, o->touched,
		      o->surprising);
	double wrong = (double)o->wrong, certain = (double)(o->right + o->wrong);
	double more = (double)o->unknown - (double)o->touched;
	bool bad = wrong > sc->wrong * certain ||
		   (sc->unknown >= 0 && more > sc->unknown * (double)pairs);
	free(o);
	if (bad && sim_judged())
		fail_msg("%s: beyond the limits", sc->name);
}

static void scenario_holds(void **state)
{
	judge_all(*state);
}

int main(int argc, char **argv)
{
	enum { N = sizeof(scenarios) / sizeof(*scenarios) };
	struct CMUnitTest tests[N];
	size_t n = 0;

	for (size_t i = 0; i < N; i++)
		if (argc < 2 || strstr(scenarios[i].name, argv[1]))
			tests[n++] =
				(struct CMUnitTest){scenarios[i].name, scenario_holds,
						    NULL, NULL, (void *)&scenarios[i]};
	n = sim_share(tests, n);
	return _cmocka_run_group_tests("joiner", tests, n, NULL, NULL);
}
