/* SPDX-License-Identifier: GPL-2.0-only */
/* The SHA-256 of a file, by a thread of its own. */
#ifndef DMA_ANALYZE_HASH_H
#define DMA_ANALYZE_HASH_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/err.h"

/* Runs beside the load: it takes as long as a tenth of it. */
struct hashing {
	const char *path;
	char sha[65];
	struct err err;
	int rc;
	bool started;
	pthread_t thread;
};

void hashing_start(struct hashing *h, const char *path);
/* Waits for it; may be called again. */
int hashing_end(struct hashing *h, struct err *e);

#endif
