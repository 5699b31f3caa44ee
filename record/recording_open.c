/* SPDX-License-Identifier: GPL-2.0-only */
/* What is armed: probes, events, witnesses. */
#include "record/recording_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/choice.h"
#include "record/descriptors.h"
#include "record/host/filemark.h"
#include "record/newcomers.h"
#include "record/patched.h"
#include "record/probes.h"

/* Which probes are uprobes after all, and why. Of several with one reason, the first. */
static void note_places(const struct plan *p)
{
	size_t kernel = 0, placed = plan_nplaced(p);

	for (size_t i = 0; i < p->n; i++) {
		bool told = false;

		if (p->probe[i].place || !p->probe[i].why)
			continue;
		kernel++;
		for (size_t k = 0; k < i; k++)
			told |= p->probe[k].why && !p->probe[k].place &&
				!strcmp(p->probe[i].why, p->probe[k].why);
		if (!told)
			cli_note(TOOL, "%s is probed by the kernel: %s",
				 placed ? p->probe[i].event : "the command",
				 p->probe[i].why);
	}
	if (placed)
		cli_note(TOOL, "%zu of %zu probes are armed in the process", placed,
			 placed + kernel);
}

/* ---- arming ---- */

/* The agent's trial, and what it says of the plan. */
int recording_try_inside(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	size_t wanted = plan_nplaced(p);
	int rc = wanted ? inside_open(&r->inside, r->o->plan, r->o->argv, r->o->clockid,
				      r->o->ring_bytes, e)
			: 0;

	r->in.inside = r->inside;
	if (!rc && r->o->probes != PROBES_KERNEL && r->o->verbosity >= 0)
		note_places(p);
	return rc;
}

/* Closing of descriptors is recorded where a device is told by its path. */
static int add_closings(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	bool wanted = false;
	int rc = 0;

	for (size_t i = 0; i < p->n; i++)
		wanted |= p->probe[i].spec->npath > 0;
	for (size_t i = 0; wanted && !rc && descriptors_closings[i]; i++) {
		const char *name = descriptors_closings[i];
		struct err why = {0};

		rc = tracepoint_id(name, &r->event_id[p->n + r->nclosing], &why);
		if (!rc)
			r->closing[r->nclosing++] = name;
		else if (rc == ERR_NOTFOUND && i) /* older kernels have no close_range */
			rc = 0;
		else
			rc = err_set(e, rc,
				     "to tell devices by their path, dmarec records "
				     "when descriptors are closed: %s",
				     why.text);
	}
	return rc;
}

/* Of a line that devices share, what each handler returned is recorded as well; or the device
 * that is awaited may get such a line. */
static bool may_need_exits(const struct recording_options *o)
{
	return o->nshared || o->choice->absent;
}

int recording_add_probes(struct recording *r, struct err *e)
{
	const struct plan *p = r->o->plan;
	int rc = patched_check(p, e);

	rc = rc ? rc : probes_open(&r->probes, e);
	r->event_id = calloc(p->n + MAX_CLOSINGS + IRQ_SIDES, sizeof(*r->event_id));
	r->exits = may_need_exits(r->o);
	r->mark = calloc(p->n + 1, sizeof(*r->mark));
	if (!rc && (!r->event_id || !r->mark))
		rc = err_nomem(e, "a recording");
	for (size_t i = 0; !rc && i < p->n; i++) {
		const struct plan_probe *q = &p->probe[i];

		if (!i || strcmp(p->probe[i - 1].file, q->file) != 0)
			filemark_take(&r->mark[r->nmark++], q->file);
		rc = probes_add(r->probes, q->is_return, q->event, q->file, q->offset,
				q->args, &r->event_id[i], e);
	}
	if (!rc)
		rc = add_closings(r, e);
	if (!rc)
		rc = kernel_events_add(&r->kernel, r->o->profile, r->probes, e);
	for (int side = 0; !rc && side <= (r->exits ? IRQ_EXIT : IRQ_ENTRY); side++)
		rc = tracepoint_id(irq_tracepoint[side],
				   &r->event_id[p->n + r->nclosing + side], e);
	return rc;
}

/* How many starts there were; for the watcher's thread. */
static uint64_t count_started(void *arg)
{
	const struct recording *r = arg;
	uint64_t lost, n = session_activity(r->session);

	for (size_t i = 0; r->inside && i < r->o->plan->n; i++)
		if (r->o->plan->probe[i].place &&
		    r->o->plan->probe[i].role == ROLE_SUBMIT)
			n += inside_counted(r->inside, i, &lost);
	return n;
}

static int open_beside(struct recording *r, struct err *e)
{
	struct watch_options watch = r->o->watch;
	struct count_options count = r->o->count;
	int rc;

	watch.clockid = count.clockid = r->o->clockid;
	watch.user = r->o->invoking->uid;
	watch.workload = r->o->argv ? r->work.pid : r->o->npid ? r->o->pid[0] : 0;
	watch.started = count_started;
	watch.arg = r;
	rc = beside_open(&r->beside, &watch, &count, &r->meta, e);
	if (!rc && r->beside.watch && watch_warning(r->beside.watch))
		warn(r, watch_warning(r->beside.watch));
	r->in.feed[r->in.nfeed++] = (struct intake_feed){beside_drain, &r->beside};
	return rc;
}

/* Said as soon as it is seen: what was asked for goes on without its witness. */
void recording_look_beside(struct recording *r)
{
	char text[400];

	if (beside_look(&r->beside, text))
		warn(r, text);
}

/* Which interrupts' entries and exits: *list is theirs, to be freed. */
static int choose_sides(const struct recording *r, struct irq_wanted wanted[IRQ_SIDES],
			int32_t *list[IRQ_SIDES], struct err *e)
{
	const uint32_t *id = &r->event_id[r->o->plan->n + r->nclosing];
	int rc = 0;

	for (int side = 0; !rc && side <= (r->exits ? IRQ_EXIT : IRQ_ENTRY); side++) {
		rc = newcomers_excluded(r->o->map, r->o->irq, r->o->nirq, r->o->choice,
					side, &list[side], &wanted[side].n, e);
		wanted[side].never = list[side];
		wanted[side].event = id[side];
	}
	return rc;
}

static int open_events(struct recording *r, struct err *e)
{
	bool *wake = calloc(r->meta.nevent + 1, sizeof(*wake));
	bool *inside = calloc(r->meta.nevent + 1, sizeof(*inside));
	bool *start = calloc(r->meta.nevent + 1, sizeof(*start));
	uint32_t *kernel = calloc(r->kernel.n + 1, sizeof(*kernel));
	int32_t *excluded[IRQ_SIDES] = {NULL};
	struct session_options so = {.attach = !r->o->argv,
				     .everyone = r->o->everyone,
				     .clockid = r->o->clockid,
				     .ring_bytes = r->o->ring_bytes,
				     .feed = r->o->feed,
				     .kernel_addresses = r->o->kernel_addresses,
				     .uprobe = r->event_id,
				     .nuprobe = r->o->plan->n + r->nclosing,
				     .wake = wake,
				     .inside = r->inside ? inside : NULL,
				     .start = start,
				     .kernel = kernel,
				     .nkernel = r->kernel.n};
	int rc = 0;

	for (size_t i = 0; wake && inside && start && i < r->o->plan->n; i++) {
		wake[i] = descriptors_wanted(&r->meta.event[i]);
		inside[i] = r->o->plan->probe[i].place != NULL;
		start[i] = r->meta.event[i].role == ROLE_SUBMIT;
	}
	for (size_t i = 0; kernel && i < r->kernel.n; i++)
		kernel[i] = r->kernel.event[i].id;
	if (!wake || !inside || !start || !kernel)
		rc = err_nomem(e, "a recording");
	if (!rc)
		rc = choose_sides(r, so.irq, excluded, e);
	if (!rc)
		rc = threads_open(&r->threads, &r->session, recorded(r), &so, e);
	for (int side = 0; side < IRQ_SIDES; side++)
		free(excluded[side]);
	free(wake);
	free(inside);
	free(start);
	free(kernel);
	return rc;
}

/* As the file will say what they are. */
static int make_attributes(struct recording *r, struct err *e)
{
	r->nattr = r->meta.nevent;
	r->attr = calloc(r->nattr + 1, sizeof(*r->attr));
	r->starts = calloc(r->nattr + 1, sizeof(*r->starts));
	if (!r->attr || !r->starts)
		return err_nomem(e, "a recording");
	for (size_t i = 0, k; i < r->nattr; i++) {
		if (is_beside(r, i, &k))
			beside_attr(&r->beside, k, &r->attr[i]);
		else
			session_event(r->session, i, &r->attr[i].attr, &r->attr[i].ids,
				      &r->attr[i].nids);
		r->attr[i].name = r->meta.event[i].name;
		r->starts[i] = r->meta.event[i].role == ROLE_SUBMIT;
	}
	return 0;
}

int recording_open_session(struct recording *r, struct err *e)
{
	int rc = open_events(r, e);

	if (!rc)
		rc = open_beside(r, e);
	if (!rc)
		rc = make_attributes(r, e);
	if (rc)
		return rc;
	r->in.starts = r->starts;
	rc = intake_open(&r->in, r->attr, r->nattr, e);
	if (!rc)
		rc = newcomers_new(&r->in.newcomers, "", r->o->map, r->o->irq, r->o->nirq,
				   r->o->choice, e);
	r->in.irq_event = session_first_irq(r->session);
	r->in.nirq_event = r->exits ? IRQ_SIDES : 1;
	r->in.threads = r->threads.strict ? &r->threads : NULL;
	r->in.nprobe = r->o->plan->n;
	return rc;
}
