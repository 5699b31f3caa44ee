/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/inside.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/agent/host.h"
#include "record/elf/elf_file.h"
#include "record/session.h"

extern const char embed_agent[];
extern const uint64_t embed_agent_len;

enum { BATCH = 64 << 10, RAW_HEAD = 16, MAX_PROCESSES = 4096, MAX_ROUNDS = 8 };
#define HUNDREDTHS 100

/* A process that mapped a file of the plan. */
struct seen {
	int32_t pid;
	uint32_t file;
};

struct inside {
	struct agent_host *host;
	struct plan *plan;
	const uint32_t *event_id;
	uint32_t *place_of; /* each probe's place; UINT32_MAX = a uprobe */
	uint32_t first;	    /* places before are the agent's own */
	int64_t cost_ns;
	struct seen *seen;
	size_t nseen;
	char batch[BATCH];
	size_t nbatch;
	int (*put)(void *arg, const void *buf, size_t len, struct err *e);
	void *arg;
};

/* ---- places ---- */

static int add_place(struct inside *in, const char *file, const struct agent_place *from,
		     uint32_t *index, struct err *e)
{
	struct agent_place p = *from;
	int rc = agent_host_file(in->host, file, &p.file, e);

	return rc ? rc : agent_host_add(in->host, &p, index, e);
}

/* The function that the agent measures itself with. */
static int add_own(struct inside *in, struct err *e)
{
	const char *path = agent_host_library(in->host);
	struct elf_file *f = NULL;
	const struct elf_function *x;
	struct agent_place p;
	uint32_t index;
	int rc = elf_file_open(&f, path, e);

	x = rc ? NULL : elf_function_named(f, "agent_probed");
	if (!rc && !x)
		rc = err_set(e, ERR_UNSUPPORTED, "%s is damaged", path);
	if (!rc)
		rc = place_make(&p, f, x->addr, x->addr, PLACE_ENTRY, "", e);
	if (!rc)
		rc = add_place(in, path, &p, &index, e);
	in->first = rc ? 0 : index + 1;
	elf_file_close(f);
	return rc;
}

static bool same_place(const struct plan_probe *a, const struct plan_probe *b)
{
	return a->place && b->place && a->place->addr == b->place->addr &&
	       a->where == b->where && !strcmp(a->file, b->file);
}

static int add_probes(struct inside *in, struct err *e)
{
	const struct plan *p = in->plan;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->n; i++) {
		in->place_of[i] = UINT32_MAX;
		for (size_t k = 0; k < i && in->place_of[i] == UINT32_MAX; k++)
			if (same_place(&p->probe[i], &p->probe[k]))
				in->place_of[i] = in->place_of[k];
		if (p->probe[i].place && in->place_of[i] == UINT32_MAX)
			rc = add_place(in, p->probe[i].file, p->probe[i].place,
				       &in->place_of[i], e);
	}
	for (size_t i = 0; !rc && i < p->nhook; i++) {
		uint32_t index;

		rc = add_place(in, p->hook[i].file, &p->hook[i].place, &index, e);
	}
	return rc;
}

/* ---- the trial ---- */

/* What a refusal in the trial means for the plan. *again: the plan has changed. */
static int take_refusal(struct inside *in, const struct agent_report *r, bool *again,
			struct err *e)
{
	const char *path = agent_host_path(in->host, r->file);
	char buf[128];
	bool hooked = !path || !r->file;

	if (r->verdict == AGENT_ARMED)
		return 0;
	*again = true;
	for (size_t i = 0; path && i < in->plan->nhook; i++)
		hooked |= !strcmp(in->plan->hook[i].file, path);
	return plan_unplace(in->plan, hooked ? NULL : path, agent_verdict_text(r, buf),
			    e);
}

static int try_once(struct inside *in, char *const *argv, int clockid, size_t ring_bytes,
		    bool *again, struct err *e)
{
	struct agent_report r;
	struct err why = {0};
	uint32_t at = 0;
	int64_t hit = 0, clock = 0;
	int rc;

	*again = false;
	agent_host_close(in->host);
	in->host = NULL;
	rc = agent_host_open(&in->host, embed_agent, embed_agent_len, ring_bytes, clockid,
			     &why);
	if (!rc)
		rc = add_own(in, &why);
	if (!rc)
		rc = add_probes(in, &why);
	if (!rc)
		rc = agent_host_write(in->host, true, true, &why);
	if (!rc)
		rc = agent_host_trial(in->host, argv, &hit, &clock, &why);
	while (!rc && agent_host_report(in->host, &at, &r))
		rc = take_refusal(in, &r, again, e);
	in->cost_ns = (hit + HUNDREDTHS / 2) / HUNDREDTHS;
	if (why.code) {
		*again = true;
		return plan_unplace(in->plan, NULL, why.text, e);
	}
	agent_host_reset(in->host);
	return rc;
}

int inside_open(struct inside **out, struct plan *p, char *const *argv, int clockid,
		size_t ring_bytes, struct err *e)
{
	struct inside *in = calloc(1, sizeof(*in));
	bool again = true;
	int rc = 0;

	*out = NULL;
	if (in) {
		in->plan = p;
		in->place_of = calloc(p->n + 1, sizeof(*in->place_of));
		in->seen = calloc(MAX_PROCESSES, sizeof(*in->seen));
	}
	if (!in || !in->place_of || !in->seen)
		rc = err_nomem(e, "a recording");
	for (int i = 0; !rc && again && i < MAX_ROUNDS && plan_nplaced(p); i++)
		rc = try_once(in, argv, clockid, ring_bytes, &again, e);
	if (!rc && again && plan_nplaced(p))
		rc = plan_unplace(p, NULL, "the agent's trial did not succeed", e);
	if (!rc && plan_nplaced(p))
		rc = agent_host_write(in->host, false, true, e);
	if (rc || !plan_nplaced(p)) {
		inside_close(in);
		return rc;
	}
	*out = in;
	return 0;
}

void inside_close(struct inside *in)
{
	if (!in)
		return;
	agent_host_close(in->host);
	free(in->place_of);
	free(in->seen);
	free(in);
}

const char *inside_library(const struct inside *in)
{
	return agent_host_library(in->host);
}

int64_t inside_cost_ns(const struct inside *in)
{
	return in->cost_ns;
}

int inside_fd(const struct inside *in)
{
	return agent_host_fd(in->host);
}

int inside_enable(struct inside *in, const uint32_t *event_id, struct err *e)
{
	in->event_id = event_id;
	return agent_host_enable(in->host, e);
}

void inside_disable(struct inside *in)
{
	agent_host_disable(in->host);
}

/* ---- samples ---- */

/* What the attributes of session.c ask for, in the kernel's order (perf_event_open(2)). */
struct sample_head {
	struct perf_event_header header;
	uint64_t id, ip;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint32_t raw_size;
} __attribute__((packed));

/* The head of a uprobe's trace entry: common fields, __probe_ip. */
struct raw_head {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
	uint64_t ip;
} __attribute__((packed));

static int flush(struct inside *in, struct err *e)
{
	size_t n = in->nbatch;

	in->nbatch = 0;
	return n ? in->put(in->arg, in->batch, n, e) : 0;
}

static int put_sample(struct inside *in, const struct agent_hit *hit, size_t event,
		      struct err *e)
{
	size_t args = in->plan->probe[event].place->arg_bytes;
	/* as trace_uprobe.c: the size's own 4 bytes and what follows are a multiple of 8 */
	size_t raw = ((sizeof(struct raw_head) + args + 4 + 7) & ~(size_t)7) - 4;
	size_t size = sizeof(struct sample_head) + raw;
	struct sample_head s = {
		.header = {PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, (uint16_t)size},
		.id = SESSION_INSIDE_ID(event),
		.ip = hit->ip,
		.pid = (uint32_t)hit->pid,
		.tid = (uint32_t)hit->tid,
		.time = (uint64_t)hit->time_ns,
		.cpu = (uint32_t)hit->cpu,
		.raw_size = (uint32_t)raw};
	struct raw_head r = {
		.type = (uint16_t)in->event_id[event], .pid = hit->tid, .ip = hit->ip};
	int rc = in->nbatch + size > BATCH ? flush(in, e) : 0;
	char *to = in->batch + in->nbatch;

	memset(to, 0, size);
	memcpy(to, &s, sizeof(s));
	memcpy(to + sizeof(s), &r, sizeof(r));
	memcpy(to + sizeof(s) + sizeof(r), hit->args, args);
	in->nbatch += size;
	return rc;
}

/* One place may stand for several events: functions that end in the same code. */
static int on_hit(void *arg, const struct agent_hit *hit, struct err *e)
{
	struct inside *in = arg;
	int rc = 0;

	for (size_t i = 0; !rc && i < in->plan->n; i++)
		if (in->place_of[i] == hit->place)
			rc = put_sample(in, hit, i, e);
	return rc;
}

int inside_drain(struct inside *in, bool last,
		 int (*put)(void *arg, const void *buf, size_t len, struct err *e),
		 void *arg, bool *whole, struct err *e)
{
	int rc;

	in->put = put;
	in->arg = arg;
	*whole = true;
	rc = last ? agent_host_finish(in->host, on_hit, in, e)
		  : agent_host_drain(in->host, on_hit, in, whole, e);
	return rc ? rc : flush(in, e);
}

uint64_t inside_counted(const struct inside *in, size_t probe, uint64_t *lost)
{
	uint64_t counted;

	agent_host_count(in->host, in->place_of[probe], &counted, lost);
	return counted;
}

/* ---- processes ---- */

void inside_mapped(struct inside *in, int32_t pid, const char *path)
{
	const char *own;

	for (uint32_t k = 1; (own = agent_host_path(in->host, k)); k++) {
		bool probed = false;

		for (size_t i = 0; i < in->plan->n; i++)
			probed |= in->plan->probe[i].place &&
				  !strcmp(in->plan->probe[i].file, own);
		if (!probed || strcmp(own, path) || in->nseen == MAX_PROCESSES)
			continue;
		in->seen[in->nseen++] = (struct seen){pid, k};
	}
}

static bool armed(const struct inside *in, const struct seen *s, struct agent_report *r)
{
	uint32_t at = 0;

	r->verdict = AGENT_NOTHING;
	while (agent_host_report(in->host, &at, r))
		if (r->pid == s->pid && r->file == s->file)
			return r->verdict == AGENT_ARMED;
	*r = (struct agent_report){.verdict = AGENT_NOTHING};
	return false;
}

const char *inside_ringless(const struct inside *in)
{
	uint32_t why = agent_host_ringless(in->host);

	if (why & AGENT_RINGLESS_FOREIGN)
		return "a process forked into another pid or time namespace, where the agent "
		       "does not know its number or its time: --probes kernel records all "
		       "of it";
	if (why & AGENT_RINGLESS_CONFINED)
		return "a process confined itself by seccomp, and its agent could not ask "
		       "for a ring any more: --probes kernel records all of it";
	return NULL;
}

char *inside_unarmed(struct inside *in)
{
	char *text = NULL, buf[128];
	size_t len, n = 0;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < in->nseen; i++) {
		struct agent_report r;

		if (armed(in, &in->seen[i], &r) || n++)
			continue;
		fprintf(out,
			"process %d mapped %s without probes (%s): its calls are not in the "
			"recording; --probes kernel records them",
			(int)in->seen[i].pid, agent_host_path(in->host, in->seen[i].file),
			r.verdict ? agent_verdict_text(&r, buf)
				  : "the agent did not come to life there");
	}
	if (out && n > 1)
		fprintf(out, "; so did %zu more", n - 1);
	if (out)
		fclose(out);
	if (n)
		return text;
	free(text);
	return NULL;
}
