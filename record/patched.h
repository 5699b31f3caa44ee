/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places where a process runs other code than its file has: another recorder's jump, above all one
 * of ours that a workload was left with. A uprobe there would execute the file's instruction, and
 * leave its first byte behind when it goes: the process would die of it. The kernel arms a uprobe
 * in every process that has mapped the file, so all of them are looked at.
 */
#ifndef DMA_PATCHED_H
#define DMA_PATCHED_H

struct err;
struct plan;

/* ERR_UNSUPPORTED, naming process and function, when a probe that is the kernel's meets such a
 * place. A process that may not be looked into is passed over. */
int patched_check(const struct plan *p, struct err *e);

#endif
