/* SPDX-License-Identifier: MIT OR Unlicense
   sample: runs and rows whose every value follows from (seq, column), for the tests of store, merge and writer; and the
   check that a store holds just those. Include after cmocka.h. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <dirent.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../server/store/store.h"

#define SAMPLE_START   INT64_C(1700000000000000000)
#define SAMPLE_COLUMNS 3

/* For as long as a busy machine may need. */
#define wait_until(condition)                                                                                        \
    do {                                                                                                             \
        int64_t wait_end = clock_mono() + 120 * NS_PER_SECOND;                                                       \
        while (!(condition)) {                                                                                       \
            if (clock_mono() > wait_end) fail_msg("%d: waited in vain: " #condition, __LINE__);                      \
            nanosleep(&(struct timespec){0, 1000000}, NULL);                                                         \
        }                                                                                                            \
    } while (0)

static inline void assert_same_columns_and_tags(const run_info *a, const run_info *b)
{
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

/* ---- a place for a store: a folder of its own, or a database of its own on the server MNEMIC_TEST_STORE ---- */

typedef struct {
    char folder[64];
    char file[128], url[256];
    char database[64]; /* "": it is a file */
} place;

static inline void place_ignore_notice(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

/* One statement. */
static inline void place_ask(const char *url, const char *sql)
{
    PGconn *server = PQconnectdb(url);
    PQsetNoticeProcessor(server, place_ignore_notice, NULL);
    PGresult *r = PQexec(server, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(server));
    PQclear(r);
    PQfinish(server);
}

static inline __attribute__((format(printf, 2, 3))) void place_tell_to(const char *url, const char *format, ...)
{
    char sql[256];
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    place_ask(url, sql);
}

/* The same, on the server that the tests were given. */
#define place_tell(...) place_tell_to(getenv("MNEMIC_TEST_STORE"), __VA_ARGS__)

/* The store's runs lie in several servers, of which each commits by itself and has a snapshot of its own. */
static inline bool place_is_distributed(void)
{
    return getenv("MNEMIC_TEST_WORKERS") != NULL;
}

/* Calls `each` with the server, and with each of Citus' workers that MNEMIC_TEST_WORKERS names (tests/postgres.sh). */
static inline void place_on_all_servers(void (*each)(const char *server, const place *p), const place *p)
{
    char urls[1024], *rest, *url;
    const char *workers = getenv("MNEMIC_TEST_WORKERS");
    each(getenv("MNEMIC_TEST_STORE"), p);
    snprintf(urls, sizeof urls, "%s", workers ? workers : "");
    for (url = strtok_r(urls, " ", &rest); url; url = strtok_r(NULL, " ", &rest)) each(url, p);
}

static inline void place_make_database(const char *server, const place *p)
{
    place_tell_to(server, "CREATE DATABASE %s", p->database);
}

static inline void place_drop_database(const char *server, const place *p)
{
    place_tell_to(server, "DROP DATABASE %s WITH (FORCE)", p->database);
}

/* The URL, postgresql://USER@/DATABASE?host=…, with another database. */
static inline void place_new_database(place *p, const char *server)
{
    static int number;
    snprintf(p->database, sizeof p->database, "test_%d_%d", (int)getpid(), number++);
    place_on_all_servers(place_make_database, p);
    const char *name = strstr(server, "@/"), *end = strchr(server, '?');
    assert_true(name && end && name < end);
    snprintf(p->url, sizeof p->url, "%.*s%s%s", (int)(name + 2 - server), server, p->database, end);
}

static inline place *place_new(void)
{
    place *p = calloc(1, sizeof *p);
    const char *tmp = getenv("TMPDIR"), *server = getenv("MNEMIC_TEST_STORE");
    snprintf(p->folder, sizeof p->folder, "%.40s/mnemic-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->file, sizeof p->file, "%s/test.db", p->folder);
    snprintf(p->url, sizeof p->url, "sqlite:%s", p->file);
    if (server) place_new_database(p, server);
    return p;
}

static inline void place_free(place *p)
{
    DIR *d = opendir(p->folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", p->folder, e->d_name);
        unlink(name);
    }
    if (d) closedir(d);
    rmdir(p->folder);
    if (p->database[0]) place_on_all_servers(place_drop_database, p);
    free(p);
}

static inline store *sample_open(const char *url, store_mode mode)
{
    buf why = {0};
    store *s = store_open(url, mode, &why);
    if (!s) print_error("%s\n", why.p);
    assert_non_null(s);
    buf_free(&why);
    return s;
}

/* Each test gets an empty place, and a connection that writes there. */
typedef struct {
    place *place;
    store *s;
} stored_place;

static inline int open_stored_place(void **state)
{
    stored_place *f = calloc(1, sizeof *f);
    f->place = place_new();
    f->s = sample_open(f->place->url, STORE_WRITE);
    *state = f;
    return 0;
}

static inline int close_stored_place(void **state)
{
    stored_place *f = *state;
    store_close(f->s);
    place_free(f->place);
    free(f);
    return 0;
}

/* ---- what is stored ---- */

static inline uuid sample_id(uint32_t n)
{
    uuid u = {{0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c, 0xa4, 0xf0, 0x06, 0x87}};
    for (int i = 0; i < 4; i++) u.b[12 + i] = (uint8_t)(n >> (24 - 8 * i));
    return u;
}

static inline int64_t sample_time(uint64_t seq)
{
    return SAMPLE_START + (int64_t)seq * NS_PER_MS;
}

static inline double sample_value(uint64_t seq, size_t column)
{
    if ((seq + column) % 17 == 3) return NAN;
    return (double)(seq * 7 % 101) / 4 - 3 + (double)column * 1000;
}

/* Appends the histograms of a row, if it has any: of column 2. */
static inline void sample_histograms(uint64_t seq, buf *out)
{
    if (seq % 4 != 1) return;
    histogram_bin bins[] = {{1000 + (uint32_t)(seq % 50), 1 + seq % 3}, {2000, 1}};
    histogram_set set = {.count = 1};
    set.all = mem_calloc(1, sizeof *set.all);
    set.all[0].column = 2;
    set.all[0].of = (histogram){bins, ARRAY_LEN(bins), 0};
    histogram_set_write(&set, out);
    free(set.all);
}

static inline run_info *sample_run(uint32_t n)
{
    run_info *r = mem_calloc(1, sizeof *r);
    r->id = sample_id(n);
    r->app = mem_strdup("sample");
    r->host = mem_strdup("box");
    r->build = mem_strdup("");
    r->args = mem_strdup("./sample --fast");
    r->place = mem_strdup("b6d5a8a1 pid:[4026531836]");
    r->born = 86400;
    r->counter = 40;
    r->note = mem_strdup("");
    r->user_tags = mem_strdup("");
    r->started = r->last = r->seen = SAMPLE_START;
    r->interval = NS_PER_MS;
    r->column_count = SAMPLE_COLUMNS;
    r->columns = mem_calloc(r->column_count, sizeof *r->columns);
    static const char *const names[SAMPLE_COLUMNS] = {"mem_allocation", "cpu_percent", "queue depth"};
    for (size_t i = 0; i < r->column_count; i++)
        r->columns[i] = (run_column){mem_strdup(names[i]), mem_strdup("MB"), i == 2 ? COLUMN_HISTOGRAM : COLUMN_GAUGE};
    return r;
}

/* Rows [first, first + rows); the part owns them. */
static inline batch_part sample_part(uint32_t run, uint64_t first, size_t rows)
{
    batch_part p = {.info = sample_run(run), .rows = rows, .columns = SAMPLE_COLUMNS};
    p.time = mem_alloc(rows * sizeof *p.time);
    p.seq = mem_alloc(rows * sizeof *p.seq);
    p.values = mem_alloc(rows * p.columns * sizeof *p.values);
    for (size_t i = 0; i < rows; i++) {
        p.seq[i] = first + i;
        p.time[i] = sample_time(first + i);
        for (size_t c = 0; c < p.columns; c++) p.values[i * p.columns + c] = sample_value(first + i, c);
        buf bytes = {0};
        sample_histograms(first + i, &bytes);
        row_histograms_add(&p.histograms, i, (span){bytes.p, bytes.n});
        buf_free(&bytes);
    }
    p.info->next_seq = first + rows;
    if (rows) p.info->last = p.time[rows - 1];
    return p;
}

static inline batch *sample_batch(uint32_t run, uint64_t first, size_t rows)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_alloc(sizeof *b->parts);
    b->parts[0] = sample_part(run, first, rows);
    b->count = 1;
    b->bytes = sizeof *b + rows * (2 + SAMPLE_COLUMNS) * 8 + 500;
    return b;
}

static inline chunk *sample_chunk(uint64_t first, size_t rows)
{
    batch *b = sample_batch(0, first, rows);
    chunk *c = chunk_from_part(&b->parts[0], 0, rows);
    batch_free(b);
    return c;
}

/* Stores rows [first, first + rows) of a run as one chunk. */
static inline void sample_put(store *s, uint32_t run, uint64_t first, size_t rows)
{
    run_info *r = sample_run(run);
    r->next_seq = first + rows;
    r->last = sample_time(first + rows - 1);
    chunk *c = sample_chunk(first, rows);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    if (store_write(s, &change, 1) != STORE_OK) fail_msg("%s", store_error(s));
    chunk_free(c);
    run_info_free(r);
}

/* ---- what a store must hold ---- */

/* How often each row is there, and in how many chunks all lie. */
typedef struct {
    store *s;
    uuid id;
    size_t rows, chunks, wrong;
    uint8_t *times; /* [rows]: 0, 1, 2 … */
} held;

static inline bool has_sample_histograms(const chunk *c, size_t row)
{
    buf bytes = {0};
    sample_histograms(c->seq[row], &bytes);
    bool same = span_eq(row_histograms_of(&c->histograms, row), (span){bytes.p, bytes.n});
    buf_free(&bytes);
    return same;
}

static inline bool held_chunk(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    held *h = ctx;
    (void)columns;
    chunk *c;
    if (store_chunk(h->s, &h->id, key, NULL, 0, &c) != STORE_OK) {
        h->wrong++;
        return false;
    }
    h->chunks++;
    h->wrong += c->rows != key->rows || c->columns != count;
    for (size_t i = 0; i < c->rows; i++) {
        uint64_t seq = c->seq[i];
        if (seq < h->rows) h->times[seq]++;
        bool good = seq < h->rows && c->time[i] == sample_time(seq);
        for (size_t col = 0; good && col < c->columns; col++) {
            double v = c->values[col][i], expected = sample_value(seq, col);
            good = isnan(expected) ? isnan(v) : v == expected;
        }
        h->wrong += !good || !has_sample_histograms(c, i);
    }
    chunk_free(c);
    return true;
}

/* Reads the whole run; `rows` is one more than the highest seq that may be there. Free `times`. Any thread: asserts
   nothing; `wrong` counts what is not as it should be. */
static inline held held_read(store *s, uint32_t run, size_t rows)
{
    held h = {.s = s, .id = sample_id(run), .rows = rows, .times = mem_calloc(rows, 1)};
    store_status status = store_entries(s, &h.id, 0, INT64_MIN, INT64_MAX, held_chunk, &h);
    h.wrong += status != STORE_OK && status != STORE_MISSING;
    return h;
}

/* Rows [0, rows) of a run are there, each once, and nothing else; the run's count says the same. How many chunks? */
static inline size_t assert_held(store *s, uint32_t run, size_t rows)
{
    held h = held_read(s, run, rows);
    assert_int_equal(h.wrong, 0);
    for (size_t i = 0; i < rows; i++)
        if (h.times[i] != 1) fail_msg("row %zu of %zu is there %d times", i, rows, h.times[i]);
    free(h.times);
    run_info *r;
    assert_int_equal(store_run(s, &h.id, &r), STORE_OK);
    assert_int_equal(r->rows, rows);
    run_info_free(r);
    return h.chunks;
}

#endif
