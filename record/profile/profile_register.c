/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/profile/profile_register.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/host/irqmap.h"

enum { LAST_BAR = 5, MAX_NAME = 40 };

const char *const register_keys[] = {"pci",  "bar",	"file",	    "offset", "width",
				     "busy", "channel", "channels", "card",   NULL};

void register_init(struct register_spec *r)
{
	*r = (struct register_spec){
		.bar = -1, .offset = -1, .channel = DMA_UNKNOWN, .card = DMA_UNKNOWN};
}

void register_release(struct register_spec *r)
{
	free(r->name);
	free(r->bdf);
	free(r->file);
	free(r->busy_text);
	register_init(r);
}

static int set_text(char **slot, const char *text, struct err *e)
{
	free(*slot);
	*slot = strdup(text);
	return *slot ? 0 : err_nomem(e, "a register");
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static int bad_busy(const char *value, struct err *e)
{
	return err_set(
		e, ERR_FORMAT,
		"'%s' does not say when a channel runs: bit(channel), "
		"bit(channel + 8), value & 1, value != 0, or one of them behind '!'",
		value);
}

/* Behind "bit(channel": "+ 8)" or ")". */
static int set_bit(struct register_spec *r, const char *p, const char *value,
		   struct err *e)
{
	char number[8];
	int64_t shift = 0;
	size_t len;

	p = skip_blanks(p);
	if (*p == '+') {
		p = skip_blanks(p + 1);
		len = strspn(p, "0123456789");
		snprintf(number, sizeof(number), "%.*s", (int)(len < 7 ? len : 7), p);
		if (num_i64(number, 0, REGISTER_CHANNELS - 1, &shift, NULL))
			return bad_busy(value, e);
		p = skip_blanks(p + len);
	}
	if (*p != ')' || *skip_blanks(p + 1))
		return bad_busy(value, e);
	r->by_bit = true;
	r->shift = (int)shift;
	return 0;
}

static int set_busy(struct register_spec *r, const char *value, struct err *e)
{
	static const char bit[] = "bit(channel", word[] = "value";
	const char *p = skip_blanks(value);
	char condition[64];
	int rc = set_text(&r->busy_text, value, e);

	if (rc)
		return rc;
	r->negated = *p == '!';
	p = skip_blanks(p + r->negated);
	if (!strncmp(p, bit, sizeof(bit) - 1))
		return set_bit(r, p + sizeof(bit) - 1, value, e);
	r->by_bit = false;
	if (strncmp(p, word, sizeof(word) - 1) != 0)
		return bad_busy(value, e);
	/* conditions know a value by the name that a function's has */
	snprintf(condition, sizeof(condition), "ret%s", p + sizeof(word) - 1);
	if (condition_parse(condition, &r->busy, NULL) || *r->busy.other)
		return bad_busy(value, e);
	return 0;
}

static int set_number(int64_t *to, const char *key, const char *value, int64_t max,
		      struct err *e)
{
	struct err why = {0};

	if (num_i64(value, 0, max, to, &why))
		return err_set(e, ERR_FORMAT, "%s: %s", key, why.text);
	return 0;
}

static int set_width(struct register_spec *r, const char *value, struct err *e)
{
	int64_t v;

	if (num_i64(value, 8, 64, &v, NULL) || (v & (v - 1)))
		return err_set(e, ERR_FORMAT,
			       "'%s' is no width of a register: 8, 16, 32 or 64 bits",
			       value);
	r->width = (int)v;
	return 0;
}

static int set_bdf(struct register_spec *r, const char *value, struct err *e)
{
	char bdf[16];

	if (!bdf_normalise(value, bdf))
		return err_set(e, ERR_FORMAT,
			       "'%s' is no address of a PCI device, such as 0000:03:00.0",
			       value);
	return set_text(&r->bdf, bdf, e);
}

static int set_file(struct register_spec *r, const char *value, struct err *e)
{
	if (*value != '/')
		return err_set(e, ERR_FORMAT, "'%s' is no absolute path", value);
	return set_text(&r->file, value, e);
}

int register_set(struct register_spec *r, const char *key, const char *value,
		 struct err *e)
{
	int64_t v = 0;
	int rc;

	if (!strcmp(key, "pci"))
		return set_bdf(r, value, e);
	if (!strcmp(key, "file"))
		return set_file(r, value, e);
	if (!strcmp(key, "busy"))
		return set_busy(r, value, e);
	if (!strcmp(key, "width"))
		return set_width(r, value, e);
	if (!strcmp(key, "offset"))
		return set_number(&r->offset, key, value, INT64_MAX, e);
	if (!strcmp(key, "card"))
		return set_number(&r->card, key, value, INT32_MAX, e);
	if (!strcmp(key, "channel"))
		return set_number(&r->channel, key, value, INT32_MAX, e);
	if (!strcmp(key, "bar")) {
		rc = set_number(&v, key, value, LAST_BAR, e);
		r->bar = (int)v;
		return rc;
	}
	rc = set_number(&v, key, value, REGISTER_CHANNELS, e);
	r->channels = (int)v;
	return rc;
}

static int check_place(const struct register_spec *r, struct err *e)
{
	if (r->file && (r->bar >= 0 || r->bdf))
		return err_set(
			e, ERR_USAGE,
			"register %s: a file is named and a BAR; it lies in one of "
			"them",
			r->name);
	if (r->bar < 0 && !r->file)
		return err_set(e, ERR_USAGE, "register %s: say its 'bar = 0' .. 5",
			       r->name);
	if (r->offset < 0)
		return err_set(e, ERR_USAGE,
			       "register %s: say its 'offset = 0x...' into the BAR",
			       r->name);
	if (r->offset % (r->width / 8))
		return err_set(
			e, ERR_USAGE,
			"register %s: offset 0x%llx is no place of a register of %d "
			"bits, which are multiples of %d",
			r->name, (unsigned long long)r->offset, r->width, r->width / 8);
	return 0;
}

int register_finish(struct register_spec *r, struct err *e)
{
	size_t len =
		strspn(r->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
				"0123456789");
	int rc;

	if (r->name[len] || len > MAX_NAME || isdigit((unsigned char)*r->name))
		return err_set(
			e, ERR_USAGE,
			"register '%s': a name of up to %d letters, digits and '_', "
			"which begins with no digit",
			r->name, MAX_NAME);
	r->width = r->width ? r->width : 32;
	if (!r->busy_text && (rc = set_busy(r, "value != 0", e)))
		return rc;
	rc = check_place(r, e);
	if (rc)
		return rc;
	if (!r->by_bit && r->channels)
		return err_set(
			e, ERR_USAGE,
			"register %s: 'channels' goes with 'busy = bit(channel)'; one "
			"channel's is 'channel'",
			r->name);
	if (r->by_bit && r->channel != DMA_UNKNOWN)
		return err_set(e, ERR_USAGE,
			       "register %s: 'bit(channel)' is of several channels: "
			       "'channels = 8'",
			       r->name);
	if (r->by_bit && !r->channels)
		r->channels = r->width - r->shift;
	if (r->by_bit && r->channels + r->shift > r->width)
		return err_set(
			e, ERR_USAGE,
			"register %s: %d channels from bit %d on do not fit into %d "
			"bits",
			r->name, r->channels, r->shift, r->width);
	return 0;
}

/* ---- the option ---- */

/* The '+' before OFFSET:WIDTH; NULL = there is none. */
static const char *plus_of(const char *text)
{
	const char *found = NULL;

	for (const char *p = text; (p = strchr(p, '+')); p++) {
		size_t len = strspn(p + 1, "0123456789abcdefABCDEFx");

		if (p > text && isdigit((unsigned char)p[1]) && p[1 + len] == ':')
			found = p;
	}
	return found;
}

bool register_looks(const char *text)
{
	return plus_of(text) != NULL;
}

static int bad_text(const char *text, struct err *e)
{
	return err_set(
		e, ERR_USAGE,
		"'%s' is no register: BDF:BAR+OFFSET:WIDTH or FILE+OFFSET:WIDTH, such "
		"as 0000:03:00.0:0+0x400:32, and optionally :BUSY behind it, such as "
		":bit(channel)",
		text);
}

/* "0000:03:00.0:0" or a path. */
static int parse_place(struct register_spec *r, char *place, struct err *e)
{
	char *bar = strrchr(place, ':');
	int rc;

	if (strchr(place, '/'))
		return set_file(r, place, e);
	if (!bar)
		return bad_text(place, e);
	*bar++ = 0;
	rc = set_bdf(r, place, e);
	return rc ? rc : register_set(r, "bar", bar, e);
}

/* Of several of one command each has a name of its own: where it is. */
static int name_by_place(struct register_spec *r, struct err *e)
{
	char name[MAX_NAME + 1];

	if (r->bdf)
		snprintf(name, sizeof(name), "card_%s_%d_%llx", r->bdf, r->bar,
			 (unsigned long long)r->offset);
	else
		snprintf(name, sizeof(name), "register_%llx",
			 (unsigned long long)r->offset);
	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return set_text(&r->name, name, e);
}

int register_parse(struct register_spec *r, const char *text, struct err *e)
{
	const char *plus = plus_of(text);
	char *copy = plus ? strdup(text) : NULL, *offset, *width, *busy;
	int rc;

	if (!copy)
		return plus ? err_nomem(e, "a register") : bad_text(text, e);
	offset = copy + (plus - text);
	*offset++ = 0;
	width = strchr(offset, ':');
	*width++ = 0;
	busy = strchr(width, ':');
	if (busy)
		*busy++ = 0;
	rc = parse_place(r, copy, e);
	rc = rc ? rc : register_set(r, "offset", offset, e);
	rc = rc ? rc : set_width(r, width, e);
	rc = rc || !busy ? rc : set_busy(r, busy, e);
	rc = rc ? rc : name_by_place(r, e);
	rc = rc ? rc : register_finish(r, e);
	free(copy);
	return rc;
}

/* ---- when ---- */

int watch_mode_parse(const char *text, enum watch_mode *mode, int64_t *every_ns,
		     struct err *e)
{
	static const char every[] = "every";

	if (!strcmp(text, "no")) {
		*mode = WATCH_NO;
	} else if (!strcmp(text, "yes") || !strcmp(text, "always")) {
		*mode = WATCH_ALWAYS;
	} else if (!strcmp(text, "in flight") || !strcmp(text, "in-flight")) {
		*mode = WATCH_IN_FLIGHT;
	} else {
		const char *time = text;

		if (!strncmp(text, every, sizeof(every) - 1))
			time = skip_blanks(text + sizeof(every) - 1);
		if (num_duration_ns(time, 1000, INT64_C(1000000000), every_ns, NULL))
			return err_set(
				e, ERR_USAGE,
				"'%s' does not say when the register is read: always, "
				"in flight, or a time from 1us to 1s, such as 20us",
				text);
		*mode = WATCH_EVERY;
	}
	return 0;
}

const char *watch_mode_print(enum watch_mode mode, int64_t every_ns, char buf[64])
{
	char time[32];

	if (mode == WATCH_EVERY)
		snprintf(buf, 64, "every %s", num_print_ns(time, every_ns));
	else
		snprintf(buf, 64, "%s",
			 mode == WATCH_ALWAYS	   ? "always"
			 : mode == WATCH_IN_FLIGHT ? "in flight"
						   : "no");
	return buf;
}

bool register_busy(const struct register_spec *r, uint64_t value, int channel)
{
	bool busy = r->by_bit ? value >> (r->shift + channel) & 1
			      : condition_holds(&r->busy, (int64_t)value, 0);

	return busy != r->negated;
}
