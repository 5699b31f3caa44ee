/* SPDX-License-Identifier: GPL-2.0-only */
/* Feature section 250 from anywhere: no crash, a refusal names its line, and what was
 * read is read the same again from what is written of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/file/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *write_both(const struct meta *m, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out || meta_write_begin(m, out) || (m->finished && meta_write_end(m, out)) ||
	    fclose(out))
		abort();
	return text;
}

static void round_trip(const struct meta *m)
{
	size_t len, len2;
	char *text = write_both(m, &len), *again;
	struct err e = {0};
	struct meta b;

	meta_init(&b);
	if (meta_parse(&b, text, len, &e)) {
		fprintf(stderr, "%s\n%s\n", e.text, text);
		abort();
	}
	again = write_both(&b, &len2);
	if (len != len2 || memcmp(text, again, len)) {
		fprintf(stderr, "%s\n--\n%s\n", text, again);
		abort();
	}
	meta_release(&b);
	free(text);
	free(again);
}

static void paths(const struct meta *m)
{
	int64_t card, channel;

	for (size_t i = 0; i < m->nevent; i++)
		for (size_t k = 0; k < m->event[i].npath; k++)
			for (size_t j = 0; j < m->nfd; j++)
				meta_path_match(&m->event[i].path[k], m->fd[j].path,
						&card, &channel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct meta m;

	meta_init(&m);
	if (meta_parse(&m, data, size, &e)) {
		if (strncmp(e.text, "feature 250", 11))
			abort();
		return 0;
	}
	paths(&m);
	round_trip(&m);
	meta_release(&m);
	return 0;
}
