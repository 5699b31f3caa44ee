/* SPDX-License-Identifier: GPL-2.0-only */
/* The two shapes of --list. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dma.h"
#include "lib/json.h"
#include "record/count/count_event.h"
#include "record/list_priv.h"

/* ---- table ---- */

struct widths {
	int chip, name, cpus;
};

static int longer(int width, const char *text, int max)
{
	int len = text ? (int)strlen(text) : 1;

	len = len > max ? max : len;
	return len > width ? len : width;
}

static void cpus_of(const struct irq_info *i, char *buf, size_t size)
{
	if (i->effective && i->affinity && strcmp(i->effective, i->affinity))
		snprintf(buf, size, "%s of %s", i->effective, i->affinity);
	else
		snprintf(buf, size, "%s", i->affinity ? i->affinity : "-");
}

static struct widths measure(const struct list *l)
{
	struct widths w = {4, 4, 4};
	char cpus[64];

	for (size_t k = 0; k < l->n; k++) {
		cpus_of(l->row[k].irq, cpus, sizeof(cpus));
		w.chip = longer(w.chip, l->row[k].irq->chip, 16);
		w.name = longer(w.name, l->row[k].irq->name, 28);
		w.cpus = longer(w.cpus, cpus, 20);
	}
	return w;
}

/* Numbers of the same length have their digits below one another; text that is too long
 * is cut, as a table must hold; JSON has it whole. */
static void print_row(const struct list *l, const struct list_row *r,
		      const struct widths *w, FILE *out)
{
	char vector[16] = "-", cpus[64], count[24] = "?", rate[24] = "-";
	const struct irq_info *i = r->irq;

	if (i->vector >= 0)
		snprintf(vector, sizeof(vector), "%d%s", i->vector,
			 i->vector_guessed ? "?" : "");
	if (r->count != DMA_UNKNOWN)
		snprintf(count, sizeof(count), "%" PRId64, r->count);
	if (r->delta != DMA_UNKNOWN && l->interval_ns > 0)
		snprintf(rate, sizeof(rate), "%.0f",
			 (double)r->delta * 1e9 / (double)l->interval_ns);
	cpus_of(i, cpus, sizeof(cpus));
	fprintf(out, "%5d %6s  %-*.*s %-*.*s %-*.*s %11s %8s  %s\n", i->irq, vector,
		w->chip, w->chip, i->chip ? i->chip : "-", w->name, w->name,
		i->name ? i->name : "(none)", w->cpus, w->cpus, cpus, count, rate,
		r->masked < 0 ? "?"
		: r->masked   ? "yes"
			      : "no");
}

static void print_heading(const struct widths *w, FILE *out)
{
	fprintf(out, "%5s %6s  %-*s %-*s %-*s %11s %8s  %s\n", "irq", "vector", w->chip,
		"chip", w->name, "name", w->cpus, "cpus", "count", "per s", "masked");
}

/* How many rows from k on are of the same device. */
static size_t group_size(const struct list *l, size_t k)
{
	size_t n = 1;

	while (k + n < l->n && l->row[k + n].device == l->row[k].device)
		n++;
	return n;
}

/* "8 vectors, all called 'flx'; 2 fired" */
static void print_vectors(const struct list *l, size_t k, size_t n, FILE *out)
{
	const char *name = l->row[k].irq->name;
	size_t same = 0, fired = 0;

	for (size_t j = k; j < k + n; j++) {
		const char *other = l->row[j].irq->name;

		same += name && other && !strcmp(name, other);
		fired += l->row[j].count != DMA_UNKNOWN && l->row[j].count > 0;
	}
	fprintf(out, "  %zu %s%s", n,
		l->row[k].irq->vector < 0 ? "wired interrupt" : "vector",
		n == 1 ? "" : "s");
	if (n > 1 && same == n)
		fprintf(out, ", all called '%s': only the number tells them apart", name);
	fprintf(out, "; %zu ha%s fired so far\n", fired, fired == 1 ? "s" : "ve");
}

static void print_device(const struct list_device *d, FILE *out)
{
	fprintf(out, "PCI %s", d->bdf);
	if (d->vendor)
		fprintf(out, "  %s%s%s", d->vendor, d->device ? " " : "",
			d->device ? d->device : "");
	if (d->vendor_id)
		fprintf(out, " [%04x:%04x]", d->vendor_id, d->device_id);
	if (d->driver)
		fprintf(out, "  driver %s", d->driver);
	if (d->link_speed && strncmp(d->link_speed, "Unknown", 7))
		fprintf(out, "  link %s x%s", d->link_speed,
			d->link_width ? d->link_width : "?");
	fputc('\n', out);
}

static void print_notes(const struct list *l, FILE *out)
{
	bool guessed = false, unknown = false, cut = false;

	for (size_t k = 0; k < l->n; k++) {
		guessed |= l->row[k].irq->vector_guessed;
		unknown |= l->row[k].masked < 0;
		cut |= l->row[k].count == DMA_UNKNOWN;
	}
	if (guessed)
		fputs("\nvector 2? = by the order of numbers, "
		      "which is usual but not guaranteed\n",
		      out);
	if (unknown)
		fputs("\nmasked ? = not told (a vector that counts is "
		      "not masked); root can see it on kernels\nwith "
		      "CONFIG_GENERIC_IRQ_DEBUGFS and debugfs mounted\n",
		      out);
	if (cut)
		fputs("\ncount ? = its line in /proc/interrupts is incomplete\n", out);
}

void list_print_table(const struct list *l, FILE *out)
{
	struct widths w = measure(l);

	if (!l->n)
		fputs("no interrupts\n", out);
	for (size_t k = 0, n; k < l->n; k += n) {
		n = group_size(l, k);
		if (k)
			fputc('\n', out);
		if (l->row[k].device) {
			print_device(l->row[k].device, out);
			print_vectors(l, k, n, out);
		} else {
			fputs("not of a PCI device\n", out);
		}
		print_heading(&w, out);
		for (size_t j = k; j < k + n; j++)
			print_row(l, &l->row[j], &w, out);
	}
	print_notes(l, out);
}

/* ---- JSON (RFC 8259) ---- */

static void json_key(const char *key, FILE *out)
{
	fprintf(out, ", \"%s\": ", key);
}

static void json_pair(const char *key, const char *text, FILE *out)
{
	json_key(key, out);
	json_text(out, text);
}

static void json_number(const char *key, int64_t v, int64_t unknown, FILE *out)
{
	json_key(key, out);
	if (v == unknown)
		fputs("null", out);
	else
		fprintf(out, "%" PRId64, v);
}

static void json_names(const struct list *l, const struct list_device *d, FILE *out)
{
	bool first = true;

	json_key("names", out);
	fputc('[', out);
	for (size_t k = 0; k < l->n; k++) {
		const char *name = l->row[k].irq->name;
		bool seen = !name || l->row[k].device != d;

		for (size_t j = 0; j < k && !seen; j++)
			seen = l->row[j].device == d && l->row[j].irq->name &&
			       !strcmp(l->row[j].irq->name, name);
		if (seen)
			continue;
		fputs(first ? "" : ", ", out);
		json_text(out, name);
		first = false;
	}
	fputc(']', out);
}

static void json_device(const struct list *l, const struct list_device *d, FILE *out)
{
	char vendor[8], device[8];
	int64_t n = 0;

	for (size_t k = 0; k < l->n; k++)
		n += l->row[k].device == d;
	snprintf(vendor, sizeof(vendor), "%04x", d->vendor_id);
	snprintf(device, sizeof(device), "%04x", d->device_id);
	fputs("{\"pci\": ", out);
	json_text(out, d->bdf);
	json_pair("vendor_id", d->vendor_id ? vendor : NULL, out);
	json_pair("device_id", d->vendor_id ? device : NULL, out);
	json_pair("vendor", d->vendor, out);
	json_pair("device", d->device, out);
	json_pair("driver", d->driver, out);
	json_pair("link_speed", d->link_speed, out);
	json_pair("link_width", d->link_width, out);
	json_number("vectors", n, -1, out);
	json_names(l, d, out);
	fputc('}', out);
}

static void json_row(const struct list *l, const struct list_row *r, FILE *out)
{
	const struct irq_info *i = r->irq;

	fprintf(out, "{\"irq\": %d", i->irq);
	json_pair("name", i->name, out);
	json_pair("chip", i->chip, out);
	json_pair("type", i->type, out);
	json_number("hwirq", i->hwirq, -1, out);
	json_pair("pci", i->bdf, out);
	json_number("vector", i->vector, -1, out);
	fprintf(out, ", \"vector_guessed\": %s", i->vector_guessed ? "true" : "false");
	json_pair("affinity", i->affinity, out);
	json_pair("effective_affinity", i->effective, out);
	json_number("count", r->count, DMA_UNKNOWN, out);
	json_key("rate_hz", out);
	if (r->delta == DMA_UNKNOWN || l->interval_ns <= 0)
		fputs("null", out);
	else
		fprintf(out, "%.3f", (double)r->delta * 1e9 / (double)l->interval_ns);
	fprintf(out, ", \"masked\": %s",
		r->masked < 0 ? "null"
		: r->masked   ? "true"
			      : "false");
	fprintf(out, ", \"is_device\": %s}", irq_is_device(i) ? "true" : "false");
}

void list_print_json(const struct list *l, FILE *out)
{
	fputs("{\n  \"format\": 1", out);
	if (l->interval_ns == DMA_UNKNOWN)
		fputs(",\n  \"interval_ns\": null", out);
	else
		fprintf(out, ",\n  \"interval_ns\": %" PRId64, l->interval_ns);
	fputs(",\n  \"cpus\": [", out);
	for (size_t k = 0; k < l->map.ncpu; k++)
		fprintf(out, "%s%d", k ? ", " : "", l->map.cpu[k]);
	fputs("],\n  \"devices\": [", out);
	for (size_t k = 0; k < l->ndevice; k++) {
		fputs(k ? ",\n    " : "\n    ", out);
		json_device(l, &l->device[k], out);
	}
	fputs(l->ndevice ? "\n  ],\n  \"interrupts\": [" : "],\n  \"interrupts\": [",
	      out);
	for (size_t k = 0; k < l->n; k++) {
		fputs(k ? ",\n    " : "\n    ", out);
		json_row(l, &l->row[k], out);
	}
	fputs(l->n ? "\n  ],\n  \"counting_units\": " : "],\n  \"counting_units\": ",
	      out);
	count_list_json(l->root, out, NULL);
	fputs("\n}\n", out);
}
