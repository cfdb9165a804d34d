/* SPDX-License-Identifier: MIT OR Unlicense
   bench_archive: what export and import cost, beside copying the store's file; and that their memory is bounded. */
#include "rows.h"

#include "server/archive/archive_export.h"
#include "server/archive/archive_import.h"
#include "server/store/merge.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNKS 64 /* a transaction */
#define ROWS   (64 * CHUNKS * CHUNK_ROWS)

static char folder[200];

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_archive: %s\n", what);
    exit(1);
}

static store *open_store(const char *name, store_mode mode)
{
    char url[256];
    buf why = {0};
    snprintf(url, sizeof url, "sqlite:%s/%s", folder, name);
    store *s = store_open(url, mode, &why);
    must(s != NULL, why.p);
    return s;
}

static FILE *open_file(const char *name, const char *mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, mode);
    must(f != NULL, "cannot open a file");
    return f;
}

static void fill(store *s, run_info *run)
{
    program p = {0};
    for (uint64_t first = 0; first < ROWS; first += CHUNKS * CHUNK_ROWS) {
        batch_part part = bench_part(&p, first, CHUNKS * CHUNK_ROWS);
        chunk *put[CHUNKS];
        for (size_t i = 0; i < CHUNKS; i++) put[i] = chunk_from_part(&part, i * CHUNK_ROWS, CHUNK_ROWS);
        run->last = part.time[part.rows - 1];
        run->next_seq = first + part.rows;
        store_change change = {.info = run, .put = put, .put_count = CHUNKS};
        must(store_write(s, &change, 1) == STORE_OK, store_error(s));
        for (size_t i = 0; i < CHUNKS; i++) chunk_free(put[i]);
        bench_part_free(&part);
    }
    for (bool more = true; more;) must(merge_run(s, &run->id, &more) == STORE_OK, store_error(s));
}

/* ns for a copy that is durable. */
static int64_t copy(const char *from, const char *to)
{
    static char piece[1 << 20];
    int64_t begun = clock_mono();
    FILE *in = open_file(from, "rb"), *out = open_file(to, "wb");
    for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0;) must(fwrite(piece, 1, n, out) == n, "cannot copy");
    must(fflush(out) == 0 && fsync(fileno(out)) == 0, "cannot copy");
    fclose(in);
    fclose(out);
    return clock_mono() - begun;
}

static double size_of(const char *name)
{
    char path[256];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(stat(path, &about) == 0, "a file is gone");
    return (double)about.st_size;
}

static void imported(void *ctx, const archive_imported *r)
{
    must(r->added == ROWS && r->rows == ROWS, "rows are missing");
    ++*(int *)ctx;
}

static double memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024 / 1e6;
}

static void tell(const char *what, int64_t ns, int64_t copying)
{
    printf("%s: rows x 8 columns\t%.2f\tM rows/s\tcopying the store's file: %.1f M rows/s, ratio %.2f\t-\n", what,
           ROWS * 1e3 / (double)ns, ROWS * 1e3 / (double)copying, (double)copying / (double)ns);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.100s/bench-XXXXXX", tmp ? tmp : "/tmp");
    must(mkdtemp(folder) != NULL, "cannot make a folder");
    store *from = open_store("from.db", STORE_WRITE);
    run_info *run = run_make();
    fill(from, run);
    store_close(from);
    int64_t copying = copy("from.db", "copy.db");
    double before = memory();

    buf why = {0};
    from = open_store("from.db", STORE_READ);
    FILE *file = open_file("file", "wb");
    archive_writer w;
    int64_t begun = clock_mono();
    archive_begin(&w, file);
    must(archive_export(from, &run->id, &w, &why) == STORE_OK, why.p);
    archive_end(&w);
    must(!w.failed && fsync(fileno(file)) == 0, "cannot write");
    tell("export", clock_mono() - begun, copying);
    fclose(file);
    store_close(from);
    printf("export: the file\t%.2f\tbytes/value\tthe store's file: %.2f\t-\n", size_of("file") / ROWS / COLUMNS,
           size_of("from.db") / ROWS / COLUMNS);

    int runs = 0;
    store *to = open_store("to.db", STORE_WRITE);
    file = open_file("file", "rb");
    begun = clock_mono();
    must(archive_check(file, &why), why.p);
    int64_t checked = clock_mono();
    rewind(file);
    must(archive_import(to, file, "file", imported, &runs, &why) && runs == 1, why.p);
    tell("import, durable", clock_mono() - checked, copying);
    printf("import: checking the file before\t%.2f\tM rows/s\t-\t-\n", ROWS * 1e3 / (double)(checked - begun));
    printf("export and import: more memory than before them\t%.1f\tMB\tthe rows as float64: %.0f MB\t<= 32\n",
           memory() - before, ROWS * (COLUMNS + 2) * 8 / 1e6);
    fclose(file);
    store_close(to);

    static const char *const names[] = {"from.db", "to.db", "copy.db", "file"};
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            char path[300];
            snprintf(path, sizeof path, "%s/%s%s", folder, names[i], ends[k]);
            unlink(path);
        }
    rmdir(folder);
    run_info_free(run);
    buf_free(&why);
    return 0;
}
