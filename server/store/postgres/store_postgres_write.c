/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_write: store_write(), one transaction in three ways over the network and back, however many runs there
   are: lock the runs and learn what is stored of them; put the entries; bring the runs up to date by what was really
   added, and commit. Runs are locked in the order of their ids, so that two servers do not wait for each other.

   A commit whose answer was lost may have happened. The change comes again, and then
   - rows of acked runs lie below the stored next_seq: store_trim() leaves them out
   - of other runs, chunks whose first row is stored already, in whatever chunk by now, are left out; if it was numbered
     anew, under the new number, which is remembered until then. */
#include "store/postgres/store_postgres_held.h"
#include "store/postgres/store_postgres_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One change on its way. */
typedef struct {
    const store_change *change;
    held_run *run;
    store_change now;   /* what of it is to be written          */
    store_trimmed rest; /* owns what `now` has, if `trimmed`    */
    bool trimmed;
    chunk **put;                           /* room for now.put, if some are stored */
    size_t found;                          /* first answer of the rows looked for  */
    size_t summaries, drops, puts, events; /* answers                    */
    size_t late;                           /* places whose summaries are to go     */
} job;

typedef struct {
    pg_store *s;
    job *jobs; /* [count], by run, else in the order of the changes */
    size_t count;
    held_run *runs; /* [run_count], by id                                */
    size_t run_count;
} writing;

/* ---- preparing ---- */

static int by_run(const void *a, const void *b)
{
    const store_change *x = ((const job *)a)->change, *y = ((const job *)b)->change;
    int order = memcmp(x->info->id.b, y->info->id.b, sizeof x->info->id.b);
    return order ? order : (x > y) - (x < y);
}

static void begin(writing *w, pg_store *s, const store_change *changes, size_t count)
{
    *w = (writing){.s = s, .count = count};
    w->jobs = mem_calloc(count, sizeof *w->jobs);
    w->runs = mem_calloc(count, sizeof *w->runs);
    for (size_t i = 0; i < count; i++) w->jobs[i].change = &changes[i];
    if (count) qsort(w->jobs, count, sizeof *w->jobs, by_run);
    for (size_t i = 0; i < count; i++) {
        job *j = &w->jobs[i];
        const run_info *info = j->change->info;
        if (w->run_count == 0 || !uuid_eq(&w->runs[w->run_count - 1].id, &info->id))
            w->runs[w->run_count++].id = info->id;
        j->run = &w->runs[w->run_count - 1];
        if (!j->run->info && !store_is_merge(j->change)) j->run->info = info;
    }
}

static void end(writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->jobs[i].trimmed) store_trimmed_free(&w->jobs[i].rest);
        free(w->jobs[i].put);
    }
    free(w->jobs);
    free(w->runs);
}

static store_status check(pg_store *s, const store_change *c)
{
    for (size_t i = 0; i < c->put_count; i++) {
        assert(c->put[i]->key.level < STORE_LEVELS);
        if (c->put[i]->key.last_seq > INT64_MAX)
            return pg_refuse(s, STORE_FAILED, "a sequence number of 2^63 or more cannot be stored");
    }
    return STORE_OK;
}

/* ---- what was written already, by a commit whose answer was lost ---- */

/* The number under which a counted run's first row went the last time. */
static uint64_t doubted_seq(const pg_store *s, const uuid *id, const chunk_key *first)
{
    for (size_t i = 0; i < s->doubt_count; i++) {
        const pg_doubt *d = &s->doubts[i];
        if (uuid_eq(&d->run, id) && d->time == first->first_time && d->told == first->first_seq) return d->stored;
    }
    return first->first_seq;
}

static void ask_row(writing *w, const job *j, const chunk_key *k)
{
    bool first = k == &j->change->put[0]->key;
    pg_params *p = &w->s->params;
    pg_put_uuid(p, &j->run->id);
    pg_put_int8(p, k->first_time);
    pg_put_int8(p, (int64_t)(first ? doubted_seq(w->s, &j->run->id, k) : k->first_seq));
    pg_put_int8(p, store_earliest(k->first_time, j->run->max_span[0]));
    pg_ask(w->s, PG_ROW_FIND);
}

static bool is_doubtful(const writing *w, const job *j)
{
    return w->s->doubtful && !j->change->info->acked && !store_is_merge(j->change) && j->run->levels > 0;
}

/* Asks which chunks' first rows are stored. */
static store_status look_for_rows(writing *w)
{
    size_t asked = 0;
    for (size_t i = 0; i < w->count; i++) {
        job *j = &w->jobs[i];
        if (!is_doubtful(w, j)) continue;
        j->found = asked;
        for (size_t c = 0; c < j->change->put_count; c++, asked++) ask_row(w, j, &j->change->put[c]->key);
    }
    return asked ? pg_flush(w->s) : STORE_OK;
}

/* Leaves out what was found. Of a counted run a change is there as a whole, or not at all. */
static void leave_out_found(writing *w, job *j)
{
    const store_change *c = j->change;
    bool first = c->put_count && pg_bool(pg_answer(w->s, j->found), 0, 0);
    if (c->info->counted && first) {
        j->now = (store_change){.info = c->info};
        return;
    }
    if (c->info->counted || c->put_count == 0) return;
    j->put = mem_calloc(c->put_count, sizeof *j->put);
    j->now.put = j->put;
    j->now.put_count = 0;
    for (size_t i = 0; i < c->put_count; i++)
        if (!pg_bool(pg_answer(w->s, j->found + i), 0, 0)) j->put[j->now.put_count++] = c->put[i];
}

/* What of each change is to be written. The next change of a run builds on it. */
static void plan(writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        job *j = &w->jobs[i];
        const run_info *info = j->change->info;
        j->now = *j->change;
        if (is_doubtful(w, j)) leave_out_found(w, j);
        j->trimmed = !store_is_merge(j->change) && store_trim(&j->now, &j->run->at, &j->rest);
        if (j->trimmed) j->now = j->rest.change;
        held_tell(j->run, info, j->trimmed ? j->rest.next_seq : info->next_seq);
    }
}

/* After a commit whose answer was lost: which numbers did counted rows get? */
static void note_doubts(const writing *w)
{
    pg_store *s = w->s;
    s->doubtful = true;
    s->doubt_count = 0;
    s->doubts = mem_resize(s->doubts, w->count, sizeof *s->doubts);
    for (size_t i = 0; i < w->count; i++) {
        const job *j = &w->jobs[i];
        if (!j->change->info->counted || j->change->put_count == 0 || j->now.put_count == 0) continue;
        const chunk_key *told = &j->change->put[0]->key, *stored = &j->now.put[0]->key;
        s->doubts[s->doubt_count++] = (pg_doubt){j->run->id, told->first_time, told->first_seq, stored->first_seq};
    }
}

/* ---- putting ---- */

static bool is_late(const held_run *run, const chunk_key *k)
{
    return run->unsummed || !before(run->summed, place_of(k));
}

/* An array of each of a change's late places, the dropped ones first. */
static void put_places(pg_params *p, const job *j, pg_type type,
                       void (*add)(pg_params *p, const chunk_key *k, bool dropped))
{
    const store_change *c = &j->now;
    pg_put_array(p, type, j->late);
    for (size_t i = 0; i < c->drop_count; i++)
        if (is_late(j->run, &c->drop[i])) add(p, &c->drop[i], true);
    for (size_t i = 0; i < c->put_count; i++)
        if (is_late(j->run, &c->put[i]->key)) add(p, &c->put[i]->key, false);
}

static void add_level(pg_params *p, const chunk_key *k, bool dropped)
{
    (void)dropped;
    pg_add_int2(p, (int)k->level);
}

static void add_time(pg_params *p, const chunk_key *k, bool dropped)
{
    (void)dropped;
    pg_add_int8(p, k->first_time);
}

static void add_seq(pg_params *p, const chunk_key *k, bool dropped)
{
    (void)dropped;
    pg_add_int8(p, (int64_t)k->first_seq);
}

static void add_dropped(pg_params *p, const chunk_key *k, bool dropped)
{
    (void)k;
    pg_add_bool(p, dropped);
}

/* Removes the summaries that would lie. */
static void ask_late(writing *w, job *j)
{
    const store_change *c = &j->now;
    j->late = 0;
    for (size_t i = 0; i < c->drop_count; i++) j->late += is_late(j->run, &c->drop[i]);
    for (size_t i = 0; i < c->put_count; i++) j->late += is_late(j->run, &c->put[i]->key);
    if (j->late == 0) return;
    pg_params *p = &w->s->params;
    pg_put_uuid(p, &j->run->id);
    put_places(p, j, PG_INT2, add_level);
    put_places(p, j, PG_INT8, add_time);
    put_places(p, j, PG_INT8, add_seq);
    put_places(p, j, PG_BOOL, add_dropped);
    pg_put_int4(p, STORE_LEVELS);
    j->summaries = pg_ask(w->s, PG_SUMMARIES_DROP);
}

static void ask_drops(writing *w, job *j)
{
    const store_change *c = &j->now;
    if (c->drop_count == 0) return;
    pg_params *p = &w->s->params;
    pg_put_uuid(p, &j->run->id);
    pg_put_array(p, PG_INT2, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int2(p, (int)c->drop[i].level);
    pg_put_array(p, PG_INT8, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int8(p, c->drop[i].first_time);
    pg_put_array(p, PG_INT8, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int8(p, (int64_t)c->drop[i].first_seq);
    pg_put_array(p, PG_INT8, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int8(p, c->drop[i].last_time);
    pg_put_array(p, PG_INT8, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int8(p, (int64_t)c->drop[i].last_seq);
    pg_put_array(p, PG_INT8, c->drop_count);
    for (size_t i = 0; i < c->drop_count; i++) pg_add_int8(p, (int64_t)c->drop[i].rows);
    j->drops = pg_ask(w->s, PG_CHUNKS_DROP);
}

static void put_summaries(pg_params *p, const chunk *c)
{
    pg_put_array(p, PG_FLOAT8, c->columns * 6);
    for (size_t i = 0; i < c->columns; i++) {
        const summary *s = &c->summaries[i];
        double v[] = {(double)s->count, s->min, s->max, s->sum, s->first, s->last};
        pg_add_doubles(p, v, ARRAY_LEN(v));
    }
}

static size_t ask_put(writing *w, const job *j, const chunk *c)
{
    const chunk_key *k = &c->key;
    pg_params *p = &w->s->params;
    pg_put_uuid(p, &j->run->id);
    if (k->level > 0) pg_put_int2(p, (int)k->level);
    pg_put_int8(p, k->first_time);
    pg_put_int8(p, (int64_t)k->first_seq);
    pg_put_int8(p, k->last_time);
    pg_put_int8(p, (int64_t)k->last_seq);
    pg_put_int8(p, (int64_t)k->rows);
    pg_put_int4(p, (int)c->columns);
    put_summaries(p, c);
    if (k->level == 0) pg_put_rows(p, c);
    pg_put_bytes(p, (span){c->sums.p, c->sums.n});
    if (k->level > 0) return pg_ask(w->s, PG_SUMMARY_PUT);
    return pg_ask(w->s, PG_CHUNK_PUT);
}

static int64_t count_of(const run_event *e)
{
    return e->count > INT64_MAX ? INT64_MAX : (int64_t)e->count; /* a stranger said it */
}

static void ask_events(writing *w, job *j)
{
    const store_change *c = &j->now;
    size_t n = c->event_count;
    if (n == 0) return;
    pg_params *p = &w->s->params;
    pg_put_uuid(p, &j->run->id);
    pg_put_array(p, PG_INT8, n);
    for (size_t i = 0; i < n; i++) pg_add_int8(p, c->events[i].time);
    pg_put_array(p, PG_INT2, n);
    for (size_t i = 0; i < n; i++) pg_add_int2(p, c->events[i].kind);
    pg_put_array(p, PG_INT8, n);
    for (size_t i = 0; i < n; i++) pg_add_int8(p, (int64_t)c->events[i].seq);
    pg_put_array(p, PG_INT8, n);
    for (size_t i = 0; i < n; i++) pg_add_int8(p, c->events[i].until);
    pg_put_array(p, PG_INT8, n);
    for (size_t i = 0; i < n; i++) pg_add_int8(p, count_of(&c->events[i]));
    pg_put_array(p, PG_TEXT, n);
    for (size_t i = 0; i < n; i++) pg_add_text(p, c->events[i].text);
    j->events = pg_ask(w->s, PG_EVENTS_PUT);
}

static void ask_change(writing *w, job *j)
{
    const store_change *c = &j->now;
    if (!store_is_merge(j->change)) held_ask_facts(w->s, j->run, c->info);
    ask_late(w, j);
    ask_drops(w, j);
    j->puts = SIZE_MAX;
    for (size_t i = 0; i < c->put_count; i++) {
        size_t asked = ask_put(w, j, c->put[i]);
        if (i == 0) j->puts = asked;
        j->run->unsummed = j->run->unsummed || c->put[i]->key.level > 0;
    }
    ask_events(w, j);
}

/* ---- what came of it ---- */

static store_status missing(writing *w, const char *what)
{
    return pg_refuse(w->s, STORE_MISSING, "%s is no more as it was", what);
}

/* A summary was put; or it was there already; or what it is to stand for is not there just so. */
static bool take_summary(held_run *run, const PGresult *r, const chunk_key *k)
{
    bool put = pg_int8(r, 0, 0) > 0, there = pg_int8(r, 0, 1) > 0;
    if (!put) return there;
    place until = {pg_int8(r, 0, 2), pg_int8(r, 0, 3)};
    if (before(run->summed, until)) run->summed = until;
    if (k->level == 1) run->loose -= pg_int8(r, 0, 4);
    held_reach(run, k);
    return true;
}

static void take_events(held_run *run, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        if (pg_int2(r, i, 0) == EVENT_GAP) held_lose(run, pg_int8(r, i, 3));
        int64_t length = store_length(pg_int8(r, i, 1), pg_int8(r, i, 2));
        if (length > run->max_gap) run->max_gap = length;
    }
}

static store_status take_change(writing *w, const job *j)
{
    const store_change *c = &j->now;
    held_run *run = j->run;
    const PGresult *r = j->late ? pg_answer(w->s, j->summaries) : NULL;
    for (int i = 0; r && i < PQntuples(r); i++) run->loose += pg_int8(r, i, 0);

    if (c->drop_count > 0 && pg_affected(pg_answer(w->s, j->drops)) != c->drop_count)
        return missing(w, "an entry that is to be replaced");
    for (size_t i = 0; i < c->drop_count; i++)
        if (c->drop[i].level == 0) held_add_chunk(run, &c->drop[i], -1);

    for (size_t i = 0; i < c->put_count; i++) {
        const chunk_key *k = &c->put[i]->key;
        r = pg_answer(w->s, j->puts + i);
        if (k->level > 0 && !take_summary(run, r, k)) return missing(w, "what a summary is to stand for");
        if (k->level > 0 || pg_affected(r) == 0) continue;
        held_add_chunk(run, k, 1);
        held_reach(run, k);
    }
    if (c->event_count > 0) take_events(run, pg_answer(w->s, j->events));
    return STORE_OK;
}

store_status held_remove(pg_store *s, held_run *run, const chunk_key *keys, size_t count)
{
    writing w = {.s = s};
    job j = {.run = run, .now = {.drop = keys, .drop_count = count}};
    ask_late(&w, &j);
    ask_drops(&w, &j);
    store_status status = pg_flush(s);
    return status == STORE_OK ? take_change(&w, &j) : status;
}

static store_status put_all(writing *w)
{
    for (size_t i = 0; i < w->count; i++) ask_change(w, &w->jobs[i]);
    store_status status = pg_flush(w->s);
    for (size_t i = 0; status == STORE_OK && i < w->count; i++) status = take_change(w, &w->jobs[i]);
    return status;
}

static store_status commit(writing *w)
{
    pg_store *s = w->s;
    for (size_t i = 0; i < w->run_count; i++) held_ask_growth(s, &w->runs[i]);
    size_t answer = pg_ask(s, PG_COMMIT);
    store_status status = pg_flush(s);
    if (status == STORE_OK && !pg_committed(pg_answer(s, answer)))
        status = pg_refuse(s, STORE_RETRY, "the transaction was rolled back");
    if (status == STORE_OK)
        s->doubtful = false;
    else if (!s->conn)
        note_doubts(w);
    return status;
}

store_status postgres_write(store *base, const store_change *changes, size_t count)
{
    pg_store *s = (pg_store *)base;
    store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < count; i++) status = check(s, &changes[i]);
    if (status == STORE_OK) status = pg_connect(s);
    if (status != STORE_OK || count == 0) return status;
    writing w;
    begin(&w, s, changes, count);
    pg_ask(s, PG_BEGIN_WRITE);
    status = held_lock(s, w.runs, w.run_count);
    if (status == STORE_OK) status = look_for_rows(&w);
    if (status == STORE_OK) {
        plan(&w);
        status = put_all(&w);
    }
    if (status == STORE_OK) status = commit(&w);
    if (status != STORE_OK) pg_roll_back(s);
    end(&w);
    return status;
}
