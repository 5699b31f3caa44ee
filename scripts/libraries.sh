#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What building needs and is not here, a sentence for each, before the compiler speaks of a header.
#   libraries.sh     by CC, CPPFLAGS, LDFLAGS, CLANG, and STATIC as make has them; exit 1 when something is missing
#   libraries.sh names apt|dnf   the packages that its sentences name
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=gcc}" "${CLANG:=clang}" "${STATIC:=}"

#         header                  archive     Debian             Red Hat          (its other place)
libraries() { cat <<'LIST'
bpf/libbpf.h              bpf         libbpf-dev         libbpf-devel
capstone/capstone.h       capstone    libcapstone-dev    capstone-devel
elfutils/libdwfl.h        dw          libdw-dev          elfutils-devel
gelf.h                    elf         libelf-dev         elfutils-libelf-devel
libiberty/demangle.h      iberty      libiberty-dev      binutils-devel  demangle.h
traceevent/event-parse.h  traceevent  libtraceevent-dev  libtraceevent-devel
sqlite3.h                 sqlite3     libsqlite3-dev     sqlite-devel
openssl/evp.h             crypto      libssl-dev         openssl-devel
zstd.h                    zstd        libzstd-dev        libzstd-devel
zlib.h                    z           zlib1g-dev         zlib-devel
LIST
}

if [ "${1:-}" = names ]; then
	column=3
	[ "$2" != dnf ] || column=4
	libraries | awk -v col=$column '{ print $col }'
	exit
fi

# Headers are only read: capstone 5's and libbpf's do not go into one program. Then each archive on the command line.
builds() { # columns: header archive [Debian Red Hat other-place]
	awk '{ h = "<" $1 ">" } $5 { print "#if !__has_include(" h ")\n#include <" $5 ">\n#else" }
		{ print "#include " h } $5 { print "#endif" }' <<EOF |
$1
EOF
		$CC ${CPPFLAGS:-} -D_GNU_SOURCE -x c -E -o /dev/null - >"$try.log" 2>&1 &&
		echo 'int main(void) { return 0; }' | $CC -x c -o "$try" - -x none ${STATIC:+-static} ${LDFLAGS:-} \
			$(echo "$1" | awk '{ print "-l" $2 }') >"$try.log" 2>&1
}

missing=0
lacking() { # what, Debian's package, Red Hat's
	echo "build: $1 is not here: make deps as root, or install it (Debian: $2; Red Hat: $3)" >&2
	missing=1
}

try=$(mktemp) || exit 1
trap 'rm -f "$try" "$try.log"' EXIT
command -v "${CC%% *}" >/dev/null || { lacking "${CC%% *} (a C compiler)" gcc gcc; exit 1; }
all=$(libraries)
if ! builds "$all"; then
	while read -r header archive debian redhat other; do
		builds "$header $archive $debian $redhat $other" || lacking "$header or lib$archive" "$debian" "$redhat"
	done <<EOF
$all
EOF
	# Each is here, and they do not go together: the compiler knows why.
	[ $missing = 1 ] || { builds "$all"; cat "$try.log" >&2; missing=1; }
fi
command -v "${CLANG%% *}" >/dev/null || lacking "$CLANG (for the BPF program)" clang clang
exit $missing
