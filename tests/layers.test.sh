#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# The architecture holds: who may know which library, and which modules are pure. TAP.
cd "$(dirname "$0")/../server" || exit 1
number=0
check() { # check WHAT OFFENDERS
    number=$((number + 1))
    if [ -z "$2" ]; then echo "ok $number - $1"; else echo "not ok $number - $1: $2"; fi
}
# users PATTERN ALLOWED…: files that include what matches PATTERN, without the allowed ones
users() {
    local pattern=$1
    shift
    grep -lE "^#include [<\"]($pattern)" ./*.c ./*.h | sed 's|^\./||' | grep -vE "^($(IFS='|'; echo "$*"))\.[ch]$" | tr '\n' ' '
}
check "only the HTTP side knows h2o" "$(users 'h2o' http "http_.*" api sse download assets)"
check "only store_sqlite knows SQLite" "$(users 'sqlite3' store_sqlite 'store_sqlite_.*')"
check "only store_postgres knows libpq" "$(users 'libpq|postgresql' store_postgres 'store_postgres_.*')"
check "only decode and edit know the JSON library" "$(users 'jansson' decode edit)"
check "only seal and the archive's checksums know libsodium" "$(users 'sodium' seal archive_block)"
check "only a chunk's columns know zstd" "$(users 'zstd' column)"
check "sockets only where the network is" "$(users 'sys/socket|netinet|arpa|netdb' address health ingest "http_.*" http api sse download assets)"
check "decode, runs and chunk do not know the later stages" \
    "$(grep -lE '#include "(writer|store|http|live|ingest|query)' decode.* runs.* run.* chunk.* chunk_bytes.* column.* bytes.* base.* record.* 2>/dev/null | tr '\n' ' ')"
check "what judges columns knows no store" \
    "$(grep -lE '#include "(store|query|writer|http|live)' stats.* trend.* shifts.* outliers.* drift.[ch] drift_table.* correlation.* when.* | tr '\n' ' ')"
check "ingest and writer do not know each other" \
    "$(grep -lE '#include "(writer|store|merge|live|http)' ingest.*)$(grep -lE '#include "(ingest|live|http|runs|decode)' writer.*)"
# A function of ours that is named as one of a library's would be called by the library in its place.
libraries() {
    ldd ../build/mnemic | awk '$3 ~ /^\// { print $3 }' | while read -r library; do nm -D --defined-only "$library"; done
}
check "no symbol of ours stands before a library's" \
    "$(nm -g --defined-only ../build/libmnemic.a | awk 'NF == 3 { print $3 }' | sort -u |
        comm -12 - <(libraries | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u) | tr '\n' ' ')"
echo "1..$number"
