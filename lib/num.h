/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers as people and files write them. Strict: an empty text, trailing junk, overflow
 * or a value out of range is an error whose text names the value and the range. 0 = ok.
 */
#ifndef DMA_NUM_H
#define DMA_NUM_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* Decimal, or hexadecimal behind 0x; an optional sign. */
int num_i64(const char *text, int64_t min, int64_t max, int64_t *out, struct err *e);

/* Bytes: a decimal number, then nothing, K, M, G (powers of 1024; "KiB", "k" and the like
 * too). */
int num_bytes(const char *text, int64_t min, int64_t max, int64_t *out, struct err *e);

/* Nanoseconds from "10s", "2.5ms", "300us", "7ns", "1min", "1h"; a bare number is
 * seconds. Exact: no floating point; more than nanosecond precision is an error. */
int num_duration_ns(const char *text, int64_t min, int64_t max, int64_t *out,
		    struct err *e);

/* A share: "5%" or "0.05" gives 0.05. A bare number from 1 on is an error: who writes 10
 * means 10 %, and 1 may be either. */
int num_share(const char *text, double min, double max, double *out, struct err *e);

/* "1,5,7-9" as the kernel writes CPU lists: fills *out (malloc'ed, the caller frees) and
 * *n, in the order given, doubles removed. At most max_n values. */
int num_list(const char *text, int64_t min, int64_t max, size_t max_n, int64_t **out,
	     size_t *n, struct err *e);

/* A duration for a person, three significant digits with its unit: "12.3 µs", "98.0 ms",
 * "0 ns". Always fits in 32 bytes. Returns buf. */
const char *num_print_ns(char buf[32], int64_t ns);

/* Bytes for a person: "4096 B", "64 KiB", "1.5 GiB". Returns buf. */
const char *num_print_bytes(char buf[32], int64_t bytes);

/* Bytes per second for a person: "113 MB/s", "4.38 MB/s". Returns buf. */
const char *num_print_rate(char buf[32], double bytes_per_s);

#endif
