/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_import: moves the original's runs into chunks.

   The tables have no index by run, so all rows are read once, sorted by run and id. A row's id is its seq, and a run's rows
   are written in the order of their ids: so the next_seq that is stored with the run says where to go on. */
#include "store/postgres/import_original.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres/store_postgres_original.h"

#define CHUNKS_AT_ONCE 64 /* in a transaction */
#define ROWS_AT_ONCE   ((size_t)CHUNKS_AT_ONCE * CHUNK_ROWS)

typedef struct {
    pg_store *from, *to; /* reads the tables; writes chunks */
    import_progress progress;
    void (*tell)(void *ctx, const import_progress *p);
    void *ctx;
    buf *why;
    bool failed;
} import;

/* The first thing that fails ends the import, with its sentence. */
static bool succeeded(import *m, pg_store *s, store_status status)
{
    if (status != STORE_OK && !m->failed) {
        m->failed = true;
        buf_printf(m->why, "%s; what was moved so far is kept: run the import again to go on", store_error(&s->base));
    }
    return status == STORE_OK;
}

static bool ask(import *m, pg_store *s, const char *sql, PGresult **out)
{
    return succeeded(m, s, original_ask(s, sql, out));
}

/* Answers a number. */
static bool ask_number(import *m, pg_store *s, const char *sql, int64_t *out)
{
    PGresult *answer;
    if (!ask(m, s, sql, &answer)) return false;
    *out = pg_int8(answer, 0, 0);
    PQclear(answer);
    return true;
}

/* ---- beginning ---- */

/* Ids are given before rows are committed. Who writes holds a lock that this one waits for; so afterwards no row can
   appear with an id below those that are there. */
static bool settle(import *m)
{
    PGresult *answer;
    if (!ask(m, m->to, "SELECT has_table_privilege('public.tracing_row', 'UPDATE, DELETE, TRUNCATE')", &answer))
        return false;
    bool allowed = pg_bool(answer, 0, 0);
    PQclear(answer);
    if (!allowed)
        log_line(LOG_WARN, "the right to lock public.tracing_row is missing: stop the original's server, or rows "
                           "that it is just writing are overlooked");
    return !allowed ||
           (ask(m, m->to, "BEGIN", NULL) && ask(m, m->to, "LOCK TABLE public.tracing_row IN SHARE MODE", NULL) &&
            ask(m, m->to, "COMMIT", NULL));
}

static int by_text(const void *a, const void *b)
{
    const original_run *x = a, *y = b;
    return strcmp(x->text, y->text);
}

static bool count_what_is_to_do(import *m)
{
    const original *o = m->from->original;
    int64_t orphans = 0;
    qsort(o->runs, o->count, sizeof *o->runs, by_text);
    for (size_t i = 0; i < o->count; i++) {
        m->progress.runs += !o->runs[i].elsewhere;
        m->progress.elsewhere += o->runs[i].elsewhere;
        m->progress.rows += o->runs[i].elsewhere ? 0 : o->runs[i].info->rows;
    }
    bool good = ask_number(m, m->from,
                           "SELECT count(*) FROM public.tracing_row WHERE uuid IS NULL OR uuid NOT IN"
                           " (SELECT uuid FROM public.tracing_run)",
                           &orphans);
    m->progress.orphans = (uint64_t)orphans;
    return good;
}

static bool begin(import *m)
{
    pg_store *from = m->from;
    if (!succeeded(m, m->to, pg_connect(m->to)) || !succeeded(m, from, pg_connect(from))) return false;
    if (!ask(m, from,
             "SELECT set_config('statement_timeout', '0', false), set_config('enable_hashjoin', 'on', false),"
             " set_config('enable_seqscan', 'on', false)",
             NULL))
        return false;
    if (!succeeded(m, from, original_refresh(from))) return false;
    if (!from->original->zone) {
        m->failed = true;
        buf_text(m->why,
                 "the database has no tables public.tracing_run and public.tracing_row of the original that this "
                 "user may read");
        return false;
    }
    return settle(m) && succeeded(m, from, pg_read_begin(from)) && succeeded(m, from, original_refresh(from)) &&
           count_what_is_to_do(m);
}

/* ---- moving ---- */

/* Before the first row: so that nobody takes the run in chunks for one that mnemic got from its program, nor for whole. */
static bool mark_begun(import *m, const original_run *run)
{
    pg_put_uuid(&m->to->params, &run->info->id);
    return ask(m, m->to,
               "INSERT INTO mnemic.original (run, next_id, moved) VALUES ($1, 0, false)"
               " ON CONFLICT (run) DO UPDATE SET moved = false",
               NULL);
}

/* From now on it is served from chunks. */
static bool mark_moved(import *m, const original_run *run, uint64_t next)
{
    pg_put_uuid(&m->to->params, &run->info->id);
    pg_put_int8(&m->to->params, (int64_t)next);
    return ask(m, m->to, "UPDATE mnemic.original SET next_id = $2, moved = true WHERE run = $1", NULL);
}

/* Writes what was gathered of a run; without rows, its description. */
static bool write_rows(import *m, const original_run *run, original_rows *rows)
{
    const batch_part *p = &rows->part;
    chunk *chunks[CHUNKS_AT_ONCE];
    size_t count = 0;
    for (size_t from = 0; from < p->rows; from += CHUNK_ROWS)
        chunks[count++] = chunk_from_part(p, from, p->rows - from < CHUNK_ROWS ? p->rows - from : CHUNK_ROWS);
    if (p->rows > 0) run->info->next_seq = p->seq[p->rows - 1] + 1;
    store_change change = {.info = run->info, .put = chunks, .put_count = count};
    bool good = succeeded(m, m->to, store_write(&m->to->base, &change, 1));
    for (size_t i = 0; i < count; i++) chunk_free(chunks[i]);
    m->progress.moved += p->rows;
    rows->part.rows = 0;
    m->tell(m->ctx, &m->progress);
    return good;
}

/* ---- checking ---- */

typedef struct {
    import *m;
    const original_run *run;
    uint64_t rows; /* that are the same here and there */
    const char *wrong;
} check;

static bool same_row(const chunk *c, size_t i, const batch_part *p, size_t k)
{
    if (c->seq[i] != p->seq[k] || c->time[i] != p->time[k] || c->columns != p->columns) return false;
    for (size_t col = 0; col < c->columns; col++) {
        double moved = c->values[col][i], given = p->values[k * p->columns + col];
        if (moved != given && !(isnan(moved) && isnan(given))) return false;
    }
    return true;
}

/* Both are in order of (time, seq); between the original's rows there may be some of other chunks. */
static void compare(check *k, const chunk *c, const batch_part *rows)
{
    size_t at = 0;
    uint64_t from = k->run->next > 0 ? (uint64_t)k->run->next : 0;
    for (size_t i = 0; i < c->rows && !k->wrong; i++) {
        if (c->seq[i] < from) continue;
        while (at < rows->rows && rows->seq[at] != c->seq[i]) at++;
        if (at == rows->rows || !same_row(c, i, rows, at)) k->wrong = "a row that differs from the original's";
        k->rows++;
    }
}

/* The original's rows that a chunk should hold, and perhaps more. */
static bool read_rows(import *m, const original_run *run, const chunk_key *key, original_rows *out)
{
    pg_params *with = &m->from->params;
    PGresult *answer;
    pg_put_text(with, run->text);
    pg_put_text(with, m->from->original->zone);
    pg_put_int8(with, (int64_t)key->first_seq);
    pg_put_int8(with, (int64_t)key->last_seq);
    if (!ask(m, m->from,
             "SELECT id::bigint, " ORIGINAL_TIME(
                 "date_time", "$2") ", row_data FROM public.tracing_row"
                                    " WHERE uuid = $1 AND id BETWEEN $3::bigint AND $4::bigint ORDER BY 2, 1",
             &answer))
        return false;
    for (int i = 0; i < PQntuples(answer); i++) original_rows_add(out, answer, i);
    PQclear(answer);
    return true;
}

static bool check_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns;
    check *k = ctx;
    import *m = k->m;
    if (k->run->next > 0 && key->last_seq < (uint64_t)k->run->next) return true;
    chunk *c;
    if (!succeeded(m, m->to, store_chunk(&m->to->base, &k->run->info->id, key, NULL, 0, &c))) return false;
    original_rows rows = {.part.columns = count};
    bool good = read_rows(m, k->run, key, &rows);
    if (good) compare(k, c, &rows.part);
    original_rows_free(&rows);
    chunk_free(c);
    return good && !k->wrong;
}

/* How many rows the original has that no import before this one, or one that was ended, has brought to its end. */
static bool count_rows(import *m, const original_run *run, uint64_t *out)
{
    *out = run->info->rows;
    if (run->next <= 0) return true;
    int64_t rows = 0;
    pg_put_text(&m->from->params, run->text);
    pg_put_int8(&m->from->params, run->next);
    bool good =
        ask_number(m, m->from, "SELECT count(*) FROM public.tracing_row WHERE uuid = $1 AND id >= $2::bigint", &rows);
    *out = (uint64_t)rows;
    return good;
}

static bool check_run(import *m, const original_run *run)
{
    check k = {.m = m, .run = run};
    uint64_t rows;
    if (!count_rows(m, run, &rows)) return false;
    store_status status = store_entries(&m->to->base, &run->info->id, 0, INT64_MIN, INT64_MAX, check_entry, &k);
    if (m->failed || !succeeded(m, m->to, status)) return false;
    if (!k.wrong && k.rows != rows) k.wrong = "another number of rows than the original has";
    if (k.wrong) {
        m->failed = true;
        buf_printf(m->why,
                   "the run %s has, in chunks, %s; it is still served from the original's tables. Is a server with"
                   " --retain running?",
                   run->text, k.wrong);
    }
    m->progress.checked += k.rows;
    return !k.wrong;
}

/* ---- run by run ---- */

static bool begin_run(import *m, const original_run *run, original_rows *rows)
{
    rows->part.columns = run->info->column_count;
    if (run->stored > 0) run->info->next_seq = (uint64_t)run->stored;
    return mark_begun(m, run) && write_rows(m, run, rows);
}

static bool end_run(import *m, const original_run *run, original_rows *rows)
{
    bool good = (rows->part.rows == 0 || write_rows(m, run, rows)) && check_run(m, run) &&
                mark_moved(m, run, run->info->next_seq);
    original_rows_free(rows);
    m->tell(m->ctx, &m->progress);
    return good;
}

/* All rows that are not yet in chunks: run by run, in the order of `runs`. */
static const char declare_rows[] =
    "DECLARE original_rows NO SCROLL CURSOR FOR SELECT r.uuid, t.id::bigint, " ORIGINAL_TIME(
        "t.date_time",
        "$1") ", t.row_data FROM public.tracing_run AS r JOIN public.tracing_row AS t USING (uuid)"
              " LEFT JOIN mnemic.run AS m ON m.run = " ORIGINAL_UUID(
                  "r.uuid") " LEFT JOIN mnemic.original AS o ON o.run = m.run"
                            " WHERE t.id >= greatest(m.next_seq, o.next_id, 0) ORDER BY r.uuid COLLATE \"C\", t.id";

/* The rows of the tables, one by one. */
typedef struct {
    import *m;
    PGresult *piece;
    int row;
} reader;

/* The text of the run of the next row; NULL: there is none, or reading failed. */
static const char *next_row(reader *r)
{
    if (r->piece && ++r->row < PQntuples(r->piece)) return PQgetvalue(r->piece, r->row, 0);
    PQclear(r->piece);
    r->piece = NULL;
    r->row = 0;
    if (!ask(r->m, r->m->from, "FETCH 4096 FROM original_rows", &r->piece)) return NULL;
    return PQntuples(r->piece) > 0 ? PQgetvalue(r->piece, 0, 0) : NULL;
}

/* Moves the rows from where `r` stands, as far as they are of this run. */
static bool move_run(reader *r, const original_run *run, const char **text)
{
    import *m = r->m;
    bool mine = *text && strcmp(*text, run->text) == 0;
    bool wanted = !run->elsewhere && (mine || !run->moved);
    original_rows rows = {0};
    bool good = !wanted || begin_run(m, run, &rows);
    for (; good && mine; mine = *text && strcmp(*text, run->text) == 0) {
        if (wanted) original_rows_add(&rows, r->piece, r->row);
        if (rows.part.rows == ROWS_AT_ONCE) good = write_rows(m, run, &rows);
        *text = next_row(r);
    }
    if (good && !m->failed && wanted) return end_run(m, run, &rows);
    original_rows_free(&rows);
    return good && !m->failed;
}

static bool move_runs(import *m)
{
    pg_put_text(&m->from->params, m->from->original->zone);
    if (!ask(m, m->from, declare_rows, NULL)) return false;
    const original *o = m->from->original;
    reader r = {.m = m};
    const char *text = next_row(&r);
    bool good = !m->failed;
    for (size_t i = 0; good && i < o->count; i++) good = move_run(&r, &o->runs[i], &text);
    PQclear(r.piece);
    return good;
}

/* ---- dropping ---- */

static const char still_there[] =
    "SELECT (SELECT count(*) FROM public.tracing_row AS t LEFT JOIN public.tracing_run AS r USING (uuid)"
    " LEFT JOIN mnemic.original AS o ON o.run = " ORIGINAL_UUID(
        "r.uuid") " WHERE o.run IS NULL OR NOT o.moved OR t.id >= o.next_id) +"
                  " (SELECT count(*) FROM public.tracing_run AS r LEFT JOIN mnemic.original AS o ON o.run "
                  "= " ORIGINAL_UUID("r.uuid") " WHERE o.run IS NULL OR NOT o.moved)";

/* In their place, as they are in a database where the tables never were, so that the original's readers go on. */
static bool make_views(import *m)
{
    PGresult *answer;
    if (!ask(m, m->to, "SELECT has_schema_privilege('public', 'CREATE')", &answer)) return false;
    bool allowed = pg_bool(answer, 0, 0);
    PQclear(answer);
    return !allowed || (ask(m, m->to, "CREATE VIEW public.tracing_run AS SELECT * FROM mnemic.tracing_run", NULL) &&
                        ask(m, m->to, "CREATE VIEW public.tracing_row AS SELECT * FROM mnemic.tracing_row", NULL));
}

/* Only if, with the tables locked, nothing is in them that is not in chunks. */
static bool drop_tables(import *m)
{
    pg_store *s = m->to;
    int64_t left = 0;
    pg_read_end(m->from); /* which holds a lock on them */
    bool good = ask(m, s, "BEGIN", NULL) &&
                ask(m, s, "LOCK TABLE public.tracing_run, public.tracing_row IN ACCESS EXCLUSIVE MODE", NULL) &&
                ask_number(m, s, still_there, &left);
    if (good && left == 0) {
        good = ask(m, s, "DROP TABLE public.tracing_row, public.tracing_run", NULL) &&
               ask(m, s, "DELETE FROM mnemic.original", NULL) && make_views(m) && ask(m, s, "COMMIT", NULL);
        m->progress.dropped = good;
    } else if (good) {
        m->failed = true;
        buf_printf(m->why,
                   "the original's tables are kept: they hold %" PRId64 " rows and runs that are not in chunks "
                   "(new ones, or rows without a run)",
                   left);
        ask(m, s, "ROLLBACK", NULL);
    }
    return good && left == 0;
}

/* ---- the whole ---- */

static void run_import(import *m, bool drop)
{
    bool good = begin(m) && move_runs(m) && (!drop || drop_tables(m));
    if (good) m->tell(m->ctx, &m->progress);
}

bool import_original(const char *store_url, bool drop, void (*tell)(void *ctx, const import_progress *p), void *ctx,
                     buf *why)
{
import m = {.tell = tell, .ctx = ctx, .why = why };
    if (strcmp(store_name(store_url), "postgresql") != 0) {
        buf_text(why, "the original's tables lie in a PostgreSQL database: name it by --store postgresql://…");
        return false;
    }
    m.to = (pg_store *)store_open(store_url, STORE_WRITE, why);
    m.from = m.to ? (pg_store *)store_open(store_url, STORE_READ, why) : NULL;
    if (m.from) run_import(&m, drop);
    bool good = m.from && !m.failed;
    if (m.from && m.from->reading > 0) pg_read_end(m.from);
    if (m.from) store_close(&m.from->base);
    if (m.to) store_close(&m.to->base);
    return good;
}
