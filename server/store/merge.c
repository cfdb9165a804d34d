/* SPDX-License-Identifier: MIT OR Unlicense
   merge: small chunks into full ones, full ones under summaries, one transaction at a time.

   All is decided from the outline of the run: the fewest entries that hold all its rows, in their order. It is short,
   whatever the run's length: of each level hardly more than MERGE_FANOUT entries are not summarised yet. */
#include "store/merge.h"

#include <stdlib.h>

#define STEPS 8 /* transactions in a call */
/* After a time of much writing and no merging the outline is long. A part of it serves as well, if there is always
   something to do in it: small chunks that do not go together by rule 2 have at least 18 rows in 16 (one of 3 rows and
   15 of 1), so after 910 of them rule 1 applies. */
#define OUTLINE_MAX 2048

typedef struct {
    chunk_key keys[OUTLINE_MAX];
    size_t count;
} outline;

/* Neighbours in an outline: [from, from + count). */
typedef struct {
    size_t from, count;
} stretch;

static bool outline_add(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    outline *o = ctx;
    (void)columns, (void)count;
    o->keys[o->count++] = *key;
    return o->count < OUTLINE_MAX;
}

/* ---- small chunks ---- */

static bool is_small(const chunk_key *k)
{
    return k->level == 0 && k->rows < STORE_SMALL;
}

/* Rule 1: as many as fit into one chunk, if the next no longer would. More than STORE_SMALL rows in any case. */
static stretch enough_to_fill(const outline *o, stretch s)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < s.count; i++) {
        uint64_t more = o->keys[s.from + i].rows;
        if (rows + more > CHUNK_ROWS) return (stretch){s.from, i};
        rows += more;
    }
    return (stretch){s.from, rows == CHUNK_ROWS ? s.count : 0};
}

/* Rule 2: MERGE_SMALL of a size: their mean is at least half of the largest. So a row's chunk grows eightfold each time
   that it is written anew, and 1024 rows that came one by one are written some four times. */
static stretch enough_of_a_size(const outline *o, stretch s)
{
    for (size_t first = s.from; first + MERGE_SMALL <= s.from + s.count; first++) {
        uint64_t rows = 0, largest = 0;
        for (size_t i = first; i < first + MERGE_SMALL; i++) {
            rows += o->keys[i].rows;
            if (o->keys[i].rows > largest) largest = o->keys[i].rows;
        }
        if (rows * 2 >= largest * MERGE_SMALL) return (stretch){first, MERGE_SMALL};
    }
    return (stretch){0, 0};
}

/* Small chunks to put together; count 0: none. */
static stretch find_small(const outline *o)
{
    for (size_t from = 0, to; from < o->count; from = to + 1) {
        for (to = from; to < o->count && is_small(&o->keys[to]); to++) continue;
        stretch s = {from, to - from}, found = enough_to_fill(o, s);
        if (found.count == 0) found = enough_of_a_size(o, s);
        if (found.count > 0) return found;
    }
    return (stretch){0, 0};
}

static store_status put_together(store *s, const run_info *r, const chunk_key *keys, size_t count)
{
    chunk **parts = mem_calloc(count, sizeof *parts);
    store_status status = store_chunks(s, &r->id, keys, count, parts);
    if (status == STORE_OK) {
        chunk *whole = chunk_merge(parts, count);
        store_change change = {.info = r, .put = &whole, .put_count = 1, .drop = keys, .drop_count = count};
        status = store_write(s, &change, 1);
        chunk_free(whole);
    }
    for (size_t i = 0; i < count; i++) chunk_free(parts[i]);
    free(parts);
    return status;
}

/* ---- summaries ---- */

/* How many of the entries of one level in `s` are to get a summary together. If one of a higher level follows (rows
   came late, or a summary was removed) no more will come between, so all there are; else a full group, and not the
   small chunks at the end, which will be merged yet. */
static size_t group_of(const outline *o, stretch s)
{
    size_t next = s.from + s.count;
    bool enclosed = next < o->count && o->keys[next].level > o->keys[s.from].level;
    if (enclosed) return s.count < 2 * MERGE_FANOUT ? s.count : MERGE_FANOUT;
    while (s.count > 0 && is_small(&o->keys[s.from + s.count - 1])) s.count--;
    return s.count < MERGE_FANOUT ? 0 : MERGE_FANOUT;
}

/* Entries to summarise; count 0: none. The lowest level first: a summary needs all that lies below it summarised. */
static stretch find_group(const outline *o)
{
    for (uint32_t level = 0; level + 1 < STORE_LEVELS; level++) {
        for (size_t from = 0, to; from < o->count; from = to + 1) {
            for (to = from; to < o->count && o->keys[to].level == level; to++) continue;
            if (to == from) continue;
            size_t count = group_of(o, (stretch){from, to - from});
            if (count > 0) return (stretch){from, count};
        }
    }
    return (stretch){0, 0};
}

typedef struct {
    const chunk_key *next, *end;
    chunk *sum;
} summing;

static bool same_entry(const chunk_key *a, const chunk_key *b)
{
    return a->level == b->level && a->first_time == b->first_time && a->first_seq == b->first_seq;
}

static bool sum_up(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    summing *s = ctx;
    if (!same_entry(key, s->next)) return true; /* it only overlaps */
    chunk_key *k = &s->sum->key;
    k->rows += key->rows;
    if (key->last_time > k->last_time) k->last_time = key->last_time;
    if (key->last_seq > k->last_seq) k->last_seq = key->last_seq;
    for (size_t i = 0; i < count && i < s->sum->columns; i++) summary_merge(&s->sum->summaries[i], &columns[i]);
    return ++s->next < s->end;
}

static bool has_histograms(const run_info *r)
{
    for (size_t i = 0; i < r->column_count; i++)
        if (r->columns[i].kind == COLUMN_HISTOGRAM) return true;
    return false;
}

typedef struct {
    histogram_set all;
    size_t columns;
} summed_histograms;

static void add_sums(void *ctx, size_t entry, span sums)
{
    (void)entry;
    summed_histograms *a = ctx;
    histogram_set_add(&a->all, sums, a->columns);
}

/* The histograms of the entries, added up. */
static store_status sum_histograms(store *s, const run_info *r, const chunk_key *keys, size_t count, buf *out)
{
    if (!has_histograms(r)) return STORE_OK;
    summed_histograms a = {.columns = r->column_count};
    store_status status = store_sums(s, &r->id, keys, count, add_sums, &a);
    histogram_set_write(&a.all, out);
    histogram_set_free(&a.all);
    return status;
}

static store_status summarise(store *s, const run_info *r, const chunk_key *keys, size_t count)
{
    chunk *sum = chunk_new(0, r->column_count);
    sum->key = keys[0];
    sum->key.level++;
    sum->key.rows = 0;
    int64_t to = keys[0].last_time;
    for (size_t i = 1; i < count; i++)
        if (keys[i].last_time > to) to = keys[i].last_time;
    summing adding = {keys, keys + count, sum};
    store_status status = store_cover(s, &r->id, keys[0].first_time, to, INT64_MAX, sum_up, &adding);
    if (status == STORE_OK) status = sum_histograms(s, r, keys, count, &sum->sums);
    if (status == STORE_OK) {
        store_change change = {.info = r, .put = &sum, .put_count = 1};
        status = store_write(s, &change, 1);
    }
    chunk_free(sum);
    return status;
}

/* ---- the whole ---- */

/* One transaction, if there is something to do. */
static store_status step(store *s, const run_info *r, outline *o, bool *did)
{
    o->count = 0;
    store_status status = store_cover(s, &r->id, INT64_MIN, INT64_MAX, INT64_MAX, outline_add, o);
    if (status != STORE_OK) return status;
    stretch small = find_small(o), group = find_group(o);
    *did = small.count + group.count > 0;
    if (small.count > 0) return put_together(s, r, &o->keys[small.from], small.count);
    if (group.count > 0) return summarise(s, r, &o->keys[group.from], group.count);
    return STORE_OK;
}

store_status merge_run(store *s, const uuid *id, bool *more)
{
    *more = false;
    run_info *r;
    store_status status = store_run(s, id, &r);
    if (status != STORE_OK) return status;
    outline *o = mem_alloc(sizeof *o);
    bool did = true, merged = false;
    for (int i = 0; status == STORE_OK && did && i < STEPS; i++) {
        status = step(s, r, o, &did);
        merged |= did && status == STORE_OK;
        if (status == STORE_MISSING)
            status = STORE_OK; /* another server was faster, or removes the run: look again */
    }
    *more = status == STORE_OK && did && merged;
    free(o);
    run_info_free(r);
    return status;
}
