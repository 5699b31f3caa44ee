/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/choice.h"
#include "record/counters.h"
#include "record/host/pcistate.h"
#include "record/host/rootfs.h"
#include "record/irqfilter.h"

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int nomem(struct err *e)
{
	return err_nomem(e, "a recording");
}

static int add_paths(struct meta_event *ev, const struct func_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->npath; i++) {
		struct meta_path *path = meta_add_path(ev);

		if (!path || !(path->pattern = strdup(spec->path[i].pattern)))
			return nomem(e);
		path->direction = spec->path[i].direction;
	}
	return 0;
}

static void add_rules(struct meta_event *ev, const struct plan_probe *q)
{
	const struct func_spec *spec = q->spec;
	bool entry =
		q->role == ROLE_SUBMIT || q->role == ROLE_WAIT || q->role == ROLE_STOP;
	bool exit = q->role == ROLE_STARTED || q->role == ROLE_WOKEN;
	/* a tail jump has no return value to look at */
	bool has_ret = strstr(q->args, "ret=") != NULL;

	if (q->role == ROLE_SUBMIT || q->role == ROLE_STARTED || q->role == ROLE_DOORBELL)
		ev->direction = spec->direction;
	ev->blocking = q->role == ROLE_SUBMIT && spec->role == FUNC_TRANSFER;
	ev->no_exit = q->no_exit;
	ev->size_unit = spec->size_unit;
	ev->constant = q->constant;
	if (entry) {
		ev->when = spec->when;
		ev->shift = q->shift;
	}
	if (q->role == ROLE_SUBMIT) {
		ev->circular = spec->circular;
		ev->restarts = spec->restarts;
		ev->from_host = spec->from_host;
	}
	if (exit && has_ret) {
		ev->fail = spec->fail;
		ev->pending = spec->pending;
	}
}

/* "irq:irq_handler_entry" of "irq/irq_handler_entry". */
static char *trace_name(const char *path)
{
	char *name = strdup(path), *slash = name ? strchr(name, '/') : NULL;

	if (slash)
		*slash = ':';
	return name;
}

static struct meta_event *add_event(struct meta *m)
{
	struct meta_event *ev = meta_add_event(m);

	if (ev)
		ev->attr = ev->id;
	return ev;
}

static int add_probe(struct meta *m, const struct plan_probe *q, const char *group,
		     bool late, struct err *e)
{
	struct meta_event *ev = add_event(m);

	if (!ev)
		return nomem(e);
	if (asprintf(&ev->name, "%s:%s", group, q->event) < 0)
		ev->name = NULL;
	ev->late = late;
	ev->role = q->role;
	ev->function = copy(q->function);
	ev->file = copy(q->file);
	ev->armed = copy(q->place ? "process" : "kernel");
	ev->offset = q->offset;
	ev->func = q->func;
	add_rules(ev, q);
	if (!ev->name || !ev->function || !ev->file || !ev->armed)
		return nomem(e);
	if (q->role == ROLE_SUBMIT || q->role == ROLE_WAIT || q->role == ROLE_STOP)
		return add_paths(ev, q->spec, e);
	return 0;
}

static int add_tracepoint(struct meta *m, enum role role, const char *path, struct err *e)
{
	struct meta_event *ev = add_event(m);

	if (!ev)
		return nomem(e);
	ev->role = role;
	ev->name = trace_name(path);
	return ev->name ? 0 : nomem(e);
}

int snapshot_events(struct meta *m, const struct plan *p, const char *group,
		    const char *const *more, size_t nmore, size_t nirq, struct err *e)
{
	static const enum role irq_role[IRQ_SIDES] = {ROLE_INTERRUPT, ROLE_HANDLED};
	int rc = 0;

	for (size_t i = 0; !rc && i < p->n; i++)
		rc = add_probe(m, &p->probe[i], group, false, e);
	for (size_t i = 0; !rc && i < nmore; i++)
		rc = add_tracepoint(m, ROLE_OTHER, more[i], e);
	for (size_t i = 0; !rc && i < nirq; i++)
		rc = add_tracepoint(m, irq_role[i], irq_tracepoint[i], e);
	return rc;
}

int snapshot_late(struct meta *m, const struct plan *p, const char *group, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->n; i++)
		rc = add_probe(m, &p->probe[i], group, true, e);
	return rc;
}

static int add_env(struct meta *m, const char *name, char *value, struct err *e)
{
	struct meta_pair *p;

	if (!value)
		return 0;
	p = meta_add_env(m);
	if (!p || !(p->name = strdup(name))) {
		free(value);
		return nomem(e);
	}
	p->before = value;
	return 0;
}

static int environment(struct meta *m, const struct irqmap *map, struct err *e)
{
	char name[64];
	int rc = add_env(
		m, "governor",
		rootfs_line("", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		e);

	if (!rc)
		rc = add_env(m, "cmdline", rootfs_line("", "/proc/cmdline"), e);
	for (size_t i = 0; !rc && i < map->n; i++) {
		const struct irq_info *q = &map->irq[i];
		const struct meta_irq *r = meta_find_irq(m, q->irq);

		if (!q->bdf || !r || !r->recorded || q->vector > 0)
			continue;
		snprintf(name, sizeof(name), "link_speed.%s", q->bdf);
		rc = add_env(m, name,
			     rootfs_line("", "/sys/bus/pci/devices/%s/current_link_speed",
					 q->bdf),
			     e);
		snprintf(name, sizeof(name), "link_width.%s", q->bdf);
		if (!rc)
			rc = add_env(
				m, name,
				rootfs_line("",
					    "/sys/bus/pci/devices/%s/current_link_width",
					    q->bdf),
				e);
		snprintf(name, sizeof(name), "module.%s", q->driver ? q->driver : "?");
		if (!rc && q->driver)
			rc = add_env(m, name,
				     rootfs_line("", "/sys/module/%s/version", q->driver),
				     e);
	}
	return rc;
}

static int counters(struct meta *m, const struct profile *prof,
		    const struct counter_files *files, bool after, struct err *e)
{
	struct counter_set set = {0};
	char *missing = NULL;
	int rc = counters_read(prof, files, &set, &missing, e);

	for (size_t i = 0; !rc && i < set.n; i++) {
		struct meta_pair *p = NULL;

		for (size_t k = 0; after && k < m->ncounter; k++)
			if (!strcmp(m->counter[k].name, set.v[i].name))
				p = &m->counter[k];
		if (after) {
			if (p && !p->after)
				p->after = copy(set.v[i].value);
			continue;
		}
		p = meta_add_counter(m);
		if (!p || !(p->name = copy(set.v[i].name)) ||
		    !(p->before = copy(set.v[i].value)))
			rc = nomem(e);
	}
	if (!rc && missing && !after)
		rc = meta_add_warning(m, missing);
	free(missing);
	counters_release(&set);
	return rc;
}

/* Of each device whose interrupts are recorded, or register watched: its link, and the errors
 * that it told (AER), before and after. */
static int device_state(struct meta *m, const char *bdf, bool after, struct err *e)
{
	const char *what;
	char *value, *name;
	int rc = 0;

	for (size_t i = 0; !rc && pci_state("", bdf, i, &what, &value); i++) {
		struct meta_pair *p = NULL;

		if (!value)
			continue;
		if (asprintf(&name, "%s.%s", what, bdf) < 0)
			name = NULL;
		for (size_t k = 0; name && k < m->ncounter && !p; k++)
			p = strcmp(m->counter[k].name, name) ? NULL : &m->counter[k];
		if (!after && name && !p && (p = meta_add_counter(m))) {
			p->name = name;
			p->before = value;
			continue;
		}
		if (p && after && !p->after) {
			p->after = value;
			value = NULL;
		}
		if (!name || (!p && !after))
			rc = nomem(e);
		free(name);
		free(value);
	}
	return rc;
}

static int device_states(struct meta *m, bool after, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->nirq; i++)
		if (m->irq[i].bdf && m->irq[i].recorded)
			rc = device_state(m, m->irq[i].bdf, after, e);
	for (size_t i = 0; !rc && i < m->nreg; i++)
		if (m->reg[i].bdf)
			rc = device_state(m, m->reg[i].bdf, after, e);
	return rc;
}

static void completes(struct meta_irq *r, const struct irq_info *q,
		      const struct profile *prof, bool named)
{
	if (!r->recorded)
		return;
	r->completes = named && !prof->nvector;
	for (size_t k = 0; k < prof->nvector; k++)
		if (q->vector >= 0 && prof->vector[k].vector == q->vector) {
			r->completes = true;
			r->completes_channel = prof->vector[k].channel;
		}
}

int snapshot_before(struct meta *m, const struct profile *prof, const struct irqmap *map,
		    const struct irq_window *w, const int32_t *irq, size_t nirq,
		    const struct counter_files *files, struct err *e)
{
	int rc;

	for (size_t i = 0; i < map->n; i++) {
		const struct irq_info *q = &map->irq[i];
		const struct irq_info *now = irqmap_find(&w->before, q->irq);
		struct meta_irq *r = meta_add_irq(m);

		if (!r)
			return nomem(e);
		r->irq = q->irq;
		r->name = copy(q->name);
		r->chip = copy(q->chip);
		r->bdf = copy(q->bdf);
		r->affinity_before = copy(q->affinity);
		r->vector = q->vector;
		r->masked = q->masked;
		r->count_before = now ? now->count : q->count;
		for (size_t k = 0; k < nirq; k++)
			r->recorded |= irq[k] == q->irq;
		completes(r, q, prof, w->choice->nirq > 0);
	}
	rc = environment(m, map, e);
	rc = rc ? rc : device_states(m, false, e);
	return rc ? rc : counters(m, prof, files, false, e);
}

static void count_after(struct meta_irq *r, const struct irq_window *w)
{
	int64_t fired = irqmap_fired(&w->before, &w->after, r->irq);

	if (r->late && !irqmap_find(&w->before, r->irq))
		r->count_before = 0;
	if (fired != DMA_UNKNOWN && r->count_before != DMA_UNKNOWN)
		r->count_after = r->count_before + fired;
}

static int add_newcomer(struct meta *m, const struct irq_info *q,
			const struct profile *prof, struct err *e)
{
	struct meta_irq *r = meta_find_irq(m, q->irq); /* there, but without a handler */

	if (!r)
		r = meta_add_irq(m);
	if (!r)
		return nomem(e);
	free(r->name);
	free(r->chip);
	free(r->bdf);
	r->irq = q->irq;
	r->name = copy(q->name);
	r->chip = copy(q->chip);
	r->bdf = copy(q->bdf);
	r->vector = q->vector;
	r->masked = q->masked;
	r->recorded = r->late = true;
	completes(r, q, prof, false); /* whoever is named is here from the start */
	return 0;
}

/* Its number was another device's, which was not wanted, when recording began: the kernel's
 * filter left it out. */
static int check_number(struct meta *m, const struct meta_irq *r,
			const struct irq_info *now, const struct irq_choice *choice,
			struct err *e)
{
	char text[300];

	if (r->recorded || !r->name || !now->name || !strcmp(r->name, now->name) ||
	    !irq_chosen(choice, now))
		return 0;
	snprintf(text, sizeof(text),
		 "interrupt %d was %.80s's when recording began and is %.80s's now: "
		 "it is not in the recording; begin when the driver is there",
		 r->irq, r->name, now->name);
	return meta_add_warning(m, text) ? nomem(e) : 0;
}

static int look_again(struct meta *m, const struct irq_choice *choice, struct err *e)
{
	struct irqmap map;
	int rc = irqmap_read(&map, "", e);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < map.n; i++) {
		struct meta_irq *r = meta_find_irq(m, map.irq[i].irq);

		if (!r)
			continue;
		free(r->affinity_after);
		r->affinity_after = copy(map.irq[i].affinity);
		rc = check_number(m, r, &map.irq[i], choice, e);
	}
	irqmap_release(&map);
	return rc;
}

int snapshot_after(struct meta *m, const struct profile *prof, const struct irq_window *w,
		   const struct counter_files *files, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->ncome; i++)
		rc = add_newcomer(m, &w->come[i], prof, e);
	for (size_t i = 0; !rc && i < m->nirq; i++)
		count_after(&m->irq[i], w);
	if (!rc)
		rc = look_again(m, w->choice, e);
	rc = rc ? rc : device_states(m, true, e);
	return rc ? rc : counters(m, prof, files, true, e);
}
