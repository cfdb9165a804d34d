/* SPDX-License-Identifier: MIT OR Unlicense
   writer_hold: what slow programs say waits a little. */
#include "store/writer_hold.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MOST 65536 /* of runs in the map that hold nothing now: then it is made anew */

size_t part_bytes(const batch_part *p)
{
    return PART_BYTES + p->rows * (2 + p->columns) * sizeof(double) + p->histograms.bytes.n;
}

/* As in the client's ring, about. */
static size_t row_bytes(const batch_part *p)
{
    return p->rows * (2 + p->columns) * sizeof(double) + p->histograms.bytes.n;
}

/* It only goes on: the run is known to the store, and no client waits to hear that something else of it is durable. */
static bool may_wait(const batch_part *p)
{
    return p->event_count == 0 && p->info->rows > 0 && p->info->state == RUN_LIVE && row_bytes(p) < HOLD_BYTES;
}

/* ---- how long ---- */

static void count_pair(hold *h, int64_t now)
{
    int64_t passed = now - h->window;
    if (passed >= NS_PER_SECOND) {
        h->rate = (double)h->pairs * NS_PER_SECOND / (double)passed;
        h->window = now;
        h->pairs = 0;
    }
    h->pairs++;
}

static int64_t wait_of(const hold *h)
{
    double seconds = h->rate / HOLD_PAIRS;
    if (seconds <= 1) return 0;
    return (int64_t)((seconds < HOLD_SECONDS ? seconds : HOLD_SECONDS) * NS_PER_SECOND);
}

static bool is_empty(const hold *h)
{
    return h->first == h->end;
}

int64_t hold_due(const hold *h)
{
    return is_empty(h) ? INT64_MAX : h->parts[h->first - h->base].since + wait_of(h);
}

/* ---- what is held ---- */

static held_part *held_at(hold *h, size_t place)
{
    return &h->parts[place - h->base];
}

static held_part *find(hold *h, const uuid *run)
{
    size_t *place = id_map_at(&h->places, run);
    return *place ? held_at(h, *place - 1) : NULL;
}

/* Gives back the room of those that have left, also in the map. */
static void tidy(hold *h)
{
    size_t stay = h->end - h->first;
    if (stay) memmove(h->parts, held_at(h, h->first), stay * sizeof *h->parts);
    h->base = h->first;
    id_map_free(&h->places);
    for (size_t i = h->first; i < h->end; i++)
        if (held_at(h, i)->part.info) *id_map_at(&h->places, &held_at(h, i)->part.info->id) = i + 1;
}

static void make_room(hold *h)
{
    if (h->first - h->base >= h->end - h->first) tidy(h);
    if (h->end - h->base == h->room) h->parts = mem_resize(h->parts, h->room = h->room * 2 + 64, sizeof *h->parts);
}

static void keep(hold *h, batch_part *p, int64_t since)
{
    if (h->end - h->base == h->room) make_room(h);
    *held_at(h, h->end++) = (held_part){*p, since};
    *id_map_at(&h->places, &p->info->id) = h->end;
    h->bytes += part_bytes(p);
}

static batch_part leave(hold *h, held_part *held)
{
    batch_part p = held->part;
    h->bytes -= part_bytes(&p);
    *id_map_at(&h->places, &p.info->id) = 0;
    held->part.info = NULL;
    while (h->first < h->end && !held_at(h, h->first)->part.info) h->first++;
    return p;
}

/* ---- one part after another ---- */

static bool goes_on(const batch_part *a, const batch_part *b)
{
    if (a->rows && b->rows && (a->columns != b->columns || a->seq[a->rows - 1] >= b->seq[0])) return false;
    return a->event_count == 0; /* which would come after rows that follow them */
}

static void *joined(void *a, size_t a_count, void *b, size_t b_count, size_t size)
{
    if (b_count == 0) return free(b), a;
    if (a_count == 0) return free(a), b;
    a = mem_resize(a, a_count + b_count, size);
    memcpy((char *)a + a_count * size, b, b_count * size);
    free(b);
    return a;
}

/* `b` follows `a`, and takes it in. */
static void join(batch_part *a, batch_part *b)
{
    size_t columns = b->rows ? b->columns : a->columns;
    b->time = joined(a->time, a->rows, b->time, b->rows, sizeof *b->time);
    b->seq = joined(a->seq, a->rows, b->seq, b->rows, sizeof *b->seq);
    b->values = joined(a->values, a->rows * columns, b->values, b->rows * columns, sizeof *b->values);
    row_histograms_join(&a->histograms, a->rows, &b->histograms);
    b->histograms = a->histograms;
    b->rows += a->rows;
    b->columns = columns;
    run_info_free(a->info);
}

static void add(batch *to, const batch_part *p)
{
    to->parts[to->count++] = *p;
    to->bytes += part_bytes(p);
}

/* false: it goes on to the store. */
static bool take_part(hold *h, batch_part *p, bool waits, int64_t now, batch *out)
{
    held_part *held = find(h, &p->info->id);
    if (held && !goes_on(&held->part, p)) {
        batch_part before = leave(h, held);
        add(out, &before);
        held = NULL;
    }
    if (held) {
        h->bytes -= part_bytes(&held->part);
        join(&held->part, p);
        held->part = *p;
        h->bytes += part_bytes(p);
        waits = waits && may_wait(p);
        if (!waits) *p = leave(h, held);
    } else if (waits) {
        keep(h, p, now);
    }
    return waits;
}

batch *hold_take(hold *h, batch *b, bool (*watched)(void *ctx, const uuid *run), void *ctx, int64_t now)
{
    batch *out = mem_calloc(1, sizeof *out);
    out->parts = mem_alloc(2 * b->count * sizeof *out->parts);
    if (h->places.count > PLACES_MOST + 2 * (h->end - h->first)) tidy(h);
    for (size_t i = 0; i < b->count; i++) {
        batch_part *p = &b->parts[i];
        bool waits = may_wait(p) && !(watched && watched(ctx, &p->info->id));
        if (waits) count_pair(h, now);
        if (!take_part(h, p, waits, now, out)) add(out, p);
    }
    b->count = 0;
    batch_free(b);
    if (out->count > 0) return out;
    batch_free(out);
    return NULL;
}

/* ---- going ---- */

batch *hold_let_go(hold *h, int64_t now, size_t bytes)
{
    if (is_empty(h) || hold_due(h) > now) return NULL;
    batch *out = mem_calloc(1, sizeof *out);
    size_t room = 0;
    while (!is_empty(h) && hold_due(h) <= now && out->bytes < bytes) {
        if (out->count == room) out->parts = mem_resize(out->parts, room = room * 2 + 64, sizeof *out->parts);
        batch_part p = leave(h, held_at(h, h->first));
        add(out, &p);
    }
    return out;
}

batch *hold_let_run_go(hold *h, const uuid *run)
{
    held_part *held = find(h, run);
    if (!held) return NULL;
    batch *out = mem_calloc(1, sizeof *out);
    out->parts = mem_alloc(sizeof *out->parts);
    batch_part p = leave(h, held);
    add(out, &p);
    return out;
}

void hold_free(hold *h)
{
    batch_free(hold_let_go(h, INT64_MAX, SIZE_MAX));
    free(h->parts);
    id_map_free(&h->places);
    *h = (hold){0};
}
