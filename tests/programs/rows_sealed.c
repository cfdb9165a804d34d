/* SPDX-License-Identifier: MIT OR Unlicense
   rows_sealed: rows, whose datagrams are sealed if DOLON_KEY_FILE names a key. */
#define DOLON_SODIUM
#include "rows.c"
