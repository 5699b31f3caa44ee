/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/host/rights.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/num.h"

/* ---- users ---- */

static int fill(struct user *u, const struct passwd *pw, struct err *e)
{
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	u->name = strdup(pw->pw_name);
	u->home = strdup(pw->pw_dir);
	u->shell = strdup(pw->pw_shell);
	return u->name && u->home && u->shell ? 0 : err_nomem(e, "a user");
}

/* Ids without an entry of the user database are ids all the same. */
static int by_id(struct user *u, uid_t uid, gid_t gid, struct err *e)
{
	const struct passwd *pw = getpwuid(uid);

	u->uid = uid;
	u->gid = gid;
	return pw ? fill(u, pw, e) : 0;
}

static bool id_of(const char *variable, int64_t *id)
{
	const char *text = getenv(variable);

	return text && !num_i64(text, 0, UINT32_MAX - 1, id, NULL);
}

int user_invoking(struct user *u, struct err *e)
{
	const char *doas = getenv("DOAS_USER");
	int64_t uid, gid;
	int rc;

	*u = (struct user){.uid = getuid(), .gid = getgid()};
	if (geteuid())
		return by_id(u, getuid(), getgid(), e);
	if (id_of("SUDO_UID", &uid) || id_of("PKEXEC_UID", &uid)) {
		if (!id_of("SUDO_GID", &gid))
			gid = uid;
		rc = by_id(u, (uid_t)uid, (gid_t)gid, e);
	} else if (doas && *doas) {
		rc = user_named(u, doas, e);
	} else {
		rc = by_id(u, getuid(), getgid(), e);
	}
	u->behind_root = u->uid != 0;
	return rc;
}

int user_named(struct user *u, const char *name, struct err *e)
{
	const struct passwd *pw = getpwnam(name);
	int64_t uid;

	*u = (struct user){.uid = 0};
	if (!pw && !num_i64(name, 0, UINT32_MAX - 1, &uid, NULL)) {
		pw = getpwuid((uid_t)uid);
		if (!pw)
			return by_id(u, (uid_t)uid, (gid_t)uid, e);
	}
	return pw ? fill(u, pw, e)
		  : err_set(e, ERR_NOTFOUND, "there is no user '%s'", name);
}

void user_release(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->shell);
	*u = (struct user){.uid = 0};
}

static int set_groups(const struct user *u)
{
	return u->name ? initgroups(u->name, u->gid) : setgroups(0, NULL);
}

int user_become(const struct user *u)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (u->uid == geteuid() && u->uid == getuid())
		return 0;
	if (set_groups(u) || setresgid(u->gid, u->gid, u->gid) ||
	    setresuid(u->uid, u->uid, u->uid))
		return -1;
	if (!u->name)
		return 0;
	return setenv("HOME", u->home, 1) || setenv("USER", u->name, 1) ||
			       setenv("LOGNAME", u->name, 1) ||
			       setenv("SHELL", u->shell, 1)
		       ? -1
		       : 0;
}

/* ---- capabilities ---- */

/* Sets of 64 bits, as the kernel has them: two words each. */
static int capabilities(bool set, uint64_t *permitted, uint64_t *effective)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};

	if (set) {
		for (int i = 0; i < 2; i++) {
			d[i].permitted = (uint32_t)(*permitted >> 32 * i);
			d[i].effective = (uint32_t)(*effective >> 32 * i);
		}
		return (int)syscall(SYS_capset, &h, d);
	}
	if (syscall(SYS_capget, &h, d))
		return -1;
	*permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	*effective = d[0].effective | (uint64_t)d[1].effective << 32;
	return 0;
}

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

/* Before Linux 5.8 one right stood for tracing and BPF as well. */
static bool rights_are_split(void)
{
	return prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) >= 0;
}

bool rights_have(int capability)
{
	uint64_t permitted, effective;

	if ((capability == CAP_BPF || capability == CAP_PERFMON) && !rights_are_split())
		capability = CAP_SYS_ADMIN;
	return !capabilities(false, &permitted, &effective) &&
	       (effective & bit(capability));
}

static uint64_t tracing_rights(void)
{
	return rights_are_split() ? bit(CAP_PERFMON) | bit(CAP_BPF) : bit(CAP_SYS_ADMIN);
}

int rights_drop(const struct user *u, const struct rights_kept *kept, struct err *e)
{
	uint64_t permitted, effective, keep = tracing_rights() | bit(CAP_KILL);

	if (kept->read_files)
		keep |= bit(CAP_DAC_READ_SEARCH);
	if (kept->other_tasks)
		keep |= bit(CAP_SYS_PTRACE);
	if (u->behind_root &&
	    (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || set_groups(u) ||
	     setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid)))
		return err_errno(e, "root's rights cannot be dropped");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (capabilities(false, &permitted, &effective))
		return err_errno(e, "root's rights cannot be read");
	keep &= permitted;
	if (capabilities(true, &keep, &keep) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_errno(e, "root's rights cannot be dropped");
	return 0;
}

void rights_drop_thread(void)
{
	uint64_t none = 0;

	capabilities(true, &none, &none);
}
