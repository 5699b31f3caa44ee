/* SPDX-License-Identifier: GPL-2.0-only */
/* On and off, and the futex that agents raise, as a descriptor. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/err.h"
#include "record/agent/host_impl.h"

static long futex(uint32_t *at, int op, uint32_t value)
{
	return syscall(SYS_futex, at, op, value, NULL, NULL, 0);
}

static void *wake_thread(void *arg)
{
	struct agent_host *h = arg;
	uint64_t one = 1;
	uint32_t seen = __atomic_load_n(&h->shared->wake, __ATOMIC_ACQUIRE);

	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		uint32_t now = __atomic_load_n(&h->shared->wake, __ATOMIC_ACQUIRE);

		if (now == seen)
			futex(&h->shared->wake, FUTEX_WAIT, now);
		else if (write(h->event, &one, sizeof(one)) < 0 && errno != EAGAIN)
			break;
		seen = now;
	}
	return NULL;
}

static int start_waker(struct agent_host *h, struct err *e)
{
	sigset_t all, old;

	if (h->waking)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = pthread_create(&h->waker, NULL, wake_thread, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (errno)
		return err_errno(e, "no thread for the agent's rings");
	h->waking = true;
	return 0;
}

void host_stop_waker(struct agent_host *h)
{
	if (!h->waking)
		return;
	__atomic_store_n(&h->stop, true, __ATOMIC_RELEASE);
	__atomic_add_fetch(&h->shared->wake, 1, __ATOMIC_SEQ_CST);
	futex(&h->shared->wake, FUTEX_WAKE, INT_MAX);
	pthread_join(h->waker, NULL);
	h->waking = false;
}

int agent_host_fd(const struct agent_host *h)
{
	return h->event;
}

int agent_host_enable(struct agent_host *h, struct err *e)
{
	int rc = start_waker(h, e);

	if (!rc)
		__atomic_store_n(&h->shared->enabled, 1, __ATOMIC_SEQ_CST);
	return rc;
}

void agent_host_disable(struct agent_host *h)
{
	__atomic_store_n(&h->shared->enabled, 0, __ATOMIC_SEQ_CST);
}
