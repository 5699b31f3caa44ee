#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Install what is missing, and do nothing when all is there.
#   deps.sh GROUP...     groups: build check full bench vm docs browser
# Debian's names are tested (make check runs them on Debian 12). Red Hat's stand beside them; they
# need EPEL (gnuplot, scdoc, cmocka) and CRB (the -devel packages), and are not tested.
set -eu

#        group  Debian                 Red Hat (dnf)
packages() { cat <<'LIST'
build    gcc                    gcc
build    g++                    gcc-c++
build    make                   make
build    pkg-config             pkgconf-pkg-config
build    clang                  clang
build    xz-utils               xz
build    flex                   flex
build    bison                  bison
build    linux-source-6.1       -
build    libtraceevent-dev      libtraceevent-devel
build    libsqlite3-dev         sqlite-devel
build    libelf-dev             elfutils-libelf-devel
build    libdw-dev              elfutils-devel
build    libbpf-dev             libbpf-devel
build    libcapstone-dev        capstone-devel
build    libiberty-dev          binutils-devel
build    libssl-dev             openssl-devel
build    libzstd-dev            libzstd-devel
build    zlib1g-dev             zlib-devel
build    libaio-dev             libaio-devel
build    gnuplot-nox            gnuplot
build    sqlite3                sqlite
build    scdoc                  scdoc
check    git                    git
check    perl                   perl-Test-Harness
check    libcmocka-dev          libcmocka-devel
check    clang-format           clang-tools-extra
check    cppcheck               cppcheck
check    libclang-rt-14-dev     compiler-rt
check    linux-perf             perf
check    binutils               binutils
check    strace                 strace
check    gcc-aarch64-linux-gnu  gcc-aarch64-linux-gnu
check    libc6-dev-arm64-cross  -
check    qemu-user              qemu-user
bench    uftrace                uftrace
bench    bpftrace               bpftrace
full     rustc                  rust
check    musl-tools             musl-gcc
vm       linux-headers-amd64    kernel-devel
vm       qemu-system-x86        qemu-kvm
vm       busybox-static         busybox
vm       cpio                   cpio
vm       linux-perf             perf
browser  chromium               chromium
LIST
}

missing_debian() {
	for p in $1; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
	done
}

missing_redhat() {
	for p in $1; do
		rpm -q --quiet "$p" || echo "$p"
	done
}

want() { # column
	packages | awk -v groups=" $groups " -v col="$1" \
		'index(groups, " " $1 " ") && $col != "-" { print $col }'
}

groups=$*
if command -v apt-get >/dev/null; then
	todo=$(missing_debian "$(want 2)")
	install='apt-get install -y --no-install-recommends'
	update='apt-get update'
elif command -v dnf >/dev/null; then
	todo=$(missing_redhat "$(want 3)")
	install='dnf install -y'
	update='true'
	if [ ! -d "${LINUX_SOURCE:-}" ]; then
		echo "deps: name a kernel source tree for libperf: make LINUX_SOURCE=/path/to/linux" >&2
		echo "deps: (dnf download --source kernel, or any tree of kernel 6.1 or newer)" >&2
	fi
else
	echo "deps: neither apt-get nor dnf here; install by hand:" $(want 2) >&2
	exit 1
fi
[ -n "$todo" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps: missing:" $todo >&2
	echo "deps: run as root: $update && $install" $todo >&2
	exit 1
fi
echo "deps: installing" $todo
export DEBIAN_FRONTEND=noninteractive
$update
$install $todo
