// SPDX-License-Identifier: GPL-2.0-only
/* crowd MODE N COUNT: COUNT starts and waits of libcalls in each of N threads or
 * children, or after an exec of itself, or until it kills itself. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int dma_to_host(unsigned id, void *dst, size_t size);
int dma_wait(unsigned id);

static long count;

static void *work(void *arg)
{
	unsigned id = (unsigned)(unsigned long)arg;

	for (long i = 0; i < count; i++) {
		dma_to_host(id, &count, 64);
		dma_wait(id);
	}
	return NULL;
}

static void threads(long n)
{
	pthread_t t[256];

	for (long i = 0; i < n && i < 256; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (long i = 0; i < n && i < 256; i++)
		pthread_join(t[i], NULL);
}

static void children(long n)
{
	for (long i = 0; i < n; i++)
		if (!fork()) {
			work((void *)i);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	long n;

	if (argc != 4)
		return 2;
	n = strtol(argv[2], NULL, 10);
	count = strtol(argv[3], NULL, 10);
	if (!strcmp(argv[1], "threads"))
		threads(n);
	else if (!strcmp(argv[1], "fork"))
		children(n);
	else if (!strcmp(argv[1], "exec")) {
		work(NULL);
		if (n > 1) {
			char less[32];

			snprintf(less, sizeof(less), "%ld", n - 1);
			execl("/proc/self/exe", argv[0], "exec", less, argv[3],
			      (char *)NULL);
		}
	} else if (!strcmp(argv[1], "kill")) {
		work(NULL);
		kill(getpid(), SIGKILL);
	}
	return 5;
}
