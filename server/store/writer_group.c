/* SPDX-License-Identifier: MIT OR Unlicense
   writer_group: batches become changes, and are written together; or, if the store refuses one of them for good, one by
   one, so that the rest is not lost with it. */
#include "store/writer_group.h"

#include "store/writer_gaps.h"

#include <stdlib.h>

static size_t pieces_of(const batch_part *p)
{
    return (p->rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

/* Of equal sizes, so that none of a big part's chunks is small. */
static void cut(const batch_part *p, chunk **out)
{
    size_t pieces = pieces_of(p);
    for (size_t i = 0; i < pieces; i++) {
        size_t from = p->rows * i / pieces, to = p->rows * (i + 1) / pieces;
        out[i] = chunk_from_part(p, from, to - from);
    }
}

group *group_new(batch *first)
{
    group *g = mem_calloc(1, sizeof *g);
    g->first = first;
    size_t chunks = 0;
    for (const batch *b = first; b; b = b->next) {
        g->bytes += b->bytes;
        g->count += b->count;
        for (size_t i = 0; i < b->count; i++) chunks += pieces_of(&b->parts[i]);
    }
    g->changes = mem_calloc(g->count, sizeof *g->changes);
    g->gaps = mem_calloc(g->count, sizeof *g->gaps);
    g->refused = mem_calloc(g->count, sizeof *g->refused);
    chunk **next = g->chunks = mem_calloc(chunks, sizeof *next);
    store_change *change = g->changes;
    for (const batch *b = first; b; b = b->next) {
        for (size_t i = 0; i < b->count; i++, change++) {
            const batch_part *p = &b->parts[i];
            *change = (store_change){.info = p->info,
                                     .put = next,
                                     .put_count = pieces_of(p),
                                     .events = p->events,
                                     .event_count = p->event_count};
            cut(p, next);
            next += change->put_count;
        }
    }
    return g;
}

void group_free(group *g)
{
    if (!g) return;
    size_t i = 0;
    for (batch *b = g->first, *next; b; b = next) {
        for (size_t part = 0; part < b->count; part++)
            for (size_t piece = pieces_of(&b->parts[part]); piece > 0; piece--) chunk_free(g->chunks[i++]);
        next = b->next;
        batch_free(b);
    }
    free(g->changes);
    free(g->chunks);
    free(g->gaps);
    free(g->refused);
    free(g);
}

static const batch_part *part_of(const group *g, size_t change)
{
    const batch *b = g->first;
    for (; change >= b->count; b = b->next) change -= b->count;
    return &b->parts[change];
}

/* Leaves of a change only the news that its rows are lost. */
static void refuse(group *g, size_t i)
{
    const batch_part *p = part_of(g, i);
    store_change *c = &g->changes[i];
    g->refused[i] = true;
    g->rows_dropped += p->rows;
    for (size_t e = 0; e < p->event_count; e++) g->marks_dropped += p->events[e].kind == EVENT_MARK;
    g->gaps[i] = gap_of(p);
    *c = (store_change){.info = c->info, .events = &g->gaps[i], .event_count = g->gaps[i].count > 0};
}

static store_status write_singly(group *g, store *s)
{
    while (g->done < g->count) {
        size_t i = g->done;
        store_status status = store_write(s, &g->changes[i], 1);
        if (status == STORE_RETRY) return status;
        if (status == STORE_FAILED && !g->refused[i]) {
            char id[UUID_TEXT];
            uuid_format(&g->changes[i].info->id, id);
            log_limited(LOG_ERROR, "rows of run %s cannot be stored and are counted as lost: %s", id, store_error(s));
            refuse(g, i);
            continue;
        }
        g->done++;
    }
    return STORE_OK;
}

store_status group_write(group *g, store *s)
{
    if (!g->singly) {
        store_status status = store_write(s, g->changes, g->count);
        if (status == STORE_OK) g->done = g->count;
        if (status != STORE_FAILED) return status;
        g->singly = true;
    }
    return write_singly(g, s);
}

void group_durable(const group *g, void (*each)(void *ctx, const batch *b), void *ctx)
{
    const bool *refused = g->refused;
    for (const batch *b = g->first; b; b = b->next) {
        bool whole = true;
        for (size_t i = 0; i < b->count; i++) whole = whole && !*refused++;
        if (whole) each(ctx, b);
    }
}

uint64_t group_rows(const group *g)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < g->count; i++)
        for (size_t c = 0; c < g->changes[i].put_count; c++) rows += g->changes[i].put[c]->key.rows;
    return rows;
}

bool group_has_run(const group *g, const uuid *id)
{
    for (size_t i = 0; i < g->count; i++)
        if (uuid_eq(&g->changes[i].info->id, id)) return true;
    return false;
}
