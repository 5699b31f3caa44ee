/* SPDX-License-Identifier: GPL-2.0-only */
#include "blkdma.h"

#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_NS	     INT64_C(10000000000)
#define POLLS_BETWEEN_CLOCKS 1024

struct request {
	struct iocb iocb;
	long result; /* bytes, or -errno; valid when done */
	bool done;
};

/* A ring of depth requests; head is the oldest in flight, used how many there are. */
struct channel {
	io_context_t aio;
	struct request *ring;
	unsigned head, used;
	int64_t delay_ns;
};

static struct {
	int fd;
	unsigned nchannel, depth;
	struct channel *channel;
} card = {.fd = -1};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int channel_open(struct channel *c, unsigned depth)
{
	c->ring = calloc(depth, sizeof(*c->ring));
	return c->ring ? io_setup((int)depth, &c->aio) : -ENOMEM;
}

static void channel_close(struct channel *c)
{
	if (c->aio)
		io_destroy(c->aio);
	free(c->ring);
}

int blkdma_open(const char *path, unsigned channels, unsigned depth)
{
	int rc = 0;

	if (!channels || !depth || card.channel)
		return -EINVAL;
	card.fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (card.fd < 0)
		return -errno;
	card.channel = calloc(channels, sizeof(*card.channel));
	if (!card.channel)
		rc = -ENOMEM;
	card.depth = depth;
	for (; !rc && card.nchannel < channels; card.nchannel++)
		rc = channel_open(&card.channel[card.nchannel], depth);
	if (rc)
		blkdma_close();
	return rc;
}

void blkdma_close(void)
{
	for (unsigned i = 0; i < card.nchannel; i++)
		channel_close(&card.channel[i]);
	free(card.channel);
	if (card.fd >= 0)
		close(card.fd);
	card.channel = NULL;
	card.nchannel = 0;
	card.fd = -1;
}

/* The next free request of a channel, or why there is none. */
static int channel_take(unsigned channel, struct channel **c, struct request **r)
{
	if (channel >= card.nchannel)
		return -ENODEV;
	*c = &card.channel[channel];
	if ((*c)->used == card.depth)
		return -EAGAIN;
	*r = &(*c)->ring[((*c)->head + (*c)->used) % card.depth];
	(*r)->done = false;
	return 0;
}

static int channel_submit(struct channel *c, struct request *r)
{
	struct iocb *list = &r->iocb;
	int rc;

	r->iocb.data = r;
	rc = io_submit(c->aio, 1, &list);
	if (rc != 1)
		return rc < 0 ? rc : -EAGAIN;
	c->used++;
	return 0;
}

int dma_to_host(unsigned channel, void *dst, size_t size, off_t offset)
{
	struct channel *c;
	struct request *r;
	int rc = channel_take(channel, &c, &r);

	if (rc)
		return rc;
	io_prep_pread(&r->iocb, card.fd, dst, size, offset);
	return channel_submit(c, r);
}

int dma_from_host(unsigned channel, const void *src, size_t size, off_t offset)
{
	struct channel *c;
	struct request *r;
	int rc = channel_take(channel, &c, &r);

	if (rc)
		return rc;
	io_prep_pwrite(&r->iocb, card.fd, (void *)src, size, offset);
	return channel_submit(c, r);
}

/* Note what has ended, in whatever order the disk chose. */
static int channel_reap(struct channel *c)
{
	struct timespec at_once = {0};
	struct io_event event[16];
	int n = io_getevents(c->aio, 0, 16, event, &at_once);

	for (int i = 0; i < n; i++) {
		struct request *r = event[i].data;

		r->result = (long)event[i].res;
		r->done = true;
	}
	return n < 0 && n != -EINTR ? n : 0;
}

static void spin(int64_t ns)
{
	int64_t end = ns > 0 ? now_ns() + ns : 0;

	while (end && now_ns() < end)
		;
}

/* Poll until r is done: 0, or -errno. */
static int channel_poll(struct channel *c, const struct request *r)
{
	int64_t begin = 0;
	unsigned polls = 0;

	while (!r->done) {
		int rc = channel_reap(c);

		if (rc)
			return rc;
		if (++polls % POLLS_BETWEEN_CLOCKS)
			continue;
		if (!begin)
			begin = now_ns();
		else if (now_ns() - begin > TIMEOUT_NS)
			return -ETIMEDOUT;
	}
	return 0;
}

int dma_wait(unsigned channel)
{
	struct channel *c = channel < card.nchannel ? &card.channel[channel] : NULL;
	struct request *r;
	int rc;

	if (!c)
		return -ENODEV;
	if (!c->used)
		return -ENOENT;
	r = &c->ring[c->head];
	rc = channel_poll(c, r);
	if (rc)
		return rc;
	spin(c->delay_ns);
	c->head = (c->head + 1) % card.depth;
	c->used--;
	if (r->result < 0)
		return (int)r->result;
	return (unsigned long)r->result == r->iocb.u.c.nbytes ? 0 : -EIO;
}

void blkdma_delay(unsigned channel, int64_t delay_ns)
{
	if (channel < card.nchannel)
		card.channel[channel].delay_ns = delay_ns;
}
