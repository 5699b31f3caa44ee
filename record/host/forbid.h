/* SPDX-License-Identifier: GPL-2.0-only */
/* What may keep even root from tracing. root is "" or a fixture's. */
#ifndef DMA_FORBID_H
#define DMA_FORBID_H

/* A sentence with its remedy, of the kernel's lockdown (tracefs, perf and BPF are refused in
 * its mode "confidentiality", kernel_lockdown.7) and of SELinux where it enforces; malloc'ed,
 * NULL = neither. For a refusal that has been met: that they are there is no fault. */
char *forbidden_by(const char *root);

#endif
