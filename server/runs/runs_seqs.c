/* SPDX-License-Identifier: MIT OR Unlicense
   runs_seqs: which rows of a run have come. */
#include "runs/runs_seqs.h"
#include "ingest/record.h"

#include <stdlib.h>
#include <string.h>

#define LONG_AGO INT64_MIN

static void insert(seqs *s, size_t at, hole h)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 4;
        s->holes = mem_resize(s->holes, s->capacity, sizeof *s->holes);
    }
    memmove(s->holes + at + 1, s->holes + at, (s->count - at) * sizeof h);
    s->holes[at] = h;
    s->count++;
}

static void erase(seqs *s, size_t at)
{
    s->count--;
    memmove(s->holes + at, s->holes + at + 1, (s->count - at) * sizeof *s->holes);
}

/* The first hole that ends behind `seq`: the one it is in, if any. */
static size_t find(const seqs *s, uint64_t seq)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->holes[middle].end <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Divides a hole so that [first, end), a part of it, is one of its own. Returns where that is. */
static size_t carve(seqs *s, size_t at, uint64_t first, uint64_t end)
{
    hole whole = s->holes[at];
    if (end < whole.end) {
        insert(s, at + 1, whole);
        s->holes[at + 1].first = end;
    }
    s->holes[at].end = end;
    if (first == whole.first) return at;
    insert(s, at, whole);
    s->holes[at].end = first;
    s->holes[at + 1].first = first;
    return at + 1;
}

static seq_verdict take_late(seqs *s, uint64_t seq, int64_t *time)
{
    size_t at = find(s, seq);
    if (at == s->count || seq < s->holes[at].first) return SEQ_SEEN;
    uint64_t first = s->holes[at].first, end = s->holes[at].end;
    if (*time == NO_TIME) *time = s->holes[at].after;
    at = carve(s, at, seq, seq + 1);
    if (first < seq) s->holes[at - 1].after = *time;
    if (seq + 1 < end) s->holes[at + 1].before = *time;
    erase(s, at);
    return SEQ_LATE;
}

seq_verdict seqs_take(seqs *s, uint64_t seq, int64_t *time, int64_t now, int64_t tick)
{
    if (s->open) s->next = seq;
    if (seq < s->next) return take_late(s, seq, time);
    if (*time == NO_TIME) *time = now > s->time ? now : s->time;
    if (seq > s->next) insert(s, s->count, (hole){s->next, seq, tick, s->time, *time});
    s->next = seq + 1;
    s->time = *time;
    s->open = false;
    return SEQ_NEW;
}

void seqs_lose(seqs *s, uint64_t first, uint64_t end, int64_t tick)
{
    for (size_t at = find(s, first); at < s->count && s->holes[at].first < end; at++) {
        hole h = s->holes[at];
        at = carve(s, at, first > h.first ? first : h.first, end < h.end ? end : h.end);
        s->holes[at].noticed = LONG_AGO;
    }
    if (s->open) s->next = first;
    s->open = false;
    if (first < s->next) first = s->next;
    if (first >= end) return;
    if (first > s->next) insert(s, s->count, (hole){s->next, first, tick, s->time, s->time}); /* still on the way */
    insert(s, s->count, (hole){first, end, LONG_AGO, s->time, s->time});
    s->next = end;
}

size_t seqs_expire(seqs *s, int64_t until, hole **out)
{
    *out = NULL;
    size_t kept = 0, excess = s->count > SEQS_HOLES ? s->count - SEQS_HOLES : 0, due = 0;
    for (size_t i = 0; i < s->count; i++) due += i < excess || s->holes[i].noticed <= until;
    if (!due) return 0;
    *out = mem_alloc(due * sizeof **out);
    due = 0;
    for (size_t i = 0; i < s->count; i++)
        if (i < excess || s->holes[i].noticed <= until)
            (*out)[due++] = s->holes[i];
        else
            s->holes[kept++] = s->holes[i];
    s->count = kept;
    if (!kept) seqs_free(s);
    return due;
}

void seqs_free(seqs *s)
{
    free(s->holes);
    s->holes = NULL;
    s->count = s->capacity = 0;
}
