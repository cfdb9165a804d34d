/* SPDX-License-Identifier: MIT OR Unlicense
   test_live: who looks on gets each new row once or is told that it was dropped, and is waked once for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../server/query/live.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const uuid RUN = {{1, 2, 3}}, OTHER = {{1, 9, 9}};

/* ---- batches ---- */

static run_info *info_of(const uuid *id, size_t columns)
{
    static char none[] = "", name[] = "c";
    run_info r = {.id = *id, .app = none, .host = none, .build = none, .args = none, .place = none, .note = none, .user_tags = none};
    r.column_count = columns;
    r.columns = mem_alloc(columns * sizeof *r.columns);
    for (size_t i = 0; i < columns; i++) r.columns[i] = (run_column){name, none, COLUMN_GAUGE};
    run_info *copy = run_info_copy(&r);
    free(r.columns);
    return copy;
}

/* Rows first … first + rows - 1, one a microsecond; each value is the row's number plus 0.5 × column. */
static batch *batch_of(const uuid *id, uint64_t first, size_t rows, size_t columns)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->count = 1;
    batch_part *p = b->parts = mem_calloc(1, sizeof *p);
    p->info = info_of(id, columns);
    p->rows = rows;
    p->columns = columns;
    p->time = mem_alloc(rows * sizeof *p->time);
    p->seq = mem_alloc(rows * sizeof *p->seq);
    p->values = mem_alloc(rows * columns * sizeof *p->values);
    for (size_t i = 0; i < rows; i++) {
        p->time[i] = (int64_t)(first + i) * 1000;
        p->seq[i] = first + i;
        for (size_t c = 0; c < columns; c++) p->values[i * columns + c] = (double)(first + i) + 0.5 * (double)c;
    }
    return b;
}

static void add_event(batch *b, event_kind kind, int64_t time, int64_t until, uint64_t count, const char *text)
{
    batch_part *p = &b->parts[0];
    p->events = mem_resize(p->events, p->event_count + 1, sizeof *p->events);
    p->events[p->event_count++] = (run_event){kind, time, until, (uint64_t)time, count, mem_strdup(text)};
}

static void publish(live *l, batch *b)
{
    live_publish(l, b);
    batch_free(b);
}

static void count_wake(void *ctx)
{
    atomic_fetch_add((_Atomic int *)ctx, 1);
}

/* ---- one thread ---- */

static void nothing_is_fetched_before_something_comes(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_news news;
    assert_int_equal(live_subscribers(l), 0);
    publish(l, batch_of(&RUN, 0, 1, 1));
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    assert_int_equal(live_subscribers(l), 1);
    assert_false(live_fetch(s, &news));
    live_news_free(&news);
    publish(l, batch_of(&OTHER, 0, 1, 1));
    assert_false(live_fetch(s, &news));
    assert_int_equal(waked, 0);
    live_unsubscribe(s);
    assert_int_equal(live_subscribers(l), 0);
    live_free(l);
}

static void rows_come_once_and_wake_once(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    publish(l, batch_of(&RUN, 0, 2, 2));
    publish(l, batch_of(&RUN, 2, 1, 2));
    assert_int_equal(waked, 1);
    live_news news;
    assert_true(live_fetch(s, &news));
    assert_true(news.rows.exact);
    assert_int_equal(news.rows.points, 3);
    assert_int_equal(news.rows.column_count, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(news.rows.time[i], i * 1000);
        assert_int_equal(news.rows.columns[1], 1);
        assert_true(news.rows.values[1].mean[i] == (double)i + 0.5);
    }
    assert_true(news.last[0] == 2 && news.last[1] == 2.5);
    assert_int_equal(news.dropped, 0);
    assert_true(uuid_eq(&news.info->id, &RUN));
    live_news_free(&news);
    assert_false(live_fetch(s, &news));
    publish(l, batch_of(&RUN, 3, 1, 2));
    assert_int_equal(waked, 2);
    assert_true(live_fetch(s, &news));
    assert_int_equal(news.rows.points, 1);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

static void everyone_who_looks_gets_them(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s[5];
    for (size_t i = 0; i < ARRAY_LEN(s); i++) s[i] = live_subscribe(l, i < 3 ? &RUN : &OTHER, count_wake, &waked);
    publish(l, batch_of(&RUN, 0, 10, 3));
    assert_int_equal(waked, 3);
    live_unsubscribe(s[1]);
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        if (i == 1) continue;
        live_news news;
        assert_int_equal(live_fetch(s[i], &news), i < 3);
        if (i < 3) assert_int_equal(news.rows.points, 10);
        live_news_free(&news);
        live_unsubscribe(s[i]);
    }
    live_free(l);
}

static void many_rows_become_few_points(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    for (uint64_t i = 0; i < 30; i++) publish(l, batch_of(&RUN, i * 100, 100, 1));
    live_news news;
    assert_true(live_fetch(s, &news));
    assert_false(news.rows.exact);
    assert_in_range(news.rows.points, 50, LIVE_POINTS);
    uint64_t rows = 0;
    for (size_t i = 0; i < news.rows.points; i++) rows += news.rows.rows[i];
    assert_int_equal(rows, 3000);
    assert_true(news.rows.values[0].min[0] == 0);
    assert_true(news.rows.values[0].max[news.rows.points - 1] == 2999);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

/* Rows that a fetch brought and rows it tells to be dropped. */
static void assert_slow(size_t batches, size_t rows, size_t columns, uint64_t kept)
{
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    for (size_t i = 0; i < batches; i++) publish(l, batch_of(&RUN, i * rows, rows, columns));
    live_news news;
    assert_true(live_fetch(s, &news));
    uint64_t got = 0, all = batches * rows;
    for (size_t i = 0; i < news.rows.points; i++) got += news.rows.rows[i];
    assert_int_equal(got, kept);
    assert_int_equal(got + news.dropped, all);
    assert_true(news.rows.values[0].min[0] == (double)(all - kept)); /* the oldest are the ones that went */
    assert_true(news.last[0] == (double)(all - 1));
    live_news_free(&news);
    publish(l, batch_of(&RUN, all, 1, columns));
    assert_true(live_fetch(s, &news));
    assert_int_equal(news.dropped, 0);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

static void a_slow_one_loses_the_oldest(void **state)
{
    (void)state;
    assert_slow(1, LIVE_ROWS, 1, LIVE_ROWS);
    assert_slow(1, LIVE_ROWS + 1, 1, LIVE_ROWS);
    assert_slow(LIVE_ROWS + 5, 1, 1, LIVE_ROWS);
    assert_slow(100, 333, 2, LIVE_ROWS);
    assert_slow(3, 20000, 1, LIVE_ROWS);
    assert_slow(10, 100, MAX_COLUMNS, LIVE_VALUES / MAX_COLUMNS);
}

static void columns_may_join(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    publish(l, batch_of(&RUN, 0, 1, 1));
    publish(l, batch_of(&RUN, 1, 1, 3));
    live_news news;
    assert_true(live_fetch(s, &news));
    assert_int_equal(news.info->column_count, 3);
    assert_int_equal(news.rows.column_count, 3);
    assert_true(isnan(news.rows.values[2].mean[0]) && news.rows.values[2].mean[1] == 2);
    live_news_free(&news);
    batch *b = batch_of(&RUN, 2, 0, 4);
    publish(l, b); /* no rows, but something of the run is new */
    assert_true(live_fetch(s, &news));
    assert_int_equal(news.info->column_count, 4);
    assert_int_equal(news.rows.points, 0);
    assert_null(news.last);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

static void rows_come_in_order_of_time(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    publish(l, batch_of(&RUN, 10, 3, 1));
    publish(l, batch_of(&RUN, 0, 3, 1));
    live_news news;
    assert_true(live_fetch(s, &news));
    for (size_t i = 1; i < news.rows.points; i++) assert_true(news.rows.time[i] > news.rows.time[i - 1]);
    assert_int_equal(news.rows.points, 6);
    assert_true(news.last[0] == 12);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

static void marks_and_gaps_come_along(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    batch *b = batch_of(&RUN, 0, 0, 1);
    for (int64_t i = 0; i < LIVE_POINTS + 50; i++) {
        add_event(b, EVENT_MARK, i, i, 0, "flushed");
        add_event(b, EVENT_GAP, i, i + 1, 2, "");
    }
    publish(l, b);
    live_news news;
    assert_true(live_fetch(s, &news));
    assert_int_equal(news.rows.mark_count, LIVE_POINTS);
    assert_int_equal(news.rows.gap_count, LIVE_POINTS);
    assert_string_equal(news.rows.marks[7].text, "flushed");
    uint64_t marks = 0, lost = 0;
    for (size_t i = 0; i < LIVE_POINTS; i++) {
        marks += news.rows.marks[i].count;
        lost += news.rows.gaps[i].count;
    }
    assert_int_equal(marks, LIVE_POINTS + 50);
    assert_int_equal(lost, 2 * (LIVE_POINTS + 50));
    assert_int_equal(news.rows.gaps[LIVE_POINTS - 1].until, LIVE_POINTS + 50);
    live_news_free(&news);
    live_unsubscribe(s);
    live_free(l);
}

static void what_was_not_fetched_is_freed(void **state)
{
    (void)state;
    live *l = live_new();
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(l, &RUN, count_wake, &waked);
    batch *b = batch_of(&RUN, 0, 5, 2);
    add_event(b, EVENT_MARK, 1, 1, 0, "m");
    publish(l, b);
    live_unsubscribe(s);
    live_free(l);
}

/* ---- many threads ---- */

enum { PUBLISHERS = 3, FETCHERS = 3, BATCHES = 300, ROWS_A_BATCH = 7 };

typedef struct {
    live *live;
    _Atomic int ready, publishing; /* fetchers that have subscribed; publishers that still work */
} shared;

typedef struct {
    shared *all;
    uint64_t number;
} publisher;

static void *publish_many(void *ctx)
{
    publisher *p = ctx;
    for (uint64_t i = 0; i < BATCHES; i++)
        publish(p->all->live,
                batch_of(i % 8 ? &RUN : &OTHER, (p->number * BATCHES + i) * ROWS_A_BATCH, ROWS_A_BATCH, 2));
    atomic_fetch_sub(&p->all->publishing, 1);
    return NULL;
}

static void note_wake(void *ctx)
{
    atomic_store((_Atomic int *)ctx, 1);
}

/* Counts what one subscriber gets from before the first batch until after the last. */
typedef struct {
    shared *all;
    uint64_t rows, in_vain;
} fetcher;

static void *fetch_all(void *ctx)
{
    fetcher *f = ctx;
    _Atomic int waked = 0;
    live_subscriber *s = live_subscribe(f->all->live, &RUN, note_wake, &waked);
    atomic_fetch_add(&f->all->ready, 1);
    for (bool last = false; !last;) {
        last = atomic_load(&f->all->publishing) == 0;
        if (!atomic_exchange(&waked, 0)) {
            sched_yield();
            continue;
        }
        live_news news;
        if (!live_fetch(s, &news)) f->in_vain++;
        for (size_t i = 0; i < news.rows.points; i++) f->rows += news.rows.rows[i];
        f->rows += news.dropped;
        live_news_free(&news);
        last = false;
    }
    live_unsubscribe(s);
    return NULL;
}

/* Comes and goes; after it has gone, `waked` is not touched any more (it is freed). */
static void *come_and_go(void *ctx)
{
    shared *all = ctx;
    while (atomic_load(&all->publishing)) {
        _Atomic int *waked = mem_calloc(1, sizeof *waked);
        live_subscriber *s = live_subscribe(all->live, &RUN, note_wake, (void *)waked);
        sched_yield();
        live_unsubscribe(s);
        free((void *)waked);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    shared all = {.live = live_new()};
    atomic_store(&all.publishing, PUBLISHERS);
    pthread_t publishers[PUBLISHERS], fetchers[FETCHERS], visitor;
    publisher p[PUBLISHERS];
    fetcher f[FETCHERS];
    for (size_t i = 0; i < FETCHERS; i++) {
        f[i] = (fetcher){&all, 0, 0};
        assert_int_equal(pthread_create(&fetchers[i], NULL, fetch_all, &f[i]), 0);
    }
    while (atomic_load(&all.ready) < FETCHERS) sched_yield();
    assert_int_equal(pthread_create(&visitor, NULL, come_and_go, &all), 0);
    for (size_t i = 0; i < PUBLISHERS; i++) {
        p[i] = (publisher){&all, i};
        assert_int_equal(pthread_create(&publishers[i], NULL, publish_many, &p[i]), 0);
    }
    for (size_t i = 0; i < PUBLISHERS; i++) pthread_join(publishers[i], NULL);
    pthread_join(visitor, NULL);
    uint64_t batches = 0;
    for (uint64_t i = 0; i < BATCHES; i++) batches += i % 8 != 0;
    for (size_t i = 0; i < FETCHERS; i++) {
        pthread_join(fetchers[i], NULL);
        assert_int_equal(f[i].in_vain, 0);
        assert_int_equal(f[i].rows, PUBLISHERS * batches * ROWS_A_BATCH);
    }
    live_free(all.live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_fetched_before_something_comes),
        cmocka_unit_test(rows_come_once_and_wake_once),
        cmocka_unit_test(everyone_who_looks_gets_them),
        cmocka_unit_test(many_rows_become_few_points),
        cmocka_unit_test(a_slow_one_loses_the_oldest),
        cmocka_unit_test(columns_may_join),
        cmocka_unit_test(rows_come_in_order_of_time),
        cmocka_unit_test(marks_and_gaps_come_along),
        cmocka_unit_test(what_was_not_fetched_is_freed),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
