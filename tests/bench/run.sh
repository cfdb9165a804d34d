#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# Runs every bench, prints the table and writes it to tests/bench/RESULTS.md.   run.sh [BUILD-FOLDER]
# A bench prints a line a figure, tab separated: what, value, unit, beside what, goal.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
results=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$results" "$folder"' EXIT

# What a server takes that nobody uses.
idle() {
    "$build/mnemic" --store "sqlite:$folder/idle.db" --udp 127.0.0.1:0 --http 127.0.0.1:0 >"$folder/said" 2>/dev/null &
    until grep -q ^http "$folder/said"; do sleep 0.1; done
    sleep 1
    awk '/VmRSS/ {printf "an idle server, resident\t%.1f\tMB\t-\t<= 20\n", $2 * 1024 / 1e6}' "/proc/$!/status"
    kill $!
    wait $!
}

# The page in Chromium, on the long runs that bench_query has left.
page() {
    mkdir -p build/npm-test
    cp web/package.json web/package-lock.json build/npm-test
    (cd build/npm-test && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund >&2)
    MNEMIC="$PWD/$build/mnemic" NODE_MODULES="$PWD/build/npm-test/node_modules" node tests/bench/page.mjs "$folder/long.db"
}

# compile LEVEL: what dolon.h costs whoever builds it: seconds of CPU, the least of five, and bytes of code and constants
compile() {
    printf '#define DOLON_IMPLEMENTATION\n#include "dolon.h"\n' >"$folder/one.c"
    for _ in 1 2 3 4 5; do
        bash -c 'TIMEFORMAT=%U; time gcc "$1" -I. -c "$2/one.c" -o "$2/one.o"' - "$1" "$folder" 2>&1
    done | sort -n | head -1 | awk -v l="$1" '{printf "client: compiling the implementation, gcc %s\t%s\ts CPU\t-\t<= 0.5\n", l, $1}'
    size "$folder/one.o" | awk -v l="$1" 'NR == 2 {printf "client: its object, gcc %s\t%.1f\tKB\t-\t<= 64\n", l, ($1 + $2) / 1e3}'
}

for bench in "$build"/bench/bench_*; do
    case $bench in *.d) continue ;; esac
    echo "running $(basename "$bench") …" >&2
    case $bench in
    */bench_query) "$bench" "$folder/long.db" >>"$results" ;;
    */bench_postgres) # durable, as the other stores: /tmp may be memory
        TMPDIR=/var/tmp POSTGRES_OPTIONS="-c fsync=on -c max_wal_size=4GB" \
            bash tests/postgres.sh run "$bench" >>"$results"
        ;;
    */bench_lttng)
        "$bench" >>"$results"
        sh tests/bench/lttng.sh "$bench" >>"$results"
        ;;
    *) "$bench" >>"$results" ;;
    esac
done
compile -O0 >>"$results"
compile -O2 >>"$results"
idle >>"$results"
echo "running page.mjs …" >&2
page >>"$results"

{
    echo "# Figures"
    echo
    echo "Made by \`make bench\` on $(date -u +%Y-%m-%d): $(nproc) cores of" \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo)," \
        "Linux $(uname -r), $(gcc --version | head -1), $(. /etc/os-release && echo "$PRETTY_NAME")."
    echo "Peers and limits are measured in the same run; figures of two machines don't compare, ratios do."
    echo
    echo "| what | value | unit | beside | goal |"
    echo "|---|---:|---|---|---|"
    awk -F '\t' '{printf "| %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5}' "$results"
} >tests/bench/RESULTS.md
column -t -s "$(printf '\t')" "$results"
