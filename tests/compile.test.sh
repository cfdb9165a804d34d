#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# dolon.h in other people's builds: compilers, standards and options. Each cell compiles without a warning, links, and, where
# this machine can, runs. Cells run side by side; a compiler that is not there is skipped.
set -uo pipefail
cd "$(dirname "$0")/compile" || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 names=()

warn=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-align -Wcast-qual -Wpointer-arith
      -Wwrite-strings -Wvla -Wformat=2 -Wdouble-promotion -Wswitch-enum -Wfloat-conversion -Wredundant-decls -Wunused-macros
      -Wno-unused-command-line-argument -Werror -I../..)
cwarn=(-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wbad-function-cast -Wnested-externs)
cxxwarn=(-Wnon-virtual-dtor -Woverloaded-virtual)
user=(-Wold-style-cast -Wzero-as-null-pointer-constant -Wextra-semi) # what a file that only uses dolon.h also stands

# All that clang has, but for:
everything=(-Weverything
    -Wno-padded                        # holes in structs are left where they are
    -Wno-declaration-after-statement   # is C since 1999
    -Wno-float-equal                   # 0 stands for "not set", and is compared with exactly
    -Wno-disabled-macro-expansion      # the C library's own macros (sa_sigaction, sa_handler)
    -Wno-used-but-marked-unused        # what not every system needs is marked so
    -Wno-reserved-identifier           # the linker makes two names with "__"; and in C++ "dolon__", which says "private"
    -Wno-reserved-macro-identifier)    # _DEFAULT_SOURCE is there to be defined; "DOLON__" in C++
everything_cxx=(-Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-c++98-compat-local-type-template-args # C++11 is the least
    -Wno-global-constructors)          # is how a scope is known before it is reached
everything_impl_cxx=(-Wno-old-style-cast -Wno-zero-as-null-pointer-constant) # the implementation is C that is C++ as well

# cell NAME COMMAND…: one line of TAP, in the end. $dir is the cell's own folder.
cell() {
    names[++n]=$1
    shift
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    {
        dir=$work/$n
        mkdir "$dir"
        "$@" >"$dir/log" 2>&1 && touch "$dir/good"
    } &
}

# The cells' results, in their order; the output of a failed one as a comment.
report() {
    local i
    wait
    for ((i = 1; i <= n; i++)); do
        if [[ ${names[i]} == *"# SKIP"* || -e $work/$i/good ]]; then
            echo "ok $i - ${names[i]}"
        else
            echo "not ok $i - ${names[i]}"
            sed 's/^/# /' "$work/$i/log" | head -20
        fi
    done
    echo "1..$n"
}

# Whether $1 can build for 32 bits: that takes packages of its own.
have_32() {
    have "$1" || return
    echo 'int main(void) { return 0; }' | "$1" -m32 -x c - -o "$work/try" 2>/dev/null && return
    names[++n]="$1 -m32 # SKIP there is no C library of 32 bits"
    return 1
}

pg_include() {
    pkg-config --variable=includedir libpq
}

have() {
    command -v "$1" >/dev/null && return
    names[++n]="$1 # SKIP it is not installed"
    return 1
}

# compile FILE LANGUAGE-IS-C++ COMPILER FLAGS…: with the warnings that the language and the compiler have
compile() {
    local file=$1 is_cxx=$2 cc=$3 extra=("${cwarn[@]}")
    shift 3
    [ "$is_cxx" = 0 ] || extra=("${cxxwarn[@]}")
    [[ $cc != tcc ]] || extra=()
    "$cc" "${warn[@]}" "${extra[@]}" "$@" -c "$file.c" -o "$dir/$file.o"
}

# objects COMPILER EXPECT FLAGS…: program.c, which has the implementation, and other.c, both in one language
objects() {
    local cc=$1 expect=$2 language=() is_cxx=0 extra_user=()
    shift 2
    [[ $cc != *++ ]] || language=(-x c++) is_cxx=1 extra_user=("${user[@]}")
    [[ " $* " != *STATIC* ]] || extra_user=() # the implementation is in both files
    compile program $is_cxx "$cc" "${language[@]}" "$@" -DEXPECT="$expect" &&
        compile other $is_cxx "$cc" "${language[@]}" "$@" "${extra_user[@]}"
}

program() {
    objects "$@" && "$1" "${@:3}" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}

# Not run: another system or processor. tests/e2e/platforms.test.mjs runs such programs.
abroad() {
    objects "$1" 0 "${@:2}" && "$1" "${@:2}" "$dir/program.o" "$dir/other.o" -o "$dir/program" -Wl,--no-warnings
}
windows() {
    objects "$1" 0 "${@:2}" && "$1" "${@:2}" -static "$dir/program.o" "$dir/other.o" -o "$dir/program.exe" -lws2_32
}

# mixed C C++: the implementation in C, scopes in C++; and the other way round
mixed() {
    compile program 0 "$1" -std=c99 -DEXPECT=$all_cxx && compile other 1 "$2" -x c++ -std=c++11 &&
        "$2" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}
mixed_back() {
    compile program 1 "$2" -x c++ -std=c++11 -DEXPECT=$all && compile other 0 "$1" -std=c99 &&
        "$2" "$dir/program.o" "$dir/other.o" -o "$dir/program" -pthread && "$dir/program"
}

all_warnings() {
    clang "${everything[@]}" -Werror -std="$1" -I../.. -DEXPECT=0 "${@:2}" -c program.c -o "$dir/program.o" &&
        clang "${everything[@]}" -Werror -std="$1" -I../.. -c other.c -o "$dir/other.o"
}
all_warnings_cxx() {
    local flags=("${everything[@]}" "${everything_cxx[@]}" -Werror -std="$1" -I../..)
    clang++ -x c++ "${flags[@]}" "${everything_impl_cxx[@]}" -DEXPECT=0 -c program.c -o "$dir/program.o" &&
        clang++ -x c++ "${flags[@]}" -c other.c -o "$dir/other.o"
}

unity() {
    printf '#include "program.c"\n#include "other.c"\n' >"$dir/unity.c"
    "$1" "${warn[@]}" "${@:3}" -I. -DEXPECT="$2" "$dir/unity.c" -o "$dir/unity" -pthread && "$dir/unity"
}

library() {
    "$1" "${warn[@]}" -std=c99 -O2 -fPIC -shared -DLIBRARY library.c -o "$dir/library.so" -pthread &&
        "$1" "${warn[@]}" -std=c11 -D_GNU_SOURCE library.c -o "$dir/loader" -pthread -ldl && "$dir/loader" "$dir/library.so"
}

late_include() {
    "$1" "${warn[@]}" -std="$2" late_include.c -o "$dir/late" -pthread && "$dir/late"
}

early() {
    "$1" "${warn[@]}" "${@:2}" early.c -o "$dir/early" -pthread && [ "$("$dir/early")" = "stopped at exit" ]
}

# refuses WORDS COMMAND…
refuses() {
    ! "${@:2}" && grep -q "$1" "$dir/log"
}

# Before and after <windows.h>, which defines words such as "near" and "small".
beside_windows() {
    printf '%s\n' "$2" "#define DOLON_IMPLEMENTATION" '#include "dolon.h"' '#include <windows.h>' \
        'int main(void) { DOLON_SCOPE("main"); Sleep(1); dolon_stop(dolon_start(DOLON__NULL)); return 0; }' >"$dir/beside.c"
    "$1" "${warn[@]}" "${@:3}" "$dir/beside.c" -o "$dir/beside.exe" -static -lws2_32
}

# In a program that has put macros in the place of the C library's functions, as those that look for leaks do.
other_malloc() {
    printf '%s\n' '#include <stdlib.h>' '#define malloc(n) (malloc)(n)' '#define calloc(n, m) (calloc)(n, m)' \
        '#define realloc(p, n) (realloc)(p, n)' '#define free(p) (free)(p)' '#define DOLON_IMPLEMENTATION' \
        '#include "dolon.h"' 'int main(void) { dolon_stop(dolon_start(NULL)); return 0; }' >"$dir/other_malloc.c"
    "$1" "${warn[@]}" -std=gnu11 "$dir/other_malloc.c" -o "$dir/other_malloc" -pthread && "$dir/other_malloc"
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

# A standard changes how a compiler reads, not what it finds in optimising: only two are worth the time of -O2.
for cc in gcc clang musl-gcc; do
    have $cc || continue
    for std in gnu99 c11 gnu11 c17 gnu17; do cell "$cc -std=$std -O0" program $cc $all -std=$std; done
    for std in c99 c2x; do
        cell "$cc -std=$std -O2" program $cc $all -std=$std -O2
        cell "$cc -std=$std DOLON_STATIC twice" program $cc $own -std=$std -DDOLON_STATIC
        cell "$cc -std=$std DOLON_DISABLE" program $cc 0 -std=$std -O2 -DDOLON_DISABLE -Wno-unused-macros
    done
    cell "$cc -O3" program $cc $all -std=c99 -O3
    cell "$cc -fvisibility=hidden" program $cc $all -std=c99 -fvisibility=hidden
    cell "$cc --gc-sections" program $cc $all -std=c99 -ffunction-sections -fdata-sections -Wl,--gc-sections
    cell "$cc -static" program $cc $all -std=c99 -static -w
    cell "$cc -ffast-math" program $cc $all -std=c99 -O2 -ffast-math
    cell "$cc -fno-pie" program $cc $all -std=c99 -fno-pie -no-pie
    cell "$cc a unity build" unity $cc $all -std=c99
    cell "$cc the manual's first program" first_program $cc
    cell "$cc a count of 0.5 does not compile" refuses_fractions $cc
    cell "$cc system headers first, -std=gnu11" late_include $cc gnu11
    cell "$cc malloc() and free() are macros" other_malloc $cc
    cell "$cc before main() and after it" early $cc -std=c99
done
for cc in gcc clang; do
    have $cc || continue
    cell "$cc DOLON_SODIUM" program $cc $all -std=c99 -O2 -DDOLON_SODIUM -Wl,--no-as-needed -lsodium
    cell "$cc a library, loaded late and unloaded" library $cc
    cell "$cc DOLON_RABBITMQ" program $cc $all -std=c99 -O2 -DDOLON_RABBITMQ
    cell "$cc DOLON_POSTGRES, DOLON_TRACK_MALLOC" program $cc $all -std=c99 -O2 -DDOLON_POSTGRES -DDOLON_TRACK_MALLOC -isystem "$(pg_include)" -Wl,--no-as-needed -lpq
done
have gcc && cell "gcc -fsanitize=thread, before main() and after it" early gcc -std=c99 -fsanitize=thread
have gcc && cell "gcc -flto" program gcc $all -std=c99 -O2 -flto
have_32 gcc && cell "gcc -O2 -m32" program gcc $all -std=c99 -O2 -m32 -idirafter "/usr/include/$(uname -m)-linux-gnu"
have gcc && cell "gcc system headers first, -std=c99: a clear #error" \
    refuses "include it before any system header" late_include gcc c99
for std in c99 c11 c17 c2x; do have clang && cell "clang -Weverything -std=$std" all_warnings $std; done
have clang && cell "clang -Weverything DOLON_RABBITMQ, DOLON_TRACK_MALLOC" all_warnings c99 -DDOLON_RABBITMQ -DDOLON_TRACK_MALLOC
for std in c99 c11; do have tcc && cell "tcc -std=$std" program tcc $own_tcc -std=$std; done
have tcc && cell "tcc DOLON_RABBITMQ" program tcc $own_tcc -std=c99 -DDOLON_RABBITMQ
have tcc && cell "tcc DOLON_DISABLE" program tcc 0 -std=c99 -DDOLON_DISABLE

for cxx in g++ clang++; do
    have $cxx || continue
    for std in c++14 c++17 c++2b; do cell "$cxx -std=$std -O0" program $cxx $all_cxx -std=$std; done
    for std in c++11 c++20; do
        cell "$cxx -std=$std -O2" program $cxx $all_cxx -std=$std -O2
        cell "$cxx -std=$std DOLON_STATIC twice" program $cxx $own -std=$std -DDOLON_STATIC
        cell "$cxx -std=$std DOLON_DISABLE" program $cxx 0 -std=$std -O2 -DDOLON_DISABLE -Wno-unused-macros
        cell "$cxx -std=$std -fno-exceptions -fno-rtti" program $cxx $all_cxx -std=$std -fno-exceptions -fno-rtti
    done
    cell "$cxx --gc-sections" program $cxx $all_cxx -std=c++17 -ffunction-sections -Wl,--gc-sections
    cell "$cxx -fvisibility=hidden" program $cxx $all_cxx -std=c++17 -fvisibility=hidden -fvisibility-inlines-hidden
    cell "$cxx before main() and after it" early $cxx -x c++ -std=c++11
    cell "$cxx a unity build" unity $cxx $all_cxx -x c++ -std=c++17
done
have g++ && cell "g++ DOLON_SODIUM" program g++ $all_cxx -std=c++11 -O2 -DDOLON_SODIUM -Wl,--no-as-needed -lsodium
have g++ && cell "g++ DOLON_RABBITMQ" program g++ $all_cxx -std=c++11 -DDOLON_RABBITMQ
have g++ && cell "g++ DOLON_POSTGRES, DOLON_TRACK_MALLOC" \
    program g++ $all_cxx -std=c++11 -DDOLON_POSTGRES -DDOLON_TRACK_MALLOC -isystem "$(pg_include)" -Wl,--no-as-needed -lpq
have g++ && cell "g++ -flto" program g++ $all_cxx -std=c++17 -O2 -flto
have_32 g++ && cell "g++ -O2 -m32" program g++ $all_cxx -std=c++17 -O2 -m32 -idirafter "/usr/include/$(uname -m)-linux-gnu"
for std in c++11 c++17 c++20 c++2b; do have clang++ && cell "clang++ -Weverything -std=$std" all_warnings_cxx $std; done
have g++ && cell "implementation in C, scopes in C++" mixed gcc g++
have g++ && cell "implementation in C++, scopes in C" mixed_back gcc g++

for std in c99 c2x; do have s390x-linux-gnu-gcc && cell "s390x gcc -std=$std" abroad s390x-linux-gnu-gcc -std=$std -pthread; done
mingw=x86_64-w64-mingw32
if have $mingw-gcc; then
    for std in c99 c11 c17 c2x; do cell "mingw gcc -std=$std" windows $mingw-gcc -std=$std; done
    cell "mingw gcc -O2" windows $mingw-gcc -std=c99 -O2
    cell "mingw gcc DOLON_TRACK_MALLOC" windows $mingw-gcc -std=c99 -DDOLON_TRACK_MALLOC
    cell "mingw gcc DOLON_RABBITMQ" windows $mingw-gcc -std=c99 -DDOLON_RABBITMQ
    cell "mingw gcc DOLON_STATIC twice" windows $mingw-gcc -std=c99 -DDOLON_STATIC
    cell "mingw gcc DOLON_DISABLE" windows $mingw-gcc -std=c99 -DDOLON_DISABLE -Wno-unused-macros
    cell "mingw gcc before <windows.h>" beside_windows $mingw-gcc "" -std=c99 -O1
    cell "mingw gcc after a lean <windows.h>" beside_windows $mingw-gcc $'#define WIN32_LEAN_AND_MEAN\n#include <windows.h>' -std=c99
    cell "mingw gcc after a full <windows.h>: a clear #error" \
        refuses "include it before <windows.h>" beside_windows $mingw-gcc '#include <windows.h>' -std=c99
fi
if have $mingw-g++; then
    for std in c++11 c++17 c++20 c++2b; do cell "mingw g++ -std=$std" windows $mingw-g++ -std=$std; done
    cell "mingw g++ -O2" windows $mingw-g++ -std=c++17 -O2
    cell "mingw g++ -fno-exceptions -fno-rtti" windows $mingw-g++ -std=c++11 -fno-exceptions -fno-rtti
    cell "mingw g++ before <windows.h>" beside_windows $mingw-g++ "" -x c++ -std=c++17
fi
report
