/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt map of a machine: /proc/interrupts (irqmap_proc.c) completed by sysfs
 * (irqmap_sys.c), and its counters read again. */
#include <stdlib.h>
#include <time.h>

#include "lib/err.h"
#include "record/host/irqmap_priv.h"
#include "record/host/rootfs.h"

/* 4096 CPUs times 4096 interrupts of 11 characters. */
enum { INTERRUPTS_BYTES = 256 << 20 };

static int read_text(const char *root, char **text, size_t *len, struct err *e)
{
	return rootfs_read(root, "/proc/interrupts", INTERRUPTS_BYTES, text, len, e);
}

int irqmap_read(struct irqmap *m, const char *root, struct err *e)
{
	char *text;
	size_t len;
	int rc;

	*m = (struct irqmap){0};
	rc = read_text(root, &text, &len, e);
	if (rc)
		return rc;
	rc = irqmap_parse(m, text, len, e);
	free(text);
	if (!rc)
		rc = irqmap_read_sys(m, root, e);
	if (rc)
		irqmap_release(m);
	return rc;
}

int irqmap_read_counts(struct irqmap *m, const char *root, int64_t *taken_ns,
		       struct err *e)
{
	struct timespec now;
	char *text;
	size_t len;
	int rc;

	*m = (struct irqmap){0};
	rc = read_text(root, &text, &len, e);
	if (rc)
		return rc;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (taken_ns)
		*taken_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	rc = irqmap_parse(m, text, len, e);
	free(text);
	return rc;
}
