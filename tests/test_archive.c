/* SPDX-License-Identifier: MIT OR Unlicense
   test_archive: the portable file: its bytes, and that nothing damaged is believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "../server/archive/archive.h"
#include "../server/base/bytes.h"
#include "sample.h"

/* ---- a file in memory ---- */

static char *file_bytes;
static size_t file_size;

static FILE *file_new(void)
{
    free(file_bytes);
    FILE *f = open_memstream(&file_bytes, &file_size);
    assert_non_null(f);
    return f;
}

static int free_file(void **state)
{
    (void)state;
    free(file_bytes);
    file_bytes = NULL;
    return 0;
}

/* Reads to the end, or to what is wrong, which `why` tells. How many items? */
static size_t read_all(span bytes, buf *why)
{
    FILE *f = bytes.n ? fmemopen((void *)(uintptr_t)bytes.p, bytes.n, "rb") : fopen("/dev/null", "rb");
    archive_reader r;
    archive_item item = {0};
    size_t items = 0;
    bool good = archive_open(&r, f, why);
    while (good && item.kind != ARCHIVE_END) {
        good = archive_next(&r, &item, why);
        items += good;
        archive_kind kind = item.kind;
        archive_item_free(&item);
        item.kind = kind;
    }
    assert_true(good == (why->n == 0));
    archive_close(&r);
    fclose(f);
    return items;
}

static void assert_refused(span bytes, const char *says)
{
    buf why = {0};
    read_all(bytes, &why);
    if (!why.n || !strstr(why.p, says)) fail_msg("\"%s\" does not say \"%s\"", why.n ? why.p : "", says);
    buf_free(&why);
}

/* A run with something in every field. */
static run_info *rich_run(void)
{
    run_info *r = sample_run(7);
    free(r->note);
    free(r->user_tags);
    r->note = mem_strdup("slow since Tuesday — why?\nlook");
    r->user_tags = mem_strdup("{\"branch\":\"main\"}");
    r->pinned = true;
    r->pid = 4711;
    r->offset = -1500;
    r->state = RUN_CRASHED;
    r->next_seq = 2000;
    r->next_mark = 3;
    r->columns[1].kind = COLUMN_COUNTER;
    r->tag_count = 2;
    r->tags = mem_calloc(2, sizeof *r->tags);
    r->tags[0] = (run_tag){mem_strdup("rev"), mem_strdup("1a2b")};
    r->tags[1] = (run_tag){mem_strdup("host kind"), mem_strdup("")};
    return r;
}

/* Two runs: one with 2000 rows and 3 events, an empty one. */
static void write_sample(void)
{
    archive_writer w;
    FILE *f = file_new();
    archive_begin(&w, f);
    run_info *r = rich_run();
    archive_put_run(&w, r);
    for (uint64_t first = 0; first < 2000; first += 500) {
        chunk *c = sample_chunk(first, 500);
        archive_put_chunk(&w, c);
        chunk_free(c);
    }
    char mark[] = "cache flushed", none[] = "";
    archive_put_event(&w, &(run_event){EVENT_MARK, SAMPLE_START, SAMPLE_START, 0, 0, mark});
    archive_put_event(&w, &(run_event){EVENT_GAP, -5, SAMPLE_START, 1, 99, none});
    archive_put_event(&w, &(run_event){EVENT_MARK, SAMPLE_START + 9, SAMPLE_START + 9, 1, 0, mark});
    archive_put_run_end(&w);
    r->id.b[0] ^= 1;
    archive_put_run(&w, r);
    archive_put_run_end(&w);
    archive_end(&w);
    assert_false(w.failed);
    assert_int_equal(w.runs, 2);
    fclose(f);
    run_info_free(r);
}

/* ---- what is written is read ---- */

static void assert_same_run(const run_info *a, const run_info *b)
{
    assert_true(uuid_eq(&a->id, &b->id));
    const char *const texts[][2] = {
        {a->app, b->app},     {a->host, b->host}, {a->build, b->build},        {a->args, b->args},
        {a->place, b->place}, {a->note, b->note}, {a->user_tags, b->user_tags}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) assert_string_equal(texts[i][0], texts[i][1]);
    const int64_t numbers[][2] = {{a->pid, b->pid},
                                  {(int64_t)a->born, (int64_t)b->born},
                                  {a->started, b->started},
                                  {a->last, b->last},
                                  {a->seen, b->seen},
                                  {a->interval, b->interval},
                                  {a->offset, b->offset},
                                  {(int64_t)a->next_seq, (int64_t)b->next_seq},
                                  {a->next_mark, b->next_mark},
                                  {(int64_t)a->counter, (int64_t)b->counter},
                                  {a->state, b->state},
                                  {a->pinned, b->pinned}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) assert_int_equal(numbers[i][0], numbers[i][1]);
    assert_same_columns_and_tags(a, b);
}

static void everything_comes_back(void **state)
{
    (void)state;
    write_sample();
    FILE *f = fmemopen(file_bytes, file_size, "rb");
    archive_reader r;
    archive_item item;
    buf why = {0};
    assert_true(archive_open(&r, f, &why));
    assert_true(archive_next(&r, &item, &why));
    assert_int_equal(item.kind, ARCHIVE_RUN);
    run_info *expected = rich_run();
    assert_same_run(item.run, expected);
    run_info_free(expected);
    archive_item_free(&item);
    for (uint64_t first = 0; first < 2000; first += 500) {
        assert_true(archive_next(&r, &item, &why));
        assert_int_equal(item.kind, ARCHIVE_CHUNK);
        chunk *c = sample_chunk(first, 500);
        assert_int_equal(item.chunk->key.first_seq, first);
        assert_int_equal(item.chunk->key.last_time, c->key.last_time);
        assert_int_equal(item.chunk->rows, 500);
        assert_memory_equal(item.chunk->time, c->time, 500 * sizeof *c->time);
        assert_memory_equal(item.chunk->seq, c->seq, 500 * sizeof *c->seq);
        assert_memory_equal(item.chunk->summaries, c->summaries, c->columns * sizeof *c->summaries);
        for (size_t col = 0; col < c->columns; col++)
            assert_memory_equal(item.chunk->values[col], c->values[col], 500 * sizeof(double));
        chunk_free(c);
        archive_item_free(&item);
    }
    assert_true(archive_next(&r, &item, &why));
    assert_int_equal(item.kind, ARCHIVE_EVENTS);
    assert_int_equal(item.event_count, 3);
    assert_string_equal(item.events[0].text, "cache flushed");
    assert_int_equal(item.events[1].kind, EVENT_GAP);
    assert_int_equal(item.events[1].time, -5);
    assert_int_equal(item.events[1].count, 99);
    assert_int_equal(item.events[2].seq, 1);
    archive_item_free(&item);
    static const archive_kind rest[] = {ARCHIVE_RUN_END, ARCHIVE_RUN, ARCHIVE_RUN_END, ARCHIVE_END};
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        assert_true(archive_next(&r, &item, &why));
        assert_int_equal(item.kind, rest[i]);
        archive_item_free(&item);
    }
    archive_close(&r);
    fclose(f);
}

/* ---- the bytes, put down here by hand as EXPORT.md says ---- */

static void add_block(buf *out, uint8_t check[16], uint8_t kind, const void *payload, size_t n)
{
    uint8_t front[5] = {kind, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    buf covered = {0};
    buf_append(&covered, check, 16);
    buf_append(&covered, front, sizeof front);
    buf_append(&covered, payload, n);
    crypto_generichash(check, 16, (const uint8_t *)covered.p, covered.n, NULL, 0);
    buf_free(&covered);
    buf_append(out, front, sizeof front);
    buf_append(out, payload, n);
    buf_append(out, check, 16);
}

static void begin_file(buf *out, uint8_t check[16])
{
    out->n = 0;
    buf_append(out, "\x89mnem\r\n\x1a\x01\0\0\0", 12);
    crypto_generichash(check, 16, (const uint8_t *)out->p, out->n, NULL, 0);
}

/* A run "app" with the column "c" in "s", a counter, and the tag k=v; everything else 0 or empty. */
#define RUN_BYTES                                                                                                    \
    "0123456789abcdef"             /* uuid         */                                                                \
    "\3app\0\0\0\0\0\0"            /* texts        */                                                                \
    "\1\4\0\0\0\0"                 /* pid -1, started 2 … */                                                       \
    "\0\0\0\0"                     /* born …       */                                                              \
    "\1\0"                         /* ended        */                                                                \
    "\1\1c\1s\1"                   /* columns      */                                                                \
    "\1\1k\1v"                     /* tags         */
#define EVENT_BYTES "\1\4\6\5\7\0" /* a gap 2 … 3, seq 5, 7 rows */

static void the_bytes(void **state)
{
    (void)state;
    char empty[] = "", app[] = "app", c[] = "c", s[] = "s", k[] = "k", v[] = "v";
    run_column column = {c, s, COLUMN_COUNTER};
    run_tag tag = {k, v};
    run_info r = {.app = app,
                  .host = empty,
                  .build = empty,
                  .args = empty,
                  .place = empty,
                  .note = empty,
                  .user_tags = empty,
                  .pid = -1,
                  .started = 2,
                  .state = RUN_ENDED,
                  .columns = &column,
                  .column_count = 1,
                  .tags = &tag,
                  .tag_count = 1};
    memcpy(r.id.b, "0123456789abcdef", 16);
    archive_writer w;
    FILE *f = file_new();
    archive_begin(&w, f);
    archive_put_run(&w, &r);
    archive_put_event(&w, &(run_event){EVENT_GAP, 2, 3, 5, 7, empty});
    archive_put_run_end(&w);
    archive_end(&w);
    fclose(f);

    buf expected = {0};
    uint8_t check[16];
    begin_file(&expected, check);
    add_block(&expected, check, 1, RUN_BYTES, sizeof RUN_BYTES - 1);
    add_block(&expected, check, 3, EVENT_BYTES, sizeof EVENT_BYTES - 1);
    add_block(&expected, check, 4, "\0\1", 2);
    add_block(&expected, check, 5, "\1", 1);
    assert_int_equal(file_size, expected.n);
    assert_memory_equal(file_bytes, expected.p, file_size);
    buf_free(&expected);
}

/* A file of an earlier day: what is released stays readable. */
static void the_golden_file(void **state)
{
    (void)state;
    FILE *f = fopen("tests/golden/sample.mnemic", "rb");
    assert_non_null(f);
    buf golden = {0}, why = {0};
    char piece[65536];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;) buf_append(&golden, piece, n);
    fclose(f);
    assert_int_equal(read_all((span){golden.p, golden.n}, &why), 10);
    archive_reader r;
    archive_item item;
    f = fmemopen(golden.p, golden.n, "rb");
    assert_true(archive_open(&r, f, &why) && archive_next(&r, &item, &why));
    run_info *expected = rich_run();
    expected->columns[2].kind = COLUMN_GAUGE; /* it is older than histograms are */
    assert_same_run(item.run, expected);
    run_info_free(expected);
    archive_item_free(&item);
    assert_true(archive_next(&r, &item, &why));
    assert_int_equal(item.chunk->rows, 500);
    for (size_t i = 0; i < 500; i++) {
        double v = sample_value(i, 2);
        assert_true(item.chunk->seq[i] == i && item.chunk->time[i] == sample_time(i));
        assert_true(isnan(v) ? isnan(item.chunk->values[2][i]) : item.chunk->values[2][i] == v);
    }
    archive_item_free(&item);
    archive_close(&r);
    fclose(f);
    buf_free(&golden);
}

/* ---- what is refused ---- */

static void cut_off_anywhere(void **state)
{
    (void)state;
    write_sample();
    for (size_t n = 0; n < file_size; n++) {
        buf why = {0};
        read_all((span){file_bytes, n}, &why);
        if (!why.n) fail_msg("%zu of %zu bytes were taken for a whole file", n, file_size);
        assert_non_null(strstr(why.p, n < 8 ? "is not a file that mnemic export wrote" : "is cut off"));
        buf_free(&why);
    }
}

static void any_bit_changed(void **state)
{
    (void)state;
    write_sample();
    for (size_t n = 0; n < file_size; n++) {
        buf why = {0};
        file_bytes[n] ^= (char)(1 << n % 8);
        read_all((span){file_bytes, file_size}, &why);
        file_bytes[n] ^= (char)(1 << n % 8);
        if (!why.n) fail_msg("a change of byte %zu was not noticed", n);
        buf_free(&why);
    }
}

static void other_files(void **state)
{
    (void)state;
    assert_refused(span_of("SQLite format 3"), "is not a file that mnemic export wrote");
    assert_refused((span){"\x89mnem\r\n\x1a\x02\0\0\0", 12},
                   "written by a newer mnemic (format 2, this one reads 1)");
    write_sample();
    buf twice = {0};
    buf_append(&twice, file_bytes, file_size);
    buf_append(&twice, file_bytes, file_size);
    assert_refused((span){twice.p, twice.n}, "is damaged");
    buf_free(&twice);
}

/* A size that the file does not have costs no memory, and ends at its end. */
static void sizes_that_are_not_there(void **state)
{
    (void)state;
    buf bytes = {0};
    uint8_t check[16];
    begin_file(&bytes, check);
    buf_append(&bytes, "\1\0\0\0\x10", 5);
    assert_refused((span){bytes.p, bytes.n}, "is cut off after 17 bytes");
    begin_file(&bytes, check);
    buf_append(&bytes, "\1\1\0\0\x10", 5);
    assert_refused((span){bytes.p, bytes.n}, "is damaged in the block at byte 12");
    buf_free(&bytes);
}

/* Whoever makes up a file can make up its checks. What may a block hold? */
typedef struct {
    const char *what;
    struct {
        uint8_t kind;
        const char *p;
        size_t n;
    } blocks[4];
} made_up;

#define B(kind, text)                                                                                                \
    {                                                                                                                \
        kind, text, sizeof text - 1                                                                                  \
    }
static const made_up refused[] = {
    {"rows without a run", {B(2, "x")}},
    {"events without a run", {B(3, EVENT_BYTES)}},
    {"the end of a run that did not begin", {B(4, "\0\0")}},
    {"an end within a run", {B(1, RUN_BYTES), B(5, "\1")}},
    {"a run within a run", {B(1, RUN_BYTES), B(1, RUN_BYTES)}},
    {"fewer rows than said", {B(1, RUN_BYTES), B(4, "\1\0")}},
    {"fewer events than said", {B(1, RUN_BYTES), B(4, "\0\1")}},
    {"fewer runs than said", {B(5, "\1")}},
    {"more behind the end", {B(5, "\0"), B(5, "\0")}},
    {"no rows in a chunk", {B(1, RUN_BYTES), B(2, "")}},
    {"something else in a chunk", {B(1, RUN_BYTES), B(2, "\1\1\0\0\0")}},
    {"an empty block of events", {B(1, RUN_BYTES), B(3, "")}},
    {"an unknown kind of event", {B(1, RUN_BYTES), B(3, "\2\4\6\5\7\0")}},
    {"an event that ends before it begins", {B(1, RUN_BYTES), B(3, "\1\6\4\5\7\0")}},
    {"half an event", {B(1, RUN_BYTES), B(3, "\1\4\6\5")}},
    {"something behind a run", {B(1, RUN_BYTES "x")}},
    {"an empty run", {B(1, "")}},
    {"a text longer than the block",
     {B(1, "0123456789abcdef\x7f"
           "app")}},
    {"a NUL in a text", {B(1, "0123456789abcdef\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}},
    {"a text that is not UTF-8", {B(1, "0123456789abcdef\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}},
    {"an unknown state", {B(1, "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0")}},
    {"too many columns", {B(1, "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\3\0")}},
    {"a number of eleven bytes", {B(5, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1")}},
};

static void made_up_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        buf bytes = {0}, why = {0};
        uint8_t check[16];
        begin_file(&bytes, check);
        for (size_t b = 0; b < ARRAY_LEN(refused[i].blocks) && refused[i].blocks[b].kind; b++)
            add_block(&bytes, check, refused[i].blocks[b].kind, refused[i].blocks[b].p, refused[i].blocks[b].n);
        read_all((span){bytes.p, bytes.n}, &why);
        if (!why.n || !strstr(why.p, "is damaged")) fail_msg("%s: \"%s\"", refused[i].what, why.n ? why.p : "");
        buf_free(&bytes);
        buf_free(&why);
    }
}

/* Rows that no store of ours would hold. */
static void made_up_rows(void **state)
{
    (void)state;
    enum { GOOD, TWICE, BACKWARDS, FAR, WIDE, CASES };
    for (int i = GOOD; i < CASES; i++) {
        chunk *c = chunk_new(2, i == WIDE ? 2 : 1);
        for (size_t row = 0; row < 2; row++) {
            c->time[row] = i == BACKWARDS ? 9 - (int64_t)row : (int64_t)row;
            c->seq[row] = row;
            for (size_t col = 0; col < c->columns; col++) c->values[col][row] = 1;
        }
        if (i == TWICE) c->time[1] = 0, c->seq[1] = 0;
        if (i == FAR) c->seq[1] = MAX_SEQ + 1;
        buf bytes = {0}, payload = {0}, why = {0};
        uint8_t check[16];
        chunk_encode(c, &payload);
        chunk_free(c);
        begin_file(&bytes, check);
        add_block(&bytes, check, 1, RUN_BYTES, sizeof RUN_BYTES - 1);
        add_block(&bytes, check, 2, payload.p, payload.n);
        add_block(&bytes, check, 4, "\2\0", 2);
        add_block(&bytes, check, 5, "\1", 1);
        assert_int_equal(read_all((span){bytes.p, bytes.n}, &why), i == GOOD ? 4 : 1);
        buf_free(&bytes);
        buf_free(&payload);
        buf_free(&why);
    }
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    FILE *f = fopen("/dev/full", "wb");
    if (!f) skip();
    archive_writer w;
    run_info *r = rich_run();
    archive_begin(&w, f);
    archive_put_run(&w, r);
    archive_put_run_end(&w);
    archive_end(&w);
    assert_true(w.failed);
    assert_string_equal(strerror(w.error), "No space left on device");
    run_info_free(r);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc > 1) { /* test_archive FILE: makes the golden file anew */
        write_sample();
        FILE *f = fopen(argv[1], "wb");
        return f && fwrite(file_bytes, file_size, 1, f) == 1 && fclose(f) == 0 ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(everything_comes_back, free_file),
        cmocka_unit_test_teardown(the_bytes, free_file),
        cmocka_unit_test(the_golden_file),
        cmocka_unit_test_teardown(cut_off_anywhere, free_file),
        cmocka_unit_test_teardown(any_bit_changed, free_file),
        cmocka_unit_test_teardown(other_files, free_file),
        cmocka_unit_test(sizes_that_are_not_there),
        cmocka_unit_test(made_up_files),
        cmocka_unit_test(made_up_rows),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
