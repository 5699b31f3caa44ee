/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which interrupts there are, whose they are, and how often they fired: /proc/interrupts,
 * /sys/kernel/irq/N, /proc/irq/N and /sys/bus/pci/devices/BDF/msi_irqs, in the formats of
 * RHEL 7 to the newest kernels. Every path begins at `root` ("" for the running system),
 * so that tests read fixtures.
 */
#ifndef DMA_IRQMAP_H
#define DMA_IRQMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { IRQ_LIMIT = 1 << 24 }; /* a number above is none that a kernel gives */

/* A PCI device whose line an interrupt is. */
struct irq_device {
	char bdf[16];
	uint16_t vendor, device; /* 0 = unknown */
};

struct irq_info {
	int32_t irq;
	char *name;	/* actions as registered, "a, b" when shared; NULL = no handler */
	char *chip;	/* "PCI-MSIX", "IR-PCI-MSI", "IO-APIC" (without the BDF) */
	char *bdf;	/* "0000:00:01.0"; NULL = not a PCI interrupt or not known */
	int32_t vector; /* index within the device; -1 = unknown */
	bool vector_guessed; /* from the order of numbers in msi_irqs: usual, not
				guaranteed */
	int32_t masked; /* 1 = masked or disabled, 0 = enabled, -1 = this kernel does not
			   tell */
	char *affinity, *effective; /* CPU lists; NULL = unknown */
	int64_t count; /* sum over CPUs; DMA_UNKNOWN = the line was cut short */
	/* ncpu of them; NULL when count is not from /proc/interrupts */
	int64_t *cpu_count;
	uint16_t pci_vendor, pci_device; /* 0 = unknown */
	char *driver;			 /* of the PCI device */
	char *type; /* "edge", "level", "fasteoi", ...; NULL = not told */
	/* number within the interrupt controller's domain; -1 = not told */
	int64_t hwirq;
	bool wired; /* the line of a PCI device that has no message-signalled interrupts */
	struct irq_device *device; /* of a line: all that have a driver */
	size_t ndevice;
};

struct irqmap {
	struct irq_info *irq; /* numbered interrupts, ascending */
	size_t n;
	size_t ncpu;  /* columns of /proc/interrupts */
	int32_t *cpu; /* CPU number of each column (offline ones are not there) */
};

/* Fails only when /proc/interrupts cannot be read or has no header line; whatever else is
 * missing stays unknown. Also lists vectors of PCI devices that have no handler (name
 * NULL), which /proc/interrupts leaves out. On failure *m is released. */
int irqmap_read(struct irqmap *m, const char *root, struct err *e);
void irqmap_release(struct irqmap *m);
const struct irq_info *irqmap_find(const struct irqmap *m, int32_t irq);

/* The text of /proc/interrupts alone (numbers, counts, chip, hwirq, type, name); pure. */
int irqmap_parse(struct irqmap *m, const char *text, size_t len, struct err *e);

/* /proc/interrupts alone, at one moment. *taken_ns (may be NULL): CLOCK_MONOTONIC of the
 * reading. On failure *m is released. */
int irqmap_read_counts(struct irqmap *m, const char *root, int64_t *taken_ns,
		       struct err *e);

/* How often it fired from one reading to the next. The kernel's counts are 32 bits for
 * each CPU and wrap. DMA_UNKNOWN when a CPU that had counted came or went between, when a
 * line was cut short, or the line is gone or another device's. */
int64_t irqmap_fired(const struct irqmap *before, const struct irqmap *after,
		     int32_t irq);

/* Is it a device's interrupt: has a handler, and is not a timer, IPI or the like? */
bool irq_is_device(const struct irq_info *i);

/* May handlers of several devices be called for it: has several, or is a line of PCI's? */
bool irq_may_be_shared(const struct irq_info *i);

/* Does the action list name hold `name`, whole, or with a trailing '*' as a prefix? */
bool irq_has_action(const struct irq_info *i, const char *name);

/* Is it an interrupt, or the line, of the PCI device at that (normalised) address; of one with
 * that vendor and device? */
bool irq_has_pci(const struct irq_info *i, const char *bdf);
bool irq_has_pci_id(const struct irq_info *i, uint16_t vendor, uint16_t device);

/* The line of a PCI device that has a driver and no message-signalled interrupts; -1 = none. */
int32_t irq_line_of(const char *root, const char *bdf);

/* "01:00.0" and "0000:01:00.0" as "0000:01:00.0", in lower case; false = no PCI
 * address. */
bool bdf_normalise(const char *text, char out[16]);

/* Selections for the recorder; each appends numbers to *list (realloc'ed) without doubles
 * and fails with ERR_NOTFOUND, naming what is there instead, when nothing fits. name: an
 * action's whole name (one of the comma-separated); a trailing '*' makes it a prefix. */
int irqmap_select_name(const struct irqmap *m, const char *name, int32_t **list,
		       size_t *n, struct err *e);
int irqmap_select_pci(const struct irqmap *m, const char *bdf, int32_t **list, size_t *n,
		      struct err *e); /* "01:00.0" is taken as "0000:01:00.0" */
int irqmap_select_pci_id(const struct irqmap *m, uint16_t vendor, uint16_t device,
			 int32_t **list, size_t *n, struct err *e);
int irqmap_select_device_irqs(const struct irqmap *m, int32_t **list, size_t *n,
			      struct err *e);

#endif
