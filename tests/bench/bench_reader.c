/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reading a recording costs: ns for each record, of reading alone and of reading
 * with decoding, beside a plain read() of the same file; and the memory that it takes.
 *
 *   bench_reader [RECORDS...]          default 1000000
 *
 * The recording is made here: transfers on four rings (CPUs) with start, exit, interrupt,
 * wait and exit, 1000 records of a ring between two rounds. Each measurement runs in a
 * process of its own, so that its peak memory is its own; the file is in the page cache.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/event/event.h"
#include "lib/num.h"
#include "tests/unit/rawfile.h"

enum { IRQ, START, START_EXIT, WAIT, WAIT_EXIT, NEVENT };

static const struct raw_event events[NEVENT] = {
	[IRQ] = {"irq:irq_handler_entry", "s32 irq", true},
	[START] = {"dmarec_1:dma_to_host", "u32 channel,u64 size,u64 addr", false},
	[START_EXIT] = {"dmarec_1:dma_to_host_x0", "s32 ret", false},
	[WAIT] = {"dmarec_1:dma_wait", "u32 channel", false},
	[WAIT_EXIT] = {"dmarec_1:dma_wait_x0", "s32 ret", false},
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_reader: %s: %s\n", what, why);
	exit(1);
}

static void fill_meta(struct meta *m)
{
	static const enum role role[NEVENT] = {ROLE_INTERRUPT, ROLE_SUBMIT, ROLE_STARTED,
					       ROLE_WAIT, ROLE_WOKEN};

	meta_init(m);
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(m);

		ev->attr = i;
		ev->name = strdup(events[i].name);
		ev->role = role[i];
		ev->func = i == IRQ ? -1 : i >= WAIT;
		if (i == START_EXIT || i == WAIT_EXIT)
			condition_parse("ret<0", &ev->fail, NULL);
	}
}

/* n records; returns the file's name, malloc'ed. */
static char *make_file(int64_t n)
{
	static const size_t order[5] = {START, START_EXIT, WAIT, IRQ, WAIT_EXIT};
	struct rawfile *f;
	struct meta m;
	char *path;

	fill_meta(&m);
	f = rawfile_new(events, NEVENT, &m);
	for (int64_t i = 0; i < n;) {
		for (int cpu = 0; cpu < RAW_RINGS; cpu++)
			for (int64_t k = 0; k < 1000 && i < n; k++, i++) {
				int64_t t = 1000000 + (i / 4000 * 1000 + k) * 1000 + cpu;
				size_t ev = order[k % 5];

				rawfile_sample(f, ev, t, cpu, 100 + cpu,
					       ev == IRQ ? (int64_t[]){68, 0, 0}
							 : (int64_t[]){k % 8, 4096, k});
			}
		rawfile_round(f);
	}
	path = strdup(rawfile_path(f));
	rawfile_finish_file(f, &m, true);
	free(f);
	meta_release(&m);
	return path;
}

/* ---- what is measured; each returns how many records it saw ---- */

static int64_t plain_read(const char *path)
{
	size_t room = 1 << 20;
	char *buf = malloc(room);
	int fd = open(path, O_RDONLY);
	ssize_t n;
	int64_t sum = 0;

	while ((n = read(fd, buf, room)) > 0)
		for (ssize_t i = 0; i < n; i += 64) /* look at each cache line */
			sum += buf[i];
	close(fd);
	free(buf);
	return n < 0 ? -1 : sum & 0;
}

static int64_t read_records(const char *path, bool decode)
{
	struct event_decoder *d = NULL;
	struct perfdata_rec rec;
	struct perfdata *p;
	struct err e = {0};
	struct sample s;
	struct meta m;
	bool guessed;
	int64_t n = 0;
	int rc;

	if (perfdata_open(&p, path, &e))
		die(path, e.text);
	meta_init(&m);
	if (decode && event_decoder_new(&d, p, NULL, &m, &guessed, &e))
		die(path, e.text);
	while ((rc = perfdata_next(p, &rec, &e)) > 0) {
		if (decode && event_decode(d, &rec, &s, &e) < 0)
			die(path, e.text);
		n++;
	}
	if (rc)
		die(path, e.text);
	event_decoder_free(d);
	meta_release(&m);
	perfdata_close(p);
	return n;
}

static int64_t next_only(const char *path)
{
	return read_records(path, false);
}

static int64_t next_and_decode(const char *path)
{
	return read_records(path, true);
}

/* ---- measuring ---- */

struct result {
	int64_t ns, n;
	int64_t peak_kib;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The best of three, each in a process of its own. */
static struct result measure(int64_t (*what)(const char *), const char *path)
{
	struct result best = {.ns = INT64_MAX}, one;

	for (int i = 0; i < 3; i++) {
		int fd[2], status;
		pid_t pid;

		if (pipe(fd))
			die("pipe", "refused");
		pid = fork();
		if (!pid) {
			int64_t begin = now_ns();
			struct rusage u;

			one.n = what(path);
			one.ns = now_ns() - begin;
			getrusage(RUSAGE_SELF, &u);
			one.peak_kib = u.ru_maxrss;
			_exit(write(fd[1], &one, sizeof(one)) != sizeof(one));
		}
		close(fd[1]);
		if (read(fd[0], &one, sizeof(one)) != sizeof(one))
			die(path, "a measurement failed");
		close(fd[0]);
		waitpid(pid, &status, 0);
		if (one.ns < best.ns)
			best = one;
	}
	return best;
}

static void report(const char *what, const struct result *r, int64_t n, int64_t plain_ns)
{
	printf("%-16s %10" PRId64
	       " records  %7.1f ns each  %5.1f x read()  peak %6.1f MiB\n",
	       what, n, (double)r->ns / (double)n, (double)r->ns / (double)plain_ns,
	       (double)r->peak_kib / 1024);
}

static void bench(int64_t n)
{
	char *path = make_file(n);
	struct result plain = measure(plain_read, path), next = measure(next_only, path),
		      both = measure(next_and_decode, path);

	unlink(path);
	free(path);
	if (next.n != n || both.n != n)
		die("records", "not all were read");
	report("read()", &plain, n, plain.ns);
	report("perfdata_next", &next, n, plain.ns);
	report("  + event_decode", &both, n, plain.ns);
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int64_t n;

	if (argc < 2)
		bench(1000000);
	for (int i = 1; i < argc; i++) {
		if (num_i64(argv[i], 1, 1000000000, &n, &e))
			die("RECORDS", e.text);
		bench(n);
	}
	return 0;
}
