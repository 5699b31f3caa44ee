/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A register of a card that says which of its channels run: of a profile, or as the option
 * --watch names it. What is said here is all that is ever read of a card.
 */
#ifndef DMA_PROFILE_REGISTER_H
#define DMA_PROFILE_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/file/meta.h"

struct err;

enum { REGISTER_CHANNELS = 64 /* bits of the widest register */ };

struct register_spec {
	char *name; /* of its event: letters, digits and '_' */
	char *bdf;  /* "0000:03:00.0"; NULL = the profile's card */
	char *file; /* in place of a BAR: a file that is mapped; NULL = a BAR */
	int bar;
	int64_t offset; /* into the BAR, bytes */
	int width;	/* bits: 8, 16, 32, 64 */
	/* What says that a channel runs: its own bit (channel + shift), or a condition on the
	 * value; negated: when it is not so. */
	bool by_bit, negated;
	int shift;
	struct condition busy;
	char *busy_text; /* as it was written */
	int channels;	 /* with by_bit: so many, from 0 */
	int64_t channel; /* else this one; DMA_UNKNOWN = not told */
	int64_t card;	 /* as the program numbers it; DMA_UNKNOWN = not told */
	int line;	 /* in the profile; 0 = an option */
};

/* When the register is read. */
enum watch_mode {
	WATCH_NO,
	WATCH_ALWAYS,
	WATCH_IN_FLIGHT, /* from a start until no channel runs */
	WATCH_EVERY	 /* once in watch_every_ns */
};

void register_init(struct register_spec *r);
void register_release(struct register_spec *r);

/* One key of a [register]; ERR_USAGE or ERR_FORMAT for a bad value. */
extern const char *const register_keys[];
int register_set(struct register_spec *r, const char *key, const char *value,
		 struct err *e);
/* When all keys are there. */
int register_finish(struct register_spec *r, struct err *e);

/* "0000:03:00.0:0+0x400:32:bit(channel)", "/dev/shm/card+0x98:32:value & 1": where it is,
 * its width, and optionally what says busy (else value != 0). Into an initialised *r. */
int register_parse(struct register_spec *r, const char *text, struct err *e);
/* Does the text look like one? A command never does. */
bool register_looks(const char *text);

/* "always", "in flight", "every 20us", "no", "yes" */
int watch_mode_parse(const char *text, enum watch_mode *mode, int64_t *every_ns,
		     struct err *e);
/* The same words; buf for the interval. */
const char *watch_mode_print(enum watch_mode mode, int64_t every_ns, char buf[64]);

/* Does the channel run, by this value of the register? */
bool register_busy(const struct register_spec *r, uint64_t value, int channel);

#endif
