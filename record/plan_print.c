/* SPDX-License-Identifier: GPL-2.0-only */
/* A plan as text: names of events, the kernel filter, --dry-run. Knows nothing of ELF. */
#include "record/plan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void plan_event_name(const char *function, char out[48])
{
	size_t n = 0;

	if (isdigit((unsigned char)*function))
		out[n++] = '_';
	for (; *function && *function != '(' && n < 40; function++) {
		char c = isalnum((unsigned char)*function) ? *function : '_';

		if (c == '_' && n && out[n - 1] == '_' && function[0] != '_')
			continue; /* "::" becomes one */
		out[n++] = c;
	}
	out[n] = '\0';
}

char *plan_irq_filter(const int32_t *irq, size_t n)
{
	char *text = NULL;
	size_t len, i = 0, k;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	while (i < n) {
		for (k = i; k + 1 < n && irq[k + 1] == irq[k] + 1; k++)
			;
		fputs(i ? " || " : "", out);
		if (k > i + 1)
			fprintf(out, "(irq >= %d && irq <= %d)", irq[i], irq[k]);
		else
			fprintf(out, "irq == %d", irq[k = i]);
		i = k + 1;
	}
	return fclose(out) ? NULL : text;
}

/* perf's own words for the same probe, where it has some. */
static void print_perf_probe(const struct plan_probe *q, FILE *out)
{
	if (q->at < 0)
		return;
	fprintf(out, "perf probe -x '%s' '%s=%s", q->file, q->event, q->symbol);
	if (q->is_return)
		fputs("%return", out);
	else if (q->at)
		fprintf(out, "+0x%" PRIx64, (uint64_t)q->at);
	fprintf(out, "%s%s'\n", *q->args ? " " : "", q->args);
}

/* Comments: the rest can be given to a shell. */
static void print_sections(const struct plan *p, FILE *out)
{
	fputs("# what each section fits:\n", out);
	for (size_t i = 0; i < p->nsection; i++) {
		const struct plan_section *s = &p->section[i];
		char *who = func_describe(s->spec),
		     *other = s->taken_by ? func_describe(s->taken_by) : NULL;

		fprintf(out, "# %s: %s%s%s\n", who ? who : "?",
			s->names      ? s->names
			: s->taken_by ? "nothing more"
				      : "nothing, and need not",
			other ? "; the rest is of " : "", other ? other : "");
		free(who);
		free(other);
	}
	fputc('\n', out);
}

static void print_perf(const struct plan *p, const char *entry, const char *exit,
		       FILE *out)
{
	fputs("perf record -a -k CLOCK_MONOTONIC", out);
	for (size_t i = 0; i < p->n; i++)
		fprintf(out, " -e probe_dma:%s", p->probe[i].event);
	if (*entry)
		fprintf(out, " -e irq:irq_handler_entry --filter '%s'", entry);
	if (*exit)
		fprintf(out, " -e irq:irq_handler_exit --filter '%s'", exit);
	fputs(" -- COMMAND\n", out);
}

void plan_print(const struct plan *p, const struct plan_irqs *irq, FILE *out)
{
	char *entry = plan_irq_filter(irq->entry, irq->nentry),
	     *exit = plan_irq_filter(irq->exit, irq->nexit);

	print_sections(p, out);
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_probe *q = &p->probe[i];

		fprintf(out, "%-10s %s\n  at       %s+0x%" PRIx64 "%s%s\n",
			role_name(q->role), q->function, q->file, q->offset,
			q->code ? "  " : "", q->code ? q->code : "");
		if (*q->args)
			fprintf(out, "  fields   %s\n", q->args);
		if (q->shift != DMA_UNKNOWN)
			fprintf(out, "  object   at card%+" PRId64 "\n", q->shift);
		if (q->place || q->why)
			fprintf(out, "  armed    in the %s%s%s\n",
				q->place ? "process" : "kernel", q->place ? "" : ": ",
				q->place ? "" : q->why);
	}
	if (irq->nentry)
		fprintf(out, "interrupt  %s\n", entry ? entry : "?");
	if (irq->nexit)
		fprintf(out,
			"handled    %s: devices may share it, so what each handler returns "
			"is recorded\n",
			exit ? exit : "?");
	fputs("\n# the same by perf probe (its events are named probe_LIBRARY:EVENT):\n",
	      out);
	for (size_t i = 0; i < p->n; i++)
		print_perf_probe(&p->probe[i], out);
	fputs("\n# the same with tracefs and perf:\n", out);
	for (size_t i = 0; i < p->n; i++)
		fprintf(out,
			"echo '%c:probe_dma/%s %s:0x%" PRIx64
			"%s%s' >>/sys/kernel/tracing/uprobe_events\n",
			p->probe[i].is_return ? 'r' : 'p', p->probe[i].event,
			p->probe[i].file, p->probe[i].offset,
			*p->probe[i].args ? " " : "", p->probe[i].args);
	print_perf(p, entry ? entry : "", exit ? exit : "", out);
	free(entry);
	free(exit);
}
