/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_original_rows: the rows of a run of the original, as entries that are made while reading.

   An entry's place and rows must be found again from its key alone. So entries end only where the time changes: then the
   time tells exactly which rows are meant, and the ids from the least to the greatest, by the tables' only index, where
   to look for them. */
#include "store/postgres/store_postgres_original.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_ROWS 2048

/* ---- PostgreSQL's binary forms ---- */

static uint32_t int4_at(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

/* A float4 as float64; what is no number has no value. */
static double float4_at(const char *p)
{
    uint32_t bits = int4_at(p);
    float v;
    memcpy(&v, &bits, sizeof v);
    return isfinite(v) ? (double)v : NAN;
}

/* The values of a real[]: number of dimensions, flag, element type; each dimension's length and first index; then each
   value's length (-1: null) and bytes. (PostgreSQL's src/backend/utils/adt/arrayfuncs.c, array_send()) */
static void read_values(span array, double *out, size_t columns)
{
    const char *p = array.p, *end = array.p + array.n;
    if (array.n < 12) return;
    size_t dimensions = int4_at(p), count = dimensions ? 1 : 0;
    p += 12;
    for (size_t i = 0; i < dimensions && end - p >= 8; i++, p += 8) count *= int4_at(p);
    for (size_t i = 0; i < count && i < columns && end - p >= 4; i++) {
        uint32_t bytes = int4_at(p);
        p += 4;
        if (bytes == UINT32_MAX) continue;
        if ((size_t)(end - p) < bytes) return;
        if (bytes == sizeof(float)) out[i] = float4_at(p);
        p += bytes;
    }
}

/* ---- rows ---- */

void original_rows_add(original_rows *r, const PGresult *answer, int row)
{
    batch_part *p = &r->part;
    if (p->rows == r->room) {
        r->room = r->room * 2 + FETCH_ROWS;
        p->time = mem_resize(p->time, r->room, sizeof *p->time);
        p->seq = mem_resize(p->seq, r->room, sizeof *p->seq);
        p->values = mem_resize(p->values, r->room, p->columns * sizeof *p->values);
    }
    int fields = PQnfields(answer);
    double *values = p->values + p->rows * p->columns;
    p->seq[p->rows] = (uint64_t)pg_int8(answer, row, fields - 3);
    p->time[p->rows] = pg_int8(answer, row, fields - 2);
    for (size_t i = 0; i < p->columns; i++) values[i] = NAN;
    if (!PQgetisnull(answer, row, fields - 1))
        read_values((span){PQgetvalue(answer, row, fields - 1), (size_t)PQgetlength(answer, row, fields - 1)}, values,
                    p->columns);
    p->rows++;
}

chunk *original_rows_take(original_rows *r, size_t rows)
{
    batch_part *p = &r->part;
    chunk *c = chunk_from_part(p, 0, rows);
    p->rows -= rows;
    memmove(p->time, p->time + rows, p->rows * sizeof *p->time);
    memmove(p->seq, p->seq + rows, p->rows * sizeof *p->seq);
    memmove(p->values, p->values + rows * p->columns, p->rows * p->columns * sizeof *p->values);
    return c;
}

void original_rows_free(original_rows *r)
{
    free(r->part.time);
    free(r->part.seq);
    free(r->part.values);
    *r = (original_rows){0};
}

/* ---- entries ---- */

/* A run with more rows of one moment than a chunk can hold: they are parted by id after all. */
static size_t whole_moments(const batch_part *p)
{
    size_t n = p->rows;
    while (n > 1 && p->time[n - 1] == p->time[n - 2]) n--;
    return n > 1 ? n - 1 : p->rows >= CHUNK_MAX_ROWS ? CHUNK_MAX_ROWS : 0;
}

typedef struct {
    original_rows rows;
    store_entry_fn each;
    void *ctx;
    bool stopped;
} entry_maker;

static void give_entry(entry_maker *m, size_t rows)
{
    chunk *c = original_rows_take(&m->rows, rows);
    m->stopped = !m->each(m->ctx, &c->key, c->summaries, c->columns);
    chunk_free(c);
}

/* Takes rows that follow in order of (time, id); none: it was the last of them. */
static void make_entries(entry_maker *m, const PGresult *answer)
{
    int count = PQntuples(answer);
    for (int i = 0; i < count; i++) original_rows_add(&m->rows, answer, i);
    size_t n;
    while (!m->stopped && m->rows.part.rows > CHUNK_ROWS && (n = whole_moments(&m->rows.part)) > 0) give_entry(m, n);
    if (count == 0 && !m->stopped && m->rows.part.rows > 0) give_entry(m, m->rows.part.rows);
}

#define TIME ORIGINAL_TIME("date_time", "$2")
#define ROWS_OF_RUN                                                                                                  \
    "SELECT id::bigint, " TIME ", row_data FROM public.tracing_row WHERE uuid = $1 AND " TIME " BETWEEN $3 AND $4"

static const char declare_scan[] = "DECLARE original_scan NO SCROLL CURSOR FOR " ROWS_OF_RUN " ORDER BY 2, 1";
static const char fetch_scan[] = "FETCH 2048 FROM original_scan";

static void put_range(pg_store *s, const original_run *run, int64_t from, int64_t to)
{
    pg_put_text(&s->params, run->text);
    pg_put_text(&s->params, s->original->zone);
    pg_put_int8(&s->params, from);
    pg_put_int8(&s->params, to);
}

static store_status read_scan(pg_store *s, entry_maker *m)
{
    store_status status = original_ask(s, declare_scan, NULL);
    for (bool more = true; status == STORE_OK && more && !m->stopped;) {
        PGresult *answer;
        status = original_ask(s, fetch_scan, &answer);
        if (status != STORE_OK) return status;
        more = PQntuples(answer) > 0;
        make_entries(m, answer);
        PQclear(answer);
    }
    return status == STORE_OK ? original_ask(s, "CLOSE original_scan", NULL) : status;
}

store_status original_scan(pg_store *s, const original_run *run, int64_t from, int64_t to, store_entry_fn each,
                            void *ctx)
{
    entry_maker m = {.rows.part.columns = run->info->column_count, .each = each, .ctx = ctx};
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    put_range(s, run, from, to);
    status = read_scan(s, &m);
    pg_read_end(s);
    original_rows_free(&m.rows);
    return status;
}

/* Leaves only the columns that are asked for. */
static void drop_columns(chunk *c, const uint32_t *columns, size_t count)
{
    for (size_t i = 0; i < c->columns; i++) {
        bool wanted = !columns;
        for (size_t k = 0; !wanted && k < count; k++) wanted = columns[k] == i;
        if (!wanted) c->values[i] = NULL;
    }
}

store_status original_chunk(pg_store *s, const original_run *run, const chunk_key *key, const uint32_t *columns,
                            size_t count, chunk **out)
{
    PGresult *answer;
    put_range(s, run, key->first_time, key->last_time);
    pg_put_int8(&s->params, (int64_t)key->first_seq);
    pg_put_int8(&s->params, (int64_t)key->last_seq);
    store_status status =
        original_ask(s, ROWS_OF_RUN " AND id BETWEEN $5::bigint AND $6::bigint ORDER BY 2, 1", &answer);
    if (status != STORE_OK) return status;
    original_rows rows = {.part.columns = run->info->column_count};
    for (int i = 0; i < PQntuples(answer); i++) original_rows_add(&rows, answer, i);
    PQclear(answer);
    if (rows.part.rows == key->rows && key->rows > 0) {
        *out = original_rows_take(&rows, rows.part.rows);
        drop_columns(*out, columns, count);
    } else {
        status = pg_refuse(s, STORE_MISSING, "the rows are no more there");
    }
    original_rows_free(&rows);
    return status;
}
