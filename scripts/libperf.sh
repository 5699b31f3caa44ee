#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Build libperf.a and libapi.a (fdarray) into DIR from a kernel source tree: the one named, else the
# distribution's linux-source package. Only the folders that libperf needs are unpacked.
#   libperf.sh DIR [LINUX_SOURCE]
set -eu
dir=$1 tree=${2:-}
parts='tools/lib tools/include tools/build tools/scripts tools/arch'
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

if [ -n "$tree" ]; then
	[ -f "$tree/tools/lib/perf/evlist.c" ] || {
		echo "libperf: $tree is no kernel source tree (tools/lib/perf is not there)" >&2
		exit 1
	}
	rm -rf "$dir/linux" && mkdir -p "$dir/linux"
	(cd "$tree" && tar cf - $parts) | tar xf - -C "$dir/linux"
else
	tarball=$(ls /usr/src/linux-source-*.tar.xz 2>/dev/null | sort -V | tail -n 1)
	[ -n "$tarball" ] || {
		echo "libperf: no kernel source here: run 'make deps' (Debian: linux-source-6.1)," \
			"or name a tree: make LINUX_SOURCE=/path/to/linux" >&2
		exit 1
	}
	base=$(basename "$tarball" .tar.xz)
	echo "libperf: unpacking $base"
	rm -rf "$dir/linux" && mkdir -p "$dir/linux"
	tar xf "$tarball" -C "$dir/linux" --strip-components=1 $(for p in $parts; do echo "$base/$p"; done)
fi

mkdir -p "$dir/perf" "$dir/api"
unset MAKEFLAGS MFLAGS MAKELEVEL B CC CXX
make -s -C "$dir/linux/tools/lib/api" OUTPUT="$dir/api/" "$dir/api/libapi.a" >"$dir/log" 2>&1 &&
make -s -C "$dir/linux/tools/lib/perf" OUTPUT="$dir/perf/" "$dir/perf/libperf.a" >>"$dir/log" 2>&1 || {
	cat "$dir/log" >&2
	echo "libperf: could not be built; the log is $dir/log" >&2
	exit 1
}
cp "$dir/api/libapi.a" "$dir/libapi.a"
cp "$dir/perf/libperf.a" "$dir/libperf.a"
