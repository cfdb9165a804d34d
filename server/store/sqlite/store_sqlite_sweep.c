/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite_sweep: store_sweep(), one transaction.

   Runs are looked at in the order of their short names, RUNS_AT_ONCE of them in a call, from where the last call stopped;
   when all have been, the round is over and the next call begins another. So a call is short, however many runs there are. */
#include "store/sqlite/store_sqlite.h"

#define RUNS_AT_ONCE  1024
#define PAGES_AT_ONCE 256
#define PAGES_KEPT    256 /* free pages are left for rows to come: so many, and a 16th of the file */

/* A call of store_sweep(). */
typedef struct {
    sqlite_store *s;
    int64_t deleted, rows; /* its arguments                */
    size_t left;           /* entries that may be removed yet */
    store_swept *out;
} sweep;

/* What is to go of a run. */
typedef struct {
    int64_t run;
    int64_t until; /* what ends then or before             */
    bool empty;    /* and the run itself, if nothing is left */
} task;

/* ---- one run ---- */

static store_status remove_chunks(sweep *w, const task *t)
{
    chunk_key keys[STORE_SWEEP];
    size_t count = 0;
    sqlite3_stmt *st = w->s->sql[SQL_OLD_CHUNKS];
    sqlite3_bind_int64(st, 1, t->run);
    sqlite3_bind_int64(st, 2, t->until);
    sqlite3_bind_int64(st, 3, (int64_t)w->left);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        chunk_key *k = &keys[count++];
        *k = (chunk_key){.first_time = sqlite3_column_int64(st, 0), .last_time = sqlite3_column_int64(st, 2)};
        k->first_seq = (uint64_t)sqlite3_column_int64(st, 1);
        k->last_seq = (uint64_t)sqlite3_column_int64(st, 3);
        k->rows = (uint64_t)sqlite3_column_int64(st, 4);
        w->out->rows += k->rows;
    }
    store_status status = sql_end(w->s, st, rc);
    w->left -= count;
    return status == STORE_OK && count > 0 ? sql_remove_rows(w->s, t->run, keys, count) : status;
}

static store_status remove_event(sweep *w, int64_t run, int64_t time, int64_t kind, int64_t seq)
{
    sqlite3_stmt *st = w->s->sql[SQL_EVENT_DROP];
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, time);
    sqlite3_bind_int64(st, 3, kind);
    sqlite3_bind_int64(st, 4, seq);
    return sql_run(w->s, st);
}

static store_status remove_events(sweep *w, const task *t)
{
    int64_t keys[STORE_SWEEP][3];
    size_t count = 0;
    sqlite3_stmt *st = w->s->sql[SQL_OLD_EVENTS];
    sqlite3_bind_int64(st, 1, t->run);
    sqlite3_bind_int64(st, 2, t->until);
    sqlite3_bind_int64(st, 3, (int64_t)w->left);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < 3; i++) keys[count][i] = sqlite3_column_int64(st, i);
        count++;
    }
    store_status status = sql_end(w->s, st, rc);
    w->left -= count;
    for (size_t i = 0; status == STORE_OK && i < count; i++)
        status = remove_event(w, t->run, keys[i][0], keys[i][1], keys[i][2]);
    return status;
}

static store_status ask(sqlite_store *s, sql_id id, int64_t run, int64_t *out)
{
    sqlite3_stmt *st = s->sql[id];
    if (run) sqlite3_bind_int64(st, 1, run);
    int rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    return sql_end(s, st, rc);
}

static store_status remove_if_empty(sweep *w, const task *t)
{
    static const sql_id drops[] = {SQL_COLUMNS_DROP, SQL_TAGS_DROP, SQL_EXTENTS_DROP, SQL_RUN_DROP};
    int64_t more;
    store_status status = ask(w->s, SQL_HAS_MORE, t->run, &more);
    if (status != STORE_OK || more) return status;
    for (size_t i = 0; status == STORE_OK && i < ARRAY_LEN(drops); i++) {
        sqlite3_stmt *st = w->s->sql[drops[i]];
        sqlite3_bind_int64(st, 1, t->run);
        status = sql_run(w->s, st);
    }
    w->out->runs++;
    return status;
}

static store_status sweep_run(sweep *w, const task *t)
{
    store_status status = remove_chunks(w, t);
    if (status == STORE_OK && w->left > 0) status = remove_events(w, t);
    return status == STORE_OK && w->left > 0 && t->empty ? remove_if_empty(w, t) : status;
}

/* ---- some runs ---- */

/* Those of the short names from `after` + 1 to `until`. */
static store_status find_tasks(const sweep *w, int64_t after, int64_t until, task *out, size_t *count)
{
    sqlite3_stmt *st = w->s->sql[SQL_RUNS_TO_SWEEP];
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, until);
    sqlite3_bind_int64(st, 3, w->deleted);
    sqlite3_bind_int64(st, 4, w->rows);
    int rc;
    for (*count = 0; (rc = sqlite3_step(st)) == SQLITE_ROW; ++*count) {
        bool deleted = sqlite3_column_int(st, 1), silent = sqlite3_column_int(st, 2);
        out[*count] = (task){.run = sqlite3_column_int64(st, 0),
                             .until = deleted ? INT64_MAX : w->rows - 1,
                             .empty = deleted || silent};
    }
    return sql_end(w->s, st, rc);
}

static store_status sweep_runs(sweep *w)
{
    sqlite_store *s = w->s;
    task tasks[RUNS_AT_ONCE];
    size_t count = 0;
    int64_t last;
    store_status status = ask(s, SQL_LAST_RUN, 0, &last);
    int64_t until = last - s->swept > RUNS_AT_ONCE ? s->swept + RUNS_AT_ONCE : last;
    if (status == STORE_OK) status = find_tasks(w, s->swept, until, tasks, &count);
    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        status = sweep_run(w, &tasks[i]);
        if (w->left == 0) { /* there may be more of this one */
            s->swept = tasks[i].run - 1;
            w->out->more = true;
            return status;
        }
    }
    w->out->more = until < last;
    s->swept = w->out->more ? until : 0;
    return status;
}

/* ---- space ---- */

static store_status count_pages(sqlite_store *s, int64_t *unused, int64_t *all)
{
    sqlite3_stmt *st = s->sql[SQL_PAGES];
    int rc = sqlite3_step(st);
    *unused = sqlite3_column_int64(st, 0);
    *all = sqlite3_column_int64(st, 1);
    return sql_end(s, st, rc);
}

/* Moves pages from the file's end to where some are unused. */
static store_status give_back(sweep *w)
{
    sqlite_store *s = w->s;
    int64_t before, after, all;
    store_status status = count_pages(s, &before, &all);
    if (status != STORE_OK || before <= PAGES_KEPT + all / 16) return status;
    char text[64];
    sqlite3_snprintf(sizeof text, text, "PRAGMA incremental_vacuum(%d)", PAGES_AT_ONCE);
    int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    if (rc != SQLITE_OK) return sql_failed(s, rc);
    s->shrunk = true;
    status = count_pages(s, &after, &all);
    w->out->more |= after < before && after > PAGES_KEPT + all / 16;
    return status;
}

/* The file becomes shorter when the log is copied into it; if readers are in the way, some time later. */
static void shorten(sqlite_store *s)
{
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    s->shrunk = false;
}

store_status sqlite_sweep(store *base, int64_t deleted, int64_t rows, store_swept *out)
{
    sqlite_store *s = (sqlite_store *)base;
    sweep w = {.s = s, .deleted = deleted, .rows = rows, .left = STORE_SWEEP, .out = out};
    *out = (store_swept){.more = false};
    int64_t swept = s->swept;
    store_status status = sql_write_begin(s);
    if (status != STORE_OK) return status;
    status = sweep_runs(&w);
    if (status == STORE_OK) status = give_back(&w);
    status = sql_write_end(s, status);
    if (status != STORE_OK) {
        s->swept = swept;
        *out = (store_swept){.more = false};
    } else if (s->shrunk && !out->more) {
        shorten(s);
    }
    return status;
}
