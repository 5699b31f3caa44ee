// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for a PCI card with DMA, as the engineer of such a card would write it: the
 * card is programmed from user space through mmap, the driver only hands out registers,
 * a buffer that the card can reach, and its interrupts. It knows two cards: QEMU's edu
 * (docs/specs/edu.rst: one MSI) and the eight-vector card of tests/vm, which is QEMU's
 * ivshmem-doorbell with a process behind it.
 *
 * Every vector is requested under the driver's one name and is masked until a program
 * enables it. /proc/edudma shows a column for each vector. With the parameter intx=1 the
 * card uses the line that PCI devices share, as before MSI; with defer=1 or 2 the handler
 * leaves the rest to its thread or to a kworker; with log=N the first N handler
 * calls are kept, for a test to read in debugfs: edudma/log.
 */
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "edudma.h"

enum {
	MAX_VECTORS = 8,
	BUFFER_BYTES = 1 << 20,
	NO_BAR = -1,
	FLX_TOLD = 0x600,      /* how often it raised the vector that ends transfers */
	EDU_STATUS = 0x24,     /* what raised the interrupt */
	EDU_ACK = 0x64,	       /* written back, takes it down */
	EDU_DMA_ENDED = 0x100, /* in it */
};

struct kind {
	const char *name;
	int registers, bell;   /* BARs */
	unsigned int vectors;  /* at most */
	unsigned int dma_bits; /* of an address that the card can send out */
	unsigned int told;     /* register whose value goes into the log; 0 = none */
	u32 (*acknowledge)(void __iomem *registers);
	struct list_head cards;
	unsigned int count; /* of cards seen, numbers their devices */
};

struct card;

struct vector {
	struct card *card;
	int irq;
	bool masked;
	unsigned int flag; /* set by the handler, cleared by who waited */
	atomic64_t count;  /* handler calls */
	atomic_t why;	   /* what is left to be told, see defer */
	struct work_struct work;
	wait_queue_head_t wait;
};

struct card {
	struct list_head list;
	struct kind *kind;
	struct pci_dev *pci;
	void __iomem *registers;
	void *buffer;
	dma_addr_t bus_address;
	unsigned int number, vectors;
	struct vector vector[MAX_VECTORS];
	struct mutex lock; /* of masked */
	struct miscdevice device;
	char device_name[16];
};

static DEFINE_MUTEX(cards_lock);

static u32 edu_acknowledge(void __iomem *registers)
{
	u32 status = readl(registers + EDU_STATUS);

	if (status)
		writel(status, registers + EDU_ACK);
	return status;
}

static struct kind edu = {
	.name = "edudma",
	.registers = 0,
	.bell = NO_BAR,
	.vectors = 1,
	.dma_bits = 28,
	.told = EDU_STATUS,
	.acknowledge = edu_acknowledge,
	.cards = LIST_HEAD_INIT(edu.cards),
};

static struct kind flx = {
	.name = "flx",
	.registers = 2,
	.bell = 0,
	.vectors = MAX_VECTORS,
	.dma_bits = 32,
	.told = FLX_TOLD,
	.cards = LIST_HEAD_INIT(flx.cards),
};

/* ---- the log of handler calls ---- */

struct call {
	u64 ns; /* CLOCK_MONOTONIC */
	int irq;
	u32 told;
	unsigned int card;
};

static unsigned int log_entries;
module_param_named(log, log_entries, uint, 0444);
MODULE_PARM_DESC(log, "handler calls to keep in debugfs edudma/log (default 0)");

static struct call *calls;
static atomic_t call_count; /* also of those that found no room */
static struct dentry *debug_dir;

static void log_call(const struct vector *v)
{
	const struct card *c = v->card;
	unsigned int i;

	if (!calls)
		return;
	i = (unsigned int)atomic_inc_return(&call_count) - 1;
	if (i < log_entries)
		calls[i] = (struct call){
			.ns = ktime_get_ns(),
			.irq = v->irq,
			.card = c->number,
			.told = c->kind->told ? readl(c->registers + c->kind->told) : 0};
}

static int log_show(struct seq_file *out, void *unused)
{
	unsigned int n = min_t(unsigned int, atomic_read(&call_count), log_entries);

	for (unsigned int i = 0; i < n; i++)
		seq_printf(out, "%d\t%llu\t%u\t%u\n", calls[i].irq, calls[i].ns,
			   calls[i].told, calls[i].card);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(log);

static void make_log(void)
{
	calls = log_entries ? vzalloc(array_size(log_entries, sizeof(*calls))) : NULL;
	if (!calls)
		return;
	debug_dir = debugfs_create_dir("edudma", NULL);
	debugfs_create_file("log", 0444, debug_dir, NULL, &log_fops);
}

static void free_log(void)
{
	debugfs_remove_recursive(debug_dir);
	vfree(calls);
}

/* ---- interrupts ---- */

#ifndef PCI_IRQ_INTX /* its name since 6.8 */
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

static bool intx;
module_param(intx, bool, 0444);
MODULE_PARM_DESC(intx, "the PCI line that devices share, in place of MSI (default no)");

/* For a tracer (examples/profiles/edu-driver.ini): this card's interrupt says that a transfer
 * has ended, and the address of the card's buffer which card it is. */
static noinline void transfer_ended(u64 bus_address)
{
	asm volatile("" : : "r"(bus_address)); /* else there is no call to trace */
}

enum { TO_THREAD = 1, TO_WORK };

static unsigned int defer;
module_param(defer, uint, 0444);
MODULE_PARM_DESC(
	defer,
	"who tells of an end: the handler (0, default), its thread (1), a kworker (2)");

static void tell(struct vector *v, u32 why)
{
	if (why & EDU_DMA_ENDED)
		transfer_ended(v->card->bus_address);
	if (intx && READ_ONCE(v->masked))
		return;
	WRITE_ONCE(v->flag, 1);
	wake_up_interruptible(&v->wait);
}

static irqreturn_t handle_interrupt(int irq, void *data)
{
	struct vector *v = data;
	const struct kind *k = v->card->kind;
	u32 why = 0;

	log_call(v);
	if (k->acknowledge && !(why = k->acknowledge(v->card->registers)))
		return IRQ_NONE;
	atomic64_inc(&v->count);
	if (!defer) {
		tell(v, why);
		return IRQ_HANDLED;
	}
	atomic_or((int)why, &v->why);
	if (defer == TO_THREAD)
		return IRQ_WAKE_THREAD;
	schedule_work(&v->work);
	return IRQ_HANDLED;
}

static irqreturn_t thread_function(int irq, void *data)
{
	struct vector *v = data;

	tell(v, (u32)atomic_xchg(&v->why, 0));
	return IRQ_HANDLED;
}

static void work_function(struct work_struct *work)
{
	struct vector *v = container_of(work, struct vector, work);

	tell(v, (u32)atomic_xchg(&v->why, 0));
}

static void end_work(void *data)
{
	struct vector *v = data;

	cancel_work_sync(&v->work);
}

static int request_vectors(struct card *c)
{
	int n = pci_alloc_irq_vectors(c->pci, 1, intx ? 1 : c->kind->vectors,
				      intx ? PCI_IRQ_INTX : PCI_IRQ_MSI | PCI_IRQ_MSIX);

	if (n < 0)
		return n;
	for (c->vectors = 0; c->vectors < n; c->vectors++) {
		struct vector *v = &c->vector[c->vectors];
		int rc;

		v->card = c;
		v->masked = true;
		v->irq = pci_irq_vector(c->pci, c->vectors);
		init_waitqueue_head(&v->wait);
		INIT_WORK(&v->work, work_function);
		/* (undone in the reverse order: behind the interrupt's end) */
		rc = devm_add_action_or_reset(&c->pci->dev, end_work, v);
		if (rc)
			return rc;
		rc = devm_request_threaded_irq(
			&c->pci->dev, v->irq, handle_interrupt,
			defer == TO_THREAD ? thread_function : NULL,
			intx ? IRQF_SHARED : IRQF_NO_AUTOEN, c->kind->name, v);
		if (rc)
			return rc;
	}
	return 0;
}

static long set_masked(struct card *c, unsigned long vector, bool masked)
{
	struct vector *v;

	if (vector >= c->vectors)
		return -EINVAL;
	v = &c->vector[vector];
	mutex_lock(&c->lock);
	/* (The line that is shared stays enabled: what comes is taken, and nobody woken.) */
	if (!intx && v->masked && !masked)
		enable_irq(v->irq);
	else if (!intx && !v->masked && masked)
		disable_irq(v->irq);
	v->masked = masked;
	mutex_unlock(&c->lock);
	return 0;
}

static long wait_for(struct card *c, const struct edudma_wait __user *user)
{
	struct edudma_wait w;
	struct vector *v;
	long left;

	if (copy_from_user(&w, user, sizeof(w)))
		return -EFAULT;
	if (w.vector >= c->vectors)
		return -EINVAL;
	v = &c->vector[w.vector];
	left = wait_event_interruptible_timeout(v->wait, xchg(&v->flag, 0),
						msecs_to_jiffies(w.timeout_ms) + 1);
	return left < 0 ? left : left ? 0 : -ETIMEDOUT;
}

/* ---- the character device ---- */

static struct card *card_of(struct file *file)
{
	return container_of(file->private_data, struct card, device);
}

static u32 bar_bytes(const struct card *c, int bar)
{
	return bar == NO_BAR ? 0 : (u32)pci_resource_len(c->pci, bar);
}

static long give_info(struct card *c, struct edudma_info __user *user)
{
	struct edudma_info info = {
		.bus_address = c->bus_address,
		.buffer_bytes = BUFFER_BYTES,
		.register_bytes = bar_bytes(c, c->kind->registers),
		.bell_bytes = bar_bytes(c, c->kind->bell),
		.vectors = c->vectors,
	};

	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static long edudma_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct card *c = card_of(file);

	switch (command) {
	case EDUDMA_INFO:
		return give_info(c, (void __user *)arg);
	case EDUDMA_IRQ_ENABLE:
		return set_masked(c, arg, false);
	case EDUDMA_IRQ_DISABLE:
		return set_masked(c, arg, true);
	case EDUDMA_IRQ_CLEAR:
		if (arg >= c->vectors)
			return -EINVAL;
		WRITE_ONCE(c->vector[arg].flag, 0);
		return 0;
	case EDUDMA_IRQ_WAIT:
		return wait_for(c, (void __user *)arg);
	}
	return -ENOTTY;
}

static int map_bar(struct card *c, int bar, struct vm_area_struct *vma)
{
	size_t bytes = vma->vm_end - vma->vm_start;

	if (bar == NO_BAR || bytes > PAGE_ALIGN(bar_bytes(c, bar)))
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start,
				  pci_resource_start(c->pci, bar) >> PAGE_SHIFT, bytes,
				  vma->vm_page_prot);
}

static int edudma_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct card *c = card_of(file);
	unsigned long offset = vma->vm_pgoff << PAGE_SHIFT;

	vma->vm_pgoff = 0;
	switch (offset) {
	case EDUDMA_MAP_REGISTERS:
		return map_bar(c, c->kind->registers, vma);
	case EDUDMA_MAP_BELL:
		return map_bar(c, c->kind->bell, vma);
	case EDUDMA_MAP_BUFFER:
		return dma_mmap_coherent(&c->pci->dev, vma, c->buffer, c->bus_address,
					 vma->vm_end - vma->vm_start);
	}
	return -EINVAL;
}

static const struct file_operations edudma_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = edudma_ioctl,
	.mmap = edudma_mmap,
};

/* ---- /proc/edudma ---- */

static void show_card(struct seq_file *out, const struct card *c)
{
	unsigned int i;

	seq_printf(out, "Card %u: %s, interrupts", c->number, pci_name(c->pci));
	for (i = 0; i < c->vectors; i++)
		seq_printf(out, " %d", c->vector[i].irq);
	seq_puts(out, "\nInterrupt count |");
	for (i = 0; i < c->vectors; i++)
		seq_printf(out, " %8llu |", atomic64_read(&c->vector[i].count));
	seq_puts(out, "\nInterrupt flag  |");
	for (i = 0; i < c->vectors; i++)
		seq_printf(out, " %8u |", READ_ONCE(c->vector[i].flag));
	seq_puts(out, "\nInterrupt mask  |");
	for (i = 0; i < c->vectors; i++)
		seq_printf(out, " %8u |", c->vector[i].masked);
	seq_puts(out, "\n");
}

static int show_cards(struct seq_file *out, void *unused)
{
	struct kind *k = out->private;
	struct card *c;

	seq_printf(out, "%s driver 1\n", k->name);
	mutex_lock(&cards_lock);
	list_for_each_entry(c, &k->cards, list) show_card(out, c);
	mutex_unlock(&cards_lock);
	return 0;
}

/* The file stands as long as there is a card. */
static void add_card(struct card *c)
{
	mutex_lock(&cards_lock);
	if (list_empty(&c->kind->cards))
		proc_create_single_data(c->kind->name, 0444, NULL, show_cards, c->kind);
	list_add_tail(&c->list, &c->kind->cards);
	mutex_unlock(&cards_lock);
}

static void remove_card(struct card *c)
{
	bool last;

	mutex_lock(&cards_lock);
	list_del(&c->list);
	last = list_empty(&c->kind->cards);
	mutex_unlock(&cards_lock);
	if (last)
		remove_proc_entry(c->kind->name, NULL);
}

/* ---- the PCI device ---- */

static int prepare_card(struct card *c)
{
	struct pci_dev *pci = c->pci;
	int rc = pcim_enable_device(pci);

	if (!rc)
		rc = dma_set_mask_and_coherent(&pci->dev,
					       DMA_BIT_MASK(c->kind->dma_bits));
	if (!rc)
		rc = pcim_iomap_regions(pci, BIT(c->kind->registers), c->kind->name);
	if (rc)
		return rc;
	c->registers = pcim_iomap_table(pci)[c->kind->registers];
	c->buffer =
		dmam_alloc_coherent(&pci->dev, BUFFER_BYTES, &c->bus_address, GFP_KERNEL);
	if (!c->buffer)
		return -ENOMEM;
	pci_set_master(pci);
	return request_vectors(c);
}

static int edudma_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct card *c = devm_kzalloc(&pci->dev, sizeof(*c), GFP_KERNEL);
	int rc;

	if (!c)
		return -ENOMEM;
	c->pci = pci;
	c->kind = (struct kind *)id->driver_data;
	c->number = c->kind->count;
	mutex_init(&c->lock);
	rc = prepare_card(c);
	if (rc)
		return dev_err_probe(&pci->dev, rc, "the card cannot be set up\n");
	snprintf(c->device_name, sizeof(c->device_name), "%s%u", c->kind->name,
		 c->number);
	c->device.minor = MISC_DYNAMIC_MINOR;
	c->device.name = c->device_name;
	c->device.fops = &edudma_fops;
	rc = misc_register(&c->device);
	if (rc)
		return rc;
	c->kind->count++;
	add_card(c);
	pci_set_drvdata(pci, c);
	dev_info(&pci->dev, "%s: %u vectors, buffer at %pad\n", c->device_name,
		 c->vectors, &c->bus_address);
	return 0;
}

static void edudma_remove(struct pci_dev *pci)
{
	struct card *c = pci_get_drvdata(pci);

	remove_card(c);
	misc_deregister(&c->device);
}

static const struct pci_device_id edudma_ids[] = {
	{PCI_DEVICE(0x1234, 0x11e8), .driver_data = (kernel_ulong_t)&edu},
	{PCI_DEVICE(0x1af4, 0x1110), .driver_data = (kernel_ulong_t)&flx},
	{}};
MODULE_DEVICE_TABLE(pci, edudma_ids);

/* An open file holds the module but not the device, so it cannot be unbound by hand. */
static struct pci_driver edudma_driver = {
	.name = "edudma",
	.id_table = edudma_ids,
	.probe = edudma_probe,
	.remove = edudma_remove,
	.driver.suppress_bind_attrs = true,
};

static int __init edudma_init(void)
{
	int rc;

	make_log();
	rc = pci_register_driver(&edudma_driver);
	if (rc)
		free_log();
	return rc;
}
module_init(edudma_init);

static void __exit edudma_exit(void)
{
	pci_unregister_driver(&edudma_driver);
	free_log();
}
module_exit(edudma_exit);

MODULE_DESCRIPTION("Registers, a buffer and interrupts of a DMA card for user space");
MODULE_LICENSE("GPL");
