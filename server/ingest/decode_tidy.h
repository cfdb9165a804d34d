/* SPDX-License-Identifier: MIT OR Unlicense
   decode_tidy: numbers as clients write them → numbers as JSON has them. Pure. */
#ifndef DECODE_TIDY_H
#define DECODE_TIDY_H

#include "base/base.h"

/* Python writes NaN, Infinity and -Infinity, and integers of any length, into what it calls JSON. Outside of strings,
   the former, and numbers beyond a double's range, become null; integers beyond int64 become reals. Everything
   else stays as it is, right or wrong. Returns the text to parse: `json` itself if there was nothing to do, else what
   it has put into the empty `out`, which the caller frees. */
span decode_tidy(span json, buf *out);

#endif
