/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Damaged files for tools that were built with sanitizers:
 *   hostile DIR KEPT FIRST N KIND SEEDFILE... --- COMMAND... [--- COMMAND...]
 * The four tools are in this program: a child that is forked from it calls their own main()
 * for BATCH mutants, one after the other, since the start of a process and its search for
 * leaks cost more than the reading. Where anything happens to such a child, each of its
 * mutants gets a child of its own, which is judged.
 * Mutant i of a kind is always the same. It is written to DIR/mutant, which "{}" in a
 * command becomes ("{db}": a fresh name), and each command in turn gets a mutant. A
 * mutant fails that ends by a signal or with a status that is none of ours, that any
 * sanitizer reports, or that takes more than CPU_SECONDS or MEMORY_KIB; it is kept in KEPT.
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
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/hostile/mutate.h"

enum {
	CPU_SECONDS = 10,
	MEMORY_KIB = 512 << 10,
	HANG_SECONDS = 120, /* for one that sleeps; a busy machine is no hang */
	MAX_COMMANDS = 8,
	BATCH = 50,
	MAX_WORDS = 32,
	NO_TOOL = 98,
};

/* main() of each tool, and what has no tool that takes a file of the kind
 * (tests/hostile/build.mk). */
int dmarec_main(int argc, char **argv);
int dmaanalyze_main(int argc, char **argv);
int dmacompare_main(int argc, char **argv);
int dmareport_main(int argc, char **argv);
int fuzz_irqmap(const uint8_t *data, size_t size);

static int irqmap_main(int argc, char **argv)
{
	struct bytes b = {.at = malloc(MAX_SEED)};
	uint8_t *exact;

	if (!b.at || argc < 2)
		return NO_TOOL;
	bytes_read(&b, argv[1]);
	exact = malloc(b.n + 1); /* whose end is guarded */
	if (!exact)
		return NO_TOOL;
	memcpy(exact, b.at, b.n);
	exact[b.n] = 0;
	fuzz_irqmap(exact, b.n);
	free(exact);
	free(b.at);
	return 0;
}

static const struct tool {
	const char *name;
	int (*main)(int argc, char **argv);
} tool[] = {
	{"dmarec", dmarec_main},	 {"dmaanalyze", dmaanalyze_main},
	{"dmacompare", dmacompare_main}, {"dmareport", dmareport_main},
	{"irqmap", irqmap_main},
};

struct plan {
	char mutant[300], db[300], log[300];
	const char *kept, *kind;
	char **seed, ***command;
	size_t nseed, ncommand;
	struct bytes b;
	/* What the child is at, shared with it; `end` when it has come to its end. */
	uint64_t *at;
	double most_s; /* of CPU time, of one that ran alone or of the mean of a batch */
	long most_kib;
};

static void make(struct plan *p, uint64_t i)
{
	struct luck l = luck_of(p->kind, i);

	bytes_read(&p->b, p->seed[luck_draw(&l, p->nseed)]);
	mutate(&p->b, &l);
	bytes_write(&p->b, p->mutant);
	chmod(p->mutant, 0755);
	unlink(p->db);
}

static int run_tool(struct plan *p, char **command)
{
	char *word[MAX_WORDS], copy[MAX_WORDS][300];
	int argc = 0;

	for (; command[argc] && argc < MAX_WORDS - 1; argc++) {
		snprintf(copy[argc], sizeof(copy[argc]), "%s",
			 !strcmp(command[argc], "{}")	  ? p->mutant
			 : !strcmp(command[argc], "{db}") ? p->db
							  : command[argc]);
		word[argc] = copy[argc];
	}
	word[argc] = NULL;
	for (size_t i = 0; i < sizeof(tool) / sizeof(*tool); i++)
		if (!strcmp(tool[i].name, word[0]))
			return tool[i].main(argc, word);
	return NO_TOOL;
}

static bool bad_status(int status)
{
	return (status < 0 || status > 3) && status != 126 && status != 127;
}

/* Never returns. Its status is that of the last mutant, or of the first that is bad. */
static void child(struct plan *p, uint64_t first, uint64_t end)
{
	struct rlimit core = {0, 0}, cpu = {CPU_SECONDS * (end - first),
					    CPU_SECONDS * (end - first) + 1};
	struct itimerval each = {.it_value.tv_sec = CPU_SECONDS};
	int out = open(p->log, O_WRONLY | O_CREAT | O_TRUNC, 0600), status = 0;
	sigset_t none;

	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(out, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	for (uint64_t i = first; i < end && !bad_status(status); i++) {
		*p->at = i;
		make(p, i);
		setitimer(ITIMER_PROF, &each, NULL);
		status = run_tool(p, p->command[i % p->ncommand]);
	}
	if (!bad_status(status))
		*p->at = end;
	exit(status);
}

/* Waits for its end; a process that sleeps for ever is ended. SIGCHLD is blocked. */
static bool wait_for(pid_t pid, int *status, struct rusage *used)
{
	struct timespec left = {.tv_sec = HANG_SECONDS};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (wait4(pid, status, WNOHANG, used) != pid)
		if (sigtimedwait(&child, NULL, &left) < 0 && errno == EAGAIN) {
			kill(pid, SIGKILL);
			wait4(pid, status, 0, used);
			return false;
		}
	return true;
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
static const char *judge(struct plan *p, uint64_t first, uint64_t end)
{
	static char why[100];
	struct rusage used;
	double took;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return "no process";
	if (!pid)
		child(p, first, end);
	if (!wait_for(pid, &status, &used))
		return "hangs";
	took = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	took /= (double)(end - first);
	p->most_s = took > p->most_s ? took : p->most_s;
	p->most_kib = used.ru_maxrss > p->most_kib ? used.ru_maxrss : p->most_kib;
	if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "signal %d", WTERMSIG(status));
	else if (log_has(p->log, "Sanitizer") || log_has(p->log, "runtime error:"))
		snprintf(why, sizeof(why), "a sanitizer's report");
	else if (bad_status(WEXITSTATUS(status)))
		snprintf(why, sizeof(why), "status %d", WEXITSTATUS(status));
	else if (used.ru_maxrss > MEMORY_KIB)
		snprintf(why, sizeof(why), "%ld KiB of memory", used.ru_maxrss);
	else
		return NULL;
	return why;
}

static bool alone(struct plan *p, uint64_t i)
{
	const char *why = judge(p, i, i + 1);
	char kept[400];

	if (!why)
		return true;
	make(p, i);
	snprintf(kept, sizeof(kept), "%s/%s-%" PRIu64, p->kept, p->kind, i);
	bytes_write(&p->b, kept);
	printf("%s %" PRIu64 ": %s; kept as %s\n", p->kind, i, why, kept);
	return false;
}

/* How many failed. Where a tool has ended the process in an ordered way, as argp does, the
 * rest of the batch goes on in another. */
static uint64_t batch(struct plan *p, uint64_t first, uint64_t end)
{
	uint64_t bad = 0, from = first;

	while (from < end && !judge(p, from, end))
		from = *p->at < end ? *p->at + 1 : end;
	for (uint64_t i = from; i < end; i++)
		bad += !alone(p, i);
	return bad;
}

int main(int argc, char **argv)
{
	char **command[MAX_COMMANDS];
	struct plan p = {.command = command};
	uint64_t first, n, bad = 0;
	sigset_t ended;

	for (int i = 6; i < argc && p.ncommand < MAX_COMMANDS; i++)
		if (!strcmp(argv[i], "---")) {
			p.nseed = p.nseed ? p.nseed : (size_t)(i - 6);
			argv[i] = NULL;
			command[p.ncommand++] = argv + i + 1;
		}
	p.b.at = malloc(MAX_SEED);
	p.at = mmap(NULL, sizeof(*p.at), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!p.b.at || p.at == MAP_FAILED || !p.nseed || !p.ncommand) {
		fputs("hostile DIR KEPT FIRST N KIND SEEDFILE... --- COMMAND...\n",
		      stderr);
		return 2;
	}
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	snprintf(p.mutant, sizeof(p.mutant), "%s/mutant", argv[1]);
	snprintf(p.db, sizeof(p.db), "%s/mutant.db", argv[1]);
	snprintf(p.log, sizeof(p.log), "%s/log", argv[1]);
	p.kept = argv[2];
	first = strtoull(argv[3], NULL, 10);
	n = strtoull(argv[4], NULL, 10);
	p.kind = argv[5];
	p.seed = argv + 6;
	for (uint64_t i = first; i < first + n; i += BATCH)
		bad += batch(&p, i, i + BATCH < first + n ? i + BATCH : first + n);
	printf("%s: %" PRIu64 " mutants, %" PRIu64 " failed; at most %.3f s, %ld KiB\n",
	       p.kind, n, bad, p.most_s, p.most_kib);
	free(p.b.at);
	return bad ? 1 : 0;
}
