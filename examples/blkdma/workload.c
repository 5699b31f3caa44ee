/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Something to trace on any machine: transfers between memory and the machine's own disk
 * through libblkdma. It measures each transfer by its own clock, from before the start
 * function to after the wait that ended it, and prints what it found: a truth that owes
 * nothing to the tracer.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blkdma.h"
#include "lib/err.h"
#include "lib/num.h"

#define MAX_SIZES 64

struct options {
	int64_t count, channels, depth, file_bytes, seed, pause_ns;
	int64_t size[MAX_SIZES];
	size_t nsize;
	int64_t max_size;
	double writes; /* share of transfers from the host */
	int64_t delay_channel, delay_ns;
	int64_t stall, stall_ns; /* that transfer alone; -1 = none */
	const char *file, *latencies;
};

/* One transfer in flight. */
struct slot {
	void *buffer;
	int64_t begin_ns;
	int64_t number;
};

struct run {
	const struct options *o;
	struct slot *slot;     /* channels x depth */
	unsigned *head, *used; /* of each channel */
	int64_t *latency_ns;   /* in order of start */
	int64_t started, ended, written, bytes;
	uint64_t random;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* xorshift64*: a choice that a seed repeats. */
static uint64_t next_random(struct run *r)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return r->random * UINT64_C(2685821657736338717);
}

static int fail(const char *what, int rc)
{
	fprintf(stderr, "blkdma: %s: %s\n", what, strerror(-rc));
	return 1;
}

/* ---- the scratch file ---- */

/* Real blocks with data in them: holes and unwritten extents would be read without the
 * disk. */
static int fill_file(int fd, int64_t bytes)
{
	enum { BLOCK = 1 << 20 };
	char *block = malloc(BLOCK);
	int64_t done = 0;

	if (!block)
		return -ENOMEM;
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (char)(i * 31 + i / 4096);
	while (done < bytes) {
		size_t n = bytes - done < BLOCK ? (size_t)(bytes - done) : (size_t)BLOCK;
		ssize_t w = write(fd, block, n);

		if (w < 0) {
			free(block);
			return -errno;
		}
		done += w;
	}
	free(block);
	return fsync(fd) ? -errno : 0;
}

/* Open the card on the user's file, or on a scratch file in the current directory that is
 * gone as soon as this process is. */
static int open_card(struct options *o)
{
	char scratch[] = "blkdma-scratch-XXXXXX";
	const char *path = o->file ? o->file : scratch;
	int fd = o->file ? open(path, O_RDONLY | O_CLOEXEC) : mkstemp(scratch);
	int rc = fd < 0 ? -errno : 0;

	if (rc)
		return fail(path, rc);
	if (o->file)
		o->file_bytes = lseek(fd, 0, SEEK_END);
	else
		rc = fill_file(fd, o->file_bytes);
	close(fd);
	if (!rc && o->file_bytes < o->max_size)
		rc = -ENOSPC;
	if (!rc)
		rc = blkdma_open(path, (unsigned)o->channels, (unsigned)o->depth);
	if (!o->file)
		unlink(path);
	if (rc == -EINVAL)
		fprintf(stderr, "blkdma: this file system may have no O_DIRECT: name a "
				"file on a disk with --file\n");
	if (rc == -ENOSPC && o->file)
		fprintf(stderr, "blkdma: the file is smaller than one transfer\n");
	return rc ? fail(path, rc) : 0;
}

/* ---- the transfers ---- */

static int start_one(struct run *r, unsigned channel)
{
	const struct options *o = r->o;
	unsigned depth = (unsigned)o->depth;
	unsigned at = channel * depth + (r->head[channel] + r->used[channel]) % depth;
	struct slot *s = &r->slot[at];
	size_t size = (size_t)o->size[next_random(r) % o->nsize];
	off_t offset = (off_t)(next_random(r) % (uint64_t)(o->file_bytes / o->max_size)) *
		       o->max_size;
	bool write = (double)(next_random(r) >> 11) / 0x1p53 < o->writes;
	int rc;

	s->number = r->started;
	s->begin_ns = now_ns();
	rc = write ? dma_from_host(channel, s->buffer, size, offset)
		   : dma_to_host(channel, s->buffer, size, offset);
	if (rc)
		return fail(write ? "dma_from_host" : "dma_to_host", rc);
	r->used[channel]++;
	r->started++;
	r->written += write;
	r->bytes += (int64_t)size;
	return 0;
}

static int end_one(struct run *r, unsigned channel)
{
	unsigned depth = (unsigned)r->o->depth;
	struct slot *s = &r->slot[channel * depth + r->head[channel]];
	bool stalls = s->number == r->o->stall;
	int rc;

	if (stalls)
		blkdma_delay(channel, r->o->stall_ns);
	rc = dma_wait(channel);
	if (stalls)
		blkdma_delay(channel, 0);
	r->latency_ns[s->number] = now_ns() - s->begin_ns;
	if (rc)
		return fail("dma_wait", rc);
	r->head[channel] = (r->head[channel] + 1) % depth;
	r->used[channel]--;
	r->ended++;
	return 0;
}

static void pause_for(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	if (ns)
		nanosleep(&t, NULL);
}

/* Every channel in turn: end its oldest transfer when its queue is full or there is no
 * more to start, then fill the queue. */
static int transfer_all(struct run *r)
{
	const struct options *o = r->o;

	while (r->ended < o->count) {
		for (unsigned c = 0; c < o->channels; c++) {
			bool full = r->used[c] == o->depth;

			if (r->used[c] && (full || r->started == o->count)) {
				if (end_one(r, c))
					return 1;
				pause_for(o->pause_ns);
			}
			while (r->used[c] < o->depth && r->started < o->count)
				if (start_one(r, c))
					return 1;
		}
	}
	return 0;
}

/* ---- what is told at the end ---- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int write_latencies(const struct run *r)
{
	FILE *f = fopen(r->o->latencies, "we");
	bool bad;

	if (!f)
		return fail(r->o->latencies, -errno);
	for (int64_t i = 0; i < r->ended; i++)
		fprintf(f, "%" PRId64 "\n", r->latency_ns[i]);
	bad = ferror(f);
	return fclose(f) || bad ? fail(r->o->latencies, -EIO) : 0;
}

static void print_result(struct run *r, int64_t took_ns)
{
	char mean[32], median[32], worst[32], bytes[32], took[32];
	int64_t sum = 0, n = r->ended;

	for (int64_t i = 0; i < n; i++)
		sum += r->latency_ns[i];
	qsort(r->latency_ns, (size_t)n, sizeof(*r->latency_ns), by_value);
	printf("blkdma: %" PRId64 " transfers (%" PRId64 " to host, %" PRId64
	       " from host), %s in %s\n",
	       n, n - r->written, r->written, num_print_bytes(bytes, r->bytes),
	       num_print_ns(took, took_ns));
	printf("blkdma: latency by its own clock: mean %s, median %s, max %s\n",
	       num_print_ns(mean, sum / n),
	       num_print_ns(median, r->latency_ns[(n - 1) / 2]),
	       num_print_ns(worst, r->latency_ns[n - 1]));
	printf("blkdma: mean_ns=%" PRId64 " median_ns=%" PRId64 "\n", sum / n,
	       r->latency_ns[(n - 1) / 2]);
}

/* ---- options ---- */

enum { OPT_FILE_SIZE = 256, OPT_SEED, OPT_PAUSE, OPT_DELAY, OPT_STALL, OPT_LATENCIES };

static const struct argp_option option_table[] = {
	{"count", 'n', "N", 0, "transfers in all, 1 to 1e9 (default 1000)", 0},
	{"size", 's', "BYTES[,BYTES...]", 0,
	 "bytes of a transfer, chosen at random among "
	 "these; multiples of 512 up to 16M (default 4096)",
	 0},
	{"channels", 'c', "N", 0, "queues, 1 to 64 (default 1)", 0},
	{"depth", 'd', "N", 0, "transfers in flight in each queue, 1 to 1024 (default 1)",
	 0},
	{"mix", 'm', "SHARE", 0,
	 "share that goes from host to disk, 0% to 100% (default 0%)", 0},
	{"file", 'f', "PATH", 0,
	 "file on a disk, or block device; --mix overwrites it (default: a scratch file "
	 "in the current directory, removed at once)",
	 0},
	{"file-size", OPT_FILE_SIZE, "BYTES", 0, "of the scratch file (default 64M)", 0},
	{"seed", OPT_SEED, "N", 0,
	 "of the choice of sizes, places and directions (default 1)", 0},
	{"pause", OPT_PAUSE, "TIME", 0,
	 "sleep after each transfer, such as 100us (default 0)", 0},
	{"delay", OPT_DELAY, "CHANNEL:TIME", 0,
	 "let dma_wait on this channel spin so long "
	 "after the end: a slowdown to be found",
	 0},
	{"stall", OPT_STALL, "N:TIME", 0,
	 "the same for the wait of transfer N alone, counted from 0", 0},
	{"latencies", OPT_LATENCIES, "FILE", 0,
	 "write each transfer's latency in ns, in order of start", 0},
	{0}};

static int parse_sizes(struct options *o, const char *text, struct err *e)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = copy ? 0 : err_set(e, ERR_NOMEM, "no memory");

	o->nsize = 0;
	while (!rc && (word = strsep(&rest, ","))) {
		if (o->nsize == MAX_SIZES)
			rc = err_set(e, ERR_USAGE, "more than %d sizes", MAX_SIZES);
		else
			rc = num_bytes(word, 512, 16 << 20, &o->size[o->nsize], e);
		if (!rc && o->size[o->nsize] % 512)
			rc = err_set(e, ERR_USAGE, "'%s' is not a multiple of 512", word);
		o->nsize++;
	}
	free(copy);
	return rc;
}

static int parse_pair(const char *text, int64_t max, int64_t *number, int64_t *ns,
		      struct err *e)
{
	char first[16];
	const char *colon = strchr(text, ':');

	if (!colon || colon - text >= (long)sizeof(first))
		return err_set(e, ERR_USAGE, "'%s' is not NUMBER:TIME", text);
	memcpy(first, text, (size_t)(colon - text));
	first[colon - text] = 0;
	return num_i64(first, 0, max, number, e)
		       ?: num_duration_ns(colon + 1, 0, INT64_C(10000000000), ns, e);
}

static const char *option_name(int key)
{
	const struct argp_option *o = option_table;

	while (o->name && o->key != key)
		o++;
	return o->name;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct err e = {0};
	int rc = 0;

	switch (key) {
	case 'n':
		rc = num_i64(arg, 1, 1000000000, &o->count, &e);
		break;
	case 's':
		rc = parse_sizes(o, arg, &e);
		break;
	case 'c':
		rc = num_i64(arg, 1, 64, &o->channels, &e);
		break;
	case 'd':
		rc = num_i64(arg, 1, 1024, &o->depth, &e);
		break;
	case 'm':
		rc = num_share(arg, 0, 1, &o->writes, &e);
		break;
	case 'f':
		o->file = arg;
		break;
	case OPT_FILE_SIZE:
		rc = num_bytes(arg, 1 << 20, INT64_C(1) << 40, &o->file_bytes, &e);
		break;
	case OPT_SEED:
		rc = num_i64(arg, 1, INT64_MAX, &o->seed, &e);
		break;
	case OPT_PAUSE:
		rc = num_duration_ns(arg, 0, INT64_C(10000000000), &o->pause_ns, &e);
		break;
	case OPT_DELAY:
		rc = parse_pair(arg, 63, &o->delay_channel, &o->delay_ns, &e);
		break;
	case OPT_STALL:
		rc = parse_pair(arg, INT64_MAX, &o->stall, &o->stall_ns, &e);
		break;
	case OPT_LATENCIES:
		o->latencies = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (rc)
		argp_failure(state, 2, 0, "--%s: %s", option_name(key), e.text);
	return 0;
}

static int run_init(struct run *r, const struct options *o)
{
	size_t slots = (size_t)(o->channels * o->depth);

	*r = (struct run){.o = o, .random = (uint64_t)o->seed};
	r->slot = calloc(slots, sizeof(*r->slot));
	r->head = calloc((size_t)o->channels, sizeof(*r->head));
	r->used = calloc((size_t)o->channels, sizeof(*r->used));
	r->latency_ns = calloc((size_t)o->count, sizeof(*r->latency_ns));
	if (!r->slot || !r->head || !r->used || !r->latency_ns)
		return fail("memory", -ENOMEM);
	for (size_t i = 0; i < slots; i++) {
		if (posix_memalign(&r->slot[i].buffer, 4096, (size_t)o->max_size))
			return fail("memory", -ENOMEM);
		memset(r->slot[i].buffer, (int)i, (size_t)o->max_size);
	}
	return 0;
}

static void run_release(struct run *r)
{
	for (int64_t i = 0; r->slot && i < r->o->channels * r->o->depth; i++)
		free(r->slot[i].buffer);
	free(r->slot);
	free(r->head);
	free(r->used);
	free(r->latency_ns);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {.options = option_table,
					 .parser = parse_option,
					 .doc = "Transfers between memory and this "
						"machine's disk, through libblkdma: "
						"dma_to_host, dma_from_host, dma_wait.\v"
						"Prints its own count and latency. Exit: "
						"0 ok, 1 failed, 2 wrong usage."};
	struct options o = {.count = 1000,
			    .stall = -1,
			    .channels = 1,
			    .depth = 1,
			    .size = {4096},
			    .nsize = 1,
			    .file_bytes = 64 << 20,
			    .seed = 1};
	struct run r;
	int64_t begin;
	int rc;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (size_t i = 0; i < o.nsize; i++)
		o.max_size = o.size[i] > o.max_size ? o.size[i] : o.max_size;
	rc = run_init(&r, &o) || open_card(&o);
	if (!rc) {
		blkdma_delay((unsigned)o.delay_channel, o.delay_ns);
		begin = now_ns();
		rc = transfer_all(&r);
		if (!rc && o.latencies)
			rc = write_latencies(&r);
		if (r.ended)
			print_result(&r, now_ns() - begin);
	}
	blkdma_close();
	run_release(&r);
	return rc;
}
