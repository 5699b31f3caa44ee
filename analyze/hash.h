/* SPDX-License-Identifier: GPL-2.0-only */
/* The SHA-256 of a recording's files, one behind the other, by a thread of its own. */
#ifndef DMA_ANALYZE_HASH_H
#define DMA_ANALYZE_HASH_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/err.h"

struct perfdata;

/* Runs beside the load: it takes as long as a tenth of it. */
struct hashing {
	const struct perfdata *file; /* read for its paths only */
	char sha[65];
	struct err err;
	int rc;
	bool started;
	pthread_t thread;
};

void hashing_start(struct hashing *h, const struct perfdata *file);
/* Waits for it; may be called again. */
int hashing_end(struct hashing *h, struct err *e);

#endif
