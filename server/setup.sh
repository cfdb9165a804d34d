#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# Installs what is missing of Debian's packages. setup.sh build: to build and run; setup.sh test: to test as well;
# setup.sh bench: for the peers of `make bench`, too; setup.sh run: to run what was built elsewhere, in a container.
# Safe to repeat: it asks for nothing when nothing is missing.
set -eu

run="libh2o-evloop0.13 libssl3 libsqlite3-0 libpq5 libzstd1 libjansson4 libsodium23 zlib1g"
build="gcc libc6-dev pkg-config gzip libh2o-evloop-dev libssl-dev libsqlite3-dev libpq-dev libzstd-dev libjansson-dev libsodium-dev zlib1g-dev"
test="g++ clang libclang-rt-14-dev tcc musl-tools libcmocka-dev chromium fonts-dejavu-core ca-certificates curl openssl"
test="$test git systemtap-sdt-dev cmake meson mandoc postgresql rabbitmq-server"
# For other systems and processors: 350 MB to fetch, 2 GB unpacked. Where they are not to be had, their tests are skipped.
abroad="gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32 wine64 gcc-s390x-linux-gnu libc6-dev-s390x-cross
        qemu-user-static libc6-dev-i386 lib32gcc-12-dev lib32stdc++-12-dev"
[ "$(dpkg --print-architecture)" != amd64 ] || test="$test $abroad"
bench="liblttng-ust-dev lttng-tools"

case "${1:-}" in
run) wanted=$run ;;
build) wanted=$build ;;
test) wanted="$build $test" ;;
bench) wanted="$build $test $bench" ;;
*) echo "usage: setup.sh run|build|test|bench" >&2; exit 2 ;;
esac
# Node.js may have come from elsewhere than Debian; then its package is not wanted.
[ "$1" = run ] || { command -v npm && command -v node; } >/dev/null || wanted="$wanted nodejs npm"

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "Missing packages:$missing. Install them as root with: apt-get install$missing" >&2
    exit 1
fi
# What is installed for tests starts no service: they start their own. invoke-rc.d(8) asks this program.
policy=/usr/sbin/policy-rc.d
if [ "$1" = test ] || [ "$1" = bench ] && [ ! -e "$policy" ]; then
    trap '$as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi
echo "Installing from Debian:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
