#include "plots.h"
#include <stdio.h>
#define T(x)                                                                             \
	int make_##x(struct report *r, struct figure *fig, size_t *n, struct err *e)     \
	{                                                                                \
		(void)r;                                                                 \
		(void)e;                                                                 \
		(void)fig;                                                               \
		(void)n;                                                                 \
		return 0;                                                                \
	}
T(tail) T(size) T(throughput) T(phases) T(slowest) T(interrupts)
