/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One error, told once. Library code never prints and never exits: it fills a struct err
 * where the fault is seen and returns a negative code; the main files print it and choose
 * the exit status. The first fault wins: a later err_set() on a filled err changes
 * nothing, so that cleaning up cannot hide the cause.
 */
#ifndef DMA_ERR_H
#define DMA_ERR_H

enum err_code {
	ERR_IO = -1,	   /* the system refused a read, a write, a memory request, ... */
	ERR_FORMAT = -2,   /* the input is damaged or is not what it claims to be */
	ERR_NOTFOUND = -3, /* a named thing does not exist */
	ERR_AMBIGUOUS = -4,   /* a name fits several things */
	ERR_USAGE = -5,	      /* an option or a profile says something impossible */
	ERR_PERM = -6,	      /* a right is missing */
	ERR_UNSUPPORTED = -7, /* this kernel, file version or machine cannot do it */
	ERR_LIMIT = -8,	      /* a bound of ours or of the system was reached */
	ERR_NOMEM = -9,
};

struct err {
	int code;	 /* 0 = no error yet */
	char text[1024]; /* one sentence or two: what, on what, why, and what to do */
};

/* Fill *e (when it is empty and not NULL) and return code, so that `return err_set(...)`
 * reads. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errno behind it; EACCES and EPERM give ERR_PERM,
 * ENOENT gives ERR_NOTFOUND, ENOMEM gives ERR_NOMEM, everything else ERR_IO. */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "no memory for ...": what was asked for, and how much where a file's size says it. */
int err_nomem(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "prefix: " before the text of a filled err: the place, when only the caller knows
 * it. */
void err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
