/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf.data files made for a test: events with fields of our choosing, samples and other
 * records as the kernel lays them down, written by lib/file/perfdata's own writer. Everything
 * that fails aborts: a test that cannot make its input has nothing to say.
 */
#ifndef TEST_RAWFILE_H
#define TEST_RAWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/file/meta.h"
#include "lib/file/perfdata.h"

struct raw_event {
	const char *name; /* "probe_lib:dma_to_host" */
	/* "u32 channel,s64 size,t32 name": behind the common ones; t32 = a string, of which
	 * value is the address */
	const char *fields;
	bool tracepoint; /* without the field __probe_ip of a probe */
};

#define RAW_FIRST_TYPE 100 /* tracepoint number of event 0 */
#define RAW_RINGS      4   /* ids of an event: one for each CPU */

struct rawfile;

/* Several rings: event i on CPU c has id raw_id(i, c). meta may be NULL: no FEAT_DMAREC,
 * as perf record writes; its events must be those of ev. */
struct rawfile *rawfile_new(const struct raw_event *ev, size_t n,
			    const struct meta *meta);
uint64_t raw_id(size_t event, int cpu);

/* A sample of event i; value[k] is cut to the width of its field k. */
void rawfile_sample(struct rawfile *f, size_t event, int64_t time_ns, int cpu, int tid,
		    const int64_t *value);
/* Any other kernel record: its body, then the trailer of sample_id_all. pid = tid. */
void rawfile_record(struct rawfile *f, uint32_t type, uint16_t misc, const void *body,
		    size_t len, int64_t time_ns, int cpu, int tid);
void rawfile_lost(struct rawfile *f, uint64_t lost, int64_t time_ns, int cpu);
void rawfile_bytes(struct rawfile *f, const void *buf, size_t len); /* as they are */
void rawfile_round(struct rawfile *f);

/* The whole file, malloc'ed; f is gone. finish = false: as a killed recorder leaves
 * it. */
void *rawfile_finish(struct rawfile *f, const struct meta *meta, bool finish,
		     size_t *len);

/* The same left on disk at rawfile_path(); the caller unlinks it and frees f with
 * free(). */
const char *rawfile_path(const struct rawfile *f);
void rawfile_finish_file(struct rawfile *f, const struct meta *meta, bool finish);

/* The same recording, without what is dmarec's own, as perf record -o - writes it; malloc'ed. */
void *raw_as_pipe(const void *file, size_t *len);

/* A file's bytes, malloc'ed. */
void *slurp(const char *path, size_t *len);

#endif
