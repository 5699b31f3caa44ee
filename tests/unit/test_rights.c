/* SPDX-License-Identifier: GPL-2.0-only */
/* record/host/rights on a kernel older than CAP_BPF: seccomp answers for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/host/rights.h"

/* prctl(PR_CAPBSET_READ) knows nothing above CAP_AUDIT_READ, the last one of Linux 5.7. */
static int be_old(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_CAPBSET_READ, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, CAP_AUDIT_READ, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static int keep_only(uint64_t rights)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};

	for (int i = 0; i < 2; i++)
		d[i].permitted = d[i].effective = (uint32_t)(rights >> 32 * i);
	return (int)syscall(SYS_capset, &h, d);
}

enum { HAS_BPF = 1, HAS_PERFMON = 2, HAS_ADMIN = 4, NOT_RUN = 64 };

/* What a process with these rights is told to have. */
static int told(bool old, uint64_t rights)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if ((old && be_old()) || keep_only(rights))
			_exit(NOT_RUN);
		_exit((rights_have(CAP_BPF) ? HAS_BPF : 0) |
		      (rights_have(CAP_PERFMON) ? HAS_PERFMON : 0) |
		      (rights_have(CAP_SYS_ADMIN) ? HAS_ADMIN : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void test_one_right_stood_for_both(void **state)
{
	uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN, bpf = UINT64_C(1) << CAP_BPF;

	(void)state;
	if (geteuid() || told(false, admin | bpf) & NOT_RUN)
		skip();
	assert_int_equal(told(false, admin), HAS_ADMIN);
	assert_int_equal(told(false, admin | bpf), HAS_ADMIN | HAS_BPF);
	assert_int_equal(told(true, admin), HAS_ADMIN | HAS_BPF | HAS_PERFMON);
	assert_int_equal(told(true, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_right_stood_for_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
