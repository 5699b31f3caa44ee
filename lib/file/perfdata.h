/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The raw file: perf.data (PERFILE2), as written by dmarec and by perf record. The format
 * is the kernel tree's tools/perf/Documentation/perf.data-file-format.txt and
 * linux/perf_event.h; what dmarec adds to it is in schema/FORMAT.md.
 *
 * The reader works on a file or on memory, hands out records merged by time, and needs
 * memory bounded by what lies between two PERF_RECORD_FINISHED_ROUND, not by the length
 * of the file. It trusts nothing that the file says: every offset, size and count is
 * checked against what is there before it is used. A file whose recorder was killed (data
 * size 0, no feature table) reads up to its last whole record.
 */
#ifndef DMA_PERFDATA_H
#define DMA_PERFDATA_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Feature bits that perf defines and we use (tools/perf/util/header.h). */
enum perfdata_feat {
	FEAT_TRACING_DATA = 1,
	FEAT_BUILD_ID = 2,
	FEAT_HOSTNAME = 3,
	FEAT_OSRELEASE = 4,
	FEAT_VERSION = 5,
	FEAT_ARCH = 6,
	FEAT_NRCPUS = 7,
	FEAT_CPUDESC = 8,
	FEAT_CPUID = 9,
	FEAT_TOTAL_MEM = 10,
	FEAT_CMDLINE = 11,
	FEAT_EVENT_DESC = 12,
	FEAT_SAMPLE_TIME = 21,
	FEAT_CLOCKID = 23,
	FEAT_CLOCK_DATA = 29,
	FEAT_DMAREC = 250, /* ours, in the early directory only: schema/FORMAT.md */
	FEAT_BITS = 256
};

struct perfdata_attr {
	struct perf_event_attr attr;
	const char *name;    /* from EVENT_DESC or the early directory; NULL = not told */
	const uint64_t *ids; /* owned by the reader (reading) or the caller (writing) */
	size_t nids;
};

struct perfdata_rec {
	uint32_t type; /* PERF_RECORD_*; user records (>= 64) are not handed out */
	uint16_t misc;
	int32_t attr;	 /* index of the attribute this record belongs to; -1 = none */
	int64_t time_ns; /* DMA_UNKNOWN where the record carries no time */
	int32_t cpu, pid, tid; /* -1 = not carried */
	uint64_t id;	       /* event id; 0 = not carried */
	uint64_t ip;
	uint64_t offset; /* of the record in the file: for messages */
	const void *raw; /* PERF_SAMPLE_RAW of a sample; NULL = none; valid until the next
			    call */
	uint32_t raw_len;
	/* PERF_RECORD_LOST and LOST_SAMPLES: how many, and the window in which they
	 * vanished: from the record before it in its ring to the one after it (or to its
	 * own time, whichever is later). lost_from_ns is DMA_UNKNOWN when nothing came
	 * before it, lost_to_ns when nothing came after it. cpu is that of the ring, -1
	 * when it is not that of one CPU. What LOST has told is taken off LOST_SAMPLES,
	 * and those that are used up are not handed out. */
	uint64_t lost;
	int64_t lost_from_ns, lost_to_ns;
	/* Body of any other kernel record, after its header, without the sample_id
	 * trailer (FORK, EXIT, COMM, MMAP2 ...); valid until the next call. */
	const void *body;
	uint32_t body_len;
};

struct perfdata;

/* Open for reading. On failure *p is NULL and the error names path and offset.
 * perfdata_open_mem borrows buf until the close; name stands for the path in messages. */
int perfdata_open(struct perfdata **p, const char *path, struct err *e);
int perfdata_open_mem(struct perfdata **p, const void *buf, size_t len, const char *name,
		      struct err *e);
void perfdata_close(struct perfdata *p);

/*
 * A recording that may be in several files (schema/FORMAT.md 1.1): of its first part all that
 * lie beside it are opened as one, with the records in order across the seams; of another
 * part that one alone. What each file says of itself becomes what the whole says. A file
 * that is no part is opened as by perfdata_open().
 */
int perfdata_open_parts(struct perfdata **p, const char *path, struct err *e);
/* The files of it, in order: 1 unless there are more. */
size_t perfdata_nparts(const struct perfdata *p);
const char *perfdata_part_path(const struct perfdata *p, size_t i);

size_t perfdata_nattrs(const struct perfdata *p);
const struct perfdata_attr *perfdata_attr(const struct perfdata *p, size_t i);

/* Samples so far of events that were armed while recording, in a file whose recorder did not
 * come to write what they are: attr -1. */
uint64_t perfdata_unnamed(const struct perfdata *p);

/* The recorder did not finish the file: counts at its end are not there. */
bool perfdata_truncated(const struct perfdata *p);

/* Bytes of the data section, and how far reading has come (for progress). */
uint64_t perfdata_data_size(const struct perfdata *p);
uint64_t perfdata_data_done(const struct perfdata *p);

/* A feature section whole. 1 = there (*buf is owned by the reader), 0 = absent, negative
 * = error. Looks in the feature table, then in the early directory. */
int perfdata_feature(struct perfdata *p, unsigned feat, const void **buf, size_t *len,
		     struct err *e);

/* A feature that is one string (HOSTNAME, OSRELEASE, VERSION, ARCH, CPUDESC, CPUID); NULL
 * if absent or malformed. Owned by the reader. And CMDLINE joined by spaces. */
const char *perfdata_string(struct perfdata *p, unsigned feat);

/* CLOCK_DATA (feature 29): the clock's id and one pair of readings taken together.
 * 1/0/negative. */
struct perfdata_clock {
	int32_t clockid;
	int64_t wall_ns, clock_ns;
};
int perfdata_clock(struct perfdata *p, struct perfdata_clock *c, struct err *e);

/* The next record in order of time. 1 = *rec filled, 0 = end, negative = damaged (path,
 * offset). Records of equal time come in file order. LOST and LOST_SAMPLES come where
 * their window begins (or at once, when that has passed), whatever their own time. */
int perfdata_next(struct perfdata *p, struct perfdata_rec *rec, struct err *e);

/* What the end of reading or an error, rc, says about a file that was cut meanwhile: ERR_FORMAT
 * and that it was cut, in place of what was found behind its new end. Else rc. What takes records
 * or sections apart asks before it believes that they are damaged. */
int perfdata_or_cut(const struct perfdata *p, int rc, struct err *e);

/* Go back to the first record. */
int perfdata_rewind(struct perfdata *p, struct err *e);

/* How many records (but for losses) were found to be earlier than one already handed out
 * (a clock that steps back, or a file that breaks the FINISHED_ROUND promise). They are
 * still handed out. */
uint64_t perfdata_disordered(const struct perfdata *p);

/* Samples that were in the file twice, byte for byte and with the same time, and were handed
 * out once: a kernel writes none such, so the file was damaged or put together. */
uint64_t perfdata_repeated(const struct perfdata *p);

/* Everything up to this time is in the file, as far as it was read, also when the file is
 * cut: the latest time of the round before the last that ended. DMA_UNKNOWN = two rounds
 * never ended. */
int64_t perfdata_whole_ns(const struct perfdata *p);

/* ---- reading what is not a file yet ---- */

/*
 * The same reader over records that are handed to it: head is the beginning of the file up
 * to its data (copied). perfdata_next() gives a round's records when the next round has
 * ended, as in a file; 0 then means "nothing more yet". After perfdata_feed_end() the rest
 * comes, and 0 is the end. No rewinding; offsets in messages are within what is kept.
 */
int perfdata_open_feed(struct perfdata **p, const void *head, size_t len,
		       const char *name, struct err *e);
/* Records as they lie in a ring or in a file's data, FINISHED_ROUND included; a piece may
 * end within a record. Invalidates the record that perfdata_next() gave last. */
int perfdata_feed(struct perfdata *p, const void *buf, size_t len, struct err *e);
int perfdata_feed_round(struct perfdata *p, struct err *e);
void perfdata_feed_end(struct perfdata *p);
/* The recorder has more events than the head had: from now on this head is true, whose first
 * attributes are those of the one before, with the same ids. *p is another reader then, and
 * what was fed is in it. */
int perfdata_feed_renew(struct perfdata **p, const void *head, size_t len, struct err *e);

/* ---- writing ---- */

struct perfdata_section {
	unsigned feat;
	const void *buf;
	size_t len;
};

struct perfdata_writer;

struct perfdata_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Begin a file: header, attributes, then the early sections (tracing data, event names,
 * the first half of ours: what a reader needs if we are killed), listed in the early
 * directory that schema/FORMAT.md describes. An existing file of that name becomes
 * path.old, as with perf, unless a path.old of somebody else would be replaced. Only its
 * owner can read it: NULL = who we are. A link at path is never followed.
 */
int perfdata_create(struct perfdata_writer **w, const char *path,
		    const struct perfdata_owner *owner, const struct perfdata_attr *attrs,
		    size_t nattrs, const struct perfdata_section *early, size_t nearly,
		    struct err *e);

/* The same beginning in memory, malloc'ed: for perfdata_open_feed(). */
int perfdata_head(void **head, size_t *len, const struct perfdata_attr *attrs,
		  size_t nattrs, const struct perfdata_section *early, size_t nearly,
		  struct err *e);

/* Append kernel records exactly as they lay in a ring. Buffered; large writes. */
int perfdata_append(struct perfdata_writer *w, const void *buf, size_t len,
		    struct err *e);

/* All rings were read once since the last call: PERF_RECORD_FINISHED_ROUND. */
int perfdata_round(struct perfdata_writer *w, struct err *e);

/* Push what is buffered to the file (not fsync). */
int perfdata_flush(struct perfdata_writer *w, struct err *e);

uint64_t perfdata_written(const struct perfdata_writer *w);

/* More events than the file began with were armed while it was written: these are all, the
 * first ones among them as they were, borrowed until perfdata_finish(), which writes them
 * behind everything else. A killed recorder's file has the first ones only. */
void perfdata_replace_attrs(struct perfdata_writer *w, const struct perfdata_attr *attrs,
			    size_t n);

/* Write the late sections and the feature table (late ones win over early ones of the
 * same number; the late half of FEAT_DMAREC is appended to a copy of the early one),
 * complete the header, close. The writer is gone afterwards, also on failure. */
int perfdata_finish(struct perfdata_writer *w, const struct perfdata_section *late,
		    size_t nlate, struct err *e);

/* Close without finishing: the file stays as that of a killed recorder. NULL is fine. */
void perfdata_abandon(struct perfdata_writer *w);

#endif
