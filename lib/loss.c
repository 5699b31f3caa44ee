// SPDX-License-Identifier: GPL-2.0-only
#include "lib/loss.h"

#include <string.h>

#include "lib/array.h"
#include "lib/err.h"

size_t loss_windows_from(const struct loss_windows *l, int64_t from_ns)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->at[mid].to_ns < from_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool loss_windows_touch(const struct loss_windows *l, int64_t from_ns, int64_t to_ns)
{
	size_t i = loss_windows_from(l, from_ns);

	return i < l->n && l->at[i].from_ns <= to_ns;
}

int loss_windows_add(struct loss_windows *l, int64_t from_ns, int64_t to_ns)
{
	struct loss_window w = {from_ns, to_ns < from_ns ? from_ns : to_ns};
	size_t i = loss_windows_from(l, from_ns), end = i;

	for (; end < l->n && l->at[end].from_ns <= w.to_ns; end++) {
		if (l->at[end].from_ns < w.from_ns)
			w.from_ns = l->at[end].from_ns;
		if (l->at[end].to_ns > w.to_ns)
			w.to_ns = l->at[end].to_ns;
	}
	if (end == i && !array_add(&l->at, &l->n))
		return ERR_NOMEM;
	size_t behind = end == i ? l->n - 1 - i : l->n - end;
	memmove(l->at + i + 1, l->at + end, behind * sizeof(w));
	l->at[i] = w;
	l->n = i + 1 + behind;
	return 0;
}
