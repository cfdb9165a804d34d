/* SPDX-License-Identifier: MIT OR Unlicense
   bench_query: bytes per value in the store, and how long a chart of a long run takes. */
#include "server/merge.h"
#include "server/query.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS 8
#define BATCH   (64 * CHUNK_ROWS) /* rows a transaction                     */
#define POINTS  1200
#define START   INT64_C(1769860800000000000)
#define TICK    (NS_PER_SECOND / 10)

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_query: %s\n", what);
    exit(1);
}

/* ---- rows such as programs send ---- */

static uint64_t random_u64(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}

/* About normal, mean 0, deviation 1. */
static double random_normal(void)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += (double)(random_u64() >> 40) * 0x1p-24;
    return (sum - 2) * 1.7320508;
}

typedef struct {
    double pages, heap, requests, errors, total, calls;
} program;

static void sample(program *p, double *v)
{
    p->pages += floor(random_normal() * 2);
    p->heap += floor(random_normal() * 300) * 16;
    p->requests += floor(200 + 20 * random_normal());
    p->errors += random_u64() % 50 == 0;
    p->calls += 200;
    p->total += 200 * 1e-4 * exp(0.1 * random_normal());
    double ticks = 198 + (double)(random_u64() % 5), busy = floor(30 + 8 * random_normal());
    v[0] = (200000 + p->pages) * 4096 / 0x1p30; /* memory_use: GiB                      */
    v[1] = (1e8 + p->heap) / 1e6;               /* mem_allocation: MB                   */
    v[2] = round(1000 * busy / ticks) / 10;     /* cpu_percent: a decimal, as psutil's  */
    v[3] = 12;                                  /* active_tasks                         */
    v[4] = p->requests;                         /* a counter                            */
    v[5] = p->errors;                           /* a counter that seldom grows          */
    v[6] = (double)(random_u64() % 40);         /* a queue's depth                      */
    v[7] = p->total / p->calls;                 /* NAME_average_time: seconds           */
}

/* ---- the store ---- */

static run_info *run_make(void)
{
    static char text[] = "", name[] = "column";
    run_column columns[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) columns[i] = (run_column){name, text, COLUMN_GAUGE};
    run_info r = {.app = text, .host = text, .build = text, .args = text, .note = text, .started = START};
    r.columns = columns;
    r.column_count = COLUMNS;
    for (size_t i = 0; i < sizeof r.id.b; i++) r.id.b[i] = (uint8_t)random_u64();
    return run_info_copy(&r);
}

/* Rows first … first + BATCH - 1, in full chunks, one transaction. */
static void write_batch(store *s, run_info *run, program *p, uint64_t first)
{
    batch_part part = {.rows = BATCH, .columns = COLUMNS};
    part.time = mem_alloc(BATCH * sizeof *part.time);
    part.seq = mem_alloc(BATCH * sizeof *part.seq);
    part.values = mem_alloc(BATCH * COLUMNS * sizeof *part.values);
    for (size_t i = 0; i < BATCH; i++) {
        part.seq[i] = first + i;
        part.time[i] = START + (int64_t)(first + i) * TICK + (int64_t)(random_u64() % 60000); /* a timer's jitter */
        sample(p, part.values + i * COLUMNS);
    }
    chunk *put[BATCH / CHUNK_ROWS];
    for (size_t i = 0; i < ARRAY_LEN(put); i++) put[i] = chunk_from_part(&part, i * CHUNK_ROWS, CHUNK_ROWS);
    run->last = part.time[BATCH - 1];
    run->next_seq = first + BATCH;
    store_change change = {.info = run, .put = put, .put_count = ARRAY_LEN(put)};
    must(store_write(s, &change, 1) == STORE_OK, store_error(s));
    for (size_t i = 0; i < ARRAY_LEN(put); i++) chunk_free(put[i]);
    free(part.time);
    free(part.seq);
    free(part.values);
}

static run_info *write_run(store *s, uint64_t rows)
{
    run_info *run = run_make();
    program p = {0};
    for (uint64_t first = 0; first < rows; first += BATCH) {
        write_batch(s, run, &p, first);
        bool more = true;
        while (more) must(merge_run(s, &run->id, &more) == STORE_OK, store_error(s));
    }
    return run;
}

/* ---- figures ---- */

/* The least of several: what it takes, without what else the machine does. */
static double series_ms(store *s, const run_info *run, int64_t from, int64_t to, uint64_t *rows)
{
    double best = INFINITY;
    for (int i = 0; i < 9; i++) {
        series_request request = {.from = from, .to = to, .points = POINTS};
        series out;
        int64_t begun = clock_mono();
        must(query_series(s, run, &request, &out) == STORE_OK, "the store refused a query");
        best = fmin(best, (double)(clock_mono() - begun) / 1e6);
        *rows = 0;
        for (size_t p = 0; p < out.points; p++) *rows += out.rows[p];
        series_free(&out);
    }
    return best;
}

static void measure_series(store *s, const run_info *run, const char *what, const char *goal)
{
    uint64_t rows, part_rows;
    int64_t pixel = (run->last - START) / POINTS, middle = START + (run->last - START) / 2;
    double whole = series_ms(s, run, START, run->last, &rows);
    double part = series_ms(s, run, middle, middle + pixel, &part_rows);
    must(rows >= run->next_seq, "an overview lacks rows");
    printf("%d points of %s rows x %d columns\t%.1f\tms\treading one point's range (%llu rows): %.1f ms, ratio "
           "%.1f\t%s\n",
           POINTS, what, COLUMNS, whole, (unsigned long long)part_rows, part, whole / part, goal);
}

/* A range just so short that its chunks are longer than two points: all rows are decoded. */
static void measure_worst(store *s, const run_info *run)
{
    int64_t length = (int64_t)(CHUNK_ROWS * (POINTS / 2) * 98 / 100) * TICK, middle = START + (run->last - START) / 2;
    uint64_t rows;
    double ms = series_ms(s, run, middle, middle + length, &rows);
    printf("%d points of any other range at worst (%llu rows x %d columns decoded)\t%.1f\tms\t-\t<= 50 ms\n", POINTS,
           (unsigned long long)rows, COLUMNS, ms);
}

static double file_bytes(const char *file)
{
    struct stat about;
    must(stat(file, &about) == 0, "the store's file is gone");
    return (double)about.st_size;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

int main(void)
{
    char folder[] = "/tmp/bench_query.XXXXXX", file[64], url[80];
    must(mkdtemp(folder) != NULL, "no folder could be made in /tmp");
    snprintf(file, sizeof file, "%s/store.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", file);
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    must(s != NULL, why.p);

    static const struct {
        uint64_t rows;
        const char *what, *goal;
    } RUNS[] = {{1000000, "1 M", "-"}, {2000000, "2 M", "<= 5 ms"}, {10000000, "10 M", "<= 50 ms"}};
    uint64_t rows = 0;
    for (size_t i = 0; i < ARRAY_LEN(RUNS); i++) {
        run_info *run = write_run(s, RUNS[i].rows);
        rows += run->next_seq;
        measure_series(s, run, RUNS[i].what, RUNS[i].goal);
        if (i + 1 == ARRAY_LEN(RUNS)) measure_worst(s, run);
        run_info_free(run);
    }
    store_close(s); /* which empties the log into the file */
    printf("stored, of realistic rows x %d columns\t%.2f\tbytes/value\t8 as float64: times, seqs, summaries are "
           "extra there\t<= 2.1\n",
           COLUMNS, file_bytes(file) / (double)(rows * COLUMNS));
    nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    return 0;
}
