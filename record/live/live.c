/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/cli.h"
#include "lib/err.h"
#include "lib/flow/ends.h"
#include "lib/flow/follow.h"
#include "lib/flow/source.h"
#include "lib/flow/tail.h"
#include "record/live/cards.h"
#include "record/live/names.h"
#include "record/live/queue.h"
#include "record/live/screen.h"
#include "record/live/show.h"
#include "record/live/story.h"
#include "record/live/tally.h"
#include "record/live/trigger.h"

#define QUEUE_BYTES ((size_t)64 << 20) /* some seconds of the highest rates seen */
#define SECOND	    INT64_C(1000000000)

enum {
	TICK_MS = 100,	/* a terminal's new size, a gap: seen after so long */
	VIEW_NICE = 5,	/* behind the workload, which the view must not slow down */
	AHEAD_MS = 250, /* what is not decided is looked at so often */
	LINE_WIDTH = 124,
	NAMED_WIDTH = 135,
	STORY_WIDTH = 80,
};

struct live {
	struct live_options o;
	int clockid, event_fd;
	struct queue *queue;
	struct source *source;
	struct follow *follow;
	struct tally tally;
	struct tail *tail;	    /* NULL = no trigger asks, and no channel goes */
	struct names *names;	    /* NULL = rows are of no process */
	size_t nnamed;		    /* rows */
	struct process_cards cards; /* of processes, where rows are */
	struct trigger trigger;
	struct story *story; /* likewise */
	pthread_t thread;
	bool running;
	/* Between the threads: the trigger itself is the view's. */
	atomic_bool fired, again, judged; /* judged: worth is known */
	_Atomic(char *) snapshot;	  /* to be told of; with again */
	atomic_llong worth, at_ns;	  /* at: of the trigger's moment */
	atomic_size_t unseen;		  /* files whose events the view does not know */
	bool told; /* the view's own: fired was set for this time */

	/* the thread's own */
	int out;
	bool own_out, to_screen, color;
	struct screen screen;
	uint64_t interval;
	int64_t begin_ns, from_ns, to_ns; /* of the recording; DMA_UNKNOWN */
	int64_t round_ns;		  /* the rings had been read then */
	int64_t next_ns;		  /* CLOCK_MONOTONIC: the next interval */
	int64_t ahead_ns;		  /* likewise: the next look ahead */
	struct err err;
};

static int64_t now_ns(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* How bad it is, of what was looked at just now. What is still open is waited for, but not so
 * long that its beginning is not kept any more; it has taken what it has by then. */
static void judge(struct live *l)
{
	const struct transfer *t = &l->trigger.transfer;
	int64_t patience_ns = l->o.keep_ns ? l->o.keep_ns / 2 : SECOND, worth;

	if (!l->trigger.fired || !l->trigger.has_transfer)
		return;
	worth = rule_worth(l->trigger.rule, t);
	if (t->woken_ns == DMA_UNKNOWN && !worth && t->submit_ns != DMA_UNKNOWN) {
		if (l->to_ns - l->trigger.at_ns < patience_ns)
			return;
		worth = l->to_ns - t->submit_ns;
	}
	atomic_store(&l->worth, worth);
	atomic_store(&l->judged, true);
}

/* In one piece, so that lines of others do not come between. */
static void tell_story(struct live *l, const char *snapshot)
{
	char *text = NULL;
	size_t len;
	FILE *out = l->story && !l->o.quiet ? open_memstream(&text, &len) : NULL;

	if (!out)
		return;
	story_write(l->story, &l->trigger, &l->tally, source_meta(l->source), l->to_ns,
		    snapshot, STORY_WIDTH, out);
	if (!fclose(out))
		fputs(text, stderr);
	free(text);
}

/* Of the snapshot that the recorder has made, if it has; while the trigger is still that one's. */
static void tell_snapshot(struct live *l)
{
	char *path = atomic_exchange(&l->snapshot, NULL);

	if (path)
		tell_story(l, path);
	free(path);
}

/* The recorder is told that a trigger has come true. */
static void tell(struct live *l)
{
	uint64_t one = 1;

	if (atomic_exchange(&l->again, false)) {
		tell_snapshot(l);
		trigger_again(&l->trigger);
		l->told = false;
		atomic_store(&l->judged, false);
	}
	if (!l->trigger.fired || l->told)
		return;
	l->told = true;
	atomic_store(&l->at_ns, l->trigger.at_ns);
	atomic_store(&l->fired, true);
	if (write(l->event_fd, &one, sizeof(one)) < 0)
		return; /* the recorder looks at the end of its next wait */
}

/* ---- what comes ---- */

/* With the card that the process named. */
static void set_card(const struct live *l, struct transfer *t)
{
	const struct process_card *own =
		l->names ? process_cards_of(&l->cards, t->card) : NULL;

	if (own)
		t->card = own->card;
}

static int on_transfer(void *arg, const struct transfer *joined, struct err *e)
{
	struct live *l = arg;
	struct transfer of_card = *joined;
	const struct transfer *t = &of_card;
	struct row *row = NULL;
	int rc;

	set_card(l, &of_card);
	rc = tally_transfer(&l->tally, t, &row, e);
	if (!rc)
		trigger_transfer(&l->trigger, t, row);
	if (l->tail)
		tail_transfer(l->tail, t);
	if (l->story)
		story_transfer(l->story, t);
	/* It fired by how it looked then: this is what became of it. */
	if (l->trigger.fired && l->trigger.has_transfer &&
	    l->trigger.transfer.submit_seq == t->submit_seq) {
		l->trigger.transfer = *t;
		judge(l);
	}
	return rc;
}

static int on_stray(void *arg, const struct stray *x, struct err *e)
{
	struct live *l = arg;

	(void)e;
	if (l->tail)
		tail_stray(l->tail, x);
	return 0;
}

/* As it looks now: what is not decided yet. */
static int on_preview(void *arg, const struct transfer *t, struct err *e)
{
	struct live *l = arg;
	struct transfer of_card = *t;

	(void)e;
	set_card(l, &of_card);
	trigger_preview(&l->trigger, &of_card, l->to_ns);
	return 0;
}

static int take_sample(struct live *l, struct sample *s, struct err *e)
{
	int rc = 0;

	if (s->time_ns > l->to_ns)
		l->to_ns = s->time_ns;
	if (l->begin_ns == DMA_UNKNOWN)
		l->begin_ns = l->from_ns = s->time_ns;
	if (s->role == ROLE_SUBMIT) {
		trigger_gap(&l->trigger, l->tally.last_start_ns, s->time_ns);
		rc = tally_start(&l->tally, s, e);
		if (l->names && l->nnamed != l->tally.n) /* before it has ended */
			names_tell(l->names, &l->tally);
		l->nnamed = l->tally.n;
	}
	if (l->story)
		story_sample(l->story, s);
	if (!rc && l->names)
		rc = process_cards_take(&l->cards, l->names, s, e);
	if (!rc && l->tail)
		rc = tail_push(l->tail, s, e);
	return rc ? rc : follow_push(l->follow, s, e);
}

static int take_loss(struct live *l, const struct loss *x, struct err *e)
{
	tally_loss(&l->tally, x->lost);
	trigger_loss(&l->trigger, x->lost);
	return follow_loss(l->follow, x->cpu, x->from_ns, x->to_ns, e);
}

static int take_all(struct live *l, struct err *e)
{
	struct sample s;
	struct loss loss;
	int got, rc = 0;

	while (!rc && (got = source_next(l->source, &s, &loss, e))) {
		if (got < 0)
			return got;
		rc = got == SOURCE_LOSS ? take_loss(l, &loss, e) : take_sample(l, &s, e);
	}
	return rc;
}

static int take_gap(struct live *l, const struct queue_piece *p, struct err *e)
{
	int rc = source_gap(l->source, e);

	return rc ? rc : follow_loss(l->follow, -1, p->from_ns, p->to_ns, e);
}

static int take_piece(struct live *l, const struct queue_piece *p, struct err *e)
{
	int rc = 0;

	switch (p->kind) {
	case QUEUE_RECORDS:
		if (l->names)
			names_see(l->names, p->buf, p->len);
		return source_feed(l->source, p->buf, p->len, e);
	case QUEUE_ROUND:
		rc = source_round(l->source, e);
		rc = rc ? rc : take_all(l, e);
		if (p->from_ns != DMA_UNKNOWN) {
			l->round_ns = p->from_ns;
			if (l->to_ns != DMA_UNKNOWN && p->from_ns > l->to_ns)
				l->to_ns = p->from_ns;
		}
		return rc;
	case QUEUE_GAP:
		return take_gap(l, p, e);
	case QUEUE_HEAD:
		return source_renew(l->source, p->buf, p->len, e);
	default:
		source_end(l->source);
		rc = take_all(l, e);
		return rc;
	}
}

/* ---- what is shown ---- */

static struct frame frame_of(struct live *l, bool last)
{
	int64_t now = now_ns(l->clockid);

	return (struct frame){
		.number = ++l->interval,
		.from_ns = l->from_ns,
		.to_ns = l->to_ns,
		.begin_ns = l->begin_ns,
		.behind_ns = last || l->round_ns == DMA_UNKNOWN || now < l->round_ns
				     ? 0
				     : now - l->round_ns,
		.skipped_bytes = queue_skipped(l->queue),
		.unseen_files = atomic_load(&l->unseen),
		.tally = &l->tally,
		.cards = l->names ? &l->cards : NULL,
		.follow = l->follow,
		.meta = source_meta(l->source),
		.last = last,
		.triggered = l->trigger.fired ? l->trigger.rule->text : NULL};
}

/* One write, so that lines of others do not come between. */
static void put(struct live *l, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(l->out, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_errno(&l->err, "standard output or --live-output");
			cli_warn("dmarec", "the live view cannot be written: %s",
				 l->err.text);
			return;
		}
		text += n;
		len -= (size_t)n;
	}
}

static char *text_of(struct live *l, const struct frame *f, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	if (l->o.how == LIVE_JSON)
		frame_json(f, out);
	else if (l->to_screen)
		frame_table(f, l->screen.columns, screen_room(&l->screen), l->color, out);
	else
		frame_table(f, l->names ? NAMED_WIDTH : LINE_WIDTH, INT32_MAX, l->color,
			    out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void show(struct live *l, bool last)
{
	struct frame f = frame_of(l, last);
	size_t len;
	char *text;

	if (last && l->to_screen)
		screen_close(&l->screen);
	text = l->o.shown ? text_of(l, &f, &len) : NULL;
	if (text && l->to_screen && !last)
		screen_paint(&l->screen, text);
	else if (text && !l->err.code)
		put(l, text, len);
	free(text);
}

static int next_interval(struct live *l, bool last, struct err *e)
{
	int rc = 0;

	if (l->names)
		names_tell(l->names, &l->tally);
	show(l, last);
	/* Before the figures of the interval go: who had some in it is not folded away. */
	if (l->names && !last)
		rc = tally_fold(&l->tally, names_ended, e);
	l->nnamed = l->tally.n;
	tally_next(&l->tally);
	l->from_ns = l->to_ns;
	return rc;
}

/* Painted anew without an end of the interval. */
static void repaint(struct live *l)
{
	struct frame f = frame_of(l, false);
	size_t len;
	char *text = text_of(l, &f, &len);

	l->interval--;
	if (text)
		screen_paint(&l->screen, text);
	free(text);
}

static int tick(struct live *l, struct err *e)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);

	if (l->to_ns != DMA_UNKNOWN)
		trigger_gap(&l->trigger, l->tally.last_start_ns, l->to_ns);
	if (now >= l->next_ns) {
		l->next_ns += l->o.interval_ns;
		if (l->next_ns <= now)
			l->next_ns = now + l->o.interval_ns;
		if (l->to_screen)
			screen_resized(&l->screen);
		return next_interval(l, false, e);
	}
	if (l->to_screen && screen_resized(&l->screen))
		repaint(l);
	return 0;
}

static int wait_ms(const struct live *l)
{
	int64_t left = (l->next_ns - now_ns(CLOCK_MONOTONIC)) / 1000000 + 1;

	return left < 0 ? 0 : left > TICK_MS ? TICK_MS : (int)left;
}

/* A view that fails says so once, and takes what comes to nowhere. */
static void fail(struct live *l, struct err *e)
{
	if (l->to_screen)
		screen_close(&l->screen);
	l->to_screen = false;
	l->err = *e;
	cli_warn("dmarec", "the live view has ended, the recording goes on: %s", e->text);
}

/* Are there triggers that wait for what is not decided? */
static int look_ahead(struct live *l, struct err *e)
{
	struct join_sink sink = {.arg = l, .transfer = on_preview};
	int64_t now = now_ns(CLOCK_MONOTONIC);
	int rc;

	if (!l->o.nrule || (l->trigger.fired && !l->o.snapshots) || now < l->ahead_ns)
		return 0;
	trigger_preview_begin(&l->trigger);
	rc = follow_preview(l->follow, l->tail, &sink, e);
	if (!rc && trigger_is_settled(&l->trigger, l->to_ns))
		judge(l);
	l->ahead_ns = now_ns(CLOCK_MONOTONIC) + AHEAD_MS * INT64_C(1000000);
	return rc;
}

static void *view(void *arg)
{
	struct live *l = arg;
	struct join_totals totals;
	struct err e = {0};
	bool over = false;
	int rc = 0;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), VIEW_NICE);
	l->next_ns = now_ns(CLOCK_MONOTONIC) + l->o.interval_ns;
	while (!over) {
		struct queue_piece *p = queue_take(l->queue, wait_ms(l));

		over = p && p->kind == QUEUE_END;
		if (p && !rc && (rc = take_piece(l, p, &e)))
			fail(l, &e);
		free(p);
		if (!rc)
			rc = look_ahead(l, &e);
		tell(l);
		if (!over && !rc && (rc = tick(l, &e)))
			fail(l, &e);
	}
	if (!rc && (rc = follow_finish(l->follow, &totals, &e)))
		fail(l, &e);
	if (!rc)
		next_interval(l, true, &e);
	if (!rc && l->o.snapshots)
		tell_snapshot(l);
	else if (!rc)
		tell_story(l, NULL);
	return NULL;
}

/* ---- from outside ---- */

static int open_output(struct live *l, struct err *e)
{
	if (!l->o.output) {
		l->out = l->o.how == LIVE_JSON ? STDOUT_FILENO : STDERR_FILENO;
	} else {
		l->out = open(l->o.output,
			      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
		l->own_out = true;
		if (l->out < 0)
			return err_errno(e, "--live-output %s", l->o.output);
	}
	l->color = l->o.how != LIVE_JSON && isatty(l->out) && cli_color(stderr);
	l->to_screen =
		l->o.shown && l->o.how != LIVE_JSON && screen_open(&l->screen, l->out);
	l->screen.alone = l->o.everyone;
	return 0;
}

/* Of a process that began meanwhile nothing was in flight before. */
static bool is_fresh(void *arg, int64_t card)
{
	const struct live *l = arg;
	const struct process_card *own = process_cards_of(&l->cards, card);

	return own && own->began;
}

/* The interrupts that were named as those that end transfers. */
static int follow_open(struct live *l, struct err *e)
{
	const struct meta *m = source_meta(l->source);
	struct follow_options fo = {.pairing = m->pairing,
				    .from_start = meta_from_start(m),
				    .tail = l->o.everyone ? l->tail : NULL,
				    .is_fresh = is_fresh,
				    .arg = l};
	struct join_sink sink = {.arg = l, .transfer = on_transfer, .stray = on_stray};
	struct join_vector *vector = NULL;
	int32_t *recorded = calloc(m->nirq + 1, sizeof(*recorded));
	int rc = recorded ? 0 : err_nomem(e, "the live view");

	for (size_t i = 0; i < m->nevent; i++) {
		fo.driver |= m->event[i].role == ROLE_ENDED;
		fo.asks |= m->event[i].role == ROLE_ASKED;
		fo.issues |= m->event[i].role == ROLE_ISSUED;
	}
	for (size_t i = 0; i < m->nirq && !rc; i++) {
		if (m->irq[i].recorded)
			recorded[fo.nrecorded++] = m->irq[i].irq;
		if (m->irq[i].completes)
			rc = ends_add(&vector, &fo.nvector, m->irq[i].irq, DMA_UNKNOWN,
				      m->irq[i].completes_channel, e);
	}
	fo.vector = vector;
	fo.recorded = recorded;
	if (!rc)
		rc = follow_new(&l->follow, &fo, &sink, e);
	free(recorded);
	free(vector);
	return rc;
}

int live_new(struct live **out, const struct live_options *o, const void *head,
	     size_t len, int clockid, struct err *e)
{
	struct live *l = calloc(1, sizeof(*l));
	int rc = l ? 0 : err_nomem(e, "the live view");

	*out = l;
	if (rc)
		return rc;
	l->o = *o;
	l->o.interval_ns = o->interval_ns ? o->interval_ns : SECOND;
	l->clockid = clockid;
	l->out = -1;
	l->tally.by_process = o->everyone;
	l->tally.last_start_ns = DMA_UNKNOWN;
	l->begin_ns = l->from_ns = l->to_ns = l->round_ns = DMA_UNKNOWN;
	l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->queue = queue_new(QUEUE_BYTES);
	if (l->event_fd < 0 || !l->queue)
		rc = err_errno(e, "the live view");
	if (!rc && (l->o.nrule || l->o.everyone) && !(l->tail = tail_new()))
		rc = err_nomem(e, "the live view");
	if (!rc && l->o.nrule && !(l->story = story_new()))
		rc = err_nomem(e, "the live view");
	if (!rc && l->o.everyone && !(l->names = names_new()))
		rc = err_nomem(e, "the live view");
	trigger_init(&l->trigger, l->o.rule, l->o.nrule);
	if (!rc)
		rc = source_open_feed(&l->source, head, len, "the live view", e);
	if (!rc)
		rc = follow_open(l, e);
	if (rc) {
		live_free(l);
		*out = NULL;
	}
	return rc;
}

int live_start(struct live *l, struct err *e)
{
	int rc = open_output(l, e);

	if (rc)
		return rc;
	l->running = !pthread_create(&l->thread, NULL, view, l);
	return l->running
		       ? 0
		       : err_set(e, ERR_LIMIT, "the live view: no thread can be started");
}

void live_put(void *arg, const void *buf, size_t len)
{
	queue_put(((struct live *)arg)->queue, buf, len);
}

void live_round(void *arg)
{
	struct live *l = arg;

	queue_round(l->queue, now_ns(l->clockid));
}

void live_renew(struct live *l, const void *head, size_t len)
{
	if (!head || !queue_head(l->queue, head, len))
		atomic_fetch_add(&l->unseen, 1);
}

int live_fd(const struct live *l)
{
	return l->event_fd;
}

bool live_fired(struct live *l)
{
	return atomic_load(&l->fired);
}

int64_t live_at_ns(struct live *l)
{
	return atomic_load(&l->at_ns);
}

bool live_worth(struct live *l, int64_t *worth)
{
	bool judged = atomic_load(&l->judged);

	*worth = atomic_load(&l->worth);
	return judged;
}

void live_again(struct live *l, const char *path)
{
	uint64_t told;

	free(atomic_exchange(&l->snapshot, path ? strdup(path) : NULL));

	if (read(l->event_fd, &told, sizeof(told)) < 0 && errno != EAGAIN)
		return; /* it stays as it is: no snapshot more */
	atomic_store(&l->fired, false);
	atomic_store(&l->again, true);
}

const char *live_rule(const struct live *l)
{
	return l->trigger.fired ? l->trigger.rule->text : NULL;
}

void live_end(struct live *l)
{
	if (!l)
		return;
	if (l->running) {
		queue_end(l->queue);
		pthread_join(l->thread, NULL);
	}
	l->running = false;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	live_end(l);
	follow_free(l->follow);
	source_close(l->source);
	tail_free(l->tail);
	names_free(l->names);
	process_cards_release(&l->cards);
	story_free(l->story);
	tally_release(&l->tally);
	queue_free(l->queue);
	free(atomic_load(&l->snapshot));
	if (l->event_fd >= 0)
		close(l->event_fd);
	if (l->own_out && l->out >= 0)
		close(l->out);
	free(l);
}
