/* SPDX-License-Identifier: GPL-2.0-only */
/* The trial: the workload's own program is started with the agent, which arms, measures
 * and ends it before anything of it has run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/agent/host_impl.h"

enum { TRIAL_MS = 10000 };

static void run(const struct agent_host *h, char *const *argv)
{
	const char *old = getenv("LD_PRELOAD");
	char *value = NULL;
	int null = open("/dev/null", O_RDWR);

	if (null < 0 ||
	    asprintf(&value, "%s%s%s", h->library, old ? ":" : "", old ? old : "") < 0)
		_exit(126);
	setenv("LD_PRELOAD", value, 1);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	execvp(argv[0], argv);
	_exit(127);
}

/* 0 and the status, or an error when it does not end. */
static int wait_for(pid_t pid, int *status, struct err *e)
{
	const struct timespec ms = {0, 1000000};

	for (int i = 0; i < TRIAL_MS; i++) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return err_errno(e, "waiting for the agent's trial");
		nanosleep(&ms, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return err_set(e, ERR_UNSUPPORTED, "the agent's trial did not end");
}

int agent_host_trial(struct agent_host *h, char *const *argv, int64_t *hit,
		     int64_t *clock, struct err *e)
{
	pid_t pid;
	int status = 0, rc;

	__atomic_store_n(&h->shared->trial_done, 0, __ATOMIC_SEQ_CST);
	pid = fork();
	if (pid < 0)
		return err_errno(e, "the agent's trial");
	if (!pid)
		run(h, argv);
	rc = wait_for(pid, &status, e);
	if (rc)
		return rc;
	if (WIFSIGNALED(status))
		return err_set(
			e, ERR_UNSUPPORTED,
			WTERMSIG(status) == SIGSYS
				? "a seccomp filter ended the agent's trial (signal %d)"
				: "the agent's trial was ended by signal %d",
			WTERMSIG(status));
	if (!__atomic_load_n(&h->shared->trial_done, __ATOMIC_ACQUIRE))
		return err_set(
			e, ERR_UNSUPPORTED,
			"the agent did not come to life in it: a program without a "
			"loader, with special rights, or of another system?");
	*hit = h->shared->hit_ns_x100;
	*clock = h->shared->clock_ns_x100;
	return 0;
}

/* ---- reports ---- */

int agent_host_report(const struct agent_host *h, uint32_t *at, struct agent_report *r)
{
	const struct agent_report *x = &h->shared->report[*at];

	if (*at >= AGENT_REPORTS || !__atomic_load_n(&x->ready, __ATOMIC_ACQUIRE))
		return 0;
	*r = *x;
	++*at;
	return 1;
}

const char *agent_verdict_text(const struct agent_report *r, char buf[128])
{
	static const char *const text[AGENT_VERDICTS] = {
		[AGENT_NOTHING] = "nothing",
		[AGENT_ARMED] = "armed",
		[AGENT_SHADOW_STACK] = "the process has a shadow stack (CET)",
		[AGENT_MPROTECT] =
			"mprotect is forbidden (SELinux's execmod or execmem, or "
			"a seccomp filter)",
		[AGENT_MEMORY] = "there is no memory within reach of a jump",
		[AGENT_BYTES] =
			"its code is not what its file says (another tracer's probe?)",
		[AGENT_REACH] = "an address is out of reach",
		[AGENT_NAMESPACE] = "it is in another pid or time namespace",
		[AGENT_SECCOMP] = "it has confined itself by seccomp since it began",
		[AGENT_NO_CLOCK] = "its clock cannot be read without a system call",
		[AGENT_FORK] = "the kernel has no MADV_WIPEONFORK",
	};
	unsigned v = r->verdict < AGENT_VERDICTS ? r->verdict : AGENT_NOTHING;

	snprintf(buf, 128, "%s%s%s", text[v], r->code ? ": " : "",
		 r->code ? strerror(r->code) : "");
	return buf;
}
