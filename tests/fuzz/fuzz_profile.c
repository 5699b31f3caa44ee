/* SPDX-License-Identifier: GPL-2.0-only */
/* Profiles from anywhere: no crash, no leak, and whatever is refused is refused with its
 * line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/counters.h"
#include "record/profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counter_set counters = {0};
	struct err e = {0};
	struct profile p;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (profile_read_mem(&p, text, "f.ini", &e)) {
		if (strncmp(e.text, "f.ini:", 6))
			abort();
		profile_init(&p);
	}
	if (!profile_add_func(&p, FUNC_WAIT, text, "--wait", NULL) && !p.nfunc)
		abort();
	for (size_t k = 0; k < p.ncounter && size < 4096; k++)
		counters_scan(&p.counter[k], text, &counters, NULL);
	counters_release(&counters);
	profile_release(&p);
	free(text);
	return 0;
}
