#!/bin/sh
# SPDX-License-Identifier: MIT OR Unlicense
# dolon.h as a pair, for projects that want no implementation in a header.   split.sh FOLDER writes dolon.h and dolon.c there
set -eu
header=$(dirname "$0")/../dolon.h
to=$1
mkdir -p "$to"
awk -v h="$to/dolon.h" -v c="$to/dolon.c" '
BEGIN {
    out = h
    print "/* SPDX-License-Identifier: MIT OR Unlicense\n   dolon.c: the implementation of dolon.h, made from it by" \
          " packaging/split.sh. Compile it once, as C or C++. */\n\n#define DOLON_IMPLEMENTATION\n#include \"dolon.h\"\n" > c
}
/^#if defined\(DOLON_IMPLEMENTATION\) && !defined\(DOLON_DISABLE\)/ { out = c }
/^\/\* ---- >>licence/ { print "\n" $0 > c; print > h; both = 1; next }
both { print > c; print > h; next }
{ print > out }
NR == 2 { print "   One of a pair, made by packaging/split.sh: dolon.c is the implementation; define nothing for it." > h }
' "$header"
