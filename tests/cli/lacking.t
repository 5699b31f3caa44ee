#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a system that lacks what recording uses, or forbids it, the recorder says what and what helps, and goes on with less
# where it can. The kernel's answers are strace's, of one system call each.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
command -v strace >/dev/null || skip_all "strace is not installed"
workdir
strace -o /dev/null true 2>/dev/null || skip_all "strace cannot trace here"
answers() { # what is injected, options of strace -- options of dmarec: records
	local inject=$1
	shift
	rm -f d.data t.db
	strace -o /dev/null -e inject="$inject" "$@" -o d.data -- "$B/examples/blkdma" --count 20 --file-size 4M
}
transfers() { "$B/dmaanalyze" -q -i d.data t.db && sqlite3 t.db "SELECT irq_feed, (SELECT count(*) FROM transfer) FROM run"; }

ok "a kernel without BPF: recorded all the same" answers bpf:error=ENOSYS "$B/dmarec"
like "... by perf's samples, which is said" "$(cat err)" \
	"interrupts come by perf's own samples: this kernel has no BPF \(it was built without CONFIG_BPF_SYSCALL\)"
is "... and stands in the database" "$(transfers)" "perf|20"
ok "BPF is forbidden: recorded all the same" answers bpf:error=EPERM "$B/dmarec"
like "... and by whom" "$(cat err)" "refused in spite of CAP_BPF: a security module or a container's rules forbid it"
ok "asked for by name it is refused" status 1 answers bpf:error=ENOSYS "$B/dmarec" --irq-feed bpf
like "... with the reason" "$(cat err)" "this kernel has no BPF"
ok "no perf events" status 1 answers perf_event_open:error=ENOSYS "$B/dmarec"
like "... is said" "$(cat err)" "this kernel has no perf events"
ok "perf events are forbidden" status 1 answers perf_event_open:error=EACCES "$B/dmarec"
like "... and by whom" "$(cat err)" "perf_event_open was refused in spite of CAP_PERFMON: a security module or a container's"
ok "tracefs is forbidden" status 1 answers openat:error=EACCES -P /sys/kernel/tracing/uprobe_events "$B/dmarec"
like "... is said" "$(cat err)" "uprobe_events cannot be written: .*Permission denied"

# ---- kernels that are older ----
# tracefs where it was before 4.1 mounted it for itself: within debugfs
old_place() {
	rm -f d.data t.db
	unshare --mount sh -c 'umount -a -t tracefs; umount /sys/kernel/debug 2>/dev/null
		mount -t debugfs debugfs /sys/kernel/debug && test ! -e /sys/kernel/tracing/uprobe_events && exec "$@"' - \
		"$B/dmarec" -o d.data -- "$B/examples/blkdma" --count 20 --file-size 4M
}
if unshare --mount true 2>/dev/null; then
	ok "tracefs is within debugfs only: recorded" old_place
	like "... every transfer" "$(transfers)" '[|]20$'
else
	skip "tracefs within debugfs" "no mount namespaces"
fi
if [ -d /sys/kernel/tracing/events/syscalls/sys_enter_close_range ]; then
	printf '%s\n' '[profile]' 'title = a file' 'source = this test' '[library]' 'soname = libc.so*' '[transfer read]' 'fd = arg1:s32' \
		'size = arg3' 'ret = s64' 'fail = ret < 0' "path = $tmp/card{card}_{channel} to_host" >file.ini
	head -c 5000000 /dev/zero >card1_2 # (a process that ends at once is gone before its descriptors are looked at)
	rm -f d.data t.db
	# (what the kernel says of a tracepoint that it does not have)
	ok "a kernel without close_range: devices are told by their path" strace -o where -e inject=openat:error=ENOENT -P \
		/sys/kernel/tracing/events/syscalls/sys_enter_close_range/id "$B/dmarec" --profile ./file.ini -o d.data -- \
		dd if=card1_2 of=/dev/null bs=1000
	like "... (that kernel was asked)" "$(cat where)" 'close_range/id.*ENOENT.*INJECTED'
	is "... and which they are" "$("$B/dmaanalyze" -q -i d.data t.db && sqlite3 t.db 'SELECT channel, size_bytes, count(*) FROM transfer GROUP BY 1, 2')" '2|1000|5001'
else
	skip "a kernel without close_range" "this one's tracepoints of system calls are not there"
fi
finish
