/* SPDX-License-Identifier: MIT OR Unlicense
   test_store: what every store promises. What only SQLite does is in test_store_sqlite.c.
   Of ranges and summaries: test_store_cover.c; of events, edits and deleting: test_store_runs.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "store_sample.h"

/* ---- runs ---- */

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
    assert_same_columns_and_tags(a, b);
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

/* ---- several connections ---- */

static void a_snapshot_stays(void **state)
{
    stored_place *f = *state;
    if (place_is_distributed()) skip();
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
        TEST(a_snapshot_stays),
        TEST(readers_beside_the_writer),
        TEST(it_is_there_after_opening_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
