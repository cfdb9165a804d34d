/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_held: what is known of a run while store_write() has it locked. */
#include "store/postgres/store_postgres_held.h"

#include "store/store_trim.h"

/* ---- what is stored ---- */

static void read_held(held_run *run, const PGresult *r)
{
    int column = 0;
    run->there = true;
    run->facts = pg_int8(r, 0, column++);
    run->at.last = pg_int8(r, 0, column++);
    run->seen = pg_int8(r, 0, column++);
    run->at.state = (run_state)pg_int2(r, 0, column++);
    run->rows = pg_int8(r, 0, column++);
    run->lost = pg_int8(r, 0, column++);
    run->at.next_seq = (uint64_t)pg_int8(r, 0, column++);
    run->at.next_mark = (uint32_t)pg_int8(r, 0, column++);
    run->offset = pg_int8(r, 0, column++);
    run->counter = pg_int8(r, 0, column++);
    run->small = pg_int8(r, 0, column++);
    run->loose = pg_int8(r, 0, column++);
    run->max_gap = pg_int8(r, 0, column++);
    run->summed.time = pg_int8(r, 0, column++);
    run->summed.seq = pg_int8(r, 0, column++);
    run->removed = pg_int8(r, 0, column++);
    run->pinned = pg_bool(r, 0, column++);
    run->deleted = pg_int8(r, 0, column++);
    pg_array spans = pg_array_of(r, 0, column, PG_INT8);
    run->levels = spans.count < STORE_LEVELS ? spans.count : STORE_LEVELS;
    pg_next_int8s(&spans, run->max_span, run->levels);
}

static void ask_lock(pg_store *s, held_run *run)
{
    pg_put_uuid(&s->params, &run->id);
    run->answer = pg_ask(s, PG_LOCK);
}

static void take_lock(pg_store *s, held_run *run)
{
    const PGresult *r = pg_answer(s, run->answer);
    if (PQntuples(r) > 0) read_held(run, r);
}

/* ---- facts ---- */

static void put_texts(pg_params *p, const run_info *r, char *(*of)(const run_info *r, size_t i), size_t count)
{
    pg_put_array(p, PG_TEXT, count);
    for (size_t i = 0; i < count; i++) pg_add_text(p, of(r, i));
}

static char *column_name(const run_info *r, size_t i)
{
    return r->columns[i].name;
}

static char *column_unit(const run_info *r, size_t i)
{
    return r->columns[i].unit;
}

static char *tag_name(const run_info *r, size_t i)
{
    return r->tags[i].name;
}

static char *tag_value(const run_info *r, size_t i)
{
    return r->tags[i].value;
}

static void ask_facts(pg_store *s, pg_sql id, const run_info *r)
{
    pg_params *p = &s->params;
    pg_put_uuid(p, &r->id);
    pg_put_int8(p, store_facts(r));
    pg_put_text(p, r->app);
    pg_put_text(p, r->host);
    pg_put_text(p, r->build);
    pg_put_text(p, r->args);
    pg_put_text(p, r->place);
    pg_put_int8(p, r->pid);
    pg_put_int8(p, (int64_t)r->born);
    pg_put_int8(p, r->started);
    pg_put_int8(p, r->interval);
    put_texts(p, r, column_name, r->column_count);
    put_texts(p, r, column_unit, r->column_count);
    pg_put_array(p, PG_INT2, r->column_count);
    for (size_t i = 0; i < r->column_count; i++) pg_add_int2(p, r->columns[i].kind);
    put_texts(p, r, tag_name, r->tag_count);
    put_texts(p, r, tag_value, r->tag_count);
    pg_ask(s, id);
}

store_status held_lock(pg_store *s, held_run *runs, size_t count)
{
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) ask_lock(s, &runs[i]);
    store_status status = pg_flush(s);
    if (status != STORE_OK) return status;
    for (size_t i = 0; i < count; i++) {
        take_lock(s, &runs[i]);
        missing += !runs[i].there;
    }
    if (missing == 0) return STORE_OK;

    for (size_t i = 0; i < count; i++) {
        if (runs[i].there || !runs[i].info) continue;
        ask_facts(s, PG_RUN_INSERT, runs[i].info); /* another server may be doing it just now, too */
        ask_lock(s, &runs[i]);
    }
    status = pg_flush(s);
    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        if (runs[i].there) continue;
        if (!runs[i].info) return pg_refuse(s, STORE_MISSING, "there is no such run");
        take_lock(s, &runs[i]);
        if (!runs[i].there) return pg_refuse(s, STORE_RETRY, "a run was made and removed at the same time");
    }
    return status;
}

void held_ask_facts(pg_store *s, held_run *run, const run_info *r)
{
    int64_t facts = store_facts(r);
    if (facts == run->facts) return;
    ask_facts(s, PG_RUN_FACTS, r);
    run->facts = facts;
}

/* ---- what changes ---- */

void held_tell(held_run *run, const run_info *r, uint64_t next_seq)
{
    store_position *at = &run->at;
    at->state = store_state(r->state, next_seq, at);
    if (at->next_seq == 0 || r->last > at->last) at->last = r->last;
    if (r->seen >= run->seen) run->offset = r->offset;
    if (r->seen > run->seen) run->seen = r->seen;
    if (next_seq > at->next_seq) at->next_seq = next_seq;
    if (r->next_mark > at->next_mark) at->next_mark = r->next_mark;
    if ((int64_t)r->counter > run->counter) run->counter = (int64_t)r->counter;
}

void held_lose(held_run *run, int64_t count)
{
    if (__builtin_add_overflow(run->lost, count, &run->lost)) run->lost = INT64_MAX;
}

void held_reach(held_run *run, const chunk_key *k)
{
    while (run->levels <= k->level) run->max_span[run->levels++] = 0;
    int64_t length = store_length(k->first_time, k->last_time);
    if (length > run->max_span[k->level]) run->max_span[k->level] = length;
}

void held_add_chunk(held_run *run, const chunk_key *k, int sign)
{
    run->rows += sign * (int64_t)k->rows;
    run->loose += sign;
    if (k->rows < STORE_SMALL) run->small += sign;
}

void held_ask_growth(pg_store *s, const held_run *run)
{
    pg_params *p = &s->params;
    pg_put_uuid(p, &run->id);
    pg_put_int8(p, run->at.last);
    pg_put_int8(p, run->seen);
    pg_put_int2(p, (int)run->at.state);
    pg_put_int8(p, run->rows);
    pg_put_int8(p, run->lost);
    pg_put_int8(p, (int64_t)run->at.next_seq);
    pg_put_int8(p, run->at.next_mark);
    pg_put_int8(p, run->offset);
    pg_put_int8(p, run->counter);
    pg_put_int8(p, run->small);
    pg_put_int8(p, run->loose);
    pg_put_int8(p, run->max_gap);
    pg_put_int8(p, run->summed.time);
    pg_put_int8(p, run->summed.seq);
    pg_put_int8(p, run->removed);
    pg_put_int8s(p, run->max_span, run->levels);
    pg_ask(s, PG_RUN_GROW);
}
