/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of the kernel that a profile names beside the functions of a library: [kernel
 * FUNCTION] is a kprobe at its entry, [tracepoint SYSTEM:EVENT] an event that the kernel has.
 * Each says what the driver does then, and where the key is that the start and the end of a
 * transfer share.
 */
#ifndef DMA_PROFILE_KERNEL_H
#define DMA_PROFILE_KERNEL_H

#include "lib/dma.h"
#include "lib/field.h"
#include "lib/file/meta.h"

struct err;
struct arg_spec;

struct kernel_spec {
	char *name; /* "SYSTEM:EVENT"; "FUNCTION" or "MODULE:FUNCTION" */
	bool tracepoint;
	bool has_role;
	enum role role;	      /* ROLE_ASKED, ROLE_ISSUED, ROLE_ENDED, ROLE_OTHER */
	bool optional;	      /* a kernel without it is no error */
	struct arg_spec *arg; /* [FIELD_N], of a function */
	char *place[FIELD_N]; /* of a tracepoint: "nr_sector" or "rwbs:u8"; NULL = none */
	struct meta_const constant;
	int64_t size_unit; /* bytes for each unit of the size; 0 = 1 */
	enum direction direction;
	struct condition when, from_host;
	int line;
};

extern const char *const kernel_keys[];

int kernel_init(struct kernel_spec *k, const char *name, bool tracepoint, int line,
		struct err *e);
void kernel_release(struct kernel_spec *k);
int kernel_set(struct kernel_spec *k, const char *key, const char *value, struct err *e);
/* What can only be checked when all keys are there. */
int kernel_finish(const struct kernel_spec *k, struct err *e);

/* Where the fields of a tracepoint are, as struct meta_event has it. malloc'ed. */
char *kernel_places(const struct kernel_spec *k);

#endif
