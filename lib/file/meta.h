/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What dmarec knows and perf.data has no place for: the roles of events, the profile's
 * rules, the interrupt map, counters before and after, totals, probe cost, exit status.
 * It travels as feature section FEAT_DMAREC: UTF-8 text, one record a line,
 * `kind<TAB>key=value<TAB>...`, with %XX for tab, newline, carriage return, '%' and
 * control characters. schema/FORMAT.md is the specification. Unknown kinds and keys are
 * skipped (a newer dmarec may write them); a known key with a bad value is an error with
 * its line.
 */
#ifndef DMA_META_H
#define DMA_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/dma.h"

struct err;

enum compare_op {
	OP_NONE,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_GT,
	OP_AND /* value & operand != 0 */,
	OP_N
};

/* "ret < 0": a field of the event against a number; "ret < asked": against another field.
 * op OP_NONE = no condition. */
struct condition {
	char field[16]; /* card channel size addr flags ret mode direction fd asked */
	enum compare_op op;
	char other[16]; /* "" = the number */
	int64_t value;
};

/* Text as profiles and FORMAT.md spell it: "ret<0", "mode==1", "flags&1". 0 or
 * negative. */
int condition_parse(const char *text, struct condition *c, struct err *e);
const char *condition_print(const struct condition *c, char buf[64]);
/* other: the value of the field c->other, where there is one. */
bool condition_holds(const struct condition *c, int64_t value, int64_t other);

/* How a field of the sample is had, when not from the event's own field of the same
 * name. */
struct meta_const {
	int64_t card, channel, size_bytes; /* DMA_UNKNOWN = not constant */
};

/* A path pattern for sources whose first key is a file descriptor:
 * "/dev/xdma{card}_c2h_{channel}". {card} and {channel} match decimal digits, {card:x}
 * and {channel:x} hexadecimal ones in small letters; anything else matches itself. */
struct meta_path {
	char *pattern;
	enum direction direction;
};

/* Does the whole path fit? *card and *channel get what stands there, DMA_UNKNOWN where
 * the pattern has no such place; they are left alone when it does not fit. */
bool meta_path_match(const struct meta_path *p, const char *path, int64_t *card,
		     int64_t *channel);

struct meta_event {
	int32_t id;   /* index in meta.event, and struct sample.source */
	int32_t attr; /* index of its attribute in the file */
	char *name;   /* "dmarec_1234:dma_to_host" or "irq:irq_handler_entry" */
	enum role role;
	enum direction direction;
	char *function;	 /* name as found; NULL = none */
	char *file;	 /* of the function; NULL = none */
	uint64_t offset; /* in that file; 0 = none */
	int32_t func; /* groups entry, exits and doorbells of one function; -1 = none */
	char *armed;  /* "kernel", "process"; NULL = a tracepoint, or not told */
	/* where an event of the kernel has the fields, when not by their names: "key=dev
	 * key2=sector size=nr_sector mode=rwbs:u8"; NULL = by their names */
	char *places;
	bool late; /* armed while recording: all of it is written at the end */
	bool blocking, no_exit;
	bool restarts; /* of a submit: while its channel runs, the same again is nothing new */
	int64_t size_unit; /* size in the event times this = bytes; 0 means 1 */
	struct meta_const constant;
	int64_t shift; /* of the pointer that is the card's key: added, with the event's own
			  `shift`; DMA_UNKNOWN = none */
	struct condition when;	  /* not fulfilled: the sample is no part of a transfer */
	struct condition fail;	  /* at exits */
	struct condition pending; /* at exits of polls: not yet ended */
	struct condition circular; /* at submits */
	struct condition
		from_host; /* direction by a field: holds = from_host, else to_host */
	struct meta_path
		*path; /* alternatives, tried in order; none = the fd is not looked at */
	size_t npath;
	/* end of the recording */
	int64_t counted;   /* by the kernel; DMA_UNKNOWN = not told (killed) */
	int64_t delivered; /* samples that dmarec wrote; DMA_UNKNOWN = not told */
};

struct meta_irq {
	int32_t irq;
	char *name, *chip, *bdf, *affinity_before, *affinity_after; /* NULL = unknown */
	int32_t vector;			   /* index within the device; -1 = unknown */
	int32_t masked;			   /* 1, 0, -1 = unknown */
	int64_t count_before, count_after; /* of /proc/interrupts, all CPUs */
	bool recorded;			   /* in the kernel filter */
	bool late;	/* appeared while recording: all of it is written at the end */
	bool completes; /* named by the user or the profile as completion vector */
	int64_t completes_channel; /* only for this channel; DMA_UNKNOWN = all */
};

struct meta_pair {		     /* environment (before only) and driver counters */
	char *name, *before, *after; /* after: NULL = not read */
};

struct meta_fd {
	int32_t pid, fd;
	int64_t from_ns; /* first seen; on the recording's clock */
	char *path;	 /* from then on; "" = not known */
};

/* A register of the card that was read while recording: its event has the changes. */
struct meta_register {
	int32_t event;	  /* id; the register's name is the event's */
	char *bdf, *file; /* where it is mapped from; bdf NULL = no PCI device's */
	int64_t offset;	  /* into that file */
	int32_t width;	  /* bits */
	char *busy;	  /* what says that a channel runs */
	/* it tells of that one (DMA_UNKNOWN = not told), or of so many, from 0 */
	int64_t channel, channels;
	char *mode;	 /* when it was read: "always", "in flight", "every 20.0 us" */
	int32_t cpu;	 /* that read it; -1 = unknown */
	bool shared_cpu; /* which the workload may run on too */
	int64_t link_bytes_per_s; /* of the card's PCIe link, one way; DMA_UNKNOWN */
	/* end of the recording; DMA_UNKNOWN */
	int64_t readings, read_min_ns, read_median_ns, read_p99_ns, read_max_ns;
	int64_t gap_ns;	    /* the widest between two readings while it was watched */
	int64_t watched_ns; /* for so long readings followed each other */
	char *ended;	    /* why before the recording's end; NULL = it did not */
};

/* What a counting unit counted; its event has the readings. */
struct meta_count {
	int32_t event;	    /* id */
	char *text;	    /* as it was asked for: "uncore_iio_0/event=0x83/" */
	char *unit, *scale; /* of a count, as the kernel says: "MiB", "4e-6"; NULL */
	int32_t cpus;	    /* its events were opened on so many; -1 = unknown */
};

struct meta {
	int version;
	char *uuid, *label, *command, *profile, *tool; /* NULL = not told */
	char *clock;				       /* "monotonic", ... */
	char *irq_feed;				       /* "bpf", "perf" */
	enum pairing pairing;
	int64_t begin_ns,
		end_ns; /* recording armed .. disarmed, on its clock; DMA_UNKNOWN */
	int64_t begin_wall_ns; /* CLOCK_REALTIME at begin_ns */
	int32_t workload_pid;  /* -1 = attached or unknown */
	/* The recorder started the workload when its events were armed, and nothing that
	 * came since is left out at the beginning: nothing was in flight then. Events that
	 * were armed later may have found something: meta_from_start(). */
	bool from_start;
	int32_t exit_status, exit_signal; /* -1 = not told */
	int64_t part;  /* of a recording in parts, from 1; DMA_UNKNOWN */
	bool more;     /* another part follows this one */
	bool finished; /* the second half is there */
	/* Cost of one probe hit and of one interrupt sample on that host; DMA_UNKNOWN. */
	int64_t uprobe_cost_ns, irq_cost_ns;
	int64_t process_cost_ns; /* of a hit that was armed in the process */
	struct meta_event *event;
	size_t nevent;
	struct meta_irq *irq;
	size_t nirq;
	struct meta_pair *counter, *env;
	size_t ncounter, nenv;
	struct meta_fd *fd;
	size_t nfd;
	struct meta_register *reg;
	size_t nreg;
	struct meta_count *count;
	size_t ncount;
	char **warning; /* sentences that dmarec printed */
	size_t nwarning;
};

void meta_init(struct meta *m); /* all unknown */
void meta_release(struct meta *m);
/* Was nothing in flight when the recording began, on any channel? */
bool meta_from_start(const struct meta *m);

/* Parse the section (both halves, in order) into an initialised *m. On failure *m is
 * released, and can be used as after meta_init(). The error names the line. */
int meta_parse(struct meta *m, const void *buf, size_t len, struct err *e);

/* The first half (run, events, irqs before, env, counters before) and the second (end,
 * totals, irqs after, counters after, fds, warnings) as text. 0 or negative. */
int meta_write_begin(const struct meta *m, FILE *out);
int meta_write_end(const struct meta *m, FILE *out);

/* Grow an array by one element set to "unknown"; NULL = no memory. */
struct meta_event *meta_add_event(struct meta *m);
struct meta_irq *meta_add_irq(struct meta *m);
struct meta_irq *meta_find_irq(struct meta *m, int irq);
struct meta_pair *meta_add_counter(struct meta *m);
struct meta_pair *meta_add_env(struct meta *m);
struct meta_fd *meta_add_fd(struct meta *m);
struct meta_register *meta_add_register(struct meta *m);
struct meta_count *meta_add_count(struct meta *m);
struct meta_path *meta_add_path(struct meta_event *ev);
int meta_add_warning(struct meta *m, const char *text); /* copies; 0 or negative */

/* These arrays grow by lib/array.h. */

#endif
