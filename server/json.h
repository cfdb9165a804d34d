/* SPDX-License-Identifier: MIT OR Unlicense
   json: what the API answers, written out (API.md says what it means). Pure. All text is UTF-8 already. */
#ifndef JSON_H
#define JSON_H

#include "query.h"

void json_string(buf *out, const char *s);          /* with its quotes; RFC 8259 §7 */
void json_ms(buf *out, int64_t ns);                 /* milliseconds with as many decimals as needed, exactly */

/* A RUN. `now`: the server's clock, which silence is measured by. */
void json_run(buf *out, const run_info *r, int64_t now);
/* A RUN with its passport; `last`: each column's newest value, NaN for none. */
void json_run_details(buf *out, const run_info *r, const double *last, int64_t now);

/* `range`: also from and to, as used. The run names the columns. */
typedef struct {
    int64_t from, to;
} json_range;
void json_series(buf *out, const run_info *r, const series *s, const json_range *range);

#endif
