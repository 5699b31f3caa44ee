/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/flow/pipe.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/err.h"

enum { ROWS = 2048, LOSSES = 64, BLOCKS = 4 };

struct block {
	size_t ns, nl, nt, nx;
	uint64_t done;
	struct sample s[ROWS];
	struct loss l[LOSSES];
	struct transfer t[ROWS];
	struct stray x[ROWS];
};

struct pipe {
	const struct pipe_sink *sink;
	int (*producer)(void *arg, struct pipe *p, struct err *e);
	void *arg;
	bool threaded;
	struct block *block[BLOCKS];
	struct block *fill; /* the producer's */
	pthread_mutex_t lock;
	pthread_cond_t change;
	size_t head, tail; /* blocks written, blocks made; under the lock */
	bool ended, stopped;
	int rc, sink_rc;
	struct err err, sink_err; /* of the producer; of the sink when not threaded */
	uint64_t rows;
};

static int write_block(struct pipe *p, struct block *b, struct err *e)
{
	const struct pipe_sink *k = p->sink;
	int rc = 0;

	for (size_t i = 0; i < b->nl && !rc && k->loss; i++)
		rc = k->loss(k->arg, &b->l[i], e);
	for (size_t i = 0; i < b->ns && !rc && k->sample; i++)
		rc = k->sample(k->arg, &b->s[i], e);
	for (size_t i = 0; i < b->nt && !rc && k->transfer; i++)
		rc = k->transfer(k->arg, &b->t[i], e);
	for (size_t i = 0; i < b->nx && !rc && k->stray; i++)
		rc = k->stray(k->arg, &b->x[i], e);
	p->rows += b->ns + b->nt + b->nx;
	if (k->progress)
		k->progress(k->arg, b->done, p->rows);
	b->ns = b->nl = b->nt = b->nx = 0;
	return rc;
}

/* The block that is being filled goes to the sink. */
static int hand_over(struct pipe *p)
{
	bool stopped;

	if (!p->threaded)
		return p->sink_rc ? p->sink_rc
				  : (p->sink_rc = write_block(p, p->fill, &p->sink_err));
	pthread_mutex_lock(&p->lock);
	p->tail++;
	pthread_cond_broadcast(&p->change);
	while (p->tail - p->head >= BLOCKS && !p->stopped)
		pthread_cond_wait(&p->change, &p->lock);
	stopped = p->stopped;
	p->fill = p->block[p->tail % BLOCKS];
	pthread_mutex_unlock(&p->lock);
	return stopped ? ERR_IO : 0;
}

int pipe_sample(struct pipe *p, const struct sample *s)
{
	p->fill->s[p->fill->ns++] = *s;
	return p->fill->ns == ROWS ? hand_over(p) : 0;
}

int pipe_loss(struct pipe *p, const struct loss *l)
{
	p->fill->l[p->fill->nl++] = *l;
	return p->fill->nl == LOSSES ? hand_over(p) : 0;
}

int pipe_transfer(struct pipe *p, const struct transfer *t)
{
	p->fill->t[p->fill->nt++] = *t;
	return p->fill->nt == ROWS ? hand_over(p) : 0;
}

int pipe_stray(struct pipe *p, const struct stray *s)
{
	p->fill->x[p->fill->nx++] = *s;
	return p->fill->nx == ROWS ? hand_over(p) : 0;
}

void pipe_done(struct pipe *p, uint64_t done)
{
	p->fill->done = done;
}

static void *produce(void *arg)
{
	struct pipe *p = arg;
	int rc = p->producer(p->arg, p, &p->err);

	if (!rc)
		rc = hand_over(p);
	if (!p->threaded) {
		p->rc = rc;
		return NULL;
	}
	pthread_mutex_lock(&p->lock);
	p->rc = rc;
	p->ended = true;
	pthread_cond_broadcast(&p->change);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Until the producer has ended and everything that it made is written. */
static int consume(struct pipe *p, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (!rc) {
		struct block *b = p->block[p->head % BLOCKS];

		while (p->head == p->tail && !p->ended)
			pthread_cond_wait(&p->change, &p->lock);
		if (p->head == p->tail)
			break;
		pthread_mutex_unlock(&p->lock);
		rc = write_block(p, b, e);
		pthread_mutex_lock(&p->lock);
		p->head++;
		p->stopped = rc != 0;
		pthread_cond_broadcast(&p->change);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static int run_threaded(struct pipe *p, struct err *e)
{
	pthread_t thread;
	int rc;

	if (pthread_create(&thread, NULL, produce, p))
		return err_set(e, ERR_LIMIT, "no thread can be started");
	rc = consume(p, e);
	pthread_join(thread, NULL);
	return rc;
}

int pipe_run(int (*producer)(void *arg, struct pipe *p, struct err *e), void *arg,
	     const struct pipe_sink *sink, bool threaded, struct err *e)
{
	struct pipe p = {.sink = sink,
			 .producer = producer,
			 .arg = arg,
			 .threaded = threaded,
			 .lock = PTHREAD_MUTEX_INITIALIZER,
			 .change = PTHREAD_COND_INITIALIZER};
	int rc = 0;

	for (size_t i = 0; i < BLOCKS && !rc; i++)
		if (!(p.block[i] = calloc(1, sizeof(*p.block[i]))))
			rc = err_nomem(e, "the analysis");
	p.fill = p.block[0];
	if (!rc && threaded)
		rc = run_threaded(&p, e);
	else if (!rc)
		produce(&p);
	if (!rc && p.sink_rc)
		rc = err_set(e, p.sink_err.code, "%s", p.sink_err.text);
	if (!rc && p.rc)
		rc = err_set(e, p.err.code ? p.err.code : p.rc, "%s", p.err.text);
	for (size_t i = 0; i < BLOCKS; i++)
		free(p.block[i]);
	return rc;
}
