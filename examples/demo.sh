#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# The server on a SQLite file, and examples/hello sending to it, until Ctrl-C.
# DEMO_UDP, DEMO_HTTP: other addresses than the usual ones, port 0 picks one.   demo.sh [BUILD-FOLDER]
set -eu
build=${1:-build}
said=$(mktemp)
mnemic= hello=

stop() {
    trap '' INT TERM HUP
    [ -z "$hello" ] || { kill "$hello" 2>/dev/null || true; wait "$hello" || true; }
    [ -z "$mnemic" ] || { kill "$mnemic" 2>/dev/null || true; wait "$mnemic" || status=$?; }
    rm -f "$said"
    echo "Ended. The runs are kept in $build/demo.db."
    exit "${status:-0}"
}
trap 'status=0; stop' INT TERM HUP

# In a session of its own, where Ctrl-C does not reach it: hello says goodbye to it first.
setsid "$build/mnemic" --store "sqlite:$build/demo.db" --udp "${DEMO_UDP:-127.0.0.1:12013}" \
    --http "${DEMO_HTTP:-127.0.0.1:12111}" >"$said" &
mnemic=$!
until grep -q ^http "$said"; do
    kill -0 $mnemic 2>/dev/null || { wait $mnemic || status=$?; mnemic=; stop; }
    sleep 0.05
done
port=$(sed -n 's/^udp .*:\([0-9]*\)$/\1/p' "$said")
DOLON_PORT=$port DOLON_INTERVAL=0.2 "$build/examples/hello" &
hello=$!
echo
echo "  Open $(grep ^http "$said")"
echo "  (Ctrl-C ends it)"
echo
status=0
wait $hello || status=$?
hello=
stop
