// SPDX-License-Identifier: GPL-2.0-only
/*
 * ways WHAT [N]: calls of probed() and of what it is told to be called from, in the ways
 * that programs have of making tasks, loading code and being interrupted. Prints what must
 * be the same with probes and without.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probed.h"

extern char **environ;
static long count = 100;
static char *self;

static void calls(long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += probed(i);
	if (sum != n * (n - 1) / 2 + n)
		abort();
}

static void wait_all(void)
{
	int status;

	while (waitpid(-1, &status, 0) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			printf("a child: %x\n", (unsigned)status);
}

/* ---- tasks ---- */

static void by_fork(void)
{
	calls(count);
	for (int i = 0; i < 5; i++)
		if (!fork()) {
			calls(count);
			if (i == 2 && !fork()) {
				calls(count);
				_exit(0);
			}
			wait_all();
			_exit(0);
		}
	wait_all();
	calls(count);
}

static void by_vfork(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = vfork();

		if (!pid) {
			probed(7);
			_exit(0);
		}
		calls(1);
		wait_all();
	}
}

static void by_spawn(void)
{
	char n[20], *argv[] = {self, (char *)"calls", n, NULL};
	pid_t pid;

	snprintf(n, sizeof(n), "%ld", count);
	calls(count);
	for (int i = 0; i < 3; i++)
		if (posix_spawn(&pid, self, NULL, NULL, argv, environ))
			abort();
	wait_all();
	if (!fork()) {
		execv(self, argv);
		_exit(1);
	}
	if (!fork()) {
		char *none[] = {NULL};

		execve(self, argv, none);
		_exit(1);
	}
	if (!vfork()) {
		execl(self, self, "calls", n, (char *)NULL);
		_exit(1);
	}
	if (!fork()) {
		syscall(SYS_execve, self, argv, environ);
		_exit(1);
	}
	wait_all();
}

static void by_shell(void)
{
	char line[600];

	snprintf(line, sizeof(line),
		 "%s calls %ld; env | grep -c dmarec; LD_PRELOAD= %s calls %ld", self,
		 count, self, count);
	fflush(stdout);
	if (system(line))
		printf("the shell failed\n");
	FILE *p = popen(line, "r");

	while (fgets(line, sizeof(line), p))
		fputs(line, stdout);
	pclose(p);
}

static int in_clone(void *arg)
{
	calls((long)(intptr_t)arg);
	return 0;
}

static void by_clone(void)
{
	static char stack[4][64 << 10];

	calls(count);
	for (int i = 0; i < 2; i++)
		if (clone(in_clone, stack[i] + sizeof(stack[i]), SIGCHLD,
			  (void *)(intptr_t)count) < 0)
			abort();
	for (int i = 2; i < 4; i++) {
		if (clone(in_clone, stack[i] + sizeof(stack[i]), CLONE_VM | SIGCHLD,
			  (void *)(intptr_t)count) < 0)
			abort();
		calls(count);
	}
	wait_all();
	calls(count);
}

/* What /proc says of a task: 'S' = it sleeps, 'Z' = it has ended; 0 = it is not there. */
static char state_of(pid_t tid)
{
	char path[64], line[256] = "", *paren;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	paren = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return paren ? paren[2] : 0;
}

/* The recorder that started this; 0 = none has. */
static pid_t recorder(void)
{
	char path[64], name[32] = "";
	pid_t pid = getppid();
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	return strcmp(name, "dmarec\n") ? 0 : pid;
}

/* Tasks that share this one's memory, more than the recorder has rings in store, while it
 * is stopped; it goes on as soon as one of them waits. */
static void by_starving(void)
{
	enum { TASKS = 12 };
	static char stack[TASKS][64 << 10];
	pid_t pid = recorder();
	char state = 0;

	calls(count);
	if (pid)
		kill(pid, SIGSTOP);
	for (int i = 0; i < TASKS; i++) {
		pid_t tid = clone(in_clone, stack[i] + sizeof(stack[i]),
				  CLONE_VM | SIGCHLD, (void *)(intptr_t)count);

		if (tid < 0)
			abort();
		while (state != 'S' && (state = state_of(tid)) != 'S' && state != 'Z')
			;
	}
	if (pid)
		kill(pid, SIGCONT);
	wait_all();
}

static void *in_thread(void *arg)
{
	(void)arg;
	calls(count);
	return NULL;
}

static void by_threads(void)
{
	pthread_t t[64];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 64; i++)
			if (pthread_create(&t[i], NULL, in_thread, NULL))
				abort();
		for (int i = 0; i < 64; i++)
			pthread_join(t[i], NULL);
	}
}

/* ---- interruptions ---- */

static volatile sig_atomic_t handled;
static void on_alarm(int sig)
{
	int keep = errno;

	(void)sig;
	probed(1);
	handled = handled + 1;
	errno = keep;
}

static void by_signal(void)
{
	struct itimerspec every = {{0, 100000}, {0, 100000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	long n = 0;
	timer_t timer;

	signal(SIGUSR1, on_alarm);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) ||
	    timer_settime(timer, 0, &every, NULL))
		abort();
	while (handled < 50) {
		calls(100);
		n += 100;
	}
	timer_delete(timer);
	printf("calls %d\n", n + handled > 0);
	fprintf(stderr, "%ld\n", n + handled);
}

static sigjmp_buf jump;
static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(jump, 1);
}

static void by_jump(void)
{
	volatile int jumps = 0;
	struct itimerspec once = {{0, 0}, {0, 30000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	timer_t timer;

	signal(SIGUSR1, on_jump);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer))
		abort();
	for (jumps = 0; jumps < 200; jumps = jumps + 1)
		if (!sigsetjmp(jump, 1)) {
			timer_settime(timer, 0, &once, NULL);
			for (;;)
				probed(1);
		}
	timer_delete(timer);
	printf("jumps %d\n", jumps);
}

/* ---- loading ---- */

static void by_dlopen(const char *path)
{
	for (int i = 0; i < 20; i++) {
		void *lib = dlopen(path, i & 1 ? RTLD_NOW : RTLD_LAZY);
		long (*call)(long) = lib ? (long (*)(long))dlsym(lib, "loaded") : NULL;

		if (!call)
			printf("%s\n", dlerror());
		for (long k = 0; call && k < count; k++)
			if (call(k) != k + 2)
				abort();
		if (lib)
			dlclose(lib);
	}
	void *twice = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	long (*call)(long) = twice ? (long (*)(long))dlsym(twice, "loaded") : NULL;

	if (call)
		call(1);
}

/* ---- others ---- */

/* Calls in turns, each when a line comes. */
static void by_turns(void)
{
	char line[16];

	do {
		calls(count);
		printf("turn\n");
		fflush(stdout);
	} while (fgets(line, sizeof(line), stdin));
}

/* A child with another number for itself than the recorder's. */
static void by_namespace(void)
{
	calls(count);
	if (unshare(CLONE_NEWPID))
		abort();
	if (!fork()) {
		calls(count);
		_exit(0);
	}
	wait_all();
}

/* ---- confined ---- */

/* Nothing but what ends this: any other call is death. */
static void take_filter(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof(f) / sizeof(*f), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p))
		abort();
}

static void by_confinement(bool strict)
{
	printf("before\n");
	fflush(stdout);
	calls(count);
	if (strict)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	else
		take_filter();
	calls(count);
	if (strict)
		syscall(SYS_exit, 3);
}

/* In the callee of a probed function, until standard input has something to say. */
static int nothing_said(void)
{
	struct pollfd in = {0, POLLIN, 0};

	return poll(&in, 1, 0) == 0;
}

static void by_standing(void)
{
	printf("pid %d\n", (int)getpid());
	fflush(stdout);
	stand(nothing_said);
}

/* Between two signals that nobody but a tracer sees: what is stepped through. */
static void by_steps(void)
{
	signal(SIGTRAP, SIG_IGN);
	raise(SIGTRAP);
	calls(count);
	printf("kept %d\n", kept(count));
	raise(SIGTRAP);
}

/* ---- death ---- */

static void by_kill(int sig)
{
	calls(count);
	fflush(stdout);
	if (sig)
		kill(getpid(), sig);
	*(volatile int *)0 = 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "calls";

	self = argv[0];
	if (argc > 2)
		count = strtol(argv[2], NULL, 10);
	if (!strcmp(what, "calls"))
		calls(count);
	else if (!strcmp(what, "fork"))
		by_fork();
	else if (!strcmp(what, "vfork"))
		by_vfork();
	else if (!strcmp(what, "spawn"))
		by_spawn();
	else if (!strcmp(what, "shell"))
		by_shell();
	else if (!strcmp(what, "clone"))
		by_clone();
	else if (!strcmp(what, "starve"))
		by_starving();
	else if (!strcmp(what, "threads"))
		by_threads();
	else if (!strcmp(what, "signal"))
		by_signal();
	else if (!strcmp(what, "jump"))
		by_jump();
	else if (!strcmp(what, "dlopen"))
		by_dlopen(argv[3]);
	else if (!strcmp(what, "kill"))
		by_kill(SIGKILL);
	else if (!strcmp(what, "crash"))
		by_kill(0);
	else if (!strcmp(what, "turns"))
		by_turns();
	else if (!strcmp(what, "filter") || !strcmp(what, "strict"))
		by_confinement(*what == 's');
	else if (!strcmp(what, "namespace"))
		by_namespace();
	else if (!strcmp(what, "stand"))
		by_standing();
	else if (!strcmp(what, "steps"))
		by_steps();
	else if (!strcmp(what, "kept"))
		printf("kept %d\n", kept(count));
	else if (!strcmp(what, "unwind"))
		printf("unwound %d\n", unwound());
	else
		return 2;
	printf("%s done, LD_PRELOAD %s\n", what,
	       getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none");
	return 3;
}
