/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite_write: store_write(), one transaction.

   A summary of level k > 0 stands for all entries of lower levels whose (first_time, first_seq) lies between its own and
   its `until`. The summaries of a level never overlap in that sense. So whatever is put or dropped below is looked up
   by its key, level by level, and a summary that would become wrong goes. */
#include "store/sqlite/store_sqlite.h"
#include "store/store_trim.h"

#include <assert.h>
#include <string.h>

/* What a change adds to the row of its run. */
typedef struct {
    sqlite_store *s;
    int64_t run; /* its short name */
    int64_t rows, lost, small, loose, max_gap;
} growth;

/* Where an entry lies within its level. */
typedef struct {
    int64_t time, seq;
} place;

static place place_of(const chunk_key *k)
{
    return (place){k->first_time, (int64_t)k->first_seq};
}

static bool before(place a, place b)
{
    return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

/* ---- the run's facts ---- */

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static store_status put_run(sqlite_store *s, sqlite3_stmt *statement, const run_info *r, int64_t facts)
{
    sqlite3_bind_blob(statement, 1, r->id.b, sizeof r->id.b, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, facts);
    bind_text(statement, 3, r->app);
    bind_text(statement, 4, r->host);
    bind_text(statement, 5, r->build);
    bind_text(statement, 6, r->args);
    sqlite3_bind_int64(statement, 7, r->pid);
    sqlite3_bind_int64(statement, 8, r->started);
    sqlite3_bind_int64(statement, 9, r->interval);
    bind_text(statement, 10, r->place);
    sqlite3_bind_int64(statement, 11, (int64_t)r->born);
    return sql_run(s, statement);
}

static store_status put_columns(sqlite_store *s, int64_t run, const run_info *r)
{
    sqlite3_stmt *put = s->sql[SQL_COLUMN_PUT];
    store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < r->column_count; i++) {
        sqlite3_bind_int64(put, 1, run);
        sqlite3_bind_int64(put, 2, (int64_t)i);
        bind_text(put, 3, r->columns[i].name);
        bind_text(put, 4, r->columns[i].unit);
        sqlite3_bind_int64(put, 5, r->columns[i].kind);
        status = sql_run(s, put);
    }
    return status;
}

static store_status put_tags(sqlite_store *s, int64_t run, const run_info *r)
{
    sqlite3_stmt *drop = s->sql[SQL_TAGS_DROP], *put = s->sql[SQL_TAG_PUT];
    sqlite3_bind_int64(drop, 1, run);
    store_status status = sql_run(s, drop);
    for (size_t i = 0; status == STORE_OK && i < r->tag_count; i++) {
        sqlite3_bind_int64(put, 1, run);
        sqlite3_bind_int64(put, 2, (int64_t)i);
        bind_text(put, 3, r->tags[i].name);
        bind_text(put, 4, r->tags[i].value);
        status = sql_run(s, put);
    }
    return status;
}

/* A run as it is stored. */
typedef struct {
    bool there;
    int64_t key, facts; /* its short name; the hash of its facts */
    store_position at;
} stored_run;

static store_status find_run(sqlite_store *s, const uuid *id, stored_run *out)
{
    sqlite3_stmt *st = s->sql[SQL_RUN_FIND];
    sqlite3_bind_blob(st, 1, id->b, sizeof id->b, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    *out = (stored_run){.there = rc == SQLITE_ROW};
    if (out->there) {
        out->key = sqlite3_column_int64(st, 0);
        out->facts = sqlite3_column_int64(st, 1);
        out->at.next_seq = (uint64_t)sqlite3_column_int64(st, 2);
        out->at.next_mark = (uint32_t)sqlite3_column_int64(st, 3);
        out->at.last = sqlite3_column_int64(st, 4);
        out->at.state = (run_state)sqlite3_column_int64(st, 5);
    }
    return sql_end(s, st, rc);
}

/* Makes the run, or brings its facts up to date; `stored->key` gets its short name. */
static store_status write_facts(sqlite_store *s, const run_info *r, stored_run *stored)
{
    int64_t facts = store_facts(r);
    if (stored->there && stored->facts == facts) return STORE_OK;
    store_status status = put_run(s, s->sql[stored->there ? SQL_RUN_FACTS : SQL_RUN_INSERT], r, facts);
    if (!stored->there) stored->key = sqlite3_last_insert_rowid(s->db);
    if (status == STORE_OK) status = put_columns(s, stored->key, r);
    return status == STORE_OK ? put_tags(s, stored->key, r) : status;
}

/* ---- entries ---- */

/* What is stored under an entry's key. */
typedef struct {
    bool there, same;
    int64_t data;
} found;

static store_status find(growth *g, const chunk_key *k, found *out)
{
    sqlite3_stmt *st = g->s->sql[SQL_CHUNK_FIND];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, k->level);
    sqlite3_bind_int64(st, 3, k->first_time);
    sqlite3_bind_int64(st, 4, (int64_t)k->first_seq);
    int rc = sqlite3_step(st);
    *out = (found){.there = rc == SQLITE_ROW};
    if (out->there) {
        out->same = sqlite3_column_int64(st, 0) == k->last_time &&
                    sqlite3_column_int64(st, 1) == (int64_t)k->last_seq &&
                    sqlite3_column_int64(st, 2) == (int64_t)k->rows;
        out->data = sqlite3_column_int64(st, 3);
    }
    return sql_end(g->s, st, rc);
}

static store_status remove_entry(growth *g, uint32_t level, place at)
{
    sqlite3_stmt *st = g->s->sql[SQL_CHUNK_DROP];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, level);
    sqlite3_bind_int64(st, 3, at.time);
    sqlite3_bind_int64(st, 4, at.seq);
    return sql_run(g->s, st);
}

/* How many chunks a summary stands for, into g->loose: with `sign` +1 they become loose, with -1 they cease to be. */
static store_status count_loose(growth *g, place first, place until, int sign)
{
    sqlite3_stmt *st = g->s->sql[SQL_COUNT_ROWS];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, first.time);
    sqlite3_bind_int64(st, 3, first.seq);
    sqlite3_bind_int64(st, 4, until.time);
    sqlite3_bind_int64(st, 5, until.seq);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) g->loose += sign * sqlite3_column_int64(st, 0);
    return sql_end(g->s, st, rc);
}

/* The last summary of a level that begins at or before `at`. */
static store_status find_summary(growth *g, uint32_t level, place at, bool *there, place *first, place *until)
{
    sqlite3_stmt *st = g->s->sql[SQL_ABOVE];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, level);
    sqlite3_bind_int64(st, 3, at.time);
    sqlite3_bind_int64(st, 4, at.seq);
    int rc = sqlite3_step(st);
    *there = rc == SQLITE_ROW;
    if (*there) {
        *first = (place){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
        *until = (place){sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3)};
    }
    return sql_end(g->s, st, rc);
}

/* Removes the summaries above `level` that stand for what lies at `at`. A level without a summary at or before `at` has
   none above it either, since a summary lies where the first of what it stands for lies. */
static store_status remove_summaries(growth *g, uint32_t level, place at)
{
    store_status status = STORE_OK;
    bool there = true;
    while (status == STORE_OK && there && ++level < STORE_LEVELS) {
        place first, until;
        status = find_summary(g, level, at, &there, &first, &until);
        if (status != STORE_OK || !there || before(until, at)) continue;
        if (level == 1) status = count_loose(g, first, until, +1);
        if (status == STORE_OK) status = remove_entry(g, level, first);
    }
    return status;
}

static store_status drop_entry(growth *g, const chunk_key *k)
{
    found old;
    store_status status = find(g, k, &old);
    if (status == STORE_OK && !old.same)
        status = sql_refuse(g->s, STORE_MISSING, "an entry that is to be replaced is no more as it was");
    if (status != STORE_OK) return status;
    status = remove_summaries(g, k->level, place_of(k));
    if (status == STORE_OK) status = remove_entry(g, k->level, place_of(k));
    if (status != STORE_OK || k->level > 0) return status;
    g->rows -= (int64_t)k->rows;
    g->loose--;
    if (k->rows < STORE_SMALL) g->small--;
    sqlite3_stmt *st = g->s->sql[SQL_DATA_DROP];
    sqlite3_bind_int64(st, 1, old.data);
    return sql_run(g->s, st);
}

/* The last of the entries that a summary stands for: those from its key on that have its rows together. */
static store_status find_until(growth *g, const chunk_key *k, place *until)
{
    sqlite3_stmt *st = g->s->sql[SQL_SUMMED];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, k->level - 1);
    sqlite3_bind_int64(st, 3, k->first_time);
    sqlite3_bind_int64(st, 4, (int64_t)k->first_seq);
    uint64_t rows = 0;
    place last = {INT64_MIN, INT64_MIN};
    int rc = SQLITE_ROW;
    while (rows < k->rows && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        place end = {sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2)};
        rows += (uint64_t)sqlite3_column_int64(st, 0);
        if (end.time > last.time) last.time = end.time;
        if (end.seq > last.seq) last.seq = end.seq;
        *until = (place){sqlite3_column_int64(st, 3), sqlite3_column_int64(st, 4)};
    }
    store_status status = sql_end(g->s, st, rc);
    if (status == STORE_OK && (rows != k->rows || last.time != k->last_time || last.seq != (int64_t)k->last_seq))
        status = sql_refuse(g->s, STORE_MISSING, "what a summary is to stand for is no more as it was");
    return status;
}

/* The chunk's rows; `*data` gets the name under which the chunk refers to them. */
static store_status put_data(sqlite_store *s, const chunk *c, int64_t *data)
{
    s->bytes.n = 0;
    chunk_encode(c, &s->bytes);
    sqlite3_stmt *st = s->sql[SQL_DATA_PUT];
    sqlite3_bind_blob64(st, 1, s->bytes.p, s->bytes.n, SQLITE_STATIC);
    store_status status = sql_run(s, st);
    *data = sqlite3_last_insert_rowid(s->db);
    return status;
}

static store_status put_extent(growth *g, const chunk_key *k)
{
    sqlite3_stmt *st = g->s->sql[SQL_EXTENT_PUT];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, k->level);
    sqlite3_bind_int64(st, 3, store_length(k->first_time, k->last_time));
    return sql_run(g->s, st);
}

/* The row of table chunk; `data` is of level 0, `until` of the others. */
static store_status put_key(growth *g, const chunk *c, int64_t data, place until)
{
    const chunk_key *k = &c->key;
    g->s->bytes.n = 0;
    summaries_encode(c->summaries, c->columns, &g->s->bytes);
    sqlite3_stmt *st = g->s->sql[SQL_CHUNK_PUT];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, k->level);
    sqlite3_bind_int64(st, 3, k->first_time);
    sqlite3_bind_int64(st, 4, (int64_t)k->first_seq);
    sqlite3_bind_int64(st, 5, k->last_time);
    sqlite3_bind_int64(st, 6, (int64_t)k->last_seq);
    sqlite3_bind_int64(st, 7, (int64_t)k->rows);
    if (k->level > 0) {
        sqlite3_bind_int64(st, 8, until.time);
        sqlite3_bind_int64(st, 9, until.seq);
    } else {
        sqlite3_bind_int64(st, 10, data);
    }
    sqlite3_bind_blob64(st, 11, g->s->bytes.p, g->s->bytes.n, SQLITE_STATIC);
    if (c->sums.n) sqlite3_bind_blob64(st, 12, c->sums.p, c->sums.n, SQLITE_STATIC);
    return sql_run(g->s, st);
}

static store_status put_entry(growth *g, const chunk *c)
{
    const chunk_key *k = &c->key;
    if (k->last_seq > INT64_MAX)
        return sql_refuse(g->s, STORE_FAILED, "a sequence number of 2^63 or more cannot be stored");
    assert(k->level < STORE_LEVELS);
    found old;
    store_status status = find(g, k, &old);
    if (status != STORE_OK || old.there) return status;

    int64_t data = 0;
    place until = {0, 0};
    status = remove_summaries(g, k->level, place_of(k));
    if (status == STORE_OK) status = k->level > 0 ? find_until(g, k, &until) : put_data(g->s, c, &data);
    if (status == STORE_OK && k->level == 1) status = count_loose(g, place_of(k), until, -1);
    if (status == STORE_OK) status = put_key(g, c, data, until);
    if (status == STORE_OK) status = put_extent(g, k);
    if (k->level == 0) {
        g->rows += (int64_t)k->rows;
        g->loose++;
        if (k->rows < STORE_SMALL) g->small++;
    }
    return status;
}

/* ---- events, and the whole ---- */

static store_status put_event(growth *g, const run_event *e)
{
    sqlite3_stmt *st = g->s->sql[SQL_EVENT_PUT];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, e->time);
    sqlite3_bind_int64(st, 3, e->kind);
    sqlite3_bind_int64(st, 4, (int64_t)e->seq);
    sqlite3_bind_int64(st, 5, e->until);
    int64_t count = e->count > INT64_MAX ? INT64_MAX : (int64_t)e->count; /* a stranger said it */
    sqlite3_bind_int64(st, 6, count);
    bind_text(st, 7, e->text);
    store_status status = sql_run(g->s, st);
    if (status != STORE_OK || sqlite3_changes(g->s->db) == 0) return status; /* it was there */
    if (e->kind == EVENT_GAP && __builtin_add_overflow(g->lost, count, &g->lost)) g->lost = INT64_MAX;
    int64_t length = store_length(e->time, e->until);
    if (length > g->max_gap) g->max_gap = length;
    return STORE_OK;
}

static store_status write_growth(const growth *g, const run_info *r, uint64_t next_seq, const store_position *at)
{
    sqlite3_stmt *st = g->s->sql[SQL_RUN_GROW];
    sqlite3_bind_int64(st, 1, g->run);
    sqlite3_bind_int64(st, 2, r->last);
    sqlite3_bind_int64(st, 3, r->seen);
    sqlite3_bind_int64(st, 4, store_state(r->state, next_seq, at));
    sqlite3_bind_int64(st, 5, (int64_t)next_seq);
    sqlite3_bind_int64(st, 6, g->rows);
    sqlite3_bind_int64(st, 7, g->lost);
    sqlite3_bind_int64(st, 8, g->small);
    sqlite3_bind_int64(st, 9, g->loose);
    sqlite3_bind_int64(st, 10, g->max_gap);
    sqlite3_bind_int64(st, 11, r->next_mark);
    sqlite3_bind_int64(st, 12, r->offset);
    sqlite3_bind_int64(st, 13, (int64_t)r->counter);
    return sql_run(g->s, st);
}

static store_status write_entries(sqlite_store *s, const store_change *c, uint64_t next_seq, const stored_run *run)
{
    growth g = {.s = s, .run = run->key};
    store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < c->drop_count; i++) status = drop_entry(&g, &c->drop[i]);
    for (size_t i = 0; status == STORE_OK && i < c->put_count; i++) status = put_entry(&g, c->put[i]);
    for (size_t i = 0; status == STORE_OK && i < c->event_count; i++) status = put_event(&g, &c->events[i]);
    return status == STORE_OK ? write_growth(&g, c->info, next_seq, &run->at) : status;
}

static store_status write_change(sqlite_store *s, const store_change *c)
{
    stored_run run;
    store_status status = find_run(s, &c->info->id, &run);
    if (status != STORE_OK) return status;
    if (store_is_merge(c))
        return run.there ? write_entries(s, c, c->info->next_seq, &run)
                         : sql_refuse(s, STORE_MISSING, "there is no such run");
    status = write_facts(s, c->info, &run);
    if (status != STORE_OK) return status;
    store_trimmed rest;
    if (!store_trim(c, &run.at, &rest)) return write_entries(s, c, c->info->next_seq, &run);
    status = write_entries(s, &rest.change, rest.next_seq, &run);
    store_trimmed_free(&rest);
    return status;
}

store_status sqlite_write(store *base, const store_change *changes, size_t count)
{
    sqlite_store *s = (sqlite_store *)base;
    store_status status = sql_write_begin(s);
    if (status != STORE_OK) return status;
    for (size_t i = 0; status == STORE_OK && i < count; i++) status = write_change(s, &changes[i]);
    return sql_write_end(s, status);
}

store_status sql_remove_rows(sqlite_store *s, int64_t run, const chunk_key *keys, size_t count)
{
    growth g = {.s = s, .run = run};
    store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < count; i++) status = drop_entry(&g, &keys[i]);
    if (status != STORE_OK) return status;
    sqlite3_stmt *st = s->sql[SQL_RUN_SHRINK];
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, g.rows);
    sqlite3_bind_int64(st, 3, g.small);
    sqlite3_bind_int64(st, 4, g.loose);
    return sql_run(s, st);
}

/* ---- what the user edits ---- */

store_status sqlite_edit(store *base, const uuid *id, const run_edit *edit)
{
    sqlite_store *s = (sqlite_store *)base;
    sqlite3_stmt *st = s->sql[SQL_RUN_EDIT];
    sqlite3_bind_blob(st, 1, id->b, sizeof id->b, SQLITE_STATIC);
    if (edit->note) bind_text(st, 2, edit->note);
    if (edit->tags) bind_text(st, 3, edit->tags);
    if (edit->pinned >= 0) sqlite3_bind_int64(st, 4, edit->pinned);
    if (edit->deleted >= 0) sqlite3_bind_int64(st, 5, edit->deleted);
    store_status status = sql_run(s, st);
    return status == STORE_OK && sqlite3_changes(s->db) == 0 ? sql_refuse(s, STORE_MISSING, "there is no such run")
                                                             : status;
}
