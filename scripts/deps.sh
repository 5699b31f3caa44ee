#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Install what is missing, and do nothing when all is there.
#   deps.sh GROUP...             groups: build test check full bench vm headers distros dist deb rpm browser
#   deps.sh names dnf GROUP...   only the names (apt, dnf)
# Debian's names are tested on 12 (make check), 11 and 13 (make check-distros). Red Hat's are from what is known of RHEL 8
# to 10 (doc/field.md 6) and are not tested; those of CRB (PowerTools on 8) and EPEL need that repository, which is named when it is not
# enabled.
set -eu

#        group  Debian                 Red Hat (dnf)          its repository [on 8]
packages() { cat <<'LIST'
build    gcc                    gcc                    base
build    g++                    gcc-c++                base
build    make                   make                   base
build    pkg-config             pkgconf-pkg-config     base
build    clang                  clang                  base
build    xz-utils               xz                     base
build    flex                   flex                   base
build    bison                  bison                  base
build    linux-source           -                      -
build    libtraceevent-dev      libtraceevent-devel    crb  epel
build    libsqlite3-dev         sqlite-devel           base
build    libelf-dev             elfutils-libelf-devel  base
build    libdw-dev              elfutils-devel         base
build    libbpf-dev             libbpf-devel           crb
build    libcapstone-dev        capstone-devel         epel
build    libiberty-dev          binutils-devel         base
build    libssl-dev             openssl-devel          base
build    libzstd-dev            libzstd-devel          base
build    zlib1g-dev             zlib-devel             base
build    libaio-dev             libaio-devel           base
build    gnuplot-nox            gnuplot                base
build    sqlite3                sqlite                 base
build    scdoc                  scdoc                  epel
test     git                    git                    base
test     perl                   perl-Test-Harness      base
test     libcmocka-dev          libcmocka-devel        epel
test     linux-perf             perf                   base
test     binutils               binutils               base
test     strace                 strace                 base
test     python3                python3                base
test     procps                 procps-ng              base
test     musl-tools             musl-gcc               epel
check    clang-format           clang-tools-extra      base
check    cppcheck               cppcheck               epel
check    libclang-rt-14-dev     compiler-rt            base
check    gcc-aarch64-linux-gnu  gcc-aarch64-linux-gnu  epel
check    libc6-dev-arm64-cross  -                      -
check    tmux                   tmux                   base
check    qemu-user              qemu-user              epel
check    bash-completion        bash-completion        base
full     rustc                  rust                   base
full     gdb                    gdb                    base
bench    uftrace                uftrace                epel
bench    bpftrace               bpftrace               base
distros  debootstrap            debootstrap            epel
dist     liblzma-dev            -                      -
dist     libbz2-dev             -                      -
dist     libzstd-dev            -                      -
deb      debhelper              -                      -
deb      dpkg-dev               -                      -
deb      lintian                -                      -
rpm      rpm                    rpm-build              base
rpm      rpmlint                -                      -
headers  linux-headers-amd64    kernel-devel           base
headers  make                   make                   base
vm       qemu-system-x86        qemu-kvm               base
vm       busybox-static         busybox                epel
vm       cpio                   cpio                   base
vm       linux-perf             perf                   base
vm       checkpolicy            checkpolicy            base
browser  chromium               chromium               epel
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

if [ "${1:-}" = names ]; then
	column=2
	[ "$2" != dnf ] || column=3
	shift 2
	groups=$*
	want $column
	exit
fi

# Repositories of Red Hat that are not enabled, of those that the missing packages come from.
name_repositories() {
	enabled=$(dnf -q repolist --enabled 2>/dev/null || true)
	rhel=$(rpm -E '%{?rhel}' 2>/dev/null || true)
	for r in crb epel; do
		those=$(packages | awk -v r="$r" -v rhel="$rhel" -v todo=" $(echo $todo) " \
			'(rhel == 8 && $5 ? $5 : $4) == r && index(todo, " " $3 " ") { print $3 }')
		[ -n "$those" ] || continue
		case $r in
		crb) echo "$enabled" | grep -qiE 'crb|powertools|codeready' && continue
			echo "deps:" $those "come from CRB: dnf install dnf-plugins-core && dnf config-manager --set-enabled $([ "$rhel" = 8 ] && echo powertools || echo crb)" \
				"(on RHEL itself: subscription-manager repos --enable codeready-builder-for-rhel-${rhel:-9}-$(uname -m)-rpms)" >&2 ;;
		epel) echo "$enabled" | grep -qi epel && continue
			echo "deps:" $those "come from EPEL: dnf install epel-release (on RHEL itself: epel-release-latest-${rhel:-9}.noarch.rpm)" >&2 ;;
		esac
	done
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
	[ -z "$todo" ] || name_repositories
else
	echo "deps: neither apt-get nor dnf here; install by hand (Debian's names):" $(want 2) >&2
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
$install $todo && exit
echo "deps: what this system does not have cannot be built with: the archive of make dist-static, made on another, needs no building" >&2
exit 1
