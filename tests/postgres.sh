#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# A private PostgreSQL server for tests: in a folder of its own, on a Unix socket only (or 127.0.0.1:PORT), gone afterwards.
#   postgres.sh start FOLDER [POSTGRES-OPTION…]   makes it if the folder is empty, starts it; prints its URL
#   postgres.sh stop FOLDER [fast|immediate]
#   postgres.sh run COMMAND…                      the command gets MNEMIC_TEST_STORE, the URL of the server;
#                                                 the server gets the options in POSTGRES_OPTIONS
# PostgreSQL refuses to be root: then its user is `postgres`, or `nobody`. fsync is off unless "-c fsync=on" is given.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres || echo /nowhere/postgres)")
[ -x "$bin/postgres" ] || { echo "no PostgreSQL server is installed" >&2; exit 77; }

as=()
if [ "$(id -u)" = 0 ]; then
    user=$(id -un postgres 2>/dev/null || echo nobody)
    as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --no-new-privs)
fi

start() {
    local folder=$1
    shift
    mkdir -p "$folder"
    if [ ! -e "$folder/data" ]; then
        mkdir "$folder/data"
        [ ${#as[@]} = 0 ] || chown "$user" "$folder" "$folder/data"
        chmod 711 "$folder"
        (cd / && "${as[@]}" "$bin/initdb" -D "$folder/data" -U mnemic -A trust -E UTF8 --locale=C --no-sync >"$folder.initdb" 2>&1) ||
            { cat "$folder.initdb" >&2; exit 1; }
        rm "$folder.initdb"
    fi
    (cd / && "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -s -w -t 60 -l "$folder/log" -o \
        "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off -c max_connections=60 -c shared_buffers=64MB $*" start)
    echo "postgresql://mnemic@/postgres?host=$folder"
}

stop() {
    (cd / && "${as[@]}" "$bin/pg_ctl" -D "$1/data" -s -w -t 60 -m "${2:-fast}" stop)
}

run() {
    local folder status=0
    folder=$(mktemp -d "${TMPDIR:-/tmp}/postgres-XXXXXX")
    trap 'stop "$folder" immediate 2>/dev/null; rm -rf "$folder"' EXIT
    MNEMIC_TEST_STORE=$(start "$folder" "${POSTGRES_OPTIONS:-}")
    export MNEMIC_TEST_STORE
    "$@" || status=$?
    exit "$status"
}

"$@"
