/* SPDX-License-Identifier: MIT OR Unlicense
   writer: the thread that writes the store.

   What slow programs say is held back a little (writer_hold.h); all else waits in a queue. The thread takes what waits (a group), writes it in one transaction, and tells who is
   durable. If the store refuses, the group stays as it is and is tried again; meanwhile the queue grows up to the bound,
   past which rows turn into gaps, which wait in the queue like all else. Between two groups users' jobs are done, runs
   are merged that got some chunks, and a little is removed of what is to go. */
#include "store/writer.h"

#include "store/ids.h"
#include "store/merge.h"
#include "store/writer_gaps.h"
#include "store/writer_group.h"
#include "store/writer_hold.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BOUND_BYTES  (256u << 20)
#define GROUP_BYTES  (8u << 20) /* in a transaction, about                                      */
#define RETRY_NS     NS_PER_SECOND
#define RUNS_COUNTED 65536 /* whose chunks are counted; then from 0 again: a merge is late */

typedef struct {
    job *job;
    void (*finished)(void *ctx, job *j);
    void *ctx;
} edit;

struct writer {
    writer_desc desc;
    store *store;
    pthread_t thread;
    writer_stats stats;

    pthread_mutex_t lock; /* of what follows, up to the next blank line           */
    pthread_cond_t wake;
    batch *first, **end; /* the queue                                            */
    gaps gaps;           /* its last batch, if that is one of dropped rows       */
    hold hold;           /* what comes after it                                  */
    id_queue wants;
    bool look; /* at the wants: there may be one to answer             */
    edit edits[WRITER_EDITS];
    size_t edit_count;
    int64_t sweep; /* when to look next what is to be removed              */
    bool stopping;
    int64_t deadline; /* when stopping, for a store that refuses              */

    group *group;  /* being written; NULL: none. The thread's, as the rest */
    int64_t retry; /* not before this is the store asked again; 0: at once */
    bool ending;   /* the thread knows that it is stopping                 */
    int64_t refused_since;
    id_map chunks;   /* of a run, since it was last merged                   */
    id_queue merges; /* runs to merge                                        */
};

/* ---- the queue; under the lock ---- */

static void enqueue(writer *w, batch *b)
{
    b->next = NULL;
    *w->end = b;
    w->end = &b->next;
    w->stats.waiting_bytes += b->bytes;
}

/* Of what is held, into the queue. */
static void let_go(writer *w, batch *b, size_t held_before)
{
    w->stats.waiting_bytes += w->hold.bytes - held_before;
    if (!b) return;
    gaps_close(&w->gaps);
    enqueue(w, b);
}

static void let_run_go(writer *w, const uuid *id)
{
    size_t before = w->hold.bytes;
    let_go(w, hold_let_run_go(&w->hold, id), before);
}

static void let_due_go(writer *w, int64_t now, size_t bytes)
{
    size_t before = w->hold.bytes;
    let_go(w, hold_let_go(&w->hold, now, bytes), before);
}

/* The first batches, some GROUP_BYTES of them; NULL: none is due. */
static batch *dequeue(writer *w)
{
    let_due_go(w, clock_mono(), GROUP_BYTES);
    if (!w->first) return NULL;
    batch *first = w->first, *last = first;
    for (size_t bytes = last->bytes; last->next && bytes < GROUP_BYTES; bytes += last->bytes) last = last->next;
    if (!last->next) gaps_close(&w->gaps);
    w->first = last->next;
    if (!w->first) w->end = &w->first;
    last->next = NULL;
    return first;
}

static void accept(writer *w, batch *b)
{
    size_t before = w->hold.bytes;
    let_go(w, hold_take(&w->hold, b, w->desc.watched, w->desc.ctx, clock_mono()), before);
}

static void drop(writer *w, batch *b)
{
    size_t before = w->gaps.batch ? w->gaps.batch->bytes : 0;
    bool begins = !w->gaps.batch;
    dropped d = gaps_take(&w->gaps, b);
    if (begins)
        enqueue(w, w->gaps.batch);
    else
        w->stats.waiting_bytes += w->gaps.batch->bytes - before;
    w->stats.rows_dropped += d.rows;
    w->stats.marks_dropped += d.marks;
    log_limited(LOG_ERROR, "%zu kB wait for the store, which takes none: new rows are dropped and counted as lost",
                w->desc.bound >> 10);
}

void writer_put(writer *w, batch *b)
{
    pthread_mutex_lock(&w->lock);
    if (w->stats.waiting_bytes + b->bytes > w->desc.bound) {
        let_due_go(w, INT64_MAX, SIZE_MAX); /* what is dropped comes after it */
        batch *acked = gaps_spare_acked(b);
        if (acked) let_go(w, acked, w->hold.bytes);
        if (b->count > 0)
            drop(w, b);
        else
            batch_free(b); /* nothing is left of it that could be dropped */
    } else {
        accept(w, b);
    }
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool writer_is_behind(const writer *w)
{
    return w->stats.waiting_bytes > w->desc.bound / 2;
}

void writer_want(writer *w, const uuid *id)
{
    pthread_mutex_lock(&w->lock);
    id_queue_add(&w->wants, id);
    w->look = true;
    let_run_go(w, id);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void writer_hurry(writer *w, const uuid *id)
{
    pthread_mutex_lock(&w->lock);
    let_run_go(w, id);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool writer_edit(writer *w, job *j, void (*finished)(void *ctx, job *j), void *ctx)
{
    pthread_mutex_lock(&w->lock);
    bool taken = w->edit_count < WRITER_EDITS && !w->stopping;
    if (taken) w->edits[w->edit_count++] = (edit){j, finished, ctx};
    j->ran = false;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return taken;
}

void writer_sweep(writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->sweep = 0;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool writer_lags(const writer_stats *s)
{
    int64_t asked = s->asked;
    return s->behind || (asked && clock_mono() - asked > LAG_SECONDS * NS_PER_SECOND);
}

static bool queue_has_run(const writer *w, const uuid *id)
{
    for (const batch *b = w->first; b; b = b->next)
        for (size_t i = 0; i < b->count; i++)
            if (uuid_eq(&b->parts[i].info->id, id)) return true;
    return false;
}

/* ---- waiting ---- */

static bool has_work(const writer *w, int64_t now)
{
    return w->group || w->first || w->look || !id_queue_empty(&w->merges) || now >= w->sweep ||
           now >= hold_due(&w->hold);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits until there is something to do and the store may be asked; false: this is the end. Users get an answer also
   while the store refuses. */
static bool wait_for_work(writer *w)
{
    for (;;) {
        int64_t now = clock_mono();
        if (w->stopping && !w->ending) {
            w->ending = true;
            w->retry = 0; /* at least one more try, however little time there is */
        }
        bool late = w->stats.behind && now >= w->deadline && w->retry > 0;
        if (w->stopping && (late || (!w->group && !w->first))) return false;
        if (w->edit_count > 0 || (now >= w->retry && has_work(w, now))) return true;
        int64_t until = now >= w->retry ? earlier(w->sweep, hold_due(&w->hold)) : w->retry;
        if (w->stopping && w->deadline < until) until = w->deadline;
        struct timespec at = {until / NS_PER_SECOND, until % NS_PER_SECOND};
        pthread_cond_timedwait(&w->wake, &w->lock, &at);
    }
}

/* ---- what the thread does, without the lock ---- */

static void retry_later(writer *w)
{
    w->retry = clock_mono() + RETRY_NS;
}

static void answer(writer *w, const uuid *id)
{
    run_info *stored;
    store_status status = store_run(w->store, id, &stored);
    if (status == STORE_OK || status == STORE_MISSING) {
        w->desc.found(w->desc.ctx, id, stored);
        return;
    }
    log_limited(LOG_ERROR, "what is stored of a run cannot be read: %s", store_error(w->store));
    if (status == STORE_FAILED) return; /* no answer is better than a wrong one */
    writer_want(w, id);
    retry_later(w);
}

/* Answers those of whose run nothing waits to be written. */
static void answer_wants(writer *w)
{
    id_queue now = {0}, later = {0};
    uuid id;
    pthread_mutex_lock(&w->lock);
    while (id_queue_take(&w->wants, &id)) {
        bool waits = queue_has_run(w, &id) || (w->group && group_has_run(w->group, &id));
        id_queue_add(waits ? &later : &now, &id);
    }
    id_queue_free(&w->wants);
    w->wants = later;
    w->look = false;
    pthread_mutex_unlock(&w->lock);
    while (id_queue_take(&now, &id)) answer(w, &id);
    id_queue_free(&now);
}

/* Notes the runs that have got enough chunks to be worth a look. */
static void count_chunks(writer *w)
{
    if (w->chunks.count > RUNS_COUNTED) id_map_free(&w->chunks);
    for (size_t i = 0; i < w->group->count; i++) {
        const store_change *c = &w->group->changes[i];
        if (c->put_count == 0) continue;
        size_t *chunks = id_map_at(&w->chunks, &c->info->id);
        bool known = *chunks >= MERGE_SMALL;
        *chunks += c->put_count;
        if (!known && *chunks >= MERGE_SMALL) id_queue_add(&w->merges, &c->info->id);
    }
}

static void refused(writer *w)
{
    w->stats.failures++;
    if (!w->stats.behind) w->refused_since = clock_mono();
    w->stats.behind = true;
    log_limited(LOG_ERROR, "the store refuses, rows wait in memory: %s", store_error(w->store));
    retry_later(w);
}

static void accepted(writer *w)
{
    group *g = w->group;
    w->stats.rows_stored += group_rows(g);
    w->stats.rows_dropped += g->rows_dropped;
    w->stats.marks_dropped += g->marks_dropped;
    w->stats.commits++;
    if (w->stats.behind)
        log_line(LOG_WARN, "the store takes rows again, after %.1f s",
                 (double)(clock_mono() - w->refused_since) / NS_PER_SECOND);
    if (w->desc.durable) group_durable(g, w->desc.durable, w->desc.ctx);
    count_chunks(w);
    w->group = NULL;
    pthread_mutex_lock(&w->lock);
    w->stats.waiting_bytes -= g->bytes;
    w->look = !id_queue_empty(&w->wants);
    pthread_mutex_unlock(&w->lock);
    w->stats.behind = false; /* after what waited: who looks sees both */
    group_free(g);
}

static void write_group(writer *w)
{
    if (!w->group) {
        pthread_mutex_lock(&w->lock);
        batch *first = dequeue(w);
        pthread_mutex_unlock(&w->lock);
        if (!first) return;
        w->group = group_new(first);
    }
    w->stats.asked = clock_mono();
    store_status status = group_write(w->group, w->store);
    w->stats.asked = 0;
    if (status == STORE_OK)
        accepted(w);
    else
        refused(w);
}

/* Merges one run a little. */
static void merge_one(writer *w)
{
    uuid id;
    if (!id_queue_take(&w->merges, &id)) return;
    bool more = false;
    store_status status = merge_run(w->store, &id, &more);
    if (status == STORE_RETRY) retry_later(w);
    if (status == STORE_FAILED) log_limited(LOG_ERROR, "a run cannot be merged: %s", store_error(w->store));
    if (status == STORE_RETRY || more)
        id_queue_add(&w->merges, &id);
    else
        *id_map_at(&w->chunks, &id) = 0;
}

/* ---- users' jobs ---- */

/* The one that waits longest, so that rows get a turn before the next; while the thread ends it is given back undone.
   false: none waits. */
static bool do_edit(writer *w, bool ending)
{
    pthread_mutex_lock(&w->lock);
    bool waits = w->edit_count > 0;
    edit first = w->edits[0];
    if (waits) memmove(w->edits, w->edits + 1, --w->edit_count * sizeof first);
    pthread_mutex_unlock(&w->lock);
    if (!waits) return false;
    if (!ending) first.job->run(first.job, w->store);
    first.job->ran = !ending;
    first.finished(first.ctx, first.job);
    return true;
}

/* ---- what is to go ---- */

static void sweep_again(writer *w, int64_t when)
{
    pthread_mutex_lock(&w->lock);
    w->sweep = when;
    pthread_mutex_unlock(&w->lock);
}

static void sweep(writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool due = clock_mono() >= w->sweep;
    pthread_mutex_unlock(&w->lock);
    if (!due) return;
    int64_t now = clock_wall();
    store_swept swept = {false, 0, 0};
    sweep_again(w,
                clock_mono() + SWEEP_SECONDS * NS_PER_SECOND); /* before, so that writer_sweep() is not overruled */
    store_status status = store_sweep(w->store, now - UNDO_SECONDS * NS_PER_SECOND,
                                      w->desc.retain ? now - w->desc.retain : INT64_MIN, &swept);
    if (status == STORE_RETRY) retry_later(w);
    if (status == STORE_FAILED) log_limited(LOG_ERROR, "what is to go stays for now: %s", store_error(w->store));
    if (status == STORE_RETRY || swept.more) sweep_again(w, 0);
    w->stats.rows_removed += swept.rows;
    w->stats.runs_removed += swept.runs;
}

static bool note_unmerged(void *ctx, const uuid *id)
{
    writer *w = ctx;
    *id_map_at(&w->chunks, id) = MERGE_SMALL;
    id_queue_add(&w->merges, id);
    return true;
}

/* What could not be written in time. */
static void give_up(writer *w)
{
    uint64_t rows = w->group ? group_rows(w->group) : 0;
    for (const batch *b = w->first; b; b = b->next)
        for (size_t i = 0; i < b->count; i++) rows += b->parts[i].rows;
    if (rows > 0)
        log_line(LOG_ERROR, "%llu rows are lost: the store refused them until the end: %s", (unsigned long long)rows,
                 store_error(w->store));
}

static void *run(void *ctx)
{
    writer *w = ctx;
    store_unmerged(w->store, note_unmerged, w); /* if it fails, they are merged some other time */
    for (;;) {
        pthread_mutex_lock(&w->lock);
        bool go_on = wait_for_work(w);
        bool look = w->look;
        pthread_mutex_unlock(&w->lock);
        if (!go_on) break;
        do_edit(w, false);
        if (clock_mono() < w->retry) continue;
        if (look) answer_wants(w);
        write_group(w);
        if (w->group) continue;
        merge_one(w);
        sweep(w);
    }
    while (do_edit(w, true)) continue;
    give_up(w);
    return NULL;
}

/* ---- start and stop ---- */

writer *writer_start(const writer_desc *desc, buf *why)
{
    store *s = store_open(desc->store_url, STORE_WRITE, why);
    if (!s) return NULL;
    writer *w = mem_calloc(1, sizeof *w);
    w->desc = *desc;
    if (w->desc.bound == 0) w->desc.bound = BOUND_BYTES;
    w->store = s;
    w->end = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = pthread_create(&w->thread, NULL, run, w);
    if (error == 0) {
        pthread_setname_np(w->thread, "writer");
        return w;
    }
    buf_printf(why, "cannot start the writer's thread: %s", strerror(error));
    store_close(s);
    writer_free(w);
    return NULL;
}

void writer_stop(writer *w, double seconds)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    w->deadline = clock_mono() + (int64_t)(seconds * NS_PER_SECOND);
    let_due_go(w, INT64_MAX, SIZE_MAX);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    store_close(w->store);
    w->store = NULL;
}

void writer_free(writer *w)
{
    if (!w) return;
    group_free(w->group);
    for (batch *b = w->first, *next; b; b = next) {
        next = b->next;
        batch_free(b);
    }
    hold_free(&w->hold);
    id_map_free(&w->gaps.parts);
    id_map_free(&w->chunks);
    id_queue_free(&w->wants);
    id_queue_free(&w->merges);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

const writer_stats *writer_counters(const writer *w)
{
    return &w->stats;
}
