/* SPDX-License-Identifier: GPL-2.0-only */
/* What may keep even root from tracing. root is "" or a fixture's. */
#ifndef DMA_FORBID_H
#define DMA_FORBID_H

/* A sentence with its remedy, of the kernel's lockdown (tracefs, perf and BPF are refused in
 * its mode "confidentiality", kernel_lockdown.7) and of SELinux where it enforces; malloc'ed,
 * NULL = neither. For a refusal that has been met: that they are there is no fault. */
char *forbidden_by(const char *root);

/* Lockdown's part of it, not to be freed. A kernel that was booted so has no files in tracefs. */
const char *forbidden_by_lockdown(const char *root);

#endif
