#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# The architecture holds: who may know which library, and which modules are pure. TAP.
cd "$(dirname "$0")/../server" || exit 1
number=0
check() { # check WHAT OFFENDERS
    number=$((number + 1))
    if [ -z "$2" ]; then echo "ok $number - $1"; else echo "not ok $number - $1: $2"; fi
}
# users PATTERN ALLOWED…: files that include what matches PATTERN, but those in the allowed folders, or of the allowed names
users() {
    local pattern=$1
    shift
    grep -rlE --include='*.[ch]' "^#include [<\"]($pattern)" . | sed 's|^\./||' | grep -vE "^($(IFS='|'; echo "$*"))(/|\.[ch]$)" | tr '\n' ' '
}
# knows PATTERN FOLDER-OR-FILE…: those of them that include a header of ours that matches PATTERN
knows() {
    local pattern=$1
    shift
    grep -rlE --include='*.[ch]' "^#include \"($pattern)" "$@" | tr '\n' ' '
}
check "only the HTTP side knows h2o" "$(users 'h2o' http)"
check "only store/sqlite knows SQLite" "$(users 'sqlite3' store/sqlite)"
check "only store/postgres knows libpq" "$(users 'libpq|postgresql' store/postgres)"
check "only decode and edit know the JSON library" "$(users 'jansson' ingest/decode runs/edit)"
check "only seal and the archive's checksums know libsodium" "$(users 'sodium' ingest/seal archive/archive_block)"
check "only a chunk's columns know zstd" "$(users 'zstd' store/column)"
check "sockets only where the network is" \
    "$(users 'sys/socket|netinet|arpa|netdb' base/address commands/health ingest http)"
check "the base knows no other folder" "$(knows '(ingest|runs|store|query|insight|archive|http|commands)/' base)"
check "decode, runs and chunk do not know the later stages" \
    "$(knows '(store/(store|writer|merge|find)|query|insight|archive|http|commands)' ingest runs store/chunk* store/column*)"
check "the store and its writer do not know who feeds or asks them" "$(knows '(ingest|query|insight|archive|http|commands)/' store)"
check "what judges columns knows no store" "$(knows '(store/(store|writer|merge)|query/query|http)' $(ls insight/* | grep -v drift_run))"
check "queries and archives know no HTTP, and not how rows came" "$(knows '(ingest|http|commands)/' query insight archive)"
check "only main's commands know both ends" "$(knows 'commands/' base ingest runs store query insight archive http)"
# A function of ours that is named as one of a library's would be called by the library in its place.
libraries() {
    ldd ../build/mnemic | awk '$3 ~ /^\// { print $3 }' | while read -r library; do nm -D --defined-only "$library"; done
}
check "no symbol of ours stands before a library's" \
    "$(nm -g --defined-only ../build/libmnemic.a | awk 'NF == 3 { print $3 }' | sort -u |
        comm -12 - <(libraries | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u) | tr '\n' ' ')"
echo "1..$number"
