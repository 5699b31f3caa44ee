// SPDX-License-Identifier: GPL-2.0-only
/*
 * shadow say COMMAND: it and its children are told by arch_prctl() that they have a shadow
 * stack, as a processor and a C library with CET would have it.
 * shadow step COMMAND: its first task is stepped through from one SIGTRAP to the next, and
 * a shadow stack is kept for it: every return goes where its call came from, or 1 is the
 * status. What a processor without CET can show of code that runs under one with it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHSTK_STATUS = 0x5005, SHSTK = 1, DEPTH = 4096 };

static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* ---- say ---- */

static void ask_tracer(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SHSTK_STATUS, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof(f) / sizeof(*f), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p))
		die("shadow: seccomp");
}

static void answer(pid_t pid)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) ||
	    ptrace(PTRACE_POKEDATA, pid, (void *)r.rsi, (void *)(long)SHSTK))
		die("shadow: a task's memory");
	r.orig_rax = (unsigned long long)-1; /* no call */
	r.rax = 0;
	ptrace(PTRACE_SETREGS, pid, NULL, &r);
}

/* Until the last of them has ended; the first one's status. */
static int say(pid_t first)
{
	int status, last = 125;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		int event = status >> 16;

		if (!WIFSTOPPED(status)) {
			if (pid == first)
				last = WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
			continue;
		}
		if (event == PTRACE_EVENT_SECCOMP)
			answer(pid);
		if (event || sig == SIGTRAP || sig == SIGSTOP)
			sig = 0;
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)sig);
	}
	return last;
}

/* ---- step ---- */

struct stack {
	uint64_t back[DEPTH];
	size_t n;
	uint64_t calls, returns;
};

static uint64_t word(pid_t pid, uint64_t addr)
{
	errno = 0;
	return (uint64_t)ptrace(PTRACE_PEEKTEXT, pid, (void *)addr, NULL);
}

enum kind { OTHER, CALL, RETURN };

/* Prefixes, then e8, ff /2, c3, c2. */
static enum kind kind_of(uint64_t code)
{
	const uint8_t *b = (const uint8_t *)&code;
	size_t i = 0;

	while (i < 6 && (b[i] == 0x66 || b[i] == 0x67 || b[i] == 0xf2 || b[i] == 0xf3 ||
			 b[i] == 0x3e || (b[i] & 0xf0) == 0x40))
		i++;
	if (b[i] == 0xe8 || (b[i] == 0xff && (b[i + 1] & 0x38) == 0x10))
		return CALL;
	return b[i] == 0xc3 || b[i] == 0xc2 ? RETURN : OTHER;
}

/* false = a return that its call did not ask for. Returns of what was called before are
 * not known. */
static bool keep(struct stack *s, enum kind kind, const struct user_regs_struct *r,
		 pid_t pid)
{
	if (kind == CALL) {
		s->calls++;
		if (s->n == DEPTH)
			return false;
		s->back[s->n++] = word(pid, r->rsp);
	}
	if (kind == RETURN && s->n) {
		s->returns++;
		return s->back[--s->n] == r->rip;
	}
	return true;
}

static int step(pid_t pid)
{
	static struct stack s;
	struct user_regs_struct r;
	bool stepping = false;
	int status, sig = 0;

	for (;;) {
		enum kind kind = OTHER;

		if (stepping && !ptrace(PTRACE_GETREGS, pid, NULL, &r))
			kind = kind_of(word(pid, r.rip));
		ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL,
		       (void *)(long)sig);
		if (waitpid(pid, &status, __WALL) < 0)
			die("shadow");
		if (!WIFSTOPPED(status))
			break;
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP && !(status >> 16)) {
			siginfo_t info;

			ptrace(PTRACE_GETSIGINFO, pid, NULL, &info);
			if (info.si_code <= 0) /* raised, not stepped to */
				stepping = !stepping;
			sig = 0;
		} else if (status >> 16) {
			sig = 0;
		}
		ptrace(PTRACE_GETREGS, pid, NULL, &r);
		if (stepping && !keep(&s, kind, &r, pid)) {
			fprintf(stderr, "shadow: a return to %#llx\n", r.rip);
			kill(pid, SIGKILL);
			return 1;
		}
	}
	fprintf(stderr, "shadow: %llu calls, %llu returns, all as they should be\n",
		(unsigned long long)s.calls, (unsigned long long)s.returns);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	bool saying = argc > 2 && !strcmp(argv[1], "say");
	long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
	int status;
	pid_t pid;

	if (argc < 3 || (!saying && strcmp(argv[1], "step")))
		return 2;
	pid = fork();
	if (pid < 0)
		die("shadow");
	if (!pid) {
		raise(SIGSTOP); /* until it is traced */
		if (saying)
			ask_tracer();
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (saying)
		options |= PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
			   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options))
		die("shadow: ptrace");
	while (waitpid(pid, &status, WUNTRACED) == pid && !WIFSTOPPED(status))
		;
	kill(pid, SIGCONT);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return saying ? say(pid) : step(pid);
}
