/* SPDX-License-Identifier: MIT OR Unlicense
   runs_binary: runs that speak the binary wire. */
#include "runs/runs_binary.h"
#include "base/bytes.h"
#include "base/histogram.h"
#include "ingest/decode_binary.h"
#include "ingest/replay.h"
#include "runs/order.h"
#include "runs/runs_info.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CREDIT 65536 /* bytes that may be owed to a peer: more would never be needed */
#define ACK_HEAD   52
#define MAX_HOLES  16
#define NOT_OWING  SIZE_MAX

struct binary {
    order *order; /* of its rows; NULL until it is ready                                */
    bool announced;
    uint64_t sampled;              /* rows there are, as told last                                        */
    uint32_t marks;                /* the next one in turn                                               */
    uint64_t gap_first, gap_count; /* rows lost whose gap ends with the next row to come               */
    uint64_t left;                 /* rows below had left for the store before the last flush           */
    uint64_t told;                 /* its client was told that rows below have come                     */
    struct {
        bool said;
        end_reason reason;
        int64_t time, tick; /* the client's, and when it was said last                            */
        uint64_t rows;      /* how many there are in all …                                        */
        uint32_t marks;
    } bye;
    struct {
        bool known, ended;
        uint64_t rows;
        uint32_t marks, columns;
    } durable; /* as of the last commit that the writer told of                      */
    struct {
        bool now;      /* whether another server has stored the rows …                   */
        uint64_t kept; /* … below this, which will not come                              */
        int64_t since;
    } asking; /* the store                                                           */
    peer from;
    size_t credit; /* bytes that may be sent there                                       */
    replay replay; /* of sealed datagrams                                                */
    size_t owing;  /* its place in the registry's list, or NOT_OWING                     */
    bool urgent;   /* … because of a commit                                              */
    int64_t acked; /* the tick of the last acknowledgement                               */
};

bool runs_is_binary(record_kind kind)
{
    return kind >= RECORD_FACTS;
}

binary *binary_new(void)
{
    binary *b = mem_calloc(1, sizeof *b);
    b->owing = NOT_OWING;
    b->acked = INT64_MIN / 2;
    return b;
}

void binary_free(binary *b)
{
    if (!b) return;
    order_free(b->order);
    free(b);
}

bool binary_is_announced(const binary *b)
{
    return b->announced;
}

/* Every row below has left, as a row or in a gap. */
static uint64_t handed_on(const binary *b)
{
    return b->gap_count ? b->gap_first : order_next(b->order);
}

bool binary_is_owed(const binary *b)
{
    return b->order && handed_on(b) > b->durable.rows;
}

/* ---- who is to get an acknowledgement ---- */

static void owe(runs *r, entry *e, bool urgent)
{
    binary *b = e->binary;
    b->urgent |= urgent;
    if (b->owing != NOT_OWING) return;
    if (r->owing_count == r->owing_room) {
        r->owing_room = r->owing_room ? 2 * r->owing_room : 64;
        r->owing = mem_resize(r->owing, r->owing_room, sizeof(entry *));
    }
    b->owing = r->owing_count;
    r->owing[r->owing_count++] = e;
}

static void owe_no_more(runs *r, entry *e)
{
    binary *b = e->binary;
    if (b->owing == NOT_OWING) return;
    entry *last = r->owing[--r->owing_count];
    r->owing[b->owing] = last;
    last->binary->owing = b->owing;
    b->owing = NOT_OWING;
}

static void credit(binary *b, const peer *from, size_t bytes)
{
    if (!from) return;
    if (from->size != b->from.size || memcmp(from->bytes, b->from.bytes, from->size) != 0) {
        b->from = *from;
        b->credit = 0;
    }
    b->credit += bytes;
    if (b->credit > MAX_CREDIT) b->credit = MAX_CREDIT;
}

/* ---- rows ---- */

typedef struct {
    runs *r;
    entry *e;
} target;

/* A gap lies between two rows' times, so it waits for the later one. */
static void close_gap(runs *r, entry *e, int64_t until)
{
    binary *b = e->binary;
    if (!b->gap_count) return;
    int64_t from = e->info->last < until ? e->info->last : until;
    runs_add_event(r, e,
                   (run_event){.kind = EVENT_GAP,
                               .time = from,
                               .until = until,
                               .seq = b->gap_first,
                               .count = b->gap_count,
                               .text = mem_strdup("")});
    b->gap_count = 0;
}

/* What is ill-formed of a row's histograms is left out; the row is good without. */
static span checked(const target *t, span histograms)
{
    size_t n = histograms.n ? histogram_set_length(histograms, t->e->info->column_count) : 0;
    if (histograms.n && !n) runs_count_up(&t->r->counters.ignored, 1);
    return (span){histograms.p, n};
}

static void row_leaves(void *ctx, uint64_t seq, int64_t time, const double *values, size_t columns, span histograms)
{
    const target *t = ctx;
    close_gap(t->r, t->e, time);
    runs_add_row(t->r, t->e, seq, time, values, columns, checked(t, histograms));
}

static void gap_leaves(void *ctx, uint64_t first, uint64_t count)
{
    const target *t = ctx;
    binary *b = t->e->binary;
    if (!b->gap_count) b->gap_first = first;
    b->gap_count += count;
}

/* Rows that are missing here will not come: but another server may have stored them. The store, which is asked, may
   take its time; at last it trims what it has (store_trim.h), so that nothing false is stored without its answer either. */
static bool may_be_elsewhere(runs *r, entry *e, uint64_t kept)
{
    binary *b = e->binary;
    if (!r->limits.shared || kept <= order_next(b->order)) return false;
    if (b->asking.now) {
        b->asking.now = r->tick - b->asking.since < PENDING_SECONDS * NS_PER_SECOND;
    } else if (runs_ask_again(r, e)) {
        b->asking.now = true;
        b->asking.kept = kept;
        b->asking.since = r->tick;
    }
    return b->asking.now;
}

static order_result take_in_order(runs *r, entry *e, const record_rows *rows)
{
    order *o = e->binary->order;
    r->early_bytes -= order_bytes(o);
    size_t room = r->limits.early_bytes > r->early_bytes ? r->limits.early_bytes - r->early_bytes : 0;
    order_result result = order_take(o, rows, room, &(order_sink){row_leaves, gap_leaves, &(target){r, e}});
    r->early_bytes += order_bytes(o);
    return result;
}

static void skip(runs *r, entry *e, uint64_t next)
{
    order *o = e->binary->order;
    r->early_bytes -= order_bytes(o);
    order_skip(o, next, &(order_sink){row_leaves, gap_leaves, &(target){r, e}});
    r->early_bytes += order_bytes(o);
}

/* What is missing now is lost. */
static void close_order(runs *r, entry *e, uint64_t sampled)
{
    order *o = e->binary->order;
    r->early_bytes -= order_bytes(o);
    order_close(o, sampled, &(order_sink){row_leaves, gap_leaves, &(target){r, e}});
}

/* Everything that was said to be there has come, or never will: the run is over. */
static void end_if_complete(runs *r, entry *e)
{
    const binary *b = e->binary;
    if (!b->bye.said || order_next(b->order) < b->bye.rows || b->marks < b->bye.marks) return;
    run_state state = b->bye.reason == END_CRASHED ? RUN_CRASHED : RUN_ENDED;
    if (e->info->state == state) return;
    close_gap(r, e, b->bye.time == NO_TIME || b->bye.time < e->info->last ? e->info->last : b->bye.time);
    e->info->state = state;
    runs_set_changed(r, e);
}

/* By more than what lies between the reads of two clocks. */
static bool differs(int64_t a, int64_t b)
{
    int64_t difference;
    return __builtin_sub_overflow(a, b, &difference) || difference > NS_PER_MS || difference < -NS_PER_MS;
}

static void take_rows(runs *r, entry *e, const record_rows *rows)
{
    binary *b = e->binary;
    if (rows->next > b->sampled) b->sampled = rows->next;
    if (!rows->count) owe(r, e, false); /* a heartbeat asks for an answer */
    if (rows->columns > e->info->column_count || r->behind) {
        runs_count_up(&r->counters.held_off, rows->count);
        owe(r, e, false);
        return;
    }
    uint64_t next = order_next(b->order);
    record_rows taken = *rows;
    if (may_be_elsewhere(r, e, rows->kept)) taken.kept = next;
    order_result result = take_in_order(r, e, &taken);
    if (result.repeat) runs_count_up(&r->counters.duplicates, 1);
    if (result.full) runs_count_up(&r->counters.held_off, 1);
    if (result.repeat || result.hole || result.full) owe(r, e, false);
    if (order_next(b->order) > next && !b->bye.said) e->info->state = RUN_LIVE;
    if (differs(e->info->offset, rows->offset)) {
        e->info->offset = rows->offset;
        runs_set_changed(r, e);
    }
    end_if_complete(r, e);
}

/* ---- marks and the goodbye ---- */

static void take_marks(runs *r, entry *e, const record *rec, int64_t now)
{
    binary *b = e->binary;
    if (r->behind) return;
    if (rec->marks.kept > b->marks) b->marks = rec->marks.kept; /* the client had to drop some */
    for (uint32_t i = 0; i < rec->marks.count; i++) {
        if (rec->marks.first + i != b->marks) continue;
        bool clipped;
        const record_label *label = &rec->marks.labels[i];
        int64_t time = label->time == NO_TIME ? now : label->time;
        char *text = span_clean(label->text, MAX_TEXT_BYTES, &clipped);
        runs_count_up(&r->counters.clipped_names, clipped);
        runs_add_event(r, e,
                       (run_event){.kind = EVENT_MARK, .time = time, .until = time, .seq = b->marks++, .text = text});
    }
    if (rec->marks.first + rec->marks.count <= b->durable.marks) owe(r, e, false);
    end_if_complete(r, e);
}

static void take_goodbye(runs *r, entry *e, const record *rec)
{
    binary *b = e->binary;
    b->bye.said = true;
    b->bye.reason = rec->goodbye.reason;
    b->bye.time = rec->goodbye.time;
    b->bye.tick = r->tick;
    b->bye.rows = rec->goodbye.next;
    b->bye.marks = rec->goodbye.marks;
    const record_rows none = {.kept = rec->goodbye.kept, .next = rec->goodbye.next, .seq = rec->goodbye.next};
    if (!r->behind && !may_be_elsewhere(r, e, none.kept)) take_in_order(r, e, &none);
    runs_set_dirty(r, e);
    owe(r, e, false);
    end_if_complete(r, e);
}

bool binary_is_leaving(const binary *b, const run_info *info)
{
    return b->bye.said && info->state == RUN_LIVE;
}

bool binary_is_untold(const binary *b)
{
    return b->order && order_next(b->order) > b->told && order_next(b->order) > b->durable.rows;
}

/* If rows wait for longer than from one flush to the next to become durable, their client hears that they have come: else it
   would send them again after a second. */
static void tell_late(runs *r, entry *e)
{
    binary *b = e->binary;
    if (b->left > b->told && b->left > b->durable.rows) owe(r, e, false);
    b->left = b->order ? order_next(b->order) : 0;
}

void binary_expire(runs *r, entry *e)
{
    tell_late(r, e);
    binary *b = e->binary;
    int64_t seconds = b->bye.reason == END_CRASHED ? CRASH_SECONDS : GOODBYE_SECONDS;
    if (!binary_is_leaving(b, e->info) || r->tick - b->bye.tick < seconds * NS_PER_SECOND) return;
    close_order(r, e, b->bye.rows);
    b->marks = b->bye.marks;
    end_if_complete(r, e);
}

void binary_crash(runs *r, entry *e)
{
    close_order(r, e, e->binary->sampled);
    close_gap(r, e, e->info->last);
    e->info->state = RUN_CRASHED;
    runs_set_changed(r, e);
}

/* Rows that are early come again; a gap that waited for a row after it would be known to nobody. */
void binary_forget(runs *r, entry *e)
{
    binary *b = e->binary;
    owe_no_more(r, e);
    if (!b->order) return;
    r->early_bytes -= order_bytes(b->order);
    if (runs_is_ready(e)) close_gap(r, e, e->info->last);
}

/* ---- what the run is ---- */

/* Frees `told`. */
static bool learn(runs *r, entry *e, const record *announce)
{
    uint64_t clipped = 0, renamed = 0;
    run_info *told = info_told(announce, e->info->column_count, r->table.key, &clipped, &renamed);
    if (!runs_merge(r, e, told)) return false;
    runs_count_up(&r->counters.clipped_names, clipped);
    runs_count_up(&r->counters.renamed_columns, renamed);
    return true;
}

static void take_facts(runs *r, entry *e, const record *rec)
{
    binary *b = e->binary;
    if (b->durable.known) owe(r, e, false); /* it asks because it has not heard so */
    if (b->announced) return;
    record announce = *rec;
    announce.kind = RECORD_ANNOUNCE;
    if (!learn(r, e, &announce)) return;
    b->announced = true;
    runs_make_room(r, e);
    runs_settle(r, e);
}

/* As if all were announced once more, with the new ones at the end. */
static void take_columns(runs *r, entry *e, const record *rec)
{
    size_t known = e->info->column_count, end = rec->names.first + rec->names.count;
    if (rec->names.first > known || !e->binary->announced) return;
    if (end <= known) {
        if (e->binary->durable.columns >= end) owe(r, e, false);
        return;
    }
    record_column *all = mem_calloc(end, sizeof *all);
    for (size_t i = 0; i < known; i++) {
        const run_column *c = &e->info->columns[i];
        all[i] = (record_column){span_of(c->name), span_of(c->unit), c->kind};
    }
    size_t skip = known - rec->names.first;
    memcpy(all + known, rec->names.columns + skip, (end - known) * sizeof *all);
    record announce = {.kind = RECORD_ANNOUNCE, .run = rec->run};
    announce.announce.app = span_of(e->info->app);
    announce.announce.started = NO_TIME;
    announce.announce.columns = all;
    announce.announce.column_count = end;
    learn(r, e, &announce);
    free(all);
    runs_make_room(r, e);
}

void binary_answered(runs *r, entry *e, const run_info *stored)
{
    binary *b = e->binary;
    if (stored) {
        replay_begin(&b->replay, stored->counter > b->replay.top ? stored->counter : b->replay.top);
        b->announced = true;
        b->marks = stored->next_mark;
        b->durable.known = true;
        b->durable.ended = stored->state != RUN_LIVE;
        b->durable.rows = stored->next_seq;
        b->durable.marks = stored->next_mark;
        b->durable.columns = (uint32_t)stored->column_count;
    }
    b->order = order_new(stored ? stored->next_seq : 0);
    if (stored || !b->announced) owe(r, e, false); /* else it hears when it is durable */
}

/* Frees `stored`. */
static void learn_stored(runs *r, entry *e, run_info *stored)
{
    binary *b = e->binary;
    uint32_t columns = (uint32_t)stored->column_count;
    if (stored->counter > b->replay.top) replay_begin(&b->replay, stored->counter);
    if (stored->next_mark > b->marks) b->marks = stored->next_mark;
    if (stored->next_mark > b->durable.marks) b->durable.marks = stored->next_mark;
    if (stored->next_seq > b->durable.rows) b->durable.rows = stored->next_seq;
    if (stored->last > e->info->last) e->info->last = stored->last;
    if (stored->state != RUN_LIVE && stored->next_seq >= order_next(b->order)) {
        e->info->state = stored->state;
        b->durable.ended = true;
    }
    b->durable.known = true;
    if (columns <= e->info->column_count)
        run_info_free(stored);
    else if (!runs_merge(r, e, stored))
        return; /* that they contradict each other was counted */
    if (columns > b->durable.columns) b->durable.columns = columns;
}

void binary_answered_again(runs *r, entry *e, run_info *stored)
{
    binary *b = e->binary;
    uint64_t stored_next = stored ? stored->next_seq : 0;
    if (stored) learn_stored(r, e, stored);
    if (!runs_is_ready(e)) return;
    if (stored_next > order_next(b->order)) {
        close_gap(r, e, e->info->last);
        runs_close_part(r, e); /* a part has no hole within */
        skip(r, e, stored_next);
    }
    const record_rows none = {.kept = b->asking.kept, .next = b->asking.kept, .seq = b->asking.kept};
    if (b->asking.now) take_in_order(r, e, &none);
    b->asking.now = false;
    owe(r, e, false);
    end_if_complete(r, e);
}

void binary_snapshot(const binary *b, run_info *info)
{
    if (b->order) info->next_seq = handed_on(b);
    info->next_mark = b->marks;
    info->counter = b->replay.top;
    info->acked = true;
}

/* The highest counter is stored with whatever the datagram brings, and by itself if it brings nothing new. */
bool binary_admits(runs *r, entry *e, const record *rec)
{
    if (!rec->counter) return true;
    if (!e->answered) { /* not taken: the client sends what is in it again, under another counter; a recorder this one */
        replay_admits(&e->binary->replay, rec->counter);
        return false;
    }
    if (!replay_admits(&e->binary->replay, rec->counter)) {
        char text[UUID_TEXT];
        runs_count_up(&r->counters.replayed, 1);
        log_limited(LOG_WARN, "run %s: ignored a sealed datagram that had come before", runs_text_of(e, text));
        return false;
    }
    runs_set_changed(r, e);
    return true;
}

void binary_take(runs *r, entry *e, const record *rec, const peer *from, size_t bytes, int64_t now)
{
    binary *b = e->binary;
    credit(b, from, bytes);
    switch (rec->kind) {
    case RECORD_FACTS: take_facts(r, e, rec); return;
    case RECORD_COLUMNS: take_columns(r, e, rec); return;
    default: break;
    }
    if (!runs_is_ready(e)) {
        if (e->answered) owe(r, e, false); /* it has to say first what it is */
        return;
    }
    switch (rec->kind) {
    case RECORD_ROWS: take_rows(r, e, &rec->rows); break;
    case RECORD_MARKS: take_marks(r, e, rec, now); break;
    case RECORD_GOODBYE: take_goodbye(r, e, rec); break;
    default: break;
    }
}

/* ---- acknowledgements ---- */

void runs_durable(runs *r, const receipt *done)
{
    entry *e = table_find(&r->table, &done->id);
    if (!e || !e->binary) return;
    binary *b = e->binary;
    b->durable.known = true;
    b->durable.ended = done->ended;
    if (done->rows > b->durable.rows) b->durable.rows = done->rows;
    if (done->marks > b->durable.marks) b->durable.marks = done->marks;
    if (done->columns > b->durable.columns) b->durable.columns = done->columns;
    owe(r, e, true);
}

/* At most `room` bytes, of which there are ACK_HEAD at least. */
static size_t write_ack(const entry *e, size_t room, uint8_t *out)
{
    const binary *b = e->binary;
    bool ready = runs_is_ready(e);
    order_range holes[MAX_HOLES];
    room = (room - ACK_HEAD) / 12;
    size_t count = ready ? order_holes(b->order, holes, room < MAX_HOLES ? room : MAX_HOLES) : 0;
    uint8_t *p = out;
    binary_put_kind(p, BINARY_ACK);
    memcpy(p + BINARY_KIND, e->info->id.b, sizeof e->info->id.b);
    p += BINARY_HEADER;
    p = store_uint(p, (unsigned)(b->durable.known ? 1 : 0) | (b->durable.ended ? 2u : 0u), 1);
    p = store_uint(p, count, 1);
    p = store_uint(p, b->durable.columns, 2);
    p = store_uint(p, b->durable.marks, 4);
    p = store_uint(p, b->durable.rows, 8);
    p = store_uint(p, ready ? order_next(b->order) : 0, 8);
    p = store_uint(p, ready ? order_top(b->order) : 0, 8);
    for (size_t i = 0; i < count; i++) {
        p = store_uint(p, holes[i].first, 8);
        p = store_uint(p, holes[i].count, 4);
    }
    return (size_t)(p - out);
}

size_t runs_next_ack(runs *r, uint8_t out[RUNS_ACK_BYTES], peer *to)
{
    while (r->owing_at < r->owing_count) {
        entry *e = r->owing[r->owing_at];
        binary *b = e->binary;
        if (!b->urgent && r->tick - b->acked < ACK_PAUSE_MS * NS_PER_MS) {
            r->owing_at++;
            continue;
        }
        owe_no_more(r, e);
        size_t seal = r->limits.ack_seal;
        if (!b->from.size || b->credit < ACK_HEAD + seal) continue;
        size_t n = write_ack(e, b->credit - seal, out);
        b->credit -= n + seal;
        b->acked = r->tick;
        b->told = runs_is_ready(e) ? order_next(b->order) : 0;
        b->urgent = false;
        *to = b->from;
        runs_count_up(&r->counters.acks, 1);
        return n;
    }
    r->owing_at = 0;
    return 0;
}

bool runs_owes(const runs *r)
{
    return r->owing_count > 0;
}

void runs_set_behind(runs *r, bool behind)
{
    r->behind = behind;
}
