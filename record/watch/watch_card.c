/* SPDX-License-Identifier: GPL-2.0-only */
/* Which card a register is of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "record/host/irqmap.h"
#include "record/host/rootfs.h"
#include "record/profile/profile.h"
#include "record/watch/watch.h"

static bool has_ids(const struct profile *p, const char *root, const char *bdf)
{
	int64_t vendor, device;

	if (!rootfs_number(root, &vendor, "/sys/bus/pci/devices/%s/vendor", bdf) ||
	    !rootfs_number(root, &device, "/sys/bus/pci/devices/%s/device", bdf))
		return false;
	for (size_t i = 0; i < p->npci; i++)
		if (p->pci[i].vendor == vendor && p->pci[i].device == device)
			return true;
	return false;
}

/* The only device with the profile's ids. */
static int find_by_ids(char bdf[16], const char *root, const struct profile *p,
		       struct err *e)
{
	char **name, all[200] = "";
	size_t n, found = 0, len = 0;
	int rc = rootfs_names(root, "/sys/bus/pci/devices", &name, &n, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (!has_ids(p, root, name[i]))
			continue;
		if (!found++)
			snprintf(bdf, 16, "%s", name[i]);
		if (len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
						len ? ", " : "", name[i]);
	}
	rootfs_names_free(name, n);
	if (!found)
		return err_set(
			e, ERR_NOTFOUND,
			"profile %s: no card of its PCI ids is here, whose registers "
			"could be watched; --pci BDF names one",
			p->name ? p->name : "?");
	if (found > 1)
		return err_set(
			e, ERR_AMBIGUOUS,
			"several cards have registers to watch: %s; --pci BDF names "
			"one",
			all);
	return 0;
}

int watch_find_card(struct register_spec *reg, size_t n, const char *root,
		    const struct profile *p, const char *named, struct err *e)
{
	char bdf[16] = "";
	int rc = 0;

	if (named && !bdf_normalise(named, bdf))
		return err_set(e, ERR_USAGE, "'%s' is no address of a PCI device", named);
	for (size_t i = 0; !rc && i < n; i++) {
		if (reg[i].bdf || reg[i].file)
			continue;
		if (!*bdf)
			rc = find_by_ids(bdf, root, p, e);
		if (!rc && !(reg[i].bdf = strdup(bdf)))
			rc = err_nomem(e, "a register");
	}
	return rc;
}
