/* SPDX-License-Identifier: MIT OR Unlicense
   query_rows: every row of a range in order, in pieces. Chunks may overlap each other in time (rows that came late, a
   clock that was set back), yet only a few chunks are in memory at once.

   An entry's rows come at or after its key (first_time, first_seq), and entries come in order of their keys. So what
   was gathered from some of them is complete below the key of the next; and if too much was gathered, the lowest rows
   of it are complete below the first that was let go. */
#include "query/query.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_WANTED CHUNK_ROWS       /* gather until there are so many      */
#define ROWS_BOUND  (4 * CHUNK_ROWS) /* never keep more, but for one chunk */

/* A row's place in the order. */
typedef struct {
    int64_t time;
    uint64_t seq;
} place;

static bool before(place a, place b)
{
    return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

static place start_of(const chunk_key *k)
{
    return (place){k->first_time, k->first_seq};
}

static place place_at(const chunk *c, size_t row)
{
    return (place){c->time[row], c->seq[row]};
}

/* ---- entries ---- */

typedef struct {
    place after;           /* what is there or before has been given …       */
    bool started;          /* … if anything has                              */
    uint64_t rows, enough; /* of the entries so far; stop when there are that many */
    chunk_key *keys;
    size_t count, room;
    bool more; /* the last key is only where the rest begins     */
} gathering;

static bool gather_key(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns;
    (void)count;
    gathering *g = ctx;
    /* The greatest of its times and of its seqs: nothing of it comes later. */
    if (g->started && !before(g->after, (place){key->last_time, key->last_seq})) return true;
    if (g->count == g->room) {
        g->room = g->room ? 2 * g->room : 16;
        g->keys = mem_resize(g->keys, g->room, sizeof *g->keys);
    }
    g->keys[g->count++] = *key;
    g->more = g->rows >= g->enough;
    g->rows += key->rows;
    return !g->more;
}

/* ---- rows ---- */

typedef struct {
    int64_t from, to;
    place after, below; /* take only rows behind `after` if `started`, before `below` if `bounded` */
    bool started, bounded;
    chunk **parts;
    size_t count, room, rows;
    place greatest; /* of the rows taken */
} harvest;

static bool wanted(const void *ctx, const chunk *c, size_t i)
{
    const harvest *h = ctx;
    place row = place_at(c, i);
    return row.time >= h->from && row.time <= h->to && (!h->started || before(h->after, row)) &&
           (!h->bounded || before(row, h->below));
}

static void harvest_add(harvest *h, chunk *c)
{
    chunk_keep_rows(c, wanted, h);
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 16;
        h->parts = mem_resize(h->parts, h->room, sizeof *h->parts);
    }
    h->parts[h->count++] = c;
    for (size_t i = 0; i < c->rows; i++)
        if (h->rows + i == 0 || before(h->greatest, place_at(c, i))) h->greatest = place_at(c, i);
    h->rows += c->rows;
}

static void harvest_clear(harvest *h)
{
    for (size_t i = 0; i < h->count; i++) chunk_free(h->parts[i]);
    h->count = h->rows = 0;
}

/* What was taken, as one chunk in order; NULL if that is nothing. */
static chunk *harvest_take(harvest *h)
{
    h->rows = 0;
    for (size_t i = 0; i < h->count; i++) {
        chunk_keep_rows(h->parts[i], wanted, h);
        h->rows += h->parts[i]->rows;
    }
    chunk *whole = h->rows ? chunk_merge(h->parts, h->count) : NULL;
    harvest_clear(h);
    return whole;
}

static void harvest_bound(harvest *h, place below)
{
    if (h->bounded && before(h->below, below)) return;
    h->below = below;
    h->bounded = true;
}

/* Lets the greater half go: a later call will come to it. */
static void harvest_shrink(harvest *h)
{
    chunk *whole = harvest_take(h);
    if (whole->rows > ROWS_BOUND / 2) harvest_bound(h, place_at(whole, ROWS_BOUND / 2));
    harvest_add(h, whole);
}

static bool complete_before(const harvest *h, place next)
{
    return (h->bounded && !before(next, h->below)) || (h->rows >= ROWS_WANTED && before(h->greatest, next));
}

static store_status harvest_entries(harvest *h, store *s, const uuid *id, const gathering *g, const uint32_t *columns,
                                    size_t count)
{
    size_t entries = g->count - g->more;
    for (size_t i = 0; i < entries; i++) {
        if (complete_before(h, start_of(&g->keys[i]))) return STORE_OK;
        chunk *c;
        store_status status = store_chunk(s, id, &g->keys[i], columns, count, &c);
        if (status != STORE_OK) return status;
        harvest_add(h, c);
        if (h->rows > ROWS_BOUND) harvest_shrink(h);
    }
    if (g->more) harvest_bound(h, start_of(&g->keys[entries]));
    return STORE_OK;
}

/* ---- the whole ---- */

/* The next rows as far as entries of `enough` rows tell; `*more` if there are others. */
static store_status next_rows(store *s, const uuid *id, int64_t to, const uint32_t *columns, size_t count,
                              uint64_t enough, harvest *h, bool *more, chunk **out)
{
    gathering g = {.after = h->after, .started = h->started, .enough = enough};
    int64_t from = h->started && h->after.time > h->from ? h->after.time : h->from;
    store_status status = store_entries(s, id, 0, from, to, gather_key, &g);
    if (status == STORE_OK) status = harvest_entries(h, s, id, &g, columns, count);
    if (status == STORE_OK)
        *out = harvest_take(h);
    else
        harvest_clear(h);
    *more = g.more;
    free(g.keys);
    return status;
}

store_status query_rows_of(store *s, const uuid *id, int64_t from, int64_t to, const uint32_t *columns, size_t count,
                           query_cursor *cursor, chunk **out)
{
    harvest h = {.from = from, .to = to, .after = {cursor->time, cursor->seq}, .started = cursor->started};
    store_status status = STORE_OK;
    bool more = from <= to;
    *out = NULL;
    /* If many chunks begin before the first one's rows, a few entries do not tell which row is the first. */
    for (uint64_t enough = ROWS_WANTED; status == STORE_OK && !*out && more; enough *= 4) {
        h.bounded = false;
        status = next_rows(s, id, to, columns, count, enough, &h, &more, out);
    }
    free(h.parts);
    if (!*out) return status;
    *cursor = (query_cursor){true, (*out)->time[(*out)->rows - 1], (*out)->seq[(*out)->rows - 1]};
    return STORE_OK;
}

store_status query_rows(store *s, const uuid *id, int64_t from, int64_t to, query_cursor *cursor, chunk **out)
{
    *out = NULL;
    store_status status = store_snapshot_begin(s);
    if (status != STORE_OK) return status;
    status = query_rows_of(s, id, from, to, NULL, 0, cursor, out);
    store_snapshot_end(s);
    return status;
}
