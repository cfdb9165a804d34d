/* SPDX-License-Identifier: MIT OR Unlicense
   test_writer: what is put is stored once, whatever the store does meanwhile; what is not stored is counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>

#include "sample.h"

#include "../server/store/writer.h"

/* What the writer said. */
typedef struct {
    place *place;
    writer *w;
    pthread_mutex_t lock;
    uint64_t durable_rows, durable_batches, next_seq, disorder;
    uuid found_id;
    run_info *found;
    _Atomic int answers;
    int64_t retain;
} fixture;

static void on_durable(void *ctx, const batch *b)
{
    fixture *f = ctx;
    pthread_mutex_lock(&f->lock);
    f->durable_batches++;
    for (size_t i = 0; i < b->count; i++) {
        const batch_part *p = &b->parts[i];
        f->durable_rows += p->rows;
        if (p->rows == 0 || p->info->id.b[15] != 1) continue; /* run 1 comes in order */
        f->disorder += p->seq[0] < f->next_seq;
        f->next_seq = p->seq[p->rows - 1] + 1;
    }
    pthread_mutex_unlock(&f->lock);
}

static void on_found(void *ctx, const uuid *id, run_info *stored)
{
    fixture *f = ctx;
    pthread_mutex_lock(&f->lock);
    run_info_free(f->found);
    f->found_id = *id;
    f->found = stored;
    f->answers++;
    pthread_mutex_unlock(&f->lock);
}

static void start(fixture *f, size_t bound)
{
    buf why = {0};
    writer_desc desc = {
        .store_url = f->place->url, .bound = bound, .durable = on_durable, .found = on_found, .ctx = f};
    desc.retain = f->retain;
    f->w = writer_start(&desc, &why);
    if (!f->w) fail_msg("%s", why.p);
    buf_free(&why);
}

static void stop(fixture *f, double seconds)
{
    writer_stop(f->w, seconds);
    writer_free(f->w);
    f->w = NULL;
}

static int open_place(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->place = place_new();
    pthread_mutex_init(&f->lock, NULL);
    *state = f;
    return 0;
}

static int close_place(void **state)
{
    fixture *f = *state;
    if (f->w) stop(f, 0);
    run_info_free(f->found);
    pthread_mutex_destroy(&f->lock);
    place_free(f->place);
    free(f);
    return 0;
}

static run_info *stored_run(fixture *f, uint32_t run)
{
    store *s = sample_open(f->place->url, STORE_READ);
    uuid id = sample_id(run);
    run_info *r;
    assert_int_equal(store_run(s, &id, &r), STORE_OK);
    store_close(s);
    return r;
}

static size_t assert_stored(fixture *f, uint32_t run, size_t rows)
{
    store *s = sample_open(f->place->url, STORE_READ);
    size_t chunks = assert_held(s, run, rows);
    store_close(s);
    return chunks;
}

/* Nobody can write for a while: another process holds the file (here, another connection of this one), … */
typedef struct {
    const char *database; /* "": it is a file */
    sqlite3 *db;
} blocking;

/* … or the database refuses; who writes it just now is cut off. */
static void block_database(const char *database)
{
    place_tell("ALTER DATABASE %s SET default_transaction_read_only = on", database);
    place_tell("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'", database);
}

static blocking block(fixture *f)
{
    blocking b = {.database = f->place->database};
    if (*b.database) {
        block_database(b.database);
        return b;
    }
    assert_int_equal(sqlite3_open(f->place->file, &b.db), SQLITE_OK);
    sqlite3_busy_timeout(b.db, 10000);
    assert_int_equal(sqlite3_exec(b.db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return b;
}

static void unblock(blocking b)
{
    if (*b.database) {
        place_tell("ALTER DATABASE %s RESET default_transaction_read_only", b.database);
        return;
    }
    sqlite3_exec(b.db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(b.db);
}

/* ---- the normal day ---- */

static void what_is_put_is_stored(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint64_t i = 0; i < 50; i++) {
        writer_put(f->w, sample_batch(1, i * 100, 100));
        writer_put(f->w, sample_batch(2, i * 3, 3));
    }
    writer_put(f->w, sample_batch(3, 0, 5000));
    wait_until(writer_counters(f->w)->rows_stored == 50 * 103 + 5000);
    wait_until(writer_counters(f->w)->waiting_bytes == 0);
    assert_stored(f, 1, 5000);
    stop(f, 10);
    assert_true(f->durable_rows == 50 * 103 + 5000 && f->durable_batches == 101 && f->disorder == 0);
    assert_stored(f, 2, 150);
    assert_int_equal(assert_stored(f, 3, 5000), 5); /* cut evenly */
}

static void stopping_writes_what_waits(void **state)
{
    fixture *f = *state;
    for (uint64_t turn = 0; turn < 5; turn++) {
        start(f, 0);
        for (uint64_t i = 0; i < 20; i++) writer_put(f->w, sample_batch(1, turn * 200 + i * 10, 10));
        stop(f, turn % 2 ? 0 : 10); /* the time is only for a store that refuses */
        assert_stored(f, 1, (turn + 1) * 200);
    }
}

static void an_empty_batch(void **state)
{
    fixture *f = *state;
    start(f, 0);
    batch *b = sample_batch(1, 0, 0);
    b->parts[0].info->state = RUN_ENDED;
    writer_put(f->w, b);
    writer_put(f->w, mem_calloc(1, sizeof(batch)));
    stop(f, 10);
    run_info *r = stored_run(f, 1);
    assert_true(r->state == RUN_ENDED && r->rows == 0);
    run_info_free(r);
}

static void wants_are_answered(void **state)
{
    fixture *f = *state;
    uuid one = sample_id(1), two = sample_id(2);
    start(f, 0);
    writer_want(f->w, &one);
    wait_until(f->answers == 1);
    assert_null(f->found);
    assert_true(uuid_eq(&f->found_id, &one));

    /* What was put before the question is in the answer. */
    for (uint64_t i = 1; i <= 20; i++) {
        int before = f->answers;
        writer_put(f->w, sample_batch(1, (i - 1) * 10, 10));
        writer_put(f->w, sample_batch(2, (i - 1) * 10, 10));
        writer_want(f->w, &two);
        wait_until(f->answers == before + 1);
        assert_non_null(f->found);
        assert_true(f->found->rows == i * 10 && f->found->next_seq == i * 10);
    }
}

typedef struct {
    writer *w;
    uint32_t run;
} putting;

static void *put_many(void *ctx)
{
    putting *p = ctx;
    for (uint64_t i = 0; i < 200; i++) {
        writer_put(p->w, sample_batch(p->run, i * 7, 7));
        if (i % 50 == 0) writer_want(p->w, &(uuid){{1}});
    }
    return NULL;
}

static void several_threads_put(void **state)
{
    fixture *f = *state;
    start(f, 0);
    pthread_t threads[3];
    putting what[3];
    for (uint32_t i = 0; i < 3; i++) {
        what[i] = (putting){f->w, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &what[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    wait_until(f->answers == 12);
    stop(f, 10);
    for (uint32_t i = 0; i < 3; i++) assert_stored(f, i + 1, 1400);
    assert_int_equal(f->disorder, 0);
}

static void small_chunks_are_merged(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint64_t i = 0; i < 320; i++) writer_put(f->w, sample_batch(1, i, 1));
    wait_until(writer_counters(f->w)->rows_stored == 320);
    wait_until(assert_stored(f, 1, 320) <= 20);
}

static void what_a_restart_left_is_merged(void **state)
{
    fixture *f = *state;
    store *s = sample_open(f->place->url, STORE_WRITE);
    for (uint64_t i = 0; i < 100; i++) sample_put(s, 1, i, 1);
    store_close(s);
    assert_int_equal(assert_stored(f, 1, 100), 100);
    start(f, 0);
    wait_until(assert_stored(f, 1, 100) < 20);
}

/* ---- what users want, and what is to go ---- */

typedef struct {
    job job;
    run_edit edit;
    uint32_t run;
    store_status status;
    _Atomic int finished;
} editing;

static void edit_run(job *j, store *s)
{
    editing *e = (editing *)j;
    uuid id = sample_id(e->run);
    e->status = store_edit(s, &id, &e->edit);
}

static void edit_done(void *ctx, job *j)
{
    (void)ctx;
    ((editing *)j)->finished++;
}

/* Waits for the answer. */
static editing edit(fixture *f, uint32_t run, run_edit what)
{
    editing e = {.job.run = edit_run, .edit = what, .run = run};
    assert_true(writer_edit(f->w, &e.job, edit_done, NULL));
    wait_until(e.finished == 1);
    return e;
}

static void users_edit(void **state)
{
    fixture *f = *state;
    start(f, 0);
    assert_int_equal(edit(f, 1, (run_edit){.pinned = 1, .deleted = -1}).status, STORE_MISSING);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    editing e = edit(f, 1, (run_edit){.note = "a note", .pinned = 1, .deleted = -1});
    assert_true(e.job.ran && e.status == STORE_OK);
    run_info *r = stored_run(f, 1);
    assert_true(r->pinned && strcmp(r->note, "a note") == 0);
    run_info_free(r);
}

/* Nobody waits for an answer in vain: not while the store refuses, nor when the writer ends. */
static void each_edit_is_answered(void **state)
{
    fixture *f = *state;
    start(f, 0);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    blocking b = block(f);
    editing refused = edit(f, 1, (run_edit){.note = "x", .pinned = -1, .deleted = -1});
    assert_true(refused.job.ran && refused.status == STORE_RETRY);
    static editing many[WRITER_EDITS + 50];
    size_t taken = 0;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (editing){.job.run = edit_run, .edit = {.pinned = 1, .deleted = -1}, .run = 1};
        taken += writer_edit(f->w, &many[i].job, edit_done, NULL);
    }
    assert_true(taken >= WRITER_EDITS);
    if (!*f->place->database) assert_true(taken < ARRAY_LEN(many)); /* a database refuses too fast to have many wait */
    unblock(b);
    stop(f, 10);
    size_t finished = 0;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        assert_in_range(many[i].finished, 0, 1);
        finished += (size_t)many[i].finished;
        if (!many[i].job.ran) continue;
        /* The connection that was cut is made anew only after a moment. */
        assert_true(many[i].status == STORE_OK || (*f->place->database && many[i].status == STORE_RETRY));
    }
    assert_int_equal(finished, taken);
}

/* Runs 1 and 2 are from long ago, 3 is of today. */
static void what_is_too_old_goes(void **state)
{
    fixture *f = *state;
    start(f, 0);
    for (uint32_t run = 1; run <= 2; run++)
        for (uint64_t i = 0; i < 100; i++) writer_put(f->w, sample_batch(run, i * 50, 50));
    batch *fresh = sample_batch(3, 0, 10);
    for (size_t i = 0; i < 10; i++) fresh->parts[0].time[i] = clock_wall();
    fresh->parts[0].info->seen = clock_wall();
    writer_put(f->w, fresh);
    wait_until(writer_counters(f->w)->rows_stored == 10010);
    edit(f, 2, (run_edit){.pinned = 1, .deleted = -1});
    stop(f, 10);
    f->retain = 86400 * NS_PER_SECOND;
    start(f, 0);
    wait_until(writer_counters(f->w)->runs_removed == 1);
    assert_int_equal(writer_counters(f->w)->rows_removed, 5000);
    assert_stored(f, 2, 5000);
    run_info *r = stored_run(f, 3);
    assert_int_equal(r->rows, 10);
    run_info_free(r);

    /* A run that was deleted long ago goes as soon as it is asked for; one just deleted stays. */
    edit(f, 2, (run_edit){.pinned = -1, .deleted = 1});
    edit(f, 3, (run_edit){.pinned = -1, .deleted = clock_wall()});
    writer_sweep(f->w);
    wait_until(writer_counters(f->w)->runs_removed == 2);
    r = stored_run(f, 3);
    assert_true(r->rows == 10 && r->deleted > 0);
    run_info_free(r);
}

/* While the writer is inside the store, which takes its time, others are not held up by it. */
static void putting_never_waits(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f);
    uint64_t at = 0;
    bool seen = false;
    for (int64_t end = clock_mono() + 60 * NS_PER_SECOND; !seen && clock_mono() < end;) {
        int64_t asked = writer_counters(f->w)->asked;
        writer_put(f->w, sample_batch(1, at, 10));
        writer_want(f->w, &(uuid){{9}});
        at += 10;
        seen = asked && writer_counters(f->w)->asked == asked; /* it was inside, and it still is */
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    assert_true(seen);
    wait_until(writer_lags(writer_counters(f->w)));
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == at);
    assert_false(writer_lags(writer_counters(f->w)));
}

/* ---- bad days ---- */

static void a_refusing_store_is_waited_for(void **state)
{
    fixture *f = *state;
    start(f, 0);
    writer_put(f->w, sample_batch(1, 0, 10));
    wait_until(writer_counters(f->w)->rows_stored == 10);
    blocking b = block(f);
    for (uint64_t i = 1; i < 30; i++) writer_put(f->w, sample_batch(1, i * 10, 10));
    wait_until(writer_counters(f->w)->failures >= 2);
    assert_true(writer_counters(f->w)->behind);
    uuid one = sample_id(1), other = sample_id(7);
    writer_want(f->w, &one);   /* has to wait */
    writer_want(f->w, &other); /* has not: nothing of it is to be written */
    wait_until(f->answers == 1);
    assert_true(uuid_eq(&f->found_id, &other));
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == 300);
    wait_until(f->answers == 2);
    assert_int_equal(f->found->rows, 300);
    assert_false(writer_counters(f->w)->behind);
    stop(f, 10);
    assert_stored(f, 1, 300);
    assert_int_equal(f->durable_rows, 300);
    assert_int_equal(f->disorder, 0);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A full disk is had here as a limit on the size of files, which fails a write at any place of the transaction. */
static void a_full_disk_is_waited_for(void **state)
{
    fixture *f = *state;
    if (*f->place->database) skip(); /* its disk is not ours */
    signal(SIGXFSZ, SIG_IGN);
    start(f, 0);
    set_file_limit(200000);
    uint64_t at = 0;
    for (; writer_counters(f->w)->failures < 2; at += 500) {
        writer_put(f->w, sample_batch(1, at, 500));
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        if (at > 5000000) fail_msg("the disk does not get full");
    }
    assert_true(writer_counters(f->w)->behind);
    assert_true(writer_counters(f->w)->rows_stored < at);
    set_file_limit(RLIM_INFINITY);
    wait_until(writer_counters(f->w)->rows_stored == at);
    stop(f, 10);
    assert_stored(f, 1, at);
    assert_int_equal(f->durable_rows, at);
}

/* What was sampled is stored, or lost and counted, and nothing else. */
static void assert_sums(fixture *f, uint32_t run, uint64_t sent)
{
    run_info *r = stored_run(f, run);
    assert_int_equal(r->rows + r->lost, sent);
    run_info_free(r);
}

typedef struct {
    uint8_t *times;
    size_t rows;
    uint64_t gaps, count;
} gap_check;

static bool check_gap(void *ctx, const run_event *e)
{
    gap_check *c = ctx;
    c->gaps++;
    c->count += e->count;
    assert_int_equal(e->kind, EVENT_GAP);
    assert_true(e->time == sample_time(e->seq)); /* it begins with the first lost row */
    assert_true(e->until == sample_time(e->seq + e->count - 1));
    for (uint64_t seq = e->seq; seq < e->seq + e->count; seq++) assert_int_equal(c->times[seq]++, 0);
    return true;
}

static void past_the_bound_rows_become_gaps(void **state)
{
    fixture *f = *state;
    start(f, 300000);
    uint64_t sent = 0;
    for (int round = 0; round < 3; round++) {
        uint64_t failures = writer_counters(f->w)->failures, dropped = writer_counters(f->w)->rows_dropped;
        blocking b = block(f);
        do {
            writer_put(f->w, sample_batch(1, sent, 100));
            writer_put(f->w, sample_batch(2, sent, 100));
            sent += 100;
        } while (writer_counters(f->w)->rows_dropped < dropped + 3000);
        wait_until(writer_counters(f->w)->failures > failures);
        unblock(b);
        wait_until(writer_counters(f->w)->waiting_bytes == 0);
    }
    uint64_t dropped = writer_counters(f->w)->rows_dropped;
    assert_true(writer_counters(f->w)->rows_stored + dropped == 2 * sent);
    stop(f, 10);

    uint64_t lost = 0;
    store *s = sample_open(f->place->url, STORE_READ);
    for (uint32_t run = 1; run <= 2; run++) {
        assert_sums(f, run, sent);
        held h = held_read(s, run, sent);
        assert_int_equal(h.wrong, 0);
        gap_check c = {.times = h.times, .rows = sent};
        uuid id = sample_id(run);
        assert_int_equal(store_events(s, &id, INT64_MIN, INT64_MAX, check_gap, &c), STORE_OK);
        assert_true(c.gaps >= 3);
        lost += c.count;
        for (size_t i = 0; i < sent; i++) assert_int_equal(h.times[i], 1); /* stored or lost, and never both */
        free(h.times);
    }
    assert_int_equal(lost, dropped);
    store_close(s);
}

/* Their clients were told to keep what comes next, but what is here is here. */
static void past_the_bound_rows_of_the_binary_wire_are_kept(void **state)
{
    fixture *f = *state;
    start(f, 20000);
    blocking b = block(f);
    for (uint64_t i = 0; i < 30; i++) {
        batch *acked = sample_batch(1, i * 100, 100);
        acked->parts[0].info->acked = true;
        writer_put(f->w, acked);
    }
    unblock(b);
    wait_until(writer_counters(f->w)->rows_stored == 3000);
    assert_int_equal(writer_counters(f->w)->rows_dropped, 0);
    stop(f, 10);
    assert_stored(f, 1, 3000);
    assert_int_equal(f->durable_rows, 3000);
    assert_int_equal(f->disorder, 0);
}

static void marks_that_had_to_go_are_counted(void **state)
{
    fixture *f = *state;
    start(f, 1); /* nothing fits */
    batch *b = sample_batch(1, 0, 10);
    b->parts[0].events = mem_calloc(2, sizeof(run_event));
    b->parts[0].events[0] = (run_event){EVENT_MARK, 1, 1, 0, 0, mem_strdup("mark")};
    b->parts[0].events[1] = (run_event){EVENT_GAP, sample_time(10), sample_time(14), 10, 5, mem_strdup("")};
    b->parts[0].event_count = 2;
    writer_put(f->w, b);
    wait_until(writer_counters(f->w)->commits == 1);
    assert_int_equal(writer_counters(f->w)->marks_dropped, 1);
    assert_int_equal(writer_counters(f->w)->rows_dropped, 10);
    run_info *r = stored_run(f, 1);
    assert_true(r->rows == 0 && r->lost == 15);
    run_info_free(r);
}

static void stopping_gives_up(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f);
    for (uint64_t i = 0; i < 10; i++) writer_put(f->w, sample_batch(1, i * 10, 10));
    stop(f, 0.1);
    unblock(b);
    assert_int_equal(f->durable_batches, 0);
    start(f, 0); /* the store is as it was, and can be used */
    writer_put(f->w, sample_batch(1, 0, 10));
    stop(f, 10);
    assert_stored(f, 1, 10);
}

/* One batch that can never be stored does not take the others with it. */
static void a_poisoned_batch(void **state)
{
    fixture *f = *state;
    start(f, 0);
    blocking b = block(f); /* so that they come in one group */
    writer_put(f->w, sample_batch(1, 0, 10));
    batch *bad = sample_batch(2, 0, 1);
    bad->parts[0].seq[0] = UINT64_C(1) << 63;
    writer_put(f->w, bad);
    writer_put(f->w, sample_batch(3, 0, 10));
    unblock(b);
    wait_until(writer_counters(f->w)->waiting_bytes == 0);
    stop(f, 10);
    assert_stored(f, 1, 10);
    assert_stored(f, 3, 10);
    assert_sums(f, 2, 1);
    assert_int_equal(f->durable_batches, 2);
}

static void a_store_that_cannot_be_opened(void **state)
{
    (void)state;
    buf why = {0};
    writer_desc desc = {.store_url = "sqlite:/nonexistent/directory/x.db", .found = on_found};
    assert_null(writer_start(&desc, &why));
    assert_non_null(strstr(why.p, "/nonexistent/directory"));
    buf_free(&why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_stored),
        TEST(stopping_writes_what_waits),
        TEST(an_empty_batch),
        TEST(wants_are_answered),
        TEST(several_threads_put),
        TEST(small_chunks_are_merged),
        TEST(what_a_restart_left_is_merged),
        TEST(users_edit),
        TEST(each_edit_is_answered),
        TEST(what_is_too_old_goes),
        TEST(putting_never_waits),
        TEST(a_refusing_store_is_waited_for),
        TEST(a_full_disk_is_waited_for),
        TEST(past_the_bound_rows_become_gaps),
        TEST(past_the_bound_rows_of_the_binary_wire_are_kept),
        TEST(marks_that_had_to_go_are_counted),
        TEST(stopping_gives_up),
        TEST(a_poisoned_batch),
        TEST(a_store_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
