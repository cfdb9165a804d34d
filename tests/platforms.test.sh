#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# The client's own tests for other machines than this one: 32 bits, big-endian, another C library. They are built without
# cmocka, which there is for none of them, and run by qemu where the processor is another.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
flags=(-std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror -Itests/platforms -Iserver -DMNEMIC_VERSION='"test"' -pthread -static)

# Without gcc-multilib, which no cross compiler can stand beside, the kernel's headers are found in this folder only.
asm=/usr/include/$(uname -m)-linux-gnu

# platform NAME "TESTS" RUNNER COMPILER FLAGS…: builds and runs each test; skipped if not even a greeting can be built and run
platform() {
    local name=$1 tests=$2 runner=$3 test
    shift 3
    printf '#include <stdio.h>\n#include <linux/errno.h>\nint main(void) { return puts("") < 0; }\n' >"$dir/try.c"
    for test in $tests; do
        n=$((n + 1))
        if ! { "$@" -static "$dir/try.c" -o "$dir/try" && $runner "$dir/try"; } >/dev/null 2>&1; then
            echo "ok $n - $name $test # SKIP no compiler or no emulator for it"
        elif build "$test" "$@" >"$dir/log" 2>&1 && $runner "$dir/$test" >"$dir/log" 2>&1; then
            echo "ok $n - $name $test"
        else
            echo "not ok $n - $name $test"
            sed 's/^/# /' "$dir/log" | tail -20
        fi
    done
}

# What is sent is read by the server's decoder, of the binary wire only: the other needs a library.
build() {
    local test=$1 decoder=()
    shift
    [ "$test" = test_dolon_threads ] ||
        decoder=(server/ingest/decode_binary.c server/base/histogram.c server/base/base.c)
    "$@" "${flags[@]}" -Ddecode_datagram=decode_binary -c "tests/$test.c" -o "$dir/$test.o" &&
        "$@" "${flags[@]}" "$dir/$test.o" "${decoder[@]}" -o "$dir/$test" -lm
}

all="test_dolon_wire test_dolon_histograms test_dolon_threads"
platform "32 bits" test_dolon_threads "" gcc -m32 -idirafter "$asm" # the server counts in 128 bits, which it lacks
platform "big-endian (s390x)" "$all" qemu-s390x-static s390x-linux-gnu-gcc
platform "musl" "$all" "" musl-gcc -idirafter /usr/include -idirafter "$asm"
echo "1..$n"
