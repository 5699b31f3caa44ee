/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Damaged files for a tool that was built with sanitizers:
 *   hostile DIR FIRST N KIND SEEDFILE... --- COMMAND... [--- COMMAND...]
 * Mutant i of a kind is always the same. It is written to DIR/mutant, which "{}" in a
 * command becomes ("{db}": a fresh name), and each command in turn gets a mutant. A
 * mutant fails that ends by a signal or with a status that is none of ours, that any
 * sanitizer reports, or that takes more than CPU_SECONDS or MEMORY_KIB; it is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CPU_SECONDS = 10,
	MEMORY_KIB = 512 << 10,
	HANG_SECONDS = 120, /* for one that sleeps; a busy machine is no hang */
	MAX_SEED = 1 << 20,
	MAX_COMMANDS = 8,
	SANITIZER_STATUS = 99,
};

/* ---- mutants ---- */

struct bytes {
	uint8_t *at;
	size_t n;
};

static uint64_t state;

/* xorshift64* */
static uint64_t draw(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return below ? state * UINT64_C(0x2545f4914f6cdd1d) % below : 0;
}

static uint64_t striking(void)
{
	static const uint64_t value[] = {0,	     1,
					 7,	     8,
					 0x7f,	     0x80,
					 0xff,	     0xffff,
					 0x10000,    0x7fffffff,
					 0x80000000, 0xffffffff,
					 INT64_MAX,  UINT64_C(1) << 63,
					 UINT64_MAX, UINT64_MAX - 7};

	return value[draw(sizeof(value) / sizeof(*value))];
}

static size_t length(const struct bytes *b)
{
	return b->n ? 1 + draw(draw(2) ? (b->n < 64 ? b->n : 64) : b->n) : 0;
}

static void put_number(struct bytes *b)
{
	static const size_t width[] = {1, 2, 4, 8};
	size_t size = width[draw(4)];
	uint64_t v = draw(4) ? striking() : draw(UINT64_MAX);
	size_t at;

	if (b->n < size)
		return;
	at = draw(b->n - size + 1);
	if (draw(2))
		at -= at % size; /* where fields lie */
	memcpy(b->at + at, &v, size);
}

static void remove_block(struct bytes *b)
{
	size_t len = length(b), at = draw(b->n - len + 1);

	memmove(b->at + at, b->at + at + len, b->n - at - len);
	b->n -= len;
}

/* A block of its own comes again, once or often. */
static void repeat_block(struct bytes *b)
{
	size_t len = length(b), from = draw(b->n - len + 1), at = draw(b->n + 1);
	size_t times = draw(8) ? 1 : 1 + draw(1000);
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, b->at + from, len);
	for (; times && b->n + len <= MAX_SEED; times--) {
		memmove(b->at + at + len, b->at + at, b->n - at);
		memcpy(b->at + at, copy, len);
		b->n += len;
	}
	free(copy);
}

static void swap_blocks(struct bytes *b)
{
	size_t len = length(b), x, y;

	if (b->n < 2 * len)
		return;
	x = draw(b->n - 2 * len + 1);
	y = x + len + draw(b->n - 2 * len - x + 1);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = b->at[x + i];

		b->at[x + i] = b->at[y + i];
		b->at[y + i] = c;
	}
}

static void mutate(struct bytes *b)
{
	for (uint64_t n = 1 + draw(6); n && b->n; n--) {
		switch (draw(8)) {
		case 0:
		case 1:
			b->at[draw(b->n)] ^= (uint8_t)(1 << draw(8));
			break;
		case 2:
		case 3:
		case 4:
			put_number(b);
			break;
		case 5:
			repeat_block(b);
			break;
		case 6:
			draw(4) ? remove_block(b) : (void)(b->n = draw(b->n + 1));
			break;
		default:
			swap_blocks(b);
		}
	}
}

static void read_seed(struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f) {
		perror(path);
		exit(2);
	}
	b->n = fread(b->at, 1, MAX_SEED, f);
	fclose(f);
}

static void write_file(const char *path, const struct bytes *b)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(b->at, 1, b->n, f) != b->n || fclose(f)) {
		perror(path);
		exit(2);
	}
}

/* ---- runs ---- */

struct run {
	char mutant[300], db[300], log[300];
};

static void start(const struct run *r, char **command)
{
	struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS + 1}, core = {0, 0};
	int out = open(r->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(out, 2);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	for (char **word = command; *word; word++)
		*word = !strcmp(*word, "{}")	 ? (char *)r->mutant
			: !strcmp(*word, "{db}") ? (char *)r->db
						 : *word;
	execv(command[0], command);
	_exit(SANITIZER_STATUS);
}

/* Waits for its end; a process that sleeps for ever is ended. */
static bool wait_for(pid_t pid, int *status, struct rusage *used)
{
	struct timespec pause = {0, 2000000};

	for (time_t end = time(NULL) + HANG_SECONDS; time(NULL) < end;) {
		if (wait4(pid, status, WNOHANG, used) == pid)
			return true;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	wait4(pid, status, 0, used);
	return false;
}

static bool log_has(const char *path, const char *words)
{
	static char text[1 << 16];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : ' ';
	return strstr(text, words);
}

/* NULL = as it should be. */
static const char *judge(const struct run *r, char **command)
{
	static char why[100];
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return "no process";
	if (!pid)
		start(r, command);
	if (!wait_for(pid, &status, &used))
		return "hangs";
	if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "signal %d", WTERMSIG(status));
	else if (log_has(r->log, "Sanitizer") || log_has(r->log, "runtime error:"))
		snprintf(why, sizeof(why), "a sanitizer's report");
	else if (WEXITSTATUS(status) > 3 && WEXITSTATUS(status) != 126 &&
		 WEXITSTATUS(status) != 127)
		snprintf(why, sizeof(why), "status %d", WEXITSTATUS(status));
	else if (used.ru_maxrss > MEMORY_KIB)
		snprintf(why, sizeof(why), "%ld KiB of memory", used.ru_maxrss);
	else
		return NULL;
	return why;
}

static bool one(struct run *r, const char *kind, uint64_t i, char **seed, size_t nseed,
		char **command[], size_t ncommand, struct bytes *b)
{
	const char *why;
	char kept[400];

	state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
	for (const char *p = kind; *p; p++)
		state = (state ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	state |= 1;
	read_seed(b, seed[draw(nseed)]);
	mutate(b);
	write_file(r->mutant, b);
	chmod(r->mutant, 0755);
	unlink(r->db);
	why = judge(r, command[i % ncommand]);
	if (!why)
		return true;
	snprintf(kept, sizeof(kept), "%s-%s-%" PRIu64, r->mutant, kind, i);
	write_file(kept, b);
	printf("%s %" PRIu64 ": %s; kept as %s\n", kind, i, why, kept);
	return false;
}

int main(int argc, char **argv)
{
	char **seed = argv + 5, **command[MAX_COMMANDS];
	size_t nseed = 0, ncommand = 0;
	struct bytes b = {.at = malloc(MAX_SEED)};
	struct run r;
	uint64_t first, n, bad = 0;

	for (int i = 5; i < argc && ncommand < MAX_COMMANDS; i++)
		if (!strcmp(argv[i], "---")) {
			nseed = nseed ? nseed : (size_t)(i - 5);
			argv[i] = NULL;
			command[ncommand++] = argv + i + 1;
		}
	if (!b.at || !nseed || !ncommand) {
		fputs("hostile DIR FIRST N KIND SEEDFILE... --- COMMAND...\n", stderr);
		return 2;
	}
	snprintf(r.mutant, sizeof(r.mutant), "%s/mutant", argv[1]);
	snprintf(r.db, sizeof(r.db), "%s/mutant.db", argv[1]);
	snprintf(r.log, sizeof(r.log), "%s/log", argv[1]);
	first = strtoull(argv[2], NULL, 10);
	n = strtoull(argv[3], NULL, 10);
	for (uint64_t i = first; i < first + n; i++)
		bad += !one(&r, argv[4], i, seed, nseed, command, ncommand, &b);
	printf("%s: %" PRIu64 " mutants, %" PRIu64 " failed\n", argv[4], n, bad);
	free(b.at);
	return bad ? 1 : 0;
}
