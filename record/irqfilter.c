/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/irqfilter.h"

#include <stdio.h>
#include <stdlib.h>

const char *const irq_tracepoint[IRQ_SIDES] = {"irq/irq_handler_entry",
					       "irq/irq_handler_exit"};

char *irq_filter(const int32_t *exclude, size_t n, size_t *used)
{
	char *text = calloc(1, IRQ_FILTER_BYTES), piece[64];
	size_t len = 0, i = 0, j;

	for (*used = 0; text && i < n && exclude[i] < IRQ_FILTER_NUMBERS; i = j) {
		int add;

		for (j = i + 1; j < n && exclude[j] == exclude[j - 1] + 1 &&
				exclude[j] < IRQ_FILTER_NUMBERS;
		     j++)
			;
		if (j == i + 1)
			add = snprintf(piece, sizeof(piece), "%sirq!=%d", i ? "&&" : "",
				       exclude[i]);
		else
			add = snprintf(piece, sizeof(piece), "%s(irq<%d||irq>%d)",
				       i ? "&&" : "", exclude[i], exclude[j - 1]);
		if (len + (size_t)add >= IRQ_FILTER_BYTES)
			break;
		len += (size_t)snprintf(text + len, IRQ_FILTER_BYTES - len, "%s", piece);
		*used = j;
	}
	return text;
}
