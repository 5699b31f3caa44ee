/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge: recordings of a simulated world (tests/gen/world.h), stratum by stratum,
 * through a joiner, held against the truth. Seeds below 10^6 are for work; those above
 * are the gate's and are judged only with --gate, so that nobody works on them unawares.
 * Every recording is judged in a process of its own: one that crashes or runs out of time
 * is a failure of that recording alone.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cli.h"
#include "lib/err.h"
#include "lib/num.h"
#include "tests/gate/limits.h"
#include "tests/gate/tally.h"

enum { GATE_SEEDS = 1000000, JOBS_MAX = 64, TIME_LIMIT_S = 600, AROUND = 14 };
enum { MODE_NAMED = 1, MODE_FOUND = 2 };

static const struct judge_joiner *const joiners[] = {&judge_joiner_now,
						     &judge_joiner_align, &judge_oracle};
enum { NJOINERS = sizeof(joiners) / sizeof(*joiners) };

struct options {
	uint64_t from, to, transfers;
	const char *stratum, *tell, *todo;
	const struct judge_joiner *joiner;
	unsigned modes, jobs;
	bool gate, list, reliability, tap;
};

/* ---- one recording ---- */

struct telling {
	const struct options *o;
	const struct recording *r;
};

static void print_around(const struct telling *t, int64_t seq)
{
	recording_print(t->r, seq - AROUND, seq + 2 * AROUND);
}

static void tell(void *arg, const struct judge_said *s, const struct world_truth *x,
		 bool certain, bool wrong)
{
	struct telling *t = arg;
	int64_t seq = s->t->submit_seq;
	const char *what = t->o->tell;
	bool asked = (!strcmp(what, "wrong") && wrong) ||
		     (!strcmp(what, "unknown") && !certain) ||
		     (uint64_t)seq == strtoull(what, NULL, 10);

	if (!asked)
		return;
	printf("%s %" PRId64 ": said %s irq %" PRId64 " woken %" PRId64
	       " coalesced %d (%s); true %s irq %" PRId64 " woken %" PRId64
	       " coalesced %d touched %x\n",
	       wrong	 ? "WRONG"
	       : certain ? "right"
			 : "unknown",
	       seq, state_name(s->t->state),
	       s->t->irq_seq == DMA_UNKNOWN ? -9 : s->t->irq_seq,
	       s->t->woken_seq == DMA_UNKNOWN ? -9 : s->t->woken_seq, s->t->coalesced,
	       s->t->reason ? s->t->reason : "", state_name(x->state),
	       x->irq_seq == DMA_UNKNOWN ? -9 : x->irq_seq,
	       x->woken_seq == DMA_UNKNOWN ? -9 : x->woken_seq, x->coalesced, x->touched);
	print_around(t, seq);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void describe(const struct options *o, const struct recording *r)
{
	char line[1024];

	if (o->tell)
		printf("seed %" PRIu64 ": %s\n", r->o.seed,
		       world_describe(&r->o, line, sizeof(line)));
	if (o->tell && !strcmp(o->tell, "events"))
		recording_print(r, 0, INT64_MAX);
}

/* A transfer that was not told, or told twice, is a failure of the whole recording. */
static bool all_told(const struct recording *r, const uint64_t *judged)
{
	for (size_t i = 0; i < r->ntruth; i++)
		if (judged[i] != r->truth[i].recorded)
			return false;
	return true;
}

static void judge_one(const struct options *o, const struct world_stratum *s,
		      uint64_t seed, bool find, struct tally *n)
{
	struct world_options wo = {.count = o->transfers};
	struct recording r;
	struct telling t = {.o = o, .r = &r};
	struct tally_judge j = {.n = n,
				.r = &r,
				.skip = s->skip,
				.tell = o->tell ? tell : NULL,
				.tell_arg = &t};
	struct judge_sink sink = {&j, tally_transfer, tally_vector};
	struct err e = {0};
	double begin;
	int rc;

	world_draw(&wo, seed, s);
	rc = recording_make(&r, &wo, &e);
	if (!rc) {
		describe(o, &r);
		j.judged = calloc(r.ntruth + 1, sizeof(*j.judged));
		begin = seconds_now();
		rc = j.judged ? recording_judge(&r, o->joiner, find, &sink, &e)
			      : ERR_NOMEM;
		n->seconds = seconds_now() - begin;
	}
	tally_close(&j);
	n->recordings = 1;
	n->events = r.nsample;
	if (!rc && !all_told(&r, j.judged))
		rc = err_set(&e, ERR_FORMAT, "a transfer was left out or told twice");
	if (rc)
		fprintf(stderr, "gate: %s, seed %" PRIu64 ": %s\n", s->name, seed,
			e.text);
	n->failed = rc != 0;
	free(j.judged);
	recording_release(&r);
}

/* ---- many, each in its own process ---- */

struct job {
	pid_t pid;
	int fd;
	uint64_t seed;
};

static int job_start(struct job *job, const struct options *o,
		     const struct world_stratum *s, uint64_t seed, bool find)
{
	int fd[2];

	if (pipe(fd))
		return -1;
	fflush(stdout);
	job->seed = seed;
	job->pid = fork();
	if (!job->pid) {
		struct tally n = {0};

		close(fd[0]);
		alarm(TIME_LIMIT_S);
		judge_one(o, s, seed, find, &n);
		fflush(stdout);
		_exit(write(fd[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
	}
	close(fd[1]);
	job->fd = fd[0];
	return job->pid < 0 ? -1 : 0;
}

static void job_end(struct job *job, const struct world_stratum *s, struct tally *sum)
{
	struct tally n = {0};
	int status;

	if (read(job->fd, &n, sizeof(n)) != sizeof(n))
		n = (struct tally){.recordings = 1, .failed = 1};
	close(job->fd);
	waitpid(job->pid, &status, 0);
	if (status)
		fprintf(stderr, "gate: %s, seed %" PRIu64 ": %s\n", s->name, job->seed,
			WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "failed");
	tally_add(sum, &n);
	*job = (struct job){0};
}

static int judge_stratum(const struct options *o, const struct world_stratum *s,
			 bool find, struct tally *sum)
{
	struct job job[JOBS_MAX] = {0};
	uint64_t seed = o->from;
	unsigned k = 0;

	for (; seed <= o->to; seed++, k = (k + 1) % o->jobs) {
		if (job[k].pid)
			job_end(&job[k], s, sum);
		if (job_start(&job[k], o, s, seed, find))
			return -1;
	}
	for (unsigned i = 0; i < o->jobs; i++, k = (k + 1) % o->jobs)
		if (job[k].pid)
			job_end(&job[k], s, sum);
	return 0;
}

/* ---- all of it ---- */

static void print_head(const struct options *o)
{
	printf("%sjoiner %s, seeds %" PRIu64 "..%" PRIu64 ", %" PRIu64
	       " transfers each\n",
	       o->tap ? "# " : "", o->joiner->name, o->from, o->to, o->transfers);
	print_columns(o->tap);
}

/* A name that is one whole means that one alone. */
static bool is_asked(const struct options *o, const struct world_stratum *s)
{
	for (size_t i = 0; i < world_nstrata && o->stratum; i++)
		if (!strcmp(world_strata[i].name, o->stratum))
			return s == &world_strata[i];
	return !o->stratum || strstr(s->name, o->stratum);
}

static int judge_mode(const struct options *o, const struct world_stratum *s, bool find,
		      struct limits *l, struct tally *all)
{
	struct tally n = {0};

	if (!(o->modes & (find ? MODE_FOUND : MODE_NAMED)) || !is_asked(o, s))
		return 0;
	if (judge_stratum(o, s, find, &n))
		return -1;
	print_row(s->name, find, &n, o->tap);
	if (o->reliability)
		print_reliability(&n, o->tap);
	limits_judge(l, s, find, &n, o->tap);
	tally_add(all, &n);
	return 0;
}

static int run(const struct options *o)
{
	struct tally all[2] = {0};
	struct limits l = {.todo = o->todo};

	print_head(o);
	for (size_t i = 0; i < world_nstrata; i++)
		for (int find = 0; find < 2; find++)
			if (judge_mode(o, &world_strata[i], find, &l, &all[find])) {
				perror("gate");
				return EXIT_FAILED;
			}
	for (int find = 0; find < 2; find++)
		if (all[find].recordings) {
			print_row("all", find, &all[find], o->tap);
			print_reliability(&all[find], o->tap);
			limits_judge(&l, NULL, find, &all[find], o->tap);
		}
	if (o->tap)
		printf("1..%u\n", l.n);
	return l.broken ? EXIT_FAILED : EXIT_OK;
}

/* ---- the command line ---- */

enum {
	KEY_SEEDS = 256,
	KEY_STRATUM,
	KEY_TRANSFERS,
	KEY_NAMED,
	KEY_FOUND,
	KEY_JOBS,
	KEY_TELL,
	KEY_JOINER,
	KEY_GATE,
	KEY_LIST,
	KEY_RELIABILITY,
	KEY_TAP,
	KEY_TODO
};

static const struct argp_option table[] = {
	{"seeds", KEY_SEEDS, "FROM..TO", 0,
	 "Recordings of each stratum (default 1..20; with --gate 1000001..1000020)", 0},
	{"stratum", KEY_STRATUM, "NAME", 0, "Only those whose name holds NAME", 0},
	{"transfers", KEY_TRANSFERS, "N", 0, "In each recording (default 2000)", 0},
	{"named", KEY_NAMED, NULL, 0, "Only with the vectors named", 0},
	{"found", KEY_FOUND, NULL, 0, "Only with the vectors to be found", 0},
	{"jobs", KEY_JOBS, "N", 0, "Recordings at a time (default 1)", 0},
	{"joiner", KEY_JOINER, "NAME", 0,
	 "now (default); align: the alignment on its ends; oracle: knows the world, not its events",
	 0},
	{"tell", KEY_TELL, "WHAT", 0,
	 "Print what was said: wrong, unknown, events, or a submit's seq", 0},
	{"reliability", KEY_RELIABILITY, NULL, 0,
	 "Said probability against share right for each stratum, too", 0},
	{"gate", KEY_GATE, NULL, 0, "Seeds from 10^6 on: to judge, not to work on", 0},
	{"tap", KEY_TAP, NULL, 0, "The limits as tests, for prove", 0},
	{"todo", KEY_TODO, "FILE", 0,
	 "Names of tests, one a line, whose limit is not reached yet", 0},
	{"list", KEY_LIST, NULL, 0, "Name the strata", 0},
	{0}};

static void set_seeds(struct options *o, const char *text, struct argp_state *state)
{
	char *end;

	o->from = o->to = strtoull(text, &end, 10);
	if (end != text && !strncmp(end, "..", 2))
		o->to = strtoull(end + 2, &end, 10);
	if (end == text || *end || o->to < o->from)
		argp_error(state, "--seeds %s: FROM..TO is wanted", text);
}

static void set_joiner(struct options *o, const char *text, struct argp_state *state)
{
	for (int i = 0; i < NJOINERS; i++)
		if (!strcmp(joiners[i]->name, text)) {
			o->joiner = joiners[i];
			return;
		}
	argp_error(state, "--joiner %s: there is none of that name", text);
}

static int64_t number(const char *text, int64_t max, const char *name,
		      struct argp_state *state)
{
	int64_t n = 0;
	struct err e = {0};

	if (num_i64(text, 1, max, &n, &e))
		argp_error(state, "%s %s", name, e.text);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_SEEDS:
		set_seeds(o, arg, state);
		return 0;
	case KEY_STRATUM:
		o->stratum = arg;
		return 0;
	case KEY_TRANSFERS:
		o->transfers = (uint64_t)number(arg, 100000000, "--transfers", state);
		return 0;
	case KEY_NAMED:
		o->modes |= MODE_NAMED;
		return 0;
	case KEY_FOUND:
		o->modes |= MODE_FOUND;
		return 0;
	case KEY_JOBS:
		o->jobs = (unsigned)number(arg, JOBS_MAX, "--jobs", state);
		return 0;
	case KEY_JOINER:
		set_joiner(o, arg, state);
		return 0;
	case KEY_TELL:
		o->tell = arg;
		return 0;
	case KEY_RELIABILITY:
		o->reliability = true;
		return 0;
	case KEY_GATE:
		o->gate = true;
		return 0;
	case KEY_TAP:
		o->tap = true;
		return 0;
	case KEY_TODO:
		o->todo = arg;
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->from) {
			o->from = o->gate ? GATE_SEEDS + 1 : 1;
			o->to = o->from + 19;
		}
		if (o->to >= GATE_SEEDS && !o->gate)
			argp_error(state, "seeds from %d on are the gate's: --gate",
				   GATE_SEEDS);
		if (o->gate && o->from < GATE_SEEDS)
			argp_error(state, "--gate: its seeds begin at %d", GATE_SEEDS);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		table, parse, NULL, "Judge a joiner on simulated recordings.",
		NULL,  NULL,  NULL};
	struct options o = {.transfers = 2000, .joiner = joiners[0], .jobs = 1};

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	o.modes = o.modes ? o.modes : MODE_NAMED | MODE_FOUND;
	for (size_t i = 0; i < world_nstrata && o.list; i++)
		puts(world_strata[i].name);
	return o.list ? EXIT_OK : run(&o);
}
