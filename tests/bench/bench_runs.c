/* SPDX-License-Identifier: MIT OR Unlicense
   bench_runs: many programs at once, one row a second each: what a row costs that comes to the store alone, as SCALING.md
   counts. The seconds of all programs are put as fast as it goes; then what was written is merged. Or in
   their own time, a second a second: then a store that is too slow for single rows gets several of a run at once.

       bench_runs [RUNS [live]]     into MNEMIC_TEST_STORE, a PostgreSQL server; without it into SQLite

   CPU is this process's; that of a server, the WAL and the space are asked of PostgreSQL by SCALING.md's commands. */
#include "rows.h"

#include "server/store/writer.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 64

static double own_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall(void)
{
    return (double)clock_mono() / 1e9;
}

static void nap(void)
{
    nanosleep(&(struct timespec){0, 200000}, NULL);
}

/* One row of each run. */
static batch *make_second(run_info *const *runs, size_t count, program *programs, uint64_t second)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_calloc(count, sizeof *b->parts);
    b->count = count;
    for (size_t i = 0; i < count; i++) {
        b->parts[i] = bench_part(&programs[i], second, 1);
        b->parts[i].time[0] = START + (int64_t)second * NS_PER_SECOND;
        run_info *info = b->parts[i].info = run_info_copy(runs[i]);
        info->acked = true;
        info->next_seq = second + 1;
        info->rows = second;
        info->last = info->seen = b->parts[i].time[0];
    }
    b->bytes = count * 1000;
    return b;
}

static bool count_one(void *ctx, const uuid *id)
{
    (void)id;
    ++*(size_t *)ctx;
    return true;
}

/* Until nothing is merged for a while: a run that got a few chunks since its last merge waits for more. When that was. */
static double wait_for_merges(const char *url)
{
    buf why = {0};
    store *s = store_open(url, STORE_READ, &why);
    double last = wall();
    for (size_t before = SIZE_MAX, left = 1; s && left > 0 && wall() < last + 2; before = left) {
        left = 0;
        if (store_unmerged(s, count_one, &left) != STORE_OK) break;
        if (left < before) last = wall();
        nap();
    }
    store_close(s);
    return last;
}

static void print(const char *what, size_t runs, double value, const char *unit)
{
    printf("%zu runs, a row of 8 values from each at a time: %s\t%.3g\t%s\t-\t-\n", runs, what, value, unit);
}

/* As fast as it goes. None but the first second is waited for, so the writer gathers all that a run says: the most that gathering
   can do for the store. Programs that live say a few rows in the time that it takes (`live`). */
static void put_all(writer *w, run_info *const *runs, size_t count, program *programs, const char *url)
{
    const writer_stats *stats = writer_counters(w);
    double begun = wall(), announced = 0;
    for (uint64_t second = 0; second < SECONDS; second++) {
        writer_put(w, make_second(runs, count, programs, second));
        while (second == 0 && stats->rows_stored < count) nap();
        if (second == 0) announced = wall() - begun;
    }
    while (stats->rows_stored < count * SECONDS) nap();
    double written = wall() - begun, rows = (double)(count * SECONDS);
    double merged = wait_for_merges(url) - begun;
    print("begun", count, (double)count / announced, "runs/s");
    print("durable", count, (rows - (double)count) / (written - announced), "rows/s");
    print("durable and merged", count, rows / merged, "rows/s");
}

/* In the programs' own time; returns how many seconds after the last row was put it was durable. */
static double put_live(writer *w, run_info *const *runs, size_t count, program *programs)
{
    const writer_stats *stats = writer_counters(w);
    double begun = wall();
    for (uint64_t second = 0; second < SECONDS; second++) {
        while (wall() < begun + (double)second) nap();
        writer_put(w, make_second(runs, count, programs, second));
    }
    while (stats->rows_stored < count * SECONDS) nap();
    return wall() - begun - SECONDS + 1;
}

static int bench(const char *url, size_t count, bool live)
{
    buf why = {0};
    writer_desc desc = {.store_url = url};
    writer *w = writer_start(&desc, &why);
    if (!w) {
        fprintf(stderr, "bench_runs: %s\n", why.p);
        return 1;
    }
    const writer_stats *stats = writer_counters(w);
    run_info **runs = mem_alloc(count * sizeof *runs);
    program *programs = mem_calloc(count, sizeof *programs);
    for (size_t i = 0; i < count; i++) runs[i] = run_make();

    double cpu = own_cpu(), rows = (double)(count * SECONDS);
    if (live) {
        double late = put_live(w, runs, count, programs);
        print("in their own time: the last row was late by", count, late, "s");
        print("in their own time: rows waited in", count, (double)stats->commits, "commits");
    } else {
        put_all(w, runs, count, programs, url);
    }
    print("mnemic's CPU", count, (own_cpu() - cpu) / rows * 1e6, "µs/row");
    writer_stop(w, 30);
    writer_free(w);
    for (size_t i = 0; i < count; i++) run_info_free(runs[i]);
    free(runs);
    free(programs);
    return 0;
}

int main(int argc, char **argv)
{
    const char *server = getenv("MNEMIC_TEST_STORE");
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    char folder[] = "/tmp/bench-runs-XXXXXX", url[64], command[64];
    if (server) return bench(server, runs, argc > 2);
    if (!mkdtemp(folder)) return 1;
    snprintf(url, sizeof url, "sqlite:%s/runs.db", folder);
    int status = bench(url, runs, argc > 2);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? status : 1;
}
