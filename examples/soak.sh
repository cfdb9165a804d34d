#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# A CI job that fails if a program leaks: a server of its own, the program for a while, then the verdict as exit status:
# 0 all is steady, 1 it drifts.
#     soak.sh [BUILD-FOLDER] PROGRAM ARGUMENT…          soak.sh build build/examples/soak 20 leak
set -eu
build=$1
shift
folder=$(mktemp -d)
mnemic=
trap '[ -z "$mnemic" ] || kill "$mnemic"; rm -rf "$folder"' EXIT

"$build/mnemic" --store "sqlite:$folder/soak.db" --udp 127.0.0.1:0 --http 127.0.0.1:0 >"$folder/said" 2>"$folder/log" &
mnemic=$!
until grep -q ^http "$folder/said"; do
    kill -0 $mnemic || { cat "$folder/log" >&2; exit 3; }
    sleep 0.1
done

DOLON_HOST=127.0.0.1 DOLON_PORT=$(sed -n 's/^udp .*://p' "$folder/said") DOLON_APP_NAME=soak "$@"

kill $mnemic && wait $mnemic # it writes what it has
mnemic=
"$build/mnemic" drift soak --store "sqlite:$folder/soak.db" --columns held_by_sessions,open_descriptors
