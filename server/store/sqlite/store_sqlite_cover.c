/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite_cover: entries of a level, and the cover of a range by entries of several.

   Places are (first_time, first_seq). A summary at place p with `until` u stands for all entries of lower levels in
   [p, u]; at each level these intervals are apart from each other. So the cover is read from the top: a summary is
   given if it fits, or replaced by the walk of the level below over [p, u]; and between two summaries the level below
   is walked too, for what nothing stands for yet: late rows, and the newest. */
#include "store/sqlite/store_sqlite.h"

#include <stdlib.h>

typedef struct {
    int64_t time, seq;
} place;

typedef struct {
    sqlite_store *s;
    int64_t run, from, to, longest;
    int64_t max_span[STORE_LEVELS];
    int top; /* the highest level there is; -1: nothing is stored */
    store_entry_fn each;
    void *ctx;
    bool stopped;
} walk;

/* seq is 0 … INT64_MAX in the store, so -1 lies before each of a time, and nothing between `p` and next(p). */
static const place place_first = {INT64_MIN, -1}, place_last = {INT64_MAX, INT64_MAX};

static place next(place p)
{
    if (p.seq < INT64_MAX) return (place){p.time, p.seq + 1};
    return p.time < INT64_MAX ? (place){p.time + 1, -1} : place_last;
}

static place previous(place p)
{
    return (place){p.time, p.seq - 1};
}

static bool before(place a, place b)
{
    return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

static store_status read_extents(walk *w)
{
    sqlite3_stmt *st = w->s->sql[SQL_EXTENTS];
    sqlite3_bind_int64(st, 1, w->run);
    w->top = -1;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        int level = sqlite3_column_int(st, 0);
        if (level < 0 || level >= STORE_LEVELS) continue;
        w->max_span[level] = sqlite3_column_int64(st, 1);
        if (level > w->top) w->top = level;
    }
    return sql_end(w->s, st, rc);
}

/* Starts to read what overlaps [from, to] among a level's entries in [lo, hi]. */
static sqlite3_stmt *entries_of(const walk *w, int level, place lo, place hi)
{
    place earliest = {store_earliest(w->from, w->max_span[level]), -1}, latest = {w->to, INT64_MAX};
    if (before(lo, earliest)) lo = earliest;
    if (before(latest, hi)) hi = latest;
    sqlite3_stmt *st = w->s->entries[level];
    sqlite3_bind_int64(st, 1, w->run);
    sqlite3_bind_int64(st, 2, level);
    sqlite3_bind_int64(st, 3, lo.time);
    sqlite3_bind_int64(st, 4, lo.seq);
    sqlite3_bind_int64(st, 5, hi.time);
    sqlite3_bind_int64(st, 6, hi.seq);
    sqlite3_bind_int64(st, 7, w->from);
    return st;
}

static chunk_key key_of(sqlite3_stmt *st, int level)
{
    return (chunk_key){
        .first_time = sqlite3_column_int64(st, 0),
        .first_seq = (uint64_t)sqlite3_column_int64(st, 1),
        .last_time = sqlite3_column_int64(st, 2),
        .last_seq = (uint64_t)sqlite3_column_int64(st, 3),
        .rows = (uint64_t)sqlite3_column_int64(st, 4),
        .level = (uint32_t)level,
    };
}

static store_status give(walk *w, sqlite3_stmt *st, const chunk_key *key)
{
    int columns = summaries_decode(sql_bytes(st, 7), w->s->summaries, MAX_COLUMNS);
    if (columns < 0 || columns > MAX_COLUMNS) return sql_refuse(w->s, STORE_FAILED, "a chunk's summary is damaged");
    w->stopped = !w->each(w->ctx, key, w->s->summaries, (size_t)columns);
    return STORE_OK;
}

static bool fits(const walk *w, const chunk_key *k)
{
    return k->first_time >= w->from && k->last_time <= w->to &&
           store_length(k->first_time, k->last_time) <= w->longest;
}

/* Gives the cover of [lo, hi] by entries of `level` and below. As deep as there are levels. */
static store_status walk_level(walk *w, int level, place lo, place hi)
{
    if (level < 0 || before(hi, lo)) return STORE_OK;
    sqlite3_stmt *st = entries_of(w, level, lo, hi);
    store_status status = STORE_OK;
    int rc = SQLITE_ROW;
    while (status == STORE_OK && !w->stopped && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        chunk_key key = key_of(st, level);
        if (level > 0) {
            place first = {key.first_time, (int64_t)key.first_seq};
            place until = {sqlite3_column_int64(st, 5), sqlite3_column_int64(st, 6)};
            status = walk_level(w, level - 1, lo, previous(first));
            lo = next(until);
            if (status != STORE_OK || w->stopped) break;
            if (!fits(w, &key)) {
                status = walk_level(w, level - 1, first, until);
                continue;
            }
        }
        status = give(w, st, &key);
    }
    store_status end = sql_end(w->s, st, rc);
    if (status == STORE_OK) status = end;
    return status == STORE_OK && !w->stopped ? walk_level(w, level - 1, lo, hi) : status;
}

store_status sqlite_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                          void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    walk w = {.s = s, .from = from, .to = to, .longest = longest, .each = each, .ctx = ctx};
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    status = sql_run_key(s, id, &w.run);
    if (status == STORE_OK) status = read_extents(&w);
    if (status == STORE_OK) status = walk_level(&w, w.top, place_first, place_last);
    sql_read_end(s);
    return status;
}

store_status sqlite_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to,
                            store_entry_fn each, void *ctx)
{
    sqlite_store *s = (sqlite_store *)base;
    walk w = {.s = s, .from = from, .to = to, .each = each, .ctx = ctx};
    if (level >= STORE_LEVELS) return STORE_OK;
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    status = sql_run_key(s, id, &w.run);
    if (status == STORE_OK) status = read_extents(&w);
    if (status == STORE_OK) {
        sqlite3_stmt *st = entries_of(&w, (int)level, place_first, place_last);
        int rc = SQLITE_ROW;
        while (status == STORE_OK && !w.stopped && (rc = sqlite3_step(st)) == SQLITE_ROW) {
            chunk_key key = key_of(st, (int)level);
            status = give(&w, st, &key);
        }
        store_status end = sql_end(s, st, rc);
        if (status == STORE_OK) status = end;
    }
    sql_read_end(s);
    return status;
}
