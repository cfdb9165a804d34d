/* SPDX-License-Identifier: MIT OR Unlicense
   runs_json: runs that speak the JSON wire. */
#include "runs/runs_json.h"

#include <stdlib.h>

static void add_gap(runs *r, entry *e, const hole *h)
{
    bool forth = h->before <= h->after; /* a client's clock may have been set back */
    runs_add_event(r, e,
                   (run_event){.kind = EVENT_GAP,
                               .time = forth ? h->before : h->after,
                               .until = forth ? h->after : h->before,
                               .seq = h->first,
                               .count = h->end - h->first,
                               .text = mem_strdup("")});
}

void runs_json_expire(runs *r, entry *e, int64_t until)
{
    hole *gaps;
    size_t gap_count = seqs_expire(&e->seqs, until, &gaps);
    for (size_t i = 0; i < gap_count; i++) add_gap(r, e, &gaps[i]);
    free(gaps);
}

/* ---- records of a run that is ready ---- */

static void take_row(runs *r, entry *e, const record *rec, int64_t now)
{
    int64_t time = rec->row.time;
    uint64_t seq = rec->row.seq == NO_SEQ ? e->seqs.next : rec->row.seq;
    size_t columns = e->info->column_count;
    bool first = !e->seqs.next;
    e->numbered |= rec->row.seq != NO_SEQ;
    e->info->counted = !e->numbered;
    seq_verdict verdict = seqs_take(&e->seqs, seq, &time, now, r->tick);
    e->row = seq;
    e->row_marks = 0;
    e->row_seen = verdict == SEQ_SEEN;
    if (e->row_seen) {
        runs_count_up(&r->counters.duplicates, 1);
        return;
    }
    if (rec->row.count < columns) runs_count_up(&r->counters.short_rows, 1);
    if (rec->row.count > columns) runs_count_up(&r->counters.long_rows, 1);
    runs_add_row(r, e, seq, time, rec->row.values, rec->row.count, (span){NULL, 0});
    if (first) e->info->last = time;                   /* even if it lies before the start */
    if (verdict == SEQ_NEW) e->info->state = RUN_LIVE; /* a late row tells nothing of now */
    if (e->seqs.count > SEQS_HOLES) runs_json_expire(r, e, INT64_MIN);
}

/* A mark's number is made of its row's and its place there: it stays the same if the row is sent again. */
static void take_mark(runs *r, entry *e, const record *rec, int64_t now)
{
    if (e->row_seen) return;
    if (e->row_marks == MARKS_PER_ROW) {
        runs_count_up(&r->counters.dropped_marks, 1);
        return;
    }
    bool clipped;
    int64_t time = rec->mark.time == NO_TIME ? now : rec->mark.time;
    char *text = span_clean(rec->mark.text, MAX_TEXT_BYTES, &clipped);
    runs_count_up(&r->counters.clipped_names, clipped);
    runs_add_event(r, e,
                   (run_event){.kind = EVENT_MARK,
                               .time = time,
                               .until = time,
                               .text = text,
                               .seq = e->row * MARKS_PER_ROW + e->row_marks++});
}

static void take_end(runs *r, entry *e, const record *rec)
{
    if (e->row_seen) return;
    e->info->state = rec->end.reason == END_CRASHED ? RUN_CRASHED : RUN_ENDED;
    runs_set_changed(r, e);
}

static void take_lost(runs *r, entry *e, const record *rec)
{
    uint64_t first = rec->lost.first_seq, n = rec->lost.count;
    if (first > MAX_SEQ) return;
    seqs_lose(&e->seqs, first, n > MAX_SEQ - first ? MAX_SEQ : first + n, r->tick);
    runs_set_dirty(r, e);
}

void runs_json_take(runs *r, entry *e, const record *rec, int64_t now)
{
    switch (rec->kind) {
    case RECORD_ROW: take_row(r, e, rec, now); break;
    case RECORD_MARK: take_mark(r, e, rec, now); break;
    case RECORD_LOST: take_lost(r, e, rec); break;
    case RECORD_END: take_end(r, e, rec); break;
    case RECORD_ALIVE: /* that it was heard is noted */
    case RECORD_ANNOUNCE:
    default: break; /* the binary wire's go their own way */
    }
}

/* ---- records that wait ---- */

void runs_json_drop_held(runs *r, entry *e)
{
    size_t rows = e->held.rows;
    r->held_rows -= rows;
    r->held_bytes -= e->held.bytes;
    held_clear(&e->held);
    if (!rows) return;
    char text[UUID_TEXT];
    runs_count_up(&r->counters.orphans, rows);
    log_limited(LOG_WARN, "run %s: %zu rows dropped: it was never announced", runs_text_of(e, text), rows);
}

void runs_json_replay_held(runs *r, entry *e)
{
    r->held_rows -= e->held.rows;
    r->held_bytes -= e->held.bytes;
    for (held *h; (h = held_pop(&e->held));) {
        runs_json_take(r, e, &h->rec, h->now);
        free(h);
    }
}

/* ---- what the store tells ---- */

/* A server that was killed took with it what it knew of rows that were missing then: how many there were is still to be
   seen, since every number below `next_seq` is either a row or counted as lost. */
void runs_json_adopted(runs *r, entry *e)
{
    const run_info *i = e->info;
    uint64_t accounted = i->rows + i->lost + i->removed;
    if (accounted >= i->next_seq) return;
    add_gap(r, e, &(hole){.first = accounted, .end = i->next_seq, .before = i->last, .after = i->last});
}

/* The store holds the run: that comes first, and what was announced meanwhile must agree with it. */
