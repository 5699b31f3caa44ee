# SPDX-License-Identifier: GPL-2.0-only
# Read by tests that record class FlxCard as compilers, options and ways of loading make it: build_programs makes, in
# the working directory, a program in a directory for each; compilers holds those that are here.
# Every program is built first, each in a directory of its own, as many at a time as there are processors.
beside() { # command
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	"$@" &
}
library() { # directory, compiler, options...: libFlxCard.so and a program that links it
	local dir=$1 cxx=$2
	shift 2
	mkdir "$dir" && $cxx "$@" -fPIC -shared -Wl,-soname,libFlxCard.so -o "$dir/libFlxCard.so" "$SRC/tests/exits/FlxCard.cc" &&
		$cxx "$@" -o "$dir/prog" "$SRC/tests/exits/program.cc" -L"$dir" -lFlxCard -Wl,-rpath,"$tmp/$dir"
}
stripped() {
	library stripped "$1" -O2 && strip stripped/libFlxCard.so stripped/prog
}
opened() { # compiler: the library of the stripped one, by dlopen
	mkdir dlopen && $1 -O2 -DDLOPEN -o dlopen/prog "$SRC/tests/exits/program.cc" -ldl -Wl,-rpath,"$tmp/stripped"
}
whole() { # directory, compiler, options...: all in one program
	local dir=$1 cxx=$2
	shift 2
	mkdir "$dir" && $cxx "$@" -o "$dir/prog" "$SRC/tests/exits/FlxCard.cc" "$SRC/tests/exits/program.cc"
}

build_programs() {
	local o c cxx=${CXX:-g++}
	compilers=
	for c in "$cxx" clang++; do command -v "$c" >/dev/null && compilers+=" $c"; done
	for o in -O0 -O1 -O2 -O3; do
		for c in $compilers; do beside library "$c$o" "$c" $o -g; done
	done
	beside stripped "$cxx"
	beside opened "$cxx"
	for o in -O0 -O2 -O3; do
		beside whole pie$o "$cxx" $o -pie -fPIE
		beside whole nopie$o "$cxx" $o -no-pie -fno-PIE
		beside whole static$o "$cxx" $o -static
	done
	wait
	printf '#!/bin/sh\nhere=$(dirname "$0")\n"$here/stripped/prog" "$@"\n' >run.sh
	chmod +x run.sh
}
