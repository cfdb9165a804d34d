/* SPDX-License-Identifier: MIT OR Unlicense
   store_trim: what of a change is still to be written. */
#include "store/store_trim.h"

#include <stdlib.h>

static bool is_gap(const run_event *e)
{
    return e->kind == EVENT_GAP;
}

/* The first row that the change tells of; none: the next one. */
static uint64_t first_of(const store_change *c)
{
    uint64_t first = c->info->next_seq;
    for (size_t i = 0; i < c->put_count; i++)
        if (c->put[i]->key.first_seq < first) first = c->put[i]->key.first_seq;
    for (size_t i = 0; i < c->event_count; i++)
        if (is_gap(&c->events[i]) && c->events[i].seq < first) first = c->events[i].seq;
    return first;
}

/* Room for all of the change and one event more, and nothing in it yet. */
static void begin(store_trimmed *out, const store_change *c, uint64_t next_seq)
{
    *out = (store_trimmed){.change = {.info = c->info}, .next_seq = next_seq};
    out->owned = mem_calloc(c->put_count, sizeof(chunk *));
    out->change.put = out->put = mem_calloc(c->put_count, sizeof(chunk *));
    out->change.events = out->events = mem_calloc(c->event_count + 1, sizeof *out->events);
}

static void add_chunk(store_trimmed *out, chunk *c)
{
    out->put[out->change.put_count++] = c;
}

static void add_own_chunk(store_trimmed *out, chunk *c)
{
    out->owned[out->owned_count++] = c;
    add_chunk(out, c);
}

static void add_event(store_trimmed *out, run_event e)
{
    out->events[out->change.event_count++] = e;
}

/* The rows from number `from` on; `shift` is added to their numbers, modulo 2^64. */
static chunk *copy_rows(const chunk *c, uint64_t from, uint64_t shift)
{
    size_t rows = 0, to = 0;
    for (size_t i = 0; i < c->rows; i++) rows += c->seq[i] >= from;
    chunk *out = chunk_new(rows, c->columns);
    for (size_t i = 0; i < c->rows; i++) {
        if (c->seq[i] < from) continue;
        out->time[to] = c->time[i];
        out->seq[to] = c->seq[i] + shift;
        for (size_t col = 0; col < c->columns; col++) out->values[col][to] = c->values[col][i];
        row_histograms_add(&out->histograms, to, row_histograms_of(&c->histograms, i));
        to++;
    }
    chunk_summarise(out);
    return out;
}

/* ---- the binary wire's ---- */

/* The time of what comes first in the change. */
static int64_t time_of(const store_change *c)
{
    int64_t time = c->info->last;
    for (size_t i = 0; i < c->put_count; i++)
        if (c->put[i]->key.first_time < time) time = c->put[i]->key.first_time;
    for (size_t i = 0; i < c->event_count; i++)
        if (is_gap(&c->events[i]) && c->events[i].time < time) time = c->events[i].time;
    return time;
}

/* From the newest row that is stored to the first that the change tells of. */
static run_event gap_before(const store_change *c, const store_position *at, uint64_t first)
{
    static char none[] = "";
    int64_t time = at->last ? at->last : c->info->started, until = time_of(c);
    return (run_event){.kind = EVENT_GAP,
                       .time = time,
                       .until = until > time ? until : time,
                       .seq = at->next_seq,
                       .count = first - at->next_seq,
                       .text = none};
}

/* What of a gap lies above what is stored; `count` 0: nothing. */
static run_event cut_gap(run_event gap, const store_position *at)
{
    if (gap.seq >= at->next_seq) return gap;
    uint64_t below = at->next_seq - gap.seq;
    gap.count = gap.count > below ? gap.count - below : 0;
    gap.seq = at->next_seq;
    if (gap.time < at->last) gap.time = at->last < gap.until ? at->last : gap.until;
    return gap;
}

static bool has_stored_mark(const store_change *c, const store_position *at)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (!is_gap(&c->events[i]) && c->events[i].seq < at->next_mark) return true;
    return false;
}

static uint64_t first_row_from(const chunk *c, uint64_t from)
{
    uint64_t first = c->key.last_seq;
    for (size_t i = 0; i < c->rows; i++)
        if (c->seq[i] >= from && c->seq[i] < first) first = c->seq[i];
    return first;
}

/* The first row that the change tells of and the store does not know; `next` if there is none. */
static uint64_t first_left(const store_change *c, const store_position *at, uint64_t next)
{
    uint64_t first = next;
    for (size_t i = 0; i < c->put_count; i++) {
        if (c->put[i]->key.last_seq < at->next_seq) continue;
        uint64_t row = first_row_from(c->put[i], at->next_seq);
        if (row < first) first = row;
    }
    for (size_t i = 0; i < c->event_count; i++) {
        run_event gap = cut_gap(c->events[i], at);
        if (is_gap(&gap) && gap.count > 0 && gap.seq < first) first = gap.seq;
    }
    return first;
}

static bool trim_acked(const store_change *c, const store_position *at, store_trimmed *out)
{
    if (first_of(c) == at->next_seq && !has_stored_mark(c, at)) return false;
    uint64_t next = c->info->next_seq > at->next_seq ? c->info->next_seq : at->next_seq;
    uint64_t first = first_left(c, at, next);
    begin(out, c, next);
    if (first > at->next_seq) add_event(out, gap_before(c, at, first));
    for (size_t i = 0; i < c->put_count; i++) {
        chunk *rows = c->put[i];
        if (rows->key.first_seq >= at->next_seq)
            add_chunk(out, rows);
        else if (rows->key.last_seq >= at->next_seq)
            add_own_chunk(out, copy_rows(rows, at->next_seq, 0));
    }
    for (size_t i = 0; i < c->event_count; i++) {
        run_event e = c->events[i];
        if (is_gap(&e)) e = cut_gap(e, at);
        if (is_gap(&e) ? e.count > 0 : e.seq >= at->next_mark) add_event(out, e);
    }
    return true;
}

/* ---- those that the server numbers ---- */

/* Numbers that the server gave and the store does not know of: another state of the store had these rows, and was lost (an
   asynchronous standby took over). What another server adds only makes its count higher; so there may be more, but not fewer. */
static bool tell_lost(const store_change *c, const store_position *at, store_trimmed *out)
{
    begin(out, c, c->info->next_seq);
    add_event(out, gap_before(c, at, first_of(c)));
    for (size_t i = 0; i < c->put_count; i++) add_chunk(out, c->put[i]);
    for (size_t i = 0; i < c->event_count; i++) add_event(out, c->events[i]);
    return true;
}

/* A run of which nothing is stored begins anew, whatever its numbers: it was removed. */
static bool renumber(const store_change *c, const store_position *at, store_trimmed *out)
{
    uint64_t shift = at->next_seq - first_of(c);
    if (shift == 0) return false;
    if (first_of(c) > at->next_seq && at->next_seq > 0) return tell_lost(c, at, out);
    begin(out, c, c->info->next_seq + shift);
    for (size_t i = 0; i < c->put_count; i++) add_own_chunk(out, copy_rows(c->put[i], 0, shift));
    for (size_t i = 0; i < c->event_count; i++) {
        run_event e = c->events[i];
        if (is_gap(&e)) e.seq += shift;
        add_event(out, e);
    }
    return true;
}

bool store_trim(const store_change *c, const store_position *at, store_trimmed *out)
{
    if (c->drop_count > 0) return false;
    if (c->info->acked) return trim_acked(c, at, out);
    return c->info->counted && renumber(c, at, out);
}

run_state store_state(run_state told, uint64_t next_seq, const store_position *at)
{
    if (next_seq != at->next_seq) return next_seq > at->next_seq ? told : at->state;
    return told == RUN_ENDED || at->state == RUN_LIVE ? told : at->state;
}

void store_trimmed_free(store_trimmed *t)
{
    for (size_t i = 0; i < t->owned_count; i++) chunk_free(t->owned[i]);
    free(t->owned);
    free(t->put);
    free(t->events);
}
