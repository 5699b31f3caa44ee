/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On whose behalf we run, and with which of root's rights. Under sudo, doas and pkexec
 * that is the user who called them; else the process's own user.
 */
#ifndef DMA_RIGHTS_H
#define DMA_RIGHTS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/types.h>

struct err;

#ifndef CAP_PERFMON /* headers before Linux 5.8 */
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home, *shell; /* NULL = not in the user database */
	bool behind_root;	   /* root's rights were lent to that user */
};

/* The user behind this process. */
int user_invoking(struct user *u, struct err *e);
/* A user by name or number. */
int user_named(struct user *u, const char *name, struct err *e);
void user_release(struct user *u);

/* In a child before exec: become that user for good, groups and environment included.
 * 0, or -1 with errno. */
int user_become(const struct user *u);

/* A right of the calling process, by capability number. CAP_BPF and CAP_PERFMON: where the kernel
 * is older than they are (5.8), CAP_SYS_ADMIN, which stood for them. */
bool rights_have(int capability);

/* What a recorder still needs when all is armed. */
struct rights_kept {
	bool read_files;  /* counters that only root can read */
	bool other_tasks; /* descriptors of processes of other users */
};

/* For good: the user's own ids where root's were lent, and of the capabilities those to
 * stop the events, to signal the workload, and what is named. */
int rights_drop(const struct user *u, const struct rights_kept *kept, struct err *e);

/* The calling thread has no capability from now on; the others keep theirs. Not before
 * rights_drop(), which changes the ids of all threads. */
void rights_drop_thread(void);

#endif
