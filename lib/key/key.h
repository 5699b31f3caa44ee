/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts and ends that share a key. The driver's events (ROLE_ASKED, ROLE_ISSUED,
 * ROLE_ENDED) carry a number that stays with what the driver does for one transfer: the
 * device and the sector of a request, the address of a descriptor, a card and its channel.
 * Here they become the word of the driver on each transfer of the joiner's; nothing is
 * inferred.
 *
 * A start of the library's has the keys of the events on its thread between its entry and
 * its exit, and its own, where its section has one. Each key is a part of the transfer; the
 * transfer has ended when all parts have, at the last one's end, and was issued with the first
 * one's. What is issued again before it ended was not taken by the card: the last time counts. The word counts only when it can mean nothing else:
 * - no other start had the key while it was in flight (else `unclear`);
 * - the parts are together as large as the transfer, where both sizes are known, as parts
 *   that were split or merged, or belong to a page that was read just then, are not;
 * - where events of the driver's were lost, the end came before the program saw it: an end
 *   that was lost is not taken from the next user of the key.
 *
 * A transfer without the word keeps its state and its interrupt, but has no device and no notice
 * time: those of the others are from and to other events. The interrupt of a transfer was joined without keys. It stays where it is the one that
 * came last before the end on the end's CPU, and is taken away where it is not. An end within
 * the handler of an interrupt has that interrupt, whatever was joined.
 */
#ifndef DMA_KEY_H
#define DMA_KEY_H

#include "lib/use/transfer.h"

struct err;
struct keys;

struct key_options {
	const struct join_vector *vector; /* that end transfers; borrowed */
	size_t nvector;
	/* Events of ROLE_ASKED are recorded: only they, and the library's own keys, begin a part.
	 * Without them what is issued does. */
	bool asks;
	bool issues; /* events of ROLE_ISSUED are recorded: without one a part's is unknown */
	bool holes; /* events of the driver's may be missing */
};

struct key_totals {
	uint64_t word[KEY_N]; /* transfers */
	uint64_t foreign;     /* ends of what was not asked for by a start */
	uint64_t by_handler;  /* transfers that have their interrupt from its handler */
};

/* Transfers go to the sink when the driver's word is known, or cannot come any more. */
int keys_new(struct keys **k, const struct key_options *o, const struct join_sink *sink,
	     struct err *e);
void keys_free(struct keys *k); /* NULL is fine */

/* From now on events of the driver's may be missing (key_options.holes). */
void keys_doubt(struct keys *k);
/* Every sample, in order of time, before the joiner has it. */
int keys_push(struct keys *k, const struct sample *s, struct err *e);
/* A transfer of the joiner's. */
int keys_transfer(struct keys *k, const struct transfer *t, struct err *e);
/* After the joiner's end. */
int keys_finish(struct keys *k, struct key_totals *n, struct err *e);

#endif
