/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program with an edu card, to be traced: transfers in both directions, checked byte by
 * byte, ended by polling or by the interrupt, with faults on request. It writes what it
 * did, transfer by transfer, into a file (--truth) that owes nothing to a tracer.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "card.h"
#include "edu.h"
#include "lib/err.h"
#include "lib/num.h"

enum {
	MAX_CARDS = 8,
	MAX_SIZES = 64,
	FROM_AT = 0,	 /* in the buffer: what goes to the card */
	TO_AT = 1 << 16, /* and what comes from it */
};

enum fault {
	FAULT_NONE,
	FAULT_NO_IRQ,
	FAULT_SPURIOUS,
	FAULT_RESTART,
	FAULT_TIMEOUT,
	FAULT_STOP,
	FAULTS
};

static const char *const fault_name[FAULTS] = {"none",	  "no-interrupt", "spurious",
					       "restart", "timeout",	  "stop"};
/* What a transfer with this fault ends as. A spurious interrupt belongs to none. */
static const char *const fault_state[FAULTS] = {"complete", "no_interrupt", "complete",
						"aborted",  "failed",	    "aborted"};
/* How often it raises the card's interrupt: the first is its own. */
static const int fault_raises[FAULTS] = {1, 0, 2, 0, 1, 1};

struct options {
	int64_t count, cards, cpu, every, pause_ns, stagger_ns;
	int64_t size[MAX_SIZES];
	size_t nsize;
	bool to_host, from_host, sleep, masked;
	enum fault fault;
	const char *truth;
};

struct card {
	void *card;
	unsigned char *buffer;
	int64_t number; /* of the transfer in flight */
	int64_t begin_ns;
	size_t size;
	bool to_host;
	enum fault fault;
};

struct run {
	const struct options *o;
	struct card card[MAX_CARDS];
	FILE *truth;
	int64_t started, ended, to_host, caught, raised, wrong_bytes;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void pause_ns(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	nanosleep(&t, NULL);
}

static int fail(const char *what, int rc)
{
	fprintf(stderr, "edu: %s: %s\n", what, strerror(-rc));
	return 1;
}

static void tell(struct run *r, const struct card *c, const char *state, int64_t end_ns)
{
	if (r->truth)
		fprintf(r->truth,
			"%" PRId64 "\t%td\t0\t%s\t%zu\t%s\t%" PRId64 "\t%" PRId64
			"\t%d\n",
			c->number, c - r->card, c->to_host ? "to_host" : "from_host",
			c->size, state, c->begin_ns, end_ns,
			r->o->masked ? 0 : fault_raises[c->fault]);
}

/* ---- one transfer ---- */

static int start(struct run *r, struct card *c)
{
	unsigned flags = c->fault == FAULT_NO_IRQ ? EDU_NO_INTERRUPT : 0;
	unsigned long bus = card_bus_address(c->card);
	int rc;

	c->number = ++r->started;
	r->to_host += c->to_host;
	c->begin_ns = now_ns();
	rc = card_start(c->card, c->to_host, bus + (c->to_host ? TO_AT : FROM_AT),
			c->size, flags);
	return rc ? fail("start", rc) : 0;
}

/* What goes out differs for each transfer; what comes in must be what went out last. */
static void fill(const struct run *r, struct card *c)
{
	if (c->to_host)
		memset(c->buffer + TO_AT, 0xee, c->size);
	else
		for (size_t i = 0; i < c->size; i++)
			c->buffer[FROM_AT + i] =
				(unsigned char)(i * 7 + (size_t)r->started);
}

static void check(struct run *r, const struct card *c)
{
	if (c->to_host && r->o->from_host)
		for (size_t i = 0; i < c->size; i++)
			r->wrong_bytes += c->buffer[TO_AT + i] != c->buffer[FROM_AT + i];
}

/* Until the card is quiet and its interrupt has been handled. */
static void settle(const struct card *c)
{
	while (card_busy(c->card))
		pause_ns(1000000);
	pause_ns(10000000);
}

/* Turn the transfer in flight into an abandoned one and start the same again. */
static int restart(struct run *r, struct card *c)
{
	pause_ns(20000000);
	if (c->fault == FAULT_STOP)
		card_stop(c->card);
	tell(r, c, fault_state[c->fault], now_ns());
	if (c->fault == FAULT_STOP)
		settle(c);
	c->fault = FAULT_NONE;
	return start(r, c);
}

static int start_one(struct run *r, struct card *c)
{
	const struct options *o = r->o;
	int64_t n = r->started;

	c->fault = o->every && n % o->every == o->every - 1 ? o->fault : FAULT_NONE;
	c->size = (size_t)o->size[(size_t)(n / 2) % o->nsize];
	c->to_host = o->to_host && (!o->from_host || (n / o->cards) % 2);
	fill(r, c);
	if (o->sleep && card_irq_clear(c->card))
		return fail("irq_clear", -EIO);
	return start(r, c);
}

static int end_timeout(struct run *r, struct card *c)
{
	int rc = card_wait(c->card, 20000000);

	if (rc != -ETIMEDOUT)
		return fail("a wait of 20 ms should have failed", rc);
	r->caught++;
	tell(r, c, fault_state[c->fault], now_ns());
	settle(c);
	return 0;
}

static int end_one(struct run *r, struct card *c)
{
	const struct options *o = r->o;
	int rc = 0;

	if (c->fault == FAULT_TIMEOUT)
		return end_timeout(r, c);
	if (c->fault == FAULT_RESTART || c->fault == FAULT_STOP)
		rc = restart(r, c);
	if (!rc && o->sleep && c->fault != FAULT_NO_IRQ)
		rc = card_irq_wait(c->card);
	if (!rc)
		rc = card_wait(c->card, 1000000000);
	if (rc)
		return fail("wait", rc);
	tell(r, c, o->masked ? "polled" : fault_state[c->fault], now_ns());
	check(r, c);
	if (c->fault == FAULT_SPURIOUS) {
		pause_ns(10000000);
		card_irq_raise(c->card);
		r->raised++;
		pause_ns(10000000);
	}
	return 0;
}

static int transfer_all(struct run *r)
{
	const struct options *o = r->o;

	for (r->ended = 0; r->ended < o->count;) {
		int64_t n =
			o->count - r->ended < o->cards ? o->count - r->ended : o->cards;

		for (int64_t i = 0; i < n; i++) {
			if (start_one(r, &r->card[i]))
				return 1;
			if (i + 1 < n)
				pause_ns(o->stagger_ns);
		}
		for (int64_t i = 0; i < n; i++, r->ended++)
			if (end_one(r, &r->card[i]))
				return 1;
		if (o->pause_ns)
			pause_ns(o->pause_ns);
	}
	return 0;
}

/* ---- options ---- */

enum {
	OPT_FAULT = 256,
	OPT_EVERY,
	OPT_CARDS,
	OPT_CPU,
	OPT_SLEEP,
	OPT_MASKED,
	OPT_PAUSE,
	OPT_STAGGER,
	OPT_TRUTH
};

static const struct argp_option option_table[] = {
	{"count", 'n', "N", 0, "transfers, 1 to 1000000 (default 30)", 0},
	{"size", 's', "BYTES[,BYTES...]", 0, "in turn, 1 to 4095 (default 4095)", 0},
	{"direction", 'd', "WHICH", 0, "to_host, from_host or both (default both)", 0},
	{"cards", OPT_CARDS, "N", 0, "use this many cards, 1 to 8 (default 1)", 0},
	{"cpu", OPT_CPU, "N", 0, "stay on this CPU, 0 to 1023", 0},
	{"sleep", OPT_SLEEP, NULL, 0, "sleep until the interrupt before polling", 0},
	{"masked", OPT_MASKED, NULL, 0, "leave the interrupt masked", 0},
	{"pause", OPT_PAUSE, "TIME", 0, "sleep after each transfer, to 10s (default 0)",
	 0},
	{"stagger", OPT_STAGGER, "TIME", 0,
	 "sleep between the starts on two cards, to 1s (default 30ms)", 0},
	{"fault", OPT_FAULT, "NAME", 0,
	 "no-interrupt, spurious, restart, timeout or stop (default none)", 0},
	{"every", OPT_EVERY, "N", 0,
	 "the fault hits every Nth transfer, 1 to 1000000 (default 5)", 0},
	{"truth", OPT_TRUTH, "FILE", 0,
	 "write number, card, channel, direction, size, state, begin and end in ns, and "
	 "interrupts raised, a line for each transfer",
	 0},
	{0}};

static int parse_sizes(struct options *o, const char *text, struct err *e)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = copy ? 0 : err_set(e, ERR_NOMEM, "no memory");

	o->nsize = 0;
	while (!rc && (word = strsep(&rest, ","))) {
		if (o->nsize == MAX_SIZES)
			rc = err_set(e, ERR_USAGE, "more than %d sizes", MAX_SIZES);
		else
			rc = num_bytes(word, 1, EDU_MAX_BYTES, &o->size[o->nsize++], e);
	}
	free(copy);
	return rc;
}

static int parse_direction(struct options *o, const char *text, struct err *e)
{
	o->to_host = strcmp(text, "from_host") != 0;
	o->from_host = strcmp(text, "to_host") != 0;
	if (o->to_host && o->from_host && strcmp(text, "both"))
		return err_set(e, ERR_USAGE, "'%s' is not to_host, from_host or both",
			       text);
	return 0;
}

static int parse_fault(struct options *o, const char *text, struct err *e)
{
	for (int f = 0; f < FAULTS; f++)
		if (!strcmp(text, fault_name[f])) {
			o->fault = (enum fault)f;
			return 0;
		}
	return err_set(e, ERR_USAGE, "'%s' is none of the faults", text);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct err e = {0};
	int rc = 0;

	switch (key) {
	case 'n':
		rc = num_i64(arg, 1, 1000000, &o->count, &e);
		break;
	case 's':
		rc = parse_sizes(o, arg, &e);
		break;
	case 'd':
		rc = parse_direction(o, arg, &e);
		break;
	case OPT_CARDS:
		rc = num_i64(arg, 1, MAX_CARDS, &o->cards, &e);
		break;
	case OPT_CPU:
		rc = num_i64(arg, 0, 1023, &o->cpu, &e);
		break;
	case OPT_SLEEP:
		o->sleep = true;
		break;
	case OPT_MASKED:
		o->masked = true;
		break;
	case OPT_PAUSE:
		rc = num_duration_ns(arg, 0, INT64_C(10000000000), &o->pause_ns, &e);
		break;
	case OPT_STAGGER:
		rc = num_duration_ns(arg, 0, 1000000000, &o->stagger_ns, &e);
		break;
	case OPT_FAULT:
		rc = parse_fault(o, arg, &e);
		break;
	case OPT_EVERY:
		rc = num_i64(arg, 1, 1000000, &o->every, &e);
		break;
	case OPT_TRUTH:
		o->truth = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (rc)
		argp_failure(state, 2, 0, "%s", e.text);
	return 0;
}

static const struct argp argp = {
	option_table, parse_option, NULL, "Move data with QEMU's edu card.",
	NULL,	      NULL,	    NULL};

static int pin(int64_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? fail("--cpu", -errno) : 0;
}

static int open_cards(struct run *r)
{
	for (int64_t i = 0; i < r->o->cards; i++) {
		struct card *c = &r->card[i];
		int rc = card_open((unsigned)i, &c->card);

		if (!rc)
			rc = r->o->masked ? card_irq_disable(c->card)
					  : card_irq_enable(c->card);
		if (rc)
			return fail("card", rc);
		c->buffer = card_buffer(c->card);
	}
	return 0;
}

static int close_truth(struct run *r)
{
	bool bad = r->truth && ferror(r->truth);

	if (r->truth && (fclose(r->truth) || bad))
		return fail(r->o->truth, -EIO);
	return 0;
}

static void print_result(const struct run *r)
{
	printf("edu: %" PRId64 " transfers (%" PRId64 " to host, %" PRId64
	       " from host)\n",
	       r->started, r->to_host, r->started - r->to_host);
	printf("edu: caught=%" PRId64 " raised=%" PRId64 " wrong_bytes=%" PRId64 "\n",
	       r->caught, r->raised, r->wrong_bytes);
}

int main(int argc, char **argv)
{
	struct options o = {.count = 30,
			    .cards = 1,
			    .cpu = -1,
			    .stagger_ns = 30000000,
			    .nsize = 1,
			    .size = {EDU_MAX_BYTES},
			    .to_host = true,
			    .from_host = true,
			    .every = 5};
	struct run r = {.o = &o};
	int rc;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.fault == FAULT_NONE)
		o.every = 0;
	if (o.masked && (o.sleep || o.fault != FAULT_NONE)) {
		fprintf(stderr, "edu: --masked goes with neither --sleep nor --fault\n");
		return 2;
	}
	if (o.truth && !(r.truth = fopen(o.truth, "we")))
		return fail(o.truth, -errno);
	rc = (o.cpu >= 0 && pin(o.cpu)) || open_cards(&r) || transfer_all(&r);
	for (int64_t i = 0; i < o.cards; i++)
		if (r.card[i].card)
			card_close(r.card[i].card);
	if (close_truth(&r) || rc)
		return 1;
	print_result(&r);
	return r.wrong_bytes ? 1 : 0;
}
