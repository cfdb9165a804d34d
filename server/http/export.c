/* SPDX-License-Identifier: MIT OR Unlicense
   export: a run's rows as text, a piece at a time. */
#include "http/export_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/emit.h"

/* What differs from one format to the other; NULL: nothing to do. */
typedef struct {
    const char *suffix, *media_type;
    store_status (*begin)(export *e, store *s, buf *out);
    void (*row)(export *e, buf *out);
    void (*end)(buf *out);
} export_kind;

static store_status csv_begin(export *e, store *s, buf *out);
static store_status ndjson_begin(export *e, store *s, buf *out);
static void csv_row(export *e, buf *out);
static void ndjson_row(export *e, buf *out);

static const export_kind kinds[] = {
    [EXPORT_CSV] = {"csv", "text/csv; charset=utf-8", csv_begin, csv_row, NULL},
    [EXPORT_NDJSON] = {"ndjson", "application/x-ndjson", ndjson_begin, ndjson_row, NULL},
    [EXPORT_TRACE] = {"trace.json", "application/json", trace_begin, trace_row, trace_end},
};

const char *export_suffix(export_format f)
{
    return kinds[f].suffix;
}

const char *export_media_type(export_format f)
{
    return kinds[f].media_type;
}

store_status export_open(store *s, const uuid *run, export_format format, int64_t from, int64_t to, export **out)
{
    run_info *info;
    store_status status = store_run(s, run, &info);
    if (status != STORE_OK) return status;
    export *e = mem_calloc(1, sizeof *e);
    *e = (export){.run = info, .format = format, .from = from, .to = to, .second = INT64_MIN};
    e->labels = mem_calloc(info->column_count, sizeof e->labels[0]);
    *out = e;
    return STORE_OK;
}

const run_info *export_run(const export *e)
{
    return e->run;
}

void export_free(export *e)
{
    for (size_t i = 0; i < e->run->column_count; i++) buf_free(&e->labels[i]);
    free(e->labels);
    if (e->chunk) chunk_free(e->chunk);
    run_info_free(e->run);
    free(e);
}

/* ---- rows ---- */

double export_value(const export *e, size_t column)
{
    /* A chunk from before a column joined has fewer; what joined after the export began is not in its head. */
    return column < e->chunk->columns ? e->chunk->values[column][e->row] : NAN;
}

/* Quoted if it must be (RFC 4180 §2). */
static void csv_field(buf *out, const char *s)
{
    if (!strpbrk(s, ",\"\r\n")) {
        buf_text(out, s);
        return;
    }
    buf_text(out, "\"");
    for (; *s; s++) buf_append(out, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    buf_text(out, "\"");
}

static store_status csv_begin(export *e, store *s, buf *out)
{
    (void)s;
    buf_text(out, "time,seq");
    for (size_t i = 0; i < e->run->column_count; i++) {
        buf_text(out, ",");
        csv_field(out, e->run->columns[i].name);
    }
    buf_text(out, "\r\n");
    return STORE_OK;
}

static void csv_time(export *e, int64_t time, buf *out)
{
    int64_t second = time / NS_PER_SECOND, ns = time % NS_PER_SECOND;
    if (ns < 0) second--, ns += NS_PER_SECOND;
    if (second != e->second) {
        time_t t = (time_t)second;
        struct tm utc;
        gmtime_r(&t, &utc);
        strftime(e->second_text, sizeof e->second_text, "%Y-%m-%dT%H:%M:%S", &utc);
        e->second = second;
    }
    buf_printf(out, "%s.%09" PRId64 "Z", e->second_text, ns);
}

static void csv_row(export *e, buf *out)
{
    csv_time(e, e->chunk->time[e->row], out);
    buf_printf(out, ",%" PRIu64, e->chunk->seq[e->row]);
    for (size_t i = 0; i < e->run->column_count; i++) {
        buf_append(out, ",", 1);
        double v = export_value(e, i);
        if (isfinite(v)) buf_double(out, v);
    }
    buf_append(out, "\r\n", 2);
}

static store_status ndjson_begin(export *e, store *s, buf *out)
{
    (void)s, (void)out;
    for (size_t i = 0; i < e->run->column_count; i++) {
        buf_text(&e->labels[i], i ? "," : "");
        emit_string(&e->labels[i], e->run->columns[i].name);
        buf_text(&e->labels[i], ":");
    }
    return STORE_OK;
}

static void ndjson_row(export *e, buf *out)
{
    buf_printf(out, "{\"time\":\"%" PRId64 "\",\"seq\":%" PRIu64 ",\"values\":{", e->chunk->time[e->row],
               e->chunk->seq[e->row]);
    for (size_t i = 0; i < e->run->column_count; i++) {
        buf_append(out, e->labels[i].p, e->labels[i].n);
        buf_double(out, export_value(e, i));
    }
    buf_text(out, "}}\n");
}

static void write_chunk(export *e, size_t until, buf *out)
{
    for (; e->row < e->chunk->rows && out->n < until; e->row++) kinds[e->format].row(e, out);
    if (e->row < e->chunk->rows) return;
    chunk_free(e->chunk);
    e->chunk = NULL;
    e->row = 0;
}

static store_status write_rows(export *e, store *s, size_t until, buf *out)
{
    while (out->n < until) {
        if (!e->chunk) {
            store_status status = query_rows(s, &e->run->id, e->from, e->to, &e->cursor, &e->chunk);
            if (status != STORE_OK) return status;
            if (!e->chunk) {
                if (kinds[e->format].end) kinds[e->format].end(out);
                e->ended = true;
                return STORE_OK;
            }
        }
        write_chunk(e, until, out);
    }
    return STORE_OK;
}

store_status export_next(export *e, store *s, buf *out)
{
    size_t until = out->n + EXPORT_PIECE;
    store_status status = STORE_OK;
    if (e->ended) return status;
    if (!e->begun) status = kinds[e->format].begin(e, s, out);
    e->begun = true;
    return status == STORE_OK ? write_rows(e, s, until, out) : status;
}
