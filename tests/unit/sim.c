/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/sim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 10 };
#else
enum { SANITIZED = 1 };
#endif

static _Noreturn void refuse(const char *name, const char *value)
{
	printf("Bail out! %s=%s is not understood (tests/unit/sim.h)\n", name, value);
	exit(1);
}

unsigned sim_seeds(unsigned full)
{
	const char *size = getenv("SIM_SIZE");
	unsigned part = SANITIZED;

	if (size && !strcmp(size, "tenth"))
		part *= 10;
	else if (size && strcmp(size, "full") != 0)
		refuse("SIM_SIZE", size);
	return (full + part - 1) / part;
}

bool sim_judged(void)
{
	return SANITIZED == 1;
}

bool sim_rate(unsigned found, unsigned full, double low, double high)
{
	unsigned n = sim_seeds(full);
	double rate = (double)found / n, chance = n == full ? 0 : 3 / sqrt(n);

	return rate >= low - chance * sqrt(low * (1 - low)) &&
	       rate <= high + chance * sqrt(high * (1 - high));
}

size_t sim_share(struct CMUnitTest *tests, size_t n)
{
	const char *share = getenv("SIM_SHARE");
	unsigned k = 1, of = 1;
	size_t kept = 0;
	char end;

	if (share && (sscanf(share, "%u/%u%c", &k, &of, &end) != 2 || !k || k > of))
		refuse("SIM_SHARE", share);
	for (size_t i = 0; i < n; i++)
		if (i % of == k - 1)
			tests[kept++] = tests[i];
	return kept;
}
