/* SPDX-License-Identifier: MIT OR Unlicense
   runs: the registry of the runs that are heard of now. */
#include "runs/runs_binary.h"
#include "runs/runs_info.h"
#include "runs/runs_internal.h"
#include "runs/runs_json.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The counters have one writer: no need for a locked addition. */
void runs_count_up(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static void advance(runs *r, int64_t now)
{
    if (now > r->now) r->tick += now - r->now;
    r->now = now;
}

const char *runs_text_of(const entry *e, char text[UUID_TEXT])
{
    uuid_format(&e->info->id, text);
    return text;
}

bool runs_is_ready(const entry *e)
{
    return e->answered && (e->info->column_count || (e->binary && binary_is_announced(e->binary)));
}

/* ---- what leaves ---- */

void runs_set_dirty(runs *r, entry *e)
{
    if (e->dirty != NOT_DIRTY) return;
    if (r->dirty_count == r->dirty_room) {
        r->dirty_room = r->dirty_room ? 2 * r->dirty_room : 64;
        r->dirty = mem_resize(r->dirty, r->dirty_room, sizeof(entry *));
    }
    e->dirty = r->dirty_count;
    r->dirty[r->dirty_count++] = e;
}

static void set_clean(runs *r, entry *e)
{
    if (e->dirty == NOT_DIRTY) return;
    entry *last = r->dirty[--r->dirty_count];
    r->dirty[e->dirty] = last;
    last->dirty = e->dirty;
    e->dirty = NOT_DIRTY;
}

void runs_set_changed(runs *r, entry *e)
{
    e->changed = true;
    if (runs_is_ready(e)) runs_set_dirty(r, e);
}

static uint64_t lost_in(const batch_part *p)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < p->event_count; i++) lost += p->events[i].count;
    return lost;
}

/* Completes a part of what the run has newly said, if it has. */
void runs_close_part(runs *r, entry *e)
{
    if (!e->fresh.part.rows && !e->fresh.part.event_count && !e->changed) return;
    if (r->done_count == r->done_room) {
        r->done_room = r->done_room ? 2 * r->done_room : 16;
        r->done = mem_resize(r->done, r->done_room, sizeof *r->done);
    }
    if (e->binary)
        binary_snapshot(e->binary, e->info);
    else
        e->info->next_seq = e->seqs.next;
    batch_part part = gather_take(&e->fresh, e->info->column_count);
    part.info = run_info_copy(e->info);
    r->done[r->done_count++] = part;
    r->fresh_bytes += sizeof part + e->weight;
    e->info->rows += part.rows;
    e->info->lost += lost_in(&part);
    e->shown = e->info->seen;
    e->changed = false;
}

void runs_add_event(runs *r, entry *e, run_event event)
{
    size_t before = e->fresh.bytes;
    gather_event(&e->fresh, event);
    r->fresh_bytes += e->fresh.bytes - before;
    runs_set_dirty(r, e);
}

void runs_add_row(runs *r, entry *e, uint64_t seq, int64_t time, const double *values, size_t count, span histograms)
{
    size_t before = e->fresh.bytes;
    gather_row(&e->fresh, e->info->column_count, seq, time, values, count, histograms);
    r->fresh_bytes += e->fresh.bytes - before;
    if (time > e->info->last) e->info->last = time;
    runs_count_up(&r->counters.rows, 1);
    runs_set_dirty(r, e);
}

/* ---- from waiting to known ---- */

/* Not while the store cannot know all that a run said before it was forgotten. */
static void ask_more(runs *r)
{
    while (!r->unsent && r->unasked && r->asked < ASK_AT_ONCE) {
        const entry *e = r->unasked;
        r->unasked = e->newer;
        r->asked++;
        r->want(r->ctx, &e->info->id);
    }
}

bool runs_ask_again(runs *r, const entry *e)
{
    if (r->asked >= ASK_AT_ONCE) return false;
    r->asked++;
    runs_count_up(&r->counters.asked_again, 1);
    r->want(r->ctx, &e->info->id);
    return true;
}

static void leave_waiting(runs *r, entry *e)
{
    if (r->unasked == e) r->unasked = e->newer;
    queue_remove(&r->waiting, e);
}

void runs_settle(runs *r, entry *e)
{
    if (!runs_is_ready(e)) return;
    leave_waiting(r, e);
    queue_append(&r->known, e);
    runs_json_replay_held(r, e);
    if (e->changed) runs_set_dirty(r, e);
}

static void go_on_unanswered(runs *r, entry *e)
{
    e->answered = true;
    e->seqs.open = true; /* the store may hold earlier rows: they are not lost */
    runs_settle(r, e);
}

/* ---- entries come and go ---- */

static void weigh(runs *r, entry *e)
{
    size_t weight = sizeof *e + info_bytes(e->info);
    r->info_bytes += weight - e->weight;
    e->weight = weight;
}

static void entry_free(entry *e)
{
    run_info_free(e->info);
    seqs_free(&e->seqs);
    gather_free(&e->fresh);
    held_clear(&e->held);
    binary_free(e->binary);
    free(e);
}

static void forget(runs *r, entry *e)
{
    if (e->binary) binary_forget(r, e);
    if (runs_is_ready(e)) {
        size_t before = r->done_count;
        if (!e->binary) runs_json_expire(r, e, INT64_MAX);
        runs_close_part(r, e);
        queue_remove(&r->known, e);
        if (r->done_count > before) r->unsent = true;
    } else {
        runs_json_drop_held(r, e);
        leave_waiting(r, e);
    }
    set_clean(r, e);
    table_remove(&r->table, e);
    if (e->source) sources_remove_run(r->sources, e->source);
    r->info_bytes -= e->weight;
    entry_free(e);
}

/* The oldest but `keep`: strangers first, so that a flood of them forgets no known run. */
static entry *oldest_but(const runs *r, const entry *keep)
{
    const queue *queues[] = {&r->waiting, &r->known};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        entry *e = queues[i]->oldest;
        while (e && (e == keep || (e->binary && binary_is_owed(e->binary)))) e = e->newer;
        if (e) return e;
    }
    return NULL;
}

void runs_make_room(runs *r, const entry *keep)
{
    while (r->table.count > r->limits.runs || r->info_bytes > r->limits.info_bytes) {
        entry *e = oldest_but(r, keep);
        if (!e) return;
        runs_count_up(&r->counters.evicted, 1);
        log_limited(LOG_WARN, "too many runs at once: the longest silent is forgotten until it speaks again");
        forget(r, e);
    }
}

static entry *add_entry(runs *r, const uuid *id, source *from, int64_t now)
{
    entry *e = mem_calloc(1, sizeof *e);
    e->source = from;
    e->info = info_blank(id, now);
    e->since = e->heard = r->tick;
    e->dirty = NOT_DIRTY;
    table_insert(&r->table, e);
    queue_append(&r->waiting, e);
    if (!r->unasked) r->unasked = e;
    weigh(r, e);
    runs_make_room(r, e);
    ask_more(r);
    return e;
}

/* What all of them hold is too much: the longest waiting goes on if it is announced, and is forgotten if not. */
static void bound_held(runs *r)
{
    while (r->held_rows > r->limits.pending_rows || r->held_bytes > PENDING_BYTES) {
        entry *e = r->waiting.oldest;
        if (e->info->column_count && !e->binary)
            go_on_unanswered(r, e);
        else
            forget(r, e);
    }
}

/* `e` may be gone afterwards. */
static void hold(runs *r, entry *e, const record *rec, int64_t now)
{
    if (rec->kind == RECORD_ALIVE) return;
    size_t before = e->held.bytes;
    held_append(&e->held, rec, now);
    r->held_rows += rec->kind == RECORD_ROW;
    r->held_bytes += e->held.bytes - before;
    bound_held(r);
}

/* ---- announcements and answers ---- */

/* What is gathered has the columns of before. */
bool runs_merge(runs *r, entry *e, run_info *told)
{
    if (told->column_count > e->info->column_count && e->fresh.part.rows) runs_close_part(r, e);
    bool merged = info_merge(e->info, told);
    if (merged) {
        weigh(r, e);
        runs_set_changed(r, e);
    } else {
        char text[UUID_TEXT];
        runs_count_up(&r->counters.conflicts, 1);
        log_limited(LOG_WARN, "run %s: announced again as another: refused", runs_text_of(e, text));
    }
    run_info_free(told);
    return merged;
}

static void take_announce(runs *r, entry *e, const record *rec, int64_t now)
{
    if (info_holds(e->info, rec)) return;
    bool first = !e->info->column_count;
    uint64_t clipped = 0, renamed = 0;
    run_info *told = info_told(rec, e->info->column_count, r->table.key, &clipped, &renamed);
    if (!runs_merge(r, e, told)) return;
    runs_count_up(&r->counters.clipped_names, clipped);
    runs_count_up(&r->counters.renamed_columns, renamed);
    if (!first) {
        runs_make_room(r, e);
        return;
    }
    e->seqs.time = e->info->started < now ? e->info->started : now;
    runs_make_room(r, e);
    runs_settle(r, e);
}
static void adopt(runs *r, entry *e, run_info *stored)
{
    run_info *announced = e->info;
    stored->seen = announced->seen;
    e->info = stored;
    e->seqs.next = stored->next_seq;
    e->seqs.time = stored->last;
    weigh(r, e);
    if (runs_is_ready(e) && !e->binary) runs_json_adopted(r, e);
    if (announced->column_count)
        runs_merge(r, e, announced);
    else
        run_info_free(announced);
}

void runs_answer(runs *r, const uuid *id, run_info *stored, int64_t now)
{
    advance(r, now);
    if (r->asked) r->asked--;
    entry *e = table_find(&r->table, id);
    if (e && !e->answered) {
        e->answered = true;
        if (e->binary) binary_answered(r, e, stored);
        if (stored) adopt(r, e, stored);
        stored = NULL;
        runs_make_room(r, e);
        runs_settle(r, e);
    } else if (e && e->binary) {
        binary_answered_again(r, e, stored);
        stored = NULL;
    } else if (e && stored && stored->next_seq > e->seqs.next) {
        e->seqs.next = stored->next_seq; /* too late to matter for what has left, but not for what comes */
    }
    run_info_free(stored);
    ask_more(r);
}

/* ---- the registry ---- */

static void heard(runs *r, entry *e, int64_t now)
{
    e->info->seen = now;
    e->heard = r->tick;
    if (!runs_is_ready(e)) return;
    if (r->known.newest != e) {
        queue_remove(&r->known, e);
        queue_append(&r->known, e);
    }
    if (now - e->shown >= NS_PER_SECOND) runs_set_changed(r, e); /* a sign of life is news, but not each one */
}

/* A run speaks one wire, that of its first word. */
static bool is_of_other_wire(const entry *e, const record *rec)
{
    bool has_spoken = e->binary || e->answered || e->held.first || e->info->column_count;
    return has_spoken && !e->binary == runs_is_binary(rec->kind);
}

static void take_of(runs *r, entry *e, const record *rec, const peer *from, size_t bytes, int64_t now)
{
    runs_count_up(&r->counters.ignored, rec->ignored);
    if (!e->binary && runs_is_binary(rec->kind) && !is_of_other_wire(e, rec)) e->binary = binary_new();
    if (is_of_other_wire(e, rec)) {
        runs_count_up(&r->counters.conflicts, 1);
        return;
    }
    if (e->binary && !binary_admits(r, e, rec)) return;
    heard(r, e, now);
    if (e->binary)
        binary_take(r, e, rec, from, bytes, now);
    else if (rec->kind == RECORD_ANNOUNCE)
        take_announce(r, e, rec, now);
    else if (runs_is_ready(e))
        runs_json_take(r, e, rec, now);
    else
        hold(r, e, rec, now);
}

/* A stranger's run, if its source may have another. */
static source_limit add_strange(runs *r, const uuid *id, const peer *from, int64_t now, entry **out)
{
    source *whose = from ? sources_of(r->sources, from->source) : NULL;
    source_limit over = whose ? sources_add_run(r->sources, whose, r->tick) : LIMIT_NONE;
    if (over == LIMIT_NONE) *out = add_entry(r, id, whose, now);
    if (over == LIMIT_NEW_RUNS) runs_count_up(&r->counters.over_new_runs, 1);
    if (over == LIMIT_LIVE_RUNS) runs_count_up(&r->counters.over_live_runs, 1);
    return over;
}

source_limit runs_take_bytes(runs *r, const peer *from, size_t bytes, int64_t now)
{
    advance(r, now);
    source_limit over = sources_take_bytes(r->sources, sources_of(r->sources, from->source), bytes, r->tick);
    if (over) runs_count_up(&r->counters.over_bytes, 1);
    return over;
}

source_limit runs_take_from(runs *r, const record *rec, const peer *from, size_t bytes, int64_t now)
{
    advance(r, now);
    entry *e = table_find(&r->table, &rec->run);
    source_limit over = e ? LIMIT_NONE : add_strange(r, &rec->run, from, now, &e);
    if (!over) take_of(r, e, rec, from, bytes, now);
    return over;
}

void runs_take(runs *r, const record *rec, int64_t now)
{
    runs_take_from(r, rec, NULL, 0, now);
}

size_t runs_suspects(const runs *r, const char *place, suspect *out, size_t max)
{
    size_t n = 0;
    for (const entry *e = r->known.oldest; e && n < max; e = e->newer) {
        if (r->tick - e->heard < SUSPECT_SECONDS * NS_PER_SECOND) break;
        const run_info *i = e->info;
        if (!e->binary || binary_is_leaving(e->binary, i) || i->state != RUN_LIVE) continue;
        if (!i->pid || !*i->place || strcmp(i->place, place) != 0) continue;
        out[n++] = (suspect){i->id, i->pid, i->born};
    }
    return n;
}

void runs_crashed(runs *r, const uuid *id)
{
    entry *e = table_find(&r->table, id);
    if (!e || !e->binary || !runs_is_ready(e) || e->info->state != RUN_LIVE) return;
    if (binary_is_leaving(e->binary, e->info)) return;
    char text[UUID_TEXT];
    runs_count_up(&r->counters.crashed, 1);
    log_line(LOG_INFO, "run %s: its process %lld is gone without a goodbye", runs_text_of(e, text),
             (long long)e->info->pid);
    binary_crash(r, e);
}

static void expire_waiting(runs *r, bool final)
{
    for (entry *e; (e = r->waiting.oldest) && (final || r->tick - e->since >= PENDING_SECONDS * NS_PER_SECOND);)
        if (e->info->column_count && !e->binary)
            go_on_unanswered(r, e);
        else
            forget(r, e);
}

static void forget_silent(runs *r)
{
    for (entry *e; (e = r->known.oldest) && r->tick - e->heard >= FORGET_SECONDS * NS_PER_SECOND;) {
        if (!e->binary || !binary_is_owed(e->binary)) {
            forget(r, e);
            continue;
        }
        e->heard = r->tick; /* the store has been behind for as long: look again later */
        queue_remove(&r->known, e);
        queue_append(&r->known, e);
    }
}

static void close_dirty(runs *r, int64_t until)
{
    for (size_t i = 0; i < r->dirty_count;) {
        entry *e = r->dirty[i];
        if (e->binary)
            binary_expire(r, e);
        else
            runs_json_expire(r, e, until);
        runs_close_part(r, e);
        if (e->seqs.count || (e->binary && (binary_is_leaving(e->binary, e->info) || binary_is_untold(e->binary))))
            i++; /* it wants another look */
        else
            set_clean(r, e);
    }
}

batch *runs_flush(runs *r, int64_t now, bool final)
{
    advance(r, now);
    expire_waiting(r, final);
    forget_silent(r);
    close_dirty(r, final ? INT64_MAX : r->tick - r->limits.reorder);
    ask_more(r);
    r->unsent = false; /* from the next call on: this batch is on its way only when the caller has it */
    if (!r->done_count) return NULL;
    batch *b = mem_alloc(sizeof *b);
    *b = (batch){.parts = r->done, .count = r->done_count, .bytes = sizeof *b + r->fresh_bytes};
    r->done = NULL;
    r->done_count = r->done_room = r->fresh_bytes = 0;
    return b;
}

bool runs_full(const runs *r)
{
    return r->fresh_bytes >= r->limits.batch_bytes;
}

size_t runs_count(const runs *r)
{
    return r->table.count;
}

size_t runs_asked(const runs *r)
{
    return r->asked;
}

const runs_counters *runs_stats(const runs *r)
{
    return &r->counters;
}

static runs_limits with_defaults(const runs_limits *given)
{
    runs_limits l = given ? *given : (runs_limits){0};
    if (!l.runs) l.runs = 65536;
    if (!l.info_bytes) l.info_bytes = (size_t)256 << 20;
    if (!l.pending_rows) l.pending_rows = 65536;
    if (!l.early_bytes) l.early_bytes = (size_t)256 << 20;
    if (!l.batch_bytes) l.batch_bytes = (size_t)8 << 20;
    if (!l.reorder) l.reorder = 2 * NS_PER_SECOND;
    return l;
}

runs *runs_new(const runs_limits *limits, void (*want)(void *ctx, const uuid *run), void *ctx)
{
    runs *r = mem_calloc(1, sizeof *r);
    r->limits = with_defaults(limits);
    r->want = want;
    r->ctx = ctx;
    r->table.key = hash_new_key();
    r->sources = sources_new(&r->limits.sources, r->table.key);
    return r;
}

static void free_queue(queue *q)
{
    for (entry *e = q->oldest, *newer; e; e = newer) {
        newer = e->newer;
        entry_free(e);
    }
}

void runs_free(runs *r)
{
    if (!r) return;
    free_queue(&r->waiting);
    free_queue(&r->known);
    batch *unsent = mem_alloc(sizeof *unsent);
    *unsent = (batch){.parts = r->done, .count = r->done_count};
    batch_free(unsent);
    free(r->table.buckets);
    sources_free(r->sources);
    free(r->dirty);
    free(r->owing);
    free(r);
}
