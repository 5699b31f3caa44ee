#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is needed is written twice, and is the same: the spec's BuildRequires and scripts/deps.sh. A kernel tree that does
# not fit is told in a sentence.
. "${BASH_SOURCE%/*}/lib.sh"
cd "$SRC" || exit 1
spec=$(sed -n 's/^BuildRequires: *//p' packaging/dmarec.spec | sort)
# Not for a package: the examples' library, what unpacks Debian's kernel sources, what is used at run time.
known=$(scripts/deps.sh names dnf build | grep -vxE 'libaio-devel|xz|gnuplot|sqlite' | sort)
is "the spec's BuildRequires are what deps.sh installs" "$spec" "$known"
workdir
cd "$SRC" || exit 1
is "a kernel tree without libperf is refused" "$(scripts/libperf.sh "$tmp/perf" "$tmp" 2>&1)" \
	"libperf: $tmp is no kernel source tree with libperf (tools/lib/perf/evlist.c is not there)"
tree=build/libperf/linux
if [ -d $tree ]; then
	cp -r $tree "$tmp/tree"
	rm "$tmp/tree/tools/lib/perf/include/internal/xyarray.h"
	said=$(scripts/libperf.sh "$tmp/perf" "$tmp/tree" 2>&1)
	[ $? != 0 ]; result $? "a tree with other private headers is refused"
	like "... with the compiler's words" "$said" 'xyarray.h'
	like "... and which trees fit" "$said" 'does not compile with the private headers of Linux .*make LINUX_SOURCE='
fi
finish
