#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# A private RabbitMQ for tests, with its management API: in a folder of its own, on ports of 127.0.0.1, gone afterwards.
#   rabbitmq.sh start FOLDER        in an empty folder; prints the API's URL and AMQP's port
#   rabbitmq.sh stop FOLDER
# A broker needs Erlang's port mapper, which gets a port of its own, too. Who is root runs it as `nobody`.
set -euo pipefail

bin=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] && command -v epmd >/dev/null || { echo "no RabbitMQ is installed" >&2; exit 77; }

as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --no-new-privs)

# COUNT ports that nobody has; all are held until the last is known
free_ports() {
    python3 - "$1" <<'END'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))
END
}

settings() {
    local folder=$1 mapper=$2 nodes=$3 amqp=$4 api=$5
    cat >"$folder/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:$amqp
management.tcp.ip = 127.0.0.1
management.tcp.port = $api
END
    echo '[rabbitmq_management].' >"$folder/plugins"
    cat >"$folder/environment" <<END
HOME=$folder
ERL_EPMD_PORT=$mapper
ERL_EPMD_ADDRESS=127.0.0.1
RABBITMQ_NODENAME=dolon$nodes@localhost
RABBITMQ_DIST_PORT=$nodes
RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 1
RABBITMQ_CONF_ENV_FILE=/dev/null
RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf
RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins
RABBITMQ_MNESIA_BASE=$folder/mnesia
RABBITMQ_LOG_BASE=$folder/log
END
}

start() {
    local folder=$1 mapper nodes amqp api environment
    mkdir -p "$folder"
    read -r mapper nodes amqp api < <(free_ports 4)
    settings "$folder" "$mapper" "$nodes" "$amqp" "$api"
    [ ${#as[@]} = 0 ] || chown nobody "$folder"
    chmod 711 "$folder"
    mapfile -t environment <"$folder/environment"
    cd /
    "${as[@]}" epmd -port "$mapper" -address 127.0.0.1 >/dev/null 2>&1 &
    echo $! >"$folder/mapper.pid"
    "${as[@]}" env -i PATH="$PATH" LANG=C.UTF-8 "${environment[@]}" "$bin/rabbitmq-server" >"$folder.log" 2>&1 &
    echo $! >"$folder/server.pid"
    for ((i = 0; i < 1800; i++)); do
        if curl -fsu guest:guest "http://127.0.0.1:$api/api/overview?columns=node" >/dev/null 2>&1; then
            echo "http://guest:guest@127.0.0.1:$api $amqp"
            return
        fi
        kill -0 "$(cat "$folder/server.pid")" 2>/dev/null || break
        sleep 0.1
    done
    cat "$folder.log" >&2
    stop "$folder"
    exit 1
}

# The broker's pid is its own: the shell that starts it becomes it.
stop() {
    local pid
    for pid in "$(cat "$1/server.pid")" "$(cat "$1/mapper.pid")"; do
        kill "$pid" 2>/dev/null || continue
        for ((i = 0; i < 300; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
    done
    rm -f "$1.log"
}

"$@"
