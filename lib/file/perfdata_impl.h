/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by perfdata*.c only: the reader's state. perfdata.c opens a file and knows its
 * header and attributes, perfdata_map.c its bytes; perfdata_section.c takes feature sections apart,
 * perfdata_record.c one record; perfdata_order.c merges. Calls go one way: from opening
 * to sections and order, from these to records.
 */
#ifndef DMA_PERFDATA_IMPL_H
#define DMA_PERFDATA_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "lib/file/mapguard.h"
#include "lib/file/perfdata.h"

#define PERFDATA_MAGIC "PERFILE2"
#define EARLY_MAGIC    "DMAREC\0\1"
#define EARLY_MAX      256

enum {
	HEADER_SIZE = 104,
	DIRECTORY_HEAD = 16, /* EARLY_MAGIC, u32 entries, u32 0 */
	DIRECTORY_ENTRY = 24,
	PIPE_HEADER_SIZE = 16,
	HEADER_ATTR_SIZE = 16, /* offsets of the header's fields */
	HEADER_ATTRS = 24,
	HEADER_DATA = 40,
	HEADER_EVENT_TYPES = 56,
	HEADER_FEATURES = 72,
	SECTION_SIZE = 16, /* perf_file_section: offset, size */
	RECORD_HEADER = 8,
	CLOCK_DATA_VERSION = 1,
};

/* Where the samples of one attribute, and the trailers of its other records, keep what.
 * Offsets are from the start of the record for samples and from its end for trailers; 0 =
 * not carried. */
struct layout {
	uint64_t sample_type, read_format;
	uint16_t ip, tid, time, id, cpu;
	uint16_t fixed; /* where the variable part (READ, CALLCHAIN, RAW) begins */
	uint16_t end_tid, end_time, end_id, end_cpu;
	uint16_t trailer; /* bytes of it */
};

struct id_slot {
	uint64_t id;
	int32_t attr; /* -1 = free */
};

struct feature {
	uint64_t offset, size; /* size 0 = absent */
};

/* A stretch of the data that is in order of time: where it stands, and with what time. */
struct run {
	int64_t key_ns;
	uint64_t pos, end;
};

/* One file of a recording in parts: where it and its data lie in the map. */
struct part {
	char *path;
	dev_t dev; /* with ino: which file was mapped */
	ino_t ino;
	uint64_t at, size, begin, end;
};

/* What was lost, in file order; filled while scanning, taken when its record is handed
 * out. */
struct lost_record {
	uint64_t offset, lost;
	int64_t from_ns, to_ns;
	int32_t cpu; /* -1 = the ring is not that of one CPU, or not known */
	bool taken;
};

/* What is known of one ring while scanning: a CPU's, or where there is no CPU a thread's,
 * which goes by one of its event ids. */
struct ring {
	int64_t last_ns;     /* of its records; DMA_UNKNOWN = none yet */
	uint64_t told;	     /* by its LOST records and not yet taken off LOST_SAMPLES */
	uint64_t open_loss1; /* ordinal + 1 of the loss that waits for the next record; 0
				= none */
};

/* Of what perf record -z wrote, p->map becomes what it holds; of what perf record -o - wrote,
 * the same as a file; else nothing is done. */
int perfdata_unzip(struct perfdata *p, struct err *e);
int perfdata_unpipe(struct perfdata *p, struct err *e);

/* PERF_FORMAT_LOST and the first bit after it, as a system's headers older than 6.0 do not
 * have them: a file from a newer system is read all the same. */
#define READ_FORMAT_LOST (1u << 4)
#define READ_FORMAT_MAX	 (1u << 5)

#define RING_CPUS 4096 /* CPUs above are known by their event id */

/* Of samples handed out lately: where those of a time lie. A sample that is in the file
 * twice is met again soon, or it is late. */
#define RECENT 1024 /* a power of two; a round's samples of a few CPUs */
struct recent {
	int64_t time_ns; /* DMA_UNKNOWN = none */
	uint64_t offset;
};

struct perfdata {
	char *name;
	const uint8_t *map;
	uint64_t size;
	bool mapped;
	int fd;		       /* of the file that is mapped; -1 = none, or several */
	struct mapguard guard; /* of a file that is cut while it is read */
	bool pipe_cut;	       /* the last record of a pipe's file is not whole */
	bool truncated;
	uint64_t unnamed; /* samples handed out whose event the head does not have */
	/* Of a recording in parts (perfdata_parts.c); npart 0 = one file. */
	struct part *part;
	size_t npart, at_part;
	char *meta; /* in place of feature FEAT_DMAREC; NULL = that of the file */
	size_t nmeta;
	/* Of a feed (perfdata_feed.c): the map, writable; NULL = a file. */
	uint8_t *fed;
	uint64_t fed_room;
	uint64_t walked,
		round_end; /* records looked at; the last whole round ends here */
	bool feeding;	   /* more may come */

	uint64_t attrs_at, attrs_size;
	bool first_half; /* attributes and features are those that the file began with */
	struct perfdata_attr *attr;
	struct layout *layout;
	size_t nattr;
	uint64_t *ids;
	size_t nids;
	struct id_slot *slot; /* open addressing, nslot a power of two */
	size_t nslot;
	uint64_t newest_id; /* of the kernel's, which counts them up */
	uint64_t seed;	    /* of id_hash(): not the file's to know */

	uint64_t data_begin, data_end;
	struct feature feature[FEAT_BITS];
	char *string[FEAT_BITS];
	char **event_name; /* one for each attribute, NULL = not told */

	/* order */
	uint64_t scan_pos;
	int64_t round_max_ns, limit_ns, last_ns, whole_ns;
	struct run *heap;
	size_t nheap, heap_room;
	struct ring *ring;     /* RING_CPUS, then one for each id slot */
	int32_t *ring_of_slot; /* index in ring; -1 = not known yet */
	uint64_t told;	       /* of all rings, as in struct ring */
	struct lost_record *loss;
	size_t nloss, loss_room;
	uint64_t loss_base; /* ordinal of loss[0] */
	uint64_t done, touched, disordered, repeated;
	struct recent recent[RECENT];
};

static inline uint16_t get_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t get_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t get_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Ids of a file that is made so that they meet in one slot do not, since it cannot know the
 * seed (the finalizer of MurmurHash3). */
static inline size_t id_hash(const struct perfdata *p, uint64_t id)
{
	uint64_t x = id ^ p->seed;

	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd) + p->seed;
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(x ^ x >> 33) & (p->nslot - 1);
}

/* perfdata_map.c. Of the file p->name; p->map is p->size bytes of fd, which is taken (-1 = of the parts), until the next of
 * these or perfdata_unmap(). */
int perfdata_map_file(struct perfdata *p, struct err *e);
void perfdata_map(struct perfdata *p, const void *map, uint64_t size, int fd);
void perfdata_unmap(struct perfdata *p);

/* perfdata_other.c: ERR_FORMAT, what a file or directory is that is no recording, and what to do. */
int perfdata_other(const struct perfdata *p, struct err *e);
int perfdata_other_dir(const struct perfdata *p, struct err *e);

/* What the scan and the merge need of a record. */
struct rec_key {
	uint32_t type;
	uint32_t size;	 /* of the record */
	uint64_t skip;	 /* bytes behind it that belong to it (AUXTRACE) */
	int64_t time_ns; /* DMA_UNKNOWN = carries none */
	int32_t cpu;
	uint64_t id;
	int32_t attr;
};

/* perfdata_record.c. 1 = a record, 0 = the data ends here, negative = damaged. */
int layout_init(struct layout *l, const struct perf_event_attr *attr);
int record_key(struct perfdata *p, uint64_t offset, struct rec_key *k, struct err *e);
int record_parse(struct perfdata *p, uint64_t offset, const struct rec_key *k,
		 struct perfdata_rec *r, struct err *e);
int64_t record_id_slot(const struct perfdata *p, uint64_t id); /* -1 = not known */
bool record_is_user(uint32_t type);

/* perfdata_order.c */
void order_release(struct perfdata *p);
void order_reset(struct perfdata *p);

/* perfdata_section.c */
int section_event_names(struct perfdata *p, struct err *e);

#endif
