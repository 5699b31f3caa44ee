/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a recording share: recording.c runs it, and calls the others. */
#ifndef DMA_RECORDING_IMPL_H
#define DMA_RECORDING_IMPL_H

#include <time.h>

#include "lib/cli.h"
#include "record/beside.h"
#include "record/intake.h"
#include "record/kernel_events.h"
#include "record/recording.h"
#include "record/snapshot.h"
#include "record/threads.h"
#include "record/workload.h"

#define TOOL "dmarec"

enum { MAX_CLOSINGS = 8, HEAD_SECTIONS = 14 };

struct armer;
struct late_batch;

/* What was armed while the recording ran: events behind all others. */
struct recording_late {
	struct armer *armer;
	struct late_batch *batch;
	size_t nbatch;
	int32_t func;	/* the next function's number */
	size_t planned; /* how often: events' names end in it */
	char *tracing;	/* the file's tracing data, to be completed */
	size_t ntracing;
	struct perfdata_attr *all; /* of all events, for the file's end */
};

/* The file that is being written, where the recording is in several. */
struct recording_parts {
	size_t number;	  /* from 1, of the newest; 0 = there is one file */
	int64_t since_ns; /* CLOCK_MONOTONIC */
	int64_t begin_ns; /* of the file; 0 = of the recording */
	struct perfdata_section head[HEAD_SECTIONS]; /* what each begins with */
	size_t nhead;				     /* ours is the last */
	uint64_t *before; /* of each event: samples in the parts before */
	size_t nbefore;	  /* events that there were then */
	uint64_t bytes;	  /* of the parts before */
};

struct recording {
	const struct recording_options *o;
	struct meta meta;
	struct workload work;
	struct probes *probes;
	struct kernel_events kernel; /* the profile's */
	struct session *session;
	struct recording_late late;
	struct recording_parts parts;
	struct threads threads;
	size_t left_out; /* of those, at the beginning */
	struct intake in;
	struct live *live;	      /* the view; NULL = none */
	struct keep *keep;	      /* the flight recorder; NULL = none */
	struct perfdata_writer *kept; /* its file, for the end */
	uint64_t *in_file;	      /* of each event: samples that were kept */
	bool snap_wanted;	      /* SIGUSR2 */
	size_t nsnap;		  /* files that were written for that, or for a trigger */
	bool snap_fired;	  /* a trigger wants one */
	struct snap_worst *worst; /* of those that are kept for triggers */
	size_t nworst;
	int64_t fired_ns;      /* a trigger has come true; 0 = none */
	struct inside *inside; /* probes in the process; NULL = none */
	struct beside beside;  /* registers, counts */
	uint32_t *event_id;    /* probes, closings, then the interrupt's entry and exit */
	bool exits;	       /* of handlers are recorded: a line may be shared */
	const char *closing[MAX_CLOSINGS]; /* of descriptors_closings, those there are */
	size_t nclosing;
	struct perfdata_attr *attr;
	size_t nattr; /* of those that the recording began with */
	int signal_fd;
	sigset_t old_mask;
	struct irq_window window;
	int signals; /* how many asked us to end */
	bool told_left_behind;
	bool *starts; /* of each event: is it the start of a transfer? */
	struct filemark *
		mark; /* of the files of the probes, before; one after another the same is one */
	size_t nmark;
	int exec_errno;
};

static inline int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline void warn(struct recording *r, const char *text)
{
	if (!meta_add_warning(&r->meta, text))
		cli_warn(TOOL, "%s", text);
}

static inline struct pids recorded(const struct recording *r)
{
	return r->o->argv ? (struct pids){&r->work.pid, 1}
			  : (struct pids){r->o->pid, r->o->npid};
}

/* Which of the events beside the session's; they come behind them. */
static inline bool is_beside(const struct recording *r, size_t event, size_t *which)
{
	size_t n = session_nevents(r->session);

	*which = event - n;
	return event >= n && event < r->nattr;
}

static inline bool is_inside(const struct recording *r, size_t event)
{
	return r->inside && event < r->o->plan->n && r->o->plan->probe[event].place;
}

/* ---- recording_end.c ---- */
int recording_read_counts(struct recording *r, struct err *e);
void recording_check_holes(struct recording *r);
void recording_check_late(struct recording *r);
void recording_check_threads(struct recording *r);
void recording_check_whole(struct recording *r);
void recording_print_summary(const struct recording *r);
int recording_finish_file(struct recording *r, struct err *e);
int recording_snapshot_irqs(struct recording *r, struct err *e);

/* ---- recording_file.c ---- */
void recording_free_sections(struct perfdata_section *s, size_t n);
int recording_meta_section(const struct meta *m, bool begin, struct perfdata_section *s,
			   struct err *e);
int recording_create_file(struct recording *r, struct err *e);
int recording_fill_meta(struct recording *r, struct err *e);
int recording_write_kept(struct recording *r, struct err *e);

/* ---- recording_parts.c ---- */
void recording_parts_begin(struct recording *r);
/* With the rights that are left: can more files be made beside the first? */
int recording_parts_check(const struct recording *r, struct err *e);
/* The rings have been read: is it time for another file? */
int recording_parts_look(struct recording *r, struct err *e);
/* All has been read: there is one file that is written. */
int recording_parts_settle(struct recording *r, struct err *e);
/* The counts become those of the last file. */
void recording_parts_end(struct recording *r);
void recording_parts_release(struct recording *r);

/* ---- recording_snap.c ---- */
/* Was a snapshot asked for? Then what is kept goes into a file of its own. That it cannot
 * be written is told, and no error of the recording. */
void recording_snap_look(struct recording *r);
void recording_snap_release(struct recording *r);

/* ---- recording_late.c ---- */
int recording_late_open(struct recording *r, struct err *e);
/* Of all processes: what those have mapped that began since they were last listed, and before
 * the events were enabled that tell of it. */
int recording_late_catch_up(struct recording *r, struct err *e);
/* Looks at what was mapped since the last call, and arms it; what fails of that is told. */
int recording_late_look(struct recording *r, struct err *e);
void recording_late_disable(struct recording *r);
int recording_late_count(struct recording *r, size_t event, uint64_t *counted,
			 struct err *e);
/* What the file must know of it: appends its sections. */
int recording_late_sections(struct recording *r, struct perfdata_writer *file,
			    struct perfdata_section *s, size_t *n, struct err *e);
/* Its sessions: before the probes go. */
void recording_late_disarm(struct recording *r);
void recording_late_release(struct recording *r);

/* ---- recording_open.c ---- */
int recording_try_inside(struct recording *r, struct err *e);
int recording_add_probes(struct recording *r, struct err *e);
void recording_look_beside(struct recording *r);
int recording_open_session(struct recording *r, struct err *e);

#endif
