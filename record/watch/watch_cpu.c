/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/watch/watch_cpu.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/num.h"
#include "record/host/rootfs.h"

/* The CPUs of the card's node; all where it is not told. */
static void local_cpus(cpu_set_t *set, const char *root, const char *bdf)
{
	char *text = bdf ? rootfs_line(root, "/sys/bus/pci/devices/%s/local_cpulist", bdf)
			 : NULL;
	int64_t *cpu = NULL;
	size_t n = 0;

	CPU_ZERO(set);
	if (text && !num_list(text, 0, CPU_SETSIZE - 1, CPU_SETSIZE, &cpu, &n, NULL))
		for (size_t i = 0; i < n; i++)
			CPU_SET((size_t)cpu[i], set);
	for (size_t i = 0; !n && i < CPU_SETSIZE; i++)
		CPU_SET(i, set);
	free(cpu);
	free(text);
}

/* The last of `from` that is not in `without`, which may be NULL; -1 = there is none. */
static int last_of(const cpu_set_t *from, const cpu_set_t *without)
{
	for (int i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET((size_t)i, from) &&
		    !(without && CPU_ISSET((size_t)i, without)))
			return i;
	return -1;
}

int watch_choose_cpu(struct watch_place *p, const char *root, const char *bdf, int asked,
		     pid_t workload, struct err *e)
{
	cpu_set_t ours, local, theirs, near;

	CPU_ZERO(&theirs);
	if (sched_getaffinity(0, sizeof(ours), &ours))
		return err_errno(e, "the CPUs that dmarec may run on");
	if (sched_getaffinity(workload, sizeof(theirs), &theirs))
		CPU_OR(&theirs, &theirs, &ours); /* it has ended: nothing to share */
	local_cpus(&local, root, bdf);
	CPU_AND(&near, &ours, &local);
	if (!CPU_COUNT(&near))
		near = ours;
	p->cpu = asked;
	if (asked >= 0 && (asked >= CPU_SETSIZE || !CPU_ISSET((size_t)asked, &ours)))
		return err_set(e, ERR_USAGE, "--watch-cpu: dmarec may not run on CPU %d",
			       asked);
	if (asked < 0)
		p->cpu = last_of(&near, &theirs);
	if (p->cpu < 0)
		p->cpu = last_of(&ours, &theirs);
	if (p->cpu < 0)
		p->cpu = last_of(&near, NULL);
	p->shared = CPU_ISSET((size_t)p->cpu, &theirs);
	p->alone = p->shared && CPU_COUNT(&theirs) == 1;
	return 0;
}
