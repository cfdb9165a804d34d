/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_both: what readers are given: mnemic's own runs, and those of the original that are not yet in chunks.
   Each function asks for the original's run first, since a run may be half-way in chunks already. */
#include "store/postgres/store_postgres_original.h"

/* ---- all runs, merged by their start ---- */

typedef struct {
    pg_store *s;
    size_t next; /* of the original's */
    bool (*each)(void *ctx, const run_info *r);
    void *ctx;
    bool stopped;
} merging;

static bool is_read_here(const original_run *run)
{
    return !run->moved && !run->elsewhere;
}

/* Gives the original's runs that started at `until` or later. */
static void give_originals(merging *m, int64_t until)
{
    const original *o = m->s->original;
    for (; !m->stopped && m->next < o->count && o->runs[m->next].info->started >= until; m->next++)
        if (is_read_here(&o->runs[m->next])) m->stopped = !m->each(m->ctx, o->runs[m->next].info);
}

static bool merge_run(void *ctx, const run_info *r)
{
    merging *m = ctx;
    if (original_find(m->s, &r->id)) return true; /* is being imported */
    give_originals(m, r->started);
    if (!m->stopped) m->stopped = !m->each(m->ctx, r);
    return !m->stopped;
}

store_status both_runs(store *base, bool (*each)(void *ctx, const run_info *r), void *ctx)
{
    pg_store *s = (pg_store *)base;
    merging m = {.s = s, .each = each, .ctx = ctx};
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    status = original_refresh(s);
    if (status == STORE_OK) status = postgres_runs(base, merge_run, &m);
    if (status == STORE_OK) give_originals(&m, INT64_MIN);
    pg_read_end(s);
    return status;
}

/* ---- one run ---- */

store_status both_run(store *base, const uuid *id, run_info **out)
{
    pg_store *s = (pg_store *)base;
    *out = NULL;
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    status = original_refresh(s);
    const original_run *run = status == STORE_OK ? original_find(s, id) : NULL;
    if (run)
        *out = run_info_copy(run->info);
    else if (status == STORE_OK)
        status = postgres_run(base, id, out);
    pg_read_end(s);
    return status;
}

store_status both_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                        void *ctx)
{
    pg_store *s = (pg_store *)base;
    const original_run *run = original_find(s, id);
    if (run) return original_cover(s, run, from, to, each, ctx);
    return postgres_cover(base, id, from, to, longest, each, ctx);
}

store_status both_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                          void *ctx)
{
    pg_store *s = (pg_store *)base;
    const original_run *run = original_find(s, id);
    if (!run) return postgres_entries(base, id, level, from, to, each, ctx);
    return level == 0 ? original_cover(s, run, from, to, each, ctx) : STORE_OK;
}

store_status both_chunk(store *base, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                        chunk **out)
{
    pg_store *s = (pg_store *)base;
    const original_run *run = original_find(s, id);
    if (run) return original_chunk(s, run, key, columns, count, out);
    return postgres_chunk(base, id, key, columns, count, out);
}

store_status both_chunks(store *base, const uuid *id, const chunk_key *keys, size_t count, chunk **out)
{
    if (original_find((pg_store *)base, id)) return store_one_by_one(base, id, keys, count, out);
    return postgres_chunks(base, id, keys, count, out);
}

/* The original has none, nor events. */
store_status both_sums(store *base, const uuid *id, const chunk_key *keys, size_t count,
                       store_sums_fn each, void *ctx)
{
    return original_find((pg_store *)base, id) ? STORE_OK : postgres_sums(base, id, keys, count, each, ctx);
}

store_status both_events(store *base, const uuid *id, int64_t from, int64_t to,
                         bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    return original_find((pg_store *)base, id) ? STORE_OK : postgres_events(base, id, from, to, each, ctx);
}
