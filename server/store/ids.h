/* SPDX-License-Identifier: MIT OR Unlicense
   ids: a queue of UUIDs, and a number for each UUID. Strangers choose UUIDs, so they are hashed under a secret key. */
#ifndef IDS_H
#define IDS_H

#include "runs/runs_hash.h"

/* First in, first out. Zero-initialise. */
typedef struct {
    uuid *ids;
    size_t first, end, room;
} id_queue;

void id_queue_add(id_queue *q, const uuid *id);
bool id_queue_take(id_queue *q, uuid *out);                  /* false: it is empty */
bool id_queue_empty(const id_queue *q);
void id_queue_free(id_queue *q);

/* Zero-initialise. */
typedef struct {
    hash_key key;
    struct id_map_slot *slots;
    size_t count, size;
} id_map;

/* The number of an id, 0 if it is new; valid until the next call. */
size_t *id_map_at(id_map *m, const uuid *id);
/* Makes it empty. */
void id_map_free(id_map *m);

#endif
