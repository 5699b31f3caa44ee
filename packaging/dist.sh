#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be carried away, into build/dist:
#   dist.sh source   dmarec-VERSION.tar.gz: the sources, and the folders of the kernel's tree that libperf needs (linux/),
#                    so that it builds offline
#   dist.sh static   dmarec-VERSION-MACHINE.tar.xz: the four tools, linked statically, profiles, man pages, completion
set -euo pipefail
cd "$(dirname "$0")/.."
: "${B:=build}" "${MAKE:=make}"
version=$(sed -n 's/^#define DMA_VERSION "\(.*\)"$/\1/p' lib/cli.h)
out=$PWD/build/dist
mkdir -p "$out"

# The same sources give the same archive: names in order, no owners, the time of the last commit.
when=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)
pack() { # name of the archive, directory within $work
	tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -caf "$out/new.$1" "$2"
	mv "$out/new.$1" "$out/$1"
	echo "$out/$1"
}

files() { # of the tree: by git, or in an unpacked tarball all but what was built
	git ls-files 2>/dev/null || find . \( -path ./build -o -path ./linux -o -path ./debian \) -prune -o ! -type d -printf '%P\n'
}

source_archive() {
	local name=dmarec-$version
	mkdir -p "$work/$name"
	files | while IFS= read -r f; do [ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\n' "$f"; done | xargs -d '\n' cp -pd --parents -t "$work/$name"
	if [ -d linux/tools/lib/perf ]; then
		cp -a linux "$work/$name/"
	else
		[ ! -f build/libperf/linux/VERSION ] || : "${LINUX_SOURCE:=build/libperf/linux}"
		scripts/libperf.sh folders "$work/perf" "${LINUX_SOURCE:-}"
		mv "$work/perf/linux" "$work/$name/linux"
	fi
	pack "$name.tar.gz" "$name"
}

static_archive() {
	local name=dmarec-$version-$(uname -m) tool
	"$MAKE" --no-print-directory B=build/static STATIC=1 PREFIX=/usr/local DESTDIR="$work/image" install
	mv "$work/image/usr/local" "$work/$name"
	cp README.md LICENSE "$work/$name/"
	for tool in dmarec dmaanalyze dmareport dmacompare; do
		! readelf -l "$work/$name/bin/$tool" | grep -q INTERP || { echo "dist: $tool is not static" >&2; exit 1; }
		strip --strip-debug "$work/$name/bin/$tool"
	done
	pack "$name.tar.xz" "$name"
}

work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
case ${1:-} in
source) source_archive ;;
static) static_archive ;;
*) sed -n 's/^#   dist.sh/dist.sh/p' "$0" >&2; exit 2 ;;
esac
