#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# dolon as other people's builds get it: foreign projects that use what `make install`, `make dist` and `make split` made.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
prefix=$dir/prefix
version=$(sed -n 's/^#define DOLON_VERSION *"\(.*\)".*/\1/p' dolon.h)
export DOLON_PORT=9 # where nobody listens
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' # whoever the repository belongs to

# check NAME TOOL COMMAND…: one line of TAP; skipped without the tool
check() {
    local name=$1 tool=$2
    shift 2
    n=$((n + 1))
    if ! command -v "$tool" >/dev/null; then
        echo "ok $n - $name # SKIP $tool is not installed"
    elif ("$@") >"$dir/log" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' "$dir/log" | tail -20
    fi
}

# A foreign project in a folder of its own: C and C++ in one program.
project() {
    mkdir -p "$dir/$1" && cd "$dir/$1" || return
    cat >app.c <<'END'
#define DOLON_IMPLEMENTATION
#include <dolon.h>
int part(void);
int main(void)
{
    dolon_stats stats;
    dolon_tracer *t = dolon_start(NULL);
    int sum = part();
    dolon_get_stats(t, &stats);
    dolon_stop(t);
    return stats.columns > 7 && sum == 1 ? 0 : 1;
}
END
    cat >part.cpp <<'END'
#include <dolon.h>
extern "C" int part(void);
int part(void) { DOLON_FUNCTION(); DOLON_COUNT("parts", 1); return 1; }
END
}

cmake_project() {
    printf 'cmake_minimum_required(VERSION 3.14)\nproject(app C CXX)\n%s\nadd_executable(app app.c part.cpp)\n%s\n' "$1" \
        'target_link_libraries(app PRIVATE dolon::dolon)' >CMakeLists.txt
    cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" && cmake --build build && build/app
}

installed() {
    make --no-print-directory install PREFIX="$prefix" DESTDIR= && [ -x "$prefix/bin/mnemic" ] &&
        [ "$("$prefix/bin/mnemic" version)" = "$(build/mnemic version)" ]
}
by_pkg_config() {
    project pkg && export PKG_CONFIG_PATH=$prefix/share/pkgconfig && [ "$(pkg-config --modversion dolon)" = "$version" ] &&
        read -ra flags < <(pkg-config --cflags dolon) && read -ra libs < <(pkg-config --libs dolon) &&
        cc "${flags[@]}" -c app.c && c++ "${flags[@]}" -c part.cpp && c++ app.o part.o "${libs[@]}" -o app && ./app
}
by_find_package() {
    project found && cmake_project "find_package(dolon ${version%.*} REQUIRED)"
}
too_new() {
    project newer && ! cmake_project "find_package(dolon 99 REQUIRED)" && grep -q "version: $version" "$dir/log"
}
by_fetch() {
    project fetched && git clone -q --depth 1 "file://$root" clone &&
        cmake_project "include(FetchContent)
FetchContent_Declare(dolon GIT_REPOSITORY \"file://$dir/fetched/clone\" GIT_TAG HEAD SOURCE_SUBDIR packaging)
FetchContent_MakeAvailable(dolon)"
}
dist() {
    make --no-print-directory dist B="$dir" URL="file://$dir/dist" && python_reads_what_is_made
}
python_reads_what_is_made() {
    cd "$dir/dist" && node -e 'for (const f of process.argv.slice(1)) JSON.parse(require("fs").readFileSync(f))' \
        "dolon-$version/clib.json" vcpkg/vcpkg.json && ! grep -rn '@[A-Z0-9]*@' dolon.wrap vcpkg
}
by_release() {
    project release && cmake_project "include(FetchContent)
FetchContent_Declare(dolon URL \"$dir/dist/dolon-$version.tar.gz\")
FetchContent_MakeAvailable(dolon)"
}
installed_by_cmake() {
    cmake -S "$dir/dist/dolon-$version" -B "$dir/own" -DCMAKE_INSTALL_PREFIX="$dir/own-prefix" && cmake --install "$dir/own" &&
        diff -r "$dir/own-prefix/include" "$prefix/include" && diff -r "$dir/own-prefix/share/cmake" "$prefix/share/cmake" &&
        [ "$(PKG_CONFIG_PATH=$dir/own-prefix/share/pkgconfig pkg-config --modversion dolon)" = "$version" ]
}
by_meson() {
    project meson && mkdir subprojects && cp "$dir/dist/dolon.wrap" subprojects &&
        printf "project('app', 'c', 'cpp')\nexecutable('app', 'app.c', 'part.cpp', dependencies: dependency('dolon'))\n" >meson.build &&
        meson setup build && meson compile -C build && build/app
}
by_split() {
    make --no-print-directory split B="$dir" && project pair && sed -i '/DOLON_IMPLEMENTATION/d' app.c &&
        cc -std=c99 -Wall -Wextra -Werror -I "$dir/split" -c "$dir/split/dolon.c" app.c &&
        c++ -Wall -Wextra -Werror -I "$dir/split" -c part.cpp && c++ dolon.o app.o part.o -o app -pthread && ./app &&
        c++ -x c++ -std=c++11 -Wall -Wextra -Werror -I "$dir/split" -c "$dir/split/dolon.c"
}
man_pages() {
    mandoc -Tlint -W warning "$prefix"/share/man/man?/*
}

check "make install" make installed
check "a project by pkg-config" pkg-config by_pkg_config
check "a project by CMake's find_package" cmake by_find_package
check "find_package refuses a version that is too new" cmake too_new
check "a project by CMake's FetchContent, from a clone" cmake by_fetch
check "make dist" node dist
check "a project by FetchContent, from a release" cmake by_release
check "a release installs itself by CMake" cmake installed_by_cmake
check "a project by Meson's wrap, from a release" meson by_meson
check "a project with the pair of make split" cc by_split
check "man pages" mandoc man_pages
echo "1..$n"
