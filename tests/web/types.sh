#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Unlicense
# The page's modules under TypeScript's strictest reading of their JSDoc types.
cd "$(dirname "$0")/../.."
tsc=${NODE_MODULES:-web/node_modules}/.bin/tsc
echo 1..1
if out=$("$tsc" -p web); then
    echo "ok 1 - tsc --checkJs is content"
else
    echo "not ok 1 - tsc --checkJs is content"
    sed 's/^/# /' <<<"$out"
    exit 1
fi
