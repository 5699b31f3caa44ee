/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/hostile/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64* */
uint64_t luck_draw(struct luck *l, uint64_t below)
{
	l->state ^= l->state >> 12;
	l->state ^= l->state << 25;
	l->state ^= l->state >> 27;
	return below ? l->state * UINT64_C(0x2545f4914f6cdd1d) % below : 0;
}

struct luck luck_of(const char *kind, uint64_t i)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);

	for (const char *p = kind; *p; p++)
		state = (state ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return (struct luck){state | 1};
}

static uint64_t striking(struct luck *l)
{
	static const uint64_t value[] = {0,	     1,
					 7,	     8,
					 0x7f,	     0x80,
					 0xff,	     0xffff,
					 0x10000,    0x7fffffff,
					 0x80000000, 0xffffffff,
					 INT64_MAX,  UINT64_C(1) << 63,
					 UINT64_MAX, UINT64_MAX - 7};

	return value[luck_draw(l, sizeof(value) / sizeof(*value))];
}

static size_t length(const struct bytes *b, struct luck *l)
{
	return b->n ? 1 + luck_draw(l, luck_draw(l, 2) ? (b->n < 64 ? b->n : 64) : b->n)
		    : 0;
}

static void put_number(struct bytes *b, struct luck *l)
{
	static const size_t width[] = {1, 2, 4, 8};
	size_t size = width[luck_draw(l, 4)];
	uint64_t v = luck_draw(l, 4) ? striking(l) : luck_draw(l, UINT64_MAX);
	size_t at;

	if (b->n < size)
		return;
	at = luck_draw(l, b->n - size + 1);
	if (luck_draw(l, 2))
		at -= at % size; /* where fields lie */
	memcpy(b->at + at, &v, size);
}

static void remove_block(struct bytes *b, struct luck *l)
{
	size_t len = length(b, l), at = luck_draw(l, b->n - len + 1);

	memmove(b->at + at, b->at + at + len, b->n - at - len);
	b->n -= len;
}

/* A block of its own comes again, once or often. */
static void repeat_block(struct bytes *b, struct luck *l)
{
	size_t len = length(b, l), from = luck_draw(l, b->n - len + 1),
	       at = luck_draw(l, b->n + 1);
	size_t times = luck_draw(l, 8) ? 1 : 1 + luck_draw(l, 1000);
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, b->at + from, len);
	for (; times && b->n + len <= MAX_SEED; times--) {
		memmove(b->at + at + len, b->at + at, b->n - at);
		memcpy(b->at + at, copy, len);
		b->n += len;
	}
	free(copy);
}

static void swap_blocks(struct bytes *b, struct luck *l)
{
	size_t len = length(b, l), x, y;

	if (b->n < 2 * len)
		return;
	x = luck_draw(l, b->n - 2 * len + 1);
	y = x + len + luck_draw(l, b->n - 2 * len - x + 1);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = b->at[x + i];

		b->at[x + i] = b->at[y + i];
		b->at[y + i] = c;
	}
}

void mutate(struct bytes *b, struct luck *l)
{
	for (uint64_t n = 1 + luck_draw(l, 6); n && b->n; n--) {
		switch (luck_draw(l, 8)) {
		case 0:
		case 1:
			b->at[luck_draw(l, b->n)] ^= (uint8_t)(1 << luck_draw(l, 8));
			break;
		case 2:
		case 3:
		case 4:
			put_number(b, l);
			break;
		case 5:
			repeat_block(b, l);
			break;
		case 6:
			luck_draw(l, 4) ? remove_block(b, l)
					: (void)(b->n = luck_draw(l, b->n + 1));
			break;
		default:
			swap_blocks(b, l);
		}
	}
}

void bytes_read(struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f) {
		perror(path);
		exit(2);
	}
	b->n = fread(b->at, 1, MAX_SEED, f);
	fclose(f);
}

void bytes_write(const struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(b->at, 1, b->n, f) != b->n || fclose(f)) {
		perror(path);
		exit(2);
	}
}
