/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_sweep: store_sweep(), one transaction.

   Runs are looked at in the order of their ids, some hundred in a call, from where the last call stopped; when all have
   been, the round is over and the next call begins another. Several servers may do it at once: each locks the run at
   hand. What is removed makes room for new rows when autovacuum has been there. */
#include "store/postgres/store_postgres_held.h"

#include <stdlib.h>
#include <string.h>

/* A call of store_sweep(). */
typedef struct {
    pg_store *s;
    int64_t deleted, rows; /* its arguments                   */
    size_t left;           /* entries that may be removed yet */
    store_swept *out;
} sweep;

/* What is to go of a run. */
typedef struct {
    int64_t until; /* what ends then or before            */
    bool empty;    /* and the run itself, if nothing is left */
} task;

/* A user may have pinned it, or called it back, just now: so this looks at what is locked. false: nothing is to go. */
static bool task_of(const sweep *w, const held_run *run, task *out)
{
    bool deleted = run->deleted > 0 && run->deleted < w->deleted;
    if (!deleted && (run->pinned || w->rows == INT64_MIN)) return false;
    *out = (task){.until = deleted ? INT64_MAX : w->rows - 1, .empty = deleted || run->seen < w->rows};
    return true;
}

static void put_range(sweep *w, const held_run *run, const task *t)
{
    pg_put_uuid(&w->s->params, &run->id);
    pg_put_int8(&w->s->params, t->until);
    pg_put_int8(&w->s->params, (int64_t)w->left);
}

static store_status remove_chunks(sweep *w, held_run *run, const task *t)
{
    PGresult *r;
    put_range(w, run, t);
    store_status status = pg_run(w->s, PG_OLD_CHUNKS, &r);
    if (status != STORE_OK) return status;
    chunk_key keys[STORE_SWEEP];
    size_t count = (size_t)PQntuples(r);
    int64_t before = run->rows;
    for (size_t i = 0; i < count && i < ARRAY_LEN(keys); i++) {
        int row = (int)i;
        keys[i] = (chunk_key){.first_time = pg_int8(r, row, 0), .last_time = pg_int8(r, row, 2)};
        keys[i].first_seq = (uint64_t)pg_int8(r, row, 1);
        keys[i].last_seq = (uint64_t)pg_int8(r, row, 3);
        keys[i].rows = (uint64_t)pg_int8(r, row, 4);
    }
    PQclear(r);
    if (count > w->left) return pg_refuse(w->s, STORE_FAILED, "the server gave more than was asked for");
    w->left -= count;
    if (count > 0) status = held_remove(w->s, run, keys, count);
    run->removed += before - run->rows;
    w->out->rows += (uint64_t)(before - run->rows);
    return status;
}

static store_status remove_events(sweep *w, const held_run *run, const task *t)
{
    PGresult *r;
    put_range(w, run, t);
    store_status status = pg_run(w->s, PG_EVENTS_DROP, &r);
    if (status != STORE_OK) return status;
    size_t count = pg_affected(r);
    w->left -= count < w->left ? count : w->left;
    PQclear(r);
    return STORE_OK;
}

static store_status remove_if_empty(sweep *w, const held_run *run)
{
    PGresult *r;
    pg_put_uuid(&w->s->params, &run->id);
    store_status status = pg_run(w->s, PG_RUN_DROP, &r);
    if (status != STORE_OK) return status;
    w->out->runs += pg_affected(r);
    PQclear(r);
    return STORE_OK;
}

static store_status sweep_run(sweep *w, const uuid *id)
{
    held_run run = {.id = *id};
    task t;
    store_status status = held_lock(w->s, &run, 1);
    if (status == STORE_MISSING) return STORE_OK; /* another server removed it */
    if (status != STORE_OK || !task_of(w, &run, &t)) return status;
    status = remove_chunks(w, &run, &t);
    if (status == STORE_OK) held_ask_growth(w->s, &run); /* goes with the next statement */
    if (status == STORE_OK && w->left > 0) status = remove_events(w, &run, &t);
    return status == STORE_OK && w->left > 0 && t.empty ? remove_if_empty(w, &run) : status;
}

/* The runs after the one where it stopped, as far as it gets. */
static store_status sweep_runs(sweep *w)
{
    pg_store *s = w->s;
    PGresult *r;
    pg_put_uuid(&s->params, &s->swept);
    pg_put_int8(&s->params, w->deleted);
    pg_put_int8(&s->params, w->rows);
    store_status status = pg_run(s, PG_RUNS_TO_SWEEP, &r);
    if (status != STORE_OK) return status;
    int count = PQntuples(r);
    for (int i = 0; status == STORE_OK && i < count; i++) {
        uuid id = pg_uuid(r, i, 0);
        if (pg_bool(r, i, 1)) status = sweep_run(w, &id);
        if (w->left == 0) break; /* there may be more of this one */
        s->swept = id;
    }
    PQclear(r);
    w->out->more = count > 0;
    if (count == 0) s->swept = (uuid){{0}};
    return status;
}

store_status postgres_sweep(store *base, int64_t deleted, int64_t rows, store_swept *out)
{
    pg_store *s = (pg_store *)base;
    *out = (store_swept){.more = false};
    sweep w = {.s = s, .deleted = deleted, .rows = rows, .left = STORE_SWEEP, .out = out};
    store_status status = pg_connect(s);
    if (status != STORE_OK) return status;
    uuid swept = s->swept;
    pg_ask(s, PG_BEGIN_WRITE);
    status = sweep_runs(&w);
    PGresult *r = NULL;
    if (status == STORE_OK) status = pg_run(s, PG_COMMIT, &r);
    if (status == STORE_OK && !pg_committed(r)) status = pg_refuse(s, STORE_RETRY, "the transaction was rolled back");
    PQclear(r);
    if (status == STORE_OK) return STORE_OK;
    pg_roll_back(s);
    s->swept = swept;
    *out = (store_swept){.more = false};
    return status;
}
