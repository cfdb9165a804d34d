#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# Runs each fuzzer on its kept corpus, then a while on new inputs (FUZZ_SECONDS, all fuzzers together: 60). TAP.
# A finding is left in build/fuzz/; put it into the corpus together with its mend.
cd "$(dirname "$0")/../.." || exit 1
fuzzers=(build/fuzz/fuzz_*[!.d])
seconds=$((${FUZZ_SECONDS:-60} / ${#fuzzers[@]}))
echo "1..${#fuzzers[@]}"
number=0
for fuzzer in "${fuzzers[@]}"; do
    name=$(basename "$fuzzer") corpus=tests/fuzz/corpus/${fuzzer##*fuzz_}
    new=$(mktemp -d)
    number=$((number + 1))
    if "$fuzzer" -artifact_prefix=build/fuzz/ -max_total_time=$seconds -max_len=65536 -len_control=50 -timeout=10 \
        -rss_limit_mb=2048 "$new" "$corpus" >build/fuzz/"$name".log 2>&1; then
        echo "ok $number - $name: $(grep -o 'Done [0-9]* runs.*' build/fuzz/"$name".log)"
    else
        echo "not ok $number - $name"
        tail -40 build/fuzz/"$name".log | sed 's/^/# /'
    fi
    rm -rf "$new"
done
