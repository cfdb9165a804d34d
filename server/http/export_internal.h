/* SPDX-License-Identifier: MIT OR Unlicense
   export_internal: what the files of export share. */
#ifndef EXPORT_INTERNAL_H
#define EXPORT_INTERNAL_H

#include "http/export.h"

struct export
{
    run_info *run;
    export_format format;
    int64_t from, to;
    bool begun, ended;
    query_cursor cursor;
    chunk *chunk; /* whose rows from `row` on are still to be written; NULL: fetch the next */
    size_t row;
    int64_t second; /* whose text is in … */
    char second_text[40];
    buf *labels;    /* each column's name as it is written again and again */
    int64_t origin; /* of a trace: its time 0 */
};

double export_value(const export *e, size_t column); /* of the row at hand; NaN: none */

/* ---- export_trace.c ---- */
store_status trace_begin(export *e, store *s, buf *out);
void trace_row(export *e, buf *out);
void trace_end(buf *out);

#endif
