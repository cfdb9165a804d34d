/* SPDX-License-Identifier: MIT OR Unlicense
   store: finds the kind of store that a URL names, and passes on to it. */
#include "store/store_kind.h"

#include <string.h>

static bool has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static const store_kind *kind_of(const char *url)
{
    if (has_prefix(url, "sqlite:")) return &store_sqlite;
    if (has_prefix(url, "postgresql:") || has_prefix(url, "postgres:")) return &store_postgres;
    return strchr(url, '=') ? &store_postgres : NULL; /* libpq's "host=… dbname=…" */
}

store *store_open(const char *url, store_mode mode, buf *why)
{
    const store_kind *kind = kind_of(url);
    if (kind) return kind->open(url, mode, why);
    /* It is not quoted: there may be a password in it. */
    buf_text(why, "the store's URL is neither of the form sqlite:FILE nor postgresql://…");
    return NULL;
}

void store_close(store *s)
{
    if (s) s->kind->close(s);
}

const char *store_error(const store *s)
{
    return s->error.n ? s->error.p : "";
}

const char *store_name(const char *url)
{
    const store_kind *kind = kind_of(url);
    return kind ? kind->name : "";
}

/* ---- writing ---- */

store_status store_write(store *s, const store_change *changes, size_t count)
{
    return s->kind->write(s, changes, count);
}

store_status store_edit(store *s, const uuid *id, const run_edit *edit)
{
    return s->kind->edit(s, id, edit);
}

store_status store_sweep(store *s, int64_t deleted, int64_t rows, store_swept *out)
{
    return s->kind->sweep(s, deleted, rows, out);
}

/* ---- reading ---- */

store_status store_runs(store *s, bool (*each)(void *ctx, const run_info *r), void *ctx)
{
    return s->kind->runs(s, each, ctx);
}

store_status store_run(store *s, const uuid *id, run_info **out)
{
    return s->kind->run(s, id, out);
}

store_status store_cover(store *s, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                         void *ctx)
{
    return s->kind->cover(s, id, from, to, longest, each, ctx);
}

store_status store_entries(store *s, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                           void *ctx)
{
    return s->kind->entries(s, id, level, from, to, each, ctx);
}

store_status store_chunk(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                         chunk **out)
{
    return s->kind->chunk(s, id, key, columns, count, out);
}

store_status store_one_by_one(store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out)
{
    store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < count; i++) status = store_chunk(s, id, &keys[i], NULL, 0, &out[i]);
    return status;
}

store_status store_chunks(store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out)
{
    for (size_t i = 0; i < count; i++) out[i] = NULL;
    store_status status = (s->kind->chunks ? s->kind->chunks : store_one_by_one)(s, id, keys, count, out);
    for (size_t i = 0; status != STORE_OK && i < count; i++) {
        chunk_free(out[i]);
        out[i] = NULL;
    }
    return status;
}

store_status store_sums(store *s, const uuid *id, const chunk_key *keys, size_t count,
                        store_sums_fn each, void *ctx)
{
    return s->kind->sums(s, id, keys, count, each, ctx);
}

store_status store_events(store *s, const uuid *id, int64_t from, int64_t to,
                          bool (*each)(void *ctx, const run_event *e), void *ctx)
{
    return s->kind->events(s, id, from, to, each, ctx);
}

store_status store_unmerged(store *s, bool (*each)(void *ctx, const uuid *id), void *ctx)
{
    return s->kind->unmerged(s, each, ctx);
}

store_status store_snapshot_begin(store *s)
{
    return s->kind->snapshot_begin(s);
}

void store_snapshot_end(store *s)
{
    s->kind->snapshot_end(s);
}

/* ---- what the kinds share ---- */

static uint64_t fnv_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t fnv_text(uint64_t h, const char *text)
{
    return fnv_bytes(h, text, strlen(text) + 1);
}

/* http://www.isthe.com/chongo/tech/comp/fnv/ */
int64_t store_facts(const run_info *r)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    const int64_t numbers[] = {r->pid, (int64_t)r->born, r->started, r->interval, (int64_t)r->column_count};
    h = fnv_bytes(h, numbers, sizeof numbers);
    h = fnv_text(fnv_text(fnv_text(fnv_text(h, r->app), r->host), r->build), r->args);
    h = fnv_text(h, r->place);
    for (size_t i = 0; i < r->column_count; i++) {
        h = fnv_text(fnv_text(h, r->columns[i].name), r->columns[i].unit);
        h = fnv_bytes(h, &(char){(char)r->columns[i].kind}, 1);
    }
    for (size_t i = 0; i < r->tag_count; i++) h = fnv_text(fnv_text(h, r->tags[i].name), r->tags[i].value);
    return (int64_t)h;
}
