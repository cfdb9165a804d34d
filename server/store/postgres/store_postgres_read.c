/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_read: what is known of runs, a chunk's rows, events. */
#include "store/postgres/store_postgres_rows.h"

#include <stdlib.h>
#include <string.h>

static store_status no_run(pg_store *s)
{
    return pg_refuse(s, STORE_MISSING, "there is no such run");
}

/* ---- runs ---- */

static char *next_text(pg_array *a)
{
    span text = pg_next(a);
    return mem_strndup(text.p, text.n);
}

/* Fields of PG_RUN_FIELDS from `column` on. */
static bool read_columns(const PGresult *p, int row, int column, run_info *r)
{
    pg_array names = pg_array_of(p, row, column, PG_TEXT), units = pg_array_of(p, row, column + 1, PG_TEXT),
             kinds = pg_array_of(p, row, column + 2, PG_INT2);
    if (names.bad || units.count != names.count || kinds.count != names.count || names.count > MAX_COLUMNS)
        return false;
    r->columns = mem_calloc(names.count, sizeof *r->columns);
    r->column_count = names.count;
    for (size_t i = 0; i < names.count; i++)
        r->columns[i] = (run_column){next_text(&names), next_text(&units), (column_kind)pg_next_int(&kinds)};
    return !names.bad && !units.bad && !kinds.bad;
}

static bool read_tags(const PGresult *p, int row, int column, run_info *r)
{
    pg_array names = pg_array_of(p, row, column, PG_TEXT), values = pg_array_of(p, row, column + 1, PG_TEXT);
    if (names.bad || values.count != names.count || names.count > MAX_COLUMNS) return false;
    r->tags = mem_calloc(names.count, sizeof *r->tags);
    r->tag_count = names.count;
    for (size_t i = 0; i < names.count; i++) r->tags[i] = (run_tag){next_text(&names), next_text(&values)};
    return !names.bad && !values.bad;
}

/* The run of an answer's row, which has PG_RUN_FIELDS; NULL: it is damaged. */
static run_info *run_of(const PGresult *p, int row)
{
    int column = 0;
    run_info *r = mem_calloc(1, sizeof *r);
    r->id = pg_uuid(p, row, column++);
    r->app = pg_text(p, row, column++);
    r->host = pg_text(p, row, column++);
    r->build = pg_text(p, row, column++);
    r->args = pg_text(p, row, column++);
    r->place = pg_text(p, row, column++);
    r->pid = pg_int8(p, row, column++);
    r->born = (uint64_t)pg_int8(p, row, column++);
    r->started = pg_int8(p, row, column++);
    r->last = pg_int8(p, row, column++);
    r->seen = pg_int8(p, row, column++);
    r->interval = pg_int8(p, row, column++);
    r->state = (run_state)pg_int2(p, row, column++);
    r->rows = (uint64_t)pg_int8(p, row, column++);
    r->lost = (uint64_t)pg_int8(p, row, column++);
    r->next_seq = (uint64_t)pg_int8(p, row, column++);
    r->next_mark = (uint32_t)pg_int8(p, row, column++);
    r->offset = pg_int8(p, row, column++);
    r->counter = (uint64_t)pg_int8(p, row, column++);
    r->note = pg_text(p, row, column++);
    r->user_tags = pg_text(p, row, column++);
    r->pinned = pg_bool(p, row, column++);
    r->deleted = pg_int8(p, row, column++);
    r->removed = (uint64_t)pg_int8(p, row, column++);
    if (read_columns(p, row, column, r) && read_tags(p, row, column + 3, r)) return r;
    run_info_free(r);
    return NULL;
}

static store_status damaged_run(pg_store *s)
{
    return pg_refuse(s, STORE_FAILED, "what is stored of a run is damaged");
}

store_status postgres_run(store *base, const uuid *id, run_info **out)
{
    pg_store *s = (pg_store *)base;
    *out = NULL;
    PGresult *r;
    store_status status = pg_ready(s);
    if (status != STORE_OK) return status;
    pg_put_uuid(&s->params, id);
    status = pg_run(s, PG_RUN_GET, &r);
    if (status != STORE_OK) return status;
    bool there = PQntuples(r) > 0;
    if (there) *out = run_of(r, 0);
    PQclear(r);
    if (!there) return no_run(s);
    return *out ? STORE_OK : damaged_run(s);
}

static store_status give_runs(pg_store *s, bool (*each)(void *ctx, const run_info *r), void *ctx)
{
    pg_cursor c;
    bool there = true, more = true;
    store_status status = pg_cursor_open(&c, s, PG_RUNS);
    while (status == STORE_OK && more) {
        status = pg_cursor_next(&c, &there);
        if (status != STORE_OK || !there) break;
        run_info *r = run_of(c.piece, c.row);
        if (r)
            more = each(ctx, r);
        else
            status = damaged_run(s);
        run_info_free(r);
    }
    pg_cursor_close(&c);
    return status;
}

store_status postgres_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    status = give_runs(s, each, ctx);
    pg_read_end(s);
    return status;
}

store_status postgres_unmerged(store *base, bool (*each)(void *ctx, const uuid *id), void *ctx)
{
    pg_store *s = (pg_store *)base;
    PGresult *r;
    store_status status = pg_ready(s);
    if (status == STORE_OK) status = pg_run(s, PG_UNMERGED, &r);
    if (status != STORE_OK) return status;
    bool more = true;
    for (int i = 0; more && i < PQntuples(r); i++) {
        uuid id = pg_uuid(r, i, 0);
        more = each(ctx, &id);
    }
    PQclear(r);
    return STORE_OK;
}

/* ---- a chunk's rows ---- */

/* Which very entry is meant: one that it was merged into since may lie under the same first row. */
static void put_entry(pg_params *p, const uuid *id, const chunk_key *key)
{
    pg_put_uuid(p, id);
    pg_put_int8(p, key->first_time);
    pg_put_int8(p, (int64_t)key->first_seq);
    pg_put_int8(p, key->last_time);
    pg_put_int8(p, (int64_t)key->last_seq);
    pg_put_int8(p, (int64_t)key->rows);
}

static size_t ask_chunk(pg_store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count)
{
    pg_extent e = pg_extent_of(columns, count);
    put_entry(&s->params, id, key);
    pg_put_int4(&s->params, (int)e.first + 1);
    pg_put_int4(&s->params, (int)e.last + 1);
    pg_put_bool(&s->params, e.histograms);
    return pg_ask(s, PG_CHUNK_GET);
}

static store_status take_chunk(pg_store *s, size_t answer, const chunk_key *key, const uint32_t *columns, size_t count,
                               chunk **out)
{
    const PGresult *r = pg_answer(s, answer);
    if (PQntuples(r) == 0) return pg_refuse(s, STORE_MISSING, "the chunk is no more there");
    *out = pg_rows_of(r, key, columns, count);
    return *out ? STORE_OK : pg_refuse(s, STORE_FAILED, "the rows of a chunk are damaged");
}

store_status postgres_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                            chunk **out)
{
    pg_store *s = (pg_store *)base;
    *out = NULL;
    store_status status = pg_ready(s);
    if (status != STORE_OK) return status;
    size_t answer = ask_chunk(s, id, key, columns, count);
    status = pg_flush(s);
    return status == STORE_OK ? take_chunk(s, answer, key, columns, count, out) : status;
}

#define CHUNKS_AT_ONCE 64

/* Up to CHUNKS_AT_ONCE of them, in one way over the network and back. */
static store_status give_chunks(pg_store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        size_t asked = ask_chunk(s, id, &keys[i], NULL, 0);
        if (i == 0) first = asked;
    }
    store_status status = pg_flush(s);
    for (size_t i = 0; status == STORE_OK && i < count; i++)
        status = take_chunk(s, first + i, &keys[i], NULL, 0, &out[i]);
    return status;
}

store_status postgres_chunks(store *base, const uuid *id, const chunk_key *keys, size_t count, chunk **out)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_ready(s);
    for (size_t i = 0; status == STORE_OK && i < count; i += CHUNKS_AT_ONCE)
        status = give_chunks(s, id, keys + i, i + CHUNKS_AT_ONCE < count ? CHUNKS_AT_ONCE : count - i, out + i);
    return status;
}

#define SUMS_AT_ONCE 256

/* Up to SUMS_AT_ONCE of them, in one way over the network and back. */
static store_status give_sums(pg_store *s, const uuid *id, const chunk_key *keys, size_t from, size_t to,
                              store_sums_fn each, void *ctx)
{
    size_t first = 0;
    for (size_t i = from; i < to; i++) {
        put_entry(&s->params, id, &keys[i]);
        pg_put_int2(&s->params, (int)keys[i].level);
        size_t asked = pg_ask(s, PG_SUMS_GET);
        if (i == from) first = asked;
    }
    store_status status = pg_flush(s);
    for (size_t i = from; status == STORE_OK && i < to; i++) {
        const PGresult *r = pg_answer(s, first + i - from);
        if (PQntuples(r) == 0) return pg_refuse(s, STORE_MISSING, "the chunk is no more there");
        span sums = pg_bytes(r, 0, 0);
        if (sums.n) each(ctx, i, sums);
    }
    return status;
}

store_status postgres_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                           store_sums_fn each, void *ctx)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_ready(s);
    for (size_t i = 0; status == STORE_OK && i < count; i += SUMS_AT_ONCE)
        status = give_sums(s, id, keys, i, i + SUMS_AT_ONCE < count ? i + SUMS_AT_ONCE : count, each, ctx);
    return status;
}

/* ---- events ---- */

static bool give_event(const PGresult *r, int row, bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    run_event e = {
        .kind = (event_kind)pg_int2(r, row, 0),
        .time = pg_int8(r, row, 1),
        .until = pg_int8(r, row, 2),
        .seq = (uint64_t)pg_int8(r, row, 3),
        .count = (uint64_t)pg_int8(r, row, 4),
        .text = pg_text(r, row, 5),
    };
    bool more = each(ctx, &e);
    free(e.text);
    return more;
}

static store_status give_events(pg_store *s, const uuid *id, int64_t from, int64_t to,
                                bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    PGresult *r;
    pg_put_uuid(&s->params, id);
    store_status status = pg_run(s, PG_SPANS, &r);
    if (status != STORE_OK) return status;
    bool known = PQntuples(r) > 0;
    int64_t max_gap = known ? pg_int8(r, 0, 1) : 0;
    PQclear(r);
    if (!known) return no_run(s);
    pg_put_uuid(&s->params, id);
    pg_put_int8(&s->params, store_earliest(from, max_gap));
    pg_put_int8(&s->params, from);
    pg_put_int8(&s->params, to);
    pg_cursor c;
    bool there = true, more = true;
    status = pg_cursor_open(&c, s, PG_EVENTS);
    while (status == STORE_OK && more) {
        status = pg_cursor_next(&c, &there);
        if (status != STORE_OK || !there) break;
        more = give_event(c.piece, c.row, each, ctx);
    }
    pg_cursor_close(&c);
    return status;
}

store_status postgres_events(store *base, const uuid *id, int64_t from, int64_t to,
                             bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    status = give_events(s, id, from, to, each, ctx);
    pg_read_end(s);
    return status;
}
