/* SPDX-License-Identifier: MIT OR Unlicense
   emit: what the API answers as JSON, written out (API.md says what it means). Pure. All text is UTF-8 already. */
#ifndef EMIT_H
#define EMIT_H

#include "query/query.h"

void emit_string(buf *out, const char *s); /* with its quotes; RFC 8259 §7                          */
void emit_ms(buf *out, int64_t ns);        /* milliseconds with as many decimals as needed, exactly */

/* A RUN. `now`: the server's clock, which silence is measured by. */
void emit_run(buf *out, const run_info *r, int64_t now);
/* A RUN with its passport; `last`: each column's newest value, NaN for none. */
void emit_run_details(buf *out, const run_info *r, const double *last, int64_t now);

/* `range`: also from and to, as used. The run names the columns. */
typedef struct {
    int64_t from, to;
} emit_range;
void emit_series(buf *out, const run_info *r, const series *s, const emit_range *range);

#endif
