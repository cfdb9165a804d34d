/* SPDX-License-Identifier: MIT OR Unlicense
   test_store: what every store promises. What only SQLite does is in test_store_sqlite.c.
   A store's URL is all that the tests know of it; see open_stored_place(). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "sample.h"

#include "../server/merge.h"

#define WHOLE INT64_MIN, INT64_MAX

#define assert_ok(s, call)                                                                                           \
    do {                                                                                                             \
        if ((call) != STORE_OK) fail_msg("%s:%d: %s", __FILE__, __LINE__, store_error(s));                           \
    } while (0)

/* ---- runs ---- */

static bool count_run(void *ctx, const run_info *r)
{
    (void)r;
    ++*(int *)ctx;
    return true;
}

static bool count_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)key, (void)columns, (void)count;
    ++*(int *)ctx;
    return true;
}

static bool count_event(void *ctx, const run_event *e)
{
    (void)e;
    ++*(int *)ctx;
    return true;
}

static bool count_id(void *ctx, const uuid *id)
{
    (void)id;
    ++*(int *)ctx;
    return true;
}

static void an_empty_store(void **state)
{
    store *s = ((stored_place *)*state)->s;
    uuid id = sample_id(1);
    int count = 0;
    run_info *r = (run_info *)1;
    chunk *c = (chunk *)1;
    assert_ok(s, store_runs(s, count_run, &count));
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(store_run(s, &id, &r), STORE_MISSING);
    assert_null(r);
    assert_int_equal(store_entries(s, &id, 0, WHOLE, count_entry, &count), STORE_MISSING);
    assert_int_equal(store_cover(s, &id, WHOLE, INT64_MAX, count_entry, &count), STORE_MISSING);
    assert_int_equal(store_events(s, &id, WHOLE, count_event, &count), STORE_MISSING);
    assert_int_equal(store_chunk(s, &id, &(chunk_key){0}, NULL, 0, &c), STORE_MISSING);
    assert_null(c);
    assert_int_equal(count, 0);
    assert_true(strlen(store_error(s)) > 0);
    assert_ok(s, store_write(s, NULL, 0));
}

static void set_text(char **where, const char *text)
{
    free(*where);
    *where = mem_strdup(text);
}

static void assert_same_run(const run_info *a, const run_info *b)
{
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    assert_string_equal(a->app, b->app);
    assert_string_equal(a->host, b->host);
    assert_string_equal(a->build, b->build);
    assert_string_equal(a->args, b->args);
    assert_string_equal(a->place, b->place);
    assert_true(a->born == b->born && a->counter == b->counter);
    assert_true(a->pid == b->pid && a->started == b->started && a->last == b->last && a->seen == b->seen);
    assert_true(a->interval == b->interval && a->next_seq == b->next_seq && a->state == b->state);
    assert_int_equal(a->column_count, b->column_count);
    for (size_t i = 0; i < a->column_count; i++) {
        assert_string_equal(a->columns[i].name, b->columns[i].name);
        assert_string_equal(a->columns[i].unit, b->columns[i].unit);
        assert_int_equal(a->columns[i].kind, b->columns[i].kind);
    }
    assert_int_equal(a->tag_count, b->tag_count);
    for (size_t i = 0; i < a->tag_count; i++) {
        assert_string_equal(a->tags[i].name, b->tags[i].name);
        assert_string_equal(a->tags[i].value, b->tags[i].value);
    }
}

static void write_run(store *s, const run_info *r)
{
    store_change change = {.info = r};
    assert_ok(s, store_write(s, &change, 1));
    run_info *stored;
    assert_ok(s, store_run(s, &r->id, &stored));
    assert_same_run(stored, r);
    assert_string_equal(stored->note, ""); /* the user's, not the client's */
    assert_false(stored->pinned);
    run_info_free(stored);
}

static void facts_come_back(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    set_text(&r->app, "x'); DROP TABLE run; --");
    set_text(&r->args, "<img src=x onerror=alert(1)> \xf0\x9f\x98\x80 \"quoted\" back\\slash");
    set_text(&r->columns[1].name, "it's \"one\"");
    set_text(&r->note, "not the client's to say");
    r->pinned = true;
    r->pid = INT64_MAX;
    r->started = INT64_MIN + 1;
    r->rows = r->lost = 99; /* not taken from here either */
    write_run(s, r);

    /* A column joins, another tells its kind, tags come. */
    r->columns = mem_resize(r->columns, r->column_count + 1, sizeof *r->columns);
    r->columns[r->column_count++] = (run_column){mem_strdup("late"), mem_strdup(""), COLUMN_COUNTER};
    r->columns[0].kind = COLUMN_COUNTER;
    r->tags = mem_calloc(2, sizeof *r->tags);
    r->tags[0] = (run_tag){mem_strdup("branch"), mem_strdup("main")};
    r->tags[1] = (run_tag){mem_strdup("branch"), mem_strdup("twice")};
    r->tag_count = 2;
    write_run(s, r);

    /* A tag goes, the run goes on and ends. */
    free(r->tags[1].name);
    free(r->tags[1].value);
    r->tag_count = 1;
    write_run(s, r);
    r->last += 5;
    r->seen += 6;
    r->next_seq = 77;
    r->state = RUN_ENDED;
    write_run(s, r);

    run_info *stored;
    assert_ok(s, store_run(s, &r->id, &stored));
    assert_true(stored->rows == 0 && stored->lost == 0);
    run_info_free(stored);
    run_info_free(r);
}

typedef struct {
    uint8_t order[8];
    size_t count, most;
} order;

static bool note_run(void *ctx, const run_info *r)
{
    order *o = ctx;
    o->order[o->count++] = r->id.b[15];
    assert_int_equal(r->column_count, SAMPLE_COLUMNS);
    return o->count < o->most;
}

static void runs_newest_first(void **state)
{
    store *s = ((stored_place *)*state)->s;
    static const int64_t starts[] = {5, -7, 9, 0};
    for (uint32_t i = 0; i < ARRAY_LEN(starts); i++) {
        run_info *r = sample_run(i);
        r->started = starts[i];
        store_change change = {.info = r};
        assert_ok(s, store_write(s, &change, 1));
        run_info_free(r);
    }
    order all = {.most = 8}, two = {.most = 2};
    assert_ok(s, store_runs(s, note_run, &all));
    assert_int_equal(all.count, 4);
    assert_memory_equal(all.order, ((uint8_t[]){2, 0, 3, 1}), 4);
    assert_ok(s, store_runs(s, note_run, &two));
    assert_int_equal(two.count, 2);
}

/* ---- rows ---- */

static void rows_come_back(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint64_t at = 0; at < 5000; at += 1000) sample_put(s, 1, at, 1000);
    sample_put(s, 2, 0, 1);
    assert_int_equal(assert_held(s, 1, 5000), 5);
    assert_int_equal(assert_held(s, 2, 1), 1);
}

static void some_columns(void **state)
{
    store *s = ((stored_place *)*state)->s;
    sample_put(s, 1, 0, 100);
    chunk *whole = sample_chunk(0, 100), *c;
    uuid id = sample_id(1);
    assert_ok(s, store_chunk(s, &id, &whole->key, (uint32_t[]){2, 0}, 2, &c));
    assert_int_equal(c->rows, 100);
    assert_null(c->values[1]);
    assert_true(c->values[2][7] == sample_value(7, 2) && c->values[0][7] == sample_value(7, 0));
    chunk_free(c);
    chunk_free(whole);
}

static void a_write_can_be_repeated(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    chunk *chunks[] = {sample_chunk(0, 10), sample_chunk(10, 30)};
    run_event events[] = {
        {EVENT_MARK, SAMPLE_START, SAMPLE_START, 0, 0, (char[]){"start"}},
        {EVENT_GAP, SAMPLE_START, SAMPLE_START + 9, 40, 7, (char[]){""}},
        {EVENT_GAP, SAMPLE_START, SAMPLE_START + 9, 50, 5, (char[]){""}},
    };
    store_change change = {.info = r, .put = chunks, .put_count = 2, .events = events, .event_count = 3};
    for (int i = 0; i < 3; i++) {
        assert_ok(s, store_write(s, &change, 1));
        assert_int_equal(assert_held(s, 1, 40), 2);
        run_info *stored;
        assert_ok(s, store_run(s, &r->id, &stored));
        assert_int_equal(stored->lost, 12);
        run_info_free(stored);
        int count = 0;
        assert_ok(s, store_events(s, &r->id, WHOLE, count_event, &count));
        assert_int_equal(count, 3);
    }
    for (size_t i = 0; i < 2; i++) chunk_free(chunks[i]);
    run_info_free(r);
}

/* Three chunks become one, which has the key of the first. */
static void chunks_are_replaced(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    chunk *parts[] = {sample_chunk(0, 10), sample_chunk(10, 10), sample_chunk(20, 10)};
    store_change add = {.info = r, .put = parts, .put_count = 3};
    assert_ok(s, store_write(s, &add, 1));

    chunk *one = chunk_merge(parts, 3);
    chunk_key keys[] = {parts[0]->key, parts[1]->key, parts[2]->key};
    store_change replace = {.info = r, .put = &one, .put_count = 1, .drop = keys, .drop_count = 3};
    assert_ok(s, store_write(s, &replace, 1));
    assert_int_equal(assert_held(s, 1, 30), 1);
    assert_int_equal(store_write(s, &replace, 1), STORE_MISSING); /* what it builds on is no more there */
    assert_int_equal(assert_held(s, 1, 30), 1);
    for (size_t i = 0; i < 3; i++) {
        chunk *c;
        assert_int_equal(store_chunk(s, &r->id, &keys[i], NULL, 0, &c), STORE_MISSING);
        chunk_free(parts[i]);
    }
    chunk_free(one);
    run_info_free(r);
}

/* One of the three is not as the change believes: nothing happens, neither to it nor to what is written with it. */
static void nothing_is_replaced_by_halves(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1), *gone = sample_run(3);
    chunk *parts[] = {sample_chunk(0, 10), sample_chunk(10, 10), sample_chunk(20, 10)};
    for (size_t i = 0; i < 3; i++) sample_put(s, 1, i * 10, 10);
    chunk *one = chunk_merge(parts, 3);
    for (int wrong = 0; wrong < 4; wrong++) {
        chunk_key keys[] = {parts[0]->key, parts[1]->key, parts[2]->key};
        if (wrong == 0) keys[2].rows = 9;
        if (wrong == 1) keys[2].last_seq++;
        if (wrong == 2) keys[2].first_seq++;
        chunk *more = sample_chunk(0, 5);
        store_change changes[] = {
            {.info = gone, .put = &more, .put_count = 1},
            {.info = wrong == 3 ? gone : r, .put = &one, .put_count = 1, .drop = keys, .drop_count = 3}};
        assert_int_equal(store_write(s, wrong == 3 ? &changes[1] : changes, wrong == 3 ? 1 : 2), STORE_MISSING);
        assert_int_equal(assert_held(s, 1, 30), 3);
        run_info *none;
        assert_int_equal(store_run(s, &gone->id, &none), STORE_MISSING);
        chunk_free(more);
    }
    for (size_t i = 0; i < 3; i++) chunk_free(parts[i]);
    chunk_free(one);
    run_info_free(r);
    run_info_free(gone);
}

/* ---- several servers ---- */

/* Rows [first, first + rows) as a server that has handed on all up to there tells of them. */
static void tell(store *s, uint32_t run, uint64_t first, size_t rows, bool acked, bool counted, run_state state)
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

static run_info *stored_run(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    run_info *r;
    assert_ok(s, store_run(s, &id, &r));
    return r;
}

/* The same rows from one server and another, cut differently, in any order: each is there once. */
static void two_servers_have_the_same_rows(void **state)
{
    store *s = ((stored_place *)*state)->s;
    tell(s, 1, 0, 100, true, false, RUN_LIVE);
    tell(s, 1, 60, 60, true, false, RUN_LIVE);
    tell(s, 1, 60, 60, true, false, RUN_LIVE);
    tell(s, 1, 20, 90, true, false, RUN_LIVE);
    assert_int_equal(assert_held(s, 1, 120), 2);
    tell(s, 1, 110, 2000, true, false, RUN_LIVE);
    assert_held(s, 1, 2110);
    run_info *r = stored_run(s, 1);
    assert_true(r->next_seq == 2110 && r->lost == 0);
    run_info_free(r);
}

/* Both in one transaction: the second builds on the first. */
static void one_transaction_tells_it_twice(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    r->acked = true;
    r->next_seq = 100;
    r->last = sample_time(99);
    chunk *c[] = {sample_chunk(0, 100), sample_chunk(50, 50)};
    store_change changes[] = {{.info = r, .put = &c[0], .put_count = 1}, {.info = r, .put = &c[1], .put_count = 1}};
    assert_ok(s, store_write(s, changes, 2));
    assert_int_equal(assert_held(s, 1, 100), 1);
    for (size_t i = 0; i < 2; i++) chunk_free(c[i]);
    run_info_free(r);
}

/* What was acknowledged and is not there any more, since the store fell back to what a standby had. */
static void what_is_not_there_is_lost(void **state)
{
    store *s = ((stored_place *)*state)->s;
    tell(s, 1, 0, 100, true, false, RUN_LIVE);
    tell(s, 1, 130, 20, true, false, RUN_LIVE);
    run_info *r = stored_run(s, 1);
    assert_true(r->rows == 120 && r->lost == 30 && r->next_seq == 150);
    int count = 0;
    assert_ok(s, store_events(s, &r->id, sample_time(99), sample_time(130), count_event, &count));
    assert_int_equal(count, 1);
    run_info_free(r);
}

/* Rows that the servers number: none is lost because two of them gave it the same number. */
static void numbers_of_two_servers(void **state)
{
    store *s = ((stored_place *)*state)->s;
    tell(s, 1, 0, 50, false, true, RUN_LIVE);
    run_info *r = sample_run(1);
    r->counted = true;
    r->next_seq = 10;
    batch *b = sample_batch(0, 50, 10);                     /* the values of 50 … 59 … */
    for (size_t i = 0; i < 10; i++) b->parts[0].seq[i] = i; /* … under numbers that are taken */
    chunk *c = chunk_from_part(&b->parts[0], 0, 10);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_ok(s, store_write(s, &change, 1));
    assert_held(s, 1, 60);
    chunk_free(c);
    batch_free(b);
    run_info_free(r);
}

/* A server that has not heard of it for long does not turn back what another wrote. */
static void nothing_goes_back(void **state)
{
    store *s = ((stored_place *)*state)->s;
    tell(s, 1, 0, 100, true, false, RUN_ENDED);
    tell(s, 1, 40, 0, true, false, RUN_LIVE);
    tell(s, 1, 0, 60, true, false, RUN_CRASHED);
    tell(s, 1, 100, 0, true, false, RUN_LIVE);
    run_info *r = stored_run(s, 1);
    assert_int_equal(r->state, RUN_ENDED);
    assert_true(r->last == sample_time(99) && r->seen == sample_time(99) && r->next_seq == 100);
    run_info_free(r);
    tell(s, 1, 100, 5, true, false, RUN_LIVE); /* but rows after the goodbye tell that it goes on */
    r = stored_run(s, 1);
    assert_int_equal(r->state, RUN_LIVE);
    run_info_free(r);
    tell(s, 1, 105, 0, true, false, RUN_CRASHED);
    tell(s, 1, 105, 0, true, false, RUN_LIVE);
    r = stored_run(s, 1);
    assert_int_equal(r->state, RUN_CRASHED);
    run_info_free(r);
    tell(s, 1, 105, 0, true, false, RUN_ENDED); /* its process is gone, yes, and it had said goodbye */
    r = stored_run(s, 1);
    assert_int_equal(r->state, RUN_ENDED);
    run_info_free(r);
}

static void all_or_nothing(void **state)
{
    store *s = ((stored_place *)*state)->s;
    sample_put(s, 1, 0, 10);
    run_info *a = sample_run(1), *b = sample_run(2);
    chunk *good = sample_chunk(10, 10), *bad = sample_chunk(0, 1);
    bad->seq[0] = UINT64_C(1) << 63;
    chunk_summarise(bad);
    run_event mark = {EVENT_MARK, 1, 1, 0, 0, (char[]){"m"}};
    store_change changes[] = {
        {.info = a, .put = &good, .put_count = 1, .events = &mark, .event_count = 1},
        {.info = b, .put = &bad, .put_count = 1},
    };
    assert_int_equal(store_write(s, changes, 2), STORE_FAILED);
    assert_non_null(strstr(store_error(s), "sequence number"));
    assert_held(s, 1, 10);
    int count = 0;
    assert_ok(s, store_events(s, &a->id, WHOLE, count_event, &count));
    assert_int_equal(count, 0);
    run_info *r;
    assert_int_equal(store_run(s, &b->id, &r), STORE_MISSING);
    assert_ok(s, store_write(s, changes, 1)); /* and it goes on */
    assert_held(s, 1, 20);
    chunk_free(good);
    chunk_free(bad);
    run_info_free(a);
    run_info_free(b);
}

/* ---- ranges ---- */

static uint64_t dice_state = 0x9e3779b97f4a7c15;
static uint64_t dice(uint64_t n) /* xorshift64: 0 … n-1 */
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state % n;
}

typedef struct {
    chunk_key keys[512];
    size_t count;
} key_list;

static bool note_key(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    key_list *l = ctx;
    (void)columns, (void)count;
    assert_true(l->count < ARRAY_LEN(l->keys));
    l->keys[l->count++] = *key;
    return true;
}

static int by_place(const void *x, const void *y)
{
    const chunk_key *a = x, *b = y;
    if (a->first_time != b->first_time) return a->first_time < b->first_time ? -1 : 1;
    return (a->first_seq > b->first_seq) - (a->first_seq < b->first_seq);
}

/* A chunk of two rows at these times. */
static chunk *chunk_between(uint64_t seq, int64_t from, int64_t to)
{
    chunk *c = chunk_new(2, 1);
    c->time[0] = from;
    c->time[1] = to;
    c->seq[0] = seq;
    c->seq[1] = seq + 1;
    c->values[0][0] = (double)seq;
    c->values[0][1] = (double)seq + 0.5;
    chunk_summarise(c);
    return c;
}

static void put_chunk(store *s, const run_info *r, chunk *c)
{
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_ok(s, store_write(s, &change, 1));
}

static void add_chunk(store *s, const run_info *r, key_list *all, int64_t from, int64_t to)
{
    chunk *c = chunk_between(all->count * 2, from, to);
    put_chunk(s, r, c);
    all->keys[all->count++] = c->key;
    qsort(all->keys, all->count, sizeof all->keys[0], by_place);
    chunk_free(c);
}

static void assert_overlaps(store *s, const run_info *r, const key_list *all, int64_t from, int64_t to)
{
    key_list found = {.count = 0}, expected = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, from, to, note_key, &found));
    for (size_t i = 0; i < all->count; i++)
        if (all->keys[i].first_time <= to && all->keys[i].last_time >= from)
            expected.keys[expected.count++] = all->keys[i];
    assert_int_equal(found.count, expected.count);
    for (size_t i = 0; i < found.count; i++) {
        assert_int_equal(by_place(&found.keys[i], &expected.keys[i]), 0);
        assert_true(found.keys[i].last_time == expected.keys[i].last_time);
    }
}

/* Chunks of all lengths; then also such that cover everything, and at the ends of time. */
static void entries_that_overlap(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    key_list all = {.count = 0};
    static const int64_t lengths[] = {0, 1, 10, 1000, 30000};
    for (int part = 0; part < 2; part++) {
        for (int i = 0; i < 80; i++) {
            int64_t from = (int64_t)dice(100000);
            add_chunk(s, r, &all, from, from + lengths[dice(ARRAY_LEN(lengths))]);
        }
        for (int turn = 0; turn < 200; turn++) {
            int64_t from = (int64_t)dice(200000) - 50000;
            assert_overlaps(s, r, &all, from, from + (int64_t)dice(3000));
        }
        assert_overlaps(s, r, &all, INT64_MIN, INT64_MAX);
        assert_overlaps(s, r, &all, INT64_MIN, INT64_MIN);
        assert_overlaps(s, r, &all, INT64_MAX, INT64_MAX);
        add_chunk(s, r, &all, INT64_MIN, 5);
        add_chunk(s, r, &all, 5, INT64_MAX);
        add_chunk(s, r, &all, INT64_MAX, INT64_MAX);
    }
    run_info_free(r);
}

/* ---- summaries of summaries ---- */

/* Puts a summary of level `level` over `count` entries of the level below, from number `from` on. */
static void put_summary(store *s, const run_info *r, uint32_t level, size_t from, size_t count)
{
    key_list below = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, level - 1, WHOLE, note_key, &below));
    assert_true(from + count <= below.count);
    chunk *c = chunk_new(0, 1);
    c->key = below.keys[from];
    c->key.level = level;
    c->key.rows = 0;
    for (size_t i = from; i < from + count; i++) {
        c->key.rows += below.keys[i].rows;
        if (below.keys[i].last_time > c->key.last_time) c->key.last_time = below.keys[i].last_time;
        if (below.keys[i].last_seq > c->key.last_seq) c->key.last_seq = below.keys[i].last_seq;
    }
    c->summaries[0] = (summary){c->key.rows, 0, 0, 0, 0, 0};
    put_chunk(s, r, c);
    chunk_free(c);
}

static int count_level(store *s, uint32_t run, uint32_t level)
{
    uuid id = sample_id(run);
    int count = 0;
    assert_ok(s, store_entries(s, &id, level, WHOLE, count_entry, &count));
    return count;
}

typedef struct {
    uint64_t rows;
    size_t entries, above;
    int64_t from, to, longest;
    chunk_key before;
} covered;

static bool add_covered(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    covered *c = ctx;
    assert_int_equal(count, 1);
    assert_int_equal(columns[0].count, key->rows);
    assert_true(key->first_time <= c->to && key->last_time >= c->from);
    if (key->level > 0) {
        c->above++;
        assert_true(key->first_time >= c->from && key->last_time <= c->to);
        assert_true(key->last_time - key->first_time <= c->longest);
    }
    if (c->entries++ > 0) assert_true(by_place(&c->before, key) < 0);
    c->before = *key;
    c->rows += key->rows;
    return true;
}

/* What the cover of a range has must be what the chunks have that overlap it. */
static covered assert_covered(store *s, const run_info *r, int64_t from, int64_t to, int64_t longest)
{
    covered c = {.from = from, .to = to, .longest = longest};
    assert_ok(s, store_cover(s, &r->id, from, to, longest, add_covered, &c));
    key_list chunks = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, from, to, note_key, &chunks));
    uint64_t rows = 0;
    for (size_t i = 0; i < chunks.count; i++) rows += chunks.keys[i].rows;
    assert_int_equal(c.rows, rows);
    return c;
}

/* 32 chunks, 100 long, that overlap their neighbours by 10; summaries over 4 each, of level 2 over 4 of those. */
static run_info *three_levels(store *s)
{
    run_info *r = sample_run(1);
    for (uint64_t i = 0; i < 32; i++) {
        chunk *c = chunk_between(i * 10, (int64_t)i * 90, (int64_t)i * 90 + 100);
        put_chunk(s, r, c);
        chunk_free(c);
    }
    for (size_t i = 0; i < 7; i++) put_summary(s, r, 1, i * 4, 4);
    put_summary(s, r, 2, 0, 4);
    return r;
}

static void a_cover_is_short_and_whole(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    covered c = assert_covered(s, r, WHOLE, INT64_MAX);
    assert_int_equal(c.entries, 1 + 3 + 4); /* level 2; level 1; what is not summarised yet */
    c = assert_covered(s, r, WHOLE, 500);
    assert_int_equal(c.entries, 7 + 4);
    c = assert_covered(s, r, WHOLE, 99);
    assert_int_equal(c.entries, 32);
    for (int turn = 0; turn < 500; turn++) {
        int64_t from = (int64_t)dice(3500) - 200;
        assert_covered(s, r, from, from + (int64_t)dice(2000), (int64_t)dice(2000));
    }
    run_info_free(r);
}

static bool stop_at_zero(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)key, (void)columns, (void)count;
    int *left = ctx;
    assert_true(*left > 0); /* not called again after it said no */
    return --*left > 0;
}

static void reading_can_be_stopped(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    for (int most = 1; most <= 8; most++) {
        int left = most;
        assert_ok(s, store_cover(s, &r->id, WHOLE, INT64_MAX, stop_at_zero, &left));
        assert_int_equal(left, 0);
        left = most;
        assert_ok(s, store_entries(s, &r->id, 0, WHOLE, stop_at_zero, &left));
        assert_int_equal(left, 0);
    }
    run_info_free(r);
}

/* Late rows: the summaries in whose midst they lie go, no others. */
static void a_summary_never_lies(void **state)
{
    static const struct {
        int64_t at;
        int level1, level2; /* how many are left of 7 and 1 */
    } cases[] = {
        {100, 6, 0},         /* within the first of level 1, and so within that of level 2 */
        {4 * 90 - 1, 7, 0},  /* between two of level 1, within that of level 2             */
        {20 * 90 + 1, 6, 1}, /* within one of level 1 that nothing stands for yet          */
        {30 * 90 + 1, 7, 1}, /* among chunks that nothing stands for yet                   */
        {-5, 7, 1},          /* before everything                                          */
        {99999, 7, 1},       /* after everything                                           */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        store *s = ((stored_place *)*state)->s;
        run_info *r = three_levels(s);
        chunk *late = chunk_between(7001, cases[i].at, cases[i].at);
        put_chunk(s, r, late);
        assert_int_equal(count_level(s, 1, 1), cases[i].level1);
        assert_int_equal(count_level(s, 1, 2), cases[i].level2);
        for (int64_t longest = 0; longest < 3000; longest += 97) assert_covered(s, r, WHOLE, longest);
        chunk_free(late);
        run_info_free(r);
        close_stored_place(state);
        open_stored_place(state);
    }
}

/* A chunk came in among those that were summed up: with it there are as many rows, but not the same. */
static void a_summary_of_what_was_is_refused(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    key_list below = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, WHOLE, note_key, &below));
    chunk *sum = chunk_new(0, 1), *late = chunk_between(7001, 29 * 90 + 1, 29 * 90 + 1);
    sum->key = below.keys[28];
    sum->key.level = 1;
    for (size_t i = 29; i < 32; i++) {
        sum->key.rows += below.keys[i].rows;
        sum->key.last_time = below.keys[i].last_time;
        sum->key.last_seq = below.keys[i].last_seq;
    }
    sum->summaries[0] = (summary){sum->key.rows, 0, 0, 0, 0, 0};
    put_chunk(s, r, late);
    store_change change = {.info = r, .put = &sum, .put_count = 1};
    assert_int_equal(store_write(s, &change, 1), STORE_MISSING);
    assert_int_equal(count_level(s, 1, 1), 7);
    chunk_free(sum);
    chunk_free(late);
    run_info_free(r);
}

static void a_wrong_summary_is_refused(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    chunk *c = chunk_new(0, 1);
    c->key = (chunk_key){
        .first_time = 28 * 90, .first_seq = 280, .last_time = 3000, .last_seq = 311, .rows = 5, .level = 1};
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_int_equal(store_write(s, &change, 1), STORE_MISSING);
    assert_int_equal(count_level(s, 1, 1), 7);
    chunk_free(c);
    run_info_free(r);
}

/* Chunks replaced below summaries: those that stand for them go. */
static void replacing_removes_summaries(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = three_levels(s);
    key_list all = {.count = 0};
    assert_ok(s, store_entries(s, &r->id, 0, WHOLE, note_key, &all));
    store_change change = {.info = r, .drop = &all.keys[5], .drop_count = 1};
    assert_ok(s, store_write(s, &change, 1));
    assert_int_equal(count_level(s, 1, 0), 31);
    assert_int_equal(count_level(s, 1, 1), 6);
    assert_int_equal(count_level(s, 1, 2), 0);
    assert_covered(s, r, WHOLE, INT64_MAX);
    run_info_free(r);
}

static void unmerged_runs_are_found(void **state)
{
    store *s = ((stored_place *)*state)->s;
    sample_put(s, 1, 0, 1024);
    for (uint64_t i = 0; i < 15; i++) sample_put(s, 2, i * 10, 10);
    int count = 0;
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 0);
    sample_put(s, 2, 150, 10);
    for (uint64_t i = 1; i < 64; i++) sample_put(s, 1, i * 1024, 1024);
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 2);

    /* A summary over run 1, and it is done with. */
    key_list below = {.count = 0};
    uuid id = sample_id(1);
    assert_ok(s, store_entries(s, &id, 0, WHOLE, note_key, &below));
    run_info *r = sample_run(1);
    chunk *c = chunk_new(0, 1);
    c->key = below.keys[0];
    c->key.level = 1;
    c->key.rows = 64 * 1024;
    c->key.last_time = below.keys[63].last_time;
    c->key.last_seq = below.keys[63].last_seq;
    put_chunk(s, r, c);
    count = 0;
    assert_ok(s, store_unmerged(s, count_id, &count));
    assert_int_equal(count, 1);
    chunk_free(c);
    run_info_free(r);
}

/* ---- events ---- */

typedef struct {
    run_event events[64];
    size_t count;
} event_list;

static bool note_event(void *ctx, const run_event *e)
{
    event_list *l = ctx;
    assert_string_equal(e->text, e->kind == EVENT_MARK ? "a 'mark'" : "");
    l->events[l->count] = *e;
    l->events[l->count++].text = NULL;
    return true;
}

static void events_that_overlap(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    static char none[] = "", label[] = "a 'mark'";
    run_event all[40];
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        bool gap = i % 2;
        int64_t time = (int64_t)i * 10;
        int64_t until = gap ? time + (int64_t)(i % 7) * 30 : time;
        all[i] = (run_event){gap ? EVENT_GAP : EVENT_MARK, time, until, i, gap ? i : 0, gap ? none : label};
    }
    store_change change = {.info = r, .events = all, .event_count = ARRAY_LEN(all)};
    assert_ok(s, store_write(s, &change, 1));
    for (int64_t from = -20; from < 700; from += 7) {
        int64_t to = from + (from % 5) * 20;
        event_list found = {.count = 0};
        assert_ok(s, store_events(s, &r->id, from, to, note_event, &found));
        size_t at = 0;
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            if (all[i].time > to || all[i].until < from) continue;
            assert_true(at < found.count);
            assert_int_equal(found.events[at].seq, all[i].seq);
            assert_int_equal(found.events[at].until, all[i].until);
            assert_int_equal(found.events[at].count, all[i].count);
            at++;
        }
        assert_int_equal(at, found.count);
    }
    run_info_free(r);
}

/* What a stranger says he lost may be absurd; the sum stays a number, and the run can be written. */
static void absurd_losses(void **state)
{
    store *s = ((stored_place *)*state)->s;
    run_info *r = sample_run(1);
    for (uint64_t i = 0; i < 3; i++) {
        run_event e = {EVENT_GAP, INT64_MIN, INT64_MAX, i, UINT64_MAX, (char[]){""}};
        store_change change = {.info = r, .events = &e, .event_count = 1};
        assert_ok(s, store_write(s, &change, 1));
    }
    int count = 0; /* gaps as long as all time are found in its midst */
    assert_ok(s, store_events(s, &r->id, 7, 7, count_event, &count));
    assert_int_equal(count, 3);
    run_info *stored;
    assert_ok(s, store_run(s, &r->id, &stored));
    assert_true(stored->lost == INT64_MAX);
    run_info_free(stored);
    run_info_free(r);
}

/* ---- what the user edits ---- */

static void edits(void **state)
{
    store *s = ((stored_place *)*state)->s;
    uuid id = sample_id(1), nobody = sample_id(9);
    const run_edit nothing = {.pinned = -1, .deleted = -1};
    sample_put(s, 1, 0, 10);
    assert_int_equal(store_edit(s, &nobody, &nothing), STORE_MISSING);
    assert_ok(s, store_edit(s, &id, &(run_edit){"it's \"one\"", "{\"k\":null}", 1, 77}));
    assert_ok(s, store_edit(s, &id, &nothing));
    sample_put(s, 1, 10, 10); /* what clients tell does not touch it */
    run_info *r = stored_run(s, 1);
    assert_string_equal(r->note, "it's \"one\"");
    assert_string_equal(r->user_tags, "{\"k\":null}");
    assert_true(r->pinned && r->deleted == 77 && r->rows == 20);
    run_info_free(r);
    assert_ok(s, store_edit(s, &id, &(run_edit){"", "", 0, 0}));
    r = stored_run(s, 1);
    assert_true(!*r->note && !*r->user_tags && !r->pinned && !r->deleted);
    run_info_free(r);
}

/* ---- what is to go ---- */

static store_swept sweep_all(store *s, int64_t deleted, int64_t rows)
{
    store_swept sum = {false, 0, 0}, one;
    do {
        assert_ok(s, store_sweep(s, deleted, rows, &one));
        assert_true(one.rows <= 2 * STORE_SWEEP * CHUNK_ROWS);
        sum.rows += one.rows;
        sum.runs += one.runs;
    } while (one.more);
    return sum;
}

static void put_many(store *s, uint32_t run, size_t rows, size_t each)
{
    for (size_t at = 0; at < rows; at += each) sample_put(s, run, at, each);
    run_info *r = sample_run(run);
    r->next_seq = rows;
    r->last = sample_time(rows - 1);
    static char text[] = "m";
    run_event events[100];
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        int64_t time = sample_time(i * rows / ARRAY_LEN(events));
        events[i] = (run_event){EVENT_MARK, time, time, i, 0, text};
    }
    store_change change = {.info = r, .events = events, .event_count = ARRAY_LEN(events)};
    assert_ok(s, store_write(s, &change, 1));
    run_info_free(r);
}

static void assert_gone(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    run_info *r;
    int count = 0;
    assert_int_equal(store_run(s, &id, &r), STORE_MISSING);
    assert_int_equal(store_entries(s, &id, 0, WHOLE, count_entry, &count), STORE_MISSING);
    assert_int_equal(store_events(s, &id, WHOLE, count_event, &count), STORE_MISSING);
}

static void deleted_runs_go(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint32_t run = 1; run <= 4; run++) put_many(s, run, 1000, 5);
    for (uint32_t run = 2; run <= 4; run++) {
        uuid id = sample_id(run);
        assert_ok(s, store_edit(s, &id, &(run_edit){.pinned = run == 3, .deleted = run * 100}));
    }
    store_swept swept = sweep_all(s, INT64_MIN, INT64_MIN);
    assert_true(swept.rows == 0 && swept.runs == 0);
    swept = sweep_all(s, 400, INT64_MIN);
    assert_true(swept.rows == 2000 && swept.runs == 2);
    assert_gone(s, 2);
    assert_gone(s, 3); /* a pin does not keep what was deleted */
    assert_held(s, 1, 1000);
    assert_held(s, 4, 1000);
    uuid id = sample_id(4);
    assert_ok(s, store_edit(s, &id, &(run_edit){.pinned = -1, .deleted = 0}));
    swept = sweep_all(s, INT64_MAX, INT64_MIN);
    assert_true(swept.rows == 0 && swept.runs == 0);
    put_many(s, 2, 100, 50); /* it can come again */
    assert_held(s, 2, 100);
}

/* Rows from `first` to `rows` are there, and nothing else; all that is told of the run agrees with it. */
static void assert_left(store *s, uint32_t run, size_t first, size_t rows)
{
    held h = held_read(s, run, rows);
    assert_int_equal(h.wrong, 0);
    for (size_t i = 0; i < rows; i++) assert_int_equal(h.times[i], i >= first);
    free(h.times);
    run_info *r = stored_run(s, run);
    assert_true(r->rows == rows - first && r->removed == first && r->lost == 0 && r->next_seq == rows);
    covered c = {.from = INT64_MIN, .to = INT64_MAX, .longest = INT64_MAX};
    key_list list = {.count = 0};
    assert_ok(s, store_cover(s, &r->id, WHOLE, INT64_MAX, note_key, &list));
    for (size_t i = 0; i < list.count; i++) c.rows += list.keys[i].rows;
    assert_int_equal(c.rows, rows - first);
    int events = 0;
    assert_ok(s, store_events(s, &r->id, WHOLE, count_event, &events));
    assert_int_equal(events, 100 - first * 100 / rows);
    run_info_free(r);
}

static void old_rows_go(void **state)
{
    store *s = ((stored_place *)*state)->s;
    for (uint32_t run = 1; run <= 3; run++) put_many(s, run, 2000, 10);
    uuid pinned = sample_id(2);
    assert_ok(s, store_edit(s, &pinned, &(run_edit){.pinned = 1, .deleted = -1}));
    for (uint32_t run = 1; run <= 3; run++) { /* summaries stand for chunks that go, and for some that stay */
        uuid id = sample_id(run);
        bool more = true;
        while (more) assert_ok(s, merge_run(s, &id, &more));
    }
    uuid id = sample_id(1);
    key_list before = {.count = 0};
    assert_ok(s, store_entries(s, &id, 0, WHOLE, note_key, &before));
    assert_true(before.count > 3);
    size_t first = before.keys[2].first_seq;
    store_swept swept = sweep_all(s, INT64_MIN, sample_time(first) + 5); /* the chunk that this lies in stays */
    assert_true(swept.rows == 2 * first && swept.runs == 0);
    run_info *r = stored_run(s, 2);
    assert_true(r->rows == 2000 && r->removed == 0);
    run_info_free(r);
    held h = held_read(s, 1, 2000);
    for (size_t i = 0; i < 2000; i++) assert_int_equal(h.times[i], i >= first);
    free(h.times);

    /* All is old; of run 3 something was heard since. */
    r = sample_run(3);
    r->next_seq = 2000;
    r->seen = sample_time(9000);
    store_change change = {.info = r};
    assert_ok(s, store_write(s, &change, 1));
    run_info_free(r);
    swept = sweep_all(s, INT64_MIN, sample_time(8000));
    assert_true(swept.rows == 2 * (2000 - first) && swept.runs == 1);
    assert_gone(s, 1);
    assert_held(s, 2, 2000);
    r = stored_run(s, 3);
    assert_true(r->rows == 0 && r->removed == 2000 && r->next_seq == 2000);
    run_info_free(r);
    sample_put(s, 3, 2000, 10); /* it goes on where it was */
    r = stored_run(s, 3);
    assert_true(r->rows == 10 && r->lost == 0);
    run_info_free(r);
}

/* However little is removed at a time, what is left is whole. */
static void what_is_left_is_whole(void **state)
{
    store *s = ((stored_place *)*state)->s;
    put_many(s, 1, 4000, 20);
    for (size_t first = 0; first <= 3000; first += 20) {
        sweep_all(s, INT64_MIN, sample_time(first));
        if (first % 400 == 0) assert_left(s, 1, first, 4000);
    }
}

/* ---- several connections ---- */

static void a_snapshot_stays(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 10);
    store *reader = sample_open(f->place->url, STORE_READ);
    assert_ok(reader, store_snapshot_begin(reader));
    sample_put(f->s, 1, 10, 10);
    sample_put(f->s, 2, 0, 10);
    assert_held(reader, 1, 10);
    int count = 0;
    assert_ok(reader, store_runs(reader, count_run, &count));
    assert_int_equal(count, 1);
    store_snapshot_end(reader);
    assert_held(reader, 1, 20);
    store_close(reader);
}

typedef struct {
    const char *url;
    _Atomic size_t rows, reads, wrong;
    _Atomic bool done;
} racing;

/* Reads while the other writes: whatever was durable before is there, once, and whole. */
static void *read_on(void *ctx)
{
    racing *r = ctx;
    buf why = {0};
    store *s = store_open(r->url, STORE_READ, &why);
    buf_free(&why);
    for (bool last = !s; !last;) {
        last = r->done;
        size_t before = r->rows;
        r->wrong += store_snapshot_begin(s) != STORE_OK;
        held h = held_read(s, 1, 4000);
        store_snapshot_end(s);
        r->wrong += h.wrong;
        for (size_t i = 0; i < 4000; i++) r->wrong += h.times[i] > 1 || (h.times[i] == 0 && i < before);
        free(h.times);
        r->reads++;
    }
    store_close(s);
    return NULL;
}

static void readers_beside_the_writer(void **state)
{
    stored_place *f = *state;
    racing r = {.url = f->place->url};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
    for (uint64_t at = 0; at < 4000; at += 20) {
        sample_put(f->s, 1, at, 20);
        r.rows = at + 20;
    }
    r.done = true;
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_int_equal(r.wrong, 0);
    assert_true(r.reads >= 2);
    assert_held(f->s, 1, 4000);
}

static void it_is_there_after_opening_again(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 3000);
    store_close(f->s);
    f->s = sample_open(f->place->url, STORE_WRITE);
    assert_held(f->s, 1, 3000);
    sample_put(f->s, 1, 3000, 5);
    assert_held(f->s, 1, 3005);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stored_place, close_stored_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store),
        TEST(facts_come_back),
        TEST(runs_newest_first),
        TEST(rows_come_back),
        TEST(some_columns),
        TEST(a_write_can_be_repeated),
        TEST(chunks_are_replaced),
        TEST(nothing_is_replaced_by_halves),
        TEST(two_servers_have_the_same_rows),
        TEST(one_transaction_tells_it_twice),
        TEST(what_is_not_there_is_lost),
        TEST(numbers_of_two_servers),
        TEST(nothing_goes_back),
        TEST(all_or_nothing),
        TEST(entries_that_overlap),
        TEST(a_cover_is_short_and_whole),
        TEST(reading_can_be_stopped),
        TEST(a_summary_never_lies),
        TEST(a_summary_of_what_was_is_refused),
        TEST(a_wrong_summary_is_refused),
        TEST(replacing_removes_summaries),
        TEST(unmerged_runs_are_found),
        TEST(events_that_overlap),
        TEST(absurd_losses),
        TEST(edits),
        TEST(deleted_runs_go),
        TEST(old_rows_go),
        TEST(what_is_left_is_whole),
        TEST(a_snapshot_stays),
        TEST(readers_beside_the_writer),
        TEST(it_is_there_after_opening_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
