#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The source archive of `make dist` as a binary rpm, into build/dist; what it holds, requires and runs is shown. Where the
# system is not rpm's own (Debian has rpmbuild, but no database of its packages), BuildRequires are not looked at.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^#define DMA_VERSION "\(.*\)"$/\1/p' lib/cli.h)
out=$PWD/build/dist
top=$out/rpm
deps=
[ -e /etc/redhat-release ] || deps=--nodeps
rm -rf "$top"
mkdir -p "$top/SOURCES"
cp "$out/dmarec-$version.tar.gz" "$top/SOURCES/"
unset MAKEFLAGS MFLAGS MAKELEVEL B CC CXX
rpmbuild -bb $deps --define "_topdir $top" --define "version_of_dmarec $version" packaging/dmarec.spec
rpm=$(find "$top/RPMS" -name "dmarec-$version-*.rpm" ! -name '*debug*')
mv "$rpm" "$out/"
rpm=$out/${rpm##*/}
rm -rf "$top"
for what in list requires scripts; do
	echo "---- $what"
	rpm -qp --$what "$rpm"
done
command -v rpmlint >/dev/null || { echo "rpm: no rpmlint here: the package is not judged" >&2; echo "$rpm"; exit 0; }
rpmlint --file packaging/dmarec.rpmlintrc packaging/dmarec.spec "$rpm"
echo "$rpm"
