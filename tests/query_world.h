/* SPDX-License-Identifier: MIT OR Unlicense
   query_world: a run for the tests of queries: its rows, which follow from a seed, and a store in memory that holds
   them in overlaps, holes and late chunks as the test wants them. Include after cmocka. */
#ifndef QUERY_WORLD_H
#define QUERY_WORLD_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_SEED 1
#include "random.h"

#include "../server/query/query.h"

/* ---- a store in memory ---- */

typedef struct {
    chunk *c;      /* of level > 0: no rows                      */
    size_t parent; /* index of the entry that stands for this    */
} entry;

#define NO_PARENT SIZE_MAX

struct store {
    entry *entries;
    size_t count;
    run_event *events;
    size_t event_count;
    bool snapshot;
    size_t chunks_read;
    size_t fail_at; /* the store_chunk() call that fails; 0: none */
};

static inline int by_key(const void *a, const void *b)
{
    const chunk_key *x = &(*(chunk *const *)a)->key, *y = &(*(chunk *const *)b)->key;
    if (x->first_time != y->first_time) return x->first_time < y->first_time ? -1 : 1;
    return (x->first_seq > y->first_seq) - (x->first_seq < y->first_seq);
}

static inline bool overlaps(const chunk_key *k, int64_t from, int64_t to)
{
    return k->first_time <= to && k->last_time >= from;
}

static inline store_status give(chunk **found, size_t count, store_entry_fn each, void *ctx)
{
    if (count) qsort(found, count, sizeof *found, by_key);
    for (size_t i = 0; i < count; i++) {
        /* A copy that is gone after the call. */
        summary *columns = mem_alloc(found[i]->columns * sizeof *columns);
        if (found[i]->columns) memcpy(columns, found[i]->summaries, found[i]->columns * sizeof *columns);
        bool on = each(ctx, &found[i]->key, columns, found[i]->columns);
        free(columns);
        if (!on) break;
    }
    free(found);
    return STORE_OK;
}

store_status store_entries(store *s, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                           void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    chunk **found = mem_alloc(s->count * sizeof *found);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].c->key.level == level && overlaps(&s->entries[i].c->key, from, to))
            found[n++] = s->entries[i].c;
    return give(found, n, each, ctx);
}

/* Whether a cover may take the entry itself. */
static inline bool fits(const chunk_key *k, int64_t from, int64_t to, int64_t longest)
{
    return k->level == 0 || (k->first_time >= from && k->last_time <= to && k->last_time - k->first_time <= longest);
}

store_status store_cover(store *s, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                         void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    chunk **found = mem_alloc(s->count * sizeof *found);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const chunk_key *k = &s->entries[i].c->key;
        bool covered = false;
        for (size_t p = s->entries[i].parent; p != NO_PARENT; p = s->entries[p].parent)
            covered |= fits(&s->entries[p].c->key, from, to, longest);
        if (!covered && overlaps(k, from, to) && fits(k, from, to, longest)) found[n++] = s->entries[i].c;
    }
    return give(found, n, each, ctx);
}

store_status store_chunk(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                         chunk **out)
{
    (void)id;
    assert_true(s->snapshot);
    if (++s->chunks_read == s->fail_at) return STORE_FAILED;
    for (size_t i = 0; i < s->count; i++) {
        const chunk *c = s->entries[i].c;
        if (c->key.level != 0 || c->key.first_time != key->first_time || c->key.first_seq != key->first_seq) continue;
        buf bytes = {0};
        chunk_encode(c, &bytes);
        *out = chunk_decode((span){bytes.p, bytes.n}, columns, count);
        assert_non_null(*out);
        (*out)->key = c->key;
        buf_free(&bytes);
        return STORE_OK;
    }
    return STORE_MISSING;
}

/* Its runs have no histograms; test_distribution has. */
store_status store_sums(store *s, const uuid *id, const chunk_key *keys, size_t count, store_sums_fn each, void *ctx)
{
    (void)id, (void)keys, (void)count, (void)each, (void)ctx;
    assert_true(s->snapshot);
    return STORE_OK;
}

store_status store_events(store *s, const uuid *id, int64_t from, int64_t to,
                          bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    (void)id;
    assert_true(s->snapshot);
    for (size_t i = 0; i < s->event_count; i++)
        if (s->events[i].time <= to && s->events[i].until >= from && !each(ctx, &s->events[i])) break;
    return STORE_OK;
}

store_status store_snapshot_begin(store *s)
{
    assert_false(s->snapshot);
    s->snapshot = true;
    return STORE_OK;
}

void store_snapshot_end(store *s)
{
    assert_true(s->snapshot);
    s->snapshot = false;
}

static inline size_t store_add(store *s, chunk *c)
{
    s->entries = mem_resize(s->entries, s->count + 1, sizeof *s->entries);
    s->entries[s->count] = (entry){c, NO_PARENT};
    return s->count++;
}

static inline void store_clear(store *s)
{
    for (size_t i = 0; i < s->count; i++) chunk_free(s->entries[i].c);
    free(s->entries);
    *s = (store){0};
}

/* ---- a run's rows, and how they lie ---- */

#define COLUMNS 4 /* 0: never without a value; 1: often without; 2: never with; 3: joins in the middle */

typedef struct {
    int64_t time;
    uint64_t seq;
    double values[COLUMNS];
} row;

typedef struct {
    row *rows;
    size_t count, joined; /* the first row that has column 3 */
    store store;
    run_column columns[COLUMNS];
    run_info info;
} world;

typedef enum { GRID, JITTER, EQUAL_TIMES, BURSTS, STEPS_BACK, TIME_MODES } time_mode;

static inline int64_t next_time(time_mode mode, int64_t t)
{
    switch (mode) {
    case GRID: return t + 1000;
    case JITTER: return t + 500 + (int64_t)random_below(1000);
    case EQUAL_TIMES: return t + (random_below(5) ? 0 : 3000);
    case BURSTS: return t + (random_below(200) ? 10 : 1000000);
    case STEPS_BACK:
    case TIME_MODES: break;
    }
    return random_below(100) ? t + 1000 : t - (int64_t)random_below(300000);
}

static inline void make_rows(world *w, size_t count, time_mode mode)
{
    w->count = count;
    w->joined = random_below(count + 1);
    w->rows = mem_alloc(count * sizeof *w->rows);
    int64_t t = (int64_t)random_below(1000000) - 500000;
    uint64_t seq = random_below(1000);
    for (size_t i = 0; i < count; i++) {
        row *r = &w->rows[i];
        *r = (row){t, seq, {(double)random_below(100000), NAN, NAN, NAN}};
        if (random_below(3)) r->values[1] = (double)random_below(1000) - 500;
        if (i >= w->joined) r->values[3] = (double)i;
        t = next_time(mode, t);
        seq += random_below(20) ? 1 : 1 + random_below(5);
    }
}

static inline void add_rows(world *w, const row *rows, size_t count, bool wide)
{
    size_t columns = wide ? COLUMNS : COLUMNS - 1;
    batch_part p = {.rows = count, .columns = columns};
    p.time = mem_alloc(count * sizeof *p.time);
    p.seq = mem_alloc(count * sizeof *p.seq);
    p.values = mem_alloc(count * columns * sizeof *p.values);
    for (size_t i = 0; i < count; i++) {
        p.time[i] = rows[i].time;
        p.seq[i] = rows[i].seq;
        memcpy(p.values + i * columns, rows[i].values, columns * sizeof *p.values);
    }
    store_add(&w->store, chunk_from_part(&p, 0, count));
    free(p.time);
    free(p.seq);
    free(p.values);
}

/* Pieces of random length in order of seq; if `late`, of a piece some rows come by themselves. */
static inline void lay_chunks(world *w, size_t longest, bool late)
{
    row *held = mem_alloc(w->count * sizeof *held), *piece = mem_alloc(w->count * sizeof *piece);
    for (size_t i = 0; i < w->count;) {
        size_t n = 1 + random_below(longest), kept = 0, left = 0;
        bool wide = i >= w->joined;
        if (n > w->count - i) n = w->count - i;
        if (!wide && n > w->joined - i) n = w->joined - i;
        for (size_t k = i; k < i + n; k++) {
            if (late && random_below(4) == 0)
                held[left++] = w->rows[k];
            else
                piece[kept++] = w->rows[k];
        }
        if (kept) add_rows(w, piece, kept, wide);
        if (left) add_rows(w, held, left, wide);
        i += n;
    }
    free(held);
    free(piece);
}

/* One entry a level above for entries `members`, by the order of their keys. */
static inline void sum_up(world *w, const size_t *members, size_t count)
{
    size_t columns = 0;
    for (size_t i = 0; i < count; i++)
        if (w->store.entries[members[i]].c->columns > columns) columns = w->store.entries[members[i]].c->columns;
    chunk *sum = chunk_new(0, columns);
    sum->key = w->store.entries[members[0]].c->key;
    sum->key.level++;
    sum->key.rows = 0;
    size_t parent = store_add(&w->store, sum);
    for (size_t i = 0; i < count; i++) {
        entry *e = &w->store.entries[members[i]];
        e->parent = parent;
        if (e->c->key.first_seq < sum->key.first_seq) sum->key.first_seq = e->c->key.first_seq;
        if (e->c->key.last_seq > sum->key.last_seq) sum->key.last_seq = e->c->key.last_seq;
        if (e->c->key.last_time > sum->key.last_time) sum->key.last_time = e->c->key.last_time;
        sum->key.rows += e->c->key.rows;
        for (size_t col = 0; col < e->c->columns; col++) summary_merge(&sum->summaries[col], &e->c->summaries[col]);
    }
}

typedef struct {
    chunk *c;
    size_t index;
} keyed;

/* Groups of neighbours of a level get an entry above: the newest have none, and with `holes` others have none either
   (then an entry further up may stand for what lies before and behind a hole, and overlap what lies in it). */
static inline void lay_level(world *w, uint32_t level, size_t longest, bool holes)
{
    keyed *all = mem_alloc(w->store.count * sizeof *all);
    size_t *members = mem_alloc(longest * sizeof *members), count = 0;
    for (size_t i = 0; i < w->store.count; i++)
        if (w->store.entries[i].c->key.level == level) all[count++] = (keyed){w->store.entries[i].c, i};
    if (count) qsort(all, count, sizeof *all, by_key);
    size_t newest = random_below(count);
    for (size_t i = 0; i < count;) {
        size_t n = 1 + random_below(longest);
        if (n > count - i) n = count - i;
        for (size_t k = 0; k < n; k++) members[k] = all[i + k].index;
        if (holes ? random_below(3) > 0 : i + n <= newest) sum_up(w, members, n);
        i += n;
    }
    free(members);
    free(all);
}

static inline void name_columns(world *w)
{
    static char name[] = "c", unit[] = "";
    for (size_t i = 0; i < COLUMNS; i++) w->columns[i] = (run_column){name, unit, COLUMN_GAUGE};
    w->info.columns = w->columns;
    w->info.column_count = COLUMNS;
}

static inline void world_make(world *w, size_t rows, time_mode mode, bool late)
{
    *w = (world){0};
    make_rows(w, rows, mode);
    lay_chunks(w, 1 + random_below(300), late);
    uint32_t levels = (uint32_t)random_below(4);
    for (uint32_t level = 0; level < levels; level++) lay_level(w, level, 8, late);
    name_columns(w);
}

static inline void world_free(world *w)
{
    store_clear(&w->store);
    free(w->rows);
}

/* ---- the rows that must come out ---- */

static inline int by_time_and_seq(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static inline row *rows_between(const world *w, int64_t from, int64_t to, size_t *count)
{
    row *found = mem_alloc(w->count * sizeof *found);
    *count = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->rows[i].time >= from && w->rows[i].time <= to) found[(*count)++] = w->rows[i];
    if (*count) qsort(found, *count, sizeof *found, by_time_and_seq);
    return found;
}

static inline bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

#endif
