/* SPDX-License-Identifier: MIT OR Unlicense
   store_kind: what a kind of store provides. For store.c and the stores themselves; all others use store.h, whose
   comments say what each function does. */
#ifndef STORE_KIND_H
#define STORE_KIND_H

#include "store/store.h"

/* The first member of each kind's own struct. */
struct store {
    const struct store_kind *kind;
    buf error; /* why the last call failed that did; store.c frees it */
};

typedef struct store_kind {
    const char *name; /* as store_name() gives it */
    store *(*open)(const char *url, store_mode mode, buf *why);
    void (*close)(store *s);
    store_status (*write)(store *s, const store_change *changes, size_t count);
    store_status (*edit)(store *s, const uuid *id, const run_edit *edit);
    store_status (*sweep)(store *s, int64_t deleted, int64_t rows, store_swept *out);
    store_status (*runs)(store *s, bool (*each)(void *ctx, const run_info *r), void *ctx);
    store_status (*run)(store *s, const uuid *id, run_info **out);
    store_status (*cover)(store *s, const uuid *id, int64_t from, int64_t to, int64_t longest, store_entry_fn each,
                          void *ctx);
    store_status (*entries)(store *s, const uuid *id, uint32_t level, int64_t from, int64_t to, store_entry_fn each,
                            void *ctx);
    store_status (*chunk)(store *s, const uuid *id, const chunk_key *key, const uint32_t *columns, size_t count,
                          chunk **out);
    /* NULL: they are asked for one by one. Those that were read stay in `out`, whatever is returned; the others are NULL. */
    store_status (*chunks)(store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out);
    store_status (*sums)(store *s, const uuid *id, const chunk_key *keys, size_t count, store_sums_fn each, void *ctx);
    store_status (*events)(store *s, const uuid *id, int64_t from, int64_t to,
                           bool (*each)(void *ctx, const run_event *e), void *ctx);
    store_status (*unmerged)(store *s, bool (*each)(void *ctx, const uuid *id), void *ctx);
    store_status (*snapshot_begin)(store *s);
    void (*snapshot_end)(store *s);
} store_kind;

extern const store_kind store_sqlite, store_postgres;

/* last - first, or INT64_MAX where that is too much for 64 bits: so that stands for "unbounded". */
static inline int64_t store_length(int64_t first, int64_t last)
{
    int64_t length;
    return __builtin_sub_overflow(last, first, &length) ? INT64_MAX : length;
}

/* Does a change only put together what is stored? Then it tells nothing new of its run, which must be there. */
static inline bool store_is_merge(const store_change *c)
{
    return c->drop_count > 0 || (c->put_count > 0 && c->put[0]->key.level > 0);
}

/* No entry that reaches `from` begins earlier, if none is longer than `longest` (see store_length()). */
static inline int64_t store_earliest(int64_t from, int64_t longest)
{
    int64_t start;
    return longest == INT64_MAX || __builtin_sub_overflow(from, longest, &start) ? INT64_MIN : start;
}

/* What `chunks` does where it is NULL. */
store_status store_one_by_one(store *s, const uuid *id, const chunk_key *keys, size_t count, chunk **out);

/* Of what seldom changes in a run (app … interval, columns, tags), so that a commit need not write, or read and compare,
   each run's columns and tags. FNV-1a, 64 bits. */
int64_t store_facts(const run_info *r);

#endif
