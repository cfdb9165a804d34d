/* SPDX-License-Identifier: MIT OR Unlicense
   bench_store: what writing costs: full chunks, single rows, and many slow runs at once. Every commit is durable. */
#include "rows.h"

#include "server/store/merge.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FULL_ROWS   (2000 * 1024) /* written as full chunks …                */
#define FULL_CHUNKS 64            /* … so many a transaction                 */
#define SLOW_ROWS   4096          /* written one by one                      */
#define SLOW_RUNS   1000          /* that each send a row between two flushes */
#define FLUSHES     20

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_store: %s\n", what);
    exit(1);
}

/* ---- clocks ---- */

typedef struct {
    int64_t wall, cpu;
} moment;

static moment moment_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (moment){clock_mono(), t.tv_sec * NS_PER_SECOND + t.tv_nsec};
}

static moment moment_since(moment begun)
{
    moment now = moment_now();
    return (moment){now.wall - begun.wall, now.cpu - begun.cpu};
}

/* ---- a place on disk ---- */

static char folder[200], file[240], url[256];

static store *open_store(void)
{
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    must(s != NULL, why.p);
    return s;
}

static double file_bytes(void)
{
    struct stat about;
    must(stat(file, &about) == 0, "the store's file is gone");
    return (double)about.st_size;
}

static void remove_store(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[260];
        snprintf(name, sizeof name, "%s%s", file, ends[i]);
        unlink(name);
    }
}

/* The limit: as many bytes appended to a file, with as many fdatasync()s. ns */
static int64_t append_bytes(double bytes, int times)
{
    char name[260];
    snprintf(name, sizeof name, "%s/plain", folder);
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    must(fd >= 0, "cannot make a file");
    size_t each = (size_t)(bytes / times);
    char *block = mem_calloc(each, 1);
    int64_t begun = clock_mono();
    for (int i = 0; i < times; i++)
        must(write(fd, block, each) == (ssize_t)each && fdatasync(fd) == 0, "cannot write");
    int64_t taken = clock_mono() - begun;
    free(block);
    close(fd);
    unlink(name);
    return taken;
}

/* ---- figures ---- */

static void put_rows(store *s, run_info *run, program *p, uint64_t first, size_t rows)
{
    batch_part part = bench_part(p, first, rows);
    chunk *put[FULL_CHUNKS];
    size_t pieces = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    for (size_t i = 0; i < pieces; i++) {
        size_t left = rows - i * CHUNK_ROWS;
        put[i] = chunk_from_part(&part, i * CHUNK_ROWS, left < CHUNK_ROWS ? left : CHUNK_ROWS);
    }
    run->last = part.time[rows - 1];
    run->next_seq = first + rows;
    store_change change = {.info = run, .put = put, .put_count = pieces};
    must(store_write(s, &change, 1) == STORE_OK, store_error(s));
    for (size_t i = 0; i < pieces; i++) chunk_free(put[i]);
    bench_part_free(&part);
}

static void merge_fully(store *s, const uuid *id)
{
    for (bool more = true; more;) must(merge_run(s, id, &more) == STORE_OK, store_error(s));
}

/* What making the rows costs, to be taken off. */
static moment making_cost(uint64_t rows, size_t at_once)
{
    program p = {0};
    moment begun = moment_now();
    for (uint64_t first = 0; first < rows; first += at_once) {
        batch_part part = bench_part(&p, first, at_once);
        bench_part_free(&part);
    }
    return moment_since(begun);
}

static void full_chunks(void)
{
    store *s = open_store();
    run_info *run = run_make();
    program p = {0};
    size_t at_once = FULL_CHUNKS * CHUNK_ROWS;
    int commits = 0;
    moment making = making_cost(FULL_ROWS, at_once), begun = moment_now();
    for (uint64_t first = 0; first < FULL_ROWS; first += at_once, commits++) {
        put_rows(s, run, &p, first, at_once);
        merge_fully(s, &run->id);
    }
    moment taken = moment_since(begun);
    store_close(s);
    double wall = (double)(taken.wall - making.wall), cpu = (double)(taken.cpu - making.cpu);
    double rows = commits * (double)at_once, bytes = file_bytes(), limit = (double)append_bytes(bytes, commits);
    printf(
        "store: rows x %d columns in full chunks, durable\t%.2f\tM rows/s\tappending as many bytes to a file: %.1f M "
        "rows/s, ratio %.2f\t-\n",
        COLUMNS, rows / wall * 1e3, rows / limit * 1e3, limit / wall);
    printf("store: a row in full chunks\t%.2f\tus CPU\t-\t<= 0.5\n", cpu / rows / 1e3);
    run_info_free(run);
    remove_store();
}

static void single_rows(void)
{
    store *s = open_store();
    run_info *run = run_make();
    program p = {0};
    moment begun = moment_now();
    for (uint64_t first = 0; first < SLOW_ROWS; first++) {
        put_rows(s, run, &p, first, 1);
        if (first % MERGE_SMALL == MERGE_SMALL - 1) merge_fully(s, &run->id);
    }
    moment taken = moment_since(begun);
    store_close(s);
    double limit = (double)append_bytes(4096.0 * SLOW_ROWS, SLOW_ROWS);
    printf("store: a commit of one row, merging included\t%.0f\tus\tappending 4 KiB and fdatasync: %.0f us, ratio "
           "%.1f\t-\n",
           (double)taken.wall / SLOW_ROWS / 1e3, limit / SLOW_ROWS / 1e3, (double)taken.wall / limit);
    printf("store: the same\t%.0f\tus CPU\t-\t-\n", (double)taken.cpu / SLOW_ROWS / 1e3);
    printf("store: rows that came one by one, the file\t%.1f\tbytes/value\t-\t-\n",
           file_bytes() / (SLOW_ROWS * COLUMNS));
    run_info_free(run);
    remove_store();
}

static void many_slow_runs(void)
{
    store *s = open_store();
    static run_info *runs[SLOW_RUNS];
    static program programs[SLOW_RUNS];
    static store_change changes[SLOW_RUNS];
    static chunk *chunks[SLOW_RUNS];
    moment total = {0, 0};
    for (size_t i = 0; i < SLOW_RUNS; i++) runs[i] = run_make();
    for (uint64_t flush = 0; flush <= FLUSHES; flush++) {
        for (size_t i = 0; i < SLOW_RUNS; i++) {
            batch_part part = bench_part(&programs[i], flush, 1);
            chunks[i] = chunk_from_part(&part, 0, 1);
            changes[i] = (store_change){.info = runs[i], .put = &chunks[i], .put_count = 1};
            bench_part_free(&part);
        }
        moment begun = moment_now();
        must(store_write(s, changes, SLOW_RUNS) == STORE_OK, store_error(s));
        moment taken = moment_since(begun);
        if (flush > 0) { /* the first makes the runs */
            total.wall += taken.wall;
            total.cpu += taken.cpu;
        }
        for (size_t i = 0; i < SLOW_RUNS; i++) chunk_free(chunks[i]);
    }
    printf("store: a flush of %d runs with one row each\t%.1f\tms\t%.1f us CPU a run\t-\n", SLOW_RUNS,
           (double)total.wall / FLUSHES / 1e6, (double)total.cpu / FLUSHES / SLOW_RUNS / 1e3);
    moment begun = moment_now();
    for (size_t i = 0; i < SLOW_RUNS; i++) merge_fully(s, &runs[i]->id);
    moment taken = moment_since(begun);
    printf("store: merging %d single rows of a run\t%.0f\tus\t%.0f us CPU\t-\n", MERGE_SMALL,
           (double)taken.wall / SLOW_RUNS / 1e3, (double)taken.cpu / SLOW_RUNS / 1e3);
    for (size_t i = 0; i < SLOW_RUNS; i++) run_info_free(runs[i]);
    store_close(s);
    remove_store();
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *slash = strrchr(argv[0], '/'); /* beside the program: /tmp may be memory */
    snprintf(folder, sizeof folder, "%.*s/store.XXXXXX", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
    must(mkdtemp(folder) != NULL, "no folder could be made beside the program");
    snprintf(file, sizeof file, "%s/store.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", file);
    full_chunks();
    single_rows();
    many_slow_runs();
    rmdir(folder);
    return 0;
}
