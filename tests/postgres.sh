#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# A private PostgreSQL server for tests: in a folder of its own, on a Unix socket only (or 127.0.0.1:PORT), gone afterwards.
#   postgres.sh start FOLDER [POSTGRES-OPTION…]   makes it if the folder is empty, starts it; prints its URL
#   postgres.sh stop FOLDER [fast|immediate]
#   postgres.sh run COMMAND…                      the command gets MNEMIC_TEST_STORE, the URL of the server;
#                                                 the server gets the options in POSTGRES_OPTIONS
#   postgres.sh start_with EXTENSION FOLDER       each new database has timescaledb, or citus with two workers, which are servers
#                                                 in FOLDER, too; prints what to set in the environment; 77: it is not installed
#   postgres.sh stop_with FOLDER
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

ask() { # ask FOLDER PORT SQL: of what new databases are made of
    (cd / && "${as[@]}" "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -h "$1" -p "$2" -U mnemic template1 -c "$3")
}

start_with() {
    local name=$1 folder=$2 options="-c shared_preload_libraries=$1" nodes=(0) ports=() node try
    start "$folder/0" >/dev/null
    [ -n "$(ask "$folder/0" 5432 "SELECT name FROM pg_available_extensions WHERE name = '$name'")" ] || { stop "$folder/0" && return 77; }
    stop "$folder/0"
    case $name in
    timescaledb) options+=" -c timescaledb.telemetry_level=off -c timescaledb.max_background_workers=0" ;;
    citus) options+=" -c listen_addresses=127.0.0.1 -c citus.node_conninfo=sslmode=prefer -c citus.shard_count=4 -c wal_level=logical"
        options+=" -c citus.enable_statistics_collection=off -c max_prepared_transactions=60" nodes=(0 1 2) ;;
    esac
    for node in "${nodes[@]}"; do # whoever picks a port can only hope that it stays free until it is bound: so several
        for try in 1 2 3 4 5; do
            ports[node]=$((20000 + RANDOM % 10000))
            start "$folder/$node" "$options -c port=${ports[node]}" >/dev/null && break
        done
        ask "$folder/$node" "${ports[node]}" "CREATE EXTENSION $name" 2>/dev/null
    done
    if [ "$name" = citus ]; then
        ask "$folder/0" "${ports[0]}" "SELECT citus_set_coordinator_host('127.0.0.1', ${ports[0]})" >/dev/null
        for node in 1 2; do ask "$folder/0" "${ports[0]}" "SELECT citus_add_node('127.0.0.1', ${ports[node]})" >/dev/null; done
    fi
    for node in "${nodes[@]}"; do # nobody may be connected to what a database is copied from
        stop "$folder/$node" && start "$folder/$node" "$options -c port=${ports[node]}" >/dev/null
    done
    echo "MNEMIC_TEST_STORE=postgresql://mnemic@/postgres?host=$folder/0&port=${ports[0]}"
    [ "$name" != citus ] || echo "MNEMIC_TEST_WORKERS=$(printf "postgresql://mnemic@/postgres?host=$folder/%d&port=%d " 1 "${ports[1]}" 2 "${ports[2]}")"
}

stop_with() {
    local node
    for node in "$1"/?; do stop "$node" immediate; done
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
