/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/elf/split.h"

#include <dwarf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "record/host/rights.h"
#include "record/host/trust.h"

static const char *string_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, name, &a) ? dwarf_formstring(&a) : NULL;
}

/* Nobody else can put anything there: the nearest directory that exists is the user's, also
 * where the sticky bit would protect what exists already. */
static bool stays_away(char *path, uid_t uid)
{
	char *slash;
	struct stat st;

	while ((slash = strrchr(path, '/')) && slash > path) {
		*slash = '\0';
		if (!stat(path, &st))
			return !(st.st_mode & S_IWOTH) && trust_path(path, uid, NULL);
		if (errno != ENOENT ||
		    !lstat(path, &st)) /* a link that leads nowhere yet */
			return false;
	}
	return *path == '/';
}

static bool is_harmless(const char *path, uid_t uid)
{
	char copy[PATH_MAX];
	struct stat st;

	if (!stat(path, &st))
		return S_ISREG(st.st_mode) && trust_path(path, uid, NULL);
	if (errno != ENOENT || !lstat(path, &st) ||
	    snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return false;
	return stays_away(copy, uid);
}

/* A path as libdw makes it: above is where the file with the skeleton lies. */
static bool place_is_harmless(const char *above, const char *dir, const char *name,
			      uid_t uid)
{
	char path[PATH_MAX];
	int n;

	if (*name == '/')
		n = snprintf(path, sizeof(path), "%s", name);
	else if (dir && *dir == '/')
		n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	else
		n = snprintf(path, sizeof(path), "%s/%s%s%s", above, dir ? dir : "",
			     dir ? "/" : "", name);
	return n < (int)sizeof(path) && is_harmless(path, uid);
}

/* All places for the unit of a skeleton in that file. */
static bool file_is_harmless(const char *file, const char *dir, const char *name,
			     uid_t uid)
{
	char *real = realpath(file, NULL), *slash = real ? strrchr(real, '/') : NULL,
	     package[PATH_MAX];
	bool harmless = slash &&
			snprintf(package, sizeof(package), "%s.dwp", real) < PATH_MAX &&
			is_harmless(package, uid);

	if (slash)
		*slash = '\0';
	harmless = harmless && place_is_harmless(real, NULL, name, uid) &&
		   (!dir || place_is_harmless(real, dir, name, uid));
	free(real);
	return harmless;
}

bool split_may_be_read(struct elf_file *f, Dwarf_Die *unit)
{
	const char *name = string_of(unit, DW_AT_dwo_name), *debug = NULL,
		   *dir = string_of(unit, DW_AT_comp_dir);
	struct user user;
	bool may;

	if (!name)
		name = string_of(unit, DW_AT_GNU_dwo_name);
	if (!name || user_invoking(&user, NULL))
		return false;
	dwfl_module_info(f->module, NULL, NULL, NULL, NULL, NULL, NULL, &debug);
	may = file_is_harmless(f->path, dir, name, user.uid) &&
	      (!debug || file_is_harmless(debug, dir, name, user.uid));
	user_release(&user);
	return may;
}
