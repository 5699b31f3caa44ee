/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command that is recorded. It is forked before any event is opened (libperf's file
 * descriptors would be inherited otherwise) and waits behind a pipe until all is armed.
 */
#ifndef DMA_WORKLOAD_H
#define DMA_WORKLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct user;

struct workload {
	pid_t pid;    /* 0 = none */
	int go, fail; /* pipe ends of ours; -1 = closed */
	bool ended;
	int status;  /* of wait(); valid when ended */
	bool gone;   /* ended, and so has everything that it started */
	pid_t other; /* a child of this process that is not of it; 0 = none */
};

/* Fork; the child waits. mask: the signal mask that the command shall have; as: who it
 * runs as, NULL = as we do; preload: a library for LD_PRELOAD, before the user's own, NULL
 * = none. */
int workload_fork(struct workload *w, char **argv, const sigset_t *mask,
		  const struct user *as, const char *preload, struct err *e);

/* Let it run. When the command could not be executed: its errno in *exec_errno and an
 * error. */
int workload_go(struct workload *w, const char *name, int *exec_errno, struct err *e);

/* Has it ended? Never blocks. What it started and left behind becomes this process's own
 * child, so that its end is seen too. */
bool workload_poll(struct workload *w);

/* Who of it lives: "123 (name), 124 (name), ..." of this process's descendants. Returns how
 * many. */
size_t workload_living(const struct workload *w, char *text, size_t size);

/* Those processes, malloc'ed; NULL = none, or no memory. */
pid_t *workload_processes(const struct workload *w, size_t *n);

/* Ends all that lives of it: SIGTERM, and after the grace SIGKILL. true = that was needed. */
bool workload_end(struct workload *w, int grace_ms);

/* End a command that never ran, and reap it. Harmless after the end. */
void workload_release(struct workload *w);

/* What a shell would return: the status, or 128 + signal. */
int workload_exit_code(const struct workload *w);

#endif
