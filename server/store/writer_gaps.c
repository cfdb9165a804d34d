/* SPDX-License-Identifier: MIT OR Unlicense
   writer_gaps: what is left of rows that had to be dropped. */
#include "store/writer_gaps.h"

#include "store/writer_hold.h"

#include <stdlib.h>

static void widen(run_event *gap, int64_t time, int64_t until, uint64_t seq, uint64_t count)
{
    if (gap->count == 0 || time < gap->time) gap->time = time;
    if (gap->count == 0 || until > gap->until) gap->until = until;
    if (gap->count == 0 || seq < gap->seq) gap->seq = seq;
    if (__builtin_add_overflow(gap->count, count, &gap->count)) gap->count = UINT64_MAX;
}

run_event gap_of(const batch_part *p)
{
    static char none[] = "";
    run_event gap = {.kind = EVENT_GAP, .text = none};
    for (size_t i = 0; i < p->rows; i++) widen(&gap, p->time[i], p->time[i], p->seq[i], 1);
    for (size_t i = 0; i < p->event_count; i++) {
        const run_event *e = &p->events[i];
        if (e->kind == EVENT_GAP && e->count > 0) widen(&gap, e->time, e->until, e->seq, e->count);
    }
    return gap;
}

static uint64_t marks_of(const batch_part *p)
{
    uint64_t marks = 0;
    for (size_t i = 0; i < p->event_count; i++) marks += p->events[i].kind == EVENT_MARK;
    return marks;
}

static batch_part *part_for(gaps *g, const uuid *run)
{
    if (!g->batch) {
        g->batch = mem_calloc(1, sizeof *g->batch);
        g->room = 0;
    }
    batch *b = g->batch;
    size_t *at = id_map_at(&g->parts, run);
    if (*at == 0) {
        if (b->count == g->room) b->parts = mem_resize(b->parts, g->room = g->room * 2 + 8, sizeof *b->parts);
        b->parts[b->count++] = (batch_part){0};
        b->bytes += PART_BYTES;
        *at = b->count;
    }
    return &b->parts[*at - 1];
}

static void take_part(gaps *g, batch_part *p)
{
    batch_part *kept = part_for(g, &p->info->id);
    run_info_free(kept->info);
    kept->info = p->info; /* the newest is what is to be known of the run */
    p->info = NULL;
    run_event gap = gap_of(p);
    if (gap.count == 0) return;
    if (kept->event_count == 0) {
        kept->events = mem_alloc(sizeof *kept->events);
        kept->events[0] = gap;
        kept->events[0].text = mem_strdup("");
        kept->event_count = 1;
    } else {
        widen(&kept->events[0], gap.time, gap.until, gap.seq, gap.count);
    }
}

dropped gaps_take(gaps *g, batch *b)
{
    dropped d = {0, 0};
    for (size_t i = 0; i < b->count; i++) {
        d.rows += b->parts[i].rows;
        d.marks += marks_of(&b->parts[i]);
        take_part(g, &b->parts[i]);
    }
    batch_free(b);
    return d;
}

batch *gaps_spare_acked(batch *b)
{
    batch *spared = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        batch_part *p = &b->parts[i];
        if (!p->info->acked) {
            b->parts[kept++] = *p;
            continue;
        }
        if (!spared) {
            spared = mem_calloc(1, sizeof *spared);
            spared->parts = mem_alloc(b->count * sizeof *spared->parts);
        }
        spared->parts[spared->count++] = *p;
        spared->bytes += part_bytes(p);
    }
    b->count = kept;
    return spared;
}

void gaps_close(gaps *g)
{
    g->batch = NULL;
    id_map_free(&g->parts);
}
