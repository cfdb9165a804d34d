/* SPDX-License-Identifier: MIT OR Unlicense
   emit_correlation: a correlation as JSON, its columns by similarity. */
#include "http/emit_correlation.h"

#include <inttypes.h>
#include <math.h>

/* Four decimals: more would be noise, and the answer is the square of the columns. */
static void put_r(buf *out, double r)
{
    buf_double(out, isnan(r) ? r : round(r * 1e4) / 1e4 + 0.0);
}

static void put_names(buf *out, const correlation *c, const correlated *of)
{
    buf_text(out, ",\"columns\":[");
    for (size_t i = 0; i < c->count; i++) {
        buf_text(out, i ? "," : "");
        emit_string(out, of->run->columns[of->columns[c->order[i]]].name);
    }
    buf_text(out, "]");
}

/* The half below the diagonal and the diagonal: the rest is the same. */
static void put_rows(buf *out, const correlation *c, const char *name, bool r)
{
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < c->count; i++) {
        buf_text(out, i ? ",\n[" : "[");
        for (size_t j = 0; j <= i; j++) {
            size_t at = c->order[i] * c->count + c->order[j];
            buf_text(out, j ? "," : "");
            if (r)
                put_r(out, c->r[at]);
            else
                buf_printf(out, "%" PRIu32, c->n[at]);
        }
        buf_text(out, "]");
    }
    buf_text(out, "]");
}

void emit_correlation(buf *out, const correlation *c, const correlated *of)
{
    buf_text(out, "{\"from\":");
    emit_ms(out, of->range.from);
    buf_text(out, ",\"to\":");
    emit_ms(out, of->range.to);
    buf_printf(out, ",\"points\":%zu,\"exact\":%s,\"differenced\":%s", of->points, of->exact ? "true" : "false",
               of->differenced ? "true" : "false");
    put_names(out, c, of);
    put_rows(out, c, "r", true);
    put_rows(out, c, "n", false);
    buf_text(out, "}\n");
}
