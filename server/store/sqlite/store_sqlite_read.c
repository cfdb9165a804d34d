/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite_read: what is known of runs, a chunk's rows, events. */
#include "store/sqlite/store_sqlite.h"

#include <stdlib.h>
#include <string.h>

/* ---- runs ---- */

static char *text_of(sqlite3_stmt *st, int column)
{
    span text = sql_bytes(st, column);
    return mem_strndup(text.p, text.n);
}

static store_status read_columns(sqlite_store *s, int64_t run, run_info *r)
{
    sqlite3_stmt *st = s->sql[SQL_COLUMNS];
    sqlite3_bind_int64(st, 1, run);
    size_t room = 0;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (r->column_count == room) r->columns = mem_resize(r->columns, room = room * 2 + 8, sizeof *r->columns);
        r->columns[r->column_count++] =
            (run_column){text_of(st, 0), text_of(st, 1), (column_kind)sqlite3_column_int(st, 2)};
    }
    return sql_end(s, st, rc);
}

static store_status read_tags(sqlite_store *s, int64_t run, run_info *r)
{
    sqlite3_stmt *st = s->sql[SQL_TAGS];
    sqlite3_bind_int64(st, 1, run);
    size_t room = 0;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (r->tag_count == room) r->tags = mem_resize(r->tags, room = room * 2 + 4, sizeof *r->tags);
        r->tags[r->tag_count++] = (run_tag){text_of(st, 0), text_of(st, 1)};
    }
    return sql_end(s, st, rc);
}

/* The run of the row on which a statement over STORE_RUN_FIELDS stands. */
static run_info *run_of(sqlite3_stmt *st)
{
    run_info *r = mem_calloc(1, sizeof *r);
    memcpy(r->id.b, sql_bytes(st, 1).p, sizeof r->id.b); /* a CHECK keeps the length */
    r->app = text_of(st, 2);
    r->host = text_of(st, 3);
    r->build = text_of(st, 4);
    r->args = text_of(st, 5);
    r->pid = sqlite3_column_int64(st, 6);
    r->started = sqlite3_column_int64(st, 7);
    r->last = sqlite3_column_int64(st, 8);
    r->seen = sqlite3_column_int64(st, 9);
    r->interval = sqlite3_column_int64(st, 10);
    r->rows = (uint64_t)sqlite3_column_int64(st, 11);
    r->lost = (uint64_t)sqlite3_column_int64(st, 12);
    r->next_seq = (uint64_t)sqlite3_column_int64(st, 13);
    r->state = (run_state)sqlite3_column_int(st, 14);
    r->note = text_of(st, 15);
    r->pinned = sqlite3_column_int(st, 16) != 0;
    r->next_mark = (uint32_t)sqlite3_column_int64(st, 17);
    r->offset = sqlite3_column_int64(st, 18);
    r->place = text_of(st, 19);
    r->born = (uint64_t)sqlite3_column_int64(st, 20);
    r->counter = (uint64_t)sqlite3_column_int64(st, 21);
    r->user_tags = text_of(st, 22);
    r->deleted = sqlite3_column_int64(st, 23);
    r->removed = (uint64_t)sqlite3_column_int64(st, 24);
    return r;
}

/* The run on which `st` stands, with what is in tables of its own; NULL if that fails. */
static store_status read_run(sqlite_store *s, sqlite3_stmt *st, run_info **out)
{
    int64_t key = sqlite3_column_int64(st, 0);
    run_info *r = run_of(st);
    store_status status = read_columns(s, key, r);
    if (status == STORE_OK) status = read_tags(s, key, r);
    if (status != STORE_OK) {
        run_info_free(r);
        r = NULL;
    }
    *out = r;
    return status;
}

store_status sqlite_run(store *base, const uuid *id, run_info **out)
{
    sqlite_store *s = (sqlite_store *)base;
    *out = NULL;
    sqlite3_stmt *st = s->sql[SQL_RUN_GET];
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    sqlite3_bind_blob(st, 1, id->b, sizeof id->b, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) status = read_run(s, st, out);
    store_status end = sql_end(s, st, rc);
    sql_read_end(s);
    if (status != STORE_OK || end != STORE_OK) return status != STORE_OK ? status : end;
    return *out ? STORE_OK : sql_refuse(s, STORE_MISSING, "there is no such run");
}

store_status sqlite_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    sqlite3_stmt *st = s->sql[SQL_RUNS];
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    int rc = SQLITE_ROW;
    bool more = true;
    while (status == STORE_OK && more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        run_info *r;
        status = read_run(s, st, &r);
        if (status == STORE_OK) more = each(ctx, r);
        run_info_free(r);
    }
    store_status end = sql_end(s, st, rc);
    sql_read_end(s);
    return status != STORE_OK ? status : end;
}

store_status sqlite_unmerged(store *base, bool (*each)(void *ctx, const uuid *id), void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    sqlite3_stmt *st = s->sql[SQL_UNMERGED];
    int rc;
    bool more = true;
    while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        uuid id;
        memcpy(id.b, sql_bytes(st, 0).p, sizeof id.b);
        more = each(ctx, &id);
    }
    return sql_end(s, st, rc);
}

/* ---- a chunk's rows ---- */

/* Asks for the very entry that `key` describes: one that it was merged into since may lie under the same first row. Then
   column 3 of the statement is what is wanted of it; afterwards sql_end(). */
static int find_entry(sqlite3_stmt *st, int64_t run, const chunk_key *k, bool *same)
{
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, k->level);
    sqlite3_bind_int64(st, 3, k->first_time);
    sqlite3_bind_int64(st, 4, (int64_t)k->first_seq);
    int rc = sqlite3_step(st);
    *same = rc == SQLITE_ROW && sqlite3_column_int64(st, 0) == k->last_time &&
            sqlite3_column_int64(st, 1) == (int64_t)k->last_seq && sqlite3_column_int64(st, 2) == (int64_t)k->rows;
    return rc;
}

static store_status end_find(sqlite_store *s, sqlite3_stmt *st, int rc, bool same)
{
    store_status status = sql_end(s, st, rc);
    return status == STORE_OK && !same ? sql_refuse(s, STORE_MISSING, "the chunk is no more there") : status;
}

/* The name of the entry's rows. */
static store_status find_data(sqlite_store *s, int64_t run, const chunk_key *k, int64_t *data)
{
    bool same;
    sqlite3_stmt *st = s->sql[SQL_CHUNK_FIND];
    int rc = find_entry(st, run, k, &same);
    if (same) *data = sqlite3_column_int64(st, 3);
    return end_find(s, st, rc, same);
}

static store_status give_sums(sqlite_store *s, int64_t run, const chunk_key *keys, size_t entry, store_sums_fn each,
                              void *ctx)
{
    bool same;
    sqlite3_stmt *st = s->sql[SQL_SUMS_GET];
    int rc = find_entry(st, run, &keys[entry], &same);
    span sums = same ? sql_bytes(st, 3) : span_of("");
    if (sums.n) each(ctx, entry, sums);
    return end_find(s, st, rc, same);
}

static store_status read_data(sqlite_store *s, int64_t data, const uint32_t *columns, size_t count, chunk **out)
{
    sqlite3_stmt *st = s->sql[SQL_DATA_GET];
    sqlite3_bind_int64(st, 1, data);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = chunk_decode(sql_bytes(st, 0), columns, count);
    store_status status = sql_end(s, st, rc);
    if (status == STORE_OK && !*out) status = sql_refuse(s, STORE_FAILED, "the rows of a chunk are damaged");
    return status;
}

store_status sqlite_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                          chunk **out)
{
    sqlite_store *s = (sqlite_store *)base;
    *out = NULL;
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    int64_t run, data = 0;
    status = sql_run_key(s, id, &run);
    if (status == STORE_OK) status = find_data(s, run, key, &data);
    if (status == STORE_OK) status = read_data(s, data, columns, count, out);
    sql_read_end(s);
    return status;
}

store_status sqlite_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                         store_sums_fn each, void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    int64_t run;
    status = sql_run_key(s, id, &run);
    for (size_t i = 0; status == STORE_OK && i < count; i++) status = give_sums(s, run, keys, i, each, ctx);
    sql_read_end(s);
    return status;
}

/* ---- events ---- */

store_status sqlite_events(store *base, const uuid *id, int64_t from, int64_t to,
                           bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    int64_t run;
    store_status status = sql_run_key(s, id, &run);
    if (status != STORE_OK) return status;
    sqlite3_stmt *st = s->sql[SQL_EVENTS];
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, from);
    sqlite3_bind_int64(st, 3, to);
    int rc;
    bool more = true;
    while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        run_event e = {
            .kind = (event_kind)sqlite3_column_int(st, 0),
            .time = sqlite3_column_int64(st, 1),
            .until = sqlite3_column_int64(st, 2),
            .seq = (uint64_t)sqlite3_column_int64(st, 3),
            .count = (uint64_t)sqlite3_column_int64(st, 4),
            .text = text_of(st, 5),
        };
        more = each(ctx, &e);
        free(e.text);
    }
    return sql_end(s, st, rc);
}
