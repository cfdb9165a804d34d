#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# The container: built by podman from server/Containerfile, and run as README says. Debian's slim image is stood in for by one
# that debootstrap makes. Base image and layers are kept in build/container. TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

skip_all() { printf '1..1\nok 1 - the container # SKIP %s\n' "$1"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all "needs root"
for tool in podman runc slirp4netns debootstrap curl; do
    command -v $tool >/dev/null || skip_all "$tool is not installed"
done

cache=$PWD/build/container
work=$(mktemp -d)
mkdir -p "$cache"
cat >"$work/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
END
export CONTAINERS_CONF=$work/containers.conf
box() { podman --root "$cache/storage" --runroot "$cache/run" "$@" 2>>"$work/podman.log"; }
tidy() {
    box rm -f -t 0 -a >/dev/null
    box volume rm -a -f >/dev/null
    rm -rf "$work"
}
trap tidy EXIT

number=0 failed=0
is() { # is WHAT COMMAND…
    local what=$1
    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        tail -20 "$work/podman.log" | sed 's/^/# /'
        failed=1
    fi
}
until_true() { # until_true COMMAND…: waits long, since the machine may be busy
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# ---- the image ----

make_base() {
    box image exists docker.io/library/debian:12-slim && return
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/podman.log" 2>&1 || return
    # Whom this machine trusts, the build may: there may be a proxy between it and npm's registry.
    cp /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/" && rm -rf "$work"/base/var/cache/apt/archives/*.deb
    tar -C "$work/base" -c . | box import - docker.io/library/debian:12-slim >/dev/null
}
make_base || skip_all "debootstrap cannot make Debian's image here: $(tail -1 "$work/podman.log")"
box run --rm --network none docker.io/library/debian:12-slim true || skip_all "podman cannot run here: $(tail -1 "$work/podman.log")"
build() { box build --pull=never --network=host --format docker -t mnemic -f server/Containerfile . >"$work/build.log"; }
is "it builds" build
[ $failed = 0 ] || { tail -30 "$work/build.log" | sed 's/^/# /'; echo "1..$number"; exit 1; }
is "its healthcheck is mnemic itself" \
    test "$(box inspect --type image mnemic --format '{{.HealthCheck.Test}}')" = "[CMD mnemic healthcheck]"

# ---- running ----

# start NAME OPTION… [-- ARGUMENT…]: without a shell, capabilities, or a place to write but /data
start() {
    local name=$1
    shift
    local options=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1") && shift; done
    [ $# = 0 ] || shift
    box run -d --name "$name" --network slirp4netns:allow_host_loopback=true --read-only --read-only-tmpfs=false --cap-drop=all \
        --security-opt=no-new-privileges -v /dev/null:/usr/bin/dash:ro -v /dev/null:/usr/bin/bash:ro \
        -p 127.0.0.1::12013/udp -p 127.0.0.1::12111 "${options[@]}" mnemic "$@" >/dev/null &&
        udp=$(box port "$name" 12013/udp | sed 's/.*://') && http=$(box port "$name" 12111/tcp | sed 's/.*://')
}
page() { curl -sS -m 10 --retry 0 "$@" 2>>"$work/podman.log"; }
healthy() { box healthcheck run "$1" >/dev/null; }
rows_are() { page "http://127.0.0.1:$http/api/v1/apps" | grep -q '"state":"ended".*"rows":'"$1"'[,}]'; }
trace() { DOLON_HOST=127.0.0.1 DOLON_PORT=$udp DOLON_APP_NAME=boxed build/programs/rows count=20 interval=0.01 goodbye=10 >"$work/traced"; }
stops() { box stop -t 30 "$1" >/dev/null && [ "$(box inspect "$1" --format '{{.State.ExitCode}}')" = 0 ]; }

make -s build/programs/rows build/mnemic >"$work/podman.log" 2>&1
is "it starts with a read-only root, without capabilities and shell" start one -v mnemic-data:/data
is "mnemic healthcheck in it says that it is well" until_true healthy one
is "it is not root" test "$(box top one huser | tail -1)" = 65532
is "a traced program's datagrams come in, and their acknowledgements out" trace
sampled=$(sed -n 's/^sampled //p' "$work/traced")
is "the API shows the run, whole" until_true rows_are "$sampled"
is "the page is there" page -f -o "$work/page" "http://127.0.0.1:$http/"
is "SIGTERM ends it with 0" stops one
is "started anew on the volume" start two -v mnemic-data:/data
is "it has what was stored" until_true rows_are "$sampled"
export_all() { box exec two mnemic export --all --out - >"$work/all.mnemic" && build/mnemic import "$work/all.mnemic" --store "sqlite:$work/copy.db" >"$work/told"; }
is "a backup out of it goes into another store" export_all
is "… with all rows" grep -q ": $sampled rows" "$work/told"
stops two

# ---- behind TLS and a token, told by the environment ----

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>>"$work/podman.log"
echo "open sesame" >"$work/token"
chmod 644 "$work"/*.pem "$work/token"
chmod 755 "$work"
is "it starts with secrets" start three -v "$work/token:/run/secrets/token:ro" -v "$work/cert.pem:/run/secrets/cert:ro" \
    -v "$work/key.pem:/run/secrets/key:ro" -e MNEMIC_TOKEN_FILE=/run/secrets/token -e MNEMIC_TLS_CERT=/run/secrets/cert \
    -e MNEMIC_TLS_KEY=/run/secrets/key
is "its healthcheck knows of them" until_true healthy three
status() { [ "$(page --cacert "$work/cert.pem" -o /dev/null -w '%{http_code}' "$@" "https://127.0.0.1:$http/")" = "$status" ]; }
status=401
is "strangers do not see the page" status
status=200
is "who has the token does" status -H 'Authorization: Bearer open sesame'
is "it stops" stops three

# ---- told by arguments, which a healthcheck in the container is not given ----

is "it starts with arguments" start told -v "$work/token:/run/secrets/token:ro" -- --http 0.0.0.0:8080 --token-file /run/secrets/token
is "its healthcheck knows of them" until_true healthy told
is "what its own arguments say comes first" test "$(box exec told mnemic healthcheck --http 127.0.0.1:12111 2>&1; echo $?)" = 1
is "it stops" stops told

# ---- with PostgreSQL, on this machine: the container's user-mode network reaches it as 10.0.2.2 ----

postgres=$work/postgres
tidy_postgres() { [ ! -d "$postgres" ] || bash tests/postgres.sh stop "$postgres" immediate; }
trap 'tidy_postgres; tidy' EXIT
# Whoever picks a port can only hope that it stays free until it is bound: so several.
start_postgres() {
    local try
    for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 10000))
        bash tests/postgres.sh start "$postgres" -c listen_addresses=127.0.0.1 -c port=$port >"$work/url" 2>>"$work/podman.log" && return
    done
    return 1
}
if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    is "PostgreSQL starts" start_postgres
    is "with POSTGRES_CONN_STR, as the original" start four \
        -e POSTGRES_CONN_STR="postgresql://mnemic@10.0.2.2:$port/postgres?gssencmode=disable"
    is "it is well" until_true healthy four
    is "a traced program's datagrams come in" trace
    is "the API shows the run" until_true rows_are "$(sed -n 's/^sampled //p' "$work/traced")"
    is "and so does SQL" test "$(psql -XAtq -h "$postgres" -p $port -U mnemic postgres -c "SELECT app_name FROM mnemic.tracing_run")" = boxed
    is "it ends with 0" stops four
else
    is "with PostgreSQL # SKIP no PostgreSQL server is installed" true
fi

# ---- compose.yaml: PostgreSQL's image is stood in for by Debian's PostgreSQL, begun as that image begins ----

make_postgres() {
    box image exists docker.io/library/postgres:15 && return
    mkdir "$work/image"
    cat >"$work/image/entry" <<'END'
#!/bin/sh
set -e
bin=$(ls -d /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
export PATH="$PATH:$bin"
if [ ! -e "$data/PG_VERSION" ]; then
    chown postgres "$data" && chmod 700 "$data"
    printf '%s' "$POSTGRES_PASSWORD" >/tmp/word && chown postgres /tmp/word
    setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/initdb" -D "$data" -U "$POSTGRES_USER" -A scram-sha-256 --pwfile=/tmp/word
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB" |
        setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" --single -D "$data" postgres
    rm /tmp/word
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
END
    cat >"$work/image/Containerfile" <<'END'
FROM docker.io/library/debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-15 && rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/postgresql/data && ln -s /usr/lib/postgresql/15/bin/pg_isready /usr/local/bin/
COPY entry /entry
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["sh", "/entry"]
END
    box build --pull=never --network=host --format docker -t docker.io/library/postgres:15 "$work/image" >"$work/build.log"
}
compose() {
    BACK_END_PORT=$udp FRONT_END_PORT=$http POSTGRES_PASSWORD=a-word podman-compose --podman-path "$work/podman" \
        --project-name composed -f server/compose.yaml "$@" >>"$work/podman.log" 2>&1
}
free_port() { comm -23 <(seq 20000 30000 | sort) <(ss -Htuan | awk '{ sub(/.*:/, "", $5); print $5 }' | sort -u) | shuf -n 1; }

if command -v podman-compose >/dev/null; then
    printf '#!/bin/sh\nexec podman --root "%s" --runroot "%s" "$@"\n' "$cache/storage" "$cache/run" >"$work/podman" && chmod +x "$work/podman"
    udp=$(free_port) http=$(free_port)
    is "an image stands in for PostgreSQL's" make_postgres
    is "compose.yaml starts" compose up -d --no-build
    is "mnemic of it is well" until_true healthy composed_mnemic_1
    is "a traced program's datagrams come in" trace
    is "the API shows the run" until_true rows_are "$(sed -n 's/^sampled //p' "$work/traced")"
    is "compose.yaml stops" compose down
    is "and starts again" compose up -d --no-build
    is "with the run" until_true rows_are "$(sed -n 's/^sampled //p' "$work/traced")"
    compose down -v
else
    is "compose.yaml # SKIP podman-compose is not installed" true
fi

echo "1..$number"
exit $failed
