#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Build libperf.a and libapi.a (fdarray) into DIR, and DIR/flags: what a compiler needs to see their headers. From the
# kernel tree that is named; else the system's libperf-devel (pkg-config), if its private headers suffice; else the
# folders that a source tarball brings (linux/); else the distribution's linux-source package.
#   libperf.sh DIR [LINUX_SOURCE]
#   libperf.sh folders DIR [LINUX_SOURCE]   only the folders that libperf needs, as a source tarball brings them
set -eu
only=
[ "$1" != folders ] || { only=1; shift; }
dir=$1 tree=${2:-}
parts='tools/lib/api tools/lib/perf tools/include tools/build tools/scripts tools/arch'
more='tools/lib/*.c'
: "${CC:=gcc}"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
arch=$(uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

# Whether record/session*.c, the only users of libperf, compile with the flags: its private headers
# change with kernels.
fits() {
	$CC -std=gnu11 -D_GNU_SOURCE -I. $1 -fsyntax-only -Wall -Werror record/session*.c >"$dir/fits.log" 2>&1
}

# Whether -lperf has every function that they call: a shared libperf keeps some to itself.
links() {
	for f in record/session*.c; do
		$CC -std=gnu11 -D_GNU_SOURCE -I. $1 -c -o "$dir/calls.o" "$f" && nm -u "$dir/calls.o"
	done 2>"$dir/fits.log" | awk '$2 ~ /^(lib)?perf_/ && !seen[$2]++ { print "extern char " $2 "[];"; all = all $2 ", " }
		END { print "char *called[] = {" all "}; int main(void) { return 0; }" }' >"$dir/calls.c"
	$CC -x c "$dir/calls.c" -x none -o "$dir/calls" ${LDFLAGS:-} $2 >"$dir/fits.log" 2>&1
}

flags_of() { # where the headers are, then a directory of libperf's own
	printf '%s' "$1"
	! grep -q '^struct perf_cpu {' "$2/perf/cpumap.h" 2>/dev/null || printf ' -DLIBPERF_STRUCT_CPU'
	! grep -q 'perf_cpu_map__new_any_cpu' "$2/perf/cpumap.h" 2>/dev/null || printf ' -DLIBPERF_ANY_CPU'
}

# The system's library is shared: libperf.a becomes a word to the linker.
take_system() {
	command -v "${PKG_CONFIG:-pkg-config}" >/dev/null && "${PKG_CONFIG:-pkg-config}" --exists libperf || return 1
	inc=$("${PKG_CONFIG:-pkg-config}" --variable=includedir libperf)
	flags=$(flags_of "$("${PKG_CONFIG:-pkg-config}" --cflags libperf) -isystem $inc" "$inc")
	lacks=
	fits "$flags" || lacks="private headers"
	[ -n "$lacks" ] || links "$flags" "$("${PKG_CONFIG:-pkg-config}" --libs libperf)" || lacks="functions"
	if [ -n "$lacks" ]; then
		mv "$dir/fits.log" "$dir/system.log"
		echo "libperf: this system's libperf-devel $("${PKG_CONFIG:-pkg-config}" --modversion libperf) lacks $lacks" \
			"that dmarec needs ($dir/system.log); a kernel tree is looked for" >&2
		return 1
	fi
	echo 'INPUT(-lperf)' | tee "$dir/libperf.a" >"$dir/libapi.a"
	echo "$flags" >"$dir/flags"
}

version_of() { # of a kernel tree
	[ -f "$1/Makefile" ] || { cat "$1/VERSION" 2>/dev/null || echo unknown; return; }
	sed -n 's/^\(VERSION\|PATCHLEVEL\) = //p' "$1/Makefile" | paste -sd.
}

take_tree() {
	[ -f "$1/tools/lib/perf/evlist.c" ] || {
		echo "libperf: $1 is no kernel source tree with libperf (tools/lib/perf/evlist.c is not there)" >&2
		exit 1
	}
	version=$(version_of "$1")
	rm -rf "$dir/linux" && mkdir -p "$dir/linux"
	(cd "$1" && tar cf - $parts $(ls -d $more)) | tar xf - -C "$dir/linux"
}

take_package() {
	tarball=$(ls /usr/src/linux-source-*.tar.xz 2>/dev/null | sort -V | tail -n 1)
	[ -n "$tarball" ] || {
		echo "libperf: no kernel source here: run 'make deps' (Debian: linux-source)," \
			"or name a tree: make LINUX_SOURCE=/path/to/linux" >&2
		exit 1
	}
	base=$(basename "$tarball" .tar.xz)
	version=${base#linux-source-}
	echo "libperf: unpacking $base"
	rm -rf "$dir/linux" && mkdir -p "$dir/linux"
	tar xf "$tarball" -C "$dir/linux" --strip-components=1 --wildcards --no-wildcards-match-slash \
		$(for p in $parts; do echo "$base/$p"; done) $(set -f; for p in $more; do echo "$base/$p"; done)
}

if [ -n "$tree" ]; then
	take_tree "$tree"
elif [ -z "$only" ] && take_system; then
	exit 0
elif [ -z "$only" ] && [ -d linux/tools/lib/perf ]; then
	take_tree linux
else
	take_package
fi
echo "$version" >"$dir/linux/VERSION"
[ -z "$only" ] || exit 0

lib=$dir/linux/tools/lib
flags=$(flags_of "-isystem $lib/perf/include -isystem $lib -isystem $dir/linux/tools/include \
-isystem $dir/linux/tools/arch/$arch/include" "$lib/perf/include")
fits "$flags" || {
	cat "$dir/fits.log" >&2
	echo "libperf: record/session*.c does not compile with the private headers of Linux $version;" \
		"trees that fit are 5.10, 6.1 and 6.12: make LINUX_SOURCE=/path/to/linux" >&2
	exit 1
}
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
echo "$flags" >"$dir/flags"
