/* SPDX-License-Identifier: GPL-2.0-only */
/* What the keys of [profile], [library], [interrupt] and [counter] mean. */
#include "record/profile/profile.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/profile/profile_priv.h"

static int add_line(char **slot, const char *value, struct err *e)
{
	char *joined;

	if (!*slot)
		return set_text(slot, value, e);
	if (asprintf(&joined, "%s %s", *slot, value) < 0)
		return err_nomem(e, "a profile");
	free(*slot);
	*slot = joined;
	return 0;
}

static int set_auto(struct profile *p, const char *value, struct err *e)
{
	static const char *const word[] = {"functions", "library", "no"};

	for (int k = 0; k < 3; k++)
		if (!strcmp(value, word[k])) {
			p->automatic = (enum profile_auto)k;
			return 0;
		}
	return err_set(e, ERR_FORMAT, "'%s' is none of functions, library, no", value);
}

int profile_set_head(struct profile *p, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "auto"))
		return set_auto(p, value, e);
	if (!strcmp(key, "watch"))
		return watch_mode_parse(value, &p->watch, &p->watch_every_ns, e);
	if (!strcmp(key, "title"))
		return add_line(&p->title, value, e);
	if (!strcmp(key, "source"))
		return add_line(&p->source, value, e);
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
		return err_set(e, ERR_FORMAT,
			       "'%s': a profile's name has small "
			       "letters, digits, '-', '_' and '.'",
			       value);
	return set_text(&p->name, value, e);
}

/* "10ee:7038 10ee:7039" */
static int add_pci(struct profile *p, const char *value, struct err *e)
{
	unsigned vendor, device;
	void *grown;
	int used;

	while (*value) {
		used = 0;
		if (strspn(value, "0123456789abcdefABCDEF") != 4 || value[4] != ':' ||
		    strspn(value + 5, "0123456789abcdefABCDEF") != 4 ||
		    sscanf(value, "%4x:%4x%n", &vendor, &device, &used) != 2 || !vendor ||
		    (value[used] && !isblank((unsigned char)value[used])))
			return err_set(
				e, ERR_FORMAT,
				"'%s' is no PCI vendor and device, such as 10ee:7038",
				value);
		grown = realloc(p->pci, (p->npci + 1) * sizeof(*p->pci));
		if (!grown)
			return err_nomem(e, "a profile");
		p->pci = grown;
		p->pci[p->npci].vendor = (uint16_t)vendor;
		p->pci[p->npci++].device = (uint16_t)device;
		value += used + (int)strspn(value + used, " \t");
	}
	return 0;
}

int profile_add_vector(struct profile *p, int64_t channel, const char *value,
		       struct err *e)
{
	int64_t vector;
	void *grown;

	if (num_i64(value, 0, 2047, &vector, NULL))
		return err_set(
			e, ERR_FORMAT,
			"'%s' is no index of a vector (0 to 2047; the index within the "
			"card, not the number in /proc/interrupts)",
			value);
	for (size_t k = 0; k < p->nvector; k++)
		if (p->vector[k].channel == channel)
			return err_set(e, ERR_FORMAT,
				       "this channel has a vector already");
	grown = realloc(p->vector, (p->nvector + 1) * sizeof(*p->vector));
	if (!grown)
		return err_nomem(e, "a profile");
	p->vector = grown;
	p->vector[p->nvector].vector = (int32_t)vector;
	p->vector[p->nvector++].channel = channel;
	return 0;
}

int profile_add_library(struct profile *p, const char *value, struct err *e)
{
	int rc = 0;

	for (size_t len; *value && !rc; value += len, value += strspn(value, " \t")) {
		len = strcspn(value, " \t");
		rc = add_text(&p->library, &p->nlibrary, value, len, e);
	}
	return rc;
}

int profile_set_interrupt(struct profile *p, const char *key, const char *value,
			  struct err *e)
{
	int pairing;

	if (!strcmp(key, "device")) /* one a line: names may have blanks */
		return add_text(&p->device, &p->ndevice, value, strlen(value), e);
	if (!strcmp(key, "pci"))
		return add_pci(p, value, e);
	if (!strcmp(key, "vector"))
		return profile_add_vector(p, DMA_UNKNOWN, value, e);
	pairing = pairing_parse(value);
	if (pairing < 0)
		return err_set(e, ERR_FORMAT,
			       "'%s' is none of infer, one, drain, first, last", value);
	p->pairing = (enum pairing)pairing;
	return 0;
}

/* The largest number of "{2,5}", of which at is the brace; at least 1. */
static unsigned long repeats(const char *at)
{
	unsigned long first = strtoul(at + 1, NULL, 10), last = 0;
	const char *comma = at + 1 + strspn(at + 1, "0123456789");

	if (*comma == ',')
		last = strtoul(comma + 1, NULL, 10);
	first = first > last ? first : last;
	return first ? first : 1;
}

/* The C library unfolds repetitions when it compiles an expression: x+++++ and
 * (((x+)+)+)+ double with each sign, ((x{99}){99}) becomes 9801 times x, and x{1,9999}
 * takes 8 s and 1.2 GB (glibc 2.36). Ordinary patterns have none of these. */
static bool unfolds_too_far(const char *re)
{
	enum { MAX_GROUPS = 4, MAX_COPIES = 256 };
	unsigned long copies = 1;
	int groups = 0;

	for (const char *at = re; *at; at++) {
		if (*at == '\\' && at[1])
			at += 2;
		if (!*at || !strchr("*+?{", *at))
			continue;
		if (at[1] && strchr("*+?{", at[1]))
			return true;
		groups += at > re && at[-1] == ')';
		if (*at != '{')
			continue;
		if (repeats(at) > MAX_COPIES / copies)
			return true;
		copies *= repeats(at);
	}
	return groups > MAX_GROUPS;
}

int profile_set_counter(struct profile_counter *c, const char *key, const char *value,
			struct err *e)
{
	char why[200];
	regex_t re;
	size_t groups;
	int rc;

	if (!strcmp(key, "file")) {
		if (*value != '/')
			return err_set(e, ERR_FORMAT, "'%s' is no absolute path", value);
		return set_text(&c->file, value, e);
	}
	if (unfolds_too_far(value))
		return err_set(
			e, ERR_FORMAT,
			"'%s' repeats a repetition, or too often; write it plainer",
			value);
	rc = regcomp(&re, value, REG_EXTENDED);
	if (rc) {
		regerror(rc, &re, why, sizeof(why));
		return err_set(e, ERR_FORMAT, "'%s' is no regular expression: %s", value,
			       why);
	}
	groups = re.re_nsub;
	regfree(&re);
	if (groups < 1 || groups > 2)
		return err_set(e, ERR_FORMAT,
			       "'%s' has %zu groups; it needs one "
			       "(the value) or two (name, value)",
			       value, groups);
	return set_text(&c->pattern, value, e);
}
