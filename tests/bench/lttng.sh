#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# lttng.sh PROGRAM: runs it with all its tracepoints recorded into memory, by a session daemon of its own that is gone
# afterwards. Nothing without LTTng. Who is root runs all of it as `nobody`, for root's daemon is the whole machine's.
set -eu
command -v lttng >/dev/null && command -v lttng-sessiond >/dev/null || exit 0
folder=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon" || :; }; rm -rf "$folder"' EXIT
cp "$1" "$folder/program"
as=
if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$folder"
    as="setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups --no-new-privs"
fi
export LTTNG_HOME="$folder" HOME="$folder"
control() { $as lttng --no-sessiond "$@" >>"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }; }

$as lttng-sessiond >"$folder/log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
    [ ! -S "$folder/.lttng/client-lttng-sessiond" ] || break
    sleep 0.1
done
control create bench --snapshot --output="$folder/trace"
control enable-event --userspace --all
control start
$as "$folder/program"
control destroy
