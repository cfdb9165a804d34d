/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_sqlite: what is the SQLite store's own: which files it opens, and which it leaves alone; a full disk;
   damage; and that no statement scans a table. What every store promises is in test_store.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sample.h"

#define RANDOM_SEED 3
#include "random.h"

#include "../server/store/merge.h"
#include "../server/store/sqlite/store_sqlite.h"

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

/* ---- help ---- */

static void sql(const char *file, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    char *error = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK) fail_msg("%s: %s", text, error);
    sqlite3_close(db);
}

/* The first value of the first row; free it. */
static char *ask(const char *file, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK) fail_msg("%s: %s", text, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    char *value = mem_strdup((const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return value;
}

static void assert_asks(const char *file, const char *text, const char *expected)
{
    char *value = ask(file, text);
    assert_string_equal(value, expected);
    free(value);
}

static void write_file(const char *file, const void *bytes, size_t n)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static buf read_file(const char *file)
{
    buf b = {0};
    char part[4096];
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) buf_append(&b, part, n);
    fclose(f);
    return b;
}

static void assert_refused(const char *url, store_mode mode, const char *reason)
{
    buf why = {0};
    store *s = store_open(url, mode, &why);
    assert_null(s);
    if (!strstr(why.p, reason)) fail_msg("%s says: %s\nnot: %s", url, why.p, reason);
    assert_null(strchr(why.p, '\n'));
    buf_free(&why);
}

/* ---- opening ---- */

static void urls_that_name_no_file(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"sqlite:", "names no file"},
        {"sqlite::memory:", "name a file"},
        {"mnemic.db", "neither of the form sqlite:FILE"},
        {"", "neither of the form sqlite:FILE"},
        {"mysql://host/db", "neither of the form sqlite:FILE"},
        {"sqlite:/", "is a directory"},
        {"sqlite:/dev/null", "is a device"},
        {"sqlite:/nonexistent/x.db", "the directory /nonexistent for the store does not exist"},
        {"sqlite:/dev/null/x.db", "cannot open /dev/null/x.db: Not a directory"},
        {"sqlite:/proc/x.db", "/proc"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) assert_refused(cases[i][0], STORE_WRITE, cases[i][1]);
}

static void reading_needs_a_file(void **state)
{
    place *p = *state;
    assert_refused(p->url, STORE_READ, "does not exist; the server makes it");
    assert_int_equal(access(p->file, F_OK), -1);
    write_file(p->file, "", 0);
    assert_refused(p->url, STORE_READ, "has not been made ready");
    store_close(sample_open(p->url, STORE_WRITE)); /* an empty file is as good as none */
    store_close(sample_open(p->url, STORE_READ));
}

static void files_we_may_not_write(void **state)
{
    place *p = *state;
    if (geteuid() == 0) skip(); /* who may do all */
    store_close(sample_open(p->url, STORE_WRITE));
    chmod(p->file, 0400);
    assert_refused(p->url, STORE_WRITE, "cannot be written: Permission denied");
    chmod(p->file, 0);
    assert_refused(p->url, STORE_WRITE, "cannot open");
    unlink(p->file);
    chmod(p->folder, 0500);
    assert_refused(p->url, STORE_WRITE, "cannot make a file in");
    chmod(p->folder, 0700);
}

/* Refused, and afterwards byte for byte what it was. Beside it may be what SQLite makes to read a file in WAL mode. */
static void assert_left_alone(place *p, const char *reason)
{
    static const char *const beside[] = {"-journal", "-lock"};
    buf before = read_file(p->file);
    for (store_mode mode = STORE_READ; mode <= STORE_WRITE; mode++) assert_refused(p->url, mode, reason);
    buf after = read_file(p->file);
    assert_int_equal(before.n, after.n);
    if (before.n) assert_memory_equal(before.p, after.p, before.n);
    for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
        char name[200];
        snprintf(name, sizeof name, "%s%s", p->file, beside[i]);
        assert_int_equal(access(name, F_OK), -1);
    }
    buf_free(&before);
    buf_free(&after);
}

static void files_that_are_not_ours(void **state)
{
    place *p = *state;
    write_file(p->file, "time,value\n1,2\n", 15);
    assert_left_alone(p, "is not a SQLite database");
    char page[8192];
    memset(page, 'x', sizeof page);
    write_file(p->file, page, sizeof page);
    assert_left_alone(p, "is not a SQLite database");
    unlink(p->file);
    sql(p->file, "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')");
    assert_left_alone(p, "is a database of another program");
    unlink(p->file);
    sql(p->file, "PRAGMA application_id = 7");
    assert_left_alone(p, "is a database of another program");
}

static void a_newer_file(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    sample_put(s, 1, 0, 10);
    store_close(s);
    sql(p->file, "PRAGMA user_version = 999");
    char lock[200];
    snprintf(lock, sizeof lock, "%s-lock", p->file);
    unlink(lock);
    assert_left_alone(p, "written by a newer mnemic (schema 999");
}

static void one_writer_at_a_time(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    assert_refused(p->url, STORE_WRITE, "another mnemic writes it");
    store *reader = sample_open(p->url, STORE_READ);
    store_close(s);
    store_close(sample_open(p->url, STORE_WRITE));
    store_close(reader);
}

/* 2 is FULL: each commit is fsync()ed. */
static void assert_synchronous(const store *s)
{
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(((sqlite_store *)s)->db, "PRAGMA synchronous", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(st, 0), 2);
    sqlite3_finalize(st);
}

static void a_file_says_whose_it_is(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    sample_put(s, 1, 0, 10);
    assert_synchronous(s);
    store_close(s);
    assert_asks(p->file, "PRAGMA application_id", "1835951469"); /* "mnem" */
    assert_asks(p->file, "PRAGMA journal_mode", "wal");
    assert_asks(p->file, "PRAGMA integrity_check", "ok");
    assert_asks(p->file,
                "SELECT min(strict) FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
                " AND name NOT LIKE 'sqlite%'",
                "1");
    assert_asks(p->file, "SELECT uuid FROM tracing_run", "1e7c356f-16b3-485c-a4f0-068700000001");
    assert_asks(p->file, "SELECT app_name FROM tracing_run", "sample");
    assert_asks(p->file, "SELECT column_names FROM tracing_run",
                "[\"mem_allocation\",\"cpu_percent\",\"queue depth\"]");
    assert_asks(p->file, "SELECT creation_time FROM tracing_run", "2023-11-14 22:13:20.000");
}

/* ---- bad days ---- */

/* Writes until the limit on file sizes stops it, for many limits, so that it fails in the log and in the file, early
   and late; then on without limit. Runs in a child: the limit is the process's. */
static void fill_the_disk(const place *p)
{
    signal(SIGXFSZ, SIG_IGN);
    store *s = sample_open(p->url, STORE_WRITE);
    uint64_t at = 0;
    for (rlim_t limit = 100000; limit < 10000000; limit *= 2) {
        struct rlimit l = {.rlim_cur = limit, .rlim_max = RLIM_INFINITY};
        getrlimit(RLIMIT_FSIZE, &l);
        l.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
        run_info *r = sample_run(1);
        store_status status = STORE_OK;
        while (status == STORE_OK) {
            chunk *c = sample_chunk(at, 1000);
            store_change change = {.info = r, .put = &c, .put_count = 1};
            status = store_write(s, &change, 1);
            if (status == STORE_OK) at += 1000;
            chunk_free(c);
        }
        assert_int_equal(status, STORE_RETRY);
        assert_true(strstr(store_error(s), "full") || strstr(store_error(s), "I/O"));
        run_info_free(r);
        assert_held(s, 1, at);
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_FSIZE, &l);
        sample_put(s, 1, at, 10);
        at += 10;
        assert_held(s, 1, at);
    }
    store_close(s);
}

static void a_full_disk(void **state)
{
    place *p = *state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        fill_the_disk(p);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_asks(p->file, "PRAGMA integrity_check", "ok");
}

static void another_process_holds_the_lock(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    sample_put(s, 1, 0, 10);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    run_info *r = sample_run(1);
    store_change change = {.info = r};
    assert_int_equal(store_write(s, &change, 1), STORE_RETRY);
    assert_non_null(strstr(store_error(s), "locked"));
    assert_held(s, 1, 10); /* reading goes on */
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    run_info_free(r);
    store_close(s);
}

static bool go_on(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)ctx, (void)key, (void)columns, (void)count;
    return true;
}

static void damage_is_told(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    sample_put(s, 1, 0, 10);
    sample_put(s, 2, 0, 10);
    store_close(s);
    sql(p->file, "UPDATE chunk_data SET bytes = zeroblob(30) WHERE id = 1;"
                 "UPDATE chunk SET summary = x'ff' WHERE run = 1");
    s = sample_open(p->url, STORE_WRITE);
    uuid id = sample_id(1);
    chunk *whole = sample_chunk(0, 10), *c;
    assert_int_equal(store_chunk(s, &id, &whole->key, NULL, 0, &c), STORE_FAILED);
    assert_non_null(strstr(store_error(s), "damaged"));
    assert_null(c);
    assert_int_equal(store_entries(s, &id, 0, INT64_MIN, INT64_MAX, go_on, NULL), STORE_FAILED);
    assert_int_equal(store_cover(s, &id, INT64_MIN, INT64_MAX, 0, go_on, NULL), STORE_FAILED);
    assert_held(s, 2, 10); /* the other run is not hurt */
    chunk_free(whole);
    store_close(s);
}

/* ---- space and time ---- */

/* Merging frees pages; they are filled again. */
static void freed_space_is_used(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE);
    uuid id = sample_id(1);
    off_t size[2];
    for (uint64_t round = 0, at = 0; round < 2; round++) {
        for (uint64_t end = at + 3072; at < end; at++) {
            sample_put(s, 1, at, 1);
            bool more = at % 16 == 15;
            while (more) assert_int_equal(merge_run(s, &id, &more), STORE_OK);
        }
        store_close(s);
        struct stat about;
        assert_int_equal(stat(p->file, &about), 0);
        size[round] = about.st_size;
        s = sample_open(p->url, STORE_WRITE);
    }
    assert_held(s, 1, 6144);
    assert_true(size[1] < 100000); /* 18432 values, of two or three bytes, and the schema's pages */
    assert_true(size[1] - size[0] < size[0]);
    store_close(s);
}

static off_t size_of(const char *file)
{
    struct stat about;
    assert_int_equal(stat(file, &about), 0);
    return about.st_size;
}

/* A deleted run's space goes back to the file system while the store is open, and read. */
static void swept_space_is_given_back(void **state)
{
    place *p = *state;
    store *s = sample_open(p->url, STORE_WRITE), *reader = sample_open(p->url, STORE_READ);
    for (uint64_t at = 0; at < 600; at++) {
        batch *b = sample_batch(1, at * 1024, 1024);
        for (size_t i = 0; i < 1024 * SAMPLE_COLUMNS; i++) b->parts[0].values[i] = (double)random_u64();
        chunk *c = chunk_from_part(&b->parts[0], 0, 1024);
        store_change change = {.info = b->parts[0].info, .put = &c, .put_count = 1};
        assert_int_equal(store_write(s, &change, 1), STORE_OK);
        chunk_free(c);
        batch_free(b);
    }
    sample_put(s, 2, 0, 1000);
    store_swept swept;
    assert_int_equal(store_sweep(s, INT64_MIN, INT64_MIN, &swept), STORE_OK);
    assert_true(!swept.more && swept.rows == 0);
    off_t before = size_of(p->file);
    assert_true(before > 6 << 20);
    uuid id = sample_id(1);
    assert_int_equal(store_edit(s, &id, &(run_edit){.pinned = -1, .deleted = 5}), STORE_OK);
    int calls = 0;
    do {
        assert_int_equal(store_sweep(s, 6, INT64_MIN, &swept), STORE_OK);
        assert_true(swept.rows <= STORE_SWEEP * 1024);
        assert_held(reader, 2, 1000);
        calls++;
    } while (swept.more);
    assert_true(calls > 600 / STORE_SWEEP);
    assert_true(size_of(p->file) < before / 4);
    assert_held(s, 2, 1000);
    store_close(reader);
    store_close(s);
}

static bool may_scan(const char *text)
{
    return strcmp(text, "SELECT 1 FROM run LIMIT 1") == 0 || strcmp(text, "SELECT max(id) FROM run") == 0 ||
           strstr(text, "FROM pragma_") || strncmp(text, "SELECT EXISTS", 13) == 0 ||
           strncmp(text, "SELECT uuid FROM run WHERE small", 32) == 0 || strstr(text, "FROM run ORDER BY started");
}

/* Every statement finds its rows by a key, but for the lists of all runs; ranges of chunks by the whole key. */
static void no_table_is_scanned(void **state)
{
    place *p = *state;
    store_close(sample_open(p->url, STORE_WRITE));
    static const char *const texts[] = {
#define X(id, text) text,
        STORE_SQL(X)
#undef X
            STORE_SQL_ENTRIES};
    sqlite3 *db;
    assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
    bool whole_key = false;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf explain = {0};
        buf_printf(&explain, "EXPLAIN QUERY PLAN %s", texts[i]);
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(db, explain.p, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *plan = (const char *)sqlite3_column_text(st, 3);
            if (may_scan(texts[i])) continue;
            if (strstr(plan, "SCAN") || strstr(plan, "TEMP B-TREE")) fail_msg("%s\n%s", texts[i], plan);
            if (strcmp(texts[i], STORE_SQL_ENTRIES) == 0)
                whole_key = strstr(plan, "(first_time,first_seq)>(?,?) AND (first_time,first_seq)<(?,?)") != NULL;
        }
        sqlite3_finalize(st);
        buf_free(&explain);
    }
    assert_true(whole_key);
    sqlite3_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(urls_that_name_no_file),    TEST(reading_needs_a_file), TEST(files_we_may_not_write),
        TEST(files_that_are_not_ours),   TEST(a_newer_file),         TEST(one_writer_at_a_time),
        TEST(a_file_says_whose_it_is),   TEST(a_full_disk),          TEST(another_process_holds_the_lock),
        TEST(swept_space_is_given_back), TEST(damage_is_told),       TEST(freed_space_is_used),
        TEST(no_table_is_scanned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
