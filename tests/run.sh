#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# Builds and runs every test; ends with "N passed, N failed". tests/run.sh WORD…: only suites whose name holds a word.
# Each suite prints TAP into build/tap/NAME.tap; one that ends badly without a failed test counts as a failed one. Most suites
# wait more than they compute, so one more of them runs at a time than there are processors, beside the builds.
set -uo pipefail
cd "$(dirname "$0")/.."
slots=$(($(nproc) + 1))
mkdir -p build/tap
rm -f build/tap/*.count
trap 'kill $(jobs -p) 2>/dev/null' EXIT
trap 'exit 130' INT TERM
words=("$@")

wanted() {
    [ ${#words[@]} = 0 ] && return 0
    local word
    for word in "${words[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
    return 1
}

# beside COMMAND…: as soon as there is a slot, while this script goes on
beside() {
    while [ "$(jobs -rp | wc -l)" -ge "$slots" ]; do wait -n; done
    "$@" &
}

# count NAME PASSED FAILED SKIPPED: for the total
count() {
    echo "$2 $3 $4" >"build/tap/${1//\//-}.count"
}

# suite NAME COMMAND…
suite() {
    local name=$1 tap=build/tap/${1//\//-}.tap status=0 ok bad skip started=$SECONDS
    shift
    timeout -k 10 900 "$@" >"$tap" 2>"${tap%.tap}.err" || status=$?
    bad=$(grep '^not ok ' "$tap" | grep -vic '# skip') # cmocka's skipped tests are "not ok", too
    skip=$(grep -ciE '^(not )?ok .*# skip' "$tap")
    ok=$(grep '^ok ' "$tap" | grep -vic '# skip')
    if [ "$status" != 0 ] && [ "$bad" = 0 ] || [ "$((ok + bad + skip))" = 0 ]; then
        echo "not ok - $name ended with status $status" >>"$tap"
        bad=$((bad + 1))
    fi
    count "$name" "$ok" "$bad" "$skip"
    printf '%s\n' "$(
        printf '%-34s %4d passed %3d failed %3d skipped %5d s' "$name" "$ok" "$bad" "$skip" $((SECONDS - started))
        [ "$bad" = 0 ] && exit
        echo
        grep -A 12 '^not ok ' "$tap" | grep -vi '# skip' | head -60
        tail -30 "${tap%.tap}.err"
    )"
}

# start NAME COMMAND…: a suite, if it is wanted
start() {
    ! wanted "$1" || beside suite "$@"
}

# build NAME MAKE-ARGUMENTS…: a build that fails is a failed test
build() {
    local name=$1
    shift
    wanted "$name" || [ "$name" = plain ] || return 1
    if ! make --no-print-directory -j"$(nproc)" "$@" >"build/tap/build-$name.log" 2>&1; then
        count "build-$name" 0 1 0
        printf '%-34s does not build\n' "$name"
        grep -E -A 5 'error|Error' "build/tap/build-$name.log" | head -60
        return 1
    fi
}

# Programs that take long and start no thread: ThreadSanitizer would find nothing in them.
single=" test_archive test_distribution test_drift test_merge test_query test_query_store test_store_sqlite test_wire test_wire_servers test_writer_hold "

# c_tests VARIANT FOLDER: every C test program of a build
c_tests() {
    local test
    for test in tests/test_*.c; do
        test=$(basename "$test" .c)
        [[ $test != test_store_postgres* ]] || continue # postgres_tests() has their server
        [[ $1 != tsan || $single != *" $test "* ]] || continue
        start "$1/$test" env CMOCKA_MESSAGE_OUTPUT=TAP "$2/tests/$test"
    done
}

# postgres_tests VARIANT FOLDER: what every store promises, of PostgreSQL; and what only it does. A server for all of them.
postgres_tests() {
    local name url folder names=()
    for name in store_postgres store_postgres_rows store store_cover store_runs merge query_store distribution writer writer_trouble archive_store; do wanted "$1/test_$name" && names+=("$name"); done
    [ ${#names[@]} != 0 ] || return 0
    folder=$(mktemp -d /tmp/postgres-XXXXXX)
    if url=$(bash tests/postgres.sh start "$folder"); then
        for name in "${names[@]}"; do
            suite "$1/test_$name" env CMOCKA_MESSAGE_OUTPUT=TAP MNEMIC_TEST_STORE="$url" "$2/tests/test_$name"
        done
        bash tests/postgres.sh stop "$folder" immediate
    else
        suite "$1/test_${names[0]}" false
    fi
    rm -rf "$folder"
}

# extension_tests NAME: the same on a real extension, where it is installed
extension_tests() {
    local extension=$1 name folder settings names=() status=0
    for name in store_postgres store_postgres_rows store store_cover store_runs merge distribution writer writer_trouble; do wanted "$extension/test_$name" && names+=("$name"); done
    [ ${#names[@]} != 0 ] || return 0
    folder=$(mktemp -d /tmp/postgres-XXXXXX) && chmod 711 "$folder"
    mapfile -t settings < <(bash tests/postgres.sh start_with "$extension" "$folder" || echo "failed=$?")
    if [ "${settings[*]}" = failed=77 ]; then
        count "$extension" 0 0 1
        printf '%-34s %4d passed %3d failed %3d skipped: it is not installed\n' "$extension" 0 0 1
    else
        for name in "${names[@]}"; do
            suite "$extension/test_$name" env CMOCKA_MESSAGE_OUTPUT=TAP "${settings[@]}" "build/tests/test_$name"
        done
    fi
    bash tests/postgres.sh stop_with "$folder" 2>/dev/null
    rm -rf "$folder"
}

export MNEMIC=$PWD/build/mnemic HELLO=$PWD/build/examples/hello PROGRAMS=$PWD/build/programs
export ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

build plain all tests programs && c_tests plain build && beside postgres_tests postgres build &&
    beside extension_tests timescaledb && beside extension_tests citus
build asan B=build/asan SAN=address,undefined tests && c_tests asan build/asan && beside postgres_tests postgres-asan build/asan
build tsan B=build/tsan SAN=thread tests && c_tests tsan build/tsan
for script in tests/*.test.sh; do start "$(basename "$script" .test.sh)" bash "$script"; done
build fuzz fuzzers && start fuzz bash tests/fuzz/run.sh

mkdir -p build/npm-test
cp web/package.json web/package-lock.json build/npm-test
(cd build/npm-test && npm ci --ignore-scripts --no-audit --no-fund >../tap/npm.log 2>&1)
export NODE_MODULES=$PWD/build/npm-test/node_modules
start web/types bash tests/web/types.sh
for test in tests/web/*.test.mjs tests/e2e/*.test.mjs; do
    start "$(basename "$(dirname "$test")")/$(basename "$test" .test.mjs)" node --test --test-reporter=tap "$test"
done
wait

echo
awk '{ passed += $1; failed += $2; skipped += $3 }
    END { printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""; exit failed > 0 }' build/tap/*.count
