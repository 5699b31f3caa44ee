#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Other releases of Debian, each in a directory of its own under build/distros (kept between runs):
#   distro.sh make SUITE GROUP...   a system of that release with the packages of scripts/deps.sh's groups
#   distro.sh run SUITE COMMAND     a shell command in it, as root, in a fresh copy of this tree (/src)
# The mirror is the one that this machine's apt uses. Exit 77, and the reason on stdout, where there is none, or it does
# not have that release. Mounts are seen by the command alone and end with it.
set -euo pipefail
cd "$(dirname "$0")/.."
verb=${1:-} suite=${2:-}
shift 2 || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
base=$PWD/build/distros
root=$base/$suite
log=$base/$suite.log
skip() { echo "$*"; exit 77; }
mkdir -p "$base"

[ "$(id -u)" = 0 ] || skip "another release is entered by chroot, which needs root"
command -v apt-get >/dev/null || skip "other releases are Debian's, and there is no apt-get here"

# The site of this machine's own release.
mirror() {
	local own
	own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(SITE)' |
		awk -v own="$own" '$1 == "Packages" && $2 == own { print $3; exit }'
}

# COMMAND... within the system, which sees this machine's devices, processes, and tracing.
enter() {
	ROOT=$root unshare --mount --propagation private bash -c '
		set -e
		mount -t proc proc "$ROOT/proc"
		mount --rbind /sys "$ROOT/sys"
		mount --rbind /dev "$ROOT/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$ROOT/run"
		exec chroot "$ROOT" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' enter "$@"
}

make_system() {
	local from
	# One at a time: two would unpack into each other.
	exec {lock}>"$root.lock"
	flock "$lock"
	if [ ! -e "$root/.whole" ]; then
		from=$(mirror)
		[ "$from" ] || skip "apt has no mirror of this machine's own release"
		/usr/lib/apt/apt-helper download-file "$from/dists/$suite/Release" "$base/$suite.Release" >"$log" 2>&1 ||
			skip "apt's mirror does not have $suite (its dists/$suite/Release)"
		command -v debootstrap >/dev/null || scripts/deps.sh distros >>"$log" 2>&1
		rm -rf --one-file-system "$root"
		# It can be made again: no waiting for the disk.
		mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
		echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/dmarec"
		debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$from" >>"$log" 2>&1 ||
			skip "debootstrap of $suite failed, see $log"
		echo 'Acquire::Retries "3"; APT::Install-Recommends "0";' >"$root/etc/apt/apt.conf.d/90dmarec"
		touch "$root/.whole"
	fi
	mkdir -p "$root/src/scripts"
	cp scripts/deps.sh "$root/src/scripts/"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	enter /src/scripts/deps.sh "$@" >>"$log" 2>&1 || skip "packages cannot be had in $suite, see $log"
}

# Sources as they stand here, with their times, so that make builds what is new; what was built there is kept.
refresh() {
	local list
	list=$(mktemp "$base/list.XXXXXX")
	git ls-files -co --exclude-standard | while IFS= read -r f; do [ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\n' "$f"; done | sort >"$list"
	(cd "$root/src" && find . -path ./build -prune -o ! -type d -printf '%P\n') | sort | comm -23 - "$list" |
		(cd "$root/src" && xargs -r -d '\n' rm -f)
	xargs -d '\n' cp -pdu --parents -t "$root/src" <"$list"
	rm -f "$list"
}

case $verb in
make) make_system "$@" ;;
run)
	[ -e "$root/.whole" ] || { echo "distro: no $suite yet: scripts/distro.sh make $suite build test" >&2; exit 1; }
	refresh
	enter bash -c "cd /src && $*"
	;;
*) exit 2 ;;
esac
