/* SPDX-License-Identifier: MIT OR Unlicense
   test_crash: a process that writes is killed (SIGKILL) at random moments. Each time the file opens, is whole, and holds
   every row that was reported durable, once. Rows come in order, so nothing may be missing in between either. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "sample.h"

#include "../server/store/merge.h"
#include "../server/store/writer.h"

#define ROUNDS 25

static int open_place(void **state)
{
    *state = place_new();
    return 0;
}

static int close_place(void **state)
{
    place_free(*state);
    return 0;
}

static uint64_t dice(uint64_t n) /* xorshift64: 0 … n-1 */
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

/* ---- the victims. They end only by being killed, or badly ---- */

/* Says how many rows are durable. */
static void report(int to, uint64_t rows)
{
    if (write(to, &rows, sizeof rows) != sizeof rows) _exit(3);
}

static uint64_t rows_stored(store *s)
{
    uuid id = sample_id(1);
    run_info *r;
    if (store_run(s, &id, &r) != STORE_OK) return 0;
    uint64_t rows = r->rows;
    run_info_free(r);
    return rows;
}

/* Writes chunks of changing size, and merges now and then. */
static void write_and_merge(const char *url, int to)
{
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    if (!s) _exit(4);
    uuid id = sample_id(1);
    run_info *r = sample_run(1);
    uint64_t at = rows_stored(s);
    for (uint64_t turn = 1;; turn++) {
        chunk *c = sample_chunk(at, 1 + turn * 7 % 40);
        store_change change = {.info = r, .put = &c, .put_count = 1};
        if (store_write(s, &change, 1) != STORE_OK) _exit(5);
        report(to, at += c->rows);
        chunk_free(c);
        bool more;
        if (turn % 5 == 0 && merge_run(s, &id, &more) != STORE_OK) _exit(6);
    }
}

static void report_batch(void *ctx, const batch *b)
{
    const batch_part *p = &b->parts[0];
    report(*(int *)ctx, p->seq[p->rows - 1] + 1);
}

/* The same through the writer, many batches at a time. */
static void put_batches(const char *url, int to)
{
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    if (!s) _exit(4);
    uint64_t at = rows_stored(s);
    store_close(s);
    writer_desc desc = {.store_url = url, .durable = report_batch, .ctx = &to};
    writer *w = writer_start(&desc, &why);
    if (!w) _exit(7);
    for (uint64_t turn = 1;; turn++) {
        size_t rows = turn % 50 == 0 ? 3000 : 1 + turn * 7 % 40;
        writer_put(w, sample_batch(1, at, rows));
        at += rows;
        while (writer_counters(w)->waiting_bytes > 300000) nanosleep(&(struct timespec){0, 100000}, NULL);
    }
}

/* ---- the murderer ---- */

/* Starts a victim and kills it `delay` ns after it was born, or after its first report. What did it report last? */
static uint64_t kill_one(const place *p, void (*victim)(const char *, int), int64_t delay, bool wait_for_report)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        victim(p->url, ends[1]);
    }
    close(ends[1]);
    uint64_t rows = 0, next;
    if (wait_for_report) assert_int_equal(read(ends[0], &rows, sizeof rows), sizeof rows);
    for (int64_t end = clock_mono() + delay; clock_mono() < end;) {
        struct timespec nap = {0, 200000};
        nanosleep(&nap, NULL);
    }
    kill(child, SIGKILL);
    while (read(ends[0], &next, sizeof next) == sizeof next) rows = next;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the writer ended by itself: %x", (unsigned)status);
    return rows;
}

static void assert_sound(const place *p)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    /* Nothing that nobody refers to, nothing that is referred to and not there. */
    const char *orphans = "SELECT (SELECT count(*) FROM chunk WHERE level = 0) - count(*) FROM chunk_data"
                          " JOIN chunk ON chunk.data = chunk_data.id UNION ALL"
                          " SELECT (SELECT count(*) FROM chunk_data) - count(data) FROM chunk";
    assert_int_equal(sqlite3_prepare_v2(db, orphans, -1, &st, NULL), SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) assert_int_equal(sqlite3_column_int64(st, 0), 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void kill_often(const place *p, void (*victim)(const char *, int))
{
    uint64_t before = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t reported = kill_one(p, victim, (int64_t)dice(60) * NS_PER_MS, true);
        store *s = sample_open(p->url, STORE_WRITE);
        uint64_t rows = rows_stored(s);
        assert_true(rows >= reported && reported > before);
        assert_held(s, 1, rows);
        store_close(s);
        assert_sound(p);
        before = rows;
    }
}

static void killed_while_storing(void **state)
{
    kill_often(*state, write_and_merge);
}

static void killed_in_the_writer(void **state)
{
    kill_often(*state, put_batches);
}

/* At its very beginning, when the tables are made. */
static void killed_while_making_the_file(void **state)
{
    const place *p = *state;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t reported = kill_one(p, write_and_merge, (int64_t)dice(8000) * 1000, false);
        store *s = sample_open(p->url, STORE_WRITE);
        uint64_t rows = rows_stored(s);
        assert_true(rows >= reported);
        if (rows) assert_held(s, 1, rows);
        store_close(s);
        assert_sound(p);
        unlink(p->file);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_while_storing),
        TEST(killed_in_the_writer),
        TEST(killed_while_making_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
