/* SPDX-License-Identifier: MIT OR Unlicense
   bench_postgres: what PostgreSQL costs: rows/s and CPU through mnemic's writer until they are durable, beside the Python
   original's way (an INSERT and a commit for each row) and COPY BINARY of plain rows; bytes per value; a long run's
   overview. MNEMIC_TEST_STORE is the server, with fsync on; see run.sh. CPU is this process's and the server's. */
#include "rows.h"

#include "server/store/merge.h"
#include "server/query/query.h"
#include "server/store/writer.h"

#include <endian.h>
#include <libpq-fe.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITER_ROWS (2048 * 1024)
#define COPY_ROWS   (512 * 1024)
#define COPY_BATCH  (64 * 1024) /* rows in a COPY and transaction                        */
#define INSERT_ROWS 2000
#define LONG_ROWS   (10 * 1000 * 1000)
#define PART_ROWS   (8 * CHUNK_ROWS)  /* in a batch for the writer                      */
#define WRITE_ROWS  (64 * CHUNK_ROWS) /* in a transaction, without the writer           */
#define POINTS      1200

static const char *url;
static PGconn *server;

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_postgres: %s\n", what);
    exit(1);
}

static PGresult *ask(const char *sql)
{
    PGresult *r = PQexec(server, sql);
    ExecStatusType status = PQresultStatus(r);
    must(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN, PQerrorMessage(server));
    return r;
}

static void tell(const char *sql)
{
    PQclear(ask(sql));
}

static double number(const char *sql)
{
    PGresult *r = ask(sql);
    double v = strtod(PQgetvalue(r, 0, 0), NULL);
    PQclear(r);
    return v;
}

/* ---- clocks ---- */

typedef struct {
    double wall, own, server; /* s */
} moment;

/* User and system time of a process, in clock ticks: fields 14 and 15 of proc(5)'s stat. */
static double cpu_ticks(int pid)
{
    char name[64], text[1024];
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *f = fopen(name, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *p = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (p) sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system);
}

/* Of every process of the server that is there. */
static double server_cpu(void)
{
    PGresult *r = ask("SELECT pid FROM pg_stat_activity");
    double ticks = 0;
    for (int i = 0; i < PQntuples(r); i++) ticks += cpu_ticks(atoi(PQgetvalue(r, i, 0)));
    PQclear(r);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static moment now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (moment){(double)clock_mono() / 1e9, (double)t.tv_sec + (double)t.tv_nsec / 1e9, server_cpu()};
}

static moment since(moment begun)
{
    moment n = now();
    return (moment){n.wall - begun.wall, n.own - begun.own, n.server - begun.server};
}

/* ---- mnemic's writer ---- */

static batch *make_batch(const run_info *run, program *p, uint64_t first)
{
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_calloc(1, sizeof *b->parts);
    b->count = 1;
    b->parts[0] = bench_part(p, first, PART_ROWS);
    b->parts[0].info = run_info_copy(run);
    b->parts[0].info->acked = true;
    b->parts[0].info->next_seq = first + PART_ROWS;
    b->bytes = PART_ROWS * (COLUMNS + 2) * 8;
    return b;
}

static void wait_for_rows(const writer_stats *stats, uint64_t rows, size_t waiting)
{
    while (stats->rows_stored < rows && stats->waiting_bytes > waiting)
        nanosleep(&(struct timespec){0, 200000}, NULL);
}

/* Rows are made as they are needed; what that takes is measured before, and taken off. */
static moment through_writer(void)
{
    program p = {0};
    moment begun = now();
    for (uint64_t first = 0; first < WRITER_ROWS; first += PART_ROWS) {
        batch_part part = bench_part(&p, first, PART_ROWS);
        bench_part_free(&part);
    }
    moment making = since(begun);
    buf why = {0};
    writer_desc desc = {.store_url = url};
    writer *w = writer_start(&desc, &why);
    must(w != NULL, why.p);
    run_info *run = run_make();
    const writer_stats *stats = writer_counters(w);
    begun = now();
    for (uint64_t first = 0; first < WRITER_ROWS; first += PART_ROWS) {
        writer_put(w, make_batch(run, &p, first));
        wait_for_rows(stats, WRITER_ROWS, 64u << 20);
    }
    wait_for_rows(stats, WRITER_ROWS, 0);
    moment taken = since(begun);
    must(stats->rows_stored == WRITER_ROWS, "the writer did not store all rows");
    taken.own -= making.own;
    run_info_free(run);
    writer_stop(w, 30);
    writer_free(w);
    return taken;
}

/* ---- plain rows ---- */

static char *put_be(char *p, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) *p++ = (char)(v >> 8 * i);
    return p;
}

static char *put_field(char *p, uint64_t v, int bytes)
{
    return put_be(put_be(p, (uint64_t)bytes, 4), v, bytes);
}

/* A row in COPY's binary format: uuid, float8[], timestamp. */
static char *put_row(char *p, const double *v, int64_t time)
{
    p = put_be(p, 3, 2);
    p = put_be(put_be(put_be(p, 16, 4), 1, 8), 2, 8);
    p = put_be(p, 20 + COLUMNS * 12, 4);
    p = put_be(put_be(put_be(p, 1, 4), 0, 4), 701, 4);
    p = put_be(put_be(p, COLUMNS, 4), 1, 4);
    for (int i = 0; i < COLUMNS; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        p = put_field(p, bits, 8);
    }
    return put_field(p, (uint64_t)(time / 1000 - INT64_C(946684800000000)), 8);
}

/* Into `table`, which has the columns uuid, row_data, date_time. */
static moment by_copy(const char *table)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
    char copy[80];
    snprintf(copy, sizeof copy, "COPY %s FROM STDIN (FORMAT binary)", table);
    program p = {0};
    char *bytes = mem_alloc(COPY_BATCH * 256 + 64);
    moment sum = {0};
    for (uint64_t first = 0; first < COPY_ROWS; first += COPY_BATCH) {
        batch_part part = bench_part(&p, first, COPY_BATCH);
        moment begun = now();
        tell(copy);
        memcpy(bytes, header, 19);
        char *end = bytes + 19;
        for (size_t i = 0; i < COPY_BATCH; i++) end = put_row(end, part.values + i * COLUMNS, part.time[i]);
        end = put_be(end, 0xffff, 2);
        must(PQputCopyData(server, bytes, (int)(end - bytes)) == 1 && PQputCopyEnd(server, NULL) == 1,
             PQerrorMessage(server));
        for (PGresult *r; (r = PQgetResult(server));) {
            must(PQresultStatus(r) == PGRES_COMMAND_OK, PQerrorMessage(server));
            PQclear(r);
        }
        moment taken = since(begun);
        sum.wall += taken.wall, sum.own += taken.own, sum.server += taken.server;
        bench_part_free(&part);
    }
    free(bytes);
    return sum;
}

/* As psycopg2 does it for the original: a statement's text with the values in it, and each row a transaction. */
static moment by_insert(void)
{
    program p = {0};
    batch_part part = bench_part(&p, 0, INSERT_ROWS);
    moment begun = now();
    for (size_t i = 0; i < INSERT_ROWS; i++) {
        buf sql = {0};
        buf_text(&sql, "INSERT INTO plain VALUES ('1e7c356f-16b3-485c-a4f0-06872919285e', ARRAY[");
        for (int c = 0; c < COLUMNS; c++) {
            buf_text(&sql, c ? ", " : "");
            buf_double(&sql, part.values[i * COLUMNS + (size_t)c]);
        }
        buf_text(&sql, "]::float8[], now())");
        buf_append(&sql, "", 1);
        tell(sql.p);
        buf_free(&sql);
    }
    moment taken = since(begun);
    bench_part_free(&part);
    return taken;
}

static double row_us(moment m, double rows)
{
    return (m.own + m.server) / rows * 1e6;
}

/* Plain rows with the index without which no run's rows are found, and without it. */
static void rows_to_durable(void)
{
    tell("CREATE TABLE heap (uuid uuid, row_data float8[], date_time timestamp)");
    tell("CREATE TABLE plain (LIKE heap)");
    tell("CREATE INDEX ON plain (uuid, date_time)");
    moment through = through_writer(), heap = by_copy("heap"), copy = by_copy("plain"), insert = by_insert();
    double rate = WRITER_ROWS / through.wall, copied = COPY_ROWS / copy.wall, heaped = COPY_ROWS / heap.wall;
    double inserted = INSERT_ROWS / insert.wall;
    printf("postgresql: rows x %d columns through the writer, durable\t%.0f\tk rows/s\tCOPY BINARY of plain rows, "
           "with an "
           "index on (uuid, date_time): %.0f k rows/s, ratio %.1f\t>= 2 x\n",
           COLUMNS, rate / 1e3, copied / 1e3, rate / copied);
    printf("postgresql: the same\t%.0f\tk rows/s\tCOPY BINARY of plain rows, with no index: %.0f k rows/s, ratio "
           "%.1f\t-\n",
           rate / 1e3, heaped / 1e3, rate / heaped);
    printf("postgresql: the same\t%.0f\tk rows/s\tan INSERT for each row: %.2f k rows/s, ratio %.0f\t>= 300 x\n",
           rate / 1e3, inserted / 1e3, rate / inserted);
    printf("postgresql: a row through the writer\t%.2f\tus CPU (%.2f of it the server's)\tCOPY: %.2f, with no index "
           "%.2f; "
           "INSERT: %.0f\t-\n",
           row_us(through, WRITER_ROWS), through.server / WRITER_ROWS * 1e6, row_us(copy, COPY_ROWS),
           row_us(heap, COPY_ROWS), row_us(insert, INSERT_ROWS));
    printf("postgresql: a plain row, the table and its index\t%.1f\tbytes/value\t-\t-\n",
           number("SELECT pg_total_relation_size('plain')") / ((COPY_ROWS + INSERT_ROWS) * (double)COLUMNS));
}

/* ---- a long run ---- */

static run_info *write_long_run(store *s)
{
    run_info *run = run_make();
    program p = {0};
    for (uint64_t first = 0; first < LONG_ROWS; first += WRITE_ROWS) {
        must(bench_write(s, run, &p, WRITE_ROWS) == STORE_OK, store_error(s));
        for (bool more = true; more;) must(merge_run(s, &run->id, &more) == STORE_OK, store_error(s));
    }
    return run;
}

static double series_ms(store *s, const run_info *run, int64_t from, int64_t to, uint64_t *rows)
{
    double best = INFINITY;
    for (int i = 0; i < 7; i++) {
        series_request request = {.from = from, .to = to, .points = POINTS};
        series out;
        int64_t begun = clock_mono();
        must(query_series(s, run, &request, &out) == STORE_OK, store_error(s));
        best = fmin(best, (double)(clock_mono() - begun) / 1e6);
        *rows = 0;
        for (size_t p = 0; p < out.points; p++) *rows += out.rows[p];
        series_free(&out);
    }
    return best;
}

static void long_run(void)
{
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    must(s != NULL, why.p);
    tell("TRUNCATE mnemic.chunk, mnemic.run, mnemic.event");
    run_info *run = write_long_run(s);
    tell("VACUUM mnemic.chunk");
    uint64_t rows, some;
    double whole = series_ms(s, run, START, run->last, &rows);
    must(rows == run->next_seq, "an overview lacks rows");
    int64_t middle = START + (run->last - START) / 2;
    double part = series_ms(s, run, middle, middle + (int64_t)(CHUNK_ROWS * (POINTS / 2) * 98 / 100) * TICK, &some);
    printf("postgresql: %d points of %.1f M rows x %d columns\t%.1f\tms\t%.1f ms of %llu rows that are all "
           "decoded\t<= 60 ms\n",
           POINTS, (double)run->next_seq / 1e6, COLUMNS, whole, part, (unsigned long long)some);
    printf("postgresql: realistic rows x %d columns, tables and indices\t%.2f\tbytes/value\t8 as float64\t<= 3.5\n",
           COLUMNS,
           number("SELECT sum(pg_total_relation_size(c)) FROM unnest(ARRAY['mnemic.chunk', 'mnemic.run',"
                  " 'mnemic.event']::regclass[]) c") /
               ((double)run->next_seq * COLUMNS));
    run_info_free(run);
    store_close(s);
}

int main(void)
{
    url = getenv("MNEMIC_TEST_STORE");
    must(url != NULL, "MNEMIC_TEST_STORE is not set; use tests/postgres.sh run");
    server = PQconnectdb(url);
    must(PQstatus(server) == CONNECTION_OK, PQerrorMessage(server));
    rows_to_durable();
    long_run();
    PQfinish(server);
    return 0;
}
