/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/plots.h"

#include <string.h>

const struct plot plots[PLOT_N] = {
	[PLOT_HISTOGRAM] = {"histogram", "Latency histogram", make_histogram},
	[PLOT_TAIL] = {"tail", "The tail", make_tail},
	[PLOT_TIME] = {"time", "Latency over time", make_time},
	[PLOT_SIZE] = {"size", "Latency by size", make_size},
	[PLOT_THROUGHPUT] = {"throughput", "Throughput and in flight", make_throughput},
	[PLOT_PHASES] = {"phases", "Phases", make_phases},
	[PLOT_SLOWEST] = {"slowest", "The slowest transfers", make_slowest},
	[PLOT_INTERRUPTS] = {"interrupts", "Interrupts", make_interrupts},
};

bool reason_told(const struct figure *fig, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(fig[k].why_not, fig[i].why_not))
			return true;
	return false;
}

int plot_parse(const char *name)
{
	for (int i = 0; i < PLOT_N; i++)
		if (!strcmp(plots[i].name, name))
			return i;
	return -1;
}
