/* SPDX-License-Identifier: MIT OR Unlicense
   runs_table: the registry's runs, found by UUID, and in the order in which their time comes. */
#include "runs/runs_table.h"

#include <stdlib.h>

static entry **bucket_of(const table *t, const uuid *id)
{
    return &t->buckets[hash_bytes(t->key, id->b, sizeof id->b) & (t->bucket_count - 1)];
}

entry *table_find(const table *t, const uuid *id)
{
    if (!t->bucket_count) return NULL;
    entry *e = *bucket_of(t, id);
    while (e && !uuid_eq(&e->info->id, id)) e = e->chain;
    return e;
}

static void grow(table *t)
{
    table bigger = {.key = t->key, .bucket_count = t->bucket_count ? 2 * t->bucket_count : 64};
    bigger.buckets = mem_calloc(bigger.bucket_count, sizeof(entry *));
    for (size_t i = 0; i < t->bucket_count; i++)
        for (entry *e = t->buckets[i], *next; e; e = next) {
            next = e->chain;
            table_insert(&bigger, e);
        }
    free(t->buckets);
    *t = bigger;
}

void table_insert(table *t, entry *e)
{
    if (t->count == t->bucket_count) grow(t);
    entry **bucket = bucket_of(t, &e->info->id);
    e->chain = *bucket;
    *bucket = e;
    t->count++;
}

void table_remove(table *t, entry *e)
{
    entry **link = bucket_of(t, &e->info->id);
    while (*link != e) link = &(*link)->chain;
    *link = e->chain;
    t->count--;
}

void queue_append(queue *q, entry *e)
{
    e->older = q->newest;
    e->newer = NULL;
    *(q->newest ? &q->newest->newer : &q->oldest) = e;
    q->newest = e;
}

void queue_remove(queue *q, entry *e)
{
    *(e->older ? &e->older->newer : &q->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &q->newest) = e->older;
}
