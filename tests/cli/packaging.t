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
for system in apt dnf; do
	is "what the build says to install is what deps.sh installs ($system)" \
		"$(scripts/libraries.sh names $system | grep -vxFf <(scripts/deps.sh names $system build))" ""
done
workdir
# A Red Hat as deps.sh sees it: no apt-get, rpm knows no package, dnf lists repositories and installs nothing.
mkdir "$tmp/redhat"
for p in sh awk grep cat id env uname; do ln -s "$(command -v $p)" "$tmp/redhat/"; done
printf '#!/bin/sh\n[ "$1" = -E ] && echo "$RHEL"\n' >"$tmp/redhat/rpm"
printf '#!/bin/sh\n[ "$2" != repolist ] || echo "$REPOSITORIES"\n[ "$1" != install ] || { echo "$*"; [ ! "$NO_MATCH" ]; }\n' >"$tmp/redhat/dnf"
chmod +x "$tmp/redhat/rpm" "$tmp/redhat/dnf"
on_redhat() { RHEL=$1 REPOSITORIES=$2 PATH=$tmp/redhat "$SRC/scripts/deps.sh" build 2>&1; }
like "EPEL is named where it is needed" "$(on_redhat 9 'baseos crb')" '^deps: .*scdoc.* come from EPEL: dnf install epel-release'
like "... and CRB" "$(on_redhat 9 'baseos epel')" '^deps: libtraceevent-devel.*libbpf-devel.* come from CRB: .*dnf config-manager --set-enabled crb .*rhel-9-'
like "... by its name of 8" "$(on_redhat 8 'baseos epel')" '^deps: libbpf-devel come from CRB: .* --set-enabled powertools .*rhel-8-'
like "... where libtraceevent is EPEL's" "$(on_redhat 8 'baseos powertools')" '^deps: libtraceevent-devel .* come from EPEL'
is "... and neither where both are enabled" "$(on_redhat 8 'baseos powertools epel' | grep 'come from')" ""
like "what cannot be had ends with what needs no building" "$(NO_MATCH=1 on_redhat 8 'baseos powertools epel')" 'make dist-static'
# What doc/field.md knows of EPEL.
for what in $(sed -n 's/.*On RHEL, EPEL has \([a-z, ]*\);.*/\1/p' "$SRC/doc/field.md" | tr -d ,) capstone; do
	like "$what is known to be EPEL's" "$(sed -n "/^[a-z]*  *[a-z0-9-]*$what/p" "$SRC/scripts/deps.sh")" ' epel$'
done
mkdir -p "$tmp/without/elfutils"
echo '#error "it is not here"' >"$tmp/without/elfutils/libdwfl.h"
is "a missing library is a sentence, before anything is compiled" \
	"$(MAKEFLAGS='' make -s -C "$SRC" B="$tmp/none" CPPFLAGS="-I$tmp/without" CLANG="$tmp/clang" "$tmp/none/lib/err.o" 2>&1 | grep -v '^make')" \
	"build: elfutils/libdwfl.h or libdw is not here: make deps as root, or install it (Debian: libdw-dev; Red Hat: elfutils-devel)
build: $tmp/clang (for the BPF program) is not here: make deps as root, or install it (Debian: clang; Red Hat: clang)"
cd "$SRC" || exit 1
# Headers as Red Hat has them: libiberty's lie beside the others, in no directory of their own.
cc=${CC:-gcc}
mkdir "$tmp/include"
ln -s /usr/include/* "$tmp/include/"
rm "$tmp/include/libiberty"
ln -s /usr/include/libiberty/* "$tmp/include/"
flags="-nostdinc -isystem $($cc -print-file-name=include) -isystem $tmp/include -isystem $tmp/include/$($cc -print-multiarch)"
ok "names are demangled with Red Hat's binutils-devel" $cc -std=gnu11 -D_GNU_SOURCE -I. $flags -fsyntax-only record/elf/elf_file.c
ok "... and nothing is said to be missing" env CC="$cc" CPPFLAGS="$flags" scripts/libraries.sh
rm "$tmp/include/demangle.h"
ok "without it nothing is built" status 1 env CC="$cc" CPPFLAGS="$flags" scripts/libraries.sh
is "... and the package is named" "$(cat err)" \
	"build: libiberty/demangle.h or libiberty is not here: make deps as root, or install it (Debian: libiberty-dev; Red Hat: binutils-devel)"
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

# ---- installed, found, taken away ----
if command -v scdoc >/dev/null && [ -x "$B/dmarec" ]; then
	home=$tmp/prefix/here
	mkdir -p "$tmp/prefix" "$tmp/elsewhere/dmarec/profiles"
	cd "$tmp" || exit 1
	install() { MAKEFLAGS= make -s -C "$SRC" "$1" PREFIX="$home" B="$B" "${@:2}"; }
	unset DMAREC_PROFILES XDG_DATA_HOME XDG_DATA_DIRS XDG_CONFIG_HOME
	export HOME=$tmp/nobody
	# found: then what it names is not in `true`
	found() { "${1:-$home}/bin/dmarec" --dry-run --profile "${2:-riffa}" -- true; grep -q "(${2:-riffa}.ini:[0-9]*) in" err; }
	other() { env "$@" "$home/bin/dmarec" --dry-run --profile mine -- true; grep -q '(mine.ini:1) in' err; }
	ok "make install after make, with another PREFIX" install install
	ok "its profiles are found beside it" found
	mv "$home" "$tmp/prefix/moved"
	ok "also where it was moved" found "$tmp/prefix/moved"
	mv "$tmp/prefix/moved" "$home"
	echo '[start mine_go]' >"$tmp/elsewhere/dmarec/profiles/mine.ini"
	ok "and those of XDG_DATA_DIRS" other XDG_DATA_DIRS="/nowhere:$tmp/elsewhere"
	ok "of XDG_DATA_HOME" other XDG_DATA_HOME="$tmp/elsewhere"
	mkdir -p "$HOME/.local/share" && ln -s "$tmp/elsewhere/dmarec" "$HOME/.local/share/dmarec"
	ok "of HOME" other HOME="$HOME"
	chmod o+w "$tmp/elsewhere/dmarec/profiles/mine.ini"
	ok "not one that others can write" status 1 env XDG_DATA_DIRS="$tmp/elsewhere" HOME=/ "$home/bin/dmarec" --dry-run --profile mine -- true
	like "which is said" "$(cat err)" "not taken: $tmp/elsewhere/dmarec/profiles/mine.ini"
	ok "make uninstall" install uninstall
	is "leaves nothing" "$(find "$tmp/prefix" -mindepth 1)" ''
	mkdir -p "$home/bin" "$home/share/man"
	install install >/dev/null 2>&1; install install >/dev/null 2>&1; echo '[start mine_go]' >"$home/share/dmarec/profiles/mine.ini"
	ok "make uninstall again" install uninstall
	is "leaves what it did not make" "$(cd "$home" && find . -mindepth 1 | sort | tr '\n' ' ')" \
		'./bin ./share ./share/dmarec ./share/dmarec/profiles ./share/dmarec/profiles/mine.ini ./share/man '
	ok "make install DESTDIR=" install install DESTDIR="$tmp/stage"
	ok "has no list of folders" test ! -e "$tmp/stage$home/share/dmarec/folders"
	ok "make uninstall DESTDIR=" install uninstall DESTDIR="$tmp/stage"
	is "leaves the stage" "$(find "$tmp/stage")" "$tmp/stage"
else
	skip "make install" "scdoc is not installed"
fi
finish
