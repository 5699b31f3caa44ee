// SPDX-License-Identifier: GPL-2.0-only
// The workload of the fast card. It tells the card how to behave, makes its transfers
// through FlxCard, and then writes the truth: its own times, and the card's log turned to
// its clock.
//   flxload COUNT MODE FAULT PERMILLE CPU TRUTH
// MODE: sleep (irq_wait, then dma_wait), poll (dma_wait, then a pause), rush (dma_wait
// only), flood (rush, and the card takes hardly any time), masked (poll with every vector
// masked), race (two threads on two channels start at once, each COUNT times, each on a
// CPU of its own; PERMILLE 1000: both on CPU 0). FAULT: none
// drop double late early nodata.
// TRUTH.edges has a line for each transfer, in order: channel, the card's fault, between which
// times its bit was cleared, when its interrupt was raised (0: not), and how well the clocks are known; of a race,
// for each start: channel, when it began, and how often the card ran it.
#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sched.h>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

#include "FlxCard.h"
#include "flxregs.h"

static const char *const fault_names[] = {"none", "drop",  "double",
					  "late", "early", "nodata"};

struct transfer {
	unsigned channel;
	bool from_host;
	size_t bytes;
	int64_t begin_ns, end_ns;
};

// What to add to the card's clock: measured before and after, a line between.
struct offset {
	int64_t at_ns, add_ns, error_ns;
};

static int64_t now_ns()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void pause_ns(int64_t ns)
{
	struct timespec t = {ns / 1000000000, ns % 1000000000};

	nanosleep(&t, nullptr);
}

static volatile flx_test *test_of(FlxCard &c)
{
	return (volatile flx_test *)(c.bar() + FLX_TEST);
}

// The shortest of many round trips: the card's time lies in its middle, give or take half
// of it.
static offset compare_clocks(FlxCard &c)
{
	volatile flx_test *t = test_of(c);
	offset best = {0, 0, INT64_MAX};

	for (int i = 0; i < 300; i++) {
		uint64_t ping = t->ping + 1;
		int64_t before = now_ns(), after;

		t->ping = ping;
		c.ring();
		while (t->pong != ping)
			if (now_ns() - before > 2000000000) {
				fprintf(stderr, "flxload: the card does not answer\n");
				exit(1);
			}
		after = now_ns();
		if ((after - before) / 2 < best.error_ns)
			best = {t->pong_ns, (before + after) / 2 - t->pong_ns,
				(after - before) / 2};
	}
	return best;
}

static void behave(FlxCard &c, unsigned fault, unsigned permille, bool flood, bool pushed)
{
	volatile flx_test *t = test_of(c);

	t->latency_ns = flood ? 10000 : 300000;
	t->ns_per_kib = flood ? 100 : 10000;
	t->tail_permille = flood ? 0 : 10;
	t->tail_ns = 1000000;
	t->fault = fault;
	t->fault_permille = permille;
	t->push_ns = pushed ? 100000 : 0;
	t->data_interrupt = !flood;
	t->read_ns = 0;
	t->run = (uint64_t)now_ns();
}

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static transfer move(FlxCard &c, int i, const char *mode, bool patient)
{
	static const size_t sizes[] = {1024, 4096, 16384, 65536, 65536, 2048};
	transfer x = {(unsigned)i % 2, i % 2 == 1, sizes[(size_t)i * 7 % 6], 0, 0};
	u_long at = c.bus_address();

	if (is(mode, "sleep"))
		c.irq_clear(FLX_END_VECTOR);
	x.begin_ns = now_ns();
	if (x.from_host)
		c.dma_from_host(x.channel, at, x.bytes, 0);
	else
		c.dma_to_host(x.channel, at + (512 << 10), x.bytes, 0);
	if (is(mode, "sleep"))
		c.irq_wait(FLX_END_VECTOR, 20);
	c.dma_wait(x.channel);
	x.end_ns = now_ns();
	if (patient)
		pause_ns(FLX_APART_NS + 3000000);
	return x;
}

// From the card's memory comes a count that begins with the transfer's number.
static int wrong_bytes(FlxCard &c, const transfer &x, unsigned i)
{
	const uint32_t *word = (const uint32_t *)((char *)c.buffer() + (512 << 10));
	int wrong = 0;

	if (!x.from_host)
		for (size_t w = 0; w < x.bytes / 4; w++)
			wrong += word[w] != (uint32_t)(i + w);
	return wrong;
}

// Whether a complete one was late is for who knows when its handler ran (compare.sql).
static const char *expected(const flx_log &l, bool masked)
{
	if (masked)
		return "polled";
	return l.fault == FLX_DROP ? "no_interrupt" : "complete";
}

static int64_t to_guest(int64_t card_ns, const offset &a, const offset &b)
{
	double share = b.at_ns > a.at_ns
			       ? (double)(card_ns - a.at_ns) / (double)(b.at_ns - a.at_ns)
			       : 0;

	return card_ns + a.add_ns + (int64_t)(share * (double)(b.add_ns - a.add_ns));
}

static int write_edges(FlxCard &c, const char *path, size_t n, const offset &a,
		       const offset &b)
{
	const volatile flx_log *log = (const volatile flx_log *)(c.bar() + FLX_LOG);
	FILE *f = fopen((std::string(path) + ".edges").c_str(), "we");

	for (size_t i = 0; f && i < n; i++) {
		flx_log l;

		memcpy(&l, (const void *)&log[i], sizeof(l));
		fprintf(f,
			"%zu\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64
			"\n",
			i + 1, l.channel, l.fault, to_guest(l.clear_ns, a, b),
			to_guest(l.cleared_ns, a, b),
			l.kick_ns ? to_guest(l.kick_ns, a, b) : 0,
			std::max(a.error_ns, b.error_ns));
	}
	return !f || fclose(f) ? 1 : 0;
}

static int write_truth(FlxCard &c, const char *path, const std::vector<transfer> &x,
		       const offset &a, const offset &b, bool masked)
{
	const volatile flx_log *log = (const volatile flx_log *)(c.bar() + FLX_LOG);
	FILE *f = fopen(path, "we");

	if (!f || test_of(c)->logged != x.size()) {
		fprintf(stderr, "flxload: %s, or the card saw %" PRIu64 " transfers\n",
			path, (uint64_t)test_of(c)->logged);
		return 1;
	}
	for (size_t i = 0; i < x.size(); i++) {
		flx_log l;

		memcpy(&l, (const void *)&log[i], sizeof(l));
		if (l.channel != x[i].channel || l.bytes != x[i].bytes)
			fprintf(stderr, "flxload: transfer %zu is another to the card\n",
				i + 1);
		fprintf(f, "%zu\t0\t%u\t%s\t%zu\t%s\t%" PRId64 "\t%" PRId64 "\t", i + 1,
			x[i].channel, x[i].from_host ? "from_host" : "to_host",
			x[i].bytes, expected(l, masked), x[i].begin_ns, x[i].end_ns);
		if (l.kick_ns && !masked)
			fprintf(f, "\t%" PRIu32 "\t%" PRId64 "\t%" PRId64 "\n", l.raised,
				l.kick_ns - l.bell_ns, to_guest(l.kick_ns, a, b));
		else
			fprintf(f, "\t\t\t\n");
	}
	return fclose(f) ? 1 : 0;
}

static int run(FlxCard &c, int count, const char *mode, unsigned fault, unsigned permille,
	       const char *truth)
{
	bool masked = is(mode, "masked"), pushed = !is(mode, "rush"),
	     patient = is(mode, "poll") || fault == FLX_DOUBLE;
	std::vector<transfer> x;
	int wrong = 0;
	offset a, b;

	for (u_int v = 0; v < c.vectors(); v++)
		masked ? c.irq_disable(v) : c.irq_enable(v);
	a = compare_clocks(c);
	behave(c, fault, permille, is(mode, "flood"), pushed);
	for (int i = 0; i < count; i++) {
		x.push_back(move(c, i, mode, patient));
		wrong += wrong_bytes(c, x.back(), (unsigned)i) != 0;
	}
	double seconds = (double)(x.back().end_ns - x.front().begin_ns) / 1e9;

	pause_ns(20000000);
	b = compare_clocks(c);
	printf("flxload: %.0f transfers a second\n", count / seconds);
	printf("flxload: %d transfers, %d with wrong data; clocks agree to %" PRId64
	       " ns and %" PRId64 " ns, drift %" PRId64 " ns\n",
	       count, wrong, a.error_ns, b.error_ns, b.add_ns - a.add_ns);
	return write_truth(c, truth, x, a, b, masked) ||
	       write_edges(c, truth, x.size(), a, b);
}

// ---- two threads that start at once ----

struct start {
	int64_t begin_ns;
	unsigned ran;
};

enum { RACERS = 2 };

// Each waits until all are there, and then a little, another time each time.
static void race(FlxCard &c, unsigned me, int cpu, int count, std::atomic<int> &there,
		 std::vector<start> &x)
{
	u_long at = c.bus_address() + me * (128 << 10);
	uint64_t random = 88172645463325252u + me;

	stay_on(cpu);
	for (int i = 0; i < count; i++) {
		unsigned number = (unsigned)i * RACERS + me + 1;

		there++;
		while (there < (i + 1) * RACERS)
			sched_yield();
		random = random * 6364136223846793005u + 1442695040888963407u;
		for (int64_t from = now_ns(), far = random >> 33 & 0x1ffff;
		     now_ns() - from < far;)
			;
		x[(size_t)i] = {now_ns(), 0};
		c.dma_to_host(me, at, 4096, number << 1);
		try {
			c.dma_wait(me);
		} catch (const std::exception &) {
		} // (its bit came back when the card had ended it)
	}
}

static int write_race(FlxCard &c, const char *path, std::vector<start> *x, size_t count)
{
	const volatile flx_log *log = (const volatile flx_log *)(c.bar() + FLX_LOG);
	FILE *f = fopen((std::string(path) + ".edges").c_str(), "we");
	size_t n = test_of(c)->logged;

	for (size_t i = 0; i < n && i < FLX_LOG_MAX; i++) {
		size_t number = log[i].number - 1;

		if (log[i].fault != FLX_UNDONE && number / RACERS < count)
			x[number % RACERS][number / RACERS].ran++;
	}
	for (unsigned me = 0; f && me < RACERS; me++)
		for (size_t i = 0; i < count; i++)
			fprintf(f, "%u\t%" PRId64 "\t%u\n", me, x[me][i].begin_ns,
				x[me][i].ran);
	return !f || fclose(f) ? 1 : 0;
}

static int run_race(FlxCard &c, int count, bool one_cpu, const char *truth)
{
	std::vector<start> x[RACERS];
	std::vector<std::thread> racer;
	std::atomic<int> there{0};

	for (u_int v = 0; v < c.vectors(); v++)
		c.irq_enable(v);
	behave(c, 0, 0, false, true);
	test_of(c)->latency_ns = 40000000;
	test_of(c)->tail_permille = 0;
	test_of(c)->read_ns = 200000;
	test_of(c)->data_interrupt = 0;
	c.ring(); // a new run
	pause_ns(50000000);
	for (unsigned me = 0; me < RACERS; me++)
		x[me].resize((size_t)count);
	for (unsigned me = 0; me < RACERS; me++)
		racer.emplace_back(race, std::ref(c), me, one_cpu ? 0 : (int)me, count,
				   std::ref(there), std::ref(x[me]));
	for (auto &t : racer)
		t.join();
	pause_ns(200000000);
	return write_race(c, truth, x, (size_t)count);
}

int main(int argc, char **argv)
{
	unsigned fault = 0;
	FlxCard card;

	while (argc == 7 && fault < FLX_FAULTS && !is(argv[3], fault_names[fault]))
		fault++;
	if (argc != 7 || fault == FLX_FAULTS || stay_on(atoi(argv[5])) ||
	    atoi(argv[1]) < 1 || atoi(argv[1]) > FLX_LOG_MAX) {
		fprintf(stderr,
			"usage: flxload COUNT sleep|poll|rush|flood|masked|race FAULT "
			"PERMILLE CPU TRUTH\n");
		return 2;
	}
	try {
		card.card_open(0);
		if (is(argv[2], "race"))
			return run_race(card, atoi(argv[1]), atoi(argv[4]) == 1000,
					argv[6]);
		return run(card, atoi(argv[1]), argv[2], fault, (unsigned)atoi(argv[4]),
			   argv[6]);
	} catch (const std::exception &e) {
		fprintf(stderr, "flxload: %s\n", e.what());
		return 1;
	}
}
