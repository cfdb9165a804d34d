/* SPDX-License-Identifier: MIT OR Unlicense
   test_archive_store: from a store into a file and from there into another, once, twice, in part, and while both are in
   use. What is compared is all that a reader of the store can see. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "sample.h"

#include "../server/archive/archive_export.h"
#include "../server/archive/archive_import.h"
#include "../server/store/merge.h"
#include "../server/query/query.h"

/* ---- two stores and a file between: from a SQLite file into whatever store the tests are run against ---- */

typedef struct {
    place *from_place, *to_place;
    store *from, *to;
    char *bytes;
    size_t size;
    buf told; /* "ADDED of ROWS known|new|refused" and a line feed for each run imported */
    buf why;
} travel;

static place *sqlite_place(void)
{
    const char *told = getenv("MNEMIC_TEST_STORE");
    char *server = told ? mem_strdup(told) : NULL;
    unsetenv("MNEMIC_TEST_STORE");
    place *p = place_new();
    if (server) setenv("MNEMIC_TEST_STORE", server, 1);
    free(server);
    return p;
}

static int begin_travel(void **state)
{
    travel *t = mem_calloc(1, sizeof *t);
    t->from_place = sqlite_place();
    t->to_place = place_new();
    t->from = sample_open(t->from_place->url, STORE_WRITE);
    t->to = sample_open(t->to_place->url, STORE_WRITE);
    *state = t;
    return 0;
}

static int end_travel(void **state)
{
    travel *t = *state;
    store_close(t->from);
    store_close(t->to);
    place_free(t->from_place);
    place_free(t->to_place);
    buf_free(&t->told);
    buf_free(&t->why);
    free(t->bytes);
    free(t);
    return 0;
}

/* Runs 0 … count-1 of the store into t->bytes. */
static void export_runs(travel *t, store *s, uint32_t count)
{
    free(t->bytes);
    FILE *f = open_memstream(&t->bytes, &t->size);
    archive_writer w;
    archive_begin(&w, f);
    for (uint32_t i = 0; i < count; i++) {
        uuid id = sample_id(i);
        if (archive_export(s, &id, &w, &t->why) != STORE_OK) fail_msg("%s", t->why.p);
    }
    archive_end(&w);
    fclose(f);
}

static void tell(void *ctx, const archive_imported *r)
{
    travel *t = ctx;
    buf_printf(&t->told, "%" PRIu64 " of %" PRIu64 " %s\n", r->added, r->rows,
               r->refused ? "refused"
               : r->known ? "known"
                          : "new");
}

/* Of the file's first `size` bytes. */
static bool import_part(travel *t, size_t size)
{
    FILE *f = fmemopen(t->bytes, size, "rb");
    t->told.n = t->why.n = 0;
    bool good = archive_import(t->to, f, "the file", tell, t, &t->why);
    fclose(f);
    assert_true(good == (t->why.n == 0));
    return good;
}

static void assert_imported(travel *t, const char *told)
{
    if (!import_part(t, t->size)) fail_msg("%s", t->why.p);
    assert_string_equal(t->told.n ? t->told.p : "", told);
}

/* ---- all that can be seen of a run, as text ---- */

static bool show_event(void *ctx, const run_event *e)
{
    buf_printf(ctx, "event %d %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %s\n", e->kind, e->time, e->until,
               e->seq, e->count, e->text);
    return true;
}

static void show_run(const run_info *r, buf *out)
{
    buf_printf(out, "%s|%s|%s|%s|%s|%s|%s\n", r->app, r->host, r->build, r->args, r->place, r->note, r->user_tags);
    buf_printf(out, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", r->pid, r->started,
               r->last, r->seen, r->interval, r->offset);
    buf_printf(out,
               "rows %" PRIu64 " lost %" PRIu64 " next %" PRIu64 " %" PRIu32 " counter %" PRIu64 " %" PRIu64 "\n",
               r->rows, r->lost, r->next_seq, r->next_mark, r->counter, r->born);
    buf_printf(out, "%s %d %d\n", run_state_name(r->state), r->pinned, r->deleted != 0);
    for (size_t i = 0; i < r->column_count; i++)
        buf_printf(out, "column %s %s %d\n", r->columns[i].name, r->columns[i].unit, r->columns[i].kind);
    for (size_t i = 0; i < r->tag_count; i++) buf_printf(out, "tag %s=%s\n", r->tags[i].name, r->tags[i].value);
}

static void show_rows(store *s, const uuid *id, buf *out)
{
    query_cursor cursor = {0};
    for (;;) {
        chunk *c;
        assert_int_equal(query_rows(s, id, INT64_MIN, INT64_MAX, &cursor, &c), STORE_OK);
        if (!c) return;
        for (size_t row = 0; row < c->rows; row++) {
            buf_printf(out, "%" PRId64 " %" PRIu64, c->time[row], c->seq[row]);
            for (size_t col = 0; col < c->columns; col++) {
                buf_text(out, " ");
                buf_double(out, c->values[col][row]); /* exactly */
            }
            buf_text(out, "\n");
        }
        chunk_free(c);
    }
}

static char *show(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    run_info *r;
    buf out = {0};
    if (store_run(s, &id, &r) != STORE_OK) return mem_strdup("");
    show_run(r, &out);
    run_info_free(r);
    assert_int_equal(store_events(s, &id, INT64_MIN, INT64_MAX, show_event, &out), STORE_OK);
    show_rows(s, &id, &out);
    return out.p;
}

static void assert_same(travel *t, uint32_t run)
{
    char *from = show(t->from, run), *to = show(t->to, run);
    assert_true(*from);
    assert_string_equal(from, to);
    free(from);
    free(to);
}

/* ---- what the first store holds ---- */

static void put_events(store *s, uint32_t run)
{
    run_info *r = sample_run(run);
    char mark[] = "cache flushed", none[] = "";
    run_event events[200];
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        events[i] = (run_event){EVENT_MARK, sample_time(i), sample_time(i), i, 0, mark};
    events[7] = (run_event){EVENT_GAP, sample_time(2), sample_time(9), 3, 5, none};
    store_change change = {.info = r, .events = events, .event_count = ARRAY_LEN(events)};
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    run_info_free(r);
}

/* Its last word: 4,000 rows, ended, and what a user said of it. */
static void put_end(store *s, uint32_t run)
{
    run_info *r = sample_run(run);
    r->last = sample_time(3999);
    r->seen = r->last + 5;
    r->state = RUN_ENDED;
    r->next_seq = 4000;
    r->next_mark = 200;
    r->offset = -77;
    r->tag_count = 1;
    r->tags = mem_calloc(1, sizeof *r->tags);
    r->tags[0] = (run_tag){mem_strdup("rev"), mem_strdup("1a2b")};
    store_change change = {.info = r};
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    run_edit edit = {.note = "the slow one", .tags = "{\"branch\":\"main\"}", .pinned = 1, .deleted = -1};
    assert_int_equal(store_edit(s, &r->id, &edit), STORE_OK);
    run_info_free(r);
}

static void merge_all(store *s, uint32_t run)
{
    uuid id = sample_id(run);
    for (bool more = true; more;) assert_int_equal(merge_run(s, &id, &more), STORE_OK);
}

/* Small chunks, some of which are merged. */
static void put_rows(store *s, uint32_t run, uint64_t first, uint64_t end)
{
    while (first < end) {
        uint64_t rows = 1 + first * 7 % 90;
        if (rows > end - first) rows = end - first;
        sample_put(s, run, first, rows);
        first += rows;
    }
}

static void put_run(store *s, uint32_t run)
{
    put_rows(s, run, 0, 2000);
    merge_all(s, run);
    put_rows(s, run, 2000, 4000);
    put_events(s, run);
    put_end(s, run);
}

/* ---- tests ---- */

static void all_that_is_there(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    sample_put(t->from, 1, 0, 1);
    put_run(t->from, 2);
    export_runs(t, t->from, 3);
    assert_imported(t, "4000 of 4000 new\n1 of 1 new\n4000 of 4000 new\n");
    for (uint32_t run = 0; run < 3; run++) assert_same(t, run);
    size_t chunks = assert_held(t->to, 0, 4000);
    merge_all(t->to, 0); /* has nothing to do: it was done */
    assert_int_equal(assert_held(t->to, 0, 4000), chunks);
    assert_true(chunks < assert_held(t->from, 0, 4000));
}

/* … and from there into a file of the first kind again. */
static void there_and_back(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    export_runs(t, t->from, 1);
    assert_imported(t, "4000 of 4000 new\n");
    export_runs(t, t->to, 1);
    place *home = sqlite_place();
    store *other = t->to;
    t->to = sample_open(home->url, STORE_WRITE);
    assert_imported(t, "4000 of 4000 new\n");
    assert_same(t, 0);
    store_close(t->to);
    t->to = other;
    place_free(home);
}

static void a_run_without_rows(void **state)
{
    travel *t = *state;
    put_end(t->from, 0);
    export_runs(t, t->from, 1);
    assert_imported(t, "0 of 0 new\n");
    assert_same(t, 0);
}

static void twice_is_once(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    export_runs(t, t->from, 1);
    assert_imported(t, "4000 of 4000 new\n");
    assert_imported(t, "0 of 4000 known\n"); /* although its chunks were merged meanwhile */
    assert_same(t, 0);
}

/* Wherever it was cut off: what came in is known to be a part, and the whole file completes it. */
static void in_part_then_whole(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    export_runs(t, t->from, 1);
    bool unfinished = false;
    for (size_t part = 100; part < t->size; part += t->size / 7) {
        assert_false(import_part(t, part));
        assert_non_null(strstr(t->why.p, "is cut off"));
        run_info *r;
        uuid id = sample_id(0);
        if (store_run(t->to, &id, &r) != STORE_OK) continue;
        assert_non_null(strstr(t->why.p, "is there in part: import a whole file again"));
        assert_string_equal(r->note, ARCHIVE_UNFINISHED);
        assert_int_equal(r->state, RUN_LIVE);
        assert_false(r->pinned);
        run_info_free(r);
        unfinished = true;
    }
    assert_true(unfinished);
    assert_true(import_part(t, t->size));
    assert_same(t, 0);
}

/* A copy of an earlier day does not set back what happened since, nor what the user said since. */
static void an_old_copy(void **state)
{
    travel *t = *state;
    put_rows(t->from, 0, 0, 1000);
    export_runs(t, t->from, 1);
    put_run(t->to, 0);
    char *before = show(t->to, 0);
    assert_imported(t, "0 of 1000 known\n");
    char *after = show(t->to, 0);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* A newer copy brings what is missing, in the middle too; the note stays. */
static void a_newer_copy(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    put_rows(t->to, 0, 0, 700);
    put_rows(t->to, 0, 900, 1500);
    run_edit edit = {.note = "mine", .pinned = -1, .deleted = 5};
    uuid id = sample_id(0);
    assert_int_equal(store_edit(t->to, &id, &edit), STORE_OK);
    export_runs(t, t->from, 1);
    assert_imported(t, "2700 of 4000 known\n");
    edit = (run_edit){.note = "the slow one", .tags = "{\"branch\":\"main\"}", .pinned = 1, .deleted = -1};
    run_info *r;
    assert_int_equal(store_run(t->to, &id, &r), STORE_OK);
    assert_string_equal(r->note, "mine");
    assert_false(r->pinned);
    assert_int_equal(r->deleted, 0);
    run_info_free(r);
    assert_int_equal(store_edit(t->to, &id, &edit), STORE_OK);
    assert_same(t, 0);
}

/* Late rows: chunks overlap, and not in the order of their numbers. */
static void overlapping_chunks(void **state)
{
    travel *t = *state;
    sample_put(t->from, 0, 500, 500);
    sample_put(t->from, 0, 0, 400);
    run_info *r = sample_run(0);
    chunk *c = chunk_new(2, SAMPLE_COLUMNS); /* from before to behind all others */
    for (size_t i = 0; i < 2; i++) {
        c->seq[i] = i ? 1000 : 400;
        c->time[i] = i ? sample_time(1000) : SAMPLE_START - 1;
        for (size_t col = 0; col < SAMPLE_COLUMNS; col++) c->values[col][i] = sample_value(c->seq[i], col);
        buf bytes = {0};
        sample_histograms(c->seq[i], &bytes);
        row_histograms_add(&c->histograms, i, (span){bytes.p, bytes.n});
        buf_free(&bytes);
    }
    chunk_summarise(c);
    r->next_seq = 1001;
    r->last = sample_time(1000);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_int_equal(store_write(t->from, &change, 1), STORE_OK);
    chunk_free(c);
    run_info_free(r);
    export_runs(t, t->from, 1);
    assert_imported(t, "902 of 902 new\n");
    assert_same(t, 0);
    assert_imported(t, "0 of 902 known\n");
    assert_same(t, 0);
}

static void columns_that_joined_later(void **state)
{
    travel *t = *state;
    sample_put(t->from, 0, 0, 100);
    run_info *r = sample_run(0);
    r->columns = mem_resize(r->columns, 4, sizeof *r->columns);
    r->columns[r->column_count++] = (run_column){mem_strdup("late"), mem_strdup(""), COLUMN_COUNTER};
    r->next_seq = 200;
    r->last = sample_time(199);
    chunk *c = chunk_new(100, 4);
    for (size_t i = 0; i < 100; i++) {
        c->seq[i] = 100 + i;
        c->time[i] = sample_time(100 + i);
        for (size_t col = 0; col < 4; col++) c->values[col][i] = (double)i;
    }
    chunk_summarise(c);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_int_equal(store_write(t->from, &change, 1), STORE_OK);
    chunk_free(c);
    run_info_free(r);
    sample_put(t->to, 0, 0, 50);
    export_runs(t, t->from, 1);
    assert_imported(t, "150 of 200 known\n");
    assert_same(t, 0);
}

static void another_run_of_that_name(void **state)
{
    travel *t = *state;
    put_rows(t->from, 0, 0, 10);
    put_rows(t->from, 1, 0, 10);
    run_info *r = sample_run(0);
    free(r->columns[1].name);
    r->columns[1].name = mem_strdup("another");
    store_change change = {.info = r};
    assert_int_equal(store_write(t->to, &change, 1), STORE_OK);
    run_info_free(r);
    export_runs(t, t->from, 2);
    assert_imported(t, "0 of 0 refused\n10 of 10 new\n");
    assert_same(t, 1);
    uuid id = sample_id(0);
    assert_int_equal(store_run(t->to, &id, &r), STORE_OK);
    assert_int_equal(r->rows, 0);
    run_info_free(r);
}

static void what_cannot_be_exported(void **state)
{
    travel *t = *state;
    put_rows(t->from, 0, 0, 10);
    uuid id = sample_id(0), none = sample_id(1);
    run_edit edit = {.pinned = -1, .deleted = 5};
    assert_int_equal(store_edit(t->from, &id, &edit), STORE_OK);
    archive_writer w;
    FILE *f = open_memstream(&t->bytes, &t->size);
    archive_begin(&w, f);
    assert_int_equal(archive_export(t->from, &id, &w, &t->why), STORE_MISSING);
    assert_non_null(strstr(t->why.p, "was deleted"));
    t->why.n = 0;
    assert_int_equal(archive_export(t->from, &none, &w, &t->why), STORE_MISSING);
    assert_non_null(strstr(t->why.p, "there is no such run"));
    archive_end(&w);
    fclose(f);
    assert_imported(t, ""); /* neither left anything */
}

/* ---- killed ---- */

/* The import of a process that is killed after `ns`, if it has not ended. */
static void import_and_die(travel *t, int64_t ns)
{
    store_close(t->to);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        t->to = store_open(t->to_place->url, STORE_WRITE, &t->why);
        if (t->to) import_part(t, t->size);
        _exit(0);
    }
    nanosleep(&(struct timespec){ns / NS_PER_SECOND, ns % NS_PER_SECOND}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    t->to = sample_open(t->to_place->url, STORE_WRITE);
}

static void killed_then_whole(void **state)
{
    travel *t = *state;
    put_run(t->from, 0);
    put_run(t->from, 1);
    export_runs(t, t->from, 2);
    for (int64_t ms = 1; ms < 100; ms = ms * 3 / 2 + 1) import_and_die(t, ms * NS_PER_MS);
    assert_true(import_part(t, t->size));
    assert_same(t, 0);
    assert_same(t, 1);
}

/* ---- while the store is written ---- */

typedef struct {
    store *s;
    _Atomic bool stop;
    _Atomic uint64_t rows;
} writing;

static void *write_on(void *ctx)
{
    writing *w = ctx;
    uuid id = sample_id(0);
    bool more;
    for (uint64_t at = 0; !w->stop; at += 10) {
        sample_put(w->s, 0, at, 10);
        w->rows = at + 10;
        if (at % 300 == 0) merge_run(w->s, &id, &more);
    }
    return NULL;
}

/* Each file holds just the rows up to some moment, and says so itself. */
static void while_it_is_written(void **state)
{
    travel *t = *state;
    writing w = {.s = t->from};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    while (w.rows < 500) sched_yield();
    store *reader = sample_open(t->from_place->url, STORE_READ);
    uint64_t before = 0;
    for (int round = 0; round < 20; round++) {
        uint64_t least = w.rows;
        export_runs(t, reader, 1);
        if (!import_part(t, t->size)) fail_msg("%s", t->why.p);
        run_info *r;
        uuid id = sample_id(0);
        assert_int_equal(store_run(t->to, &id, &r), STORE_OK);
        assert_true(r->rows >= least && r->rows >= before && r->rows == r->next_seq);
        before = r->rows;
        run_info_free(r);
        assert_held(t->to, 0, before);
    }
    w.stop = true;
    pthread_join(thread, NULL);
    store_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_travel, end_travel)
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_there),
        TEST(there_and_back),
        TEST(a_run_without_rows),
        TEST(twice_is_once),
        TEST(in_part_then_whole),
        TEST(killed_then_whole),
        TEST(an_old_copy),
        TEST(a_newer_copy),
        TEST(overlapping_chunks),
        TEST(columns_that_joined_later),
        TEST(another_run_of_that_name),
        TEST(what_cannot_be_exported),
        TEST(while_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
