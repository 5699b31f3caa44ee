/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of /proc/interrupts, as show_interrupts() of kernel/irq/proc.c writes it: one
 * column for each online CPU, the chip, the number within the chip where it has a domain,
 * the type, then two blanks and the actions.
 *
 *   RHEL 7          24:  0  0  PCI-MSI-edge      name          (no number)
 *   RHEL 8, 9      131:  0  0  IR-PCI-MSI 1572864-edge      name
 *   6.2 and newer   30:  0  0  PCI-MSIX-0000:00:01.0   2-edge      name
 *   aarch64         11:  0  0  GICv3  27 Level     name
 *   Xen             64:  0  0  xen-pirq    -msi       name
 *   Raspberry       17:  0  0  ARMCTRL-level   1 Edge      name
 *   RISC-V           5:  0  0  RISC-V INTC   5 Edge      name
 *   Xen on Arm      66:  0  0  xen-dyn    Edge    -event     name
 */
#include "record/host/irqmap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/dma.h"
#include "lib/err.h"
#include "record/host/irqmap_priv.h"

enum { MAX_CPUS = 16384 };

/* A piece of the text; not terminated. */
struct span {
	const char *p, *end;
};

static struct span next_token(struct span *rest)
{
	struct span t;

	while (rest->p < rest->end && isblank((unsigned char)*rest->p))
		rest->p++;
	t.p = rest->p;
	while (rest->p < rest->end && !isblank((unsigned char)*rest->p))
		rest->p++;
	t.end = rest->p;
	return t;
}

static size_t span_len(struct span s)
{
	return (size_t)(s.end - s.p);
}

static char *span_dup(struct span s)
{
	while (s.p < s.end && isspace((unsigned char)*s.p))
		s.p++;
	while (s.end > s.p && isspace((unsigned char)s.end[-1]))
		s.end--;
	return s.p < s.end ? strndup(s.p, span_len(s)) : NULL;
}

static bool span_is(struct span s, const char *word)
{
	return span_len(s) == strlen(word) && !memcmp(s.p, word, span_len(s));
}

/* Decimal digits at s->p, which moves behind them. */
static bool take_number(struct span *s, int64_t max, int64_t *out)
{
	const char *begin = s->p;
	int64_t v = 0;

	for (; s->p < s->end && isdigit((unsigned char)*s->p); s->p++) {
		v = v * 10 + (*s->p - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return s->p > begin;
}

static bool parse_whole(struct span s, int64_t max, int64_t *out)
{
	return take_number(&s, max, out) && s.p == s.end;
}

static int parse_header(struct irqmap *m, struct span line, struct err *e)
{
	struct span t;
	int64_t cpu;
	int32_t *added;

	while (span_len(t = next_token(&line))) {
		if (span_len(t) < 4 || memcmp(t.p, "CPU", 3))
			break;
		t.p += 3;
		if (!parse_whole(t, MAX_CPUS, &cpu) || m->ncpu == MAX_CPUS)
			break;
		added = array_add(&m->cpu, &m->ncpu);
		if (!added)
			return err_nomem(e, "the CPUs");
		*added = (int32_t)cpu;
	}
	if (!m->ncpu || span_len(t))
		return err_set(e, ERR_FORMAT,
			       "/proc/interrupts: line 1 should name the CPUs as in "
			       "'CPU0 CPU1', found '%.*s'",
			       (int)(span_len(t) < 40 ? span_len(t) : 40), t.p);
	return 0;
}

/* One column for each CPU. A line that was cut short, or written while a CPU came or
 * went, has too few or too many: then its count is unknown. */
static bool parse_counts(const struct irqmap *m, struct span *rest, int64_t *cpu_count,
			 int64_t *sum)
{
	struct span at = *rest, t;
	int64_t v, total = 0;
	size_t n = 0;

	while (t = next_token(&at), span_len(t) && parse_whole(t, UINT32_MAX, &v)) {
		if (n < m->ncpu)
			cpu_count[n] = v;
		total += v;
		n++;
		*rest = at;
	}
	*sum = n == m->ncpu ? total : DMA_UNKNOWN;
	return n == m->ncpu;
}

static struct span after(struct span whole, const char *p)
{
	return (struct span){p, whole.end};
}

static const char *const flow_types[] = {"edge", "level", "fasteoi", "fast", "msi"};

/* "PCI-MSI-edge": the chip's name and the type in one word. */
static bool split_flow(struct span t, struct span *chip, struct span *type)
{
	for (size_t i = 0; i < sizeof(flow_types) / sizeof(*flow_types); i++) {
		size_t len = strlen(flow_types[i]);

		if (span_len(t) <= len + 1 || t.end[-(ptrdiff_t)len - 1] != '-' ||
		    memcmp(t.end - len, flow_types[i], len))
			continue;
		*chip = (struct span){t.p, t.end - len - 1};
		*type = (struct span){t.end - len, t.end};
		return true;
	}
	return false;
}

/* "2-edge", "-msi" or "27": the number within the chip and the type. */
static bool split_hwirq(struct span t, int64_t *hwirq, struct span *type)
{
	bool numbered = take_number(&t, INT64_MAX / 16, hwirq);

	if (!numbered)
		*hwirq = -1;
	*type = t;
	if (t.p == t.end)
		return numbered;
	type->p++;
	return *t.p == '-' && type->p < type->end && isalpha((unsigned char)*type->p);
}

struct description {
	struct span chip, type, name;
	int64_t hwirq;
};

static bool is_level(struct span t)
{
	return span_is(t, "Edge") || span_is(t, "Level");
}

/* "2-edge", "-msi" */
static bool is_flow(struct span t)
{
	int64_t number;

	take_number(&t, INT64_MAX / 16, &number);
	return span_len(t) > 1 && t.p[0] == '-' && isalpha((unsigned char)t.p[1]);
}

/* With CONFIG_GENERIC_IRQ_SHOW_LEVEL, as on Arm and RISC-V: "Edge" or "Level" behind the
 * chip and the number, and then perhaps the flow. An x86 name of these words has
 * "2-edge" before it. */
static bool parse_levelled(struct span text, struct description *d)
{
	struct span rest = text, begin = next_token(&rest), before = rest, t, flow;
	int64_t hwirq = -1;

	for (int i = 0; i < 4; i++) {
		struct span end = rest;

		t = next_token(&rest);
		if (is_level(t)) {
			*d = (struct description){.chip = {begin.p, before.p},
						  .type = t,
						  .hwirq = hwirq,
						  .name = rest};
			flow = next_token(&rest);
			if (!span_len(flow) && hwirq < 0)
				return false; /* it is the name */
			if (span_len(flow) > 1 && *flow.p == '-')
				d->name = rest;
			return true;
		}
		if (!span_len(t) || hwirq >= 0 || is_flow(t))
			return false;
		if (!parse_whole(t, INT64_MAX / 16, &hwirq)) {
			hwirq = -1;
			end = rest;
		}
		before = end;
	}
	return false;
}

/* What stands behind the counts. Chips may have blanks in their names ("Hyper-V PCIe
 * MSI"). */
static void parse_description(struct span text, struct description *d)
{
	struct span rest = text, t = next_token(&rest), begin = t, before = rest;

	if (parse_levelled(text, d))
		return;
	*d = (struct description){.chip = t, .hwirq = -1, .name = rest};
	if (span_is(t, "None") || span_is(t, "-"))
		return;
	if (split_flow(t, &d->chip, &d->type))
		return;
	for (int i = 0; i < 4; i++) {
		before = rest;
		t = next_token(&rest);
		if (!span_len(t))
			return;
		if (!split_hwirq(t, &d->hwirq, &d->type))
			continue;
		d->chip = (struct span){begin.p, before.p};
		d->name = rest;
		return;
	}
}

static int set_description(struct irq_info *i, struct span text, struct err *e)
{
	struct description d;

	parse_description(text, &d);
	i->hwirq = d.hwirq;
	i->chip = span_dup(d.chip);
	i->type = d.type.p ? span_dup(d.type) : NULL;
	for (char *p = i->type; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	i->name = span_dup(d.name);
	if (i->chip)
		irq_split_chip(i);
	if (span_len(d.chip) && !i->chip)
		return err_nomem(e, "the interrupt map");
	return 0;
}

static int parse_line(struct irqmap *m, struct span line, struct err *e)
{
	struct span rest = line, t = next_token(&rest);
	struct irq_info *i;
	int64_t irq;

	if (!span_len(t) || t.end[-1] != ':')
		return 0;
	t.end--;
	if (!parse_whole(t, IRQ_LIMIT, &irq))
		return 0; /* NMI, LOC, ERR, ...: not a device's */
	i = irqmap_add(m, (int32_t)irq);
	if (!i)
		return err_nomem(e, "the interrupt map");
	i->cpu_count = calloc(m->ncpu, sizeof(*i->cpu_count));
	if (!i->cpu_count)
		return err_nomem(e, "the interrupt map");
	if (!parse_counts(m, &rest, i->cpu_count, &i->count)) {
		free(i->cpu_count);
		i->cpu_count = NULL;
	}
	return set_description(i, after(line, rest.p), e);
}

int irqmap_parse(struct irqmap *m, const char *text, size_t len, struct err *e)
{
	struct span all = {text, text + len}, line = all;
	int rc;

	*m = (struct irqmap){0};
	line.end = len ? memchr(text, '\n', len) : NULL;
	if (!line.end)
		line.end = all.end;
	rc = parse_header(m, line, e);
	while (!rc && line.end < all.end) {
		line.p = line.end + 1;
		line.end = memchr(line.p, '\n', (size_t)(all.end - line.p));
		if (!line.end)
			line.end = all.end;
		rc = parse_line(m, line, e);
	}
	if (rc)
		irqmap_release(m);
	else
		irqmap_sort(m);
	return rc;
}
