#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The source archive of `make dist` as a Debian package, into build/dist; lintian's errors fail it.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^#define DMA_VERSION "\(.*\)"$/\1/p' lib/cli.h)
out=$PWD/build/dist
archive=$out/dmarec-$version.tar.gz
[ -f "$archive" ] || { echo "deb: $archive is not there: make dist" >&2; exit 1; }
work=$out/deb
rm -rf "$work"
mkdir -p "$work"
tar xzf "$archive" -C "$work"
cd "$work/dmarec-$version"
cp -r packaging/debian debian
date=$(date -u -R -d "@$(stat -c %Y "$archive")")
sed "s/@VERSION@/$version/; s/@DATE@/$date/" debian/changelog.in >debian/changelog
rm debian/changelog.in
unset MAKEFLAGS MFLAGS MAKELEVEL B CC CXX
dpkg-buildpackage -b -us -uc -j"$(nproc)"
mv ../dmarec_*.deb "$out/"
cd "$out"
rm -rf "$work"
command -v lintian >/dev/null || { echo "deb: no lintian here: the package is not judged" >&2; exit 0; }
lintian --allow-root --fail-on error "$out"/dmarec_"$version"_*.deb
echo "$out"/dmarec_"$version"_*.deb
