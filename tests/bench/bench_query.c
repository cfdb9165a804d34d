/* SPDX-License-Identifier: MIT OR Unlicense
   bench_query: bytes per value in the store, and how long a chart of a long run takes.
       bench_query [FILE]      FILE: keeps the store there, for the bench of the page */
#include "rows.h"

#include "server/insight/drift_run.h"
#include "server/store/merge.h"
#include "server/query/query.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH  (64 * CHUNK_ROWS) /* rows a transaction                     */
#define POINTS 1200

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_query: %s\n", what);
    exit(1);
}

/* ---- the store ---- */

static run_info *write_run(store *s, uint64_t rows)
{
    run_info *run = run_make();
    program p = {0};
    for (uint64_t first = 0; first < rows; first += BATCH) {
        must(bench_write(s, run, &p, BATCH) == STORE_OK, store_error(s));
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

/* What the page asks of a run beside its charts; what it costs is not the run's length. */
static void measure_drift(store *s, const run_info *run, const char *what)
{
    uint32_t columns[COLUMNS];
    drift found[COLUMNS];
    double best = INFINITY;
    for (uint32_t i = 0; i < COLUMNS; i++) columns[i] = i;
    for (int round = 0; round < 3; round++) {
        int64_t begun = clock_mono();
        must(drift_run(s, run, START, run->last, columns, COLUMNS, found) == STORE_OK, "the store refused verdicts");
        best = fmin(best, (double)(clock_mono() - begun) / 1e6);
    }
    must(found[0].points > 100, "a verdict from too few points");
    printf("drift of %s rows x %d columns: slopes, shifts, outliers\t%.1f\tms\t-\t<= 50 ms\n", what, COLUMNS, best);
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

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench_query.XXXXXX", file[256], url[272];
    must(mkdtemp(folder) != NULL, "no folder could be made in /tmp");
    if (argc > 1) snprintf(file, sizeof file, "%s", argv[1]);
    else snprintf(file, sizeof file, "%s/store.db", folder);
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
        if (i + 1 == ARRAY_LEN(RUNS)) {
            measure_worst(s, run);
            measure_drift(s, run, RUNS[i].what);
        }
        run_info_free(run);
    }
    store_close(s); /* which empties the log into the file */
    printf("stored, of realistic rows x %d columns\t%.2f\tbytes/value\t8 as float64: times, seqs, summaries are "
           "extra there\t<= 2.1\n",
           COLUMNS, file_bytes(file) / (double)(rows * COLUMNS));
    nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    return 0;
}
