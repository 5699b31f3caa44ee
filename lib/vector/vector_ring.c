/* SPDX-License-Identifier: GPL-2.0-only */
/* The last interrupts of a vector, by ordinal and by time; and the finder's own dice. */
#include "lib/vector/vector_seen.h"

uint64_t vector_ring_oldest(const struct ring *r)
{
	return r->n > RING ? r->n - RING : 0;
}

int64_t vector_ring_at(const struct ring *r, uint64_t ordinal)
{
	return r->at_ns[ordinal % RING];
}

uint64_t vector_ring_from(const struct ring *r, int64_t t)
{
	uint64_t low = vector_ring_oldest(r), high = r->n;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		if (r->at_ns[mid % RING] < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t vector_draw(struct vector_finder *f, uint64_t below)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random % below;
}
