/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the simulated world:
 * - world.c: chance, the queue of moments, the recorder, the interface
 * - world_card.c: channels, interrupt units, CPUs and handlers
 * - world_program.c: threads, what they call and when they are woken
 * - world_draw.c: options from a seed
 */
#ifndef DMA_WORLD_PRIV_H
#define DMA_WORLD_PRIV_H

#include "tests/gen/world.h"

enum happening {
	AT_THREAD,  /* a thread goes on */
	AT_TIMEOUT, /* its wait runs out */
	AT_VISIBLE, /* the register shows a transfer's end */
	AT_NOTE,    /* the interrupt unit learns of it */
	AT_RAISE,   /* the unit's timer */
	AT_MESSAGE, /* one that no transfer asked for */
	AT_ENTER,   /* the handler of a vector */
	AT_TICK,    /* of the timer's vector */
	AT_FOREIGN, /* the next of the vector's foreign ones */
	AT_OTHER,   /* the next of the independent device */
	AT_WINDOW,  /* of loss */
	AT_RECORD,  /* the recording begins */
};

struct moment {
	int64_t at;
	uint64_t order; /* of those at the same time */
	enum happening what;
	void *object;
	uint64_t generation; /* of a thread or unit; an older one's moment is void */
};

struct flight {
	struct world_truth t;
	struct channel *c;
	struct thread *thread; /* whose call it is */
	struct flight
		*next_flight;	   /* on its channel, until the program is done with it */
	struct flight *next_asked; /* in a list of a unit or of a pending message */
	struct flight *before, *behind; /* of all that are not told */
	unsigned moments;		/* that still name it */
	int64_t size;
	bool missing, late, hung; /* its fate, drawn at the start */
	bool rung;		  /* on the card */
	bool visible;		  /* in the register */
	bool done;		  /* completed by a handler, its own or a later one's */
	bool dead;		  /* taken from the card before its end */
	bool settled;		  /* nothing more will be known of its interrupt */
	bool over;		  /* nothing more will be known of its program */
	bool failed, aborted;
};

struct list { /* of flights by next_asked */
	struct flight *first, **end;
};

struct channel {
	unsigned index;
	struct vector *vector; /* NULL = masked */
	struct flight *first, **end;
	unsigned inflight;  /* in that list */
	unsigned waits;	    /* that are open */
	unsigned high, low; /* of the present turn; filling until high */
	bool filling, restart_next, stop_next, pause_next;
	int64_t free_ns, last_end_ns; /* of its engine */
	uint64_t left;		      /* starts */
	bool burst;		      /* a slow time */
	bool hung;		      /* ends nothing until it is stopped */
};

struct vector {
	int32_t irq;
	unsigned cpu;
	struct list asked;   /* ends that the unit holds back */
	unsigned nasked;     /* that count for moderation */
	uint64_t generation; /* of its timer */
	struct list pending; /* of the message whose handler is to be entered */
	bool is_pending, postponed;
	uint64_t count; /* handlers entered while recording */
};

struct cpu {
	int64_t busy_until, active_ns, skew_ns;
	int64_t still_from, still_to; /* the next time it stands still */
	unsigned spinning;	      /* threads that poll on it */
	int64_t lag_ns, lag_until;    /* how late its samples come out, and how long */
	int64_t last_key;
	bool lost;	 /* samples since the last delivered one */
	int64_t last_ns; /* stamp of the last delivered one */
};

enum step {
	STEP_DECIDE,
	STEP_PARKED,
	STEP_SUBMIT,   /* the start is entered */
	STEP_DOORBELL, /* the probe on the store */
	STEP_RING,     /* the store to the enable register */
	STEP_EXIT,     /* of the start function */
	STEP_WAIT,     /* a wait is entered */
	STEP_WAITING,  /* ... and open */
	STEP_WOKEN,    /* ... and left */
	STEP_STOP,
	STEP_EMPTY, /* a wait for nothing is left */
};

struct thread {
	int32_t tid;
	unsigned cpu;
	bool starts, waits;
	unsigned from, to, cursor; /* its channels */
	enum step step;
	struct channel *c;
	struct flight *f;   /* of the start; last one that the wait is for */
	int64_t entered_ns; /* the wait */
	bool heard;	    /* an interrupt since then */
	bool spins, fails;
	uint64_t generation;
};

struct out {
	struct sample s;
	int64_t key;
	bool lost;
};

struct world {
	struct world_options o;
	struct world_sink sink;
	uint64_t rng, order, seq;
	int64_t now, begin_ns;
	struct moment *q;
	size_t nq, aq;
	struct out *out;
	size_t nout, aout;
	bool nomem, recording, stopped;
	uint64_t started, started_before, ends; /* before = ... the recording began */
	struct channel ch[WORLD_CHANNELS];
	struct vector *v;
	unsigned nv, nown; /* all; those that end transfers */
	struct cpu cpu[WORLD_CPUS];
	struct thread *th;
	unsigned nth;
	int64_t link_free_ns;
	int64_t sizes[32];
	double mean_size;
	double drift; /* phase, in transfers */
	struct {
		int64_t from, to;
		int32_t cpu;
	} window;
	struct flight *all; /* whose truth is not told */
};

/* ---- world.c ---- */
double world_uniform(struct world *w);
bool world_chance(struct world *w, double p);
double world_normal(struct world *w);
double world_exponential(struct world *w);
int64_t world_about(struct world *w, int64_t ns, double sigma); /* lognormal, mean ns */
int64_t world_gap_ns(const struct world *w); /* of ends so far, over all channels */
void world_at(struct world *w, int64_t at, enum happening what, void *object,
	      uint64_t generation);
/* Its seq; f = the transfer whose sample it is, or NULL. */
int64_t world_emit(struct world *w, struct sample *s, unsigned cpu, struct flight *f,
		   int64_t *stamp);
void world_tell(struct world *w, struct flight *f); /* its truth, once it is over */

/* ---- world_card.c ---- */
int card_new(struct world *w);
void card_ring(struct world *w, struct flight *f);
void card_kill(struct world *w, struct channel *c); /* all that is in flight */
void card_visible(struct world *w, struct flight *f);
void card_note(struct world *w, struct flight *f);
void card_raise(struct world *w, struct vector *v);
void card_message(struct world *w, struct vector *v);
void card_enter(struct world *w, struct vector *v);
int64_t card_cpu_free(struct world *w, struct cpu *c); /* from when anything else runs */
void card_tick(struct world *w);
void card_foreign(struct world *w, struct vector *v);
void card_other(struct world *w);

/* ---- world_program.c ---- */
int program_new(struct world *w);
void program_go(struct world *w, struct thread *t);
void program_timeout(struct world *w, struct thread *t);
void program_visible(struct world *w, struct flight *f);   /* the register shows it */
void program_interrupt(struct world *w, struct vector *v); /* its handler ran */

#endif
