/* SPDX-License-Identifier: MIT OR Unlicense
   ids: a queue in an array, and a hash table with linear probing, at most half full, from which nothing is taken. */
#include "store/ids.h"

#include <stdlib.h>
#include <string.h>

/* ---- queue ---- */

void id_queue_add(id_queue *q, const uuid *id)
{
    if (q->end == q->room && q->first > q->room / 2) {
        memmove(q->ids, q->ids + q->first, (q->end - q->first) * sizeof *q->ids);
        q->end -= q->first;
        q->first = 0;
    }
    if (q->end == q->room) q->ids = mem_resize(q->ids, q->room = q->room * 2 + 16, sizeof *q->ids);
    q->ids[q->end++] = *id;
}

bool id_queue_empty(const id_queue *q)
{
    return q->first == q->end;
}

bool id_queue_take(id_queue *q, uuid *out)
{
    if (id_queue_empty(q)) return false;
    *out = q->ids[q->first++];
    return true;
}

void id_queue_free(id_queue *q)
{
    free(q->ids);
    *q = (id_queue){0};
}

/* ---- map ---- */

struct id_map_slot {
    uuid id;
    bool used;
    size_t number;
};

#define FIRST_SIZE 64 /* a power of two, as all sizes */

static struct id_map_slot *slot_of(const id_map *m, const uuid *id)
{
    size_t i = (size_t)hash_bytes(m->key, id->b, sizeof id->b) & (m->size - 1);
    while (m->slots[i].used && !uuid_eq(&m->slots[i].id, id)) i = (i + 1) & (m->size - 1);
    return &m->slots[i];
}

static void grow(id_map *m)
{
    id_map bigger = {.key = m->size ? m->key : hash_new_key(), .count = m->count};
    bigger.size = m->size ? m->size * 2 : FIRST_SIZE;
    bigger.slots = mem_calloc(bigger.size, sizeof *bigger.slots);
    for (size_t i = 0; i < m->size; i++)
        if (m->slots[i].used) *slot_of(&bigger, &m->slots[i].id) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

size_t *id_map_at(id_map *m, const uuid *id)
{
    if ((m->count + 1) * 2 > m->size) grow(m);
    struct id_map_slot *slot = slot_of(m, id);
    if (!slot->used) {
        *slot = (struct id_map_slot){*id, true, 0};
        m->count++;
    }
    return &slot->number;
}

void id_map_free(id_map *m)
{
    free(m->slots);
    *m = (id_map){0};
}
