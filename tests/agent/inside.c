// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside -a AGENT [-teq] [-r COUNT,SEED] [-f FUNCTION]... [-n FILE] [-C LIBC] [-L LOADER]
 *        [-m RING] [-l LOG] [-R RUNS] -x FILE... -- COMMAND
 *
 * The agent without the kernel and without a recording: entries (-e: only those) and exits
 * of functions in the files are armed, the command is run, and its hits are counted. For
 * tests of what the agent does to a program, and for machines that are emulated. -n: names
 * of functions, one a line; -r: so many of those, or of all, chosen at random; -C, -L: the
 * C library and the loader, where the agent follows children and what is loaded later;
 * -t: the trial only; -R: so many runs of the command, until one has another status; -q: nothing of single places; -l: every hit, one a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/agent/hooks.h"
#include "record/agent/host.h"
#include "record/agent/place.h"
#include "record/elf/elf_file.h"

enum { MAX = 1024, MAX_NAMES = 10000 };

struct armed {
	char name[80];
	uint32_t index;
	uint64_t delivered;
};

struct run {
	struct agent_host *host;
	struct armed armed[MAX];
	size_t n;
	struct agent_place taken[MAX];
	uint32_t file[MAX];
	int quiet, entries;
	int64_t last_ns;
	uint64_t backward;
	FILE *log;
};

static void die(const struct err *e)
{
	fprintf(stderr, "inside: %s\n", e->text);
	exit(1);
}

static int on_hit(void *arg, const struct agent_hit *hit, struct err *e)
{
	struct run *r = arg;

	(void)e;
	for (size_t i = 0; i < r->n; i++)
		if (r->armed[i].index == hit->place) {
			r->armed[i].delivered++;
			if (r->log) {
				uint64_t v = 0;

				memcpy(&v, hit->args, 8);
				fprintf(r->log, "%s %d %d %" PRId64 " %" PRIu64 "\n",
					r->armed[i].name, hit->pid, hit->tid,
					hit->time_ns, v);
			}
		}
	return 0;
}

static int add(struct run *r, struct agent_place *p, const char *path, const char *name)
{
	struct err e = {0};
	uint32_t file;

	if (agent_host_file(r->host, path, &file, &e))
		die(&e);
	for (size_t i = 0; i < r->n; i++)
		if (r->file[i] == file && place_overlaps(&r->taken[i], p))
			return -1;
	if (r->n == MAX)
		return -1;
	p->file = file;
	if (agent_host_add(r->host, p, &r->armed[r->n].index, &e))
		die(&e);
	snprintf(r->armed[r->n].name, sizeof(r->armed[r->n].name), "%s", name);
	r->taken[r->n] = *p;
	r->file[r->n++] = file;
	return 0;
}

static void add_function(struct run *r, struct elf_file *f, const struct symbol *s)
{
	const char *args = !strcmp(elf_file_arch(f), "x86_64") ? "a=%di" : "a=%x0";
	const char *ret = !strcmp(elf_file_arch(f), "x86_64") ? "a=%ax" : "a=%x0";
	struct agent_place p;
	struct code_sites sites;
	struct err e = {0};
	char name[100];

	if (s->plt_or_ifunc)
		return;
	if (place_make(&p, f, s->addr, s->addr, PLACE_ENTRY, args, &e)) {
		if (!r->quiet)
			printf("# %s: %s\n", s->name, e.text);
		return;
	}
	add(r, &p, elf_file_path(f), s->name);
	if (r->entries || elf_file_exits(f, s, &sites, NULL))
		return;
	for (size_t i = 0; i < sites.n; i++) {
		uint64_t at = sites.site[i].addr;
		const struct elf_function *over = elf_function_over(f, at);

		snprintf(name, sizeof(name), "%.60s_ret%zu", s->name, i);
		e = (struct err){0};
		if (place_make(&p, f, over ? over->addr : s->addr, at,
			       sites.site[i].kind == SITE_RET ? PLACE_EXIT : PLACE_LEAVE,
			       ret, &e)) {
			if (!r->quiet)
				printf("# %s: %s\n", name, e.text);
		} else if (add(r, &p, elf_file_path(f), name) && !r->quiet) {
			printf("# %s: overlaps\n", name);
		}
	}
	code_sites_release(&sites);
}

static void add_named(struct run *r, struct elf_file *f, const char *name)
{
	struct symbol_list l;
	struct err e = {0};

	if (elf_file_find(f, name, &l, &e))
		die(&e);
	for (size_t i = 0; i < l.n; i++)
		add_function(r, f, &l.sym[i]);
	symbol_list_release(&l);
}

/* `count` of the names, without doubles among neighbours; all of them when it is 0. */
static void add_names(struct run *r, struct elf_file *f, char **name, size_t n, int count,
		      unsigned *seed)
{
	for (int i = 0; n && (count ? i < count : i < (int)n); i++)
		add_named(r, f, name[count ? (size_t)rand_r(seed) % n : (size_t)i]);
}

static size_t read_names(const char *path, char ***out)
{
	char **name = calloc(MAX_NAMES, sizeof(*name)), line[200];
	FILE *f = fopen(path, "re");
	size_t n = 0;

	while (f && name && n < MAX_NAMES && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		name[n++] = strdup(line);
	}
	if (f)
		fclose(f);
	*out = name;
	return n;
}

static void add_hooks(struct run *r, const char *path, bool loader)
{
	struct elf_file *f;
	struct hooks h;
	struct err e = {0};

	if (elf_file_open(&f, path, &e) || hooks_of(&h, f, loader, &e))
		die(&e);
	for (unsigned i = 0; i < h.n; i++)
		if (add(r, &h.place[i], path, "hook"))
			printf("# a hook is in the way\n");
	elf_file_close(f);
}

static void add_own(struct run *r)
{
	const char *path = agent_host_library(r->host);
	struct elf_file *f;
	const struct elf_function *x;
	struct agent_place p;
	struct err e = {0};

	if (elf_file_open(&f, path, &e) || !(x = elf_function_named(f, "agent_probed")) ||
	    place_make(&p, f, x->addr, x->addr, PLACE_ENTRY, "", &e))
		die(&e);
	add(r, &p, path, "agent_probed");
	elf_file_close(f);
}

static void *read_library(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *buf = malloc(4 << 20);

	*len = f && buf ? fread(buf, 1, 4 << 20, f) : 0;
	if (f)
		fclose(f);
	if (!*len) {
		fprintf(stderr, "inside: %s cannot be read\n", path);
		exit(1);
	}
	return buf;
}

static void print_reports(const struct run *r)
{
	struct agent_report x;
	uint32_t at = 0;
	char buf[128];

	while (agent_host_report(r->host, &at, &x))
		if (!r->quiet || x.verdict != AGENT_ARMED)
			printf("# process %d: %s: %s%s%s\n", x.pid,
			       agent_host_path(r->host, x.file),
			       agent_verdict_text(&x, buf),
			       x.verdict == AGENT_BYTES || x.verdict == AGENT_REACH
				       ? " at "
				       : "",
			       x.verdict == AGENT_BYTES || x.verdict == AGENT_REACH
				       ? r->armed[x.place].name
				       : "");
}

static int run_command(struct run *r, char **argv)
{
	struct err e = {0};
	bool whole;
	pid_t pid;
	int status = 0, go[2];

	fflush(stdout);
	if (pipe2(go, O_CLOEXEC))
		die(&e);
	pid = fork();
	if (!pid) {
		char byte;
		const char *emulator = getenv("INSIDE_SET"); /* QEMU_SET_ENV */
		char *value;

		if (emulator ? asprintf(&value, "LD_PRELOAD=%s",
					agent_host_library(r->host)) < 0
			     : asprintf(&value, "%s", agent_host_library(r->host)) < 0)
			_exit(126);
		setenv(emulator ? emulator : "LD_PRELOAD", value, 1);
		if (read(go[0], &byte, 1) != 1)
			_exit(125);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (agent_host_enable(r->host, &e))
		die(&e);
	if (write(go[1], "g", 1) != 1)
		die(&e);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct pollfd p = {agent_host_fd(r->host), POLLIN, 0};

		poll(&p, 1, 20);
		if (agent_host_drain(r->host, on_hit, r, &whole, &e))
			die(&e);
	}
	agent_host_disable(r->host);
	if (agent_host_finish(r->host, on_hit, r, &e))
		die(&e);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void print_counts(const struct run *r)
{
	uint64_t counted = 0, delivered = 0, lost = 0, bad = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t c, l;

		agent_host_count(r->host, r->armed[i].index, &c, &l);
		bad += c != r->armed[i].delivered + l;
		counted += c;
		lost += l;
		delivered += r->armed[i].delivered;
		if (!r->quiet && c)
			printf("%s counted %" PRIu64 " delivered %" PRIu64
			       " lost %" PRIu64 "\n",
			       r->armed[i].name, c, r->armed[i].delivered, l);
	}
	printf("all counted %" PRIu64 " delivered %" PRIu64 " lost %" PRIu64
	       " unequal %" PRIu64 " places %zu damaged %" PRIu64 "\n",
	       counted, delivered, lost, bad, r->n, agent_host_damaged(r->host));
}

/* What the command line asks for. */
struct asked {
	const char *function[MAX], *file[16], *library, *loader, *libc;
	size_t nfunction, nfile, nnames, ring;
	char **names;
	unsigned seed;
	bool trial;
	int random;
	long runs;
};

static bool take_option(struct asked *a, struct run *r, int c)
{
	char *end;

	if (c == 't')
		a->trial = true;
	else if (c == 'e')
		r->entries = 1;
	else if (c == 'R')
		a->runs = strtol(optarg, NULL, 10);
	else if (c == 'n')
		a->nnames = read_names(optarg, &a->names);
	else if (c == 'q')
		r->quiet = 1;
	else if (c == 'r')
		a->random = (int)strtol(optarg, &end, 10),
		a->seed = (unsigned)strtol(*end ? end + 1 : "1", NULL, 10);
	else if (c == 'f' && a->nfunction < MAX)
		a->function[a->nfunction++] = optarg;
	else if (c == 'x' && a->nfile < 16)
		a->file[a->nfile++] = optarg;
	else if (c == 'a')
		a->library = optarg;
	else if (c == 'L')
		a->loader = optarg;
	else if (c == 'C')
		a->libc = optarg;
	else if (c == 'm')
		a->ring = (size_t)strtol(optarg, NULL, 10);
	else if (c == 'l')
		r->log = fopen(optarg, "we");
	else
		return false;
	return true;
}

static void arm(struct run *r, struct asked *a)
{
	struct err e = {0};

	if (getenv("INSIDE_SET"))
		agent_host_slow_clock(r->host);
	add_own(r);
	if (a->loader)
		add_hooks(r, a->loader, true);
	if (a->libc)
		add_hooks(r, a->libc, false);
	for (size_t i = 0; i < a->nfile; i++) {
		struct elf_file *f;

		if (elf_file_open(&f, a->file[i], &e))
			die(&e);
		for (size_t k = 0; k < a->nfunction; k++)
			add_named(r, f, a->function[k]);
		add_names(r, f, a->names, a->nnames, a->random, &a->seed);
		elf_file_close(f);
	}
	if (agent_host_write(r->host, a->trial, a->libc != NULL, &e))
		die(&e);
}

static void try_it(struct run *r, char **argv)
{
	struct err e = {0};
	int64_t hit, clock;

	if (agent_host_trial(r->host, argv, &hit, &clock, &e))
		printf("trial: %s\n", e.text);
	else
		printf("hit %.2f clock %.2f ns\n", (double)hit / 100,
		       (double)clock / 100);
}

int main(int argc, char **argv)
{
	static struct run r;
	struct asked a = {.seed = 1, .runs = 1};
	size_t len = 0;
	int c, status = 0, first = 0;
	struct err e = {0};
	void *bytes;

	while ((c = getopt(argc, argv, "+teqr:f:n:x:a:L:C:m:l:R:")) != -1)
		if (!take_option(&a, &r, c))
			return 2;
	if (optind == argc || !a.library)
		return 2;
	bytes = read_library(a.library, &len);
	if (agent_host_open(&r.host, bytes, len, a.ring, CLOCK_MONOTONIC, &e))
		die(&e);
	arm(&r, &a);
	if (a.trial)
		try_it(&r, argv + optind);
	for (long k = 0; !a.trial && k < a.runs && (!k || status == first); k++) {
		status = run_command(&r, argv + optind);
		first = k ? first : status;
	}
	print_reports(&r);
	print_counts(&r);
	agent_host_close(r.host);
	if (r.log)
		fclose(r.log);
	return status;
}
