#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# A release of the client alone, with what package managers look for, each where it looks; and what they need to fetch it.
#     dist.sh FOLDER URL      FOLDER/dolon-VERSION.tar.gz will lie at URL/dolon-VERSION.tar.gz
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$1 url=${2%/}
version=$(sed -n 's/^#define DOLON_VERSION *"\(.*\)".*/\1/p' "$here/../dolon.h")
name=dolon-$version

# fill TEMPLATE: on standard output, with what is known by then
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@URL@|$url|g" -e "s|@SHA256@|${sha256:-}|g" -e "s|@SHA512@|${sha512:-}|g" "$here/$1.in"
}

rm -rf "${to:?}/$name"
mkdir -p "$to/$name" "$to/vcpkg"
cd "$here"
cp ../dolon.h ../LICENSE CMakeLists.txt dolonConfig.cmake dolonConfigVersion.cmake dolon.pc.in meson.build conanfile.py \
    man/dolon.3 "$to/$name"
echo "$version" >"$to/$name/VERSION"
fill clib.json >"$to/$name/clib.json"

# The same bytes from the same sources, whoever packs them, and when.
tar -C "$to" --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 -cf - "$name" | gzip -n9 >"$to/$name.tar.gz"
sha256=$(sha256sum <"$to/$name.tar.gz" | cut -d' ' -f1)
sha512=$(sha512sum <"$to/$name.tar.gz" | cut -d' ' -f1)
fill dolon.wrap >"$to/dolon.wrap"
fill vcpkg.json >"$to/vcpkg/vcpkg.json"
fill portfile.cmake >"$to/vcpkg/portfile.cmake"
echo "$to/$name.tar.gz"
