/* SPDX-License-Identifier: GPL-2.0-only */
/* On and off, and the thread that empties the rings when agents raise their futex. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/agent/host_impl.h"

enum {
	DRAINER_NICE = -15, /* chosen: ahead of whatever the workload is */
	/* How often rings are looked at that nobody may say anything of: a ring of 8 MiB
	 * takes 13 million hits a second for so long. */
	CONFINED_NS = 10000000,
};

/* Until it is raised, or, where a process may not raise it, for a while. false = the latter. */
static bool await_futex(struct agent_host *h, uint32_t now)
{
	struct timespec t = {0, CONFINED_NS};

	bool looks = agent_host_ringless(h) & AGENT_RINGLESS_CONFINED;

	return !syscall(SYS_futex, &h->shared->wake, FUTEX_WAIT, now, looks ? &t : NULL,
			NULL, 0) ||
	       errno != ETIMEDOUT;
}

static void raise_futex(struct agent_host *h)
{
	__atomic_add_fetch(&h->shared->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &h->shared->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* true = the owner has not asked, and should. */
static bool pass_and_answer(struct agent_host *h)
{
	bool whole, asked, tell;

	pthread_mutex_lock(&h->lock_queue);
	asked = h->asked != h->answered;
	host_pass(h, asked && h->skip, &whole);
	tell = !asked && h->queue.first;
	if (asked) {
		h->whole = whole;
		h->answered = h->asked;
		pthread_cond_broadcast(&h->passed);
	}
	pthread_mutex_unlock(&h->lock_queue);
	return tell;
}

static void *drainer(void *arg)
{
	struct agent_host *h = arg;
	uint64_t one = 1;
	uint32_t seen = __atomic_load_n(&h->shared->wake, __ATOMIC_ACQUIRE) - 1;

	/* Its turns are short, and what is late is lost. Without the right to this it is
	 * as any other thread. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), DRAINER_NICE);
	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		uint32_t now = __atomic_load_n(&h->shared->wake, __ATOMIC_ACQUIRE);

		if (now == seen && await_futex(h, now))
			continue;
		seen = now;
		if (pass_and_answer(h) && write(h->event, &one, sizeof(one)) < 0 &&
		    errno != EAGAIN)
			break;
	}
	return NULL;
}

static int start_drainer(struct agent_host *h, struct err *e)
{
	sigset_t all, old;

	if (h->draining)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = pthread_create(&h->drainer, NULL, drainer, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (errno)
		return err_errno(e, "no thread for the agent's rings");
	h->draining = true;
	return 0;
}

void host_stop_drainer(struct agent_host *h)
{
	if (!h->draining)
		return;
	__atomic_store_n(&h->stop, true, __ATOMIC_RELEASE);
	raise_futex(h);
	pthread_join(h->drainer, NULL);
	h->draining = false;
}

struct chunk *host_ask(struct agent_host *h, bool skip, bool *whole)
{
	struct chunk *c;
	uint64_t ticket;

	pthread_mutex_lock(&h->lock_queue);
	h->skip = skip;
	ticket = ++h->asked;
	if (!h->draining) {
		host_pass(h, skip, &h->whole);
		h->answered = ticket;
	}
	while (h->answered < ticket) {
		raise_futex(h);
		pthread_cond_wait(&h->passed, &h->lock_queue);
	}
	*whole = h->whole;
	c = hits_take(&h->queue);
	pthread_mutex_unlock(&h->lock_queue);
	return c;
}

uint32_t agent_host_ringless(const struct agent_host *h)
{
	return __atomic_load_n(&h->shared->ringless, __ATOMIC_ACQUIRE);
}

int agent_host_fd(const struct agent_host *h)
{
	return h->event;
}

int agent_host_enable(struct agent_host *h, struct err *e)
{
	int rc = start_drainer(h, e);

	if (!rc)
		__atomic_store_n(&h->shared->enabled, 1, __ATOMIC_SEQ_CST);
	return rc;
}

void agent_host_disable(struct agent_host *h)
{
	__atomic_store_n(&h->shared->enabled, 0, __ATOMIC_SEQ_CST);
}
