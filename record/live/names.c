/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/names.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "record/live/tally.h"

enum {
	LAST = 1024, /* names that were told last: of so many processes a second none is missed */
	NAME = 16,
	AT_PID = 8, /* of linux/perf_event.h: pid, tid, the name, a trailer */
	AT_TID = 12,
	AT_NAME = 16,
	BEGAN = 1 << 16, /* processes; of a build of an hour */
	AT_PARENT = 12,	 /* of a fork: pid, parent's pid, tid, parent's tid */
	FORK_BYTES = 24,
};

struct names {
	struct told {
		int32_t pid;
		char name[NAME];
	} last[LAST];
	uint64_t n; /* n % LAST is the next place */
	int32_t began[BEGAN];
	uint64_t nbegan; /* likewise */
};

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void names_free(struct names *n)
{
	free(n);
}

static void take(struct names *n, const char *rec, size_t size)
{
	struct told *t = &n->last[n->n % LAST];
	int32_t tid;

	memcpy(&t->pid, rec + AT_PID, sizeof(t->pid));
	memcpy(&tid, rec + AT_TID, sizeof(tid));
	if (t->pid != tid)
		return; /* a thread's own */
	snprintf(t->name, sizeof(t->name), "%.*s", (int)(size - AT_NAME), rec + AT_NAME);
	n->n++;
}

static void take_fork(struct names *n, const char *rec)
{
	int32_t pid, parent;

	memcpy(&pid, rec + AT_PID, sizeof(pid));
	memcpy(&parent, rec + AT_PARENT, sizeof(parent));
	if (pid != parent) /* else a thread */
		n->began[n->nbegan++ % BEGAN] = pid;
}

void names_see(struct names *n, const void *buf, size_t len)
{
	const char *p = buf, *end = p + len;
	struct perf_event_header h;

	for (; (size_t)(end - p) >= sizeof(h); p += h.size) {
		memcpy(&h, p, sizeof(h));
		if (h.size < sizeof(h) || h.size > end - p)
			return;
		if (h.type == PERF_RECORD_COMM && h.size > AT_NAME)
			take(n, p, h.size);
		if (h.type == PERF_RECORD_FORK && h.size >= FORK_BYTES)
			take_fork(n, p);
	}
}

static const char *told(const struct names *n, int32_t pid)
{
	for (uint64_t i = n->n; i && n->n - i < LAST; i--)
		if (n->last[(i - 1) % LAST].pid == pid)
			return n->last[(i - 1) % LAST].name;
	return NULL;
}

static void read_name(int32_t pid, char name[NAME])
{
	char path[32];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	in = fopen(path, "re");
	if (in && fgets(name, NAME, in))
		name[strcspn(name, "\n")] = '\0';
	if (in)
		fclose(in);
}

void names_tell(const struct names *n, struct tally *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct row *r = t->row[i];
		const char *name = r->pid > 0 ? told(n, r->pid) : NULL;

		if (name)
			snprintf(r->name, sizeof(r->name), "%s", name);
		else if (r->pid > 0 && !*r->name)
			read_name(r->pid, r->name);
		text_clean(r->name);
	}
}

bool names_began(const struct names *n, int32_t pid)
{
	for (uint64_t i = n->nbegan; i && n->nbegan - i < BEGAN; i--)
		if (n->began[(i - 1) % BEGAN] == pid)
			return true;
	return false;
}

bool names_ended(int32_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}
