/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/count/count_event.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/host/rootfs.h"

enum { MAX_CPUS = 8192, MAX_TERM = 64, CONFIG_BITS = 64 };

#define PMUS "/sys/bus/event_source/devices"

/* perf list's names of the kernel's own counts; their unit has no directory of events. */
static const struct {
	const char *name;
	uint64_t config;
} software[] = {
	{"cpu-clock", PERF_COUNT_SW_CPU_CLOCK},
	{"task-clock", PERF_COUNT_SW_TASK_CLOCK},
	{"page-faults", PERF_COUNT_SW_PAGE_FAULTS},
	{"faults", PERF_COUNT_SW_PAGE_FAULTS},
	{"context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES},
	{"cs", PERF_COUNT_SW_CONTEXT_SWITCHES},
	{"cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS},
	{"minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN},
	{"major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ},
};

static int no_event(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_NOTFOUND,
		       "--count '%s': %s; an event is PMU/EVENT/, PMU/term=value,.../ as "
		       "below " PMUS ", or such as page-faults",
		       text, why);
}

/* One range of "0-7" or "12"; returns what is behind it, NULL = it is none. */
static const char *take_range(const char *p, unsigned *low, unsigned *high)
{
	char *end;
	unsigned long from = strtoul(p, &end, 10), to = from;

	if (end == p)
		return NULL;
	if (*end == '-') {
		p = end + 1;
		to = strtoul(p, &end, 10);
		if (end == p)
			return NULL;
	}
	if (from > to || to >= CONFIG_BITS)
		return NULL;
	*low = (unsigned)from;
	*high = (unsigned)to;
	return end;
}

/* "config:0-7,32-35", the term's lowest bits first; false = no format that is known here,
 * or a value that does not fit. */
static bool put_bits(struct count_event *ev, const char *format, uint64_t value)
{
	static const char word[] = "config";
	const char *p = format + sizeof(word) - 1;
	unsigned which = 0, low, high;

	if (strncmp(format, word, sizeof(word) - 1) != 0)
		return false;
	if (*p >= '1' && *p < '0' + COUNT_CONFIGS)
		which = (unsigned)(*p++ - '0');
	if (*p != ':')
		return false;
	do {
		unsigned width;
		uint64_t mask;

		p = take_range(p + 1, &low, &high);
		if (!p)
			return false;
		width = high - low + 1;
		mask = width == CONFIG_BITS ? UINT64_MAX : (UINT64_C(1) << width) - 1;
		ev->config[which] |= (value & mask) << low;
		value = width == CONFIG_BITS ? 0 : value >> width;
	} while (*p == ',');
	return !*p && !value;
}

static int set_term(struct count_event *ev, const char *root, const char *name,
		    uint64_t value, struct err *e)
{
	char *format, why[200];
	bool put;

	if (!strncmp(name, "config", 6) &&
	    (!name[6] || (name[6] > '0' && !name[7] && name[6] < '0' + COUNT_CONFIGS))) {
		ev->config[name[6] ? name[6] - '0' : 0] = value;
		return 0;
	}
	format = rootfs_line(root, PMUS "/%s/format/%s", ev->pmu, name);
	if (!format) {
		snprintf(why, sizeof(why), "unit %s has no term '%.60s'", ev->pmu, name);
		return no_event(ev->text, why, e);
	}
	put = put_bits(ev, format, value);
	snprintf(why, sizeof(why), "%s=0x%llx does not fit into %.80s", name,
		 (unsigned long long)value, format);
	free(format);
	return put ? 0 : no_event(ev->text, why, e);
}

static int set_terms(struct count_event *ev, const char *root, const char *terms,
		     bool nested, struct err *e);

/* EVENT of PMU/EVENT/: what its file says. */
static int set_named(struct count_event *ev, const char *root, const char *name,
		     struct err *e)
{
	char *terms = rootfs_line(root, PMUS "/%s/events/%s", ev->pmu, name), *scale;
	int rc;

	if (!terms)
		return set_term(ev, root, name, 1, e); /* a flag */
	rc = set_terms(ev, root, terms, true, e);
	free(terms);
	free(ev->unit);
	ev->unit = rootfs_line(root, PMUS "/%s/events/%s.unit", ev->pmu, name);
	scale = rootfs_line(root, PMUS "/%s/events/%s.scale", ev->pmu, name);
	if (scale)
		ev->scale = strtod(scale, NULL);
	free(scale);
	return rc;
}

/* "event=0x1,umask=2,flag"; nested: of an event's own file, where no event is named. */
static int set_terms(struct count_event *ev, const char *root, const char *terms,
		     bool nested, struct err *e)
{
	int rc = 0;

	for (const char *p = terms; !rc && *p; p += strspn(p, ",")) {
		size_t len = strcspn(p, ",");
		char term[MAX_TERM], *value;
		int64_t v = 1;

		if (len >= sizeof(term))
			return no_event(ev->text, "a term is too long", e);
		memcpy(term, p, len);
		term[len] = 0;
		p += len;
		value = strchr(term, '=');
		if (value)
			*value++ = 0;
		/* 64 bits without a sign */
		if (value && num_i64(value, 0, INT64_MAX, &v, NULL))
			return no_event(ev->text, "a term's value is no number", e);
		rc = value || nested ? set_term(ev, root, term, (uint64_t)v, e)
				     : set_named(ev, root, term, e);
	}
	return rc;
}

/* Where the unit wants to be counted: one CPU of each package, for uncore units. */
static int set_cpus(struct count_event *ev, const char *root, struct err *e)
{
	char *mask = rootfs_line(root, PMUS "/%s/cpumask", ev->pmu);
	int rc = 0;

	if (mask)
		rc = num_list(mask, 0, MAX_CPUS, MAX_CPUS, &ev->cpu, &ev->ncpu, e);
	free(mask);
	return rc;
}

static int parse_software(struct count_event *ev, struct err *e)
{
	for (size_t i = 0; i < sizeof(software) / sizeof(*software); i++)
		if (!strcmp(ev->text, software[i].name)) {
			ev->type = PERF_TYPE_SOFTWARE;
			ev->config[0] = software[i].config;
			ev->pmu = strdup("software");
			return ev->pmu ? 0 : err_nomem(e, "an event");
		}
	return no_event(ev->text, "there is no such event", e);
}

int count_event_parse(struct count_event *ev, const char *root, const char *text,
		      struct err *e)
{
	const char *slash = strchr(text, '/'), *end = slash ? strrchr(text, '/') : NULL;
	char *terms;
	int64_t type;
	int rc;

	*ev = (struct count_event){.scale = 1, .text = strdup(text)};
	if (!ev->text)
		return err_nomem(e, "an event");
	if (!slash)
		return parse_software(ev, e);
	if (end <= slash + 1 || end[1] || slash == text || *text == '.')
		return no_event(text, "it is no PMU/EVENT/", e);
	ev->pmu = strndup(text, (size_t)(slash - text));
	terms = strndup(slash + 1, (size_t)(end - slash - 1));
	if (!ev->pmu || !terms)
		rc = err_nomem(e, "an event");
	else if (strchr(terms, '/') ||
		 !rootfs_number(root, &type, PMUS "/%s/type", ev->pmu))
		rc = no_event(text, "this machine has no such unit", e);
	else
		rc = set_terms(ev, root, terms, false, e);
	if (!rc) {
		ev->type = (uint32_t)type;
		rc = set_cpus(ev, root, e);
	}
	free(terms);
	return rc;
}

void count_event_release(struct count_event *ev)
{
	free(ev->text);
	free(ev->pmu);
	free(ev->unit);
	free(ev->cpu);
	*ev = (struct count_event){.text = NULL};
}
