/* SPDX-License-Identifier: MIT OR Unlicense
   runs_held: copies of a run's records, that wait until the run is known. */
#include "runs/runs_held.h"

#include <stdlib.h>
#include <string.h>

static span payload_of(const record *rec)
{
    if (rec->kind == RECORD_ROW) return (span){(const char *)rec->row.values, rec->row.count * sizeof(double)};
    if (rec->kind == RECORD_MARK) return rec->mark.text;
    return (span){0};
}

void held_append(held_list *l, const record *rec, int64_t now)
{
    span payload = payload_of(rec);
    held *h = mem_alloc(sizeof *h + payload.n);
    h->next = NULL;
    h->now = now;
    h->bytes = sizeof *h + payload.n;
    h->rec = *rec;
    if (payload.n) memcpy(h->payload, payload.p, payload.n);
    if (rec->kind == RECORD_ROW) h->rec.row.values = h->payload;
    if (rec->kind == RECORD_MARK) h->rec.mark.text.p = (const char *)h->payload;
    *(l->last ? &l->last->next : &l->first) = h;
    l->last = h;
    l->rows += rec->kind == RECORD_ROW;
    l->bytes += h->bytes;
}

held *held_pop(held_list *l)
{
    held *h = l->first;
    if (!h) return NULL;
    l->first = h->next;
    if (!l->first) l->last = NULL;
    l->rows -= h->rec.kind == RECORD_ROW;
    l->bytes -= h->bytes;
    return h;
}

void held_clear(held_list *l)
{
    for (held *h; (h = held_pop(l));) free(h);
}
