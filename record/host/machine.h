/* SPDX-License-Identifier: GPL-2.0-only */
/* What perf's header says of the processor. root is "" or a fixture's. malloc'ed; NULL =
 * not told by this kernel. */
#ifndef DMA_MACHINE_H
#define DMA_MACHINE_H

/* "Intel(R) Xeon(R) Processor": the first model name of /proc/cpuinfo. */
char *machine_cpu_name(const char *root);

/* As perf writes it (tools/perf/arch/ARCH/util/header.c): "GenuineIntel,6,167,1" on x86,
 * the register MIDR_EL1 on arm64. */
char *machine_cpu_id(const char *root);

#endif
