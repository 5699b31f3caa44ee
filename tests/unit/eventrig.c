/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/eventrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

const struct raw_event rig_events[NEVENT] = {
	[IRQ] = {"irq:irq_handler_entry", "s32 irq", true},
	[TO_HOST] = {"dmarec_1:dma_to_host",
		     "u32 channel,u64 size,u64 addr,u64 card,u32 flags", false},
	[TO_HOST_EXIT] = {"dmarec_1:dma_to_host_x0", "s32 ret", false},
	[WAIT] = {"dmarec_1:dma_wait", "u32 channel", false},
	[WAIT_EXIT] = {"dmarec_1:dma_wait_x0", "s32 ret", false},
	[DOORBELL] = {"dmarec_1:doorbell", "", false},
	[PREAD] = {"dmarec_1:pread", "s32 fd,u64 size,s64 offset", false},
	[PREAD_EXIT] = {"dmarec_1:pread_x0", "s64 ret", false},
};

void rig_begin(struct rig *r)
{
	static const struct {
		enum role role;
		enum direction direction;
		int32_t func;
	} is[NEVENT] = {
		[IRQ] = {ROLE_INTERRUPT, DIR_UNKNOWN, -1},
		[TO_HOST] = {ROLE_SUBMIT, DIR_TO_HOST, 0},
		[TO_HOST_EXIT] = {ROLE_STARTED, DIR_UNKNOWN, 0},
		[WAIT] = {ROLE_WAIT, DIR_UNKNOWN, 1},
		[WAIT_EXIT] = {ROLE_WOKEN, DIR_UNKNOWN, 1},
		[DOORBELL] = {ROLE_DOORBELL, DIR_UNKNOWN, 0},
		[PREAD] = {ROLE_SUBMIT, DIR_UNKNOWN, 2},
		[PREAD_EXIT] = {ROLE_WOKEN, DIR_UNKNOWN, 2},
	};

	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	for (int i = 0; i < NEVENT; i++) {
		struct meta_event *ev = meta_add_event(&r->m);

		ev->attr = i;
		ev->name = strdup(rig_events[i].name);
		ev->role = is[i].role;
		ev->direction = is[i].direction;
		ev->func = is[i].func;
	}
}

void rig_file(struct rig *r)
{
	r->f = rawfile_new(rig_events, NEVENT, &r->m);
}

void rig_open(struct rig *r, const struct event_rules *rules)
{
	struct err e = {0};

	if (r->f)
		r->buf = rawfile_finish(r->f, r->foreign ? NULL : &r->m, true, &r->len);
	r->f = NULL;
	meta_release(&r->m);
	assert_int_equal(perfdata_open_mem(&r->p, r->buf, r->len, "mem", &e), 0);
	if (event_decoder_new(&r->d, r->p, rules, &r->m, &r->guessed, &e))
		fail_msg("%s", e.text);
}

void rig_end(struct rig *r)
{
	event_decoder_free(r->d);
	perfdata_close(r->p);
	meta_release(&r->m);
	free(r->buf);
}

struct sample sample(struct rig *r)
{
	struct perfdata_rec rec;
	struct err e = {0};
	struct sample s;
	int rc;

	do {
		if (perfdata_next(r->p, &rec, &e) <= 0)
			fail_msg("no more samples: %s", e.text);
		rc = event_decode(r->d, &rec, &s, &e);
		if (rc < 0)
			fail_msg("%s", e.text);
	} while (!rc);
	return s;
}

void submit(struct rig *r, int64_t t, int tid, int64_t channel, int64_t size)
{
	rawfile_sample(r->f, TO_HOST, t, 0, tid, V(channel, size, 0x1000, 0, 0));
}

void rig_foreign(struct rig *r, const struct raw_event *ev, size_t n)
{
	memset(r, 0, sizeof(*r));
	meta_init(&r->m);
	r->foreign = true;
	r->f = rawfile_new(ev, n, NULL);
}
