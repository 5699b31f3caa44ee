/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the joiner share.
 *
 * - join.c: the interface: samples in, totals out, conservation
 * - join_order.c: samples into order of time; windows of loss
 * - join_call.c: entries and exits into calls, one thread at a time
 * - join_channel.c: which wait ended which transfer of a channel
 * - join_group.c: channels and vectors that belong together; transfers handed out
 * - join_learn.c: the first events, several times, before anything is decided
 * - join_begin.c: what that may begin with
 * - join_check.c: what speaks for and against what was learned
 * - join_trellis.c: every assignment of interrupts to transfers worth keeping, weighed
 * - join_step.c: how one event moves those assignments on
 * - join_fit.c: what each such move weighs
 * - join_decide.c: what becomes of a transfer and of an interrupt
 * - join_doubt.c: what speaks against it, beside the probabilities
 * - join_model.c: what was learned: how long things take, how often they go wrong
 */
#ifndef DMA_JOIN_PRIV_H
#define DMA_JOIN_PRIV_H

#include "lib/join/join.h"
#include "lib/loss.h"

enum {
	BINS = 576,    /* of a density: 16 in an octave, from 16 ns */
	COALESCE = 64, /* sizes of a coalesced interrupt that are counted apart */
	SLOTS = 32,    /* channels that share vectors */
	RUNS = 17, /* device densities by how many transfers they cover; the last is of
		      more */
	PENDS = 3, /* transfers of one hypothesis whose interrupt may still come late */
	CANDIDATES = 8,	   /* interrupts remembered for a transfer */
	REPEATS = 16,	   /* interrupts for one transfer that are counted apart */
	THREADS = 1024,	   /* hash chains */
	REGULAR = 64,	   /* waits whose times are compared in both readings */
	FEWEST = 8,	   /* transfers that say anything of the others */
	FIRST_LOOK = 3000, /* events gone through before the first decision */
	KEPT = 64,	   /* powers of two of a ratio of likelihoods */
	READINGS = 3,	   /* of the first events, that are weighed */
};

#define BEGUN                                                                            \
	"the recording began while transfers were in flight: which end is whose is not " \
	"known"
#define BEGUN_LOST                                                                       \
	"more waits returned than starts were seen: samples are missing, and with them " \
	"which end is whose"
#define LOST_CALL   "a call of its thread has no exit or no entry: samples may be missing"
#define LOST_BEFORE "samples were lost before it, and the order of its channel with them"
#define LOST_WITHIN "samples were lost while it was in flight"
#define LATE_WITHIN "samples came too late to be put in order while it was in flight"
#define LATE_BEFORE                                                                      \
	"samples before it came too late to be put in order, and which end is whose is " \
	"not known"

#define LEAST_STRAY 0.1f /* probability of an interrupt that counts as a stray */
#define LEFTOVER    2	 /* times that transfers take, behind a loss */

/* A transfer in a hypothesis: slot and index. */
#define PEND_SLOT  56
#define PEND_INDEX ((UINT64_C(1) << PEND_SLOT) - 1)

/* An interrupt and how likely it is the one that ended a transfer. */
struct candidate {
	struct jirq *irq;
	float weight;
	float held;	    /* of it, held up until it was another's too */
	float device, told; /* of it, what the model counted: how long the card took, when
			       the program was told */
};

/* The same of the pass before, by the interrupt's number. */
struct witness {
	int64_t seq;
	float device, told;
};

struct jirq {
	int64_t time_ns, seq;
	int32_t irq, cpu;
	uint32_t undecided; /* transfers that may be its and are not decided */
	uint32_t used;	    /* transfers decided to be its */
	uint32_t refs;	    /* of those, not handed out yet */
	bool extra;	    /* of a transfer that another interrupt ended */
	int64_t before_ns;  /* that of its vector before it; INT64_MIN */
	bool perhaps_more;  /* it may have ended a transfer that is unknown */
	float stray;	    /* probability that it ended nothing */
	float own;	    /* the same, in the pass before */
	bool committed, running_circular, counted, idle;
	bool leftover; /* soon behind a loss: it may be of a transfer before it */
	struct jirq *next;
};

struct jtransfer {
	struct transfer t;
	struct channel *c;
	struct thread *opener; /* whose start call is still open */
	uint64_t index;	       /* in its channel */
	int64_t begin_ns;      /* it cannot have ended before */
	int64_t end_ns;	       /* the program saw its end, or gave it up; INT64_MAX */
	bool blocking;
	bool ended; /* nothing more is to come from the program */
	bool fixed; /* the state is known without an interrupt: failed, aborted */
	bool dead;  /* it never ran, or has no single end: no interrupt is its */
	/* the state was concluded from what is not there: not near a loss */
	bool absence;
	bool queued; /* its end is still in the group's queue */
	bool latched, use_notice;
	float scale; /* the best that any interrupt explains its notice by, 1/ns */
	/* The first interrupt behind its end that may be its, how well that suits a
	 * transfer that ended later, 1/ns; so many others (at least 1) ended since the one
	 * before, 0 = none has come yet. And how much likelier that is if it was kept back
	 * until then, where x seems to have none. */
	int64_t next_ns;
	float place, likelier;
	uint32_t run;
	uint8_t together; /* so many ended, with it, and no interrupt came meanwhile */
	bool covered;	  /* the wait that ended it was for others too */
	bool alone;	  /* on its channel, from its start to its end */
	bool decided;
	uint32_t mark;
	uint8_t ncand;
	struct candidate cand[CANDIDATES];
	uint8_t nwitness;
	bool total;    /* the model counted it */
	float counted; /* the same, in the pass before */
	float asked;   /* of `told`, where it asked behind the interrupt: one and the same
			  time */
	struct witness witness[CANDIDATES];
	float other; /* probability of candidates that found no room */
	float cut;   /* share of hypotheses given up that may have told it otherwise */
	struct jirq *irq;
	int64_t reading[READINGS]; /* its interrupt in each, ns; DMA_UNKNOWN = none */
	const char *doubt; /* why the order of its channel was lost; NULL = it was not */
	struct jtransfer *next_free;
};

/* A density over times on a logarithmic scale. */
struct density {
	float count[BINS], n;
	float value[BINS]; /* 1/ns */
	float vague;	   /* least part that is not from counts; 0 = 0.02 */
	float wide;	   /* part of the counts that is spread over two octaves */
	float fresh;	   /* counted since value[] was made */
	bool still;	   /* value[] stays as it is */
	float mix;	   /* part of value[] that is not from counts */
	float self; /* what one count adds to the value of its own bin, times the bin's
		       width */
	const struct density
		*prior; /* what stands for counts that are not there; NULL = any octave */
	/* The same, for one of n in a row: half of it is that they take n times as long;
	 * NULL = not known. */
	const struct density *one;
	unsigned n_in_row;
	/* low: hardly any is smaller; high: one in a hundred is larger; 0 = too few */
	int64_t median_ns, low_ns, high_ns;
	int64_t scale_ns; /* the times are about on this scale; 0 = not known */
};

struct model {
	struct density device[RUNS + 1]; /* [0]: of any number of transfers */
	struct density age, total, late;
	struct density turn;	/* to woken, from the start or the end before it */
	struct density service; /* of the card for one, where it ended several in a row */
	/* interrupt to woken where the wait was there before it; wait to woken where it
	 * came after; either */
	struct density woken, asked, notice;
	double transfers, missing, lates, strays, uses, cross;
	/* without one, and so was the one before, and no interrupt came between */
	double runs;
	/* Transfers that seem to have none, by how much likelier the next interrupt is if it
	 * was theirs too: powers of 2, KEPT / 2 = as likely. */
	double seems[KEPT];
	double kept;	      /* how much speaks for it that some had, a logarithm */
	double waited;	      /* interrupts that came when the program had asked */
	double unseen, turns; /* woken that no interrupt explains; those as long as ever
				 after the turn */
	double size[COALESCE + 1];
	uint64_t repeats[REPEATS + 1]; /* transfers with so many interrupts */
	double affinity[SLOTS][SLOTS]; /* [vector][slot] */
	/* derived */
	enum pairing pairing;
	float p_missing, p_late, p_stray, p_cross, p_more, p_turn;
	float p_held; /* the interrupt waits for the handler until it is another's too */
	float p_none; /* p_missing, but without an upper limit */
	float p_kept; /* the same of one, before its own times are looked at */
	float stray_share; /* what one stray adds to p_stray */
	float scale_ns;	   /* typical of all times here: what densities are weighed by */
	float p_size[COALESCE + 1];
	int64_t horizon_ns; /* an interrupt does not come later than this */
	unsigned fresh;
	bool blind;	 /* how long the card takes is not known at all */
	bool often_late; /* programs may wake before their interrupt, all the time */
	bool frozen; /* rates are not to be learned yet, nor what tells densities apart */
};

void density_init(struct density *d);
void density_add(struct density *d, int64_t ns, float weight);
/* own: how much of the counts comes from what is judged by it; a transfer is no witness
 * for itself. */
float density_at(const struct density *d, int64_t ns, float own);
/* How many counts are longer. */
double density_beyond(const struct density *d, int64_t ns);
float model_device(const struct model *m, size_t n, int64_t ns, float own);
float model_notice(const struct model *m, bool asked, int64_t ns, float own);
float model_stray(const struct model *m, float own);
/* One that seems to have none; how likely the next interrupt was its, too. */
void model_seems(struct model *m, float likelier, float weight);
float model_kept(const struct model *m, float likelier);
/* Transfers whose interrupt was another's too. */
double model_shared(const struct model *m);
void density_fade(struct density *d, float keep);
void model_init(struct model *m, enum pairing p);
void model_derive(struct model *m);
void model_scale(struct model *m, const int64_t *total_ns, size_t n);
/* mean: with half of what was counted before, for passes that swing between two
 * readings. */
void model_begin(struct model *m, bool mean);
void model_end(struct model *m, bool mean);
void model_hasten(struct model *m, float stray_before);
void model_forget(struct model *m, float keep);
float model_affinity(const struct model *m, const bool serves[SLOTS][SLOTS],
		     size_t nvector, size_t vector, size_t slot);

/* Sums for a correlation, that is chance up to CHANCE / sqrt(n). */
struct corr {
	double n, x, y, xx, yy, xy;
};
#define CHANCE 4.5
void corr_add(struct corr *c, double x, double y);
double corr_of(const struct corr *c); /* 0 where all are the same */

/* For qsort() of int64_t times. */
int by_time(const void *a, const void *b);

/* Does one interrupt end several transfers, more than now and then? */
static inline bool ends_several(const struct model *m)
{
	return m->p_more > 0.1f;
}

/* Does a transfer have several interrupts, of which the rule picks one? */
static inline bool picks_one(enum pairing p)
{
	return p == PAIRING_FIRST || p == PAIRING_LAST;
}

/* How a wait (or what stands for it) ended. */
struct ending {
	int64_t wait_ns, woken_ns, seq;
	uint64_t before; /* only transfers with a smaller index had begun */
	bool failed, absence;
	const char *reason;
};

/* So many were in flight, each of so many times. */
struct left {
	size_t n;
	unsigned times;
	bool differs;
};

enum mode { MODE_OPEN, MODE_QUEUE, MODE_LAST };

struct channel {
	int64_t card, channel;
	struct group *g; /* NULL: no vector serves it */
	size_t slot;
	struct jtransfer **ring;
	size_t mask;
	uint64_t base, tail;  /* transfers kept: [base, tail) */
	uint64_t open;	      /* none before it is un-ended */
	uint64_t next_decide; /* those before it are decided */
	uint64_t
		frontier; /* committed: no interrupt can be assigned before it any more */
	int64_t unclear_ns; /* the end of the last one that is unknown; INT64_MIN */
	uint64_t told;	    /* those before it know the interrupt behind their ends */
	uint64_t missed;    /* behind the last one that had no interrupt */
	int64_t missed_ns;  /* its end */
	size_t nopen;
	enum mode mode;
	float odds; /* natural logarithm, queue against last */
	uint64_t waits;
	unsigned streak;		 /* submits since the last wait */
	bool lasted;			 /* the last wait did */
	unsigned wave_starts, wave_irqs; /* since the first of the last several of
					    them: starts, interrupts */
	unsigned waits_behind;		 /* waits since the last submit */
	unsigned plateau;  /* waits, each followed by a start, that left `residue`
			      unchanged */
	unsigned waves;	   /* waits after several starts, in a row */
	size_t first_left; /* while holding, a queue's reading: left over
			      at the first start behind a wait */
	unsigned cycles, irqs, gap_irqs; /* while holding: starts behind waits;
					    interrupts; those between */
	/* starts while nothing was in flight, and interrupts before such a start */
	unsigned plain_cycles, plain_gaps;
	bool gaps_told;	 /* interrupts between have been counted as a sign */
	bool wave;	 /* it began with three starts in a row */
	bool overlapped; /* ever started while in flight */
	bool drains;	 /* one wait covers several transfers */
	int64_t prev_woken;
	size_t residue; /* most un-ended transfers met by the first submit after a wait */
	struct density total;	/* submit to woken where that was plain */
	struct corr total_size; /* the same with the size, both as logarithms */
	/* while holding: times in either reading */
	int64_t queue_ns[REGULAR], restart_ns[REGULAR];
	unsigned nregular;
	struct corr queue_size, restart_size; /* the same times, with the size */
	struct ending *held; /* waits whose transfer waits for the mode */
	size_t nheld, aheld;
	bool holding;
	struct left by_wait, by_pause; /* at starts behind a wait, behind a pause */
	/* Its order was lost, but not the number in flight: waits end none of those that
	 * began since. */
	bool parked;
	uint64_t started; /* since then */
	int64_t doubt_ns; /* when its order was last lost; INT64_MIN */
	bool waited;	  /* a whole wait since then */
	const char *doubt;
	/* in doubt for what was begun before the recording; DMA_UNKNOWN */
	int64_t until_ns;
	bool sequential; /* when the doubt came: one start, one wait, in turn */
	bool crowded;	 /* its group has no slot for it */
	int64_t last_ns, circular_from, circular_to;
};

struct thread {
	int32_t tid, pid;
	struct jtransfer *start; /* open start call */
	bool waiting, noexit;
	struct sample wait;
	int64_t last_ns; /* of its samples; DMA_UNKNOWN = none yet */
	struct channel *last;
	struct thread *next;
};

struct jevent {
	int64_t time_ns;
	struct jirq *irq; /* one of the two, or neither: everything before is lost */
	struct jtransfer *end;
};

/* The card worked from from_ns on, at n transfers. */
struct work {
	int64_t from_ns;
	size_t n;
};

struct group {
	struct join *j;
	int32_t *vector; /* interrupt numbers */
	size_t nvector;
	struct channel *slot[SLOTS];
	size_t nslot;
	bool serves[SLOTS][SLOTS]; /* [vector][slot] */
	struct jevent *ev;
	size_t first, nev, aev;
	bool unsorted, learned, learning;
	const char *doubt; /* why it cannot be told whose interrupts are; NULL = it can */
	size_t cursor;	   /* of the event that is looked at */
	int64_t prev_ns[SLOTS]; /* last interrupt of each vector */
	int64_t lost_ns;	/* the end of the last loss; INT64_MIN */
	uint64_t behind[SLOTS]; /* the first transfer of each slot behind it */
	unsigned gate;		/* channels that hold */
	struct trellis *t;
	struct model m;
	struct work alone; /* for the transfer that was alone */
	uint32_t serial;
	size_t reading;		/* the one being learned */
	double evidence;	/* for it, logarithm */
	size_t judged, certain; /* transfers, in a trial of what was learned */
};

struct join {
	struct join_options o;
	struct join_vector *vector;
	struct join_sink sink;
	struct join_totals n;
	struct channel **ch, *recent;
	size_t nch;
	struct thread *th[THREADS];
	struct group **group;
	size_t ngroup;
	struct order *order;
	/* Where samples are missing, or came too late to be put in order; `lost`: those of
	 * the first kind, without those of the second. */
	struct loss_windows loss, lost;
	size_t nextloss;
	int64_t released, next_id;
	struct jtransfer *free_transfer;
	struct jirq *free_irq;
	struct irq_slab *slab;
	bool finishing;
};

int join_nomem(struct err *e);
int join_stray(struct join *j, enum stray_kind k, const struct sample *s, const char *why,
	       struct err *e);
struct channel *join_channel(struct join *j, int64_t card, int64_t channel,
			     struct err *e);
bool join_serves(const struct join_vector *v, const struct channel *c);
bool join_lossy(const struct join *j, int64_t from, int64_t to);
/* Of what touches a window between from and to: `lost`, or `late` where nothing is missing
 * there. */
const char *join_loss_word(const struct join *j, int64_t from, int64_t to,
			   const char *lost, const char *late);
int join_loss_add(struct join *j, int64_t from, int64_t to, bool lost, struct err *e);
int join_take(struct join *j, const struct sample *s, struct err *e);

int order_new(struct order **o, struct err *e);
void order_free(struct order *o);
int order_push(struct order *o, const struct sample *s, struct err *e);
/* The earliest one not later than `until`; NULL = none. Valid until the next call. */
const struct sample *order_pop(struct order *o, int64_t until);

int call_take(struct join *j, const struct sample *s, struct err *e);
/* The thread does something else: a start or wait that it is in was left by an exception,
 * or its exit was lost. */
int call_leave(struct join *j, int32_t tid, struct err *e);
int call_finish(struct join *j, struct err *e);

static inline struct jtransfer *channel_at(const struct channel *c, uint64_t i)
{
	return i < c->tail && i >= c->base ? c->ring[i & c->mask] : NULL;
}
/* The first of c that was not begun before `at`; the end where there is none. */
static inline uint64_t channel_begun_from(const struct channel *c, int64_t at)
{
	uint64_t low = c->base, high = c->tail;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		if (channel_at(c, mid)->t.submit_ns < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
/* From when the card could turn to x, as far as the program knew, to its woken. */
static inline int64_t channel_turn_ns(const struct jtransfer *x)
{
	const struct jtransfer *p = channel_at(x->c, x->index - 1);
	int64_t from = p && p->end_ns > x->begin_ns && p->end_ns < x->t.woken_ns
			       ? p->end_ns
			       : x->begin_ns;

	return x->t.woken_ns - from;
}
struct jtransfer *channel_oldest(struct channel *c);
/* The oldest that a wait may end: a blocking start ends itself. */
struct jtransfer *channel_waitable(struct channel *c);
int channel_submit(struct join *j, struct channel *c, struct jtransfer *x, struct err *e);
int channel_ending(struct join *j, struct channel *c, const struct ending *w,
		   struct err *e);
int channel_end(struct join *j, struct jtransfer *x, const struct ending *w,
		struct err *e);
int channel_close(struct join *j, struct jtransfer *x, enum transfer_state s,
		  const char *why, int64_t at, struct err *e);
int channel_stop(struct join *j, struct channel *c, int64_t at, bool *any, struct err *e);
void channel_irq(struct channel *c);
/* Its order is lost, and so are ends from from_ns on. */
int channel_doubt(struct join *j, struct channel *c, const char *why, int64_t from_ns,
		  struct err *e);
int channel_finish(struct join *j, struct channel *c, struct err *e);

/* nvector = none of the group's */
static inline size_t vector_index(const struct group *g, int32_t irq)
{
	size_t i = 0;

	while (i < g->nvector && g->vector[i] != irq)
		i++;
	return i;
}
int groups_new(struct join *j, struct err *e);
void groups_free(struct join *j);
int group_adopt(struct join *j, struct channel *c, struct err *e);
int group_irq(struct join *j, const struct sample *s, struct err *e);
int group_end(struct join *j, struct jtransfer *x, struct err *e);
int group_reset(struct group *g, int64_t at, struct err *e);
int group_pump(struct join *j, struct group *g, bool all, struct err *e);
int group_pass(struct group *g, int64_t until, struct err *e);
int group_learn(struct group *g, bool all, struct err *e);
int group_flush(struct join *j, struct channel *c, struct err *e);
int group_finish(struct join *j, struct group *g, struct err *e);

struct jtransfer *transfer_new(struct join *j);
void transfer_free(struct join *j, struct jtransfer *x);

#endif
