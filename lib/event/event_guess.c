/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Roles of events for files that do not tell them (perf record), by the names that perf
 * probe and people give; and the caller's own rules, which win.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/event/event_impl.h"

struct known {
	const char *function, *mangled; /* the length and name inside a C++ symbol */
	enum role entry, exit;
	enum direction direction;
};

static const struct known known[] = {
	{"dma_to_host", "11dma_to_host", ROLE_SUBMIT, ROLE_STARTED, DIR_TO_HOST},
	{"dma_from_host", "13dma_from_host", ROLE_SUBMIT, ROLE_STARTED, DIR_FROM_HOST},
	{"dma_wait", "8dma_wait", ROLE_WAIT, ROLE_WOKEN, DIR_UNKNOWN},
	{"dma_stop", "8dma_stop", ROLE_STOP, ROLE_OTHER, DIR_UNKNOWN},
	{"doorbell", "8doorbell", ROLE_DOORBELL, ROLE_OTHER, DIR_UNKNOWN},
};

/* The name without a number behind it: "_1", "2", "__return_3". */
static size_t stem(const char *name)
{
	size_t len = strlen(name);

	while (len && isdigit((unsigned char)name[len - 1]))
		len--;
	if (len && len < strlen(name) && name[len - 1] == '_')
		len--;
	return len;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = stem(name), n = strlen(suffix);

	return len > n && !memcmp(name + len - n, suffix, n);
}

bool guess_is_return(const char *name)
{
	return has_suffix(name, "__return") || has_suffix(name, "_ret") ||
	       has_suffix(name, "_exit");
}

static const struct known *find_known(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!strncmp(name, known[i].function, strlen(known[i].function)))
			return &known[i];
		if (strstr(name, known[i].mangled))
			return &known[i];
	}
	return NULL;
}

static void guess_event(struct meta_event *ev)
{
	const char *colon = strchr(ev->name, ':'), *name = colon ? colon + 1 : ev->name;
	const struct known *k;

	if (!strcmp(ev->name, "irq:irq_handler_entry"))
		ev->role = ROLE_INTERRUPT;
	else if (!strcmp(ev->name, "irq:irq_handler_exit"))
		ev->role = ROLE_HANDLED;
	if (strncmp(ev->name, "probe_", 6) && strncmp(ev->name, "dmarec_", 7) &&
	    strncmp(ev->name, "uprobes:", 8))
		return;
	k = find_known(name);
	if (!k)
		return;
	ev->role = guess_is_return(name) ? k->exit : k->entry;
	if (k->entry == ROLE_SUBMIT && has_suffix(name, "_db")) /* as dmarec names it */
		ev->role = ROLE_DOORBELL;
	ev->direction = k->direction;
	ev->func = (int32_t)(k - known);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static const char *clock_of(const struct perf_event_attr *attr)
{
	if (!attr->use_clockid)
		return "perf";
	switch (attr->clockid) {
	case 0:
		return "realtime";
	case 1:
		return "monotonic";
	case 4:
		return "monotonic_raw";
	case 7:
		return "boottime";
	case 11:
		return "tai";
	default:
		return NULL;
	}
}

/* ---- which events are of one function ---- */

/* "probe_card:mywait" of "probe_card:mywait__return_2". */
static size_t function_length(const char *name)
{
	static const char *const suffix[] = {"__return", "_ret", "_exit"};
	size_t len = stem(name);

	for (size_t i = 0; i < sizeof(suffix) / sizeof(*suffix); i++) {
		size_t n = strlen(suffix[i]);

		if (len > n && !memcmp(name + len - n, suffix[i], n))
			return len - n;
	}
	return len;
}

static bool same_function(const char *a, const char *b)
{
	size_t n = function_length(a);

	return n == function_length(b) && !memcmp(a, b, n);
}

static bool is_entry(const struct meta_event *ev)
{
	return ev->role == ROLE_SUBMIT || ev->role == ROLE_WAIT;
}

static bool is_exit(const struct meta_event *ev)
{
	return ev->role == ROLE_STARTED || ev->role == ROLE_WOKEN;
}

static bool of_function(const struct meta_event *ev)
{
	return is_entry(ev) || is_exit(ev) || ev->role == ROLE_DOORBELL ||
	       ev->role == ROLE_STOP;
}

/* The only function that has an event of this role and nothing at its other end; NULL =
 * none, or several. */
static struct meta_event *only_half(struct meta *m, enum role half)
{
	struct meta_event *found = NULL;

	for (size_t i = 0; i < m->nevent; i++) {
		struct meta_event *ev = &m->event[i];
		bool whole = false;

		for (size_t j = 0; ev->role == half && j < m->nevent; j++)
			whole |= m->event[j].func == ev->func &&
				 (is_entry(ev) ? is_exit(&m->event[j])
					       : is_entry(&m->event[j]));
		if (ev->role != half || whole)
			continue;
		if (found && found->func != ev->func)
			return NULL;
		found = ev;
	}
	return found;
}

/* Names that have nothing in common: when one entry and one exit are left over, they are
 * of one function. */
static void join_halves(struct meta *m, enum role entry, enum role exit)
{
	const struct meta_event *in = only_half(m, entry);
	const struct meta_event *out = only_half(m, exit);
	int32_t from = out ? out->func : -1;

	for (size_t i = 0; in && out && i < m->nevent; i++)
		if (m->event[i].func == from && m->event[i].role == exit)
			m->event[i].func = in->func;
}

/* Events whose roles a person gave are of one function when their names say so, but for
 * what tells an exit. */
static void find_functions(struct meta *m)
{
	int32_t next = (int32_t)(sizeof(known) / sizeof(*known));

	for (size_t i = 0; i < m->nevent; i++)
		if (m->event[i].func >= next)
			next = m->event[i].func + 1;
	for (size_t i = 0; i < m->nevent; i++) {
		struct meta_event *ev = &m->event[i];

		if (ev->func >= 0 || !of_function(ev))
			continue;
		ev->func = next;
		for (size_t j = 0; j < m->nevent; j++)
			if (j != i && m->event[j].func >= 0 &&
			    of_function(&m->event[j]) &&
			    same_function(ev->name, m->event[j].name)) {
				ev->func = m->event[j].func;
				break;
			}
		next += ev->func == next;
	}
	join_halves(m, ROLE_WAIT, ROLE_WOKEN);
	join_halves(m, ROLE_SUBMIT, ROLE_STARTED);
}

/* A start of which only the end of the transfer is seen returns with it. */
static void find_blocking(struct meta *m)
{
	for (size_t i = 0; i < m->nevent; i++) {
		bool started = false, woken = false;

		if (m->event[i].role != ROLE_SUBMIT)
			continue;
		for (size_t j = 0; j < m->nevent; j++) {
			if (m->event[j].func != m->event[i].func)
				continue;
			started |= m->event[j].role == ROLE_STARTED;
			woken |= m->event[j].role == ROLE_WOKEN;
		}
		m->event[i].blocking = woken && !started;
	}
}

/* A wait whose exits nobody probed, a start likewise. */
static void find_exits(struct meta *m)
{
	for (size_t i = 0; i < m->nevent; i++) {
		struct meta_event *ev = &m->event[i];
		bool any = false;

		if (!is_entry(ev))
			continue;
		for (size_t j = 0; j < m->nevent; j++)
			any |= m->event[j].func == ev->func && is_exit(&m->event[j]);
		ev->no_exit = !any;
	}
}

int guess_meta(struct meta *m, struct perfdata *p, struct source *source, struct err *e)
{
	for (size_t i = 0; i < perfdata_nattrs(p); i++) {
		struct meta_event *ev = meta_add_event(m);

		if (!ev)
			return err_nomem(e, "%zu events", perfdata_nattrs(p));
		ev->attr = (int32_t)i;
		ev->name = copy(source[i].name ? source[i].name : "?");
		if (!ev->name)
			return err_nomem(e, "the name of an event");
		guess_event(ev);
	}
	m->command = copy(perfdata_string(p, FEAT_CMDLINE));
	m->clock = copy(clock_of(&perfdata_attr(p, 0)->attr));
	m->tool = copy("perf record");
	m->finished = !perfdata_truncated(p);
	return 0;
}

static bool names_event(const struct meta_event *ev, const char *name)
{
	const char *colon = strchr(ev->name ? ev->name : "", ':');

	return ev->name &&
	       (!strcmp(ev->name, name) || (colon && !strcmp(colon + 1, name)));
}

int event_role_parse(const char *text, enum role *role, enum direction *direction)
{
	const char *colon = strchr(text, ':');
	char word[32];
	int r, d;

	if ((colon ? (size_t)(colon - text) : strlen(text)) >= sizeof(word))
		return -1;
	snprintf(word, sizeof(word), "%.*s", colon ? (int)(colon - text) : 31, text);
	/* what is behind ROLE_STOP only a recorder of ours gives */
	r = role_parse(word);
	d = colon ? direction_parse(colon + 1) : DIR_UNKNOWN;
	if (r < 0 || r > ROLE_STOP || d < 0 || (colon && r != ROLE_SUBMIT))
		return -1;
	*role = (enum role)r;
	if (colon)
		*direction = (enum direction)d;
	return 0;
}

static int no_such_event(const struct meta *m, const char *name, struct err *e)
{
	char list[600] = "";
	size_t n = 0;

	for (size_t i = 0; i < m->nevent && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      m->event[i].name ? m->event[i].name : "?");
	return err_set(e, ERR_NOTFOUND, "the recording has no event '%s'; it has %s",
		       name, list);
}

/* The rule before this one that gives the event something else; NULL = none. */
static const struct event_role *contradicted(const struct event_rules *rules, size_t rule,
					     const struct meta_event *ev)
{
	for (size_t i = 0; i < rule; i++)
		if (names_event(ev, rules->role[i].event) &&
		    strcmp(rules->role[i].role, rules->role[rule].role) != 0)
			return &rules->role[i];
	return NULL;
}

static int apply_rule(struct meta_event *ev, const struct event_rules *rules, size_t rule,
		      struct err *e)
{
	const struct event_role *r = &rules->role[rule],
				*before = contradicted(rules, rule, ev);

	if (before)
		return err_set(
			e, ERR_USAGE,
			"the event %s is given two roles, by --role %s=%s and by "
			"--role %s=%s: it can have one (of events in several groups, "
			"GROUP:EVENT names one)",
			ev->name, before->event, before->role, r->event, r->role);
	if (event_role_parse(r->role, &ev->role, &ev->direction))
		return err_set(e, ERR_USAGE,
			       "'%s' is no role; roles are submit, doorbell, started, "
			       "interrupt, handled, wait, woken, stop, other, and behind "
			       "submit may stand :to_host or :from_host",
			       r->role);
	return 0;
}

int apply_rules(struct meta *m, const struct event_rules *rules, struct err *e)
{
	for (size_t i = 0; rules && i < rules->nrole; i++) {
		bool any = false;

		for (size_t j = 0; j < m->nevent; j++) {
			if (!names_event(&m->event[j], rules->role[i].event))
				continue;
			any = true;
			if (apply_rule(&m->event[j], rules, i, e))
				return ERR_USAGE;
		}
		if (!any)
			return no_such_event(m, rules->role[i].event, e);
	}
	return 0;
}

void complete_roles(struct meta *m, bool guessed)
{
	if (guessed) {
		find_functions(m);
		find_blocking(m);
	}
	find_exits(m);
}
