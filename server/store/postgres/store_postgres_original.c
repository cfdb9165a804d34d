/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_original: which runs the original's tables hold, and how many rows of each. */
#include "store/postgres/store_postgres_original.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runs/runs_columns.h"

/* A row gets its id before it is committed: so near the newest ids, some may still come. They are counted anew each time. */
#define UNSETTLED_IDS 10000

struct original_count {
    uint64_t settled, recent; /* rows */
    int64_t last;             /* time of the newest */
};

/* Tables of these names without these columns are another's. */
static const char are_there[] =
    "SELECT (SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
    " WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT')"
    " AND (c.oid = to_regclass('public.tracing_run')"
    " AND a.attname IN ('id', 'uuid', 'app_name', 'column_names', 'creation_time')"
    " OR c.oid = to_regclass('public.tracing_row') AND a.attname IN ('id', 'uuid', 'row_data', 'date_time'))) = 9,"
    " (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')";

static const char highest_id[] = "SELECT coalesce(max(id), 0)::bigint FROM public.tracing_row";

static const char count_rows[] = "SELECT " ORIGINAL_UUID(
    "uuid") ", settled, rows, last FROM (SELECT uuid, count(*) AS rows,"
            " count(*) FILTER (WHERE id <= $2::bigint) AS settled, max(" ORIGINAL_TIME(
                "date_time",
                "$3") ") AS last"
                      " FROM public.tracing_row WHERE id > $1::bigint AND uuid IS NOT NULL GROUP BY uuid) AS new";

static const char list_runs[] =
    "SELECT run, r.uuid, r.app_name, r.column_names, r.started, coalesce(m.next_seq, -1), coalesce(o.next_id, -1),"
    " coalesce(o.moved, false) FROM (SELECT *, " ORIGINAL_UUID("uuid") " AS run, " ORIGINAL_TIME(
        "creation_time", "$1") " AS started FROM public.tracing_run) AS r LEFT JOIN mnemic.run AS m USING (run)"
                               " LEFT JOIN mnemic.original AS o USING (run) ORDER BY started DESC, r.id DESC";

store_status original_ask(pg_store *s, const char *sql, PGresult **out)
{
    size_t at = pg_ask_text(s, sql);
    store_status status = pg_flush(s);
    if (out) *out = status == STORE_OK ? pg_take(s, at) : NULL;
    return status;
}

/* ---- counting ---- */

static struct original_count *count_of(original *o, const uuid *id)
{
    size_t *at = id_map_at(&o->counts, id);
    if (*at == 0) {
        o->counted = mem_resize(o->counted, o->counted_count + 1, sizeof *o->counted);
        o->counted[o->counted_count] = (struct original_count){.last = INT64_MIN};
        *at = ++o->counted_count;
    }
    return &o->counted[*at - 1];
}

static void take_counts(original *o, const PGresult *answer)
{
    for (size_t i = 0; i < o->counted_count; i++) o->counted[i].recent = 0;
    for (int i = 0; i < PQntuples(answer); i++) {
        uuid id = pg_uuid(answer, i, 0);
        struct original_count *c = count_of(o, &id);
        uint64_t settled = (uint64_t)pg_int8(answer, i, 1);
        c->settled += settled;
        c->recent = (uint64_t)pg_int8(answer, i, 2) - settled;
        int64_t last = pg_int8(answer, i, 3);
        if (last > c->last) c->last = last;
    }
}

static store_status refresh_counts(pg_store *s, original *o)
{
    PGresult *answer;
    store_status status = original_ask(s, highest_id, &answer);
    if (status != STORE_OK) return status;
    int64_t settled = pg_int8(answer, 0, 0) - UNSETTLED_IDS;
    PQclear(answer);
    if (settled < o->settled) settled = o->settled;
    pg_put_int8(&s->params, o->settled);
    pg_put_int8(&s->params, settled);
    pg_put_text(&s->params, o->zone);
    status = original_ask(s, count_rows, &answer);
    if (status != STORE_OK) return status;
    take_counts(o, answer);
    o->settled = settled;
    PQclear(answer);
    return STORE_OK;
}

/* ---- runs ---- */

static void free_runs(original *o)
{
    for (size_t i = 0; i < o->count; i++) {
        run_info_free(o->runs[i].info);
        free(o->runs[i].text);
    }
    free(o->runs);
    o->runs = NULL;
    o->count = 0;
}

void original_free(original *o)
{
    free_runs(o);
    free(o->zone);
    id_map_free(&o->counts);
    free(o->counted);
    free(o->outline.keys);
    free(o->outline.summaries);
    *o = (original){0};
}

/* Made presentable as those of an announcement are. */
static void read_columns(run_info *r, const PGresult *answer, int row, int field)
{
    pg_array names = pg_array_of(answer, row, field, PG_TEXT);
    size_t count = names.count < MAX_COLUMNS ? names.count : MAX_COLUMNS;
    record_column *columns = mem_calloc(count, sizeof *columns);
    for (size_t i = 0; i < count; i++) columns[i].name = pg_next(&names);
    columns_changes changes;
    r->columns = columns_make(columns, count, 0, hash_new_key(), &changes);
    r->column_count = count;
    free(columns);
}

/* The original knows no goodbye: its runs are live until they are silent. */
static run_info *read_run(original *o, const PGresult *answer, int row)
{
    run_info *r = mem_calloc(1, sizeof *r);
    r->id = pg_uuid(answer, row, 0);
    char *app = pg_text(answer, row, 2);
    r->app = span_clean(span_of(app), MAX_NAME_BYTES, NULL);
    free(app);
    read_columns(r, answer, row, 3);
    char **const texts[] = {&r->host, &r->build, &r->args, &r->place, &r->note, &r->user_tags};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) *texts[i] = mem_strdup("");
    r->started = r->last = r->seen = pg_int8(answer, row, 4);
    const struct original_count *c = count_of(o, &r->id);
    r->rows = c->settled + c->recent;
    if (c->last > r->last) r->last = r->seen = c->last;
    return r;
}

static void take_runs(original *o, const PGresult *answer)
{
    free_runs(o);
    int count = PQntuples(answer);
    o->runs = mem_calloc((size_t)count, sizeof *o->runs);
    for (int i = 0; i < count; i++) {
        original_run *run = &o->runs[o->count];
        run->info = read_run(o, answer, i);
        run->text = pg_text(answer, i, 1);
        run->stored = pg_int8(answer, i, 5);
        run->next = pg_int8(answer, i, 6);
        run->moved = pg_bool(answer, i, 7);
        run->elsewhere = run->stored != -1 && (run->next == -1 || (run->moved && run->stored != run->next));
        o->count++;
    }
}

/* Whether they are there; with it, the zone. */
static store_status look_for_tables(pg_store *s, bool *there)
{
    PGresult *answer;
    store_status status = original_ask(s, are_there, &answer);
    if (status != STORE_OK) return status;
    *there = pg_bool(answer, 0, 0);
    free(s->original->zone);
    s->original->zone = pg_text(answer, 0, 1);
    PQclear(answer);
    return STORE_OK;
}

store_status original_refresh(pg_store *s)
{
    original *o = s->original;
    if (s->mode == STORE_WRITE) return STORE_OK;
    bool there;
    store_status status = look_for_tables(s, &there);
    if (status != STORE_OK) return status;
    if (!there) {
        original_free(o);
        return STORE_OK;
    }
    status = refresh_counts(s, o);
    if (status != STORE_OK) return status;
    PGresult *answer;
    pg_put_text(&s->params, o->zone);
    status = original_ask(s, list_runs, &answer);
    if (status != STORE_OK) return status;
    take_runs(o, answer);
    PQclear(answer);
    return STORE_OK;
}

const original_run *original_find(pg_store *s, const uuid *id)
{
    const original *o = s->original;
    for (size_t i = 0; i < o->count; i++) {
        const original_run *run = &o->runs[i];
        if (uuid_eq(&run->info->id, id)) return run->moved || run->elsewhere ? NULL : run;
    }
    return NULL;
}
