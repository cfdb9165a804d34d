/* SPDX-License-Identifier: MIT OR Unlicense
   store_sample: what the tests of every store share. A store's URL is all that they know of it; see open_stored_place(). Include
   after cmocka.h. */
#ifndef STORE_SAMPLE_H
#define STORE_SAMPLE_H

#include "sample.h"

#define WHOLE INT64_MIN, INT64_MAX

#define assert_ok(s, call)                                                                                           \
    do {                                                                                                             \
        if ((call) != STORE_OK) fail_msg("%s:%d: %s", __FILE__, __LINE__, store_error(s));                           \
    } while (0)

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stored_place, close_stored_place)

/* ---- for functions that take an `each` ---- */

static inline bool count_run(void *ctx, const run_info *r)
{
    (void)r;
    ++*(int *)ctx;
    return true;
}

static inline bool count_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)key, (void)columns, (void)count;
    ++*(int *)ctx;
    return true;
}

static inline bool count_event(void *ctx, const run_event *e)
{
    (void)e;
    ++*(int *)ctx;
    return true;
}

static inline bool count_id(void *ctx, const uuid *id)
{
    (void)id;
    ++*(int *)ctx;
    return true;
}

typedef struct {
    chunk_key keys[512];
    size_t count;
} key_list;

static inline bool note_key(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    key_list *l = ctx;
    (void)columns, (void)count;
    assert_true(l->count < ARRAY_LEN(l->keys));
    l->keys[l->count++] = *key;
    return true;
}

/* ---- a run ---- */

/* Rows [first, first + rows) as a server that has handed on all up to there tells of them. */
static inline void tell(store *s, uint32_t run, uint64_t first, size_t rows, bool acked, bool counted,
                        run_state state)
{
    run_info *r = sample_run(run);
    r->acked = acked;
    r->counted = counted;
    r->state = state;
    r->next_seq = first + rows;
    if (first + rows > 0) r->last = r->seen = sample_time(first + rows - 1);
    chunk *c = rows > 0 ? sample_chunk(first, rows) : NULL;
    store_change change = {.info = r, .put = &c, .put_count = rows > 0};
    assert_ok(s, store_write(s, &change, 1));
    chunk_free(c);
    run_info_free(r);
}

static inline run_info *stored_run(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    run_info *r;
    assert_ok(s, store_run(s, &id, &r));
    return r;
}

#endif
