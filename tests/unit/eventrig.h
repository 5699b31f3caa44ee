/* SPDX-License-Identifier: GPL-2.0-only */
/* One recording with its decoder, for the tests of lib/event/event: begin, change r->m, make
 * the file, add samples, open, take samples, end. */
#ifndef TEST_EVENTRIG_H
#define TEST_EVENTRIG_H

#include "lib/event/event.h"
#include "tests/unit/rawfile.h"

struct rig {
	struct rawfile *f;
	struct meta m; /* what is written, and later what is read */
	void *buf;
	size_t len;
	struct perfdata *p;
	struct event_decoder *d;
	bool guessed, foreign;
};

/* The events of rig_events[], and their attributes. */
enum { IRQ, TO_HOST, TO_HOST_EXIT, WAIT, WAIT_EXIT, DOORBELL, PREAD, PREAD_EXIT, NEVENT };
extern const struct raw_event rig_events[NEVENT];

void rig_begin(struct rig *r);
void rig_file(struct rig *r); /* after the meta is as wished: samples can be added */
void rig_open(struct rig *r, const struct event_rules *rules);
void rig_end(struct rig *r);

/* A file of other events, without our section; the caller adds samples and opens. */
void rig_foreign(struct rig *r, const struct raw_event *ev, size_t n);

/* The next sample; other records are decoded on the way. */
struct sample sample(struct rig *r);

#define V(...) ((int64_t[]){__VA_ARGS__})
#define U      DMA_UNKNOWN

/* A start: channel and size, no card, no flags. */
void submit(struct rig *r, int64_t t, int tid, int64_t channel, int64_t size);

#endif
