#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# dolon.h in other people's builds: compilers, standards and options; each cell compiles without a warning, links, and
# runs. A compiler that is not there is skipped.
set -uo pipefail
cd "$(dirname "$0")/compile"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0

warn=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wvla
      -Wformat=2 -Wdouble-promotion -Wswitch-enum -Wfloat-conversion -Wredundant-decls -Wunused-macros -Wno-unused-command-line-argument
      -Werror -I../..)
cwarn=(-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wbad-function-cast -Wnested-externs)
cxxwarn=(-Wnon-virtual-dtor -Woverloaded-virtual)
user=(-Wold-style-cast -Wzero-as-null-pointer-constant -Wextra-semi) # what a file that only uses dolon.h also stands

# cell NAME COMMAND…: one line of TAP; the output of a failed one as a comment
cell() {
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >"$dir/log" 2>&1; then echo "ok $n - $name"; else
        echo "not ok $n - $name"
        sed 's/^/# /' "$dir/log" | head -20
    fi
}

have() {
    command -v "$1" >/dev/null && return
    n=$((n + 1))
    echo "ok $n - $1 # SKIP it is not installed"
    return 1
}

# program COMPILER EXPECT FLAGS…: both files in one language
program() {
    local cc=$1 expect=$2 extra=("${cwarn[@]}") extra_user=()
    shift 2
    [[ $cc == *++ ]] && extra=(-x c++ "${cxxwarn[@]}") extra_user=("${user[@]}")
    [ "$cc" = tcc ] && extra=()
    [[ " $* " == *STATIC* ]] && extra_user=() # the implementation is in both files
    "$cc" "${warn[@]}" "${extra[@]}" "$@" -DEXPECT="$expect" -c program.c -o "$dir/program.o" &&
        "$cc" "${warn[@]}" "${extra[@]}" "${extra_user[@]}" "$@" -c other.c -o "$dir/other.o" &&
        "$cc" "$@" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}

# mixed C C++: the implementation in C, scopes in C++; and the other way round
mixed() {
    "$1" "${warn[@]}" -std=c99 -DEXPECT=36 -c program.c -o "$dir/program.o" &&
        "$2" "${warn[@]}" -x c++ -std=c++11 -c other.c -o "$dir/other.o" &&
        "$2" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}
mixed_back() {
    "$2" "${warn[@]}" -x c++ -std=c++11 -DEXPECT=26 -c program.c -o "$dir/program.o" &&
        "$1" "${warn[@]}" -std=c99 -c other.c -o "$dir/other.o" &&
        "$2" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}

library() {
    "$1" "${warn[@]}" -std=c99 -O2 -fPIC -shared -DLIBRARY library.c -o "$dir/library.so" -pthread &&
        "$1" "${warn[@]}" -std=c11 -D_GNU_SOURCE library.c -o "$dir/loader" -pthread -ldl && "$dir/loader" "$dir/library.so"
}

late_include() {
    "$1" "${warn[@]}" -std="$2" late_include.c -o "$dir/late" -pthread && "$dir/late"
}

refuses() {
    ! "$@" && grep -q "include it before any system header" "$dir/log"
}

# A floating-point number is no count; an integer is.
refuses_fractions() {
    printf '#include "dolon.h"\nvoid f(void); void f(void) { DOLON_COUNT("x", N); }\n' >"$dir/count.c"
    "$1" -I../.. -DN=5 -c "$dir/count.c" -o "$dir/count.o" && ! "$1" -I../.. -DN=0.5 -c "$dir/count.c" -o "$dir/count.o"
}

# The program at the top of the manual, as it stands there (but for its length).
first_program() {
    sed -n '/^       #define DOLON_IMPLEMENTATION/,/^       }/p' ../../dolon.h | sed 's/i < 600/i < 3/' >"$dir/first.c"
    grep -q 'i < 3' "$dir/first.c" && "$1" -Wall -Wextra -I../.. -o "$dir/first" "$dir/first.c" -pthread && "$dir/first"
}

# columns: the probe, and what is known at the start: all of both files; of this file only; none
all=26 all_cxx=36 own=16 own_tcc=1

for cc in gcc clang musl-gcc; do
    have $cc || continue
    for std in c99 gnu99 c11 c17 c2x; do cell "$cc -std=$std" program $cc $all -std=$std -O2; done
    for std in c99 c2x; do
        cell "$cc -std=$std -O0" program $cc $all -std=$std -O0
        cell "$cc -std=$std -O3 DOLON_STATIC twice" program $cc $own -std=$std -O3 -DDOLON_STATIC
        cell "$cc -std=$std DOLON_DISABLE" program $cc 0 -std=$std -O2 -DDOLON_DISABLE -Wno-unused-macros
        cell "$cc -std=$std -ffast-math" program $cc $all -std=$std -O2 -ffast-math
        cell "$cc -std=$std -fvisibility=hidden" program $cc $all -std=$std -O2 -fvisibility=hidden
        cell "$cc -std=$std --gc-sections" program $cc $all -std=$std -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections
        cell "$cc -std=$std -fno-pie" program $cc $all -std=$std -O2 -fno-pie -no-pie
        cell "$cc -std=$std -static" program $cc $all -std=$std -O2 -static -w
    done
    cell "$cc the manual's first program" first_program $cc
    cell "$cc a count of 0.5 does not compile" refuses_fractions $cc
    cell "$cc system headers first, -std=gnu11" late_include $cc gnu11
done
for cc in gcc clang; do have $cc && cell "$cc DOLON_SODIUM" program $cc $all -std=c99 -O2 -DDOLON_SODIUM -Wl,--no-as-needed -lsodium; done
have gcc && cell "gcc -flto" program gcc $all -std=c99 -O2 -flto
have gcc && cell "gcc system headers first, -std=c99: a clear #error" refuses late_include gcc c99
for cc in gcc clang; do have $cc && cell "$cc a library, loaded late and unloaded" library $cc; done
have tcc && cell "tcc" program tcc $own_tcc -std=c99
have tcc && cell "tcc DOLON_DISABLE" program tcc 0 -std=c99 -DDOLON_DISABLE

for cxx in g++ clang++; do
    have $cxx || continue
    for std in c++11 c++14 c++17 c++20 c++2b; do cell "$cxx -std=$std" program $cxx $all_cxx -std=$std -O2; done
    for std in c++11 c++20; do
        cell "$cxx -std=$std -O0" program $cxx $all_cxx -std=$std -O0
        cell "$cxx -std=$std DOLON_STATIC twice" program $cxx $own -std=$std -O2 -DDOLON_STATIC
        cell "$cxx -std=$std DOLON_DISABLE" program $cxx 0 -std=$std -O2 -DDOLON_DISABLE -Wno-unused-macros
        cell "$cxx -std=$std -fno-exceptions -fno-rtti" program $cxx $all_cxx -std=$std -O2 -fno-exceptions -fno-rtti
        cell "$cxx -std=$std --gc-sections" program $cxx $all_cxx -std=$std -O2 -ffunction-sections -Wl,--gc-sections
    done
done
have g++ && cell "g++ DOLON_SODIUM" program g++ $all_cxx -std=c++11 -O2 -DDOLON_SODIUM -Wl,--no-as-needed -lsodium
have g++ && cell "g++ -flto" program g++ $all_cxx -std=c++17 -O2 -flto
have g++ && cell "implementation in C, scopes in C++" mixed gcc g++
have g++ && cell "implementation in C++, scopes in C" mixed_back gcc g++
echo "1..$n"
