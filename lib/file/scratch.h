/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file without a name into which a recording is rewritten that is not as it can be read:
 * packed, or made for a pipe. It lies in TMPDIR and is gone with the reader. Shared by
 * perfdata_*.c only.
 */
#ifndef DMA_SCRATCH_H
#define DMA_SCRATCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct perfdata;

struct scratch {
	struct perfdata *p; /* whose bytes it will be; for messages */
	FILE *out;
	uint64_t written;
	struct err *e; /* of all calls */
};

int scratch_open(struct scratch *s, struct perfdata *p, struct err *e);
int scratch_put(struct scratch *s, const void *buf, size_t len);
/* In place of what stands there; written stays. */
int scratch_put_at(struct scratch *s, uint64_t at, const void *buf, size_t len);
/* From now on p->map is what was written. */
int scratch_map(struct scratch *s);
void scratch_close(struct scratch *s);

#endif
