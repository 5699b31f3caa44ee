#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Probes in the process against uprobes, over compilers, options and ways of loading: the same output and status,
# the same transfers, channels, sizes and states; what stays a uprobe is said; debuggers and profilers are not led astray.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma tests/agent/ways
needs_recording
. "$SRC/tests/exits/programs.sh"
workdir
count=400
transfers() { # database: of each, which card (an object lies elsewhere in each run), channel, direction, size, state
	sqlite3 "$1" "SELECT dense_rank() OVER (ORDER BY card), channel, direction, size_bytes, state, reason
		FROM transfer ORDER BY submit_ns"
}
events() { # database: of each place, what the agent or the kernel counted, and what is in the file
	sqlite3 "$1" "SELECT role, replace(name, rtrim(name, replace(name, ':', '')), ''), counted, delivered, lost FROM source
		WHERE role <> 'interrupt' ORDER BY 1, 2"
}
recorded() { # how, command
	local how=$1
	shift
	rm -f "$how.db"
	"$B/dmarec" --probes "$how" -o "$how.data" -- "$@" >"$how.out" 2>"$how.said"
	echo "status $?" >>"$how.out"
	"$B/dmaanalyze" -q -i "$how.data" "$how.db" || return 1
	transfers "$how.db" >"$how.transfers"
	events "$how.db" >"$how.events"
	[ -s "$how.transfers" ] || { cat "$how.said"; return 1; }
}
# Of the places that --dry-run gives to the process the recording has as many, and the others are named with their why.
listed() { # command
	local all inside
	"$B/dmarec" --probes process --dry-run -- "$@" >dry || return 1
	all=$(grep -c '^  armed ' dry)
	inside=$(grep -c '^  armed    in the process$' dry)
	echo "# $inside of $all in the process: $*" >&3
	[ "$all" -gt 0 ] && [ "$(grep -c '^  armed    in the kernel: .' dry)" = $((all - inside)) ] || return 1
	if [ "$inside" = 0 ]; then
		grep -q 'by the kernel: .' process.said
	else
		grep -q "$inside of $all probes are armed in the process" process.said &&
			[ "$(sqlite3 process.db "SELECT count(*) FROM source WHERE armed = 'process'")" = "$inside" ]
	fi
}
alike() { # command
	"$@" >plain.out 2>/dev/null
	echo "status $?" >>plain.out
	recorded process "$@" && recorded kernel "$@" || return 1
	for f in out transfers events; do
		cmp process.$f kernel.$f || { diff process.$f kernel.$f | head -20; cat process.said; return 1; }
	done
	cmp plain.out process.out && [ "$(wc -l <process.transfers)" -ge "$count" ] && listed "$@"
}

exec 3>&1
build_programs
for c in $compilers; do
	for o in -O0 -O1 -O2 -O3; do ok "$c $o, a library" alike "$c$o/prog" "$count"; done
done
ok "stripped" alike stripped/prog "$count"
ok "opened by dlopen" alike dlopen/prog "$count"
ok "started from a shell script" alike ./run.sh "$count"
ok "started by sh -c" alike sh -c "stripped/prog $count"
whole asan "${CXX:-g++}" -O1 -g -fsanitize=address,undefined
ok "with AddressSanitizer, which wants to be the first library" alike asan/prog "$count"
for o in -O0 -O2 -O3; do
	ok "PIE $o" alike pie$o/prog "$count"
	ok "no PIE $o" alike nopie$o/prog "$count"
	ok "static $o: the kernel's either way" alike static$o/prog "$count"
done

# ---- the disk: its library as each compiler makes it; its interrupts are this machine's, and not two runs are alike ----
disk() { # compiler, options
	local dir=disk-$1$2
	mkdir "$dir" && "$1" -std=gnu11 -D_GNU_SOURCE "$2" -fPIC -shared -Wl,-soname,libblkdma.so -o "$dir/libblkdma.so" \
		"$SRC/examples/blkdma/libblkdma.c" -laio && cp "$B/examples/blkdma" "$dir" || return 1
	[ "$3" ] && strip "$dir/libblkdma.so"
	for how in process kernel; do
		recorded $how "$dir/blkdma" --count "$count" --size 4K,16K,64K --mix 30% --channels 3 --depth 2 --file-size 16M || return 1
		cut -d'|' -f 1-4 $how.transfers | sort >$how.kinds
	done
	cmp process.kinds kernel.kinds && cmp process.events kernel.events && listed "$dir/blkdma" || return 1
	[ "$(tail -1 process.out)" = 'status 0' ] && [ "$(tail -1 kernel.out)" = 'status 0' ]
}
for c in "${CC:-gcc}" clang; do
	command -v "$c" >/dev/null || continue
	for o in -O0 -O1 -O2 -O3; do ok "the disk, $c $o" disk "$c" $o ''; done
done
rm -rf disk-*
ok "the disk, stripped" disk "${CC:-gcc}" -O2 strip
exec 3>&-

# ---- a debugger and a profiler see through armed functions (outside of trampolines) ----
ways=$B/tests/agent/ways
standing() { # command that is given the process, which stands below an armed function
	mkfifo on || return 1
	: >traced
	"$B/dmarec" --profile "$SRC/tests/agent/ways.ini" -x "$B/tests/agent/libprobed.so" --probes process -o stand.data -- \
		"$ways" stand <on >traced 2>said &
	local recorder=$! status
	exec 4>on
	await grep -q pid traced || return 1
	"$@" "$(awk '/^pid/ { print $2 }' traced)" >frames 2>&1
	status=$?
	exec 4>&-
	rm on
	wait $recorder
	[ $? = 3 ] && [ $status = 0 ] && grep -q 'submit *stand *counted 1, delivered 1' said &&
		! grep -q 'stand.* is probed by the kernel' said || { cat said frames; return 1; }
}
attached_gdb() {
	gdb -nx -batch -p "$1" -ex bt 2>&1 && kill -0 "$1"
}
by_gdb() {
	standing attached_gdb && awk '/^#/ { print $4 }' frames | tr '\n' ' ' | grep -q 'stood stand by_standing main $'
}
sampled() { # how perf unwinds, process: while a command of some milliseconds runs
	perf record -q -e cpu-clock:u -c 100000 --call-graph "$1" -p "$2" -o perf.data -- seq 100000 >seq.out
	perf script -i perf.data -F comm,ip,sym 2>/dev/null
}
by_perf() { # every stack of that function is whole
	standing sampled "$1" && awk -v RS= '/ stood/ { n++; good += / stood.* stand.* by_standing.* main/ } END { exit !n || n != good }' frames
}
if command -v gdb >/dev/null; then
	ok "gdb sees through an armed function" by_gdb
else
	skip "gdb sees through an armed function" "no gdb"
fi
if command -v perf >/dev/null; then
	ok "perf, by frame pointers" by_perf fp
	ok "perf, by unwind tables" by_perf dwarf
else
	skip "perf sees through an armed function" "no perf"
fi
finish
